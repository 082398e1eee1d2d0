"""What the pointer does on the ribbon: show a bar's tooltip, select bars, move track changes, open a menu. Zone: ui.

These operators look at every event over the editors that show time, and hand on whatever is not over the ribbon.
"""

from __future__ import annotations

from typing import Any

import bpy

from ..core.timeline import SECTIONS
from .job_operator import redraw, tag_areas
from .operators_bars import go_to_bar
from .ribbon import EDITORS, STATE, Place, place_of
from .ribbon_layout import GRIP_PX, Span, extended, line_at, move_limits, span_between
from .selection import select, selected
from .shown import shown
from .translations import CONTEXT

_DRAG_PX = 3
# a pointer that leaves the window sends no event
_TIP_STAYS_S = 8.0
_PASS = {"PASS_THROUGH"}
_KEYMAPS = {
    "SEQUENCE_EDITOR": "Sequencer",
    "DOPESHEET_EDITOR": "Dopesheet",
    "NLA_EDITOR": "NLA Editor",
    "GRAPH_EDITOR": "Graph Editor",
}
_added: list[tuple[Any, Any]] = []


def _over_ribbon(context: Any, event: Any) -> Place | None:
    """The ribbon under the pointer, or None."""
    place = place_of(context)
    if place is None or not 0 <= event.mouse_region_x < context.region.width:
        return None
    return place if place.band.holds(event.mouse_region_y) else None


def _bar_under(place: Place, event: Any) -> int | None:
    return place.ribbon.bar_at(place.view.frame(event.mouse_region_x))


def _choose(context: Any, place: Place, span: Span | None) -> None:
    """Select bars, and show it, if that is a change."""
    if selected(place.scene, place.what) != span:
        select(place.scene, span)
        redraw(context)


def show_tip(context: Any, tip: tuple[int, int, float, float] | None) -> None:
    """Show, move or hide the tooltip; redraws only if that is a change."""
    if tip == STATE.tip:
        return
    STATE.tip = tip
    tag_areas(context, EDITORS, "WINDOW")
    if bpy.app.timers.is_registered(_forget_tip):
        bpy.app.timers.unregister(_forget_tip)
    if tip is not None:
        bpy.app.timers.register(_forget_tip, first_interval=_TIP_STAYS_S)


def _forget_tip() -> None:
    show_tip(bpy.context, None)


class HOUSEX_OT_ribbon_hover(bpy.types.Operator):
    """Show what is known about the bar under the pointer"""

    bl_idname = "housex.ribbon_hover"
    bl_label = "Look at the Ribbon"
    bl_options = {"INTERNAL"}  # noqa: RUF012 - Blender reads it as it is

    def invoke(self, context: Any, event: Any) -> set[Any]:
        """Never takes the event."""
        place = _over_ribbon(context, event) if context.region is not None else None
        bar = _bar_under(place, event) if place is not None else None
        if place is None or bar is None:
            show_tip(context, None)
        else:
            # in steps, so that a moving pointer does not redraw the editor each time
            x = event.mouse_region_x // 8 * 8.0
            show_tip(context, (context.region.as_pointer(), bar, x, place.band.bottom))
        return _PASS


class HOUSEX_OT_ribbon_leave(bpy.types.Operator):
    """Hide the tooltip when the pointer has left the editor"""

    bl_idname = "housex.ribbon_leave"
    bl_label = "Leave the Ribbon"
    bl_options = {"INTERNAL"}  # noqa: RUF012 - Blender reads it as it is

    @classmethod
    def poll(cls, _context: Any) -> bool:
        """Only while there is one."""
        return STATE.tip is not None

    def invoke(self, context: Any, _event: Any) -> set[Any]:
        """Hide it unless the pointer is over an editor with a ribbon, which looks after it itself."""
        area = context.area
        if area is None or area.type not in EDITORS or context.region is None or context.region.type != "WINDOW":
            show_tip(context, None)
        return _PASS


class HOUSEX_OT_ribbon(bpy.types.Operator):
    """Select bars: drag over them, Shift extends. Drag the start of a track to move it"""

    bl_idname = "housex.ribbon"
    bl_label = "Select Bars in the Ribbon"
    bl_options = {"INTERNAL"}  # noqa: RUF012 - Blender reads it as it is

    _anchor = 0
    _before: Span | None = None
    _track: int | None = None
    _start_x = 0
    _dragged = False

    def invoke(self, context: Any, event: Any) -> set[Any]:
        """Begin a drag if the pointer is over the ribbon."""
        place = _over_ribbon(context, event)
        if place is None:
            return _PASS
        show_tip(context, None)
        bar = _bar_under(place, event)
        self._before, self._start_x, self._dragged = selected(place.scene, place.what), event.mouse_region_x, False
        self._track = self._grabbed(place, event)
        if self._track is None:
            if bar is None:
                _choose(context, place, None)
                return {"FINISHED"}
            if event.value == "DOUBLE_CLICK":
                _choose(context, place, (bar, bar + 1))
                go_to_bar(place.scene, place.what, bar)
                return {"FINISHED"}
            self._begin(context, place, bar, event.shift)
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def _grabbed(self, place: Place, event: Any) -> int | None:
        """The track change that this press takes hold of: with Ctrl the nearest, else one right under the pointer."""
        grip_px = float("inf") if event.ctrl else GRIP_PX * place.band.scale
        return line_at(place.ribbon, place.view, event.mouse_region_x, grip_px)

    def _begin(self, context: Any, place: Place, bar: int, shift: bool) -> None:
        self._anchor, span = extended(self._before if shift else None, bar)
        _choose(context, place, span)

    def modal(self, context: Any, event: Any) -> set[Any]:
        """Follow the pointer until the button is let go; Esc and the right button take it back."""
        place = place_of(context)
        if place is None or event.type in {"ESC", "RIGHTMOUSE"}:
            return self._end(context, place, back=True)
        if event.type == "LEFTMOUSE" and event.value == "RELEASE":
            return self._end(context, place, back=False, event=event)
        if event.type in {"MOUSEMOVE", "INBETWEEN_MOUSEMOVE"}:
            self._follow(context, place, event)
        return {"RUNNING_MODAL"}

    def _follow(self, context: Any, place: Place, event: Any) -> None:
        if not self._dragged and abs(event.mouse_region_x - self._start_x) < _DRAG_PX * place.band.scale:
            return
        frame = place.view.frame(event.mouse_region_x)
        if self._track is None:
            self._dragged = True
            _choose(context, place, span_between(self._anchor, place.ribbon.nearest_bar(frame)))
            return
        if not self._dragged:
            self._dragged = True
            context.window.cursor_modal_set("MOVE_X")
        first, last = move_limits(place.ribbon, self._track)
        bar = min(max(place.ribbon.nearest_line(frame), first), last)
        STATE.moving = (self._track, bar)
        show_tip(context, (context.region.as_pointer(), bar, float(event.mouse_region_x), place.band.bottom))

    def _end(self, context: Any, place: Place | None, back: bool, event: Any = None) -> set[Any]:
        moving, STATE.moving = STATE.moving, None
        if self._track is not None and self._dragged:
            context.window.cursor_modal_restore()
            show_tip(context, None)
        tag_areas(context, EDITORS, "WINDOW")
        if place is None or back:
            if place is not None:
                _choose(context, place, self._before)
            return {"CANCELLED"}
        if moving is not None:
            return self._move(place, *moving)
        if not self._dragged:
            self._click(context, place, event)
        return {"FINISHED"}

    def _click(self, context: Any, place: Place, event: Any) -> None:
        """A press without a drag: the second one on a bar that alone is selected clears."""
        bar = _bar_under(place, event)
        if self._track is not None and bar is not None:
            self._begin(context, place, bar, event.shift)
        if bar is not None and not event.shift and self._before == (bar, bar + 1):
            _choose(context, place, None)

    def _move(self, place: Place, track: int, bar: int) -> set[Any]:
        operators: Any = bpy.ops
        if place.ribbon.tracks[track].bar == bar or not operators.housex.move_track.poll():
            return {"CANCELLED"}
        try:
            # with its own undo step
            answer = operators.housex.move_track("EXEC_DEFAULT", True, number=track + 1, to_bar=bar + 1)
        except RuntimeError as error:
            self.report({"ERROR"}, str(error).removeprefix("Error: ").strip())
            return {"CANCELLED"}
        return set(answer)

    def cancel(self, context: Any) -> None:
        """Blender ends it: another file is loaded, or the window closes."""
        STATE.moving = STATE.tip = None


class HOUSEX_OT_ribbon_menu(bpy.types.Operator):
    """Open the menu of the bar under the pointer"""

    bl_idname = "housex.ribbon_menu"
    bl_label = "Ribbon Menu"
    bl_options = {"INTERNAL"}  # noqa: RUF012 - Blender reads it as it is

    def invoke(self, context: Any, event: Any) -> set[Any]:
        """A bar that is not selected is, first."""
        place = _over_ribbon(context, event)
        if place is None:
            return _PASS
        show_tip(context, None)
        bar, span = _bar_under(place, event), selected(place.scene, place.what)
        if bar is not None and (span is None or not span[0] <= bar < span[1]):
            _choose(context, place, (bar, bar + 1))
        bpy.ops.wm.call_menu(name="HOUSEX_MT_ribbon")
        return {"FINISHED"}


class HOUSEX_OT_ribbon_clear(bpy.types.Operator):
    """Select no bar"""

    bl_idname = "housex.ribbon_clear"
    bl_label = "Select None in the Ribbon"
    bl_options = {"INTERNAL"}  # noqa: RUF012 - Blender reads it as it is

    def invoke(self, context: Any, event: Any) -> set[Any]:
        """Only with the pointer over the ribbon: elsewhere the key belongs to the editor."""
        place = _over_ribbon(context, event)
        if place is None:
            return _PASS
        _choose(context, place, None)
        return {"FINISHED"}


class HOUSEX_MT_ribbon_genre(bpy.types.Menu):
    """The model's sub-genres."""

    bl_label = "Set Genre"

    def draw(self, context: Any) -> None:
        """One button each."""
        what = shown(context.scene)
        for genre in what.timeline.model.genres if what is not None else ():
            self.layout.operator("housex.set_genre", text=genre, translate=False).genre = genre


class HOUSEX_MT_ribbon_section(bpy.types.Menu):
    """The parts of a track."""

    bl_label = "Set Section"

    def draw(self, _context: Any) -> None:
        """One button each."""
        for section in SECTIONS:
            self.layout.operator("housex.set_section", text=section.title(), text_ctxt=CONTEXT).section = section


class HOUSEX_MT_ribbon(bpy.types.Menu):
    """What can be done with the selected bars."""

    bl_label = "HouseX Bars"

    def draw(self, _context: Any) -> None:
        """Corrections, then the way to the next doubt."""
        layout = self.layout
        layout.menu("HOUSEX_MT_ribbon_genre")
        layout.menu("HOUSEX_MT_ribbon_section")
        layout.separator()
        layout.operator("housex.lock_bars", icon="LOCKED")
        layout.operator("housex.unlock_bars", icon="UNLOCKED")
        layout.operator("housex.clear_bars", icon="X")
        layout.separator()
        layout.operator("housex.next_doubtful")


CLASSES = (
    HOUSEX_OT_ribbon_hover,
    HOUSEX_OT_ribbon_leave,
    HOUSEX_OT_ribbon,
    HOUSEX_OT_ribbon_menu,
    HOUSEX_OT_ribbon_clear,
    HOUSEX_MT_ribbon_genre,
    HOUSEX_MT_ribbon_section,
    HOUSEX_MT_ribbon,
)


def attach() -> None:
    """Add the keymap items; background mode has no keymaps."""
    config: Any = bpy.context.window_manager.keyconfigs.addon
    if config is None:
        return
    for editor, name in _KEYMAPS.items():
        keymap = config.keymaps.new(name=name, space_type=editor, region_type="WINDOW")
        for operator, kind, value, keys in (
            ("housex.ribbon_hover", "MOUSEMOVE", "ANY", {"any": True}),
            ("housex.ribbon", "LEFTMOUSE", "PRESS", {}),
            ("housex.ribbon", "LEFTMOUSE", "PRESS", {"shift": True}),
            ("housex.ribbon", "LEFTMOUSE", "PRESS", {"ctrl": True}),
            ("housex.ribbon", "LEFTMOUSE", "DOUBLE_CLICK", {}),
            ("housex.ribbon_menu", "RIGHTMOUSE", "PRESS", {}),
            ("housex.ribbon_clear", "A", "PRESS", {"alt": True}),
        ):
            _added.append((keymap, keymap.keymap_items.new(operator, kind, value, head=True, **keys)))
    keymap = config.keymaps.new(name="Window", space_type="EMPTY", region_type="WINDOW")
    _added.append((keymap, keymap.keymap_items.new("housex.ribbon_leave", "MOUSEMOVE", "ANY", any=True)))


def detach() -> None:
    """Take them back."""
    for keymap, item in _added:
        keymap.keymap_items.remove(item)
    _added.clear()
    if bpy.app.timers.is_registered(_forget_tip):
        bpy.app.timers.unregister(_forget_tip)
