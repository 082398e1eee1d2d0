"""How the tunnel's walls move: one geometry node tree over what is stored on the points. Zone: bpy.

Keyed: the Value nodes in ``VALUES``, in the group "HX Tunnel Motion". Every point knows which way is inwards, the
pivot of its plate, the plate's chance numbers and its role (see ``hull.Motion``); frames need no earlier frame.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import hull
from .formula import Num, Vec, vector
from .meshes import store_vectors
from .motion import Motion, values_group
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
    "Pulse": "pulse",
    "Shock": "shock",
    "Narrow": "narrow",
    "Open": "open",
    "Travel": "travel",
}
CHARACTERS = ("Swell", "Shards", "Grid", "Slabs", "Ribs")
# No wall is pushed nearer to the axis; a spike that gathers at the middle of its plate ends a little nearer.
CLEAR_M = 3.62
# On a kick every form grows by this part, and all walls jump by up to so many metres, as strongly as forms stand.
KICK_GROWS, KICK_JUMP_M = 0.45, 0.6
_ATTRIBUTES = ("hx_in", "hx_pivot", "hx_chance", "hx_role", "hx_tube")
_TURN = 2 * np.pi


def store_motion(mesh: Any, points: Floats, motion: hull.Motion, path: LoopPath) -> None:
    """Write what the tree reads onto the points of a mesh; ``points`` are tunnel points."""
    values = (path.turn(points[:, 0], motion.inward), path.bend(motion.pivot), motion.chance, motion.role, points)
    for name, rows in zip(_ATTRIBUTES, values, strict=True):
        # coarse steps of a millimetre: nobody sees them, and the file is a third smaller
        store_vectors(mesh, name, np.round(rows, 3))


def motion_trees(module_m: float) -> tuple[Any, Any]:
    """The group with the keyed numbers, and the tree that moves the walls, for modules of this length."""
    values = values_group(TREE_NAME, {name: 1.0 if name == "Shock" else 0.0 for name in VALUES})
    motion = Motion("HX Tunnel Walls", values)
    position = motion.position()
    motion.place(position + _Walls(motion).offset(position, module_m))
    return values, motion.finish()


class _Walls:
    """What the points of the walls know, and how far inwards each form pushes them, in metres."""

    def __init__(self, motion: Motion) -> None:
        self.value = motion.value
        self.inward, self.pivot, chance, role, tube = (motion.named(name) for name in _ATTRIBUTES)
        self.chance = chance.parts()
        self.lift, self.shrink, kind = role.parts()
        self.along, right, up = tube.parts()
        self.angle = up.angle(right)
        self.radius = (right * right + up * up).sqrt()
        self.is_plate = 1.0 - kind.over(0.5)
        self.is_wall = 1.0 - kind.over(1.5)
        self.is_rib = self.is_wall - self.is_plate

    def swell(self) -> Num:
        """Smooth hills that run down the tunnel in a screw, twice as fast as the camera."""
        hill = (self.along * (1 / 30.0) + self.value["Travel"] * (-1 / 15.0) + self.angle * (2 / _TURN)).wave()
        return self.value["Swell"] * self.lift * hill**1.5 * 2.3

    def spike(self) -> Num:
        """0..1 how much of a spike a plate becomes: half of them stay flat."""
        return _soft(self.chance[0].step(0.45, 0.8))

    def shards(self, position: Vec) -> Num:
        """Spikes of different lengths; all plates tilt like broken glass."""
        tree = position.tree
        spike = self.spike() * (self.chance[1] * 1.9 + 0.9)
        lean = vector(tree, *self.chance) - vector(tree, 0.5, 0.5, 0.5)
        tilt = (position - self.pivot).dot(lean) * 1.3 * self.is_plate
        return self.value["Shards"] * self.lift * self.is_plate * (spike + tilt + 0.12)

    def grid(self) -> Num:
        """Cubes at one of four heights; each jumps to another one now and then."""
        # the same again after a module, as every motion here, so that a loop has no seam
        turn = (self.value["Travel"] * (1 / 8.0) + self.chance[1]).floor()
        turn = turn - (turn * (1 / 15.0)).floor() * 15.0
        level = ((self.chance[0] * 7.31 + turn * 0.618).fract() * 4.0).floor() * (1 / 3.0)
        return self.value["Grid"] * self.lift * self.is_plate * level * 2.2

    def slabs(self) -> Num:
        """A few whole blocks of wall that move in and out slowly."""
        out = (self.chance[2] * 3.0 + self.value["Travel"] * (1 / 60.0)).wave()
        return self.value["Slabs"] * self.lift * self.is_plate * _soft(out.step(0.45, 0.75)) * 1.1

    def ribs(self) -> Num:
        """Ribs and rings that contract in a wave; the plates between them give way."""
        squeeze = (self.along * (1 / 24.0) + self.value["Travel"] * (-1 / 15.0)).wave() ** 2.0
        return self.value["Ribs"] * (self.is_rib * 2.6 - self.is_plate * self.lift * 0.12) * squeeze

    def kick(self) -> Num:
        """Everything jumps on the kick, each plate as far as chance says, as strongly as forms stand on the walls."""
        strength = sum((self.value[name] for name in CHARACTERS[1:]), self.value[CHARACTERS[0]]).least(1.0)
        far = (self.chance[1] * 0.8 + 0.2) * KICK_JUMP_M
        return self.value["Pulse"] * strength * self.lift * far

    def shock(self, module_m: float) -> Num:
        """A bulge that runs away from the camera."""
        ahead = self.along - self.value["Travel"] + 10.0
        ahead = ahead - (ahead * (1 / module_m)).floor() * module_m - 10.0
        bulge = (ahead - self.value["Shock"] * SHOCK_RUN_M).bump(5.0)
        return bulge * (1.0 - self.value["Shock"]) * 1.1 * self.lift.most(self.is_rib)

    def offset(self, position: Vec, module_m: float) -> Vec:
        """How far a point moves: about its pivot, and along its way inwards."""
        forms = self.swell() + self.shards(position) + self.grid() + self.slabs() + self.ribs()
        forms = forms * (self.value["Pulse"] * KICK_GROWS + 1.0) + self.kick()
        inwards = self.within(forms + self.shock(module_m) + self.value["Narrow"] * 2.2) * self.is_wall
        away = self.value["Open"] * (self.chance[1] * 3.2 + 0.5) * (self.shrink * 3.0).least(1.0)
        return self.inward * (inwards - away) + (position - self.pivot) * (self.scale() - 1.0)

    def within(self, inwards: Num) -> Num:
        """The way inwards, held back more and more the less room is left, so that no hill is cut off flat."""
        room = (self.radius - CLEAR_M).most(0.0)
        used = 1.0 - (-(inwards.most(0.0) / room.most(0.01))).exp()
        return room * used + inwards.least(0.0)

    def scale(self) -> Num:
        """Size of a plate about its pivot."""
        gone = 1.0 - self.value["Open"] * self.shrink
        shards = (self.value["Shards"] * 1.4).clip()
        tip = 1.0 - shards * self.spike() * self.lift * self.is_plate * 0.92
        cubes = self.value["Grid"].clip() * self.lift * self.is_plate * 0.2
        return gone * tip * (1.0 - cubes)


def _soft(part: Num) -> Num:
    """A straight way from 0 to 1 made smooth at both ends."""
    return part * part * (3.0 - part * 2.0)
