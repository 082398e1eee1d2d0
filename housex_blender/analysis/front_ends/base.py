"""What turns a piece of sound into the input of a published network. Zone: analysis (numpy)."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
Floats32 = NDArray[np.float32]
# what a cache keeps: numbers, or the 8-bit pixels of a picture
Stored = NDArray[np.float32] | NDArray[np.uint8]


class FrontEnd(Protocol):
    """Sound in, input of a network out; the same code in training and in the extension.

    Attributes:
        kind: Name in :data:`KINDS`; stands on the model's card.
        sample_rate_hz: Of the mono samples it takes.
        window_samples: How many of them.
        shape: Of what a network takes, without the batch.
    """

    kind: str

    @property
    def sample_rate_hz(self) -> int: ...

    @property
    def window_samples(self) -> int: ...

    @property
    def shape(self) -> tuple[int, ...]: ...

    def stored(self, samples: Samples) -> Stored:
        """What is worth keeping of (window_samples,) mono samples: for a picture (H, W, 3) uint8, else as ready."""
        ...

    def ready(self, stored: Stored) -> Floats32:
        """``shape`` float32 of what :meth:`stored` returned."""
        ...

    def settings(self) -> dict[str, Any]:
        """For the card: JSON values, the constructor's arguments, without the kind."""
        ...
