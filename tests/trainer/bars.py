"""Bars made up for tests: a stripe whose height tells the genre, so that a network learns them in seconds."""

from __future__ import annotations

import numpy as np

from housex_blender.core.genres import GENRES
from trainer.datasets import BarTrack
from trainer.labelled import SECTION_NAMES

DROP, INTRO = SECTION_NAMES.index("drop"), SECTION_NAMES.index("intro")


def striped_track(genre: int, seed: int, n_bars: int = 24) -> BarTrack:
    """A third of intro that sounds the same in all genres, then drops with the stripe of the genre."""
    rng = np.random.default_rng([genre, seed])
    pictures = rng.integers(0, 70, (n_bars, 128, 64))
    section = np.where(np.arange(n_bars) < n_bars // 3, INTRO, DROP)
    pictures[section == DROP, 8 + 12 * genre : 16 + 12 * genre] += 150
    probs = np.zeros((n_bars, len(GENRES)), np.float32)
    probs[:, genre] = 1.0
    attributes = np.full((n_bars, 7), np.nan, np.float32)
    attributes[section == DROP, 0] = 1.0 + 4.0 * genre / 8.0
    attributes[:, 4] = section == DROP
    return BarTrack(f"{GENRES[genre]} {seed}", pictures.astype(np.uint8), np.full(n_bars, 124.0, np.float32), probs, attributes, section,
                    np.zeros(n_bars, np.int64), np.zeros(n_bars, bool))  # fmt: skip


def striped_mix(genres: list[int], seed: int, bars_each: int = 24) -> BarTrack:
    """Tracks one after another, four bars of crossfade before each hand-over."""
    tracks = [striped_track(genre, seed + number, bars_each) for number, genre in enumerate(genres)]
    count = bars_each * len(tracks)
    crossfade = np.zeros(count, bool)
    for edge in range(bars_each, count, bars_each):
        crossfade[edge - 4 : edge] = True
    return BarTrack(
        f"mix {seed}",
        np.concatenate([track.pictures for track in tracks]),
        np.concatenate([track.bpm for track in tracks]),
        np.concatenate([track.probs for track in tracks]),
        np.concatenate([track.attributes for track in tracks]),
        np.concatenate([track.section for track in tracks]),
        np.repeat(np.arange(len(tracks)), bars_each),
        crossfade,
    )
