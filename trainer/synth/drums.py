"""Drum one-shots and transition effects, each made from a few random numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .dsp import SAMPLE_RATE_HZ, Array, Audio, fade_edges, filtered, oscillator, saturate, stereo, swept_lowpass

RELEASE_SAMPLES = int(0.004 * SAMPLE_RATE_HZ)


@dataclass(frozen=True)
class KickShape:
    """Numbers that make a kick: pitches in Hz, times in seconds, click and drive 0..1."""

    start_hz: float
    end_hz: float
    sweep_s: float
    decay_s: float
    click: float
    drive: float


def _times(seconds: float) -> Array:
    return np.arange(int(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ


def kick(shape: KickShape, rng: np.random.Generator) -> Audio:
    """Sine with a falling pitch, a short click and saturation; the attack starts on sample 0. Returns (n, 2)."""
    time_s = _times(min(0.46, 3.2 * shape.decay_s))
    pitch = shape.end_hz + (shape.start_hz - shape.end_hz) * np.exp(-time_s / shape.sweep_s)
    # Starting a little into the cycle puts the first pressure peak within a millisecond of the beat.
    body = np.sin(2.0 * np.pi * np.cumsum(pitch) / SAMPLE_RATE_HZ + 0.4)
    body *= np.exp(-((time_s / shape.decay_s) ** 1.4)) * np.clip(time_s / 0.0008, 0.0, 1.0)
    body = np.tanh(body * (1.2 + 7.0 * shape.drive)) / np.tanh(1.2 + 7.0 * shape.drive)
    click = filtered(rng.standard_normal(len(time_s)), "bandpass", 1500.0, 9000.0) * np.exp(-time_s / 0.0025)
    knock = np.sin(2.0 * np.pi * 5.0 * shape.start_hz * time_s) * np.exp(-time_s / 0.004)
    mono = body + shape.click * (0.35 * click + 0.2 * knock)
    return stereo(fade_edges(mono, 0, int(0.03 * SAMPLE_RATE_HZ)))


def clap(rng: np.random.Generator) -> Audio:
    """Three quick noise bursts and a tail, slightly different left and right. Returns (n, 2)."""
    tail_s = rng.uniform(0.06, 0.13)
    time_s = _times(0.32)
    shape = 0.7 * np.exp(-time_s / tail_s) * (time_s > 0.022)
    for burst in (0.0, 0.010, 0.021):
        since = time_s - burst
        shape = np.maximum(shape, np.exp(-np.clip(since, 0.0, None) / 0.005) * (since >= 0))
    noise = rng.standard_normal((len(time_s), 1)) + 0.6 * rng.standard_normal((len(time_s), 2))
    low = rng.uniform(700.0, 1100.0)
    tone = filtered(noise, "bandpass", low, rng.uniform(3500.0, 7000.0))
    return fade_edges(tone * shape[:, None], 0, RELEASE_SAMPLES)


def snare(rng: np.random.Generator) -> Audio:
    """Tuned body under noise. Returns (n, 2)."""
    time_s = _times(0.24)
    tone = np.sin(2.0 * np.pi * rng.uniform(170.0, 230.0) * time_s) * np.exp(-time_s / 0.05)
    noise = filtered(rng.standard_normal((len(time_s), 2)), "highpass", 1200.0)
    mono = (tone * 0.8)[:, None] + 0.5 * noise * np.exp(-time_s / rng.uniform(0.05, 0.09))[:, None]
    return fade_edges(mono, 0, RELEASE_SAMPLES)


def hat(rng: np.random.Generator, decay_s: float) -> Audio:
    """Closed (30 ms) to open (200 ms) hi-hat: metallic squares and noise. Returns (n, 2)."""
    time_s = _times(min(0.45, 5.0 * decay_s))
    metal = np.zeros(len(time_s))
    base = rng.uniform(380.0, 560.0)
    for ratio in (2.0, 3.0, 4.16, 5.43, 6.79, 8.21):
        metal += np.sign(np.sin(2.0 * np.pi * base * ratio * time_s + rng.uniform(0, 6.28)))
    noise = rng.standard_normal((len(time_s), 2)) + 0.25 * metal[:, None]
    tone = filtered(noise, "highpass", rng.uniform(6000.0, 8500.0), order=3)
    shape = np.exp(-time_s / decay_s) * np.clip(time_s / 0.0006, 0.0, 1.0)
    return fade_edges(tone * shape[:, None], 0, RELEASE_SAMPLES)


def shaker(rng: np.random.Generator) -> Audio:
    """Soft-attack noise grain. Returns (n, 2)."""
    time_s = _times(0.09)
    noise = filtered(rng.standard_normal((len(time_s), 2)), "bandpass", 4500.0, rng.uniform(8000.0, 12000.0))
    shape = np.clip(time_s / 0.012, 0.0, 1.0) * np.exp(-time_s / rng.uniform(0.018, 0.035))
    return fade_edges(noise * shape[:, None], 0, RELEASE_SAMPLES)


def percussion(rng: np.random.Generator) -> Audio:
    """Rim, conga, tom or blip: one decaying tone with a random pitch fall. Returns (n, 2)."""
    time_s = _times(0.22)
    pitch_hz = float(np.exp(rng.uniform(np.log(180.0), np.log(1900.0))))
    fall = 1.0 + rng.uniform(0.0, 0.5) * np.exp(-time_s / 0.02)
    tone = np.sin(2.0 * np.pi * np.cumsum(pitch_hz * fall) / SAMPLE_RATE_HZ)
    tone += 0.3 * np.sin(2.0 * np.pi * rng.uniform(1.5, 2.7) * pitch_hz * time_s) * np.exp(-time_s / 0.01)
    tone *= np.exp(-time_s / (rng.uniform(8.0, 22.0) / np.sqrt(pitch_hz) * 0.1))
    return stereo(fade_edges(tone, 16, RELEASE_SAMPLES), rng.uniform(-0.5, 0.5))


def cymbal(rng: np.random.Generator, decay_s: float) -> Audio:
    """Crash or ride: wide bright noise with a metallic part. Returns (n, 2)."""
    time_s = _times(3.0 * decay_s)
    noise = rng.standard_normal((len(time_s), 2))
    for ratio in (1.0, 1.34, 1.79, 2.41, 3.07):
        noise += 0.2 * np.sign(np.sin(2.0 * np.pi * 1900.0 * ratio * time_s + rng.uniform(0, 6.28)))[:, None]
    tone = filtered(noise, "bandpass", 3200.0, 14500.0) * np.exp(-time_s / decay_s)[:, None]
    return fade_edges(tone, 20, len(tone) // 5)


def impact(rng: np.random.Generator) -> Audio:
    """Sub boom under a burst of dark noise, for the first beat of a drop or break. Returns (n, 2)."""
    time_s = _times(1.8)
    pitch = 38.0 + 60.0 * np.exp(-time_s / 0.12)
    boom = 0.5 * np.sin(2.0 * np.pi * np.cumsum(pitch) / SAMPLE_RATE_HZ) * np.exp(-time_s / 0.35)
    noise = filtered(rng.standard_normal((len(time_s), 2)), "lowpass", 3500.0) * np.exp(-time_s / 0.4)[:, None]
    return fade_edges(boom[:, None] + 0.7 * noise, 20, len(time_s) // 4)


def sweep(rng: np.random.Generator, seconds: float, rising: bool, tone_hz: float) -> Audio:
    """Riser (or its mirror image, the downlifter): filtered noise plus a gliding tone. Returns (n, 2)."""
    time_s = _times(seconds)
    progress = time_s / seconds
    curve = progress if rising else 1.0 - progress
    noise = rng.standard_normal((len(time_s), 2)).astype(np.float32)
    body = swept_lowpass(filtered(noise, "highpass", 500.0), 500.0 * 28.0**curve)
    glide = tone_hz * 2.0 ** (2.0 * curve)
    phase = np.cumsum(glide) / SAMPLE_RATE_HZ
    voices = [oscillator(phase * (1.0 + offset), "saw", 6.0 * tone_hz) for offset in (-0.004, 0.004)]
    tone = np.stack(voices, axis=1)
    shape = (0.1 + 0.9 * curve**1.6).astype(np.float32)
    mix = (0.5 * body + 0.22 * filtered(tone, "lowpass", 5000.0)) * shape[:, None]
    return fade_edges(mix, 400, int(0.012 * SAMPLE_RATE_HZ))


def drum_kit(kick_shape: KickShape, rng: np.random.Generator) -> dict[str, Audio]:
    """All one-shots of a track by name; each is scaled to a peak of 1."""
    kit = {
        "kick": kick(kick_shape, rng),
        "clap": clap(rng),
        "snare": snare(rng),
        "closed_hat": hat(rng, rng.uniform(0.018, 0.04)),
        "open_hat": hat(rng, rng.uniform(0.07, 0.15)),
        "shaker": shaker(rng),
        "perc_a": percussion(rng),
        "perc_b": percussion(rng),
        "ride": cymbal(rng, 0.16),
        "crash": cymbal(rng, 0.8),
        "impact": impact(rng),
    }
    return {name: saturate(shot, 0.0) / np.float32(np.abs(shot).max() + 1e-9) for name, shot in kit.items()}
