"""The sampler as a hand: is what its tracks claim to be true of their sound?"""

from pathlib import Path

import numpy as np
import pytest

from housex_blender.core.genres import GENRES
from trainer.hands.sampler import clips, launch, render_track, render_with
from trainer.synth.dsp import filtered
from trainer.synth.samples import open_bank

BANK = open_bank(launch.CACHE) if (Path(launch.CACHE) / "voice0.npz").is_file() else None
pytestmark = pytest.mark.skipif(BANK is None, reason="the sampled notes are not here")


def drop_of(made):
    bars = [i for i, name in enumerate(made.sections) if name == "drop"]
    first, last = (round(t * made.sample_rate_hz) for t in (made.starts_s[bars[0]], made.ends_s[bars[-1]]))
    return bars, first, min(last, len(made.audio))


@pytest.fixture(scope="module")
def tracks():
    return {genre: render_track(genre, 1, BANK) for genre in GENRES}


@pytest.mark.parametrize("genre", GENRES)
def test_drop_truth_lies_in_the_published_intervals(tracks, genre):
    facts, made = clips.FACTS[genre], tracks[genre]
    bars, _, _ = drop_of(made)
    rows = made.attributes[bars]
    intervals = (facts.groove, facts.rhythm, facts.distortion, facts.organicity)
    for column, (low, high) in enumerate(intervals):
        assert np.all((rows[:, column] > low - 1e-4) & (rows[:, column] < high + 1e-4)), column
    for column, chance in ((4, facts.lead), (5, facts.chord), (6, facts.bass)):
        if chance in (0, 1):
            assert np.all(rows[:, column] == chance)
    assert 24 <= made.n_bars <= 40
    assert len(bars) in (8, 16)


@pytest.mark.parametrize("genre", GENRES)
def test_sound_is_sane_and_the_kick_is_on_the_beat(tracks, genre):
    made = tracks[genre]
    audio = made.audio
    assert audio.dtype == np.float32
    assert np.isfinite(audio).all()
    assert np.abs(audio).max() <= 1.0
    bars, first, last = drop_of(made)
    assert -14.5 < 20 * np.log10(np.sqrt(np.mean(audio[first:last] ** 2))) < -5.5
    # The lows rise on the beat, on the average of all beats, about as much as an off-beat bass lets them rise anywhere.
    low = filtered(audio[first:last].mean(axis=1), "lowpass", 150.0) ** 2
    beat = (made.beats_s[1] - made.beats_s[0]) * made.sample_rate_hz
    edges = np.round(np.arange(0, 4 * len(bars) * 16) * beat / 16).astype(int)
    level = np.sqrt(np.add.reduceat(low, edges[edges < len(low)]))
    rise = np.maximum(np.diff(level, append=0.0), 0.0)
    rise = rise[: len(rise) // 16 * 16].reshape(-1, 16).mean(axis=0)
    assert max(rise[15], rise[0]) > 0.6 * rise.max()


def test_no_music_no_attributes(tracks):
    made = tracks["Tech House"]
    silent = ~made.attributes[:, 4:].any(axis=1)
    assert np.isnan(made.attributes[silent][:, :4]).all()
    assert np.isfinite(made.attributes[~silent]).all()


def test_same_seed_same_track(tracks):
    again = render_track("Bigroom", 1, BANK)
    assert np.array_equal(again.audio, tracks["Bigroom"].audio)


def test_music_ducks_as_deep_as_groove_says(tracks):
    depth = []
    # The genre ducks by at least 9 dB; beside it the same track without.
    for made in (render_with("Progressive House", 1, BANK, {"groove": 1.0}), tracks["Progressive House"]):
        _, first, last = drop_of(made)
        mids = filtered(made.audio[first:last].mean(axis=1), "bandpass", 400.0, 3000.0)
        beat = (made.beats_s[1] - made.beats_s[0]) * made.sample_rate_hz
        phase = (np.arange(len(mids)) / beat) % 1.0
        near, far = mids[(phase > 0.08) & (phase < 0.25)], mids[phase > 0.8]
        depth.append(10 * np.log10(np.mean(far**2) / np.mean(near**2)))
    assert depth[0] + 3.0 < depth[1]
    phase = np.linspace(0, 1, 500)
    for shape in ("bow", "wave", "hold", "line"):
        curve = launch.duck_curve(phase, 6.0, shape, 0.8)
        assert 20 * np.log10(curve.min()) == pytest.approx(-6.0, abs=0.01)
        assert curve[-1] == pytest.approx(1.0)


def test_distortion_brings_harmonics(tracks):
    share = []
    # A clean genre, and the same track driven hard.
    for made in (tracks["Deep House"], render_with("Deep House", 1, BANK, {"distortion": 5.0})):
        _, first, _last = drop_of(made)
        power = np.abs(np.fft.rfft(made.audio[first : first + 2**18].mean(axis=1))) ** 2
        share.append(
            power[len(power) // 20 : len(power) // 4].sum() / power[len(power) // 200 : len(power) // 20].sum()
        )
    assert share[1] > 1.3 * share[0]
    tone = np.sin(np.arange(44100) * 2 * np.pi * 220 / 44100).astype(np.float32)[:, None].repeat(2, axis=1)
    for kind in ("tanh", "clip", "fold", "crush"):
        overtones = [
            (np.abs(np.fft.rfft(launch.drive_shape(tone, drive, kind)[:, 0]))[600:] ** 2).sum() for drive in (0, 0.3, 1)
        ]
        assert overtones[0] < overtones[1] < overtones[2], kind


def test_rhythm_levels_are_what_they_say():
    rng = np.random.default_rng(0)
    for level in range(1, 6):
        assert all(clips.fineness([on for on, _ in clips.steps(rng, level)]) == level for _ in range(20))
