"""What happens when a file is opened or saved, and after undo. Zone: ui."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import bpy
from bpy.app.handlers import persistent

from ..core.errors import HouseXError
from ..core.timeline import Timeline
from ..scene.rig import OWNED
from . import palette_rows
from .job_operator import say
from .places import PATH_PROPERTIES, absolute, relative_to
from .shown import Shown, forget_all, go_back, shown, take
from .summary import grid_note, summary_lines, track_lines


def own_scenes() -> list[Any]:
    """The scenes of this file; those linked from others are left alone."""
    return [scene for scene in bpy.data.scenes if scene.library is None]


def reload(scene: Any) -> None:
    """Read the timeline that a scene names, and say in the panel what is in it now; no file is written."""
    settings = scene.housex
    settings.mix_problem, settings.timeline_problem = missing_mix(settings), ""
    name_built_scene(scene)
    if not settings.timeline_path:
        return
    path = absolute(settings.timeline_path)
    try:
        # scenes that show one file share one state: undo would write the file once for each of them
        taken = shown(scene) or take(path, Timeline.load(path))
    except HouseXError as error:
        settings.timeline_problem, settings.state = str(error), 0
        return
    describe_timeline(settings, taken)


def name_built_scene(scene: Any) -> None:
    """Let the panel name the scene that a file holds, if the file was made without the panel and says nothing of it."""
    settings = scene.housex
    if settings.is_property_set("scene_kind"):
        return
    marks = [collection.get(OWNED) for collection in scene.collection.children]
    kinds = settings.bl_rna.properties["scene_kind"].enum_items.keys()
    built = next((mark for mark in marks if mark in kinds), None)
    if built is not None:
        settings.scene_kind = built


def describe_timeline(settings: Any, taken: Shown) -> None:
    """Write into a scene's settings what its panel says of a timeline."""
    timeline = taken.stored
    settings.summary = "\n".join(summary_lines(taken.timeline))
    settings.grid_note = grid_note(taken.timeline)
    settings.tracks = "\n".join(track_lines(taken.timeline))
    settings.edits, settings.state = len(timeline.edits), taken.state
    settings.conflicts = "\n".join(taken.conflicts)
    settings.mix_problem, settings.timeline_problem = missing_mix(settings), ""
    # the note about the grid says it already, or it was corrected since
    settings.warnings = "\n".join(text for text in timeline.warnings if text != timeline.grid_message)
    if not len(settings.colours):
        palette_rows.fill(settings)


def missing_mix(settings: Any) -> str:
    """A sentence if the mix is gone from where it was; else empty."""
    if not settings.mix_path or os.path.isfile(absolute(settings.mix_path)):
        return ""
    return f"The mix {absolute(settings.mix_path).name} is not where it was."


@persistent
def after_load(_file: str) -> None:
    """A .blend was opened."""
    forget_all()
    for scene in own_scenes():
        reload(scene)


@persistent
def after_undo(*_arguments: Any) -> None:
    """Undo and redo reach the timeline file: the .blend remembers which of its states belongs to each step."""
    for scene in own_scenes():
        try:
            go_back(scene)
        except HouseXError as error:
            say(bpy.context, str(error), "ERROR")


# absolute paths while a file is being written under another name
_KEPT: dict[str, dict[str, str]] = {}


@persistent
def before_save(file: str) -> None:
    """Paths are written as seen from where the file goes, if they were relative before."""
    _KEPT.clear()
    if not file:
        return
    wanted = bpy.context.preferences.filepaths.use_relative_paths
    for scene in own_scenes():
        for name in PATH_PROPERTIES:
            text = getattr(scene.housex, name)
            # a file that is saved for the first time has only absolute ones yet
            if text.startswith("//") or (text and wanted and not bpy.data.filepath):
                _KEPT.setdefault(scene.name, {})[name] = str(absolute(text))
                setattr(scene.housex, name, relative_to(absolute(text), Path(file).parent))


@persistent
def after_save(_file: str) -> None:
    """In memory they are seen from where the open file is: after Save Copy that is another folder."""
    for scene in own_scenes():
        for name, path in _KEPT.get(scene.name, {}).items():
            here = Path(bpy.data.filepath).parent if bpy.data.filepath else None
            text = relative_to(Path(path), here) if here else path
            if getattr(scene.housex, name) != text:
                setattr(scene.housex, name, text)
    _KEPT.clear()


_HANDLERS = (
    ("load_post", after_load),
    ("undo_post", after_undo),
    ("redo_post", after_undo),
    ("save_pre", before_save),
    ("save_post", after_save),
    ("save_post_fail", after_save),
)


def _look_at_open_file() -> None:
    """The extension was enabled or updated while a file is open."""
    for scene in own_scenes():
        if shown(scene) is None:
            reload(scene)


def attach() -> None:
    """Listen to Blender."""
    for name, function in _HANDLERS:
        getattr(bpy.app.handlers, name).append(function)
    if not bpy.app.background:
        # a moment later: while an extension is enabled, Blender hides its data; without a window no moment comes
        bpy.app.timers.register(_look_at_open_file, first_interval=0.0)


def detach() -> None:
    """Stop listening."""
    if bpy.app.timers.is_registered(_look_at_open_file):
        bpy.app.timers.unregister(_look_at_open_file)
    for name, function in _HANDLERS:
        getattr(bpy.app.handlers, name).remove(function)
    forget_all()
