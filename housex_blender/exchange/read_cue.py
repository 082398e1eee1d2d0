"""Cue sheets. Zone: pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from .errors import ExchangeError
from .imported import Imported
from .names import one_line

CUE_FRAMES_PER_S = 75
_COMMAND = re.compile(r"([A-Za-z]+)\s+(.*)", re.ASCII)
_INDEX = re.compile(r"(\d{1,2})\s+(\d{1,5}):(\d{1,2}):(\d{1,2})", re.ASCII)


@dataclass
class _Track:
    title: str = ""
    performer: str = ""
    start_s: float | None = None


def read_cue(lines: list[tuple[int, str]], name: str) -> Imported:
    """Tracks of a cue sheet: TITLE, PERFORMER and INDEX 01 of each TRACK.

    Raises:
        ExchangeError: It has no tracks with a time, a time is not mm:ss:ff, or it describes several files.
    """
    tracks: list[_Track] = []
    files = 0
    clock = False
    for number, line in lines:
        match = _COMMAND.fullmatch(line)
        command, value = (match[1].upper(), match[2].strip()) if match else ("", "")
        if command == "REM" and "rekordbox" in value.casefold() and value.casefold().startswith("recorded_by"):
            # rekordbox writes hours, minutes and seconds where the format has minutes, seconds and frames
            clock = True
        elif command == "FILE":
            files += 1
        elif command == "TRACK":
            tracks.append(_Track())
        elif command == "TITLE" and tracks:
            tracks[-1].title = _unquoted(value)
        elif command == "PERFORMER" and tracks:
            tracks[-1].performer = _unquoted(value)
        elif command == "INDEX" and tracks:
            start_s = _index_s(value, clock, f"Line {number} of {name}")
            if start_s is not None:
                tracks[-1].start_s = start_s
    timed = [(track.start_s, track.title, track.performer) for track in tracks if track.start_s is not None]
    if not timed:
        raise ExchangeError(f"{name} has no TRACK with an INDEX 01.", "Choose a complete cue sheet.")
    starts = [start_s for start_s, _, _ in timed]
    if files > 1 and not clock and any(b <= a for a, b in pairwise(starts)):
        # each FILE counts from zero, so nobody knows where it lies in the mix
        raise ExchangeError(f"{name} describes {files} files.", "Choose the cue sheet of the whole mix.")
    missing = len(tracks) - len(timed)
    messages = [f"{missing} of {len(tracks)} tracks have no INDEX 01 and were left out."] if missing else []
    if clock:
        messages.append("The sheet is rekordbox's: its times were read as hours, minutes and seconds.")
    return Imported("cue", tracks=timed, messages=messages)


def _unquoted(value: str) -> str:
    match = re.match(r'"(.*)"', value)
    return one_line(match[1] if match else value.strip('"'))


def _index_s(value: str, clock: bool, where: str) -> float | None:
    match = _INDEX.fullmatch(value)
    if match is None:
        raise ExchangeError(f"{where} has no time of the form mm:ss:ff.", "Correct the cue sheet.")
    if int(match[1]) != 1:
        return None
    first, second, third = (int(group) for group in match.groups()[1:])
    if second >= 60 or third >= (60 if clock else CUE_FRAMES_PER_S):
        raise ExchangeError(f"{where} has the impossible time {value}.", "Correct the cue sheet.")
    return first * 3600.0 + second * 60 + third if clock else first * 60 + second + third / CUE_FRAMES_PER_S
