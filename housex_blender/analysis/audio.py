"""Opening and decoding a mix, block by block, to mono. Zone: analysis (numpy, soundfile, soxr; no bpy).

libsndfile reads wav, aiff, flac, ogg, opus and mp3. What it cannot open (m4a, aac, mp4, mkv, ...) goes through an
``ffmpeg`` found on PATH. Decoding runs in a thread of its own, because libsndfile and soxr release the GIL.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from ..core.errors import AudioError
from . import ffmpeg

Samples = NDArray[np.float32]
WarningSink = Callable[[str], None]

MAX_CHANNELS = 64
QUEUE_BLOCKS = 3
SHORTFALL_S = 0.5
# frames of one step where a file is damaged: the loss is at most this much before the damage
DAMAGE_STEP = 4096


@dataclass(frozen=True)
class AudioInfo:
    """What is known about a mix before it is decoded.

    Attributes:
        duration_s: Length in seconds as its header says.
        sample_rate_hz: Samples per second and channel.
        channels: Number of channels.
        container: Name of the file format, upper case.
        decoder: ``"libsndfile"`` or ``"ffmpeg"``.
        size_bytes: Size of the file.
    """

    duration_s: float
    sample_rate_hz: int
    channels: int
    container: str
    decoder: str
    size_bytes: int


def _ignore(_message: str) -> None:
    """Default sink of warnings."""


def _check_file(path: Path) -> int:
    """Size of a readable, non-empty file in bytes.

    Raises:
        AudioError: The path is missing, a folder, empty or not readable.
    """
    try:
        if path.is_dir():
            raise AudioError(f'"{path.name}" is a folder, not an audio file.', "Choose one audio file.")
        if not path.exists():
            raise AudioError(f'There is no file "{path}".', "Check the name and the folder.")
        with path.open("rb") as stream:
            if not stream.read(1):
                raise AudioError(f'"{path.name}" is empty.', "Export or download the mix again.")
        return path.stat().st_size
    except PermissionError as error:
        raise AudioError(
            f'"{path.name}" may not be read.', "Give yourself permission to read the file, or copy it elsewhere."
        ) from error
    except (OSError, ValueError) as error:
        raise AudioError(f'"{path.name}" cannot be opened: {error}.', "Copy the file to a local disk.") from error


def probe(path: Path) -> AudioInfo:
    """Look at the header of an audio file.

    Raises:
        AudioError: The file is missing, a folder, empty, not readable, not audio, or needs ffmpeg and there is none.
    """
    path = Path(path)
    size_bytes = _check_file(path)
    try:
        info = soundfile.info(str(path))
    except (soundfile.SoundFileError, RuntimeError, TypeError):
        return _probe_ffmpeg(path, size_bytes)
    if info.samplerate <= 0 or info.channels <= 0:
        raise AudioError(f'"{path.name}" has a damaged header.', "Export the mix again, for example as FLAC.")
    if info.frames <= 0:
        raise AudioError(f'"{path.name}" holds no sound.', "Export or download the mix again.")
    duration_s = info.frames / info.samplerate
    return AudioInfo(duration_s, info.samplerate, info.channels, info.format, "libsndfile", size_bytes)


def _probe_ffmpeg(path: Path, size_bytes: int) -> AudioInfo:
    """Header through ffmpeg, for files that libsndfile refuses."""
    if ffmpeg.find() is None:
        if ffmpeg.looks_like_film(path):
            raise AudioError(
                f'"{path.name}" needs ffmpeg to be decoded, and ffmpeg is not installed.',
                "Install ffmpeg so that it is on PATH, or convert the mix to FLAC.",
            )
        raise AudioError(f'"{path.name}" is not an audio file.', "Choose a FLAC, WAV, MP3, OGG or M4A file.")
    header = ffmpeg.header(path)
    if header is None:
        raise AudioError(f'"{path.name}" is not an audio file.', "Choose a FLAC, WAV, MP3, OGG or M4A file.")
    return AudioInfo(header.duration_s, header.sample_rate_hz, header.channels, header.container, "ffmpeg", size_bytes)


class _Source(Protocol):
    """Reads interleaved samples until they end."""

    def read(self, frames: int) -> Samples: ...


class _SndfileSource(AbstractContextManager["_SndfileSource"]):
    """libsndfile behind the same three calls as the ffmpeg pipe."""

    def __init__(self, path: Path, start_s: float) -> None:
        self._file = soundfile.SoundFile(str(path))
        self.rate_hz: int = self._file.samplerate
        start = min(round(start_s * self.rate_hz), max(self._file.frames, 0))
        if start:
            self._file.seek(start)

    def read(self, frames: int) -> Samples:
        """Up to ``frames`` rows of (frames, channels); fewer at the end or where the file breaks off."""
        at = self._file.tell()
        try:
            samples: Samples = self._file.read(frames, dtype="float32", always_2d=True)
        except soundfile.SoundFileError:
            # a block that ends in damage is lost as a whole, so its good part is fetched in small steps
            samples = self._read_before_damage(at, frames)
            if not len(samples):
                raise
        return samples

    def _read_before_damage(self, at: int, frames: int) -> Samples:
        parts: list[Samples] = []
        with contextlib.suppress(soundfile.SoundFileError):
            self._file.seek(at)
            while frames > 0:
                part: Samples = self._file.read(min(frames, DAMAGE_STEP), dtype="float32", always_2d=True)
                if not len(part):
                    break
                parts.append(part)
                frames -= len(part)
        return np.concatenate(parts) if parts else np.zeros((0, self._file.channels), np.float32)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def to_mono(samples: Samples) -> Samples:
    """(n, channels) -> (n,) mean of all channels; samples that are not numbers become silence."""
    mono = samples[:, 0].copy()
    # Column by column is several times faster than mean(axis=1) on interleaved samples.
    for channel in range(1, samples.shape[1]):
        mono += samples[:, channel]
    if samples.shape[1] > 1:
        mono *= np.float32(1.0 / samples.shape[1])
    if not np.isfinite(mono).all():
        mono = np.nan_to_num(mono, nan=0.0, posinf=0.0, neginf=0.0)
    return mono


@dataclass
class _Job:
    """One decoding job: what to read, and the channel back to the reader."""

    path: Path
    info: AudioInfo
    rate_hz: int
    block_s: float
    start_s: float
    duration_s: float | None
    out: queue.Queue[Samples | str | BaseException | None]
    stop: threading.Event

    def put(self, item: Samples | str | BaseException | None) -> None:
        """Hand one item over; gives up when nobody listens any more."""
        while not self.stop.is_set():
            try:
                self.out.put(item, timeout=0.1)
                return
            except queue.Full:
                continue

    def run(self) -> None:
        """Body of the decoding thread."""
        try:
            if self.info.decoder == "ffmpeg":
                with ffmpeg.Pipe(
                    self.path, self.info.sample_rate_hz, self.info.channels, self.start_s, self.stop
                ) as pipe:
                    self._copy(pipe)
                    complaint = pipe.complaint()
                if complaint and not self.stop.is_set():
                    self.put(f'"{self.path.name}" is damaged in places; the rest was read.')
            else:
                with _SndfileSource(self.path, self.start_s) as source:
                    self._copy(source)
            self.put(None)
        except AudioError as error:
            self.put(error)
        except Exception as error:  # noqa: BLE001 - a thread must hand its failure to the caller, whatever it is
            self.put(AudioError(f'"{self.path.name}" cannot be decoded: {error}.', "Convert the mix to FLAC."))

    def _copy(self, source: _Source) -> None:
        """Read, mix to mono, resample, hand over; says so when the file ends before its header does."""
        rate_hz = self.info.sample_rate_hz
        expected = max(0, round((self.info.duration_s - self.start_s) * rate_hz))
        wanted = expected if self.duration_s is None else round(self.duration_s * rate_hz)
        limit = None if self.duration_s is None else wanted
        stream = None if rate_hz == self.rate_hz else soxr.ResampleStream(rate_hz, self.rate_hz, 1, "float32")
        block, done, broken = max(1, round(self.block_s * rate_hz)), 0, False
        while not self.stop.is_set():
            size = block if limit is None else min(block, limit - done)
            try:
                mono = to_mono(source.read(size)) if size > 0 else np.zeros(0, np.float32)
            except (soundfile.SoundFileError, RuntimeError):
                mono, broken = np.zeros(0, np.float32), True
            done += len(mono)
            last = len(mono) == 0
            ready = mono if stream is None else stream.resample_chunk(mono, last=last)
            if len(ready):
                self.put(np.ascontiguousarray(ready, dtype=np.float32))
            if last:
                break
        missing_s = (min(wanted, expected) - done) / rate_hz
        if not self.stop.is_set() and (broken or missing_s > SHORTFALL_S):
            self.put(
                f'"{self.path.name}" ends after {done / rate_hz + self.start_s:.1f} s instead of '
                f"{self.info.duration_s:.1f} s; the rest is missing or damaged."
            )


def decode_blocks(
    path: Path,
    *,
    rate_hz: int = 22050,
    block_s: float = 10.0,
    start_s: float = 0.0,
    duration_s: float | None = None,
    on_warning: WarningSink | None = None,
) -> Iterator[Samples]:
    """Decode to mono blocks of float32 while a thread decodes ahead.

    Args:
        path: Audio file.
        rate_hz: Rate of the result.
        block_s: Length of a block before resampling.
        start_s: Where to begin.
        duration_s: How much to read; everything if None.
        on_warning: Called, in the caller's thread, with a sentence when the file is cut short or damaged.

    Yields:
        (n,) samples, full scale 1.0.

    Raises:
        AudioError: The file cannot be opened, or not one sample can be decoded.
    """
    path, warn = Path(path), on_warning or _ignore
    info = probe(path)
    if info.channels > MAX_CHANNELS:
        raise AudioError(f'"{path.name}" has {info.channels} channels.', "Mix it down to stereo first.")
    job = _Job(
        path, info, rate_hz, block_s, max(0.0, start_s), duration_s, queue.Queue(QUEUE_BLOCKS), threading.Event()
    )
    thread = threading.Thread(target=job.run, name="housex-decode", daemon=True)
    thread.start()
    count = 0
    try:
        while (item := job.out.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            if isinstance(item, str):
                warn(item)
                continue
            count += len(item)
            yield item
        if count == 0 and start_s <= 0.0 and duration_s != 0.0:
            raise AudioError(f'"{path.name}" holds no sound that can be decoded.', "Convert the mix to FLAC.")
    finally:
        job.stop.set()
        thread.join()
