"""Facts of the genres and the arranger: phrases A B A C, call and response, density, dropped beats. Zone: trainer."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .tones import ACOUSTIC, BASSES, CHORDS, LEADS, Rng, Voice, make_voice

TICKS = 32  # a bar in 32nd notes
HELD = -1.0  # stands for a fineness where a part only holds a chord
PARTS = ("lead", "chord", "bass")
MODES = {"minor": (0, 2, 3, 5, 7, 8, 10), "major": (0, 2, 4, 5, 7, 9, 11), "dorian": (0, 2, 3, 5, 7, 9, 10)}


@dataclass(frozen=True)
class Facts:
    """What is published of a genre: ranges, chances of (lead, chord, bass), and what its writing tends to.

    tune: 1 a moving melody .. 0 a few pitches; pad: chance that chords are held; bass_way: free, smooth, offbeat, pulse
    or stab; bass_long: gate of bass notes; busy: density of hats; reverb_s: range.
    """

    bpm: tuple[float, float]
    groove: tuple[float, float]
    rhythm: tuple[int, int]
    distortion: tuple[float, float]
    organicity: tuple[float, float]
    present: tuple[float, float, float]
    leads: tuple[str, ...]
    chords: tuple[str, ...]
    basses: tuple[str, ...]
    kicks: tuple[str, ...]
    tune: float
    pad: float
    bass_way: str
    bass_long: float
    major: float
    changes: tuple[int, ...]
    busy: float
    reverb_s: tuple[float, float]
    words: float


FACTS: dict[str, Facts] = {
    "Progressive House": Facts((126, 128), (4, 5), (1, 3), (1, 2), (3, 5), (1, 1, 1), ("supersaw", "pluck"),
        ("supersaw", "choir"), ("sub", "reese"), ("punchy",), 1.0, 0.55, "smooth", 0.95, 0.6, (4,), 0.5, (1.2,
        2.6), 0.15),
    "Future House": Facts((125, 130), (3, 4), (4, 5), (3, 4), (1, 3), (1, 0.5, 1), ("square", "comb", "donk"),
        ("epiano", "organ", "square"), ("donk", "square"), ("punchy",), 0.6, 0.15, "free", 0.5, 0.25, (2, 4),
        0.6, (0.5, 1.6), 0.4),
    "Bass House": Facts((126, 130), (2, 4), (3, 4), (4, 5), (1, 2), (1, 0, 1), ("comb", "growl", "square"),
        ("rave", "comb"), ("growl", "reese", "comb"), ("punchy", "heavy"), 0.1, 0.2, "stab", 0.7, 0.08, (1, 2),
        0.6, (0.3, 1.2), 0.3),
    "Tech House": Facts((120, 128), (3, 5), (3, 4), (2, 4), (1, 3), (0, 0, 1), ("comb", "bell"), ("organ", "rave"),
        ("pluckbass", "sub", "donk"), ("light",), 0.1, 0.3, "free", 0.55, 0.12, (1, 1, 2), 1.0, (0.3, 1.2), 0.6),
    "Deep House": Facts((115, 125), (2, 3), (1, 2), (1, 2), (2, 4), (1, 0.55, 1), ("vowel", "whistle", "bell"),
        ("epiano", "choir", "organ"), ("reese", "sub"), ("light",), 0.8, 0.65, "smooth", 0.95, 0.2, (2, 4),
        0.45, (2.5, 5.0), 0.3),
    "Bigroom": Facts((125, 130), (1, 2), (1, 3), (4, 5), (1, 2), (1, 0, 0), ("nasal", "nasal", "rave"),
        ("supersaw", "rave"), ("square", "reese"), ("heavy",), 0.55, 0.5, "free", 0.7, 0.15, (1, 2, 4), 0.3,
        (0.6, 2.0), 0.3),
    "Future Rave": Facts((125, 130), (4, 5), (3, 5), (2, 4), (1, 2), (1, 0, 1), ("buzz", "rave", "buzz"),
        ("supersaw", "rave"), ("buzz", "reese"), ("punchy",), 0.6, 0.5, "pulse", 0.8, 0.06, (2, 4), 0.7, (0.8,
        2.4), 0.15),
    "Slap House": Facts((115, 125), (3, 4), (3, 5), (1, 3), (1, 2), (1, 0.08, 1), ("whistle", "vowel", "pluck"),
        ("epiano", "supersaw"), ("pluckbass", "donk"), ("punchy", "light"), 0.75, 0.4, "free", 0.5, 0.15, (4,
        4, 2), 0.4, (0.5, 1.8), 0.35),
    "Melodic House": Facts((126, 130), (2.5, 4), (2, 4), (1, 2.5), (2, 4), (0.95, 0.85, 0.92), ("pluck",
        "vowel", "bell"),
        ("epiano", "pluck", "supersaw"), ("sub", "donk"), ("punchy", "light"), 0.95, 0.4, "free", 0.7, 0.9,
        (4,), 0.5, (0.8, 2.2), 0.4),
}  # fmt: skip


@dataclass
class Note:
    """A note of a part: start and length in ticks from the start of the track, MIDI number, gain."""

    part: str
    start: float
    length: float
    midi: int
    gain: float


@dataclass
class Plan:
    """Everything a track is before it sounds; figures of parts are keyed by PARTS. hits: (drum, tick, gain)."""

    genre: str
    bpm: float
    root: int
    sections: tuple[str, ...]
    groove: float
    drives: dict[str, float]
    shares: dict[str, float]
    levels: dict[str, float]
    voices: dict[str, Voice]
    acoustic: dict[str, Voice]
    notes: list[Note] = field(default_factory=list)
    hits: list[tuple[str, float, float]] = field(default_factory=list)
    # per part and bar: 0 silent, HELD, or 1..5
    fineness: dict[str, list[float]] = field(default_factory=dict)
    swing: float = 0.0
    kick_weight: str = "punchy"

    @property
    def bar_s(self) -> float:
        """Length of a bar in seconds."""
        return 240.0 / self.bpm


def fineness(onsets: list[int]) -> int:
    """Level 1..5 of a bar's onsets in ticks: quarters, eighths, straight 16ths, syncopated 16ths, 32nds."""
    ordered = sorted(set(onsets))
    if any(tick % 2 for tick in ordered):
        return 5
    odd = [tick for tick in ordered if tick % 4 == 2]
    if not odd:
        return 2 if any(tick % 8 == 4 for tick in ordered) else 1
    # a 16th that is held over the next eighth line is a syncopation
    held = sum((tick + 2) % TICKS not in ordered for tick in odd)
    return 4 if held > len(odd) / 2 else 3


def rhythm_bar(rng: Rng, level: int, density: float, way: str = "free") -> list[int]:
    """Onsets (ticks) of one bar at a fineness level; density 0..1; way as Facts.bass_way."""
    for _ in range(60):
        if level == 1:
            got = [t for t in (0, 8, 16, 24) if t == 0 or rng.random() < 0.35 + 0.5 * density]
        elif level == 2:
            got = [4, 12, 20, 28] if way in ("offbeat", "stab") and rng.random() < 0.7 else []
            got += [t for t in range(0, TICKS, 4) if rng.random() < 0.2 + 0.5 * density]
        elif way == "pulse" and rng.random() < 0.75:
            got = [t for t in range(0, TICKS, 2) if t % 8]
            if level > 3:
                got = [t for t in got if t % 4 == 2 or rng.random() < 0.35]
        elif level == 3:
            got = [t for t in range(0, TICKS, 4) if rng.random() < 0.45 + 0.4 * density]
            for lead_in in range(2, TICKS, 4):
                if rng.random() < 0.2 + 0.4 * density:
                    got += [lead_in, (lead_in + 2) % TICKS]
        else:
            got, tick = [], int(rng.integers(0, 3)) * 2
            while tick < TICKS:
                got.append(tick)
                tick += int(rng.choice([2, 4, 6, 6, 6, 10] if density > 0.4 else [4, 6, 6, 10]))
        if way == "stab":
            got.append(4)
        if level == 5:
            for _ in range(int(rng.integers(1, 3))):
                first = int(rng.integers(1, 7)) * 4
                burst = int(rng.choice([3, 4, 4, 6]))
                got = [t for t in got if not first < t < first + burst] + list(range(first, min(first + burst, TICKS)))
        got = sorted(set(got))
        if len(got) >= 2 and fineness(got) == level:
            return got
    return {1: [0, 16], 2: [0, 12, 20], 3: [0, 6, 8, 14, 16, 24], 4: [0, 6, 12, 18, 26], 5: [0, 8, 9, 10, 11, 12]}[
        level
    ]


def make_sections(rng: Rng) -> tuple[str, ...]:
    """24..40 bars around one drop of 8 or 16."""
    while True:
        drop = 16 if rng.random() < 0.75 else 8
        lead_up = [
            ("intro", int(rng.choice([0, 4, 8]))),
            ("break", int(rng.choice([0, 4, 4, 8]))),
            ("build", int(rng.choice([4, 4, 8]))),
        ]
        after = (str(rng.choice(["break", "outro"])), int(rng.choice([0, 4, 8])))
        plan = [name for name, bars in [*lead_up, ("drop", drop), after] for _ in range(bars)]
        if 24 <= len(plan) <= 40 and plan[0] != "drop":
            return tuple(plan)


class Arranger:
    """Writes the notes and hits of one track into its plan."""

    def __init__(self, rng: Rng, genre: str) -> None:
        """Draws everything that holds for the whole track."""
        self.rng, self.facts = rng, FACTS[genre]
        facts, u = self.facts, rng.uniform
        bpm = u(*facts.bpm) if rng.random() < 0.5 else float(rng.integers(int(facts.bpm[0]), int(facts.bpm[1]) + 1))
        beat_s = 60.0 / bpm
        self.mode = MODES[
            "major" if rng.random() < facts.major else str(rng.choice(["minor", "minor", "minor", "dorian"]))
        ]
        self.has = dict(zip(PARTS, (rng.random() < p for p in facts.present), strict=True))
        self.low, self.high = facts.rhythm
        centre = u(self.low, self.high)
        self.levels = {p: int(np.clip(round(centre + rng.normal(0, 0.5)), self.low, self.high)) for p in PARTS}
        pools = {"lead": (facts.leads, LEADS), "chord": (facts.chords, CHORDS), "bass": (facts.basses, BASSES)}
        voices = {
            p: make_voice(str(rng.choice(own if rng.random() < 0.55 else every)), rng, beat_s)
            for p, (own, every) in pools.items()
        }
        shares = {p: (u(*facts.organicity) - 1) / 4 for p in PARTS}
        low_share, high_share = ((edge - 1) / 4 for edge in facts.organicity)
        for part, share in shares.items():
            # a layer too faint to hear is left out, where the facts allow it
            if share < 0.12 and low_share == 0:
                shares[part] = 0.0
            elif share > 0.85 and high_share == 1:
                shares[part] = 1.0
        drive = u(*facts.distortion)
        drives = {p: float((np.clip(drive + rng.normal(0, 0.25), *facts.distortion) - 1) / 4) for p in PARTS}
        self.plan = Plan(
            genre, bpm, int(rng.integers(0, 12)), make_sections(rng), u(*facts.groove), drives, shares,
            {"lead": u(0.75, 1.2), "chord": u(0.45, 0.85), "bass": u(0.6, 1.05)}, voices,
            {p: make_voice(str(rng.choice(ACOUSTIC[p])), rng, beat_s) for p in PARTS},
            swing=float(rng.choice([0, 0, u(0, 0.25)])),
            kick_weight=str(rng.choice(facts.kicks if rng.random() < 0.8 else ["punchy", "light"])),
        )  # fmt: skip
        if genre == "Bigroom":
            self.plan.kick_weight = "heavy"
        self.plan.fineness = {p: [0.0] * len(self.plan.sections) for p in PARTS}
        # one chord degree per bar of eight
        changes = int(rng.choice(facts.changes))
        walk = [0, *(int(d) for d in rng.choice([1, 2, 3, 4, 5, 6], 3, p=[0.08, 0.14, 0.24, 0.18, 0.26, 0.1]))]
        turn = int(rng.integers(0, 4)) if changes == 4 else 0
        walk = walk[turn:] + walk[:turn]
        self.degrees = [walk[bar % 4 if changes == 4 else bar // 2 % 2 if changes == 2 else 0] for bar in range(8)]
        if changes == 4 and rng.random() < 0.3:
            self.degrees[7] = int(rng.integers(1, 7))
        self.gates = {"lead": u(0.35, 0.95), "chord": u(0.3, 0.9), "bass": facts.bass_long * u(0.7, 1.0)}
        self.octaves = {
            "lead": 60 + 12 * int(rng.choice([0, 1, 1])),
            "chord": 48 + 12 * int(rng.choice([0, 1])),
            "bass": 36,
        }
        if voices["lead"].name in ("whistle", "bell"):
            self.octaves["lead"] = 72
        self.size = int(rng.choice([3, 3, 4, 5] if genre != "Deep House" else [4, 5]))
        self.padded = rng.random() < facts.pad
        self.phrases = {p: self._phrases(p) for p in PARTS}
        self.grooves = self._drum_phrases()

    def pitch(self, degree: int, part: str) -> int:
        """MIDI number of a scale degree (any integer) in a part's octave."""
        octave, step = divmod(degree, 7)
        midi = self.octaves[part] + (self.plan.root if part != "bass" or self.plan.root < 8 else self.plan.root - 12)
        return midi + 12 * octave + self.mode[step]

    def _phrases(self, part: str) -> list[list[tuple[int, int]]]:
        """Eight bars of (tick, degree above the chord): phrases A B A C of two bars each."""
        rng, level, tune = self.rng, self.levels[part], self.facts.tune
        density = rng.uniform(0.2, 1.0)
        way = self.facts.bass_way if part == "bass" else "free"
        if way == "smooth":
            level = min(level, 2)
        if way == "smooth" and level < self.low:
            level = self.low

        def degree(previous: int, tick: int) -> int:
            if part == "bass":
                chance = 0.12 if way == "smooth" else 0.35
                return int(rng.choice([7, 4, -3, 2])) if tick and rng.random() < chance else 0
            if rng.random() > 0.25 + 0.7 * tune:
                return previous
            if tick % 8 == 0 and rng.random() < 0.6:
                return int(rng.choice([0, 2, 4, 7]))
            return int(np.clip(previous + rng.choice([-3, -2, -1, -1, 0, 1, 1, 2, 3]), -3, 9))

        def motif(at: int) -> list[list[tuple[int, int]]]:
            bars, last = [], int(rng.choice([0, 2, 4]))
            for _ in range(2):
                bar = []
                for tick in rhythm_bar(rng, at, density, way):
                    last = degree(last, tick)
                    bar.append((tick, last))
                bars.append(bar)
            return bars

        def varied(bars: list[list[tuple[int, int]]]) -> list[list[tuple[int, int]]]:
            kept = [list(bar) for bar in bars]
            kept[1] = motif(level)[1]
            if part == "lead" and rng.random() < 0.5:
                kept[0] = [(tick, step + int(rng.choice([0, 0, 2, -1]))) for tick, step in kept[0]]
            return kept

        first = motif(level)
        ending = varied(first)
        ending[1] = motif(int(np.clip(level + 1, self.low, self.high)))[1]
        return [*first, *varied(first), *first, *ending]

    def _thinned(self, bar: list[tuple[int, int]], keep: float) -> list[tuple[int, int]]:
        """A bar with some notes left out, where what is left is still as fine as the genre asks."""
        left = [note for note in bar if note[0] == 0 or self.rng.random() < keep]
        fine = fineness([tick for tick, _ in left])
        return left if len(left) >= 2 and self.low <= fine <= self.high else bar

    def _play(
        self, bar: int, part: str, notes: list[tuple[int, int]], gain: float, gate: float, stop: int = TICKS
    ) -> None:
        notes = [n for n in notes if n[0] < stop]
        if not notes:
            return
        chord_degree = self.degrees[bar % 8]
        base = chord_degree if part == "bass" or self.facts.tune > 0.3 else 0
        if part == "bass" and base > 4:
            base -= 7
        ends = [tick for tick, _ in notes[1:]] + [stop]
        for (tick, degree), end in zip(notes, ends, strict=True):
            length = max((end - tick) * gate, 0.8)
            late = self.plan.swing * 1.2 if tick % 4 == 2 else 0.0
            loud = gain * (1.0 if tick % 8 == 0 else self.rng.uniform(0.75, 1.0))
            if part == "chord":
                for n in range(self.size):
                    raised = self.pitch(chord_degree + 2 * n, part)
                    if raised > self.octaves["chord"] + 17:
                        raised -= 12
                    self.plan.notes.append(Note(part, bar * TICKS + tick + late, length, raised, loud / self.size**0.5))
            else:
                self.plan.notes.append(
                    Note(part, bar * TICKS + tick + late, length, self.pitch(base + degree, part), loud)
                )
        self.plan.fineness[part][bar] = fineness([tick for tick, _ in notes])

    def _held(self, bar: int, gain: float) -> None:
        self._play(bar, "chord", [(0, 0)], gain, 0.98)
        self.plan.fineness["chord"][bar] = HELD

    def _drum_phrases(self) -> dict[str, list[list[tuple[int, float]]]]:
        """Eight bars of (tick, gain) per drum, in the same grammar."""
        rng, busy = self.rng, self.facts.busy
        out: dict[str, list[list[tuple[int, float]]]] = {}
        backbeat = [(8, 1.0), (24, 1.0)]
        out["clap"] = (
            [backbeat if rng.random() < 0.97 else [(24, 1.0)] for _ in range(8)] if rng.random() < 0.9 else [[]] * 8
        )
        if rng.random() < 0.35:
            out["snare"] = [backbeat] * 8
        if rng.random() < 0.75:
            out["open"] = [[(t, rng.uniform(0.8, 1)) for t in (4, 12, 20, 28)] for _ in range(8)]
        if rng.random() < 0.15 + 0.2 * busy:
            out["ride"] = [[(t, 0.7) for t in range(0, TICKS, 8 if rng.random() < 0.3 else 4)] for _ in range(8)]
        for name, chance in (
            ("closed", 0.45 + 0.5 * busy),
            ("shaker", 0.15 + 0.6 * busy),
            ("perc", 0.1 + 0.6 * busy),
            ("rim", 0.1 + 0.5 * busy),
        ):
            if rng.random() > chance:
                continue
            accent = rng.uniform(0.1, 1.0, 16)
            full = name in ("closed", "shaker")
            first = [
                (2 * n, float(accent[n])) for n in range(16) if rng.random() < (0.4 + 0.5 * busy if full else 0.22)
            ]
            other = [hit for hit in first if rng.random() < 0.7] + [(2 * int(rng.integers(16)), 0.6)]
            ending = first + [(t, 0.5) for t in range(24, TICKS, int(rng.choice([1, 2])))] if full else other[::-1]
            out[name] = [first, first, first, other, first, first, other, ending]
        return out

    def _drums(self, bar: int, place: int, strength: float, kicks: bool, last: bool) -> None:
        rng, start = self.rng, bar * TICKS
        dropped = last and rng.random() < 0.45
        if kicks:
            self.plan.hits += [("kick", start + 8 * beat, 1.0) for beat in range(3 if dropped else 4)]
        for name, bars in self.grooves.items():
            for tick, gain in bars[place % 8]:
                late = self.plan.swing * 1.2 if tick % 4 == 2 else 0.0
                if not (dropped and tick >= 24) and rng.random() < strength + (name == "clap"):
                    self.plan.hits.append((name, start + tick + late, gain * (0.5 + 0.5 * strength)))
        if last or (place % 4 == 3 and rng.random() < 0.4):
            drum = str(rng.choice(["snare", "tom", "clap", "perc"]))
            for tick in range(24, TICKS, int(rng.choice([2, 4]))):
                if rng.random() < 0.75:
                    self.plan.hits.append((drum, start + tick, 0.4 + 0.05 * (tick - 24)))

    def arrange(self) -> Plan:
        """Write all bars and return the plan."""
        rng, plan = self.rng, self.plan
        sections = plan.sections
        hint = str(rng.choice(["none", "chord", "bass", "lead"]))
        break_parts = {"chord": rng.random() < 0.85, "lead": rng.random() < 0.55, "bass": rng.random() < 0.25}
        build_kick = rng.random() < 0.5
        place = 0
        density = rng.uniform(0.65, 1.0, 4)
        answer = rng.random() < 0.5
        for bar, section in enumerate(sections):
            place = 0 if bar == 0 or sections[bar - 1] != section else place + 1
            final = bar + 1 == len(sections) or sections[bar + 1] != section
            start = bar * TICKS
            if place == 0 and section != "build":
                plan.hits.append(("crash", start, 1.0))
            keep = float(density[place // 2 % 4])
            bars = {p: self.phrases[p][place % 8] for p in PARTS}
            if section == "drop":
                self._drums(bar, place, 1.0, True, place % 8 == 7)
                if place == 8 or (place % 4 == 0 and rng.random() < 0.25):
                    plan.hits.append(("crash", start, 0.8))
                if self.has["lead"]:
                    # call and response: in answering bars the lead leaves its second half to the bass
                    short = answer and place % 4 in (1, 3) and self.has["bass"]
                    called = [n for n in bars["lead"] if n[0] < 20]
                    fits = len(called) >= 2 and self.low <= fineness([n[0] for n in called]) <= self.high
                    lead = called if short and fits else self._thinned(bars["lead"], keep)
                    self._play(bar, "lead", lead, 1.0, self.gates["lead"])
                if self.has["bass"]:
                    self._play(bar, "bass", self._thinned(bars["bass"], 0.5 + keep / 2), 1.0, self.gates["bass"])
                if self.has["chord"]:
                    if self.padded:
                        self._held(bar, 1.0)
                    else:
                        self._play(bar, "chord", bars["chord"], 1.0, self.gates["chord"])
                if rng.random() < self.facts.words * 0.3:
                    plan.hits.append(("word", start + int(rng.choice([0, 12, 20, 28])), 0.6))
            elif section in ("intro", "outro"):
                self._drums(bar, place, min(0.4 + 0.08 * place, 0.9), place >= 0, final)
                if hint != "none" and (place >= 2 or section == "outro") and (self.has[hint] or hint == "chord"):
                    if hint == "chord":
                        self._held(bar, 0.6)
                    else:
                        self._play(bar, hint, bars[hint], 0.6, self.gates[hint])
            elif section == "break":
                if break_parts["chord"] or not break_parts["lead"]:
                    self._held(bar, 0.9)
                if break_parts["lead"] and (place >= 2 or not break_parts["chord"]):
                    self._play(bar, "lead", self._thinned(bars["lead"], 0.6), 0.9, 0.95)
                if break_parts["bass"] and self.has["bass"]:
                    self._play(bar, "bass", [(0, 0)], 0.6, 0.95)
                if rng.random() < 0.3 and "shaker" in self.grooves:
                    plan.hits += [
                        ("shaker", start + tick, 0.4 * gain) for tick, gain in self.grooves["shaker"][place % 8]
                    ]
            else:
                stop = int(rng.choice([16, 24, 32])) if final else TICKS
                if self.has["chord"] or break_parts["chord"]:
                    if final:
                        self._play(bar, "chord", [(0, 0)], 0.8, 0.98, stop)
                    else:
                        self._held(bar, 0.8)
                if self.has["lead"] and break_parts["lead"]:
                    self._play(bar, "lead", bars["lead"], 0.7, self.gates["lead"], stop)
                total = next(
                    n for n in range(1, 99) if bar - place + n == len(sections) or sections[bar - place + n] != "build"
                )
                progress = place / total
                step = 8 if progress < 0.5 else 4 if progress < 0.75 else 2 if not final else int(rng.choice([1, 2]))
                if build_kick and not final:
                    plan.hits += [("kick", start + 8 * beat, 0.9) for beat in range(4)]
                plan.hits += [
                    ("snare", start + t, 0.25 + 0.5 * (place + t / TICKS) / total) for t in range(0, stop, step)
                ]
                if place == 0:
                    plan.hits.append(("riser", start, float(total - 0.25)))
        return plan
