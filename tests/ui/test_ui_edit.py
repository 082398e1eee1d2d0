"""Corrections of the grid from the panel: what is in the file after each button. Zone: tests."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from housex_blender.core.edits import with_edits
from housex_blender.core.timeline import Timeline

from .ui_samples import sample_timeline

bpy = pytest.importorskip("bpy")


@pytest.fixture
def heard(scene, loaded) -> Path:
    """A loaded timeline: 16 bars of 1.875 s at 128 BPM."""
    scene.render.fps, scene.render.fps_base = 24, 1.0
    bpy.context.window_manager.housex.taps = ""
    return loaded


def edits(path: Path) -> tuple[dict, ...]:
    return Timeline.load(path).edits


def test_buttons_write_edits_from_the_current_frame_on(heard, scene) -> None:
    scene.frame_current = 1 + 24 * 4
    assert bpy.ops.housex.correct_grid(op="halve") == {"FINISHED"}
    assert edits(heard) == ({"what": "grid", "op": "halve", "from_s": 4.0},)
    assert scene.housex.edits == 1
    assert "16 bars" not in scene.housex.summary.split("\n")[0]
    assert bpy.ops.housex.undo_edit() == {"FINISHED"}
    assert edits(heard) == ()
    assert "128.0 BPM, 16 bars" in scene.housex.summary
    before = Timeline.load(heard).grid.starts_s
    bpy.ops.housex.correct_grid(op="nudge", beats=-0.5)
    bpy.ops.housex.correct_grid(op="nudge", beats=-0.5)
    assert edits(heard)[0]["value"] == -1.0
    after = with_edits(Timeline.load(heard)).grid.starts_s
    assert after[3] == pytest.approx(before[3] - 60 / 128, abs=1e-4)
    assert after[2] == pytest.approx(before[2], abs=1e-4)
    assert bpy.ops.housex.clear_grid_edits() == {"FINISHED"}
    assert edits(heard) == ()
    with pytest.raises(RuntimeError, match="Nothing was changed by hand"):
        bpy.ops.housex.undo_edit()


def test_taps_while_it_plays(heard, scene) -> None:
    status = bpy.context.window_manager.housex
    for beat in range(8):  # 120 BPM is 12 frames
        scene.frame_current = 25 + 12 * beat
        assert bpy.ops.housex.tap() == {"FINISHED"}
    assert status.taps_line == "8 taps, 120.0 BPM"
    assert bpy.ops.housex.tap() == {"CANCELLED"}, "the same frame again is no tap"
    assert bpy.ops.housex.use_taps() == {"FINISHED"}
    grid = with_edits(Timeline.load(heard)).grid
    assert grid.bpm[-2] == pytest.approx(120.0)
    assert np.abs(grid.starts_s - (1.0 + 0.5 / 24)).min() < 1e-4
    assert status.taps == ""
    with pytest.raises(RuntimeError, match="tap on its beats"):
        bpy.ops.housex.use_taps()


def test_taps_after_a_pause_count_anew(heard, scene) -> None:
    for frame in (1, 13, 400):
        scene.frame_current = frame
        bpy.ops.housex.tap()
    assert bpy.context.window_manager.housex.taps_line == "1 tap"


def test_buttons_without_anything_to_take_back_are_grey(heard, scene) -> None:
    assert not bpy.ops.housex.undo_edit.poll()
    assert not bpy.ops.housex.clear_grid_edits.poll()
    assert not bpy.ops.housex.use_taps.poll()
    bpy.ops.housex.tap()
    assert bpy.ops.housex.use_taps.poll()
    assert bpy.ops.housex.clear_grid_edits.poll(), "it forgets the taps"


def test_what_a_button_did_is_said_below_the_buttons(heard, scene) -> None:
    scene.frame_current = 1 + 24 * 4
    bpy.ops.housex.correct_grid(op="nudge", beats=0.5)
    status = bpy.context.window_manager.housex
    assert (status.message_panel, status.message) == ("GRID", "Nudged by +0.5 beats from 0:04 on")


def test_a_correction_that_fails_changes_nothing(heard, scene) -> None:
    kept = heard.read_bytes()
    scene.frame_current = 5000
    with pytest.raises(RuntimeError, match="No bar begins after"):
        bpy.ops.housex.correct_grid(op="double")
    assert heard.read_bytes() == kept
    assert bpy.context.window_manager.housex.message_icon == "ERROR"


def test_doubt_about_the_beat_is_shown_until_it_is_corrected(heard, scene, mix) -> None:
    doubtful = replace(sample_timeline(mix), grid_confidence=0.1, grid_message="The beat is hard to hear.",
                       warnings=("The beat is hard to hear.", "The recording is quiet."))  # fmt: skip
    doubtful.save(heard)
    bpy.ops.housex.load_timeline(filepath=str(heard))
    assert scene.housex.grid_note == "Beat: unsure – The beat is hard to hear."
    assert scene.housex.warnings == "The recording is quiet.", "it is said once"
    assert bpy.context.window_manager.housex.message.startswith("Loaded ")
    replace(doubtful, grid_source="ruler").save(heard)
    bpy.ops.housex.load_timeline(filepath=str(heard))
    assert bpy.context.window_manager.housex.message.startswith("No beat was heard: ")
    bpy.ops.housex.correct_grid(op="nudge", beats=1.0)
    assert scene.housex.grid_note == ""


def test_a_known_tempo_goes_to_the_analysis(scene, mix, engine, monkeypatch) -> None:
    from housex_blender.ui import operators_analyze

    seen: list[str] = []
    real = operators_analyze.AnalysisJob
    monkeypatch.setattr(
        operators_analyze, "AnalysisJob", lambda arguments, **more: seen.extend(arguments) or real(arguments, **more)
    )
    engine("ok")
    scene.housex.mix_path, scene.housex.bpm = str(mix), 174.5
    assert bpy.ops.housex.analyze_mix() == {"FINISHED"}
    assert "--bpm=174.5" in seen
    scene.housex.bpm = 12.0
    assert scene.housex.bpm == 0.0, "no music is that slow"
