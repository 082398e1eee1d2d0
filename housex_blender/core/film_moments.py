"""Which moments of a mix stand for the whole: for an estimate, a contact sheet and a thumbnail. Zone: pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .edits import with_edits
from .timeline import Timeline

# sections by what they cost to render; the rest looks like a break
KINDS = ("break", "build", "drop")
# where in a section its picture is taken, and how far after the kick that is (in beats)
_SECTION_PART, _AFTER_KICK_BEATS = 0.4, 0.12


@dataclass(frozen=True)
class Moment:
    """A moment to look at.

    Attributes:
        time_s: Seconds in the mix, shortly after a downbeat.
        section: Name of the section.
        genre: Its sub-genre.
    """

    time_s: float
    section: str
    genre: str


def _kind(section: str) -> str:
    return section if section in KINDS else "break"


def section_moments(timeline: Timeline, start_s: float, end_s: float) -> list[Moment]:
    """One moment for every section between two times; a section ends where another or another track begins."""
    timeline = with_edits(timeline)
    tracks = np.zeros(timeline.grid.n_bars, int)
    for number, track in enumerate(timeline.tracks):
        tracks[track.start_bar : track.end_bar] = number
    moments: list[Moment] = []
    bars = _bars_within(timeline, start_s, end_s)
    first = 0
    for place in range(1, len(bars) + 1):
        ended = place == len(bars) or (timeline.section[bars[place]], tracks[bars[place]]) != (
            timeline.section[bars[first]],
            tracks[bars[first]],
        )
        if ended:
            moments.append(_moment(timeline, bars[first + int((place - first) * _SECTION_PART)], start_s, end_s))
            first = place
    return moments


def estimate_moments(timeline: Timeline, start_s: float, end_s: float) -> list[tuple[Moment, float]]:
    """A break, a build-up and a drop between two times, each with the share of the time that is like it.

    A kind that does not occur is left out; the shares sum to 1.
    """
    timeline = with_edits(timeline)
    bars = _bars_within(timeline, start_s, end_s)
    found = []
    for kind in KINDS:
        own = [bar for bar in bars if _kind(timeline.section[bar]) == kind]
        if own:
            share = len(own) / len(bars)
            # a break itself rather than an intro that costs as much
            own = [bar for bar in own if timeline.section[bar] == kind] or own
            # the later half of a build-up is the dear one, the middle of the others is as good as any
            bar = own[int(len(own) * (0.75 if kind == "build" else 0.5))]
            found.append((_moment(timeline, bar, start_s, end_s), share))
    return found


def best_moment(timeline: Timeline, start_s: float, end_s: float) -> Moment:
    """The moment for a thumbnail: in the second bar of the drop with the most energy, else in the loudest bar."""
    timeline = with_edits(timeline)
    bars = _bars_within(timeline, start_s, end_s)
    drops = [drop.start_bar for drop in timeline.drops if drop.start_bar in bars]
    bar = max(drops or bars, key=lambda bar: float(timeline.energy[bar]))
    return _moment(timeline, min(bar + 1, bars[-1]) if drops else bar, start_s, end_s)


def _bars_within(timeline: Timeline, start_s: float, end_s: float) -> list[int]:
    """Bars that begin between two times, or the one that holds the first."""
    starts_s = timeline.grid.starts_s
    inside = np.flatnonzero((starts_s >= start_s - 1e-6) & (starts_s < end_s)).tolist()
    return inside or [int(timeline.grid.bar_at(start_s))]


def _moment(timeline: Timeline, bar: int, start_s: float, end_s: float) -> Moment:
    grid = timeline.grid
    beat_s = float(grid.ends_s[bar] - grid.starts_s[bar]) / 4
    time_s = min(max(float(grid.starts_s[bar]) + _AFTER_KICK_BEATS * beat_s, start_s), max(end_s - 0.05, start_s))
    genre = timeline.model.genres[int(np.argmax(timeline.probs[bar]))]
    return Moment(time_s, timeline.section[bar], genre)
