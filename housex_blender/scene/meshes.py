"""Meshes of our scenes from arrays, what is stored on them, what moves them, and what rides on a rail. Zone: bpy."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import bpy
import numpy as np


def quad_mesh(name: str, points: Any, quads: Any, materials: Iterable[Any] = (), *, smooth: bool = False) -> Any:
    """A mesh of quads.

    Args:
        name: Of the mesh.
        points: (n, 3) places, metres.
        quads: (m, 4) numbers of points, each face seen from outside counterclockwise; (0, 4) leaves bare points.
        materials: Fill the slots, in order.
        smooth: Shade over the edges.
    """
    mesh = bpy.data.meshes.new(name)
    mesh.vertices.add(len(points))
    mesh.vertices.foreach_set("co", np.asarray(points, np.float32).ravel())
    mesh.loops.add(np.size(quads))
    mesh.loops.foreach_set("vertex_index", np.asarray(quads, np.int32).ravel())
    mesh.polygons.add(len(quads))
    mesh.polygons.foreach_set("loop_start", np.arange(0, np.size(quads), 4, dtype=np.int32))
    mesh.polygons.foreach_set("use_smooth", np.full(len(quads), smooth))
    mesh.update(calc_edges=True)
    for material in materials:
        mesh.materials.append(material)
    return mesh


def point_mesh(name: str, points: Any) -> Any:
    """A mesh of bare (n, 3) points."""
    return quad_mesh(name, points, np.zeros((0, 4), np.int32))


def store_vectors(mesh: Any, name: str, rows: Any, domain: str = "POINT") -> None:
    """Store three numbers for each point, face ("FACE") or face corner ("CORNER") of a mesh: (n, 3)."""
    layer = mesh.attributes.new(name, "FLOAT_VECTOR", domain)
    layer.data.foreach_set("vector", np.asarray(rows, np.float32).ravel())


def add_motion(thing: Any, *trees: Any) -> None:
    """Let geometry node trees act on an object, one after the other."""
    for tree in trees:
        modifier = thing.modifiers.new("HX Motion", "NODES")
        modifier.node_group = tree


def build_rail(collection: Any, points: Any, length_m: float, tilt_rad: Any = None) -> Any:
    """A closed curve to ride on for ever, as an object that is not rendered; its evaluation time counts whole metres.

    Args:
        collection: Gets the object.
        points: (n, 3) places along it, metres.
        length_m: Once around.
        tilt_rad: (n,) how far it is banked at each point; None for upright.
    """
    curve = bpy.data.curves.new("HX Rail", "CURVE")
    curve.dimensions = "3D"
    spline = curve.splines.new("POLY")
    spline.points.add(len(points) - 1)
    spline.points.foreach_set("co", np.column_stack([points, np.ones(len(points))]).astype(np.float32).ravel())
    if tilt_rad is not None:
        spline.points.foreach_set("tilt", np.asarray(tilt_rad, np.float32))
    spline.use_cyclic_u = True
    curve.use_path = True
    curve.path_duration = round(length_m)
    rail = bpy.data.objects.new("HX Rail", curve)
    collection.objects.link(rail)
    rail.hide_render = True
    return rail


def build_rider(collection: Any, rail: Any, name: str, ahead: float = 0.0) -> Any:
    """An empty that rides on a rail; see :func:`follow`."""
    empty = bpy.data.objects.new(name, None)
    collection.objects.link(empty)
    follow(empty, rail, ahead)
    return empty


def follow(thing: Any, rail: Any, ahead: float = 0.0) -> Any:
    """Let an object ride on a curve whose evaluation time is keyed; returns the constraint.

    Args:
        thing: What rides.
        rail: Object with the curve.
        ahead: How far before the keyed place it rides, in the unit of the curve's evaluation time.
    """
    constraint = thing.constraints.new("FOLLOW_PATH")
    constraint.name, constraint.target, constraint.offset = "HX Rail", rail, -ahead
    return constraint


def look_at(thing: Any, target: Any) -> Any:
    """Turn an object to a target as a camera, upright; returns the constraint."""
    constraint = thing.constraints.new("TRACK_TO")
    constraint.target, constraint.track_axis, constraint.up_axis = target, "TRACK_NEGATIVE_Z", "UP_Y"
    return constraint
