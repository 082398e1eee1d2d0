"""The 57 features of GTZAN's tables, on sounds whose features are known."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("librosa")

from housex_blender.core.errors import AudioError, HouseXError
from trainer.systems.tabular_features import (
    COLUMNS,
    FEATURES,
    SHORT_ROW_SAMPLES,
    table_rows,
    tabular_features,
    write_table,
)

RATE_HZ = 22050


def sine(hz: float, seconds: float, rate_hz: int = RATE_HZ, amplitude: float = 0.5) -> np.ndarray:
    return (amplitude * np.sin(2.0 * np.pi * hz * np.arange(int(seconds * rate_hz)) / rate_hz)).astype(np.float32)


def clicks(bpm: float, seconds: float) -> np.ndarray:
    sound = np.zeros(int(seconds * RATE_HZ), np.float32)
    burst = np.random.default_rng(0).standard_normal(400).astype(np.float32) * np.exp(-np.arange(400) / 80.0)
    for start in (np.arange(0.1, seconds - 0.1, 60.0 / bpm) * RATE_HZ).astype(int):
        sound[start : start + 400] += 0.3 * burst
    return sound.astype(np.float32)


def test_the_columns_are_those_of_the_published_tables():
    assert len(COLUMNS) == 60
    assert len(FEATURES) == 57
    assert COLUMNS[:6] == ("filename", "length", "chroma_stft_mean", "chroma_stft_var", "rms_mean", "rms_var")
    assert COLUMNS[12:21] == ("zero_crossing_rate_mean", "zero_crossing_rate_var", "harmony_mean", "harmony_var",
                              "perceptr_mean", "perceptr_var", "tempo", "mfcc1_mean", "mfcc1_var")  # fmt: skip
    assert COLUMNS[-3:] == ("mfcc20_mean", "mfcc20_var", "label")


def test_a_sine_has_the_centroid_rolloff_crossings_and_level_of_a_sine():
    found = tabular_features(sine(1000.0, 3.0), RATE_HZ)
    assert found["spectral_centroid_mean"] == pytest.approx(1000.0, rel=0.03)
    assert found["rolloff_mean"] == pytest.approx(1000.0, rel=0.03)
    assert found["zero_crossing_rate_mean"] == pytest.approx(2 * 1000.0 / RATE_HZ, rel=0.02)
    assert found["rms_mean"] == pytest.approx(0.5 / np.sqrt(2.0), rel=0.02)
    # a held tone is harmonic: that part carries its power, the percussive one next to nothing
    assert found["harmony_var"] == pytest.approx(0.125, rel=0.05)
    assert found["perceptr_var"] < 0.01 * found["harmony_var"]


def test_clicks_have_their_tempo_and_are_percussive():
    found = tabular_features(clicks(123.0, 12.0), RATE_HZ)
    assert found["tempo"] == pytest.approx(123.0, rel=0.03)
    assert found["perceptr_var"] > 3.0 * found["harmony_var"]


def test_the_values_are_those_of_the_library_called_as_the_tables_were_made():
    import librosa

    sound = (sine(440.0, 3.0) + clicks(120.0, 3.0)).astype(np.float32)
    found = tabular_features(sound, RATE_HZ)
    assert found["chroma_stft_mean"] == pytest.approx(librosa.feature.chroma_stft(y=sound, sr=RATE_HZ).mean(), rel=1e-4)
    bandwidth = librosa.feature.spectral_bandwidth(y=sound, sr=RATE_HZ)
    assert found["spectral_bandwidth_var"] == pytest.approx(bandwidth.var(), rel=1e-4)
    cepstrum = librosa.feature.mfcc(y=sound, sr=RATE_HZ)
    assert found["mfcc1_mean"] == pytest.approx(cepstrum[0].mean(), rel=1e-4)
    assert found["mfcc20_var"] == pytest.approx(cepstrum[19].var(), rel=1e-4)
    assert found["tempo"] == pytest.approx(float(np.ravel(librosa.beat.beat_track(y=sound, sr=RATE_HZ)[0])[0]))


def test_silence_has_defined_features():
    found = tabular_features(np.zeros(SHORT_ROW_SAMPLES, np.float32), RATE_HZ)
    assert all(np.isfinite(value) for value in found.values())
    zero = [name for name, value in found.items() if value == 0.0]
    assert {"tempo", "rms_mean", "spectral_centroid_mean", "harmony_var", "mfcc1_var"} <= set(zero)
    assert found["mfcc1_mean"] < -1000.0


def test_sound_of_another_rate_has_the_same_features():
    high, low = tabular_features(sine(800.0, 3.0, 44100), 44100), tabular_features(sine(800.0, 3.0), RATE_HZ)
    for name in ("spectral_centroid_mean", "rms_mean", "zero_crossing_rate_mean"):
        assert high[name] == pytest.approx(low[name], rel=0.02)


@pytest.mark.parametrize(
    "bad", [np.zeros(0, np.float32), np.full(4096, np.nan, np.float32), np.zeros((2, 9), np.float32)]
)
def test_what_is_no_sound_is_told(bad):
    with pytest.raises(AudioError):
        tabular_features(bad, RATE_HZ)


def test_a_clip_gives_one_row_or_ten():
    clip = sine(300.0, 29.99)
    (whole,) = table_rows(clip[: 8 * RATE_HZ], RATE_HZ, "blues.00000", "blues", 30)
    assert (whole.filename, whole.length, whole.label) == ("blues.00000.wav", 8 * RATE_HZ, "blues")
    # only the second half of the clip sounds, and it lacks its last 10 ms
    clip[: 15 * RATE_HZ] = 0.0
    rows = table_rows(clip, RATE_HZ, "blues.00000", "blues", 3)
    assert [row.filename for row in rows] == [f"blues.00000.{number}.wav" for number in range(10)]
    assert {row.length for row in rows} == {66149}
    loud = [row.features["rms_mean"] > 0.3 for row in rows]
    assert loud == [False] * 5 + [True] * 5


def test_a_clip_without_three_seconds_is_told():
    with pytest.raises(AudioError, match=r"blues\.00001 has less than 3 s"):
        table_rows(sine(300.0, 2.0), RATE_HZ, "blues.00001", "blues", 3)


def test_a_table_holds_the_header_and_every_digit(tmp_path: Path):
    (row,) = table_rows(sine(500.0, 1.0), RATE_HZ, "jazz.00007", "jazz", 30)
    write_table(tmp_path / "features_30_sec.csv", [row, row])
    with (tmp_path / "features_30_sec.csv").open(encoding="utf-8", newline="") as file:
        read = list(csv.DictReader(file))
    assert len(read) == 2
    assert tuple(read[0]) == COLUMNS
    assert (read[0]["filename"], read[0]["length"], read[0]["label"]) == ("jazz.00007.wav", "22050", "jazz")
    assert {name: float(read[0][name]) for name in FEATURES} == row.features


def test_a_missing_library_is_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "librosa", None)
    with pytest.raises(HouseXError, match="need librosa"):
        tabular_features(sine(500.0, 1.0), RATE_HZ)
