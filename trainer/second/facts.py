"""What the papers say about each sub-genre, as numbers and as lists of typical sounds. Zone: trainer.

The intervals are Table 1 of the mainstage benchmark (arXiv 2409.06690). Melodic House is not in that table; its row is
read from the HouseX paper of 2022 (plucks, guitar or piano, pitch shifting, mostly major).
"""

from __future__ import annotations

from dataclasses import dataclass

from housex_blender.core.genres import GENRES

Interval = tuple[float, float]


@dataclass(frozen=True)
class Facts:
    """One genre.

    Attributes:
        bpm: Lowest and highest tempo.
        lead, chord, bass: How likely the part plays in the drop; 0 and 1 are rules.
        groove, rhythm, distortion, organicity: Intervals on the scale 1 to 5.
        minor: Share of tracks in minor.
        leads, chords, basses: Typical voices; other genres may use them too, and this one may use others.
        bass_styles: Typical ways to write the bass.
        lead_styles: Typical ways to write the lead.
        kick: Typical kicks.
        drums: How much percussion there is besides the kick, 0 to 1.
        space: How much reverberation, 0 to 1.
        vocal: How likely a voice sings in the break.
        extended: How likely chords have sevenths and ninths.
    """

    bpm: Interval
    lead: float
    chord: float
    bass: float
    groove: Interval
    rhythm: Interval
    distortion: Interval
    organicity: Interval
    minor: float
    leads: tuple[str, ...]
    chords: tuple[str, ...]
    basses: tuple[str, ...]
    bass_styles: tuple[str, ...]
    lead_styles: tuple[str, ...]
    kick: tuple[str, ...]
    drums: float
    space: float
    vocal: float
    extended: float


FACTS: dict[str, Facts] = {
    "Progressive House": Facts(
        (126, 128), 1, 1, 1, (4, 5), (1, 3), (1, 2), (3, 5), 0.4,
        ("supersaw", "hyper", "piano", "strings", "padsynth"), ("supersaw", "piano", "strings", "steel", "padsynth"),
        ("sub", "reese", "pwmbass", "organbass"), ("sustain", "pulse8", "offbeat"), ("anthem",),
        ("round", "punchy"), 0.55, 0.7, 0.35, 0.3,
    ),
    "Future House": Facts(
        (125, 130), 1, 0.5, 1, (3, 4), (4, 5), (3, 4), (1, 3), 0.75,
        ("fatpulse", "fm", "sync", "chip", "pd", "vox"), ("epiano", "fatpulse", "organ", "supersaw", "fm"),
        ("donk", "squarebass", "slapfm", "pdbass"), ("offbeat", "sync", "riff"), ("stabs", "fragments"),
        ("punchy", "short"), 0.6, 0.3, 0.35, 0.5,
    ),
    "Bass House": Facts(
        (126, 130), 1, 0, 1, (2, 4), (3, 4), (4, 5), (1, 2), 0.95,
        ("screech", "talk", "gendy", "ring", "sync", "vosim"), ("fatpulse", "ring", "supersaw"),
        ("growl", "wobble", "gendybass", "reese", "pdbass", "acid"), ("riff", "sync", "gallop"), ("noise",),
        ("hard", "punchy"), 0.6, 0.2, 0.25, 0.0,
    ),
    "Tech House": Facts(
        (120, 128), 0, 0, 1, (3, 5), (3, 4), (2, 4), (1, 3), 0.9,
        ("fm",), ("padsynth", "organ"),
        ("squarebass", "acid", "sub", "donk", "fbass", "pdbass"), ("rolling", "gallop", "sync"), ("stabs",),
        ("short", "round"), 0.95, 0.25, 0.0, 0.4,
    ),
    "Deep House": Facts(
        (115, 125), 1, 0.5, 1, (2, 3), (1, 2), (1, 2), (2, 4), 0.8,
        ("epiano", "whistle", "padsynth", "sax", "vibes", "vox", "piano"), ("epiano", "padsynth", "organ", "piano"),
        ("reese", "sub", "pwmbass", "abass"), ("sustain", "offbeat", "walk"), ("smooth",),
        ("soft", "round"), 0.45, 0.95, 0.5, 0.9,
    ),
    "Bigroom": Facts(
        (125, 130), 1, 0, 0, (1, 2), (1, 3), (4, 5), (1, 2), 0.9,
        ("reed", "vosim", "sync", "hyper", "screech"), ("supersaw", "hyper"),
        ("sub",), ("sustain",), ("anthem", "stomp"),
        ("bigroom",), 0.5, 0.5, 0.3, 0.0,
    ),
    "Future Rave": Facts(
        (125, 130), 1, 0, 1, (4, 5), (3, 5), (2, 4), (1, 2), 0.95,
        ("hyper", "supersaw", "sync", "ring", "gendy"), ("padsynth", "hyper"),
        ("wavebass", "reese", "acid", "pwmbass"), ("pulse16", "rolling", "gallop"), ("rave", "stabs"),
        ("punchy", "hard"), 0.75, 0.55, 0.2, 0.0,
    ),
    "Slap House": Facts(
        (115, 125), 1, 0, 1, (3, 4), (3, 5), (1, 3), (1, 2), 0.9,
        ("whistle", "vox", "fm", "plucksyn", "vosim"), ("padsynth", "piano"),
        ("slapfm", "donk", "pdbass", "sbass"), ("slap", "sync"), ("hook", "fragments"),
        ("punchy", "round"), 0.5, 0.35, 0.8, 0.1,
    ),
    "Melodic House": Facts(
        (126, 130), 1, 1, 1, (3, 4), (2, 4), (1, 2), (2, 4), 0.1,
        ("plucksyn", "vox", "fm", "kalimba", "kstring", "chip"), ("nylon", "steel", "piano", "plucksyn", "epiano"),
        ("squarebass", "sub", "slapfm", "organbass"), ("offbeat", "sync", "pulse8"), ("arpeggio", "hook", "stabs"),
        ("round", "punchy"), 0.55, 0.5, 0.65, 0.3,
    ),
}  # fmt: skip

# how often a part is given a voice that is typical for the genre rather than any voice of its role
TYPICAL = 0.65

if set(FACTS) != set(GENRES):
    raise RuntimeError("the facts do not cover the genres")
