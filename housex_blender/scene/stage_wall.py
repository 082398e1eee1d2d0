"""The picture on the LED wall: a node group that follows the music at any place of the wall. Zone: bpy."""

from __future__ import annotations

from typing import Any

from .formula import Num, Vec, attribute, vector
from .nodes import fresh_group, use_group
from .stage_geometry import WALL_HALF_M
from .stage_motion import STORED, turns

# Half the wall's width over half its height: the wall runs from -ASPECT to ASPECT and from -1 to 1.
ASPECT = WALL_HALF_M[0] / WALL_HALF_M[1]
# Blocks of light from the middle to the top.
ROWS = 11.0


def stored_group() -> Any:
    """Node group "HX Stage Stored": the keyed numbers, as a modifier stored them on the mesh."""
    tree = fresh_group("HX Stage Stored")
    output = tree.nodes.new("NodeGroupOutput")
    for name, parts in STORED.items():
        for part, number in zip(parts, attribute(tree, name).parts(), strict=True):
            tree.interface.new_socket(part, in_out="OUTPUT", socket_type="NodeSocketFloat")
            tree.links.new(number.socket, output.inputs[part])
    return tree


def stored_values(tree: Any, stored: Any) -> dict[str, Num]:
    """The keyed numbers in a shader, by name."""
    node = use_group(tree, stored)
    return {name: Num(tree, node.outputs[name]) for names in STORED.values() for name in names}


def wall_group(stored: Any) -> Any:
    """Node group "HX Stage Wall": how bright the picture is, 0 to about 3 ("Level"), at a place ("Place").

    Place is (right, up) over the wall's half height. What is drawn depends on the five characters of movement.
    """
    tree = fresh_group("HX Stage Wall")
    tree.interface.new_socket("Place", in_out="INPUT", socket_type="NodeSocketVector")
    tree.interface.new_socket("Level", in_out="OUTPUT", socket_type="NodeSocketFloat")
    entry, output = tree.nodes.new("NodeGroupInput"), tree.nodes.new("NodeGroupOutput")
    right, up, _ = Vec(tree, entry.outputs["Place"]).parts()
    value = stored_values(tree, stored)
    # Everything is drawn in square blocks, a gap around each: a wall of lamps, not a screen.
    block_x, block_y = (right * ROWS).floor(), (up * ROWS).floor()
    x, y = (block_x + 0.5) / ROWS, (block_y + 0.5) / ROWS
    far = (x * x + y * y).sqrt()
    gap = block_gap(right * ROWS) * block_gap(up * ROWS)
    drawn = columns(x, y, value) + sweep(x, y, value)
    for name, draw in (("Swell", swell), ("Shards", shards), ("Grid", grid), ("Slabs", slabs), ("Ribs", ribs)):
        drawn = drawn + draw(x, y, far, value) * value[name].least(1.1)
    narrow, calm = value["Narrow"].clip(), value["Open"].clip()
    slow = calm_waves(x, y, value)
    drawn = drawn.mix(slow, calm)
    ring = ring_of(far, value) * (1.0 - calm * 0.7)
    shock = shock_of(far, value)
    slit = x.abs() - (ASPECT + 0.1) * (1.0 - narrow * 0.82)
    inside = slit.step(0.12, -0.12)
    drawn = drawn * (0.55 + 0.5 * value["Pulse"]).mix(1.0, calm) + ring * 1.1 + shock * 1.6 + 0.03
    # A build-up darkens its lights; what is left of the wall has to carry the picture.
    level = drawn * (1.0 + narrow * 4.2) * inside * gap
    tree.links.new(level.socket, output.inputs["Level"])
    return tree


def block_gap(place: Num) -> Num:
    """1 on a block, 0 between two."""
    return ((place.fract() - 0.5).abs()).step(0.5, 0.40)


def columns(x: Num, y: Num, value: dict[str, Num]) -> Num:
    """Bands as columns from the middle of the wall up and down: bass in the middle, high at the sides."""
    out = x.abs() / ASPECT
    band = value["Bass"].mix(value["Mid"], out.step(0.1, 0.5)).mix(value["High"], out.step(0.5, 0.95))
    ragged = ((x * 23.0).sin() * 0.5 + 0.5) * 0.35 + 0.65
    return (band * ragged * 0.85 - y.abs()).step(-0.04, 0.08) * 0.5


def calm_waves(x: Num, y: Num, value: dict[str, Num]) -> Num:
    """What a break shows: slow hills of light under a dark sky."""
    travel = turns(value["Travel"], 1)
    hills = (x * 0.24 + travel * 2.0).wave() * 0.5 + (x * 0.41 - travel * 3.0 + 0.2).wave() * 0.34 - 0.72
    depth = (hills - y) * 1.1
    return (
        depth.step(-0.05, 0.06) * (depth * 0.9).bump(0.8) * 2.3 + depth.step(0.5, 0.58) * (depth - 0.62).bump(0.4) * 1.5
    )


def sweep(x: Num, y: Num, value: dict[str, Num]) -> Num:
    """A slanted bar that runs over the wall."""
    along = (x * 0.16 + y * 0.07 - turns(value["Travel"], 4)).fract()
    return (along**9.0) * 0.55 * value["Energy"]


def ring_of(far: Num, value: dict[str, Num]) -> Num:
    """The ring of light that each kick sends from the middle to the edge."""
    reach = (ASPECT + 0.5) * (1.0 - value["Narrow"].clip() * 0.7)
    return (far - value["Pulse At"] * reach).bump(0.16) * value["Pulse"]


def shock_of(far: Num, value: dict[str, Num]) -> Num:
    """The wave of a drop: one broad ring, gone when the shock is at 1."""
    return (far - value["Shock"] * 7.0).bump(0.45) * (1.0 - value["Shock"]).most(0.0)


def swell(x: Num, y: Num, far: Num, value: dict[str, Num]) -> Num:
    """Smooth waves."""
    travel = turns(value["Travel"], 2)
    bend = (x * 0.3 + travel * 2.0).wave() * 0.5
    return ((y * 0.55 + bend + (x * 0.22 - travel * 3.0).wave() * 0.35).wave() ** 2.0) * 0.95


def shards(x: Num, y: Num, far: Num, value: dict[str, Num]) -> Num:
    """Angular splinters between lines that cross."""
    travel = turns(value["Travel"], 1)
    first = (x * 0.62 + y * 0.48 + travel * 4.0).fract()
    second = (x * 0.62 - y * 0.48 - travel * 2.0 + 0.3).fract()
    third = (y * 0.9 + x * 0.08 + travel).fract()
    return ((first - second).step(0.0, 0.05) * (second - third).step(0.25, 0.2) * (first * 0.8 + 0.3)) * 1.25


def grid(x: Num, y: Num, far: Num, value: dict[str, Num]) -> Num:
    """Large squares, each at a level of its own that wanders."""
    square_x, square_y = (x * 2.2).floor(), (y * 2.2).floor()
    noise = x.tree.nodes.new("ShaderNodeTexWhiteNoise")
    noise.noise_dimensions = "2D"
    x.tree.links.new(vector(x.tree, square_x, square_y, 0.0).socket, noise.inputs["Vector"])
    chance = Num(x.tree, noise.outputs["Value"])
    return ((chance * 7.0 + turns(value["Travel"], 2) * ((chance * 3.0).floor() + 1.0)).wave() ** 2.5) * 1.15


def slabs(x: Num, y: Num, far: Num, value: dict[str, Num]) -> Num:
    """Big bars that slide slowly past each other and hit with the kick."""
    row = (y * 1.5).floor()
    along = (x * 0.34 + row * 0.37 + turns(value["Travel"], 1) * (row * 2.0 + 1.0)).fract()
    return (along - 0.5).step(0.0, 0.03) * (0.35 + 0.75 * value["Pulse"])


def ribs(x: Num, y: Num, far: Num, value: dict[str, Num]) -> Num:
    """Frames in frames that run outwards, one further with every beat."""
    frame = (x.abs() / ASPECT).most(y.abs())
    saw = (frame * 4.0 - value["Pulse At"]).fract()
    return saw.step(0.5, 0.58) * (0.4 + 0.6 * saw) * (1.1 - 0.5 * frame)
