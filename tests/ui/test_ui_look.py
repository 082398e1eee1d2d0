"""The look in the panel: characters, the camera's temper, and the cuts that follow. Zone: tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

bpy = pytest.importorskip("bpy")

from housex_blender.core.genres import GENRES  # noqa: E402
from housex_blender.core.looks import Look, load_look, look_names  # noqa: E402
from housex_blender.core.manners import CAMERAS, CHARACTERS, DEFAULT_CHARACTERS  # noqa: E402
from housex_blender.core.shots import SHOTS  # noqa: E402


@pytest.fixture
def own(scene: Any, loaded: Path) -> Any:
    """A scene of the user's own that is driven, with a camera for every shot."""
    from housex_blender.scene import rig, shots

    scene.housex.scene_kind = "rig"
    assert bpy.ops.housex.build_show() == {"FINISHED"}
    cameras = {shot: bpy.data.objects.new(shot, bpy.data.cameras.new(shot)) for shot in SHOTS}
    for camera in cameras.values():
        scene.collection.objects.link(camera)
    shots.remember_cameras(rig.find_show(scene), cameras)
    return scene


def cuts(scene: Any) -> list[tuple[int, str]]:
    """Every marker with a camera."""
    return sorted((marker.frame, marker.name) for marker in scene.timeline_markers if marker.camera is not None)


@pytest.mark.parametrize("name", look_names())
def test_a_look_that_ships_is_the_same_in_the_panel(scene: Any, name: str) -> None:
    from housex_blender.ui import show

    assert bpy.ops.housex.load_look(name=name) == {"FINISHED"}
    look, shown = load_look(name), show.look_of(scene.housex)
    assert shown.characters == look.characters
    assert shown.camera == look.camera == scene.housex.camera
    assert {genre: shown.palettes.colours[genre] for genre in GENRES} == dict(look.palettes.colours)
    assert scene.housex.colours["Deep House"].character == look.characters["Deep House"]


def test_a_panel_that_nobody_touched_is_the_default_look(scene: Any) -> None:
    from housex_blender.ui import palette_rows, show

    assert show.look_of(scene.housex) == Look()
    palette_rows.fill(scene.housex)
    assert {row.name: row.character for row in scene.housex.colours} == DEFAULT_CHARACTERS
    assert show.look_of(scene.housex) == Look()
    # a row of a file from before there were characters
    row = scene.housex.colours.add()
    row.name = "Own"
    assert show.look_of(scene.housex) == Look()


def test_every_character_and_temper_can_be_chosen(scene: Any) -> None:
    from housex_blender.ui import show
    from housex_blender.ui.properties import HouseXGenreColours, HouseXSettings

    for cls, name, known in ((HouseXGenreColours, "character", CHARACTERS), (HouseXSettings, "camera", CAMERAS)):
        assert tuple(cls.bl_rna.properties[name].enum_items.keys()) == known
    assert bpy.ops.housex.load_look(name="house") == {"FINISHED"}
    scene.housex.colours["Bass House"].character, scene.housex.camera = "ribs", "steady"
    look = show.look_of(scene.housex)
    assert (look.characters["Bass House"], look.camera) == ("ribs", "steady")
    assert {**look.characters, "Bass House": "shards"} == DEFAULT_CHARACTERS


def test_characters_survive_a_look_file(scene: Any, tmp_path: Path) -> None:
    bpy.ops.housex.load_look(name="acid")
    scene.housex.colours["Bigroom"].character = "swell"
    assert bpy.ops.housex.save_look(filepath=str(tmp_path / "mine")) == {"FINISHED"}
    bpy.ops.housex.load_look(name="house")
    assert scene.housex.colours["Bigroom"].character == "slabs"
    assert bpy.ops.housex.load_look(filepath=str(tmp_path / "mine.housexlook.json")) == {"FINISHED"}
    assert scene.housex.colours["Bigroom"].character == "swell"
    assert scene.housex.camera == "restless"


def test_a_surprise_stays_a_surprise_in_the_panel(scene: Any) -> None:
    from housex_blender.core.variations import surprise
    from housex_blender.ui import show

    wanted = surprise(show.look_of(scene.housex), 12)
    assert bpy.ops.housex.surprise(seed=12) == {"FINISHED"}
    shown = show.look_of(scene.housex)
    assert (shown.camera, shown.characters) == (wanted.camera, wanted.characters)


def test_defaults_and_copies_take_the_manners_along(scene: Any) -> None:
    from housex_blender.ui import show
    from housex_blender.ui.defaults import apply_text, settings_text

    bpy.ops.housex.load_look(name="ember")
    scene.housex.palette = "ice"
    scene.housex.colours["Tech House"].character = "slabs"
    wanted, text = show.look_of(scene.housex), settings_text(scene.housex)
    for take in (lambda one: apply_text(one, text), lambda one: show.copy_settings(scene.housex, one)):
        other = bpy.data.scenes.new("Other").housex
        take(other)
        look = show.look_of(other)
        assert (look.camera, look.characters, look.palettes) == (wanted.camera, wanted.characters, wanted.palettes)
    # what another version wrote is left out, what it did not know yet is as always
    other = bpy.data.scenes.new("Other").housex
    apply_text(other, json.dumps({"camera": "drunk", "characters": {"Bigroom": "waves", "Deep House": "grid"}}))
    look = show.look_of(other)
    assert (look.camera, look.characters["Bigroom"], look.characters["Deep House"]) == ("smooth", "slabs", "grid")
    old = bpy.data.scenes.new("Old").housex
    apply_text(old, json.dumps({"palette": "OWN", "colours": {"Tech House": [[1, 0, 0], [0, 1, 0], [0, 0, 1]]}}))
    assert show.look_of(old).characters == DEFAULT_CHARACTERS


def test_baking_cuts_as_the_look_and_the_drop_say(own: Any) -> None:
    own.render.fps = 32
    own.housex.camera = "steady"
    assert bpy.ops.housex.bake() == {"FINISHED"}
    # sixteen bars of 1.875 s: six of intro, two of build-up, a drop
    assert cuts(own) == [(1, "Wide"), (361, "Low"), (481, "Wide")]
    own.housex.camera = "restless"
    assert bpy.ops.housex.bake() == {"FINISHED"}
    assert [frame for frame, _ in cuts(own)] == [1, 241, 361, 481, 841]
    own.timeline_markers["Wide"].frame += 7
    moved = (own.timeline_markers["Wide"].frame, "Wide")
    assert bpy.ops.housex.bake() == {"FINISHED"}
    assert moved in cuts(own), "what was moved by hand stays"


def test_the_panel_offers_what_can_be_built(scene: Any) -> None:
    from housex_blender.scene.build import SCENE_KINDS
    from housex_blender.ui.properties import HouseXSettings

    offered = HouseXSettings.bl_rna.properties["scene_kind"].enum_items.keys()
    assert set(offered) == set(SCENE_KINDS)
