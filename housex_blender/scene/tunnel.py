"""The sci-fi tunnel: meshes, instances, materials, motion, cameras and lamp in a scene. Zone: bpy."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np

from ..core.errors import SceneError
from ..core.show_light import LIGHTS
from ..core.show_mix import COLOURS
from . import lamps
from .camera import build_cameras
from .hull import BAY_M, Shape
from .lighting import build_lamp
from .materials import Groups, tunnel_materials
from .meshes import add_motion, quad_mesh, store_vectors
from .module import DETAILS, build_module
from .nodes import bind_lights
from .path import LoopPath
from .rig import OWNED, SceneHandles
from .tunnel_air import build_air
from .tunnel_motion import VALUES, motion_trees, store_motion
from .tunnel_shading import WAVE_VALUES

COLLECTION_NAME = "HX Tunnel"
MODULE_NAME = "HX Tunnel Module"
# What the cameras, the light and the walls follow.
CHANNELS = (*COLOURS, *LIGHTS, *dict.fromkeys((*WAVE_VALUES.values(), *VALUES.values())), "roll", "drift", "zoom")
# Parts that show light which was worked out beforehand; all others are lamps.
LIT = ("hull", "floor")


def build_part(collection: Any, name: str, shape: Shape, path: LoopPath, material: Any, tree: Any) -> None:
    """A mesh object from a shape, bent along the path, with all its motion and its material need."""
    points, quads, surface = shape.arrays()
    # Tunnel coordinates (along, right, up) are left-handed in the world: turn the faces around.
    mesh = quad_mesh(f"HX {name.title()}", path.bend(points), quads[:, ::-1], [material])
    store_motion(mesh, points, shape.motion(), path)
    if name in LIT:
        light = lamps.bake_light(points, quads, surface[:, 3])
        add_colours(mesh, "hx_light", "BYTE_COLOR", "CORNER", light[:, ::-1])
        add_colours(mesh, "hx_surface", "BYTE_COLOR", "FACE", np.column_stack([surface[:, :3], np.ones(len(surface))]))
    else:
        store_vectors(mesh, "hx_lamp", lamps.lamp_places(points, quads)[:, ::-1], "CORNER")
    part = bpy.data.objects.new(mesh.name, mesh)
    collection.objects.link(part)
    add_motion(part, tree)


def add_colours(mesh: Any, name: str, kind: str, domain: str, values: Any) -> None:
    """Store (..., 4) linear colours on a mesh."""
    layer = mesh.attributes.new(name, kind, domain)
    layer.data.foreach_set("color", np.ascontiguousarray(values, dtype=np.float32).ravel())


def build_tunnel(scene: bpy.types.Scene, *, seed: int = 0, detail: str = "draft") -> SceneHandles:
    """Build the tunnel into ``scene`` and say which channel keys what.

    Args:
        scene: Receives the collection "HX Tunnel" with four cameras and a light.
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
    materials, groups = tunnel_materials(path)
    values, tree = motion_trees(path.module_m)
    for name, shape in build_module(seed, detail, round(path.module_m / BAY_M)).items():
        build_part(module, name, shape, path, materials[name], tree)
    for turn in range(1, path.n_modules):
        copy = bpy.data.objects.new(f"HX Tunnel {turn}", None)
        copy.instance_type, copy.instance_collection = "COLLECTION", module
        copy.rotation_euler[2] = 2 * np.pi * turn / path.n_modules
        copy.empty_display_size = 0.5
        collection.objects.link(copy)
    bind_signals(handles, materials, groups, values)
    rail = build_cameras(scene, collection, path, handles)
    build_lamp(collection, rail, handles)
    build_air(collection, module, rail, path, materials)
    for part in (collection, module, *collection.objects, *module.objects):
        part[OWNED] = "tunnel"
    return handles


def bind_signals(handles: SceneHandles, materials: dict[str, Any], groups: Groups, motion: Any) -> None:
    """Key the shared signals, the wave of light and the motion; two diffuse colours for viewports without shaders."""
    bind_lights(handles, groups.signals)
    for owner, channels in ((groups.wave, WAVE_VALUES), (motion, VALUES)):
        for node, channel in channels.items():
            handles.bind_value(channel, owner, node)
    # Workbench and the solid viewport show these; renders with shaders do not look at them.
    handles.bind_colour("colour_a", materials["rings"], "diffuse_color")
    handles.bind_colour("colour_b", materials["strips"], "diffuse_color")
