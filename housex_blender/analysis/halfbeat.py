"""Which half beats are the beats. Zone: analysis (numpy; no bpy).

The path knows the beat only up to half a beat, because an off-beat bass can be as loud as the kick. Kicks decide it
together with snares, hats and changes of section.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .breaks import bridge_breaks
from .changes import SNARE_BANDS, band_levels, band_sums, best_path, change_of, peak_at, pulse_at
from .features import Features
from .kicks import kick_strength
from .pulse import BeatPath, moving_mean

# Half beats of a bar.
STATES = 8
NOVELTY_BARS = (1, 2, 4, 8)
NOVELTY_CLIP = 3.0
KICK_WEIGHT, SNARE_WEIGHT = 6.0, 1.0
# The onset band from 6 kHz on.
HAT_BAND = 8
CHANGE_WEIGHT = 0.1
PARITY_COST = 100.0

Floats = NDArray[np.float64]


@dataclass
class HalfBeats:
    """Half beats, and which of them are beats.

    Attributes:
        times_s: (h,) beats and the points between them in seconds.
        pieces: (h,) number of the steady stretch each belongs to.
        lean: (h,) what drums and changes of sound say for the even half beats being the beats, or less than 0 against.
    """

    times_s: Floats
    pieces: NDArray[np.int64]
    lean: Floats

    def beats(self, more: Floats | float = 0.0) -> NDArray[np.bool_]:
        """(h,) True on beats; every second one but where the reading changes. ``more`` is added to ``lean``."""
        lean = self.lean + more
        costs = np.array([[0.0, PARITY_COST], [PARITY_COST, 0.0]])
        cuts = np.diff(self.pieces, prepend=self.pieces[:1]) != 0
        parity = best_path(np.stack([lean, -lean], axis=1) / 2, costs, cuts)
        return (np.arange(len(lean)) % 2 == 0) == (parity == 0)


def half_beats(path: BeatPath) -> tuple[Floats, NDArray[np.int64]]:
    """(2n,) beats and the points between them in seconds, and the stretch each belongs to."""
    beats = path.beats
    gap = np.diff(beats, append=2 * beats[-1] - beats[-2])
    # Across a phase jump the gap is no beat.
    typical = float(np.median(gap))
    gap = np.where((gap > 1.3 * typical) | (gap < 0.7 * typical), typical, gap)
    return np.stack([beats, beats + gap / 2], axis=1).ravel(), np.repeat(path.pieces, 2)


def novelty(sums: Floats) -> Floats:
    """(h,) how much the sound changes at each half beat, peaks only, about 0..9; whole bars only, see above."""
    result = change_of(sums, tuple(bars * STATES for bars in NOVELTY_BARS), STATES)
    left, right = np.roll(result, 1), np.roll(result, -1)
    peak = (result > left) & (result >= right)
    clipped: Floats = np.where(peak, np.minimum(result, NOVELTY_CLIP), 0.0)
    return clipped * clipped


def _contrast(strength: Floats, width: int) -> Floats:
    """(h,) -1..1: how much more of something is heard on even half beats than on odd ones, around each."""
    even = np.arange(len(strength)) % 2 == 0
    on, off = moving_mean(strength * even, width), moving_mean(strength * ~even, width)
    level = float(np.percentile(np.maximum(on, off), 75)) + 1e-6
    return (on - off) / (on + off + 0.25 * level)


def hear_half_beats(features: Features, path: BeatPath) -> HalfBeats:
    """What tells beats from off-beats.

    The kick decides where it is alone on the beat; where an off-beat bass or hat imitates it, the other stretches
    of the same piece decide. Snares come on beats and open hats between them, so what the one has more than the other
    counts in broken rhythms; and sections change on beats.
    """
    times_s, pieces = half_beats(path)
    strength = kick_strength(features.onset)

    def kick_at(points_s: Floats) -> Floats:
        # the body of a kick tells it from a hat, its click from a chord
        return 2.0 * pulse_at(features, points_s) + peak_at(strength, points_s, features.onset_rate_hz)

    times_s, pieces = bridge_breaks(times_s, pieces, kick_at(times_s))
    votes = novelty(band_sums(band_levels(features, times_s)))
    snare, hat = (
        peak_at(band, times_s, features.onset_rate_hz)
        for band in (features.onset[:, SNARE_BANDS].sum(axis=1, dtype=np.float32), features.onset[:, HAT_BAND])
    )
    even = np.arange(len(times_s)) % 2 == 0
    lean = KICK_WEIGHT * _contrast(kick_at(times_s), STATES) ** 3
    lean += SNARE_WEIGHT * (_contrast(snare, 2 * STATES) - _contrast(hat, 2 * STATES))
    return HalfBeats(times_s, pieces, lean / STATES + CHANGE_WEIGHT * np.where(even, votes, -votes))
