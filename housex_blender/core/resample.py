"""What was heard bar by bar, laid over other bars. Zone: pure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from .bars import BarGrid
from .timeline import MAX_FILL_BEATS, SECTIONS, DropSpan, Timeline, TrackSpan

Floats = NDArray[np.float64]


def on_grid(timeline: Timeline, grid: BarGrid, source: str) -> Timeline:
    """The timeline on another grid.

    Numbers of a bar are the mean over the old bars it overlaps, weighted by time; names are those of the largest
    overlap; drops and track changes go to the nearest bar line, and what has no bar left is dropped.

    Args:
        timeline: What was heard, on its own grid.
        grid: The bars wanted.
        source: What ``grid_source`` becomes.
    """
    old = timeline.grid
    probs = np.clip(_means(old, grid, timeline.probs), 0.0, None)
    probs /= np.maximum(probs.sum(axis=1, keepdims=True), 1e-12)
    sections = np.array([[name == known for known in SECTIONS] for name in timeline.section], dtype=np.float64)
    section = tuple(SECTIONS[index] for index in np.argmax(_means(old, grid, sections).round(9), axis=1))
    return replace(
        timeline,
        grid=grid,
        grid_source=source,
        probs=probs.astype(np.float32),
        confidence=_unit(_means(old, grid, timeline.confidence)),
        energy=_unit(_means(old, grid, timeline.energy)),
        uncertain=_means(old, grid, timeline.uncertain) > 0.5,
        attributes={k: _means(old, grid, column).astype(np.float32) for k, column in timeline.attributes.items()},
        section=section,
        tracks=_tracks(timeline, grid),
        drops=_drops(timeline, grid),
    )


def _unit(values: Floats) -> NDArray[np.float32]:
    return np.clip(values, 0.0, 1.0).astype(np.float32)


def _means(old: BarGrid, new: BarGrid, column: NDArray[np.generic]) -> Floats:
    """(n_new, ...) mean of an (n_old, ...) column over each new bar; beyond its ends the column goes on."""
    values = np.asarray(column, dtype=np.float64)
    edges_s, wanted_s = old.edges_s.copy(), new.edges_s
    edges_s[0], edges_s[-1] = min(edges_s[0], wanted_s[0]), max(edges_s[-1], wanted_s[-1])
    flat = values.reshape(len(values), -1)
    total = np.concatenate([np.zeros((1, flat.shape[1])), np.cumsum(flat * np.diff(edges_s)[:, None], axis=0)])
    at = np.stack([np.interp(wanted_s, edges_s, column_sum) for column_sum in total.T], axis=1)
    means: Floats = np.diff(at, axis=0) / np.diff(wanted_s)[:, None]
    return means.reshape(-1, *values.shape[1:])


def nearest_line(grid: BarGrid, time_s: float) -> int:
    """Index of the bar line nearest to a time; ``n_bars`` is the end of the last bar."""
    return int(np.argmin(np.abs(grid.edges_s - time_s)))


def _moved(old: BarGrid, new: BarGrid, bar: int) -> int:
    return nearest_line(new, float(old.edges_s[bar]))


def _tracks(timeline: Timeline, grid: BarGrid) -> tuple[TrackSpan, ...]:
    old, bars = timeline.grid, grid.n_bars
    kept: list[TrackSpan] = []
    for track in timeline.tracks:
        start = 0 if track.start_bar == 0 else _moved(old, grid, track.start_bar)
        end = bars if track.end_bar == old.n_bars else _moved(old, grid, track.end_bar)
        if end <= start:
            continue
        first, last = track.fade_in_bar, track.fade_out_bar
        kept.append(
            replace(
                track,
                start_bar=start,
                end_bar=end,
                fade_in_bar=None if first is None else min(_moved(old, grid, first), start),
                fade_out_bar=None if last is None else max(_moved(old, grid, last), start + 1),
            )
        )
    return tuple(kept)


def _drops(timeline: Timeline, grid: BarGrid) -> tuple[DropSpan, ...]:
    old = timeline.grid
    kept: list[DropSpan] = []
    for drop in timeline.drops:
        start, end = (_moved(old, grid, bar) for bar in (drop.start_bar, drop.end_bar))
        if end <= start:
            continue
        build = None if drop.build_bar is None else _moved(old, grid, drop.build_bar)
        build = None if build is None or build >= start else build
        kept.append(DropSpan(start, end, build, _fill(drop, old, grid, start)))
    return tuple(kept)


def _fill(drop: DropSpan, old: BarGrid, new: BarGrid, start: int) -> int:
    """How many of the new beats lie in the time of the old fill."""
    if not drop.fill_beats:
        return 0
    hit = int(np.searchsorted(old.beats_s, old.starts_s[drop.start_bar] - 1e-3))
    from_s = float(old.beats_s[max(hit - drop.fill_beats, 0)])
    inside = (new.beats_s >= from_s - 0.01) & (new.beats_s < new.starts_s[start] - 0.01)
    return min(int(inside.sum()), MAX_FILL_BEATS)
