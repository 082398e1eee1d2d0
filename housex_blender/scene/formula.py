"""Sums written as sums: numbers in a shader or geometry node tree that can be added, scaled and bent. Zone: bpy."""

from __future__ import annotations

from typing import Any

from .nodes import math, vector_math


class Num:
    """A number somewhere in a node tree; every operation adds one node."""

    def __init__(self, tree: Any, socket: Any) -> None:
        self.tree, self.socket = tree, socket

    def _new(self, operation: str, first: Any, second: Any = 0.0) -> Num:
        sockets = [one.socket if isinstance(one, Num) else one for one in (first, second)]
        return Num(self.tree, math(self.tree, operation, *sockets))

    def __add__(self, other: Num | float) -> Num:
        return self._new("ADD", self, other)

    __radd__ = __add__

    def __sub__(self, other: Num | float) -> Num:
        return self._new("SUBTRACT", self, other)

    def __rsub__(self, other: float) -> Num:
        return self._new("SUBTRACT", other, self)

    def __mul__(self, other: Num | float) -> Num:
        return self._new("MULTIPLY", self, other)

    __rmul__ = __mul__

    def __truediv__(self, other: Num | float) -> Num:
        return self._new("DIVIDE", self, other)

    def __rtruediv__(self, other: float) -> Num:
        return self._new("DIVIDE", other, self)

    def __neg__(self) -> Num:
        return self * -1.0

    def __pow__(self, other: Num | float) -> Num:
        return self._new("POWER", self, other)

    def sin(self) -> Num:
        """Sine of radians."""
        return self._new("SINE", self)

    def cos(self) -> Num:
        """Cosine of radians."""
        return self._new("COSINE", self)

    def exp(self) -> Num:
        """e to the power of the number."""
        return self._new("EXPONENT", self)

    def floor(self) -> Num:
        """The whole number below."""
        return self._new("FLOOR", self)

    def fract(self) -> Num:
        """What is above the whole number below."""
        return self._new("FRACT", self)

    def abs(self) -> Num:
        """Without sign."""
        return self._new("ABSOLUTE", self)

    def sqrt(self) -> Num:
        """Square root."""
        return self._new("SQRT", self)

    def back_and_forth(self, period: float) -> Num:
        """Up to ``period`` and down to 0 again, over and over."""
        return self._new("PINGPONG", self, period)

    def angle(self, right: Num) -> Num:
        """Radians from the right to the place (right, this)."""
        return self._new("ARCTAN2", self, right)

    def least(self, other: Num | float) -> Num:
        """The smaller of two."""
        return self._new("MINIMUM", self, other)

    def most(self, other: Num | float) -> Num:
        """The larger of two."""
        return self._new("MAXIMUM", self, other)

    def over(self, other: Num | float) -> Num:
        """1 where it is larger than the other, else 0."""
        return self._new("GREATER_THAN", self, other)

    def clip(self) -> Num:
        """Kept within 0..1."""
        return self.most(0.0).least(1.0)

    def step(self, low: float, high: float) -> Num:
        """0 below ``low``, 1 above ``high``, straight between; the other way round where low is above high."""
        return ((self - low) * (1.0 / (high - low))).clip()

    def wave(self) -> Num:
        """0..1..0 for each 1 of the number, smooth."""
        return (self * 6.283185).sin() * 0.5 + 0.5

    def bump(self, width: Num | float) -> Num:
        """1 at 0, smoothly down to nothing beyond about twice the width (a bell)."""
        near = self / width
        return (-(near * near)).exp()

    def mix(self, other: Num | float, part: Num) -> Num:
        """This one where ``part`` is 0, the other where it is 1."""
        return self + (other - self) * part if isinstance(other, Num) else self + (-(self - other)) * part

    def grey(self) -> Vec:
        """A vector or a colour with this number in all three parts."""
        return vector(self.tree, self, self, self)


class Vec:
    """A vector or a colour in a node tree."""

    def __init__(self, tree: Any, socket: Any) -> None:
        self.tree, self.socket = tree, socket

    def _new(self, operation: str, other: Vec | None = None) -> Vec:
        return Vec(self.tree, vector_math(self.tree, operation, self.socket, None if other is None else other.socket))

    def __add__(self, other: Vec) -> Vec:
        return self._new("ADD", other)

    def __sub__(self, other: Vec) -> Vec:
        return self._new("SUBTRACT", other)

    def __mul__(self, factor: Num | float) -> Vec:
        scale = factor.socket if isinstance(factor, Num) else factor
        return Vec(self.tree, vector_math(self.tree, "SCALE", self.socket, scale=scale))

    def __neg__(self) -> Vec:
        return self * -1.0

    def times(self, other: Vec) -> Vec:
        """Part by part."""
        return self._new("MULTIPLY", other)

    def unit(self) -> Vec:
        """The same direction, of length 1."""
        return self._new("NORMALIZE")

    def floor(self) -> Vec:
        """The whole numbers below."""
        return self._new("FLOOR")

    def fract(self) -> Vec:
        """What is above the whole numbers below."""
        return self._new("FRACTION")

    def reflect(self, normal: Vec) -> Vec:
        """What a mirror with this normal makes of the direction."""
        return self._new("REFLECT", normal)

    def cross(self, other: Vec) -> Vec:
        """Vector product."""
        return self._new("CROSS_PRODUCT", other)

    def dot(self, other: Vec) -> Num:
        """Inner product."""
        return self._value("DOT_PRODUCT", other)

    def length(self) -> Num:
        """Length."""
        return self._value("LENGTH", None)

    def mix(self, other: Vec, part: Num) -> Vec:
        """This one where ``part`` is 0, the other where it is 1."""
        return self + (other - self) * part

    def _value(self, operation: str, other: Vec | None) -> Num:
        result = self._new(operation, other)
        return Num(self.tree, result.socket.node.outputs["Value"])

    def strongest(self) -> Num:
        """The greatest part of a colour, in a shader."""
        node = self.tree.nodes.new("ShaderNodeSeparateColor")
        node.mode = "HSV"
        self.tree.links.new(self.socket, node.inputs[0])
        return Num(self.tree, node.outputs[2])

    def dull(self) -> Num:
        """How far a dim light of this colour is seen as olive or brown, 0..1: red and green, but no blue."""
        red, green, blue = self.parts()
        return ((red.least(green * 2.5) - blue) / self.strongest().most(0.01)).clip()

    def parts(self) -> tuple[Num, Num, Num]:
        """Its three components."""
        node = self.tree.nodes.new("ShaderNodeSeparateXYZ")
        self.tree.links.new(self.socket, node.inputs[0])
        x, y, z = (Num(self.tree, socket) for socket in node.outputs)
        return x, y, z


def vector(tree: Any, x: Num | float, y: Num | float, z: Num | float) -> Vec:
    """A vector of three numbers."""
    node = tree.nodes.new("ShaderNodeCombineXYZ")
    for socket, value in zip(node.inputs, (x, y, z), strict=True):
        if isinstance(value, Num):
            tree.links.new(value.socket, socket)
        else:
            socket.default_value = value
    return Vec(tree, node.outputs[0])


def attribute(tree: Any, name: str, kind: str = "GEOMETRY") -> Vec:
    """A vector or colour that a mesh, or with "INSTANCER" an instance, carries to its shader."""
    node = tree.nodes.new("ShaderNodeAttribute")
    node.attribute_name, node.attribute_type = name, kind
    return Vec(tree, node.outputs["Vector"])


def noise(place: Vec, scale: float, detail: float) -> tuple[Num, Vec]:
    """Value and colour of a soft noise at a place, 0..1, in a shader."""
    node = place.tree.nodes.new("ShaderNodeTexNoise")
    node.inputs["Scale"].default_value, node.inputs["Detail"].default_value = scale, detail
    place.tree.links.new(place.socket, node.inputs["Vector"])
    return Num(place.tree, node.outputs[0]), Vec(place.tree, node.outputs[1])


def view_distance(tree: Any) -> Num:
    """Metres from the camera, in a shader."""
    return Num(tree, tree.nodes.new("ShaderNodeCameraData").outputs["View Distance"])


def shine(tree: Any, colour: Vec, clear: Vec | None = None) -> None:
    """Let a material shine in a colour; ``clear`` is the share of each colour of what shines through from behind."""
    output, emission = tree.nodes.new("ShaderNodeOutputMaterial"), tree.nodes.new("ShaderNodeEmission")
    tree.links.new(colour.socket, emission.inputs["Color"])
    shader = emission.outputs[0]
    if clear is not None:
        see, both = tree.nodes.new("ShaderNodeBsdfTransparent"), tree.nodes.new("ShaderNodeAddShader")
        tree.links.new(clear.socket, see.inputs["Color"])
        tree.links.new(shader, both.inputs[0])
        tree.links.new(see.outputs[0], both.inputs[1])
        shader = both.outputs[0]
    tree.links.new(shader, output.inputs["Surface"])
