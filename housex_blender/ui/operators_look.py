"""Looks: save, load, and a variation by seed. Zone: ui."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty, IntProperty, StringProperty

from ..core.errors import HouseXError
from ..core.looks import LOOK_ENDING, load_look, look_names, save_look
from ..core.variations import surprise
from . import show
from .job_operator import redraw, say
from .operators_analyze import not_busy
from .places import absolute, user_folder
from .report import fail
from .translations import CONTEXT

_LOOKS = "looks"


def looks_folder() -> Path:
    """Where the user's own looks are kept; made if need be."""
    folder = user_folder() / _LOOKS
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def own_looks() -> list[Path]:
    """The user's own looks, by name; read when a menu opens, and nothing is made for it."""
    folder = user_folder(create=False) / _LOOKS
    return sorted(folder.glob(f"*{LOOK_ENDING}"), key=lambda path: path.name.lower())


class LookOperator:
    """Mixin: changes the look of the scene; the keys follow at once if so wished."""

    bl_options: Any = {"REGISTER", "UNDO"}  # noqa: RUF012 - Blender reads it as it is

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Not while something runs."""
        return not_busy(cls, context)  # type: ignore[arg-type]

    def changed(self, context: Any, done: str) -> set[Any]:
        """The look is in the panel: key it if there is a show."""
        scene = context.scene
        try:
            if show.has_show(scene) and scene.housex.bake_at_once:
                done = f"{done}. {show.bake(context, scene)}"
        except HouseXError as error:
            return fail(self, context, error, "SHOW")
        say(context, done, "CHECKMARK", "SHOW")
        self.report({"INFO"}, done)  # type: ignore[attr-defined]
        redraw(context)
        return {"FINISHED"}


class HOUSEX_OT_load_look(LookOperator, bpy.types.Operator):
    """Take colors and strengths from a look that was saved"""

    bl_idname = "housex.load_look"
    bl_label = "Load Look"

    name: StringProperty(  # type: ignore[valid-type]
        name="Name", description="A look that came along; empty for a file", options={"SKIP_SAVE"}
    )
    filepath: StringProperty(subtype="FILE_PATH", options={"HIDDEN", "SKIP_SAVE"})  # type: ignore[valid-type]
    filter_glob: StringProperty(default="*.json", options={"HIDDEN"})  # type: ignore[valid-type]

    def invoke(self, context: Any, _event: bpy.types.Event) -> set[Any]:
        """Open the file browser unless a look was named."""
        if self.name or self.filepath:
            return self.execute(context)
        self.filepath = str(looks_folder()) + "/"
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: Any) -> set[Any]:
        """Put it into the panel."""
        try:
            look = load_look(self.name or str(absolute(self.filepath)))
        except HouseXError as error:
            return fail(self, context, error, "SHOW")
        show.take_look(context.scene.housex, look)
        title = self.name or absolute(self.filepath).name.removesuffix(LOOK_ENDING)
        return self.changed(context, f"Look: {title.title() if self.name else title}")


class HOUSEX_OT_save_look(LookOperator, bpy.types.Operator):
    """Save colors and strengths as a look, for other scenes and other people"""

    bl_idname = "housex.save_look"
    bl_label = "Save Look"
    bl_options: Any = {"REGISTER"}  # noqa: RUF012 - Blender reads it as it is

    filepath: StringProperty(subtype="FILE_PATH", options={"HIDDEN", "SKIP_SAVE"})  # type: ignore[valid-type]
    filter_glob: StringProperty(default=f"*{LOOK_ENDING}", options={"HIDDEN"})  # type: ignore[valid-type]
    check_existing: BoolProperty(default=True, options={"HIDDEN"})  # type: ignore[valid-type]

    def invoke(self, context: Any, _event: bpy.types.Event) -> set[Any]:
        """Open the file browser in the folder of the user's looks."""
        if not self.filepath:
            self.filepath = str(looks_folder() / f"my look{LOOK_ENDING}")
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: Any) -> set[Any]:
        """Write the file."""
        path = absolute(self.filepath)
        path = path.with_name(path.name.removesuffix(LOOK_ENDING).removesuffix(".json") + LOOK_ENDING)
        try:
            save_look(path, show.look_of(context.scene.housex))
        except HouseXError as error:
            return fail(self, context, error, "SHOW")
        self.report({"INFO"}, f"Saved {path.name}")
        return {"FINISHED"}


class HOUSEX_OT_surprise(LookOperator, bpy.types.Operator):
    """Another variation of the look: who plays which color, how fast, how strong. The same seed gives the same one"""

    bl_idname = "housex.surprise"
    bl_label = "Surprise Me"

    seed: IntProperty(  # type: ignore[valid-type]
        name="Seed", description="Number of the variation; 0 draws one", min=0, max=99999, options={"SKIP_SAVE"}
    )

    def invoke(self, context: Any, _event: bpy.types.Event) -> set[Any]:
        """Draw a number; the redo panel shows it."""
        self.seed = random.SystemRandom().randint(1, 99999)
        return self.execute(context)

    def execute(self, context: Any) -> set[Any]:
        """Vary the palette and strengths."""
        settings = context.scene.housex
        seed = self.seed or random.SystemRandom().randint(1, 99999)
        show.take_look(settings, surprise(show.look_of(settings), seed))
        return self.changed(context, f"Variation {seed}")


class HOUSEX_MT_looks(bpy.types.Menu):
    """Looks that came along, the user's own, and files"""

    bl_idname = "HOUSEX_MT_looks"
    bl_label = "Looks"
    bl_translation_context = CONTEXT

    def draw(self, _context: Any) -> None:
        """One line per look."""
        layout: Any = self.layout
        for name in look_names():
            # in our own words: in Blender's, Clear is to remove something
            layout.operator(HOUSEX_OT_load_look.bl_idname, text=name.title(), text_ctxt=CONTEXT).name = name
        own = own_looks()
        if own:
            layout.separator()
        for path in own:
            title = path.name.removesuffix(LOOK_ENDING)
            layout.operator(HOUSEX_OT_load_look.bl_idname, text=title).filepath = str(path)
        layout.separator()
        layout.operator(HOUSEX_OT_load_look.bl_idname, text="From a File…", icon="FILE_FOLDER")
        layout.operator(HOUSEX_OT_save_look.bl_idname, text="Save…", icon="FILE_TICK")


CLASSES = (HOUSEX_OT_load_look, HOUSEX_OT_save_look, HOUSEX_OT_surprise, HOUSEX_MT_looks)
