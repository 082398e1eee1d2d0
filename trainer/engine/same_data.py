"""Whether a finished run was made of the data that is there now, told without hashing hours of audio. Zone: trainer."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from housex_blender.core.errors import HouseXError
from housex_blender.core.files import read_json

from ..data.collection import Collection
from ..data.contents import content_of, files_of

# beside the audio of GTZAN, or in the usual sub-folder; classical systems read nothing else
_TABLES = ("features_*_sec.csv", "Data/features_*_sec.csv", "../features_*_sec.csv")


def mark_of(collection: Collection) -> str:
    """Hexadecimal SHA-256 over names, labels and sizes of the tracks, and over the tables beside them.

    Raises:
        HouseXError: A file cannot be read.
    """
    tracks = sorted(
        [track.name, track.label.tolist(), [_size_of(path) for path in files_of(track)]] for track in collection.tracks
    )
    tables = [[path.name, content_of(path)] for pattern in _TABLES for path in sorted(collection.folder.glob(pattern))]
    return hashlib.sha256(json.dumps([collection.synthetic, tracks, tables]).encode()).hexdigest()


def frozen_names(path: Path) -> set[str]:
    """Names of the tracks that a run's split parts.

    Raises:
        HouseXError: It is missing or damaged.
    """
    try:
        return {row["name"] for row in read_json(path.read_text(encoding="utf-8"))["tracks"]}
    except (OSError, ValueError, RecursionError, KeyError, TypeError) as error:
        raise HouseXError(f"{path} is missing or damaged.", "Start the run with --again.") from error


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise HouseXError(f"{path.name} cannot be read.", "Copy or download it again.") from error
