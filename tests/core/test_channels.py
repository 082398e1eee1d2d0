"""Channels: what the lights do, and exactly when."""

from __future__ import annotations

import numpy as np
import pytest

from housex_blender.core.channels import DIRECTED, HEARD, MOTION, compile_show
from housex_blender.core.errors import SceneError
from housex_blender.core.keys import KeyTrack
from housex_blender.core.looks import Look, hex_to_linear
from housex_blender.core.shots import shot_list
from housex_blender.core.show_heard import attack_release
from housex_blender.core.show_light import LIGHTS
from housex_blender.core.show_mix import COLOURS, genre_channel, genre_channels, trusted_probs
from housex_blender.core.show_times import steps
from housex_blender.core.timeline import Envelopes, Timeline

from ..conftest import make_timeline

RATES = [23.976, 24.0, 30.0, 60.0]


def frame(time_s: float, fps: float) -> int:
    return int(np.floor(time_s * fps + 1.5))


@pytest.mark.parametrize("fps", RATES)
@pytest.mark.parametrize("bpm", [117.37, 128.0])
def test_colours_change_on_the_frame_of_the_downbeat(fps: float, bpm: float) -> None:
    timeline = make_timeline(bpm)
    tracks = compile_show(timeline, Look(), fps)
    on = frame(float(timeline.grid.starts_s[16]), fps)
    before, after = hex_to_linear("#0000ff"), hex_to_linear("#00ff00")
    assert tracks["colour_a"].at(float(on - 1)) == pytest.approx(before, abs=1e-6)
    assert tracks["colour_a"].at(float(on)) == pytest.approx(after, abs=1e-6)
    assert tracks["colour_a"].at(1.0) == pytest.approx(before, abs=1e-6)
    assert tracks["colour_a"].at(1e6) == pytest.approx(after, abs=1e-6)


def test_colours_are_the_palette_mixed_by_probability() -> None:
    probs = make_timeline().probs.copy()
    probs[20] = 0
    probs[20, [0, 3]] = [0.25, 0.75]
    timeline = make_timeline(probs=probs)
    track = compile_show(timeline, Look(), 25.0)["colour_a"]
    inside = float(frame(float(timeline.grid.starts_s[20]), 25.0) + 3)
    # three times as likely counts 27 times as much
    wanted = (hex_to_linear("#0000ff") + 27 * hex_to_linear("#00ff00")) / 28
    assert track.at(inside) == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize("fps", RATES)
def test_a_kick_peaks_on_its_frame_and_is_gone_before_the_next(fps: float, timeline: Timeline) -> None:
    kick = compile_show(timeline, Look(), fps)["kick"]
    frames = np.arange(1, frame(timeline.mix.duration_s, fps))
    values = kick.at(frames.astype(float))[:, 0]
    for number, beat_s in enumerate(timeline.grid.beats_s):
        on = frame(float(beat_s), fps) - 1
        if number // 4 == 7:
            assert values[on] < 0.05, "no kick in the last bar of the build-up"
            continue
        window = values[max(on - 4, 0) : on + 5]
        assert values[on] > 0.9
        assert abs(int(np.argmax(window)) - min(on, 4)) <= 1
        assert values[max(on - 1, 0)] < 0.5 or on == 0


def test_builds_rise_and_drops_hit(timeline: Timeline) -> None:
    fps = 24.0
    tracks = compile_show(timeline, Look(), fps)
    build_on, drop_on = (frame(float(timeline.grid.starts_s[bar]), fps) for bar in (4, 8))
    rise = tracks["build"].at(np.linspace(build_on, drop_on - 1, 9))[:, 0]
    assert np.all(np.diff(rise) > 0)
    assert rise[-1] == pytest.approx(1.0, abs=0.02)
    assert float(tracks["build"].at(float(drop_on))[0]) == 0.0
    assert float(tracks["drop"].at(float(drop_on - 1))[0]) == 0.0
    assert float(tracks["drop"].at(float(drop_on))[0]) == pytest.approx(1.0)
    for name in LIGHTS:
        before, hit = tracks[name].at(np.array([drop_on - 1.0, drop_on]))[:, 0]
        assert hit > 4 * before, f"{name} holds its breath, then hits"
    later = tracks["displacement"].at(np.array([drop_on, drop_on + 6 * 48.0]))[:, 0]
    assert later[0] > 1.5 * later[1]


def test_the_way_is_the_integral_of_the_speed(timeline: Timeline) -> None:
    fps = 24.0
    tracks = compile_show(timeline, Look(), fps)
    frames = np.linspace(1, 1000, 20001)
    speed = tracks["speed"].at(frames)[:, 0]
    way = tracks["travel"].at(frames)[:, 0]
    summed = np.append(0.0, np.cumsum((speed[1:] + speed[:-1]) / 2 * np.diff(frames) / fps))
    assert way - way[0] == pytest.approx(summed, abs=0.02)
    assert np.all(np.diff(way) > 0)
    # no jerk: the speed read off the way is continuous
    assert np.abs(np.diff(np.diff(way))).max() < 1e-4


def test_the_camera_flies_faster_in_the_drop_than_in_the_break(timeline: Timeline) -> None:
    speed = compile_show(timeline, Look(), 24.0)["speed"]
    drop, rest = (frame(float(timeline.grid.starts_s[bar]), 24.0) + 10.0 for bar in (12, 20))
    assert float(speed.at(drop)[0]) > 1.5 * float(speed.at(rest)[0])


def test_every_channel_is_there_finite_and_in_range(timeline: Timeline) -> None:
    tracks = compile_show(timeline, Look(), 30.0)
    wanted = {*HEARD, *COLOURS, *LIGHTS, *MOTION, *DIRECTED, *(genre_channel(g) for g in timeline.model.genres)}
    assert set(tracks) == wanted
    frames = np.arange(1, 1500, dtype=float)
    for name in (*HEARD, *(genre_channel(g) for g in timeline.model.genres)):
        values = tracks[name].at(frames)
        assert values.min() >= -1e-6, name
        assert values.max() <= 1 + 1e-6, name
    assert all(track.width == (3 if name in COLOURS else 1) for name, track in tracks.items())


def test_of_bars_on_one_frame_the_last_counts() -> None:
    track = steps(np.array([1.0, 5.0, 5.0, 6.0]), np.array([0.0, 1.0, 2.0, 3.0]), 1.0)
    assert track.at(np.array([1.0, 4.0, 5.0, 6.0]))[:, 0] == pytest.approx([0, 0, 2, 3])
    timeline = make_timeline(bpm=480.0)
    assert compile_show(timeline, Look(), 1.0)
    frames = [frame for frame, _ in shot_list(timeline, Look(), 1.0)]
    assert frames == sorted(set(frames))


def test_every_genre_has_a_channel_of_its_own() -> None:
    genres = ("Bass House", "bass-house", "x" * 80, "x" * 80 + "y")
    names = genre_channels(genres)
    assert names[:2] == ["p_bass_house", "p_bass_house_2"]
    assert len(set(names)) == 4
    assert max(len(name.encode()) for name in names) <= 63


def test_keys_are_sparse() -> None:
    timeline = make_timeline(128.0, bars=480)
    tracks = compile_show(timeline, Look(), 60.0)
    n_frames = timeline.mix.duration_s * 60
    assert max(len(track.frames) for track in tracks.values()) < n_frames / 5
    assert len(tracks["colour_a"].frames) < 10


def test_uncertain_bars_take_the_look_of_a_certain_neighbour() -> None:
    probs = make_timeline().probs.copy()
    probs[10] = 0
    probs[10, 6] = 1.0
    uncertain = np.zeros(24, bool)
    uncertain[10] = True
    timeline = make_timeline(probs=probs, uncertain=uncertain)
    assert int(np.argmax(trusted_probs(timeline)[10])) == 0
    assert len(compile_show(timeline, Look(), 24.0)["colour_a"].frames) == 3


def test_a_likely_genre_shows_its_own_colours_and_not_the_grey_of_all_nine() -> None:
    probs = np.full((24, 9), 0.075, np.float32)
    probs[:, 0] = 0.4
    timeline = make_timeline(probs=probs)
    genres = timeline.model.genres

    def saturation(rgb: np.ndarray) -> float:
        return float(1.0 - rgb.min() / rgb.max())

    shown = compile_show(timeline, Look(), 24.0)["colour_a"].values[0]
    own = Look().palettes.linear_rgb(genres)[0, 0]
    grey = Look().palettes.mix(genres, probs)[0, 0]
    assert saturation(shown) > 0.9 > saturation(grey) + 0.1
    assert np.abs(shown - own).max() < 0.1
    # two that are as likely as each other still share the light, as in a crossfade
    probs = np.full((24, 9), 0.01, np.float32)
    probs[:, [0, 1]] = 0.465
    half = compile_show(make_timeline(probs=probs), Look(), 24.0)["colour_a"].values[0]
    assert half == pytest.approx(Look().palettes.linear_rgb(genres)[[0, 1], 0].mean(axis=0), abs=0.02)


def test_a_mix_nobody_understands_gets_one_steady_look_per_track() -> None:
    probs = np.random.default_rng(0).dirichlet(np.ones(9), 24).astype(np.float32)
    timeline = make_timeline(probs=probs, uncertain=np.ones(24, bool))
    assert len(compile_show(timeline, Look(), 24.0)["colour_a"].frames) == 3


def test_intensity_and_displacement_are_factors(timeline: Timeline) -> None:
    plain, strong = (compile_show(timeline, Look(intensity=i, displacement=i), 24.0) for i in (1.0, 2.0))
    for name in (*LIGHTS, "displacement"):
        at = [track[name].at(np.arange(1.0, 900.0)) for track in (plain, strong)]
        assert at[1] == pytest.approx(2 * at[0], abs=0.06), name
    dark = compile_show(timeline, Look(intensity=0.0), 24.0)
    assert all(np.all(dark[name].values == 0) for name in LIGHTS)


def test_a_mix_without_kicks_or_drops_still_compiles() -> None:
    silent = Envelopes(make_timeline().envelopes.values * 0)
    timeline = make_timeline(section=("break",) * 24, drops=(), tracks=(), energy=np.zeros(24), envelopes=silent)
    tracks = compile_show(timeline, Look(), 24.0)
    assert float(tracks["kick"].values.max()) == 0.0
    assert float(tracks["light_a"].values.min()) > 0.05, "a quiet passage is dim, not black"


def test_no_frame_rate_no_show(timeline: Timeline) -> None:
    with pytest.raises(SceneError, match="0 frames per second"):
        compile_show(timeline, Look(), 0)


def test_key_tracks_refuse_nonsense() -> None:
    for frames, values in (([], []), ([1, 1], [0, 0]), ([2, 1], [0, 0]), ([1, 2], [0]), ([1], [float("nan")])):
        with pytest.raises(SceneError):
            KeyTrack(np.array(frames, np.float32), np.array(values, np.float32))


def test_attack_and_release_are_time_constants() -> None:
    pulse = np.zeros(300)
    pulse[100:200] = 1.0
    followed = attack_release(pulse, 100.0, 50.0, 200.0)
    assert followed[99] == 0.0
    assert followed[104] == pytest.approx(1 - np.exp(-1.0), abs=0.01), "five steps of 10 ms are one attack of 50 ms"
    assert followed[199] == pytest.approx(1.0, abs=0.01)
    assert followed[219] == pytest.approx(np.exp(-1.0), abs=0.01), "twenty steps are one release of 200 ms"
    assert attack_release(pulse, 100.0, 0.0, 0.0) == pytest.approx(pulse)
