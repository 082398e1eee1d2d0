"""Bars of synthesised tracks with their labels, rendered in parallel and cached. Zone: trainer."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from housex_blender.analysis.features import FEATURE_VERSION, FeatureStream
from housex_blender.analysis.patches import bar_patches
from housex_blender.analysis.spectra import SAMPLE_RATE_HZ
from housex_blender.core.files import replacing
from housex_blender.core.genres import GENRES

from .synth.track import render_training_track

# sections as small numbers, for figures per section
SECTION_NAMES = ("intro", "build", "drop", "break", "outro")
# raise when the synthesiser changes what it renders for a seed
SYNTH_VERSION = 1


@dataclass(frozen=True)
class BarSet:
    """Bars of many tracks.

    Attributes:
        patches: (n, 1, 128, 64) float16 in 0..1.
        genre: (n,) index into GENRES.
        section: (n,) index into SECTION_NAMES.
        track: (n,) number of the track a bar belongs to.
    """

    patches: NDArray[np.float16]
    genre: NDArray[np.int64]
    section: NDArray[np.int64]
    track: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.genre)


def render_bars(genre: str, seed: int) -> tuple[NDArray[np.float16], NDArray[np.int64]]:
    """Patches (n, 1, 128, 64) and section numbers (n,) of one track."""
    track = render_training_track(genre, seed)
    mono = soxr.resample(track.audio.mean(axis=1), track.sample_rate_hz, SAMPLE_RATE_HZ).astype(np.float32)
    stream = FeatureStream()
    stream.push(mono)
    features = stream.finish()
    downbeats_s = track.beat_s[::4]
    patches = bar_patches(features.mel, features.mel_rate_hz, downbeats_s[:-1], downbeats_s[1:])
    sections = np.array([SECTION_NAMES.index(name) for name in track.sections])
    return patches.astype(np.float16), sections


def _job(task: tuple[str, int, Path]) -> Path:
    genre, seed, path = task
    if not path.exists():
        patches, sections = render_bars(genre, seed)
        with replacing(path) as temporary, open(temporary, "wb") as stream:
            np.savez_compressed(stream, patches=patches, sections=sections)
    return path


def bar_set(
    seeds: Sequence[int],
    folder: Path,
    jobs: int = 2,
    on_progress: Callable[[int, int], None] | None = None,
    genres: Sequence[str] = GENRES,
) -> BarSet:
    """Bars of one track for each of ``genres`` and each seed; tracks rendered before are taken from ``folder``.

    Args:
        seeds: Seeds, each used once for every genre.
        folder: Cache; about 0.3 MB a track.
        jobs: Processes.
        on_progress: Called with (tracks done, tracks in all).
    """
    folder = folder / f"synth{SYNTH_VERSION}-features{FEATURE_VERSION}"
    folder.mkdir(parents=True, exist_ok=True)
    tasks = [(g, s, folder / f"{g.lower().replace(' ', '_')}-{s:06d}.npz") for s in seeds for g in genres]
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        for done, _ in enumerate(pool.imap_unordered(_job, tasks), 1):
            if on_progress is not None:
                on_progress(done, len(tasks))
    patches, genre, section, track = [], [], [], []
    for number, (name, _seed, path) in enumerate(tasks):
        with np.load(path, allow_pickle=False) as archive:
            patches.append(archive["patches"])
            section.append(archive["sections"])
        genre.append(np.full(len(section[-1]), GENRES.index(name)))
        track.append(np.full(len(section[-1]), number))
    return BarSet(np.concatenate(patches), np.concatenate(genre), np.concatenate(section), np.concatenate(track))
