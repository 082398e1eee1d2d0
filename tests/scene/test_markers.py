"""Markers of the mix among markers of the user."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

bpy = pytest.importorskip("bpy")

from housex_blender.core.timeline import DropSpan, Timeline, TrackSpan  # noqa: E402
from housex_blender.scene import build, drop_strips, markers  # noqa: E402

WANTED = [(1, "1 Opening"), (300, "Drop 1"), (900, "2 Tech House")]


def listed(scene) -> list[tuple[int, str]]:
    """All markers by frame."""
    return sorted((marker.frame, marker.name) for marker in scene.timeline_markers)


def test_only_ours_are_replaced(scene) -> None:
    mine = scene.timeline_markers.new("Mine", frame=300)
    assert markers.write_markers(scene, WANTED) == 3
    assert listed(scene) == sorted([*WANTED, (300, "Mine")])
    markers.write_markers(scene, WANTED[:1])
    assert listed(scene) == [(1, "1 Opening"), (300, "Mine")]
    assert mine.name == "Mine"
    markers.write_markers(scene, [])
    assert listed(scene) == [(300, "Mine")]
    assert "hx_tables" not in scene


def test_a_marker_that_was_renamed_moved_or_bound_is_the_users(scene, tmp_path: Path) -> None:
    markers.write_markers(scene, WANTED)
    scene.timeline_markers["1 Opening"].name = "Doors"
    scene.timeline_markers["Drop 1"].frame = 310
    camera = bpy.data.objects.new("Cam", bpy.data.cameras.new("Cam"))
    scene.collection.objects.link(camera)
    scene.timeline_markers["2 Tech House"].camera = camera
    saved = build.save_blend(tmp_path / "mine.blend")
    bpy.ops.wm.open_mainfile(filepath=str(saved))
    here = bpy.context.scene
    markers.write_markers(here, [(2, "1 Opening"), (900, "2 Tech House")])
    assert listed(here) == [(1, "Doors"), (2, "1 Opening"), (310, "Drop 1"), (900, "2 Tech House")]
    assert here.timeline_markers["2 Tech House"].camera.name == "Cam"
    markers.write_markers(here, [])
    assert listed(here) == [(1, "Doors"), (310, "Drop 1"), (900, "2 Tech House")]


def test_a_marker_of_the_user_like_ours_is_not_doubled_nor_taken(scene) -> None:
    scene.timeline_markers.new("Drop 1", frame=300)
    for wanted in (WANTED, []):
        markers.write_markers(scene, wanted)
    assert listed(scene) == [(300, "Drop 1")]


def test_long_names_are_known_again(scene) -> None:
    for _ in range(2):
        markers.write_markers(scene, [(1, "1 " + "Very long ä title " * 12)])
        assert len(listed(scene)) == 1


def test_two_scenes_do_not_share_markers(scene) -> None:
    other = bpy.data.scenes.new("Other")
    markers.write_markers(scene, WANTED)
    markers.write_markers(other, WANTED[:1])
    markers.write_markers(other, [])
    assert listed(scene) == WANTED
    assert listed(other) == []


def test_tracks_and_drops_lie_on_their_downbeats(timeline: Timeline) -> None:
    """120 BPM from 0.25 s: bar n begins at 0.25 + 2 n seconds."""
    tracks = (
        TrackSpan(0, 12, "Tech House", (1.0, 0.0), title="Opening"),
        TrackSpan(12, 24, "Deep House", (0.0, 1.0)),
    )
    mix = replace(timeline, tracks=tracks, drops=(DropSpan(4, 8), DropSpan(16, 20)))
    expected = [(8.5, "1 Opening"), (248.5, "Drop 1"), (728.5, "2 Deep House"), (968.5, "Drop 2")]
    assert markers.marker_list(mix, 30.0) == [(int(frame + 0.5), name) for frame, name in expected]
    assert markers.marker_list(mix, 30.0, 101)[0] == (109, "1 Opening")
    assert [tuple(drop) for drop in drop_strips.drop_spans(mix, 30.0)] == [(249, 489, 60.0), (969, 1209, 60.0)]
