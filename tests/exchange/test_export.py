"""What each export writes, to the character."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import mir_eval
import numpy as np
import pytest

from housex_blender.core.bars import BarGrid
from housex_blender.core.timeline import Timeline
from housex_blender.exchange import EXPORTS, ExchangeError, write

from ..conftest import make_timeline
from .conftest import irregular, with_grid


def written(timeline: Timeline, folder: Path, kind: str, **more: float) -> str:
    path = folder / ("mix" + EXPORTS[kind].suffix)
    write(timeline, path, kind, **more)  # type: ignore[arg-type]
    return path.read_text(encoding="utf-8")


def test_kinds_have_their_own_endings() -> None:
    assert list(EXPORTS) == [
        "csv", "beats.csv", "labels", "lab", "beats", "cue", "chapters", "tracklist", "midi", "jams", "rekordbox",
    ]  # fmt: skip
    assert len({export.suffix for export in EXPORTS.values()}) == len(EXPORTS)
    assert all(export.kind == kind and export.description for kind, export in EXPORTS.items())


def test_bars_table(named: Timeline, tmp_path: Path) -> None:
    probs = named.probs.copy()
    probs[8] = [0.5, 0.25, 0.25, 0, 0, 0, 0, 0, 0]
    timeline = replace(named, probs=probs, uncertain=np.arange(24) == 8)
    rows = list(csv.DictReader(io.StringIO(written(timeline, tmp_path, "csv", fps=25.0))))
    assert len(rows) == 24
    # second 16.25 is 406.25 frames after frame 1, second 18.25 is 456.25 after it
    expected = {
        "bar": "9", "start_frame": "407", "end_frame": "457", "fps": "25", "start_s": "16.250000",
        "end_s": "18.250000", "bpm": "120.000", "section": "drop", "label": "Future House", "confidence": "0.9000",
        "uncertain": "1", "energy": "1.0000", "track": "1", "track_title": 'Jay-Z & Ädele – "Ünder" <Mix>',
        "drop": "1", "Future House": "0.5000", "Bass House": "0.2500", "Progressive House": "0.2500",
    }  # fmt: skip
    assert {key: rows[8][key] for key in expected} == expected
    assert list(rows[0])[16:] == list(timeline.model.genres)
    assert [row["drop"] for row in rows] == ["0"] * 8 + ["1"] * 8 + ["0"] * 8
    assert [row["track"] for row in rows] == ["1"] * 16 + ["2"] * 8
    # every frame belongs to exactly one bar
    assert [row["end_frame"] for row in rows[:-1]] == [row["start_frame"] for row in rows[1:]]


def test_a_title_is_no_formula(timeline: Timeline, tmp_path: Path) -> None:
    tracks = (replace(timeline.tracks[0], title='=HYPERLINK("x")'), timeline.tracks[1])
    rows = list(csv.DictReader(io.StringIO(written(replace(timeline, tracks=tracks), tmp_path, "csv"))))
    assert rows[0]["track_title"] == '\'=HYPERLINK("x")'


def test_the_table_says_what_a_track_sounds_like(timeline: Timeline, tmp_path: Path) -> None:
    tracks = (replace(timeline.tracks[0], traits="Future House: no chords, flat groove"), timeline.tracks[1])
    rows = list(csv.DictReader(io.StringIO(written(replace(timeline, tracks=tracks), tmp_path, "csv"))))
    assert [row["track_traits"] for row in rows] == ["Future House: no chords, flat groove"] * 16 + [""] * 8


def test_beats_table(tmp_path: Path) -> None:
    # a pick-up, then bars of two and four beats; at 30 frames a second, from frame 101
    beats_s = 0.5 * np.arange(8)
    timeline = with_grid(BarGrid.from_beats(beats_s, np.isin(np.arange(8), [1, 3, 7]), 4.0))
    timeline = replace(timeline, drops=())
    path = tmp_path / "b.csv"
    write(timeline, path, "beats.csv", fps=30.0, first_frame=101)
    lines = path.read_text().splitlines()
    assert lines[0] == "beat,bar,beat_in_bar,frame,fps,seconds"
    assert lines[1] == "1,0,4,101,30,0.000000"
    assert lines[3] == "3,1,2,131,30,1.000000"
    assert lines[8] == "8,3,1,206,30,3.500000"


def test_labels(named: Timeline, tmp_path: Path) -> None:
    assert written(named, tmp_path, "labels") == (
        "0.000000\t8.250000\tintro\n"
        '0.000000\t32.250000\tTrack 1: Jay-Z & Ädele – "Ünder" <Mix>\n'
        "8.250000\t16.250000\tbuild\n"
        "16.250000\t32.250000\tdrop\n"
        "16.250000\t16.250000\tDrop 1\n"
        "32.250000\t48.750000\tbreak\n"
        "32.250000\t48.750000\tTrack 2: Solo\n"
    )


def test_lab_is_what_mir_eval_reads(timeline: Timeline, tmp_path: Path) -> None:
    text = written(timeline, tmp_path, "lab")
    assert text.splitlines()[1] == "8.250000\t16.250000\tbuild"
    intervals, labels = mir_eval.io.load_labeled_intervals(str(tmp_path / "mix.lab"))
    mir_eval.segment.validate_structure(intervals, labels, intervals, labels)
    assert labels == ["intro", "build", "drop", "break"]
    assert intervals[0, 0] == 0.0
    assert intervals[-1, 1] == 48.75
    assert np.array_equal(intervals[1:, 0], intervals[:-1, 1])


def test_beats_are_what_mir_eval_reads(timeline: Timeline, tmp_path: Path) -> None:
    text = written(timeline, tmp_path, "beats")
    assert text.splitlines()[:5] == ["0.250000\t1", "0.750000\t2", "1.250000\t3", "1.750000\t4", "2.250000\t1"]
    times, values = mir_eval.io.load_labeled_events(str(tmp_path / "mix.beats"))
    assert times == pytest.approx(timeline.grid.beats_s, abs=1e-6)
    assert values[:4] == ["1", "2", "3", "4"]


def test_cue_sheet(named: Timeline, tmp_path: Path) -> None:
    # 32.25 s is 32 s and 18.75 frames of 1/75 s
    assert written(named, tmp_path, "cue") == (
        'TITLE "mix"\n'
        'FILE "mix.flac" WAVE\n'
        "  TRACK 01 AUDIO\n"
        "    TITLE \"'Ünder' <Mix>\"\n"
        '    PERFORMER "Jay-Z & Ädele"\n'
        "    INDEX 01 00:00:00\n"
        "  TRACK 02 AUDIO\n"
        '    TITLE "Solo"\n'
        "    INDEX 01 00:32:19\n"
    )


@pytest.mark.parametrize(("file", "kind"), [("a.mp3", "MP3"), ("a.AIF", "AIFF"), ("a.wav", "WAVE"), ("a.ogg", "WAVE")])
def test_cue_file_types(timeline: Timeline, tmp_path: Path, file: str, kind: str) -> None:
    timeline = replace(timeline, mix=replace(timeline.mix, file=file))
    assert f'FILE "{file}" {kind}\n' in written(timeline, tmp_path, "cue")


def test_cue_minutes_go_beyond_the_hour(tmp_path: Path) -> None:
    timeline = make_timeline(bars=3100)
    assert timeline.grid.starts_s[3000] == 6000.25
    last = replace(timeline.tracks[1], start_bar=3000)
    timeline = replace(timeline, tracks=(replace(timeline.tracks[0], end_bar=3000), last))
    assert "INDEX 01 100:00:19\n" in written(timeline, tmp_path, "cue")
    assert written(timeline, tmp_path, "tracklist").splitlines()[1] == "01:40:00 Melodic House"


def test_tracklist(named: Timeline, tmp_path: Path) -> None:
    text = written(named, tmp_path, "tracklist")
    assert text == '00:00:00 Jay-Z & Ädele – "Ünder" <Mix>\n00:00:32 Solo\n'


def test_chapters_of_three_tracks(timeline: Timeline, tmp_path: Path) -> None:
    first, second = timeline.tracks
    tracks = (replace(first, end_bar=8), replace(first, start_bar=8, title="A – B"), second)
    path = tmp_path / "c.txt"
    assert write(replace(timeline, tracks=tracks), path, "chapters") == []
    assert path.read_text(encoding="utf-8") == "0:00 Future House\n0:16 A – B\n0:32 Melodic House\n"


def test_chapters_of_few_tracks_are_filled_up(timeline: Timeline, tmp_path: Path) -> None:
    path = tmp_path / "c.txt"
    messages = write(timeline, path, "chapters")
    assert path.read_text() == "0:00 Future House\n0:16 Drop 1\n0:32 Melodic House\n"
    assert messages == ["Fewer than 3 tracks: drops were added, for YouTube wants three chapters."]
    # without the drop the sections must do; the build at 8 s is too near to the start
    messages = write(replace(timeline, drops=()), path, "chapters")
    assert path.read_text() == "0:00 Future House\n0:16 Drop\n0:32 Melodic House\n"
    assert "sections were added" in messages[0]


def test_chapters_shorter_than_ten_seconds_are_left_out(timeline: Timeline, tmp_path: Path) -> None:
    first, second = timeline.tracks
    # tracks at 0, 8, 16, 32 and 46 s of 48 s: the second and the last are too short
    cuts = [(0, 4), (4, 8), (8, 16), (16, 23)]
    tracks = (*(replace(first, start_bar=a, end_bar=b) for a, b in cuts), replace(second, start_bar=23))
    path = tmp_path / "c.txt"
    messages = write(replace(timeline, tracks=tracks), path, "chapters")
    starts = [line.split()[0] for line in path.read_text().splitlines()]
    assert starts == ["0:00", "0:16", "0:32"]
    assert messages == ["2 of 5 tracks are shorter than 10 s and were left out."]


def test_hours_in_chapters(tmp_path: Path) -> None:
    timeline = make_timeline(bars=2000)
    first, second = timeline.tracks
    tracks = (replace(first, end_bar=40), replace(first, start_bar=40, end_bar=1850), replace(second, start_bar=1850))
    assert written(replace(timeline, tracks=tracks), tmp_path, "chapters").splitlines() == [
        "0:00 Future House", "1:20 Future House", "1:01:40 Melodic House",
    ]  # fmt: skip


def test_a_mix_too_short_for_chapters(tmp_path: Path) -> None:
    timeline = with_grid(irregular(bars=8))
    path = tmp_path / "c.txt"
    path.write_text("old")
    with pytest.raises(ExchangeError, match="3 chapters of 10 s"):
        write(timeline, path, "chapters")
    assert path.read_text() == "old"


@pytest.mark.parametrize("kind", list(EXPORTS))
def test_nothing_half_written(timeline: Timeline, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "old.txt"
    path.write_text("old")

    def full(_self: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ExchangeError, match="No space left"):
        write(timeline, path, kind)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["old.txt"]


@pytest.mark.parametrize("place", ["nowhere/mix.csv", "", "a\0b.csv"])
def test_places_that_cannot_be_written(timeline: Timeline, tmp_path: Path, place: str) -> None:
    with pytest.raises(ExchangeError, match="cannot be written"):
        write(timeline, tmp_path / place, "csv")
    assert os.listdir(tmp_path) == []


def test_wrong_kinds_and_rates(timeline: Timeline, tmp_path: Path) -> None:
    with pytest.raises(ExchangeError, match=r"no export 'mp4'.*csv, beats.csv"):
        write(timeline, tmp_path / "a", "mp4")
    for fps in (0.0, -24.0, float("nan"), 1e9):
        with pytest.raises(ExchangeError, match="frames per second"):
            write(timeline, tmp_path / "a", "csv", fps=fps)


@pytest.mark.parametrize("library", ["mido", "jams"])
def test_a_missing_library_is_named(
    timeline: Timeline, tmp_path: Path, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    kind = {"mido": "midi", "jams": "jams"}[library]
    with pytest.raises(ExchangeError, match=f"export needs {library}. pip install {library}=="):
        write(timeline, tmp_path / "a", kind)
    write(timeline, tmp_path / "b.csv", "csv")


def test_the_libraries_are_loaded_when_needed(root: Path) -> None:
    code = "import sys, housex_blender.exchange as e; print(sorted({'mido', 'jams', 'pandas'} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize("kind", list(EXPORTS))
def test_odd_names_and_times_are_written_and_repeat(timeline: Timeline, tmp_path: Path, kind: str) -> None:
    first, second = timeline.tracks
    grid = timeline.grid
    shift = grid.starts_s - 0.3
    grid = BarGrid(grid.beats_s - 0.3, shift, np.append(shift[1:], shift[-1] + 2.0), grid.bpm)
    timeline = replace(
        timeline,
        grid=grid,
        mix=replace(timeline.mix, file='od\udcffd\n"name\x01.wav'),
        tracks=(replace(first, title="a\tb\nc \ud800 \x00 – <&>"), replace(second, title="第\u2028一")),
    )
    path = tmp_path / "x"
    write(timeline, path, kind)
    once = path.read_bytes()
    write(timeline, path, kind)
    assert path.read_bytes() == once
    if kind not in ("midi", "jams"):
        once.decode("utf-8")
        assert b"\x00" not in once
