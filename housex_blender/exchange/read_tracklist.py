"""Tracklists as people write them: a time and a name on each line. Zone: pure."""

from __future__ import annotations

import re
from itertools import pairwise

from .errors import ExchangeError
from .imported import Imported
from .names import DASHES, one_line, split_name

_TIME = r"[\[(]?(?:(\d{1,2}):)?(\d{1,3}):(\d{2})(?:[.,](\d{1,3}))?(?![\d:])[\])]?"
_LEADING = re.compile(rf"(?:#?\d{{1,3}}(?:[.)] ?| ))?{_TIME}(?: ?[{DASHES}|:.])?(?: |$|(?=\D))(.*)", re.ASCII)
# "00:00 - 05:30 Artist - Title": the end of a track says nothing that the next start does not
_UNTIL = re.compile(r"[\[(]?(?:\d{1,2}:)?\d{1,3}:\d{2}(?![\d:])[\])]? ?", re.ASCII)
_TRAILING = re.compile(rf"(.*?)(?: ?[{DASHES}|@])? ?{_TIME}", re.ASCII)
_NUMBER = re.compile(r"#?\d{1,3}[.)] ?", re.ASCII)


def read_tracklist(lines: list[tuple[int, str]], name: str) -> Imported:
    """Tracks of ``HH:MM:SS Artist – Title``; also ``MM:SS``, ``[mm:ss]``, ``01.`` before and the time at the end.

    Lines without a time, such as a headline, are left out.

    Raises:
        ExchangeError: No line has a time, or a time is impossible.
    """
    leading: list[tuple[float, str, str]] = []
    trailing: list[tuple[float, str, str]] = []
    for number, raw in lines:
        line, where = one_line(raw), f"Line {number} of {name}"
        if match := _LEADING.fullmatch(line):
            rest = _UNTIL.sub("", match[5], count=1) if _UNTIL.match(match[5]) else match[5]
            performer, title = split_name(rest.strip(DASHES + " |"))
            leading.append((_seconds(match.groups()[:4], where), title, performer))
        elif match := _TRAILING.fullmatch(line):
            performer, title = split_name(_NUMBER.sub("", match[1], count=1) if _NUMBER.match(match[1]) else match[1])
            trailing.append((_seconds(match.groups()[1:], where), title, performer))
    tracks = leading or trailing
    if not tracks:
        raise ExchangeError(
            f"{name} has no line that begins with a time.", "Write a line such as 00:04:30 Artist – Title per track."
        )
    if not leading and any(b[0] <= a[0] for a, b in pairwise(tracks)):
        # falling times at the ends of lines are playing times
        raise ExchangeError(f"{name} has lengths, not starting times.", "Write the time at which each track begins.")
    left_out = len(lines) - len(tracks)
    messages = [f"{left_out} of {len(lines)} lines have no time and were left out."] if left_out else []
    if any(b[0] < a[0] for a, b in pairwise(tracks)):
        messages.append("The tracks were not in order of time and were sorted.")
    return Imported("tracklist", tracks=tracks, messages=messages)


def _seconds(groups: tuple[str | None, ...], where: str) -> float:
    hours, minutes, seconds, fraction = groups
    if int(seconds or 0) >= 60 or (hours is not None and int(minutes or 0) >= 60):
        raise ExchangeError(f"{where} has an impossible time.", "Write hh:mm:ss or mm:ss.")
    return int(hours or 0) * 3600 + int(minutes or 0) * 60 + float(f"{seconds}.{fraction or 0}")
