"""Write a timeline for another program. Zone: pure."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..core.files import replacing
from ..core.timeline import Timeline
from .errors import ExchangeError
from .parts import Content, Target
from .write_jams import JAMS_VERSION, jams_file
from .write_midi import MIDO_VERSION, midi_file
from .write_rekordbox import rekordbox_xml
from .write_table import bars_table, beats_table
from .write_text import audacity_labels, beats_list, cue_sheet, lab_segments, tracklist, youtube_chapters

_MAX_FPS = 1000.0


@dataclass(frozen=True)
class Export:
    """A kind of file.

    Attributes:
        kind: Name for :func:`write`.
        suffix: Suggested ending of the file name, with its first dot.
        description: What it is and who reads it.
        make: Timeline and target -> content.
        needs: Library that may be missing, as pip names it with its version; "" needs none.
    """

    kind: str
    suffix: str
    description: str
    make: Callable[[Timeline, Target], Content]
    needs: str = ""


EXPORTS: dict[str, Export] = {
    export.kind: export
    for export in (
        Export("csv", ".csv", "Table of bars with frames, for any spreadsheet or script", bars_table),
        Export("beats.csv", ".beats.csv", "Table of beats with frames", beats_table),
        Export("labels", ".txt", "Label track with sections, drops and tracks, for Audacity", audacity_labels),
        Export("lab", ".lab", "Sections as segments, for mir_eval and Sonic Visualiser", lab_segments),
        Export("beats", ".beats", "Beats with their place in the bar, as in data sets of beat tracking", beats_list),
        Export("cue", ".cue", "Cue sheet with the tracks, for players and DJ programs", cue_sheet),
        Export("chapters", ".chapters.txt", "Chapters for the description of a film on YouTube", youtube_chapters),
        Export("tracklist", ".tracklist.txt", "Tracks with their times, to read or to post", tracklist),
        Export(
            "midi",
            ".mid",
            "Tempo map, markers, downbeats and drops, for DAWs and lighting desks",
            midi_file,
            f"mido=={MIDO_VERSION}",
        ),
        Export(
            "jams",
            ".jams",
            "Beats, tempo, sections, tracks and genres, for music research",
            jams_file,
            f"jams=={JAMS_VERSION}",
        ),
        Export("rekordbox", ".xml", "Beat grid and cues as a collection, for rekordbox", rekordbox_xml),
    )
}


def check_library(kind: str) -> None:
    """Refuse a kind whose library is missing, before anything is made.

    Raises:
        ExchangeError: It is not installed.
    """
    needs = EXPORTS[kind].needs
    name = needs.partition("==")[0]
    try:
        missing = bool(name) and importlib.util.find_spec(name) is None
    except ValueError:  # somebody put None where modules are kept
        missing = True
    if missing:
        raise ExchangeError(f"{EXPORTS[kind].kind.upper()} export needs {name}.", f"pip install {needs}")


def write(timeline: Timeline, path: Path, kind: str, fps: float = 24.0, first_frame: int = 1) -> list[str]:
    """Write one file; it appears whole or not at all, and an older one stays if anything fails.

    Args:
        timeline: With its edits applied.
        path: File to write; its ending does not choose the kind.
        kind: Key of ``EXPORTS``.
        fps: Frames per second of the tables.
        first_frame: Frame of second 0 in the tables.

    Returns:
        Sentences about what was added, left out or assumed.

    Raises:
        ExchangeError: The kind is unknown, its library is missing, the mix does not fit the format, or the place
            cannot be written.
    """
    if kind not in EXPORTS:
        raise ExchangeError(f"There is no export {kind!r}.", f"Choose one of: {', '.join(EXPORTS)}.")
    if not (math.isfinite(fps) and 0.0 < fps <= _MAX_FPS):
        raise ExchangeError(f"{fps:g} frames per second are not possible.", "Choose 24, 25, 30 or the like.")
    path = Path(path)
    content = EXPORTS[kind].make(timeline, Target(path, fps, first_frame))
    try:
        with replacing(path) as temporary:
            temporary.write_bytes(content.data)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ExchangeError(
            f"{path} cannot be written: {reason}.", "Choose a folder that exists and has room."
        ) from error
    return content.messages
