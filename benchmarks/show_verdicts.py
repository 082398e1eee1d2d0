"""Figures of rendered moments, the bounds they must keep, and which do not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from housex_blender.core.frame_measure import difference, fit_to_palette, flow, hues_of, light_of, palette_hues
from housex_blender.core.looks import LUMINANCE, linear_to_hex

from .show_mix import BEAT_PART, MOMENTS

Row = dict[str, Any]

# level: luminance encoded as sRGB level, 0..1
BOUNDS: dict[str, float] = {
    "95th percentile of level at least": 0.2,
    "95th less 5th percentile of level at least": 0.10,
    "median level at most": 0.75,
    "burnt out part of pixels at most": 0.10,
    "degrees from a dominant hue to the palette at most": 20.0,
    "part of the colour off the palette at most": 0.25,
    "each colour of the palette, dark hues apart, shown in the drop by at least": 0.02,
    "mean luminance, drop to break, at least": 1.25,
    "mean luminance, drop to build, at least": 1.25,
    "mean luminance or motion, build and break apart by a factor of at least": 1.15,
    "frame difference, drop to break, at least": 2.0,
}
# a colour of lower luminance lights nothing, and nobody can ask to see its hue
_LIGHTS_NOTHING = 0.06
# with less of the pixels in colour, hues say nothing
LEAST_COLOURED = 0.01
MEANINGS = {
    "frames": f"of each moment four in a row from {BEAT_PART} beats after a beat on, and one a beat after the first",
    "luminance": "relative luminance of the first frame: 5th, 50th, 95th percentile",
    "level": "the same, encoded as an sRGB level",
    "mean": "mean relative luminance over the frames",
    "clipped": "part of the first frame's pixels that are burnt out to white",
    "hues": "dominant hues of the first frame (OKLCh degrees, weighted by chroma times lightness): share of the "
    "frame's colour and degrees to the nearest hue of the palette",
    "off_palette": "part of the first frame's colour further than 20 degrees from every hue of the palette",
    "shown": "per colour of the palette: part of the frame's colour within 20 degrees of it; for white of the pixels "
    "that are not black, for black of all pixels",
    "difference": "mean absolute difference of lightness (sRGB level) from one frame to the next",
    "difference_beat": "the same, of two frames a beat apart",
    "flow": "mean shift of textured blocks from one frame to the next, as a part of the width",
}


def moment_row(frames: Sequence[NDArray[np.uint8]], palette_rgb: NDArray[np.floating]) -> Row:
    """Figures of one moment.

    Args:
        frames: Some in a row, then one a beat after the first.
        palette_rgb: (3, 3) linear colours of the genre.
    """
    first, later = frames[0], frames[-1]
    pairs = list(pairwise(frames[:-1]))
    light, hues = light_of(first), hues_of(first)
    tolerance = BOUNDS["degrees from a dominant hue to the palette at most"]
    fit = fit_to_palette(hues, palette_rgb, tolerance)
    return {
        "luminance": list(light.luminance),
        "level": list(light.level),
        "mean": float(np.mean([light_of(frame).mean for frame in frames])),
        "clipped": light.clipped,
        "black": hues.black,
        "grey": hues.grey,
        "white": hues.white,
        "hues": [
            {"deg": peak.hue_deg, "share": peak.share, "apart": apart}
            for peak, apart in zip(hues.peaks, fit.apart_deg, strict=True)
        ],
        "off_palette": fit.off,
        "shown": {linear_to_hex(rgb): share for rgb, share in zip(palette_rgb, fit.shown, strict=True)},
        "difference": float(np.mean([difference(one, two) for one, two in pairs])),
        "difference_beat": difference(first, later),
        "flow": float(np.mean([flow(one, two) for one, two in pairs])),
    }


def problems_of(row: Row, moment: str, palette_rgb: NDArray[np.floating]) -> list[str]:
    """The bounds that one moment breaks, in words."""
    found = []
    low, middle, high = row["level"]
    if high < BOUNDS["95th percentile of level at least"]:
        found.append(f"black: 95th percentile of level {high:.2f}")
    elif high - low < BOUNDS["95th less 5th percentile of level at least"]:
        found.append(f"flat: levels {low:.2f} to {high:.2f}")
    if middle > BOUNDS["median level at most"] or row["clipped"] > BOUNDS["burnt out part of pixels at most"]:
        found.append(f"blown out: median level {middle:.2f}, {100 * row['clipped']:.0f} % of the pixels white")
    if 1.0 - row["black"] - row["grey"] - row["white"] >= LEAST_COLOURED:
        for hue in row["hues"]:
            if hue["apart"] > BOUNDS["degrees from a dominant hue to the palette at most"]:
                found.append(f"hue {hue['deg']:.0f} ({100 * hue['share']:.0f} % of the colour) is {hue['apart']:.0f} "
                             "degrees from the palette")  # fmt: skip
        if row["off_palette"] > BOUNDS["part of the colour off the palette at most"]:
            found.append(f"{100 * row['off_palette']:.0f} % of the colour is off the palette")
    least = BOUNDS["each colour of the palette, dark hues apart, shown in the drop by at least"]
    if moment == "drop":
        hues, strong = palette_hues(palette_rgb), palette_rgb @ LUMINANCE >= _LIGHTS_NOTHING
        for (text, share), hue, asked in zip(row["shown"].items(), hues, strong, strict=True):
            if share < least and (asked or hue == "black"):
                found.append(f"{hue if isinstance(hue, str) else text} is hardly there: {100 * share:.1f} %")
    return found


def ratio(one: float, other: float) -> float:
    """How many times as much; of nothing, as of a ten thousandth."""
    return max(one, 1e-4) / max(other, 1e-4)


def contrast(rows: Mapping[str, Row]) -> Row:
    """How break, build and drop of one genre and scene differ, and the bounds that are broken."""
    rest, build, drop = (rows[name] for name in MOMENTS)
    bright = {"drop_to_break": ratio(drop["mean"], rest["mean"]), "drop_to_build": ratio(drop["mean"], build["mean"]),
              "build_to_break": ratio(build["mean"], rest["mean"])}  # fmt: skip
    moved = {"drop_to_break": ratio(drop["difference"], rest["difference"]),
             "build_to_break": ratio(build["difference"], rest["difference"]),
             "flow_drop_to_break": ratio(drop["flow"], rest["flow"])}  # fmt: skip
    found = []
    for other in ("break", "build"):
        if bright[f"drop_to_{other}"] < BOUNDS[f"mean luminance, drop to {other}, at least"]:
            found.append(f"drop only {bright[f'drop_to_{other}']:.2f} times as bright as {other}")
    if moved["drop_to_break"] < BOUNDS["frame difference, drop to break, at least"]:
        found.append(f"drop moves only {moved['drop_to_break']:.2f} times as much as break "
                     f"(flow {moved['flow_drop_to_break']:.2f} times)")  # fmt: skip
    apart = max(max(value, ratio(1.0, value)) for value in (bright["build_to_break"], moved["build_to_break"]))
    if apart < BOUNDS["mean luminance or motion, build and break apart by a factor of at least"]:
        found.append(f"build and break look alike: {apart:.2f} times")
    return {"brightness": bright, "motion": moved, "problems": found}


def worst_cases(rows: Sequence[Row], contrasts: Sequence[Row]) -> Row:
    """Where each figure is worst, and how bad."""

    def worst(things: Sequence[Row], figure: Any, largest: bool) -> Row:
        chosen = (max if largest else min)(things, key=figure)
        where = [chosen[key] for key in ("scene", "genre", "moment") if key in chosen]
        return {"where": ", ".join(where), "figure": float(figure(chosen))}

    def furthest(row: Row) -> float:
        return max((float(hue["apart"]) for hue in row["hues"]), default=0.0)

    return {
        "darkest: 95th percentile of level": worst(rows, lambda row: row["level"][2], False),
        "flattest: 95th less 5th percentile of level": worst(
            rows, lambda row: row["level"][2] - row["level"][0], False
        ),
        "brightest: median level": worst(rows, lambda row: row["level"][1], True),
        "most burnt out": worst(rows, lambda row: row["clipped"], True),
        "dominant hue furthest from the palette, degrees": worst(rows, furthest, True),
        "most colour off the palette": worst(rows, lambda row: row["off_palette"], True),
        "least drop to break, luminance": worst(contrasts, lambda one: one["brightness"]["drop_to_break"], False),
        "least drop to build, luminance": worst(contrasts, lambda one: one["brightness"]["drop_to_build"], False),
        "least drop to break, frame difference": worst(contrasts, lambda one: one["motion"]["drop_to_break"], False),
        "least drop to break, flow": worst(contrasts, lambda one: one["motion"]["flow_drop_to_break"], False),
    }
