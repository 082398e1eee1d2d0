"""Files that are cut, damaged, mislabelled or strange: what is left of them is read, and one sentence says so."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from housex_blender.analysis import audio, ffmpeg
from housex_blender.core.errors import AudioError

RATE_HZ = 22050
SECONDS = 20.0
needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")


def _sound(seconds: float = SECONDS, channels: int = 2) -> np.ndarray:
    """Tones and noise whose place in time can be told from any second of it."""
    rng = np.random.default_rng(5)
    t = np.arange(int(44100 * seconds)) / 44100
    sweep = 0.3 * np.sin(2 * np.pi * (200 * t + 90 * t**2))
    level = np.interp(t, np.arange(0, seconds + 1, 0.2), rng.uniform(0.2, 1.0, int(5 * seconds + 5)))
    return np.repeat((sweep * level + 0.1 * rng.standard_normal(len(t)) * level)[:, None], channels, axis=1)


def _decode(path: Path) -> tuple[np.ndarray, list[str]]:
    said: list[str] = []
    return np.concatenate(list(audio.decode_blocks(path, on_warning=said.append))), said


def _late_s(samples: np.ndarray, whole: np.ndarray, at_s: float) -> float:
    """How much later than in the whole recording the second from ``at_s`` on is heard."""
    pattern = whole[int(at_s * RATE_HZ) : int((at_s + 1) * RATE_HZ)]
    match = np.correlate(samples[int((at_s - 1) * RATE_HZ) : int((at_s + 2) * RATE_HZ)], pattern, "valid")
    return float(match.argmax()) / RATE_HZ - 1.0


def _spoil(path: Path, share: float = 0.5, length: int = 20_000) -> None:
    data = bytearray(path.read_bytes())
    at = int(share * len(data))
    data[at : at + length] = np.random.default_rng(0).bytes(length)
    path.write_bytes(bytes(data))


def _encode(source: Path, target: Path, *options: str) -> None:
    command = ["ffmpeg", "-v", "error", "-y", "-i", str(source), *options, str(target)]
    if subprocess.run(command, check=False).returncode:
        pytest.skip(f"this ffmpeg cannot write {target.suffix}")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_refused_before_it_is_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "mix.wav")
    with pytest.raises(AudioError, match="not an audio file"):
        audio.probe(tmp_path / "mix.wav")


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no devices here")
def test_a_device_is_refused() -> None:
    with pytest.raises(AudioError, match="not an audio file"):
        audio.probe(Path("/dev/zero"))


def test_damaged_flac_goes_on_at_the_right_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ffmpeg, "find", lambda: None)
    path = tmp_path / "mix.flac"
    soundfile.write(path, _sound(), 44100)
    whole, _ = _decode(path)
    _spoil(path, 0.3)
    _spoil(path, 0.7)
    samples, said = _decode(path)
    assert len(samples) == pytest.approx(len(whole), abs=3)
    assert len(said) == 1
    assert "damaged at" in said[0]
    same = np.abs(samples[: len(whole)] - whole[: len(samples)]) < 1e-4
    assert same.mean() > 0.95
    assert same[int(15.5 * RATE_HZ) :].all()


@needs_ffmpeg
def test_damaged_mp3_goes_on_at_the_right_time(tmp_path: Path) -> None:
    path = tmp_path / "mix.mp3"
    soundfile.write(tmp_path / "mix.wav", _sound(), 44100)
    _encode(tmp_path / "mix.wav", path, "-b:a", "192k")
    whole, _ = _decode(path)
    _spoil(path)
    samples, said = _decode(path)
    assert len(samples) / RATE_HZ == pytest.approx(SECONDS, abs=0.2)
    assert len(said) == 1
    assert "damaged at" in said[0]
    assert abs(_late_s(samples, whole, 8.0)) < 0.01
    assert abs(_late_s(samples, whole, 15.0)) < 0.1


def test_damaged_mp3_without_ffmpeg_gives_what_was_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mix.mp3"
    soundfile.write(path, _sound(), 44100)
    _spoil(path)
    monkeypatch.setattr(ffmpeg, "find", lambda: None)
    samples, said = _decode(path)
    assert len(samples) > 8 * RATE_HZ
    assert len(said) == 1


@needs_ffmpeg
@pytest.mark.parametrize("with_ffmpeg", [True, False])
def test_mp3_that_does_not_tell_its_length(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, with_ffmpeg: bool) -> None:
    path = tmp_path / "mix.mp3"
    sound = _sound()
    # a loud half after a quiet one: the first frames say little about the rest
    sound[: len(sound) // 2] *= 0.02
    soundfile.write(tmp_path / "mix.wav", sound, 44100)
    _encode(tmp_path / "mix.wav", path, "-q:a", "4", "-write_xing", "0")
    if not with_ffmpeg:
        monkeypatch.setattr(ffmpeg, "find", lambda: None)
    assert audio.probe(path).duration_s == pytest.approx(SECONDS, abs=0.2)
    samples, said = _decode(path)
    if with_ffmpeg:
        assert len(samples) / RATE_HZ == pytest.approx(SECONDS, abs=0.2)
        assert said == []
    else:
        assert len(said) == 1
        assert "how long it is" in said[0]


@pytest.mark.parametrize("name", ["mix.wav", "mix.ogg"])
def test_a_file_that_is_cut_off_says_so(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    soundfile.write(path, _sound(), 44100)
    assert _decode(path)[1] == []
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    samples, said = _decode(path)
    assert len(samples) > 8 * RATE_HZ
    assert len(said) == 1
    assert "cut off" in said[0]


@needs_ffmpeg
def test_m4a_without_its_end_is_called_damaged(tmp_path: Path) -> None:
    path = tmp_path / "mix.m4a"
    soundfile.write(tmp_path / "mix.wav", _sound(5.0), 44100)
    _encode(tmp_path / "mix.wav", path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(AudioError, match="cut off or damaged"):
        audio.probe(path)


def test_channels_that_cancel_each_other_are_still_heard(tmp_path: Path) -> None:
    path = tmp_path / "mix.wav"
    sound = _sound(3.0) * (1.0, -1.0)
    soundfile.write(path, sound, 44100, subtype="FLOAT")
    samples, _ = _decode(path)
    assert np.sqrt(np.mean(samples**2)) > 0.5 * np.sqrt(np.mean(sound**2))


def test_absurd_samples_are_clipped(tmp_path: Path) -> None:
    path = tmp_path / "mix.wav"
    soundfile.write(path, _sound(3.0) * 1e30, 44100, subtype="FLOAT")
    samples, said = _decode(path)
    assert np.abs(samples).max() < 20.0
    assert len(said) == 1
    assert "clipped" in said[0]


@pytest.mark.skipif(os.name == "nt", reason="names are text here")
def test_a_name_that_is_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"mix\xff\xfe.wav")
    soundfile.write(tmp_path / "mix.wav", _sound(2.0), 44100)
    try:
        (tmp_path / "mix.wav").rename(path)
    except OSError:
        pytest.skip("this file system wants UTF-8")
    assert audio.probe(path).duration_s == pytest.approx(2.0)
    path.write_bytes(b"no sound")
    with pytest.raises(AudioError) as caught:
        audio.probe(path)
    assert caught.value.message.encode("utf-8")
