"""What a scene costs, beside its budget: seconds to build, faces, curves, seconds per frame, bake, size of the file.

``build_s`` is the builder alone, ``show_s`` all of it: channels of the demo mix, scene, keys, cuts, sound. ``faces``
are those that a viewport draws in the drop, instances included; ``curves`` are F-curves and drivers of everything but
the object "HX Show". Seconds per frame are medians at 640x360 in draft quality. ``bake_hour_s`` compiles and keys an
hour. Times are those of this machine as it is, with the load before each scene beside them: run this on an idle one,
for a time over its budget fails here whatever else the machine does. Titles are on, but for ``curves``; what they add
is ``curves_of_titles``.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from housex_blender.core.bars import BarGrid
from housex_blender.core.looks import load_look
from housex_blender.core.timeline import DropSpan, Timeline, TrackSpan
from housex_blender.core.titles import TitleCard, title_cards

from . import show_mix
from .show_mix import FPS

BUDGETS: dict[str, float] = {
    "build_s": 2.0,
    "faces": 300_000,
    "curves": 40,
    "cycles_s": 3.0,
    "eevee_s": 3.0,
    "workbench_s": 0.5,
    "bake_hour_s": 5.0,
    "blend_mb": 5.0,
}
ENGINES = ("cycles", "eevee", "workbench")
HOUR_S = 3600.0
_SIZE = (640, 360)
_FRAMES = 3
# seconds, title and artist of made-up tracks
TRACKLIST = ((0.0, "First", "Nobody"), (120.0, "Second", "Nobody"), (240.0, "Third", "Nobody"))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``cost``."""
    parser.add_argument("--scenes", nargs="+", default=list(show_mix.SCENES), choices=show_mix.SCENES)
    parser.add_argument("--engines", nargs="*", default=list(ENGINES), choices=ENGINES)


def faces() -> int:
    """Faces of all that is drawn in the viewport, instances included."""
    import bpy

    counted: dict[int, int] = {}
    total = 0
    for instance in bpy.context.evaluated_depsgraph_get().object_instances:
        thing: Any = instance.object
        if not instance.show_self or thing.data is None or thing.type not in ("MESH", "CURVE", "SURFACE", "FONT"):
            continue
        key = thing.data.as_pointer()
        if key not in counted:
            mesh = thing.data if thing.type == "MESH" else thing.to_mesh()
            counted[key] = 0 if mesh is None else len(mesh.polygons)
        total += counted[key]
    return total


def curves(scene: Any) -> dict[str, int]:
    """F-curves and drivers of the file: those on "HX Show", which every scene has, and all others."""
    import bpy

    from housex_blender.scene.compat import fcurves_of
    from housex_blender.scene.rig import find_show

    owners: dict[int, Any] = {}
    for kind in ("objects", "meshes", "curves", "lights", "cameras", "materials", "worlds", "node_groups", "scenes",
                 "shape_keys", "collections", "actions", "texts"):  # fmt: skip
        for owner in getattr(bpy.data, kind):
            for one in (owner, getattr(owner, "node_tree", None)):
                if one is not None and hasattr(one, "animation_data"):
                    owners[one.as_pointer()] = one
    show = find_show(scene)
    result = {"rig": 0, "beyond": 0}
    for owner in owners.values():
        if owner.animation_data is not None:
            number = len(fcurves_of(owner, create=False) or ()) + len(owner.animation_data.drivers)
            result["rig" if owner == show else "beyond"] += number
    return result


def an_hour(timeline: Timeline) -> Timeline:
    """The demo mix played again and again for an hour, its tracks without fades."""
    times = int(np.ceil(HOUR_S / timeline.mix.duration_s))
    grid, bars, levels = timeline.grid, timeline.grid.n_bars, timeline.envelopes
    # from the first beat to the end of the last bar, so that no two beats meet
    length_s = float(grid.ends_s[-1] - grid.beats_s[0])
    beats_s, starts_s, ends_s = (
        np.concatenate([values + turn * length_s for turn in range(times)])
        for values in (grid.beats_s, grid.starts_s, grid.ends_s)
    )
    turns = range(0, times * bars, bars)
    tracks = [TrackSpan(one.start_bar + on, one.end_bar + on, one.label, one.probs)
              for on in turns for one in timeline.tracks]  # fmt: skip
    drops = [DropSpan(one.start_bar + on, one.end_bar + on, None if one.build_bar is None else one.build_bar + on,
                      one.fill_beats) for on in turns for one in timeline.drops]  # fmt: skip
    rows = round(length_s * levels.rate_hz)
    return replace(
        timeline,
        mix=replace(timeline.mix, duration_s=float(ends_s[-1])),
        grid=BarGrid(beats_s, starts_s, ends_s, np.tile(grid.bpm, times)),
        probs=np.tile(timeline.probs, (times, 1)),
        confidence=np.tile(timeline.confidence, times),
        uncertain=np.tile(timeline.uncertain, times),
        energy=np.tile(timeline.energy, times),
        section=timeline.section * times,
        tracks=tuple(tracks),
        drops=tuple(drops),
        envelopes=replace(levels, values=np.resize(levels.values[:rows], (rows * times, levels.values.shape[1]))),
        attributes={name: np.tile(column, times) for name, column in timeline.attributes.items()},
    )


def new_show(kind: str, timeline: Timeline, titles: tuple[TitleCard, ...] = ()) -> tuple[Any, float]:
    """A scene alone in its file, keyed to the mix, and how many seconds that took."""
    import bpy

    from housex_blender.scene import film

    bpy.ops.wm.read_factory_settings(use_empty=True)
    empty: Any = bpy.context.scene
    plan = film.FilmPlan(scene=kind, resolution=_SIZE, fps=FPS, end_s=timeline.mix.duration_s,
                         titles=titles)  # fmt: skip
    began_s = time.perf_counter()
    scene = film.make_show(timeline, load_look("house"), show_mix.MIX, plan).scene
    spent_s = time.perf_counter() - began_s
    bpy.data.scenes.remove(empty)
    return scene, spent_s


def build_seconds(kind: str) -> float:
    """Seconds that the builder of a scene takes, without its keys."""
    import bpy

    from housex_blender.scene import build

    scene = build.new_scene("HX Cost")
    began_s = time.perf_counter()
    build.SCENE_KINDS[kind][1](scene, seed=0, detail="draft")
    spent_s = time.perf_counter() - began_s
    bpy.data.scenes.remove(scene)
    return spent_s


def frame_seconds(scene: Any, engine: str, first: int, folder: Path) -> tuple[float, float]:
    """Seconds of the first frame, which loads everything, and the median of those after it."""
    from housex_blender.scene import output

    output.configure(scene, engine=engine, quality="draft", resolution=_SIZE, fps=FPS)
    spent_s = []
    for frame in range(first, first + _FRAMES + 1):
        began_s = time.perf_counter()
        output.render_still(scene, frame, folder / "frame.png")
        spent_s.append(time.perf_counter() - began_s)
    return spent_s[0], statistics.median(spent_s[1:])


def bake_seconds(scene: Any, kind: str, timeline: Timeline) -> tuple[float, float, int]:
    """Seconds to compile the channels of a timeline, seconds to key them, and how many keys that were."""
    from housex_blender.scene import film
    from housex_blender.scene.bindings import rekey_show

    plan = film.FilmPlan(scene=kind, fps=FPS, end_s=timeline.mix.duration_s)
    began_s = time.perf_counter()
    channels, _, _ = film.directed(timeline, load_look("house"), plan)
    compiled_s = time.perf_counter()
    baked = rekey_show(scene, channels)
    return compiled_s - began_s, time.perf_counter() - compiled_s, baked.keys


def measured(kind: str, engines: list[str]) -> dict[str, Any]:
    """Every figure of one scene."""
    from housex_blender.scene import build

    timeline = show_mix.demo_timeline()
    load = os.getloadavg()[0]
    # the first time Blender and numpy load what they need
    scene, first_s = new_show(kind, timeline)
    row: dict[str, Any] = {"load_before": load, "first_show_s": first_s, "build_s": build_seconds(kind)}
    counted = curves(scene)
    row["curves"], row["curves_of_the_rig"] = counted["beyond"], counted["rig"]
    scene, row["show_s"] = new_show(kind, timeline, title_cards(timeline, FPS, TRACKLIST))
    row["curves_of_titles"] = curves(scene)["beyond"] - counted["beyond"]
    first = show_mix.moment_frames(timeline)["drop"][0]
    scene.frame_set(first)
    row["faces"] = faces()
    with tempfile.TemporaryDirectory() as folder:
        blend = build.save_copy(Path(folder) / "scene.blend")
        row["blend_mb"] = blend.stat().st_size / 1e6
        for engine in engines:
            row[f"{engine}_first_s"], row[f"{engine}_s"] = frame_seconds(scene, engine, first, Path(folder))
    compile_s, keys_s, row["keys_of_an_hour"] = bake_seconds(scene, kind, an_hour(timeline))
    row |= {"compile_hour_s": compile_s, "keys_hour_s": keys_s, "bake_hour_s": compile_s + keys_s}
    return {**row, "of_budget": {name: row[name] / most for name, most in BUDGETS.items() if name in row}}


def run(arguments: argparse.Namespace) -> int:
    """Measure every scene; 1 when a budget is passed."""
    load = os.getloadavg()[0]
    scenes = {kind: show_mix.rounded(measured(kind, arguments.engines), 3)
              for kind in show_mix.known_scenes(arguments.scenes)}  # fmt: skip
    over = []
    for kind, row in scenes.items():
        for name, part in row["of_budget"].items():
            print(f"{kind:8} {name:12} {row[name]:>10} of {BUDGETS[name]:>8g}: {100 * part:.0f} %")
            if part > 1.0:
                over.append((kind, name))
    print(f"load before: {load:.1f} on {os.cpu_count()} cores; over budget: {over or 'nothing'}")
    made_with = {"cores": os.cpu_count(), "size": "{}x{}".format(*_SIZE), "fps": FPS}
    result = {"made_with": made_with, "how": (__doc__ or "").split("\n\n")[1], "bounds": BUDGETS, "scenes": scenes}
    show_mix.keep_result("cost", result, whole=list(arguments.engines) == list(ENGINES))
    return 1 if over else 0
