"""The folder in which a film's frames wait: whose they are, and that one render at a time writes there. Zone: bpy."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import bpy
import numpy as np

from ..core.errors import SceneError
from ..core.files import sha256_of, write_text_atomic
from ..core.scene_kinds import is_own

if TYPE_CHECKING:
    from .film import Show

JOB_FILE, LOCK_FILE = "job.json", ".lock"
OURS = (JOB_FILE, LOCK_FILE)
FRAME_PATTERN = "frame_[0-9][0-9][0-9][0-9][0-9][0-9]*.png"
PARTIAL_PATTERN = ".frame_*.part.png"


def frames_folder(film: Path) -> Path:
    """Where the frames of a film wait: ``NAME.frames`` beside it."""
    return film.with_name(film.stem + ".frames")


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
    facts = [body, levels, look, plan, engine, scene_sha, bpy.app.version_string]
    text = json.dumps(facts, sort_keys=True, default=str)
    return {"schema": 1, "made_from": hashlib.sha256(text.encode()).hexdigest()}


def _is_ours(path: Path) -> bool:
    return path.match(FRAME_PATTERN) or path.match(PARTIAL_PATTERN) or path.match(".job-*.json")


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Keep a second render out of a frames folder while the first is at work; a killed one holds no lock.

    Raises:
        SceneError: Another process renders into it, or the folder cannot be made.
    """
    try:
        folder.mkdir(exist_ok=True)
        stream = open(folder / LOCK_FILE, "w")  # noqa: SIM115 - held open for as long as the render lasts
    except OSError as error:
        raise SceneError(
            f"The frames cannot be written to {folder}: {error.strerror or error}.", "Choose another place."
        ) from error
    try:
        if not _lock(stream):
            raise SceneError(f"Another render is writing to {folder.name}.", "Wait for it, or choose another name.")
        yield
        (folder / LOCK_FILE).unlink(missing_ok=True)
    finally:
        stream.close()


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
        path.unlink(missing_ok=True)
    with suppress(OSError):
        folder.rmdir()


def prepare_frames(show: Show, folder: Path, *, resume: bool) -> None:
    """Make the folder ready: with ``resume`` keep frames of the same job, else clear frames of ours.

    Raises:
        SceneError: The folder cannot be made, or holds frames of another job.
    """
    try:
        folder.mkdir(exist_ok=True)
        job = folder / JOB_FILE
        wanted = fingerprint(show, show.scene.render.engine)
        found = json.loads(job.read_text(encoding="utf-8")) if job.is_file() else None
        pictures = sorted(folder.glob(FRAME_PATTERN))
        strangers = [path.name for path in folder.iterdir() if path.name not in OURS and not _is_ours(path)]
        if strangers:
            raise SceneError(
                f"The folder {folder} holds other files, such as {strangers[0]}.",
                "Choose another name or an empty folder.",
            )
        if resume and pictures and found != wanted:
            raise SceneError(
                f"The frames in {folder.name} belong to another render.", "Leave out --resume to start over."
            )
        if not resume:
            if pictures and found is None:
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
    except ValueError as error:
        raise SceneError(f"{folder / JOB_FILE} is damaged.", "Leave out --resume to start over.") from error
