"""The analysis as a program: JSON lines on stdout, logs on stderr, exit code 0 only with a file. Zone: analysis."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn, TextIO

from ..core import lifeline
from ..core.edits import with_edits
from ..core.errors import AudioError, Cancelled, HouseXError, TimelineError
from ..core.files import sha256_of
from ..core.looks import load_palettes
from ..core.options import (
    UsageError,
    add_hearing_options,
    check_hearing_options,
    corrected,
    export_kinds,
    export_path,
    joined,
)
from ..core.protocol import PROTOCOL, Kind, Message
from ..core.timeline import Timeline, envelope_path_of
from ..exchange import EXPORTS, check_library, write

EXIT_FAILED, EXIT_USAGE, EXIT_CANCELLED = 1, 2, 130


class Speaker:
    """Writes messages; the only thing that touches stdout."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._last_progress_s = 0.0
        self.warnings: list[str] = []

    def say(self, kind: Kind, **fields: Any) -> None:
        """One message."""
        self._stream.write(Message(kind, fields).encode() + "\n")
        self._stream.flush()

    def status(self, text: str) -> None:
        """What is being done."""
        self.say(Kind.STATUS, text=text)

    def warn(self, text: str) -> None:
        """Something the user should know; also kept for the timeline. Said once."""
        if text not in self.warnings:
            self.warnings.append(text)
            self.say(Kind.WARNING, text=text)

    def progress(self, done_s: float, total_s: float) -> None:
        """How far the reading is, at most ten times a second."""
        now_s = time.monotonic()
        if now_s - self._last_progress_s > 0.1 or done_s >= total_s:
            self._last_progress_s = now_s
            self.say(Kind.PROGRESS, done=round(done_s, 2), total=round(total_s, 2), unit="s")


class Parser(argparse.ArgumentParser):
    """Says usage errors as a message too, so that the panel can show them."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"The command line is not right: {message}.", "See --help.")


def get_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = Parser(
        prog="python -m housex_blender.analysis",
        description="Hear a mix: bars, sub-genre of every bar, drops, track changes. Reads one audio file, writes "
        "MIX.housex.json and MIX.housex.npz; JSON lines on stdout tell how far it is.",
    )
    parser.add_argument("mix", type=Path, help="audio file")
    parser.add_argument("-o", "--output", type=Path, help="timeline to write (default: MIX.housex.json in this folder)")
    parser.add_argument("--plot", type=Path, metavar="FILE.png", help="also draw the timeline")
    parser.add_argument("--model", default="", metavar="DIR", help="model folder (default: the one that ships)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, mps, directml or coreml (default: auto)")
    parser.add_argument("--backend", default="auto", choices=("auto", "onnx", "torch"), help="library for the network")
    parser.add_argument("--palette", default="house", help="colours of the drawing: a name or a JSON file")
    parser.add_argument("--slicing", default="bars", choices=("bars", "housex"),
                        help="bars that were heard, or the HouseX paper's fixed windows of 1.875 s")  # fmt: skip
    parser.add_argument("--fps", type=float, default=24.0, help="frames per second of exported tables (default: 24)")
    add_hearing_options(parser)
    parser.add_argument("--no-cache", action="store_true", help="do not use or keep the result of an earlier run")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit code."""
    return speaking(
        lambda speaker: run(get_parser().parse_args(joined(sys.argv[1:] if argv is None else argv)), speaker)
    )


def speaking(work: Callable[[Speaker], object]) -> int:
    """Run ``work`` as a program that speaks the protocol; returns its exit code."""
    # libraries that print must not end up on the wire: the real stdout is kept for messages only
    wire = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8", newline="\n")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    speaker = Speaker(wire)
    code = EXIT_FAILED
    try:
        _listen_for_signals()
        lifeline.hold()
        code = _guarded(speaker, work)
        speaker.say(Kind.DONE, ok=code == 0)
    except (BrokenPipeError, OSError):
        code = code or EXIT_FAILED  # nobody reads any more
    return code


def _listen_for_signals() -> None:
    def stop(_number: int, _frame: object) -> NoReturn:
        raise KeyboardInterrupt

    if threading.current_thread() is threading.main_thread():
        for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), stop)


def _guarded(speaker: Speaker, work: Callable[[Speaker], object]) -> int:
    """Every failure becomes one error message and an exit code."""
    try:
        work(speaker)
        return 0
    except KeyboardInterrupt:
        speaker.say(Kind.ERROR, text="Cancelled.", hint="")
        return EXIT_CANCELLED
    except Cancelled as error:
        speaker.say(Kind.ERROR, text=error.message, hint=error.hint)
        return EXIT_CANCELLED
    except HouseXError as error:
        speaker.say(Kind.ERROR, text=error.message, hint=error.hint)
        return EXIT_USAGE if isinstance(error, UsageError) else EXIT_FAILED
    except MemoryError:
        speaker.say(Kind.ERROR, text="There is not enough memory.", hint="Close other programs and try again.")
    except Exception as error:  # noqa: BLE001 - the one place where everything must become a message
        # the traceback is for whoever mends this, on stderr; the user gets a sentence
        traceback.print_exc()
        speaker.say(Kind.ERROR, text=f"The analysis failed: {type(error).__name__}: {error}", hint="Please report it.")
    return EXIT_FAILED


def default_output(mix: Path) -> Path:
    """``NAME.housex.json`` in the current folder."""
    return Path.cwd() / f"{mix.stem}.housex.json"


def check_folder(path: Path) -> None:
    """Refuse an output whose folder is missing or read-only, before minutes are spent.

    Raises:
        TimelineError: The file could not be written.
    """
    folder = path.parent
    if not folder.is_dir():
        raise TimelineError(f"The folder {folder} does not exist.", "Make it first, or write somewhere else.")
    if path.is_dir():
        raise TimelineError(f"{path} is a folder.", "Name a file to write.")
    if not os.access(folder, os.W_OK):
        raise TimelineError(f"The folder {folder} cannot be written.", "Choose another one.")


def run(arguments: argparse.Namespace, speaker: Speaker) -> Timeline:
    """Analyse one mix and write what was asked for.

    Raises:
        HouseXError: With a sentence for the user; nothing half-written is left.
    """
    from .audio import probe
    from .given import earlier_edits, known_about, tapped_over_ruler, with_files
    from .hear import Recording, Wishes, cached_or_heard

    mix = Path(arguments.mix)
    output = Path(arguments.output or default_output(mix))
    written = _check_places(arguments, mix, output)
    speaker.say(Kind.HELLO, protocol=PROTOCOL, version=generator_version(), pid=os.getpid())
    info = probe(mix)
    check_palette(arguments)
    try:
        recording = Recording(mix, info, sha256_of(mix))
    except OSError as error:
        raise AudioError(f"{mix} cannot be read: {error.strerror or error}.", "Copy it to a local disk.") from error
    known = known_about(arguments, earlier_edits(output, recording.sha256, arguments.clear_edits), speaker)
    wishes = Wishes(arguments.slicing, arguments.bpm, arguments.drops, known.grid)
    heard = cached_or_heard(recording, wishes, arguments, speaker)
    timeline = corrected(with_files(heard, known, speaker.warn), arguments.corrections)
    tapped = tapped_over_ruler(timeline)
    if tapped is not None:
        # on a ruler nothing drops: with taps there are bars, and the form is heard on those
        speaker.status("Hearing again on the tapped bars")
        speaker.warnings = [text for text in speaker.warnings if text != heard.grid_message]
        again = cached_or_heard(recording, replace(wishes, grid=tapped), arguments, speaker)
        timeline = replace(again, edits=timeline.edits)
    edited = with_edits(timeline)
    timeline.save(output)
    if arguments.plot is not None:
        speaker.status("Drawing the timeline")
        from .plot import draw_timeline

        draw_timeline(edited, arguments.plot, arguments.palette)
    failed: list[HouseXError] = []
    for kind, path in written.items():
        try:
            _export(edited, path, kind, arguments.fps, speaker)
        except HouseXError as error:
            # what can be written is written; the first that cannot is told at the end
            failed.append(error)
    if arguments.click is not None:
        from .click import write_click

        speaker.status("Writing a click on every beat")
        write_click(mix, edited.grid, arguments.click, alone=arguments.click_alone, on_progress=speaker.progress,
                    on_warning=speaker.warn)  # fmt: skip
    if failed:
        raise failed[0]
    speaker.say(Kind.RESULT, path=str(output), summary=summary(edited))
    return timeline


def check_palette(arguments: argparse.Namespace) -> None:
    """Refuse colours for the drawing that are not there, before minutes are spent.

    Raises:
        HouseXError: There are no such colours.
    """
    if arguments.plot is not None:
        load_palettes(arguments.palette)


def _check_places(arguments: argparse.Namespace, mix: Path, output: Path) -> dict[str, Path]:
    """Refuse options and places that cannot work before minutes are spent; returns kind -> file of every export.

    Raises:
        HouseXError: With a sentence about the first of them.
    """
    check_hearing_options(arguments)
    if not 1.0 <= arguments.fps <= 240.0:
        raise UsageError(f"{arguments.fps:g} frames per second is not possible.", "Choose 1 to 240.")
    exports = {kind: export_path(output, kind) for kind in export_kinds(arguments.export)}
    for kind in exports:
        check_library(_exchange_kind(kind))
    places = [output, envelope_path_of(output), *filter(None, [arguments.plot, arguments.click]), *exports.values()]
    for place in places:
        check_folder(place)
    if output.suffix != ".json":
        raise TimelineError(f"{output.name} does not end in .json.", "Call it, for example, mix.housex.json.")
    if output.exists() and mix.exists() and output.samefile(mix):
        raise AudioError("The timeline would overwrite the mix.", "Choose another name with -o.")
    read = [mix, *filter(None, [arguments.grid, arguments.tracklist, arguments.import_file])]
    for number, place in enumerate(places):
        for other in [*read, *places[:number]]:
            same = place.absolute() == other.absolute()
            if same or (place.exists() and other.exists() and place.samefile(other)):
                name = "the mix" if other == mix else other.name
                raise HouseXError(f"{place.name} would overwrite {name}.", "Choose another name.")
    return exports


def _export(timeline: Timeline, path: Path, kind: str, fps: float, speaker: Speaker) -> None:
    speaker.status(f"Writing {path.name}")
    for text in write(timeline, path, _exchange_kind(kind), fps=fps):
        speaker.warn(text)


def _exchange_kind(kind: str) -> str:
    return kind if kind in EXPORTS else kind.replace("-", ".")


def generator_version() -> str:
    """Version on the extension's manifest, the only place it is written."""
    import tomllib

    manifest = Path(__file__).resolve().parents[2] / "blender_manifest.toml"
    try:
        return str(tomllib.loads(manifest.read_text(encoding="utf-8"))["version"])
    except (OSError, KeyError, tomllib.TOMLDecodeError):
        return "unknown"


def summary(timeline: Timeline) -> dict[str, Any]:
    """What the panel shows after a run."""
    tempo = sorted(timeline.grid.bpm)
    return {
        "bars": timeline.grid.n_bars,
        "bpm": [round(tempo[len(tempo) // 20], 2), round(tempo[-1 - len(tempo) // 20], 2)],
        "tracks": [track.label for track in timeline.tracks],
        "traits": [track.traits for track in timeline.tracks],
        "drops": len(timeline.drops),
        "shares": {genre: round(part, 3) for genre, part in timeline.share().items() if part >= 0.01},
        "uncertain": round(float(timeline.uncertain.mean()), 3),
        "grid_confidence": round(timeline.grid_confidence, 3),
        "grid_source": timeline.grid_source,
    }
