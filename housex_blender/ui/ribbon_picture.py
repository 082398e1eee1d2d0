"""The coloured areas of the ribbon, from the lowest to the topmost. Zone: ui; no bpy.

Areas are quads of four corners, because triangles of them draw everything in one batch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .ribbon_layout import Band, Level, Ribbon, Span, View, level_in, marked_runs, runs, visible

Floats = NDArray[np.float64]
_LINE_FROM_PX = 7.0
_HATCH_PX = 7.0
_LOCK_PX = 9.0
_CROWDED_PX = 18.0
_GROUND_RGBA = (0.09, 0.09, 0.09, 0.92)
_LINE_RGBA = (0.0, 0.0, 0.0, 0.55)
_TRACK_RGBA = (0.95, 0.95, 0.95, 1.0)
_DROP_RGBA = (1.0, 0.82, 0.25, 1.0)
_LOCK_RGBA = (1.0, 1.0, 1.0, 1.0)
_DOUBT_RGBA = (0.16, 0.16, 0.16, 0.5)
_HATCH_RGBA = (0.85, 0.85, 0.85, 0.5)
_FADE_RGBA = (1.0, 1.0, 1.0, 0.16)
_SELECTION_RGBA = (1.0, 0.56, 0.13, 1.0)
# in the order of SECTIONS: intro, build, drop, break, outro
_SECTION_GREY = np.array([0.34, 0.62, 0.96, 0.46, 0.28])


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


def _colour_rows(ribbon: Ribbon, level: Level, x: Floats, band: Band) -> Quads:
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


def _sections(level: Level, x: Floats, band: Band) -> Quads:
    """Energy as height, the part of the track as brightness."""
    low, high = band.sections
    grey = _SECTION_GREY[level.section]
    tops = np.round(low + (high - low) * (0.2 + 0.8 * np.clip(level.energy, 0.0, 1.0)))
    cuts = runs(level.section, tops)
    at = cuts[:-1]
    rgba = np.column_stack([grey[at], grey[at], grey[at], np.ones(len(at))])
    return boxes(x[at], low, x[cuts[1:]], tops[at], rgba)


def _hatching(level: Level, x: Floats, view: View, band: Band) -> Quads:
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


def _locks(level: Level, x: Floats, band: Band) -> Quads:
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
