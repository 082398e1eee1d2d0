"""What was heard, in memory for as long as Blender runs, so that nothing is read or worked out while drawing. Zone: ui.

A timeline is read when it is made, loaded or changed, and when a .blend that names it is opened; panels and ribbon
take it from here.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.edits import applied
from ..core.errors import TimelineError
from ..core.timeline import Timeline
from .places import absolute

# states that undo can lead back to, of all timelines together
_MOST_STATES = 256


@dataclass(frozen=True)
class Shown:
    """A timeline as it is shown.

    Attributes:
        state: Number of this state; the .blend keeps it, so that undo finds what belongs to each step.
        stored: As in the file, with its list of edits.
        timeline: With the edits applied: what every bar number in the panel counts on.
        locked: (n_bars,) bars that no further edit changes.
        conflicts: Sentences about edits that could not be applied.
    """

    state: int
    stored: Timeline
    timeline: Timeline
    locked: NDArray[np.bool_]
    conflicts: list[str]


# by path, because several scenes may show one timeline
_TAKEN: dict[Path, Shown] = {}
# with the file that each state belongs to: a scene that was appended brings a number of another file
_STATES: OrderedDict[int, tuple[Path, Shown]] = OrderedDict()
# by path: what the file looked like from outside when it was read or written last
_STAMPS: dict[Path, tuple[int, int] | None] = {}
# never begins anew: steps of undo may be older than what was forgotten
_NUMBERS = count(1)


def take(path: Path, timeline: Timeline) -> Shown:
    """Keep a timeline that was read from, or written to, a file.

    Raises:
        TimelineError: An edit in it makes no sense.
    """
    before = _TAKEN.get(path)
    if before is not None and np.array_equal(before.stored.envelopes.values, timeline.envelopes.values):
        # the levels of an hour are megabytes, and every correction reads them anew
        timeline = replace(timeline, envelopes=before.stored.envelopes)
    taken = Shown(next(_NUMBERS), timeline, *applied(timeline))
    _TAKEN[path], _STATES[taken.state] = taken, (path, taken)
    _STAMPS[path] = _stamp(path)
    while len(_STATES) > _MOST_STATES:
        _STATES.popitem(last=False)
    return taken


def _stamp(path: Path) -> tuple[int, int] | None:
    """Time of the last change and size; None if there is no file."""
    try:
        known = path.stat()
    except OSError:
        return None
    return known.st_mtime_ns, known.st_size


def shown(scene: Any) -> Shown | None:
    """What this scene shows, or None; never touches the disk."""
    path = scene.housex.timeline_path
    return _TAKEN.get(absolute(path)) if path else None


def heard(context: Any) -> Shown:
    """What the scene of a context shows; for operators whose poll has made sure of it."""
    what = shown(context.scene)
    assert what is not None, "poll asks for it"
    return what


def go_back(scene: Any) -> None:
    """After undo or redo: let the timeline file say again what it said at this step.

    Raises:
        TimelineError: The file cannot be written, or somebody else changed it: then it is left alone.
    """
    now = shown(scene)
    path, wanted = _STATES.get(scene.housex.state, (None, None))
    if now is None or path is None or wanted is None or now is wanted:
        return
    if path != absolute(scene.housex.timeline_path):
        return
    if _stamp(path) != _STAMPS.get(path):
        raise TimelineError(
            f"{path.name} was changed outside this Blender: undo leaves it as it is.", "Load the timeline again."
        )
    if wanted.stored.envelopes is now.stored.envelopes:
        wanted.stored.save_text(path)
    else:
        wanted.stored.save(path)
    _TAKEN[path] = wanted
    _STAMPS[path] = _stamp(path)


def forget_all() -> None:
    """Another file is opened, or the extension goes."""
    _TAKEN.clear()
    _STATES.clear()
    _STAMPS.clear()
