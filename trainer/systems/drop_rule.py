"""Drops of a single track by the mainstage benchmark's volume rule, and ``python -m trainer drops``. Zone: trainer.

A drop is where the smoothed level stays within a margin of its maximum for 15 s (arXiv 2409.06690). The extension's own
rule of that name works on bars; this one works on frames, as the benchmark's code does.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from housex_blender.analysis.changes import runs
from housex_blender.analysis.drops import MAINSTAGE_LEAST_S, MAINSTAGE_MARGIN_DB, MAINSTAGE_SKIP_S
from housex_blender.analysis.front_ends.mel import power_to_db
from housex_blender.analysis.headers import shown
from housex_blender.core.errors import HouseXError
from housex_blender.core.files import write_text_atomic

from ..data.cache import decoded
from ..own.collection import audio_files
from .base import PRESETS, check_preset

SAMPLE_RATE_HZ = 22050
HOP = 512
_FRAME = 8192
# of the maximum and of the average that follows it: 3 s
_SMOOTH_FRAMES = 128
_LEAST_FRAMES = int(MAINSTAGE_LEAST_S * SAMPLE_RATE_HZ / HOP)
# a track whose loudest moment has less power than this has no drop
_SILENCE = 1e-8

Levels = NDArray[np.float64]
Sections = list[tuple[float, float]]


@dataclass(frozen=True)
class DropRule:
    """What the presets do differently.

    Attributes:
        margin_db: Below the loudest.
        skip_s: So much of the start is not looked at: the published drops of loud intros begin exactly there.
        mirrored: Both ends of the track go on as a mirror. Otherwise they go on with zeros, and 0 dB is as loud as it
            gets: the level of the first and last 1.5 s is raised, at the very end to half of its decibels, which may
            even raise the maximum that the margin counts from.
        hears_silence: Whether a silent track is one drop, being as loud as its loudest moment.
    """

    margin_db: float
    skip_s: float
    mirrored: bool
    hears_silence: bool


RULES = {
    "as_code": DropRule(MAINSTAGE_MARGIN_DB["mainstage-2db"], MAINSTAGE_SKIP_S, False, True),
    "as_paper": DropRule(MAINSTAGE_MARGIN_DB["mainstage"], MAINSTAGE_SKIP_S, False, True),
    # 2 dB finds more than 1.5 dB at hardly more false alarms, on synthesised tracks of all sub-genres
    "fixed": DropRule(MAINSTAGE_MARGIN_DB["mainstage-2db"], 0.0, True, False),
}


def frame_power(samples: NDArray[np.floating], mirrored: bool) -> Levels:
    """(1 + n // 512,) mean square of 8192 samples around every 512th of (n,) samples."""
    half, frames = _FRAME // 2, 1 + len(samples) // HOP
    padded = np.pad(np.asarray(samples, np.float64), half, mode="reflect" if mirrored else "constant")
    blocks = np.square(padded[: (frames - 1) * HOP + _FRAME]).reshape(-1, HOP).sum(axis=1)
    return np.lib.stride_tricks.sliding_window_view(blocks, _FRAME // HOP).sum(axis=1) / _FRAME


def smoothed(levels_db: Levels, mirrored: bool) -> Levels:
    """(n,) mean over 128 frames of the maximum over 128 frames of (n,) levels in dB below the loudest."""
    around = (_SMOOTH_FRAMES // 2, _SMOOTH_FRAMES // 2 - 1)
    windows = np.lib.stride_tricks.sliding_window_view
    highest = windows(np.pad(levels_db, around, constant_values=-np.inf), _SMOOTH_FRAMES).max(axis=1)
    padded = np.pad(highest, around, mode="reflect" if mirrored else "constant")
    return windows(padded, _SMOOTH_FRAMES).mean(axis=1)


def find_drops(samples: NDArray[np.floating], preset: str = "fixed") -> Sections:
    """(start, end) of each drop in seconds.

    Args:
        samples: (n,) mono at 22 050 Hz.
        preset: One of PRESETS.
    """
    rule = RULES[preset]
    heard = samples[round(rule.skip_s * SAMPLE_RATE_HZ) :]
    if len(heard) < _LEAST_FRAMES * HOP:
        return []
    power = frame_power(heard, rule.mirrored)
    if power.max() < _SILENCE and not rule.hears_silence:
        return []
    level = smoothed(power_to_db(power).astype(np.float64), rule.mirrored)
    loud = level >= level.max() - rule.margin_db
    frame_s = HOP / SAMPLE_RATE_HZ
    return [
        (start * frame_s + rule.skip_s, end * frame_s + rule.skip_s)
        for start, end in runs(loud)
        if end - start >= _LEAST_FRAMES
    ]


def detect_drops(path: Path, preset: str = "fixed", on_problem: Callable[[str], None] | None = None) -> Sections:
    """(start, end) of each drop of an audio file in seconds.

    Args:
        path: Of the file.
        preset: One of PRESETS.
        on_problem: Called with a sentence where the file is cut short or damaged.

    Raises:
        AudioError: It cannot be read.
        HouseXError: There is no such preset.
    """
    check_preset(preset)
    return find_drops(decoded(path, SAMPLE_RATE_HZ, on_problem), preset)


def detect_folder(folder: Path, out: Path, preset: str = "fixed", progress: bool = True) -> tuple[str, ...]:
    """Write ``detected_drops.json`` for all audio files in a folder and below it.

    Every file has a row of its own or a sentence; one that cannot be read does not stop the others.

    Returns:
        A sentence about each file that has no row, or is damaged.

    Raises:
        HouseXError: There is no audio, or the file cannot be written.
    """
    if not folder.is_dir():
        raise HouseXError(f'There is no folder "{shown(str(folder))}".', "Name the folder with the audio files.")
    files = audio_files(folder)
    if not files:
        raise HouseXError(f'There are no audio files in "{shown(folder.name)}".', "Name the folder with the tracks.")
    rows = []
    problems: list[str] = []
    for path in tqdm(files, desc="drops", unit="track", disable=not progress):
        try:
            sections = detect_drops(path, preset, problems.append)
        except HouseXError as error:
            problems.append(f'"{shown(path.name)}" is left out: {error.message}')
            continue
        rounded = [[round(start_s, 2), round(end_s, 2)] for start_s, end_s in sections]
        rows.append({"audio_path": path.relative_to(folder.parent).as_posix(), "drop_sections": rounded})
    try:
        write_text_atomic(out, json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
    except OSError as error:
        raise HouseXError(f"{shown(out.name)} cannot be written: {error.strerror}.", "Choose another place.") from error
    return tuple(problems)


def add_drops_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """``python -m trainer drops``."""
    parser = subparsers.add_parser(
        "drops",
        help="find the drops of single tracks by the mainstage benchmark's volume rule",
        description="Reads the audio files in FOLDER, writes detected_drops.json. About a second per track.",
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--preset", choices=PRESETS, default="fixed", help="2 dB with the edges of the code; 1.5 dB; "
                        "2 dB without skipping the start and with clean edges (default)")  # fmt: skip
    parser.add_argument("--out", type=Path, help="file to write (default: FOLDER/detected_drops.json)")
    parser.set_defaults(func=run)


def run(arguments: argparse.Namespace) -> int:
    """Find the drops of one folder; returns 0."""
    out = arguments.out or arguments.folder / "detected_drops.json"
    for problem in detect_folder(arguments.folder, out, arguments.preset):
        print(problem)
    print(f"wrote {out}")
    return 0
