"""Four cameras that glide over the lagoon on one endless loop. Zone: bpy.

All riders follow one curve by its keyed evaluation time: one F-curve moves them all, and a cyclic curve never ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import bpy

from .lagoon_geometry import rail_length_m, rail_points
from .lagoon_motion import LAP_M
from .meshes import build_rail, build_rider, look_at
from .rig import SceneHandles


@dataclass(frozen=True)
class Shot:
    """A camera.

    Attributes:
        ahead: Its place on the loop as a share of the whole.
        place: Where it hangs from its place on the loop, metres.
        look: What it looks at: a place in the lagoon, or from a place ahead on the loop when ``lead_m`` is not 0.
        lead_m: How far ahead on the loop its target rides.
        lens_mm: Focal length.
    """

    ahead: float
    place: tuple[float, float, float]
    look: tuple[float, float, float]
    lead_m: float
    lens_mm: float


SHOTS = {
    "wide": Shot(0.0, (0.0, 0.0, 3.4), (0.0, 60.0, 1.5), 0.0, 19.5),
    "low": Shot(0.62, (0.0, 0.0, 1.25), (0.0, 26.0, 19.0), 0.0, 17.0),
    "close": Shot(0.3, (0.0, 0.0, 2.6), (0.0, 12.0, 3.8), 8.0, 36.0),
    "high": Shot(0.5, (0.0, -8.0, 29.0), (0.0, 12.0, 0.0), 0.0, 20.0),
}
LENS_TELE_MM = 28.0
# How far up the wide camera's target goes when the music opens.
GAZE_M = 17.0


def build_cameras(scene: bpy.types.Scene, collection: bpy.types.Collection, handles: SceneHandles) -> None:
    """Loop, riders, targets and cameras; binds travel, roll and zoom, and makes the wide one the scene's."""
    rail = build_rail(collection, rail_points(360), rail_length_m())
    cameras = {name: _build_shot(collection, rail, name, shot) for name, shot in SHOTS.items()}
    wide = cameras["wide"]
    handles.bind("travel", rail.data, "eval_time", gain=rail.data.path_duration / LAP_M)
    handles.bind("roll", wide, "rotation_euler", 2, gain=0.5)
    handles.bind("zoom", wide.data, "lens", gain=LENS_TELE_MM - SHOTS["wide"].lens_mm, offset=SHOTS["wide"].lens_mm)
    # in a break the eyes lift to the aurora
    handles.bind("open", wide.parent.constraints[0].target, "location", 2, gain=GAZE_M, offset=SHOTS["wide"].look[2])
    scene.camera = handles.objects["camera"] = wide
    handles.cameras = cameras


def _build_shot(collection: Any, rail: Any, name: str, shot: Shot) -> Any:
    title = name.title()
    ahead_m = shot.ahead * rail.data.path_duration
    carriage = build_rider(collection, rail, f"HX {title} Carriage", ahead_m)
    target = bpy.data.objects.new(f"HX {title} Target", None)
    target.location = shot.look
    collection.objects.link(target)
    if shot.lead_m:
        target.parent = build_rider(collection, rail, f"HX {title} Lead", ahead_m + shot.lead_m)
    aim = bpy.data.objects.new(f"HX {title} Aim", None)
    aim.parent, aim.location = carriage, shot.place
    collection.objects.link(aim)
    look_at(aim, target)
    data = bpy.data.cameras.new("HX Camera" if name == "wide" else f"HX Camera {title}")
    data.clip_start, data.clip_end, data.lens = 0.1, 6000.0, shot.lens_mm
    camera = bpy.data.objects.new(data.name, data)
    camera.parent = aim
    collection.objects.link(camera)
    return camera
