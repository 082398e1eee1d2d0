"""The second generator: kicks on the beats, truth inside the published intervals, mixes whose truth adds up."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from housex_blender.core.attributes import ATTRIBUTES
from housex_blender.core.errors import HouseXError
from housex_blender.core.genres import GENRES
from trainer.labelled import Labelled
from trainer.second import facts, render, score
from trainer.second.mixes import render_second_mix
from trainer.second.render import render_second_track

try:
    render.sources()
except HouseXError as error:
    MISSING = str(error)
else:
    MISSING = ""
needs_sounds = pytest.mark.skipif(bool(MISSING), reason=MISSING or "sounds are there")
AT = {name: i for i, name in enumerate(ATTRIBUTES)}


@pytest.fixture(scope="module")
def tracks() -> dict[str, Labelled]:
    return {genre: render_second_track(genre, 5) for genre in ("Bigroom", "Tech House", "Progressive House")}


@pytest.fixture(scope="module")
def mix() -> Labelled:
    return render_second_mix(1, 3)


def drop_of(track: Labelled) -> np.ndarray:
    return np.array([section == "drop" for section in track.sections])


def loudness_of(track: Labelled, bars: np.ndarray) -> float:
    pieces = [track.audio[int(track.starts_s[b] * 44100) : int(track.ends_s[b] * 44100)] for b in np.flatnonzero(bars)]
    return render.loudness(np.concatenate(pieces))


@pytest.mark.parametrize("level", [1, 2, 3, 4, 5])
def test_a_cell_is_exactly_as_fine_as_asked(level: int) -> None:
    rng = np.random.default_rng(level)
    for _ in range(60):
        assert score.fineness(list(score.cell(rng, level))) == level


def test_fineness_of_known_rhythms() -> None:
    assert score.fineness([0, 8, 16, 24]) == 1
    assert score.fineness([4, 12, 20, 28]) == 2
    assert score.fineness([0, 2, 4, 8]) == 3
    assert score.fineness([0, 6, 12, 18]) == 4
    assert score.fineness([0, 24, 25, 26]) == 5
    assert np.isnan(score.fineness([]))


def test_plans_have_the_length_a_track_needs() -> None:
    rng = np.random.default_rng(0)
    for i in range(100):
        bars = score.plan(rng, bool(i % 2))
        assert 40 <= len(bars) <= 64
        assert bars.count("drop") >= 16
        assert all(a % 4 == 0 for _, a, _ in render.runs(bars))


@pytest.mark.parametrize("genre", GENRES)
def test_every_draw_keeps_the_published_intervals(genre: str) -> None:
    """Truth follows from the drawing, so many draws are checked without sound."""
    known = facts.FACTS[genre]
    for seed in range(25):
        rng = np.random.default_rng(seed)
        draw = render._draw(rng, {genre: 1.0}, None, False)
        beats = render._kick_beats(rng, draw)
        table = render._truth(draw, beats, 3 * (draw.scales["groove"] - 1))
        drop = table[np.array(draw.sections) == "drop"]
        assert known.bpm[0] <= draw.bpm <= known.bpm[1]
        assert len(draw.parts) > 0
        for scale in ("groove", "distortion", "organicity"):
            low, high = getattr(known, scale)
            # a voice that joins the second half may move the weights a little, never out of the interval by much
            assert np.all(drop[:, AT[scale]] >= low - 0.3), scale
            assert np.all(drop[:, AT[scale]] <= high + 0.3), scale
        finest = drop[:, AT["rhythm"]].max()
        assert known.rhythm[0] <= finest <= known.rhythm[1]
        for part in ("lead", "chord", "bass"):
            if getattr(known, part) in (0, 1):
                assert np.all(drop[:, AT[part]] == getattr(known, part)), part


def test_genres_share_voices() -> None:
    heard: dict[str, set[str]] = {}
    for genre in GENRES:
        for seed in range(25):
            draw = render._draw(np.random.default_rng(seed), {genre: 1.0}, None, False)
            for part in draw.parts:
                for voice in part.voices:
                    if voice:
                        heard.setdefault(voice, set()).add(genre)
    assert len(heard) > 50
    assert np.mean([len(genres) > 2 for genres in heard.values()]) > 0.6


@needs_sounds
def test_sound_is_clean_and_as_long_as_its_beats(tracks: dict[str, Labelled]) -> None:
    for track in tracks.values():
        assert np.isfinite(track.audio).all()
        assert np.abs(track.audio).max() <= 1
        assert abs(track.audio.mean()) < 5e-3
        assert abs(len(track.audio) / 44100 - track.beats_s[-1]) < 1e-3


@needs_sounds
def test_kicks_fall_on_the_beats_of_the_drop(tracks: dict[str, Labelled]) -> None:
    sos = signal.butter(4, 120, fs=44100, output="sos")
    for genre, track in tracks.items():
        low = np.square(signal.sosfilt(sos, track.audio.mean(axis=1)))
        kicks = track.facts["kick_beats"]
        rises = []
        for beat in np.flatnonzero(np.repeat(drop_of(track), 4) & np.asarray(kicks)):
            at = int(track.beats_s[beat] * 44100)
            if at > 2000:
                rises.append(low[at + 220 : at + 3000].mean() / (low[at - 1500 : at].mean() + 1e-9))
        assert np.median(rises) > 1.5, genre


@needs_sounds
def test_drops_are_louder_than_breaks(tracks: dict[str, Labelled]) -> None:
    for genre, track in tracks.items():
        quiet = np.array([section == "break" for section in track.sections])
        if quiet.any():
            assert loudness_of(track, drop_of(track)) > loudness_of(track, quiet) + 1, genre


@needs_sounds
def test_the_same_seed_gives_the_same_track(tracks: dict[str, Labelled]) -> None:
    again = render_second_track("Bigroom", 5)
    assert np.array_equal(again.audio, tracks["Bigroom"].audio)
    assert np.array_equal(again.attributes, tracks["Bigroom"].attributes, equal_nan=True)


@needs_sounds
def test_soft_labels_are_kept_and_checked() -> None:
    track = render_second_track("Deep House", 3, shares={"Deep House": 0.75, "Tech House": 0.25})
    assert track.probs[0, GENRES.index("Deep House")] == 0.75
    with pytest.raises(ValueError):
        render_second_track("Deep House", 3, shares={"Deep House": 0.75})
    with pytest.raises(ValueError):
        render_second_track("Polka", 3)


@needs_sounds
def test_truth_of_a_mix_adds_up(mix: Labelled) -> None:
    assert np.allclose(mix.probs.sum(axis=1), 1, atol=1e-5)
    assert np.all(np.diff(mix.track) >= 0)
    assert set(mix.track) == {0, 1, 2}
    assert abs(len(mix.audio) / 44100 - mix.beats_s[-1]) < 1e-3
    assert np.abs(mix.audio).max() <= 1
    # outside crossfades one genre sounds, inside them never more than two
    assert np.all(mix.probs[~mix.crossfade].max(axis=1) > 0.999)
    assert (mix.probs > 0).sum(axis=1).max() <= 2
    overlaps = mix.facts["overlaps_bars"]
    assert isinstance(overlaps, list)
    assert mix.crossfade.sum() == sum(overlaps)
    for change in np.flatnonzero(np.diff(mix.track)) + 1:
        assert mix.crossfade[change] or not mix.crossfade[change - 1]
        assert change % 4 == 0


@needs_sounds
def test_the_genre_of_a_mix_bar_is_the_track_that_holds_it(mix: Labelled) -> None:
    genres = mix.facts["genres"]
    assert isinstance(genres, list)
    for bar in np.flatnonzero(~mix.crossfade):
        assert GENRES[int(mix.probs[bar].argmax())] == genres[mix.track[bar]]


def test_a_missing_program_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(render.shutil, "which", lambda name: None)
    with pytest.raises(HouseXError, match="csound"):
        render.sources()
