"""The analysis process seen from outside: start it, read it without blocking, stop it. Zone: pure."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from . import lifeline
from .errors import Cancelled, WorkerError
from .protocol import MAX_LINE_CHARS, PROTOCOL, Kind, Message, decode

PACKAGE_PARENT = Path(__file__).resolve().parents[2]
PACKAGE_NAME = Path(__file__).resolve().parents[1].name
REQUIRED_MODULES = ("numpy", "soundfile", "soxr", "onnxruntime")
OLDEST_PYTHON = (3, 11)
_STOP_WAIT_S = 3.0
# how long the last words of a child that has ended may take, if something it started still holds its pipes
_LAST_WORDS_S = 3.0
_PROBE_TIMEOUT_S = 60
# how much the window goes before the child: the child takes what is left, which is all of it while nobody works
_NICENESS = 10
# SIGKILL, as seen directly and through a shell; Windows: no memory
_KILLED = (-9, 137, 0xC0000017)
_NO_MEMORY = ("MemoryError", "bad_alloc", "out of memory", "Cannot allocate memory")
_HEARS, _LACKS, _TOO_OLD = "can hear", "lacks:", "too old:"
_PROBE = f"""
import sys
if sys.version_info < {OLDEST_PYTHON}:
    print({_TOO_OLD!r}, sys.version.split()[0])
    sys.exit()
import importlib
lacks = []
for name in {REQUIRED_MODULES}:
    try:
        importlib.import_module(name)
    except ImportError as error:
        lacks.append(name)
        print(type(error).__name__, error, file=sys.stderr)
print(({_LACKS!r} + " " + " ".join(lacks)) if lacks else {_HEARS!r})
"""


def worker_environment(extra_paths: Sequence[str] = ()) -> dict[str, str]:
    """Environment for the child: the host's Python settings out, our package (and bundled wheels) in."""
    env = {key: value for key, value in os.environ.items() if key not in ("PYTHONHOME", "PYTHONPATH")}
    env["PYTHONPATH"] = os.pathsep.join([str(PACKAGE_PARENT), *extra_paths])
    # ONNX Runtime reports its use to its maker otherwise
    env["ORT_DISABLE_TELEMETRY"] = "1"
    env["PYTHONUNBUFFERED"] = "1"
    env["PYTHONIOENCODING"] = "utf-8"
    env["PYTHONDONTWRITEBYTECODE"] = "1"
    # the folder Blender was started in may hold files named as modules are
    env["PYTHONSAFEPATH"] = "1"
    return env


def check_python(python: str, extra_paths: Sequence[str] = ()) -> None:
    """Start a Python once, up to 60 s, to see whether it can run the analysis.

    Raises:
        WorkerError: It cannot; the sentence says why, the hint what to do.
    """
    name_one = "Name a Python program that has numpy, soundfile, soxr and onnxruntime."
    path = Path(python)
    if path.is_dir():
        raise WorkerError(f"{python} is a folder and cannot be started.", "Name the Python program inside it.")
    try:
        done = subprocess.run(
            [python, "-c", _PROBE], env=worker_environment(extra_paths), stdin=subprocess.DEVNULL,
            capture_output=True, text=True, encoding="utf-8", errors="replace", timeout=_PROBE_TIMEOUT_S,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise WorkerError(f"{python} did not answer within {_PROBE_TIMEOUT_S} seconds.", name_one) from error
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else "") or str(error)
        raise WorkerError(f"{python} cannot be started: {reason}.", name_one) from error
    lines = done.stdout.strip().splitlines()
    last = lines[-1] if lines else ""
    if done.returncode == 0 and last == _HEARS:
        return
    if last.startswith(_LACKS):
        lacks = last.removeprefix(_LACKS).split()
        raise WorkerError(
            f"{python} cannot run the analysis: it lacks {', '.join(lacks)}.",
            f'Install what is missing: "{python}" -m pip install {" ".join(lacks)}',
        )
    if last.startswith(_TOO_OLD):
        raise WorkerError(
            f"{python} is Python {last.removeprefix(_TOO_OLD).strip()}, which is too old.",
            f"Name a Python {OLDEST_PYTHON[0]}.{OLDEST_PYTHON[1]} or newer.",
        )
    said = (done.stderr.strip().splitlines() or [f"it ended with code {done.returncode} and without an answer"])[-1]
    if done.returncode == 0:
        raise WorkerError(f"{python} is not a Python: it did not answer as one does.", name_one)
    raise WorkerError(f"{python} cannot run the analysis: {said[:200].rstrip('.')}.", name_one)


def can_analyse(python: str, extra_paths: Sequence[str] = ()) -> bool:
    """Whether :func:`check_python` finds nothing wrong."""
    try:
        check_python(python, extra_paths)
    except WorkerError:
        return False
    return True


def find_python(preferred: str = "") -> str:
    """A Python that can run the analysis.

    Order: ``preferred`` (a setting: used or refused, never skipped), ``HOUSEX_PYTHON``, ``.venv`` beside the
    package, the running Python.

    Raises:
        WorkerError: None of them can.
    """
    named = preferred or os.environ.get("HOUSEX_PYTHON", "")
    if named:
        check_python(named)
        return named
    local = PACKAGE_PARENT / ".venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    problems = []
    for candidate in (str(local) if local.is_file() else "", sys.executable):
        if not candidate:
            continue
        try:
            check_python(candidate)
            return candidate
        except WorkerError as error:
            problems.append(error.message)
    raise WorkerError(
        " ".join(problems) or "No Python was found.",
        "Install the extension's zip, run `make setup`, or set HOUSEX_PYTHON to a Python with "
        "numpy, soundfile, soxr and onnxruntime.",
    )


def _creation_flags() -> int:
    """Windows: a group that can be interrupted alone, no console window, and the foreground goes first."""
    names = ("CREATE_NEW_PROCESS_GROUP", "CREATE_NO_WINDOW", "BELOW_NORMAL_PRIORITY_CLASS")
    return sum(getattr(subprocess, name, 0) for name in names)


def _step_back(pid: int) -> None:
    """Elsewhere the foreground goes first because the child is nicer; what it starts inherits that."""
    if os.name != "nt":
        # it may have ended already; a system may forbid it, which costs nothing but smoothness
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, pid, max(os.getpriority(os.PRIO_PROCESS, 0), _NICENESS))


def _lines(stream: IO[str] | None) -> Iterator[str]:
    """Lines as they come; an endless one in pieces, so that it does not fill the memory."""
    assert stream is not None
    return iter(lambda: stream.readline(MAX_LINE_CHARS + 1), "")


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
        self._refused = False
        self._ended_s: float | None = None
        child_environment = dict(os.environ if environment is None else environment)
        lifeline.promise(child_environment)
        try:
            self._process = subprocess.Popen(
                list(command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=child_environment,
                text=True,
                encoding="utf-8",
                errors="replace",
                creationflags=_creation_flags(),
                start_new_session=os.name != "nt",
            )
        except OSError as error:
            raise WorkerError(
                f"{command[0]} cannot be started: {error.strerror or error}.", "Name a working program."
            ) from error
        _step_back(self._process.pid)
        self._threads = [
            threading.Thread(target=self._read_messages, daemon=True),
            threading.Thread(target=self._read_log, daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def _read_messages(self) -> None:
        for line in _lines(self._process.stdout):
            message = decode(line)
            if message is None:
                self._log.append(line.rstrip()[:500])
            else:
                self._messages.put(message)

    def _read_log(self) -> None:
        for line in _lines(self._process.stderr):
            self._log.append(line.rstrip()[:500])

    @property
    def pid(self) -> int:
        """Process id of the child."""
        return self._process.pid

    @property
    def log(self) -> str:
        """The last lines the child wrote for people."""
        return "\n".join(self._log)

    @property
    def exit_code(self) -> int | None:
        """What the child ended with; negative for a signal, None while it runs."""
        return self._process.returncode

    def poll(self) -> list[Message]:
        """Messages that came since the last call; never blocks, however fast the child talks."""
        messages = []
        for _ in range(self._messages.qsize()):
            message = self._messages.get_nowait()
            self._note(message)
            messages.append(message)
        return messages

    def _note(self, message: Message) -> None:
        if self._refused:
            return
        if message.kind is Kind.HELLO and message.fields.get("protocol") != PROTOCOL:
            self.error = WorkerError(
                f"The {self.what} speaks protocol {message.fields.get('protocol')}, this version needs {PROTOCOL}.",
                "Let both come from the same version of HouseX.",
            )
            self._refused = True
            # ending it politely may take seconds, which a window must not notice
            threading.Thread(target=self.cancel, daemon=True).start()
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
        if not any(thread.is_alive() for thread in self._threads):
            return False
        if self._ended_s is None:
            self._ended_s = time.monotonic()
        if time.monotonic() - self._ended_s < _LAST_WORDS_S:
            return True
        # something that the child has started outlives it and holds the pipes
        if os.name != "nt":
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
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
            raise self._ended_early()
        return self.result_path

    def _ended_early(self) -> WorkerError:
        code = self._process.returncode
        last = next((line for line in reversed(self._log) if line.strip()), "no reason given")
        killed = code in _KILLED or any(word in line for line in self._log for word in _NO_MEMORY)
        perhaps = "If nobody ended it, memory ran out: close other programs. " if killed else ""
        return WorkerError(f"The {self.what} ended early (exit code {code}): {last}", perhaps + self.hint)

    def cancel(self) -> None:
        """Ask the child to stop, kill it if it does not within three seconds, and wait for its end."""
        if self._process.poll() is not None:
            return
        if os.name == "nt":
            # a host without a console cannot ask; Python then raises either
            with contextlib.suppress(OSError, SystemError):
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
