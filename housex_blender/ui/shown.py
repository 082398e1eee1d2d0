"""What was heard, in memory for as long as Blender runs, so that nothing is read or worked out while drawing. Zone: ui.

A timeline is read when it is made, loaded or changed, and when a .blend that names it is opened; panels and ribbon
take it from here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.edits import conflicts, locked_bars, with_edits
from ..core.timeline import Timeline
from .places import absolute


@dataclass(frozen=True)
class Shown:
    """A timeline as it is shown.

    Attributes:
        stored: As in the file, with its list of edits.
        timeline: With the edits applied: what every bar number in the panel counts on.
        locked: (n_bars,) bars that no further edit changes.
        conflicts: Sentences about edits that could not be applied.
    """

    stored: Timeline
    timeline: Timeline
    locked: NDArray[np.bool_]
    conflicts: tuple[str, ...]

    @property
    def edit_list(self) -> str:
        """The edits as text, as the .blend keeps them."""
        return json.dumps(list(self.stored.edits))


# by path, because several scenes may show one timeline
_TAKEN: dict[Path, Shown] = {}


def take(path: Path, timeline: Timeline) -> Shown:
    """Keep a timeline that was read from, or written to, a file.

    Raises:
        TimelineError: An edit in it makes no sense.
    """
    edited = with_edits(timeline)
    taken = Shown(timeline, edited, locked_bars(timeline), tuple(conflicts(timeline)))
    _TAKEN[path] = taken
    return taken


def shown(scene: Any) -> Shown | None:
    """What this scene shows, or None; never touches the disk."""
    path = scene.housex.timeline_path
    return _TAKEN.get(absolute(path)) if path else None


def forget_all() -> None:
    """Another file is opened, or the extension goes."""
    _TAKEN.clear()
