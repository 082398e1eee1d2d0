"""The real lamp that rides ahead of the camera, for things of the user's: colour and energy are keyed. Zone: bpy."""

from __future__ import annotations

from typing import Any

import bpy

from .camera import rider
from .rig import SceneHandles

# Distance ahead of the camera along the rail in metres, and watts at light 1.
AHEAD_M, WATTS = 46.0, 500.0


def build_lamp(collection: bpy.types.Collection, rail: Any, handles: SceneHandles) -> None:
    """A point light on the rail without shadows; the tunnel's own shaders work their light out by themselves."""
    name = "HX Light A"
    data: Any = bpy.data.lights.new(name, "POINT")
    data.shadow_soft_size = 0.8
    data.use_shadow = False
    lamp = bpy.data.objects.new(name, data)
    lamp.parent = rider(collection, rail, f"{name} Carrier", AHEAD_M)
    lamp.location = (0.0, 0.0, 1.5)
    collection.objects.link(lamp)
    handles.bind_colour("colour_a", data, "color")
    handles.bind("light_a", data, "energy", gain=WATTS)
    handles.objects[name] = lamp
