"""The grid, frames and moments."""

from __future__ import annotations

import numpy as np
import pytest

from housex_blender.core.bars import BarGrid, frame_on, frames_to_seconds, seconds_to_frames
from housex_blender.core.errors import HouseXError, TimelineError
from housex_blender.core.timecode import parse_moment


def test_fixed_grid() -> None:
    grid = BarGrid.fixed(60.0, 128.0, 0.5)
    assert grid.starts_s[:3] == pytest.approx([0.5, 2.375, 4.25])
    assert np.all(grid.bpm == pytest.approx(128.0))
    assert grid.ends_s[-1] >= 60.0
    assert len(grid.beats_s) == 4 * grid.n_bars


def test_a_bar_with_less_than_a_beat_left_is_not_begun() -> None:
    assert BarGrid.fixed(1.875 * 4 + 0.4, 128.0).n_bars == 4
    assert BarGrid.fixed(1.875 * 4 + 0.5, 128.0).n_bars == 5
    assert BarGrid.fixed(0.1, 128.0).n_bars == 1


def test_tempo_of_uneven_bars() -> None:
    grid = BarGrid.from_downbeats(np.array([0.0, 2.0, 3.875]), 5.75)
    assert grid.bpm == pytest.approx([120.0, 128.0, 128.0])
    assert grid.beats_s[4:8] == pytest.approx(2.0 + 0.46875 * np.arange(4))


def test_bar_at() -> None:
    grid = BarGrid.fixed(20.0, 120.0)
    assert [grid.bar_at(t) for t in (-1, 0, 1.99, 2.0, 9.0, 1e9)] == [0, 0, 0, 1, 4, grid.n_bars - 1]


@pytest.mark.parametrize("fps", [23.976, 24, 29.97, 60])
def test_frames_and_seconds_are_inverse(fps: float) -> None:
    times_s = np.linspace(0, 3600, 1001)
    assert frames_to_seconds(seconds_to_frames(times_s, fps), fps) == pytest.approx(times_s, abs=1e-9)
    assert np.abs(frame_on(times_s, fps) - seconds_to_frames(times_s, fps)).max() <= 0.5


@pytest.mark.parametrize(
    "columns",
    [
        ([0, 1], [0, 4], [4, 3], [60, 60]),
        ([0, 1], [4, 0], [8, 4], [60, 60]),
        ([1, 0], [0, 4], [4, 8], [60, 60]),
        ([0, 1], [0], [4, 8], [60, 60]),
        ([0, 1], [], [], []),
        ([0, float("nan")], [0, 4], [4, 8], [60, 60]),
    ],
)
def test_impossible_grids_are_refused(columns: tuple[list[float], ...]) -> None:
    with pytest.raises(TimelineError):
        BarGrid(*(np.array(column, float) for column in columns))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0), ("83.5", 83.5), ("1:23.5", 83.5), ("90:00", 5400), ("1:01:23", 3683), ("b1", 0.5), ("B3", 4.25)],
)
def test_moments(text: str, seconds: float) -> None:
    assert parse_moment(text, BarGrid.fixed(60.0, 128.0, 0.5)) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "-3", "1:75", "1:99:00", "b0", "b99", "bar 3", "1e3", "nan", "1:2:3:4", "٣"])
def test_things_that_are_no_moments(text: str) -> None:
    with pytest.raises(HouseXError):
        parse_moment(text, BarGrid.fixed(60.0, 128.0))


def test_bars_of_any_number_of_beats() -> None:
    # half a second each: a pick-up of two, a bar of four, one of two after a cut, one of four, one that stands alone
    beats_s = 0.5 * np.arange(13)
    marks = np.isin(np.arange(13), [2, 6, 8, 12])
    grid = BarGrid.from_beats(beats_s, marks, 6.4)
    assert grid.starts_s == pytest.approx([1.0, 3.0, 4.0, 6.0])
    assert grid.ends_s == pytest.approx([3.0, 4.0, 6.0, 6.4])
    assert grid.bpm == pytest.approx([120.0] * 4)
    assert grid.beat_in_bar.tolist() == [3, 4, 1, 2, 3, 4, 1, 2, 1, 2, 3, 4, 1]
    assert grid.bar_of_beat.tolist() == [-1, -1, 0, 0, 0, 0, 1, 1, 2, 2, 2, 2, 3]


def test_a_cut_does_not_change_the_tempo_of_its_bar() -> None:
    beats_s = np.array([0.0, 0.5, 1.0, 1.5, 1.7, 2.2, 2.7, 3.2])
    grid = BarGrid.from_beats(beats_s, np.isin(np.arange(8), [0, 4]), 3.7)
    assert grid.bpm == pytest.approx([120.0, 120.0])
    again = BarGrid.from_downbeats(np.array([0.0, 2.0]), 4.0)
    same = BarGrid.from_beats(again.beats_s, again.beat_in_bar == 1, 4.0)
    assert np.array_equal(same.starts_s, again.starts_s)
    assert np.array_equal(same.bpm, again.bpm)


@pytest.mark.parametrize(
    ("beats", "marks", "end_s", "said"),
    [
        ([0.0, 0.5], [False, False], 1.0, "no bars"),
        ([0.0], [True], 1.0, "no bars"),
        ([0.0, 0.5], [True, False], 0.5, "ends before"),
        ([0.0, 0.5], [True], 1.0, "differ"),
        ([0.5, 0.0], [True, False], 1.0, "do not increase"),
    ],
)
def test_beats_that_make_no_grid(beats: list[float], marks: list[bool], end_s: float, said: str) -> None:
    with pytest.raises(TimelineError, match=said):
        BarGrid.from_beats(np.array(beats), np.array(marks), end_s)
