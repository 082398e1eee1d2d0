"""Flashes of light, counted as WCAG 2.2 defines them. Zone: pure.

Source: W3C, Web Content Accessibility Guidelines 2.2, success criterion 2.3.1 "Three Flashes or Below Threshold" and
its definition of "general flash and red flash thresholds". In short:

* a flash is a pair of opposing swings; more than three within any one second, on more than a quarter of any 10 degree
  field of view, is too much;
* general flash: each swing spans 10 % or more of the maximum relative luminance, its dark end lying below 0.80;
* red flash: each swing begins or ends in a saturated red, R / (R + G + B) >= 0.8, and spans more than 0.2 in the
  CIE 1976 UCS diagram (the working definition of WCAG 2.2, which took it from ISO 9241-391);
* a field of 10 degrees is 341 x 256 pixels of a screen of 1024 x 768.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .errors import SceneError
from .looks import LUMINANCE, srgb_to_linear

Floats = NDArray[np.float64]
Frames = NDArray[np.int64]

MOST_FLASHES = 3
# of the maximum relative luminance, which is 1; "or more" must survive a rounding
LEAST_SWING = 0.1 - 1e-9
_DARK_END = 0.80
_RED_SHARE, _RED_DISTANCE = 0.8, 0.2
# The colour of black is not defined. A screen is never quite black either: 0.2 of 80 cd/m2 fall on it in the viewing
# conditions of sRGB (IEC 61966-2-1), so what is dark fades into white light's colour.
_GLARE = 0.0025
_TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], LUMINANCE, [0.0193, 0.1192, 0.9505]])

_SCREEN, _FIELD, _BLOCK = (1024, 768), (341, 256), 64
_FIELD_BLOCKS = (math.ceil(_FIELD[1] / _BLOCK), math.ceil(_FIELD[0] / _BLOCK))
_FEWEST_BLOCKS = int(0.25 * _FIELD[0] * _FIELD[1] / _BLOCK**2) + 1
_LINEAR = srgb_to_linear(np.arange(256) / 255.0).astype(np.float32)
_AT_ONCE = 2048


class Swings(NamedTuple):
    """Swings of a signal in turn: each opposes the one before it.

    Attributes:
        begins: (k,) frame of the extreme at which each swing begins.
        done: (k,) frame on which it has become large enough to count.
        sizes: (k,) luminance, or distance in the UCS diagram, of the whole swing.
    """

    begins: Frames
    done: Frames
    sizes: Floats


@dataclass(frozen=True)
class FlashReport:
    """The worst seconds of a film.

    Attributes:
        general: Most general flashes in any second, on more than a quarter of any field of view.
        general_s: Where that second begins.
        red: Most red flashes likewise.
        red_s: Where that second begins.
    """

    general: int
    general_s: float
    red: int
    red_s: float

    @property
    def passes(self) -> bool:
        """No second has more than three flashes."""
        return max(self.general, self.red) <= MOST_FLASHES


def count_flashes(linear_rgb: NDArray[np.floating], fps: float) -> FlashReport:
    """Flashes of a film.

    Args:
        linear_rgb: (n, 3) linear sRGB of n frames, white 1, of a light that fills the screen; or (n, rows, columns, 3)
            blocks as of :func:`frame_blocks`.
        fps: Frames per second, > 0.

    Returns:
        Most flashes in any second: a block counts by the flashes of its mean, all of it or nothing of it, and a
        second by what more than a quarter of a field has at least.

    Raises:
        SceneError: The shape or the frame rate is none of these.
    """
    blocks = np.asarray(linear_rgb)
    if blocks.ndim == 2:
        blocks = blocks[:, None, None]
    if blocks.ndim != 4 or blocks.shape[3] != 3 or not len(blocks) or not fps > 0:
        raise SceneError("Flashes cannot be counted in this.", "Give frames of linear RGB and a rate above 0.")
    general = np.zeros(blocks.shape[:3], bool)
    red = np.zeros(blocks.shape[:3], bool)
    for row, column in np.ndindex(blocks.shape[1:3]):
        signal = np.asarray(blocks[:, row, column], dtype=np.float64)
        general[general_swings(signal).done, row, column] = True
        red[red_swings(signal).done, row, column] = True
    worst = [_worst_second(marks, second_frames(fps)) for marks in (general, red)]
    (most, at), (most_red, red_at) = worst
    return FlashReport(most, at / fps, most_red, red_at / fps)


def frame_blocks(srgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Mean linear light of a picture in blocks of 64 x 64 pixels of the screen of 1024 x 768 that it fits into.

    Args:
        srgb: (h, w, 3 or more) encoded as sRGB; what follows blue is left out.

    Returns:
        (rows, columns, 3) linear RGB; frames are stacked for :func:`count_flashes`.
    """
    height, width = srgb.shape[:2]
    scale = min(_SCREEN[0] / width, _SCREEN[1] / height) / _BLOCK
    rows, columns = (min(max(round(side * scale), 1), side) for side in (height, width))
    tops, lefts = (np.arange(n) * side // n for n, side in ((rows, height), (columns, width)))
    light = _LINEAR[srgb[:, :, :3]]
    sums = np.add.reduceat(np.add.reduceat(light, tops, axis=0), lefts, axis=1)
    counts = np.diff(np.append(tops, height))[:, None] * np.diff(np.append(lefts, width))
    means: NDArray[np.float32] = (sums / counts[:, :, None]).astype(np.float32)
    return means


def second_frames(fps: float) -> int:
    """Frames that lie within one second: two that are so many apart do not."""
    return math.ceil(fps - 1e-6)


def flashes_of(n_swings: int) -> int:
    """Flashes that so many swings in turn make; one that the second cuts in half counts, a lone swing is none."""
    return (n_swings + 1) // 2 if n_swings > 1 else 0


def general_swings(linear_rgb: Floats, least: float = LEAST_SWING) -> Swings:
    """Swings of luminance that count for general flashes.

    Args:
        linear_rgb: (n, 3); a screen shows nothing brighter than 1.
        least: Luminance that a swing spans at least.
    """
    luminance = np.clip(linear_rgb, 0.0, 1.0) @ LUMINANCE
    # plain floats in a list: ten times faster than indexing an array, and an hour is 216 000 frames
    values = luminance.tolist()
    low, high, low_at, high_at, way = values[0], values[0], 0, 0, 0
    begins, done = [], []
    for frame, value in enumerate(values):
        if way >= 0 and value <= high - least and value < _DARK_END:
            begins.append(high_at)
            done.append(frame)
            low, low_at, way = value, frame, -1
        elif way <= 0 and value >= low + least and low < _DARK_END:
            begins.append(low_at)
            done.append(frame)
            high, high_at, way = value, frame, 1
        elif way >= 0 and value > high:
            high, high_at = value, frame
        if way <= 0 and value < low:
            low, low_at = value, frame
    begins_at, done_at = np.array(begins, np.int64), np.array(done, np.int64)
    ends = np.append(begins_at[1:], high_at if way > 0 else low_at) if begins else begins_at
    return Swings(begins_at, done_at, np.abs(luminance[ends] - luminance[begins_at]))


def red_swings(linear_rgb: Floats, width: int | None = None) -> Swings:
    """Swings between a saturated red and a colour far from it, which count for red flashes.

    Args:
        linear_rgb: (n, 3); a screen shows nothing brighter than 1.
        width: Frames in a second, if only swings are wanted that might be too many in one: the others take time.
    """
    seen = np.clip(linear_rgb, 0.0, 1.0) + _GLARE
    saturated = seen[:, 0] >= _RED_SHARE * seen.sum(axis=1)
    turns = np.flatnonzero(np.diff(saturated))
    fewest = 1 if width is None else 2 * MOST_FLASHES
    if len(turns) < fewest or (width is not None and np.all(turns[fewest - 1 :] - turns[: 1 - fewest] >= width)):
        return Swings(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
    points = _chromaticity(seen)
    # of each phase the colour is kept that is furthest from the other kind: from white, or from the primary red
    white, primary = _chromaticity(np.array([[1.0, 1.0, 1.0], [1.0, 0.0, 0.0]]))
    depth = np.where(saturated, np.hypot(*(points - white).T), np.hypot(*(points - primary).T)).tolist()
    kinds, path = saturated.tolist(), (points @ np.array([1.0, 1.0j])).tolist()
    kept: list[int | None] = [None, None]
    phase: bool | None = None
    begins, done, sizes = [], [], []
    for frame, kind in enumerate(kinds):
        other = kept[not kind]
        if phase is not kind and other is not None and abs(path[frame] - path[other]) > _RED_DISTANCE:
            begins.append(other)
            done.append(frame)
            sizes.append(abs(path[frame] - path[other]))
            phase, kept[kind], kept[not kind] = kind, frame, None
            continue
        own = kept[kind]
        if (phase is None or phase is kind) and (own is None or depth[frame] > depth[own]):
            kept[kind] = frame
    return Swings(np.array(begins, np.int64), np.array(done, np.int64), np.array(sizes))


def _chromaticity(linear_rgb: Floats) -> Floats:
    """(n, 2) u', v' of the CIE 1976 UCS diagram."""
    x, y, z = _TO_XYZ @ linear_rgb.T
    return np.stack([4 * x, 9 * y], axis=1) / (x + 15 * y + 3 * z)[:, None]


def _worst_second(marks: NDArray[np.bool_], width: int) -> tuple[int, int]:
    """(flashes, first frame) of the worst second.

    Args:
        marks: (n, rows, columns) whether a swing is done.
        width: Frames in a second.
    """
    n, rows, columns = marks.shape
    field = (min(_FIELD_BLOCKS[0], rows), min(_FIELD_BLOCKS[1], columns))
    # a screen of fewer blocks than that flashes as a whole
    fewest = min(_FEWEST_BLOCKS, field[0] * field[1])
    most, where = 0, 0
    for start in range(0, n, _AT_ONCE):
        before = max(start - width, 0)
        summed = np.cumsum(marks[before : start + _AT_ONCE], axis=0, dtype=np.int32)
        padded = np.concatenate([np.zeros((width - (start - before), rows, columns), np.int32), summed])
        swings = padded[width:] - padded[:-width]
        # few seconds of a film flash at all: only where enough blocks do are the fields looked at
        busy = np.flatnonzero((swings > most).sum(axis=(1, 2)) >= fewest)
        if not len(busy):
            continue
        # numpy 1.26 declares axis as one number, though it has always taken several
        windows = np.lib.stride_tricks.sliding_window_view(swings[busy], field, axis=(1, 2))  # type: ignore[call-overload]
        fields = windows.reshape(len(busy), -1, field[0] * field[1])
        shared = np.partition(fields, -fewest, axis=2)[:, :, -fewest].max(axis=1)
        if shared.max() > most:
            most = int(shared.max())
            where = max(start + int(busy[int(np.argmax(shared))]) - width + 1, 0)
    return (flashes_of(most), where) if most > 1 else (0, 0)
