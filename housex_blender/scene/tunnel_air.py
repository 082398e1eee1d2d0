"""What hangs in the tunnel's air and lies outside it: fans of light, the far glow, the sky. Zone: bpy."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np

from .camera import rider
from .framing import BACKDROP
from .hull import BAY_M, FLOOR_M, RADIUS_M
from .materials import CORE_M, SKY_M
from .module import GATE_EVERY
from .path import LoopPath

CORE_AHEAD_M = 74.0


def build_air(collection: Any, module: Any, rail: Any, path: LoopPath, materials: dict[str, Any]) -> None:
    """Beams into the module, glow and sky on riders of their own."""
    module.objects.link(_object("HX Beams", _beams(path), materials["beams"]))
    core = _object("HX Core", _disc(), materials["core"])
    core.parent = rider(collection, rail, "HX Core Carrier", CORE_AHEAD_M)
    sky = _object("HX Sky", _dome(), materials["sky"])
    sky.parent = rider(collection, rail, "HX Sky Carrier", turns=False)
    for thing in (core, sky):
        thing[BACKDROP] = True
        collection.objects.link(thing)


def _object(name: str, mesh: Any, material: Any) -> Any:
    mesh.name = name
    mesh.materials.append(material)
    return bpy.data.objects.new(name, mesh)


def _beams(path: LoopPath) -> Any:
    """A square across the tunnel at every gate."""
    mesh = bpy.data.meshes.new("HX Beams")
    gates = np.arange(0.0, path.module_m - 1.0, BAY_M * GATE_EVERY)
    low, high, half = FLOOR_M + 0.02, RADIUS_M - 0.8, RADIUS_M - 0.7
    square = [(-half, low), (half, low), (half, high), (-half, high)]
    points = np.array([(along, *corner) for along in gates for corner in square])
    faces = [tuple(range(4 * i, 4 * i + 4)) for i in range(len(gates))]
    mesh.from_pydata(path.bend(points).tolist(), [], faces)
    tube: Any = mesh.attributes.new("hx_tube", "FLOAT_VECTOR", "POINT")
    tube.data.foreach_set("vector", points.astype(np.float32).ravel())
    return mesh


def _disc() -> Any:
    mesh = bpy.data.meshes.new("HX Core")
    half = CORE_M
    mesh.from_pydata([(-half, 0, -half), (half, 0, -half), (half, 0, half), (-half, 0, half)], [], [(0, 1, 2, 3)])
    return mesh


def _dome(rows: int = 10, columns: int = 20) -> Any:
    """A globe around the camera that hides the rest of the loop."""
    mesh = bpy.data.meshes.new("HX Sky")
    tilt, turn = np.meshgrid(np.linspace(0, np.pi, rows + 1), np.linspace(0, 2 * np.pi, columns + 1), indexing="ij")
    points = np.stack([np.sin(tilt) * np.cos(turn), np.sin(tilt) * np.sin(turn), np.cos(tilt)], axis=-1) * SKY_M
    step = columns + 1
    faces = [
        (r * step + c, r * step + c + 1, (r + 1) * step + c + 1, (r + 1) * step + c)
        for r in range(rows)
        for c in range(columns)
    ]
    mesh.from_pydata(points.reshape(-1, 3).tolist(), [], faces)
    return mesh
