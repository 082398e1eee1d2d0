"""What moves the lagoon: geometry nodes over numbers that every point carries, keyed in one group. Zone: bpy."""

from __future__ import annotations

from math import pi
from typing import Any

from ..core.scene_kinds import LOOP_M
from .formula import Num, Vec, vector
from .lagoon_geometry import MOON_M, MOON_RADIUS_M
from .motion import Motion, values_group

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


class LagoonMotion(Motion):
    """A tree in which places count from the middle of the lagoon, wherever the object's origin is (``back_m`` towards
    the eclipse)."""

    def __init__(self, name: str, drive: Any, back_m: float = 0.0) -> None:
        super().__init__(name, drive)
        self.back_m = back_m
        self.here = self.position()
        if back_m:
            self.here = self.here + vector(self.tree, 0.0, back_m, 0.0)

    def place(self, position: Vec) -> None:
        """Put every point there, counted from the middle of the lagoon."""
        super().place(position + vector(self.tree, 0.0, -self.back_m, 0.0) if self.back_m else position)

    def waves(self, away: Num) -> tuple[Num, Num]:
        """Height of the beat's rings and of the drop's shock wave (both 0..1) at a distance from the centre."""
        value = self.value
        part = (away / RING_M - value["Pulse At"]).fract()
        offset = part.least(1.0 - part) * RING_M
        strength = (0.3 + value["Pulse"] * 0.7) * (1.0 - value["Open"] * 0.6)
        ring = offset.bump(1.25) * (away / -42.0).exp() * strength
        left = 1.0 - value["Shock"]
        front = away - value["Shock"] * SHOCK_M
        shock = front.bump(4.0 + value["Shock"] * 26.0) * left**1.8
        return ring, shock

    def flash(self, shock: Num) -> Num:
        """Light of the shock wave: it comes closer between the kicks, and yet the kicks stay the peaks."""
        return shock * (0.22 + self.value["Pulse"] * 0.78)


def lagoon_values() -> Any:
    """Geometry node group "HX Lagoon Drive": one keyed Value node for each channel of DRIVE."""
    return values_group("HX Lagoon Drive", dict(DRIVE.values()))


def field_motion(drive: Any) -> Any:
    """Monoliths: five characters, rising and sinking, closing in, and the waves that pass."""
    m = LagoonMotion("HX Lagoon Field", drive)
    d = m.value
    axis, piece, chance, near = (m.named(name) for name in ("hx_axis", "hx_piece", "hx_chance", "hx_near"))
    foot_x, foot_y, height = axis.parts()
    first = chance.parts()[0]
    near_x, near_y, heavy = near.parts()
    foot = vector(m.tree, foot_x, foot_y, 0.0)
    away = foot.length()
    level = (piece.parts()[2] / height).clip()
    ring, shock = m.waves(away)
    # stones glow around their seams with the kicks, and towards a drop, while other lights go out
    embers = d["Narrow"] * 0.6 + d["Pulse"] * (1.0 - d["Open"]) * 0.7
    m.store("hx_wave", vector(m.tree, ring, m.flash(shock), embers))
    m.store("hx_rest", m.here)
    outward = piece - vector(m.tree, foot_x, foot_y, piece.parts()[2])
    local = _turned_pieces(m, m.here - piece, chance, d["Shards"] * level)
    local = local * (1.0 - d["Grid"] * 0.24 * level)
    apart = outward * (d["Grid"] * level * 0.75 + d["Shards"] * level * first * 1.1)
    breath = (piece.parts()[2] * 1.15 - d["Pulse At"] * (2 * pi)).sin()
    rib = d["Ribs"] * breath * (0.16 + d["Pulse"] * 0.3) * (level * 5.0).least(1.0)
    place = piece + (local + apart) + (outward + local).times(vector(m.tree, rib, rib, 0.0))
    lift = _lift(m, axis, level, chance, heavy, ring * 0.5 + shock * 3.0)
    x, y, z = (place + vector(m.tree, near_x * d["Narrow"], near_y * d["Narrow"], lift)).parts()
    m.place(vector(m.tree, x, y, z.most(WATERLINE_M)))
    return m.finish()


def _lift(m: LagoonMotion, axis: Vec, level: Num, chance: Vec, heavy: Num, wave: Num) -> Num:
    """How far a piece rises.

    Args:
        m: The tree.
        axis: Foot and height of its stone.
        level: Where it is between the sea (0) and the top (1).
        chance: Its random numbers.
        heavy: 1 in a stone that rises like a slab.
        wave: Height of the water's waves there.
    """
    d = m.value
    foot_x, foot_y, height = axis.parts()
    first, second, third = chance.parts()
    left = 1.0 - d["Shock"]
    return (
        d["Swell"] * ((foot_x + foot_y * 0.7) * 0.075 - d["Phase"]).sin() * 3.4
        + d["Grid"] * level * (d["Phase"] + first * (2 * pi)).sin() * second.over(0.45) * 0.8
        + d["Shards"] * level * third * 1.5
        + d["Slabs"] * (heavy * 5.2 + 0.6)
        + d["Slabs"] * level * (0.25 + heavy * 0.75) * (height * 0.2)
        + d["Ripple"] * level * first * 0.5
        + d["Narrow"] * height * 0.3
        + d["Open"] * height * -0.58
        + left * left * height * 0.34
        + wave * (level * 4.0).least(1.0)
    )


def _turned_pieces(m: LagoonMotion, local: Vec, chance: Vec, amount: Num) -> Vec:
    """Points about the middle of their piece, each piece tilted about an axis of its own."""
    node = m.tree.nodes.new("ShaderNodeVectorRotate")
    node.rotation_type = "AXIS_ANGLE"
    first, second, third = chance.parts()
    m.tree.links.new(local.socket, node.inputs["Vector"])
    m.tree.links.new(vector(m.tree, second - 0.5, third - 0.5, 0.15).socket, node.inputs["Axis"])
    m.tree.links.new((amount * ((first - 0.35) * 1.5)).socket, node.inputs["Angle"])
    return Vec(m.tree, node.outputs[0])


def sea_motion(drive: Any) -> Any:
    """The sea: rings on the beat, the shock wave of a drop, and how choppy it is for the shader."""
    m = LagoonMotion("HX Lagoon Sea", drive, SEA_BACK_M)
    x, y, _ = m.here.parts()
    ring, shock = m.waves(m.here.length())
    chop = (0.35 + m.value["Ripple"] * 0.65) * (1.0 - m.value["Open"] * 0.6)
    m.store("hx_wave", vector(m.tree, ring, m.flash(shock), chop))
    tall = (m.here.length() / -60.0).exp() * 2.4
    m.place(vector(m.tree, x, y, ring * 0.4 + shock * tall))
    return m.finish()


def aurora_motion(drive: Any) -> Any:
    """Curtains: they wave with the way travelled and unfold when the music opens."""
    m = LagoonMotion("HX Lagoon Aurora", drive, AURORA_BACK_M)
    d = m.value
    along, up, _ = m.named("hx_sheet").parts()
    tall_m = m.named("hx_tall").parts()[2]
    x, y, z = m.here.parts()
    wave = (along * 9.0 + d["Phase"]).sin() * 0.05 + (along * 21.0 - d["Phase"] * (5 / 3)).sin() * 0.022
    wide = 1.0 + wave
    taller = up * tall_m * (d["Open"] * 0.7 - d["Narrow"] * 0.35)
    m.store("hx_open", vector(m.tree, d["Open"], d["Narrow"], 0.0))
    m.place(vector(m.tree, x * wide, y * wide, z + taller))
    return m.finish()


def corona_motion(drive: Any) -> Any:
    """The eclipse's corona: it swells with each kick and flares on a drop."""
    m = LagoonMotion("HX Lagoon Corona", drive)
    d = m.value
    left = 1.0 - d["Shock"]
    flare = d["Pulse"] * 0.14 + d["Open"] * 0.3 + left * left * 0.75
    m.store("hx_place", vector(m.tree, *m.here.parts()))
    x, y, z = (m.here * (flare + 1.0)).parts()
    # it ends at the horizon, where its mirror image begins
    m.place(vector(m.tree, x, y, z.most(float(-MOON_M[2] / MOON_RADIUS_M))))
    return m.finish()


def lamp_motion(drive: Any, lamp: Any) -> Any:
    """Floating lights: one object on each point, bobbing, higher while the sea is open."""
    m = LagoonMotion("HX Lagoon Lamps", drive)
    x, y, z = m.here.parts()
    bob = (m.value["Phase"] * 3.0 + (x * 1.7 + y)).sin() * 0.12
    rise = 1.0 + m.value["Open"] * 0.9 + m.value["Narrow"] * -0.4
    m.place(vector(m.tree, x, y, (z * rise + bob).most(0.2)))
    info, spread = m.tree.nodes.new("GeometryNodeObjectInfo"), m.tree.nodes.new("GeometryNodeInstanceOnPoints")
    info.inputs["Object"].default_value = lamp
    info.inputs["As Instance"].default_value = True
    m.tree.links.new(m.geometry, spread.inputs["Points"])
    m.tree.links.new(info.outputs["Geometry"], spread.inputs["Instance"])
    size = 1.0 + m.value["Pulse"] * 0.2
    m.tree.links.new(size.grey().socket, spread.inputs["Scale"])
    m.geometry = spread.outputs["Instances"]
    return m.finish()


def mirror_motion(drive: Any) -> Any:
    """Mirror images sway a little, the more the farther from the water: what low waves do to them."""
    m = LagoonMotion("HX Lagoon Mirror", drive)
    x, y, z = m.here.parts()
    tall = (z.most(0.0) * 0.05).least(0.5)
    calm = 1.0 - m.value["Open"] * 0.6
    sway = (z * 2.4 - m.value["Phase"] * 4.0).sin() * tall * calm * 0.5
    m.place(vector(m.tree, x + sway, y, z))
    return m.finish()
