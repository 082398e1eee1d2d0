"""Raw band power to curves between 0 and 1 that a light can follow. Zone: analysis (numpy; no bpy)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .features import ENVELOPE_NAMES, ENVELOPE_RATE_HZ

__all__ = ["ENVELOPE_NAMES", "ENVELOPE_RATE_HZ", "normalise_envelopes"]

# Sixty-four bars of house, like the reference of the drops.
WINDOW_S = 61
LEVEL_PERCENTILE = 85.0
# How far the reference may fall in a quiet passage before it counts as silence, as a share of the mix's own.
FLOOR_SHARE = 0.1
KICK_FLOOR, KICK_RANGE = 0.33, 0.7
KICK_REACH_S = 30
KICKS_ENOUGH = 8
MIN_AMPLITUDE = 1e-5
KICK_LEAST = 0.25
SECONDS_AT_ONCE = 4096

Floats = NDArray[np.float64]


def _reference(amplitude: NDArray[np.float32], floor_share: float, least: float) -> Floats:
    """(m,) level that counts as full at each point: a percentile of the seconds' maxima in a sliding window."""
    rate = ENVELOPE_RATE_HZ
    seconds = max(1, -(-len(amplitude) // rate))
    padded = np.zeros(seconds * rate, np.float32)
    padded[: len(amplitude)] = amplitude
    loudest = padded.reshape(seconds, rate).max(axis=1).astype(np.float64)
    half = WINDOW_S // 2
    around = np.lib.stride_tricks.sliding_window_view(np.pad(loudest, half, mode="edge"), WINDOW_S)
    level = np.concatenate(
        [
            np.percentile(around[i : i + SECONDS_AT_ONCE], LEVEL_PERCENTILE, axis=1)
            for i in range(0, seconds, SECONDS_AT_ONCE)
        ]
    )
    floor = max(least, floor_share * float(np.percentile(loudest, LEVEL_PERCENTILE)))
    return np.interp(np.arange(len(amplitude)) / rate, np.arange(seconds) + 0.5, np.maximum(level, floor))


def _pulse_share(strength: NDArray[np.float32]) -> Floats:
    """(m,) kicks against the usual kick of the minute around: the usual one gives about 0.95, half of it 0.25."""
    peaks = np.flatnonzero(strength > KICK_LEAST)
    # the strength stands on three slots, the outer two halved; only the middle counts as a kick
    peaks = peaks[(strength[peaks] >= strength[np.maximum(peaks - 1, 0)])]
    if len(peaks) < KICKS_ENOUGH:
        return np.zeros(len(strength))
    seconds = np.arange(0, len(strength) // ENVELOPE_RATE_HZ + 1)
    first, last = (np.searchsorted(peaks, (seconds + s) * ENVELOPE_RATE_HZ) for s in (-KICK_REACH_S, KICK_REACH_S + 1))
    whole = float(np.median(strength[peaks]))
    usual = [
        float(np.median(strength[peaks[a:b]])) if b - a >= KICKS_ENOUGH else whole
        for a, b in zip(first, last, strict=True)
    ]
    reference = np.interp(np.arange(len(strength)) / ENVELOPE_RATE_HZ, seconds + 0.5, usual)
    return (strength / np.maximum(reference, KICK_LEAST) - KICK_FLOOR) / KICK_RANGE


def normalise_envelopes(raw: NDArray[np.float32]) -> NDArray[np.float32]:
    """(m, 6) raw power at 100 Hz -> (m, 6) in 0..1, each against its own last and next half minute.

    Power becomes amplitude, so that half as loud looks about half as bright. A quiet track fills the range as a loud
    one does; silence stays dark, because the reference has a floor.
    """
    result = np.zeros(raw.shape, np.float32)
    if not len(raw):
        return result
    for column, name in enumerate(ENVELOPE_NAMES):
        if name == "kick":
            share = _pulse_share(raw[:, column])
        else:
            # An unscaled Hann spectrum of full-scale sound has an amplitude of a few hundred.
            value = np.sqrt(np.maximum(raw[:, column], 0.0))
            share = value / _reference(value, FLOOR_SHARE, MIN_AMPLITUDE * 256)
        result[:, column] = np.clip(share, 0.0, 1.0)
    return result
