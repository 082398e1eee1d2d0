"""Two ways to run the classifier with one answer: ONNX Runtime and torch. Zone: analysis."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import sys
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..core.errors import ModelError
from .model_folder import ONNX_FILE, ModelFolder

BATCH_BARS = 32
# names people write -> ONNX Runtime's
_PROVIDERS = {
    "cuda": "CUDAExecutionProvider",
    "directml": "DmlExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "cpu": "CPUExecutionProvider",
}


class Backend(Protocol):
    """Anything that turns patches into logits."""

    name: str
    device: str

    @property
    def description(self) -> str:
        """For people: library and device."""
        ...

    def logits(self, patches: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, G) logits of (n, 1, 128, 64) patches."""
        ...


class OnnxBackend:
    """Runs the network with ONNX Runtime.

    Args:
        model: A checked model folder.
        device: ``cpu``, ``cuda``, ``directml`` or ``coreml``.
    """

    def __init__(self, model: ModelFolder, device: str = "cpu") -> None:
        import onnxruntime

        provider = _PROVIDERS.get(device.split(":")[0], "")
        if provider not in onnxruntime.get_available_providers():
            raise ModelError(
                f"This ONNX Runtime cannot use {device}.", "Use --device cpu, or install torch with GPU support."
            )
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        # the arena keeps every batch's buffers for ever, which is a quarter of the memory of a two-hour mix
        options.enable_cpu_mem_arena = False
        options.intra_op_num_threads = min(os.cpu_count() or 1, 8)
        chosen = [provider] if device == "cpu" else [provider, "CPUExecutionProvider"]
        path = model.checked(ONNX_FILE)
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=chosen)
            (source,) = self._session.get_inputs()
            (target,) = self._session.get_outputs()
        except Exception as error:  # its exceptions share no base class of their own
            raise ModelError(f"The model {model.name} cannot be opened.", "Export it anew.") from error
        if target.shape[-1] != len(model.genres):
            raise ModelError(
                f"The model {model.name} has {target.shape[-1]} outputs for {len(model.genres)} genres.",
                "Export it anew.",
            )
        self.name, self.device, self._input = "onnx", device, source.name

    @property
    def description(self) -> str:
        """For people: library and device."""
        return f"ONNX Runtime on {self.device}"

    def logits(self, patches: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, G) logits of (n, 1, 128, 64) patches."""
        return np.asarray(self._session.run(None, {self._input: patches})[0], dtype=np.float32)


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
    return OnnxBackend(model, _onnx_device(device))


def _onnx_device(device: str) -> str:
    if device != "auto":
        return device
    import onnxruntime

    there = onnxruntime.get_available_providers()
    return next((name for name in ("cuda", "directml") if _PROVIDERS[name] in there), "cpu")


def all_logits(backend: Backend, patches: NDArray[np.float32]) -> NDArray[np.float32]:
    """Logits of any number of patches, in batches.

    Raises:
        ModelError: The network answers with values that are not numbers.
    """
    parts = [
        backend.logits(np.ascontiguousarray(patches[first : first + BATCH_BARS]))
        for first in range(0, len(patches), BATCH_BARS)
    ]
    result = np.concatenate(parts)
    if not np.all(np.isfinite(result)):
        raise ModelError("The model answers with values that are not numbers.", "Use another model folder.")
    return result
