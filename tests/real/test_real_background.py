"""Installed, used, disabled and removed in every real Blender here, without a window. Zone: tests."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import soundfile

from .application import ROOT, Application

USE = """
import json, sys
import bpy

ID = "bl_ext.user_default.housex"
seen = {"enabled": ID in bpy.context.preferences.addons}
ui = sys.modules[ID + ".housex_blender.ui"]
# Blender draws nothing in a panel whose class it has lost
seen["lost"] = [cls.__name__ for cls in ui.CLASSES
                if cls.is_registered and getattr(bpy.types, cls.bl_rna.identifier, cls) is not cls]
scene = bpy.context.scene
scene.housex.mix_path = sys.argv[-1]
seen["analyzed"] = list(bpy.ops.housex.analyze_mix())
show = next(one for one in bpy.data.scenes if "HX Show" in one.objects)
seen["left_alone"] = sorted(object.name for object in scene.objects)
seen["frames"] = show.frame_end
lamp = next(object for object in show.objects if object.type == "LIGHT")
seen["moves"] = show.camera is not None and lamp.data.animation_data is not None
levels = set()
for frame in range(1, 200, 7):
    show.frame_set(frame)
    levels.add(round(lamp.data.energy, 3))
seen["levels"] = len(levels)
bpy.ops.preferences.addon_disable(module=ID)
seen["left"] = [name for name in dir(bpy.types) if name.startswith("HOUSEX_")]
seen["left"] += [kind.__name__ for kind in (bpy.types.Scene, bpy.types.WindowManager) if hasattr(kind, "housex")]
print("SEEN " + json.dumps(seen))
"""


@pytest.mark.slow
def test_whole_life(found: list[Application], archive: Path, tmp_path: Path) -> None:
    sound, rate = soundfile.read(ROOT / "demo_scenes" / "demo_mix.ogg", frames=40 * 44100)
    mix = tmp_path / "mix.flac"
    soundfile.write(mix, sound, rate)
    program = tmp_path / "use.py"
    program.write_text(USE)
    for application in found:
        application.settle(tmp_path / application.name)
        application.extension("install-file", "--repo", "user_default", "--enable", archive)
        done = application.run("-b", "--offline-mode", "--python-exit-code", "1", "-P", program, "--", mix)
        said = done.stdout + done.stderr
        assert [done.returncode, "Traceback" in said] == [0, False], said[-3000:]
        line = next(line for line in done.stdout.splitlines() if line.startswith("SEEN "))
        seen = json.loads(line.removeprefix("SEEN "))
        assert seen.pop("levels") > 5
        assert seen == {
            "enabled": True, "lost": [], "analyzed": ["FINISHED"], "left_alone": ["Camera", "Cube", "Light"],
            "frames": 960, "moves": True, "left": [],
        }, application.name  # fmt: skip
        application.extension("remove", "housex")
        assert not list((tmp_path / application.name).glob("profile/extensions/*/housex"))
