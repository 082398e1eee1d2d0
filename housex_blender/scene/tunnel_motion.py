"""How the tunnel's walls move: one geometry node tree over what is stored on the points. Zone: bpy.

Keyed inside the tree "HX Tunnel Motion": the Value nodes in ``VALUES``. Every point knows which way is inwards, the
pivot of its plate, the plate's chance numbers and its role (see ``hull.Motion``); frames need no earlier frame.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .hull import Motion
from .nodes import fresh_motion, math, vector_math
from .path import Floats, LoopPath
from .tunnel_shading import SHOCK_RUN_M

TREE_NAME = "HX Tunnel Motion"
# Value node -> channel; a node's value is the channel's.
VALUES = {
    "Swell": "swell",
    "Shards": "shards",
    "Grid": "grid",
    "Slabs": "slabs",
    "Ribs": "ribs",
    "Shock": "shock",
    "Narrow": "narrow",
    "Open": "open",
    "Travel": "travel",
}
# No wall is pushed nearer to the axis; a spike that gathers at the middle of its plate ends a little nearer.
CLEAR_M = 3.62
_ATTRIBUTES = ("hx_in", "hx_pivot", "hx_chance", "hx_role", "hx_tube")
_TURN = 2 * np.pi


def store_motion(mesh: Any, points: Floats, motion: Motion, path: LoopPath) -> None:
    """Write what the tree reads onto the points of a mesh; ``points`` are tunnel points."""
    values = (path.turn(points[:, 0], motion.inward), path.bend(motion.pivot), motion.chance, motion.role, points)
    for name, rows in zip(_ATTRIBUTES, values, strict=True):
        layer = mesh.attributes.new(name, "FLOAT_VECTOR", "POINT")
        # coarse steps of a millimetre: nobody sees them, and the file is a third smaller
        layer.data.foreach_set("vector", np.round(rows, 3).astype(np.float32).ravel())


def motion_tree(module_m: float) -> Any:
    """Build the tree for modules of this length."""
    tree = fresh_motion(TREE_NAME)
    entry, output = tree.nodes.new("NodeGroupInput"), tree.nodes.new("NodeGroupOutput")
    plan = _Plan(tree)
    position = tree.nodes.new("GeometryNodeInputPosition").outputs[0]
    moved = tree.nodes.new("GeometryNodeSetPosition")
    tree.links.new(entry.outputs[0], moved.inputs["Geometry"])
    tree.links.new(plan.offset(position, module_m), moved.inputs["Offset"])
    tree.links.new(moved.outputs[0], output.inputs[0])
    return tree


class _Plan:
    """Sockets of one motion tree, and the formulas over them."""

    def __init__(self, tree: Any) -> None:
        self.tree = tree
        self.value = {name: self._value(name) for name in VALUES}
        self.inward, self.pivot, chance, role, tube = (self._attribute(name) for name in _ATTRIBUTES)
        self.chance = self._split(chance)
        self.lift, self.shrink, self.kind = self._split(role)
        self.along, right, up = self._split(tube)
        self.angle = self.op("ARCTAN2", up, right)
        self.radius = self.op("SQRT", self.op("ADD", self.op("MULTIPLY", right, right), self.op("MULTIPLY", up, up)))
        self.is_plate = self.op("LESS_THAN", self.kind, 0.5)
        self.is_rib = self.op("COMPARE", self.kind, 1.0, 0.1)
        self.is_wall = self.op("LESS_THAN", self.kind, 1.5)

    def op(self, operation: str, *parts: Any) -> Any:
        return math(self.tree, operation, *parts)

    def product(self, *parts: Any) -> Any:
        result = parts[0]
        for part in parts[1:]:
            result = self.op("MULTIPLY", result, part)
        return result

    def total(self, *parts: Any) -> Any:
        result = parts[0]
        for part in parts[1:]:
            result = self.op("ADD", result, part)
        return result

    def clamped(self, value: Any) -> Any:
        return self.op("MAXIMUM", self.op("MINIMUM", value, 1.0), 0.0)

    def soft_step(self, value: Any, low: float, high: float) -> Any:
        """0 below ``low``, 1 above ``high``, smooth between."""
        part = self.clamped(self.op("MULTIPLY", self.op("SUBTRACT", value, low), 1.0 / (high - low)))
        return self.product(part, part, self.op("SUBTRACT", 3.0, self.op("MULTIPLY", part, 2.0)))

    def wave(self, phase: Any) -> Any:
        """0..1 sine of a phase in turns."""
        return self.op("MULTIPLY_ADD", self.op("SINE", self.op("MULTIPLY", phase, _TURN)), 0.5, 0.5)

    def _value(self, name: str) -> Any:
        node = self.tree.nodes.new("ShaderNodeValue")
        node.name = node.label = name
        node.outputs[0].default_value = 1.0 if name == "Shock" else 0.0
        return node.outputs[0]

    def _attribute(self, name: str) -> Any:
        node = self.tree.nodes.new("GeometryNodeInputNamedAttribute")
        node.data_type = "FLOAT_VECTOR"
        node.inputs["Name"].default_value = name
        return node.outputs[0]

    def _split(self, vector: Any) -> Any:
        node = self.tree.nodes.new("ShaderNodeSeparateXYZ")
        self.tree.links.new(vector, node.inputs[0])
        return node.outputs

    # -- formulas: how far inwards, in metres ----------------------------------------------------------------

    def swell(self) -> Any:
        """Smooth hills that run down the tunnel in a screw, twice as fast as the camera."""
        turns = self.total(
            self.op("MULTIPLY", self.along, 1 / 30.0),
            self.op("MULTIPLY", self.value["Travel"], -1 / 15.0),
            self.op("MULTIPLY", self.angle, 2 / _TURN),
        )
        hill = self.wave(turns)
        return self.product(self.value["Swell"], self.lift, self.op("POWER", hill, 1.5), 2.3)

    def spike(self) -> Any:
        """0..1 how much of a spike a plate becomes: half of them stay flat."""
        return self.soft_step(self.chance[0], 0.45, 0.8)

    def shards(self, position: Any) -> Any:
        """Spikes of different lengths; all plates tilt like broken glass."""
        length = self.op("MULTIPLY_ADD", self.chance[1], 1.9, 0.9)
        spike = self.product(self.spike(), length)
        direction = vector_math(self.tree, "SUBTRACT", self._chance_vector(), self._constant(0.5))
        lean = self.tree.nodes.new("ShaderNodeVectorMath")
        lean.operation = "DOT_PRODUCT"
        self.tree.links.new(vector_math(self.tree, "SUBTRACT", position, self.pivot), lean.inputs[0])
        self.tree.links.new(direction, lean.inputs[1])
        tilt = self.product(lean.outputs["Value"], 1.3, self.is_plate)
        return self.product(self.value["Shards"], self.lift, self.is_plate, self.total(spike, tilt, 0.12))

    def grid(self) -> Any:
        """Cubes at one of four heights; each jumps to another one now and then."""
        turn = self.op("FLOOR", self.total(self.op("MULTIPLY", self.value["Travel"], 1 / 8.0), self.chance[1]))
        # the same again after a module, as every motion here, so that a loop has no seam
        turn = self.op("WRAP", turn, 15.0, 0.0)
        level = self.op("FRACT", self.total(self.product(self.chance[0], 7.31), self.op("MULTIPLY", turn, 0.618)))
        level = self.op("MULTIPLY", self.op("FLOOR", self.op("MULTIPLY", level, 4.0)), 1 / 3.0)
        return self.product(self.value["Grid"], self.lift, self.is_plate, level, 2.2)

    def slabs(self) -> Any:
        """A few whole blocks of wall that move in and out slowly."""
        turns = self.total(
            self.op("MULTIPLY", self.chance[2], 3.0), self.op("MULTIPLY", self.value["Travel"], 1 / 60.0)
        )
        out = self.soft_step(self.wave(turns), 0.45, 0.75)
        return self.product(self.value["Slabs"], self.lift, self.is_plate, out, 1.1)

    def ribs(self) -> Any:
        """Ribs and rings that contract in a wave; the plates between them give way."""
        turns = self.total(
            self.op("MULTIPLY", self.along, 1 / 24.0), self.op("MULTIPLY", self.value["Travel"], -1 / 15.0)
        )
        squeeze = self.op("POWER", self.wave(turns), 2.0)
        both = self.total(
            self.product(self.is_rib, 2.6, squeeze), self.product(self.is_plate, self.lift, squeeze, -0.12)
        )
        return self.product(self.value["Ribs"], both)

    def shock(self, module_m: float) -> Any:
        """A bulge that runs away from the camera."""
        ahead = self.op("WRAP", self.op("SUBTRACT", self.along, self.value["Travel"]), module_m - 10.0, -10.0)
        off = self.op("SUBTRACT", ahead, self.op("MULTIPLY", self.value["Shock"], SHOCK_RUN_M))
        off = self.op("MULTIPLY", off, 1 / 5.0)
        bulge = self.op("POWER", float(np.e), self.op("MULTIPLY", self.op("MULTIPLY", off, off), -1.0))
        left = self.op("SUBTRACT", 1.0, self.value["Shock"])
        return self.product(bulge, left, 1.1, self.op("MAXIMUM", self.lift, self.is_rib))

    def offset(self, position: Any, module_m: float) -> Any:
        """How far a point moves: about its pivot, and along its way inwards."""
        inwards = self.total(
            self.swell(),
            self.shards(position),
            self.grid(),
            self.slabs(),
            self.ribs(),
            self.shock(module_m),
            self.op("MULTIPLY", self.value["Narrow"], 2.2),
        )
        room = self.op("MAXIMUM", self.op("SUBTRACT", self.radius, CLEAR_M), 0.0)
        inwards = self.product(self.within(inwards, room), self.is_wall)
        away = self.op("MULTIPLY_ADD", self.chance[1], 3.2, 0.5)
        away = self.product(self.value["Open"], away, self.op("MINIMUM", self.op("MULTIPLY", self.shrink, 3.0), 1.0))
        straight = vector_math(self.tree, "SCALE", self.inward, scale=self.op("SUBTRACT", inwards, away))
        about = vector_math(self.tree, "SUBTRACT", position, self.pivot)
        factor = self.op("SUBTRACT", self.scale(), 1.0)
        return vector_math(self.tree, "ADD", straight, vector_math(self.tree, "SCALE", about, scale=factor))

    def within(self, inwards: Any, room: Any) -> Any:
        """The way inwards, held back more and more the less room is left, so that no hill is cut off flat."""
        push, pull = self.op("MAXIMUM", inwards, 0.0), self.op("MINIMUM", inwards, 0.0)
        part = self.op("DIVIDE", push, self.op("MAXIMUM", room, 0.01))
        used = self.op("SUBTRACT", 1.0, self.op("POWER", float(np.e), self.op("MULTIPLY", part, -1.0)))
        return self.op("MULTIPLY_ADD", room, used, pull)

    def scale(self) -> Any:
        """Size of a plate about its pivot."""
        gone = self.op("SUBTRACT", 1.0, self.product(self.value["Open"], self.shrink))
        shards = self.clamped(self.op("MULTIPLY", self.value["Shards"], 1.4))
        tip = self.op("SUBTRACT", 1.0, self.product(shards, self.spike(), self.lift, self.is_plate, 0.92))
        cubes = self.product(self.clamped(self.value["Grid"]), self.lift, self.is_plate, 0.2)
        return self.product(gone, tip, self.op("SUBTRACT", 1.0, cubes))

    def _chance_vector(self) -> Any:
        node = self.tree.nodes.new("ShaderNodeCombineXYZ")
        for socket, part in zip(node.inputs, self.chance, strict=True):
            self.tree.links.new(part, socket)
        return node.outputs[0]

    def _constant(self, value: float) -> Any:
        node = self.tree.nodes.new("ShaderNodeCombineXYZ")
        for socket in node.inputs:
            socket.default_value = value
        return node.outputs[0]
