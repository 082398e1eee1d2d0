"""Measures of frames: what is in a made-up picture is what they say."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from housex_blender.core.frame_measure import (
    Hues,
    colour_step,
    difference,
    fit_to_palette,
    flicker_of,
    flow,
    hue_apart,
    hue_shift,
    hues_of,
    largest_step,
    light_of,
    lightness,
    palette_hues,
    peak_offset,
    relative_luminance,
)
from housex_blender.core.looks import hex_to_linear, linear_to_srgb

Bytes = NDArray[np.uint8]


def patches(*parts: tuple[str, int], height: int = 40) -> Bytes:
    """Columns of colours, each so many pixels wide."""
    columns = [np.full((height, width, 3), [int(text[i : i + 2], 16) for i in (1, 3, 5)]) for text, width in parts]
    return np.concatenate(columns, axis=1).astype(np.uint8)


def palette(*texts: str) -> NDArray[np.float64]:
    return np.array([hex_to_linear(text) for text in texts])


def texture(seed: int = 0) -> NDArray[np.float64]:
    """A grey picture of soft spots, 90 x 160."""
    rng = np.random.default_rng(seed)
    spots = np.kron(rng.uniform(0.1, 0.9, (24, 42)), np.ones((4, 4)))[:90, :160]
    return np.repeat(spots[..., None], 3, axis=2)


def test_luminance_is_that_of_the_standard() -> None:
    picture = patches(("#ff0000", 1), ("#00ff00", 1), ("#0000ff", 1), ("#ffffff", 1), ("#808080", 1), height=1)
    assert relative_luminance(picture)[0] == pytest.approx([0.2126, 0.7152, 0.0722, 1.0, 0.21586], abs=1e-4)
    assert lightness(picture)[0, 4] == pytest.approx(128 / 255, abs=1e-6)
    assert relative_luminance(picture / 255.0) == pytest.approx(relative_luminance(picture))


def test_percentiles_and_burnt_out_part() -> None:
    light = light_of(patches(("#000000", 30), ("#808080", 60), ("#ffffff", 10)))
    assert light.luminance == pytest.approx((0.0, 0.21586, 1.0), abs=1e-4)
    assert light.level == pytest.approx((0.0, 128 / 255, 1.0), abs=1e-4)
    assert light.clipped == pytest.approx(0.10)
    assert light.mean == pytest.approx(0.6 * 0.21586 + 0.1, abs=1e-4)


def test_dominant_hues_come_with_their_shares() -> None:
    hues = hues_of(patches(("#0000ff", 50), ("#ff0000", 30), ("#000000", 12), ("#808080", 5), ("#ffffff", 3)))
    assert [round(peak.hue_deg) for peak in hues.peaks] == pytest.approx([264, 29], abs=2)
    # by chroma times lightness: a pixel of red weighs 0.258 * 0.628, one of blue 0.313 * 0.452
    blue, red = 50 * 0.3132 * 0.452, 30 * 0.2577 * 0.628
    assert hues.peaks[0].share == pytest.approx(blue / (blue + red), abs=0.01)
    assert (hues.black, hues.grey, hues.white) == pytest.approx((0.12, 0.05, 0.03))
    assert hues.histogram.sum() == pytest.approx(1.0)


@pytest.mark.parametrize("text", ["#0000ff", "#ff8c00", "#a020f0", "#ff0000", "#00ff00", "#ff1493"])
def test_a_colour_keeps_its_hue_when_its_light_grows_weaker(text: str) -> None:
    colour = hex_to_linear(text)
    ramp = linear_to_srgb(np.linspace(0.05, 1.0, 200)[None, :, None] * colour[None, None])
    hues = hues_of(np.repeat(ramp, 20, axis=0))
    assert len(hues.peaks) == 1
    assert hues.peaks[0].share > 0.99
    assert hue_apart(hues.peaks[0].hue_deg, float(palette_hues(colour[None])[0])) <= 1.0


def test_small_hues_are_not_dominant_and_a_hue_at_the_seam_is_one_peak() -> None:
    # 357 degrees, and its neighbours on both sides of 0
    hues = hues_of(patches(("#ff1493", 40), ("#ff1485", 40), ("#ff14a0", 40), ("#00ff00", 3)))
    assert len(hues.peaks) == 1
    assert hue_apart(hues.peaks[0].hue_deg, 357.0) < 5.0


def test_nothing_but_grey_has_no_hue() -> None:
    hues = hues_of(patches(("#000000", 10), ("#444444", 10)))
    assert hues.peaks == ()
    assert hues.histogram.sum() == 0.0
    assert (hues.black, hues.grey, hues.white) == pytest.approx((0.5, 0.5, 0.0))


def test_palette_hues_name_what_has_none() -> None:
    hues = palette_hues(palette("#ffffff", "#a020f0", "#000000", "#606060"))
    assert (hues[0], hues[2], hues[3]) == ("white", "black", "grey")
    assert hues[1] == pytest.approx(306, abs=2)


def test_a_frame_in_the_palette_fits_and_magenta_from_blue_and_red_does_not() -> None:
    future = palette("#0000ff", "#ff0000", "#a020f0")
    fit = fit_to_palette(hues_of(patches(("#0000ff", 40), ("#ff0000", 30), ("#a020f0", 30))), future)
    assert max(fit.apart_deg) < 3.0
    assert fit.off < 0.02
    assert min(fit.shown) > 0.15
    mixed = fit_to_palette(hues_of(patches(("#ff00c0", 60), ("#0000ff", 40))), future)
    assert max(mixed.apart_deg) > 20.0
    assert mixed.off > 0.4


def test_black_and_white_of_a_palette_are_matched_by_value() -> None:
    bass = palette("#ffffff", "#a020f0", "#000000")
    fit = fit_to_palette(hues_of(patches(("#000000", 60), ("#a020f0", 30), ("#f0f0f0", 10))), bass)
    assert fit.shown == pytest.approx((0.10 / 0.40, 1.0, 0.60), abs=0.01)
    grey = fit_to_palette(hues_of(patches(("#505050", 60), ("#a020f0", 40))), bass)
    assert grey.shown[0] == 0.0
    assert grey.shown[2] == 0.0


def test_a_palette_without_hues_fits_no_colour() -> None:
    fit = fit_to_palette(hues_of(patches(("#ff0000", 10))), palette("#ffffff", "#000000"))
    assert fit.apart_deg == (180.0,)
    assert fit.off == pytest.approx(1.0)


def test_hues_apart_go_the_short_way_round() -> None:
    assert hue_apart(350.0, 10.0) == pytest.approx(20.0)
    assert hue_apart(10.0, 190.0) == pytest.approx(180.0)


@pytest.mark.parametrize(("down", "right"), [(0, 0), (3, 0), (0, -5), (4, 3)])
def test_flow_is_the_length_of_the_shift(down: int, right: int) -> None:
    first = texture()
    second = np.roll(first, (down, right), axis=(0, 1))
    assert flow(first, second) == pytest.approx(np.hypot(down, right) / 160, abs=0.3 / 160)


def test_flow_does_not_take_brightness_for_motion_nor_noise() -> None:
    first = texture()
    noise = np.random.default_rng(1).normal(0.0, 0.004, first.shape)
    assert flow(first, np.clip(first + 0.08 + noise, 0, 1)) < 0.15 / 160
    flat = np.full((90, 160, 3), 0.3)
    assert flow(flat, flat + 0.2) == 0.0


def test_flow_of_a_large_frame_is_measured_on_a_small_one() -> None:
    first = np.kron(texture(), np.ones((2, 2, 1)))
    assert flow(first, np.roll(first, 8, axis=1)) == pytest.approx(8 / 320, abs=0.002)
    with pytest.raises(ValueError, match="too small"):
        flow(first[:20], first[:20])


def test_difference_is_the_mean_change_of_lightness() -> None:
    first, second = patches(("#000000", 10), ("#808080", 10)), patches(("#808080", 10), ("#808080", 10))
    assert difference(first, second) == pytest.approx(0.5 * 128 / 255)
    assert difference(first, first) == 0.0


def test_flicker_counts_wobbles_and_no_slopes() -> None:
    assert flicker_of([1.0, 0.6, 0.3, 0.1, 0.0]) == 0.0
    assert flicker_of([0.5, 0.5, 0.7, 0.5, 0.5]) == pytest.approx(0.2)
    assert flicker_of([0.5, 0.6, 0.58, 0.7]) == pytest.approx(0.02)
    assert flicker_of([0.5]) == 0.0
    assert largest_step([1.0, 0.6, 0.3]) == pytest.approx(0.4)


def test_peaks_are_found_beside_where_they_should_be() -> None:
    assert peak_offset([0.1, 0.2, 0.9, 0.5], at=2) == 0
    assert peak_offset([0.1, 0.2, 0.5, 0.9, 0.4], at=2) == 1
    assert peak_offset([0.9, 0.8, 0.7, 0.75, 0.7], at=3) == 0
    assert peak_offset([0.1, 0.3, 0.1, 0.9, 0.8], at=1) == 2
    assert peak_offset([0.9, 0.8, 0.7, 0.6], at=1) is None
    assert peak_offset([0.5, 0.5, 0.5], at=1) is None


def test_colour_steps_are_told_from_steps_of_brightness() -> None:
    blue, dim, red = (patches((text, 40)) for text in ("#0000ff", "#000060", "#ff0000"))
    assert colour_step(blue, dim) == pytest.approx(0.0, abs=1e-9)
    assert colour_step(blue, red) == pytest.approx(1.0)
    assert colour_step(patches(("#3000ff", 40)), patches(("#ff0030", 40))) > 0.9
    assert colour_step(blue, patches(("#000000", 40))) == 0.0


def test_colours_that_swap_places_are_a_step_though_their_sum_is_the_same() -> None:
    first = patches(("#ff2020", 20), ("#20ffff", 20))
    assert colour_step(first, first[:, ::-1]) > 0.5


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(ValueError, match="shape"):
        light_of(np.zeros((4, 4)))


def test_hue_shift_is_the_way_round_the_circle() -> None:
    def of(*hues_deg: int) -> Hues:
        histogram = np.zeros(360)
        histogram[list(hues_deg)] = 1.0 / len(hues_deg)
        return Hues((), histogram, 0.0, 0.0, 0.0)

    assert hue_shift(of(350), of(10)) == pytest.approx(20.0)
    # half of the colour moves by 30 degrees
    assert hue_shift(of(40, 200), of(40, 230)) == pytest.approx(15.0)
    assert hue_shift(of(40, 200), of(200, 40)) == 0.0
