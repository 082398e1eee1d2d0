"""One line of a list of labels, whatever format it was written in. Zone: trainer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from housex_blender.core.errors import HouseXError


class CollectionError(HouseXError):
    """A labelled folder or a list of labels cannot be used."""


class Unlabelled(CollectionError):
    """There is audio, and nothing that tells sub-genres apart."""


@dataclass(frozen=True)
class LabelRow:
    """What a list says of one file.

    Attributes:
        file: The file as the list names it.
        shares: Genre as written -> number of at least 0, not yet normalised.
        where: For people: the list and the place in it.
    """

    file: str
    shares: Mapping[str, float]
    where: str


def share_in(value: object, where: str) -> float:
    """A share of a genre: a number, or text with a decimal point or comma; nothing written counts as 0.

    Raises:
        CollectionError: It is no number, not finite or negative.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return 0.0
    try:
        number = float(value.strip().replace(",", ".")) if isinstance(value, str) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if isinstance(value, bool) or not math.isfinite(number):
        raise CollectionError(f"{where}: {value!r} is not a number.", "Write shares such as 0.75, or leave it empty.")
    if number < 0.0:
        raise CollectionError(f"{where}: {number:g} is negative.", "Write shares of at least 0.")
    return number


def text_of(path: Path) -> str:
    """The text of a list: UTF-8 with or without a mark, UTF-16 by its mark, else the code page of older programs.

    Raises:
        CollectionError: It cannot be read or is not text.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CollectionError(f"{path.name} cannot be read.", "Check its permissions.") from error
    try:
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")
    if "\0" in text:
        raise CollectionError(f"{path.name} is not a text file.", "Save the list as CSV or JSON.")
    return text
