"""Pieces of GTZAN's 30 seconds as its recurrent networks take them: pictures, or plain numbers. Zone: analysis (numpy).

"Neural Music Genre Classification" (Ghaemi 2021) cut the first 660 000 samples of each track into 1, 3, 10 or 30 equal
pieces and trained on pictures of their mel spectrograms, 432 x 288 pixels whatever the length, of which 59 % show
sound. :class:`GtzanPicture` paints the same pictures; :class:`GtzanArray` fills the same size with levels in one fixed
range: no edges, no colours, and a quiet piece looks quiet.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core.errors import HouseXError
from .base import Floats32, Samples, Stored
from .mel import Mel, power_to_db
from .picture import Pixels, canvas, draw_frame, draw_mesh, magma, normalised, spread

SAMPLE_RATE_HZ = 22050
# of each track; the shortest one of GTZAN is as long
USED_SAMPLES = 660_000
N_MELS = 192
FMAX_HZ = 8000.0
HOP = 256

# a notebook's figure: 6 x 4 inches at 72 dpi, axes from 12.5 to 90 % across and 12.5 to 88 % up
HEIGHT, WIDTH = 288, 432
_EDGES = (0.125 * WIDTH, (1.0 - 0.88) * HEIGHT, 0.9 * WIDTH, (1.0 - 0.125) * HEIGHT)


def _mel(samples: int, hop: int) -> Mel:
    """The paper's settings; ends are mirrored, as librosa did when it was written.

    Raises:
        ValueError: A piece too short to be mirrored, or no hop.
    """
    mel = Mel(SAMPLE_RATE_HZ, N_MELS, hop=hop, fmax_hz=FMAX_HZ, pad_mode="reflect")
    if hop < 1 or samples <= mel.n_fft // 2:
        raise ValueError(f"a piece of {samples} samples with a hop of {hop}")
    return mel


def paint(db: Floats32) -> Pixels:
    """(288, 432, 3) picture of (bands, frames) levels: colours from the least to the greatest, in a black frame."""
    picture = canvas(HEIGHT, WIDTH)
    draw_mesh(picture, magma(spread(db)), *_EDGES)
    draw_frame(picture, *_EDGES)
    return picture


class _Pieces:
    """What both front ends have in common."""

    sample_rate_hz = SAMPLE_RATE_HZ
    shape: tuple[int, ...] = (3, HEIGHT, WIDTH)

    def __init__(self, samples: int = USED_SAMPLES, hop: int = HOP, imagenet: bool = False) -> None:
        self.window_samples, self.hop, self.imagenet = samples, hop, imagenet
        self._mel = _mel(samples, hop)

    def power(self, samples: Samples) -> Floats32:
        """(192, 1 + n // hop) mel power of one piece.

        Raises:
            ValueError: Another number of samples than ``window_samples``.
        """
        if samples.shape != (self.window_samples,):
            raise ValueError(f"a piece has {self.window_samples} samples, not {samples.shape}")
        return self._mel.power(samples)

    def settings(self) -> dict[str, Any]:
        return {"samples": self.window_samples, "hop": self.hop, "imagenet": self.imagenet}

    def _channels_first(self, values: NDArray[np.floating]) -> Floats32:
        """(3, H, W) of (H, W, 3) values 0..1."""
        if self.imagenet:
            return normalised(values)
        return np.ascontiguousarray(values.transpose(2, 0, 1), np.float32)


class GtzanPicture(_Pieces):
    """A piece as the picture that the published networks saw.

    Args:
        samples: Of a piece, at 22 050 Hz.
        hop: From one frame to the next in samples: 256 in the code, 67 in the paper.
        imagenet: Whether to shift and scale as for ImageNet; the published networks took 0..1.
    """

    kind = "gtzan-picture"

    def stored(self, samples: Samples) -> Stored:
        """(288, 432, 3) uint8 of one piece; levels are relative to its loudest, 80 dB at most."""
        return paint(power_to_db(self.power(samples)))

    def stored_of_picture(self, rgb: Pixels) -> Pixels:
        """(288, 432, 3) uint8 of a picture that came with the data set.

        Raises:
            HouseXError: A picture of another size: it was painted otherwise.
        """
        if rgb.shape != (HEIGHT, WIDTH, 3):
            size = f"{rgb.shape[1]} x {rgb.shape[0]}"
            raise HouseXError(
                f"A picture has {size} pixels, not {WIDTH} x {HEIGHT}.", "Take the data set's own pictures."
            )
        return rgb

    def ready(self, stored: Stored) -> Floats32:
        """(3, 288, 432), 0..1 unless normalised."""
        return self._channels_first(stored.astype(np.float32) / np.float32(255.0))


class GtzanArray(_Pieces):
    """A piece as levels in a fixed range, brought to the size of the pictures and repeated in three channels.

    Args:
        samples: Of a piece, at 22 050 Hz.
        hop: From one frame to the next in samples.
        imagenet: Whether to shift and scale as for ImageNet.
        loudest_db: Mel power that becomes 1: 40 is a sine at full scale in the bass.
        range_db: So far below that, and everything quieter, becomes 0.
    """

    kind = "gtzan-array"

    def __init__(
        self,
        samples: int = USED_SAMPLES,
        hop: int = HOP,
        imagenet: bool = False,
        loudest_db: float = 40.0,
        range_db: float = 80.0,
    ) -> None:
        super().__init__(samples, hop, imagenet)
        if range_db <= 0:
            raise ValueError("a range is above 0 dB")
        self.loudest_db, self.range_db = loudest_db, range_db

    def stored(self, samples: Samples) -> Stored:
        """(192, at most 432 columns) float32 levels, 0..1: long pieces are averaged along time."""
        db = power_to_db(self.power(samples), top_db=None, reference=10.0 ** (self.loudest_db / 10.0))
        levels = np.clip(1.0 + db / np.float32(self.range_db), 0.0, 1.0)
        columns = min(WIDTH, levels.shape[1])
        return (levels @ _stretch(levels.shape[1], columns).T).astype(np.float32)

    def ready(self, stored: Stored) -> Floats32:
        """(3, 288, 432): low bands at the bottom, as in the pictures."""
        levels = _stretch(N_MELS, HEIGHT) @ stored @ _stretch(stored.shape[1], WIDTH).T
        return self._channels_first(np.repeat(levels[::-1, :, None], 3, axis=2))

    def settings(self) -> dict[str, Any]:
        return {**super().settings(), "loudest_db": self.loudest_db, "range_db": self.range_db}


@lru_cache(maxsize=16)
def _stretch(before: int, after: int) -> Floats32:
    """(after, before) weights of linear interpolation, widened to the scale where there are fewer after."""
    scale = before / after
    centres = (np.arange(after) + 0.5) * scale - 0.5
    # beyond the first and last value the ends are held
    centres = np.clip(centres, 0.0, before - 1.0)
    weights = np.maximum(1.0 - np.abs(np.arange(before) - centres[:, None]) / max(scale, 1.0), 0.0)
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
