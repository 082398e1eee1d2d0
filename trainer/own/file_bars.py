"""The bars of any audio file as the extension hears them, in several processes and kept on disk. Zone: trainer."""

from __future__ import annotations

import multiprocessing
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from housex_blender.analysis.features import FEATURE_VERSION, extract_features
from housex_blender.analysis.grid import track_grid
from housex_blender.analysis.headers import shown
from housex_blender.analysis.hear import HEARING_VERSION, SHORTEST_S
from housex_blender.analysis.patches import bar_patches
from housex_blender.analysis.structure import analyse_structure, bar_energy, bar_levels
from housex_blender.core.errors import AudioError
from housex_blender.core.files import replacing, sha256_of

from ..datasets import DROP, as_patches, as_pictures
from ..labelled import SECTION_NAMES
from .label_studio import Spans

# raised when the kept columns change
_KEPT_VERSION = 1


@dataclass(frozen=True)
class FileBars:
    """What is heard in one file without any network.

    Attributes:
        sha256: Of the file's content.
        duration_s: Length of the sound.
        beat_heard: False where the bars are only a ruler of one tempo.
        starts_s: (n,) start of each bar.
        ends_s: (n,) end of each bar.
        bpm: (n,) tempo of each bar.
        pictures: (n, 128, 64) uint8 log-mel: 255 is the loudest level of the phrases around, 0 is 60 dB below.
        section: (n,) index into SECTION_NAMES.
        energy: (n,) 0..1.
    """

    sha256: str
    duration_s: float
    beat_heard: bool
    starts_s: NDArray[np.float64]
    ends_s: NDArray[np.float64]
    bpm: NDArray[np.float64]
    pictures: NDArray[np.uint8]
    section: NDArray[np.int64]
    energy: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.section)

    def patches(self, first: int = 0, end: int | None = None) -> NDArray[np.float32]:
        """(m, 1, 128, 64) in 0..1, what the network sees of the bars from ``first`` to before ``end``."""
        return as_patches(self.pictures[first:end, None])

    def drop(self, drops_s: Spans | None = None) -> NDArray[np.bool_]:
        """(n,) drop bars: those whose middle lies in a span, or, without one that meets a bar, as they were heard."""
        middle_s = 0.5 * (self.starts_s + self.ends_s)
        told = np.zeros(len(self), bool)
        for start_s, end_s in drops_s or ():
            told |= (middle_s >= start_s) & (middle_s < end_s)
        return told if told.any() else self.section == DROP


def bars_of_file(path: Path, cache: Path | None = None) -> FileBars:
    """Hear a file's bars: features, grid and form as in the extension.

    Args:
        path: Audio file.
        cache: Folder in which the result is kept by content, about 0.6 MB a track; None to keep nothing.

    Raises:
        AudioError: It cannot be read, is too short or silent.
    """
    try:
        sha256 = sha256_of(path)
    except OSError as error:
        raise AudioError(f'"{shown(path.name)}" cannot be read.', "Check the name and its permissions.") from error
    kept = (
        None if cache is None else cache / f"{sha256[:40]}-f{FEATURE_VERSION}-h{HEARING_VERSION}-k{_KEPT_VERSION}.npz"
    )
    bars = None if kept is None else _load(kept)
    if bars is None:
        bars = _heard(path, sha256)
        if kept is not None:
            _save(bars, kept)
    return bars


def _heard(path: Path, sha256: str) -> FileBars:
    features = extract_features(path)
    if features.duration_s < SHORTEST_S:
        raise AudioError(f'"{shown(path.name)}" holds only {features.duration_s:.1f} s of sound.', "Leave it out.")
    if features.is_silent:
        raise AudioError(f'"{shown(path.name)}" is silent.', "Leave it out.")
    result = track_grid(features)
    grid, beat_heard = result.grid, result.confidence > 0.0
    levels = bar_levels(features, grid)
    structure = analyse_structure(features, grid, beat_heard=beat_heard, levels=levels)
    patches = bar_patches(features.mel, features.mel_rate_hz, grid.starts_s, grid.ends_s)
    return FileBars(
        sha256,
        features.duration_s,
        beat_heard,
        grid.starts_s,
        grid.ends_s,
        grid.bpm,
        as_pictures(patches),
        np.array([SECTION_NAMES.index(name) for name in structure.section], dtype=np.int64),
        bar_energy(levels).astype(np.float32),
    )


def _save(bars: FileBars, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    facts = {"sha256": np.array(bars.sha256), "facts": np.array([bars.duration_s, float(bars.beat_heard)])}
    columns = {name: getattr(bars, name) for name in ("starts_s", "ends_s", "bpm", "pictures", "energy")}
    with replacing(path) as temporary, open(temporary, "wb") as stream:
        np.savez_compressed(stream, section=bars.section.astype(np.int8), **facts, **columns)


def _load(path: Path) -> FileBars | None:
    """What was kept; None where there is nothing or it is damaged."""
    try:
        with np.load(path, allow_pickle=False) as kept:
            duration_s, beat_heard = (float(value) for value in kept["facts"])
            return FileBars(
                str(kept["sha256"]),
                duration_s,
                beat_heard > 0.0,
                kept["starts_s"],
                kept["ends_s"],
                kept["bpm"],
                kept["pictures"],
                kept["section"].astype(np.int64),
                kept["energy"],
            )
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def bars_of_files(
    paths: Sequence[Path],
    cache: Path | None = None,
    jobs: int = 1,
    on_progress: Callable[[int, int], None] | None = None,
) -> Iterator[tuple[Path, FileBars | AudioError]]:
    """Hear files one after the other, or several at a time; results come in the order of ``paths``.

    A file that cannot be heard gives its error in place of its bars, so that one of them does not stop the rest.

    Args:
        paths: Audio files.
        cache: As in :func:`bars_of_file`.
        jobs: Processes; 1 works in this one.
        on_progress: Called with (files done, files in all).
    """
    tasks = [(path, cache) for path in paths]
    jobs = min(jobs, len(tasks))
    if jobs <= 1:
        yield from _counted(map(_job, tasks), paths, on_progress)
        return
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        yield from _counted(pool.imap(_job, tasks), paths, on_progress)


def _counted(
    results: Iterator[FileBars | AudioError], paths: Sequence[Path], on_progress: Callable[[int, int], None] | None
) -> Iterator[tuple[Path, FileBars | AudioError]]:
    for done, (path, result) in enumerate(zip(paths, results, strict=True), 1):
        if on_progress is not None:
            on_progress(done, len(paths))
        yield path, result


def _job(task: tuple[Path, Path | None]) -> FileBars | AudioError:
    try:
        return bars_of_file(*task)
    except AudioError as error:
        return AudioError(error.message, error.hint)
