"""What a random forest goes by: the list, the picture, and what is told where neither can be made."""

from __future__ import annotations

import csv
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from housex_blender.core.errors import HouseXError
from trainer.report import importances
from trainer.report.drawing import FRAME
from trainer.report.importances import draw_importances, show_importances

CLASSES = ["blues", "disco"]
CARD = {"system": "gtzan/random-forest", "preset": "fixed", "seed": 3, "options": {"table": "3"}, "classes": CLASSES,
        "synthetic": True}  # fmt: skip
SHARES = {f"feature {number}": 2 * (30 - number) / (30 * 31) for number in range(30)}


@pytest.fixture
def data(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A data set, and a forest that says how it was asked."""
    collection = types.SimpleNamespace(classes=tuple(CLASSES), synthetic=True)
    asked: list[Any] = []

    def read(name: str, _folder: Path, options: Mapping[str, str]) -> Any:
        asked.append((name, dict(options)))
        return collection

    def fit(preset: str, options: Any, given: Any, seed: int, *, cache: Path, on_problem: Any) -> dict[str, float]:
        assert given is collection
        asked.append((preset, dict(options), seed, cache.name))
        on_problem("A row is left out.")
        return SHARES

    monkeypatch.setattr(importances, "read_collection", read)
    monkeypatch.setattr(importances, "feature_importances", fit)
    collection.asked = asked
    return collection


def test_the_forest_of_the_run_is_fitted_again(data: Any, tmp_path: Path) -> None:
    done = list(show_importances(CARD, tmp_path, tmp_path, tmp_path / "features", "a run"))
    assert done == ["A row is left out.", tmp_path / "importances.csv", tmp_path / "importances.png"]
    assert data.asked == [("gtzan", {"table": "3"}), ("fixed", {"table": "3"}, 3, "features")]
    with (tmp_path / "importances.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["feature"] for row in rows] == list(SHARES)
    assert [float(row["importance"]) for row in rows] == pytest.approx(list(SHARES.values()), rel=1e-5)


def test_without_data_it_is_a_sentence(tmp_path: Path) -> None:
    (sentence,) = show_importances(CARD, None, tmp_path, tmp_path, "a run")
    assert sentence == "What the forest goes by needs the data set: add --data FOLDER."
    assert not list(tmp_path.iterdir())


def test_another_data_set_is_refused(data: Any, tmp_path: Path) -> None:
    data.synthetic = False
    with pytest.raises(HouseXError, match="The run was not fitted to the data set in"):
        list(show_importances(CARD, tmp_path, tmp_path, tmp_path, "a run"))
    data.synthetic, data.classes = True, ("blues", "jazz")
    with pytest.raises(HouseXError, match="The run was not fitted to the data set in"):
        list(show_importances(CARD, tmp_path, tmp_path, tmp_path, "a run"))


def bars(path: Path) -> list[int]:
    """Lengths in pixels of the bars in the picture, from above."""
    pixels = np.asarray(Image.open(path).convert("RGB")).astype(int)
    wanted = np.array([int(FRAME[at : at + 2], 16) for at in (1, 3, 5)])
    lengths = (np.abs(pixels - wanted).max(axis=2) < 3).sum(axis=1)
    starts = np.flatnonzero((lengths[1:] > 0) & (lengths[:-1] == 0)) + 1
    return [int(lengths[start + 3]) for start in starts]


def test_the_twenty_greatest_are_drawn(tmp_path: Path) -> None:
    draw_importances(SHARES, tmp_path / "many.png", "a run")
    found = bars(tmp_path / "many.png")
    assert len(found) == 20
    assert np.array(found) / found[0] == pytest.approx((30 - np.arange(20)) / 30, abs=0.01)
    draw_importances({"one": 0.75, "two": 0.25}, tmp_path / "few.png", "a run")
    long, short = bars(tmp_path / "few.png")
    assert short / long == pytest.approx(1 / 3, abs=0.02)
