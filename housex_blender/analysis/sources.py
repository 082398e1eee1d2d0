"""libsndfile as a source of samples that goes on after damage. Zone: analysis (numpy, soundfile; no bpy)."""

from __future__ import annotations

import contextlib
import threading
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType

import numpy as np
import soundfile
from numpy.typing import NDArray

from ..core.errors import AudioError
from . import ffmpeg
from .headers import openable

Samples = NDArray[np.float32]

# rows of one step where a file is damaged: the loss is at most this much before the damage
DAMAGE_STEP = 1152
# one damaged place more, and the file is given up
MOST_LEAPS = 64
# what is left after a damage must last this long to be worth going on for
REST_S = 0.5
_FAILURES = (soundfile.SoundFileError, RuntimeError)


class SndfileSource(AbstractContextManager["SndfileSource"]):
    """Reads through libsndfile; after damage through a fresh handle further on, or else through ffmpeg.

    Args:
        path: Audio file.
        start_s: Where to begin.
        stop: Set from outside when nobody wants the samples any more.

    Attributes:
        damaged: Times in seconds at which something was lost that silence stands for now.
        broken: Whether reading ended at damage.
    """

    def __init__(self, path: Path, start_s: float, stop: threading.Event) -> None:
        self._path, self._stop = path, stop
        self._file = soundfile.SoundFile(openable(path))
        self.rate_hz: int = self._file.samplerate
        self.damaged: list[float] = []
        self.broken = False
        self._frames = max(self._file.frames, 0)
        self._at = min(round(start_s * self.rate_hz), self._frames)
        self._silence = 0
        self._pipe: ffmpeg.Pipe | None = None
        if self._at:
            self._file.seek(self._at)

    def read(self, frames: int) -> Samples:
        """Up to ``frames`` rows of (frames, channels); fewer at damage, none at the end."""
        samples = self._next(frames)
        while not len(samples) and frames > 0 and self._resume():
            samples = self._next(frames)
        self._at += len(samples)
        return samples

    def _next(self, frames: int) -> Samples:
        if self._silence:
            rows = min(frames, self._silence)
            self._silence -= rows
            return np.zeros((rows, self._file.channels), np.float32)
        if self._pipe is not None:
            return self._pipe.read(frames)
        try:
            samples: Samples = self._file.read(frames, dtype="float32", always_2d=True)
        except _FAILURES:
            # a block that ends in damage is lost as a whole, so its good part is fetched in small steps
            samples = self._before_damage(frames)
            self.broken = not len(samples)
        return samples

    def _reopen(self, at: int) -> bool:
        """A fresh handle at a place: one that has met damage can no longer seek."""
        self._file.close()
        self._file = soundfile.SoundFile(openable(self._path))
        try:
            self._file.seek(at)
        except _FAILURES:
            return False
        return True

    def _before_damage(self, frames: int) -> Samples:
        parts: list[Samples] = []
        with contextlib.suppress(*_FAILURES):
            if not self._reopen(self._at):
                self._file.close()
                self._file = soundfile.SoundFile(openable(self._path))
                left = self._at
                while left > 0 and len(part := self._file.read(min(left, DAMAGE_STEP * 64))):
                    left -= len(part)
            while frames > 0:
                part = self._file.read(min(frames, DAMAGE_STEP), dtype="float32", always_2d=True)
                if not len(part):
                    break
                parts.append(part)
                frames -= len(part)
        return np.concatenate(parts) if parts else np.zeros((0, self._file.channels), np.float32)

    def _resume(self) -> bool:
        """Find a way past the end of what libsndfile gave; False at the real end."""
        left = self._frames - self._at
        early = self.broken or (self._file.format == "MP3" and left > REST_S * self.rate_hz)
        if not early or self._pipe is not None or self._stop.is_set() or len(self.damaged) >= MOST_LEAPS:
            return False
        place_s = self._at / self.rate_hz
        if not (self._leap(left) if self._file.format == "FLAC" else self._hand_over()):
            return False
        self.damaged.append(place_s)
        self.broken = False
        return True

    def _readable(self, at: int) -> bool:
        with contextlib.suppress(*_FAILURES):
            return self._reopen(at) and len(self._file.read(DAMAGE_STEP)) == DAMAGE_STEP
        return False

    def _leap(self, left: int) -> bool:
        """Seek past the damage: the frames of a FLAC are numbered, so the time after it is exact."""
        worse, step = 0, DAMAGE_STEP
        while step + DAMAGE_STEP < left and not self._readable(self._at + step):
            worse, step = step, 2 * step
        if step + DAMAGE_STEP >= left or self._stop.is_set():
            return False
        while step - worse > DAMAGE_STEP:
            middle = (worse + step) // 2
            if self._readable(self._at + middle):
                step = middle
            else:
                worse = middle
        self._silence = step
        return self._reopen(self._at + step)

    def _hand_over(self) -> bool:
        """Go on through ffmpeg; what it has less than the header promises becomes silence at the damage."""
        if ffmpeg.find() is None:
            return False
        try:
            count = self._count()
            if count - self._at < REST_S * self.rate_hz:
                return False
            self._pipe = ffmpeg.Pipe(self._path, self.rate_hz, self._file.channels, self._at / self.rate_hz, self._stop)
        except AudioError:
            return False
        self._silence = max(0, self._frames - count)
        return True

    def _count(self) -> int:
        """Rows that ffmpeg can decode in all."""
        count = 0
        with ffmpeg.Pipe(self._path, self.rate_hz, 1, 0.0, self._stop) as pipe:
            while rows := len(pipe.read(1 << 18)):
                count += rows
        return count

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        if self._pipe is not None:
            self._pipe.__exit__(kind, error, trace)
