"""The engine's page in the preferences: check, set up, remove, and what is said when it goes wrong. Zone: tests."""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from ..core.test_engine_setup import FOLDER_NAME, make_wheel, users_of

bpy = pytest.importorskip("bpy")

from housex_blender.core.engine_setup import PACKAGES, TORCH, TORCH_INDEXES, python_of  # noqa: E402
from housex_blender.core.errors import WorkerError  # noqa: E402
from housex_blender.ui import error_dialog, operators_engine, preferences, session  # noqa: E402
from housex_blender.ui.engine import SetupJob, size_bytes, table_of  # noqa: E402
from housex_blender.ui.engine_settings import EngineSettings  # noqa: E402
from housex_blender.ui.operators_engine import EnginePage, page  # noqa: E402


@pytest.fixture(autouse=True)
def fresh(scene, tmp_path, monkeypatch):
    """An empty page, a user folder of our own and preferences that can be changed."""
    user = tmp_path / "user"
    user.mkdir()
    stored = SimpleNamespace(python="", device="auto", model="", torch="auto")
    monkeypatch.setattr(operators_engine, "user_folder", lambda create=True: user)
    monkeypatch.setattr(operators_engine, "stored_preferences", lambda context: stored)
    monkeypatch.setattr(operators_engine, "engine_settings", lambda context: EngineSettings(**vars(stored)))
    monkeypatch.setattr(operators_engine, "why_offline", lambda: "")
    monkeypatch.setattr(operators_engine, "_SPACE_BYTES", 0)
    error_dialog.forget_error()
    vars(page).update(vars(EnginePage()))
    yield stored
    if page.session is not None:
        page.session.close()
    vars(page).update(vars(EnginePage()))


def start_and_tick(operator, until) -> None:
    """What the timer does in a window."""
    page.session = operator.begin(bpy.context)
    ticker = page.session
    end = time.monotonic() + 30
    while operators_engine._tick(ticker, operator) is not None:
        assert time.monotonic() < end, "waited too long"
        if until(ticker):
            return
        time.sleep(0.03)


class Layout:
    """Keeps what is drawn into it."""

    def __init__(self, drawn: list[str] | None = None) -> None:
        self.drawn = [] if drawn is None else drawn

    def __getattr__(self, name: str):
        def call(*arguments, **more):
            self.drawn.append(
                " ".join([name, *map(str, arguments), *(str(more[key]) for key in ("text",) if key in more)])
            )
            return Layout(self.drawn)

        return call


def drawn() -> str:
    layout = Layout()
    operators_engine.draw_engine_page(layout, bpy.context)
    return "\n".join(layout.drawn)


# -- check ------------------------------------------------------------------------------------------------------


def test_a_check_leaves_a_table(engine) -> None:
    engine("ok")
    assert bpy.ops.housex.check_engine() == {"FINISHED"}
    assert page.table == [
        ("Python", "3.13.1"),
        ("ONNX Runtime", "1.31.1 (CUDA, CPU)"),
        ("torch", "2.13.0"),
        ("Model", "bars 1.0"),
        ("Runs on", "torch on NVIDIA H100"),
        ("Network", "an hour of mix in about 0.03 s (torch on NVIDIA H100)"),
        ("Network", "an hour of mix in about 0.6 s (ONNX Runtime on cpu)"),
    ]
    assert page.message == "Ready: Python 3.13.1, ONNX Runtime 1.31.1 (CUDA, CPU)"
    assert "label NVIDIA" not in drawn()
    assert "torch on NVIDIA H100" in drawn()


def test_a_real_engine_is_timed(monkeypatch) -> None:
    monkeypatch.setenv("HOUSEX_PYTHON", sys.executable)
    assert bpy.ops.housex.check_engine() == {"FINISHED"}
    table = dict(page.table)
    assert table["Python"] == sys.version.split()[0]
    assert "CPU" in table["ONNX Runtime"]
    assert table["Network"].startswith("an hour of mix in about ")


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("killed", r"The check ended early \(exit code -9\).*memory ran out"),
        ("memory", r"The check ended early \(exit code 1\): MemoryError"),
        ("stranger", "The check speaks protocol 2"),
        ("nothing", "said nothing of use"),
    ],
)
def test_a_failed_check_is_one_sentence(engine, mode, words) -> None:
    page.table = [("Python", "of an earlier check")]
    engine(mode)
    with pytest.raises(RuntimeError, match=words):
        bpy.ops.housex.check_engine()
    assert page.session is None
    assert page.table == [], "what an earlier check found no longer holds"
    assert page.icon == "ERROR"
    assert error_dialog.last_error().context == "Check Engine"
    assert "housex.copy_error" in drawn()


def test_a_table_of_garbage_is_harmless(engine) -> None:
    engine("garbage")
    assert bpy.ops.housex.check_engine() == {"FINISHED"}
    assert all(len(value) < 200 and "\n" not in value for _name, value in page.table)
    assert "Network" not in dict(page.table)
    assert (
        table_of({"python": "3", "hour_s": {"a": float("nan"), "b": -1, "c": None, "d": 12.3}})[-1][1]
        == "an hour of mix in about 12 s (d)"
    )


def test_a_wrong_model_folder_is_said(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("HOUSEX_PYTHON", sys.executable)
    for model, words in ((tmp_path / "none", "There is no model in"), (tmp_path, "There is no model in")):
        monkeypatch.setattr(operators_engine, "engine_settings", lambda context, m=model: EngineSettings(model=str(m)))
        with pytest.raises(RuntimeError, match=words):
            bpy.ops.housex.check_engine()
    shutil.copy(Path(error_dialog.__file__).parents[1] / "models" / "default" / "card.json", tmp_path)
    with pytest.raises(RuntimeError, match=r"has no model\.onnx"):
        bpy.ops.housex.check_engine()


def test_a_check_in_the_window_can_be_cancelled(engine) -> None:
    engine("hang")
    start_and_tick(operators_engine.HOUSEX_OT_check_engine, lambda now: now.stage == "Timing the network")
    pid, running = page.session.pid, page.session
    assert "Timing the network" in drawn()
    assert "housex.cancel_engine" in drawn()
    with pytest.raises(RuntimeError, match="The engine is at work"):
        bpy.ops.housex.check_engine()
    assert bpy.ops.housex.cancel_engine() == {"FINISHED"}
    while operators_engine._tick(running, operators_engine.HOUSEX_OT_check_engine) is not None:
        time.sleep(0.03)
    assert page.session is None
    assert page.message == "Cancelled."
    assert error_dialog.last_error() is None, "that is no error"
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(RuntimeError, match="Nothing is running"):
        bpy.ops.housex.cancel_engine()


def test_a_fault_in_the_timer_leaves_no_busy_page(engine, monkeypatch) -> None:
    engine("hang")
    start_and_tick(operators_engine.HOUSEX_OT_check_engine, lambda now: now.stage == "Timing the network")
    running = page.session
    monkeypatch.setattr(running, "tick", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        operators_engine._tick(running, operators_engine.HOUSEX_OT_check_engine)
    assert page.session is None
    assert running not in session.open_sessions()
    with pytest.raises(ProcessLookupError):
        os.kill(running.pid, 0)


# -- set up and remove ------------------------------------------------------------------------------------------


@pytest.fixture
def index(tmp_path, monkeypatch) -> Path:
    """Packages for pip, which asks nobody else."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    for requirement in (*PACKAGES, *TORCH):
        make_wheel(folder, requirement)
    for name, value in (("CONFIG_FILE", os.devnull), ("NO_INDEX", "1"), ("FIND_LINKS", str(folder))):
        monkeypatch.setenv(f"PIP_{name}", value)
    return folder


def test_set_up_use_and_remove(fresh, index, tmp_path) -> None:
    folder = tmp_path / "user" / FOLDER_NAME
    with pytest.raises(RuntimeError, match="There is no GPU engine"):
        bpy.ops.housex.remove_engine()
    (folder / "bin").mkdir(parents=True)
    assert "housex.setup_engine" in drawn(), "half an engine is none"
    # the packages only pretend, so the check that follows finds them wanting; the setup itself went well
    assert bpy.ops.housex.setup_engine() == {"FINISHED"}
    assert fresh.python == str(python_of(folder))
    assert "The check ended early" in page.message
    assert page.icon == "ERROR"
    with pytest.raises(RuntimeError, match="There is an engine already: remove it first"):
        bpy.ops.housex.setup_engine()
    assert size_bytes(folder) > 1_000_000
    assert "housex.remove_engine" in drawn()
    assert bpy.ops.housex.remove_engine() == {"FINISHED"}
    assert not folder.exists()
    assert fresh.python == ""
    assert page.message == "The GPU engine was removed"


def test_a_failed_setup_changes_nothing(fresh, index, tmp_path) -> None:
    next(index.glob("torch-*")).unlink()
    fresh.python = "/my/own/python"
    with pytest.raises(RuntimeError, match="The package index has no torch"):
        bpy.ops.housex.setup_engine()
    assert fresh.python == "/my/own/python"
    assert not (tmp_path / "user" / FOLDER_NAME).exists()
    assert "No matching distribution found for torch" in error_dialog.last_error().details
    assert str(tmp_path) not in error_dialog.last_error().report()


def test_a_setup_that_is_killed_leaves_no_folder(tmp_path) -> None:
    program = tmp_path / "python"
    program.write_text('#!/bin/sh\nmkdir -p "$3/bin"\necho half > "$3/bin/python"\necho ready >&2\n'
                       "trap '' INT\nwhile true; do sleep 1; done\n")  # fmt: skip
    program.chmod(0o755)
    folder = tmp_path / "user" / FOLDER_NAME
    for end in (lambda job: job.cancel(), lambda job: os.kill(job.pid, 9)):
        job = SetupJob(str(program), folder, "auto")
        while not folder.exists() or not job.log.endswith("ready"):
            time.sleep(0.02)
        end(job)
        while job.running:
            time.sleep(0.02)
        with pytest.raises(WorkerError, match="The setup ended early"):
            job.outcome()
        assert not folder.exists()
        assert users_of(folder) == []


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("why_offline", lambda: "allow it in Preferences", "needs online access: allow it in Preferences"),
        ("blender_python", lambda: "", "Blender's own Python was not found.* Make an environment of your own"),
        ("_SPACE_BYTES", 10**18, "GB free where the engine goes, 1000000000 are needed"),
        ("blender_python", lambda: "/bin/true", "The setup ended early"),
        ("blender_python", lambda: "/no/such/python", "cannot be started"),
    ],
)
def test_what_a_setup_needs_is_said(monkeypatch, tmp_path, name, value, words) -> None:
    monkeypatch.setattr(operators_engine, name, value)
    with pytest.raises(RuntimeError, match=words):
        bpy.ops.housex.setup_engine()
    assert not (tmp_path / "user" / FOLDER_NAME).exists()
    assert page.session is None


def test_nothing_is_downloaded_while_blender_is_offline(monkeypatch) -> None:
    monkeypatch.undo()
    expected = "" if bpy.app.online_access else "allow it in Preferences > System > Network"
    if getattr(bpy.app, "online_access_override", False):
        expected = expected and "start Blender without --offline-mode"
    assert operators_engine.why_offline() == expected


def test_the_choices_of_torch_are_those_of_the_setup() -> None:
    assert {item[0] for item in preferences.TORCH_SOURCES} == set(TORCH_INDEXES)


# -- the error dialog -------------------------------------------------------------------------------------------


def test_an_error_is_kept_short_and_without_private_paths(scene) -> None:
    home = Path.home()
    scene.housex.mix_path = "/media/Eva Braun/Secret Party/set one.flac"
    log = (
        "\n".join(f"line {number}" for number in range(100))
        + f"\n{home}/x.py and /media/Eva Braun/Secret Party/set one.flac"
    )
    error_dialog.remember_error("Build", WorkerError(f"{home}/show.blend is broken.", "Mend it."), log)
    kept = error_dialog.last_error()
    assert (kept.message, kept.hint) == ("~/show.blend is broken.", "Mend it.")
    assert len(kept.details.splitlines()) == error_dialog.LAST_LINES
    assert kept.details.endswith("~/x.py and …/set one.flac")
    report = kept.report()
    assert "Secret" not in report
    assert "Braun" not in report
    assert report.startswith("HouseX: Build\n\n~/show.blend is broken. Mend it.\n\nHouseX ")
    assert bpy.app.version_string in report


def test_copy_and_details_need_an_error(scene, capfd) -> None:
    layout = Layout()
    error_dialog.draw_error_buttons(layout, bpy.context)
    assert layout.drawn == []
    for name in ("copy_error", "show_error"):
        with pytest.raises(RuntimeError, match="No error has happened"):
            getattr(bpy.ops.housex, name)()
    error_dialog.remember_error("Bake", ValueError("odd"))
    error_dialog.draw_error_buttons(layout, bpy.context)
    assert [line for line in layout.drawn if "operator" in line] == [
        "operator housex.show_error",
        "operator housex.copy_error",
    ]
    assert bpy.ops.housex.copy_error() == {"FINISHED"}
    assert bpy.ops.housex.show_error() == {"FINISHED"}
    assert "HouseX: Bake\n\nodd" in capfd.readouterr().out


def test_the_dialog_wraps_what_labels_would_cut() -> None:
    lines = error_dialog.wrapped("word " * 60 + "\n" + "x" * 300, 50)
    assert max(map(len, lines)) <= 50
    assert "".join(lines).count("x") == 300
