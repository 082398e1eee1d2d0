"""Shaders of the lagoon: everything glows by itself, mirrors are sums, so that all engines show the same. Zone: bpy.

No lamp and no glossy reflection is sampled: stone and water look up a sky that is a formula of the direction, and the
mirror image in the sea is geometry seen through a sea that is clearest where a mirror would be strongest.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .lagoon_geometry import MOON_M
from .lagoon_motion import LAP_TURNS, Sums
from .nodes import fresh_group, fresh_material, math, signals_group, use_group

HAZE_M = 620.0
# All light, and how much more of it is seen where it is dim: a light of a tenth is seen as a fifth.
BRIGHT, DIM_LIFT = 1.35, 0.3


class Shader(Sums):
    """A shader tree under construction, with what every one of ours wants to know."""

    def __init__(self, tree: Any, signals: Any, sky: Any = None) -> None:
        super().__init__(tree)
        new = tree.nodes.new
        self.sky_group = sky
        self.signals = use_group(tree, signals).outputs
        geometry = new("ShaderNodeNewGeometry")
        self.place, self.normal = geometry.outputs["Position"], geometry.outputs["Normal"]
        self.back = geometry.outputs["Incoming"]
        self.far = self.tree.nodes.new("ShaderNodeCameraData").outputs["View Distance"]

    def given(self, name: str) -> Any:
        """The three numbers of a vector that the mesh carries."""
        node = self.tree.nodes.new("ShaderNodeAttribute")
        node.attribute_name = name
        return self.split(node.outputs["Vector"])

    def glow(self, letter: str, strength: Any) -> Any:
        """The light of a group times a strength."""
        return self.scale(self.signals[letter], scale=strength)

    def hot(self, letter: str, strength: Any, white: Any) -> Any:
        """The light of a group times a strength, and some white of the same brightness: what glows pales."""
        pale = self.mul(self.strongest(self.signals[letter]), white)
        return self.plus(self.glow(letter, strength), self.vector(pale, pale, pale))

    def sky(self, direction: Any) -> Any:
        """Outputs "Glow" and "Aurora" of the sky in a direction."""
        node = use_group(self.tree, self.sky_group)
        self.tree.links.new(direction, node.inputs[0])
        return node.outputs

    def noise(self, place: Any, scale: float, detail: float = 1.0) -> Any:
        """Outputs of a noise that stands still: value and colour, both 0..1."""
        node = self.tree.nodes.new("ShaderNodeTexNoise")
        node.inputs["Scale"].default_value, node.inputs["Detail"].default_value = scale, detail
        self.tree.links.new(place, node.inputs["Vector"])
        return node.outputs

    def waves(self, x: Any, y: Any, scale: float, detail: float, reach: float) -> Any:
        """Outputs of a flat noise that moves with the way travelled and is the same again after a lap.

        The noise has four dimensions, in two of which it is read along a circle of radius ``reach``.
        """
        turn = self.div(self.signals["Phase"], LAP_TURNS)
        radius = reach / scale
        node = self.tree.nodes.new("ShaderNodeTexNoise")
        node.noise_dimensions = "4D"
        node.inputs["Scale"].default_value, node.inputs["Detail"].default_value = scale, detail
        self.tree.links.new(self.vector(x, y, self.mul(self.sin(turn), radius)), node.inputs["Vector"])
        self.tree.links.new(self.mul(math(self.tree, "COSINE", turn), radius), node.inputs["W"])
        return node.outputs

    def unit(self, vector: Any) -> Any:
        """A vector of length 1."""
        node = self.tree.nodes.new("ShaderNodeVectorMath")
        node.operation = "NORMALIZE"
        self.tree.links.new(vector, node.inputs[0])
        return node.outputs[0]

    def mirrored(self, normal: Any) -> Any:
        """Where a mirror with this normal would look."""
        return self.minus(self.scale(normal, scale=self.mul(self.dot(self.back, normal), 2.0)), self.back)

    def fresnel(self, normal: Any, base: float, steep: float = 5.0) -> Any:
        """Share of the light that a smooth surface mirrors: Schlick's formula, where nature is as ``steep`` as 5."""
        side = self.sub(1.0, self.least(self.size(self.dot(self.back, normal)), 1.0))
        return self.add(base, self.mul(self.power(side, steep), 1.0 - base))

    def haze(self, colour: Any) -> Any:
        """A colour seen through the mist over the water: thick near the sea, gone above it."""
        depth = self.sub(1.0, self.exp(self.mul(self.power(self.div(self.far, HAZE_M), 1.6), -1.0)))
        low = self.exp(self.mul(self.size(self.split(self.place)[2]), -1.0 / 26.0))
        dense = self.mul(depth, low)
        mist = self.sky(self.scale(self.back, scale=-1.0))["Glow"]
        return self.plus(self.scale(colour, scale=self.sub(1.0, dense)), self.scale(mist, scale=dense))

    def emit(self, colour: Any, clear: Any = None) -> None:
        """Let the surface glow; ``clear`` is the share (or the colour) of what shines through from behind."""
        new, link = self.tree.nodes.new, self.tree.links.new
        output, emission = new("ShaderNodeOutputMaterial"), new("ShaderNodeEmission")
        link(colour, emission.inputs["Color"])
        shader = emission.outputs[0]
        if clear is not None:
            see, add = new("ShaderNodeBsdfTransparent"), new("ShaderNodeAddShader")
            link(clear, see.inputs["Color"])
            link(shader, add.inputs[0])
            link(see.outputs[0], add.inputs[1])
            shader = add.outputs[0]
        link(shader, output.inputs["Surface"])


def light_group(signals: Any) -> Any:
    """Node group "HX Lagoon Light": the signals as a night shows them, where eyes open to what is dim."""
    tree = fresh_group("HX Lagoon Light")
    output, source = tree.nodes.new("NodeGroupOutput"), use_group(tree, signals).outputs
    s = Sums(tree)
    for letter in "ABC":
        tree.interface.new_socket(letter, in_out="OUTPUT", socket_type="NodeSocketVector")
        open_eyes = s.mul(s.power(s.most(s.strongest(source[letter]), 0.01), -DIM_LIFT), BRIGHT)
        tree.links.new(s.scale(source[letter], scale=open_eyes), output.inputs[letter])
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
    x, y, z = s.split(s.unit(entry.outputs[0]))
    up = s.size(z)
    moon = s.vector(*(float(part) for part in MOON_M / np.linalg.norm(MOON_M)))
    close = s.sub(s.dot(s.vector(x, y, up), moon), 1.0)
    halo = s.add(s.mul(s.exp(s.mul(close, 150.0)), 0.34), s.mul(s.exp(s.mul(close, 16.0)), 0.055))
    # the mist leaves the eclipse's own part of the sky alone: two colours there would be a third
    free = s.sub(1.0, s.exp(s.mul(close, 9.0)))
    mist = s.product(s.add(s.mul(s.exp(s.mul(up, -16.0)), 0.10), s.mul(s.exp(s.mul(up, -3.5)), 0.012)), free)
    tree.links.new(s.plus(s.glow("A", halo), s.glow("C", mist)), output.inputs["Glow"])
    band = s.product(s.bump(s.sub(up, 0.42), 0.26), free, 0.30)
    tree.links.new(s.glow("C", band), output.inputs["Aurora"])
    return tree


def obsidian(signals: Any, sky: Any) -> Any:
    """Stone: black glass that mirrors the sky, seams that glow, and a hot inside where pieces part."""
    material, s = start("HX Obsidian", signals, sky, (0.1, 0.1, 0.1))
    beside, below, rim = s.given("hx_edge")
    seam_beside, seam_below, inside = s.given("hx_seam")
    ring, shock, _ = s.given("hx_wave")
    rest = s.tree.nodes.new("ShaderNodeAttribute")
    rest.attribute_name = "hx_rest"
    grain = s.minus(s.noise(rest.outputs["Vector"], 0.55, 2.0)[1], s.vector(0.5, 0.5, 0.5))
    normal = s.unit(s.plus(s.normal, s.scale(grain, scale=0.28)))
    sky_seen = s.sky(s.mirrored(normal))
    sheen = s.scale(s.plus(sky_seen["Glow"], sky_seen["Aurora"]), scale=s.mul(s.fresnel(normal, 0.035), 0.9))
    # a seam is never thinner than a pixel or so: it would glitter
    width = s.most(s.mul(s.far, 0.0014), 0.028)
    heat = s.total(0.62, s.mul(ring, 1.4), s.mul(shock, 6.0))
    core = s.add(s.mul(s.bump(beside, width), seam_beside), s.mul(s.bump(below, width), seam_below))
    bleed = s.add(
        s.mul(s.add(s.exp(s.mul(beside, -6.0)), s.mul(s.exp(s.mul(beside, -1.3)), 0.3)), seam_beside),
        s.mul(s.add(s.exp(s.mul(below, -6.0)), s.mul(s.exp(s.mul(below, -1.3)), 0.3)), seam_below),
    )
    edge = s.mul(s.bump(rim, width), 0.10)
    moonlit = s.mul(s.most(s.dot(normal, s.vector(0.0, 0.97, 0.24)), 0.0), 0.022)
    # the water's own light climbs the feet of the stones and has them to itself
    wet = s.exp(s.mul(s.size(s.split(s.place)[2]), -1.2))
    dry = s.sub(1.0, wet)
    feet = s.glow("B", s.mul(wet, s.total(0.07, s.mul(ring, 0.6), s.mul(shock, 1.2))))
    lines = s.mul(s.add(core, s.product(bleed, dry, 0.055)), s.mul(heat, 1.5))
    lit = s.add(lines, s.mul(s.add(edge, moonlit), dry))
    outside = s.plus(s.plus(s.scale(sheen, scale=dry), feet), s.hot("A", lit, s.product(core, heat, 0.16)))
    grain_within = s.add(0.2, s.power(s.noise(rest.outputs["Vector"], 0.9)[0], 2.0))
    hotness = s.mul(s.add(0.35, s.mul(heat, 0.6)), grain_within)
    within = s.hot("A", hotness, s.mul(hotness, 0.10))
    colour = s.plus(s.scale(outside, scale=s.sub(1.0, inside)), s.scale(within, scale=inside))
    s.emit(s.haze(colour))
    return material


def sea(signals: Any, sky: Any) -> Any:
    """Water: clear as far as it mirrors, with rings of the fill's light and the eclipse's glitter."""
    material, s = start("HX Sea", signals, sky, (0.006, 0.006, 0.008), blended=True)
    ring, shock, chop = s.given("hx_wave")
    x, y, _ = s.split(s.place)
    near = s.div(1.0, s.add(1.0, s.power(s.div(s.far, 55.0), 2.0)))
    grain = s.minus(s.waves(x, s.mul(y, 1.6), 0.55, 2.0, 3.0)[1], s.vector(0.5, 0.5, 0.5))
    tilt_x, tilt_y, _ = s.split(s.scale(grain, scale=s.product(chop, near, 0.34)))
    normal = s.unit(s.plus(s.normal, s.vector(tilt_x, tilt_y, 0.0)))
    mirror = s.fresnel(normal, 0.06, 3.4)
    broken = s.waves(*_flattened(s), 0.9, 1.0, 3.0)[0]
    clear = s.mul(mirror, s.sub(0.95, s.product(s.clamp(s.sub(s.mul(broken, 2.6), 0.9)), chop, 0.75)))
    glitter = _glitter(s, chop)
    crest = s.total(
        s.mul(s.power(ring, 2.2), 1.7), s.mul(ring, 0.1), s.mul(s.power(shock, 3.0), 1.3), s.mul(shock, 0.1)
    )
    # where the water itself glows it mirrors nothing: two lights there would mix to a third
    dark = s.sub(1.0, s.clamp(s.mul(s.add(ring, shock), 1.4)))
    sheen = s.scale(s.sky(s.mirrored(normal))["Aurora"], scale=s.mul(mirror, s.sub(1.2, chop)))
    mirrored = s.scale(s.plus(s.glow("A", glitter), sheen), scale=dark)
    clear = s.mul(clear, dark)
    s.emit(s.haze(s.plus(mirrored, s.glow("B", crest))), s.vector(clear, clear, clear))
    return material


def _flattened(s: Shader) -> tuple[Any, Any]:
    """Where to look up waves that are flat from afar: their grain is as wide as the distance makes it."""
    x = s.split(s.place)[0]
    return s.div(x, s.add(1.0, s.mul(s.far, 0.02))), s.mul(s.power(s.far, 0.5), 3.0)


def _glitter(s: Shader, chop: Any) -> Any:
    """Strength of the broken column of light under the eclipse."""
    x, y, z = s.split(s.back)
    column = s.bump(s.div(x, s.most(s.size(y), 0.02)), 0.07)
    column = s.mul(column, s.over(s.mul(y, -1.0), 0.0))
    grain = s.waves(*_flattened(s), 1.3, 1.0, 3.0)[0]
    sparkle = s.power(s.clamp(s.mul(grain, 1.5)), s.sub(7.0, s.mul(chop, 2.5)))
    low = s.exp(s.mul(s.size(z), -7.0))
    return s.product(column, sparkle, low, 0.9)


def lamp(signals: Any, sky: Any) -> Any:
    """A floating light."""
    material, s = start("HX Lamp", signals, sky, (0.5, 0.5, 0.5))
    s.emit(s.hot("B", 3.2, 0.2))
    return material


def pool(signals: Any, sky: Any) -> Any:
    """The light that a floating lamp throws on the water under it."""
    material, s = start("HX Pool", signals, sky, (0.01, 0.01, 0.01), blended=True)
    x, y, _ = s.given("hx_sheet")
    away = s.length(s.vector(s.sub(s.mul(x, 2.0), 1.0), s.sub(s.mul(y, 2.0), 1.0), 0.0))
    above = s.over(s.split(s.place)[2], 0.0)
    strength = s.mul(s.power(s.clamp(s.sub(1.0, away)), 1.6), above)
    behind = s.sub(1.0, s.mul(strength, 0.95))
    s.emit(s.glow("B", s.mul(s.power(strength, 1.3), 0.85)), s.vector(behind, behind, behind))
    return material


def aurora(signals: Any, sky: Any) -> Any:
    """Curtains of light: rays that stand side by side, bright at the hem; dark where the accent is black."""
    material, s = start("HX Aurora", signals, sky, (0.1, 0.1, 0.1), blended=True)
    along, up, fill = s.given("hx_sheet")
    wide, narrow, _ = s.given("hx_open")
    folds = s.waves(s.mul(along, 34.0), s.add(s.mul(up, 0.5), s.mul(fill, 7.0)), 1.0, 2.0, 1.8)[0]
    veil = s.waves(s.mul(along, 5.0), s.add(s.mul(up, 0.8), s.mul(fill, 7.0)), 1.0, 1.0, 1.2)[0]
    rays = s.mul(s.power(s.clamp(s.mul(folds, 1.45)), 2.6), s.clamp(s.sub(s.mul(veil, 3.2), 1.0)))
    hem = s.mul(s.clamp(s.mul(up, 9.0)), s.exp(s.mul(up, -2.6)))
    top = s.mul(hem, s.sub(1.0, s.power(up, 2.0)))
    ends = s.mul(s.clamp(s.mul(along, 6.0)), s.clamp(s.mul(s.sub(1.0, along), 6.0)))
    # curtains leave the eclipse its own part of the sky
    towards = s.dot(s.back, s.vector(0.0, *(float(part) for part in -MOON_M[1:] / np.linalg.norm(MOON_M))))
    below = s.dot(s.back, s.vector(0.0, *(float(part) for part in MOON_M[1:] * [-1, 1] / np.linalg.norm(MOON_M))))
    free = s.sub(1.0, s.exp(s.mul(s.sub(s.most(towards, below), 1.0), 70.0)))
    strength = s.product(rays, top, ends, free, s.total(2.4, s.mul(wide, 3.1), s.mul(narrow, -1.2)))
    lit = s.clamp(s.mul(s.strongest(s.signals["C"]), 12.0))
    colour = s.plus(s.glow("C", s.mul(strength, s.sub(1.0, fill))), s.glow("B", s.product(strength, fill, lit, 0.5)))
    # the fill's curtain hides the glow behind it, so that their colours do not mix
    behind = s.sub(1.0, s.clamp(s.product(strength, fill, lit, 3.0)))
    s.emit(colour, s.vector(behind, behind, behind))
    return material


def corona(signals: Any, sky: Any) -> Any:
    """The light around the eclipse: a thin hot rim and long streamers."""
    material, s = start("HX Corona", signals, sky, (0.02, 0.02, 0.02), blended=True)
    x, _, z = s.given("hx_place")
    away = s.most(s.length(s.vector(x, 0.0, z)), 1e-3)
    streams = s.waves(s.div(x, away), s.div(z, away), 2.6, 3.0, 1.0)[0]
    outer = s.clamp(s.sub(1.0, s.div(away, 4.2)))
    rim = s.exp(s.mul(s.most(s.sub(away, 1.0), 0.0), -9.0))
    wings = s.product(s.power(s.clamp(s.mul(streams, 1.55)), 3.0), s.power(s.div(1.0, s.most(away, 0.9)), 1.7), 1.5)
    light = s.hot("A", s.mul(s.add(s.mul(rim, 1.7), wings), outer), s.mul(s.power(rim, 2.0), 0.55))
    s.emit(light, s.vector(1.0, 1.0, 1.0))
    return material


def silhouettes(signals: Any, sky: Any) -> tuple[Any, Any]:
    """The eclipse's disc, black, and the mountains, black in mist."""
    disc, s = start("HX Eclipse", signals, sky, (0.0, 0.0, 0.0))
    s.emit(s.vector(0.0, 0.0, 0.0))
    mountains, s = start("HX Ridge", signals, sky, (0.01, 0.01, 0.012))
    s.emit(s.haze(s.scale(s.sky(s.scale(s.back, scale=-1.0))["Glow"], scale=0.12)))
    return disc, mountains


def dome(signals: Any, sky: Any) -> Any:
    """The night sky: the glow of the horizon and of the eclipse, and stars."""
    material, s = start("HX Sky", signals, sky, (0.002, 0.002, 0.003))
    ahead = s.scale(s.back, scale=-1.0)
    x, y, z = s.split(ahead)
    up = s.size(z)
    cells = s.tree.nodes.new("ShaderNodeTexVoronoi")
    cells.inputs["Scale"].default_value = 46.0
    s.tree.links.new(s.vector(x, y, up), cells.inputs["Vector"])
    chance = s.split(cells.outputs["Color"])[0]
    size = s.add(0.03, s.mul(s.power(chance, 5.0), 0.06))
    star = s.clamp(s.sub(1.0, s.div(cells.outputs["Distance"], s.most(size, 0.004))))
    star = s.product(star, s.clamp(s.mul(s.sub(up, 0.03), 5.0)), s.power(chance, 4.0), 0.9)
    s.emit(s.plus(s.sky(ahead)["Glow"], s.vector(star, star, star)))
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
