"""Where everything in the ribbon lies: bars, rows, hit testing and the words of its tooltip. Zone: ui; no bpy.

Bars are counted from 0 and spans exclude their end, as everywhere; positions along the mix are frames in the view and
pixels in a region. Areas are quads of four corners, because triangles of them draw everything in one batch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..core.bars import frame_on
from ..core.channels import trusted_probs
from ..core.looks import linear_to_srgb
from ..core.timeline import SECTIONS, Timeline, TrackSpan

Floats = NDArray[np.float64]
Span = tuple[int, int]

BAND_PX = 42.0
_LOW_BAND_PX = 22.0
# a row of keys or strips must stay visible beside it
_ROOM_PX = 34.0
_TITLE_PX = 13.0
_SECTION_PART = 0.36
_LEAST_BAR_PX = 3.0
_LINE_FROM_PX = 7.0
_NUMBER_GAP_PX = 64.0
_HATCH_PX = 7.0
_LOCK_PX = 9.0
_CROWDED_PX = 18.0
GRIP_PX = 4.0

_GROUND_RGBA = (0.09, 0.09, 0.09, 0.92)
_LINE_RGBA = (0.0, 0.0, 0.0, 0.55)
_TRACK_RGBA = (0.95, 0.95, 0.95, 1.0)
_DROP_RGBA = (1.0, 0.82, 0.25, 1.0)
_LOCK_RGBA = (1.0, 1.0, 1.0, 1.0)
_DOUBT_RGBA = (0.16, 0.16, 0.16, 0.5)
_HATCH_RGBA = (0.85, 0.85, 0.85, 0.5)
_FADE_RGBA = (1.0, 1.0, 1.0, 0.16)
_SELECTION_RGBA = (1.0, 0.56, 0.13, 1.0)
TITLE_RGBA = (0.92, 0.92, 0.92, 1.0)
NUMBER_RGBA = (0.58, 0.58, 0.58, 1.0)
# in the order of SECTIONS: intro, build, drop, break, outro
_SECTION_GREY = np.array([0.34, 0.62, 0.96, 0.46, 0.28])


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
    room_px = high_px - low_px - _ROOM_PX * scale
    tall = room_px >= BAND_PX * scale
    if room_px < _LOW_BAND_PX * scale:
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


class _Level(NamedTuple):
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
    levels: tuple[_Level, ...]
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
    finest = _Level(
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


def _grouped(level: _Level, size: int) -> _Level:
    """Groups of ``size`` bars, counted from the first so that they do not crawl while the view scrolls."""
    starts = np.arange(0, len(level.look), size)
    frames = np.diff(level.edges)

    def most(values: NDArray[np.integer], count: int) -> NDArray[np.int64]:
        weights = np.zeros((len(values), count))
        weights[np.arange(len(values)), values] = frames + 1e-6
        return np.argmax(np.add.reduceat(weights, starts), axis=1)

    return _Level(
        np.append(level.edges[starts], level.edges[-1]),
        most(level.look, int(level.look.max()) + 1),
        most(level.uncertain.astype(int), 2).astype(bool),
        most(level.locked.astype(int), 2).astype(bool),
        most(level.section, len(SECTIONS)),
        np.add.reduceat(level.energy, starts) / np.diff(np.append(starts, len(level.look))),
    )


class Quads(NamedTuple):
    """Coloured areas, those later in the list on top.

    Attributes:
        corners: (m, 4, 2) pixels, around each area.
        rgba: (m, 4) sRGB encoded.
    """

    corners: NDArray[np.float32]
    rgba: NDArray[np.float32]


def joined(parts: Sequence[Quads]) -> Quads:
    """One list of areas."""
    if not parts:
        return Quads(np.zeros((0, 4, 2), np.float32), np.zeros((0, 4), np.float32))
    return Quads(np.concatenate([part.corners for part in parts]), np.concatenate([part.rgba for part in parts]))


def boxes(x0: Floats | float, y0: Floats | float, x1: Floats | float, y1: Floats | float, rgba: object) -> Quads:
    """Upright rectangles; numbers and (m,) arrays may be mixed, ``rgba`` is one colour or (m, 4)."""
    sides = np.broadcast_arrays(*np.atleast_1d(x0, y0, x1, y1))
    return four_corners([(sides[0], sides[1]), (sides[2], sides[1]), (sides[2], sides[3]), (sides[0], sides[3])], rgba)


def four_corners(points: Sequence[tuple[Floats | float, Floats | float]], rgba: object) -> Quads:
    """Areas by their corners, each an (x, y) of numbers or (m,) arrays."""
    flat = np.broadcast_arrays(*np.atleast_1d(*(value for point in points for value in point)))
    corners = np.stack(flat, axis=-1).reshape(len(flat[0]), 4, 2).astype(np.float32)
    return Quads(corners, np.broadcast_to(np.asarray(rgba, np.float32), (len(corners), 4)).copy())


def runs(*columns: NDArray[np.generic]) -> NDArray[np.int64]:
    """First index of every run in which no column changes, then the length: (n_runs + 1,)."""
    length = len(columns[0])
    if not length:
        return np.zeros(1, np.int64)
    change = np.zeros(length - 1, bool)
    for column in columns:
        change |= column[1:] != column[:-1]
    return np.concatenate([[0], np.flatnonzero(change) + 1, [length]]).astype(np.int64)


def level_in(ribbon: Ribbon, view: View) -> _Level:
    """The finest groups of bars that are wide enough to be told apart."""
    bar_px = float(np.median(np.diff(ribbon.edges))) * view.px_per_frame
    wanted = math.ceil(math.log2(max(_LEAST_BAR_PX / max(bar_px, 1e-9), 1.0)))
    return ribbon.levels[min(wanted, len(ribbon.levels) - 1)]


def visible(level: _Level, view: View) -> _Level:
    """The groups that a view shows, and those at its edges."""
    first = max(int(np.searchsorted(level.edges, view.left_frame, side="right")) - 1, 0)
    end = int(np.searchsorted(level.edges, view.frame(view.width_px), side="left"))
    end = min(max(end, first), len(level.look))
    return _Level(level.edges[first : end + 1], *(column[first:end] for column in level[1:]))


def picture(ribbon: Ribbon, view: View, band: Band) -> Quads:
    """Everything but the words and the selection."""
    level = visible(level_in(ribbon, view), view)
    # beyond the region nothing is seen, and far beyond it single precision ends
    x = np.clip(np.round(view.x(level.edges)), -16.0, view.width_px + 16.0)
    one = max(1.0, round(band.scale))
    parts = [_ground(ribbon, view, band)]
    if len(level.look):
        parts += [_colour_rows(ribbon, level, x, band), _sections(level, x, band)]
        if np.median(np.diff(x)) >= _LINE_FROM_PX * band.scale:
            parts.append(boxes(x[1:-1], band.sections[0], x[1:-1] + one, band.colours[1], _LINE_RGBA))
        parts += [_hatching(level, x, view, band), _locks(level, x, band)]
    parts += [_drops(ribbon, view, band), _tracks(ribbon, view, band)]
    return joined(parts)


def _ground(ribbon: Ribbon, view: View, band: Band) -> Quads:
    left, right = np.clip(view.x(ribbon.edges[[0, -1]]), 0.0, view.width_px)
    one = max(1.0, round(band.scale))
    dim = (*_GROUND_RGBA[:3], 0.55)
    return joined(
        [
            boxes(0.0, band.bottom, float(view.width_px), band.top, dim),
            boxes(left, band.bottom, right, band.top, _GROUND_RGBA),
            boxes(0.0, np.array([band.bottom, band.top - one]), float(view.width_px),
                  np.array([band.bottom + one, band.top]), (0.0, 0.0, 0.0, 0.6)),
        ]
    )  # fmt: skip


def _colour_rows(ribbon: Ribbon, level: _Level, x: Floats, band: Band) -> Quads:
    """Three stripes, one below the other: side by side they would flicker in narrow bars."""
    cuts = runs(level.look)
    colours = ribbon.colours_srgb[level.look[cuts[:-1]]]
    low, high = band.colours
    y = np.round(np.linspace(high, low, 4))
    return joined(
        [
            boxes(x[cuts[:-1]], y[slot + 1], x[cuts[1:]], y[slot],
                  np.column_stack([colours[:, slot], np.ones(len(colours))]))
            for slot in range(3)
        ]
    )  # fmt: skip


def _sections(level: _Level, x: Floats, band: Band) -> Quads:
    """Energy as height, the part of the track as brightness."""
    low, high = band.sections
    grey = _SECTION_GREY[level.section]
    tops = np.round(low + (high - low) * (0.2 + 0.8 * np.clip(level.energy, 0.0, 1.0)))
    cuts = runs(level.section, tops)
    at = cuts[:-1]
    rgba = np.column_stack([grey[at], grey[at], grey[at], np.ones(len(at))])
    return boxes(x[at], low, x[cuts[1:]], tops[at], rgba)


def marked_runs(flags: NDArray[np.bool_], x: Floats) -> Floats:
    """(m, 2) pixel columns at which each run of True begins and ends."""
    cuts = runs(flags)
    at = np.flatnonzero(flags[cuts[:-1]]) if len(flags) else np.zeros(0, np.int64)
    return np.column_stack([x[cuts[at]], x[cuts[at + 1]]])


def _hatching(level: _Level, x: Floats, view: View, band: Band) -> Quads:
    low, high = band.colours
    found = []
    for left, right in marked_runs(level.uncertain, x):
        found.append(boxes(left, low, right, high, _DOUBT_RGBA))
        found.append(_slanted(left, right, low, high, view, band.scale))
    return joined(found)


def _slanted(left: float, right: float, low: float, high: float, view: View, scale: float) -> Quads:
    """Slanted lines between two columns, cut off at both."""
    gap, thick, height = _HATCH_PX * scale, 1.6 * scale, high - low
    # counted from frame 0, so that they scroll with the bars
    origin = float(view.x(0.0))
    foot = np.arange(origin + math.ceil((left - height - origin) / gap) * gap, right, gap)
    start = np.clip((left - foot) / height, 0.0, 1.0)
    stop = np.clip((right - thick - foot) / height, 0.0, 1.0)
    keep = stop > start
    foot, start, stop = foot[keep], start[keep], stop[keep]
    x0, x1, y0, y1 = foot + start * height, foot + stop * height, low + start * height, low + stop * height
    return four_corners([(x0, y0), (x0 + thick, y0), (x1 + thick, y1), (x1, y1)], _HATCH_RGBA)


def _locks(level: _Level, x: Floats, band: Band) -> Quads:
    """A line over locked bars, and a padlock where it begins."""
    s, top = band.scale, band.colours[1]
    spans = marked_runs(level.locked, x)
    if not len(spans):
        return joined([])
    found = [
        boxes(spans[:, 0], top - round(3 * s), spans[:, 1], top, (0.0, 0.0, 0.0, 0.8)),
        boxes(spans[:, 0], top - round(2 * s), spans[:, 1], top, _LOCK_RGBA),
    ]
    wide = spans[:, 1] - spans[:, 0] >= (_LOCK_PX + 4) * s
    found.append(_padlock(np.maximum(spans[wide, 0], 0.0) + 3 * s, band.colours[0] + 2 * s, s))
    return joined(found)


def _padlock(x: Floats, y: float, s: float) -> Quads:
    """Body and shackle, with a dark rim to be seen on any colour."""
    dark = (0.0, 0.0, 0.0, 0.85)
    pieces = [(0.0, 0.0, 8.0, 5.5), (1.2, 5.5, 2.8, 8.6), (5.2, 5.5, 6.8, 8.6), (1.2, 7.4, 6.8, 9.0)]
    rims = [boxes(x + (a - 1) * s, y + (b - 1) * s, x + (c + 1) * s, y + (d + 1) * s, dark) for a, b, c, d in pieces]
    bodies = [boxes(x + a * s, y + b * s, x + c * s, y + d * s, _LOCK_RGBA) for a, b, c, d in pieces]
    return joined([*rims, *bodies])


def _apart(x: Floats, least_px: float) -> Floats:
    """Those columns that lie at least so far behind the last one that was kept."""
    kept: list[float] = []
    for column in x:
        if not kept or column - kept[-1] >= least_px:
            kept.append(float(column))
    return np.array(kept)


def _seen(frames: Floats, view: View) -> Floats:
    x = np.round(view.x(frames))
    return x[(x >= -8.0) & (x <= view.width_px + 8.0)]


def _drops(ribbon: Ribbon, view: View, band: Band) -> Quads:
    s, one = band.scale, max(1.0, round(band.scale))
    seen = _seen(ribbon.drops, view)
    x = _apart(seen, 4 * s)
    if not len(x):
        return joined([])
    top, dark = band.colours[1], (0.0, 0.0, 0.0, 0.75)
    lines = [
        boxes(x - one, band.sections[0], x + 2 * one, top, dark),
        boxes(x, band.sections[0], x + one, top, _DROP_RGBA),
    ]
    # side by side, triangles would be a saw
    tips = x if _crowding_px(seen) >= _CROWDED_PX * s else x[:0]

    def pointer(half: float, depth: float, rgba: object) -> Quads:
        return four_corners([(tips - half, top), (tips + half, top), (tips, top - depth), (tips, top - depth)], rgba)

    return joined([*lines, pointer(6.5 * s, 8.5 * s, dark), pointer(5 * s, 6.5 * s, _DROP_RGBA)])


def _crowding_px(x: Floats) -> float:
    """The usual gap between marks."""
    return float(np.median(np.diff(x))) if len(x) > 1 else math.inf


def _tracks(ribbon: Ribbon, view: View, band: Band) -> Quads:
    one = max(1.0, round(band.scale))
    parts = [_fades(ribbon, view, band)] if band.titles else []
    # the first record begins where the ribbon begins
    seen = _seen(np.array([track.frame for track in ribbon.tracks[1:]]), view)
    x = _apart(seen, 3 * band.scale)
    if len(x):
        thick = one if _crowding_px(seen) >= 2 * _CROWDED_PX * band.scale else 0.0
        parts += [
            boxes(x - thick - one, band.bottom, x + 2 * one, band.top, (0.0, 0.0, 0.0, 0.8)),
            boxes(x - thick, band.bottom, x + one, band.top, _TRACK_RGBA),
        ]
    return joined(parts)


def _fades(ribbon: Ribbon, view: View, band: Band) -> Quads:
    """A slope in the row of titles while a record comes in, another while the one before goes."""
    assert band.titles is not None
    low, high = band.titles
    rises = [(t.fade_in, t.frame) for t in ribbon.tracks if t.fade_in is not None]
    falls = [(t.end, t.fade_out) for t in ribbon.tracks if t.fade_out is not None]
    found = []
    for slopes, first, last in ((rises, low, high), (falls, high, low)):
        x0, x1 = np.clip(view.x(np.array(slopes).reshape(-1, 2)), -1e5, 1e5).T
        found.append(four_corners([(x0, low), (x0, first), (x1, last), (x1, low)], _FADE_RGBA))
    return joined(found)


def selection_outline(ribbon: Ribbon, span: Span, view: View, band: Band) -> Quads:
    """A frame around the selected bars, and a veil over their titles: their colours must be seen."""
    thick = max(1.0, round(1.6 * band.scale))
    left, right = np.clip(np.round(view.x(ribbon.edges[list(span)])), -8.0, view.width_px + 8.0)
    right = max(right, left + 2 * thick)
    veil = [boxes(left, band.titles[0], right, band.titles[1], (*_SELECTION_RGBA[:3], 0.3))] if band.titles else []
    return joined(
        [
            *veil,
            boxes(left, np.array([band.bottom, band.top - thick]), right,
                  np.array([band.bottom + thick, band.top]), _SELECTION_RGBA),
            boxes(np.array([left, right - thick]), band.bottom, np.array([left + thick, right]), band.top,
                  _SELECTION_RGBA),
        ]
    )  # fmt: skip


def moved_line(ribbon: Ribbon, bar: int, view: View, band: Band) -> Quads:
    """The track change that is being dragged, where it would be left."""
    x, one = np.round(view.x(ribbon.edges[bar])), max(1.0, round(band.scale))
    return joined(
        [
            boxes(x - 3 * one, band.bottom, x + 3 * one, band.top, (0.0, 0.0, 0.0, 0.8)),
            boxes(x - 2 * one, band.bottom, x + 2 * one, band.top, _SELECTION_RGBA),
        ]
    )


# -- words -----------------------------------------------------------------------------------------------------


class Label(NamedTuple):
    """A word and where its lower left corner is, in pixels."""

    x: float
    y: float
    text: str
    rgba: tuple[float, float, float, float]


def labels(ribbon: Ribbon, view: View, band: Band, width_of: Callable[[str], float]) -> list[Label]:
    """Titles where records begin, and bar numbers between them; none in a low region.

    Args:
        width_of: Width of a text in pixels.
    """
    if band.titles is None:
        return []
    s, y = band.scale, band.titles[0] + 3 * band.scale
    found, taken = [], []
    starts = [track.frame for track in ribbon.tracks] + [float(ribbon.edges[-1])]
    for track, end in zip(ribbon.tracks, starts[1:], strict=True):
        # a record that began before the view keeps its name at the left edge
        left = max(float(view.x(track.frame)), 0.0) + 5 * s
        right = min(float(view.x(end)), float(view.width_px)) - 5 * s
        text = fitted(track.text, right - left, width_of) if right > left else ""
        if text:
            found.append(Label(left, y, text, TITLE_RGBA))
            taken.append((left - 6 * s, left + width_of(text) + 12 * s))
        elif 0 <= view.x(track.frame) <= view.width_px:
            taken.append((left - 9 * s, left))
    return found + _numbers(ribbon, view, band, width_of, taken, y)


def number_step(bar_px: float, least_px: float) -> int:
    """Every how many bars a number stands: 1, 2, 4, 8 ... as music counts."""
    return int(2 ** max(0, math.ceil(math.log2(least_px / max(bar_px, 1e-9)))))


def _numbers(
    ribbon: Ribbon,
    view: View,
    band: Band,
    width_of: Callable[[str], float],
    taken: Sequence[tuple[float, float]],
    y: float,
) -> list[Label]:
    bar_px = float(np.median(np.diff(ribbon.edges))) * view.px_per_frame
    step = number_step(bar_px, _NUMBER_GAP_PX * band.scale)
    first, last = (ribbon.nearest_bar(view.frame(x)) for x in (0.0, float(view.width_px)))
    found = []
    for bar in range(-(-first // step) * step, last + 1, step):
        left, text = float(view.x(ribbon.edges[bar])) + 3 * band.scale, str(bar + 1)
        right = left + width_of(text)
        if left < 0 or any(left < end and right > start for start, end in taken):
            continue
        found.append(Label(left, y, text, NUMBER_RGBA))
    return found


def fitted(text: str, room_px: float, width_of: Callable[[str], float]) -> str:
    """The text, or as much of it as there is room for; empty where less than three letters fit."""
    if width_of(text) <= room_px:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if width_of(text[:middle].rstrip() + "…") <= room_px else (low, middle - 1)
    return text[:low].rstrip() + "…" if low >= 3 else ""


class Share(NamedTuple):
    """A sub-genre in the tooltip: its column in the timeline, its name and its part."""

    genre: int
    name: str
    part: float


@dataclass(frozen=True)
class Tip:
    """What the tooltip says about a bar."""

    head: str
    shares: tuple[Share, ...]
    notes: tuple[str, ...]


def tip_of(timeline: Timeline, locked: NDArray[np.bool_], ribbon: Ribbon, bar: int) -> Tip:
    """What is known about a bar, counted from 0: the three likeliest sub-genres, doubts, and its record."""
    probs = timeline.probs[bar]
    order = np.argsort(-probs, kind="stable")[:3]
    genres = timeline.model.genres
    notes = []
    if timeline.uncertain[bar]:
        shown_as = genres[int(ribbon.look[bar])]
        notes.append(f"Uncertain, shown as {shown_as}")
    if locked[bar]:
        notes.append("Locked")
    number = next((n for n, track in enumerate(timeline.tracks) if track.start_bar <= bar < track.end_bar), None)
    if number is not None:
        track = timeline.tracks[number]
        notes.append(f"Track {number + 1}: {track.title or track.label}")
    return Tip(
        f"Bar {bar + 1} · {timeline.section[bar]} · {timeline.grid.bpm[bar]:.1f} BPM",
        tuple(Share(int(g), genres[g], float(probs[g])) for g in order if probs[g] >= 0.005),
        tuple(notes),
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
