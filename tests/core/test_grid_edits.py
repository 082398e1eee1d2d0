"""Corrections of the grid, by exact seconds, and what was heard laid over the new bars."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from housex_blender.core.bars import BarGrid
from housex_blender.core.edits import add_edit, edit_file, grid_with_edits, with_edits, without_edits, without_last_edit
from housex_blender.core.errors import TimelineError
from housex_blender.core.grid_edits import edited_grid, same_grid, tap_tempo
from housex_blender.core.timeline import DropSpan, Timeline, TrackSpan

from ..conftest import make_timeline

BEAT_S = 0.5  # of make_timeline: bars last 2 s from 0.25 s on, 24 of them


def grid_edit(op: str, from_s: float = 0.0, value: Any = None, **more: Any) -> dict[str, Any]:
    edit = {"what": "grid", "op": op, "from_s": from_s, **more}
    return edit if value is None else {**edit, "value": value}


def regular(bars: int = 24, bpm: float = 120.0, first_s: float = 0.25) -> BarGrid:
    bar_s = 240.0 / bpm
    return BarGrid.from_downbeats(first_s + bar_s * np.arange(bars), first_s + bar_s * bars)


# -- the grid alone --------------------------------------------------------------------------------------------


def test_halve_from_a_bar_on() -> None:
    grid = edited_grid(regular(), grid_edit("halve", 7.0))
    assert grid.starts_s[:6] == pytest.approx([0.25, 2.25, 4.25, 6.25, 8.25, 12.25])
    assert np.diff(grid.beats_s[grid.beats_s >= 8.2]) == pytest.approx(1.0)
    assert grid.bpm[3:6] == pytest.approx([120.0, 60.0, 60.0])
    assert grid.ends_s[-1] == pytest.approx(48.25)


def test_double_between_two_bars() -> None:
    grid = edited_grid(regular(), grid_edit("double", 4.25, to_s=8.25))
    assert grid.starts_s[:8] == pytest.approx([0.25, 2.25, 4.25, 5.25, 6.25, 7.25, 8.25, 10.25])
    assert grid.bpm[:8] == pytest.approx([120, 120, 240, 240, 240, 240, 120, 120])


def test_a_whole_beat_moves_only_the_bar_lines() -> None:
    before = regular()
    grid = edited_grid(before, grid_edit("nudge", 4.25, 1))
    assert grid.starts_s[:4] == pytest.approx([0.25, 2.25, 4.75, 6.75])
    assert np.array_equal(grid.beats_s, before.beats_s)
    assert grid.ends_s[1] == pytest.approx(4.75)
    back = edited_grid(before, grid_edit("nudge", 4.25, -1))
    assert back.starts_s[:4] == pytest.approx([0.25, 2.25, 3.75, 5.75])


def test_half_a_beat_moves_the_beats_too() -> None:
    grid = edited_grid(regular(), grid_edit("nudge", 4.25, 0.5))
    assert grid.starts_s[:4] == pytest.approx([0.25, 2.25, 4.5, 6.5])
    assert grid.beats_s[6:10] == pytest.approx([3.25, 3.75, 4.5, 5.0])
    back = edited_grid(regular(), grid_edit("nudge", 4.25, -0.5))
    assert back.starts_s[:4] == pytest.approx([0.25, 2.25, 4.0, 6.0])
    both = edited_grid(regular(), grid_edit("nudge", 4.25, 1.5))
    assert both.starts_s[:4] == pytest.approx([0.25, 2.25, 5.0, 7.0])


def test_a_nudge_at_the_start_leaves_beats_before_the_first_bar() -> None:
    grid = edited_grid(regular(), grid_edit("nudge", 0.0, 1))
    assert grid.starts_s[0] == pytest.approx(0.75)
    assert grid.beat_in_bar[:3].tolist() == [4, 1, 2]
    back = edited_grid(regular(), grid_edit("nudge", 0.0, -1))
    assert back.starts_s[0] == pytest.approx(1.75)
    assert back.beat_in_bar[:4].tolist() == [2, 3, 4, 1]
    half = edited_grid(regular(), grid_edit("nudge", 0.0, -0.5))
    assert half.beats_s[0] == pytest.approx(0.0)
    assert half.starts_s[:2] == pytest.approx([0.0, 2.0])


def test_a_bar_of_less_than_a_beat_is_merged() -> None:
    beats_s = np.arange(16) * 0.5
    grid = BarGrid.from_beats(beats_s, np.isin(np.arange(16), [0, 4, 5, 9, 13]), 8.0)
    nudged = edited_grid(grid, grid_edit("nudge", 2.5, -0.5))
    assert 2.25 - 1e-9 not in nudged.starts_s.tolist()
    assert np.diff(nudged.starts_s).min() >= 0.5 - 1e-9


def test_four_beats_are_none() -> None:
    for beats in (4, -4, 8):
        assert same_grid(edited_grid(regular(), grid_edit("nudge", 6.0, beats)), regular())


@settings(max_examples=60, deadline=None)
@given(bars=st.integers(4, 40), bpm=st.floats(60, 180), first_s=st.floats(0, 2), at=st.floats(0, 0.8),
       beats=st.sampled_from([0.5, 1, 1.5, 2]))  # fmt: skip
def test_there_and_back_is_nothing(bars: int, bpm: float, first_s: float, at: float, beats: float) -> None:
    grid = regular(bars, bpm, first_s)
    from_s = at * (bars - 1) * 240.0 / bpm
    there = edited_grid(grid, grid_edit("nudge", from_s, beats))
    assert same_grid(edited_grid(there, grid_edit("nudge", from_s, -beats)), grid)
    doubled = edited_grid(grid, grid_edit("double", from_s))
    assert same_grid(edited_grid(doubled, grid_edit("halve", from_s)), grid)


def test_taps_give_tempo_and_phase() -> None:
    rng = np.random.default_rng(1)
    taps = 10.0 + 60.0 / 126.0 * np.arange(12) + rng.normal(0, 0.012, 12)
    taps = np.delete(taps, 5)  # one missed
    taps[7] += 0.2  # one late
    first_s, beat_s = tap_tempo(taps.tolist())
    assert 60.0 / beat_s == pytest.approx(126.0, abs=0.8)
    assert first_s == pytest.approx(10.0, abs=0.02)
    grid = edited_grid(regular(), grid_edit("tap", 10.0, [10.0, 10.6, 11.2, 11.8]))
    assert grid.starts_s[:7] == pytest.approx([0.25, 2.25, 4.25, 6.25, 8.25, 10.0, 12.4])
    assert grid.bpm[6] == pytest.approx(100.0)
    assert grid.ends_s[-1] == pytest.approx(48.25)
    part = edited_grid(regular(), grid_edit("tap", 10.0, [10.0, 10.6, 11.2, 11.8], to_s=20.25))
    assert part.starts_s[-14:] == pytest.approx(20.25 + 2.0 * np.arange(14))


def test_taps_before_the_first_tap_too() -> None:
    grid = edited_grid(regular(), grid_edit("tap", 0.0, [10.0, 10.6, 11.2, 11.8]))
    assert np.diff(grid.beats_s) == pytest.approx(0.6)
    assert np.min(np.abs(grid.starts_s - 10.0)) < 1e-9


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (grid_edit("tap", 0.0, [1.0, 1.5, 2.3, 2.6, 3.5, 3.7, 4.6]), "irregular"),
        (grid_edit("tap", 0.0, [1.0, 1.1, 1.2, 1.3]), "600 a minute"),
        (grid_edit("tap", 0.0, [1.0, 1.5]), "Too few taps"),
        (grid_edit("tap", 47.9, [1.0, 1.5, 2.0, 2.5]), "no room"),
        (grid_edit("halve", 500.0), "No bar begins"),
        (grid_edit("halve", 5.0, to_s=5.2), "No bar begins between"),
        (grid_edit("nudge", 5.0, 0.3), "cannot be nudged by 0.3"),
        (grid_edit("nudge", 5.0), "cannot be nudged"),
        (grid_edit("twist", 5.0), "'twist'"),
        (grid_edit("halve", 5.0, to_s=4.0), "before it begins"),
        (grid_edit("replace", 0.0, {"beats_s": []}), "no beats"),
        (grid_edit("replace", 0.0, {"beats_s": [1.0, 0.5], "downbeats_s": [1.0]}), "do not increase"),
        (grid_edit("replace", 0.0, {"beats_s": [0.5, 1.0], "downbeats_s": [0.7]}), "no beats"),
        ({"what": "section", "from_s": 0, "to_s": 4, "value": "chorus"}, "chorus"),
        ({"what": "tracks", "from_s": 0, "value": []}, "lists none"),
        ({"what": "tracks", "from_s": 0, "value": [{"start_s": "x"}]}, "time 'x'"),
        ({"what": "weather", "from_s": 0}, "weather"),
        ({"what": "genre", "from_s": 0, "to_s": float("nan"), "value": "Bigroom"}, "time nan"),
    ],
)
def test_edits_that_make_no_sense_change_nothing(edit: dict[str, Any], said: str) -> None:
    with pytest.raises(TimelineError, match=said):
        add_edit(make_timeline(), edit)


# -- what was heard, on the new bars ---------------------------------------------------------------------------


def rich() -> Timeline:
    base = make_timeline(attributes={"groove": np.linspace(0, 1, 24).astype(np.float32)})
    tracks = (
        replace(base.tracks[0], title="One", fade_out_bar=18),
        replace(base.tracks[1], title="Two", fade_in_bar=14),
    )
    return replace(base, tracks=tracks, drops=(DropSpan(8, 16, 4, 2),))


def test_columns_follow_the_time() -> None:
    halved = with_edits(add_edit(rich(), grid_edit("halve")))
    assert halved.grid.n_bars == 12
    assert halved.section == ("intro",) * 2 + ("build",) * 2 + ("drop",) * 4 + ("break",) * 4
    assert halved.drops == (DropSpan(4, 8, 2, 1),), "a fill of two old beats is one new"
    assert [(t.start_bar, t.end_bar, t.title) for t in halved.tracks] == [(0, 8, "One"), (8, 12, "Two")]
    assert (halved.tracks[0].fade_out_bar, halved.tracks[1].fade_in_bar) == (9, 7)
    assert halved.energy == pytest.approx(rich().energy[::2])
    assert halved.attributes["groove"][0] == pytest.approx(0.5 / 23)
    assert halved.grid_source == "edited"
    nudged = with_edits(add_edit(rich(), grid_edit("nudge", 0.0, 1)))
    assert nudged.energy[7] == pytest.approx(0.75 * 0.5 + 0.25 * 1.0)
    assert nudged.energy[3] == pytest.approx(0.75 * 0.3 + 0.25 * 0.5)
    assert nudged.drops[0].start_bar == 8


def test_the_same_grid_again_changes_nothing(tmp_path: Path) -> None:
    timeline = rich()
    value = {"beats_s": timeline.grid.beats_s.tolist(), "downbeats_s": timeline.grid.starts_s.tolist()}
    for same in (value, {**value, "end_s": float(timeline.grid.ends_s[-1])}):
        edited = with_edits(add_edit(timeline, grid_edit("replace", 0.0, same)))
        assert edited.grid is timeline.grid
        assert edited.probs is timeline.probs or np.array_equal(edited.probs, timeline.probs)
        assert edited.tracks == timeline.tracks
        assert edited.drops == timeline.drops
        assert edited.grid_source == "imported"
    add_edit(timeline, grid_edit("replace", 0.0, value)).save(tmp_path / "m.housex.json")
    again = Timeline.load(tmp_path / "m.housex.json")
    assert with_edits(again).grid is again.grid


EDITS = st.one_of(
    st.builds(grid_edit, st.sampled_from(["halve", "double"]), st.floats(0, 40)),
    st.builds(grid_edit, st.just("nudge"), st.floats(0, 40), st.sampled_from([-2, -1.5, -1, -0.5, 0.5, 1, 1.5, 3])),
    st.builds(lambda a, bpm: grid_edit("tap", a, [a + 60 / bpm * i for i in range(5)]), st.floats(0, 30), st.floats(70, 180)),
    st.builds(lambda a, d: grid_edit("halve", a, to_s=a + d), st.floats(0, 30), st.floats(3, 10)),
    st.builds(lambda a, d, v: {"what": "section", "from_s": a, "to_s": a + d, "value": v}, st.floats(0, 40),
              st.floats(0.5, 10), st.sampled_from(["drop", "break", "build"])),
    st.builds(lambda rows: {"what": "tracks", "from_s": 0, "value": [{"start_s": t, "title": f"T{t:.0f}"} for t in rows]},
              st.lists(st.floats(0, 48), min_size=1, max_size=5)),
    st.just({"what": "genre", "from_s": 3.0, "to_s": 9.0, "value": "Bigroom"}),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(edits=st.lists(EDITS, min_size=1, max_size=5))
def test_whatever_is_edited_the_timeline_stays_one(edits: list[dict[str, Any]]) -> None:
    timeline = rich()
    for edit in edits:
        with contextlib.suppress(TimelineError):
            timeline = add_edit(timeline, edit)
    edited = with_edits(timeline)  # the checks of Timeline and BarGrid run in it
    assert edited.edits == ()
    assert with_edits(edited) is edited
    assert edited.probs.sum(axis=1) == pytest.approx(1.0, abs=1e-5)
    assert edited.tracks[0].start_bar == 0
    assert edited.tracks[-1].end_bar == edited.grid.n_bars
    assert all(a.end_bar == b.start_bar for a, b in zip(edited.tracks, edited.tracks[1:], strict=False))
    assert edited.grid.ends_s[-1] == pytest.approx(timeline.grid.ends_s[-1])
    assert all(edited.section[bar] for bar in range(edited.grid.n_bars))


def test_sections_take_drops_along() -> None:
    def section(from_s: float, to_s: float, value: str) -> dict[str, Any]:
        return {"what": "section", "from_s": from_s, "to_s": to_s, "value": value}

    timeline = rich()  # the drop is bars 8 to 15, 16.25 s to 32.25 s
    cut = with_edits(add_edit(timeline, section(20.25, 24.25, "break")))
    assert cut.drops == (DropSpan(8, 10, 4, 2), DropSpan(12, 16))
    assert cut.section[9:13] == ("drop", "break", "break", "drop")
    longer = with_edits(add_edit(timeline, section(32.25, 36.25, "drop")))
    assert longer.drops == (DropSpan(8, 18, 4, 2),)
    another = with_edits(add_edit(timeline, section(40.25, 44.25, "drop")))
    assert another.drops == (DropSpan(8, 16, 4, 2), DropSpan(20, 22))
    gone = with_edits(add_edit(timeline, section(0, 48, "break")))
    assert gone.drops == ()


def test_a_tracklist_replaces_the_changes_that_were_heard() -> None:
    rows = [{"start_s": 0.0, "title": "A"}, {"start_s": 19.9, "title": "B"}, {"start_s": 20.4, "title": "C"}]
    tracks = with_edits(add_edit(rich(), {"what": "tracks", "from_s": 0.0, "value": rows})).tracks
    assert [(t.start_bar, t.end_bar, t.title) for t in tracks] == [(0, 10, "A"), (10, 24, "B / C")]
    assert tracks[0].label == "Future House"
    part = {"what": "tracks", "from_s": 8.0, "to_s": 20.0, "value": [{"start_s": 10.25, "title": "X"}]}
    kept = with_edits(add_edit(rich(), part)).tracks
    assert [(t.start_bar, t.title) for t in kept] == [(0, "One"), (5, "X"), (16, "Two")]
    assert kept[-1].fade_in_bar == 14


# -- the list and the file -------------------------------------------------------------------------------------


def test_nudges_at_one_place_add_up() -> None:
    timeline = add_edit(make_timeline(), grid_edit("nudge", 4.0, -1))
    assert add_edit(timeline, grid_edit("nudge", 4.0, 1)).edits == ()
    assert add_edit(timeline, grid_edit("nudge", 4.0, -0.5)).edits[0]["value"] == -1.5
    assert len(add_edit(timeline, grid_edit("nudge", 8.0, 1)).edits) == 2


def test_the_list_can_be_taken_back() -> None:
    timeline = add_edit(make_timeline(), {"what": "genre", "from_s": 0, "to_s": 4, "value": "Bigroom"})
    timeline = add_edit(timeline, grid_edit("double"))
    assert grid_with_edits(timeline).n_bars == 48
    assert [e["what"] for e in without_last_edit(timeline).edits] == ["genre"]
    assert [e["what"] for e in without_edits(timeline, "grid").edits] == ["genre"]
    assert without_edits(timeline).edits == ()
    with pytest.raises(TimelineError, match="Nothing was changed"):
        without_last_edit(make_timeline())


def test_edits_in_a_file_are_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "m.housex.json"
    rich().save(path)
    levels = path.with_name("m.housex.npz").read_bytes()
    edit_file(path, lambda timeline: add_edit(timeline, grid_edit("nudge", 4.0, 1)))
    again = Timeline.load(path)
    assert again.edits == (grid_edit("nudge", 4.0, 1),)
    assert again.tracks == rich().tracks
    assert again.drops == rich().drops
    assert path.with_name("m.housex.npz").read_bytes() == levels
    kept = path.read_bytes()
    with pytest.raises(TimelineError):
        edit_file(path, lambda timeline: add_edit(timeline, grid_edit("halve", 900.0)))
    assert path.read_bytes() == kept
    assert sorted(p.name for p in tmp_path.iterdir()) == ["m.housex.json", "m.housex.npz"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"drops": (DropSpan(8, 16, 8),)}, "build-up after it"),
        ({"drops": (DropSpan(8, 16, None, 5),)}, "fill of 5"),
        ({"tracks": (TrackSpan(0, 24, "x", (1.0,), "", None, 25),)}, "fades a track"),
        ({"tracks": (TrackSpan(2, 24, "x", (1.0,), "", 3),)}, "fades a track"),
    ],
)
def test_spans_that_fit_nothing(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(TimelineError, match=said):
        make_timeline(**changes)


def test_a_nudge_named_after_the_moved_bar_takes_it_back(timeline: Timeline) -> None:
    bar = 4
    for there, back in ((0.5, -0.5), (-0.5, 0.5), (1.0, -1.0)):
        at_s = float(timeline.grid.starts_s[bar])
        once = add_edit(timeline, {"what": "grid", "op": "nudge", "from_s": at_s, "value": there})
        moved_s = float(grid_with_edits(once).starts_s[bar])
        assert moved_s != pytest.approx(at_s)
        assert add_edit(once, {"what": "grid", "op": "nudge", "from_s": moved_s, "value": back}).edits == ()
        other = add_edit(once, {"what": "grid", "op": "nudge", "from_s": moved_s + 4.0, "value": back})
        assert len(other.edits) == 2, "other bars are another edit"


def test_nudges_that_add_up_to_a_bar_are_none(timeline: Timeline) -> None:
    edit = {"what": "grid", "op": "nudge", "from_s": 0.0, "value": 2.0}
    assert add_edit(add_edit(timeline, edit), edit).edits == ()


@pytest.mark.parametrize("op", ["halve", "double"])
def test_no_tempo_out_of_this_world(timeline: Timeline, op: str) -> None:
    edit = {"what": "grid", "op": op, "from_s": 0.0}
    for _ in range(2):
        timeline = add_edit(timeline, edit)
    with pytest.raises(TimelineError, match="beats a minute"):
        add_edit(timeline, edit)
