"""Where things are: this package, Blender's Python and its modules, the folders for results. Zone: ui."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import bpy

from ..core.process import REQUIRED_MODULES

_PARTS = (__package__ or "").split(".")
IS_EXTENSION = _PARTS[0] == "bl_ext"
# preferences and user folders hang on "bl_ext.<repository>.housex"; in a checkout the package is all there is
ROOT_PACKAGE = ".".join(_PARTS[:3]) if IS_EXTENSION else _PARTS[0]
TIMELINE_SUFFIX = ".housex.json"
# settings of a scene that hold a path
PATH_PROPERTIES = ("mix_path", "timeline_path", "film_path", "titles_path")


def user_folder(create: bool = True) -> Path:
    """A folder of ours that survives updates; made if need be, unless somebody is drawing."""
    if IS_EXTENSION:
        return Path(bpy.utils.extension_path_user(ROOT_PACKAGE, create=create))
    return Path(bpy.utils.user_resource("DATAFILES", path="housex", create=create))


def blender_python() -> str:
    """The Python program that belongs to this Blender; empty if there is none."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    prefix = Path(sys.base_prefix)
    candidates = [Path(sys.executable)] if sys.executable else []
    candidates += [prefix / "bin" / name, prefix / "bin" / "python.exe", prefix / "python.exe"]
    program = Path(bpy.app.binary_path) if bpy.app.binary_path else None
    for candidate in candidates:
        # some builds report Blender itself as the executable: starting that would open a second Blender
        if candidate.is_file() and not (program and program.is_file() and candidate.samefile(program)):
            return str(candidate)
    return ""


def module_folders() -> tuple[str, ...]:
    """Folders from which this Blender imports what the analysis needs: the bundled wheels, its own numpy.

    Looks the modules up without importing them, so that nothing heavy is loaded into Blender.
    """
    folders: dict[str, None] = {}
    for name in reversed(REQUIRED_MODULES):
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.origin:
            origin = Path(spec.origin)
            folders[str(origin.parent.parent if spec.submodule_search_locations else origin.parent)] = None
    return tuple(folders)


def absolute(path: str) -> Path:
    """A path as typed into a property; ``//`` is the folder of the .blend file."""
    return Path(os.path.abspath(bpy.path.abspath(path)))


def timeline_stem(path: Path) -> str:
    """``mix`` of ``mix.housex.json``."""
    return path.name.removesuffix(".json").removesuffix(".housex")


def relative_to(path: Path, folder: Path) -> str:
    """A path as seen from a .blend's folder, ``//…``; as it is where there is no way, as between drives on Windows."""
    try:
        # with slashes, so that a file saved on Windows opens elsewhere
        return "//" + Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:
        return str(path)


def kept_path(path: Path) -> str:
    """A path as the .blend keeps it: relative if the file is saved and the user's preferences say so."""
    if bpy.data.filepath and bpy.context.preferences.filepaths.use_relative_paths:
        return relative_to(path, Path(bpy.data.filepath).parent)
    return str(path)


def folder_for(mix: Path) -> Path | None:
    """Where what belongs to a mix goes: beside the mix, where every .blend finds it again, or beside the .blend; None
    where neither can be written, or both are inside the extension, as for the demo."""
    folders = [mix.parent]
    if bpy.data.filepath:
        folders.append(Path(bpy.data.filepath).parent)
    ours = Path(os.path.abspath(__file__)).parents[1]
    return next((at for at in folders if os.access(at, os.W_OK) and not at.is_relative_to(ours)), None)


def timeline_for(mix: Path) -> Path:
    """The timeline of a mix: in :func:`folder_for`, else in our own user folder."""
    return (folder_for(mix) or user_folder()) / (mix.stem + TIMELINE_SUFFIX)


def film_for(typed: str, mix_or_timeline: Path, ending: str = ".mp4") -> Path:
    """The film to write: as typed, or in :func:`folder_for` under the mix's name, else in the home folder."""
    if typed:
        path = absolute(typed)
        return path if path.suffix else path.with_suffix(ending)
    name = mix_or_timeline.name.removesuffix(TIMELINE_SUFFIX)
    stem = name if name != mix_or_timeline.name else mix_or_timeline.stem
    path = (folder_for(mix_or_timeline) or Path.home()) / (stem + ending)
    # a mix that is itself an .mp4 must not be overwritten by its own show
    return path.with_name(stem + "-show" + ending) if path == mix_or_timeline else path
