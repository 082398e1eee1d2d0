"""Shapes and transparency of the picture: cameras reframed for tall pictures, backdrops left out. Zone: bpy."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import bpy

# Marks what fills the background, such as a sky or a sheet of haze.
BACKDROP = "hx_backdrop"
_WIDE = 16 / 9
# A picture half as wide as it is high shows this power of its shape of what a wide one shows from left to right.
_KEEP = 0.6


def reframe(cameras: Iterable[Any], resolution: tuple[int, int]) -> None:
    """Let cameras that were made for 16:9 keep their subject in a picture of another shape.

    Only the sensor changes, for lens and place are keyed. Down to a square the picture keeps its width and gains
    height; in a taller one it loses some width, but less than a crop would take.

    Args:
        cameras: Camera objects of our own.
        resolution: Width and height in pixels.
    """
    shape = resolution[0] / resolution[1]
    for camera in {camera.data: camera for camera in cameras}.values():
        data = camera.data
        if shape >= 1.0:
            data.sensor_fit = "AUTO" if shape > _WIDE - 0.01 else "HORIZONTAL"
        else:
            data.sensor_fit = "VERTICAL"
            data.sensor_height = data.sensor_width * shape**_KEEP / shape


def half_frame(camera: Any, resolution: tuple[int, int]) -> tuple[float, float, float, float]:
    """What a camera sees: half width, half height, and the middle's distance to the right and up.

    In metres one metre away with a lens of one millimetre: divide by the lens. Without perspective: in metres.
    """
    data, (width, height) = camera.data, resolution
    upright = data.sensor_fit == "VERTICAL" or (data.sensor_fit == "AUTO" and height > width)
    fitted = height if upright else width
    if data.type == "ORTHO":
        whole = data.ortho_scale
    else:
        whole = data.sensor_height if data.sensor_fit == "VERTICAL" else data.sensor_width
    pixel = whole / fitted
    return pixel * width / 2, pixel * height / 2, data.shift_x * whole, data.shift_y * whole


def hide_backdrops(scene: bpy.types.Scene) -> int:
    """Leave out of the render what fills the background; returns how many objects that were."""
    found = [thing for thing in scene.objects if thing.get(BACKDROP)]
    for thing in found:
        thing.hide_render = True
    return len(found)
