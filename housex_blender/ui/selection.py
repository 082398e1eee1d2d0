"""The bars that were selected in the ribbon or typed into the panel. Zone: ui; no bpy."""

from __future__ import annotations

from typing import Any

from .shown import Shown


def selected(scene: Any, what: Shown) -> tuple[int, int] | None:
    """First bar and one past the last, counted from 0, or None; never beyond the bars there are."""
    one = scene.housex.select_first
    # a last bar that was not typed yet is the first
    first, last = sorted((one, scene.housex.select_last or one))
    end = min(last, what.timeline.grid.n_bars)
    return (first - 1, end) if one and first - 1 < end else None


def select(scene: Any, span: tuple[int, int] | None) -> None:
    """Select bars ``span[0]`` up to, without, ``span[1]``, counted from 0; None selects nothing."""
    first, last = (span[0] + 1, span[1]) if span else (0, 0)
    scene.housex.select_first, scene.housex.select_last = first, last
