"""Processes, watched from outside. Zone: tests."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and that nobody has waited for yet does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in ("Z", "X")


def wait_until(happened: Callable[[], object], at_most_s: float = 30.0) -> None:
    """Wait until something holds, but not for ever."""
    end_s = time.monotonic() + at_most_s
    while not happened():
        assert time.monotonic() < end_s, "waited too long"
        time.sleep(0.02)
