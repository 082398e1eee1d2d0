"""What a file holds, as one hash: two files with the same hash give the same pictures. Zone: bpy.

A saved .blend says less: it differs from save to save, for it holds addresses. So properties, keys and meshes are read.
"""

from __future__ import annotations

import hashlib
from typing import Any

import bpy
import numpy as np

# Datablocks that decide pictures; the rest is windows, brushes, sounds and texts.
_KINDS = (
    "actions", "armatures", "cameras", "collections", "curves", "fonts", "grease_pencils", "hair_curves", "images",
    "lattices", "lightprobes", "lights", "linestyles", "masks", "materials", "meshes", "metaballs", "movieclips",
    "node_groups", "objects", "particles", "pointclouds", "scenes", "shape_keys", "textures", "volumes", "worlds",
)  # fmt: skip
# Where one looks, what is selected or unfolded, which frames are wanted, and our panel: it decides nothing by itself.
_SKIPPED = frozenset((
    "rna_type", "housex", "depsgraph", "tool_settings", "cursor", "pixels", "preview", "asset_data", "original",
    "frame_current", "frame_current_final", "frame_subframe", "frame_float", "frame_start", "frame_end",
    "frame_preview_start", "frame_preview_end", "use_preview_range", "id_data", "library", "override_library", "users",
    "select", "select_left_handle", "select_right_handle", "select_control_point", "show_expanded", "hide", "lock",
    "location_absolute", "width_hidden", "tag", "use_extra_user", "use_fake_user", "session_uid", "name_full",
    "matrix_world", "matrix_local", "matrix_basis", "is_evaluated", "matrix",
    "ffmpeg", "linear_colorspace_settings", "shadow_cube_size", "shadow_cascade_size",
))  # fmt: skip
# Collections with thousands of members, and the numbers of each that count.
_BULK = {
    "keyframe_points": (("co", 2), ("handle_left", 2), ("handle_right", 2), ("interpolation", 1), ("easing", 1)),
    "polygons": (("loop_start", 1),),
    "sampled_points": (("co", 2),),
}
_WHOLE = ("interpolation", "easing", "loop_start")
# a mesh says all of this in its attributes and polygons
_IN_ATTRIBUTES = frozenset((
    "vertices", "edges", "loops", "loop_triangles", "loop_triangle_polygons", "uv_layers", "color_attributes",
    "vertex_colors", "vertex_normals", "polygon_normals", "corner_normals", "skin_vertices", "edge_creases",
    "vertex_creases", "points",
))  # fmt: skip
_FIELDS = {"FLOAT_VECTOR": ("vector", 3), "FLOAT2": ("vector", 2), "FLOAT_COLOR": ("color", 4),
           "BYTE_COLOR": ("color", 4), "INT32_2D": ("value", 2), "INT16_2D": ("value", 2),
           "QUATERNION": ("value", 4), "FLOAT4X4": ("value", 16)}  # fmt: skip
_FLOATS = frozenset(("FLOAT", *_FIELDS)) - {"INT32_2D", "INT16_2D"}


def hash_of_contents(scene: bpy.types.Scene) -> str:
    """A hash over everything in the open file that may decide a picture of a scene, read at its frame 1.

    Which frame is current, what is selected and where files lie does not count; the files
    themselves are not opened.
    """
    frame, part = scene.frame_current, scene.frame_subframe
    scene.frame_set(1)
    reader = _Reader()
    try:
        for kind in _KINDS:
            for block in getattr(bpy.data, kind, ()):
                # what Blender shows of a render is no part of the next one
                if getattr(block, "source", "") != "VIEWER":
                    reader.read(block)
    finally:
        scene.frame_set(frame, subframe=part)
    return reader.hash.hexdigest()


class _Reader:
    def __init__(self) -> None:
        self.hash = hashlib.sha256()
        self._seen: set[tuple[int, str]] = set()

    def read(self, thing: Any) -> None:
        """Take in a datablock or a part of one, once."""
        kind = thing.bl_rna.identifier
        key = (thing.as_pointer(), kind)
        self._say(kind, getattr(thing, "name", ""))
        if key in self._seen:
            return
        self._seen.add(key)
        if kind == "NodeLink":
            self._say(*(f"{node.name}/{socket.identifier}" for node, socket in (
                (thing.from_node, thing.from_socket), (thing.to_node, thing.to_socket))))  # fmt: skip
            return
        for prop in thing.bl_rna.properties:
            name = prop.identifier
            if name in _SKIPPED or (name in _IN_ATTRIBUTES and hasattr(thing, "attributes")):
                continue
            if (kind, name) == ("RenderSettings", "filepath"):
                continue
            if prop.type == "COLLECTION":
                self._collection(thing, name)
            elif prop.type == "POINTER":
                self._pointer(name, getattr(thing, name))
            elif not prop.is_readonly and not (prop.type == "STRING" and prop.subtype in ("FILE_PATH", "DIR_PATH")):
                self._say(name, _plain(getattr(thing, name)))
        if hasattr(thing, "keys"):
            self._custom(thing)

    def _collection(self, owner: Any, name: str) -> None:
        members = getattr(owner, name)
        self._say(name, len(members))
        if name == "attributes":
            for attribute in members:
                self._attribute(attribute)
        elif name in _BULK and len(members):
            for field, width in _BULK[name]:
                values = np.empty(len(members) * width, np.int32 if field in _WHOLE else np.float32)
                members.foreach_get(field, values)
                self.hash.update(values.tobytes())
        elif owner.bl_rna.identifier == "ShapeKey" and name == "data" and len(members):
            values = np.empty(len(members) * 3, np.float32)
            members.foreach_get("co", values)
            self.hash.update(values.tobytes())
        else:
            for member in members:
                self._pointer("", member)

    def _attribute(self, attribute: Any) -> None:
        self._say(attribute.name, attribute.domain, attribute.data_type)
        # marks what is selected or hidden while editing
        if attribute.name.startswith((".select", ".hide")):
            return
        if attribute.data_type == "STRING":
            self._say(*(_plain(one.value) for one in attribute.data))
            return
        field, width = _FIELDS.get(attribute.data_type, ("value", 1))
        values = np.empty(len(attribute.data) * width, _dtype(attribute.data_type))
        attribute.data.foreach_get(field, values)
        self.hash.update(values.tobytes())

    def _pointer(self, name: str, found: Any) -> None:
        if isinstance(found, bpy.types.ID) and not found.is_embedded_data:
            self._say(name, type(found).__name__, found.name_full)
        elif found is None or not hasattr(found, "bl_rna"):
            self._say(name, _plain(found))
        else:
            self._say(name)
            self.read(found)

    def _custom(self, thing: Any) -> None:
        try:
            names = sorted(thing.keys())
        except TypeError:  # this kind of thing carries none
            return
        for name in names:
            if name not in thing.bl_rna.properties and name not in _SKIPPED:
                self._say(name, _plain(thing[name]))

    def _say(self, *facts: Any) -> None:
        self.hash.update(repr(facts).encode())


def _dtype(data_type: str) -> type[np.generic]:
    return np.float32 if data_type in _FLOATS else np.bool_ if data_type == "BOOLEAN" else np.int32


def _plain(value: Any) -> Any:
    """A value without addresses, the same in every run."""
    if isinstance(value, (str, int, float, bool, bytes, type(None))):
        return value
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if isinstance(value, bpy.types.ID):
        return value.name_full
    if hasattr(value, "to_dict"):
        return {name: _plain(value[name]) for name in sorted(value.keys())}
    # vectors, colours and matrices have no __iter__
    if hasattr(value, "__len__") and hasattr(value, "__getitem__"):
        return [_plain(value[place]) for place in range(len(value))]
    return type(value).__name__
