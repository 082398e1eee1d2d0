"""Which Python runs the analysis, and what it can do. Zone: ui; no bpy."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass

from ..core.errors import WorkerError
from ..core.process import can_analyse, find_python, worker_environment


@dataclass(frozen=True)
class Engine:
    """A Python that can run the analysis.

    Attributes:
        python: The program.
        extra_paths: Folders it needs besides its own.
    """

    python: str
    extra_paths: tuple[str, ...] = ()


def choose_engine(preferred: str, own_python: str, own_folders: tuple[str, ...]) -> Engine:
    """The Python named in the preferences or by ``HOUSEX_PYTHON``; else Blender's own with the bundled wheels;
    else whatever :func:`find_python` finds. Takes seconds: never call it from draw or poll.

    Blender's module folders go to Blender's Python only: their compiled parts fit no other version.

    Raises:
        WorkerError: None of them can run the analysis.
    """
    if preferred or os.environ.get("HOUSEX_PYTHON"):
        return Engine(find_python(preferred))
    problem = can_analyse(own_python, own_folders) if own_python else "Blender's own Python was not found."
    if not problem:
        return Engine(own_python, own_folders)
    try:
        return Engine(find_python())
    except WorkerError as error:
        hint = "Install the extension from its zip, or name another Python in the extension's preferences."
        raise WorkerError(problem, hint) from error


def describe(engine: Engine) -> str:
    """One line: versions of Python and ONNX Runtime, and the devices it can use.

    Raises:
        WorkerError: It did not answer.
    """
    code = (
        "import sys, onnxruntime as o\n"
        "devices = [p.removesuffix('ExecutionProvider') for p in o.get_available_providers() if 'Azure' not in p]\n"
        "print(f'Python {sys.version.split()[0]}, ONNX Runtime {o.__version__}, devices: ' + ', '.join(devices))"
    )
    try:
        done = subprocess.run(
            [engine.python, "-c", code], env=worker_environment(engine.extra_paths),
            capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        raise WorkerError(f"{engine.python} did not answer: {error}.") from error
    return (done.stdout.strip().splitlines() or ["no answer"])[-1]
