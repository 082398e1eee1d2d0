"""Moments as people write them: seconds, clock times and bar numbers. Zone: pure."""

from __future__ import annotations

import re

from .bars import BarGrid
from .errors import HouseXError

_CLOCK = re.compile(r"(?:(\d+):)?(\d{1,3}):(\d{1,2}(?:\.\d+)?)", re.ASCII)
_BAR = re.compile(r"b(\d+)", re.IGNORECASE | re.ASCII)


def parse_moment(text: str, grid: BarGrid | None = None) -> float:
    """Seconds of ``83.5``, ``1:23.5``, ``1:01:23`` or ``b33`` (the downbeat of bar 33; the first bar is 1).

    Args:
        text: What the user wrote.
        grid: Needed for bar numbers; without one they are only checked for form and give 0.

    Raises:
        HouseXError: It is none of these, or the mix has no such bar.
    """
    text = text.strip()
    if match := _BAR.fullmatch(text):
        bar = int(match[1])
        if grid is None:
            return 0.0
        if not 1 <= bar <= grid.n_bars:
            raise HouseXError(f"There is no bar {bar}.", f"The mix has bars 1 to {grid.n_bars}.")
        return float(grid.starts_s[bar - 1])
    if match := _CLOCK.fullmatch(text):
        hours, minutes, seconds = int(match[1] or 0), int(match[2]), float(match[3])
        if seconds < 60 and (minutes < 60 or match[1] is None):
            return hours * 3600 + minutes * 60 + seconds
    if re.fullmatch(r"\d+(?:\.\d*)?|\.\d+", text, re.ASCII):
        return float(text)
    raise HouseXError(f"{text[:40]!r} is not a time.", "Write seconds, mm:ss, hh:mm:ss or a bar such as b33.")
