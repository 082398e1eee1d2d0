"""The Blender applications of this machine, and one zip for all of them. Zone: tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from .application import Application, applications, build_zip


@pytest.fixture(scope="session")
def found() -> list[Application]:
    """At least one Blender, or the test is skipped."""
    here = applications()
    if not here:
        pytest.skip("no Blender application: set HOUSEX_BLENDER, or HOUSEX_REAL_BLENDER")
    return here


@pytest.fixture(scope="session")
def archive(found: list[Application], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The extension, with the wheels for every Python among them."""
    return build_zip(tmp_path_factory.mktemp("dist"), sorted({application.python for application in found}))
