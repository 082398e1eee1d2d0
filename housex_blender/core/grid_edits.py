"""Corrections of the bar grid: half, double, nudge, tap, replace. Zone: pure.

Each takes a grid and gives another; beats and downbeats are moved, the end of the last bar stays where it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .bars import BEATS_PER_BAR, BarGrid
from .edit_rules import LEAST_TAPS
from .errors import TimelineError

# a bar line and a moment named after it may differ by a rounding
_NEAR_S = 2e-3
# an imported downbeat is one of the imported beats, give or take the rounding of another program
_SAME_BEAT_S = 0.03
# how far a tap may stray, in beats, and how many of the taps may
_STRAY, _STRAYS = 0.15, 0.25
_TAP_BPM = (40.0, 300.0)
_EDITED_BPM = (20.0, 600.0)
# of the beats around: less is no bar, and no beat
_LEAST_BAR, _LEAST_BEAT = 0.75, 0.4

Floats = NDArray[np.float64]
Marks = NDArray[np.bool_]


def edited_grid(grid: BarGrid, edit: Mapping[str, Any]) -> BarGrid:
    """The grid after one edit.

    Args:
        grid: Beats and bars before it.
        edit: As stored in a timeline, checked by :func:`edit_rules.check_edit`.

    Raises:
        TimelineError: It cannot be applied to this grid.
    """
    op, value, from_s = edit["op"], edit.get("value"), float(edit["from_s"])
    to_s = float(edit["to_s"]) if "to_s" in edit else None
    if op == "replace":
        return replaced(grid, value or {})
    if op == "tap":
        return tapped(grid, value or [], from_s, to_s)
    beats_s, marks, end_s = grid.beats_s, _marks(grid), float(grid.ends_s[-1])
    first, last = _region(beats_s, marks, from_s, to_s)
    if op == "halve":
        beats_s, marks = _halved(beats_s, marks, first, last, end_s)
    elif op == "double":
        beats_s, marks = _doubled(beats_s, marks, first, last, end_s)
    else:
        beats_s, marks = _nudged(beats_s, marks, first, last, end_s, float(value or 0.0))
    changed = _cleaned(beats_s, marks, end_s)
    bpm = float(changed.bpm[changed.bar_at(from_s)])
    if op in ("halve", "double") and not _EDITED_BPM[0] <= bpm <= _EDITED_BPM[1]:
        raise TimelineError(
            f"That would make {bpm:.0f} beats a minute.", "Take back what was halved or doubled before."
        )
    return changed


def _marks(grid: BarGrid) -> Marks:
    """(n_beats,) True on the beat nearest to each downbeat."""
    marks = np.zeros(len(grid.beats_s), bool)
    marks[_nearest(grid.beats_s, grid.starts_s)] = True
    return marks


def _nearest(sorted_s: Floats, times_s: Floats) -> NDArray[np.int64]:
    after = np.clip(np.searchsorted(sorted_s, times_s), 1, len(sorted_s) - 1)
    nearer = sorted_s[after] - times_s < times_s - sorted_s[after - 1]
    return np.where(nearer, after, after - 1).astype(np.int64)


def _region(beats_s: Floats, marks: Marks, from_s: float, to_s: float | None) -> tuple[int, int]:
    """Beats (first, one past the last) of the bars that begin at or after ``from_s`` and before ``to_s``."""
    downbeats = np.flatnonzero(marks)
    inside = downbeats[beats_s[downbeats] >= from_s - _NEAR_S]
    if not len(inside):
        raise TimelineError(f"No bar begins after {from_s:.2f} s.", "Choose an earlier moment.")
    if to_s is None:
        return int(inside[0]), len(beats_s)
    later = downbeats[beats_s[downbeats] >= to_s - _NEAR_S]
    last = int(later[0]) if len(later) else len(beats_s)
    if last <= int(inside[0]):
        raise TimelineError(f"No bar begins between {from_s:.2f} s and {to_s:.2f} s.", "Choose a longer stretch.")
    return int(inside[0]), last


def _knots(beats_s: Floats, first: int, last: int, end_s: float) -> Floats:
    """Beats of a region and where it ends."""
    return np.append(beats_s[first:last], beats_s[last] if last < len(beats_s) else end_s)


def _put(beats_s: Floats, marks: Marks, first: int, last: int, new_s: Floats, new: Marks) -> tuple[Floats, Marks]:
    joined_s = np.concatenate([beats_s[:first], new_s, beats_s[last:]])
    return joined_s, np.concatenate([marks[:first], new, marks[last:]])


def _halved(beats_s: Floats, marks: Marks, first: int, last: int, end_s: float) -> tuple[Floats, Marks]:
    """Every other beat of the region, in bars of four from its first downbeat on."""
    new_s = beats_s[first:last:2]
    new = np.arange(len(new_s)) % BEATS_PER_BAR == 0
    if not marks[:first].any():
        # what comes before the first bar of all belongs to the same tempo
        lead_s = beats_s[:first][::-1][1::2][::-1]
        return np.concatenate([lead_s, new_s, beats_s[last:]]), np.concatenate(
            [np.zeros(len(lead_s), bool), new, marks[last:]]
        )
    return _put(beats_s, marks, first, last, new_s, new)


def _doubled(beats_s: Floats, marks: Marks, first: int, last: int, end_s: float) -> tuple[Floats, Marks]:
    """A beat between any two of the region; each bar becomes bars of four, counted from its downbeat."""
    if not marks[:first].any():
        first = 0
    knots_s = _knots(beats_s, first, last, end_s)
    new_s = np.stack([knots_s[:-1], (knots_s[:-1] + knots_s[1:]) / 2], axis=1).ravel()
    old = np.repeat(marks[first:last], 2) & (np.arange(len(new_s)) % 2 == 0)
    bar_start = np.maximum.accumulate(np.where(old, np.arange(len(new_s)), -1))
    new = (bar_start >= 0) & ((np.arange(len(new_s)) - bar_start) % BEATS_PER_BAR == 0)
    return _put(beats_s, marks, first, last, new_s, new)


def _nudged(beats_s: Floats, marks: Marks, first: int, last: int, end_s: float, beats: float) -> tuple[Floats, Marks]:
    """Half a beat moves the beats, whole beats move the downbeats alone; four beats are none."""
    beats -= BEATS_PER_BAR * round(beats / BEATS_PER_BAR)
    whole = int(np.trunc(beats))
    if whole < 0:
        # backwards the bar lines go first, so that a nudge back undoes a nudge forwards
        marks = _moved(marks, first, last, whole)
        first = max(first + whole, 0)
    if beats != whole:
        # what comes before the first bar of all belongs to the same tempo
        lead = first if marks[:first].any() else 0
        beats_s = _shifted(beats_s, lead, last, end_s, 1 if beats > 0 else -1)
    if whole > 0:
        marks = _moved(marks, first, last, whole)
    return beats_s, marks


def _moved(marks: Marks, first: int, last: int, beats: int) -> Marks:
    """Downbeats of the region some beats later; a bar before it that they run into ends with them."""
    downbeats = np.flatnonzero(marks[first:last]) + first + beats
    moved = marks.copy()
    moved[max(min(first, int(downbeats[0])), 0) : last] = False
    moved[downbeats[(downbeats >= 0) & (downbeats < last)]] = True
    if not moved.any():
        raise TimelineError("The nudge leaves no bar.", "Nudge it the other way.")
    return moved


def _shifted(beats_s: Floats, first: int, last: int, end_s: float, sign: int) -> Floats:
    """Beats of the region moved by half a beat."""
    knots_s = _knots(beats_s, first, last, end_s)
    gaps_s = np.diff(knots_s)
    if len(gaps_s) > 1:
        # what follows the region may be a hole or a cut: the tempo inside it counts
        gaps_s[-1] = gaps_s[-2]
    shifted_s = beats_s.copy()
    shifted_s[first:last] += sign * (gaps_s if sign > 0 else np.append(gaps_s[0], gaps_s[:-1])) / 2
    if last < len(beats_s):
        shifted_s[first:last] = np.minimum(shifted_s[first:last], beats_s[last])
    if first:
        shifted_s[first:last] = np.maximum(shifted_s[first:last], beats_s[first - 1])
    return shifted_s


def tap_tempo(taps_s: Sequence[float]) -> tuple[float, float]:
    """(first beat in seconds, seconds per beat) that fit the taps; single bad or missing taps do no harm.

    Raises:
        TimelineError: There are too few, or they keep no time.
    """
    taps = np.unique(np.asarray(taps_s, dtype=np.float64))
    if len(taps) < LEAST_TAPS:
        raise TimelineError("Too few taps for a tempo.", f"Tap on the beat, {LEAST_TAPS} times at least.")
    number = np.cumsum(np.append(0, np.maximum(np.rint(np.diff(taps) / np.median(np.diff(taps))), 1)))
    # the slopes between all pairs (Theil and Sen): their median does not follow strays
    low, high = np.triu_indices(len(taps), 1)
    beat_s = float(np.median((taps[high] - taps[low]) / (number[high] - number[low])))
    first_s = float(np.median(taps - beat_s * number))
    strays = np.abs(taps - first_s - beat_s * number) / beat_s
    if np.mean(strays > _STRAY) > _STRAYS:
        raise TimelineError(
            f"The taps are irregular: they stray up to {100 * float(strays.max()):.0f} % of a beat.",
            "Tap once on every beat, the first time on the one of a bar.",
        )
    if not _TAP_BPM[0] <= 60.0 / beat_s <= _TAP_BPM[1]:
        raise TimelineError(f"The taps are {60.0 / beat_s:.0f} a minute.", "Tap once on every beat.")
    return first_s, beat_s


def tapped(grid: BarGrid, taps_s: Sequence[float], from_s: float, to_s: float | None) -> BarGrid:
    """One tempo from ``from_s`` on, in time with the taps; the first tap is a downbeat."""
    first_s, beat_s = tap_tempo(taps_s)
    beats_s, marks, end_s = grid.beats_s, _marks(grid), float(grid.ends_s[-1])
    stop, stop_s = len(beats_s), end_s
    if to_s is not None:
        later = np.flatnonzero(marks & (beats_s >= to_s - _NEAR_S))
        if len(later):
            stop, stop_s = int(later[0]), float(beats_s[later[0]])
    low = int(np.ceil((from_s - _NEAR_S - first_s) / beat_s))
    high = int(np.ceil((stop_s - _LEAST_BEAT * beat_s - first_s) / beat_s))
    number = np.arange(low, high)
    if not np.any(number % BEATS_PER_BAR == 0):
        raise TimelineError("The taps leave no room for a bar.", "Choose an earlier start or a later end.")
    new_s = first_s + beat_s * number
    keep = int(np.searchsorted(beats_s, new_s[0] - _LEAST_BEAT * beat_s))
    new_s, number = new_s[new_s >= 0.0], number[new_s >= 0.0]
    return _cleaned(*_put(beats_s, marks, min(keep, stop), stop, new_s, number % BEATS_PER_BAR == 0), end_s)


def grid_of(value: Mapping[str, Any]) -> BarGrid:
    """The grid that a ``replace`` holds: ``beats_s``, ``downbeats_s`` and, if known, ``end_s`` of the last bar.

    Raises:
        TimelineError: The times do not increase, or a downbeat is no beat.
    """
    beats_s, downs_s = (np.asarray(value[name], dtype=np.float64) for name in ("beats_s", "downbeats_s"))
    if np.any(np.diff(beats_s) <= 0) or np.any(np.diff(downs_s) <= 0):
        raise TimelineError("The beats of the new grid do not increase.", "Check the file they came from.")
    nearest = _nearest(beats_s, downs_s)
    if np.any(np.abs(beats_s[nearest] - downs_s) > _SAME_BEAT_S):
        raise TimelineError("The new grid has downbeats that are no beats.", "Check the file they came from.")
    marks = np.zeros(len(beats_s), bool)
    marks[nearest] = True
    gap_s = float(np.median(np.diff(beats_s)))
    missing = max(1, BEATS_PER_BAR - (len(beats_s) - 1 - int(np.flatnonzero(marks)[-1])))
    end_s = float(value.get("end_s", beats_s[-1] + gap_s * missing))
    return BarGrid.from_beats(beats_s, marks, max(end_s, float(beats_s[-1]) + 1e-3))


def value_of(grid: BarGrid) -> dict[str, Any]:
    """What a ``replace`` by this grid holds; the inverse of :func:`grid_of`."""
    beats, downs = ([round(float(t), 5) for t in times_s] for times_s in (grid.beats_s, grid.starts_s))
    return {"beats_s": beats, "downbeats_s": downs, "end_s": round(float(grid.ends_s[-1]), 5)}


def replaced(grid: BarGrid, value: Mapping[str, Any]) -> BarGrid:
    """Another grid for the whole mix, as it came from a file; the same one comes back as it is."""
    new = grid_of(value)
    return grid if same_grid(grid, new, "end_s" not in value) else new


def same_grid(one: BarGrid, other: BarGrid, any_end: bool = False) -> bool:
    """Whether two grids have the same beats and bars, to the rounding of the file."""
    if len(one.beats_s) != len(other.beats_s) or one.n_bars != other.n_bars:
        return False
    near = any_end or abs(float(one.ends_s[-1] - other.ends_s[-1])) < 1e-4
    pairs = ((one.beats_s, other.beats_s), (one.starts_s, other.starts_s))
    return bool(near and all(np.allclose(a, b, rtol=0.0, atol=1e-4) for a, b in pairs))


def _cleaned(beats_s: Floats, marks: Marks, end_s: float) -> BarGrid:
    """A grid without beats before the mix, beats on top of one another, or bars of less than a beat."""
    gap_s = float(np.median(np.diff(beats_s)))
    room = (beats_s > -_NEAR_S) & (beats_s < end_s - 1e-3)
    beats_s, marks = np.maximum(beats_s[room], 0.0), marks[room]
    if len(beats_s) > 1:
        fine = np.append(True, np.diff(beats_s) > 1e-3)
        # a mark on a beat that goes passes to the one it sits on
        marks[:-1] |= marks[1:] & ~fine[1:]
        beats_s, marks = beats_s[fine], marks[fine]
    downbeats = np.flatnonzero(marks)
    if not len(downbeats) or len(beats_s) < 2:
        raise TimelineError("The correction leaves no bar.", "Choose an earlier moment, or a smaller one.")
    lengths_s = np.diff(np.append(beats_s[downbeats], end_s))
    for index in np.flatnonzero(lengths_s < _LEAST_BAR * _local_gap(beats_s, downbeats, gap_s)):
        # merged with the bar before it; the first of all with the one after it
        if index > 0:
            marks[downbeats[index]] = False
        elif len(downbeats) > 1:
            marks[downbeats[1]] = False
    return BarGrid.from_beats(beats_s, marks, end_s)


def _local_gap(beats_s: Floats, downbeats: NDArray[np.int64], gap_s: float) -> Floats:
    """(n_bars,) the usual gap between the eight beats around each downbeat: the tempo there, not of the mix."""
    gaps_s = np.diff(beats_s).tolist()
    around = [gaps_s[max(0, beat - 4) : beat + 4] for beat in downbeats.tolist()]
    return np.array([median(part) if part else gap_s for part in around])
