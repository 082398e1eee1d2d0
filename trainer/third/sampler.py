"""Plays zones as notes and notes as loops, with filters and drive: a sampler in numpy. Zone: trainer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt

from trainer.third.sources import RATE_HZ, Patch, Sound, Zone, zones

Stereo = NDArray[np.float32]


@dataclass(frozen=True)
class Voice:
    """A tone and the way it is layered.

    Attributes:
        name: For the facts of a track.
        patch: Where the tone comes from.
        acoustic: True for what a player blows, bows, plucks or strikes.
        grit: Drive 0..1 that is already in the recording.
        unison: Number of copies.
        cents: Detuning of the outermost copies.
        decays: True where the tone dies away by itself.
    """

    name: str
    patch: Patch
    acoustic: bool = False
    grit: float = 0.0
    unison: int = 1
    cents: float = 0.0
    decays: bool = False


@dataclass(frozen=True)
class Shape:
    """How notes of a part are played.

    Attributes:
        attack_s, decay_s, release_s: Of the envelope, s.
        sustain: 0..1.
        bright_hz: Low-pass of the open filter, Hz.
        dark_hz: Low-pass of the closed filter, Hz.
        motion: "static" (open), "pluck" (closes), "swell" (opens) or "wobble" (opens and closes).
        motion_s: Time of the closing or opening, or period of the wobble, s.
        bend_st: Semitones the pitch slides up from (negative) or down from, within 60 ms.
        peak_hz: Centre of a nasal resonance, Hz; 0 for none.
    """

    attack_s: float = 0.004
    decay_s: float = 0.3
    sustain: float = 0.8
    release_s: float = 0.03
    bright_hz: float = 16000.0
    dark_hz: float = 800.0
    motion: str = "static"
    motion_s: float = 0.2
    bend_st: float = 0.0
    peak_hz: float = 0.0


@dataclass(frozen=True)
class Note:
    """One note of a loop.

    Attributes:
        step: Start, sixteenths from the start of the loop.
        steps: Length, sixteenths.
        key: MIDI pitch.
        accent: Gain 0..1.
    """

    step: float
    steps: float
    key: int
    accent: float = 1.0


def low_pass(audio: NDArray[np.floating], cutoff_hz: float, order: int = 2) -> Sound:
    """Butterworth low-pass along the first axis."""
    sos = butter(order, min(cutoff_hz, 0.45 * RATE_HZ), "low", fs=RATE_HZ, output="sos")
    return sosfilt(sos, audio, axis=0).astype(np.float32)


def high_pass(audio: NDArray[np.floating], cutoff_hz: float, order: int = 2) -> Sound:
    """Butterworth high-pass along the first axis."""
    return sosfilt(butter(order, cutoff_hz, "high", fs=RATE_HZ, output="sos"), audio, axis=0).astype(np.float32)


def band_pass(audio: NDArray[np.floating], low_hz: float, high_hz: float) -> Sound:
    """Butterworth band-pass along the first axis."""
    return sosfilt(butter(1, [low_hz, high_hz], "band", fs=RATE_HZ, output="sos"), audio, axis=0).astype(np.float32)


def drive(audio: NDArray[np.floating], amount: float) -> Sound:
    """Saturation of audio whose peak is 1: tanh with a gain of 1 + 12 * amount, peak 1 again."""
    gain = 1.0 + 12.0 * amount
    return (np.tanh(gain * audio) / np.tanh(gain)).astype(np.float32)


def read(zone: Zone, ratio: NDArray[np.float64] | float, n_samples: int, phase: float = 0.0) -> Sound:
    """Resamples a zone.

    Args:
        zone: What is played.
        ratio: Speed, zone samples per output sample; a number or (n_samples,) for a slide.
        n_samples: Length of the result.
        phase: Where to start, 0..1 of the loop; only for zones that are all loop.

    Returns:
        (n_samples,) float32.
    """
    if isinstance(ratio, float):
        at = np.arange(n_samples) * ratio
    else:
        at = np.cumsum(ratio) - ratio[0]
    last = len(zone.audio) - 2
    if zone.loop is not None:
        start, end = zone.loop
        if start == 0.0:
            at = at + phase * end
        at = np.where(at < end, at, start + np.mod(at - start, end - start))
        inside = None
    else:
        inside = at <= last
        at = np.minimum(at, last)
    whole = np.minimum(at.astype(np.int64), last)
    part = (at - whole).astype(np.float32)
    out = zone.audio[whole] * (1 - part) + zone.audio[whole + 1] * part
    return out if inside is None else out * inside


def _envelope(shape: Shape, n_samples: int, held: int) -> Sound:
    time_s = np.arange(n_samples, dtype=np.float32) / RATE_HZ
    body = shape.sustain + (1 - shape.sustain) * np.exp(-time_s / shape.decay_s)
    body *= np.clip(time_s / max(shape.attack_s, 1e-4), 0, 1)
    tail = np.clip(1 - (np.arange(n_samples) - held) / max(n_samples - held, 1), 0, 1)
    return (body * tail).astype(np.float32)


def play_note(zone: Zone, voice: Voice, shape: Shape, key: int, length_s: float, rng: np.random.Generator) -> Stereo:
    """One note as (n_samples, 2), about full scale, its release included."""
    held = int(length_s * RATE_HZ)
    n_samples = held + int(shape.release_s * RATE_HZ)
    out = np.zeros((n_samples, 2), dtype=np.float32)
    for number in range(voice.unison):
        spread = 0.0 if voice.unison == 1 else 2 * number / (voice.unison - 1) - 1
        ratio = 2 ** ((key - zone.root + spread * voice.cents / 100) / 12) * zone.rate_hz / RATE_HZ
        speed: NDArray[np.float64] | float = float(ratio)
        if shape.bend_st:
            glide = np.clip(1 - np.arange(n_samples) / (0.06 * RATE_HZ), 0, 1)
            speed = ratio * 2 ** (shape.bend_st * glide / 12)
        tone = read(zone, speed, n_samples, float(rng.random()) if voice.unison > 1 else 0.0)
        pan = 0.5 + 0.4 * spread * (1 if number % 2 else -1)
        out[:, 0] += tone * np.sqrt(1 - pan)
        out[:, 1] += tone * np.sqrt(pan)
    out *= np.sqrt(2.0 / voice.unison)
    bright = low_pass(out, shape.bright_hz)
    if shape.motion != "static":
        dark = low_pass(out, shape.dark_hz)
        time_s = np.arange(n_samples) / RATE_HZ
        if shape.motion == "pluck":
            open_ = np.exp(-time_s / shape.motion_s)
        elif shape.motion == "swell":
            open_ = 1 - np.exp(-time_s / shape.motion_s)
        else:
            open_ = 0.5 - 0.5 * np.cos(2 * np.pi * time_s / shape.motion_s)
        bright = dark + (bright - dark) * open_[:, None].astype(np.float32)
    if shape.peak_hz:
        bright = bright + 1.6 * band_pass(bright, 0.8 * shape.peak_hz, 1.25 * shape.peak_hz)
    return bright * _envelope(shape, n_samples, held)[:, None]


def play_loop(
    voice: Voice,
    shape: Shape,
    notes: list[Note],
    n_bars: int,
    bar_s: float,
    swing: float,
    rng: np.random.Generator,
) -> Stereo:
    """A loop of a part as (n_samples, 2); tails wrap round, and the peak is 1.

    Args:
        voice: Who plays.
        shape: How.
        notes: What.
        n_bars: Length of the loop.
        bar_s: Length of a bar, s.
        swing: Where the second of two sixteenths falls, 0.5 for straight.
        rng: For the phases of unison voices.
    """
    total = round(n_bars * bar_s * RATE_HZ)
    out = np.zeros((total, 2), dtype=np.float32)
    keys = tuple(sorted({note.key for note in notes}))
    found = zones(voice.patch, keys)
    rendered: dict[tuple[int, float], Stereo] = {}
    for note in notes:
        name = (note.key, note.steps)
        if name not in rendered:
            rendered[name] = play_note(found[note.key], voice, shape, note.key, note.steps * bar_s / 16, rng)
        tone = rendered[name]
        start = round(swung(note.step, swing) * bar_s / 16 * RATE_HZ) % total
        first = min(len(tone), total - start)
        out[start : start + first] += note.accent * tone[:first]
        rest = tone[first : first + total]
        out[: len(rest)] += note.accent * rest
    return out / max(float(np.abs(out).max()), 1e-9)


def swung(step: float, swing: float) -> float:
    """Where a position on the straight grid of sixteenths falls with swing."""
    pair, inside = divmod(step, 2)
    return 2 * pair + (inside * 2 * swing if inside <= 1 else 2 * swing + (inside - 1) * 2 * (1 - swing))


def loudness(audio: NDArray[np.floating]) -> float:
    """Root mean square of the louder half of all 50 ms blocks."""
    block = RATE_HZ // 20
    used = audio[: len(audio) // block * block]
    energy = np.sort((used.reshape(-1, block * used.shape[1]) ** 2).mean(1))
    return float(np.sqrt(energy[len(energy) // 2 :].mean()) + 1e-9)
