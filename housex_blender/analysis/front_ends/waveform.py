"""The samples themselves, for networks that listen to waveforms. Zone: analysis (numpy)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from .base import Floats32, Samples, Stored

# keeps silence, which has no variance, at zero
_LEAST_VARIANCE = 1e-7


@dataclass(frozen=True)
class Waveform:
    """Mono samples of one window.

    Attributes:
        sample_rate_hz: Of the samples.
        window_s: Length of a window in seconds.
        normalise: Whether each window is brought to mean 0 and variance 1, as wav2vec 2.0 wants it.
    """

    sample_rate_hz: int
    window_s: float
    normalise: bool = True

    kind = "waveform"

    @property
    def window_samples(self) -> int:
        """Samples of a window."""
        return round(self.window_s * self.sample_rate_hz)

    @property
    def shape(self) -> tuple[int, ...]:
        """(samples,)."""
        return (self.window_samples,)

    def stored(self, samples: Samples) -> Stored:
        """(window_samples,) as they are."""
        return np.asarray(samples, np.float32)

    def ready(self, stored: Stored) -> Floats32:
        """(window_samples,) float32."""
        samples = np.asarray(stored, np.float32)
        if not self.normalise:
            return samples
        # summed in double precision: windows are long
        mean, variance = samples.mean(dtype=np.float64), samples.var(dtype=np.float64)
        return ((samples - mean) / np.sqrt(variance + _LEAST_VARIANCE)).astype(np.float32)

    def settings(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return asdict(self)
