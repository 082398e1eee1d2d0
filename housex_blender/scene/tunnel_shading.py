"""Node groups of the tunnel's shaders: the wave of light, what a wet plate mirrors, the haze. Zone: bpy.

All light is worked out in the shader from what is stored on the mesh: no light is sampled and no ray bounces, so a
frame has no noise, and Cycles and EEVEE show the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .formula import Num, Vec, attribute, vector, view_distance
from .hull import BAY_M, FLOOR_M, RADIUS_M, corners
from .nodes import fresh_group, use_group
from .path import LoopPath

# How far the pulse of a kick and the shock of a drop run ahead of the camera, in metres. The pulse sets off where it
# fills the picture most: from the camera itself its light would grow after the kick, and the kick look late.
PULSE_FROM_M, PULSE_RUN_M, SHOCK_RUN_M = 14.0, 70.0, 110.0
WAVE_VALUES = {"Pulse": "pulse", "Pulse At": "pulse_at", "Shock": "shock"}
# Mirrored lamps lie on a round wall of this radius.
_WALL_M = 0.94 * RADIUS_M
_MIRROR_M = 34.0


def wave_group() -> Any:
    """Node group "HX Wave": how much more light there is at a distance from the camera.

    Keyed inside: the Value nodes in ``WAVE_VALUES``. A kick sends a front of light with a tail down the tunnel, a
    drop a slower and brighter one.
    """
    tree = fresh_group("HX Wave")
    tree.interface.new_socket("Distance", in_out="INPUT", socket_type="NodeSocketFloat")
    tree.interface.new_socket("Light", in_out="OUTPUT", socket_type="NodeSocketFloat")
    entry, output = tree.nodes.new("NodeGroupInput"), tree.nodes.new("NodeGroupOutput")
    value = {}
    for row, name in enumerate(WAVE_VALUES):
        node = tree.nodes.new("ShaderNodeValue")
        node.name = node.label = name
        node.location = (-600, -150 * row)
        node.outputs[0].default_value = 0.0 if name == "Pulse" else 1.0
        value[name] = Num(tree, node.outputs[0])
    far = Num(tree, entry.outputs[0])
    behind = value["Pulse At"] * PULSE_RUN_M + PULSE_FROM_M - far
    front, tail = ((behind.abs() * (-1 / length_m)).exp() for length_m in (2.5, 11.0))
    kick = front.mix(tail, behind.over(0.0)) * value["Pulse"] * 2.6
    hit = (far - value["Shock"] * SHOCK_RUN_M).bump(6.0) * (1.0 - value["Shock"]) * 3.0
    # beside the camera it would only blind
    calm = far.bump(9.0) * -0.8 + 1.0
    tree.links.new(((kick + hit) * calm).socket, output.inputs[0])
    return tree


def wave_at(wave: Any, distance: Num) -> Num:
    """1 plus the travelling light at a distance from the camera."""
    node = use_group(distance.tree, wave)
    distance.tree.links.new(distance.socket, node.inputs[0])
    return Num(distance.tree, node.outputs[0]) + 1.0


def mirror_group(wave: Any, path: LoopPath) -> Any:
    """Node group "HX Mirror": what a ray off this surface meets in the tunnel.

    Takes roughness and a normal; gives how much it sees of the rings, the strips and the far end. The ray is followed
    to a round wall with rings every bay and the strips in its corners; rough surfaces see them wider and dimmer.
    """
    tree = fresh_group("HX Mirror")
    tree.interface.new_socket("Roughness", in_out="INPUT", socket_type="NodeSocketFloat")
    tree.interface.new_socket("Normal", in_out="INPUT", socket_type="NodeSocketVector")
    for name in ("Rings", "Strips", "Far"):
        tree.interface.new_socket(name, in_out="OUTPUT", socket_type="NodeSocketFloat")
    entry, output = tree.nodes.new("NodeGroupInput"), tree.nodes.new("NodeGroupOutput")
    rough = Num(tree, entry.outputs["Roughness"])
    along, right, up = attribute(tree, "hx_tube").parts()
    ray, sight = _ray(tree, Vec(tree, entry.outputs["Normal"]))
    ray_f, ray_r, ray_u = (ray.dot(axis) for axis in _axes(along, path))
    # where it leaves a round wall, by the quadratic formula
    a = (ray_r * ray_r + ray_u * ray_u).most(1e-4)
    b = right * ray_r + up * ray_u
    c = (right * right + up * up - _WALL_M**2).least(-0.5)
    way = (((b * b - a * c).sqrt() - b) / a).least(400.0)
    met_along, met_right, met_up = (way * part + start for part, start in ((ray_f, along), (ray_r, right), (ray_u, up)))
    blur = rough * way * 0.7
    ring_width, strip_width = blur + 0.22, blur + 0.14
    rings = met_along.back_and_forth(BAY_M / 2).bump(ring_width) * (0.22 / ring_width)
    rings = rings * (met_up.over(FLOOR_M + 0.15) * 0.85 + 0.15)
    low, high = (
        vector(tree, met_right.abs() - float(corner[0]), met_up - float(corner[1]), 0.0).length().bump(strip_width)
        for corner in corners()[[0, 3]] * 0.955
    )
    strips = (low + high) * (0.14 / strip_width)
    clear = way.bump(_MIRROR_M)
    lit = clear * wave_at(wave, way * ray.dot(sight) + view_distance(tree))
    hidden = 1.0 - clear
    for name, value in (("Rings", rings * lit), ("Strips", strips * lit), ("Far", hidden * hidden)):
        tree.links.new(value.socket, output.inputs[name])
    return tree


def _ray(tree: Any, normal: Vec) -> tuple[Vec, Vec]:
    """The mirrored ray and the line of sight, both in the space of the module: its copies are turned."""
    sight = -Vec(tree, tree.nodes.new("ShaderNodeNewGeometry").outputs["Incoming"])
    turned = []
    for way in (sight.reflect(normal), sight):
        local = tree.nodes.new("ShaderNodeVectorTransform")
        local.vector_type, local.convert_from, local.convert_to = "VECTOR", "WORLD", "OBJECT"
        tree.links.new(way.socket, local.inputs[0])
        turned.append(Vec(tree, local.outputs[0]))
    return turned[0], turned[1]


def _axes(along: Num, path: LoopPath) -> tuple[Vec, Vec, Vec]:
    """Forward, right and up of the tunnel at a distance along; the formulas of ``path.LoopPath``."""
    wave = along * (2 * np.pi / path.module_m)
    heading = along * (2 * np.pi / path.length_m) + wave.sin() * path.sway_rad
    slope = (wave + 1.0).cos() * (path.climb_m * 2 * np.pi / path.module_m)
    sine, cosine = heading.sin(), heading.cos()
    forward, right = vector(along.tree, cosine, sine, slope).unit(), vector(along.tree, sine, -cosine, 0.0)
    return forward, right, right.cross(forward)


def haze_group(signals: Any) -> Any:
    """Node group "HX Haze": a surface fades with its distance, and far behind it the air glows in the accent.

    Between the two lies darkness, so that no colour is mixed with another.
    """
    tree = fresh_group("HX Haze")
    for name in ("Colour", "Reach"):
        kind = "NodeSocketVector" if name == "Colour" else "NodeSocketFloat"
        tree.interface.new_socket(name, in_out="INPUT", socket_type=kind)
    tree.interface.new_socket("Seen", in_out="OUTPUT", socket_type="NodeSocketVector")
    entry, output = tree.nodes.new("NodeGroupInput"), tree.nodes.new("NodeGroupOutput")
    far, air = view_distance(tree), Vec(tree, use_group(tree, signals).outputs["C"])
    clear = far.bump(Num(tree, entry.outputs["Reach"]))
    thick = 1.0 - far.bump(78.0)
    seen = Vec(tree, entry.outputs["Colour"]) * clear + air * (thick**2.5 * 0.6)
    tree.links.new(seen.socket, output.inputs[0])
    return tree
