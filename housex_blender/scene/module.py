"""Composes one tunnel module: plates in bays, ribs, rings, strips and small lamps. Zone: pure (numpy)."""

from __future__ import annotations

import functools
import itertools

import numpy as np

from . import hull, lamps
from .hull import BAY_M, GROOVE_M, N_SIDES, Floats, Shape

# How far plates are cut up: depth of the cuts and the smallest plate in metres.
DETAILS: dict[str, tuple[int, float]] = {"draft": (5, 0.5), "preview": (5, 0.4), "final": (7, 0.26)}
GATE_EVERY = 5


def wall_plates(shape: Shape, accents: Shape, rng: np.random.Generator, bay: int, detail: str) -> None:
    """Cover the walls of one bay, left and right alike, with plates, slots and small lamps."""
    depth, smallest_m = DETAILS[detail]
    width = hull.sides()[3]
    start, stop = bay * BAY_M + 0.42, (bay + 1) * BAY_M - 0.42
    for side in range((N_SIDES + 1) // 2):
        rects = np.array(hull.split(rng, (start, stop, 0.04, width[side] - 0.04), depth, smallest_m))
        n = len(rects)
        height = rng.choice([0.0, 0.06, 0.12, 0.2, 0.32], n, p=[0.34, 0.26, 0.2, 0.12, 0.08])
        recess = rng.choice([0.0, 0.05, 0.1, -0.05], n, p=[0.4, 0.25, 0.15, 0.2])
        inset = rng.choice([0.02, 0.045], n)
        wave = 0.5 + 0.5 * np.sin(2 * np.pi * rects[:, 0] / (BAY_M * GATE_EVERY) + 0.9 * side)
        swell = (0.12 + 0.88 * rng.random(n) ** 2) * (0.25 + 0.75 * wave) * 0.95
        ripple = rng.choice([-0.10, 0.0, 0.16, 0.26], n)
        surface = np.column_stack(
            [
                0.35 + 0.65 * rng.random(n) ** 1.5,
                rng.choice([0.12, 0.2, 0.32], n),
                rng.choice([0.5, 0.8, 1.0], n),
                np.clip(0.72 + height, 0, 1),
            ]
        )
        lit = rng.random(n) < (0.10 if side > 0 else 0.2)
        for mirrored in (False, True):
            where, placed = side, rects
            if mirrored:
                where = N_SIDES - 1 - side
                placed = np.column_stack([rects[:, :2], width[side] - rects[:, 3], width[side] - rects[:, 2]])
            hull.blocks(shape, where, placed, height, inset, recess, swell, ripple, surface)
            lamp_slots(accents, where, placed[lit], (height - recess)[lit], swell[lit], ripple[lit])


def lamp_slots(accents: Shape, side: int, rects: Floats, height: Floats, swell: Floats, ripple: Floats) -> None:
    """Put a slim glowing bar on the middle of some plates; it rides on the plate."""
    if not len(rects):
        return
    middle = (rects[:, 2] + rects[:, 3]) / 2
    along = (rects[:, 0] + rects[:, 1]) / 2
    long = np.minimum(0.28 * (rects[:, 1] - rects[:, 0]), 0.5)
    slim = np.column_stack([along - long, along + long, middle - 0.045, middle + 0.045])
    n = len(rects)
    hull.blocks(accents, side, slim, height + 0.03, np.full(n, 0.01), np.zeros(n), swell, ripple, np.ones((n, 4)))


def floor_plates(shape: Shape, rng: np.random.Generator, bay: int) -> None:
    """Large wet tiles; they stay down so that nothing rises into the camera."""
    width = hull.sides()[3][N_SIDES]
    start = bay * BAY_M + 0.3
    rows = np.linspace(start, (bay + 1) * BAY_M - 0.3, 4)
    columns = width * np.array([0.03, 0.3, 0.7, 0.97])
    rects = np.array([(a, b, c, d) for a, b in itertools.pairwise(rows) for c, d in itertools.pairwise(columns)])
    n = len(rects)
    surface = np.column_stack(
        [0.25 + 0.2 * rng.random(n), 0.05 + 0.07 * rng.random(n), np.full(n, 1.6), np.full(n, 0.8)]
    )
    hull.blocks(
        shape, N_SIDES, rects, np.full(n, 0.0), np.full(n, 0.015), np.zeros(n), np.zeros(n), np.zeros(n), surface
    )


def backing(shape: Shape, bays: int) -> None:
    """The dark skin behind the plates that shows in the grooves."""
    ring = np.vstack([hull.corners(), hull.corners()[:1]]) * (1 + GROOVE_M / hull.RADIUS_M)
    along = np.linspace(0.0, bays * BAY_M, bays * 2 + 1)
    hull.sweep(shape, along, ring, np.array([0.12, 0.5, 0.2, 0.25]))


def rib(shape: Shape, lamp: Shape, along_m: float, gate: bool) -> None:
    """A frame with its ring of light; a gate is a heavier one with two rings."""
    deep = 0.62 if gate else 0.36
    half = 0.72 if gate else 0.42
    slot = 0.17
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
    surface = np.tile([0.5, 0.18, 1.0, 0.9], (len(profile) - 1, 1))
    surface[4:7, 3] = 0.5
    hull.hoop(shape, along_m, profile, surface, scale_floor=0.08)
    lamps.ring_lamp(lamp, along_m, deep - 0.03, 2 * slot)
    if gate:
        for side in (-1, 1):
            lamps.ring_lamp(lamp, along_m + side * (half - 0.05), edge - 0.06, 0.05)


def conduits(shape: Shape, n_bays: int) -> None:
    """Pipes that run through the whole tunnel and lead the eye to the vanishing point."""
    corner = hull.corners()
    angle = np.linspace(0.0, -2 * np.pi, 7)
    along = np.arange(0.0, n_bays * BAY_M + 0.1, 2.0)
    for index, radius_m, inward in (
        (1, 0.13, 0.93),
        (N_SIDES - 1, 0.13, 0.93),
        (4, 0.09, 0.945),
        (N_SIDES - 4, 0.09, 0.945),
    ):
        centre = corner[index] * inward
        for shift in (-1, 1):
            side = np.array([-centre[1], centre[0]]) / np.linalg.norm(centre) * shift * radius_m * 1.3
            outline = centre + side + radius_m * np.column_stack([np.cos(angle), np.sin(angle)])
            hull.sweep(shape, along, outline, np.array([0.8, 0.22, 1.0, 0.8]))


@functools.lru_cache(maxsize=2)
def build_module(seed: int, detail: str, n_bays: int) -> dict[str, Shape]:
    """All parts of a module of ``n_bays`` bays: "hull", "rings", "strips" and "accents".

    The last two are kept, since building a show again is common; treat them as read-only.
    """
    rng = np.random.default_rng(seed)
    parts = {name: Shape() for name in ("hull", "rings", "strips", "accents")}
    backing(parts["hull"], n_bays)
    for bay in range(n_bays):
        wall_plates(parts["hull"], parts["accents"], rng, bay, detail)
        floor_plates(parts["hull"], rng, bay)
        # Ring k sits in the middle of a bay's joint; the module's last joint is the next module's first.
        rib(parts["hull"], parts["rings"], bay * BAY_M, gate=bay % GATE_EVERY == 0)
    conduits(parts["hull"], n_bays)
    corner = hull.corners()
    for index in lamps.STRIP_CORNERS:
        centre = corner[index] * 0.962
        across = np.array([-corner[index][1], corner[index][0]]) / hull.RADIUS_M
        outline = np.stack([centre - across * 0.1, centre + across * 0.1])
        for bay in range(n_bays):
            along = np.linspace(bay * BAY_M + 0.5, (bay + 1) * BAY_M - 0.5, 5)
            hull.sweep(parts["strips"], along, outline, np.ones(4))
    return parts
