"""A user's labelled music: genre folders, tables of labels and the papers' own formats. Zone: trainer."""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import numpy as np
from numpy.typing import NDArray

from housex_blender.analysis.headers import shown
from housex_blender.core.files import AUDIO_ENDINGS, sha256_of
from housex_blender.core.genres import GENRES, canonical

from .label_rows import CollectionError, LabelRow, Unlabelled
from .label_studio import Spans, StudioExport, base_name, read_studio
from .label_table import read_table, read_workbook

_TABLE_ENDINGS = (".csv", ".tsv")
LIST_ENDINGS = (*_TABLE_ENDINGS, ".json", ".xlsx")
# Label Studio puts eight digits before the name of what is uploaded
UPLOAD_MARK = re.compile(r"^[0-9a-f]{8}-")


@dataclass(frozen=True)
class LabelledFile:
    """One track with its label.

    Attributes:
        path: The audio file.
        probs: (G,) share of each of the collection's genres, sums to 1.
        drops_s: (start, end) of its drops in seconds where a list tells them, else None: the hearing finds them.
        title: For people.
    """

    path: Path
    probs: NDArray[np.float32]
    drops_s: Spans | None
    title: str


@dataclass(frozen=True)
class Collection:
    """Labelled tracks.

    Attributes:
        tracks: In the order of their paths.
        genres: The classes that occur: those of GENRES first and in its order, then others by name.
        warnings: Sentences about what was left out.
    """

    tracks: tuple[LabelledFile, ...]
    genres: tuple[str, ...]
    warnings: tuple[str, ...] = ()

    def main_genres(self) -> NDArray[np.int64]:
        """(n_tracks,) index of each track's greatest share, the first of equal ones."""
        return np.array([int(np.argmax(track.probs)) for track in self.tracks], dtype=np.int64)


def read_collection(path: Path, skip_missing: bool = False) -> Collection:
    """Read labels and find the audio they belong to.

    A folder is read by what it holds: Label Studio exports, else HouseX's workbooks, else a table of labels, else one
    sub-folder per genre. A single list may be named instead; its audio is looked for in the list's folder and below.
    ``detected_drops.json``, or an export with drop regions, beside a list tells the drops.

    Args:
        path: Folder, CSV, JSON or XLSX.
        skip_missing: Leave out files that are listed and not there, with a warning, instead of refusing the list.

    Raises:
        CollectionError: There is no audio, or the labels cannot be used; one sentence says why.
        Unlabelled: Of these, the audio has no labels, or fewer than 2 sub-genres.
    """
    path = Path(path)
    if not path.exists():
        raise CollectionError(f'There is no "{shown(str(path))}".', "Name a folder of music or a list of labels.")
    folder = path if path.is_dir() else path.parent
    audio = audio_files(folder)
    if not audio and (path.is_dir() or not skip_missing):
        raise CollectionError(f'There is no audio in "{shown(folder.name)}".', "Put the tracks there or below it.")
    listed, drops_s, warnings = _listed(path)
    shelf = Shelf(folder, audio)
    if listed is None:
        found, more = _genre_folders(folder, audio)
    else:
        found, more = shelf.resolve(listed, skip_missing)
    warnings += more
    drops = {shelf.find(name): spans for name, spans in drops_s.items()}
    return _assemble(found, drops, warnings, shown(path.name))


def audio_files(folder: Path) -> list[Path]:
    """Every audio file in a folder and below it, by its ending, sorted; hidden ones are left out."""
    found: list[Path] = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(place) / name for name in names
                  if name.lower().endswith(AUDIO_ENDINGS) and not name.startswith(".")]  # fmt: skip
    return sorted(found)


def title_of(path: Path) -> str:
    """A file's name for people: no ending, no upload mark, spaces for underscores."""
    stem = UPLOAD_MARK.sub("", path.stem)
    return " ".join(shown(stem if " " in stem else stem.replace("_", " ")).split()) or shown(path.name)


def _listed(path: Path) -> tuple[list[LabelRow] | None, dict[str, Spans], list[str]]:
    """(rows or None for genre folders, drops by file name, warnings) of a folder or a list."""
    if path.is_dir():
        studio, drops, warnings = _exports_in(path)
        rows = [row for export in studio for row in export.rows]
        if rows:
            return rows, drops, warnings
        books = sorted({*path.glob("*_meta.xlsx"), *path.glob("metadata/*_meta.xlsx")})
        if books:
            return [row for book in books for row in read_workbook(book)], drops, warnings
        rows_of_table, more = _table_in(path)
        return rows_of_table, drops, warnings + more
    ending = path.suffix.lower()
    # the other lists that lie there are asked for drops alone
    _, drops, _ = _exports_in(path.parent)
    if ending in _TABLE_ENDINGS:
        rows, warnings = read_table(path)
        return rows, drops, warnings
    if ending == ".xlsx":
        return read_workbook(path), drops, []
    if ending == ".json":
        export = read_studio(path)
        if not export.rows:
            raise CollectionError(f"{path.name} names no genres.", "Name the export that holds the labels.")
        return list(export.rows), drops | export.drops_s, _unlabelled(path, export)
    raise CollectionError(
        f'"{shown(path.name)}" is neither a folder nor a list of labels.', "Name a folder, or a CSV, JSON or XLSX file."
    )


def _exports_in(folder: Path) -> tuple[list[StudioExport], dict[str, Spans], list[str]]:
    """Label Studio exports and tables of drops that lie in a folder."""
    exports: list[StudioExport] = []
    drops: dict[str, Spans] = {}
    warnings: list[str] = []
    for file in sorted(folder.glob("*.json")):
        if file.name.endswith(".housex.json"):
            continue
        try:
            export = read_studio(file)
        except CollectionError as error:
            warnings.append(f"{file.name} was left out: {error.message}")
            continue
        exports.append(export)
        drops |= export.drops_s
        warnings += _unlabelled(file, export)
    return exports, drops, warnings


def _unlabelled(path: Path, export: StudioExport) -> list[str]:
    count = export.unlabelled
    return [f"{path.name}: {count} task{'s' * (count != 1)} without a label left out."] if count else []


def _table_in(folder: Path) -> tuple[list[LabelRow] | None, list[str]]:
    """The table of labels of a folder, or None where sub-folders name the genres."""
    fitting: list[tuple[str, list[LabelRow], list[str]]] = []
    refusal: CollectionError | None = None
    for file in sorted(one for one in folder.iterdir() if one.suffix.lower() in _TABLE_ENDINGS):
        try:
            fitting.append((file.name, *read_table(file)))
        except CollectionError as error:
            refusal = refusal or error
    if len(fitting) > 1:
        names = ", ".join(name for name, _, _ in fitting)
        raise CollectionError(f"There are several tables of labels: {names}.", "Name the one to use.")
    if fitting:
        return fitting[0][1], fitting[0][2]
    # a table of something else may lie beside genre folders; without them it was meant
    if refusal is not None and not any(one.is_dir() and audio_files(one) for one in folder.iterdir()):
        raise refusal
    return None, []


def _genre_folders(folder: Path, audio: Sequence[Path]) -> tuple[list[tuple[Path, LabelRow]], list[str]]:
    """Each file with the name of the folder it lies in, directly below ``folder``."""
    found = []
    loose = 0
    for file in audio:
        parts = file.relative_to(folder).parts
        if len(parts) == 1:
            loose += 1
            continue
        found.append((file, LabelRow(str(file), {parts[0]: 1.0}, f"folder {parts[0]}")))
    if not found:
        raise Unlabelled(
            f'The audio in "{shown(folder.name)}" has no labels.', "Sort it into one folder per genre, or add a CSV."
        )
    what = "1 file lies" if loose == 1 else f"{loose} files lie"
    return found, [f"{what} in no genre's folder, left out."] if loose else []


def _plain(name: str) -> str:
    """A file name as it is compared: composed letters, no difference of case."""
    return unicodedata.normalize("NFC", name).casefold()


class Shelf:
    """Finds the audio that a list means: the lists of the papers name uploads, and users have other formats."""

    def __init__(self, folder: Path, audio: Sequence[Path]) -> None:
        self._folder = folder
        self._by_name: dict[str, list[Path]] = defaultdict(list)
        self._by_stem: dict[str, list[Path]] = defaultdict(list)
        for path in audio:
            self._by_name[_plain(path.name)].append(path)
            self._by_stem[_plain(path.stem)].append(path)

    def find(self, written: str) -> Path | None:
        """The file, or None.

        Raises:
            CollectionError: Several files have that name.
        """
        direct = self._folder / written
        try:
            if direct.is_file():
                return direct
        except (OSError, ValueError):
            return None  # a name that no file can have
        for name in dict.fromkeys((base_name(written), unquote(base_name(written)))):
            bare = UPLOAD_MARK.sub("", name)
            for places, key in (
                (self._by_name, name), (self._by_name, bare),
                (self._by_stem, Path(name).stem), (self._by_stem, Path(bare).stem),
            ):  # fmt: skip
                there = places.get(_plain(key), [])
                if len(there) > 1:
                    raise CollectionError(
                        f'"{shown(name)}" is the name of {len(there)} files.', "Write its path from the list's folder."
                    )
                if there:
                    return there[0]
        return None

    def resolve(self, rows: Sequence[LabelRow], skip_missing: bool) -> tuple[list[tuple[Path, LabelRow]], list[str]]:
        """Each row with its file.

        Raises:
            CollectionError: A file is not there.
        """
        found, missing = [], []
        for row in rows:
            path = self.find(row.file)
            if path is None:
                missing.append(row)
            else:
                found.append((path, row))
        if not missing:
            return found, []
        first = missing[0]
        others = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        text = f'The file "{shown(base_name(first.file))}"{others} is not there ({first.where})'
        if not skip_missing or not found:
            raise CollectionError(f"{text}.", "Copy it beside the list, or take it out of the list.")
        return found, [f"{text}: left out."]


def _assemble(
    found: Sequence[tuple[Path, LabelRow]], drops: dict[Path | None, Spans], warnings: list[str], name: str
) -> Collection:
    """One label per file, and the classes that occur."""
    spelling: dict[str, str] = {}
    votes: dict[Path, list[dict[str, float]]] = defaultdict(list)
    for path, row in found:
        shares: dict[str, float] = defaultdict(float)
        for written, share in row.shares.items():
            genre = canonical(written)
            shares[spelling.setdefault(genre.casefold(), genre)] += share
        total = sum(shares.values())
        if not total > 0.0:
            raise CollectionError(
                f'"{shown(path.name)}" has no label: its shares sum to 0 ({row.where}).', "Give it a genre."
            )
        votes[path].append({genre: share / total for genre, share in shares.items()})
    # people who labelled one track count alike
    labels = {path: {genre: sum(one.get(genre, 0.0) for one in rows) / len(rows) for genre in
                     {genre for one in rows for genre in one}} for path, rows in votes.items()}  # fmt: skip
    paths, copies = _without_copies(sorted(labels))
    there = {genre for path in paths for genre, share in labels[path].items() if share > 0.0}
    genres = tuple(g for g in GENRES if g in there) + tuple(sorted(there - set(GENRES), key=str.casefold))
    if len(genres) < 2:
        only = f"only {genres[0]}" if genres else "none"
        raise Unlabelled(f'"{name}" needs at least 2 sub-genres, it has {only}.', "Add tracks of another one.")
    tracks = tuple(
        LabelledFile(
            path,
            np.array([labels[path].get(genre, 0.0) for genre in genres], np.float32),
            drops.get(path),
            title_of(path),
        )
        for path in paths
    )
    return Collection(tracks, genres, (*warnings, *copies))


def _without_copies(paths: Sequence[Path]) -> tuple[list[Path], list[str]]:
    """Paths of different content: a recording on both sides of a split would flatter the figures."""
    by_size: dict[int, list[Path]] = defaultdict(list)
    for path in paths:
        by_size[path.stat().st_size].append(path)
    first: dict[str, Path] = {}
    left_out = {}
    for same in by_size.values():
        for path in same if len(same) > 1 else []:
            original = first.setdefault(sha256_of(path), path)
            if original != path:
                left_out[path] = original
    warnings = [f'"{shown(copy.name)}" is the same recording as "{shown(original.name)}" and was left out.'
                for copy, original in left_out.items()]  # fmt: skip
    return [path for path in paths if path not in left_out], warnings


def split_by_track(
    collection: Collection, validation: float = 0.2, seed: int = 0
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Indices of the training and the validation tracks, the same for the same titles wherever the folder lies.

    Tracks are drawn within each main genre, at least one from each that has two, and never the last one of a class.

    Args:
        collection: Labelled tracks.
        validation: Share of the tracks, above 0 and below 1.
        seed: Chooses another split.

    Raises:
        CollectionError: A class occurs in fewer than 2 tracks.
        ValueError: ``validation`` is not a share.
    """
    if not 0.0 < validation < 1.0:
        raise ValueError(f"validation is {validation}, which is no share")
    has = np.array([track.probs > 0.0 for track in collection.tracks])
    left = has.sum(axis=0)
    for genre, count in zip(collection.genres, left, strict=True):
        if count < 2:
            raise CollectionError(
                f"{genre} has {count} track; a split into training and validation needs 2 of every sub-genre.",
                "Add tracks of it, or leave the sub-genre out.",
            )
    main = collection.main_genres()
    chosen: list[int] = []
    for number in range(len(collection.genres)):
        mine = sorted(np.flatnonzero(main == number).tolist(), key=lambda i: _chance(collection.tracks[i], seed))
        wanted = min(max(1, round(validation * len(mine))), len(mine) - 1)
        for index in mine:
            if wanted > 0 and bool(np.all(left[has[index]] > 1)):
                left = left - has[index]
                chosen.append(index)
                wanted -= 1
    validating = np.array(sorted(chosen), dtype=np.int64)
    return np.setdiff1d(np.arange(len(main)), validating), validating


def _chance(track: LabelledFile, seed: int) -> str:
    """A place in the draw that depends on the name alone; the path settles two of one name."""
    return hashlib.sha256(f"{seed} {_plain(track.path.name)}".encode("utf-8", "replace")).hexdigest() + str(track.path)
