"""What a track sounds like in one sentence: only what is clear-cut, and never an old name after an edit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from housex_blender.core.attributes import ATTRIBUTES
from housex_blender.core.edits import with_edits
from housex_blender.core.genres import GENRES
from housex_blender.core.timeline import Timeline, TrackSpan
from housex_blender.core.traits import describe, described, genre_share

from ..conftest import make_timeline

# nothing about it is clear-cut
VAGUE = {"groove": 3.0, "rhythm": 2.5, "distortion": 2.5, "organicity": 2.2, "lead": 0.5, "chord": 0.5, "bass": 0.5}


def track(**shares: float) -> TrackSpan:
    probs = [shares.get(name.split()[0].lower(), 0.0) for name in GENRES]
    probs[-1] += 1.0 - sum(probs)
    return TrackSpan(0, 16, GENRES[int(np.argmax(probs))], tuple(probs))


@pytest.mark.parametrize(
    ("heard", "said"),
    [
        ({}, "Bass House"),
        ({"bass": 0.95, "lead": 0.05, "distortion": 3.8, "chord": 0.05, "groove": 4.0},
         "Bass House: distorted bass without a melody, no chords, heavy side-chain"),
        ({"bass": 0.95, "lead": 0.5, "distortion": 4.6}, "Bass House: harsh sound"),
        ({"bass": 0.5, "lead": 0.05, "distortion": 3.8}, "Bass House: distorted sound, no lead"),
        ({"lead": 0.9, "chord": 0.9, "bass": 0.9}, "Bass House: lead melody, chords"),
        ({"bass": 0.1}, "Bass House: no bass instrument"),
        ({"groove": 1.2}, "Bass House: flat groove"),
        ({"groove": 2.2}, "Bass House: light side-chain"),
        ({"rhythm": 1.2}, "Bass House: long notes"),
        ({"rhythm": 2.0}, "Bass House: 1/8 notes"),
        ({"rhythm": 3.0}, "Bass House: 1/16 notes"),
        ({"rhythm": 4.0}, "Bass House: syncopated notes"),
        ({"rhythm": 4.9}, "Bass House: 1/32 notes"),
        ({"organicity": 4.0, "distortion": 1.2}, "Bass House: clean sound, acoustic instruments"),
        ({"organicity": 1.1}, "Bass House: electronic sounds"),
    ],
)  # fmt: skip
def test_only_what_is_clear_cut_is_said(heard: dict[str, float], said: str) -> None:
    assert describe(track(bass=0.9), {**VAGUE, **heard}, GENRES) == said


def test_values_next_to_a_limit_say_nothing() -> None:
    for between in (
        {"rhythm": 3.5},
        {"groove": 3.2},
        {"distortion": 2.9},
        {"organicity": 3.0},
        {"lead": 0.7},
        {"chord": 0.3},
    ):
        assert describe(track(bass=0.9), {**VAGUE, **between}, GENRES) == "Bass House"


def test_at_most_four_traits_and_the_rare_ones_first() -> None:
    heard = {
        "groove": 4.5,
        "rhythm": 4.9,
        "distortion": 1.1,
        "organicity": 4.5,
        "lead": 0.9,
        "chord": 0.05,
        "bass": 0.9,
    }
    assert describe(track(bass=0.9), heard, GENRES) == (
        "Bass House: no chords, 1/32 notes, acoustic instruments, heavy side-chain"
    )


def test_where_no_part_plays_nothing_is_said_of_notes() -> None:
    heard = {"groove": 4.5, "rhythm": 4.9, "distortion": 4.5, "organicity": 4.5, "lead": 0.0, "chord": 0.0, "bass": 0.1}
    assert describe(track(bass=0.9), heard, GENRES) == "Bass House: no lead, no chords, no bass instrument"


def test_the_second_genre_needs_a_quarter() -> None:
    assert describe(track(bass=0.7, tech=0.26), VAGUE, GENRES) == "Bass House with Tech House traits"
    assert describe(track(bass=0.7, tech=0.24), VAGUE, GENRES) == "Bass House"
    assert describe(track(bass=0.7, tech=0.26), VAGUE, GENRES, uncertain=True) == "Perhaps Bass House or Tech House"
    assert describe(track(bass=0.9), VAGUE, GENRES, uncertain=True) == "Perhaps Bass House"


def heard_timeline(**changes: object) -> Timeline:
    """Two tracks with all attributes; the drop of the first is distorted and its other bars are clean."""
    columns = {name: np.full(24, VAGUE[name], np.float32) for name in ATTRIBUTES}
    columns["distortion"][:] = 1.1
    columns["distortion"][8:16] = 3.9
    columns["chord"][16:] = 1.0
    timeline = make_timeline(attributes=columns, **changes)
    return replace(timeline, tracks=tuple(described(timeline, one) for one in timeline.tracks))


def test_the_drop_decides() -> None:
    first, second = heard_timeline().tracks
    assert first.traits == "Future House: distorted sound"
    assert second.traits == "Melodic House: clean sound, chords"


def test_silence_and_files_without_attributes_say_nothing(timeline: Timeline) -> None:
    assert described(timeline, timeline.tracks[0]).traits == ""
    assert [one.traits for one in heard_timeline(energy=np.zeros(24, np.float32)).tracks] == ["", ""]


def test_doubt_is_said() -> None:
    assert heard_timeline(uncertain=np.arange(24) < 16).tracks[0].traits.startswith("Perhaps Future House")
    # in one bar of sixteen it is not
    assert heard_timeline(uncertain=np.arange(24) == 9).tracks[0].traits.startswith("Future House")


def test_the_sentence_is_kept_in_the_file_and_may_be_missing(tmp_path: Path) -> None:
    path = tmp_path / "m.housex.json"
    heard_timeline().save(path)
    assert [one.traits for one in Timeline.load(path).tracks] == [one.traits for one in heard_timeline().tracks]
    make_timeline().save(path)
    assert "traits" not in path.read_text()
    assert Timeline.load(path).tracks[0].traits == ""


def test_an_edited_genre_takes_its_track_along() -> None:
    edit = {"what": "genre", "from_s": 0.0, "to_s": 32.0, "value": "Slap House", "locked": True}
    first, second = with_edits(heard_timeline(edits=(edit,), uncertain=np.ones(24, bool))).tracks
    assert first.label == "Slap House"
    assert first.probs[GENRES.index("Slap House")] == pytest.approx(1.0)
    assert first.traits == "Slap House: distorted sound", "what people say is no longer uncertain"
    assert second.traits == "Perhaps Melodic House: clean sound, chords", "the other track is left alone"
    old = with_edits(make_timeline(edits=(edit,), tracks=(
        TrackSpan(0, 16, GENRES[0], (1.0,) + (0.0,) * 8, traits="Future House: of an older file"),
        TrackSpan(16, 24, GENRES[3], (0.0,) * 3 + (1.0,) + (0.0,) * 5, "A title", 15, None))))  # fmt: skip
    assert old.tracks[0].traits == "", "without attributes there is nothing to say, but no old name either"
    assert (old.tracks[1].title, old.tracks[1].fade_in_bar) == ("A title", 15)


def test_a_few_edited_bars_are_a_share_of_the_track() -> None:
    edit = {"what": "genre", "from_s": 16.0, "to_s": 24.3, "value": "Slap House", "locked": True}
    first = with_edits(heard_timeline(edits=(edit,))).tracks[0]
    assert first.label == "Future House"
    assert first.traits == "Future House with Slap House traits: distorted sound"


def test_tracks_of_a_list_get_sentences_of_their_own() -> None:
    rows = [{"start_s": 0.25, "title": "One"}, {"start_s": 16.25, "title": "Two"}]
    edit = {"what": "tracks", "from_s": 0.0, "value": rows}
    tracks = with_edits(heard_timeline(edits=(edit,))).tracks
    assert [(one.start_bar, one.title) for one in tracks] == [(0, "One"), (8, "Two")]
    assert tracks[0].traits == "Future House: clean sound"
    assert tracks[1].traits.startswith("Future House")


def test_corrections_of_the_grid_keep_the_sentence() -> None:
    edit = {"what": "grid", "op": "nudge", "from_s": 0.25, "value": 1.0}
    edited = with_edits(heard_timeline(edits=(edit,)))
    assert [one.traits for one in edited.tracks] == [one.traits for one in heard_timeline().tracks]


def test_loud_bars_decide_the_share() -> None:
    probs = np.array([[1.0, 0.0], [0.0, 1.0]])
    assert genre_share(probs, np.array([1.0, 0.0])) == pytest.approx((1.2 / 1.4, 0.2 / 1.4))
