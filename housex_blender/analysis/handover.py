"""The bar at which one track of a mix hands the bass to the next. Zone: analysis (numpy; no bpy).

DJs fade the middle and the top slowly but swap the bass at once. So the voice of the kick tells tracks apart: inside
a track it comes back in every section, across a change of track it never does.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .levels import WINDOW_BARS, BarSpectra, sliding_percentile

# Bars on either side of a possible change that are asked, and how far they look for their like across it.
REACH_BARS, SEARCH_BARS = 48, 64
# On the side of the old track all of it counts, as its outro is most like its intro.
MEMORY_BARS = 96
# Bars whose bottom is further below that of the bars around have no kick to compare.
NO_BOTTOM_DB = 14.0
# A loop of chords may be longer than a drop: its repeats are looked for so far around it.
AROUND_BARS = 16
# One lucky match is not enough.
MATCHES = 2
# In dB; kicks that differ more are simply different.
KICK_MOST_DB = 4.0
# Nats for a hand-over from a kick that does not recur: so much per dB more than the restlessness of the kick, a
# sustained bass makes one restless, and against the odds of any one bar.
NEW_KICK_PER_DB, RESTLESS_SHARE, ODDS, LEAST_NATS = 2.0, 1.3, 6.0, -8.0
# The swap itself is heard as a step of the bottom: nats for a step of 15 dB or more.
STEP_NATS, STEP_MOST_DB = 2.0, 15.0
# Two steady tempi, one before and one after, within so many bars, that differ by more than they waver.
TEMPO_BARS, TEMPO_SLACK_BPM, TEMPO_NATS, TEMPO_MOST = 12, 0.1, 2.0, 1.5
# Of the gap between two drops: what a bar tells in dB about whose it is, at most; a bar that could be either's, or
# has no bottom, is sooner the new track's.
BAR_MOST_DB, EITHER_DB, NO_BOTTOM_VOTE_DB = 2.5, 0.3, 0.3
# A bar at the tempo of one of the tracks is its own, if their tempi can be told apart.
TEMPO_VOTE_DB, TEMPO_APART_BPM, TEMPO_WAVERS = 2.0, 0.15, 4.0
# The step of the bottom, the phrases of the old track and the form of both also place the swap.
STEP_WEIGHT, PHRASE_DB, HALF_PHRASE_DB, FORM_DB = 0.25, 1.5, 0.5, 4.0
PHRASE_BARS = 8
# Fades are compared in steps of four bars, as long as most loops of chords, above the bass. After a hard cut both
# differ by more than 11 dB; a record that plays alone repeats itself within 0.8.
FADE_BARS, FADE_STEP_BARS, BASS_MELS = 8, 4, 12
CUT_DB, FADE_DB = 11.0, 0.8

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
    """(n_bars,) how much the pattern of the bottom differs from that of the bar before, rms in dB, 0..15."""
    low = spectra.low.reshape(len(spectra.low), -1)
    step = np.sqrt(np.mean(np.diff(low, axis=0) ** 2, axis=1))
    result: Floats = np.minimum(np.append(0.0, step), STEP_MOST_DB)
    return result


def tempo_changes(bpm: Floats) -> Floats:
    """(n_bars,) 0..1.5, how clearly one steady tempo gives way to another at each bar."""
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(bpm, TEMPO_BARS, mode="edge"), TEMPO_BARS)
    before, after = windows[: len(bpm)], windows[TEMPO_BARS : TEMPO_BARS + len(bpm)]
    gap = np.abs(np.median(before, axis=1) - np.median(after, axis=1))
    wavers = TEMPO_SLACK_BPM + 2.0 * (before.std(axis=1) + after.std(axis=1))
    result: Floats = np.clip(gap / wavers - 1.0, 0.0, TEMPO_MOST)
    return result


def recurrence(vectors: Floats, compared: NDArray[np.bool_], most: float) -> tuple[Floats, Floats]:
    """How badly the bars before each bar line are matched by those after it, and any bar by the others.

    Args:
        vectors: (n_bars, bands) in dB.
        compared: (n_bars,) bars that have something to compare.
        most: Greatest distance that counts, in dB.

    Returns:
        (n_bars,) mean distance in dB across the line before each bar, of the side that is matched better, and
        (n_bars,) distance of each bar to its best match at least two bars away.
    """
    count = len(vectors)
    ahead = np.full((count, SEARCH_BARS + 1), most)
    behind = np.full((count, SEARCH_BARS + 1), most)
    for lag in range(1, min(SEARCH_BARS, count - 1) + 1):
        distance = np.sqrt(np.mean((vectors[lag:] - vectors[:-lag]) ** 2, axis=1))
        distance = np.where(compared[lag:] & compared[:-lag], np.minimum(distance, most), most)
        ahead[:-lag, lag] = distance
        behind[lag:, lag] = distance
    # From here on ``ahead[i, m]`` is the best match of bar i among those m bars later or more.
    ahead = np.minimum.accumulate(ahead[:, ::-1], axis=1)[:, ::-1]
    behind = np.minimum.accumulate(behind[:, ::-1], axis=1)[:, ::-1]
    sums, counts = np.zeros((2, count)), np.zeros((2, count))
    for step in range(1, min(REACH_BARS, count) + 1):
        old = slice(0, count - step)
        sums[0, step:] += np.where(compared[old], ahead[old, step], 0.0)
        counts[0, step:] += compared[old]
        new = slice(step - 1, count)
        sums[1, : count - step + 1] += np.where(compared[new], behind[new, step], 0.0)
        counts[1, : count - step + 1] += compared[new]
    across = np.where((counts >= MATCHES).all(axis=0), (sums / np.maximum(counts, 1.0)).min(axis=0), 0.0)
    across[0] = 0.0
    return across, np.minimum(ahead[:, 2], behind[:, 2])


class Handovers:
    """Compares the bars of a mix on the two sides of a possible change of track."""

    def __init__(self, spectra: BarSpectra, bpm: Floats) -> None:
        """bpm: (n_bars,) tempo of each bar."""
        self.spectra, self.bpm = spectra, bpm
        self.bottom = has_bottom(spectra)
        self.steps = bottom_steps(spectra)

    def evidence(self) -> Floats:
        """(n_bars,) nats for another track taking over at the start of each bar."""
        across, alone = recurrence(self.spectra.kick, self.bottom, KICK_MOST_DB)
        restless = np.zeros(len(across))
        half = WINDOW_BARS // 2
        for start in range(0, len(across), PHRASE_BARS):
            near = slice(max(0, start - half), start + half)
            known = alone[near][self.bottom[near]]
            restless[start : start + PHRASE_BARS] = np.median(known) if len(known) else 0.0
        nats = NEW_KICK_PER_DB * (across - RESTLESS_SHARE * restless) + TEMPO_NATS * tempo_changes(self.bpm) - ODDS
        result: Floats = np.maximum(nats, LEAST_NATS) + STEP_NATS * self.steps / STEP_MOST_DB
        return result

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
        inside = max(_restless(timbre, span) for span in (before, after))
        inside_kick = max(_restless(kick, span) for span in (before, after))
        return between - inside + self.novelty(before[1], after[0]) - inside_kick

    def place(self, before: Span, after: Span, since: int, about: int | None = None) -> int:
        """Bar between two drops of different tracks from which the bass is the new one's.

        Args:
            before: Last drop of the old track.
            after: First drop of the new one.
            since: First bar of the old track.
            about: Where it should be by the form of both tracks.
        """
        first, last = before[1], after[0]
        if last <= first:
            return last
        gap = np.arange(first, last)
        old = self._match(gap, self._with_bottom(max(since, first - MEMORY_BARS), first))
        new = self._match(gap, self._with_bottom(last, last + REACH_BARS))
        belongs = np.clip(new - old - EITHER_DB, -BAR_MOST_DB, BAR_MOST_DB)
        belongs = np.where(self.bottom[first:last], belongs, -NO_BOTTOM_VOTE_DB)
        belongs += self._tempo_votes(before, after)
        bars = np.arange(first, last + 1)
        worth = np.append(0.0, np.cumsum(belongs))
        worth += STEP_WEIGHT * self.steps[np.minimum(bars, len(self.steps) - 1)]
        place = (bars - before[0]) % PHRASE_BARS
        worth += np.where(place == 0, PHRASE_DB, np.where(place == PHRASE_BARS // 2, HALF_PHRASE_DB, 0.0))
        worth += np.where(bars == about, FORM_DB, 0.0)
        return int(bars[worth.argmax()])

    def _tempo_votes(self, before: Span, after: Span) -> Floats:
        """(n,) in dB for each bar between two drops: positive at the tempo of the first, negative at the second's."""
        gap = self.bpm[before[1] : after[0]]
        one, other = self.bpm[slice(*before)], self.bpm[slice(*after)]
        old, new = float(np.median(one)), float(np.median(other))
        apart = abs(new - old)
        if apart <= max(TEMPO_APART_BPM, TEMPO_WAVERS * float(max(one.std(), other.std()))):
            return np.zeros(len(gap))
        votes: Floats = TEMPO_VOTE_DB * np.clip((np.abs(gap - new) - np.abs(gap - old)) / apart, -1.0, 1.0)
        return votes

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


def _restless(vectors: Floats, span: Span) -> float:
    """Distance in dB of the usual bar of a stretch to its best match in and around it, its neighbours left out."""
    rows = np.arange(*span)
    columns = np.arange(max(0, span[0] - AROUND_BARS), min(len(vectors), span[1] + AROUND_BARS))
    distance = spectral_distance(vectors[rows], vectors[columns])
    distance[np.abs(rows[:, None] - columns) < 2] = np.inf
    best = distance.min(axis=1, initial=np.inf)
    best = best[np.isfinite(best)]
    return float(np.median(best)) if len(best) else 0.0


def _changes_above(spectra: BarSpectra, bar: int) -> float:
    """Rms difference in dB, above the bass, of the four bars from a bar on and the four after them."""
    above = spectra.mean[bar : bar + 2 * FADE_STEP_BARS, BASS_MELS:]
    if bar < 0 or len(above) < 2 * FADE_STEP_BARS:
        return 0.0
    change = above[FADE_STEP_BARS:] - above[:FADE_STEP_BARS]
    return float(np.sqrt((change**2).mean(axis=1)).mean())


def find_overlaps(spectra: BarSpectra, tracks: list[Span]) -> list[Span]:
    """First bar in which each track is heard and the first in which it is no more.

    Where everything changes at once the DJ cut. Otherwise the new track was faded in over the usual eight bars, and
    the old one is still heard for eight more if what lies above the bass goes on changing.
    """
    starts, ends = [tracks[0][0]], []
    for (first, bar), (_, last) in pairwise(tracks):
        cut = _changes_above(spectra, bar - FADE_STEP_BARS) > CUT_DB
        fades = not cut and _changes_above(spectra, bar) > FADE_DB
        starts.append(bar if cut else max(first, bar - FADE_BARS))
        ends.append(min(last, bar + FADE_BARS) if fades else bar)
    ends.append(tracks[-1][1])
    return list(zip(starts, ends, strict=True))
