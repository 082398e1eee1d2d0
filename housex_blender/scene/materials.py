"""Materials of the tunnel: hull, wet floor, three kinds of lamps, beams, the far glow and the sky. Zone: bpy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .formula import Num, Vec, attribute, noise, shine, vector, view_distance
from .nodes import fresh_material, signals_group, use_group
from .path import LoopPath
from .tunnel_shading import haze_group, mirror_group, wave_at, wave_group

HAZE_M = 52.0
# Within this distance in metres lamps are dimmed.
PASSING_M = 10.0
# How far off in metres the tubes in a lamp have nearly melted into one light.
TUBES_SEEN_M = 26.0
STARS_PER_UNIT = 38.0
# How much of what a colour cannot show on a screen becomes white.
ABOVE_IS_WHITE = 0.12
# How bright the light behind the plates is.
LEAK = 0.45
CORE_M, SKY_M = 9.0, 150.0


@dataclass(frozen=True)
class Groups:
    """The node groups that the materials share."""

    signals: Any
    wave: Any
    mirror: Any
    haze: Any

    def light(self, tree: Any) -> dict[str, Vec]:
        """Colour times strength of the three lights, by letter."""
        outputs = use_group(tree, self.signals).outputs
        return {letter: Vec(tree, outputs[letter]) for letter in "ABC"}


def _start(name: str) -> tuple[Any, Any]:
    """A fresh material and its tree."""
    material, tree = fresh_material(name)
    # What lamps do is worked out in the shaders: sampling thousands of tiny emitters would only add noise.
    material.cycles.emission_sampling = "NONE"
    return material, tree


def _through_haze(colour: Vec, groups: Groups, reach_m: float) -> None:
    """Let a surface shine, as it is seen through the haze."""
    node = use_group(colour.tree, groups.haze)
    node.inputs["Reach"].default_value = reach_m
    colour.tree.links.new(colour.socket, node.inputs["Colour"])
    shine(colour.tree, Vec(colour.tree, node.outputs["Seen"]))


def surface_material(name: str, groups: Groups, *, wet: bool) -> Any:
    """Dark plates under the stored light of rings and strips, with what they mirror; wet ones ripple."""
    material, tree = _start(name)
    by_rings, by_strips, _ = attribute(tree, "hx_light").parts()
    albedo, rough, gloss = attribute(tree, "hx_surface").parts()
    light, wave = groups.light(tree), wave_at(groups.wave, view_distance(tree))
    geometry = tree.nodes.new("ShaderNodeNewGeometry").outputs
    normal, incoming = Vec(tree, geometry["Normal"]), Vec(tree, geometry["Incoming"])
    if wet:
        normal, rough, albedo = _puddles(normal, rough, albedo)
    mirror = use_group(tree, groups.mirror)
    tree.links.new(rough.socket, mirror.inputs["Roughness"])
    tree.links.new(normal.socket, mirror.inputs["Normal"])
    rings, strips, end = (Num(tree, mirror.outputs[seen]) for seen in ("Rings", "Strips", "Far"))
    # Schlick's formula
    fresnel = (1.0 - normal.dot(incoming).most(0.0)) ** 5.0 * 0.9 + (0.10 if wet else 0.07)
    gleam = fresnel * gloss * (2.6 if wet else 2.2)
    # where the strips shine the rings give way: two lights on one plate would be a third colour
    alone = (1.0 - by_strips) ** 3.0
    key = (by_rings * albedo * wave * (0.05 if wet else 0.13) + gleam * rings) * alone
    fill = by_strips**1.5 * albedo * 0.4 + gleam * strips * 0.45 + _leak(tree) * wave * LEAK
    far = gleam * end * 0.35
    _through_haze(light["A"] * key + light["B"] * fill + light["C"] * far, groups, HAZE_M)
    return material


def _leak(tree: Any) -> Num:
    """Light from behind the plates, 0..1: strongest at the foot of a plate's sides, so it shows where plates move."""
    lift, shrink, kind = attribute(tree, "hx_role").parts()
    return (1.0 - lift) ** 2.0 * (1.0 - shrink * 0.92) * (1.0 - kind.over(0.5))


def _puddles(normal: Vec, rough: Num, albedo: Num) -> tuple[Vec, Num, Num]:
    """Standing water between rougher, rippled patches: normal, roughness and albedo."""
    tree = normal.tree
    tube = attribute(tree, "hx_tube")
    dry = ((noise(tube, 0.45, 2.0)[0] - 0.47) * 9.0).clip()
    wobble = noise(tube, 2.2, 1.0)[1] - vector(tree, 0.5, 0.5, 0.5)
    normal = (normal + wobble * (dry * 0.05 + 0.012)).unit()
    return normal, dry * 0.10 + rough * 0.4, albedo * (dry * 0.8 + 0.2)


def emitter_material(name: str, letter: str, groups: Groups, gain: float, reach_m: float, thick: float = 0.5) -> Any:
    """A lamp in the colour of its group, as bright as that says; light that travels passes through it.

    Its tubes are ``thick`` times as wide as it is.
    """
    material, tree = _start(name)
    light, far = groups.light(tree)[letter], view_distance(tree)
    # a lamp that is turned low still looks like a lamp: its tube dims less than what it throws on the walls
    level = light.strongest()
    lift = level.most(0.01) ** -0.3
    # a lamp that passes the camera would outshine the kicks
    near = far.bump(PASSING_M) * -0.45 + 1.0
    tube, glass = _tube(tree, far, thick)
    bright = wave_at(groups.wave, far) * lift * gain * near * glass
    # as bright as the screen shows the colour without bending its hue; a little white, and more of what is above that,
    # makes the tube look hot
    strongest = level * bright
    shown = bright.least(1.0 / level.most(0.01))
    white = ((strongest - 1.0).most(0.0) * ABOVE_IS_WHITE + strongest * 0.16) * tube
    _through_haze(light * shown + (white * 0.5).grey(), groups, reach_m)
    return material


def _tube(tree: Any, far: Num, thick: float) -> tuple[Num, Num]:
    """What a lamp is made of: where its tube is, 0..1, and how bright the tube and the glass over it are, 0..1.

    A row of tubes with caps lies behind frosted glass whose rims catch their light. Far off, where a pixel would hold
    many of them, the lamp is even.
    """
    across, along, _ = attribute(tree, "hx_lamp").parts()
    near = far.bump(TUBES_SEEN_M)
    across, from_middle = across.abs(), (along.fract() * 2.0 - 1.0).abs()
    cap = from_middle.step(0.94, 0.86)
    tube = across.bump(thick) * cap * (1.0 - from_middle * from_middle * 0.35)
    rim = (across - 0.84).bump(0.10) * 0.25
    glass = tube * 1.15 + (rim + 0.24) * (cap * 0.75 + 0.25)
    return tube * near + (1.0 - near), glass * near + (1.0 - near)


def _in_the_air(material: Any, colour: Vec) -> Any:
    """Light in the air: it adds to what is behind it and hides nothing, in Workbench neither."""
    shine(colour.tree, colour, vector(colour.tree, 1.0, 1.0, 1.0))
    material.surface_render_method = "BLENDED"
    material.diffuse_color = (0.0, 0.0, 0.0, 0.0)
    return material


def _object_place(tree: Any) -> Vec:
    return Vec(tree, tree.nodes.new("ShaderNodeTexCoord").outputs["Object"])


def core_material(groups: Groups) -> Any:
    """The glow at the far end, brightest in the middle of its square and nothing at its edges."""
    material, tree = _start("HX Core")
    glow = _object_place(tree).length().bump(0.42 * CORE_M)
    return _in_the_air(material, groups.light(tree)["C"] * (glow * 0.8))


def beam_material(groups: Groups) -> Any:
    """Fans of light in the plane of a gate, from its two shoulders down to the floor."""
    material, tree = _start("HX Beams")
    _, right, up = attribute(tree, "hx_tube").parts()
    across, down = right.abs() - 2.2, 3.9 - up
    angle, far = across.angle(down.most(0.01)), (across * across + down * down).sqrt()
    first, second, third = ((angle - where).bump(0.045) for where in (-0.62, -0.22, 0.12))
    fade = (far * -0.42).exp()
    distance = view_distance(tree)
    near, clear = 1.0 - distance.bump(14.0), distance.bump(70.0)
    strength = (first + second + third) * fade * near * clear
    return _in_the_air(material, groups.light(tree)["C"] * (strength * 0.55))


def _stars(way: Vec) -> Num:
    """Level of the stars in a direction, one in each cube of a grid.

    By sums of our own: Blender 5.0 throws the dice of its Voronoi texture in another way than the versions before it.
    The dice are those of D. Hoskins, "Hash without Sine" (2014).
    """
    tree = way.tree
    grid = way * STARS_PER_UNIT
    cell = grid.floor()
    dice = (cell * 0.1031).fract()
    x, y, z = dice.parts()
    spread = dice.dot(vector(tree, y + 33.33, z + 33.33, x + 33.33))
    x, y, z = x + spread, y + spread, z + spread
    chance = [((one + other) * third).fract() for one, other, third in ((x, y, z), (y, z, x), (z, x, y))]
    # a star keeps to the middle of its cube, so that no side cuts it
    middle = vector(tree, *(one * 0.5 + 0.25 for one in chance))
    dot = (grid - cell - middle).length().bump(chance[0] * 0.07 + 0.07)
    return dot * chance[1] ** 2.0 * 14.0


def sky_material(groups: Groups) -> Any:
    """What is outside when the walls open: stars in the key colour, a faint nebula in the accent."""
    material, tree = _start("HX Sky")
    light, way = groups.light(tree), _object_place(tree).unit()
    # bright banks with black between: a dim glow everywhere would make mud of warm colours
    mist = noise(way, 2.6, 4.0)[0].step(0.46, 0.72)
    mist = mist * mist * 1.5 + mist.step(0.4, 1.0) * 3.2
    shine(tree, light["A"] * _stars(way) + light["C"] * mist)
    material.diffuse_color = (0.0, 0.0, 0.0, 1.0)
    return material


def tunnel_materials(path: LoopPath) -> tuple[dict[str, Any], Groups]:
    """All materials by part name, and the groups they share."""
    signals, wave = signals_group(), wave_group()
    groups = Groups(signals, wave, mirror_group(wave, path), haze_group(signals))
    made = {
        "hull": surface_material("HX Hull", groups, wet=False),
        "floor": surface_material("HX Floor", groups, wet=True),
        "rings": emitter_material("HX Rings", "A", groups, 1.8, HAZE_M * 1.6),
        "strips": emitter_material("HX Strips", "B", groups, 2.1, HAZE_M * 2.4, 0.72),
        "accents": emitter_material("HX Accents", "C", groups, 1.5, HAZE_M * 1.2),
        "beams": beam_material(groups),
        "core": core_material(groups),
        "sky": sky_material(groups),
    }
    for name, grey in (("hull", 0.03), ("floor", 0.015), ("accents", 0.4)):
        made[name].diffuse_color = (grey, grey, grey, 1.0)
    return made, groups
