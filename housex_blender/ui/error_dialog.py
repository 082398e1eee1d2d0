"""The last error, to be read in full and copied without private paths. Zone: ui.

Nothing is sent anywhere: the text goes to the clipboard, and only when the button is pressed.
"""

from __future__ import annotations

import getpass
import platform
import textwrap
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy

from ..core.errors import HouseXError
from ..core.privacy import without_private_paths
from ..core.process import PACKAGE_PARENT
from .engine_settings import engine_settings
from .places import PATH_PROPERTIES

LAST_LINES = 40
_DIALOG_WIDTH, _DIALOG_CHARS = 620, 96
_SHOWN_DETAILS = 12


@dataclass(frozen=True)
class RememberedError:
    """An error as it is shown and copied; nothing in it names a private folder.

    Attributes:
        context: What was being done, "Analyze Mix" for example.
        message: The sentence.
        hint: What to do about it; may be empty.
        details: The last lines of the process, or a traceback; may be empty.
        facts: Versions and settings, one a line.
    """

    context: str
    message: str
    hint: str
    details: str
    facts: str

    def report(self) -> str:
        """The text for the clipboard."""
        parts = [f"HouseX: {self.context}", f"{self.message} {self.hint}".strip(), self.facts, self.details]
        return "\n\n".join(filter(None, parts)) + "\n"


_last: RememberedError | None = None


def remember_error(context: str, error: BaseException, details: str = "") -> None:
    """Keep an error for "Details" and "Copy Error".

    Args:
        context: What was being done, in the words of the button.
        error: A HouseXError, or anything else that happened.
        details: Lines of a log; the last 40 are kept.
    """
    global _last
    message, hint = str(error) or type(error).__name__, ""
    if isinstance(error, HouseXError):
        message, hint = error.message, error.hint
    clean = _cleaner()
    kept = "\n".join(details.splitlines()[-LAST_LINES:])
    _last = RememberedError(context, clean(message), clean(hint), clean(kept), clean(_facts()))


def last_error() -> RememberedError | None:
    """The last error; None while all went well."""
    return _last


def forget_error() -> None:
    """All went well, or the extension ends."""
    global _last
    _last = None


def _cleaner() -> Any:
    """:func:`without_private_paths` for this person, this file and this mix."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):  # no name in the environment and none in the system's list
        user = ""
    home, known = str(Path.home()), tuple(_private_paths())
    return lambda text: without_private_paths(text, home, user, known)


def _private_paths() -> Iterable[str]:
    """Files of the user that we work with."""
    yield bpy.data.filepath
    for scene in bpy.data.scenes:
        settings = getattr(scene, "housex", None)
        for name in PATH_PROPERTIES:
            path = getattr(settings, name, "")
            if path:
                yield path
                yield bpy.path.abspath(path)


def _facts() -> str:
    settings = engine_settings(bpy.context)
    return "\n".join(
        [
            f"HouseX {_version()}, Blender {bpy.app.version_string}, Python {platform.python_version()}",
            f"{platform.system()} {platform.release()} ({platform.machine()})",
            f"Engine: {settings.python or 'own'}, device {settings.device}, model {settings.model or 'default'}",
        ]
    )


def _version() -> str:
    """Version on the extension's manifest, the only place it is written."""
    try:
        manifest = (PACKAGE_PARENT / "blender_manifest.toml").read_text(encoding="utf-8")
        return str(tomllib.loads(manifest)["version"])
    except (OSError, KeyError, ValueError):
        return "unknown"


def draw_error_buttons(layout: Any, _context: Any) -> None:
    """The buttons Details and Copy Error, where there is an error to speak of."""
    if _last is not None:
        row = layout.row(align=True)
        row.operator(HOUSEX_OT_show_error.bl_idname, icon="INFO")
        row.operator(HOUSEX_OT_copy_error.bl_idname, icon="COPYDOWN")


def wrapped(text: str, width: int = _DIALOG_CHARS) -> list[str]:
    """Lines short enough for the dialog: labels do not wrap by themselves."""
    lines: list[str] = []
    for line in text.splitlines():
        lines += textwrap.wrap(line, width, break_long_words=True) or [""]
    return lines


class _ErrorOperator:
    """Mixin: needs an error to work on."""

    @classmethod
    def poll(cls, _context: Any) -> bool:
        """Something must have gone wrong."""
        if _last is None:
            cls.poll_message_set("No error has happened")  # type: ignore[attr-defined]
            return False
        return True


class HOUSEX_OT_copy_error(_ErrorOperator, bpy.types.Operator):
    """Copy the error, versions and the last lines of the log, for a report; folders and your name are left out"""

    bl_idname = "housex.copy_error"
    bl_label = "Copy Error"
    bl_options = {"INTERNAL"}  # noqa: RUF012 - Blender reads it as it is

    def execute(self, context: Any) -> set[Any]:
        """To the clipboard, and nowhere else."""
        assert _last is not None
        context.window_manager.clipboard = _last.report()
        self.report({"INFO"}, "The error is on the clipboard")
        return {"FINISHED"}


class HOUSEX_OT_show_error(_ErrorOperator, bpy.types.Operator):
    """Show the error in full"""

    bl_idname = "housex.show_error"
    bl_label = "Details…"
    bl_options = {"INTERNAL"}  # noqa: RUF012 - Blender reads it as it is

    def invoke(self, context: Any, _event: bpy.types.Event) -> set[Any]:
        """Open the popup."""
        context.window_manager.invoke_popup(self, width=_DIALOG_WIDTH)
        return {"RUNNING_MODAL"}

    def execute(self, _context: Any) -> set[Any]:
        """Without a window: to the console."""
        assert _last is not None
        print(_last.report())
        return {"FINISHED"}

    def draw(self, _context: Any) -> None:
        """Sentence, hint, facts and the end of the log."""
        layout: Any = self.layout
        if _last is None:
            return
        layout.label(text=_last.context, icon="ERROR")
        for text, most in ((_last.message, 8), (_last.hint, 4), (_last.facts, 6), (_last.details, _SHOWN_DETAILS)):
            lines = wrapped(text)
            if lines:
                column = layout.box().column(align=True)
                column.scale_y = 0.8
                for line in lines[-most:]:
                    column.label(text=line)
        layout.operator(HOUSEX_OT_copy_error.bl_idname, icon="COPYDOWN")


CLASSES = (HOUSEX_OT_copy_error, HOUSEX_OT_show_error)
