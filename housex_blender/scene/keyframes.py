"""Key tracks become F-curves, in bulk; keys that the user set stay. Zone: bpy."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np

from ..core.keys import KeyTrack
from . import compat

# All that makes up a key, and how many numbers of which type that is.
_FIELDS: dict[str, tuple[int, Any]] = {
    "co": (2, np.float32),
    "handle_left": (2, np.float32),
    "handle_right": (2, np.float32),
    "handle_left_type": (1, np.intc),
    "handle_right_type": (1, np.intc),
    "interpolation": (1, np.intc),
    "easing": (1, np.intc),
    "back": (1, np.float32),
    "amplitude": (1, np.float32),
    "period": (1, np.float32),
    "type": (1, np.intc),
}
_SEAL = ("period", "amplitude")
# A key of ours closer than this to one of the user's gives way.
_NEAR_FRAMES = 0.5


def write_keys(
    owner: bpy.types.ID,
    data_path: str,
    index: int,
    track: KeyTrack,
    column: int = 0,
    gain: float = 1.0,
    offset: float = 0.0,
    *,
    take_over: bool = False,
) -> Any:
    """Key one number by ``track.values[:, column] * gain + offset`` in place of the keys we wrote before.

    Keys of the user on our curve stay; ours within half a frame of them give way. A curve that holds no key of ours
    is the user's.

    Args:
        owner: Datablock that owns the number.
        data_path: RNA path on it.
        index: Array index, or -1 for a property that is no array.
        track: Keys in scene frames.
        column: Component of the track.
        gain: Factor on the value.
        offset: Added after the factor.
        take_over: Replace a curve without keys of ours too.

    Returns:
        The curve, or None: it is the user's, and nothing was written.
    """
    place = max(index, 0)
    data: Any = owner.animation_data  # type: ignore[attr-defined]
    if data is not None and data.action is not None and data.action.library is not None:
        return None  # keys in another file's action would be gone when this one is opened again
    curve = find_curve(owner, data_path, index)
    theirs = None
    if curve is not None:
        own = own_keys(curve)
        if not own.any() and len(own):
            if not take_over:
                return None
        elif not own.all():
            theirs = _read(curve.keyframe_points, ~own)
    else:
        curve = compat.fcurves_of(owner).new(data_path, index=place)
    frames = track.frames.astype(np.float32)
    values = (track.values[:, column].astype(np.float64) * gain + offset).astype(np.float32)
    slopes = None if track.slopes is None else track.slopes[:, column].astype(np.float64) * gain
    if theirs is not None:
        far = _far_from(frames, theirs["co"][:, 0])
        frames, values = frames[far], values[far]
        slopes = None if slopes is None else slopes[far]
    points = curve.keyframe_points
    points.clear()
    points.add(len(frames))
    _set_own(points, frames, values, track.interpolation, slopes)
    if theirs is not None:
        curve.update()  # handles that Blender chooses must be known before they are read back
        _merge(points, theirs)
    curve.update()
    return curve


def find_curve(owner: bpy.types.ID, data_path: str, index: int) -> Any:
    """The F-curve of a number, or None."""
    curves = compat.fcurves_of(owner, create=False)
    return None if curves is None else curves.find(data_path, index=max(index, 0))


def own_keys(curve: Any) -> Any:
    """(k,) bool: which keys of a curve we wrote, and nobody moved or changed since."""
    points = curve.keyframe_points
    kinds, places = np.empty(len(points), dtype=np.intc), np.empty((len(points), 2), dtype=np.float32)
    points.foreach_get("type", kinds)
    points.foreach_get("co", places.ravel())
    return (kinds == compat.OUR_KEY_TYPE) & np.all(places == _seals(points), axis=1)


def _seals(points: Any) -> Any:
    """(k, 2) frame and value with which we wrote each key.

    They lie in two fields that only elastic curves use, ours never: a hand that moves a key, or types another value
    over it, leaves its type as it was, and these too.
    """
    seals = np.empty((2, len(points)), dtype=np.float32)
    for row, name in zip(seals, _SEAL, strict=True):
        points.foreach_get(name, row)
    return seals.T


def remove_own_keys(owner: bpy.types.ID, data_path: str, index: int) -> None:
    """Take our keys off a number; the curve goes with the last key, and our action with the last curve."""
    curve = find_curve(owner, data_path, index)
    if curve is None:
        return
    own = own_keys(curve)
    if own.all():
        compat.fcurves_of(owner).remove(curve)
        compat.drop_empty_action(owner)
    elif own.any():
        theirs = _read(curve.keyframe_points, ~own)
        curve.keyframe_points.clear()
        _merge(curve.keyframe_points, theirs)
        curve.update()


def _set_own(points: Any, frames: Any, values: Any, interpolation: str, slopes: Any) -> None:
    count = len(frames)
    points.foreach_set("co", np.column_stack([frames, values]).ravel())
    for name, code in (("interpolation", compat.INTERPOLATION_CODE[interpolation]), ("type", compat.OUR_KEY_TYPE)):
        points.foreach_set(name, np.full(count, code, dtype=np.intc))
    for name, seal in zip(_SEAL, (frames, values), strict=True):
        points.foreach_set(name, np.ascontiguousarray(seal))
    if interpolation == "BEZIER" and slopes is not None and count:
        set_slopes(points, frames, values, slopes)


def _far_from(frames: Any, others: Any) -> Any:
    """(k,) bool: which frames have none of the others within half a frame; ``others`` increases."""
    right = np.clip(np.searchsorted(others, frames), 0, len(others) - 1)
    left = np.maximum(right - 1, 0)
    return np.minimum(np.abs(others[right] - frames), np.abs(others[left] - frames)) > _NEAR_FRAMES


def _read(points: Any, which: Any = None) -> dict[str, Any]:
    """Every field of the chosen keys, each (k, width)."""
    keys = {}
    for name, (width, kind) in _FIELDS.items():
        flat = np.empty(len(points) * width, dtype=kind)
        points.foreach_get(name, flat)
        table = flat.reshape(-1, width)
        keys[name] = table if which is None else table[which]
    return keys


def _merge(points: Any, more: dict[str, Any]) -> None:
    """Add keys among those that are there."""
    own = _read(points)
    order = np.argsort(np.concatenate([own["co"][:, 0], more["co"][:, 0]]), kind="stable")
    points.add(len(more["co"]))
    for name in _FIELDS:
        points.foreach_set(name, np.ascontiguousarray(np.concatenate([own[name], more[name]])[order]).ravel())


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
