"""The picture of a timeline: what its axes say."""

from __future__ import annotations

import pytest

from housex_blender.analysis.plot import _time_axis

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
