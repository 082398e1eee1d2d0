"""Tempo and beat phase as two shortest paths over the whole mix. Zone: analysis (numpy; no bpy)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .kicks import kick_strength

TEMPO_STEP = 0.05
TEMPO_WINDOW_S = 20.0
TEMPO_HOP_S = 4.0
TEMPO_MULTIPLES = (1, 2, 4, 8)
TEMPO_FFT = 32768
TEMPO_REACH = 12
TEMPO_SLOPE = 0.02
TEMPO_JUMP = 0.6
LEAP_BPM = 1.0

PHASE_BINS = 48
PHASE_WINDOW_S = 8
PHASE_DRIFT_COST = 2.5
# Above this a beat is as clear as can be; more must not pay for a jump.
SCORE_CLIP = 3.0
# A bass just before every beat may look like the beat for a minute; a cut to another record lasts longer.
PHASE_JUMP_COST = 100.0
LEAP_COST, LEAP_REACH_S = 20.0, 16
PHASE_SMOOTH_S = 9
LEVEL_WINDOW_S = 20.0
# A beat this much before the first sample is still taken for the first beat.
EDGE_BEATS = 0.1
KICK_LEVEL_S = 60.0
KICK_CLIP = 20.0
BROAD_WEIGHT = 0.5

Floats = NDArray[np.float64]


@dataclass
class BeatPath:
    """Where the beat is, up to half a beat.

    Attributes:
        beats: (n,) beat times in seconds, covering the mix.
        clarity: (t,) 0..1, how much the onsets agree with the beat around ``clarity_times_s``.
        clarity_times_s: (t,) seconds.
        pieces: (n,) number of the continuous stretch a beat belongs to; it changes at a phase jump.
    """

    beats: Floats
    clarity: Floats
    clarity_times_s: Floats
    pieces: NDArray[np.int64]


def moving_mean(x: Floats, width: int) -> Floats:
    """Centred mean over ``width`` samples along axis 0; shorter at the ends."""
    width = max(1, min(int(width), len(x)))
    total = np.concatenate([np.zeros((1, *x.shape[1:])), np.cumsum(x, axis=0, dtype=np.float64)])
    index = np.arange(len(x))
    low = np.maximum(index - width // 2, 0)
    high = np.minimum(index + (width - width // 2), len(x))
    shape = (-1, *([1] * (x.ndim - 1)))
    mean: Floats = (total[high] - total[low]) / (high - low).reshape(shape)
    return mean


def onset_strength(flux: NDArray[np.floating], rate_hz: float = 22050 / 128) -> Floats:
    """(n, bands) flux -> (n,) strength that a kick or clap, which moves all bands, dominates.

    The geometric mean over bands keeps an off-beat bass or an off-beat hat, each in few bands, from winning.
    """
    strength = np.zeros(len(flux))
    low = np.zeros(len(flux))
    count = flux.shape[1] if flux.ndim == 2 else 0
    for band in range(count):
        values = flux[:, band].astype(np.float64)
        values /= moving_mean(values, int(LEVEL_WINDOW_S * rate_hz)) + 0.02
        strength += np.log(values + 0.3)
        if band < 2:
            low += values
    if not count or not len(flux):
        return strength
    strength = np.minimum(np.maximum(np.exp(strength / count) - 0.3, 0.0) + 0.05 * low, 8.0)
    kick = kick_strength(flux).astype(np.float64)
    # Where kicks are heard they rule; in breaks the rest carries the beat.
    level = moving_mean(kick, int(KICK_LEVEL_S * rate_hz)) + 0.02
    return BROAD_WEIGHT * strength + np.minimum(kick / level, KICK_CLIP)


def tempo_path(onset: Floats, rate_hz: float, bpm_range: tuple[float, float]) -> Floats:
    """Tempo for each ``TEMPO_HOP_S`` of the mix.

    A comb at 1, 2, 4 and 8 times the beat reads the spectrum of the onsets in windows; a path with a truncated
    linear cost joins them, so a slow drift is cheap and a hard cut is possible.

    Returns:
        (k,) beats per minute at (i * TEMPO_HOP_S) seconds.
    """
    half = len(onset) // 2 * 2
    slow = onset[:half].reshape(-1, 2).sum(axis=1)
    slow_hz = rate_hz / 2.0
    candidates = np.arange(bpm_range[0], bpm_range[1] + TEMPO_STEP / 2, TEMPO_STEP)
    width, hop = int(TEMPO_WINDOW_S * slow_hz), TEMPO_HOP_S * slow_hz
    padded = np.pad(slow, (width // 2, width))
    count = max(1, int(np.ceil(len(slow) / hop)))
    window = np.hanning(width)
    bins = np.outer(candidates / 60.0 * TEMPO_FFT / slow_hz, TEMPO_MULTIPLES)
    left = np.floor(bins).astype(np.int64)
    share = bins - left
    scores = np.zeros((count, len(candidates)))
    for index in range(count):
        start = int(index * hop)
        piece = padded[start : start + width]
        spectrum = np.abs(np.fft.rfft((piece - piece.mean()) * window, TEMPO_FFT))
        comb = (spectrum[left] * (1.0 - share) + spectrum[left + 1] * share).sum(axis=1)
        scores[index] = comb
    # Against each window's own best, but windows without a beat (flat combs) must count for less.
    best = scores.max(axis=1, keepdims=True)
    typical = np.median(best) + 1e-9
    scores = scores / best.clip(1e-9) * np.minimum(best / typical, 1.0)
    return candidates[_viterbi_line(scores * 4.0)]


def traced_back(back: NDArray[np.integer], last: int) -> NDArray[np.int64]:
    """(t,) states of a best path, from its last one and the (t, states) sources that each was reached from."""
    path = np.zeros(len(back), np.int64)
    path[-1] = last
    for step in range(len(back) - 1, 0, -1):
        path[step - 1] = back[step, path[step]]
    return path


def _viterbi_line(scores: Floats) -> NDArray[np.int64]:
    """Best path through (t, states): small steps cost by distance, anything farther a flat fee."""
    steps, states = scores.shape
    shifts = np.arange(-TEMPO_REACH, TEMPO_REACH + 1)
    back = np.zeros((steps, states), np.int32)
    total = scores[0].copy()
    own = np.arange(states)
    for step in range(1, steps):
        padded = np.pad(total, TEMPO_REACH, constant_values=-np.inf)
        moved = np.stack([padded[TEMPO_REACH + s : TEMPO_REACH + s + states] for s in shifts])
        moved -= np.abs(shifts)[:, None] * TEMPO_SLOPE
        choice = moved.argmax(axis=0)
        best, source = moved[choice, own], own + shifts[choice]
        top = int(total.argmax())
        jump = total[top] - TEMPO_JUMP
        source = np.where(jump > best, top, source)
        back[step] = source
        total = np.maximum(best, jump) + scores[step]
    return traced_back(back, int(total.argmax()))


def _fold(onset: Floats, phase: Floats, rate_hz: float) -> Floats:
    """(seconds, 2 * PHASE_BINS) onset strength by second and beat phase, smoothed over PHASE_WINDOW_S."""
    second = (np.arange(len(onset)) / rate_hz).astype(np.int64)
    seconds = int(second[-1]) + 1
    position = (phase % 1.0) * 2 * PHASE_BINS
    low = np.floor(position).astype(np.int64)
    share = position - low
    flat = np.zeros(seconds * 2 * PHASE_BINS)
    # Shared between two bins: whole frames would alias against the bins at some tempos.
    for offset, weight in ((0, 1.0 - share), (1, share)):
        index = second * 2 * PHASE_BINS + (low + offset) % (2 * PHASE_BINS)
        flat += np.bincount(index, weights=onset * weight, minlength=len(flat))
    table = flat.reshape(seconds, 2 * PHASE_BINS)
    for _ in range(2):
        table = 0.25 * np.roll(table, -1, axis=1) + 0.5 * table + 0.25 * np.roll(table, 1, axis=1)
    return moving_mean(table, PHASE_WINDOW_S)


def _viterbi_circle(scores: Floats, leaps: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Best path through (t, PHASE_BINS): drift by one bin is cheap, a jump anywhere is dear, but not near a leap.

    Args:
        scores: (t, PHASE_BINS).
        leaps: (t,) True where the tempo leaps.
    """
    near = moving_mean(leaps.astype(np.float64), LEAP_REACH_S) > 0
    jump_costs = np.where(near, LEAP_COST, PHASE_JUMP_COST).tolist()
    steps, states = scores.shape
    back = np.zeros((steps, states), np.int16)
    own = np.arange(states)
    total = scores[0].copy()
    shifts = (-1, 0, 1)
    for step in range(1, steps):
        moved = np.stack([np.roll(total, -s) - PHASE_DRIFT_COST * abs(s) for s in shifts])
        choice = moved.argmax(axis=0)
        best, source = moved[choice, own], (own + choice - 1) % states
        top = int(total.argmax())
        jump = total[top] - jump_costs[step]
        back[step] = np.where(jump > best, top, source)
        total = np.maximum(best, jump) + scores[step]
        total -= total.max()
    return traced_back(back, int(total.argmax()))


def phase_path(onset: Floats, rate_hz: float, bpm: Floats) -> BeatPath:
    """Beats: the tempo is integrated, and the onsets, folded on it, say where in the beat they fall."""
    times_s = np.arange(len(onset)) / rate_hz
    tempo = np.interp(times_s, np.arange(len(bpm)) * TEMPO_HOP_S, bpm)
    phase = np.concatenate([[0.0], np.cumsum(tempo[:-1] / 60.0 / rate_hz)])
    table = _fold(onset, phase, rate_hz)
    # Beat and off-beat share a state, so an off-beat bass cannot flip the path; their roles are settled later.
    # Their root mean square, because one kick is worth more than two notes.
    table = np.sqrt(2.0 * (table[:, :PHASE_BINS] ** 2 + table[:, PHASE_BINS:] ** 2))
    mean = table.mean(axis=1, keepdims=True)
    typical = np.median(mean) + 1e-9
    scores = (table - mean) / (mean + 0.3 * typical)
    leaps = _leaps(bpm, len(scores))
    path = _viterbi_circle(2.0 * np.minimum(scores, SCORE_CLIP), leaps)
    offset, piece = _smooth(path, scores, leaps)
    second_s = np.arange(len(path)) + 0.5
    beats, pieces = _beats(times_s, phase, second_s, offset, piece)
    clarity = _clarity(table, path)
    return BeatPath(beats, clarity, second_s, pieces)


def _leaps(bpm: Floats, seconds: int) -> NDArray[np.bool_]:
    """(seconds,) where the tempo leaps: the phase after a hard cut owes nothing to the phase before it."""
    leaps = np.zeros(seconds, bool)
    at = np.flatnonzero(np.abs(np.diff(bpm)) > LEAP_BPM)
    leaps[np.clip(((at + 0.5) * TEMPO_HOP_S).astype(np.int64), 0, seconds - 1)] = True
    return leaps


def _smooth(path: NDArray[np.int64], scores: Floats, leaps: NDArray[np.bool_]) -> tuple[Floats, NDArray[np.int64]]:
    """Path in bins -> unwrapped, sub-bin phase in beats, and the number of the stretch between jumps."""
    step = (np.diff(path) + PHASE_BINS // 2) % PHASE_BINS - PHASE_BINS // 2
    piece = np.concatenate([[0], np.cumsum((np.abs(step) > 1) | leaps[1:])])
    # The centre of mass of the peak is finer than a bin.
    reach = np.arange(-4, 5)
    rows = np.arange(len(path))[:, None]
    around = np.maximum(scores[rows, (path[:, None] + reach) % PHASE_BINS], 0.0)
    fine = (around * reach).sum(axis=1) / (around.sum(axis=1) + 1e-9)
    offset = np.zeros(len(path))
    for number in range(int(piece[-1]) + 1):
        inside = np.flatnonzero(piece == number)
        inner = step[inside[:-1]] if len(inside) > 1 else np.zeros(0)
        walk = path[inside[0]] + np.concatenate([[0.0], np.cumsum(inner)])
        offset[inside] = moving_mean(walk + fine[inside], PHASE_SMOOTH_S)
    return offset / (2 * PHASE_BINS), piece.astype(np.int64)


def _beats(
    times_s: Floats, phase: Floats, second_s: Floats, offset: Floats, piece: NDArray[np.int64]
) -> tuple[Floats, NDArray[np.int64]]:
    """Times at which phase minus offset is whole, stretch by stretch."""
    beats, pieces = [], []
    for number in range(int(piece[-1]) + 1):
        inside = np.flatnonzero(piece == number)
        low_s = 0.0 if number == 0 else inside[0]
        high_s = times_s[-1] if number == piece[-1] else inside[-1] + 1.0
        span = (times_s >= low_s) & (times_s <= high_s)
        if span.sum() < 2:
            continue
        course = phase[span] - np.interp(times_s[span], second_s[inside], offset[inside])
        course = np.maximum.accumulate(course)
        whole = np.arange(np.ceil(course[0] - EDGE_BEATS), np.floor(course[-1]) + 1)
        found = np.interp(whole, course, times_s[span])
        beats.append(found)
        pieces.append(np.full(len(found), number))
    joined = np.concatenate(beats) if beats else np.zeros(0)
    numbers = np.concatenate(pieces) if pieces else np.zeros(0, np.int64)
    keep = np.concatenate([[True], np.diff(joined) > 0.15]) if len(joined) else np.zeros(0, bool)
    return joined[keep], numbers[keep].astype(np.int64)


def _clarity(table: Floats, path: NDArray[np.int64]) -> Floats:
    """0..1: how much stronger onsets are at the beat than anywhere else in it."""
    rows = np.arange(len(path))[:, None]
    near = table[rows, (path[:, None] + np.arange(-3, 4)) % PHASE_BINS].mean(axis=1)
    mean = table.mean(axis=1)
    contrast = near / (mean + 1e-9)
    return np.clip((contrast - 1.5) / 2.5, 0.0, 1.0) * (mean > 0)
