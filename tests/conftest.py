"""Shared by all tests: where things are, and a cache that no test shares with the user."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from housex_blender.core.bars import BarGrid  # noqa: E402
from housex_blender.core.genres import GENRES  # noqa: E402
from housex_blender.core.timeline import Envelopes, MixInfo, ModelInfo, Span, Timeline, TrackSpan  # noqa: E402


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def demo_mix() -> Path:
    return ROOT / "demo_scenes" / "demo_mix.ogg"


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    os.environ["HOUSEX_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    os.environ["HOUSEX_PYTHON"] = sys.executable


def make_timeline(bpm: float = 120.0, bars: int = 24, first_s: float = 0.25, **changes: object) -> Timeline:
    """A timeline of two tracks: Future House for 16 bars, then Melodic House; build in bars 4-7, drop in 8-15.

    A kick stands on every beat but in the build-up's last bar.
    """
    bar_s = 240.0 / bpm
    grid = BarGrid.from_downbeats(first_s + bar_s * np.arange(bars), first_s + bar_s * bars)
    probs = np.zeros((bars, len(GENRES)), np.float32)
    probs[:16, 0] = 1.0
    probs[16:, 3] = 1.0
    duration_s = first_s + bar_s * bars + 0.5
    envelopes = np.zeros((int(duration_s * 100), 6), np.float32)
    envelopes[:, 5] = 0.7
    for beat_s in grid.beats_s:
        index = round(float(beat_s) * 100)
        if grid.bar_at(float(beat_s) + 0.01) != 7:
            envelopes[index : index + 4, 4] = [1.0, 0.6, 0.3, 0.1]
        envelopes[index : index + 20, 1] = 0.8
    section = ["intro"] * 4 + ["build"] * 4 + ["drop"] * 8 + ["break"] * (bars - 16)
    fields: dict[str, object] = {
        "mix": MixInfo("mix.flac", "0" * 64, duration_s, 44100, 2),
        "model": ModelInfo("test 0", "1" * 64, GENRES, "nothing"),
        "grid": grid,
        "probs": probs,
        "confidence": np.full(bars, 0.9, np.float32),
        "uncertain": np.zeros(bars, bool),
        "energy": np.array([0.3] * 4 + [0.5] * 4 + [1.0] * 8 + [0.2] * (bars - 16), np.float32),
        "section": tuple(section),
        "tracks": (
            TrackSpan(0, 16, GENRES[0], tuple(probs[0].tolist())),
            TrackSpan(16, bars, GENRES[3], tuple(probs[16].tolist())),
        ),
        "drops": (Span(8, 16),),
        "envelopes": Envelopes(envelopes),
        "generator": "housex test",
    }
    return Timeline(**{**fields, **changes})  # type: ignore[arg-type]


@pytest.fixture
def timeline() -> Timeline:
    return make_timeline()
