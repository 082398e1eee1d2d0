"""What one edit does to the bars of a timeline: genres, sections, locks, tracks. Zone: pure.

Every function takes a timeline whose grid is edited already; which bars an edit is kept away from is ``free``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .bars import BarGrid
from .errors import TimelineError
from .genres import canonical
from .resample import nearest_line
from .timeline import DropSpan, ModelInfo, Timeline, TrackSpan
from .traits import described, genre_share

Edit = Mapping[str, Any]
Marks = NDArray[np.bool_]
# a mix whose first listed record begins this late has one before it that is not listed
_UNLISTED_BARS = 8
# what is left of a locked bar when a model lacks its genres; less is a rounding
_LEAST_LEFT = 0.005
# as much as rounding in the file may change
_SAME_PROB = 1e-3


def inside(grid: BarGrid, edit: Edit) -> Marks:
    """(n_bars,) whether the middle of each bar lies in the edit's span."""
    middle_s = (grid.starts_s + grid.ends_s) / 2
    marks: Marks = (middle_s >= float(edit["from_s"])) & (middle_s < float(edit["to_s"]))
    return marks


def _column(model: ModelInfo, name: str) -> int | None:
    """Which column of the probabilities a genre has, by its name or another spelling; None if it has none."""
    if name in model.genres:
        return model.genres.index(name)
    wanted = canonical(name)
    return next((index for index, known in enumerate(model.genres) if canonical(known) == wanted), None)


# -- genres and locks ------------------------------------------------------------------------------------------


def genre_column(model: ModelInfo, edit: Edit) -> int:
    """The column that an edit of a genre names.

    Raises:
        TimelineError: The model does not know it.
    """
    column = _column(model, str(edit["value"]))
    if column is None:
        known = ", ".join(model.genres)
        raise TimelineError(
            f"An edit names the genre {edit['value']!r}, which this model does not know.", f"Choose one of: {known}."
        )
    return column


def with_genre(timeline: Timeline, edit: Edit, free: Marks) -> tuple[Timeline, Marks]:
    """The timeline with one genre in the edit's bars, and (n_bars,) which bars that touched.

    Raises:
        TimelineError: The model does not know the genre.
    """
    column = genre_column(timeline.model, edit)
    bars = inside(timeline.grid, edit) & free
    rows = np.zeros((int(bars.sum()), len(timeline.model.genres)), np.float32)
    rows[:, column] = 1.0
    return _certain(timeline, bars, rows), bars


def with_lock(timeline: Timeline, edit: Edit) -> tuple[Timeline, Marks, Marks]:
    """The timeline with the edit's bars as they were locked, (n_bars,) those bars, and which of them that touched.

    Each bar takes what was locked in its middle; a bar whose genres the model lacks altogether stays as it was heard.

    Raises:
        TimelineError: The model knows none of the genres of any bar.
    """
    rows, held = held_probs(timeline.model, edit)
    bars = np.flatnonzero(inside(timeline.grid, edit))
    middle_s = (timeline.grid.starts_s[bars] + timeline.grid.ends_s[bars]) / 2
    locked = np.maximum(np.searchsorted(np.array(edit["value"]["start_s"]), middle_s, side="right") - 1, 0)
    bars, locked = bars[held[locked]], locked[held[locked]]
    marks, changed = np.zeros((2, timeline.grid.n_bars), bool)
    marks[bars] = True
    moved = np.abs(timeline.probs[bars] - rows[locked]).max(axis=1, initial=0.0) > _SAME_PROB
    changed[bars] = moved | timeline.uncertain[bars]
    result = _certain(timeline, marks, rows[locked])
    section = np.array(timeline.section, dtype=object)
    section[bars] = [edit["value"]["section"][index] for index in locked]
    for name in dict.fromkeys(section[bars].tolist()):
        # what has that name already keeps the drop that it belongs to
        result = _named(result, marks & (section == name) & (np.array(result.section) != name), name)
    return result, marks, changed


def held_probs(model: ModelInfo, edit: Edit) -> tuple[NDArray[np.float32], Marks]:
    """What a lock holds for this model: (n_locked, G) probabilities, and (n_locked,) which rows are of any use.

    Raises:
        TimelineError: None is: the model lacks all their genres.
    """
    value = edit["value"]
    probs = np.asarray(value["probs"], dtype=np.float64)
    rows = np.zeros((len(probs), len(model.genres)))
    for name, locked in zip(value["genres"], probs.T, strict=True):
        column = _column(model, name)
        if column is not None:
            rows[:, column] += locked
    left = rows.sum(axis=1)
    held: Marks = left > _LEAST_LEFT
    if not held.any():
        raise TimelineError(
            f"A lock holds {', '.join(value['genres'])}, of which this model knows none.", "Unlock these bars."
        )
    # whole rows stay as they were written
    part = held & (np.abs(left - 1.0) > _SAME_PROB)
    rows[part] /= left[part, None]
    return rows.astype(np.float32), held


def _certain(timeline: Timeline, bars: Marks, rows: NDArray[np.float32]) -> Timeline:
    """These probabilities in these bars, beyond doubt."""
    probs, uncertain, confidence = timeline.probs.copy(), timeline.uncertain.copy(), timeline.confidence.copy()
    probs[bars], uncertain[bars], confidence[bars] = rows, False, 1.0
    by_hand = bars if timeline.by_hand is None else bars | timeline.by_hand
    return replace(
        timeline, probs=probs.astype(np.float32), uncertain=uncertain, confidence=confidence, by_hand=by_hand
    )


# -- sections --------------------------------------------------------------------------------------------------


def with_section(timeline: Timeline, edit: Edit, free: Marks) -> Timeline:
    """Name a span; drops grow and shrink with the bars of that name."""
    return _named(timeline, inside(timeline.grid, edit) & free, edit["value"])


def _named(timeline: Timeline, bars: Marks, name: str) -> Timeline:
    if not bars.any():
        return timeline
    section = tuple(name if here else old for here, old in zip(bars, timeline.section, strict=True))
    drops = list(timeline.drops)
    owner = np.full(timeline.grid.n_bars, -1)
    for number, drop in enumerate(drops):
        owner[drop.start_bar : drop.end_bar] = number
    if name != "drop":
        owner[bars] = -1
    else:
        edges = np.flatnonzero(np.diff(np.concatenate([[0], bars.astype(int), [0]])))
        for first, end in edges.reshape(-1, 2).tolist():
            around = owner[max(first - 1, 0) : end + 1]
            known = np.unique(around[around >= 0])
            # it extends the drop it touches, and joins those it bridges
            number = int(known[0]) if len(known) else int(max(owner.max() + 1, len(drops)))
            owner[np.isin(owner, known)] = number
            owner[first:end] = number
    edges_of = [0, *(np.flatnonzero(np.diff(owner)) + 1).tolist(), len(owner)]
    spans = []
    for start, end in pairwise(edges_of):
        if owner[start] < 0:
            continue
        same = [drop for drop in drops if drop.start_bar == start]
        spans.append(replace(same[0], end_bar=end) if same else DropSpan(start, end))
    return replace(timeline, section=section, drops=tuple(spans))


# -- tracks ----------------------------------------------------------------------------------------------------


def end_of(timeline: Timeline) -> float:
    """Seconds at which neither mix nor bars go on."""
    return max(float(timeline.grid.ends_s[-1]), timeline.mix.duration_s)


def with_tracks(timeline: Timeline, edit: Edit) -> Timeline:
    """Track changes of a list in place of those that were heard in its span; two on one bar share it.

    Tracks that keep their bars stay as they are, and one that only moves keeps its fades.

    Raises:
        TimelineError: All of the list lies beyond the end of the mix.
    """
    grid, bars = timeline.grid, timeline.grid.n_bars
    from_s, to_s = float(edit["from_s"]), float(edit.get("to_s", np.inf))
    rows = [row for row in edit["value"] if float(row["start_s"]) < end_of(timeline)]
    if edit["value"] and not rows:
        raise TimelineError("All of its tracks begin after the end of the mix.", "")
    titles: dict[int, str] = {}
    for row in sorted(rows, key=lambda row: float(row["start_s"])):
        bar = min(nearest_line(grid, float(row["start_s"])), bars - 1)
        titles[bar] = " / ".join(filter(None, [titles.get(bar, ""), row.get("title", "")]))
    if titles and min(titles) < _UNLISTED_BARS and from_s <= grid.starts_s[0] and 0 not in titles:
        titles[0] = titles.pop(min(titles))
    gone = []
    for track in timeline.tracks:
        if not from_s <= float(grid.starts_s[track.start_bar]) < to_s:
            titles.setdefault(track.start_bar, track.title)
        elif track.start_bar not in titles:
            gone.append(track)
    titles.setdefault(0, "")
    fades_in = {track.start_bar: track.fade_in_bar for track in timeline.tracks}
    fades_out = {track.end_bar: track.fade_out_bar for track in timeline.tracks}
    if "to_s" in edit and len(rows) == len(gone) == 1:
        # one change in place of another has moved, and what is heard around it stays
        old, bar = gone[0].start_bar, min(nearest_line(grid, float(rows[0]["start_s"])), bars - 1)
        first, last = fades_in[old], fades_out.get(old)
        fades_in[bar] = None if first is None else min(first, bar)
        fades_out[bar] = None if last is None else max(last, bar)
    spans = pairwise([*sorted(titles), bars])
    known = {(track.start_bar, track.end_bar): track for track in timeline.tracks}
    tracks = tuple(
        replace(known[span], title=titles[span[0]])
        if span in known
        else heard_on(timeline, *span, titles[span[0]], fades_in.get(span[0]), fades_out.get(span[1]))
        for span in spans
    )
    return replace(timeline, tracks=tracks)


def heard_on(
    timeline: Timeline, start: int, end: int, title: str, fade_in: int | None, fade_out: int | None
) -> TrackSpan:
    """A record on these bars, as they are now."""
    part = genre_share(timeline.probs[start:end], timeline.energy[start:end])
    label = timeline.model.genres[int(np.argmax(part))]
    return described(timeline, TrackSpan(start, end, label, part, title, fade_in, fade_out))
