"""Nine genres x scenes x (break, build, drop): a contact sheet, and the figures that judge it.

Frames stay in the work folder for as long as nothing changes that decides how they look, so a rerun renders only what
is missing.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from housex_blender.core.genres import GENRES
from housex_blender.core.looks import load_look

from . import show_frames, show_mix, show_pictures, show_verdicts
from .show_frames import Job, Wanted

SIZE = (320, 180)
_MADE_FROM = "made_from.txt"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``sheet``; ``looks`` takes most of them too."""
    parser.add_argument("--scenes", nargs="+", default=list(show_mix.SCENES), choices=show_mix.SCENES)
    parser.add_argument(
        "--genres", nargs="+", default=list(GENRES), choices=GENRES, help="only these, for a quick look"
    )
    parser.add_argument("--look", default="house", help="name or file of a look")
    add_render_arguments(parser, "{}x{}".format(*SIZE))


def add_render_arguments(parser: argparse.ArgumentParser, size: str) -> None:
    """How frames are rendered and where they go."""
    parser.add_argument("--size", default=size, type=parsed_size, metavar="WxH")
    parser.add_argument("--engine", default="cycles", choices=("cycles", "eevee", "workbench"))
    parser.add_argument("--quality", default="draft", choices=("draft", "preview", "final"))
    parser.add_argument("--jobs", type=int, default=2, help="processes at once, one thread each")
    parser.add_argument("--out", type=Path, default=show_mix.WORK)
    parser.add_argument("--again", action="store_true", help="render anew what is there already")


def parsed_size(text: str) -> tuple[int, int]:
    """Width and height of ``320x180``.

    Raises:
        ValueError: It is no size.
    """
    width, height = text.lower().split("x")
    return int(width), int(height)


def frames_folder(arguments: argparse.Namespace, kind: str) -> Path:
    """Where the frames of a scene wait; those of another state of the sources or another size are removed."""
    width, height = arguments.size
    folder: Path = arguments.out / "frames" / f"{kind}-{arguments.engine}-{arguments.quality}-{width}x{height}"
    made_from = show_mix.sources_hash(kind)
    mark = folder / _MADE_FROM
    if arguments.again or not mark.is_file() or mark.read_text() != made_from:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    mark.write_text(made_from)
    return folder


def picture_names(folder: Path, look: str, genre: str, moment: str) -> list[Path]:
    """The pictures of one moment, in the order of its frames."""
    stem = f"{Path(look).stem}-{show_mix.slug(genre)}-{moment}"
    return [folder / f"{stem}-{number}.png" for number in range(show_mix.IN_A_ROW + 1)]


def sheet_jobs(arguments: argparse.Namespace, folders: Mapping[str, Path], *, first_only: bool = False) -> list[Job]:
    """One job per scene and part of the genres, so that all processes are busy to the end.

    Args:
        arguments: Of ``sheet``.
        folders: Where the frames of each scene wait.
        first_only: Only the first frame of each moment.
    """
    frames = show_mix.moment_frames(show_mix.demo_timeline())
    jobs = []
    for kind, folder in folders.items():
        for part in range(max(1, arguments.jobs)):
            wanted = []
            for genre in arguments.genres[part :: max(1, arguments.jobs)]:
                pictures = [
                    (str(path), frame)
                    for moment, row in frames.items()
                    for path, frame in list(
                        zip(picture_names(folder, arguments.look, genre, moment), row, strict=True)
                    )[: 1 if first_only else None]
                ]
                if any(not Path(name).is_file() for name, _ in pictures):
                    wanted.append(Wanted(arguments.look, genre, tuple(pictures)))
            if wanted:
                jobs.append(Job(kind, arguments.size, arguments.engine, arguments.quality, 1, tuple(wanted)))
    return jobs


def measured(arguments: argparse.Namespace, folders: Mapping[str, Path]) -> dict[str, Any]:
    """Figures and verdicts of all frames."""
    palettes = load_look(arguments.look).palettes
    rows, contrasts = [], []
    for kind, folder in folders.items():
        for genre in arguments.genres:
            palette_rgb = palettes.linear_rgb([genre])[0]
            of_genre = {}
            for moment in show_mix.MOMENTS:
                paths = picture_names(folder, arguments.look, genre, moment)
                row = show_verdicts.moment_row([show_mix.read_picture(path) for path in paths], palette_rgb)
                row["problems"] = show_verdicts.problems_of(row, moment, palette_rgb)
                of_genre[moment] = row
                rows.append({"scene": kind, "genre": genre, "moment": moment, **row})
            contrasts.append({"scene": kind, "genre": genre, **show_verdicts.contrast(of_genre)})
    return {
        "made_with": {"engine": arguments.engine, "quality": arguments.quality, "look": arguments.look,
                      "size": "{}x{}".format(*arguments.size), "fps": show_mix.FPS, "scenes": list(folders),
                      "bars": show_mix.moment_bars(show_mix.demo_timeline())},
        "meanings": show_verdicts.MEANINGS,
        "bounds": show_verdicts.BOUNDS,
        "summary": {"frames_judged": len(rows), "frames_with_problems": sum(bool(row["problems"]) for row in rows),
                    "comparisons": len(contrasts),
                    "comparisons_with_problems": sum(bool(one["problems"]) for one in contrasts),
                    "worst": show_verdicts.worst_cases(rows, contrasts)},
        "rows": rows,
        "contrasts": contrasts,
    }  # fmt: skip


def is_whole(arguments: argparse.Namespace, kinds: list[str]) -> bool:
    """Whether this is the sheet that the bounds are stated for, in one engine or another."""
    everything = kinds == list(show_mix.SCENES) and arguments.genres == list(GENRES)
    return everything and (arguments.look, arguments.size, arguments.quality) == ("house", SIZE, "draft")


def run(arguments: argparse.Namespace) -> int:
    """Render, measure, draw; 1 when a bound is broken."""
    kinds = show_mix.known_scenes(arguments.scenes)
    folders = {kind: frames_folder(arguments, kind) for kind in kinds}
    show_frames.run_all(sheet_jobs(arguments, folders), arguments.out / "jobs", arguments.jobs)
    result = show_mix.rounded(measured(arguments, folders))
    whole = is_whole(arguments, kinds)
    name = show_mix.result_name("sheet", arguments.engine)
    sheet = arguments.out / f"{name.replace(', ', '-')}{'' if whole else '-part'}.png"
    cells = {}
    for row in result["rows"]:
        path = picture_names(folders[row["scene"]], arguments.look, row["genre"], row["moment"])[0]
        cells[row["genre"], row["scene"], row["moment"]] = (path, bool(row["problems"]))
    columns = [(kind, moment) for kind in kinds for moment in show_mix.MOMENTS]
    show_pictures.contact_sheet(cells, arguments.genres, columns, sheet)
    print(f"wrote {sheet}")
    show_mix.keep_result(name, result, whole=whole)
    return report(result)


def report(result: dict[str, Any]) -> int:
    """Print a table and every broken bound; 1 if there is one."""
    broken = 0
    for one in result["contrasts"]:
        rows = {
            row["moment"]: row for row in result["rows"] if (row["scene"], row["genre"]) == (one["scene"], one["genre"])
        }
        levels = "  ".join(f"{name} {row['level'][0]:.2f}..{row['level'][2]:.2f}" for name, row in rows.items())
        print(f"{one['scene']:7} {one['genre']:17} {levels}  drop/break: luminance "
              f"{one['brightness']['drop_to_break']:.2f}, difference {one['motion']['drop_to_break']:.2f}, "
              f"flow {one['motion']['flow_drop_to_break']:.2f}")  # fmt: skip
        for name, row in rows.items():
            for problem in row["problems"]:
                broken += 1
                print(f"    {name}: {problem}")
        for problem in one["problems"]:
            broken += 1
            print(f"    {problem}")
    for name, case in result["summary"]["worst"].items():
        print(f"{name}: {case['figure']:.2f} ({case['where']})")
    print(f"{broken} bounds broken")
    return 1 if broken else 0
