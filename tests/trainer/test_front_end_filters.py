"""The filters of a front end are made once, not for every piece, and stay those of its settings."""

from __future__ import annotations

import numpy as np
import pytest

from housex_blender.analysis.front_ends import chroma, mel
from housex_blender.analysis.front_ends.base import FrontEnd
from housex_blender.analysis.front_ends.chroma import JUST, QTransform
from housex_blender.analysis.front_ends.gtzan import GtzanArray
from housex_blender.analysis.front_ends.housex import HouseXArray, HouseXPicture
from housex_blender.analysis.front_ends.mainstage import MainstageMaps
from housex_blender.analysis.front_ends.mlachmish import SlidingWindows


def noise(samples: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(-0.5, 0.5, samples).astype(np.float32)


@pytest.mark.parametrize(
    "front_end",
    [HouseXPicture(), HouseXArray(), SlidingWindows(frames=1), SlidingWindows("mfcc", frames=2), GtzanArray(22050),
     MainstageMaps(chroma=True, repaired=True, sample_rate_hz=22050)],
    ids=["housex-picture", "housex-array", "mel-1", "mfcc-2", "gtzan", "mainstage"],
)  # fmt: skip
def test_a_second_piece_needs_no_new_filters(front_end: FrontEnd, monkeypatch: pytest.MonkeyPatch) -> None:
    sound = noise(front_end.window_samples)
    before = front_end.stored(sound)

    def again(*_: object) -> None:
        raise AssertionError("the filters are made again")

    monkeypatch.setattr(mel, "mel_filterbank", again)
    monkeypatch.setattr(chroma, "_tones", again)
    np.testing.assert_array_equal(front_end.stored(sound), before)


def test_another_tuning_or_transform_has_filters_of_its_own() -> None:
    sound = noise(22050)
    plain = QTransform(22050)
    first = plain.magnitudes(sound)
    others = [plain.magnitudes(sound, 0.3), QTransform(22050, JUST).magnitudes(sound),
              QTransform(22050, like_ear=True).magnitudes(sound)]  # fmt: skip
    assert all(np.abs(other - first).max() > 1e-3 for other in others)
    np.testing.assert_array_equal(plain.magnitudes(sound), first)
