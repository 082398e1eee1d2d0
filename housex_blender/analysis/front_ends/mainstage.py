"""Input of the mainstage benchmark: a mel spectrogram of 7.5 s and two chroma maps. Zone: analysis (numpy, soxr).

Benchmarking Sub-Genre Classification For Mainstage Dance Music (arXiv 2409.06690).
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from .base import Floats32, Samples, Stored
from .chroma import QTransform, chroma_cqt, chroma_vqt, stretched_rows
from .mel import Mel, power_to_db
from .picture import normalised

CLIP_S = 7.5
ROWS = 224
RANGE_DB = 80.0
# mel power and constant-Q magnitude of a tone at full scale in the bass: 0 dB of the repaired maps
FULL_MEL_POWER = 1e4
FULL_Q_MAGNITUDE = 20.0
# a frame whose loudest band lies lower than this is silence
GATE_DB = -60.0


class MainstageMaps:
    """Three maps of 224 rows.

    As published: loudness against the clip's own maximum, turned over (loud is 0, silence is 1, but a clip of nothing
    but silence is 0 too), and constant-Q and just-intonation chroma of 12 rows stretched to 224. Repaired: loudness
    against a fixed level, loud is 1, silence is 0 in all maps, the transforms keep their 84 bins instead of being
    folded to 12, the second of them has the bandwidths of hearing, and the channels are scaled as ImageNet's pictures.

    Args:
        chroma: Whether the second and third channel show the pitches; otherwise all three are the mel spectrogram.
        repaired: See above.
        sample_rate_hz: 44 100, as the networks are trained; the reference code listens to whole tracks at 22 050.
    """

    kind = "mainstage"

    def __init__(self, chroma: bool = False, repaired: bool = False, sample_rate_hz: int = 44100) -> None:
        self.chroma, self.repaired, self._rate_hz = chroma, repaired, sample_rate_hz

    @property
    def sample_rate_hz(self) -> int:
        """Of the mono samples."""
        return self._rate_hz

    @property
    def window_samples(self) -> int:
        """7.5 s."""
        return round(CLIP_S * self._rate_hz)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(3, 224, frames): 646 frames at 44 100 Hz."""
        return (3, ROWS, self._mel.frames_of(self.window_samples))

    def settings(self) -> dict[str, Any]:
        """For the card."""
        return {"chroma": self.chroma, "repaired": self.repaired, "sample_rate_hz": self._rate_hz}

    @cached_property
    def _mel(self) -> Mel:
        return Mel(self._rate_hz, ROWS)

    @cached_property
    def _pitches(self) -> tuple[QTransform, QTransform]:
        return QTransform(self._rate_hz), QTransform(self._rate_hz, like_ear=True)

    def stored(self, samples: Samples) -> Floats32:
        """(224 + rows of pitches, frames): the mel spectrogram in dB, below it the pitches unstretched.

        Two maps of 12 rows of chroma, or repaired of 84 rows in dB; none without chroma.
        """
        power = self._mel.power(samples)
        if not self.repaired:
            maps = [power_to_db(power)]
            if self.chroma:
                maps += [chroma_cqt(samples, self._rate_hz), chroma_vqt(samples, self._rate_hz)]
            return np.concatenate(maps)
        maps = [power_to_db(power, None, FULL_MEL_POWER)]
        if self.chroma:
            sizes = [transform.magnitudes(samples) for transform in self._pitches]
            maps += [power_to_db(size**2, None, FULL_Q_MAGNITUDE**2) for size in sizes]
        return np.concatenate(maps)

    def ready(self, stored: Stored) -> Floats32:
        """(3, 224, frames) of what :meth:`stored` returned."""
        mel, pitches = stored[:ROWS], stored[ROWS:]
        others = [stretched_rows(half, ROWS) for half in np.split(pitches, 2)] if self.chroma else [mel, mel]
        if self.repaired:
            shown = np.clip(np.stack([mel, *others], axis=-1) / RANGE_DB + 1.0, 0.0, 1.0)
            shown[:, mel.max(axis=0) < GATE_DB] = 0.0
            return normalised(shown)
        turned = -mel / RANGE_DB
        channels = [turned, *others] if self.chroma else [turned] * 3
        return np.stack(channels).astype(np.float32)
