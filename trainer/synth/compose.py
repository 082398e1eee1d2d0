"""Writes the notes: an 8-bar loop of chords, bass, motif, arpeggio and vocal chops for one style."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .recipes import Style

LOOP_BARS = 8
LOOP_BEATS = 4 * LOOP_BARS
SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}
# Chord roots as scale steps, one per bar of a 4-bar loop (or per two bars of an 8-bar loop).
LOOPS = {
    "major": ((3, 4, 5, 0), (5, 3, 0, 4), (0, 4, 5, 3), (3, 0, 4, 5), (0, 5, 3, 4), (3, 5, 4, 4)),
    "minor": ((0, 5, 2, 6), (0, 3, 5, 4), (5, 6, 0, 0), (0, 6, 5, 6), (0, 2, 6, 3), (3, 0, 5, 6)),
}
STATIC = ((0, 0, 0, 0), (0, 0, 0, 6), (0, 0, 5, 6), (0, 0, 3, 3))


@dataclass(frozen=True)
class Note:
    """beat: position in the loop; midi: pitch; beats: length; gain: linear; pan: -1..1."""

    beat: float
    midi: float
    beats: float
    gain: float = 1.0
    pan: float = 0.0


@dataclass
class Score:
    """Note lists over one loop of LOOP_BARS bars."""

    chords: list[Note]
    pads: list[Note]
    bass: list[Note]
    lead: list[Note]
    arp: list[Note]
    vocal: list[Note]
    ground: list[Note]
    stab: list[Note]


def pitch(style: Style, step: int, base: int) -> int:
    """MIDI note of a scale step above the root that lies at or above base."""
    root = base + (style.root - base) % 12
    return int(root + 12 * (step // 7) + SCALES[style.mode][step % 7])


def _roots(style: Style, rng: np.random.Generator) -> list[int]:
    pool = STATIC if "fewnotes" in style.extras else LOOPS[style.mode]
    loop = pool[int(rng.integers(len(pool)))]
    slow = rng.random() < (0.5 if "soft" in style.extras else 0.25)
    return [loop[(bar // 2 if slow else bar) % 4] for bar in range(LOOP_BARS)]


def _voicing(style: Style, root_step: int) -> list[int]:
    steps = [0, 2, 4] + ([6] if "seventh" in style.extras else [])
    notes = [pitch(style, root_step + step, 48) for step in steps]
    # Fold into one octave and a half so that chords move by small steps.
    return sorted(note - 12 if note > 72 else note + 12 if note < 55 else note for note in notes)


CHORD_PATTERNS = {
    "long": ((0.0, 3.9),),
    "pumped": ((0.0, 0.9), (1.0, 0.9), (2.0, 0.9), (3.0, 0.9)),
    "offbeat": ((0.5, 0.3), (1.5, 0.3), (2.5, 0.3), (3.5, 0.3)),
    "stabs": ((0.0, 0.4), (0.75, 0.4), (1.5, 0.6), (2.75, 0.3), (3.5, 0.3)),
    "strum": ((0.0, 0.7), (0.75, 0.2), (1.0, 0.4), (1.5, 0.9), (2.5, 0.4), (3.0, 0.2), (3.25, 0.6)),
}


def _chords(style: Style, roots: list[int], writing: str, rng: np.random.Generator) -> list[Note]:
    notes = []
    spread = 0.02 if writing == "strum" else 0.0
    for bar, root in enumerate(roots):
        voicing = _voicing(style, root)
        if rng.random() < 0.3 and "layer" in style.extras:
            voicing = [*voicing, voicing[0] + 12]
        for beat, beats in CHORD_PATTERNS[writing]:
            if writing == "stabs" and beat and rng.random() < 0.15:
                continue
            notes += [
                Note(4 * bar + beat + spread * order, midi, beats, 1.0 if beat == 0 else 0.88)
                for order, midi in enumerate(voicing)
            ]
    return notes


BASS_PATTERNS = {
    "offbeat": ((0.5, 0.4, 0), (1.5, 0.4, 0), (2.5, 0.4, 0), (3.5, 0.4, 0), (2.25, 0.2, 12), (3.25, 0.2, 7)),
    "growl": (
        (0.5, 0.5, 0),
        (1.0, 0.25, 0),
        (1.5, 0.4, 0),
        (2.25, 0.25, 12),
        (2.5, 0.5, 0),
        (3.25, 0.2, 0),
        (3.5, 0.45, 1),
    ),
    "rolling": tuple((0.25 * slot, 0.2, 0) for slot in range(16) if slot % 4),
    "pulse16": tuple((0.25 * slot, 0.22, 0) for slot in range(16) if slot % 4),
    "eighths": tuple((0.5 * slot, 0.45, 0) for slot in range(8)),
    "sustain": ((0.0, 3.9, 0),),
    "melodic": ((0.0, 1.4, 0), (1.5, 0.9, 0), (2.5, 0.45, 7), (3.0, 0.9, 12)),
    "slap": (
        (0.0, 0.3, 0),
        (0.75, 0.25, 0),
        (1.5, 0.3, 12),
        (1.75, 0.2, 7),
        (2.5, 0.3, 0),
        (3.0, 0.2, 12),
        (3.25, 0.2, 0),
        (3.5, 0.3, 7),
    ),
}
OPTIONAL = {"offbeat": (2.25, 3.25), "growl": (1.0, 2.25, 3.25), "slap": (1.75, 3.0, 3.25), "melodic": (2.5,)}


def _bass(style: Style, roots: list[int], rng: np.random.Generator) -> list[Note]:
    """Bass loop: a two-bar rhythm drawn once and repeated, its last bar varied."""
    notes = []
    writing = style.bass_writing
    optional = OPTIONAL.get(writing, ())
    drop = {bar: {beat for beat in optional if rng.random() < 0.45} for bar in (0, 1, 7)}
    mute = {slot for slot in range(16) if writing == "rolling" and rng.random() < 0.3}
    for bar, root in enumerate(roots):
        low = pitch(style, root, 29)
        skip = drop[7] if bar == LOOP_BARS - 1 else drop[bar % 2]
        for beat, beats, interval in BASS_PATTERNS[writing]:
            if beat in skip or int(beat * 4) in mute:
                continue
            octave = 12 if writing == "rolling" and int(beat * 4) % 7 == 6 else 0
            gain = 0.9 if writing in ("rolling", "pulse16") and int(beat * 4) % 2 else 1.0
            notes.append(Note(4 * bar + beat, low + interval + octave, beats, gain))
    return notes


def _onsets(style: Style, rng: np.random.Generator, beats: int) -> list[float]:
    """Note starts over some beats on the finest grid the rhythm attribute allows."""
    rhythm = style.attributes["rhythm"]
    grid = 1.0 if rhythm < 1.6 else 0.5 if rhythm < 2.6 else 0.25
    off_beat = float(np.clip((rhythm - 1.0) / 4.0, 0.0, 1.0))
    starts = []
    for slot in range(int(beats / grid)):
        beat = slot * grid
        on = beat % 1.0 == 0.0
        chance = 0.85 - 0.35 * off_beat if on else 0.45 if beat % 0.5 == 0.0 else 0.12 + 0.38 * off_beat
        if slot == 0 or rng.random() < chance:
            starts.append(beat)
            # Thirty-seconds appear as ratchets at the top of the scale.
            if rhythm > 4.3 and rng.random() < 0.18:
                starts.append(beat + 0.125)
    return starts


def _phrase(
    style: Style, rng: np.random.Generator, starts: list[float], total: float, legato: float
) -> list[tuple[float, int, float]]:
    """Give starts a contour: (beat, step relative to the chord root, length)."""
    step = int(rng.choice([0, 2, 4]))
    out = []
    narrow = "fewnotes" in style.extras
    for start, following in zip(starts, [*starts[1:], total], strict=True):
        if start % 1.0 == 0.0:
            step = int(min((0, 2, 4, 7, 9), key=lambda tone: abs(tone - step) + rng.random()))
        elif not narrow:
            step = int(np.clip(step + rng.choice([-2, -1, -1, 0, 1, 1, 2]), -3, 9))
        out.append((start, step, max(0.1, (following - start) * legato)))
    return out


def _lead(style: Style, roots: list[int], rng: np.random.Generator) -> list[Note]:
    """Motif over two bars in the form A A' A B, moved with the chords."""
    legato = float(rng.uniform(0.4, 0.6) if style.attributes["rhythm"] > 3.5 else rng.uniform(0.75, 0.95))
    motif = _phrase(style, rng, _onsets(style, rng, 8), 8.0, legato)
    answer = motif[: len(motif) // 2] + _phrase(
        style, rng, [4.0 + beat for beat in _onsets(style, rng, 4)], 8.0, legato
    )
    answer = [note for index, note in enumerate(answer) if index == 0 or note[0] > answer[index - 1][0]]
    turn = _phrase(style, rng, _onsets(style, rng, 8), 8.0, legato)
    base = 60 if style.lead.kind in ("nasal", "buzz", "square", "vocal") else 64
    notes = []
    for part, phrase in enumerate((motif, answer, motif, turn)):
        for beat, step, beats in phrase:
            position = 8 * part + beat
            root = roots[int(position // 4) % LOOP_BARS]
            relative = root - 7 if root > 3 else root
            notes.append(Note(position, pitch(style, relative + step, base), beats, 1.0 if beat % 1 == 0 else 0.85))
    return notes


def _arp(style: Style, roots: list[int], rng: np.random.Generator) -> list[Note]:
    order = rng.permutation([0, 2, 4, 7, 4, 2, 9, 7])
    grid = 0.5 if style.attributes["rhythm"] < 2.4 else 0.25
    rests = {slot for slot in range(16) if rng.random() < 0.22}
    notes = []
    for slot in range(int(LOOP_BEATS / grid)):
        if slot % 16 in rests:
            continue
        root = roots[int(slot * grid // 4)]
        relative = root - 7 if root > 3 else root
        midi = pitch(style, int(relative + order[slot % 8]), 64)
        notes.append(Note(slot * grid, midi, grid * 0.8, 0.8 + 0.2 * (slot % 4 == 0), 0.6 * (-1) ** slot))
    return notes


def _vocal(style: Style, rng: np.random.Generator) -> list[Note]:
    """Chops: a short pattern in the second half of every two bars, sometimes thrown by an octave."""
    slots = sorted(rng.choice(np.arange(16), int(rng.integers(3, 7)), replace=False))
    jump = 12 if "chopshift" in style.extras else 0
    notes = []
    for part in range(LOOP_BARS // 2):
        for slot in slots:
            step = int(rng.choice([0, 2, 4])) if part % 2 else (0, 2, 4)[int(slot) % 3]
            octave = jump * int(rng.choice([-1, 0, 0, 1])) if part % 2 else 0
            notes.append(
                Note(8 * part + 4 + 0.25 * int(slot), pitch(style, step, 57) + octave, 0.2, 0.9, rng.uniform(-0.3, 0.3))
            )
    return notes


def _stab(style: Style, roots: list[int], rng: np.random.Generator) -> list[Note]:
    """A one-pitch figure for styles without a melody: a few short hits between the beats."""
    slots = sorted(int(slot) for slot in rng.choice([2, 3, 6, 7, 10, 11, 14, 15], 3, replace=False))
    notes = []
    for bar in range(0, LOOP_BARS, 1 if style.attributes["rhythm"] > 3.5 else 2):
        for slot in slots if bar % 4 != 3 else slots[::2]:
            notes.append(Note(4.0 * bar + slot / 4, pitch(style, roots[bar], 60), 0.3 if slot % 2 else 0.45))
    return notes


def write_score(style: Style, rng: np.random.Generator) -> Score:
    """Write all parts of a track; parts that the style does not use are still written for breaks and builds."""
    roots = _roots(style, rng)
    chords = _chords(style, roots, style.chord_writing, rng)
    pads = _chords(style, roots, "long", rng)
    ground = [Note(4.0 * bar, pitch(style, root, 31), 3.9) for bar, root in enumerate(roots)]
    bass, lead = _bass(style, roots, rng), _lead(style, roots, rng)
    return Score(
        chords, pads, bass, lead, _arp(style, roots, rng), _vocal(style, rng), ground, _stab(style, roots, rng)
    )
