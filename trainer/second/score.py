"""Writing: sections, harmony, rhythm and melody of one track. Zone: trainer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LOOP_BARS = 8
GRID = 32  # steps of a bar
MAJOR, MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)
# scale degrees of the roots, one chord a bar
LOOPS_MAJOR = (
    (3, 4, 5, 0),
    (0, 4, 5, 3),
    (5, 3, 0, 4),
    (3, 0, 4, 5),
    (0, 3, 5, 4),
    (1, 4, 0, 5),
    (0, 2, 3, 4),
    (3, 4, 2, 5),
)
LOOPS_MINOR = (
    (0, 5, 2, 6),
    (0, 3, 5, 6),
    (5, 6, 0, 0),
    (0, 6, 5, 6),
    (0, 2, 6, 3),
    (5, 3, 0, 6),
    (0, 0, 5, 4),
    (3, 5, 0, 6),
)
LOOPS_STATIC = ((0, 0, 0, 0), (0, 0, 5, 5), (0, 0, 0, 6), (0, 0, 1, 0))


@dataclass(frozen=True)
class Note:
    """A note of a loop.

    Attributes:
        start: In steps of a 32nd from the start of the loop.
        length: In such steps.
        pitch: MIDI number, may be fractional.
        velocity: 0 to 1.
        glide_from: MIDI number the pitch starts at.
        variation: 0 to 1, a free choice for the voice, such as a vowel.
    """

    start: int
    length: int
    pitch: float
    velocity: float
    glide_from: float
    variation: float


@dataclass(frozen=True)
class Harmony:
    """Key and chords of the 8-bar loop.

    Attributes:
        tonic: Pitch class of the key.
        minor: Whether the scale is minor.
        roots: (8,) scale degree of each bar's root.
        extended: Whether chords have sevenths and ninths.
    """

    tonic: int
    minor: bool
    roots: tuple[int, ...]
    extended: bool

    def pitch(self, degree: int, base: int) -> int:
        """MIDI number of a scale degree, 0 being the tonic at or above `base`."""
        scale = MINOR if self.minor else MAJOR
        return base + (self.tonic - base) % 12 + 12 * (degree // 7) + scale[degree % 7]

    def tones(self, bar: int) -> tuple[int, ...]:
        """Scale degrees of the chord in a bar."""
        root = self.roots[bar % len(self.roots)]
        return tuple(root + step for step in ((0, 2, 4, 6, 8) if self.extended else (0, 2, 4)))


def harmony(rng: np.random.Generator, minor_share: float, extended: bool, still: bool) -> Harmony:
    """Draws a key and a progression; `still` for music that stays on one or two chords."""
    minor = bool(rng.random() < minor_share)
    loops = LOOPS_STATIC if still else LOOPS_MINOR if minor else LOOPS_MAJOR
    loop = loops[int(rng.integers(len(loops)))]
    if rng.random() < 0.25:
        roots = tuple(degree for degree in loop for _ in (0, 1))
    else:
        second = loop if rng.random() < 0.6 else (*loop[:3], int(rng.choice([0, 3, 4, 5, 6])))
        roots = (*loop, *second)
    return Harmony(int(rng.integers(12)), minor, roots, extended)


def fineness(starts: list[int]) -> float:
    """Level 1 to 5 of the onsets of one bar (steps of a 32nd): the finest kind that occurs; NaN without onsets."""
    if not starts:
        return float("nan")
    level = 1
    onsets = set(starts)
    for start in starts:
        if start % 2:
            return 5.0
        if start % 4 == 2:
            level = max(level, 3 if start - 2 in onsets else 4)
        elif start % 8 == 4:
            level = max(level, 2)
    return float(level)


QUARTERS = ((0, 8, 16, 24), (0, 16), (0, 16, 24), (0, 8, 16), (0, 24), (0,))
EIGHTHS = (
    (0, 12, 16, 24), (0, 4, 8, 16, 24), (0, 8, 12, 16, 28), (0, 4, 12, 20, 24), (0, 12, 20, 28), (4, 12, 20, 28),
    (0, 4, 8, 12, 16, 20, 24, 28), (0, 8, 20, 24), (0, 12, 16, 28),
)  # fmt: skip
SIXTEENTHS = (
    (0, 2, 8, 12, 16, 18, 24, 28), (0, 4, 6, 8, 16, 20, 22, 24), tuple(range(0, 32, 2)), (0, 2, 4, 8, 10, 12, 16, 24),
    (0, 8, 10, 12, 16, 24, 26, 28), (4, 6, 12, 14, 20, 22, 28, 30), (0, 12, 14, 16, 24), (0, 4, 8, 16, 18, 20, 22, 24),
)  # fmt: skip
SYNCOPATED = (
    (0, 6, 12, 18, 24, 28), (0, 6, 12, 16, 22, 28), (4, 10, 16, 22, 28), (0, 6, 14, 20, 26), (0, 6, 12, 16, 22, 26),
    (0, 10, 16, 22), (6, 12, 18, 28), (0, 6, 10, 16, 22, 26, 28), (0, 12, 18, 24, 30), (2, 8, 14, 20, 26),
    (0, 8, 14, 22, 28),
)  # fmt: skip


def cell(rng: np.random.Generator, level: int) -> tuple[int, ...]:
    """Onsets of one bar (steps of a 32nd) whose fineness is exactly `level`."""
    if level < 5:
        written: tuple[tuple[int, ...], ...] = (*QUARTERS, *EIGHTHS, *SIXTEENTHS, *SYNCOPATED)
        pool = tuple(onsets for onsets in written if fineness(list(onsets)) == level)
        return pool[int(rng.integers(len(pool)))]
    base = set(cell(rng, int(rng.choice([3, 4]))))
    at, run = int(rng.choice([8, 12, 20, 24, 28])), int(rng.choice([3, 4, 6]))
    return tuple(sorted(base | {at + i for i in range(run) if at + i < GRID}))


def _lengths(onsets: tuple[int, ...], gate: float) -> list[int]:
    ends = (*onsets[1:], GRID)
    return [max(1, round((end - start) * gate)) for start, end in zip(onsets, ends, strict=True)]


def _phrase(rng: np.random.Generator) -> tuple[int, ...]:
    """Which motif each of the eight bars plays: 0 the first, 1 its answer, 2 a turn."""
    forms = (
        (0, 1, 0, 1, 0, 1, 0, 2), (0, 1, 0, 2, 0, 1, 0, 2), (0, 0, 1, 1, 0, 0, 1, 2), (0, 1, 2, 1, 0, 1, 2, 2),
        (0, 0, 0, 1, 0, 0, 0, 2), (0, 0, 0, 0, 0, 0, 0, 0), (0, 1, 1, 2, 0, 1, 1, 2),
    )  # fmt: skip
    return forms[int(rng.integers(len(forms)))]


def lead(rng: np.random.Generator, style: str, level: int, song: Harmony, base: int) -> list[Note]:
    """A lead loop.

    Args:
        rng: Draws.
        style: anthem, smooth, hook, stabs, fragments, rave, stomp, arpeggio or noise.
        level: Fineness of the rhythm, 1 to 5; every bar has it.
        song: Key and chords.
        base: Lowest tonic, MIDI.
    """
    cells = [cell(rng, level) for _ in range(3)]
    if rng.random() < 0.6:
        cells[1] = cells[0]
    gates = {"anthem": 0.95, "smooth": 1.0, "hook": 0.8, "stabs": 0.5, "fragments": 0.5, "rave": 0.75, "stomp": 0.85}
    gate = gates.get(style, 0.6) * rng.uniform(0.8, 1.05)
    order = _phrase(rng)
    steps = [[int(s) for s in rng.choice([-2, -1, -1, 0, 1, 1, 2, 3], 32)] for _ in range(3)]
    few = [int(d) for d in rng.choice([0, 0, 0, 1, 4, 6, 7], 2)]
    flow = int(rng.choice([1, -1]))
    notes: list[Note] = []
    last = float(song.pitch(song.roots[0], base))
    for bar in range(LOOP_BARS):
        motif = order[bar]
        onsets = cells[motif]
        tones = song.tones(bar)
        place = 2 + (motif == 2)
        for i, (start, length) in enumerate(zip(onsets, _lengths(onsets, gate), strict=True)):
            if style == "noise":
                degree = few[0] if start % 16 < 12 else few[1]
            elif style == "arpeggio":
                degree = tones[(flow * i) % len(tones)] + 7 * ((i // len(tones)) % 2)
            elif start % 16 == 0 or style == "stabs":
                near = [t + o for t in tones[:3] for o in (0, 7)]
                degree = min(near, key=lambda d: abs(d - (tones[0] + place)))
                place = max(0, min(8, place + steps[motif][i]))
            else:
                place = max(0, min(9, place + steps[motif][i]))
                degree = tones[0] + place - (1 if place > 8 else 0)
            pitch = float(song.pitch(degree, base))
            while pitch > base + 22:
                pitch -= 12
            bend = last if rng.random() < (0.35 if style in ("stabs", "fragments", "hook") else 0.12) else pitch
            if style in ("fragments", "noise") and rng.random() < 0.3:
                bend = pitch + float(rng.choice([-2, 2, 12, -12]))
            accent = 0.95 if start % 8 == 0 else 0.75
            notes.append(
                Note(bar * GRID + start, length, pitch, accent * rng.uniform(0.85, 1.05), bend, float(rng.random()))
            )
            last = pitch
    return notes


def chords(rng: np.random.Generator, level: int, song: Harmony, held: bool, base: int = 53) -> list[Note]:
    """Chords in close position: held for the bar, or struck in a rhythm of fineness `level`."""
    cells = [(0,), (0,)] if held else [cell(rng, level), cell(rng, level)]
    gate = 1.0 if held else float(rng.choice([0.35, 0.55, 0.95]))
    doubled = rng.random() < 0.4
    notes: list[Note] = []
    previous: list[int] = []
    for bar in range(LOOP_BARS):
        pitches = []
        for tone in song.tones(bar):
            pitch = song.pitch(tone, base)
            while pitch > base + 13:
                pitch -= 12
            pitches.append(pitch)
        if previous and song.roots[bar] == song.roots[bar - 1]:
            pitches = previous
        previous = pitches
        if doubled:
            pitches = [*pitches, min(pitches) + 12]
        onsets = cells[1 if bar % 4 == 3 else 0]
        for start, length in zip(onsets, _lengths(onsets, gate), strict=True):
            notes += [
                Note(bar * GRID + start, length, p, float(rng.uniform(0.7, 0.95)), p, float(rng.random()))
                for p in sorted(set(pitches))
            ]
    return notes


BASS_STYLES: dict[str, tuple[tuple[int, ...], ...]] = {
    "sustain": ((0,), (0, 16), (0, 24)),
    "pulse8": ((0, 4, 8, 12, 16, 20, 24, 28),),
    "offbeat": ((4, 12, 20, 28), (4, 12, 20, 24, 28)),
    "walk": ((0, 12, 16, 28), (0, 8, 12, 24), (0, 20, 24)),
    "pulse16": ((2, 4, 6, 10, 12, 14, 18, 20, 22, 26, 28, 30), (0, *range(2, 32, 2)), (4, 6, 12, 14, 20, 22, 28, 30)),
    "rolling": ((4, 6, 12, 14, 20, 22, 28, 30), (2, 4, 10, 12, 18, 20, 26, 28), (4, 10, 12, 20, 26, 28, 30)),
    "gallop": ((0, 4, 6, 8, 12, 14, 16, 20, 22, 24, 28, 30), (0, 2, 4, 8, 10, 12, 16, 18, 20, 24, 26, 28)),
    "slap": ((0, 6, 12, 20, 26), (4, 10, 12, 20, 26, 28), (0, 6, 10, 16, 22, 28), (4, 6, 12, 18, 20, 28)),
    "sync": SYNCOPATED,
    "riff": (*SIXTEENTHS, *SYNCOPATED),
}


def bass(rng: np.random.Generator, style: str, level: int, exact: bool, song: Harmony, base: int) -> list[Note]:
    """A bass loop; its fineness is `level` where `exact`, else at most `level`."""
    fits = [o for o in BASS_STYLES[style] if fineness(list(o)) == level or (not exact and fineness(list(o)) <= level)]
    pick = (
        fits[int(rng.integers(len(fits)))] if fits else cell(rng, level if exact else int(rng.integers(1, level + 1)))
    )
    other = pick if rng.random() < 0.6 else cell(rng, round(fineness(list(pick))))
    if exact and level == 5:
        pick, other = cell(rng, 5), cell(rng, 5)
    gate = {"sustain": 1.0, "walk": 0.9, "slap": 0.6, "pulse8": 0.7}.get(style, 0.75) * rng.uniform(0.75, 1.1)
    steps = {
        "sustain": (0, 0, 0), "pulse8": (0, 0, 0, 7), "offbeat": (0, 0, 0, 7), "walk": (0, 4, 2, 6, 7),
        "slap": (0, 7, 4, 0, 7), "riff": (0, 0, 7, 6, 1, 3), "sync": (0, 0, 7, 4),
    }.get(style, (0, 0, 0, 7, 6))  # fmt: skip
    jumps = [int(s) for s in rng.choice(steps, 32)]
    notes: list[Note] = []
    last = float(song.pitch(song.roots[0], base))
    for bar in range(LOOP_BARS):
        onsets = other if bar % 4 == 3 else pick
        for i, (start, length) in enumerate(zip(onsets, _lengths(onsets, gate), strict=True)):
            root = song.roots[bar]
            pitch = float(song.pitch(root + (jumps[i] if i else 0), base))
            while pitch > base + 19:
                pitch -= 12
            bend = last if rng.random() < 0.12 else pitch
            notes.append(
                Note(bar * GRID + start, length, pitch, float(rng.uniform(0.75, 1)), bend, float(rng.random()))
            )
            last = pitch
    return notes


def plan(rng: np.random.Generator, for_mix: bool) -> tuple[str, ...]:
    """The section of each bar: 40 to 64 bars with at least 16 of drop; for a mix with a long way in and out."""
    long = (8, 16, 16) if for_mix else (0, 4, 8, 8, 16)
    while True:
        parts: list[tuple[str, int]] = [("intro", int(rng.choice(long)))]
        two = rng.random() < (0.35 if for_mix else 0.65)
        for round_ in range(2 if two else 1):
            parts.append(("break", int(rng.choice([4, 8, 8] if round_ else [0, 4, 8]))))
            parts.append(("build", int(rng.choice([4, 4, 8]))))
            parts.append(("drop", int(rng.choice([8, 16, 16] if two else [16, 16, 24, 32]))))
        parts.append(("outro", int(rng.choice((8, 16, 16) if for_mix else (0, 4, 8, 8)))))
        bars = tuple(name for name, n in parts for _ in range(n))
        if 40 <= len(bars) <= 64 and bars.count("drop") >= 16 and len(bars) % 4 == 0:
            return bars
