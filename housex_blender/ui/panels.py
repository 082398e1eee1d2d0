"""The tab "HouseX" in the sidebar of the 3D view. Zone: ui; draws, never computes or reads files."""

import textwrap
from typing import Any

import bpy

from .operators_analyze import HOUSEX_OT_analyze_mix, HOUSEX_OT_cancel, HOUSEX_OT_choose_mix, HOUSEX_OT_load_timeline
from .operators_edit import (
    HOUSEX_OT_clear_grid_edits,
    HOUSEX_OT_correct_grid,
    HOUSEX_OT_tap,
    HOUSEX_OT_undo_edit,
    HOUSEX_OT_use_taps,
)
from .operators_render import HOUSEX_OT_render
from .operators_show import HOUSEX_OT_bake, HOUSEX_OT_build_tunnel
from .properties import PALETTE_FILE


def draw_text(layout: Any, context: Any, text: str, icon: str = "NONE") -> None:
    """A sentence over as many lines as the sidebar's width asks for: labels do not wrap by themselves."""
    scale = context.preferences.system.ui_scale or 1.0  # 0 without a window
    width = context.region.width if context.region is not None else 260
    column = layout.column(align=True)
    column.scale_y = 0.8
    lines = textwrap.wrap(text, max(16, int((width / scale - 60) / 6.2)), break_long_words=True)
    for index, line in enumerate(lines):
        column.label(text=line, icon=icon if index == 0 else ("BLANK1" if icon != "NONE" else "NONE"))


def draw_message(layout: Any, context: Any, panel: str) -> None:
    """The last message, in the panel it belongs to."""
    status = context.window_manager.housex
    if status.message and status.message_panel == panel:
        draw_text(layout, context, status.message, status.message_icon)


def draw_progress(layout: Any, context: Any) -> None:
    """Bar, stage, time left and the Cancel button."""
    status = context.window_manager.housex
    column = layout.column(align=True)
    known = status.fraction >= 0
    text = f"{status.fraction:.0%}" if known else status.stage
    if known and status.time_left:
        text = f"{text}, {status.time_left}"
    if known:
        column.label(text=status.stage)
    column.progress(factor=max(status.fraction, 0.0), text=text, type="BAR")
    column.operator(HOUSEX_OT_cancel.bl_idname, icon="CANCEL")


def draw_summary(column: Any, lines: list[str]) -> None:
    """What was heard; a line "Name  40%" becomes a bar."""
    for line in lines:
        _name, _, share = line.partition("  ")
        if share.endswith("%"):
            column.progress(factor=int(share[:-1]) / 100, text=line, type="BAR")
        else:
            column.label(text=line)


class HouseXPanel:
    """Where every panel of ours lives."""

    bl_space_type: Any = "VIEW_3D"
    bl_region_type: Any = "UI"
    bl_category = "HouseX"


class HOUSEX_PT_mix(HouseXPanel, bpy.types.Panel):
    """Mix in, timeline out."""

    bl_idname = "HOUSEX_PT_mix"
    bl_label = "Mix"

    def draw(self, context: Any) -> None:
        """File, buttons, progress and what was heard."""
        layout: Any = self.layout
        settings = context.scene.housex
        status = context.window_manager.housex
        row = layout.row(align=True)
        row.prop(settings, "mix_path", text="", placeholder="A recorded mix")
        row.operator(HOUSEX_OT_choose_mix.bl_idname, text="", icon="FILE_FOLDER")
        if status.busy == "ANALYSIS":
            draw_progress(layout, context)
        else:
            column = layout.column(align=True)
            row = column.row(align=True)
            row.scale_y = 1.4
            row.operator(HOUSEX_OT_analyze_mix.bl_idname, icon="PLAY_SOUND")
            column.operator(HOUSEX_OT_load_timeline.bl_idname, icon="IMPORT")
            layout.prop(settings, "bpm")
            layout.prop(settings, "build_when_done")
        draw_message(layout, context, "MIX")
        if settings.summary:
            draw_summary(layout.box().column(align=True), settings.summary.split("\n"))
        if settings.grid_note:
            draw_text(layout, context, settings.grid_note, "ERROR")
        for warning in filter(None, settings.warnings.split("\n")):
            draw_text(layout, context, warning, "ERROR")


class HOUSEX_PT_tracks(HouseXPanel, bpy.types.Panel):
    """The records in the mix."""

    bl_idname = "HOUSEX_PT_tracks"
    bl_label = "Tracks"
    bl_parent_id = HOUSEX_PT_mix.bl_idname
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012 - Blender reads it as it is

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only where something was heard."""
        return bool(context.scene.housex.tracks)

    def draw(self, context: Any) -> None:
        """Each with its start and what it sounds like."""
        layout: Any = self.layout
        for line in context.scene.housex.tracks.split("\n"):
            name, _, sentence = line.partition("\t")
            column = layout.column(align=True)
            column.label(text=name)
            if sentence:
                draw_text(column, context, sentence, "BLANK1")


class HOUSEX_PT_grid(HouseXPanel, bpy.types.Panel):
    """Corrections of beats and bars."""

    bl_idname = "HOUSEX_PT_grid"
    bl_label = "Beats"
    bl_parent_id = HOUSEX_PT_mix.bl_idname
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012 - Blender reads it as it is

    def draw(self, context: Any) -> None:
        """Buttons that work from the current frame on."""
        layout: Any = self.layout
        status = context.window_manager.housex
        layout.label(text="From the current frame on:")
        row = layout.row(align=True)
        for op, text in (("halve", "Halve"), ("double", "Double")):
            row.operator(HOUSEX_OT_correct_grid.bl_idname, text=text).op = op
        layout.label(text="Nudge by beats, from there on:")
        row = layout.row(align=True)
        for beats, text in ((-1.0, "◀ 1"), (-0.5, "◀ ½"), (0.5, "½ ▶"), (1.0, "1 ▶")):
            button = row.operator(HOUSEX_OT_correct_grid.bl_idname, text=text)
            button.op, button.beats = "nudge", beats
        layout.label(text="Tempo by hand, while it plays:")
        row = layout.row(align=True)
        row.operator(HOUSEX_OT_tap.bl_idname)
        row.operator(HOUSEX_OT_use_taps.bl_idname)
        row = layout.row(align=True)
        row.operator(HOUSEX_OT_undo_edit.bl_idname, icon="LOOP_BACK")
        row.operator(HOUSEX_OT_clear_grid_edits.bl_idname, icon="X")
        # below the buttons, so that none of them moves under the pointer
        if status.taps_line:
            draw_text(layout, context, status.taps_line)
        count = context.scene.housex.edits
        if count:
            layout.label(text=f"{count} correction{'s' * (count != 1)} by hand")
        draw_message(layout, context, "GRID")


class HOUSEX_PT_look(HouseXPanel, bpy.types.Panel):
    """Colours, strengths, and the two buttons that use them."""

    bl_idname = "HOUSEX_PT_look"
    bl_label = "Show"

    def draw(self, context: Any) -> None:
        """Look settings, Build Tunnel and Bake."""
        layout: Any = self.layout
        settings = context.scene.housex
        layout.use_property_split = True
        layout.use_property_decorate = False
        column = layout.column()
        column.prop(settings, "palette")
        if settings.palette == PALETTE_FILE:
            column.prop(settings, "palette_file", text="File")
        column = layout.column(align=True)
        for name in ("intensity", "displacement", "speed"):
            column.prop(settings, name, slider=True)
        column = layout.column(align=True)
        column.prop(settings, "attack_ms", text="Attack (ms)")
        column.prop(settings, "release_ms", text="Release (ms)")
        layout.prop(settings, "seed")
        layout.prop(settings, "own_scene")
        row = layout.row(align=True)
        row.scale_y = 1.4
        row.operator(HOUSEX_OT_build_tunnel.bl_idname, icon="SCENE_DATA")
        row.operator(HOUSEX_OT_bake.bl_idname, icon="ACTION")
        draw_message(layout, context, "SHOW")


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
        column = layout.column(align=True)
        column.prop(scene.render, "resolution_x", text="Resolution X")
        column.prop(scene.render, "resolution_y", text="Y")
        column.prop(scene.render, "resolution_percentage", text="%")
        column = layout.column(align=True)
        column.prop(scene, "frame_start", text="Frame Start")
        column.prop(scene, "frame_end", text="End")
        column = layout.column()
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


CLASSES = (HOUSEX_PT_mix, HOUSEX_PT_tracks, HOUSEX_PT_grid, HOUSEX_PT_look, HOUSEX_PT_film)
