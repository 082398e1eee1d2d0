"""Where the tracks of a mix lie in time: matched grids, hard cuts, crossfades without a common beat, silence."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .patterns import Options

Times = NDArray[np.float64]


@dataclass(frozen=True)
class Spec:
    """What to play: an own track by genre, or a foreign one (genre empty) by options."""

    seed: int
    bpm: float
    plan: tuple[tuple[str, int], ...]
    key: int
    genre: str = ""
    options: Options = field(default_factory=Options)
    gain_db: float = 0.0

    @property
    def bars(self) -> int:
        """Length in bars."""
        return sum(length for _, length in self.plan)


@dataclass(frozen=True)
class Join:
    """How a track follows the one before.

    fade: beat-matched over some bars, the bass handed over after handover bars; cut: hard, left_beats before the end
    of the old track plus phase of a beat, with a gap instead of music in that phase if gap is set; unmatched:
    a crossfade of some seconds without any common beat; stop: the old track ends, then silence.
    """

    kind: str = "fade"
    bars: int = 16
    handover: int = 8
    left_beats: int = 0
    phase: float = 0.0
    gap: bool = False
    seconds: float = 0.0
    pickup: int = 0
    swap_bass: bool = True
    sweep_bars: int = 0


@dataclass
class Placed:
    """A track at its place: beats of its own grid, and when it is heard."""

    spec: Spec
    beats: Times
    in_s: float
    in_end_s: float
    handover_s: float
    out_start_s: float = np.inf
    out_swap_s: float = np.inf
    out_end_s: float = np.inf
    join: Join | None = None
    leave: Join | None = None
    # Half beats of a pickup before the first bar.
    pickup: int = 0
    sections: list[str] = field(default_factory=list)
    fills: list[tuple[float, float]] = field(default_factory=list)


def matched_beats(specs: list[Spec], joins: list[Join], drift: Times | None) -> tuple[Times, list[int]]:
    """Beats from 0 of a run of beat-matched tracks, and the first bar of every track.

    The tempo is constant in a track and straight through a fade; drift: BPM to add, by beat of the run.
    """
    starts = [0]
    for spec, join in zip(specs[:-1], joins, strict=True):
        starts.append(starts[-1] + spec.bars - join.bars)
    marks, tempi = [0.0], [specs[0].bpm]
    for index, join in enumerate(joins):
        marks += [4.0 * starts[index + 1], 4.0 * (starts[index + 1] + join.bars)]
        tempi += [specs[index].bpm, specs[index + 1].bpm]
    count = 4 * (starts[-1] + specs[-1].bars)
    bpm = np.interp(np.arange(count) + 0.5, marks, tempi)
    if drift is not None:
        bpm = bpm + np.resize(drift, count)
    return np.concatenate([[0.0], np.cumsum(60.0 / bpm)]), starts


def wobble(rng: np.random.Generator, count: int, settle: int, most_s: float) -> Times:
    """Slow error of a hand-matched track by beat: up to most_s, and none from settle beats on."""
    beat = np.arange(count)
    period = float(rng.uniform(24.0, 64.0))
    curve = most_s * np.sin(2 * np.pi * (beat / period + rng.random())) * rng.uniform(0.6, 1.0)
    return curve * np.clip((settle - beat) / 24.0, 0.0, 1.0)


def lay_tracks(
    rng: np.random.Generator, specs: list[Spec], joins: list[Join], lead_s: float, drift: Times | None, wobble_s: float
) -> list[Placed]:
    """Find the time of everything."""
    placed: list[Placed] = []
    first, begin_s = 0, lead_s
    while first < len(specs):
        end = first + 1
        while end < len(specs) and joins[end - 1].kind == "fade":
            end += 1
        fades = joins[first : end - 1]
        run = list(specs[first:end])
        grid, starts = matched_beats(run, fades, drift)
        grid = grid + begin_s
        for index, (spec, start) in enumerate(zip(run, starts, strict=True)):
            beats = grid[4 * start : 4 * (start + spec.bars) + 1].copy()
            item = Placed(spec, beats, beats[0], beats[0], beats[0])
            if index:
                fade = item.join = fades[index - 1]
                if wobble_s:
                    item.beats = beats = beats + wobble(rng, len(beats), 4 * fade.handover + 32, wobble_s)
                item.in_s, item.handover_s, item.in_end_s = beats[[0, 4 * fade.handover, 4 * fade.bars]]
                before = placed[-1]
                before.leave = fade
                before.out_start_s, before.out_swap_s, before.out_end_s = item.in_s, item.handover_s, item.in_end_s
            placed.append(item)
        first = end
        if first < len(specs):
            begin_s = leave_run(rng, placed[-1], joins[first - 1], specs[first])
    link_runs(placed, joins)
    return placed


def leave_run(rng: np.random.Generator, last: Placed, join: Join, following: Spec) -> float:
    """End a run of matched tracks with a cut, an unmatched fade or silence; the time at which the next track begins."""
    beats = last.beats
    last.leave = join
    if join.kind == "stop":
        return float(beats[-1] + join.seconds)
    if join.kind == "cut":
        at = len(beats) - 1 - join.left_beats
        begin_s = float(beats[at] + join.phase * (beats[at + 1] - beats[at]))
        heard_s = float(beats[at]) - 0.012 if join.gap else begin_s - 0.002
        last.out_start_s = last.out_swap_s = last.out_end_s = heard_s
        return begin_s
    fade_beats = int(np.ceil(join.seconds / (beats[-1] - beats[-2]))) + 1
    return float(beats[-1 - fade_beats] + rng.uniform(0.2, 0.8) * (beats[-1] - beats[-2]))


def link_runs(placed: list[Placed], joins: list[Join]) -> None:
    """Fill in the joins between runs."""
    for before, item, join in zip(placed[:-1], placed[1:], joins, strict=True):
        if join.kind == "fade":
            continue
        item.join = join
        if join.kind == "unmatched":
            bars = item.beats[::4]
            item.handover_s = float(bars[np.abs(bars - item.in_s - 0.5 * join.seconds).argmin()])
            item.in_end_s = item.in_s + join.seconds
            before.out_start_s, before.out_swap_s, before.out_end_s = item.in_s, item.handover_s, item.in_end_s
