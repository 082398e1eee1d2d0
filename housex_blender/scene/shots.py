"""Cuts: timeline markers bound to the cameras of a scene, among the user's own markers. Zone: bpy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import bpy

from .rig import find_show
from .tables import living, read_table, write_table

_CAMERAS, _CUTS = "cameras", "cuts"


def remember_cameras(show: Any, cameras: Mapping[str, Any]) -> None:
    """Store the camera of each shot on "HX Show", so that cuts can be written again without building.

    Args:
        show: The object "HX Show".
        cameras: Name of a shot -> camera object; none forgets them.
    """
    write_table(show, _CAMERAS, [{"shot": shot, "camera": camera} for shot, camera in cameras.items()])


def shot_cameras(scene: bpy.types.Scene) -> dict[str, Any]:
    """Name of a shot -> its camera, without those that were deleted since; empty where nothing is cut."""
    rows = read_table(find_show(scene), _CAMERAS)
    alive = living(row.get("camera") for row in rows)
    return {row["shot"]: row["camera"] for row in rows if row.get("camera") in alive}


def write_cuts(scene: bpy.types.Scene, shots: Sequence[tuple[int, str]]) -> int:
    """Replace the cuts that we wrote earlier; returns how many of ``shots`` are markers of ours now.

    A cut that was moved, renamed or bound to another camera is the user's from then on, and where the user cuts we
    do not. In a scene without cameras of ours nothing happens.

    Args:
        scene: Its markers; it remembers which ones are ours.
        shots: Frame and name of each shot, see :func:`core.shots.shot_list`; those without a camera are left out.
    """
    cameras = shot_cameras(scene)
    remove_cuts(scene)
    markers = scene.timeline_markers
    theirs = {marker.frame for marker in markers if marker.camera is not None}
    written = []
    for frame, shot in shots:
        if shot in cameras and frame not in theirs:
            marker = markers.new(shot.title(), frame=frame)
            marker.camera = cameras[shot]
            written.append({"frame": frame, "shot": shot})
    write_table(scene, _CUTS, written)
    return len(written)


def remove_cuts(scene: bpy.types.Scene) -> None:
    """Take our cuts away; those that became the user's stay."""
    cameras = {row["shot"]: row.get("camera") for row in read_table(find_show(scene), _CAMERAS)}
    cuts = [(int(row["frame"]), row["shot"]) for row in read_table(scene, _CUTS)]
    ours = Counter((frame, shot.title(), cameras.get(shot)) for frame, shot in cuts)
    for marker in list(scene.timeline_markers):
        what = (marker.frame, marker.name, marker.camera)
        if ours[what] > 0:
            ours[what] -= 1
            scene.timeline_markers.remove(marker)
    write_table(scene, _CUTS, [])
