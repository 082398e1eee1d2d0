"""The bar at which one track of a mix hands the bass to the next. Zone: analysis (numpy; no bpy).

DJs fade the middle and the top slowly but swap the bass at once. So the voice of the kick tells tracks apart: inside
a track it comes back in every section, across a change of track it never does.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .levels import WINDOW_BARS, BarSpectra, sliding_percentile

# Bars looked at on either side of a change: shorter than most tracks in a mix, longer than any break.
REACH_BARS = 48
# On the side of the old track all of it counts, as its outro is most like its intro.
MEMORY_BARS = 96
# Bars whose bottom is further below that of the bars around have no kick to compare.
NO_BOTTOM_DB = 14.0
# One lucky match is not enough.
MATCHES = 2
# In dB; kicks that differ more are simply different.
KICK_MOST_DB = 4.0
# Decibels by which two drops of different tracks differ more than the repeats of each, in timbre and kick together.
# Records that are not made of exact repeats reach 4.8 within one piece.
SAME_TRACK_DB = 4.9
# Of the gap between two drops: what a bar tells in dB about whose it is, at most; a bar that could be either's, or
# has no bottom, is sooner the new track's.
BAR_MOST_DB, EITHER_DB, NO_BOTTOM_VOTE_DB = 2.5, 0.5, 0.3
# The swap itself is heard as a step of the bottom, and DJs make it on a phrase of the old track.
STEP_WEIGHT, STEP_MOST_DB = 0.25, 15.0
PHRASE_DB, HALF_PHRASE_DB = 2.25, 0.75
PHRASE_BARS = 8

Floats = NDArray[np.float64]
Span = tuple[int, int]


def spectral_distance(left: Floats, right: Floats) -> Floats:
    """(n, m) rms difference in dB between all rows of (n, bands) and (m, bands)."""
    square = (left**2).sum(axis=1)[:, None] + (right**2).sum(axis=1)[None, :] - 2.0 * left @ right.T
    distance: Floats = np.sqrt(np.maximum(square, 0.0) / left.shape[1])
    return distance


def has_bottom(spectra: BarSpectra) -> NDArray[np.bool_]:
    """(n_bars,) whether a bar has a kick or a bass to compare."""
    reference = sliding_percentile(spectra.low_db, 90.0, WINDOW_BARS)
    flags: NDArray[np.bool_] = spectra.low_db > reference - NO_BOTTOM_DB
    return flags


def bottom_steps(spectra: BarSpectra) -> Floats:
    """(n_bars,) how much the pattern of the bottom differs from that of the bar before, rms in dB."""
    low = spectra.low.reshape(len(spectra.low), -1)
    step = np.sqrt(np.mean(np.diff(low, axis=0) ** 2, axis=1))
    result: Floats = np.minimum(np.append(0.0, step), STEP_MOST_DB)
    return result


class Handovers:
    """Compares the bars of a mix on the two sides of a possible change of track."""

    def __init__(self, spectra: BarSpectra) -> None:
        self.spectra = spectra
        self.bottom = has_bottom(spectra)
        self.steps = bottom_steps(spectra)

    def _with_bottom(self, start: int, end: int) -> NDArray[np.int64]:
        """Bars of [start, end) that have a bottom."""
        start = max(0, start)
        return start + np.flatnonzero(self.bottom[start:end])

    def _kick_distance(self, left: NDArray[np.int64], right: NDArray[np.int64]) -> Floats:
        return spectral_distance(self.spectra.kick[left], self.spectra.kick[right])

    def novelty(self, start: int, end: int) -> float:
        """How little of the kick's voice recurs across the least connected bar line of [start, end], in dB, 0..4."""
        left, right = self._with_bottom(start - REACH_BARS, end), self._with_bottom(start, end + REACH_BARS)
        if not len(left) or not len(right):
            return 0.0
        distance = np.minimum(self._kick_distance(left, right), KICK_MOST_DB)
        most = 0.0
        for bar in range(start, end + 1):
            rows = slice(*np.searchsorted(left, [bar - REACH_BARS, bar]))
            columns = slice(*np.searchsorted(right, [bar, bar + REACH_BARS]))
            part = distance[rows, columns]
            if min(part.shape) < MATCHES:
                continue
            there = np.partition(part, MATCHES - 1, axis=1)[:, MATCHES - 1].mean()
            back = np.partition(part, MATCHES - 1, axis=0)[MATCHES - 1].mean()
            most = max(most, float(min(there, back)))
        return most

    def contrast(self, before: Span, after: Span) -> float:
        """How much more two drops differ than either repeats itself, in dB.

        The kick is asked on all of the way between them, the whole spectrum in the drops alone.
        """
        timbre, kick = self.spectra.timbre, self.spectra.kick
        between = _nearest(timbre[slice(*before)], timbre[slice(*after)])
        inside = max(_restless(timbre[slice(*span)]) for span in (before, after))
        inside_kick = max(_restless(kick[slice(*span)]) for span in (before, after))
        return between - inside + self.novelty(before[1], after[0]) - inside_kick

    def place(self, before: Span, after: Span, since: int) -> int:
        """Bar between two drops of different tracks from which the bass is the new one's.

        Args:
            before: Last drop of the old track.
            after: First drop of the new one.
            since: First bar of the old track.
        """
        first, last = before[1], after[0]
        if last <= first:
            return last
        gap = np.arange(first, last)
        old = self._match(gap, self._with_bottom(max(since, first - MEMORY_BARS), first))
        new = self._match(gap, self._with_bottom(last, last + REACH_BARS))
        belongs = np.clip(new - old - EITHER_DB, -BAR_MOST_DB, BAR_MOST_DB)
        belongs = np.where(self.bottom[first:last], belongs, -NO_BOTTOM_VOTE_DB)
        bars = np.arange(first, last + 1)
        worth = np.append(0.0, np.cumsum(belongs))
        worth += STEP_WEIGHT * self.steps[np.minimum(bars, len(self.steps) - 1)]
        beat = (bars - before[0]) % PHRASE_BARS
        worth += np.where(beat == 0, PHRASE_DB, np.where(beat == PHRASE_BARS // 2, HALF_PHRASE_DB, 0.0))
        return int(bars[worth.argmax()])

    def _match(self, bars: NDArray[np.int64], known: NDArray[np.int64]) -> Floats:
        """(n,) distance in dB of each bar's kick to the second best of the known ones, 0..4."""
        if not len(known):
            return np.full(len(bars), KICK_MOST_DB)
        keep = min(MATCHES, len(known)) - 1
        distance = np.partition(self._kick_distance(bars, known), keep, axis=1)[:, keep]
        result: Floats = np.minimum(distance, KICK_MOST_DB)
        return result


def _nearest(left: Floats, right: Floats) -> float:
    """Distance in dB of the usual bar of one stretch to its best match in the other, both ways."""
    distance = spectral_distance(left, right)
    return float(0.5 * (np.median(distance.min(axis=1)) + np.median(distance.min(axis=0))))


def _restless(bars: Floats) -> float:
    """Distance in dB of the usual bar of a stretch to its best match in it, its neighbours left out."""
    count = len(bars)
    distance = spectral_distance(bars, bars)
    index = np.arange(count)
    distance[np.abs(index[:, None] - index) < 2] = np.inf
    best = distance.min(axis=1)
    best = best[np.isfinite(best)]
    return float(np.median(best)) if len(best) else 0.0


def find_overlaps(spectra: BarSpectra, tracks: list[Span]) -> list[Span]:
    """First bar in which each track is heard and the first in which it is no more."""
    return list(tracks)
