"""Rendered bars on their shelves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from housex_blender.analysis.features import FeatureStream
from housex_blender.analysis.spectra import SAMPLE_RATE_HZ
from housex_blender.core.errors import HouseXError
from trainer.datasets import Source, load_bars, load_features, prepare, save_bars, save_features

from .bars import striped_track


def test_what_is_asked_for_is_rendered_once_and_comes_back_by_source(tmp_path: Path) -> None:
    sources = [Source("spectral", [3], ("Deep House",)), Source("groovebox", [1], ("Bigroom", "Tech House"))]
    first, second = prepare(sources, tmp_path, jobs=2, samples=False)
    assert [track.name for track in first] == ["Deep House 3"]
    assert [track.name for track in second] == ["Bigroom 1", "Tech House 1"]
    for track in (*first, *second):
        assert track.pictures.shape == (len(track), 128, 64)
        assert track.drop.any()
        assert 110 < track.bpm.mean() < 136
        assert np.allclose(track.probs.sum(axis=1), 1.0)
    files = sorted(tmp_path.rglob("*.npz"))
    assert len(files) == 3
    before = [path.stat().st_mtime_ns for path in files]
    # the order of the sources is the caller's, and one more track is all that is new
    again = prepare([*sources[::-1], Source("spectral", [4], ("Deep House",))], tmp_path, jobs=1, samples=False)
    assert [len(tracks) for tracks in again] == [2, 1, 1]
    assert [path.stat().st_mtime_ns for path in files] == before
    assert np.array_equal(again[1][0].pictures, first[0].pictures)
    assert not np.array_equal(again[2][0].pictures[:8], first[0].pictures[:8])


def test_features_of_a_mix_come_back(tmp_path: Path) -> None:
    stream = FeatureStream()
    stream.push(np.random.default_rng(0).normal(0, 0.1, 3 * SAMPLE_RATE_HZ).astype(np.float32))
    features = stream.finish()
    save_features(features, tmp_path / "one.features.npz")
    again = load_features(tmp_path / "one.features.npz")
    assert vars(again).keys() == vars(features).keys()
    for name, value in vars(features).items():
        assert np.array_equal(value, getattr(again, name)), name
        assert type(value) is type(getattr(again, name)), name
    (tmp_path / "one.features.npz").write_bytes(b"PK")
    with pytest.raises(HouseXError, match="is damaged"):
        load_features(tmp_path / "one.features.npz")


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "one.npz"
    save_bars(striped_track(2, 0), path)
    whole = path.read_bytes()
    assert len(load_bars(path)) == 24
    for damaged in (whole[: len(whole) // 2], whole[:2000] + bytes(500) + whole[2500:], b""):
        path.write_bytes(damaged)
        with pytest.raises(HouseXError, match=r"one\.npz is damaged"):
            load_bars(path)
