"""Looks, files of other programs, a mix that moved, saved .blends. Zone: tests."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from housex_blender.core.looks import hex_to_linear, load_look, load_palettes
from housex_blender.core.timeline import Timeline

bpy = pytest.importorskip("bpy")

# black, white and purple, in the order of the shipped palette
BASS = [hex_to_linear(text) for text in load_palettes("house").colours["Bass House"]]


@pytest.fixture
def heard(scene, loaded) -> Path:
    """A loaded timeline."""
    scene.render.fps, scene.render.fps_base = 24, 1.0
    scene.housex.quality = "draft"
    return loaded


def test_pickers_show_the_palette_and_make_one(heard, scene) -> None:
    from housex_blender.ui import show

    settings = scene.housex
    row = settings.colours["Bass House"]
    assert np.allclose([row.colour_a, row.colour_b, row.colour_c], BASS, atol=1e-5)
    settings.palette = "clear"
    assert settings.palette == "clear", "filling in the pickers is no change by hand"
    settings.palette = "house"
    row.colour_b = (0.0, 1.0, 0.0)
    assert settings.palette == "OWN"
    assert show.look_of(settings).palettes.colours["Bass House"][1] == "#00ff00"
    settings.palette = "house"
    assert np.allclose(row.colour_b, BASS[1], atol=1e-5)


def test_a_look_goes_to_a_file_and_comes_back(heard, scene, tmp_path) -> None:
    settings = scene.housex
    settings.colours["Deep House"].colour_a = hex_to_linear("#123456")
    settings.intensity, settings.release_ms = 0.625, 400.0
    assert bpy.ops.housex.save_look(filepath=str(tmp_path / "mine")) == {"FINISHED"}
    saved = next(tmp_path.glob("mine*.json"))
    assert load_look(str(saved)).palettes.colours["Deep House"][0] == "#123456"
    settings.palette, settings.intensity, settings.release_ms = "house", 1.0, 180.0
    assert bpy.ops.housex.load_look(filepath=str(saved)) == {"FINISHED"}
    assert (settings.intensity, settings.release_ms) == (0.625, 400.0)
    assert np.allclose(settings.colours["Deep House"].colour_a, hex_to_linear("#123456"), atol=1e-4)
    saved.write_text("{}")
    with pytest.raises(RuntimeError, match=saved.name):
        bpy.ops.housex.load_look(filepath=str(saved))
    assert settings.intensity == 0.625


def test_surprise_is_the_same_for_the_same_seed(heard, scene) -> None:
    def values() -> list[float]:
        colours = [getattr(row, f"colour_{slot}")[:] for row in scene.housex.colours for slot in "abc"]
        return [*np.ravel(colours), scene.housex.speed, scene.housex.intensity, scene.housex.seed]

    bpy.ops.housex.load_look(name="house")
    bpy.ops.housex.surprise(seed=7)
    first = values()
    bpy.ops.housex.load_look(name="house")
    bpy.ops.housex.surprise(seed=8)
    other = values()
    bpy.ops.housex.load_look(name="house")
    bpy.ops.housex.surprise(seed=7)
    assert values() == pytest.approx(first)
    assert not np.allclose(other, first)


def test_timing_is_exported_with_the_corrections(heard, scene, mix, tmp_path) -> None:
    scene.housex.select_first, scene.housex.select_last = 1, 1
    bpy.ops.housex.set_genre(genre="Slap House")
    table = tmp_path / "bars.csv"
    assert bpy.ops.housex.export_timing(kind="csv", filepath=str(table)) == {"FINISHED"}
    lines = table.read_text().splitlines()
    assert "Slap House" in lines[1]
    assert "Slap House" not in ",".join(cell for cell in lines[2].split(",") if "House" in cell)
    for taken in (heard, heard.with_suffix(".npz"), mix):
        with pytest.raises(RuntimeError, match=f"overwrite {taken.name}"):
            bpy.ops.housex.export_timing(kind="csv", filepath=str(taken))
    assert Timeline.load(heard)


def test_import_asks_the_analysis(heard, scene, engine, tmp_path, monkeypatch) -> None:
    from housex_blender.ui import operators_analyze

    seen: list[str] = []
    real = operators_analyze.AnalysisJob
    monkeypatch.setattr(
        operators_analyze, "AnalysisJob", lambda arguments, **more: seen.extend(arguments) or real(arguments, **more)
    )
    engine("ok")
    cue = tmp_path / "set.cue"
    cue.write_text('FILE "set one.wav" WAVE\n  TRACK 01 AUDIO\n    INDEX 01 00:00:00\n')
    assert bpy.ops.housex.import_timing(filepath=str(cue)) == {"FINISHED"}
    assert seen[seen.index("--import") + 1] == str(cue)
    assert seen[seen.index("-o") + 1] == str(heard)
    with pytest.raises(RuntimeError, match="There is no file"):
        bpy.ops.housex.import_timing(filepath=str(tmp_path / "none.cue"))


def test_a_mix_that_moved_is_found_again(heard, scene, mix, tmp_path) -> None:
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "show.blend"))
    other = tmp_path / "elsewhere" / "renamed.wav"
    other.parent.mkdir()
    mix.rename(other)
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "show.blend"))
    settings = bpy.context.scene.housex
    assert settings.mix_problem == "The mix set one.wav is not where it was."
    wrong = tmp_path / "wrong.wav"
    wrong.write_bytes(other.read_bytes() + b"\0\0")
    with pytest.raises(RuntimeError, match="belongs to another mix"):
        bpy.ops.housex.find_mix(filepath=str(wrong))
    assert settings.mix_problem
    assert bpy.ops.housex.find_mix(filepath=str(other)) == {"FINISHED"}
    assert settings.mix_problem == ""
    assert Path(bpy.path.abspath(settings.mix_path)).resolve() == other


def test_paths_are_relative_and_follow_the_file(heard, scene, mix, tmp_path) -> None:
    bpy.context.preferences.filepaths.use_relative_paths = True
    first, second = tmp_path / "a" / "show.blend", tmp_path / "b" / "c" / "show.blend"
    first.parent.mkdir()
    second.parent.mkdir(parents=True)
    bpy.ops.wm.save_as_mainfile(filepath=str(first))
    bpy.ops.housex.load_timeline(filepath=str(heard))
    settings = bpy.context.scene.housex
    assert settings.timeline_path.startswith("//")
    bpy.ops.wm.save_as_mainfile(filepath=str(second), copy=True)
    assert Path(bpy.path.abspath(settings.timeline_path)).resolve() == heard, "a copy changes nothing here"
    bpy.ops.wm.save_as_mainfile(filepath=str(second))
    assert Path(bpy.path.abspath(settings.timeline_path)).resolve() == heard
    bpy.ops.wm.save_as_mainfile(filepath=str(first))
    # everything goes to another place together
    moved = tmp_path.with_name(tmp_path.name + " moved")
    shutil.copytree(tmp_path, moved)
    for file in (moved / "a" / "show.blend", moved / "b" / "c" / "show.blend"):
        bpy.ops.wm.open_mainfile(filepath=str(file))
        settings = bpy.context.scene.housex
        assert Path(bpy.path.abspath(settings.timeline_path)).resolve() == moved / heard.name
        assert settings.mix_problem == ""


def test_a_timeline_that_is_gone_is_said_on_opening(heard, scene, tmp_path) -> None:
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "show.blend"))
    heard.unlink()
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "show.blend"))
    assert "set one.housex.json" in bpy.context.scene.housex.timeline_problem
    assert not bpy.ops.housex.set_genre.poll()


def test_a_file_made_without_the_panel_names_its_scene(heard, scene, tmp_path) -> None:
    from housex_blender.core.timeline import Timeline
    from housex_blender.ui import show

    for chosen, wanted in (("", "lagoon"), ("tunnel", "tunnel")):
        scene = bpy.context.scene
        scene.housex.scene_kind = "lagoon"
        show.write_show(scene, Timeline.load(heard))
        scene.housex.property_unset("scene_kind")
        if chosen:
            scene.housex.scene_kind = chosen
        blend = str(tmp_path / f"made{chosen}.blend")
        bpy.ops.wm.save_as_mainfile(filepath=blend)
        bpy.ops.wm.open_mainfile(filepath=blend)
        assert bpy.context.scene.housex.scene_kind == wanted
    bpy.ops.wm.read_factory_settings(use_empty=True)


def test_the_mix_comes_from_a_strip(scene, mix) -> None:
    assert not bpy.ops.housex.mix_from_strip.poll()
    if not bpy.app.build_options.audaspace:
        pytest.skip("this Blender reads no sound")
    from housex_blender.scene import compat

    editor = scene.sequence_editor_create()
    strip = compat.strips_of(editor).new_sound(name="Set", filepath=str(mix), channel=1, frame_start=1)
    editor.active_strip = strip
    assert bpy.ops.housex.mix_from_strip() == {"FINISHED"}
    assert Path(bpy.path.abspath(scene.housex.mix_path)) == mix


def test_edits_in_the_file_win_over_an_older_blend(heard, scene, tmp_path) -> None:
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "old.blend"))
    scene.housex.select_first = scene.housex.select_last = 1
    bpy.ops.housex.set_genre(genre="Slap House")
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "old.blend"))
    settings = bpy.context.scene.housex
    assert [edit["value"] for edit in Timeline.load(heard).edits] == ["Slap House"]
    settings.select_first = settings.select_last = 2
    bpy.ops.housex.set_genre(genre="Bigroom")
    assert [edit["value"] for edit in Timeline.load(heard).edits] == ["Slap House", "Bigroom"]


def test_defaults_for_new_scenes(heard, scene) -> None:
    from housex_blender.ui.defaults import apply_text, settings_text

    settings = scene.housex
    settings.colours["Slap House"].colour_c = (0.25, 0.5, 0.75)
    settings.intensity, settings.engine, settings.build_when_done = 1.5, "eevee", False
    text = settings_text(settings)
    fresh = bpy.data.scenes.new("Fresh").housex
    apply_text(fresh, text)
    assert (fresh.palette, fresh.intensity, fresh.engine, fresh.build_when_done) == ("OWN", 1.5, "eevee", False)
    assert fresh.colours["Slap House"].colour_c[:] == (0.25, 0.5, 0.75)
    assert fresh.timeline_path == "", "a mix is no default"
    # what another version wrote and this one does not know
    apply_text(fresh, json.dumps({"engine": "hologram", "colour_of_smoke": 3, "speed": 2.0, "timeline_path": "x"}))
    assert (fresh.engine, fresh.speed, fresh.timeline_path) == ("eevee", 2.0, "")


def test_drawing_touches_no_file(heard, scene, monkeypatch) -> None:
    """Whatever is drawn comes from memory."""
    import builtins
    import hashlib
    import io
    import os
    from types import SimpleNamespace

    from housex_blender.ui import panels, panels_show

    from .test_ui_show import Layout

    bpy.ops.housex.build_show()
    window = SimpleNamespace(scene=scene, window_manager=bpy.context.window_manager, region=None,
                             preferences=bpy.context.preferences)  # fmt: skip

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a file was touched while drawing")

    drawn = (*panels.CLASSES, *panels_show.CLASSES)
    with monkeypatch.context() as patch:
        for owner, name in ((builtins, "open"), (io, "open"), (os, "stat"), (os, "listdir"), (os, "scandir"),
                            (os, "access"), (hashlib, "sha256")):  # fmt: skip
            patch.setattr(owner, name, refuse)
        for panel in drawn:
            panel.draw(SimpleNamespace(layout=Layout()), window)
    assert len(drawn) == 18
