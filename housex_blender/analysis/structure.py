"""Energy, drops, sections and track changes, bar by bar. Zone: analysis (numpy; no bpy)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ..core.bars import BarGrid
from .features import ENVELOPE_NAMES, ENVELOPE_RATE_HZ, Features
from .tracks import find_tracks, phrase_of

WINDOW_BARS = 65
DROP_MARGIN_DB = 1.5
MID_MARGIN_DB = 7.0
LOW_MARGIN_DB = 9.0
DROP_MIN_BARS = 4
DROP_GAP_BARS = 2
REFERENCE_PERCENTILE = 95.0
ENERGY_RANGE_DB = 15.0
SILENCE_DB = -70.0
RISE_DB = 1.5
BLOCK_BARS = 8
KICK_HEARD = 0.4
PHRASE_BONUS_DB = 2.0

Floats = NDArray[np.float64]


@dataclass
class Structure:
    """Form of a mix on its bar grid.

    Attributes:
        energy: (n_bars,) 0..1, against the loudest of the 65 bars around.
        section: n_bars of "intro", "build", "drop", "break", "outro".
        drops: (start_bar, end_bar) pairs, end exclusive.
        tracks: (start_bar, end_bar) pairs that cover all bars.
        track_confidence: 0..1 for each boundary between two tracks.
    """

    energy: Floats
    section: list[str]
    drops: list[tuple[int, int]]
    tracks: list[tuple[int, int]]
    track_confidence: Floats


@dataclass
class BarLevels:
    """Per bar: loudness and three bands in dB, the share of beats with a kick (0..1), and the density of onsets."""

    loudness_db: Floats
    low_db: Floats
    mid_db: Floats
    high_db: Floats
    kick: Floats
    density: Floats


def _bar_means(values: NDArray[np.floating], rate_hz: float, grid: BarGrid) -> Floats:
    """(n_bars, ...) mean of the frames in each bar; bars beyond the end hold the last frame."""
    edges = np.clip(np.rint(grid.edges_s * rate_hz).astype(np.int64), 0, len(values))
    total = np.concatenate([np.zeros((1, *values.shape[1:])), np.cumsum(values, axis=0, dtype=np.float64)])
    low, high = edges[:-1], np.maximum(edges[1:], edges[:-1])
    shape = (-1, *([1] * (values.ndim - 1)))
    means: Floats = (total[high] - total[low]) / np.maximum(high - low, 1).reshape(shape)
    return means


def bar_levels(features: Features, grid: BarGrid) -> BarLevels:
    """Reduce a mix to a few numbers per bar."""
    means = _bar_means(features.envelopes, ENVELOPE_RATE_HZ, grid)
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
        heard = np.clip(peaks / level[:, None] * 1.6 - 0.3, 0.0, 1.0).mean(axis=1)
        flux = _bar_means(features.onset[:, 4:].astype(np.float32).mean(axis=1), features.onset_rate_hz, grid)
    else:
        heard, flux = np.zeros(grid.n_bars), np.zeros(grid.n_bars)
    low_db = np.logaddexp(decibels[:, names.index("sub")], decibels[:, names.index("bass")])
    loudness_db, mid_db, high_db = (decibels[:, names.index(name)] for name in ("loudness", "mid", "high"))
    return BarLevels(loudness_db, low_db, mid_db, high_db, heard, flux)


def sliding_percentile(values: Floats, percentile: float, width: int) -> Floats:
    """Centred percentile with the ends repeated."""
    half = width // 2
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(values, half, mode="edge"), 2 * half + 1)
    result: Floats = np.percentile(windows, percentile, axis=1)
    return result


def _runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """(start, end exclusive) of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _below(values: Floats, tracks: list[tuple[int, int]] | None) -> Floats:
    """How far each bar is below the loud ones around it, of its own track where tracks are known, in dB."""
    reference = np.empty_like(values)
    for start, end in tracks or [(0, len(values))]:
        reference[start:end] = sliding_percentile(values[start:end], REFERENCE_PERCENTILE, WINDOW_BARS)
    return reference - values


def find_drops(
    levels: BarLevels, offsets: NDArray[np.int64], tracks: list[tuple[int, int]] | None = None
) -> list[tuple[int, int]]:
    """Bars within 1.5 dB of the loudest around them, with a full middle and a full bottom.

    The reference slides, because tracks of a mix differ in level; the middle band keeps the bare kick of an intro,
    which can be as loud as a drop, from counting as one; the bottom does the same for a loud break.
    """
    loud = sliding_percentile(levels.loudness_db, 50.0, 5)
    near = _below(loud, tracks) <= DROP_MARGIN_DB
    full = _below(sliding_percentile(levels.mid_db, 50.0, 3), tracks) <= MID_MARGIN_DB
    deep = _below(sliding_percentile(levels.low_db, 50.0, 3), tracks) <= LOW_MARGIN_DB
    flags = near & full & deep & (loud > SILENCE_DB + 20.0)
    gaps = [(a, b) for a, b in _runs(~flags) if b - a <= DROP_GAP_BARS and a > 0 and b < len(flags)]
    for start, end in gaps:
        flags[start:end] = True
    drops = [_snap(run, levels, offsets) for run in _runs(flags) if run[1] - run[0] >= DROP_MIN_BARS]
    return [(a, b) for a, b in drops if b - a >= DROP_MIN_BARS]


def _snap(run: tuple[int, int], levels: BarLevels, offsets: NDArray[np.int64]) -> tuple[int, int]:
    """Move both ends, which the median blurred, to the largest step of the level, by preference on a phrase."""
    volume = levels.loudness_db + 0.3 * levels.mid_db
    count = len(volume)
    bonus = PHRASE_BONUS_DB * (np.arange(count) % BLOCK_BARS == offsets)
    start, end = run
    if start > 0:
        near = range(max(1, start - 2), min(count - 1, start + 2) + 1)
        start = max(near, key=lambda bar: volume[bar] - volume[bar - 1] + bonus[bar])
    if end < count:
        near = range(max(start + 1, end - 2), min(count - 1, end + 2) + 1)
        end = max(near, key=lambda bar: volume[bar - 1] - volume[bar] + bonus[bar], default=end)
    return start, end


def bar_energy(levels: BarLevels) -> Floats:
    """(n_bars,) 0..1 from loudness and kick, each bar against the loudest around it."""
    reference = sliding_percentile(levels.loudness_db, REFERENCE_PERCENTILE, WINDOW_BARS)
    # The reference itself may fall only so far below that of the whole mix: silence is dark.
    reference = np.asarray(np.maximum(reference, float(np.percentile(levels.loudness_db, 95)) - 20.0))
    level = np.clip(1.0 + (levels.loudness_db - reference) / ENERGY_RANGE_DB, 0.0, 1.0)
    audible = np.clip((levels.loudness_db - SILENCE_DB) / 20.0, 0.0, 1.0)
    energy: Floats = np.clip(level * (0.75 + 0.25 * levels.kick), 0.0, 1.0) * audible
    return energy


def _slope(values: Floats) -> float:
    """Least-squares rise over the whole stretch, in the values' unit."""
    if len(values) < 3:
        return 0.0
    return float(np.polyfit(np.linspace(0.0, 1.0, len(values)), values, 1)[0])


def _is_build(levels: BarLevels, start: int, end: int) -> bool:
    """Whether a stretch rises in level, brightness or onset density."""
    part = slice(start, end)
    density = levels.density[part] / (float(np.percentile(levels.density, 90)) + 1e-9)
    rises = (
        _slope(levels.loudness_db[part]) >= RISE_DB,
        _slope(levels.high_db[part]) >= 2.0 * RISE_DB,
        _slope(density) >= 0.15,
    )
    return sum(rises) >= 2 or rises[1] or rises[2]


def _sections(
    levels: BarLevels, drops: list[tuple[int, int]], tracks: list[tuple[int, int]], offsets: NDArray[np.int64]
) -> list[str]:
    """A name for every bar: drops are known, the rest goes by kick, rise and place in its track."""
    count = len(levels.kick)
    section = [""] * count
    for start, end in drops:
        section[start:end] = ["drop"] * (end - start)
    for first, last in tracks:
        inside = [(max(a, first), min(b, last)) for a, b in drops if b > first and a < last]
        opening = inside[0][0] if inside else last
        closing = inside[-1][1] if inside else last
        for start, end in _blocks(first, last, section, offsets):
            kicked = levels.kick[start:end].mean() >= KICK_HEARD
            leads = any(a == end for a, _ in inside)
            if leads and _is_build(levels, start, end):
                name = "build"
            elif start >= closing and inside:
                name = "outro" if kicked or closing > last - BLOCK_BARS else "break"
            elif end <= opening and kicked:
                name = "intro"
            else:
                name = "break"
            section[start:end] = [name] * (end - start)
    return section


def _blocks(first: int, last: int, section: list[str], offsets: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Stretches without a name, cut at the eight-bar lattice; before a drop the lattice counts back from it."""
    blocks: list[tuple[int, int]] = []
    start = first
    while start < last:
        if section[start]:
            start += 1
            continue
        stop = start
        while stop < last and not section[stop]:
            stop += 1
        before_drop = stop < len(section) and section[stop] == "drop"
        phase = stop % BLOCK_BARS if before_drop else int(offsets[start])
        cuts = [bar for bar in range(start + 1, stop) if bar % BLOCK_BARS == phase]
        # A scrap of less than half a block joins its neighbour.
        cuts = [bar for bar in cuts if bar - start >= BLOCK_BARS // 2 and stop - bar >= BLOCK_BARS // 2]
        edges = [start, *cuts, stop]
        blocks += list(pairwise(edges))
        start = stop
    return blocks


def analyse_structure(
    features: Features,
    grid: BarGrid,
    genre_probs: Floats | None = None,
    *,
    beat_heard: bool = True,
    levels: BarLevels | None = None,
) -> Structure:
    """Hear the form of a mix.

    Args:
        features: What was measured.
        grid: Its bars.
        genre_probs: (n_bars, G) sub-genre per bar; if given, a change of it supports a track change.
        beat_heard: Whether the bars were heard; on bars that are only a ruler nothing drops.
        levels: From :func:`bar_levels`, if they are known already.
    """
    levels = levels or bar_levels(features, grid)
    offsets = phrase_of(features, grid)
    drops = find_drops(levels, offsets) if beat_heard else []
    tracks, confidence = find_tracks(features, grid, drops, levels.kick, genre_probs)
    if not beat_heard:
        return Structure(bar_energy(levels), ["break"] * grid.n_bars, [], tracks, confidence)
    # Once the tracks are known a quiet one is no longer measured against its loud neighbour.
    drops = find_drops(levels, offsets, tracks)
    section = _sections(levels, drops, tracks, offsets)
    return Structure(bar_energy(levels), section, drops, tracks, confidence)
