"""The panel, its buttons and the preferences. Zone: ui; imports core and scene, starts analysis as a process."""

import atexit

import bpy

from . import (
    operators_analyze,
    operators_edit,
    operators_render,
    operators_show,
    panels,
    preferences,
    properties,
    session,
)

# what is named by a property or a panel comes before it; unregistering walks back
CLASSES = (
    *properties.CLASSES,
    *preferences.CLASSES,
    *operators_analyze.CLASSES,
    *operators_edit.CLASSES,
    *operators_show.CLASSES,
    *operators_render.CLASSES,
    *panels.CLASSES,
)


def register() -> None:
    """Make everything known to Blender."""
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    properties.attach()
    atexit.register(session.close_all)


def unregister() -> None:
    """End what runs, then take everything back in the opposite order."""
    atexit.unregister(session.close_all)
    session.close_all()
    properties.detach()
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
