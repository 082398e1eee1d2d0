"""24 seconds as 599 short windows of mel power or MFCC, one every 40 ms. Zone: analysis (numpy).

Lachmish's "MusicGenreClassification" (2016) loaded 599 windows of 100 ms from each clip, 40 ms apart, and took each as
a column of its input; a window's frames became channels. The raw power of its mel bands reaches thousands, which its
network then had to live with; ``scaling="log"`` gives levels in decibels below full scale instead.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from ..spectra import hann, power_spectrum
from .base import Floats32, Samples, Stored
from .mel import Mel, power_to_db

SAMPLE_RATE_HZ = 22050
WINDOWS = 599
# 40 ms
HOP = 882
N_FFT = 2048
N_MELS = 128
N_MFCC = 13
_FRAME_HOP = 512
_MEL = Mel(SAMPLE_RATE_HZ, N_MELS, N_FFT, HOP, pad_mode="reflect")

FEATURES = ("mel", "mfcc")
SCALINGS = ("raw", "log")
# frames of a window -> its length in samples: 5 are the 100 ms of the published preprocessing; 2 are what the
# published network takes, here 40 ms; 1 means no windows but one spectrum every 40 ms
WINDOW_SAMPLES = {5: 2205, 2: 882, 1: 1}

# mel power of a sine at full scale in the bass, and how far below that levels end
_LOUDEST_DB, _RANGE_DB = 40.0, 80.0


@lru_cache(maxsize=1)
def cosines() -> Floats32:
    """(13, 128) rows of the orthonormal cosine transform (DCT-II) that makes MFCC of levels in bands."""
    angles = np.pi / N_MELS * (np.arange(N_MELS) + 0.5) * np.arange(N_MFCC)[:, None]
    rows = np.sqrt(2.0 / N_MELS) * np.cos(angles)
    rows[0] /= np.sqrt(2.0)
    return rows.astype(np.float32)


class SlidingWindows:
    """599 windows of mel power or MFCC.

    Args:
        feature: ``mel``: 128 bands, ``mfcc``: 13 coefficients.
        frames: Per window: 5, 2 or 1, which chooses the window's length.
        scaling: ``raw``, as published: power, and for MFCC levels below each window's own loudest band; ``log``:
            levels below full scale, in dB, 80 at most.
    """

    kind = "mlachmish"
    sample_rate_hz = SAMPLE_RATE_HZ

    def __init__(self, feature: str = "mel", frames: int = 5, scaling: str = "raw") -> None:
        if feature not in FEATURES or frames not in WINDOW_SAMPLES or scaling not in SCALINGS:
            raise ValueError(f"no {scaling} {feature} of {frames} frames")
        self.feature, self.frames, self.scaling = feature, frames, scaling

    @property
    def window_samples(self) -> int:
        return (WINDOWS - 1) * HOP + WINDOW_SAMPLES[self.frames]

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.frames, WINDOWS, N_MELS if self.feature == "mel" else N_MFCC)

    def power(self, samples: Samples) -> Floats32:
        """(599, frames, 128) mel power.

        Raises:
            ValueError: Another number of samples than ``window_samples``.
        """
        if samples.shape != (self.window_samples,):
            raise ValueError(f"a clip has {self.window_samples} samples, not {samples.shape}")
        if self.frames == 1:
            return _MEL.power(samples).T[:, None]
        windows = np.lib.stride_tricks.sliding_window_view(samples, WINDOW_SAMPLES[self.frames])[::HOP]
        # each window by itself, its ends mirrored, as often as it takes
        padded = np.pad(windows.astype(np.float32), ((0, 0), (N_FFT // 2, N_FFT // 2)), mode="reflect")
        frames = np.lib.stride_tricks.sliding_window_view(padded, N_FFT, axis=1)[:, ::_FRAME_HOP]
        power = power_spectrum(frames.reshape(-1, N_FFT), hann(N_FFT))
        return (power @ _MEL.filters.T).reshape(WINDOWS, self.frames, N_MELS)

    def stored(self, samples: Samples) -> Stored:
        """(frames, 599, 128 or 13) float32 of one clip."""
        values = self.power(samples)
        if self.scaling == "log":
            below = power_to_db(values, top_db=None, reference=10.0 ** (_LOUDEST_DB / 10.0))
            values = np.maximum(below, np.float32(-_RANGE_DB))
        elif self.feature == "mfcc":
            values = np.stack([power_to_db(window) for window in values])
        if self.feature == "mfcc":
            values = values @ cosines().T
        return np.ascontiguousarray(values.transpose(1, 0, 2), np.float32)

    def ready(self, stored: Stored) -> Floats32:
        """What was stored."""
        return stored.astype(np.float32, copy=False)

    def settings(self) -> dict[str, Any]:
        return {"feature": self.feature, "frames": self.frames, "scaling": self.scaling}
