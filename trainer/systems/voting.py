"""One answer for a whole track from the answers for its pieces. Zone: trainer (torch).

HouseX (arXiv 2207.11690) names two ways: the class that most slices say, or a weighted sum of the slices' logits whose
weights may be trained, since an intro says less than a drop. Here the weight of a slice follows from where it lies in
its track, whether it lies in a drop and how sure its answer is, so that six numbers are learned, on the validation
part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from housex_blender.core.errors import HouseXError

from ..data.collection import Spans
from ..engine.predictions import Predictions

How = Literal["majority", "mean-logit", "drop-weighted", "learned"]
HOWS: tuple[How, ...] = ("majority", "mean-logit", "drop-weighted", "learned")

# a slice outside of the drops counts so much of one inside
OUTSIDE_DROPS = 0.25
# probabilities below this have no logarithm worth keeping
_LEAST = 1e-6
# how strongly learned weights are pulled towards equal ones; a validation part is 20 tracks
_PULL = 0.02
_STEPS, _RATE = 200, 0.05

FACTS = ("place", "place squared", "in a drop", "confidence", "margin", "entropy")


@dataclass(frozen=True)
class SliceWeights:
    """What :func:`fit_weights` learned: the weight of a slice is exp(facts . values), normalised over its track.

    Attributes:
        values: One for each of FACTS; all 0 means that all slices count the same.
    """

    values: tuple[float, ...]


def inside_drops(predictions: Predictions, drops: Mapping[str, Spans], window_s: float) -> NDArray[np.bool_]:
    """(n,) whether the middle of each piece lies in a drop.

    Args:
        predictions: n pieces.
        drops: Track name -> (start, end) in seconds; a track that is missing has none.
        window_s: Length of a piece.
    """
    middles = predictions.start_s + window_s / 2.0
    return np.array(
        [
            any(start <= middle < end for start, end in drops.get(str(track), ()))
            for track, middle in zip(predictions.track, middles, strict=True)
        ],
        bool,
    )


def vote(
    predictions: Predictions, how: How, inside: NDArray[np.bool_] | None = None, learned: SliceWeights | None = None
) -> Predictions:
    """One row per track, in the order of their names, with its target; ``start_s`` is 0.

    Pieces with an abstention have no vote; a track of nothing else abstains.

    Args:
        predictions: Of pieces.
        how: ``majority``: the class that most pieces say, of equal ones the one with more probability. ``mean-logit``:
            the mean of the logits. ``drop-weighted``: the same, pieces outside of drops counting a quarter.
            ``learned``: weights from :func:`fit_weights`.
        inside: (n,) from :func:`inside_drops`; ``drop-weighted`` needs it, ``learned`` uses it.
        learned: For ``learned``.

    Raises:
        HouseXError: ``drop-weighted`` without ``inside``, or ``learned`` without weights.
        ValueError: There is no such way.
    """
    if how not in HOWS:
        raise ValueError(f"there is no vote {how!r}")
    names, track_of = np.unique(predictions.track, return_inverse=True)
    target = _means(predictions.target, np.ones(len(track_of)), track_of, len(names))
    if how == "majority":
        probs = _majority(predictions, track_of, len(names))
        logits = np.full(probs.shape, np.nan, np.float32)
    else:
        weights = _weights(predictions, how, inside, learned)
        spoken = _means(_logits_of(predictions), weights, track_of, len(names))
        silent = np.bincount(track_of, predictions.said >= 0, len(names)) == 0
        probs = torch.softmax(torch.from_numpy(spoken), dim=1).numpy()
        probs[silent] = 0.0
        logits = np.where(silent[:, None], np.nan, spoken)
    return Predictions(
        predictions.classes, names, np.zeros(len(names)), target.astype(np.float32), probs.astype(np.float32),
        logits.astype(np.float32),
    )  # fmt: skip


def fit_weights(predictions: Predictions, inside: NDArray[np.bool_] | None = None) -> SliceWeights:
    """Learn how much a slice counts, from pieces of tracks that no network was trained on (the validation part).

    The cross-entropy of the tracks' weighted logits falls from that of equal weights, which it begins with; the same
    pieces always give the same weights.

    Raises:
        HouseXError: There are no answers to learn from.
    """
    heard = predictions.said >= 0
    if not heard.any():
        raise HouseXError("There is nothing to learn the weights of slices from.", "Give the validation part.")
    names, track_of = np.unique(predictions.track[heard], return_inverse=True)
    facts = torch.from_numpy(_facts(predictions, inside)[heard])
    logits = torch.from_numpy(_logits_of(predictions)[heard])
    tracks = torch.from_numpy(track_of)
    target = torch.from_numpy(_means(predictions.target[heard], np.ones(len(track_of)), track_of, len(names)))
    values = torch.zeros(len(FACTS), dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.Adam([values], lr=_RATE)
    for _ in range(_STEPS):
        weights = _softmax_in_tracks(facts @ values, tracks, len(names))
        said = torch.zeros(target.shape, dtype=torch.float64).index_add(0, tracks, logits * weights[:, None])
        loss = functional.cross_entropy(said, target) + _PULL * values.square().sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return SliceWeights(tuple(values.detach().tolist()))


def _softmax_in_tracks(scores: Tensor, tracks: Tensor, count: int) -> Tensor:
    """(n,) weights that sum to 1 over each track."""
    greatest = torch.full((count,), -torch.inf, dtype=scores.dtype).scatter_reduce(0, tracks, scores, "amax")
    parts = torch.exp(scores - greatest[tracks])
    return parts / torch.zeros(count, dtype=scores.dtype).index_add(0, tracks, parts)[tracks]


def _facts(predictions: Predictions, inside: NDArray[np.bool_] | None) -> NDArray[np.float64]:
    """(n, 6) FACTS of each piece, each about -1..1."""
    names, track_of = np.unique(predictions.track, return_inverse=True)
    last = np.zeros(len(names))
    np.maximum.at(last, track_of, predictions.start_s)
    place = 2.0 * predictions.start_s / np.maximum(last[track_of], _LEAST) - 1.0
    drop = np.zeros(len(place)) if inside is None else inside.astype(np.float64)
    probs = np.sort(predictions.probs.astype(np.float64), axis=1)
    entropy = -(probs * np.log(np.maximum(probs, _LEAST))).sum(axis=1) / np.log(probs.shape[1])
    return np.stack([place, place**2, drop, probs[:, -1], probs[:, -1] - probs[:, -2], entropy], axis=1)


def _weights(
    predictions: Predictions, how: How, inside: NDArray[np.bool_] | None, learned: SliceWeights | None
) -> NDArray[np.float64]:
    """(n,) how much each piece counts; 0 for an abstention."""
    weights = np.ones(len(predictions.track))
    if how == "drop-weighted":
        if inside is None:
            raise HouseXError("A vote that favours drops needs to know them.", "Choose another vote, or add the drops.")
        weights = np.where(inside, 1.0, OUTSIDE_DROPS)
    elif how == "learned":
        if learned is None:
            raise HouseXError("A vote with learned weights needs them.", "Learn them on the validation part.")
        names, track_of = np.unique(predictions.track, return_inverse=True)
        scores = torch.from_numpy(_facts(predictions, inside) @ np.array(learned.values))
        weights = _softmax_in_tracks(scores, torch.from_numpy(track_of), len(names)).numpy()
    return np.where(predictions.said >= 0, weights, 0.0)


def _logits_of(predictions: Predictions) -> NDArray[np.float64]:
    """(n, C) logits; where a system has none, the logarithms of its probabilities; zeros for an abstention."""
    logarithms = np.log(np.maximum(predictions.probs.astype(np.float64), _LEAST))
    missing = np.isnan(predictions.logits).any(axis=1, keepdims=True)
    logits = np.where(missing, logarithms, predictions.logits)
    return np.where((predictions.said >= 0)[:, None], logits, 0.0)


def _means(
    rows: NDArray[np.floating], weights: NDArray[np.float64], track_of: NDArray[np.int64], count: int
) -> NDArray[np.float64]:
    """(count, C) weighted mean of the rows of each track; 0 where the weights are."""
    sums = np.zeros((count, rows.shape[1]))
    np.add.at(sums, track_of, rows * weights[:, None])
    total = np.bincount(track_of, weights, count)
    return sums / np.maximum(total, _LEAST)[:, None]


def _majority(predictions: Predictions, track_of: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    """(count, C) shares of the votes, nudged by the probabilities so that equal shares are decided."""
    heard = predictions.said >= 0
    votes = np.eye(len(predictions.classes))[predictions.said] * heard[:, None]
    ballots = _means(votes + _LEAST * predictions.probs, heard.astype(np.float64), track_of, count)
    return ballots / np.maximum(ballots.sum(axis=1, keepdims=True), _LEAST)
