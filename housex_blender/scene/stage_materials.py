"""Shaders of the stage, where every surface gives its own light: engines cannot differ. Zone: bpy.

What the wall and the lamps do to ground, steel and people is worked out in the shader from place and normal, and
multiplied by the keyed colours: key light on the wall, fill on steel, floor and crowd, accent in the air behind.
"""

from __future__ import annotations

from typing import Any

from .formula import Num, Vec, attribute, noise, shine, vector
from .nodes import fresh_material, signals_group, use_group
from .stage_geometry import STAGE_M, WALL_HALF_M, WALL_M
from .stage_motion import laser_gate, turns
from .stage_wall import ASPECT, stored_group, stored_values, wall_group

# How much of what a colour cannot show becomes white.
WHITE_HOT = 0.20


class Shade:
    """A material under construction: its tree, the three lights, the stored numbers, and usual places."""

    def __init__(self, name: str, groups: dict[str, Any]) -> None:
        self.material, self.tree = fresh_material(name)
        self.groups = groups
        lights = use_group(self.tree, groups["signals"])
        self.key, self.fill, self.accent = (Vec(self.tree, lights.outputs[letter]) for letter in "ABC")
        self.material.cycles.emission_sampling = "NONE"

    def values(self) -> dict[str, Num]:
        """The keyed numbers on the mesh."""
        return stored_values(self.tree, self.groups["stored"])

    def attribute(self, name: str, kind: str = "GEOMETRY") -> Vec:
        """A vector stored on the mesh, or on the instance."""
        return attribute(self.tree, name, kind)

    def geometry(self, name: str) -> Vec:
        """Position, Normal or Incoming (towards the camera)."""
        return Vec(self.tree, self.tree.nodes.new("ShaderNodeNewGeometry").outputs[name])

    def far_side(self) -> Num:
        """1 on the wall of a beam that is behind its light, else 0, and not drawn where the engine can leave it out.

        Beams are turned inside out for this: one layer each, which is seen from inside the beam too.
        """
        self.material.use_backface_culling = True
        return 1.0 - Num(self.tree, self.tree.nodes.new("ShaderNodeNewGeometry").outputs["Backfacing"])

    def picture(self, place: Vec) -> Num:
        """Level of the wall's picture at a place."""
        node = use_group(self.tree, self.groups["wall"])
        self.tree.links.new(place.socket, node.inputs["Place"])
        return Num(self.tree, node.outputs["Level"])

    def banks(self, travel: Num) -> Num:
        """Slow clouds 0..1: three patterns on the mesh that turn into each other."""
        first, second, third = self.attribute("hx_banks").parts()
        phase = turns(travel, 1)
        return first.mix(second, phase.wave()).mix(third, (phase * 2.0 + 0.3).wave() * 0.6)

    def hot(self, colour: Vec, level: Num) -> Vec:
        """As bright as the screen shows the colour without bending its hue; what is above that turns it white-hot."""
        brightest = colour.strongest()
        pure = level.least(1.0 / brightest.most(0.01))
        return colour * pure + (brightest * (level - pure) * WHITE_HOT).grey()

    def finish(self, colour: Vec, additive: bool = False) -> Any:
        """Shine in that colour; ``additive`` lets through all that is behind."""
        if additive:
            self.material.surface_render_method = "BLENDED"
        shine(self.tree, colour, vector(self.tree, 1.0, 1.0, 1.0) if additive else None)
        return self.material


def stage_materials() -> dict[str, Any]:
    """All materials by part, and the group "signals"."""
    groups: dict[str, Any] = {"signals": signals_group(), "stored": stored_group()}
    groups["wall"] = wall_group(groups["stored"])
    makers = {
        "wall": wall_material,
        "steel": steel_material,
        "floor": floor_material,
        "sky": sky_material,
        "stars": stars_material,
        "hills": hills_material,
        "beams": beams_material,
        "bodies": bodies_material,
        "lasers": lasers_material,
        "blinders": blinders_material,
        "jets": jets_material,
        "haze": haze_material,
        "crowd": crowd_material,
    }
    made = {name: maker(groups) for name, maker in makers.items()}
    return {**made, "signals": groups["signals"]}


def wall_material(groups: dict[str, Any]) -> Any:
    """LED wall in the key colour, wings and tubes in the fill."""
    shade = Shade("HX Stage Wall", groups)
    place = shade.attribute("hx_place")
    right, up, kind = place.parts()
    value = shade.values()
    level = shade.picture(place)
    picture = shade.hot(shade.key, level * 1.35)
    wing = shade.fill * (wings(right, up, value) * 1.1)
    tube = shade.fill * (tubes(right, up, value) * 1.6)
    # the beams rest in a break: the wall carries the picture
    calm = 1.0 + value["Open"].clip() * 0.3
    other = wing.mix(tube, kind.step(1.4, 1.6))
    return shade.finish((picture * calm).mix(other * calm, kind.step(0.4, 0.6)))


def wings(right: Num, up: Num, value: dict[str, Num]) -> Num:
    """Columns that fill from below with the mids, in blocks."""
    block = ((up * 11.0).floor() + 0.5) / 11.0
    column = (right * 5.5).floor()
    level = (
        value["Mid"] * 0.9 + value["Pulse"] * 0.35 + (column * 2.4 + turns(value["Travel"], 3) * 6.283185).sin() * 0.25
    )
    lit = (level * 2.0 - 0.75 - block).step(0.0, 0.15)
    gap = ((up * 11.0).fract() - 0.5).abs().step(0.5, 0.36) * ((right * 5.5).fract() - 0.5).abs().step(0.5, 0.42)
    return (lit * 0.85 + 0.10) * gap


def tubes(along: Num, portal: Num, value: dict[str, Num]) -> Num:
    """Light that climbs the portals with every pulse, one portal after the other."""
    run = (along * 0.5 + value["Pulse At"] - portal * 0.22).fract()
    return (run**4.0) * value["Pulse"] * 0.9 + 0.22 + value["Energy"] * 0.12


def steel_material(groups: dict[str, Any]) -> Any:
    """Trusses, towers and booth: black metal under a wash of the fill from below and from the crowd's side."""
    shade = Shade("HX Stage Steel", groups)
    _, _, up = shade.geometry("Position").parts()
    normal = shade.geometry("Normal")
    facing = normal.dot(vector(shade.tree, 0.0, -0.62, -0.78)).most(0.0)
    edge = normal.dot(vector(shade.tree, 0.55, 0.6, 0.3)).abs()
    level = (facing * 0.42 + edge * 0.07 + 0.012) * up.step(24.0, 2.0)
    return shade.finish(shade.fill * level)


def floor_material(groups: dict[str, Any]) -> Any:
    """Wet ground: the wall mirrored in it by plain geometry, broken up by puddles, and a wash of the fill."""
    shade = Shade("HX Stage Floor", groups)
    here, view = shade.geometry("Position"), shade.geometry("Incoming")
    x, y, z = here.parts()
    wet = noise(here, 0.35, 0.0)[0]
    ripple = noise(here, 3.1, 0.0)[0] - 0.5
    look_x, look_y, look_z = view.parts()
    # The mirrored ray: along the view as it is, only upwards.
    steps = (WALL_M[1] - y) / (look_y * -1.0).most(0.02)
    hit_x = x - look_x * steps + ripple * 1.2
    hit_z = z + (look_z + ripple * 0.22).most(0.0) * steps
    half_m = WALL_HALF_M[1]
    across, up = (hit_x - WALL_M[0]) / half_m, (hit_z - WALL_M[2]) / half_m
    level = shade.picture(vector(shade.tree, across, up, 0.0))
    inside = across.abs().step(ASPECT + 0.15, ASPECT - 0.1) * up.abs().step(1.2, 0.85) * look_y.step(0.0, -0.05)
    graze = (1.0 - look_z.clip()) ** 3.0
    mirror = (graze * 0.75 + 0.08) * wet.step(0.3, 0.6) * inside
    lit = shade.geometry("Normal").parts()[2].most(0.0)
    wash = ((y + 3.0) / 26.0).bump(1.0) * (x / 26.0).bump(1.0) * (0.4 + wet * 0.8)
    deck = z.step(STAGE_M - 0.1, STAGE_M)
    spots = ((x * 0.42).sin() * 0.5 + 0.5) ** 3.0
    key = level * mirror * lit
    # where the wall is mirrored the fill gives way: two lights on one spot would be a third colour
    fill = shade.fill * (lit * wash * (0.045 + deck * (0.10 + spots * 0.18)) * (1.0 - (key * 4.0).clip()))
    return shade.finish(shade.key * key + fill)


def sky_material(groups: dict[str, Any]) -> Any:
    """Night: a glow of the accent behind the stage in slow banks of haze, and room above in breaks."""
    shade = Shade("HX Stage Sky", groups)
    value = shade.values()
    way = shade.geometry("Position").unit()
    x, y, z = way.parts()
    banks = shade.banks(value["Travel"]).step(0.25, 0.8)
    ahead = y.step(-0.3, 0.8)
    calm = value["Open"].clip()
    glow = (x / 0.62).bump(1.0) * ((z - 0.12) / (calm * 0.16 + 0.24)).bump(1.0) * ahead
    low = (z / 0.10).bump(1.0)
    haze = glow * (banks * 0.5 + 0.08) + low * (banks * 0.14 + 0.04)
    # a dim yellow is an olive: such an accent leaves the sky to the stars
    return shade.finish(shade.accent * (haze * (1.0 + calm * 0.8) * (1.0 - shade.accent.dull() * 0.8)))


def stars_material(groups: dict[str, Any]) -> Any:
    """Stars, which only the open sky of a break shows."""
    shade = Shade("HX Stage Stars", groups)
    level = shade.attribute("hx_along").parts()[0] * shade.values()["Open"].clip()
    # stars take on what the sky does not show of the accent
    tinted = shade.accent * (4.0 * shade.accent.dull())
    return shade.finish((level.grey() + tinted * level), additive=True)


def hills_material(groups: dict[str, Any]) -> Any:
    """Trees far away, nearly black."""
    shade = Shade("HX Stage Hills", groups)
    return shade.finish(shade.accent * 0.006)


def beam_colour(shade: Shade) -> Vec:
    """Light of the lamp that a point belongs to."""
    key, fill, accent = shade.attribute("hx_group").parts()
    # accent beams pass before the wings of the wall, whose colour they must not turn
    return shade.key * key + shade.fill * fill + shade.accent * (accent * 0.6)


def across_beam(shade: Shade) -> tuple[Num, Num]:
    """How near to the middle of its beam a view passes, 0..1, and the sine of its angle to the beam."""
    axis, view, normal = shade.attribute("hx_axis"), shade.geometry("Incoming"), shade.geometry("Normal")
    along = axis.dot(view)
    slant = (1.0 - along * along).most(0.02).sqrt()
    return (normal.dot(view).abs() / slant).clip(), slant


def beams_material(groups: dict[str, Any]) -> Any:
    """Beams of the moving heads: additive, fading along and towards their edges."""
    shade = Shade("HX Stage Beams", groups)
    value = shade.values()
    across, slant = across_beam(shade)
    along = shade.attribute("hx_along").parts()[0]
    fade = ((1.0 - along).most(0.0) ** 1.7) * (0.25 + 0.75 * along.bump(0.16))
    strength = shade.attribute("hx_phase").parts()[2]
    calm, narrow = value["Open"].clip(), value["Narrow"].clip()
    power = strength * (0.55 + value["Energy"] * 0.6 + (1.0 - value["Shock"]) * 0.6 + calm * 1.1)
    power = power * (1.0 + narrow * 1.5)
    thick = (0.5 / slant).least(1.1)
    level = (across**2.0) * fade * power * thick * 3.2 * shade.far_side()
    return shade.finish(shade.hot(beam_colour(shade), level), additive=True)


def bodies_material(groups: dict[str, Any]) -> Any:
    """Housings in the dark of the fill, lenses in the colour of their beam."""
    shade = Shade("HX Stage Heads", groups)
    lens = shade.attribute("hx_along").parts()[0]
    calm = shade.values()["Open"].clip()
    body = shade.fill * (shade.geometry("Normal").dot(vector(shade.tree, 0.0, -0.6, -0.8)).most(0.0) * 0.12)
    colour = beam_colour(shade)
    return shade.finish(body.mix(shade.hot(colour, (1.0 - calm * 0.5) * 2.6), lens))


def lasers_material(groups: dict[str, Any]) -> Any:
    """Thin rays of the accent that stand only in drops."""
    shade = Shade("HX Stage Lasers", groups)
    value = shade.values()
    along = shade.attribute("hx_along").parts()[0]
    gate = laser_gate(value)
    return shade.finish(shade.accent * (gate * ((1.0 - along) ** 0.8) * 1.4 * shade.far_side()), additive=True)


def blinders_material(groups: dict[str, Any]) -> Any:
    """Lamps towards the crowd: dark, warm with every kick, full with the shock of a drop."""
    shade = Shade("HX Stage Blinders", groups)
    value = shade.values()
    rim = shade.attribute("hx_along").parts()[0]
    hit = (1.0 - value["Shock"]) ** 3.0
    level = (hit * 3.2 + value["Pulse"] * value["Energy"] * 0.5 + 0.03) * (1.0 - rim * 0.75)
    return shade.finish(shade.hot(shade.key, level))


def jets_material(groups: dict[str, Any]) -> Any:
    """Smoke in the key light, soft at its edges."""
    shade = Shade("HX Stage Jets", groups)
    value = shade.values()
    across, up, chance = shade.attribute("hx_along").parts()
    rising = vector(shade.tree, across * 0.8 + chance, up * 3.0 - value["Shock"] * 9.0, chance)
    cloud = noise(rising, 2.4, 3.0)[0]
    edge = (across.abs() * 1.05 + (0.5 - cloud) * 1.2).step(0.9, 0.25)
    level = edge * ((1.0 - up).most(0.0) ** 0.7) * value["Shock"].step(0.55, 0.12) * cloud
    return shade.finish(shade.hot(shade.key, level * 1.6), additive=True)


def haze_material(groups: dict[str, Any]) -> Any:
    """Banks of haze between the rows of the crowd: key light before the wall, fill at the sides."""
    shade = Shade("HX Stage Haze", groups)
    value = shade.values()
    middle, sides, _ = shade.attribute("hx_along").parts()
    cloud = shade.banks(value["Travel"]).step(0.1, 0.85) * 0.7 + 0.3
    level = cloud * (0.45 + value["Energy"] * 0.4) * (1.0 - value["Open"].clip() * 0.3)
    return shade.finish(shade.key * (level * middle * 0.13) + shade.fill * (level * sides * 0.20), additive=True)


def crowd_material(groups: dict[str, Any]) -> Any:
    """People: black, with a rim of the fill where they face the stage, and the wave of a drop running over them."""
    shade = Shade("HX Stage Crowd", groups)
    here, normal, view = (shade.geometry(name) for name in ("Position", "Normal", "Incoming"))
    wave, _, _ = shade.attribute("hx_flash", "INSTANCER").parts()
    way = vector(shade.tree, WALL_M[0], WALL_M[1], WALL_M[2] + 2.0) - here
    facing = normal.dot(way.unit()).most(0.0)
    rim = (1.0 - normal.dot(view).abs()) ** 2.0
    near = 1.0 / (1.0 + (way.length() / 26.0) ** 2.0)
    lit = facing * (rim * 2.6 + 0.12) * near
    # as on the floor, one light at a time
    return shade.finish(
        shade.fill * (lit * (1.0 - (wave * 2.0).clip())) + shade.key * (facing * wave * (rim * 2.0 + 0.3))
    )
