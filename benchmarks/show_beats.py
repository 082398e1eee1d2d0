"""Do colours change on the frame of the downbeat, and do kicks peak on theirs? Measured on pixels, in every bar.

Kicks: the mix as it is, cuts and all; in each bar the strongest kick on beat 2, 3 or 4 that the recording holds, and
the frames around it, whose mean relative luminance must have its tallest peak within a frame of the kick.

Colours: the mix itself changes colour only a few times, so every bar gets another genre than the one before, in an
order that visits all; the camera keeps to one shot, for a cut changes colours too. Of the steps between the frames
around a downbeat (tiles compared by linear RGB over its sum, so that brightness does not count) the one onto the
downbeat's frame must be the largest. Bars whose frame before is as good as black, at the end of a build-up, are counted
apart: there the first light is compared with the last before the black.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from housex_blender.core.bars import frame_on
from housex_blender.core.frame_measure import colour_step, peak_offset, relative_luminance
from housex_blender.core.genres import GENRES
from housex_blender.core.looks import load_look
from housex_blender.core.timeline import Timeline

from . import show_mix
from .show_mix import FPS, Bytes, Studio
from .show_sheet import parsed_size

BOUNDS = {"frames from a kick to its peak at most": 1, "bars whose colour lands elsewhere at most": 0}
SIZE = (128, 72)
AROUND_KICK = 2
# the frames around a downbeat, and among the steps between them the one onto it
AROUND_DOWNBEAT, LANDING = (-2, -1, 0, 1), 1
LEAST_KICK = 0.3
_NEAR_BEAT_S = 0.04
# steps of colour below this are none
LEAST_STEP = 0.02
_DARK = 2e-3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``beats``."""
    parser.add_argument("--scenes", nargs="+", default=list(show_mix.SCENES), choices=show_mix.SCENES)
    parser.add_argument("--size", default="{}x{}".format(*SIZE), type=parsed_size, metavar="WxH")
    parser.add_argument("--bars", type=int, nargs=2, metavar=("FIRST", "END"), help="only these, counted from 0")
    parser.add_argument("--threads", type=int, default=0)


def strongest_kick(timeline: Timeline, bar: int) -> float | None:
    """Time in seconds of the strongest kick on beat 2, 3 or 4 of a bar, as the recording has it; None without one."""
    start_s, end_s = float(timeline.grid.starts_s[bar]), float(timeline.grid.ends_s[bar])
    level, times_s = timeline.envelopes.column("kick"), timeline.envelopes.times_s
    best: tuple[float, float] | None = None
    for beat in (1, 2, 3):
        beat_s = start_s + (end_s - start_s) * beat / 4
        first, last = np.searchsorted(times_s, [beat_s - _NEAR_BEAT_S, beat_s + _NEAR_BEAT_S])
        strength = float(level[first:last].max(initial=0.0))
        if strength >= LEAST_KICK and (best is None or strength > best[0]):
            best = (strength, beat_s)
    return None if best is None else best[1]


def kick_rows(studio: Studio, timeline: Timeline, bars: Sequence[int]) -> list[dict[str, Any]]:
    """One row per bar that has a kick: how far off its peak is, how much it stands out, and all the light."""
    rows = []
    for bar in bars:
        kick_s = strongest_kick(timeline, bar)
        if kick_s is None:
            continue
        on = int(frame_on(kick_s, FPS))
        around = range(on - AROUND_KICK, on + AROUND_KICK + 1)
        light = [float(relative_luminance(studio.picture(frame)).mean()) for frame in around]
        over = light[AROUND_KICK] / max(light[AROUND_KICK - 1], 1e-4)
        rows.append({"bar": bar, "off": peak_offset(light, AROUND_KICK), "over_before": over, "light": light})
    return rows


def landing(pictures: Sequence[Bytes], lit: Bytes | None) -> dict[str, Any]:
    """Where the colour changes among the frames around a downbeat.

    Args:
        pictures: Those of AROUND_DOWNBEAT.
        lit: If the frame before the downbeat is as good as black, the last frame before it that is not.

    Returns:
        ``step``: the largest change of colour, and ``others`` the next largest; ``off``: how many frames after the
        downbeat it comes, None if there is no change; ``dark``: whether the light came out of black.
    """
    if lit is not None:
        step, after = (colour_step(lit, pictures[-2]), colour_step(pictures[-2], pictures[-1]))
        off = None if max(step, after) < LEAST_STEP else 0 if step > after else 1
        return {"step": step, "others": after, "off": off, "dark": True}
    steps = [colour_step(one, two) for one, two in pairwise(pictures)]
    largest = int(np.argmax(steps))
    return {"step": steps[largest], "off": largest - LANDING if steps[largest] >= LEAST_STEP else None, "dark": False,
            "others": max(step for place, step in enumerate(steps) if place != largest)}  # fmt: skip


def colour_rows(studio: Studio, timeline: Timeline, bars: Sequence[int]) -> list[dict[str, Any]]:
    """One row per bar but the first: where its colour change lands."""
    rows = []
    for bar in bars:
        on = int(frame_on(float(timeline.grid.starts_s[bar]), FPS))
        if on + AROUND_DOWNBEAT[0] < 1:
            continue
        pictures = [studio.picture(on + around) for around in AROUND_DOWNBEAT]
        dark = float(relative_luminance(pictures[LANDING]).mean()) < _DARK
        # two frames before the last beat, on which the black begins
        lit = studio.picture(show_mix.beat_frame(timeline, bar - 1, 3) - 2) if dark else None
        rows.append({"bar": bar, **landing(pictures, lit)})
    return rows


def median_of(figure: str, rows: Sequence[dict[str, Any]]) -> float:
    """Median over the rows that have a figure; 0 if none has."""
    return float(np.median([row[figure] for row in rows if figure in row] or [0.0]))


def measured(kind: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """Kicks and colours of one scene."""
    timeline = show_mix.demo_timeline()
    bars = range(*(arguments.bars or (0, timeline.grid.n_bars)))
    look = load_look("house")
    studio = Studio(kind, arguments.size, threads=arguments.threads)
    studio.show(timeline, look)
    kicks = kick_rows(studio, timeline, bars)
    studio.cuts = False
    # five places on in a ring of nine: neighbours are no kin, and every genre comes
    order = [GENRES[5 * bar % len(GENRES)] for bar in range(timeline.grid.n_bars)]
    studio.show(show_mix.in_genres(timeline, order), look)
    colours = colour_rows(studio, timeline, [bar for bar in bars if bar > 0])
    most = BOUNDS["frames from a kick to its peak at most"]
    late = [row for row in kicks if row["off"] is None or abs(row["off"]) > most]
    elsewhere = [row for row in colours if row["off"] != 0]
    return {
        "bars": len(bars),
        "kicks": {"bars_with_a_kick": len(kicks), "on_the_frame": sum(row["off"] == 0 for row in kicks),
                  "within_a_frame": len(kicks) - len(late), "further_off": late,
                  "kick_over_frame_before_median": median_of("over_before", kicks)},
        "colours": {"bars": len(colours), "on_the_frame": len(colours) - len(elsewhere),
                    "of_them_out_of_black": sum(row["dark"] and row["off"] == 0 for row in colours),
                    "elsewhere": elsewhere,
                    "step_median": median_of("step", colours), "other_steps_median": median_of("others", colours)},
    }  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Measure every scene; 1 when a kick or a colour is off."""
    scenes = {}
    for kind in show_mix.known_scenes(arguments.scenes):
        one = scenes[kind] = show_mix.rounded(measured(kind, arguments))
        kicks, colours = one["kicks"], one["colours"]
        print(
            f"{kind}: kicks peak on their frame in {kicks['on_the_frame']}, within a frame in "
            f"{kicks['within_a_frame']} of {kicks['bars_with_a_kick']} bars, "
            f"{kicks['kick_over_frame_before_median']} times the light of the frame before; "
            f"colours land on the downbeat in {colours['on_the_frame']} of {colours['bars']} bars"
        )
        for row in [*kicks["further_off"], *colours["elsewhere"]]:
            print(f"    {row}")
    made_with = {"engine": "cycles", "quality": "draft", "size": "{}x{}".format(*arguments.size), "fps": FPS}
    result = {"made_with": made_with, "how": (__doc__ or "").split("\n\n")[1:], "bounds": BOUNDS, "scenes": scenes}
    show_mix.keep_result("beats", result, whole=arguments.bars is None and arguments.size == SIZE)
    return 1 if any(one["kicks"]["further_off"] or one["colours"]["elsewhere"] for one in scenes.values()) else 0
