"""What all families share: the shape of a source, envelopes, phases, random draws."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ..dsp import SAMPLE_RATE_HZ, Audio, filtered

LONGEST_S = 12.0
_COUNT = np.arange(int(LONGEST_S * SAMPLE_RATE_HZ), dtype=np.int64)
_TIME_S = (_COUNT / SAMPLE_RATE_HZ).astype(np.float32)
PHASE_BITS = 32
# Highest partial of any oscillator.
TOP_HZ = 16500.0


class Source(Protocol):
    """A sound before treatment. Frozen and hashable: equal sources give equal samples."""

    def note(self, midi: float, hold_s: float) -> Audio:
        """One note as (channels, n), 1 or 2 channels, starting on its attack; the level is free."""
        ...


class Part(NamedTuple):
    """A drawn source with its family and how acoustic it is (0..1)."""

    family: str
    source: Source
    organic: float


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw between low and high, evenly on a logarithmic scale."""
    return float(low * (high / low) ** rng.random())


def samples_of(seconds: float) -> int:
    """Number of samples of a note, within what the shared clocks cover."""
    return int(min(max(seconds, 0.02), LONGEST_S) * SAMPLE_RATE_HZ)


def times_s(length: int) -> Audio:
    """Seconds of the first samples (length,). Read only."""
    return _TIME_S[:length]


def steady_phase(freq_hz: float, length: int, start: float = 0.0) -> NDArray[np.int64]:
    """Phase (length,) of a steady pitch in units of 2**-32 cycles, unwrapped."""
    return _COUNT[:length] * round(freq_hz / SAMPLE_RATE_HZ * 2**PHASE_BITS) + int(start * 2**PHASE_BITS)


def moving_phase(freq_hz: float, ratio: Audio, start: float = 0.0) -> NDArray[np.int64]:
    """Phase (n,) of a pitch that follows freq_hz times ratio (n,), in units of 2**-32 cycles."""
    step = ratio.astype(np.float64) * (freq_hz / SAMPLE_RATE_HZ * 2**PHASE_BITS)
    return np.cumsum(step.astype(np.int64)) + int(start * 2**PHASE_BITS)


def radians(phase: NDArray[np.int64]) -> Audio:
    """Fixed point phase as wrapped float32 radians."""
    return (phase & (2**PHASE_BITS - 1)).astype(np.float32) * np.float32(2.0 * np.pi / 2**PHASE_BITS)


@lru_cache(maxsize=48)
def adsr(length: int, attack_s: float, decay_s: float, sustain: float, hold_s: float, release_s: float) -> Audio:
    """Envelope (length,): linear attack, exponential decay to sustain, from hold_s a release that reaches zero."""
    time_s = times_s(length)
    if sustain < 0.999:
        out = sustain + (1.0 - sustain) * np.exp(time_s * np.float32(-1.0 / max(decay_s, 1e-3)))
    else:
        out = np.ones(length, dtype=np.float32)
    attack = min(samples_of(attack_s) if attack_s > 0.02 else int(attack_s * SAMPLE_RATE_HZ), length)
    if attack > 1:
        out[:attack] *= np.linspace(0.0, 1.0, attack, dtype=np.float32)
    close(out, hold_s, release_s)
    out.flags.writeable = False
    return out


def close(out: Audio, hold_s: float, release_s: float) -> None:
    """Release (..., n) audio in place: an exponential fade from hold_s, at zero on the last sample."""
    length = out.shape[-1]
    held = min(int(hold_s * SAMPLE_RATE_HZ), length)
    if held < length:
        out[..., held:] *= np.exp(times_s(length - held) * np.float32(-3.5 / max(release_s, 1e-3)))
    tail = min(length, max(130, (length - held) // 3))
    out[..., length - tail :] *= np.linspace(1.0, 0.0, tail, dtype=np.float32)


@lru_cache(maxsize=48)
def _breath(seed: int, low_hz: float, high_hz: float) -> Audio:
    return filtered(burst(seed, SAMPLE_RATE_HZ), "bandpass", low_hz, high_hz)


def breath(seed: int, length: int, low_hz: float, high_hz: float) -> Audio:
    """Steady band noise (length,); repeating one second of it is not heard under a tone, and saves filtering."""
    return np.resize(_breath(seed, low_hz, high_hz), length)


def burst(seed: int, length: int) -> Audio:
    """White noise (length,) that depends on the seed alone."""
    return np.random.Generator(np.random.SFC64(seed)).standard_normal(length, dtype=np.float32)
