"""Probabilities that mean what they say: temperature, smoothing over the mix, and when to say "uncertain".

All are set on validation tracks and mixes, never on those that figures are reported on. Zone: trainer.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from housex_blender.analysis.classify import change_probability, smooth, softmax
from housex_blender.analysis.model_folder import Smoothing

from .datasets import BarTrack
from .metrics import owner_genre
from .train import Said

Floats = NDArray[np.float64]
# the share of bars that may be left out as uncertain
LEFT_OUT = 0.3


def fit_temperature(tracks: Sequence[BarTrack], said: Sequence[Said]) -> float:
    """Temperature with the least cross-entropy on drop bars, every track weighing the same (Guo et al. 2017)."""
    pairs = [(answer.logits[track.drop], track.probs[track.drop]) for track, answer in zip(tracks, said, strict=True)]

    def cost(log_temperature: float) -> float:
        value = float(np.exp(log_temperature))
        return float(np.mean([_cross_entropy(softmax(logits, value), probs) for logits, probs in pairs if len(probs)]))

    found = optimize.minimize_scalar(cost, bounds=(np.log(0.2), np.log(10.0)), method="bounded")
    return float(np.exp(found.x))


def _cross_entropy(said: Floats, wanted: NDArray[np.floating]) -> float:
    return float(-(wanted * np.log(np.maximum(said, 1e-9))).sum(axis=1).mean())


def smoothed(said: Said, temperature: float, smoothing: Smoothing) -> Floats:
    """(n, G) probabilities after smoothing over the mix, as the extension computes them."""
    return smooth(softmax(said.logits, temperature), change_probability(said.handover, smoothing), smoothing.evidence)


def fit_smoothing(mixes: Sequence[BarTrack], said: Sequence[Said], temperature: float) -> Smoothing:
    """The three numbers of the smoothing with the least cross-entropy of the true sub-genre over whole mixes.

    Inside a crossfade the truth is the track that has the bass, so that the place of a change counts too.
    """
    truth = [np.eye(answer.logits.shape[1])[owner_genre(mix)] for mix, answer in zip(mixes, said, strict=True)]

    def cost(numbers: Floats) -> float:
        wanted = Smoothing(float(np.exp(numbers[0])), float(numbers[1]), float(np.exp(numbers[2])))
        return float(np.mean([_cross_entropy(smoothed(answer, temperature, wanted), true)
                              for answer, true in zip(said, truth, strict=True)]))  # fmt: skip

    found = optimize.minimize(cost, np.array([np.log(0.25), -4.0, np.log(1.0)]), method="Nelder-Mead",
                              options={"maxiter": 150, "xatol": 0.02, "fatol": 1e-4})  # fmt: skip
    return Smoothing(float(np.exp(found.x[0])), float(found.x[1]), float(np.exp(found.x[2])))


def fit_uncertain(probs: Sequence[Floats]) -> float:
    """The confidence below which a bar is called uncertain: it leaves out 30 % of the bars."""
    return float(np.quantile(np.concatenate([part.max(axis=1) for part in probs]), LEFT_OUT))
