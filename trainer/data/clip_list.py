"""The mainstage benchmark's lists of stand-alone clips, ``clip_info.json``. Zone: trainer."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..own.label_rows import CollectionError, text_of
from ..own.label_studio import base_name
from .collection import Collection, Track
from .reading import composed, counted

# the published code cuts so many clips per drop, one drop after the other
CLIPS_PER_DROP = 4
_TOLERANCE_S = 0.05

Times = Literal["in-section", "in-track"]


@dataclass(frozen=True)
class Clip:
    """One clip of a list.

    Attributes:
        track: Index into ``Collection.tracks``.
        start_s, end_s: In the track.
        label: (8,) shares as the list says.
    """

    track: int
    start_s: float
    end_s: float
    label: NDArray[np.float32]


def read_clip_list(path: Path, collection: Collection, times: Times = "in-section") -> tuple[list[Clip], list[str]]:
    """The clips of a list, and sentences about those that were left out.

    The published code writes times ``in-section``: from the start of the drop that a clip was cut from, without saying
    which drop. Clips of a track stand there drop after drop, so the first four are of its first drop, and so on.

    Raises:
        CollectionError: The file is no list of clips.
    """
    try:
        rows = json.loads(text_of(path))
    except (ValueError, RecursionError) as error:
        raise CollectionError(f"{path.name} is not valid JSON.", "Download it again.") from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) and "clip_start_time" in row for row in rows):
        raise CollectionError(f"{path.name} is not a list of clips.", "It is called clip_info.json.")
    index_of = {composed(Path(base_name(track.path.name)).stem): index
                for index, track in enumerate(collection.tracks) if track.path is not None}  # fmt: skip
    seen: dict[int, int] = defaultdict(int)
    clips: list[Clip] = []
    problems: list[str] = []
    for number, row in enumerate(rows, 1):
        index = index_of.get(composed(Path(base_name(str(row.get("track_path", "")))).stem))
        if index is None:
            problems.append(f"{path.name}, clip {number}: its track is not there.")
            continue
        clip = _clip(row, index, collection, seen[index] if times == "in-section" else None)
        seen[index] += 1
        if isinstance(clip, str):
            problems.append(f"{path.name}, clip {number}: {clip}")
        else:
            clips.append(clip)
    return clips, problems


def _clip(row: Mapping[str, Any], index: int, collection: Collection, place: int | None) -> Clip | str:
    """The clip, or what is wrong with it; ``place`` among the clips of its track where times are in the section."""
    track = collection.tracks[index]
    try:
        start_s, end_s = float(row["clip_start_time"]), float(row["clip_end_time"])
        label = np.array(row["label"], np.float32)
    except (KeyError, TypeError, ValueError):
        return "it has no times or no label."
    if not 0.0 <= start_s < end_s < math.inf or label.shape != track.label.shape:
        return f"its times or its {counted(label.size, 'share')} are wrong."
    offset_s = 0.0
    if place is not None:
        section = _section(track, place // CLIPS_PER_DROP)
        if section is None:
            return f'"{track.name}" has no drop {place // CLIPS_PER_DROP + 1}.'
        offset_s = section[0]
        if end_s > section[1] - section[0] + _TOLERANCE_S:
            return "it ends after its drop; its times may be those in the track."
    if offset_s + end_s > track.duration_s + _TOLERANCE_S:
        return f'it ends after "{track.name}".'
    return Clip(index, offset_s + start_s, offset_s + end_s, label)


def _section(track: Track, number: int) -> tuple[float, float] | None:
    drops_s = track.drops_s or ()
    return drops_s[number] if number < len(drops_s) else None
