"""Timeline markers of tracks and drops among the user's own. Zone: bpy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import bpy

from ..core.bars import frame_on
from ..core.edits import with_edits
from ..core.timeline import Timeline
from .tables import read_table, write_table

_MARKERS = "markers"


def marker_list(timeline: Timeline, fps: float, first_frame: int = 1) -> list[tuple[int, str]]:
    """Frame and name of every marker, edits included: "1 Title" (or its sub-genre) for tracks, "Drop 1" for drops."""
    timeline = with_edits(timeline)
    names = [(track.start_bar, f"{n} {track.title or track.label}") for n, track in enumerate(timeline.tracks, 1)]
    names += [(drop.start_bar, f"Drop {n}") for n, drop in enumerate(timeline.drops, 1)]
    names.sort(key=lambda item: item[0])
    return [(int(frame_on(timeline.grid.starts_s[bar], fps, first_frame)), name) for bar, name in names]


def write_markers(scene: bpy.types.Scene, wanted: Sequence[tuple[int, str]]) -> int:
    """Replace the markers that we wrote earlier; returns how many of ``wanted`` there are now.

    A marker of ours that was renamed, moved or given a camera is the user's from then on.

    Args:
        scene: Its markers; it remembers which ones are ours.
        wanted: Frame and name; none takes ours away.
    """
    markers = scene.timeline_markers
    ours = Counter((int(row["frame"]), row["name"]) for row in read_table(scene, _MARKERS))
    for marker in list(markers):
        what = (marker.frame, marker.name)
        if ours[what] > 0 and marker.camera is None:
            ours[what] -= 1
            markers.remove(marker)
    theirs = {(marker.frame, marker.name) for marker in markers}
    written = []
    for frame, name in wanted:
        if (frame, name) not in theirs:
            marker = markers.new(name, frame=frame)
            written.append({"frame": frame, "name": marker.name})  # Blender cuts long names
    write_table(scene, _MARKERS, written)
    return len(wanted)
