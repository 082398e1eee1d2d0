"""Channels of the directed show: pulses, black, space, characters, transitions, camera."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from housex_blender.core.bars import BarGrid, frame_on
from housex_blender.core.channels import compile_show
from housex_blender.core.edits import add_edit
from housex_blender.core.flash_limit import predicted_rgb
from housex_blender.core.flashes import count_flashes
from housex_blender.core.genres import GENRES
from housex_blender.core.keys import KeyTrack
from housex_blender.core.looks import LUMINANCE, Look, hex_to_linear
from housex_blender.core.manners import CAMERAS, CHARACTERS, DEFAULT_CHARACTERS
from housex_blender.core.scene_kinds import COMMON_LAP_M, LOOP_M
from housex_blender.core.shots import shot_list
from housex_blender.core.show_heard import kick_frames
from housex_blender.core.show_light import LIGHTS
from housex_blender.core.show_mix import overlaps, trusted_probs
from housex_blender.core.show_times import Clock
from housex_blender.core.span_edits import genre_edit, lock_edit
from housex_blender.core.timeline import DropSpan, Envelopes, Timeline, TrackSpan

from ..conftest import make_timeline

FPS = 24.0
RATES = [23.976, 24.0, 30.0, 60.0]
BUILD, DROP, BREAK = (4, 8), (8, 16), (16, 24)


def lines(timeline: Timeline, fps: float = FPS) -> np.ndarray:
    """Frame of every bar line."""
    return frame_on(timeline.grid.edges_s, fps).astype(int)


def on_bars(track: KeyTrack, timeline: Timeline, first: int, end: int, fps: float = FPS) -> np.ndarray:
    """Values on every frame of these bars."""
    edges = lines(timeline, fps)
    return track.at(np.arange(edges[first], edges[end], dtype=float))[:, 0]


def mixed(timeline: Timeline, fade_in: int | None, fade_out: int | None) -> Timeline:
    """The same two records, of which the second is heard from and the first is heard to these bars."""
    first, second = timeline.tracks
    return replace(timeline, tracks=(replace(first, fade_out_bar=fade_out), replace(second, fade_in_bar=fade_in)))


# -- light -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fps", RATES)
@pytest.mark.parametrize("intensity", [0.02, 1.0, 3.0])
def test_the_beat_before_a_drop_is_black_and_nothing_else_is(fps: float, intensity: float) -> None:
    timeline = make_timeline()
    tracks = compile_show(timeline, Look(intensity=intensity), fps)
    hit = lines(timeline, fps)[8]
    begin = int(frame_on(timeline.grid.starts_s[8] - 0.5, fps))
    for name in LIGHTS:
        assert np.all(tracks[name].at(np.arange(begin, hit, dtype=float)) == 0.0), name
        shown = tracks[name].at(np.r_[1:begin, hit : lines(timeline, fps)[-1]].astype(float))[:, 0]
        assert shown.min() > 0.02 * intensity, name
        assert tracks[name].at(float(hit))[0] >= 0.95 * shown.max(), f"{name}: full light on the frame of the drop"


def test_a_drop_without_a_build_up_needs_no_black() -> None:
    section = ("break",) * 8 + ("drop",) * 8 + ("break",) * 8
    tracks = compile_show(make_timeline(section=section, drops=(DropSpan(8, 16),)), Look(), FPS)
    assert min(tracks[name].values.min() for name in LIGHTS) > 0.02


@pytest.mark.parametrize("genre", range(9))
def test_drops_are_brighter_and_livelier_than_breaks_by_far(genre: int) -> None:
    probs = np.eye(9, dtype=np.float32)[np.full(24, genre)]
    timeline = make_timeline(probs=probs, energy=np.full(24, 0.5))
    tracks = compile_show(timeline, Look(), FPS)
    for name in LIGHTS:
        drop, rest = (on_bars(tracks[name], timeline, *bars) for bars in (DROP, BREAK))
        assert drop.mean() >= 2 * rest.mean(), f"{name}, whatever the energy says"
        assert rest.min() > 0.05, "dim, not black"
    for name in ("displacement", "speed"):
        drop, rest = (on_bars(tracks[name], timeline, *bars) for bars in (DROP, (18, 24)))
        assert drop.mean() >= 2 * rest.mean(), name
    moved = tracks[DEFAULT_CHARACTERS[GENRES[genre]]]
    assert on_bars(moved, timeline, *DROP).mean() >= 2 * on_bars(moved, timeline, *BREAK).mean()


def test_build_ups_darken_narrow_and_accelerate(timeline: Timeline) -> None:
    tracks = compile_show(timeline, Look(), FPS)
    beat = int(FPS / 2)
    for name in ("light_a", "light_b"):
        light = on_bars(tracks[name], timeline, *BUILD)[:-beat]
        assert light[-4 * beat :].mean() < 0.5 * light[: 4 * beat].mean(), name
    accent = on_bars(tracks["light_c"], timeline, *BUILD)[:-beat]
    assert accent[-beat:].mean() > 1.1 * accent[:beat].mean()
    for name in ("narrow", "speed", "zoom"):
        values = on_bars(tracks[name], timeline, *BUILD)
        assert np.all(np.diff(values[beat:]) > -1e-6), name
        assert values[-beat] > values[beat] + 0.3, name
    hit = float(lines(timeline)[8])
    assert tracks["narrow"].at(np.array([hit - 1, hit]))[:, 0] == pytest.approx([1.0, 0.0])


@pytest.mark.parametrize("fps", RATES)
def test_between_two_beats_light_only_falls_unless_a_kick_is_heard(fps: float, timeline: Timeline) -> None:
    """The bound: what a frame adds to the light between two beats sums to 0.03 at most."""
    values = timeline.envelopes.values.copy()
    rng = np.random.default_rng(4)
    values[:, 2:4] = rng.random((len(values), 2))  # hats and voices as wild as can be
    timeline = replace(timeline, envelopes=replace(timeline.envelopes, values=values))
    tracks = compile_show(timeline, Look(), fps)
    beats = frame_on(timeline.grid.beats_s, fps).astype(int)
    kicks = kick_frames(timeline, Clock(fps, 1))[0]
    drops = lines(timeline, fps)[8] + np.arange(int(4 * fps))
    for name in LIGHTS:
        for begin, end in pairwise(beats):
            inside = np.arange(begin, end)
            if np.isin(inside[1:], kicks).any() or (name != "light_a" and np.isin(inside, drops).any()):
                continue
            frames = tracks[name].at(inside.astype(float))[:, 0]
            rise, fall = np.clip(np.diff(frames), 0, None).sum(), np.clip(-np.diff(frames), 0, None).sum()
            assert min(rise, fall) <= 0.03, f"{name} goes up and down in the beat at frame {begin}"
            if name == "light_a":
                assert rise <= 0.03, "the key light only falls"


@pytest.mark.parametrize("fps", RATES)
def test_the_key_light_peaks_on_the_frame_of_every_kick(fps: float, timeline: Timeline) -> None:
    tracks = compile_show(timeline, Look(), fps)
    for on in kick_frames(timeline, Clock(fps, 1))[0]:
        frames = np.arange(on - 2, on + 3)
        # as it is seen: another genre's colour may be darker or lighter
        around = tracks["light_a"].at(frames)[:, 0] * (tracks["colour_a"].at(frames) @ LUMINANCE)
        assert np.argmax(around) == 2, f"the kick on frame {on}"


def test_a_kick_between_two_beats_is_seen(timeline: Timeline) -> None:
    values = timeline.envelopes.values.copy()
    off_s = float(timeline.grid.beats_s[40]) + 0.25
    values[round(off_s * 100) : round(off_s * 100) + 3, 4] = [1.0, 0.5, 0.2]
    timeline = replace(timeline, envelopes=replace(timeline.envelopes, values=values))
    light = compile_show(timeline, Look(), FPS)["light_a"]
    on = float(frame_on(off_s, FPS))
    assert light.at(on)[0] > light.at(on - 1)[0] + 0.4


def test_what_may_harm_is_softened_unless_it_is_allowed() -> None:
    """White light, a kick on every eighth note: more than four flashes a second."""
    timeline = make_timeline(128.0, probs=np.eye(9, dtype=np.float32)[np.ones(24, int)], energy=np.ones(24))
    values = timeline.envelopes.values.copy()
    for beat_s in timeline.grid.beats_s + 15.0 / 64.0:
        values[round(beat_s * 100) : round(beat_s * 100) + 3, 4] = [1.0, 0.5, 0.2]
    timeline = replace(timeline, envelopes=replace(timeline.envelopes, values=values))
    for allowed in (True, False):
        tracks = compile_show(timeline, Look(intensity=3.0), FPS, allow_flashes=allowed)
        assert count_flashes(predicted_rgb(tracks)[1], FPS).passes is not allowed
    kicks = np.unique(frame_on(timeline.grid.starts_s[8:], FPS))
    assert np.all(tracks["light_a"].at(kicks) > tracks["light_a"].at(kicks - 1.0)), "kicks are still seen"


# -- pulses ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fps", RATES)
def test_a_pulse_sets_off_on_every_beat_and_arrives_before_the_next(fps: float, timeline: Timeline) -> None:
    tracks = compile_show(timeline, Look(), fps)
    beats = frame_on(timeline.grid.beats_s, fps)
    drop = (timeline.grid.bar_of_beat >= 8) & (timeline.grid.bar_of_beat < 16)
    for begin, end in zip(beats[drop][:-1], beats[drop][1:], strict=True):
        at = tracks["pulse_at"].at(np.arange(begin, end))[:, 0]
        assert at == pytest.approx(np.linspace(0, 1, len(at)), abs=1e-4)
        strength = tracks["pulse"].at(np.arange(begin, end))[:, 0]
        assert strength[0] == pytest.approx(1.0), "a kick stands here"
        assert np.all(np.diff(strength) < 0)
    # 2 keys per beat, and no pulse where no kick is heard
    assert len(tracks["pulse_at"].frames) < 2.5 * len(beats) + 24
    quiet = compile_show(
        replace(timeline, envelopes=replace(timeline.envelopes, values=timeline.envelopes.values * 0)), Look(), fps
    )
    assert on_bars(quiet["pulse"], timeline, 9, 24, fps).max() == 0.0


def test_pulses_hurry_towards_a_drop(timeline: Timeline) -> None:
    long = replace(timeline, section=("build",) * 8 + timeline.section[8:])
    at = compile_show(long, Look(), FPS)["pulse_at"]
    for bar, wanted in ((3, 4), (4, 8), (6, 8), (7, 16), (8, 4)):
        values = on_bars(at, long, bar, bar + 1)
        starts = np.flatnonzero(values == 0.0)
        assert len(starts) == wanted, f"bar {bar}"
        assert starts == pytest.approx(np.arange(wanted) * 48 / wanted, abs=0.51)
    # a build-up that leads nowhere stays on the beat
    nowhere = replace(long, drops=(), section=("build",) * 8 + ("break",) * 16)
    at = compile_show(nowhere, Look(), FPS)["pulse_at"]
    assert (on_bars(at, nowhere, 7, 8) == 0.0).sum() == 4


def test_pulses_of_a_build_up_need_no_kick_and_keep_out_of_the_black(timeline: Timeline) -> None:
    pulse = compile_show(timeline, Look(), FPS)["pulse"]
    last = on_bars(pulse, timeline, 7, 8)
    assert last[:36].max() > 0.5, "no kick is heard in the last bar of this build-up"
    assert last[36:].max() == 0.0
    assert pulse.at(float(lines(timeline)[8]))[0] == pytest.approx(1.0)


def test_a_shock_wave_runs_for_two_bars_of_each_drop(timeline: Timeline) -> None:
    shock = compile_show(timeline, Look(), FPS)["shock"]
    hit = float(lines(timeline)[8])
    assert shock.at(np.array([1.0, hit - 1, hit, hit + 24, hit + 48, hit + 96, 1e5]))[:, 0] == pytest.approx(
        [1.0, 1.0, 0.0, 0.25, 0.5, 1.0, 1.0]
    )
    # two drops within two bars, and one in the last bar
    section = ("drop",) * 24
    many = make_timeline(section=section, drops=(DropSpan(0, 8), DropSpan(8, 9), DropSpan(9, 23), DropSpan(23, 24)))
    shock = compile_show(many, Look(), FPS)["shock"]
    for bar in (0, 8, 9, 23):
        assert shock.at(float(lines(many)[bar]))[0] == 0.0, bar
    assert shock.at(float(lines(many)[9] - 1))[0] == pytest.approx(0.5, abs=0.02), "cut short by the next"
    assert 0.0 <= shock.values.min() <= shock.values.max() <= 1.0


# -- space and walls -------------------------------------------------------------------------------------------


def test_breaks_open_over_two_bars_and_close_over_two(timeline: Timeline) -> None:
    section = ("intro",) * 4 + ("break",) * 8 + ("drop",) * 12
    here = make_timeline(section=section, drops=(DropSpan(12, 24),))
    opened = compile_show(here, Look(), FPS)["open"]
    at = opened.at(lines(here)[[0, 4, 5, 6, 12, 13, 14, 20]].astype(float))[:, 0]
    assert at == pytest.approx([0, 0, 0.5, 1, 1, 0.5, 0, 0], abs=1e-3)
    assert np.abs(np.diff(on_bars(opened, here, 0, 24))).max() < 0.03, "no step"


def test_a_build_up_that_leads_nowhere_lets_go_softly() -> None:
    section = ("build",) * 8 + ("break",) * 16
    here = make_timeline(section=section, drops=())
    tracks = compile_show(here, Look(), FPS)
    assert np.abs(np.diff(on_bars(tracks["narrow"], here, 0, 24))).max() < 0.05
    assert on_bars(tracks["narrow"], here, 10, 24).max() == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("genre", GENRES)
def test_each_genre_moves_in_its_own_character(genre: str) -> None:
    probs = np.eye(9, dtype=np.float32)[np.full(24, GENRES.index(genre))]
    tracks = compile_show(make_timeline(probs=probs), Look(), FPS)
    frames = np.arange(1.0, 1100.0)
    moved = {name: tracks[name].at(frames)[:, 0] for name in CHARACTERS}
    own = moved.pop(DEFAULT_CHARACTERS[genre])
    whole = tracks["displacement"].at(frames)[:, 0]
    assert own.mean() == pytest.approx(whole.mean(), rel=0.5), "about as far as walls go in all"
    assert own.max() > 0.7
    assert all(np.all(other == 0) for other in moved.values())


@pytest.mark.parametrize(
    ("genre", "band"), [("Deep House", 1), ("Bass House", 2), ("Future House", 3), ("Bigroom", 0), ("Future Rave", 4)]
)
def test_each_character_moves_with_its_own_band(genre: str, band: int) -> None:
    probs, name = np.eye(9, dtype=np.float32)[np.full(24, GENRES.index(genre))], DEFAULT_CHARACTERS[genre]
    quiet = make_timeline(probs=probs, envelopes=Envelopes(np.zeros((4875, 6), np.float32)))
    frames = np.arange(480.0, 720.0)
    rest = compile_show(quiet, Look(), FPS)[name].at(frames)[:, 0]
    moved = []
    for column in range(5):
        values = np.zeros((4875, 6), np.float32)
        for beat_s in quiet.grid.beats_s:
            values[round(beat_s * 100) : round(beat_s * 100) + 20, column] = np.linspace(1.0, 0.0, 20)
        heard = compile_show(replace(quiet, envelopes=Envelopes(values)), Look(), FPS)[name].at(frames)[:, 0]
        moved.append(float(np.ptp(heard - rest)))
    assert int(np.argmax(moved)) == band
    assert moved[band] > 0.04
    assert max(moved[:band] + moved[band + 1 :]) < 0.03


def test_a_way_too_long_for_32_bits_loses_whole_laps_on_cuts_alone() -> None:
    timeline = make_timeline(bpm=6.0)
    look = Look(speed=4.0)
    tracks = compile_show(timeline, look, FPS)
    travel, speed = tracks["travel"], tracks["speed"]
    frames = np.arange(1.0, 24.0 * 960.0)
    way = travel.at(frames)[:, 0].astype(np.float64)
    back = np.flatnonzero(np.diff(way) < 0)
    assert len(back), "it goes further than a lap"
    assert {int(frames[one + 1]) for one in back} <= {frame for frame, _ in shot_list(timeline, look, FPS)}
    step = np.diff(way)
    assert (step[back] + COMMON_LAP_M * np.round(-step[back] / COMMON_LAP_M)).min() > 0
    laps = np.round((step - speed.at(frames[:-1] + 0.5)[:, 0] / FPS) / COMMON_LAP_M)
    assert step - laps * COMMON_LAP_M == pytest.approx(speed.at(frames[:-1] + 0.5)[:, 0] / FPS, abs=0.02)
    assert all(COMMON_LAP_M % lap == 0 for lap in LOOP_M.values())


def test_characters_mix_as_the_genres_do_and_change_on_the_downbeat() -> None:
    probs = np.zeros((24, 9), np.float32)
    probs[:16, [0, 1]] = 0.5
    probs[16:, 6] = 1.0
    look = Look(characters={"Future House": "ribs", "Bigroom": "shards"})
    timeline = make_timeline(probs=probs)
    tracks = compile_show(timeline, look, FPS)
    here, change = np.arange(10.0, 700.0), float(lines(timeline)[16])
    alone = {}
    for genre, name in ((0, "ribs"), (1, "shards")):
        one = make_timeline(probs=np.eye(9, dtype=np.float32)[np.full(24, genre)])
        alone[name] = compile_show(one, look, FPS)[name].at(here)[:, 0]
        assert tracks[name].at(here)[:, 0] == pytest.approx(alone[name] / 2, abs=0.03), name
    assert tracks["ribs"].at(np.array([change, change + 40]))[:, 0] == pytest.approx([0, 0], abs=1e-6)
    all_shards = compile_show(make_timeline(probs=np.eye(9, dtype=np.float32)[np.full(24, 6)]), look, FPS)["shards"]
    assert tracks["shards"].at(change)[0] == pytest.approx(all_shards.at(change)[0], abs=0.02)


# -- transitions -----------------------------------------------------------------------------------------------


def test_the_look_passes_over_bar_by_bar_while_two_records_play() -> None:
    timeline = mixed(make_timeline(), 14, 18)
    tracks = compile_show(timeline, Look(), FPS)
    blue, green = hex_to_linear("#0000ff"), hex_to_linear("#00ff00")
    edges = lines(timeline)
    whole_mix = {name: np.eye(9, dtype=np.float32)[np.full(24, genre)] for name, genre in (("grid", 0), ("swell", 3))}
    alone = {name: compile_show(make_timeline(probs=probs), Look(), FPS)[name] for name, probs in whole_mix.items()}
    for bar, part in ((13, 0.0), (14, 0.2), (15, 0.4), (16, 0.6), (17, 0.8), (18, 1.0), (19, 1.0)):
        wanted = (1 - part) * blue + part * green
        for frame in (edges[bar], edges[bar + 1] - 1):
            assert tracks["colour_a"].at(float(frame)) == pytest.approx(wanted, abs=2e-3), f"bar {bar}, frame {frame}"
        for name, share in (("grid", 1 - part), ("swell", part)):
            whole = alone[name].at(float(edges[bar] + 5))[0]
            assert tracks[name].at(float(edges[bar] + 5))[0] == pytest.approx(share * whole, abs=0.03), name


@pytest.mark.parametrize(
    ("fades", "span"),
    [((None, None), None), ((14, None), (14, 16)), ((None, 18), (16, 18)), ((14, 16), (14, 16)), ((14, 15), (14, 15))],
)
def test_a_fade_that_nobody_knows_ends_where_the_next_record_takes_over(
    fades: tuple[int | None, int | None], span: tuple[int, int] | None
) -> None:
    timeline = make_timeline()
    if fades[1] == 15:
        timeline = replace(timeline, tracks=(replace(timeline.tracks[0], end_bar=14), timeline.tracks[1]))
    timeline = mixed(timeline, *fades)
    assert overlaps(timeline) == ([span] if span else [])
    steps = len(compile_show(timeline, Look(), FPS)["colour_a"].frames)
    changes = 1 if span is None else span[1] - span[0] + 1
    assert steps == 1 + 2 * changes or fades[1] == 15


@pytest.mark.parametrize("confidence", [0.5, 1.0])
def test_what_was_set_by_hand_wins_over_the_transition(confidence: float) -> None:
    plain = mixed(make_timeline(confidence=np.full(24, confidence, np.float32)), 12, 20)
    edited = add_edit(plain, genre_edit(plain, 15, 17, "Bass House"))
    before, after = (compile_show(one, Look(), FPS)["colour_a"] for one in (plain, edited))
    edges = lines(plain)
    for bar in range(10, 22):
        frame = float(edges[bar] + 3)
        if bar == 14:
            assert before.at(frame)[2] < 0.9, "sure as the analysis may be, two records are heard"
        if bar in (15, 16):
            assert after.at(frame) == pytest.approx(hex_to_linear("#ffffff"), abs=1e-5), bar
        else:
            assert after.at(frame) == pytest.approx(before.at(frame), abs=1e-5), bar


def test_a_lock_holds_a_transition_as_it_shows() -> None:
    plain = mixed(make_timeline(), 12, 20)
    held = add_edit(plain, lock_edit(plain, 13, 18))
    frames = lines(plain)[:-1] + 3.0
    tracks = [compile_show(one, Look(), FPS)["colour_a"].at(frames) for one in (plain, held)]
    assert tracks[0] == pytest.approx(tracks[1], abs=0.02)
    # another analysis hears one record of Deep House, and what is locked stays
    deep = np.eye(9, dtype=np.float32)[np.full(24, GENRES.index("Deep House"))]
    one = (TrackSpan(0, 24, "Deep House", tuple(deep[0].tolist())),)
    again = compile_show(replace(held, probs=deep, tracks=one), Look(), FPS)["colour_a"].at(frames)
    assert again[13:18] == pytest.approx(tracks[0][13:18], abs=0.02)


def test_doubtful_bars_look_to_their_own_record() -> None:
    probs = make_timeline().probs.copy()
    uncertain = np.ones(24, bool)
    uncertain[[3, 20]] = False
    probs[10, :] = probs[18, :] = np.eye(9)[6]
    trusted = trusted_probs(make_timeline(probs=probs, uncertain=uncertain))
    assert np.argmax(trusted, axis=1).tolist() == [0] * 16 + [3] * 8
    # nobody is certain about the second record: one steady mixture, not the look of the first
    uncertain[20] = True
    trusted = trusted_probs(make_timeline(probs=probs, uncertain=uncertain))
    assert np.ptp(trusted[16:], axis=0).max() == 0.0
    assert trusted[16, 3] == pytest.approx(7 / 8)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_overlaps_give_a_look_that_sums_to_one(data: st.DataObject) -> None:
    starts = sorted(data.draw(st.sets(st.integers(1, 23), max_size=4)))
    bounds = [0, *starts, 24]
    tracks = []
    for start, end in pairwise(bounds):
        fade_in = data.draw(st.none() | st.integers(0, start))
        fade_out = data.draw(st.none() | st.integers(start + 1, 24))
        tracks.append(TrackSpan(start, end, GENRES[0], (1.0,) + (0.0,) * 8, "", fade_in, fade_out))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    probs = rng.dirichlet(np.full(9, 0.3), 24).astype(np.float32)
    timeline = make_timeline(probs=probs, uncertain=rng.random(24) < 0.4, tracks=tuple(tracks))
    trusted = trusted_probs(timeline)
    assert np.all(np.isfinite(trusted))
    assert trusted.sum(axis=1) == pytest.approx(np.ones(24), abs=1e-3)
    compile_show(timeline, Look(), FPS)


# -- camera ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("camera", CAMERAS)
def test_the_camera_never_jumps_but_on_a_cut(camera: str, timeline: Timeline) -> None:
    look = Look(camera=camera)
    tracks = compile_show(timeline, look, FPS)
    cuts = {frame for frame, _ in shot_list(timeline, look, FPS)}
    frames = np.arange(1.0, lines(timeline)[-1])
    for name, most in (("roll", 0.02), ("zoom", 0.03), ("speed", 2.5)):
        moved = np.abs(np.diff(tracks[name].at(frames)[:, 0]))
        assert set((frames[1:][moved > most]).astype(int).tolist()) <= cuts, name
    drift = tracks["drift"].at(frames)[:, 0]
    far = {"steady": 0.5, "smooth": 0.8, "restless": 1.0}[camera]
    for frame in cuts:
        assert drift[frame - 1] == pytest.approx(-far), "every shot drifts from one side"
        assert frame == min(cuts) or drift[frame - 2] == pytest.approx(far), "to the other"
    assert drift[-1] <= far


def test_tempers_of_the_camera_differ(timeline: Timeline) -> None:
    frames = np.arange(1.0, lines(timeline)[-1])
    tracks = [compile_show(timeline, Look(camera=camera), FPS) for camera in CAMERAS]
    for name in ("roll", "speed"):
        steady, smooth, restless = (np.abs(one[name].at(frames)).mean() for one in tracks)
        assert steady < smooth < restless, name
    rolls = [np.abs(on_bars(tracks[1]["roll"], timeline, *bars)).max() for bars in (DROP, BREAK)]
    assert rolls[0] > rolls[1], "it leans more in a drop"


def test_a_drop_opens_wide(timeline: Timeline) -> None:
    zoom = compile_show(timeline, Look(), FPS)["zoom"]
    hit = float(lines(timeline)[8])
    assert zoom.at(hit - 1)[0] > 0.7
    assert zoom.at(hit)[0] == pytest.approx(0.0, abs=1e-6)


# -- hard places -----------------------------------------------------------------------------------------------


def test_a_mix_of_one_bar_and_one_of_odd_bars_compile() -> None:
    for section, drops in ((("drop",), (DropSpan(0, 1),)), (("build",), ()), (("break",), ())):
        whole = make_timeline()
        tiny = replace(
            whole, grid=BarGrid.from_downbeats(np.array([0.25]), 2.25), mix=replace(whole.mix, duration_s=2.5),
            probs=whole.probs[:1], confidence=np.ones(1), uncertain=np.zeros(1, bool), energy=np.ones(1),
            section=section, drops=drops, tracks=(),
        )  # fmt: skip
        for fps in (1.0, 24.0, 240.0):
            compile_show(tiny, Look(), fps)
    wild = ("build", "drop", "break") * 8
    drops = tuple(DropSpan(bar, bar + 1) for bar in range(1, 24, 3))
    for camera in CAMERAS:
        compile_show(make_timeline(section=wild, drops=drops), Look(camera=camera), 10.0)


def test_the_show_starts_where_it_is_told(timeline: Timeline) -> None:
    here, later = (compile_show(timeline, Look(), FPS, first) for first in (1, 101))
    frames = np.arange(1.0, 1100.0)
    for name, track in here.items():
        assert later[name].at(frames + 100) == pytest.approx(track.at(frames), abs=1e-4), name
