"""Constant-Q and variable-Q transforms and chroma: librosa's numbers, and what a musician expects of them."""

from __future__ import annotations

import numpy as np
import pytest

from housex_blender.analysis.front_ends.chroma import (
    C1_HZ,
    JUST,
    SEMITONES,
    QTransform,
    chroma_cqt,
    chroma_vqt,
    stretched_rows,
    tuning_of,
)

from .signals import beats_for, house

librosa = pytest.importorskip("librosa")

RATES_HZ = (44100, 22050)
# librosa computes in half the precision, which shows where a frame is nearly silent
CLOSE = 1e-3


def _tones(rate_hz: int, *freqs_hz: float, seconds: float = 2.0) -> np.ndarray:
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    return sum(0.2 * np.sin(2 * np.pi * hz * t + hz) for hz in freqs_hz).astype(np.float32)


def _sound(name: str, rate_hz: int) -> np.ndarray:
    rng = np.random.default_rng(3)
    if name == "noise":
        return rng.normal(0, 0.1, 2 * rate_hz + 77).astype(np.float32)
    if name == "tones":
        return _tones(rate_hz, 110.0, 277.2, 329.6, 1057.0)
    if name == "bursts":
        loud = np.arange(2 * rate_hz) % 9000 < 600
        return (np.where(loud, 0.5, 1e-3) * rng.normal(0, 1, len(loud))).astype(np.float32)
    song = house(["drop"] * 2, beats_for(np.full(2, 126.0), 0.1))
    return song if rate_hz == 22050 else np.repeat(song, 2)


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize("name", ["noise", "tones", "bursts", "song"])
def test_chroma_is_librosas(name: str, rate_hz: int) -> None:
    sound = _sound(name, rate_hz)
    expected = librosa.feature.chroma_cqt(y=sound, sr=rate_hz)
    np.testing.assert_allclose(chroma_cqt(sound, rate_hz), expected, atol=CLOSE)
    expected = librosa.feature.chroma_vqt(y=sound, sr=rate_hz, intervals="ji5")
    np.testing.assert_allclose(chroma_vqt(sound, rate_hz), expected, atol=CLOSE)


@pytest.mark.parametrize("like_ear", [False, True])
def test_transform_is_librosas(like_ear: bool) -> None:
    sound = _sound("song", 44100)
    expected = np.abs(librosa.vqt(sound, sr=44100, gamma=None if like_ear else 0.0))
    heard = QTransform(44100, like_ear=like_ear).magnitudes(sound)
    assert heard.shape == expected.shape == (84, 1 + len(sound) // 512)
    np.testing.assert_allclose(heard, expected, atol=1e-5 * expected.max())


@pytest.mark.parametrize("cents", [-40.0, -10.0, 0.0, 15.0])
def test_tuning_is_librosas_and_right(cents: float) -> None:
    sound = _tones(44100, *(hz * 2 ** (cents / 1200) for hz in (880.0, 1108.731, 1318.51, 1760.0)))
    assert tuning_of(sound, 44100, 36) == pytest.approx(librosa.estimate_tuning(y=sound, sr=44100, bins_per_octave=36))
    assert tuning_of(sound, 44100, 12) == pytest.approx(cents / 100, abs=0.03)


def test_a_pitch_is_the_loudest_of_its_frame() -> None:
    for semitone in (0, 4, 9):
        sound = _tones(44100, C1_HZ * 2 ** (3 + semitone / 12))
        for chroma in (chroma_cqt(sound, 44100), chroma_vqt(sound, 44100)):
            assert (chroma[:, 40:-40].argmax(axis=0) == semitone).all()
            assert chroma[:, 40:-40].max() == pytest.approx(1.0)


def test_silence_has_no_pitch() -> None:
    silence = np.zeros(44100, np.float32)
    assert tuning_of(silence, 44100, 36) == 0.0
    assert not chroma_cqt(silence, 44100).any()
    assert not chroma_vqt(silence, 44100).any()


def test_bandwidths_of_hearing_are_quicker_in_the_bass() -> None:
    sound = np.zeros(2 * 44100, np.float32)
    sound[44100] = 1.0
    lengths = [
        int((row > 0.5 * row.max()).sum())
        for row in (QTransform(44100, like_ear=like_ear).magnitudes(sound)[6] for like_ear in (False, True))
    ]
    assert lengths[1] < lengths[0] / 4


def test_just_intonation_is_librosas() -> None:
    np.testing.assert_allclose(JUST, librosa.plimit_intervals(primes=[3, 5], bins_per_octave=12), rtol=1e-12)
    np.testing.assert_allclose(SEMITONES, 2.0 ** (np.arange(12) / 12))


def test_filters_above_half_the_rate_are_refused() -> None:
    with pytest.raises(ValueError, match="sample rate"):
        QTransform(8000).magnitudes(np.zeros(8000, np.float32))


@pytest.mark.parametrize("rows", [12, 84])
def test_stretching_is_that_of_scikit_image(rows: int) -> None:
    transform = pytest.importorskip("skimage.transform")
    some = np.random.default_rng(0).random((rows, 31)).astype(np.float32)
    np.testing.assert_allclose(stretched_rows(some, 224), transform.resize(some, (224, 31)), atol=1e-6)
