"""The demo mix against its truth: beats, bars, genres of the drops, track changes, drops, kicks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import mir_eval
import numpy as np
import pytest

from housex_blender.core.show_heard import kick_times
from housex_blender.core.timeline import Timeline

from ..conftest import ROOT


@pytest.fixture(scope="module")
def truth(demo_mix: Path) -> dict[str, Any]:
    return json.loads(demo_mix.with_name("demo_mix.truth.json").read_text())


@pytest.fixture(scope="module")
def heard(demo_mix: Path, tmp_path_factory: pytest.TempPathFactory) -> Timeline:
    output = tmp_path_factory.mktemp("demo") / "demo.housex.json"
    subprocess.run([sys.executable, "-m", "housex_blender.analysis", demo_mix, "-o", output, "--no-cache"],
                   check=True, stdout=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": str(ROOT)})  # fmt: skip
    return Timeline.load(output)


def test_the_demo_is_the_papers_order_and_long_enough(truth: dict[str, Any]) -> None:
    assert truth["duration_s"] >= 180
    assert [t["genre"] for t in truth["tracks"]] == ["Future House", "Bass House", "Progressive House", "Melodic House"]


def test_beats(heard: Timeline, truth: dict[str, Any]) -> None:
    true_s = np.array(truth["beats_s"])
    assert mir_eval.beat.f_measure(true_s, heard.grid.beats_s) >= 0.98
    nearest = np.abs(true_s[:, None] - heard.grid.beats_s[None, :]).min(axis=1)
    assert np.median(nearest) < 0.010


def test_downbeats(heard: Timeline, truth: dict[str, Any]) -> None:
    assert mir_eval.beat.f_measure(np.array(truth["downbeats_s"]), heard.grid.starts_s) >= 0.97


def test_tempo_follows_the_ramps(heard: Timeline, truth: dict[str, Any]) -> None:
    true_bpm = 240 / (np.array(truth["bars"]["end_s"]) - np.array(truth["bars"]["start_s"]))
    for bar, bpm in enumerate(true_bpm):
        middle_s = (truth["bars"]["start_s"][bar] + truth["bars"]["end_s"][bar]) / 2
        assert heard.grid.bpm[heard.grid.bar_at(middle_s)] == pytest.approx(bpm, abs=0.6), f"bar {bar}"


def test_the_genre_of_every_drop(heard: Timeline, truth: dict[str, Any]) -> None:
    for drop in truth["drops"]:
        wanted = truth["bars"]["label"][drop["start_bar"]]
        first, last = (heard.grid.bar_at(drop[key] + 0.05) for key in ("start_s", "end_s"))
        labels = heard.labels[first:last]
        assert labels.count(wanted) >= 0.8 * len(labels), f"{wanted}: heard {labels}"


def test_drops_and_track_changes(heard: Timeline, truth: dict[str, Any]) -> None:
    starts_s = heard.grid.starts_s
    assert len(heard.drops) == len(truth["drops"])
    for drop, true in zip(heard.drops, truth["drops"], strict=True):
        assert float(starts_s[drop.start_bar]) == pytest.approx(true["start_s"], abs=2.0)
    assert len(heard.tracks) == 4
    for track, true in zip(heard.tracks[1:], truth["tracks"][1:], strict=True):
        assert true["fade_in_s"] - 2 <= float(starts_s[track.start_bar]) <= true["handover_s"] + 16
    assert heard.tracks[0].start_bar == 0
    assert heard.tracks[-1].end_bar == heard.grid.n_bars


def test_energy_separates_drops_from_breaks(heard: Timeline, truth: dict[str, Any]) -> None:
    section = {}
    for bar, name in enumerate(truth["bars"]["section"]):
        middle_s = (truth["bars"]["start_s"][bar] + truth["bars"]["end_s"][bar]) / 2
        section.setdefault(name, []).append(float(heard.energy[heard.grid.bar_at(middle_s)]))
    assert np.mean(section["drop"]) > np.mean(section["intro"]) > np.mean(section["break"])
    assert np.mean(section["drop"]) > 0.7


def test_kicks_lie_on_the_beats_of_the_drops_and_not_in_the_breaks(heard: Timeline, truth: dict[str, Any]) -> None:
    times_s, strength = kick_times(heard)
    beats_s = np.array(truth["beats_s"])
    for drop in truth["drops"]:
        inside = beats_s[(beats_s >= drop["start_s"] - 0.01) & (beats_s < drop["end_s"] - 0.01)]
        hit = np.abs(inside[:, None] - times_s[None, :]).min(axis=1) < 0.03
        assert hit.mean() > 0.95, drop
    bars = truth["bars"]
    for bar, name in enumerate(bars["section"]):
        if name == "break" and bars["section"][bar - 1 : bar + 2] == ["break"] * 3:
            there = (times_s > bars["start_s"][bar] + 0.1) & (times_s < bars["end_s"][bar] - 0.1)
            assert strength[there].sum() < 1.0, f"bar {bar} has no kick"
