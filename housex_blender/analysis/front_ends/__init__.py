"""Front ends of the published networks, by the name that stands on a model's card. Zone: analysis (numpy)."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from ...core.errors import ModelError
from .base import FrontEnd

# kind -> module here and class in it, imported when it is asked for
KINDS: dict[str, tuple[str, str]] = {
    "housex-picture": ("housex", "HouseXPicture"),
    "housex-array": ("housex", "HouseXArray"),
    "mainstage": ("mainstage", "MainstageMaps"),
    "mlachmish": ("mlachmish", "SlidingWindows"),
    "gtzan-picture": ("gtzan", "GtzanPicture"),
    "gtzan-array": ("gtzan", "GtzanArray"),
    "waveform": ("waveform", "Waveform"),
}


def front_end_from(card: Mapping[str, Any]) -> FrontEnd:
    """The front end that a card describes.

    Args:
        card: ``kind`` and the constructor's arguments.

    Raises:
        ModelError: No such kind, or settings that it does not know.
    """
    kind = card.get("kind")
    if kind not in KINDS:
        raise ModelError(f"The model needs a front end {kind!r} that this version does not have.", "Export it anew.")
    module, name = KINDS[kind]
    settings = {key: value for key, value in card.items() if key != "kind"}
    try:
        made: FrontEnd = getattr(importlib.import_module(f".{module}", __name__), name)(**settings)
    except (TypeError, ValueError) as error:
        raise ModelError(
            f"The front end {kind} does not fit this version: {error}.", "Export the model anew."
        ) from error
    return made


def card_of(front_end: FrontEnd) -> dict[str, Any]:
    """What :func:`front_end_from` takes."""
    return {"kind": front_end.kind, **front_end.settings()}
