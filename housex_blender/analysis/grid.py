"""From band flux and mel to beats, downbeats and tempo. Zone: analysis (numpy; no bpy).

House is 4/4 at a nearly steady tempo, so the whole mix is decoded at once instead of beat by beat: a tempo path, then
a phase path against it, then one vote on which of the eight half beats of a bar is "one".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..core.bars import BEATS_PER_BAR, BarGrid
from .downbeat import Downbeats, find_downbeats
from .features import Features
from .pulse import BeatPath, moving_mean, onset_strength, phase_path, tempo_path

DEFAULT_BPM = 128.0
BPM_RANGE = (110.0, 136.0)
MIN_DURATION_S = 4.0
# Spectral flux in a centred Hann window rises before the attack reaches the window's centre.
LATENCY_S = 0.002
KICK_REACH_S = 0.035
KICK_OUTLIER_S = 0.012
KICK_SPAN_BEATS = 24
MIN_KICKS = 16
SURE = 0.5
DECIDED = 0.12
# A tempo from outside the range is folded into it and fits nowhere well; such bars are worse than a plain ruler.
LEAST_CONFIDENCE = 0.2
# Correlations of beats three and four apart: house has the fours ahead, a waltz the threes by more than one.
LONGEST_LAG = 9
THREES_LEAST = 0.3
THREES_AHEAD = 0.3
# how much of its confidence a grid of four beats keeps in three-four time
IN_THREE = 0.4
NO_BEAT = "No steady beat was found, so the bars are only a ruler."

Floats = NDArray[np.float64]


@dataclass
class GridResult:
    """A bar grid and how far to trust it.

    Attributes:
        grid: Beats and bars that cover the whole mix.
        confidence: 0..1 for the mix.
        bar_confidence: (n_bars,) 0..1, how clearly the beat is heard in each bar.
        message: Empty, or one sentence that says why the grid is unsure.
    """

    grid: BarGrid
    confidence: float
    bar_confidence: Floats
    message: str


def _fallback(duration_s: float, bpm: float, message: str) -> GridResult:
    """Bars of one tempo from the start, for audio in which no beat is heard."""
    grid = BarGrid.fixed(max(duration_s, 0.0), bpm)
    return GridResult(grid, 0.0, np.zeros(grid.n_bars), message)


def track_grid(
    features: Features, *, bpm_range: tuple[float, float] = BPM_RANGE, hint_bpm: float | None = None
) -> GridResult:
    """Hear beats and bars.

    Args:
        features: From :func:`housex_blender.analysis.features.extract_features`.
        bpm_range: Slowest and fastest tempo to consider.
        hint_bpm: Tempo that is known from elsewhere; the search then stays within 3 percent of it.

    Returns:
        A grid that covers the mix; an unsure one with a message where there is no beat.
    """
    low, high = (hint_bpm * 0.97, hint_bpm * 1.03) if hint_bpm else bpm_range
    default = hint_bpm or min(max(DEFAULT_BPM, low), high)
    if features.duration_s < MIN_DURATION_S:
        return _fallback(features.duration_s, default, "The audio is too short to hear a beat in it.")
    if features.is_silent:
        return _fallback(features.duration_s, default, "The audio is silent.")
    onset = onset_strength(features.onset)
    if not float(onset.max(initial=0.0)) > 0.0:
        return _fallback(features.duration_s, default, "There are no onsets in the audio.")
    bpm = tempo_path(onset, features.onset_rate_hz, (low, high))
    path = phase_path(onset, features.onset_rate_hz, bpm)
    if len(path.beats) < 2 * BEATS_PER_BAR:
        return _fallback(features.duration_s, default, "The audio is too short to hear a beat in it.")
    down = find_downbeats(features, path)
    shift_s = kick_offset(down.beats_s, features.kick_times_s, features.kick_strengths)
    down.times_s = down.times_s + np.interp(down.times_s, down.beats_s, shift_s)
    result = _assemble(features.duration_s, path, down, default)
    if result.confidence > 0.0 and in_three(features, down.beats_s):
        message = "This seems to be in three-four time; bars of four beats do not fit it."
        confidence, bars = IN_THREE * result.confidence, IN_THREE * result.bar_confidence
        result = GridResult(result.grid, confidence, bars, message)
    # Threes come of a faster 4/4 too, of which three beats of the grid are four.
    return result if result.confidence >= LEAST_CONFIDENCE else _fallback(features.duration_s, default, NO_BEAT)


def in_three(features: Features, beats_s: Floats) -> bool:
    """Whether the beats repeat after three far better than after four.

    Each beat is its onset flux in nine bands. In 4/4 a clap or a bar's pattern makes the lags of four and eight the
    best, or with a bare kick all lags alike; only three-four time sets those of three, six and nine far above them.
    """
    if len(beats_s) < 2 * LONGEST_LAG or not len(features.onset):
        return False
    frames = np.rint(beats_s * features.onset_rate_hz).astype(np.int64)[:, None] + np.arange(-6, 7)
    beats = features.onset[np.clip(frames, 0, len(features.onset) - 1)].astype(np.float64).max(axis=1)
    beats -= beats.mean(axis=0)
    power = float(np.mean(np.sum(beats**2, axis=1)))
    if not power > 0.0:
        return False
    threes, fours = (
        float(np.mean([np.mean(np.sum(beats[lag:] * beats[:-lag], axis=1)) for lag in lags])) / power
        for lags in ((3, 6, LONGEST_LAG), (4, 8))
    )
    return threes > THREES_LEAST and threes > fours + THREES_AHEAD


def kick_offset(beats_s: Floats, kicks_s: Floats, strengths: NDArray[np.floating]) -> Floats:
    """(b,) seconds to add to each beat so that beats fall on the attacks of the kicks around them.

    A beat without a kick takes the offset of its neighbours, so breaks keep the time of the music around them.
    """
    if len(kicks_s) < MIN_KICKS:
        return np.full(len(beats_s), LATENCY_S)
    after = np.clip(np.searchsorted(kicks_s, beats_s), 1, len(kicks_s) - 1)
    nearest = np.where(kicks_s[after] - beats_s < beats_s - kicks_s[after - 1], after, after - 1)
    gap_s = kicks_s[nearest] - beats_s
    close = np.abs(gap_s) < KICK_REACH_S
    weight = np.where(close, strengths[nearest].astype(np.float64), 0.0)
    shift = np.where(close, gap_s, 0.0)
    for _ in range(3):
        total = moving_mean(weight, KICK_SPAN_BEATS)
        # A few phantom beats on the mix's own latency keep a lonely, doubtful kick from moving the bar.
        prior = 0.15 * float(np.mean(weight)) + 1e-9
        smooth: Floats = (moving_mean(weight * shift, KICK_SPAN_BEATS) + prior * LATENCY_S) / (total + prior)
        weight = np.where(np.abs(gap_s - smooth) < KICK_OUTLIER_S, weight, 0.0)
    return smooth


def _assemble(duration_s: float, path: BeatPath, down: Downbeats, default_bpm: float) -> GridResult:
    """Bars from the voted downbeats: completed at both ends, and filled where the vote changes."""
    starts_s = _regular(down.times_s)
    starts_s = _cover(starts_s, duration_s)
    bar_s = float(np.median(np.diff(starts_s))) if len(starts_s) > 1 else 240.0 / default_bpm
    end_s = float(starts_s[-1] + (starts_s[-1] - starts_s[-2] if len(starts_s) > 1 else bar_s))
    grid = BarGrid.from_downbeats(starts_s, end_s)
    middle_s = 0.5 * (grid.starts_s + grid.ends_s)
    clarity = np.interp(middle_s, path.clarity_times_s, path.clarity)
    decided = np.interp(middle_s, down.times_s, down.margin)
    bar_confidence = np.clip(clarity * (0.7 + 0.3 * np.minimum(3.0 * decided, 1.0)), 0.0, 1.0)
    confidence = float(np.mean(bar_confidence))
    message = ""
    if float(np.mean(clarity)) < SURE:
        message = "The beat is hard to hear in much of this audio; check the grid against the music."
        if float(np.mean(clarity)) < SURE / 3:
            return _fallback(duration_s, default_bpm, NO_BEAT)
    elif float(np.mean(decided)) < DECIDED:
        message = "The beat is clear, but where the bars begin is a guess; nudge the grid if it is off."
    return GridResult(grid, confidence, bar_confidence, message)


def _regular(starts_s: Floats) -> Floats:
    """Drop downbeats that follow too soon and fill gaps, where the phase of the bar changes."""
    if len(starts_s) < 3:
        return starts_s
    bar_s = float(np.median(np.diff(starts_s)))
    kept = [float(starts_s[0])]
    for start_s in starts_s[1:]:
        gap = (float(start_s) - kept[-1]) / bar_s
        if gap < 0.45:
            continue
        missing = max(1, round(gap))
        first = kept[-1]
        kept += [first + (float(start_s) - first) * i / missing for i in range(1, missing + 1)]
    return np.asarray(kept)


def _cover(starts_s: Floats, duration_s: float) -> Floats:
    """Extend bars backwards to the first full one and forwards to the end of the mix."""
    near = max(1, min(8, len(starts_s) - 1))
    first_bar_s = float(starts_s[near] - starts_s[0]) / near
    last_bar_s = float(starts_s[-1] - starts_s[-1 - near]) / near
    before = int(np.floor((starts_s[0] + 0.02) / first_bar_s))
    head = starts_s[0] - first_bar_s * np.arange(before, 0, -1)
    if len(head):
        head[0] = max(head[0], 0.0)
    after = max(0, int(np.floor((duration_s - starts_s[-1]) / last_bar_s)))
    tail = starts_s[-1] + last_bar_s * np.arange(1, after + 1)
    whole = np.concatenate([head, starts_s, tail])
    whole = whole[whole >= 0.0] if np.any(whole >= 0.0) else np.zeros(1)
    room = duration_s - whole >= last_bar_s / BEATS_PER_BAR
    return whole[room] if room.any() else whole[:1]
