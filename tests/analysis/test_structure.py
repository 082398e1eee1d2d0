"""Form: drops, sections and track changes of mixes whose form is known."""

from __future__ import annotations

import numpy as np
import pytest

from housex_blender.analysis.features import Features, FeatureStream
from housex_blender.analysis.structure import Structure, analyse_structure
from housex_blender.core.bars import BarGrid

from .signals import FORM, RATE_HZ, beats_for, house

BPM = 126.0


def _features(samples: np.ndarray) -> Features:
    stream = FeatureStream()
    for start in range(0, len(samples), 220500):
        stream.push(samples[start : start + 220500])
    return stream.finish()


def _analyse(samples: np.ndarray, beats_s: np.ndarray) -> Structure:
    grid = BarGrid.from_downbeats(beats_s[:-1:4], float(beats_s[-1]))
    structure = analyse_structure(_features(samples), grid)
    _valid(structure, grid.n_bars)
    return structure


def _valid(structure: Structure, n_bars: int) -> None:
    assert structure.energy.shape == (n_bars,)
    assert np.all((structure.energy >= 0) & (structure.energy <= 1))
    assert len(structure.section) == n_bars
    assert set(structure.section) <= {"intro", "build", "drop", "break", "outro"}
    edges = [start for start, _ in structure.tracks] + [structure.tracks[-1][1]]
    assert edges[0] == 0
    assert edges[-1] == n_bars
    assert edges == sorted(set(edges))
    assert all(end == start for (_, end), (start, _) in zip(structure.tracks[:-1], structure.tracks[1:], strict=True))
    assert len(structure.track_confidence) == len(structure.tracks) - 1
    assert all(0 <= start < end <= n_bars for start, end in structure.drops)


@pytest.fixture(scope="module")
def one_track() -> Structure:
    beats_s = beats_for(np.full(len(FORM), BPM), 0.4)
    return _analyse(house(FORM, beats_s), beats_s)


def test_drops_of_one_track(one_track: Structure) -> None:
    assert one_track.drops == [(24, 40), (56, 72)]


def test_one_track_stays_whole(one_track: Structure) -> None:
    assert one_track.tracks == [(0, len(FORM))]


def test_sections_of_one_track(one_track: Structure) -> None:
    agree = np.mean([found == true for found, true in zip(one_track.section, FORM, strict=True)])
    assert agree >= 0.85
    assert one_track.section[0] == "intro"
    assert one_track.section[-1] == "outro"
    assert one_track.section[23] == "build"
    assert one_track.section[12] == "break"


def test_energy_follows_the_form(one_track: Structure) -> None:
    form = np.array(FORM)
    assert one_track.energy[form == "drop"].mean() > one_track.energy[form == "intro"].mean()
    assert one_track.energy[form == "intro"].mean() > one_track.energy[form == "break"].mean()
    assert one_track.energy[form == "drop"].min() > 0.8


def test_two_tracks_of_different_level() -> None:
    beats_s = beats_for(np.full(2 * len(FORM) - 8, BPM), 0.0)
    second_s = beats_s[4 * (len(FORM) - 8)]
    first = house(FORM, beats_s[: 4 * len(FORM) + 1], key_hz=55.0, seed=1)
    second = 0.5 * house(FORM, beats_s[: 4 * len(FORM) + 1], key_hz=65.4, seed=2)
    mix = np.zeros(round(second_s * RATE_HZ) + len(second), np.float32)
    mix[: len(first)] += first
    mix[-len(second) :] += second
    found = _analyse(mix, beats_s)
    shift = len(FORM) - 8
    expected = [(24, 40), (56, 72), (24 + shift, 40 + shift), (56 + shift, 72 + shift)]
    assert len(found.drops) == 4
    for (start, end), (true_start, true_end) in zip(found.drops, expected, strict=True):
        assert abs(start - true_start) <= 1
        assert abs(end - true_end) <= 1
    assert len(found.tracks) == 2
    assert abs(found.tracks[1][0] - (len(FORM) - 4)) <= 8


@pytest.mark.parametrize("kind", ["silence", "noise", "one bar"])
def test_formless_audio(kind: str) -> None:
    seconds = 2.0 if kind == "one bar" else 60.0
    gain = 0.0 if kind == "silence" else 0.1
    samples = (gain * np.random.default_rng(0).standard_normal(int(seconds * RATE_HZ))).astype(np.float32)
    grid = BarGrid.fixed(seconds)
    structure = analyse_structure(_features(samples), grid)
    _valid(structure, grid.n_bars)
    assert len(structure.tracks) == 1
    if kind == "silence":
        assert structure.energy.max() == 0.0
        assert structure.drops == []


def test_nothing_drops_on_a_ruler() -> None:
    noise = 0.2 * np.random.default_rng(0).standard_normal(30 * RATE_HZ).astype(np.float32)
    grid = BarGrid.fixed(30.0, 128.0)
    structure = analyse_structure(_features(noise), grid, beat_heard=False)
    _valid(structure, grid.n_bars)
    assert structure.drops == []
    assert set(structure.section) == {"break"}
