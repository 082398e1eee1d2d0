"""Miniatures of the published data sets, made once per session for all tests that train or read."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from trainer.data.miniature import make_miniature


@pytest.fixture(scope="session")
def miniature(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Path]]:
    """Called with the name of a data set, returns the folder of its small miniature; tests write nothing into it."""
    room = tmp_path_factory.mktemp("miniatures")
    made: dict[str, Path] = {}

    def make(name: str) -> Path:
        if name not in made:
            made[name] = make_miniature(name, room / name, jobs=min(2, os.cpu_count() or 1))
        return made[name]

    yield make
    # 250 MB of audio, which pytest would keep for three sessions
    shutil.rmtree(room, ignore_errors=True)
