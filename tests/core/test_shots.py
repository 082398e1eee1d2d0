"""Shots: which camera looks when, and never off the bar."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from housex_blender.core.bars import BarGrid, frame_on
from housex_blender.core.edit_rules import SECTIONS
from housex_blender.core.edits import add_edit, with_edits
from housex_blender.core.errors import SceneError
from housex_blender.core.looks import MAX_SEED, Look
from housex_blender.core.manners import CAMERAS, TEMPERS
from housex_blender.core.shots import SHOTS, shot_bars, shot_list
from housex_blender.core.span_edits import section_edit
from housex_blender.core.timeline import DropSpan, Timeline

from ..conftest import make_timeline


def long_mix(*parts: tuple[str, int]) -> Timeline:
    """A mix of these sections, each with its number of bars; every drop is in the list of drops."""
    section = tuple(name for name, bars in parts for _ in range(bars))
    edges = np.append(0, np.cumsum([bars for _, bars in parts])).tolist()
    drops = tuple(DropSpan(first, end) for (name, _), first, end in zip(parts, edges[:-1], edges[1:], strict=True)
                  if name == "drop")  # fmt: skip
    count = len(section)
    whole = make_timeline(bars=max(count, 17))
    return replace(
        whole, grid=BarGrid.from_downbeats(0.25 + 2.0 * np.arange(count), 0.25 + 2.0 * count), section=section,
        drops=drops, tracks=(), probs=whole.probs[:count], confidence=whole.confidence[:count],
        uncertain=whole.uncertain[:count], energy=np.full(count, 0.5), mix=replace(whole.mix, duration_s=2.0 * count + 1),
    )  # fmt: skip


SET = long_mix(("intro", 16), ("build", 8), ("drop", 32), ("break", 32), ("build", 16), ("drop", 16), ("outro", 20))


@pytest.mark.parametrize("camera", CAMERAS)
@pytest.mark.parametrize("seed", [0, 1, 77])
def test_sections_open_with_their_shots(camera: str, seed: int) -> None:
    shots = dict(shot_bars(SET, Look(camera=camera, seed=seed)))
    opened = {0: "wide", 16: "low", 24: "wide", 56: "high", 88: "low", 104: "wide", 120: "high"}
    assert {bar: shots.get(bar) for bar in opened} == opened
    for end in (24, 104):
        assert shots[end - 4] == "close", "build-ups end close"
        assert not {end - 3, end - 2, end - 1} & shots.keys()


@pytest.mark.parametrize("camera", CAMERAS)
def test_long_sections_are_cut_as_often_as_the_temper_says(camera: str) -> None:
    every = TEMPERS[camera].cut_bars
    bars = [bar for bar, _ in shot_bars(SET, Look(camera=camera))]
    assert [bar for bar in bars if 24 <= bar < 56] == list(range(24, 56, every))
    assert [bar for bar in bars if 56 <= bar < 88] == list(range(56, 88, 2 * every)), "breaks take their time"
    counts = [len(shot_bars(SET, Look(camera=one))) for one in CAMERAS]
    assert counts == sorted(set(counts))


@pytest.mark.parametrize("fps", [23.976, 24.0, 30.0, 60.0])
def test_a_cut_lies_on_the_frame_of_a_downbeat(fps: float) -> None:
    for first_frame in (1, 101):
        shots = shot_list(SET, Look(camera="restless"), fps, first_frame)
        downbeats = frame_on(SET.grid.starts_s, fps, first_frame).astype(int)
        assert [downbeats[bar] for bar, _ in shot_bars(SET, Look(camera="restless"))] == [frame for frame, _ in shots]
        assert all(isinstance(frame, int) for frame, _ in shots)
    with pytest.raises(SceneError, match="frames per second"):
        shot_list(SET, Look(), 0.0)


@settings(max_examples=150, deadline=None)
@given(
    parts=st.lists(st.tuples(st.sampled_from(SECTIONS), st.integers(1, 40)), min_size=1, max_size=9),
    camera=st.sampled_from(CAMERAS),
    seed=st.integers(0, MAX_SEED),
)
def test_any_mix_is_cut_with_care(parts: list[tuple[str, int]], camera: str, seed: int) -> None:
    mix = long_mix(*parts)
    shots = shot_bars(mix, Look(camera=camera, seed=seed))
    drops = {drop.start_bar for drop in mix.drops}
    assert shots[0][0] == 0, "the first shot holds from the start"
    assert {shot for _, shot in shots} <= set(SHOTS)
    assert drops <= {bar for bar, _ in shots}
    assert all(shot == "wide" for bar, shot in shots if bar in drops), "a drop always opens wide"
    for (bar, shot), (after, other) in pairwise(shots):
        assert after - bar >= 2 or after in drops, "never two cuts within two bars"
        assert shot != other or after in drops, "a cut to the same camera is none"


def test_the_seed_decides_and_decides_alike() -> None:
    cuts = [shot_bars(SET, Look(camera="restless", seed=seed)) for seed in range(20)]
    assert cuts == [shot_bars(SET, Look(camera="restless", seed=seed)) for seed in range(20)]
    assert len({tuple(one) for one in cuts}) > 10
    assert len({tuple(bar for bar, _ in one) for one in cuts}) == 1, "when is said by the music"
    # pinned: the film that somebody liked must come back in every version
    assert cuts[3][4:9] == [(16, "low"), (20, "close"), (24, "wide"), (28, "close"), (32, "low")]


def test_edits_count_and_change_nothing_elsewhere() -> None:
    look = Look(camera="restless", seed=5)
    plain = shot_bars(SET, look)
    edited = add_edit(SET, section_edit(SET, 64, 80, "drop"))
    frames = shot_list(edited, look, 24.0)
    assert frames == shot_list(with_edits(edited), look, 24.0), "applied here or before"
    shots = shot_bars(with_edits(edited), look)
    assert (64, "wide") in shots
    assert [one for one in shots if one[0] < 56] == [one for one in plain if one[0] < 56]
    assert [one for one in shots if one[0] >= 88] == [one for one in plain if one[0] >= 88]
    # a nudge of the bars moves the cuts with them
    moved = add_edit(SET, {"what": "grid", "op": "nudge", "from_s": 0.0, "value": 0.5})
    assert [shot for _, shot in shot_list(moved, look, 24.0)] == [shot for _, shot in shot_list(SET, look, 24.0)]
