"""Headless front end: a mix goes in, a film with sound comes out.

    blender -b --python-exit-code 1 -P render_mix.py -- MIX [options]
    python render_mix.py MIX [options]          (with the bpy module)

Exit code 0 only when everything asked for is on disk.
"""

from __future__ import annotations

import os
import signal
import sys

if __name__ == "__main__":
    # until Stop takes over: an interruption of the imports below is no error
    for _number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(_number, lambda *_: (os.write(2, b"Cancelled.\n"), os._exit(130)))

import argparse
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent))

from housex_blender.core.edits import grid_with_edits
from housex_blender.core.errors import Cancelled, HouseXError
from housex_blender.core.film_options import (
    Request,
    check,
    get_parser,
    loop_bars,
    moment_s,
    sheet_paths,
    stills_folder,
)
from housex_blender.core.loops import loop_span_s, with_genre
from housex_blender.core.options import UsageError, as_arguments, export_kinds, export_path, joined
from housex_blender.core.process import AnalysisJob, find_python
from housex_blender.core.protocol import Kind, Message
from housex_blender.core.screen import Screen, spoken_duration
from housex_blender.core.timeline import Timeline
from housex_blender.core.titles import TitleCard

if TYPE_CHECKING:
    from housex_blender.scene import film

EXIT_FAILED, EXIT_USAGE, EXIT_CANCELLED = 1, 2, 130
# so many places where flashes were softened are named
MOST_PLACES = 6


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
               f"--slicing={arguments.slicing}"]  # fmt: skip
    command += [f"--model={arguments.model}"] if arguments.model else []
    if arguments.plot:
        colours = folder / "colours.json"
        request.look.palettes.save(colours)
        command += [f"--plot={os.path.abspath(arguments.plot)}", f"--palette={colours}"]
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


def plan_for(request: Request, timeline: Timeline, screen: Screen) -> film.FilmPlan:
    """What to film, now that the bars are known.

    Raises:
        HouseXError: A moment lies outside the mix, or there is nothing for an option.
    """
    # only here: a wrong command line or mix is refused without waiting for Blender
    from housex_blender.scene import film

    arguments = request.arguments
    duration_s = timeline.mix.duration_s
    if arguments.loop:
        start_s, end_s = loop_span_s(grid_with_edits(timeline), loop_bars(arguments.loop, timeline))
    else:
        start_s = moment_s(arguments.start, timeline) if arguments.start else 0.0
        end_s = min(moment_s(arguments.end, timeline), duration_s) if arguments.end else duration_s
    if not 0 <= start_s < duration_s:
        raise UsageError(
            f"{arguments.start or arguments.loop} lies outside the mix.", f"It is {duration_s:.1f} s long."
        )
    if end_s <= start_s:
        raise UsageError("The film would end before it starts.", "Let --end be later than --start.")
    return film.FilmPlan(
        scene=arguments.scene,
        engine=arguments.engine,
        quality=arguments.quality,
        resolution=request.resolution,
        fps=arguments.fps,
        start_s=start_s,
        end_s=end_s,
        loop=arguments.loop is not None,
        alpha=arguments.alpha,
        allow_flashes=arguments.allow_flashes,
        titles=titles_for(arguments, timeline, screen),
    )


def titles_for(arguments: argparse.Namespace, timeline: Timeline, screen: Screen) -> tuple[TitleCard, ...]:
    """Titles of the tracklist that was named, or of the timeline; none without --titles.

    Raises:
        HouseXError: The tracklist cannot be read, or there are no titles.
    """
    if arguments.titles is None:
        return ()
    from housex_blender.exchange import read_titles

    found = read_titles(timeline, arguments.fps, Path(arguments.titles) if arguments.titles else None)
    if not found.cards:
        raise UsageError(found.missing, "Name the tracklist of this mix: --titles LIST.txt.")
    for text in found.messages:
        screen.line(text)
    if found.missing:
        screen.line(f"Warning: {found.missing}")
    return found.cards


def show_and_render(request: Request, timeline: Timeline, screen: Screen, stop: Stop) -> list[Path]:
    """Build the scene and write all that was asked for; returns the files.

    Raises:
        HouseXError: Something could not be built or written.
    """
    from housex_blender.scene import build, film

    arguments = request.arguments
    plan = plan_for(request, timeline, screen)
    moments_s = [moment_s(moment, timeline) for moment in request.stills]
    first_s, end_s = (plan.start_s, plan.end_s) if plan.loop else (0.0, timeline.mix.duration_s)
    for when_s, text in zip(moments_s, request.stills, strict=True):
        if not first_s <= when_s < end_s:
            what = "loop" if plan.loop else "mix"
            raise UsageError(f"{text} lies outside the {what}.", f"That is from {first_s:.1f} s to {end_s:.1f} s.")
    if arguments.loop_genre:
        timeline = with_genre(timeline, arguments.loop_genre)
    screen.line("Building the scene")
    show = film.make_show(timeline, request.look, arguments.mix.resolve(), plan)
    for text in show.warnings:
        screen.line(f"Warning: {text}")
    screen.line(flash_report(show))
    if arguments.estimate or arguments.self_test is not None:
        examine(request, show, screen, stop)
        return []
    written: list[Path] = []
    if arguments.blend is not None:
        build.save_blend(arguments.blend)
        written.append(arguments.blend)

    def pictures() -> None:
        if request.stills:
            written.extend(_stills(request, show, moments_s, screen, stop))
        if arguments.sheet:
            written.extend(_sheet(request, show, screen, stop))

    if request.film is None:
        pictures()
    else:
        _film(request, request.film, show, pictures, screen, stop)
        written.append(request.film)
    return written


def _film(
    request: Request, path: Path, show: film.Show, pictures: Callable[[], None], screen: Screen, stop: Stop
) -> None:
    from housex_blender.scene import film

    began_s = time.monotonic()

    def first() -> None:
        nonlocal began_s
        pictures()
        began_s = time.monotonic()

    def told(done: int, total: int, frame_s: float) -> None:
        screen.progress(f"Rendering, {frame_s:.1f} s per frame", done, total, frame_s * (total - done))

    resume = request.arguments.resume
    count = film.render_film(show, path, resume=resume, first=first, on_progress=told, should_stop=stop)
    kept = len(show.plan.frames) - count
    frames = "1 frame" if count == 1 else f"{count} frames"
    also = f", {kept} were there already" if kept else ""
    screen.line(f"Rendered {frames} in {spoken_duration(time.monotonic() - began_s)}{also}")


def flash_report(show: film.Show) -> str:
    """What was done about flashes, and where in this film."""
    tamed, plan = show.tamed, show.plan
    if tamed is None:
        return "Flashes are allowed: this film may harm people with photosensitive epilepsy."
    if not tamed.seconds:
        return tamed.sentence
    places = [max(start_s, plan.start_s) for start_s, end_s in tamed.seconds
              if start_s < plan.end_s and end_s > plan.start_s]  # fmt: skip
    named = ", ".join(spoken_duration(place_s) for place_s in places[:MOST_PLACES])
    more = f" and {len(places) - MOST_PLACES} more" if len(places) > MOST_PLACES else ""
    return f"{tamed.sentence} {f'At {named}{more}.' if places else 'None of them is in this film.'}"


def examine(request: Request, show: film.Show, screen: Screen, stop: Stop) -> None:
    """Estimate or self-test, which write nothing.

    Raises:
        HouseXError: A frame cannot be rendered, or differs.
    """
    from housex_blender.scene import estimate, selftest

    engine, count = show.plan.engine, request.arguments.self_test
    if count is None:
        assert request.film is not None, "an estimate is of a film"
        for text in estimate.estimate_film(show, request.film, stop).sentences:
            screen.line(text)
        return
    allowed = selftest.tolerance(engine)
    checks = selftest.self_test(show, count, on_frame=lambda frame: screen.line(frame.sentence), should_stop=stop)
    limit = f"within {allowed}/255" if allowed else "to the bit"
    frames = "1 frame alone is that" if len(checks) == 1 else f"{len(checks)} frames alone are those"
    screen.line(f"Self-test passed with {engine}: {frames} in sequence, {limit}.")


def _sheet(request: Request, show: film.Show, screen: Screen, stop: Stop) -> list[Path]:
    from housex_blender.scene import sheet

    thumbnail, contact = sheet_paths(request.arguments)
    sheet.write_sheet(
        show,
        thumbnail,
        contact,
        request.arguments.mix.stem,
        on_progress=lambda done, total: screen.progress("Contact sheet", done, total, None),
        should_stop=stop,
    )
    return [thumbnail, contact]


def _stills(request: Request, show: film.Show, moments_s: Sequence[float], screen: Screen, stop: Stop) -> list[Path]:
    from housex_blender.scene import film

    folder = stills_folder(request.arguments)
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
        film.render_stills(show, [when_s], [path], request.arguments.quality)
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
        if request.film is None and arguments.blend is None and not request.stills and not arguments.sheet:
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
        for path in run(get_parser((__doc__ or "").splitlines()[0]).parse_args(joined(argv)), screen, stop):
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
    code = main()
    if "bpy" in sys.modules and not sys.modules["bpy"].app.binary_path:
        # Blender as a module may hang or crash while it ends, after everything is written
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)
