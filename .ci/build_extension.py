"""Packs the extension: sources and the libraries of the analysis in one zip that needs no network. Zone: tools.

    python .ci/build_extension.py --out dist --pythons 3.11,3.13 --platforms linux-x64,windows-x64

Blender takes from a zip the wheels that fit its own Python, so one zip serves all its versions on one platform: 3.11
is the Python of Blender 4.2 to 5.0, 3.13 that of 5.1 and later; builds of Linux distributions may have another one.
numpy is not packed: every Blender brings its own. The same sources and wheels give the same zip, byte for byte. Only
the standard library is needed, pip, and Blender's own program for extensions.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MAX_ZIP_BYTES = 90_000_000
DEFAULT_PYTHONS = "3.11,3.13"
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
# the newest that has wheels for Apple computers with Intel processors; the model's figures are the same on it
OLDER = {"macos-x64": {"onnxruntime==1.31.1": "onnxruntime==1.23.2"}}
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
# what the package carries as housex_blender/demo: a show to look at without a mix of one's own
DEMO_FILES = ("demo_mix.ogg", "demo.housex.json", "demo.housex.npz", "demo.blend")
DEMO = ROOT / "demo_scenes"
# the earliest date a zip can hold
ZIP_DATE = (1980, 1, 1, 0, 0, 0)


class BuildError(Exception):
    """One sentence about why there is no zip."""


class MissingWheelError(BuildError):
    """A library has no wheel for a platform and Python."""


def get_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        description="Build the extension: reads this repository and downloads wheels, writes one zip per platform."
    )
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="folder for the zips (default: dist)")
    parser.add_argument("--pythons", type=listed, default=listed(DEFAULT_PYTHONS),
                        help=f"Python versions of the Blenders to serve (default: {DEFAULT_PYTHONS})")  # fmt: skip
    parser.add_argument("--platforms", type=listed, help=f"systems to serve, of {', '.join(PIP_PLATFORMS)} (default: "
                        "all that every library has wheels for)")  # fmt: skip
    parser.add_argument("--no-wheels", action="store_true", help="sources only: the analysis needs a Python of its own")
    return parser


def listed(text: str) -> list[str]:
    """The parts of "a,b"."""
    return [part.strip() for part in text.split(",") if part.strip()]


def main(argv: Sequence[str] | None = None) -> int:
    """Build and print the zips' paths; the exit code is 0 only with all that was asked for by name, or any if none."""
    arguments = get_parser().parse_args(argv)
    try:
        if arguments.no_wheels:
            report(build(arguments.out.resolve(), [], ""))
            return 0
        return build_platforms(arguments.out.resolve(), arguments.pythons, arguments.platforms)
    except BuildError as error:
        print(f"build_extension: {error}", file=sys.stderr)
        return 1


def build_platforms(out: Path, pythons: Sequence[str], asked: Sequence[str] | None) -> int:
    """One zip for each platform; those not asked for by name are left out where a wheel is missing.

    Raises:
        BuildError: A platform is unknown, or a zip cannot be made for another reason than a missing wheel.
    """
    unknown = [name for name in asked or () if name not in PIP_PLATFORMS]
    if unknown:
        raise BuildError(f"there is no platform {unknown[0]!r}, only {', '.join(PIP_PLATFORMS)}.")
    built = 0
    for platform in asked or PIP_PLATFORMS:
        try:
            report(build(out, pythons, platform))
            built += 1
        except MissingWheelError as error:
            print(f"build_extension: {platform} is left out: {error}", file=sys.stderr)
    return 0 if built >= (len(asked) if asked else 1) else 1


def report(path: Path) -> None:
    """Path on stdout for programs, size on stderr for people."""
    print(path, flush=True)
    print(f"{path.name}: {path.stat().st_size / 1e6:.1f} MB", file=sys.stderr)


def build(out: Path, pythons: Sequence[str], platform: str) -> Path:
    """Make the zip; without ``pythons`` it holds no wheels and is for every platform.

    Raises:
        MissingWheelError: A library has no wheel for a Python on this platform.
        BuildError: Wheels cannot be got, or Blender's own tool refuses the package.
    """
    tool = extension_tool()
    with staging() as stage:
        if pythons:
            wheels = download_wheels(stage / "wheels", pythons, platform)
        copy_sources(stage)
        copy_demo(stage / PACKAGE / "demo")
        if pythons:
            write_manifest(stage / "blender_manifest.toml", wheels, platform)
        manifest = tomllib.loads((stage / "blender_manifest.toml").read_text(encoding="utf-8"))
        suffix = f"-{platform}" if pythons else ""
        name = f"{manifest['id']}-{manifest['version']}{suffix}.zip"
        raw, built = stage.parent / f"raw-{name}", stage.parent / name
        run_tool([*tool, "build", "--source-dir", str(stage), "--output-filepath", str(raw)])
        make_reproducible(raw, built)
        run_tool([*tool, "validate", str(built)])
        size = built.stat().st_size
        if size > MAX_ZIP_BYTES:
            raise BuildError(f"{name} has {size / 1e6:.0f} MB, more than {MAX_ZIP_BYTES / 1e6:.0f}.")
        try:
            out.mkdir(parents=True, exist_ok=True)
            return Path(shutil.move(built, out / name))
        except OSError as error:
            raise BuildError(f"{out} cannot be written: {error}.") from error


def make_reproducible(raw: Path, target: Path) -> None:
    """Write a zip anew with its files in order of name and without dates, so that only contents decide its bytes."""
    with zipfile.ZipFile(raw) as source, zipfile.ZipFile(target, "w") as archive:
        for old in sorted(source.infolist(), key=lambda entry: entry.filename):
            entry = zipfile.ZipInfo(old.filename, ZIP_DATE)
            entry.create_system = 3  # Unix, for the permissions: the default depends on the system that packs
            entry.external_attr = 0o644 << 16
            entry.compress_type = old.compress_type
            archive.writestr(entry, source.read(old), compresslevel=9)


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


def copy_demo(folder: Path) -> None:
    """Put the demo show into the package; the scene is built first if it is not there.

    Raises:
        BuildError: It cannot be built.
    """
    if not all((DEMO / name).is_file() for name in DEMO_FILES):
        done = subprocess.run(
            [sys.executable, str(DEMO / "make_scene.py"), "--scene", "tunnel"],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise BuildError(f"the demo scene cannot be built: {last_line(done.stderr)}")
    folder.mkdir()
    for name in DEMO_FILES:
        shutil.copy2(DEMO / name, folder / name)


def last_line(text: str) -> str:
    """What a program said last."""
    return ([line.strip() for line in text.splitlines() if line.strip()] or ["no reason given"])[-1]


def download_wheels(folder: Path, pythons: Sequence[str], platform: str) -> list[Path]:
    """The wheels for every Python; one that fits several is there once.

    Raises:
        MissingWheelError: The registry has none of a library.
        BuildError: pip failed for another reason.
    """
    older = OLDER.get(platform, {})
    wanted = [older.get(name, name) for name in REQUIREMENTS]
    for python in pythons:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
                   "--only-binary=:all:", "--implementation", "cp", "--python-version", python,
                   "--dest", str(folder)]  # fmt: skip
        for name in PIP_PLATFORMS[platform]:
            command += ["--platform", name]
        done = subprocess.run([*command, *wanted], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise no_wheels(done.stderr, python, platform)
    return sorted(folder.glob("*.whl"))


def no_wheels(said: str, python: str, platform: str) -> BuildError:
    """What to say after pip failed."""
    missing = re.search(r"No matching distribution found for (\S+)", said)
    # without a network pip finds nothing either, after having tried again
    if missing and "Retrying" not in said:
        return MissingWheelError(f"there is no wheel of {missing[1]} for Python {python} on {platform}.")
    reasons = [line for line in said.splitlines() if "ERROR" in line or "No module" in line]
    reason = last_line("\n".join(reasons) or said).removeprefix("ERROR: ")
    return BuildError(f"pip got no wheels for Python {python} on {platform}: {reason}")


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
        raise BuildError(f"Blender's extension tool refused the package: {last_line(done.stdout + done.stderr)}")


if __name__ == "__main__":
    sys.exit(main())
