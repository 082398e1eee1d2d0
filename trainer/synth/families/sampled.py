"""Sampled instruments of the sound font and pitched one-shots, as sources like any other."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..dsp import SAMPLE_RATE_HZ, Audio
from ..samples import PROGRAMS, SLOW, SampleBank, resampled
from .base import Part, adsr, log_uniform, samples_of

# Groups of programs that count as acoustic; the others are electronic, electric pianos and rock guitars lie between.
ACOUSTIC = {
    "piano": 1.0, "epiano": 0.5, "mallet": 1.0, "organ": 1.0, "guitar": 1.0, "rock guitar": 0.75, "bass": 1.0,
    "strings": 1.0, "low strings": 1.0, "pizzicato": 1.0, "choir": 0.5, "brass": 1.0, "reed": 1.0, "flute": 1.0,
}  # fmt: skip


@dataclass(frozen=True)
class Sampled:
    """Notes of a program; shift in semitones plays a neighbour's recording, which moves its resonances."""

    program: int
    shift: int
    attack_s: float
    decay_s: float
    sustain: float
    release_s: float
    bank: SampleBank = field(compare=False, repr=False)

    def note(self, midi: float, hold_s: float) -> Audio:
        """One note as (2, n); see Source."""
        # Played higher and then slower: the same pitch with another body.
        ratio = 2.0 ** (self.shift / 12.0)
        audio = self.bank.note(self.program, midi + self.shift, (hold_s + self.release_s) / ratio)
        if self.shift:
            audio = resampled(audio.T, 1.0 / ratio).T
        length = min(audio.shape[1], samples_of(hold_s + self.release_s))
        held_s = min(hold_s, length / SAMPLE_RATE_HZ)
        gain = adsr(length, self.attack_s, self.decay_s, self.sustain, held_s, self.release_s)
        return audio[:, :length] * gain


@dataclass(frozen=True)
class PitchedShot:
    """A one-shot of a known pitch, played at other speeds."""

    name: str
    midi: float
    decay_s: float
    sustain: float
    release_s: float
    bank: SampleBank = field(compare=False, repr=False)

    def note(self, midi: float, hold_s: float) -> Audio:
        """One note as (2, n); see Source."""
        ratio = 2.0 ** ((midi - self.midi) / 12.0)
        wanted = int((hold_s + self.release_s) * SAMPLE_RATE_HZ * ratio) + 2
        audio = resampled(self.bank.hit(self.name)[:wanted], ratio).T
        length = min(audio.shape[1], samples_of(hold_s + self.release_s))
        held_s = min(hold_s, length / SAMPLE_RATE_HZ)
        return audio[:, :length] * adsr(length, 0.0005, self.decay_s, self.sustain, held_s, self.release_s)


# One-shots by what they serve as: MIDI number of the fundamental. Those of "speech" have no pitch of their own, so the
# number is only the note at which they sound at their own speed.
SHOTS: dict[str, dict[str, float]] = {
    "low": {
        "bass_thick_c": 36.0, "bass_trance_c": 36.0, "bass_voxy_c": 36.0, "bass_voxy_hit_c": 36.0,
        "bass_woodsy_c": 36.0,
    },
    "blip": {"elec_blip2": 73.88, "elec_bell": 59.63, "elec_ping": 81.08, "ambi_glass_rub": 77.98},
    "speech": dict.fromkeys(
        ("mehackit_robot1", "mehackit_robot2", "mehackit_robot3", "mehackit_robot4", "mehackit_robot5",
         "mehackit_robot6", "mehackit_phone1", "mehackit_phone3", "glitch_robot1", "glitch_robot2"), 62.0
    ),
}  # fmt: skip


def from_programs(rng: np.random.Generator, role: str, group: str, bank: SampleBank) -> Part:
    """An instrument of a group of programs with its own envelope."""
    programs = PROGRAMS[group]
    program = programs[int(rng.integers(len(programs)))]
    slow = program in SLOW
    short = role in ("stab", "arp")
    source = Sampled(
        program=program,
        shift=int(rng.choice([-5, -3, 0, 0, 0, 0, 3, 5])),
        attack_s=log_uniform(rng, 0.05, 0.3) if role == "pad" else log_uniform(rng, 0.0005, 0.006),
        decay_s=log_uniform(rng, 0.08, 1.0),
        sustain=float(rng.uniform(0.2, 1.0)) if rng.random() < 0.5 else 1.0,
        release_s=log_uniform(rng, 0.15, 0.5) if slow and not short else log_uniform(rng, 0.05, 0.25),
        bank=bank,
    )
    return Part("sampled", source, ACOUSTIC.get(group, 0.0))


def from_shots(rng: np.random.Generator, role: str, group: str, bank: SampleBank) -> Part:
    """A pitched one-shot of a group."""
    names = sorted(SHOTS[group])
    name = names[int(rng.integers(len(names)))]
    source = PitchedShot(
        name=name,
        midi=SHOTS[group][name],
        decay_s=log_uniform(rng, 0.06, 0.8),
        sustain=float(rng.uniform(0.1, 1.0)),
        release_s=log_uniform(rng, 0.04, 0.2),
        bank=bank,
    )
    return Part("speech" if group == "speech" else "shot", source, 0.0)
