"""Messages of the analysis process: one JSON object per line on its stdout. Zone: pure."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

PROTOCOL = 1
MAX_LINE_CHARS = 64_000


class Kind(StrEnum):
    """Closed set of messages; what the user sees of each."""

    HELLO = "hello"  # nothing; carries protocol, version, device
    STATUS = "status"  # the line of text under the progress bar
    PROGRESS = "progress"  # the bar: done and total in seconds of music
    WARNING = "warning"  # a yellow line that stays
    ERROR = "error"  # a red line with a hint
    RESULT = "result"  # nothing; carries the path of the timeline
    DONE = "done"  # always last: ok true or false


@dataclass(frozen=True)
class Message:
    """One message: its kind and its fields."""

    kind: Kind
    fields: dict[str, Any] = field(default_factory=dict)

    def encode(self) -> str:
        """The line without its newline; ASCII only, so that any console encoding carries it."""
        return json.dumps({"type": self.kind.value, **self.fields}, ensure_ascii=True, allow_nan=False)

    @property
    def text(self) -> str:
        """The sentence of a status, warning or error; else empty."""
        return str(self.fields.get("text", ""))


def decode(line: str) -> Message | None:
    """The message in a line, or None where the line is not one (a library that prints, say)."""
    line = line.strip()
    if not line.startswith("{") or len(line) > MAX_LINE_CHARS:
        return None
    try:
        data = json.loads(line)
        kind = Kind(data.pop("type"))
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
        return None
    return Message(kind, data)
