"""What moves on the stage, as geometry nodes: heads, jets and the crowd follow a few keyed numbers. Zone: bpy.

All numbers stand once, in the group "HX Stage Values". Trees that move a mesh read them there, and store them on the
mesh for its shader: one F-curve serves any number of lamps and people.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..core import scene_kinds
from .formula import Num, vector
from .motion import Motion, values_group

# Channel of the show -> the name of its Value node.
VALUES = {
    "bass": "Bass",
    "mid": "Mid",
    "high": "High",
    "energy": "Energy",
    "pulse": "Pulse",
    "pulse_at": "Pulse At",
    "shock": "Shock",
    "narrow": "Narrow",
    "open": "Open",
    "swell": "Swell",
    "shards": "Shards",
    "grid": "Grid",
    "slabs": "Slabs",
    "ribs": "Ribs",
    "travel": "Travel",
}
# How shaders find them again: attribute -> the numbers in its three parts.
STORED = {
    "hx_bands": ("Bass", "Mid", "High"),
    "hx_beat": ("Pulse", "Pulse At", "Shock"),
    "hx_soft": ("Swell", "Shards", "Grid"),
    "hx_hard": ("Slabs", "Ribs", "Energy"),
    "hx_air": ("Narrow", "Open", "Travel"),
}
# After so many metres of travel everything on the stage stands as before, so that loops have no seam.
LOOP_M = scene_kinds.LOOP_M["stage"]
# How far the wave of a drop runs over the crowd, in metres.
WAVE_REACH_M = 62.0


def turns(travel: Num, times: int) -> Num:
    """A phase that runs through so many whole turns in ``LOOP_M`` metres of travel."""
    return travel * (times / LOOP_M)


def stage_values() -> Any:
    """Node group "HX Stage Values": one keyed Value node for each channel that moves or shades something."""
    # what stands here until keys are written: no shock wave
    return values_group("HX Stage Values", {name: float(name == "Shock") for name in VALUES.values()})


class StageMotion(Motion):
    """A tree that may hand the stage's numbers on to the shader."""

    def store_values(self, *names: str) -> None:
        """Store groups of keyed numbers (see ``STORED``)."""
        for name in names:
            self.store(name, vector(self.tree, *(self.value[part] for part in STORED[name])))

    def only_if(self, strength: Num) -> None:
        """Leave nothing of the mesh where that is 0: what does not shine costs nothing."""
        node = self.tree.nodes.new("GeometryNodeDeleteGeometry")
        node.domain = "POINT"
        self.tree.links.new((1.0 - strength * 1000.0).most(0.0).socket, node.inputs["Selection"])
        self.through(node)


def signals_motion(values: Any) -> Any:
    """Tree "HX Stage Signals": moves nothing, hands all numbers to the shader."""
    motion = StageMotion("HX Stage Signals", values)
    motion.store_values(*STORED)
    return motion.finish()


def stars_motion(values: Any) -> Any:
    """Tree "HX Stage Stars": they are there while the sky is open."""
    motion = StageMotion("HX Stage Stars", values)
    motion.only_if(motion.value["Open"])
    motion.store_values(*STORED)
    return motion.finish()


def laser_gate(value: dict[str, Num]) -> Num:
    """How strong the lasers are: full in drops, nothing in breaks and build-ups."""
    gate = value["Energy"].step(0.62, 0.82) * (1.0 - value["Narrow"].clip() * 4.0).most(0.0)
    return gate.most((1.0 - value["Shock"]).step(0.0, 0.15)) * (1.0 - value["Open"].clip())


def heads_motion(values: Any, lasers: bool = False) -> Any:
    """Tree "HX Stage Heads": swings every head between its directions and lays its beam along.

    Lasers swing alike, in a tree of their own, and are gone outside of drops.
    Breaks turn the beams up and close them, build-ups let them meet in one point, energy widens their swing.
    """
    motion = StageMotion("HX Stage Lasers" if lasers else "HX Stage Heads", values)
    value, tree = motion.value, motion.tree
    begin, second, _ = motion.named("hx_phase").parts()
    travel = value["Travel"]
    reach = value["Energy"] * 0.75 + 0.4 + (1.0 - value["Shock"]) * 0.5
    swing = ((begin + turns(travel, 2)) * 6.283185).sin() * reach
    lift = ((second + turns(travel, 1)) * 6.283185).sin() * reach
    free = motion.named("hx_rest") + motion.named("hx_side") * swing + motion.named("hx_lift") * lift
    narrow, calm = value["Narrow"].clip(), value["Open"].clip()
    axis = free.unit().mix(motion.named("hx_calm"), calm).mix(motion.named("hx_aim"), narrow * 0.94).unit()
    right = axis.cross(vector(tree, 0.12, 0.99, 0.07)).unit()
    ahead = right.cross(axis)
    x, y, z = motion.named("hx_local").parts()
    slim = 1.0 - calm * 0.45 - narrow * 0.35
    motion.place(motion.named("hx_seat") + right * (x * slim) + ahead * (y * slim) + axis * z)
    if lasers:
        motion.only_if(laser_gate(value))
    motion.store("hx_axis", axis)
    motion.store_values("hx_beat", "hx_hard", "hx_air")
    return motion.finish()


def jets_motion(values: Any) -> Any:
    """Tree "HX Stage Jets": cards that shoot up with the shock of a drop and have no height at rest."""
    motion = StageMotion("HX Stage Jets", values)
    shock = motion.value["Shock"]
    high = shock.step(-0.02, 0.07).sqrt() * shock.step(0.6, 0.3)
    x, y, z = motion.named("hx_local").parts()
    motion.place(motion.named("hx_seat") + vector(motion.tree, x * high, y * high, z * high))
    motion.only_if(high)
    motion.store_values("hx_beat", "hx_air")
    return motion.finish()


def crowd_motion(values: Any, people: Sequence[Any]) -> Any:
    """Tree "HX Stage Crowd": a person on every point, who jumps with the kick and is lifted by the wave of a drop.

    Args:
        people: Objects with the shapes, in the order of the points' ``hx_pose``.
    """
    motion = StageMotion("HX Stage Crowd", values)
    tree, value = motion.tree, motion.value
    turn, size, chance = motion.named("hx_traits").parts()
    here = motion.position()
    # In the air between two beats, on the ground on every beat: a jump without a jerk.
    at = value["Pulse At"]
    jump = value["Pulse"] * at * (1.0 - at) * (chance * 0.9 + 0.5)
    away = (here.parts()[1] * -1.0 - value["Shock"] * WAVE_REACH_M).bump(4.0)
    wave = away * (1.0 - value["Shock"]).most(0.0).sqrt()
    sway = ((turns(value["Travel"], 11) + chance) * 6.283185).sin()
    node = tree.nodes.new("GeometryNodeInstanceOnPoints")
    tree.links.new(motion.geometry, node.inputs["Points"])
    tree.links.new(shapes(tree, people), node.inputs["Instance"])
    node.inputs["Pick Instance"].default_value = True
    tree.links.new(pose(tree), node.inputs["Instance Index"])
    lean = sway * 0.05 + value["Pulse"] * (1.0 - at) * -0.10
    tree.links.new(vector(tree, lean, sway * 0.06, turn).socket, node.inputs["Rotation"])
    tree.links.new(size.grey().socket, node.inputs["Scale"])
    motion.geometry = node.outputs["Instances"]
    lift = tree.nodes.new("GeometryNodeTranslateInstances")
    lift.inputs["Local Space"].default_value = False
    tree.links.new(motion.geometry, lift.inputs["Instances"])
    shift = vector(tree, sway * 0.05, 0.0, jump + wave * 0.45)
    tree.links.new(shift.socket, lift.inputs["Translation"])
    motion.geometry = lift.outputs["Instances"]
    motion.store("hx_flash", vector(tree, wave, chance, 0.0), "INSTANCE")
    return motion.finish()


def shapes(tree: Any, people: Sequence[Any]) -> Any:
    """Socket with every person's mesh as one instance each, in order."""
    join = tree.nodes.new("GeometryNodeJoinGeometry")
    # Joined in the order in which they are linked, last first.
    for person in reversed(people):
        node, one = tree.nodes.new("GeometryNodeObjectInfo"), tree.nodes.new("GeometryNodeGeometryToInstance")
        node.inputs["Object"].default_value = person
        tree.links.new(node.outputs["Geometry"], one.inputs["Geometry"])
        tree.links.new(one.outputs[0], join.inputs[0])
    return join.outputs[0]


def pose(tree: Any) -> Any:
    """Socket with the index of a point's shape."""
    node = tree.nodes.new("GeometryNodeInputNamedAttribute")
    node.data_type = "INT"
    node.inputs["Name"].default_value = "hx_pose"
    return node.outputs["Attribute"]
