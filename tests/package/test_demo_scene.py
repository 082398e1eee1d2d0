"""The scene that the zip carries opens in this Blender and shows the demo mix. Zone: tests."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from housex_blender.core.timeline import Timeline

LOOK = r"""
bpy.ops.wm.open_mainfile(filepath=sys.argv[1], use_scripts=False)
scene = bpy.context.scene
show = bpy.data.objects["HX Show"]
frames = json.loads(sys.argv[2])
seen["colours"], seen["kicks"] = [], []
for frame in frames:
    scene.frame_set(frame)
    seen["colours"].append(tuple(show["colour_a"]))
    seen["kicks"].append(show["kick"])
seen["frames"] = [scene.frame_start, scene.frame_end, scene.render.fps]
seen["camera"] = scene.camera is not None
seen["outside"] = sorted({path for path in bpy.utils.blend_paths(absolute=False, local=True)})
seen["scripts"] = [text.name for text in bpy.data.texts if text.use_module]
seen["materials"] = all(material.node_tree.nodes for material in bpy.data.materials if material.use_nodes)
"""


def test_the_demo_scene_shows_the_demo_mix(
    package: Path, blender: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    with zipfile.ZipFile(package) as archive:
        archive.extractall(tmp_path, [name for name in archive.namelist() if "/demo/" in name])
    demo = tmp_path / "housex_blender" / "demo"
    assert (demo / "demo.blend").stat().st_size < 5_000_000
    timeline = Timeline.load(demo / "demo.housex.json")
    timeline.check_mix(demo / "demo_mix.ogg")
    drops = [round((float(timeline.grid.starts_s[span.start_bar + 1]) + 0.02) * 24) + 1 for span in timeline.drops]
    seen = blender(LOOK, demo / "demo.blend", drops)
    assert seen["frames"][0] == 1
    assert abs(seen["frames"][1] / seen["frames"][2] - timeline.mix.duration_s) < 0.1
    assert seen["camera"]
    assert seen["materials"]
    assert seen["scripts"] == []
    assert set(seen["outside"]) <= {"//demo_mix.ogg"}
    assert len(set(map(tuple, seen["colours"]))) > 1, "the colours do not change from track to track"
    assert min(seen["kicks"]) > 0.3, "no kick on the first beat of a bar in a drop"
