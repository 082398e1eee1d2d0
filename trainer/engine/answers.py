"""Asking a network about many examples, shared by all processes. Zone: trainer (torch)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from .optimising import classes_of, losses
from .runtime import Runtime

Item = tuple[Tensor, Tensor, int]


class Examples(Protocol):
    """What is trained on: (input, (C,) shares of the classes, number of the piece) by index."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Item: ...

    @property
    def main(self) -> NDArray[np.int64]:
        """(n,) greatest class of each, without the inputs being made."""
        ...


def batches(examples: Examples, indices: Sequence[Sequence[int]], runtime: Runtime, workers: int = 0
            ) -> Iterator[tuple[Tensor, Tensor, Tensor]]:  # fmt: skip
    """(B, *shape) inputs, (B, C) shares and (B,) pieces of each list of indices.

    Args:
        examples: To read.
        indices: One list per batch.
        runtime: Where they are needed.
        workers: Processes that read ahead.
    """
    dataset: Dataset[Item] = examples
    # a generator of its own, else reading would draw from the step's chance
    loader = DataLoader(dataset, batch_sampler=indices, num_workers=workers, generator=torch.Generator(),
                        pin_memory=runtime.device.type == "cuda")  # fmt: skip
    yield from loader


@dataclass(frozen=True)
class Answers:
    """What a network said, in the order of the examples.

    Attributes:
        outputs: (n, C) as it said them.
        target: (n, C) shares of the classes.
        piece: (n,) number of the piece.
    """

    outputs: Tensor
    target: Tensor
    piece: Tensor

    @property
    def loss(self) -> float:
        """Mean over the examples; NaN without any."""
        return float(losses(self.outputs, self.target).double().mean())

    @property
    def accuracy(self) -> float:
        """Share whose greatest class was said; NaN without any."""
        return float((self.outputs.argmax(-1) == classes_of(self.target)).double().mean())

    @property
    def said(self) -> list[int]:
        """How often each class was said."""
        return torch.bincount(self.outputs.argmax(-1), minlength=self.outputs.shape[1]).tolist()

    @property
    def true(self) -> list[int]:
        """How often each class was right."""
        return torch.bincount(classes_of(self.target), minlength=self.target.shape[1]).tolist()


@torch.no_grad()
def ask(network: nn.Module, examples: Examples, classes: int, runtime: Runtime, batch: int, workers: int = 0
        ) -> Answers:  # fmt: skip
    """Answers for all examples, each asked by one process, known to all.

    Args:
        network: Placed; it is set to evaluation mode.
        examples: To ask about.
        classes: Their number.
        runtime: Where to compute.
        batch: Examples at once.
        workers: Processes that read ahead.
    """
    network.eval()
    mine = np.arange(runtime.rank, len(examples), runtime.processes)
    parts = [mine[at : at + batch].tolist() for at in range(0, len(mine), batch)]
    outputs, targets, pieces = [torch.zeros(0, classes)], [torch.zeros(0, classes)], [torch.zeros(0, dtype=torch.int64)]
    for x, target, piece in batches(examples, parts, runtime, workers):
        outputs.append(runtime.outputs(network, x).cpu())
        targets.append(target)
        pieces.append(piece)
    numbered = (torch.from_numpy(mine), torch.cat(outputs), torch.cat(targets), torch.cat(pieces))
    order, *columns = (runtime.gathered(column.to(runtime.device)).cpu() for column in numbered)
    place = order.argsort()
    return Answers(*(column[place] for column in columns))
