"""What the groovebox plays: facts of the genres, steps of a wanted fineness, melodies and harmony. Zone: trainer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trainer.hands.groovebox.kit import euclid
from trainer.hands.groovebox.machine import ACOUSTIC, SYNTHETIC, Rng

BAR = 32  # steps: the finest note is a 1/32
Interval = tuple[float, float]


@dataclass(frozen=True)
class Facts:
    """Figures of a genre: tempo, intervals of the attributes, chances of parts in a drop and of minor, voices."""

    bpm: Interval
    groove: Interval
    rhythm: tuple[int, int]
    distortion: Interval
    organicity: Interval
    parts: tuple[float, float, float]
    minor: float
    lead: tuple[str, ...]
    chord: tuple[str, ...]
    bass: tuple[str, ...]


FACTS = {
    "Future House": Facts(
        (125, 130), (3, 4), (4, 5), (3, 4), (1, 3), (1, 0.5, 1), 0.8,
        ("pwm", "fm", "mono", "donk", "vowel"), ("fm", "organ", "piano", "pwm"), ("donk", "fm", "pwm"),
    ),
    "Bass House": Facts(
        (126, 130), (2, 4), (3, 4), (4, 5), (1, 2), (1, 0, 1), 0.95,
        ("growl", "fm", "sync"), ("hyper", "mono"), ("growl", "fm", "acid"),
    ),
    "Progressive House": Facts(
        (126, 128), (4, 5), (1, 3), (1, 2), (3, 5), (1, 1, 1), 0.25,
        ("hyper", "piano", "bowed"), ("hyper", "piano", "guitar", "bowed"), ("soft", "mono", "string"),
    ),
    "Melodic House": Facts(
        (126, 130), (2.5, 4), (2, 4), (1, 2.5), (2, 4), (0.95, 0.9, 0.95), 0.1,
        ("string", "vowel", "mallet", "donk"), ("guitar", "piano"), ("mono", "string", "soft"),
    ),
    "Tech House": Facts(
        (120, 128), (3, 5), (3, 4), (2, 4), (1, 3), (0, 0, 1), 0.85,
        ("fm",), ("organ", "fm", "mono"), ("mono", "acid", "fm", "string"),
    ),
    "Deep House": Facts(
        (115, 125), (2, 3), (1, 2), (1, 2), (2, 4), (1, 0.5, 1), 0.8,
        ("piano", "soft", "mallet", "pipe"), ("soft", "organ", "fm", "piano"), ("growl", "soft"),
    ),
    "Bigroom": Facts(
        (125, 130), (1, 2), (1, 3), (4, 5), (1, 2), (1, 0, 0), 0.9,
        ("reed", "hyper", "sync"), ("hyper", "soft"), ("mono",),
    ),
    "Future Rave": Facts(
        (125, 130), (4, 5), (3, 5), (2, 4), (1, 2), (1, 0, 1), 0.95,
        ("hyper", "sync", "acid"), ("soft", "hyper"), ("soft", "mono", "growl"),
    ),
    "Slap House": Facts(
        (115, 125), (3, 4), (3, 5), (1, 3), (1, 2), (1, 0, 1), 0.9,
        ("whistle", "vowel", "fm"), ("piano", "soft"), ("donk", "fm", "string"),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Note:
    """One step: start in the loop and length in 1/32, MIDI pitch, accent 0..1, pitch it slides from (0: none)."""

    start: int
    length: float
    pitch: int
    accent: float
    slide: int = 0


def fineness(steps: set[int]) -> int:
    """Rhythm level of a bar's onsets (1/32 steps): 1 quarters, 2 eighths, 3 sixteenths, 4 syncopated ones, 5 1/32."""
    if any(step % 2 for step in steps):
        return 5
    odd = [step for step in steps if step % 4 == 2]
    if odd:
        held = sum(not {(step + 2) % BAR, (step + 4) % BAR} & steps for step in odd)
        return 4 if held >= 2 else 3
    return 2 if any(step % 8 for step in steps) else 1


def bar_rhythm(rng: Rng, level: int) -> list[int]:
    """Sorted onsets (1/32 steps) of a bar whose fineness is the level."""
    plain = {1: [0, 8, 16, 24], 2: [0, 4, 12, 20, 28], 3: [0, 4, 6, 8, 14, 16, 20, 22, 24], 4: [0, 6, 12, 16, 22, 28]}
    if level == 5:
        steps = set(bar_rhythm(rng, int(rng.integers(3, 5))))
        for step in rng.choice(sorted(steps), int(rng.integers(1, 4)), replace=False):
            steps |= {int(step) + 1} | ({int(step) + 3, int(step) + 2} if rng.random() < 0.3 and step < 29 else set())
        return sorted(steps)
    for _ in range(40):
        if level == 1:
            found = {0} | {8 * int(k) for k in np.flatnonzero(rng.random(4) < rng.uniform(0.3, 1))}
        elif level == 2:
            found = {4 * int(k) for k in np.flatnonzero(rng.random(8) < rng.uniform(0.35, 0.9))}
            found = set(range(4, BAR, 8)) if rng.random() < 0.15 else found
        elif rng.random() < 0.55:
            found = {2 * int(k) for k in np.flatnonzero(euclid(int(rng.integers(4, 14)), 16, int(rng.integers(16))))}
        else:
            found = {2 * int(k) for k in np.flatnonzero(rng.random(16) < rng.uniform(0.3, 0.85))}
        if level > 1 and rng.random() < 0.3:
            found = {s for s in found if s % 8} if level == 3 and rng.random() < 0.5 else found | {0}
        if len(found) >= (2 if level < 3 else 4 - (rng.random() < 0.3)) and fineness(found) == level:
            return sorted(found)
    return plain[level]


@dataclass(frozen=True)
class Harmony:
    """Key (MIDI pitch class), scale (7 semitones above it) and the root's degree in each bar of the loop."""

    key: int
    scale: tuple[int, ...]
    degrees: tuple[int, ...]

    def pitch(self, degree: int, octave: int) -> int:
        """MIDI pitch of a scale degree (any integer) above the key in an octave (5: middle C)."""
        return 12 * octave + self.key + 12 * (degree // 7) + self.scale[degree % 7]


def draw_harmony(rng: Rng, genre: str, minor: bool, bars: int) -> Harmony:
    """A loop of four chords over so many bars; club genres may stay on one or two roots."""
    if minor:
        scale = [(0, 2, 3, 5, 7, 8, 10), (0, 2, 3, 5, 7, 9, 10), (0, 1, 3, 5, 7, 8, 10)][
            int(rng.choice(3, p=[0.7, 0.2, 0.1]))
        ]
        pool = [(0, 5, 2, 6), (0, 3, 5, 4), (5, 6, 0, 0), (0, 6, 5, 6), (0, 2, 6, 3), (3, 0, 4, 5)]
    else:
        scale = [(0, 2, 4, 5, 7, 9, 11), (0, 2, 4, 5, 7, 9, 10)][int(rng.random() < 0.12)]
        pool = [(3, 4, 5, 0), (0, 4, 5, 3), (5, 3, 0, 4), (3, 0, 4, 5), (0, 5, 3, 4), (1, 4, 0, 5)]
    roots = list(pool[int(rng.integers(len(pool)))])
    if rng.random() < (0.7 if genre in ("Tech House", "Bass House") else 0.12):
        roots = [0, 0, 0, int(rng.choice([0, 0, 5, 6]))]
    elif rng.random() < 0.2:
        roots = [int(d) for d in rng.integers(0, 6, 4)]
    spread = bars // 4 if rng.random() < 0.5 else 1
    return Harmony(int(rng.integers(12)), scale, tuple(roots[(bar // spread) % 4] for bar in range(bars)))


def _levels(rng: Rng, target: float, bars: int) -> list[int]:
    """Whole levels per bar about a target between two of them, repeating every two bars."""
    pair = [int(np.floor(target)) + int(rng.random() < target % 1) for _ in range(2)]
    return [pair[bar % 2] for bar in range(bars)]


def _rhythms(rng: Rng, target: float, bars: int, after_kick: bool = False) -> list[list[int]]:
    """Onsets per bar; after_kick: with one half a beat after the first kick where one is found soon."""
    made = []
    for level in _levels(rng, target, 2):
        tries = [bar_rhythm(rng, level) for _ in range(6 if after_kick else 1)]
        made.append(max(tries, key=lambda steps: 4 in steps))
    turn = bar_rhythm(rng, _levels(rng, target, 1)[0])
    return [turn if bar % 4 == 3 else made[bar % 2] for bar in range(bars)]


def _spans(bars: list[list[int]]) -> list[tuple[int, int]]:
    """(start, steps to the next onset, at most a bar) of all onsets in the loop."""
    flat = [bar * BAR + step for bar, steps in enumerate(bars) for step in steps]
    ends = [*flat[1:], len(bars) * BAR + flat[0]]
    return [(start, min(end - start, BAR)) for start, end in zip(flat, ends, strict=True)]


def write_lead(rng: Rng, harmony: Harmony, target: float, stabs: bool) -> list[Note]:
    """A hook: one melodic contour over chord tones, moved with the harmony; stabs: hardly any melody."""
    bars = len(harmony.degrees)
    octave, gate = int(rng.choice([5, 5, 6])), float(rng.uniform(0.35, 1.0))
    slides = rng.uniform(0, 0.35)
    contour = np.cumsum(rng.choice([-2, -1, -1, 0, 0, 1, 1, 2, 4, -4], 24))
    contour = (contour - contour[0] + 3) % 9 - 2
    if stabs:
        contour = np.zeros(24, int) + rng.choice([0, 0, 0, 1, 7], 24)
    follow, notes, last = rng.random() < 0.5 and not stabs, [], 0
    for index, (start, span) in enumerate(_spans(_rhythms(rng, target, bars, stabs))):
        bar = start // BAR
        place = (start % (2 * BAR)) * 24 // (2 * BAR)
        degree = int(contour[(place + index % 2) % 24])
        if start % 8 == 0 and not stabs:
            degree = harmony.degrees[bar] % 7 + min((0, 2, 4, 7), key=lambda c: abs(c - degree))
        elif follow:
            degree += harmony.degrees[bar] % 7
        pitch = harmony.pitch(degree, octave)
        pitch -= 12 * (pitch > 90)
        slide = last if last and last != pitch and rng.random() < slides else 0
        notes.append(Note(start, max(0.8, span * gate), pitch, float(rng.choice([0.3, 0.6, 1.0])), slide))
        last = pitch
    return notes


def write_bass(rng: Rng, harmony: Harmony, target: float, bounce: bool) -> list[Note]:
    """A bass line on the roots with some octaves and fifths; bounce: short notes that jump more."""
    bars = len(harmony.degrees)
    gate, jump = (
        float(rng.uniform(0.3, 0.6) if bounce else rng.uniform(0.5, 1.0)),
        rng.uniform(0.05, 0.5 if bounce else 0.25),
    )
    slides, colour = rng.uniform(0, 0.25), rng.random(BAR)
    notes, last = [], 0
    for start, span in _spans(_rhythms(rng, target, bars)):
        root = harmony.pitch(harmony.degrees[start // BAR], 2)
        root = (root - 28) % 12 + 28
        spot = colour[start % BAR]
        pitch = root + (0 if spot > jump else 12 if spot > 0.45 * jump else 7)
        slide = last if last and last != pitch and rng.random() < slides else 0
        notes.append(Note(start, max(0.8, span * gate), pitch, float(rng.choice([0.4, 0.7, 1.0])), slide))
        last = pitch
    return notes


def write_chords(rng: Rng, harmony: Harmony, target: float | None, rich: bool) -> list[Note]:
    """Voiced chords as stabs of a wanted fineness, or held for bars where target is None; rich: sevenths and ninths."""
    bars = len(harmony.degrees)
    tones = [0, 2, 4] + ([6] if rich or rng.random() < 0.25 else []) + ([8] if rich and rng.random() < 0.5 else [])
    gate, floor = float(rng.uniform(0.35, 0.95)), int(rng.integers(50, 60))
    spans = _spans([[0]] * bars if target is None else _rhythms(rng, target, bars))
    notes = []
    for start, span in spans:
        accent = float(rng.choice([0.4, 0.7, 1.0]))
        for tone in tones:
            pitch = (
                (harmony.pitch(harmony.degrees[start // BAR] + tone, 4) - floor) % 12 + floor + (12 if tone == 8 else 0)
            )
            notes.append(Note(start, max(0.8, span * (1.0 if target is None else gate)), pitch, accent))
    return notes


def draw_voices(rng: Rng, typical: tuple[str, ...], acoustic: bool) -> str:
    """A voice of the wanted nature: a typical one with a chance of .55, else any."""
    nature = ACOUSTIC if acoustic else SYNTHETIC
    fitting = [name for name in typical if name in nature]
    return str(rng.choice(fitting if fitting and rng.random() < 0.55 else nature))
