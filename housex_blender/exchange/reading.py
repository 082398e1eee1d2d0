"""Open a file of another program, whatever it is. Zone: pure."""

from __future__ import annotations

import re
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from .errors import ExchangeError
from .imported import Imported
from .read_cue import read_cue
from .read_labels import read_beats, read_lab, read_labels
from .read_rekordbox import read_rekordbox
from .read_tracklist import read_tracklist
from .text import decoded, is_number, lines_of

MAX_XML_BYTES = 50_000_000
MAX_TEXT_BYTES = 10_000_000

Lines = list[tuple[int, str]]

_WRITTEN_ONLY = (".csv", ".jams", ".mid", ".json")
_CUE_INDEX = re.compile(r"index\s+\d{1,2}\s+\d+:\d+:\d+", re.IGNORECASE | re.ASCII)
_BEAT_NUMBER = re.compile(r"\d{1,2}", re.ASCII)
_PARSERS: dict[str, Callable[[Lines, str], Imported]] = {
    "cue": read_cue,
    "tracklist": read_tracklist,
    "labels": read_labels,
    "lab": read_lab,
    "beats": read_beats,
}


def read(path: Path, mix_file: str = "") -> Imported:
    """Read beats, tempos, tracks, sections and cues; the content decides what the file is, then its ending.

    Understood are rekordbox's collection XML, cue sheets, tracklists, Audacity labels, ``.beats`` and ``.lab``.

    Args:
        path: The file.
        mix_file: File name of the mix, by which its entry in a rekordbox collection is found.

    Raises:
        ExchangeError: It cannot be read, is none of these, is damaged, or holds nothing usable.
    """
    path = Path(path)
    try:
        # a pipe or a device might never end
        if not stat.S_ISREG(path.stat().st_mode):
            raise ExchangeError(f"{path} is not a file.", "Choose a file.")
        with open(path, "rb") as stream:
            data = stream.read(MAX_XML_BYTES + 1)
    except FileNotFoundError as error:
        raise ExchangeError(f"There is no file {path}.", "Check its name.") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ExchangeError(f"{path} cannot be read: {reason}.", "Check its name and permissions.") from error
    return parse(data, path.name, mix_file)


def parse(data: bytes, name: str, mix_file: str = "") -> Imported:
    """What :func:`read` does with a file's content.

    Args:
        data: Content.
        name: File name, for its ending and for messages.
        mix_file: As for :func:`read`.

    Raises:
        ExchangeError: As for :func:`read`.
    """
    suffix = Path(name).suffix.lower()
    # UTF-16 without a mark is text to an XML parser alone
    is_xml = suffix == ".xml" or data[:2] in (b"<\0", b"\0<")
    limit = MAX_XML_BYTES if is_xml else MAX_TEXT_BYTES
    if len(data) > limit and not (len(data) <= MAX_XML_BYTES and data[:200].lstrip(b"\xef\xbb\xbf \r\n\t")[:1] == b"<"):
        raise ExchangeError(f"{name} is larger than {limit // 1_000_000} MB.", "Choose the file of one mix.")
    if is_xml:
        return read_rekordbox(data, name, mix_file)
    if suffix in _WRITTEN_ONLY:
        raise ExchangeError(
            f"HouseX writes {suffix} files but does not read them.",
            "Choose rekordbox XML, a cue sheet, a tracklist, labels, .beats or .lab.",
        )
    text, messages = decoded(data, name)
    if text.lstrip().startswith("<"):
        return read_rekordbox(data, name, mix_file)
    lines = lines_of(text, name)
    if not lines:
        raise ExchangeError(f"{name} is empty.", "Choose another file.")
    imported = _PARSERS[kind_of(lines, suffix)](lines, name)
    return replace(imported, messages=[*messages, *imported.messages]) if messages else imported


def kind_of(lines: Lines, suffix: str) -> str:
    """Which of the text formats it is: the shape of its lines, then the ending.

    Args:
        lines: At least one.
        suffix: Ending in lower case, with its dot.
    """
    if suffix == ".cue" or any(_CUE_INDEX.match(line) for _, line in lines):
        return "cue"
    rows = [line.split() for _, line in lines if not line.startswith(("#", "\\"))]
    if suffix in (".beats", ".downbeats") or (rows and all(_is_beat(row) for row in rows)):
        return "beats"
    if suffix == ".lab":
        return "lab"
    if rows and all(len(row) >= 2 and is_number(row[0]) and is_number(row[1]) for row in rows):
        # a label without text loses its second tab when the line is trimmed, but keeps the first
        tabbed = all("\t" in line for _, line in lines if not line.startswith("#"))
        return "labels" if tabbed else "lab"
    return "tracklist"


def _is_beat(row: list[str]) -> bool:
    if not is_number(row[0]):
        return False
    # labels have decimals in both columns
    return len(row) == 1 or (len(row) == 2 and bool(_BEAT_NUMBER.fullmatch(row[1])))
