"""Makes the GPU engine: an environment of its own with torch in it. A program; standard library only. Zone: pure.

    python -m housex_blender.core.engine_setup FOLDER [--torch auto|cuda|cpu]

Speaks the protocol of the analysis. The environment is made where it stays, because environments cannot be moved; the
file "ready.json" in it is written last, and a folder without that file is rubbish.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NoReturn

from . import lifeline
from .errors import Cancelled, HouseXError, WorkerError
from .files import write_text_atomic
from .protocol import PROTOCOL, Kind, Message

# the exact versions of the engine, whatever Python it is made with (3.11 to 3.14)
TORCH = ("torch==2.13.0",)
PACKAGES = ("numpy==2.3.5", "soundfile==0.14.0", "soxr==1.1.0", "onnxruntime==1.31.1", "safetensors==0.8.0")
# the first pip that tells how far a download is; older ones are replaced if that is possible
_PIP_WITH_PROGRESS, _PIP = (24, 1), "pip==25.3"
# where torch comes from; empty is pip's own index, which holds CUDA builds for Linux and CPU builds for Windows
TORCH_INDEXES = {
    "auto": "https://download.pytorch.org/whl/cu126" if os.name == "nt" else "",
    "cuda": "https://download.pytorch.org/whl/cu126",
    "cpu": "https://download.pytorch.org/whl/cpu",
}
FOLDER_NAME, MARKER = "gpu-engine", "ready.json"
LOG = "engine-setup.log"
_PROGRESS = re.compile(r"Progress (\d+) of (\d+)")
_DOWNLOAD = re.compile(r"Downloading (?:\S*/)?([A-Za-z0-9_.]+?)-\S+(?: \(([^)]*)\))?")
_NO_NETWORK = ("NewConnectionError", "Temporary failure in name resolution", "Failed to establish a new connection",
               "getaddrinfo failed", "ConnectTimeoutError", "ReadTimeoutError", "ProxyError", "SSLError",
               "Network is unreachable", "Connection refused", "No route to host")  # fmt: skip

Say = Callable[[Message], None]


def python_of(folder: Path) -> Path:
    """The Python of an environment."""
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def is_ready(folder: Path) -> bool:
    """Whether a whole engine is in the folder."""
    return (folder / MARKER).is_file() and python_of(folder).exists()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit code."""
    parser = argparse.ArgumentParser(description="Make an environment with torch for the analysis.")
    parser.add_argument("folder", type=Path, help="where to make it; what is there without being whole is removed")
    parser.add_argument("--torch", default="auto", choices=sorted(TORCH_INDEXES), help="which build of torch")
    arguments = parser.parse_args(argv)

    def say(message: Message) -> None:
        with contextlib.suppress(OSError):  # nobody listens any more: what was made is removed all the same
            print(message.encode(), flush=True)

    _stop_on_signals()
    lifeline.hold()
    say(Message(Kind.HELLO, {"protocol": PROTOCOL, "pid": os.getpid()}))
    error: HouseXError = Cancelled()
    try:
        python = make_engine(arguments.folder, TORCH_INDEXES[arguments.torch], say)
    except KeyboardInterrupt:
        pass
    except WorkerError as failure:
        error = failure
    except OSError as failure:
        error = WorkerError(
            f"The engine could not be written: {failure.strerror or failure}.", "Free some space and try again."
        )
    else:
        say(Message(Kind.RESULT, {"path": str(python)}))
        say(Message(Kind.DONE, {"ok": True}))
        return 0
    say(Message(Kind.ERROR, {"text": error.message, "hint": error.hint}))
    say(Message(Kind.DONE, {"ok": False}))
    return 1


def _stop_on_signals() -> None:
    def stop(_number: int, _frame: object) -> NoReturn:
        raise KeyboardInterrupt

    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), stop)


def make_engine(folder: Path, torch_index: str, say: Say) -> Path:
    """Make the environment, or leave nothing.

    Returns:
        Its Python.

    Raises:
        WorkerError: There is one already, or it could not be made.
    """
    if is_ready(folder):
        raise WorkerError("There is an engine already.", "Remove it first.")
    if folder.name != FOLDER_NAME:
        # what is there is removed, so this must not be a folder of somebody's work
        raise WorkerError(f"The folder {folder.name} is not called {FOLDER_NAME}.", "Name another one.")
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / LOG).open("w", encoding="utf-8") as log:
        setup = _Setup(folder, say, log.write)
        try:
            setup.make_environment()
            setup.renew_pip()
            setup.install("the libraries", PACKAGES)
            setup.install("torch", TORCH, torch_index)
            write_text_atomic(
                folder / MARKER, json.dumps({"packages": [*PACKAGES, *TORCH], "torch_index": torch_index})
            )
        except BaseException:
            say(Message(Kind.STATUS, {"text": "Removing what was made"}))
            shutil.rmtree(folder, ignore_errors=True)
            raise
    return python_of(folder)


class _Setup:
    """The steps, with a log for whoever mends it.

    Args:
        folder: The environment.
        say: Where messages go.
        write_log: Where all else goes, line by line.
    """

    def __init__(self, folder: Path, say: Say, write_log: Callable[[str], object]) -> None:
        self._folder, self._say, self._write_log = folder, say, write_log
        self._raw_progress = False

    def make_environment(self) -> None:
        """An environment with pip in it."""
        self._status("Making an environment")
        code, lines = self._run([sys.executable, "-m", "venv", str(self._folder)])
        said = "\n".join(lines)
        if "ensurepip is not" in said or "No module named venv" in said or "No module named ensurepip" in said:
            version = f"{sys.version_info.major}.{sys.version_info.minor}"
            raise WorkerError(
                f"{sys.executable} cannot make environments: a part of Python is missing.",
                f"On Debian and Ubuntu install it with: sudo apt install python{version}-venv",
            )
        if code != 0:
            raise WorkerError(f"The environment could not be made: {_last_words(lines)}.", "Free some space.")

    def renew_pip(self) -> None:
        """A pip that tells how far it is; without one all goes well, only silently."""
        _code, lines = self._run([str(python_of(self._folder)), "-m", "pip", "--version"])
        self._raw_progress = _pip_version("\n".join(lines)) >= _PIP_WITH_PROGRESS
        if not self._raw_progress:
            self._status("Looking for a newer pip")
            code, lines = self._pip([_PIP, "--retries", "1"])
            if code != 0 and _is_offline(lines):
                raise _offline()
            self._raw_progress = code == 0

    def install(self, what: str, packages: Sequence[str], index: str = "") -> None:
        """Let pip install packages; wheels only, so that nothing of theirs runs on the way."""
        self._status(f"Looking for {what}")
        code, lines = self._pip([*packages, *(["--index-url", index] if index else [])])
        if code == 0:
            return
        if _is_offline(lines):
            raise _offline()
        if any("No space left" in line or "Errno 28" in line for line in lines):
            raise WorkerError("The disk is full.", "Free some space and try again; torch needs up to 6 GB.")
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        if any("No matching distribution" in line for line in lines):
            raise WorkerError(
                f"The package index has no {what} for Python {version} on this system.",
                "Choose another source of torch, or name an engine Python of your own.",
            )
        raise WorkerError(f"pip could not install {what}: {_last_words(lines)}.", "The log says more.")

    def _pip(self, arguments: Sequence[str]) -> tuple[int, list[str]]:
        bar = "raw" if self._raw_progress else "off"
        # no cache: what is downloaded must not stay in a place that Remove does not know
        command = [str(python_of(self._folder)), "-m", "pip", "install", "--only-binary", ":all:", "--no-cache-dir"]
        command += ["--no-input", "--disable-pip-version-check", "--progress-bar", bar, *arguments]
        return self._run(command)

    def _run(self, command: Sequence[str]) -> tuple[int, list[str]]:
        """Exit code and last lines of a program; what it says of its progress is passed on."""
        environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONHOME", "PYTHONPATH")}
        self._write_log(f"> {' '.join(command)}\n")
        lines: deque[str] = deque(maxlen=200)
        with subprocess.Popen(
            list(command), env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, encoding="utf-8", errors="replace",
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        ) as child:  # fmt: skip
            assert child.stdout is not None
            try:
                for line in child.stdout:
                    message = told_by_pip(line)
                    if message is not None:
                        self._say(message)
                    if message is None or message.kind is not Kind.PROGRESS:
                        self._write_log(line)
                        lines.append(line.rstrip())
            except BaseException:
                child.kill()
                raise
        return child.returncode, list(lines)

    def _status(self, text: str) -> None:
        self._write_log(f"{text}\n")
        self._say(Message(Kind.STATUS, {"text": text}))


def told_by_pip(line: str) -> Message | None:
    """What a line of pip means for the screen; None if nothing."""
    progress = _PROGRESS.match(line.strip())
    if progress:
        return Message(Kind.PROGRESS, {"done": int(progress[1]), "total": int(progress[2]), "unit": "bytes"})
    download = _DOWNLOAD.match(line.strip())
    if download:
        size = f" ({download[2]})" if download[2] else ""
        return Message(Kind.STATUS, {"text": f"Downloading {download[1]}{size}"})
    if line.startswith("Installing collected packages"):
        count = line.count(",") + 1
        return Message(Kind.STATUS, {"text": f"Installing {count} package{'s' * (count > 1)}"})
    return None


def _pip_version(said: str) -> tuple[int, ...]:
    found = re.search(r"pip (\d+)\.(\d+)", said)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _is_offline(lines: Sequence[str]) -> bool:
    return any(word in line for line in lines for word in _NO_NETWORK)


def _offline() -> WorkerError:
    return WorkerError("The package index cannot be reached.", "Check the connection and try again.")


def _last_words(lines: Sequence[str]) -> str:
    """The last line that says what is wrong."""
    spoken = list(_spoken(lines))
    wrong = [line for line in spoken if line.startswith("ERROR")]
    return ((wrong or spoken or ["it said nothing"])[-1]).removeprefix("ERROR: ")[:300].rstrip(".")


def _spoken(lines: Sequence[str]) -> Iterator[str]:
    return (line.strip() for line in lines if line.strip())


if __name__ == "__main__":
    raise SystemExit(main())
