"""The genre of every bar as a published network hears it: one piece of sound per bar. Zone: analysis."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..core.bars import BarGrid
from ..core.errors import ModelError
from .audio import decode_blocks
from .backends import onnx_device, open_session
from .classify import softmax
from .front_ends.base import Samples
from .model_folder import PieceFolder

INPUT, OUTPUT = "pieces", "logits"
_BATCH = 8
# a piece that is hardly longer than its bar starts with it; a longer one lies around the bar's middle
_ABOUT_A_BAR = 1.25

Floats = NDArray[np.float64]


class PieceBackend:
    """Runs a published network with ONNX Runtime.

    Args:
        model: A checked model folder.
        device: ``auto``, ``cpu``, ``cuda``, ``directml`` or ``coreml``.

    Raises:
        ModelError: The device is not there, or the graph or the front end is not what the card describes.
    """

    def __init__(self, model: PieceFolder, device: str = "auto") -> None:
        self.device, self._model = onnx_device(device), model
        self._session = open_session(model, self.device)
        taken = [source.name for source in self._session.get_inputs()]
        answered = [output.name for output in self._session.get_outputs()]
        if (taken, answered) != ([INPUT], [OUTPUT]):
            raise ModelError(
                f"The model {model.name} takes {', '.join(taken)} and answers {', '.join(answered)}, "
                f"not {INPUT} and {OUTPUT}.",
                "Export it anew.",
            )
        # a graph may name any shape, what counts is what it answers
        self.hear([np.zeros(model.front_end.window_samples, np.float32)] * 2)

    @property
    def description(self) -> str:
        """For people: library and device."""
        return f"ONNX Runtime on {self.device}"

    def hear(self, pieces: list[Samples]) -> Floats:
        """(n, G) logits of n pieces of (window_samples,) mono sound at the front end's rate.

        Raises:
            ModelError: The front end or the network cannot take them, or the answer is not a row of numbers for each.
        """
        front_end, name = self._model.front_end, self._model.name
        try:
            given = np.stack([front_end.ready(front_end.stored(piece)) for piece in pieces])
            logits = self._session.run([OUTPUT], {INPUT: given.astype(np.float32)})[0]
        except Exception as error:  # ONNX Runtime's exceptions share no base class of their own
            raise ModelError(f"The model {name} cannot run on {self.device}.", "Export it anew.") from error
        wanted = (len(pieces), len(self._model.genres))
        if np.shape(logits) != wanted:
            raise ModelError(
                f"The model {name} answers with an array of shape {np.shape(logits)}, not {wanted}.", "Export it anew."
            )
        if not np.all(np.isfinite(logits)):
            raise ModelError(f"The model {name} answers with values that are not numbers.", "Train it anew.")
        return np.asarray(logits, dtype=np.float64)


def piece_starts(grid: BarGrid, rate_hz: int, window: int) -> NDArray[np.int64]:
    """(n_bars,) first sample of the piece that speaks for each bar; never before the start of the mix."""
    starts_s, ends_s = grid.starts_s, grid.ends_s
    length_s = window / rate_hz
    centred_s = 0.5 * (starts_s + ends_s - length_s)
    first_s = np.where(length_s <= _ABOUT_A_BAR * (ends_s - starts_s), starts_s, centred_s)
    return np.maximum(np.rint(first_s * rate_hz), 0).astype(np.int64)


def cut(path: Path, rate_hz: int, starts: NDArray[np.int64], window: int) -> Iterator[Samples]:
    """The pieces in order, read in one pass; what lies behind the end of the mix is silence.

    Args:
        path: Audio file.
        rate_hz: Of the pieces.
        starts: (n,) first samples, ascending.
        window: Length in samples.

    Raises:
        AudioError: The file cannot be decoded.
    """
    kept, first, number = np.zeros(0, np.float32), 0, 0
    for block in decode_blocks(path, rate_hz=rate_hz):
        kept = np.concatenate([kept, block])
        while number < len(starts) and starts[number] + window <= first + len(kept):
            begin = int(starts[number]) - first
            yield kept[begin : begin + window]
            number += 1
        if number == len(starts):
            return
        # nothing before the next piece is needed any more
        spent = min(max(int(starts[number]) - first, 0), len(kept))
        kept, first = kept[spent:], first + spent
    for start in starts[number:]:
        rest = kept[max(int(start) - first, 0) :][:window]
        yield np.pad(rest, (0, window - len(rest)))


def bar_probabilities(
    path: Path, grid: BarGrid, model: PieceFolder, backend: PieceBackend, on_progress: Callable[[float, float], None]
) -> NDArray[np.float32]:
    """(n_bars, G) what the network says of each bar, before any smoothing.

    Args:
        path: The mix.
        grid: Its bars.
        model: The model's card.
        backend: Where it runs.
        on_progress: Called with (seconds heard, seconds in all).

    Raises:
        AudioError: The mix cannot be decoded.
        ModelError: The network fails.
    """
    front_end = model.front_end
    starts = piece_starts(grid, front_end.sample_rate_hz, front_end.window_samples)
    said: list[Floats] = []
    batch: list[Samples] = []
    for number, piece in enumerate(cut(path, front_end.sample_rate_hz, starts, front_end.window_samples), 1):
        batch.append(piece)
        if len(batch) == _BATCH or number == len(starts):
            said.append(softmax(backend.hear(batch), model.temperature))
            batch = []
            on_progress(float(grid.ends_s[number - 1]), float(grid.ends_s[-1]))
    return np.concatenate(said).astype(np.float32)
