"""Tables of numbers, texts and datablocks that live in the .blend, and which datablocks still count. Zone: bpy.

They lie in one group of plain custom properties: no Python object outlives an undo, no add-on is needed to read
them, and datablocks are pointed at, so they may be renamed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import bpy

from ..core.errors import SceneError
from .compat import OWNED

_TABLES = "hx_tables"


def read_table(holder: Any, name: str) -> list[dict[str, Any]]:
    """The rows of a table on a datablock; empty if there is none."""
    tables = None if holder is None else holder.get(_TABLES)
    if tables is None or name not in tables:
        return []
    return [{key: row[key] for key in row.keys()} for row in tables[name]]  # noqa: SIM118 - not a dict


def write_table(holder: Any, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Replace a table on a datablock. Values: text, numbers and datablocks (not embedded ones)."""
    if _TABLES not in holder:
        holder[_TABLES] = {}
    tables = holder[_TABLES]
    if rows:
        tables[name] = [dict(row) for row in rows]
    elif name in tables:
        del tables[name]
    if not len(tables):
        del holder[_TABLES]


def pack_owner(owner: Any, holder: Any) -> dict[str, Any]:
    """A datablock as values of a row: an embedded node tree as its material, world, light or scene, and the holder
    of the table as itself (a datablock that points at itself would never be freed).

    Raises:
        SceneError: The tree belongs to nothing.
    """
    root = root_of(owner)
    row = {"tree": int(root != owner), "itself": int(root == holder)}
    return row if root == holder else {**row, "owner": root}


def root_in(row: Mapping[str, Any], holder: Any) -> Any:
    """The datablock in ``bpy.data`` that a row of ``holder`` is about, or None when it was deleted."""
    return holder if row["itself"] else row.get("owner")


def unpack_owner(row: Mapping[str, Any], holder: Any) -> Any:
    """What :func:`pack_owner` was given, or None when it was deleted."""
    root = root_in(row, holder)
    return root if root is None or not row["tree"] else root.node_tree


def root_of(owner: Any) -> Any:
    """The datablock in ``bpy.data`` that holds ``owner``: itself, unless it is an embedded node tree.

    Raises:
        SceneError: The tree belongs to nothing.
    """
    if not (isinstance(owner, bpy.types.NodeTree) and owner.is_embedded_data):
        return owner
    for kind in ("materials", "worlds", "lights", "scenes", "linestyles", "textures"):
        for block in getattr(bpy.data, kind):
            if getattr(block, "node_tree", None) == owner:
                return block
    raise SceneError(f"The node tree {owner.name} belongs to nothing.")


def living(owners: Iterable[Any]) -> set[Any]:
    """Those of some datablocks that a scene still shows.

    A pointer in our tables keeps what the user deleted in memory, so existing is not enough: an object must be in a
    collection that a scene reaches, anything else must be used by something that is, or have a fake user.
    """
    users = bpy.data.user_map()
    return {owner for owner in set(owners) if owner is not None and _lives(owner, users)}


def _lives(owner: Any, users: Mapping[Any, set[Any]]) -> bool:
    seen, open_list = {owner}, [owner]
    while open_list:
        thing = open_list.pop()
        if isinstance(thing, bpy.types.Scene):
            return True
        is_object = isinstance(thing, bpy.types.Object)
        if thing.use_fake_user and not is_object:
            return True
        for user in users.get(thing, ()):
            if user in seen or user.get(OWNED) == "show":
                continue
            if is_object and not _holds(user, thing):
                continue
            seen.add(user)
            open_list.append(user)
    return False


def is_placed(thing: Any) -> bool:
    """Whether an object is in any collection; what the user deletes is in none."""
    return any(_holds(place, thing) for place in (*bpy.data.scenes, *bpy.data.collections))


def _holds(place: Any, thing: Any) -> bool:
    """Whether an object lies directly in a collection, or in the scene's own one."""
    if isinstance(place, bpy.types.Scene):
        place = place.collection
    return isinstance(place, bpy.types.Collection) and place.objects.get(thing.name) == thing


def resolves(owner: Any, data_path: str) -> bool:
    """Whether there is such a number."""
    try:
        owner.path_resolve(data_path)
    except ValueError:
        return False
    return True
