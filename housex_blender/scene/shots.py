"""Cuts: timeline markers bound to the cameras of a scene, among the user's own markers. Zone: bpy.

What the user does to a cut of ours lasts: one that is deleted stays deleted, one that is moved is the user's and stays
where it is. The scene remembers by its moment in the mix what was taken away, for frames change with the frame rate. To
have all cuts of ours back: delete every cut, and build.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import bpy

from ..core.bars import frames_to_seconds
from .rig import find_show
from .tables import living, read_table, write_table

_CAMERAS, _CUTS, _GONE, _ASIDE = "cameras", "cuts", "cuts_gone", "cuts_aside"
# Half a bar at the quickest tempo. A cut so near to one that was taken away is that one, at another frame rate or after
# a correction of the grid: the next cut is two bars away.
_SAME_S = 0.9


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


def write_cuts(scene: bpy.types.Scene, shots: Sequence[tuple[int, str]], mix: str = "") -> int:
    """Replace the cuts that we wrote earlier; returns how many of ``shots`` are markers of ours now.

    A cut that was moved, renamed or bound to another camera is the user's from then on. Where the user cuts, or took a
    cut of ours away, we do not. In a scene without cameras of ours nothing happens.

    Args:
        scene: Its markers and frame rate; it remembers which markers are ours.
        shots: Frame and name of each shot, see :func:`core.shots.shot_list`; those without a camera are left out.
        mix: Which mix they belong to, such as its checksum: what was taken away in another one is forgotten.
    """
    cameras = shot_cameras(scene)
    remove_cuts(scene)
    gone = [{**row, "mix": mix} for row in read_table(scene, _GONE) if row["mix"] in ("", mix)]
    write_table(scene, _GONE, gone)
    markers, fps = scene.timeline_markers, scene.render.fps / scene.render.fps_base
    theirs = {marker.frame for marker in markers if marker.camera is not None}
    written = []
    for frame, shot in shots:
        time_s = float(frames_to_seconds(frame, fps))
        taken_away = any(abs(row["time_s"] - time_s) < _SAME_S for row in gone)
        if shot in cameras and frame not in theirs and not taken_away:
            marker = markers.new(shot.title(), frame=frame)
            marker.camera = cameras[shot]
            written.append({"frame": frame, "shot": shot, "time_s": time_s, "mix": mix})
    write_table(scene, _CUTS, written)
    return len(written)


def remove_cuts(scene: bpy.types.Scene) -> None:
    """Take our cuts away; those that became the user's stay, and what the user took away is remembered."""
    cameras = {row["shot"]: row.get("camera") for row in read_table(find_show(scene), _CAMERAS)}
    # files of the first version tell the frame alone
    fps = scene.render.fps / scene.render.fps_base
    gone = []
    ours = Counter((m.frame, m.name, m.camera) for m in scene.timeline_markers)
    doomed: Counter[tuple[int, str, Any]] = Counter()
    for row in read_table(scene, _CUTS):
        frame, shot = int(row["frame"]), row["shot"]
        what = (frame, shot.title(), cameras.get(shot))
        if ours[what] > doomed[what]:
            doomed[what] += 1
        elif shot in cameras:
            time_s = row.get("time_s", float(frames_to_seconds(frame, fps)))
            gone.append({"time_s": time_s, "mix": row.get("mix", "")})
    for marker in list(scene.timeline_markers):
        what = (marker.frame, marker.name, marker.camera)
        if doomed[what] > 0:
            doomed[what] -= 1
            scene.timeline_markers.remove(marker)
    write_table(scene, _CUTS, [])
    if gone:
        write_table(scene, _GONE, [*read_table(scene, _GONE), *gone])


def renew_cuts(scene: bpy.types.Scene) -> None:
    """Before a build: where the user deleted every cut, the next ones are written as if none had been taken away."""
    if all(marker.camera is None for marker in scene.timeline_markers):
        write_table(scene, _CUTS, [])
        write_table(scene, _GONE, [])


def set_aside_cuts(scene: bpy.types.Scene) -> None:
    """Before our cameras are deleted: take our cuts away, and remember which shots the user's cuts show."""
    remove_cuts(scene)
    shot_of = {camera: shot for shot, camera in shot_cameras(scene).items()}
    users = [(marker, shot_of[marker.camera]) for marker in scene.timeline_markers if marker.camera in shot_of]
    write_table(scene, _ASIDE, [{"frame": marker.frame, "name": marker.name, "shot": shot} for marker, shot in users])


def take_up_cuts(scene: bpy.types.Scene) -> None:
    """After a build: the user's cuts show the new cameras of the same shots."""
    cameras = shot_cameras(scene)
    shot_at = {(int(row["frame"]), row["name"]): row["shot"] for row in read_table(scene, _ASIDE)}
    for marker in scene.timeline_markers:
        if marker.camera is None:
            marker.camera = cameras.get(shot_at.get((marker.frame, marker.name), ""))
    write_table(scene, _ASIDE, [])
