"""The ride along the loop and its four cameras. Zone: bpy.

Whatever rides follows one curve whose evaluation time is the distance travelled in metres (cyclic curves wrap for
ever), each a fixed way ahead: one F-curve moves them all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np

from . import meshes
from .path import LoopPath
from .rig import SceneHandles

LOOK_AHEAD_M = 13.0
LENS_WIDE_MM, LENS_TELE_MM = 17.0, 42.0
# How far the drift of a shot shifts its camera to either side, in metres.
DRIFT_M = 0.2


@dataclass(frozen=True)
class Shot:
    """Where a camera sits and looks.

    Attributes:
        place: Metres to the right, ahead and up, seen from the tunnel's axis.
        lens_mm: Focal length.
        turn_rad: Down and to the right, from straight ahead; None looks at the target that rides ahead.
    """

    place: tuple[float, float, float]
    lens_mm: float
    turn_rad: tuple[float, float] | None = None


SHOTS = {
    "wide": Shot((0.0, 0.0, -0.35), LENS_WIDE_MM),
    "low": Shot((-0.75, 0.0, -2.0), 15.0),
    "close": Shot((1.6, 0.0, 0.15), 20.0, (0.02, 0.30)),
    "high": Shot((0.0, 0.0, 1.5), 18.0, (0.2, 0.0)),
}


def rider(collection: bpy.types.Collection, rail: Any, name: str, ahead_m: float = 0.0, *, turns: bool = True) -> Any:
    """An empty that rides ``ahead_m`` before the camera; it turns with the rail unless told not to."""
    empty = meshes.build_rider(collection, rail, name, ahead_m)
    ride = empty.constraints[0]
    ride.use_curve_follow = turns
    ride.forward_axis, ride.up_axis = "FORWARD_Y", "UP_Z"
    return empty


def build_cameras(
    scene: bpy.types.Scene, collection: bpy.types.Collection, path: LoopPath, handles: SceneHandles
) -> Any:
    """Build rail, carriage, target and a camera for every shot; binds travel, roll, drift, zoom. Returns the rail."""
    count = int(path.length_m)
    s_m = np.arange(count) * path.length_m / count
    rail = meshes.build_rail(collection, path.frames(s_m)[0], count, path.bank(s_m))
    handles.bind("travel", rail.data, "eval_time")
    carriage = rider(collection, rail, "HX Carriage")
    target = rider(collection, rail, "HX Look Target", LOOK_AHEAD_M)
    roller, drifter = bpy.data.objects.new("HX Camera Roll", None), bpy.data.objects.new("HX Camera Drift", None)
    roller.parent, drifter.parent = carriage, roller
    handles.bind("roll", roller, "rotation_euler", 1)
    handles.bind("drift", drifter, "location", 0, gain=DRIFT_M)
    for empty in (roller, drifter):
        collection.objects.link(empty)
    for name, shot in SHOTS.items():
        handles.cameras[name] = build_camera(collection, name, shot, roller if name == "wide" else drifter, target)
    wide: Any = handles.cameras["wide"]
    handles.bind("zoom", wide.data, "lens", gain=LENS_TELE_MM - LENS_WIDE_MM, offset=LENS_WIDE_MM)
    scene.camera = wide
    handles.objects["camera"] = wide
    return rail


def build_camera(collection: Any, name: str, shot: Shot, parent: Any, target: Any) -> Any:
    """The camera of one shot."""
    title = "HX Camera" if name == "wide" else f"HX Camera {name.title()}"
    data = bpy.data.cameras.new(title)
    data.clip_start, data.clip_end = 0.05, 600.0
    data.lens = shot.lens_mm
    camera = bpy.data.objects.new(title, data)
    collection.objects.link(camera)
    camera.parent = parent
    camera.location = shot.place
    camera.rotation_euler = (np.pi / 2, 0.0, 0.0)
    if shot.turn_rad is None:
        look: Any = camera.constraints.new("DAMPED_TRACK")
        look.target = target
        look.track_axis = "TRACK_NEGATIVE_Z"
    else:
        camera.rotation_euler = (np.pi / 2 - shot.turn_rad[0], 0.0, -shot.turn_rad[1])
    return camera
