"""Shapes of the festival stage as numbers: walls, trusses, towers, ground. Zone: pure (numpy).

Metres in the world: x to the right as the audience sees it, y from the audience (negative) to the stage, z up.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# The large LED wall: middle, half its width and half its height.
WALL_M, WALL_HALF_M = (0.0, 10.0, 8.7), (12.0, 5.6)
STAGE_M = 1.6
# Portals over the stage, from the wall to the audience: depth, half width, height of the shoulder and of the top.
PORTALS = ((8.6, 13.6, 11.0, 15.4), (5.0, 16.0, 12.4, 17.4), (1.0, 18.6, 14.0, 19.6))
TOWERS_M = ((-24.0, -0.5), (24.0, -0.5))


@dataclass
class Pieces:
    """A mesh under construction, with named numbers for each point.

    Attributes:
        points: Arrays of (n, 3) metres.
        quads: Arrays of (m, 4) point indices, counter-clockwise from outside.
        marks: Name -> arrays of (n, 3), one row per point.
    """

    points: list[Floats] = field(default_factory=list)
    quads: list[Ints] = field(default_factory=list)
    marks: dict[str, list[Floats]] = field(default_factory=dict)
    n_points: int = 0

    def add(self, points: Floats, quads: Ints, **marks: Floats | tuple[float, ...]) -> None:
        """Append a piece; every piece of one mesh needs the same marks, one row for all points or one each."""
        self.points.append(points)
        self.quads.append(quads + self.n_points)
        for name, rows in marks.items():
            self.marks.setdefault(name, []).append(np.broadcast_to(np.asarray(rows, float), (len(points), 3)))
        self.n_points += len(points)

    def arrays(self) -> tuple[Floats, Ints, dict[str, Floats]]:
        """Points, quads and marks as single arrays."""
        marks = {name: np.concatenate(rows) for name, rows in self.marks.items()}
        return np.concatenate(self.points), np.concatenate(self.quads), marks


BOX = np.array([[0, 3, 2, 1], [4, 5, 6, 7], [0, 1, 5, 4], [1, 2, 6, 5], [2, 3, 7, 6], [3, 0, 4, 7]])


def box(middle: tuple[float, float, float], size: tuple[float, float, float]) -> tuple[Floats, Ints]:
    """An upright box."""
    corner = np.array([[-1, -1, -1], [1, -1, -1], [1, 1, -1], [-1, 1, -1]], float)
    corner = np.concatenate([corner, corner * [1, 1, -1]])
    return np.asarray(middle) + corner * np.asarray(size) / 2, BOX.copy()


def tubes(starts: Floats, ends: Floats, radius_m: float, sides: int = 4) -> tuple[Floats, Ints]:
    """Straight open tubes from (k, 3) to (k, 3)."""
    along = ends - starts
    along = along / np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    other = np.where(np.abs(along[:, 2:]) < 0.9, [[0.0, 0.0, 1.0]], [[0.0, 1.0, 0.0]])
    first = np.cross(along, other)
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second = np.cross(along, first)
    angle = 2 * np.pi * (np.arange(sides) + 0.5) / sides
    hoop = radius_m * (first[:, None] * np.cos(angle)[:, None] + second[:, None] * np.sin(angle)[:, None])
    points = np.concatenate([starts[:, None] + hoop, ends[:, None] + hoop], axis=1)
    low = np.arange(sides)
    high = np.roll(low, -1)
    one = np.stack([low, high, high + sides, low + sides], axis=1)
    quads = one[None] + 2 * sides * np.arange(len(starts))[:, None, None]
    return points.reshape(-1, 3), quads.reshape(-1, 4)


def truss(pieces: Pieces, start: Floats, end: Floats, width_m: float, detail: int) -> None:
    """A box truss: four chords and zigzag braces, ``detail`` sides to a tube."""
    along = end - start
    length_m = float(np.linalg.norm(along))
    along = along / length_m
    # Trusses of the stage lie in planes across it, so depth is always a side of their section.
    first = np.array([0.0, 1.0, 0.0])
    second = np.cross(along, first)
    corners = [(first * a + second * b) * width_m / 2 for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    pieces.add(*tubes(np.array([start + c for c in corners]), np.array([end + c for c in corners]), 0.055, detail))
    n_bays = max(1, round(length_m / (1.3 * width_m)))
    steps = start + along * np.linspace(0, length_m, n_bays + 1)[:, None]
    for side in range(4):
        here, there = corners[side], corners[(side + 1) % 4]
        odd = (np.arange(n_bays) % 2 == 1)[:, None]
        low = steps[:-1] + np.where(odd, there, here)
        high = steps[1:] + np.where(odd, here, there)
        pieces.add(*tubes(low, high, 0.032, 3))


def portal_line(depth_m: float, half_m: float, shoulder_m: float, top_m: float) -> Floats:
    """(6, 3) corners of a portal, from its left foot to its right."""
    flat = [(-half_m, 0.0), (-half_m, shoulder_m), (-half_m * 0.62, top_m)]
    return np.array([(x, depth_m, z) for x, z in [*flat, *((-x, z) for x, z in reversed(flat))]])


def build_steel(detail: int) -> Pieces:
    """Portals, rafters, PA towers with line arrays, and the booth: all that stands still and is lit."""
    steel = Pieces()
    lines = [portal_line(*portal) for portal in PORTALS]
    for line in lines:
        for start, end in pairwise(line):
            truss(steel, start, end, 0.75, detail)
    for back, front in pairwise(lines):
        for corner in (1, 2, 3, 4):
            steel.add(*tubes(back[corner : corner + 1], front[corner : corner + 1], 0.12, detail))
    for x_m, y_m in TOWERS_M:
        for shift in (-1.7, 1.7):
            truss(steel, np.array([x_m + shift, y_m, 0.0]), np.array([x_m + shift, y_m, 17.0]), 0.8, detail)
        truss(steel, np.array([x_m - 3.0, y_m, 17.0]), np.array([x_m + 3.0, y_m, 17.0]), 0.8, detail)
        line_array(steel, x_m, y_m - 0.7)
    for x_m in np.arange(-18.0, 18.1, 2.4):
        steel.add(*box((float(x_m), -0.55, 0.45), (1.9, 0.9, 0.9)))
    booth(steel)
    return steel


def line_array(pieces: Pieces, x_m: float, y_m: float) -> None:
    """Twelve cabinets that hang in a curve, as a J."""
    for step in range(12):
        bend = 0.0042 * step * step
        points, quads = box((0.0, 0.0, 0.0), (2.0, 1.0, 0.66))
        points[[1, 2, 5, 6], 0] *= 0.97
        turn = 2.2 * bend
        down = np.array([[1, 0, 0], [0, np.cos(turn), np.sin(turn)], [0, -np.sin(turn), np.cos(turn)]])
        points = points @ down + (x_m, y_m + bend * 2.2, 15.6 - 0.72 * step)
        pieces.add(points, quads)


def booth(pieces: Pieces) -> None:
    """Risers and the DJ's desk."""
    pieces.add(*box((0.0, 6.0, STAGE_M + 0.45), (13.0, 4.4, 0.9)))
    pieces.add(*box((0.0, 5.0, STAGE_M + 1.2), (6.4, 2.4, 0.7)))
    pieces.add(*box((0.0, 3.95, STAGE_M + 2.15), (4.6, 0.9, 1.2)))


def sheet(corners: Floats, n_across: int = 1, n_up: int = 1) -> tuple[Floats, Ints]:
    """A grid of quads between four (4, 3) corners: lower left, lower right, upper right, upper left."""
    across, up = (np.linspace(0, 1, n + 1) for n in (n_across, n_up))
    low = corners[0] + (corners[1] - corners[0]) * across[:, None]
    high = corners[3] + (corners[2] - corners[3]) * across[:, None]
    points = (low[None] + (high - low)[None] * up[:, None, None]).reshape(-1, 3)
    index = np.arange(len(points)).reshape(n_up + 1, n_across + 1)
    quads = np.stack([index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]], axis=-1)
    return points, quads.reshape(-1, 4)


def build_wall() -> Pieces:
    """LED surfaces. Mark ``hx_place``: metres right and up from the wall's middle, over its half height, and a kind.

    Kind 0 is the wall, 1 its wings and the booth's front (second colour), 2 tubes along the portals.
    """
    wall, (x_m, y_m, z_m), (wide_m, high_m) = Pieces(), WALL_M, WALL_HALF_M

    def panel(corners: list[tuple[float, float, float]], kind: float) -> None:
        points, quads = sheet(np.array(corners))
        place = np.column_stack([points[:, 0] - x_m, points[:, 2] - z_m]) / high_m
        wall.add(points, quads, hx_place=np.column_stack([place, np.full(len(points), kind)]))

    low, high = z_m - high_m, z_m + high_m
    panel([(-wide_m, y_m, low), (wide_m, y_m, low), (wide_m, y_m, high), (-wide_m, y_m, high)], 0.0)
    for side in (-1.0, 1.0):
        for inner, outer, near, far in ((13.6, 15.6, 8.2, 7.2), (16.0, 18.6, 6.0, 4.2)):
            ends = sorted([(side * inner, near), (side * outer, far)])
            (x_0, y_0), (x_1, y_1) = ends
            panel([(x_0, y_0, low - 0.6), (x_1, y_1, low - 0.6), (x_1, y_1, high - 1.8), (x_0, y_0, high - 1.8)], 1.0)
    front = 3.95 - 0.46
    panel([(-2.2, front, 3.3), (2.2, front, 3.3), (2.2, front, 4.3), (-2.2, front, 4.3)], 0.0)
    panel([(-18.0, -0.02, 1.15), (18.0, -0.02, 1.15), (18.0, -0.02, 1.45), (-18.0, -0.02, 1.45)], 1.0)
    for number, portal in enumerate(PORTALS):
        line = portal_line(*portal) * [0.955, 1, 0.965] + [0.0, -0.5, 0.0]
        line[[0, -1], 2] = STAGE_M
        points, quads = tubes(line[:-1], line[1:], 0.11, 6)
        along = np.abs(points[:, 0]) / portal[1] + (portal[3] - points[:, 2]) / 9.0
        wall.add(points, quads, hx_place=np.column_stack([along, np.full(len(points), float(number)), 0 * along + 2]))
    return wall


def build_floor() -> Pieces:
    """Wet ground, stage floor and the front of the stage."""
    floor = Pieces()
    ground = [(-110, -110, 0), (110, -110, 0), (110, 110, 0), (-110, 110, 0)]
    floor.add(*sheet(np.array(ground, float), 8, 8))
    deck = [(-20, 0, STAGE_M), (20, 0, STAGE_M), (20, 12, STAGE_M), (-20, 12, STAGE_M)]
    floor.add(*sheet(np.array(deck, float), 4, 2))
    front = [(-20, 0, 0), (20, 0, 0), (20, 0, STAGE_M), (-20, 0, STAGE_M)]
    floor.add(*sheet(np.array(front, float), 4, 1))
    return floor


def build_haze(seed: int) -> Pieces:
    """Upright cards before the stage and between the rows of the crowd.

    Marks: ``hx_banks`` as on the sky; ``hx_along``: how dense the haze is in the middle and at the sides, 0..1.
    """
    haze = Pieces()
    for number, y_m in enumerate((-2.2, -9.5, -17.5)):
        corners = np.array([(-48, y_m, 0), (48, y_m, 0), (48, y_m, 9), (-48, y_m, 9)], float)
        points, quads = sheet(corners, 40, 10)
        x_m, z_m = points[:, 0], points[:, 2]
        height = np.exp(-((z_m / 4.6) ** 2)) * np.clip(z_m / 1.2, 0, 1) * np.clip((9 - z_m) / 3, 0, 1)
        middle, sides = np.exp(-((x_m / 11.0) ** 2)), np.exp(-(((np.abs(x_m) - 24.0) / 9.0) ** 2))
        along = np.column_stack([height * middle, height * sides, 0 * height])
        haze.add(points, quads, hx_along=along, hx_banks=clouds(points * 0.05, seed + number))
    return haze


def build_sky(seed: int) -> Pieces:
    """A dome seen from inside. Mark ``hx_banks``: three patterns of haze, 0..1, to be blended into each other."""
    radius_m, around, rows = 150.0, 96, 24
    angle = np.linspace(0, 2 * np.pi, around + 1)
    # Finer near the horizon, where the haze is.
    height = -0.05 + (np.pi / 2 + 0.03) * np.linspace(0, 1, rows + 1) ** 1.4
    angle, height = np.meshgrid(angle, height)
    way = np.stack([np.cos(height) * np.cos(angle), np.cos(height) * np.sin(angle), np.sin(height)], axis=-1)
    index = np.arange(way.shape[0] * way.shape[1]).reshape(rows + 1, around + 1)
    quads = np.stack([index[:-1, 1:], index[:-1, :-1], index[1:, :-1], index[1:, 1:]], axis=-1).reshape(-1, 4)
    sky, points = Pieces(), way.reshape(-1, 3)
    sky.add(points * radius_m, quads, hx_banks=clouds(points, seed))
    return sky


def clouds(way: Floats, seed: int) -> Floats:
    """(n, 3) smooth random patterns 0..1 over directions, wider than high."""
    rng = np.random.default_rng(seed)
    result = np.zeros((len(way), 3))
    for wave in range(40):
        turn = rng.normal(0.0, 3.0 + 0.12 * wave, (3, 3)) * [1.0, 1.0, 2.2]
        result += np.sin(way @ turn.T + rng.uniform(0, 2 * np.pi, 3)) / (1.0 + 0.05 * wave)
    return np.clip(0.5 + result / 9.0, 0.0, 1.0)


def build_stars(seed: int) -> Pieces:
    """Small squares on the dome. Mark ``hx_along``: how bright."""
    rng, count = np.random.default_rng(seed), 1600
    height, angle = np.arcsin(rng.uniform(0.05, 0.9, count)), rng.uniform(0, 2 * np.pi, count)
    way = np.column_stack([np.cos(height) * np.cos(angle), np.cos(height) * np.sin(angle), np.sin(height)])
    right = np.column_stack([-np.sin(angle), np.cos(angle), np.zeros(count)])
    up = np.cross(way, right)
    bright = rng.random(count) ** 3
    size_m = (0.20 + 0.22 * bright)[:, None]
    corners = [(right * x + up * y) * size_m for x, y in ((-1, -1), (-1, 1), (1, 1), (1, -1))]
    points = (way[:, None] * 146.0 + np.stack(corners, axis=1)).reshape(-1, 3)
    stars = Pieces()
    along = np.column_stack([np.repeat(0.2 + 1.1 * bright, 4), np.zeros((4 * count, 2))])
    stars.add(points, np.arange(4 * count).reshape(-1, 4), hx_along=along)
    return stars


def build_hills(seed: int) -> Pieces:
    """Black tree tops around the ground: what makes a horizon of the haze behind them."""
    rng = np.random.default_rng(seed)
    n = 180
    angle = np.linspace(0, 2 * np.pi, n, endpoint=False)
    ring = np.column_stack([np.cos(angle), np.sin(angle), np.zeros(n)]) * 104.0
    top_m = 2.2 + 2.4 * np.interp(angle, np.linspace(0, 2 * np.pi, 24), rng.random(24)) + 1.6 * rng.random(n)
    points = np.concatenate([ring, ring + np.column_stack([np.zeros((n, 2)), top_m])])
    low = np.arange(n)
    high = np.roll(low, -1)
    hills = Pieces()
    hills.add(points, np.stack([high, low, low + n, high + n], axis=1))
    return hills
