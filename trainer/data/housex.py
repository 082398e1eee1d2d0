"""HouseX (arXiv 2207.11690): its published pictures, or audio with its workbooks. Zone: trainer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from housex_blender.analysis.headers import shown
from housex_blender.core.errors import HouseXError

from ..own.collection import audio_files
from .classes import HOUSEX
from .collection import PARTS, Collection, Track
from .housex_audio import read_audio, workbooks_in
from .pictures import is_picture, numbered, pictures_in
from .reading import artists_and_title, class_number, composed, counted, finished, one_hot, quoted

# of a system's option ``subset`` -> folder of pictures
FOLDERS = {"whole": "melspecgrams_all", "drops": "melspecgrams_drop"}
PICTURES, AUDIO = "pictures", "audio"
_LOOKS_LIKE = (
    "It has either melspecgrams_all or melspecgrams_drop with the folders train, val and test of pictures, or the "
    "tracks and metadata with future_house_meta.xlsx and three more workbooks."
)


def read_housex(folder: Path, options: Mapping[str, str]) -> Collection:
    """The pictures where they lie there, else the audio; ``source`` chooses, and ``subset`` among the pictures.

    Raises:
        HouseXError: The folder holds neither, or not what was chosen.
    """
    source, subset = options.get("source", ""), options.get("subset", "")
    found = _picture_roots(folder)
    if source != AUDIO and found:
        return _read_pictures(folder, found, subset)
    if source == PICTURES:
        raise HouseXError(f'"{shown(folder.name)}" holds no HouseX pictures.', _LOOKS_LIKE)
    if workbooks_in(folder) and audio_files(folder):
        return read_audio(folder)
    if found:
        raise HouseXError(f'"{shown(folder.name)}" holds HouseX pictures, no audio.', "Choose source=pictures.")
    raise HouseXError(f'"{shown(folder.name)}" is not the HouseX data set: {_missing(folder)}.', _LOOKS_LIKE)


def _missing(folder: Path) -> str:
    if workbooks_in(folder):
        return "its workbooks lie there, its audio does not"
    if audio_files(folder):
        return "there is audio, but no workbook such as metadata/bass_house_meta.xlsx"
    return "there are neither pictures nor workbooks"


def _picture_roots(folder: Path) -> dict[str, Path]:
    """``whole`` or ``drops``, or nothing where the name does not tell -> folder with train, val and test."""
    found = {}
    for subset, name in FOLDERS.items():
        for place in (folder / name, folder / name / name):
            if _has_parts(place):
                found[subset] = place
    if not found and _has_parts(folder):
        found[next((subset for subset, name in FOLDERS.items() if folder.name == name), "")] = folder
    return found


def _has_parts(place: Path) -> bool:
    return any((place / part).is_dir() and bool(pictures_in(place / part)) for part in PARTS)


def _read_pictures(folder: Path, found: Mapping[str, Path], subset: str) -> Collection:
    if subset and "" not in found and subset not in found:
        have = " and ".join(path.name for path in found.values())
        raise HouseXError(
            f'"{shown(folder.name)}" holds {have}, not {FOLDERS.get(subset, subset)}.',
            f"Unpack {FOLDERS.get(subset, subset)}.zip beside it, or choose the other subset.",
        )
    chosen = subset if subset in found else next(iter(found))
    place, problems = found[chosen], []
    if not chosen:
        problems.append(f'The name of "{shown(place.name)}" does not tell whether it holds whole tracks or drops.')
    tracks: list[Track] = []
    published: dict[str, str] = {}
    for part in PARTS:
        if not (place / part).is_dir():
            problems.append(f"The folder {part} of {place.name} is missing.")
            continue
        for track in _tracks_of_part(place / part, published, chosen, problems):
            tracks.append(track)
            published[track.name] = part
    alone = sum(len(track.pictures) == 1 for track in tracks)
    if alone:
        problems.append(
            f"The names of {alone} pictures do not tell which track they are of: each counts as a track of its own."
        )
    return finished("housex", folder, HOUSEX, tracks, problems, published)


def _tracks_of_part(place: Path, taken: Mapping[str, str], subset: str, problems: list[str]) -> list[Track]:
    """Pictures of one part by the track that their names tell."""
    groups: dict[tuple[int, str], list[tuple[int, Path]]] = defaultdict(list)
    unknown = []
    for path in pictures_in(place):
        written, _, rest = path.stem.partition("-")
        number = class_number(written, HOUSEX)
        if number is None:
            unknown.append(path.name)
            continue
        if not is_picture(path, problems):
            continue
        title, count = numbered(rest)
        groups[number, composed(title or rest)].append((count or 0, path))
    if unknown:
        problems.append(f"{counted(len(unknown), 'picture')} of no known class left out: {quoted(unknown)}.")
    tracks = []
    for (number, title), pictures in sorted(groups.items()):
        name = f"{HOUSEX[number]}-{title}"
        if name in taken:
            problems.append(f'"{name}" has pictures in {taken[name]} and in {place.name}: the parts share a track.')
            name = f"{name} ({place.name})"
        ordered = tuple(path for _, path in sorted(pictures))
        facts = {"subset": subset} if subset else {}
        tracks.append(
            Track(
                name,
                one_hot(number, HOUSEX),
                pictures=ordered,
                artist=artists_and_title(title)[0],
                group=f"{HOUSEX[number]}-{title}",
                facts=facts,
            )
        )
    return tracks
