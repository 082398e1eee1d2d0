"""Test signals with known beats, made of plain numpy. Not a test itself."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from housex_blender.analysis.features import Features, FeatureStream

RATE_HZ = 22050
Samples = NDArray[np.float32]
Times = NDArray[np.float64]


def beats_for(bpm_per_bar: Times, first_s: float) -> Times:
    """Beat times, four per bar, and the end of the last bar."""
    steps = np.repeat(60.0 / bpm_per_bar, 4)
    return first_s + np.concatenate([[0.0], np.cumsum(steps)])


def kick() -> Samples:
    """A pitch sweep with a click, 0.25 s."""
    t = np.arange(int(0.25 * RATE_HZ)) / RATE_HZ
    body = np.sin(2 * np.pi * np.cumsum(50.0 + 150.0 * np.exp(-t / 0.02)) / RATE_HZ) * np.exp(-t / 0.12)
    click = np.random.default_rng(1).standard_normal(len(t)) * np.exp(-t / 0.003) * 0.3
    return (body + click).astype(np.float32)


def noise_hit(decay_s: float, gain: float, seed: int = 2) -> Samples:
    """A hat or a clap: bright noise that dies away."""
    t = np.arange(int(0.2 * RATE_HZ)) / RATE_HZ
    noise = np.diff(np.random.default_rng(seed).standard_normal(len(t) + 1))
    return (gain * noise * np.exp(-t / decay_s)).astype(np.float32)


def tone(hz: float, seconds: float, gain: float, partials: int = 6) -> Samples:
    """A dull saw with soft ends."""
    t = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    wave = sum(np.sin(2 * np.pi * hz * k * t) / k for k in range(1, partials + 1))
    ends = np.minimum(np.minimum(t / 0.01, (seconds - t) / 0.01), 1.0).clip(0.0)
    return (gain * wave * ends).astype(np.float32)


def add(out: Samples, sound: Samples, time_s: float) -> None:
    """Mix a sound in at a time; what falls outside is dropped."""
    at = round(time_s * RATE_HZ)
    sound = sound[max(0, -at) :]
    at = max(at, 0)
    room = out[at : at + len(sound)]
    room += sound[: len(room)]


def house(
    sections: list[str],
    beats_s: Times,
    *,
    key_hz: float = 55.0,
    bass: bool = True,
    seed: int = 0,
    kicks: tuple[float, ...] = (0.0, 1.0, 2.0, 3.0),
    claps: tuple[float, ...] = (1.0, 3.0),
) -> Samples:
    """House of plain sounds: a section name per bar, beats as from :func:`beats_for`; "hats" has no kick."""
    rng = np.random.default_rng(seed)
    out = np.zeros(int((beats_s[-1] + 0.5) * RATE_HZ), np.float32)
    drum, hat, clap = 0.8 * kick(), noise_hit(0.05, 0.15), noise_hit(0.09, 0.2, 3)
    stabs = rng.random(16) < 0.4
    for bar, section in enumerate(sections):
        root = key_hz * 2.0 ** ([0, 3, -4, -2][(bar // 2) % 4] / 12.0)
        start_s, end_s = beats_s[4 * bar], beats_s[4 * bar + 4]
        beat_s = (end_s - start_s) / 4
        if section in ("intro", "drop", "outro"):
            for place in kicks:
                add(out, drum, start_s + place * beat_s)
        if section == "drop":
            for place in claps:
                add(out, clap, start_s + place * beat_s)
        for beat in range(4):
            time_s, half_s = beats_s[4 * bar + beat], (beats_s[4 * bar + beat + 1] - beats_s[4 * bar + beat]) / 2
            if section in ("drop", "outro", "hats"):
                add(out, hat, time_s + half_s)
            if section in ("drop", "hats") and bass:
                add(out, tone(root, 0.8 * half_s, 0.25), time_s + half_s)
            if section == "build":
                for hit in range(1 + bar % 8 // 2):
                    add(out, clap * (0.4 + 0.1 * (bar % 8)), time_s + 2 * half_s * hit / (1 + bar % 8 // 2))
        if section in ("break", "build", "drop"):
            for ratio in (4.0, 4.757, 5.993):
                add(out, tone(root * ratio, end_s - start_s, 0.05, 8), start_s)
        if section == "drop":
            for step in np.flatnonzero(stabs):
                add(out, tone(root * 8, 0.09, 0.12, 10), start_s + (end_s - start_s) * step / 16)
    out += (0.001 * rng.standard_normal(len(out))).astype(np.float32)
    return (0.6 * out).astype(np.float32)


FORM = ["intro"] * 8 + ["break"] * 8 + ["build"] * 8 + ["drop"] * 16 + ["break"] * 8 + ["build"] * 8 + ["drop"] * 16
FORM += ["outro"] * 8


def measured(samples: Samples) -> Features:
    """Features of samples at RATE_HZ, pushed ten seconds at a time."""
    stream = FeatureStream()
    for start in range(0, len(samples), 10 * RATE_HZ):
        stream.push(samples[start : start + 10 * RATE_HZ])
    return stream.finish()
