"""One piece of work in another process, from the press of the button to its end; no call blocks. Zone: ui; no bpy.

The same session is driven by a timer in the window and by a loop in background mode.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from ..core.errors import Cancelled, HouseXError
from ..core.protocol import Kind, Message

_TICK_S = 0.05


class Job(Protocol):
    """What a session needs of a process; :class:`..core.process.AnalysisJob` is one."""

    @property
    def pid(self) -> int:
        """Process id."""

    @property
    def running(self) -> bool:
        """Whether it still runs."""

    @property
    def log(self) -> str:
        """The last lines it wrote for people."""

    @property
    def exit_code(self) -> int | None:
        """What it ended with."""

    def poll(self) -> list[Message]:
        """What it said since the last call."""

    def outcome(self) -> Path:
        """What it made, or the error it ended with."""

    def cancel(self) -> None:
        """End it and wait for its end."""


class TimeLeft:
    """Seconds to go, from the speed so far."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._start: tuple[float, float] | None = None
        self._last = 0.0

    def estimate(self, fraction: float) -> float | None:
        """Seconds left at ``fraction`` (0..1) of the work; None while too little is known."""
        now = self._clock()
        if self._start is None or fraction < self._last:
            self._start = (now, fraction)
        self._last = fraction
        elapsed_s, done = now - self._start[0], fraction - self._start[1]
        if elapsed_s < 0.5 or done < 0.005:
            return None
        return elapsed_s * (1.0 - fraction) / done


class Session:
    """Runs a job and keeps what the screen shows of it.

    Args:
        start: Makes the job; runs in a thread, because finding a Python takes seconds. Must not use bpy.
        first_stage: Text until the job says something.

    Attributes:
        stage: What is being done now.
        fraction: 0..1 of the stage, or -1 where unknown.
        left_s: Seconds left, or None.
        warnings: Sentences, each once.
        summary: The fields of the job's result.
        finished: True once nothing runs any more; then ``result`` or ``error`` is set.
    """

    def __init__(self, start: Callable[[], Job], first_stage: str) -> None:
        self.stage = first_stage
        self.fraction = -1.0
        self.left_s: float | None = None
        self.warnings: list[str] = []
        self.summary: dict[str, Any] = {}
        self.finished = False
        self.result: Path | None = None
        self.error: HouseXError | None = None
        self._left = TimeLeft()
        self._start = start
        self._job: Job | None = None
        self._start_error: HouseXError | None = None
        self._stop = threading.Event()
        self._stopper: threading.Thread | None = None
        self._starter = threading.Thread(target=self._run_start, daemon=True)
        _OPEN.add(self)
        self._starter.start()

    def _run_start(self) -> None:
        try:
            job = self._start()
        except HouseXError as error:
            self._start_error = error
            return
        self._job = job
        if self._stop.is_set():
            job.cancel()

    @property
    def pid(self) -> int | None:
        """Process id of the job; None before it was started."""
        return self._job.pid if self._job is not None else None

    @property
    def details(self) -> str:
        """What the job left for whoever mends it: its last lines and its exit code; empty before it was started."""
        if self._job is None:
            return ""
        return f"{self._job.log}\nexit code {self._job.exit_code}".strip()

    def tick(self) -> None:
        """Take in what happened since the last call."""
        if self.finished or (self._starter.is_alive() and not self._stop.is_set()):
            return
        if self._job is None:
            unknown = HouseXError("The work could not be started.", "The console says why.")
            self._end(error=Cancelled() if self._stop.is_set() else self._start_error or unknown)
            return
        running = self._job.running
        for message in self._job.poll():
            self._note(message)
        if running:
            return
        if self._stop.is_set():
            self._end(error=Cancelled())
            return
        try:
            self._end(result=self._job.outcome())
        except HouseXError as error:
            self._end(error=error)

    def _note(self, message: Message) -> None:
        if message.kind is Kind.STATUS and not self._stop.is_set():
            self.stage, self.fraction, self.left_s = message.text, -1.0, None
        elif message.kind is Kind.PROGRESS:
            done, total = (_number(message.fields.get(name)) for name in ("done", "total"))
            if total > 0:
                self.fraction = min(max(done / total, 0.0), 1.0)
                self.left_s = self._left.estimate(self.fraction)
        elif message.kind is Kind.WARNING and message.text not in self.warnings:
            self.warnings.append(message.text)
        elif message.kind is Kind.RESULT:
            summary = message.fields.get("summary")
            self.summary = summary if isinstance(summary, dict) else {}

    def _end(self, result: Path | None = None, error: HouseXError | None = None) -> None:
        self.result, self.error, self.finished = result, error, True
        self.left_s = None
        _OPEN.discard(self)

    def stop(self) -> None:
        """Ask the job to end; returns at once, the end shows in a later tick."""
        if self._stop.is_set() or self.finished:
            return
        self._stop.set()
        self.stage, self.fraction, self.left_s = "Stopping", -1.0, None
        if self._job is not None:
            # ending politely may take seconds, which the window must not notice
            self._stopper = threading.Thread(target=self._job.cancel, daemon=True)
            self._stopper.start()

    def close(self) -> None:
        """End the job and wait for its end: for leaving Blender, loading a file, disabling the extension."""
        self._stop.set()
        if self._job is not None:
            self._job.cancel()
        if not self.finished:
            self._end(error=Cancelled())

    def run(self, on_tick: Callable[[Session], None] | None = None) -> Path:
        """Drive the session to its end.

        Raises:
            HouseXError: It failed or was stopped.
        """
        try:
            while not self.finished:
                self.tick()
                if on_tick is not None:
                    on_tick(self)
                if not self.finished:
                    time.sleep(_TICK_S)
        except BaseException:
            self.close()
            raise
        if self.error is not None:
            raise self.error
        assert self.result is not None
        return self.result


# the only module state: what must be ended when Blender or the extension goes
_OPEN: set[Session] = set()


def close_all() -> None:
    """End every job that still runs."""
    for session in tuple(_OPEN):
        session.close()


def open_sessions() -> tuple[Session, ...]:
    """Sessions that have not ended."""
    return tuple(_OPEN)


def _number(value: object) -> float:
    """A number out of a message; anything else is 0."""
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else 0.0


def spoken_time(seconds: float | None) -> str:
    """``"about 2 min left"``; empty when unknown."""
    if seconds is None:
        return ""
    if seconds < 60:
        return f"about {max(1, round(seconds))} s left"
    if seconds < 5400:
        return f"about {round(seconds / 60)} min left"
    return f"about {seconds / 3600:.1f} h left"
