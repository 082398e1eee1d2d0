"""What the sampler plays: facts per genre and clips of notes and hits of one to four bars. Zone: trainer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MAJOR, MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)
CLIP_BARS = 4


@dataclass(frozen=True)
class Facts:
    """What is published about a genre: intervals of the attributes, tempo, chances of parts, typical sounds."""

    bpm: tuple[float, float]
    groove: tuple[float, float]
    rhythm: tuple[int, int]
    distortion: tuple[float, float]
    organicity: tuple[float, float]
    lead: float
    chord: float
    bass: float
    minor: float
    lead_sound: tuple[str, ...]
    chord_sound: tuple[str, ...]
    bass_sound: tuple[str, ...]
    lead_way: tuple[str, ...]
    chord_way: tuple[str, ...]
    bass_way: tuple[str, ...]
    # Length of the kick's tail (s), level of the music against the kick (dB), reverb (0..1).
    kick_tail_s: tuple[float, float]
    room: tuple[float, float] = (0.05, 0.35)


FACTS: dict[str, Facts] = {
    "Future House": Facts(
        (125, 130), (3, 4), (4, 5), (3, 4), (1, 3), 1, 0.5, 1, 0.8, ("square", "keys"), ("keys", "saw"),
        ("rubber", "deep"), ("motif", "riff"), ("stabs",), ("offbeat", "sync"), (0.12, 0.3),
    ),
    "Bass House": Facts(
        (126, 130), (2, 4), (3, 4), (4, 5), (1, 2), 1, 0, 1, 0.9, ("buzz", "growl"), ("buzz",), ("growl",),
        ("stab",), ("stabs",), ("growl",), (0.1, 0.3), (0.0, 0.2),
    ),
    "Progressive House": Facts(
        (126, 128), (4, 5), (1, 3), (1, 2), (3, 5), 1, 1, 1, 0.25, ("saw",), ("saw", "soft"), ("deep", "soft"),
        ("motif", "anthem"), ("stabs", "pad", "drive"), ("roots", "drive"), (0.15, 0.35), (0.2, 0.5),
    ),
    "Melodic House": Facts(
        (126, 130), (2.5, 4), (2, 4), (1, 2.5), (2, 4), 1, 0.85, 0.9, 0.1, ("pluck", "voice", "keys"),
        ("keys", "pluck"), ("rubber", "deep"), ("chops", "arp", "motif"), ("stabs", "strum"),
        ("offbeat", "roots", "sync"), (0.12, 0.3), (0.1, 0.4),
    ),
    "Tech House": Facts(
        (120, 128), (3, 5), (3, 4), (2, 4), (1, 3), 0, 0, 1, 0.85, ("keys",), ("keys",), ("deep", "rubber"),
        ("stab",), ("stabs",), ("roll", "sync"), (0.06, 0.15), (0.0, 0.2),
    ),
    "Deep House": Facts(
        (115, 125), (2, 3), (1, 2), (1, 2), (2, 4), 1, 0.55, 1, 0.8, ("soft", "keys", "voice"), ("soft", "keys"),
        ("deep",), ("motif", "anthem"), ("pad", "stabs"), ("roots", "walk"), (0.1, 0.22), (0.35, 0.7),
    ),
    "Bigroom": Facts(
        (125, 130), (1, 2), (1, 3), (4, 5), (1, 2), 1, 0, 0, 0.9, ("nasal",), ("saw",), ("deep",),
        ("anthem", "riff"), ("drive",), ("roots",), (0.3, 0.42), (0.05, 0.3),
    ),
    "Future Rave": Facts(
        (125, 130), (4, 5), (3, 5), (2, 4), (1, 2), 1, 0, 1, 0.95, ("buzz", "saw"), ("saw",), ("deep", "buzz"),
        ("riff", "motif"), ("drive",), ("pulse",), (0.12, 0.3), (0.1, 0.4),
    ),
    "Slap House": Facts(
        (115, 125), (3, 4), (3, 5), (1, 3), (1, 2), 1, 0.1, 1, 0.95, ("whistle", "voice"), ("soft",), ("rubber",),
        ("riff", "motif"), ("pad",), ("slap",), (0.1, 0.25), (0.1, 0.4),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Note:
    """A note of a clip: start and length in beats, MIDI pitch, velocity 0..1."""

    beat: float
    beats: float
    midi: int
    velocity: float = 1.0


def fineness(onsets: list[float]) -> int:
    """Rhythm level 1..5 that the onsets of one bar (in beats, 0..4) have; 4 where most odd sixteenths stand alone."""
    grid = {round(8.0 * onset) for onset in onsets}
    if any(spot % 2 for spot in grid):
        return 5
    odd = [spot for spot in grid if spot % 4 == 2]
    if odd:
        return 4 if sum(spot - 2 not in grid for spot in odd) > 0.5 * len(odd) else 3
    return 2 if any(spot % 8 for spot in grid) else 1


def steps(rng: np.random.Generator, level: int) -> list[tuple[float, float]]:
    """Onsets and lengths in beats of one bar of exactly a rhythm level (1 quarters .. 5 with 32nds)."""
    while True:
        drawn = _steps(rng, level)
        if fineness([on for on, _ in drawn]) == level:
            return drawn


def _steps(rng: np.random.Generator, level: int) -> list[tuple[float, float]]:
    if level <= 1:
        spots = sorted({0, *rng.choice([1, 2, 3], rng.integers(1, 4), replace=False)})
        onsets = [float(spot) for spot in spots]
    elif level == 2:
        odd = rng.choice(4, rng.integers(2, 4), replace=False) + 0.5
        even = rng.choice(4, rng.integers(1, 4), replace=False)
        onsets = sorted({float(spot) for spot in (*odd, *even)})
    elif level == 3:
        # Runs of sixteenths on a few beats, eighths elsewhere.
        runs = {int(beat) for beat in rng.choice(4, rng.integers(2, 4), replace=False)}
        onsets = [b + s / 4 for b in range(4) for s in ((0, 1, 2, 3) if b in runs else (0, 2)) if rng.random() < 0.93]
    else:
        walk, position = [], int(rng.choice([0, 0, 1, 3]))
        while position < 16:
            walk.append(position / 4)
            position += int(rng.choice([3, 3, 3, 2, 1, 5]))
        onsets = sorted({*walk, 0.75 + float(rng.integers(0, 3))})
        if level == 5:
            for spot in rng.choice(onsets, min(2, len(onsets)), replace=False):
                onsets += [float(spot) + i / 8 for i in range(1, int(rng.integers(3, 5)))]
            onsets = sorted({spot for spot in onsets if spot < 4.0})
    onsets = onsets or [0.0]
    ends = [*onsets[1:], 4.0 + onsets[0]]
    return [(on, min(end, 4.0) - on) for on, end in zip(onsets, ends, strict=True)]


@dataclass
class Song:
    """Key and harmony of a track: four chords as scale degrees, one a bar."""

    tonic: int
    scale: tuple[int, ...]
    degrees: list[int]
    size: int

    def pitch(self, degree: int, near: int) -> int:
        """MIDI pitch of a scale degree (any integer) with degree 0 at the tonic next below near + 6."""
        base = near + (self.tonic - near + 6) % 12 - 6
        return base + 12 * (degree // 7) + self.scale[degree % 7]

    def voicing(self, bar: int, near: int) -> list[int]:
        """The chord of a bar, each tone in the octave around near."""
        tones = [self.degrees[bar % 4] + 2 * i for i in range(self.size)]
        return sorted({near - 6 + (self.pitch(tone, near) - (near - 6)) % 12 for tone in tones})


def new_song(rng: np.random.Generator, facts: Facts, seventh: bool) -> Song:
    """Draw key, mode and a loop of four chords."""
    scale = MINOR if rng.random() < facts.minor else MAJOR
    good = [0, 2, 3, 4, 5, 6] if scale is MINOR else [0, 1, 2, 3, 4, 5]
    degrees = [int(rng.choice([0, 0, 5, 3]))]
    while len(degrees) < 4:
        following = int(rng.choice(good))
        if following != degrees[-1]:
            degrees.append(following)
    if rng.random() < 0.25:
        degrees[2:] = degrees[:2]
    return Song(int(rng.integers(12)), scale, degrees, 4 if seventh else 3)


def level_of_bar(rng: np.random.Generator, level: int, low: int) -> int:
    """Rhythm level of one bar: the clip's own, now and then one step plainer inside the genre's interval."""
    return level - 1 if level > low and rng.random() < 0.2 else level


def lead_clip(rng: np.random.Generator, song: Song, way: str, level: list[int], near: int) -> list[Note]:
    """Four bars of lead; level holds the rhythm level of each bar."""
    notes: list[Note] = []
    gate = float(rng.uniform(0.45, 1.0))
    if way == "stab":
        pitch, leap = song.pitch(0, near), int(rng.choice([0, 12, 7, 1]))
        hits = [steps(rng, level[0]), steps(rng, level[2])]
        for bar in range(4):
            bar_steps = hits[bar % 2] if level[bar] == level[2 * (bar % 2)] else steps(rng, level[bar])
            for i, (on, length) in enumerate(bar_steps):
                if rng.random() < 0.75 or i == 0:
                    notes.append(Note(4 * bar + on, min(length, 0.6) * gate, pitch + leap * (i % 3 == 2)))
        return notes
    shape: dict[int, tuple[list[tuple[float, float]], list[int]]] = {}
    few = [0, 2, 4] if way in ("riff",) else [0, 1, 2, 3, 4, 5, 7]
    for bar in range(4):
        key = bar % 2 if level[bar] == level[bar % 2] else 2 + bar
        if key not in shape:
            rhythm = steps(rng, level[bar])
            place, line = int(rng.choice(few)), []
            for _ in rhythm:
                line.append(place)
                wanted = place + int(rng.choice([-2, -1, -1, 0, 1, 1, 2, 4, -4]))
                place = min(few, key=lambda have: abs(have - wanted))
            if way == "arp":
                line = [(0, 2, 4, 7, 4, 2)[i % 6] for i in range(len(rhythm))]
            shape[key] = (rhythm, line)
        rhythm, line = shape[key]
        root = song.degrees[bar]
        root = root - 7 if root > 3 else root
        follow = way in ("arp", "chops") or bar == 3
        for i, (on, length) in enumerate(rhythm):
            # On the beat a tone of the chord; between, the line of the motif.
            tone = line[i] + (root if follow or i == 0 else 0)
            pitch = song.pitch(tone, near)
            if way == "chops" and rng.random() < 0.25:
                pitch += int(rng.choice([12, -12]))
            held = length if way == "anthem" else min(length, 1.0)
            notes.append(Note(4 * bar + on, max(0.1, held * gate), pitch, float(rng.uniform(0.75, 1.0))))
    return notes


def chord_clip(rng: np.random.Generator, song: Song, way: str, level: list[int], near: int) -> list[Note]:
    """Four bars of chords: pad, stabs, drive (eighths) or strum."""
    notes: list[Note] = []
    rhythm = {lvl: steps(rng, lvl) for lvl in sorted(set(level))}
    gate = float(rng.uniform(0.4, 0.95))
    for bar in range(4):
        voicing = song.voicing(bar, near)
        if way == "pad":
            spots = [(0.0, 4.0)]
        elif way == "drive":
            spots = [(i / 2, 0.5) for i in range(8)] if level[bar] > 1 else [(float(i), 1.0) for i in range(4)]
        else:
            spots = [(on, min(length, 1.5) * gate) for on, length in rhythm[level[bar]]]
        for on, length in spots:
            for i, midi in enumerate(voicing):
                late = 0.02 * i if way == "strum" else 0.0
                notes.append(Note(4 * bar + on + late, max(0.12, length - late), midi, float(rng.uniform(0.8, 1.0))))
    return notes


def bass_clip(rng: np.random.Generator, song: Song, way: str, level: list[int], near: int) -> list[Note]:
    """Four bars of bass in one of the manners of FACTS; level holds the rhythm level of each bar."""
    notes: list[Note] = []
    still = way == "growl" or (way == "roll" and rng.random() < 0.6)
    rhythm = {lvl: steps(rng, lvl) for lvl in sorted(set(level))}
    gate = float(rng.uniform(0.5, 0.95))
    jumps = [int(rng.choice([0, 0, 0, 12, 7, -5])) for _ in range(32)]
    for bar in range(4):
        root = song.pitch(0 if still else song.degrees[bar], near)
        root -= 12 if root > near + 6 else 0
        lvl = level[bar]
        if way == "roots" or (way == "walk" and lvl <= 1):
            spots = [(0.0, 4.0)] if rng.random() < 0.6 else [(0.0, 2.0), (2.0, 2.0)]
        elif way == "offbeat" and lvl <= 2:
            spots = [(b + 0.5, 0.5) for b in range(4)]
        elif way == "offbeat":
            spots = [(b + s, 0.25) for b in range(4) for s in ((0.5, 0.75) if b % 2 or lvl > 3 else (0.5,))]
        elif way in ("pulse", "roll") and lvl <= 3:
            spots = [(b + s / 4, 0.25) for b in range(4) for s in ((1, 2, 3) if way == "pulse" or b % 2 else (2, 3))]
        elif way == "pulse":
            spots = [(b + s / 4, 0.25) for b in range(4) for s in (1, 2, 3)]
        elif way == "drive":
            spots = [(i / 2, 0.5) for i in range(8)] if lvl > 1 else [(float(i), 1.0) for i in range(4)]
        elif way == "growl":
            # The stab answers the first kick of the bar, then the rhythm goes on.
            spots = [(0.5, 0.75), *[(on, length) for on, length in rhythm[lvl] if on >= 1.25]]
        else:
            spots = rhythm[lvl]
        for i, (on, length) in enumerate(spots):
            move = 0 if way in ("roots", "pulse", "offbeat") else jumps[(i + 8 * (bar == 3)) % 32]
            held = length if way in ("roots", "drive", "walk") else length * gate
            notes.append(Note(4 * bar + on, max(0.1, held), root + move, float(rng.uniform(0.85, 1.0))))
    return notes


Hit = tuple[str, float, float]


def drum_clip(rng: np.random.Generator, genre: str, busy: float) -> list[Hit]:
    """Two bars of everything but the kick: (role, beat, velocity); busy 0..1 is how much goes on."""
    hits: list[Hit] = []
    back = "clap" if rng.random() < 0.6 else "snare"
    both = rng.random() < 0.3
    for beat in (1, 3, 5, 7):
        if rng.random() < 0.97:
            hits.append((back, float(beat), 1.0))
        if both:
            hits.append(("snare" if back == "clap" else "clap", float(beat), 0.6))
    if rng.random() < 0.85:
        hits += [("open_hat", beat + 0.5, 0.8) for beat in range(8)]
    fine = 4 if rng.random() < 0.3 + 0.5 * busy else 2
    keep = rng.random(4 * fine) < 0.6 + 0.4 * busy
    accent = rng.uniform(0.3, 1.0, fine)
    if rng.random() < 0.85:
        hits += [("closed_hat", i / fine, float(accent[i % fine])) for i in range(8 * fine) if keep[i % (4 * fine)]]
    if rng.random() < 0.25 + 0.35 * busy + (0.3 if genre == "Tech House" else 0.0):
        hits += [("shaker", i / 4, (0.4, 0.7, 1.0, 0.6)[i % 4]) for i in range(32)]
    for role, chance in (("perc", 0.3 + 0.5 * busy), ("rim", 0.15 + 0.4 * busy), ("tom", 0.1)):
        if rng.random() < chance:
            spots = rng.choice(32, int(rng.integers(2, 7)), replace=False)
            hits += [(role, float(spot) / 4, float(rng.uniform(0.4, 1.0))) for spot in spots]
    if genre == "Future Rave" or rng.random() < 0.15:
        hits += [("ride", beat * 0.5, 0.6) for beat in range(16) if beat % 2 or rng.random() < 0.5]
    if rng.random() < 0.2 + 0.3 * (genre == "Bass House"):
        hits += [(back, spot, 0.7) for spot in (rng.choice([6.75, 7.25, 7.5, 7.75], 2, replace=False))]
    return hits
