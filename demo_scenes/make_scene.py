"""The demo scenes: every scene keyed to the demo mix, and the timeline they were made from. Zone: tools.

    python demo_scenes/make_scene.py [--scene-only] [--scene stage]      (with the bpy module; writes beside this file)

Writes demo.housex.json, demo.housex.npz, demo.blend (the tunnel), stage.blend and lagoon.blend; the extension carries
the first three with the mix, so that somebody without a mix can look at a show at once. Run it again after a change to
the analysis, or with --scene-only after one to the looks or a scene. Save with Blender 4.5 at most: 4.2 opens that,
but no file of 5.0.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from housex_blender.core.errors import HouseXError  # noqa: E402
from housex_blender.core.files import replacing  # noqa: E402
from housex_blender.core.looks import Look, load_palettes  # noqa: E402
from housex_blender.core.timeline import Timeline  # noqa: E402

HERE = ROOT / "demo_scenes"
MIX = HERE / "demo_mix.ogg"
FILES = {"tunnel": "demo.blend", "stage": "stage.blend", "lagoon": "lagoon.blend"}
MAX_BLEND_BYTES = 5_000_000
FPS = 24.0
SIZE = (1280, 720)


def hear(timeline_path: Path) -> Timeline:
    """Analyse the demo mix in a process of its own; ends the program if that fails."""
    command = [sys.executable, str(ROOT / "render_mix.py"), str(MIX), "--no-render",
               "--save-timeline", str(timeline_path)]  # fmt: skip
    if subprocess.run(command, cwd=ROOT, check=False).returncode:
        raise SystemExit(1)
    return Timeline.load(timeline_path)


def build_blend(timeline: Timeline, scene: str, path: Path) -> None:
    """Build a scene in an empty file, key it and save it; the sound's path is relative to the mix beside it.

    Raises:
        HouseXError: The scene cannot be built or saved.
    """
    import bpy

    from housex_blender.scene import build, film

    bpy.ops.wm.read_factory_settings(use_empty=True)
    empty = bpy.context.scene
    # EEVEE, because a first look should move on a graphics card; the renderer is a choice of the panel
    plan = film.FilmPlan(
        scene=scene, engine="eevee", quality="draft", resolution=SIZE, fps=FPS, end_s=timeline.mix.duration_s
    )
    film.make_show(timeline, Look(load_palettes("house")), MIX, plan)
    bpy.data.scenes.remove(empty)
    build.save_blend(path)
    pack_tighter(path)


def pack_tighter(path: Path) -> None:
    """Compress a saved .blend anew: Blender uses zstd's fastest level, the slow one saves a quarter."""
    import zstandard

    with path.open("rb") as stream:
        content = zstandard.ZstdDecompressor().stream_reader(stream, read_across_frames=True).read()
    with replacing(path) as temporary:
        temporary.write_bytes(zstandard.ZstdCompressor(level=19).compress(content))


def main(argv: Sequence[str] | None = None) -> int:
    """Write the files; the exit code is 0 only with all of them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--scene-only", action="store_true", help="keep the timeline that is there")
    parser.add_argument("--scene", nargs="+", choices=tuple(FILES), default=list(FILES), help="default: all")
    arguments = parser.parse_args(argv)
    timeline_path = HERE / "demo.housex.json"
    try:
        timeline = Timeline.load(timeline_path) if arguments.scene_only else hear(timeline_path)
        for scene in arguments.scene:
            blend = HERE / FILES[scene]
            build_blend(timeline, scene, blend)
            size = blend.stat().st_size
            print(f"Wrote {blend}: {size / 1e6:.1f} MB")
            if size > MAX_BLEND_BYTES:
                print(f"make_scene: {blend.name} is larger than {MAX_BLEND_BYTES / 1e6:.0f} MB.", file=sys.stderr)
                return 1
    except HouseXError as error:
        print(f"make_scene: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
