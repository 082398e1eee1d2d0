"""Two ways to run the network with one answer: ONNX Runtime and torch. Zone: analysis."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..core.attributes import ATTRIBUTES
from ..core.errors import ModelError
from .model_folder import ONNX_FILE, HearingModel, ModelFolder
from .patches import PATCH_FRAMES
from .spectra import N_MELS

if TYPE_CHECKING:
    import onnxruntime

Floats32 = NDArray[np.float32]
Numbers = TypeVar("Numbers")

# bars of a long mix that are heard at a time, besides those around them
PART_BARS = 96
# of the ONNX graph
INPUTS = ["patches", "bpm"]
# the tempo of bars whose record may be played at another than its own
UNKNOWN_BPM = 0.0
# names people write -> ONNX Runtime's
_PROVIDERS = {
    "cuda": "CUDAExecutionProvider",
    "directml": "DmlExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "cpu": "CPUExecutionProvider",
}


class Heard(NamedTuple, Generic[Numbers]):
    """What a network says of n consecutive bars, in arrays or, inside torch, in tensors.

    The fields are also the names of the ONNX graph's outputs.

    Attributes:
        logits: (n, G) sub-genres.
        attributes: (n, 7) in the order of ATTRIBUTES: four on the scale 1..5, then three probabilities.
        handover: (n,) logit that the bar is the first of another track.
        embedding: (n, D) of unit length: bars that sound alike lie close.
    """

    logits: Numbers
    attributes: Numbers
    handover: Numbers
    embedding: Numbers


class Backend(Protocol):
    """Anything that hears consecutive bars."""

    name: str
    device: str

    @property
    def description(self) -> str:
        """For people: library and device."""
        ...

    def hear(self, patches: Floats32, bpm: Floats32) -> Heard[Floats32]:
        """Answers for the consecutive bars (n, 1, 128, 64) and their tempi (n,), or UNKNOWN_BPM."""
        ...


class OnnxBackend:
    """Runs the network with ONNX Runtime.

    Args:
        model: A checked model folder.
        device: ``cpu``, ``cuda``, ``directml`` or ``coreml``.

    Raises:
        ModelError: The device is not there, or the graph is not what the model's card describes.
    """

    def __init__(self, model: ModelFolder, device: str = "cpu") -> None:
        self.name, self.device, self._model_name = "onnx", device, model.name
        self._session = open_session(model, device)
        taken = [source.name for source in self._session.get_inputs()]
        answered = [output.name for output in self._session.get_outputs()]
        for what, names, wanted in (("takes", taken, INPUTS), ("answers", answered, list(Heard._fields))):
            if names != wanted:
                raise ModelError(
                    f"The model {model.name} {what} {', '.join(names)}, not {', '.join(wanted)}.", "Export it anew."
                )
        self._try_out(model)

    def _try_out(self, model: ModelFolder) -> None:
        """Hear three grey bars: a graph may name any shape, what counts is what it answers."""
        bars = 3
        grey = np.full((bars, 1, N_MELS, PATCH_FRAMES), 0.5, np.float32)
        heard = self.hear(grey, np.full(bars, 124.0, np.float32))
        genres = len(model.genres)
        if heard.logits.shape == (bars, heard.logits.shape[-1]) and heard.logits.shape[-1] != genres:
            raise ModelError(
                f"The model {model.name} answers for {heard.logits.shape[-1]} genres, its card names {genres}.",
                "Export it anew.",
            )
        wanted = ((bars, genres), (bars, len(ATTRIBUTES)), (bars,), (bars, model.shape.size))
        for name, part, shape in zip(Heard._fields, heard, wanted, strict=True):
            if part.shape != shape:
                raise ModelError(
                    f"The model {model.name} answers with {name} of shape {part.shape} for {bars} bars, not {shape}.",
                    "Export it anew.",
                )
        _check(heard, bars)

    @property
    def description(self) -> str:
        """For people: library and device."""
        return f"ONNX Runtime on {self.device}"

    def hear(self, patches: Floats32, bpm: Floats32) -> Heard[Floats32]:
        """Answers for the consecutive bars (n, 1, 128, 64) and their tempi (n,).

        Raises:
            ModelError: The network cannot run.
        """
        try:
            given = dict(zip(INPUTS, (np.ascontiguousarray(patches), np.ascontiguousarray(bpm)), strict=True))
            parts = self._session.run(list(Heard._fields), given)
        except Exception as error:  # its exceptions share no base class of their own
            raise ModelError(
                f"The model {self._model_name} cannot run on {self.device}.", "Use --device cpu."
            ) from error
        return Heard(*(np.asarray(part, dtype=np.float32) for part in parts))


def open_session(model: HearingModel, device: str) -> onnxruntime.InferenceSession:
    """The graph of a model, ready to run.

    Args:
        model: A checked model folder.
        device: ``cpu``, ``cuda``, ``directml`` or ``coreml``.

    Raises:
        ModelError: The device is not there, or the file is not a graph.
    """
    import onnxruntime

    provider = _PROVIDERS.get(device.split(":")[0], "")
    if provider not in onnxruntime.get_available_providers():
        raise ModelError(
            f"This ONNX Runtime cannot use {device}.", "Use --device cpu, or install torch with GPU support."
        )
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    # the arena keeps every part's buffers for ever, which is a quarter of the memory of a two-hour mix
    options.enable_cpu_mem_arena = False
    options.intra_op_num_threads = min(os.cpu_count() or 1, 8)
    chosen = [provider] if device == "cpu" else [provider, "CPUExecutionProvider"]
    path = model.checked(ONNX_FILE)
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=chosen)
    except Exception as error:  # its exceptions share no base class of their own
        raise ModelError(f"The model {model.name} cannot be opened.", "Export it anew.") from error


def _gpu_seems_there() -> bool:
    """Cheap look before the second it costs to import torch."""
    if sys.platform == "darwin":
        return platform.machine() == "arm64"
    return os.path.exists("/proc/driver/nvidia/version") or shutil.which("nvidia-smi") is not None


def open_backend(model: ModelFolder, device: str = "auto", library: str = "auto") -> Backend:
    """The backend for a device.

    Args:
        model: A checked model folder.
        device: ``auto`` (a GPU where there is one), ``cpu``, ``cuda``, ``mps``, ``directml`` or ``coreml``.
        library: ``auto``, ``onnx`` or ``torch``.

    Raises:
        ModelError: The device, the library or the weights are not there.
    """
    has_torch = importlib.util.find_spec("torch") is not None and importlib.util.find_spec("safetensors") is not None
    if library == "torch" and not has_torch:
        raise ModelError("This Python has no torch.", "Install torch and safetensors, or use --backend onnx.")
    wants_torch = library == "torch" or (library == "auto" and device.split(":")[0] in ("cuda", "mps") and has_torch)
    if library == "auto" and device == "auto":
        wants_torch = has_torch and _gpu_seems_there()
    if wants_torch:
        from .network import TorchBackend, pick_device

        chosen = pick_device(device)
        if chosen != "cpu" or library == "torch" or device != "auto":
            return TorchBackend(model, chosen)
    return OnnxBackend(model, onnx_device(device))


def onnx_device(device: str) -> str:
    """The device of ONNX Runtime for ``auto``: a GPU where it has one."""
    if device != "auto":
        return device
    import onnxruntime

    there = onnxruntime.get_available_providers()
    return next((name for name in ("cuda", "directml") if _PROVIDERS[name] in there), "cpu")


def hear_all(
    backend: Backend, patches_of: Callable[[int, int], Floats32], bpm: NDArray[np.floating], context_bars: int
) -> Heard[Floats32]:
    """Answers for a mix of any length: heard in parts that overlap, with the answers of the whole.

    Args:
        backend: Where the network runs.
        patches_of: Called with the first bar and the one after the last; returns their (n, 1, 128, 64) pictures, so
            that those of a long mix are never all in memory.
        bpm: (n,) tempo of every bar of the mix.
        context_bars: How far an answer depends on the bars before and after it.

    Raises:
        ModelError: The network answers with something other than one row of numbers for every bar.
    """
    parts, n_bars = [], len(bpm)
    tempi = np.asarray(bpm, dtype=np.float32)
    for first in range(0, n_bars, PART_BARS):
        last = min(first + PART_BARS, n_bars)
        start, end = max(first - context_bars, 0), min(last + context_bars, n_bars)
        heard = backend.hear(patches_of(start, end), tempi[start:end])
        _check(heard, end - start)
        # a copy, or the rows of the overlap stay in memory
        parts.append(Heard(*(part[first - start : last - start].copy() for part in heard)))
    return Heard(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _check(heard: Heard[Floats32], bars: int) -> None:
    """Raises ModelError where there is not one row of numbers for every bar."""
    for name, part in zip(Heard._fields, heard, strict=True):
        if len(part) != bars:
            raise ModelError(f"The model answers with {len(part)} {name} for {bars} bars.", "Use another model folder.")
        if not np.all(np.isfinite(part)):
            raise ModelError(
                f"The model answers with values that are not numbers ({name}).", "Use another model folder."
            )
