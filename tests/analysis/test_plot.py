"""The picture of a timeline: what its axes say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from housex_blender.analysis.plot import _time_axis, draw_timeline
from housex_blender.core.attributes import ATTRIBUTES

from ..conftest import make_timeline

pyplot = pytest.importorskip("matplotlib.pyplot")


@pytest.mark.parametrize("row_s", [4.1, 5.0, 9.0, 14.9, 20.0, 29.0, 31.0, 45.0, 300.0, 900.0])
def test_no_time_is_written_twice(row_s: float) -> None:
    figure, axis = pyplot.subplots(figsize=(18, 2))
    try:
        axis.set_xlim(0.0, row_s)
        _time_axis(axis)
        figure.canvas.draw()
        texts = [label.get_text() for label in axis.get_xticklabels()]
        shown = [text for at, text in zip(axis.get_xticks(), texts, strict=True) if 0 <= at <= row_s]
        assert len(shown) >= 5
        assert len(set(shown)) == len(shown)
    finally:
        pyplot.close(figure)


def test_the_scales_of_the_sound_are_drawn_bar_by_bar(tmp_path: Path) -> None:
    """A strip that is dark in the first half of the mix and bright in the second; without attributes it is dark."""
    columns = {name: np.repeat([1.0, 5.0], 12).astype(np.float32) for name in ATTRIBUTES}
    draw_timeline(make_timeline(attributes=columns), tmp_path / "with.png")
    draw_timeline(make_timeline(), tmp_path / "without.png")
    with_strip, without = (pyplot.imread(tmp_path / name)[..., :3].sum(axis=2) for name in ("with.png", "without.png"))
    changed = np.abs(with_strip - without) > 0.5
    rows = np.flatnonzero(changed.mean(axis=1) > 0.3)
    assert len(rows) > 40, "four rows of at least ten pixels"
    columns_changed = np.flatnonzero(changed[rows].mean(axis=0) > 0.5)
    assert columns_changed[0] == pytest.approx(0.5 * (0.055 + 0.985) * with_strip.shape[1], abs=25)
    assert columns_changed[-1] > 0.95 * with_strip.shape[1]
    assert with_strip[rows][:, columns_changed].mean() > without[rows][:, columns_changed].mean() + 1.0
