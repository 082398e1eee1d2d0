"""An action made once is played at every drop, and moves with the drops."""

from __future__ import annotations

from pathlib import Path

import pytest

bpy = pytest.importorskip("bpy")

from housex_blender.core.errors import SceneError  # noqa: E402
from housex_blender.scene import build, compat, drop_strips, rig  # noqa: E402


def spans(*edges: tuple[float, float], bar: float = 40.0) -> list[drop_strips.DropFrames]:
    return [drop_strips.DropFrames(start, end, bar) for start, end in edges]


SPANS = spans((100, 200), (300, 360), (500, 700))


@pytest.fixture
def box(scene):
    """An object whose active action moves it from 0 to 4 in frames 1 to 21."""
    thing = bpy.data.objects.new("Box", None)
    scene.collection.objects.link(thing)
    for frame, place in ((1, 0.0), (21, 4.0)):
        thing.location[0] = place
        thing.keyframe_insert("location", index=0, frame=frame)
    for key in compat.fcurves_of(thing).find("location", index=0).keyframe_points:
        key.interpolation = "LINEAR"
    thing.animation_data.action.name = "Burst"
    return thing


def burst():
    """The action of :func:`box`."""
    return bpy.data.actions["Burst"]


def strips(thing) -> list[tuple[float, float]]:
    """Start and end of all strips on our track."""
    tracks = [track for track in thing.animation_data.nla_tracks if track.name == "HX Drops"]
    assert len(tracks) <= 1
    return [(strip.frame_start, strip.frame_end) for track in tracks for strip in track.strips]


def x_at(scene, thing, frame: float) -> float:
    """Where the object is on a frame."""
    scene.frame_set(int(frame))
    return thing.evaluated_get(bpy.context.evaluated_depsgraph_get()).location[0]


def test_the_action_fills_every_drop(box, scene) -> None:
    assert drop_strips.place_drops(scene, box, burst(), SPANS) == 3
    assert strips(box) == [(100, 200), (300, 360), (500, 700)]
    assert box.animation_data.action is None
    # before the first drop, on it, in the middle, at the end, after it, in others
    expected = {50: 0, 100: 0, 150: 2, 200: 4, 250: 4, 300: 0, 315: 1, 400: 4, 600: 2}
    for frame, place in [*expected.items(), *reversed(expected.items())]:
        assert x_at(scene, box, frame) == pytest.approx(place, abs=1e-4), frame


def test_a_phrase_is_cut_by_the_next_drop(box, scene) -> None:
    drop_strips.place_drops(scene, box, burst(), SPANS, bars=6)
    assert strips(box) == [(100, 299), (300, 499), (500, 740)]
    assert x_at(scene, box, 160) == pytest.approx(1.0, abs=1e-4)
    assert x_at(scene, box, 299) == pytest.approx(4 * 199 / 240, abs=1e-3)
    assert x_at(scene, box, 300) == pytest.approx(0.0, abs=1e-4)


def test_an_action_may_keep_its_own_speed(box, scene) -> None:
    drop_strips.place_drops(scene, box, burst(), spans((110, 400), (100, 105)), bars=drop_strips.AS_MADE)
    assert strips(box) == [(100, 109), (110, 130)]
    assert x_at(scene, box, 109) == pytest.approx(1.8, abs=1e-4)
    assert x_at(scene, box, 110) == pytest.approx(0.0, abs=1e-4)
    assert x_at(scene, box, 120) == pytest.approx(2.0, abs=1e-4)


def test_placing_again_leaves_tracks_of_the_user(box, scene) -> None:
    action = burst()
    mine = box.animation_data.nla_tracks.new()
    mine.name = "Mine"
    mine.strips.new("Idle", 1, action).name = "Idle"
    for drops in (SPANS, SPANS[:2]):
        drop_strips.place_drops(scene, box, action, drops)
    assert [track.name for track in box.animation_data.nla_tracks] == ["Mine", "HX Drops"]
    assert len(strips(box)) == 2
    ours = box.animation_data.nla_tracks["HX Drops"]
    theirs = ours.strips.new("Extra", 900, action)
    drop_strips.remove_drops(scene, box)
    assert [strip.name for track in box.animation_data.nla_tracks for strip in track.strips] == ["Idle", theirs.name]


def test_strips_follow_the_drops_in_the_saved_file(box, scene, tmp_path: Path) -> None:
    drop_strips.place_drops(scene, box, burst(), SPANS, bars=1)
    saved = build.save_blend(tmp_path / "mine.blend")
    bpy.ops.wm.open_mainfile(filepath=str(saved))
    here, thing = bpy.context.scene, bpy.data.objects["Box"]
    assert drop_strips.refresh_drops(here, spans((120, 160), (900, 960), bar=20)) == 2
    assert strips(thing) == [(120, 140), (900, 920)], "a bar is as long as it now is"
    assert x_at(here, thing, 130) == pytest.approx(2.0, abs=1e-4)
    assert drop_strips.refresh_drops(here, []) == 0
    assert not len(thing.animation_data.nla_tracks)
    assert drop_strips.refresh_drops(here, SPANS) == 3


def test_removing_gives_the_action_back(box, scene) -> None:
    action = burst()
    drop_strips.place_drops(scene, box, action, SPANS)
    drop_strips.place_drops(scene, box, action, SPANS)
    assert drop_strips.drop_actions(scene) == [(box, action)]
    drop_strips.remove_drops(scene, box)
    assert box.animation_data.action == action
    assert x_at(scene, box, 11) == pytest.approx(2.0, abs=1e-4)
    assert drop_strips.drop_actions(scene) == []
    assert "hx_tables" not in rig.find_show(scene)
    drop_strips.remove_drops(scene, box)


def test_an_action_that_nobody_else_uses_is_not_lost(box, scene) -> None:
    action = burst()
    box.animation_data.action = None
    action.use_fake_user = False
    drop_strips.place_drops(scene, box, action, SPANS)
    drop_strips.remove_drops(scene, box)
    assert box.animation_data.action is None
    assert action.users == 1
    assert action.use_fake_user


def test_another_active_action_hides_the_strips_and_that_is_said(box, scene) -> None:
    action = burst()
    box.animation_data.action = bpy.data.actions.new("Dance")
    drop_strips.place_drops(scene, box, action, SPANS)
    assert box.animation_data.action.name == "Dance"
    assert "Dance plays on top" in drop_strips.hidden_by(box)
    box.animation_data.action = None
    assert drop_strips.hidden_by(box) == ""


def test_one_action_serves_two_objects(box, scene) -> None:
    other = bpy.data.objects.new("Other", None)
    scene.collection.objects.link(other)
    for thing in (box, other):
        drop_strips.place_drops(scene, thing, burst(), SPANS)
    assert x_at(scene, other, 150) == pytest.approx(2.0, abs=1e-4)
    bpy.data.objects.remove(box)
    assert drop_strips.refresh_drops(scene, SPANS) == 3


def test_a_material_of_the_user_can_play_too(scene) -> None:
    material = bpy.data.materials.new("Paint")
    if material.node_tree is None:
        material.use_nodes = True
    mesh = bpy.data.meshes.new("Mesh")
    mesh.materials.append(material)
    scene.collection.objects.link(bpy.data.objects.new("Mesh", mesh))
    tree = material.node_tree
    node = tree.nodes.new("ShaderNodeValue")
    for frame, value in ((1, 0.0), (11, 1.0)):
        node.outputs[0].default_value = value
        node.outputs[0].keyframe_insert("default_value", frame=frame)
    drop_strips.place_drops(scene, tree, tree.animation_data.action, SPANS)
    drop_strips.refresh_drops(scene, spans((10, 30)))
    assert strips(tree) == [(10.0, 30.0)]
    scene.frame_set(30)
    seen = tree.evaluated_get(bpy.context.evaluated_depsgraph_get()).nodes[node.name]
    assert seen.outputs[0].default_value == pytest.approx(1.0)


def test_strips_on_a_renamed_track_and_broken_actions(box, scene) -> None:
    drop_strips.place_drops(scene, box, burst(), SPANS)
    box.animation_data.nla_tracks[0].name = "Renamed"
    drop_strips.refresh_drops(scene, SPANS[:1])
    assert [len(track.strips) for track in box.animation_data.nla_tracks] == [1]
    action = burst()
    box.animation_data_clear()
    assert drop_strips.refresh_drops(scene, SPANS) == 3
    action.use_frame_range, action.frame_start, action.frame_end = True, 5, 5
    assert drop_strips.refresh_drops(scene, SPANS[:1]) == 0
    assert len(strips(box)) == 3


def test_what_cannot_be_placed_is_refused_before_anything_changes(box, scene) -> None:
    lamp = bpy.data.lights.new("Lamp", "POINT")
    short = bpy.data.objects.new("Short", None)
    short.keyframe_insert("location", frame=1)
    for owner, action, reason in ((lamp, burst(), "does not fit"), (short, short.animation_data.action, "shorter")):
        with pytest.raises(SceneError, match=reason):
            drop_strips.place_drops(scene, owner, action, SPANS)
    assert rig.find_show(scene) is None
    assert lamp.animation_data is None
