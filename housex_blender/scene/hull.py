"""Shape of one tunnel module as numbers: plates, ribs, bars, and what each point needs to move. Zone: pure (numpy).

Tunnel points are (along, right, up) in metres in a straight tunnel; ``path`` bends them afterwards. Nothing moves
here: every point carries which way is inwards, the pivot of its plate and the plate's chance numbers, and the geometry
nodes (see ``tunnel_motion``) make motion of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

RADIUS_M = 5.5
FLOOR_M = -2.7
BAY_M = 8.0
N_SIDES = 10
GROOVE_M = 0.14
# What a point belongs to: a plate, the skeleton of ribs, rings and bars, or the floor, which never rises.
PLATE, RIB, FLOOR = 0.0, 1.0, 2.0


@dataclass(frozen=True)
class Motion:
    """What the points of one piece need to move; each row broadcasts over the points.

    Attributes:
        inward: (n, 2) unit direction (right, up) into the tunnel.
        pivot: (n, 3) tunnel point about which the piece shrinks and tilts.
        chance: (n, 3) numbers 0..1 of the piece: two of the plate, one of the slab it is part of.
        role: (n, 3) how far displacement lifts the point 0..1, how much the piece shrinks when the walls open
            0..1, and PLATE, RIB or FLOOR.
    """

    inward: Floats
    pivot: Floats
    chance: Floats
    role: Floats


@dataclass
class Shape:
    """A mesh under construction.

    Attributes:
        points: (n, 3) tunnel points.
        quads: (m, 4) point indices, seen counter-clockwise from inside the tunnel.
        surface: (m, 4) albedo, roughness, gloss and occlusion of each face, 0..1.
        motions: One for each piece, with a row for each of its points.
    """

    points: list[Floats] = field(default_factory=list)
    quads: list[Ints] = field(default_factory=list)
    surface: list[Floats] = field(default_factory=list)
    motions: list[Motion] = field(default_factory=list)
    n_points: int = 0

    def add(self, points: Floats, quads: Ints, surface: Floats, motion: Motion | None = None) -> None:
        """Append a piece; without a motion it is part of the skeleton and moves towards the axis as a whole."""
        motion = skeleton(points) if motion is None else motion
        n = len(points)
        rows = (motion.inward, motion.pivot, motion.chance, motion.role)
        self.motions.append(Motion(*(np.broadcast_to(row, (n, row.shape[-1])) for row in rows)))
        self.points.append(points)
        self.quads.append(quads + self.n_points)
        self.surface.append(np.broadcast_to(surface, (len(quads), 4)))
        self.n_points += n

    def arrays(self) -> tuple[Floats, Ints, Floats]:
        """Points, quads and surface as single arrays."""
        return np.concatenate(self.points), np.concatenate(self.quads), np.concatenate(self.surface)

    def motion(self) -> Motion:
        """The motion of all points."""
        names = ("inward", "pivot", "chance", "role")
        return Motion(*(np.concatenate([getattr(one, name) for one in self.motions]) for name in names))


def skeleton(points: Floats, kind: float = RIB) -> Motion:
    """Motion of ribs, rings and bars: straight towards the axis, and they stay whole when the walls open."""
    inward = -points[:, 1:] / np.maximum(np.linalg.norm(points[:, 1:], axis=1, keepdims=True), 1e-9)
    return Motion(inward, points, np.full((1, 3), 0.5), np.array([[1.0, 0.0, kind]]))


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


def block_quads(levels: int) -> Ints:
    """(4 * levels - 3, 4) faces of a block of square levels of points: belts of four, then the lid."""
    belts = [
        (4 * level + corner, 4 * level + (corner + 1) % 4, 4 * level + 4 + (corner + 1) % 4, 4 * level + 4 + corner)
        for level in range(levels - 1)
        for corner in range(4)
    ]
    top = 4 * (levels - 1)
    return np.array([*belts, (top, top + 1, top + 2, top + 3)])


def split(
    rng: np.random.Generator, rect: tuple[float, float, float, float], depth: int, smallest_m: float
) -> list[tuple[float, float, float, float]]:
    """Cut a rectangle (along from/to, across from/to) at random into plates, always in halves: they fit one grid."""
    along0, along1, across0, across1 = rect
    long, wide = along1 - along0, across1 - across0
    if depth == 0 or max(long, wide) < 2 * smallest_m or rng.random() < 0.12:
        return [rect]
    if long >= 1.3 * wide:
        middle = (along0 + along1) / 2
        halves = [(along0, middle, across0, across1), (middle, along1, across0, across1)]
    else:
        middle = (across0 + across1) / 2
        halves = [(along0, along1, across0, middle), (along0, along1, middle, across1)]
    return [plate for half in halves for plate in split(rng, half, depth - 1, smallest_m)]


@dataclass(frozen=True)
class Plates:
    """Plates that stand on one side; all arrays have a row for each.

    Attributes:
        side: Which side of the cross-section.
        rects: (n, 4) along from/to, across from/to in metres.
        height_m: (n,) height over the side's plane.
        inset_m: (n,) bevel width.
        recess_m: (n,) how deep the middle field lies below the rim; 0 for plain plates.
        chance: (n, 3) see :class:`Motion`.
        kind: PLATE or FLOOR.
        shrink: How much they shrink when the walls open.
    """

    side: int
    rects: Floats
    height_m: Floats
    inset_m: Floats
    recess_m: Floats
    chance: Floats
    kind: float = PLATE
    shrink: float = 0.6

    def pick(self, which: NDArray[np.bool_]) -> Plates:
        """Only some of them."""
        names = ("rects", "height_m", "inset_m", "recess_m", "chance")
        return replace(self, **{name: getattr(self, name)[which] for name in names})


def blocks(shape: Shape, plates: Plates, surface: Floats) -> None:
    """Add plates as bevelled blocks; those with a recess get a rim and a field. ``surface`` is (n, 4)."""
    sunk = plates.recess_m != 0
    for which, panelled in ((~sunk, False), (sunk, True)):
        if which.any():
            _blocks(shape, plates.pick(which), surface[which], panelled)


def _blocks(shape: Shape, plates: Plates, surface: Floats, panelled: bool) -> None:
    origin, direction, normal, _ = (value[plates.side] for value in sides())
    rects, height_m, inset_m, n = plates.rects, plates.height_m, plates.inset_m, len(plates.rects)
    rim = np.minimum(inset_m + 0.16 * np.minimum(rects[:, 1] - rects[:, 0], rects[:, 3] - rects[:, 2]), 0.3)
    margin = np.full(n, 0.02)
    levels = [(margin, np.full(n, -GROOVE_M)), (margin, height_m - inset_m), (margin + inset_m, height_m)]
    if panelled:
        levels += [(margin + rim, height_m), (margin + rim + inset_m, height_m - plates.recess_m)]
    points = []
    for edge, high in levels:
        a0, a1, c0, c1 = rects[:, 0] + edge, rects[:, 1] - edge, rects[:, 2] + edge, rects[:, 3] - edge
        for along, across in ((a0, c0), (a1, c0), (a1, c1), (a0, c1)):
            points.append(np.column_stack([along, origin + direction * across[:, None] + normal * high[:, None]]))
    each = 4 * len(levels)
    quads = block_quads(len(levels))
    faces = np.repeat(surface[:, None, :], len(quads), axis=1)
    faces[:, 0:4, 3] *= 0.45
    # worn edges catch the light
    faces[:, 4:8, 0], faces[:, 4:8, 2] = np.minimum(2.5 * faces[:, 4:8, 0] + 0.3, 1.0), 1.0
    faces[:, -1, 3] *= np.where(plates.recess_m > 0, 0.75, 1.0)
    middle = np.column_stack([rects[:, :2].mean(axis=1), origin + direction * rects[:, 2:].mean(axis=1, keepdims=True)])
    role = np.zeros((each, 3))
    role[4:, 0], role[:, 1], role[:, 2] = 1.0, plates.shrink, plates.kind
    if plates.kind == FLOOR:
        role[:, 0] = 0.0
    motion = Motion(
        normal[None], np.repeat(middle, each, axis=0), np.repeat(plates.chance, each, axis=0), np.tile(role, (n, 1))
    )
    index = quads[None] + each * np.arange(n)[:, None, None]
    shape.add(np.stack(points, axis=1).reshape(-1, 3), index.reshape(-1, 4), faces.reshape(-1, 4), motion)


def sweep(shape: Shape, along_m: Floats, outline: Floats, surface: Floats, sag_m: Floats | None = None) -> None:
    """Add a bar along the tunnel: ``outline`` (k, 2) (right, up) is open and seen from its left side.

    ``sag_m`` (n, 2) shifts the outline (right, up) at each place: a cable that hangs.
    """
    n, k = len(along_m), len(outline)
    places = np.tile(outline, (n, 1))
    if sag_m is not None:
        places = places + np.repeat(sag_m, k, axis=0)
    points = np.column_stack([np.repeat(along_m, k), places])
    i, j = np.meshgrid(np.arange(n - 1), np.arange(k - 1), indexing="ij")
    a = (i * k + j).ravel()
    # a bar moves as one: the direction of its middle, or it would be squeezed
    middle = np.column_stack([along_m, np.broadcast_to(outline.mean(axis=0), (n, 2))])
    shape.add(
        points,
        np.column_stack([a, a + k, a + k + 1, a + 1]),
        surface,
        Motion(np.repeat(skeleton(middle).inward, k, axis=0), points, np.full((1, 3), 0.5), np.array([[0.6, 0, RIB]])),
    )


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
    low, high = before.copy(), normal.copy()
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
    role = np.tile([1.0, 0.0, RIB], (N_SIDES + 1, k, 1))
    # the two corners on the floor slide towards each other instead of rising
    role[[0, -1], :, 0] = 0.7
    inward_c = -ring / RADIUS_M
    inward_c[[0, -1]] = [(-1.0, 0.0), (1.0, 0.0)]
    flat = points.reshape(-1, 3)
    motion = Motion(np.repeat(inward_c, k, axis=0), flat, np.full((1, 3), 0.5), role.reshape(-1, 3))
    shape.add(flat, np.array(quads), np.tile(np.broadcast_to(surface, (k - 1, 4)), (N_SIDES + 1, 1)), motion)


def face_normals(points: Floats, quads: Ints) -> Floats:
    """(m, 3) unit normals of quads."""
    normal = np.cross(points[quads[:, 2]] - points[quads[:, 0]], points[quads[:, 3]] - points[quads[:, 1]])
    return normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
