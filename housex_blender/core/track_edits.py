"""Edits of single track changes, as a panel makes them: move, split, join. Zone: pure.

Each says what begins in a window that reaches half-way to the neighbours' starts: there a later analysis has no say,
everywhere else it has. Tracks count from 1, as they are shown; bars count from 0 on the edited grid.
"""

from __future__ import annotations

from .edits import Edit, with_edits
from .errors import TimelineError
from .timeline import Timeline


def move_track_edit(timeline: Timeline, number: int, to_bar: int) -> Edit:
    """An edit that lets a track begin at another bar, between the starts of the tracks before and after it.

    Raises:
        TimelineError: There is no such track, it is the first, or the bar lies beyond its neighbours.
    """
    shown = with_edits(timeline)
    _check_later(shown, number, "moved")
    starts = _starts(shown)
    before, after = starts[number - 2], starts[number]
    if not before < to_bar < after:
        if after - before == 2:
            raise TimelineError(f"Track {number} has no room to move.", "Join it with the one before, or move others.")
        raise TimelineError(
            f"Track {number} cannot begin at bar {to_bar + 1}.", f"Choose a bar from {before + 2} to {after}."
        )
    low, high = sorted((starts[number - 1], to_bar))
    return _edit(shown, (before, low), (high, after), [_row(shown, to_bar, shown.tracks[number - 1].title)])


def split_track_edit(timeline: Timeline, at_bar: int) -> Edit:
    """An edit that lets another track, without a title, begin at a bar inside one.

    Raises:
        TimelineError: There is no such bar, or a track begins there already.
    """
    shown = with_edits(timeline)
    if not 0 <= at_bar < shown.grid.n_bars:
        raise TimelineError(f"There is no bar {at_bar + 1}.", f"The mix has bars 1 to {shown.grid.n_bars}.")
    starts = _starts(shown)
    if at_bar in starts:
        raise TimelineError(f"A track begins at bar {at_bar + 1} already.", "Choose a bar inside a track.")
    before, after = max(bar for bar in starts if bar < at_bar), min(bar for bar in starts if bar > at_bar)
    return _edit(shown, (before, at_bar), (at_bar, after), [_row(shown, at_bar, "")])


def join_track_edit(timeline: Timeline, number: int) -> Edit:
    """An edit that makes a track a part of the one before it, whose title stays.

    Raises:
        TimelineError: There is no such track, or it is the first.
    """
    shown = with_edits(timeline)
    _check_later(shown, number, "joined with one before it")
    starts = _starts(shown)
    start = starts[number - 1]
    return _edit(shown, (starts[number - 2], start), (start, starts[number]), [])


def _check_later(shown: Timeline, number: int, done: str) -> None:
    if not 1 <= number <= len(shown.tracks):
        raise TimelineError(f"There is no track {number}.", f"The mix has tracks 1 to {len(shown.tracks)}.")
    if number == 1:
        raise TimelineError(f"The first track begins with the mix and cannot be {done}.", "Choose a later one.")


def _starts(shown: Timeline) -> list[int]:
    """Bars at which the tracks begin, then the end of the mix."""
    return [*(track.start_bar for track in shown.tracks), shown.grid.n_bars]


def _row(shown: Timeline, bar: int, title: str) -> dict[str, object]:
    return {"start_s": round(float(shown.grid.starts_s[bar]), 5), "title": title}


def _edit(shown: Timeline, opens: tuple[int, int], closes: tuple[int, int], rows: list[dict[str, object]]) -> Edit:
    """Tracks of a window that opens and closes half-way between two bar lines each."""
    edges_s = shown.grid.edges_s
    from_s, to_s = (round(float(edges_s[list(pair)].mean()), 5) for pair in (opens, closes))
    return {"what": "tracks", "from_s": from_s, "to_s": to_s, "value": rows}
