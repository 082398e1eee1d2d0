"""A festival's main stage at night: LED wall, moving heads, lasers, smoke, and the crowd before it. Zone: bpy."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np

from . import stage_geometry, stage_lamps
from .compat import OWNED
from .framing import BACKDROP
from .meshes import add_motion, point_mesh, quad_mesh, store_vectors
from .nodes import bind_lights
from .rig import SceneHandles
from .stage_cameras import build_cameras
from .stage_crowd import POSES, build_crowd, person
from .stage_geometry import Pieces
from .stage_materials import stage_materials
from .stage_motion import (
    VALUES,
    crowd_motion,
    heads_motion,
    jets_motion,
    signals_motion,
    stage_values,
    stars_motion,
)

COLLECTION_NAME = "HX Stage"
PEOPLE_NAME = "HX Stage People"
# The channels that a stage needs, besides those of every show.
CHANNELS = (
    *(f"{kind}_{letter}" for kind in ("colour", "light") for letter in "abc"),
    *VALUES,
    "drift",
    "roll",
    "zoom",
)
# Sides of a truss's tube at each amount of geometry.
TUBE_SIDES = {"draft": 4, "preview": 6, "final": 8}
# What pictures with a transparent background leave out.
BACKDROPS = ("Sky", "Stars", "Hills", "Haze")
# Colours of Workbench: material, channel, share of the colour, and how solid it is.
FLAT = (("wall", "colour_a", 1.0, 1.0), ("steel", "colour_b", 0.6, 1.0), ("beams", "colour_c", 1.0, 0.25))


def build_stage(scene: bpy.types.Scene, *, seed: int = 0, detail: str = "draft") -> SceneHandles:
    """Build the stage into ``scene`` and say which channel keys what.

    Args:
        scene: Receives the collection "HX Stage" and four cameras.
        seed: Chooses how the crowd stands.
        detail: "draft", "preview" or "final".
    """
    handles = SceneHandles()
    collection = bpy.data.collections.new(COLLECTION_NAME)
    scene.collection.children.link(collection)
    people = bpy.data.collections.new(PEOPLE_NAME)
    collection.children.link(people)
    materials, values = stage_materials(), stage_values()
    still, heads = signals_motion(values), heads_motion(values)
    build_part(collection, "Sky", stage_geometry.build_sky(seed), materials["sky"], still)
    build_part(collection, "Stars", stage_geometry.build_stars(seed), materials["stars"], stars_motion(values))
    build_part(collection, "Hills", stage_geometry.build_hills(seed), materials["hills"])
    build_part(collection, "Floor", stage_geometry.build_floor(), materials["floor"], still)
    build_part(collection, "Steel", stage_geometry.build_steel(TUBE_SIDES[detail]), materials["steel"])
    build_part(collection, "Wall", stage_geometry.build_wall(), materials["wall"], still)
    build_part(collection, "Heads", stage_lamps.build_bodies(), materials["bodies"], heads)
    build_part(collection, "Beams", stage_lamps.build_beams(), materials["beams"], heads)
    build_part(collection, "Lasers", stage_lamps.build_lasers(), materials["lasers"], heads_motion(values, lasers=True))
    build_part(collection, "Blinders", stage_lamps.build_blinders(), materials["blinders"], still)
    build_part(collection, "Jets", stage_lamps.build_jets(), materials["jets"], jets_motion(values))
    build_part(collection, "Haze", stage_geometry.build_haze(seed), materials["haze"], still)
    build_people(collection, people, materials["crowd"], values, seed)
    bind_signals(handles, materials, values)
    build_cameras(scene, collection, handles)
    for part in (collection, people, *collection.objects, *people.objects):
        part[OWNED] = "stage"
    return handles


def build_mesh(name: str, pieces: Pieces, material: Any) -> Any:
    """A mesh with its marks as point attributes."""
    points, quads, marks = pieces.arrays()
    mesh = quad_mesh(name, points, quads, [material], smooth=True)
    for mark, rows in marks.items():
        store_vectors(mesh, mark, rows)
    return mesh


def build_part(collection: Any, name: str, pieces: Pieces, material: Any, motion: Any = None) -> Any:
    """An object of the stage; ``motion`` is the geometry node tree that moves or marks it."""
    part = bpy.data.objects.new(f"HX Stage {name}", build_mesh(f"HX Stage {name}", pieces, material))
    collection.objects.link(part)
    if name in BACKDROPS:
        part[BACKDROP] = True
    if motion is not None:
        add_motion(part, motion)
    return part


def build_people(collection: Any, store: Any, material: Any, values: Any, seed: int) -> None:
    """The shapes of people, which nobody sees, and a point for each of the crowd."""
    shapes = [build_part(store, f"Person {number + 1}", person(number), material) for number in range(len(POSES))]
    for shape in shapes:
        shape.hide_render = shape.hide_viewport = True
    crowd = build_crowd(seed)
    mesh = point_mesh("HX Stage Crowd", crowd.places)
    store_vectors(mesh, "hx_traits", crowd.traits)
    poses: Any = mesh.attributes.new("hx_pose", "INT", "POINT")
    poses.data.foreach_set("value", crowd.poses.astype(np.int32))
    mesh.materials.append(material)
    thing = bpy.data.objects.new("HX Stage Crowd", mesh)
    collection.objects.link(thing)
    add_motion(thing, crowd_motion(values, shapes))


def bind_signals(handles: SceneHandles, materials: dict[str, Any], values: Any) -> None:
    """Key the lights, the numbers of the motion, and what Workbench shows."""
    bind_lights(handles, materials["signals"])
    for channel, name in VALUES.items():
        handles.bind_value(channel, values, name)
    for name, channel, gain, solid in FLAT:
        materials[name].diffuse_color[3] = solid
        handles.bind_colour(channel, materials[name], "diffuse_color", gain=gain)
    for name, level, solid in (
        ("floor", 0.02, 1.0),
        ("crowd", 0.01, 1.0),
        ("hills", 0.004, 1.0),
        ("sky", 0.0, 1.0),
        ("bodies", 0.05, 1.0),
        ("blinders", 0.3, 1.0),
        ("lasers", 0.3, 0.2),
        ("jets", 0.5, 0.1),
        ("haze", 0.0, 0.0),
        ("stars", 0.0, 0.0),
    ):
        materials[name].diffuse_color = (level, level, level, solid)
