"""What every export needs to know about a timeline: its tracks, sections and drops in seconds. Zone: pure."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..core.timeline import Timeline, TrackSpan
from .names import one_line, split_name


class Part(NamedTuple):
    """A named stretch of the mix in seconds."""

    start_s: float
    end_s: float
    name: str


class TrackPart(NamedTuple):
    """One record in the mix; an unknown performer is ""."""

    start_s: float
    end_s: float
    performer: str
    title: str


@dataclass(frozen=True)
class Target:
    """Where and how a file is written.

    Attributes:
        path: Final place of the file.
        fps: Frames per second of tables with frames.
        first_frame: Frame of second 0.
    """

    path: Path
    fps: float = 24.0
    first_frame: int = 1


class Content(NamedTuple):
    """A file's bytes, and sentences about what was added or left out."""

    data: bytes
    messages: list[str]


def text_content(text: str, messages: list[str] | None = None) -> Content:
    """UTF-8; characters that have no code, such as those of a file name that is no text, become ``?``."""
    return Content(text.encode("utf-8", errors="replace"), messages or [])


def sections(timeline: Timeline) -> list[Part]:
    """Runs of bars of one section, without gaps from the start of the mix to its end."""
    runs = []
    for name, bars in groupby(range(timeline.grid.n_bars), key=lambda bar: timeline.section[bar]):
        indices = list(bars)
        runs.append(_part(timeline, indices[0], indices[-1] + 1, name))
    return [run for run in runs if run.end_s > run.start_s]


def tracks(timeline: Timeline) -> list[TrackPart]:
    """Records in order; the first starts with the mix, the last ends with it."""
    found = []
    for span in timeline.tracks:
        part = _part(timeline, span.start_bar, span.end_bar, "")
        found.append(TrackPart(part.start_s, part.end_s, *track_name(span)))
    return [track for track in found if track.end_s > track.start_s]


def track_name(span: TrackSpan) -> tuple[str, str]:
    """(performer, title) of a record; without a title the genre stands in."""
    performer, title = split_name(span.title)
    return performer, title or one_line(span.label)


def drops(timeline: Timeline) -> list[Part]:
    """``Drop 1`` and so on, on the bar lines."""
    grid = timeline.grid
    return [
        Part(max(float(grid.starts_s[d.start_bar]), 0.0), max(float(grid.ends_s[d.end_bar - 1]), 0.0), f"Drop {number}")
        for number, d in enumerate(timeline.drops, start=1)
    ]


def track_of_bar(timeline: Timeline) -> NDArray[np.int64]:
    """(n_bars,) index of the track that holds each bar, -1 where there is none."""
    index = np.full(timeline.grid.n_bars, -1, dtype=np.int64)
    for number, span in enumerate(timeline.tracks):
        index[span.start_bar : span.end_bar] = number
    return index


def heard_beats(timeline: Timeline) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """(seconds, places in the bar) of the beats that do not lie before the start of the mix."""
    beats_s, place = timeline.grid.beats_s, timeline.grid.beat_in_bar
    # half a microsecond is the last digit of every text format here
    heard = beats_s > -5e-7
    return np.maximum(beats_s[heard], 0.0), place[heard]


def _part(timeline: Timeline, start_bar: int, end_bar: int, name: str) -> Part:
    grid, whole_s = timeline.grid, timeline.mix.duration_s
    # what sounds before the first bar line and after the last belongs to the first and last part
    start_s = 0.0 if start_bar == 0 else min(max(float(grid.starts_s[start_bar]), 0.0), whole_s)
    end_s = whole_s if end_bar == grid.n_bars else min(max(float(grid.starts_s[end_bar]), 0.0), whole_s)
    return Part(start_s, end_s, name)
