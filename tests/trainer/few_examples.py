"""The engine on a handful of real examples of a data set, so that even its largest networks train in seconds."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from itertools import islice

import numpy as np
import pytest
from numpy.typing import NDArray
from torch import Tensor

from trainer.data.collection import Collection, Piece
from trainer.data.examples import Examples
from trainer.data.splits import Split, split_pieces
from trainer.engine import prepared
from trainer.systems import prompted
from trainer.systems.base import Setup, SplitRule


def keep_few(patch: pytest.MonkeyPatch, counts: Mapping[str, int]) -> None:
    """Let every split that is made keep so many pieces of each part, of as many classes as there are."""

    def thinned(collection: Collection, pieces: Sequence[Piece], rule: SplitRule, seed: int) -> Split:
        split = split_pieces(collection, pieces, rule, seed)
        parts = {part: _spread(split, part, count) for part, count in counts.items()}
        return dataclasses.replace(split, parts=parts)

    # features are made of all pieces of a split, so that the others must not even be cut
    whole = prepared.cut
    made: dict[tuple[Piece, ...], Split] = {}

    def few(collection: Collection, setup: Setup, seed: int = 0) -> list[Piece]:
        split = _without_others(thinned(collection, whole(collection, setup, seed), setup.split, seed))
        made[split.pieces] = split
        return list(split.pieces)

    patch.setattr(prepared, "cut", few)
    patch.setattr(prepared, "split_pieces", lambda _collection, pieces, _rule, _seed: made[tuple(pieces)])
    patch.setattr(prompted, "split_pieces", thinned)


def _without_others(split: Split) -> Split:
    chosen = {part: indices.tolist() for part, indices in split.parts.items()}
    kept = sorted({index for indices in chosen.values() for index in indices})
    place = {index: number for number, index in enumerate(kept)}
    parts = {part: np.array(sorted(place[index] for index in indices), np.int64) for part, indices in chosen.items()}
    return dataclasses.replace(split, pieces=tuple(split.pieces[index] for index in kept), parts=parts)


def _spread(split: Split, part: str, count: int) -> NDArray[np.int64]:
    """Indices of pieces from the middles of tracks, of one class after the other."""
    tracks = split.collection.tracks
    of_track: dict[int, list[int]] = {}
    for index in split.parts[part].tolist():
        of_track.setdefault(split.pieces[index].track, []).append(index)
    of_class: dict[int, list[int]] = {}
    for track, indices in of_track.items():
        # the middle first: tracks begin and end with little
        of_class.setdefault(int(tracks[track].label.argmax()), []).append(indices[len(indices) // 2])
    longest = max(len(found) for found in of_class.values())
    turns = (found[turn] for turn in range(longest) for found in of_class.values() if turn < len(found))
    return np.array(sorted(islice(turns, count)), np.int64)


class Cropped:
    """Examples of which only the first columns are seen, for networks that take any length."""

    def __init__(self, examples: Examples, columns: int, count: int | None = None) -> None:
        self._examples, self._columns = examples, columns
        self.main = examples.main[:count]

    def __len__(self) -> int:
        return len(self.main)

    def __getitem__(self, number: int) -> tuple[Tensor, Tensor, int]:
        x, target, piece = self._examples[number]
        return x[..., : self._columns].contiguous(), target, piece
