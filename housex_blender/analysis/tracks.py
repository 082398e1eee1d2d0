"""Where one track of a mix gives way to the next. Zone: analysis (numpy; no bpy).

Inside a track the second drop sounds like the first and the outro like the intro; after a change of track nothing
recurs. So each bar looks for its best match on the other side of a possible boundary, instead of comparing means,
which differ as much between a break and a drop.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ..core.bars import BarGrid
from .downbeat import bar_votes, phrase_path
from .features import Features

LATTICE_BARS = 8
REACH_BARS = 48
MIN_TRACK_BARS = 24
MATCHES = 2
# Decibels that a complete change of sub-genre counts for.
GENRE_WEIGHT_DB = 4.0
GENRE_DRIFT = 0.15
# In dB. Exact repeats of a drop match within 0.2 and drops of two tracks differ by 3 to 12; but records that are
# not made of exact repeats reach 4.3 inside one piece, and a missed change does less harm than an invented one.
SAME_TRACK_DB = 4.4
KICK_HEARD = 0.4

Floats = NDArray[np.float64]


def _steps(values: NDArray[np.floating], rate_hz: float, grid: BarGrid, steps: int) -> Floats:
    """(n_bars, steps, bands) mean of the frames in each step of each bar."""
    within = np.arange(steps) / steps
    times_s = (grid.starts_s[:, None] + (grid.ends_s - grid.starts_s)[:, None] * within).ravel()
    edges = np.clip(np.rint(np.append(times_s, grid.ends_s[-1]) * rate_hz).astype(np.int64), 0, len(values))
    result = np.zeros((len(times_s), values.shape[1]))
    # By blocks of bars: a float64 running sum over a long mix would be hundreds of megabytes.
    for start in range(0, len(times_s), 1024):
        stop = min(start + 1024, len(times_s))
        low = edges[start]
        part = values[low : edges[stop]].astype(np.float32)
        total = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(part, axis=0, dtype=np.float64)])
        a, b = edges[start:stop] - low, edges[start + 1 : stop + 1] - low
        result[start:stop] = (total[b] - total[a]) / np.maximum(b - a, 1)[:, None]
    return result.reshape(grid.n_bars, steps, values.shape[1])


def bar_timbre(features: Features, grid: BarGrid) -> Floats:
    """(n_bars, 128) spectrum of each bar without its level; the distance of two bars is their rms difference in dB.

    In decibels and not scaled by the mix: a mix that is one track must not have its small differences blown up.
    """
    mel = _steps(features.mel, features.mel_rate_hz, grid, 4)
    timbre = np.maximum(mel, -40.0).mean(axis=1)
    # Level is left out: a fade is no change of track.
    spectrum: Floats = (timbre - timbre.mean(axis=1, keepdims=True)) / np.sqrt(timbre.shape[1])
    return spectrum


def _bar_sums(features: Features, grid: BarGrid) -> Floats:
    """(n_bars + 1, 128) running sum of mel level in dB / 10."""
    mel = np.maximum(_steps(features.mel, features.mel_rate_hz, grid, 1)[:, 0], -40.0) / 10.0
    return np.concatenate([np.zeros((1, mel.shape[1])), np.cumsum(mel, axis=0)])


def phrase_of(features: Features, grid: BarGrid) -> NDArray[np.int64]:
    """(n_bars,) 0..7: the bars with (index % 8) equal to this begin an eight-bar phrase here."""
    return phrase_path(_bar_sums(features, grid), LATTICE_BARS)


def phrase_votes_of_bars(features: Features, grid: BarGrid) -> Floats:
    """(n_bars,) 0..2: how sharply the sound changes at the start of each bar."""
    return bar_votes(_bar_sums(features, grid))


def _unmatched(vectors: Floats, start: int, middle: int, end: int) -> float:
    """Mean distance of the bars of [start, middle) and [middle, end) to their best matches on the other side."""
    left, right = vectors[start:middle], vectors[middle:end]
    square = (left**2).sum(1)[:, None] + (right**2).sum(1)[None, :] - 2.0 * left @ right.T
    distance = np.sqrt(np.maximum(square, 0.0))
    keep = min(MATCHES, *distance.shape)
    there = np.partition(distance, keep - 1, axis=1)[:, :keep].mean()
    back = np.partition(distance, keep - 1, axis=0)[:keep].mean()
    return float(0.5 * (there + back))


def change_curve(vectors: Floats, low: int, high: int) -> Floats:
    """(high - low,) how little recurs across the line before each bar of [low, high)"""
    count = len(vectors)
    curve = np.zeros(high - low)
    for bar in range(max(low, LATTICE_BARS), min(high, count - LATTICE_BARS + 1)):
        curve[bar - low] = _unmatched(vectors, max(0, bar - REACH_BARS), bar, min(count, bar + REACH_BARS))
    return curve


def _nearest(left: Floats, right: Floats) -> float:
    """Mean distance of each bar of one stretch to its best match in the other, both ways."""
    square = (left**2).sum(1)[:, None] + (right**2).sum(1)[None, :] - 2.0 * left @ right.T
    distance = np.sqrt(np.maximum(square, 0.0))
    return float(0.5 * (distance.min(axis=1).mean() + distance.min(axis=0).mean()))


def find_tracks(
    features: Features,
    grid: BarGrid,
    drops: list[tuple[int, int]],
    kick: Floats,
    genre_probs: Floats | None = None,
) -> tuple[list[tuple[int, int]], Floats]:
    """Tracks as (start_bar, end_bar) that cover all bars, and 0..1 for each boundary between them.

    Args:
        features: What was measured.
        grid: Its bars.
        drops: Full stretches; two of one track sound alike, so a boundary lies between two that do not.
        kick: (n_bars,) share of beats with a kick.
        genre_probs: (n_bars, G) sub-genres, if they are known.
    """
    count = grid.n_bars
    if len(drops) < 2:
        return [(0, count)], np.zeros(0)
    vectors = bar_timbre(features, grid)
    votes = phrase_votes_of_bars(features, grid)
    starts, confidence, own = [0], [], [drops[0]]
    for before, after in pairwise(drops):
        contrast = min(_nearest(vectors[a:b], vectors[after[0] : after[1]]) for a, b in own)
        if genre_probs is not None:
            change = genre_probs[slice(*after)].mean(axis=0) - genre_probs[slice(*before)].mean(axis=0)
            contrast += GENRE_WEIGHT_DB * (0.5 * float(np.abs(change).sum()) - GENRE_DRIFT)
        bar = _place(vectors, before[1], after[0], votes, kick) if contrast >= SAME_TRACK_DB else 0
        if bar - starts[-1] < MIN_TRACK_BARS or count - bar < MIN_TRACK_BARS // 2:
            own.append(after)
            continue
        starts.append(bar)
        confidence.append(min(1.0, contrast / SAME_TRACK_DB - 0.7))
        own = [after]
    edges = [*starts, count]
    return list(pairwise(edges)), np.asarray(confidence)


def _place(vectors: Floats, low: int, high: int, votes: Floats, kick: Floats) -> int:
    """Bar between two drops at which the next track takes over.

    DJs mix on the kick and on phrases: not in the break before the next drop, and where the sound changes.
    """
    if high - low < 3:
        return high
    bars = np.arange(low + 1, high)
    last_kick = np.flatnonzero(kick[low:high] >= KICK_HEARD)
    # The break and the build just before the drop belong to the new track.
    runs = low + int(last_kick[0]) if len(last_kick) else low
    while runs < high and kick[runs] >= KICK_HEARD:
        runs += 1
    middle = (low + (runs if runs - low >= 4 else high)) / 2.0
    place = np.exp(-0.5 * ((bars - middle) / max(3.0, (high - low) / 4.0)) ** 2)
    curve = change_curve(vectors, low + 1, high)
    worth = curve / (curve.max() + 1e-9) + place + 0.3 * votes[bars]
    return int(bars[worth.argmax()])
