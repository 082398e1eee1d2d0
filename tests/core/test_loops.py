"""Loops: the end leads back to the start in every channel."""

from __future__ import annotations

import numpy as np
import pytest

from housex_blender.core.bars import frame_on
from housex_blender.core.channels import compile_show
from housex_blender.core.errors import SceneError
from housex_blender.core.flash_limit import tame
from housex_blender.core.keys import KeyTrack
from housex_blender.core.looks import Look
from housex_blender.core.loops import loop_span_s, looped, parse_loop, safe_loop, with_genre
from housex_blender.core.scene_kinds import COMMON_LAP_M
from housex_blender.core.show_mix import genre_channel
from housex_blender.core.timeline import Timeline

from ..conftest import make_timeline

FPS = 24.0


def loop_of(timeline: Timeline, bars: tuple[int, int], look: Look | None = None) -> tuple[dict, dict, int, int]:
    """Channels before and after, first frame, and the frame on which the first comes again."""
    channels = compile_show(timeline, look or Look(), FPS)
    first, end = (int(frame) for frame in frame_on(np.array(loop_span_s(timeline.grid, bars)), FPS))
    return channels, looped(channels, first, end - 1, fade_frames=48, loop_m=120.0), first, end


@pytest.mark.parametrize("bars", [(8, 16), (12, 20), (0, 4)])
def test_the_frame_after_the_last_is_the_first(bars: tuple[int, int]) -> None:
    channels, loop, first, end = loop_of(make_timeline(), bars)
    assert set(loop) == set(channels)
    for name, track in loop.items():
        if name != "travel":
            assert np.array_equal(track.at(float(first)), track.at(float(end))), name


def test_the_step_to_the_start_is_the_musics_own() -> None:
    """The drop that opens the loop hits each time: its last frame is the one before the drop."""
    channels, loop, first, end = loop_of(make_timeline(), (8, 16))
    for name in ("light_a", "kick", "displacement", "colour_a"):
        before = np.asarray(channels[name].at(float(first - 1)))
        assert np.asarray(loop[name].at(float(end - 1))) == pytest.approx(before, abs=1e-5), name


@pytest.mark.parametrize(("bars", "waves"), [((8, 16), 1), ((9, 17), 0), ((10, 18), 0), ((4, 12), 1), ((1, 9), 1)])
def test_shock_waves_run_forwards_and_whole(bars: tuple[int, int], waves: int) -> None:
    """Also where the loop begins behind a drop, or a wave of its last bar runs on at its start."""
    _, loop, first, end = loop_of(make_timeline(), bars)
    shock = np.asarray(loop["shock"].at(np.arange(first, end + 1, dtype=float)))[:, 0]
    steps = np.diff(np.concatenate([shock[:-1], shock]))
    begins = np.flatnonzero(steps < -1e-6)
    assert len(begins) == 2 * waves, "nothing but the start of a wave goes down"
    assert shock.min() < 0.01 if waves else shock.min() == 1.0
    assert steps[steps > 0].max(initial=0.0) < 0.02, "nothing jumps ahead"


def test_before_the_last_bar_nothing_changes() -> None:
    channels, loop, first, end = loop_of(make_timeline(), (8, 16))
    frames = np.arange(first, end - 48, dtype=float)
    for name in ("light_a", "energy", "displacement", "colour_b", "zoom"):
        assert np.asarray(loop[name].at(frames)) == pytest.approx(np.asarray(channels[name].at(frames)), abs=1e-5), name


def test_the_way_is_whole_lengths_at_a_steady_pace() -> None:
    channels, loop, first, end = loop_of(make_timeline(), (8, 16))
    way = np.asarray(loop["travel"].at(np.arange(first, end + 1, dtype=float)))[:, 0]
    lengths = (way[-1] - way[0]) / 120.0
    assert lengths == pytest.approx(round(lengths), abs=1e-4)
    assert lengths >= 1
    steps = np.diff(way)
    assert steps.min() > 0.0
    # no lurch where it begins again: the step across the seam is like its neighbours
    assert abs(steps[-1] - steps[0]) < 0.1 * steps.mean()
    # and about as quick as the mix is there
    real = np.diff(np.asarray(channels["travel"].at(np.array([first, end], dtype=float)))[:, 0])[0]
    assert 0.5 < (way[-1] - way[0]) / real < 2.0


def test_laps_that_a_cut_took_away_are_not_travelled_back() -> None:
    channels, loop, first, end = loop_of(make_timeline(), (8, 16))
    frames = np.arange(1, end + 100, dtype=np.float64)
    way = np.asarray(channels["travel"].at(frames))
    way[frames >= (first + end) // 2] -= COMMON_LAP_M
    cut = {**channels, "travel": KeyTrack(frames.astype(np.float32), way.astype(np.float32), "LINEAR")}
    again = looped(cut, first, end - 1, fade_frames=48, loop_m=120.0)
    span = np.arange(first, end + 1, dtype=float)
    assert np.asarray(again["travel"].at(span)) == pytest.approx(np.asarray(loop["travel"].at(span)), abs=0.01)


def test_a_camera_that_stands_still_stays_there() -> None:
    _, loop, first, end = loop_of(make_timeline(), (8, 12), Look(speed=0.0))
    assert np.ptp(np.asarray(loop["travel"].at(np.arange(first, end + 1, dtype=float)))) == 0.0


def test_where_no_length_fits_the_camera_comes_back() -> None:
    channels = compile_show(make_timeline(), Look(), FPS)
    first, end = (int(frame) for frame in frame_on(np.array(loop_span_s(make_timeline().grid, (8, 12))), FPS))
    for loop_m in (0.0, 5000.0):
        loop = looped(channels, first, end - 1, fade_frames=48, loop_m=loop_m)
        way = np.asarray(loop["travel"].at(np.arange(first, end + 1, dtype=float)))[:, 0]
        assert way[0] == way[-1]
        assert np.argmax(way) == pytest.approx(len(way) / 2, abs=1)
        total_m = np.diff(np.asarray(channels["travel"].at(np.array([first, end], dtype=float)))[:, 0])[0]
        assert np.abs(np.diff(way)).sum() == pytest.approx(total_m, rel=0.01), "no faster than it was"


def test_drift_goes_to_and_fro_and_beats_stay_whole() -> None:
    frames = np.arange(1.0, 102.0)
    saw = KeyTrack(frames, (frames - 1.0) % 10.0 / 9.0)
    loop = looped({"drift": KeyTrack([1.0, 101.0], [-1.0, 1.0]), "pulse_at": saw}, 11, 50, fade_frames=10)
    at = np.arange(11.0, 52.0)
    drift, beat = (np.asarray(loop[name].at(at))[:, 0] for name in ("drift", "pulse_at"))
    assert drift[0] == drift[-1] == pytest.approx(-1.0)
    assert drift.max() == pytest.approx(1.0)
    assert np.abs(np.diff(drift)).max() < 0.2
    assert beat == pytest.approx(np.append((at[:-1] - 1.0) % 10.0 / 9.0, 0.0), abs=1e-6)


def test_words() -> None:
    assert parse_loop("b33:b49") == (32, 48)
    assert parse_loop("B1:9", make_timeline().grid) == (0, 8)
    for text, what in (("33-49", "not a loop"), ("b9:b9", "repeat"), ("b1:b7", "6 bars"), ("b0:b8", "no bar 0"),
                       ("b1:b2", "of 1 bar does"), ("b33:b32", "Its end comes before its start")):  # fmt: skip
        with pytest.raises(SceneError, match=what):
            parse_loop(text)
    with pytest.raises(SceneError, match="no bar 28"):
        parse_loop("b21:b29", make_timeline().grid)
    with pytest.raises(SceneError, match="too short"):
        looped({}, 5, 5, fade_frames=4)


def test_another_genre_paints_the_whole_mix() -> None:
    timeline = with_genre(make_timeline(), "bass")
    channels = compile_show(timeline, Look(), FPS)
    assert np.asarray(channels[genre_channel("Bass House")].at(np.array([10.0, 400.0, 900.0]))).min() == 1.0
    with pytest.raises(SceneError, match="no sub-genre"):
        with_genre(make_timeline(), "Polka")


def test_a_loop_stays_safe_however_often_it_is_repeated() -> None:
    """Five flashes in the second before its end, three in the one after its start."""
    frames = np.arange(0.0, 97.0)
    beats = {"light_a": np.where(frames % 6 < 2, 1.0, 0.0), "light_b": 0.1 + 0 * frames, "light_c": 0.1 + 0 * frames}
    loop = {name: KeyTrack(frames, level) for name, level in beats.items()}
    loop |= {f"colour_{slot}": KeyTrack([0.0], np.ones((1, 3))) for slot in "abc"}
    loop["pulse"], loop["pulse_at"] = KeyTrack([0.0], [0.0]), KeyTrack([0.0], [1.0])
    loop["travel"] = KeyTrack([0.0, 96.0], [0.0, 120.0])
    safe, tamed = safe_loop(loop, 0, 96, 24.0)
    assert tamed.before > tamed.after
    assert all(-1.0 <= start_s < 4.0 for start_s, _ in tamed.seconds)
    for name, track in safe.items():
        if name != "travel":
            assert np.allclose(track.at(0.0), track.at(96.0)), name
    assert float(safe["travel"].at(96.0)[0]) == 120.0
    thrice = np.arange(0.0, 288.0)
    again = {name: KeyTrack(thrice, track.at(thrice % 96)) for name, track in safe.items()}
    assert tame(again, 24.0)[1].seconds == ()
