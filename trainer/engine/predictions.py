"""What a system said of the pieces of one part, on disk as plain arrays. Zone: trainer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from housex_blender.core.errors import HouseXError
from housex_blender.core.files import replacing

from ..data.by_track import last_greatest

_ARRAYS = ("track", "start_s", "target", "probs", "logits")


def predictions_file(folder: Path, part: str) -> Path:
    """Where a run's folder has what it said of a part."""
    return folder / f"predictions-{part}.npz"


@dataclass(frozen=True)
class Predictions:
    """Answers for n pieces.

    Attributes:
        classes: C names.
        track: (n,) name of the track that each piece belongs to.
        start_s: (n,) where it starts.
        target: (n, C) shares of the classes.
        probs: (n, C) what the system said; a row of zeros is an abstention, which counts as an error.
        logits: (n, C) before the softmax, NaN where a system has none.
    """

    classes: tuple[str, ...]
    track: NDArray[np.str_]
    start_s: NDArray[np.float64]
    target: NDArray[np.float32]
    probs: NDArray[np.float32]
    logits: NDArray[np.float32]

    @property
    def said(self) -> NDArray[np.int64]:
        """(n,) index of the class that was said, -1 for an abstention."""
        return np.where(self.probs.sum(axis=1) > 0, self.probs.argmax(axis=1), -1)

    @property
    def true(self) -> NDArray[np.int64]:
        """(n,) index of the class with the greatest share; of equal ones the last."""
        return last_greatest(self.target)

    def rows(self, which: NDArray[np.int64] | NDArray[np.bool_]) -> Predictions:
        """The answers for some pieces: their indices, in any order, or a mask of (n,)."""
        return Predictions(self.classes, *(getattr(self, name)[which] for name in _ARRAYS))

    @classmethod
    def joined(cls, parts: Sequence[Predictions]) -> Predictions:
        """One after the other, at least one; all of the same classes."""
        return cls(parts[0].classes, *(np.concatenate([getattr(one, name) for one in parts]) for name in _ARRAYS))

    def save(self, path: Path) -> None:
        """Write an .npz."""
        with replacing(path) as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, classes=np.array(self.classes), **{name: getattr(self, name) for name in _ARRAYS})

    @classmethod
    def load(cls, path: Path) -> Predictions:
        """Read what :meth:`save` wrote.

        Raises:
            HouseXError: It is missing or damaged.
        """
        try:
            with np.load(path, allow_pickle=False) as arrays:
                return cls(tuple(str(name) for name in arrays["classes"]), *(arrays[name] for name in _ARRAYS))
        except Exception as error:  # a damaged archive raises whatever its readers meet
            raise HouseXError(f"{path.name} does not hold predictions.", "Run the recipe again.") from error
