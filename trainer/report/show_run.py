"""``python -m trainer report``: one run as pictures and pages. Zone: trainer (torch, matplotlib)."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from housex_blender.core.errors import HouseXError

from ..data.collection import PARTS
from ..data.reading import counted
from ..engine.predictions import Predictions, predictions_file
from ..engine.prepared import FEATURES_FOLDER, SPLIT_FILE, Prepared, prepare
from ..engine.recipe import RECIPES, load_recipe
from ..engine.run import Run, open_run
from .figures import confusion_of, figures_of, intervals_of
from .filters import convolution, draw_filters, draw_responses, first_filters, middle_layer, strongest
from .importances import SYSTEM, show_importances
from .pictures import draw_class_bars, draw_confusion, draw_curves
from .space import MOST_POINTS, Cloud, Panel, draw_panels, panels_by_method, panels_by_part, write_deep_page
from .spectra import as_spectrum, looks_of
from .words import titled

_PART_NAMES = {"train": "training", "val": "validation", "test": "test"}
_AT_ONCE = 16
# looking for what a layer answers to goes through all of them once
_MOST_EXAMPLES = 200


@dataclass(frozen=True)
class _Show:
    """A run, its network, where its pictures go, and its data set where one was given."""

    run: Run
    out: Path
    prepared: Prepared | None
    layer: str | None

    @property
    def paper(self) -> str:
        """The short name of the paper that the system is of."""
        return str(self.run.card["system"]).split("/")[0]

    @property
    def name(self) -> str:
        """For the titles of pictures."""
        card = self.run.card
        name = f"{card['system']}, {card['preset']}, seed {card['seed']}"
        return titled(name, bool(card.get("synthetic")), card.get("steps_at_most"))


def show(run: Run, out: Path, data: Path | None = None, layer: str | None = None) -> Iterator[Path | str]:
    """Draw all pictures of a run that can be drawn.

    Args:
        run: A finished run.
        out: Folder for them; made where it is not there.
        data: The data set it was trained on, for embeddings, activations and what a random forest goes by; None
            leaves those out.
        layer: Convolution whose activations are shown; None for one about a fifth of the way through.

    Yields:
        Paths of what was written, and sentences about what was left out.

    Raises:
        HouseXError: There is no such layer, the data set is another, or a file cannot be written.
    """
    network = run.card["kind"] == "network"
    if network and layer is not None:
        convolution(run.network(), layer)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HouseXError(f"The folder {out} cannot be made.", "Choose another --out.") from error
    prepared = _prepared(run, data, out) if data is not None and network else None
    this = _Show(run, out, prepared, layer)
    heard = {part: run.predictions(part) for part in PARTS if predictions_file(run.folder, part).is_file()}
    yield from _figures(this, heard)
    if network:
        yield from _curves(this)
        yield from _maps(this, heard)
        yield from _inside(this)
    elif run.card["system"] == SYSTEM:
        yield from show_importances(run.card, data, out, _features(run, out), this.name)


def _prepared(run: Run, data: Path, out: Path) -> Prepared:
    # whichever way it was parted, the parts are those that were frozen
    return prepare(run.setup, data, run.folder, _features(run, out), int(run.card["seed"]),
                   frozen=run.folder / SPLIT_FILE)  # fmt: skip


def _features(run: Run, out: Path) -> Path:
    """Where features are kept: beside the tables, or with the pictures of a run that was moved away from its table."""
    folder, card = run.folder.resolve(), run.card
    place = (card["table"], card["row"], card["preset"], f"seed-{card['seed']}")
    return (folder.parents[3] if folder.parts[-4:] == place else out) / FEATURES_FOLDER


def _figures(this: _Show, heard: dict[str, Predictions]) -> Iterator[Path | str]:
    for part, said in heard.items():
        if not len(said.track):
            yield f"The part {_PART_NAMES[part]} has no pieces."
            continue
        figures, title = figures_of(said), f"{this.name}: {_PART_NAMES[part]}"
        pieces, tracks = (counted(int(figures[f"{what}s"]), what) for what in ("piece", "track"))
        path = this.out / f"confusion-{part}.png"
        draw_confusion(
            confusion_of(said),
            said.classes,
            path,
            f"{title}\n{pieces} of {tracks}, {100 * figures['accuracy']:.1f} % right",
        )
        yield path
        path = this.out / f"classes-{part}.png"
        _draw_classes(this, said, figures, part, path, title)
        yield path


def _draw_classes(
    this: _Show, said: Predictions, figures: Mapping[str, float], part: str, path: Path, title: str
) -> None:
    """F1 of each class; for "Neural Music Genre Classification" the accuracy, as its paper shows it."""
    recall = this.paper == "gtzan"
    key = "recall" if recall else "f1"
    names = {name: f"{key}.{name}" for name in said.classes}
    found = intervals_of([said], list(names.values()))
    draw_class_bars(
        {name: figures[of] for name, of in names.items()},
        {name: found[of] for name, of in names.items() if of in found},
        {} if recall else _published_f1(this.run, part),
        path,
        title,
        "right of each class" if recall else "F1",
    )


def _published_f1(run: Run, part: str) -> dict[str, float]:
    """What the paper prints for each class; nothing beside figures of a miniature, with which it has nothing to do."""
    path = RECIPES / run.card["table"] / f"{run.card['row']}.yaml"
    if run.card.get("synthetic") or not path.is_file():
        return {}
    published = load_recipe(path).published
    start = f"{part}.f1."
    return {name.removeprefix(start): value for name, value in published.items() if name.startswith(start)}


def _curves(this: _Show) -> Iterator[Path | str]:
    if not this.run.history:
        return
    path = this.out / "learning-curves.png"
    best = this.run.card.get("best_epoch")
    draw_curves(this.run.history, path, this.name, best, len(this.run.card["classes"]))
    yield path


def _maps(this: _Show, heard: dict[str, Predictions]) -> Iterator[Path | str]:
    """As the system's paper arranges them: HouseX its logits by part, Lachmish its inputs, others their embeddings,
    of the training part in the mainstage benchmark and of the test otherwise."""
    paper, classes = this.paper, this.run.card["classes"]
    if paper == "housex":
        clouds = _logit_clouds(this, heard)
        yield from _draw_maps(this, classes, "logits", [panels_by_part(clouds, size) for size in (2, 3)])
    if this.prepared is None:
        yield "Embeddings and activations need the data set: add --data FOLDER."
        return
    if paper == "mlachmish":
        from ..systems.mlachmish import sample_vectors

        cloud = _cloud(this.prepared, lambda batch: sample_vectors(batch.numpy()), "preprocessed clips", PARTS)
        panels = [panels_by_method(cloud, size, ("tsne",)) for size in (2, 3)]
        yield from _draw_maps(this, classes, "preprocessed clips", panels)
    embed = this.run.setup.embed
    if embed is None:
        yield f"{this.run.card['system']} gives no embeddings."
        return
    network = this.run.network()

    def embedded(batch: Tensor) -> NDArray[np.floating]:
        with torch.no_grad():
            return embed(network, batch).flatten(1).float().numpy()

    part = "test" if len(this.prepared.examples["test"]) else "val"
    if paper == "mainstage":
        part = "train"
    cloud = _cloud(this.prepared, embedded, _PART_NAMES[part], (part,))
    yield from _draw_maps(this, classes, "embeddings", [panels_by_method(cloud, size) for size in (2, 3)])


def _logit_clouds(this: _Show, heard: dict[str, Predictions]) -> list[Cloud]:
    """The logits of each part, training first where they are known or can be asked for."""
    clouds = [_logits(said, part) for part, said in heard.items() if len(said.track)]
    if "train" in heard or this.prepared is None:
        return clouds
    network = this.run.network()

    def asked(batch: Tensor) -> NDArray[np.floating]:
        with torch.no_grad():
            return network(batch).float().numpy()

    return [_cloud(this.prepared, asked, _PART_NAMES["train"], ("train",)), *clouds]


def _draw_maps(this: _Show, classes: Sequence[str], what: str, panels: Sequence[Sequence[Panel]]) -> Iterator[Path]:
    """A picture of the flat panels, a page of the deep ones."""
    flat, deep = (this.out / f"map-{what.replace(' ', '-')}.{ending}" for ending in ("png", "html"))
    draw_panels(panels[0], classes, flat, f"{this.name}: {what}")
    yield flat
    write_deep_page(panels[1], classes, deep, f"{this.name}: {what}")
    yield deep


def _logits(said: Predictions, part: str) -> Cloud:
    what = tuple(_caption(str(track), start) for track, start in zip(said.track, said.start_s, strict=True))
    return Cloud(_PART_NAMES[part], said.logits, said.true, what)


def _caption(track: str, start_s: float) -> str:
    return f"{track}, {start_s:.1f} s"


def _cloud(
    prepared: Prepared, vectors_of: Callable[[Tensor], NDArray[np.floating]], name: str, parts: Sequence[str]
) -> Cloud:
    """Vectors of the examples of some parts, at most as many as a map shows."""
    # a piece that two parts share is one point
    found = {int(index): (prepared.examples[part], number) for part in parts
             for number, index in enumerate(prepared.examples[part].indices)}  # fmt: skip
    chosen = sorted(found)
    if len(chosen) > MOST_POINTS:
        kept = np.linspace(0, len(chosen) - 1, MOST_POINTS).astype(int)
        name, chosen = f"{name}, {MOST_POINTS} of {len(chosen)}", [chosen[index] for index in kept]
    vectors = []
    for first in range(0, len(chosen), _AT_ONCE):
        batch = [found[index][0][found[index][1]][0] for index in chosen[first : first + _AT_ONCE]]
        vectors.append(vectors_of(torch.stack(batch)))
    labels = np.array([found[index][0].main[found[index][1]] for index in chosen])
    return Cloud(name, np.concatenate(vectors), labels, tuple(_piece_caption(prepared, index) for index in chosen))


def _piece_caption(prepared: Prepared, index: int) -> str:
    piece = prepared.split.pieces[index]
    return _caption(prepared.collection.tracks[piece.track].name, piece.start_s)


def _inside(this: _Show) -> Iterator[Path | str]:
    """The first filters, and what a layer's strongest activations respond to."""
    network = this.run.network()
    front_end = this.run.setup.front_end
    found = first_filters(network)
    if found is None:
        yield f"{this.run.card['system']} has no convolution whose filters could be drawn."
        return
    path = this.out / "first-filters.png"
    draw_filters(*found, path, this.name, front_end.kind.endswith("picture"))
    yield path
    if this.prepared is None:
        return
    if len(front_end.shape) < 2:
        yield f"The input of {this.run.card['system']} is no spectrum: activations are not drawn."
        return
    layer = this.layer or middle_layer(network)
    examples = this.prepared.examples["val"]
    chosen = np.linspace(0, len(examples) - 1, min(len(examples), _MOST_EXAMPLES)).astype(int)
    inputs = [examples[int(number)] for number in chosen]
    responses = strongest(network, [one for one, _, _ in inputs], layer)
    spectra = [as_spectrum(front_end, one.numpy()) for one, _, _ in inputs]
    captions = [_piece_caption(this.prepared, index) for _, _, index in inputs]
    path = this.out / "activations.png"
    title = f"{this.name}\nwhat the strongest activations of {layer} respond to"
    draw_responses(responses, spectra, captions, path, title, looks_of(front_end))
    yield path


def run(arguments: argparse.Namespace) -> int:
    """Draw what can be drawn."""
    made = show(open_run(arguments.run), arguments.out or arguments.run / "pictures", arguments.data, arguments.layer)
    for done in made:
        print(f"wrote {done}" if isinstance(done, Path) else done)
    return 0
