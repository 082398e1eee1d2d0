"""Bytes of unknown origin become lines of text. Zone: pure."""

from __future__ import annotations

import codecs
import math
import re

from .errors import ExchangeError

MAX_LINE = 5000
_CONTROL = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_NUMBER = re.compile(r"[-+]?\d{1,12}(?:[.,]\d{1,18})?(?:[eE][-+]?\d{1,2})?", re.ASCII)


def decoded(data: bytes, name: str) -> tuple[str, list[str]]:
    """(text, messages): UTF-8, or UTF-16 by its mark, else Latin-1.

    Raises:
        ExchangeError: It is not text.
    """
    no_text = ExchangeError(f"{name} is not a text file.", "Choose a cue sheet, a tracklist, labels or beats.")
    messages: list[str] = []
    try:
        if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            text = data.decode("utf-16")
        else:
            text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise no_text from None
        # the code page of older programs on Windows; five of its bytes stand for nothing
        text = data.decode("cp1252", errors="replace")
        messages.append(f"{name} is not UTF-8 and was read as Latin-1.")
    if _CONTROL.search(text):
        raise no_text
    return text, messages


def lines_of(text: str, name: str) -> list[tuple[int, str]]:
    """(number, line) of every line that is not empty, without the spaces around it; the first line is 1.

    Raises:
        ExchangeError: A line is too long for any of the formats.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if any(len(line) > MAX_LINE for line in lines):
        raise ExchangeError(f"{name} has a line of more than {MAX_LINE} characters.", "Choose another file.")
    return [(number, line.strip()) for number, line in enumerate(lines, start=1) if line.strip()]


def is_number(text: str) -> bool:
    """Whether :func:`number_in` takes it."""
    return bool(_NUMBER.fullmatch(text))


def number_in(text: str, where: str) -> float:
    """A decimal number, with a point or a comma.

    Raises:
        ExchangeError: It is none; the sentence begins with ``where``.
    """
    text = text.strip()
    value = float(text.replace(",", ".")) if is_number(text) else math.nan
    if not math.isfinite(value):
        raise ExchangeError(f"{where} has {text[:40]!r} where a number belongs.", "Correct the file.")
    return value
