"""Corrections of the grid from the current frame on: buttons, taps, and taking them back. Zone: ui."""

from collections.abc import Callable
from typing import Any

import bpy
from bpy.props import EnumProperty, FloatProperty

from ..core.bars import frames_to_seconds
from ..core.clock import clock_text
from ..core.edits import add_edit, edit_file, without_edits, without_last_edit
from ..core.errors import HouseXError
from ..core.grid_edits import tap_tempo
from ..core.timeline import Timeline
from . import show
from .job_operator import redraw, say, status_of
from .operators_analyze import not_busy, take_timeline
from .places import absolute
from .report import fail
from .selection import select
from .shown import shown
from .translations import CONTEXT

# after a pause of this length a tap begins a new count
_PAUSE_S = 4.0


def now_s(scene: Any, part: float = 0.0) -> float:
    """Seconds of the mix at the current frame, or a part of a frame later."""
    return max(0.0, float(frames_to_seconds(scene.frame_current + part, show.rate_of(scene), show.FIRST_FRAME)))


def change(
    operator: Any, context: Any, edit: Callable[[Timeline], Timeline], done: str, panel: str = "GRID"
) -> set[Any]:
    """Change the edits in the scene's timeline file, what the panel shows of it, and the keys if so wished."""
    scene = context.scene
    path = absolute(scene.housex.timeline_path)
    before = shown(scene)
    try:
        take_timeline(scene, path, edit_file(path, edit))
        after = shown(scene)
        if before is not None and after is not None and before.timeline.grid.n_bars != after.timeline.grid.n_bars:
            select(scene, None)  # the numbers mean other bars now
    except HouseXError as error:
        return fail(operator, context, error, panel)
    try:
        if show.has_show(scene) and scene.housex.bake_at_once:
            show.bake(context, scene)
        elif show.has_show(scene):
            done = f"{done}; Bake shows it"
    except HouseXError as error:
        fail(operator, context, error, panel)
        # the correction stands in the file: without a step of its own, undo would take it back with another
        return {"FINISHED"}
    say(context, done, "CHECKMARK", panel)
    operator.report({"INFO"}, done)
    redraw(context)
    return {"FINISHED"}


class TimelineOperator:
    """Mixin: works on a timeline that was heard or loaded."""

    @classmethod
    def poll(cls, context: Any) -> bool:
        """A timeline must be there, and nothing running."""
        if not context.scene.housex.timeline_path:
            cls.poll_message_set("Analyze the mix first, or load a timeline")  # type: ignore[attr-defined]
            return False
        if context.mode.startswith("EDIT_"):
            cls.poll_message_set("Leave Edit Mode first: its undo knows nothing of the mix")  # type: ignore[attr-defined]
            return False
        return not_busy(cls, context)  # type: ignore[arg-type]


class CorrectionOperator(TimelineOperator):
    """Mixin: works on corrections that are there."""

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Something must have been corrected, or tapped."""
        if not super().poll(context):
            return False
        if not context.scene.housex.edits and not status_of(context).taps:
            cls.poll_message_set("Nothing was changed by hand")  # type: ignore[attr-defined]
            return False
        return True


class HOUSEX_OT_correct_grid(TimelineOperator, bpy.types.Operator):
    """Correct beats and bars from the current frame on; kept in the timeline file"""

    bl_idname = "housex.correct_grid"
    bl_label = "Correct Grid"
    bl_options = {"UNDO"}  # noqa: RUF012 - Blender reads it as it is

    op: EnumProperty(  # type: ignore[valid-type]
        name="Correction",
        description="What is done to the beats",
        items=[
            ("halve", "Halve", "Half as many beats from the current frame on"),
            ("double", "Double", "Twice as many beats from the current frame on"),
            ("nudge", "Nudge", "Move the bars from the current frame on"),
        ],
        translation_context=CONTEXT,
    )
    beats: FloatProperty(  # type: ignore[valid-type]
        name="Beats", description="How far to nudge, in halves of a beat", translation_context=CONTEXT
    )

    @classmethod
    def description(cls, _context: Any, properties: Any) -> str:
        """What this button does."""
        if properties.op != "nudge":
            amount = "Half" if properties.op == "halve" else "Twice"
            return f"{amount} as many beats from the current frame on"
        side = "later" if properties.beats > 0 else "earlier"
        what = "Beats and bars half a beat" if abs(properties.beats) == 0.5 else "Bars a beat"
        return f"{what} {side} from the current frame on"

    def execute(self, context: Any) -> set[Any]:
        """Add the edit."""
        edit: dict[str, Any] = {"what": "grid", "op": self.op, "from_s": round(now_s(context.scene), 5)}
        if self.op == "nudge":
            edit["value"] = round(self.beats, 3)
        done = {
            "halve": "Halved the beats",
            "double": "Doubled the beats",
            "nudge": f"Nudged by {self.beats:+g} beat{'s' * (abs(self.beats) != 1)}",
        }
        place = f"{done[self.op]} from {clock_text(edit['from_s'])} on"
        return change(self, context, lambda timeline: add_edit(timeline, edit), place)


class HOUSEX_OT_tap(TimelineOperator, bpy.types.Operator):
    """Tap on every beat while the animation plays, the first time on the one of a bar"""

    bl_idname = "housex.tap"
    bl_label = "Tap"
    bl_options = {"INTERNAL"}  # noqa: RUF012 - Blender reads it as it is

    def execute(self, context: Any) -> set[Any]:
        """Note the time; say the tempo as soon as there is one."""
        status = status_of(context)
        # on average the frame that is shown has been there for half its time
        time_s = now_s(context.scene, 0.5)
        taps = [float(text) for text in status.taps.split()]
        if taps and time_s == taps[-1]:
            self.report({"WARNING"}, "Play the animation, and tap on its beats")
            return {"CANCELLED"}
        if taps and not 0.0 < time_s - taps[-1] < _PAUSE_S:
            taps = []
        taps.append(time_s)
        status.taps = " ".join(f"{tap!r}" for tap in taps)
        try:
            line = f"{len(taps)} taps, {60.0 / tap_tempo(taps)[1]:.1f} BPM"
        except HouseXError as error:
            line = (f"{len(taps)} taps" if len(taps) > 1 else "1 tap") if len(taps) < 4 else error.message
        status.taps_line = line
        redraw(context)
        return {"FINISHED"}


class HOUSEX_OT_use_taps(TimelineOperator, bpy.types.Operator):
    """Lay bars in the tempo of the taps, from the first tap on"""

    bl_idname = "housex.use_taps"
    bl_label = "Use Taps"
    bl_options = {"UNDO"}  # noqa: RUF012 - Blender reads it as it is

    @classmethod
    def poll(cls, context: Any) -> bool:
        """There must be taps."""
        if not super().poll(context):
            return False
        if not status_of(context).taps:
            cls.poll_message_set("Play the animation, and tap on its beats")
            return False
        return True

    def execute(self, context: Any) -> set[Any]:
        """Add the edit, and forget the taps."""
        status = status_of(context)
        taps = [round(float(text), 5) for text in status.taps.split()]
        edit = {"what": "grid", "op": "tap", "from_s": taps[0] if taps else 0.0, "value": taps}
        answer = change(self, context, lambda timeline: add_edit(timeline, edit), "Took the tempo of the taps")
        if answer == {"FINISHED"}:
            status.taps = status.taps_line = ""
        return answer


class HOUSEX_OT_undo_edit(CorrectionOperator, bpy.types.Operator):
    """Take the last correction out of the timeline, in whichever session it was made"""

    bl_idname = "housex.undo_edit"
    bl_label = "Undo Last"
    bl_options = {"UNDO"}  # noqa: RUF012 - Blender reads it as it is

    def execute(self, context: Any) -> set[Any]:
        """Remove it."""
        return change(self, context, without_last_edit, "Took back the last correction")


class HOUSEX_OT_clear_grid_edits(CorrectionOperator, bpy.types.Operator):
    """Take all corrections of the grid out of the timeline file"""

    bl_idname = "housex.clear_grid_edits"
    bl_label = "Clear"
    bl_options = {"UNDO"}  # noqa: RUF012 - Blender reads it as it is

    def execute(self, context: Any) -> set[Any]:
        """Remove them, and forget the taps."""
        status = status_of(context)
        status.taps = status.taps_line = ""
        return change(self, context, lambda timeline: without_edits(timeline, "grid"), "The grid is as it was heard")


CLASSES = (
    HOUSEX_OT_correct_grid,
    HOUSEX_OT_tap,
    HOUSEX_OT_use_taps,
    HOUSEX_OT_undo_edit,
    HOUSEX_OT_clear_grid_edits,
)
