"""What is known of every bar before its form: levels, kicks and spectra. Zone: analysis (numpy; no bpy)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..core.bars import BEATS_PER_BAR, BarGrid
from .features import ENVELOPE_NAMES, ENVELOPE_RATE_HZ, Features

WINDOW_BARS = 65
SILENCE_DB = -70.0
STEPS_PER_BEAT = 4
# Of the mel bands, which are 26 Hz apart down here: what a DJ swaps with the bass knob, up to 200 Hz.
LOW_MELS = 8
# Weaker cells are noise between the notes and only blur comparisons.
SPECTRUM_FLOOR_DB = -40.0
LOW_FLOOR_DB = -20.0
BLOCK_ROWS = 4096

Floats = NDArray[np.float64]


@dataclass
class BarLevels:
    """Level, kick and density of each bar.

    Attributes:
        loudness_db: (n_bars,) level of the whole spectrum.
        low_db: (n_bars,) below 160 Hz.
        mid_db: (n_bars,) 400 to 3000 Hz.
        high_db: (n_bars,) above 5 kHz.
        kick: (n_bars,) share of beats with a kick, 0..1.
        density: (n_bars,) mean onset strength above 900 Hz.
        kick_of_beat: (n_bars, 4) 0..1, how surely each quarter of the bar begins with a kick.
    """

    loudness_db: Floats
    low_db: Floats
    mid_db: Floats
    high_db: Floats
    kick: Floats
    density: Floats
    kick_of_beat: Floats


@dataclass
class BarSpectra:
    """Spectra of each bar in dB, from the mel bands.

    Attributes:
        timbre: (n_bars, 128) mean spectrum less its mean: level is left out, a fade is no change of sound.
        mean: (n_bars, 128) mean spectrum.
        kick: (n_bars, 8) lowest bands in the sixteenths on the beat, less their mean: the voice of the kick.
        low: (n_bars, 16, 8) lowest bands in every sixteenth.
        low_db: (n_bars,) level of ``low``.
    """

    timbre: Floats
    mean: Floats
    kick: Floats
    low: Floats
    low_db: Floats


def bar_means(values: NDArray[np.floating], rate_hz: float, grid: BarGrid) -> Floats:
    """(n_bars, ...) mean of the frames in each bar; bars beyond the end hold the last frame."""
    edges = np.clip(np.rint(grid.edges_s * rate_hz).astype(np.int64), 0, len(values))
    total = np.concatenate([np.zeros((1, *values.shape[1:])), np.cumsum(values, axis=0, dtype=np.float64)])
    low, high = edges[:-1], np.maximum(edges[1:], edges[:-1])
    shape = (-1, *([1] * (values.ndim - 1)))
    means: Floats = (total[high] - total[low]) / np.maximum(high - low, 1).reshape(shape)
    return means


def sliding_percentile(values: Floats, percentile: float, width: int) -> Floats:
    """Centred percentile with the ends repeated."""
    half = width // 2
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(values, half, mode="edge"), 2 * half + 1)
    result: Floats = np.percentile(windows, percentile, axis=1)
    return result


def bar_levels(features: Features, grid: BarGrid) -> BarLevels:
    """Reduce a mix to a few numbers per bar."""
    means = bar_means(features.envelopes, ENVELOPE_RATE_HZ, grid)
    names = list(ENVELOPE_NAMES)
    # 256 is the amplitude of a full-scale sine in the spectrum that the envelopes come from.
    decibels = 10.0 * np.log10(np.maximum(means / 256.0**2, 10 ** (SILENCE_DB / 10.0)))
    # The low bands alone: next to a full arrangement a kick's click is masked, its body is not.
    strength = features.onset[:, :3].astype(np.float32).sum(axis=1)
    beats = grid.starts_s[:, None] + (grid.ends_s - grid.starts_s)[:, None] * np.arange(4) / 4
    frames = np.rint(beats * features.onset_rate_hz).astype(np.int64)[..., None] + np.arange(-6, 6)
    if len(strength):
        peaks = strength[np.clip(frames, 0, len(strength) - 1)].max(axis=-1).astype(np.float64)
        level = sliding_percentile(np.median(peaks, axis=1), 80.0, WINDOW_BARS) + 0.05
        heard = np.clip(peaks / level[:, None] * 1.6 - 0.3, 0.0, 1.0)
        flux = bar_means(features.onset[:, 4:].astype(np.float32).mean(axis=1), features.onset_rate_hz, grid)
    else:
        heard, flux = np.zeros((grid.n_bars, 4)), np.zeros(grid.n_bars)
    low_db = np.logaddexp(decibels[:, names.index("sub")], decibels[:, names.index("bass")])
    loudness_db, mid_db, high_db = (decibels[:, names.index(name)] for name in ("loudness", "mid", "high"))
    return BarLevels(loudness_db, low_db, mid_db, high_db, heard.mean(axis=1), flux, heard)


def _step_means(features: Features, grid: BarGrid) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """(n_beats * 4, 128) mean mel spectrum of every sixteenth in dB, and (n_bars, 4) the first four beats of each bar.

    A bar of fewer beats repeats its last one, so that all bars compare.
    """
    beats_s = np.append(grid.beats_s, max(float(grid.ends_s[-1]), float(grid.beats_s[-1]) + 0.05))
    places = np.arange(len(grid.beats_s) * STEPS_PER_BEAT + 1) / STEPS_PER_BEAT
    edges_s = np.interp(places, np.arange(len(beats_s)), beats_s)
    edges = np.clip(np.rint(edges_s * features.mel_rate_hz).astype(np.int64), 0, max(0, len(features.mel) - 1))
    steps = np.full((len(edges) - 1, features.mel.shape[1]), SPECTRUM_FLOOR_DB, np.float32)
    # By blocks: a float32 copy of a long mel would be large.
    for start in range(0, len(steps) if len(features.mel) else 0, BLOCK_ROWS):
        stop = min(start + BLOCK_ROWS, len(steps))
        low, high = edges[start], edges[stop] + 1
        part = np.maximum(features.mel[low:high].astype(np.float32), np.float32(SPECTRUM_FLOOR_DB))
        sums = np.add.reduceat(part, edges[start:stop] - low, axis=0)
        if edges[stop] > edges[stop - 1]:
            # reduceat runs on to the end of the block, one frame too far.
            sums[-1] -= part[-1]
        width = np.maximum(np.diff(edges[start : stop + 1]), 1).astype(np.float32)
        steps[start:stop] = sums / width[:, None]
    first = np.searchsorted(grid.bar_of_beat, np.arange(grid.n_bars))
    count = np.maximum(np.diff(np.append(first, len(grid.beats_s))), 1)
    beats = first[:, None] + np.minimum(np.arange(BEATS_PER_BAR), count[:, None] - 1)
    return steps, np.clip(beats, 0, len(grid.beats_s) - 1)


def bar_spectra(features: Features, grid: BarGrid) -> BarSpectra:
    """Spectra of all bars, and of their kicks and basses."""
    steps, beats = _step_means(features, grid)
    rows = STEPS_PER_BEAT * beats[:, :, None] + np.arange(STEPS_PER_BEAT)
    rows = rows.reshape(grid.n_bars, -1)
    mean = np.zeros((grid.n_bars, steps.shape[1]))
    for step in range(rows.shape[1]):
        mean += steps[rows[:, step]]
    mean /= rows.shape[1]
    low = np.maximum(steps[:, :LOW_MELS].astype(np.float64), LOW_FLOOR_DB)[rows]
    # The kick of a bar is what most of its beats sound like: a bass note on one of them does not count.
    kick = np.median(low[:, ::STEPS_PER_BEAT], axis=1)
    low_db = 10.0 * np.log10((10.0 ** (low / 10.0)).mean(axis=(1, 2)))
    return BarSpectra(
        mean - mean.mean(axis=1, keepdims=True), mean, kick - kick.mean(axis=1, keepdims=True), low, low_db
    )


def change_of_sound(spectra: BarSpectra) -> Floats:
    """(n_bars,) how much the spectrum changes at the start of each bar, 1 being usual for the bars around.

    Windows of one, two and four bars before and after: short ones place a change, long ones make sure of it.
    """
    levels = spectra.mean.reshape(len(spectra.mean), -1, 4).mean(axis=2) / 10.0
    count = len(levels)
    total = np.concatenate([np.zeros((1, levels.shape[1])), np.cumsum(levels, axis=0)])
    bars = np.arange(1, count)
    change = np.zeros(count)
    for width in (1, 2, 4):
        first, last = np.maximum(bars - width, 0), np.minimum(bars + width, count)
        after = (total[last] - total[bars]) / (last - bars)[:, None]
        before = (total[bars] - total[first]) / (bars - first)[:, None]
        change[1:] += np.abs(after - before).mean(axis=1) / 3.0
    half = min(WINDOW_BARS // 2, max(count - 1, 0))
    padded = np.pad(change**2, half, mode="reflect") if half else change**2
    usual = np.sqrt(np.convolve(padded, np.ones(2 * half + 1) / (2 * half + 1), "valid"))
    result: Floats = change / (usual + 1e-3)
    return result
