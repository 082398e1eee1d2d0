"""Portraits of tracks that nobody has to hear, and an ear without weights. Not a test itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from housex_blender.analysis.backends import Heard
from housex_blender.core.attributes import ATTRIBUTES
from housex_blender.core.genres import GENRES
from trainer.maps.listening import TrackPortrait
from trainer.own.file_bars import FileBars

# groove, rhythm, distortion, organicity, lead, chord, bass
TRAITS = (4.0, 3.0, 2.5, 1.2, 0.9, 0.1, 0.9)


def portrait(
    title: str,
    shares: dict[str, float],
    embedding: tuple[float, ...] = (1.0, 0.0, 0.0),
    bpm: float | None = 126.0,
    traits: tuple[float, ...] = TRAITS,
    given: dict[str, float] | None = None,
) -> TrackPortrait:
    """One portrait; the embedding need not have unit length."""
    vector = np.array(embedding, float)
    probs = np.array([shares.get(genre, 0.0) for genre in GENRES])
    return TrackPortrait(Path(f"/music/{title[:40].replace('/', '-')}.flac"), title, title, 200.4, bpm, GENRES,
                         probs / probs.sum(), np.array(traits), vector / np.linalg.norm(vector), 16, given or {})  # fmt: skip


class PlainEar:
    """Hears the share of bright and dark in the pictures: the same answer for the same bars, and it counts calls."""

    genres = ("Bass House", "Deep House")

    def __init__(self, key: str = "plain") -> None:
        self.key = key
        self.calls = 0

    def hear(self, bars: FileBars) -> tuple[NDArray[np.float64], Heard]:
        self.calls += 1
        patches = bars.patches()
        bright = patches[:, 0].mean(axis=(1, 2))
        probs = np.stack([bright, 1.0 - bright], axis=1).astype(np.float64)
        attributes = np.repeat(bright[:, None], len(ATTRIBUTES), axis=1)
        embedding = patches[:, 0].mean(axis=2)
        embedding /= np.linalg.norm(embedding, axis=1, keepdims=True)
        return probs, Heard(np.log(probs).astype(np.float32), attributes, np.zeros(len(bars), np.float32), embedding)
