"""Which beat of the bar each beat looks like: a small network over the beats around it. Zone: analysis (numpy; no bpy).

Claps, basses and chords repeat with the bar, and how they lie on it is much the same from record to record. What a
network of one hidden layer has learnt of that (``benchmarks/fit_bars.py``, mixes with known bars) is weak evidence for
every single beat, and much over a minute.
"""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..core.bars import BEATS_PER_BAR
from .changes import SNARE_BANDS, against_bar, band_sums, change_of, peak_at, pulse_at, share_of_kick
from .features import Features
from .pulse import moving_mean

WEIGHTS = Path(__file__).resolve().parents[1] / "models" / "bars" / "weights.npz"
# Beats before and after that are seen.
REACH = 6
WINDOWS = (1, 2, 4, 8)
HARMONY_BANDS = (8, 70)
LOW_BANDS = slice(0, 2)

Floats = NDArray[np.float64]


def _relative(values: Floats, low: float, high: float) -> Floats:
    """(b,) values against those of sixteen bars around, minus one."""
    return np.clip(values / (moving_mean(values, 64) + 0.05) - 1.0, low, high)


def harmony_change(sums: Floats, bars: int) -> Floats:
    """(b,) how much the sound of some bars after each beat differs from that of the bars before it, as wholes.

    Args:
        sums: (b + 1, bands) running sum of levels.
        bars: Length of the windows; what repeats with the bar cancels in them.
    """
    count, width = len(sums) - 1, bars * BEATS_PER_BAR
    change = np.zeros(count)
    middle = np.arange(width, max(width, count - width))
    step = sums[middle + width] - 2.0 * sums[middle] + sums[middle - width]
    change[middle] = np.abs(step).mean(axis=1) / width
    change = change / (moving_mean(change, 64) + 0.005)
    return change - moving_mean(change, BEATS_PER_BAR)


def beat_features(features: Features, beats_s: Floats, levels: NDArray[np.float32]) -> NDArray[np.float32]:
    """(b, (2 REACH + 1) * 10) what is heard on each beat and on those around it.

    Args:
        features: What was measured.
        beats_s: (b,) beats in seconds.
        levels: (b, 126) from :func:`housex_blender.analysis.changes.band_levels`.
    """
    sums, harmony = band_sums(levels), band_sums(levels, HARMONY_BANDS, 1)
    columns = []
    for width in WINDOWS:
        change = change_of(sums, (width,), BEATS_PER_BAR)
        columns.append(np.clip(against_bar(change - moving_mean(change, 9)), -0.7, 2.0))
    columns += [np.clip(harmony_change(harmony, bars), -1.5, 2.0) for bars in (1, 2)]
    kick = share_of_kick(pulse_at(features, beats_s))
    columns += [kick - 0.5, against_bar(kick)]
    for bands in (SNARE_BANDS, LOW_BANDS):
        struck = peak_at(features.onset[:, bands].sum(axis=1, dtype=np.float32), beats_s, features.onset_rate_hz)
        columns.append(0.5 * _relative(struck, -1.0, 2.0))
    table = np.stack(columns, axis=1).astype(np.float32)
    padded = np.pad(table, ((REACH, REACH), (0, 0)), mode="edge")
    return np.concatenate([padded[i : i + len(table)] for i in range(2 * REACH + 1)], axis=1)


@functools.cache
def _weights() -> tuple[NDArray[np.float32], ...]:
    with np.load(WEIGHTS, allow_pickle=False) as stored:
        return tuple(stored[name] for name in ("w1", "b1", "w2", "b2"))


def place_evidence(features: Features, beats_s: Floats, levels: NDArray[np.float32]) -> Floats:
    """(b, 4) nats for each beat being the first, second, third or fourth of its bar, against chance."""
    w1, b1, w2, b2 = _weights()
    hidden = np.maximum(beat_features(features, beats_s, levels) @ w1 + b1, 0.0)
    scores = (hidden @ w2 + b2).astype(np.float64)
    scores -= scores.max(axis=1, keepdims=True)
    return scores - np.log(np.exp(scores).sum(axis=1, keepdims=True)) + np.log(BEATS_PER_BAR)
