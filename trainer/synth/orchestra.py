"""Draws voices for roles from all families of sound: the same pool for every genre."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from .dsp import SAMPLE_RATE_HZ, Audio
from .families import fm, formant, physical, sampled, subtractive, wavetable
from .families.base import Part, Source, log_uniform
from .families.finish import Finish, draw_finish
from .families.fm import Fm, Modal
from .families.tone import Tone
from .kits import KickWish, draw_kit
from .samples import SampleBank, missing_sounds, open_bank

ROLES = ("lead", "chord", "pad", "bass", "arp", "stab", "vocal")
Draw = Callable[[np.random.Generator, str], Part]


@dataclass(frozen=True)
class Character:
    """Ways to realise a named sound: synthesised ones, and groups of sampled programs and one-shots."""

    draws: tuple[Draw, ...]
    programs: tuple[str, ...] = ()
    shots: tuple[str, ...] = ()


ELECTRONIC: dict[str, Character] = {
    "supersaw": Character(
        (subtractive.supersaw, subtractive.supersaw, wavetable.stack), ("synth strings", "synth brass", "synth pad")
    ),
    "square": Character((subtractive.square, wavetable.hollow, fm.hollow), ("synth lead",)),
    "bounce": Character(
        (subtractive.square, subtractive.donk, subtractive.growl, wavetable.lead, fm.hollow, fm.lead, formant.robot),
        ("synth lead",),
        ("blip",),
    ),
    "growl": Character((subtractive.growl, fm.growl, wavetable.growl, formant.robot), ("synth bass",)),
    "nasal": Character((subtractive.nasal, fm.nasal, wavetable.nasal), ("synth lead",)),
    "buzz": Character((subtractive.buzz, fm.buzz, wavetable.buzz), ("synth lead", "synth brass")),
    "pluck": Character((subtractive.pluck, wavetable.pluck, fm.bell, fm.keys), ("synth lead",), ("blip",)),
    "whistle": Character((subtractive.whistle, fm.whistle), ("synth lead",), ("blip",)),
    "epiano": Character((fm.epiano, fm.keys, wavetable.keys)),
    "piano": Character((fm.keys, fm.epiano, wavetable.keys)),
    "guitar": Character((subtractive.pluck, fm.keys, wavetable.pluck)),
    "strum": Character((subtractive.pluck, fm.keys, wavetable.pluck)),
    "strings": Character((subtractive.pad, subtractive.supersaw, wavetable.pad), ("synth strings",)),
    "brass": Character((subtractive.buzz, fm.lead, wavetable.buzz), ("synth brass",)),
    "organ": Character((wavetable.hollow, fm.low, fm.hollow)),
    "bell": Character((fm.bell, wavetable.pluck), ("synth pad",), ("blip",)),
    "pad": Character((subtractive.pad, wavetable.pad, fm.pad), ("synth pad", "synth strings")),
    "choir": Character((formant.robot, wavetable.pad), ("synth choir",)),
    "vocal": Character((formant.robot, formant.chop, formant.chop, wavetable.growl), ("synth choir",), ("speech",)),
    "donk": Character((subtractive.donk, fm.donk, wavetable.bass), ("synth bass",), ("low",)),
    "reese": Character((subtractive.reese, wavetable.reese, fm.reese), ("synth bass",)),
    "rolling": Character((subtractive.rolling, fm.rolling, wavetable.bass), ("synth bass",), ("low",)),
    "sub": Character((subtractive.low, fm.low)),
    "slap": Character((fm.slap, fm.donk, subtractive.pluck, wavetable.bass), ("synth bass",)),
    "pulse": Character((subtractive.pulse_bass, fm.swell, wavetable.swell)),
    "smooth": Character((subtractive.low, fm.low, wavetable.smooth, subtractive.reese)),
    "lead": Character((wavetable.lead, fm.lead, subtractive.square), ("synth lead",)),
}
ACOUSTIC: dict[str, Character] = {
    "supersaw": Character((physical.strings, physical.brass), ("strings", "brass")),
    "square": Character((physical.clarinet, physical.flute), ("reed", "flute")),
    "bounce": Character((physical.mallet, physical.guitar, physical.clarinet), ("mallet", "pizzicato")),
    "growl": Character((physical.brass, physical.low_string), ("rock guitar", "brass")),
    "nasal": Character((physical.reed,), ("reed",)),
    "buzz": Character((physical.brass, physical.reed), ("brass", "rock guitar")),
    "pluck": Character((physical.guitar, physical.mallet), ("pizzicato", "mallet", "guitar")),
    "whistle": Character((physical.flute,), ("flute",)),
    "epiano": Character((physical.tines,), ("epiano",)),
    "piano": Character((physical.piano,), ("piano",)),
    "guitar": Character((physical.guitar,), ("guitar",)),
    "strum": Character((physical.guitar,), ("guitar",)),
    "strings": Character((physical.strings,), ("strings",)),
    "brass": Character((physical.brass,), ("brass",)),
    "organ": Character((physical.organ,), ("organ",)),
    "bell": Character((physical.mallet,), ("mallet",)),
    "pad": Character((physical.strings, physical.organ, formant.choir), ("strings", "choir", "organ")),
    "choir": Character((formant.choir,), ("choir",)),
    "vocal": Character((formant.solo, formant.solo, formant.choir), ("choir",)),
    "donk": Character((physical.mallet, physical.low_string), ("bass",)),
    "reese": Character((physical.strings,), ("low strings",)),
    "rolling": Character((physical.low_string,), ("bass",)),
    "sub": Character((physical.low_string,), ("bass",)),
    "slap": Character((physical.low_string,), ("bass",)),
    "pulse": Character((physical.strings, physical.low_string), ("low strings", "bass")),
    "smooth": Character((physical.low_string,), ("bass", "low strings")),
    "lead": Character((physical.flute, physical.clarinet, physical.brass), ("flute", "reed", "brass")),
}
CHARACTERS = tuple(sorted(ELECTRONIC))
# What a role may be when nothing is asked for.
ANY: Mapping[str, tuple[str, ...]] = {
    "lead": ("supersaw", "square", "bounce", "growl", "nasal", "buzz", "pluck", "whistle", "epiano", "piano", "guitar",
             "strings", "brass", "organ", "bell", "vocal", "lead", "lead"),
    "chord": ("supersaw", "epiano", "piano", "pad", "strum", "organ", "pluck", "strings", "brass", "square", "choir"),
    "pad": ("pad", "pad", "strings", "choir", "supersaw"),
    "bass": ("donk", "growl", "reese", "rolling", "sub", "slap", "pulse", "smooth"),
    "arp": ("pluck", "bell", "square", "guitar", "piano", "lead", "nasal", "epiano"),
    "stab": ("supersaw", "brass", "growl", "buzz", "organ", "nasal", "pluck", "vocal", "piano"),
    "vocal": ("vocal", "vocal", "vocal", "choir"),
}  # fmt: skip


@dataclass(frozen=True)
class Voice:
    """One sound: same fields, same samples.

    organic: 1 for acoustic instruments, .5 for human voices and electric pianos, 0 for electronics; drive 0..1;
    octave: (semitones, level) of a layer of the same sound.
    """

    role: str
    family: str
    name: str
    organic: float
    drive: float
    source: Source
    finish: Finish
    octave: tuple[int, float] = (0, 0.0)

    def play(self, midi: float, hold_s: float) -> Audio:
        """One note as (n, 2) float32 at 44.1 kHz and a peak of 1; it starts on its attack and ends in silence.

        midi: pitch (69 = 440 Hz, fractions allowed); hold_s: time until release in seconds.
        """
        body = self.source.note(midi, hold_s)
        step, level = self.octave
        if step:
            layer = self.source.note(midi + step, hold_s)
            length = max(body.shape[1], layer.shape[1])
            gain = np.float32(level * np.abs(body).max() / (np.abs(layer).max() + 1e-9))
            body = np.pad(body, ((0, 0), (0, length - body.shape[1])))
            body[:, : layer.shape[1]] += layer * gain
        # Short sounds end before they are released.
        release_s = max(0.02, body.shape[1] / SAMPLE_RATE_HZ - hold_s)
        return self.finish.apply(body, hold_s, release_s)


def _fitted(source: Source, role: str, rng: np.random.Generator) -> Source:
    """Envelope of a synthesised source made to suit a role."""
    if isinstance(source, formant.Singer):
        return replace(source, tone=_fitted_tone(source.tone, role, rng))
    if isinstance(source, Tone):
        return _fitted_tone(source, role, rng)
    if isinstance(source, Fm):
        shape = _envelope(Envelope(source.attack_s, source.decay_s, source.sustain, source.release_s), role, rng)
        return replace(
            source,
            attack_s=shape.attack_s,
            decay_s=shape.decay_s,
            sustain=shape.sustain,
            release_s=shape.release_s,
        )
    if isinstance(source, Modal) and role == "pad":
        return replace(source, release_s=log_uniform(rng, 0.3, 0.7))
    return source


def _fitted_tone(tone: Tone, role: str, rng: np.random.Generator) -> Tone:
    if tone.string_s:
        return tone
    shape = _envelope(Envelope(tone.attack_s, tone.decay_s, tone.sustain, tone.release_s), role, rng)
    return replace(
        tone, attack_s=shape.attack_s, decay_s=shape.decay_s, sustain=shape.sustain, release_s=shape.release_s
    )


class Envelope(NamedTuple):
    """Times in seconds and the sustained share."""

    attack_s: float
    decay_s: float
    sustain: float
    release_s: float


def _envelope(own: Envelope, role: str, rng: np.random.Generator) -> Envelope:
    """The envelope of a source, changed to what a role demands."""
    if role == "pad":
        return Envelope(
            max(own.attack_s, log_uniform(rng, 0.02, 0.35)),
            1.0,
            float(rng.uniform(0.7, 1.0)),
            max(own.release_s, log_uniform(rng, 0.2, 0.6)),
        )
    if role in ("stab", "arp"):
        return Envelope(
            min(own.attack_s, 0.006),
            log_uniform(rng, 0.05, 0.4),
            float(rng.choice([0.0, 0.0, 0.2, 0.6])),
            min(own.release_s, log_uniform(rng, 0.05, 0.3)),
        )
    if role == "bass":
        return own._replace(attack_s=min(own.attack_s, 0.04), release_s=min(own.release_s, 0.12))
    # A melody or chord must be heard on its beat.
    return own._replace(attack_s=min(own.attack_s, 0.12 if role == "chord" else 0.05))


def draw_voice(
    role: str,
    rng: np.random.Generator,
    *,
    organic: bool,
    drive: float,
    character: str = "",
    bank: SampleBank | None = None,
) -> Voice:
    """Draw a sound for a role.

    organic: True gives acoustic voices (organic .5 to 1), False electronic ones (0 to .25); drive: saturation 0..1;
    character: one of CHARACTERS, or nothing in particular; bank: sampled sounds to draw from as well.
    Raises ValueError for an unknown role or character.
    """
    if role not in ROLES:
        raise ValueError(f"unknown role {role!r}; known: {', '.join(ROLES)}")
    if character and character not in ELECTRONIC:
        raise ValueError(f"unknown character {character!r}; known: {', '.join(CHARACTERS)}")
    names = ANY[role]
    name = character or names[int(rng.integers(len(names)))]
    part = _draw_part((ACOUSTIC if organic else ELECTRONIC)[name], role, rng, bank)
    finish = draw_finish(rng, role, drive, part.organic)
    octave = (0, 0.0)
    if role in ("lead", "arp", "stab") and rng.random() < 0.2:
        octave = (int(rng.choice([-12, 12])), float(rng.uniform(0.15, 0.6)))
    return Voice(
        role=role,
        family=part.family,
        name=name,
        organic=part.organic,
        drive=float(drive),
        source=_fitted(part.source, role, rng),
        finish=finish,
        octave=octave,
    )


def _draw_part(ways: Character, role: str, rng: np.random.Generator, bank: SampleBank | None) -> Part:
    """One way of a character; sampled ones get a share of about two in five where there is a bank."""
    if bank is not None:
        # Speech has no pitch to carry a melody.
        shots = [group for group in ways.shots if group != "speech" or role in ("vocal", "stab")]
        groups = [*ways.programs] * 2 + shots
        if groups and rng.random() < 0.4:
            group = groups[int(rng.integers(len(groups)))]
            maker = sampled.from_shots if group in sampled.SHOTS else sampled.from_programs
            return maker(rng, role, group, bank)
    return ways.draws[int(rng.integers(len(ways.draws)))](rng, role)


__all__ = [
    "CHARACTERS", "ROLES", "KickWish", "SampleBank", "Voice", "draw_kit", "draw_voice", "missing_sounds", "open_bank",
]  # fmt: skip
