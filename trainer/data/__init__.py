"""The published data sets, read and checked. Zone: trainer."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path

from housex_blender.analysis.headers import shown
from housex_blender.core.errors import HouseXError

from .collection import Collection


def _reader(module: str, function: str) -> Callable[..., Collection]:
    def read(folder: Path, options: Mapping[str, str] | None = None) -> Collection:
        try:
            reader = getattr(importlib.import_module(f".{module}", __name__), function)
        except ImportError as error:
            raise HouseXError(f"This data set needs {error.name}.", "pip install --group systems") from error
        collection: Collection = reader(folder, dict(options or {}))
        return collection

    return read


# each called with the folder and, where a data set comes in several forms, the options of a system
DATA_SETS: dict[str, Callable[..., Collection]] = {
    "housex": _reader("housex", "read_housex"),
    "mainstage": _reader("mainstage", "read_mainstage"),
    "gtzan": _reader("gtzan", "read_gtzan"),
    "homburg": _reader("genre_folders", "read_homburg"),
}


def read_collection(name: str, folder: Path, options: Mapping[str, str] | None = None) -> Collection:
    """Read and check a data set.

    Args:
        name: Key of DATA_SETS.
        folder: Where it was unpacked.
        options: Of a system; those that a data set does not know are ignored. ``subset`` (``whole`` or ``drops``)
            chooses among HouseX's folders of pictures; ``source`` (``audio`` or ``pictures``) what is read where both
            lie there.

    Raises:
        HouseXError: No such data set, no such folder, or the folder does not hold it.
    """
    if name not in DATA_SETS:
        raise HouseXError(f"There is no data set {name!r}.", f"Known are {', '.join(DATA_SETS)}.")
    folder = Path(folder)
    if not folder.is_dir():
        raise HouseXError(f'There is no folder "{shown(str(folder))}".', f"Name the folder with the {name} data set.")
    return DATA_SETS[name](folder, options)
