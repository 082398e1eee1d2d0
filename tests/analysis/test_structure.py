"""Form: drops, sections and track changes of mixes whose form is known."""

from __future__ import annotations

import numpy as np
import pytest

from housex_blender.analysis.drops import mainstage_drops, snap_drops
from housex_blender.analysis.handover import recurrence, tempo_changes
from housex_blender.analysis.levels import BarLevels, bar_levels
from housex_blender.analysis.structure import Structure, analyse_structure
from housex_blender.core.bars import BarGrid

from . import signals
from .signals import FORM, RATE_HZ, add, beats_for, house, kick, measured

BPM = 126.0


def _analyse(samples: np.ndarray, beats_s: np.ndarray) -> Structure:
    grid = BarGrid.from_downbeats(beats_s[:-1:4], float(beats_s[-1]))
    structure = analyse_structure(measured(samples), grid)
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
    for (start, end), (fade_in, fade_out) in zip(structure.tracks, structure.overlaps, strict=True):
        assert 0 <= fade_in <= start
        assert end <= fade_out <= n_bars
    for (start, _), (build, fill) in zip(structure.drops, structure.drop_details, strict=True):
        assert build is None or 0 <= build < start
        assert 0 <= fill <= 4


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
    assert found.drops == expected
    assert len(found.tracks) == 2
    assert abs(found.tracks[1][0] - (len(FORM) - 4)) <= 8


def _bars(samples: np.ndarray, beats_s: np.ndarray, start: int, end: int) -> np.ndarray:
    """View of the samples of some bars."""
    return samples[round(beats_s[4 * start] * RATE_HZ) : round(beats_s[4 * end] * RATE_HZ)]


def test_a_bare_kick_as_loud_as_the_drop_is_no_drop() -> None:
    beats_s = beats_for(np.full(len(FORM), BPM), 0.0)
    samples = house(FORM, beats_s)
    drop_rms = np.sqrt(np.mean(_bars(samples, beats_s, 24, 40) ** 2))
    for start, end in ((0, 8), (72, 80)):
        part = _bars(samples, beats_s, start, end)
        part *= 1.05 * drop_rms / np.sqrt(np.mean(part**2))
    grid = BarGrid.from_downbeats(beats_s[:-1:4], float(beats_s[-1]))
    levels = bar_levels(measured(samples), grid)
    assert levels.loudness_db[:8].mean() > levels.loudness_db[24:40].mean() - 0.5
    found = _analyse(samples, beats_s)
    assert found.drops == [(24, 40), (56, 72)]
    assert found.section[0] == "intro"
    assert found.section[79] == "outro"


def _high_kick() -> np.ndarray:
    """A short kick an octave above that of the signals."""
    t = np.arange(int(0.2 * RATE_HZ)) / RATE_HZ
    body = np.sin(2 * np.pi * np.cumsum(100.0 + 200.0 * np.exp(-t / 0.01)) / RATE_HZ) * np.exp(-t / 0.05)
    return body.astype(np.float32)


def test_another_kick_is_another_track(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two records after each other; the second has another key, another kick and another riff, and the same form."""
    beats_s = beats_for(np.full(2 * len(FORM), BPM), 0.0)
    one = house(FORM, beats_s[: 4 * len(FORM) + 1], seed=1)
    monkeypatch.setattr(signals, "kick", _high_kick)
    other = house(FORM, beats_s[: 4 * len(FORM) + 1], key_hz=65.4, seed=2)
    at = round(beats_s[4 * len(FORM)] * RATE_HZ)
    mix = np.zeros(at + len(other), np.float32)
    mix[:at] = one[:at]
    mix[at:] = other
    found = _analyse(mix, beats_s)
    assert len(found.tracks) == 2
    assert abs(found.tracks[1][0] - len(FORM)) <= 4
    assert 0.0 < found.track_confidence[0] <= 1.0
    assert found.drops == [(24, 40), (56, 72), (104, 120), (136, 152)]


def test_a_record_played_twice_has_no_new_kick() -> None:
    beats_s = beats_for(np.full(2 * len(FORM), BPM), 0.0)
    found = _analyse(house(FORM * 2, beats_s), beats_s)
    assert len(found.tracks) == 1


def test_what_leads_to_a_drop() -> None:
    """A kick goes through the first build-up and is out for its last two beats; the second has none at all."""
    beats_s = beats_for(np.full(len(FORM), BPM), 0.0)
    samples = house(FORM, beats_s)
    for beat in range(4 * 16, 4 * 24 - 2):
        add(samples, 0.48 * kick(), beats_s[beat])
    found = _analyse(samples, beats_s)
    assert found.drops == [(24, 40), (56, 72)]
    assert found.drop_details == [(16, 2), (48, 0)]


def _levels(loudness_db: list[float]) -> BarLevels:
    flat = np.zeros(len(loudness_db))
    return BarLevels(np.array(loudness_db), flat, flat, flat, flat, flat, np.zeros((len(flat), 4)))


@pytest.mark.parametrize(("rule", "expected"), [("mainstage", [(16, 26)]), ("mainstage-2db", [(16, 26), (30, 40)])])
def test_the_rule_of_the_mainstage_papers(rule: str, expected: list[tuple[int, int]]) -> None:
    """Loud for 15 s, within 1.5 dB of the loudest (2 dB in their code), and not in the first 15 s."""
    starts_s = 2.0 * np.arange(50)
    loudness_db = [-20.0] * 50
    loudness_db[:8] = [-6.0] * 8  # too early
    loudness_db[16:26] = [-7.5, *[-6.0] * 8, -7.5]
    loudness_db[30:40] = [-7.9] * 10
    loudness_db[42:49] = [-6.0] * 7  # 14 s
    assert mainstage_drops(_levels(loudness_db), starts_s, starts_s + 2.0, [(0, 50)], rule) == expected


def test_the_mainstage_rule_asks_every_track_for_its_own_maximum() -> None:
    starts_s = 2.0 * np.arange(40)
    levels = _levels([-20.0] * 8 + [-6.0] * 12 + [-20.0] * 8 + [-10.0] * 12)
    assert mainstage_drops(levels, starts_s, starts_s + 2.0, [(0, 40)]) == [(8, 20)]
    assert mainstage_drops(levels, starts_s, starts_s + 2.0, [(0, 20), (20, 40)]) == [(8, 20), (28, 40)]


def test_drop_rules_of_analyse_structure(one_track: Structure) -> None:
    beats_s = beats_for(np.full(len(FORM), BPM), 0.4)
    grid = BarGrid.from_downbeats(beats_s[:-1:4], float(beats_s[-1]))
    features = measured(house(FORM, beats_s))
    found = analyse_structure(features, grid, drop_rule="mainstage")
    _valid(found, grid.n_bars)
    assert found.drops == one_track.drops
    assert [bar for bar, name in enumerate(found.section) if name == "drop"] == [*range(24, 40), *range(56, 72)]
    with pytest.raises(ValueError, match="unknown drop rule"):
        analyse_structure(features, grid, drop_rule="loudest")


def test_recurrence_is_lost_where_the_sound_changes_for_good() -> None:
    rng = np.random.default_rng(3)
    loops = rng.normal(0.0, 3.0, (2, 4, 8))
    bars = np.concatenate([np.tile(loops[0], (20, 1)), np.tile(loops[1], (20, 1))])
    across, alone = recurrence(bars, np.ones(160, bool), 4.0)
    assert int(across.argmax()) == 80
    assert across[80] > 2.0
    assert across[:60].max() == 0.0
    assert alone.max() == 0.0


def test_tempo_changes_need_two_steady_tempi() -> None:
    steady = np.concatenate([np.full(40, 124.0), np.full(40, 126.0)])
    assert int(tempo_changes(steady).argmax()) in range(38, 43)
    assert tempo_changes(steady).max() == 1.5
    drifting = 124.0 + np.sin(np.arange(160) / 160 * 2 * np.pi)
    assert tempo_changes(drifting).max() < 0.5


@pytest.mark.parametrize("kind", ["silence", "noise", "one bar"])
def test_formless_audio(kind: str) -> None:
    seconds = 2.0 if kind == "one bar" else 60.0
    gain = 0.0 if kind == "silence" else 0.1
    samples = (gain * np.random.default_rng(0).standard_normal(int(seconds * RATE_HZ))).astype(np.float32)
    grid = BarGrid.fixed(seconds)
    structure = analyse_structure(measured(samples), grid)
    _valid(structure, grid.n_bars)
    assert len(structure.tracks) == 1
    if kind == "silence":
        assert structure.energy.max() == 0.0
        assert structure.drops == []


def test_nothing_drops_on_a_ruler() -> None:
    noise = 0.2 * np.random.default_rng(0).standard_normal(30 * RATE_HZ).astype(np.float32)
    grid = BarGrid.fixed(30.0, 128.0)
    structure = analyse_structure(measured(noise), grid, beat_heard=False)
    _valid(structure, grid.n_bars)
    assert structure.drops == []
    assert set(structure.section) == {"break"}


@pytest.mark.parametrize("off", [-1, 0, 1])
def test_a_drop_that_is_a_bar_off_is_put_on_the_step_of_the_level(off: int) -> None:
    loudness_db = np.array([-12.0] * 16 + [-4.0] * 16 + [-11.0] * 8)
    section = ["build"] * (16 + off) + ["drop"] * 16 + ["outro"] * (8 - off)
    assert snap_drops(section, loudness_db, {0}) == ["build"] * 16 + ["drop"] * 16 + ["outro"] * 8


def test_a_drop_stays_where_the_level_says_nothing() -> None:
    section = ["build"] * 16 + ["drop"] * 16 + ["outro"] * 8
    assert snap_drops(section, np.full(40, -6.0), {0}) == section
