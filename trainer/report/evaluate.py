"""``python -m trainer evaluate``: a model tested on songs outside its data set. Zone: trainer (torch, onnxruntime).

As "Neural Music Genre Classification" does with ten songs of its authors' choice: the first 2 minutes of each, in
pieces of the length that the network was trained on.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from housex_blender.analysis.classify import softmax
from housex_blender.analysis.front_ends.base import FrontEnd, Samples
from housex_blender.analysis.headers import shown
from housex_blender.analysis.model_folder import CARD_FILE, PieceFolder, load_any_model
from housex_blender.analysis.pieces import PieceBackend
from housex_blender.core.errors import HouseXError
from housex_blender.core.files import read_json, write_text_atomic

from ..data.reading import counted
from ..engine.optimising import logits_of
from ..engine.predictions import Predictions, predictions_file
from ..engine.run import RUN_FILE, open_run
from ..systems.voting import vote
from .comparison import NEW_SONGS
from .drop_songs import drop_run, heard_in_drops, how_heard
from .figures import confusion_of, figures_of, intervals_of
from .pictures import draw_confusion
from .songs import Song, cut_song, find_songs, windows_per_piece
from .words import stopped_after, titled

_AT_ONCE = 8
# as the paper does
_SECONDS = 120.0
_SAID = ("accuracy", "macro_f1")


@dataclass(frozen=True)
class Model:
    """Whatever names the class of a piece of sound.

    Attributes:
        name: For people.
        classes: In the order of its answers.
        front_end: From sound to its input.
        hear: Called with pieces of (window_samples,) sound; returns (n, C) logits.
        synthetic: Whether it was trained on a miniature of the synthesiser.
        steps_at_most: After which its training was stopped, as a trial; None where it went to its end.
    """

    name: str
    classes: tuple[str, ...]
    front_end: FrontEnd
    hear: Callable[[list[Samples]], NDArray[np.floating]]
    synthetic: bool = False
    steps_at_most: int | None = None


def open_model(folder: Path) -> Model:
    """A run, or an exported model.

    Raises:
        HouseXError: It is neither, or hears whole mixes and no pieces.
    """
    if (folder / RUN_FILE).is_file():
        return _of_run(folder)
    if not (folder / CARD_FILE).is_file():
        raise HouseXError(f"There is neither {RUN_FILE} nor {CARD_FILE} in {folder}.", "Name a run or a model folder.")
    model = load_any_model(folder)
    if not isinstance(model, PieceFolder):
        raise HouseXError(f"The model {model.name} hears the bars of whole mixes, not pieces.", "Name a published one.")
    # the hearing needs nothing of this, so the folder's reader leaves it alone
    card = read_json((folder / CARD_FILE).read_text(encoding="utf-8"))
    steps = card.get("steps_at_most")
    return Model(model.name, model.genres, model.front_end, PieceBackend(model).hear, card.get("synthetic") is True,
                 steps if isinstance(steps, int) else None)  # fmt: skip


def _of_run(folder: Path) -> Model:
    run = open_run(folder)
    setup, network = run.setup, run.network()
    ends_in_softmax = setup.training.outputs == "probabilities"

    def hear(pieces: list[Samples]) -> NDArray[np.floating]:
        ready = np.stack([setup.front_end.ready(setup.front_end.stored(piece)) for piece in pieces])
        with torch.inference_mode():
            said = network(torch.from_numpy(ready.astype(np.float32)))
        return logits_of(said, ends_in_softmax).float().numpy()

    name = f"{setup.system}, {setup.preset}, seed {run.card['seed']}"
    return Model(name, setup.classes, setup.front_end, hear, bool(run.card.get("synthetic")),
                 run.card.get("steps_at_most"))  # fmt: skip


def heard(
    model: Model, songs: Sequence[Song], seconds: float = _SECONDS, piece_s: float | None = None, middle: bool = False
) -> tuple[Predictions, list[str]]:
    """What a model says of the pieces of songs.

    Args:
        model: From :func:`open_model`.
        songs: From :func:`find_songs`; the label of one whose class is not known is all zeros.
        seconds: How much of each song.
        piece_s: Length of a piece; longer than what the model hears at once, the windows in it vote by their mean
            logit. None for what it hears at once.
        middle: Whether the seconds are taken from the middle instead of the beginning.

    Returns:
        One row per piece, and a sentence about each song that cannot be heard or is damaged.

    Raises:
        HouseXError: The piece is too short, or not one song can be heard.
    """
    together = windows_per_piece(model.front_end, piece_s)
    window_s = model.front_end.window_samples / model.front_end.sample_rate_hz
    parts: list[Predictions] = []
    problems: list[str] = []
    for song in tqdm(songs, desc="songs", unit="song"):
        try:
            windows = list(cut_song(song.path, model.front_end, seconds, middle, problems.append))
        except HouseXError as error:
            problems.append(f'"{shown(song.name)}" is left out: {error}')
            continue
        logits = np.concatenate([model.hear(windows[at : at + _AT_ONCE]) for at in range(0, len(windows), _AT_ONCE)])
        parts.append(_of_song(model, song, logits.astype(np.float64), together, window_s))
    if not parts:
        raise HouseXError("Not one of the songs can be heard.", problems[0] if problems else "Name a folder of songs.")
    return Predictions.joined(parts), problems


def _of_song(model: Model, song: Song, logits: NDArray[np.float64], together: int, window_s: float) -> Predictions:
    probs = softmax(logits).astype(np.float32)
    target = np.zeros(logits.shape, np.float32)
    if song.label >= 0:
        target[:, song.label] = 1.0
    # numbered so that the names of the pieces are in their order
    pieces = np.array([f"{window // together:06d}" for window in range(len(logits))])
    windows = Predictions(model.classes, pieces, np.zeros(len(logits)), target, probs, logits.astype(np.float32))
    voted = vote(windows, "mean-logit")
    starts = np.arange(len(voted.track)) * together * window_s
    return Predictions(model.classes, np.full(len(starts), song.name), starts, voted.target, voted.probs, voted.logits)


def scored(predictions: Predictions) -> Predictions:
    """The pieces of songs whose class is known."""
    return predictions.rows(predictions.target.sum(axis=1) > 0)


def figures_by(predictions: Predictions) -> dict[str, Any]:
    """Figures of pieces and of songs, with intervals over songs where there are two."""
    known = scored(predictions)
    if not len(known.track):
        return {}
    result: dict[str, Any] = {}
    for what, one in (("pieces", known), ("songs", vote(known, "mean-logit"))):
        figures, intervals = figures_of(one), intervals_of([one], _SAID)
        shown_intervals = {name: [round(end, 4) for end in ends] for name, ends in intervals.items()}
        values = {name: round(figures[name], 4) for name in _SAID}
        result[what] = {"count": len(one.track), **values, "interval": shown_intervals}
    return result


def report_text(model: Model, predictions: Predictions, how: str, sentences: Sequence[str]) -> str:
    """What came out, for people; Markdown."""
    lines = [f"# {model.name} on other songs", "", how, ""]
    if model.synthetic:
        lines += ["**The model was trained on synthesised data: what it says of real songs means nothing.**", ""]
    if model.steps_at_most:
        lines += [f"**The model is a trial: its training was {stopped_after(model.steps_at_most)}.**", ""]
    figures = figures_by(predictions)
    for what, row in figures.items():
        text = f"- {counted(row['count'], what.removesuffix('s'))}: {100 * row['accuracy']:.1f} % right"
        if "accuracy" in row["interval"]:
            low, high = row["interval"]["accuracy"]
            text += f" (95 % over songs: {100 * low:.1f} to {100 * high:.1f} %)"
        lines.append(f"{text}, macro-F1 {100 * row['macro_f1']:.1f} %")
    if not figures:
        lines.append("No song has a class that the model knows: nothing is scored.")
    lines += ["", *(f"- {sentence}" for sentence in sentences), "", "| song | class | said | sure | pieces |",
              "|---|---|---|---|---|"]  # fmt: skip
    lines += [f"| {' | '.join(_safe(text) for text in row)} |" for row in _song_rows(predictions)]
    return "\n".join(lines).replace("\n\n\n", "\n\n") + "\n"


def _safe(text: str) -> str:
    return text.replace("|", "/")


def _song_rows(predictions: Predictions) -> list[tuple[str, ...]]:
    songs = vote(predictions, "mean-logit")
    known = songs.target.sum(axis=1) > 0
    return [
        (str(name), predictions.classes[songs.true[index]] if known[index] else "?",
         predictions.classes[songs.said[index]], f"{100 * float(songs.probs[index].max()):.0f} %",
         str(int((predictions.track == name).sum())))
        for index, name in enumerate(songs.track)
    ]  # fmt: skip


def write_evaluation(folder: Path, model: Model, predictions: Predictions, how: str, sentences: Sequence[str]) -> None:
    """Write ``evaluation.md``, ``evaluation.json``, ``songs.csv``, ``predictions.npz`` and ``confusion.png``.

    Raises:
        HouseXError: The folder cannot be written.
    """
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerows([("song", "class", "said", "sure", "pieces"), *_song_rows(predictions)])
    body = {"model": model.name, "how": how, "synthetic": model.synthetic, "steps_at_most": model.steps_at_most,
            "figures": figures_by(predictions), "sentences": list(sentences)}  # fmt: skip
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_text_atomic(folder / "evaluation.md", report_text(model, predictions, how, sentences))
        write_text_atomic(folder / "evaluation.json", json.dumps(body, indent=2, ensure_ascii=False) + "\n")
        write_text_atomic(folder / "songs.csv", table.getvalue())
        predictions.save(folder / "predictions.npz")
    except OSError as error:
        raise HouseXError(f"{folder} cannot be written.", "Choose another --out.") from error
    known = scored(predictions)
    if len(known.track):
        title = titled(model.name, model.synthetic, model.steps_at_most)
        draw_confusion(confusion_of(known), known.classes, folder / "confusion.png", f"{title}\n{how}")


def run(arguments: argparse.Namespace) -> int:
    """Hear, score, write."""
    if arguments.keep and not (arguments.model / RUN_FILE).is_file():
        raise HouseXError("Only a run keeps answers.", "Leave out --keep.")
    if arguments.drops and (arguments.seconds or arguments.piece or arguments.middle):
        raise HouseXError("--drops looks for drops in the whole song.", "Leave out --seconds, --piece and --middle.")
    drops = drop_run(arguments.model) if arguments.drops else None
    model = open_model(arguments.model)
    songs, sentences = find_songs(arguments.on, model.classes)
    if drops is not None:
        predictions, problems = heard_in_drops(drops, songs)
        how = how_heard(drops.setup)
    else:
        seconds = arguments.seconds or _SECONDS
        predictions, problems = heard(model, songs, seconds, arguments.piece, arguments.middle)
        how = _how(model, seconds, arguments.piece, arguments.middle)
    for problem in problems:
        print(problem, file=sys.stderr)
    folder = arguments.out or arguments.model / "other-songs"
    write_evaluation(folder, model, predictions, how, [*sentences, *problems])
    if arguments.keep:
        scored(predictions).save(predictions_file(arguments.model, NEW_SONGS))
    print(report_text(model, predictions, how, [*sentences, *problems]))
    print(f"wrote {folder}")
    return 0


def _how(model: Model, seconds: float, piece_s: float | None, middle: bool) -> str:
    window_s = model.front_end.window_samples / model.front_end.sample_rate_hz
    together = windows_per_piece(model.front_end, piece_s)
    where = "The middle" if middle else "The first"
    text = f"{where} {seconds:g} s of each song in pieces of {together * window_s:.2f} s"
    mean = f", each the mean of {together} windows" if together > 1 else ""
    return f"{text}{mean}; a song by the mean logit of its pieces."
