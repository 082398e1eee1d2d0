"""The lagoon: monoliths in a black mirror sea under an aurora, built into a scene. Zone: bpy."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from ..core.errors import SceneError
from . import lagoon_geometry as shapes
from . import lagoon_motion as motion
from .framing import BACKDROP
from .lagoon_camera import build_cameras
from .lagoon_materials import lagoon_materials
from .meshes import add_motion, point_mesh, quad_mesh, store_vectors
from .nodes import bind_lights
from .rig import OWNED, SceneHandles

COLLECTION_NAME = "HX Lagoon"
# What the scene wants to be told, in the order of the channels' table.
CHANNELS = (
    *(f"{kind}_{letter}" for kind in ("colour", "light") for letter in "abc"),
    *motion.DRIVE,
    "roll",
    "zoom",
)
LAMPS = 84


def build_lagoon(scene: bpy.types.Scene, *, seed: int = 0, detail: str = "draft") -> SceneHandles:
    """Build the lagoon into ``scene`` and say which channel keys what; a world of the user's stays as it is.

    Args:
        scene: Receives the collection "HX Lagoon" with four cameras.
        seed: Chooses where the stones stand and how they are cut.
        detail: "draft", "preview" or "final".
    """
    if detail not in shapes.DETAILS:
        raise SceneError(f"There is no detail called {detail!r}.", f"Use {', '.join(shapes.DETAILS)}.")
    handles = SceneHandles()
    collection = bpy.data.collections.new(COLLECTION_NAME)
    scene.collection.children.link(collection)
    materials = lagoon_materials()
    drive = motion.lagoon_values()
    mirror = motion.mirror_motion(drive)
    build_stones(collection, materials, drive, mirror, seed, detail)
    build_sea(collection, materials, drive, detail)
    rng = np.random.default_rng(seed + 1)
    build_far(collection, materials, drive, rng)
    build_lamps(collection, materials, drive, rng)
    build_cameras(scene, collection, handles)
    bind_signals(handles, materials, drive)
    for part in (collection, *collection.objects):
        part[OWNED] = "lagoon"
    return handles


def place(collection: Any, name: str, mesh: Any, *trees: Any, mirrored: bool = False) -> Any:
    """An object with its motion; a mirrored one hangs head down under the sea."""
    thing = bpy.data.objects.new(name, mesh)
    collection.objects.link(thing)
    add_motion(thing, *trees)
    if mirrored:
        thing.scale[2] = -1.0
    return thing


def place_twice(collection: Any, name: str, mesh: Any, *trees: Any, sway: Any = None) -> Any:
    """An object and its mirror image, which shares everything with it; returns the object."""
    thing = place(collection, name, mesh, *trees)
    place(collection, f"{name} Mirrored", mesh, *trees, *([sway] if sway else []), mirrored=True)
    return thing


def build_stones(collection: Any, materials: dict[str, Any], drive: Any, mirror: Any, seed: int, detail: str) -> None:
    """The field of monoliths."""
    field = shapes.build_field(seed, detail)
    mesh = quad_mesh("HX Stones", field.points, field.quads, [materials["stones"]])
    for name in ("axis", "piece", "chance", "near"):
        store_vectors(mesh, f"hx_{name}", getattr(field, name))
    store_vectors(mesh, "hx_edge", field.edge, "CORNER")
    store_vectors(mesh, "hx_seam", field.seam, "FACE")
    place_twice(collection, "HX Stones", mesh, motion.field_motion(drive), sway=mirror)


def build_sea(collection: Any, materials: dict[str, Any], drive: Any, detail: str) -> None:
    """The sea."""
    mesh = quad_mesh("HX Sea", *shapes.sea_grid(detail), [materials["sea"]], smooth=True)
    place(collection, "HX Sea", mesh, motion.sea_motion(drive))
    set_back(collection, mesh, motion.SEA_BACK_M)


def build_far(collection: Any, materials: dict[str, Any], drive: Any, rng: np.random.Generator) -> None:
    """What is far away: sky, mountains, eclipse and aurora."""
    points, quads, marks, way = shapes.aurora_curtains(rng)
    curtains = quad_mesh("HX Aurora", points, quads, [materials["aurora"]])
    store_vectors(curtains, "hx_sheet", marks)
    store_vectors(curtains, "hx_tall", way)
    place_twice(collection, "HX Aurora", curtains, motion.aurora_motion(drive))
    set_back(collection, curtains, motion.AURORA_BACK_M)
    ridge = quad_mesh("HX Ridge", *shapes.ridge(rng), [materials["ridge"]])
    place_twice(collection, "HX Ridge", ridge)
    sky = place(collection, "HX Sky", quad_mesh("HX Sky", *shapes.ball(24, 48), [materials["sky"]]))
    sky.scale = (shapes.SKY_M, shapes.SKY_M, shapes.SKY_M)
    for thing in collection.objects:
        if thing.data in (sky.data, ridge):
            thing[BACKDROP] = True
    disc, corona = shapes.disc(np.array([0.0, 1.0]), 64), shapes.disc(np.linspace(0.0, 4.2, 12), 48)
    place_eclipse(collection, "HX Eclipse", quad_mesh("HX Eclipse", *disc, [materials["disc"]]), -2.0)
    streamers = quad_mesh("HX Corona", *corona, [materials["corona"]])
    place_eclipse(collection, "HX Corona", streamers, 2.0, motion.corona_motion(drive))


def set_back(collection: Any, mesh: Any, back_m: float) -> None:
    """Move the origin of what shows a mesh towards the eclipse, not the mesh: EEVEE draws clear things in the order of
    their origins, and the sea must cover the mirrored sky and nothing else."""
    mesh.transform(Matrix.Translation((0.0, -back_m, 0.0)))
    for thing in collection.objects:
        if thing.data == mesh:
            thing.location[1] = back_m


def place_eclipse(collection: Any, name: str, mesh: Any, behind_m: float, *trees: Any) -> None:
    """Stand a disc of radius 1 where the eclipse is, and its mirror image, drawn long by the waves."""
    for side, suffix in ((1.0, ""), (-1.0, " Mirrored")):
        part = place(collection, name + suffix, mesh, *trees)
        part.location = shapes.MOON_M * [1.0, 1.0, side] + [0.0, behind_m, 0.0]
        part.scale = shapes.MOON_RADIUS_M * np.array([1.0, 1.0, side])


def build_lamps(collection: Any, materials: dict[str, Any], drive: Any, rng: np.random.Generator) -> None:
    """Small lights that float over the water: instances of one lamp, each with its light on the water."""
    points, quads, sheet, kinds = shapes.lamp_shape()
    mesh = quad_mesh("HX Lamp", points, quads, [materials["lamp"], materials["pool"]])
    store_vectors(mesh, "hx_sheet", sheet)
    mesh.polygons.foreach_set("material_index", np.asarray(kinds, np.int32))
    lamp = place(collection, "HX Lamp", mesh)
    lamp.hide_render = lamp.hide_viewport = True
    places = point_mesh("HX Lamps", shapes.lamp_places(rng, LAMPS))
    place_twice(collection, "HX Lamps", places, motion.lamp_motion(drive, lamp))


def bind_signals(handles: SceneHandles, materials: dict[str, Any], drive: Any) -> None:
    """Key colours, lights and everything that moves."""
    signals = materials["signals"]
    bind_lights(handles, signals)
    handles.bind_value("travel", signals, "Phase", motion.PHASE_PER_M)
    # Workbench and the solid viewport show these colours; renders with shaders do not look at them.
    for letter, part in zip("abc", ("stones", "lamp", "aurora"), strict=True):
        handles.bind_colour(f"colour_{letter}", materials[part], "diffuse_color")
    for channel, (name, _) in motion.DRIVE.items():
        handles.bind_value(channel, drive, name, motion.PHASE_PER_M if channel == "travel" else 1.0)
