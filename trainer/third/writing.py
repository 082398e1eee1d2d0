"""What is played: sections, harmony, rhythm cells and the notes of each part's eight-bar loop. Zone: trainer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trainer.third.sampler import Note
from trainer.third.styles import Style

LOOP_BARS = 8
_MAJOR, _MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)
# scale degrees, one chord a bar
_LOOPS_MAJOR = ((3, 4, 5, 0), (0, 4, 5, 3), (5, 3, 0, 4), (3, 0, 4, 5), (0, 3, 5, 4))
_LOOPS_MINOR = ((0, 5, 2, 6), (0, 3, 5, 6), (5, 6, 0, 0), (0, 6, 5, 6), (0, 5, 3, 4), (0, 0, 5, 6))
_LOOPS_STATIC = ((0, 0, 0, 0), (0, 0, 0, 6), (0, 0, 5, 5), (0, 0, 0, 1))

# onsets of a bar in sixteenths by level: 1 quarters, 2 eighths, 3 sixteenths, 4 syncopated ones, 5 with 32nds
MELODY_CELLS: dict[int, tuple[tuple[float, ...], ...]] = {
    1: ((0, 4, 8, 12), (0, 8, 12), (0, 4, 12), (0, 8), (0, 4, 8)),
    2: (
        (0, 4, 6, 8, 12, 14),
        (0, 2, 4, 8, 10, 12),
        (0, 6, 8, 14),
        (0, 6, 12),
        (2, 4, 8, 10, 14),
        (0, 4, 8, 10, 12, 14),
    ),
    3: (
        (0, 2, 3, 4, 8, 10, 11, 12),
        (0, 1, 2, 4, 6, 8, 9, 10, 12, 14),
        tuple(range(16)),
        (0, 4, 6, 7, 8, 12, 14, 15),
        (0, 2, 4, 5, 6, 8, 10, 12, 13, 14),
    ),
    4: ((0, 3, 6, 9, 12, 14), (0, 3, 6, 10, 11, 13), (2, 3, 7, 10, 11, 15), (0, 3, 7, 8, 11, 14), (1, 3, 6, 9, 11, 14)),
    5: (
        (0, 3, 6, 8, 8.5, 9, 9.5, 12, 14),
        (0, 0.5, 1, 3, 6, 10, 11, 13),
        (0, 3, 6, 7, 11, 12, 12.5, 13, 13.5, 14),
        (0, 2, 3, 4, 6, 7, 8, 10, 11, 12, 12.5, 13, 13.5, 14),
    ),
}
BASS_CELLS: dict[str, dict[int, tuple[tuple[float, ...], ...]]] = {
    "long": {1: ((0,), (0, 8), (0, 4, 8, 12))},
    "melodic": {1: ((0, 8, 12), (0, 8), (0, 4, 8)), 2: ((0, 6, 10, 12), (0, 6, 12), (2, 6, 8, 14), (0, 4, 6, 10, 14))},
    "skip": {
        2: ((2, 6, 10, 14), (0, 2, 6, 10, 14)),
        3: ((0, 2, 3, 4, 6, 8, 10, 11, 12, 14), (2, 3, 4, 6, 10, 11, 12, 14)),
    },
    "bounce": {
        4: ((2, 5, 7, 10, 13, 14), (2, 3, 6, 9, 11, 14), (0, 3, 6, 9, 11, 14), (2, 6, 7, 11, 14)),
        5: ((2, 3, 6, 7, 10, 10.5, 11, 14), (0, 3, 6, 9, 10, 14, 14.5, 15)),
    },
    "growl": {
        3: ((2, 4, 5, 6, 8, 10, 12, 13, 14), (1, 2, 4, 6, 8, 9, 10, 14), (2, 3, 4, 6, 10, 11, 12, 14)),
        4: ((2, 5, 7, 10, 13, 14), (2, 3, 7, 8, 11, 14), (1, 3, 6, 9, 11, 14), (2, 7, 10, 11, 13)),
    },
    "rolling": {
        3: ((2, 3, 6, 7, 10, 11, 14, 15), (1, 2, 3, 5, 6, 7, 9, 10, 11, 13, 14, 15), (1, 2, 5, 6, 9, 10, 13, 14)),
        4: ((2, 3, 5, 10, 11, 14), (0, 3, 6, 7, 11, 14), (2, 5, 7, 10, 13, 14), (2, 3, 6, 9, 11, 14)),
    },
    "pulse": {3: ((1, 2, 3, 5, 6, 7, 9, 10, 11, 13, 14, 15), (2, 3, 6, 7, 10, 11, 14, 15))},
    "slap": {
        3: ((0, 2, 3, 4, 6, 8, 10, 11, 12, 14),),
        4: ((0, 3, 6, 8, 11, 14), (0, 3, 6, 7, 10, 11, 14), (2, 3, 5, 8, 11, 13, 14), (0, 3, 6, 9, 12, 14)),
        5: ((0, 3, 6, 8, 11, 12, 12.5, 13, 14), (0, 3, 6, 7, 10, 11, 14, 14.5, 15)),
    },
}


def level_of(onsets: list[float]) -> int:
    """The rhythm level 1..5 of the onsets of one bar, in sixteenths on the straight grid.

    A sixteenth counts as syncopated where the next eighth is left out; two of them make level 4, unless every beat is
    alike, as in a pulse that only leaves room for the kick.
    """
    if any(step != int(step) for step in onsets):
        return 5
    steps = {int(step) for step in onsets}
    odd = [step for step in steps if step % 2]
    if odd:
        alike = all({step % 4 for step in steps if step // 4 == beat} == {s % 4 for s in steps} for beat in range(4))
        syncopated = [step for step in odd if (step + 1) % 16 not in steps]
        return 4 if len(syncopated) >= 2 and not alike else 3
    return 2 if any(step % 4 for step in steps) else 1


@dataclass(frozen=True)
class Harmony:
    """Key and chords.

    Attributes:
        tonic: MIDI pitch class 0..11.
        minor: Whether the key is minor.
        degrees: (8,) scale degree 0..6 of each bar's chord.
    """

    tonic: int
    minor: bool
    degrees: tuple[int, ...]

    def key(self, degree: int, base: int) -> int:
        """MIDI pitch of a scale degree, which may leave 0..6, counted from the tonic at or above `base`."""
        octave, inside = divmod(degree, 7)
        start = base + (self.tonic - base) % 12
        return start + 12 * octave + (_MINOR if self.minor else _MAJOR)[inside]


def draw_harmony(style: Style, static: bool, rng: np.random.Generator) -> Harmony:
    """A key and a progression; `static` for genres that stay on few pitch classes."""
    minor = bool(rng.random() < style.minor)
    loops = _LOOPS_STATIC if static and minor else (_LOOPS_MINOR if minor else _LOOPS_MAJOR)
    four = loops[rng.integers(len(loops))]
    # one chord a bar, or each held for two bars
    degrees = tuple(np.repeat(four, 2)) if rng.random() < 0.3 else four + four
    return Harmony(int(rng.integers(12)), minor, tuple(int(degree) for degree in degrees))


def draw_plan(rng: np.random.Generator) -> list[tuple[str, int]]:
    """Sections as (name, bars): 40 to 64 bars of which at least 16 are drop."""
    while True:
        intro, outro = int(rng.choice([4, 8])), int(rng.choice([0, 4, 8]))
        first, second = int(rng.choice([8, 16])), int(rng.choice([8, 16]))
        plan = [("intro", intro)]
        for drop in (first, second):
            plan += [("break", int(rng.choice([4, 8]))), ("build", int(rng.choice([4, 8]))), ("drop", drop)]
        if rng.random() < 0.25:
            # some excerpts start with the music, not with the drums
            plan = plan[1:]
        plan += [("outro", outro)] if outro else []
        if 40 <= sum(bars for _, bars in plan) <= 64:
            return plan


def _lengths(onsets: list[float], gate: float) -> list[tuple[float, float]]:
    """Onsets of a whole loop with lengths: up to the next onset, at most a bar."""
    after = [*onsets[1:], onsets[0] + 16 * LOOP_BARS]
    return [(start, min(16.0, max(0.4, gate * (end - start)))) for start, end in zip(onsets, after, strict=True)]


def _cell_bars(cells: tuple[tuple[float, ...], ...], rng: np.random.Generator) -> list[tuple[float, ...]]:
    """Cells for eight bars: a two-bar phrase, repeated, with another ending."""
    first, second, ending = (cells[rng.integers(len(cells))] for _ in range(3))
    return [first, second, first, ending, first, second, first, ending]


def melody(style: Style, harmony: Harmony, level: int, gate: float, base: int, rng: np.random.Generator) -> list[Note]:
    """A lead line: a motif of chord tones and steps that returns, moved with the harmony."""
    bars = _cell_bars(MELODY_CELLS[level], rng)
    onsets = [16 * bar + step for bar, cell in enumerate(bars) for step in cell]
    contours: dict[tuple[float, ...], list[int]] = {}
    for cell in bars:
        walk = [int(rng.choice([0, 2, 4]))]
        for _ in cell[1:]:
            walk.append(int(np.clip(walk[-1] + rng.choice([-2, -1, 0, 0, 1, 2]), -2, 7)))
        contours.setdefault(cell, walk)
    notes = []
    for start, length in _lengths(onsets, gate):
        bar = int(start // 16)
        place = bars[bar].index(start - 16 * bar)
        degree = contours[bars[bar]][place]
        # strong beats carry chord tones
        if (start % 4) == 0 and degree % 2:
            degree -= 1
        root = harmony.degrees[bar]
        notes.append(Note(start, length, harmony.key(degree + (root if root < 4 else root - 7), base)))
    return notes


def stab_line(harmony: Harmony, level: int, gate: float, base: int, rng: np.random.Generator) -> list[Note]:
    """A lead without melody: two pitches of the key on a rhythm."""
    bars = _cell_bars(MELODY_CELLS[level], rng)
    other = int(rng.choice([0, 1, 4, 7]))
    onsets = [16 * bar + step for bar, cell in enumerate(bars) for step in cell]
    return [
        Note(start, length, harmony.key(0 if rng.random() < 0.75 else other, base), float(rng.uniform(0.7, 1)))
        for start, length in _lengths(onsets, gate)
    ]


def bass_line(style: Style, harmony: Harmony, level: int, rng: np.random.Generator) -> list[Note]:
    """Roots on the genre's rhythm with the octaves, fifths and approaches that belong to it."""
    table = BASS_CELLS[style.bass_cells]
    fitting = [known for known in table if known <= level] or [min(table)]
    bars = _cell_bars(table[max(fitting)], rng)
    onsets = [16 * bar + step for bar, cell in enumerate(bars) for step in cell]
    notes = []
    for start, length in _lengths(onsets, style.gates["bass"]):
        bar = int(start // 16)
        root = harmony.degrees[bar]
        extra = 0
        if style.bass_cells in ("slap", "bounce", "skip") and start % 16 and rng.random() < 0.35:
            extra = int(rng.choice([4, 7, 7]))
        elif style.bass_cells == "melodic" and start % 16 and rng.random() < 0.5:
            extra = int(rng.choice([2, 4, -1, 1]))
        elif style.bass_cells in ("growl", "rolling") and rng.random() < 0.2:
            extra = int(rng.choice([7, 1, -1, 2]))
        # an octave that puts every root between E1 and D#2
        key = harmony.key(root + extra, 28)
        notes.append(Note(start, length, key - 12 if key >= 47 else key, float(rng.uniform(0.85, 1))))
    return notes


def chords(harmony: Harmony, level: int, gate: float, seventh: bool, base: int, rng: np.random.Generator) -> list[Note]:
    """Triads or sevenths near `base` on a rhythm; level 0 holds each for its bar."""
    cells: tuple[tuple[float, ...], ...] = ((0,),) if level == 0 else MELODY_CELLS[level]
    cell = cells[rng.integers(len(cells))]
    notes = []
    for bar, root in enumerate(harmony.degrees):
        tones = (0, 2, 4, 6) if seventh else (0, 2, 4)
        after = [*cell[1:], 16]
        for step, end in zip(cell, after, strict=True):
            for tone in tones:
                key = harmony.key(root + tone, base)
                # the inversion that stays in one octave
                notes.append(Note(16 * bar + step, max(0.4, gate * (end - step)), base + (key - base) % 12))
    return notes
