"""Edits win over what was heard, bar by bar."""

from __future__ import annotations

import numpy as np
import pytest

from housex_blender.core.channels import compile_show
from housex_blender.core.edits import with_edits
from housex_blender.core.errors import TimelineError
from housex_blender.core.looks import Look, hex_to_linear
from housex_blender.core.timeline import Timeline

from ..conftest import make_timeline


def edit(from_s: float, to_s: float, value: str) -> dict[str, object]:
    return {"what": "genre", "from_s": from_s, "to_s": to_s, "value": value, "locked": True}


def test_no_edits_no_change(timeline: Timeline) -> None:
    assert with_edits(timeline) is timeline


def test_an_edit_holds_for_bars_whose_middle_it_covers() -> None:
    timeline = make_timeline(edits=(edit(4.25, 9.0, "techno"), edit(6.25, 8.25, "Bigroom")),
                             uncertain=np.ones(24, bool))  # fmt: skip
    edited = with_edits(timeline)
    # bars last 2 s from 0.25 s on: bars 2 and 3 are covered, half of bar 4 is not enough
    assert edited.labels[:6] == ["Future House"] * 2 + ["Tech House", "Bigroom"] + ["Future House"] * 2
    assert edited.uncertain[:5].tolist() == [True, True, False, False, True]
    assert timeline.labels[2] == "Future House", "the timeline itself is not changed"


def test_the_show_follows_edits() -> None:
    timeline = make_timeline(edits=(edit(4.25, 6.25, "Bass House"),))
    inside = (4.25 + 1.0) * 24 + 1
    assert compile_show(timeline, Look(), 24.0)["colour_a"].at(inside) == pytest.approx(hex_to_linear("#ffffff"))


@pytest.mark.parametrize(
    ("wrong", "said"), [(edit(1, 2, "Polka"), "Polka"), (edit(5, 5, "Bigroom"), "before it begins")]
)
def test_edits_that_make_no_sense(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(TimelineError, match=said):
        with_edits(make_timeline(edits=(wrong,)))
