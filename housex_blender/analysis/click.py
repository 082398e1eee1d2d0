"""The mix with a click on every beat: whether a grid is right is heard at once. Zone: analysis."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from ..core.bars import BarGrid
from ..core.errors import AudioError
from ..core.files import replacing
from . import ffmpeg
from .audio import AudioInfo, Samples, probe, tame
from .headers import shown
from .sources import SndfileSource

BEAT_HZ, DOWNBEAT_HZ = 1000.0, 1600.0
CLICK_S = 0.03
BLOCK_S = 10.0
# the mix steps back by 3 dB, so that the clicks stand out and seldom meet the limit
MIX_GAIN = 10 ** (-3.0 / 20.0)
CLICK_GAIN = 0.6
_FORMATS = {".wav": "WAV", ".flac": "FLAC"}
# what a wav file's 32-bit sizes can hold, with room for its header
_MAX_WAV_BYTES = 2**32 - 4096
_MAX_FLAC_CHANNELS = 8


def click_sound(rate_hz: int, pitch_hz: float) -> NDArray[np.float32]:
    """(n,) a sine that begins at once, at its crest, and dies away."""
    time_s = np.arange(max(1, round(CLICK_S * rate_hz))) / rate_hz
    # a cosine: the attack is the very sample of the beat, not a quarter of a wave later
    wave = CLICK_GAIN * np.cos(2 * np.pi * pitch_hz * time_s) * np.exp(-time_s / (CLICK_S / 5))
    return wave.astype(np.float32)


def beat_samples(grid: BarGrid, rate_hz: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """((n,) sample of each beat from the start of the mix on, (n,) whether it is a downbeat)."""
    samples = np.rint(grid.beats_s * rate_hz).astype(np.int64)
    inside = samples >= 0
    return samples[inside], (grid.beat_in_bar == 1)[inside]


def write_click(
    mix: Path,
    grid: BarGrid,
    path: Path,
    *,
    alone: bool = False,
    on_progress: Callable[[float, float], None] | None = None,
    on_warning: Callable[[str], None] | None = None,
) -> None:
    """Write the mix, at its own rate and with all its channels, with a click on every beat.

    Args:
        mix: Audio file.
        grid: Beats and bars, edits applied.
        path: A ``.wav`` or ``.flac`` file; it appears whole or not at all.
        alone: Write silence with the clicks instead, to be played beside the mix.
        on_progress: Called with (seconds done, seconds in all).
        on_warning: Called with a sentence if the mix is damaged.

    Raises:
        AudioError: The mix cannot be read, or the file not be written.
    """
    info = probe(mix)
    kind = _FORMATS.get(path.suffix.lower())
    if kind is None:
        raise AudioError(f"{path.name} is not a wav or flac file.", "Let its name end in .wav or .flac.")
    if kind == "FLAC" and info.channels > _MAX_FLAC_CHANNELS:
        raise AudioError(f"FLAC cannot hold {info.channels} channels.", "Let the name end in .wav.")
    if kind == "WAV" and info.duration_s * info.sample_rate_hz * info.channels * 2 > _MAX_WAV_BYTES:
        # RF64 is the same file with 64-bit sizes; players read it as wav
        kind = "RF64"
    try:
        with (
            replacing(path) as temporary,
            _opened(mix, info) as source,
            soundfile.SoundFile(
                temporary, "w", info.sample_rate_hz, info.channels, subtype="PCM_16", format=kind
            ) as target,
        ):
            _mix_in(source, target, grid, info, 0.0 if alone else MIX_GAIN, on_progress)
            if source.damaged and on_warning:
                on_warning(f'"{shown(mix.name)}" is damaged; the click track has silence there.')
    except OSError as error:
        raise AudioError(
            f"{path} cannot be written: {error.strerror or error}.", "Choose a folder that has room."
        ) from error
    except soundfile.SoundFileError as error:
        raise AudioError(
            f"{path.name} cannot be written: {shown(str(error))}.", "Try the other of wav and flac."
        ) from error


def _opened(mix: Path, info: AudioInfo) -> AbstractContextManager[SndfileSource | ffmpeg.Pipe]:
    stop = threading.Event()
    if info.decoder == "ffmpeg":
        return ffmpeg.Pipe(mix, info.sample_rate_hz, info.channels, 0.0, stop)
    return SndfileSource(mix, 0.0, stop)


def _mix_in(
    source: SndfileSource | ffmpeg.Pipe,
    target: soundfile.SoundFile,
    grid: BarGrid,
    info: AudioInfo,
    gain: float,
    on_progress: Callable[[float, float], None] | None,
) -> None:
    rate_hz = info.sample_rate_hz
    sounds = {False: click_sound(rate_hz, BEAT_HZ), True: click_sound(rate_hz, DOWNBEAT_HZ)}
    longest = len(sounds[True])
    beats, downs = beat_samples(grid, rate_hz)
    at = 0
    while len(block := source.read(round(BLOCK_S * rate_hz))):
        mixed: Samples = tame(block)[0] * np.float32(gain)
        low, high = np.searchsorted(beats, [at - longest + 1, at + len(mixed)])
        for beat, down in zip(beats[low:high].tolist(), downs[low:high].tolist(), strict=True):
            # a click that began in the block before goes on in this one
            first, sound = max(beat - at, 0), sounds[down][max(at - beat, 0) :]
            part = sound[: len(mixed) - first]
            mixed[first : first + len(part)] += part[:, None]
        target.write(np.clip(mixed, -1.0, 1.0))
        at += len(mixed)
        if on_progress:
            on_progress(at / rate_hz, max(info.duration_s, at / rate_hz))
    if not at:
        raise AudioError("The mix holds no sound that can be decoded.", "Convert it to FLAC.")
