"""Kicks: what looks like one, and exactly when it is struck. Zone: analysis (numpy; no bpy)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .spectra import MEL_RATE_HZ, ONSET_RATE_HZ

# Body, sweep and click of a kick: a bass note lacks the click, a hat lacks the body.
KICK_BANDS = (0, 1, 2, 5, 6)

KICK_LEAST = 0.1
KICK_APART_FRAMES = 8
# Logarithmic flux peaks when an attack enters the window; the steepest rise of the power, up to 50 ms later, marks
# the attack itself within a millisecond or two.
KICK_SEARCH_FRAMES = (-1, 9)
FIRST_RISE = 0.3

# A pulse of the light: attacks of the lowest band, at most about eight a second, judged against a minute around.
PULSE_APART_FRAMES = 20
PULSE_LEAST = 0.25
# narrow, so that a chord swelling up behind the kick is not taken for its attack
PULSE_SEARCH_FRAMES = (-2, 4)
PULSE_REACH_S = 30

Floats = NDArray[np.float32]


def kick_strength(onset: NDArray[np.floating]) -> Floats:
    """(k, 9) band flux -> (k,) strength that is large only where body, sweep and click of a kick rise together."""
    strength = np.ones(len(onset), np.float32)
    for band in KICK_BANDS:
        # Two frames of tolerance let the slow low bands meet the fast high ones.
        flux = onset[:, band].astype(np.float32)
        wide = flux.copy()
        for shift in (1, 2):
            wide[shift:] = np.maximum(wide[shift:], flux[:-shift])
            wide[:-shift] = np.maximum(wide[:-shift], flux[shift:])
        strength *= wide
    return strength ** np.float32(1.0 / len(KICK_BANDS))


def _attacks(
    peaks: NDArray[np.int64], power: Floats, search: tuple[int, int], least_rise: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Frame and exact time in seconds of the first steep rise of the total power near each flux peak.

    Args:
        peaks: (p,) frames.
        power: (k,) total power.
        search: Frames before and after a peak.
        least_rise: How steep, as a share of the steepest; with 1 the steepest itself.
    """
    rise = np.zeros(len(power))
    rise[1:-1] = power[2:].astype(np.float64) - power[:-2]
    rows = np.arange(len(peaks))
    near = np.clip(peaks[:, None] + np.arange(*search), 1, len(power) - 2)
    if len(peaks):
        around = rise[near]
        top = (around >= rise[near - 1]) & (around >= rise[near + 1])
        top &= around >= least_rise * around.max(axis=1, keepdims=True)
        # A kick whose body swells after its click has two; the ear takes the first.
        steepest = near[rows, np.where(top.any(axis=1), top.argmax(axis=1), around.argmax(axis=1))]
    else:
        steepest = peaks
    before, top, after = rise[np.maximum(steepest - 1, 0)], rise[steepest], rise[steepest + 1]
    # The vertex of the parabola through three frames.
    bend = np.minimum(before - 2.0 * top + after, -1e-12)
    times_s = (steepest + np.clip(0.5 * (before - after) / bend, -0.5, 0.5)) / ONSET_RATE_HZ
    return steepest, times_s


def find_kicks(strength: Floats, power: Floats) -> tuple[NDArray[np.float64], Floats]:
    """Times in seconds and strengths of attacks that look like a kick.

    Args:
        strength: (k,) from :func:`kick_strength`.
        power: (k,) total power of the same frames.
    """
    if len(strength) < 3:
        return np.zeros(0), np.zeros(0, np.float32)
    around = np.lib.stride_tricks.sliding_window_view(np.pad(strength, KICK_APART_FRAMES), 2 * KICK_APART_FRAMES + 1)
    peaks = np.flatnonzero((strength >= around.max(axis=1)) & (strength > KICK_LEAST))
    steepest, times_s = _attacks(peaks, power, KICK_SEARCH_FRAMES, FIRST_RISE)
    # Two peaks that share one attack are one kick.
    _, first = np.unique(steepest, return_index=True)
    return times_s[first], strength[peaks[first]]


def find_pulses(flux: NDArray[np.floating], sub: Floats, power: Floats) -> tuple[NDArray[np.float64], Floats]:
    """Times in seconds and strengths of kicks for the light, in a full arrangement too.

    :func:`find_kicks` wants body, sweep and click together, for exact times; under chords and claps the click is
    masked. The lowest band alone still shows the attack there, and how loud the bottom gets after it tells a kick
    from the rumble of a break.

    Args:
        flux: (k,) onset flux of the lowest band.
        sub: (n,) power below 60 Hz at the mel rate.
        power: (k,) total power of the frames of ``flux``.
    """
    if len(flux) < 3 or not len(sub):
        return np.zeros(0), np.zeros(0, np.float32)
    strength = flux.astype(np.float32)
    around = np.lib.stride_tricks.sliding_window_view(np.pad(strength, PULSE_APART_FRAMES), 2 * PULSE_APART_FRAMES + 1)
    peaks = np.flatnonzero((strength >= around.max(axis=1)) & (strength > PULSE_LEAST))
    _, times_s = _attacks(peaks, power, PULSE_SEARCH_FRAMES, 1.0)
    level_db = 10.0 * np.log10(np.maximum(sub, np.float32(1e-9)))
    frames = np.rint(times_s * MEL_RATE_HZ).astype(np.int64)[:, None] + np.arange(4)
    reached_db = level_db[np.clip(frames, 0, len(sub) - 1)].max(axis=1)
    seconds = int(np.ceil(len(sub) / MEL_RATE_HZ))
    second = np.minimum((np.arange(len(sub)) / MEL_RATE_HZ).astype(np.int64), seconds - 1)
    loudest_db = np.full(seconds, -90.0)
    np.maximum.at(loudest_db, second, level_db)
    windows = np.lib.stride_tricks.sliding_window_view(
        np.pad(loudest_db, PULSE_REACH_S, mode="edge"), 2 * PULSE_REACH_S + 1
    )
    reference_db = np.percentile(windows, 80, axis=1)[np.clip(times_s.astype(np.int64), 0, seconds - 1)]
    gate = np.clip((reached_db - (reference_db - 14.0)) / 8.0, 0.0, 1.0)
    return times_s, (strength[peaks] * gate).astype(np.float32)
