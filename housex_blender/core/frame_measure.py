"""What a rendered frame shows, in numbers: brightness, hues, motion, peaks and flicker. Zone: pure.

Pictures are (h, w, 3) sRGB-encoded, uint8 or floats 0..1. Relative luminance is that of WCAG (Rec. 709 weights of
linear light). Hues are angles in OKLCh (Björn Ottosson, 2020), which a colour keeps when only its light grows weaker.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .looks import LUMINANCE, linear_to_srgb, srgb_to_linear

Floats = NDArray[np.float64]

PERCENTS = (5.0, 50.0, 95.0)
# a pixel whose brightest channel is below this (sRGB level) is black to the eye
BLACK_LEVEL = 0.09
# chroma over lightness: below this a pixel is grey or white; full blue has 0.69, orange 0.22, turquoise 0.15
GREY_SATURATION = 0.05
# achromatic and lighter than this (OKLab lightness) is white
WHITE_LIGHTNESS = 0.62
# a peak of the hue histogram counts as dominant when it holds this part of the frame's colour
DOMINANT_SHARE = 0.10
_SMOOTH_DEG = 7.0
# all channels at or above this are burnt out
_CLIPPED_LEVEL = 0.985
_TO_CONES = np.array(
    [[0.4122214708, 0.5363325363, 0.0514459929],
     [0.2119034982, 0.6806995451, 0.1073969566],
     [0.0883024619, 0.2817188376, 0.6299787005]]
)  # fmt: skip
_TO_LAB = np.array(
    [[0.2104542553, 0.7936177850, -0.0040720468],
     [1.9779984951, -2.4285922050, 0.4505937099],
     [0.0259040371, 0.7827717662, -0.8086757660]]
)  # fmt: skip


@dataclass(frozen=True)
class Light:
    """How bright a frame is.

    Attributes:
        luminance: 5th, 50th and 95th percentile of relative luminance, 0..1.
        level: The same of the luminance encoded as an sRGB level, 0..1: evener to the eye.
        mean: Mean relative luminance.
        clipped: Part of the pixels that are burnt out to white.
    """

    luminance: tuple[float, float, float]
    level: tuple[float, float, float]
    mean: float
    clipped: float


@dataclass(frozen=True)
class Peak:
    """A dominant hue: its angle in degrees and the part 0..1 of the frame's colour around it."""

    hue_deg: float
    share: float


@dataclass(frozen=True)
class Hues:
    """What colours a frame is made of.

    Attributes:
        peaks: Dominant hues, largest first.
        histogram: (360,) weight of each degree, smoothed, summing to 1; zeros when nothing has colour.
        black: Part of the pixels that are black.
        grey: Part that has no hue and is neither black nor white.
        white: Part that has no hue and is light.
    """

    peaks: tuple[Peak, ...]
    histogram: Floats
    black: float
    grey: float
    white: float


def as_levels(picture: NDArray[Any]) -> Floats:
    """(h, w, 3) sRGB levels 0..1 of a picture of bytes or floats; a fourth channel is dropped.

    Raises:
        ValueError: It is no picture of three channels.
    """
    array = np.asarray(picture)
    if array.ndim != 3 or array.shape[2] not in (3, 4):
        raise ValueError(f"a picture has the shape (h, w, 3), not {array.shape}")
    scale = 255.0 if array.dtype == np.uint8 else 1.0
    return array[..., :3].astype(np.float64) / scale


def relative_luminance(picture: NDArray[Any]) -> Floats:
    """(h, w) relative luminance 0..1."""
    return np.asarray(srgb_to_linear(as_levels(picture)) @ LUMINANCE)


def lightness(picture: NDArray[Any]) -> Floats:
    """(h, w) relative luminance encoded as an sRGB level 0..1."""
    return linear_to_srgb(relative_luminance(picture))


def light_of(picture: NDArray[Any]) -> Light:
    """Percentiles, mean and burnt-out part of a frame."""
    luminance = relative_luminance(picture)
    low, middle, high = (float(value) for value in np.percentile(luminance, PERCENTS))
    encoded = linear_to_srgb(np.array([low, middle, high]))
    clipped = float((as_levels(picture).min(axis=2) >= _CLIPPED_LEVEL).mean())
    return Light((low, middle, high), (float(encoded[0]), float(encoded[1]), float(encoded[2])),
                 float(luminance.mean()), clipped)  # fmt: skip


# -- hues ------------------------------------------------------------------------------------------------------


def oklab(linear_rgb: NDArray[np.floating]) -> Floats:
    """(..., 3) OKLab (lightness, a, b) of linear Rec. 709 light."""
    return np.asarray(np.cbrt(np.asarray(linear_rgb, np.float64) @ _TO_CONES.T) @ _TO_LAB.T)


def hue_apart(first_deg: float, second_deg: float) -> float:
    """Degrees between two hues, 0..180."""
    return abs((first_deg - second_deg + 180.0) % 360.0 - 180.0)


def hues_of(picture: NDArray[Any]) -> Hues:
    """Dominant hues of a frame, weighted by chroma times lightness; pixels without a hue are counted apart.

    A peak takes all weight up to the valleys on both sides of it.
    """
    levels = as_levels(picture)
    lab = oklab(srgb_to_linear(levels)).reshape(-1, 3)
    light, chroma = lab[:, 0], np.hypot(lab[:, 1], lab[:, 2])
    black = levels.reshape(-1, 3).max(axis=1) < BLACK_LEVEL
    achromatic = ~black & (chroma < GREY_SATURATION * light)
    white = achromatic & (light >= WHITE_LIGHTNESS)
    coloured = ~black & ~achromatic
    degrees = np.degrees(np.arctan2(lab[coloured, 2], lab[coloured, 1])) % 360.0
    weights = np.bincount(degrees.astype(int) % 360, (chroma * light)[coloured], minlength=360)
    histogram = _smoothed(weights / weights.sum()) if coloured.any() else np.zeros(360)
    return Hues(_peaks(histogram), histogram, float(black.mean()),
                float((achromatic & ~white).mean()), float(white.mean()))  # fmt: skip


def hue_shift(first: Hues, second: Hues) -> float:
    """Degrees that the colour of one frame has to move on average to lie at the hues of another; 0 without colour."""
    if not (first.histogram.any() and second.histogram.any()):
        return 0.0
    ahead = np.cumsum(first.histogram / first.histogram.sum() - second.histogram / second.histogram.sum())
    # on a circle the way may go round either side: the shortest sum is that around the median
    return float(np.abs(ahead - np.median(ahead)).sum())


def _smoothed(histogram: Floats) -> Floats:
    """A histogram of 360 degrees under a Gauss curve that wraps around."""
    apart = (np.arange(360) + 180) % 360 - 180
    curve = np.exp(-0.5 * (apart / _SMOOTH_DEG) ** 2)
    smooth = np.fft.irfft(np.fft.rfft(histogram) * np.fft.rfft(curve / curve.sum()), 360)
    return np.maximum(smooth, 0.0)


def _peaks(histogram: Floats) -> tuple[Peak, ...]:
    tops = np.flatnonzero((histogram > np.roll(histogram, 1)) & (histogram >= np.roll(histogram, -1)))
    if not len(tops):
        return ()
    # each degree belongs to the top that its slope leads up to
    valleys = [int(first + np.argmin(np.roll(histogram, -first)[: (last - first) % 360 or 360]))
               for first, last in zip(tops, np.roll(tops, -1), strict=True)]  # fmt: skip
    peaks = []
    for number, top in enumerate(tops):
        begin, end = valleys[number - 1] % 360, valleys[number] % 360
        share = float(np.roll(histogram, -begin)[: (end - begin) % 360 or 360].sum())
        if share >= DOMINANT_SHARE:
            # the middle of one-degree bins
            peaks.append(Peak(float(top) + 0.5, share))
    return tuple(sorted(peaks, key=lambda peak: -peak.share))


@dataclass(frozen=True)
class PaletteFit:
    """How a frame's colours lie to a palette.

    Attributes:
        apart_deg: For each dominant hue, in their order, the degrees to the nearest hue of the palette.
        off: Part of the frame's colour that is further than the tolerance from every hue of the palette.
        shown: For each colour of the palette the part of the frame that shows it: of the colour, by weight, within the
            tolerance of its hue, where close hues of a palette share; of the pixels that are not black, for grey and
            white; of all pixels, for black.
    """

    apart_deg: tuple[float, ...]
    off: float
    shown: tuple[float, ...]


def palette_hues(palette_rgb: NDArray[np.floating]) -> list[float | str]:
    """For each linear colour of a palette its hue in degrees, or "black", "grey" or "white" if it has none.

    Args:
        palette_rgb: (n, 3) linear RGB.
    """
    result: list[float | str] = []
    for light, a, b in oklab(palette_rgb):
        if light < BLACK_LEVEL:
            result.append("black")
        elif np.hypot(a, b) < GREY_SATURATION * light:
            result.append("white" if light >= WHITE_LIGHTNESS else "grey")
        else:
            result.append(float(np.degrees(np.arctan2(b, a)) % 360.0))
    return result


def fit_to_palette(hues: Hues, palette_rgb: NDArray[np.floating], tolerance_deg: float = 20.0) -> PaletteFit:
    """How far a frame's dominant hues are from those of a palette; colours without a hue are matched by their value.

    Args:
        hues: Of the frame.
        palette_rgb: (n, 3) linear RGB.
        tolerance_deg: What still counts as the palette's hue.
    """
    wanted = palette_hues(palette_rgb)
    angles = [angle for angle in wanted if isinstance(angle, float)]
    degrees = np.arange(360) + 0.5
    # (n, 360); a palette without hues leaves every degree out of reach
    apart = np.array([np.abs((degrees - angle + 180.0) % 360.0 - 180.0) for angle in angles] or [np.full(360, 180.0)])
    inside = apart <= tolerance_deg
    lit = max(1.0 - hues.black, 1e-9)
    plain = {"black": hues.black, "grey": hues.grey / lit, "white": hues.white / lit}
    shown: list[float] = []
    for colour in wanted:
        if isinstance(colour, str):
            shown.append(plain[colour])
        else:
            shown.append(float(hues.histogram[inside[angles.index(colour)]].sum()))
    of_peaks = tuple(float(min((hue_apart(p.hue_deg, angle) for angle in angles), default=180.0)) for p in hues.peaks)
    return PaletteFit(of_peaks, float(hues.histogram[~inside.any(axis=0)].sum()), tuple(shown))


# -- motion ----------------------------------------------------------------------------------------------------


def difference(first: NDArray[Any], second: NDArray[Any]) -> float:
    """Mean absolute difference of the lightness of two frames of one size, 0..1."""
    return float(np.abs(lightness(first) - lightness(second)).mean())


def flow(first: NDArray[Any], second: NDArray[Any], *, width: int = 160, block: int = 10, reach: int = 8) -> float:
    """How far the picture moves between two frames, as a part of its width, by block matching.

    Both frames are made small; each block with texture is looked for in the second within ``reach`` pixels, whatever
    its mean brightness; of equally good places the nearest counts. Faster motion saturates at the reach.

    Args:
        first: A frame.
        second: The next, of the same size.
        width: Pixels across after shrinking, at most.
        block: Side of a block in small pixels.
        reach: Furthest shift in small pixels.

    Returns:
        Mean length of the shifts over the blocks with texture; 0 when there are none.
    """
    step = max(1, round(np.asarray(first).shape[1] / width))
    before, after = (_shrunk(lightness(picture), step) for picture in (first, second))
    rows, columns = ((size - 2 * reach) // block for size in before.shape)
    if rows < 1 or columns < 1:
        raise ValueError("the frames are too small for the blocks")

    def blocks(image: Floats, down: int, right: int) -> Floats:
        top, left = reach + down, reach + right
        part = image[top : top + rows * block, left : left + columns * block]
        return part.reshape(rows, block, columns, block).transpose(0, 2, 1, 3).reshape(rows, columns, block * block)

    template = blocks(before, 0, 0)
    template = template - template.mean(axis=2, keepdims=True)
    textured = template.std(axis=2) > 0.01
    if not textured.any():
        return 0.0
    best, length = np.full((rows, columns), np.inf), np.zeros((rows, columns))
    shifts = [(d, r) for d in range(-reach, reach + 1) for r in range(-reach, reach + 1)]
    for down, right in sorted(shifts, key=lambda shift: shift[0] ** 2 + shift[1] ** 2):
        found = blocks(after, down, right)
        cost = np.abs(found - found.mean(axis=2, keepdims=True) - template).mean(axis=2)
        # a further place must be clearly better, so that noise does not move what stands still
        better = cost < best - 0.002
        best[better], length[better] = cost[better], np.hypot(down, right)
    return float(length[textured].mean() / before.shape[1])


def _shrunk(image: Floats, step: int) -> Floats:
    rows, columns = (size // step for size in image.shape)
    return np.asarray(image[: rows * step, : columns * step].reshape(rows, step, columns, step).mean(axis=(1, 3)))


# -- over time -------------------------------------------------------------------------------------------------


def flicker_of(values: Sequence[float] | Floats) -> float:
    """The largest wobble in a row of values: how far one lies above or below both of its neighbours.

    A fall or a rise, however steep, is none; a step up that the next frame takes back is.
    """
    steps = np.diff(np.asarray(values, dtype=np.float64))
    if len(steps) < 2:
        return 0.0
    turned = steps[:-1] * steps[1:] < 0
    return float(np.where(turned, np.minimum(np.abs(steps[:-1]), np.abs(steps[1:])), 0.0).max())


def largest_step(values: Sequence[float] | Floats) -> float:
    """The largest change from one value to the next."""
    return float(np.abs(np.diff(np.asarray(values, dtype=np.float64))).max(initial=0.0))


def peak_offset(values: Sequence[float] | Floats, at: int) -> int | None:
    """How many frames after the frame ``at`` the tallest peak of a row of frames comes; None if there is no peak.

    A peak is brighter than the frame before it and not darker than the one after; its height is measured from the
    darkest frame of the row before it, so that a peak on a slope that falls is still one.
    """
    row = np.asarray(values, dtype=np.float64)
    peaks = np.flatnonzero((row[1:-1] > row[:-2]) & (row[1:-1] >= row[2:])) + 1
    if not len(peaks):
        return None
    heights = [row[peak] - row[:peak].min() for peak in peaks]
    return int(peaks[int(np.argmax(heights))]) - at


def colour_step(first: NDArray[Any], second: NDArray[Any], tile: int = 4) -> float:
    """How much the colours change between two frames, whatever their brightness does, 0..1.

    Tiles are compared by their linear RGB over its sum; each counts by the light that it has in both frames. Frames of
    which one is black have no light in common: 0.

    Args:
        first: A frame.
        second: Another of the same size.
        tile: Side of a tile in pixels.
    """
    before, after = (_tiles(picture, tile) for picture in (first, second))
    light = np.minimum(before.sum(axis=2), after.sum(axis=2))
    if light.sum() < 1e-3 * light.size:
        return 0.0
    shares = [tiles / np.maximum(tiles.sum(axis=2, keepdims=True), 1e-9) for tiles in (before, after)]
    apart = np.abs(shares[0] - shares[1]).sum(axis=2) / 2
    return float((apart * light).sum() / light.sum())


def _tiles(picture: NDArray[Any], tile: int) -> Floats:
    """(rows, columns, 3) mean linear light of square tiles; what is left at the edges is dropped."""
    linear = srgb_to_linear(as_levels(picture))
    rows, columns = linear.shape[0] // tile, linear.shape[1] // tile
    parts = linear[: rows * tile, : columns * tile].reshape(rows, tile, columns, tile, 3)
    return np.asarray(parts.mean(axis=(1, 3)))
