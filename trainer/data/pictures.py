"""Picture files of data sets that ship pictures. Zone: trainer (Pillow)."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from housex_blender.analysis.headers import shown
from housex_blender.core.errors import HouseXError

ENDINGS = (".jpg", ".jpeg", ".png")
_DAMAGED = (OSError, ValueError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError)
_NUMBER = re.compile(r"[\s_.\-(#]*(\d+)[)\s]*$")


def read_picture(path: Path) -> NDArray[np.uint8]:
    """(H, W, 3) RGB pixels.

    Raises:
        HouseXError: It is missing, damaged or no picture.
    """
    try:
        with Image.open(path) as picture:
            return np.array(picture.convert("RGB"))
    except _DAMAGED as error:
        raise _refusal(path) from error


def is_picture(path: Path, problems: list[str]) -> bool:
    """Whether its header says so; if not, a sentence goes to the problems."""
    try:
        with Image.open(path):
            return True
    except _DAMAGED:
        problems.append(f"{_refusal(path).message.rstrip('.')}: left out.")
        return False


def _refusal(path: Path) -> HouseXError:
    return HouseXError(f'The picture "{shown(path.name)}" cannot be read.', "Unpack or download it again.")


def pictures_in(folder: Path) -> list[Path]:
    """Pictures that lie directly in a folder, by name; hidden files are left out."""
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in ENDINGS and path.name[0] != ".")


def numbered(stem: str) -> tuple[str, int | None]:
    """(what stands before the number at the end of a name, the number); (name, None) without one."""
    found = _NUMBER.search(stem)
    if found is None:
        return stem.strip(), None
    return stem[: found.start()].strip(), int(found.group(1))
