"""The options of a command line that say what is known about a mix, and what to write besides. Zone: pure.

The analysis and render_mix.py share them: both check them, the second passes them on.
"""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .bars import BEATS_PER_BAR
from .edit_rules import LEAST_TAPS
from .edits import Edit, add_edit, grid_with_edits
from .errors import HouseXError
from .timecode import parse_moment
from .timeline import Timeline

# kind -> how the name of its file ends, beside the timeline
EXPORT_ENDINGS = {
    "csv": ".bars.csv",
    "beats-csv": ".beats.csv",
    "labels": ".labels.txt",
    "lab": ".lab",
    "beats": ".beats",
    "cue": ".cue",
    "chapters": ".chapters.txt",
    "midi": ".mid",
    "jams": ".jams",
    "tracklist": ".tracklist.txt",
    "rekordbox": ".rekordbox.xml",
}
DROP_RULES = ("sliding", "mainstage", "mainstage-2db")
CLICK_ENDINGS = (".wav", ".flac")
BPM_RANGE = (40.0, 300.0)
_FILES = ("grid", "tracklist", "import_file")
_NUDGE = re.compile(r"([+-]?(?:\d+(?:\.\d*)?|\.\d+))@(.+)", re.ASCII)
_MAX_TAPS_BYTES = 1_000_000


class UsageError(HouseXError):
    """The command line cannot be understood."""


class _Correct(argparse.Action):
    """Keeps corrections of different kinds in the order in which they were written."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        kept = [*getattr(namespace, "corrections", []), ((option or "").lstrip("-"), str(values))]
        namespace.corrections = kept


def add_hearing_options(parser: argparse.ArgumentParser) -> None:
    """What is known beforehand, what to correct, and what to write besides the timeline."""
    known = parser.add_argument_group("what is known about the mix")
    known.add_argument("--bpm", type=float, metavar="N", help="its tempo: the beat is looked for within 3 %% of it")
    known.add_argument("--grid", type=Path, metavar="FILE", help="take beats and bars from this file (rekordbox XML, "
                       "beats, labels); everything else is heard on them")  # fmt: skip
    known.add_argument("--tracklist", type=Path, metavar="FILE",
                       help="take track changes and titles from this file (cue, tracklist, rekordbox XML)")  # fmt: skip
    known.add_argument("--import", dest="import_file", type=Path, metavar="FILE",
                       help="take whatever this file holds: beats, tracks, sections")  # fmt: skip
    known.add_argument("--drops", default="sliding", choices=DROP_RULES,
                       help="what counts as a drop: louder than around it, or the mainstage paper's rule")  # fmt: skip
    hand = parser.add_argument_group(
        "corrections by hand", "Kept in the timeline and applied in order. T is seconds, mm:ss, hh:mm:ss or a bar: b33."
    )
    hand.set_defaults(corrections=[])
    for op, what in (("halve", "half as many"), ("double", "twice as many")):
        hand.add_argument(f"--{op}", action=_Correct, metavar="T", help=f"{what} beats from T on")
    hand.add_argument("--nudge", action=_Correct, metavar="BEATS@T",
                      help="move bars from T on by beats, or beats by half a one: 1@b33, -0.5@2:10")  # fmt: skip
    hand.add_argument("--tap", action=_Correct, metavar="TIMES",
                      help='tempo from taps on beats, the first on a one: "12.1,12.6,13,13.5", or a file')  # fmt: skip
    hand.add_argument("--clear-edits", nargs="?", const="all", choices=("grid", "all"),
                      help="first forget what was corrected before: the grid, or all")  # fmt: skip
    more = parser.add_argument_group("further files")
    more.add_argument("--export", default="", metavar="KIND[,KIND]",
                      help=f"also write, beside the timeline: {', '.join(EXPORT_ENDINGS)}")  # fmt: skip
    more.add_argument("--click", type=Path, metavar="FILE.wav", help="the mix with a click on every beat (wav or flac)")
    more.add_argument("--click-alone", action="store_true", help="leave the mix out of that file")


def joined(argv: Sequence[str]) -> list[str]:
    """The command line with ``--nudge -1@b33`` in one piece: apart, argparse takes the minus for an option."""
    result: list[str] = []
    for text in argv:
        if result and result[-1] in ("--nudge", "--tap") and re.match(r"-[\d.]", text):
            result[-1] += f"={text}"
        else:
            result.append(text)
    return result


def check_hearing_options(arguments: argparse.Namespace) -> None:
    """Refuse what cannot work before any time is spent.

    Raises:
        UsageError: One sentence about the option.
    """
    bpm = arguments.bpm
    if bpm is not None and not BPM_RANGE[0] <= bpm <= BPM_RANGE[1]:
        raise UsageError(f"{bpm:g} BPM is not possible.", f"Choose {BPM_RANGE[0]:g} to {BPM_RANGE[1]:g}.")
    given = [name for name in ("bpm", "grid") if getattr(arguments, name) is not None]
    if arguments.slicing != "bars" and (given or arguments.import_file or arguments.corrections):
        raise UsageError("The windows of --slicing housex are fixed.", "Leave out the options about the grid.")
    if len(given) > 1:
        raise UsageError("--bpm is for a beat that is heard, --grid for one that is known.", "Leave one of them out.")
    for name in _FILES:
        path = getattr(arguments, name)
        if path is not None and not os.path.isfile(path):
            raise UsageError(f"There is no file {path}.", f"Check the name after --{name.removesuffix('_file')}.")
    export_kinds(arguments.export)
    if arguments.click is not None and arguments.click.suffix.lower() not in CLICK_ENDINGS:
        raise UsageError(f"{arguments.click.name} is not a wav or flac file.", "Let --click end in .wav or .flac.")
    if arguments.click_alone and arguments.click is None:
        raise UsageError("--click-alone needs a file.", "Name it with --click.")
    for op, text in arguments.corrections:
        _parsed(op, text, None)


def export_kinds(text: str) -> list[str]:
    """Kinds of a list such as ``csv,cue``.

    Raises:
        UsageError: One of them is not known.
    """
    kinds = list(dict.fromkeys(kind.strip().lower() for kind in text.split(",") if kind.strip()))
    if text and not kinds:
        raise UsageError("--export names nothing.", f"Choose of: {', '.join(EXPORT_ENDINGS)}.")
    for kind in kinds:
        if kind not in EXPORT_ENDINGS:
            raise UsageError(f"{kind!r} is nothing that can be exported.", f"Choose of: {', '.join(EXPORT_ENDINGS)}.")
    return kinds


def export_path(timeline_path: Path, kind: str) -> Path:
    """``mix.bars.csv`` beside ``mix.housex.json``."""
    name = timeline_path.name.removesuffix(".json").removesuffix(".housex")
    return timeline_path.with_name(name + EXPORT_ENDINGS[kind])


def as_arguments(arguments: argparse.Namespace) -> list[str]:
    """The same options for another process; paths are whole, and joined, for a name may begin with a dash."""
    result = [f"--bpm={arguments.bpm!r}"] if arguments.bpm is not None else []
    for name in (*_FILES, "click"):
        path = getattr(arguments, name)
        result += [f"--{name.removesuffix('_file')}={os.path.abspath(path)}"] if path is not None else []
    result += ["--click-alone"] if arguments.click_alone else []
    result += [f"--drops={arguments.drops}"] if arguments.drops != "sliding" else []
    for op, text in arguments.corrections:
        result.append(f"--{op}={os.path.abspath(text) if op == 'tap' and os.path.isfile(text) else text}")
    result += [f"--clear-edits={arguments.clear_edits}"] if arguments.clear_edits else []
    result += [f"--export={arguments.export}", f"--fps={arguments.fps!r}"] if arguments.export else []
    return result


def corrected(timeline: Timeline, corrections: Sequence[tuple[str, str]]) -> Timeline:
    """The timeline with the corrections of a command line at the end of its edits.

    Raises:
        HouseXError: One of them cannot be applied.
    """
    for op, text in corrections:
        timeline = add_edit(timeline, _parsed(op, text, timeline))
    return timeline


def _parsed(op: str, text: str, timeline: Timeline | None) -> Edit:
    """The edit that an option means; without a timeline only its form is checked.

    Raises:
        UsageError: It has none.
    """
    edit: Edit = {"what": "grid", "op": op}
    if op == "tap":
        taps = _taps(text)
        return {**edit, "from_s": taps[0], "value": taps}
    if op == "nudge":
        match = _NUDGE.fullmatch(text.strip())
        beats = float(match[1]) if match else 0.0
        if match is None or not beats or 2 * beats != round(2 * beats) or abs(beats) > 64:
            raise UsageError(
                f"{text[:40]!r} is not a nudge.", "Write half or whole beats and a time: 0.5@b33, -1@2:10."
            )
        if beats % BEATS_PER_BAR == 0:
            raise UsageError(f"A nudge by {beats:g} beats is whole bars and moves nothing.", "Choose 0.5 to 3.5 beats.")
        edit["value"], text = beats, match[2]
    try:
        from_s = parse_moment(text, grid_with_edits(timeline) if timeline else None)
    except HouseXError as error:
        raise UsageError(error.message, error.hint) from error
    return {**edit, "from_s": round(from_s, 5)}


def _taps(text: str) -> list[float]:
    """Seconds of the taps, from the text itself or a file of that name."""
    try:
        if os.path.isfile(text):
            if os.path.getsize(text) > _MAX_TAPS_BYTES:
                raise UsageError(f"{text} is too large for a list of taps.", "Give one time on each line.")
            text = Path(text).read_text(encoding="utf-8-sig")
        taps = sorted(parse_moment(part) for part in re.split(r"[\s,;]+", text) if part)
    except (OSError, ValueError) as error:
        raise UsageError(f"The taps cannot be read: {error}.", "Give times in seconds, with commas.") from error
    except UsageError:
        raise
    except HouseXError as error:
        raise UsageError(f"A tap is not right: {error.message}", "Give times in seconds, with commas.") from error
    if len(set(taps)) < LEAST_TAPS:
        raise UsageError(f"{len(set(taps))} taps are too few.", f"Give {LEAST_TAPS} times or more, one for each beat.")
    return taps
