"""Beats on the kicks, and straight where the music is straight. Zone: analysis (numpy; no bpy).

Records are made at one tempo and played at one tempo or on a slow ramp, so beat times are a line with few bends. The
beats are pulled to the attacks of the kicks around them under a price on bends (l1 trend filtering, Kim et al. 2009):
jitter goes, ramps stay, and a break keeps the time of the music on both sides of it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Spectral flux in a centred Hann window rises before the attack reaches the window's centre.
LATENCY_S = 0.002
KICK_REACH_S = 0.035
# Without a kick a beat is known only to some hundredths of a second.
SILENT_WEIGHT = 0.02
KNOT_BEATS = 4
# Price of a bend, in squared seconds for each second that a bar is longer than the one before it.
BEND_PRICE_S = 0.03
BEND_LEAST_S = 1e-5
OUTLIER_S = 0.006
ROUNDS = 25
MIN_BEATS = 12

Floats = NDArray[np.float64]


def kick_gaps(
    beats_s: Floats, clarity: Floats, kicks_s: Floats, strengths: NDArray[np.floating]
) -> tuple[Floats, Floats]:
    """What the nearest kick says about each beat; without one, how clear the beat is.

    Returns:
        (b,) seconds from the beat to the kick, or the mix's latency where there is none, and (b,) weights 0..1.
    """
    least = SILENT_WEIGHT * (0.1 + 0.9 * clarity)
    if len(kicks_s) < 2:
        return np.full(len(beats_s), LATENCY_S), least
    after = np.clip(np.searchsorted(kicks_s, beats_s), 1, len(kicks_s) - 1)
    nearest = np.where(kicks_s[after] - beats_s < beats_s - kicks_s[after - 1], after, after - 1)
    gap_s = kicks_s[nearest] - beats_s
    close = np.abs(gap_s) < KICK_REACH_S
    strong = float(np.percentile(strengths, 75)) + 1e-9
    weight = np.where(close, np.clip(strengths[nearest].astype(np.float64) / strong, 0.0, 1.0), 0.0)
    return np.where(close, gap_s, LATENCY_S), np.maximum(weight, least)


def _solve(diagonal: Floats, first: Floats, second: Floats, right: Floats) -> Floats:
    """Solve a symmetric positive system of five diagonals by Cholesky's LDL factors.

    Args:
        diagonal: (n,) main diagonal.
        first: (n - 1,) diagonal next to it.
        second: (n - 2,) the one after.
        right: (n,) right side.
    """
    count = len(diagonal)
    d, a, b, y = [0.0] * count, [0.0] * count, [0.0] * count, [0.0] * count
    main, one, two, known = diagonal.tolist(), first.tolist(), second.tolist(), right.tolist()
    for i in range(count):
        low1 = d[i - 1] if i > 0 else 0.0
        low2 = d[i - 2] if i > 1 else 0.0
        # a: factor to the row before, b: factor to the one before that
        b[i] = two[i - 2] / low2 if i > 1 else 0.0
        a[i] = (one[i - 1] - (b[i] * low2 * a[i - 1] if i > 1 else 0.0)) / low1 if i > 0 else 0.0
        d[i] = main[i] - a[i] * a[i] * low1 - b[i] * b[i] * low2
        y[i] = known[i] - (a[i] * y[i - 1] if i > 0 else 0.0) - (b[i] * y[i - 2] if i > 1 else 0.0)
    x = [y[i] / d[i] for i in range(count)]
    for i in range(count - 1, -1, -1):
        if i + 1 < count:
            x[i] -= a[i + 1] * x[i + 1]
        if i + 2 < count:
            x[i] -= b[i + 2] * x[i + 2]
    return np.asarray(x)


def _bends(count: int, price: Floats) -> tuple[Floats, Floats, Floats]:
    """The three upper diagonals of D' diag(price) D, D being the second difference of ``count`` points."""
    main, one, two = np.zeros(count), np.zeros(count - 1), np.zeros(count - 2)
    main[:-2] += price
    main[1:-1] += 4.0 * price
    main[2:] += price
    one[:-1] -= 2.0 * price
    one[1:] -= 2.0 * price
    two += price
    return main, one, two


def _straight(beats_s: Floats, gap_s: Floats, weight: Floats) -> Floats:
    """(b,) beats of one stretch moved towards beats_s + gap_s, with few bends."""
    count = len(beats_s)
    knots = max(3, int(np.ceil((count - 1) / KNOT_BEATS)) + 1)
    place = np.arange(count) * (knots - 1) / (count - 1)
    at = np.interp(np.arange(knots), place, beats_s)
    low = np.minimum(place.astype(np.int64), knots - 2)
    share = place - low
    move = np.zeros(knots)
    trust = np.ones(count)
    for _ in range(ROUNDS):
        pull = weight * trust
        bend = np.abs(np.diff(at + move, 2))
        price = 0.5 * BEND_PRICE_S / np.maximum(bend, BEND_LEAST_S)
        main, one, two = _bends(knots, price)
        right = np.zeros(knots)
        np.add.at(main, low, pull * (1 - share) ** 2)
        np.add.at(main, low + 1, pull * share**2)
        np.add.at(one, low, pull * share * (1 - share))
        np.add.at(right, low, pull * (1 - share) * gap_s)
        np.add.at(right, low + 1, pull * share * gap_s)
        # the bends of the beats as they came are priced too: D'PD (at + move)
        curve = price * np.diff(at, 2)
        right[:-2] -= curve
        right[1:-1] += 2.0 * curve
        right[2:] -= curve
        move = _solve(main + 1e-9, one, two, right)
        off_s = gap_s - (move[low] * (1 - share) + move[low + 1] * share)
        trust = 1.0 / np.maximum(1.0, np.abs(off_s) / OUTLIER_S)
    straight = at + move
    return np.interp(place, np.arange(knots), straight)


def straighten(
    beats_s: Floats,
    pieces: NDArray[np.int64],
    clarity: Floats,
    kicks_s: Floats,
    strengths: NDArray[np.floating],
) -> Floats:
    """Beats on the kicks, stretch by stretch.

    Args:
        beats_s: (b,) beats, increasing.
        pieces: (b,) number of the stretch each belongs to; nothing is drawn straight across a cut.
        clarity: (b,) 0..1, how clearly each beat is heard.
        kicks_s: (k,) attacks of kicks.
        strengths: (k,) how much each looks like one.

    Returns:
        (b,) beats in seconds, still increasing.
    """
    gap_s, weight = kick_gaps(beats_s, clarity, kicks_s, strengths)
    result = beats_s + LATENCY_S
    for number in np.unique(pieces):
        inside = np.flatnonzero(pieces == number)
        if len(inside) >= MIN_BEATS:
            result[inside] = _straight(beats_s[inside], gap_s[inside], weight[inside])
    return np.maximum.accumulate(result)
