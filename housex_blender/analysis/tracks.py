"""Where one track of a mix gives way to the next. Zone: analysis (numpy; no bpy).

A first search over the whole mix weighs the voice of the kick against the form of the tracks. Then pairs of drops are
compared: two of one track sound alike, so a change between two alike ones is taken back, and one between two that
have nothing in common is added. Last, the bars between two drops are dealt out to the two tracks.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .drops import drop_runs
from .handover import Handovers
from .levels import BarLevels, BarSpectra
from .sections import TRACK_BARS, name_mix, section_looks

# Decibels by which two drops differ more than each repeats itself, in timbre and kick together. Drops of one record
# reach 5.7 where it is not made of exact repeats, those of two tracks hardly ever stay below 3. So the first search is
# taken back below 3 dB, or below 5.5 if form alone spoke for it and the kick against; more is added from 6.5 on.
SAME_TRACK_DB, DOUBTED_DB, OTHER_TRACK_DB = 3.0, 5.5, 6.5
DOUBT_NATS = -1.5
# A change that the first search missed lies between two drops, not in them.
NEAR_BARS = 8
# Decibels that a complete change of sub-genre adds; less than the drift says nothing, since models are unsure.
GENRE_WEIGHT_DB, GENRE_DRIFT = 3.0, 0.3

Floats = NDArray[np.float64]
Span = tuple[int, int]


def _contrast(handovers: Handovers, before: Span, after: Span, genre_probs: Floats | None) -> float:
    """How much two drops differ, in dB."""
    contrast = handovers.contrast(before, after)
    if genre_probs is not None:
        change = genre_probs[slice(*after)].mean(axis=0) - genre_probs[slice(*before)].mean(axis=0)
        contrast += GENRE_WEIGHT_DB * max(0.0, 0.5 * float(np.abs(change).sum()) - GENRE_DRIFT)
    return contrast


def find_tracks(
    levels: BarLevels, spectra: BarSpectra, change: Floats, bpm: Floats, genre_probs: Floats | None = None
) -> tuple[list[Span], Floats]:
    """Tracks as (start_bar, end_bar) that cover all bars, and 0..1 for each boundary between them.

    Args:
        levels: Of all bars.
        spectra: Of all bars.
        change: (n_bars,) change of sound at the start of each bar.
        bpm: (n_bars,) tempo of each bar.
        genre_probs: (n_bars, G) sub-genres, if they are known.
    """
    count = len(change)
    handovers = Handovers(spectra, bpm)
    evidence = handovers.evidence()
    names, supposed = name_mix(section_looks(levels, change, None), evidence)
    edges = [0, *supposed, count]
    drops = [(max(a, first), min(b, last)) for first, last in pairwise(edges) for a, b in drop_runs(names)
             if a < last and b > first]  # fmt: skip
    found: dict[int, float] = {0: 1.0}
    for bar in supposed:
        before = [drop for drop in drops if drop[1] <= bar]
        after = [drop for drop in drops if drop[0] >= bar]
        if not before or not after:
            continue
        contrast = _contrast(handovers, before[-1], after[0], genre_probs)
        if contrast >= (SAME_TRACK_DB if evidence[bar] > DOUBT_NATS else DOUBTED_DB):
            found[handovers.place(before[-1], after[0], max(found), bar)] = contrast
    for one, other in pairwise(drops):
        if any(one[1] - NEAR_BARS <= bar <= other[0] + NEAR_BARS for bar in found):
            continue
        contrast = _contrast(handovers, one, other, genre_probs)
        if contrast < OTHER_TRACK_DB:
            continue
        bar = handovers.place(one, other, max(start for start in found if start <= one[1]))
        if min(abs(bar - edge) for edge in (*found, count)) >= TRACK_BARS:
            found[bar] = contrast
    starts = sorted(found)
    sure = np.array([found[bar] for bar in starts[1:]]) / OTHER_TRACK_DB
    return list(pairwise([*starts, count])), np.clip(sure - 0.2, 0.0, 1.0)
