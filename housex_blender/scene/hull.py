"""Shape of one tunnel module as numbers: plates, ribs, lamps, their motion and their baked light. Zone: pure (numpy).

Tunnel points are (along, right, up) in metres in a straight tunnel; ``path`` bends them afterwards. What a lamp
does to a plate is worked out here once and stored on the mesh, so a frame costs no light sampling and cannot
flicker.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

RADIUS_M = 5.0
FLOOR_M = -2.6
BAY_M = 8.0
N_SIDES = 10
GROOVE_M = 0.14


@dataclass
class Shape:
    """A mesh under construction.

    Attributes:
        points: (n, 3) tunnel points.
        quads: (m, 4) point indices, seen counter-clockwise from inside the tunnel.
        swell: (n, 3) how far each point moves, in tunnel space, at full displacement.
        ripple: (n, 3) the same for the fine ripple.
        surface: (m, 4) albedo, roughness, gloss and occlusion of each face, 0..1.
    """

    points: list[Floats] = field(default_factory=list)
    quads: list[Ints] = field(default_factory=list)
    swell: list[Floats] = field(default_factory=list)
    ripple: list[Floats] = field(default_factory=list)
    surface: list[Floats] = field(default_factory=list)
    n_points: int = 0

    def add(
        self, points: Floats, quads: Ints, surface: Floats, swell: Floats | None = None, ripple: Floats | None = None
    ) -> None:
        """Append a piece; missing motion means that it stands still."""
        still = np.zeros_like(points)
        self.points.append(points)
        self.quads.append(quads + self.n_points)
        self.surface.append(np.broadcast_to(surface, (len(quads), 4)))
        self.swell.append(still if swell is None else swell)
        self.ripple.append(still if ripple is None else ripple)
        self.n_points += len(points)

    def arrays(self) -> tuple[Floats, Ints, Floats, Floats, Floats]:
        """Points, quads, surface, swell and ripple as single arrays."""
        return (
            np.concatenate(self.points),
            np.concatenate(self.quads),
            np.concatenate(self.surface),
            np.concatenate(self.swell),
            np.concatenate(self.ripple),
        )


def corners() -> Floats:
    """(N_SIDES + 1, 2) corners (right, up) of the cross-section, from the floor's right edge over the top."""
    low = np.arcsin(FLOOR_M / RADIUS_M)
    angle = np.linspace(low, np.pi - low, N_SIDES + 1)
    return np.column_stack([np.cos(angle), np.sin(angle)]) * RADIUS_M


def sides() -> tuple[Floats, Floats, Floats, Floats]:
    """Origin, direction, inward normal (each (k, 2)) and width (k,) of the walls; the floor comes last."""
    ring = np.vstack([corners(), corners()[:1]])
    origin, step = ring[:-1], np.diff(ring, axis=0)
    width = np.linalg.norm(step, axis=1)
    direction = step / width[:, None]
    return origin, direction, np.column_stack([-direction[:, 1], direction[:, 0]]), width


def block_quads() -> Ints:
    """(17, 4) faces of a block of five square levels of points: four belts of four, then the lid."""
    belts = [
        (4 * level + corner, 4 * level + (corner + 1) % 4, 4 * level + 4 + (corner + 1) % 4, 4 * level + 4 + corner)
        for level in range(4)
        for corner in range(4)
    ]
    return np.array([*belts, (16, 17, 18, 19)])


BLOCK_QUADS = block_quads()


def split(
    rng: np.random.Generator, rect: tuple[float, float, float, float], depth: int, smallest_m: float
) -> list[tuple[float, float, float, float]]:
    """Cut a rectangle (along from/to, across from/to) at random into plates."""
    along0, along1, across0, across1 = rect
    long, wide = along1 - along0, across1 - across0
    if depth == 0 or max(long, wide) < 2 * smallest_m or rng.random() < 0.10:
        return [rect]
    where = rng.choice([0.5, 0.5, 0.34, 0.66])
    if long >= 1.3 * wide:
        middle = along0 + where * long
        halves = [(along0, middle, across0, across1), (middle, along1, across0, across1)]
    else:
        middle = across0 + where * wide
        halves = [(along0, along1, across0, middle), (along0, along1, middle, across1)]
    return [plate for half in halves for plate in split(rng, half, depth - 1, smallest_m)]


def blocks(
    shape: Shape,
    side: int,
    rects: Floats,
    height_m: Floats,
    inset_m: Floats,
    recess_m: Floats,
    swell_m: Floats,
    ripple_m: Floats,
    surface: Floats,
) -> None:
    """Add bevelled blocks that stand on one side.

    Args:
        shape: Receives the blocks.
        side: Which side of the cross-section.
        rects: (n, 4) along from/to, across from/to in metres.
        height_m: (n,) height over the side's plane.
        inset_m: (n,) bevel width.
        recess_m: (n,) how deep the middle field lies below the rim; negative raises it.
        swell_m: (n,) inward travel at full swell.
        ripple_m: (n,) inward travel at full ripple.
        surface: (n, 4) see :class:`Shape`.
    """
    origin, direction, normal, _ = (value[side] for value in sides())
    n = len(rects)
    rim = np.minimum(inset_m + 0.16 * np.minimum(rects[:, 1] - rects[:, 0], rects[:, 3] - rects[:, 2]), 0.3)
    levels = [
        (np.full(n, 0.02), np.full(n, -GROOVE_M)),
        (0.02 + 0 * inset_m, height_m - inset_m),
        (0.02 + inset_m, height_m),
        (0.02 + rim, height_m),
        (0.02 + rim + inset_m, height_m - recess_m),
    ]
    points, moves, shakes = [], [], []
    for level, (margin, high) in enumerate(levels):
        a0, a1 = rects[:, 0] + margin, rects[:, 1] - margin
        c0, c1 = rects[:, 2] + margin, rects[:, 3] - margin
        for along, across in ((a0, c0), (a1, c0), (a1, c1), (a0, c1)):
            flat = origin + direction * across[:, None] + normal * high[:, None]
            points.append(np.column_stack([along, flat]))
            inward = np.column_stack([np.zeros(n), np.broadcast_to(normal, (n, 2))])
            moves.append(inward * (swell_m * (level > 0))[:, None])
            shakes.append(inward * (ripple_m * (level > 0))[:, None])
    index = BLOCK_QUADS[None] + 20 * np.arange(n)[:, None, None]
    faces = np.repeat(surface[:, None, :], 17, axis=1)
    faces[:, 0:4, 3] *= 0.45
    faces[:, 16, 3] *= np.where(recess_m > 0, 0.75, 1.0)
    shape.add(
        np.stack(points, axis=1).reshape(-1, 3),
        index.reshape(-1, 4),
        faces.reshape(-1, 4),
        np.stack(moves, axis=1).reshape(-1, 3),
        np.stack(shakes, axis=1).reshape(-1, 3),
    )


def sweep(shape: Shape, along_m: Floats, outline: Floats, surface: Floats) -> None:
    """Add a bar along the tunnel: ``outline`` (k, 2) (right, up) is open and seen from its left side."""
    n, k = len(along_m), len(outline)
    points = np.column_stack([np.repeat(along_m, k), np.tile(outline, (n, 1))])
    i, j = np.meshgrid(np.arange(n - 1), np.arange(k - 1), indexing="ij")
    a = (i * k + j).ravel()
    shape.add(points, np.column_stack([a, a + k, a + k + 1, a + 1]), surface)


def hoop(shape: Shape, along_m: float, profile: Floats, surface: Floats, scale_floor: float = 1.0) -> None:
    """Add a frame around the cross-section at ``along_m``.

    Args:
        shape: Receives the frame.
        along_m: Where.
        profile: (k, 2) (along, inward) metres of the frame's section, open.
        surface: (k - 1, 4) or (4,) surface of each strip of faces.
        scale_floor: Factor on the inward part along the floor, so that the floor stays low.
    """
    ring = corners()
    _origin, _direction, normal, _ = sides()
    # Mitre joints: where two sides meet, inset both by moving the corner along the bisector.
    before = normal[(np.arange(N_SIDES + 1) - 1) % (N_SIDES + 1)]
    after = normal
    low, high = before.copy(), after.copy()
    low_scale = np.where(np.arange(N_SIDES + 1) == 0, scale_floor, 1.0)
    high_scale = np.where(np.arange(N_SIDES + 1) == N_SIDES, scale_floor, 1.0)
    k = len(profile)
    points = np.zeros((N_SIDES + 1, k, 3))
    for c in range(N_SIDES + 1):
        inverse = np.linalg.inv(np.stack([low[c], high[c]]))
        for p, (shift, inward) in enumerate(profile):
            move = inverse @ np.array([inward * low_scale[c], inward * high_scale[c]])
            points[c, p] = (along_m + shift, *(ring[c] + move))
    quads = []
    for c in range(N_SIDES + 1):
        d = (c + 1) % (N_SIDES + 1)
        for p in range(k - 1):
            quads.append((c * k + p, c * k + p + 1, d * k + p + 1, d * k + p))
    faces = np.broadcast_to(surface, (k - 1, 4))
    shape.add(points.reshape(-1, 3), np.array(quads), np.tile(faces, (N_SIDES + 1, 1)))


def face_normals(points: Floats, quads: Ints) -> Floats:
    """(m, 3) unit normals of quads."""
    normal = np.cross(points[quads[:, 2]] - points[quads[:, 0]], points[quads[:, 3]] - points[quads[:, 1]])
    return normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
