"""Headless front end: a mix goes in, a film with sound comes out.

    blender -b --python-exit-code 1 -P render_mix.py -- MIX [options]
    python render_mix.py MIX [options]          (with the bpy module)

Exit code 0 only when everything asked for is on disk.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

sys.path.insert(0, str(Path(__file__).resolve().parent))

from housex_blender.core.edits import grid_with_edits
from housex_blender.core.errors import Cancelled, HouseXError
from housex_blender.core.looks import Look, load_palettes
from housex_blender.core.options import (
    UsageError,
    add_hearing_options,
    as_arguments,
    check_hearing_options,
    export_kinds,
    export_path,
    joined,
)
from housex_blender.core.process import AnalysisJob, find_python
from housex_blender.core.protocol import Kind, Message
from housex_blender.core.screen import Screen, spoken_duration
from housex_blender.core.timecode import parse_moment
from housex_blender.core.timeline import Timeline, envelope_path_of

RESOLUTIONS = {"draft": (480, 270), "preview": (960, 540), "final": (1920, 1080)}
VIDEO_ENDINGS = (".mp4", ".mov", ".mkv")
EXIT_FAILED, EXIT_USAGE, EXIT_CANCELLED = 1, 2, 130


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"The command line is not right: {message}.", "See --help.")


class Stop:
    """Remembers that Ctrl-C was pressed, so that a frame is finished before the end."""

    def __init__(self) -> None:
        self.asked = False
        for name in ("SIGINT", "SIGTERM"):
            signal.signal(getattr(signal, name), self._note)

    def _note(self, _number: int, _frame: object) -> None:
        if self.asked:
            os._exit(EXIT_CANCELLED)  # a second Ctrl-C does not wait
        self.asked = True

    def __call__(self) -> bool:
        return self.asked


def get_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = _Parser(prog="render_mix.py", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("mix", type=Path, help="audio file")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILM.mp4|FRAMES/", help="film, or a folder for the frames"
    )
    parser.add_argument("--timeline", type=Path, metavar="F.housex.json", help="use this analysis instead of a new one")
    parser.add_argument("--save-timeline", type=Path, metavar="F.housex.json", help="keep the new analysis here")
    parser.add_argument("--plot", type=Path, metavar="F.png", help="draw the timeline (with a new analysis)")
    parser.add_argument("--blend", type=Path, metavar="F.blend", help="save the keyed scene")
    parser.add_argument("--scene", default="tunnel", help="tunnel, or a .blend of your own that reads HX Show")
    parser.add_argument("--palette", default="house", help="name or JSON file of the colours")
    parser.add_argument("--engine", default="cycles", choices=("cycles", "eevee", "workbench"))
    parser.add_argument("--quality", default="draft", choices=tuple(RESOLUTIONS))
    parser.add_argument(
        "--resolution", metavar="WxH", help="pixels (default: 480x270, 960x540 or 1920x1080 by quality)"
    )
    parser.add_argument("--fps", type=float, default=24.0)
    parser.add_argument("--start", default="0", metavar="T", help="seconds, mm:ss, hh:mm:ss or a bar: b33")
    parser.add_argument("--end", default="", metavar="T", help="where the film ends (default: with the mix)")
    parser.add_argument(
        "--still",
        action="append",
        nargs="+",
        default=[],
        metavar="T",
        help="also pictures at these times, into stills/ beside the film",
    )
    parser.add_argument("--no-render", action="store_true", help="no film: only timeline, .blend and stills")
    parser.add_argument("--resume", action="store_true", help="keep the frames of a render that was interrupted")
    parser.add_argument("--model", default="", metavar="DIR", help="model folder (default: the one that ships)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, mps ... for the analysis")
    parser.add_argument("--slicing", default="bars", choices=("bars", "housex"))
    parser.add_argument("--intensity", type=float, default=1.0, help="factor on the lights")
    parser.add_argument("--displacement", type=float, default=1.0, help="factor on the movement of the walls")
    parser.add_argument("--attack", type=float, default=10.0, metavar="MS",
                        help="how quickly light follows a rising level, in milliseconds (default: 10)")  # fmt: skip
    parser.add_argument("--release", type=float, default=180.0, metavar="MS",
                        help="how slowly it follows a falling one (default: 180)")  # fmt: skip
    parser.add_argument("--speed", type=float, default=1.0, help="factor on the camera's speed")
    parser.add_argument("--seed", type=int, default=0, help="another camera sway, another tunnel")
    add_hearing_options(parser)
    return parser


@dataclass(frozen=True)
class Request:
    """A checked command line."""

    arguments: argparse.Namespace
    film: Path | None
    resolution: tuple[int, int]
    stills: tuple[str, ...]
    look: Look


def check(arguments: argparse.Namespace) -> Request:
    """Refuse what cannot work before any time is spent.

    Raises:
        HouseXError: With the sentence for the user.
    """
    resolution = RESOLUTIONS[arguments.quality]
    if arguments.resolution:
        match = re.fullmatch(r"(\d{1,5})x(\d{1,5})", arguments.resolution.lower(), re.ASCII)
        parts = [int(part) for part in match.groups()] if match else []
        if not parts or not all(16 <= part <= 16384 for part in parts):
            raise UsageError(f"{arguments.resolution!r} is not a resolution.", "Write, for example, 1280x720.")
        # H.264 wants even sizes
        resolution = (parts[0] // 2 * 2, parts[1] // 2 * 2)
    if not 1.0 <= arguments.fps <= 240.0:
        raise UsageError(f"{arguments.fps:g} frames per second is not possible.", "Choose 1 to 240.")
    if not 0 <= arguments.seed < 2**32:
        raise UsageError(f"The seed {arguments.seed} is not possible.", "Choose 0 to 4294967295.")
    check_hearing_options(arguments)
    asked = [text.split("=")[0] for text in as_arguments(arguments)]
    if asked and arguments.timeline is not None:
        raise UsageError(f"{asked[0]} has no effect with --timeline.", "Leave out --timeline: results are cached.")
    if arguments.export and arguments.save_timeline is None:
        raise UsageError("--export writes beside the timeline.", "Say where that goes with --save-timeline.")
    stills = tuple(moment for group in arguments.still for moment in group)
    for moment in (arguments.start, *stills, *([arguments.end] if arguments.end else [])):
        moment_s(moment)
    own = arguments.scene != "tunnel"
    if own and not (arguments.scene.lower().endswith(".blend") and Path(arguments.scene).is_file()):
        raise UsageError(f"There is no scene {arguments.scene!r}.", "Choose tunnel, or name a .blend file.")
    film = None if arguments.no_render else arguments.output or Path(arguments.mix.stem + ".mp4")
    if film is not None and film.suffix and film.suffix.lower() not in VIDEO_ENDINGS:
        raise UsageError(f"{film.name} is not a film.", "Let it end in .mp4, or name a folder for the frames.")
    if film is None and not (stills or arguments.blend or arguments.save_timeline or arguments.plot or arguments.click):
        raise UsageError(
            "With --no-render nothing would be written.", "Add --save-timeline, --plot, --blend or --still."
        )
    _check_paths(arguments, film, bool(stills))
    look = Look(load_palettes(arguments.palette), arguments.intensity, arguments.displacement, arguments.speed,
                arguments.attack, arguments.release, arguments.seed)  # fmt: skip
    return Request(arguments, film, resolution, stills, look)


def moment_s(text: str, timeline: Timeline | None = None) -> float:
    """Seconds of a moment on the command line.

    Raises:
        UsageError: It is none, or lies outside the mix.
    """
    try:
        return parse_moment(text, grid_with_edits(timeline) if timeline else None)
    except HouseXError as error:
        raise UsageError(error.message, error.hint) from error


def _check_paths(arguments: argparse.Namespace, film: Path | None, stills: bool) -> None:
    """Refuse places that cannot be written, and files that would overwrite what is read or one another."""
    read = [arguments.mix, arguments.timeline, Path(arguments.scene), Path(arguments.palette)]
    read += [arguments.grid, arguments.tracklist, arguments.import_file]
    places = (film, arguments.blend, arguments.save_timeline, arguments.plot, arguments.click)
    written = [path for path in places if path is not None]
    written += [envelope_path_of(arguments.save_timeline)] if arguments.save_timeline is not None else []
    for number, path in enumerate(written):
        try:
            _check_writable(path)
            for other in [*(other for other in read if other is not None), *written[:number]]:
                same = path.resolve() == other.resolve()
                if same or (path.exists() and other.exists() and path.samefile(other)):
                    raise HouseXError(f"{path.name} would overwrite {other.name}.", "Choose another name.")
        except OSError as error:
            raise HouseXError(
                f"{path} cannot be written: {error.strerror or error}.", "Choose another name."
            ) from error
    if stills:
        _check_writable(_stills_folder(arguments) / "still.png", make=True)


def _check_writable(path: Path, make: bool = False) -> None:
    folder = path.resolve().parent
    if make and not folder.exists():
        folder = folder.parent
    if not folder.is_dir():
        raise HouseXError(f"The folder {folder} does not exist.", "Make it first, or write somewhere else.")
    target = path if path.is_dir() else folder
    if not os.access(target, os.W_OK):
        raise HouseXError(f"The folder {target} cannot be written.", "Choose another one.")
    if path.suffix and path.is_dir():
        raise HouseXError(f"{path} is a folder.", "Name a file to write.")


def _stills_folder(arguments: argparse.Namespace) -> Path:
    base = arguments.output or Path(f"{arguments.mix.stem}.mp4")
    return Path(base).parent / "stills"


def analyse(request: Request, screen: Screen, stop: Stop, folder: Path) -> Timeline:
    """The timeline: from ``--timeline``, or heard now in a process of its own.

    Raises:
        HouseXError: Unreadable mix, wrong timeline, no Python for the analysis, cancelled.
    """
    arguments = request.arguments
    try:
        there = arguments.mix.exists()
    except OSError as error:
        raise HouseXError(f"The mix cannot be read: {error.strerror or error}.", "Check its name.") from error
    if not there:
        raise HouseXError(f"There is no file {arguments.mix}.", "Check the path of the mix.")
    if arguments.timeline is not None:
        timeline = Timeline.load(arguments.timeline)
        timeline.check_mix(arguments.mix)
        screen.line(f"Using {arguments.timeline.name}: {timeline.grid.n_bars} bars")
        return timeline
    target = arguments.save_timeline or folder / "timeline.housex.json"
    # whole paths and joined options: a name may begin with a dash
    command = [os.path.abspath(arguments.mix), f"--output={os.path.abspath(target)}", f"--device={arguments.device}",
               f"--slicing={arguments.slicing}", f"--palette={arguments.palette}"]  # fmt: skip
    command += [f"--model={arguments.model}"] if arguments.model else []
    command += [f"--plot={os.path.abspath(arguments.plot)}"] if arguments.plot else []
    command += as_arguments(arguments)
    began_s = time.monotonic()

    def hear(message: Message) -> None:
        if message.kind is Kind.PROGRESS:
            done, total = float(message.fields["done"]), float(message.fields["total"])
            spent_s = time.monotonic() - began_s
            screen.progress("Listening", done, total, spent_s * (total - done) / done if done > 0 else None)
        elif message.kind is Kind.STATUS:
            screen.line(message.text)
        elif message.kind is Kind.WARNING:
            screen.line(f"Warning: {message.text}")

    job = AnalysisJob(command, python=find_python())
    return Timeline.load(job.wait(hear, stop))


@contextmanager
def quiet_blender() -> Iterator[None]:
    """Silence what Blender and the graphics driver print for every frame; our own lines have a stream of their own."""
    sys.stdout.flush()
    kept, nowhere = [os.dup(1), os.dup(2)], os.open(os.devnull, os.O_WRONLY)
    for number in (1, 2):
        os.dup2(nowhere, number)
    os.close(nowhere)
    try:
        yield
    finally:
        for number, copy in zip((1, 2), kept, strict=True):
            os.dup2(copy, number)
            os.close(copy)


def show_and_render(request: Request, timeline: Timeline, screen: Screen, stop: Stop) -> list[Path]:
    """Build the scene and write all that was asked for; returns the files.

    Raises:
        HouseXError: Something could not be built or written.
    """
    # only here: a wrong command line or mix is refused without waiting for Blender
    from housex_blender.scene import build, film

    arguments = request.arguments
    duration_s = timeline.mix.duration_s
    start_s = moment_s(arguments.start, timeline)
    end_s = moment_s(arguments.end, timeline) if arguments.end else duration_s
    moments_s = [moment_s(moment, timeline) for moment in request.stills]
    for wanted_s, text in zip([start_s, *moments_s], [arguments.start, *request.stills], strict=True):
        if not 0 <= wanted_s < duration_s:
            raise UsageError(f"{text} lies outside the mix.", f"It is {duration_s:.1f} s long.")
    if end_s <= start_s:
        raise UsageError("The film would end before it starts.", "Let --end be later than --start.")
    plan = film.FilmPlan(arguments.scene, arguments.engine, arguments.quality, request.resolution, arguments.fps,
                         start_s, min(end_s, duration_s))  # fmt: skip
    screen.line("Building the scene")
    show = film.make_show(timeline, request.look, arguments.mix.resolve(), plan)
    for text in show.warnings:
        screen.line(f"Warning: {text}")
    written: list[Path] = []
    if arguments.blend is not None:
        build.save_blend(arguments.blend)
        written.append(arguments.blend)
    if request.stills:
        written += _stills(request, show, moments_s, screen, stop)
    if request.film is not None:
        began_s = time.monotonic()

        def told(done: int, total: int, frame_s: float) -> None:
            screen.progress(f"Rendering, {frame_s:.1f} s per frame", done, total, frame_s * (total - done))

        written.append(
            film.render_film(show, request.film, resume=arguments.resume, on_progress=told, should_stop=stop)
        )
        screen.line(f"Rendered {len(plan.frames)} frames in {spoken_duration(time.monotonic() - began_s)}")
    return written


def _stills(request: Request, show: object, moments_s: Sequence[float], screen: Screen, stop: Stop) -> list[Path]:
    from housex_blender.scene import film

    folder = _stills_folder(request.arguments)
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise HouseXError(f"{folder} cannot be made: {error.strerror or error}.", "Choose another -o.") from error
    paths = []
    for number, (when_s, text) in enumerate(zip(moments_s, request.stills, strict=True), 1):
        if stop():
            raise Cancelled()
        name = "".join(c if c.isalnum() else "-" for c in text)
        path = folder / f"{request.arguments.mix.stem[:80]}-{number:02d}-{name}.png"
        film.render_stills(show, [when_s], [path], request.arguments.quality)  # type: ignore[arg-type]
        screen.progress("Stills", number, len(moments_s), None)
        paths.append(path)
    return paths


def run(arguments: argparse.Namespace, screen: Screen, stop: Stop) -> list[Path]:
    """Everything from the checked command line to the files on disk; returns them.

    Raises:
        HouseXError: With the sentence for the user.
    """
    request = check(arguments)
    with tempfile.TemporaryDirectory(prefix="housex-") as folder:
        timeline = analyse(request, screen, stop, Path(folder))
        if stop():
            raise Cancelled()
        heard = [arguments.save_timeline, arguments.plot, arguments.click]
        written = [path for path in heard if path and not arguments.timeline]
        if arguments.save_timeline is not None:
            written += [export_path(arguments.save_timeline, kind) for kind in export_kinds(arguments.export)]
        if request.film is None and arguments.blend is None and not request.stills:
            return written
        with quiet_blender():
            written += show_and_render(request, timeline, screen, stop)
    return written


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit code."""
    if argv is None:
        # Blender's own arguments end at "--"; run by Python, "--" is argparse's and ends the options
        inside_blender = Path(sys.argv[0]).name != Path(__file__).name
        argv = sys.argv[sys.argv.index("--") + 1 :] if inside_blender and "--" in sys.argv else sys.argv[1:]
    screen, stop = Screen(), Stop()
    try:
        for path in run(get_parser().parse_args(joined(argv)), screen, stop):
            screen.line(f"Wrote {path}")
        return 0
    except Cancelled as error:
        screen.line(str(error))
        return EXIT_CANCELLED
    except UsageError as error:
        screen.line(f"render_mix: {error}")
        return EXIT_USAGE
    except HouseXError as error:
        screen.line(f"render_mix: {error}")
        return EXIT_CANCELLED if stop() else EXIT_FAILED
    except KeyboardInterrupt:
        screen.line("Cancelled.")
        return EXIT_CANCELLED
    except MemoryError:
        screen.line("render_mix: There is not enough memory. Close other programs or choose a smaller resolution.")
        return EXIT_FAILED
    except Exception as error:  # noqa: BLE001 - the last resort: a sentence for the user, the trace for whoever mends it
        with tempfile.NamedTemporaryFile("w", prefix="housex-", suffix=".log", delete=False, encoding="utf-8") as log:
            traceback.print_exc(file=log)
        screen.line(f"render_mix: {type(error).__name__}: {error}. Please report it with {log.name}.")
        return EXIT_FAILED


if __name__ == "__main__":
    sys.exit(main())
