"""The harmonic engine: a morphing single-cycle table per note, read by detuned voices.

Filters, resonances, vowels, pulse widths and the decay of a string all act on the harmonics when the table is built, so
a sweep costs two look-ups per sample and nothing lies above the top partial.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from ..dsp import SAMPLE_RATE_HZ, Audio, filtered, midi_to_hz
from .base import PHASE_BITS, TOP_HZ, adsr, breath, burst, moving_phase, samples_of, steady_phase, times_s

# One resonance of a body or vowel: centre in Hz, gain (linear), width in octaves.
Resonance = tuple[float, float, float]
FRAMES = 12


@dataclass(frozen=True)
class Tone:
    """Numbers of a harmonic sound. Motion runs from 0 to 1 and drives cutoff, pulse width, sync and vowels together.

    shape: saw, square, pulse, soft, organ, hump, digital, sync or sparse; tilt: extra exponent of the harmonics;
    cutoff_hz: low-pass at motion 0 and 1 (0 = none), track: how far it follows the pitch; poles: its slope;
    resonance: height of its peak; vowels: sets of resonances passed in order; dry: level outside the vowels;
    notches: depth of moving comb notches; string_s: life of the fundamental at 262 Hz (0 = no decay), damping: how much
    sooner harmonics die; motion: still, env, ramp, lfo, cycles (per note) or age.
    """

    seed: int
    shape: str = "saw"
    tilt: float = 0.0
    pulse: tuple[float, float] = (0.5, 0.5)
    sync: tuple[float, float] = (1.0, 1.0)
    cutoff_hz: tuple[float, float] = (0.0, 0.0)
    track: float = 0.3
    poles: int = 2
    resonance: float = 0.0
    vowels: tuple[tuple[Resonance, ...], ...] = ()
    dry: float = 0.05
    notches: float = 0.0
    scatter: bool = False
    string_s: float = 0.0
    damping: float = 0.3
    motion: str = "still"
    motion_attack_s: float = 0.003
    motion_decay_s: float = 0.2
    motion_rate: float = 4.0
    motion_floor: float = 0.0
    voices: int = 1
    detune_cents: float = 0.0
    width: float = 0.7
    sub: float = 0.0
    vibrato_cents: float = 0.0
    vibrato_hz: float = 5.5
    glide_st: float = 0.0
    glide_s: float = 0.03
    attack_s: float = 0.002
    decay_s: float = 0.3
    sustain: float = 1.0
    release_s: float = 0.1
    noise: float = 0.0
    noise_hz: tuple[float, float] = (1500.0, 6000.0)
    noise_s: float = 0.0

    def note(self, midi: float, hold_s: float) -> Audio:
        """One note as (channels, n); see Source."""
        freq_hz = midi_to_hz(midi)
        total_s = hold_s + self.release_s
        if self.string_s:
            total_s = min(total_s, 5.0 * _life_s(self, freq_hz))
        elif self.sustain < 0.01:
            total_s = min(total_s, 6.5 * self.decay_s + self.attack_s)
        length = samples_of(total_s)
        body = self._read(_table(self, round(midi, 2)), freq_hz, hold_s, length)
        if self.noise:
            body += self._noise(length) * np.float32(self.noise * 0.3)
        body *= adsr(length, self.attack_s, self.decay_s, self.sustain, hold_s, self.release_s)
        return body

    def _noise(self, length: int) -> Audio:
        low, high = self.noise_hz
        if self.noise_s:
            grain = filtered(burst(self.seed, min(length, samples_of(5.0 * self.noise_s))), "bandpass", low, high)
            grain *= np.exp(times_s(len(grain)) * np.float32(-1.0 / self.noise_s))
            return np.pad(grain * np.float32(4.0), (0, length - len(grain)))
        return breath(self.seed, length, low, high)

    def _moved(self, hold_s: float, length: int, freq_hz: float) -> Audio:
        """Motion 0..1 per sample (length,)."""
        time_s = times_s(length)
        if self.motion == "env":
            curve = np.exp(time_s * np.float32(-1.0 / self.motion_decay_s))
            rise = min(length, max(2, int(self.motion_attack_s * SAMPLE_RATE_HZ)))
            curve[:rise] *= np.linspace(0.0, 1.0, rise, dtype=np.float32)
        elif self.motion == "ramp":
            curve = np.minimum(time_s * np.float32(1.0 / max(self.motion_attack_s, 1e-3)), np.float32(1.0))
        elif self.motion == "age":
            return np.sqrt(np.minimum(time_s * np.float32(1.0 / (5.0 * _life_s(self, freq_hz))), np.float32(1.0)))
        else:
            rate = self.motion_rate / max(hold_s, 0.08) if self.motion == "cycles" else self.motion_rate
            # Sounds that move slowly must not all start from the same place.
            start = self.seed % 7 / 7.0 if self.motion == "lfo" and rate < 2.0 else 0.0
            curve = 0.5 - 0.5 * np.cos(time_s * np.float32(2.0 * np.pi * rate) + np.float32(2.0 * np.pi * start))
        return np.float32(self.motion_floor) + np.float32(1.0 - self.motion_floor) * curve

    def _read(self, table: Audio, freq_hz: float, hold_s: float, length: int) -> Audio:
        frames, size = table.shape
        shift, mask = PHASE_BITS - int(size).bit_length() + 1, size - 1
        flat = table.reshape(-1)
        row: NDArray[np.int64] | None = None
        part: Audio | None = None
        if frames > 1:
            place = self._moved(hold_s, length, freq_hz) * np.float32((frames - 1) * 0.9999)
            row = place.astype(np.int64)
            part = place - row.astype(np.float32)
            row *= size
        bend = self._bend(length)
        rng = np.random.default_rng([self.seed, int(freq_hz * 100)])
        out = np.zeros((2 if self.voices > 1 else 1, length), dtype=np.float32)
        spread = np.linspace(-1.0, 1.0, self.voices) if self.voices > 1 else np.zeros(1)
        plan = [(2.0 ** (offset * self.detune_cents / 1200.0), 1.0) for offset in spread]
        if self.sub:
            plan.append((0.5, self.sub * self.voices**0.5))
        for index, (ratio, gain) in enumerate(plan):
            start = rng.random() if self.voices > 1 else 0.0
            pitch_hz = freq_hz * ratio
            phase = steady_phase(pitch_hz, length, start) if bend is None else moving_phase(pitch_hz, bend, start)
            phase >>= shift
            phase &= mask
            if row is not None and part is not None:
                phase += row
                wave = flat.take(phase)
                phase += size
                wave += (flat.take(phase) - wave) * part
            else:
                wave = flat.take(phase)
            if gain != 1.0 or index == len(spread):
                out += wave * np.float32(gain)
            else:
                out[index % len(out)] += wave
        if len(out) == 2:
            middle = out.mean(axis=0)
            out = middle + (out - middle) * np.float32(self.width)
        return out

    def _bend(self, length: int) -> Audio | None:
        """Pitch ratio (length,) of glide and vibrato, or None where the pitch is steady."""
        if not self.vibrato_cents and not self.glide_st:
            return None
        time_s = times_s(length)
        cents = np.zeros(length, dtype=np.float32)
        if self.vibrato_cents:
            late = np.minimum(time_s * np.float32(4.0), np.float32(1.0))
            cents += self.vibrato_cents * late * np.sin(time_s * np.float32(2.0 * np.pi * self.vibrato_hz))
        if self.glide_st:
            cents += 100.0 * self.glide_st * np.exp(time_s * np.float32(-1.0 / self.glide_s))
        return np.exp2(cents * np.float32(1.0 / 1200.0))


def _life_s(tone: Tone, freq_hz: float) -> float:
    """Decay time of the fundamental; high strings die sooner."""
    return tone.string_s * (262.0 / freq_hz) ** 0.6


def _spectrum(tone: Tone, order: Audio, motion: Audio) -> Audio:
    """Strength of the harmonics (frames, harmonics) before filters."""
    rng = np.random.default_rng([tone.seed, 1])
    if tone.shape == "square":
        base = (order % 2) / order
    elif tone.shape == "pulse":
        wide = tone.pulse[0] + (tone.pulse[1] - tone.pulse[0]) * motion[:, None]
        base = np.abs(np.sin(np.pi * order * wide)) / order
    elif tone.shape == "soft":
        base = order**-2.0
    elif tone.shape == "organ":
        base = np.zeros(len(order), dtype=np.float32)
        for drawbar in (1, 2, 3, 4, 5, 6, 8):
            if drawbar <= len(order):
                base[drawbar - 1] = 1.0 if drawbar == 1 else rng.random() ** 1.5
    elif tone.shape == "hump":
        # A smooth random curve over octaves for each end of the motion, as scanned wavetables have.
        knots = np.arange(11.0)
        curves = rng.normal(0.0, 0.9, (2, 11))
        ends = [np.interp(np.log2(order), knots, curve) for curve in curves]
        base = np.exp(ends[0] + (ends[1] - ends[0]) * motion[:, None]) / order
    elif tone.shape == "digital":
        gates = rng.random((2, len(order))) ** 2.0
        base = (gates[0] + (gates[1] - gates[0]) * motion[:, None]) * order**-0.8
    elif tone.shape == "sync":
        peak = tone.sync[0] + (tone.sync[1] - tone.sync[0]) * motion[:, None]
        base = np.abs(np.sinc(order / peak - 1.0)) * 0.8 + 0.25 / order
    elif tone.shape == "sparse":
        base = (rng.random(len(order)) < 0.35) / order**0.7
        base[0] = 1.0
    else:
        base = 1.0 / order
    return np.broadcast_to(base * order**-tone.tilt, (len(motion), len(order))).astype(np.float32)


def _passed(tone: Tone, partial_hz: Audio, motion: Audio, freq_hz: float) -> Audio:
    """Gain of filter, vowels and notches (frames, harmonics)."""
    gain = np.ones((len(motion), len(partial_hz)), dtype=np.float32)
    if tone.cutoff_hz[1] > 0.0:
        low, high = tone.cutoff_hz
        cutoff = low * (high / low) ** motion * (freq_hz / 262.0) ** tone.track
        ratio = partial_hz / cutoff[:, None]
        gain *= 1.0 / np.sqrt(1.0 + ratio ** (2 * tone.poles))
        if tone.resonance:
            gain *= 1.0 + 5.0 * tone.resonance * np.exp(-((np.log2(ratio) / 0.22) ** 2))
    if tone.vowels:
        stops = len(tone.vowels)
        place = motion * (stops - 1)
        first = np.minimum(place.astype(int), max(stops - 2, 0))
        share = (place - first)[:, None, None]
        sets = np.array(tone.vowels)
        now = sets[first] * (1.0 - share) + sets[np.minimum(first + 1, stops - 1)] * share
        octaves = np.log2(partial_hz[None, None, :] / now[:, :, :1])
        gain *= tone.dry + (now[:, :, 1:2] / (1.0 + (2.0 * octaves / now[:, :, 2:]) ** 2)).sum(axis=1)
    if tone.notches:
        gap_hz = 500.0 * 2.0 ** (2.0 * motion)[:, None]
        gain *= 1.0 - tone.notches * (0.5 + 0.5 * np.cos(2.0 * np.pi * partial_hz / gap_hz))
    return gain


@lru_cache(maxsize=192)
def _table(tone: Tone, midi: float) -> Audio:
    """Single cycles along the motion: (frames, size), size a power of two."""
    freq_hz = midi_to_hz(midi)
    count = int(max(1, TOP_HZ / freq_hz / 2.0 ** (max(tone.glide_st, 0.0) / 12.0)))
    order = np.arange(1, count + 1, dtype=np.float32)
    motion = np.linspace(0.0, 1.0, 1 if tone.motion == "still" else FRAMES, dtype=np.float32)
    strength = _spectrum(tone, order, motion) * _passed(tone, order * np.float32(freq_hz), motion, freq_hz)
    if tone.string_s:
        # Age runs with the square root of time, so that the quick start gets most of the frames.
        age = 5.0 * motion[:, None] ** 2
        strength = strength * np.exp(-age * (1.0 + tone.damping * (order - 1.0)))
    size = int(np.clip(2 ** np.ceil(np.log2(16 * count)), 512, 4096))
    spectrum = np.zeros((len(motion), size // 2 + 1), dtype=np.complex64)
    turn = -1j * np.ones(count)
    if tone.scatter:
        turn = np.exp(2j * np.pi * np.random.default_rng([tone.seed, 2]).random(count))
    spectrum[:, 1 : count + 1] = strength * turn
    table = fft.irfft(spectrum, size, axis=1)
    return np.ascontiguousarray(table / (np.abs(table).max() + 1e-12), dtype=np.float32)
