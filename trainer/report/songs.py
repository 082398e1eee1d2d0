"""Songs outside every data set, with or without a known class. Zone: trainer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from housex_blender.analysis.audio import probe
from housex_blender.analysis.front_ends.base import FrontEnd, Samples
from housex_blender.analysis.headers import shown
from housex_blender.core.errors import HouseXError
from housex_blender.core.genres import canonical

from ..data.cache import decoded
from ..own.collection import audio_files
from ..own.label_table import read_table

# a piece "of 3 seconds" is 66 000 samples of 22 050 a second
_SAME_LENGTH = 0.02


@dataclass(frozen=True)
class Song:
    """One file to be tested.

    Attributes:
        path: Of the audio.
        name: For people, unique.
        label: Index of its class; -1 where it is not known.
    """

    path: Path
    name: str
    label: int


def find_songs(place: Path, classes: Sequence[str]) -> tuple[list[Song], list[str]]:
    """Songs by sub-folders that are named after classes, or by a CSV with the columns file and label.

    Args:
        place: A folder, or the CSV; one CSV in a folder is taken for its list.
        classes: Of the model.

    Returns:
        The songs by name, and sentences about those whose class the model does not know.

    Raises:
        HouseXError: There is no such place, no audio, or no list that can be read.
    """
    if not place.exists():
        raise HouseXError(
            f'There is no "{shown(str(place))}".', "Name a folder of songs, or a CSV with file and label."
        )
    lists = [place] if place.is_file() else sorted(place.glob("*.csv"))
    if len(lists) > 1:
        raise HouseXError(f"There are several lists in {shown(place.name)}.", "Name the one to use.")
    found = _listed(lists[0]) if lists else _in_folders(place)
    if not found:
        raise HouseXError(f'There is no audio in "{shown(str(place))}".', "Put the songs into folders named by class.")
    number = {canonical(name).casefold(): index for index, name in enumerate(classes)}
    songs: list[Song] = []
    unknown: dict[str, int] = {}
    for path, name, label in found:
        index = number.get(canonical(label).casefold(), -1)
        if index < 0:
            unknown[label] = unknown.get(label, 0) + 1
        songs.append(Song(path, name, index))
    return songs, [_unknown(label, count, classes) for label, count in unknown.items()]


def _unknown(label: str, count: int, classes: Sequence[str]) -> str:
    what = "1 song is" if count == 1 else f"{count} songs are"
    of = f'of "{shown(label)}", which is none of {", ".join(classes)}' if label else "of no class"
    return f"{what} {of}: heard, but not scored."


def _in_folders(place: Path) -> list[tuple[Path, str, str]]:
    found = []
    for path in audio_files(place):
        parts = path.relative_to(place).parts
        found.append((path, "/".join(parts), parts[0] if len(parts) > 1 else ""))
    return found


def _listed(table: Path) -> list[tuple[Path, str, str]]:
    rows, _ = read_table(table)
    return [(table.parent / row.file, row.file, max(row.shares, key=lambda name: row.shares[name], default=""))
            for row in rows]  # fmt: skip


def windows_per_piece(front_end: FrontEnd, piece_s: float | None) -> int:
    """How many of the front end's windows make a piece of a wanted length; None for one.

    Raises:
        HouseXError: The piece is shorter than what the model hears at once.
    """
    window_s = front_end.window_samples / front_end.sample_rate_hz
    if piece_s is None:
        return 1
    if piece_s < (1.0 - _SAME_LENGTH) * window_s:
        raise HouseXError(
            f"This model hears {window_s:.2f} s at once, a piece of {piece_s:g} s is shorter.",
            f"Leave out --piece, or choose at least {window_s:.2f}.",
        )
    return max(1, round(piece_s / window_s))


def cut_song(
    path: Path, front_end: FrontEnd, seconds: float, middle: bool, on_problem: Callable[[str], None] | None = None
) -> Iterator[Samples]:
    """The windows of the first, or the middle, seconds of a song, one after the other.

    The rest that fills no window is left out; a song shorter than one is continued by silence.

    Args:
        path: Of the song.
        front_end: Whose windows these are.
        seconds: How much of it.
        middle: Whether they are taken from the middle.
        on_problem: Called with a sentence where the file is cut short or damaged.

    Raises:
        AudioError: It cannot be decoded.
    """
    start_s = max(0.0, 0.5 * (probe(path).duration_s - seconds)) if middle else 0.0
    rate_hz, window = front_end.sample_rate_hz, front_end.window_samples
    samples = decoded(path, rate_hz, on_problem, start_s, seconds)
    if len(samples) < window:
        yield np.pad(samples, (0, window - len(samples)))
    for first in range(0, len(samples) - window + 1, window):
        yield samples[first : first + window]
