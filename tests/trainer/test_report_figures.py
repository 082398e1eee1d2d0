"""The figures of predictions, against scikit-learn and against numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.engine.predictions import Predictions
from trainer.report.figures import (
    NAMES,
    confusion_of,
    figures_of,
    intervals_of,
    soft_confusion_of,
)

CLASSES = ("Future House", "Bass House", "Deep House")


def made(true: list[int], said: list[int], tracks: list[str] | None = None, sure: float = 0.8) -> Predictions:
    """Hard labels; -1 abstains."""
    count = len(true)
    probs = np.full((count, 3), (1 - sure) / 2, np.float32)
    for row, answer in enumerate(said):
        probs[row] = 0.0 if answer < 0 else probs[row]
        if answer >= 0:
            probs[row, answer] = sure
    logits = np.where(probs > 0, np.log(np.maximum(probs, 1e-9)), np.nan).astype(np.float32)
    return Predictions(CLASSES, np.array(tracks or [f"t{i}" for i in range(count)]), np.arange(count, dtype=float),
                       np.eye(3, dtype=np.float32)[true], probs, logits)  # fmt: skip


def random(seed: int, count: int = 200, right: float = 0.6) -> Predictions:
    rng = np.random.default_rng(seed)
    true = rng.integers(3, size=count)
    said = np.where(rng.random(count) < right, true, rng.integers(3, size=count))
    return made(true.tolist(), said.tolist(), [f"t{i // 5}" for i in range(count)])


def test_figures_are_scikit_learns() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    one = random(0)
    figures = figures_of(one)
    for average in ("micro", "macro", "weighted"):
        assert figures[f"{average}_f1"] == pytest.approx(metrics.f1_score(one.true, one.said, average=average))
    assert figures["accuracy"] == pytest.approx(metrics.accuracy_score(one.true, one.said))
    for name in ("precision", "recall"):
        score = getattr(metrics, f"{name}_score")(one.true, one.said, average="weighted", zero_division=0)
        assert figures[f"weighted_{name}"] == pytest.approx(score)
    by_class = metrics.f1_score(one.true, one.said, average=None)
    assert [figures[f"f1.{name}"] for name in CLASSES] == pytest.approx(by_class.tolist())
    assert np.array_equal(confusion_of(one)[:3, :3], metrics.confusion_matrix(one.true, one.said))
    assert set(NAMES) <= set(figures)
    assert (figures["pieces"], figures["tracks"], figures["abstained"]) == (200, 40, 0)


def test_a_constant_answer_has_the_published_triple_of_a_collapsed_classifier() -> None:
    # 348 of 1752 clips are Future House: the mainstage benchmark prints .039, .199 and .066 for always saying it
    figures = figures_of(made([0] * 348 + [1] * 1000 + [2] * 404, [0] * 1752))
    assert figures["weighted_precision"] == pytest.approx(0.0395, abs=5e-5)
    assert figures["weighted_recall"] == pytest.approx(0.1986, abs=5e-5)
    assert figures["weighted_f1"] == pytest.approx(0.0658, abs=5e-5)


def test_an_abstention_is_a_wrong_answer() -> None:
    one = made([0, 0, 1, 2], [0, -1, -1, 2])
    figures = figures_of(one)
    assert figures["accuracy"] == figures["micro_f1"] == figures["weighted_recall"] == 0.5
    assert figures["abstained"] == 2
    assert figures["f1.Future House"] == pytest.approx(2 / 3)
    assert figures["f1.Bass House"] == 0.0
    assert figures["f1.Deep House"] == 1.0
    table = confusion_of(one)
    assert table[:, 3].tolist() == [1, 1, 0, 0]
    assert table[3].sum() == 0
    assert figures["kl"] == pytest.approx(-np.log(0.8), rel=1e-5), "only the two that answered are in it"


def test_no_answer_at_all_is_zero_and_not_an_error() -> None:
    figures = figures_of(made([0, 1], [-1, -1]))
    assert figures["accuracy"] == figures["macro_f1"] == figures["track.majority.accuracy"] == 0.0
    assert "kl" not in figures


def test_soft_labels_have_an_expected_accuracy_and_a_divergence() -> None:
    target = np.array([[0.75, 0.25, 0.0], [0.5, 0.25, 0.25]], np.float32)
    probs = np.array([[0.5, 0.25, 0.25], [0.1, 0.8, 0.1]], np.float32)
    one = Predictions(CLASSES, np.array(["a", "b"]), np.zeros(2), target, probs, np.log(probs))
    figures = figures_of(one)
    assert figures["expected_accuracy"] == pytest.approx((0.75 + 0.25) / 2)
    first = 0.75 * np.log(0.75 / 0.5)
    second = 0.5 * np.log(0.5 / 0.1) + 0.25 * np.log(0.25 / 0.8) + 0.25 * np.log(0.25 / 0.1)
    assert figures["kl"] == pytest.approx((first + second) / 2, rel=1e-5)
    assert soft_confusion_of(one).sum() == pytest.approx(2.0)
    assert soft_confusion_of(one)[:, 0] == pytest.approx([0.75, 0.25, 0.0, 0.0])


def test_one_hot_answers_have_no_divergence() -> None:
    one = made([0, 1], [0, 1], sure=1.0)
    assert "kl" not in figures_of(one)
    assert intervals_of([one], ["kl"]) == {}


def test_a_track_is_voted_on_by_its_pieces() -> None:
    figures = figures_of(made([0, 0, 0, 1, 1], [0, 2, 0, 1, -1], ["b", "b", "b", "a", "a"]))
    assert figures["accuracy"] == pytest.approx(3 / 5)
    assert figures["track.majority.accuracy"] == 1.0


def test_the_two_votes_differ_where_one_piece_is_very_sure() -> None:
    logits = np.array([[1.0, 0.9, 0.0], [1.0, 0.9, 0.0], [0.0, 9.0, 0.0]], np.float32)
    probs = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    one = Predictions(CLASSES, np.array(["a"] * 3), np.zeros(3), np.eye(3, dtype=np.float32)[[1, 1, 1]], probs, logits)
    assert figures_of(one)["track.majority.accuracy"] == 0.0
    assert figures_of(one)["track.mean_logit.accuracy"] == 1.0


def test_the_interval_holds_the_figure_and_is_of_tracks_not_of_pieces() -> None:
    # pieces of a track are all right or all wrong, so 40 tracks tell less than 200 pieces seem to
    rng = np.random.default_rng(1)
    true = np.repeat(rng.integers(3, size=40), 5)
    wrong = np.repeat(rng.random(40) < 0.4, 5)
    said = np.where(wrong, (true + 1) % 3, true)
    names = [f"t{i // 5}" for i in range(200)]
    tracks = made(true.tolist(), said.tolist(), names)
    pieces = made(true.tolist(), said.tolist())
    wide = intervals_of([tracks], ["accuracy"])["accuracy"]
    narrow = intervals_of([pieces], ["accuracy"])["accuracy"]
    value = figures_of(tracks)["accuracy"]
    assert wide[0] < value < wide[1]
    assert (wide[1] - wide[0]) > 1.7 * (narrow[1] - narrow[0])


def test_every_figure_has_an_interval_around_it() -> None:
    runs = [random(seed) for seed in (3, 4)]
    means = {name: float(np.mean([figures_of(run)[name] for run in runs])) for name in figures_of(runs[0])}
    found = intervals_of(runs, [*NAMES, "f1.Bass House", "pieces", "f1.Techno"])
    assert set(found) == {*NAMES, "f1.Bass House"}
    for name, (low, high) in found.items():
        assert low <= means[name] <= high, name
        assert high > low, name


def test_seeds_on_the_same_tracks_do_not_count_as_more_tracks() -> None:
    one = random(5)
    alone, thrice = (intervals_of([one] * times, ["accuracy"])["accuracy"] for times in (1, 3))
    assert alone == pytest.approx(thrice)


def test_runs_with_other_tracks_are_drawn_together() -> None:
    first, second = made([0, 1], [0, 0], ["a", "b"]), made([0, 1], [0, 1], ["b", "c"])
    low, high = intervals_of([first, second], ["accuracy"])["accuracy"]
    assert low <= 0.75 <= high


def test_one_track_has_no_interval() -> None:
    assert intervals_of([made([0, 0], [0, 1], ["a", "a"])], ["accuracy"]) == {}
