"""Which Python runs the analysis, what it can do, and the jobs that find out or make one. Zone: ui; no bpy."""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.engine_setup import LOG, is_ready
from ..core.errors import WorkerError
from ..core.process import PACKAGE_NAME, ProcessJob, check_python, find_python, worker_environment


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
    try:
        if not own_python:
            raise WorkerError("Blender's own Python was not found.")
        check_python(own_python, own_folders)
        return Engine(own_python, own_folders)
    except WorkerError as own:
        try:
            return Engine(find_python())
        except WorkerError as error:
            hint = "Install the extension from its zip, or name another Python in the extension's preferences."
            raise WorkerError(own.message, hint) from error


class CheckJob(ProcessJob):
    """A check of an engine: what it can do, and how fast.

    Args:
        engine: The Python.
        device: As ``--device`` of the analysis.
        model: Model folder; empty for the one that came along.
    """

    what = "check"

    def __init__(self, engine: Engine, device: str, model: str) -> None:
        command = [engine.python, "-m", f"{PACKAGE_NAME}.analysis.check", "--device", device]
        super().__init__([*command, *(["--model", model] if model else [])], worker_environment(engine.extra_paths))


class SetupJob(ProcessJob):
    """The making of a GPU engine; what is not whole at its end is removed.

    Args:
        python: The Python to make it from.
        folder: Where it goes.
        torch: Which build of torch, a key of :data:`..core.engine_setup.TORCH_INDEXES`.
    """

    what = "setup"

    def __init__(self, python: str, folder: Path, torch: str) -> None:
        self._folder = folder
        self.hint = f"What was made is removed again; {folder.parent / LOG} says more."
        command = [python, "-m", f"{PACKAGE_NAME}.core.engine_setup", str(folder), "--torch", torch]
        super().__init__(command, worker_environment())

    @property
    def log(self) -> str:
        """The last lines of pip, which go to a file, and of the program itself."""
        try:
            lines = (self._folder.parent / LOG).read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            lines = []
        return "\n".join([*lines[-200:], super().log]).strip()

    def outcome(self) -> Path:
        """The engine's Python.

        Raises:
            WorkerError: It could not be made; nothing is left of it.
        """
        try:
            return super().outcome()
        except WorkerError:
            self._sweep()
            raise

    def cancel(self) -> None:
        """End it and what it started, and remove what was made."""
        super().cancel()
        self._sweep()

    def _sweep(self) -> None:
        if not is_ready(self._folder):
            shutil.rmtree(self._folder, ignore_errors=True)


def table_of(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a check found, as rows of name and value; empty if nothing of use.

    A child may say anything, so nothing is taken on trust.
    """
    if not summary.get("python"):
        return []
    providers = summary.get("providers")
    devices = ", ".join(map(_short, providers)) if isinstance(providers, Sequence) else ""
    rows = [
        ("Python", _short(summary.get("python"))),
        ("ONNX Runtime", _short(summary.get("onnxruntime")) + (f" ({devices})" if devices else "")),
        ("torch", _short(summary.get("torch")) or "not installed"),
        ("Model", _short(summary.get("model"))),
        ("Runs on", _short(summary.get("runs_on"))),
    ]
    speeds = summary.get("hour_s")
    if isinstance(speeds, Mapping):
        for description, seconds in list(speeds.items())[:4]:
            if isinstance(seconds, int | float) and math.isfinite(seconds) and seconds > 0:
                rows.append(("Network", f"an hour of mix in about {_seconds(seconds)} ({_short(description)})"))
    return [(name, value) for name, value in rows if value]


def _short(value: object) -> str:
    return str(value or "").replace("\n", " ")[:80]


def _seconds(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s" if seconds >= 0.1 else f"{seconds:.2f} s"


def size_bytes(folder: Path) -> int:
    """Bytes of all files in a folder; links are not followed."""
    total = 0
    for place, _folders, files in os.walk(folder):
        for name in files:
            try:
                total += os.lstat(os.path.join(place, name)).st_size
            except OSError:
                continue  # gone meanwhile
    return total
