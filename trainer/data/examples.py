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

from .by_track import last_greatest
from .cache import FeatureTable
from .collection import Collection, Piece

if TYPE_CHECKING:
    from ..systems.base import LabelRule


class Examples(Dataset[tuple[Tensor, Tensor, int]]):
    """Pieces of one part: (input, (C,) target, index of the piece).

    The target is the shares of the classes, or under ``sharpen`` and ``clean`` a 1 for the greatest, of equal ones the
    last.

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
        usable = indices[table.usable[indices]]
        count = len(collection.classes)
        shares = np.array([collection.tracks[pieces[i].track].label for i in usable], np.float32).reshape(-1, count)
        kept = shares.max(axis=1) >= 1.0 if labels == "clean" else np.ones(len(usable), bool)
        self.indices, shares = usable[kept], shares[kept]
        self.main = last_greatest(shares)
        self._targets = shares if labels == "soft" else np.eye(count, dtype=np.float32)[self.main]

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, number: int) -> tuple[Tensor, Tensor, int]:
        index = int(self.indices[number])
        ready = np.ascontiguousarray(self._front_end.ready(self._table[index]), np.float32)
        return torch.from_numpy(ready), torch.from_numpy(self._targets[number].copy()), index
