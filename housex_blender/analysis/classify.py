"""Sub-genre of every bar: network, smoothing over time, confidence. Zone: analysis.

A record keeps its genre for minutes, so the bars are the observations of a hidden Markov model whose states are the
genres and whose state changes only where the network hears another track take over; the smoothed probabilities are
its posteriors (forward-backward; Rabiner 1989). How much a bar counts, and how readily the state changes, was learned
with the model and stands on its card.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..core.attributes import HIGHEST, LOWEST, SCALES
from ..core.bars import BarGrid
from .backends import UNKNOWN_BPM, Backend, hear_all
from .features import Features
from .model_folder import HearingModel, ModelFolder, Smoothing
from .patches import bar_patches, bar_references_db

Floats = NDArray[np.float64]

_LEAST_CHANGE, _MOST_CHANGE = 1e-5, 0.5
# one bar alone never rules a genre out
_LEAST_PROBABILITY = 1e-4


@dataclass(frozen=True)
class BarGenres:
    """Genres of the bars, and what else the network hears in them.

    Attributes:
        raw: (n_bars, G) the network's own probabilities.
        change: (n_bars,) probability that the genre changes with the bar.
        probs: (n_bars, G) smoothed over time; rows sum to 1.
        confidence: (n_bars,) 0..1, the smoothed probability of the chosen genre.
        uncertain: (n_bars,) confidence below the limit on the model's card.
        attributes: (n_bars, 7) in the order of ATTRIBUTES: four on the scale 1..5, then three probabilities.
        handover: (n_bars,) 0..1 that the bar is the first of another track.
        embedding: (n_bars, D) of unit length: bars that sound alike lie close.
    """

    raw: NDArray[np.float32]
    change: NDArray[np.float32]
    probs: NDArray[np.float32]
    confidence: NDArray[np.float32]
    uncertain: NDArray[np.bool_]
    attributes: NDArray[np.float32]
    handover: NDArray[np.float32]
    embedding: NDArray[np.float32]


def softmax(logits: NDArray[np.floating], temperature: float = 1.0) -> Floats:
    """Probabilities (n, G) of logits (n, G)."""
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    scaled = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return scaled / scaled.sum(axis=1, keepdims=True)


def _sigmoid(logits: NDArray[np.floating]) -> Floats:
    # beyond 40 it is 0 or 1 to every digit, and exp would overflow
    return 1.0 / (1.0 + np.exp(-np.clip(np.asarray(logits, dtype=np.float64), -40.0, 40.0)))


def change_probability(handover: NDArray[np.floating], smoothing: Smoothing) -> Floats:
    """(n,) probability that the genre changes with each bar.

    Args:
        handover: (n,) the network's logit that the bar is the first of another track.
        smoothing: From the model's card.
    """
    logits = smoothing.change_bias + smoothing.change_weight * np.asarray(handover, dtype=np.float64)
    return np.clip(_sigmoid(logits), _LEAST_CHANGE, _MOST_CHANGE)


def smooth(raw: NDArray[np.floating], change: NDArray[np.floating], evidence: float, certainty: float = 1.0) -> Floats:
    """Posterior of each bar's genre given all bars.

    Args:
        raw: (n, G) the network's probabilities.
        change: (n,) probability that the genre changes from the bar before to this one, then to any other alike; that
            of the first bar says nothing.
        evidence: How many independent observations one bar is worth.
        certainty: Power of the posterior, which keeps the order of the genres and sets how sure it sounds.

    Returns:
        (n, G) rows that sum to 1.
    """
    count, genres = np.shape(raw)
    likelihood = np.maximum(np.asarray(raw, dtype=np.float64), _LEAST_PROBABILITY) ** evidence
    enter = np.asarray(change, dtype=np.float64) / max(genres - 1, 1)
    enter[0] = 1.0 / genres
    keep = 1.0 - genres * enter
    # both directions are one recursion: forward enters a bar with its own change, backward with that of the next
    both = np.stack([likelihood, likelihood[::-1]], axis=1)
    into = np.stack([enter, np.roll(enter[::-1], 1)], axis=1)[..., None]
    stay = np.stack([keep, np.roll(keep[::-1], 1)], axis=1)[..., None]
    state = np.full((2, genres), 1.0 / genres)
    found = np.empty_like(both)
    for index in range(count):
        state = state * stay[index]
        state += into[index]
        state *= both[index]
        state /= state.sum(axis=1, keepdims=True)
        found[index] = state
    # each direction has taken in the bar itself
    posterior = (found[:, 0] * found[::-1, 1] / likelihood) ** certainty
    return posterior / posterior.sum(axis=1, keepdims=True)


def classify(
    features: Features, grid: BarGrid, model: ModelFolder, backend: Backend, tempo_told: bool = True
) -> BarGenres:
    """Sub-genre of each bar.

    Args:
        features: Log-mel of the mix.
        grid: Its bars.
        model: The model's card.
        backend: Where it runs.
        tempo_told: Whether the bars' tempo is that of the records, and tells something about them.
    """
    mel, rate_hz = features.mel, features.mel_rate_hz
    starts_s, ends_s = grid.starts_s, grid.ends_s
    references_db = bar_references_db(mel, rate_hz, starts_s, ends_s)

    def patches_of(first: int, last: int) -> NDArray[np.float32]:
        part = slice(first, last)
        return bar_patches(mel, rate_hz, starts_s[part], ends_s[part], references_db[part])

    bpm = grid.bpm if tempo_told else np.full(len(starts_s), UNKNOWN_BPM)
    heard = hear_all(backend, patches_of, bpm, model.shape.context_bars)
    raw = softmax(heard.logits, model.temperature)
    change = change_probability(heard.handover, model.smoothing)
    probs = smooth(raw, change, model.smoothing.evidence, model.smoothing.certainty)
    count = len(SCALES)
    attributes = heard.attributes.copy()
    attributes[:, :count] = np.clip(attributes[:, :count], LOWEST, HIGHEST)
    attributes[:, count:] = np.clip(attributes[:, count:], 0.0, 1.0)
    return BarGenres(
        raw=raw.astype(np.float32),
        change=change.astype(np.float32),
        **_said(probs, model),
        attributes=attributes,
        handover=_sigmoid(heard.handover).astype(np.float32),
        embedding=heard.embedding,
    )


def _said(probs: Floats, model: HearingModel) -> dict[str, NDArray]:
    """What follows from the smoothed probabilities."""
    confidence = probs.max(axis=1)
    return {
        "probs": probs.astype(np.float32),
        "confidence": confidence.astype(np.float32),
        "uncertain": confidence < model.uncertain_below,
    }


def settle(genres: BarGenres, track_starts: Sequence[int], model: HearingModel) -> BarGenres:
    """The genres once the tracks are known: where a record takes over, another genre is as likely as the same.

    Without this a genre may change a bar or two beside the track that brings it, and show as a flicker.

    Args:
        genres: As :func:`classify` returns them.
        track_starts: First bar of each track.
        model: The model's card.
    """
    change = genres.change.copy()
    change[list(track_starts)] = _MOST_CHANGE
    probs = smooth(genres.raw, change, model.smoothing.evidence, model.smoothing.certainty)
    return replace(genres, change=change, **_said(probs, model))
