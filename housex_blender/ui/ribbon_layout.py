"""Where everything in the ribbon lies: bars, rows, and what is under the pointer. Zone: ui; no bpy.

Bars are counted from 0 and spans exclude their end, as everywhere; positions along the mix are frames in the view and
pixels in a region.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..core.bars import frame_on
from ..core.looks import linear_to_srgb
from ..core.show_mix import trusted_probs
from ..core.timeline import SECTIONS, Timeline, TrackSpan

Floats = NDArray[np.float64]
Span = tuple[int, int]
BAND_PX = 42.0
_LOW_BAND_PX = 22.0
# a row of keys or strips must stay visible beside it; of low editors little is left anyway
_ROOM_PX = 34.0
_LEAST_ROOM_PX = 8.0
_TITLE_PX = 13.0
_SECTION_PART = 0.36
_LEAST_BAR_PX = 3.0
GRIP_PX = 4.0


@dataclass(frozen=True)
class View:
    """What a region shows along the time.

    Attributes:
        left_frame: Frame at pixel 0.
        px_per_frame: Zoom, > 0.
        width_px: Width of the region.
    """

    left_frame: float
    px_per_frame: float
    width_px: int

    def x(self, frames: Floats | float) -> Floats:
        """Pixel columns of frames, of any shape."""
        return (np.asarray(frames, np.float64) - self.left_frame) * self.px_per_frame

    def frame(self, x_px: float) -> float:
        """Inverse of :meth:`x`."""
        return self.left_frame + x_px / self.px_per_frame


@dataclass(frozen=True)
class Band:
    """The rows of the ribbon in a region, in pixels from its lower edge.

    Attributes:
        bottom, top: Edges of the whole.
        titles, colours, sections: (lower, upper) edge of each row; titles is None in a low region.
        scale: Blender's interface scale.
    """

    bottom: float
    top: float
    titles: tuple[float, float] | None
    colours: tuple[float, float]
    sections: tuple[float, float]
    scale: float

    def holds(self, y_px: float) -> bool:
        """Whether a height lies in the ribbon."""
        return self.bottom <= y_px < self.top


def band_in(low_px: float, high_px: float, scale: float, at_top: bool) -> Band | None:
    """The ribbon at the upper or lower edge of the free part of a region; None if there is no room.

    Args:
        low_px, high_px: The free part: above scroll bar and markers, below the ruler.
        scale: Blender's interface scale.
        at_top: Whether it hangs from ``high_px``, or stands on ``low_px``.
    """
    free_px = high_px - low_px
    tall = free_px >= (BAND_PX + _ROOM_PX) * scale
    if free_px < (_LOW_BAND_PX + _LEAST_ROOM_PX) * scale:
        return None
    height = round((BAND_PX if tall else _LOW_BAND_PX) * scale)
    bottom = round(high_px) - height if at_top else round(low_px)
    top, one = bottom + height, max(1, round(scale))
    title_low = top - one - round(_TITLE_PX * scale) if tall else top
    split = bottom + one + round((title_low - bottom) * _SECTION_PART)
    return Band(
        bottom=bottom,
        top=top,
        titles=(title_low, top - one) if tall else None,
        colours=(split + one, title_low - (0 if tall else one)),
        sections=(bottom + one, split),
        scale=scale,
    )


class Level(NamedTuple):
    """Bars in groups of a power of two, for a view in which single ones are narrower than a few pixels."""

    edges: Floats  # (m + 1,) frames
    look: NDArray[np.int64]
    uncertain: NDArray[np.bool_]
    locked: NDArray[np.bool_]
    section: NDArray[np.int64]
    energy: Floats


class TrackMark(NamedTuple):
    """A record: where it begins, its name, and the frames in which it fades in and out (None: unknown)."""

    frame: float
    bar: int
    text: str
    fade_in: float | None
    fade_out: float | None
    end: float


@dataclass(frozen=True)
class Ribbon:
    """A timeline in frames, ready to be laid out in any view.

    Attributes:
        edges: (n_bars + 1,) first frame of each bar, then the end of the last.
        look: (n_bars,) genre whose colours the show follows: that of the bars before where a bar is uncertain.
        colours_srgb: (G, 3, 3) the palette, sRGB encoded.
        levels: Groups of 1, 2, 4 ... bars.
        tracks: Records, in order.
        drops: (n_drops,) frames on which a drop hits.
    """

    edges: Floats
    look: NDArray[np.int64]
    colours_srgb: Floats
    levels: tuple[Level, ...]
    tracks: tuple[TrackMark, ...]
    drops: Floats

    @property
    def n_bars(self) -> int:
        """Number of bars."""
        return len(self.edges) - 1

    def bar_at(self, frame: float) -> int | None:
        """Bar that holds a (fractional) frame, or None before the first and after the last."""
        bar = int(np.searchsorted(self.edges, frame, side="right")) - 1
        return bar if 0 <= bar < self.n_bars else None

    def nearest_bar(self, frame: float) -> int:
        """Bar that holds a frame; the first or last outside."""
        return min(max(int(np.searchsorted(self.edges, frame, side="right")) - 1, 0), self.n_bars - 1)

    def nearest_line(self, frame: float) -> int:
        """Bar whose first frame is nearest."""
        return int(np.argmin(np.abs(self.edges[:-1] - frame)))


def track_name(number: int, track: TrackSpan) -> str:
    """``2  Title``, or with its sub-genre where no list of titles gave a name."""
    return f"{number}  {track.title or track.label}"


def ribbon_of(
    timeline: Timeline, locked: NDArray[np.bool_], colours_rgb: Floats, fps: float, first_frame: int = 1
) -> Ribbon:
    """Lay a timeline out in frames.

    Args:
        timeline: With its edits applied.
        locked: (n_bars,) bars that no edit changes.
        colours_rgb: (G, 3, 3) linear RGB, three for each genre of the timeline's model.
        fps: Frames per second.
        first_frame: Frame at which the mix starts.
    """
    edges = frame_on(timeline.grid.edges_s, fps, first_frame)
    look = np.argmax(trusted_probs(timeline), axis=1)
    code = np.array([SECTIONS.index(name) for name in timeline.section])
    finest = Level(
        edges,
        look,
        np.asarray(timeline.uncertain, bool),
        np.asarray(locked, bool),
        code,
        np.asarray(timeline.energy, np.float64),
    )
    levels = [finest]
    while len(levels[-1].look) > 8:
        levels.append(_grouped(finest, 2 ** len(levels)))

    def line(bar: int | None) -> float | None:
        return None if bar is None else float(edges[bar])

    tracks = tuple(
        TrackMark(
            float(edges[track.start_bar]),
            track.start_bar,
            track_name(number, track),
            line(track.fade_in_bar),
            line(track.fade_out_bar),
            float(edges[track.end_bar]),
        )
        for number, track in enumerate(timeline.tracks, 1)
    )
    drops = edges[[drop.start_bar for drop in timeline.drops]] if timeline.drops else np.zeros(0)
    return Ribbon(edges, look, linear_to_srgb(colours_rgb), tuple(levels), tracks, drops)


def _grouped(level: Level, size: int) -> Level:
    """Groups of ``size`` bars, counted from the first so that they do not crawl while the view scrolls."""
    starts = np.arange(0, len(level.look), size)
    frames = np.diff(level.edges)

    def most(values: NDArray[np.integer], count: int) -> NDArray[np.int64]:
        weights = np.zeros((len(values), count))
        weights[np.arange(len(values)), values] = frames + 1e-6
        return np.argmax(np.add.reduceat(weights, starts), axis=1)

    return Level(
        np.append(level.edges[starts], level.edges[-1]),
        most(level.look, int(level.look.max()) + 1),
        most(level.uncertain.astype(int), 2).astype(bool),
        most(level.locked.astype(int), 2).astype(bool),
        most(level.section, len(SECTIONS)),
        np.add.reduceat(level.energy, starts) / np.diff(np.append(starts, len(level.look))),
    )


def runs(*columns: NDArray[np.generic]) -> NDArray[np.int64]:
    """First index of every run in which no column changes, then the length: (n_runs + 1,)."""
    length = len(columns[0])
    if not length:
        return np.zeros(1, np.int64)
    change = np.zeros(length - 1, bool)
    for column in columns:
        change |= column[1:] != column[:-1]
    return np.concatenate([[0], np.flatnonzero(change) + 1, [length]]).astype(np.int64)


def marked_runs(flags: NDArray[np.bool_], x: Floats) -> Floats:
    """(m, 2) pixel columns at which each run of True begins and ends."""
    cuts = runs(flags)
    at = np.flatnonzero(flags[cuts[:-1]]) if len(flags) else np.zeros(0, np.int64)
    return np.column_stack([x[cuts[at]], x[cuts[at + 1]]])


def level_in(ribbon: Ribbon, view: View) -> Level:
    """The finest groups of bars that are wide enough to be told apart."""
    bar_px = float(np.median(np.diff(ribbon.edges))) * view.px_per_frame
    wanted = math.ceil(math.log2(max(_LEAST_BAR_PX / max(bar_px, 1e-9), 1.0)))
    return ribbon.levels[min(wanted, len(ribbon.levels) - 1)]


def visible(level: Level, view: View) -> Level:
    """The groups that a view shows, and those at its edges."""
    first = max(int(np.searchsorted(level.edges, view.left_frame, side="right")) - 1, 0)
    end = int(np.searchsorted(level.edges, view.frame(view.width_px), side="left"))
    end = min(max(end, first), len(level.look))
    bars = slice(first, end)
    return Level(
        level.edges[first : end + 1],
        level.look[bars],
        level.uncertain[bars],
        level.locked[bars],
        level.section[bars],
        level.energy[bars],
    )


# -- what a pointer does ---------------------------------------------------------------------------------------


def line_at(ribbon: Ribbon, view: View, x_px: float, grip_px: float) -> int | None:
    """The record (counted from 0, never the first) whose start lies within ``grip_px`` of a column; the nearest."""
    if len(ribbon.tracks) < 2:
        return None
    away = np.abs(view.x(np.array([track.frame for track in ribbon.tracks[1:]])) - x_px)
    nearest = int(np.argmin(away))
    return nearest + 1 if away[nearest] <= grip_px else None


def span_between(anchor: int, bar: int) -> Span:
    """The bars from one to another, in either direction, both included."""
    return min(anchor, bar), max(anchor, bar) + 1


def extended(span: Span | None, bar: int) -> tuple[int, Span]:
    """Shift: the bar that stays, and the selection stretched or cut to end at ``bar``."""
    if span is None:
        return bar, (bar, bar + 1)
    first, last = span[0], span[1] - 1
    anchor = last if bar < first else first
    return anchor, span_between(anchor, bar)


def move_limits(ribbon: Ribbon, track: int) -> Span:
    """First and last bar on which a record may begin: a bar at least stays on either side."""
    after = ribbon.tracks[track + 1].bar if track + 1 < len(ribbon.tracks) else ribbon.n_bars
    return ribbon.tracks[track - 1].bar + 1, after - 1
