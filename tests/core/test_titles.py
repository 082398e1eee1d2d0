"""Titles: which track is named when."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from housex_blender.core.bars import frame_on
from housex_blender.core.titles import MAX_LETTERS, TitleCard, left_out, settled_frame, title_cards, title_strength

from ..conftest import make_timeline

FPS = 24.0


def named(*titles: str):
    timeline = make_timeline()
    tracks = tuple(replace(track, title=title) for track, title in zip(timeline.tracks, titles, strict=True))
    return replace(timeline, tracks=tracks)


def test_titles_of_the_timeline_stand_on_their_own_downbeats() -> None:
    timeline = named("Somebody – Night Drive", "Untitled")
    cards = title_cards(timeline, FPS)
    starts = frame_on(timeline.grid.starts_s, FPS)
    assert cards == (
        TitleCard(int(starts[0]), int(starts[4]), "Night Drive", "Somebody"),
        TitleCard(int(starts[16]), int(starts[20]), "Untitled", ""),
    )
    assert title_cards(make_timeline(), FPS) == ()
    assert title_cards(named("", "Untitled"), FPS)[0].title == "Untitled"


def test_a_listed_time_means_the_track_that_was_heard_there() -> None:
    timeline = make_timeline()
    second_s = float(timeline.grid.starts_s[16])
    cards = title_cards(timeline, FPS, [(0.0, "One", "A"), (second_s - 5.0, "Two", ""), (9999.0, "Later", "")])
    assert [card.title for card in cards] == ["One", "Two"]
    assert cards[1].first_frame == int(frame_on(second_s, FPS))
    assert cards[0].artist == "A"
    # far from every track that was heard: the nearest downbeat
    far = make_timeline(bars=80)
    cards = title_cards(far, FPS, [(float(far.grid.starts_s[60]) + 0.3, "Hidden", "")])
    assert cards[0].first_frame == int(frame_on(far.grid.starts_s[60], FPS))


def test_names_close_to_one_track_all_find_a_place() -> None:
    """The nearest one takes the downbeat of the track that was heard, the others their own; what is left out is told."""
    timeline = make_timeline(bars=80)
    starts_s = timeline.grid.starts_s
    heard = timeline.tracks[1].start_bar
    end_s = timeline.mix.duration_s
    listed = [(float(starts_s[heard - 6]), "Before", ""), (float(starts_s[heard - 2]) + 0.2, "Here", "")]
    cards = title_cards(timeline, FPS, listed)
    frames = [int(frame_on(starts_s[bar], FPS)) for bar in (heard - 6, heard)]
    assert [(card.first_frame, card.title) for card in cards] == [(frames[0], "Before"), (frames[1], "Here")]
    assert left_out(timeline, listed, cards) == ""
    more = [*listed, (end_s + 1.0, "Late", ""), (float(starts_s[heard - 6]) + 0.1, "Same", "")]
    told = left_out(timeline, more, title_cards(timeline, FPS, more))
    assert f"1 after the end of the mix ({end_s:.1f} s) and 1 on the downbeat of another" in told
    assert left_out(timeline, more[2:3], ()) == f"The only title lies after the end of the mix ({end_s:.1f} s)."


def test_the_next_title_cuts_the_one_before_short_and_long_names_are_cut() -> None:
    timeline = make_timeline(bars=80)
    starts_s = timeline.grid.starts_s
    cards = title_cards(timeline, FPS, [(float(starts_s[40]), "One", ""), (float(starts_s[42]), "x" * 200, "")])
    assert cards[0].end_frame == cards[1].first_frame == int(frame_on(starts_s[42], FPS))
    assert len(cards[1].title) == MAX_LETTERS
    assert cards[1].title.endswith("…")


def test_strength_is_nothing_outside_and_full_inside() -> None:
    cards = title_cards(named("One", "Two"), FPS)
    strength = title_strength(cards)
    for card in cards:
        at = np.asarray(strength.at(np.arange(card.first_frame - 1, card.end_frame + 2, dtype=float)))[:, 0]
        assert at[1] == 0.0
        assert at[-2] == 0.0
        assert at[len(at) // 2] == 1.0
        # about a beat (12 frames at 120 BPM) until it is there
        assert at[1 + 13] == pytest.approx(1.0)
        assert 0.3 < at[1 + 6] < 0.7
    assert float(strength.at(1e6)[0]) == 0.0


def test_no_title_is_half_there_on_a_settled_frame() -> None:
    cards = title_cards(named("One", "Two"), FPS)
    strength = title_strength(cards)
    for frame in range(1, cards[-1].end_frame + 20):
        settled = settled_frame(cards, frame)
        assert float(strength.at(float(settled))[0]) in (0.0, 1.0)
        assert 0 <= settled - frame <= 12, "within a beat"
        assert settled == frame or 0.0 < float(strength.at(float(frame))[0]) < 1.0
    assert settled_frame((), 7) == 7


@pytest.mark.parametrize("fps", [0.5, 1.0, 2.0])
def test_no_two_titles_at_once_however_few_frames_there_are(fps: float) -> None:
    timeline = make_timeline(bpm=132.0, bars=80)
    starts_s = timeline.grid.starts_s
    cards = title_cards(timeline, fps, [(float(starts_s[bar]), str(bar), "") for bar in (40, 41, 42, 79)])
    assert cards[-1].title == "79"
    assert all(card.end_frame > card.first_frame for card in cards)
    assert all(card.end_frame <= later.first_frame for card, later in pairwise(cards))
    assert float(title_strength(cards).at(float(cards[-1].end_frame))[0]) == 0.0
