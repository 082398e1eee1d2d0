"""Settings with which a new scene begins, kept in the preferences. Zone: ui."""

from __future__ import annotations

import json
from typing import Any

import bpy

from ..core.manners import CHARACTERS
from .engine_settings import stored_preferences
from .palette_rows import OWN, SLOT_NAMES, characters_of, fill_characters, row_of

# what belongs to one mix or to one scene is no default
_KEPT = (
    "palette", "intensity", "displacement", "speed", "attack_ms", "release_ms", "camera", "engine", "quality",
    "alpha",
    "keep_frames", "build_when_done", "own_scene", "bake_at_once", "scene_kind", "drop_phrase",
)  # fmt: skip


def settings_text(settings: Any) -> str:
    """The settings that make a default, as JSON."""
    values = {name: getattr(settings, name) for name in _KEPT}
    if settings.palette == OWN:
        values["colours"] = {row.name: [list(getattr(row, slot)) for slot in SLOT_NAMES] for row in settings.colours}
    values["characters"] = characters_of(settings)
    return json.dumps(values)


def apply_defaults(context: Any, settings: Any) -> None:
    """Give a scene in which nothing was done yet the defaults of the preferences, if there are any."""
    stored = stored_preferences(context)
    if stored is not None and stored.defaults:
        apply_text(settings, stored.defaults)


def apply_text(settings: Any, text: str) -> None:
    """Put what :func:`settings_text` wrote into a scene; what this version does not know is left out."""
    values: dict[str, Any] = json.loads(text)
    for name, row in values.pop("colours", {}).items():
        colours = row_of(settings, name)
        for slot, rgb in zip(SLOT_NAMES, row, strict=True):
            setattr(colours, slot, rgb)
    known_ones = values.pop("characters", {}).items()
    fill_characters(settings, {genre: character for genre, character in known_ones if character in CHARACTERS})
    for name, value in values.items():
        prop = settings.bl_rna.properties.get(name)
        known = prop is not None and name in _KEPT
        if known and (prop.type != "ENUM" or value in prop.enum_items):
            setattr(settings, name, value)


class HOUSEX_OT_save_defaults(bpy.types.Operator):
    """Let every new scene begin with the look and the render settings of this one"""

    bl_idname = "housex.save_defaults"
    bl_label = "Use for New Scenes"

    @classmethod
    def poll(cls, context: Any) -> bool:
        """There must be preferences to keep them in."""
        if stored_preferences(context) is None:
            cls.poll_message_set("Only the installed extension has preferences")
            return False
        return True

    def execute(self, context: Any) -> set[Any]:
        """Write them into the preferences."""
        stored_preferences(context).defaults = settings_text(context.scene.housex)
        context.preferences.is_dirty = True
        self.report({"INFO"}, "New scenes begin with these settings")
        return {"FINISHED"}


class HOUSEX_OT_reset_defaults(bpy.types.Operator):
    """Let new scenes begin as they do without settings of yours"""

    bl_idname = "housex.reset_defaults"
    bl_label = "Reset Defaults"

    @classmethod
    def poll(cls, context: Any) -> bool:
        """There must be something to forget."""
        stored = stored_preferences(context)
        if stored is None or not stored.defaults:
            cls.poll_message_set("No settings were kept for new scenes")
            return False
        return True

    def execute(self, context: Any) -> set[Any]:
        """Forget them."""
        stored_preferences(context).defaults = ""
        context.preferences.is_dirty = True
        return {"FINISHED"}


CLASSES = (HOUSEX_OT_save_defaults, HOUSEX_OT_reset_defaults)
