"""Mixes for the tests of files in and out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from housex_blender.core.bars import BarGrid
from housex_blender.core.timeline import Span, Timeline, TrackSpan

from ..conftest import make_timeline


@pytest.fixture
def named() -> Timeline:
    """The usual timeline (bars of 2 s from 0.25 s, 48.75 s long), with names that formats may stumble over."""
    timeline = make_timeline()
    first, second = timeline.tracks
    return replace(
        timeline,
        tracks=(replace(first, title='Jay-Z & Ädele – "Ünder" <Mix>'), replace(second, title="Solo")),
    )


def irregular(bars: int = 1800, seed: int = 7) -> BarGrid:
    """A grid of about an hour: a late start, drifting tempo, uneven beats and here and there a cut bar of 1 to 3 beats."""
    chance = np.random.default_rng(seed)
    beats_s, marks, now_s = [], [], 3.217
    for bar in range(bars):
        beat_s = 60.0 / (126.0 + 3.0 * np.sin(bar / 90.0))
        for beat in range(int(chance.integers(1, 4)) if bar % 97 == 50 else 4):
            beats_s.append(now_s + chance.uniform(-0.004, 0.004))
            marks.append(beat == 0)
            now_s += beat_s
    return BarGrid.from_beats(np.array(beats_s), np.array(marks), now_s)


def with_grid(grid: BarGrid) -> Timeline:
    """A timeline of one track on a grid, with a drop in bars 3 to 5."""
    bars = grid.n_bars
    template = make_timeline()
    probs = np.tile(template.probs[:1], (bars, 1))
    return replace(
        template,
        mix=replace(template.mix, duration_s=float(grid.ends_s[-1]) + 0.5),
        grid=grid,
        probs=probs,
        confidence=np.full(bars, 0.5, np.float32),
        uncertain=np.zeros(bars, bool),
        energy=np.full(bars, 0.5, np.float32),
        section=("intro",) * bars,
        tracks=(TrackSpan(0, bars, template.model.genres[0], tuple(probs[0].tolist())),),
        drops=(Span(min(2, bars - 1), min(5, bars)),),  # type: ignore[arg-type]
    )
