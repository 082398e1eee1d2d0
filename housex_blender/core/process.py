"""The analysis process seen from outside: start it, read it without blocking, stop it. Zone: pure."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from .errors import Cancelled, WorkerError
from .protocol import PROTOCOL, Kind, Message, decode

PACKAGE_PARENT = Path(__file__).resolve().parents[2]
PACKAGE_NAME = Path(__file__).resolve().parents[1].name
REQUIRED_MODULES = ("numpy", "soundfile", "soxr", "onnxruntime")
_STOP_WAIT_S = 3.0


def worker_environment(extra_paths: Sequence[str] = ()) -> dict[str, str]:
    """Environment for the child: the host's Python settings out, our package (and bundled wheels) in."""
    env = {key: value for key, value in os.environ.items() if key not in ("PYTHONHOME", "PYTHONPATH")}
    env["PYTHONPATH"] = os.pathsep.join([str(PACKAGE_PARENT), *extra_paths])
    env["PYTHONUNBUFFERED"] = "1"
    env["PYTHONIOENCODING"] = "utf-8"
    env["PYTHONDONTWRITEBYTECODE"] = "1"
    return env


def can_analyse(python: str, extra_paths: Sequence[str] = ()) -> str:
    """Empty if this Python can run the analysis, else one sentence why not (starts it once, up to 60 s)."""
    code = "\n".join(f"import {name}" for name in REQUIRED_MODULES) + "\nprint('can', 'hear')"
    try:
        done = subprocess.run(
            [python, "-c", code], env=worker_environment(extra_paths), capture_output=True, text=True, timeout=60
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{python} cannot be started: {error}."
    if done.returncode == 0 and "can hear" in done.stdout:
        return ""
    last = (done.stderr.strip().splitlines() or ["it stopped without a word"])[-1]
    return f"{python} cannot run the analysis: {last}."


def find_python(preferred: str = "") -> str:
    """A Python that can run the analysis.

    Order: ``preferred`` (a setting: used or refused, never skipped), ``HOUSEX_PYTHON``, ``.venv`` beside the
    package, the running Python.

    Raises:
        WorkerError: None of them can.
    """
    named = preferred or os.environ.get("HOUSEX_PYTHON", "")
    if named:
        problem = can_analyse(named)
        if problem:
            raise WorkerError(problem, "Name a Python that has numpy, soundfile, soxr and onnxruntime.")
        return named
    local = PACKAGE_PARENT / ".venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    problems = []
    for candidate in (str(local) if local.is_file() else "", sys.executable):
        if not candidate:
            continue
        problem = can_analyse(candidate)
        if not problem:
            return candidate
        problems.append(problem)
    raise WorkerError(
        " ".join(problems) or "No Python was found.",
        "Install the extension's zip, run `make setup`, or set HOUSEX_PYTHON to a Python with "
        "numpy, soundfile, soxr and onnxruntime.",
    )


class ProcessJob:
    """A process that speaks :mod:`.protocol`, started at once and read without blocking.

    Args:
        command: Program and arguments.
        environment: The child's environment; None inherits ours.

    Attributes:
        result_path: What it says it has written.
        error: The failure it told of.
    """

    what = "process"
    hint = "Try again; if it happens again, run it in a terminal to see all it says."
    stop_signal = signal.SIGINT

    def __init__(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        self._messages: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._log: deque[str] = deque(maxlen=200)
        self.result_path: Path | None = None
        self.error: WorkerError | None = None
        self._ok: bool | None = None
        flags = 0
        if os.name == "nt":
            flags = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0) | getattr(subprocess, "CREATE_NO_WINDOW", 0)
        try:
            self._process = subprocess.Popen(
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=dict(environment) if environment is not None else None,
                text=True,
                encoding="utf-8",
                errors="replace",
                creationflags=flags,
                start_new_session=os.name != "nt",
            )
        except OSError as error:
            raise WorkerError(f"{command[0]} cannot be started: {error}.", "Name a working program.") from error
        self._threads = [
            threading.Thread(target=self._read_messages, daemon=True),
            threading.Thread(target=self._read_log, daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def _read_messages(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            message = decode(line)
            if message is None:
                self._log.append(line.rstrip()[:500])
            else:
                self._messages.put(message)

    def _read_log(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._log.append(line.rstrip()[:500])

    @property
    def pid(self) -> int:
        """Process id of the child."""
        return self._process.pid

    @property
    def log(self) -> str:
        """The last lines the child wrote for people."""
        return "\n".join(self._log)

    def poll(self) -> list[Message]:
        """Messages that came since the last call; never blocks."""
        messages = []
        while not self._messages.empty():
            message = self._messages.get_nowait()
            self._note(message)
            messages.append(message)
        return messages

    def _note(self, message: Message) -> None:
        if message.kind is Kind.HELLO and message.fields.get("protocol") != PROTOCOL:
            self.error = WorkerError(
                f"The {self.what} speaks protocol {message.fields.get('protocol')}, this version needs {PROTOCOL}.",
                "Let both come from the same version of HouseX.",
            )
            self.cancel()
        elif message.kind is Kind.ERROR:
            self.error = WorkerError(message.text, str(message.fields.get("hint", "")))
        elif message.kind is Kind.RESULT:
            self.result_path = Path(str(message.fields.get("path", "")))
        elif message.kind is Kind.DONE:
            self._ok = bool(message.fields.get("ok"))

    @property
    def running(self) -> bool:
        """True until the child has ended and all it said can be polled."""
        if self._process.poll() is None:
            return True
        for thread in self._threads:
            thread.join(timeout=5)
        return False

    def outcome(self) -> Path:
        """Path of what was made.

        Raises:
            WorkerError: It failed, was killed, or ended without a result.
        """
        self.poll()
        if self.error is not None:
            raise self.error
        if self._process.returncode != 0 or not self._ok or self.result_path is None:
            last = next((line for line in reversed(self._log) if line.strip()), "no reason given")
            raise WorkerError(
                f"The {self.what} ended early (exit code {self._process.returncode}): {last}",
                self.hint,
            )
        return self.result_path

    def cancel(self) -> None:
        """Ask the child to stop, kill it if it does not within three seconds, and wait for its end."""
        if self._process.poll() is not None:
            return
        if os.name == "nt":
            self._process.send_signal(getattr(signal, "CTRL_BREAK_EVENT", signal.SIGTERM))
        else:
            self._signal_group(self.stop_signal)
        try:
            self._process.wait(_STOP_WAIT_S)
        except subprocess.TimeoutExpired:
            if os.name == "nt":
                self._process.kill()
            else:
                self._signal_group(signal.SIGKILL)
            self._process.wait()

    def _signal_group(self, number: int) -> None:
        # the group holds the decoder the child may have started, so no orphan is left
        try:
            os.killpg(self._process.pid, number)
        except (ProcessLookupError, PermissionError):
            self._process.send_signal(number)

    def wait(
        self,
        on_message: Callable[[Message], None] | None = None,
        should_stop: Callable[[], bool] | None = None,
        interval_s: float = 0.05,
    ) -> Path:
        """Drive the job to its end.

        Raises:
            WorkerError: As :meth:`outcome`.
            Cancelled: ``should_stop`` said so; the child has ended.
        """
        try:
            while True:
                running = self.running
                for message in self.poll():
                    if on_message is not None:
                        on_message(message)
                if not running:
                    return self.outcome()
                if should_stop is not None and should_stop():
                    self.cancel()
                    raise Cancelled()
                time.sleep(interval_s)
        except BaseException:
            self.cancel()
            raise


class AnalysisJob(ProcessJob):
    """A running analysis.

    Args:
        arguments: Command line of ``python -m housex_blender.analysis``.
        python: Interpreter to use.
        extra_paths: Folders with the modules it needs, if they are not its own.
    """

    what = "analysis"

    def __init__(self, arguments: Sequence[str], *, python: str, extra_paths: Sequence[str] = ()) -> None:
        command = [python, "-m", f"{PACKAGE_NAME}.analysis", *arguments]
        super().__init__(command, worker_environment(extra_paths))
