"""HouseX as audio: the tracks, the four workbooks that describe them, and the annotated drops. Zone: trainer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from housex_blender.analysis.headers import shown
from housex_blender.core.errors import HouseXError

from ..own.collection import UPLOAD_MARK, Shelf, audio_files
from ..own.label_rows import CollectionError
from ..own.label_studio import Spans, base_name, read_studio
from .classes import HOUSEX
from .collection import Collection, Track
from .miniature import MANIFEST
from .reading import artists_and_title, composed, counted, duration_of, finished, one_hot, quoted, within
from .workbook import read_cells

_WORKBOOK = re.compile(r"(future|bass|progressive|melodic)_house_meta", re.IGNORECASE)
_COLUMNS = 4
# slower than any house track: counted at half its tempo
_HALF_TEMPO_BELOW = 80.0
_PITCHES = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
_ALTERED = {"": 0, "♭": -1, "b": -1, "♯": 1, "#": 1}
_KEY = re.compile(r"([A-G])([♭b♯#]?)\s+(major|minor)", re.IGNORECASE)


@dataclass(frozen=True)
class Entry:
    """One row of a workbook.

    Attributes:
        file: Name of the audio file.
        number: Index of its class.
        key: For example ``F# minor``; empty where not given.
        camelot: The same as a number and a letter, for example ``11A``.
        bpm: Tempo; 0 where not given.
    """

    file: str
    number: int
    key: str
    camelot: str
    bpm: float


def workbooks_in(folder: Path) -> list[tuple[int, Path]]:
    """(class, workbook) of those that lie in a folder or in its folder ``metadata``."""
    found = []
    for path in sorted({*folder.glob("*.xlsx"), *folder.glob("metadata/*.xlsx")}):
        named = _WORKBOOK.fullmatch(path.stem)
        if named:
            found.append((HOUSEX.index(f"{named.group(1).title()} House"), path))
    return found


def camelot_of(key: str) -> str | None:
    """Number and letter of a key on the Camelot wheel; None for text that is no key."""
    found = _KEY.fullmatch(key.strip())
    if not found:
        return None
    pitch = _PITCHES[found.group(1).lower()] + _ALTERED[found.group(2).lower()]
    minor = found.group(3).lower() == "minor"
    # a minor key stands with the major one of the same notes
    number = (7 * (pitch + 3 * minor) + 7) % 12 + 1
    return f"{number}{'A' if minor else 'B'}"


def read_audio(folder: Path) -> Collection:
    """The tracks that the workbooks name, with their drops where a Label Studio export marks them.

    The paper's parts are not published as a list, so ``published`` is empty.
    """
    problems: list[str] = []
    entries = [entry for number, path in workbooks_in(folder) for entry in _entries(path, number, problems)]
    shelf = Shelf(folder, audio_files(folder))
    damaged: list[str] = []
    drops = _drops(folder, shelf, problems, damaged)
    tracks: dict[str, Track] = {}
    used: set[Path] = set()
    missing: list[str] = []
    for entry in entries:
        path = _file(shelf, entry.file, missing, problems)
        if path is None:
            continue
        used.add(path)
        name = composed(path.stem)
        if name in tracks:
            problems.append(f'"{name}" stands in the workbooks twice: the first row counts.')
            continue
        duration_s = duration_of(path, problems)
        if duration_s is not None:
            drops_s = within(drops.get(path), name, duration_s, problems)
            tracks[name] = _track(name, entry, path, duration_s, drops_s)
    if missing:
        problems.append(f"{counted(len(missing), 'track')} of the workbooks not there: {quoted(missing)}.")
    others = [path.name for path in audio_files(folder) if path not in used]
    if others:
        problems.append(f"{counted(len(others), 'audio file')} in no workbook left out: {quoted(others)}.")
    without = [track.name for track in tracks.values() if track.drops_s is None]
    if without and len(without) < len(tracks):
        problems.append(f"{counted(len(without), 'track')} without an annotated drop: {quoted(without)}.")
    elif without:
        problems.append("No file annotates the drops; those that the paper used were never published with it.")
    return finished("housex", folder, HOUSEX, tracks.values(), problems, damaged=damaged)


def _track(name: str, entry: Entry, path: Path, duration_s: float, drops_s: Spans | None) -> Track:
    artist, title = artists_and_title(name)
    facts: dict[str, str | float] = {"title": title}
    facts |= {key: value for key, value in
              (("key", entry.key), ("camelot", entry.camelot), ("bpm", entry.bpm)) if value}  # fmt: skip
    return Track(name, one_hot(entry.number, HOUSEX), path, artist=artist, duration_s=duration_s, drops_s=drops_s,
                 facts=facts)  # fmt: skip


def _file(shelf: Shelf, written: str, missing: list[str], problems: list[str]) -> Path | None:
    try:
        path = shelf.find(written)
    except CollectionError as error:
        problems.append(f"{error.message.rstrip('.')}: left out.")
        return None
    if path is None:
        missing.append(written)
    return path


def _entries(path: Path, number: int, problems: list[str]) -> list[Entry]:
    """The rows of one workbook; wrong cells are told, and only a row without a file name is left out."""
    entries: list[Entry] = []
    try:
        rows = read_cells(path)
    except HouseXError as error:
        problems.append(error.message)
        return entries
    for line, cells in rows:
        where = f"{path.name}, row {line}"
        if len(cells) != _COLUMNS:
            problems.append(f"{where} has {counted(len(cells), 'cell')}, not {_COLUMNS} (file, key, Camelot, BPM).")
        file, key, camelot, tempo = ([*cells, "", "", "", ""])[:_COLUMNS]
        if not file:
            problems.append(f"{where} names no file: left out.")
            continue
        entries.append(Entry(file, number, *_checked_key(key, camelot, where, problems), _bpm(tempo, where, problems)))
    return entries


def _checked_key(key: str, camelot: str, where: str, problems: list[str]) -> tuple[str, str]:
    wanted = camelot_of(key)
    if wanted is None:
        problems.append(f'{where}: "{shown(key)}" is not a key.')
        return "", camelot.upper()
    if camelot and camelot.upper() != wanted:
        problems.append(f'{where}: {key} is {wanted} on the Camelot wheel, not "{shown(camelot)}".')
    return key, wanted


def _bpm(written: str, where: str, problems: list[str]) -> float:
    try:
        bpm = float(written)
    except ValueError:
        bpm = 0.0
    if not 30.0 <= bpm <= 300.0:
        problems.append(f'{where}: "{shown(written)}" is no tempo.')
        return 0.0
    if bpm < _HALF_TEMPO_BELOW:
        problems.append(f"{where}: {bpm:g} BPM is half the tempo, {2 * bpm:g} is taken.")
        return 2 * bpm
    return bpm


def _drops(folder: Path, shelf: Shelf, problems: list[str], damaged: list[str]) -> dict[Path, Spans]:
    """Drops by file, of the Label Studio exports in the folder, ``metadata``, ``annotations`` or ``drops``."""
    found: dict[Path, Spans] = {}
    by_upload = {_uploaded(path.name): path for path in audio_files(folder)}
    for path in _exports(folder):
        try:
            drops = read_studio(path, problems.append).drops_s
        except CollectionError as error:
            problems.append(f"{path.name} was left out: {error.message}")
            damaged.append(path.name)
            continue
        unknown: list[str] = []
        for written, spans in drops.items():
            # an upload lost its blanks and brackets
            file = by_upload.get(_uploaded(written)) or _file(shelf, written, unknown, problems)
            if file is not None:
                found[file] = spans
        if unknown:
            problems.append(f"{path.name} marks drops of tracks that are not there: {quoted(unknown)}.")
    return found


def _uploaded(written: str) -> str:
    """The stem of a file name as Label Studio keeps it, without the mark that it puts before."""
    stem = UPLOAD_MARK.sub("", Path(composed(base_name(written))).stem)
    return re.sub(r"[^-\w.]", "", stem.replace(" ", "_"))


def _exports(folder: Path) -> Sequence[Path]:
    places = (folder, *(folder / name for name in ("metadata", "annotations", "drops")))
    found = [path for place in places for path in sorted(place.glob("*.json"))]
    return [path for path in found if path.name != MANIFEST and not path.name.endswith(".housex.json")]
