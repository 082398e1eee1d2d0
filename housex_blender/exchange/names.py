"""Names of tracks and sections as other programs write them. Zone: pure."""

from __future__ import annotations

import re

from ..core.timeline import SECTIONS

# every dash that people type between an artist and a title; only one with a space on both sides separates
DASHES = "-‐‑‒–—―−"
_BETWEEN = re.compile(f" [{DASHES}] ")
# what no line of text, no XML and no label can carry
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
_TRACK_MARK = re.compile(r"track \d{1,4}: ?(.*)", re.IGNORECASE | re.ASCII)
_SECTION_NAMES = {
    **{name: name for name in SECTIONS},
    "build-up": "build",
    "build up": "build",
    "buildup": "build",
    "breakdown": "break",
    "break down": "break",
}


def one_line(text: str) -> str:
    """Text without control characters, lone surrogates or line ends, and with single spaces."""
    return " ".join(_FORBIDDEN.sub(" ", text).split())


def full_name(performer: str, title: str) -> str:
    """``Artist – Title``, or the one of the two that is known."""
    return " – ".join(part for part in (one_line(performer), one_line(title)) if part)


def split_name(text: str) -> tuple[str, str]:
    """(performer, title) of ``Artist – Title``; without a dash all of it is the title."""
    parts = _BETWEEN.split(one_line(text), maxsplit=1)
    return (parts[0], parts[1]) if len(parts) == 2 else ("", parts[0])


def track_mark(number: int, performer: str, title: str) -> str:
    """Text of a marker where a track begins; :func:`track_of_mark` understands it."""
    return f"Track {number}: {full_name(performer, title)}".rstrip()


def track_of_mark(text: str) -> tuple[str, str] | None:
    """(performer, title) of a marker written by :func:`track_mark`, else None."""
    match = _TRACK_MARK.fullmatch(one_line(text))
    return split_name(match[1]) if match else None


def section_of_mark(text: str) -> str | None:
    """One of SECTIONS for ``Drop``, ``break 2``, ``build-up`` and the like, else None."""
    return _SECTION_NAMES.get(one_line(text).casefold().rstrip("0123456789 #"))
