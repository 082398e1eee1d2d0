"""Probabilities that mean what they say: temperature, smoothing over the mix, and when to say "uncertain".

All are set on validation tracks and mixes, never on those that figures are reported on. Zone: trainer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

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
# what is tried as the weight of one bar: a loop of sixteen equal bars to one observation, up to every bar on its own
_EVIDENCE = np.geomspace(0.06, 1.0, 12)
# shares of right bars that differ by less are taken for equal
_ALIKE = 0.01


def fit_temperature(tracks: Sequence[BarTrack], said: Sequence[Said]) -> float:
    """Temperature with the least cross-entropy on drop bars, every track weighing the same (Guo et al. 2017)."""
    return temperature_of(
        [(answer.logits[track.drop], track.probs[track.drop]) for track, answer in zip(tracks, said, strict=True)]
    )


def temperature_of(pairs: Sequence[tuple[NDArray[np.floating], NDArray[np.floating]]]) -> float:
    """Temperature with the least cross-entropy, every pair of logits (n, G) and shares (n, G) weighing the same."""

    def cost(log_temperature: float) -> float:
        value = float(np.exp(log_temperature))
        return float(np.mean([_cross_entropy(softmax(logits, value), probs) for logits, probs in pairs if len(probs)]))

    found = optimize.minimize_scalar(cost, bounds=(np.log(0.2), np.log(10.0)), method="bounded")
    return float(np.exp(found.x))


def probs_of(said: Sequence[Said], temperature: float) -> list[Floats]:
    """(n, G) of every track, before any smoothing."""
    return [softmax(one.logits, temperature) for one in said]


def _cross_entropy(said: Floats, wanted: NDArray[np.floating]) -> float:
    return float(-(wanted * np.log(np.maximum(said, 1e-9))).sum(axis=1).mean())


def smoothed(said: Said, temperature: float, smoothing: Smoothing) -> Floats:
    """(n, G) probabilities after smoothing over the mix, as the extension computes them."""
    change = change_probability(said.handover, smoothing)
    return smooth(softmax(said.logits, temperature), change, smoothing.evidence, smoothing.certainty)


def fit_smoothing(mixes: Sequence[BarTrack], said: Sequence[Said], temperature: float) -> Smoothing:
    """The four numbers of the smoothing.

    How the network's hand-over logit becomes a probability that the sub-genre changes is a logistic regression on the
    true changes of the mixes. How much a bar counts is then the greatest weight that gets as many bars right as any,
    but for a hundredth: the share hardly depends on it, and a greater weight follows a new track sooner. (Cross-entropy
    would be the usual measure, but a network that is wrong through whole tracks makes it prefer to believe nothing.)
    How sure the result sounds is set last, by cross-entropy.
    Inside a crossfade the truth is the track that has the bass, so that the place of a change counts too.
    """
    owners = [owner_genre(mix) for mix in mixes]
    changes = np.concatenate([np.append(False, owner[1:] != owner[:-1]) for owner in owners]).astype(float)
    logits = np.concatenate([answer.handover for answer in said])

    def surprise(numbers: Floats) -> float:
        argument = numbers[0] + numbers[1] * logits
        # a little weight decay, for mixes with hardly a change
        return float(np.mean(np.logaddexp(0.0, argument) - changes * argument)) + 1e-4 * float(numbers @ numbers)

    bias, weight = optimize.minimize(surprise, np.array([0.0, 1.0]), method="BFGS").x

    def right(evidence: float) -> float:
        wanted = Smoothing(evidence, float(bias), float(weight))
        hits = [smoothed(answer, temperature, wanted).argmax(axis=1) == owner
                for owner, answer in zip(owners, said, strict=True)]  # fmt: skip
        return float(np.mean(np.concatenate(hits)))

    scores = [right(float(evidence)) for evidence in _EVIDENCE]
    most = max(e for e, score in zip(_EVIDENCE, scores, strict=True) if score >= max(scores) - _ALIKE)
    best = Smoothing(float(most), float(bias), float(weight))
    plain = [smoothed(answer, temperature, best) for answer in said]
    truth = [np.eye(part.shape[1])[owner] for part, owner in zip(plain, owners, strict=True)]

    def cost(certainty: float) -> float:
        sounding = [softmax(np.log(np.maximum(part, 1e-12)), 1.0 / certainty) for part in plain]
        return float(np.mean([_cross_entropy(part, true) for part, true in zip(sounding, truth, strict=True)]))

    found = optimize.minimize_scalar(cost, bounds=(0.02, 2.0), method="bounded")
    return replace(best, certainty=float(found.x))


def fit_uncertain(probs: Sequence[Floats]) -> float:
    """The confidence below which a bar is called uncertain: it leaves out 30 % of the bars."""
    return float(np.quantile(np.concatenate([part.max(axis=1) for part in probs]), LEFT_OUT))
