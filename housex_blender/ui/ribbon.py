"""The ribbon: a mix's bars in their colours, drawn in the editors that show time. Zone: ui.

Nothing is read from disk or worked out anew while drawing: what a timeline looks like is kept until it or its colours
change, and what a region shows of it until it scrolls.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import blf
import bpy
import gpu
import numpy as np
from bpy.props import BoolProperty
from gpu_extras.batch import batch_for_shader

from ..scene import compat
from . import show
from .job_operator import say, tag_areas
from .palette_rows import colours_of
from .ribbon_layout import Band, Ribbon, View, band_in, ribbon_of
from .ribbon_picture import Quads, boxes, joined, moved_line, picture, selection_outline
from .ribbon_words import Label, Tip, fitted, labels, tip_of
from .selection import selected
from .shown import Shown, shown

# editor -> whether the ribbon hangs below the ruler; rows of keys begin there, so it stands at the lower edge of those
EDITORS = {"SEQUENCE_EDITOR": True, "GRAPH_EDITOR": True, "DOPESHEET_EDITOR": False, "NLA_EDITOR": False}
_SPACES = ("SpaceSequenceEditor", "SpaceDopeSheetEditor", "SpaceNLA", "SpaceGraphEditor")
_MENUS = ("SEQUENCER_MT_view", "DOPESHEET_MT_view", "TIME_MT_view", "NLA_MT_view", "GRAPH_MT_view")
# as Blender lays its editors out, times the interface scale
_RULER_PX = 23.0
_SCROLL_BAR_PX = 14.0
_MARKERS_PX = 42.0
_TEXT_PX = 11.0
_FONT = 0
_KEPT = 8


@dataclass(frozen=True)
class Place:
    """A ribbon in a region."""

    scene: Any
    what: Shown
    ribbon: Ribbon
    view: View
    band: Band


@dataclass
class _State:
    """What the pointer does; nothing of Blender's own is kept here.

    Attributes:
        tip: (region, bar, x, y) under the pointer, or None.
        moving: (track, bar) of the track change that is dragged.
        problem: Why the ribbon went out, once drawing it has failed.
    """

    tip: tuple[int, int, float, float] | None = None
    moving: tuple[int, int] | None = None
    problem: str = ""
    handles: list[tuple[Any, Any]] = field(default_factory=list)


STATE = _State()
_Ribbons = list[tuple["weakref.ref[Shown]", tuple[float, bytes], Ribbon]]
_ribbons: _Ribbons = []
# (ribbon, view, band) -> what is drawn of it
_drawn: list[tuple[Ribbon, View, Band, Any, list[Label]]] = []


def ribbon_for(scene: Any, what: Shown) -> Ribbon:
    """The ribbon of what a scene shows; laid out again only if timeline, colours or frame rate changed."""
    colours = colours_of(scene.housex, what.timeline.model.genres)
    key = (show.rate_of(scene), colours.tobytes())
    for kept, same, ribbon in _ribbons:
        if kept() is what and same == key:
            return ribbon
    ribbon = ribbon_of(what.timeline, what.locked, colours, key[0], show.FIRST_FRAME)
    _ribbons[:] = [(weakref.ref(what), key, ribbon), *(item for item in _ribbons if item[0]() is not None)][:_KEPT]
    return ribbon


def _shows_time(area: Any) -> bool:
    """Whether frames run from left to right in this editor as it is set."""
    space = area.spaces.active
    if area.type == "SEQUENCE_EDITOR":
        return bool(space.view_type != "PREVIEW")
    return area.type in EDITORS and not (area.type == "GRAPH_EDITOR" and space.mode == "DRIVERS")


def _scene_of(context: Any) -> Any:
    """The scene whose frames the editor shows, or None: a Sequencer may show another scene than its window."""
    if context.area.type == "SEQUENCE_EDITOR":
        other = compat.sequencer_scene(context)
        return context.scene if other in (None, context.scene) else None
    return context.scene


def band_of(area: Any, region: Any, scene: Any, scale: float) -> Band | None:
    """Where the ribbon lies in the main region of an editor; None if that is too low."""
    markers = getattr(area.spaces.active, "show_markers", True) and len(scene.timeline_markers)
    low_px = (_MARKERS_PX if markers else _SCROLL_BAR_PX) * scale
    return band_in(low_px, region.height - _RULER_PX * scale, scale, EDITORS[area.type])


def place_of(context: Any) -> Place | None:
    """The ribbon in the region of a context, or None where none is drawn."""
    area, region = context.area, context.region
    if area is None or region is None or region.type != "WINDOW" or not is_on(context) or not _shows_time(area):
        return None
    scene = _scene_of(context)
    what = shown(scene) if scene is not None else None
    if what is None:
        return None
    band = band_of(area, region, scene, float(context.preferences.system.ui_scale))
    left, right = (region.view2d.region_to_view(x, 0)[0] for x in (0, region.width))
    if band is None or right <= left:
        return None
    view = View(left, region.width / (right - left), region.width)
    return Place(scene, what, ribbon_for(scene, what), view, band)


def is_on(context: Any) -> bool:
    """Whether the ribbon is wanted, and drawing it works."""
    return context.window_manager.housex_ribbon and not STATE.problem


# -- drawing ---------------------------------------------------------------------------------------------------


def draw() -> None:
    """What Blender calls after a region's content; a failure turns the ribbon off instead of filling the console."""
    if STATE.problem:
        return
    try:
        place = place_of(bpy.context)
        if place is not None:
            _draw(bpy.context, place)
    except Exception as error:  # noqa: BLE001 - whatever it is, it would come again with every redraw
        STATE.problem = f"The ribbon was turned off: {type(error).__name__}: {error}"
        # properties cannot be written while drawing
        bpy.app.timers.register(_say_problem, first_interval=0.0)


def _say_problem() -> None:
    say(bpy.context, STATE.problem, "ERROR")


def _draw(context: Any, place: Place) -> None:
    blf.size(_FONT, _TEXT_PX * place.band.scale)
    batch, words = _content(place)
    _fill(batch)
    over = _overlay(place)
    if len(over.corners):
        _fill(_batch(over))
    _write(words)
    if STATE.tip is not None and STATE.tip[0] == context.region.as_pointer():
        _draw_tip(context.region, place, *STATE.tip[1:])


def _fill(batch: Any) -> None:
    # words that were drawn before turn it off
    gpu.state.blend_set("ALPHA")
    batch.draw(_shader())
    gpu.state.blend_set("NONE")


def _content(place: Place) -> tuple[Any, list[Label]]:
    """Areas and words, as drawn the last time if the region has not moved."""
    for ribbon, view, band, batch, words in _drawn:
        if ribbon is place.ribbon and view == place.view and band == place.band:
            return batch, words
    batch = _batch(picture(place.ribbon, place.view, place.band))
    words = labels(place.ribbon, place.view, place.band, _width_of)
    _drawn[:] = [(place.ribbon, place.view, place.band, batch, words), *_drawn][:_KEPT]
    return batch, words


def _overlay(place: Place) -> Quads:
    parts = []
    span = selected(place.scene, place.what)
    if span is not None:
        parts.append(selection_outline(place.ribbon, span, place.view, place.band))
    if STATE.moving is not None:
        parts.append(moved_line(place.ribbon, STATE.moving[1], place.view, place.band))
    return joined(parts)


def _shader() -> Any:
    return gpu.shader.from_builtin("SMOOTH_COLOR")


def _batch(quads: Quads) -> Any:
    first = np.arange(len(quads.corners), dtype=np.int32)[:, None, None] * 4
    triangles = (first + np.array([[0, 1, 2], [0, 2, 3]], np.int32)).reshape(-1, 3)
    content: Any = {"pos": quads.corners.reshape(-1, 2), "color": np.repeat(quads.rgba, 4, axis=0)}
    return batch_for_shader(_shader(), "TRIS", content, indices=triangles)


def _width_of(text: str) -> float:
    return float(blf.dimensions(_FONT, text)[0])


def _write(words: list[Label]) -> None:
    for label in words:
        blf.color(_FONT, *label.rgba)
        blf.position(_FONT, label.x, label.y, 0)
        blf.draw(_FONT, label.text)


def _draw_tip(region: Any, place: Place, bar: int, x: float, y: float) -> None:
    if bar >= place.ribbon.n_bars:
        return
    tip = tip_of(place.what.timeline, place.what.locked, place.ribbon, bar)
    if STATE.moving is not None:
        track, to_bar = STATE.moving
        tip = Tip(f"Track {track + 1} begins at bar {to_bar + 1}", (), ())
    panel, words = tip_layout(tip, place, (x, y), (region.width, region.height), _width_of)
    _fill(_batch(panel))
    _write(words)


def tip_layout(
    tip: Tip, place: Place, pointer: tuple[float, float], room: tuple[int, int], width_of: Callable[[str], float]
) -> tuple[Quads, list[Label]]:
    """Box, chips and words of the tooltip: beside the ribbon, inside the region."""
    s = place.band.scale
    line, pad, chip = 17 * s, 8 * s, 9 * s
    rows = [f"{share.name}  {share.part:.0%}" for share in tip.shares]
    indent = 3 * (chip + 1 * s) + 6 * s
    widths = [width_of(tip.head), *(indent + width_of(row) for row in rows), *map(width_of, tip.notes)]
    width = min(max(widths) + 2 * pad, room[0] - 4 * s)
    height = line * (1 + len(rows) + len(tip.notes)) + 2 * pad - 5 * s
    left = min(max(pointer[0] + 14 * s, 2 * s), room[0] - width - 2 * s)
    below = place.band.bottom - 6 * s - height
    bottom = below if below >= 0 else min(place.band.top + 6 * s, room[1] - height - 2 * s)
    y = bottom + height - pad - 9 * s
    areas = [
        boxes(left - s, bottom - s, left + width + s, bottom + height + s, (0.25, 0.25, 0.25, 1.0)),
        boxes(left, bottom, left + width, bottom + height, (0.1, 0.1, 0.1, 0.97)),
    ]
    words = [Label(left + pad, y, tip.head, (1.0, 1.0, 1.0, 1.0))]
    for share, row in zip(tip.shares, rows, strict=True):
        y -= line
        at = left + pad + np.arange(3) * (chip + s)
        colours = np.column_stack([place.ribbon.colours_srgb[share.genre], np.ones(3)])
        areas.append(boxes(left + pad - s, y - 2 * s, left + pad + 3 * (chip + s), y + chip, (0.4, 0.4, 0.4, 1.0)))
        areas.append(boxes(at, y - s, at + chip, y + chip - s, colours))
        words.append(Label(left + pad + indent, y, row, (0.86, 0.86, 0.86, 1.0)))
    for note in tip.notes:
        y -= line
        words.append(Label(left + pad, y, fitted(note, width - 2 * pad, width_of), (0.66, 0.66, 0.66, 1.0)))
    return joined(areas), words


# -- switching on and off --------------------------------------------------------------------------------------


def _switched(_manager: Any, context: Any) -> None:
    STATE.problem, STATE.tip = "", None
    tag_areas(context, EDITORS, "WINDOW")


def _draw_switch(menu: Any, context: Any) -> None:
    menu.layout.separator()
    menu.layout.prop(context.window_manager, "housex_ribbon")


def attach() -> None:
    """Define the switch, put it into the View menus, and draw wherever there is a window."""
    manager: Any = bpy.types.WindowManager
    manager.housex_ribbon = BoolProperty(  # type: ignore[func-returns-value]
        name="HouseX Ribbon",
        description="Show the bars of the mix in their colors along the time",
        default=True,
        update=_switched,
    )
    for name in _MENUS:
        getattr(bpy.types, name).append(_draw_switch)
    if bpy.app.background:
        return
    for name in _SPACES:
        space = getattr(bpy.types, name)
        STATE.handles.append((space, space.draw_handler_add(draw, (), "WINDOW", "POST_PIXEL")))


def detach() -> None:
    """Take all of it back."""
    for space, handle in STATE.handles:
        space.draw_handler_remove(handle, "WINDOW")
    for name in _MENUS:
        getattr(bpy.types, name).remove(_draw_switch)
    STATE.handles, STATE.tip, STATE.moving, STATE.problem = [], None, None, ""
    _ribbons.clear()
    _drawn.clear()
    manager: Any = bpy.types.WindowManager
    del manager.housex_ribbon
