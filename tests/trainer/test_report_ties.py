"""Labels of several classes that share the first place, and the share of each class that is told right."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from housex_blender.core.errors import HouseXError
from trainer.engine.predictions import Predictions
from trainer.engine.recipe import RECIPES, load_recipe
from trainer.report import show_run
from trainer.report.figures import figures_of, hits_of_pieces, intervals_of

CLASSES = ("Future House", "Bass House", "Deep House")


def made(target: list[list[float]], said: list[int]) -> Predictions:
    """One track per piece; -1 abstains."""
    probs = np.array([np.eye(3)[one] if one >= 0 else np.zeros(3) for one in said], np.float32)
    return Predictions(CLASSES, np.array([f"t{number}" for number in range(len(said))]), np.zeros(len(said)),
                       np.array(target, np.float32), probs, np.full(probs.shape, np.nan, np.float32))  # fmt: skip


def test_any_of_the_greatest_shares_is_right() -> None:
    said = made([[0.5, 0.5, 0], [0.5, 0.5, 0], [0.5, 0.5, 0], [0.4, 0.6, 0], [1 / 3, 1 / 3, 1 / 3], [1, 0, 0]],
                [0, 1, 2, 0, 1, -1])  # fmt: skip
    assert hits_of_pieces(said).tolist() == [True, True, False, False, True, False]
    figures = figures_of(said)
    assert figures["tie_accuracy"] == pytest.approx(3 / 6)
    assert figures["accuracy"] == pytest.approx(1 / 6), "the last of equal ones alone"


def test_a_hair_between_shares_is_none() -> None:
    said = made([[0.3, 0.30000001, 0.3]], [0])
    assert figures_of(said)["tie_accuracy"] == 1.0
    assert figures_of(made([[0.3, 0.31, 0.3]], [0]))["tie_accuracy"] == 0.0


def test_recall_is_scikit_learns_and_both_have_intervals() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    true, answer = rng.integers(3, size=150), rng.integers(3, size=150)
    one = made(np.eye(3)[true].tolist(), answer.tolist())
    figures = figures_of(one)
    wanted = metrics.recall_score(true, answer, average=None)
    assert [figures[f"recall.{name}"] for name in CLASSES] == pytest.approx(wanted.tolist())
    assert figures["tie_accuracy"] == figures["accuracy"], "with one class per piece there are no ties"
    found = intervals_of([one], ["tie_accuracy", "accuracy", "recall.Bass House", "recall.Techno"])
    assert set(found) == {"tie_accuracy", "accuracy", "recall.Bass House"}
    assert found["tie_accuracy"] == pytest.approx(found["accuracy"])
    low, high = found["recall.Bass House"]
    assert low < figures["recall.Bass House"] < high


def test_a_recipe_may_publish_it(tmp_path: Path) -> None:
    text = (RECIPES / "gtzan-classical" / "svm-3s.yaml").read_text()
    path = tmp_path / "gtzan-classical" / "svm-3s.yaml"
    path.parent.mkdir()
    path.write_text(text.replace("published:", "published:\n  test.tie_accuracy: 0.5", 1))
    assert load_recipe(path).published["test.tie_accuracy"] == 0.5
    path.write_text(text.replace("published:", "published:\n  test.tied_accuracy: 0.5", 1))
    with pytest.raises(HouseXError, match="tied_accuracy"):
        load_recipe(path)


@pytest.mark.parametrize(("system", "measure", "value"), [("gtzan/svm", "right of each class", 0.5),
                                                          ("mlachmish/mel-cnn", "F1", 2 / 3)])  # fmt: skip
def test_classes_are_shown_as_their_paper_shows_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, system: str, measure: str, value: float
) -> None:
    drawn = []
    monkeypatch.setattr(show_run, "draw_class_bars", lambda *arguments: drawn.append(arguments))
    said = made(np.eye(3)[[0, 0, 1, 2]].tolist(), [0, 1, 1, 2])
    card = {"system": system, "preset": "fixed", "seed": 0, "table": "mlachmish", "row": "mel-cnn", "synthetic": True}
    run = show_run.Run(tmp_path, card)
    this = show_run._Show(run, tmp_path, None, None)
    show_run._draw_classes(this, said, figures_of(said), "test", tmp_path / "bars.png", "a title")
    ((values, intervals, published, _, _, what),) = drawn
    assert what == measure
    assert values["Future House"] == pytest.approx(value)
    assert set(intervals) == set(CLASSES)
    assert published == {}
