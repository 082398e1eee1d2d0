"""The folder in which a film's frames wait: whose they are, and that one render at a time writes there. Zone: bpy.

Frames are kept only where all that decides them is as it was: :func:`fingerprint` says so for a film of the command
line, :func:`fingerprint_of_scene` for a scene as it stands.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import bpy
import numpy as np

from ..core.errors import SceneError
from ..core.files import sha256_of, write_text_atomic
from ..core.scene_kinds import is_own
from . import compat
from .contents import hash_of_contents

if TYPE_CHECKING:
    from .film import Show

JOB_FILE, LOCK_FILE = "job.json", ".lock"
OURS = (JOB_FILE, LOCK_FILE)
_PACKAGE = Path(__file__).resolve().parents[1]
FRAME_PATTERN = "frame_[0-9][0-9][0-9][0-9][0-9][0-9]*.png"
PARTIAL_PATTERN = ".frame_*.part.png"


def fingerprint(show: Show, engine: str) -> dict[str, Any]:
    """What the frames in a folder were made from; frames of anything else must not be mixed in."""
    look = {key: value for key, value in vars(show.look).items() if key not in ("palettes", "name")}
    look["palettes"] = dict(show.look.palettes.colours)
    body = show.timeline.to_dict("")
    # where a film starts and ends changes none of its frames, but all of a loop's
    free = () if show.plan.loop else ("start_s", "end_s")
    plan = {name: value for name, value in asdict(show.plan).items() if name not in free}
    scene_sha = sha256_of(Path(show.plan.scene)) if is_own(show.plan.scene) else ""
    levels = hashlib.sha256(np.ascontiguousarray(show.timeline.envelopes.values).tobytes()).hexdigest()
    return _print([body, levels, look, plan, engine, scene_sha, *_surroundings()])


def fingerprint_of_scene(scene: bpy.types.Scene) -> dict[str, Any]:
    """What frames of a scene that is rendered as it stands are made from; engine, quality and size must be set.

    A scene of the panel holds what its user changed by hand, so the open file itself is read, not what built it.
    """
    return _print([hash_of_contents(scene), scene.name, *_surroundings()])


def _print(facts: list[Any]) -> dict[str, Any]:
    text = json.dumps(facts, sort_keys=True, default=str)
    return {"schema": 2, "made_from": hashlib.sha256(text.encode()).hexdigest()}


def _surroundings() -> list[Any]:
    """What else decides a frame: Blender, our own code, the device of Cycles, and the files that the .blend needs."""
    return [bpy.app.version_string, _our_code(), compat.has_gpu_for_cycles(), _files()]


@cache
def _our_code() -> str:
    """A hash of the code that makes scenes; another version of it may draw another tunnel."""
    sources = [path for zone in ("core", "scene") for path in sorted((_PACKAGE / zone).glob("*.py"))]
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()


def _files() -> list[tuple[str, int, int]]:
    """Name, size and time of change of every file that the open .blend needs for its pictures; 0 for a missing one."""
    silent = {os.path.abspath(bpy.path.abspath(sound.filepath)) for sound in bpy.data.sounds}
    found = []
    for name in sorted(set(bpy.utils.blend_paths(absolute=True, packed=False, local=False))):
        path = Path(os.path.abspath(name))
        if str(path) in silent:
            continue
        try:
            facts = path.stat()
            found.append((str(path), facts.st_size, facts.st_mtime_ns))
        except OSError:
            found.append((str(path), 0, 0))
    return found


def _is_ours(path: Path) -> bool:
    return path.match(FRAME_PATTERN) or path.match(PARTIAL_PATTERN) or path.match(".job-*.json")


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Keep a second render out of a frames folder while the first is at work; a killed one holds no lock.

    Raises:
        SceneError: Another process renders into it, it holds files of others, or it cannot be made.
    """
    try:
        folder.mkdir(exist_ok=True)
        _refuse_strangers(folder)
        stream = open(folder / LOCK_FILE, "w")  # noqa: SIM115 - held open for as long as the render lasts
    except OSError as error:
        raise SceneError(
            f"The frames cannot be written to {folder}: {error.strerror or error}.", "Choose another place."
        ) from error
    try:
        if not _lock(stream):
            raise SceneError(f"Another render is writing to {folder.name}.", "Wait for it, or choose another name.")
        try:
            yield
        finally:
            # while it is held, so that nobody waits for a name that goes; Windows removes no open file
            with suppress(OSError):
                (folder / LOCK_FILE).unlink(missing_ok=True)
    finally:
        stream.close()


def _refuse_strangers(folder: Path) -> None:
    strangers = [path.name for path in folder.iterdir() if path.name not in OURS and not _is_ours(path)]
    if strangers:
        raise SceneError(
            f"The folder {folder} holds other files, such as {strangers[0]}.", "Choose another name or an empty folder."
        )


def _lock(stream: IO[str]) -> bool:
    """Take the lock of an open file without waiting; the system frees it when the process ends."""
    try:
        import fcntl
    except ImportError:
        import msvcrt

        try:
            msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        except OSError:
            return False
        return True
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def remove_frames(folder: Path) -> None:
    """Remove what we put into a frames folder, and the folder if nothing else is in it."""
    for path in [*folder.glob(FRAME_PATTERN), *folder.glob(PARTIAL_PATTERN), *(folder / name for name in OURS)]:
        with suppress(OSError):
            path.unlink(missing_ok=True)
    with suppress(OSError):
        folder.rmdir()


def remove_empty(folder: Path) -> None:
    """Remove a frames folder in which no frame was finished, unless another render is at work there."""
    if folder.is_dir() and not any(folder.glob(FRAME_PATTERN)):
        with suppress(SceneError), only_one(folder):
            remove_frames(folder)


def prepare_frames(wanted: dict[str, Any], folder: Path, *, resume: bool) -> None:
    """Make the folder ready: with ``resume`` keep frames of the same job, else clear frames of ours.

    Args:
        wanted: What the frames will be made from, a fingerprint.
        folder: Where they go.
        resume: Whether to keep those that are there.

    Raises:
        SceneError: The folder cannot be made, holds pictures of others, or with ``resume`` frames of another job.
    """
    try:
        folder.mkdir(exist_ok=True)
        job = folder / JOB_FILE
        pictures = sorted(folder.glob(FRAME_PATTERN))
        if resume and pictures and _job(job) != wanted:
            raise SceneError(
                f"The frames in {folder.name} belong to another render: something was changed since.",
                "Without Resume it starts over.",
            )
        if not resume:
            if pictures and not job.is_file():
                raise SceneError(
                    f"{folder} holds pictures that are not ours.", "Choose an empty folder for the frames."
                )
            for picture in [*pictures, *folder.glob(PARTIAL_PATTERN)]:
                picture.unlink()
        write_text_atomic(job, json.dumps(wanted) + "\n")
    except OSError as error:
        raise SceneError(
            f"The frames cannot be written to {folder}: {error.strerror or error}.", "Choose another place."
        ) from error


def _job(path: Path) -> Any:
    """What the frames beside it were made from; None if nothing says so.

    Raises:
        SceneError: The file is damaged.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
    except (ValueError, RecursionError) as error:
        raise SceneError(f"{path} is damaged.", "Without Resume it starts over.") from error
