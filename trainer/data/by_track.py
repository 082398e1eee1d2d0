"""Tracks drawn into parts within their classes, those of one artist on one side. Zone: trainer."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .collection import PARTS, Collection, Track

# between the names in ``Track.artist``
ARTISTS = ", "
_SHARES = (0.8, 0.1, 0.1)
# of a part's room for a class where the class leaves none
_NO_ROOM = 0.5


def chance(seed: int, name: str) -> str:
    """A place in a draw that depends on the seed and the name alone: the same on every machine."""
    return hashlib.sha256(f"{seed}\n{name}".encode("utf-8", "replace")).hexdigest()


def last_greatest(shares: NDArray[np.floating]) -> NDArray[np.int64]:
    """(n,) index of the greatest of (n, C) shares; of equal ones the last, as the mainstage benchmark does."""
    return shares.shape[1] - 1 - shares[:, ::-1].argmax(axis=1)


def main_classes(tracks: Sequence[Track], classes: int) -> NDArray[np.int64]:
    """(n,) index of each track's greatest share; of equal ones the last."""
    return last_greatest(np.array([track.label for track in tracks], np.float32).reshape(len(tracks), classes))


def together(tracks: Sequence[Track]) -> list[list[int]]:
    """Indices of the tracks that must stay on one side: of one group, or with an artist in common."""
    leader = list(range(len(tracks)))

    def root(index: int) -> int:
        while leader[index] != index:
            leader[index] = leader[leader[index]]
            index = leader[index]
        return index

    first: dict[tuple[str, str], int] = {}
    for index, track in enumerate(tracks):
        marks = [("artist", name.strip().casefold()) for name in track.artist.split(ARTISTS) if name.strip()]
        marks.append(("group", track.group or track.name))
        for mark in marks:
            leader[root(index)] = root(first.setdefault(mark, index))
    units: dict[int, list[int]] = {}
    for index in range(len(tracks)):
        units.setdefault(root(index), []).append(index)
    return list(units.values())


def part_of_tracks(collection: Collection, seed: int) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """(n_tracks,) index into PARTS of each track, and what could not be had.

    80/10/10 within each class, at least one track of a class with three in each part.
    """
    main = main_classes(collection.tracks, len(collection.classes))
    units = together(collection.tracks)
    units.sort(key=lambda unit: (-len(unit), min(chance(seed, collection.tracks[index].name) for index in unit)))
    counts = np.zeros((len(units), len(collection.classes)), np.int64)
    for number, unit in enumerate(units):
        np.add.at(counts[number], main[unit], 1)
    part = _drawn(counts)
    _repair(part, counts)
    part_of = np.zeros(len(collection.tracks), np.int64)
    for number, unit in enumerate(units):
        part_of[unit] = part[number]
    return part_of, tuple(_missing(part, counts, collection.classes))


def _wanted(sizes: NDArray[np.int64]) -> NDArray[np.float64]:
    """(3, C) tracks of each class that each part should have."""
    held_out = np.where(sizes >= 3, np.maximum(1, np.round(np.array(_SHARES[1:])[:, None] * sizes)), 0)
    return np.vstack([sizes - held_out.sum(axis=0), held_out]).astype(np.float64)


def _drawn(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n_units,) part of each unit, where it leaves the least imbalance."""
    wanted = _wanted(counts.sum(axis=0))
    have = np.zeros_like(wanted)
    part = np.zeros(len(counts), np.int64)
    for number, unit in enumerate(counts):
        before, after = have - wanted, have + unit - wanted
        worse = ((after**2 - before**2) / np.maximum(wanted, _NO_ROOM)).sum(axis=1)
        part[number] = int(np.argmin(worse))
        have[part[number]] += unit
    return part


def _repair(part: NDArray[np.int64], counts: NDArray[np.int64]) -> None:
    """Give each part a unit of every class that it lacks, from a part that keeps another one; in place."""
    for to in range(len(PARTS)):
        for number in range(counts.shape[1]):
            if counts[part == to, number].any():
                continue
            for unit in np.flatnonzero(counts[:, number])[::-1]:
                stays = (part == part[unit]) & (np.arange(len(part)) != unit)
                if np.all(counts[stays].sum(axis=0)[counts[unit] > 0] > 0):
                    part[unit] = to
                    break


def _missing(part: NDArray[np.int64], counts: NDArray[np.int64], classes: Sequence[str]) -> list[str]:
    problems = []
    for number, name in enumerate(classes):
        lacks = [PARTS[to] for to in range(len(PARTS)) if not counts[part == to, number].any()]
        size = int(counts[:, number].sum())
        if lacks and size:
            tracks = "1 track" if size == 1 else f"{size} tracks"
            problems.append(
                f"{name} has {tracks}, too few or too much of one artist for the part {' and '.join(lacks)}."
            )
    return problems
