"""Maps of three dimensions, and a PCA whose directions come from other vectors."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.maps.projection import METHODS, project


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("count", "width"), [(1, 4), (3, 6), (12, 2), (20, 5)])
def test_a_map_of_three_dimensions(method: str, count: int, width: int) -> None:
    pytest.importorskip("sklearn")
    points, _ = project(np.random.default_rng(0).standard_normal((count, width)), method, dimensions=3)
    assert points.shape == (count, 3)
    assert np.isfinite(points).all()
    if count > 1:
        assert np.abs(points).max() == pytest.approx(1.0)


def test_the_first_two_axes_of_three_are_the_map_of_two() -> None:
    rows = np.random.default_rng(1).standard_normal((30, 6)) * [5.0, 3.0, 1.0, 0.5, 0.2, 0.1]
    flat, deep = project(rows)[0], project(rows, dimensions=3)[0]
    assert flat == pytest.approx(deep[:, :2])


def test_a_pca_takes_its_directions_from_the_vectors_it_is_fitted_on() -> None:
    rng = np.random.default_rng(2)
    wide = rng.standard_normal((50, 3)) * [0.1, 9.0, 1.0]
    shown = rng.standard_normal((8, 3)) * [50.0, 1.0, 0.01]
    points, note = project(shown, fitted_on=wide)
    assert note == ""
    # alone, the shown vectors would lie along their first column, which hardly moves where the directions come from
    assert abs(np.corrcoef(points[:, 0], shown[:, 1])[0, 1]) > abs(np.corrcoef(points[:, 0], shown[:, 0])[0, 1])
    alone = project(shown)[0]
    assert abs(np.corrcoef(alone[:, 0], shown[:, 0])[0, 1]) > 0.99


def test_the_same_vectors_again_change_nothing() -> None:
    rows = np.random.default_rng(3).standard_normal((9, 4))
    assert project(rows, fitted_on=rows)[0] == pytest.approx(project(rows)[0])
