"""Calibration undoes what is wrong with confidence, and the smoothing is learnt from mixes."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from housex_blender.analysis.classify import softmax
from trainer.calibrate import fit_smoothing, fit_temperature, fit_uncertain, smoothed
from trainer.metrics import mix_figures, owner_genre
from trainer.train import Said

from .bars import striped_mix, striped_track


def said_of(logits: np.ndarray, handover: np.ndarray | None = None) -> Said:
    count = len(logits)
    return Said(logits, np.full((count, 7), np.nan), np.full(count, -6.0) if handover is None else handover)


def test_temperature_undoes_overconfidence() -> None:
    rng = np.random.default_rng(0)
    tracks, said = [], []
    for number in range(180):
        logits = rng.standard_normal((24, 9)) * 1.5
        logits[8:] = logits[8]  # all drop bars of a track agree
        probs = softmax(logits)
        track = striped_track(int(rng.choice(9, p=probs[8])), number)
        tracks.append(track)
        said.append(said_of(3.0 * logits))
    assert fit_temperature(tracks, said) == pytest.approx(3.0, rel=0.2)


def noisy(mix_genres: np.ndarray, rng: np.random.Generator, right: float) -> np.ndarray:
    """Logits that name the true genre in a share of the bars and another one in the rest."""
    wrong = rng.random(len(mix_genres)) > right
    label = np.where(wrong, rng.integers(0, 9, len(mix_genres)), mix_genres)
    return 3.0 * np.eye(9)[label] + 0.3 * rng.standard_normal((len(mix_genres), 9))


def test_learnt_smoothing_heals_single_bars_and_keeps_the_changes() -> None:
    rng = np.random.default_rng(1)
    mixes = [striped_mix(list(rng.permutation(9)[:5]), number) for number in range(6)]
    said = []
    for mix in mixes:
        genre = owner_genre(mix)
        change = np.full(len(mix), -5.0)
        change[1:][genre[1:] != genre[:-1]] = 3.0
        said.append(said_of(noisy(genre, rng, 0.7), change))
    smoothing = fit_smoothing(mixes[:3], said[:3], 1.0)
    before = mix_figures(mixes[3:], [softmax(one.logits) for one in said[3:]])
    after = mix_figures(mixes[3:], [smoothed(one, 1.0, smoothing) for one in said[3:]])
    assert before["bar accuracy outside crossfades"] < 0.8
    assert after["bar accuracy outside crossfades"] > 0.95
    assert after["flips per 64 bars"] < 0.5 < before["flips per 64 bars"]
    assert after["changes within 2 bars"] > 0.85


def test_uncertain_leaves_out_three_tenths() -> None:
    rng = np.random.default_rng(2)
    probs = [rng.dirichlet(np.ones(9), 50) for _ in range(4)]
    limit = fit_uncertain(probs)
    assert np.mean(np.concatenate(probs).max(axis=1) < limit) == pytest.approx(0.3, abs=0.01)
