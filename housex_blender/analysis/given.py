"""What is known before anything is heard: files of other programs, and the edits of an earlier run. Zone: analysis."""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.bars import BarGrid
from ..core.edits import Edit, add_edit, conflicts, grid_with_edits
from ..core.errors import HouseXError, TimelineError
from ..core.grid_edits import grid_of, value_of
from ..core.timeline import SECTIONS, Timeline
from ..core.timeline_file import read_checked
from ..exchange.names import section_of_mark

if TYPE_CHECKING:
    from ..exchange import Imported
    from .worker import Speaker

# bars that end further from the end of the mix than this were not made for it
_MISFIT_S = 60.0
# more than this without bars is said
_MISSING_S = 8.0


@dataclass(frozen=True)
class GivenGrid:
    """Bars that are known already.

    Attributes:
        key: What they are, for the name of the cached result.
        make: Duration of the mix in seconds -> the bars.
    """

    key: str
    make: Callable[[float], BarGrid]

    def for_mix(self, duration_s: float) -> BarGrid:
        """The bars, if they fit a mix of this length.

        Raises:
            HouseXError: They do not, or the file makes no bars.
        """
        grid = self.make(duration_s)
        end_s = float(grid.ends_s[-1])
        if abs(end_s - duration_s) > _MISFIT_S:
            raise TimelineError(
                f"The grid ends at {end_s:.0f} s, the mix at {duration_s:.0f} s.", "Choose the grid of this mix."
            )
        return grid


@dataclass(frozen=True)
class Known:
    """All that a command line and an earlier timeline say about a mix.

    Attributes:
        edits: Edits of the earlier timeline that still hold.
        grid: Bars to hear everything on; None to hear them.
        from_file: Whether the bars come from a file named now, and replace every earlier edit of the grid.
        files: What the named files hold, in the order tracks, then sections are to be taken from them.
    """

    edits: tuple[Edit, ...]
    grid: GivenGrid | None
    from_file: bool
    files: tuple[Imported, ...]


def known_about(arguments: argparse.Namespace, earlier: tuple[Edit, ...], speaker: Speaker) -> Known:
    """Read the files that were named, and take over what people changed by hand in the earlier timeline.

    Raises:
        HouseXError: A file cannot be read, or does not hold what it was named for.
    """
    edits = earlier
    if arguments.slicing != "bars" and any(edit["what"] == "grid" for edit in edits):
        raise TimelineError(
            "The windows of --slicing housex are fixed; the timeline's grid was corrected by hand.",
            "Forget that with --clear-edits grid, or choose another name with -o.",
        )
    grid, files = None, []
    for path, wanted in (
        (arguments.grid, "grid"),
        (arguments.tracklist, "tracks"),
        (arguments.import_file, "anything"),
    ):
        if path is None:
            continue
        imported = _read(path, Path(arguments.mix).name, speaker)
        if wanted == "grid" and not _has_grid(imported):
            raise TimelineError(
                f"{path.name} holds no beats.", "Choose a rekordbox XML with a grid, labels of beats or .beats."
            )
        if wanted == "tracks" and not (imported.tracks or imported.cues):
            raise TimelineError(f"{path.name} holds no tracks.", "Choose a cue sheet, a tracklist or rekordbox cues.")
        if wanted != "tracks" and grid is None and _has_grid(imported):
            grid = _grid_in(imported)
        if wanted != "grid":
            files.append(imported)
    if grid is not None:
        edits = tuple(edit for edit in edits if edit["what"] != "grid")
        return Known(edits, grid, True, tuple(files))
    replaces = [edit for edit in edits if edit["what"] == "grid" and edit["op"] == "replace"]
    return Known(edits, _stored(replaces[-1]) if replaces else None, False, tuple(files))


def _read(path: Path, mix_file: str, speaker: Speaker) -> Imported:
    from ..exchange import read

    imported = read(path, mix_file)
    for text in imported.messages:
        speaker.warn(text)
    return imported


def _has_grid(imported: Imported) -> bool:
    times = (imported.beats_s, imported.downbeats_s, imported.tempos)
    return any(found is not None and len(found) for found in times)


def _grid_in(imported: Imported) -> GivenGrid:
    from ..exchange import grid_from

    def listed(times: object) -> object:
        return None if times is None else [round(float(t), 5) for t in times]  # type: ignore[attr-defined]

    facts = [listed(imported.beats_s), listed(imported.downbeats_s), imported.tempos]
    return GivenGrid(_digest(facts), lambda duration_s: grid_from(imported, duration_s))


def _stored(edit: Edit) -> GivenGrid:
    def make(_duration_s: float) -> BarGrid:
        try:
            return grid_of(edit["value"])
        except HouseXError as error:
            raise _misfit(error) from error

    return GivenGrid(_digest(edit["value"]), make)


def _misfit(error: HouseXError) -> TimelineError:
    return TimelineError(
        f"An earlier correction no longer fits the mix: {error.message}",
        "Take it out of the list of edits in the timeline, or forget all with --clear-edits.",
    )


def _digest(facts: object) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def tapped_over_ruler(timeline: Timeline) -> GivenGrid | None:
    """The tapped bars, where no beat was heard and taps are the only correction of the grid: worth hearing on."""
    ops = [edit["op"] for edit in timeline.edits if edit["what"] == "grid"]
    if timeline.grid_source != "ruler" or ops != ["tap"]:
        return None
    grid = grid_with_edits(timeline)
    return GivenGrid(_digest(value_of(grid)), lambda _duration_s: grid)


def with_files(timeline: Timeline, known: Known, warn: Callable[[str], None]) -> Timeline:
    """The timeline with the edits of before, those without a place in it named, and those that the files stand for.

    Raises:
        HouseXError: One of them cannot be applied.
    """
    timeline = replace(timeline, edits=known.edits)
    for text in conflicts(timeline):
        warn(text)
    if known.from_file:
        timeline = add_edit(
            timeline, {"what": "grid", "op": "replace", "from_s": 0.0, "value": value_of(timeline.grid)}
        )
        _say_what_is_missing(timeline, warn)
    for imported in known.files:
        for edit in (
            *_track_edits(imported, timeline.mix.duration_s, warn),
            *_section_edits(imported, timeline.mix.duration_s),
        ):
            if edit["what"] == "tracks":
                # one list of tracks: a corrected tracklist is not laid over the one before it
                kept = tuple(old for old in timeline.edits if old["what"] != "tracks")
                timeline = replace(timeline, edits=kept)
            timeline = add_edit(timeline, edit)
    return timeline


def _say_what_is_missing(timeline: Timeline, warn: Callable[[str], None]) -> None:
    first_s, last_s = float(timeline.grid.starts_s[0]), float(timeline.grid.ends_s[-1])
    if first_s > _MISSING_S:
        warn(f"The grid begins at {first_s:.0f} s: there are no bars before.")
    if last_s < timeline.mix.duration_s - _MISSING_S:
        warn(f"The grid ends at {last_s:.0f} s of {timeline.mix.duration_s:.0f} s: there are no bars after.")


def _track_edits(imported: Imported, duration_s: float, warn: Callable[[str], None]) -> list[Edit]:
    rows = [(start_s, " – ".join(filter(None, [performer, title]))) for start_s, title, performer in imported.tracks]
    # a drop that is marked is no record
    rows = rows or [(time_s, name) for time_s, name in imported.cues if section_of_mark(name) is None]
    inside = [row for row in rows if row[0] < duration_s]
    if rows and not inside:
        raise TimelineError(
            f"All of its tracks begin after the end of the mix at {duration_s:.0f} s.",
            "Choose the tracklist of this mix.",
        )
    if inside and not imported.tracks:
        warn(f"No tracks are named as such: {len(inside)} cues were taken for track changes.")
    if len(inside) < len(rows):
        warn(f"{len(rows) - len(inside)} of {len(rows)} tracks begin after the end of the mix and were left out.")
    rows = inside
    if not rows:
        return []
    value = [{"start_s": round(float(start_s), 5), "title": name[:1000]} for start_s, name in rows]
    return [{"what": "tracks", "from_s": 0.0, "value": value}]


def _section_edits(imported: Imported, duration_s: float) -> list[Edit]:
    edits: list[Edit] = []
    for start_s, end_s, name in imported.sections:
        stop_s = end_s if end_s > start_s else duration_s + 10.0
        if name in SECTIONS and start_s < duration_s:
            edits.append({"what": "section", "from_s": float(start_s), "to_s": float(stop_s), "value": name})
    return edits


def earlier_edits(output: Path, sha256: str, forget: str | None) -> tuple[Edit, ...]:
    """What was corrected by hand in the timeline that is about to be replaced.

    Args:
        output: The timeline, or a name that is free.
        sha256: Of the mix.
        forget: Which edits no longer count: ``grid``, ``all`` or None.

    Raises:
        TimelineError: It cannot be read, or was corrected for another recording: work of hours could be lost.
    """
    if forget == "all" or not output.exists():
        return ()
    way_out = "Rename it, name another file to write, or start afresh with --clear-edits."
    try:
        data = read_checked(output)
    except TimelineError as error:
        said = error.message if output.name in error.message else f"{output.name} has a wrong edit. {error.message}"
        raise TimelineError(f"{said} What was corrected by hand in it would be lost.", way_out) from error
    edits = tuple(edit for edit in data["edits"] if edit["what"] != forget)
    if edits and data["mix"]["sha256"] != sha256:
        raise TimelineError(f"{output.name} was corrected by hand for another recording.", way_out)
    return edits
