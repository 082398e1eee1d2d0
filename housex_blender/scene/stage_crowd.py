"""People of the festival crowd as numbers: a few low shapes, and where each stands. Zone: pure (numpy)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .stage_geometry import STAGE_M, Floats, Pieces

# Limbs as (x, y, z, radius) from one end to the other; a person faces +y and is 1.78 m tall.
TRUNK = ((0, 0, 0.0, 0.13), (0, 0, 0.9, 0.16), (0, 0.01, 1.28, 0.19), (0, 0, 1.42, 0.17), (0, 0, 1.49, 0.065))
HEAD = ((0, 0, 1.5, 0.055), (0, 0.015, 1.57, 0.092), (0, 0.015, 1.67, 0.1), (0, 0.005, 1.75, 0.075), (0, 0, 1.78, 0.02))
UP = (
    (0.19, 0, 1.42, 0.06),
    (0.35, 0.05, 1.66, 0.045),
    (0.37, 0.09, 1.94, 0.03),
    (0.37, 0.1, 2.03, 0.05),
    (0.36, 0.1, 2.12, 0.02),
)
WIDE = (
    (0.19, 0, 1.42, 0.06),
    (0.44, 0.04, 1.56, 0.045),
    (0.56, 0.08, 1.82, 0.03),
    (0.6, 0.08, 1.9, 0.05),
    (0.64, 0.08, 1.98, 0.02),
)
FIST = (
    (0.19, 0, 1.42, 0.06),
    (0.27, 0.14, 1.68, 0.045),
    (0.22, 0.24, 1.94, 0.032),
    (0.22, 0.25, 2.01, 0.06),
    (0.22, 0.25, 2.08, 0.035),
)
FRONT = (
    (0.19, 0, 1.42, 0.06),
    (0.27, 0.2, 1.3, 0.045),
    (0.16, 0.42, 1.5, 0.03),
    (0.13, 0.45, 1.57, 0.05),
    (0.1, 0.47, 1.64, 0.02),
)
DOWN = ((0.19, 0, 1.42, 0.06), (0.28, -0.02, 1.14, 0.045), (0.27, 0.06, 0.9, 0.032), (0.26, 0.1, 0.8, 0.02))
# Left and right arm of each pose.
POSES = ((UP, UP), (FIST, DOWN), (WIDE, WIDE), (FRONT, UP), (DOWN, FRONT), (DOWN, FIST))
# How often each is seen.
POSE_SHARES = (0.26, 0.2, 0.16, 0.12, 0.14, 0.12)


def limb(pieces: Pieces, line: tuple[tuple[float, ...], ...], sides: int, side: float = 1.0, flat: float = 1.0) -> None:
    """A tube of changing radius; ``side`` -1 mirrors it, ``flat`` below 1 presses it from front to back."""
    row = np.array(line, float) * [side, 1, 1, 1]
    along = np.gradient(row[:, :3], axis=0)
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    first = np.cross(along, [0.0, 1.0, 0.0])
    first /= np.maximum(np.linalg.norm(first, axis=1, keepdims=True), 1e-9)
    second = np.cross(along, first) * flat
    angle = 2 * np.pi * np.arange(sides) / sides
    hoop = first[:, None] * np.cos(angle)[:, None] + second[:, None] * np.sin(angle)[:, None]
    points = row[:, None, :3] + hoop * row[:, None, 3:]
    low = np.arange(sides)
    high = np.roll(low, -1)
    one = np.stack([low, high, high + sides, low + sides], axis=1)
    pieces.add(points.reshape(-1, 3), np.concatenate([one + sides * k for k in range(len(row) - 1)]))


def person(pose: int) -> Pieces:
    """One of the shapes, about 90 faces; what hangs below the hips nobody sees."""
    shape = Pieces()
    limb(shape, TRUNK, 6, flat=0.66)
    limb(shape, HEAD, 7)
    for side, arm in zip((-1.0, 1.0), POSES[pose], strict=True):
        limb(shape, arm, 5, side)
    return shape


@dataclass(frozen=True)
class Crowd:
    """Where people stand.

    Attributes:
        places: (n, 3) metres.
        poses: (n,) index of the shape.
        traits: (n, 3) turn in radians, size, and a random number 0..1.
    """

    places: Floats
    poses: np.ndarray
    traits: Floats


def build_crowd(seed: int) -> Crowd:
    """The DJ, and the crowd before the stage: a wedge with an aisle behind the barrier; nobody stands in a camera."""
    rng = np.random.default_rng(seed)
    rows = np.arange(-4.0, -34.0, -1.15)
    places = []
    for number, y_m in enumerate(rows):
        half_m = 15.0 + 0.15 * -y_m
        row = np.arange(-half_m, half_m, 1.16) + 0.58 * (number % 2)
        places.append(np.column_stack([row, np.full(len(row), y_m), np.zeros(len(row))]))
    spot = np.concatenate(places)
    spot[:, :2] += rng.uniform(-0.3, 0.3, (len(spot), 2))
    free = np.ones(len(spot), bool)
    for x_m, y_m, room_m in CLEARINGS:
        free &= np.hypot(spot[:, 0] - x_m, spot[:, 1] - y_m) > room_m
    spot = np.concatenate([[DJ_M], spot[free]])
    poses: Any = rng.choice(len(POSES), len(spot), p=POSE_SHARES)
    turn = rng.normal(0.0, 0.25, len(spot)) + 0.02 * spot[:, 0]
    traits = np.column_stack([turn, rng.uniform(0.92, 1.08, len(spot)), rng.random(len(spot))])
    poses[0], traits[0] = 2, (np.pi, 1.2, 0.5)
    return Crowd(spot, poses, traits)


# Who stands behind the desk, face to the crowd.
DJ_M = (0.0, 4.8, STAGE_M + 1.55)
# Where a camera stands in the crowd: x, y and the radius kept free, in metres.
CLEARINGS = ((1.6, -17.6, 0.95), (1.6, -16.6, 0.8))
