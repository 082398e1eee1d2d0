"""Which pieces train, validate and test, the same on every machine, and frozen by name and content. Zone: trainer."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from housex_blender.analysis.headers import shown
from housex_blender.core.errors import HouseXError
from housex_blender.core.files import read_json, write_text_atomic

from .by_track import chance, main_classes, part_of_tracks
from .collection import PARTS, Collection, Piece
from .contents import content_of_track
from .published import HOUSEX_TRACKS

if TYPE_CHECKING:
    from ..systems.base import SplitRule

SCHEMA = "housex-split-1"
# shares of training and validation; the rest tests
_TRAIN, _VAL = 0.8, 0.1
# of the mainstage benchmark's own code
_MAINSTAGE_SEED = 42
# random-clips: of Homburg's 1886 tracks 189 were tested
_HOMBURG_TRAIN = 0.9
_REPAIR = "Prepare the data set again."


@dataclass(frozen=True)
class Split:
    """The parts of a data set.

    Attributes:
        collection: The data set.
        rule: How it was made.
        seed: Of the draw; the rules ``published`` and ``mainstage`` have none.
        pieces: All pieces, to which the indices lead.
        parts: Part -> sorted indices of its pieces; under ``mainstage`` and ``random-clips`` test is val.
        problems: One sentence each.
    """

    collection: Collection = field(repr=False)
    rule: str
    seed: int
    pieces: tuple[Piece, ...] = field(repr=False)
    parts: Mapping[str, NDArray[np.int64]]
    problems: tuple[str, ...] = ()

    def tracks(self, part: str) -> tuple[int, ...]:
        """Indices of the tracks whose pieces are in a part."""
        return tuple(sorted({self.pieces[index].track for index in self.parts[part]}))

    def save(self, path: Path) -> None:
        """Write it as JSON with the SHA-256 of every track's files.

        Raises:
            HouseXError: A file cannot be read, or the split cannot be written.
        """
        collection = self.collection
        used = sorted({piece.track for piece in self.pieces})
        place = {track: number for number, track in enumerate(used)}
        tracks = [_frozen(collection, index) for index in used]
        document = {
            "schema": SCHEMA,
            "data_set": collection.name,
            "synthetic": collection.synthetic,
            "classes": list(collection.classes),
            "rule": self.rule,
            "seed": self.seed,
            "tracks": tracks,
            "pieces": [_piece_row(place[piece.track], piece, collection) for piece in self.pieces],
            "parts": {part: indices.tolist() for part, indices in self.parts.items()},
            "problems": list(self.problems),
        }
        try:
            write_text_atomic(path, json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n")
        except OSError as error:
            raise HouseXError(f"{path.name} cannot be written: {error.strerror}.", "Choose another folder.") from error

    @classmethod
    def load(cls, path: Path, collection: Collection) -> Split:
        """Read what :meth:`save` wrote, with the pieces that were frozen.

        Raises:
            HouseXError: It is missing or damaged, or of another data set, or a file is missing or has changed.
        """
        document = _document(path)
        if document.get("schema") != SCHEMA:
            raise HouseXError(f"{path.name} is not a split of this version.", _REPAIR)
        if document["data_set"] != collection.name or tuple(document["classes"]) != collection.classes:
            raise HouseXError(f"{path.name} parts {document['data_set']}, not {collection.name}.", "Name another one.")
        try:
            tracks = _found(path, document["tracks"], collection)
            pieces = tuple(_piece(row, tracks, collection) for row in document["pieces"])
            parts = {part: np.array(document["parts"][part], np.int64).reshape(-1) for part in PARTS}
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise HouseXError(f"{path.name} is damaged.", _REPAIR) from error
        if any(len(indices) and not 0 <= indices.min() <= indices.max() < len(pieces) for indices in parts.values()):
            raise HouseXError(f"{path.name} is damaged.", _REPAIR)
        return cls(collection, document["rule"], document["seed"], pieces, parts, tuple(document.get("problems", ())))

    def applied(self, pieces: Sequence[Piece]) -> Split:
        """The same parts for other pieces of the same tracks; pieces of a track that has none stay out.

        Raises:
            HouseXError: The rule parts pieces, not tracks.
        """
        if self.rule == "random-pieces":
            raise HouseXError("A split of pieces cannot be used for other pieces.", "Part these pieces anew.")
        parts = {}
        for part in PARTS:
            chosen = set(self.tracks(part))
            parts[part] = _indices(index for index, piece in enumerate(pieces) if piece.track in chosen)
        return Split(self.collection, self.rule, self.seed, tuple(pieces), parts, self.problems)


def split_pieces(collection: Collection, pieces: Sequence[Piece], rule: SplitRule, seed: int) -> Split:
    """Part pieces by a rule.

    ``tracks``: 80/10/10 of the tracks within each class, tracks of one group or artist on one side.
    ``published``: as the folders of the data set say. ``housex``: 128/20/12 of 160 of the tracks within each class, as
    published, whichever artists they have.
    ``mainstage``: as the benchmark's code does: one shuffle with seed 42 over the tracks in the order of its folders,
    the first 80 % train, the rest validates and is what is reported; tracks that its table of drops does not name are
    skipped. ``random-pieces``: 80/10/10 of the pieces, whichever track they are of. ``random-clips``: 80 % of the
    tracks train (of Homburg's 90 %), the rest validates and tests.

    Args:
        collection: The data set.
        pieces: All pieces.
        rule: One of the six.
        seed: Chooses another split where the rule draws.

    Raises:
        HouseXError: The rule does not fit the data set.
        ValueError: There is no such rule.
    """
    if rule == "random-pieces":
        parts = _random_pieces(collection, pieces, seed)
        return Split(collection, rule, seed, tuple(pieces), parts)
    if rule not in _OF_TRACKS:
        raise ValueError(f"there is no rule {rule!r}")
    track_parts = _OF_TRACKS[rule](collection, seed)
    parts = {}
    for part in PARTS:
        chosen = track_parts.parts[part]
        parts[part] = _indices(index for index, piece in enumerate(pieces) if piece.track in chosen)
    empty = [part for part in PARTS if not len(parts[part])]
    problems = [*track_parts.problems, *(f"No piece is in the part {part}." for part in empty)]
    return Split(collection, rule, seed, tuple(pieces), parts, tuple(problems))


@dataclass(frozen=True)
class _TrackParts:
    """Part -> indices of tracks."""

    parts: Mapping[str, frozenset[int]]
    problems: tuple[str, ...] = field(default=())


def _by_track(collection: Collection, seed: int) -> _TrackParts:
    part_of, problems = part_of_tracks(collection, seed)
    return _TrackParts({part: frozenset(np.flatnonzero(part_of == number).tolist())
                        for number, part in enumerate(PARTS)}, problems)  # fmt: skip


def _published(collection: Collection, _seed: int) -> _TrackParts:
    if not collection.published:
        raise HouseXError(
            f"This copy of {collection.name} does not say which tracks train and which test.",
            "Choose the split by tracks, or use the folders train, val and test of the published pictures.",
        )
    parts: dict[str, set[int]] = {part: set() for part in PARTS}
    without = []
    for index, track in enumerate(collection.tracks):
        part = collection.published.get(track.name)
        if part in parts:
            parts[part].add(index)
        else:
            without.append(track.name)
    more = f" and {len(without) - 1} more" if len(without) > 1 else ""
    problems = (f'"{shown(without[0])}"{more} is in no published part and stays out.',) if without else ()
    return _TrackParts({part: frozenset(found) for part, found in parts.items()}, problems)


def _housex(collection: Collection, seed: int) -> _TrackParts:
    parts: dict[str, set[int]] = {part: set() for part in PARTS}
    main = main_classes(collection.tracks, len(collection.classes))
    for number in range(len(collection.classes)):
        order = _drawn(collection, np.flatnonzero(main == number).tolist(), seed)
        # a class of three has one in each part
        least = int(len(order) >= len(PARTS))
        val, test = (max(least, round(count / sum(HOUSEX_TRACKS) * len(order))) for count in HOUSEX_TRACKS[1:])
        parts["test"].update(order[:test])
        parts["val"].update(order[test : test + val])
        parts["train"].update(order[test + val :])
    return _TrackParts({part: frozenset(found) for part, found in parts.items()})


def _drawn(collection: Collection, tracks: Iterable[int], seed: int) -> list[int]:
    return sorted(tracks, key=lambda index: chance(seed, collection.tracks[index].name))


def _mainstage(collection: Collection, _seed: int) -> _TrackParts:
    tracks = collection.tracks
    looked = any(track.drops_s is not None for track in tracks)
    order = [index for index, track in enumerate(tracks) if track.drops_s is not None or not looked]
    order.sort(key=lambda index: float(tracks[index].facts.get("order", index)))
    skipped = len(tracks) - len(order)
    random.Random(_MAINSTAGE_SEED).shuffle(order)
    cut = int(_TRAIN * len(order))
    train, rest = frozenset(order[:cut]), frozenset(order[cut:])
    problems = []
    if skipped:
        problems.append(f"The table of drops does not name {skipped} of {len(tracks)} tracks: they stay out.")
    return _TrackParts({"train": train, "val": rest, "test": rest}, tuple(problems))


def _random_clips(collection: Collection, seed: int) -> _TrackParts:
    order = _drawn(collection, range(len(collection.tracks)), seed)
    cut = int((_HOMBURG_TRAIN if collection.name == "homburg" else _TRAIN) * len(order))
    train, rest = frozenset(order[:cut]), frozenset(order[cut:])
    return _TrackParts({"train": train, "val": rest, "test": rest})


_OF_TRACKS: dict[str, Any] = {
    "tracks": _by_track,
    "published": _published,
    "housex": _housex,
    "mainstage": _mainstage,
    "random-clips": _random_clips,
}


def _random_pieces(collection: Collection, pieces: Sequence[Piece], seed: int) -> dict[str, NDArray[np.int64]]:
    def place(index: int) -> str:
        piece = pieces[index]
        picture = piece.picture.name if piece.picture else ""
        return chance(seed, f"{collection.tracks[piece.track].name}\n{piece.start_s:.6f}\n{picture}")

    order = sorted(range(len(pieces)), key=place)
    first, second = int(_TRAIN * len(order)), int(_TRAIN * len(order)) + int(_VAL * len(order))
    return {"train": _indices(order[:first]), "val": _indices(order[first:second]), "test": _indices(order[second:])}


def _indices(found: Iterable[int]) -> NDArray[np.int64]:
    return np.array(sorted(found), np.int64).reshape(-1)


def _frozen(collection: Collection, index: int) -> dict[str, str]:
    track = collection.tracks[index]
    return {"name": track.name, "sha256": content_of_track(track)}


def _piece_row(place: int, piece: Piece, collection: Collection) -> list[int | float]:
    """[track, start in seconds], and for a picture its number among those of the track."""
    if piece.picture is None:
        return [place, piece.start_s]
    return [place, piece.start_s, collection.tracks[piece.track].pictures.index(piece.picture)]


def _piece(row: list[Any], tracks: Sequence[int], collection: Collection) -> Piece:
    track = tracks[row[0]]
    picture = collection.tracks[track].pictures[row[2]] if len(row) > 2 else None
    return Piece(track, float(row[1]), picture)


def _document(path: Path) -> dict[str, Any]:
    try:
        document = read_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise HouseXError(f"There is no split {path.name}.", _REPAIR) from error
    except (ValueError, RecursionError) as error:
        raise HouseXError(f"{path.name} is damaged.", _REPAIR) from error
    if not isinstance(document, dict):
        raise HouseXError(f"{path.name} is not a split.", _REPAIR)
    return document


def _found(path: Path, rows: Sequence[Mapping[str, str]], collection: Collection) -> list[int]:
    """Index of each frozen track.

    Raises:
        HouseXError: One is not there, or its files hold something else now.
    """
    index_of = {track.name: index for index, track in enumerate(collection.tracks)}
    missing = [row["name"] for row in rows if row["name"] not in index_of]
    _complain(path, missing, "is not there")
    changed = [row["name"] for row in rows
               if content_of_track(collection.tracks[index_of[row["name"]]]) != row["sha256"]]  # fmt: skip
    _complain(path, changed, "is another file now")
    return [index_of[row["name"]] for row in rows]


def _complain(path: Path, names: Sequence[str], what: str) -> None:
    if names:
        more = f" (and {len(names) - 1} more)" if len(names) > 1 else ""
        raise HouseXError(
            f'The track "{shown(names[0])}" of {path.name} {what}{more}.',
            "Put back the files that were prepared, or prepare the data set again.",
        )
