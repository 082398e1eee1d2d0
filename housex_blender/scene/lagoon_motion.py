"""What moves the lagoon: geometry nodes over numbers that every point carries, keyed in one group. Zone: bpy."""

from __future__ import annotations

from functools import partial
from math import pi
from typing import Any

from ..core.scene_kinds import LOOP_M
from .lagoon_geometry import MOON_M, MOON_RADIUS_M
from .nodes import fresh_motion, math, vector_math

# Channel -> what it is called in the group, its value at rest.
DRIVE = {
    "swell": ("Swell", 0.0),
    "shards": ("Shards", 0.0),
    "grid": ("Grid", 0.0),
    "slabs": ("Slabs", 0.0),
    "ribs": ("Ribs", 0.0),
    "ripple": ("Ripple", 0.0),
    "narrow": ("Narrow", 0.0),
    "open": ("Open", 0.0),
    "pulse": ("Pulse", 0.0),
    "pulse_at": ("Pulse At", 0.0),
    "shock": ("Shock", 1.0),
    "travel": ("Phase", 0.0),
}
# After so many metres of the mix's own ride the picture is the same again: a lap of the cameras.
LAP_M = LOOP_M["lagoon"]
# The slow waves turn so often in a lap; what is quicker or slower goes in whole turns of a lap as well.
LAP_TURNS = 3
PHASE_PER_M = 2 * pi * LAP_TURNS / LAP_M
# Distance between two rings on the water: one beat's way. A ring goes on where it was when the next beat begins.
RING_M = 24.0
SHOCK_M = 330.0
# What stands under water is pressed flat here, so that the mirror image holds nothing of it.
WATERLINE_M = -0.06
# How far towards the eclipse the origins of the sea and of the aurora are: EEVEE draws clear things in that order.
SEA_BACK_M, AURORA_BACK_M = 1200.0, 3000.0


class Sums:
    """Arithmetic in a node tree that reads like arithmetic."""

    def __init__(self, tree: Any) -> None:
        self.tree = tree
        self.add, self.sub, self.mul, self.div = (
            partial(math, tree, name) for name in ("ADD", "SUBTRACT", "MULTIPLY", "DIVIDE")
        )
        self.sin, self.exp, self.power, self.fract, self.most, self.least, self.size, self.over = (
            partial(math, tree, name)
            for name in ("SINE", "EXPONENT", "POWER", "FRACT", "MAXIMUM", "MINIMUM", "ABSOLUTE", "GREATER_THAN")
        )
        self.plus, self.minus, self.times, self.scale = (
            partial(vector_math, tree, name) for name in ("ADD", "SUBTRACT", "MULTIPLY", "SCALE")
        )

    def product(self, *factors: Any) -> Any:
        """All factors multiplied."""
        result = factors[0]
        for factor in factors[1:]:
            result = self.mul(result, factor)
        return result

    def total(self, *terms: Any) -> Any:
        """All terms added."""
        result = terms[0]
        for term in terms[1:]:
            result = self.add(result, term)
        return result

    def clamp(self, value: Any, low: float = 0.0, high: float = 1.0) -> Any:
        """A value held between two bounds."""
        return self.least(self.most(value, low), high)

    def bump(self, offset: Any, width: Any) -> Any:
        """1 where ``offset`` is 0, falling away like a bell of that width."""
        part = self.div(offset, width)
        return self.exp(self.mul(self.mul(part, part), -1.0))

    def vector(self, x: Any, y: Any, z: Any) -> Any:
        """A vector of three numbers."""
        node = self.tree.nodes.new("ShaderNodeCombineXYZ")
        for socket, value in zip(node.inputs, (x, y, z), strict=True):
            if isinstance(value, (int, float)):
                socket.default_value = value
            else:
                self.tree.links.new(value, socket)
        return node.outputs[0]

    def split(self, vector: Any) -> Any:
        """The three numbers of a vector."""
        node = self.tree.nodes.new("ShaderNodeSeparateXYZ")
        self.tree.links.new(vector, node.inputs[0])
        return node.outputs

    def strongest(self, colour: Any) -> Any:
        """The greatest part of a colour, in a shader."""
        node = self.tree.nodes.new("ShaderNodeSeparateColor")
        node.mode = "HSV"
        self.tree.links.new(colour, node.inputs[0])
        return node.outputs[2]

    def length(self, vector: Any) -> Any:
        """Length of a vector."""
        node = self.tree.nodes.new("ShaderNodeVectorMath")
        node.operation = "LENGTH"
        self.tree.links.new(vector, node.inputs[0])
        return node.outputs["Value"]

    def dot(self, first: Any, second: Any) -> Any:
        """Inner product of two vectors."""
        node = self.tree.nodes.new("ShaderNodeVectorMath")
        node.operation = "DOT_PRODUCT"
        self.tree.links.new(first, node.inputs[0])
        self.tree.links.new(second, node.inputs[1])
        return node.outputs["Value"]


class Motion(Sums):
    """A geometry node tree under construction; places count from the middle of the lagoon, wherever the object's
    origin is (``back_m`` towards the eclipse)."""

    def __init__(self, name: str, drive: Any, back_m: float = 0.0) -> None:
        super().__init__(fresh_motion(name))
        nodes = self.tree.nodes
        self.entry, self.output = nodes.new("NodeGroupInput"), nodes.new("NodeGroupOutput")
        self.geometry = self.entry.outputs[0]
        node: Any = nodes.new("GeometryNodeGroup")
        node.node_tree = drive
        self.drive = node.outputs
        self.position: Any = nodes.new("GeometryNodeInputPosition").outputs[0]
        if back_m:
            self.position = self.plus(self.position, self.vector(0.0, back_m, 0.0))
        self.back_m = back_m

    def given(self, name: str) -> Any:
        """A vector that the points carry."""
        node = self.tree.nodes.new("GeometryNodeInputNamedAttribute")
        node.data_type = "FLOAT_VECTOR"
        node.inputs[0].default_value = name
        return node.outputs[0]

    def keep(self, name: str, vector: Any) -> None:
        """Store a vector on the points for the shaders."""
        node = self.tree.nodes.new("GeometryNodeStoreNamedAttribute")
        node.data_type, node.domain = "FLOAT_VECTOR", "POINT"
        node.inputs["Name"].default_value = name
        self.tree.links.new(vector, node.inputs["Value"])
        self.through(node)

    def move(self, place: Any) -> None:
        """Put the points there."""
        node = self.tree.nodes.new("GeometryNodeSetPosition")
        if self.back_m:
            place = self.plus(place, self.vector(0.0, -self.back_m, 0.0))
        self.tree.links.new(place, node.inputs["Position"])
        self.through(node)

    def through(self, node: Any) -> None:
        """Send the geometry through a node."""
        self.tree.links.new(self.geometry, node.inputs["Geometry"])
        self.geometry = node.outputs["Geometry"]

    def done(self) -> Any:
        """The finished tree."""
        self.tree.links.new(self.geometry, self.output.inputs[0])
        return self.tree

    def waves(self, away: Any) -> tuple[Any, Any]:
        """Height of the beat's rings and of the drop's shock wave (both 0..1) at a distance from the centre."""
        drive = self.drive
        part = self.fract(self.sub(self.div(away, RING_M), drive["Pulse At"]))
        offset = self.mul(self.least(part, self.sub(1.0, part)), RING_M)
        strength = self.mul(self.add(0.3, self.mul(drive["Pulse"], 0.7)), self.sub(1.0, self.mul(drive["Open"], 0.6)))
        ring = self.product(self.bump(offset, 1.25), self.exp(self.div(away, -42.0)), strength)
        left = self.sub(1.0, drive["Shock"])
        front = self.sub(away, self.mul(drive["Shock"], SHOCK_M))
        shock = self.mul(self.bump(front, self.add(4.0, self.mul(drive["Shock"], 26.0))), self.power(left, 1.8))
        return ring, shock

    def flash(self, shock: Any) -> Any:
        """Light of the shock wave: it comes closer between the kicks, and yet the kicks stay the peaks."""
        return self.mul(shock, self.add(0.22, self.mul(self.drive["Pulse"], 0.78)))


def drive_group() -> Any:
    """Geometry node group "HX Lagoon Drive": one keyed Value node for each channel of DRIVE, and their outputs."""
    tree = fresh_motion("HX Lagoon Drive")
    tree.interface.clear()
    output = tree.nodes.new("NodeGroupOutput")
    for name, rest in DRIVE.values():
        tree.interface.new_socket(name, in_out="OUTPUT", socket_type="NodeSocketFloat")
        value = tree.nodes.new("ShaderNodeValue")
        value.name = value.label = name
        value.outputs[0].default_value = rest
        tree.links.new(value.outputs[0], output.inputs[name])
    return tree


def field_motion(drive: Any) -> Any:
    """Monoliths: five characters, rising and sinking, closing in, and the waves that pass."""
    m = Motion("HX Lagoon Field", drive)
    d = m.drive
    axis, piece, chance, near = (m.given(name) for name in ("hx_axis", "hx_piece", "hx_chance", "hx_near"))
    foot_x, foot_y, height = m.split(axis)
    first = m.split(chance)[0]
    near_x, near_y, heavy = m.split(near)
    foot = m.vector(foot_x, foot_y, 0.0)
    away = m.length(foot)
    level = m.clamp(m.div(m.split(piece)[2], height))
    ring, shock = m.waves(away)
    m.keep("hx_wave", m.vector(ring, m.flash(shock), 0.0))
    m.keep("hx_rest", m.position)
    outward = m.minus(piece, m.vector(foot_x, foot_y, m.split(piece)[2]))
    local = _turned_pieces(m, m.minus(m.position, piece), chance, m.mul(d["Shards"], level))
    local = m.scale(local, scale=m.sub(1.0, m.product(d["Grid"], 0.24, level)))
    apart = m.scale(
        outward, scale=m.total(m.product(d["Grid"], level, 0.75), m.product(d["Shards"], level, first, 1.1))
    )
    breath = m.sin(m.sub(m.mul(m.split(piece)[2], 1.15), m.mul(d["Pulse At"], 2 * pi)))
    rib = m.product(d["Ribs"], breath, m.add(0.16, m.mul(d["Pulse"], 0.3)), m.least(m.mul(level, 5.0), 1.0))
    place = m.plus(m.plus(piece, m.plus(local, apart)), m.times(m.plus(outward, local), m.vector(rib, rib, 0.0)))
    lift = _lift(m, axis, level, chance, heavy, m.add(m.mul(ring, 0.5), m.mul(shock, 3.0)))
    x, y, z = m.split(m.plus(place, m.vector(m.mul(near_x, d["Narrow"]), m.mul(near_y, d["Narrow"]), lift)))
    m.move(m.vector(x, y, m.most(z, WATERLINE_M)))
    return m.done()


def _lift(m: Motion, axis: Any, level: Any, chance: Any, heavy: Any, wave: Any) -> Any:
    """How far a piece rises.

    Args:
        m: The tree.
        axis: Foot and height of its stone.
        level: Where it is between the sea (0) and the top (1).
        chance: Its random numbers.
        heavy: 1 in a stone that rises like a slab.
        wave: Height of the water's waves there.
    """
    d = m.drive
    foot_x, foot_y, height = m.split(axis)
    first, second, third = m.split(chance)
    left = m.sub(1.0, d["Shock"])
    return m.total(
        m.product(d["Swell"], m.sin(m.sub(m.mul(m.add(foot_x, m.mul(foot_y, 0.7)), 0.075), d["Phase"])), 3.4),
        m.product(d["Grid"], level, m.sin(m.add(d["Phase"], m.mul(first, 2 * pi))), m.over(second, 0.45), 0.8),
        m.product(d["Shards"], level, third, 1.5),
        m.product(d["Slabs"], m.add(m.mul(heavy, 5.2), 0.6)),
        m.product(d["Slabs"], level, m.add(0.25, m.mul(heavy, 0.75)), m.mul(height, 0.2)),
        m.product(d["Ripple"], level, first, 0.5),
        m.product(d["Narrow"], height, 0.3),
        m.product(d["Open"], height, -0.58),
        m.product(left, left, height, 0.34),
        m.mul(wave, m.least(m.mul(level, 4.0), 1.0)),
    )


def _turned_pieces(m: Motion, local: Any, chance: Any, amount: Any) -> Any:
    """Points about the middle of their piece, each piece tilted about an axis of its own."""
    node = m.tree.nodes.new("ShaderNodeVectorRotate")
    node.rotation_type = "AXIS_ANGLE"
    first, second, third = m.split(chance)
    m.tree.links.new(local, node.inputs["Vector"])
    m.tree.links.new(m.vector(m.sub(second, 0.5), m.sub(third, 0.5), 0.15), node.inputs["Axis"])
    m.tree.links.new(m.mul(amount, m.mul(m.sub(first, 0.35), 1.5)), node.inputs["Angle"])
    return node.outputs[0]


def sea_motion(drive: Any) -> Any:
    """The sea: rings on the beat, the shock wave of a drop, and how choppy it is for the shader."""
    m = Motion("HX Lagoon Sea", drive, SEA_BACK_M)
    x, y, _ = m.split(m.position)
    ring, shock = m.waves(m.length(m.position))
    chop = m.mul(m.add(0.35, m.mul(m.drive["Ripple"], 0.65)), m.sub(1.0, m.mul(m.drive["Open"], 0.6)))
    m.keep("hx_wave", m.vector(ring, m.flash(shock), chop))
    tall = m.mul(m.exp(m.div(m.length(m.position), -60.0)), 2.4)
    m.move(m.vector(x, y, m.add(m.mul(ring, 0.4), m.mul(shock, tall))))
    return m.done()


def aurora_motion(drive: Any) -> Any:
    """Curtains: they wave with the way travelled and unfold when the music opens."""
    m = Motion("HX Lagoon Aurora", drive, AURORA_BACK_M)
    d = m.drive
    along, up, _ = m.split(m.given("hx_sheet"))
    tall_m = m.split(m.given("hx_tall"))[2]
    x, y, z = m.split(m.position)
    wave = m.add(
        m.mul(m.sin(m.add(m.mul(along, 9.0), d["Phase"])), 0.05),
        m.mul(m.sin(m.sub(m.mul(along, 21.0), m.mul(d["Phase"], 5 / 3))), 0.022),
    )
    wide = m.add(1.0, wave)
    taller = m.product(up, tall_m, m.sub(m.mul(d["Open"], 0.7), m.mul(d["Narrow"], 0.35)))
    m.keep("hx_open", m.vector(d["Open"], d["Narrow"], 0.0))
    m.move(m.vector(m.mul(x, wide), m.mul(y, wide), m.add(z, taller)))
    return m.done()


def corona_motion(drive: Any) -> Any:
    """The eclipse's corona: it swells with each kick and flares on a drop."""
    m = Motion("HX Lagoon Corona", drive)
    d = m.drive
    left = m.sub(1.0, d["Shock"])
    flare = m.total(m.mul(d["Pulse"], 0.14), m.mul(d["Open"], 0.3), m.mul(m.mul(left, left), 0.75))
    m.keep("hx_place", m.vector(*m.split(m.position)))
    x, y, z = m.split(m.scale(m.position, scale=m.add(flare, 1.0)))
    # it ends at the horizon, where its mirror image begins
    m.move(m.vector(x, y, m.most(z, float(-MOON_M[2] / MOON_RADIUS_M))))
    return m.done()


def lamp_motion(drive: Any, lamp: Any) -> Any:
    """Floating lights: one object on each point, bobbing, higher while the sea is open."""
    m = Motion("HX Lagoon Lamps", drive)
    x, y, z = m.split(m.position)
    bob = m.mul(m.sin(m.add(m.mul(m.drive["Phase"], 3.0), m.add(m.mul(x, 1.7), y))), 0.12)
    rise = m.total(1.0, m.mul(m.drive["Open"], 0.9), m.mul(m.drive["Narrow"], -0.4))
    m.move(m.vector(x, y, m.most(m.add(m.mul(z, rise), bob), 0.2)))
    info, spread = m.tree.nodes.new("GeometryNodeObjectInfo"), m.tree.nodes.new("GeometryNodeInstanceOnPoints")
    info.inputs["Object"].default_value = lamp
    info.inputs["As Instance"].default_value = True
    m.tree.links.new(m.geometry, spread.inputs["Points"])
    m.tree.links.new(info.outputs["Geometry"], spread.inputs["Instance"])
    size = m.add(1.0, m.mul(m.drive["Pulse"], 0.2))
    m.tree.links.new(m.vector(size, size, size), spread.inputs["Scale"])
    m.geometry = spread.outputs["Instances"]
    return m.done()


def mirror_motion(drive: Any) -> Any:
    """Mirror images sway a little, the more the farther from the water: what low waves do to them."""
    m = Motion("HX Lagoon Mirror", drive)
    x, y, z = m.split(m.position)
    tall = m.least(m.mul(m.most(z, 0.0), 0.05), 0.5)
    calm = m.sub(1.0, m.mul(m.drive["Open"], 0.6))
    sway = m.product(m.sin(m.sub(m.mul(z, 2.4), m.mul(m.drive["Phase"], 4.0))), tall, calm, 0.5)
    m.move(m.vector(m.add(x, sway), y, z))
    return m.done()
