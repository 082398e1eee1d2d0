"""Numbers of the user's own scene that follow a channel of the mix. Zone: bpy."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import bpy

from ..core.drive import Kind, luminance, shape_channel
from ..core.errors import SceneError
from ..core.keys import KeyTrack
from .keyframes import find_curve, own_keys, remove_own_keys, write_keys
from .rig import Baked, describe, ensure_show, find_show
from .tables import is_placed, living, pack_owner, read_table, resolves, root_in, root_of, unpack_owner, write_table

_DRIVES = "drives"
_COLOURS = ("COLOR", "COLOR_GAMMA")
# the custom property at the end of a path; its name may hold brackets and escaped quotes
_LAST_NAME = re.compile(r'\["((?:[^"\\]|\\.)*)"\]$')
_BAD_PATH = "There is no such property."


@dataclass(frozen=True)
class Drive:
    """One number, or all numbers of a property, that follow a channel.

    Attributes:
        number: Its place in the list of its scene, from 0.
        owner: Datablock; an embedded node tree is given as itself.
        data_path: RNA path on it.
        index: Component, or -1 for all of them.
        channel: What it follows.
        low: Value where the channel is 0.
        high: Value where the channel is 1.
        attack_ms: Time constant upwards; 0 and 0 follow the channel as it is.
        release_ms: Time constant downwards.
    """

    number: int
    owner: Any
    data_path: str
    index: int
    channel: str
    low: float = 0.0
    high: float = 1.0
    attack_ms: float = 0.0
    release_ms: float = 0.0

    @property
    def label(self) -> str:
        """For lists: ``Light Key: energy``."""
        return describe(self.owner, self.data_path)


@dataclass(frozen=True)
class Number:
    """What an animatable property holds.

    Attributes:
        kind: Of its components.
        size: Number of components, 0 for a property that is no array.
        is_colour: Whether it is a colour.
    """

    kind: Kind
    size: int
    is_colour: bool

    def places(self, index: int, *, wide: bool) -> list[tuple[int, int]]:
        """(array index, column of the channel) of everything to key; column -1 is the luminance.

        Args:
            index: The component, or -1 for all; alpha is never among all.
            wide: Whether the channel is a colour.
        """
        if not self.size:
            return [(-1, -1 if wide else 0)]
        by_component = self.is_colour or self.size == 3
        indices = [index] if index >= 0 else range(min(self.size, 3) if self.is_colour else self.size)
        return [(i, (i if by_component and i < 3 else -1) if wide else 0) for i in indices]


# -- what can be driven ----------------------------------------------------------------------------------------


def check_drive(owner: Any, data_path: str, index: int = -1) -> str:
    """Why a number cannot follow a channel; empty if it can.

    Args:
        owner: Datablock, or embedded node tree.
        data_path: RNA path on it.
        index: Component, or -1 for all.
    """
    number = number_at(owner, data_path)
    if isinstance(number, str):
        return number
    if data_path.startswith("housex."):
        return "The settings of HouseX itself do not follow the mix."
    if index >= max(number.size, 1):
        return f"The property has no component {index}."
    root = root_of(owner)
    if root.library is not None or not root.is_editable:
        return f"{root.name} is linked from another file: make it local first."
    places = [max(place, 0) for place, _ in number.places(index, wide=False)]
    data = owner.animation_data
    if data is not None and any(data.drivers.find(data_path, index=place) for place in places):
        return "The property has a driver: remove it first."
    if data is not None and data.action is not None and data.action.library is not None:
        return f"The action of {owner.name} is linked from another file: make it local first."
    channel = _channel_of(owner, data_path, places)
    if channel:
        return f"The property follows {channel} already."
    for place in places:
        curve = find_curve(owner, data_path, place)
        if curve is not None and len(curve.keyframe_points) and not own_keys(curve).any():
            return "The property has keys of your own: remove them first."
    return ""


def can_animate(owner: Any) -> bool:
    """Whether there can be keys on it: not on screens, images, texts and collections."""
    return isinstance(owner, bpy.types.ID) and hasattr(owner, "animation_data")


def number_at(owner: Any, data_path: str) -> Number | str:
    """What the property holds, or why it cannot be animated by a channel."""
    if not can_animate(owner):
        return "Only properties that are saved in the file can follow the mix."
    if not resolves(owner, data_path):
        return _BAD_PATH
    return _custom_number(owner, data_path) if data_path.endswith("]") else _rna_number(owner, data_path)


def _rna_number(owner: Any, data_path: str) -> Number | str:
    prefix, _, name = data_path.rpartition(".")
    holder = owner.path_resolve(prefix) if prefix else owner
    prop = holder.bl_rna.properties.get(name) if isinstance(holder, bpy.types.bpy_struct) else None
    if prop is None:
        return _BAD_PATH
    if not prop.is_animatable:
        return f"{prop.name} cannot be animated."
    if prop.type not in ("FLOAT", "INT", "BOOLEAN"):
        return f"{prop.name} is neither a number nor a colour."
    size = len(getattr(holder, name)) if prop.is_array else 0
    return Number(prop.type, size, prop.subtype in _COLOURS and size in (3, 4))


def _custom_number(owner: Any, data_path: str) -> Number | str:
    """A custom property, or an input of a geometry nodes modifier."""
    value = owner.path_resolve(data_path)
    found = _LAST_NAME.search(data_path)
    if found is None:
        return _BAD_PATH
    start, name = found.start(), bpy.utils.unescape_identifier(found[1])
    holder = owner.path_resolve(data_path[:start]) if start else owner
    parts = list(value) if hasattr(value, "__len__") and not isinstance(value, str) else [value]
    size = len(parts) if hasattr(value, "__len__") else 0
    first = parts[0] if parts else None
    if not isinstance(first, (bool, int, float)):
        return f"{name} is neither a number nor a colour."
    kind: Kind = "BOOLEAN" if isinstance(first, bool) else "INT" if isinstance(first, int) else "FLOAT"
    subtype = holder.id_properties_ui(name).as_dict().get("subtype")
    return Number(kind, size, subtype in _COLOURS and size in (3, 4))


def _channel_of(owner: Any, data_path: str, places: list[int]) -> str:
    """The channel that keys one of these numbers in any scene of the file; empty if none does."""
    root = root_of(owner)
    tree = int(root != owner)
    for show in (show for show in map(find_show, bpy.data.scenes) if show is not None):
        for table in ("bindings", _DRIVES):
            for row in read_table(show, table):
                same = root_in(row, show) == root and row["tree"] == tree and row["path"] == data_path
                if same and (row["index"] < 0 or row["index"] in places):
                    return str(row["channel"])
    return ""


# -- the list --------------------------------------------------------------------------------------------------


def drives(scene: bpy.types.Scene) -> list[Drive]:
    """All drives of a scene that can be seen to exist, oldest first; quick enough to be drawn.

    Baking looks closer: what hangs on nothing but our own list is forgotten then.
    """
    show = find_show(scene)
    found = [drive for row in read_table(show, _DRIVES) if (drive := _from_row(row, show)) is not None]
    return [replace(drive, number=number) for number, drive in enumerate(found)]


def _from_row(row: Mapping[str, Any], show: Any) -> Drive | None:
    owner = unpack_owner(row, show)
    if owner is None or not resolves(owner, row["path"]):
        return None
    if isinstance(owner, bpy.types.Object) and not is_placed(owner):
        return None
    numbers = {key: float(row[key]) for key in ("low", "high", "attack_ms", "release_ms")}
    return Drive(0, owner, row["path"], int(row["index"]), row["channel"], **numbers)


def _to_row(drive: Drive, show: Any) -> dict[str, Any]:
    row = asdict(replace(drive, owner=None))
    del row["owner"], row["data_path"], row["number"]
    return {**row, "path": drive.data_path, **pack_owner(drive.owner, show)}


def _store(scene: bpy.types.Scene, wanted: list[Drive]) -> None:
    show = ensure_show(scene)
    waiting = [row for row in read_table(show, _DRIVES) if "was_name" in row]
    write_table(show, _DRIVES, [*(_to_row(drive, show) for drive in wanted), *waiting])


def _drive(scene: bpy.types.Scene, number: int) -> Drive:
    found = next((drive for drive in drives(scene) if drive.number == number), None)
    if found is None:
        raise SceneError("This property follows the mix no more.", "Choose another one from the list.")
    return found


def add_drive(
    scene: bpy.types.Scene,
    owner: Any,
    data_path: str,
    index: int,
    channel: str,
    low: float,
    high: float,
    attack_ms: float,
    release_ms: float,
    channels: Mapping[str, KeyTrack],
    fps: float,
) -> Drive:
    """Let a number follow a channel, and key it at once. "HX Show" is made if the scene has none.

    Args:
        scene: The scene whose mix is followed.
        owner: Datablock, or embedded node tree.
        data_path: RNA path on it.
        index: Component, or -1 for all of them (a colour keeps its alpha).
        channel: What to follow.
        low: Value where the channel is 0.
        high: Value where the channel is 1.
        attack_ms: Time constant upwards; 0 and 0 follow the channel as it is.
        release_ms: Time constant downwards.
        channels: Name -> keys in scene frames.
        fps: Frames per second of the scene.

    Raises:
        SceneError: There is no such channel, or the number cannot follow one; nothing was changed then.
    """
    reason = check_drive(owner, data_path, index)
    if reason:
        raise SceneError(reason)
    _check_channel(channel, channels)
    known = drives(scene)
    drive = Drive(len(known), owner, data_path, index, channel, low, high, attack_ms, release_ms)
    _store(scene, [*known, drive])
    _write(drive, channels, fps)
    return drive


def update_drive(
    scene: bpy.types.Scene,
    number: int,
    channels: Mapping[str, KeyTrack],
    fps: float,
    **changes: Any,
) -> Drive:
    """Change what a drive follows or how, and key it again.

    Args:
        scene: Its scene.
        number: Which drive.
        channels: Name -> keys in scene frames.
        fps: Frames per second of the scene.
        changes: ``channel``, ``low``, ``high``, ``attack_ms`` or ``release_ms``.

    Raises:
        SceneError: There is no such drive or channel; nothing was changed then.
    """
    old = _drive(scene, number)
    drive = replace(old, **changes)
    _check_channel(drive.channel, channels)
    _store(scene, [drive if known.number == number else known for known in drives(scene)])
    _write(drive, channels, fps)
    return drive


def remove_drive(scene: bpy.types.Scene, number: int) -> None:
    """Let go of a number: our keys go, keys of the user and the present value stay.

    Raises:
        SceneError: There is no such drive.
    """
    drive = _drive(scene, number)
    _store(scene, [known for known in drives(scene) if known.number != number])
    what = number_at(drive.owner, drive.data_path)
    for place, _ in [] if isinstance(what, str) else what.places(drive.index, wide=False):
        remove_own_keys(drive.owner, drive.data_path, place)


def _check_channel(name: str, channels: Mapping[str, KeyTrack]) -> None:
    if name not in channels:
        raise SceneError(f"The mix has no channel {name}.", "Choose another one.")


# -- keys ------------------------------------------------------------------------------------------------------


def forget_deleted(scene: bpy.types.Scene) -> list[Drive]:
    """Drop the drives on what the user deleted; returns the others, without those that wait for a part of ours."""
    if not read_table(find_show(scene), _DRIVES):
        return []
    known = drives(scene)
    alive = living(root_of(drive.owner) for drive in known)
    known = [drive for drive in known if root_of(drive.owner) in alive]
    _store(scene, known)
    return known


def write_drives(scene: bpy.types.Scene, channels: Mapping[str, KeyTrack], fps: float) -> Baked:
    """Key everything that follows the mix in this scene; forgets what was deleted."""
    baked = Baked()
    for drive in forget_deleted(scene):
        if drive.channel not in channels:
            baked.kept.append(f"{drive.label} (no channel {drive.channel})")
            continue
        keys = _write(drive, channels, fps)
        baked.keys += keys
        if not keys:
            baked.kept.append(drive.label)
    return baked


def _write(drive: Drive, channels: Mapping[str, KeyTrack], fps: float) -> int:
    """Key one drive; returns the number of keys, 0 if the animation became the user's."""
    number = number_at(drive.owner, drive.data_path)
    assert isinstance(number, Number), "it was checked when the drive was made"
    source = channels[drive.channel]
    wide = source.width == 3
    shaped: dict[bool, KeyTrack] = {}
    keys = 0
    for place, column in number.places(drive.index, wide=wide):
        grey = column < 0
        if grey not in shaped:
            shaped[grey] = shape_channel(
                luminance(source) if grey else source,
                drive.low,
                drive.high,
                drive.attack_ms,
                drive.release_ms,
                fps,
                number.kind,
            )
        track = shaped[grey]
        curve = write_keys(drive.owner, drive.data_path, place, track, max(column, 0))
        keys += 0 if curve is None else len(track.frames)
    return keys


# -- rebuilds --------------------------------------------------------------------------------------------------


def set_aside(show: Any, doomed: set[Any]) -> None:
    """Before our own objects are built anew: remember drives on them by name, and let go of them."""
    rows = read_table(show, _DRIVES)
    for row in rows:
        if row.get("owner") in doomed:
            _wait(row, show)
    if rows:
        write_table(show, _DRIVES, rows)


def take_up(show: Any) -> list[str]:
    """After the build: drives on parts of ours go on with what was built in their place.

    What this scene does not have stays in the table and waits for a build that has it.

    Returns:
        A line about each drive that waits.
    """
    rows = read_table(show, _DRIVES)
    found = [_named(row) if "was_name" in row else root_in(row, show) for row in rows]
    alive = living(found)
    lost = []
    for row, root in zip(rows, found, strict=True):
        owner = (root.node_tree if row["tree"] else root) if root in alive else None
        if owner is None or not resolves(owner, row["path"]):
            _wait(row, show)
            if "was_label" in row:
                lost.append(f"{row['was_label']} (not in this scene)")
        elif "was_name" in row:
            del row["was_kind"], row["was_name"], row["was_label"]
            row["owner"] = root
    if rows:
        write_table(show, _DRIVES, rows)
    return lost


def _wait(row: dict[str, Any], show: Any) -> None:
    """Let a row tell its owner by type and name instead of pointing at it."""
    root = root_in(row, show)
    if root is not None and not row["itself"]:
        row.update(was_kind=root.id_type, was_name=root.name, was_label=describe(root, row["path"]))
        del row["owner"]


def _named(row: Mapping[str, Any]) -> Any:
    """The local datablock of the type and name that a row tells, or None."""
    blocks = bpy.data.user_map(key_types={row["was_kind"]})
    return next((block for block in blocks if block.library is None and block.name == row["was_name"]), None)
