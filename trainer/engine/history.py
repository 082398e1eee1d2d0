"""What training did, one row per look at the validation part: history.csv and TensorBoard. Zone: trainer (torch)."""

from __future__ import annotations

import csv
import dataclasses
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from torch.utils.tensorboard import SummaryWriter

from housex_blender.core.errors import HouseXError
from housex_blender.core.files import write_text_atomic

HISTORY_FILE, TENSORBOARD_FOLDER = "history.csv", "tensorboard"


@dataclass(frozen=True)
class Row:
    """Where training stood.

    Attributes:
        epoch: Epochs that were begun.
        step: Steps that were made.
        lr: Learning rate of the last one.
        train_loss: Mean over the examples since the row before, as the network was when it met them.
        train_accuracy: Of the same.
        val_loss: Mean over the validation part; NaN without one.
        val_accuracy: Share of its examples whose greatest class was said.
        val_entropy: Of the shares of the classes that were said, in nats: 0 when it is always the same one.
    """

    epoch: int
    step: int
    lr: float
    train_loss: float
    train_accuracy: float
    val_loss: float
    val_accuracy: float
    val_entropy: float


FIELDS = tuple(field.name for field in dataclasses.fields(Row))
_WHOLE = ("epoch", "step")


def entropy_of(counts: Sequence[int]) -> float:
    """Entropy in nats of the shares of some counts; NaN where there are none."""
    total = sum(counts)
    if not total:
        return math.nan
    return -sum(count / total * math.log(count / total) for count in counts if count) + 0.0


def row_of(numbers: Sequence[float]) -> Row:
    """A row from its values in the order of FIELDS."""
    named = dict(zip(FIELDS, numbers, strict=True))
    return Row(**{name: int(value) if name in _WHOLE else float(value) for name, value in named.items()})  # type: ignore[arg-type]


def write_history(path: Path, rows: Sequence[Row]) -> None:
    """All rows; the numbers read back as they are."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(FIELDS)
    writer.writerows([repr(value) for value in dataclasses.astuple(row)] for row in rows)
    write_text_atomic(path, text.getvalue())


def read_history(path: Path) -> tuple[Row, ...]:
    """What :func:`write_history` wrote.

    Raises:
        HouseXError: It is missing or damaged.
    """
    try:
        lines = list(csv.reader(path.read_text(encoding="utf-8").splitlines()))
        if tuple(lines[0]) != FIELDS:
            raise ValueError("other columns")
        return tuple(row_of([float(value) for value in line]) for line in lines[1:])
    except (OSError, ValueError, IndexError) as error:
        raise HouseXError(f"{path.name} of the run in {path.parent} cannot be read.", "Run it with --again.") from error


class Board:
    """The curves for TensorBoard; what an interrupted run had drawn beyond its checkpoint is drawn over.

    Args:
        folder: Of the run; None draws nothing.
        step: Where training goes on.
    """

    def __init__(self, folder: Path | None, step: int) -> None:
        self._writer = None if folder is None else SummaryWriter(str(folder / TENSORBOARD_FOLDER), purge_step=step + 1)

    def draw(self, row: Row) -> None:
        """Add one row."""
        if self._writer is not None:
            for name in FIELDS[2:]:
                self._writer.add_scalar(name.replace("_", "/", 1), getattr(row, name), row.step)
            self._writer.flush()

    def close(self) -> None:
        """Write what is left."""
        if self._writer is not None:
            self._writer.close()
