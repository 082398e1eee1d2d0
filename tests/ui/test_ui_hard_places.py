"""What a clumsy or a hostile hand does to the panel's files and scenes. Zone: tests."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from housex_blender.core.errors import TimelineError
from housex_blender.core.timeline import Timeline

from .ui_samples import sample_timeline

bpy = pytest.importorskip("bpy")


@pytest.fixture
def heard(scene, loaded) -> Path:
    """A loaded timeline of 16 bars for a rig at 24 frames per second."""
    scene.render.fps, scene.render.fps_base = 24, 1.0
    scene.housex.scene_kind = "rig"
    return loaded


def tweaked(lamp, strip_action) -> None:
    """Put an object into the NLA editor's tweak mode of its only strip."""
    track = lamp.animation_data.nla_tracks[0]
    track.select = track.strips[0].select = True
    lamp.animation_data.use_tweak_mode = True
    assert lamp.animation_data.action == strip_action


def moved_action(lamp):
    """An action of two keys that is not the active one."""
    lamp.keyframe_insert("location", index=2, frame=1)
    lamp.keyframe_insert("location", index=2, frame=11)
    action = lamp.animation_data.action
    lamp.animation_data.action = None
    return action


def test_bake_while_a_drop_strip_is_tweaked(heard, scene, lamp) -> None:
    bpy.ops.housex.build_show()
    action = moved_action(lamp)
    scene.housex.drop_object, scene.housex.drop_action = lamp, action
    bpy.ops.housex.place_drop_action()
    tweaked(lamp, action)
    bpy.ops.housex.bake()
    assert not lamp.animation_data.use_tweak_mode, "Blender crashes when it leaves a strip that is gone"
    tweaked(lamp, action)
    assert bpy.ops.housex.place_drop_action() == {"FINISHED"}


def test_keys_never_land_in_a_tweaked_action(heard, scene, lamp) -> None:
    from housex_blender.scene import compat
    from housex_blender.ui.operators_drive import name_of

    action = moved_action(lamp)
    bpy.ops.housex.drive_property(owner=name_of(lamp), data_path="location", index=0, channel="kick")
    own = lamp.animation_data.action
    lamp.animation_data.action = None
    strip = lamp.animation_data.nla_tracks.new().strips.new("mine", 1, action)
    compat.set_strip_slot(strip, compat.slot_for(lamp, action))
    lamp.animation_data.action = own
    tweaked(lamp, action)
    bpy.ops.housex.bake()
    lamp.animation_data.use_tweak_mode = False
    assert lamp.animation_data.action == own
    lamp.animation_data.action = action
    assert len(compat.fcurves_of(lamp)) == 1


def test_undo_leaves_a_file_that_others_wrote(heard, scene, tmp_path) -> None:
    bpy.ops.ed.undo_push(message="loaded")
    bpy.ops.housex.set_section("EXEC_DEFAULT", True, section="drop")
    replace(sample_timeline(tmp_path / "set one.wav", 40.0), warnings=("Of another program.",)).save(heard)
    theirs = heard.read_bytes()
    bpy.ops.ed.undo()
    assert heard.read_bytes() == theirs
    assert "changed outside" in bpy.context.window_manager.housex.message + bpy.context.scene.housex.mix_problem


def test_halves_of_characters_in_a_file(heard, scene) -> None:
    data = json.loads(heard.read_text(encoding="utf-8"))
    data["tracks"][0]["title"] = "x\ud800y"
    heard.write_text(json.dumps(data))
    assert bpy.ops.housex.load_timeline(filepath=str(heard)) == {"FINISHED"}
    assert bpy.ops.housex.lock_bars() == {"FINISHED"}
    assert Timeline.load(heard).tracks[0].title == "x?y"


def test_tracks_with_gaps_are_refused(heard) -> None:
    timeline = Timeline.load(heard)
    replace(timeline, tracks=timeline.tracks[1:]).save(heard)
    with pytest.raises(TimelineError, match="follow one another"):
        Timeline.load(heard)


def test_a_long_genre_has_a_channel(heard, scene) -> None:
    timeline = Timeline.load(heard)
    genres = ("浩室" * 15, *timeline.model.genres[1:])
    replace(timeline, model=replace(timeline.model, genres=genres)).save(heard)
    bpy.ops.housex.load_timeline(filepath=str(heard))
    assert bpy.ops.housex.build_show() == {"FINISHED"}


def test_names_and_places_that_cannot_be_driven_are_refused_in_words(heard, scene, lamp) -> None:
    from housex_blender.ui.operators_drive import name_of

    lamp['q"uo'] = lamp["]x["] = 1.0
    for path in ('["q\\"uo"]', '["]x["]'):
        assert bpy.ops.housex.drive_property(owner=name_of(lamp), data_path=path, channel="kick") == {"FINISHED"}
    text = bpy.data.texts.new("text")
    for owner, path in ((name_of(text), "use_fake_user"), (name_of(lamp), "location.x"), ("filepath/x|", "y")):
        with pytest.raises(RuntimeError) as told:
            bpy.ops.housex.drive_property(owner=owner, data_path=path, channel="kick")
        assert "Traceback" not in str(told.value)


def test_other_bars_are_not_taken_for_the_selected_ones(heard, scene) -> None:
    scene.frame_set(1)
    scene.housex.select_first, scene.housex.select_last = 9, 16
    bpy.ops.housex.correct_grid(op="halve")
    assert scene.housex.select_first == 0


def test_a_linked_show_is_not_ours_to_key(heard, scene, tmp_path) -> None:
    bpy.ops.housex.build_show()
    library = str(tmp_path / "library.blend")
    bpy.ops.wm.save_as_mainfile(filepath=library)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    with bpy.data.libraries.load(library, link=True) as (_there, here):
        here.objects = ["HX Show"]
    scene.collection.objects.link(here.objects[0])
    bpy.ops.housex.load_timeline(filepath=str(heard))
    assert not bpy.ops.housex.bake.poll()


def test_registration_is_all_or_nothing(addon, monkeypatch) -> None:
    from housex_blender.ui import menus

    addon.unregister()
    try:
        with monkeypatch.context() as patch:
            patch.setattr(menus, "_PLACES", ("VIEW3D_MT_view", "NO_SUCH_MENU"))
            with pytest.raises(AttributeError):
                addon.register()
        assert not hasattr(bpy.types.Scene, "housex")
    finally:
        addon.register()


def test_a_name_too_long_for_the_disk(heard) -> None:
    with pytest.raises(RuntimeError) as told:
        bpy.ops.housex.choose_mix(filepath=os.sep + "x" * 5000)
    assert "Traceback" not in str(told.value)
