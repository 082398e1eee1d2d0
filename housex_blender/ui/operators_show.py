"""From a timeline to a scene: build and bake. Zone: ui."""

from typing import Any

import bpy

from ..core.errors import HouseXError
from . import show
from .job_operator import redraw, say
from .operators_analyze import not_busy
from .report import fail


class HOUSEX_OT_build_show(bpy.types.Operator):
    """Build the scene anew and key it; add sound and markers, set the frame range. Things of yours in it stay"""

    bl_idname = "housex.build_show"
    bl_label = "Build Show"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 - Blender reads it as it is

    @classmethod
    def poll(cls, context: Any) -> bool:
        """A timeline must be there, and nothing running."""
        if not context.scene.housex.timeline_path:
            cls.poll_message_set("Analyze the mix first, or load a timeline")
            return False
        return not_busy(cls, context)

    def execute(self, context: Any) -> set[Any]:
        """Build; building again replaces what was built."""
        try:
            timeline = show.load_for(context.scene)
            warning = show.check_mix(context.scene, timeline)
            message = show.build(context, context.scene, timeline)
        except HouseXError as error:
            return fail(self, context, error, "SHOW")
        say(context, warning or message, "ERROR" if warning else "CHECKMARK", "SHOW")
        self.report({"WARNING"} if warning else {"INFO"}, warning or message)
        redraw(context)
        return {"FINISHED"}


class HOUSEX_OT_bake(bpy.types.Operator):
    """Write our keys again with the present look and corrections, and build nothing; your objects and keys stay"""

    bl_idname = "housex.bake"
    bl_label = "Bake"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 - Blender reads it as it is

    @classmethod
    def poll(cls, context: Any) -> bool:
        """A show must be there, and nothing running."""
        if not show.has_show(context.scene):
            cls.poll_message_set("Build the show first")
            return False
        return not_busy(cls, context)

    def execute(self, context: Any) -> set[Any]:
        """Bake."""
        try:
            message = show.bake(context, context.scene)
        except HouseXError as error:
            return fail(self, context, error, "SHOW")
        say(context, message, "CHECKMARK", "SHOW")
        self.report({"INFO"}, message)
        return {"FINISHED"}


CLASSES = (HOUSEX_OT_build_show, HOUSEX_OT_bake)
