"""What a show keys, remembered in the .blend, so that it can be keyed again without building. Zone: bpy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import bpy

from ..core.errors import SceneError
from ..core.keys import KeyTrack
from .drives import write_drives
from .keyframes import remove_own_keys
from .rig import Baked, SceneHandles, add_property, bind_property, check_channels, find_show, write_channels
from .tables import living, pack_owner, read_table, resolves, root_in, unpack_owner, write_table

_BINDINGS = "bindings"


def remember(show: Any, handles: SceneHandles) -> None:
    """Store everything that a scene binds on its object "HX Show"."""
    rows = [
        {
            **pack_owner(one.id, show),
            "channel": channel,
            "path": one.data_path,
            "index": one.index,
            "gain": float(one.gain),
            "offset": float(one.offset),
            "column": one.column,
        }
        for channel, bound in handles.bindings.items()
        for one in bound
    ]
    write_table(show, _BINDINGS, rows)


def recall(show: Any) -> SceneHandles:
    """What was remembered, without anything that was deleted since."""
    rows = read_table(show, _BINDINGS)
    alive = living(root_in(row, show) for row in rows)
    handles = SceneHandles(objects={"show": show})
    for row in rows:
        owner = unpack_owner(row, show) if root_in(row, show) in alive else None
        if owner is not None and resolves(owner, row["path"]):
            handles.bind(row["channel"], owner, row["path"], row["index"], row["gain"], row["offset"], row["column"])
    return handles


def forget(show: Any) -> None:
    """Let go of every datablock, so that what nobody else uses can be removed."""
    write_table(show, _BINDINGS, [])


def is_remembered(show: Any) -> bool:
    """Whether this "HX Show" knows what it keys."""
    return bool(read_table(show, _BINDINGS))


def can_rekey(scene: bpy.types.Scene) -> bool:
    """Whether the keys of this scene can be written again without building; False for files of older versions."""
    return is_remembered(find_show(scene))


def rekey_show(scene: bpy.types.Scene, channels: Mapping[str, KeyTrack], n_frames: int | None = None) -> Baked:
    """Write all keys of a show anew and build nothing: what the user changed in the scene stays.

    Args:
        scene: A scene for which :func:`can_rekey` holds.
        channels: Name -> keys in scene frames.
        n_frames: New length; None leaves the frame range as it is.

    Returns:
        How many keys were written, and what was left alone because its animation is the user's.

    Raises:
        SceneError: There is no show to key, or the channels do not fit; nothing was written then.
    """
    show = find_show(scene)
    if not is_remembered(show):
        raise SceneError("There is no show here whose keys could be written again.", "Build the show.")
    if not channels:
        raise SceneError("There are no channels to show.", "Analyze a mix first.")
    check_channels(channels)
    handles = recall(show)
    follow_channels(handles, show, channels)
    keys = write_channels(handles, channels)
    remember(show, handles)
    driven = write_drives(scene, channels, scene.render.fps / scene.render.fps_base)
    if n_frames is not None:
        scene.frame_start, scene.frame_end = 1, max(1, n_frames)
    scene.frame_set(scene.frame_current, subframe=scene.frame_subframe)
    return Baked(keys + driven.keys, [*handles.kept, *driven.kept])


def follow_channels(handles: SceneHandles, show: Any, channels: Mapping[str, KeyTrack]) -> None:
    """Give "HX Show" the properties of these channels: new ones appear, those of no channel go.

    A property that a driver of the user reads stays, at zero: a driver on nothing would be an error.

    Raises:
        SceneError: Something else than "HX Show" is keyed by a channel that is gone; nothing was changed then.
    """
    own = {name: [one for one in bound if one.id == show] for name, bound in handles.bindings.items()}
    gone = [name for name in handles.bindings if name not in channels]
    check_channels(channels, tuple(name for name in gone if len(handles.bindings[name]) > len(own[name])))
    read = _read_by_drivers(show) if gone else ""
    for name in gone:
        for one in handles.bindings.pop(name):
            remove_own_keys(show, one.data_path, one.index)
        if f'["{name}"]' not in read:
            del show[name]
        else:
            show[name] = [0.0] * 3 if len(own[name]) == 3 else 0.0
    for name, track in channels.items():
        if len(own.get(name, ())) != track.width:
            others = [one for one in handles.bindings.get(name, ()) if one.id != show]
            for one in own.get(name, ()):
                remove_own_keys(show, one.data_path, one.index)
            handles.bindings[name] = others
            add_property(show, name, track)
            bind_property(handles, show, name, track)
            show.update_tag()  # what is evaluated learns of new properties only then


def _read_by_drivers(show: Any) -> str:
    """The paths on ``show`` that drivers read, joined."""
    paths = []
    for user in bpy.data.user_map(subset={show})[show]:
        trees = [tree for tree in (getattr(user, "node_tree", None),) if tree is not None]
        for owner in (user, *trees):
            data = getattr(owner, "animation_data", None)
            for curve in () if data is None else data.drivers:
                targets = [target for variable in curve.driver.variables for target in variable.targets]
                paths += [target.data_path for target in targets if target.id == show]
    return "\n".join(paths)
