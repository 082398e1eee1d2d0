"""Renders the demo mix: four tracks in the order of the HouseX paper's own demo, with the truth beside it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile as sf
from scipy import ndimage

from .dsp import SAMPLE_RATE_HZ, Audio
from .mixer import TrackSpec, Transition, mix_tracks
from .truth import mix_truth, write_truth

LONG = (("intro", 8), ("break", 8), ("build", 8), ("drop", 16), ("outro", 8))
SHORT = (("intro", 8), ("build", 8), ("drop", 16), ("outro", 8))
# Order of the sub-genres: HouseX, arXiv 2207.11690. Keys move by fourths and fifths, as a DJ would choose them.
DEMO_TRACKS = (
    TrackSpec("Future House", 16, 126.0, LONG, key=5),
    TrackSpec("Bass House", 20, 128.0, SHORT, key=5),
    TrackSpec("Progressive House", 13, 128.0, LONG, key=8),
    TrackSpec("Melodic House", 10, 125.0, LONG, key=3),
)
DEMO_TRANSITIONS = (Transition(8), Transition(8), Transition(8))
BLOCK_FRAMES = 1 << 16
# 0.4 dB below full scale.
PEAK_AFTER_DECODE = 0.955


def write_audio(path: Path, audio: Audio, quality: float = 0.42) -> None:
    """Write (n, 2) audio completely or not at all; the suffix decides the format (.ogg, .flac or .wav).

    quality: 0..1 for Vorbis. Blocks are small: libsndfile's Vorbis encoder can overflow its stack on long writes.
    Raises ValueError for another suffix.
    """
    formats = {".ogg": ("OGG", "VORBIS"), ".flac": ("FLAC", "PCM_16"), ".wav": ("WAV", "PCM_16")}
    if path.suffix.lower() not in formats:
        raise ValueError(f"cannot write {path.name}: use one of {', '.join(formats)}")
    container, codec = formats[path.suffix.lower()]
    partial = path.with_name(path.name + ".part")
    options = {"compression_level": 1.0 - quality} if container == "OGG" else {}
    with sf.SoundFile(partial, "w", SAMPLE_RATE_HZ, 2, codec, format=container, **options) as file:
        for start in range(0, len(audio), BLOCK_FRAMES):
            file.write(audio[start : start + BLOCK_FRAMES])
    os.replace(partial, path)


def decoded_peak(path: Path) -> Audio:
    """Peak over channels of a written file, as a player hears it: (n,)."""
    decoded, _rate = sf.read(path, dtype="float32")
    return np.abs(decoded).max(axis=1)


def write_below_peak(path: Path, audio: Audio, peak: float = PEAK_AFTER_DECODE) -> None:
    """Write lossy audio so that even its decoded form stays below a peak.

    An encoder overshoots where the signal is dense. Turning down just those milliseconds keeps the loudness of the
    rest; what little is left after that is taken off the whole.
    """
    write_audio(path, audio)
    over = decoded_peak(path)[: len(audio)] / np.float32(peak)
    wanted = np.where(over > 0.96, 0.94 / np.maximum(over, 0.96), 1.0).astype(np.float32)
    width = int(0.012 * SAMPLE_RATE_HZ) | 1
    gain = ndimage.uniform_filter1d(ndimage.minimum_filter1d(wanted, width), width)
    audio = audio * gain[:, None]
    for _ in range(3):
        write_audio(path, audio)
        loudest = float(decoded_peak(path).max())
        if loudest <= peak:
            return
        audio = audio * np.float32(0.985 * peak / loudest)
    raise RuntimeError(f"{path.name}: decoded peak stays above {peak:.3f}")


def truth_path(audio_path: Path) -> Path:
    """The truth file that belongs to an audio file."""
    return audio_path.with_suffix(".truth.json")


def make_demo(out_path: str | Path, *, report: Callable[[str], None] | None = None) -> Path:
    """Render the demo mix to out_path (.ogg) and its truth beside it; returns the path of the truth."""
    path = Path(out_path)
    mix = mix_tracks(DEMO_TRACKS, DEMO_TRANSITIONS, report=report)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_below_peak(path, mix.audio)
    write_truth(truth_path(path), mix_truth(mix))
    return truth_path(path)
