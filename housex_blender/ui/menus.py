"""Our submenu in the 3D view and the Sequencer, where Blender's search (F3) finds every command. Zone: ui."""

from __future__ import annotations

from typing import Any

import bpy

from .translations import CONTEXT

# groups of commands, in the order of the work
_COMMANDS = (
    ("housex.choose_mix", "housex.mix_from_strip", "housex.analyze_mix", "housex.cancel", "housex.load_timeline",
     "housex.open_demo"),
    ("housex.build_show", "housex.bake", "housex.surprise", "housex.load_look", "housex.save_look", "housex.render"),
    ("housex.next_doubtful", "housex.lock_bars", "housex.unlock_bars", "housex.clear_bars", "housex.move_track",
     "housex.split_track", "housex.join_track"),
    ("housex.tap", "housex.use_taps", "housex.undo_edit", "housex.clear_grid_edits", "housex.click_track"),
    ("housex.find_mix", "housex.import_timing", "housex.show_error"),
)  # fmt: skip
_CHOICES = (("housex.set_genre", "genre"), ("housex.set_section", "section"), ("housex.select_bars", "what"))
_PLACES = ("VIEW3D_MT_view", "SEQUENCER_MT_strip")


class HOUSEX_MT_commands(bpy.types.Menu):
    """Everything that the HouseX tab of the sidebar can do"""

    bl_idname = "HOUSEX_MT_commands"
    bl_label = "HouseX"
    bl_translation_context = CONTEXT

    def draw(self, _context: Any) -> None:
        """Groups of commands, then the choices."""
        layout: Any = self.layout
        layout.operator_context = "INVOKE_DEFAULT"
        for group in _COMMANDS:
            for name in group:
                layout.operator(name)
            layout.separator()
        for name, choice in _CHOICES:
            layout.operator_menu_enum(name, choice)
        layout.menu("HOUSEX_MT_export")


def draw_submenu(menu: Any, _context: Any) -> None:
    """The entry that opens the submenu."""
    menu.layout.separator()
    menu.layout.menu(HOUSEX_MT_commands.bl_idname)


CLASSES = (HOUSEX_MT_commands,)


def attach() -> None:
    """Put the submenu into Blender's menus."""
    for name in _PLACES:
        getattr(bpy.types, name).append(draw_submenu)


def detach() -> None:
    """Take it out again."""
    for name in _PLACES:
        getattr(bpy.types, name).remove(draw_submenu)
