"""Writing files so that a reader never meets half of one. Zone: pure."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# what people keep mixes in: for choosers and for walks through folders; what can be read is found out by reading
AUDIO_ENDINGS = (".wav", ".aif", ".aiff", ".flac", ".ogg", ".opus", ".mp3", ".m4a", ".aac", ".mp4", ".mkv", ".mov")


# an escaped surrogate: in pairs they are a character, alone they are none
_HALF_CHARACTER = re.compile(r"\\u[dD][89a-fA-F]")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; it takes the final name only if the block succeeds.

    The temporary name keeps the ending, so that encoders that look at it choose the same format. A link stays one: what
    it leads to is replaced.

    Raises:
        OSError: The folder cannot be written, or the file was made read-only.
    """
    path = Path(os.path.realpath(path))
    if path.exists() and not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, "the file is read-only")
    handle, name = tempfile.mkstemp(prefix=f".{path.stem[:40]}-", suffix=path.suffix or ".tmp", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        # mkstemp makes private files; the user expects the usual permissions
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(temporary, 0o666 & ~mask)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def read_json(text: str, **options: Any) -> Any:
    """What a JSON text holds; halves of characters, which Blender takes and UTF-8 writes nowhere, become ``?``.

    Args:
        text: Of a file that somebody else may have written.
        options: For :func:`json.loads`.

    Raises:
        ValueError: It is no JSON.
        RecursionError: It is nested too deeply.
    """
    data = json.loads(text, **options)
    if not _HALF_CHARACTER.search(text):
        return data
    return json.loads(json.dumps(data, ensure_ascii=False).encode("utf-8", "replace"))


def write_text_atomic(path: Path, text: str) -> None:
    """Write UTF-8 text under a temporary name, then rename."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def sha256_of(path: Path) -> str:
    """Hexadecimal SHA-256 of a file, read in blocks.

    Raises:
        OSError: It cannot be read, or is a folder, a pipe or a device, which might never end.
    """
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise OSError(errno.EINVAL, "not an ordinary file")
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
