"""The volume rule of the mainstage benchmark, with what its code does at the edges, and repaired."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pytest

sf = pytest.importorskip("soundfile")
pytest.importorskip("torch")

from housex_blender.core.errors import AudioError, HouseXError  # noqa: E402
from trainer.own.label_studio import read_studio  # noqa: E402
from trainer.systems import drop_rule  # noqa: E402
from trainer.systems.drop_rule import detect_drops, detect_folder, find_drops, frame_power, smoothed  # noqa: E402

RATE_HZ = 22050
FRAME_S = 512 / RATE_HZ


def parts(*seconds_and_db: tuple[float, float]) -> np.ndarray:
    """Noise of given lengths and levels."""
    rng = np.random.default_rng(0)
    gains = np.concatenate([np.full(round(s * RATE_HZ), 10 ** (db / 20)) for s, db in seconds_and_db])
    return (0.2 * gains * rng.uniform(-1, 1, len(gains))).astype(np.float32)


def reference(samples: np.ndarray, margin_db: float) -> list[tuple[float, float]]:
    """The rule word for word, with librosa, frame by frame."""
    librosa = pytest.importorskip("librosa")
    heard = samples[15 * RATE_HZ :]
    db = librosa.amplitude_to_db(librosa.feature.rms(y=heard, frame_length=8192, hop_length=512)[0], ref=np.max)
    highest = np.array([db[max(0, i - 64) : i + 64].max() for i in range(len(db))])
    smooth = np.convolve(highest, np.ones(128), "same") / 128
    loud = [*(smooth >= smooth.max() - margin_db), False]
    found, start = [], None
    for frame, on in enumerate(loud):
        if on and start is None:
            start = frame
        elif not on and start is not None:
            if frame - start >= librosa.time_to_frames(15.0):
                found.append((start * FRAME_S + 15.0, frame * FRAME_S + 15.0))
            start = None
    return found


TRACK = ((20.0, -9.0), (12.0, -6.0), (30.0, 0.0), (15.0, -8.0), (25.0, -1.7), (12.0, -9.0), (6.0, -0.3), (10.0, -12.0))


@pytest.mark.parametrize(("preset", "margin_db"), [("as_code", 2.0), ("as_paper", 1.5)])
def test_rule_is_the_published_one(preset: str, margin_db: float) -> None:
    samples = parts(*TRACK)
    expected = reference(samples, margin_db)
    np.testing.assert_allclose(find_drops(samples, preset), expected, atol=1e-6)
    assert len(expected) == (2 if preset == "as_code" else 1)


def test_drops_lie_where_it_is_loud_and_short_ones_are_none() -> None:
    found = find_drops(parts(*TRACK), "fixed")
    np.testing.assert_allclose(found, [(32.0, 62.0), (77.0, 102.0)], atol=2.5)


def test_level_of_frames_is_librosas() -> None:
    librosa = pytest.importorskip("librosa")
    samples = parts((1.0, -3.0), (0.7, 0.0))[: 37 * 512 + 100]
    for mirrored, mode in ((False, "constant"), (True, "reflect")):
        expected = librosa.feature.rms(y=samples, frame_length=8192, hop_length=512, pad_mode=mode)[0]
        np.testing.assert_allclose(np.sqrt(frame_power(samples, mirrored)), expected, rtol=1e-5)


def test_zeros_beyond_the_edges_halve_the_decibels_there() -> None:
    level = np.full(1000, -4.0)
    level[500] = 0.0
    published = smoothed(level, mirrored=False)
    assert published[0] == pytest.approx(-2.0)
    assert published[64] == pytest.approx(-4.0)
    assert published[-1] == pytest.approx(-4.0 * 65 / 128)
    repaired = smoothed(level, mirrored=True)
    np.testing.assert_allclose(repaired[[0, 64, -1]], -4.0)
    # one loud frame is spread over 128 of the maximum, and the average reaches it just once
    assert repaired.max() == pytest.approx(0.0)


def test_raised_edge_moves_a_drop_to_where_listening_begins() -> None:
    track = parts((17.5, -3.4), (30.0, 0.0), (20.0, -20.0))
    assert find_drops(track, "as_code")[0][0] == 15.0
    assert 15.5 < find_drops(track, "fixed")[0][0] < 17.5


def test_presets_agree_away_from_the_edges() -> None:
    steady = parts((40.0, -20.0), (40.0, 0.0), (20.0, -20.0))
    np.testing.assert_allclose(find_drops(steady, "as_code"), find_drops(steady, "fixed"), atol=0.05)


def test_start_is_skipped_as_published_only() -> None:
    loud_intro = parts((25.0, 0.0), (60.0, -20.0))
    assert find_drops(loud_intro, "as_code") == []
    assert find_drops(loud_intro, "fixed")[0][0] == 0.0
    longer = parts((40.0, 0.0), (60.0, -20.0))
    assert find_drops(longer, "as_code")[0][0] == 15.0


def test_silence_is_one_drop_as_published_and_none_repaired() -> None:
    silence = np.zeros(60 * RATE_HZ, np.float32)
    assert len(find_drops(silence, "as_code")) == 1
    assert find_drops(silence, "fixed") == []


@pytest.mark.parametrize("preset", ["as_code", "fixed"])
def test_short_files_have_no_drop(preset: str) -> None:
    for seconds in (0.001, 3.0, 14.9):
        assert find_drops(parts((seconds, 0.0)), preset) == []


def test_folder_is_written_in_the_published_format(tmp_path: Path) -> None:
    folder = tmp_path / "part 1"
    folder.mkdir()
    sf.write(folder / "a song's name.wav", parts((20.0, -20.0), (30.0, 0.0), (9.0, -20.0)), RATE_HZ)
    (folder / "broken.wav").write_bytes(b"no sound at all")
    sf.write(folder / "quiet.wav", np.zeros(40 * RATE_HZ), RATE_HZ)
    out = tmp_path / "detected_drops.json"
    problems = detect_folder(folder, out, progress=False)
    assert len(problems) == 1
    assert "broken.wav" in problems[0]
    rows = json.loads(out.read_text(encoding="utf-8"))
    assert [row["audio_path"] for row in rows] == ["part 1/a song's name.wav", "part 1/quiet.wav"]
    np.testing.assert_allclose(rows[0]["drop_sections"], [[20.0, 50.0]], atol=2.5)
    assert rows[1]["drop_sections"] == []
    assert read_studio(out).drops_s["a song's name.wav"] == tuple(map(tuple, rows[0]["drop_sections"]))


def test_what_cannot_be_done_is_said(tmp_path: Path) -> None:
    with pytest.raises(HouseXError, match="no folder"):
        detect_folder(tmp_path / "none", tmp_path / "out.json")
    with pytest.raises(HouseXError, match="no audio"):
        detect_folder(tmp_path, tmp_path / "out.json")
    with pytest.raises(AudioError):
        detect_drops(tmp_path / "none.wav")
    with pytest.raises(HouseXError, match="preset"):
        detect_drops(tmp_path / "none.wav", "best")


def test_command_writes_beside_the_tracks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sf.write(tmp_path / "song.wav", parts((20.0, -20.0), (30.0, 0.0), (5.0, -20.0)), RATE_HZ)
    parser = argparse.ArgumentParser()
    drop_rule.add_drops_parser(parser.add_subparsers())
    arguments = parser.parse_args(["drops", str(tmp_path), "--preset", "as_code"])
    assert arguments.func(arguments) == 0
    assert "detected_drops.json" in capsys.readouterr().out
    assert len(json.loads((tmp_path / "detected_drops.json").read_text())) == 1
