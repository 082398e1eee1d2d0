"""Tonal one-shots: every lead, chord, bass and voice sound, chosen by kind and coloured by a shared set of numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import signal

from .dsp import (
    SAMPLE_RATE_HZ,
    Array,
    Audio,
    envelope,
    fade_edges,
    filtered,
    midi_to_hz,
    oscillator,
    saturate,
    stereo,
    swept_lowpass,
)

FORMANTS_HZ = {"ah": (760, 1180, 2700), "oh": (460, 820, 2700), "eh": (520, 1750, 2550), "ee": (310, 2150, 2900)}


@dataclass(frozen=True)
class Timbre:
    """One sound. Times in seconds, cutoff in Hz, detune in cents, bend in semitones; the others 0..1."""

    kind: str
    seed: int
    detune_cents: float = 15.0
    cutoff_hz: float = 6000.0
    attack_s: float = 0.004
    release_s: float = 0.12
    drive: float = 0.0
    width: float = 0.7
    colour: float = 0.5
    bend: float = 0.0


def sample_timbre(kind: str, rng: np.random.Generator, drive: float = 0.0, bend: float = 0.0) -> Timbre:
    """Draw a timbre of a kind from the pool that all genres share."""
    if kind not in MAKERS:
        raise ValueError(f"unknown voice kind {kind!r}; known: {', '.join(sorted(MAKERS))}")
    return Timbre(
        kind=kind,
        seed=int(rng.integers(1 << 30)),
        detune_cents=rng.uniform(9.0, 26.0),
        cutoff_hz=float(np.exp(rng.uniform(np.log(2800.0), np.log(11000.0)))),
        attack_s=rng.uniform(0.002, 0.008),
        release_s=rng.uniform(0.08, 0.25),
        drive=drive,
        width=rng.uniform(0.4, 0.95),
        colour=float(rng.random()),
        bend=bend,
    )


def _pitch(midi: float, length: int, tb: Timbre) -> Array:
    """Phase in cycles (length,), with the bend of the timbre gliding into the note."""
    freq_hz = midi_to_hz(midi)
    time_s = np.arange(length) / SAMPLE_RATE_HZ
    if abs(tb.bend) < 0.01:
        return freq_hz * time_s
    return np.cumsum(freq_hz * 2.0 ** (tb.bend / 12.0 * np.exp(-time_s / 0.03))) / SAMPLE_RATE_HZ


def _stack(midi: float, length: int, tb: Timbre, voices: int, shape: str = "saw") -> Audio:
    """Detuned unison of voices spread over the stereo field: (length, 2)."""
    rng = np.random.default_rng(tb.seed + int(midi))
    phase = _pitch(midi, length, tb)
    out = np.zeros((length, 2), dtype=np.float32)
    for index, offset in enumerate(np.linspace(-1.0, 1.0, voices) if voices > 1 else [0.0]):
        wave = oscillator(phase * 2.0 ** (offset * tb.detune_cents / 1200.0) + rng.random(), shape, midi_to_hz(midi))
        side = (1.0 if index % 2 else -1.0) * abs(offset) * tb.width
        angle = (side + 1.0) * np.pi / 4.0
        out[:, 0] += wave * np.float32(np.cos(angle) * 1.4142)
        out[:, 1] += wave * np.float32(np.sin(angle) * 1.4142)
    return out / np.float32(np.sqrt(voices))


def _supersaw(midi: float, hold_s: float, length: int, tb: Timbre) -> Audio:
    body = filtered(_stack(midi, length, tb, 7), "lowpass", tb.cutoff_hz)
    return body * envelope(length, tb.attack_s, hold_s, tb.release_s)[:, None]


def _square(midi: float, hold_s: float, length: int, tb: Timbre) -> Audio:
    body = _stack(midi, length, tb, 2, "square") + 0.5 * _stack(midi - 12, length, tb, 1, "square")
    return filtered(body, "lowpass", tb.cutoff_hz) * envelope(length, tb.attack_s, hold_s, tb.release_s, 0.7)[:, None]


def _pluck(midi: float, hold_s: float, length: int, tb: Timbre) -> Audio:
    time_s = np.arange(length) / SAMPLE_RATE_HZ
    decay_s = 0.06 + 0.16 * tb.colour
    cutoff = 300.0 + 1.3 * tb.cutoff_hz * np.exp(-time_s / decay_s)
    body = swept_lowpass(_stack(midi, length, tb, 3), cutoff, 5)
    return body * envelope(length, 0.002, 2.5 * decay_s, tb.release_s + 0.1, 0.25)[:, None]


def _nasal(midi: float, hold_s: float, length: int, tb: Timbre) -> Audio:
    phase = _pitch(midi, length, tb)
    top_hz = midi_to_hz(midi)
    pulse = oscillator(phase, "saw", top_hz) - oscillator(phase + 0.12 + 0.2 * tb.colour, "saw", top_hz)
    bright = filtered(pulse, "bandpass", 900.0 + 500.0 * tb.colour, 2600.0 + 800.0 * tb.colour)
    body = stereo(0.35 * pulse + 1.6 * bright) + 0.4 * _stack(midi, length, tb, 4)
    return filtered(body, "lowpass", 9000.0) * envelope(length, 0.001, hold_s, 0.06)[:, None]


def _buzz(midi: float, hold_s: float, length: int, tb: Timbre) -> Audio:
    time_s = np.arange(length) / SAMPLE_RATE_HZ
    body = _stack(midi, length, tb, 5) + 0.8 * _stack(midi - 12, length, tb, 2, "square")
    swell = np.clip(time_s / (0.03 + 0.03 * tb.colour), 0.05, 1.0) * np.exp(-time_s / 0.5)
    body = swept_lowpass(body, 250.0 + 0.9 * tb.cutoff_hz * swell, 5)
    return body * envelope(length, 0.008, hold_s, 0.1)[:, None]


def _piano(midi: float, hold_s: float, length: int, tb: Timbre) -> Audio:
    rng = np.random.default_rng(tb.seed + int(midi))
    freq_hz = midi_to_hz(midi)
    time_s = np.arange(length) / SAMPLE_RATE_HZ
    out = np.zeros((length, 2), dtype=np.float32)
    for order in range(1, 13):
        partial_hz = freq_hz * order * np.sqrt(1.0 + 0.0004 * order**2)
        if partial_hz > 9000.0:
            break
        strength = order ** -(1.0 + 0.7 * tb.colour) * (0.6 + 0.6 * rng.random())
        decay_s = 1.6 * (220.0 / freq_hz) ** 0.4 / (1.0 + 0.35 * order)
        wave = np.sin(2.0 * np.pi * partial_hz * time_s + rng.uniform(0, 6.28)) * np.exp(-time_s / decay_s)
        out += stereo((strength * wave).astype(np.float32), rng.uniform(-0.4, 0.4))
    hammer = filtered(rng.standard_normal(length), "bandpass", 300.0, 3000.0) * np.exp(-time_s / 0.008)
    out += stereo(0.12 * hammer)
    return out * envelope(length, 0.002, hold_s, tb.release_s + 0.1)[:, None]


def _karplus(midi: float, hold_s: float, length: int, tb: Timbre) -> Audio:
    """Plucked string: a noise burst in a damped comb, written as one recursive filter."""
    rng = np.random.default_rng(tb.seed + int(midi))
    period = SAMPLE_RATE_HZ / midi_to_hz(midi) - 0.5
    whole = int(period)
    part = period - whole
    damping = 0.994 - 0.004 * tb.colour
    feedback = np.zeros(whole + 3)
    feedback[0] = 1.0
    # Two-point average (damps highs) convolved with the fractional delay.
    feedback[whole : whole + 3] -= damping * 0.5 * np.array([1.0 - part, 1.0, part])
    out = []
    for _ in range(2):
        burst = np.zeros(length)
        burst[:whole] = filtered(rng.uniform(-1, 1, whole), "lowpass", 3500.0 + 4000.0 * tb.colour)
        out.append(signal.lfilter([1.0], feedback, burst))
    wide = np.stack(out, axis=1)
    mono = wide.mean(axis=1, keepdims=True)
    body = mono + tb.width * 0.5 * (wide - mono)
    return filtered(body, "highpass", 90.0) * envelope(length, 0.001, hold_s, tb.release_s + 0.1)[:, None]


def _strings(midi: float, hold_s: float, length: int, tb: Timbre) -> Audio:
    body = filtered(_stack(midi, length, tb, 5), "lowpass", 2500.0 + 4000.0 * tb.colour)
    attack_s = min(0.12, 0.3 * hold_s)
    return filtered(body, "highpass", 150.0) * envelope(length, attack_s, hold_s, 0.35)[:, None]


def _pad(midi: float, hold_s: float, length: int, tb: Timbre) -> Audio:
    body = _stack(midi, length, tb, 5) + 0.6 * _stack(midi, length, tb, 2, "soft")
    body = filtered(body, "lowpass", 1200.0 + 0.5 * tb.cutoff_hz)
    return body * envelope(length, min(0.2, 0.3 * hold_s), hold_s, 0.5)[:, None]


def _epiano(midi: float, hold_s: float, length: int, tb: Timbre) -> Audio:
    time_s = np.arange(length) / SAMPLE_RATE_HZ
    phase = 2.0 * np.pi * midi_to_hz(midi) * time_s
    index = (0.8 + 1.4 * tb.colour) * np.exp(-time_s / 0.35)
    tine = 0.18 * np.sin(14.0 * phase) * np.exp(-time_s / 0.05)
    mono = (np.sin(phase + index * np.sin(phase)) + tine) * np.exp(-time_s / 0.9)
    tremolo = 0.2 * np.sin(2.0 * np.pi * 4.6 * time_s)
    body = np.stack([mono * (1.0 + tremolo), mono * (1.0 - tremolo)], axis=1)
    return (body * envelope(length, 0.003, hold_s, tb.release_s)[:, None]).astype(np.float32)


def _organ(midi: float, hold_s: float, length: int, tb: Timbre) -> Audio:
    phase = _pitch(midi, length, tb)
    bars = ((1.0, 1.0), (2.0, 0.7), (3.0, 0.5 * tb.colour), (4.0, 0.35), (6.0, 0.15))
    mono = sum(level * np.sin(2.0 * np.pi * ratio * phase) for ratio, level in bars)
    body = 0.7 * stereo(mono) + 0.25 * _stack(midi, length, tb, 2, "soft")
    return body * envelope(length, 0.003, hold_s, 0.08)[:, None]


def _whistle(midi: float, hold_s: float, length: int, tb: Timbre) -> Audio:
    time_s = np.arange(length) / SAMPLE_RATE_HZ
    vibrato = 0.004 * np.sin(2.0 * np.pi * 5.3 * time_s) * np.clip(time_s / 0.25, 0.0, 1.0)
    phase = _pitch(midi, length, tb) + np.cumsum(vibrato * midi_to_hz(midi)) / SAMPLE_RATE_HZ
    mono = np.sin(2.0 * np.pi * phase) + 0.25 * tb.colour * np.sin(4.0 * np.pi * phase)
    body = stereo(mono) + 0.3 * _stack(midi, length, tb, 2, "soft")
    return body * envelope(length, 0.02, hold_s, tb.release_s)[:, None]


def _vocal(midi: float, hold_s: float, length: int, tb: Timbre) -> Audio:
    """Formant voice: a vibrating saw and breath through three resonances."""
    rng = np.random.default_rng(tb.seed)
    vowels = sorted(FORMANTS_HZ)
    centres = FORMANTS_HZ[vowels[(tb.seed + int(midi) // 3) % len(vowels)]]
    time_s = np.arange(length) / SAMPLE_RATE_HZ
    vibrato = np.cumsum(0.006 * np.sin(2.0 * np.pi * 5.6 * time_s)) / SAMPLE_RATE_HZ
    source = oscillator(_pitch(midi, length, tb) + vibrato * midi_to_hz(midi), "saw", midi_to_hz(midi))
    source = source + 0.08 * rng.standard_normal(length)
    mono = 0.05 * source
    for centre, level in zip(centres, (1.0, 0.6, 0.3), strict=True):
        b, a = signal.iirpeak(centre * (0.95 + 0.1 * tb.colour), 7.0, fs=SAMPLE_RATE_HZ)
        mono = mono + level * signal.lfilter(b, a, source)
    return stereo(mono) * envelope(length, 0.012, hold_s, 0.08)[:, None]


def _sub(midi: float, hold_s: float, length: int, tb: Timbre) -> Audio:
    phase = _pitch(midi, length, tb)
    mono = np.sin(2.0 * np.pi * phase) + 0.25 * tb.colour * np.sin(4.0 * np.pi * phase)
    return stereo(np.tanh(1.3 * mono)) * envelope(length, 0.006, hold_s, 0.05)[:, None]


def _grounded(body: Audio, midi: float, tb: Timbre, weight: float) -> Audio:
    """Saturate a bass above its fundamental only, and put a steady clean sine under it: (n, 2).

    Driving both together would let the fundamental swallow the character of the tone.
    """
    upper = saturate(filtered(body, "highpass", 85.0), tb.drive)
    upper = upper / np.float32(np.abs(upper).max() + 1e-9)
    low = np.sin(2.0 * np.pi * midi_to_hz(midi) * np.arange(len(body)) / SAMPLE_RATE_HZ)
    return upper + stereo(weight * low)


def _reese(midi: float, hold_s: float, length: int, tb: Timbre) -> Audio:
    body = _stack(midi, length, tb, 3)
    body = filtered(body, "lowpass", 280.0 + 500.0 * tb.colour)
    body = _grounded(body, midi, tb, 0.8)
    return body * envelope(length, 0.01, hold_s, 0.08)[:, None]


def _growl(midi: float, hold_s: float, length: int, tb: Timbre) -> Audio:
    time_s = np.arange(length) / SAMPLE_RATE_HZ
    # The wobble is tied to the note length, so that it always sits on the grid.
    cycles = 1.0 + int(3.0 * tb.colour)
    wobble = 0.5 - 0.5 * np.cos(2.0 * np.pi * cycles * np.clip(time_s / max(hold_s, 0.05), 0.0, 1.2))
    ratio = (1.0, 1.5, 2.0, 3.0)[tb.seed % 4]
    sides = []
    for spread in (1.0, 2.0 ** (0.4 * tb.detune_cents / 1200.0)):
        phase = _pitch(midi, length, tb) * spread
        bent = phase + (1.2 + 2.0 * wobble) * np.sin(2.0 * np.pi * ratio * phase) / (2.0 * np.pi)
        sides.append(oscillator(bent, "saw", 4.0 * midi_to_hz(midi)))
    wide = swept_lowpass(np.stack(sides, axis=1), 450.0 + (1500.0 + 0.6 * tb.cutoff_hz) * wobble, 5)
    if tb.seed % 3 == 0:
        wide = np.round(wide * 20.0) / 20.0
    return _grounded(wide, midi, tb, 0.55) * envelope(length, 0.004, hold_s, 0.05)[:, None]


def _donk(midi: float, hold_s: float, length: int, tb: Timbre) -> Audio:
    time_s = np.arange(length) / SAMPLE_RATE_HZ
    phase = 2.0 * np.pi * _pitch(midi, length, tb)
    index = (1.5 + 2.5 * tb.colour) * np.exp(-time_s / 0.06) + 0.4
    mono = np.sin(phase + index * np.sin(2.0 * phase)) + 0.35 * np.sign(np.sin(phase)) * np.exp(-time_s / 0.1)
    return stereo(filtered(mono, "lowpass", 4500.0)) * envelope(length, 0.003, hold_s, 0.07, 0.55)[:, None]


def _slap(midi: float, hold_s: float, length: int, tb: Timbre) -> Audio:
    time_s = np.arange(length) / SAMPLE_RATE_HZ
    phase = 2.0 * np.pi * _pitch(midi, length, tb)
    decay_s = 0.12 + 0.06 * tb.colour
    index = 3.2 * np.exp(-time_s / 0.05)
    mono = np.sin(phase) + 0.7 * np.sin(2.0 * phase + index * np.sin(phase)) + 0.4 * np.sin(3.0 * phase)
    mono *= 0.25 + 0.75 * np.exp(-time_s / decay_s)
    return stereo(filtered(mono, "lowpass", 6000.0)) * envelope(length, 0.002, hold_s, 0.06)[:, None]


def _pulse(midi: float, hold_s: float, length: int, tb: Timbre) -> Audio:
    body = filtered(_stack(midi, length, tb, 3), "lowpass", 400.0 + 0.15 * tb.cutoff_hz)
    body = _grounded(body, midi, tb, 0.8)
    return body * envelope(length, 0.01 + 0.03 * tb.colour, hold_s, 0.05)[:, None]


MAKERS: dict[str, Callable[[float, float, int, Timbre], Audio]] = {
    "supersaw": _supersaw,
    "square": _square,
    "pluck": _pluck,
    "nasal": _nasal,
    "buzz": _buzz,
    "piano": _piano,
    "karplus": _karplus,
    "strings": _strings,
    "pad": _pad,
    "epiano": _epiano,
    "organ": _organ,
    "whistle": _whistle,
    "vocal": _vocal,
    "sub": _sub,
    "reese": _reese,
    "growl": _growl,
    "donk": _donk,
    "slap": _slap,
    "pulse": _pulse,
}
SELF_DRIVEN = ("growl", "reese", "pulse")
LONG_TAILS = {"strings": 0.6, "pad": 0.8}


def render_note(timbre: Timbre, midi: float, hold_s: float) -> Audio:
    """One note as (n, 2) float32 at a peak of 1; hold_s is the time until release. It ends in silence."""
    tail_s = LONG_TAILS.get(timbre.kind, timbre.release_s + 0.15)
    length = int((hold_s + tail_s) * SAMPLE_RATE_HZ)
    body = np.asarray(MAKERS[timbre.kind](midi, hold_s, length, timbre), dtype=np.float32)
    if timbre.drive > 0.01 and timbre.kind not in SELF_DRIVEN:
        # Saturating after the envelope would flatten it: shape the tone, then gate it once more.
        body = saturate(body, timbre.drive) * envelope(length, 0.002, hold_s, timbre.release_s)[:, None]
    body = fade_edges(body, 24, int(0.004 * SAMPLE_RATE_HZ))
    return body / np.float32(np.abs(body).max() + 1e-9)
