"""Writes the drums of training tracks: patterns around a kick on every beat, fills, gaps, rolls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .arrange import Bar, Hits
from .facts import Beat, pick

# A pattern hit: slot in sixteenths of a two-bar loop, gain.
Pattern = list[tuple[int, float]]
SLOTS = 32
LAYERS = ("clap", "open_hat", "closed_hat", "shaker", "ride", "perc_a", "perc_b", "snare")


@dataclass
class Beats:
    """hits: {drum: [(beat, gain)]}; kicks: (n_bars, 4) True where the kick plays on a beat."""

    hits: Hits
    kicks: NDArray[np.bool_]


def swung(beat: float, swing: float) -> float:
    """Move odd sixteenths late; swing is the share of an eighth that its first half takes, 0.5 straight."""
    return beat + (swing - 0.5) * 0.5 if abs((beat * 4.0) % 2.0 - 1.0) < 0.01 else beat


def _clap(kind: str, rng: np.random.Generator) -> Pattern:
    slots = {
        "backbeat": [4, 12],
        "snaps": [4, 12],
        "four": [0, 4, 8, 12],
        "late": [12],
        "broken": [4, int(rng.choice([10, 11, 13, 14])), 12],
    }.get(kind, [])
    return [(slot + 16 * bar, 0.62) for bar in range(2) for slot in slots]


def _snare(kind: str, ghosts: float, rng: np.random.Generator) -> Pattern:
    """Snares in the place of claps, and ghost notes."""
    main = [(slot + 16 * bar, 0.5) for bar in range(2) for slot in ((4, 12) if kind == "snare" else ())]
    free = [slot for slot in range(SLOTS) if slot % 4 in (1, 3) or slot % 8 == 6]
    return main + [(slot, float(rng.uniform(0.08, 0.22))) for slot in free if rng.random() < 0.3 * ghosts]


def _open_hat(kind: str, rng: np.random.Generator) -> Pattern:
    if kind == "none":
        return []
    gain = float(rng.uniform(0.3, 0.5))
    extra = [int(slot) for slot in rng.choice(SLOTS, 3)] if kind == "busy" else []
    return [(4 * beat + 2, gain) for beat in range(8)] + [(slot, 0.6 * gain) for slot in extra if slot % 4]


def _closed_hat(kind: str, rng: np.random.Generator) -> Pattern:
    accents = rng.uniform(0.5, 1.0, 8)
    chosen: Callable[[int], bool] = {
        "sixteenths": lambda slot: slot % 4 != 2,
        "eighths": lambda slot: slot % 2 == 0,
        "offs": lambda slot: slot % 4 == 2,
        "none": lambda slot: False,
    }.get(kind, lambda slot: bool(rng.random() < 0.45))
    return [(slot, 0.27 * float(accents[slot % 8])) for slot in range(SLOTS) if chosen(slot)]


def _ride(rng: np.random.Generator) -> Pattern:
    step, first = ((2, 0), (4, 2), (4, 0), (1, 0))[int(rng.choice(4, p=(0.4, 0.3, 0.2, 0.1)))]
    return [(slot, 0.2 if slot % 4 == 2 else 0.14) for slot in range(first, SLOTS, step)]


class BeatWriter:
    """Draws the patterns of a track once and lays them out bar by bar."""

    def __init__(self, facts: Beat, swing: float, rng: np.random.Generator) -> None:
        """facts: habits of the genre; swing: see swung."""
        self.facts, self.swing, self.rng = facts, swing, rng
        self.hits: Hits = {}
        clap = pick(facts.clap, rng)
        density = float(rng.uniform(*facts.percussion))
        repeat = 16 if rng.random() < 0.5 else SLOTS
        drawn = rng.random((2, SLOTS)) < density
        self.patterns: dict[str, Pattern] = {
            "clap": _clap(clap, rng),
            "snare": _snare(clap, facts.ghosts, rng),
            "open_hat": _open_hat(pick(facts.open_hat, rng), rng),
            "closed_hat": _closed_hat(pick(facts.closed_hat, rng), rng),
            "shaker": [(slot, float(rng.uniform(0.08, 0.2))) for slot in range(SLOTS)]
            if rng.random() < facts.shaker
            else [],
            "ride": _ride(rng),
        }
        for row, name in enumerate(("perc_a", "perc_b")):
            self.patterns[name] = [
                (slot, float(rng.uniform(0.14, 0.34)))
                for slot in range(SLOTS)
                if drawn[row, slot % repeat] and slot % 4
            ]
        self.rides = rng.random() < facts.ride
        # A soft second kick just before or after a beat; it does not act on the side-chain.
        self.extra_kick = int(rng.choice([3, 7, 11, 14, 15])) if rng.random() < 0.07 else None
        self.fill_every = int(rng.choice([4, 8, 8, 16]))

    def add(self, name: str, beat: float, gain: float) -> None:
        """Note one hit at a beat of the track."""
        self.hits.setdefault(name, []).append((swung(beat, self.swing), gain))

    def groove(self, bar: Bar, layers: frozenset[str], gain: float, first: int = 0, end: int = 16) -> None:
        """Play the patterns of some layers in a bar, between two slots."""
        offset = 16 * (bar.place % 2)
        for name in sorted(layers):
            for slot, level in self.patterns[name]:
                if first <= slot - offset < min(end, 16):
                    self.add(name, 4.0 * bar.number + (slot - offset) / 4.0, level * gain)

    def roll(self, bar: Bar, kind: int) -> None:
        """Snares (or claps) of a build, ever denser and louder."""
        name = ("snare", "clap", "snare")[kind]
        progress = bar.place / bar.length
        grid = 1.0 if progress < 0.5 else 0.5 if progress < 0.75 else 0.25
        grid = 0.25 if kind == 2 else grid
        for slot in range(int(4.0 / grid)):
            along = progress + slot * grid / 4.0 / bar.length
            self.add(name, 4.0 * bar.number + slot * grid, 0.12 + 0.33 * along)
        if bar.place == bar.length - 1 and self.rng.random() < 0.5:
            for slot in range(8):
                self.add(name, 4.0 * bar.number + 2.125 + 0.25 * slot, 0.38)

    def fill(self, bar: Bar, kicks: NDArray[np.bool_]) -> int:
        """A fill at the end of a phrase; returns the slot from which the patterns pause."""
        kind = pick(self.facts.fill, self.rng)
        start, length = 4.0 * bar.number, int(self.rng.choice([4, 4, 8]))
        if kind == "roll":
            for index, slot in enumerate(range(16 - length, 16)):
                self.add("snare", start + slot / 4.0, 0.2 + 0.25 * index / length)
        elif kind == "toms":
            for slot in range(16 - length, 16):
                if self.rng.random() < 0.6:
                    self.add("perc_a" if slot % 3 else "perc_b", start + slot / 4.0, float(self.rng.uniform(0.2, 0.45)))
        if kind in ("stop", "kickless") or (kind == "roll" and self.rng.random() < 0.3):
            kicks[bar.number, 4 - length // 4 :] = False
        return 16 - length if kind == "stop" else 16


def _has_kick(bar: Bar, ambient: dict[str, bool]) -> list[bool]:
    if bar.section in ("drop", "outro"):
        return [True] * 4
    if bar.section == "intro":
        return [not ambient["intro"]] * 4
    if bar.section == "break":
        return [not ambient["break"]] * 4
    if bar.place >= bar.length - 1 or ambient["build"]:
        return [False] * 4
    return [True] * 4 if bar.place < bar.length // 2 else [True, False, True, False]


def write_beats(
    facts: Beat, bars: list[Bar], music: NDArray[np.bool_], swing: float, rng: np.random.Generator
) -> Beats:
    """Write all drums of a track for the bars of a plan; music: (n_bars,) True where other parts play."""
    writer = BeatWriter(facts, swing, rng)
    kicks = np.zeros((len(bars), 4), dtype=bool)
    full = frozenset(name for name in LAYERS if name != "ride" and rng.random() < 0.94)
    kind = int(rng.integers(3))
    layers: frozenset[str] = full
    crash = pick(facts.crash_bars, rng)
    ambient = {"intro": False, "break": True, "build": False}
    for bar in bars:
        if bar.place == 0:
            played = bool(music[bar.number : bar.number + bar.length].all())
            ambient = {
                "intro": played and rng.random() < 0.35,
                "break": rng.random() < 0.9,
                "build": rng.random() < 0.25,
            }
        kicks[bar.number] = _has_kick(bar, ambient)
        if bar.place % 8 == 0:
            layers = full | {"ride"} if writer.rides and (bar.place or rng.random() < 0.6) else full
            if bar.place and rng.random() < 0.35:
                layers = frozenset(name for name in sorted(layers) if rng.random() < 0.75)
        phrase_end = bar.place % writer.fill_every == writer.fill_every - 1 or bar.place == bar.length - 1
        end = 16
        if bar.section == "drop":
            if phrase_end and rng.random() < 0.8:
                end = writer.fill(bar, kicks)
            writer.groove(bar, layers, 1.0, 0, end)
        elif bar.section in ("intro", "outro"):
            along = bar.place / bar.length if bar.section == "intro" else 1.0 - bar.place / bar.length
            some = frozenset(sorted(full)[: 1 + int(along * (len(full) + 1))])
            writer.groove(bar, some if not ambient["intro"] or along > 0.4 else frozenset(), 0.6 + 0.4 * along)
            if phrase_end and rng.random() < 0.5:
                writer.fill(bar, kicks)
        elif bar.section == "build":
            writer.roll(bar, kind)
        elif not ambient["break"] or (bar.place >= bar.length // 2 and "shaker" in full):
            writer.groove(bar, full & {"shaker", "closed_hat", "perc_a"}, 0.5)
        for beat in np.flatnonzero(kicks[bar.number]):
            writer.add("kick", 4.0 * bar.number + float(beat), 1.0)
        if writer.extra_kick is not None and bar.section == "drop" and bar.place % 2 and end == 16:
            writer.add("kick", 4.0 * bar.number + writer.extra_kick / 4.0, 0.6)
        if bar.section == "drop" and crash != "none" and bar.place % int(crash) == 0:
            writer.add("crash", 4.0 * bar.number, 0.4 if bar.place == 0 else 0.27)
        elif bar.place == 0 and bar.number and rng.random() < 0.6:
            writer.add("crash", 4.0 * bar.number, 0.25)
        if bar.place == 0 and bar.section in ("drop", "break") and bar.number and rng.random() < 0.6:
            writer.add("impact", 4.0 * bar.number, float(rng.uniform(0.2, 0.5)))
    return Beats(writer.hits, kicks)
