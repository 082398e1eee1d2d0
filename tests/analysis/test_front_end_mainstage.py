"""The maps of the mainstage benchmark: as published, with what is odd about them, and repaired."""

from __future__ import annotations

import numpy as np
import pytest

from housex_blender.analysis.front_ends import card_of, front_end_from
from housex_blender.analysis.front_ends.mainstage import MainstageMaps

from .signals import beats_for, house

RATE_HZ = 44100
MEAN, STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


@pytest.fixture(scope="module")
def clip() -> np.ndarray:
    song = np.repeat(house(["drop"] * 5, beats_for(np.full(5, 128.0), 0.0)), 2)
    noise = np.random.default_rng(0).normal(0, 0.01, 330750)
    return (song[:330750] * 0.5 + noise[: len(song[:330750])]).astype(np.float32)


def _maps(front_end: MainstageMaps, samples: np.ndarray) -> np.ndarray:
    return front_end.ready(front_end.stored(samples))


@pytest.mark.parametrize("chroma", [False, True])
@pytest.mark.parametrize("repaired", [False, True])
def test_shape_and_card(clip: np.ndarray, chroma: bool, repaired: bool) -> None:
    front_end = MainstageMaps(chroma, repaired)
    maps = _maps(front_end, clip)
    assert front_end.sample_rate_hz == RATE_HZ
    assert front_end.window_samples == len(clip)
    assert maps.shape == front_end.shape == (3, 224, 646)
    assert maps.dtype == np.float32
    assert maps.flags.c_contiguous
    again = front_end_from(card_of(front_end))
    np.testing.assert_array_equal(again.ready(again.stored(clip)), maps)


def test_half_the_rate_has_half_the_frames(clip: np.ndarray) -> None:
    front_end = MainstageMaps(chroma=True, sample_rate_hz=22050)
    assert front_end.window_samples == 165375
    assert _maps(front_end, clip[:165375]).shape == front_end.shape == (3, 224, 323)


def test_published_maps_are_librosas(clip: np.ndarray) -> None:
    librosa = pytest.importorskip("librosa")
    resize = pytest.importorskip("skimage.transform").resize
    power = librosa.feature.melspectrogram(y=clip, sr=RATE_HZ, n_mels=224)
    db = librosa.power_to_db(power, ref=np.max)
    mel, cqt, vqt = _maps(MainstageMaps(chroma=True), clip)
    np.testing.assert_allclose(mel * -80.0, db, atol=1e-3)
    np.testing.assert_allclose(cqt, resize(librosa.feature.chroma_cqt(y=clip, sr=RATE_HZ), (224, 646)), atol=1e-4)
    just = librosa.feature.chroma_vqt(y=clip, sr=RATE_HZ, intervals="ji5")
    np.testing.assert_allclose(vqt, resize(just, (224, 646)), atol=1e-4)


def test_published_maps_are_turned_over_and_know_no_loudness(clip: np.ndarray) -> None:
    front_end = MainstageMaps()
    maps = _maps(front_end, clip)
    assert maps.min() == pytest.approx(0.0, abs=1e-6)
    assert maps.max() <= 1.0
    assert (maps[0] == maps[1]).all()
    assert (maps[0] == maps[2]).all()
    np.testing.assert_allclose(_maps(front_end, clip * 0.1), maps, atol=1e-4)
    # what is loud is dark: the bass of the kick against the highest band
    assert maps[0, 2].mean() < maps[0, -1].mean()
    # nothing at all looks like the loudest there is
    np.testing.assert_allclose(_maps(front_end, np.zeros_like(clip)), 0.0, atol=1e-6)


@pytest.mark.parametrize("chroma", [False, True])
def test_repaired_maps_know_loudness_and_silence(clip: np.ndarray, chroma: bool) -> None:
    front_end = MainstageMaps(chroma, repaired=True)

    def shown(samples: np.ndarray) -> np.ndarray:
        return np.moveaxis(_maps(front_end, samples), 0, -1) * STD + MEAN

    loud, quiet = shown(clip), shown(clip * 0.5)
    assert loud.min() >= -1e-6
    assert loud.max() <= 1 + 1e-6
    inside = (quiet > 0.05) & (loud < 0.95)
    assert inside.mean() > 0.5
    np.testing.assert_allclose((loud - quiet)[inside], 20 * np.log10(2) / 80, atol=1e-3)
    assert loud[2, :, 0].mean() > loud[-1, :, 0].mean()
    np.testing.assert_allclose(shown(np.zeros_like(clip)), 0.0, atol=1e-6)


def test_repaired_maps_have_no_pitch_in_a_silent_part(clip: np.ndarray) -> None:
    half = clip.copy()
    half[len(half) // 2 :] = np.random.default_rng(1).normal(0, 1e-6, len(half) - len(half) // 2)
    repaired = np.moveaxis(_maps(MainstageMaps(True, True), half), 0, -1) * STD + MEAN
    np.testing.assert_allclose(repaired[:, 340:], 0.0, atol=1e-6)
    # as published, the loudest pitch of noise that nobody hears is as strong as any
    assert (_maps(MainstageMaps(True), half)[1, :, 400:].max(axis=0) > 0.9).all()


def test_repaired_pitches_are_not_folded() -> None:
    t = np.arange(330750) / RATE_HZ
    low, high = (0.5 * np.sin(2 * np.pi * hz * t).astype(np.float32) for hz in (110.0, 440.0))
    folded = [_maps(MainstageMaps(True), one)[1, :, 300] for one in (low, high)]
    kept = [_maps(MainstageMaps(True, True), one)[1, :, 300] for one in (low, high)]
    assert abs(int(folded[0].argmax()) - int(folded[1].argmax())) <= 1
    assert int(kept[1].argmax()) - int(kept[0].argmax()) == pytest.approx(24 * 224 / 84, abs=1)
