"""Bars, locks and track changes corrected from the panel; undo reaches the timeline file. Zone: tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from housex_blender.core.edits import conflicts, locked_bars, with_edits
from housex_blender.core.timeline import Timeline

bpy = pytest.importorskip("bpy")


@pytest.fixture
def heard(scene, loaded) -> Path:
    """16 bars of 1.875 s, the second half another track; 24 frames a second."""
    scene.render.fps, scene.render.fps_base = 24, 1.0
    return loaded


def labels(path: Path) -> list[str]:
    return with_edits(Timeline.load(path)).labels


def test_selected_bars_take_a_genre_and_give_it_back(heard, scene) -> None:
    before = labels(heard)
    scene.housex.select_first, scene.housex.select_last = 3, 5
    assert bpy.ops.housex.set_genre(genre="Slap House") == {"FINISHED"}
    assert labels(heard) == [*before[:2], *["Slap House"] * 3, *before[5:]]
    assert "Slap House  " in scene.housex.summary, "the panel says it too"
    scene.housex.select_first, scene.housex.select_last = 4, 4
    assert bpy.ops.housex.clear_bars() == {"FINISHED"}
    assert labels(heard) == [*before[:2], "Slap House", before[3], "Slap House", *before[5:]]


def test_without_a_selection_the_current_bar_is_meant(heard, scene) -> None:
    # bar 3 begins at 3.75 s, on frame 91
    scene.frame_set(91)
    bpy.ops.housex.set_section(section="outro")
    assert [i for i, name in enumerate(with_edits(Timeline.load(heard)).section) if name == "outro"] == [2]


def test_locked_bars_stay_as_they_are(heard, scene) -> None:
    scene.housex.select_first, scene.housex.select_last = 2, 3
    assert bpy.ops.housex.lock_bars() == {"FINISHED"}
    assert np.flatnonzero(locked_bars(Timeline.load(heard))).tolist() == [1, 2]
    scene.housex.select_first, scene.housex.select_last = 1, 4
    before = labels(heard)
    bpy.ops.housex.set_genre(genre="Bigroom")
    assert labels(heard)[:4] == ["Bigroom", before[1], before[2], "Bigroom"]
    assert bpy.ops.housex.unlock_bars() == {"FINISHED"}
    assert not locked_bars(Timeline.load(heard)).any()
    assert bpy.ops.housex.unlock_bars() == {"CANCELLED"}


def test_the_way_to_doubtful_bars(heard, scene) -> None:
    doubtful = np.flatnonzero(Timeline.load(heard).uncertain)
    assert len(doubtful) == 1, "the sample has one"
    assert bpy.ops.housex.next_doubtful() == {"FINISHED"}
    first = int(doubtful[0])
    assert scene.frame_current == round(first * 1.875 * 24) + 1
    assert (scene.housex.select_first, scene.housex.select_last) == (first + 1, first + 1)
    bpy.ops.housex.set_genre(genre="Tech House")
    assert bpy.ops.housex.next_doubtful() == {"CANCELLED"}, "somebody said what it is"


def test_track_changes_move_split_and_join(heard, scene) -> None:
    def starts() -> list[int]:
        return [track.start_bar for track in with_edits(Timeline.load(heard)).tracks]

    assert starts() == [0, 8]
    assert bpy.ops.housex.move_track(number=2, to_bar=7) == {"FINISHED"}
    assert starts() == [0, 6]
    scene.frame_set(round(10 * 1.875 * 24) + 1)
    bpy.ops.housex.move_track()
    assert starts() == [0, 10], "the nearest change, to the current bar"
    scene.frame_set(round(4 * 1.875 * 24) + 1)
    bpy.ops.housex.split_track()
    assert starts() == [0, 4, 10]
    bpy.ops.housex.join_track()
    assert starts() == [0, 10]
    with pytest.raises(RuntimeError, match="Choose a bar from"):
        bpy.ops.housex.move_track(number=2, to_bar=1)


def test_selecting_by_what_is_heard(heard, scene) -> None:
    scene.frame_set(round(9 * 1.875 * 24) + 1)
    for what, wanted in (("track", (9, 16)), ("rest", (10, 16)), ("all", (1, 16)), ("none", (0, 0))):
        bpy.ops.housex.select_bars(what=what)
        assert (scene.housex.select_first, scene.housex.select_last) == wanted, what


def test_undo_and_redo_reach_the_file(heard, scene) -> None:
    """Every correction is one step."""
    bpy.context.preferences.edit.use_global_undo = True
    bpy.ops.ed.undo_push(message="before")
    scene.housex.select_first, scene.housex.select_last = 1, 2
    bpy.ops.ed.undo_push(message="selected")
    bpy.ops.housex.set_genre("EXEC_DEFAULT", True, genre="Deep House")
    bpy.ops.housex.correct_grid("EXEC_DEFAULT", True, op="nudge", beats=1.0)
    assert [edit["what"] for edit in Timeline.load(heard).edits] == ["genre", "grid"]
    bpy.ops.ed.undo()
    assert [edit["what"] for edit in Timeline.load(heard).edits] == ["genre"]
    bpy.ops.ed.undo()
    assert Timeline.load(heard).edits == ()
    bpy.ops.ed.redo()
    assert [edit["what"] for edit in Timeline.load(heard).edits] == ["genre"]
    assert labels(heard)[:2] == ["Deep House"] * 2


def test_undo_takes_a_whole_analysis_back(heard, scene) -> None:
    """What was heard before stands in the file again, levels included."""
    from dataclasses import replace

    bpy.context.preferences.edit.use_global_undo = True
    bpy.ops.ed.undo_push(message="before")
    first = Timeline.load(heard)
    other = replace(first, probs=np.roll(first.probs, 1, axis=1),
                    envelopes=replace(first.envelopes, values=first.envelopes.values / 2))  # fmt: skip
    other.save(heard)
    bpy.ops.housex.load_timeline("EXEC_DEFAULT", True, filepath=str(heard))
    assert labels(heard)[0] != first.labels[0]
    bpy.ops.ed.undo()
    again = Timeline.load(heard)
    assert again.labels == first.labels
    assert np.allclose(again.envelopes.values, first.envelopes.values)
    bpy.ops.ed.redo()
    assert labels(heard)[0] == other.labels[0]


def test_a_correction_shows_at_once(heard, scene) -> None:
    from housex_blender.scene import compat

    bpy.ops.housex.build_show()
    curves = compat.fcurves_of(scene.objects["HX Show"], create=False)
    curve = curves.find('["p_slap_house"]')
    assert curve.evaluate(20) < 0.1
    scene.housex.select_first, scene.housex.select_last = 1, 2
    bpy.ops.housex.set_genre(genre="Slap House")
    assert compat.fcurves_of(scene.objects["HX Show"], create=False).find('["p_slap_house"]').evaluate(20) == 1.0
    scene.housex.bake_at_once = False
    bpy.ops.housex.clear_bars()
    assert compat.fcurves_of(scene.objects["HX Show"], create=False).find('["p_slap_house"]').evaluate(20) == 1.0
    assert "Bake shows it" in bpy.context.window_manager.housex.message
    bpy.ops.housex.bake()
    assert compat.fcurves_of(scene.objects["HX Show"], create=False).find('["p_slap_house"]').evaluate(20) < 0.1


def test_corrections_survive_a_new_analysis(heard, scene, engine) -> None:
    """The stand-in writes the timeline as a first analysis would; the real one keeps edits (tests of the worker)."""
    scene.housex.select_first, scene.housex.select_last = 1, 2
    bpy.ops.housex.set_genre(genre="Slap House")
    timeline = Timeline.load(heard)
    assert conflicts(timeline) == []
    from dataclasses import replace

    other = replace(timeline, model=replace(timeline.model, genres=tuple(g + " 2" for g in timeline.model.genres)))
    other.save(heard)
    assert bpy.ops.housex.load_timeline(filepath=str(heard)) == {"FINISHED"}
    assert "genre edit at 0:00 is not applied" in scene.housex.conflicts
    assert scene.housex.edits == 1, "it is kept, and listed"


def test_a_linked_scene_is_left_alone(heard, scene, tmp_path) -> None:
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "library.blend"))
    name = scene.name
    bpy.ops.wm.read_factory_settings(use_empty=True)
    with bpy.data.libraries.load(str(tmp_path / "library.blend"), link=True) as (_there, here):
        here.scenes = [name]
    linked = next(one for one in bpy.data.scenes if one.library is not None)
    with bpy.context.temp_override(scene=linked):
        for operator in ("set_genre", "build_show", "bake", "analyze_mix", "surprise", "load_timeline"):
            assert not getattr(bpy.ops.housex, operator).poll(), operator
