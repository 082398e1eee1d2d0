"""What people changed by hand: a layer stored by time, laid over whatever was heard. Zone: pure.

An edit is a dict, as it stands in the file: ``what`` is grid, section, tracks or genre; see :mod:`edit_rules`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from .bars import BEATS_PER_BAR, BarGrid
from .edit_rules import check_edit
from .errors import TimelineError
from .genres import canonical
from .grid_edits import edited_grid, same_grid
from .resample import nearest_line, on_grid
from .timeline import DropSpan, Timeline, TrackSpan
from .traits import described, genre_share

Edit = dict[str, Any]
# a mix whose first listed record begins this late has one before it that is not listed
_UNLISTED_BARS = 8


def with_edits(timeline: Timeline) -> Timeline:
    """The timeline with its edits applied and none left in its list; without edits it comes back as it is.

    The grid's edits come first, in order, and what was heard is laid over the new bars. Then those of tracks,
    sections and genres: they hold for every bar whose middle lies in their span, which then is certain. Later edits
    win.

    Raises:
        TimelineError: An edit makes no sense, or names a genre the model does not know.
    """
    if not timeline.edits:
        return timeline
    for edit in timeline.edits:
        check_edit(edit)
    result = _with_grid(timeline)
    for what, apply in (("tracks", _with_tracks), ("section", _with_section)):
        for edit in timeline.edits:
            if edit["what"] == what:
                result = apply(result, edit)
    return replace(_with_genres(result), edits=())


def grid_with_edits(timeline: Timeline) -> BarGrid:
    """The bars alone, after the edits."""
    grid = timeline.grid
    for edit in timeline.edits:
        if edit["what"] == "grid":
            grid = edited_grid(grid, edit)
    return grid


def _with_grid(timeline: Timeline) -> Timeline:
    ops = [edit["op"] for edit in timeline.edits if edit["what"] == "grid"]
    if not ops:
        return timeline
    grid = grid_with_edits(timeline)
    source = "imported" if ops[-1] == "replace" else "edited"
    if same_grid(grid, timeline.grid):
        return replace(timeline, grid_source=source)
    return on_grid(timeline, grid, source)


def _inside(timeline: Timeline, edit: Edit) -> np.ndarray:
    """(n_bars,) whether the middle of each bar lies in the edit's span."""
    middle_s = (timeline.grid.starts_s + timeline.grid.ends_s) / 2
    inside: np.ndarray = (middle_s >= float(edit["from_s"])) & (middle_s < float(edit["to_s"]))
    return inside


def _with_genres(timeline: Timeline) -> Timeline:
    probs, uncertain = timeline.probs.copy(), timeline.uncertain.copy()
    confidence = timeline.confidence.copy()
    touched = np.zeros(timeline.grid.n_bars, bool)
    for edit in timeline.edits:
        if edit["what"] != "genre":
            continue
        genre = canonical(str(edit["value"]))
        if genre not in timeline.model.genres:
            known = ", ".join(timeline.model.genres)
            raise TimelineError(f"An edit names the genre {edit['value']!r}.", f"Choose one of: {known}.")
        inside = _inside(timeline, edit)
        probs[inside] = 0.0
        probs[inside, timeline.model.genres.index(genre)] = 1.0
        uncertain[inside], confidence[inside] = False, 1.0
        touched |= inside
    changed = replace(timeline, probs=probs.astype(np.float32), uncertain=uncertain, confidence=confidence)
    tracks = tuple(
        _track(changed, track.start_bar, track.end_bar, track.title)
        if touched[track.start_bar : track.end_bar].any()
        else track
        for track in timeline.tracks
    )
    return replace(changed, tracks=tracks)


def _with_section(timeline: Timeline, edit: Edit) -> Timeline:
    """Name a span; drops grow and shrink with the bars of that name."""
    inside = _inside(timeline, edit)
    section = tuple(edit["value"] if here else name for here, name in zip(inside, timeline.section, strict=True))
    drops = list(timeline.drops)
    owner = np.full(timeline.grid.n_bars, -1)
    for number, drop in enumerate(drops):
        owner[drop.start_bar : drop.end_bar] = number
    if edit["value"] != "drop":
        owner[inside] = -1
    elif inside.any():
        bars = np.flatnonzero(inside)
        around = owner[max(bars[0] - 1, 0) : bars[-1] + 2]
        known = np.unique(around[around >= 0])
        # it extends the drop it touches, and joins those it bridges
        number = int(known[0]) if len(known) else len(drops)
        owner[np.isin(owner, known)] = number
        owner[inside] = number
    edges = [0, *(np.flatnonzero(np.diff(owner)) + 1).tolist(), len(owner)]
    spans = []
    for start, end in pairwise(edges):
        if owner[start] < 0:
            continue
        same = [drop for drop in drops if drop.start_bar == start]
        spans.append(replace(same[0], end_bar=end) if same else DropSpan(start, end))
    return replace(timeline, section=section, drops=tuple(spans))


def _with_tracks(timeline: Timeline, edit: Edit) -> Timeline:
    """Track changes of a list in place of those that were heard in its span; two on one bar share it."""
    grid, bars = timeline.grid, timeline.grid.n_bars
    from_s, to_s = float(edit["from_s"]), float(edit.get("to_s", np.inf))
    titles: dict[int, str] = {}
    for row in sorted(edit["value"], key=lambda row: float(row["start_s"])):
        bar = min(nearest_line(grid, float(row["start_s"])), bars - 1)
        titles[bar] = " / ".join(filter(None, [titles.get(bar, ""), row.get("title", "")]))
    if min(titles) < _UNLISTED_BARS and from_s <= grid.starts_s[0] and 0 not in titles:
        titles[0] = titles.pop(min(titles))
    for track in timeline.tracks:
        if not from_s <= float(grid.starts_s[track.start_bar]) < to_s:
            titles.setdefault(track.start_bar, track.title)
    titles.setdefault(0, "")
    starts = [*sorted(titles), bars]
    tracks = tuple(_track(timeline, start, end, titles[start]) for start, end in pairwise(starts))
    return replace(timeline, tracks=tracks)


def _track(timeline: Timeline, start: int, end: int, title: str) -> TrackSpan:
    """A record on these bars, as they are now; the fades that were heard at its ends stay."""
    part = genre_share(timeline.probs[start:end], timeline.energy[start:end])
    fade_in = next((t.fade_in_bar for t in timeline.tracks if t.start_bar == start), None)
    fade_out = next((t.fade_out_bar for t in timeline.tracks if t.end_bar == end), None)
    label = timeline.model.genres[int(np.argmax(part))]
    return described(timeline, TrackSpan(start, end, label, part, title, fade_in, fade_out))


# -- changing the list -----------------------------------------------------------------------------------------


def add_edit(timeline: Timeline, edit: Edit) -> Timeline:
    """One more edit at the end of the list; it is tried out first.

    A nudge of the bars that the nudge before it moved is added to that: back and forth is nothing.

    Raises:
        TimelineError: It makes no sense, or cannot be applied.
    """
    check_edit(edit)
    edits = [*timeline.edits, edit]
    if len(edits) > 1 and _same_bars(timeline, edits[-2], edit):
        beats = edits[-2]["value"] + edit["value"]
        # four beats are a bar, and move nothing
        edits[-2:] = [{**edits[-2], "value": beats}] if beats % BEATS_PER_BAR else []
    changed = replace(timeline, edits=tuple(edits))
    with_edits(changed)
    return changed


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
