"""How the sound changes from beat to beat, what is struck on it, and the best path through evidence. Zone: analysis.

Only numpy; no bpy.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..core.bars import BEATS_PER_BAR
from .features import ENVELOPE_NAMES, ENVELOPE_RATE_HZ, Features
from .pulse import moving_mean, traced_back

N_BANDS = 126
MEL_GROUP = 3
# Bars around a beat that say what is usual at its place in the bar.
CONTEXT_BARS = 17
# Onset bands from 480 to 3200 Hz.
SNARE_BANDS = slice(4, 7)

Floats = NDArray[np.float64]


def runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """(start, end exclusive) of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def band_levels(features: Features, times_s: Floats) -> NDArray[np.float32]:
    """(n, 126) mean mel level in dB from each point to the next, in all bands but the highest two."""
    edges = np.clip(np.rint(np.append(times_s, 2 * times_s[-1] - times_s[-2]) * features.mel_rate_hz), 0, None)
    edges = np.minimum(edges.astype(np.int64), len(features.mel))
    levels = np.zeros((len(times_s), N_BANDS), np.float32)
    # A few thousand points at a time: the float32 copy of a long mel would be large.
    for start in range(0, len(times_s), 2048):
        stop = min(start + 2048, len(times_s))
        low, high = edges[start], edges[stop]
        if high <= low:
            continue
        first, count = edges[start:stop] - low, np.diff(edges[start : stop + 1])
        part = features.mel[low:high, :N_BANDS].astype(np.float32)
        total = np.add.reduceat(part, np.minimum(first, len(part) - 1), axis=0)
        # reduceat gives the point itself where nothing lies between two edges
        levels[start:stop] = np.where(count[:, None] > 0, total / np.maximum(count, 1)[:, None], 0.0)
    return levels


def band_sums(levels: NDArray[np.float32], bands: tuple[int, int] = (0, N_BANDS), group: int = MEL_GROUP) -> Floats:
    """(n + 1, groups) running sum of (n, 126) levels in dB / 10, neighbouring bands averaged in groups."""
    count = (bands[1] - bands[0]) // group
    part = levels[:, bands[0] : bands[0] + count * group].reshape(-1, count, group).mean(axis=2, dtype=np.float64)
    part = np.maximum(part, -60.0) / 10.0
    return np.concatenate([np.zeros((1, count)), np.cumsum(part, axis=0)])


def change_of(sums: Floats, widths: tuple[int, ...], per_bar: int) -> Floats:
    """(n,) mean change of the sound across each point, over windows of some points before and after.

    Args:
        sums: (n + 1, bands) running sum of levels.
        widths: Window lengths in points.
        per_bar: Points per bar.
    """
    count = len(sums) - 1
    result = np.zeros(count)
    for width in widths:
        if count < 2 * width + 1:
            continue
        middle = np.arange(width, count - width + 1)
        after = (sums[middle + width] - sums[middle]) / width
        before = (sums[middle] - sums[middle - width]) / width
        change = np.zeros(count + 1)
        change[middle] = np.abs(after - before).mean(axis=1)
        change = change[:count]
        spread = np.sqrt(moving_mean(change**2, 64 * per_bar)) + 1e-3
        result += change / spread / len(widths)
    return result


def peak_at(strength: NDArray[np.floating], times_s: Floats, rate_hz: float) -> Floats:
    """Greatest strength within 25 ms of each time."""
    frames = np.rint(times_s * rate_hz).astype(np.int64)[:, None] + np.arange(-4, 5)
    peak: Floats = strength[np.clip(frames, 0, len(strength) - 1)].max(axis=1).astype(np.float64)
    return peak


def pulse_at(features: Features, times_s: Floats) -> Floats:
    """Strength of the kick's body at each time: unlike its click it is heard under a full arrangement too."""
    pulse = features.envelopes[:, ENVELOPE_NAMES.index("kick")]
    slots = np.rint(times_s * ENVELOPE_RATE_HZ).astype(np.int64)[:, None] + np.arange(-3, 4)
    peak: Floats = pulse[np.clip(slots, 0, len(pulse) - 1)].max(axis=1).astype(np.float64)
    return peak


def share_of_kick(pulse: Floats) -> Floats:
    """(n,) 0..1 how surely each is a kick, from the strengths of its body."""
    return np.clip(pulse / (np.percentile(pulse, 75) + 1e-6) * 2.0 - 0.5, 0.0, 1.0)


def against_bar(values: Floats) -> Floats:
    """(b,) values of beats without what is usual at the same place of the bars around."""
    count = len(values)
    bars = np.pad(values, (0, -count % BEATS_PER_BAR)).reshape(-1, BEATS_PER_BAR)
    rest: Floats = (bars - moving_mean(bars, CONTEXT_BARS)).ravel()[:count]
    return rest


def best_path(gain: Floats, costs: Floats, free: NDArray[np.bool_] | None = None) -> NDArray[np.int64]:
    """Viterbi path of greatest gain.

    Args:
        gain: (t, states).
        costs: (states, states), price of going from [i] to [j] on arriving at a step.
        free: (t,) True at steps that any state may be reached from for nothing, as after a cut.
    """
    count, states = gain.shape
    back = np.zeros((count, states), np.int16)
    total = gain[0].copy()
    own, nothing = np.arange(states), np.zeros_like(costs)
    for step in range(1, count):
        reached = total[:, None] - (nothing if free is not None and free[step] else costs)
        source = reached.argmax(axis=0)
        back[step] = source
        total = reached[source, own] + gain[step]
        total -= total.max()
    return traced_back(back, int(total.argmax()))
