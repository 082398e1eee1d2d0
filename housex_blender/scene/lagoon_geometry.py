"""Shapes of the lagoon as numbers: loop of the cameras, monoliths in pieces, sea, aurora and lamps. Zone: pure (numpy).

Metres, z up, the sea at z = 0, the circle of stones around the origin and the eclipse far out in +y.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Towards the eclipse: a hand above the horizon.
MOON_M = np.array([0.0, 1500.0, 372.0])
MOON_RADIUS_M = 138.0
SEA_M = 1900.0
SKY_M = 2400.0
# Stones reach this far under water, so that there is something to rise.
KEEL_M = 13.0
# How many stones, and the thinnest and thickest layer of one in metres.
DETAILS: dict[str, tuple[int, float, float]] = {
    "draft": (78, 0.7, 6.0),
    "preview": (84, 0.6, 5.2),
    "final": (96, 0.5, 4.5),
}
# Walls of a piece as pairs of its four corners: the stone's axis, a middle of an edge, the corner, the next middle.
_WALLS = np.array([(0, 1), (1, 2), (2, 3), (3, 0)])


def rail_points(count: int) -> Floats:
    """(count, 3) points of the closed loop on which the cameras glide, the eclipse always ahead of them."""
    turn = 2 * np.pi * np.arange(count) / count
    across = 25.0 * np.sin(turn) + 3.0 * np.sin(2 * turn)
    along = -56.0 - 13.0 * np.cos(turn) + 3.0 * np.cos(3 * turn)
    return np.column_stack([across, along, np.zeros(count)])


def rail_length_m() -> float:
    """Length of the loop."""
    points = rail_points(720)
    return float(np.linalg.norm(np.roll(points, -1, axis=0) - points, axis=1).sum())


@dataclass
class Stones:
    """Where the monoliths stand.

    Attributes:
        place: (k, 2) feet.
        height: (k,) metres above the sea.
        half: (k, 2) half the width and half the depth of the footprint.
        corners: (k,) corners of the footprint: 3, 4 or 6.
        turn: (k,) heading in radians.
        near: (k, 2) how far each may come towards the cameras' loop.
        heavy: (k,) 1 for the few that rise like slabs, else 0.
    """

    place: Floats
    height: Floats
    half: Floats
    corners: Ints
    turn: Floats
    near: Floats
    heavy: Floats


def plan_stones(rng: np.random.Generator, count: int) -> Stones:
    """Loose circles of stones that leave the loop of the cameras free."""
    rail = rail_points(360)[:, :2]
    rows: list[tuple[Floats, float, float]] = []
    circles = ((17.0, 0.13, 24.0), (33.0, 0.2, 15.0), (54.0, 0.27, 12.0), (86.0, 0.4, 18.0))
    for radius_m, share, tall_m in circles:
        wanted = round(share * count)
        angle = 2 * np.pi * (np.arange(wanted) + rng.uniform(-0.3, 0.3, wanted)) / wanted + rng.uniform(0, 6)
        reach = radius_m * rng.uniform(0.84, 1.18, wanted)
        foot = np.column_stack([np.sin(angle), np.cos(angle)]) * reach[:, None]
        heights = tall_m * rng.uniform(0.42, 1.15, wanted)
        rows += [(foot[index], float(heights[index]), 0.0) for index in range(wanted)]
    rows += [(place, height, 1.0) for place, height in avenue(rng, rail)]
    stones: list[tuple[Floats, float, float]] = []
    for place, height, beside in rows:
        free = float(np.linalg.norm(rail - place, axis=1).min()) - 1.5 * _half_m(height)
        apart = min((np.linalg.norm(place - other) for other, _, _ in stones), default=99.0)
        if free > (4.8 if beside else 6.0) and apart > 4.5 and not _before_the_eclipse(place):
            stones.append((place, height, beside))
    return _dress(rng, stones, rail)


def avenue(rng: np.random.Generator, rail: Floats) -> list[tuple[Floats, float]]:
    """(place, height) of stones close beside the loop, for the camera to pass."""
    found = []
    for index in range(0, len(rail), 30):
        along = rail[(index + 1) % len(rail)] - rail[index - 1]
        side = np.array([-along[1], along[0]]) / np.linalg.norm(along) * rng.choice([-1.0, 1.0], p=[0.45, 0.55])
        found.append((rail[index] + side * rng.uniform(8.0, 11.5), rng.uniform(4.5, 11.0)))
    return found


def _half_m(height: Any) -> Any:
    """Half the width that a stone of this height has, more or less."""
    return 0.75 + 0.055 * height


def _before_the_eclipse(place: Floats) -> bool:
    """Whether a stone would close the lane that leads through the circles to the eclipse."""
    return bool(place[1] > -46.0 and abs(place[0]) < 7.5 + 0.12 * max(place[1], 0.0))


def _dress(rng: np.random.Generator, stones: list[tuple[Floats, float, float]], rail: Floats) -> Stones:
    """Shapes for stones whose places are chosen."""
    count = len(stones)
    place, height = np.array([stone[0] for stone in stones]), np.array([stone[1] for stone in stones])
    half = np.empty((count, 2))
    half[:, 0] = _half_m(height) * rng.uniform(0.85, 1.25, count)
    half[:, 1] = half[:, 0] * rng.choice([0.38, 0.6, 1.0], count, p=[0.45, 0.25, 0.3])
    offset = rail[None] - place[:, None]
    nearest = offset[np.arange(count), np.linalg.norm(offset, axis=2).argmin(axis=1)]
    gap = np.linalg.norm(nearest, axis=1, keepdims=True)
    reach = np.clip(gap - 1.6 * half[:, :1] - 5.0, 0.0, 9.0) * np.exp(-gap / 60.0)
    heavy = np.zeros(count)
    heavy[rng.permutation(count)[: count // 5]] = 1.0
    return Stones(
        place=place,
        height=height,
        half=half,
        corners=rng.choice([3, 4, 6], count, p=[0.2, 0.56, 0.24]),
        turn=rng.uniform(-0.5, 0.5, count) + np.arctan2(place[:, 0], -place[:, 1]) * 0.35,
        near=nearest / np.maximum(gap, 1e-6) * reach,
        heavy=heavy,
    )


@dataclass
class Field:
    """The monoliths as one mesh of loose pieces.

    Attributes:
        points: (n, 3).
        quads: (m, 4) seen counter-clockwise from outside a piece.
        axis: (n, 3) foot of the stone and its height.
        piece: (n, 3) middle of the piece.
        chance: (n, 3) random numbers of the piece, 0..1.
        near: (n, 3) how far the stone may come towards the cameras, and whether it is a heavy one.
        edge: (m, 4, 3) metres of each face corner from the seam beside it, from the seam below it, and from the rim.
        seam: (m, 3) strength of the seam beside, of the one below, and 1 on faces inside a stone.
    """

    points: Floats
    quads: Ints
    axis: Floats
    piece: Floats
    chance: Floats
    near: Floats
    edge: Floats
    seam: Floats


def build_field(seed: int, detail: str) -> Field:
    """All monoliths; ``detail`` is one of DETAILS."""
    rng = np.random.default_rng(seed)
    count, thin_m, thick_m = DETAILS[detail]
    stones = plan_stones(rng, count)
    parts = [_stone(rng, stones, index, thin_m, thick_m) for index in range(len(stones.height))]
    names = ("points", "axis", "piece", "chance", "near", "edge", "seam")
    joined = {name: np.concatenate([part[name] for part in parts]) for name in names}
    offsets = np.cumsum([0] + [len(part["points"]) for part in parts[:-1]])
    quads = np.concatenate([part["quads"] + offset for part, offset in zip(parts, offsets, strict=True)])
    return Field(quads=quads, **joined)


def _outline(corners: int, half: Floats, turn: float) -> Floats:
    """(corners, 4, 2) footprints of a stone's sectors: axis, middle, corner, next middle; counter-clockwise."""
    angle = 2 * np.pi * (np.arange(corners) + 0.5) / corners
    ring = np.column_stack([np.cos(angle), np.sin(angle)]) * (np.sqrt(2.0) if corners == 4 else 1.15) * half
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    ring = ring @ rotation
    middle = (ring + np.roll(ring, -1, axis=0)) / 2
    return np.stack([np.zeros_like(ring), np.roll(middle, 1, axis=0), ring, middle], axis=1)


def _stone(rng: np.random.Generator, stones: Stones, index: int, thin_m: float, thick_m: float) -> dict[str, Floats]:
    """Pieces of one stone: layers, each cut into as many sectors as the stone has corners."""
    height, foot = stones.height[index], stones.place[index]
    outline = _outline(int(stones.corners[index]), stones.half[index], stones.turn[index])
    steps = thin_m * (thick_m / thin_m) ** rng.random(64)
    levels = np.cumsum(steps) - KEEL_M - steps[0]
    levels = np.append(levels[levels < height - thin_m], height)
    sectors, layers = len(outline), len(levels) - 1
    lean = rng.normal(0.0, 0.018, 2)
    taper = 1.0 - rng.uniform(0.05, 0.3) * np.clip(levels / height, 0.0, 1.0)
    slope = rng.normal(0.0, 0.42, 2)
    # (layers, sectors, bottom or top, 4 corners, 3)
    points = np.empty((layers, sectors, 2, 4, 3))
    for side in range(2):
        at = slice(side, side + layers)
        points[:, :, side, :, :2] = outline[None] * taper[at, None, None, None]
        points[:, :, side, :, :2] += foot + lean * np.maximum(levels[at], 0.0)[:, None, None, None]
        points[:, :, side, :, 2] = levels[at, None, None]
    points[-1, :, 1, :, 2] += np.clip(outline @ slope, -0.7 * steps.min(), None)
    pieces = points.reshape(-1, 8, 3)
    layer = np.repeat(np.arange(layers), sectors)
    return {"points": pieces.reshape(-1, 3), **_marks(rng, stones, index, pieces), **_faces(rng, pieces, layer, layers)}


def _marks(rng: np.random.Generator, stones: Stones, index: int, pieces: Floats) -> dict[str, Floats]:
    """What each point knows about its stone and piece."""
    count = len(pieces)
    axis = np.array([*stones.place[index], stones.height[index]])
    near = np.array([*stones.near[index], stones.heavy[index]])
    return {
        "axis": np.tile(axis, (8 * count, 1)),
        "near": np.tile(near, (8 * count, 1)),
        "piece": np.repeat(pieces.mean(axis=1), 8, axis=0),
        "chance": np.repeat(rng.random((count, 3)), 8, axis=0),
    }


def _faces(rng: np.random.Generator, pieces: Floats, layer: Ints, layers: int) -> dict[str, Floats]:
    """Quads of the pieces, four walls, lid and bottom, with what their shader wants to know."""
    count = len(pieces)
    start = 8 * np.arange(count)[:, None, None]
    walls = np.column_stack([_WALLS, _WALLS[:, ::-1] + 4])[None] + start
    lids = np.array([[4, 5, 6, 7], [3, 2, 1, 0]])[None] + start
    bottom, top = pieces[:, :4], pieces[:, 4:]
    length = np.linalg.norm(bottom[:, _WALLS[:, 1]] - bottom[:, _WALLS[:, 0]], axis=2)
    tall = (top[:, :, 2] - bottom[:, :, 2])[:, _WALLS]
    edge = np.full((count, 6, 4, 3), 9.0)
    # walls 1 and 2 are outside: the seam is where they meet the next sector, the rim at the stone's own corner
    beside = np.array([[9, 9, 9, 9], [0, 1, 1, 0], [1, 0, 0, 1], [9, 9, 9, 9]])
    edge[:, :4, :, 0] = beside * length[:, :, None]
    edge[:, :4, :, 1] = 0.0
    edge[:, :4, 2, 1], edge[:, :4, 3, 1] = tall[:, :, 1], tall[:, :, 0]
    edge[:, 1:3, :, 2] = length[:, 1:3, None] - edge[:, 1:3, :, 0]
    seam = np.zeros((count, 6, 3))
    lit = (rng.random(layers) < 0.36) * rng.uniform(0.45, 1.0, layers)
    seam[:, 1:3, 0] = rng.choice([0.0, 0.3, 1.0], p=[0.45, 0.25, 0.3]) * (rng.random(count) < 0.8)[:, None]
    seam[:, 1:3, 1] = lit[layer][:, None]
    seam[:, [0, 3, 4, 5], 2] = 1.0
    seam[layer == layers - 1, 4, 2] = 0.0
    return {
        "quads": np.concatenate([walls, lids], axis=1).reshape(-1, 4),
        "edge": edge.reshape(-1, 4, 3),
        "seam": seam.reshape(-1, 3),
    }


def polar_grid(radii: Floats, count: int) -> tuple[Floats, Ints]:
    """Points (n, 3) and quads (m, 4) of rings around the origin in the plane z = 0, faces up."""
    angle = 2 * np.pi * np.arange(count) / count
    points = np.zeros((len(radii), count, 3))
    points[..., 0], points[..., 1] = radii[:, None] * np.cos(angle), radii[:, None] * np.sin(angle)
    ring, step = np.meshgrid(np.arange(len(radii) - 1), np.arange(count), indexing="ij")
    following = (step + 1) % count
    quads = np.stack([ring * count + step, (ring + 1) * count + step], axis=-1)
    quads = np.concatenate(
        [quads, np.stack([(ring + 1) * count + following, ring * count + following], axis=-1)], axis=-1
    )
    return points.reshape(-1, 3), quads.reshape(-1, 4)


def sea_grid(detail: str) -> tuple[Floats, Ints]:
    """The sea: fine where rings run, coarse towards the horizon."""
    step_m = {"draft": 0.55, "preview": 0.45, "final": 0.36}[detail]
    fine = np.arange(0.05, 78.0, step_m)
    return polar_grid(np.concatenate([fine, np.geomspace(80.0, SEA_M, 44)]), 96)


def sheet(columns: int, rows: int) -> tuple[Floats, Ints]:
    """Points (n, 2) in 0..1 and quads (m, 4) of a sheet."""
    across, up = np.meshgrid(np.linspace(0, 1, columns + 1), np.linspace(0, 1, rows + 1), indexing="ij")
    first = (np.arange(columns)[:, None] * (rows + 1) + np.arange(rows)).ravel()
    quads = np.stack([first, first + rows + 1, first + rows + 2, first + 1], axis=1)
    return np.column_stack([across.ravel(), up.ravel()]), quads


def aurora_curtains(rng: np.random.Generator) -> tuple[Floats, Ints, Floats, Floats]:
    """Curtains of light: points (n, 3), quads (m, 4), for each point how far along, how far up and whether it is the
    fill's curtain, and (n, 3) the way from the hem of the curtain to its top."""
    # heading of both ends in degrees from the eclipse, distance, lower edge, height; the last one is the fill's
    plans = ((-92, 30, 760, 190, 420), (-22, 92, 940, 290, 560), (-62, -20, 1120, 150, 210))
    points, quads, marks, way = [], [], [], []
    before = 0
    for which, (left, right, far_m, low_m, tall_m) in enumerate(plans):
        flat, faces = sheet(150, 7)
        heading = np.radians(left + (right - left) * flat[:, 0])
        phase = rng.uniform(0, 2 * np.pi, 2)
        reach = far_m * (1 + 0.13 * np.sin(7 * flat[:, 0] + phase[0]) + 0.05 * np.sin(17 * flat[:, 0] + phase[1]))
        up = low_m + tall_m * flat[:, 1] + 60.0 * np.sin(5 * flat[:, 0] + phase[1])
        quads.append(faces + before)
        before += len(flat)
        points.append(np.column_stack([reach * np.sin(heading), reach * np.cos(heading), up]))
        marks.append(np.column_stack([flat, np.full(len(flat), float(which == 2))]))
        way.append(np.tile([0.0, 0.0, float(tall_m)], (len(flat), 1)))
    return np.concatenate(points), np.concatenate(quads), np.concatenate(marks), np.concatenate(way)


def ridge(rng: np.random.Generator) -> tuple[Floats, Ints]:
    """Mountains all around: a strip with a jagged upper edge, low before the eclipse."""
    count = 420
    angle = 2 * np.pi * np.arange(count) / count
    height = np.zeros(count)
    for octave in range(1, 7):
        waves = 3 * 2**octave
        knots = rng.uniform(0, 1, waves)
        height += np.interp(angle, np.linspace(0, 2 * np.pi, waves + 1), np.append(knots, knots[0])) * 0.62**octave
    height = (height - height.min()) / np.ptp(height)
    gap = np.abs(np.angle(np.exp(1j * (angle - np.pi / 2))))
    height = (18.0 + 175.0 * height**1.6) * (0.2 + 0.8 * np.clip((gap - 0.12) / 0.5, 0.0, 1.0))
    foot = np.column_stack([1650 * np.cos(angle), 1650 * np.sin(angle), np.full(count, -4.0)])
    peak = foot * [1.03, 1.03, 0.0]
    peak[:, 2] = height
    here, following = np.arange(count), (np.arange(count) + 1) % count
    quads = np.stack([following, here, here + count, following + count], axis=1)
    return np.concatenate([foot, peak]), quads


def lamp_places(rng: np.random.Generator, count: int) -> Floats:
    """(count, 3) places of the small floating lights, thicker about the cameras' loop and never on it."""
    rail = rail_points(180)[:, :2]
    beside = rail[rng.integers(0, len(rail), 8 * count)] + rng.normal(0.0, 15.0, (8 * count, 2))
    free = np.linalg.norm(rail[None] - beside[:, None], axis=2).min(axis=1) > 3.2
    place = beside[free][:count]
    return np.column_stack([place, rng.uniform(0.35, 1.9, len(place))])


def disc(radii: Floats, count: int) -> tuple[Floats, Ints]:
    """A disc of rings that stands upright and faces -y; quads around a point are degenerate at its middle."""
    points, quads = polar_grid(radii, count)
    return np.column_stack([points[:, 0], np.zeros(len(points)), points[:, 1]]), quads


def ball(rows: int, columns: int) -> tuple[Floats, Ints]:
    """A ball of radius 1 seen from inside."""
    flat, quads = sheet(columns, rows)
    heading, height = 2 * np.pi * flat[:, 0], np.pi * (flat[:, 1] - 0.5)
    points = np.column_stack([np.cos(heading) * np.cos(height), np.sin(heading) * np.cos(height), np.sin(height)])
    return points, quads[:, ::-1]


def lamp_shape() -> tuple[Floats, Ints, Floats, Ints]:
    """One lamp: points, quads, (n, 3) place on its sheet, and 0 for the faces of the lamp, 1 for its light below."""
    points, quads = ball(6, 10)
    points = points * [0.07, 0.07, 0.09]
    flat, pool = sheet(1, 1)
    under = np.column_stack([(flat - 0.5) * 3.6, np.full(4, -0.16)])
    place = np.zeros((len(points) + 4, 3))
    place[len(points) :, :2] = flat
    kinds = np.concatenate([np.zeros(len(quads), np.int64), np.ones(len(pool), np.int64)])
    return np.concatenate([points, under]), np.concatenate([quads, pool + len(points)]), place, kinds
