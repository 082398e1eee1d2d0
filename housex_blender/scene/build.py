"""Builds a whole show in a scene, and saves it. Zone: bpy."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import bpy

from ..core.errors import SceneError
from ..core.keys import KeyTrack
from . import lagoon, stage, tunnel
from .bindings import forget, is_remembered, recall, remember
from .compat import is_part
from .drives import forget_deleted, set_aside, take_up, write_drives
from .pictures import set_frame_rate
from .rig import OWNED, SceneHandles, build_rig, check_channels, find_show, write_channels
from .shots import remember_cameras, renew_cuts, set_aside_cuts, take_up_cuts


def build_rig_only(scene: bpy.types.Scene, *, seed: int = 0, detail: str = "draft") -> SceneHandles:
    """No geometry: only "HX Show", for people who drive a scene of their own from it."""
    return SceneHandles()


# Every kind of scene: what it needs and who builds it.
SCENE_KINDS: dict[str, tuple[tuple[str, ...], Callable[..., SceneHandles]]] = {
    "tunnel": (tunnel.CHANNELS, tunnel.build_tunnel),
    "stage": (stage.CHANNELS, stage.build_stage),
    "lagoon": (lagoon.CHANNELS, lagoon.build_lagoon),
    "rig": ((), build_rig_only),
}


def build_show(
    scene: bpy.types.Scene,
    channels: Mapping[str, KeyTrack],
    *,
    scene_kind: str = "tunnel",
    fps: float = 30.0,
    n_frames: int | None = None,
    seed: int = 0,
    detail: str = "draft",
) -> SceneHandles:
    """Build the scene, bind every channel and write all keys. Building again replaces what we built before.

    Properties of the user's that follow a channel are keyed too. Curves that became the user's stay as they are and
    are listed in ``kept`` of the handles, as is what follows a channel on parts that this scene does not have: it
    waits for a build that has them. Cuts of the user's show the new cameras; where every cut was deleted, the next
    ones are written as if none had been taken away.

    Args:
        scene: Blender scene; the user's own objects in it are left alone.
        channels: Name -> keys in scene frames.
        scene_kind: One of SCENE_KINDS.
        fps: Frame rate, may be fractional such as 23.976.
        n_frames: Length; frame 1 is the first. None takes the last key.
        seed: Chooses what is left to chance: plates, crowd, stones.
        detail: "draft", "preview" or "final" amount of geometry.

    Raises:
        SceneError: Unknown kind or detail, or channels that do not fit; the scene is unchanged then.
    """
    if scene_kind not in SCENE_KINDS:
        raise SceneError(f"There is no scene called {scene_kind!r}.", f"Use {' or '.join(SCENE_KINDS)}.")
    if detail not in tunnel.DETAILS:
        raise SceneError(f"There is no detail called {detail!r}.", f"Use {', '.join(tunnel.DETAILS)}.")
    if not channels:
        raise SceneError("There are no channels to show.", "Analyze a mix first.")
    needs, builder = SCENE_KINDS[scene_kind]
    check_channels(channels, needs)
    if n_frames is None:
        n_frames = int(max(float(track.frames[-1]) for track in channels.values()))
    if n_frames < 1:
        raise SceneError("A show needs at least one frame.")
    known = is_remembered(find_show(scene))
    renew_cuts(scene)
    forget_deleted(scene)
    if scene_kind != "rig":
        clear_show(scene)
    handles = builder(scene, seed=seed, detail=detail)
    if scene_kind == "rig" and known:
        keep_bindings(scene, channels, handles)
    show = build_rig(scene, channels, handles)
    set_frame_rate(scene, fps)
    scene.frame_start, scene.frame_end = 1, n_frames
    keys = write_channels(handles, channels, take_over=not known)
    remember(show, handles)
    if scene_kind != "rig":
        # a scene of the user's may hold what an earlier build cut between
        remember_cameras(show, handles.cameras)
        take_up_cuts(scene)
    lost = take_up(show)
    driven = write_drives(scene, channels, fps)
    handles.keys, handles.kept = keys + driven.keys, [*handles.kept, *driven.kept, *lost]
    scene.frame_set(scene.frame_start)
    return handles


def keep_bindings(scene: bpy.types.Scene, channels: Mapping[str, KeyTrack], handles: SceneHandles) -> None:
    """Go on keying what an earlier build bound besides "HX Show", as far as there are channels for it."""
    show = find_show(scene)
    for name, bound in recall(show).bindings.items():
        others = [one for one in bound if one.id != show]
        if others and name in channels:
            handles.bindings.setdefault(name, []).extend(others)


def clear_show(scene: bpy.types.Scene) -> None:
    """Remove what an earlier build left in this scene; objects that the user put among ours move to the scene."""
    release(scene)
    top = next((child for child in scene.collection.children if child.get(OWNED)), None)
    if top is None:
        return
    for collection in [top, *top.children_recursive]:
        for thing in list(collection.objects):
            if thing.get(OWNED):
                remove_object(thing)
            elif collection.get(OWNED):
                collection.objects.unlink(thing)
                if thing.name not in scene.collection.objects:
                    scene.collection.objects.link(thing)
    for collection in [*top.children_recursive, top]:
        if collection.get(OWNED):
            bpy.data.collections.remove(collection)


def release(scene: bpy.types.Scene) -> None:
    """Let go of all that is about to be removed: what "HX Show" points at could not be freed."""
    show = find_show(scene)
    if show is None:
        return
    set_aside_cuts(scene)
    remember_cameras(show, {})
    forget(show)
    doomed: set[Any] = set()
    for thing in scene.objects:
        if is_part(thing):
            doomed |= {thing, thing.data, getattr(thing.data, "shape_keys", None)}
    if scene.world is not None and scene.world.get(OWNED):
        scene.world = None
    set_aside(show, doomed - {None})


def remove_object(thing: Any) -> None:
    """Delete one of our objects with its mesh, curve, camera or light and their actions."""
    data = thing.data
    keys = getattr(data, "shape_keys", None)
    actions = [
        owner.animation_data.action
        for owner in (thing, data, keys)
        if owner is not None and owner.animation_data is not None and owner.animation_data.action
    ]
    bpy.data.objects.remove(thing)
    if data is not None and data.users == 0:
        bpy.data.batch_remove([data])
    for action in actions:
        if action.users == 0:
            bpy.data.actions.remove(action)


def new_scene(name: str = "HouseX") -> bpy.types.Scene:
    """A new, empty, dark scene, shown in the current window if there is one."""
    scene = bpy.data.scenes.new(name)
    window = bpy.context.window
    if window is not None:
        window.scene = scene
    return scene


def save_blend(path: str | os.PathLike[str]) -> Path:
    """Save the open file, compressed and with the sounds' paths relative to it.

    Blender itself writes under another name and renames, so a kill never leaves half a file.

    Raises:
        SceneError: The file cannot be written.
    """
    target = Path(path).absolute()
    paths = bpy.context.preferences.filepaths
    backups, paths.save_version = paths.save_version, 0
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        bpy.ops.wm.save_as_mainfile(filepath=str(target), compress=True, relative_remap=True, check_existing=False)
        if relative_sounds(target.parent):
            bpy.ops.wm.save_as_mainfile(filepath=str(target), compress=True, check_existing=False)
    except (OSError, RuntimeError) as error:
        reason = str(error).strip().removeprefix("Error: ").rstrip(".")
        raise SceneError(
            f"The file {target.name} cannot be saved: {reason}.", "Choose another folder or free some space."
        ) from error
    finally:
        paths.save_version = backups
    return target


def save_copy(path: str | os.PathLike[str]) -> Path:
    """Write the open file under another name; the open file keeps its own name, paths and unsaved state.

    Raises:
        SceneError: The file cannot be written.
    """
    target = Path(path).absolute()
    try:
        bpy.ops.wm.save_as_mainfile(filepath=str(target), copy=True, compress=True, relative_remap=True)
    except RuntimeError as error:
        reason = str(error).strip().removeprefix("Error: ").rstrip(".")
        raise SceneError(f"A copy of the file cannot be saved: {reason}.", "Free some space.") from error
    return target


def relative_sounds(folder: Path) -> bool:
    """Make absolute sound paths relative to the saved file; True if any changed."""
    changed = False
    for sound in bpy.data.sounds:
        if sound.packed_file is None and not sound.filepath.startswith("//"):
            try:
                sound.filepath = bpy.path.relpath(sound.filepath, start=str(folder))
            except ValueError:
                continue  # another drive on Windows has no relative path
            changed = True
    return changed
