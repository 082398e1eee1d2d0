"""Four cameras around the stage: they glide on rails that share one keyed number. Zone: bpy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np

from .meshes import follow, look_at
from .rig import SceneHandles

Place = tuple[float, float, float]


@dataclass(frozen=True)
class Shot:
    """One camera.

    Attributes:
        start: Where it is at the start of a shot, in metres.
        end: Where it is at the end.
        target: What it looks at.
        lens_mm: Focal length.
    """

    start: Place
    end: Place
    target: Place
    lens_mm: float


SHOTS = {
    "wide": Shot((-1.2, -31.0, 3.0), (0.8, -26.5, 3.0), (0.0, 6.0, 8.6), 24.0),
    "low": Shot((1.6, -17.6, 1.5), (1.6, -16.6, 1.62), (0.0, 6.0, 9.6), 17.0),
    "close": Shot((-14.5, -5.5, 3.4), (-11.5, -6.5, 4.4), (4.0, 7.0, 8.0), 18.0),
    "high": Shot((13.0, -25.0, 17.0), (6.0, -28.0, 19.5), (0.0, 3.0, 5.0), 22.0),
}
LENS_WIDE_MM, LENS_TELE_MM = 22.0, 36.0
# The rail's own length in frames of its path: what a drift of -1 to 1 runs through.
PATH_UNITS = 100.0


def build_cameras(scene: bpy.types.Scene, collection: bpy.types.Collection, handles: SceneHandles) -> None:
    """Build rails, targets and cameras; binds drift, roll and zoom, and makes "wide" the scene's camera."""
    line: Any = bpy.data.curves.new("HX Stage Rail", "CURVE")
    line.dimensions = "3D"
    spline = line.splines.new("POLY")
    spline.points.add(1)
    spline.points.foreach_set("co", np.array([-1, 0, 0, 1, 1, 0, 0, 1], np.float32))
    line.use_path, line.path_duration = True, int(PATH_UNITS)
    handles.bind("drift", line, "eval_time", gain=PATH_UNITS / 2, offset=PATH_UNITS / 2)
    cameras: dict[str, Any] = {}
    for name, shot in SHOTS.items():
        cameras[name] = build_camera(collection, line, name, shot)
    wide = cameras["wide"]
    handles.bind("roll", wide, "rotation_euler", 2, gain=0.35)
    handles.bind("zoom", wide.data, "lens", gain=LENS_TELE_MM - LENS_WIDE_MM, offset=LENS_WIDE_MM)
    handles.objects["camera"] = wide
    handles.cameras = cameras
    scene.camera = wide


def build_camera(collection: bpy.types.Collection, line: Any, name: str, shot: Shot) -> Any:
    """A rail from start to end, a carriage on it that looks at the target, and the camera in the carriage."""
    title = name.title()
    start, end = np.array(shot.start), np.array(shot.end)
    way = end - start
    rail = bpy.data.objects.new(f"HX Rail {title}", line)
    rail.location = ((start + end) / 2).tolist()
    rise, heading = np.arctan2(way[2], np.hypot(way[0], way[1])), np.arctan2(way[1], way[0])
    rail.rotation_euler = (0.0, -float(rise), float(heading))
    rail.scale = (float(np.linalg.norm(way)) / 2,) * 3
    target = bpy.data.objects.new(f"HX Target {title}", None)
    target.location = shot.target
    carriage = bpy.data.objects.new(f"HX Carriage {title}", None)
    follow(carriage, rail)
    look_at(carriage, target)
    data = bpy.data.cameras.new(f"HX Camera {title}" if name != "wide" else "HX Camera")
    data.lens, data.clip_start, data.clip_end = shot.lens_mm, 0.1, 400.0
    camera = bpy.data.objects.new(data.name, data)
    camera.parent = carriage
    for thing in (rail, target, carriage, camera):
        collection.objects.link(thing)
    rail.hide_render = True
    for thing in (target, carriage):
        thing.empty_display_size = 0.5
    return camera
