"""The mainstage benchmark (arXiv 2409.06690): soft labels of eight sub-genres, detected drops, clips. Zone: trainer.

Labels lie in Label Studio's JSON export (eight numbers per track) or its CSV variant, drops in detected_drops.json.
Shares may be equal; whoever needs one class takes the last of the equal ones in the order of MAINSTAGE, as the
benchmark's code does.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from housex_blender.analysis.headers import shown
from housex_blender.core.errors import HouseXError

from ..own.collection import UPLOAD_MARK, Shelf, audio_files
from ..own.label_rows import CollectionError, LabelRow, text_of
from ..own.label_studio import Spans, base_name, read_studio
from ..own.label_table import read_table
from .by_track import ARTISTS
from .classes import MAINSTAGE
from .collection import Collection, Track
from .miniature import MANIFEST
from .reading import class_number, composed, counted, duration_of, finished, quoted, within

ALIASES = {"techno": "Tech House", "technohouse": "Tech House"}
# order of the folders in the published code, by what their names hold; it decides the published split
_ORDER = ("part-new", "part-1-5", "part-6-10")
_LISTS = (".json", ".csv")
# shares are quantised to quarters: further from 1 is no rounding
_SUM_TOLERANCE = 1e-3
_LOOKS_LIKE = "It has the tracks and, beside them or in a folder annotations, Label Studio's export as JSON or CSV."


@dataclass
class _Lists:
    """What the lists of the folder say.

    Attributes:
        rows: (list that it stands in, what it says of a track), in the order of the published code.
        drops_s: File name -> its drops; an empty tuple where none was found.
        has_drops: Whether there is a table of drops at all.
        problems: Sentences about lists of labels.
        drop_problems: Sentences about tables of drops.
        damaged: Names of the files that cannot be read.
    """

    rows: list[tuple[Path, LabelRow]] = field(default_factory=list)
    drops_s: dict[str, Spans] = field(default_factory=dict)
    has_drops: bool = False
    problems: list[str] = field(default_factory=list)
    drop_problems: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)


def read_mainstage(folder: Path, _options: Mapping[str, str]) -> Collection:
    """Labels joined with audio and drops by file name.

    A track that the table of drops does not name has ``drops_s`` None (the published code skips it), one with an empty
    list has (): it stays without clips. ``facts["order"]`` is the place of a track in the published order: the folders
    part-new, part-1-5 and part-6-10, then all others by name, each in the order of its list.

    Raises:
        HouseXError: There is no list of labels, or no audio of what it names.
    """
    lists = _read_lists(folder)
    audio = audio_files(folder)
    if not lists.rows or not audio:
        what = "no list of labels is there" if not lists.rows else "its lists lie there, its audio does not"
        told = f" {lists.problems[0]}" if lists.problems and not lists.rows else ""
        raise HouseXError(f'"{shown(folder.name)}" is not the mainstage data set: {what}.{told}', _LOOKS_LIKE)
    problems = [*lists.problems, *lists.drop_problems]
    votes, order = _votes(folder, audio, lists.rows, problems)
    if not votes:
        raise HouseXError("None of the tracks that the lists name is there.", _LOOKS_LIKE)
    artist_of = _artists(votes, order)
    drops_s = {_bare(name): spans for name, spans in lists.drops_s.items()}
    # two uploads of one name have two marks
    drops_s |= {Path(name).stem: spans for name, spans in lists.drops_s.items()}
    tracks: dict[str, Track] = {}
    for path in sorted(votes, key=order.__getitem__):
        label = _label(path.name, votes[path], problems)
        name = _name_of(path, folder, tracks)
        duration_s = duration_of(path, problems) if label is not None else None
        if label is not None and duration_s is not None:
            spans = drops_s.get(composed(path.stem), drops_s.get(_bare(path.name)))
            tracks[name] = Track(
                name,
                label,
                path,
                artist=artist_of.get(path, ""),
                duration_s=duration_s,
                drops_s=within(spans, name, duration_s, problems),
                facts={"order": float(order[path])},
            )
    _tell_drops(list(tracks.values()), lists, problems)
    return finished("mainstage", folder, MAINSTAGE, tracks.values(), problems, damaged=lists.damaged)


# --- lists


def _rank(path: Path, folder: Path) -> tuple[int, str]:
    """Place of a list in the published order."""
    written = path.relative_to(folder).as_posix()
    plain = written.replace("partition", "part").replace("_", "-").casefold()
    return next((place for place, name in enumerate(_ORDER) if name in plain), len(_ORDER)), written


def _read_lists(folder: Path) -> _Lists:
    lists = _Lists()
    found = [path for path in folder.rglob("*") if path.suffix.lower() in _LISTS and path.name[0] != "."]
    for path in sorted(found, key=lambda path: _rank(path, folder)):
        if path.name == MANIFEST or path.name.endswith(".housex.json"):
            continue
        try:
            if path.suffix.lower() == ".csv":
                rows, warnings = read_table(path)
                lists.problems += warnings
                lists.rows += [(path, row) for row in rows]
            else:
                _read_json(path, lists)
        except CollectionError as error:
            lists.problems.append(f"{path.name} was left out: {error.message}")
            lists.damaged.append(path.name)
    return lists


def _read_json(path: Path, lists: _Lists) -> None:
    try:
        items = json.loads(text_of(path))
    except (ValueError, RecursionError) as error:
        raise CollectionError(f"{path.name} is not valid JSON.", "Download it again.") from error
    first = items[0] if isinstance(items, list) and items else None
    if isinstance(first, dict) and "drop_sections" in first:
        _read_drops(path, items, lists)
    elif isinstance(first, dict) and "annotations" in first:
        export = read_studio(path, lists.problems.append)
        lists.rows += [(path, row) for row in export.rows]
        if export.unlabelled:
            lists.problems.append(f"{path.name}: {counted(export.unlabelled, 'task')} without a label left out.")


def _read_drops(path: Path, items: Sequence[Any], lists: _Lists) -> None:
    """A table of detected drops: the last row of a file counts, as where its rows are put into a dictionary."""
    lists.has_drops = True
    seen: Counter[str] = Counter()
    for number, item in enumerate(items, 1):
        spans = _spans(item.get("drop_sections")) if isinstance(item, dict) else None
        written = item.get("audio_path") if isinstance(item, dict) else None
        if spans is None or not isinstance(written, str):
            lists.drop_problems.append(f"{path.name}, row {number} is no list of drops of a file: left out.")
            continue
        name = composed(base_name(written))
        seen[name] += 1
        lists.drops_s[name] = spans
    twice = [name for name, count in seen.items() if count > 1]
    if twice:
        lists.drop_problems.append(f"{path.name} has {counted(len(twice), 'track')} more than once: {quoted(twice)}.")


def _spans(found: object) -> Spans | None:
    """Sorted (start, end) in seconds; None for anything else."""
    try:
        spans = tuple(sorted((float(start), float(end)) for start, end in found))  # type: ignore[attr-defined]
    except (TypeError, ValueError, OverflowError):
        return None
    return spans if all(0.0 <= start < end < float("inf") for start, end in spans) else None


# --- tracks


def _votes(
    folder: Path, audio: Sequence[Path], rows: Sequence[tuple[Path, LabelRow]], problems: list[str]
) -> tuple[dict[Path, list[LabelRow]], dict[Path, int]]:
    """File -> what was said of it, and its place in the published order."""
    whole = Shelf(folder, audio)
    shelves: dict[Path, Shelf] = {}
    votes: dict[Path, list[LabelRow]] = defaultdict(list)
    order: dict[Path, int] = {}
    missing = []
    for place, (source, row) in enumerate(rows):
        if source.parent not in shelves:
            beside = [path for path in audio if path.is_relative_to(source.parent)]
            shelves[source.parent] = Shelf(source.parent, beside)
        try:
            path = shelves[source.parent].find(row.file) or whole.find(row.file)
        except CollectionError as error:
            problems.append(f"{error.message.rstrip('.')}: left out.")
            continue
        if path is None:
            missing.append(base_name(row.file))
            continue
        votes[path].append(row)
        order.setdefault(path, place)
    if missing:
        problems.append(f"{counted(len(missing), 'track')} of the lists not there: {quoted(missing)}.")
    unnamed = [path.name for path in audio if path not in votes]
    if unnamed:
        problems.append(f"{counted(len(unnamed), 'audio file')} in no list left out: {quoted(unnamed)}.")
    return votes, order


def _label(name: str, rows: Sequence[LabelRow], problems: list[str]) -> NDArray[np.float32] | None:
    """(8,) shares, the mean over those who labelled the track; None, with a sentence, where there are none."""
    labels = []
    for row in rows:
        shares = np.zeros(len(MAINSTAGE))
        for written, share in row.shares.items():
            number = class_number(written, MAINSTAGE, ALIASES)
            if number is None and share > 0.0:
                problems.append(f'"{shown(name)}" has a share of "{shown(written)}", which is no class: left out.')
                return None
            if number is not None:
                shares[number] += share
        if not shares.sum() > 0.0:
            problems.append(f'"{shown(name)}" has no label, its shares sum to 0: left out.')
            return None
        if abs(shares.sum() - 1.0) > _SUM_TOLERANCE:
            problems.append(f'The shares of "{shown(name)}" sum to {shares.sum():g}: divided by that.')
        labels.append(shares / shares.sum())
    if len(labels) > 1:
        alike = all(np.allclose(labels[0], one) for one in labels)
        how = "alike" if alike else "differently: the mean counts"
        problems.append(f'"{shown(name)}" is labelled {len(labels)} times, {how}.')
    return np.mean(labels, axis=0).astype(np.float32)


def _name_of(path: Path, folder: Path, taken: Mapping[str, Track]) -> str:
    name = composed(path.stem)
    return composed(path.relative_to(folder).with_suffix("").as_posix()) if name in taken else name


def _bare(name: str) -> str:
    """A file's name without the mark of its upload and without the ending, which users' files may not share."""
    return UPLOAD_MARK.sub("", composed(Path(name).stem))


def _artists(votes: Mapping[Path, Sequence[LabelRow]], order: Mapping[Path, int]) -> dict[Path, str]:
    """Artists by file, of names such as ``1a9df172-Kaaze_-_Dive``.

    Some folders name the artist first and some the title: it is the side on which names come back more often.
    """
    by_folder: dict[Path, dict[Path, tuple[str, str]]] = defaultdict(dict)
    for path in sorted(votes, key=order.__getitem__):
        before, dash, after = _bare(path.name).partition("_-_")
        if dash:
            by_folder[path.parent][path] = (before, after)
    found = {}
    for sides in by_folder.values():
        different = [len({_people(pair[side]) for pair in sides.values()}) for side in (0, 1)]
        artist = 0 if different[0] <= different[1] else 1
        found.update({path: _people(pair[artist]) for path, pair in sides.items()})
    return found


def _people(written: str) -> str:
    """``Raven__Kreyn___Mo_Falk`` as "Raven, Kreyn, Mo Falk": what was between them is lost but for the gap."""
    return ARTISTS.join(name.replace("_", " ") for name in re.split(r"_{2,}", written) if name)


def _tell_drops(tracks: Sequence[Track], lists: _Lists, problems: list[str]) -> None:
    if not lists.has_drops:
        problems.append(
            "There is no detected_drops.json, and clips are cut from drops: `python -m trainer drops` finds them."
        )
        return
    without = [track.name for track in tracks if track.drops_s is None]
    if without:
        problems.append(
            f"{counted(len(without), 'track')} not in the table of drops: {quoted(without)}; the published code skips "
            "what it does not name."
        )
    empty = [track.name for track in tracks if track.drops_s == ()]
    if empty:
        problems.append(f"No clips come from {counted(len(empty), 'track')} without a detected drop: {quoted(empty)}.")
