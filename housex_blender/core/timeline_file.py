"""The text and the table of levels that a timeline is stored as. Zone: pure."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .edit_rules import check_edit
from .errors import TimelineError
from .files import read_json
from .schema import first_problem

SCHEMA = 1
_SCHEMA_FILE = Path(__file__).with_name("timeline.schema.json")
_MAX_FILE_BYTES = 200_000_000


def rounded(values: Sequence[float] | NDArray[Any], digits: int) -> list[float]:
    """Plain floats, short enough for a file that people read."""
    return [round(float(value), digits) for value in values]


def dump(data: dict[str, Any]) -> str:
    """JSON a person can read: one line per list of numbers, one per bar's probabilities."""
    lines = []
    for key, value in data.items():
        if isinstance(value, dict) and key in ("grid", "bars"):
            inner = []
            for name, column in value.items():
                if name == "probs":
                    rows = ",\n      ".join(json.dumps(row) for row in column)
                    inner.append(f'    "probs": [\n      {rows}\n    ]')
                else:
                    inner.append(f"    {json.dumps(name)}: {json.dumps(column, ensure_ascii=False)}")
            body = "{\n" + ",\n".join(inner) + "\n  }"
        else:
            body = json.dumps(value, ensure_ascii=False)
        lines.append(f"  {json.dumps(key)}: {body}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number")


def read_checked(path: Path) -> dict[str, Any]:
    """The content of a timeline file, checked against the schema.

    Raises:
        TimelineError: It is missing, cut off, of another schema, or breaks the schema.
    """
    again = "Analyze the mix again."
    try:
        if path.stat().st_size > _MAX_FILE_BYTES:
            raise TimelineError(f"{path.name} is too large for a timeline.", again)
        data = read_json(path.read_text(encoding="utf-8-sig"), parse_constant=_refuse_constant)
    except FileNotFoundError as error:
        raise TimelineError(f"There is no timeline {path}.", "Analyze the mix first.") from error
    except OSError as error:
        raise TimelineError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (ValueError, RecursionError) as error:
        raise TimelineError(f"{path.name} is cut off or is not JSON.", again) from error
    if not isinstance(data, dict):
        raise TimelineError(f"{path.name} is not a timeline.", again)
    if data.get("schema") != SCHEMA:
        raise TimelineError(
            f"{path.name} is of schema {data.get('schema')!r}, this version reads schema {SCHEMA}.",
            "Update HouseX, or analyze the mix again.",
        )
    problem = first_problem(data, json.loads(_SCHEMA_FILE.read_text(encoding="utf-8")))
    if problem:
        raise TimelineError(f"{path.name} is damaged: {problem}.", again)
    for edit in data["edits"]:
        check_edit(edit)
    return data


def read_levels(path: Path, columns: int, rate_hz: float, duration_s: float) -> NDArray[np.float32]:
    """(m, columns) levels out of the .npz beside the timeline.

    Raises:
        TimelineError: It is missing, damaged, or of another mix.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            stored = archive["values"]
            if stored.dtype.kind != "f" or stored.size > 4e8:
                raise ValueError("not a table of levels")
            values = stored.astype(np.float32)
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise TimelineError(
            f"The envelopes {path.name} are missing or damaged.", "Keep the .npz beside the .json, or analyze again."
        ) from error
    fits = values.ndim == 2 and values.shape[1] == columns and abs(len(values) / rate_hz - duration_s) < 1.0
    if not fits or not np.all((values >= 0) & (values <= 1)):
        raise TimelineError(f"The envelopes {path.name} do not fit the timeline.", "Analyze the mix again.")
    return values
