"""Spans of bars: name, lock, clear, unlock; and track changes moved by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from housex_blender.core import timeline as timeline_module
from housex_blender.core.channels import compile_show
from housex_blender.core.edit_effects import heard_on
from housex_blender.core.edits import add_edit, conflicts, edit_file, locked_bars, with_edits, without_last_edit
from housex_blender.core.errors import TimelineError
from housex_blender.core.genres import GENRES
from housex_blender.core.looks import Look
from housex_blender.core.resample import on_grid
from housex_blender.core.span_edits import genre_edit, lock_edit, section_edit, unlocked, without_span
from housex_blender.core.timeline import DropSpan, ModelInfo, Timeline
from housex_blender.core.track_edits import join_track_edit, move_track_edit, split_track_edit

from ..conftest import make_timeline

BARS = 24
SPANS = st.tuples(st.integers(0, BARS - 1), st.integers(1, BARS)).filter(lambda span: span[0] < span[1])
NUDGE = {"what": "grid", "op": "nudge", "from_s": 8.25, "value": 0.5}


def soft(seed: int = 1, **changes: Any) -> Timeline:
    """Bars with soft probabilities, a few of them uncertain, a drop with its build-up, titles and fades."""
    rng = np.random.default_rng(seed)
    probs = rng.dirichlet(np.full(len(GENRES), 0.4), BARS).astype(np.float32).round(4)
    probs[:, 0] += 1.0 - probs.sum(axis=1)
    base = make_timeline(probs=np.clip(probs, 0, 1), uncertain=rng.random(BARS) < 0.3, drops=(DropSpan(8, 16, 4, 2),))
    tracks = (
        heard_on(base, 0, 10, "One", None, 11),
        heard_on(base, 10, 16, "Two", 8, 18),
        heard_on(base, 16, 24, "Three", 15, None),
    )
    return replace(base, tracks=tracks, **changes)


def heard_otherwise(timeline: Timeline) -> Timeline:
    """The same edits over another analysis: all Deep House, one long break."""
    probs = np.zeros_like(timeline.probs)
    probs[:, GENRES.index("Deep House")] = 1.0
    return replace(timeline, probs=probs, section=("break",) * BARS, drops=(), uncertain=np.ones(BARS, bool))


def same_bars(one: Timeline, other: Timeline, bars: Any) -> bool:
    return np.allclose(one.probs[bars], other.probs[bars], atol=2e-3) and bool(
        np.all(np.array(one.section)[bars] == np.array(other.section)[bars])
    )


# -- exactly these bars ----------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(span=SPANS, nudged=st.booleans())
def test_an_edit_hits_exactly_its_bars(span: tuple[int, int], nudged: bool) -> None:
    timeline = add_edit(make_timeline(bpm=127.3, first_s=0.123456789), NUDGE) if nudged else make_timeline(bpm=127.3)
    before, (first, end) = with_edits(timeline), span
    end = min(end, before.grid.n_bars)
    after = with_edits(add_edit(timeline, genre_edit(timeline, first, end, "slap")))
    assert np.flatnonzero(np.array(after.labels) == "Slap House").tolist() == list(range(first, end))
    named = with_edits(add_edit(timeline, section_edit(timeline, first, end, "outro")))
    assert np.flatnonzero(np.array(named.section) == "outro").tolist() == list(range(first, end))
    held = add_edit(timeline, lock_edit(timeline, first, end))
    assert np.flatnonzero(locked_bars(held)).tolist() == list(range(first, end))


@pytest.mark.parametrize(
    ("span", "said"), [((5, 5), "No bars are selected"), ((7, 5), "No bars"), ((20, 25), "no bar 25"), ((24, 30), "no bar 25"),
                       ((-1, 3), "no bar 0")]
)  # fmt: skip
def test_bars_that_are_not_there(timeline: Timeline, span: tuple[int, int], said: str) -> None:
    calls: list[Any] = [
        lambda: genre_edit(timeline, *span, "Bigroom"),
        lambda: section_edit(timeline, *span, "drop"),
        lambda: lock_edit(timeline, *span),
        lambda: without_span(timeline, *span),
        lambda: unlocked(timeline, *span),
    ]
    for call in calls:
        with pytest.raises(TimelineError, match=said):
            call()


def test_spans_survive_the_file(tmp_path: Path) -> None:
    path = tmp_path / "m.housex.json"
    soft().save(path)
    for make in (
        lambda t: add_edit(t, genre_edit(t, 3, 5, "Bigroom", locked=True)),
        lambda t: add_edit(t, lock_edit(t, 8, 12)),
        lambda t: add_edit(t, move_track_edit(t, 2, 11)),
        lambda t: add_edit(t, join_track_edit(t, 3)),
    ):
        changed = edit_file(path, make)
        again = Timeline.load(path)
        assert again.edits == changed.edits
    schema = json.loads(Path(timeline_module.__file__).with_name("timeline.schema.json").read_text())
    data = json.loads(path.read_text())
    jsonschema.validate(data, schema)
    assert [edit["what"] for edit in data["edits"]] == ["genre", "lock", "tracks", "tracks"]
    assert np.flatnonzero(locked_bars(again)).tolist() == [3, 4, 8, 9, 10, 11]
    assert conflicts(again) == []


# -- locks -----------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(span=SPANS, seed=st.integers(0, 50))
def test_a_lock_changes_nothing_of_what_is_shown(span: tuple[int, int], seed: int) -> None:
    timeline = soft(seed)
    held = add_edit(timeline, lock_edit(timeline, *span))
    before, after = (compile_show(one, Look(), 24.0) for one in (timeline, held))
    for name in ("colour_a", "colour_b", "colour_c", "build", "drop"):
        at = np.linspace(1, 24 * 48, 200)
        assert before[name].at(at) == pytest.approx(after[name].at(at), abs=0.02), name
    assert with_edits(held).section == timeline.section
    assert with_edits(held).drops == timeline.drops
    assert not with_edits(held).uncertain[slice(*span)].any()
    # whatever is heard later
    later = heard_otherwise(held)
    shown, inside = with_edits(later), slice(*span)
    assert same_bars(shown, with_edits(held), inside)
    outside = np.setdiff1d(np.arange(BARS), np.arange(BARS)[inside])
    assert set(np.array(shown.labels)[outside]) <= {"Deep House"}


def test_a_lock_on_a_shifted_grid_goes_by_time() -> None:
    timeline = make_timeline()
    held = add_edit(timeline, lock_edit(timeline, 14, 18))  # the genre changes at bar 16, at 32.25 s
    for late_s in (0.6, -0.6):
        grid = replace(held.grid, **{n: getattr(held.grid, n) + late_s for n in ("beats_s", "starts_s", "ends_s")})
        moved = replace(on_grid(heard_otherwise(held), grid, "heard"), edits=held.edits)
        shown = with_edits(moved)
        assert shown.labels[13:19] == ["Deep House", *["Future House"] * 2, *["Melodic House"] * 2, "Deep House"]
    double = add_edit(heard_otherwise(held), {"what": "grid", "op": "double", "from_s": 0.0})
    assert with_edits(double).labels[27:37] == [
        "Deep House", *["Future House"] * 4, *["Melodic House"] * 4, "Deep House"]  # fmt: skip


def test_a_lock_and_a_model_that_knows_less() -> None:
    probs = np.zeros((BARS, len(GENRES)), np.float32)
    probs[:, [0, 3]] = [0.7, 0.3]
    probs[4:8] = 0.0
    probs[4:6, [0, 8]], probs[6:8, 8] = [0.25, 0.75], 1.0
    timeline = make_timeline(probs=probs)
    timeline = add_edit(timeline, lock_edit(timeline, 2, 8))
    few = ModelInfo("few", "3" * 64, ("Bigroom", "Melodic House", "Future House"), "nothing")
    ours = np.zeros((BARS, 3), np.float32)
    ours[:, 0] = 1.0
    tracks = tuple(replace(track, label="Bigroom", probs=(1.0, 0.0, 0.0)) for track in timeline.tracks)
    again = replace(timeline, model=few, probs=ours, tracks=tracks)
    shown = with_edits(again)
    assert shown.probs[2:4] == pytest.approx(np.array([[0.0, 0.3, 0.7]] * 2), abs=1e-4)
    assert shown.probs[4:6] == pytest.approx(np.array([[0.0, 0.0, 1.0]] * 2)), "what is left is made whole"
    assert shown.labels[6:9] == ["Bigroom"] * 3, "of these bars nothing is left"
    assert np.flatnonzero(locked_bars(again)).tolist() == [2, 3, 4, 5]
    assert conflicts(again) == [
        "The lock edit at 0:04 is applied in part: This model knows none of the genres of 2 of its 6 bars."
    ]
    only = add_edit(make_timeline(), lock_edit(make_timeline(), 18, 20))  # Melodic House alone
    bare = replace(only, model=replace(few, genres=("Bigroom", "Slap House", "Own")), probs=ours, tracks=tracks)
    assert "of which this model knows none" in conflicts(bare)[0]
    assert not locked_bars(bare).any()
    assert with_edits(bare).labels == ["Bigroom"] * BARS


@settings(max_examples=60, deadline=None)
@given(held=SPANS, later=SPANS, flag=st.booleans())
def test_later_edits_leave_locked_bars_alone(held: tuple[int, int], later: tuple[int, int], flag: bool) -> None:
    timeline = make_timeline()
    lock = genre_edit(timeline, *held, "Bigroom", locked=True) if flag else lock_edit(timeline, *held)
    timeline = add_edit(timeline, lock)
    marks = locked_bars(timeline)
    assert np.flatnonzero(marks).tolist() == list(range(*held))
    free = [bar for bar in range(*later) if not marks[bar]]
    if not free:
        for make, value in ((genre_edit, "Slap House"), (section_edit, "outro")):
            with pytest.raises(TimelineError, match="locked"):
                make(timeline, *later, value)
        return
    changed = add_edit(timeline, genre_edit(timeline, *later, "Slap House"))
    changed = add_edit(changed, section_edit(changed, *later, "outro"))
    shown = with_edits(changed)
    assert same_bars(shown, with_edits(timeline), marks)
    assert np.flatnonzero(np.array(shown.labels) == "Slap House").tolist() == free
    assert [bar for bar, name in enumerate(shown.section) if name == "outro"] == free
    # what is locked itself changes locked bars, and unlocking lets the later edits through
    over = with_edits(add_edit(changed, genre_edit(changed, *held, "Tech House", locked=True)))
    assert set(over.labels[slice(*held)]) == {"Tech House"}
    through = unlocked(changed, 0, BARS)
    assert not locked_bars(through).any()
    assert set(with_edits(through).labels[slice(*later)]) == {"Slap House"}


def test_undo_takes_the_last_edit_first() -> None:
    first = add_edit(soft(), genre_edit(soft(), 2, 6, "Bigroom"))
    second = add_edit(first, lock_edit(first, 4, 8))
    third = add_edit(second, section_edit(second, 0, 6, "outro"))
    assert without_last_edit(third) == second
    assert without_last_edit(without_last_edit(third)) == first
    assert not locked_bars(first).any()


# -- clearing --------------------------------------------------------------------------------------------------

EDITS = st.lists(
    st.tuples(st.sampled_from(["genre", "locked", "section", "lock"]), SPANS, st.sampled_from([0, 3, 8])), max_size=4
)


def with_some(edits: list[Any], timeline: Timeline) -> Timeline:
    for what, span, genre in edits:
        try:
            if what == "section":
                edit = section_edit(timeline, *span, ("drop", "outro", "break")[genre % 3])
            elif what == "lock":
                edit = lock_edit(timeline, *span)
            else:
                edit = genre_edit(timeline, *span, GENRES[genre], locked=what == "locked")
        except TimelineError:  # all of it is locked
            continue
        timeline = add_edit(timeline, edit)
    return timeline


@settings(max_examples=80, deadline=None)
@given(edits=EDITS, span=SPANS)
def test_clearing_a_span_leaves_the_rest(edits: list[Any], span: tuple[int, int]) -> None:
    timeline = with_some(edits, soft())
    before, bars = with_edits(timeline), np.arange(BARS)
    inside = (bars >= span[0]) & (bars < span[1])
    bare = without_span(timeline, *span, locked=True)
    shown = with_edits(bare)
    assert same_bars(shown, before, ~inside)
    assert same_bars(shown, soft(), inside)
    assert np.array_equal(locked_bars(bare), locked_bars(timeline) & ~inside)
    # locks stay unless asked for
    kept = without_span(timeline, *span)
    assert np.array_equal(locked_bars(kept), locked_bars(timeline))
    assert same_bars(with_edits(kept), before, ~inside | locked_bars(timeline))
    assert same_bars(with_edits(kept), soft(), inside & ~locked_bars(timeline))
    assert np.array_equal(locked_bars(unlocked(timeline, *span)), locked_bars(timeline) & ~inside)
    assert without_span(bare, *span, locked=True) == bare


def test_an_edit_that_reaches_beyond_is_cut() -> None:
    timeline = add_edit(make_timeline(), genre_edit(make_timeline(), 2, 10, "Bigroom", locked=True))
    timeline = add_edit(timeline, lock_edit(timeline, 12, 18))
    cut = without_span(timeline, 4, 14, locked=True)
    assert [(e["what"], e["from_s"], e["to_s"]) for e in cut.edits] == [("genre", 4.25, 8.25), ("lock", 28.25, 36.25)]
    assert cut.edits[1]["value"]["start_s"] == [28.25, 30.25, 32.25, 34.25]
    assert len(cut.edits[1]["value"]["probs"]) == len(cut.edits[1]["value"]["section"]) == 4
    hole = without_span(timeline, 4, 6, locked=True)
    assert [(e["from_s"], e["to_s"]) for e in hole.edits[:2]] == [(4.25, 8.25), (12.25, 20.25)]
    assert hole.edits[2] == timeline.edits[1]
    open_part = unlocked(timeline, 4, 6)
    assert [e.get("locked", False) for e in open_part.edits] == [True, False, True, False]
    assert with_edits(open_part).labels == with_edits(timeline).labels
    assert without_span(timeline, 20, 24, locked=True) == timeline


# -- tracks ----------------------------------------------------------------------------------------------------


def tracks_of(timeline: Timeline) -> list[tuple[int, int, str]]:
    return [(t.start_bar, t.end_bar, t.title) for t in with_edits(timeline).tracks]


@pytest.mark.parametrize("to_bar", [1, 7, 9, 10, 11, 15])
def test_a_track_moves_and_everything_else_stays(to_bar: int) -> None:
    timeline = soft()
    moved = add_edit(timeline, move_track_edit(timeline, 2, to_bar))
    assert tracks_of(moved) == [(0, to_bar, "One"), (to_bar, 16, "Two"), (16, 24, "Three")]
    first, second, third = with_edits(moved).tracks
    assert third == timeline.tracks[2]
    assert (first.fade_out_bar, second.fade_in_bar) == (max(11, to_bar), min(8, to_bar))
    assert (second.fade_out_bar, third.fade_in_bar) == (18, 15)
    assert second.label == GENRES[int(np.argmax(second.probs))]
    assert sum(second.probs) == pytest.approx(1.0, abs=1e-3)


def test_two_moves_are_one_and_back_is_where_it_was() -> None:
    timeline = soft()
    once = add_edit(timeline, move_track_edit(timeline, 2, 14))
    twice = add_edit(once, move_track_edit(once, 2, 5))
    assert len(twice.edits) == 1
    assert tracks_of(twice)[1] == (5, 16, "Two")
    back = add_edit(twice, move_track_edit(twice, 2, 10))
    assert with_edits(back).tracks == timeline.tracks
    other = add_edit(twice, move_track_edit(twice, 3, 20))
    assert len(other.edits) == 2
    assert tracks_of(other) == [(0, 5, "One"), (5, 20, "Two"), (20, 24, "Three")]
    assert without_last_edit(other) == twice


def test_a_move_holds_when_the_others_are_heard_anew() -> None:
    timeline = soft()
    moved = add_edit(timeline, move_track_edit(timeline, 2, 12))
    one, two, three = timeline.tracks
    anew = (
        replace(one, end_bar=9, title=""),
        replace(two, start_bar=9, end_bar=19, title=""),
        replace(three, start_bar=19, fade_in_bar=None, title=""),
    )
    assert tracks_of(replace(moved, tracks=anew)) == [(0, 12, ""), (12, 19, "Two"), (19, 24, "")]


def test_a_move_over_a_list_of_tracks_keeps_its_titles() -> None:
    rows = [{"start_s": 0.25, "title": "A"}, {"start_s": 12.25, "title": "B"}, {"start_s": 24.25, "title": "C"}]
    timeline = add_edit(soft(), {"what": "tracks", "from_s": 0.0, "value": rows})
    moved = add_edit(timeline, move_track_edit(timeline, 3, 20))
    assert len(moved.edits) == 2, "the list is not a move"
    assert tracks_of(moved) == [(0, 6, "A"), (6, 20, "B"), (20, 24, "C")]


def test_split_and_join() -> None:
    timeline = soft()
    split = add_edit(timeline, split_track_edit(timeline, 5))
    assert tracks_of(split) == [(0, 5, "One"), (5, 10, ""), (10, 16, "Two"), (16, 24, "Three")]
    again = add_edit(split, split_track_edit(split, 7))
    assert [start for start, _, _ in tracks_of(again)] == [0, 5, 7, 10, 16]
    moved = add_edit(split, move_track_edit(split, 2, 8))
    assert len(moved.edits) == 1
    assert [start for start, _, _ in tracks_of(moved)] == [0, 8, 10, 16]
    joined = add_edit(split, join_track_edit(split, 2))
    assert with_edits(joined).tracks == timeline.tracks
    last = add_edit(timeline, join_track_edit(timeline, 3))
    assert tracks_of(last) == [(0, 10, "One"), (10, 24, "Two")]


def test_tracks_that_cannot_be_changed_so() -> None:
    timeline = soft()
    for make, said in (
        (lambda: move_track_edit(timeline, 1, 3), "first track begins with the mix"),
        (lambda: move_track_edit(timeline, 4, 3), "no track 4"),
        (lambda: move_track_edit(timeline, 0, 3), "no track 0"),
        (lambda: move_track_edit(timeline, 2, 16), "Choose a bar from 2 to 16"),
        (lambda: move_track_edit(timeline, 2, 0), "cannot begin at bar 1"),
        (lambda: move_track_edit(timeline, 3, 24), "Choose a bar from 12 to 24"),
        (lambda: join_track_edit(timeline, 1), "cannot be joined"),
        (lambda: split_track_edit(timeline, 10), "begins at bar 11 already"),
        (lambda: split_track_edit(timeline, 24), "no bar 25"),
    ):
        with pytest.raises(TimelineError, match=said):
            make()
