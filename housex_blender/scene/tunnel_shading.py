"""Node groups of the tunnel's shaders: the wave of light, what a wet plate mirrors, the haze. Zone: bpy.

All light is worked out in the shader from what is stored on the mesh: no light is sampled and no ray bounces, so a
frame has no noise, and Cycles and EEVEE show the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .hull import BAY_M, FLOOR_M, RADIUS_M, corners
from .nodes import fresh_group, math, use_group, vector_math
from .path import LoopPath

# How far the pulse of a kick and the shock of a drop run ahead of the camera, in metres. The pulse sets off where it
# fills the picture most: from the camera itself its light would grow after the kick, and the kick look late.
PULSE_FROM_M, PULSE_RUN_M, SHOCK_RUN_M = 14.0, 70.0, 110.0
WAVE_VALUES = {"Pulse": "pulse", "Pulse At": "pulse_at", "Shock": "shock"}
# Mirrored lamps lie on a round wall of this radius.
_WALL_M = 0.94 * RADIUS_M
_MIRROR_M = 34.0


def number(tree: Any, operation: str, first: Any, second: Any = None) -> Any:
    """Value socket of a Vector Math node: DOT_PRODUCT, LENGTH."""
    node = tree.nodes.new("ShaderNodeVectorMath")
    node.operation = operation
    tree.links.new(first, node.inputs[0])
    if second is not None:
        tree.links.new(second, node.inputs[1])
    return node.outputs["Value"]


def combine(tree: Any, *parts: Any) -> Any:
    """A vector of three numbers or sockets."""
    node = tree.nodes.new("ShaderNodeCombineXYZ")
    for socket, part in zip(node.inputs, parts, strict=True):
        if isinstance(part, (int, float)):
            socket.default_value = part
        else:
            tree.links.new(part, socket)
    return node.outputs[0]


def bell(tree: Any, distance: Any, width: Any) -> Any:
    """exp(-(distance / width)^2)."""
    part = math(tree, "DIVIDE", distance, width)
    return math(tree, "POWER", float(np.e), math(tree, "MULTIPLY", math(tree, "MULTIPLY", part, part), -1.0))


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
        value[name] = node.outputs[0]
    front_m = math(tree, "MULTIPLY_ADD", value["Pulse At"], PULSE_RUN_M, PULSE_FROM_M)
    behind = math(tree, "SUBTRACT", front_m, entry.outputs[0])
    tail = math(tree, "POWER", float(np.e), math(tree, "MULTIPLY", math(tree, "ABSOLUTE", behind), -1 / 11.0))
    front = math(tree, "POWER", float(np.e), math(tree, "MULTIPLY", math(tree, "ABSOLUTE", behind), -1 / 2.5))
    passed = math(tree, "GREATER_THAN", behind, 0.0)
    band = math(tree, "ADD", front, math(tree, "MULTIPLY", passed, math(tree, "SUBTRACT", tail, front)))
    kick = math(tree, "MULTIPLY", math(tree, "MULTIPLY", band, value["Pulse"]), 2.6)
    off = math(tree, "SUBTRACT", entry.outputs[0], math(tree, "MULTIPLY", value["Shock"], SHOCK_RUN_M))
    left = math(tree, "SUBTRACT", 1.0, value["Shock"])
    hit = math(tree, "MULTIPLY", math(tree, "MULTIPLY", bell(tree, off, 6.0), left), 3.0)
    # beside the camera it would only blind
    calm = math(tree, "MULTIPLY_ADD", bell(tree, entry.outputs[0], 9.0), -0.8, 1.0)
    tree.links.new(math(tree, "MULTIPLY", math(tree, "ADD", kick, hit), calm), output.inputs[0])
    return tree


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
    rough = entry.outputs["Roughness"]
    along, right, up = _place(tree)
    ray, sight = _ray(tree, entry.outputs["Normal"])
    ray_f, ray_r, ray_u = (number(tree, "DOT_PRODUCT", ray, axis) for axis in _axes(tree, along, path))

    def times(first: Any, second: Any) -> Any:
        return math(tree, "MULTIPLY", first, second)

    a = math(tree, "MAXIMUM", math(tree, "ADD", times(ray_r, ray_r), times(ray_u, ray_u)), 1e-4)
    b = math(tree, "ADD", times(right, ray_r), times(up, ray_u))
    c = math(tree, "SUBTRACT", math(tree, "ADD", times(right, right), times(up, up)), _WALL_M**2)
    c = math(tree, "MINIMUM", c, -0.5)
    root = math(tree, "SQRT", math(tree, "SUBTRACT", times(b, b), times(a, c)))
    way = math(tree, "MINIMUM", math(tree, "DIVIDE", math(tree, "SUBTRACT", root, b), a), 400.0)
    met_along, met_right, met_up = (
        math(tree, "MULTIPLY_ADD", way, part, start) for part, start in ((ray_f, along), (ray_r, right), (ray_u, up))
    )
    blur = times(times(rough, way), 0.7)
    ring_width = math(tree, "ADD", blur, 0.22)
    rings = times(
        bell(tree, math(tree, "PINGPONG", met_along, BAY_M / 2), ring_width), math(tree, "DIVIDE", 0.22, ring_width)
    )
    above = math(tree, "GREATER_THAN", met_up, FLOOR_M + 0.15)
    rings = times(rings, math(tree, "MULTIPLY_ADD", above, 0.85, 0.15))
    strip_width = math(tree, "ADD", blur, 0.14)
    strips = None
    for corner in corners()[[0, 3]] * 0.955:
        place = combine(tree, math(tree, "SUBTRACT", math(tree, "ABSOLUTE", met_right), float(corner[0])),
                        math(tree, "SUBTRACT", met_up, float(corner[1])), 0.0)  # fmt: skip
        one = bell(tree, number(tree, "LENGTH", place), strip_width)
        strips = one if strips is None else math(tree, "ADD", strips, one)
    strips = times(strips, math(tree, "DIVIDE", 0.14, strip_width))
    clear = bell(tree, way, _MIRROR_M)
    camera = tree.nodes.new("ShaderNodeCameraData")
    turn = number(tree, "DOT_PRODUCT", ray, sight)
    reach = math(tree, "MULTIPLY_ADD", way, turn, camera.outputs["View Distance"])
    lit = use_group(tree, wave)
    tree.links.new(reach, lit.inputs[0])
    more = math(tree, "ADD", lit.outputs[0], 1.0)
    hidden = math(tree, "SUBTRACT", 1.0, clear)
    for socket, value in zip(
        output.inputs, (times(times(rings, clear), more), times(times(strips, clear), more), times(hidden, hidden)),
        strict=False,
    ):  # fmt: skip
        tree.links.new(value, socket)
    return tree


def _place(tree: Any) -> Any:
    """Along, right and up of the shaded point."""
    tube = tree.nodes.new("ShaderNodeAttribute")
    tube.attribute_name = "hx_tube"
    parts = tree.nodes.new("ShaderNodeSeparateXYZ")
    tree.links.new(tube.outputs["Vector"], parts.inputs[0])
    return parts.outputs


def _ray(tree: Any, normal: Any) -> tuple[Any, Any]:
    """The mirrored ray and the line of sight, both in the space of the module: its copies are turned."""
    geometry = tree.nodes.new("ShaderNodeNewGeometry")
    sight = vector_math(tree, "SCALE", geometry.outputs["Incoming"], scale=-1.0)
    turned = []
    for vector in (vector_math(tree, "REFLECT", sight, normal), sight):
        local = tree.nodes.new("ShaderNodeVectorTransform")
        local.vector_type, local.convert_from, local.convert_to = "VECTOR", "WORLD", "OBJECT"
        tree.links.new(vector, local.inputs[0])
        turned.append(local.outputs[0])
    return turned[0], turned[1]


def _axes(tree: Any, along: Any, path: LoopPath) -> tuple[Any, Any, Any]:
    """Forward, right and up of the tunnel at a distance along; the formulas of ``path.LoopPath``."""
    wave = math(tree, "MULTIPLY", along, 2 * np.pi / path.module_m)
    sway = math(tree, "MULTIPLY", math(tree, "SINE", wave), path.sway_rad)
    heading = math(tree, "MULTIPLY_ADD", along, 2 * np.pi / path.length_m, sway)
    slope = math(tree, "COSINE", math(tree, "ADD", wave, 1.0))
    slope = math(tree, "MULTIPLY", slope, path.climb_m * 2 * np.pi / path.module_m)
    sine, cosine = math(tree, "SINE", heading), math(tree, "COSINE", heading)
    forward = vector_math(tree, "NORMALIZE", combine(tree, cosine, sine, slope))
    right = combine(tree, sine, math(tree, "MULTIPLY", cosine, -1.0), 0.0)
    return forward, right, vector_math(tree, "CROSS_PRODUCT", right, forward)


def haze_group(signals: Any) -> Any:
    """Node group "HX Haze": a surface fades with its distance, and far behind it the air glows in the accent.

    Between the two lies darkness, so that no colour is mixed with another.
    """
    tree = fresh_group("HX Haze")
    for name in ("Colour", "Reach"):
        kind = "NodeSocketVector" if name == "Colour" else "NodeSocketFloat"
        tree.interface.new_socket(name, in_out="INPUT", socket_type=kind)
    tree.interface.new_socket("Shader", in_out="OUTPUT", socket_type="NodeSocketShader")
    entry, output = tree.nodes.new("NodeGroupInput"), tree.nodes.new("NodeGroupOutput")
    camera = tree.nodes.new("ShaderNodeCameraData")
    clear = bell(tree, camera.outputs["View Distance"], entry.outputs["Reach"])
    thick = math(tree, "SUBTRACT", 1.0, bell(tree, camera.outputs["View Distance"], 78.0))
    glow = math(tree, "MULTIPLY", math(tree, "POWER", thick, 2.5), 0.6)
    air = use_group(tree, signals)
    seen = vector_math(
        tree,
        "ADD",
        vector_math(tree, "SCALE", entry.outputs["Colour"], scale=clear),
        vector_math(tree, "SCALE", air.outputs["C"], scale=glow),
    )
    emission = tree.nodes.new("ShaderNodeEmission")
    tree.links.new(seen, emission.inputs["Color"])
    tree.links.new(emission.outputs[0], output.inputs[0])
    return tree
