"""Miniatures of the published data sets, made by the synthesiser in their format, and their command. Zone: trainer.

Nobody needs the music of others to train every system for a few steps: a miniature has the files, names, tables and
labels of the data set that it stands for, and music that this project wrote. It shows that a system works, never how
well one hears real music; its ``miniature.json`` says so, and readers mark what they read from it as synthetic.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

import soundfile

from housex_blender.core.errors import HouseXError
from housex_blender.core.files import read_json, write_text_atomic

MANIFEST = "miniature.json"
SIZES = ("small", "medium")
# data set -> module with build(making) -> Built
_BUILDERS = {"housex": "miniature_housex", "mainstage": "miniature_mainstage", "gtzan": "miniature_clips",
             "homburg": "miniature_clips"}  # fmt: skip
NAMES = tuple(_BUILDERS)
SAYS = (
    "A miniature of the data set {name}: its files, names and labels have the published form, its music was made by "
    "this project's synthesiser. No figure that is measured on it says anything about real music."
)
_LIBRARIES = ("numpy", "scipy", "soundfile", "soxr", "matplotlib", "openpyxl", "librosa")


@dataclass(frozen=True)
class Making:
    """What a miniature is made with.

    Attributes:
        name: Of the data set, one of NAMES.
        folder: Empty folder to fill.
        seed: Decides every sample, from 0.
        size: One of SIZES.
        jobs: Processes.
    """

    name: str
    folder: Path
    seed: int
    size: str
    jobs: int


@dataclass(frozen=True)
class Built:
    """What the builder of a data set tells of it.

    Attributes:
        artists: Audio file relative to the folder, with forward slashes -> invented artist.
        remarks: One sentence each: where the miniature is unlike the data set it stands for.
    """

    artists: Mapping[str, str]
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class Manifest:
    """What a ``miniature.json`` says.

    Attributes:
        data_set: One of NAMES.
        seed: It was made with.
        size: One of SIZES.
        says: What it is and what its figures do not mean, for reports.
        remarks: Where it is unlike the data set, one sentence each.
        artists: Audio file relative to the folder -> invented artist.
        files: All its files, relative to the folder.
        versions: Of the libraries that made it.
    """

    data_set: str
    seed: int
    size: str
    says: str
    remarks: tuple[str, ...] = ()
    artists: Mapping[str, str] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)


def manifest_of(folder: Path) -> Manifest | None:
    """What the folder says of itself; None where it is no miniature, whatever a file of that name may hold."""
    try:
        data = read_json((folder / MANIFEST).read_text(encoding="utf-8"))
        if data["synthetic"] is not True or data["data_set"] not in NAMES:
            return None
        return Manifest(
            data["data_set"], int(data["seed"]), str(data["size"]), str(data["says"]),
            tuple(map(str, data["remarks"])), dict(data["artists"]), tuple(map(str, data["files"])),
            dict(data["versions"]),
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def make_miniature(name: str, folder: Path, seed: int = 0, size: str = "small", jobs: int = 1) -> Path:
    """Make the miniature of a data set; the same arguments always give the same sounds, pictures and labels.

    Args:
        name: One of NAMES.
        folder: Where to; a miniature that stands there is replaced once the new one is complete.
        seed: From 0.
        size: One of SIZES.
        jobs: Processes.

    Returns:
        The folder.

    Raises:
        HouseXError: The folder holds something else, or cannot be written.
    """
    if name not in NAMES:
        raise HouseXError(f"There is no miniature of {name}.", f"Choose one of {', '.join(NAMES)}.")
    if size not in SIZES:
        raise HouseXError(f"A miniature is {' or '.join(SIZES)}, not {size}.")
    if seed < 0 or jobs < 1:
        raise HouseXError("The seed must be at least 0, the number of processes at least 1.")
    folder = Path(os.path.realpath(folder))
    try:
        _check_replaceable(folder, name)
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name[:40]}-", dir=folder.parent) as room:
            made = Path(room) / "made"
            made.mkdir()
            _build(Making(name, made, seed, size, jobs))
            # again, because rendering took its time
            _check_replaceable(folder, name)
            _put(made, folder, Path(room) / "before")
    except (OSError, soundfile.SoundFileError) as error:
        reason = getattr(error, "strerror", None) or str(error).rstrip(".")
        raise HouseXError(f"{folder} cannot be written: {reason}.", "Choose a folder with enough space.") from error
    return folder


def _put(made: Path, folder: Path, aside: Path) -> None:
    """Give what was made its place; what stood there goes aside, and comes back where that fails."""
    if folder.exists():
        folder.rename(aside)
    try:
        made.rename(folder)
    except OSError:
        if aside.exists():
            aside.rename(folder)
        raise


def _check_replaceable(folder: Path, name: str) -> None:
    """Raises HouseXError where something would be lost that is not ours, or stands for another data set."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise HouseXError(f"{folder} is a file.", "Choose a folder.")
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}
    if not found:
        return
    manifest = manifest_of(folder)
    if manifest is None:
        raise HouseXError(f"{folder} is not a miniature, so it is left as it is.", "Choose a new folder.")
    if manifest.data_set != name:
        raise HouseXError(f"{folder} is a miniature of {manifest.data_set}, so it is left as it is.",
                          "Choose a new folder.")  # fmt: skip
    strange = sorted(found - set(manifest.files))
    if strange:
        raise HouseXError(
            f"{folder} holds {strange[0]}, which no miniature made, so it is left as it is.",
            "Move it elsewhere, or choose a new folder.",
        )


def _build(making: Making) -> None:
    module = importlib.import_module(f".{_BUILDERS[making.name]}", __package__)
    built: Built = module.build(making)
    files = sorted(path.relative_to(making.folder).as_posix() for path in making.folder.rglob("*") if path.is_file())
    said = {
        "data_set": making.name,
        "synthetic": True,
        "says": SAYS.format(name=making.name),
        "remarks": list(built.remarks),
        "seed": making.seed,
        "size": making.size,
        "versions": {"python": platform.python_version(), **{name: _version(name) for name in _LIBRARIES}},
        "artists": dict(sorted(built.artists.items())),
        "files": [*files, MANIFEST],
    }
    write_text_atomic(making.folder / MANIFEST, json.dumps(said, indent=1, ensure_ascii=False) + "\n")


def _version(library: str) -> str:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return "not installed"


def add_miniature_parser(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser],
) -> argparse.ArgumentParser:
    """Hook `miniature` into a larger command line; parsed arguments carry run as `func`."""
    parser = subparsers.add_parser(
        "miniature",
        help="make a small synthetic stand-in of a data set in its published format",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", choices=NAMES)
    parser.add_argument("--out", type=Path, required=True, help="new folder, or a miniature to replace")
    parser.add_argument("--seed", type=int, default=0, help="another seed, other music (default: 0)")
    parser.add_argument("--size", choices=SIZES, default="small",
                        help="small: for a few steps of training, about a minute and 7 to 170 MB; medium: five times "
                        "as many tracks, for a result")  # fmt: skip
    parser.add_argument("--jobs", type=int, default=1, help="processes (default: 1)")
    parser.set_defaults(func=run)
    return parser


def run(args: argparse.Namespace) -> int:
    """Do what the arguments ask; returns the exit code."""
    folder = make_miniature(args.name, args.out, args.seed, args.size, args.jobs)
    manifest = manifest_of(folder)
    for sentence in (manifest.says, *manifest.remarks) if manifest else ():
        print(sentence)
    print(folder)
    return 0
