"""What hangs in the tunnel's air and lies outside it: fans of light, the far glow, the sky. Zone: bpy."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np

from .camera import rider
from .framing import BACKDROP
from .hull import BAY_M, FLOOR_M, RADIUS_M
from .materials import CORE_M, SKY_M
from .meshes import quad_mesh, store_vectors
from .module import GATE_EVERY
from .path import LoopPath

CORE_AHEAD_M = 74.0


def build_air(collection: Any, module: Any, rail: Any, path: LoopPath, materials: dict[str, Any]) -> None:
    """Beams into the module, glow and sky on riders of their own."""
    module.objects.link(_object(_beams(path, materials["beams"])))
    core = _object(_disc(materials["core"]))
    core.parent = rider(collection, rail, "HX Core Carrier", CORE_AHEAD_M)
    sky = _object(_dome(materials["sky"]))
    sky.parent = rider(collection, rail, "HX Sky Carrier", turns=False)
    for thing in (core, sky):
        thing[BACKDROP] = True
        collection.objects.link(thing)


def _object(mesh: Any) -> Any:
    return bpy.data.objects.new(mesh.name, mesh)


def _beams(path: LoopPath, material: Any) -> Any:
    """A square across the tunnel at every gate."""
    gates = np.arange(0.0, path.module_m - 1.0, BAY_M * GATE_EVERY)
    low, high, half = FLOOR_M + 0.02, RADIUS_M - 0.8, RADIUS_M - 0.7
    square = [(-half, low), (half, low), (half, high), (-half, high)]
    points = np.array([(along, *corner) for along in gates for corner in square])
    mesh = quad_mesh("HX Beams", path.bend(points), np.arange(len(points)).reshape(-1, 4), [material])
    store_vectors(mesh, "hx_tube", points)
    return mesh


def _disc(material: Any) -> Any:
    half = CORE_M
    points = [(-half, 0, -half), (half, 0, -half), (half, 0, half), (-half, 0, half)]
    return quad_mesh("HX Core", points, [(0, 1, 2, 3)], [material])


def _dome(material: Any, rows: int = 10, columns: int = 20) -> Any:
    """A globe around the camera that hides the rest of the loop."""
    tilt, turn = np.meshgrid(np.linspace(0, np.pi, rows + 1), np.linspace(0, 2 * np.pi, columns + 1), indexing="ij")
    points = np.stack([np.sin(tilt) * np.cos(turn), np.sin(tilt) * np.sin(turn), np.cos(tilt)], axis=-1) * SKY_M
    step = columns + 1
    first = (np.arange(rows)[:, None] * step + np.arange(columns)).ravel()
    faces = np.column_stack([first, first + 1, first + step + 1, first + step])
    return quad_mesh("HX Sky", points.reshape(-1, 3), faces, [material])
