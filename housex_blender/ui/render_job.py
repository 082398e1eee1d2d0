"""The second Blender seen from outside: start it, read it, stop it. Zone: ui; no bpy."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from pathlib import Path

from ..core.process import ProcessJob


class RenderJob(ProcessJob):
    """A running render; the same face as an analysis has.

    Args:
        command: Program and arguments.
        frames_folder: Where an unfinished picture may be left when it is ended.
    """

    what = "render"
    hint = "The frames that were finished are kept: Resume goes on from there."
    # a Blender in background mode takes SIGINT for "stop this render" and goes on with the script
    stop_signal = signal.SIGTERM

    def __init__(self, command: Sequence[str], frames_folder: Path) -> None:
        self._folder = frames_folder
        super().__init__(command)

    def cancel(self) -> None:
        """End it and what it started, wait for the end, and sweep away the picture it was at."""
        super().cancel()
        for partial in self._folder.glob(f".*.{self.pid}.part.png"):
            partial.unlink(missing_ok=True)
