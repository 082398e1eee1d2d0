"""One bar at 128 BPM as the HouseX networks take it: as a picture, or as plain numbers. Zone: analysis (numpy).

HouseX (arXiv 2207.11690) cut tracks every 60 * 4 / 128 = 1.875 s, painted each slice's mel spectrogram with
matplotlib and trained on the pictures at 96 x 96 pixels. :class:`HouseXPicture` paints the same picture;
:class:`HouseXArray` leaves out the detour and keeps what the picture loses: how loud the slice is, and every band.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .base import Floats32, Samples, Stored
from .mel import Mel, power_to_db
from .picture import Pixels, canvas, draw_mesh, magma, normalised, spread

SAMPLE_RATE_HZ = 22050
SLICE_S = 1.875
SLICE_SAMPLES = int(SLICE_S * SAMPLE_RATE_HZ)
N_MELS = 128

# size of the picture that matplotlib saves for a figure of 640 x 480 cut to its axes, and the axes' edges in it
_PICTURE_HEIGHT, _PICTURE_WIDTH = 389, 516
_LEFT, _TOP, _RIGHT, _BOTTOM = 10.0, 9.4, 506.0, 379.0

# ends are mirrored, as librosa 0.6 does, with which the pictures were made
_MEL = Mel(SAMPLE_RATE_HZ, N_MELS, pad_mode="reflect")

# PIL sums 8-bit pixels with weights of so many binary places
_WEIGHT_BITS = 22


@lru_cache(maxsize=16)
def _resize_weights(before: int, after: int) -> NDArray[np.int64]:
    """(after, before) weights of PIL's bilinear filter, widened to the scale when it makes smaller; whole numbers."""
    scale = before / after
    reach = max(scale, 1.0)
    centres = (np.arange(after) + 0.5) * scale
    first = np.maximum((centres - reach + 0.5).astype(int), 0)
    last = np.minimum((centres + reach + 0.5).astype(int), before)
    pixels = np.arange(before)
    triangle = np.maximum(1.0 - np.abs(pixels + 0.5 - centres[:, None]) / reach, 0.0)
    triangle *= (pixels >= first[:, None]) & (pixels < last[:, None])
    triangle /= triangle.sum(axis=1, keepdims=True)
    return np.floor(triangle * (1 << _WEIGHT_BITS) + 0.5).astype(np.int64)


def _rounded(sums: NDArray[np.floating]) -> Pixels:
    return np.clip(np.floor(sums / (1 << _WEIGHT_BITS) + 0.5), 0, 255).astype(np.uint8)


def resize(picture: Pixels, height: int, width: int) -> Pixels:
    """(H, W, 3) uint8 to (height, width, 3), equal to PIL's bilinear filter: across first, then down."""
    # sums stay far below 2 ** 53: exact in float64, whose matrix product is the fast one
    across = _resize_weights(picture.shape[1], width).astype(np.float64)
    down = _resize_weights(picture.shape[0], height).astype(np.float64)
    narrow = _rounded(np.einsum("xw,hwc->hxc", across, picture.astype(np.float64), optimize=True))
    return _rounded(np.einsum("yh,hxc->yxc", down, narrow.astype(np.float64), optimize=True))


def slice_db(samples: Samples) -> Floats32:
    """(128, 81) mel levels of one slice in dB below its own loudest value, 80 at most.

    Raises:
        ValueError: Not SLICE_SAMPLES samples.
    """
    return power_to_db(_mel_power(samples))


def _mel_power(samples: Samples) -> Floats32:
    if samples.shape != (SLICE_SAMPLES,):
        raise ValueError(f"a slice has {SLICE_SAMPLES} samples, not {samples.shape}")
    return _MEL.power(samples)


def paint(db: Floats32) -> Pixels:
    """(389, 516, 3) picture of a slice's levels: colours from its least to its greatest, a white edge around."""
    picture = canvas(_PICTURE_HEIGHT, _PICTURE_WIDTH)
    draw_mesh(picture, magma(spread(db)), _LEFT, _TOP, _RIGHT, _BOTTOM)
    return picture


class HouseXPicture:
    """A slice as the picture that the published networks saw, 8.6 % of it white edge.

    Args:
        size: Pixels a side; the published networks take 96.
    """

    kind = "housex-picture"
    sample_rate_hz = SAMPLE_RATE_HZ
    window_samples = SLICE_SAMPLES

    def __init__(self, size: int = 96) -> None:
        if size < 1:
            raise ValueError("a picture has at least one pixel")
        self.size = size

    @property
    def shape(self) -> tuple[int, ...]:
        return (3, self.size, self.size)

    def stored(self, samples: Samples) -> Stored:
        """(size, size, 3) uint8 of (41343,) samples."""
        return self.stored_of_picture(paint(slice_db(samples)))

    def stored_of_picture(self, rgb: Pixels) -> Pixels:
        """(size, size, 3) uint8 of a picture of the data set, (H, W, 3) uint8 of any size."""
        return resize(rgb, self.size, self.size)

    def ready(self, stored: Stored) -> Floats32:
        """(3, size, size), normalised as for ImageNet."""
        return normalised(stored.astype(np.float32) / 255.0)

    def settings(self) -> dict[str, Any]:
        return {"size": self.size}


class HouseXArray:
    """A slice as levels in a fixed range: a quiet slice looks quiet, silence is empty, no band is lost.

    The levels are repeated in three channels and normalised, for networks that know ImageNet.

    Args:
        loudest_db: Mel power that becomes 1: 40 is a sine at full scale in the bass.
        range_db: So far below that, and everything quieter, becomes 0.
    """

    kind = "housex-array"
    sample_rate_hz = SAMPLE_RATE_HZ
    window_samples = SLICE_SAMPLES

    def __init__(self, loudest_db: float = 40.0, range_db: float = 80.0) -> None:
        if range_db <= 0:
            raise ValueError("a range is above 0 dB")
        self.loudest_db, self.range_db = loudest_db, range_db

    @property
    def shape(self) -> tuple[int, ...]:
        return (3, N_MELS, 1 + SLICE_SAMPLES // 512)

    def stored(self, samples: Samples) -> Stored:
        """(128, 81) float32 levels, 0..1, of (41343,) samples."""
        db = power_to_db(_mel_power(samples), top_db=None, reference=10.0 ** (self.loudest_db / 10.0))
        return np.clip(1.0 + db / np.float32(self.range_db), 0.0, 1.0).astype(np.float32)

    def ready(self, stored: Stored) -> Floats32:
        """(3, 128, 81), normalised as for ImageNet."""
        return normalised(np.repeat(stored[:, :, None], 3, axis=2))

    def settings(self) -> dict[str, Any]:
        return {"loudest_db": self.loudest_db, "range_db": self.range_db}
