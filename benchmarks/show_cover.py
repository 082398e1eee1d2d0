"""The README's first picture: six frames of the demo mix, each scene twice, each in a sub-genre of its own.

Writes demo_scenes/pictures/show.jpg; minutes on two cores, because the frames are of preview quality.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from housex_blender.core.looks import load_look

from . import show_mix

PICTURE = show_mix.ROOT / "demo_scenes" / "pictures" / "show.jpg"
SIZE = (640, 360)
_COLUMNS = 2


@dataclass(frozen=True)
class Tile:
    """One frame: where in the mix, in which sub-genre, by which camera."""

    scene: str
    genre: str
    bar: int
    beat: float
    shot: str


TILES = (
    Tile("tunnel", "Future Rave", 24, 0.25, "wide"),
    Tile("stage", "Future House", 24, 0.12, "wide"),
    Tile("lagoon", "Progressive House", 58, 0.12, "wide"),
    Tile("tunnel", "Bass House", 24, 0.25, "low"),
    Tile("stage", "Bass House", 27, 0.12, "low"),
    Tile("lagoon", "Bass House", 24, 0.25, "wide"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``cover``."""
    parser.add_argument("--picture", type=Path, default=PICTURE)
    parser.add_argument("--quality", default="preview", choices=("draft", "preview", "final"))


def run(arguments: argparse.Namespace) -> int:
    """Render the frames and put them side by side."""
    from housex_blender.scene import shots

    look, timeline = load_look(), show_mix.demo_timeline()
    rows = -(-len(TILES) // _COLUMNS)
    sheet = Image.new("RGB", (_COLUMNS * SIZE[0], rows * SIZE[1]))
    for scene in show_mix.SCENES:
        studio = show_mix.Studio(scene, SIZE, quality=arguments.quality)
        for number, tile in enumerate(TILES):
            if tile.scene != scene:
                continue
            studio.show(show_mix.in_genre(timeline, tile.genre), look)
            shots.write_cuts(studio.scene, [(1, tile.shot)])
            picture = studio.picture(show_mix.beat_frame(timeline, tile.bar, tile.beat))
            sheet.paste(Image.fromarray(picture), (number % _COLUMNS * SIZE[0], number // _COLUMNS * SIZE[1]))
    arguments.picture.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(arguments.picture, quality=88)
    print(f"wrote {arguments.picture}: {arguments.picture.stat().st_size / 1e3:.0f} kB")
    return 0
