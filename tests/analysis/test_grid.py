"""Bars: known tempo in, known bars out."""

from __future__ import annotations

import numpy as np
import pytest

from housex_blender.analysis.features import Features
from housex_blender.analysis.grid import GridResult, track_grid

from .signals import FORM, RATE_HZ, add, beats_for, house, kick, measured, noise_hit

mir_eval = pytest.importorskip("mir_eval")


def _check(result: GridResult, beats_s: np.ndarray, beat_f: float = 0.985, bar_f: float = 0.97) -> None:
    grid = result.grid
    near = (grid.beats_s > beats_s[0] - 0.2) & (grid.beats_s < beats_s[-1] - 0.2)
    near_bar = (grid.starts_s > beats_s[0] - 0.2) & (grid.starts_s < beats_s[-1] - 0.2)
    assert mir_eval.beat.f_measure(beats_s[:-1], grid.beats_s[near]) >= beat_f
    assert mir_eval.beat.f_measure(beats_s[:-1:4], grid.starts_s[near_bar]) >= bar_f
    gap_s = np.abs(grid.beats_s[:, None] - beats_s[None, :-1]).min(axis=0)
    assert np.median(gap_s) <= 0.006


def _covers(result: GridResult, duration_s: float) -> None:
    grid = result.grid
    bar_s = grid.ends_s[0] - grid.starts_s[0]
    assert 0.0 <= grid.starts_s[0] < bar_s
    assert grid.ends_s[-1] > duration_s - bar_s * 0.3
    assert grid.starts_s[-1] < duration_s
    assert len(result.bar_confidence) == grid.n_bars
    assert 0.0 <= result.confidence <= 1.0


@pytest.mark.parametrize(("bpm", "first_s"), [(120.0, 0.3), (126.35, 1.7), (132.0, 0.0)])
def test_steady_tempo(bpm: float, first_s: float) -> None:
    beats_s = beats_for(np.full(len(FORM), bpm), first_s)
    found = measured(house(FORM, beats_s))
    result = track_grid(found)
    _check(result, beats_s)
    _covers(result, found.duration_s)
    assert np.median(result.grid.bpm) == pytest.approx(bpm, abs=0.05)
    assert result.message == ""
    assert result.confidence > 0.4


def test_tempo_ramp() -> None:
    bpm = np.interp(np.arange(len(FORM)), [30, 50], [126.0, 128.0])
    beats_s = beats_for(bpm, 0.8)
    result = track_grid(measured(house(FORM, beats_s, bass=False)))
    _check(result, beats_s)
    assert result.grid.bpm[4:20].mean() == pytest.approx(126.0, abs=0.15)
    assert result.grid.bpm[-24:-8].mean() == pytest.approx(128.0, abs=0.15)


def test_off_beat_bass_does_not_flip_the_beat() -> None:
    form = ["intro"] * 8 + ["drop"] * 56
    beats_s = beats_for(np.full(len(form), 125.0), 0.5)
    _check(track_grid(measured(house(form, beats_s, key_hz=49.0, seed=3))), beats_s)


def test_hint_narrows_the_search() -> None:
    beats_s = beats_for(np.full(24, 124.0), 0.2)
    found = measured(house(["drop"] * 24, beats_s))
    assert np.median(track_grid(found, hint_bpm=124.5).grid.bpm) == pytest.approx(124.0, abs=0.1)


@pytest.mark.parametrize("kind", ["empty", "half a second", "silence", "noise", "tone", "two seconds"])
def test_no_beat_gives_a_ruler(kind: str) -> None:
    rng = np.random.default_rng(0)
    samples = {
        "empty": np.zeros(0),
        "half a second": 0.1 * rng.standard_normal(RATE_HZ // 2),
        "two seconds": 0.1 * rng.standard_normal(2 * RATE_HZ),
        "silence": np.zeros(40 * RATE_HZ),
        "noise": 0.1 * rng.standard_normal(60 * RATE_HZ),
        "tone": 0.3 * np.sin(2 * np.pi * 220.0 / RATE_HZ * np.arange(40 * RATE_HZ)),
    }[kind].astype(np.float32)
    found = measured(samples)
    result = track_grid(found)
    assert result.confidence < 0.35
    assert result.message.endswith(".")
    if found.duration_s > 3.0:
        _covers(result, found.duration_s)


def _speech(seconds: float) -> np.ndarray:
    """Syllables of a gliding voice, of uneven length and with uneven pauses."""
    rng = np.random.default_rng(3)
    out = np.zeros(int(seconds * RATE_HZ), np.float32)
    at_s = 0.2
    while at_s < seconds - 1.0:
        length_s = rng.uniform(0.08, 0.35)
        t = np.arange(int(length_s * RATE_HZ)) / RATE_HZ
        pitch_hz = rng.uniform(95.0, 150.0) * (1.0 + rng.uniform(-0.3, 0.3) * t / length_s)
        phase = 2 * np.pi * np.cumsum(pitch_hz) / RATE_HZ
        formants_hz = rng.uniform((300.0, 900.0, 2200.0), (800.0, 2000.0, 3000.0))
        gains = [sum(np.exp(-(((k * 120.0 - f) / 180.0) ** 2)) for f in formants_hz) for k in range(1, 26)]
        voice = sum(gain * np.sin(k * phase) for k, gain in enumerate(gains, 1))
        add(out, (0.1 * voice * np.hanning(len(t))).astype(np.float32), at_s)
        at_s += length_s + rng.choice([0.02, 0.05, 0.3], p=[0.6, 0.25, 0.15]) * rng.uniform(0.5, 2.0)
    return out


def test_speech_has_no_beat() -> None:
    result = track_grid(measured(_speech(90.0)))
    assert result.confidence < 0.2
    assert np.median(result.grid.bpm) == pytest.approx(128.0)
    assert "ruler at 128 BPM" in result.message


def test_a_known_tempo_is_the_rulers_too() -> None:
    result = track_grid(measured(_speech(60.0)), hint_bpm=100.0)
    assert np.median(result.grid.bpm) == pytest.approx(100.0, abs=3.0)
    if result.confidence == 0.0:
        assert "ruler at 100 BPM" in result.message


def _pattern(bpm: float, beats: int, kicks: tuple[float, ...], claps: tuple[float, ...]) -> Features:
    """A minute of one repeated bar of so many beats, with hats on the half beats."""
    beat_s = 60.0 / bpm
    out = np.zeros(60 * RATE_HZ, np.float32)
    drum, clap, hat = 0.6 * kick(), noise_hit(0.05, 0.3), noise_hit(0.01, 0.1)
    for bar in range(int(60.0 / (beats * beat_s))):
        for sound, places in ((drum, kicks), (clap, claps), (hat, tuple(0.5 * i for i in range(2 * beats)))):
            for place in places:
                add(out, sound, (bar * beats + place) * beat_s)
    return measured(out)


def test_a_tempo_out_of_range_gives_a_ruler_and_says_so() -> None:
    result = track_grid(_pattern(174.0, 4, (0.0, 2.5), (1.0, 3.0)))
    assert result.confidence == 0.0
    assert np.median(result.grid.bpm) == pytest.approx(128.0)
    assert "ruler" in result.message


def test_three_four_time_is_doubted() -> None:
    result = track_grid(_pattern(120.0, 3, (0.0,), (1.0, 2.0)))
    assert "three-four" in result.message
    assert "128 BPM" in result.message
    assert result.confidence == 0.0


def test_four_four_time_is_not_doubted() -> None:
    for kicks, claps in (((0.0, 1.0, 2.0, 3.0), ()), ((0.0, 1.0, 2.0, 3.0), (1.0, 3.0)), ((0.0, 1.5, 3.0), (1.0,))):
        assert "three-four" not in track_grid(_pattern(124.0, 4, kicks, claps)).message


@pytest.mark.parametrize("offset", [0.0, 0.5])
def test_faint_noise_and_an_offset_are_silence(offset: float) -> None:
    faint = 3e-5 * np.random.default_rng(0).standard_normal(20 * RATE_HZ)
    found = measured((offset + faint).astype(np.float32))
    assert found.is_silent
    assert track_grid(found).message.startswith("The audio is silent")
    audible = measured((offset + 10 * faint).astype(np.float32))
    assert not audible.is_silent
