"""MIDI and JAMS, read back with the libraries that other people read them with."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import jams
import mido
import numpy as np
import pytest

from housex_blender.core.bars import BarGrid
from housex_blender.core.timeline import Timeline
from housex_blender.exchange import ExchangeError, write

from ..conftest import make_timeline
from .conftest import irregular, with_grid


def midi_of(timeline: Timeline, folder: Path) -> mido.MidiFile:
    path = folder / "mix.mid"
    write(timeline, path, "midi")
    return mido.MidiFile(path, charset="utf-8")


def events(file: mido.MidiFile) -> list[tuple[float, mido.Message]]:
    """(seconds, message) by mido's own reckoning of the tempo map."""
    now_s, found = 0.0, []
    for message in file:
        now_s += message.time
        found.append((now_s, message))
    return found


def clicks(file: mido.MidiFile) -> np.ndarray:
    return np.array([s for s, m in events(file) if m.type == "note_on" and m.channel == 9])


GRIDS = {
    "an hour of irregular bars": irregular(),
    "a constant tempo that no whole microsecond divides": BarGrid.fixed(3600.0, 127.37, 0.0),
    "a start within a beat": BarGrid.fixed(60.0, 128.0, 0.1),
    "a start of two milliseconds": BarGrid.fixed(60.0, 128.0, 0.002),
    "a late start": BarGrid.fixed(300.0, 128.0, 61.3),
    "a bar of a minute": BarGrid.from_downbeats(np.array([0.0, 2.0, 62.0, 64.0]), 66.0),
}


@pytest.mark.parametrize("name", list(GRIDS))
def test_bar_lines_are_where_they_are(name: str, tmp_path: Path) -> None:
    grid = GRIDS[name]
    found = clicks(midi_of(with_grid(grid), tmp_path))
    assert len(found) == grid.n_bars
    assert np.abs(found - grid.starts_s).max() < 1e-3


def test_a_bar_that_begins_before_the_mix(tmp_path: Path) -> None:
    grid = BarGrid.fixed(20.0, 120.0, -0.5)
    found = clicks(midi_of(with_grid(grid), tmp_path))
    assert found == pytest.approx(np.maximum(grid.starts_s, 0.0), abs=1e-3)


def test_meters_say_how_many_beats(tmp_path: Path) -> None:
    # half a second each: a lead-in of two beats, a bar of four, a cut one of two, then four again
    beats_s = 1.0 + 0.5 * np.arange(14)
    grid = BarGrid.from_beats(beats_s, np.isin(np.arange(14), [0, 4, 6, 10]), 8.0)
    file = midi_of(with_grid(grid), tmp_path)
    meters = [(s, m.numerator, m.denominator) for s, m in events(file) if m.type == "time_signature"]
    assert [(n, d) for _, n, d in meters] == [(2, 4), (4, 4), (2, 4), (4, 4)]
    assert [s for s, _, _ in meters] == pytest.approx([0.0, 1.0, 3.0, 4.0], abs=1e-5)
    # 120 beats per minute throughout, said once
    assert [m.tempo for _, m in events(file) if m.type == "set_tempo"] == [500_000]


def test_markers_and_notes(named: Timeline, tmp_path: Path) -> None:
    file = midi_of(named, tmp_path)
    assert file.type == 1
    assert [track.name for track in file.tracks] == ["HouseX", "Downbeats", "Drops"]
    markers = [(round(s, 3), m.text) for s, m in events(file) if m.type == "marker"]
    assert markers == [
        (0.0, 'Track 1: Jay-Z & Ädele – "Ünder" <Mix>'), (0.0, "intro"), (8.25, "build"), (16.25, "drop"),
        (32.25, "Track 2: Solo"), (32.25, "break"),
    ]  # fmt: skip
    held = [(round(s, 3), m.type) for s, m in events(file) if m.type.startswith("note") and m.channel == 0]
    assert held == [(16.25, "note_on"), (32.25, "note_off")]
    assert {m.note for _, m in events(file) if m.type == "note_on" and m.channel == 0} == {36}
    assert file.length == pytest.approx(48.25, abs=1e-3)


def test_a_bar_too_long_for_midi(tmp_path: Path) -> None:
    grid = BarGrid.from_downbeats(np.array([0.0, 2.0]), 9000.0)
    with pytest.raises(ExchangeError, match=r"bar at 2\.0 s is too long"):
        midi_of(with_grid(grid), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_jams_reads_it_back(named: Timeline, tmp_path: Path) -> None:
    path = tmp_path / "mix.jams"
    write(named, path, "jams")
    jam = jams.load(str(path), validate=True, strict=True)
    assert jam.file_metadata.duration == 48.75
    assert jam.file_metadata.title == "mix.flac"
    (beats,) = jam.search(namespace="beat")
    times, places = beats.to_event_values()
    assert times == pytest.approx(named.grid.beats_s)
    assert places[:5] == [1.0, 2.0, 3.0, 4.0, 1.0]
    (tempo,) = jam.search(namespace="tempo")
    frame = tempo.to_dataframe()
    assert frame["value"].tolist() == pytest.approx([120.0] * 24)
    assert frame["time"].tolist() == pytest.approx(named.grid.starts_s)
    found = {str(a.sandbox.content): a for a in jam.search(namespace="segment_open")}
    assert list(found) == ["sections", "drops", "tracks"]
    intervals, names = found["sections"].to_interval_values()
    assert names == ["intro", "build", "drop", "break"]
    assert intervals[:, 1] == pytest.approx([8.25, 16.25, 32.25, 48.75])
    assert found["drops"].to_interval_values()[0] == pytest.approx(np.array([[16.25, 32.25]]))
    assert found["tracks"].to_interval_values()[1] == ['Jay-Z & Ädele – "Ünder" <Mix>', "Solo"]
    (genre,) = jam.search(namespace="tag_open")
    assert genre.to_interval_values()[1] == named.labels
    assert genre.sandbox.genres == list(named.model.genres)
    assert np.array(genre.sandbox.probabilities) == pytest.approx(named.probs, abs=1e-4)


def test_jams_refuses_what_its_schema_refuses(timeline: Timeline, tmp_path: Path) -> None:
    path = tmp_path / "mix.jams"
    path.write_text("old")
    with pytest.raises(ExchangeError, match="does not fit JAMS"):
        write(replace(timeline, grid_confidence=1.5), path, "jams")
    assert path.read_text() == "old"


def test_jams_of_numpy_numbers_is_json(tmp_path: Path) -> None:
    timeline = make_timeline(bars=17)
    write(timeline, tmp_path / "a.any", "jams")
    assert json.loads((tmp_path / "a.any").read_text())["file_metadata"]["jams_version"] == jams.__version__
