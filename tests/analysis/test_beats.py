"""The parts between onsets and bars: cuts, breaks, straight beats, half beats, lost bars."""

from __future__ import annotations

import numpy as np
import pytest

from housex_blender.analysis.barnet import place_evidence
from housex_blender.analysis.breaks import bridge_breaks
from housex_blender.analysis.changes import band_levels
from housex_blender.analysis.grid import track_grid
from housex_blender.analysis.joins import settle_pieces
from housex_blender.analysis.pulse import BeatPath
from housex_blender.analysis.straight import straighten

from .signals import FORM, RATE_HZ, beats_for, house, measured

mir_eval = pytest.importorskip("mir_eval")


def _piece(form: list[str], bpm: float, seed: int, key_hz: float = 55.0) -> tuple[np.ndarray, np.ndarray]:
    """A track from its first downbeat to its last beat's end, and its beats."""
    beats_s = beats_for(np.full(len(form), bpm), 0.0)
    return house(form, beats_s, seed=seed, key_hz=key_hz)[: round(beats_s[-1] * RATE_HZ)], beats_s[:-1]


def _nearest(truth_s: np.ndarray, found_s: np.ndarray) -> np.ndarray:
    return np.abs(truth_s[:, None] - found_s[None]).min(axis=1)


# -- straight beats --------------------------------------------------------------------------------------------


def _straightened(beats_s: np.ndarray, kicked: np.ndarray, jitter_s: float) -> np.ndarray:
    rng = np.random.default_rng(0)
    kicks_s = beats_s[kicked] + rng.normal(0.0, jitter_s, int(kicked.sum()))
    guess_s = beats_s + 0.006 * np.sin(np.arange(len(beats_s)) / 9.0)
    ones = np.ones(len(beats_s))
    return straighten(guess_s, np.zeros(len(beats_s), np.int64), ones, kicks_s, np.ones(len(kicks_s)))


def test_beats_of_one_tempo_come_out_straight() -> None:
    beats_s = 0.3 + np.arange(400) * 60.0 / 126.0
    found = _straightened(beats_s, np.ones(400, bool), 0.004)
    assert np.abs(found - beats_s).max() < 0.002
    bpm = 60.0 / np.diff(found[::4]) * 4
    assert np.abs(bpm - 126.0).max() < 0.05


def test_a_break_without_kicks_keeps_the_time_of_both_sides() -> None:
    beats_s = 0.3 + np.arange(400) * 60.0 / 126.0
    kicked = (np.arange(400) < 130) | (np.arange(400) > 260)
    assert np.abs(_straightened(beats_s, kicked, 0.002) - beats_s).max() < 0.003


def test_a_ramp_stays_a_ramp() -> None:
    bpm = np.interp(np.arange(400), [120, 200], [124.0, 128.0])
    beats_s = np.concatenate([[0.0], np.cumsum(60.0 / bpm)])[:400]
    assert np.abs(_straightened(beats_s, np.ones(400, bool), 0.002) - beats_s).max() < 0.006


def test_nothing_is_drawn_straight_across_a_cut() -> None:
    beats_s = np.concatenate([np.arange(200) * 0.5, 99.8 + np.arange(200) * 0.48])
    pieces = np.repeat([0, 1], 200)
    found = straighten(beats_s, pieces, np.ones(400), beats_s, np.ones(400))
    assert np.abs(found - beats_s).max() < 0.002


# -- breaks ----------------------------------------------------------------------------------------------------


def _with_break(slip: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """True half beats at 125 BPM, a path that lost ``slip`` of them in a break, and the kicks on that path."""
    truth_s = np.arange(600) * 0.24
    inside = np.linspace(truth_s[200], truth_s[400], 201 - slip)
    path_s = np.concatenate([truth_s[:200], inside, truth_s[401:]])
    on_beat = np.isclose(path_s / 0.48, np.round(path_s / 0.48))
    quiet = (path_s > truth_s[200]) & (path_s < truth_s[400])
    return truth_s, path_s, np.where(on_beat & ~quiet, 1.0, 0.0)


@pytest.mark.parametrize("slip", [1, 2, -1])
def test_half_beats_lost_in_a_break_are_put_back(slip: int) -> None:
    truth_s, path_s, kick = _with_break(slip)
    found_s, pieces = bridge_breaks(path_s, np.zeros(len(path_s), np.int64), kick)
    assert len(found_s) == len(pieces) == len(truth_s)
    assert np.abs(found_s - truth_s).max() < 1e-3


def test_a_break_of_another_tempo_behind_is_left_alone() -> None:
    _, path_s, kick = _with_break(0)
    later = path_s.copy()
    later[401:] = path_s[400] + 0.25 * np.arange(1, len(path_s) - 400)
    found_s, _ = bridge_breaks(later, np.zeros(len(later), np.int64), kick)
    np.testing.assert_array_equal(found_s, later)


# -- half beats and the place in the bar ----------------------------------------------------------------------


def test_the_network_knows_most_places_in_the_bar() -> None:
    beats_s = beats_for(np.full(len(FORM), 126.0), 0.0)[:-1]
    features = measured(house(FORM, beats_for(np.full(len(FORM), 126.0), 0.0), seed=9))
    evidence = place_evidence(features, beats_s, band_levels(features, beats_s))
    assert evidence.shape == (len(beats_s), 4)
    np.testing.assert_allclose(np.exp(evidence).sum(axis=1) / 4, 1.0, atol=1e-6)
    # over phrases it adds up: the true reading must be far ahead of those shifted by a beat or more
    place = np.arange(len(beats_s)) % 4
    total = [evidence[np.arange(len(beats_s)), (place + shift) % 4].sum() for shift in range(4)]
    assert np.argmax(total) == 0
    assert total[0] > 20.0


def test_a_detour_to_the_notes_between_the_beats_is_taken_back() -> None:
    """A path that leaves the beat for a minute and comes back in time never left it."""
    rate_hz = 172.0
    truth_s = 0.2 + 0.5 * np.arange(360)
    onset = np.zeros(int(181 * rate_hz))
    onset[np.rint(truth_s * rate_hz).astype(int)] = 4.0
    away = (truth_s > 60.0) & (truth_s < 110.0)
    # louder notes a quarter of a beat early, as long as the detour lasts
    onset[np.rint((truth_s[away] - 0.125) * rate_hz).astype(int)] = 9.0
    beats = np.where(away, truth_s - 0.125, truth_s)
    pieces = np.where(truth_s <= 60.0, 0, np.where(away, 1, 2))
    path = BeatPath(beats, np.ones(181), np.arange(181) + 0.5, pieces)
    found = settle_pieces(path, onset, rate_hz)
    assert len(np.unique(found.pieces)) == 1
    assert _nearest(truth_s, found.beats).max() < 0.01


# -- whole grids -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("gap_beats", [0.35, 0.6])
def test_a_hard_cut_with_a_jump_of_phase_and_tempo(gap_beats: float) -> None:
    first, beats_a = _piece(FORM[:40], 124.0, 1)
    second, beats_b = _piece(FORM[24:72], 128.5, 2, 49.0)
    lost = round(gap_beats * 60.0 / 124.0 * RATE_HZ)
    first = first[:-lost]
    cut_s = len(first) / RATE_HZ
    beats_s = np.concatenate([beats_a[beats_a < cut_s - 0.05], cut_s + beats_b])
    result = track_grid(measured(np.concatenate([first, second])))
    assert mir_eval.beat.f_measure(beats_s, result.grid.beats_s) >= 0.985
    bars_s = np.concatenate([beats_a[::4][beats_a[::4] < cut_s - 0.05], cut_s + beats_b[::4]])
    assert mir_eval.beat.f_measure(bars_s, result.grid.starts_s) >= 0.95
    # no beat of the old track is heard in the new one, a second after the cut
    later_s = cut_s + beats_b[(beats_b > 1.0) & (beats_b < 30.0)]
    assert _nearest(later_s, result.grid.beats_s).max() < 0.03


def test_two_beats_lost_in_an_edit_make_one_short_bar() -> None:
    samples, beats_s = _piece(FORM, 126.0, 4)
    start, stop = (round(beats_s[4 * 30 + beat] * RATE_HZ) for beat in (2, 4))
    edited = np.concatenate([samples[:start], samples[stop:]])
    result = track_grid(measured(edited))
    downbeats_s = np.concatenate([beats_s[: 4 * 31 : 4], beats_s[4 * 31 :: 4] - (stop - start) / RATE_HZ])
    assert mir_eval.beat.f_measure(downbeats_s, result.grid.starts_s) >= 0.95
    beats = np.diff(np.searchsorted(result.grid.beats_s, result.grid.edges_s - 0.01))
    assert 2 in beats[:-1].tolist()


def test_beats_hold_through_broken_drums() -> None:
    """Kick on one and on the half after two, snare on two and four, for the whole drop."""
    form = ["break"] * 8 + ["drop"] * 48
    beats_s = beats_for(np.full(len(form), 128.0), 0.4)
    samples = house(form, beats_s, bass=False, seed=5, kicks=(0.0, 2.5), claps=(1.0, 3.0))
    result = track_grid(measured(samples))
    assert mir_eval.beat.f_measure(beats_s[:-1], result.grid.beats_s[result.grid.beats_s < beats_s[-1] - 0.2]) >= 0.985
    assert np.median(result.grid.bpm) == pytest.approx(128.0, abs=0.05)


def test_hats_between_the_beats_before_the_kick_do_not_flip_the_beat() -> None:
    """Thirty-two bars of off-beat hats alone, then the kick: one grid without a half-beat step."""
    form = ["hats"] * 32 + ["drop"] * 40
    beats_s = beats_for(np.full(len(form), 124.0), 0.2)
    result = track_grid(measured(house(form, beats_s, bass=False, seed=6)))
    gap_s = _nearest(beats_s[:-1], result.grid.beats_s)
    assert np.mean(gap_s > 0.1) < 0.02
