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
