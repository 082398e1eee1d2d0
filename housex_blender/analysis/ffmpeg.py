"""The ffmpeg program as a decoder of last resort: header and sample pipe. Zone: analysis (numpy; no bpy)."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import threading
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO

import numpy as np
from numpy.typing import NDArray

from ..core.errors import AudioError
from .headers import shown

HEADER_TIMEOUT_S = 60.0
# A playlist or a concat script renamed to .m4a must not make ffmpeg fetch things from the network.
SAFE_INPUT = ("-protocol_whitelist", "file,pipe")
LAYOUTS = {"mono": 1, "stereo": 2, "2.1": 3, "3.0": 3, "4.0": 4, "quad": 4, "5.0": 5, "5.1": 6, "6.1": 7, "7.1": 8}
_STREAM = re.compile(r"Stream #\S+.*?: Audio: (\w+).*?, (\d+) Hz, ([^,\n]+)")
_DURATION = re.compile(r"Duration: (\d+):(\d+):(\d+(?:\.\d+)?)")
_CONTAINER = re.compile(r"Input #0, ([^,\n]+(?:,[^ ,\n]+)*)")


@dataclass(frozen=True)
class Header:
    """What ffmpeg says about a file: seconds, Hz, channels and the name of the container."""

    duration_s: float
    sample_rate_hz: int
    channels: int
    container: str


def find() -> str | None:
    """Path of the ffmpeg program, or None."""
    return shutil.which("ffmpeg")


def looks_like_film(path: Path) -> bool:
    """Whether the first bytes are those of MP4/M4A, Matroska, ADTS, ASF or AVI, which ffmpeg would open."""
    with path.open("rb") as stream:
        head = stream.read(16)
    magic = head[4:8] == b"ftyp" or head[:4] in (b"\x1aE\xdf\xa3", b"0&\xb2u")
    adts = len(head) > 1 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0
    return magic or adts or (head[:4] == b"RIFF" and head[8:11] == b"AVI")


def _creation_flags() -> int:
    """Keeps a console window from flashing up on Windows."""
    return int(getattr(subprocess, "CREATE_NO_WINDOW", 0))


def _source(path: Path) -> str:
    """The path in a form that ffmpeg cannot take for an option or another protocol."""
    return "file:" + os.path.abspath(path)


def _channels(layout: str) -> int:
    """Channels of a layout as ffmpeg prints it, such as ``stereo``, ``5.1(side)`` or ``6 channels``."""
    word = layout.strip()
    number = re.match(r"(\d+) channels", word)
    if number:
        return int(number.group(1))
    return LAYOUTS.get(word.split("(")[0].split(" ")[0], 2)


def header(path: Path) -> Header | None:
    """What ffmpeg says about the first audio stream; None when there is none or the file is not media."""
    program = find()
    if program is None:
        return None
    command = [program, "-hide_banner", "-nostdin", *SAFE_INPUT, "-i", _source(path)]
    try:
        text = subprocess.run(
            # our own stdin is the lifeline: a program that looks at it would wait for our read of it to end
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=HEADER_TIMEOUT_S,
            check=False,
            creationflags=_creation_flags(),
        ).stderr.decode("utf-8", "replace")
    except (OSError, subprocess.TimeoutExpired):
        return None
    stream, length, container = _STREAM.search(text), _DURATION.search(text), _CONTAINER.search(text)
    if stream is None or int(stream.group(2)) <= 0:
        return None
    duration_s = 0.0
    if length:
        hours, minutes, seconds = length.groups()
        duration_s = int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    name = path.suffix.lstrip(".") or (container.group(1) if container else "")
    return Header(duration_s, int(stream.group(2)), _channels(stream.group(3)), name.upper())


class Pipe(AbstractContextManager["Pipe"]):
    """Samples of the first audio stream, straight from ffmpeg's decoder at the file's own rate.

    Args:
        path: Media file.
        rate_hz: Rate to read at.
        channels: Channels to read.
        start_s: Seconds to skip, counted in decoded samples.
        stop: Set from outside to kill the program, which also ends a read that waits.
    """

    def __init__(self, path: Path, rate_hz: int, channels: int, start_s: float, stop: threading.Event) -> None:
        program = find()
        if program is None:
            raise AudioError(f'"{shown(path.name)}" needs ffmpeg, and ffmpeg is not installed.', "Install ffmpeg.")
        # ffmpeg leaps over damage without a word on where it was
        self.damaged: list[float] = []
        self.broken = False
        self._channels = channels
        self._stop = stop
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed in __exit__
        # Sample-exact trimming after the decoder: -ss before -i would depend on the container's time stamps.
        skip = ["-af", f"atrim=start_sample={round(start_s * rate_hz)}"] if start_s > 0 else []
        command = [program, "-v", "error", "-nostdin", *SAFE_INPUT, "-i", _source(path), "-map", "0:a:0", *skip]
        command += ["-ac", str(channels), "-ar", str(rate_hz), "-f", "f32le", "pipe:1"]
        try:
            self._child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self._errors,
                creationflags=_creation_flags(),
            )  # fmt: skip
        except OSError as error:
            self._errors.close()
            raise AudioError(f"ffmpeg could not be started: {error}.", "Reinstall ffmpeg.") from error
        self._over = threading.Event()
        self._guard = threading.Thread(target=self._watch, name="housex-ffmpeg", daemon=True)
        self._guard.start()

    def _watch(self) -> None:
        """Kill the child as soon as the reader gives up."""
        while not self._over.wait(0.1):
            if self._stop.is_set():
                self._child.kill()
                return

    def read(self, frames: int) -> NDArray[np.float32]:
        """Up to ``frames`` rows of (frames, channels); fewer only at the end."""
        assert self._child.stdout is not None
        width = 4 * self._channels
        data = self._child.stdout.read(frames * width)
        whole = len(data) - len(data) % width
        return np.frombuffer(data[:whole], dtype="<f4").astype(np.float32, copy=False).reshape(-1, self._channels)

    def complaint(self) -> str:
        """What ffmpeg wrote to its error stream, after the samples have ended; empty if all went well."""
        try:
            self._child.wait(timeout=2.0)
        except subprocess.TimeoutExpired:
            return ""
        self._errors.seek(0)
        return self._errors.read(4000).decode("utf-8", "replace").strip()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._child.kill()
        if self._child.stdout is not None:
            self._child.stdout.close()
        self._child.wait()
        self._guard.join()
        self._errors.close()
