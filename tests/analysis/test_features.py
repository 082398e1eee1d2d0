"""Features: the mel of the reference, the same in a stream, and envelopes that follow the sound."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from housex_blender.analysis import envelopes, features
from housex_blender.core.errors import Cancelled

from .signals import RATE_HZ, add, beats_for, house, kick, noise_hit, tone

librosa = pytest.importorskip("librosa")


def _features(samples: np.ndarray, size: int | None = None) -> features.Features:
    stream = features.FeatureStream()
    for start in range(0, len(samples), size or max(len(samples), 1)):
        stream.push(samples[start : start + (size or len(samples))])
    return stream.finish()


def test_filterbank_is_librosas() -> None:
    expected = librosa.filters.mel(sr=22050, n_fft=2048, n_mels=128)
    np.testing.assert_allclose(features.mel_filterbank(), expected, atol=1e-6)


def test_mel_is_librosas() -> None:
    samples = house(["drop"] * 4, beats_for(np.full(4, 126.0), 0.1))
    power = librosa.feature.melspectrogram(
        y=samples, sr=22050, n_fft=2048, hop_length=512, n_mels=128, pad_mode="reflect"
    )
    expected = 10 * np.log10(np.maximum(power, 1e-10)).T
    mel = _features(samples).mel.astype(np.float64)
    assert mel.shape == expected.shape
    assert np.abs(mel - expected).max() < 0.02


@pytest.mark.parametrize("size", [1, 777, 4096, 100_003])
def test_stream_equals_whole(size: int) -> None:
    seconds = 0.2 if size == 1 else 12.0
    samples = (0.3 * np.random.default_rng(0).standard_normal(int(seconds * RATE_HZ))).astype(np.float32)
    whole, parts = _features(samples), _features(samples, size)
    np.testing.assert_allclose(parts.mel.astype(float), whole.mel.astype(float), atol=0.02)
    np.testing.assert_allclose(parts.onset.astype(float), whole.onset.astype(float), atol=0.01)
    np.testing.assert_allclose(parts.envelopes, whole.envelopes, rtol=1e-3, atol=1e-4)
    np.testing.assert_array_equal(parts.waveform_peaks, whole.waveform_peaks)
    assert parts.duration_s == whole.duration_s == len(samples) / RATE_HZ


@pytest.mark.parametrize("count", [0, 1, 10, 1024, 1025, 2047, 2048, 11025])
def test_short_audio(count: int) -> None:
    found = _features(np.full(count, 0.1, np.float32))
    assert len(found.mel) == (1 + count // 512 if count else 0)
    assert len(found.envelopes) == int(np.ceil(count / RATE_HZ * 100))
    assert np.all(np.isfinite(found.mel.astype(float)))
    assert envelopes.normalise_envelopes(found.envelopes).shape == found.envelopes.shape


def test_waveform_peaks() -> None:
    samples = np.zeros(22050, np.float32)
    samples[10000], samples[15000] = 0.9, -0.7
    found = _features(samples)
    assert found.waveform_peaks.shape == (21, 2)
    assert found.waveform_peaks.max() == np.float32(0.9)
    assert found.waveform_peaks.min() == np.float32(-0.7)
    assert found.peak == pytest.approx(0.9)


def test_extract_reports_and_stops(tmp_path: Path) -> None:
    path = tmp_path / "mix.wav"
    soundfile.write(path, np.zeros(44100 * 25), 44100)
    told: list[tuple[float, float]] = []
    features.extract_features(path, on_progress=lambda done, total: told.append((done, total)))
    assert told[-1] == pytest.approx((25.0, 25.0), abs=0.01)
    assert len(told) >= 3
    with pytest.raises(Cancelled):
        features.extract_features(path, should_stop=lambda: True)


def _kick_times() -> np.ndarray:
    return 0.4 + np.arange(60) * 0.4712


def test_kick_peaks_on_the_kick() -> None:
    samples = np.zeros(30 * RATE_HZ, np.float32)
    for time_s in _kick_times():
        add(samples, 0.7 * kick(), time_s)
        add(samples, noise_hit(0.05, 0.15), time_s + 0.2356)
        add(samples, tone(65.0, 0.18, 0.2), time_s + 0.2356)
    curve = envelopes.normalise_envelopes(_features(samples).envelopes)[:, features.ENVELOPE_NAMES.index("kick")]
    for time_s in _kick_times():
        at = round(time_s * 100)
        found_s = (at - 10 + int(np.argmax(curve[at - 10 : at + 11]))) / 100
        assert abs(found_s - time_s) <= 0.0075
        assert curve[at - 4 : at + 5].max() > 0.7
    assert np.median(curve) < 0.05


def test_bands_follow_their_sound() -> None:
    samples = np.zeros(24 * RATE_HZ, np.float32)
    for second in range(24):
        add(samples, tone((40.0, 100.0, 1000.0, 8000.0)[second % 4], 0.9, 0.3, 1), second)
    curves = envelopes.normalise_envelopes(_features(samples).envelopes)
    phase = np.arange(len(curves)) % 400
    for column in range(4):
        sounding = (phase > 100 * column + 15) & (phase < 100 * column + 75)
        silent = (phase + 100 - 100 * column) % 400 > 205
        assert curves[sounding, column].min() > 0.8
        assert np.percentile(curves[silent, column], 98) < 0.1


def test_quiet_passage_is_not_dark() -> None:
    bars = 60
    samples = house(["drop"] * bars, beats_for(np.full(bars, 126.0), 0.1))
    samples[len(samples) // 2 :] *= 0.3
    curve = envelopes.normalise_envelopes(_features(samples).envelopes)[:, features.ENVELOPE_NAMES.index("loudness")]
    ten_s = 1000
    assert np.percentile(curve[-ten_s:], 90) > 0.75 * np.percentile(curve[:ten_s], 90)


def test_silence_stays_dark() -> None:
    silent = envelopes.normalise_envelopes(_features(np.zeros(10 * RATE_HZ, np.float32)).envelopes)
    assert silent.max() == 0.0
    hiss = (1e-6 * np.random.default_rng(0).standard_normal(10 * RATE_HZ)).astype(np.float32)
    assert envelopes.normalise_envelopes(_features(hiss).envelopes).max() < 0.2
