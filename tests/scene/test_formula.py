"""Formulas in node trees give the numbers that they read as, in geometry nodes evaluated on one point."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from housex_blender.scene import meshes  # noqa: E402
from housex_blender.scene.formula import Num, Vec, vector  # noqa: E402
from housex_blender.scene.motion import Motion, values_group  # noqa: E402

HALF = 0.6


def worked_out(scene: Any, formula: Callable[[Motion], Vec]) -> list[float]:
    """What a formula gives at the point (3, 4, 0), where the keyed number "Half" is 0.6."""
    motion = Motion("HX Test", values_group("HX Test Values", {"None": 0.0, "Half": HALF}))
    motion.store("hx_result", formula(motion))
    thing = bpy.data.objects.new("HX Test", meshes.point_mesh("HX Test", [(3.0, 4.0, 0.0)]))
    scene.collection.objects.link(thing)
    meshes.add_motion(thing, motion.finish())
    mesh = thing.evaluated_get(bpy.context.evaluated_depsgraph_get()).data
    return list(mesh.attributes["hx_result"].data[0].vector)


def numbers(formula: Callable[[Num], tuple[Num, Num, Num]]) -> Callable[[Motion], Vec]:
    """Three numbers that are made of the keyed one."""
    return lambda motion: vector(motion.tree, *formula(motion.value["Half"]))


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        (lambda x: (2.0 - x, 1.0 / x, -x), (1.4, 1 / 0.6, -0.6)),
        (lambda x: (x + 1.0, 3.0 * x, x**2.0), (1.6, 1.8, 0.36)),
        (lambda x: (x.sin(), x.cos(), x.exp()), (math.sin(0.6), math.cos(0.6), math.exp(0.6))),
        (lambda x: ((x * 4.0).floor(), (x * 4.0).fract(), (-x).abs()), (2.0, 0.4, 0.6)),
        (lambda x: (x.least(0.5), x.most(0.9), (x * 9.0).clip()), (0.5, 0.9, 1.0)),
        (lambda x: (x.over(0.5), x.over(0.7), x.sqrt()), (1.0, 0.0, math.sqrt(0.6))),
        (lambda x: (x.step(0.5, 0.7), x.step(0.7, 0.5), x.step(0.8, 0.9)), (0.5, 0.5, 0.0)),
        (lambda x: (x.bump(0.6), (x - 0.6).bump(1.0), x.mix(1.0, x)), (math.exp(-1.0), 1.0, 0.84)),
    ],
)
def test_numbers_follow_their_formula(scene, formula, expected) -> None:
    assert worked_out(scene, numbers(formula)) == pytest.approx(expected, abs=1e-5)


def test_vectors_follow_their_formula(scene) -> None:
    def formula(motion: Motion) -> Vec:
        here, x = motion.position(), vector(motion.tree, 1.0, 0.0, 0.0)
        turned = x.cross(here.unit())  # (0, 0, 0.8)
        parts = (-here).times(vector(motion.tree, 2.0, 1.0, 1.0))  # (-6, -4, 0)
        return turned + parts + (here.dot(x) + here.length()).grey() * 0.5 - x.mix(here, motion.value["Half"])

    assert worked_out(scene, formula) == pytest.approx((-6 + 4 - 2.2, -4 + 4 - 2.4, 0.8 + 4), abs=1e-5)


def test_motions_act_one_after_the_other(scene) -> None:
    first, second = (
        Motion("HX Up", values_group("HX One", {"One": 1.0})),
        Motion("HX Twice", values_group("HX None", {})),
    )
    first.place(first.position() + first.value["One"].grey())
    second.place(second.position() * 2.0)
    thing = bpy.data.objects.new("HX Test", meshes.point_mesh("HX Test", [(3.0, 4.0, 0.0)]))
    scene.collection.objects.link(thing)
    meshes.add_motion(thing, first.finish(), second.finish())
    mesh = thing.evaluated_get(bpy.context.evaluated_depsgraph_get()).data
    assert list(mesh.vertices[0].co) == pytest.approx((8.0, 10.0, 2.0))


def test_a_mesh_of_quads_keeps_its_faces_and_what_is_stored_on_them() -> None:
    points = [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0), (2, 0, 0), (2, 1, 0)]
    material = bpy.data.materials.new("HX Test")
    mesh = meshes.quad_mesh("HX Test", points, np.array([(0, 1, 2, 3), (1, 4, 5, 2)]), [material])
    meshes.store_vectors(mesh, "hx_face", [(1, 2, 3), (4, 5, 6)], "FACE")
    assert [tuple(face.vertices) for face in mesh.polygons] == [(0, 1, 2, 3), (1, 4, 5, 2)]
    assert all(face.normal.z == pytest.approx(1.0) and not face.use_smooth for face in mesh.polygons)
    assert tuple(mesh.attributes["hx_face"].data[1].vector) == (4.0, 5.0, 6.0)
    assert list(mesh.materials) == [material]
    assert len(mesh.edges) == 7
    assert not mesh.validate()
