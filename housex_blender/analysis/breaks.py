"""The beat through passages without a kick: drawn from the music on both sides. Zone: analysis (numpy; no bpy).

In a break the path follows whatever moves, and over a minute may gain or lose half a beat. The kicks before and after
say how fast the time runs there and how many half beats must lie between them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .pulse import moving_mean

# Half beats over which a kick must be heard, as a share of the usual strength, to stand on.
SOLID_WIDTH, SOLID_SHARE = 16, 0.3
BREAK_LEAST_S = 6.0
FIT_POINTS = 96
FIT_LEAST = 24
# In half beats: how far the count may be from a whole one, and the tempos on both sides from each other.
COUNT_SLACK = 0.3
TEMPO_SLACK = 0.004

Floats = NDArray[np.float64]


def _runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _fit(times_s: Floats) -> tuple[float, float]:
    """Time of the first point and step of a steady grid through the points."""
    index = np.arange(len(times_s), dtype=np.float64)
    keep = np.ones(len(times_s), bool)
    step_s, first_s = 0.0, 0.0
    for _ in range(3):
        step_s, first_s = (float(value) for value in np.polyfit(index[keep], times_s[keep], 1))
        off_s = np.abs(times_s - first_s - step_s * index)
        keep = off_s <= 3.0 * float(np.median(off_s)) + 1e-4
    return first_s, step_s


def bridge_breaks(
    times_s: Floats, pieces: NDArray[np.int64], kick: Floats
) -> tuple[Floats, NDArray[np.int64]]:
    """Half beats with the right number of them in every break.

    Args:
        times_s: (h,) half beats in seconds.
        pieces: (h,) number of the steady stretch each belongs to.
        kick: (h,) how strong a kick is heard at each.

    Returns:
        Half beats and pieces; a break may have one or two half beats more or fewer than before.
    """
    heard = np.maximum(moving_mean(kick * (np.arange(len(kick)) % 2 == 0), SOLID_WIDTH),
                       moving_mean(kick * (np.arange(len(kick)) % 2 == 1), SOLID_WIDTH))  # fmt: skip
    solid = heard > SOLID_SHARE * float(np.percentile(heard, 80)) + 1e-9
    result, numbers, done = [], [], 0
    for start, end in _runs(~solid):
        if start == 0 or end == len(solid) or pieces[start - 1] != pieces[end]:
            continue
        if times_s[end] - times_s[start] < BREAK_LEAST_S:
            continue
        left = np.arange(max(0, start - FIT_POINTS), start)
        right = np.arange(end, min(len(solid), end + FIT_POINTS))
        left, right = left[solid[left] & (pieces[left] == pieces[end])], right[solid[right] & (pieces[right] == pieces[end])]
        if min(len(left), len(right)) < FIT_LEAST or np.any(np.diff(left) > 1) or np.any(np.diff(right) > 1):
            left = left[-_steady(np.diff(left)[::-1]) :]
            right = right[: _steady(np.diff(right))]
            if min(len(left), len(right)) < FIT_LEAST:
                continue
        first_s, before_s = _fit(times_s[left])
        next_s, after_s = _fit(times_s[right])
        last_s = first_s + before_s * (len(left) - 1)
        if abs(after_s / before_s - 1.0) > TEMPO_SLACK:
            continue
        count = 2.0 * (next_s - last_s) / (before_s + after_s)
        whole = round(count)
        if whole == int(right[0] - left[-1]) or abs(count - whole) > COUNT_SLACK or whole < 2:
            continue
        result += [times_s[done : left[-1] + 1], np.linspace(last_s, next_s, whole + 1)[1:-1]]
        numbers += [pieces[done : left[-1] + 1], np.full(whole - 1, pieces[end])]
        done = int(right[0])
    result.append(times_s[done:])
    numbers.append(pieces[done:])
    return np.concatenate(result), np.concatenate(numbers)


def _steady(gaps: NDArray[np.int64]) -> int:
    """How many points at the start follow one another without a hole."""
    holes = np.flatnonzero(gaps > 1)
    return int(holes[0]) + 1 if len(holes) else len(gaps) + 1
