"""A hand clicks through the extension in the newest real Blender here; skipped where there is none. Zone: tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from .application import Application, has_window_tools
from .click_through import RUNS, click_through

# the hour is there for its timer, and no test measures time
_RUNS = [run[0] for run in RUNS if run[0] != "hour"]


@pytest.mark.slow
@pytest.mark.parametrize("run", _RUNS)
def test_every_step_works(run: str, found: list[Application], archive: Path, tmp_path: Path) -> None:
    application = found[-1]
    if not has_window_tools(application):
        pytest.skip("no screen: Xvfb, xdotool, xwd and convert are needed")
    report = click_through(application, tmp_path, archive, [run])
    assert [step for step in report.steps if not step["ok"]] == []
    assert report.steps
