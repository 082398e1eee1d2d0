"""Progress of a program on a terminal or in a log. Zone: pure."""

from __future__ import annotations

import os
import time


class Screen:
    """Progress on stderr: rewritten in place on a terminal, a line now and then in a log."""

    def __init__(self) -> None:
        # Blender writes a line for every frame; those go to a copy that nobody reads, ours to the real stderr
        self._stream = os.fdopen(os.dup(2), "w", encoding="utf-8", errors="replace", buffering=1)
        self._tty = self._stream.isatty()
        self._open_line = False
        self._last_s = 0.0

    def line(self, text: str) -> None:
        """A line that stays."""
        if self._open_line:
            self._stream.write("\n")
            self._open_line = False
        self._stream.write(text + "\n")
        self._stream.flush()

    def progress(self, what: str, done: float, total: float, left_s: float | None) -> None:
        """Share done and time left."""
        now_s = time.monotonic()
        if done < total and now_s - self._last_s < (0.2 if self._tty else 5.0):
            return
        self._last_s = now_s
        left = "" if left_s is None else f", {spoken_duration(left_s)} left"
        text = f"{what}: {100 * done / max(total, 1e-9):3.0f} %{left}"
        if self._tty:
            self._stream.write(f"\r\x1b[K{text}")
            self._open_line = True
            self._stream.flush()
        else:
            self.line(text)


def spoken_duration(seconds: float) -> str:
    """``2 min 05 s``; hours without seconds."""
    minutes, rest = divmod(int(seconds + 0.5), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
