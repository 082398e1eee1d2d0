"""Saws, squares and pulses through filters: the habits of analogue synthesisers, with wide parameters."""

from __future__ import annotations

import numpy as np

from .base import Part, log_uniform
from .tone import Tone


def _part(tone: Tone) -> Part:
    return Part("subtractive", tone, 0.0)


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(1 << 30))


def _sweep(rng: np.random.Generator, low_hz: tuple[float, float], octaves: tuple[float, float]) -> tuple[float, float]:
    """Cutoffs at both ends of a motion."""
    low = log_uniform(rng, *low_hz)
    return low, min(low * 2.0 ** float(rng.uniform(*octaves)), 16000.0)


def supersaw(rng: np.random.Generator, role: str) -> Part:
    """Stacks of three to nine detuned waves, open or filtered."""
    moving = rng.random() < 0.5
    cutoff = _sweep(rng, (500.0, 3000.0), (1.0, 4.0))
    return _part(
        Tone(
            seed=_seed(rng),
            shape=str(rng.choice(["saw", "saw", "saw", "pulse", "square"])),
            pulse=(float(rng.uniform(0.1, 0.45)),) * 2,
            cutoff_hz=cutoff if moving else (1.0, log_uniform(rng, 1800.0, 15000.0)),
            poles=int(rng.integers(1, 5)),
            resonance=float(rng.random() ** 2 * 0.6),
            motion=str(rng.choice(["env", "ramp"])) if moving else "still",
            motion_attack_s=log_uniform(rng, 0.002, 0.25),
            motion_decay_s=log_uniform(rng, 0.08, 1.0),
            motion_floor=float(rng.uniform(0.0, 0.5)),
            voices=int(rng.integers(3, 8)),
            detune_cents=log_uniform(rng, 5.0, 32.0),
            width=float(rng.uniform(0.3, 1.0)),
            sub=float(rng.uniform(0.1, 0.35)) if rng.random() < 0.3 else 0.0,
            attack_s=log_uniform(rng, 0.0008, 0.015),
            decay_s=log_uniform(rng, 0.15, 1.2),
            sustain=float(rng.uniform(0.5, 1.0)),
            release_s=log_uniform(rng, 0.05, 0.35),
            noise=float(rng.uniform(0.02, 0.25)) if rng.random() < 0.25 else 0.0,
            noise_hz=(3000.0, 12000.0),
        )
    )


def square(rng: np.random.Generator, role: str) -> Part:
    """Hollow leads: squares, narrow pulses, moving pulse widths, with glides."""
    moving = str(rng.choice(["still", "lfo", "env"]))
    return _part(
        Tone(
            seed=_seed(rng),
            shape=str(rng.choice(["square", "pulse", "pulse", "soft"])),
            pulse=(float(rng.uniform(0.3, 0.5)), float(rng.uniform(0.06, 0.5))),
            cutoff_hz=_sweep(rng, (700.0, 3500.0), (0.5, 3.0)),
            resonance=float(rng.random() ** 2),
            poles=int(rng.integers(1, 4)),
            motion=moving,
            motion_decay_s=log_uniform(rng, 0.04, 0.5),
            motion_rate=log_uniform(rng, 0.4, 7.0),
            voices=int(rng.integers(1, 4)),
            detune_cents=log_uniform(rng, 3.0, 15.0),
            sub=float(rng.uniform(0.1, 0.4)) if rng.random() < 0.3 else 0.0,
            glide_st=float(rng.choice([-2.0, 2.0, 5.0, 7.0])) if rng.random() < 0.3 else 0.0,
            glide_s=log_uniform(rng, 0.008, 0.03),
            vibrato_cents=float(rng.uniform(5.0, 25.0)) if rng.random() < 0.25 else 0.0,
            attack_s=log_uniform(rng, 0.0008, 0.01),
            decay_s=log_uniform(rng, 0.08, 0.6),
            sustain=float(rng.uniform(0.2, 1.0)),
            release_s=log_uniform(rng, 0.03, 0.2),
        )
    )


def nasal(rng: np.random.Generator, role: str) -> Part:
    """Reedy horns: a bright pulse or saw with strong resonances between 1 and 2.5 kHz and an instant attack."""
    centre = log_uniform(rng, 1000.0, 1700.0)
    body = (
        (centre, float(rng.uniform(0.8, 1.6)), float(rng.uniform(0.25, 0.6))),
        (centre * float(rng.uniform(1.3, 1.8)), float(rng.uniform(0.4, 1.4)), float(rng.uniform(0.2, 0.5))),
        (log_uniform(rng, 3000.0, 4800.0), float(rng.uniform(0.0, 0.5)), 0.4),
    )
    return _part(
        Tone(
            seed=_seed(rng),
            shape=str(rng.choice(["saw", "pulse", "sync"])),
            pulse=(float(rng.uniform(0.06, 0.3)),) * 2,
            sync=(log_uniform(rng, 2.0, 5.0),) * 2,
            tilt=-float(rng.uniform(0.1, 0.6)),
            vowels=(body,),
            dry=float(rng.uniform(0.05, 0.3)),
            voices=int(rng.integers(1, 6)),
            detune_cents=log_uniform(rng, 4.0, 25.0),
            glide_st=float(rng.choice([-1.0, 1.0, 2.0, -3.0])) if rng.random() < 0.35 else 0.0,
            glide_s=log_uniform(rng, 0.01, 0.03),
            vibrato_cents=float(rng.uniform(8.0, 35.0)) if rng.random() < 0.4 else 0.0,
            vibrato_hz=float(rng.uniform(4.5, 7.5)),
            attack_s=0.0005,
            decay_s=log_uniform(rng, 0.2, 1.0),
            sustain=float(rng.uniform(0.7, 1.0)),
            release_s=log_uniform(rng, 0.03, 0.12),
        )
    )


def buzz(rng: np.random.Generator, role: str) -> Part:
    """Rave stacks whose filter opens over 30 to 60 ms."""
    return _part(
        Tone(
            seed=_seed(rng),
            shape=str(rng.choice(["saw", "saw", "sync", "pulse"])),
            pulse=(float(rng.uniform(0.05, 0.3)), float(rng.uniform(0.05, 0.5))),
            sync=(log_uniform(rng, 1.2, 3.0), log_uniform(rng, 3.0, 9.0)),
            tilt=-float(rng.uniform(0.0, 0.35)),
            cutoff_hz=_sweep(rng, (180.0, 600.0), (3.0, 5.5)),
            resonance=float(rng.uniform(0.1, 0.9)),
            poles=int(rng.integers(1, 4)),
            motion="env",
            motion_attack_s=float(rng.uniform(0.03, 0.06)),
            motion_decay_s=log_uniform(rng, 0.12, 0.9),
            voices=int(rng.integers(2, 7)),
            detune_cents=log_uniform(rng, 8.0, 40.0),
            sub=float(rng.uniform(0.2, 0.6)) if rng.random() < 0.5 else 0.0,
            attack_s=log_uniform(rng, 0.002, 0.012),
            release_s=log_uniform(rng, 0.04, 0.15),
        )
    )


def pluck(rng: np.random.Generator, role: str) -> Part:
    """Short filter plucks."""
    decay_s = log_uniform(rng, 0.04, 0.3)
    return _part(
        Tone(
            seed=_seed(rng),
            shape=str(rng.choice(["saw", "square", "pulse", "soft", "sparse"])),
            pulse=(float(rng.uniform(0.1, 0.5)), float(rng.uniform(0.1, 0.5))),
            cutoff_hz=_sweep(rng, (200.0, 900.0), (2.5, 5.0)),
            resonance=float(rng.random() ** 1.5),
            poles=int(rng.integers(1, 5)),
            motion="env",
            motion_attack_s=log_uniform(rng, 0.0005, 0.01),
            motion_decay_s=decay_s,
            voices=int(rng.integers(1, 6)),
            detune_cents=log_uniform(rng, 3.0, 22.0),
            attack_s=log_uniform(rng, 0.0005, 0.004),
            decay_s=decay_s * float(rng.uniform(1.0, 2.5)),
            sustain=float(rng.choice([0.0, 0.0, 0.1, 0.3])),
            release_s=log_uniform(rng, 0.08, 0.4),
        )
    )


def pad(rng: np.random.Generator, role: str) -> Part:
    """Slow detuned stacks, dark to airy, still or swept."""
    return _part(
        Tone(
            seed=_seed(rng),
            shape=str(rng.choice(["saw", "soft", "pulse", "square"])),
            pulse=(float(rng.uniform(0.1, 0.4)), float(rng.uniform(0.3, 0.5))),
            cutoff_hz=_sweep(rng, (250.0, 1500.0), (0.5, 3.5)),
            resonance=float(rng.random() ** 2 * 0.7),
            notches=float(rng.uniform(0.3, 0.9)) if rng.random() < 0.25 else 0.0,
            motion=str(rng.choice(["lfo", "ramp", "still"])),
            motion_attack_s=log_uniform(rng, 0.3, 2.5),
            motion_rate=log_uniform(rng, 0.15, 3.0),
            voices=int(rng.integers(3, 7)),
            detune_cents=log_uniform(rng, 6.0, 28.0),
            width=float(rng.uniform(0.6, 1.2)),
            attack_s=log_uniform(rng, 0.03, 0.4),
            release_s=log_uniform(rng, 0.2, 0.7),
            noise=float(rng.uniform(0.05, 0.4)) if rng.random() < 0.3 else 0.0,
            noise_hz=(2000.0, 9000.0),
        )
    )


def whistle(rng: np.random.Generator, role: str) -> Part:
    """Nearly pure tones with vibrato, breath and glides."""
    return _part(
        Tone(
            seed=_seed(rng),
            shape="soft",
            tilt=float(rng.uniform(0.3, 2.5)),
            cutoff_hz=(1.0, log_uniform(rng, 600.0, 4000.0)),
            track=1.0,
            voices=int(rng.integers(1, 3)),
            detune_cents=float(rng.uniform(2.0, 9.0)),
            vibrato_cents=float(rng.uniform(4.0, 40.0)),
            vibrato_hz=float(rng.uniform(4.0, 7.5)),
            glide_st=float(rng.choice([-2.0, -1.0, 1.0, 3.0])) if rng.random() < 0.5 else 0.0,
            attack_s=log_uniform(rng, 0.003, 0.04),
            release_s=log_uniform(rng, 0.05, 0.2),
            noise=float(rng.uniform(0.02, 0.3)) if rng.random() < 0.6 else 0.0,
            noise_hz=(1500.0, 5000.0),
        )
    )


def growl(rng: np.random.Generator, role: str) -> Part:
    """Saw or sync tones whose filter or notches swing with the note."""
    return _part(
        Tone(
            seed=_seed(rng),
            shape=str(rng.choice(["saw", "sync", "pulse"])),
            pulse=(float(rng.uniform(0.05, 0.2)), float(rng.uniform(0.3, 0.5))),
            sync=(log_uniform(rng, 1.5, 4.0), log_uniform(rng, 5.0, 16.0)),
            cutoff_hz=_sweep(rng, (150.0, 500.0), (3.0, 5.5)),
            track=0.0,
            resonance=float(rng.uniform(0.2, 1.0)),
            notches=float(rng.uniform(0.5, 1.0)) if rng.random() < 0.5 else 0.0,
            poles=int(rng.integers(1, 4)),
            motion="cycles",
            motion_rate=float(rng.choice([0.5, 1.0, 1.0, 1.5, 2.0, 3.0, 4.0])),
            voices=int(rng.integers(1, 4)),
            detune_cents=log_uniform(rng, 5.0, 25.0),
            sub=float(rng.uniform(0.0, 0.4)) if role != "bass" else 0.0,
            attack_s=log_uniform(rng, 0.001, 0.006),
            release_s=log_uniform(rng, 0.03, 0.1),
        )
    )


def reese(rng: np.random.Generator, role: str) -> Part:
    """Two to four detuned saws or pulses under a low filter."""
    return _part(
        Tone(
            seed=_seed(rng),
            shape=str(rng.choice(["saw", "saw", "pulse", "square"])),
            pulse=(float(rng.uniform(0.15, 0.45)),) * 2,
            cutoff_hz=_sweep(rng, (160.0, 500.0), (0.2, 2.5)),
            track=0.0,
            poles=int(rng.integers(1, 5)),
            resonance=float(rng.random() ** 2 * 0.5),
            notches=float(rng.uniform(0.2, 0.7)) if rng.random() < 0.3 else 0.0,
            motion=str(rng.choice(["still", "lfo", "ramp"])),
            motion_rate=log_uniform(rng, 0.3, 3.0),
            motion_attack_s=log_uniform(rng, 0.1, 0.6),
            voices=int(rng.integers(2, 5)),
            detune_cents=log_uniform(rng, 8.0, 28.0),
            width=float(rng.uniform(0.1, 0.9)),
            attack_s=log_uniform(rng, 0.002, 0.03),
            release_s=log_uniform(rng, 0.04, 0.2),
        )
    )


def low(rng: np.random.Generator, role: str) -> Part:
    """Plain basses: near sines, soft squares and closed saws."""
    return _part(
        Tone(
            seed=_seed(rng),
            shape=str(rng.choice(["soft", "soft", "square", "saw"])),
            tilt=float(rng.uniform(0.0, 1.2)),
            cutoff_hz=(1.0, log_uniform(rng, 90.0, 450.0)),
            track=0.2,
            poles=int(rng.integers(2, 5)),
            attack_s=log_uniform(rng, 0.002, 0.012),
            decay_s=log_uniform(rng, 0.1, 0.9),
            sustain=float(rng.uniform(0.5, 1.0)),
            release_s=log_uniform(rng, 0.03, 0.12),
        )
    )


def pulse_bass(rng: np.random.Generator, role: str) -> Part:
    """Basses that swell in over 20 to 40 ms."""
    swell_s = float(rng.uniform(0.02, 0.04))
    return _part(
        Tone(
            seed=_seed(rng),
            shape=str(rng.choice(["saw", "pulse", "square", "saw"])),
            pulse=(float(rng.uniform(0.1, 0.4)), float(rng.uniform(0.2, 0.5))),
            cutoff_hz=_sweep(rng, (120.0, 300.0), (1.0, 4.0)),
            track=0.1,
            resonance=float(rng.random() * 0.7),
            poles=int(rng.integers(1, 4)),
            motion="env",
            motion_attack_s=swell_s * float(rng.uniform(0.8, 1.8)),
            motion_decay_s=log_uniform(rng, 0.08, 0.6),
            voices=int(rng.integers(1, 4)),
            detune_cents=log_uniform(rng, 4.0, 20.0),
            attack_s=swell_s,
            release_s=log_uniform(rng, 0.03, 0.1),
        )
    )


def rolling(rng: np.random.Generator, role: str) -> Part:
    """Tight filtered basses of tech house: short envelope, some resonance."""
    decay_s = log_uniform(rng, 0.05, 0.22)
    return _part(
        Tone(
            seed=_seed(rng),
            shape=str(rng.choice(["saw", "square", "pulse", "soft"])),
            pulse=(float(rng.uniform(0.1, 0.5)),) * 2,
            cutoff_hz=_sweep(rng, (100.0, 280.0), (1.0, 4.0)),
            track=0.1,
            resonance=float(rng.random()),
            poles=int(rng.integers(2, 5)),
            motion="env",
            motion_attack_s=0.002,
            motion_decay_s=decay_s,
            attack_s=log_uniform(rng, 0.001, 0.006),
            decay_s=decay_s * float(rng.uniform(1.0, 3.0)),
            sustain=float(rng.uniform(0.0, 0.7)),
            release_s=log_uniform(rng, 0.02, 0.08),
        )
    )


def donk(rng: np.random.Generator, role: str) -> Part:
    """Bouncy off-beat basses: hollow, with a falling filter and often a falling pitch."""
    decay_s = log_uniform(rng, 0.03, 0.12)
    return _part(
        Tone(
            seed=_seed(rng),
            shape=str(rng.choice(["square", "pulse", "sync"])),
            pulse=(float(rng.uniform(0.2, 0.5)), float(rng.uniform(0.1, 0.5))),
            sync=(1.0, log_uniform(rng, 2.0, 5.0)),
            cutoff_hz=_sweep(rng, (150.0, 500.0), (2.0, 4.5)),
            resonance=float(rng.random()),
            motion="env",
            motion_attack_s=0.001,
            motion_decay_s=decay_s,
            glide_st=float(rng.uniform(2.0, 12.0)) if rng.random() < 0.5 else 0.0,
            glide_s=log_uniform(rng, 0.006, 0.02),
            attack_s=log_uniform(rng, 0.0005, 0.004),
            decay_s=decay_s * 2.5,
            sustain=float(rng.uniform(0.2, 0.7)),
            release_s=log_uniform(rng, 0.03, 0.1),
        )
    )
