"""Writes loops of notes: chord loops, bass lines, melodies, arpeggios, chops, and says how fine their rhythm is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .compose import Note
from .facts import Melody, pick

LOOP_BARS = 8
MAJOR = (0, 2, 4, 5, 7, 9, 11)
MINOR_SCALES: tuple[tuple[int, ...], ...] = (
    (0, 2, 3, 5, 7, 8, 10),
    (0, 2, 3, 5, 7, 8, 10),
    (0, 2, 3, 5, 7, 9, 10),
    (0, 2, 3, 5, 7, 8, 11),
)
PHRYGIAN = (0, 1, 3, 5, 7, 8, 10)
# Chord roots as steps of the scale, one digit a bar.
_MOVING_MAJOR = (
    "3450 5304 0453 3045 0534 3544 0354 5340 0345 4530 3504 5434 0243 3025 0514 2534 3152 0325 3405 1504 5104 0534 "
    "4350 3055 0053 3344 5533 1345 3450"
)
_MOVING_MINOR = (
    "0526 0354 5600 0656 0263 3056 0562 5620 0364 5260 3526 0536 0655 2605 5064 0265 3650 0634 5604 0053 0566 5566 "
    "3344 0330 5362 6520 0246 2653"
)
_STATIC = "0000 0006 0056 0033 0001 0005 0060 0600 0050 0030 0055"
_DARK = "0001 0010 0061 0015 0100 0505 0011 0051"
_JAZZ_MAJOR = "0354 1403 3210 0153 3254 0521 3030 1404 0505 3120"
_JAZZ_MINOR = "0303 0345 5304 3034 0525 0362 5034 0033 5560 3240 0415 0220"
_TRESILLOS = (
    (3, 3, 2),
    (3, 3, 4, 3, 3),
    (3, 3, 3, 3, 4),
    (3, 3, 3, 3, 2, 2),
    (2, 3, 3),
    (3, 2, 3),
    (3, 5),
    (1, 3, 2, 2),
)
_TONES: dict[str, tuple[int, ...]] = {
    "power": (0, 4, 7),
    "triad": (0, 2, 4),
    "seventh": (0, 2, 4, 6),
    "ninth": (0, 2, 4, 6, 8),
    "sus": (0, 3, 4),
}
_PENTA = {True: (0, 1, 2, 4, 5), False: (0, 2, 3, 4, 6)}


@dataclass(frozen=True)
class Line:
    """A loop: notes within 4 * bars beats."""

    notes: tuple[Note, ...]
    bars: int


@dataclass(frozen=True)
class Harmony:
    """Key and chord loop. root: pitch class; scale: semitones; roots: (2 * LOOP_BARS,) scale steps by half bar."""

    root: int
    major: bool
    scale: tuple[int, ...]
    roots: tuple[int, ...]
    tones: tuple[int, ...]

    def midi(self, step: int, base: float) -> int:
        """MIDI note of a scale step above the tonic that lies at or above base."""
        low = int(base) + (self.root - int(base)) % 12
        return low + 12 * (step // 7) + self.scale[step % 7]

    def at(self, beat: float) -> int:
        """Scale step of the chord that sounds at a beat of the loop."""
        return self.roots[int(beat // 2.0) % len(self.roots)]


def draw_harmony(kind: str, size: str, major: bool, root: int, rng: np.random.Generator) -> Harmony:
    """Draw a chord loop. kind: moving, static, dark or jazz; size: a key of the chord tones; root: pitch class."""
    scale = MAJOR if major else MINOR_SCALES[int(rng.integers(len(MINOR_SCALES)))]
    if kind == "dark" and not major:
        scale = PHRYGIAN
    texts = {
        "moving": _MOVING_MAJOR if major else _MOVING_MINOR,
        "static": _STATIC,
        "dark": _DARK,
        "jazz": _JAZZ_MAJOR if major else _JAZZ_MINOR,
    }[kind].split()
    loop = [int(step) for step in texts[int(rng.integers(len(texts)))]]
    pace = int(rng.choice([1, 2, 4], p=(0.1, 0.62, 0.28)))
    roots = [loop[half // pace % 4] for half in range(2 * LOOP_BARS)]
    if kind in ("moving", "jazz") and rng.random() < 0.25:
        # The last chord is reached early, in the second half of the bar before.
        roots[-1] = loop[int(rng.integers(4))]
    return Harmony(root, major, tuple(scale), tuple(roots), _TONES[size])


def cell(level: float, beats: float, density: float, rng: np.random.Generator, after_kick: bool = False) -> list[float]:
    """Note starts over some beats. level 1..5: quarters, eighths, sixteenths, syncopated sixteenths, thirty-seconds.

    density: share of the possible places that are taken; after_kick: leave the first kick alone, start right after it.
    """
    whole = int(level) + int(rng.random() < level - int(level))
    slots = int(beats * 4)
    if whole <= 2:
        grid = 4 if whole == 1 else 2
        starts = {
            slot for slot in range(0, slots, grid) if rng.random() < min(1.0, density * (1.4 if slot % 8 == 0 else 1.0))
        }
    elif whole >= 4 and rng.random() < 0.4:
        steps = _TRESILLOS[int(rng.integers(len(_TRESILLOS)))]
        starts, slot, index = set(), int(rng.choice([0, 0, 0, 1, 2, 3])), 0
        while slot < slots:
            if rng.random() < 0.55 + 0.6 * density:
                starts.add(slot)
            slot += steps[index % len(steps)]
            index += 1
    else:
        chances = (1.5, 0.7, 1.2, 0.7) if whole == 3 else (0.8, 1.2, 1.0, 1.2)
        starts = {slot for slot in range(slots) if rng.random() < density * chances[slot % 4]}
    if after_kick:
        first = int(rng.choice([1, 2, 2, 2, 3]))
        starts = {slot for slot in starts if slot > first} | {first}
    elif not starts or rng.random() < 0.75:
        starts.add(0)
    out = [slot / 4.0 for slot in sorted(starts)]
    if whole >= 5:
        # Thirty-seconds come as short ratchets.
        for start in [beat for beat in out if rng.random() < 0.25]:
            out += [start + 0.125 * step for step in range(1, int(rng.choice([2, 2, 4])))]
    return sorted({beat for beat in out if beat < beats})


def _lengths(starts: Sequence[float], total: float, legato: float, longest: float = 4.0) -> list[float]:
    return [
        float(np.clip((after - start) * legato, 0.09, longest))
        for start, after in zip(starts, [*starts[1:], total], strict=True)
    ]


def _voicing(harmony: Harmony, step: int, centre: float, spread: bool, last: Sequence[int]) -> list[int]:
    """Notes of a chord near a register, and near the chord before it."""
    goal = float(np.mean(last)) if last else centre
    notes = []
    for tone in harmony.tones:
        midi = harmony.midi(step + tone, centre - 6.0)
        notes.append(midi - 12 * round((midi - goal) / 12.0))
    notes = sorted(set(notes))
    if spread and len(notes) > 2:
        notes[1] -= 12
    return sorted(notes)


def chord_line(writing: str, harmony: Harmony, level: float, rng: np.random.Generator) -> Line:
    """Chords as long, pumped, offbeat, late, stabs or strum; level: see cell."""
    centre, spread = float(rng.uniform(54.0, 66.0)), rng.random() < 0.3
    doubled = rng.random() < 0.3
    chords: dict[int, list[int]] = {}
    last: list[int] = []
    for half, step in enumerate(harmony.roots):
        pull = [centre] if last and abs(float(np.mean(last)) - centre) > 5.0 else last
        last = _voicing(harmony, step, centre, spread, [int(note) for note in pull])
        chords[half] = [*last, last[0] + 12] if doubled else last
    short = float(rng.uniform(0.15, 0.45))
    slack = float(rng.uniform(0.01, 0.05)) if writing == "strum" else 0.0
    pattern = cell(max(level, 2.6), 4.0, float(rng.uniform(0.3, 0.5)), rng)
    strum = cell(min(max(level, 2.4), 3.6), 4.0, float(rng.uniform(0.4, 0.6)), rng)
    late = float(rng.choice([0.5, 0.75, 1.5, 2.5]))
    notes: list[Note] = []
    for bar in range(LOOP_BARS):
        changes = [0.0] if harmony.roots[2 * bar] == harmony.roots[2 * bar + 1] else [0.0, 2.0]
        if writing == "long":
            hits = [(beat, 4.0 / len(changes) - 0.05) for beat in changes]
        elif writing == "pumped":
            hits = [(float(beat), 0.9) for beat in range(4)]
        elif writing == "offbeat":
            hits = [(beat + 0.5, short) for beat in range(4)]
        elif writing == "late":
            hits = [(late, min(3.9 - late, 2.0)), *([(late + 1.75, 0.3)] if late < 1.0 and bar % 2 else [])]
        else:
            starts = strum if writing == "strum" else pattern
            if bar % 4 == 3 and rng.random() < 0.5:
                starts = cell(max(level, 2.6), 4.0, 0.4, rng)
            lengths = _lengths(starts, 4.0, 0.95) if writing == "strum" else [short] * len(starts)
            hits = list(zip(starts, lengths, strict=True))
        for beat, beats in hits:
            voiced = chords[int((4 * bar + beat) // 2.0)]
            accent = 1.0 if beat % 1.0 == 0.0 else 0.88
            notes += [Note(4 * bar + beat + slack * order, midi, beats, accent) for order, midi in enumerate(voiced)]
    return Line(tuple(notes), LOOP_BARS)


def _bass_cell(
    writing: str, level: float, harmony: Harmony, rng: np.random.Generator
) -> list[tuple[float, float, int]]:
    """One bar of a bass: (beat, beats, semitones above the root)."""
    if writing == "even":
        kind = int(rng.integers(3))
        grid = [0.5 * slot for slot in range(8) if kind != 1 or slot % 2 or slot == 0]
        return [(beat, 0.9 if kind == 2 else 0.46, 0) for beat in grid if kind != 2 or beat % 1.0 == 0.0]
    if writing == "sustain":
        return [(0.0, 3.9, 0)] if rng.random() < 0.6 else [(0.0, 2.4, 0), (2.5, 1.4, 0)]
    if writing == "offbeat":
        return [(beat + 0.5, float(rng.uniform(0.3, 0.48)), 0) for beat in range(4)]
    if writing == "rolling":
        mutes = {slot for slot in range(16) if rng.random() < 0.22}
        top = int(rng.choice([0, 0, 12, 10, 7, 3]))
        high = int(rng.choice([3, 6, 7, 11, 14, 15]))
        hold = float(rng.uniform(0.14, 0.24))
        return [(slot / 4, hold, top if slot == high else 0) for slot in range(16) if slot % 4 and slot not in mutes]
    if writing == "pulse":
        kind = int(rng.integers(4))
        slots = {0: [1, 2, 3], 1: [1, 2, 3], 2: [2, 3], 3: [1, 2, 3]}[kind]
        hold = float(rng.uniform(0.18, 0.25))
        return [(beat + slot / 4, hold, 12 if kind == 3 and slot == 2 else 0) for beat in range(4) for slot in slots]
    if writing == "melodic":
        starts = cell(min(max(level, 1.4), 2.6), 4.0, 0.5, rng)
        steps: tuple[int, ...] = (0, 0, 7, 12, harmony.scale[2], harmony.scale[6] - 12, 5)
        lengths = _lengths(starts, 4.0, float(rng.uniform(0.85, 1.0)))
        return [
            (beat, beats, 0 if not index else int(rng.choice(steps)))
            for index, (beat, beats) in enumerate(zip(starts, lengths, strict=True))
        ]
    if writing == "growl":
        starts = cell(max(3.0, level), 4.0, float(rng.uniform(0.22, 0.4)), rng, after_kick=True)
        growls = (0, 0, 0, 0, 12, harmony.scale[1], harmony.scale[2], -2, 0)
        lengths = _lengths(starts, 4.0, float(rng.uniform(0.6, 0.95)), 1.2)
        return [(beat, beats, int(rng.choice(growls))) for beat, beats in zip(starts, lengths, strict=True)]
    if writing == "answer":
        starts = [2.0 + beat for beat in cell(max(3.0, level), 2.0, 0.45, rng)]
        return [(0.5, 0.3, 0), *((beat, 0.22, int(rng.choice([0, 0, 12, 7]))) for beat in starts)]
    # bounce and slap: sixteenths between the kicks, on root, octave and fifth
    starts = cell(
        min(max(3.2, level), 5.0),
        4.0,
        float(rng.uniform(0.3, 0.45)),
        rng,
        after_kick=writing == "bounce" and rng.random() < 0.7,
    )
    if writing == "bounce":
        starts = sorted({*starts, *(beat + 0.5 for beat in range(4) if rng.random() < 0.75)})
    hold = float(rng.uniform(0.7, 1.0))
    tones = (0, 0, 0, 12, 7, 12) if writing == "slap" else (0, 0, 0, 0, 12, 7)
    lengths = _lengths(starts, 4.0, hold, float(rng.uniform(0.25, 0.5)))
    return [
        (beat, beats, 0 if not index else int(rng.choice(tones)))
        for index, (beat, beats) in enumerate(zip(starts, lengths, strict=True))
    ]


def bass_line(writing: str, harmony: Harmony, level: float, rng: np.random.Generator) -> Line:
    """A bass under the chord loop: a cell of one or two bars, repeated, with another last bar."""
    base = float(rng.uniform(27.0, 33.0))
    pair = [_bass_cell(writing, level, harmony, rng) for _ in range(1 + int(rng.random() < 0.5))]
    turn = _bass_cell(writing, level, harmony, rng)
    # A line that stays on the tonic under moving chords is a pedal.
    pedal = rng.random() < 0.12
    ends = bool(rng.random() < 0.6)
    notes = []
    for bar in range(LOOP_BARS):
        figure = turn if ends and bar % 4 == 3 else pair[bar % len(pair)]
        for beat, beats, interval in figure:
            step = 0 if pedal else harmony.at(4.0 * bar + beat)
            low = harmony.midi(step - 7 if step > 4 else step, base)
            accent = 0.85 if beat % 0.5 else 1.0
            notes.append(Note(4.0 * bar + beat, low + interval, beats, accent))
    return Line(tuple(notes), LOOP_BARS)


def _pool(kind: str, harmony: Harmony, rng: np.random.Generator) -> list[int]:
    """Scale steps from -4 to 10 that a melody may use."""
    if kind == "few":
        others = rng.choice([-1, 1, 2, 4, 7, -3], int(rng.integers(1, 3)), replace=False)
        return sorted({0, *(int(step) for step in others)})
    allowed = {"chord": (0, 2, 4), "penta": _PENTA[harmony.major], "scale": tuple(range(7))}[kind]
    return [step for step in range(-4, 11) if step % 7 in allowed]


def melody_line(habit: Melody, harmony: Harmony, level: float, rng: np.random.Generator) -> Line:
    """A melody of motifs in a form such as AABA; level: see cell."""
    bars = int(pick(habit.cell_bars, rng))
    form = pick(habit.form, rng)
    if bars == 4:
        form = form[0] + form[2]
    pool = _pool(pick(habit.pool, rng), harmony, rng)
    density, legato = float(rng.uniform(*habit.density)), float(rng.uniform(*habit.legato))
    base, follows = float(rng.uniform(*habit.base)), rng.random() < habit.follows
    motifs: dict[str, list[tuple[float, int, float]]] = {}
    rhythm_of: list[float] = []
    for letter in sorted(set(form)):
        starts: list[float] = []
        # Later motifs mostly keep the rhythm of the first and change its pitches.
        if letter != "A" and rhythm_of and rng.random() < 0.4:
            starts = rhythm_of
        else:
            for bar in range(bars):
                starts += [4.0 * bar + beat for beat in cell(level, 4.0, density, rng, rng.random() < habit.after_kick)]
        rhythm_of = rhythm_of or starts
        place = int(rng.integers(len(pool) // 3, max(len(pool) // 3 + 1, 2 * len(pool) // 3 + 1)))
        motif = []
        for start, beats in zip(starts, _lengths(starts, 4.0 * bars, legato), strict=True):
            if rng.random() >= habit.repeat:
                reach = int(rng.integers(2, 5)) if rng.random() < habit.leap else 1
                place += reach if rng.random() < 0.5 else -reach
                place = int(np.clip(place, 0, len(pool) - 1))
            motif.append((start, pool[place], beats))
        motifs[letter] = motif
    total = bars * len(form)
    notes = []
    for part, letter in enumerate(form):
        for start, step, beats in motifs[letter]:
            beat = 4.0 * bars * part + start
            chord = harmony.at(beat)
            shift = (chord - 7 if chord > 3 else chord) if follows else 0
            if not follows and start % 4.0 == 0.0 and len(pool) > 4:
                # A long first note that clashes with the chord moves to the nearest chord tone.
                tones = [tone for tone in range(-5, 12) if (tone - chord) % 7 in (0, 2, 4)]
                step = min(tones, key=lambda tone: (abs(tone - step), tone))
            notes.append(Note(beat, harmony.midi(step + shift, base), beats, 1.0 if beat % 1.0 == 0.0 else 0.87))
    return Line(tuple(notes), total)


def arp_line(harmony: Harmony, level: float, rng: np.random.Generator) -> Line:
    """Broken chords on a steady grid with rests."""
    grid = 0.5 if level < 2.3 else 0.25
    order = [int(step) for step in rng.permutation([0, 2, 4, 7, 4, 2, 9, 7])][: int(rng.choice([3, 4, 6, 8]))]
    rests = {slot for slot in range(16) if rng.random() < 0.2}
    base, width = float(rng.uniform(58.0, 68.0)), float(rng.uniform(0.0, 0.7))
    hold = grid * float(rng.uniform(0.5, 1.0))
    notes = []
    for slot in range(int(4 * LOOP_BARS / grid)):
        if slot % 16 in rests:
            continue
        chord = harmony.at(slot * grid)
        midi = harmony.midi((chord - 7 if chord > 3 else chord) + order[slot % len(order)], base)
        notes.append(Note(slot * grid, midi, hold, 0.8 + 0.2 * (slot % 4 == 0), width * (-1) ** slot))
    return Line(tuple(notes), LOOP_BARS)


def stab_line(harmony: Harmony, level: float, rng: np.random.Generator) -> Line:
    """A hit or two on one pitch right after the first kick of every bar or every second bar."""
    base = float(rng.uniform(44.0, 62.0))
    every = int(rng.choice([1, 1, 2]))
    first = float(rng.choice([0.25, 0.5, 0.5, 0.75]))
    more = cell(max(level, 3.0), 3.0, 0.12, rng)[1:]
    hold = float(rng.uniform(0.2, 0.9))
    bent = int(rng.choice([0, 0, 1, 2]))
    notes = []
    for bar in range(0, LOOP_BARS, every):
        step = bent if bar % 4 == 2 else 0
        for beat in (first, *(first + extra for extra in more)):
            if beat < 3.9:
                notes.append(Note(4.0 * bar + beat, harmony.midi(step, base), hold if beat == first else 0.2))
    return Line(tuple(notes), LOOP_BARS)


def vocal_line(kind: str, harmony: Harmony, level: float, rng: np.random.Generator) -> Line:
    """Voices: chops (short, thrown about by octaves), word (one sample now and then), airy (long), hook (sung)."""
    base = float(rng.uniform(54.0, 64.0))
    if kind == "hook":
        habit = Melody(
            {"penta": 3, "scale": 2},
            {"2": 3, "4": 1},
            {"AABA": 1, "AAAB": 2, "ABAC": 1},
            (0.4, 0.7),
            (0.6, 0.95),
            0.2,
            0.35,
        )
        return melody_line(habit, harmony, min(max(level, 2.0), 3.8), rng)
    notes: list[Note] = []
    if kind == "airy":
        for bar in range(0, LOOP_BARS, int(rng.choice([1, 2]))):
            start = float(rng.choice([0.0, 0.5, 1.0, 2.0]))
            step = harmony.at(4.0 * bar + start) + int(rng.choice([0, 2, 4]))
            notes.append(Note(4.0 * bar + start, harmony.midi(step, base), float(rng.uniform(1.5, 3.5)), 1.0, 0.0))
        return Line(tuple(notes), LOOP_BARS)
    if kind == "word":
        every = int(rng.choice([1, 2, 2, 4]))
        starts = cell(3.5, 4.0, 0.12, rng)[: int(rng.integers(1, 4))]
        midi = harmony.midi(0, base)
        for bar in range(every - 1, LOOP_BARS, every):
            notes += [Note(4.0 * bar + beat, midi, 0.35) for beat in starts]
        return Line(tuple(notes), LOOP_BARS)
    bars = int(rng.choice([1, 2, 2, 4]))
    jump = int(rng.choice([0, 12, 12]))
    pool = _pool("penta", harmony, rng)[2:9]
    figure = [
        (
            4.0 * bar + beat,
            int(rng.choice(pool)),
            jump * int(rng.choice([-1, 0, 0, 0, 1])),
            float(rng.uniform(-0.3, 0.3)),
        )
        for bar in range(bars)
        if bar or rng.random() < 0.6 or bars == 1
        for beat in cell(min(max(level, 3.0), 4.4), 4.0, 0.35, rng)
    ]
    hold = float(rng.uniform(0.12, 0.3))
    return Line(
        tuple(Note(b, harmony.midi(step, base) + octave, hold, 0.9, pan) for b, step, octave, pan in figure), bars
    )


def bar_onsets(line: Line) -> list[list[float]]:
    """Starts of the notes of each bar of a loop, in beats from the bar line, rising and without doubles."""
    bars: list[set[float]] = [set() for _ in range(line.bars)]
    for note in line.notes:
        bar = int(note.beat // 4) % line.bars
        # Strummed strings belong to one hit.
        bars[bar].add(round(round((note.beat - 4 * (note.beat // 4)) * 16) / 16, 4))
    return [sorted(starts) for starts in bars]


def bar_holds(line: Line) -> list[float]:
    """Beats of each bar of a loop during which at least one note is held."""
    sounding = np.zeros(line.bars * 64, dtype=bool)
    for note in line.notes:
        first, last = int(note.beat * 16), int(np.ceil((note.beat + note.beats) * 16))
        sounding[np.arange(first, max(last, first + 1)) % len(sounding)] = True
    return [float(part.mean() * 4.0) for part in sounding.reshape(line.bars, 64)]


def fineness(starts: Sequence[float]) -> float:
    """Rhythm of the notes of one bar on the published scale: 1 quarters, 2 eighths, 3 sixteenths, 4 syncopated, 5 1/32.

    starts: beats from the bar line. NaN without notes.
    """
    if not starts:
        return float("nan")
    places = [round(start * 8) for start in starts]
    odd32 = sum(place % 2 == 1 for place in places) / len(places)
    if odd32 > 0.05:
        return float(min(5.0, 4.4 + 2.5 * odd32))
    taken = {place // 2 for place in places}
    sixteenths = [slot for slot in taken if slot % 2]
    share = len(sixteenths) / len(taken)
    if share > 0.08:
        # Syncopated: nothing follows on the eighth, so the weight stays off the beat.
        loose = sum((slot + 1) % 16 not in taken for slot in sixteenths) / len(sixteenths)
        return float(min(4.4, 2.6 + min(0.4, 2.0 * share) + 1.4 * loose * min(1.0, 2.5 * share)))
    eighths = sum(slot % 4 == 2 for slot in taken) / len(taken)
    return float(1.0 + min(1.2, 2.0 * eighths))
