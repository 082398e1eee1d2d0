"""Our words in other languages. Zone: ui."""

from __future__ import annotations

import bpy

_NAME = __package__ or "housex"
WORDS: dict[str, dict[tuple[str, str], str]] = {}


def attach() -> None:
    """Give Blender our dictionary."""
    bpy.app.translations.register(_NAME, WORDS)


def detach() -> None:
    """Take it back."""
    bpy.app.translations.unregister(_NAME)
