"""Figures of classifiers of bars: accuracy, F1, calibration, coverage, and of labels over a mix. Zone: trainer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from housex_blender.core.attributes import ATTRIBUTES, SCALES

from .datasets import BarTrack
from .labelled import SECTION_NAMES

Floats = NDArray[np.float64]
_BINS = 15
_DRAWS = 1000


def confusion(true: NDArray[np.int64], said: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """(classes, classes) counts, true class by row."""
    return np.bincount(classes * true + said, minlength=classes * classes).reshape(classes, classes)


def accuracy(table: NDArray[np.integer]) -> float:
    """Share on the diagonal of a table of counts."""
    return float(np.trace(table) / max(table.sum(), 1))


def f1(table: NDArray[np.integer]) -> Floats:
    """(classes,) 2 TP / (2 TP + FP + FN); 0 where a class neither occurs nor is said."""
    true, said = table.sum(axis=1), table.sum(axis=0)
    scores: Floats = 2.0 * np.diag(table) / np.maximum(true + said, 1)
    return scores


def macro_f1(table: NDArray[np.integer]) -> float:
    """Mean F1 of the classes that occur."""
    return float(np.mean(f1(table)[table.sum(axis=1) > 0]))


def calibration_error(confidence: Floats, right: NDArray[np.bool_]) -> float:
    """Mean gap between confidence and accuracy over 15 equal bins, weighted by their size (Guo et al. 2017)."""
    index = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    sizes = np.bincount(index, minlength=_BINS)
    gaps = np.abs(np.bincount(index, right, _BINS) - np.bincount(index, confidence, _BINS))
    return float(gaps[sizes > 0].sum() / max(len(index), 1))


def coverage_table(confidence: Floats, right: NDArray[np.bool_]) -> dict[str, float]:
    """Accuracy of the most confident 100, 90 ... 10 % of the bars."""
    ranked = right[np.argsort(-confidence, kind="stable")]
    return {f"{share} %": round(float(ranked[: max(1, round(share / 100 * len(ranked)))].mean()), 4)
            for share in range(100, 0, -10)}  # fmt: skip


def interval_over_tracks(tables: Sequence[NDArray[np.integer]], score: Callable[[NDArray[np.integer]], float]
                         ) -> tuple[float, float]:  # fmt: skip
    """95 % interval of a score of counts when the tracks are drawn again with replacement (bootstrap)."""
    stacked = np.stack(tables)
    rng = np.random.default_rng(0)
    values = [score(stacked[rng.integers(len(stacked), size=len(stacked))].sum(axis=0)) for _ in range(_DRAWS)]
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def bar_figures(tracks: Sequence[BarTrack], probs: Sequence[Floats]) -> dict[str, object]:
    """Figures of single bars: of drops first, then of all bars and by section; tracks by the mean of their drops."""
    classes = probs[0].shape[1]
    tables = [confusion(t.genre[t.drop], p[t.drop].argmax(axis=1), classes) for t, p in zip(tracks, probs, strict=True)]
    total = np.sum(tables, axis=0)
    drops = np.concatenate([p[t.drop] for t, p in zip(tracks, probs, strict=True)])
    right = np.concatenate([p[t.drop].argmax(axis=1) == t.genre[t.drop] for t, p in zip(tracks, probs, strict=True)])
    every_right = np.concatenate([p.argmax(axis=1) == t.genre for t, p in zip(tracks, probs, strict=True)])
    sections = np.concatenate([t.section for t in tracks])
    votes = [p[t.drop].mean(axis=0).argmax() == t.genre[0] for t, p in zip(tracks, probs, strict=True) if t.drop.any()]
    confidence = drops.max(axis=1)
    return {
        "tracks": len(tracks),
        "drop bars": len(right),
        "drop accuracy": round(accuracy(total), 4),
        "drop accuracy, 95 % over tracks": [round(v, 4) for v in interval_over_tracks(tables, accuracy)],
        "drop macro-F1": round(macro_f1(total), 4),
        "drop macro-F1, 95 % over tracks": [round(v, 4) for v in interval_over_tracks(tables, macro_f1)],
        "expected calibration error": round(calibration_error(confidence, right), 4),
        "tracks by their drops": round(float(np.mean(votes)), 4),
        "all bars": round(float(every_right.mean()), 4),
        "by section": _by_section(every_right, sections),
        "accuracy by coverage": coverage_table(confidence, right),
        "confusion of drop bars": total.tolist(),
    }


def _by_section(right: NDArray[np.bool_], sections: NDArray[np.int64]) -> dict[str, float]:
    return {name: round(float(right[sections == number].mean()), 4)
            for number, name in enumerate(SECTION_NAMES) if np.any(sections == number)}  # fmt: skip


def attribute_figures(tracks: Sequence[BarTrack], said: Sequence[Floats]) -> dict[str, object]:
    """Mean absolute error of the four scales in steps of 1..5 with that of always saying the mean beside it, and the
    share of bars where the presence of a part is told right with that of the commoner answer."""
    true, heard = np.concatenate([t.attributes for t in tracks]), np.concatenate(said)
    figures: dict[str, object] = {}
    for column, name in enumerate(ATTRIBUTES):
        known = np.isfinite(true[:, column])
        wanted, found = true[known, column], heard[known, column]
        if not len(wanted):
            continue
        if name in SCALES:
            figures[name] = {
                "error": round(float(np.abs(found - wanted).mean()), 3),
                "error of the mean": round(float(np.abs(wanted - wanted.mean()).mean()), 3),
                "correlation": round(float(np.corrcoef(found, wanted)[0, 1]), 3),
            }
        else:
            figures[name] = {
                "right": round(float(((found > 0.5) == (wanted > 0.5)).mean()), 3),
                "commoner answer": round(float(max((wanted > 0.5).mean(), (wanted <= 0.5).mean())), 3),
            }
    return figures


def mix_figures(
    mixes: Sequence[BarTrack], probs: Sequence[NDArray[np.floating]], near_bars: int = 2
) -> dict[str, object]:
    """Figures of smoothed labels over DJ mixes.

    A change of sub-genre between two tracks counts as found when the label changes within ``near_bars`` of the
    hand-over. Every other change of label is a flip.
    """
    tables, right, confidence = [], [], []
    found = changes = flips = bars = 0
    for mix, p in zip(mixes, probs, strict=True):
        label, clear = p.argmax(axis=1), ~mix.crossfade
        tables.append(confusion(mix.genre[clear], label[clear], p.shape[1]))
        right.append(label[clear] == mix.genre[clear])
        confidence.append(p[clear].max(axis=1).astype(np.float64))
        owner = owner_genre(mix)
        wanted = np.flatnonzero(owner[1:] != owner[:-1]) + 1
        said = list(np.flatnonzero(label[1:] != label[:-1]) + 1)
        for bar in wanted:
            nearest = min(said, key=lambda at: abs(at - bar), default=None)
            if nearest is not None and abs(nearest - bar) <= near_bars:
                said.remove(nearest)
                found += 1
        changes += len(wanted)
        flips += len(said)
        bars += len(label)
    every, sure = np.concatenate(right), np.concatenate(confidence)
    return {
        "mixes": len(mixes),
        "bars": bars,
        "bar accuracy outside crossfades": round(accuracy(np.sum(tables, axis=0)), 4),
        "bar accuracy, 95 % over mixes": [round(v, 4) for v in interval_over_tracks(tables, accuracy)],
        f"changes within {near_bars} bars": round(found / max(changes, 1), 4),
        "changes": changes,
        "flips per 64 bars": round(64.0 * flips / max(bars, 1), 4),
        "expected calibration error": round(calibration_error(sure, every), 4),
        "accuracy by coverage": coverage_table(sure, every),
    }


def owner_genre(mix: BarTrack) -> NDArray[np.int64]:
    """(n,) genre of the track that a bar belongs to, also inside crossfades."""
    result = np.zeros(len(mix), dtype=np.int64)
    for number in np.unique(mix.track):
        mine = mix.track == number
        clear = mine & ~mix.crossfade
        result[mine] = mix.probs[clear if clear.any() else mine].mean(axis=0).argmax()
    return result
