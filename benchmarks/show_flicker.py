"""How much the light of a still camera changes between beats.

Everything that moves the camera is held and there are no cuts. In two bars each of the break, the build-up and the
drop every frame is rendered. Between two pulses of light, from the frame after one (the frame on which it may still
peak) to the frame before the next, the mean lightness (sRGB level) of the frames may fall or rise as the music does,
but not wobble: the bound is on how far one frame may lie above or below both of its neighbours. Pulses come on beats,
on kicks between them, and on half beats at the end of a build-up. In the break, where no kick falls, the step from a
frame to the next is bounded too.
"""

from __future__ import annotations

import argparse
from itertools import pairwise
from typing import Any

import numpy as np

from housex_blender.core.bars import frame_on
from housex_blender.core.frame_measure import flicker_of, largest_step, lightness
from housex_blender.core.keys import KeyTrack
from housex_blender.core.looks import load_look
from housex_blender.core.show_heard import kick_times
from housex_blender.core.timeline import Timeline

from . import show_mix
from .show_mix import FPS, Studio
from .show_sheet import parsed_size

BOUNDS = {"wobble of mean level between beats at most": 0.01, "step of mean level in the break at most": 0.02}
CAMERA = ("travel", "speed", "roll", "zoom", "drift")
SIZE = (64, 36)
BARS_EACH = 2
PULSES_PER_BAR = {"break": 4, "build": 8, "drop": 4}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``flicker``."""
    parser.add_argument("--scenes", nargs="+", default=list(show_mix.SCENES), choices=show_mix.SCENES)
    parser.add_argument("--engine", default="cycles", choices=("cycles", "eevee", "workbench"))
    parser.add_argument("--size", default="{}x{}".format(*SIZE), type=parsed_size, metavar="WxH")
    parser.add_argument("--threads", type=int, default=0)


def held(channels: dict[str, KeyTrack]) -> dict[str, KeyTrack]:
    """The channels with a camera that stands where it begins."""
    still = {
        name: KeyTrack(channels[name].frames[:1], channels[name].values[:1]) for name in CAMERA if name in channels
    }
    return {**channels, **still}


def spans_between(timeline: Timeline, bar: int, per_bar: int) -> list[range]:
    """Frames from the one after each pulse to the last before the next, for the bars from ``bar`` on."""
    steps = range(per_bar * BARS_EACH + 1)
    edges = {show_mix.beat_frame(timeline, bar + step // per_bar, 4 * (step % per_bar) / per_bar) for step in steps}
    kicks_s, _ = kick_times(timeline)
    edges |= {int(frame) for frame in frame_on(kicks_s, FPS) if min(edges) < frame < max(edges)}
    return [range(first + 1, last) for first, last in pairwise(sorted(edges)) if last - first > 2]


def measured(kind: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """Wobbles and steps of one scene at each moment."""
    timeline = show_mix.demo_timeline()
    studio = Studio(kind, arguments.size, arguments.engine, cuts=False, threads=arguments.threads)
    studio.show(timeline, load_look("house"), held)
    result: dict[str, Any] = {}
    for moment, bar in show_mix.moment_bars(timeline).items():
        # two bars further back than the picture of a build-up, away from the beat of black
        first = bar - BARS_EACH if moment == "build" else bar
        spans = spans_between(timeline, first, PULSES_PER_BAR[moment])
        rows = [[float(np.mean(lightness(studio.picture(frame)))) for frame in span] for span in spans]
        result[moment] = {
            "frames": sum(len(row) for row in rows),
            "wobble": max(flicker_of(row) for row in rows),
            "step": max(largest_step(row) for row in rows),
            "mean_level": float(np.mean(np.concatenate(rows))),
        }
    return result


def run(arguments: argparse.Namespace) -> int:
    """Measure every scene; 1 when a bound is broken."""
    scenes = {}
    broken = 0
    for kind in show_mix.known_scenes(arguments.scenes):
        scenes[kind] = show_mix.rounded(measured(kind, arguments), 5)
        for moment, row in scenes[kind].items():
            wrong = row["wobble"] > BOUNDS["wobble of mean level between beats at most"]
            wrong |= moment == "break" and row["step"] > BOUNDS["step of mean level in the break at most"]
            broken += wrong
            print(f"{kind} {moment}: wobble {row['wobble']:.4f}, step {row['step']:.4f}{'  BROKEN' if wrong else ''}")
    made_with = {"engine": arguments.engine, "quality": "draft", "size": "{}x{}".format(*arguments.size), "fps": FPS}
    result = {"made_with": made_with, "how": (__doc__ or "").split("\n\n")[1], "bounds": BOUNDS, "scenes": scenes}
    show_mix.keep_result(show_mix.result_name("flicker", arguments.engine), result, whole=arguments.size == SIZE)
    return 1 if broken else 0
