"""Real lights that ride with the camera: colour and energy keyed like any lamp's. Zone: bpy."""

from __future__ import annotations

from typing import Any

import bpy

from .camera import OFFSET_PATH, rider
from .path import LoopPath
from .rig import SceneHandles

# Name, group, distance ahead of the camera along the rail in metres, watts at light 1.
LIGHTS = (("HX Light A", "a", 46.0, 500.0), ("HX Light B", "b", -5.0, 60.0), ("HX Light C", "c", 66.0, 1500.0))


def build_lights(collection: bpy.types.Collection, rail: Any, path: LoopPath, handles: SceneHandles) -> None:
    """Three point lights on the rail; shadows stay off: they would cost rays and say nothing at this size."""
    for name, letter, ahead_m, watts in LIGHTS:
        data: Any = bpy.data.lights.new(name, "POINT")
        data.shadow_soft_size = 0.8
        data.use_shadow = False
        carrier = rider(collection, rail, f"{name} Carrier")
        handles.bind("travel", carrier, OFFSET_PATH, gain=1 / path.length_m, offset=ahead_m / path.length_m)
        lamp = bpy.data.objects.new(name, data)
        lamp.parent = carrier
        lamp.location = (0.0, 0.0, 1.5)
        collection.objects.link(lamp)
        handles.bind_colour(f"colour_{letter}", data, "color")
        handles.bind(f"light_{letter}", data, "energy", gain=watts)
        handles.objects[name] = lamp
