"""Arrangement: which bar belongs to which section, and which drums and effects play in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .recipes import Style

SECTIONS = ("intro", "build", "drop", "break", "outro")
Plan = list[tuple[str, int]]
Hits = dict[str, list[tuple[float, float]]]

DEMO_PLAN: Plan = [("intro", 8), ("break", 8), ("build", 8), ("drop", 16), ("outro", 8)]
SHORT_PLAN: Plan = [("intro", 8), ("build", 8), ("drop", 16), ("outro", 8)]


@dataclass(frozen=True)
class Bar:
    """One bar of a plan: its number, its section, its place in the section and the section that follows."""

    number: int
    section: str
    place: int
    length: int
    following: str


def lay_out(plan: Plan) -> list[Bar]:
    """Expand a plan into bars. Raises ValueError for unknown sections or lengths below one bar."""
    bars: list[Bar] = []
    for index, (section, length) in enumerate(plan):
        if section not in SECTIONS or length < 1:
            raise ValueError(f"plan entry {(section, length)!r}: need one of {', '.join(SECTIONS)} and at least 1 bar")
        following = plan[index + 1][0] if index + 1 < len(plan) else ""
        bars += [Bar(len(bars) + place, section, place, length, following) for place in range(length)]
    return bars


def section_runs(bars: list[Bar]) -> list[tuple[str, int, int]]:
    """Sections as (name, first bar, end bar exclusive)."""
    starts = [bar.number for bar in bars if bar.place == 0]
    return [(bars[start].section, start, start + bars[start].length) for start in starts]


def has_kick(bar: Bar) -> list[int]:
    """Beats 0..3 of a bar on which the kick plays."""
    if bar.section in ("intro", "drop", "outro"):
        return [0, 1, 2, 3]
    if bar.section == "build" and bar.place < bar.length // 2:
        return [0, 1, 2, 3]
    if bar.section == "build" and bar.place < bar.length - 1:
        return [0, 2]
    return []


class DrumWriter:
    """Collects hits as (beat, gain) by drum name, for one style."""

    def __init__(self, style: Style, rng: np.random.Generator) -> None:
        """Draw the patterns that stay the same through the track."""
        self.style = style
        self.hits: Hits = {}
        busy = "perc" in style.extras
        self.shaker = rng.random() < (0.9 if busy else 0.45)
        self.sixteenths = rng.random() < (0.8 if style.attributes["rhythm"] > 2.8 else 0.35)
        self.ride = "ride" in style.extras or rng.random() < 0.2
        self.claps_in_intro = rng.random() < 0.6
        chance = 0.3 if busy else 0.1
        self.perc = {
            name: [slot for slot in range(16) if slot % 4 and rng.random() < chance] for name in ("perc_a", "perc_b")
        }
        self.accents = rng.uniform(0.6, 1.0, 16)
        self.ghosts = [
            slot for slot in (3, 7, 9, 11, 14, 15) if rng.random() < (0.35 if busy or style.drive > 0.7 else 0.12)
        ]

    def add(self, name: str, beat: float, gain: float) -> None:
        """Note one hit; odd sixteenths are moved by the swing of the style."""
        if abs((beat * 4.0) % 2.0 - 1.0) < 0.01:
            beat += (self.style.swing - 0.5) * 0.5
        self.hits.setdefault(name, []).append((beat, gain))

    def groove(self, bar: Bar, full: float) -> None:
        """Claps, hats, shaker and percussion; full 0..1 scales how much of the kit plays."""
        start = 4.0 * bar.number
        if full > 0.4 or self.claps_in_intro:
            for beat in (1, 3):
                self.add("clap", start + beat, 0.62)
        for beat in range(4):
            self.add("open_hat", start + beat + 0.5, 0.42 * (0.7 + 0.3 * full))
        for slot in range(16):
            if slot % 4 != 2 and (self.sixteenths or slot % 2 == 0):
                self.add("closed_hat", start + slot / 4, 0.26 * self.accents[slot] * (0.5 + 0.5 * full))
            if self.shaker and full > 0.3:
                self.add("shaker", start + slot / 4, 0.17 * self.accents[15 - slot])
        if full < 0.3:
            return
        for name, slots in self.perc.items():
            for slot in slots:
                self.add(name, start + slot / 4, 0.22 * full)
        if full > 0.8:
            for slot in self.ghosts:
                self.add("snare", start + slot / 4, 0.14)
            if self.ride:
                for slot in range(0, 16, 2):
                    self.add("ride", start + slot / 4, 0.2 if slot % 4 else 0.13)

    def fill(self, bar: Bar) -> None:
        """Snares and toms on the last beats of an 8-bar phrase; the kick goes on underneath."""
        start = 4.0 * bar.number
        for index, slot in enumerate((10, 12, 13, 14, 15)):
            self.add("snare", start + slot / 4, 0.22 + 0.05 * index)
        self.add("perc_b", start + 3.75, 0.3)

    def roll(self, bar: Bar) -> None:
        """Snare roll of a build: quarters, eighths, sixteenths, then thirty-seconds, ever louder."""
        start = 4.0 * bar.number
        progress = bar.place / max(1, bar.length)
        grid = 1.0 if progress < 0.5 else 0.5 if progress < 0.75 else 0.25
        for slot in range(int(4.0 / grid)):
            self.add("snare", start + slot * grid, 0.16 + 0.3 * (progress + slot * grid / 4.0 / bar.length))
        if bar.place == bar.length - 1:
            for slot in range(8):
                self.add("snare", start + 2.125 + 0.25 * slot, 0.4)


def write_drums(style: Style, bars: list[Bar], rng: np.random.Generator) -> Hits:
    """All drum hits of a track as {name: [(beat, gain), ...]}; kicks lie exactly on beats."""
    writer = DrumWriter(style, rng)
    for bar in bars:
        start = 4.0 * bar.number
        for beat in has_kick(bar):
            writer.add("kick", start + beat, 1.0)
        if bar.section == "drop":
            writer.groove(bar, 1.0 if bar.place >= 8 or bar.length <= 8 else 0.9)
        elif bar.section in ("intro", "outro"):
            progress = bar.place / bar.length if bar.section == "intro" else 1.0 - bar.place / bar.length
            writer.groove(bar, 0.2 + 0.5 * progress)
        elif bar.section == "build":
            if bar.place < bar.length // 2:
                writer.add("clap", start + 1, 0.4)
                writer.add("clap", start + 3, 0.4)
            writer.roll(bar)
        elif writer.shaker and bar.place >= bar.length // 2:
            for slot in range(16):
                writer.add("shaker", start + slot / 4, 0.09 * writer.accents[slot])
        if (bar.place == bar.length - 1 and bar.section in ("intro", "drop")) or (
            bar.section == "drop" and bar.place % 8 == 7
        ):
            writer.fill(bar)
        crash_every = 4 if "crashes" in style.extras else 8
        if bar.section == "drop" and bar.place % crash_every == 0:
            writer.add("crash", start, 0.4 if bar.place == 0 else 0.28)
        elif bar.place == 0 and bar.number:
            writer.add("crash", start, 0.25)
        if bar.place == 0 and bar.section in ("drop", "break") and bar.number:
            writer.add("impact", start, 0.5)
    return writer.hits
