"""Multimodal language models asked for the sub-genre of clips: rows of the mainstage benchmark. Zone: trainer.

Benchmarking Sub-Genre Classification For Mainstage Dance Music (arXiv 2409.06690) prompts Qwen-Audio and others with a
text about the sub-genres and a numbered list. Nothing is trained. Replies are kept in ``answers.jsonl``, one per clip,
so that a run goes on where it stopped. ``prompt.txt`` and ``questions.jsonl`` say what is asked before it is: rows of
the latter to which another program added its ``reply``, saved as ``answers.jsonl``, count as well.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from housex_blender.analysis.front_ends.mainstage import CLIP_S
from housex_blender.core.errors import AudioError, HouseXError, ModelError
from housex_blender.core.files import write_text_atomic

from ..data.cache import decoded
from ..data.clip_list import read_clip_list
from ..data.collection import Collection, Piece, Track
from ..data.splits import split_pieces
from ..engine.chance import track_generator
from ..engine.predictions import Predictions
from .audio_language import Listener, open_listener
from .base import SplitRule, check_preset, chosen_options
from .genre_prompts import Reading, prompt_of, published_order, published_reading, reading
from .local_model import read_settings
from .mainstage import CLIPS_PER_DROP, even_clips, random_clips

ANSWERS_FILE, QUESTIONS_FILE, PROMPT_FILE = "answers.jsonl", "questions.jsonl", "prompt.txt"
# clips: a clip_info.json whose clips are asked about; empty to cut them out of the drops
OPTIONS: Mapping[str, tuple[str, ...]] = {"trust": ("no", "yes"), "clips": ("",)}
_ELSEWHERE = (
    f'Or ask another program about {QUESTIONS_FILE} in the run\'s folder, add "reply" to each row, and save the rows '
    f"as {ANSWERS_FILE} there."
)
_LENGTH_TOLERANCE_S = 0.05

# row -> (kinds that its model's config.json states, whether it is told about the sub-genres)
_ROWS: dict[str, tuple[tuple[str, ...], bool]] = {
    "mainstage/qwen-audio": (("qwen",), True),
    "mainstage/qwen-audio-min": (("qwen",), False),
    "mainstage/qwen2-audio": (("qwen2_audio",), True),
    "mainstage/qwen2-audio-min": (("qwen2_audio",), False),
    "mainstage/qwen2.5-omni": (("qwen2_5_omni",), True),
    "mainstage/kimi-audio": (("kimi_audio",), True),
    "mainstage/mu-llama": (("mullama", "llama"), True),
    "mainstage/musilingo": (("musilingo",), True),
}
NAMES = tuple(_ROWS)

_NOTES = {
    "as_code": (
        "The prompt lists Bigroom as 5 and Deep House as 6, while the labels have them the other way round.",
        "A reply without a number is searched for names in small letters as it stands, so that `Deep House` is not "
        "found; replies that name nothing are dropped from the figures.",
        "Clips of a track's earlier drops were overwritten by those of its last one and are heard in their place.",
        "Taken from the code of Qwen-Audio, the only one published; the other rows are asked in the same way.",
    ),
    "as_paper": (
        "The prompt lists the classes in the order of the labels; every clip counts, and one that is not answered is "
        "wrong.",
        "Four clips per drop wherever chance puts them.",
    ),
    "fixed": (
        "The prompt lists the classes in the order of the labels; a number has to be one of the list, a name is found "
        "in any letters and under its aliases, and a clip that is not answered is wrong.",
        "Clips spread over each drop; validation and test parts as the trained networks have them.",
    ),
}


def notes_of(preset: str) -> tuple[str, ...]:
    """What a preset does that another would not, one sentence each."""
    return _NOTES[preset]


@dataclass(frozen=True)
class _Way:
    """What a preset does.

    Attributes:
        read: From a reply to a class.
        rule: How tracks are parted.
        parts: Which parts are asked about.
        drops_unread: Whether replies that name no class are left out.
        swapped: Whether the prompt lists two classes in each other's place.
        even: Whether clips are spread over their drop instead of anywhere in it.
        last_drop: Whether every drop's clips are those of the last one.
    """

    read: Reading
    rule: SplitRule
    parts: tuple[str, ...]
    drops_unread: bool = False
    swapped: bool = False
    even: bool = False
    last_drop: bool = False


_WAYS = {
    "as_code": _Way(published_reading, "mainstage", ("val",), drops_unread=True, swapped=True, last_drop=True),
    "as_paper": _Way(reading, "mainstage", ("val",)),
    "fixed": _Way(reading, "tracks", ("val", "test"), even=True),
}


def run_prompted(
    name: str,
    preset: str,
    options: Mapping[str, str] | None,
    collection: Collection,
    model_folder: Path,
    seed: int,
    device: str = "auto",
    *,
    folder: Path | None = None,
    on_problem: Callable[[str], None] | None = None,
    listener: Callable[[], Listener] | None = None,
) -> dict[str, Predictions]:
    """Ask a model about the clips of the validation part, and under ``fixed`` of the test part.

    Args:
        name: One of NAMES; any model can be asked in its place.
        preset: One of PRESETS.
        options: ``trust``: whether code that lies in the model's folder may run; ``clips``: a ``clip_info.json`` of the
            benchmark, to ask about its clips.
        collection: The mainstage data set.
        model_folder: Of the model.
        seed: Of the split and of the clips, where they are drawn.
        device: ``cpu``, ``cuda`` or ``auto``.
        folder: Where ``prompt.txt``, ``questions.jsonl`` and ``answers.jsonl`` are kept; None to keep nothing.
        on_problem: Called with a sentence about each thing that was left out or is damaged.
        listener: Opens another model than that of the folder, for tests and other programs.

    Returns:
        Part -> one row per clip with a 1 for the class that was said; of zeros where the reply named none.

    Raises:
        HouseXError: No such row, preset or option; the list of clips or the model cannot be read; the model fails.
    """
    if name not in NAMES:
        raise HouseXError(f"There is no system {name!r}.", f"Known are {', '.join(NAMES)}.")
    check_preset(preset)
    chosen, way, told = chosen_options(name, OPTIONS, options), _WAYS[preset], on_problem or _ignore
    clips = _listed(Path(chosen["clips"]), collection, way, told) if chosen["clips"] else _cut(collection, way, seed)
    asked = _asked(collection, clips, way, seed, told)
    unasked = len(clips) - sum(map(len, asked.values()))
    if chosen["clips"] and unasked:
        told(f"{unasked} of {len(clips)} clips of the list are of tracks that train: they are not asked about.")
    listed = published_order(collection.classes) if way.swapped else collection.classes

    def opened() -> Listener:
        try:
            _check_kind(name, model_folder, told)
            return open_listener(model_folder, chosen["trust"] == "yes", device)
        except ModelError as error:
            raise ModelError(error.message, f"{error.hint} {_ELSEWHERE}") from error

    answers = _Answers(folder, prompt_of(listed, _ROWS[name][1]), model_folder.resolve().name)
    answers.write_questions(collection, [clip.piece for some in asked.values() for clip in some])
    interview = _Interview(collection, answers, listener or opened, told)
    return {
        part: _predictions(collection, way, some, interview.ask([clip.piece for clip in some]))
        for part, some in asked.items()
    }


def _ignore(_sentence: str) -> None:
    pass


def _check_kind(name: str, folder: Path, told: Callable[[str], None]) -> None:
    kinds, kind = _ROWS[name][0], read_settings(folder).get("model_type", "")
    if kind not in kinds:
        told(f"{name} is of a model of the kind {kinds[0]}; this one is {kind or 'of no kind'}: its row is another's.")


@dataclass(frozen=True)
class _Clip:
    """A clip that can be asked about, and its (C,) label."""

    piece: Piece
    label: NDArray[np.float32]


def _cut(collection: Collection, way: _Way, seed: int) -> list[_Clip]:
    """Clips of all drops.

    Raises:
        HouseXError: There is no drop.
    """
    clips = [
        _Clip(piece, track.label)
        for index, track in enumerate(collection.tracks)
        for piece in _pieces(track, index, way, seed)
    ]
    if not clips:
        raise HouseXError("No track has a drop to cut clips from.", "Add the table of drops to the data set.")
    return clips


def _pieces(track: Track, index: int, way: _Way, seed: int) -> Sequence[Piece]:
    if track.path is None:
        return []
    rng = track_generator(track.name, seed)
    return _heard(even_clips(track, index, rng) if way.even else random_clips(track, index, rng), way)


def _heard(pieces: Sequence[Piece], way: _Way) -> Sequence[Piece]:
    """What lies in the files of a track's clips, which stand there drop after drop."""
    last = pieces[-CLIPS_PER_DROP:]
    return [last[number % len(last)] for number in range(len(pieces))] if way.last_drop else pieces


def _listed(path: Path, collection: Collection, way: _Way, told: Callable[[str], None]) -> list[_Clip]:
    """Clips of a list, those of a track together.

    Raises:
        HouseXError: The file is no list of clips, or none of them can be used.
    """
    found, problems = read_clip_list(path.expanduser(), collection)
    for problem in problems:
        told(problem)
    if not found:
        raise HouseXError(f"No clip of {path.name} can be used.", "Name the list that was made of this data set.")
    odd = sum(abs(clip.end_s - clip.start_s - CLIP_S) > _LENGTH_TOLERANCE_S for clip in found)
    if odd:
        told(
            f"{odd} of {len(found)} clips of {path.name} are not {CLIP_S:g} s long: so much from their start is heard."
        )
    of_track = defaultdict(list)
    for clip in found:
        of_track[clip.track].append(clip)
    return [
        _Clip(piece, clip.label)
        for clips in of_track.values()
        for clip, piece in zip(clips, _heard([Piece(clip.track, clip.start_s) for clip in clips], way), strict=True)
    ]


def _asked(
    collection: Collection, clips: Sequence[_Clip], way: _Way, seed: int, told: Callable[[str], None]
) -> dict[str, list[_Clip]]:
    """Part -> its clips."""
    split = split_pieces(collection, [clip.piece for clip in clips], way.rule, seed)
    asked = {part: [clips[index] for index in split.parts[part]] for part in way.parts}
    for problem in split.problems:
        told(problem)
    return asked


class _Answers:
    """Replies to one prompt of one model, on disk as they come in."""

    def __init__(self, folder: Path | None, prompt: str, model: str) -> None:
        self.prompt = prompt
        self._folder = folder
        self._path = folder / ANSWERS_FILE if folder else None
        self._about = {"prompt": hashlib.sha256(prompt.encode()).hexdigest()[:12], "model": model}
        self._replies = dict(self._read())

    def _read(self) -> Iterator[tuple[tuple[str, str], str]]:
        """Those to this prompt; a line that a killed run left unfinished is not one."""
        if self._path is None or not self._path.is_file():
            return
        for line in self._path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                row = json.loads(line)
                if {name: row[name] for name in self._about} == self._about:
                    yield (str(row["track"]), f"{float(row['start_s']):.3f}"), str(row["reply"])
            except (ValueError, KeyError, TypeError):
                continue

    def write_questions(self, collection: Collection, pieces: Iterable[Piece]) -> None:
        """Write down what is asked, once about each clip.

        Raises:
            HouseXError: It cannot be written.
        """
        if self._folder is None:
            return
        rows = []
        for index, start_s in dict.fromkeys((piece.track, piece.start_s) for piece in pieces):
            track = collection.tracks[index]
            times = {"start_s": round(start_s, 3), "end_s": round(start_s + CLIP_S, 3)}
            rows.append({**self._about, "track": track.name, "file": str(track.path), **times})
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_text_atomic(self._folder / PROMPT_FILE, self.prompt + "\n")
            write_text_atomic(self._folder / QUESTIONS_FILE, "".join(json.dumps(row) + "\n" for row in rows))
        except OSError as error:
            raise HouseXError(f"{QUESTIONS_FILE} cannot be written: {error.strerror}.", "Free some space.") from error

    def get(self, track: str, start_s: float) -> str | None:
        """The reply about a clip; None where it was not asked about yet."""
        return self._replies.get((track, f"{start_s:.3f}"))

    def add(self, track: str, start_s: float, reply: str) -> None:
        """Keep a reply.

        Raises:
            HouseXError: It cannot be written.
        """
        self._replies[track, f"{start_s:.3f}"] = reply
        if self._path is None:
            return
        row = {**self._about, "track": track, "start_s": round(start_s, 3), "reply": reply}
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a+b") as file:
                # what a killed run left unfinished must not swallow this line
                cut = file.tell() > 0 and (file.seek(-1, 2), file.read(1))[1] != b"\n"
                file.write(b"\n" * cut + json.dumps(row).encode() + b"\n")
        except OSError as error:
            raise HouseXError(f"{self._path.name} cannot be written: {error.strerror}.", "Free some space.") from error


class _Interview:
    """A model that is opened when the first clip that was not asked about comes up."""

    def __init__(
        self, collection: Collection, answers: _Answers, open_it: Callable[[], Listener], told: Callable[[str], None]
    ) -> None:
        self._collection, self._answers, self._told = collection, answers, told
        self._open = open_it
        self._listener: Listener | None = None

    def ask(self, pieces: Sequence[Piece]) -> list[str | None]:
        """The reply about each clip, None where its track cannot be heard."""
        of_track: dict[int, list[Piece]] = {}
        for piece in pieces:
            of_track.setdefault(piece.track, []).append(piece)
        for number in tqdm(sorted(of_track), desc="asking", unit="track", leave=False):
            self._about_track(self._collection.tracks[number], of_track[number])
        names = [self._collection.tracks[piece.track].name for piece in pieces]
        return [self._answers.get(name, piece.start_s) for name, piece in zip(names, pieces, strict=True)]

    def _about_track(self, track: Track, pieces: Sequence[Piece]) -> None:
        missing = [piece for piece in pieces if self._answers.get(track.name, piece.start_s) is None]
        if not missing or track.path is None:
            return
        if self._listener is None:
            self._listener = self._open()
        rate_hz = self._listener.sample_rate_hz
        try:
            samples = decoded(track.path, rate_hz, self._told)
        except AudioError as error:
            self._told(f"{track.name} is left out: {error.message}")
            return
        for start_s in dict.fromkeys(piece.start_s for piece in missing):
            reply = self._listener.answer(self._answers.prompt, _clip(samples, start_s, rate_hz))
            self._answers.add(track.name, start_s, reply)


def _clip(samples: NDArray[np.float32], start_s: float, rate_hz: int) -> NDArray[np.float32]:
    """One clip; what lies beyond the end is silence."""
    wanted, start = round(CLIP_S * rate_hz), round(start_s * rate_hz)
    clip = np.zeros(wanted, np.float32)
    there = samples[start : start + wanted]
    clip[: len(there)] = there
    return clip


def _predictions(
    collection: Collection, way: _Way, clips: Sequence[_Clip], replies: Sequence[str | None]
) -> Predictions:
    """One row per clip that was heard, without unread replies where the preset drops them."""
    classes = collection.classes
    said = [None if reply is None else way.read(reply, classes) for reply in replies]
    kept = [
        (clip, index) for clip, index in zip(clips, said, strict=True)
        if index is not None and (index >= 0 or not way.drops_unread)
    ]  # fmt: skip
    # the row of -1 is an abstention
    rows = np.vstack([np.eye(len(classes), dtype=np.float32), np.zeros((1, len(classes)), np.float32)])
    return Predictions(
        classes,
        np.array([collection.tracks[clip.piece.track].name for clip, _ in kept], dtype=np.str_),
        np.array([clip.piece.start_s for clip, _ in kept], np.float64),
        np.array([clip.label for clip, _ in kept], np.float32).reshape(len(kept), len(classes)),
        rows[[index for _, index in kept]],
        np.full((len(kept), len(classes)), np.nan, np.float32),
    )
