"""The panels of the show: look, colours, the user's own scene, film. Zone: ui; draws, never computes or reads files."""

from __future__ import annotations

from typing import Any

import bpy

from ..scene.drives import drives
from ..scene.drop_strips import drop_actions
from .defaults import HOUSEX_OT_save_defaults
from .operators_drive import (
    HOUSEX_OT_change_drive,
    HOUSEX_OT_place_drop_action,
    HOUSEX_OT_remove_drive,
    HOUSEX_OT_remove_drop_action,
)
from .operators_look import HOUSEX_MT_looks, HOUSEX_OT_surprise
from .operators_render import HOUSEX_OT_render
from .operators_show import HOUSEX_OT_bake, HOUSEX_OT_build_show
from .panels import HeardPanel, HouseXPanel, draw_message, draw_progress, draw_text, everywhere
from .show import RIG
from .translations import translated


class HOUSEX_PT_look(HouseXPanel, bpy.types.Panel):
    """Colours, strengths, and the two buttons that use them."""

    bl_idname = "HOUSEX_PT_look"
    bl_label = "Show"

    def draw(self, context: Any) -> None:
        """Look settings, Build and Bake."""
        layout: Any = self.layout
        settings = context.scene.housex
        layout.use_property_split = True
        layout.use_property_decorate = False
        column = layout.column()
        column.prop(settings, "scene_kind")
        if settings.scene_kind != RIG:
            column.prop(settings, "own_scene")
        row = layout.row(align=True)
        row.menu(HOUSEX_MT_looks.bl_idname, icon="PRESET")
        row.operator(HOUSEX_OT_surprise.bl_idname, icon="FILE_REFRESH")
        column = layout.column()
        column.prop(settings, "palette")
        column = layout.column(align=True)
        for name in ("intensity", "displacement", "speed"):
            column.prop(settings, name, slider=True)
        column = layout.column(align=True)
        column.prop(settings, "attack_ms", text="Attack (ms)")
        column.prop(settings, "release_ms", text="Release (ms)")
        column = layout.column()
        column.prop(settings, "camera")
        column.prop(settings, "seed")
        column.prop(settings, "allow_flashes")
        column.prop(settings, "bake_at_once")
        row = layout.row(align=True)
        row.scale_y = 1.4
        row.operator(HOUSEX_OT_build_show.bl_idname, icon="SCENE_DATA")
        row.operator(HOUSEX_OT_bake.bl_idname, icon="ACTION")
        draw_message(layout, context, "SHOW")
        layout.operator(HOUSEX_OT_save_defaults.bl_idname, icon="PREFERENCES")


class HOUSEX_PT_colours(HouseXPanel, bpy.types.Panel):
    """Three colours and a character for every sub-genre."""

    bl_idname = "HOUSEX_PT_colours"
    bl_label = "Colors"
    bl_parent_id = HOUSEX_PT_look.bl_idname
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012 - Blender reads it as it is

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only once there are pickers: with the first timeline, or the first choice of a palette."""
        return bool(len(context.scene.housex.colours))

    def draw(self, context: Any) -> None:
        """A row of three pickers and the character for each."""
        layout: Any = self.layout
        column = layout.column(align=True)
        for row in context.scene.housex.colours:
            split = column.split(factor=0.48)
            split.label(text=row.name, translate=False)
            split = split.split(factor=0.46, align=True)
            pickers = split.row(align=True)
            for name in ("colour_a", "colour_b", "colour_c"):
                pickers.prop(row, name, text="")
            split.prop(row, "character", text="")


class HOUSEX_PT_own(HeardPanel, bpy.types.Panel):
    """What of the user's follows the mix."""

    bl_idname = "HOUSEX_PT_own"
    bl_label = "Your Own Scene"
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012 - Blender reads it as it is

    def draw(self, context: Any) -> None:
        """Driven properties, then the drop action."""
        layout: Any = self.layout
        scene = context.scene
        settings = scene.housex
        driven = drives(scene)
        if not driven:
            draw_text(layout, context, translated("Right-click any property and choose Drive by Mix"), "INFO")
        column = layout.column(align=True)
        for drive in driven:
            row = column.row(align=True)
            row.label(text=f"{drive.label}: {drive.channel}", icon="DECORATE_ANIMATE", translate=False)
            row.operator(HOUSEX_OT_change_drive.bl_idname, text="", icon="OPTIONS").number = drive.number
            row.operator(HOUSEX_OT_remove_drive.bl_idname, text="", icon="X").number = drive.number
        layout.separator()
        layout.label(text="An action of yours at every drop:")
        for owner, action in drop_actions(scene):
            layout.label(text=f"{owner.name}: {action.name}", icon="ACTION", translate=False)
        column = layout.column()
        column.use_property_split = True
        column.use_property_decorate = False
        column.prop(settings, "drop_object")
        column.prop(settings, "drop_action")
        column.prop(settings, "drop_phrase")
        row = layout.row(align=True)
        row.operator(HOUSEX_OT_place_drop_action.bl_idname, icon="NLA_PUSHDOWN")
        row.operator(HOUSEX_OT_remove_drop_action.bl_idname, text="", icon="X")
        draw_message(layout, context, "OWN")


class HOUSEX_PT_film(HouseXPanel, bpy.types.Panel):
    """Engine, quality and the film."""

    bl_idname = "HOUSEX_PT_film"
    bl_label = "Film"

    def draw(self, context: Any) -> None:
        """Render settings and progress."""
        layout: Any = self.layout
        scene = context.scene
        settings = scene.housex
        layout.use_property_split = True
        layout.use_property_decorate = False
        column = layout.column()
        column.prop(settings, "engine")
        column.prop(settings, "quality")
        column.prop(settings, "format")
        column = layout.column(align=True)
        column.prop(scene.render, "resolution_x", text="Resolution X")
        column.prop(scene.render, "resolution_y", text="Y")
        column.prop(scene.render, "resolution_percentage", text="%")
        column = layout.column(align=True)
        column.prop(scene, "frame_start", text="Frame Start")
        column.prop(scene, "frame_end", text="End")
        column = layout.column()
        column.prop(settings, "titles")
        if settings.titles:
            column.prop(settings, "titles_path")
        column.prop(settings, "alpha")
        column.prop(settings, "film_path")
        column.prop(settings, "keep_frames")
        column.prop(settings, "resume")
        if context.window_manager.housex.busy == "RENDER":
            draw_progress(layout, context)
        else:
            row = layout.row()
            row.scale_y = 1.4
            row.operator(HOUSEX_OT_render.bl_idname, icon="RENDER_ANIMATION")
        draw_message(layout, context, "FILM")


CLASSES = everywhere(HOUSEX_PT_look, HOUSEX_PT_colours, HOUSEX_PT_own, HOUSEX_PT_film)
