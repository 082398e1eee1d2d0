"""Analyze, cancel and load, driven as a script drives them. Zone: tests."""

from __future__ import annotations

import os
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from ..processes import alive, wait_until

bpy = pytest.importorskip("bpy")


def test_analyze_fills_the_panel(scene, mix, engine) -> None:
    engine("ok")
    scene.housex.mix_path, scene.housex.build_when_done = str(mix), False
    assert bpy.ops.housex.analyze_mix() == {"FINISHED"}
    settings = scene.housex
    assert Path(settings.timeline_path) == mix.with_name("set one.housex.json")
    assert Path(settings.timeline_path).is_file()
    assert mix.with_name("set one.housex.npz").is_file()
    assert settings.summary.split("\n")[:2] == ["0:30, 128.0 BPM, 16 bars", "2 tracks, 1 drop"]
    assert "Future House  4" in settings.summary
    assert "Uncertain in 6% of the bars" in settings.summary
    assert settings.tracks.split("\n") == [
        "1  0:00  Future House\tFuture House: chords, light side-chain", "2  0:15  Bass House\t"]  # fmt: skip
    assert settings.warnings.split("\n") == ["The recording is quiet.", "The tempo drifts."]
    assert bpy.context.window_manager.housex.busy == "NONE"
    assert bpy.context.window_manager.housex.message == "Heard 16 bars"


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("error", "The file is silent. Choose another one."),
        ("killed", r"ended early \(exit code -9\).*memory ran out"),
        ("memory", r"exit code 1\): MemoryError If nobody ended it, memory ran out"),
        ("stranger", "speaks protocol 2, this version needs 1"),
        ("missing", "There is no"),
    ],
)
def test_a_failed_analysis_is_one_sentence(scene, mix, engine, mode, words) -> None:
    engine(mode)
    scene.housex.mix_path = str(mix)
    with pytest.raises(RuntimeError, match=words) as caught:
        bpy.ops.housex.analyze_mix()
    assert "Traceback" not in str(caught.value)
    status = bpy.context.window_manager.housex
    assert status.busy == "NONE"
    assert status.message_icon == "ERROR"
    assert status.message
    assert not scene.housex.timeline_path
    assert not list(mix.parent.glob("*.json"))


def test_a_truncated_result_is_refused(scene, mix, engine) -> None:
    engine("truncated")
    scene.housex.mix_path = str(mix)
    with pytest.raises(RuntimeError, match="cut off or is not JSON"):
        bpy.ops.housex.analyze_mix()
    assert not scene.housex.timeline_path
    assert bpy.context.window_manager.housex.busy == "NONE"


def test_a_failure_is_kept_for_a_report_without_private_paths(scene, mix, engine) -> None:
    from housex_blender.ui import error_dialog

    error_dialog.forget_error()
    engine("memory")
    scene.housex.mix_path = str(mix)
    with pytest.raises(RuntimeError):
        bpy.ops.housex.analyze_mix()
    kept = error_dialog.last_error()
    assert kept.context == "Analyze Mix"
    assert kept.details.splitlines() == ["Traceback", "MemoryError", "exit code 1"]
    report = kept.report()
    assert bpy.app.version_string in report
    assert str(mix.parent) not in report
    assert str(Path.home()) not in report


@pytest.mark.parametrize("saved", [False, True])
def test_a_mix_in_a_folder_that_cannot_be_written(scene, mix, engine, tmp_path, monkeypatch, saved) -> None:
    from housex_blender.ui import places

    locked, beside, own = mix.parent, tmp_path / "blend", tmp_path / "own"
    beside.mkdir()
    own.mkdir()
    real = os.access
    monkeypatch.setattr(os, "access", lambda path, mode, **more: Path(path) != locked and real(path, mode, **more))
    monkeypatch.setattr(places, "user_folder", lambda: own)
    if saved:
        bpy.ops.wm.save_as_mainfile(filepath=str(beside / "show.blend"))
    engine("ok")
    scene.housex.mix_path = str(mix)
    assert bpy.ops.housex.analyze_mix() == {"FINISHED"}
    found = Path(bpy.path.abspath(scene.housex.timeline_path)).resolve()
    assert found == (beside if saved else own) / "set one.housex.json"
    assert found.is_file()
    assert not list(locked.glob("*.json"))


def test_garbage_on_the_wire_does_no_harm(scene, mix, engine) -> None:
    engine("garbage")
    scene.housex.mix_path = str(mix)
    assert bpy.ops.housex.analyze_mix() == {"FINISHED"}


def test_a_missing_mix_and_a_useless_python_are_said(scene, mix, tmp_path, monkeypatch) -> None:
    scene.housex.mix_path = str(tmp_path / "gone.flac")
    with pytest.raises(RuntimeError, match="There is no file"):
        bpy.ops.housex.analyze_mix()
    scene.housex.mix_path = str(mix)
    monkeypatch.setenv("HOUSEX_PYTHON", str(tmp_path / "no-python"))
    with pytest.raises(RuntimeError, match="cannot be started"):
        bpy.ops.housex.analyze_mix()
    with pytest.raises(RuntimeError, match="cannot be started"):
        bpy.ops.housex.check_engine()


def test_greyed_buttons_say_why(scene) -> None:
    for name, words in (
        ("analyze_mix", "There is no mix"),
        ("build_show", "Analyze the mix first"),
        ("bake", "Build the show first"),
        ("render", "Build the show first"),
        ("cancel", "Nothing is running"),
    ):
        with pytest.raises(RuntimeError, match=words):
            getattr(bpy.ops.housex, name)()
    scene.housex.mix_path = "mix.flac"
    bpy.context.window_manager.housex.busy = "RENDER"
    try:
        with pytest.raises(RuntimeError, match="HouseX is at work"):
            bpy.ops.housex.analyze_mix()
    finally:
        bpy.context.window_manager.housex.busy = "NONE"


def test_load_timeline_and_a_damaged_one(scene, mix) -> None:
    from .ui_samples import sample_timeline

    path = mix.with_name("other.housex.json")
    sample_timeline(mix).save(path)
    assert bpy.ops.housex.load_timeline(filepath=str(path)) == {"FINISHED"}
    assert scene.housex.mix_path == str(mix), "the mix beside the timeline is found"
    path.write_text(path.read_text()[:500])
    with pytest.raises(RuntimeError, match="cut off or is not JSON"):
        bpy.ops.housex.load_timeline(filepath=str(path))
    assert scene.housex.summary, "a failed load leaves what was there"


def test_another_mix_forgets_the_old_timeline(scene, mix) -> None:
    scene.housex.mix_path, scene.housex.timeline_path, scene.housex.summary = str(mix), "x.housex.json", "y"
    scene.housex.tracks = "1  0:00  Bigroom\t"
    bpy.ops.housex.choose_mix(filepath=str(mix))
    assert scene.housex.summary == "y"
    with pytest.raises(RuntimeError, match="There is no file"):
        bpy.ops.housex.choose_mix(filepath=str(mix.with_name("two.flac")))
    assert scene.housex.summary == "y"
    mix.with_name("two.flac").write_bytes(b"fLaC")
    bpy.ops.housex.choose_mix(filepath=str(mix.with_name("two.flac")))
    assert not scene.housex.timeline_path
    assert not scene.housex.summary
    assert not scene.housex.tracks


# -- the modal operator without a window ------------------------------------------------------------------------


class Stand:
    """An analyze operator outside Blender's window loop: real session, real status, recorded reports."""

    def __new__(cls):
        from housex_blender.ui.job_operator import JobOperator
        from housex_blender.ui.operators_analyze import HOUSEX_OT_analyze_mix as real

        # what the button is made of, without what only Blender can make an object of
        base = next(cls for cls in real.__mro__[1:] if issubclass(cls, JobOperator))

        class Operator(base):
            busy = "ANALYSIS"
            begin, succeed = real.begin, real.succeed

            def report(self, kind, text):
                self.said = (kind, text)

        return Operator()


def event(kind: str = "TIMER") -> SimpleNamespace:
    return SimpleNamespace(type=kind, value="PRESS")


def drive(operator, until) -> str:
    """Send timer events until the status satisfies ``until`` or the operator ends."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        answer = operator.modal(bpy.context, event())
        if answer & {"FINISHED", "CANCELLED"} or until(bpy.context.window_manager.housex):
            return next(iter(answer))
        time.sleep(0.03)
    raise AssertionError("waited too long")


def test_a_mute_engine_is_waited_for_until_cancelled(scene, mix, engine) -> None:
    engine("mute")
    scene.housex.mix_path = str(mix)
    operator = Stand()
    assert operator._start(bpy.context)
    wait_until(lambda: (operator.modal(bpy.context, event()), operator._session.pid)[1])
    for _ in range(20):
        assert operator.modal(bpy.context, event()) == {"PASS_THROUGH"}
    pid = operator._session.pid
    operator.modal(bpy.context, event("ESC"))
    assert drive(operator, lambda status: False) == "CANCELLED"
    assert not alive(pid)


@pytest.mark.parametrize("what", ["undo", "scene", "file"])
def test_the_file_changes_under_a_running_analysis(scene, mix, engine, what) -> None:
    engine("ok1.0")
    scene.housex.mix_path = str(mix)
    bpy.ops.ed.undo_push(message="Choose Mix")
    bpy.context.scene.render.fps = 30
    bpy.ops.ed.undo_push(message="Frame Rate")
    operator = Stand()
    assert operator._start(bpy.context)
    drive(operator, lambda status: status.stage == "Listening")
    if what == "undo":
        bpy.ops.ed.undo()
        assert bpy.context.scene.render.fps == 24
    elif what == "scene":
        other = bpy.data.scenes.new("Other")
        bpy.data.scenes.remove(scene)
        assert bpy.context.scene == other
    else:
        # in the window Blender calls cancel() here; without it the operator must still end well
        bpy.ops.wm.read_factory_settings(use_empty=True)
        bpy.context.scene.name = "Another"
    end = drive(operator, lambda status: False)
    assert bpy.context.window_manager.housex.busy == "NONE"
    if what == "undo":
        assert end == "FINISHED"
        assert bpy.context.scene.housex.summary
    else:
        assert end == "CANCELLED"
        assert "scene" in operator.said[1]


def test_a_fault_of_ours_leaves_no_busy_panel(scene, mix, engine, monkeypatch) -> None:
    engine("hang")
    scene.housex.mix_path = str(mix)
    operator = Stand()
    assert operator._start(bpy.context)
    drive(operator, lambda status: status.stage == "Listening")
    pid = operator._session.pid
    monkeypatch.setattr(operator._session, "tick", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        operator.modal(bpy.context, event())
    assert bpy.context.window_manager.housex.busy == "NONE"
    assert not alive(pid)


def test_a_timer_whose_window_is_gone_does_no_harm(scene, mix, engine) -> None:
    engine("hang")
    scene.housex.mix_path = str(mix)
    operator = Stand()
    assert operator._start(bpy.context)
    gone = bpy.data.scenes.new("gone")
    operator._timer = gone
    bpy.data.scenes.remove(gone)
    operator.cancel(bpy.context)
    assert operator._timer is None
    assert bpy.context.window_manager.housex.busy == "NONE"


@pytest.mark.parametrize("mode", ["hang", "deaf"])
@pytest.mark.parametrize("way", ["ESC", "button", "other file"])
def test_cancel_leaves_no_process(scene, mix, engine, mode, way) -> None:
    engine(mode)
    scene.housex.mix_path = str(mix)
    operator = Stand()
    assert operator._start(bpy.context)
    drive(operator, lambda status: status.stage == "Listening")
    pid = operator._session.pid
    assert alive(pid)
    if way == "other file":
        operator.cancel(bpy.context)
    else:
        if way == "ESC":
            operator.modal(bpy.context, event("ESC"))
        else:
            assert bpy.ops.housex.cancel() == {"FINISHED"}
            operator.modal(bpy.context, event())
        if mode == "deaf":
            assert alive(pid), "the window does not wait for a child that does not listen"
        assert drive(operator, lambda status: False) == "CANCELLED"
        assert operator.said == ({"INFO"}, "Cancelled.")
    wait_until(lambda: not alive(pid))
    assert bpy.context.window_manager.housex.busy == "NONE"
    assert not list(mix.parent.glob("*.json"))


def test_progress_and_time_left_are_shown(scene, mix, engine) -> None:
    engine("ok2.0")
    scene.housex.mix_path = str(mix)
    operator, seen = Stand(), []
    assert operator._start(bpy.context)
    assert drive(operator, lambda s: seen.append((s.stage, s.fraction, s.time_left)) or False) == "FINISHED"
    stages = list(dict.fromkeys(stage for stage, _, _ in seen))
    assert stages[0] == "Starting the analysis"
    assert "Listening" in stages
    fractions = [fraction for stage, fraction, _ in seen if stage == "Listening" and fraction >= 0]
    assert fractions == sorted(fractions)
    assert len(set(fractions)) > 5
    assert any("left" in text for _, _, text in seen)


def test_the_end_of_the_extension_ends_the_job(scene, mix, engine) -> None:
    import housex_blender

    engine("hang")
    scene.housex.mix_path = str(mix)
    operator = Stand()
    assert operator._start(bpy.context)
    drive(operator, lambda status: status.stage == "Listening")
    pid = operator._session.pid
    housex_blender.unregister()
    try:
        assert not alive(pid)
    finally:
        housex_blender.register()
