"""The formats of the sub-genre papers' annotations: Label Studio's JSON export and detected_drops.json. Zone: trainer.

The mainstage benchmark (arXiv 2409.06690) exports one task per track with eight numbers; HouseX (arXiv 2207.11690)
marks the drop as a region of the same export.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .label_rows import CollectionError, LabelRow, share_in, text_of

# a cell of the CSV export: [{"number":0.25}]
_CELL = re.compile(r'\s*\[\s*\{\s*"number"\s*:\s*([^,}\]]+?)\s*\}\s*\]\s*')

Spans = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class StudioExport:
    """What one JSON file tells.

    Attributes:
        rows: One per annotation that names a genre: several people may have labelled one track.
        drops_s: File name -> (start, end) of its drops in seconds.
        unlabelled: How many tasks carry neither.
    """

    rows: tuple[LabelRow, ...]
    drops_s: dict[str, Spans]
    unlabelled: int


def base_name(written: str) -> str:
    """File name at the end of a path or an address, whichever slashes it was written with."""
    return re.split(r"[/\\]", written.strip())[-1]


def number_in_cell(cell: str) -> str | None:
    """The number of a cell ``[{"number":0.25}]`` as text; None for any other cell."""
    found = _CELL.fullmatch(cell)
    return found.group(1) if found else None


def read_studio(path: Path, on_problem: Callable[[str], None] | None = None) -> StudioExport:
    """Read a Label Studio export or a table of detected drops.

    Args:
        path: The file.
        on_problem: Called with a sentence for each task that is left out, as its numbers can be no share or time; None
            to refuse the file for one.

    Raises:
        CollectionError: It is neither, or such a task is refused.
    """
    try:
        tasks = json.loads(text_of(path))
    except (ValueError, RecursionError) as error:
        raise CollectionError(f"{path.name} is not valid JSON.", "Export it from Label Studio again.") from error
    if not isinstance(tasks, list) or not any(isinstance(task, dict) for task in tasks):
        raise CollectionError(f"{path.name} is not a Label Studio export.", "Export the project as JSON.")
    rows: list[LabelRow] = []
    drops: dict[str, Spans] = {}
    unlabelled = 0
    for number, task in enumerate(tasks, 1):
        try:
            file, found, marked = _told(task, f"{path.name}, task {number}")
        except CollectionError as error:
            if on_problem is None:
                raise
            on_problem(f"{error.message.rstrip('.')}: left out.")
            continue
        rows += found
        if marked:
            drops[base_name(file)] = marked
        unlabelled += "annotations" in task and not found and not marked
    return StudioExport(tuple(rows), drops, unlabelled)


def _told(task: object, where: str) -> tuple[str, list[LabelRow], Spans]:
    """File, rows and drops of one task."""
    if isinstance(task, dict) and "drop_sections" in task and "audio_path" in task:
        return str(task["audio_path"]), [], _spans(task["drop_sections"], where)
    if not isinstance(task, dict) or "annotations" not in task:
        raise CollectionError(f"{where} has no annotations.", "Export the project as JSON, not as JSON-MIN.")
    file = _file_of(task, where)
    return file, *_annotated(task, file, f"{where} ({file})")


def _file_of(task: dict[str, object], where: str) -> str:
    data = task.get("data")
    written = data.get("audio") if isinstance(data, dict) else None
    written = written or task.get("file_upload")
    if not isinstance(written, str) or not base_name(written):
        raise CollectionError(f"{where} names no audio file.", 'Each task needs "data": {"audio": "FILE"}.')
    return written


def _annotated(task: dict[str, object], file: str, where: str) -> tuple[list[LabelRow], Spans]:
    """A row per annotation with genres, and the regions that are marked as drops."""
    rows: list[LabelRow] = []
    regions: list[object] = []
    for results in _annotations(task["annotations"]):
        shares: dict[str, float] = {}
        for item in results:
            value, name = item.get("value"), item.get("from_name")
            if not isinstance(value, dict):
                continue
            if "number" in value and isinstance(name, str):
                shares[name] = shares.get(name, 0.0) + share_in(value["number"], f"{where}, {name}")
            elif isinstance(value.get("choices"), list):
                shares |= {str(choice): 1.0 for choice in value["choices"]}
            elif isinstance(value.get("labels"), list) and "drop" in [str(one).lower() for one in value["labels"]]:
                regions.append([value.get("start"), value.get("end")])
        if shares:
            rows.append(LabelRow(file, shares, where))
    return rows, _spans(regions, where)


def _annotations(found: object) -> Iterator[list[dict[str, object]]]:
    """The results of every annotation that was not cancelled."""
    for annotation in found if isinstance(found, list) else []:
        if isinstance(annotation, dict) and not annotation.get("was_cancelled"):
            results = annotation.get("result")
            yield [item for item in results if isinstance(item, dict)] if isinstance(results, list) else []


def _spans(found: object, where: str) -> Spans:
    """Sorted (start, end) in seconds of a list of pairs.

    Raises:
        CollectionError: One is not two increasing times.
    """
    spans = []
    pairs: list[Any] = found if isinstance(found, list) else [found]
    for pair in pairs:
        try:
            start_s, end_s = (float(time) for time in pair)
        except (TypeError, ValueError, OverflowError):
            start_s, end_s = math.nan, math.nan
        if not 0.0 <= start_s < end_s < math.inf:
            raise CollectionError(f"{where}: {pair!r} is not a drop.", "A drop is [start, end] in seconds.")
        spans.append((start_s, end_s))
    return tuple(sorted(spans))
