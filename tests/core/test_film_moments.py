"""Moments that stand for a whole film."""

from __future__ import annotations

import pytest

from housex_blender.core.film_moments import best_moment, estimate_moments, section_moments

from ..conftest import make_timeline


def test_every_section_has_its_moment() -> None:
    timeline = make_timeline()
    moments = section_moments(timeline, 0.0, timeline.mix.duration_s)
    assert [moment.section for moment in moments] == ["intro", "build", "drop", "break"]
    assert [moment.genre for moment in moments] == ["Future House"] * 3 + ["Melodic House"]
    for moment in moments:
        bar = timeline.grid.bar_at(moment.time_s)
        assert timeline.section[bar] == moment.section
        assert 0.0 < moment.time_s - timeline.grid.starts_s[bar] < 0.15


def test_only_the_film_counts() -> None:
    timeline = make_timeline()
    starts_s = timeline.grid.starts_s
    moments = section_moments(timeline, float(starts_s[6]), float(starts_s[10]))
    assert [moment.section for moment in moments] == ["build", "drop"]
    # less than a bar: the bar it lies in
    (short,) = section_moments(timeline, float(starts_s[9]) + 0.5, float(starts_s[9]) + 1.0)
    assert short.section == "drop"
    assert starts_s[9] + 0.5 <= short.time_s < starts_s[9] + 1.0


def test_an_estimate_weighs_a_break_a_build_up_and_a_drop() -> None:
    timeline = make_timeline()
    moments = estimate_moments(timeline, 0.0, timeline.mix.duration_s)
    assert [moment.section for moment, _ in moments] == ["break", "build", "drop"]
    # the intro is counted with the break
    assert [share for _, share in moments] == pytest.approx([12 / 24, 4 / 24, 8 / 24])
    alone = estimate_moments(timeline, float(timeline.grid.starts_s[9]), float(timeline.grid.starts_s[12]))
    assert [(moment.section, share) for moment, share in alone] == [("drop", 1.0)]


def test_the_best_moment_is_in_a_drop() -> None:
    timeline = make_timeline()
    assert timeline.grid.bar_at(best_moment(timeline, 0.0, timeline.mix.duration_s).time_s) == 9
    calm = best_moment(timeline, float(timeline.grid.starts_s[17]), timeline.mix.duration_s)
    assert calm.section == "break"
