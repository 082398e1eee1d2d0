"""The nine sub-genres as ways of writing: what is published about each, as data. Every sound is shared.

Sources: intervals and parts of eight genres, Table 1 of the mainstage sub-genre benchmark (arXiv 2409.06690); moods,
timbres and habits, the producers' notes published with it; tempo and mode, 160 tracks of the HouseX metadata (Future
House 32 of 40 minor, Bass House 29 of 40, Progressive and Melodic House 36 of 40 major) and those notes. Melodic House
stands only in HouseX (arXiv 2207.11690): its intervals, and every weight below, are our own reading.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from housex_blender.core.genres import GENRES

Interval = tuple[float, float]
Weights = Mapping[str, float]

# A label is one of four shapes; how often musicians gave each, and which genres they mixed how often.
LABEL_SHAPES: tuple[tuple[float, ...], ...] = ((1.0,), (0.75, 0.25), (0.5, 0.5), (0.5, 0.25, 0.25))
SHAPE_CHANCES = (0.69, 0.19, 0.08, 0.04)
MIXED_PAIRS: dict[frozenset[str], float] = {
    frozenset({"Progressive House", "Future House"}): 28.0,
    frozenset({"Future House", "Tech House"}): 28.0,
    frozenset({"Bass House", "Future House"}): 26.0,
    frozenset({"Deep House", "Tech House"}): 22.0,
    frozenset({"Bass House", "Tech House"}): 25.0,
    frozenset({"Deep House", "Future House"}): 12.0,
    frozenset({"Future House", "Slap House"}): 5.0,
    frozenset({"Melodic House", "Progressive House"}): 14.0,
    frozenset({"Melodic House", "Future House"}): 14.0,
    frozenset({"Bigroom", "Future Rave"}): 2.0,
    frozenset({"Bigroom", "Progressive House"}): 2.0,
    frozenset({"Bigroom", "Bass House"}): 2.0,
    frozenset({"Future Rave", "Progressive House"}): 2.0,
    frozenset({"Slap House", "Deep House"}): 3.0,
}


@dataclass(frozen=True)
class Melody:
    """How leads are written. Weights choose; intervals are drawn from.

    Attributes:
        pool: Pitches: scale, penta, chord (tones of the chord), few (two or three notes around the root).
        cell_bars: Length of the motif.
        form: Order of motifs over the loop.
        density: How many of the possible places carry a note, 0..1.
        legato: Length of a note as a share of the way to the next.
        leap: Chance of a jump instead of a step.
        repeat: Chance that a note repeats the last pitch.
        follows: Chance that the melody moves with the chords instead of staying where it is.
        after_kick: Chance that nothing sounds on the first kick of the bar and something right after it.
        base: Lowest register in MIDI notes.
    """

    pool: Weights
    cell_bars: Weights
    form: Weights
    density: Interval
    legato: Interval
    leap: float
    repeat: float
    follows: float = 0.5
    after_kick: float = 0.05
    base: Interval = (60.0, 68.0)


@dataclass(frozen=True)
class Kick:
    """What is wished of a kick drum: length in seconds, hardness and softness 0..1, chance of a tail in the key."""

    decay_s: Interval
    hardness: Interval
    softness: Interval
    tuned: float = 0.0


@dataclass(frozen=True)
class Beat:
    """Chances and weights of the drum patterns around the kick."""

    clap: Weights
    open_hat: Weights
    closed_hat: Weights
    shaker: float
    ride: float
    percussion: Interval
    ghosts: float
    crash_bars: Weights
    fill: Weights


@dataclass(frozen=True)
class Facts:
    """One genre. Intervals of groove, rhythm, distortion and organicity on the published scale 1..5.

    Attributes:
        lead, chord, bass: Chance that the part plays in the drops.
        habit: Chance that a role takes one of the named characters rather than any voice of that role.
        characters: Weights of named characters by role.
        harmony: Weights of the kinds of chord loops.
        chord_size: Weights of power, triad, seventh, ninth, sus.
        vocal: Weights of none, chops, word, airy, hook.
        part_db: Shift of a part against the usual balance.
    """

    tempo_bpm: Interval
    major: float
    groove: Interval
    rhythm: Interval
    distortion: Interval
    organicity: Interval
    lead: float
    chord: float
    bass: float
    habit: float
    characters: Mapping[str, Weights]
    harmony: Weights
    chord_size: Weights
    chord_writing: Weights
    bass_writing: Weights
    melody: Melody
    vocal: Weights
    kick: Kick
    beat: Beat
    reverb_s: Interval = (0.7, 2.0)
    wet_db: Interval = (-20.0, -10.0)
    swing: Interval = (0.5, 0.52)
    arp: float = 0.15
    pad: float = 0.15
    layer: float = 0.2
    stab: float = 0.1
    second_lead: float = 0.2
    swell: float = 0.15
    part_db: Mapping[str, float] = field(default_factory=dict)


_BACKBEAT = {"backbeat": 6.0, "none": 1.0, "four": 0.7, "late": 0.5, "snare": 1.0, "broken": 0.7}
_OFFBEAT = {"off": 5.0, "none": 2.0, "busy": 0.7}
_HATS = {"sixteenths": 3.0, "eighths": 2.0, "none": 2.0, "broken": 2.0, "offs": 1.0}
_FILLS = {"roll": 2.0, "toms": 1.0, "stop": 1.5, "kickless": 2.0, "none": 2.0}
_EIGHT = {"8": 3.0, "16": 2.0, "4": 0.6, "none": 1.0}

FACTS: dict[str, Facts] = {
    # irregular groove, bouncy off-beat bass, weaker melody; the bounce flavour lies at the top of its intervals
    "Future House": Facts(
        tempo_bpm=(125.0, 130.0),
        major=0.2,
        groove=(3.0, 4.0),
        rhythm=(4.0, 5.0),
        distortion=(3.0, 4.0),
        organicity=(1.0, 3.0),
        lead=1.0,
        chord=0.5,
        bass=1.0,
        habit=0.5,
        characters={
            "lead": {"square": 4, "bounce": 4, "pluck": 1.5, "supersaw": 1, "buzz": 0.7, "whistle": 0.7, "epiano": 0.5},
            "bass": {"donk": 5, "slap": 1.5, "pulse": 0.7, "reese": 0.5},
            "chord": {"epiano": 3, "supersaw": 2, "piano": 0.7},
        },
        harmony={"moving": 2, "static": 1, "jazz": 0.7},
        chord_size={"triad": 2, "seventh": 2, "ninth": 0.7, "sus": 0.5},
        chord_writing={"stabs": 4, "offbeat": 2, "pumped": 0.5, "long": 0.4},
        bass_writing={"bounce": 6, "slap": 0.8, "rolling": 0.6, "answer": 1},
        melody=Melody(
            pool={"scale": 2, "penta": 2, "chord": 1},
            cell_bars={"1": 2, "2": 3},
            form={"AAAB": 2, "ABAC": 2, "AABC": 1, "ABAB": 1},
            density=(0.32, 0.6),
            legato=(0.3, 0.65),
            leap=0.3,
            repeat=0.3,
            follows=0.35,
            after_kick=0.15,
        ),
        vocal={"none": 3, "chops": 5, "word": 1, "airy": 0.5, "hook": 0.5},
        kick=Kick((0.12, 0.2), (0.4, 0.8), (0.0, 0.25)),
        beat=Beat(_BACKBEAT, _OFFBEAT, _HATS, 0.35, 0.15, (0.0, 0.25), 0.25, _EIGHT, _FILLS),
        swing=(0.5, 0.54),
        second_lead=0.35,
        swell=0.25,
        part_db={"bass": 1.0},
    ),
    # growl or stab right after the first kick of a bar, few pitches, no melody, dark and noisy
    "Bass House": Facts(
        tempo_bpm=(126.0, 130.0),
        major=0.15,
        groove=(2.0, 4.0),
        rhythm=(3.0, 4.0),
        distortion=(4.0, 5.0),
        organicity=(1.0, 2.0),
        lead=0.6,
        chord=0.05,
        bass=1.0,
        habit=0.55,
        characters={
            "lead": {"growl": 4, "buzz": 2, "square": 1.5, "nasal": 1, "bounce": 0.7},
            "bass": {"growl": 6, "reese": 1.5, "donk": 0.7, "pulse": 0.5},
            "stab": {"growl": 3, "supersaw": 1, "buzz": 2},
        },
        harmony={"static": 5, "dark": 3, "moving": 0.4},
        chord_size={"power": 2, "triad": 2, "sus": 0.5},
        chord_writing={"stabs": 2, "long": 1},
        bass_writing={"growl": 6, "answer": 2, "rolling": 0.6, "bounce": 0.5},
        melody=Melody(
            pool={"few": 6, "penta": 0.7},
            cell_bars={"1": 4, "2": 2},
            form={"AAAA": 1, "AAAB": 4, "ABAB": 1},
            density=(0.22, 0.45),
            legato=(0.3, 0.8),
            leap=0.15,
            repeat=0.7,
            follows=0.1,
            after_kick=0.85,
            base=(48.0, 60.0),
        ),
        vocal={"none": 4, "chops": 1, "word": 3, "airy": 0.3},
        kick=Kick((0.12, 0.2), (0.6, 1.0), (0.0, 0.1)),
        beat=Beat(
            {**_BACKBEAT, "snare": 2.5, "broken": 2.0},
            _OFFBEAT,
            {**_HATS, "broken": 3.0},
            0.25,
            0.2,
            (0.0, 0.3),
            0.5,
            _EIGHT,
            {**_FILLS, "roll": 3.0},
        ),
        reverb_s=(0.4, 1.3),
        wet_db=(-24.0, -13.0),
        swing=(0.5, 0.53),
        arp=0.03,
        pad=0.05,
        stab=0.7,
        second_lead=0.15,
        part_db={"bass": 3.0, "stab": 1.0},
    ),
    # euphoric melody over a moving chord loop, even groove, layered supersaw, piano, strings, long notes
    "Progressive House": Facts(
        tempo_bpm=(126.0, 128.0),
        major=0.9,
        groove=(4.0, 5.0),
        rhythm=(1.0, 3.0),
        distortion=(1.0, 2.0),
        organicity=(3.0, 5.0),
        lead=1.0,
        chord=1.0,
        bass=1.0,
        habit=0.5,
        characters={
            "lead": {"supersaw": 5, "piano": 3, "strings": 2, "pluck": 0.7, "guitar": 0.7},
            "bass": {"smooth": 4, "sub": 2, "pulse": 1.5, "reese": 1},
            "chord": {"supersaw": 4, "piano": 2, "pad": 1, "strum": 0.7},
        },
        harmony={"moving": 8, "static": 0.2},
        chord_size={"triad": 5, "sus": 1, "seventh": 0.7, "power": 0.4},
        chord_writing={"long": 5, "pumped": 3, "stabs": 0.5, "strum": 0.5},
        bass_writing={"even": 4, "sustain": 3, "offbeat": 1.5},
        melody=Melody(
            pool={"scale": 4, "chord": 1, "penta": 1},
            cell_bars={"2": 4, "4": 2},
            form={"AABA": 3, "ABAC": 3, "AABC": 2},
            density=(0.5, 0.85),
            legato=(0.8, 1.0),
            leap=0.2,
            repeat=0.2,
            follows=0.4,
            base=(62.0, 72.0),
        ),
        vocal={"none": 5, "airy": 2, "chops": 1, "hook": 0.7},
        kick=Kick((0.14, 0.22), (0.3, 0.6), (0.1, 0.4)),
        beat=Beat(_BACKBEAT, _OFFBEAT, _HATS, 0.3, 0.25, (0.0, 0.12), 0.08, _EIGHT, _FILLS),
        reverb_s=(1.3, 3.0),
        wet_db=(-16.0, -8.0),
        arp=0.3,
        pad=0.35,
        layer=0.7,
        stab=0.03,
        swell=0.4,
        part_db={"bass": -1.5, "lead": 1.0, "chord": 1.0},
    ),
    # plucks, strums and piano, arpeggios, pitch-shifted chops; happy and rhythmic
    "Melodic House": Facts(
        tempo_bpm=(126.0, 130.0),
        major=0.9,
        groove=(2.5, 4.0),
        rhythm=(2.0, 4.0),
        distortion=(1.0, 2.5),
        organicity=(2.0, 4.0),
        lead=0.9,
        chord=0.9,
        bass=1.0,
        habit=0.5,
        characters={
            "lead": {"pluck": 5, "guitar": 2, "piano": 2, "whistle": 1, "epiano": 0.7, "bounce": 0.7},
            "bass": {"slap": 2, "smooth": 2, "pulse": 1, "donk": 1},
            "chord": {"strum": 4, "piano": 3, "epiano": 1, "supersaw": 0.7},
            "arp": {"pluck": 4, "guitar": 1, "piano": 1},
        },
        harmony={"moving": 6, "jazz": 1},
        chord_size={"triad": 4, "seventh": 1.5, "sus": 1, "ninth": 0.5},
        chord_writing={"strum": 4, "stabs": 2, "pumped": 1, "offbeat": 1, "long": 0.5},
        bass_writing={"offbeat": 2, "slap": 1.5, "even": 1.5, "sustain": 1, "bounce": 0.7},
        melody=Melody(
            pool={"penta": 4, "chord": 2, "scale": 1.5},
            cell_bars={"1": 2, "2": 3},
            form={"AAAB": 2, "AABA": 2, "ABAC": 2},
            density=(0.5, 0.8),
            legato=(0.4, 0.75),
            leap=0.4,
            repeat=0.2,
            follows=0.6,
            base=(62.0, 72.0),
        ),
        vocal={"none": 2, "chops": 6, "hook": 2, "airy": 0.5},
        kick=Kick((0.12, 0.2), (0.25, 0.55), (0.1, 0.5)),
        beat=Beat(
            {**_BACKBEAT, "snaps": 2.0}, _OFFBEAT, _HATS, 0.5, 0.1, (0.05, 0.25), 0.12, _EIGHT, {**_FILLS, "stop": 2.5}
        ),
        reverb_s=(0.9, 2.3),
        arp=0.7,
        pad=0.25,
        layer=0.4,
        stab=0.05,
        second_lead=0.3,
    ),
    # hypnotic rolling bass and percussion, short bouncy kick, swing, one-word samples, no lead, no chords
    "Tech House": Facts(
        tempo_bpm=(120.0, 128.0),
        major=0.1,
        groove=(3.0, 5.0),
        rhythm=(3.0, 4.0),
        distortion=(2.0, 4.0),
        organicity=(1.0, 3.0),
        lead=0.0,
        chord=0.0,
        bass=1.0,
        habit=0.5,
        characters={"bass": {"rolling": 5, "pulse": 1.5, "slap": 1, "donk": 1, "sub": 0.7, "growl": 0.4}},
        harmony={"static": 6, "dark": 1.5},
        chord_size={"seventh": 2, "triad": 1},
        chord_writing={"offbeat": 1, "stabs": 1},
        bass_writing={"rolling": 7, "answer": 0.8, "bounce": 0.6, "slap": 0.5},
        melody=Melody(
            pool={"few": 3, "penta": 1},
            cell_bars={"1": 2, "2": 1},
            form={"AAAA": 2, "AAAB": 1},
            density=(0.2, 0.4),
            legato=(0.3, 0.6),
            leap=0.1,
            repeat=0.6,
            follows=0.1,
        ),
        vocal={"none": 2.5, "word": 6},
        kick=Kick((0.07, 0.13), (0.3, 0.65), (0.1, 0.4)),
        beat=Beat(
            {**_BACKBEAT, "broken": 1.5},
            {**_OFFBEAT, "busy": 2.0},
            {**_HATS, "none": 0.7, "broken": 3.0},
            0.65,
            0.25,
            (0.2, 0.5),
            0.45,
            _EIGHT,
            {**_FILLS, "kickless": 3.0},
        ),
        reverb_s=(0.4, 1.6),
        wet_db=(-24.0, -14.0),
        swing=(0.51, 0.58),
        arp=0.0,
        pad=0.03,
        stab=0.0,
        part_db={"bass": 1.5, "percussion": 3.0},
    ),
    # slow and calm, smooth melodic bass, lush seventh and ninth chords or pads, large room, soft drums
    "Deep House": Facts(
        tempo_bpm=(115.0, 125.0),
        major=0.2,
        groove=(2.0, 3.0),
        rhythm=(1.0, 2.0),
        distortion=(1.0, 2.0),
        organicity=(2.0, 4.0),
        lead=0.8,
        chord=0.65,
        bass=1.0,
        habit=0.5,
        characters={
            "lead": {"epiano": 2.5, "piano": 2, "whistle": 1.5, "pluck": 1, "guitar": 1, "strings": 0.7},
            "bass": {"reese": 4, "smooth": 3, "sub": 2},
            "chord": {"epiano": 4, "pad": 3, "piano": 1.5},
        },
        harmony={"jazz": 5, "moving": 1.5, "static": 1},
        chord_size={"seventh": 4, "ninth": 4, "triad": 0.4},
        chord_writing={"long": 3, "offbeat": 2, "late": 2, "stabs": 0.4},
        bass_writing={"melodic": 6, "sustain": 1.5, "offbeat": 0.7, "even": 0.5},
        melody=Melody(
            pool={"penta": 4, "scale": 2, "chord": 1},
            cell_bars={"2": 2, "4": 3},
            form={"AABA": 1, "ABAC": 2, "AABC": 2},
            density=(0.3, 0.55),
            legato=(0.7, 1.0),
            leap=0.2,
            repeat=0.15,
            follows=0.4,
            base=(60.0, 69.0),
        ),
        vocal={"none": 3, "hook": 2.5, "airy": 2.5, "chops": 1},
        kick=Kick((0.1, 0.18), (0.0, 0.3), (0.4, 1.0)),
        beat=Beat(
            {**_BACKBEAT, "snaps": 2.0, "none": 1.5},
            _OFFBEAT,
            _HATS,
            0.55,
            0.1,
            (0.05, 0.3),
            0.1,
            {**_EIGHT, "none": 3.0},
            {**_FILLS, "none": 5.0, "roll": 0.5},
        ),
        reverb_s=(1.8, 3.0),
        wet_db=(-12.0, -5.0),
        swing=(0.5, 0.56),
        arp=0.1,
        pad=0.6,
        layer=0.1,
        stab=0.05,
        part_db={"drums": -2.0, "pad": 2.0, "lead": -1.5},
    ),
    # huge tuned kick in place of a bass, simple anthem of a nasal lead without attack, hardly any side-chain
    "Bigroom": Facts(
        tempo_bpm=(125.0, 130.0),
        major=0.12,
        groove=(1.0, 2.0),
        rhythm=(1.0, 3.0),
        distortion=(4.0, 5.0),
        organicity=(1.0, 2.0),
        lead=1.0,
        chord=0.0,
        bass=0.0,
        habit=0.55,
        characters={"lead": {"nasal": 6, "supersaw": 1.5, "buzz": 1, "square": 0.7, "pluck": 0.7}},
        harmony={"static": 3, "dark": 1.5, "moving": 1.5},
        chord_size={"triad": 2, "power": 2},
        chord_writing={"long": 2, "pumped": 1},
        bass_writing={"sustain": 1},
        melody=Melody(
            pool={"chord": 3, "scale": 2, "few": 1.5, "penta": 1},
            cell_bars={"1": 2, "2": 4},
            form={"AAAB": 3, "AABA": 1, "ABAB": 2},
            density=(0.55, 0.9),
            legato=(0.45, 0.9),
            leap=0.25,
            repeat=0.5,
            follows=0.15,
            base=(60.0, 70.0),
        ),
        vocal={"none": 5, "word": 2, "hook": 0.5},
        kick=Kick((0.15, 0.26), (0.7, 1.0), (0.0, 0.05), tuned=0.95),
        beat=Beat(
            {**_BACKBEAT, "none": 3.0, "four": 1.5},
            {**_OFFBEAT, "none": 4.0},
            {**_HATS, "none": 5.0},
            0.15,
            0.3,
            (0.0, 0.1),
            0.15,
            {"4": 3, "8": 4, "2": 0.7},
            {**_FILLS, "roll": 4.0},
        ),
        reverb_s=(1.0, 2.8),
        wet_db=(-18.0, -9.0),
        arp=0.0,
        pad=0.0,
        layer=0.5,
        stab=0.0,
        second_lead=0.1,
        swell=0.0,
        part_db={"kick": 2.0, "lead": 1.0},
    ),
    # pulsing sixteenth bass that leaves the kick free, dark buzzing leads whose filter opens, rides, regular
    "Future Rave": Facts(
        tempo_bpm=(125.0, 130.0),
        major=0.08,
        groove=(4.0, 5.0),
        rhythm=(3.0, 5.0),
        distortion=(2.0, 4.0),
        organicity=(1.0, 2.0),
        lead=1.0,
        chord=0.05,
        bass=1.0,
        habit=0.55,
        characters={
            "lead": {"buzz": 6, "supersaw": 2, "nasal": 0.7, "pluck": 0.5, "growl": 0.5},
            "bass": {"pulse": 5, "reese": 2, "rolling": 1, "growl": 0.3},
        },
        harmony={"moving": 2, "dark": 2, "static": 2},
        chord_size={"triad": 2, "sus": 1, "power": 1},
        chord_writing={"long": 2, "stabs": 1},
        bass_writing={"pulse": 7, "rolling": 0.5, "even": 0.4},
        melody=Melody(
            pool={"scale": 3, "chord": 2, "penta": 1},
            cell_bars={"1": 2, "2": 3},
            form={"AABA": 1, "AAAB": 3, "ABAB": 2},
            density=(0.5, 0.9),
            legato=(0.6, 0.95),
            leap=0.2,
            repeat=0.45,
            follows=0.65,
            base=(57.0, 66.0),
        ),
        vocal={"none": 5, "airy": 1.5, "word": 1, "chops": 0.5},
        kick=Kick((0.14, 0.22), (0.45, 0.85), (0.0, 0.2)),
        beat=Beat(
            {**_BACKBEAT, "none": 1.5},
            {**_OFFBEAT, "off": 7.0},
            _HATS,
            0.3,
            0.6,
            (0.0, 0.12),
            0.1,
            {"8": 3, "4": 2, "16": 1},
            _FILLS,
        ),
        reverb_s=(1.2, 3.0),
        wet_db=(-17.0, -8.0),
        arp=0.3,
        pad=0.15,
        layer=0.4,
        stab=0.03,
        swell=0.5,
        part_db={"bass": 0.5},
    ),
    # plucked bouncing bass on root, octave and fifth with body in the middle, hook by voice or whistle, tight drums
    "Slap House": Facts(
        tempo_bpm=(115.0, 125.0),
        major=0.15,
        groove=(3.0, 4.0),
        rhythm=(3.0, 5.0),
        distortion=(1.0, 3.0),
        organicity=(1.0, 2.0),
        lead=0.95,
        chord=0.08,
        bass=1.0,
        habit=0.55,
        characters={
            "lead": {"whistle": 4, "pluck": 1.5, "square": 1, "bounce": 1, "piano": 0.5, "guitar": 0.5},
            "bass": {"slap": 6, "donk": 1.5, "pulse": 0.5},
        },
        harmony={"moving": 5, "static": 1},
        chord_size={"triad": 3, "sus": 0.5, "seventh": 0.7},
        chord_writing={"long": 2, "offbeat": 1, "stabs": 1},
        bass_writing={"slap": 7, "bounce": 0.8},
        melody=Melody(
            pool={"penta": 4, "scale": 2},
            cell_bars={"1": 2, "2": 4},
            form={"AAAB": 3, "AABA": 2, "ABAB": 2},
            density=(0.35, 0.6),
            legato=(0.5, 0.9),
            leap=0.25,
            repeat=0.35,
            follows=0.25,
            base=(60.0, 70.0),
        ),
        vocal={"none": 1.5, "hook": 6, "chops": 2, "airy": 0.7},
        kick=Kick((0.1, 0.18), (0.3, 0.7), (0.0, 0.3)),
        beat=Beat(
            {**_BACKBEAT, "backbeat": 8.0, "snaps": 1.0}, _OFFBEAT, _HATS, 0.4, 0.1, (0.0, 0.18), 0.15, _EIGHT, _FILLS
        ),
        reverb_s=(0.7, 2.0),
        arp=0.05,
        pad=0.15,
        layer=0.15,
        stab=0.03,
        second_lead=0.2,
        part_db={"bass": 2.0},
    ),
}


def pick(weights: Weights, rng: np.random.Generator) -> str:
    """Draw a key with probability proportional to its weight."""
    names = sorted(weights)
    share = np.array([weights[name] for name in names], dtype=float)
    return names[int(rng.choice(len(names), p=share / share.sum()))]


def draw_shares(genre: str, rng: np.random.Generator) -> dict[str, float]:
    """A label of one of the four published shapes whose largest share is a genre: {genre: share}, sum 1.

    Companions are drawn as often as musicians named the pair. Raises KeyError for an unknown genre.
    """
    FACTS[genre]
    shape = LABEL_SHAPES[int(rng.choice(len(LABEL_SHAPES), p=SHAPE_CHANCES))]
    shares = {genre: shape[0]}
    for share in shape[1:]:
        partners = {
            other: MIXED_PAIRS.get(frozenset({genre, other}), 0.0) + 0.05 for other in GENRES if other not in shares
        }
        shares[pick(partners, rng)] = share
    return shares


def blended(shares: Mapping[str, float], name: str) -> Interval:
    """Interval of an attribute (or tempo_bpm) of a mixture: the edges of its genres weighted by their shares."""
    low = sum(share * getattr(FACTS[genre], name)[0] for genre, share in shares.items())
    high = sum(share * getattr(FACTS[genre], name)[1] for genre, share in shares.items())
    return low, high
