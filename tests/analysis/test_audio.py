"""Decoding: many formats, one result; bad files, one clear sentence."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from housex_blender.analysis import audio, ffmpeg
from housex_blender.core.errors import AudioError

SECONDS = 6.0


def _wave(rate_hz: int, channels: int = 2, hz: float = 440.0, seconds: float = SECONDS) -> np.ndarray:
    t = np.arange(int(seconds * rate_hz)) / rate_hz
    mono = 0.5 * np.sin(2 * np.pi * hz * t)
    return np.repeat(mono[:, None], channels, axis=1)


def _decode(path: Path, **options: object) -> tuple[np.ndarray, list[str]]:
    said: list[str] = []
    blocks = list(audio.decode_blocks(path, on_warning=said.append, **options))  # type: ignore[arg-type]
    return np.concatenate(blocks), said


@pytest.mark.parametrize(
    ("name", "rate_hz", "channels", "subtype"),
    [
        ("mono.wav", 8000, 1, "PCM_16"),
        ("six.wav", 48000, 6, "PCM_16"),
        ("fine.wav", 96000, 2, "PCM_24"),
        ("wide.flac", 192000, 8, "PCM_24"),
        ("float.wav", 22050, 2, "FLOAT"),
        ("cd.aiff", 44100, 2, "PCM_16"),
        ("vorbis.ogg", 44100, 2, "VORBIS"),
        ("cd.mp3", 44100, 2, "MPEG_LAYER_III"),
    ],
)
def test_formats_give_the_same_sound(tmp_path: Path, name: str, rate_hz: int, channels: int, subtype: str) -> None:
    path = tmp_path / name
    soundfile.write(path, _wave(rate_hz, channels), rate_hz, subtype=subtype)
    info = audio.probe(path)
    assert (info.sample_rate_hz, info.channels, info.decoder) == (rate_hz, channels, "libsndfile")
    assert info.duration_s == pytest.approx(SECONDS, abs=0.1)
    samples, said = _decode(path, block_s=0.7)
    assert said == []
    assert samples.dtype == np.float32
    assert abs(len(samples) - SECONDS * 22050) < (1300 if name.endswith("mp3") else 3)
    middle = samples[22050:44100]
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.06 if name.endswith("mp3") else 0.02)
    assert np.argmax(np.abs(np.fft.rfft(middle))) == 440


def test_blocks_do_not_change_the_result(tmp_path: Path) -> None:
    path = tmp_path / "mix.flac"
    soundfile.write(path, np.random.default_rng(0).uniform(-0.5, 0.5, (44100 * 4, 2)), 44100)
    whole, _ = _decode(path, block_s=100.0)
    parts, _ = _decode(path, block_s=0.123)
    np.testing.assert_allclose(parts, whole, atol=1e-5)


def test_start_and_duration(tmp_path: Path) -> None:
    path = tmp_path / "mix.wav"
    ramp = np.linspace(0.0, 0.8, 22050 * 4)
    soundfile.write(path, ramp, 22050, subtype="FLOAT")
    part, said = _decode(path, start_s=1.0, duration_s=1.5)
    np.testing.assert_allclose(part, ramp[22050 : 22050 + 33075], atol=1e-6)
    assert said == []


def test_values_that_are_not_numbers_become_silence(tmp_path: Path) -> None:
    path = tmp_path / "nan.wav"
    bad = np.zeros((22050, 2), np.float32)
    bad[100:200] = np.nan
    bad[300] = np.inf
    soundfile.write(path, bad, 22050, subtype="FLOAT")
    assert np.all(np.isfinite(_decode(path)[0]))


@pytest.mark.parametrize("kind", ["missing", "folder", "empty", "text", "noise"])
def test_bad_files_say_what_is_wrong(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "mix.mp3"
    if kind == "folder":
        path.mkdir()
    elif kind == "empty":
        path.touch()
    elif kind == "text":
        path.write_text("This is a shopping list.\n" * 400)
    elif kind == "noise":
        path.write_bytes(bytes(range(1, 250)) * 40)
    with pytest.raises(AudioError) as caught:
        audio.probe(path)
    assert caught.value.message.endswith(".")
    assert caught.value.hint.endswith(".")
    with pytest.raises(AudioError):
        next(audio.decode_blocks(path))


@pytest.mark.skipif(os.name == "nt" or os.getuid() == 0, reason="permissions do not bind this user")
def test_no_permission(tmp_path: Path) -> None:
    path = tmp_path / "mix.wav"
    soundfile.write(path, _wave(8000), 8000)
    path.chmod(0)
    with pytest.raises(AudioError, match="may not be read"):
        audio.probe(path)


def test_truncated_flac_warns_and_yields(tmp_path: Path) -> None:
    path = tmp_path / "mix.flac"
    soundfile.write(path, np.random.default_rng(0).uniform(-0.5, 0.5, (44100 * 20, 2)), 44100)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    samples, said = _decode(path, block_s=1.0)
    assert 6 * 22050 < len(samples) <= 10.5 * 22050
    assert len(said) == 1
    assert said[0].endswith(".")


def test_truncated_mp3_yields(tmp_path: Path) -> None:
    path = tmp_path / "mix.mp3"
    soundfile.write(path, _wave(44100, seconds=20.0), 44100)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    samples, _ = _decode(path)
    assert len(samples) > 8 * 22050


def test_closing_early_ends_the_thread(tmp_path: Path) -> None:
    path = tmp_path / "mix.wav"
    soundfile.write(path, _wave(8000, seconds=60.0), 8000)
    blocks = audio.decode_blocks(path, block_s=0.5)
    next(blocks)
    blocks.close()  # type: ignore[attr-defined]
    assert not [thread for thread in threading.enumerate() if thread.name == "housex-decode"]


def test_film_without_ffmpeg_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mix.m4a"
    path.write_bytes(b"\0\0\0\x20ftypM4A \0\0\0\0" + bytes(100))
    monkeypatch.setattr(ffmpeg, "find", lambda: None)
    with pytest.raises(AudioError) as caught:
        audio.probe(path)
    assert "ffmpeg" in caught.value.message
    assert "FLAC" in caught.value.hint


@pytest.fixture
def m4a(tmp_path: Path) -> Path:
    program = shutil.which("ffmpeg")
    if program is None:
        pytest.skip("ffmpeg is not installed")
    source, path = tmp_path / "source.wav", tmp_path / "mix -strange name.m4a"
    clicks = np.zeros((44100 * 30, 2), np.float32)
    for second in range(1, 30):
        clicks[44100 * second : 44100 * second + 200] = 0.7
    soundfile.write(source, clicks, 44100)
    command = [program, "-v", "error", "-y", "-i", str(source), "-c:a", "aac", str(path)]
    if subprocess.run(command, check=False).returncode:
        pytest.skip("this ffmpeg cannot write AAC")
    return path


def test_m4a_through_ffmpeg(m4a: Path) -> None:
    info = audio.probe(m4a)
    assert (info.decoder, info.sample_rate_hz, info.channels, info.container) == ("ffmpeg", 44100, 2, "M4A")
    assert info.duration_s == pytest.approx(30.0, abs=0.1)
    samples, said = _decode(m4a)
    assert said == []
    first = np.flatnonzero(np.abs(samples) > 0.3)[0] / 22050
    assert first == pytest.approx(1.0, abs=0.005)
    part, _ = _decode(m4a, start_s=9.5, duration_s=1.0)
    assert np.flatnonzero(np.abs(part) > 0.3)[0] / 22050 == pytest.approx(0.5, abs=0.005)


def test_closing_early_kills_ffmpeg(m4a: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    children: list[subprocess.Popen[bytes]] = []
    real = subprocess.Popen

    def spy(*args: object, **options: object) -> subprocess.Popen[bytes]:
        children.append(real(*args, **options))  # type: ignore[call-overload]
        return children[-1]

    monkeypatch.setattr(audio.ffmpeg.subprocess, "Popen", spy)
    blocks = audio.decode_blocks(m4a, block_s=0.1)
    next(blocks)
    began_s = time.monotonic()
    blocks.close()  # type: ignore[attr-defined]
    assert time.monotonic() - began_s < 3.0
    assert children[-1].poll() is not None
