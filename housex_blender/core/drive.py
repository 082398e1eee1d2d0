"""A channel shaped for one number of the user's own: range, attack and release, kind of number. Zone: pure."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .keys import KeyTrack
from .looks import LUMINANCE
from .show_heard import attack_release
from .show_times import thinned

Kind = Literal["FLOAT", "INT", "BOOLEAN"]

# Part of the range that a thinned curve may be off: no eye sees it.
_TOLERANCE = 0.004
_ON = 0.5


def shape_channel(
    track: KeyTrack, low: float, high: float, attack_ms: float, release_ms: float, fps: float, kind: Kind = "FLOAT"
) -> KeyTrack:
    """Turn a channel that runs 0..1 into keys of a number that runs ``low``..``high``.

    Args:
        track: The channel, (k, w).
        low: Value at 0.
        high: Value at 1; may lie below ``low``.
        attack_ms: Time constant upwards; with both at 0 the channel is followed as it is.
        release_ms: Time constant downwards.
        fps: Frames per second of the scene.
        kind: What the number can hold: whole numbers are rounded; a switch is on from 0.5 upwards. Both jump.

    Returns:
        Keys with w components.
    """
    if attack_ms > 0 or release_ms > 0:
        track = followed(track, attack_ms, release_ms, fps)
    if kind != "FLOAT":
        frames = whole_frames(track)
        values = low + track.at(frames) * (high - low)
        return _jumps(frames, (values >= _ON) if kind == "BOOLEAN" else np.floor(values + 0.5))
    slopes = None if track.slopes is None else track.slopes * (high - low)
    return KeyTrack(track.frames, low + track.values * (high - low), track.interpolation, slopes)


def followed(track: KeyTrack, attack_ms: float, release_ms: float, fps: float) -> KeyTrack:
    """The channel behind an attack and a release, see :func:`show_heard.attack_release`."""
    frames = whole_frames(track)
    levels = track.at(frames)
    smooth = [attack_release(levels[:, column], fps, attack_ms, release_ms) for column in range(track.width)]
    return thinned(frames, np.column_stack(smooth), _TOLERANCE)


def whole_frames(track: KeyTrack) -> NDArray[np.float64]:
    """(n,) every whole frame from the first key to the last; at least one."""
    first, last = np.floor(track.frames[0]), np.ceil(track.frames[-1])
    return np.arange(first, last + 1, dtype=np.float64)


def luminance(track: KeyTrack) -> KeyTrack:
    """A colour as one number."""
    slopes = None if track.slopes is None else track.slopes @ LUMINANCE
    return KeyTrack(track.frames, track.values @ LUMINANCE, track.interpolation, slopes)


def _jumps(frames: NDArray[np.float64], values: NDArray[np.generic]) -> KeyTrack:
    """Keys only where a value differs from the one before, held until the next."""
    values = values.astype(np.float64)
    keep = np.append(True, np.any(np.diff(values, axis=0) != 0, axis=1))
    return KeyTrack(frames[keep].astype(np.float32), values[keep].astype(np.float32), "CONSTANT")
