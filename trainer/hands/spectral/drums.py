"""Drums: noise whose spectrum is drawn and whose bands die at their own speed, and swept sines. Zone: trainer."""

from __future__ import annotations

import numpy as np
from scipy import fft

from .tones import RATE_HZ, Audio, Painter, Rng


def _bands(rng: Rng, painter: Painter, length_s: float, bands: list[tuple[float, float, float, float]]) -> Audio:
    """(2, n) noise as the sum of bands (centre Hz, octaves, gain, decay s), half shared by the two sides."""
    count = int(length_s * RATE_HZ)
    size = fft.next_fast_len(count, True)
    hz = np.arange(size // 2 + 1) * RATE_HZ / size
    time_s = np.arange(count) / RATE_HZ
    out = np.zeros((2, count))
    octave = np.log2(np.maximum(hz, 10.0))
    for centre, width, gain, decay in bands:
        drawn = np.exp(-0.5 * ((octave - np.log2(centre)) / width) ** 2) * painter.colour(hz)
        noise = rng.standard_normal((3, len(hz), 2)).view(complex)[..., 0]
        sides = fft.irfft((noise[:1] + 0.6 * noise[1:]) * drawn, size, axis=1)[:, :count]
        out += sides / (np.sqrt((sides**2).mean()) + 1e-12) * gain * np.exp(-time_s / decay)
    out[:, :30] *= np.linspace(0, 1, 30)
    out[:, -200:] *= np.linspace(1, 0, 200)
    return (out / (np.abs(out).max() + 1e-9)).astype(np.float32)


def _partials(rng: Rng, count: int, low_hz: float, high_hz: float, decay_s: float) -> Audio:
    """(2, n) bank of free partials, each with its own decay: rims, blocks, bells, toms."""
    time_s = np.arange(int(min(decay_s * 6, 1.2) * RATE_HZ)) / RATE_HZ
    base = np.exp(rng.uniform(np.log(low_hz), np.log(high_hz)))
    out = np.zeros(len(time_s))
    for n in range(count):
        ratio = 1.0 if n == 0 else rng.uniform(1.2, 1.0 + 1.5 * n)
        decay = decay_s / ratio**0.5 * rng.uniform(0.6, 1.2)
        out += np.sin(2 * np.pi * base * ratio * time_s + rng.uniform(0, 6)) * np.exp(-time_s / decay) / (n + 1)
    out *= np.clip(time_s / 0.001, 0, 1)
    out[-100:] *= np.linspace(1, 0, 100)
    pan = rng.uniform(0.6, 1.0)
    return (np.stack([out, out * pan]) / np.abs(out).max()).astype(np.float32)


def kick(rng: Rng, weight: str, root_midi: int) -> Audio:
    """(2, n) a swept sine. weight: heavy (long, driven, tail tuned to root_midi), punchy or light."""
    low, high, drive = {"heavy": (0.28, 0.42, 0.75), "punchy": (0.16, 0.3, 0.3), "light": (0.1, 0.2, 0.1)}[weight]
    body = rng.uniform(low, high)
    count = int((body + 0.08) * RATE_HZ)
    time_s = np.arange(count) / RATE_HZ
    bottom = rng.uniform(44, 58)
    if weight == "heavy":
        bottom = 440.0 * 2.0 ** ((root_midi % 12 + 24 + 12 * (root_midi % 12 < 7) - 69) / 12)
    pitch = bottom + rng.uniform(90, 260) * np.exp(-time_s / rng.uniform(0.012, 0.04))
    pitch += rng.uniform(300, 2500) * np.exp(-time_s / rng.uniform(0.002, 0.006))
    hold = np.clip((body - time_s) / (body * rng.uniform(0.3, 0.95)), 0, 1) ** rng.uniform(0.6, 1.6)
    out = np.sin(2 * np.pi * np.cumsum(pitch) / RATE_HZ + rng.uniform(0, 1)) * hold
    push = 1.0 + 8.0 * np.clip(drive + rng.uniform(-0.2, 0.2), 0, 1)
    out = np.tanh(out * push) / np.tanh(push)
    out += rng.uniform(0.02, 0.3) * rng.standard_normal(count) * np.exp(-time_s / rng.uniform(0.001, 0.006))
    out[:20] *= np.linspace(0, 1, 20)
    out *= np.clip((body + 0.07 - time_s) / 0.02, 0, 1)
    return np.stack([out, out]).astype(np.float32) / np.float32(np.abs(out).max())


def make_kit(rng: Rng, painter: Painter, weight: str, root_midi: int) -> dict[str, Audio]:
    """Every drum of a track by name, (2, n) with peak about 1."""
    u = rng.uniform
    kit = {"kick": kick(rng, weight, root_midi)}
    tight = u(0.03, 0.09)
    kit["closed"] = _bands(
        rng, painter, 0.15, [(u(6000, 11000), u(0.2, 0.7), 1, tight * 0.5), (13000, 0.4, 0.5, tight)]
    )
    kit["open"] = _bands(rng, painter, 0.45, [(u(5000, 10000), u(0.3, 0.8), 1, u(0.08, 0.2)), (12500, 0.4, 0.7, 0.12)])
    kit["shaker"] = _bands(rng, painter, 0.12, [(u(4500, 9000), u(0.2, 0.5), 1, u(0.02, 0.05))])
    kit["shaker"][:, :700] *= np.linspace(0, 1, 700, dtype=np.float32)
    kit["ride"] = _bands(
        rng, painter, 0.6, [(u(4000, 8000), 0.6, 1, 0.2), (u(2800, 6300), 0.08, 0.4, 0.25), (11000, 0.5, 0.4, 0.1)]
    )
    kit["crash"] = _bands(
        rng,
        painter,
        2.4,
        [(u(4000, 8000), 0.9, 1, u(0.4, 0.9)), (u(1500, 3000), 0.6, 0.4, 0.25), (12000, 0.5, 0.6, 0.5)],
    )
    clap = _bands(
        rng,
        painter,
        0.4,
        [(u(1000, 2200), u(0.3, 0.7), 1, u(0.03, 0.1)), (u(3500, 8000), 0.7, u(0.2, 0.7), u(0.04, 0.12))],
    )
    for delay_s in np.cumsum(rng.uniform(0.006, 0.013, int(rng.integers(0, 4)))):
        shift = int(delay_s * RATE_HZ)
        clap[:, shift:] += 0.8 * clap[:, :-shift]
    kit["clap"] = clap / np.abs(clap).max()
    snare = _bands(rng, painter, 0.35, [(u(2500, 6000), 1.0, 1, u(0.05, 0.14)), (u(900, 1800), 0.5, 0.5, 0.05)])
    tone = _partials(rng, 2, 160, 260, u(0.04, 0.09))
    width = min(snare.shape[1], tone.shape[1])
    snare[:, :width] += tone[:, :width] * u(0.3, 1.0)
    kit["snare"] = snare / np.abs(snare).max()
    kit["rim"] = _partials(rng, 4, 600, 1900, u(0.01, 0.03))
    kit["perc"] = _partials(rng, int(rng.integers(2, 6)), 220, 1400, u(0.03, 0.12))
    kit["tom"] = _partials(rng, 2, 80, 180, u(0.1, 0.2))
    return kit


def riser(rng: Rng, seconds: float) -> Audio:
    """(2, n) noise whose drawn band climbs from about 300 Hz to 10 kHz and swells."""
    count = int(seconds * RATE_HZ)
    walk = np.linspace(0, 1, count, dtype=np.float32)
    loop = 1 << 15
    hz = np.arange(loop // 2 + 1) * RATE_HZ / loop
    out = np.zeros((2, count), np.float32)
    for step in range(5):
        centre = 300 * 2.3**step * rng.uniform(0.9, 1.2)
        drawn = np.exp(-0.5 * (np.log2(np.maximum(hz, 10) / centre) / 0.5) ** 2)
        noise = fft.irfft(rng.standard_normal((2, len(hz), 2)).view(complex)[..., 0] * drawn, loop, axis=1)
        noise = (noise / noise.std()).astype(np.float32)
        weight = np.clip(1 - np.abs(walk * 4 - step), 0, 1)
        for side in range(2):
            out[side] += weight * np.resize(noise[side], count)
    out *= 0.25 * walk ** np.float32(rng.uniform(1.0, 2.5))
    if rng.random() < 0.4:
        rise_hz = 200 * np.exp2(walk.astype(float) * rng.uniform(2, 3.5))
        out += (0.12 * walk * np.sin(2 * np.pi * np.cumsum(rise_hz) / RATE_HZ)).astype(np.float32)
    return out
