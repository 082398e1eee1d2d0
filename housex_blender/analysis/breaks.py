"""The beat through passages without a kick: drawn from the music on both sides. Zone: analysis (numpy; no bpy).

In a break the path follows whatever moves, and over a minute may gain or lose half a beat. The kicks before and after
say how fast the time runs there and how many half beats must lie between them.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .changes import runs
from .pulse import moving_mean

# Half beats over which a kick must be heard, as a share of the usual strength around, to stand on.
SOLID_WIDTH, SOLID_SHARE, LEVEL_WIDTH = 16, 0.3, 512
BREAK_LEAST_S = 6.0
# The path is smoothed over some seconds, so the half beats next to a break already belong to it.
EDGE_POINTS, FIT_POINTS, FIT_LEAST = 24, 96, 32
# In half beats: how far the count may be from a whole one, and how much the tempos on both sides may leave open.
COUNT_SLACK, TEMPO_SLACK = 0.25, 0.25

Floats = NDArray[np.float64]


def _fit(index: NDArray[np.int64], times_s: Floats) -> tuple[float, float]:
    """(first_s, step_s) of a steady grid first_s + index * step_s through the points."""
    keep = np.ones(len(times_s), bool)
    step_s, first_s = 0.0, 0.0
    for _ in range(3):
        step_s, first_s = (float(value) for value in np.polyfit(index[keep], times_s[keep], 1))
        off_s = np.abs(times_s - first_s - step_s * index)
        keep = off_s <= 3.0 * float(np.median(off_s)) + 1e-4
    return first_s, step_s


def _solid(kick: Floats) -> NDArray[np.bool_]:
    """(h,) True where kicks are heard on every second half beat, as strong as those of the minutes around."""
    even = np.arange(len(kick)) % 2 == 0
    heard = np.maximum(moving_mean(kick * even, SOLID_WIDTH), moving_mean(kick * ~even, SOLID_WIDTH))
    step = LEVEL_WIDTH // 4
    knots = np.arange(0, len(heard), step)
    level = [np.percentile(heard[max(0, k - LEVEL_WIDTH) : k + LEVEL_WIDTH], 80) for k in knots]
    return heard > SOLID_SHARE * np.interp(np.arange(len(heard)), knots, level) + 1e-9


def bridge_breaks(times_s: Floats, pieces: NDArray[np.int64], kick: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Half beats with the right number of them in every break.

    Args:
        times_s: (h,) half beats in seconds.
        pieces: (h,) number of the steady stretch each belongs to.
        kick: (h,) how strong a kick is heard at each.

    Returns:
        Half beats and pieces; a break may have one or two half beats more or fewer than before.
    """
    stretches = [run for run in runs(_solid(kick)) if run[1] - run[0] >= FIT_LEAST + EDGE_POINTS]
    result, numbers, done = [], [], 0
    for (first, start), (end, last) in pairwise(stretches):
        if pieces[start - 1] != pieces[end] or times_s[end] - times_s[start - 1] < BREAK_LEAST_S:
            continue
        left = np.arange(max(first, start - EDGE_POINTS - FIT_POINTS, done), start - EDGE_POINTS)
        right = np.arange(end + EDGE_POINTS, min(last, end + EDGE_POINTS + FIT_POINTS))
        left, right = left[pieces[left] == pieces[end]], right[pieces[right] == pieces[end]]
        if min(len(left), len(right)) < FIT_LEAST:
            continue
        before, after = _fit(left - left[-1], times_s[left]), _fit(right - right[0], times_s[right])
        count = 2.0 * (after[0] - before[0]) / (before[1] + after[1])
        open_ = 0.5 * count * abs(after[1] / before[1] - 1.0)
        whole, now = round(count), int(right[0] - left[-1])
        if whole == now or abs(count - whole) > COUNT_SLACK or open_ > TEMPO_SLACK:
            continue
        result += [times_s[done : left[-1]], np.linspace(before[0], after[0], whole + 1)[:-1]]
        numbers += [pieces[done : left[-1]], np.full(whole, pieces[end])]
        done = int(right[0])
    result.append(times_s[done:])
    numbers.append(pieces[done:])
    return np.concatenate(result), np.concatenate(numbers)
