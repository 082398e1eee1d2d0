"""Features of all pieces on disk, computed once per track and read back as they are needed. Zone: trainer.

A folder per front end holds one plain ``.npy`` per track, named by what the track's files contain and which pieces were
cut, and ``index.json``. Computing goes on where it was stopped; nothing is ever unpickled.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from housex_blender.analysis.audio import decode_blocks
from housex_blender.analysis.front_ends import card_of
from housex_blender.analysis.front_ends.base import FrontEnd, Samples, Stored
from housex_blender.analysis.headers import shown
from housex_blender.core.errors import AudioError, HouseXError
from housex_blender.core.files import read_json, replacing, write_text_atomic

from .collection import Collection, Piece, Track
from .contents import content_of, content_of_track
from .pictures import read_picture

INDEX = "index.json"
# raised when the same settings give other features
_VERSION = 1
_KEY_LETTERS = 24
# tracks between two writes of the index: what a killed process computes again, at most
_NOTE_EVERY = 16


@dataclass(frozen=True)
class FeatureTable:
    """The features of n pieces.

    Attributes:
        usable: (n,) False for a piece whose file cannot be read.
        problems: One sentence each.
        files: (n,) file with the features of the piece's track; None where it is not usable.
        rows: (n,) which row of it.
    """

    usable: NDArray[np.bool_]
    problems: tuple[str, ...]
    files: tuple[Path | None, ...]
    rows: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Stored:
        """What the front end stored of a piece.

        Raises:
            HouseXError: The piece is not usable, or the cache was removed meanwhile.
        """
        file = self.files[index]
        if file is None:
            raise HouseXError(f"Piece {index} has no features.", "Use the pieces that are usable.")
        try:
            # opened for each row: an open file per track is more than systems allow
            stored: Stored = np.array(np.load(file, mmap_mode="r", allow_pickle=False)[self.rows[index]])
        except (OSError, ValueError, IndexError, EOFError) as error:
            raise HouseXError(f"The cached features {file.name} are gone.", "Start the run again.") from error
        return stored


def open_features(
    collection: Collection, pieces: Sequence[Piece], front_end: FrontEnd, folder: Path, progress: bool = True
) -> FeatureTable:
    """The features of all pieces, computed where they are not in the cache yet.

    Audio is decoded once per track, at the front end's sample rate, as the mean of its channels; what a piece reaches
    beyond the end is silence. Of a piece with a picture, the picture is stored as the front end wants it.

    Args:
        collection: The data set.
        pieces: Of its tracks.
        front_end: Makes the features; what it says of itself is part of the key.
        folder: Of the cache.
        progress: Whether to show a bar.

    Raises:
        HouseXError: The cache cannot be written.
    """
    place = _place(collection, front_end, folder)
    of_track: dict[int, list[int]] = {}
    for index, piece in enumerate(pieces):
        of_track.setdefault(piece.track, []).append(index)
    usable = np.zeros(len(pieces), np.bool_)
    rows = np.zeros(len(pieces), np.int64)
    files: list[Path | None] = [None] * len(pieces)
    problems: list[str] = []
    entries = _index_of(place)
    noted = dict(entries)
    try:
        for number in tqdm(sorted(of_track), desc="features", unit="track", disable=not progress):
            track, mine = collection.tracks[number], of_track[number]
            done = _of_track(track, [pieces[index] for index in mine], front_end, place, entries)
            problems += done.problems
            if done.file is not None:
                for index, row in zip(mine, done.rows, strict=True):
                    files[index], rows[index], usable[index] = (done.file, row, True) if row >= 0 else (None, 0, False)
            if len(entries) >= len(noted) + _NOTE_EVERY:
                noted = _note(place, collection, front_end, entries)
    finally:
        if entries != noted:
            _note(place, collection, front_end, entries)
    return FeatureTable(usable, tuple(problems), tuple(files), rows)


@dataclass(frozen=True)
class _Done:
    """Of one track: its file, the row of each piece (-1: none) and what was wrong."""

    file: Path | None
    rows: Sequence[int]
    problems: Sequence[str]


def _place(collection: Collection, front_end: FrontEnd, folder: Path) -> Path:
    card = json.dumps({"version": _VERSION, **card_of(front_end)}, sort_keys=True)
    key = hashlib.sha256(card.encode()).hexdigest()[:_KEY_LETTERS]
    place = folder / f"{collection.name}-{front_end.kind}-{key}"
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(place, error) from error
    return place


def _unwritable(place: Path, error: OSError) -> HouseXError:
    return HouseXError(
        f"The cache {place.name} cannot be written: {error.strerror or error}.", "Choose another folder."
    )


def _index_of(place: Path) -> dict[str, Any]:
    """Key -> row of the index, as an earlier call left it; empty where there is none that can be read."""
    try:
        found = read_json((place / INDEX).read_text(encoding="utf-8"))
        entries = found["tracks"]
    except (OSError, ValueError, RecursionError, KeyError, TypeError):
        return {}
    return entries if isinstance(entries, dict) else {}


def _note(place: Path, collection: Collection, front_end: FrontEnd, entries: dict[str, Any]) -> dict[str, Any]:
    """Write the index with what other runs noted meanwhile; returns what stands in it."""
    for key, entry in _index_of(place).items():
        entries.setdefault(key, entry)
    _write_index(place, collection, front_end, entries)
    return dict(entries)


def _write_index(place: Path, collection: Collection, front_end: FrontEnd, entries: Mapping[str, Any]) -> None:
    index = {"data_set": collection.name, "front_end": card_of(front_end), "version": _VERSION, "tracks": entries}
    try:
        write_text_atomic(place / INDEX, json.dumps(index, indent=1, ensure_ascii=False) + "\n")
    except OSError as error:
        raise _unwritable(place, error) from error


def _key_of(track: Track, pieces: Sequence[Piece]) -> str:
    """Name of a track's features: what its files contain, and which pieces."""
    if pieces[0].picture is not None:
        parts = [content_of(piece.picture) for piece in pieces if piece.picture is not None]
    else:
        parts = [content_of_track(track), *(f"{piece.start_s:.6f}" for piece in pieces)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:_KEY_LETTERS]


def _of_track(
    track: Track, pieces: Sequence[Piece], front_end: FrontEnd, place: Path, entries: dict[str, Any]
) -> _Done:
    try:
        key = _key_of(track, pieces)
    except HouseXError as error:
        return _Done(None, (), (f'"{shown(track.name)}" is left out: {error.message}',))
    file = place / f"{key}.npy"
    known = _known(entries.get(key), file, len(pieces))
    if known is not None:
        return known
    try:
        made, problems = (_of_pictures if pieces[0].picture else _of_audio)(track, pieces, front_end)
    except HouseXError as error:
        return _Done(None, (), (f'"{shown(track.name)}" is left out: {error.message}',))
    kept = [one for one in made if one is not None]
    if not kept:
        return _Done(None, (), problems or (f'"{shown(track.name)}" is left out: none of its pieces can be used.',))
    count = iter(range(len(kept)))
    rows = [-1 if one is None else next(count) for one in made]
    try:
        with replacing(file) as temporary, temporary.open("wb") as stream:
            np.save(stream, np.stack(kept), allow_pickle=False)
    except OSError as error:
        raise _unwritable(place, error) from error
    entries[key] = {"track": track.name, "rows": rows, "problems": list(problems)}
    return _Done(file, rows, problems)


def _known(entry: Any, file: Path, pieces: int) -> _Done | None:
    """What the index says of a track; None where it, or the file, is damaged, so that both are made anew."""
    try:
        rows, problems = entry["rows"], entry["problems"]
        # reads the header only
        stored = np.load(file, mmap_mode="r", allow_pickle=False)
        whole = len(rows) == pieces and all(type(row) is int and -1 <= row < len(stored) for row in rows)
        return _Done(file, rows, problems) if whole and all(isinstance(said, str) for said in problems) else None
    except (OSError, ValueError, EOFError, KeyError, TypeError):
        return None


Made = tuple[list[Stored | None], tuple[str, ...]]


def _of_pictures(track: Track, pieces: Sequence[Piece], front_end: FrontEnd) -> Made:
    """What is stored of each picture, None where it cannot be read."""
    stored_of_picture = getattr(front_end, "stored_of_picture", None)
    if stored_of_picture is None:
        raise HouseXError(f"The front end {front_end.kind} hears audio, and only pictures of it lie there.",
                          "Use a preset that takes pictures.")  # fmt: skip
    made: list[Stored | None] = []
    problems = []
    for piece in pieces:
        try:
            made.append(stored_of_picture(read_picture(piece.picture or Path())))
        except HouseXError as error:
            made.append(None)
            problems.append(error.message)
    return made, tuple(problems)


def _of_audio(track: Track, pieces: Sequence[Piece], front_end: FrontEnd) -> Made:
    """What is stored of each piece, None where the audio ends before it starts."""
    if track.path is None:
        raise HouseXError("it has no audio.", "Add its audio, or use a preset that takes pictures.")
    problems: list[str] = []
    samples = decoded(track.path, front_end.sample_rate_hz, problems.append)
    made: list[Stored | None] = []
    beyond = 0
    for piece in pieces:
        start = round(piece.start_s * front_end.sample_rate_hz)
        window = samples[start : start + front_end.window_samples]
        if not len(window):
            made.append(None)
            beyond += 1
            continue
        made.append(front_end.stored(np.pad(window, (0, front_end.window_samples - len(window)))))
    if beyond:
        what = "1 piece starts" if beyond == 1 else f"{beyond} pieces start"
        problems.append(f'{what} after the end of "{shown(track.path.name)}" and is left out.')
    return made, tuple(problems)


def decoded(
    path: Path,
    sample_rate_hz: int,
    on_problem: Callable[[str], None] | None,
    start_s: float = 0.0,
    duration_s: float | None = None,
) -> Samples:
    """(n,) mono samples of a file.

    Args:
        path: Audio file.
        sample_rate_hz: Of the result.
        on_problem: Called with a sentence where the file is cut short or damaged.
        start_s: Where to begin.
        duration_s: How much at most; everything if None.

    Raises:
        AudioError: It cannot be read, or there is no sound from ``start_s`` on.
    """
    blocks = list(
        decode_blocks(path, rate_hz=sample_rate_hz, start_s=start_s, duration_s=duration_s, on_warning=on_problem)
    )
    if not blocks:
        raise AudioError(f'"{shown(path.name)}" has no sound from {start_s:.1f} s on.', "Export or download it again.")
    return np.concatenate(blocks)
