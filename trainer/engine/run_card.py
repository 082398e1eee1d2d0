"""run.json, what a run says of itself, read strictly: somebody may have edited or copied it. Zone: trainer (torch)."""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Mapping
from pathlib import Path
from typing import Any

from housex_blender.core.errors import HouseXError
from housex_blender.core.files import read_json

from ..systems.base import PRESETS, SPLIT_RULES, Training
from .checkpoints import BEST_FILE, LAST_FILE
from .recipe import KINDS, training_value

RUN_FILE, SCHEMA = "run.json", "housex-run-1"


def read_card(folder: Path) -> dict[str, Any] | None:
    """What run.json of a folder says; None where there is none.

    Of a finished run all that other modules read is there and of its type.

    Raises:
        HouseXError: It is damaged or of another version.
    """
    path = folder / RUN_FILE
    try:
        card = read_json(path.read_text(encoding="utf-8"))
        if card["schema"] != SCHEMA or not isinstance(card["finished"], bool):
            raise ValueError("another schema")
        if card["finished"]:
            _check(card, _OF_ALL)
            if card["kind"] == "network":
                _check(card, _OF_NETWORKS)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise HouseXError(f"{path} does not describe a run of this version.", "Run the recipe with --again.") from error
    return dict(card)


def first_difference(card: Mapping[str, Any], settings: Mapping[str, Any], free: Container[str] = ()) -> str:
    """Where a run was made otherwise than it would be now: the first such setting with both values, or nothing.

    Args:
        card: Of the run.
        settings: All that changes the outcome, as the run would have it now.
        free: Settings that may differ.
    """
    # what the card holds went through JSON, where a tuple becomes a list
    now = json.loads(json.dumps(settings))
    for key in (*now, "frozen_split"):
        if key not in free and card.get(key) != now.get(key):
            return _difference(key, card.get(key), now.get(key))
    return ""


def _difference(key: str, there: Any, here: Any) -> str:
    if isinstance(there, dict) and isinstance(here, dict):
        inner = next(name for name in (*here, *there) if there.get(name) != here.get(name))
        return _difference(f"{key}.{inner}", there.get(inner), here.get(inner))
    return f"{key} was {_said(there)}, not {_said(here)}"


def _said(value: Any) -> str:
    return "none" if value is None else json.dumps(value, ensure_ascii=False)


def _check(card: Mapping[str, Any], fields: Mapping[str, Callable[[Any], bool]]) -> None:
    for name, is_right in fields.items():
        if not is_right(card[name]):
            raise ValueError(name)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_options(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_text, value.values()))


def _is_parts(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(part, dict) and _is_count(part["tracks"]) and _is_count(part["pieces"]) for part in value.values()
    )


def _is_training(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    # raises of itself where a field is missing, unknown or out of bounds
    Training(**{name: training_value(name, item) for name, item in value.items()})
    return True


_OF_ALL: Mapping[str, Callable[[Any], bool]] = {
    "kind": lambda value: value in KINDS,
    "table": _is_text,
    "row": _is_text,
    "system": _is_text,
    "preset": lambda value: value in PRESETS,
    "options": _is_options,
    "seed": _is_count,
    "weights": lambda value: value is None or _is_text(value),
    "data_set": _is_text,
    "classes": _is_texts,
    "synthetic": lambda value: isinstance(value, bool),
    "parts": _is_parts,
}
_OF_NETWORKS: Mapping[str, Callable[[Any], bool]] = {
    "weights": _is_text,
    "split": lambda value: value in SPLIT_RULES,
    "training": _is_training,
    "steps_at_most": lambda value: value is None or _is_count(value),
    "steps": _is_count,
    "epochs": _is_count,
    "best_epoch": _is_count,
    # a name, never a path that leads out of the folder
    "weights_file": lambda value: value in (BEST_FILE, LAST_FILE),
}
