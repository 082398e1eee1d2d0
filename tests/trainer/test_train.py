"""Training: corruption keeps shapes, loss falls, figures are what they say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from housex_blender.core.genres import GENRES  # noqa: E402
from trainer.augment import corrupt, mix_pairs  # noqa: E402
from trainer.datasets import SECTION_NAMES, BarSet, bar_set, render_bars  # noqa: E402
from trainer.train import Recipe, calibration_error, fit_temperature, measure, train_network  # noqa: E402


def striped_bars(count: int, seed: int) -> BarSet:
    """Bars whose genre is the row of the loudest stripe: learnable in seconds."""
    rng = np.random.default_rng(seed)
    genre = rng.integers(0, 9, count)
    patches = rng.random((count, 1, 128, 64)).astype(np.float16) * 0.3
    for index, which in enumerate(genre):
        patches[index, 0, 8 + 12 * which : 16 + 12 * which] += 0.7
    return BarSet(patches, genre, np.full(count, 2), np.arange(count) // 4)


def test_corruption_changes_bars_but_not_their_range() -> None:
    generator = torch.Generator().manual_seed(0)
    patches = torch.rand(32, 1, 128, 64, generator=generator)
    bad = corrupt(patches, generator)
    assert bad.shape == patches.shape
    assert float(bad.min()) >= 0
    assert float(bad.max()) <= 1
    assert float((bad - patches).abs().mean()) > 0.02
    again = corrupt(patches, torch.Generator().manual_seed(5))
    assert torch.equal(again, corrupt(patches, torch.Generator().manual_seed(5))), "seeded"


def test_layered_bars_carry_both_labels_in_proportion() -> None:
    generator = torch.Generator().manual_seed(0)
    patches = torch.zeros(64, 1, 128, 64)
    patches[:32, :, :64] = 1.0
    patches[32:, :, 64:] = 1.0
    targets = torch.nn.functional.one_hot(torch.arange(64) // 32, 9).float()
    mixed, labels = mix_pairs(patches, targets, generator, share=1.0)
    assert labels.sum(1).tolist() == pytest.approx([1.0] * 64)
    both = (labels[:, 0] > 0) & (labels[:, 1] > 0)
    assert int(both.sum()) > 20
    for bar, label in zip(mixed[both], labels[both], strict=True):
        # a part of the power w lies 10 log10(w) dB lower, and a patch spans 60 dB
        assert float(bar[0, 10, 0]) == pytest.approx(1 + np.log10(float(label[0])) / 6, abs=1e-3)
        assert float(bar[0, 100, 0]) == pytest.approx(1 + np.log10(float(label[1])) / 6, abs=1e-3)


def test_training_learns_and_is_seeded() -> None:
    recipe = Recipe(epochs=3, batch=16, widths=(4, 8, 12, 16))
    outcome = train_network(recipe, striped_bars(256, 0), striped_bars(96, 1))
    assert outcome.losses[-1] < 0.6 * outcome.losses[0]
    assert outcome.figures["all bars"] > 0.8
    assert train_network(recipe, striped_bars(256, 0), striped_bars(96, 1)).losses == pytest.approx(outcome.losses)


def test_figures_on_known_answers() -> None:
    bars = BarSet(np.zeros((8, 1, 1, 1), np.float16), np.array([0, 0, 0, 0, 1, 1, 1, 1]),
                  np.array([2, 2, 0, 0, 2, 2, 0, 0]), np.array([0, 0, 0, 0, 1, 1, 1, 1]))  # fmt: skip
    logits = np.full((8, 9), -20.0, np.float32)
    logits[np.arange(8), [0, 0, 1, 0, 1, 5, 1, 1]] = 20.0
    figures = measure(logits, bars)
    assert figures["all bars"] == 0.75
    assert figures["drop bars"] == 0.75
    assert figures["intro bars"] == 0.75
    assert figures["tracks by their drops"] == 1.0
    assert figures["expected calibration error"] == pytest.approx(0.25, abs=1e-3)


def test_temperature_undoes_overconfidence() -> None:
    rng = np.random.default_rng(0)
    logits = rng.standard_normal((4000, 9)).astype(np.float32) * 1.5
    probs = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    genre = np.array([rng.choice(9, p=row / row.sum()) for row in probs.astype(float)])
    assert fit_temperature(logits * 3, genre) == pytest.approx(3.0, rel=0.1)
    assert calibration_error(probs, genre) < 0.03


def test_rendered_bars_are_cached_and_labelled(tmp_path: Path) -> None:
    patches, sections = render_bars("Bass House", 900_001)
    assert patches.shape[1:] == (1, 128, 64)
    assert len(patches) == len(sections)
    assert {"intro", "drop"} <= {SECTION_NAMES[number] for number in sections}
    chosen = ("Bass House", "Deep House")
    first = bar_set([900_001], tmp_path, jobs=2, genres=chosen)
    files = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.npz")}
    assert len(files) == 2
    again = bar_set([900_001], tmp_path, jobs=2, genres=chosen)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.npz")} == files
    assert np.array_equal(first.patches, again.patches)
    mine = first.genre == GENRES.index("Bass House")
    assert np.array_equal(first.patches[mine], patches)
    assert set(first.track[mine]) == {0}
