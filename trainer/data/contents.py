"""What the files of a track contain, as a hash: frozen splits and the cache are keyed by it. Zone: trainer."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from housex_blender.analysis.headers import shown
from housex_blender.core.errors import HouseXError
from housex_blender.core.files import sha256_of

from .collection import Track

# (path, size, time of the last change) -> SHA-256, so that one run reads a file once for it
_known: dict[tuple[str, int, int], str] = {}


def files_of(track: Track) -> Iterator[Path]:
    """The audio and the pictures of a track."""
    if track.path is not None:
        yield track.path
    yield from track.pictures


def content_of(path: Path) -> str:
    """Hexadecimal SHA-256 of a file.

    Raises:
        HouseXError: It cannot be read.
    """
    try:
        status = path.stat()
        key = (str(path), status.st_size, status.st_mtime_ns)
        if key not in _known:
            _known[key] = sha256_of(path)
    except OSError as error:
        raise HouseXError(f'"{shown(path.name)}" cannot be read.', "Copy or download it again.") from error
    return _known[key]


def content_of_track(track: Track) -> str:
    """SHA-256 of the file of a track, or over those of its pictures; empty where it has no files.

    Raises:
        HouseXError: One cannot be read.
    """
    found = [content_of(path) for path in files_of(track)]
    if len(found) < 2:
        return found[0] if found else ""
    return hashlib.sha256(" ".join(found).encode()).hexdigest()
