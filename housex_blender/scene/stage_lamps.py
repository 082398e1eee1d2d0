"""Moving heads, lasers, blinders and jets of the stage, and how each may move, as numbers. Zone: pure (numpy).

Nothing here moves by itself: every point of a beam knows the seat of its lamp, its own place along the beam, and the
directions between which the lamp swings. A node tree (``stage_motion``) turns that and a few numbers into a place.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .stage_geometry import PORTALS, STAGE_M, TOWERS_M, Floats, Pieces

A, B, C = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)
SIDES = 10
# Where the beams meet in a build-up: over the first rows, before the booth.
MEET_M = np.array([0.0, -7.0, 7.0])


@dataclass(frozen=True)
class Head:
    """One moving head.

    Attributes:
        seat: Place in metres.
        rest: Direction in the middle of its swing.
        side: What is added to it at the end of the first swing.
        lift: The same for the second swing.
        calm: Direction in breaks.
        phase: Where in the two swings it begins, in turns, and how strong it is.
        group: Share of the three colours.
        length_m: How far its beam reaches.
    """

    seat: tuple[float, float, float]
    rest: tuple[float, float, float]
    side: tuple[float, float, float]
    lift: tuple[float, float, float]
    calm: tuple[float, float, float]
    phase: tuple[float, float, float]
    group: tuple[float, float, float]
    length_m: float = 30.0


def moving_heads() -> list[Head]:
    """All heads: two rows of the key light on the front portal, the accent behind and below, the fill at the sides."""
    heads = []
    depth_m, half_m, _, top_m = PORTALS[2]
    for place in np.linspace(-1.0, 1.0, 12):
        seat = (place * half_m * 0.6, depth_m - 0.6, top_m - 0.7)
        cross = 0.45 if round((place + 1) * 5.5) % 2 else -0.45
        heads.append(
            Head(
                seat,
                (0.75 * place, -0.85, -0.75),
                (cross, 0.0, 0.0),
                (0.0, -0.25, 0.3),
                (0.05 * place, -0.06, 1.0),
                (0.18 * place, 0.35 * abs(place), 1.0),
                A,
                27.0,
            )
        )
    depth_m, half_m, _, top_m = PORTALS[0]
    for place in np.linspace(-1.0, 1.0, 10):
        seat = (place * half_m * 1.3, depth_m + 2.2, top_m - 2.0 - 3.0 * abs(place))
        heads.append(
            Head(
                seat,
                (0.95 * place, -0.12, 0.75),
                (0.5 if place > 0 else -0.5, 0.0, 0.0),
                (0.0, -0.2, 0.25),
                (0.0, 0.1, 1.0),
                (0.25 * abs(place), 0.3 * place, 1.0),
                C,
                44.0,
            )
        )
    for place in (-1.0, -0.72, -0.44, 0.44, 0.72, 1.0):
        seat = (place * 15.0, 1.6, STAGE_M + 0.4)
        heads.append(
            Head(
                seat,
                (0.3 * place, -0.2, 1.0),
                (-0.55 * place, 0.0, 0.0),
                (0.0, -0.3, 0.0),
                (0.1 * place, 0.0, 1.0),
                (0.4 * place, 0.2, 0.8),
                C,
                26.0,
            )
        )
    for x_m, y_m in TOWERS_M:
        out = np.sign(x_m)
        for row in range(4):
            seat = (x_m - 2.3 * out, y_m - 1.0, 4.5 + 3.2 * row)
            heads.append(
                Head(
                    seat,
                    (-0.55 * out, -1.0, -0.10 + 0.10 * row),
                    (-0.35 * out, 0.0, 0.0),
                    (0.0, 0.0, 0.25),
                    (0.25 * out, -0.2, 1.0),
                    (0.08 * row, 0.16 * row, 0.75),
                    B,
                    22.0,
                )
            )
    return heads


def unit(direction: Floats) -> Floats:
    """The same direction, of length 1."""
    return np.asarray(direction / np.linalg.norm(direction))


def marks_of(head: Head) -> dict[str, Floats | tuple[float, ...]]:
    """What the motion needs to know of a head, the same for all its points."""
    return {
        "hx_seat": head.seat,
        "hx_rest": unit(np.array(head.rest)),
        "hx_side": head.side,
        "hx_lift": head.lift,
        "hx_calm": unit(np.array(head.calm)),
        "hx_aim": unit(MEET_M - np.array(head.seat)),
        "hx_phase": head.phase,
        "hx_group": head.group,
    }


def tapered(z_m: list[float], radius_m: list[float], sides: int = SIDES) -> tuple[Floats, np.ndarray]:
    """A tube around z with these radii at these heights."""
    angle = 2 * np.pi * np.arange(sides) / sides
    hoop = np.column_stack([np.cos(angle), np.sin(angle), np.zeros(sides)])
    points = np.concatenate([hoop * r + (0, 0, z) for z, r in zip(z_m, radius_m, strict=True)])
    low = np.arange(sides)
    high = np.roll(low, -1)
    one = np.stack([low, high, high + sides, low + sides], axis=1)
    return points, np.concatenate([one + sides * row for row in range(len(z_m) - 1)])


def build_beams() -> Pieces:
    """Light cones, seen from inside.

    Marks: ``hx_along``, part of the way along the beam; ``hx_local``, place in the beam's own axes.
    """
    beams = Pieces()
    for head in moving_heads():
        points, quads = tapered([0.15, head.length_m], [0.13, 0.13 + 0.022 * head.length_m])
        along = np.column_stack([points[:, 2] / head.length_m, np.zeros((len(points), 2))])
        beams.add(points + head.seat, quads[:, ::-1], hx_local=points, hx_along=along, **marks_of(head))
    return beams


def build_bodies() -> Pieces:
    """Housings of the heads with a lens in front. Mark ``hx_along``: 1 on the lens, else 0."""
    bodies = Pieces()
    for head in moving_heads():
        marks = marks_of(head)
        points, quads = tapered([-0.34, -0.3, 0.14, 0.16], [0.02, 0.2, 0.24, 0.2], 8)
        bodies.add(points + head.seat, quads, hx_local=points, hx_along=(0.0, 0.0, 0.0), **marks)
        points, quads = tapered([0.165, 0.165], [0.2, 0.001], 8)
        bodies.add(points + head.seat, quads, hx_local=points, hx_along=(1.0, 0.0, 0.0), **marks)
    return bodies


def build_lasers() -> Pieces:
    """Fans of thin blades. Marks as for beams; ``hx_local`` holds the fan's spread -1..1, width and length."""
    lasers = Pieces()
    for x_m, z_m, lean in ((-14.2, 2.6, 0.42), (14.2, 2.6, 0.42)):
        inwards = -np.sign(x_m)
        for step in range(9):
            spread = step / 4.0 - 1.0
            head = Head(
                (x_m, 0.4, z_m),
                (0.35 * inwards, -1.0, lean),
                (1.0, 0.25 * inwards, 0.0),
                (0.0, 0.0, 0.22),
                (0.35 * inwards, -1.0, lean),
                (0.2 * spread, 0.0, 1.0),
                C,
                55.0,
            )
            points, quads = tapered([0.1, head.length_m], [0.016, 0.03], 3)
            along = np.column_stack([points[:, 2] / head.length_m, np.zeros((len(points), 2))])
            lasers.add(points + head.seat, quads[:, ::-1], hx_local=points, hx_along=along, **marks_of(head))
    return lasers


def build_blinders() -> Pieces:
    """Six panels of four lamps on the portals, facing the crowd. Mark ``hx_along``: distance from a lamp's middle."""
    blinders = Pieces()
    depth_m, half_m, _, top_m = PORTALS[2]
    for x_m in np.linspace(-0.55, 0.55, 6) * half_m:
        for right, up in ((-0.35, 0.35), (0.35, 0.35), (-0.35, -0.35), (0.35, -0.35)):
            points, quads = tapered([0.0, 0.0], [0.3, 0.001], 10)
            rim = np.column_stack([np.linalg.norm(points[:, :2], axis=1) / 0.3, np.zeros((len(points), 2))])
            # Turned from z to the audience.
            facing = np.column_stack([points[:, 0], points[:, 2], points[:, 1]])
            middle = np.array([x_m + right, depth_m - 0.75, top_m + 0.75 + up])
            blinders.add(facing + middle, quads, hx_along=rim)
    return blinders


def build_jets() -> Pieces:
    """Crossed cards of smoke along the stage's front. Marks: ``hx_seat``, and ``hx_along`` with place across and up."""
    jets = Pieces()
    for x_m in (-20.6, -10.0, -6.5, 6.5, 10.0, 20.6):
        seat = (x_m, 0.3, STAGE_M)
        for turn in (0.0, np.pi / 2):
            right = np.array([np.cos(turn), np.sin(turn), 0.0])
            corner = np.array([[-1, 0], [1, 0], [1, 1], [-1, 1]], float)
            points = corner[:, :1] * right * np.array([0.15, 0.15, 1.3, 1.3])[:, None] + [0, 0, 10.0] * corner[:, 1:]
            along = np.column_stack([corner, np.full(4, x_m)])
            jets.add(points + seat, np.array([[0, 1, 2, 3]]), hx_seat=seat, hx_local=points, hx_along=along)
    return jets
