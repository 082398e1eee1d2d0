"""Edits of a span of bars, as a panel makes them: name, lock, clear, unlock. Zone: pure.

Bars count from 0 on the edited grid and ``end_bar`` is exclusive; what is stored is time, from bar line to bar line.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from .bars import BarGrid
from .edit_effects import inside
from .edits import SPAN_KINDS, Edit, grid_with_edits, locked_bars, with_edits
from .errors import TimelineError
from .genres import canonical
from .show_mix import trusted_probs
from .timeline import Timeline
from .timeline_file import rounded

# what the rounding of bar lines in a file may come to
_SAME_S = 1e-4


def genre_edit(timeline: Timeline, first_bar: int, end_bar: int, genre: str, *, locked: bool = False) -> Edit:
    """An edit that gives these bars one genre.

    Args:
        locked: Keep later edits that are not locked themselves away from these bars; changes locked bars, too.

    Raises:
        TimelineError: There are no such bars, or all of them are locked and ``locked`` is not asked for.
    """
    edit = _edit("genre", timeline, first_bar, end_bar)
    if locked:
        return {**edit, "value": canonical(genre), "locked": True}
    _refuse_locked(timeline, first_bar, end_bar)
    return {**edit, "value": canonical(genre)}


def section_edit(timeline: Timeline, first_bar: int, end_bar: int, section: str) -> Edit:
    """An edit that makes these bars a section, such as ``drop``.

    Raises:
        TimelineError: There are no such bars, or all of them are locked.
    """
    edit = _edit("section", timeline, first_bar, end_bar)
    _refuse_locked(timeline, first_bar, end_bar)
    return {**edit, "value": section}


def lock_edit(timeline: Timeline, first_bar: int, end_bar: int) -> Edit:
    """An edit that keeps these bars as they show now, whatever is heard there by another analysis or another model.

    It holds the genres as the look follows them: a bar that is uncertain shows those of its certain neighbour.

    Raises:
        TimelineError: There are no such bars.
    """
    edit = _edit("lock", timeline, first_bar, end_bar)
    shown = with_edits(timeline)
    part = slice(first_bar, end_bar)
    probs = trusted_probs(shown)[part].round(4)
    used = np.flatnonzero(probs.any(axis=0))
    value = {
        "start_s": rounded(shown.grid.starts_s[part], 5),
        "genres": [shown.model.genres[column] for column in used],
        "probs": [rounded(row, 4) for row in probs[:, used]],
        "section": list(shown.section[part]),
    }
    return {**edit, "value": value}


def without_span(timeline: Timeline, first_bar: int, end_bar: int, *, locked: bool = False) -> Timeline:
    """The list without edits of genre and section in these bars; an edit that reaches beyond them is cut.

    Args:
        locked: Clear locked bars as well, their locks included; otherwise they are left alone.

    Raises:
        TimelineError: There are no such bars.
    """
    if locked:
        return _changed_in(timeline, first_bar, end_bar, lambda edit: None)
    _times_of(grid_with_edits(timeline), first_bar, end_bar)
    free = ~locked_bars(timeline)[first_bar:end_bar]
    borders = np.flatnonzero(np.diff(np.concatenate([[False], free, [False]]).astype(int))) + first_bar
    for start, end in borders.reshape(-1, 2).tolist():
        timeline = _changed_in(timeline, start, end, lambda edit: edit if _is_locked(edit) else None)
    return timeline


def unlocked(timeline: Timeline, first_bar: int, end_bar: int) -> Timeline:
    """The list without locks in these bars; an edit that was locked there still holds, but as any other.

    Raises:
        TimelineError: There are no such bars.
    """

    def change(edit: Edit) -> Edit | None:
        if edit["what"] == "lock":
            return None
        return {key: part for key, part in edit.items() if key != "locked"} if _is_locked(edit) else edit

    return _changed_in(timeline, first_bar, end_bar, change)


def _edit(what: str, timeline: Timeline, first_bar: int, end_bar: int) -> Edit:
    from_s, to_s = _times_of(grid_with_edits(timeline), first_bar, end_bar)
    return {"what": what, "from_s": from_s, "to_s": to_s}


def _times_of(grid: BarGrid, first_bar: int, end_bar: int) -> tuple[float, float]:
    """Seconds from the first bar's downbeat to the last one's end: only these bars have their middle between them."""
    if first_bar >= end_bar:
        raise TimelineError("No bars are selected.", "Select one bar or more.")
    if first_bar < 0 or end_bar > grid.n_bars:
        there = first_bar + 1 if not 0 <= first_bar < grid.n_bars else end_bar
        raise TimelineError(f"There is no bar {there}.", f"The mix has bars 1 to {grid.n_bars}.")
    return round(float(grid.starts_s[first_bar]), 5), round(float(grid.ends_s[end_bar - 1]), 5)


def _refuse_locked(timeline: Timeline, first_bar: int, end_bar: int) -> None:
    if locked_bars(timeline)[first_bar:end_bar].all():
        which = f"Bar {end_bar} is" if end_bar - first_bar == 1 else f"Bars {first_bar + 1} to {end_bar} are"
        raise TimelineError(f"{which} locked.", "Unlock first.")


def _is_locked(edit: Edit) -> bool:
    return edit["what"] == "lock" or edit.get("locked") is True


def _changed_in(timeline: Timeline, first_bar: int, end_bar: int, change: Callable[[Edit], Edit | None]) -> Timeline:
    """The list with every edit of bars changed inside the span and as it was outside; None takes it out."""
    grid = grid_with_edits(timeline)
    first_s, end_s = _times_of(grid, first_bar, end_bar)
    edits: list[Edit] = []
    for edit in timeline.edits:
        here = edit["what"] in SPAN_KINDS and inside(grid, edit)[first_bar:end_bar].any()
        changed = change(edit) if here else edit
        if changed is edit:
            edits.append(edit)
            continue
        from_s, to_s = float(edit["from_s"]), float(edit["to_s"])
        parts = [_part(grid, edit, from_s, min(to_s, first_s)), _part(grid, edit, max(from_s, end_s), to_s)]
        if changed is not None:
            parts.insert(1, _part(grid, changed, max(from_s, first_s), min(to_s, end_s)))
        edits += [part for part in parts if part is not None]
    return replace(timeline, edits=tuple(edits))


def _part(grid: BarGrid, edit: Edit, from_s: float, to_s: float) -> Edit | None:
    """What is left of an edit between two times; None if no bar is."""
    part = {**edit, "from_s": from_s, "to_s": to_s}
    if not inside(grid, part).any():
        return None
    if edit["what"] == "lock":
        starts_s = np.array(edit["value"]["start_s"])
        ends_s = np.append(starts_s[1:], np.inf)
        kept = np.flatnonzero((starts_s < to_s - _SAME_S) & (ends_s > from_s + _SAME_S))
        columns = {name: [edit["value"][name][row] for row in kept] for name in ("start_s", "probs", "section")}
        part["value"] = {**edit["value"], **columns}
    return part
