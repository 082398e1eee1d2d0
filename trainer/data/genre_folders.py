"""Data sets that are one folder of audio per genre; among them Homburg's. Zone: trainer."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

from housex_blender.analysis.headers import shown
from housex_blender.core.errors import HouseXError
from housex_blender.core.files import AUDIO_ENDINGS

from . import classes
from .collection import Collection, Track
from .reading import artists_and_title, class_number, composed, counted, duration_of, finished, one_hot, quoted

ENDINGS = (*AUDIO_ENDINGS, ".au")


def read_homburg(folder: Path, _options: Mapping[str, str]) -> Collection:
    """The nine genres of Homburg et al. (2005): one folder of short clips each.

    Raises:
        HouseXError: Too few of its folders are there.
    """
    place = genre_root(folder, classes.HOMBURG)
    if place is None:
        raise HouseXError(
            f'"{shown(folder.name)}" is not the Homburg data set: its genre folders are missing.',
            f"Name the folder that holds the folders {', '.join(classes.HOMBURG)}.",
        )
    problems: list[str] = []
    tracks = [
        dataclasses.replace(track, artist=artists_and_title(track.name.rpartition("/")[2])[0])
        for track in genre_tracks(place, classes.HOMBURG, problems)
    ]
    return finished("homburg", folder, classes.HOMBURG, tracks, problems)


def genre_root(folder: Path, names: Sequence[str], within: Sequence[str] = ("",)) -> Path | None:
    """The first of some sub-folders (or the folder itself, ``""``) that holds folders of most of the genres.

    Data sets share some: a few are not enough to tell one from another.
    """
    for one in within:
        place = folder / one
        if place.is_dir():
            found = {class_number(entry.name, names) for entry in place.iterdir() if entry.is_dir()} - {None}
            if 2 * len(found) > len(names):
                return place
    return None


def genre_tracks(place: Path, names: Sequence[str], problems: list[str]) -> list[Track]:
    """A track per audio file in each genre's folder, ``genre/name`` without the ending.

    Sentences about what is missing, unknown or cannot be read are appended to ``problems``.
    """
    tracks = []
    seen: set[str] = set()
    unknown = []
    for entry in sorted(place.iterdir()):
        if not entry.is_dir() or entry.name.startswith("."):
            continue
        number = class_number(entry.name, names)
        audio = [path for path in sorted(entry.rglob("*")) if path.suffix.lower() in ENDINGS and path.name[0] != "."]
        if number is None:
            unknown += [entry.name] if audio else []
            continue
        seen.add(names[number])
        for path in audio:
            duration_s = duration_of(path, problems)
            if duration_s is not None:
                inside = path.relative_to(entry).with_suffix("").as_posix()
                name = composed(f"{names[number]}/{inside}")
                tracks.append(Track(name, one_hot(number, names), path, duration_s=duration_s))
    missing = [name for name in names if name not in seen]
    if missing:
        problems.append(f"{counted(len(missing), 'genre folder')} missing: {quoted(missing, len(names))}.")
    if unknown:
        problems.append(f"{counted(len(unknown), 'folder')} of no known genre left out: {quoted(unknown)}.")
    return _without_twins(tracks, problems)


def _without_twins(tracks: Sequence[Track], problems: list[str]) -> list[Track]:
    """Tracks of different names: of two formats of one clip, the first is taken."""
    kept: dict[str, Track] = {}
    for track in tracks:
        if kept.setdefault(track.name, track) is not track and track.path is not None:
            problems.append(f'"{shown(track.path.name)}" is "{track.name}" in another format: left out.')
    return list(kept.values())
