"""Opening and decoding a mix, block by block, to mono. Zone: analysis (numpy, soundfile, soxr; no bpy).

libsndfile reads wav, aiff, flac, ogg, opus and mp3. What it cannot open (m4a, aac, mp4, mkv, ...) goes through an
``ffmpeg`` found on PATH. Decoding runs in a thread of its own, because libsndfile and soxr release the GIL.
"""

from __future__ import annotations

import queue
import stat
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from ..core.errors import AudioError
from . import ffmpeg, headers
from .headers import shown
from .sources import SndfileSource

Samples = NDArray[np.float32]
WarningSink = Callable[[str], None]

MAX_CHANNELS = 64
QUEUE_BLOCKS = 3
SHORTFALL_S = 0.5
# Float samples may exceed full scale; beyond this they are a mistake that would overflow a spectrum.
WILD = 8.0
# below this share of the channels' mean power, their sum has cancelled itself out
CANCELLED = 1e-3


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
        AudioError: The path is missing, not a regular file, empty or not readable.
    """
    name = shown(path.name)
    try:
        # The mode is looked at before the file is opened: opening a pipe that nobody writes to waits for ever.
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise AudioError(f'"{name}" is a folder, not an audio file.', "Choose one audio file.")
        if not stat.S_ISREG(mode):
            raise AudioError(f'"{name}" is a device or a pipe, not an audio file.', "Choose one audio file.")
        with path.open("rb") as stream:
            if not stream.read(1):
                raise AudioError(f'"{name}" is empty.', "Export or download the mix again.")
        return path.stat().st_size
    except FileNotFoundError as error:
        raise AudioError(f'There is no file "{shown(str(path))}".', "Check the name and the folder.") from error
    except PermissionError as error:
        raise AudioError(
            f'"{name}" may not be read.', "Give yourself permission to read the file, or copy it elsewhere."
        ) from error
    except (OSError, ValueError) as error:
        raise AudioError(
            f'"{name}" cannot be opened: {shown(str(error))}.', "Copy the file to a local disk."
        ) from error


def probe(path: Path) -> AudioInfo:
    """Look at the header of an audio file.

    Raises:
        AudioError: The file is missing, a folder, empty, not readable, not audio, or needs ffmpeg and there is none.
    """
    path = Path(path)
    name = shown(path.name)
    size_bytes = _check_file(path)
    try:
        info = soundfile.info(headers.openable(path))
    except (soundfile.SoundFileError, RuntimeError, TypeError):
        return _probe_ffmpeg(path, size_bytes)
    if info.samplerate <= 0 or info.channels <= 0:
        raise AudioError(f'"{name}" has a damaged header.', "Export the mix again, for example as FLAC.")
    if info.frames <= 0:
        raise AudioError(f'"{name}" holds no sound.', "Export or download the mix again.")
    duration_s, decoder = info.frames / info.samplerate, "libsndfile"
    counted_s = headers.mp3_length_s(path) if info.format == "MP3" else None
    if counted_s is not None and counted_s > duration_s + headers.GUESS_S:
        # libsndfile stops at the length it guessed; without ffmpeg the decoding says how much is missing.
        duration_s, decoder = counted_s, "ffmpeg" if ffmpeg.find() else "libsndfile"
    return AudioInfo(duration_s, info.samplerate, info.channels, info.format, decoder, size_bytes)


def _probe_ffmpeg(path: Path, size_bytes: int) -> AudioInfo:
    """Header through ffmpeg, for files that libsndfile refuses."""
    name = shown(path.name)
    if ffmpeg.find() is None:
        if ffmpeg.looks_like_film(path):
            raise AudioError(
                f'"{name}" needs ffmpeg to be decoded, and ffmpeg is not installed.',
                "Install ffmpeg so that it is on PATH, or convert the mix to FLAC.",
            )
        raise AudioError(f'"{name}" is not an audio file.', "Choose a FLAC, WAV, MP3, OGG or M4A file.")
    header = ffmpeg.header(path)
    if header is None:
        if headers.is_sound_by_magic(path):
            raise AudioError(f'"{name}" is cut off or damaged.', "Export or download the mix again.")
        raise AudioError(f'"{name}" is not an audio file.', "Choose a FLAC, WAV, MP3, OGG or M4A file.")
    return AudioInfo(header.duration_s, header.sample_rate_hz, header.channels, header.container, "ffmpeg", size_bytes)


class _Source(Protocol):
    """Reads interleaved samples until they end; knows where silence stands for damage, and whether it gave up."""

    damaged: list[float]
    broken: bool

    def read(self, frames: int) -> Samples: ...


def tame(samples: Samples) -> tuple[Samples, bool]:
    """Samples that are not numbers become silence, absurd ones are clipped; and whether any were clipped."""
    # One look at both ends of the range costs less than a test of every sample, and a NaN shows in it too.
    low, high = (float(samples.min()), float(samples.max())) if samples.size else (0.0, 0.0)
    if low >= -WILD and high <= WILD:
        return samples, False
    samples = np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0)
    wild = bool(np.abs(samples).max() > WILD)
    return np.clip(samples, -WILD, WILD), wild


def to_mono(samples: Samples) -> Samples:
    """(n, channels) -> (n,) mean of all channels, or the first of them where they cancel each other out."""
    mono = samples[:, 0].copy()
    channels = samples.shape[1]
    if channels == 1:
        return mono
    power = float(np.dot(mono, mono))
    # Column by column is several times faster than mean(axis=1) on interleaved samples.
    for channel in range(1, channels):
        mono += samples[:, channel]
        power += float(np.dot(samples[:, channel], samples[:, channel]))
    mono *= np.float32(1.0 / channels)
    if float(np.dot(mono, mono)) < CANCELLED * power / channels:
        return samples[:, 0].copy()
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
                    said = self._copy(pipe)
                    complaint = pipe.complaint()
                if complaint and not said and not self.stop.is_set():
                    self.put(f'"{shown(self.path.name)}" is damaged in places; the rest was read.')
            else:
                with SndfileSource(self.path, self.start_s, self.stop) as source:
                    self._copy(source)
            self.put(None)
        except AudioError as error:
            self.put(error)
        except Exception as error:  # noqa: BLE001 - a thread must hand its failure to the caller, whatever it is
            self.put(AudioError(f'"{shown(self.path.name)}" cannot be decoded: {error}.', "Convert the mix to FLAC."))

    def _copy(self, source: _Source) -> bool:
        """Read, mix to mono, resample, hand over; whether it was said that something is missing."""
        rate_hz = self.info.sample_rate_hz
        limit = None if self.duration_s is None else round(self.duration_s * rate_hz)
        stream = None if rate_hz == self.rate_hz else soxr.ResampleStream(rate_hz, self.rate_hz, 1, "float32")
        block, done, wild = max(1, round(self.block_s * rate_hz)), 0, False
        while not self.stop.is_set():
            size = block if limit is None else min(block, limit - done)
            mono = np.zeros(0, np.float32)
            if size > 0:
                samples, clipped = tame(source.read(size))
                wild, mono = wild or clipped, to_mono(samples)
            done += len(mono)
            last = len(mono) == 0
            ready = mono if stream is None else stream.resample_chunk(mono, last=last)
            if len(ready):
                self.put(np.ascontiguousarray(ready, dtype=np.float32))
            if last:
                break
        if self.stop.is_set():
            return True
        if wild:
            self.put(f'"{shown(self.path.name)}" holds samples far beyond full scale; they were clipped.')
        return self._say_what_is_missing(source, done / rate_hz)

    def _say_what_is_missing(self, source: _Source, done_s: float) -> bool:
        """One sentence when the file is damaged or ends before its header says; False when all is there."""
        name = shown(self.path.name)
        left_s = max(0.0, self.info.duration_s - self.start_s)
        wanted_s = left_s if self.duration_s is None else min(left_s, self.duration_s)
        damaged = source.damaged
        short = wanted_s - done_s > SHORTFALL_S
        guessed = short and self.info.decoder == "libsndfile" and self.info.container == "MP3" and not damaged
        if guessed and headers.mp3_length_s(self.path) is not None:
            self.put(
                f'"{name}" does not say how long it is; {done_s + self.start_s:.1f} s of about '
                f"{self.info.duration_s:.1f} s were read. Install ffmpeg, or convert it to FLAC, for the rest."
            )
            return True
        at = f" and is damaged at {_times(damaged)}" if damaged else ""
        if source.broken or short:
            self.put(
                f'"{name}" ends after {done_s + self.start_s:.1f} s instead of {self.info.duration_s:.1f} s{at}; '
                "the rest is missing or damaged."
            )
        elif damaged:
            self.put(f'"{name}" is damaged at {_times(damaged)}; silence stands for what is lost there.')
        elif self.duration_s is None and headers.is_cut_off(self.path, self.info.container):
            self.put(f'"{name}" is cut off after {done_s + self.start_s:.1f} s; what follows is missing.')
        else:
            return False
        return True


def _times(times_s: list[float]) -> str:
    """The first few of some times, for a sentence."""
    text = ", ".join(f"{time_s:.1f} s" for time_s in times_s[:3])
    return f"{text} and more places" if len(times_s) > 3 else text


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
        raise AudioError(f'"{shown(path.name)}" has {info.channels} channels.', "Mix it down to stereo first.")
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
            raise AudioError(f'"{shown(path.name)}" holds no sound that can be decoded.', "Convert the mix to FLAC.")
    finally:
        job.stop.set()
        thread.join()
