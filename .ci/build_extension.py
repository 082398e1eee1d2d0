"""Packs the extension: sources and the libraries of the analysis in one zip that needs no network. Zone: tools.

    python .ci/build_extension.py --out dist --pythons 3.11,3.13,3.14 --platform linux-x64

Blender takes from a zip the wheels that fit its own Python and system, so one zip serves all its versions on one
platform. numpy is not packed: every Blender brings its own. Only the standard library is needed, and pip.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MAX_ZIP_BYTES = 90_000_000
# Exact versions, so that the same sources give the same zip. onnxruntime asks for flatbuffers, protobuf and
# packaging too, but only its tools import them; soundfile needs cffi and typing_extensions at import.
REQUIREMENTS = (
    "onnxruntime==1.31.1",
    "soundfile==0.14.0",
    "soxr==1.1.0",
    "cffi==2.1.1",
    "typing_extensions==4.16.0",
    # for MIDI files; mido asks packaging for its own version
    "mido==1.3.3",
    "packaging==26.3",
)
# Blender's names for platforms -> what pip may take, best first. Official Linux builds run on glibc 2.28.
PIP_PLATFORMS = {
    "linux-x64": [f"manylinux_2_{minor}_x86_64" for minor in range(28, 16, -1)] + ["manylinux2014_x86_64"],
    "windows-x64": ["win_amd64"],
    "windows-arm64": ["win_arm64"],
    "macos-arm64": ["macosx_14_0_arm64"],
    "macos-x64": ["macosx_13_0_x86_64"],
}
SOURCES = ("__init__.py", "blender_manifest.toml", "LICENSE", "README.md")
PACKAGE = "housex_blender"


class BuildError(Exception):
    """One sentence about why there is no zip."""


def get_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        description="Build the extension's zip: reads this repository and downloads wheels, writes one file."
    )
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="folder for the zip (default: dist)")
    parser.add_argument("--pythons", default="3.11,3.13,3.14", help="Python versions of the Blenders to serve")
    parser.add_argument("--platform", default="linux-x64", choices=sorted(PIP_PLATFORMS), help="system to serve")
    parser.add_argument("--no-wheels", action="store_true", help="sources only: the analysis needs a Python of its own")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Build and print the zip's path; the exit code is 0 only with a zip that Blender accepts."""
    arguments = get_parser().parse_args(argv)
    try:
        pythons = [] if arguments.no_wheels else [part.strip() for part in arguments.pythons.split(",")]
        print(build(arguments.out.resolve(), pythons, arguments.platform))
    except BuildError as error:
        print(f"build_extension: {error}", file=sys.stderr)
        return 1
    return 0


def build(out: Path, pythons: Sequence[str], platform: str) -> Path:
    """Make the zip; without ``pythons`` it holds no wheels and is for every platform.

    Raises:
        BuildError: Wheels are missing, or Blender's own tool refuses the package.
    """
    tool = extension_tool()
    with staging() as stage:
        copy_sources(stage)
        if pythons:
            wheels = download_wheels(stage / "wheels", pythons, platform)
            write_manifest(stage / "blender_manifest.toml", wheels, platform)
        manifest = tomllib.loads((stage / "blender_manifest.toml").read_text(encoding="utf-8"))
        suffix = f"-{platform}" if pythons else ""
        name = f"{manifest['id']}-{manifest['version']}{suffix}.zip"
        built = stage.parent / name
        run_tool([*tool, "build", "--source-dir", str(stage), "--output-filepath", str(built)])
        run_tool([*tool, "validate", str(built)])
        size = built.stat().st_size
        if size > MAX_ZIP_BYTES:
            raise BuildError(f"{name} has {size / 1e6:.0f} MB, more than {MAX_ZIP_BYTES / 1e6:.0f}.")
        try:
            out.mkdir(parents=True, exist_ok=True)
            return Path(shutil.move(built, out / name))
        except OSError as error:
            raise BuildError(f"{out} cannot be written: {error}.") from error


@contextlib.contextmanager
def staging() -> Iterator[Path]:
    """An empty folder for the package that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="housex-build-") as folder:
        stage = Path(folder) / "package"
        stage.mkdir()
        yield stage


def copy_sources(stage: Path) -> None:
    """Copy what belongs into the zip; what the tool leaves out of it is decided by the manifest.

    Raises:
        BuildError: The repository is not whole.
    """
    for name in SOURCES:
        if (ROOT / name).is_file():
            shutil.copy2(ROOT / name, stage / name)
        elif name != "README.md":
            raise BuildError(f"{name} is missing in {ROOT}.")
    shutil.copytree(ROOT / PACKAGE, stage / PACKAGE, ignore=shutil.ignore_patterns("__pycache__", ".*", "*.pyc"))


def download_wheels(folder: Path, pythons: Sequence[str], platform: str) -> list[Path]:
    """The wheels for every Python; one that fits several is there once.

    Raises:
        BuildError: pip cannot get one of them.
    """
    for python in pythons:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
                   "--only-binary=:all:", "--implementation", "cp", "--python-version", python,
                   "--dest", str(folder)]  # fmt: skip
        for name in PIP_PLATFORMS[platform]:
            command += ["--platform", name]
        done = subprocess.run([*command, *REQUIREMENTS], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            reasons = [line for line in done.stderr.splitlines() if "ERROR" in line or "No module" in line]
            reason = (reasons or done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise BuildError(f"pip found no wheels for Python {python} on {platform}: {reason.removeprefix('ERROR: ')}")
    return sorted(folder.glob("*.whl"))


def write_manifest(path: Path, wheels: Sequence[Path], platform: str) -> None:
    """Name wheels and platform in the staged manifest, before its first table."""
    lines = path.read_text(encoding="utf-8").splitlines()
    first_table = next((number for number, line in enumerate(lines) if line.startswith("[")), len(lines))
    named = [f"  {json.dumps(f'./wheels/{wheel.name}')}," for wheel in wheels]
    added = [f"platforms = [{json.dumps(platform)}]", "wheels = [", *named, "]", ""]
    lines[first_table:first_table] = added
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def extension_tool() -> list[str]:
    """Blender's program for extensions: out of the bpy wheel of this Python, else of a Blender on PATH.

    Raises:
        BuildError: There is neither.
    """
    spec = importlib.util.find_spec("bpy")  # looks it up, does not start it
    if spec is not None and spec.origin is not None:
        for path in sorted(Path(spec.origin).parent.glob("*/scripts/addons_core/bl_pkg/cli/blender_ext.py")):
            return [sys.executable, str(path)]
    blender = shutil.which("blender")
    if blender is None:
        raise BuildError("neither the Python module bpy nor a Blender on PATH was found, one of them packs the zip.")
    return [blender, "--command", "extension"]


def run_tool(command: Sequence[str]) -> None:
    """Run Blender's tool.

    Raises:
        BuildError: It refused, with its last words.
    """
    done = subprocess.run(list(command), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        words = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()] or ["no reason given"]
        raise BuildError(f"Blender's extension tool refused the package: {words[-1].strip()}")


if __name__ == "__main__":
    sys.exit(main())
