"""Writing the keys again: what is remembered, what follows, and what of the user's stays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from housex_blender.core.errors import SceneError  # noqa: E402
from housex_blender.core.keys import KeyTrack  # noqa: E402
from housex_blender.scene import bindings, build, compat, keyframes, rig  # noqa: E402

from .conftest import FPS, N_FRAMES, make_channels  # noqa: E402
from .test_build import census  # noqa: E402

GENERATED = "GENERATED"


def louder(channels: dict[str, KeyTrack]) -> dict[str, KeyTrack]:
    """The same show with twice the light and keys two frames later."""
    changed = dict(channels)
    for name in ("light_a", "light_b", "light_c"):
        changed[name] = KeyTrack(channels[name].frames + 2, channels[name].values * 2)
    return changed


def named(handles: rig.SceneHandles) -> set[tuple]:
    """Every binding by value."""
    return {
        (channel, one.id.name, one.data_path, one.index, round(one.gain, 5), round(one.offset, 5), one.column)
        for channel, bound in handles.bindings.items()
        for one in bound
    }


def curve(owner, path: str, index: int = -1):
    """An F-curve by its number."""
    return keyframes.find_curve(owner, path, index)


def lamp():
    """The data of the tunnel's first light."""
    return bpy.data.lights["HX Light A"]


def test_all_bindings_come_back_from_the_file(show, scene, tmp_path: Path) -> None:
    before = named(show)
    saved = build.save_blend(tmp_path / "show.blend")
    bpy.ops.wm.open_mainfile(filepath=str(saved), use_scripts=False)
    again = bindings.recall(rig.find_show(bpy.context.scene))
    assert named(again) == before
    trees = [one.id for one in again.bindings["light_a"] if "Light A" in one.data_path]
    assert trees == [bpy.data.node_groups["HX Signals"]]
    assert bpy.data.node_groups["HX Tunnel Motion"] in [one.id for one in again.bindings["swell"]]


def test_what_was_renamed_is_found_and_what_was_deleted_is_dropped(show, scene) -> None:
    lamp().name = "My lamp"
    bpy.data.objects["HX Camera Drift"].name = "Soon gone"
    bpy.data.objects.remove(bpy.data.objects["Soon gone"])
    unlinked = bpy.data.objects["HX Camera Roll"]
    bpy.data.collections["HX Tunnel"].objects.unlink(unlinked)
    found = {name for _, name, *_ in named(bindings.recall(show.objects["show"]))}
    assert "My lamp" in found
    assert not {"HX Camera Drift", "HX Camera Roll"} & found


def test_what_only_an_instanced_collection_shows_is_alive(scene) -> None:
    inside = bpy.data.objects.new("Inside", bpy.data.lights.new("Bulb", "POINT"))
    hidden = bpy.data.collections.new("Hidden")
    hidden.objects.link(inside)
    stage = bpy.data.objects.new("Stage", None)
    stage.instance_type, stage.instance_collection = "COLLECTION", hidden
    assert not bindings.living([inside, inside.data])
    scene.collection.objects.link(stage)
    assert bindings.living([inside, inside.data]) == {inside, inside.data}


def test_rekey_writes_every_curve_and_builds_nothing(show, scene) -> None:
    channels = louder(make_channels(("Progressive House",)))
    before = census()
    pointers = {thing.as_pointer() for thing in bpy.data.objects}
    scene.frame_start, scene.frame_end = 5, 90
    scene.frame_set(60)
    baked = bindings.rekey_show(scene, channels)
    assert baked.kept == []
    assert census() == before
    assert {thing.as_pointer() for thing in bpy.data.objects} == pointers
    assert (scene.frame_start, scene.frame_end, scene.frame_current) == (5, 90, 60)
    frames = np.array([1.0, 30.0, 59.0, 61.0, 150.0])
    keys = 0
    for name, bound in bindings.recall(show.objects["show"]).bindings.items():
        for one in bound:
            got = [curve(one.id, one.data_path, one.index).evaluate(frame) for frame in frames]
            want = channels[name].at(frames)[:, one.column] * one.gain + one.offset
            np.testing.assert_allclose(got, want, rtol=2e-5, atol=2e-5 * max(1, abs(one.gain)), err_msg=name)
            keys += len(channels[name].frames)
    assert baked.keys == keys
    deps = bpy.context.evaluated_depsgraph_get()
    watts = bpy.data.objects["HX Light A"].evaluated_get(deps).data.energy
    assert watts == pytest.approx(500 * float(channels["light_a"].at(60.0)[0]), rel=1e-4)
    bindings.rekey_show(scene, channels, n_frames=77)
    assert (scene.frame_start, scene.frame_end) == (1, 77)


def test_keys_of_the_user_on_our_curve_win(show, scene) -> None:
    energy = curve(lamp(), "energy")
    assert {key.type for key in energy.keyframe_points} == {GENERATED}
    theirs = energy.keyframe_points.insert(40.3, 7.0, keyframe_type="KEYFRAME")
    theirs.interpolation, theirs.easing, theirs.back = "BOUNCE", "EASE_OUT", 2.5
    count = len(energy.keyframe_points)
    for channels in (make_channels(), louder(make_channels())):
        assert bindings.rekey_show(scene, channels).kept == []
        points = curve(lamp(), "energy").keyframe_points
        near = [key for key in points if abs(key.co[0] - 40.3) <= 0.5]
        assert [(round(key.co[0], 3), key.co[1], key.type) for key in near] == [(40.3, 7.0, "KEYFRAME")]
        assert (near[0].interpolation, near[0].easing, near[0].back) == ("BOUNCE", "EASE_OUT", 2.5)
        assert len(points) == count - 1  # one of ours gave way
        assert np.all(np.diff([key.co[0] for key in points]) > 0)
        assert points[0].co[1] == pytest.approx(500 * channels["light_a"].values[0, 0], rel=1e-5)


def test_keys_of_ours_that_a_hand_changed_are_the_users(show, scene) -> None:
    """Typing over a key or dragging it does not change its type."""
    lamp().energy = 9.0
    lamp().keyframe_insert("energy", frame=40)
    points = curve(lamp(), "energy").keyframe_points
    points[99].co_ui[1] += 300.0
    points[149].co_ui[0] += 0.25
    assert {key.type for key in points} == {GENERATED}
    dragged = points[99].co[1]
    moved = tuple(points[149].co)
    assert bindings.rekey_show(scene, make_channels(("Bass House",))).kept == []
    points = curve(lamp(), "energy").keyframe_points
    assert [points[39].co[1], points[99].co[1], tuple(points[149].co)] == [9.0, dragged, moved]
    assert len(points) == N_FRAMES
    wanted = louder(make_channels())["light_a"]
    bindings.rekey_show(scene, make_channels() | {"light_a": wanted})
    assert curve(lamp(), "energy").evaluate(20) == pytest.approx(500 * wanted.at(20.0)[0], rel=1e-5)
    assert curve(lamp(), "energy").evaluate(40) == 9.0


def test_handles_of_the_user_survive_among_bezier_keys(show, scene) -> None:
    rail = bpy.data.objects["HX Rail"].data
    path = "eval_time"
    theirs = curve(rail, path).keyframe_points.insert(50.0, 0.5)
    theirs.type = "EXTREME"
    theirs.handle_left_type = theirs.handle_right_type = "FREE"
    theirs.handle_left, theirs.handle_right = (45.0, 0.4), (52.0, 0.9)
    bindings.rekey_show(scene, make_channels())
    points = curve(rail, path).keyframe_points
    assert [key.co[0] for key in points] == [1, 50, 90, 300]
    np.testing.assert_allclose(points[1].handle_right, (52.0, 0.9), atol=1e-5)
    np.testing.assert_allclose(points[1].handle_left, (45.0, 0.4), atol=1e-5)
    assert points[1].type == "EXTREME"


def test_a_curve_that_the_user_made_is_left_alone_and_named(show, scene) -> None:
    energy = curve(lamp(), "energy")
    energy.keyframe_points.clear()
    for frame, value in ((1, 3.0), (80, 5.0)):
        energy.keyframe_points.insert(frame, value, keyframe_type="KEYFRAME")
    baked = bindings.rekey_show(scene, louder(make_channels()))
    assert baked.kept == ["Light HX Light A: energy"]
    assert [tuple(key.co) for key in curve(lamp(), "energy").keyframe_points] == [(1, 3.0), (80, 5.0)]


def test_modifiers_and_groups_of_our_curves_survive(show, scene) -> None:
    curve(lamp(), "energy").modifiers.new("NOISE")
    bindings.rekey_show(scene, louder(make_channels()))
    assert [one.type for one in curve(lamp(), "energy").modifiers] == ["NOISE"]


def test_channels_of_another_model_come_and_go(show, scene) -> None:
    thing = show.objects["show"]
    reader = bpy.data.objects.new("Reader", None)
    scene.collection.objects.link(reader)
    channels = make_channels() | {"p_bass_house": KeyTrack([1.0, 9.0], [0.0, 1.0])}
    del channels["p_future_house"]
    bindings.rekey_show(scene, channels)
    assert "p_future_house" not in thing
    assert curve(thing, '["p_future_house"]') is None
    scene.frame_set(9)
    assert thing["p_bass_house"] == pytest.approx(1.0)
    variable = reader.driver_add("location", 0).driver.variables.new()
    variable.targets[0].id, variable.targets[0].data_path = thing, '["p_bass_house"]'
    bindings.rekey_show(scene, make_channels())
    assert thing["p_bass_house"] == 0.0
    assert curve(thing, '["p_bass_house"]') is None
    assert variable.targets[0].id == thing
    bindings.rekey_show(scene, channels)
    assert len(curve(thing, '["p_bass_house"]').keyframe_points) == 2


def test_a_missing_channel_is_refused_before_anything_is_written(show, scene) -> None:
    channels = louder(make_channels())
    del channels["light_c"], channels["p_future_house"]
    before = curve(lamp(), "energy").keyframe_points[0].co[1]
    with pytest.raises(SceneError, match="light_c"):
        bindings.rekey_show(scene, channels)
    assert curve(lamp(), "energy").keyframe_points[0].co[1] == before
    assert "p_future_house" in show.objects["show"]


def test_a_file_from_before_is_built_again_and_can_then_be_keyed(show, scene) -> None:
    thing = show.objects["show"]
    del thing["hx_tables"]
    for owner, path in ((thing, '["kick"]'), (bpy.data.materials["HX Rings"], "diffuse_color")):
        points = curve(owner, path, 0).keyframe_points
        points.foreach_set("type", np.zeros(len(points), np.intc))
    assert not bindings.can_rekey(scene)
    with pytest.raises(SceneError, match="keys could be written"):
        bindings.rekey_show(scene, make_channels())
    handles = build.build_show(scene, louder(make_channels()), fps=FPS, n_frames=N_FRAMES)
    assert handles.kept == []
    assert bindings.can_rekey(scene)
    assert {key.type for key in curve(thing, '["kick"]').keyframe_points} == {GENERATED}


def test_no_scene_without_a_show_can_be_keyed(scene) -> None:
    assert not bindings.can_rekey(scene)


def test_driving_a_saved_tunnel_keys_its_lights_too(show, scene) -> None:
    again = build.build_show(scene, louder(make_channels()), scene_kind="rig", fps=FPS, n_frames=N_FRAMES)
    assert named(again) == named(show)
    assert curve(lamp(), "energy").keyframe_points[0].co[0] == 3.0


def test_an_hour_is_keyed_without_losing_a_key(scene) -> None:
    from .test_build import hour_channels

    channels = hour_channels()
    handles = build.build_show(scene, channels, n_frames=108_000)
    keys = sum(len(bound) * len(channels[name].frames) for name, bound in handles.bindings.items())
    assert bindings.rekey_show(scene, channels).keys == keys
    assert len(curve(lamp(), "energy").keyframe_points) == 60_000


def test_two_scenes_have_shows_of_their_own(show, scene) -> None:
    other = bpy.data.scenes.new("Other")
    second = build.build_show(other, louder(make_channels(("Melodic House",))), fps=FPS, n_frames=N_FRAMES)
    assert second.objects["show"] != show.objects["show"]
    assert rig.find_show(other) == second.objects["show"]
    ours, others = (
        {one.owner_key for bound in handles.bindings.values() for one in bound} for handles in (show, second)
    )
    assert not ours & others
    first = make_channels(("Future House", "Progressive House"))
    rings = bpy.data.materials["HX Rings"]
    hull = {slot.material for thing in scene.objects for slot in thing.material_slots}
    assert rings in hull
    assert not hull & {slot.material for thing in other.objects for slot in thing.material_slots}
    assert curve(rings, "diffuse_color", 0).evaluate(1) == pytest.approx(first["colour_a"].values[0, 0], abs=1e-5)
    before = census()
    bindings.rekey_show(other, make_channels(("Bass House",)))
    build.build_show(other, make_channels(("Bass House",)), fps=FPS, n_frames=N_FRAMES)
    build.build_show(scene, first, fps=FPS, n_frames=N_FRAMES)
    assert census() == before
    assert bpy.data.materials["HX Rings"] in {slot.material for thing in scene.objects for slot in thing.material_slots}
    assert compat.fcurves_of(rings, create=False) is not None


def test_undo_leaves_the_memory_whole(show, scene) -> None:
    bpy.ops.ed.undo_push(message="built")
    bindings.rekey_show(scene, louder(make_channels()))
    bpy.ops.ed.undo_push(message="baked")
    bpy.ops.ed.undo()
    here = bpy.context.scene
    assert curve(lamp(), "energy").keyframe_points[0].co[0] == 1.0
    handles = bindings.recall(rig.find_show(here))
    assert sum(map(len, handles.bindings.values())) > 60
    assert bindings.rekey_show(here, make_channels()).kept == []
