"""Edits win over what was heard, bar by bar, and those that no longer fit are listed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from housex_blender.core.bars import BarGrid
from housex_blender.core.channels import compile_show
from housex_blender.core.edits import add_edit, conflicts, grid_with_edits, with_edits
from housex_blender.core.errors import TimelineError
from housex_blender.core.looks import Look, hex_to_linear
from housex_blender.core.timeline import ModelInfo, Timeline

from ..conftest import make_timeline

FOUR = ModelInfo("four", "2" * 64, ("Future House", "Bass House", "Progressive House", "Melodic House"), "nothing")


def edit(from_s: float, to_s: float, value: str) -> dict[str, object]:
    return {"what": "genre", "from_s": from_s, "to_s": to_s, "value": value, "locked": True}


def by_another_model(timeline: Timeline) -> Timeline:
    """The same mix heard by a model of four genres, as Bass House throughout."""
    probs = np.zeros((timeline.grid.n_bars, 4), np.float32)
    probs[:, 1] = 1.0
    tracks = tuple(replace(track, label="Bass House", probs=(0.0, 1.0, 0.0, 0.0)) for track in timeline.tracks)
    return replace(timeline, model=FOUR, probs=probs, tracks=tracks)


def test_no_edits_no_change(timeline: Timeline) -> None:
    assert with_edits(timeline) is timeline
    assert conflicts(timeline) == []


def test_an_edit_holds_for_bars_whose_middle_it_covers() -> None:
    timeline = make_timeline(edits=(edit(4.25, 9.0, "techno"), edit(6.25, 8.25, "Bigroom")),
                             uncertain=np.ones(24, bool))  # fmt: skip
    edited = with_edits(timeline)
    # bars last 2 s from 0.25 s on: bars 2 and 3 are covered, half of bar 4 is not enough
    assert edited.labels[:6] == ["Future House"] * 2 + ["Tech House", "Bigroom"] + ["Future House"] * 2
    assert edited.uncertain[:5].tolist() == [True, True, False, False, True]
    assert timeline.labels[2] == "Future House", "the timeline itself is not changed"


def test_the_show_follows_edits() -> None:
    timeline = make_timeline(edits=(edit(4.25, 6.25, "Bass House"),))
    inside = (4.25 + 1.0) * 24 + 1
    assert compile_show(timeline, Look(), 24.0)["colour_a"].at(inside) == pytest.approx(hex_to_linear("#ffffff"))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (edit(5, 5, "Bigroom"), "before it begins"),
        ({**edit(1, 5, "Bigroom"), "locked": "yes"}, "is locked 'yes'"),
        ({"what": "lock", "from_s": 1, "to_s": 5}, "holds nothing"),
    ],
)
def test_edits_that_make_no_sense(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(TimelineError, match=said):
        with_edits(make_timeline(edits=(wrong,)))
    with pytest.raises(TimelineError, match=said):
        add_edit(make_timeline(), wrong)


HELD: dict[str, Any] = {
    "start_s": [0.25, 2.25],
    "genres": ["Future House", "Bigroom"],
    "probs": [[1.0, 0.0], [0.5, 0.5]],
    "section": ["intro", "drop"],
}


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("start_s", [2.25, 0.25], "order of time"),
        ("start_s", [], "order of time"),
        ("start_s", [0.25, "x"], "order of time"),
        ("start_s", [0.25], "do not fit"),
        ("genres", [], "names no genres"),
        ("genres", ["Bigroom", "Bigroom"], "one twice"),
        ("genres", ["Bigroom"], "do not fit"),
        ("probs", [[1.0, 0.0], [0.5, 0.1]], "do not fit"),
        ("probs", [[1.0, 0.0], [1.5, -0.5]], "do not fit"),
        ("probs", [[1.0, 0.0], [float("nan"), 1.0]], "do not fit"),
        ("probs", None, "do not fit"),
        ("section", ["intro", "chorus"], "sections do not fit"),
        ("section", ["intro"], "sections do not fit"),
    ],
)
def test_a_lock_must_hold_together(key: str, value: Any, said: str) -> None:
    lock = {"what": "lock", "from_s": 0.25, "to_s": 4.25, "value": HELD}
    assert with_edits(make_timeline(edits=(lock,))).section[:2] == ("intro", "drop")
    with pytest.raises(TimelineError, match=said):
        with_edits(make_timeline(edits=({**lock, "value": {**HELD, key: value}},)))


# -- edits that another analysis has no place for --------------------------------------------------------------


def test_a_genre_that_another_model_does_not_know_is_left_out_and_listed() -> None:
    kept = {"what": "section", "from_s": 0.25, "to_s": 4.25, "value": "break"}
    timeline = make_timeline(edits=(edit(64.0 / 2, 36.3, "Slap House"), kept, edit(0.25, 2.25, "Melodic House")))
    assert conflicts(timeline) == []
    again = by_another_model(timeline)
    assert conflicts(again) == [
        "The genre edit at 0:32 is not applied: An edit names the genre 'Slap House', which this model does not know."
    ]
    edited = with_edits(again)
    assert edited.labels == ["Melodic House"] + ["Bass House"] * 23, "the others are applied"
    assert edited.section[:3] == ("break", "break", "intro")
    assert again.edits == timeline.edits, "it is not forgotten"


@pytest.mark.parametrize(
    ("new", "said"),
    [
        (edit(1, 5, "Polka"), "Polka"),
        ({"what": "grid", "op": "halve", "from_s": 500.0}, "No bar begins"),
        ({"what": "grid", "op": "replace", "from_s": 0.0,
          "value": {"beats_s": [0.0, 0.5, 300.0], "downbeats_s": [0.0]}}, "the mix at 0:49"),
        ({"what": "lock", "from_s": 0.25, "to_s": 4.25, "value": {**HELD, "genres": ["Polka", "Ska"]}}, "Polka, Ska"),
        ({"what": "tracks", "from_s": 30.0, "to_s": 31.0, "value": [{"start_s": 999.0}]}, "after the end"),
    ],
)  # fmt: skip
def test_what_another_analysis_would_leave_out_is_refused_by_hand(new: dict[str, Any], said: str) -> None:
    before = make_timeline()
    with pytest.raises(TimelineError, match=said):
        add_edit(before, new)
    stored = replace(before, edits=(new,))
    listed = conflicts(stored)
    assert len(listed) == 1
    assert said in listed[0]
    assert with_edits(stored).labels == before.labels
    assert with_edits(stored).tracks == before.tracks


def test_a_conflict_in_the_list_does_not_block_the_next_edit() -> None:
    stored = make_timeline(edits=(edit(1, 5, "Polka"), {"what": "grid", "op": "halve", "from_s": 500.0}))
    grid = {"what": "grid", "op": "nudge", "from_s": 0.25, "value": 1}
    changed = add_edit(add_edit(stored, edit(4.25, 6.25, "Bigroom")), grid)
    assert len(changed.edits) == 4
    assert len(conflicts(changed)) == 2
    assert grid_with_edits(changed).starts_s[0] == pytest.approx(0.75)
    assert with_edits(changed).grid_source == "edited"


def test_a_grid_edit_that_is_left_out_does_not_count_as_one() -> None:
    stored = make_timeline(edits=({"what": "grid", "op": "halve", "from_s": 500.0},))
    assert with_edits(stored).grid_source == "heard"
    assert conflicts(stored) == ["The grid edit at 8:20 is not applied: No bar begins after 500.00 s."]


def test_a_shorter_cut_of_the_mix() -> None:
    rows = [{"start_s": 0.25, "title": "One"}, {"start_s": 30.25, "title": "Two"}]
    section = {"what": "section", "from_s": 40.25, "to_s": 44.25, "value": "drop"}
    between = {"what": "section", "from_s": 3.5, "to_s": 4.5, "value": "drop"}
    edits = (edit(36.25, 40.25, "Bigroom"), {"what": "tracks", "from_s": 0.0, "value": rows}, section, between)
    grid = BarGrid.from_downbeats(0.25 + 2.0 * np.arange(8), 16.25)
    short = replace(make_timeline(), edits=edits)
    short = replace(
        short,
        grid=grid,
        mix=replace(short.mix, duration_s=16.5),
        tracks=(replace(short.tracks[0], end_bar=8),),
        drops=(),
        section=short.section[:8],
        **{name: getattr(short, name)[:8] for name in ("probs", "confidence", "uncertain", "energy")},
    )
    assert conflicts(short) == [
        "The genre edit at 0:36 is not applied: It lies beyond the end of the mix.",
        "The tracks edit at 0:00 is applied in part: 1 of its tracks begin after the end of the mix.",
        "The section edit at 0:40 is not applied: It lies beyond the end of the mix.",
        "The section edit at 0:04 is not applied: No bar has its middle in it.",
    ]
    assert [track.title for track in with_edits(short).tracks] == ["One"]
