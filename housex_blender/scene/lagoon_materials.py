"""Shaders of the lagoon: everything glows by itself, mirrors are sums, so that all engines show the same. Zone: bpy.

No lamp and no glossy reflection is sampled: stone and water look up a sky that is a formula of the direction, and the
mirror image in the sea is geometry seen through a sea that is clearest where a mirror would be strongest.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.looks import LUMINANCE
from .formula import Num, Vec, attribute, noise, shine, vector, view_distance
from .lagoon_geometry import MOON_M
from .lagoon_motion import LAP_TURNS
from .nodes import fresh_group, fresh_material, signals_group, use_group

HAZE_M = 620.0
# All light, and how much more of it is seen where it is dim, and where its hue is dark.
BRIGHT, DIM_LIFT, PALE_LIFT = 1.75, 0.2, 0.13
# How much of an accent that would look olive or brown is taken out of sky and mist.
DULL_WASH = 0.8


class Shader:
    """A shader tree under construction, with what every one of ours wants to know."""

    def __init__(self, tree: Any, signals: Any, sky: Any = None) -> None:
        self.tree, self.sky_group = tree, sky
        outputs = use_group(tree, signals).outputs
        self.light = {letter: Vec(tree, outputs[letter]) for letter in "ABC"}
        self.turn = Num(tree, outputs["Phase"]) / LAP_TURNS
        # a dim yellow is an olive: such an accent keeps off wide areas and shines in narrow rays
        self.dull = Num(tree, outputs["Dull"])
        geometry = tree.nodes.new("ShaderNodeNewGeometry").outputs
        self.place, self.normal, self.back = (Vec(tree, geometry[name]) for name in ("Position", "Normal", "Incoming"))
        self.far = view_distance(tree)

    def given(self, name: str) -> Vec:
        """A vector that the mesh carries."""
        return attribute(self.tree, name)

    def hot(self, letter: str, strength: Num | float, white: Num | float) -> Vec:
        """The light of a group times a strength, and some white of the same brightness: what glows pales."""
        return self.light[letter] * strength + (self.light[letter].strongest() * white).grey()

    def sky(self, direction: Vec) -> tuple[Vec, Vec]:
        """Glow and aurora of the sky in a direction."""
        node = use_group(self.tree, self.sky_group)
        self.tree.links.new(direction.socket, node.inputs[0])
        return Vec(self.tree, node.outputs["Glow"]), Vec(self.tree, node.outputs["Aurora"])

    def waves(self, x: Num, y: Num, scale: float, detail: float, reach: float) -> tuple[Num, Vec]:
        """Value and colour of a flat noise that moves with the way travelled and is the same again after a lap.

        The noise has four dimensions, in two of which it is read along a circle of radius ``reach``.
        """
        radius = reach / scale
        value, colour = noise(vector(self.tree, x, y, self.turn.sin() * radius), scale, detail)
        node = value.socket.node
        node.noise_dimensions = "4D"
        self.tree.links.new((self.turn.cos() * radius).socket, node.inputs["W"])
        return value, colour

    def mirrored(self, normal: Vec) -> Vec:
        """Where a mirror with this normal would look."""
        return normal * (self.back.dot(normal) * 2.0) - self.back

    def fresnel(self, normal: Vec, base: float, steep: float = 5.0) -> Num:
        """Share of the light that a smooth surface mirrors: Schlick's formula, where nature is as ``steep`` as 5."""
        side = 1.0 - self.back.dot(normal).abs().least(1.0)
        return base + side**steep * (1.0 - base)

    def haze(self, colour: Vec) -> Vec:
        """A colour seen through the mist over the water: thick near the sea, gone above it."""
        depth = 1.0 - (-((self.far / HAZE_M) ** 1.6)).exp()
        low = (self.place.parts()[2].abs() * (-1.0 / 26.0)).exp()
        dense = depth * low
        mist, _ = self.sky(-self.back)
        return colour * (1.0 - dense) + mist * dense


def light_group(signals: Any) -> Any:
    """Node group "HX Lagoon Light": the signals as a night shows them, where eyes open to what is dim."""
    tree = fresh_group("HX Lagoon Light")
    output, source = tree.nodes.new("NodeGroupOutput"), use_group(tree, signals).outputs
    for letter in "ABC":
        tree.interface.new_socket(letter, in_out="OUTPUT", socket_type="NodeSocketVector")
        light = Vec(tree, source[letter])
        strongest = light.strongest().most(0.01)
        # of blue and violet, which light little, more is seen too
        pale = (light.dot(vector(tree, *LUMINANCE.tolist())) / strongest).most(0.05) ** -PALE_LIFT
        open_eyes = strongest**-DIM_LIFT * pale * BRIGHT
        tree.links.new((light * open_eyes).socket, output.inputs[letter])
        if letter == "C":
            tree.interface.new_socket("Dull", in_out="OUTPUT", socket_type="NodeSocketFloat")
            tree.links.new(light.dull().socket, output.inputs["Dull"])
    tree.interface.new_socket("Phase", in_out="OUTPUT", socket_type="NodeSocketFloat")
    tree.links.new(source["Phase"], output.inputs["Phase"])
    return tree


def start(
    name: str, signals: Any, sky: Any, diffuse: tuple[float, float, float], blended: bool = False
) -> tuple[Any, Shader]:
    """A fresh material and its shader."""
    material, tree = fresh_material(name)
    material.diffuse_color = (*diffuse, 1.0)
    material.cycles.emission_sampling = "NONE"
    material.surface_render_method = "BLENDED" if blended else "DITHERED"
    material.specular_intensity = 0.0
    return material, Shader(tree, signals, sky)


def sky_group(signals: Any) -> Any:
    """Node group "HX Lagoon Sky": the light that comes from a direction, the same above and below the horizon."""
    tree = fresh_group("HX Lagoon Sky")
    tree.interface.new_socket("Direction", in_out="INPUT", socket_type="NodeSocketVector")
    for name in ("Glow", "Aurora"):
        tree.interface.new_socket(name, in_out="OUTPUT", socket_type="NodeSocketVector")
    entry, output = tree.nodes.new("NodeGroupInput"), tree.nodes.new("NodeGroupOutput")
    s = Shader(tree, signals)
    x, y, z = Vec(tree, entry.outputs[0]).unit().parts()
    up = z.abs()
    moon = vector(s.tree, *(float(part) for part in MOON_M / np.linalg.norm(MOON_M)))
    close = vector(s.tree, x, y, up).dot(moon) - 1.0
    halo = (close * 150.0).exp() * 0.34 + (close * 22.0).exp() * 0.085
    # the mist leaves the eclipse's own part of the sky alone: two colours there would be a third
    free = 1.0 - (close * 4.0).exp()
    mist = ((up * -16.0).exp() * 0.13 + (up * -3.5).exp() * 0.014) * free
    wash = s.light["C"] * (1.0 - s.dull * DULL_WASH)
    tree.links.new((s.light["A"] * halo + wash * mist).socket, output.inputs["Glow"])
    band = (up - 0.42).bump(0.26) * free * 0.33
    tree.links.new((wash * band).socket, output.inputs["Aurora"])
    return tree


def obsidian(signals: Any, sky: Any) -> Any:
    """Stone: black glass that mirrors the sky, seams that glow, and a hot inside where pieces part."""
    material, s = start("HX Obsidian", signals, sky, (0.1, 0.1, 0.1))
    beside, below, rim = s.given("hx_edge").parts()
    seam_beside, seam_below, inside = s.given("hx_seam").parts()
    ring, shock, embers = s.given("hx_wave").parts()
    rest = s.given("hx_rest")
    grain = noise(rest, 0.55, 2.0)[1] - vector(s.tree, 0.5, 0.5, 0.5)
    normal = (s.normal + grain * 0.28).unit()
    glow, far_aurora = s.sky(s.mirrored(normal))
    sheen = (glow + far_aurora) * (s.fresnel(normal, 0.035) * 0.9)
    # a seam is never thinner than a pixel or so: it would glitter
    width = (s.far * 0.0014).most(0.028)
    heat = 0.62 + ring * 1.4 + shock * 6.0
    core = beside.bump(width) * seam_beside + below.bump(width) * seam_below
    bleed_beside, bleed_below = ((part * -6.0).exp() + (part * -1.3).exp() * 0.3 for part in (beside, below))
    bleed = bleed_beside * seam_beside + bleed_below * seam_below
    edge = rim.bump(width) * 0.1
    moonlit = normal.dot(vector(s.tree, 0.0, 0.97, 0.24)).most(0.0) * 0.022
    # the water's own light climbs the feet of the stones and has them to itself
    wet = (s.place.parts()[2].abs() * -1.2).exp()
    dry = 1.0 - wet
    feet = s.light["B"] * (wet * (0.07 + ring * 0.6 + shock * 1.2))
    veins = (noise(rest, 0.9, 1.0)[0] * 1.6) ** 4.0
    lines = (core + bleed * dry * (0.055 + embers * veins)) * (heat * 1.5)
    lit = lines + (edge + moonlit) * dry
    # one light on one spot: where the stone glows it mirrors nothing
    outside = sheen * (dry * (1.0 - (lit * 4.0).clip())) + feet + s.hot("A", lit, core * heat * 0.16)
    grain_within = 0.2 + noise(rest, 0.9, 1.0)[0] ** 2.0
    hotness = (0.35 + heat * 0.6) * grain_within
    within = s.hot("A", hotness, hotness * 0.1)
    colour = outside * (1.0 - inside) + within * inside
    shine(s.tree, s.haze(colour))
    return material


def sea(signals: Any, sky: Any) -> Any:
    """Water: clear as far as it mirrors, with rings of the fill's light and the eclipse's glitter."""
    material, s = start("HX Sea", signals, sky, (0.006, 0.006, 0.008), blended=True)
    ring, shock, chop = s.given("hx_wave").parts()
    x, y, _ = s.place.parts()
    near = 1.0 / (1.0 + (s.far / 55.0) ** 2.0)
    grain = s.waves(x, y * 1.6, 0.55, 2.0, 3.0)[1] - vector(s.tree, 0.5, 0.5, 0.5)
    tilt_x, tilt_y, _ = (grain * (chop * near * 0.34)).parts()
    normal = (s.normal + vector(s.tree, tilt_x, tilt_y, 0.0)).unit()
    mirror = s.fresnel(normal, 0.06, 3.4)
    broken = s.waves(*_flattened(s), 0.9, 1.0, 3.0)[0]
    clear = mirror * (0.95 - (broken * 2.6 - 0.9).clip() * chop * 0.75)
    glitter = _glitter(s, chop)
    crest = ring**2.2 * 1.7 + ring * 0.1 + shock**3.0 * 1.3 + shock * 0.1
    # where the water itself glows it mirrors nothing: two lights there would mix to a third
    dark = 1.0 - ((ring + shock) * 1.4).clip()
    sheen = s.sky(s.mirrored(normal))[1] * (mirror * (1.2 - chop))
    mirrored = (s.light["A"] * glitter + sheen) * dark
    clear = clear * dark
    shine(s.tree, s.haze(mirrored + s.light["B"] * crest), clear.grey())
    return material


def _flattened(s: Shader) -> tuple[Num, Num]:
    """Where to look up waves that are flat from afar: their grain is as wide as the distance makes it."""
    x = s.place.parts()[0]
    return x / (1.0 + s.far * 0.02), s.far**0.5 * 3.0


def _glitter(s: Shader, chop: Num) -> Num:
    """Strength of the broken column of light under the eclipse."""
    x, y, z = s.back.parts()
    column = (x / y.abs().most(0.02)).bump(0.07)
    column = column * (y * -1.0).over(0.0)
    grain = s.waves(*_flattened(s), 1.3, 1.0, 3.0)[0]
    sparkle = (grain * 1.5).clip() ** (7.0 - chop * 2.5)
    low = (z.abs() * -7.0).exp()
    return column * sparkle * low * 0.9


def lamp(signals: Any, sky: Any) -> Any:
    """A floating light."""
    material, s = start("HX Lamp", signals, sky, (0.5, 0.5, 0.5))
    shine(s.tree, s.hot("B", 3.2, 0.2))
    return material


def pool(signals: Any, sky: Any) -> Any:
    """The light that a floating lamp throws on the water under it."""
    material, s = start("HX Pool", signals, sky, (0.01, 0.01, 0.01), blended=True)
    x, y, _ = s.given("hx_sheet").parts()
    away = vector(s.tree, x * 2.0 - 1.0, y * 2.0 - 1.0, 0.0).length()
    above = s.place.parts()[2].over(0.0)
    strength = (1.0 - away).clip() ** 1.6 * above
    behind = 1.0 - strength * 0.95
    shine(s.tree, s.light["B"] * (strength**1.3 * 0.85), behind.grey())
    return material


def aurora(signals: Any, sky: Any) -> Any:
    """Curtains of light: rays that stand side by side, bright at the hem; dark where the accent is black."""
    material, s = start("HX Aurora", signals, sky, (0.1, 0.1, 0.1), blended=True)
    along, up, fill = s.given("hx_sheet").parts()
    wide, narrow, _ = s.given("hx_open").parts()
    folds = s.waves(along * 34.0, up * 0.5 + fill * 7.0, 1.0, 2.0, 1.8)[0]
    veil = s.waves(along * 5.0, up * 0.8 + fill * 7.0, 1.0, 1.0, 1.2)[0]
    rays = (folds * 1.45).clip() ** (2.6 + s.dull * 4.0) * (veil * 3.2 - 1.0).clip()
    hem = (up * 9.0).clip() * (up * -2.6).exp()
    top = hem * (1.0 - up**2.0)
    ends = (along * 6.0).clip() * ((1.0 - along) * 6.0).clip()
    # curtains leave the eclipse its own part of the sky
    towards = s.back.dot(vector(s.tree, 0.0, *(float(part) for part in -MOON_M[1:] / np.linalg.norm(MOON_M))))
    below = s.back.dot(vector(s.tree, 0.0, *(float(part) for part in MOON_M[1:] * [-1, 1] / np.linalg.norm(MOON_M))))
    free = 1.0 - ((towards.most(below) - 1.0) * 30.0).exp()
    strength = rays * top * ends * free * (2.4 + wide * 4.4 + narrow * -1.2) * (1.0 + s.dull * 0.4)
    lit = (s.light["C"].strongest() * 12.0).clip()
    colour = s.light["C"] * (strength * (1.0 - fill)) + s.light["B"] * (strength * fill * lit * 0.5)
    # the fill's curtain hides the glow behind it, so that their colours do not mix
    behind = 1.0 - (strength * fill * lit * 3.0).clip()
    shine(s.tree, colour, behind.grey())
    return material


def corona(signals: Any, sky: Any) -> Any:
    """The light around the eclipse: a thin hot rim and long streamers."""
    material, s = start("HX Corona", signals, sky, (0.02, 0.02, 0.02), blended=True)
    x, _, z = s.given("hx_place").parts()
    away = vector(s.tree, x, 0.0, z).length().most(0.001)
    streams = s.waves(x / away, z / away, 2.6, 3.0, 1.0)[0]
    outer = (1.0 - away / 4.2).clip()
    rim = ((away - 1.0).most(0.0) * -9.0).exp()
    wings = (streams * 1.55).clip() ** 3.0 * (1.0 / away.most(0.9)) ** 1.7 * 1.5
    light = s.hot("A", (rim * 1.7 + wings) * outer, rim**2.0 * 0.55)
    shine(s.tree, light, vector(s.tree, 1.0, 1.0, 1.0))
    return material


def silhouettes(signals: Any, sky: Any) -> tuple[Any, Any]:
    """The eclipse's disc, black, and the mountains, black in mist."""
    disc, s = start("HX Eclipse", signals, sky, (0.0, 0.0, 0.0))
    shine(s.tree, vector(s.tree, 0.0, 0.0, 0.0))
    mountains, s = start("HX Ridge", signals, sky, (0.01, 0.01, 0.012))
    shine(s.tree, s.haze(s.sky(-s.back)[0] * 0.12))
    return disc, mountains


def dome(signals: Any, sky: Any) -> Any:
    """The night sky: the glow of the horizon and of the eclipse, and stars."""
    material, s = start("HX Sky", signals, sky, (0.002, 0.002, 0.003))
    ahead = -s.back
    x, y, z = ahead.parts()
    up = z.abs()
    cells = s.tree.nodes.new("ShaderNodeTexVoronoi")
    cells.inputs["Scale"].default_value = 46.0
    s.tree.links.new(vector(s.tree, x, y, up).socket, cells.inputs["Vector"])
    chance = Vec(s.tree, cells.outputs["Color"]).parts()[0]
    size = 0.03 + chance**5.0 * 0.06
    star = (1.0 - Num(s.tree, cells.outputs["Distance"]) / size.most(0.004)).clip()
    star = star * ((up - 0.03) * 5.0).clip() * chance**4.0 * 0.9
    shine(s.tree, s.sky(ahead)[0] + star.grey())
    return material


def lagoon_materials() -> dict[str, Any]:
    """All materials by part name, and the group "signals"."""
    signals = signals_group()
    light = light_group(signals)
    sky = sky_group(light)
    disc, mountains = silhouettes(light, sky)
    makers = {
        "stones": obsidian,
        "sea": sea,
        "lamp": lamp,
        "pool": pool,
        "aurora": aurora,
        "corona": corona,
        "sky": dome,
    }
    made = {name: maker(light, sky) for name, maker in makers.items()}
    return {**made, "disc": disc, "ridge": mountains, "signals": signals}
