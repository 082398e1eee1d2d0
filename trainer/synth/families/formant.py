"""Voices: vowels over a buzzing source, breath, consonants, many singers."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..dsp import Audio, filtered
from .base import Part, burst, log_uniform, samples_of, times_s
from .tone import Resonance, Tone

# First four resonances of an average singer in Hz.
VOWELS_HZ: dict[str, tuple[float, ...]] = {
    "a": (730.0, 1150.0, 2600.0, 3400.0),
    "ae": (660.0, 1700.0, 2450.0, 3500.0),
    "e": (500.0, 1850.0, 2550.0, 3500.0),
    "i": (300.0, 2250.0, 2950.0, 3600.0),
    "o": (480.0, 840.0, 2550.0, 3300.0),
    "u": (320.0, 760.0, 2300.0, 3200.0),
    "oe": (480.0, 1450.0, 2200.0, 3300.0),
}
# Noise of consonants: band in Hz, length in seconds, how long before the vowel.
CONSONANTS = {
    "": (0.0, 0.0, 0.0),
    "t": (2500.0, 8000.0, 0.012),
    "k": (1200.0, 3500.0, 0.018),
    "p": (300.0, 1500.0, 0.01),
    "s": (4500.0, 11000.0, 0.045),
    "h": (600.0, 3500.0, 0.035),
    "ch": (2000.0, 7000.0, 0.03),
}


def _resonances(name: str, size: float, narrow: float, slope: float) -> tuple[Resonance, ...]:
    return tuple(
        (centre * size, slope**index, narrow * (0.35 - 0.05 * index)) for index, centre in enumerate(VOWELS_HZ[name])
    )


@dataclass(frozen=True)
class Singer:
    """A tone whose vowels change from note to note, behind a consonant."""

    tone: Tone
    phrases: tuple[tuple[tuple[Resonance, ...], ...], ...]
    consonant: str
    spit: float

    def note(self, midi: float, hold_s: float) -> Audio:
        """One note as (channels, n); see Source."""
        vowels = self.phrases[round(midi) % len(self.phrases)]
        body = replace(self.tone, vowels=vowels).note(midi, hold_s)
        low, high, seconds = CONSONANTS[self.consonant]
        if seconds:
            length = min(body.shape[1], samples_of(5.0 * seconds))
            grain = filtered(burst(self.tone.seed + 1, length), "bandpass", low, high)
            grain *= np.exp(times_s(length) * np.float32(-1.0 / seconds))
            body[:, :length] += grain * np.float32(self.spit * np.abs(body).max() / np.abs(grain).max())
        return body


def _singer(rng: np.random.Generator, tone: Tone, *, consonant: bool, longest: int = 3) -> Singer:
    size, narrow, slope = float(rng.uniform(0.8, 1.25)), float(rng.uniform(0.5, 1.5)), float(rng.uniform(0.35, 0.8))
    names = sorted(VOWELS_HZ)
    phrases = tuple(
        tuple(
            _resonances(names[int(rng.integers(len(names)))], size, narrow, slope)
            for _ in range(int(rng.integers(1, longest + 1)))
        )
        for _ in range(int(rng.integers(1, 5)))
    )
    spoken = sorted(CONSONANTS)[int(rng.integers(len(CONSONANTS)))] if consonant else ""
    return Singer(replace(tone, motion="ramp"), phrases, spoken, float(rng.uniform(0.15, 0.7)))


def _throat(rng: np.random.Generator) -> Tone:
    """The source of a singer: buzz, breath and vibrato."""
    return Tone(
        seed=int(rng.integers(1 << 30)),
        shape=str(rng.choice(["saw", "pulse", "soft"])),
        pulse=(float(rng.uniform(0.1, 0.35)),) * 2,
        tilt=float(rng.uniform(-0.3, 0.4)),
        dry=float(rng.uniform(0.01, 0.08)),
        motion_attack_s=log_uniform(rng, 0.06, 0.6),
        vibrato_cents=float(rng.uniform(5.0, 45.0)) if rng.random() < 0.7 else 0.0,
        vibrato_hz=float(rng.uniform(4.5, 6.8)),
        glide_st=float(rng.choice([-3.0, -1.0, 1.0])) if rng.random() < 0.4 else 0.0,
        glide_s=log_uniform(rng, 0.015, 0.04),
        attack_s=log_uniform(rng, 0.004, 0.04),
        release_s=log_uniform(rng, 0.05, 0.2),
        noise=log_uniform(rng, 0.02, 0.35),
        noise_hz=(1500.0, float(rng.uniform(5000.0, 10000.0))),
    )


def solo(rng: np.random.Generator, role: str) -> Part:
    """One singer on changing vowels."""
    return Part("formant", _singer(rng, _throat(rng), consonant=bool(rng.random() < 0.3)), 0.5)


def choir(rng: np.random.Generator, role: str) -> Part:
    """Several singers on slow vowels."""
    tone = replace(
        _throat(rng),
        voices=int(rng.integers(4, 8)),
        detune_cents=log_uniform(rng, 8.0, 30.0),
        scatter=True,
        glide_st=0.0,
        motion_attack_s=log_uniform(rng, 0.5, 2.0),
        attack_s=log_uniform(rng, 0.04, 0.25),
        release_s=log_uniform(rng, 0.15, 0.5),
    )
    return Part("formant", _singer(rng, tone, consonant=False, longest=2), 0.5)


def chop(rng: np.random.Generator, role: str) -> Part:
    """Cut syllables with a consonant, made electronic by their steady pitch."""
    tone = replace(
        _throat(rng),
        vibrato_cents=0.0,
        glide_st=float(rng.choice([-12.0, -5.0, -2.0, 0.0, 0.0, 2.0, 7.0])),
        glide_s=log_uniform(rng, 0.008, 0.025),
        voices=int(rng.integers(1, 4)),
        detune_cents=log_uniform(rng, 2.0, 15.0),
        motion_attack_s=log_uniform(rng, 0.04, 0.2),
        attack_s=log_uniform(rng, 0.001, 0.006),
        decay_s=log_uniform(rng, 0.08, 0.5),
        sustain=float(rng.uniform(0.0, 0.8)),
        release_s=log_uniform(rng, 0.03, 0.12),
    )
    return Part("formant", _singer(rng, tone, consonant=True), 0.25)


def robot(rng: np.random.Generator, role: str) -> Part:
    """Talking synthesiser: vocoder-like vowels over stacks and squares."""
    tone = replace(
        _throat(rng),
        shape=str(rng.choice(["saw", "square", "digital", "hump"])),
        tilt=-float(rng.uniform(0.0, 0.4)),
        vibrato_cents=0.0,
        glide_st=0.0,
        noise=0.0,
        voices=int(rng.integers(1, 6)),
        detune_cents=log_uniform(rng, 3.0, 20.0),
        dry=float(rng.uniform(0.05, 0.25)),
        attack_s=0.002,
    )
    return Part("formant", _singer(rng, tone, consonant=bool(rng.random() < 0.3)), 0.0)
