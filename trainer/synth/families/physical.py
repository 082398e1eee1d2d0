"""Acoustic instruments: strings, reeds, pipes and bars, by harmonics that age and by struck partials."""

from __future__ import annotations

import numpy as np

from .base import Part, log_uniform
from .fm import Modal
from .tone import Resonance, Tone


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(1 << 30))


def _body(rng: np.random.Generator, low_hz: float, high_hz: float, count: int) -> tuple[Resonance, ...]:
    """Resonances of a wooden or brass body."""
    return tuple(
        (log_uniform(rng, low_hz, high_hz), float(rng.uniform(0.3, 1.3)), float(rng.uniform(0.2, 0.9)))
        for _ in range(count)
    )


def _plucked(rng: np.random.Generator, **own: object) -> Part:
    numbers: dict[str, object] = {
        "seed": _seed(rng),
        "shape": str(rng.choice(["saw", "pulse", "pulse"])),
        # Plucking near the bridge leaves gaps in the harmonics, as a narrow pulse does.
        "pulse": (float(rng.uniform(0.08, 0.45)),) * 2,
        "tilt": float(rng.uniform(0.0, 0.6)),
        "vowels": (_body(rng, 90.0, 3000.0, 4),),
        "dry": float(rng.uniform(0.3, 1.0)),
        "string_s": log_uniform(rng, 0.3, 1.5),
        "damping": log_uniform(rng, 0.08, 0.5),
        "motion": "age",
        "scatter": True,
        "voices": int(rng.integers(1, 4)),
        "detune_cents": float(rng.uniform(1.0, 7.0)),
        "width": float(rng.uniform(0.2, 0.9)),
        "attack_s": 0.0008,
        "release_s": log_uniform(rng, 0.06, 0.3),
        "noise": float(rng.uniform(0.05, 0.6)),
        "noise_hz": (1200.0, float(rng.uniform(4000.0, 9000.0))),
        "noise_s": log_uniform(rng, 0.003, 0.012),
    }
    return Part("physical", Tone(**{**numbers, **own}), 1.0)  # type: ignore[arg-type]


def guitar(rng: np.random.Generator, role: str) -> Part:
    """Nylon to steel strings, single or doubled."""
    return _plucked(rng)


def piano(rng: np.random.Generator, role: str) -> Part:
    """Three struck strings a note, soft to bright, with the thud of the hammer."""
    return _plucked(
        rng,
        shape="saw",
        tilt=float(rng.uniform(0.1, 1.0)),
        string_s=log_uniform(rng, 0.5, 2.0),
        damping=log_uniform(rng, 0.12, 0.45),
        voices=3,
        detune_cents=float(rng.uniform(0.6, 6.0)),
        noise_hz=(250.0, float(rng.uniform(1500.0, 5000.0))),
        noise_s=log_uniform(rng, 0.006, 0.02),
    )


def tines(rng: np.random.Generator, role: str) -> Part:
    """Electromechanical pianos: a rod with a bright second mode."""
    partials = (
        (1.0, 1.0, log_uniform(rng, 0.5, 1.5)),
        (2.0, float(rng.uniform(0.1, 0.6)), log_uniform(rng, 0.2, 0.7)),
        (3.0, float(rng.uniform(0.0, 0.3)), log_uniform(rng, 0.1, 0.4)),
        (float(rng.uniform(6.8, 9.5)), float(rng.uniform(0.05, 0.35)), log_uniform(rng, 0.02, 0.12)),
    )
    modal = Modal(_seed(rng), partials, float(rng.uniform(0.0, 0.2)), float(rng.uniform(0.0, 5.0)), 0.15)
    return Part("physical", modal, 0.5)


def mallet(rng: np.random.Generator, role: str) -> Part:
    """Marimbas, vibraphones, music boxes, kalimbas."""
    stiff = float(rng.choice([3.0, 3.93, 4.0, 5.4]))
    life_s = log_uniform(rng, 0.1, 1.2)
    partials = (
        (1.0, 1.0, life_s),
        (stiff, float(rng.uniform(0.1, 0.5)), life_s * float(rng.uniform(0.1, 0.5))),
        (stiff * float(rng.uniform(2.2, 2.8)), float(rng.uniform(0.02, 0.25)), life_s * float(rng.uniform(0.03, 0.2))),
    )
    modal = Modal(_seed(rng), partials, log_uniform(rng, 0.02, 0.5), float(rng.uniform(0.0, 4.0)), 0.3)
    return Part("physical", modal, 1.0)


def strings(rng: np.random.Generator, role: str) -> Part:
    """Bowed solo strings and sections with body resonances, vibrato and bow noise."""
    solo = rng.random() < 0.3
    short = role in ("stab", "arp")
    return Part(
        "physical",
        Tone(
            seed=_seed(rng),
            shape="saw",
            tilt=float(rng.uniform(-0.1, 0.5)),
            vowels=(_body(rng, 250.0, 4000.0, 5), _body(rng, 250.0, 4000.0, 5)),
            dry=float(rng.uniform(0.1, 0.5)),
            scatter=True,
            motion="lfo",
            motion_rate=log_uniform(rng, 0.2, 4.0),
            voices=1 if solo else int(rng.integers(4, 8)),
            detune_cents=log_uniform(rng, 6.0, 20.0),
            vibrato_cents=float(rng.uniform(6.0, 22.0)),
            vibrato_hz=float(rng.uniform(4.8, 6.5)),
            attack_s=log_uniform(rng, 0.006, 0.02) if short else log_uniform(rng, 0.015, 0.12),
            release_s=log_uniform(rng, 0.08, 0.35),
            noise=log_uniform(rng, 0.01, 0.12),
            noise_hz=(2000.0, 8000.0),
        ),
        1.0,
    )


def _blown(rng: np.random.Generator, **own: object) -> Part:
    numbers: dict[str, object] = {
        "seed": _seed(rng),
        "motion": "ramp",
        "motion_attack_s": log_uniform(rng, 0.015, 0.09),
        "motion_floor": 0.25,
        "vibrato_cents": float(rng.uniform(4.0, 25.0)),
        "vibrato_hz": float(rng.uniform(4.5, 6.5)),
        "attack_s": log_uniform(rng, 0.003, 0.03),
        "release_s": log_uniform(rng, 0.04, 0.15),
        "noise": log_uniform(rng, 0.01, 0.15),
    }
    return Part("physical", Tone(**{**numbers, **own}), 1.0)  # type: ignore[arg-type]


def reed(rng: np.random.Generator, role: str) -> Part:
    """Double reeds: oboe to suona, with strong resonances between 1 and 2.5 kHz."""
    bodies = _body(rng, 1000.0, 1600.0, 1) + _body(rng, 1600.0, 2500.0, 1) + _body(rng, 2800.0, 4500.0, 1)
    return _blown(
        rng,
        shape="pulse",
        pulse=(float(rng.uniform(0.06, 0.2)),) * 2,
        tilt=-0.2,
        vowels=(bodies,),
        dry=0.12,
        voices=int(rng.integers(1, 4)),
        detune_cents=float(rng.uniform(3.0, 14.0)),
        attack_s=0.0008,
    )


def clarinet(rng: np.random.Generator, role: str) -> Part:
    """Hollow pipes with odd harmonics."""
    cutoff = log_uniform(rng, 400.0, 900.0), log_uniform(rng, 1500.0, 5000.0)
    return _blown(rng, shape=str(rng.choice(["square", "pulse"])), pulse=(0.42, 0.5), cutoff_hz=cutoff)


def flute(rng: np.random.Generator, role: str) -> Part:
    """Flutes, pan pipes and whistles with breath."""
    return _blown(
        rng,
        shape="soft",
        tilt=float(rng.uniform(0.2, 1.4)),
        cutoff_hz=(500.0, log_uniform(rng, 1500.0, 5000.0)),
        track=1.0,
        noise=log_uniform(rng, 0.05, 0.5),
        noise_hz=(1200.0, 6000.0),
    )


def brass(rng: np.random.Generator, role: str) -> Part:
    """Horns and sections whose brightness follows the breath."""
    cutoff = log_uniform(rng, 250.0, 700.0), log_uniform(rng, 1800.0, 8000.0)
    return _blown(
        rng, shape="saw", cutoff_hz=cutoff, voices=int(rng.integers(1, 5)), detune_cents=float(rng.uniform(4.0, 14.0))
    )


def organ(rng: np.random.Generator, role: str) -> Part:
    """Pipe organs and harmoniums: steady drawn stops with wind noise."""
    return _blown(
        rng, shape="organ", tilt=float(rng.uniform(-0.1, 0.5)), motion="still", vibrato_cents=0.0,
        voices=int(rng.integers(1, 4)), detune_cents=float(rng.uniform(2.0, 8.0)), noise_hz=(600.0, 4000.0),
    )  # fmt: skip


def low_string(rng: np.random.Generator, role: str) -> Part:
    """Plucked upright, fingered and picked basses."""
    return _plucked(
        rng,
        string_s=log_uniform(rng, 0.12, 0.6),
        damping=log_uniform(rng, 0.05, 0.5),
        vowels=(_body(rng, 60.0, 1200.0, 4),),
        voices=1,
        noise=float(rng.uniform(0.05, 0.8)),
        noise_hz=(500.0, float(rng.uniform(1500.0, 5000.0))),
        release_s=log_uniform(rng, 0.04, 0.12),
    )
