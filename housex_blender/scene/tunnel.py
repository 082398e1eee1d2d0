"""The sci-fi tunnel: meshes, instances, materials, lamps and camera in a scene. Zone: bpy."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np

from ..core.errors import SceneError
from . import lamps
from .camera import OFFSET_PATH, build_camera, rider
from .hull import BAY_M, Shape
from .lighting import build_lights
from .materials import PULSE_M, tunnel_materials
from .module import DETAILS, build_module
from .path import LoopPath
from .rig import OWNED, SceneHandles

COLLECTION_NAME = "HX Tunnel"
MODULE_NAME = "HX Tunnel Module"
# Pulses on the strips overtake the camera at this many times its own speed, less one.
PULSE_SPEED = 2.5
CORE_AHEAD_M = 74.0


def add_attribute(mesh: Any, name: str, corner_values: Any) -> None:
    """Store (m, 4, 4) colours on the face corners of a mesh."""
    layer = mesh.attributes.new(name, "FLOAT_COLOR", "CORNER")
    layer.data.foreach_set("color", np.ascontiguousarray(corner_values, dtype=np.float32).ravel())


def build_part(collection: Any, name: str, shape: Shape, path: LoopPath, material: Any) -> Any:
    """A mesh object from a shape, bent along the path, with shape keys for its motion."""
    points, quads, surface, swell, ripple = shape.arrays()
    light = lamps.bake_light(points, quads, surface[:, 3]) if name == "hull" else None
    # Tunnel coordinates (along, right, up) are left-handed in the world: turn the faces around.
    turned = quads[:, ::-1]
    mesh = bpy.data.meshes.new(f"HX {name.title()}")
    mesh.vertices.add(len(points))
    mesh.vertices.foreach_set("co", path.bend(points).astype(np.float32).ravel())
    mesh.loops.add(turned.size)
    mesh.loops.foreach_set("vertex_index", turned.astype(np.int32).ravel())
    mesh.polygons.add(len(turned))
    mesh.polygons.foreach_set("loop_start", np.arange(0, turned.size, 4, dtype=np.int32))
    mesh.update(calc_edges=True)
    if light is not None:
        add_attribute(mesh, "hx_light", light[:, ::-1])
        kind = surface.copy()
        kind[:, 3] = 1.0
        add_attribute(mesh, "hx_surface", np.repeat(kind[:, None], 4, axis=1))
    if name == "strips":
        along: Any = mesh.attributes.new("hx_along", "FLOAT", "POINT")
        along.data.foreach_set("value", (points[:, 0] / PULSE_M).astype(np.float32))
    mesh.materials.append(material)
    part = bpy.data.objects.new(f"HX {name.title()}", mesh)
    collection.objects.link(part)
    if np.any(swell):
        add_motion(part, points, path, {"HX Swell": swell, "HX Ripple": ripple})
    return part


def add_motion(part: Any, points: Any, path: LoopPath, motion: dict[str, Any]) -> None:
    """One shape key per motion."""
    part.shape_key_add(name="HX Rest", from_mix=False)
    part.data.shape_keys.name = f"{part.name} Motion"
    for name, move in motion.items():
        block = part.shape_key_add(name=name, from_mix=False)
        block.slider_max = 2.0
        block.data.foreach_set("co", path.bend(points + move).astype(np.float32).ravel())


def build_tunnel(scene: bpy.types.Scene, *, seed: int = 0, detail: str = "draft") -> SceneHandles:
    """Build the tunnel into ``scene`` and say which channel keys what.

    Args:
        scene: Receives the collection "HX Tunnel", a camera and lights.
        seed: Chooses the plates.
        detail: "draft", "preview" or "final".
    """
    if detail not in DETAILS:
        raise SceneError(f"There is no detail called {detail!r}.", f"Use {', '.join(DETAILS)}.")
    handles, path = SceneHandles(), LoopPath()
    collection = bpy.data.collections.new(COLLECTION_NAME)
    scene.collection.children.link(collection)
    module = bpy.data.collections.new(MODULE_NAME)
    collection.children.link(module)
    materials = tunnel_materials()
    for name, shape in build_module(seed, detail, round(path.module_m / BAY_M)).items():
        part = build_part(module, name, shape, path, materials[name])
        if part.data.shape_keys:
            handles.bind("displacement", part.data.shape_keys, 'key_blocks["HX Swell"].value')
            handles.bind("ripple", part.data.shape_keys, 'key_blocks["HX Ripple"].value')
    for turn in range(1, path.n_modules):
        copy = bpy.data.objects.new(f"HX Tunnel {turn}", None)
        copy.instance_type, copy.instance_collection = "COLLECTION", module
        copy.rotation_euler[2] = 2 * np.pi * turn / path.n_modules
        copy.empty_display_size = 0.5
        collection.objects.link(copy)
    bind_materials(handles, materials)
    rail = build_camera(scene, collection, path, handles)
    build_lights(collection, rail, path, handles)
    build_core(collection, rail, path, materials["core"], handles)
    for part in (collection, module, *collection.objects, *module.objects):
        part[OWNED] = "tunnel"
    return handles


def build_core(collection: Any, rail: Any, path: LoopPath, material: Any, handles: SceneHandles) -> None:
    """The glow at the far end: a disc that rides ahead of the camera, brightest in the middle."""
    mesh = bpy.data.meshes.new("HX Core")
    half = 9.0
    mesh.from_pydata([(-half, 0, -half), (half, 0, -half), (half, 0, half), (-half, 0, half)], [], [(0, 1, 2, 3)])
    mesh.materials.append(material)
    core = bpy.data.objects.new("HX Core", mesh)
    collection.objects.link(core)
    carrier = rider(collection, rail, "HX Core Carrier")
    core.parent = carrier
    handles.bind("travel", carrier, OFFSET_PATH, gain=1 / path.length_m, offset=CORE_AHEAD_M / path.length_m)


def bind_materials(handles: SceneHandles, materials: dict[str, Any]) -> None:
    """Key the shared signals and the three emitters."""
    signals = materials["signals"]
    for letter, part, gain in zip("abc", ("rings", "strips", "accents"), (1.3, 1.5, 1.4), strict=False):
        upper = letter.upper()
        handles.bind_colour(f"colour_{letter}", signals, f'nodes["Colour {upper}"].outputs[0].default_value')
        handles.bind(f"light_{letter}", signals, f'nodes["Light {upper}"].outputs[0].default_value')
        tree = materials[part].node_tree
        handles.bind_colour(f"colour_{letter}", tree, 'nodes["Emission"].inputs[0].default_value')
        handles.bind(f"light_{letter}", tree, 'nodes["Emission"].inputs[1].default_value', gain=gain)
        # Workbench and the solid viewport show this colour; renders with shaders do not look at it.
        handles.bind_colour(f"colour_{letter}", materials[part], "diffuse_color")
    handles.bind_colour("colour_a", materials["hull"], "diffuse_color", gain=0.3)
    handles.bind_colour("colour_c", materials["core"], "diffuse_color")
    handles.bind("travel", signals, 'nodes["Phase"].outputs[0].default_value', gain=PULSE_SPEED / PULSE_M)
