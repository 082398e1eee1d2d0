"""Sub-genre of every bar: network, smoothing over time, confidence. Zone: analysis.

A record keeps its genre for minutes, so the bars are the observations of a hidden Markov model whose states are the
genres and whose state seldom changes; the smoothed probabilities are its posteriors (forward-backward; Rabiner 1989).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .backends import Backend, all_logits
from .features import Features
from .model_folder import ModelFolder
from .patches import bar_patches, bar_references_db

Floats = NDArray[np.float64]

STAY = 0.985
# neighbouring bars repeat one loop: eight of them are worth about two independent observations
EVIDENCE = 0.25
UNCERTAIN_BELOW = 0.5
_CONTEXT_BARS = 8
BARS_AT_ONCE = 256


@dataclass(frozen=True)
class BarGenres:
    """Genres of the bars.

    Attributes:
        raw: (n_bars, G) the network's own probabilities.
        probs: (n_bars, G) smoothed over time; rows sum to 1.
        confidence: (n_bars,) 0..1: how far the network alone agrees with the smoothed label around the bar.
        uncertain: (n_bars,) confidence below 0.5.
    """

    raw: NDArray[np.float32]
    probs: NDArray[np.float32]
    confidence: NDArray[np.float32]
    uncertain: NDArray[np.bool_]


def softmax(logits: NDArray[np.floating], temperature: float = 1.0) -> Floats:
    """Probabilities (n, G) of logits (n, G)."""
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    scaled = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return scaled / scaled.sum(axis=1, keepdims=True)


def smooth(probs: Floats, weight: Floats, stay: float = STAY) -> Floats:
    """Posterior of each bar's genre given all bars.

    Args:
        probs: (n, G) the network's probabilities.
        weight: (n,) how much each bar says, 0..1: a bare intro says less than a drop.
        stay: Probability that the genre does not change from one bar to the next.

    Returns:
        (n, G) rows that sum to 1.
    """
    count, genres = probs.shape
    likelihood = np.maximum(probs, 1e-4) ** (EVIDENCE * weight[:, None])
    leave = (1.0 - stay) / max(genres - 1, 1)
    forward, backward = np.empty_like(likelihood), np.empty_like(likelihood)
    state = np.full(genres, 1.0 / genres)
    for index in range(count):
        state = likelihood[index] * (state * (stay - leave) + leave)
        state /= state.sum()
        forward[index] = state
    state = np.ones(genres)
    for index in range(count - 1, -1, -1):
        backward[index] = state
        state = likelihood[index] * state
        state = state * (stay - leave) + leave * state.sum()
        state /= state.max()
    posterior = forward * backward
    return posterior / posterior.sum(axis=1, keepdims=True)


def _local_mean(values: Floats, weight: Floats, reach: int) -> Floats:
    """Weighted mean over ``reach`` bars on both sides."""
    kernel = np.ones(2 * reach + 1)
    total = np.convolve(values * weight, kernel, "same")[: len(values)] if len(values) > 2 * reach else None
    if total is None:
        return np.full(len(values), float(np.average(values, weights=weight)))
    return total / np.maximum(np.convolve(weight, kernel, "same"), 1e-9)


def classify(
    features: Features,
    starts_s: Floats,
    ends_s: Floats,
    energy: NDArray[np.floating],
    model: ModelFolder,
    backend: Backend,
) -> BarGenres:
    """Sub-genre of each bar.

    Args:
        features: Log-mel of the mix.
        starts_s: (n_bars,) seconds.
        ends_s: (n_bars,) seconds.
        energy: (n_bars,) 0..1; loud bars decide more.
        model: The model's card.
        backend: Where it runs.
    """
    mel, rate_hz = features.mel, features.mel_rate_hz
    references_db = bar_references_db(mel, rate_hz, starts_s, ends_s)
    logits = []
    # a part at a time: the pictures of two hours would take more memory than all else
    for first in range(0, len(starts_s), BARS_AT_ONCE):
        part = slice(first, first + BARS_AT_ONCE)
        patches = bar_patches(mel, rate_hz, starts_s[part], ends_s[part], references_db[part])
        logits.append(all_logits(backend, patches))
    raw = softmax(np.concatenate(logits), model.temperature)
    weight = 0.3 + 0.7 * np.clip(np.asarray(energy, dtype=np.float64), 0.0, 1.0)
    probs = smooth(raw, weight)
    chosen = np.argmax(probs, axis=1)
    agreement = _local_mean(raw[np.arange(len(raw)), chosen], weight, _CONTEXT_BARS)
    confidence = np.sqrt(agreement * probs.max(axis=1))
    return BarGenres(
        raw.astype(np.float32),
        probs.astype(np.float32),
        confidence.astype(np.float32),
        confidence < UNCERTAIN_BELOW,
    )
