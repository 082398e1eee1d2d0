"""Materials of the tunnel: hull, wet floor, three kinds of lamps, beams, the far glow and the sky. Zone: bpy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .formula import Num, Vec
from .nodes import fresh_material, math, signals_group, use_group, vector_math
from .path import LoopPath
from .tunnel_shading import bell, combine, haze_group, mirror_group, number, wave_group

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
CORE_M, SKY_M, BEAM_M = 9.0, 150.0, 5.2


@dataclass(frozen=True)
class Groups:
    """The node groups that the materials share."""

    signals: Any
    wave: Any
    mirror: Any
    haze: Any


def finish(material: Any, tree: Any, colour: Any, groups: Groups, reach_m: float) -> Any:
    """Send a colour through the haze to the material's output."""
    output, fade = tree.nodes.new("ShaderNodeOutputMaterial"), use_group(tree, groups.haze)
    fade.inputs["Reach"].default_value = reach_m
    tree.links.new(colour, fade.inputs["Colour"])
    tree.links.new(fade.outputs[0], output.inputs["Surface"])
    # What lamps do is worked out in the shaders: sampling thousands of tiny emitters would only add noise.
    material.cycles.emission_sampling = "NONE"
    return material


def _scaled(tree: Any, colour: Any, *factors: Any) -> Any:
    for factor in factors:
        colour = vector_math(tree, "SCALE", colour, scale=factor)
    return colour


def _wave(tree: Any, groups: Groups) -> Any:
    """1 plus the travelling light at the shaded point."""
    camera, wave = tree.nodes.new("ShaderNodeCameraData"), use_group(tree, groups.wave)
    tree.links.new(camera.outputs["View Distance"], wave.inputs[0])
    return math(tree, "ADD", wave.outputs[0], 1.0)


def _attribute(tree: Any, name: str) -> Any:
    node = tree.nodes.new("ShaderNodeAttribute")
    node.attribute_name = name
    parts = tree.nodes.new("ShaderNodeSeparateColor")
    tree.links.new(node.outputs["Color"], parts.inputs[0])
    return parts.outputs


def surface_material(name: str, groups: Groups, *, wet: bool) -> Any:
    """Dark plates under the stored light of rings and strips, with what they mirror; wet ones ripple."""
    material, tree = fresh_material(name)
    light, (albedo, rough, gloss) = _attribute(tree, "hx_light"), _attribute(tree, "hx_surface")
    source, geometry = use_group(tree, groups.signals), tree.nodes.new("ShaderNodeNewGeometry")
    normal: Any = geometry.outputs["Normal"]
    if wet:
        normal, rough, albedo = _puddles(tree, normal, rough, albedo)
    facing = number(tree, "DOT_PRODUCT", normal, geometry.outputs["Incoming"])
    facing = math(tree, "SUBTRACT", 1.0, math(tree, "MAXIMUM", facing, 0.0))
    mirror = use_group(tree, groups.mirror)
    tree.links.new(rough, mirror.inputs["Roughness"])
    tree.links.new(normal, mirror.inputs["Normal"])
    # Schlick's formula
    fresnel = math(tree, "MULTIPLY_ADD", math(tree, "POWER", facing, 5.0), 0.9, 0.10 if wet else 0.07)
    shine = math(tree, "MULTIPLY", fresnel, math(tree, "MULTIPLY", gloss, 2.6 if wet else 2.2))
    key = math(
        tree,
        "MULTIPLY",
        math(tree, "MULTIPLY", light[0], albedo),
        math(tree, "MULTIPLY", _wave(tree, groups), 0.05 if wet else 0.13),
    )
    # where the strips shine the rings give way: two lights on one plate would be a third colour
    alone = math(tree, "POWER", math(tree, "SUBTRACT", 1.0, light[1]), 3.0)
    key = math(tree, "MULTIPLY", math(tree, "MULTIPLY_ADD", shine, mirror.outputs["Rings"], key), alone)
    fill = math(tree, "MULTIPLY", math(tree, "MULTIPLY", math(tree, "POWER", light[1], 1.5), albedo), 0.4)
    fill = math(tree, "MULTIPLY_ADD", math(tree, "MULTIPLY", shine, 0.45), mirror.outputs["Strips"], fill)
    fill = math(tree, "MULTIPLY_ADD", _leak(tree), math(tree, "MULTIPLY", _wave(tree, groups), LEAK), fill)
    far = math(tree, "MULTIPLY", math(tree, "MULTIPLY", shine, mirror.outputs["Far"]), 0.35)
    total = None
    for letter, amount in (("A", key), ("B", fill), ("C", far)):
        one = _scaled(tree, source.outputs[letter], amount)
        total = one if total is None else vector_math(tree, "ADD", total, one)
    return finish(material, tree, total, groups, HAZE_M)


def _leak(tree: Any) -> Any:
    """Light from behind the plates, 0..1: strongest at the foot of a plate's sides, so it shows where plates move."""
    node, role = tree.nodes.new("ShaderNodeAttribute"), tree.nodes.new("ShaderNodeSeparateXYZ")
    node.attribute_name = "hx_role"
    tree.links.new(node.outputs["Vector"], role.inputs[0])
    foot = math(tree, "POWER", math(tree, "SUBTRACT", 1.0, role.outputs[0]), 2.0)
    skin = math(tree, "SUBTRACT", 1.0, math(tree, "MULTIPLY", role.outputs[1], 0.92))
    return math(tree, "MULTIPLY", math(tree, "MULTIPLY", foot, skin), math(tree, "LESS_THAN", role.outputs[2], 0.5))


def _puddles(tree: Any, normal: Any, rough: Any, albedo: Any) -> tuple[Any, Any, Any]:
    """Standing water between rougher, rippled patches: normal, roughness and albedo."""
    tube = tree.nodes.new("ShaderNodeAttribute")
    tube.attribute_name = "hx_tube"
    large, small = (tree.nodes.new("ShaderNodeTexNoise") for _ in range(2))
    for noise, scale, detail in ((large, 0.45, 2.0), (small, 2.2, 1.0)):
        tree.links.new(tube.outputs["Vector"], noise.inputs["Vector"])
        noise.inputs["Scale"].default_value, noise.inputs["Detail"].default_value = scale, detail
    dry = math(tree, "MULTIPLY", math(tree, "SUBTRACT", large.outputs[0], 0.47), 9.0)
    dry = math(tree, "MAXIMUM", math(tree, "MINIMUM", dry, 1.0), 0.0)
    wobble = vector_math(tree, "SUBTRACT", small.outputs["Color"], _half(tree))
    wobble = _scaled(tree, wobble, math(tree, "MULTIPLY_ADD", dry, 0.05, 0.012))
    normal = vector_math(tree, "NORMALIZE", vector_math(tree, "ADD", normal, wobble))
    rough = math(tree, "MULTIPLY_ADD", dry, 0.10, math(tree, "MULTIPLY", rough, 0.4))
    return normal, rough, math(tree, "MULTIPLY", albedo, math(tree, "MULTIPLY_ADD", dry, 0.8, 0.2))


def _half(tree: Any) -> Any:
    node = tree.nodes.new("ShaderNodeCombineXYZ")
    for socket in node.inputs:
        socket.default_value = 0.5
    return node.outputs[0]


def emitter_material(name: str, letter: str, groups: Groups, gain: float, reach_m: float, thick: float = 0.5) -> Any:
    """A lamp in the colour of its group, as bright as that says; light that travels passes through it.

    Its tubes are ``thick`` times as wide as it is.
    """
    material, tree = fresh_material(name)
    source = use_group(tree, groups.signals)
    # a lamp that is turned low still looks like a lamp: its tube dims less than what it throws on the walls
    level = tree.nodes.new("ShaderNodeSeparateColor")
    level.mode = "HSV"
    tree.links.new(source.outputs[letter], level.inputs[0])
    lift = math(tree, "POWER", math(tree, "MAXIMUM", level.outputs[2], 0.01), -0.3)
    bright = math(tree, "MULTIPLY", math(tree, "MULTIPLY", _wave(tree, groups), lift), gain)
    # a lamp that passes the camera would outshine the kicks
    camera = tree.nodes.new("ShaderNodeCameraData")
    near = math(tree, "MULTIPLY_ADD", bell(tree, camera.outputs["View Distance"], PASSING_M), -0.45, 1.0)
    bright = math(tree, "MULTIPLY", bright, near)
    tube, glass = _tube(tree, thick)
    bright = math(tree, "MULTIPLY", bright, glass)
    # as bright as the screen shows the colour without bending its hue; a little white, and more of what is above that,
    # makes the tube look hot
    strongest = math(tree, "MULTIPLY", level.outputs[2], bright)
    shown = math(tree, "MINIMUM", bright, math(tree, "DIVIDE", 1.0, math(tree, "MAXIMUM", level.outputs[2], 0.01)))
    above = math(tree, "MAXIMUM", math(tree, "SUBTRACT", strongest, 1.0), 0.0)
    white = math(tree, "MULTIPLY_ADD", above, ABOVE_IS_WHITE, math(tree, "MULTIPLY", strongest, 0.16))
    white = math(tree, "MULTIPLY", white, tube)
    colour = _scaled(tree, source.outputs[letter], shown)
    return finish(material, tree, vector_math(tree, "ADD", colour, _scaled(tree, _half(tree), white)), groups, reach_m)


def _tube(tree: Any, thick: float) -> tuple[Any, Any]:
    """What a lamp is made of: where its tube is, 0..1, and how bright the tube and the glass over it are, 0..1.

    A row of tubes with caps lies behind frosted glass whose rims catch their light. Far off, where a pixel would hold
    many of them, the lamp is even.
    """
    node, camera = tree.nodes.new("ShaderNodeAttribute"), tree.nodes.new("ShaderNodeCameraData")
    node.attribute_name = "hx_lamp"
    across, along, _ = Vec(tree, node.outputs["Vector"]).parts()
    near = Num(tree, camera.outputs["View Distance"]).bump(TUBES_SEEN_M)
    across, from_middle = across.abs(), (along.fract() * 2.0 - 1.0).abs()
    cap = from_middle.step(0.94, 0.86)
    tube = across.bump(thick) * cap * (1.0 - from_middle * from_middle * 0.35)
    rim = (across - 0.84).bump(0.10) * 0.25
    glass = tube * 1.15 + (rim + 0.24) * (cap * 0.75 + 0.25)
    return (tube * near + (1.0 - near)).socket, (glass * near + (1.0 - near)).socket


def _additive(tree: Any, material: Any, colour: Any) -> Any:
    """Light in the air: it adds to what is behind it and hides nothing, in Workbench neither."""
    emission, clear, add, output = (
        tree.nodes.new("Shader" + kind)
        for kind in ("NodeEmission", "NodeBsdfTransparent", "NodeAddShader", "NodeOutputMaterial")
    )
    tree.links.new(colour, emission.inputs["Color"])
    tree.links.new(emission.outputs[0], add.inputs[0])
    tree.links.new(clear.outputs[0], add.inputs[1])
    tree.links.new(add.outputs[0], output.inputs["Surface"])
    material.cycles.emission_sampling = "NONE"
    material.surface_render_method = "BLENDED"
    material.diffuse_color = (0.0, 0.0, 0.0, 0.0)
    return material


def core_material(groups: Groups) -> Any:
    """The glow at the far end, brightest in the middle of its square and nothing at its edges."""
    material, tree = fresh_material("HX Core")
    place, source = tree.nodes.new("ShaderNodeTexCoord"), use_group(tree, groups.signals)
    glow = bell(tree, number(tree, "LENGTH", place.outputs["Object"]), 0.42 * CORE_M)
    colour = _scaled(tree, source.outputs["C"], math(tree, "MULTIPLY", glow, 0.8))
    return _additive(tree, material, colour)


def beam_material(groups: Groups) -> Any:
    """Fans of light in the plane of a gate, from its two shoulders down to the floor."""
    material, tree = fresh_material("HX Beams")
    source, parts = use_group(tree, groups.signals), tree.nodes.new("ShaderNodeSeparateXYZ")
    place = tree.nodes.new("ShaderNodeAttribute")
    place.attribute_name = "hx_tube"
    tree.links.new(place.outputs["Vector"], parts.inputs[0])
    across = math(tree, "SUBTRACT", math(tree, "ABSOLUTE", parts.outputs[1]), 2.2)
    down = math(tree, "SUBTRACT", 3.9, parts.outputs[2])
    angle = math(tree, "ARCTAN2", across, math(tree, "MAXIMUM", down, 0.01))
    far = math(
        tree, "SQRT", math(tree, "ADD", math(tree, "MULTIPLY", across, across), math(tree, "MULTIPLY", down, down))
    )
    beams = None
    for where in (-0.62, -0.22, 0.12):
        one = bell(tree, math(tree, "SUBTRACT", angle, where), 0.045)
        beams = one if beams is None else math(tree, "ADD", beams, one)
    fade = math(tree, "POWER", 2.718282, math(tree, "MULTIPLY", far, -0.42))
    camera = tree.nodes.new("ShaderNodeCameraData")
    near = math(tree, "SUBTRACT", 1.0, bell(tree, camera.outputs["View Distance"], 14.0))
    clear = bell(tree, camera.outputs["View Distance"], 70.0)
    strength = math(tree, "MULTIPLY", math(tree, "MULTIPLY", beams, fade), math(tree, "MULTIPLY", near, clear))
    return _additive(tree, material, _scaled(tree, source.outputs["C"], math(tree, "MULTIPLY", strength, 0.55)))


def _stars(tree: Any, way: Any) -> Any:
    """Level of the stars in a direction, one in each cube of a grid.

    By sums of our own: Blender 5.0 throws the dice of its Voronoi texture in another way than the versions before it.
    The dice are those of D. Hoskins, "Hash without Sine" (2014).
    """
    grid = vector_math(tree, "SCALE", way, scale=STARS_PER_UNIT)
    cell = vector_math(tree, "FLOOR", grid)
    dice = vector_math(tree, "FRACTION", vector_math(tree, "SCALE", cell, scale=0.1031))
    parts = tree.nodes.new("ShaderNodeSeparateXYZ")
    tree.links.new(dice, parts.inputs[0])
    turned = combine(tree, *(math(tree, "ADD", parts.outputs[axis], 33.33) for axis in (1, 2, 0)))
    spread = number(tree, "DOT_PRODUCT", dice, turned)
    x, y, z = (math(tree, "ADD", parts.outputs[axis], spread) for axis in range(3))
    chance = [math(tree, "FRACT", math(tree, "MULTIPLY", math(tree, "ADD", first, second), third))
              for first, second, third in ((x, y, z), (y, z, x), (z, x, y))]  # fmt: skip
    # a star keeps to the middle of its cube, so that no side cuts it
    middle = combine(tree, *(math(tree, "MULTIPLY_ADD", one, 0.5, 0.25) for one in chance))
    off = vector_math(tree, "SUBTRACT", vector_math(tree, "SUBTRACT", grid, cell), middle)
    dot = bell(tree, number(tree, "LENGTH", off), math(tree, "MULTIPLY_ADD", chance[0], 0.07, 0.07))
    return math(tree, "MULTIPLY", dot, math(tree, "MULTIPLY", math(tree, "POWER", chance[1], 2.0), 14.0))


def sky_material(groups: Groups) -> Any:
    """What is outside when the walls open: stars in the key colour, a faint nebula in the accent."""
    material, tree = fresh_material("HX Sky")
    place, source = tree.nodes.new("ShaderNodeTexCoord"), use_group(tree, groups.signals)
    way = vector_math(tree, "NORMALIZE", place.outputs["Object"])
    cloud = tree.nodes.new("ShaderNodeTexNoise")
    cloud.inputs["Scale"].default_value, cloud.inputs["Detail"].default_value = 2.6, 4.0
    tree.links.new(way, cloud.inputs["Vector"])
    star = _stars(tree, way)
    # bright banks with black between: a dim glow everywhere would make mud of warm colours
    mist = Num(tree, cloud.outputs[0]).step(0.46, 0.72)
    mist = (mist * mist * 1.5 + mist.step(0.4, 1.0) * 3.2).socket
    colour = vector_math(
        tree,
        "ADD",
        _scaled(tree, source.outputs["A"], star),
        _scaled(tree, source.outputs["C"], mist),
    )
    emission, output = tree.nodes.new("ShaderNodeEmission"), tree.nodes.new("ShaderNodeOutputMaterial")
    tree.links.new(colour, emission.inputs["Color"])
    tree.links.new(emission.outputs[0], output.inputs["Surface"])
    material.cycles.emission_sampling = "NONE"
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
