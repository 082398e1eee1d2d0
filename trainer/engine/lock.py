"""One run per folder at a time. Zone: trainer."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from housex_blender.core.errors import HouseXError

LOCK_FILE = ".running"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder; the system lets go of it however the process ends.

    Raises:
        HouseXError: Another process holds it, or it cannot be written.
    """
    try:
        handle = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise unwritable(folder, error) from error
    try:
        try:
            _take(handle)
        except OSError as error:
            raise HouseXError(
                f"Another run is at work in {folder}.", "Wait for it, or choose another --out."
            ) from error
        yield
    finally:
        os.close(handle)


def unwritable(folder: Path, error: OSError) -> HouseXError:
    """The sentence on a folder of runs that is read-only, or on a disk that is full."""
    return HouseXError(f"The folder {folder} cannot be written: {error.strerror or error}.", "Choose another --out.")


if sys.platform == "win32":
    import msvcrt

    def _take(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _take(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
