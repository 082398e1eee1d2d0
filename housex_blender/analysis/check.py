"""What this Python can do for the analysis, and how fast. Zone: analysis.

python -m housex_blender.analysis.check [--model DIR] [--device D]
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
import time
from collections.abc import Sequence

import numpy as np

from ..core.protocol import PROTOCOL, Kind
from .backends import Backend, open_backend
from .model_folder import load_model_folder
from .patches import PATCH_FRAMES
from .spectra import N_MELS
from .worker import Parser, Speaker, generator_version, speaking

_BARS, _REPEATS = 64, 3
_USUAL_BPM = 124.0
_BARS_PER_HOUR = _USUAL_BPM * 60 / 4


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit code."""
    parser = Parser(
        prog="python -m housex_blender.analysis.check",
        description="Say what this Python can do for the analysis: versions, devices, the model, the network's speed.",
    )
    parser.add_argument("--model", default="", metavar="DIR", help="model folder (default: the one that ships)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, mps, directml or coreml (default: auto)")

    def work(speaker: Speaker) -> None:
        arguments = parser.parse_args(argv)
        check(speaker, arguments.model, arguments.device)

    return speaking(work)


def check(speaker: Speaker, model_folder: str, device: str) -> None:
    """Open the model where an analysis would, time it, and say it all in the result.

    Raises:
        ModelError: The model or the device cannot be used.
    """
    speaker.say(Kind.HELLO, protocol=PROTOCOL, version=generator_version(), pid=os.getpid())
    speaker.status("Opening the model")
    model = load_model_folder(model_folder)
    backend = open_backend(model, device)
    speaker.status("Timing the network")
    speeds = {backend.description: hour_s(backend)}
    if backend.device != "cpu":
        plain = open_backend(model, "cpu", "onnx")
        speeds[plain.description] = hour_s(plain)
    summary = {
        "python": platform.python_version(),
        "onnxruntime": installed("onnxruntime"),
        "providers": providers(),
        "torch": installed("torch"),
        "model": model.name,
        "genres": len(model.genres),
        "runs_on": backend.description,
        "hour_s": speeds,
    }
    speaker.say(Kind.RESULT, path=sys.executable, summary=summary)


def hour_s(backend: Backend) -> float:
    """Seconds the network takes for an hour of music at 124 BPM: the fastest of three runs over 64 bars of noise."""
    noise = np.random.default_rng(0).random((_BARS, 1, N_MELS, PATCH_FRAMES), dtype=np.float32)
    bpm = np.full(_BARS, _USUAL_BPM, np.float32)
    backend.hear(noise, bpm)  # the first run makes plans for all others
    taken_s = []
    for _ in range(_REPEATS):
        start_s = time.perf_counter()
        backend.hear(noise, bpm)
        taken_s.append(time.perf_counter() - start_s)
    return round(min(taken_s) * _BARS_PER_HOUR / _BARS, 3)


def installed(name: str) -> str:
    """Version of a library; empty if it is not there. Does not import it."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def providers() -> list[str]:
    """What ONNX Runtime can run on."""
    import onnxruntime

    names = (name.removesuffix("ExecutionProvider") for name in onnxruntime.get_available_providers())
    return [name for name in names if name != "Azure"]


if __name__ == "__main__":
    raise SystemExit(main())
