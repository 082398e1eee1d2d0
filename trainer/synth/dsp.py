"""Signal primitives shared by every voice: oscillators, filters, envelopes, reverb and event placement."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import signal

SAMPLE_RATE_HZ = 44100
TABLE_SIZE = 4096
# Every track rings on for this long after its last bar.
TAIL_S = 2.0

Audio = NDArray[np.float32]
Array = NDArray[np.floating]


def db_to_gain(level_db: float) -> float:
    """Convert decibels to a linear amplitude factor."""
    return float(10.0 ** (level_db / 20.0))


def midi_to_hz(midi: float) -> float:
    """Frequency in Hz of a MIDI note number (69 = 440 Hz)."""
    return float(440.0 * 2.0 ** ((midi - 69.0) / 12.0))


@lru_cache(maxsize=512)
def _table(shape: str, harmonics: int) -> Audio:
    """One band-limited cycle, one guard sample longer than TABLE_SIZE."""
    order = np.arange(1, harmonics + 1)
    if shape == "saw":
        amplitude = 1.0 / order
    elif shape == "square":
        amplitude = (order % 2) / order
    elif shape == "soft":
        amplitude = 1.0 / order**2
    else:
        raise ValueError(f"unknown wave shape {shape!r}; use saw, square or soft")
    spectrum = np.zeros(TABLE_SIZE // 2 + 1, dtype=complex)
    spectrum[1 : harmonics + 1] = -0.5j * amplitude * TABLE_SIZE
    cycle = np.fft.irfft(spectrum, TABLE_SIZE)
    cycle /= np.abs(cycle).max()
    return np.append(cycle, cycle[0]).astype(np.float32)


def oscillator(phase: Array, shape: str, top_hz: float) -> Audio:
    """Read a band-limited wave.

    phase: (n,) in cycles; shape: saw, square, soft or sine; top_hz: highest fundamental that occurs,
    which decides how many harmonics fit below 16 kHz. Returns (n,) float32 in -1..1.
    """
    if shape == "sine":
        return np.sin(2.0 * np.pi * (phase % 1.0)).astype(np.float32)
    # Rounding the harmonic count keeps the table cache small.
    harmonics = int(np.clip(16000.0 / max(top_hz, 1.0), 1, 600))
    table = _table(shape, harmonics if harmonics < 32 else harmonics // 8 * 8)
    # Masking wraps the table much faster than a modulo; the offset keeps modulated phases positive.
    position = (phase + 64.0) * TABLE_SIZE
    whole = position.astype(np.int64)
    fraction = (position - whole).astype(np.float32)
    index = whole & (TABLE_SIZE - 1)
    low = table[index]
    return low + (table[index + 1] - low) * fraction


@lru_cache(maxsize=1024)
def _butter(kind: str, low_hz: float, high_hz: float, order: int) -> NDArray[np.float64]:
    edges = [low_hz, high_hz] if kind == "bandpass" else low_hz
    return signal.butter(order, edges, kind, fs=SAMPLE_RATE_HZ, output="sos")


def filtered(audio: Array, kind: str, low_hz: float, high_hz: float = 0.0, order: int = 2) -> Audio:
    """Butterworth filter along axis 0. kind: lowpass, highpass or bandpass; edges in Hz (clamped below Nyquist)."""
    top = 0.45 * SAMPLE_RATE_HZ
    sos = _butter(kind, round(min(low_hz, top), 1), round(min(high_hz, top * 1.05), 1), order)
    if low_hz > 200.0:
        # Single precision is enough away from the bottom of the spectrum, and twice as fast.
        sos = sos.astype(np.float32)
    return signal.sosfilt(sos, np.asarray(audio, dtype=sos.dtype), axis=0).astype(np.float32)


def swept_lowpass(audio: Array, cutoff_hz: Array, steps: int = 7) -> Audio:
    """Low-pass whose cutoff follows a curve.

    audio: (n,) or (n, c); cutoff_hz: (n,). A bank of fixed filters on a logarithmic grid is cross-faded
    sample by sample, which is vectorised and free of zipper noise.
    """
    curve = np.log2(np.clip(cutoff_hz, 30.0, 19000.0)).astype(np.float32)
    low, high = float(curve.min()), float(curve.max())
    if high - low < 0.05:
        return filtered(audio, "lowpass", 2.0**high)
    count = max(2, min(steps, int(np.ceil((high - low) / 0.5)) + 1))
    grid = np.linspace(low, high, count)
    position = (curve - low) / (high - low) * (count - 1)
    out = np.zeros(audio.shape, dtype=np.float32)
    for index, centre in enumerate(grid):
        weight = np.clip(1.0 - np.abs(position - index), 0.0, None).astype(np.float32)
        used = np.flatnonzero(weight)
        if used.size == 0:
            continue
        first, last = int(used[0]), int(used[-1]) + 1
        # A short run-in settles the filter before its weight leaves zero.
        run_in = max(0, first - 2048)
        part = filtered(audio[run_in:last], "lowpass", 2.0 ** float(centre))[first - run_in :]
        gain = weight[first:last]
        out[first:last] += part * (gain[:, None] if audio.ndim == 2 else gain)
    return out


def envelope(length: int, attack_s: float, hold_s: float, release_s: float, sustain: float = 1.0) -> Audio:
    """Amplitude envelope (length,): linear attack, decay towards sustain until hold_s, exponential release.

    The last 3 ms always reach zero, so that a note never ends in a click.
    """
    time_s = np.arange(length, dtype=np.float32) / SAMPLE_RATE_HZ
    attack = np.clip(time_s / max(attack_s, 1e-4), 0.0, 1.0)
    body = sustain + (1.0 - sustain) * np.exp(-np.clip(time_s - attack_s, 0.0, None) / max(0.4 * hold_s, 0.02))
    out = attack * body * np.exp(-np.clip(time_s - hold_s, 0.0, None) / max(release_s / 3.0, 1e-3))
    return fade_edges(out, 0, int(0.003 * SAMPLE_RATE_HZ))


def fade_edges(audio: Array, head: int, tail: int) -> Audio:
    """Fade the first head and the last tail samples of (n,) or (n, c) audio linearly."""
    out = np.array(audio, dtype=np.float32)
    shape = (-1, 1) if out.ndim == 2 else (-1,)
    head, tail = min(head, len(out)), min(tail, len(out))
    if head:
        out[:head] *= np.linspace(0.0, 1.0, head, dtype=np.float32).reshape(shape)
    if tail:
        out[-tail:] *= np.linspace(1.0, 0.0, tail, dtype=np.float32).reshape(shape)
    return out


def saturate(audio: Array, drive: float) -> Audio:
    """Tanh saturation at gain 1 + 12 drive (drive 0..1), with tops removed around it to keep aliasing low."""
    if drive <= 0.01:
        return np.asarray(audio, dtype=np.float32)
    peak = float(np.abs(audio).max()) or 1.0
    shaped = np.tanh(filtered(audio, "lowpass", 9000.0) * ((1.0 + 12.0 * drive) / peak))
    return filtered(shaped, "lowpass", 13000.0)


def stereo(mono: Array, pan: float = 0.0) -> Audio:
    """Place (n,) audio in the stereo field with equal power; pan -1 left to 1 right. Returns (n, 2)."""
    angle = (pan + 1.0) * np.pi / 4.0
    gains = np.array([np.cos(angle), np.sin(angle)], dtype=np.float32) * np.float32(np.sqrt(2.0))
    return np.asarray(mono, dtype=np.float32)[:, None] * gains


def reverb_impulse(decay_s: float, seed: int, brightness: float = 0.5, pre_delay_s: float = 0.012) -> Audio:
    """Synthetic stereo room response (n, 2) of unit energy: noise whose highs die sooner than its mids."""
    rng = np.random.default_rng(seed)
    length = int(min(decay_s, 3.0) * SAMPLE_RATE_HZ)
    time_s = np.arange(length)[:, None] / SAMPLE_RATE_HZ
    noise = rng.standard_normal((length, 2))
    low = filtered(noise, "bandpass", 220.0, 1800.0) * np.exp(-6.9 * time_s / decay_s)
    top = filtered(noise, "bandpass", 1800.0, 9000.0) * np.exp(-6.9 * time_s / (decay_s * (0.35 + 0.4 * brightness)))
    wet = low + (0.4 + 0.6 * brightness) * top
    wet = fade_edges(wet, int(0.006 * SAMPLE_RATE_HZ), length // 4)
    wet /= np.sqrt((wet**2).sum(axis=0, keepdims=True)) + 1e-9
    return np.concatenate([np.zeros((int(pre_delay_s * SAMPLE_RATE_HZ), 2), np.float32), wet]).astype(np.float32)


def convolve(audio: Audio, impulse: Audio) -> Audio:
    """Convolve (n, 2) with (m, 2) channel by channel and keep the first n samples."""
    wet = signal.oaconvolve(audio, impulse, axes=0)[: len(audio)]
    return wet.astype(np.float32)


def add_at(buffer: Audio, shot: Audio, start: int, gain: float = 1.0) -> None:
    """Add an (m, 2) one-shot into an (n, 2) buffer at a sample index; what falls outside is dropped."""
    skip = max(0, -start)
    end = min(len(buffer), start + len(shot))
    if end > start + skip:
        buffer[start + skip : end] += shot[skip : end - start] * np.float32(gain)


class Clock:
    """Maps positions in beats to samples, following any tempo curve."""

    def __init__(self, beat_s: Array) -> None:
        """beat_s: (n_beats + 1,) strictly rising times; the last entry is the end of the last beat."""
        times = np.asarray(beat_s, dtype=np.float64)
        if times.ndim != 1 or len(times) < 2 or np.any(np.diff(times) <= 0):
            raise ValueError("beat_s must be a strictly rising list of at least two times in seconds")
        self.beat_s = times
        self.beats = len(times) - 1
        self.mean_beat_s = float((times[-1] - times[0]) / self.beats)

    def time_s(self, beat: float) -> float:
        """Time of a (fractional) beat; beyond the end the last tempo goes on."""
        if beat >= self.beats:
            return float(self.beat_s[-1] + (beat - self.beats) * (self.beat_s[-1] - self.beat_s[-2]))
        return float(np.interp(beat, np.arange(self.beats + 1), self.beat_s))

    def sample(self, beat: float) -> int:
        """Sample index of a (fractional) beat."""
        return round(self.time_s(beat) * SAMPLE_RATE_HZ)
