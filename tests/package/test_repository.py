"""A folder of zips as an extension repository: added by its file:// URL, installed and updated from. Zone: tests."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .conftest import ROOT, other_version, run_tool

SUBSCRIBE = r"""
ID = "bl_ext.house_shows.housex"
preferences = bpy.context.preferences
# Blender asks for this even where the repository is a folder
preferences.system.use_online_access = True

def listed():
    with open(os.path.join(os.environ["BLENDER_USER_RESOURCES"], "extensions", "house_shows", "housex",
                           "blender_manifest.toml")) as stream:
        return next(line.split('"')[1] for line in stream if line.startswith("version"))

def update():
    bpy.ops.extensions.repo_sync(repo_index=repository("house_shows"))
    bpy.ops.extensions.package_install(repo_index=repository("house_shows"), pkg_id="housex", enable_on_install=True)
    folder = sys.modules[ID + ".housex_blender.ui.places"].user_folder()
    return [listed(), registered(), bpy.context.preferences.addons[ID].preferences.device,
            sorted(path.name for path in folder.iterdir()), os.path.isfile(os.path.join(
                os.environ["BLENDER_USER_RESOURCES"], "extensions", "house_shows", "housex", "only_in_old.py"))]

repo = preferences.extensions.repos.new(name="House shows", module="house_shows", remote_url=sys.argv[1])
repo.use_remote_url = True
update()
preferences.addons[ID].preferences.device = "cpu"
(sys.modules[ID + ".housex_blender.ui.places"].user_folder() / "kept.txt").write_text("mine")
seen["installed"] = update()
# somebody publishes a newer zip beside the older one
import shutil, subprocess
shutil.copy(sys.argv[2], sys.argv[3])
subprocess.run([sys.executable, sys.argv[4], "--dir", sys.argv[3]], check=True, capture_output=True)
seen["updated"] = update()
bpy.ops.preferences.addon_disable(module=ID)
seen["gone"] = not registered()
"""


def test_install_and_update_from_a_folder(
    package: Path, blender: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    folder = tmp_path / "on a server"
    folder.mkdir()
    other_version(package, folder / "housex-0.0.9.zip", "0.0.9", {"only_in_old.py": ""})
    done = run_tool("build_repository.py", "--dir", str(folder))
    assert done.returncode == 0, done.stderr
    url = done.stdout.strip()
    assert url.startswith("file://")
    assert "housex-0.0.9" in (folder / "index.html").read_text()
    seen = blender(SUBSCRIBE, url, package, folder, ROOT / ".ci" / "build_repository.py")
    version = {entry["version"] for entry in json.loads((folder / "index.json").read_text())["data"]} - {"0.0.9"}
    assert seen["installed"] == ["0.0.9", True, "cpu", ["kept.txt"], True]
    assert seen["updated"] == [version.pop(), True, "cpu", ["kept.txt"], False]
    assert seen["gone"]


def test_a_folder_without_zips_is_one_sentence(tmp_path: Path) -> None:
    done = run_tool("build_repository.py", "--dir", str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.startswith("build_repository: there is no zip in ")
    assert "Traceback" not in done.stderr
