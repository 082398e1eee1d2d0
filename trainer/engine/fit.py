"""Training a network exactly as its Training says, on one or several devices. Zone: trainer (torch).

A run that was killed goes on from its last checkpoint, and ends with the same bits as one that was not: on processors
always, on GPUs as far as their libraries add in one order.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from housex_blender.core.errors import HouseXError

from ..systems.base import Setup
from .answers import Answers, Examples, ask, batches
from .chance import epoch_order, seed_step
from .checkpoints import (
    BEST_FILE,
    CHECKPOINT_FILE,
    LAST_FILE,
    load_checkpoint,
    load_weights,
    save_checkpoint,
    save_weights,
)
from .history import HISTORY_FILE, Board, Row, entropy_of, row_of, write_history
from .optimising import classes_of, losses, make_optimiser, rate_at, set_rate
from .runtime import Runtime

# below this share of the entropy of the true classes, a classifier says the same whatever it hears
_COLLAPSED = 0.02


@dataclass(frozen=True)
class Plan:
    """What decides a run besides its system and its data.

    Attributes:
        seed: Of all chance.
        identity: Says of which run a checkpoint is.
        steps: After which training stops, where that is earlier than its epochs; the schedule is stretched to them.
        micro_batch: Most examples at once on a device; a step that has more adds up its gradients. None for no limit.
        workers: Processes that read ahead.
        keep_every: Steps between two checkpoints.
        name: Before the progress bar.
        progress: Whether to show it.
    """

    seed: int
    identity: str = ""
    steps: int | None = None
    micro_batch: int | None = None
    workers: int = 0
    keep_every: int = 500
    name: str = "training"
    progress: bool = True


@dataclass(frozen=True)
class Fitted:
    """How training ended; the network has the weights that its Training keeps.

    Attributes:
        rows: One per look at the validation part.
        steps: That were made.
        best: Index into ``rows`` of the best by the monitor; of the last where nothing was validated.
        weights_file: Which file of the run has the weights that were kept.
    """

    rows: tuple[Row, ...]
    steps: int
    best: int
    weights_file: str


def is_collapsed(parts: Sequence[Answers]) -> bool:
    """Whether a classifier says one class, give or take a rare slip, of examples that are of several."""
    said, true = (
        np.sum(counts, axis=0).tolist() for counts in zip(*((one.said, one.true) for one in parts), strict=True)
    )
    return entropy_of(true) > 0 and entropy_of(said) < _COLLAPSED * entropy_of(true)


def fit(
    setup: Setup, network: nn.Module, train: Examples, val: Examples, folder: Path, plan: Plan, runtime: Runtime
) -> Fitted:
    """Train a network, or go on where a checkpoint in the folder ends.

    Args:
        setup: Says how.
        network: As built; it is changed, and at the end has the weights that are kept.
        train: To learn from.
        val: To choose by; may be empty.
        folder: Gets checkpoint.pt, best.safetensors, last.safetensors, history.csv and the curves.
        plan: Seed and sizes.
        runtime: Where to compute.

    Raises:
        HouseXError: There is nothing to learn from, the checkpoint is damaged or of another run, the loss stops being a
            number, or a batch does not fit into memory.
    """
    if not len(train):
        raise HouseXError(f"Nothing is left to train {setup.system} on.", "Look at the problems that were named.")
    loop = _Loop(setup, network, train, val, folder, plan, runtime)
    try:
        loop.run()
    except torch.OutOfMemoryError as error:
        raise HouseXError(
            f"A batch of {setup.system} does not fit into the memory of {runtime.device}.",
            "Use --micro-batch with a smaller number; the steps stay the same.",
        ) from error
    return loop.finished()


class _Loop:
    """The state of a run while it goes."""

    def __init__(self, setup: Setup, network: nn.Module, train: Examples, val: Examples, folder: Path, plan: Plan,
                 runtime: Runtime) -> None:  # fmt: skip
        self.setup, self.train, self.val, self.folder, self.plan, self.runtime = (
            setup,
            train,
            val,
            folder,
            plan,
            runtime,
        )
        training = setup.training
        self.per_epoch = math.ceil(len(train) / training.batch)
        whole = training.epochs * self.per_epoch
        self.total = whole if plan.steps is None else min(whole, plan.steps)
        self.looks = self._looks()
        self.network = runtime.placed(network)
        self.optimiser = make_optimiser(self.network, training, setup.group_lr)
        self.step, self.stopped = 0, False
        self.rows: list[Row] = []
        self.best: int | None = None
        self.sums = torch.zeros(3, dtype=torch.float32 if runtime.device.type == "mps" else torch.float64)
        self.sums = self.sums.to(runtime.device)
        self._resume()
        self.shared = runtime.shared(self.network)

    def _looks(self) -> frozenset[int]:
        """After which steps the validation part is looked at."""
        often = self.setup.training.validations
        shares = np.arange(1, self.setup.training.epochs * often + 1) / often
        return frozenset({self.total, *np.maximum(1, np.round(shares * self.per_epoch)).astype(int).tolist()})

    def _resume(self) -> None:
        path = self.folder / CHECKPOINT_FILE
        state = load_checkpoint(path, self.plan.identity)
        if state is None:
            return
        try:
            self.network.load_state_dict(state["network"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.runtime.load_scaler(state["scaler"])
            self.step, self.best, self.stopped = state["step"], state["best"], state["stopped"]
            self.rows = [row_of(numbers) for numbers in state["rows"]]
            if self.runtime.first:
                self.sums += state["sums"].to(self.sums)
        except (KeyError, ValueError, TypeError, RuntimeError) as error:
            raise HouseXError(f"The checkpoint {path} does not fit this network.", "Start with --again.") from error

    def run(self) -> None:
        """Make the steps that are left."""
        if self.stopped or self.step >= self.total:
            return
        shown = self.plan.progress and self.runtime.first
        board = Board(self.folder if self.runtime.first else None, self.step)
        with tqdm(total=self.total, initial=self.step, desc=self.plan.name, unit="step", disable=not shown) as bar:
            while self.step < self.total and not self.stopped:
                for x, target in self._epoch():
                    self._learn(x, target)
                    self.step += 1
                    bar.update()
                    if self.step in self.looks:
                        self._look(board)
                        bar.set_postfix(loss=f"{self.rows[-1].train_loss:.3f}", val=f"{self.rows[-1].val_loss:.3f}")
                        self._keep()
                    elif self.step % self.plan.keep_every == 0:
                        self._keep()
                    if self.stopped or self.step >= self.total:
                        break
        board.close()

    def _epoch(self) -> Iterator[tuple[Tensor, Tensor]]:
        """What this process gets of each batch that is left of the epoch."""
        training = self.setup.training
        epoch, done = divmod(self.step, self.per_epoch)
        order = epoch_order(len(self.train), self.plan.seed, epoch, training.reshuffle,
                            self.train.main if training.balanced else None)  # fmt: skip
        whole = [order[at : at + training.batch] for at in range(0, len(order), training.batch)][done:]
        mine = [self._share(indices) for indices in whole]
        # a process that gets nothing of a small batch takes part with an example that does not count
        read = [share.tolist() or order[:1].tolist() for share in mine]
        loaded = batches(self.train, read, self.runtime, self.plan.workers)
        for share, (x, target, _) in zip(mine, loaded, strict=True):
            yield x, target if len(share) else torch.zeros_like(target)

    def _share(self, indices: NDArray[np.int64]) -> NDArray[np.int64]:
        parts: list[NDArray[np.int64]] = np.array_split(indices, self.runtime.processes)
        return parts[self.runtime.rank]

    def _whole_batch(self) -> int:
        """How many examples the step has, over all processes."""
        done = self.step % self.per_epoch * self.setup.training.batch
        return min(self.setup.training.batch, len(self.train) - done)

    def _learn(self, x: Tensor, target: Tensor) -> None:
        """One step: the gradient of the mean loss over the whole batch, however it is cut up."""
        training, runtime = self.setup.training, self.runtime
        seed_step(self.plan.seed, self.step, runtime.rank)
        self.shared.train()
        if self.setup.prepare_training is not None:
            self.setup.prepare_training(self.network)
        set_rate(self.optimiser, training, rate_at(self.step, self.total, training))
        self.optimiser.zero_grad(set_to_none=True)
        # the gradients of the processes are averaged, which a sum over all examples must make up for
        weight = runtime.processes / self._whole_batch()
        at_once = self.plan.micro_batch or len(x)
        parts = list(zip(x.split(at_once), target.to(runtime.device).split(at_once), strict=True))
        for number, (some, wanted) in enumerate(parts, 1):
            with runtime.accumulating(self.shared, more=number < len(parts)):
                outputs = runtime.outputs(self.shared, some)
                loss = losses(outputs, wanted)
                if loss.requires_grad:
                    runtime.fabric.backward(loss.sum() * weight)
            self._count(outputs.detach(), wanted, loss.detach())
        if training.clip_norm is not None:
            runtime.fabric.clip_gradients(self.network, self.optimiser, max_norm=training.clip_norm,
                                          error_if_nonfinite=False)  # fmt: skip
        runtime.fabric.strategy.optimizer_step(self.optimiser)

    def _count(self, outputs: Tensor, target: Tensor, loss: Tensor) -> None:
        counts = target.sum(-1) > 0
        right = (outputs.argmax(-1) == classes_of(target)) & counts
        self.sums += torch.stack([loss.sum().to(self.sums), right.sum().to(self.sums), counts.sum().to(self.sums)])

    def _fold(self) -> None:
        """All processes' sums into the first one's."""
        self.sums = self.runtime.total(self.sums)
        if not self.runtime.first:
            self.sums = torch.zeros_like(self.sums)

    def _look(self, board: Board) -> None:
        """Ask about the validation part; a new best is written down, too many looks without one end the run."""
        training = self.setup.training
        at_once = self.plan.micro_batch or training.batch
        answers = ask(self.network, self.val, len(self.setup.classes), self.runtime, at_once, self.plan.workers)
        loss, right, count = self.runtime.total(self.sums).tolist()
        self.sums.zero_()
        if not math.isfinite(loss):
            raise HouseXError(
                f"The loss of {self.setup.system} was not a number any more before step {self.step}.",
                "Use --precision 32 or a lower rate: --set training.lr=NUMBER.",
            )
        epoch = math.ceil(self.step / self.per_epoch)
        rate = training.lr * rate_at(self.step - 1, self.total, training)
        row = Row(epoch, self.step, rate, loss / count, right / count, answers.loss, answers.accuracy,
                  entropy_of(answers.said))  # fmt: skip
        self.rows.append(row)
        if self._is_better(row):
            self.best = len(self.rows) - 1
            if self.runtime.first:
                save_weights(self.folder / BEST_FILE, self.network)
        board.draw(row)
        if self.runtime.first:
            write_history(self.folder / HISTORY_FILE, self.rows)
        if training.patience is not None and self.best is not None:
            self.stopped = row.step - self.rows[self.best].step >= training.patience * self.per_epoch

    def _is_better(self, row: Row) -> bool:
        def goodness(of: Row) -> float:
            return of.val_accuracy if self.setup.training.monitor == "val_accuracy" else -of.val_loss

        if not math.isfinite(goodness(row)):
            return False
        return self.best is None or goodness(row) > goodness(self.rows[self.best])

    def _keep(self) -> None:
        """Write down all that a run needs to go on."""
        self._fold()
        if self.runtime.first:
            state: dict[str, Any] = {
                "identity": self.plan.identity,
                "network": self.network.state_dict(),
                "optimiser": self.optimiser.state_dict(),
                "scaler": self.runtime.scaler_state(),
                "step": self.step,
                "rows": [list(astuple(row)) for row in self.rows],
                "best": self.best,
                "stopped": self.stopped,
                "sums": self.sums,
            }
            save_checkpoint(self.folder / CHECKPOINT_FILE, state)

    def finished(self) -> Fitted:
        """Give the network the weights that are kept, on every process."""
        file = BEST_FILE if self.setup.training.keep == "best" and self.best is not None else LAST_FILE
        if self.runtime.first:
            save_weights(self.folder / LAST_FILE, self.network)
        self.runtime.wait()
        load_weights(self.folder / file, self.network)
        best = len(self.rows) - 1 if self.best is None else self.best
        return Fitted(tuple(self.rows), self.step, best, file)
