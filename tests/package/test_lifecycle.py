"""Installed, enabled, disabled, updated, removed: nothing is left behind in Blender. Zone: tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from .conftest import HERE, other_version

Blender = Callable[..., dict[str, Any]]

LIFE = r"""
def enabled():
    return ID in bpy.context.preferences.addons and registered()

def left(before):
    # Blender itself keeps the path of the wheels until it ends
    lines = blender_state.difference(before, blender_state.snapshot())
    return [line for line in lines if not line.startswith("python path + " + os.environ["BLENDER_USER_RESOURCES"])]

blender_state.watch()
bare = blender_state.snapshot()
install(sys.argv[1])
seen["enabled"] = enabled()
seen["preferences"] = bpy.context.preferences.addons[ID].preferences.device
seen["user_folder"] = str(sys.modules[ID + ".housex_blender.ui.places"].user_folder())
seen["wheels"] = next((path for path in sys.path if path.startswith(os.environ["BLENDER_USER_RESOURCES"])
                       and path.endswith("site-packages")), "")
import subprocess
seen["imports"] = subprocess.run([sys.executable, "-c", "import sys; sys.path.insert(0, sys.argv[1])\n"
    "import onnxruntime, soundfile, soxr\nprint(onnxruntime.__file__, soundfile.__file__, soxr.__file__)",
    seen["wheels"]], capture_output=True, text=True, env={**os.environ, "ORT_DISABLE_TELEMETRY": "1", "PYTHONDONTWRITEBYTECODE": "1"}).stdout.split()
seen["loaded"] = [name for name in ("onnxruntime", "soundfile", "torch") if name in sys.modules]
try:
    seen["engine"] = list(bpy.ops.housex.check_engine())
except RuntimeError as error:
    seen["engine"] = str(error)
first = blender_state.snapshot()
bpy.ops.wm.read_homefile()
bpy.ops.preferences.addon_disable(module=ID)
seen["left when disabled"] = left(bare)
bpy.ops.preferences.addon_enable(module=ID)
seen["enabled again"] = enabled()
seen["other when enabled again"] = left(first)
bpy.ops.preferences.addon_disable(module=ID)
bpy.ops.preferences.addon_enable(module=ID)
bpy.ops.extensions.package_uninstall(repo_index=repository("user_default"), pkg_id="housex")
seen["left when removed"] = left(bare)
extensions = os.path.join(os.environ["BLENDER_USER_RESOURCES"], "extensions")
# folders for wheels stay, empty
seen["files left"] = [os.path.join(root, name) for folder in ("user_default/housex", ".user/user_default/housex", ".local")
                      for root, _, names in os.walk(os.path.join(extensions, folder)) for name in names]
"""


def test_install_enable_disable_remove(package: Path, blender: Blender, tmp_path: Path) -> None:
    seen = blender(LIFE, package)
    assert seen["enabled"]
    assert seen["enabled again"]
    assert seen["left when disabled"] == []
    assert seen["other when enabled again"] == []
    assert seen["left when removed"] == []
    assert seen["files left"] == []
    assert seen["preferences"] == "auto"
    extensions = tmp_path / "profile" / "extensions"
    assert Path(seen["user_folder"]) == extensions / ".user" / "user_default" / "housex"
    assert Path(seen["wheels"]) == extensions / ".local" / "lib" / f"python{HERE}" / "site-packages"
    assert len(seen["imports"]) == 3
    assert all(path.startswith(seen["wheels"]) for path in seen["imports"])
    assert seen["loaded"] == [], "the analysis must not be loaded into Blender"
    assert seen["engine"] == ["FINISHED"]


UPGRADE = r"""
extensions = os.path.join(os.environ["BLENDER_USER_RESOURCES"], "extensions")
installed = os.path.join(extensions, "user_default", "housex")

def facts():
    import tomllib
    with open(os.path.join(installed, "blender_manifest.toml"), "rb") as stream:
        version = tomllib.load(stream)["version"]
    module = sys.modules[ID + ".housex_blender"]
    return [version, registered(), sorted(n for n in os.listdir(installed) if n.startswith("only_in")),
            bpy.context.preferences.addons[ID].preferences.device]

blender_state.watch()
bare = blender_state.snapshot()
install(sys.argv[1])
bpy.context.preferences.addons[ID].preferences.device = "cpu"
kept = sys.modules[ID + ".housex_blender.ui.places"].user_folder() / "kept.txt"
kept.write_text("mine")
seen["old"] = facts()
install(sys.argv[2])
seen["new"] = facts()
seen["kept"] = kept.read_text() if kept.is_file() else ""
kept.unlink()
bpy.ops.preferences.addon_disable(module=ID)
seen["left"] = [line for line in blender_state.difference(bare, blender_state.snapshot())
                if not line.startswith("python path + ")]
"""


def test_upgrade_while_enabled(package: Path, blender: Blender, tmp_path: Path) -> None:
    old = other_version(package, tmp_path / "old.zip", "0.0.9", {"only_in_old.py": ""})
    new = other_version(package, tmp_path / "new.zip", "99.0.0", {"only_in_new.py": ""})
    seen = blender(UPGRADE, old, new)
    assert seen["old"] == ["0.0.9", True, ["only_in_old.py"], "cpu"]
    assert seen["new"] == ["99.0.0", True, ["only_in_new.py"], "cpu"]
    assert seen["kept"] == "mine"
    assert seen["left"] == []


FINDS = r"""
blender_state.watch()
bare = blender_state.snapshot()

def handler(*_): pass
def draw(self, context): pass

class HOUSEX_OT_stray(bpy.types.Operator):
    bl_idname, bl_label = "housex.stray", "Stray"

bpy.app.handlers.load_post.append(handler)
bpy.types.VIEW3D_MT_object.append(draw)
bpy.types.Scene.stray = bpy.props.IntProperty()
bpy.utils.register_class(HOUSEX_OT_stray)
bpy.app.timers.register(handler, first_interval=60)
bpy.types.SpaceView3D.draw_handler_add(handler, (), "WINDOW", "POST_PIXEL")
keymap = bpy.context.window_manager.keyconfigs.addon.keymaps.new(name="Screen")
keymap.keymap_items.new("housex.stray", "T", "PRESS")
import atexit, subprocess, tempfile, threading
atexit.register(handler)
tempfile.mkdtemp(prefix="stray-")
child = subprocess.Popen(["sleep", "60"])
threading.Thread(target=child.wait, name="stray thread", daemon=True).start()
seen["kinds"] = sorted({line.partition(" + ")[0] for line in blender_state.difference(bare, blender_state.snapshot())})
child.kill()
"""


def test_the_snapshot_finds_what_is_left(blender: Blender) -> None:
    assert blender(FINDS)["kinds"] == ["classes", "draw handlers", "exit calls", "files", "handlers", "keys",
                                       "menu entries", "operators", "processes", "properties", "threads",
                                       "timers"]  # fmt: skip
