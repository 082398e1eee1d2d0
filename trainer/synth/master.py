"""Loudness measurement, limiting and the final level plan of a rendered signal."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, signal

from .dsp import SAMPLE_RATE_HZ, Array, Audio, db_to_gain

CEILING = db_to_gain(-1.2)


@lru_cache(maxsize=1)
def _k_weighting() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Shelf and high-pass of ITU-R BS.1770, re-derived for our sample rate from their analogue parameters."""
    coefficients = []
    for centre_hz, quality, gain_db in ((1681.97, 0.7072, 4.0), (38.135, 0.5003, 0.0)):
        k = np.tan(np.pi * centre_hz / SAMPLE_RATE_HZ)
        norm = 1.0 + k / quality + k * k
        feedback = [1.0, 2.0 * (k * k - 1.0) / norm, (1.0 - k / quality + k * k) / norm]
        if gain_db:
            high = 10.0 ** (gain_db / 20.0)
            band = high**0.4996667
            forward = [
                (high + band * k / quality + k * k) / norm,
                2.0 * (k * k - high) / norm,
                (high - band * k / quality + k * k) / norm,
            ]
        else:
            forward = [1.0, -2.0, 1.0]
        coefficients.append(forward + feedback)
    first, second = coefficients
    return np.polymul(first[:3], second[:3]), np.polymul(first[3:], second[3:])


def loudness_lufs(audio: Array) -> float:
    """Ungated K-weighted loudness of (n, 2) audio in LUFS (floor -100): meant for stretches without silence."""
    if len(audio) == 0:
        return -100.0
    forward, feedback = _k_weighting()
    weighted = signal.lfilter(forward, feedback, audio, axis=0)
    return float(-0.691 + 10.0 * np.log10(np.mean(weighted**2, axis=0).sum() + 1e-10))


def active_level_lufs(audio: Array) -> float:
    """Loudness of the sounding half of a layer: mean of the louder 50 ms blocks, so that rests do not count."""
    forward, feedback = _k_weighting()
    weighted = signal.lfilter(forward, feedback, np.asarray(audio).mean(axis=1))
    block = SAMPLE_RATE_HZ // 20
    power = (weighted[: len(weighted) // block * block].reshape(-1, block) ** 2).mean(axis=1)
    power = power[power > 1e-9]
    if power.size == 0:
        return -100.0
    loud = power[power >= np.percentile(power, 60)]
    return float(-0.691 + 10.0 * np.log10(2.0 * loud.mean()))


def soft_clip(audio: Array, knee: float = 0.6) -> Audio:
    """Linear up to the knee, tanh-shaped above it, never beyond 1."""
    magnitude = np.abs(audio)
    over = np.clip(magnitude - knee, 0.0, None) / (1.0 - knee)
    shaped = np.where(magnitude <= knee, magnitude, knee + (1.0 - knee) * np.tanh(over))
    return (np.sign(audio) * shaped).astype(np.float32)


def limit(audio: Array, ceiling: float = CEILING, window_s: float = 0.006) -> Audio:
    """Zero-latency look-ahead limiter for (n, 2) audio: the gain is a smoothed running minimum, timing untouched."""
    peak = np.abs(audio).max(axis=1)
    wanted = np.minimum(1.0, ceiling / np.maximum(peak, 1e-6)).astype(np.float32)
    width = int(window_s * SAMPLE_RATE_HZ) | 1
    gain = ndimage.uniform_filter1d(ndimage.minimum_filter1d(wanted, width), width)
    return np.clip(audio * gain[:, None], -ceiling, ceiling).astype(np.float32)


def level_curve(marks_s: list[float], gains_db: list[float], length: int) -> Audio:
    """Linear gain (length,) that passes through (time, dB) marks."""
    time_s = np.arange(0, length, 64) / SAMPLE_RATE_HZ
    coarse = 10.0 ** (np.interp(time_s, marks_s, gains_db) / 20.0)
    return np.repeat(coarse, 64)[:length].astype(np.float32)


def gain_for_loudness(excerpt: Array, target_lufs: float, ceiling: float = CEILING) -> float:
    """Find the gain that makes soft_clip(gain * excerpt) * ceiling as loud as asked; excerpt: (n, 2)."""
    gain = db_to_gain(target_lufs - loudness_lufs(excerpt))
    for _ in range(4):
        error = target_lufs - loudness_lufs(soft_clip(excerpt * gain) * ceiling)
        if abs(error) < 0.2:
            break
        # Saturation eats part of every step: go a little further than the error, but never run away.
        gain *= db_to_gain(float(np.clip(1.5 * error, -6.0, 6.0)))
    return float(gain)
