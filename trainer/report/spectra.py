"""The input of a network as a spectrum that can be looked at. Zone: trainer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from housex_blender.analysis.front_ends.base import FrontEnd
from housex_blender.analysis.front_ends.picture import IMAGENET_MEAN, IMAGENET_STD

_LEAST_POWER = 1e-10


@dataclass(frozen=True)
class Looks:
    """How the last two axes of an input lie.

    Attributes:
        low_first: Whether frequencies begin with the lowest; pictures have it at the bottom.
        time_first: Whether time is the first of the two.
    """

    low_first: bool
    time_first: bool


def looks_of(front_end: FrontEnd) -> Looks:
    """The axes of what a front end makes."""
    return Looks(not front_end.kind.endswith("picture"), front_end.kind == "mlachmish")


def as_spectrum(front_end: FrontEnd, ready: NDArray[np.floating]) -> NDArray[np.floating]:
    """What is seen of an input, rows and columns as in its last two axes.

    Args:
        front_end: Which made it.
        ready: Of its shape, at least two axes.

    Returns:
        (H, W, 3) in 0..1 for pictures; (H, W) for levels, the first channel of several, powers as their logarithms.
    """
    if front_end.kind.endswith("picture"):
        # a network takes it shifted and scaled, or as it is: both are 0..1 again after this
        shifted = float(ready.min()) < 0.0
        seen = ready * IMAGENET_STD[:, None, None] + IMAGENET_MEAN[:, None, None] if shifted else ready
        return np.clip(seen, 0.0, 1.0).transpose(1, 2, 0)
    levels: NDArray[np.floating] = ready.reshape(-1, *ready.shape[-2:])[0]
    powers = front_end.settings().get("scaling") == "raw"
    return np.log10(np.maximum(levels, _LEAST_POWER)) if powers else levels
