"""Where one track of a mix gives way to the next. Zone: analysis (numpy; no bpy).

Two drops of one track sound alike and share a kick; of two tracks they do not. So each pair of neighbouring drops is
asked whether a hand-over lies between them, and if so the bars between are dealt out to the two.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .handover import SAME_TRACK_DB, Handovers
from .levels import BarSpectra

MIN_TRACK_BARS = 24
# Decibels that a complete change of sub-genre counts for.
GENRE_WEIGHT_DB = 4.0
GENRE_DRIFT = 0.15

Floats = NDArray[np.float64]
Span = tuple[int, int]


def find_tracks(
    spectra: BarSpectra, drops: list[Span], genre_probs: Floats | None = None
) -> tuple[list[Span], Floats]:
    """Tracks as (start_bar, end_bar) that cover all bars, and 0..1 for each boundary between them.

    Args:
        spectra: Of all bars.
        drops: Full stretches; two of one track sound alike, so a boundary lies between two that do not.
        genre_probs: (n_bars, G) sub-genres, if they are known.
    """
    count = len(spectra.mean)
    handovers = Handovers(spectra)
    starts, confidence = [0], []
    for before, after in pairwise(drops):
        contrast = handovers.contrast(before, after)
        if genre_probs is not None:
            change = genre_probs[slice(*after)].mean(axis=0) - genre_probs[slice(*before)].mean(axis=0)
            contrast += GENRE_WEIGHT_DB * (0.5 * float(np.abs(change).sum()) - GENRE_DRIFT)
        if contrast < SAME_TRACK_DB:
            continue
        bar = handovers.place(before, after, starts[-1])
        if bar - starts[-1] < MIN_TRACK_BARS or count - bar < MIN_TRACK_BARS:
            continue
        starts.append(bar)
        confidence.append(min(1.0, contrast / SAME_TRACK_DB - 0.7))
    return list(pairwise([*starts, count])), np.asarray(confidence)
