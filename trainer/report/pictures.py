"""Confusion matrix, learning curves and bars of the classes. Zone: trainer (matplotlib)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engine.history import Row
from .drawing import (
    BACK,
    DIM,
    FRAME,
    GRID,
    INK,
    RAMP,
    class_colours,
    picture,
    project_order,
    ramp,
    readable_on,
    swatches,
)

_NO_ANSWER = "no answer"
# more classes than this have no room for counts in their cells
_MOST_WITH_COUNTS = 12
_TRAINING, _VALIDATION = "#98a1bb", "#7fd4ff"


def draw_confusion(table: NDArray[np.integer], classes: Sequence[str], path: Path, title: str) -> None:
    """Draw counts and the share of each true class, classes in the project's order.

    Args:
        table: (C + 1, C + 1) of :func:`figures.confusion_of`; the column of abstentions is drawn where there are some.
        classes: C names.
        path: PNG to write.
        title: Above it.

    Raises:
        HouseXError: matplotlib is not installed, or the file cannot be written.
    """
    order = project_order(classes)
    silent = bool(table[:-1, -1].any())
    columns = [*order, len(classes)] if silent else order
    counts = table[np.ix_(order, columns)]
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    colours = class_colours([classes[index] for index in order])
    names = list(colours)
    side = 0.62 * len(order) + 2.4
    with picture(path, side + 0.62 * silent + 0.9, side, title) as figure:
        axis = figure.add_subplot()
        drawn = axis.imshow(shares, cmap=ramp(RAMP), vmin=0.0, vmax=1.0, aspect="equal")
        axis.set_xticks(range(len(columns)), names + [_NO_ANSWER] * silent, rotation=40, ha="right",
                        rotation_mode="anchor")  # fmt: skip
        axis.set_yticks(range(len(order)), names)
        swatches(axis, colours, "y")
        swatches(axis, colours, "x")
        axis.set_xlabel("said")
        axis.set_ylabel("true")
        if len(classes) <= _MOST_WITH_COUNTS:
            _write_cells(axis, counts, shares)
        for edge in np.arange(-0.5, len(columns) + 0.5):
            axis.axvline(edge, color=BACK, linewidth=1.2)
        for edge in np.arange(-0.5, len(order) + 0.5):
            axis.axhline(edge, color=BACK, linewidth=1.2)
        bar = figure.colorbar(drawn, ax=axis, fraction=0.035, pad=0.02, format=lambda share, _: f"{100 * share:.0f} %")
        bar.outline.set_visible(False)


def _write_cells(axis: Any, counts: NDArray[np.integer], shares: NDArray[np.float64]) -> None:
    for row, column in np.ndindex(*counts.shape):
        if counts[row, column]:
            share = float(shares[row, column])
            text = f"{100 * share:.0f} %\n{counts[row, column]}"
            axis.text(column, row, text, ha="center", va="center", fontsize=7.5, color=readable_on(share))


def draw_curves(history: Sequence[Row], path: Path, title: str, best_epoch: float | None, classes: int) -> None:
    """Draw loss and accuracy of training and validation over the epochs.

    Args:
        history: At least one row.
        path: PNG to write.
        title: Above it.
        best_epoch: Where the weights were kept from; None for no mark.
        classes: Their number, for the accuracy of guessing.

    Raises:
        HouseXError: matplotlib is not installed, or the file cannot be written.
    """
    per_epoch = max(row.step / max(row.epoch, 1) for row in history)
    epochs = [row.step / max(per_epoch, 1e-9) for row in history]
    with picture(path, 11.0, 4.2, title) as figure:
        for place, (what, label) in enumerate((("loss", "loss (nats)"), ("accuracy", "accuracy (%)"))):
            axis = figure.add_subplot(1, 2, place + 1)
            factor = 100.0 if what == "accuracy" else 1.0
            for part, colour in (("train", _TRAINING), ("val", _VALIDATION)):
                values = [factor * getattr(row, f"{part}_{what}") for row in history]
                name = "training" if part == "train" else "validation"
                if not all(map(math.isnan, values)):
                    axis.plot(epochs, values, color=colour, linewidth=1.8, marker="o", markersize=3.2, label=name)
            if what == "accuracy":
                axis.axhline(100.0 / classes, color=DIM, linewidth=1.0, linestyle=":", label="guessing")
                axis.set_ylim(-2.0, 102.0)
            if best_epoch is not None:
                axis.axvline(best_epoch, color=FRAME, linewidth=1.2, linestyle="--", label="weights kept")
            axis.set_xlabel("epochs")
            axis.set_ylabel(label)
            axis.grid(color=GRID, linewidth=0.8)
            axis.set_axisbelow(True)
            if max(epochs) <= 1.0:
                # around one place alone the ticks would stand at hundredths of an epoch
                axis.set_xlim(0.0, 1.5)
            axis.xaxis.get_major_locator().set_params(integer=True)
            axis.legend(frameon=False, labelcolor=INK, fontsize=8.5)


def draw_class_bars(
    values: Mapping[str, float],
    intervals: Mapping[str, tuple[float, float]],
    published: Mapping[str, float],
    path: Path,
    title: str,
    measure: str = "F1",
) -> None:
    """Draw a figure of each class as a bar in its colour, with its interval and what a paper prints.

    Args:
        values: Class -> share.
        intervals: Class -> 95 % interval, for those that have one.
        published: Class -> share of the paper, for those that it prints.
        path: PNG to write.
        title: Above it.
        measure: What is drawn, for the axis.

    Raises:
        HouseXError: matplotlib is not installed, or the file cannot be written.
    """
    classes = list(values)
    ordered = [classes[index] for index in project_order(classes)]
    colours = class_colours(ordered)
    with picture(path, 8.6, 0.46 * len(ordered) + 1.5, title) as figure:
        axis = figure.add_subplot()
        for place, name in enumerate(ordered):
            fill, ring = colours[name]
            value = 100.0 * values[name]
            axis.barh(place, value, 0.62, color=fill, edgecolor=ring, linewidth=1.2, zorder=2)
            end = value
            if name in intervals:
                low, high = (100.0 * limit for limit in intervals[name])
                end = max(end, high)
                # dark below bright, so that it shows on every colour
                for colour, width in ((BACK, 4.2), (INK, 1.8)):
                    axis.plot([low, high], [place, place], color=colour, linewidth=width, zorder=3,
                              solid_capstyle="butt")  # fmt: skip
            if name in published:
                axis.plot([100.0 * published[name]], [place], marker="D", markersize=7, markerfacecolor=FRAME,
                          markeredgecolor=BACK, linestyle="none", zorder=4)  # fmt: skip
                end = max(end, 100.0 * published[name])
            axis.text(end + 1.8, place, f"{value:.0f}", va="center", fontsize=8.5)
        _key(axis, bool(intervals), bool(published))
        axis.set_yticks(range(len(ordered)), ordered)
        axis.invert_yaxis()
        axis.set_xlim(0.0, 107.0)
        axis.set_xticks(range(0, 101, 20))
        axis.set_xlabel(f"{measure} (%)")
        axis.grid(axis="x", color=GRID, linewidth=0.8)
        axis.set_axisbelow(True)


def _key(axis: Any, intervals: bool, published: bool) -> None:
    """What the marks on the bars mean, where there are any."""
    if intervals:
        axis.plot([], [], color=INK, linewidth=1.8, label="95 % over tracks")
    if published:
        axis.plot([], [], marker="D", markersize=7, markerfacecolor=FRAME, markeredgecolor=BACK,
                  linestyle="none", label="published")  # fmt: skip
    if intervals or published:
        axis.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2, frameon=False, labelcolor=INK, fontsize=8.5)
