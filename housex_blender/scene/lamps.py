"""Where the lamps of a tunnel module sit and what they do to its plates. Zone: pure (numpy)."""

from __future__ import annotations

from typing import Any

import numpy as np

from .hull import BAY_M, FLOOR_M, N_SIDES, RADIUS_M, Floats, Ints, Shape, corners, face_normals, hoop

# Corners of the cross-section that carry a long strip: the floor's two edges and two high on the walls.
STRIP_CORNERS = (0, 3, N_SIDES - 3, N_SIDES)
SEGMENT_M = 0.58


def ring_points() -> Floats:
    """(n, 2) sample points (right, up) on a ring of light, spread evenly over its length."""
    ring = np.vstack([corners(), corners()[:1]]) * 0.93
    pieces = [np.linspace(ring[i], ring[i + 1], 3)[:-1] for i in range(len(ring) - 2)]
    pieces.append(np.linspace(ring[-2], ring[-1], 7)[:-1])
    return np.concatenate(pieces)


def strip_points() -> Floats:
    """(n, 2) positions (right, up) of the long strips."""
    return corners()[list(STRIP_CORNERS)] * 0.95


def bake_light(points: Floats, quads: Ints, occlusion: Floats) -> Floats:
    """Light that reaches each face corner, (m, 4, 4) in 0..1: from the rings, the strips, the air; the last is 1.

    Args:
        points: (n, 3) tunnel points.
        quads: (m, 4).
        occlusion: (m,) 0 in a groove to 1 on open ground.
    """
    normal = np.repeat(face_normals(points, quads), 4, axis=0)
    place = points[quads.ravel()]
    result = np.ones((len(place), 4))
    phase = place[:, 0] - BAY_M * np.round(place[:, 0] / BAY_M)
    # float32 halves the time of what is the longest step of a build
    spots, facing = (array.astype(np.float32) for array in (place, normal))
    total = np.zeros(len(place), np.float32)
    for bay in (-1, 0, 1):
        along = (phase - bay * BAY_M).astype(np.float32)
        for sample in ring_points().astype(np.float32):
            total += received(spots, facing, along, sample)
    # Steeper than nature: dark between the rings, so that each ring stands alone in the row.
    result[:, 0] = total**2.0
    line = np.zeros(len(place))
    for sample in strip_points():
        offset = sample - place[:, 1:]
        distance = np.linalg.norm(offset, axis=1)
        turned = np.maximum((normal[:, 1:] * offset).sum(axis=1) / np.maximum(distance, 1e-6), 0.0)
        # A line seen from the side still grazes faces that look along the tunnel.
        line += (turned + 0.08) / (distance + 0.15) ** 2.0
    result[:, 1] = line
    height = np.clip((place[:, 2] - FLOOR_M) / (RADIUS_M - FLOOR_M), 0.0, 1.0)
    result[:, 2] = 0.35 + 0.65 * height
    for channel in range(3):
        result[:, channel] /= np.percentile(result[:, channel], 97)
        result[:, channel] *= np.repeat(occlusion, 4)
    return np.clip(result, 0.0, 1.0).reshape(-1, 4, 4)


def received(place: Any, normal: Any, along_m: Any, sample: Any) -> Any:
    """(n,) light from one point of a ring at distance ``along_m``; the usual cosine over squared distance."""
    right, up = sample[0] - place[:, 1], sample[1] - place[:, 2]
    square = along_m * along_m + right * right + up * up
    facing = normal[:, 1] * right + normal[:, 2] * up - normal[:, 0] * along_m
    return np.maximum(facing, 0.0) / (np.sqrt(square) + 1e-6) / (square + 0.5)


def lamp_places(points: Floats, quads: Ints) -> Floats:
    """(m, 4, 3) where each face corner lies on its lamp: across -1..1, along in segments from 0, how many segments.

    Along is the longer way over a face; its segments are about ``SEGMENT_M`` long and fill it evenly.
    """
    corner = points[quads]
    first_m = np.linalg.norm(corner[:, 1] - corner[:, 0], axis=1)
    second_m = np.linalg.norm(corner[:, 2] - corner[:, 1], axis=1)
    count = np.maximum(np.round(np.maximum(first_m, second_m) / SEGMENT_M), 1.0)
    # the faces' two edges as they go round: 0, then 1, then 1, then 0, and a quarter turn later
    one, other = np.array([0.0, 1.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0, 1.0])
    along = np.where((first_m >= second_m)[:, None], one, other)
    across = np.where((first_m >= second_m)[:, None], other, one)
    return np.stack([2 * across - 1, along * count[:, None], np.broadcast_to(count[:, None], along.shape)], axis=2)


def ring_lamp(shape: Shape, along_m: float, inward_m: float, width_m: float) -> None:
    """Add one glowing hoop."""
    profile = np.array(
        [
            [width_m / 2, inward_m - 0.05],
            [width_m / 2, inward_m],
            [-width_m / 2, inward_m],
            [-width_m / 2, inward_m - 0.05],
        ]
    )
    hoop(shape, along_m, profile[::-1], np.ones(4), scale_floor=0.12)
