"""A published row beside what came out here: figures, intervals, and what kind of run it was. Zone: trainer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..data.collection import PARTS
from ..engine.predictions import Predictions, predictions_file
from ..engine.prepared import SPLIT_FILE
from ..engine.recipe import Recipe, setup_of
from ..engine.run import Run
from ..metrics import accuracy
from ..systems.base import Setup
from .drop_votes import drop_weighted, learned
from .figures import COUNTS, VOTES, confusion_of, figures_of, intervals_of
from .words import stopped_after

NOT_RUN, CITED = "not run", "only cited"
# where ``evaluate`` leaves what a run says of songs outside its data set
NEW_SONGS = "new_songs"
# printed for a part that was run, besides what its paper prints
_ALSO = ("accuracy", "macro_f1", *(f"track.{name}.accuracy" for name in VOTES), "tie_accuracy", "expected_accuracy",
         "kl")  # fmt: skip
# the first of these that two presets share says which of them is better
_DECIDING = ("test.accuracy", "val.accuracy")
# with one class per piece and abstentions as errors these are the accuracy
_AS_ACCURACY = ("micro_f1", "weighted_recall")
LEAK = "tracks of training are tested too"

# part -> figures of each run
_Figures = Mapping[str, Sequence[Mapping[str, float]]]


@dataclass(frozen=True)
class Cell:
    """One figure of one variant.

    Attributes:
        metric: ``part.name`` as in recipes, or ``epochs``.
        published: What the paper prints, in 0..1 or a count; None where it prints nothing.
        ours: Mean over the seeds; None where it was not run or not measured.
        by_seed: The values that ``ours`` is the mean of.
        interval: 95 % over tracks; None where there is none.
    """

    metric: str
    published: float | None
    ours: float | None = None
    by_seed: tuple[float, ...] = ()
    interval: tuple[float, float] | None = None

    @property
    def difference(self) -> float | None:
        """Ours minus published; None where one is missing."""
        return None if self.ours is None or self.published is None else self.ours - self.published


@dataclass(frozen=True)
class Variant:
    """One preset of one row.

    Attributes:
        recipe: The row.
        preset: One of PRESETS; empty for a row that nothing was run of.
        cells: Its figures.
        seeds: Of the runs that were read.
        facts: What makes the runs other than the published one, a few words each.
        counts: Part -> pieces, tracks and abstentions, of the first run.
        synthetic: Whether the data were a miniature of the synthesiser.
        problem: Why it was not run, or not wholly: one sentence, or empty.
        notes: What the preset does that another would not, one sentence each, as its first run says.
    """

    recipe: Recipe
    preset: str
    cells: tuple[Cell, ...]
    seeds: tuple[int, ...] = ()
    facts: tuple[str, ...] = ()
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    synthetic: bool = False
    problem: str = ""
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Preset and facts in one line; or that it was not run, or is only cited."""
        if self.recipe.kind == "cited":
            return CITED
        facts = self.facts if self.seeds else (NOT_RUN,)
        return ", ".join(filter(None, (self.preset, *facts)))


def variant_not_run(recipe: Recipe, preset: str = "", problem: str = "") -> Variant:
    """The published figures alone."""
    cells = tuple(Cell(metric, value) for metric, value in recipe.published.items())
    return Variant(recipe, preset, cells, problem=problem)


def variant_of(recipe: Recipe, preset: str, runs: Sequence[Run], problem: str = "") -> Variant:
    """The figures of the runs of a preset, one run per seed.

    Args:
        recipe: The row.
        preset: Of the runs.
        runs: At least one, finished.
        problem: What went wrong with others, or empty.
    """
    heard = _heard(runs)
    figures = {part: [figures_of(one) for one in found] for part, found in heard.items()}
    figures["epochs"] = [{"epochs": float(run.card["epochs"])} for run in runs if run.card.get("epochs")]
    cells = [_cell(metric, value, figures) for metric, value in recipe.published.items()]
    cells += _more_cells(recipe, figures)
    counts = {part: {name: int(found[0][name]) for name in COUNTS} for part, found in figures.items() if part in heard}
    cards = [run.card for run in runs]
    cells = [*_with_intervals(cells, heard), *_voted_cells(cards, heard)]
    facts = facts_of(recipe, preset, cards)
    if any(shares_tracks(run.folder) for run in runs) or _leaks(heard):
        facts += (LEAK,)
    return Variant(recipe, preset, tuple(cells), tuple(int(card["seed"]) for card in cards), facts, counts,
                   any(card.get("synthetic") for card in cards), problem,
                   tuple(map(str, cards[0].get("notes", ()))))  # fmt: skip


def _heard(runs: Sequence[Run]) -> dict[str, list[Predictions]]:
    """Part -> what each run said of it, for the parts that every run has."""
    parts = [part for part in (*PARTS, NEW_SONGS)
             if all(predictions_file(run.folder, part).is_file() for run in runs)]  # fmt: skip
    return {part: [run.predictions(part) for run in runs] for part in parts}


def _cell(metric: str, published: float | None, figures: _Figures) -> Cell:
    part, _, name = metric.partition(".")
    values = tuple(one[name or part] for one in figures.get(part, ()) if (name or part) in one)
    return Cell(metric, published, float(np.mean(values)) if values else None, values)


def _more_cells(recipe: Recipe, figures: _Figures) -> list[Cell]:
    """What no paper prints and every run has: whole tracks, soft labels, classes alike."""
    cells = []
    for part in ("val", "test", NEW_SONGS):
        # micro-F1 and weighted recall are the accuracy: one of them is enough
        same = any(f"{part}.{other}" in recipe.published for other in _AS_ACCURACY)
        names = [f"{part}.{name}" for name in _ALSO if not (name == "accuracy" and same)]
        cells += [_cell(metric, None, figures) for metric in names if metric not in recipe.published]
    return [cell for cell in cells if cell.ours is not None]


def _voted_cells(cards: Sequence[Mapping[str, Any]], heard: Mapping[str, Sequence[Predictions]]) -> list[Cell]:
    """Tracks by the votes that need more than what was said of their pieces: the drops, or another part."""
    voted = {f"{part}.track.drop_weighted.accuracy": drop_weighted(cards, heard[part])
             for part in ("val", "test") if part in heard}  # fmt: skip
    if {"val", "test"} <= set(heard):
        voted["test.track.learned.accuracy"] = learned(cards, heard["val"], heard["test"])
    cells = []
    for metric, tracks in voted.items():
        if tracks:
            values = tuple(accuracy(confusion_of(one)) for one in tracks)
            interval = intervals_of(tracks, ["accuracy"]).get("accuracy")
            cells.append(Cell(metric, None, float(np.mean(values)), values, interval))
    return cells


def _with_intervals(cells: Sequence[Cell], heard: Mapping[str, Sequence[Predictions]]) -> tuple[Cell, ...]:
    intervals: dict[str, tuple[float, float]] = {}
    for part, runs in heard.items():
        names = [cell.metric.partition(".")[2] for cell in cells if cell.metric.startswith(f"{part}.")]
        intervals |= {f"{part}.{name}": interval for name, interval in intervals_of(runs, names).items()}
    return tuple(replace(cell, interval=intervals.get(cell.metric)) for cell in cells)


def shares_tracks(folder: Path) -> bool:
    """Whether the split of a run tests pieces of tracks that it trained on; False where it froze none."""
    try:
        split = json.loads((folder / SPLIT_FILE).read_text(encoding="utf-8"))
        track_of = [row[0] for row in split["pieces"]]
        tracks = {part: {track_of[index] for index in split["parts"][part]} for part in PARTS}
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        return False
    return bool(tracks["train"] & (tracks["val"] | tracks["test"]))


def facts_of(recipe: Recipe, preset: str, cards: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """What makes runs other than the published one: their data, what they began with, how early they were stopped."""
    facts = []
    if any(card.get("synthetic") for card in cards):
        facts.append("synthesised miniature")
    if recipe.kind == "network":
        facts += dict.fromkeys(fact for card in cards for fact in _changes(setup_of(recipe, preset), card))
    if recipe.kind == "prompted":
        facts += sorted({f"model {Path(str(card['weights'])).name}" for card in cards})
    limits = {card["steps_at_most"] for card in cards if card.get("steps_at_most")}
    facts += map(stopped_after, sorted(limits))
    if any(card.get("collapsed") for card in cards):
        facts.append("says one class only")
    return tuple(facts)


def _leaks(heard: Mapping[str, Sequence[Predictions]]) -> bool:
    """Whether pieces were parted and their tracks were not, for runs that froze no split.

    Where every piece is in both parts, folds took turns: each piece was tested by what had not heard its track.
    """
    for train, test in zip(heard.get("train", ()), heard.get("test", ()), strict=False):
        trained, tested = (set(zip(one.track.tolist(), one.start_s.tolist(), strict=True)) for one in (train, test))
        if not trained & tested and set(train.track) & set(test.track):
            return True
    return False


def _changes(meant: Setup, card: Mapping[str, Any]) -> list[str]:
    """Where a run was made otherwise than its recipe says."""
    facts = []
    if card["weights"] != meant.weights:
        facts.append(f"weights {Path(card['weights']).name} instead of {meant.weights}")
    if card.get("split", meant.split) != meant.split:
        facts.append(f"split {card['split']} instead of {meant.split}")
    for name, value in card.get("options", {}).items():
        if value != meant.options.get(name):
            # a folder stands there by its name: where it lies is nobody's business
            facts.append(f"{name} {Path(value).name}")
    for name, value in card.get("training", {}).items():
        if value != getattr(meant.training, name, value):
            facts.append(f"{name} {value} instead of {getattr(meant.training, name)}")
    return facts


@dataclass(frozen=True)
class Duel:
    """``fixed`` against ``as_code`` of one row on the same seeds.

    Attributes:
        row: Of the recipe.
        metric: What was compared.
        seeds: Both have.
        as_code: Mean over them.
        fixed: Likewise.
        wins: Seeds on which ``fixed`` is better.
        leak: Whether ``as_code`` was tested on tracks it trained on, and ``fixed`` was not.
    """

    row: str
    metric: str
    seeds: tuple[int, ...]
    as_code: float
    fixed: float
    wins: int
    leak: bool

    @property
    def won(self) -> bool:
        """Whether ``fixed`` is better in the mean."""
        return self.fixed > self.as_code


def duel_of(variants: Sequence[Variant]) -> Duel | None:
    """Compare the two presets of one row; None where one was not run, or no seed was run with both."""
    by_preset = {variant.preset: variant for variant in variants if variant.seeds}
    if not {"as_code", "fixed"} <= set(by_preset):
        return None
    code, fixed = by_preset["as_code"], by_preset["fixed"]
    seeds = tuple(seed for seed in code.seeds if seed in fixed.seeds)
    for metric in _DECIDING:
        one, other = (_values(variant, metric) for variant in (code, fixed))
        if seeds and one and other:
            pairs = [(one[seed], other[seed]) for seed in seeds]
            means = np.mean(pairs, axis=0)
            return Duel(code.recipe.row, metric, seeds, float(means[0]), float(means[1]),
                        sum(theirs < ours for theirs, ours in pairs),
                        LEAK in code.facts and LEAK not in fixed.facts)  # fmt: skip
    return None


def _values(variant: Variant, metric: str) -> dict[int, float]:
    """Seed -> value of a metric, under any of the names that mean the accuracy."""
    part = metric.partition(".")[0]
    for name in (metric, *(f"{part}.{other}" for other in _AS_ACCURACY)):
        for cell in variant.cells:
            if cell.metric == name and len(cell.by_seed) == len(variant.seeds):
                return dict(zip(variant.seeds, cell.by_seed, strict=True))
    return {}
