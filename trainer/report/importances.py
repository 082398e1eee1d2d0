"""What a random forest of GTZAN's table divides the classes by, as a list and a picture. Zone: trainer."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from housex_blender.core.errors import HouseXError
from housex_blender.core.files import write_text_atomic

from ..data import read_collection
from ..systems.classical import feature_importances
from .drawing import FRAME, GRID, picture

SYSTEM = "gtzan/random-forest"
_SHOWN = 20


def show_importances(
    card: Mapping[str, Any], data: Path | None, out: Path, cache: Path, title: str
) -> Iterator[Path | str]:
    """Fit the forest of a run again and write ``importances.csv`` and ``importances.png``.

    Args:
        card: run.json of a run of SYSTEM.
        data: The data set it was fitted to; None leaves both out.
        out: Folder for them.
        cache: Where a computed table is kept.
        title: Above the picture.

    Yields:
        What was written, and sentences about what was left out.

    Raises:
        HouseXError: The data set is another, or a file cannot be written.
    """
    if data is None:
        yield "What the forest goes by needs the data set: add --data FOLDER."
        return
    collection = read_collection(SYSTEM.split("/")[0], data, card["options"])
    if list(collection.classes) != list(card["classes"]) or collection.synthetic != bool(card.get("synthetic")):
        raise HouseXError(f"The run was not fitted to the data set in {data}.", "Name the one that it was fitted to.")
    problems: list[str] = []
    shares = feature_importances(card["preset"], card["options"], collection, int(card["seed"]), cache=cache,
                                 on_problem=problems.append)  # fmt: skip
    yield from problems
    yield _write(shares, out / "importances.csv")
    path = out / "importances.png"
    draw_importances(shares, path, title)
    yield path


def _write(shares: Mapping[str, float], path: Path) -> Path:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("feature", "importance"))
    writer.writerows((name, f"{share:.6g}") for name, share in shares.items())
    try:
        write_text_atomic(path, text.getvalue())
    except OSError as error:
        raise HouseXError(f"{path.name} cannot be written.", "Choose a folder that is there and writable.") from error
    return path


def draw_importances(shares: Mapping[str, float], path: Path, title: str) -> None:
    """Draw the features that a forest uses most as bars, at most 20.

    Args:
        shares: Feature -> mean decrease of impurity, the greatest first; they sum to 1.
        path: PNG to write.
        title: Above it.

    Raises:
        HouseXError: matplotlib is not installed, or the file cannot be written.
    """
    first = list(shares)[:_SHOWN]
    said = sum(shares[name] for name in first)
    heading = f"{title}\nthe {len(first)} of {len(shares)} features that it uses most, {100 * said:.0f} % of all"
    with picture(path, 8.6, 0.3 * len(first) + 1.6, heading) as figure:
        axis = figure.add_subplot()
        values = [100.0 * shares[name] for name in first]
        bars = axis.barh(range(len(first)), values, 0.66, color=FRAME, zorder=2)
        axis.bar_label(bars, fmt="%.1f", padding=4, fontsize=8.5)
        axis.set_yticks(range(len(first)), first)
        axis.invert_yaxis()
        axis.margins(x=0.09, y=0.02)
        axis.set_xlim(left=0.0)
        axis.set_xlabel("mean decrease of impurity (%)")
        axis.grid(axis="x", color=GRID, linewidth=0.8)
        axis.set_axisbelow(True)
