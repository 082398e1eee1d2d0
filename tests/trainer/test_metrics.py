"""Figures on known answers."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

pytest.importorskip("torch")

from trainer.metrics import (
    accuracy,
    attribute_figures,
    bar_figures,
    calibration_error,
    confusion,
    coverage_table,
    f1,
    interval_over_tracks,
    macro_f1,
    mix_figures,
    owner_genre,
)

from .bars import striped_mix, striped_track


def certain(labels: np.ndarray, confidence: float = 0.92) -> np.ndarray:
    probs = np.full((len(labels), 9), (1 - confidence) / 8)
    probs[np.arange(len(labels)), labels] = confidence
    return probs


def test_macro_f1_weighs_a_rare_class_like_a_common_one() -> None:
    table = confusion(np.array([0] * 98 + [1, 1]), np.array([0] * 98 + [0, 1]), 3)
    assert accuracy(table) == 0.99
    # class 0: 2*98/(98+99); class 1: 2*1/(2+1); class 2 never occurs and does not count
    assert f1(table) == pytest.approx([196 / 197, 2 / 3, 0.0])
    assert macro_f1(table) == pytest.approx((196 / 197 + 2 / 3) / 2)


def test_a_class_that_is_only_said_has_no_f1_and_does_not_count() -> None:
    table = confusion(np.array([0, 0, 1, 1]), np.array([0, 2, 1, 1]), 3)
    assert f1(table) == pytest.approx([2 / 3, 1.0, 0.0])
    assert macro_f1(table) == pytest.approx((2 / 3 + 1) / 2)


def test_calibration_error_is_the_gap_between_confidence_and_accuracy() -> None:
    right = np.arange(100) < 60
    assert calibration_error(np.full(100, 0.9), right) == pytest.approx(0.3)
    assert calibration_error(np.full(100, 0.6), right) == pytest.approx(0.0)


def test_coverage_keeps_the_confident_first() -> None:
    table = coverage_table(np.array([0.9, 0.8, 0.2, 0.1]), np.array([True, True, True, False]))
    assert table["100 %"] == 0.75
    assert table["70 %"] == 1.0


def test_interval_is_wide_when_whole_tracks_are_wrong() -> None:
    right, wrong = np.array([[10, 0], [0, 0]]), np.array([[0, 10], [0, 0]])
    same = np.array([[5, 5], [0, 0]])
    low, high = interval_over_tracks([right, wrong] * 4, accuracy)
    assert low < 0.3
    assert high > 0.7
    assert interval_over_tracks([same] * 8, accuracy) == (0.5, 0.5)


def test_bar_figures_count_drops_apart_from_the_rest() -> None:
    tracks = [striped_track(0, 0), striped_track(1, 0)]
    said = [np.zeros(24, int), np.full(24, 1)]
    said[0][:8] = 5  # all intros of the first track are wrong
    said[1][8:12] = 2  # and a quarter of the drops of the second
    figures = bar_figures(tracks, [certain(labels) for labels in said])
    assert figures["drop accuracy"] == pytest.approx(28 / 32)
    assert figures["by section"]["intro"] == 0.5
    assert figures["all bars"] == pytest.approx(36 / 48)
    assert figures["tracks by their drops"] == 1.0
    assert np.array(figures["confusion of drop bars"])[1].tolist() == [0, 12, 4, 0, 0, 0, 0, 0, 0]
    assert figures["expected calibration error"] == pytest.approx(0.92 - 28 / 32, abs=1e-3)


def test_attribute_figures_show_what_guessing_would_reach() -> None:
    tracks = [striped_track(genre, 0) for genre in range(9)]
    exact = attribute_figures(tracks, [np.nan_to_num(track.attributes) for track in tracks])
    assert exact["groove"]["error"] == 0.0
    assert exact["groove"]["error of the mean"] > 1.0
    assert exact["lead"] == {"right": 1.0, "commoner answer": pytest.approx(2 / 3, abs=1e-3)}
    assert "rhythm" not in exact, "never known here"


def test_mix_figures_tell_found_changes_from_flips() -> None:
    mix = striped_mix([0, 1, 2], 0)
    label = owner_genre(mix)
    assert label.tolist() == [0] * 24 + [1] * 24 + [2] * 24
    late = label.copy()
    late[24:26] = 0  # two bars late still counts
    late[48:51] = 1  # three do not, and that change is a flip then
    late[60:62] = 7  # out and back: two flips
    figures = mix_figures([mix], [certain(late)])
    assert figures["changes"] == 2
    assert figures["changes within 2 bars"] == 0.5
    assert figures["flips per 64 bars"] == pytest.approx(64 * 3 / 72, abs=1e-3)
    clear = ~mix.crossfade
    assert figures["bar accuracy outside crossfades"] == pytest.approx((late == label)[clear].mean(), abs=1e-3)


def test_a_change_between_two_tracks_of_one_genre_is_none() -> None:
    mix = striped_mix([3, 3], 0)
    figures = mix_figures([dataclasses.replace(mix)], [certain(np.full(48, 3))])
    assert figures["changes"] == 0
    assert figures["flips per 64 bars"] == 0.0
