"""What is written is what is read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from housex_blender.core.bars import BarGrid
from housex_blender.core.timeline import DropSpan, Timeline
from housex_blender.exchange import EXPORTS, Imported, grid_from, read, write

from .conftest import irregular, with_grid

TRACKS = [(0.0, '"Ünder" <Mix>', "Jay-Z & Ädele"), (32.25, "Solo", "")]
SECTIONS = [(0.0, 8.25, "intro"), (8.25, 16.25, "build"), (16.25, 32.25, "drop"), (32.25, 48.75, "break")]


def again(timeline: Timeline, folder: Path, kind: str) -> Imported:
    path = folder / ("mix" + EXPORTS[kind].suffix)
    write(timeline, path, kind)
    return read(path, timeline.mix.file)


@pytest.mark.parametrize(
    ("kind", "within_s"), [("labels", 1e-6), ("cue", 0.5 / 75), ("tracklist", 0.5), ("rekordbox", 5e-4)]
)
def test_tracks(named: Timeline, tmp_path: Path, kind: str, within_s: float) -> None:
    found = again(named, tmp_path, kind).tracks
    assert [time_s for time_s, _, _ in found] == pytest.approx([0.0, 32.25], abs=within_s + 1e-9)
    # a cue sheet has no quotes within quotes
    titles = [title.replace("'", '"') for _, title, _ in found]
    assert titles == [title for _, title, _ in TRACKS]
    assert [performer for _, _, performer in found] == [performer for _, _, performer in TRACKS]


@pytest.mark.parametrize("kind", ["labels", "lab"])
def test_sections(named: Timeline, tmp_path: Path, kind: str) -> None:
    assert again(named, tmp_path, kind).sections == SECTIONS


@pytest.mark.parametrize("kind", ["labels", "rekordbox"])
def test_drops_become_cues(named: Timeline, tmp_path: Path, kind: str) -> None:
    assert again(named, tmp_path, kind).cues == [(16.25, "Drop 1")]


def test_more_drops_than_hot_cues(named: Timeline, tmp_path: Path) -> None:
    timeline = replace(named, drops=tuple(DropSpan(2 * n, 2 * n + 1) for n in range(10)))
    path = tmp_path / "a.xml"
    assert write(timeline, path, "rekordbox") == ["rekordbox has 8 hot cues: 2 more drops are memory cues."]
    assert [name for _, name in read(path).cues] == [f"Drop {n}" for n in range(1, 11)]
    text = path.read_text(encoding="utf-8")
    assert [text.count(f'Num="{n}"') for n in (0, 7, 8, -1)] == [1, 1, 0, 4]


def test_irregular_beats(tmp_path: Path) -> None:
    timeline = with_grid(irregular())
    grid = grid_from(again(timeline, tmp_path, "beats"), timeline.mix.duration_s)
    assert np.abs(grid.beats_s - timeline.grid.beats_s).max() < 1e-6
    assert np.array_equal(grid.bar_of_beat, timeline.grid.bar_of_beat)
    assert grid.bpm == pytest.approx(timeline.grid.bpm, rel=1e-3)


def test_irregular_tempos(tmp_path: Path) -> None:
    timeline = with_grid(irregular())
    grid = grid_from(again(timeline, tmp_path, "rekordbox"), timeline.mix.duration_s)
    # the first entry is extended back to the start and the last to the end of the mix
    first = int(np.searchsorted(grid.beats_s, timeline.grid.beats_s[0] - 0.01))
    inner = grid.beats_s[first : first + len(timeline.grid.beats_s)]
    assert np.abs(inner - timeline.grid.beats_s).max() < 0.0026
    assert np.abs(np.setdiff1d(np.round(timeline.grid.starts_s, 2), np.round(grid.starts_s, 2))).size < 600
    for start_s in timeline.grid.starts_s:
        assert np.abs(grid.starts_s - start_s).min() < 0.0026


def test_a_steady_mix_has_few_tempos(tmp_path: Path) -> None:
    timeline = with_grid(BarGrid.fixed(3600.0, 128.0, 0.25))
    assert again(timeline, tmp_path, "rekordbox").tempos == [(0.25, 128.0, 1)]
    # a tempo between two hundredths drifts 2 ms away within a minute or so, and is set right
    timeline = with_grid(BarGrid.fixed(600.0, 128.004, 0.25))
    assert 2 < len(again(timeline, tmp_path, "rekordbox").tempos) < 30


def test_the_entry_is_found_by_the_name_of_the_mix(named: Timeline, tmp_path: Path) -> None:
    timeline = replace(named, mix=replace(named.mix, file="Nächt #1 100% & so.wav"))
    found = again(timeline, tmp_path, "rekordbox")
    assert found.messages == []
    assert "N%C3%A4cht%20%231%20100%25%20%26%20so.wav" in (tmp_path / "mix.xml").read_text(encoding="utf-8")
