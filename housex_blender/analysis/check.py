"""What this Python can do for the analysis, and how fast. Zone: analysis.

python -m housex_blender.analysis.check [--model DIR] [--device D]
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
import time
from collections.abc import Callable, Sequence

import numpy as np

from ..core.protocol import PROTOCOL, Kind
from .backends import Backend, open_backend
from .model_folder import ModelFolder, PieceFolder, load_any_model
from .patches import PATCH_FRAMES
from .pieces import PieceBackend
from .spectra import N_MELS
from .worker import Parser, Speaker, generator_version, speaking

_BARS, _PIECES, _REPEATS = 64, 2, 3
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
    model = load_any_model(model_folder)
    if isinstance(model, PieceFolder):
        runs_on, speeds = _pieces(model, device, speaker)
    else:
        runs_on, speeds = _bars(model, device, speaker)
    summary = {
        "python": platform.python_version(),
        "onnxruntime": installed("onnxruntime"),
        "providers": providers(),
        "torch": installed("torch"),
        "model": model.name,
        "genres": len(model.genres),
        "runs_on": runs_on,
        "hour_s": speeds,
    }
    speaker.say(Kind.RESULT, path=sys.executable, summary=summary)


def _bars(model: ModelFolder, device: str, speaker: Speaker) -> tuple[str, dict[str, float]]:
    """Where a model that hears bars runs, and its seconds for an hour there and on the processor."""
    backend = open_backend(model, device)
    speaker.status("Timing the network")
    speeds = {backend.description: hour_s(backend)}
    if backend.device != "cpu":
        plain = open_backend(model, "cpu", "onnx")
        speeds[plain.description] = hour_s(plain)
    return backend.description, speeds


def _pieces(model: PieceFolder, device: str, speaker: Speaker) -> tuple[str, dict[str, float]]:
    """The same for a published network, one piece of noise per bar, its front end included."""
    backend = PieceBackend(model, device)
    speaker.status("Timing the network")
    noise = np.random.default_rng(0).standard_normal((_PIECES, model.front_end.window_samples)).astype(np.float32)
    taken_s = _fastest_s(lambda: backend.hear(list(noise)))
    return backend.description, {backend.description: round(taken_s * _BARS_PER_HOUR / _PIECES, 3)}


def hour_s(backend: Backend) -> float:
    """Seconds the network takes for an hour of music at 124 BPM: the fastest of three runs over 64 bars of noise."""
    noise = np.random.default_rng(0).random((_BARS, 1, N_MELS, PATCH_FRAMES), dtype=np.float32)
    bpm = np.full(_BARS, _USUAL_BPM, np.float32)
    backend.hear(noise, bpm)  # the first run makes plans for all others
    return round(_fastest_s(lambda: backend.hear(noise, bpm)) * _BARS_PER_HOUR / _BARS, 3)


def _fastest_s(work: Callable[[], object]) -> float:
    taken_s = []
    for _ in range(_REPEATS):
        start_s = time.perf_counter()
        work()
        taken_s.append(time.perf_counter() - start_s)
    return min(taken_s)


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
