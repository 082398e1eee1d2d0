"""Figures of what a system said: accuracy, F1, soft labels, whole tracks, and how sure they are. Zone: trainer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engine.predictions import Predictions
from ..metrics import accuracy, confusion, f1, interval_over_tracks, macro_f1
from ..systems.voting import How, vote

Floats = NDArray[np.float64]
# below it a probability counts as this, so that one sure mistake does not make the mean infinite
_LEAST_PROBABILITY = 1e-7
# name in a figure -> how the pieces of a track vote
VOTES: Mapping[str, How] = {"majority": "majority", "mean_logit": "mean-logit"}
# how much was heard: whole numbers beside the shares
COUNTS = ("pieces", "tracks", "abstained")
# of shares that were rounded, so much apart are equal
_TIE = 1e-6
# what stands for every part, besides ``f1.<class>`` and ``recall.<class>`` and the figures of whole tracks
NAMES = (
    "accuracy",
    "micro_f1",
    "macro_f1",
    "weighted_f1",
    "weighted_precision",
    "weighted_recall",
    "tie_accuracy",
    "expected_accuracy",
    "kl",
    *(f"track.{name}.accuracy" for name in VOTES),
)


def confusion_of(predictions: Predictions) -> NDArray[np.int64]:
    """(C + 1, C + 1) counts, true class by row; the last column counts abstentions, the last row is empty."""
    count = len(predictions.classes)
    said = np.where(predictions.said < 0, count, predictions.said)
    return confusion(predictions.true, said, count + 1)


def soft_confusion_of(predictions: Predictions) -> Floats:
    """Like :func:`confusion_of`, but each piece adds its shares: the diagonal is what a draw from them would score."""
    count = len(predictions.classes)
    said = np.where(predictions.said < 0, count, predictions.said)
    table = np.zeros((count + 1, count + 1))
    np.add.at(table.T, said, np.pad(predictions.target.astype(np.float64), ((0, 0), (0, 1))))
    return table


def recall_by_class(table: NDArray[np.integer]) -> Floats:
    """(C,) share of each class that was told right, an abstention being wrong; 0 where a class does not occur."""
    return (np.diag(table) / np.maximum(table.sum(axis=1), 1))[:-1]


def _weighted(table: NDArray[np.integer], values: Floats) -> float:
    true = table.sum(axis=1)[:-1]
    return float(values @ true / max(true.sum(), 1))


def weighted_f1(table: NDArray[np.integer]) -> float:
    """F1 of the classes, each as heavy as it is frequent."""
    return _weighted(table, f1(table)[:-1])


def weighted_precision(table: NDArray[np.integer]) -> float:
    """Precision of the classes, each as heavy as it is frequent; of a class that was never said it is 0."""
    return _weighted(table, (np.diag(table) / np.maximum(table.sum(axis=0), 1))[:-1])


# with one class per piece, and an abstention as a wrong answer, micro-F1 and weighted recall are the accuracy
_OF_COUNTS: Mapping[str, Callable[[NDArray[np.integer]], float]] = {
    "accuracy": accuracy,
    "micro_f1": accuracy,
    "macro_f1": macro_f1,
    "weighted_f1": weighted_f1,
    "weighted_precision": weighted_precision,
    "weighted_recall": accuracy,
}


def hits_of_pieces(predictions: Predictions) -> NDArray[np.bool_]:
    """(n,) whether a class of the greatest share was said, be it one of several; an abstention is wrong."""
    said, target = predictions.said, predictions.target
    shares = np.take_along_axis(target, np.maximum(said, 0)[:, None], axis=1)[:, 0]
    return (said >= 0) & (shares >= target.max(axis=1, initial=0.0) - _TIE)


def kl_of_pieces(predictions: Predictions) -> Floats:
    """(n,) Kullback-Leibler divergence of what was said from the label, in nats; NaN for an abstention."""
    target = predictions.target.astype(np.float64)
    said = np.maximum(predictions.probs.astype(np.float64), _LEAST_PROBABILITY)
    terms = np.where(target > 0, target * (np.log(np.maximum(target, _LEAST_PROBABILITY)) - np.log(said)), 0.0)
    result: Floats = np.where(predictions.said < 0, np.nan, terms.sum(axis=1))
    return result


def figures_of(predictions: Predictions) -> dict[str, float]:
    """All figures of one part: NAMES, ``f1.<class>``, ``recall.<class>``, and COUNTS.

    Of several greatest shares ``accuracy`` wants the last one, as the mainstage benchmark does; ``tie_accuracy`` takes
    any of them.

    An abstention counts as a wrong answer everywhere but in ``kl``, which leaves it out and is missing for systems
    that only name a class.
    """
    table = confusion_of(predictions)
    figures = {name: score(table) for name, score in _OF_COUNTS.items()}
    figures |= {f"f1.{name}": float(v) for name, v in zip(predictions.classes, f1(table)[:-1], strict=True)}
    recalls = zip(predictions.classes, recall_by_class(table), strict=True)
    figures |= {f"recall.{name}": float(value) for name, value in recalls}
    figures["tie_accuracy"] = _share(_summed_hits(predictions))
    figures["expected_accuracy"] = accuracy(soft_confusion_of(predictions))  # type: ignore[arg-type]
    if _has_shades(predictions):
        figures["kl"] = float(np.nanmean(kl_of_pieces(predictions)))
    for name, how in VOTES.items():
        figures[f"track.{name}.accuracy"] = accuracy(confusion_of(vote(predictions, how)))
    figures["pieces"] = float(len(predictions.track))
    figures["tracks"] = float(len(np.unique(predictions.track)))
    figures["abstained"] = float((predictions.said < 0).sum())
    return figures


def _has_shades(predictions: Predictions) -> bool:
    """Whether any answer is more than the name of a class."""
    probs = predictions.probs
    return bool(((probs > 0) & (probs < 1)).any())


def intervals_of(runs: Sequence[Predictions], names: Sequence[str]) -> dict[str, tuple[float, float]]:
    """95 % intervals of figures: tracks are drawn again with replacement, the same ones for every run (bootstrap).

    Args:
        runs: The same part from runs of several seeds; an interval is that of the mean of their figures.
        names: Figures of :func:`figures_of`.

    Returns:
        Those that exist; none with fewer than 2 tracks to draw from.
    """
    by_track = [_by_track(run) for run in runs]
    tracks = sorted(set().union(*by_track))
    if len(tracks) < 2:
        return {}
    nothing = runs[0].rows(np.zeros(0, np.int64))
    intervals: dict[str, tuple[float, float]] = {}
    summed: dict[str, list[NDArray[np.float64]]] = {}
    for name in names:
        made = _scored(name, runs[0].classes)
        if made is None or (name == "kl" and not all(map(_has_shades, runs))):
            continue
        kind, table_of, score = made
        if kind not in summed:
            # (runs, ...) per track; a run whose split has a track elsewhere adds nothing for it
            summed[kind] = [np.stack([table_of(one.get(track, nothing)) for one in by_track]) for track in tracks]
        intervals[name] = interval_over_tracks(summed[kind], partial(_mean_score, score))  # type: ignore[arg-type]
    return intervals


def _mean_score(score: Callable[[NDArray[np.floating]], float], tables: NDArray[np.floating]) -> float:
    # a draw may hold none of the tracks that a run was scored on
    values = [score(table) for table in tables if table.any()]
    return float(np.mean(values)) if values else 0.0


def _by_track(predictions: Predictions) -> dict[str, Predictions]:
    order = np.argsort(predictions.track, kind="stable")
    names, starts = np.unique(predictions.track[order], return_index=True)
    return {str(name): predictions.rows(rows)
            for name, rows in zip(names, np.split(order, starts[1:]), strict=True)}  # fmt: skip


_TableOf = Callable[[Predictions], NDArray[Any]]
_Score = Callable[[NDArray[Any]], float]


def _scored(name: str, classes: Sequence[str]) -> tuple[str, _TableOf, _Score] | None:
    """What of a track is added up for a figure, under a name of its own, and the figure of such a sum."""
    if name in _OF_COUNTS:
        return "counts", confusion_of, _OF_COUNTS[name]
    if name.startswith("f1.") and name[3:] in classes:
        number = list(classes).index(name[3:])
        return "counts", confusion_of, lambda table: float(f1(table)[number])
    if name.startswith("recall.") and name[7:] in classes:
        index = list(classes).index(name[7:])
        return "counts", confusion_of, lambda table: float(recall_by_class(table)[index])
    if name == "tie_accuracy":
        return "hits", _summed_hits, _share
    if name == "expected_accuracy":
        return "shares", soft_confusion_of, accuracy
    if name == "kl":
        return "kl", _summed_kl, _share
    for vote_name, how in VOTES.items():
        if name == f"track.{vote_name}.accuracy":
            return vote_name, partial(_track_table, how=how), accuracy
    return None


def _share(sums: Floats) -> float:
    """Of (2,) a sum and what it is of."""
    return float(sums[0] / max(sums[1], 1.0))


def _summed_hits(predictions: Predictions) -> Floats:
    hits = hits_of_pieces(predictions)
    return np.array([hits.sum(), len(hits)], np.float64)


def _summed_kl(predictions: Predictions) -> Floats:
    each = kl_of_pieces(predictions)
    return np.array([np.nansum(each), np.isfinite(each).sum()])


def _track_table(predictions: Predictions, how: How) -> NDArray[np.int64]:
    return confusion_of(vote(predictions, how))
