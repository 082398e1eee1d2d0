"""Key tracks become F-curves, in bulk. Zone: bpy."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np

from ..core.keys import KeyTrack
from . import compat


def write_keys(
    owner: bpy.types.ID,
    data_path: str,
    index: int,
    track: KeyTrack,
    column: int = 0,
    gain: float = 1.0,
    offset: float = 0.0,
) -> Any:
    """Replace the F-curve of one number by ``track.values[:, column] * gain + offset``; returns the curve.

    Args:
        owner: Datablock that owns the number.
        data_path: RNA path on it.
        index: Array index, or -1 for a property that is no array.
        track: Keys in scene frames.
        column: Component of the track.
        gain: Factor on the value.
        offset: Added after the factor.
    """
    curves = compat.fcurves_of(owner)
    place = max(index, 0)
    old = curves.find(data_path, index=place)
    if old is not None:
        curves.remove(old)
    curve = curves.new(data_path, index=place)
    frames = track.frames.astype(np.float32)
    values = (track.values[:, column].astype(np.float64) * gain + offset).astype(np.float32)
    points = curve.keyframe_points
    count = len(frames)
    points.add(count)
    points.foreach_set("co", np.column_stack([frames, values]).ravel())
    code = compat.INTERPOLATION_CODE[track.interpolation]
    points.foreach_set("interpolation", np.full(count, code, dtype=np.intc))
    if track.interpolation == "BEZIER" and track.slopes is not None:
        set_slopes(points, frames, values, track.slopes[:, column].astype(np.float64) * gain)
    curve.update()
    return curve


def set_slopes(points: Any, frames: Any, values: Any, slopes: Any) -> None:
    """Give Bezier keys free handles a third of a span away, which makes each span exactly a cubic.

    Args:
        points: The curve's keyframe points.
        frames: (k,) float32.
        values: (k,) float32.
        slopes: (k,) change of the value per frame at each key.
    """
    span = np.diff(frames.astype(np.float64))
    before = np.append(span[:1], span) / 3 if len(span) else np.ones(1)
    after = np.append(span, span[-1:]) / 3 if len(span) else np.ones(1)
    free = np.full(len(frames), compat.HANDLE_FREE, dtype=np.intc)
    points.foreach_set("handle_left_type", free)
    points.foreach_set("handle_right_type", free)
    left = np.column_stack([frames - before, values - slopes * before])
    right = np.column_stack([frames + after, values + slopes * after])
    points.foreach_set("handle_left", left.astype(np.float32).ravel())
    points.foreach_set("handle_right", right.astype(np.float32).ravel())
