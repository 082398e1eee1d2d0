"""What operators with work in another process share: a timer in the window, a loop in background mode. Zone: ui."""

import contextlib
from collections.abc import Collection
from typing import Any

import bpy

from ..core.errors import Cancelled, HouseXError
from .error_dialog import remember_error
from .session import Session, spoken_time

_TIMER_S = 0.1
RIBBON_EDITORS = ("SEQUENCE_EDITOR", "DOPESHEET_EDITOR", "NLA_EDITOR", "GRAPH_EDITOR")


def status_of(context: Any) -> Any:
    """The status the panel shows."""
    return context.window_manager.housex


def say(context: Any, message: str, icon: str = "INFO", panel: str = "MIX") -> None:
    """Leave a line in the panel "MIX", "GRID", "SHOW" or "FILM"; an empty one clears it."""
    status = status_of(context)
    status.message, status.message_icon, status.message_panel = message, icon, panel


def tag_areas(context: Any, kinds: Collection[str], region: str = "") -> None:
    """Redraw the areas of these types, or one type of their regions alone."""
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type in kinds and not region:
                area.tag_redraw()
            elif area.type in kinds:
                for part in area.regions:
                    if part.type == region:
                        part.tag_redraw()


def redraw(context: Any) -> None:
    """Redraw the sidebars that show our panels and the editors that show the ribbon."""
    tag_areas(context, ("VIEW_3D",), "UI")
    tag_areas(context, RIBBON_EDITORS)


class JobOperator:
    """Mixin: ``invoke`` keeps Blender responsive, ``execute`` blocks; both drive the same session.

    A subclass gives ``busy`` (the status it shows), ``panel`` (where its messages go), :meth:`begin` and
    :meth:`succeed`.
    """

    busy = "NONE"
    panel = "MIX"
    _session: Session | None = None
    _timer: bpy.types.Timer | None = None

    def begin(self, context: Any) -> Session:
        """Check the settings and start the work.

        Raises:
            HouseXError: It cannot start.
        """
        raise NotImplementedError

    def succeed(self, context: Any, session: Session) -> str:
        """Take the result over; returns the line for the panel.

        Raises:
            HouseXError: The result is of no use.
        """
        raise NotImplementedError

    def execute(self, context: Any) -> set[Any]:
        """Run to the end: background mode and scripts."""
        if not self._start(context):
            return {"CANCELLED"}
        assert self._session is not None
        # the session keeps the error, and _finish reports it
        with contextlib.suppress(HouseXError):
            self._session.run()
        return self._finish(context)

    def invoke(self, context: Any, _event: bpy.types.Event) -> set[Any]:
        """Start and return; without a window, run to the end."""
        if bpy.app.background or context.window is None:
            return self.execute(context)
        return self.start_in_window(context)

    def start_in_window(self, context: Any) -> set[Any]:
        """Start and return; a timer carries on."""
        if not self._start(context):
            return {"CANCELLED"}
        manager = context.window_manager
        self._timer = manager.event_timer_add(_TIMER_S, window=context.window)
        manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: Any, event: bpy.types.Event) -> set[Any]:
        """Show how far it is; Esc or the Cancel button ends it."""
        try:
            return self._step(context, event)
        except Exception:
            # Blender drops the operator now: without this the job would go on and the panel stay busy for ever
            self.cancel(context)
            raise

    def _step(self, context: Any, event: bpy.types.Event) -> set[Any]:
        session = self._session
        assert session is not None
        if event.type == "ESC" and event.value == "PRESS":
            session.stop()
            self._show(context, session)
            return {"RUNNING_MODAL"}
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        if status_of(context).stop_requested:
            session.stop()
        session.tick()
        if session.finished:
            return self._finish(context)
        self._show(context, session)
        return {"PASS_THROUGH"}

    def cancel(self, context: Any) -> None:
        """Blender ends the operator: another file is loaded, or the window closes."""
        if self._session is not None:
            self._session.close()
        self._clean_up(context)

    def _start(self, context: Any) -> bool:
        say(context, "", panel=self.panel)
        try:
            self._session = self.begin(context)
        except HouseXError as error:
            self._fail(context, error)
            return False
        status = status_of(context)
        status.busy, status.stop_requested = self.busy, False
        self._show(context, self._session)
        return True

    def _show(self, context: Any, session: Session) -> None:
        status = status_of(context)
        shown = (session.stage, round(session.fraction, 3), spoken_time(session.left_s))
        if shown == (status.stage, round(status.fraction, 3), status.time_left):
            return
        status.stage, status.fraction, status.time_left = shown
        redraw(context)

    def _finish(self, context: Any) -> set[Any]:
        session = self._session
        assert session is not None
        self._clean_up(context)
        try:
            if session.error is not None:
                raise session.error
            message = self.succeed(context, session)
        except Cancelled as error:
            say(context, error.message, "CANCEL", self.panel)
            self.report({"INFO"}, error.message)  # type: ignore[attr-defined]
            return {"CANCELLED"}
        except HouseXError as error:
            self._fail(context, error)
            return {"CANCELLED"}
        say(context, message, "CHECKMARK", self.panel)
        self.report({"INFO"}, message)  # type: ignore[attr-defined]
        redraw(context)
        return {"FINISHED"}

    def _fail(self, context: Any, error: HouseXError) -> None:
        say(context, str(error), "ERROR", self.panel)
        label = str(getattr(self, "bl_label", self.busy.title()))
        remember_error(label, error, self._session.details if self._session is not None else "")
        redraw(context)
        self.report({"ERROR"}, str(error))  # type: ignore[attr-defined]

    def _clean_up(self, context: Any) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            # the window that owned it may be closed already
            with contextlib.suppress(ReferenceError, RuntimeError, ValueError):
                context.window_manager.event_timer_remove(timer)
        status = status_of(context)
        status.busy, status.stop_requested = "NONE", False
        status.stage, status.fraction, status.time_left = "", -1.0, ""
        redraw(context)
