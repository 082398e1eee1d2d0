"""The preferences as plain values. Zone: ui."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .places import ROOT_PACKAGE, absolute


@dataclass(frozen=True)
class EngineSettings:
    """Preferences as plain values; these defaults hold where no preferences exist (a checkout, for example).

    Attributes:
        python: Program that analyzes; empty for Blender's own.
        device: As ``--device`` of the analysis.
        model: Model folder; empty for the one that came along.
        torch: Where torch comes from, a key of :data:`..core.engine_setup.TORCH_INDEXES`.
    """

    python: str = ""
    device: str = "auto"
    model: str = ""
    torch: str = "auto"


def stored_preferences(context: Any) -> Any | None:
    """The extension's preferences, or None where there are none."""
    addon = context.preferences.addons.get(ROOT_PACKAGE)
    stored = addon.preferences if addon is not None else None
    return stored if hasattr(stored, "device") else None


def engine_settings(context: Any) -> EngineSettings:
    """The preferences, or their defaults where there are none."""
    stored = stored_preferences(context)
    if stored is None:
        return EngineSettings()
    return EngineSettings(
        python=str(absolute(stored.python)) if stored.python else "",
        device=stored.device,
        model=str(absolute(stored.model)) if stored.model else "",
        torch=stored.torch,
    )
