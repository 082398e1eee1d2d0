"""What a system said: rows chosen, parts joined, the true class of shared labels, and files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from housex_blender.core.errors import HouseXError
from trainer.data.by_track import last_greatest
from trainer.engine.predictions import Predictions, predictions_file

ARRAYS = ("track", "start_s", "target", "probs", "logits")


def made(names: list[str], seed: int = 0) -> Predictions:
    rng = np.random.default_rng(seed)
    three = (len(names), 3)
    target, probs, logits = (rng.random(three).astype(np.float32) for _ in range(3))
    return Predictions(
        ("a", "b", "c"), np.array(names, np.str_), np.arange(len(names), dtype=float), target, probs, logits
    )


def equal(one: Predictions, other: Predictions) -> bool:
    return one.classes == other.classes and all(
        np.array_equal(getattr(one, name), getattr(other, name)) for name in ARRAYS
    )


def test_of_equal_shares_the_last_is_the_class() -> None:
    shares = np.array([[0.5, 0.5, 0.0], [0.0, 0.2, 0.8], [1 / 3, 1 / 3, 1 / 3], [0.4, 0.2, 0.4]], np.float32)
    assert last_greatest(shares).tolist() == [1, 2, 2, 2]
    assert last_greatest(np.zeros((0, 3), np.float32)).tolist() == []
    said = Predictions(("a", "b", "c"), np.array(["t"] * 4), np.zeros(4), shares, shares, shares)
    assert said.true.tolist() == [1, 2, 2, 2]


def test_rows_are_chosen_by_index_in_any_order_and_by_mask() -> None:
    every = made(["x", "y", "z"])
    turned = every.rows(np.array([2, 0]))
    assert turned.track.tolist() == ["z", "x"]
    assert np.array_equal(turned.logits, every.logits[[2, 0]])
    assert equal(every.rows(np.array([True, False, True])), every.rows(np.array([0, 2])))
    nothing = every.rows(np.zeros(0, np.int64))
    assert (len(nothing.track), nothing.probs.shape, nothing.classes) == (0, (0, 3), every.classes)


def test_parts_are_joined_in_their_order_without_cutting_names() -> None:
    first, second = made(["x"], 1), made(["a longer name", "y"], 2)
    both = Predictions.joined([first, second])
    assert both.track.tolist() == ["x", "a longer name", "y"]
    assert equal(both.rows(np.array([0])), first)
    assert equal(both.rows(np.array([1, 2])), second)


def test_a_part_is_kept_in_a_file_of_its_name(tmp_path: Path) -> None:
    path = predictions_file(tmp_path, "val")
    assert path == tmp_path / "predictions-val.npz"
    said = made(["x", "y"])
    said.save(path)
    assert equal(Predictions.load(path), said)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(HouseXError, match=r"predictions-val\.npz does not hold predictions"):
        Predictions.load(path)
