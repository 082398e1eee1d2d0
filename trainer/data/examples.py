"""Pieces with their labels as PyTorch takes them. Zone: trainer (torch)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from housex_blender.analysis.front_ends.base import FrontEnd

from .cache import FeatureTable
from .collection import Collection, Piece

if TYPE_CHECKING:
    from ..systems.base import LabelRule


def target_of(label: NDArray[np.float32], rule: LabelRule) -> NDArray[np.float32]:
    """(C,) what the loss is given: the shares, or under ``sharpen`` and ``clean`` a 1 for the greatest, of equal ones
    the last."""
    if rule == "soft":
        return np.asarray(label, np.float32)
    target = np.zeros(len(label), np.float32)
    target[len(label) - 1 - int(np.argmax(label[::-1]))] = 1.0
    return target


def is_clean(label: NDArray[np.float32]) -> bool:
    """Whether one class has everything."""
    return bool(np.max(label) >= 1.0)


class Examples(Dataset[tuple[Tensor, Tensor, int]]):
    """Pieces of one part: (input, (C,) target, index of the piece).

    Attributes:
        indices: (n,) of the pieces that are examples: without those whose file cannot be read and, under ``clean``,
            without those of tracks of more than one class.
        main: (n,) index of each example's class, for drawing classes equally often.
    """

    def __init__(
        self,
        table: FeatureTable,
        collection: Collection,
        pieces: Sequence[Piece],
        indices: NDArray[np.int64],
        labels: LabelRule,
        front_end: FrontEnd,
    ) -> None:
        """Take the pieces at ``indices``; ``table`` and ``pieces`` go together."""
        self._table = table
        self._front_end = front_end
        label_of = [collection.tracks[piece.track].label for piece in pieces]
        self.indices = np.array(
            [i for i in indices if table.usable[i] and (labels != "clean" or is_clean(label_of[i]))], np.int64
        )
        targets = [target_of(label_of[i], labels) for i in self.indices]
        self._targets = np.array(targets, np.float32).reshape(len(targets), len(collection.classes))
        hard = [target_of(label_of[i], "sharpen") for i in self.indices]
        self.main = np.array([int(np.argmax(one)) for one in hard], np.int64)

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, number: int) -> tuple[Tensor, Tensor, int]:
        index = int(self.indices[number])
        ready = np.ascontiguousarray(self._front_end.ready(self._table[index]), np.float32)
        return torch.from_numpy(ready), torch.from_numpy(self._targets[number].copy()), index
