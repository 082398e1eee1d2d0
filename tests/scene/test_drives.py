"""Numbers of the user's own scene follow channels, and let go again without a trace."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from housex_blender.core import drive as shaping  # noqa: E402
from housex_blender.core.errors import SceneError  # noqa: E402
from housex_blender.core.keys import KeyTrack  # noqa: E402
from housex_blender.core.show_heard import attack_release  # noqa: E402
from housex_blender.scene import bindings, build, compat, keyframes, rig  # noqa: E402
from housex_blender.scene import drives as own  # noqa: E402
from housex_blender.scene import stage as stage_scene  # noqa: E402

from .conftest import FPS, N_FRAMES, make_channels  # noqa: E402

CHANNELS = make_channels(("Future House", "Progressive House"))
FRAMES = (1, 20, 59, 60, 110)


def add(scene, owner, path, channel="kick", index=-1, low=0.0, high=1.0, attack_ms=0.0, release_ms=0.0, **more):
    """Add a drive with the channels of these tests."""
    channels = more.get("channels", CHANNELS)
    return own.add_drive(scene, owner, path, index, channel, low, high, attack_ms, release_ms, channels, FPS)


@pytest.fixture
def stage(scene):
    """A scene of the user's: a lamp, a mesh with material, shape key, modifiers and a camera."""
    mesh = bpy.data.meshes.new("Box")
    mesh.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1, 2)])
    box = bpy.data.objects.new("Box", mesh)
    things = {
        "box": box,
        "lamp": bpy.data.objects.new("Key", bpy.data.lights.new("Key", "POINT")),
        "camera": bpy.data.objects.new("Cam", bpy.data.cameras.new("Cam")),
    }
    for thing in things.values():
        scene.collection.objects.link(thing)
    material = bpy.data.materials.new("Paint")
    if material.node_tree is None:
        material.use_nodes = True
    material.node_tree.nodes.clear()
    glow = material.node_tree.nodes.new("ShaderNodeEmission")
    out = material.node_tree.nodes.new("ShaderNodeOutputMaterial")
    material.node_tree.links.new(glow.outputs[0], out.inputs[0])
    mesh.materials.append(material)
    box.shape_key_add(name="Rest")
    box.shape_key_add(name="Wide")
    box.modifiers.new("Wave", "WAVE")
    group = bpy.data.node_groups.new("Grow", "GeometryNodeTree")
    for kind in ("Geometry", "Float", "Color", "Int", "Bool"):
        group.interface.new_socket(kind, in_out="INPUT", socket_type=f"NodeSocket{kind}")
    group.interface.new_socket("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
    value = group.nodes.new("ShaderNodeValue")
    value.name = "Amount"
    box.modifiers.new("Grow", "NODES").node_group = group
    box["glow"] = 0.5
    box["count"] = 3
    box["on"] = False
    box["words"] = "hello"
    things.update(material=material, group=group)
    return things


def input_path(box, number: int) -> str:
    """Where an input of the geometry nodes modifier lies; newer Blenders moved them."""
    moved = hasattr(box.modifiers["Grow"], "properties")
    return (
        f'modifiers["Grow"].properties.inputs.Socket_{number}.value'
        if moved
        else f'modifiers["Grow"]["Socket_{number}"]'
    )


def evaluated(thing, path: str):
    """A value as the depsgraph sees it at the present frame."""
    value = thing.evaluated_get(bpy.context.evaluated_depsgraph_get()).path_resolve(path)
    return value[:] if hasattr(value, "__len__") else value


def test_numbers_of_every_kind_follow(stage, scene) -> None:
    box, tree = stage["box"], stage["material"].node_tree
    numbers = (
        (stage["lamp"].data, "energy", -1, 10.0, 1000.0),
        (stage["camera"].data, "lens", -1, 50.0, 18.0),
        (box, "location", 2, -1.0, 4.0),
        (box, "rotation_euler", 0, 0.0, 3.0),
        (box, 'modifiers["Wave"].height', -1, 0.0, 2.0),
        (box, input_path(box, 1), -1, 0.0, 5.0),
        (box, '["glow"]', -1, 0.0, 9.0),
        (box.data.shape_keys, 'key_blocks["Wide"].value', -1, 0.0, 1.0),
        (tree, 'nodes["Emission"].inputs[1].default_value', -1, 1.0, 30.0),
        (stage["group"], 'nodes["Amount"].outputs[0].default_value', -1, 0.0, 2.0),
    )
    for owner, path, index, low, high in numbers:
        assert own.check_drive(owner, path, index) == ""
        add(scene, owner, path, index=index, low=low, high=high)
    assert [drive.number for drive in own.drives(scene)] == list(range(len(numbers)))
    for frame in FRAMES:
        scene.frame_set(frame)
        kick = float(CHANNELS["kick"].at(float(frame))[0])
        for owner, path, index, low, high in numbers:
            got = evaluated(owner, path)
            got = got[index] if index >= 0 else got
            assert got == pytest.approx(low + kick * (high - low), rel=1e-4, abs=1e-5), path
    assert [thing.name for thing in scene.objects if thing.get(compat.OWNED)] == ["HX Show"]


def test_colours_follow_and_alpha_stays(stage, scene) -> None:
    tree = stage["material"].node_tree
    tree.nodes["Emission"].inputs[0].default_value = (0, 0, 0, 0.25)
    colours = (
        (stage["lamp"].data, "color"),
        (tree, 'nodes["Emission"].inputs[0].default_value'),
        (stage["material"], "diffuse_color"),
        (stage["box"], input_path(stage["box"], 2)),
    )
    for owner, path in colours:
        add(scene, owner, path, "colour_a")
    add(scene, stage["lamp"].data, "energy", "colour_a", low=100.0, high=200.0)
    for frame in FRAMES:
        scene.frame_set(frame)
        want = CHANNELS["colour_a"].at(float(frame))
        for drive in own.drives(scene)[:-1]:
            np.testing.assert_allclose(evaluated(drive.owner, drive.data_path)[:3], want, atol=1e-5)
        light = 100 + 100 * (want @ [0.2126, 0.7152, 0.0722])
        assert evaluated(stage["lamp"].data, "energy") == pytest.approx(light, rel=1e-4)
    assert evaluated(tree, 'nodes["Emission"].inputs[0].default_value')[3] == 0.25
    assert keyframes.find_curve(tree, 'nodes["Emission"].inputs[0].default_value', 3) is None


def test_a_number_keys_all_components(stage, scene) -> None:
    add(scene, stage["box"], "scale", low=1.0, high=2.0)
    scene.frame_set(59)
    want = 1 + float(CHANNELS["kick"].at(59.0)[0])
    np.testing.assert_allclose(evaluated(stage["box"], "scale"), [want] * 3, rtol=1e-5)


def test_whole_numbers_and_switches_jump(stage, scene) -> None:
    box = stage["box"]
    numbers = [(box, '["count"]', 10.0), (box, '["on"]', 1.0), (box, "hide_render", 1.0)]
    for owner, path, high in numbers:
        add(scene, owner, path, "light_c", high=high)
    for frame in range(1, 120, 7):
        scene.frame_set(frame)
        level = float(CHANNELS["light_c"].at(float(frame))[0])
        assert evaluated(box, '["count"]') == int(np.floor(10 * level + 0.5))
        assert bool(evaluated(box, '["on"]')) == (level >= 0.5)
        assert evaluated(box, "hide_render") == (level >= 0.5)
    points = keyframes.find_curve(box, "hide_render", -1).keyframe_points
    assert {key.interpolation for key in points} == {"CONSTANT"}
    assert len(points) < 12


def test_attack_and_release_follow_the_level() -> None:
    track = KeyTrack([1.0, 10.0, 11.0, 40.0, 41.0, 300.0], [0, 0, 1, 1, 0, 0])
    shaped = shaping.shape_channel(track, 2.0, 6.0, 50.0, 400.0, FPS)
    frames = np.arange(1, 301.0)
    want = 2 + 4 * attack_release(track.at(frames)[:, 0], FPS, 50.0, 400.0)
    np.testing.assert_allclose(shaped.at(frames)[:, 0], want, atol=0.05)
    assert len(shaped.frames) < 100
    direct = shaping.shape_channel(track, 2.0, 6.0, 0.0, 0.0, FPS)
    np.testing.assert_array_equal(direct.frames, track.frames)
    np.testing.assert_allclose(direct.values[:, 0], [2, 2, 6, 6, 2, 2])


def test_shapes_keep_their_curves_between_keys() -> None:
    track = KeyTrack([1.0, 11.0], [0.0, 1.0], "BEZIER", np.array([[0.3], [0.0]]))
    shaped = shaping.shape_channel(track, 10.0, 0.0, 0.0, 0.0, FPS)
    where = np.linspace(1, 11, 23)
    np.testing.assert_allclose(shaped.at(where), 10 - 10 * track.at(where), atol=1e-5)


def test_what_cannot_follow_says_why(stage, scene, tmp_path: Path) -> None:
    box, lamp = stage["box"], stage["lamp"].data
    box.keyframe_insert("location", index=0, frame=3)
    lamp.driver_add("energy")
    add(scene, lamp, "color", "colour_b")
    build.build_show(scene, CHANNELS, fps=FPS, n_frames=N_FRAMES)
    bpy.data.libraries.write(str(tmp_path / "lib.blend"), {bpy.data.meshes["Box"]})
    with bpy.data.libraries.load(str(tmp_path / "lib.blend"), link=True) as (_, wanted):
        wanted.materials = ["Paint"]
    linked = next(material for material in bpy.data.materials if material.library)
    for owner, path, index, reason in (
        (box, "location", 0, "keys of your own"),
        (box, "location", -1, "keys of your own"),
        (lamp, "energy", -1, "has a driver"),
        (lamp, "color", 1, "follows colour_b already"),
        (bpy.data.lights["HX Light A"], "energy", -1, "follows light_a already"),
        (rig.find_show(scene), '["kick"]', -1, "follows kick already"),
        (bpy.data.node_groups["HX Signals"], 'nodes["Light A"].outputs[0].default_value', -1, "light_a already"),
        (linked, "diffuse_color", -1, "linked from another file"),
        (linked.node_tree, 'nodes["Emission"].inputs[1].default_value', -1, "linked from another file"),
        (box, "name", -1, "cannot be animated"),
        (box, "rotation_mode", -1, "neither a number nor a colour"),
        (box, '["words"]', -1, "neither a number nor a colour"),
        (box, "nonsense", -1, "no such property"),
        (box, 'modifiers["Gone"].height', -1, "no such property"),
        (box, "scale", 3, "no component 3"),
        (box.modifiers["Wave"], "height", -1, "saved in the file"),
    ):
        assert reason in own.check_drive(owner, path, index), path
        with pytest.raises(SceneError, match=reason):
            add(scene, owner, path, index=index)
    assert own.check_drive(box, "location", 1) == ""
    with pytest.raises(SceneError, match="no channel moon"):
        add(scene, box, "scale", "moon")
    assert len(own.drives(scene)) == 1


def test_a_drive_in_another_scene_is_seen(stage, scene) -> None:
    add(scene, stage["lamp"].data, "energy")
    other = bpy.data.scenes.new("Other")
    with pytest.raises(SceneError, match="follows kick already"):
        add(other, stage["lamp"].data, "energy", "energy")
    assert rig.find_show(other) is None


def test_letting_go_leaves_the_value_and_nothing_else(stage, scene) -> None:
    lamp, box = stage["lamp"].data, stage["box"]
    box.keyframe_insert("location", index=0, frame=3)
    add(scene, lamp, "energy", high=100.0)
    add(scene, box, "location", index=1, high=8.0)
    scene.frame_set(59)
    energy, place = lamp.energy, box.location[1]
    assert place > 1.0
    keyframes.find_curve(box, "location", 1).keyframe_points.insert(70.5, 5.0, keyframe_type="KEYFRAME")
    n_actions = len(bpy.data.actions)
    own.remove_drive(scene, 0)
    own.remove_drive(scene, 0)
    scene.frame_set(100)
    assert own.drives(scene) == []
    assert lamp.energy == energy
    assert lamp.animation_data is None
    assert len(bpy.data.actions) == n_actions - 1
    assert [tuple(key.co) for key in keyframes.find_curve(box, "location", 1).keyframe_points] == [(70.5, 5.0)]
    assert keyframes.find_curve(box, "location", 0) is not None
    assert own.check_drive(lamp, "energy") == ""
    with pytest.raises(SceneError, match="follows the mix no more"):
        own.remove_drive(scene, 0)


def test_an_action_of_the_user_outlives_our_curves(stage, scene) -> None:
    lamp = stage["lamp"].data
    lamp.keyframe_insert("color", frame=1)
    action = lamp.animation_data.action
    add(scene, lamp, "energy")
    for path in ("color",):
        for index in range(3):
            compat.fcurves_of(lamp).remove(keyframes.find_curve(lamp, path, index))
    own.remove_drive(scene, 0)
    assert lamp.animation_data.action == action


def test_changing_a_drive_keys_it_again(stage, scene) -> None:
    lamp = stage["lamp"].data
    add(scene, lamp, "energy", high=10.0)
    changed = own.update_drive(scene, 0, CHANNELS, FPS, channel="light_a", high=70.0, release_ms=300.0)
    assert own.drives(scene) == [changed]
    level = attack_release(CHANNELS["light_a"].at(np.arange(1, 201.0))[:, 0], FPS, 0.0, 300.0)
    curve = keyframes.find_curve(lamp, "energy", -1)
    assert curve.evaluate(40) == pytest.approx(70 * level[39], abs=0.7)
    with pytest.raises(SceneError, match="no channel moon"):
        own.update_drive(scene, 0, CHANNELS, FPS, channel="moon")
    assert own.drives(scene) == [changed]


def test_drives_survive_baking_building_and_the_file(stage, scene, tmp_path: Path) -> None:
    lamp = stage["lamp"].data
    add(scene, lamp, "energy", "light_b", high=40.0)
    add(scene, stage["material"].node_tree, 'nodes["Emission"].inputs[1].default_value', "light_b")
    build.build_show(scene, CHANNELS, fps=FPS, n_frames=N_FRAMES)
    add(scene, bpy.data.cameras["HX Camera"], "dof.focus_distance", "light_b", high=3.0)
    dimmer = dict(CHANNELS, light_b=KeyTrack([1.0, 50.0], [0.25, 0.5]))
    build.build_show(scene, dimmer, fps=FPS, n_frames=N_FRAMES, seed=3)
    assert [block.name for block in bpy.data.cameras if not block.name.startswith("HX Camera ")] == ["Cam", "HX Camera"]
    saved = build.save_blend(tmp_path / "mine.blend")
    bpy.ops.wm.open_mainfile(filepath=str(saved), use_scripts=False)
    here = bpy.context.scene
    assert [drive.label for drive in own.drives(here)] == [
        "Light Key: energy",
        'Node tree Shader Nodetree: nodes["Emission"].inputs[1].default_value',
        "Camera HX Camera: dof.focus_distance",
    ]
    for channels, level in ((None, 0.5), (CHANNELS, float(CHANNELS["light_b"].at(50.0)[0]))):
        if channels:
            assert bindings.rekey_show(here, channels).kept == []
        here.frame_set(50)
        assert evaluated(bpy.data.lights["Key"], "energy") == pytest.approx(40 * level, rel=1e-4)
        assert evaluated(here.camera.data, "dof.focus_distance") == pytest.approx(3 * level, rel=1e-4)
    build.clear_show(here)
    assert {"Key", "Box", "Cam"} <= {thing.name for thing in here.objects}


def test_deleted_things_and_channels_that_are_gone_do_not_stop_baking(stage, scene) -> None:
    lamp = stage["lamp"]
    channels = CHANNELS | {"p_tech_house": KeyTrack([1.0, 9.0], [0.0, 1.0])}
    build.build_show(scene, channels, scene_kind="rig", fps=FPS, n_frames=N_FRAMES)
    add(scene, lamp.data, "energy")
    add(scene, stage["camera"].data, "lens", "p_tech_house", channels=channels)
    add(scene, stage["box"], '["glow"]')
    add(scene, stage["box"], 'modifiers["Wave"].height')
    bpy.data.objects.remove(lamp)
    box = stage["box"]
    box.modifiers.remove(box.modifiers["Wave"])
    curve = keyframes.find_curve(box, '["glow"]', -1)
    curve.keyframe_points.clear()
    curve.keyframe_points.insert(1, 5.0, keyframe_type="KEYFRAME")
    baked = bindings.rekey_show(scene, CHANNELS)
    assert baked.kept == ["Camera Cam: lens (no channel p_tech_house)", 'Object Box: ["glow"]']
    assert [drive.label for drive in own.drives(scene)] == ["Camera Cam: lens", 'Object Box: ["glow"]']
    assert bpy.data.lights["Key"].users == 0


def test_drives_on_parts_wait_for_a_scene_that_has_them(stage, scene, tmp_path: Path) -> None:
    build.build_show(scene, CHANNELS, fps=FPS, n_frames=N_FRAMES)
    part = bpy.data.objects["HX Light A Carrier"]
    material = bpy.data.objects["HX Core"].active_material
    tree = material.node_tree
    node = tree.nodes.new("ShaderNodeValue")
    node.name = "Not of the next build"
    glow = 'nodes["Not of the next build"].outputs[0].default_value'
    add(scene, part, "scale", index=2, high=3.0)
    add(scene, tree, glow)
    add(scene, stage["lamp"].data, "energy", high=5.0)
    labels = [drive.label for drive in own.drives(scene)]
    lost = ["Object HX Light A Carrier: scale", f"Material {material.name}: {glow}"]
    heard = CHANNELS | {name: CHANNELS["energy"] for name in stage_scene.CHANNELS if name not in CHANNELS}
    built = build.build_show(scene, heard, scene_kind="stage", fps=FPS, n_frames=N_FRAMES)
    assert [line for line in built.kept if "not in" in line] == [f"{label} (not in this scene)" for label in lost]
    assert [drive.label for drive in own.drives(scene)] == labels[2:]
    # they wait through everything that writes the list, and the file
    bindings.rekey_show(scene, heard)
    own.update_drive(scene, 0, heard, FPS, high=7.0)
    add(scene, stage["box"], '["glow"]')
    own.remove_drive(scene, 1)
    saved = build.save_blend(tmp_path / "waiting.blend")
    bpy.ops.wm.open_mainfile(filepath=str(saved), use_scripts=False)
    here = bpy.context.scene
    built = build.build_show(here, CHANNELS, fps=FPS, n_frames=N_FRAMES)
    assert built.kept == [f"{lost[1]} (not in this scene)"]
    assert sorted(drive.label for drive in own.drives(here)) == sorted([labels[0], labels[2]])
    here.frame_set(59)
    kick = float(CHANNELS["kick"].at(59.0)[0])
    assert evaluated(bpy.data.objects["HX Light A Carrier"], "scale")[2] == pytest.approx(3 * kick, rel=1e-4)
    # what the user deletes is forgotten without a word
    bpy.data.objects.remove(bpy.data.objects["Key"])
    built = build.build_show(here, CHANNELS, fps=FPS, n_frames=N_FRAMES)
    assert built.kept == [f"{lost[1]} (not in this scene)"]


def test_parts_of_any_kind_are_found_again(scene) -> None:
    build.build_show(scene, CHANNELS, fps=FPS, n_frames=N_FRAMES)
    lattice = bpy.data.objects.new("HX Cage", bpy.data.lattices.new("HX Cage"))
    lattice[compat.OWNED] = "tunnel"
    bpy.data.collections["HX Tunnel"].objects.link(lattice)
    add(scene, lattice.data, "use_outside")
    built = build.build_show(scene, CHANNELS, fps=FPS, n_frames=N_FRAMES)
    assert built.kept == ["Lattice HX Cage: use_outside (not in this scene)"]
