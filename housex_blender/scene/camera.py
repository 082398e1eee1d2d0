"""The camera's ride along the loop. Zone: bpy.

A carriage follows the curve by a keyed, ever growing offset (cyclic curves wrap it), a target rides ahead of it,
and the camera looks at the target: it turns into bends before they come, as a driver does.
"""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np

from .path import LoopPath
from .rig import SceneHandles

LOOK_AHEAD_M = 13.0
OFFSET_PATH = 'constraints["HX Rail"].offset_factor'
LENS_WIDE_MM, LENS_TELE_MM = 17.0, 42.0


def build_rail(collection: bpy.types.Collection, path: LoopPath) -> Any:
    """The centre line as a cyclic curve with banking."""
    curve = bpy.data.curves.new("HX Rail", "CURVE")
    curve.dimensions = "3D"
    spline = curve.splines.new("POLY")
    count = int(path.length_m)
    s_m = np.arange(count) * path.length_m / count
    position = path.frames(s_m)[0]
    spline.points.add(count - 1)
    spline.points.foreach_set("co", np.column_stack([position, np.ones(count)]).astype(np.float32).ravel())
    spline.points.foreach_set("tilt", path.bank(s_m).astype(np.float32))
    spline.use_cyclic_u = True
    curve.use_path = True
    rail = bpy.data.objects.new("HX Rail", curve)
    collection.objects.link(rail)
    rail.hide_render = True
    return rail


def rider(collection: bpy.types.Collection, rail: Any, name: str) -> Any:
    """An empty that follows the rail by its keyed offset."""
    empty = bpy.data.objects.new(name, None)
    collection.objects.link(empty)
    follow: Any = empty.constraints.new("FOLLOW_PATH")
    follow.name = "HX Rail"
    follow.target = rail
    follow.use_fixed_location = True
    follow.use_curve_follow = True
    follow.forward_axis = "FORWARD_Y"
    follow.up_axis = "UP_Z"
    return empty


def build_camera(
    scene: bpy.types.Scene, collection: bpy.types.Collection, path: LoopPath, handles: SceneHandles
) -> Any:
    """Build rail, carriage, target and camera; binds travel, roll and zoom. Returns the rail."""
    rail = build_rail(collection, path)
    carriage, target = rider(collection, rail, "HX Carriage"), rider(collection, rail, "HX Look Target")
    handles.bind("travel", carriage, OFFSET_PATH, gain=1 / path.length_m)
    handles.bind("travel", target, OFFSET_PATH, gain=1 / path.length_m, offset=LOOK_AHEAD_M / path.length_m)
    roller = bpy.data.objects.new("HX Camera Roll", None)
    collection.objects.link(roller)
    roller.parent = carriage
    handles.bind("roll", roller, "rotation_euler", 1)
    data = bpy.data.cameras.new("HX Camera")
    data.clip_start, data.clip_end = 0.05, 600.0
    handles.bind("zoom", data, "lens", gain=LENS_TELE_MM - LENS_WIDE_MM, offset=LENS_WIDE_MM)
    camera = bpy.data.objects.new("HX Camera", data)
    collection.objects.link(camera)
    camera.parent = roller
    camera.location = (0.0, 0.0, -0.35)
    look: Any = camera.constraints.new("DAMPED_TRACK")
    look.target = target
    look.track_axis = "TRACK_NEGATIVE_Z"
    camera.rotation_euler = (np.pi / 2, 0.0, 0.0)
    scene.camera = camera
    handles.objects["camera"] = camera
    return rail
