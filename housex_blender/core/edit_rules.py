"""What an edit in a timeline file may say, checked before anything is made of it. Zone: pure."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any, TypeGuard

from .errors import TimelineError

GRID_OPS = ("halve", "double", "nudge", "tap", "replace")
LEAST_TAPS = 4
SECTIONS = ("intro", "build", "drop", "break", "outro")
_LATEST_S = 172_900.0
_MAX_NUDGE = 64
# probabilities are written with four digits
_ROUNDING = 0.01
_CORRECT = "Correct it, or take it out of the file's list of edits."


def check_edit(edit: dict[str, Any]) -> None:
    """Refuse an edit whose parts do not fit together; whether genres and bars exist is looked at when it is
    applied.

    Raises:
        TimelineError: One sentence about what is wrong.
    """
    what = edit.get("what")
    rule = {
        "genre": _check_span,
        "section": _check_span,
        "lock": _check_lock,
        "tracks": _check_tracks,
        "grid": _check_grid,
    }.get(str(what))
    if rule is None:
        raise TimelineError(f"An edit changes {what!r}, which cannot be edited.", _CORRECT)
    _check_time(edit.get("from_s"))
    if "to_s" in edit:
        _check_time(edit["to_s"])
        if not edit["from_s"] < edit["to_s"]:
            raise TimelineError(f"An edit ends at {edit['to_s']} s, before it begins.", "Correct its times.")
    if not isinstance(edit.get("locked", False), bool):
        raise TimelineError(f"An edit is locked {edit['locked']!r}.", "Write true or false.")
    rule(edit)


def _is_time(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and math.isfinite(value) and -10.0 <= value <= _LATEST_S


def _check_time(value: Any) -> None:
    if not _is_time(value):
        raise TimelineError(f"An edit has the time {value!r}.", "Give seconds from the start of the mix.")


def _check_span(edit: dict[str, Any]) -> None:
    if "to_s" not in edit or not isinstance(edit.get("value"), str):
        raise TimelineError(f"An edit of a {edit['what']} has no end or no name.", "Give from_s, to_s and value.")
    if edit["what"] == "section" and edit["value"] not in SECTIONS:
        known = ", ".join(SECTIONS)
        raise TimelineError(f"An edit names the section {edit['value']!r}.", f"Choose one of: {known}.")


def _check_lock(edit: dict[str, Any]) -> None:
    value = edit.get("value")
    if "to_s" not in edit or not isinstance(value, dict):
        raise TimelineError("A lock has no end or holds nothing.", _CORRECT)
    starts_s, genres, section = (value.get(name) for name in ("start_s", "genres", "section"))
    if not starts_s or not _is_times(starts_s) or any(a >= b for a, b in pairwise(starts_s)):
        raise TimelineError("A lock has no bars in order of time.", "Give start_s: one time for each bar.")
    if not _is_texts(genres) or len(set(genres)) != len(genres):
        raise TimelineError("A lock names no genres, or one twice.", "Give genres: one name for each probability.")
    rows = value.get("probs")
    if not isinstance(rows, list) or len(rows) != len(starts_s) or not all(_is_row(row, len(genres)) for row in rows):
        raise TimelineError(
            "A lock's probabilities do not fit its bars and genres.", "Give probs: for each bar a row that sums to 1."
        )
    if not _is_texts(section) or len(section) != len(starts_s) or not set(section) <= set(SECTIONS):
        raise TimelineError(
            "A lock's sections do not fit its bars.", f"Give section: for each bar one of {', '.join(SECTIONS)}."
        )


def _is_texts(value: Any) -> TypeGuard[list[str]]:
    return isinstance(value, list) and bool(value) and all(isinstance(text, str) and text for text in value)


def _is_row(row: Any, length: int) -> bool:
    if not isinstance(row, list) or len(row) != length:
        return False
    numbers = all(isinstance(part, int | float) and not isinstance(part, bool) and 0 <= part <= 1 for part in row)
    return numbers and abs(sum(row) - 1.0) <= _ROUNDING


def _check_tracks(edit: dict[str, Any]) -> None:
    rows = edit.get("value")
    if rows == [] and "to_s" in edit:
        return  # no track begins there
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise TimelineError("An edit of the tracks lists none.", "Give value: a list of start_s and title.")
    for row in rows:
        _check_time(row.get("start_s"))
        if not isinstance(row.get("title", ""), str) or len(row.get("title", "")) > 1000:
            raise TimelineError("An edit of the tracks has a title that is no text.", _CORRECT)


def _check_grid(edit: dict[str, Any]) -> None:
    op = edit.get("op")
    value: Any = edit.get("value")
    if op not in GRID_OPS:
        raise TimelineError(f"An edit does {op!r} to the grid.", f"Choose one of: {', '.join(GRID_OPS)}.")
    if op == "nudge":
        number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if not number or value == 0 or abs(value) > _MAX_NUDGE or 2 * value != round(2 * value):
            raise TimelineError(f"The grid cannot be nudged by {value!r} beats.", "Choose halves: 0.5, 1, -0.5, -1.")
    elif op == "tap":
        if not _is_times(value) or len(value) < LEAST_TAPS:
            raise TimelineError("Too few taps for a tempo.", f"Tap on the beat, {LEAST_TAPS} times at least.")
    elif op == "replace":
        fits = isinstance(value, dict) and _is_times(value.get("beats_s")) and _is_times(value.get("downbeats_s"))
        if not fits or len(value["beats_s"]) < 2 or not value["downbeats_s"]:
            raise TimelineError("An edit replaces the grid by no beats.", "Give value: beats_s and downbeats_s.")
        if "end_s" in value:
            _check_time(value["end_s"])


def _is_times(value: Any) -> bool:
    return isinstance(value, list) and all(_is_time(time_s) for time_s in value)
