"""The third set: known truth, beats in place, the same track every time."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from housex_blender.core.attributes import ATTRIBUTES
from housex_blender.core.errors import HouseXError
from housex_blender.core.genres import GENRES
from trainer.labelled import Labelled
from trainer.third import SEEDS, render_third_track, sources, writing
from trainer.third.styles import POOLS, STYLES, VOICES

needs_sounds = pytest.mark.skipif(
    bool(sources.missing()), reason=f"sources of sounds are missing: {', '.join(sources.missing())}"
)


@cache
def track(genre: str) -> Labelled:
    return render_third_track(genre, GENRES.index(genre) % len(SEEDS))


def level(labelled: Labelled, section: str) -> float:
    bars = [bar for bar, name in enumerate(labelled.sections) if name == section]
    pieces = [labelled.audio[int(labelled.starts_s[bar] * 44100) : int(labelled.ends_s[bar] * 44100)] for bar in bars]
    return float(np.sqrt(np.mean(np.concatenate(pieces) ** 2)))


def test_a_cell_has_the_level_it_is_filed_under():
    tables = [writing.MELODY_CELLS, *writing.BASS_CELLS.values()]
    for table in tables:
        for rhythm, cells in table.items():
            for cell in cells:
                assert writing.level_of(list(cell)) == rhythm, cell


def test_every_genre_is_written_with_known_voices():
    assert set(STYLES) == set(GENRES)
    for style in STYLES.values():
        for role, names in style.voices.items():
            assert set(names) | set(POOLS[role]) <= set(VOICES)


def test_plans_have_enough_bars():
    for seed in range(50):
        plan = writing.draw_plan(np.random.default_rng(seed))
        assert 40 <= sum(bars for _, bars in plan) <= 64
        assert sum(bars for name, bars in plan if name == "drop") >= 16


def test_missing_sounds_are_named_with_the_way_to_install_them(monkeypatch):
    monkeypatch.setitem(sources._PLACES, "freepats", ("/nowhere",))
    with pytest.raises(HouseXError, match=r"freepats.*apt-get install"):
        sources.check()


@needs_sounds
@pytest.mark.parametrize("genre", GENRES)
def test_audio_is_sound_and_drops_are_the_loudest(genre):
    found = track(genre)
    assert found.audio.dtype == np.float32
    assert np.isfinite(found.audio).all()
    assert 0.4 < np.abs(found.audio).max() <= 1.0
    assert abs(len(found.audio) / 44100 - found.beats_s[-1]) < 0.001
    assert level(found, "drop") > 1.1 * level(found, "break")


@needs_sounds
@pytest.mark.parametrize("genre", GENRES)
def test_truth_of_drops_lies_in_the_published_intervals(genre):
    found, style = track(genre), STYLES[genre]
    drops = found.attributes[[name == "drop" for name in found.sections]]
    assert len(drops) >= 16
    for column, (low, high) in enumerate((style.groove, style.rhythm, style.distortion, style.organicity)):
        assert drops[:, column].min() >= low - 1e-4, ATTRIBUTES[column]
        assert drops[:, column].max() <= high + 1e-4, ATTRIBUTES[column]
    for part in ("lead", "chord", "bass"):
        chance = getattr(style, part)
        present = drops[:, ATTRIBUTES.index(part)].mean()
        assert chance not in (0, 1) or abs(present - chance) < 0.2, part


@needs_sounds
@pytest.mark.parametrize("genre", GENRES)
def test_kicks_fall_on_the_beats_of_drops(genre):
    found = track(genre)
    mono = found.audio.mean(1)
    spectrum_hits = []
    for bar, name in enumerate(found.sections):
        if name != "drop":
            continue
        for beat in found.beats_s[4 * bar : 4 * bar + 4]:
            start = round(beat * 44100)
            low = sources.RATE_HZ // 25
            after = np.abs(np.fft.rfft(mono[start : start + low]))[2:9].sum()
            # the same stretch in front of the beat, where the last kick has died away
            before = np.abs(np.fft.rfft(mono[max(0, start - low) : start], low))[2:9].sum()
            spectrum_hits.append(after > 1.15 * before)
    assert np.mean(spectrum_hits) > 0.85


@needs_sounds
def test_the_same_seed_gives_the_same_track_and_another_seed_another():
    first = track("Slap House")
    again = render_third_track("Slap House", GENRES.index("Slap House") % len(SEEDS))
    np.testing.assert_array_equal(first.audio, again.audio)
    np.testing.assert_array_equal(first.attributes, again.attributes)
    other = render_third_track("Slap House", (GENRES.index("Slap House") + 1) % len(SEEDS))
    assert first.audio.shape != other.audio.shape or not np.array_equal(first.audio, other.audio)


@needs_sounds
def test_nothing_tonal_means_no_scales():
    for genre in GENRES:
        truth = track(genre).attributes
        silent = truth[:, 4:].sum(1) == 0
        assert np.isnan(truth[silent, :4]).all()
        assert not np.isnan(truth[~silent, :4]).any()
