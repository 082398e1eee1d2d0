"""Files and rates that rendering and encoding share: frame names, whole pictures, writable folders. Zone: bpy."""

from __future__ import annotations

import math
import os
import shutil
import struct
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ..core.errors import SceneError

# Blender fills names in braces and rows of # into the paths it writes to.
FILLED_IN = frozenset("{}#")
PNG_HEAD, PNG_TAIL = b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"


def set_frame_rate(scene: bpy.types.Scene, fps: float) -> None:
    """Set a rate that may be fractional: 23.976 becomes 24 / 1.001."""
    if not 1.0 <= fps <= 240.0:
        raise SceneError(f"{fps:g} frames per second is out of range.", "Use a rate from 1 to 240.")
    whole = math.ceil(fps - 1e-9)
    # Film rates are written rounded, but mean a factor of exactly 1.001; over an hour that is frames.
    base = 1.001 if abs(whole / 1.001 - fps) < 2e-3 else whole / fps
    scene.render.fps, scene.render.fps_base = whole, base


def is_picture(path: Path, resolution: tuple[int, int] | None = None) -> bool:
    """Whether a file is a whole PNG (of that size): head and tail are looked at, not the pixels."""
    try:
        with path.open("rb") as file:
            head = file.read(24)
            file.seek(-8, os.SEEK_END)
            tail = file.read(8)
    except OSError:
        return False
    if len(head) < 24 or not head.startswith(PNG_HEAD) or tail != PNG_TAIL:
        return False
    return resolution is None or struct.unpack(">II", head[16:24]) == tuple(resolution)


def picture_values(path: Path) -> NDArray[np.float32]:
    """(height, width, 4) values 0..1 of a picture as they stand in the file, the upper row first.

    Raises:
        SceneError: It cannot be read.
    """
    try:
        image: Any = bpy.data.images.load(str(path))
    except RuntimeError as error:
        raise SceneError(f"{path.name} cannot be read.", "Render it again.") from error
    try:
        width, height = image.size
        values = np.empty(width * height * 4, np.float32)
        image.pixels.foreach_get(values)
        return values.reshape(height, width, 4)[::-1]
    finally:
        bpy.data.images.remove(image)


def frame_path(folder: str | os.PathLike[str], frame: int) -> Path:
    """Where a frame lies: frame_000001.png."""
    return Path(folder) / f"frame_{frame:06d}.png"


def writable_folder(folder: str | os.PathLike[str]) -> Path:
    """The folder, made if needed.

    Raises:
        SceneError: It cannot be made or written.
    """
    place = Path(folder).absolute()
    probe = place / f".hx_{os.getpid()}.tmp"
    try:
        place.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"x")
        probe.unlink()
    except OSError as error:
        raise SceneError(
            f"The folder {place} cannot be written ({error.strerror or error}).",
            "Choose another folder or free some space.",
        ) from error
    return place


def gone(folder: Path) -> SceneError:
    """The error for a folder that was there when the work began."""
    return SceneError(f"The folder {folder} is gone.", "Start again; frames that were in it are lost.")


def move_into(source: Path, target: Path) -> None:
    """Put a finished file in its place, from another disk too; never makes the folder.

    Raises:
        SceneError: The folder is gone.
        OSError: It cannot be written.
    """
    if not target.parent.is_dir():
        raise gone(target.parent)
    try:
        os.replace(source, target)
    except OSError:
        # Only the content: drives of other systems refuse to take the rights and times along.
        shutil.copyfile(source, target)


def one_line(error: BaseException) -> str:
    """The first line of what Blender or the system says, fit for the middle of a sentence."""
    text = (error.strerror if isinstance(error, OSError) else None) or str(error)
    lines = [line.strip().removeprefix("Error: ").rstrip(".") for line in text.splitlines()]
    return next((line for line in lines if line), "no reason given")
