"""Key tracks: what one channel of the show does over time, still free of Blender. Zone: pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .errors import SceneError

Interpolation = Literal["CONSTANT", "LINEAR", "BEZIER"]


@dataclass(frozen=True)
class KeyTrack:
    """Keys of one channel, ready to become F-curves.

    Attributes:
        frames: (k,) float32, strictly increasing scene frames; fractions are allowed.
        values: (k, w) float32, one row per key; w is 3 for a colour (linear RGB), else 1.
        interpolation: How the curve runs from each key to the next.
        slopes: (k, w) float32 change per frame at each key, only with BEZIER: the curve between two keys is then
            the cubic with these end slopes (handles at a third of the distance). None lets Blender choose.
    """

    frames: NDArray[np.float32]
    values: NDArray[np.float32]
    interpolation: Interpolation = "LINEAR"
    slopes: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        frames = np.asarray(self.frames, dtype=np.float32)
        values = np.asarray(self.values, dtype=np.float32)
        if values.ndim == 1:
            values = values[:, None]
        object.__setattr__(self, "frames", frames)
        object.__setattr__(self, "values", values)
        if frames.ndim != 1 or values.ndim != 2 or len(frames) != len(values) or not len(frames):
            raise SceneError("A key track has no keys, or not one value row per key.")
        if np.any(np.diff(frames) <= 0):
            raise SceneError("The frames of a key track do not increase.")
        if not (np.all(np.isfinite(frames)) and np.all(np.isfinite(values))):
            raise SceneError("A key track holds a value that is not a number.")
        if self.slopes is not None:
            slopes = np.asarray(self.slopes, dtype=np.float32).reshape(values.shape)
            object.__setattr__(self, "slopes", slopes)

    @property
    def width(self) -> int:
        """Number of components: 1, or 3 for a colour."""
        return self.values.shape[1]

    def at(self, frames: NDArray[np.floating] | float) -> NDArray[np.float64]:
        """Values at any frames, shape (..., w), as Blender would evaluate them (BEZIER needs slopes)."""
        where = np.atleast_1d(np.asarray(frames, dtype=np.float64))
        keys = self.frames.astype(np.float64)
        left = np.clip(np.searchsorted(keys, where, side="right") - 1, 0, max(len(keys) - 2, 0))
        right = np.minimum(left + 1, len(keys) - 1)
        span = np.maximum(keys[right] - keys[left], 1e-9)
        part = np.clip((where - keys[left]) / span, 0.0, 1.0)[:, None]
        low, high = self.values[left].astype(np.float64), self.values[right].astype(np.float64)
        if self.interpolation == "CONSTANT":
            result = np.where(part >= 1.0, high, low)
        elif self.interpolation == "LINEAR" or self.slopes is None:
            result = low + (high - low) * part
        else:
            rise, fall = (self.slopes[side].astype(np.float64) * span[:, None] for side in (left, right))
            result = (
                (2 * part**3 - 3 * part**2 + 1) * low
                + (part**3 - 2 * part**2 + part) * rise
                + (3 * part**2 - 2 * part**3) * high
                + (part**3 - part**2) * fall
            )
        return result if np.ndim(frames) else result[0]
