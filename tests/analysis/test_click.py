"""Clicks sit on the very sample of the beat, over the mix at its own rate and channels."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from housex_blender.analysis.click import BEAT_HZ, DOWNBEAT_HZ, MIX_GAIN, write_click
from housex_blender.core.bars import BarGrid
from housex_blender.core.errors import AudioError


def attacks(samples: np.ndarray) -> np.ndarray:
    """Samples at which something loud begins after quiet."""
    loud = np.abs(samples) > 0.3
    first = np.flatnonzero(loud)
    return first[np.append(True, np.diff(first) > 2000)]


@pytest.mark.parametrize(("rate", "channels", "ending"), [(44100, 2, ".wav"), (48000, 1, ".flac"), (8000, 6, ".wav")])
def test_clicks_begin_on_the_sample_of_the_beat(tmp_path: Path, rate: int, channels: int, ending: str) -> None:
    rng = np.random.default_rng(0)
    # longer than a block, so that clicks cross from one to the next
    mix = (0.01 * rng.standard_normal((round(24.3 * rate), channels))).astype(np.float32)
    soundfile.write(tmp_path / "mix.wav", mix, rate, subtype="FLOAT")
    grid = BarGrid.from_beats(np.append(0.137 + 0.4713 * np.arange(21), 9.99), np.arange(22) % 4 == 1, 10.4)
    done: list[float] = []
    write_click(tmp_path / "mix.wav", grid, tmp_path / f"click{ending}", on_progress=lambda a, b: done.append(a / b))
    heard, heard_rate = soundfile.read(tmp_path / f"click{ending}", always_2d=True)
    assert heard_rate == rate
    assert heard.shape == mix.shape, "as long as the mix, to the sample"
    for channel in range(channels):
        found = attacks(heard[:, channel])
        assert len(found) == 22
        assert np.abs(found - grid.beats_s * rate).max() <= 1.0
    quiet = slice(round(15 * rate), None)
    assert heard[quiet] == pytest.approx(MIX_GAIN * mix[quiet], abs=1e-4)
    assert done[-1] == pytest.approx(1.0)
    if rate >= 44100:
        for beat, pitch in ((0, BEAT_HZ), (1, DOWNBEAT_HZ)):
            start = round(float(grid.beats_s[beat]) * rate)
            part = heard[start : start + round(0.03 * rate), 0]
            spectrum = np.abs(np.fft.rfft(part, 8 * rate))
            assert np.argmax(spectrum) / 8 == pytest.approx(pitch, abs=30)


def test_a_loud_mix_stays_within_full_scale(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "mix.wav", np.ones((44100 * 3, 2), np.float32), 44100, subtype="FLOAT")
    write_click(tmp_path / "mix.wav", BarGrid.fixed(3.0), tmp_path / "click.wav")
    heard, _ = soundfile.read(tmp_path / "click.wav")
    assert heard.max() <= 1.0
    assert heard.max() > 0.99


def test_clicks_alone_leave_the_mix_out(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "mix.wav", np.full((44100 * 3, 2), 0.5, np.float32), 44100)
    grid = BarGrid.fixed(3.0, 120.0)
    write_click(tmp_path / "mix.wav", grid, tmp_path / "click.flac", alone=True)
    heard, _ = soundfile.read(tmp_path / "click.flac")
    assert len(heard) == 44100 * 3
    assert attacks(heard[:, 0]) == pytest.approx([0, 22050, 44100, 66150, 88200, 110250], abs=1)
    assert np.all(heard[round(0.25 * 44100) : round(0.45 * 44100)] == 0.0), "nothing between two clicks"


@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="needs ffmpeg")
def test_what_only_ffmpeg_reads_keeps_its_channels(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "mix.wav", np.zeros((44100 * 5, 2), np.float32), 44100)
    subprocess.run(["ffmpeg", "-v", "error", "-i", tmp_path / "mix.wav", tmp_path / "mix.m4a"], check=True)
    write_click(tmp_path / "mix.m4a", BarGrid.fixed(5.0, 120.0, 0.25), tmp_path / "click.flac")
    heard, _ = soundfile.read(tmp_path / "click.flac")
    assert heard.shape[1] == 2
    assert attacks(heard[:, 1]) == pytest.approx((0.25 + 0.5 * np.arange(10)) * 44100, abs=1)


def test_what_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "mix.wav", np.zeros((44100, 9), np.float32), 44100)
    (tmp_path / "out").mkdir()
    for name, said in (("click.flac", "9 channels"), ("click.mp3", "not a wav or flac")):
        with pytest.raises(AudioError, match=said):
            write_click(tmp_path / "mix.wav", BarGrid.fixed(1.0), tmp_path / "out" / name)
    with pytest.raises(AudioError, match="cannot be written"):
        write_click(tmp_path / "mix.wav", BarGrid.fixed(1.0), tmp_path / "no" / "click.wav")
    (tmp_path / "broken.wav").write_bytes(b"RIFF")
    with pytest.raises(AudioError):
        write_click(tmp_path / "broken.wav", BarGrid.fixed(1.0), tmp_path / "out" / "click.wav")
    assert list((tmp_path / "out").iterdir()) == []
