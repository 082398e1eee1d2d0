"""A data set in memory: its tracks, what is wrong with them, and the pieces cut from them. Zone: trainer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

PARTS = ("train", "val", "test")

Spans = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Track:
    """One recording of a data set.

    Attributes:
        name: Unique in the data set, the same on every machine; results and splits name it.
        label: (C,) shares of the classes, summing to 1; a single 1 for a hard label.
        path: Its audio file; None where only pictures or table rows of it exist.
        pictures: Its picture files in order, for data sets that ship pictures.
        artist: Who made it, empty where not known; a split by artist keeps them on one side.
        duration_s: Length of the audio in seconds, 0 where there is none.
        drops_s: (start, end) of its drops in seconds; None where nobody looked.
        group: What must stay on one side of a split besides the artist: the track itself, or the original of a
            duplicate.
        facts: Anything else the data set says of it (key, BPM, ...).
    """

    name: str
    label: NDArray[np.float32]
    path: Path | None = None
    pictures: tuple[Path, ...] = ()
    artist: str = ""
    duration_s: float = 0.0
    drops_s: Spans | None = None
    group: str = ""
    facts: Mapping[str, str | float] = field(default_factory=dict)


@dataclass(frozen=True)
class Collection:
    """A data set that was read and checked.

    Attributes:
        name: Of the data set: a key of ``trainer.data.DATA_SETS``.
        folder: Where it lies.
        classes: Names in the order of the labels.
        tracks: In the order of their names.
        published: Part of each track where the data set itself says so (its folders), else empty.
        problems: One sentence each: what was left out or looks wrong.
        damaged: Names of its lists and tables that lie there and cannot be read.
        synthetic: Whether it is a miniature that the synthesiser made, whose figures say nothing of real music.
    """

    name: str
    folder: Path
    classes: tuple[str, ...]
    tracks: tuple[Track, ...]
    published: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    damaged: tuple[str, ...] = ()
    synthetic: bool = False


@dataclass(frozen=True)
class Piece:
    """One example: a piece of a track, or one of its pictures.

    Attributes:
        track: Index into ``Collection.tracks``.
        start_s: Where it starts in the audio, in seconds; for pictures their number in the track.
        picture: The file, for data sets that ship pictures.
    """

    track: int
    start_s: float
    picture: Path | None = None
