"""The command line of render_mix.py: its options, and what cannot work is refused before any time is spent. Zone: pure.

Blender is not needed for any of it: a wrong command line is answered at once.
"""

from __future__ import annotations

import argparse
import os
import re
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

from .edits import grid_with_edits
from .errors import HouseXError, LookError, SceneError
from .genres import GENRES, canonical
from .looks import MAX_SEED, Look, load_look, load_palettes
from .loops import parse_loop
from .options import UsageError, add_hearing_options, as_arguments, check_hearing_options
from .scene_kinds import SCENES, is_own
from .timecode import parse_moment
from .timeline import Timeline, envelope_path_of

# sixteenths of a picture's width and height: pixels by quality, how many by format
SIXTEENTH = {"draft": 30, "preview": 60, "final": 120}
SHAPES = {"wide": (16, 9), "square": (9, 9), "vertical": (9, 16)}
ENGINES = ("cycles", "eevee", "workbench")
VIDEO_ENDINGS = (".mp4", ".mov", ".mkv")
ALPHA_ENDING = ".mov"
SELF_TEST_FRAMES, MAX_SELF_TEST_FRAMES = 4, 1000
MIN_SIDE_PX, MAX_SIDE_PX = 16, 16384


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"The command line is not right: {message}.", "See --help.")


@dataclass(frozen=True)
class Request:
    """A checked command line.

    Attributes:
        arguments: As they were written.
        film: The film or the folder of frames; None if neither is to be rendered.
        resolution: Width and height in pixels.
        stills: Moments of single pictures.
        look: Colours and strengths.
    """

    arguments: argparse.Namespace
    film: Path | None
    resolution: tuple[int, int]
    stills: tuple[str, ...]
    look: Look


def get_parser(description: str) -> argparse.ArgumentParser:
    """The command line."""
    parser = _Parser(prog="render_mix.py", description=description)
    parser.add_argument("mix", type=Path, help="audio file")
    parser.add_argument(
        "-o", "--output", type=_output, metavar="FILM.mp4|FRAMES/", help="film, or a folder for the frames"
    )
    parser.add_argument("--timeline", type=Path, metavar="F.housex.json", help="use this analysis instead of a new one")
    parser.add_argument("--save-timeline", type=Path, metavar="F.housex.json", help="keep the new analysis here")
    parser.add_argument("--plot", type=Path, metavar="F.png", help="draw the timeline (with a new analysis)")
    parser.add_argument("--blend", type=Path, metavar="F.blend", help="save the keyed scene")
    parser.add_argument("--no-render", action="store_true", help="no film: only timeline, .blend and stills")
    parser.add_argument("--resume", action="store_true", help="keep the frames of a render that was interrupted")
    parser.add_argument("--model", default="", metavar="DIR", help="model folder (default: the one that ships)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, mps ... for the analysis")
    parser.add_argument("--slicing", default="bars", choices=("bars", "housex"),
                        help="what is heard: bars, or the fixed windows of HouseX of 2022 (default: bars)")  # fmt: skip
    _add_look_options(parser)
    _add_picture_options(parser)
    _add_sharing_options(parser)
    _add_check_options(parser)
    add_hearing_options(parser)
    return parser


def _add_look_options(parser: argparse.ArgumentParser) -> None:
    look = parser.add_argument_group("scene and look")
    look.add_argument("--scene", default="tunnel", metavar="|".join([*SCENES, "MY.blend"]),
                      help="what is shown: one of these, or a .blend of your own that reads HX Show")  # fmt: skip
    look.add_argument("--look", metavar="NAME|FILE", help="colours and strengths (default: house)")
    look.add_argument("--palette", metavar="NAME|FILE", help="other colours than the look's")
    look.add_argument("--intensity", type=float, metavar="N", help="factor on the lights instead of the look's")
    look.add_argument("--displacement", type=float, metavar="N", help="factor on the movement of the walls")
    look.add_argument("--speed", type=float, metavar="N", help="factor on the camera's speed")
    look.add_argument("--attack", type=float, metavar="MS",
                      help="how quickly light follows a rising level, in milliseconds")  # fmt: skip
    look.add_argument("--release", type=float, metavar="MS", help="how slowly it follows a falling one")
    look.add_argument("--seed", type=int, metavar="N", help="another camera sway, another scene")
    look.add_argument("--allow-flashes", action="store_true",
                      help="leave flashes in that may harm people with photosensitive epilepsy")  # fmt: skip


def _add_picture_options(parser: argparse.ArgumentParser) -> None:
    picture = parser.add_argument_group("picture", "T is seconds, mm:ss, hh:mm:ss or a bar: b33.")
    picture.add_argument("--engine", default="cycles", choices=ENGINES,
                         help="what renders; workbench is quickest and plainest (default: cycles)")  # fmt: skip
    picture.add_argument("--quality", default="draft", choices=tuple(SIXTEENTH),
                         help="samples and, without --resolution, size (default: draft)")  # fmt: skip
    picture.add_argument("--format", choices=tuple(SHAPES),
                         help="shape: 16:9, 1:1 or 9:16; the cameras are reframed (default: wide)")  # fmt: skip
    picture.add_argument("--resolution", metavar="WxH",
                         help=f"pixels, {MIN_SIDE_PX} to {MAX_SIDE_PX} each, odd ones rounded down (default: 480, 960 "
                         "or 1920 along the longer side by quality)")  # fmt: skip
    picture.add_argument("--fps", type=float, default=24.0, metavar="N",
                         help="frames per second, 1 to 240 (default: 24)")  # fmt: skip
    picture.add_argument("--start", default="", metavar="T", help="where the film starts (default: with the mix)")
    picture.add_argument("--end", default="", metavar="T", help="where the film ends (default: with the mix)")
    picture.add_argument("--still", action="append", nargs="+", default=[], metavar="T",
                         help="also pictures at these times, into stills/ beside the film")  # fmt: skip


def _add_sharing_options(parser: argparse.ArgumentParser) -> None:
    sharing = parser.add_argument_group("titles, loops, sharing")
    sharing.add_argument("--titles", nargs="?", const="", metavar="TRACKLIST",
                         help="show each track's title for four bars: of this tracklist, cue sheet or rekordbox XML, "
                         "else of the timeline")  # fmt: skip
    sharing.add_argument("--alpha", action="store_true",
                         help="transparent background: a folder of PNG, or a .mov with transparency")  # fmt: skip
    sharing.add_argument("--loop", metavar="b33:b49",
                         help="a silent loop that repeats without a seam, from the first of these bars to before the "
                         "second; 4, 8, 12 ... bars")  # fmt: skip
    sharing.add_argument("--loop-genre", metavar="GENRE", help="the loop as if it were of this sub-genre")
    sharing.add_argument("--sheet", action="store_true",
                         help="also NAME.thumbnail.jpg, and NAME.sheet.png, a picture of every section")  # fmt: skip


def _add_check_options(parser: argparse.ArgumentParser) -> None:
    checks = parser.add_argument_group("checks that write nothing")
    checks.add_argument("--estimate", action="store_true",
                        help="render a break, a build-up and a drop: how long will the film take?")  # fmt: skip
    checks.add_argument("--self-test", type=int, nargs="?", const=SELF_TEST_FRAMES, metavar="N",
                        help=f"render N ({SELF_TEST_FRAMES}) random frames in sequence and each alone in a Blender of "
                        "its own, from the saved scene; the exit code is 0 only if they are the same")  # fmt: skip


def check(arguments: argparse.Namespace) -> Request:
    """Refuse what cannot work before any time is spent.

    Raises:
        HouseXError: With the sentence for the user.
    """
    resolution = _resolution(arguments)
    if not 1.0 <= arguments.fps <= 240.0:
        raise UsageError(f"{arguments.fps:g} frames per second is not possible.", "Choose 1 to 240.")
    _check_timeline_options(arguments)
    stills = tuple(moment for group in arguments.still for moment in group)
    for moment in (arguments.start, *stills, arguments.end):
        if moment:
            moment_s(moment)
    if is_own(arguments.scene) and not os.path.isfile(arguments.scene):
        raise UsageError(f"There is no file {arguments.scene}.", "Check the name after --scene.")
    if arguments.scene not in SCENES and not is_own(arguments.scene):
        raise UsageError(
            f"There is no scene {arguments.scene!r}.", f"Choose {', '.join(SCENES)}, or name a .blend file."
        )
    _check_loop(arguments)
    if arguments.titles and not os.path.isfile(arguments.titles):
        raise UsageError(f"There is no file {arguments.titles}.", "Check the name after --titles.")
    _check_checks(arguments, bool(stills))
    if arguments.blend is not None and arguments.blend.suffix.lower() != ".blend":
        raise UsageError(f"{arguments.blend.name} is no name of a scene.", "Let --blend end in .blend.")
    film = _film(arguments)
    others = (arguments.blend, arguments.save_timeline, arguments.plot, arguments.click, arguments.sheet)
    if film is None and not (stills or any(others)):
        raise UsageError(
            "With --no-render nothing would be written.", "Add --save-timeline, --plot, --blend, --sheet or --still."
        )
    _check_paths(arguments, film, bool(stills))
    return Request(arguments, film, resolution, stills, _look(arguments))


def shaped(name: str, sixteenth: int) -> tuple[int, int]:
    """Width and height in pixels of a format; a wide picture is 16 times ``sixteenth`` wide, every other 9 times."""
    width, height = SHAPES[name]
    return width * sixteenth, height * sixteenth


def shape_named(width: int, height: int) -> str:
    """The format of a picture of this size; empty if it is none of ours. A few pixels of rounding do not count."""
    fits = (name for name, (wide, high) in SHAPES.items() if abs(width * high / (height * wide) - 1.0) < 0.01)
    return next(fits, "")


def _resolution(arguments: argparse.Namespace) -> tuple[int, int]:
    """Width and height in pixels, both even, because H.264 wants that."""
    if not arguments.resolution:
        return shaped(arguments.format or "wide", SIXTEENTH[arguments.quality])
    if arguments.format:
        raise UsageError("--resolution says the shape already.", "Leave out --format.")
    match = re.fullmatch(r"(\d{1,5})x(\d{1,5})", arguments.resolution.lower(), re.ASCII)
    parts = [int(part) for part in match.groups()] if match else []
    if not parts or not all(MIN_SIDE_PX <= part <= MAX_SIDE_PX for part in parts):
        raise UsageError(
            f"{arguments.resolution[:40]!r} is not a resolution.",
            f"Write, for example, 1280x720; {MIN_SIDE_PX} to {MAX_SIDE_PX} pixels each.",
        )
    return parts[0] // 2 * 2, parts[1] // 2 * 2


def _check_timeline_options(arguments: argparse.Namespace) -> None:
    check_hearing_options(arguments)
    asked = [text.split("=")[0] for text in as_arguments(arguments)]
    if asked and arguments.timeline is not None:
        raise UsageError(f"{asked[0]} has no effect with --timeline.", "Leave out --timeline: results are cached.")
    if arguments.export and arguments.save_timeline is None:
        raise UsageError("--export writes beside the timeline.", "Say where that goes with --save-timeline.")


def _check_loop(arguments: argparse.Namespace) -> None:
    if arguments.loop is None:
        if arguments.loop_genre is not None:
            raise UsageError("--loop-genre is for a loop.", "Name its bars with --loop b33:b49.")
        return
    loop_bars(arguments.loop)
    for name in ("start", "end", "titles"):
        if getattr(arguments, name) not in ("", None) or (name == "titles" and arguments.titles is not None):
            raise UsageError(f"A loop has no use for --{name}.", f"Leave out --{name}.")
    if arguments.loop_genre is not None and canonical(arguments.loop_genre) not in GENRES:
        raise UsageError(f"There is no sub-genre {arguments.loop_genre!r}.", f"Choose of: {', '.join(GENRES)}.")


def _check_checks(arguments: argparse.Namespace, stills: bool) -> None:
    """An estimate and a self-test write nothing; whoever asks for files too would miss them."""
    asked = [name for name, on in (("--estimate", arguments.estimate), ("--self-test", arguments.self_test is not None))
             if on]  # fmt: skip
    if not asked:
        return
    if len(asked) > 1:
        raise UsageError("--estimate and --self-test are two runs.", "Leave one of them out.")
    if arguments.self_test is not None and not 1 <= arguments.self_test <= MAX_SELF_TEST_FRAMES:
        raise UsageError(f"{arguments.self_test} frames cannot be tested.", f"Choose 1 to {MAX_SELF_TEST_FRAMES}.")
    if stills:
        raise UsageError(f"{asked[0]} writes nothing.", "Leave out --still.")
    for name in ("blend", "save_timeline", "plot", "click", "sheet", "resume", "no_render"):
        if getattr(arguments, name):
            raise UsageError(f"{asked[0]} writes nothing.", f"Leave out --{name.replace('_', '-')}.")


def _film(arguments: argparse.Namespace) -> Path | None:
    """Where the film goes, or the folder of its frames; None if neither is asked for."""
    if arguments.no_render:
        return None
    ending = ALPHA_ENDING if arguments.alpha else VIDEO_ENDINGS[0]
    _named(arguments)
    film = arguments.output or Path(arguments.mix.stem + ending)
    if film.name.lower() in VIDEO_ENDINGS:
        raise UsageError(f"{film.name} is an ending without a name.", f"Write, for example, film{ending}.")
    if film.suffix and not is_video(film) and not os.path.isdir(film):
        raise UsageError(f"{film.name} is not a film.", f"Let it end in {ending}, or name a folder for the frames.")
    if arguments.alpha and is_video(film) and film.suffix.lower() != ALPHA_ENDING:
        raise UsageError(
            f"A {film.suffix} has no transparency.", f"Let it end in {ALPHA_ENDING}, or name a folder for the frames."
        )
    return film


def _look(arguments: argparse.Namespace) -> Look:
    """The look that was named, with what the command line changes.

    Raises:
        UsageError: There is no such look or palette, or a strength is out of range.
    """
    named = {"intensity": "intensity", "displacement": "displacement", "speed": "speed",
             "attack": "attack_ms", "release": "release_ms", "seed": "seed"}  # fmt: skip
    changes = {name: getattr(arguments, name) for name in named if getattr(arguments, name) is not None}
    if not 0 <= changes.get("seed", 0) <= MAX_SEED:
        raise UsageError(f"The seed {arguments.seed} is not possible.", f"Choose 0 to {MAX_SEED}.")
    try:
        look = load_look(arguments.look or "house")
        if arguments.palette:
            look = replace(look, palettes=load_palettes(arguments.palette))
    except LookError as error:
        raise UsageError(error.message, error.hint) from error
    for name, value in changes.items():
        try:
            look = replace(look, **{named[name]: value})
        except LookError as error:
            raise UsageError(f"--{name} {value:g} is not possible.", error.hint) from error
    return look


def moment_s(text: str, timeline: Timeline | None = None) -> float:
    """Seconds of a moment on the command line.

    Raises:
        UsageError: It is none, or lies outside the mix.
    """
    try:
        return parse_moment(text, grid_with_edits(timeline) if timeline else None)
    except HouseXError as error:
        raise UsageError(error.message, error.hint) from error


def loop_bars(text: str, timeline: Timeline | None = None) -> tuple[int, int]:
    """Bars of a loop on the command line: the first, and the one after the last.

    Raises:
        UsageError: It is none, or lies outside the mix.
    """
    try:
        return parse_loop(text, grid_with_edits(timeline) if timeline else None)
    except SceneError as error:
        raise UsageError(error.message, error.hint) from error


def _check_paths(arguments: argparse.Namespace, film: Path | None, stills: bool) -> None:
    """Refuse places that cannot be written, and files that would overwrite what is read or one another."""
    named = (arguments.scene, arguments.palette, arguments.look, arguments.titles)
    read = [arguments.mix, arguments.timeline, arguments.grid, arguments.tracklist, arguments.import_file]
    read += [Path(name) for name in named if name]
    places = (film, arguments.blend, arguments.save_timeline, arguments.plot, arguments.click)
    written: list[Path] = [path for path in places if path is not None]
    written += [envelope_path_of(arguments.save_timeline)] if arguments.save_timeline is not None else []
    written += list(sheet_paths(arguments)) if arguments.sheet else []
    for number, path in enumerate(written):
        try:
            filmed = path is film and is_video(path)
            _check_writable(path, is_folder=path is film and not filmed)
            if filmed:
                _check_length(frames_folder(path))
            for other in [*(other for other in read if other is not None), *written[:number]]:
                same = path.resolve() == other.resolve()
                if same or (path.exists() and other.exists() and path.samefile(other)):
                    raise UsageError(f"{path.name} would overwrite {other.name}.", "Choose another name.")
        except OSError as error:
            raise HouseXError(
                f"{path} cannot be written: {error.strerror or error}.", "Choose another name."
            ) from error
    if stills:
        _check_writable(stills_folder(arguments) / "still.png", make=True)


def _check_length(path: Path) -> None:
    """Let the system look for a path, there or not.

    Raises:
        OSError: Its name is too long, or is none.
    """
    with suppress(FileNotFoundError, NotADirectoryError):
        path.stat()


def _check_writable(path: Path, *, make: bool = False, is_folder: bool = False) -> None:
    _check_length(path)
    folder = path.resolve().parent
    if make and not folder.exists():
        folder = folder.parent
    if not folder.is_dir():
        raise HouseXError(f"The folder {folder} does not exist.", "Make it first, or write somewhere else.")
    target = path if path.is_dir() else folder
    if not os.access(target, os.W_OK):
        raise HouseXError(f"The folder {target} cannot be written.", "Choose another one.")
    if path.suffix and path.is_dir() and not is_folder:
        raise HouseXError(f"{path} is a folder.", "Name a file to write.")


def stills_folder(arguments: argparse.Namespace) -> Path:
    """Where single pictures go: ``stills`` beside the film."""
    return _named(arguments).parent / "stills"


def sheet_paths(arguments: argparse.Namespace) -> tuple[Path, Path]:
    """``NAME.thumbnail.jpg`` and ``NAME.sheet.png``, the contact sheet, beside the film or the folder of frames."""
    base = _named(arguments)
    name = base.stem if is_video(base) else base.name
    return base.with_name(f"{name}.thumbnail.jpg"), base.with_name(f"{name}.sheet.png")


def _named(arguments: argparse.Namespace) -> Path:
    path = Path(arguments.output or f"{arguments.mix.stem}.mp4")
    # "." and ".." are folders that have a name of their own
    path = path if path.name not in ("", "..") else Path(os.path.abspath(path))
    if not path.name:
        raise UsageError(f"{path} is not a place for a film.", "Name a film or a folder.")
    return path


def is_video(film: Path) -> bool:
    """Whether what -o names is a film rather than a folder of frames."""
    return film.suffix.lower() in VIDEO_ENDINGS


def frames_folder(film: Path) -> Path:
    """Where the frames of a film wait: ``NAME.frames`` beside it."""
    return film.with_name(film.stem + ".frames")


def _output(text: str) -> Path:
    """The value of -o; a slash at its end says that it is a folder."""
    path = Path(text)
    if text.endswith((os.sep, os.altsep or os.sep)) and is_video(path):
        raise UsageError(f"{text} is a folder with the name of a film.", "Leave out the slash, or the ending.")
    return path
