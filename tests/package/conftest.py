"""The built zip, and a Blender with a profile of its own to install it into. Zone: tests.

Needs the network once, for the wheels, and the bpy module, which holds Blender's tool and stands in for Blender.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
PLATFORM = "linux-x64"

# every script runs after this: ID is our module in the local repository, `seen` goes back to the test
# and ends without Python's exit, where the module may crash or hang
HEAD = """
import os, sys, traceback

def fail(*error):
    traceback.print_exception(*error)
    sys.stderr.flush()
    os._exit(1)

sys.excepthook = fail
sys.path.insert(0, os.environ["STATE"])
import bpy, json
import blender_state
ID = "bl_ext.user_default.housex"
seen = {}

def registered():
    return all(hasattr(bpy.types, n) for n in ("HOUSEX_OT_analyze_mix", "HOUSEX_OT_render", "HOUSEX_PT_mix"))

def install(path):
    bpy.ops.extensions.package_install_files(filepath=path, repo="user_default", enable_on_install=True)

def repository(module):
    return [repo.module for repo in bpy.context.preferences.extensions.repos].index(module)
"""
FOOT = """
print("SEEN " + json.dumps(seen), flush=True)
os._exit(0)
"""


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Nothing here can run without Blender."""
    return True if importlib.util.find_spec("bpy") is None and collection_path.suffix == ".py" else None


def run_tool(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one of the programs in .ci."""
    return subprocess.run([sys.executable, str(ROOT / ".ci" / name), *arguments],
                          capture_output=True, text=True, timeout=600, check=False)  # fmt: skip


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip for this Python alone."""
    out = tmp_path_factory.mktemp("dist")
    done = run_tool("build_extension.py", "--out", str(out), "--pythons", HERE, "--platforms", PLATFORM)
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip())


def other_version(package: Path, target: Path, version: str, extra: dict[str, str]) -> Path:
    """The same zip as another version, with more files in it."""
    with zipfile.ZipFile(package) as source, zipfile.ZipFile(target, "w") as archive:
        for entry in source.infolist():
            content = source.read(entry)
            if entry.filename == "blender_manifest.toml":
                lines = content.decode().splitlines()
                lines = [f'version = "{version}"' if line.startswith("version = ") else line for line in lines]
                content = "\n".join(lines).encode()
            archive.writestr(entry, content, zipfile.ZIP_STORED)
        for name, text in extra.items():
            archive.writestr(name, text)
    return target


@pytest.fixture
def blender(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """``blender(script, *arguments)``: run it in a fresh Blender, give back what it put into ``seen``.

    Profile and temporary files lie in ``profile`` and ``temporary`` below tmp_path and stay from run to run.
    """

    def run(script: str, *arguments: object) -> dict[str, Any]:
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("HOUSEX_", "PYTHON"))}
        for name, folder in (("BLENDER_USER_RESOURCES", "profile"), ("TMPDIR", "temporary")):
            (tmp_path / folder).mkdir(exist_ok=True)
            environment[name] = str(tmp_path / folder)
        environment["STATE"] = str(Path(__file__).parent)
        program = tmp_path / "in_blender.py"
        program.write_text(HEAD + script + FOOT)
        done = subprocess.run([sys.executable, str(program), *map(str, arguments)], capture_output=True, text=True,
                              timeout=90, check=False, env=environment, cwd=tmp_path)  # fmt: skip
        lines = [line for line in done.stdout.splitlines() if line.startswith("SEEN ")]
        assert [done.returncode, len(lines)] == [0, 1], done.stdout[-2000:] + done.stderr[-2000:]
        seen: dict[str, Any] = json.loads(lines[0].removeprefix("SEEN "))
        return seen

    return run
