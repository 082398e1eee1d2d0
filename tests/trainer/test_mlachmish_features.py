"""599 windows every 40 ms: mel power and MFCC as librosa makes them of each window, and of one spectrum."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from housex_blender.analysis.front_ends import card_of, front_end_from
from housex_blender.analysis.front_ends.mlachmish import SlidingWindows
from housex_blender.core.errors import ModelError

librosa = pytest.importorskip("librosa")

RATE_HZ = 22050
# first, last and some in between
LOOKED_AT = (0, 1, 57, 300, 598)


@pytest.fixture(scope="module")
def clip() -> NDArray[np.float32]:
    """30 s of tones over noise, quiet in the middle."""
    times_s = np.arange(30 * RATE_HZ) / RATE_HZ
    tone = np.sin(2 * np.pi * (110 + 40 * times_s) * times_s)
    noise = 0.2 * np.random.default_rng(5).standard_normal(len(times_s))
    return (0.4 * np.where((times_s > 11) & (times_s < 13), 0.01, 1.0) * (tone + noise)).astype(np.float32)


def librosas_window(clip: NDArray[np.float32], number: int) -> NDArray[np.float32]:
    """(128, 5) mel power of 100 ms from 40 ms times the number, with librosa's defaults of then."""
    start = number * 882
    return librosa.feature.melspectrogram(y=clip[start : start + 2205], sr=RATE_HZ, n_mels=128, pad_mode="reflect")


def in_db(power: NDArray[np.floating]) -> NDArray[np.floating]:
    return 10.0 * np.log10(np.maximum(power, 1e-10))


@pytest.mark.parametrize(
    ("front_end", "shape", "samples"),
    [
        (SlidingWindows("mel", 5), (5, 599, 128), 529_641),
        (SlidingWindows("mel", 2), (2, 599, 128), 528_318),
        (SlidingWindows("mel", 1), (1, 599, 128), 527_437),
        (SlidingWindows("mfcc", 5), (5, 599, 13), 529_641),
    ],
)
def test_shapes(front_end: SlidingWindows, shape: tuple[int, ...], samples: int, clip: NDArray[np.float32]) -> None:
    assert (front_end.shape, front_end.window_samples) == (shape, samples)
    # 24 of a clip's 30 seconds
    ready = front_end.ready(front_end.stored(clip[:samples]))
    assert ready.shape == shape
    assert ready.dtype == np.float32
    assert np.isfinite(ready).all()


def test_windows_of_100_ms_hold_the_power_that_librosa_gives(clip: NDArray[np.float32]) -> None:
    front_end = SlidingWindows("mel", 5)
    stored = front_end.stored(clip[: front_end.window_samples])
    for number in LOOKED_AT:
        np.testing.assert_allclose(in_db(stored[:, number].T), in_db(librosas_window(clip, number)), atol=1e-3)
    assert stored.max() > 100.0


def test_short_windows_have_2_frames_of_the_window_mirrored_as_often_as_needed(clip: NDArray[np.float32]) -> None:
    front_end = SlidingWindows("mel", 2)
    stored = front_end.stored(clip[: front_end.window_samples])
    for number in LOOKED_AT:
        window = np.pad(clip[number * 882 : number * 882 + 882], 1024, mode="reflect")
        theirs = librosa.feature.melspectrogram(y=window, sr=RATE_HZ, n_mels=128, center=False)
        np.testing.assert_allclose(in_db(stored[:, number].T), in_db(theirs), atol=1e-3)


def test_mfcc_are_librosas_of_each_window_by_itself(clip: NDArray[np.float32]) -> None:
    front_end = SlidingWindows("mfcc", 5)
    stored = front_end.stored(clip[: front_end.window_samples])
    for number in LOOKED_AT:
        levels = librosa.power_to_db(librosas_window(clip, number), ref=np.max)
        np.testing.assert_allclose(stored[:, number].T, librosa.feature.mfcc(S=levels, n_mfcc=13), atol=1e-3)


def test_one_spectrum_every_40_ms_is_librosas_with_that_hop(clip: NDArray[np.float32]) -> None:
    front_end = SlidingWindows("mel", 1, "log")
    used = clip[: front_end.window_samples]
    theirs = librosa.feature.melspectrogram(y=used, sr=RATE_HZ, n_mels=128, hop_length=882, pad_mode="reflect")
    levels = np.clip(librosa.power_to_db(theirs, ref=1e4, top_db=None), -80.0, None)
    assert theirs.shape == (128, 599)
    np.testing.assert_allclose(front_end.stored(used)[0].T, levels, atol=1e-3)
    cosines = librosa.feature.mfcc(S=levels, n_mfcc=13)
    np.testing.assert_allclose(SlidingWindows("mfcc", 1, "log").stored(used)[0].T, cosines, atol=2e-3)


def test_levels_are_relative_to_full_scale_where_published_ones_hide_loudness(clip: NDArray[np.float32]) -> None:
    raw, log = SlidingWindows("mfcc", 5, "raw"), SlidingWindows("mfcc", 5, "log")
    used = clip[: raw.window_samples]
    np.testing.assert_allclose(raw.stored(used), raw.stored(used * 0.5), atol=1e-2)
    # 6 dB in every band are 6 * sqrt(128) in the first coefficient
    apart = log.stored(used)[..., 0] - log.stored(used * 0.5)[..., 0]
    assert np.median(apart) == pytest.approx(6.02 * np.sqrt(128), rel=0.01)


def test_silence_is_finite() -> None:
    for front_end in (SlidingWindows("mfcc", 5, "raw"), SlidingWindows("mel", 1, "log")):
        assert np.isfinite(front_end.stored(np.zeros(front_end.window_samples, np.float32))).all()
    assert SlidingWindows("mel", 1, "log").stored(np.zeros(527_437, np.float32)).max() == -80.0


def test_settings_come_back_from_a_card_and_wrong_ones_are_refused() -> None:
    front_end = SlidingWindows("mfcc", 1, "log")
    again = front_end_from(card_of(front_end))
    assert isinstance(again, SlidingWindows)
    assert again.settings() == front_end.settings()
    with pytest.raises(ModelError):
        front_end_from({"kind": "mlachmish", "feature": "mel", "frames": 3})
    with pytest.raises(ValueError, match="529641"):
        SlidingWindows("mel", 5).stored(np.zeros(1000, np.float32))
