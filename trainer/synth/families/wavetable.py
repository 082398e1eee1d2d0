"""Scanned tables of random spectra: nothing that an analogue synthesiser would do, all within the same characters."""

from __future__ import annotations

import numpy as np

from .base import Part, log_uniform
from .tone import Resonance, Tone

SHAPES = ("hump", "hump", "digital", "sparse", "sync", "organ")


def _hump(rng: np.random.Generator, low_hz: float, high_hz: float) -> Resonance:
    return log_uniform(rng, low_hz, high_hz), float(rng.uniform(0.6, 1.6)), float(rng.uniform(0.2, 0.7))


def _tone(rng: np.random.Generator, shape: str = "") -> dict[str, object]:
    """Parameters that all characters draw alike."""
    return {
        "seed": int(rng.integers(1 << 30)),
        "shape": shape or str(rng.choice(SHAPES)),
        "tilt": float(rng.uniform(-0.2, 0.6)),
        "sync": (log_uniform(rng, 1.0, 4.0), log_uniform(rng, 2.0, 12.0)),
        "scatter": bool(rng.random() < 0.5),
        "voices": int(rng.integers(1, 5)),
        "detune_cents": log_uniform(rng, 3.0, 22.0),
        "attack_s": log_uniform(rng, 0.0008, 0.012),
        "decay_s": log_uniform(rng, 0.1, 0.9),
        "sustain": float(rng.uniform(0.4, 1.0)),
        "release_s": log_uniform(rng, 0.05, 0.25),
        "motion_decay_s": log_uniform(rng, 0.05, 0.7),
        "motion_rate": log_uniform(rng, 0.3, 8.0),
        "motion_attack_s": log_uniform(rng, 0.002, 0.1),
    }


def _part(numbers: dict[str, object], **own: object) -> Part:
    return Part("wavetable", Tone(**{**numbers, **own}), 0.0)  # type: ignore[arg-type]


def lead(rng: np.random.Generator, role: str) -> Part:
    """Open scanned tones, moved by an envelope, a slow swing or not at all."""
    cutoff = log_uniform(rng, 400.0, 3000.0), log_uniform(rng, 3000.0, 15000.0)
    return _part(_tone(rng), cutoff_hz=cutoff, motion=str(rng.choice(["env", "lfo", "ramp"])))


def stack(rng: np.random.Generator, role: str) -> Part:
    """Wide stacks for chords in place of saws."""
    return _part(
        _tone(rng, str(rng.choice(["hump", "digital"]))),
        voices=int(rng.integers(4, 8)),
        detune_cents=log_uniform(rng, 8.0, 30.0),
        cutoff_hz=(log_uniform(rng, 500.0, 2500.0), log_uniform(rng, 2500.0, 14000.0)),
        motion=str(rng.choice(["env", "lfo"])),
    )


def hollow(rng: np.random.Generator, role: str) -> Part:
    """Few harmonics, drawbars and gaps: what a square lead is used for."""
    return _part(
        _tone(rng, str(rng.choice(["sparse", "organ", "sync"]))),
        cutoff_hz=(1.0, log_uniform(rng, 1500.0, 9000.0)),
        glide_st=float(rng.choice([-2.0, 2.0, 7.0])) if rng.random() < 0.3 else 0.0,
        glide_s=0.02,
    )


def nasal(rng: np.random.Generator, role: str) -> Part:
    """A table with humps between 1 and 2.5 kHz and an instant attack."""
    vowels = tuple((_hump(rng, 950.0, 1500.0), _hump(rng, 1600.0, 2500.0)) for _ in range(2))
    return _part(
        _tone(rng, str(rng.choice(["hump", "digital", "sync"]))),
        tilt=-0.3,
        vowels=vowels,
        dry=float(rng.uniform(0.05, 0.25)),
        motion=str(rng.choice(["env", "lfo", "still"])),
        attack_s=0.0005,
        sustain=float(rng.uniform(0.7, 1.0)),
    )


def buzz(rng: np.random.Generator, role: str) -> Part:
    """A bright table that opens over 30 to 60 ms."""
    return _part(
        _tone(rng, str(rng.choice(["digital", "sync", "hump"]))),
        tilt=-float(rng.uniform(0.0, 0.3)),
        cutoff_hz=(log_uniform(rng, 150.0, 500.0), log_uniform(rng, 3000.0, 12000.0)),
        resonance=float(rng.random()),
        motion="env",
        motion_attack_s=float(rng.uniform(0.03, 0.06)),
    )


def pluck(rng: np.random.Generator, role: str) -> Part:
    """Digital plucks and glassy bells of harmonic partials."""
    decay_s = log_uniform(rng, 0.05, 0.35)
    return _part(
        _tone(rng),
        cutoff_hz=(log_uniform(rng, 250.0, 900.0), log_uniform(rng, 3000.0, 14000.0)),
        motion="env",
        motion_decay_s=decay_s,
        attack_s=0.001,
        decay_s=decay_s * float(rng.uniform(1.0, 2.5)),
        sustain=0.0,
    )


def keys(rng: np.random.Generator, role: str) -> Part:
    """Digital keyboards: few harmonics under a slowly closing filter."""
    life_s = log_uniform(rng, 0.3, 1.3)
    return _part(
        _tone(rng, str(rng.choice(["organ", "sparse", "hump"]))),
        tilt=float(rng.uniform(0.2, 1.0)),
        cutoff_hz=(log_uniform(rng, 300.0, 900.0), log_uniform(rng, 1500.0, 8000.0)),
        motion="env",
        motion_decay_s=0.6 * life_s,
        attack_s=0.001,
        decay_s=life_s,
        sustain=0.0,
    )


def pad(rng: np.random.Generator, role: str) -> Part:
    """Slowly scanned pads."""
    return _part(
        _tone(rng),
        voices=int(rng.integers(2, 6)),
        cutoff_hz=(log_uniform(rng, 300.0, 1500.0), log_uniform(rng, 1500.0, 9000.0)),
        motion=str(rng.choice(["lfo", "ramp"])),
        motion_rate=log_uniform(rng, 0.15, 1.5),
        motion_attack_s=log_uniform(rng, 0.4, 2.5),
        attack_s=log_uniform(rng, 0.03, 0.4),
        sustain=1.0,
        release_s=log_uniform(rng, 0.2, 0.7),
    )


def growl(rng: np.random.Generator, role: str) -> Part:
    """Tables that talk: humps which wander with the note."""
    vowels = tuple((_hump(rng, 250.0, 900.0), _hump(rng, 900.0, 3200.0)) for _ in range(int(rng.integers(2, 5))))
    return _part(
        _tone(rng, str(rng.choice(["saw", "hump", "digital"]))),
        vowels=vowels,
        dry=float(rng.uniform(0.05, 0.4)),
        motion="cycles",
        motion_rate=float(rng.choice([0.5, 1.0, 1.5, 2.0, 3.0])),
        release_s=0.06,
    )


def reese(rng: np.random.Generator, role: str) -> Part:
    """Detuned tables, low and wide."""
    return _part(
        _tone(rng, str(rng.choice(["hump", "digital"]))),
        voices=int(rng.integers(2, 5)),
        detune_cents=log_uniform(rng, 8.0, 28.0),
        cutoff_hz=(log_uniform(rng, 150.0, 400.0), log_uniform(rng, 400.0, 2500.0)),
        track=0.0,
        motion=str(rng.choice(["lfo", "ramp"])),
        attack_s=log_uniform(rng, 0.002, 0.03),
    )


def bass(rng: np.random.Generator, role: str) -> Part:
    """Short digital basses with a falling cutoff."""
    decay_s = log_uniform(rng, 0.05, 0.25)
    return _part(
        _tone(rng),
        voices=1,
        cutoff_hz=(log_uniform(rng, 120.0, 300.0), log_uniform(rng, 500.0, 4000.0)),
        track=0.1,
        motion="env",
        motion_attack_s=0.002,
        motion_decay_s=decay_s,
        decay_s=2.0 * decay_s,
        sustain=float(rng.uniform(0.0, 0.7)),
        release_s=0.06,
    )


def swell(rng: np.random.Generator, role: str) -> Part:
    """Digital basses that come in over 20 to 40 ms."""
    return _part(
        _tone(rng),
        cutoff_hz=(log_uniform(rng, 120.0, 300.0), log_uniform(rng, 500.0, 3500.0)),
        track=0.1,
        motion="env",
        motion_attack_s=float(rng.uniform(0.02, 0.06)),
        attack_s=float(rng.uniform(0.02, 0.04)),
        sustain=1.0,
        release_s=0.06,
    )


def smooth(rng: np.random.Generator, role: str) -> Part:
    """Rounded basses of few harmonics."""
    return _part(
        _tone(rng, str(rng.choice(["organ", "hump", "sparse"]))),
        voices=1,
        cutoff_hz=(1.0, log_uniform(rng, 120.0, 500.0)),
        track=0.2,
        poles=3,
        release_s=0.08,
    )
