"""GTZAN's pieces as pictures and as numbers: levels as librosa's, pictures as matplotlib's, one size for all."""

from __future__ import annotations

import io

import numpy as np
import pytest
from numpy.typing import NDArray

from housex_blender.analysis.front_ends import card_of, front_end_from
from housex_blender.analysis.front_ends.gtzan import USED_SAMPLES, GtzanArray, GtzanPicture, paint
from housex_blender.analysis.front_ends.mel import power_to_db
from housex_blender.analysis.front_ends.picture import MAGMA, magma, spread
from housex_blender.core.errors import HouseXError, ModelError

RATE_HZ = 22050
FRAMES = {30: 2579, 10: 860, 3: 258, 1: 86}
SAMPLES = {30: USED_SAMPLES, 10: 220_000, 3: 66_000, 1: 22_000}


def sound(samples: int, level: float = 0.3) -> NDArray[np.float32]:
    """A rising tone over noise that comes and goes."""
    times_s = np.arange(samples) / RATE_HZ
    tone = np.sin(2 * np.pi * (200 + 100 * times_s) * times_s)
    noise = np.random.default_rng(3).standard_normal(samples) * (np.sin(8 * times_s) > 0)
    return (level * (tone + 0.3 * noise)).astype(np.float32)


def painted_by_matplotlib(db: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The figure of a notebook with what specshow does to a mesh, as an image viewer reads the file."""
    pyplot = pytest.importorskip("matplotlib.pyplot")
    image = pytest.importorskip("PIL.Image")
    settings = {"figure.figsize": (6.0, 4.0), "figure.dpi": 72, "savefig.dpi": "figure", "figure.subplot.bottom": 0.125}
    bands, frames = db.shape
    with pyplot.rc_context(settings):
        figure, axes = pyplot.subplots()
        axes.pcolormesh(np.arange(frames + 1), np.arange(bands + 1), db, cmap="magma", shading="flat", rasterized=True)
        axes.set(xlim=(0, frames), ylim=(0, bands), xticks=[], yticks=[])
        file = io.BytesIO()
        figure.savefig(file, format="png")
        pyplot.close(figure)
    return np.asarray(image.open(file).convert("RGB"))


def test_the_colours_are_matplotlibs() -> None:
    matplotlib = pytest.importorskip("matplotlib")
    theirs = matplotlib.colormaps["magma"](np.arange(256))[:, :3]
    assert np.abs(MAGMA / 255.0 - theirs).max() <= 0.5001 / 255.0
    np.testing.assert_array_equal(magma(np.array([-1.0, 0.0, 0.5, 1.0, 2.0])), MAGMA[[0, 0, 128, 255, 255]])


def test_equal_values_have_one_colour() -> None:
    np.testing.assert_array_equal(spread(np.zeros((2, 3), np.float32)), np.zeros((2, 3)))


@pytest.mark.parametrize("seconds", FRAMES)
def test_levels_are_librosas(seconds: int) -> None:
    librosa = pytest.importorskip("librosa")
    samples = sound(SAMPLES[seconds])
    power = GtzanPicture(SAMPLES[seconds]).power(samples)
    theirs = librosa.feature.melspectrogram(
        y=samples, sr=RATE_HZ, n_mels=192, fmax=8000, hop_length=256, pad_mode="reflect"
    )
    assert power.shape == (192, FRAMES[seconds])
    np.testing.assert_allclose(power_to_db(power), librosa.power_to_db(theirs, ref=np.max), atol=1e-3)


@pytest.mark.parametrize("seconds", FRAMES)
def test_a_picture_is_matplotlibs(seconds: int) -> None:
    db = power_to_db(GtzanPicture(SAMPLES[seconds]).power(sound(SAMPLES[seconds])))
    ours, theirs = paint(db), painted_by_matplotlib(db)
    assert ours.shape == theirs.shape == (288, 432, 3)
    difference = np.abs(ours.astype(int) - theirs)
    # the frame's antialiasing may round by one, and a value between two colours may fall to either
    assert difference.mean() < 0.01
    assert difference.max() <= 8


def test_a_silent_piece_is_painted_in_one_colour() -> None:
    picture = GtzanPicture(22_000).stored(np.zeros(22_000, np.float32))
    assert len(np.unique(picture[60:200, 100:300].reshape(-1, 3), axis=0)) == 1


def test_the_network_is_given_0_to_1_with_white_edges() -> None:
    front_end = GtzanPicture(22_000)
    ready = front_end.ready(front_end.stored(sound(22_000)))
    assert ready.shape == front_end.shape == (3, 288, 432)
    assert ready.dtype == np.float32
    assert ready.min() >= 0.0
    assert (ready[:, :30] == 1.0).all()
    assert (ready == 1.0).all(axis=0).mean() == pytest.approx(0.41, abs=0.02)


def test_normalising_for_imagenet_only_shifts_and_scales() -> None:
    picture = GtzanPicture(22_000).stored(sound(22_000))
    plain, normal = GtzanPicture(22_000).ready(picture), GtzanPicture(22_000, imagenet=True).ready(picture)
    deviations = np.array([0.229, 0.224, 0.225])[:, None, None]
    means = np.array([0.485, 0.456, 0.406])[:, None, None]
    np.testing.assert_allclose(normal * deviations + means, plain, atol=1e-6)


def test_a_shipped_picture_is_taken_as_it_is_or_refused() -> None:
    shipped = np.full((288, 432, 3), 7, np.uint8)
    np.testing.assert_array_equal(GtzanPicture().stored_of_picture(shipped), shipped)
    with pytest.raises(HouseXError, match="50 x 100 pixels, not 432 x 288"):
        GtzanPicture().stored_of_picture(np.zeros((100, 50, 3), np.uint8))


def test_the_pictures_hide_loudness_and_the_numbers_keep_it() -> None:
    loud, quiet = sound(22_000, 0.3), sound(22_000, 0.03)
    picture, array = GtzanPicture(22_000), GtzanArray(22_000)
    np.testing.assert_allclose(picture.stored(loud), picture.stored(quiet), atol=6)
    # 10 times less amplitude are 20 of 80 dB
    assert np.median(array.stored(loud) - array.stored(quiet)) == pytest.approx(0.25, abs=0.02)


@pytest.mark.parametrize("seconds", FRAMES)
def test_numbers_fill_one_size_whatever_the_length(seconds: int) -> None:
    front_end = GtzanArray(SAMPLES[seconds])
    stored = front_end.stored(sound(SAMPLES[seconds]))
    ready = front_end.ready(stored)
    assert stored.shape == (192, min(432, FRAMES[seconds]))
    assert ready.shape == front_end.shape == (3, 288, 432)
    assert 0.0 <= ready.min() < ready.max() <= 1.0


def test_numbers_have_low_bands_at_the_bottom_and_time_from_left_to_right() -> None:
    samples = np.zeros(66_000, np.float32)
    samples[44_000:] = np.sin(2 * np.pi * 100 * np.arange(22_000) / RATE_HZ)
    front_end = GtzanArray(66_000)
    ready = front_end.ready(front_end.stored(samples))[0]
    assert ready[270:, 320:].max() == pytest.approx(1.0, abs=0.02)
    assert ready[:, :270].max() == 0.0
    assert ready[:100, 320:400].max() < 0.2


def test_a_fixed_range_keeps_a_constant_level_through_the_stretching() -> None:
    front_end = GtzanArray(220_000)
    assert np.unique(front_end.ready(np.full((192, 432), 0.25, np.float32))).tolist() == pytest.approx([0.25], abs=1e-6)


def test_settings_come_back_from_a_card() -> None:
    for front_end in (GtzanPicture(22_000, 67), GtzanArray(66_000, imagenet=True, loudest_db=30.0)):
        again = front_end_from(card_of(front_end))
        assert type(again) is type(front_end)
        assert again.settings() == front_end.settings()
        assert again.window_samples == front_end.window_samples


def test_wrong_settings_and_wrong_lengths_are_refused() -> None:
    with pytest.raises(ModelError):
        front_end_from({"kind": "gtzan-picture", "samples": 1024})
    with pytest.raises(ModelError):
        front_end_from({"kind": "gtzan-array", "range_db": 0})
    with pytest.raises(ValueError, match="22000"):
        GtzanPicture(22_000).stored(np.zeros(22_001, np.float32))
