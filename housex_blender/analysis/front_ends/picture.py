"""Pictures as matplotlib paints them, in numpy: its colours, its meshes, its frames. Zone: analysis (numpy).

Two of the papers trained on pictures of spectrograms that librosa's ``specshow`` painted. What its ``pcolormesh`` does
with Agg is plain: the corners of each cell are rounded to whole pixels, so every pixel shows the one cell that lies
under its centre. The networks get what they were trained on, without matplotlib, and 100 times faster.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .base import Floats32

Pixels = NDArray[np.uint8]

# of red, green and blue over ImageNet, which the pre-trained networks of torchvision know pictures from
IMAGENET_MEAN: Floats32 = np.array([0.485, 0.456, 0.406], np.float32)
IMAGENET_STD: Floats32 = np.array([0.229, 0.224, 0.225], np.float32)

# matplotlib's colour map magma (Nathaniel Smith and Stefan van der Walt, CC0), 256 colours as rrggbb
_MAGMA_HEX = (
    "00000401000501010601010802010902020b02020d03030f03031204041405041606051806051a07061c08071e090720"
    "0a08220b09240c09260d0a290e0b2b100b2d110c2f120d31130d34140e36150e38160f3b180f3d19103f1a10421c1044"
    "1d11471e114920114b21114e22115024125325125527125829115a2a115c2c115f2d11612f1163311165331067341069"
    "36106b38106c390f6e3b0f703d0f713f0f72400f74420f75440f764510774710784910784a10794c117a4e117b4f127b"
    "51127c52137c54137d56147d57157e59157e5a167e5c167f5d177f5f187f601880621980641a80651a80671b80681c81"
    "6a1c816b1d816d1d816e1e81701f81721f817320817521817621817822817922827b23827c23827e2482802582812581"
    "8326818426818627818827818928818b29818c29818e2a81902a81912b81932b80942c80962c80982d80992d809b2e7f"
    "9c2e7f9e2f7fa02f7fa1307ea3307ea5317ea6317da8327daa337dab337cad347cae347bb0357bb2357bb3367ab5367a"
    "b73779b83779ba3878bc3978bd3977bf3a77c03a76c23b75c43c75c53c74c73d73c83e73ca3e72cc3f71cd4071cf4070"
    "d0416fd2426fd3436ed5446dd6456cd8456cd9466bdb476adc4869de4968df4a68e04c67e24d66e34e65e44f64e55064"
    "e75263e85362e95462ea5661eb5760ec5860ed5a5fee5b5eef5d5ef05f5ef1605df2625df2645cf3655cf4675cf4695c"
    "f56b5cf66c5cf66e5cf7705cf7725cf8745cf8765cf9785df9795df97b5dfa7d5efa7f5efa815ffb835ffb8560fb8761"
    "fc8961fc8a62fc8c63fc8e64fc9065fd9266fd9467fd9668fd9869fd9a6afd9b6bfe9d6cfe9f6dfea16efea36ffea571"
    "fea772fea973feaa74feac76feae77feb078feb27afeb47bfeb67cfeb77efeb97ffebb81febd82febf84fec185fec287"
    "fec488fec68afec88cfeca8dfecc8ffecd90fecf92fed194fed395fed597fed799fed89afdda9cfddc9efddea0fde0a1"
    "fde2a3fde3a5fde5a7fde7a9fde9aafdebacfcecaefceeb0fcf0b2fcf2b4fcf4b6fcf6b8fcf7b9fcf9bbfcfbbdfcfdbf"
)
MAGMA: Pixels = np.frombuffer(bytes.fromhex(_MAGMA_HEX), np.uint8).reshape(256, 3)

_WHITE = 255
# a spine is 0.8 points wide: at 72 dpi its black covers so much of the one row or column of pixels that it is rounded
# to, and a little less of the pixels at its ends
_SPINE, _SPINE_END = 0.8, 0.72


def magma(values01: NDArray[np.floating]) -> Pixels:
    """(..., 3) uint8 colours of (...) values; below 0 counts as 0, above 1 as 1."""
    shade = (np.asarray(values01, np.float64) * 256.0).astype(np.int64)
    return MAGMA[np.clip(shade, 0, 255)]


def spread(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """(...) values stretched to 0..1 from the least to the greatest; all 0 where they are equal."""
    lowest, highest = float(values.min()), float(values.max())
    if highest == lowest:
        return np.zeros(values.shape, np.float64)
    return (np.asarray(values, np.float64) - lowest) / (highest - lowest)


def normalised(channels_last: NDArray[np.floating]) -> Floats32:
    """(3, H, W) of (H, W, 3) values 0..1, shifted and scaled as the networks trained on ImageNet expect."""
    standard = (np.asarray(channels_last, np.float32) - IMAGENET_MEAN) / IMAGENET_STD
    return np.ascontiguousarray(standard.transpose(2, 0, 1))


def canvas(height: int, width: int) -> Pixels:
    """(height, width, 3) white pixels."""
    return np.full((height, width, 3), _WHITE, np.uint8)


def _rounded(edge: float | NDArray[np.float64]) -> NDArray[np.int64]:
    return np.floor(np.asarray(edge) + 0.5).astype(np.int64)


def _cell_of_pixels(cells: int, start: float, end: float) -> tuple[int, NDArray[np.int64]]:
    """First pixel between two edges, and the cell that each pixel from there on shows."""
    edges = _rounded(start + (end - start) * np.arange(cells + 1) / cells)
    return int(edges[0]), np.searchsorted(edges, np.arange(edges[0], edges[-1]), side="right") - 1


def draw_mesh(picture: Pixels, cells: Pixels, left: float, top: float, right: float, bottom: float) -> None:
    """Paint a table of colours into a rectangle, in place, as ``pcolormesh`` does.

    Args:
        picture: (H, W, 3).
        cells: (rows, columns, 3); its first row comes to lie at the bottom.
        left, top, right, bottom: Edges in pixels from the upper left corner, not necessarily whole.
    """
    x, column_of = _cell_of_pixels(cells.shape[1], left, right)
    y, row_of = _cell_of_pixels(cells.shape[0], top, bottom)
    picture[y : y + len(row_of), x : x + len(column_of)] = cells[::-1][row_of][:, column_of]


def draw_frame(picture: Pixels, left: float, top: float, right: float, bottom: float) -> None:
    """Paint matplotlib's default black frame of axes at 72 dpi, in place; edges as for :func:`draw_mesh`."""
    (x0, x1), (y0, y1) = _rounded(np.array([left, right])), _rounded(np.array([top, bottom]))
    for column in (x0, x1):
        _darken(picture[y0 : y1 + 1, column])
    for row in (y0, y1):
        _darken(picture[row, x0 : x1 + 1])


def _darken(line: Pixels) -> None:
    """Lay black over a line of (n, 3) pixels, in place."""
    covered = np.full(len(line), _SPINE)
    covered[[0, -1]] = _SPINE_END
    line[:] = np.round(line * (1.0 - covered[:, None]))
