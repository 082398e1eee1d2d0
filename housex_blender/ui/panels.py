"""The tab "HouseX" in the sidebars of the 3D view and the Sequencer. Zone: ui; draws, never computes or reads files."""

from __future__ import annotations

import textwrap
from typing import Any

import bpy

from .error_dialog import draw_error_buttons
from .operators_analyze import (
    HOUSEX_OT_analyze_mix,
    HOUSEX_OT_cancel,
    HOUSEX_OT_choose_mix,
    HOUSEX_OT_load_timeline,
)
from .operators_bars import (
    HOUSEX_OT_clear_bars,
    HOUSEX_OT_join_track,
    HOUSEX_OT_lock_bars,
    HOUSEX_OT_move_track,
    HOUSEX_OT_next_doubtful,
    HOUSEX_OT_select_bars,
    HOUSEX_OT_set_genre,
    HOUSEX_OT_set_section,
    HOUSEX_OT_split_track,
    HOUSEX_OT_unlock_bars,
)
from .operators_edit import (
    HOUSEX_OT_clear_grid_edits,
    HOUSEX_OT_correct_grid,
    HOUSEX_OT_tap,
    HOUSEX_OT_undo_edit,
    HOUSEX_OT_use_taps,
)
from .operators_files import (
    HOUSEX_MT_export,
    HOUSEX_OT_click_track,
    HOUSEX_OT_find_mix,
    HOUSEX_OT_import_timing,
    HOUSEX_OT_mix_from_strip,
    HOUSEX_OT_open_demo,
)
from .shown import shown
from .translations import CONTEXT


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
        if status.message_icon == "ERROR":
            draw_error_buttons(layout, context)


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
    """Where every panel of ours lives; :func:`everywhere` makes its twin in the Sequencer."""

    bl_space_type: Any = "VIEW_3D"
    bl_region_type: Any = "UI"
    bl_category = "HouseX"
    bl_translation_context = CONTEXT


class HeardPanel(HouseXPanel):
    """A panel about what was heard."""

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only where something was heard."""
        return bool(context.scene.housex.timeline_path)


def everywhere(*classes: type[Any]) -> tuple[type[Any], ...]:
    """Each panel for the 3D view, and the same for the Sequencer's sidebar."""
    return (*classes, *(_in_sequencer(cls) for cls in classes))


def _in_sequencer(cls: type[Any]) -> type[Any]:
    # a copy, no subclass: Blender draws nothing in a panel whose class has a registered subclass
    values = {name: value for name, value in vars(cls).items() if name not in ("__dict__", "__weakref__")}
    values |= {"bl_idname": _twin(cls.bl_idname), "bl_space_type": "SEQUENCE_EDITOR"}
    if getattr(cls, "bl_parent_id", ""):
        values["bl_parent_id"] = _twin(cls.bl_parent_id)
    return type(values["bl_idname"], cls.__bases__, values)


def _twin(name: str) -> str:
    return name.replace("HOUSEX_PT_", "HOUSEX_PT_seq_")


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
        row.operator(HOUSEX_OT_mix_from_strip.bl_idname, text="", icon="SEQUENCE")
        if settings.mix_problem:
            draw_text(layout, context, settings.mix_problem, "ERROR")
            layout.operator(HOUSEX_OT_find_mix.bl_idname, icon="VIEWZOOM")
        if settings.timeline_problem:
            draw_text(layout, context, settings.timeline_problem, "ERROR")
        if status.busy == "ANALYSIS":
            draw_progress(layout, context)
        else:
            column = layout.column(align=True)
            row = column.row(align=True)
            row.scale_y = 1.4
            row.operator(HOUSEX_OT_analyze_mix.bl_idname, icon="PLAY_SOUND")
            column.operator(HOUSEX_OT_load_timeline.bl_idname, icon="IMPORT")
            if not settings.mix_path:
                column.operator(HOUSEX_OT_open_demo.bl_idname, icon="LIGHT")
            layout.prop(settings, "bpm")
            layout.prop(settings, "build_when_done")
        draw_message(layout, context, "MIX")
        if settings.summary:
            draw_summary(layout.box().column(align=True), settings.summary.split("\n"))
        if settings.grid_note:
            draw_text(layout, context, settings.grid_note, "ERROR")
        for warning in filter(None, [*settings.warnings.split("\n"), *settings.conflicts.split("\n")]):
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
        layout.operator(HOUSEX_OT_click_track.bl_idname, icon="SPEAKER")
        # below the buttons, so that none of them moves under the pointer
        if status.taps_line:
            draw_text(layout, context, status.taps_line)
        count = context.scene.housex.edits
        if count:
            layout.label(text=f"{count} correction{'s' * (count != 1)} by hand")
        draw_message(layout, context, "GRID")


class HOUSEX_PT_bars(HeardPanel, bpy.types.Panel):
    """What the selected bars are."""

    bl_idname = "HOUSEX_PT_bars"
    bl_label = "Bars"
    bl_parent_id = HOUSEX_PT_mix.bl_idname
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012 - Blender reads it as it is

    def draw(self, context: Any) -> None:
        """Selection, and what can be done to it."""
        layout: Any = self.layout
        settings, what = context.scene.housex, shown(context.scene)
        row = layout.row(align=True)
        row.prop(settings, "select_first", text="Bars", text_ctxt=CONTEXT)
        row.prop(settings, "select_last", text="to", text_ctxt=CONTEXT)
        row.operator_menu_enum(HOUSEX_OT_select_bars.bl_idname, "what", text="", icon="DOWNARROW_HLT")
        if not settings.select_first:
            layout.label(text="None selected: the current bar")
        column = layout.column(align=True)
        column.operator_menu_enum(HOUSEX_OT_set_genre.bl_idname, "genre", icon="COLOR")
        column.operator_menu_enum(HOUSEX_OT_set_section.bl_idname, "section", icon="NLA")
        row = column.row(align=True)
        row.operator(HOUSEX_OT_lock_bars.bl_idname, icon="LOCKED")
        row.operator(HOUSEX_OT_unlock_bars.bl_idname, icon="UNLOCKED")
        row.operator(HOUSEX_OT_clear_bars.bl_idname, icon="X")
        layout.operator(HOUSEX_OT_next_doubtful.bl_idname, icon="FORWARD")
        column = layout.column(align=True)
        column.operator(HOUSEX_OT_move_track.bl_idname, text="Move Track Change Here", icon="ARROW_LEFTRIGHT")
        row = column.row(align=True)
        row.operator(HOUSEX_OT_split_track.bl_idname)
        row.operator(HOUSEX_OT_join_track.bl_idname)
        if what is not None and what.locked.any():
            layout.label(text=f"{int(what.locked.sum())} bars are locked", icon="LOCKED")
        draw_message(layout, context, "BARS")


class HOUSEX_PT_timing(HeardPanel, bpy.types.Panel):
    """Files of other programs."""

    bl_idname = "HOUSEX_PT_timing"
    bl_label = "Import and Export"
    bl_parent_id = HOUSEX_PT_mix.bl_idname
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012 - Blender reads it as it is

    def draw(self, _context: Any) -> None:
        """One button in, one menu out."""
        layout: Any = self.layout
        layout.operator(HOUSEX_OT_import_timing.bl_idname, icon="IMPORT")
        layout.menu(HOUSEX_MT_export.bl_idname, icon="EXPORT")


CLASSES = everywhere(HOUSEX_PT_mix, HOUSEX_PT_tracks, HOUSEX_PT_bars, HOUSEX_PT_grid, HOUSEX_PT_timing)
