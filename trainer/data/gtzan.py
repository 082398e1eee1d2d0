"""GTZAN (Tzanetakis and Cook 2002): 1000 clips of 30 s, its tables, or pictures that were made of it. Zone: trainer."""

from __future__ import annotations

import csv
import dataclasses
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from housex_blender.analysis.headers import shown
from housex_blender.core.errors import HouseXError

from .classes import GTZAN
from .collection import Collection, Track
from .genre_folders import ENDINGS, genre_root, genre_tracks
from .pictures import is_picture, pictures_in
from .reading import class_number, counted, finished, miniature_around, one_hot, quoted

GROUPS_FILE = "gtzan_groups.csv"
CLIPS_PER_GENRE = 100
# the clips last 29.9 to 30.6 s
_SHORTEST_S = 29.0
_AUDIO_PLACES = ("", "genres_original", "Data/genres_original", "genres", "Data/genres")
# the paper's code names the folder of 1 s; the others by the same rule
_PICTURES = {"1": "images_one_sec", "3": "images_three_sec", "10": "images_ten_sec", "30": "images_thirty_sec"}
_TABLES = ("features_30_sec.csv", "features_3_sec.csv")
_CLIP = re.compile(r"([a-z]+)\.?(\d{5})(?:[._](\d+))?", re.IGNORECASE)
# damaged in the copy that most people have
_KNOWN_DAMAGED = "jazz.00054"
_LOOKS_LIKE = "It has genres_original with a folder per genre, blues/blues.00000.wav to rock/rock.00099.wav."


def read_gtzan(folder: Path, options: Mapping[str, str]) -> Collection:
    """The audio where it lies there, else pictures, else the clips that the tables name; ``source`` chooses.

    ``gtzan_groups.csv`` beside it (columns ``file`` and ``group`` or ``artist``) tells which clips belong together: the
    data set repeats recordings and artists (Sturm 2013) and does not say which.

    Raises:
        HouseXError: The folder holds none of them, or not what was chosen.
    """
    source = options.get("source", "")
    problems: list[str] = []
    audio = genre_root(folder, GTZAN, _AUDIO_PLACES)
    tracks: list[Track] = []
    if source != "pictures" and audio is not None:
        tracks = _audio(audio, problems)
    if not tracks and source != "audio":
        pictures = _picture_root(folder, options.get("length", ""), problems)
        tracks = _pictures(pictures, problems) if pictures is not None else []
    if not tracks and not source:
        tracks = _of_tables(folder, problems)
    if not tracks:
        what = {"audio": "audio", "pictures": "pictures"}.get(source, "clip")
        raise HouseXError(
            f'"{shown(folder.name)}" is not the GTZAN data set: no {what} of most genres is there.', _LOOKS_LIKE
        )
    tracks = _grouped(folder, tracks, problems)
    if miniature_around(folder) is None:
        _count(tracks, problems)
    return finished("gtzan", folder, GTZAN, tracks, problems)


def _audio(place: Path, problems: list[str]) -> list[Track]:
    found: list[str] = []
    tracks = []
    for track in genre_tracks(place, GTZAN, found):
        # ``blues/blues.00000`` is called blues.00000 everywhere
        tracks.append(dataclasses.replace(track, name=track.name.partition("/")[2]))
    problems += [f"{text} It is damaged in the usual copy." if _KNOWN_DAMAGED in text else text for text in found]
    odd = [track.name for track in tracks if not _CLIP.fullmatch(track.name)]
    if odd:
        problems.append(f"{counted(len(odd), 'clip')} not named like blues.00000: {quoted(odd)}.")
    return tracks


def _picture_root(folder: Path, length: str, problems: list[str]) -> Path | None:
    """The folder of pictures of clips of so many seconds.

    Raises:
        HouseXError: Only pictures of other lengths are there, or several and none was chosen.
    """
    found = {place.name: place for parent in (folder, folder / "Data") if parent.is_dir()
             for place in sorted(parent.glob("images_*")) if genre_root(place, GTZAN)}  # fmt: skip
    if not found:
        return genre_root(folder, GTZAN) if _has_pictures(folder) else None
    wanted = _PICTURES.get(length, "")
    if wanted in found:
        return found[wanted]
    others = [name for name in found if name not in _PICTURES.values()] if wanted else list(found)
    if len(others) != 1:
        have = quoted(list(found))
        raise HouseXError(f"Of the folders of pictures ({have}) none is {wanted or 'the only one'}.",
                          "Choose the length that they show, or move the others away.")  # fmt: skip
    if wanted:
        problems.append(f"The name of {others[0]} does not tell whether its pictures show {length} s.")
    return found[others[0]]


def _has_pictures(folder: Path) -> bool:
    return any(class_number(entry.name, GTZAN) is not None and pictures_in(entry)
               for entry in folder.iterdir() if entry.is_dir())  # fmt: skip


def _pictures(place: Path, problems: list[str]) -> list[Track]:
    """Pictures ``blues00000_003.png`` by clip."""
    clips: dict[str, list[tuple[int, Path]]] = defaultdict(list)
    genre_of: dict[str, int] = {}
    odd = []
    for entry in sorted(entry for entry in place.iterdir() if entry.is_dir()):
        number = class_number(entry.name, GTZAN)
        for path in pictures_in(entry) if number is not None else ():
            found = _CLIP.fullmatch(path.stem)
            if found is None or number is None:
                odd.append(path.name)
                continue
            if not is_picture(path, problems):
                continue
            name = f"{GTZAN[number]}.{found.group(2)}"
            genre_of[name] = number
            clips[name].append((int(found.group(3) or 0), path))
    if odd:
        problems.append(f"{counted(len(odd), 'picture')} not named like blues00000_000.png left out: {quoted(odd)}.")
    return [Track(name, one_hot(genre_of[name], GTZAN), pictures=tuple(path for _, path in sorted(clips[name])))
            for name in sorted(clips)]  # fmt: skip


def _of_tables(folder: Path, problems: list[str]) -> list[Track]:
    """A track without audio per clip that a table names."""
    from ..systems.tabular_rows import clip_of, read_table

    label_of: dict[str, str] = {}
    for place in (folder, folder / "Data"):
        for name in _TABLES:
            if (place / name).is_file():
                label_of |= {clip_of(row.filename): row.label for row in read_table(place / name, problems.append)}
    unknown = sorted({label for label in label_of.values() if class_number(label, GTZAN) is None})
    if unknown:
        problems.append(
            f"{counted(len(unknown), 'label')} of the tables unknown, their clips left out: {quoted(unknown)}."
        )
    if label_of:
        problems.append("Only tables lie there, no audio and no pictures: networks cannot be trained.")
    numbers = {name: class_number(label, GTZAN) for name, label in label_of.items()}
    return [Track(name, one_hot(number, GTZAN)) for name, number in sorted(numbers.items()) if number is not None]


def _count(tracks: Sequence[Track], problems: list[str]) -> None:
    """Whether each genre that is there has its hundred clips, and these their length."""
    short = [f"{track.name} ({track.duration_s:.1f} s)" for track in tracks if 0.0 < track.duration_s < _SHORTEST_S]
    if short:
        problems.append(f"{counted(len(short), 'clip')} not of 30 s, maybe cut off: {quoted(short)}.")
    names = {track.name for track in tracks}
    for genre in sorted({name.partition(".")[0] for name in names} & set(GTZAN)):
        every = (f"{genre}.{number:05d}" for number in range(CLIPS_PER_GENRE))
        missing = [name for name in every if name not in names]
        if missing:
            have = CLIPS_PER_GENRE - len(missing)
            problems.append(f"{genre} has {have} of its {CLIPS_PER_GENRE} clips; missing: {quoted(missing)}.")


def _grouped(folder: Path, tracks: Sequence[Track], problems: list[str]) -> list[Track]:
    """Tracks with the groups and artists of the user's file.

    Raises:
        HouseXError: The file cannot be read, or has other columns.
    """
    path = folder / GROUPS_FILE
    if not path.is_file():
        if miniature_around(folder) is not None:
            return list(tracks)
        problems.append(
            f"No {GROUPS_FILE} tells which clips are of one artist; the data set repeats some, so that even a split by "
            "tracks is not clean."
        )
        return list(tracks)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            columns = set(reader.fieldnames or ())
            rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise HouseXError(f"{path.name} cannot be read as a table.", "Save it as CSV in UTF-8.") from error
    if "file" not in columns or not columns & {"group", "artist"}:
        raise HouseXError(f"{path.name} has no columns file and group or artist.", "Name them in its first line.")
    said = {_stem(row["file"] or ""): row for row in rows}
    unknown = sorted(set(said) - {track.name for track in tracks})
    if unknown:
        problems.append(f"{path.name} names clips that are not there: {quoted(unknown)}.")
    return [
        dataclasses.replace(
            track,
            group=(said[track.name].get("group") or "").strip(),
            artist=(said[track.name].get("artist") or "").strip(),
        )
        if track.name in said
        else track
        for track in tracks
    ]


def _stem(written: str) -> str:
    """``blues.00000`` of ``blues/blues.00000.wav``, as tracks are named."""
    name = re.split(r"[/\\]", written.strip())[-1]
    return name.rsplit(".", 1)[0] if name.lower().endswith(ENDINGS) else name
