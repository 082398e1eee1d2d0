"""Drum machine: circuits with random parts, and rows of steps with accents and probability. Zone: trainer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from trainer.hands.groovebox.machine import SAMPLE_RATE_HZ, Rng, Sound, drive
from trainer.synth.dsp import add_at, filtered

METAL_HZ = np.array([205.3, 304.4, 369.6, 522.7, 540.0, 800.0])


def euclid(hits: int, steps: int, turn: int = 0) -> NDArray[np.bool_]:
    """(steps,) with the hits spread as evenly as can be, turned by some steps."""
    return np.roll((np.arange(steps) * hits) % steps < hits, turn)


def _time(seconds: float) -> NDArray[np.float64]:
    return np.arange(int(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ


def kick(rng: Rng, weight: str, tune_hz: float) -> Sound:
    """Bass drum (n,), peak 1. weight: light, soft, heavy (a hot tail with a pitch, at tune_hz) or any."""
    base = float(rng.uniform(44, 58)) if weight != "heavy" else tune_hz
    decay = {"light": rng.uniform(0.035, 0.06), "soft": rng.uniform(0.06, 0.12), "heavy": rng.uniform(0.12, 0.2)}.get(
        weight, rng.uniform(0.04, 0.14)
    )
    time = _time(min(0.46, 4.5 * float(decay)))
    fall = rng.uniform(0.012, 0.045)
    sweep = base * (1 + rng.uniform(2.0, 6.0) * np.exp(-time / fall) + rng.uniform(0, 14) * np.exp(-time / 0.004))
    body = np.sin(2 * np.pi * np.cumsum(sweep) / SAMPLE_RATE_HZ) * np.exp(-np.maximum(time - 0.03, 0) / (decay * 1.4))
    heat = {"heavy": rng.uniform(3, 9), "soft": rng.uniform(0.5, 1.2)}.get(weight, rng.uniform(0.6, 4))
    click = rng.standard_normal(len(time)) * np.exp(-time / rng.uniform(0.001, 0.006))
    click = filtered(click, "highpass", float(rng.uniform(900, 5000))) * (
        0.1 if weight == "soft" else rng.uniform(0.1, 0.5)
    )
    shot = np.tanh(heat * body) + click
    shot *= np.clip((time[-1] - time) / 0.03, 0, 1)
    return (shot / np.abs(shot).max()).astype(np.float32)


def noise_shot(rng: Rng, kind: str) -> Sound:
    """Percussion (n,), peak 1. kind: clap, snare, closed, open, ride, shaker, rim, bell, tom, zap, wood or crash."""
    length, decay = {
        "clap": (0.35, rng.uniform(0.04, 0.12)), "snare": (0.3, rng.uniform(0.04, 0.11)),
        "closed": (0.09, rng.uniform(0.01, 0.03)), "open": (0.25, rng.uniform(0.05, 0.12)),
        "ride": (0.4, rng.uniform(0.08, 0.2)), "shaker": (0.1, rng.uniform(0.015, 0.04)),
        "rim": (0.06, rng.uniform(0.005, 0.015)), "bell": (0.25, rng.uniform(0.03, 0.1)),
        "tom": (0.3, rng.uniform(0.05, 0.12)), "zap": (0.15, rng.uniform(0.02, 0.05)),
        "wood": (0.1, rng.uniform(0.01, 0.03)), "crash": (1.8, rng.uniform(0.3, 0.7)),
    }[kind]  # fmt: skip
    time = _time(length)
    noise = rng.standard_normal(len(time))
    fade = np.exp(-time / decay)
    if kind == "clap":
        gap = rng.uniform(0.007, 0.013)
        bursts = sum(np.exp(-np.maximum(time - k * gap, 0) / 0.004) * (time >= k * gap) for k in range(3))
        low = float(rng.uniform(600, 1500))
        shot = filtered(noise, "bandpass", low, low * rng.uniform(2.2, 5)) * (bursts + fade * rng.uniform(0.5, 1.2))
    elif kind == "snare":
        tone = np.sin(2 * np.pi * rng.uniform(150, 260) * (time + 0.02 * np.exp(-time / 0.02)))
        snap = filtered(noise, "highpass", float(rng.uniform(900, 3500)))
        shot = tone * np.exp(-time / 0.05) * rng.uniform(0.3, 1.2) + snap * fade
    elif kind in ("closed", "open", "ride", "crash", "shaker"):
        metal = np.sign(np.sin(2 * np.pi * np.outer(METAL_HZ * rng.uniform(0.8, 2.2), time))).mean(axis=0)
        blend = rng.random() if kind in ("closed", "open", "ride") else 0.05
        low = {"ride": rng.uniform(3500, 6000), "crash": rng.uniform(2500, 4500)}.get(kind, rng.uniform(5000, 9000))
        shot = filtered(blend * 2.5 * metal + (1 - blend) * noise, "highpass", float(low), order=3) * fade
        if kind == "shaker":
            shot = shot * np.minimum(time / 0.015, 1)
    elif kind == "zap":
        shot = (
            np.sin(2 * np.pi * np.cumsum(rng.uniform(200, 900) * (1 + 7 * np.exp(-time / 0.02))) / SAMPLE_RATE_HZ)
            * fade
        )
    else:
        pitch = {"tom": rng.uniform(80, 220), "rim": rng.uniform(900, 1900), "bell": rng.uniform(450, 650)}.get(
            kind, rng.uniform(250, 1100)
        )
        bend = pitch * (1 + 0.5 * (kind == "tom") * np.exp(-time / 0.04))
        turn = 2 * np.pi * np.cumsum(bend) / SAMPLE_RATE_HZ
        shot = (np.sin(turn + rng.uniform(0, 2) * np.sin(turn * rng.choice([1.48, 1.6, 2.3]))) + 0.1 * noise) * fade
    if kind in ("clap", "snare") and rng.random() < 0.6:
        room = rng.standard_normal(len(time)) * np.exp(-time / 0.06)
        wet = filtered(signal.fftconvolve(shot, room)[: len(time)], "lowpass", 6000.0)
        shot = shot + wet / np.abs(wet).max() * np.abs(shot).max() * 0.3
    shot = shot * np.clip((time[-1] - time) / (0.2 * length), 0, 1)
    return (shot / np.abs(shot).max()).astype(np.float32)


def place(bus: Sound, shot: Sound, at_frames: float, gain: float, pan: float = 0.0) -> None:
    """Add a mono shot to an (n, 2) bus; pan -1 to 1."""
    sides = np.array([min(1.0, 1 - pan), min(1.0, 1 + pan)], np.float32)
    add_at(bus, shot[:, None] * sides, round(at_frames), gain)


def _rows(rng: Rng, genre: str) -> list[tuple[str, NDArray[np.float64], float, float, float]]:
    """The rows above the kick: (shot, accent per 1/16 step, chance of each step, level, pan)."""
    busy = rng.uniform(0.2, 0.9) + (0.3 if genre == "Tech House" else -0.2 if genre == "Deep House" else 0)
    soft = 0.6 if genre == "Deep House" else 1.0
    back = np.zeros(16)
    back[[4, 12]] = 1
    rows = []
    if rng.random() < 0.92:
        rows.append(("clap" if rng.random() < 0.65 else "snare", back, 1.0, rng.uniform(0.3, 0.6) * soft, 0.0))
    if rng.random() < 0.4:
        rows.append(("snare", back, 1.0, rng.uniform(0.15, 0.4) * soft, 0.0))
    if rng.random() < 0.75:
        rows.append(("open", np.tile([0.0, 0, 1, 0], 4), 1.0, rng.uniform(0.1, 0.32) * soft, rng.uniform(-0.2, 0.2)))
    if rng.random() < 0.5 + 0.4 * busy:
        grid = (
            np.tile(rng.choice([0.0, 0.4, 0.7, 1.0], 4), 4) if rng.random() < 0.6 else rng.choice([0, 0.5, 1], 16) * 1.0
        )
        rows.append(("closed", grid, rng.uniform(0.7, 1), rng.uniform(0.08, 0.25), rng.uniform(-0.3, 0.3)))
    if rng.random() < busy:
        rows.append(("shaker", np.tile([0.5, 0.3, 1.0, 0.3], 4), 0.95, rng.uniform(0.06, 0.18), rng.uniform(-0.4, 0.4)))
    if rng.random() < (0.55 if genre == "Future Rave" else 0.25):
        rows.append(("ride", np.tile([1.0, 0, 0.7, 0], 4), 1.0, rng.uniform(0.08, 0.2), 0.15))
    for _ in range(int(rng.poisson(1.6 * busy))):
        ring = euclid(int(rng.integers(2, 8)), 16, int(rng.integers(16))) * rng.choice([0.5, 0.8, 1.0], 16)
        name = str(rng.choice(["rim", "bell", "tom", "zap", "wood", "shaker", "closed"]))
        rows.append((name, ring, rng.uniform(0.5, 1), rng.uniform(0.08, 0.28) * soft, rng.uniform(-0.6, 0.6)))
    # one row at least, so that no intro is silent
    return rows or [("closed", np.tile([0.5, 0.3, 1.0, 0.3], 4), 1.0, 0.2, 0.0)]


def play_drums(
    rng: Rng,
    genre: str,
    sections: tuple[str, ...],
    kicks: NDArray[np.bool_],
    beat_frames: float,
    tune_hz: float,
    swing: float,
) -> tuple[Sound, Sound]:
    """Drums over a whole excerpt.

    sections: per bar; kicks: (4 * bars,) beats with a kick; beat_frames: samples in a beat; tune_hz: of a heavy kick;
    swing: shift of every second 1/16 in beats. Returns the kick (n, 2) and everything else (n, 2).
    """
    bars = len(sections)
    low = np.zeros((round(4 * bars * beat_frames), 2), np.float32)
    bus = np.zeros_like(low)
    typical = {"Bigroom": "heavy", "Tech House": "light", "Deep House": "soft"}.get(genre, "any")
    weight = typical if typical == "heavy" or rng.random() < 0.7 else str(rng.choice(["light", "soft", "any"]))
    boom = kick(rng, weight, tune_hz)
    for beat in np.flatnonzero(kicks):
        place(low, boom, beat * beat_frames, 0.8)
    rows = _rows(rng, genre)
    shots = [noise_shot(rng, name) for name, *_ in rows]
    thin = rng.random(len(rows)) < 0.5
    thin[int(rng.integers(len(rows)))] = False
    crash, roll_shot = noise_shot(rng, "crash"), noise_shot(rng, str(rng.choice(["snare", "clap", "tom"])))
    crash_level, fill_chance = rng.uniform(0.15, 0.35), rng.uniform(0.2, 0.8)
    first = sections.index("drop")
    builds = sections.count("build")
    for bar, section in enumerate(sections):
        at = bar * 4 * beat_frames
        if (
            bar
            and (section != sections[bar - 1] or (section == "drop" and (bar - first) % 8 == 0))
            and section != "build"
        ):
            place(bus, crash, at, crash_level)
        for (_, grid, chance, level, pan), shot, hush in zip(rows, shots, thin, strict=True):
            if section in ("break", "build") and (hush or section == "build" or level > 0.28):
                continue
            if section in ("intro", "outro") and hush and bar % 8 < 4:
                continue
            played = np.flatnonzero((grid > 0) & (rng.random(16) < chance))
            for step in played:
                place(bus, shot, at + (step / 4 + swing * (step % 2)) * beat_frames, level * grid[step], pan)
        if section == "build":
            part = (bar - first + builds) / builds
            gap = 1.0 if part < 0.4 else 0.5 if part < 0.7 else 0.25
            for index, spot in enumerate(np.arange(0, 4, gap)):
                place(bus, roll_shot, at + spot * beat_frames, (0.12 + 0.3 * part) * (0.8 + 0.2 * (index % 2)))
        elif section == "drop" and (bar - first) % 4 == 3 and rng.random() < fill_chance:
            for step in rng.choice(np.arange(12, 16), int(rng.integers(2, 5)), replace=False):
                place(bus, roll_shot, at + step / 4 * beat_frames, float(rng.uniform(0.2, 0.4)))
    if builds:
        start, end = round((first - builds) * 4 * beat_frames), round(first * 4 * beat_frames)
        ramp = np.linspace(0, 1, end - start, dtype=np.float32)
        hiss = rng.standard_normal(end - start).astype(np.float32)
        rise = (
            filtered(hiss, "highpass", 5000.0) * ramp + filtered(hiss, "bandpass", 700.0, 4000.0) * (1 - ramp)
        ) * ramp
        bus[start:end] += (rise * np.float32(rng.uniform(0.05, 0.16)))[:, None]
    if rng.random() < 0.4:
        bus = drive(bus, float(rng.uniform(0.02, 0.12)), "tanh") * np.float32(np.sqrt(np.mean(bus**2)) * 2)
    return low, bus
