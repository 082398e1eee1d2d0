"""One answer per track: majorities, mean logits, drops, learned weights. Zone: trainer."""

from __future__ import annotations

import numpy as np
import pytest

from housex_blender.core.errors import HouseXError
from trainer.engine.predictions import Predictions
from trainer.systems.voting import FACTS, HOWS, SliceWeights, fit_weights, inside_drops, vote

CLASSES = ("a", "b", "c")


def _predictions(
    rows: list[tuple[str, float, int, list[float]]], probs: list[list[float]] | None = None
) -> Predictions:
    """Rows of track, start, true class and logits."""
    logits = np.array([row[3] for row in rows], np.float32)
    if probs is None:
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares = powers / powers.sum(axis=1, keepdims=True)
    else:
        shares = np.array(probs)
    return Predictions(
        CLASSES, np.array([row[0] for row in rows]), np.array([row[1] for row in rows]),
        np.eye(3, dtype=np.float32)[[row[2] for row in rows]], shares.astype(np.float32), logits,
    )  # fmt: skip


def test_majority_counts_and_mean_logit_weighs() -> None:
    rows = _predictions([
        ("one", 0.0, 0, [0.2, 0.1, 0.0]),
        ("one", 2.0, 0, [0.2, 0.1, 0.0]),
        ("one", 4.0, 0, [0.0, 5.0, 0.0]),
        ("two", 0.0, 2, [0.0, 0.0, 1.0]),
    ])  # fmt: skip
    by_count, by_logit = vote(rows, "majority"), vote(rows, "mean-logit")
    assert list(by_count.track) == ["one", "two"]
    assert list(by_count.true) == [0, 2]
    assert list(by_count.said) == [0, 2]
    assert list(by_logit.said) == [1, 2]
    np.testing.assert_allclose(by_count.probs[0], [2 / 3, 1 / 3, 0], atol=1e-5)
    np.testing.assert_allclose(by_logit.logits[0], [0.4 / 3, 5.2 / 3, 0.0], rtol=1e-5)
    np.testing.assert_allclose(by_logit.probs.sum(axis=1), 1.0, rtol=1e-5)


def test_equal_counts_are_decided_by_probability() -> None:
    rows = _predictions([("one", 0.0, 2, [2.0, 0.0, 0.0]), ("one", 2.0, 2, [0.0, 0.0, 3.0])])
    assert list(vote(rows, "majority").said) == [2]


def test_abstentions_have_no_vote() -> None:
    rows = _predictions(
        [("one", 0.0, 1, [np.nan] * 3), ("one", 2.0, 1, [np.nan] * 3), ("two", 0.0, 1, [np.nan] * 3)],
        [[0.0, 0.0, 0.0], [0.1, 0.7, 0.2], [0.0, 0.0, 0.0]],
    )
    for how in HOWS:
        said = vote(rows, how, np.array([True, False, True]), SliceWeights((0.0,) * len(FACTS)))
        assert list(said.said) == [1, -1], how
    np.testing.assert_allclose(vote(rows, "mean-logit").probs[0], [0.1, 0.7, 0.2], atol=1e-5)


def test_drops_count_more() -> None:
    rows = _predictions(
        [("one", 0.0, 1, [1.0, 0.0, 0.0])] * 3 + [("one", 30.0, 1, [0.0, 1.5, 0.0])]
    )  # fmt: skip
    inside = inside_drops(rows, {"one": ((29.5, 45.0),), "other": ((0.0, 9.0),)}, 1.875)
    assert list(inside) == [False, False, False, True]
    assert list(vote(rows, "mean-logit").said) == [0]
    assert list(vote(rows, "drop-weighted", inside).said) == [1]


def test_a_piece_lies_where_its_middle_does() -> None:
    rows = _predictions([("one", start, 0, [1.0, 0.0, 0.0]) for start in (8.0, 9.2, 19.0, 19.2)])
    assert list(inside_drops(rows, {"one": ((10.0, 20.0),)}, 1.875)) == [False, True, True, False]


def _noisy(tracks: int, seed: int) -> tuple[Predictions, np.ndarray]:
    """Tracks whose drops (the middle third) tell the class and whose rest strongly says something else."""
    rng = np.random.default_rng(seed)
    rows, inside = [], []
    for track in range(tracks):
        true, wrong = rng.permutation(3)[:2]
        for number in range(12):
            drop = 4 <= number < 8
            logits = rng.normal(0.0, 0.3, 3)
            logits[true if drop else wrong] += 2.0
            rows.append((f"track {track:02}", number * 1.875, int(true), logits.tolist()))
            inside.append(drop)
    return _predictions(rows), np.array(inside)


def test_weights_are_learned_on_some_tracks_and_help_on_others() -> None:
    seen, inside = _noisy(20, 0)
    other, inside_other = _noisy(20, 1)
    learned = fit_weights(seen, inside)
    assert learned == fit_weights(seen, inside)
    equal, better = vote(other, "mean-logit"), vote(other, "learned", inside_other, learned)
    assert (equal.said == equal.true).mean() < 0.5
    assert (better.said == better.true).mean() > 0.9
    # the place alone is enough here: the drops lie in the middle
    alone = vote(other, "learned", learned=fit_weights(seen))
    assert (alone.said == alone.true).mean() > 0.9


def test_weights_of_nothing_are_equal_ones() -> None:
    seen, inside = _noisy(5, 2)
    same = vote(seen, "learned", inside, SliceWeights((0.0,) * len(FACTS)))
    np.testing.assert_allclose(same.logits, vote(seen, "mean-logit").logits, rtol=1e-5)


def test_what_is_missing_is_said() -> None:
    rows = _predictions([("one", 0.0, 1, [np.nan] * 3)], [[0.0, 0.0, 0.0]])
    with pytest.raises(HouseXError, match="needs to know them"):
        vote(rows, "drop-weighted")
    with pytest.raises(HouseXError, match="learned weights needs them"):
        vote(rows, "learned")
    with pytest.raises(HouseXError, match="nothing to learn"):
        fit_weights(rows)
    with pytest.raises(ValueError, match="no vote"):
        vote(rows, "loudest")  # type: ignore[arg-type]
