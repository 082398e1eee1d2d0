"""The zips: what they hold, for which systems, and that Blender's tool accepts them. Zone: tests."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from .conftest import HERE, PLATFORM, ROOT, run_tool

sys.path.insert(0, str(ROOT / ".ci"))
import build_extension

DEMO = {f"housex_blender/demo/{name}" for name in ("demo_mix.ogg", "demo.housex.json", "demo.housex.npz", "demo.blend")}


def build(out: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run_tool("build_extension.py", "--out", str(out), *arguments)


def test_the_zip_holds_what_it_should(package: Path) -> None:
    with zipfile.ZipFile(package) as archive:
        names = archive.namelist()
        manifest = tomllib.loads(archive.read("blender_manifest.toml").decode())
    assert {"__init__.py", "LICENSE", "housex_blender/__init__.py", "housex_blender/ui/panels.py"} <= set(names)
    assert "housex_blender/core/timeline.schema.json" in names
    assert "housex_blender/presets/palettes/house.json" in names
    assert set(names) >= DEMO
    strangers = [n for n in names if n.startswith(("trainer", "tests", "demo", ".")) or "__pycache__" in n]
    assert strangers == []
    wheels = [name.removeprefix("./") for name in manifest["wheels"]]
    assert sorted(wheels) == sorted(name for name in names if name.endswith(".whl"))
    packages = {Path(name).name.split("-")[0] for name in wheels}
    assert packages == {"onnxruntime", "soundfile", "soxr", "cffi", "typing_extensions", "mido", "packaging"}
    assert manifest["platforms"] == [PLATFORM]
    assert manifest["version"] == tomllib.loads((ROOT / "blender_manifest.toml").read_text())["version"]
    assert package.stat().st_size < 90_000_000


def test_every_file_of_the_package_is_in_the_zip(package: Path) -> None:
    with zipfile.ZipFile(package) as archive:
        names = set(archive.namelist())
    files = {path.relative_to(ROOT).as_posix() for path in (ROOT / "housex_blender").rglob("*")
             if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")}  # fmt: skip
    assert files <= names


def test_no_byte_code_and_no_library_outside_wheels(package: Path) -> None:
    with zipfile.ZipFile(package) as archive:
        endings = {Path(name).suffix for name in archive.namelist()}
    assert not endings & {".pyc", ".so", ".pyd", ".dll", ".dylib", ".exe", ".sh", ".zip", ".gz"}


@pytest.mark.parametrize("path", [ROOT, None], ids=["source", "zip"])
def test_blenders_own_check_finds_nothing(path: Path | None, package: Path) -> None:
    build_extension.run_tool([*build_extension.extension_tool(), "validate", str(path or package)])


def test_the_same_sources_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        assert build(tmp_path / name, "--no-wheels").returncode == 0
    one, two = (next((tmp_path / name).glob("*.zip")).read_bytes() for name in ("one", "two"))
    assert one == two


def test_a_platform_without_wheels_is_left_out_with_a_sentence(tmp_path: Path) -> None:
    done = build(tmp_path, "--pythons", HERE, "--platforms", "windows-arm64,windows-x64")
    assert done.returncode == 1, "it was asked for by name"
    assert "windows-arm64 is left out: there is no wheel of soxr==" in done.stderr
    assert [Path(line).name.rpartition("-windows-x64")[1:] for line in done.stdout.splitlines()] == [
        ("-windows-x64", ".zip")
    ]


def test_all_platforms_are_built_that_have_wheels(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def pretend(out: Path, pythons: list[str], platform: str) -> Path:
        if platform.startswith(refused):
            raise build_extension.MissingWheelError("there is no wheel.")
        (path := out / platform).touch()
        return path

    monkeypatch.setattr(build_extension, "build", pretend)
    refused: tuple[str, ...] = ("macos",)
    assert build_extension.build_platforms(tmp_path, ["3.11"], None) == 0
    assert {path.name for path in tmp_path.iterdir()} == {"linux-x64", "windows-x64", "windows-arm64"}
    assert build_extension.build_platforms(tmp_path, ["3.11"], ["linux-x64", "macos-x64"]) == 1
    refused = ()
    assert build_extension.build_platforms(tmp_path, ["3.11"], ["linux-x64", "macos-x64"]) == 0
    refused = tuple(build_extension.PIP_PLATFORMS)
    assert build_extension.build_platforms(tmp_path, ["3.11"], None) == 1


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("ERROR: No matching distribution found for soxr==1.1.0", build_extension.MissingWheelError),
        ("WARNING: Retrying (Retry(total=4\nERROR: No matching distribution found for soxr==1.1.0",
         build_extension.BuildError),
        ("", build_extension.BuildError),
    ],
)  # fmt: skip
def test_a_missing_wheel_is_told_from_a_missing_network(said: str, kind: type) -> None:
    assert type(build_extension.no_wheels(said, "3.11", "linux-x64")) is kind


def test_a_wrong_request_is_one_sentence(tmp_path: Path) -> None:
    done = build(tmp_path, "--pythons", "2.7", "--platforms", PLATFORM)
    assert done.returncode == 1
    assert done.stderr.startswith("build_extension: linux-x64 is left out: there is no wheel of ")
    assert "Traceback" not in done.stderr
    done = build(tmp_path, "--platforms", "amiga")
    assert done.returncode == 1
    assert done.stderr.startswith("build_extension: there is no platform 'amiga', only linux-x64,")
    assert not list(tmp_path.iterdir())
