"""A picture of all looks x genres: the tunnel in a drop, above the three colours of each palette.

Writes demo_scenes/pictures/looks.jpg, the README's picture, unless only some scenes, looks or genres are asked for.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from housex_blender.core.genres import GENRES
from housex_blender.core.looks import load_look, look_names

from . import show_frames, show_mix, show_pictures
from .show_frames import Job, Wanted
from .show_sheet import add_render_arguments, frames_folder, picture_names

PICTURE = show_mix.ROOT / "demo_scenes" / "pictures" / "looks.jpg"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``looks``."""
    parser.add_argument("--scene", default="tunnel", choices=show_mix.SCENES)
    parser.add_argument("--looks", nargs="+", default=look_names(), help="names; all that ship if left out")
    add_render_arguments(parser, "240x135")
    parser.add_argument("--picture", type=Path, default=PICTURE)


def run(arguments: argparse.Namespace) -> int:
    """Render what is missing and draw the sheet."""
    folder = frames_folder(arguments, arguments.scene)
    frame = show_mix.moment_frames(show_mix.demo_timeline())["drop"][0]
    cells: dict[tuple[str, str], Path] = {}
    colours: dict[tuple[str, str], tuple[str, str, str]] = {}
    wanted = []
    for look in arguments.looks:
        palettes = load_look(look).palettes
        for genre in GENRES:
            path = cells[genre, look] = picture_names(folder, look, genre, "drop")[0]
            colours[genre, look] = palettes.colours[genre]
            if not path.is_file():
                wanted.append(Wanted(look, genre, ((str(path), frame),)))
    parts = [tuple(wanted[part :: arguments.jobs]) for part in range(arguments.jobs)]
    jobs = [
        Job(arguments.scene, arguments.size, arguments.engine, arguments.quality, 1, part) for part in parts if part
    ]
    show_frames.run_all(jobs, arguments.out / "jobs", arguments.jobs)
    titles = [(look, load_look(look).name.split(" (")[0] or look) for look in arguments.looks]
    show_pictures.looks_sheet(cells, colours, GENRES, titles, arguments.picture)
    print(f"wrote {arguments.picture}: {arguments.picture.stat().st_size / 1e3:.0f} kB")
    return 0
