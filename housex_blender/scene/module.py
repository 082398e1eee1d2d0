"""Composes one tunnel module: plates in bays, floor, ribs, rings, strips, small lamps. Zone: pure (numpy)."""

from __future__ import annotations

import functools
import itertools

import numpy as np

from . import hull, lamps
from .hull import BAY_M, FLOOR, GROOVE_M, N_SIDES, PLATE, Motion, Plates, Shape
from .tunnel_cables import cables, conduits

# How far plates are cut up: depth of the cuts and the smallest plate in metres.
DETAILS: dict[str, tuple[int, float]] = {"draft": (5, 0.6), "preview": (5, 0.55), "final": (6, 0.3)}
PARTS = ("hull", "floor", "rings", "strips", "accents")
GATE_EVERY = 5
# Metres from a strip's place inwards: where the metal beside it begins, its face and the metal's edge; half its width.
STRIP_HOUSING = (-0.12, 0.30, 0.32, 0.185)
# Bays in a row look different: many plates, slats along the tunnel, few large shields.
BAY_STYLES = ("plates", "plates", "slats", "plates", "shields")


def bay_rects(
    rng: np.random.Generator, style: str, rect: tuple[float, float, float, float], detail: str
) -> list[tuple[float, float, float, float]]:
    """The plates of one side of one bay."""
    depth, smallest_m = DETAILS[detail]
    along0, along1, across0, across1 = rect
    if style == "slats":
        edges = np.linspace(across0, across1, 8)
        halves = (along0, (along0 + along1) / 2, along1)
        return [(a, b, c, d) for a, b in itertools.pairwise(halves) for c, d in itertools.pairwise(edges.tolist())]
    if style == "shields":
        depth -= 2
    return hull.split(rng, rect, depth, smallest_m)


def wall_plates(shape: Shape, accents: Shape, rng: np.random.Generator, bay: int, detail: str) -> None:
    """Cover the walls of one bay, left and right alike, with plates, slots and small lamps."""
    width = hull.sides()[3]
    style = BAY_STYLES[bay % len(BAY_STYLES)]
    start, stop = bay * BAY_M + 0.46, (bay + 1) * BAY_M - 0.46
    for side in range((N_SIDES + 1) // 2):
        rects = np.array(bay_rects(rng, style, (start, stop, 0.04, width[side] - 0.04), detail))
        n = len(rects)
        height = rng.choice([0.0, 0.06, 0.12, 0.2, 0.32], n, p=[0.34, 0.26, 0.2, 0.12, 0.08])
        recess = rng.choice([0.0, 0.06, 0.1, -0.05], n, p=[0.62, 0.16, 0.14, 0.08])
        inset = rng.choice([0.025, 0.05], n)
        lit = rng.random(n) < (0.08 if side > 0 else 0.16)
        surface = np.column_stack(
            [
                0.15 + 0.85 * rng.random(n) ** 2.2,
                rng.choice([0.05, 0.12, 0.25], n),
                rng.choice([0.35, 0.7, 1.0], n),
                np.clip(0.72 + height, 0, 1),
            ]
        )
        slab = np.random.default_rng(977 * bay + side // 2).random()
        chance = np.column_stack([rng.random(n), rng.random(n), np.full(n, slab)])
        for mirrored in (False, True):
            where, placed = side, rects
            if mirrored:
                where = N_SIDES - 1 - side
                placed = np.column_stack([rects[:, :2], width[side] - rects[:, 3], width[side] - rects[:, 2]])
            plates = Plates(where, placed, height, inset, recess, chance)
            hull.blocks(shape, plates, surface)
            lamp_slots(accents, plates.pick(lit))


def lamp_slots(accents: Shape, plates: Plates) -> None:
    """Put a slim glowing bar on the middle of some plates; it moves as its plate does."""
    rects, n = plates.rects, len(plates.rects)
    if not n:
        return
    origin, direction, normal, _ = (value[plates.side] for value in hull.sides())
    along, across = rects[:, :2].mean(axis=1), rects[:, 2:].mean(axis=1)
    half_m = np.minimum(0.28 * (rects[:, 1] - rects[:, 0]), 0.5)
    top = plates.height_m - plates.recess_m + 0.02
    points = []
    for lift in (0.0, 0.05):
        for a, c in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
            at = origin + direction * (across + 0.045 * c)[:, None] + normal * (top + lift)[:, None]
            points.append(np.column_stack([along + a * half_m, at]))
    quads = hull.block_quads(2)
    pivot = np.column_stack([along, origin + direction * across[:, None]])
    motion = Motion(
        normal[None],
        np.repeat(pivot, 8, axis=0),
        np.repeat(plates.chance, 8, axis=0),
        np.array([[1.0, plates.shrink, PLATE]]),
    )
    index = (quads[None] + 8 * np.arange(n)[:, None, None]).reshape(-1, 4)
    accents.add(np.stack(points, axis=1).reshape(-1, 3), index, np.ones(4), motion)


def floor_plates(shape: Shape, rng: np.random.Generator, bay: int) -> None:
    """Large wet tiles; they stay down so that nothing rises into the camera."""
    width = hull.sides()[3][N_SIDES]
    start = bay * BAY_M + 0.3
    rows = np.linspace(start, (bay + 1) * BAY_M - 0.3, 4)
    columns = width * np.array([0.03, 0.3, 0.7, 0.97])
    rects = np.array([(a, b, c, d) for a, b in itertools.pairwise(rows) for c, d in itertools.pairwise(columns)])
    n = len(rects)
    surface = np.column_stack([0.2 + 0.2 * rng.random(n), 0.02 + 0.05 * rng.random(n), np.ones(n), np.full(n, 0.8)])
    flat = np.zeros(n)
    hull.blocks(
        shape, Plates(N_SIDES, rects, flat, np.full(n, 0.02), flat, rng.random((n, 3)), FLOOR, shrink=0.35), surface
    )


def backing(shape: Shape, bays: int) -> None:
    """The dark skin behind the plates that shows in the grooves: panes that vanish when the walls open."""
    scale = 1 + GROOVE_M / hull.RADIUS_M
    ring = np.vstack([hull.corners(), hull.corners()[:1]]) * scale
    edges = np.linspace(0.0, bays * BAY_M, bays * 2 + 1)
    for c in range(N_SIDES + 1):
        ends = ring[c : c + 2]
        # the direction in which the pane moves as the walls narrow
        kind = FLOOR if c == N_SIDES else PLATE
        first, last = edges[:-1], edges[1:]
        points = np.stack(
            [np.column_stack([a, np.broadcast_to(p, (len(a), 2))])
             for a, p in ((first, ends[0]), (last, ends[0]), (last, ends[1]), (first, ends[1]))], axis=1
        )  # fmt: skip
        n = len(first)
        motion = Motion(
            hull.sides()[2][c][None],
            np.repeat(points.mean(axis=1), 4, axis=0),
            np.full((1, 3), 0.5),
            np.array([[0.0, 1.0, kind]]),
        )
        quads = (4 * np.arange(n))[:, None] + np.array([0, 1, 2, 3])
        shape.add(points.reshape(-1, 3), quads, np.array([0.08, 0.5, 0.1, 0.25]), motion)


def rib(shape: Shape, lamp: Shape, along_m: float, gate: bool) -> None:
    """A frame with its ring of light; a gate is a heavier one with two rings."""
    deep, half, slot = (0.62, 0.72, 0.17) if gate else (0.36, 0.42, 0.17)
    edge = deep - 0.1
    profile = np.array(
        [
            [half, -GROOVE_M],
            [half, edge - 0.12],
            [half - 0.12, edge],
            [slot + 0.05, deep],
            [slot, deep],
            [slot, edge],
            [-slot, edge],
            [-slot, deep],
            [-slot - 0.05, deep],
            [-half + 0.12, edge],
            [-half, edge - 0.12],
            [-half, -GROOVE_M],
        ]
    )
    surface = np.tile([0.5, 0.12, 1.0, 0.9], (len(profile) - 1, 1))
    surface[4:7, 3] = 0.5
    hull.hoop(shape, along_m, profile, surface, scale_floor=0.08)
    lamps.ring_lamp(lamp, along_m, deep - 0.03, 2 * slot)
    if gate:
        for side in (-1, 1):
            lamps.ring_lamp(lamp, along_m + side * (half - 0.05), edge - 0.06, 0.05)


def strips(shape: Shape, hull_shape: Shape, n_bays: int) -> None:
    """Long bars of light in four corners of the cross-section, each between two lips of metal."""
    corner = hull.corners()
    for index in lamps.STRIP_CORNERS:
        inward = -corner[index] / np.linalg.norm(corner[index])
        frame = np.stack([np.array([inward[1], -inward[0]]), inward])
        low_m, face_m, high_m, lamp_m = STRIP_HOUSING
        bar, lip = (np.array(outline) for outline in (
            [[-lamp_m, face_m], [lamp_m, face_m]],
            [[lamp_m, low_m], [lamp_m, high_m - 0.02], [lamp_m + 0.02, high_m], [lamp_m + 0.09, high_m],
             [lamp_m + 0.14, low_m]],
        ))  # fmt: skip
        centre = corner[index] * 0.94
        for bay in range(n_bays):
            along = np.linspace(bay * BAY_M + 0.5, (bay + 1) * BAY_M - 0.5, 5)
            hull.sweep(shape, along, centre + bar @ frame, np.ones(4))
            for outline in (lip, lip[::-1] * (-1.0, 1.0)):
                hull.sweep(hull_shape, along[[0, 2, 4]], centre + outline @ frame, np.array([0.5, 0.15, 1.0, 0.9]))


@functools.lru_cache(maxsize=2)
def build_module(seed: int, detail: str, n_bays: int) -> dict[str, Shape]:
    """All parts of a module of ``n_bays`` bays by their names in ``PARTS``.

    The last two are kept, since building a show again is common; treat them as read-only.
    """
    rng = np.random.default_rng(seed)
    parts = {name: Shape() for name in PARTS}
    backing(parts["hull"], n_bays)
    for bay in range(n_bays):
        wall_plates(parts["hull"], parts["accents"], rng, bay, detail)
        floor_plates(parts["floor"], rng, bay)
        # Ring k sits in the middle of a bay's joint; the module's last joint is the next module's first.
        rib(parts["hull"], parts["rings"], bay * BAY_M, gate=bay % GATE_EVERY == 0)
    conduits(parts["hull"], n_bays)
    cables(parts["hull"], rng, n_bays)
    strips(parts["strips"], parts["hull"], n_bays)
    return parts
