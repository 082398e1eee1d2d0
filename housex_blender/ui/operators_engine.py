"""Check, set up and remove the engine, from the preferences. Zone: ui.

The work belongs to no window: a modal operator would end with the preferences' window, and a download with it.
"""

from __future__ import annotations

import contextlib
import shutil
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bpy

from ..core.engine_setup import FOLDER_NAME, is_ready, python_of
from ..core.errors import Cancelled, HouseXError, WorkerError
from .engine import CheckJob, SetupJob, choose_engine, size_bytes, table_of
from .engine_settings import engine_settings, stored_preferences
from .error_dialog import draw_error_buttons, remember_error, wrapped
from .job_operator import tag_areas
from .places import blender_python, module_folders, user_folder
from .session import Session, spoken_time
from .translations import translated

_TICK_S = 0.2
# torch with its CUDA libraries, and as much again while pip unpacks
_SPACE_BYTES = 12_000_000_000
_LINE_CHARS = 90


@dataclass
class EnginePage:
    """What the preferences show besides settings; never saved.

    Attributes:
        session: What runs now.
        what: The label of the button that started it.
        table: Rows of the last check.
        message: The last sentence, with its icon.
        size: Size of the GPU engine in words; empty until it was measured.
        ready: Whether there is a GPU engine; None until somebody looked.
    """

    session: Session | None = None
    what: str = ""
    table: list[tuple[str, str]] = field(default_factory=list)
    message: str = ""
    icon: str = "INFO"
    size: str = ""
    ready: bool | None = None

    def say(self, message: str, icon: str) -> None:
        """Leave a sentence."""
        self.message, self.icon = message, icon


page = EnginePage()


def engine_folder() -> Path:
    """Where the GPU engine is or will be."""
    return user_folder(create=False) / FOLDER_NAME


def has_engine() -> bool:
    """Whether a GPU engine is there; the disk is asked once, and again after each job."""
    if page.ready is None:
        page.ready = is_ready(engine_folder())
    return page.ready


def why_offline() -> str:
    """What keeps Blender from going online, as an advice; empty if nothing does."""
    if bpy.app.online_access:
        return ""
    if bpy.app.online_access_override:
        return "start Blender without --offline-mode"
    return "allow it in Preferences > System > Network"


class EngineOperator:
    """Mixin: starts a session for the page; a timer carries on, in background mode a loop.

    A subclass gives :meth:`begin` and :meth:`succeed`, which outlives the operator and so knows nothing of it.
    """

    bl_label = ""

    @staticmethod
    def begin(context: Any) -> Session:
        """Check the settings and start the work.

        Raises:
            HouseXError: It cannot start.
        """
        raise NotImplementedError

    @staticmethod
    def succeed(session: Session) -> str:
        """Take the result over; returns the line for the page.

        Raises:
            HouseXError: The result is of no use.
        """
        raise NotImplementedError

    @staticmethod
    def afterwards() -> None:
        """What follows a success."""

    @classmethod
    def poll(cls, _context: Any) -> bool:
        """One thing at a time."""
        if page.session is not None:
            cls.poll_message_set("The engine is at work: wait for it, or cancel it")  # type: ignore[attr-defined]
            return False
        return True

    def execute(self, context: Any) -> set[Any]:
        """Start; in background mode also wait for the end."""
        kind = type(self)
        try:
            page.session, page.what, page.message = self.begin(context), self.bl_label, ""
        except HouseXError as error:
            _failed(self.bl_label, error, "")
            self.report({"ERROR"}, str(error))  # type: ignore[attr-defined]
            return {"CANCELLED"}
        session = page.session
        if not bpy.app.background:
            bpy.app.timers.register(lambda: _tick(session, kind), first_interval=_TICK_S, persistent=True)
            return {"FINISHED"}
        with contextlib.suppress(HouseXError):  # the session keeps it
            session.run()
        finished = _finish(session, kind)
        self.report({"ERROR"} if page.icon == "ERROR" else {"INFO"}, page.message)  # type: ignore[attr-defined]
        if finished:
            self.afterwards()
        return {"FINISHED"} if finished else {"CANCELLED"}


def _tick(session: Session, kind: type[EngineOperator]) -> float | None:
    """Called by Blender's timer; returns when to call again."""
    try:
        session.tick()
        if not session.finished:
            return _TICK_S
        if _finish(session, kind):
            kind.afterwards()
    except Exception:
        # a timer that raises is dropped: without this the page would stay busy for ever
        session.close()
        if page.session is session:
            page.session = None
        raise
    finally:
        tag_areas(bpy.context, ("PREFERENCES",))
    return None


def _finish(session: Session, kind: type[EngineOperator]) -> bool:
    """Whether it ended well."""
    page.session = page.ready = None
    try:
        if session.error is not None:
            raise session.error
        page.say(kind.succeed(session), "CHECKMARK")
    except Cancelled as error:
        page.say(error.message, "CANCEL")
        return False
    except HouseXError as error:
        _failed(kind.bl_label, error, session.details)
        return False
    return True


def _failed(label: str, error: HouseXError, details: str) -> None:
    page.say(str(error), "ERROR")
    remember_error(label, error, details)


class HOUSEX_OT_check_engine(EngineOperator, bpy.types.Operator):
    """Say whether mixes can be analyzed on this computer, with what, and how fast"""

    bl_idname = "housex.check_engine"
    bl_label = "Check Engine"

    @staticmethod
    def begin(context: Any) -> Session:
        """Look for a Python and let it say what it can."""
        page.table = []
        settings = engine_settings(context)
        own, folders = blender_python(), module_folders()

        def start() -> CheckJob:
            return CheckJob(choose_engine(settings.python, own, folders), settings.device, settings.model)

        return Session(start, "Starting the engine")

    @staticmethod
    def succeed(session: Session) -> str:
        """Keep the table."""
        page.table = table_of(session.summary)
        if not page.table:
            raise WorkerError("The engine answered, but said nothing of use.", "Name another Python.")
        return "Ready: " + ", ".join(f"{name} {value}" for name, value in page.table[:2])


class HOUSEX_OT_setup_engine(EngineOperator, bpy.types.Operator):
    """Download torch into an environment of its own, to analyze on the graphics card"""

    bl_idname = "housex.setup_engine"
    bl_label = "Set Up GPU Engine"
    bl_options = {"INTERNAL"}  # noqa: RUF012 - Blender reads it as it is

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only if Blender may go online, and there is no engine yet."""
        problem = why_offline()
        if problem:
            cls.poll_message_set(f"Downloading needs online access: {problem}")
            return False
        if page.session is None and has_engine():
            cls.poll_message_set("There is an engine already: remove it first")
            return False
        return super().poll(context)

    def invoke(self, context: Any, _event: bpy.types.Event) -> set[Any]:
        """Say what will happen, and ask."""
        answer: set[Any] = context.window_manager.invoke_props_dialog(self, width=520)
        return answer

    def draw(self, _context: Any) -> None:
        """What will happen."""
        layout: Any = self.layout
        column = layout.column(align=True)
        for text in (
            "A Python environment is made in the extension's folder for user files:",
            f"    {engine_folder()}",
            "torch and the libraries of the analysis are downloaded into it: 1 to 3 GB, 3 to 6 GB on disk.",
            f"{_SPACE_BYTES / 1e9:.0f} GB must be free meanwhile, because pip unpacks beside what it downloads.",
            "They come from the Python package index (pypi.org) or from pytorch.org, as set under Torch.",
            "Nothing else is downloaded and nothing is sent. It takes minutes; you can go on working.",
        ):
            for line in wrapped(translated(text)):
                column.label(text=line)

    @staticmethod
    def begin(context: Any) -> Session:
        """Check the ground, then make the environment."""
        base, folder, torch = blender_python(), engine_folder(), engine_settings(context).torch
        if not base:
            raise WorkerError(
                "Blender's own Python was not found, and an environment is made from it.",
                "Make an environment of your own and name it as Engine Python.",
            )
        free = shutil.disk_usage(user_folder()).free
        if free < _SPACE_BYTES:
            raise WorkerError(
                f"There are {free / 1e9:.0f} GB free where the engine goes, {_SPACE_BYTES / 1e9:.0f} are needed.",
                "Free some space, or name an engine Python of your own.",
            )
        return Session(lambda: SetupJob(base, folder, torch), "Starting")

    @staticmethod
    def succeed(session: Session) -> str:
        """Use it."""
        page.size = ""
        python, context = str(session.result), bpy.context
        stored = stored_preferences(context)
        if stored is None:
            return f"The GPU engine is ready: set HOUSEX_PYTHON to {python}"
        stored.python = python
        context.preferences.is_dirty = True
        return "The GPU engine is ready"

    @staticmethod
    def afterwards() -> None:
        """See what it can do."""
        operators: Any = bpy.ops
        with contextlib.suppress(RuntimeError):  # what is wrong is on the page then
            operators.housex.check_engine()


class HOUSEX_OT_remove_engine(bpy.types.Operator):
    """Remove the GPU engine and free its space; analyses run on Blender's own Python again"""

    bl_idname = "housex.remove_engine"
    bl_label = "Remove GPU Engine"
    bl_options = {"INTERNAL"}  # noqa: RUF012 - Blender reads it as it is

    @classmethod
    def poll(cls, context: Any) -> bool:
        """There must be one, and nobody at work in it."""
        if page.session is not None or context.window_manager.housex.busy == "ANALYSIS":
            cls.poll_message_set("The engine is at work: wait for it, or cancel it")
            return False
        if not engine_folder().exists():
            cls.poll_message_set("There is no GPU engine")
            return False
        return True

    def invoke(self, context: Any, event: bpy.types.Event) -> set[Any]:
        """Ask."""
        answer: set[Any] = context.window_manager.invoke_confirm(self, event)
        return answer

    def execute(self, context: Any) -> set[Any]:
        """Remove it, and forget it as the engine."""
        folder = engine_folder()
        stored = stored_preferences(context)
        # first, because half an engine must not be used
        if stored is not None and stored.python and Path(stored.python) == python_of(folder):
            stored.python = ""
            context.preferences.is_dirty = True
        shutil.rmtree(folder, ignore_errors=True)
        page.size, page.table, page.ready = "", [], None
        if folder.exists():
            error = WorkerError(
                "Some files of the GPU engine are in use and stay.", "The next Set Up GPU Engine clears them away."
            )
            _failed(self.bl_label, error, "")
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        page.say("The GPU engine was removed", "CHECKMARK")
        self.report({"INFO"}, page.message)
        return {"FINISHED"}


class HOUSEX_OT_cancel_engine(bpy.types.Operator):
    """Stop; what was downloaded is removed"""

    bl_idname = "housex.cancel_engine"
    bl_label = "Cancel"
    bl_options = {"INTERNAL"}  # noqa: RUF012 - Blender reads it as it is

    @classmethod
    def poll(cls, _context: Any) -> bool:
        """Something must be running."""
        if page.session is None:
            cls.poll_message_set("Nothing is running")
            return False
        return True

    def execute(self, _context: Any) -> set[Any]:
        """The end shows at the next tick."""
        assert page.session is not None
        page.session.stop()
        return {"FINISHED"}


def draw_engine_page(layout: Any, context: Any) -> None:
    """Buttons, progress, the last message and the table of the last check."""
    if page.session is not None:
        _draw_progress(layout, page.session)
    else:
        row = layout.row(align=True)
        row.operator(HOUSEX_OT_check_engine.bl_idname, icon="CHECKMARK")
        if has_engine():
            row.operator(HOUSEX_OT_remove_engine.bl_idname, text=f"Remove GPU Engine{_size()}", icon="TRASH")
        else:
            row.operator(HOUSEX_OT_setup_engine.bl_idname, icon="IMPORT")
    if page.message:
        column = layout.column(align=True)
        for index, line in enumerate(wrapped(page.message, _LINE_CHARS)):
            column.label(text=line, icon=page.icon if index == 0 else "BLANK1")
    if page.icon == "ERROR" and page.message:
        draw_error_buttons(layout, context)
    if page.table:
        box = layout.box().column(align=True)
        for name, value in page.table:
            split = box.split(factor=0.25)
            split.label(text=name)
            split.label(text=value)


def _draw_progress(layout: Any, session: Session) -> None:
    column = layout.column(align=True)
    column.label(text=page.what)
    known = session.fraction >= 0
    text = ", ".join(filter(None, [session.stage, spoken_time(session.left_s)]))
    column.progress(factor=max(session.fraction, 0.0), text=f"{text} {session.fraction:.0%}" if known else text)
    column.operator(HOUSEX_OT_cancel_engine.bl_idname, icon="CANCEL")


def _size() -> str:
    """The size of the GPU engine, measured once, aside: tens of thousands of files take a second or more."""
    if not page.size:
        page.size = " "

        def measure() -> None:
            page.size = f" ({size_bytes(folder) / 1e9:.1f} GB)"

        folder = engine_folder()
        threading.Thread(target=measure, daemon=True).start()
    return page.size.rstrip()


CLASSES = (
    HOUSEX_OT_check_engine,
    HOUSEX_OT_setup_engine,
    HOUSEX_OT_remove_engine,
    HOUSEX_OT_cancel_engine,
)
