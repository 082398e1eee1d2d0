"""Pipes and hanging cables of a tunnel module. Zone: pure (numpy)."""

from __future__ import annotations

import numpy as np

from . import hull
from .hull import BAY_M, N_SIDES, RADIUS_M, Shape

CABLES_PER_BAY = 3
_DARK = np.array([0.12, 0.25, 0.7, 0.7])


def conduits(shape: Shape, n_bays: int) -> None:
    """Pipes that run through the whole tunnel and lead the eye to the vanishing point."""
    corner = hull.corners()
    angle = np.linspace(0.0, -2 * np.pi, 7)
    along = np.arange(0.0, n_bays * BAY_M + 0.1, 4.0)
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
            hull.sweep(shape, along, outline, np.array([0.5, 0.15, 1.0, 0.8]))


def cables(shape: Shape, rng: np.random.Generator, n_bays: int) -> None:
    """Cables that hang from rib to rib under the roof and along the shoulders, each in its own curve."""
    angle = np.linspace(0.0, -2 * np.pi, 4)
    ring = 0.03 * np.column_stack([np.cos(angle), np.sin(angle)])
    steps = np.linspace(0.0, 1.0, 7)
    for bay in range(n_bays):
        for _ in range(CABLES_PER_BAY):
            where = np.deg2rad(rng.uniform(38.0, 142.0))
            centre = 0.9 * RADIUS_M * np.array([np.cos(where), np.sin(where)])
            along = bay * BAY_M + steps * BAY_M
            # a parabola is as good as the catenary at this sag
            fall = rng.uniform(0.25, 0.75) * 4 * steps * (1 - steps)
            shift = np.column_stack([rng.uniform(-0.3, 0.3) * np.sin(np.pi * steps), -fall])
            hull.sweep(shape, along, centre + ring, _DARK, shift)
