"""One picture of log-mel per bar: what the classifier sees. Zone: analysis (numpy).

The only code that turns features into network input, used alike by training and by inference.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

PATCH_FRAMES = 64
RANGE_DB = 60.0
_REFERENCE_BARS = 16
_CHUNK_BARS = 256

Floats = NDArray[np.float64]


def _running_maximum(values: Floats, reach: int) -> Floats:
    """Maximum over ``reach`` neighbours on both sides."""
    padded = np.pad(values, reach, mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1).max(axis=1)


def bar_references_db(mel_db: NDArray[np.floating], mel_rate_hz: float, starts_s: Floats, ends_s: Floats) -> Floats:
    """(n_bars,) loudest mel level around each bar, in dB.

    The reference spans a few phrases: within them an intro stays quieter than its drop, while a quiet record in a
    mix still fills the range.
    """
    last = len(mel_db) - 1
    first = np.clip((starts_s * mel_rate_hz).astype(int), 0, last)
    end = np.clip(np.ceil(ends_s * mel_rate_hz).astype(int), first + 1, last + 1)
    peaks = np.array([float(mel_db[a:b].max()) for a, b in zip(first, end, strict=True)])
    return np.maximum(_running_maximum(peaks, _REFERENCE_BARS), -80.0)


def bar_patches(
    mel_db: NDArray[np.floating],
    mel_rate_hz: float,
    starts_s: Floats,
    ends_s: Floats,
    references_db: Floats | None = None,
) -> NDArray[np.float32]:
    """Log-mel pictures of bars, all with the same number of columns whatever the tempo.

    Args:
        mel_db: (n_frames, n_mels) absolute log-mel in dB.
        mel_rate_hz: Frames per second of ``mel_db``.
        starts_s: (n_bars,) bar starts in seconds.
        ends_s: (n_bars,) bar ends in seconds.
        references_db: (n_bars,) from :func:`bar_references_db`, when these bars are a part of a longer mix.

    Returns:
        (n_bars, 1, n_mels, 64) float32 in 0..1: 1 is the loudest level of the surrounding phrases, 0 is 60 dB below.
    """
    starts_s, ends_s = np.asarray(starts_s, float), np.asarray(ends_s, float)
    if references_db is None:
        references_db = bar_references_db(mel_db, mel_rate_hz, starts_s, ends_s)
    result = np.empty((len(starts_s), 1, mel_db.shape[1], PATCH_FRAMES), np.float32)
    centres = (np.arange(PATCH_FRAMES) + 0.5) / PATCH_FRAMES
    for first in range(0, len(starts_s), _CHUNK_BARS):
        part = slice(first, first + _CHUNK_BARS)
        times_s = starts_s[part, None] + (ends_s - starts_s)[part, None] * centres
        position = np.clip(times_s * mel_rate_hz, 0, len(mel_db) - 1)
        low = position.astype(int)
        high = np.minimum(low + 1, len(mel_db) - 1)
        weight = (position - low)[..., None].astype(np.float32)
        levels = mel_db[low].astype(np.float32) * (1 - weight) + mel_db[high].astype(np.float32) * weight
        scaled = (levels - references_db[part, None, None].astype(np.float32)) / RANGE_DB + 1.0
        result[part, 0] = np.clip(scaled, 0.0, 1.0).transpose(0, 2, 1)
    return result
