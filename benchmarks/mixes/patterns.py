"""What a foreign track plays: chords, bass lines, riffs and drum patterns, and which layer sounds in which bar."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trainer.synth.arrange import Bar

DRUMS = ("four", "four_offhat", "broken", "halftime", "swing")
BASSES = ("offbeat", "rolling", "sustain", "eighths", "onbeat")
INTROS = ("kick", "hats", "pads", "full", "perc")
# Degrees of the scale per chord.
PROGRESSIONS = (
    (0, 5, 2, 6),
    (0, 3, 5, 4),
    (0, 6, 5, 6),
    (0, 5, 3, 4),
    (0, 2, 6, 3),
    (5, 6, 0, 0),
    (0, 0, 5, 6),
    (0, 4, 5, 3),
)
SCALES = {"minor": (0, 2, 3, 5, 7, 8, 10), "major": (0, 2, 4, 5, 7, 9, 11), "dorian": (0, 2, 3, 5, 7, 9, 10)}
# Slots of 16 per bar; two-bar patterns go up to 31.
BASS_SLOTS: dict[str, tuple[tuple[int, ...], ...]] = {
    "offbeat": ((2, 6, 10, 14), (2, 6, 10, 14, 15), (2, 6, 10, 14)),
    "rolling": ((1, 2, 3, 5, 6, 7, 9, 10, 11, 13, 14, 15), (2, 3, 6, 7, 10, 11, 14, 15), (0, 3, 6, 7, 10, 11, 13, 14)),
    "sustain": ((0,), (0, 10), (0, 14)),
    "eighths": ((0, 2, 4, 6, 8, 10, 12, 14),),
    "onbeat": ((0, 4, 8, 12), (0, 4, 7, 8, 12), (0, 3, 4, 8, 11, 12)),
}
STAB_SLOTS = ((0, 3, 6, 10), (2, 6, 10, 14), (0, 6, 12), (3, 6, 11, 14), (0, 3, 8, 11), (0, 7, 10, 16, 19, 23, 26),
              (4, 12), (2, 5, 10, 13), (0, 6, 12, 18, 24, 28), (6, 14))  # fmt: skip
BROKEN_KICKS = ((0, 10), (0, 6, 10), (0, 7, 10), (0, 3, 10), (0, 10, 16, 23, 26), (0, 6, 16, 26), (0, 10, 18, 26))
HALFTIME_KICKS = ((0,), (0, 6), (0, 10), (0, 3), (0, 14))
LAYERS = ("kick", "clap", "snare", "closed_hat", "open_hat", "shaker", "ride", "perc", "loop", "bass", "stab", "pad",
          "arp", "melody", "choir", "crash", "roll", "toms")  # fmt: skip


@dataclass(frozen=True)
class Options:
    """The habits of a track that decide how hard its beats are to hear."""

    drums: str = "four"
    bass: str = "offbeat"
    intro: str = "full"
    kick_in_break: bool = False
    # Bars first..end-1 that fall into half time.
    half_bars: tuple[int, int] | None = None
    # Off-beat bass and hats louder than everything else.
    offbeat_heavy: bool = False
    # Breaks of sustained sounds alone.
    bare_breaks: bool = False

    def __post_init__(self) -> None:
        """Raise ValueError for unknown names."""
        for value, known in ((self.drums, DRUMS), (self.bass, BASSES), (self.intro, INTROS)):
            if value not in known:
                raise ValueError(f"unknown option {value!r}; known: {', '.join(known)}")

    def drums_at(self, bar: int) -> str:
        """Drum habit in a bar."""
        return "halftime" if self.half_bars and self.half_bars[0] <= bar < self.half_bars[1] else self.drums


def draw_options(rng: np.random.Generator, **fixed: object) -> Options:
    """Options of an ordinary house track, with some of them given."""
    drawn: dict[str, object] = {
        "drums": str(rng.choice(["four", "four", "four_offhat", "swing"])),
        "bass": str(rng.choice(BASSES)),
        "intro": str(rng.choice(["kick", "hats", "full", "perc", "pads"], p=[0.3, 0.15, 0.3, 0.15, 0.1])),
        "kick_in_break": bool(rng.random() < 0.15),
    }
    drawn.update(fixed)
    return Options(**drawn)  # type: ignore[arg-type]


@dataclass
class Harmony:
    """Chords of a loop of 4 or 8 bars: bass pitch and chord notes by bar, and the scale as pitch classes."""

    bass: list[int]
    chords: list[tuple[int, ...]]
    scale: list[int]
    name: str


def write_harmony(rng: np.random.Generator, root: int) -> Harmony:
    """Draw a progression in a key and voice it with small steps."""
    mode = str(rng.choice(list(SCALES), p=[0.6, 0.25, 0.15]))
    scale = SCALES[mode]
    degrees: tuple[int, ...] = PROGRESSIONS[int(rng.integers(len(PROGRESSIONS)))]
    if rng.random() < 0.4:
        degrees = tuple(degree for degree in degrees for _ in range(2))
    elif rng.random() < 0.3:
        degrees = (*degrees, *PROGRESSIONS[int(rng.integers(len(PROGRESSIONS)))])
    size = 4 if rng.random() < 0.4 else 3
    bass, chords = [], []
    centre = float(rng.uniform(58.0, 66.0))
    for degree in degrees:
        classes = [(root + scale[(degree + 2 * step) % 7]) % 12 for step in range(size)]
        bass.append(31 + (classes[0] - 31) % 12)
        notes = sorted(round(centre - 6) + (pitch - round(centre - 6)) % 12 for pitch in classes)
        chords.append(tuple(notes))
        centre += 0.3 * (float(np.mean(notes)) - centre)
    return Harmony(bass, chords, [(root + step) % 12 for step in scale], mode)


def draw_from(rng: np.random.Generator, patterns: tuple[tuple[int, ...], ...]) -> tuple[int, ...]:
    """One of the patterns."""
    return patterns[int(rng.integers(len(patterns)))]


def write_motif(rng: np.random.Generator, harmony: Harmony) -> list[tuple[int, int, int]]:
    """A melody of 4 bars as (slot, midi, length in slots): two bars of rhythm, played twice with another ending."""
    weight = np.tile([3.0, 0.4, 1.2, 0.8, 1.6, 0.4, 1.4, 0.8], 4)
    slots = np.sort(rng.choice(32, size=int(rng.integers(5, 12)), replace=False, p=weight / weight.sum()))
    pool = [midi for midi in range(64, 85) if midi % 12 in harmony.scale]
    place = len(pool) // 2
    motif = []
    for half in (0, 1):
        for index, slot in enumerate(slots):
            place = int(np.clip(place + rng.integers(-2, 3), 0, len(pool) - 1))
            following = slots[index + 1] if index + 1 < len(slots) else 32
            motif.append((int(slot) + 32 * half, pool[place], int(min(following - slot, 6))))
    return motif


class Presence:
    """Which layer plays in which bar; sections of 16 bars and more add or drop a layer about every 8 bars."""

    def __init__(self, rng: np.random.Generator, bars: list[Bar], options: Options) -> None:
        """Draw the arrangement."""
        self.rng, self.bars, self.options = rng, bars, options
        self.gain: list[dict[str, float]] = [{} for _ in bars]
        # Beats of a bar from which the kick is silent.
        self.kick_until: list[float] = [4.0] * len(bars)
        self.tops = rng.random() < 0.5
        self.melodic = bool(rng.random() < 0.7)
        for bar in bars:
            if bar.place == 0:
                getattr(self, "break_" if bar.section == "break" else bar.section)(bar)
        self.phrase_ends()

    def add(self, start: Bar, layer: str, first: int = 0, end: int | None = None, gain: float = 1.0) -> None:
        """Let a layer play in bars first..end-1 of a section."""
        for place in range(first, start.length if end is None else min(end, start.length)):
            self.gain[start.number + place][layer] = gain

    def entries(self, start: Bar, layers: list[str], gain: float = 1.0) -> None:
        """Layers enter one after the other on multiples of 8 bars (of 4 in short sections)."""
        step = 8 if start.length >= 16 else 4
        blocks = max(1, start.length // step)
        for index, layer in enumerate(layers):
            block = int(index * blocks / len(layers) + self.rng.random() * 0.8)
            self.add(start, layer, min(block, blocks - 1) * step, gain=gain)

    def intro(self, start: Bar) -> None:
        """The five kinds of intro."""
        kind, half = self.options.intro, start.length // 2
        later = [str(name) for name in self.rng.permutation(["clap", "open_hat", "perc", "shaker", "bass"])]
        if kind == "kick":
            self.add(start, "kick")
            if start.length >= 16:
                self.entries(start, ["none", "closed_hat", *later[:2]], 0.7)
        elif kind == "full":
            for layer in ("kick", "closed_hat", "open_hat", "clap", "perc", "shaker"):
                self.add(start, layer, gain=0.85)
            self.entries(start, ["none", "bass", "stab"], 0.7)
        elif kind == "hats":
            self.add(start, "closed_hat")
            self.entries(start, ["open_hat", "shaker", "perc", "clap"])
            if self.rng.random() < 0.5:
                self.add(start, "kick", half)
        elif kind == "pads":
            self.add(start, "pad")
            self.entries(start, ["none", "arp", "choir", "closed_hat"], 0.7)
        else:
            self.add(start, "perc")
            self.add(start, "loop")
            self.entries(start, ["shaker", "closed_hat", "clap"])
            if self.rng.random() < 0.5:
                self.add(start, "kick", half)

    def build(self, start: Bar) -> None:
        """Kick at first or throughout, roll and riser; the kick is often cut in the last beats."""
        rng, last = self.rng, start.number + start.length - 1
        kick = str(rng.choice(["all", "cut", "half", "none"], p=[0.2, 0.5, 0.2, 0.1]))
        if kick in ("all", "cut"):
            self.add(start, "kick")
        elif kick == "half":
            self.add(start, "kick", 0, start.length // 2)
        if kick == "cut":
            self.kick_until[last] = 4.0 - float(rng.choice([1, 2, 2, 4, 4]))
        if kick != "none" and rng.random() < 0.6:
            self.add(start, "clap", 0, start.length // 2)
        for layer, chance in (("stab", 0.6), ("arp", 0.5), ("pad", 0.6), ("closed_hat", 0.5), ("bass", 0.25)):
            if rng.random() < chance:
                self.add(start, layer, gain=0.7)
        if self.melodic and rng.random() < 0.5:
            self.add(start, "melody", gain=0.7)
        if rng.random() < 0.8:
            self.add(start, "roll", start.length // 2 if rng.random() < 0.4 else 0)

    def drop(self, start: Bar) -> None:
        """Everything; some layers enter only after 8 or 16 bars."""
        for layer in ("kick", "clap", "snare", "closed_hat", "open_hat", "bass"):
            self.add(start, layer)
        others = ["shaker", "ride", "perc", "loop", "stab", "arp", "pad"]
        if self.melodic:
            others.append("melody")
        chosen = [str(name) for name in self.rng.permutation(others)[: int(self.rng.integers(3, 7))]]
        if not {"stab", "arp", "melody"} & set(chosen):
            chosen.append("stab")
        now = max(1, len(chosen) - int(self.rng.integers(0, 4)))
        for layer in chosen[:now]:
            self.add(start, layer)
        if chosen[now:]:
            self.entries(start, ["none", *chosen[now:]])

    def break_(self, start: Bar) -> None:
        """Pads, piano or choir; sometimes with the kick or a few hats."""
        rng = self.rng
        first = str(rng.choice(["pad", "stab", "choir"]))
        self.add(start, first)
        rest = [name for name in ("pad", "choir", "arp", "melody") if name != first]
        if self.options.bare_breaks:
            self.entries(start, ["none", "pad", "choir"])
            return
        self.entries(start, [str(name) for name in rng.permutation(rest)[: int(rng.integers(1, 4))]])
        if self.options.kick_in_break:
            self.add(start, "kick", gain=0.8)
        if rng.random() < 0.3:
            self.add(start, "closed_hat", start.length // 2, gain=0.5)
        if rng.random() < 0.2:
            self.add(start, "perc", start.length // 2, gain=0.5)

    def outro(self, start: Bar) -> None:
        """Layers leave one after the other."""
        step = 8 if start.length >= 16 else 4
        blocks = max(1, start.length // step)
        layers = ["bass", "stab", "clap", "open_hat", "perc", "shaker", "closed_hat"]
        for layer in self.rng.permutation(layers)[: int(self.rng.integers(3, 7))]:
            self.add(start, str(layer), 0, max(1, int(self.rng.integers(0, blocks + 1))) * step, 0.8)
        self.add(start, "kick", 0, None if self.rng.random() < 0.85 else start.length // 2)

    def phrase_ends(self) -> None:
        """Kick gaps and tom fills at the ends of phrases, sometimes."""
        gaps, toms = self.rng.random() < 0.4, self.rng.random() < 0.5
        for bar in self.bars:
            phrase = bar.place % 8 == 7 or bar.place == bar.length - 1
            if not phrase or bar.section not in ("drop", "intro", "outro"):
                continue
            if toms and self.rng.random() < 0.5:
                self.gain[bar.number]["toms"] = 0.8
            if bar.section == "drop" and gaps and self.rng.random() < 0.35:
                self.kick_until[bar.number] = 4.0 - float(self.rng.choice([0.5, 1, 1, 2]))

    def plays(self, layer: str, bar: int) -> bool:
        """Whether a layer sounds in a bar."""
        return layer in self.gain[bar]
