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
from .joins import settle_pieces
from .pulse import BeatPath, onset_strength, phase_path, tempo_path
from .straight import straighten

DEFAULT_BPM = 128.0
BPM_RANGE = (110.0, 136.0)
MIN_DURATION_S = 4.0
# Beats closer than this are one.
CLOSE_BEATS = 0.3
EDGE_S = 0.03
SURE = 0.5
DECIDED = 0.12
# A tempo from outside the range is folded into it and fits nowhere well; such bars are worse than a plain ruler.
LEAST_CONFIDENCE = 0.2
# Correlations of beats three and four apart: house has the fours ahead, a waltz the threes by more than one.
LONGEST_LAG = 9
THREES_LEAST = 0.3
THREES_AHEAD = 0.3
# Onsets on thirds of the beat, against those on the beat and those on its half.
THIRD_LEAST, THIRD_AHEAD, EMPTY_SHARE = 0.25, 2.5, 0.2
NO_BEAT = "No steady beat was found."
# Four beats of 174 BPM are three of 130.5, so the two cannot be told apart.
IN_THREE = "The music runs in threes: it is in three-four time, or its tempo lies outside the usual range of house."

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
    return GridResult(grid, 0.0, np.zeros(grid.n_bars), f"{message} The bars are only a ruler at {bpm:g} BPM.")


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
        return _fallback(features.duration_s, default, "The audio is silent: check the recording.")
    path, onset = beat_path(features, (low, high))
    if not float(onset.max(initial=0.0)) > 0.0:
        return _fallback(features.duration_s, default, "There are no onsets in the audio.")
    if len(path.beats) < 2 * BEATS_PER_BAR:
        return _fallback(features.duration_s, default, "The audio is too short to hear a beat in it.")
    down = find_downbeats(features, path)
    clarity = np.interp(down.beats_s, path.clarity_times_s, path.clarity)
    kicks = features.kick_times_s, features.kick_strengths
    down.beats_s = straighten(down.beats_s, down.pieces, clarity, *kicks)
    result = _assemble(features.duration_s, path, down, default)
    if result.confidence > 0.0 and in_three(features, onset, down.beats_s):
        return _fallback(features.duration_s, default, IN_THREE)
    return result if result.confidence >= LEAST_CONFIDENCE else _fallback(features.duration_s, default, NO_BEAT)


def beat_path(features: Features, bpm_range: tuple[float, float]) -> tuple[BeatPath, Floats]:
    """The beat, up to half a beat, and the (n,) onset strength that it was heard in."""
    onset = onset_strength(features.onset)
    bpm = tempo_path(onset, features.onset_rate_hz, bpm_range)
    return settle_pieces(phase_path(onset, features.onset_rate_hz, bpm), onset, features.onset_rate_hz), onset


def in_three(features: Features, onset: Floats, beats_s: Floats) -> bool:
    """Whether the music runs in threes: its beats repeat after three, or each of them falls into thirds.

    A waltz of 120 gives the first: each beat is its onset flux in nine bands, and in 4/4 a clap or a bar's pattern
    makes the lags of four and eight the best, or with a bare kick all lags alike. A waltz of 168 is heard as 112: every
    other beat is empty, and onsets lie on the thirds of the beat instead of its half, where house has its hats.
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
    if threes > THREES_LEAST and threes > fours + THREES_AHEAD:
        return True
    gap_s = np.diff(beats_s)
    parts = np.arange(12) / 12
    times_s = beats_s[:-1, None] + gap_s[:, None] * parts
    # a third and a half are a sixth of a beat apart, some ninety milliseconds
    near = np.rint(times_s * features.onset_rate_hz).astype(np.int64)[..., None] + np.arange(-3, 4)
    heard = onset[np.clip(near, 0, len(onset) - 1)].max(axis=2)
    even, odd, mean = heard[::2, 0].mean(), heard[1::2, 0].mean(), heard.mean(axis=0)
    mean = mean - np.percentile(mean, 25)
    third, half = max(mean[4], mean[8]), max(mean[6], 0.0)
    empty = min(even, odd) < EMPTY_SHARE * max(even, odd)
    return bool(empty and third > THIRD_LEAST * mean[0] and third > THIRD_AHEAD * half)


def _assemble(duration_s: float, path: BeatPath, down: Downbeats, default_bpm: float) -> GridResult:
    """Bars from the voted downbeats, drawn on to both ends of the mix."""
    beats_s, is_downbeat = _regular(down.beats_s, down.is_downbeat, down.pieces)
    beats_s, is_downbeat, end_s = _cover(beats_s, is_downbeat, duration_s)
    grid = BarGrid.from_beats(beats_s, is_downbeat, end_s)
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


def _regular(
    beats_s: Floats, is_downbeat: NDArray[np.bool_], pieces: NDArray[np.int64]
) -> tuple[Floats, NDArray[np.bool_]]:
    """Mend the beats where half beats or bars change their minds: no beat twice, none missing, no bar above four."""
    gap = np.diff(beats_s)
    typical = moving_median(gap, 2 * BEATS_PER_BAR + 1)
    kept_s, marks = [float(beats_s[0])], [bool(is_downbeat[0])]
    for index in range(1, len(beats_s)):
        step_s, usual_s = float(beats_s[index]) - kept_s[-1], float(typical[index - 1])
        if step_s < CLOSE_BEATS * usual_s:
            marks[-1] = marks[-1] or bool(is_downbeat[index])
            continue
        # Across a cut whatever is left of the last beat stays as it is.
        missing = (
            1 if pieces[index] != pieces[index - 1] and step_s < 2.0 * usual_s else max(1, round(step_s / usual_s))
        )
        first_s = kept_s[-1]
        kept_s += [first_s + step_s * i / missing for i in range(1, missing + 1)]
        marks += [False] * (missing - 1) + [bool(is_downbeat[index])]
    since = np.inf
    for index, mark in enumerate(marks):
        since = 0 if mark else since + 1
        if since == BEATS_PER_BAR:
            marks[index], since = True, 0
    return np.asarray(kept_s), np.asarray(marks)


def moving_median(values: Floats, width: int) -> Floats:
    """Centred median, the ends repeated."""
    half = width // 2
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(values, half, mode="edge"), 2 * half + 1)
    median: Floats = np.median(windows, axis=1)
    return median


def _cover(
    beats_s: Floats, is_downbeat: NDArray[np.bool_], duration_s: float
) -> tuple[Floats, NDArray[np.bool_], float]:
    """Beats drawn on to the start and the end of the mix, their downbeats, and the end of the last bar."""
    near = max(1, min(32, len(beats_s) - 1))
    first_s, last_s = float(beats_s[near] - beats_s[0]) / near, float(beats_s[-1] - beats_s[-1 - near]) / near
    before = max(0, int(np.floor((beats_s[0] + EDGE_S) / first_s)))
    after = max(0, int(np.ceil((duration_s - beats_s[-1]) / last_s - 1e-6)) - 1)
    whole = np.concatenate(
        [beats_s[0] - first_s * np.arange(before, 0, -1), beats_s, beats_s[-1] + last_s * np.arange(1, after + 1)]
    )
    marks = np.concatenate([np.zeros(before, bool), is_downbeat, np.zeros(after, bool)])
    index = np.arange(len(whole))
    known = np.flatnonzero(marks)
    if not len(known):
        known = np.array([before])
    marks |= ((index - known[0]) % BEATS_PER_BAR == 0) & (index < known[0])
    marks |= ((index - known[-1]) % BEATS_PER_BAR == 0) & (index >= known[-1])
    inside = (whole >= 0.0) & (whole < duration_s)
    # A first beat a hair before the file begins is its first beat.
    early = (whole < 0.0) & (whole > -EDGE_S)
    whole[early] = 0.0
    inside |= early
    whole, marks = whole[inside], marks[inside]
    # A last bar that has hardly begun belongs to the one before it.
    starts = np.flatnonzero(marks)
    if len(starts) > 1 and duration_s - whole[starts[-1]] < last_s:
        marks[starts[-1]] = False
    return whole, marks, max(duration_s, float(whole[-1]) + 0.5 * last_s)
