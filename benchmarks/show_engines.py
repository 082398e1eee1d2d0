"""Does EEVEE light the scenes as Cycles does? The cells of the contact sheet, rendered by both.

Compared per cell, EEVEE to Cycles: the 95th percentile of the level (luminance as an sRGB level), the mean relative
luminance, and how many degrees the frame's colour lies apart on the circle of OKLCh hues, on average.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from housex_blender.core.frame_measure import hue_shift, hues_of, light_of

from . import show_frames, show_mix, show_sheet
from .show_verdicts import ratio

ENGINES = ("cycles", "eevee")
BOUNDS = {
    "95th percentile of level, EEVEE to Cycles, within a factor of": 1.25,
    "degrees that the colour lies apart at most": 15.0,
    "mean luminance, EEVEE to Cycles, within a factor of": 1.5,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Those of ``sheet`` without the engine."""
    show_sheet.add_arguments(parser)


def cell(cycles: NDArray[np.uint8], eevee: NDArray[np.uint8]) -> dict[str, Any]:
    """Figures of one frame in both engines, and the bounds that are broken."""
    one, two = light_of(cycles), light_of(eevee)
    level, mean = ratio(two.level[2], one.level[2]), ratio(two.mean, one.mean)
    apart = hue_shift(hues_of(cycles), hues_of(eevee))
    figures = (max(level, 1 / level), apart, max(mean, 1 / mean))
    found = [name for (name, limit), figure in zip(BOUNDS.items(), figures, strict=True) if figure > limit]
    return {"level": level, "mean": mean, "hue_apart": apart, "problems": found}


def run(arguments: argparse.Namespace) -> int:
    """Render what is missing in both engines and compare; 1 when a bound is broken."""
    kinds = show_mix.known_scenes(arguments.scenes)
    folders: dict[str, dict[str, Path]] = {}
    for engine in ENGINES:
        arguments.engine = engine  # which --engine of the sheet does not choose here
        folders[engine] = {kind: show_sheet.frames_folder(arguments, kind) for kind in kinds}
        jobs = show_sheet.sheet_jobs(arguments, folders[engine], first_only=True)
        show_frames.run_all(jobs, arguments.out / "jobs", arguments.jobs)
    rows = []
    for kind in kinds:
        for genre in arguments.genres:
            for moment in show_mix.MOMENTS:
                both = [show_mix.read_picture(show_sheet.picture_names(folders[engine][kind], arguments.look, genre,
                                                                       moment)[0]) for engine in ENGINES]  # fmt: skip
                rows.append({"scene": kind, "genre": genre, "moment": moment, **cell(both[0], both[1])})
    broken = report(rows)
    made_with = {"look": arguments.look, "quality": arguments.quality, "size": "{}x{}".format(*arguments.size)}
    summary = {kind: summed([row for row in rows if row["scene"] == kind]) for kind in kinds}
    result = {"made_with": made_with, "how": (__doc__ or "").split("\n\n")[1], "bounds": BOUNDS,
              "summary": summary, "rows": rows}  # fmt: skip
    show_mix.keep_result("engines", show_mix.rounded(result), whole=show_sheet.is_whole(arguments, kinds))
    return 1 if broken else 0


def summed(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The figures of one scene."""
    return {
        "cells": len(rows),
        "cells_with_problems": sum(bool(row["problems"]) for row in rows),
        "level_median": float(np.median([row["level"] for row in rows])),
        "level_least_most": [min(row["level"] for row in rows), max(row["level"] for row in rows)],
        "hue_apart_most": max(row["hue_apart"] for row in rows),
    }


def report(rows: list[dict[str, Any]]) -> int:
    """Print every cell; how many break a bound."""
    for row in rows:
        print(f"{row['scene']:7} {row['genre']:17} {row['moment']:6} EEVEE to Cycles: level {row['level']:.2f}, "
              f"luminance {row['mean']:.2f}, colour {row['hue_apart']:.0f} degrees apart"
              f"{'  BROKEN: ' + '; '.join(row['problems']) if row['problems'] else ''}")  # fmt: skip
    return sum(bool(row["problems"]) for row in rows)
