"""Flashes: counted as WCAG does, and softened where there are too many."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

from housex_blender.core.errors import SceneError
from housex_blender.core.flash_limit import LightModel, Tamed, predicted_rgb, tame
from housex_blender.core.flashes import FlashReport, count_flashes, frame_blocks
from housex_blender.core.keys import KeyTrack
from housex_blender.core.looks import srgb_to_linear

FPS = 60.0
Floats = NDArray[np.float64]
WHITE, RED, BLACK, BLUE = ((1, 1, 1), (1, 0, 0), (0, 0, 0), (0, 0, 1))


def wave(hz: float, low: float, high: float, *, square: bool = False, fps: float = FPS, seconds: float = 6.0) -> Floats:
    """(n, 3) grey that swings between two luminances."""
    phase = -np.cos(2 * np.pi * hz * np.arange(round(seconds * fps)) / fps + 1e-6)
    part = (phase >= 0).astype(float) if square else (phase + 1) / 2
    return np.repeat((low + (high - low) * part)[:, None], 3, axis=1)


def turns(hz: float, one: tuple[float, ...], other: tuple[float, ...], fps: float = FPS) -> Floats:
    """(n, 3) two colours in turn."""
    first = wave(hz, 0.0, 1.0, square=True, fps=fps)
    return first * np.array(one) + (1 - first) * np.array(other)


# -- counting --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("square", [False, True])
@pytest.mark.parametrize("fps", [24.0, 29.97, 60.0])
def test_the_limit_lies_between_2_9_and_3_1_flashes_a_second(fps: float, square: bool) -> None:
    below, above = (count_flashes(wave(hz, 0.1, 0.6, square=square, fps=fps), fps) for hz in (2.9, 3.1))
    assert (below.general, above.general) == (3, 4)
    assert below.passes
    assert not above.passes


def test_a_strobe_is_counted_in_full() -> None:
    assert count_flashes(wave(10.0, 0.0, 1.0, square=True), FPS).general == 10


def test_only_swings_of_a_tenth_of_white_count() -> None:
    assert count_flashes(wave(7.5, 0.3, 0.399), FPS).general == 0
    assert count_flashes(wave(7.5, 0.3, 0.401), FPS).general == 8
    # steps too small by themselves add up to one swing
    assert count_flashes(wave(0.5, 0.0, 1.0), FPS).general == 1


def test_only_swings_with_a_dark_end_below_four_fifths_count() -> None:
    assert count_flashes(wave(7.5, 0.81, 1.0), FPS).general == 0
    assert count_flashes(wave(7.5, 0.79, 1.0), FPS).general == 8
    # a screen shows no white above white
    assert count_flashes(wave(7.5, 1.0, 3.0), FPS).general == 0


def test_ripples_on_a_plateau_are_no_flashes() -> None:
    slow = wave(1.0, 0.1, 0.9, square=True)
    rippled = slow + 0.04 * np.sin(2 * np.pi * 13 * np.arange(len(slow)) / FPS)[:, None]
    assert count_flashes(rippled, FPS).general == count_flashes(slow, FPS).general == 1


def test_a_lone_step_is_no_flash_and_a_pair_is_one() -> None:
    light = np.zeros((300, 3))
    light[100:] = 1.0
    assert count_flashes(light, FPS).general == 0
    light[110:] = 0.0
    assert count_flashes(light, FPS) == FlashReport(1, 51 / FPS, 0, 0.0)


def test_the_worst_second_is_found() -> None:
    calm, wild = wave(1.0, 0.1, 0.9, seconds=40.0), wave(9.0, 0.1, 0.9, seconds=2.0)
    report = count_flashes(np.concatenate([calm, wild, calm]), FPS)
    assert report.general >= 9
    assert 39.9 <= report.general_s <= 41.1


def test_red_flashes_are_those_in_and_out_of_saturated_red() -> None:
    assert count_flashes(turns(5.0, RED, WHITE), FPS).red == 5
    assert count_flashes(turns(5.0, RED, BLUE), FPS).red == 5
    assert count_flashes(turns(5.0, RED, BLACK), FPS).red == 5
    assert count_flashes(turns(5.0, WHITE, BLACK), FPS).red == 0
    # on either side of the limit of saturation, R / (R + G + B) being 0.79 and 0.81
    assert count_flashes(turns(5.0, (1, 0.133, 0.133), WHITE), FPS).red == 0
    assert count_flashes(turns(5.0, (1, 0.117, 0.117), (0, 1, 1)), FPS).red == 5
    # two reds, one a little darker, are too near to one another
    assert count_flashes(turns(5.0, RED, (0.8, 0.05, 0.05)), FPS).red == 0


def test_dark_red_flashes_count_though_their_luminance_hardly_changes() -> None:
    report = count_flashes(turns(5.0, (0.4, 0, 0), BLACK), FPS)
    assert (report.general, report.red) == (0, 5)
    # what cannot be told from black is not red
    assert count_flashes(turns(5.0, (0.01, 0, 0), BLACK), FPS).red == 0


def test_what_is_no_film_is_refused() -> None:
    for shape in ((0, 3), (10, 4), (10, 2, 3)):
        with pytest.raises(SceneError):
            count_flashes(np.zeros(shape), FPS)
    with pytest.raises(SceneError):
        count_flashes(np.zeros((10, 3)), 0.0)


# -- area ------------------------------------------------------------------------------------------------------


def strobed(share: float, *, height: int = 72, width: int = 128, apart: bool = False) -> FlashReport:
    """Frames with a white strobe of 6 Hz over a share of a field of view, in one place or spread over the screen."""
    films = []
    side = np.sqrt(share * 341 * 256) * width / 1024
    for value in wave(6.0, 0.0, 255.0, square=True, seconds=2.0)[:, 0]:
        frame = np.zeros((height, width, 4), np.uint8)
        if apart:
            # eight blocks in four places, of which a field of view holds two
            for left in range(0, width, width // 4):
                frame[: height * 2 // 9, left : left + width // 16] = int(value)
        else:
            frame[8 : 8 + round(side), 8 : 8 + round(side)] = int(value)
        films.append(frame_blocks(frame))
    return count_flashes(np.stack(films), FPS)


def test_a_quarter_of_a_field_of_view_decides() -> None:
    assert strobed(0.15).passes
    assert strobed(0.45).general == 6
    assert strobed(0.15, height=288, width=512).passes
    assert strobed(0.45, height=288, width=512).general == 6
    # as much light, but no field of view sees a quarter of itself flash
    assert strobed(0.45, apart=True).passes


def test_blocks_are_means_of_linear_light() -> None:
    frame = np.zeros((72, 128, 3), np.uint8)
    frame[:8, :8] = (255, 0, 128)
    frame[:8, 8:12] = 255
    blocks = frame_blocks(frame)
    assert blocks.shape == (9, 16, 3)
    assert blocks[0, 0] == pytest.approx([1.0, 0.0, srgb_to_linear([128 / 255])[0]], abs=1e-6)
    assert blocks[0, 1] == pytest.approx([0.5] * 3)
    assert not blocks[1:].any()
    assert frame_blocks(np.zeros((1080, 1080, 3), np.uint8)).shape == (12, 12, 3)
    assert frame_blocks(np.zeros((1920, 1080, 3), np.uint8)).shape == (12, 7, 3)
    assert frame_blocks(np.full((5, 3, 3), 255, np.uint8)).mean() == pytest.approx(1.0)


# -- channels --------------------------------------------------------------------------------------------------


def track(frames: ArrayLike, values: ArrayLike) -> KeyTrack:
    return KeyTrack(np.array(frames, np.float32), np.array(values, np.float32))


def kick_frames(bpm: float, seconds: float, fps: float) -> Floats:
    return np.floor(np.arange(0.5, seconds - 0.5, 60.0 / bpm) * fps + 1.5)


def kicked(on: Floats, seconds: float, fps: float, *, high: float = 1.5, low: float = 0.3) -> KeyTrack:
    """A light that jumps up on these frames and falls until the next."""
    length = np.diff(np.append(on, on[-1] + 0.5 * fps)) - 1.0
    frames = np.stack([on - 1, on, on + 0.3 * length, on + length], axis=1).ravel()
    values = np.tile([low, high, low + 0.45 * (high - low), low], len(on))
    keep = np.append(np.diff(frames) > 0.05, True)
    frames, values = frames[keep], values[keep]
    return track(np.concatenate([[1.0], frames, [seconds * fps + 2]]), np.concatenate([[low], values, [low]]))


def show(light_a: KeyTrack, colour: tuple[float, ...] = WHITE, **more: KeyTrack) -> dict[str, KeyTrack]:
    still = {name: track([1.0], [0.4]) for name in ("light_b", "light_c", "roll")}
    colours = {f"colour_{slot}": track([1.0], [colour]) for slot in "abc"}
    return {"light_a": light_a, **still, **colours, **more}


def report_of(channels: dict[str, KeyTrack], fps: float = FPS) -> FlashReport:
    return count_flashes(predicted_rgb(channels)[1], fps)


def test_the_prediction_adds_the_groups() -> None:
    channels = {
        "light_a": track([1, 3], [0.0, 2.0]),
        "light_b": track([1], [0.5]),
        "pulse": track([1], [1.0]),
        "pulse_at": track([1, 3], [0.0, 1.0]),
        "colour_a": track([1], [[1.0, 0.0, 0.0]]),
        "colour_b": track([1], [[0.0, 1.0, 0.5]]),
    }
    frames, rgb = predicted_rgb(channels, LightModel(a=0.1, b=0.2, c=0.3, pulse=0.4))
    assert frames.tolist() == [1.0, 2.0, 3.0]
    # the pulse is gone on the last frame, and there is no key light on the first
    assert rgb == pytest.approx(np.array([[0.0, 0.1, 0.05], [0.3, 0.1, 0.05], [0.2, 0.1, 0.05]]))
    with pytest.raises(SceneError):
        predicted_rgb({"roll": track([1], [0.0])})


@pytest.mark.parametrize("fps", [24.0, 25.0, 30.0, 60.0])
def test_house_kicks_pass_untouched(fps: float) -> None:
    channels = show(kicked(kick_frames(128.0, 60.0, fps), 60.0, fps))
    tamed, what = tame(channels, fps)
    assert report_of(channels, fps).general == 3
    assert what == Tamed()
    assert "nothing had to be softened" in what.sentence
    assert all(tamed[name] is channels[name] for name in channels)


@pytest.mark.parametrize("fps", [24.0, 25.0, 30.0, 60.0])
@pytest.mark.parametrize("bpm", [190.0, 512.0])
@pytest.mark.parametrize("colour", [WHITE, RED])
def test_faster_lights_are_tamed(fps: float, bpm: float, colour: tuple[float, ...]) -> None:
    channels = show(kicked(kick_frames(bpm, 20.0, fps), 20.0, fps), colour)
    # the other groups are dark, so that red comes and goes
    channels.update(light_b=track([1], [0.0]), light_c=track([1], [0.0]), light_a=channels["light_a"])
    if colour == RED:
        channels["light_a"] = kicked(kick_frames(bpm, 20.0, fps), 20.0, fps, low=0.0)
    assert not report_of(channels, fps).passes
    tamed, what = tame(channels, fps)
    assert report_of(tamed, fps).passes
    assert len(what.seconds) == 1
    assert what.after < what.before
    assert what.sentence.startswith("Softened")


def test_only_the_stretch_that_flashes_changes_and_kicks_stay_on_their_frames() -> None:
    on = kick_frames(128.0, 60.0, FPS)
    roll = np.floor(np.arange(30.0, 32.0, 60.0 / 128.0 / 4) * FPS + 1.5)
    on = np.unique(np.concatenate([on, roll]))
    on = on[np.append(True, np.diff(on) > 2)]
    channels = show(kicked(on, 60.0, FPS))
    tamed, what = tame(channels, FPS)
    assert report_of(tamed).passes
    ((start_s, end_s),) = what.seconds
    assert 28.0 < start_s < 30.0
    assert 32.0 < end_s < 34.0
    old, new = channels["light_a"], tamed["light_a"]
    outside = (old.frames < start_s * FPS) | (old.frames > end_s * FPS + 2)
    kept = np.isin(new.frames, old.frames[outside])
    assert np.array_equal(new.frames[kept], old.frames[outside])
    assert np.array_equal(new.values[kept], old.values[outside])
    # frame by frame, but for the line on which the first and the last new key lie
    frames = np.arange(1.0, 3600.0)
    away = (frames < start_s * FPS - 30) | (frames > end_s * FPS + 30)
    assert np.array_equal(new.at(frames[away]), old.at(frames[away]))
    within = np.arange(np.floor(start_s * FPS), np.ceil(end_s * FPS) + 2)
    assert np.abs(new.at(frames) - old.at(frames))[~np.isin(frames, within)].max() < 1e-6
    assert tamed["roll"] is channels["roll"]
    assert tamed["colour_a"] is channels["colour_a"]
    values = new.at(frames)[:, 0]
    for frame in on.astype(int) - 1:
        assert values[frame] > values[frame - 1]
        assert values[frame] > values[frame + 1]
    # little is added: keys of the beats, and some for the way in and out
    assert len(new.frames) < len(old.frames) + 40


def test_it_takes_no_more_than_it_must() -> None:
    on = kick_frames(200.0, 20.0, FPS)
    channels = show(kicked(on, 20.0, FPS))
    light = predicted_rgb(tame(channels, FPS)[0])[1][:, 0]
    middle = light[600:900]
    # half of what counts: the brightest part of a picture may swing twice as much as is predicted
    assert 0.04 < middle.max() - middle.min() < 0.05
    whole = predicted_rgb(channels)[1][600:900, 0]
    assert middle.mean() == pytest.approx(whole.mean(), rel=0.1)


def test_the_black_before_a_drop_and_its_hit_stay() -> None:
    hit, breath = 1201.0, 1173.0
    on = np.concatenate([kick_frames(128.0, 20.0, FPS), np.arange(1080.0, 1170.0, 7.0)])
    light = kicked(np.unique(on)[np.append(True, np.diff(np.unique(on)) > 2)], 40.0, FPS)
    frames = np.arange(1.0, 2400.0)
    values = light.at(frames)[:, 0]
    values[int(breath) - 1 : int(hit) - 1] = 0.05
    values[int(hit) - 1] = 2.2
    channels = show(track(frames, values), drop=track([1, hit - 1, hit, hit + 240], [0, 0, 1, 0]))
    channels.update({name: track([1, breath - 1, breath, hit - 1, hit], [0.4, 0.4, 0.05, 0.05, 0.6])
                     for name in ("light_b", "light_c")})  # fmt: skip
    assert not report_of(channels).passes
    tamed, what = tame(channels, FPS)
    assert report_of(tamed).passes
    assert what.before > what.after
    stay = np.arange(breath, hit + 1)
    for name in ("light_a", "light_b", "light_c"):
        assert tamed[name].at(stay) == pytest.approx(channels[name].at(stay), abs=1e-6)
    before = np.arange(1100.0, 1165.0)
    assert np.ptp(tamed["light_a"].at(before)) < 0.6 * np.ptp(channels["light_a"].at(before))


def test_pulses_that_travel_too_fast_are_tamed() -> None:
    starts = np.arange(301.0, 601.0, 7.0)
    frames = np.stack([starts, starts + 6], axis=1).ravel()
    running = track(np.append(1.0, frames), np.append(0.0, np.tile([0.0, 1.0], len(starts))))
    pulse = track([1, 299, 300, 600, 601], [0, 0, 1, 1, 0])
    channels = show(track([1, 900], [0.5, 0.5]), pulse=pulse, pulse_at=running)
    model = LightModel(pulse=0.8)
    assert not count_flashes(predicted_rgb(channels, model)[1], FPS).passes
    tamed, what = tame(channels, FPS, model)
    assert count_flashes(predicted_rgb(tamed, model)[1], FPS).passes
    assert len(what.seconds) == 1
    assert tamed["pulse_at"] is running
    assert float(tamed["pulse"].at(450.0)[0]) < 0.5


def test_colours_that_flicker_are_tamed_though_no_light_swings() -> None:
    at = np.arange(301.0, 421.0, 6.0)
    frames = np.stack([at - 1, at], axis=1).ravel()
    colours = np.array([WHITE, BLUE, BLUE, WHITE] * (len(at) // 2), float)
    flicker = track(np.append(1.0, frames), np.concatenate([[WHITE], colours]))
    channels = show(track([1, 900], [1.5, 1.5]), colour_a=flicker)
    assert not report_of(channels).passes
    tamed, _ = tame(channels, FPS)
    assert report_of(tamed).passes
    far = np.concatenate([np.arange(1.0, 150.0), np.arange(560.0, 900.0)])
    assert np.array_equal(tamed["colour_a"].at(far), flicker.at(far))


def test_hits_that_flash_by_themselves_are_given_up() -> None:
    hits = np.arange(120.0, 480.0, 10.0)
    frames = np.stack([hits - 1, hits], axis=1).ravel()
    flicker = track(np.append(1.0, frames), np.append(0.0, np.tile([0.0, 1.0], len(hits))))
    channels = show(flicker, drop=flicker)
    assert report_of(tame(channels, FPS)[0]).passes


@pytest.mark.parametrize("seed", range(4))
def test_whatever_the_lights_do_the_result_passes(seed: int) -> None:
    random = np.random.default_rng(seed)
    frames = np.unique(random.integers(1, 3000, 900)).astype(float)
    drop = track([1, 999, 1000, 1200], [0, 0, 1, 0])
    channels = show(track(frames, random.uniform(0, 8, len(frames))), drop=drop)
    for slot in "bc":
        channels[f"light_{slot}"] = track(frames, random.uniform(0, 8, len(frames)))
    for slot in "abc":
        channels[f"colour_{slot}"] = track(frames, random.uniform(0, 1, (len(frames), 3)) ** 4)
    assert not report_of(channels).passes
    tamed, what = tame(channels, FPS)
    assert report_of(tamed).passes
    assert what.after <= what.before


def test_an_hour_of_strobes_converges() -> None:
    fps, seconds = 30.0, 3600.0
    on = kick_frames(256.0, seconds, fps)
    light = kicked(on, seconds, fps)
    random = np.random.default_rng(1)
    light = track(light.frames, light.values[:, 0] * random.uniform(0.6, 1.4, len(light.frames)))
    channels = show(light)
    tamed, what = tame(channels, fps)
    assert report_of(tamed, fps).passes
    assert sum(end - start for start, end in what.seconds) > 3000
    assert len(tamed["light_a"].frames) < 1.5 * len(light.frames)


def test_the_sentence_counts() -> None:
    assert Tamed(((1.0, 3.5),), 5, 4).sentence.startswith("Softened 1 flash of light in 1 place (2.5 s)")
    assert Tamed(((1.0, 3.5), (8.0, 9.0)), 9, 4).sentence.startswith("Softened 5 flashes of light in 2 places (3.5 s)")
