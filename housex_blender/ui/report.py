"""How an operator of ours says that it failed. Zone: ui."""

from __future__ import annotations

from typing import Any

from ..core.errors import HouseXError
from .error_dialog import remember_error
from .job_operator import redraw, say


def fail(operator: Any, context: Any, error: HouseXError, panel: str = "MIX") -> set[Any]:
    """Say it in the panel and in the status bar, and keep it for the error dialog; returns {"CANCELLED"}."""
    remember_error(operator.bl_label, error)
    say(context, str(error), "ERROR", panel)
    redraw(context)
    operator.report({"ERROR"}, str(error))
    return {"CANCELLED"}
