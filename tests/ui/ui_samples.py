"""A small timeline for the tests of the panel. Zone: tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from housex_blender.core.attributes import ATTRIBUTES
from housex_blender.core.bars import BarGrid
from housex_blender.core.files import sha256_of
from housex_blender.core.genres import GENRES
from housex_blender.core.timeline import Envelopes, MixInfo, ModelInfo, Span, Timeline, TrackSpan


def sample_timeline(mix: Path, duration_s: float = 30.0, bpm: float = 128.0) -> Timeline:
    """Two tracks, a build-up and a drop, one doubtful bar; belongs to the file ``mix``."""
    grid = BarGrid.fixed(duration_s, bpm)
    bars, genres = grid.n_bars, len(GENRES)
    probs = np.full((bars, genres), 0.02, np.float32)
    probs[: bars // 2, 0], probs[bars // 2 :, 1] = 1 - 0.02 * (genres - 1), 1 - 0.02 * (genres - 1)
    sections = ["intro"] * bars
    half = bars // 2
    sections[half - 2 : half] = ["build", "build"]
    sections[half : half + 2] = ["drop", "drop"]
    steps = int(duration_s * 100)
    beat = (np.arange(steps) / 100.0) % (60.0 / bpm)
    values = np.full((steps, 6), 0.4, np.float32)
    values[:, 4] = np.exp(-beat / 0.05)
    return Timeline(
        mix=MixInfo(mix.name, sha256_of(mix), duration_s, 44100, 2),
        model=ModelInfo("sample", "0" * 64, GENRES, "nothing"),
        grid=grid,
        probs=probs,
        confidence=np.full(bars, 0.9, np.float32),
        uncertain=np.arange(bars) == 1,
        energy=np.linspace(0.2, 1.0, bars).astype(np.float32),
        section=tuple(sections),
        tracks=(
            TrackSpan(0, half, GENRES[0], tuple(probs[0].tolist()), traits="Future House: chords, light side-chain"),
            TrackSpan(half, bars, GENRES[1], tuple(probs[-1].tolist())),
        ),
        drops=(Span(half, half + 2),),
        envelopes=Envelopes(values),
        attributes={name: np.full(bars, 0.9, np.float32) for name in ATTRIBUTES},
        generator="housex test",
        warnings=("The recording is quiet.",),
    )
