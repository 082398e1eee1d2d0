"""The user's own scene follows the mix, and keeps what is the user's. Zone: tests."""

from __future__ import annotations

from pathlib import Path

import pytest

bpy = pytest.importorskip("bpy")


@pytest.fixture
def heard(scene, loaded) -> Path:
    """16 bars of 1.875 s; a drop on bar 9, which begins on frame 361."""
    scene.render.fps, scene.render.fps_base = 24, 1.0
    scene.housex.scene_kind = "rig"
    return loaded


def test_right_click_drive_follows_channel_and_bake(heard, scene, lamp) -> None:
    from housex_blender.ui.operators_drive import name_of

    answer = bpy.ops.housex.drive_property(
        owner=name_of(lamp.data), data_path="energy", channel="drop", low=10.0, high=110.0
    )
    assert answer == {"FINISHED"}
    scene.frame_set(361)
    assert lamp.data.energy == pytest.approx(110.0)
    scene.frame_set(360)
    assert lamp.data.energy == pytest.approx(10.0)
    # the drop is said to be elsewhere: the light follows with the next bake, which is at once
    bpy.ops.housex.build_show()
    scene.housex.select_first, scene.housex.select_last = 9, 10
    bpy.ops.housex.set_section(section="outro")
    scene.frame_set(361)
    assert lamp.data.energy == pytest.approx(10.0)
    with pytest.raises(RuntimeError, match="follows"):
        bpy.ops.housex.drive_property(owner=name_of(lamp.data), data_path="energy", channel="kick")
    changes = {"channel": "energy", "low": 5.0, "high": 5.0, "attack_ms": 0.0, "release_ms": 0.0}
    assert bpy.ops.housex.change_drive(number=0, **changes) == {"FINISHED"}
    scene.frame_set(200)
    assert lamp.data.energy == pytest.approx(5.0)
    assert bpy.ops.housex.remove_drive(number=0) == {"FINISHED"}
    assert lamp.data.animation_data is None or lamp.data.animation_data.action is None


def test_names_of_datablocks_lead_back_to_them(heard, scene, lamp) -> None:
    from housex_blender.core.errors import SceneError
    from housex_blender.ui.operators_drive import name_of, owner_named

    material = bpy.data.materials.new("Wall / red | 1")
    if material.node_tree is None:
        material.use_nodes = True
    group = bpy.data.node_groups.new("Wall / red | 1", "GeometryNodeTree")
    for owner in (lamp, lamp.data, material, material.node_tree, group, scene):
        assert owner_named(name_of(owner)) == owner
    name = name_of(lamp)
    bpy.data.objects.remove(lamp)
    with pytest.raises(SceneError, match="Lamp is gone"):
        owner_named(name)


def test_the_rig_is_built_beside_the_users_things(heard, scene, lamp) -> None:
    bpy.ops.housex.build_show()
    assert len(bpy.data.scenes) == 1
    assert sorted(ob.name for ob in scene.objects) == ["HX Show", "Lamp"]
    assert scene.frame_end == 720
    assert [marker.name for marker in scene.timeline_markers if marker.frame == 361]
    assert scene.camera is None


def test_an_action_at_every_drop(heard, scene, lamp) -> None:
    lamp.location.z = 0.0
    lamp.keyframe_insert("location", index=2, frame=1)
    lamp.location.z = 5.0
    lamp.keyframe_insert("location", index=2, frame=11)
    action = lamp.animation_data.action
    lamp.animation_data.action = None
    settings = scene.housex
    assert not bpy.ops.housex.place_drop_action.poll()
    settings.drop_object, settings.drop_action, settings.drop_phrase = lamp, action, "1"
    assert bpy.ops.housex.place_drop_action() == {"FINISHED"}
    strips = [strip for track in lamp.animation_data.nla_tracks for strip in track.strips]
    assert [round(strip.frame_start) for strip in strips] == [361]
    # one bar of four beats at 128 BPM is 45 frames
    assert strips[0].frame_end - strips[0].frame_start == pytest.approx(45, abs=1)
    scene.frame_set(361 + 45)
    assert lamp.evaluated_get(bpy.context.evaluated_depsgraph_get()).location.z == pytest.approx(5.0, abs=0.01)
    bpy.ops.housex.build_show()
    scene.housex.select_first, scene.housex.select_last = 5, 8
    bpy.ops.housex.set_section(section="drop")
    strips = [strip for track in lamp.animation_data.nla_tracks for strip in track.strips]
    assert [round(strip.frame_start) for strip in strips] == [181], "it moved with the drop"
    assert bpy.ops.housex.remove_drop_action() == {"FINISHED"}
    assert not [strip for track in lamp.animation_data.nla_tracks for strip in track.strips]
    assert action.name in bpy.data.actions


def test_keys_of_the_user_survive_the_bake(heard, scene) -> None:
    from housex_blender.scene import compat

    scene.housex.scene_kind = "tunnel"
    bpy.ops.housex.build_show()
    show = scene.objects["HX Show"]
    show["light_a"] = 1.75
    show.keyframe_insert('["light_a"]', frame=100)
    scene.housex.intensity = 0.5
    bpy.ops.housex.bake()
    curve = compat.fcurves_of(show, create=False).find('["light_a"]')
    assert curve.evaluate(100) == pytest.approx(1.75)
    assert max(point.co[1] for point in curve.keyframe_points if point.co[0] != 100) < 1.5
