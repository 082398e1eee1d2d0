"""The spectral hand: its truth, its kicks, its side-chain and its distortion are what they say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from housex_blender.core.genres import GENRES
from trainer.hands.spectral import render, render_track
from trainer.hands.spectral.score import FACTS, PARTS, TICKS, fineness, rhythm_bar
from trainer.hands.spectral.tones import RATE_HZ, Painter


def drop_bars(sections: tuple[str, ...]) -> list[int]:
    return [n for n, name in enumerate(sections) if name == "drop"]


@pytest.mark.parametrize("genre", GENRES)
def test_truth_of_drops_lies_in_the_published_intervals(genre: str) -> None:
    facts = FACTS[genre]
    for seed in range(12):
        plan, _ = render.plan_track(genre, seed)
        drop = drop_bars(plan.sections)
        rows = render.truth(plan)[drop]
        assert len(drop) in (8, 16)
        assert 24 <= len(plan.sections) <= 40
        assert facts.bpm[0] <= plan.bpm <= facts.bpm[1]
        for column, (low, high) in enumerate((facts.groove, facts.rhythm, facts.distortion, facts.organicity)):
            assert (rows[:, column] >= low - 1e-4).all()
            assert (rows[:, column] <= high + 1e-4).all()
        for column, chance in enumerate(facts.present, start=4):
            if chance in (0, 1):
                assert (rows[:, column] == chance).all()


@pytest.mark.parametrize("genre", GENRES)
def test_presence_is_what_the_notes_say(genre: str) -> None:
    plan, _ = render.plan_track(genre, 5)
    rows = render.truth(plan)
    for bar in range(len(plan.sections)):
        sounding = {note.part for note in plan.notes if note.start // TICKS == bar}
        assert sounding == {part for n, part in enumerate(PARTS) if rows[bar, 4 + n]}
        assert np.isnan(rows[bar, :4]).all() == (not sounding)


def test_rhythm_levels_are_told_apart() -> None:
    rng = np.random.default_rng(1)
    for level in range(1, 6):
        for way in ("free", "pulse", "stab") if level > 2 else ("free", "smooth"):
            assert all(fineness(rhythm_bar(rng, level, 0.6, way)) == level for _ in range(40))


@pytest.mark.parametrize("genre", GENRES[::2])
def test_tracks_are_sound_and_kick_on_the_beats(genre: str) -> None:
    made = render_track(genre, 3)
    sound = made.audio
    assert sound.dtype == np.float32
    assert np.isfinite(sound).all()
    assert np.abs(sound).max() <= 1.0
    assert len(sound) == round(made.beats_s[-1] * RATE_HZ)
    drop = drop_bars(made.sections)
    first, last = (round(made.beats_s[4 * n] * RATE_HZ) for n in (drop[0], drop[-1] + 1))
    loud_db = 10 * np.log10((sound[first:last] ** 2).mean())
    assert -14.5 < loud_db < -5.5
    plan, rng = render.plan_track(genre, 3)
    kicks, _ = render.drum_bus(plan, Painter(rng, 0.0), rng)
    for bar in drop:
        for beat in range(3):
            at = round(made.beats_s[4 * bar + beat] * RATE_HZ)
            assert np.abs(kicks[0, at : at + 2000]).max() > 0.5
            assert np.abs(kicks[0, at - 600 : at]).max() < 0.2


def test_a_seed_names_one_track() -> None:
    one, two, other = (render_track("Bigroom", seed) for seed in (4, 4, 6))
    assert np.array_equal(one.audio, two.audio)
    assert np.array_equal(one.attributes, two.attributes, equal_nan=True)
    assert one.audio.shape != other.audio.shape or not np.array_equal(one.audio, other.audio)


def test_side_chain_is_as_deep_as_groove_says() -> None:
    plan, _ = render.plan_track("Future Rave", 2)
    music, _ = render.music_bus(plan, np.random.default_rng(0))
    edges = np.round(np.arange(len(plan.sections) + 1) * plan.bar_s * RATE_HZ).astype(int)
    beat = round(plan.bar_s / 4 * RATE_HZ)
    for shape in range(4):
        for groove in (1.0, 2.5, 5.0):
            ducked = music * render.duck_curve(replace(plan, groove=groove), np.random.default_rng(shape))
            power = np.zeros((2, 2))
            for bar in drop_bars(plan.sections):
                for which, span in enumerate((slice(100, beat // 50), slice(int(0.985 * beat), beat))):
                    heard = slice(edges[bar] + span.start, edges[bar] + span.stop)
                    power[which] += [(ducked[:, heard] ** 2).sum(), (music[:, heard] ** 2).sum()]
            down_db = -10 * np.log10(power[:, 0] / power[:, 1])
            assert down_db[0] == pytest.approx(3 * (groove - 1), abs=0.5)
            assert down_db[1] < 0.5


@pytest.mark.parametrize("kind", ["tanh", "diode", "fold", "clip"])
def test_distortion_is_heard(kind: str) -> None:
    for genre, part in (("Slap House", "lead"), ("Deep House", "bass")):
        plan, _ = render.plan_track(genre, 1)
        heard = []
        for drive in (0.0, 0.35, 1.0):
            plan.drives[part] = drive
            audio = render.part_audio(plan, part, Painter(np.random.default_rng(0), 0.0), kind)[0]
            first = round(drop_bars(plan.sections)[0] * plan.bar_s * RATE_HZ)
            spectrum = np.abs(np.fft.rfft(audio[first : first + (1 << 18)])) ** 2
            bands = np.array([band.sum() for band in np.array_split(spectrum[400:80000], 200)])
            heard.append(float(np.exp(np.log(bands + 1e-9).mean()) / bands.mean()))
        assert heard[0] < heard[1] < heard[2]
