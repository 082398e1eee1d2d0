"""What people changed by hand: a layer stored by time, laid over whatever was heard. Zone: pure.

An edit is a dict, as it stands in the file: ``what`` is grid, section, tracks, genre or lock; see :mod:`edit_rules`
for its parts, :mod:`edit_effects` for what it does, :mod:`span_edits` and :mod:`track_edits` for making one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .bars import BEATS_PER_BAR, BarGrid
from .clock import clock_text
from .edit_effects import (
    Marks,
    end_of,
    genre_column,
    heard_on,
    held_probs,
    inside,
    with_genre,
    with_lock,
    with_section,
    with_tracks,
)
from .edit_rules import check_edit
from .errors import TimelineError
from .grid_edits import edited_grid, same_grid
from .resample import nearest_line, on_grid
from .timeline import Timeline

Edit = dict[str, Any]
SPAN_KINDS = ("genre", "section", "lock")
# bars that end further from the end of the mix are not of this mix
_MISFIT_S = 60.0


class Outcome(NamedTuple):
    """A timeline with its edits applied.

    Attributes:
        timeline: None of them is left in its list.
        locked: (n_bars,) which bars later edits that are not locked do not change.
        conflicts: A sentence for each edit that was not applied, or not in full.
    """

    timeline: Timeline
    locked: Marks
    conflicts: list[str]


def with_edits(timeline: Timeline) -> Timeline:
    """The timeline with its edits applied and none left in its list; without edits it comes back as it is.

    The grid's edits come first, in order, and what was heard is laid over the new bars. Then those of tracks, and
    then sections, genres and locks, in order: they hold for every bar whose middle lies in their span, which then is
    certain. Later edits win, but only what is locked itself changes locked bars. Edits that this analysis has no
    place for are left out, see :func:`conflicts`.

    Raises:
        TimelineError: An edit makes no sense.
    """
    return applied(timeline).timeline if timeline.edits else timeline


def conflicts(timeline: Timeline) -> list[str]:
    """One sentence for each edit that cannot be applied to what was heard, in the order of the list.

    Such an edit stays in the list: another analysis may have a place for it again.
    """
    return applied(timeline).conflicts


def locked_bars(timeline: Timeline) -> Marks:
    """(n_bars,) which bars of the edited grid are locked, by a lock or by an edit that says so."""
    return applied(timeline).locked


def grid_with_edits(timeline: Timeline) -> BarGrid:
    """The bars alone, after the edits."""
    return _edited_grid(timeline)[0]


def _edited_grid(timeline: Timeline) -> tuple[BarGrid, list[Edit], dict[int, str]]:
    """Bars after the edits, the edits that made them, and place in the list -> why one was left out."""
    grid, made, left_out = timeline.grid, [], {}
    for place, edit in enumerate(timeline.edits):
        if edit["what"] == "grid":
            try:
                grid = _grid_after(timeline, grid, edit)
                made.append(edit)
            except TimelineError as error:
                left_out[place] = error.message
    return grid, made, left_out


def _grid_after(timeline: Timeline, grid: BarGrid, edit: Edit) -> BarGrid:
    changed = edited_grid(grid, edit)
    end_s, mix_s = float(changed.ends_s[-1]), timeline.mix.duration_s
    if abs(end_s - mix_s) > _MISFIT_S:
        raise TimelineError(
            f"Its bars end at {clock_text(end_s)}, the mix at {clock_text(mix_s)}.", "Choose the grid of this mix."
        )
    return changed


def applied(timeline: Timeline) -> Outcome:
    """All that edits do to a timeline, worked out once.

    Raises:
        TimelineError: An edit makes no sense.
    """
    for edit in timeline.edits:
        check_edit(edit)
    grid, made, left_out = _edited_grid(timeline)
    result = timeline
    if made:
        source = "imported" if made[-1]["op"] == "replace" else "edited"
        same = same_grid(grid, timeline.grid)
        result = replace(timeline, grid_source=source) if same else on_grid(timeline, grid, source)
    in_part: dict[int, str] = {}
    for place, edit in enumerate(timeline.edits):
        if edit["what"] == "tracks":
            try:
                result = with_tracks(result, edit)
                in_part[place] = _late_tracks(result, edit)
            except TimelineError as error:
                left_out[place] = error.message
    locked, touched = np.zeros((2, grid.n_bars), bool)
    for place, edit in enumerate(timeline.edits):
        if edit["what"] in SPAN_KINDS:
            if not inside(grid, edit).any():
                left_out[place] = _no_bar(result, edit)
                continue
            try:
                result, locked, changed = _with_span(result, edit, locked)
                touched |= changed
                in_part[place] = _lost_bars(result, edit)
            except TimelineError as error:
                left_out[place] = error.message
    said = []
    for place, edit in enumerate(timeline.edits):
        name = f"The {edit['what']} edit at {clock_text(max(float(edit['from_s']), 0.0))}"
        if place in left_out:
            said.append(f"{name} is not applied: {left_out[place]}")
        elif in_part.get(place):
            said.append(f"{name} is applied in part: {in_part[place]}")
    return Outcome(replace(_with_touched_tracks(result, touched), edits=()), locked, said)


def _with_span(timeline: Timeline, edit: Edit, locked: Marks) -> tuple[Timeline, Marks, Marks]:
    """The timeline after one edit of a span, which bars are locked then, and which have another genre.

    Raises:
        TimelineError: The model does not know its genres.
    """
    if edit["what"] == "lock":
        result, held, changed = with_lock(timeline, edit)
        return result, locked | held, changed
    flagged = edit.get("locked") is True
    free = np.ones_like(locked) if flagged else ~locked
    changed = np.zeros_like(locked)
    if edit["what"] == "genre":
        result, changed = with_genre(timeline, edit, free)
    else:
        result = with_section(timeline, edit, free)
    return result, locked | inside(timeline.grid, edit) if flagged else locked, changed


def _with_touched_tracks(timeline: Timeline, touched: Marks) -> Timeline:
    """Tracks of which bars were given another genre take it along."""
    tracks = tuple(
        heard_on(timeline, track.start_bar, track.end_bar, track.title, track.fade_in_bar, track.fade_out_bar)
        if touched[track.start_bar : track.end_bar].any()
        else track
        for track in timeline.tracks
    )
    return replace(timeline, tracks=tracks)


# -- why an edit is left out -----------------------------------------------------------------------------------


def _no_bar(timeline: Timeline, edit: Edit) -> str:
    if float(edit["from_s"]) >= float(timeline.grid.ends_s[-1]):
        return "It lies beyond the end of the mix."
    return "No bar has its middle in it."


def _late_tracks(timeline: Timeline, edit: Edit) -> str:
    late = sum(float(row["start_s"]) >= end_of(timeline) for row in edit["value"])
    return f"{late} of its tracks begin after the end of the mix." if late else ""


def _lost_bars(timeline: Timeline, edit: Edit) -> str:
    if edit["what"] != "lock":
        return ""
    held = held_probs(timeline.model, edit)[1]
    lost = int((~held).sum())
    return f"This model knows none of the genres of {lost} of its {len(held)} bars." if lost else ""


# -- changing the list -----------------------------------------------------------------------------------------


def add_edit(timeline: Timeline, edit: Edit) -> Timeline:
    """One more edit at the end of the list; it is tried out first.

    A nudge of the bars that the nudge before it moved is added to that: back and forth is nothing. A track that was
    moved just before is moved once.

    Raises:
        TimelineError: It makes no sense, or cannot be applied.
    """
    check_edit(edit)
    edits, last = [*timeline.edits, edit], timeline.edits[-1] if timeline.edits else None
    if last and _same_bars(timeline, last, edit):
        beats = last["value"] + edit["value"]
        if not beats % BEATS_PER_BAR:
            # four beats are a bar, and move nothing
            return replace(timeline, edits=timeline.edits[:-1])
        edits[-2:] = [{**last, "value": beats}]
    elif last and _same_track(timeline, last, edit):
        from_s, to_s = min(last["from_s"], edit["from_s"]), max(last["to_s"], edit["to_s"])
        edits[-2:] = [{**edit, "from_s": from_s, "to_s": to_s}]
    _refuse_conflict(replace(timeline, edits=tuple(edits[:-1])), edits[-1])
    changed = replace(timeline, edits=tuple(edits))
    with_edits(changed)
    return changed


def _refuse_conflict(timeline: Timeline, edit: Edit) -> None:
    """What would only be listed after another analysis is an error while somebody makes it.

    Raises:
        TimelineError: The grid, the model or the mix has no place for it.
    """
    if edit["what"] == "grid":
        _grid_after(timeline, grid_with_edits(timeline), edit)
    elif edit["what"] == "genre":
        genre_column(timeline.model, edit)
    elif edit["what"] == "lock":
        held_probs(timeline.model, edit)
    elif edit["what"] == "tracks":
        with_tracks(with_edits(timeline), edit)


def _is_nudge(edit: Edit) -> bool:
    return edit["what"] == "grid" and edit.get("op") == "nudge"


def _same_bars(timeline: Timeline, last: Edit, edit: Edit) -> bool:
    """Whether two nudges, of which the first is the timeline's last edit, move the same bars."""
    if not (_is_nudge(last) and _is_nudge(edit)) or last.get("to_s") != edit.get("to_s"):
        return False
    if abs(last["from_s"] - edit["from_s"]) < 1e-3:
        return True
    # named after the bar line, which has moved since
    before, after = grid_with_edits(replace(timeline, edits=timeline.edits[:-1])), grid_with_edits(timeline)
    return _first_bar(before, last) == _first_bar(after, edit)


def _same_track(timeline: Timeline, last: Edit, edit: Edit) -> bool:
    """Whether two edits, of which the first is the timeline's last, put the start of one track somewhere."""
    if not all(one["what"] == "tracks" and "to_s" in one and len(one["value"]) == 1 for one in (last, edit)):
        return False
    grid = grid_with_edits(timeline)
    bar = min(nearest_line(grid, float(last["value"][0]["start_s"])), grid.n_bars - 1)
    return all(one["from_s"] <= grid.starts_s[bar] < one["to_s"] for one in (last, edit))


def _first_bar(grid: BarGrid, edit: Edit) -> int:
    return int(np.searchsorted(grid.starts_s, edit["from_s"] - 2e-3))


def without_last_edit(timeline: Timeline) -> Timeline:
    """The list without its last edit.

    Raises:
        TimelineError: There is none.
    """
    if not timeline.edits:
        raise TimelineError("Nothing was changed by hand.", "")
    return replace(timeline, edits=timeline.edits[:-1])


def without_edits(timeline: Timeline, what: str = "all") -> Timeline:
    """The list without the edits of one kind, or of ``all``."""
    return replace(timeline, edits=tuple(e for e in timeline.edits if what not in ("all", e["what"])))


def edit_file(path: Path, change: Callable[[Timeline], Timeline]) -> Timeline:
    """Change the edits in a timeline file; returns what it then holds.

    Raises:
        TimelineError: It cannot be read, changed so, or written; it is as it was then.
    """
    changed = change(Timeline.load(path))
    changed.save_text(path)
    return changed
