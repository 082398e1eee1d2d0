"""How long a one-hour show takes to key, and how large its .blend is. Prints one JSON line; needs bpy."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from housex_blender.core.channels import compile_show
from housex_blender.core.looks import Look
from housex_blender.core.timeline import Timeline
from housex_blender.scene import build
from housex_blender.scene.bindings import rekey_show


def main() -> None:
    """Compile, build and key the tunnel once to warm up and once on the clock; then save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("timeline", type=Path)
    parser.add_argument("blend", type=Path)
    parser.add_argument("--fps", type=float, default=30.0)
    arguments = parser.parse_args()
    timeline = Timeline.load(arguments.timeline)
    n_frames = int(timeline.mix.duration_s * arguments.fps) + 1
    scene = build.new_scene()
    channels = compile_show(timeline, Look(), arguments.fps)
    build.build_show(scene, channels, fps=arguments.fps, n_frames=n_frames)
    began_s = time.perf_counter()
    channels = compile_show(timeline, Look(), arguments.fps)
    compiled_s = time.perf_counter()
    build.build_show(scene, channels, fps=arguments.fps, n_frames=n_frames)
    ended_s = time.perf_counter()
    rekey_show(scene, compile_show(timeline, Look(intensity=1.5), arguments.fps))
    again_s = time.perf_counter()
    build.save_blend(arguments.blend)
    print("\n" + json.dumps({
        "seconds_of_music": timeline.mix.duration_s,
        "keys": sum(len(track.frames) * track.width for track in channels.values()),
        "compile_s": compiled_s - began_s,
        "build_and_key_s": ended_s - compiled_s,
        "bake_again_s": again_s - ended_s,
        "blend_mb": arguments.blend.stat().st_size / 1e6,
    }))  # fmt: skip


if __name__ == "__main__":
    main()
