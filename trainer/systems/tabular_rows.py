"""Rows of GTZAN's tables for the tracks of a collection: as published, or computed from the audio. Zone: trainer."""

from __future__ import annotations

import csv
import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from housex_blender.core.errors import AudioError, HouseXError

from ..data.cache import decoded
from ..data.collection import Collection, Track
from .tabular_features import COLUMNS, FEATURES, ROW_SECONDS, SAMPLE_RATE_HZ, Row, table_rows, write_table

# in the data set's folder or its usual sub-folder
_FOLDERS = ("", "Data", "..")

Problems = Callable[[str], None]


@dataclass(frozen=True)
class Rows:
    """Examples of a classifier.

    Attributes:
        track: (n,) index into ``Collection.tracks``.
        start_s: (n,) where the row starts in its track.
        features: (n, 57) in the order of FEATURES.
        label: (n,) index of the class.
    """

    track: NDArray[np.int64]
    start_s: NDArray[np.float64]
    features: NDArray[np.float64]
    label: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.track)


def published_rows(collection: Collection, row_seconds: int, on_problem: Problems) -> Rows:
    """The rows of the table that ships with the data set.

    Args:
        collection: The data set; rows of other clips are left out.
        row_seconds: 30 or 3.
        on_problem: Called with a sentence about what was left out.

    Raises:
        HouseXError: There is no such table, it has other columns, or no row of it is of use.
    """
    name = f"features_{row_seconds}_sec.csv"
    paths = [collection.folder / folder / name for folder in _FOLDERS]
    path = next((path for path in paths if path.is_file()), None)
    if path is None:
        raise HouseXError(
            f"{name} does not lie in the data set's folder.",
            "Download it with the data set, or choose the option features=computed.",
        )
    return _of_collection(collection, read_table(path, on_problem), name, on_problem)


def computed_rows(collection: Collection, row_seconds: int, on_problem: Problems, cache: Path | None = None) -> Rows:
    """The same rows from the audio of the tracks.

    Args:
        collection: The data set; tracks without audio are left out.
        row_seconds: 30 or 3.
        on_problem: Called with a sentence about what was left out or is damaged.
        cache: Folder in which the table is kept until the audio changes; None to compute it each time.

    Raises:
        HouseXError: No track has audio that can be used.
    """
    path = None if cache is None else cache / f"features_{row_seconds}_sec-{_fingerprint(collection)}.csv"
    if path is not None and path.is_file():
        return _of_collection(collection, read_table(path, on_problem), path.name, on_problem)
    rows: list[Row] = []
    for track in tqdm(collection.tracks, desc="tabular features", unit="track", leave=False):
        try:
            rows += _computed(track, collection.classes, row_seconds, on_problem)
        except AudioError as error:
            on_problem(f"{track.name} is left out: {error.message}")
    if path is not None and rows:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_table(path, rows)
    return _of_collection(collection, rows, "The computed table", on_problem)


def read_table(path: Path, on_problem: Problems) -> list[Row]:
    """Read a table; rows with a cell that is no number are left out.

    Raises:
        HouseXError: It is not such a table.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise HouseXError(f"{path.name} has no column {missing[0]!r}.", "Download the table again.")
            cells = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise HouseXError(f"{path.name} cannot be read as a table.", "Download it again.") from error
    rows, damaged = [], 0
    for cell in cells:
        try:
            values = {name: float(cell[name]) for name in FEATURES}
            length = int(float(cell["length"]))
        except (TypeError, ValueError, OverflowError):
            damaged += 1
            continue
        if np.isfinite(list(values.values())).all():
            rows.append(Row(cell["filename"] or "", length, values, cell["label"] or ""))
        else:
            damaged += 1
    if damaged:
        on_problem(f"{damaged} rows of {path.name} hold cells that are not numbers and are left out.")
    return rows


def clip_of(name: str) -> str:
    """``blues.00000`` of ``blues/blues.00000.wav`` and of ``blues.00000.3.wav``."""
    return ".".join(name.replace("\\", "/").rsplit("/", 1)[-1].split(".")[:2])


def _start_s(name: str) -> float:
    """Where the row ``blues.00000.3.wav`` starts; 0 for one of a whole clip."""
    number = name.replace("\\", "/").rsplit("/", 1)[-1].split(".")[2:3]
    return ROW_SECONDS[1] * float(number[0]) if number and number[0].isdecimal() else 0.0


def _of_collection(collection: Collection, rows: Sequence[Row], table: str, on_problem: Problems) -> Rows:
    track_of = {clip_of(track.name): index for index, track in enumerate(collection.tracks)}
    unknown = Counter(row.label for row in rows if row.label not in collection.classes)
    for label, count in unknown.items():
        on_problem(f"{count} rows of {table} have the label {label!r}, which the data set does not know: left out.")
    known = [row for row in rows if row.label not in unknown]
    used = [row for row in known if clip_of(row.filename) in track_of]
    if len(used) < len(known):
        on_problem(f"{len(known) - len(used)} rows of {table} are of clips that the data set does not have: left out.")
    if not used:
        raise HouseXError(f"{table} has no row that fits the data set.", "Check that both are of the same data set.")
    there = {row.label for row in used}
    for label in collection.classes:
        if label not in there:
            on_problem(f"{table} has no row of {label}: nothing can be learned or said of that class.")
    return Rows(
        np.array([track_of[clip_of(row.filename)] for row in used], np.int64),
        np.array([_start_s(row.filename) for row in used]),
        np.array([[row.features[name] for name in FEATURES] for row in used]),
        np.array([collection.classes.index(row.label) for row in used], np.int64),
    )


def _computed(track: Track, classes: Sequence[str], row_seconds: int, on_problem: Problems) -> list[Row]:
    if track.path is None:
        raise AudioError("it has no audio.")
    samples = decoded(track.path, SAMPLE_RATE_HZ, on_problem)
    label = classes[int(track.label.argmax())]
    return table_rows(samples, SAMPLE_RATE_HZ, clip_of(track.name), label, row_seconds)


def _fingerprint(collection: Collection) -> str:
    """Changes with the columns, the tracks and their files, without reading these."""
    digest = hashlib.sha256(" ".join(COLUMNS).encode())
    for track in collection.tracks:
        status = track.path.stat() if track.path is not None and track.path.is_file() else None
        seen = (status.st_size, status.st_mtime_ns) if status else ()
        digest.update(repr((track.name, int(track.label.argmax()), seen)).encode())
    return digest.hexdigest()[:12]
