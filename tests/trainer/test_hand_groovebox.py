"""The groovebox keeps to its own truth: attributes inside the published intervals and audible in the sound."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from housex_blender.core.genres import GENRES
from trainer.hands.groovebox import Plan, draw_plan, perform, render_plan, render_track, score
from trainer.hands.groovebox.machine import DRIVES, active_rms, drive


def _short(genre: str, seed: int) -> Plan:
    """A plan of four drop bars alone, which is quick to play."""
    return replace(draw_plan(genre, seed), sections=("drop",) * 4)


@pytest.mark.parametrize("level", [1, 2, 3, 4, 5])
def test_a_bar_has_the_fineness_asked_for(level: int) -> None:
    rng = np.random.default_rng(level)
    for _ in range(40):
        steps = score.bar_rhythm(rng, level)
        assert score.fineness(set(steps)) == level
        assert min(steps) >= 0
        assert max(steps) < score.BAR


@pytest.mark.parametrize("genre", GENRES)
def test_drops_lie_inside_the_published_intervals_and_kick_on_the_beats(genre: str) -> None:
    show = perform(_short(genre, 3))
    facts = score.FACTS[genre]
    for column, (low, high) in enumerate((facts.groove, facts.rhythm, facts.distortion, facts.organicity)):
        assert np.all(show.attributes[:, column] >= low - 1e-4), column
        assert np.all(show.attributes[:, column] <= high + 1e-4), column
    for column, chance in enumerate(facts.parts):
        if chance in (0, 1):
            assert np.all(show.attributes[:, 4 + column] == chance)
    beats = np.abs(show.kick).max(axis=1).reshape(16, show.beat_frames)
    assert np.all(beats[:, :2000].max(axis=1) > 0.3)
    # what the kick leaves is quieter just before the next one
    assert beats[:, -1000:].max() < 0.5 * beats[:, :2000].max()


def test_the_side_chain_is_as_deep_as_the_groove_says() -> None:
    plan = _short("Future Rave", 1)
    dry, wet = (perform(replace(plan, groove=groove)) for groove in (1.0, 4.5))
    frames = dry.beat_frames
    energy = [(show.music**2).sum(axis=1).reshape(16, frames)[:15, 150:600].sum() for show in (dry, wet)]
    assert 10 * np.log10(energy[0] / energy[1]) == pytest.approx(10.5, abs=1.2)
    late = [(show.music**2).sum(axis=1).reshape(16, frames)[:15, -600:].sum() for show in (dry, wet)]
    assert 10 * np.log10(late[0] / late[1]) < 2.5


@pytest.mark.parametrize("kind", DRIVES)
def test_drive_adds_overtones_and_keeps_the_level(kind: str) -> None:
    time = np.arange(22050) / 44100
    tone = np.repeat((np.sin(2 * np.pi * 220 * time) * np.exp(-2 * time))[:, None], 2, axis=1).astype(np.float32)
    shares = []
    for amount in (0.0, 0.25, 1.0):
        hot = drive(tone, amount, kind)
        assert active_rms(hot) == pytest.approx(1.0, abs=1e-3)
        power = np.abs(np.fft.rfft(hot[:, 0] * np.hanning(len(hot)))) ** 2
        shares.append(power[400:].sum() / power.sum())
    assert shares[0] < 1e-3 < shares[1] < shares[2]


def test_more_distortion_is_heard_in_the_music() -> None:
    plan = _short("Tech House", 2)
    flatness = []
    for distortion in (2.0, 4.0):
        music = perform(replace(plan, distortion=distortion)).music[:, 0]
        power = np.abs(np.fft.rfft(music[: 1 << 18])) ** 2 + 1e-9
        bands = np.array([band.mean() for band in np.array_split(power[250:50000], 200)])
        flatness.append(np.exp(np.log(bands).mean()) / bands.mean())
    assert flatness[1] > 1.1 * flatness[0]


def test_a_track_is_whole_and_comes_out_the_same_again() -> None:
    one, two = (render_plan(_short("Slap House", 5)) for _ in range(2))
    assert np.array_equal(one.audio, two.audio)
    assert np.array_equal(one.attributes, two.attributes, equal_nan=True)
    one = render_track("Slap House", 7)
    assert 24 <= one.n_bars <= 40
    assert np.all(np.isfinite(one.audio))
    assert np.abs(one.audio).max() <= 1.0
    assert len(one.audio) == round(one.beats_s[-1] * 44100)
    drop = np.array([section == "drop" for section in one.sections])
    bars = one.audio.reshape(one.n_bars, -1)
    assert -14 <= 10 * np.log10((bars[drop] ** 2).mean()) <= -6
    rest = np.array([section == "break" for section in one.sections])
    assert np.all(one.attributes[rest, 0] == 1.0)
