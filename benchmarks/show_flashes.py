"""Flashes in rendered frames, by the thresholds of WCAG 2.2, with the limiter at work.

Every frame of the seconds around each drop of the demo mix is rendered, from the end of its build-up into the drop,
in the sub-genres that the mix has; flashes are counted in blocks of the picture, general and red. The bound is the
standard's: three in any second.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from housex_blender.core.flashes import MOST_FLASHES, count_flashes, frame_blocks
from housex_blender.core.looks import load_look

from . import show_mix
from .show_mix import FPS, Studio
from .show_sheet import parsed_size

BOUNDS = {"flashes in any second at most": MOST_FLASHES}
SIZE = (128, 72)
BARS_BEFORE, BARS_AFTER = 3, 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``flashes``."""
    parser.add_argument("--scenes", nargs="+", default=list(show_mix.SCENES), choices=show_mix.SCENES)
    parser.add_argument("--look", default="house", help="name or file of a look")
    parser.add_argument("--size", default="{}x{}".format(*SIZE), type=parsed_size, metavar="WxH")


def measured(kind: str, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """The worst seconds around each drop of one scene."""
    timeline = show_mix.demo_timeline()
    studio = Studio(kind, arguments.size)
    studio.show(timeline, load_look(arguments.look))
    rows = []
    for number, drop in enumerate(timeline.drops, 1):
        first = show_mix.beat_frame(timeline, max(drop.start_bar - BARS_BEFORE, 0), 0)
        last = show_mix.beat_frame(timeline, min(drop.start_bar + BARS_AFTER, timeline.grid.n_bars - 1), 0)
        found = count_flashes(np.stack([frame_blocks(studio.picture(frame)) for frame in range(first, last)]), FPS)
        rows.append({"drop": number, "frames": last - first, "general": found.general, "red": found.red})
    return rows


def run(arguments: argparse.Namespace) -> int:
    """Measure every scene; 1 when a bound is broken."""
    scenes = {}
    broken = 0
    for kind in show_mix.known_scenes(arguments.scenes):
        scenes[kind] = {"drops": measured(kind, arguments)}
        for row in scenes[kind]["drops"]:
            wrong = max(row["general"], row["red"]) > MOST_FLASHES
            broken += wrong
            print(f"{kind} drop {row['drop']}: {row['general']} general and {row['red']} red flashes in the worst "
                  f"second of {row['frames']} frames{'  BROKEN' if wrong else ''}")  # fmt: skip
    made_with = {"engine": "cycles", "quality": "draft", "look": arguments.look,
                 "size": "{}x{}".format(*arguments.size), "fps": FPS}  # fmt: skip
    result = {"made_with": made_with, "how": (__doc__ or "").split("\n\n")[1], "bounds": BOUNDS, "scenes": scenes}
    show_mix.keep_result("flashes", result, whole=arguments.look == "house" and arguments.size == SIZE)
    return 1 if broken else 0
