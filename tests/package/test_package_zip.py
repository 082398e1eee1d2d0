"""The zip: built with its wheels, accepted by Blender's tool, installed, used, removed. Zone: tests.

Needs the network once, for the wheels, and the bpy module, which holds the tool and stands in for Blender.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / ".ci" / "build_extension.py"
HERE = f"{sys.version_info.major}.{sys.version_info.minor}"

if importlib.util.find_spec("bpy") is None:
    pytest.skip("needs the bpy module", allow_module_level=True)


def build(out: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(SCRIPT), "--out", str(out), *arguments],
                          capture_output=True, text=True, timeout=600, check=False)  # fmt: skip


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip for this Python alone."""
    done = build(tmp_path_factory.mktemp("dist"), "--pythons", HERE)
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip())


def test_the_zip_holds_what_it_should(package: Path) -> None:
    with zipfile.ZipFile(package) as archive:
        names = archive.namelist()
        manifest = tomllib.loads(archive.read("blender_manifest.toml").decode())
    assert {"__init__.py", "LICENSE", "housex_blender/__init__.py", "housex_blender/ui/panels.py"} <= set(names)
    assert "housex_blender/core/timeline.schema.json" in names
    assert "housex_blender/presets/palettes/house.json" in names
    strangers = [n for n in names if n.startswith(("trainer", "tests", "demo", ".")) or "__pycache__" in n]
    assert strangers == []
    wheels = [name.removeprefix("./") for name in manifest["wheels"]]
    assert sorted(wheels) == sorted(name for name in names if name.endswith(".whl"))
    packages = {Path(name).name.split("-")[0] for name in wheels}
    assert packages == {"onnxruntime", "soundfile", "soxr", "cffi", "typing_extensions", "mido", "packaging"}
    assert len(manifest["platforms"]) == 1
    assert manifest["version"] == tomllib.loads((ROOT / "blender_manifest.toml").read_text())["version"]
    assert package.stat().st_size < 90_000_000


def test_every_file_of_the_package_is_in_the_zip(package: Path) -> None:
    with zipfile.ZipFile(package) as archive:
        names = set(archive.namelist())
    files = {path.relative_to(ROOT).as_posix() for path in (ROOT / "housex_blender").rglob("*")
             if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")}  # fmt: skip
    assert files <= names


def test_a_wrong_request_is_one_sentence(tmp_path: Path) -> None:
    done = build(tmp_path, "--pythons", "2.7")
    assert done.returncode == 1
    assert done.stderr.startswith("build_extension: pip found no wheels for Python 2.7 on linux-x64")
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


IN_BLENDER = r"""
import importlib.util, json, os, sys
import bpy

ID = "bl_ext.user_default.housex"
CLASSES = ("HOUSEX_OT_analyze_mix", "HOUSEX_OT_build_tunnel", "HOUSEX_OT_render", "HOUSEX_PT_mix")
seen = {}

def registered():
    return all(hasattr(bpy.types, name) for name in CLASSES)

bpy.ops.extensions.package_install_files(filepath=sys.argv[1], repo="user_default", enable_on_install=True)
seen["enabled"] = ID in bpy.context.preferences.addons and registered()
seen["preferences"] = bpy.context.preferences.addons[ID].preferences.device
folders = sys.modules[ID + ".housex_blender.ui.places"]
seen["user_folder"] = str(folders.user_folder())
seen["wheels"] = next((path for path in sys.path if path.startswith(os.environ["BLENDER_USER_RESOURCES"])
                       and path.endswith("site-packages")), "")
import subprocess
seen["imports"] = subprocess.run([sys.executable, "-c", "import sys; sys.path.insert(0, sys.argv[1])\n"
    "import onnxruntime, soundfile, soxr\nprint(onnxruntime.__file__, soundfile.__file__, soxr.__file__)",
    seen["wheels"]], capture_output=True, text=True).stdout.split()
seen["loaded"] = [name for name in ("onnxruntime", "soundfile", "torch") if name in sys.modules]
try:
    seen["engine"] = list(bpy.ops.housex.check_engine())
except RuntimeError as error:
    seen["engine"] = str(error)
bpy.ops.preferences.addon_disable(module=ID)
seen["disabled"] = not registered() and not hasattr(bpy.types.Scene, "housex")
bpy.ops.preferences.addon_enable(module=ID)
seen["again"] = registered()
bpy.ops.preferences.addon_disable(module=ID)
bpy.ops.extensions.package_uninstall(repo_index=[r.module for r in bpy.context.preferences.extensions.repos]
                                     .index("user_default"), pkg_id="housex")
seen["removed"] = not registered() and not os.path.exists(
    os.path.join(os.environ["BLENDER_USER_RESOURCES"], "extensions", "user_default", "housex"))
print("SEEN " + json.dumps(seen))
"""


def test_install_enable_disable_remove(package: Path, tmp_path: Path) -> None:
    script = tmp_path / "in_blender.py"
    script.write_text(IN_BLENDER)
    resources = tmp_path / "resources"
    resources.mkdir()
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("HOUSEX_", "PYTHON"))}
    environment["BLENDER_USER_RESOURCES"] = str(resources)
    done = subprocess.run([sys.executable, str(script), str(package)], capture_output=True, text=True,
                          timeout=300, check=False, env=environment, cwd=tmp_path)  # fmt: skip
    lines = [line for line in done.stdout.splitlines() if line.startswith("SEEN ")]
    assert [done.returncode, len(lines)] == [0, 1], done.stdout[-2000:] + done.stderr[-2000:]
    seen = json.loads(lines[0].removeprefix("SEEN "))
    assert seen["enabled"]
    assert seen["disabled"]
    assert seen["again"]
    assert seen["removed"]
    assert seen["preferences"] == "auto"
    assert Path(seen["user_folder"]) == resources / "extensions" / ".user" / "user_default" / "housex"
    assert Path(seen["wheels"]) == resources / "extensions" / ".local" / "lib" / f"python{HERE}" / "site-packages"
    assert len(seen["imports"]) == 3
    assert all(path.startswith(seen["wheels"]) for path in seen["imports"])
    assert seen["loaded"] == [], "the analysis must not be loaded into Blender"
    assert seen["engine"] == ["FINISHED"]
