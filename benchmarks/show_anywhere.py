"""The same .blend rendered by several Blenders, with scripts disabled and without the extension.

    python -m benchmarks.show anywhere --python .venv-4.2/bin/python .venv-5.0/bin/python --blender /usr/bin/blender

Each scene is saved by this Blender; each of the others opens it in a process of its own, which knows nothing of this
checkout, and renders the same frames. Pictures are compared pair by pair: mean absolute difference of the sRGB levels
and its 99.9th percentile over all pixels and channels. Where one of the two was built without the denoiser, as those
of Linux distributions are, both are compared as they render without it: noise, but the same noise.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from . import show_mix
from .show_mix import FPS
from .show_sheet import parsed_size

# Blenders differ in dithering (0.002 on average) and in the denoiser: pictures must be alike, not the same
BOUNDS = {"mean absolute difference at most": 0.005, "99.9th percentile at most": 0.10}
SIZE = (240, 135)
SCRIPT = Path(__file__).parent / "show_elsewhere.py"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``anywhere``."""
    add_programs(parser)
    parser.add_argument("--scenes", nargs="+", default=list(show_mix.SCENES), choices=show_mix.SCENES)
    parser.add_argument("--size", default="{}x{}".format(*SIZE), type=parsed_size, metavar="WxH")
    parser.add_argument("--engine", default="cycles", choices=("cycles", "eevee", "workbench"))
    parser.add_argument("--quality", default="draft", choices=("draft", "preview", "final"))


def add_programs(parser: argparse.ArgumentParser) -> None:
    """The other Blenders."""
    parser.add_argument("--python", nargs="*", default=[], metavar="PY", help="Pythons with another bpy")
    parser.add_argument("--blender", nargs="*", default=[], metavar="EXE", help="Blenders, or commands that start one")


def save_scene(kind: str, path: Path, arguments: argparse.Namespace) -> list[int]:
    """Save a scene keyed to the demo mix; returns one frame of each moment."""
    import bpy

    from housex_blender.core.looks import load_look
    from housex_blender.scene import build, film

    timeline = show_mix.demo_timeline()
    bpy.ops.wm.read_factory_settings(use_empty=True)
    empty: Any = bpy.context.scene
    plan = film.FilmPlan(scene=kind, engine=arguments.engine, quality=arguments.quality, resolution=arguments.size,
                         fps=FPS, end_s=timeline.mix.duration_s)  # fmt: skip
    film.make_show(timeline, load_look("house"), show_mix.MIX, plan)
    bpy.data.scenes.remove(empty)
    build.save_blend(path)
    return [frames[0] for frames in show_mix.moment_frames(timeline).values()]


def render_elsewhere(program: str, is_blender: bool, blend: Path, frames: list[int], folder: Path) -> dict[str, Any]:
    """Render frames of a .blend by another program, which gets no path to this checkout.

    Returns:
        What it says of itself: version, and whether anything of ours was loaded.

    Raises:
        SystemExit: It did not write all frames.
    """
    folder.mkdir()
    # beside its pictures, for a Blender in a container may see nothing else
    script = shutil.copy(SCRIPT, folder)
    given = [str(blend), str(folder), ",".join(map(str, frames))]
    if is_blender:
        command = [*shlex.split(program), "--background", "--factory-startup", "--disable-autoexec",
                   "--python-exit-code", "1", "--python", script, "--", *given]  # fmt: skip
    else:
        command = [program, "-I", script, *given]
    plain = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    plain["BLENDER_USER_RESOURCES"] = str(folder / "user")
    done = subprocess.run(command, cwd=folder, env=plain, capture_output=True, text=True, check=False)
    facts = folder / "facts.json"
    if not facts.is_file():
        raise SystemExit(f"{program} did not render {blend.name}:\n{done.stdout[-1500:]}\n{done.stderr[-1500:]}")
    return dict(json.loads(facts.read_text(encoding="utf-8")))


def compared(first: Path, second: Path, frames: list[int]) -> dict[str, Any]:
    """Largest figures over the frames, denoised if both Blenders can."""
    denoised = all((folder / f"{frames[0]}.png").is_file() for folder in (first, second))
    means, tails = [], []
    for frame in frames:
        name = f"{frame}.png" if denoised else f"{frame}-plain.png"
        one, two = (show_mix.read_picture(folder / name).astype(float) / 255 for folder in (first, second))
        apart = np.abs(one - two)
        means.append(float(apart.mean()))
        tails.append(float(np.percentile(apart, 99.9)))
    return {"mean": max(means), "p999": max(tails), "denoised": denoised}


def run(arguments: argparse.Namespace) -> int:
    """Render everywhere and compare; 1 when two are further apart than the tolerance."""
    programs = [(sys.executable, False), *((name, False) for name in arguments.python),
                *((name, True) for name in arguments.blender)]  # fmt: skip
    scenes: dict[str, Any] = {}
    versions: list[str] = []
    broken = 0
    with tempfile.TemporaryDirectory(prefix="housex-anywhere-") as room:
        for kind in show_mix.known_scenes(arguments.scenes):
            blend = Path(room) / f"{kind}.blend"
            frames = save_scene(kind, blend, arguments)
            folders, versions = [], []
            for number, (program, is_blender) in enumerate(programs):
                folder = Path(room) / f"{kind}-{number}"
                facts = render_elsewhere(program, is_blender, blend, frames, folder)
                assert not facts["ours"], f"{program} loaded {facts['ours']}"
                folders.append(folder)
                versions.append(facts["version"] + (" (application)" if is_blender else ""))
            pairs = []
            for one, two in combinations(range(len(programs)), 2):
                row = compared(folders[one], folders[two], frames)
                pairs.append({"pair": [versions[one], versions[two]], **row})
                wrong = row["mean"] > BOUNDS["mean absolute difference at most"]
                wrong |= row["p999"] > BOUNDS["99.9th percentile at most"]
                broken += wrong
                print(f"{kind}: {versions[one]} and {versions[two]}: mean {row['mean']:.5f}, 99.9 % {row['p999']:.3f}"
                      f"{'  BROKEN' if wrong else ''}")  # fmt: skip
            scenes[kind] = {"frames": frames, "pairs": pairs}
    made_with = {"engine": arguments.engine, "quality": arguments.quality, "size": "{}x{}".format(*arguments.size),
                 "saved_by": versions[:1], "blenders": versions}  # fmt: skip
    result = {"made_with": made_with, "how": (__doc__ or "").split("\n\n")[2], "bounds": BOUNDS, "scenes": scenes}
    whole = arguments.size == SIZE and arguments.quality == "draft" and tuple(scenes) == show_mix.SCENES
    show_mix.keep_result(f"anywhere, {arguments.engine}", show_mix.rounded(result, 5), whole=whole)
    return 1 if broken else 0
