"""The panels, their buttons, the ribbon and the preferences. Zone: ui; starts the analysis as a process."""

import atexit
import contextlib

import bpy

from . import (
    defaults,
    error_dialog,
    handlers,
    menus,
    operators_analyze,
    operators_bars,
    operators_drive,
    operators_edit,
    operators_files,
    operators_look,
    operators_render,
    operators_ribbon,
    operators_show,
    panels,
    panels_show,
    preferences,
    properties,
    ribbon,
    session,
    translations,
)

# what is named by a property or a panel comes before it; unregistering walks back
CLASSES = (
    *properties.CLASSES,
    *preferences.CLASSES,
    *operators_analyze.CLASSES,
    *defaults.CLASSES,
    *operators_edit.CLASSES,
    *operators_bars.CLASSES,
    *operators_show.CLASSES,
    *operators_look.CLASSES,
    *operators_drive.CLASSES,
    *operators_files.CLASSES,
    *operators_render.CLASSES,
    *operators_ribbon.CLASSES,
    *menus.CLASSES,
    *panels.CLASSES,
    *panels_show.CLASSES,
)
# what hangs itself into Blender besides classes, in this order; taken out in the opposite one
ATTACHED = (properties, handlers, ribbon, operators_ribbon, operators_drive, menus, translations)


def register() -> None:
    """Make everything known to Blender."""
    with contextlib.ExitStack() as undo:
        for cls in CLASSES:
            bpy.utils.register_class(cls)
            undo.callback(bpy.utils.unregister_class, cls)
        for part in ATTACHED:
            part.attach()
            undo.callback(part.detach)
        atexit.register(session.close_all)
        # nothing went wrong: keep it all
        undo.pop_all()


def unregister() -> None:
    """End what runs, then take everything back in the opposite order."""
    atexit.unregister(session.close_all)
    session.close_all()
    error_dialog.forget_error()
    for part in reversed(ATTACHED):
        part.detach()
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
