"""Mel spectrograms of whole pieces, with the settings of the papers; equal to librosa's. Zone: analysis (numpy)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..spectra import hann, mel_filterbank, power_spectrum

Floats32 = NDArray[np.float32]


@dataclass(frozen=True)
class Mel:
    """Power mel spectrogram: Hann window, centred frames, Slaney's scale and norm.

    Attributes:
        sample_rate_hz: Of the samples.
        n_mels: Bands.
        n_fft: Length of a frame in samples.
        hop: From one frame to the next in samples.
        fmax_hz: Upper edge of the last band; None for half the sample rate.
        pad_mode: How both ends are continued: ``constant`` (zeros; librosa from 0.10 on) or ``reflect`` (before).
    """

    sample_rate_hz: int
    n_mels: int
    n_fft: int = 2048
    hop: int = 512
    fmax_hz: float | None = None
    pad_mode: str = "constant"

    @cached_property
    def filters(self) -> Floats32:
        """(n_mels, n_fft // 2 + 1) weights of the bands, computed once."""
        return mel_filterbank(self.sample_rate_hz, self.n_fft, self.n_mels, self.fmax_hz)

    def frames_of(self, samples: int) -> int:
        """Frames of a piece of so many samples."""
        return 1 + samples // self.hop

    def power(self, samples: NDArray[np.floating]) -> Floats32:
        """(n_mels, 1 + n // hop) of (n,) samples; a reflected end needs n above n_fft / 2."""
        padded = np.pad(np.asarray(samples, np.float32), self.n_fft // 2, mode=self.pad_mode)  # type: ignore[call-overload]
        frames = np.lib.stride_tricks.sliding_window_view(padded, self.n_fft)[:: self.hop]
        return np.ascontiguousarray((power_spectrum(frames, hann(self.n_fft)) @ self.filters.T).T)


def power_to_db(power: NDArray[np.floating], top_db: float | None = 80.0, reference: float | None = None) -> Floats32:
    """Decibels below a reference, by default the greatest value; not below ``top_db`` under the loudest.

    Args:
        power: Of any shape; below 1e-10 counts as that.
        top_db: Range in dB; None for no limit.
        reference: Power at 0 dB; None for the greatest value.
    """
    floor = 1e-10
    loudest = float(np.max(power)) if reference is None else reference
    level = 10.0 * (np.log10(np.maximum(power, floor)) - np.log10(max(loudest, floor)))
    if top_db is not None:
        level = np.maximum(level, level.max() - top_db)
    return level.astype(np.float32)
