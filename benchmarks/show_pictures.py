"""Labelled sheets of small frames, drawn with Pillow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from housex_blender.core.files import replacing

_BACK, _TEXT, _WRONG = (16, 16, 18), (225, 225, 230), (255, 70, 70)
_GAP = 4
_LEFT, _TOP = 150, 46

Cell = tuple[Path, bool]


def contact_sheet(
    cells: Mapping[tuple[str, str, str], Cell],
    genres: Sequence[str],
    columns: Sequence[tuple[str, str]],
    path: Path,
    *,
    cell_width: int = 240,
) -> None:
    """One row per genre, one column per scene and moment; a frame that breaks a bound gets a red edge.

    Args:
        cells: (genre, scene, moment) -> its picture and whether it breaks a bound.
        genres: Rows.
        columns: (scene, moment), neighbours of one scene share its name.
        path: PNG or JPEG to write.
        cell_width: Pixels across of each small frame.
    """
    with Image.open(next(iter(cells.values()))[0]) as first:
        cell_height = round(cell_width * first.height / first.width)
    sheet = Image.new(
        "RGB", (_LEFT + len(columns) * (cell_width + _GAP), _TOP + len(genres) * (cell_height + _GAP)), _BACK
    )
    draw = ImageDraw.Draw(sheet)
    large, small = ImageFont.load_default(19), ImageFont.load_default(15)
    for column, (scene, moment) in enumerate(columns):
        left = _LEFT + column * (cell_width + _GAP)
        if column == 0 or columns[column - 1][0] != scene:
            draw.text((left, 4), scene, _TEXT, large)
        draw.text((left, _TOP - 20), moment, _TEXT, small)
        for row, genre in enumerate(genres):
            top = _TOP + row * (cell_height + _GAP)
            picture, wrong = cells[genre, scene, moment]
            paste(sheet, picture, (left, top), (cell_width, cell_height))
            if wrong:
                draw.rectangle((left, top, left + cell_width - 1, top + cell_height - 1), outline=_WRONG, width=2)
    for row, genre in enumerate(genres):
        draw.text((6, _TOP + row * (cell_height + _GAP) + cell_height // 2 - 10), genre, _TEXT, small)
    save(sheet, path)


def looks_sheet(
    cells: Mapping[tuple[str, str], Path],
    colours: Mapping[tuple[str, str], Sequence[str]],
    genres: Sequence[str],
    looks: Sequence[tuple[str, str]],
    path: Path,
    *,
    cell_width: int = 176,
) -> None:
    """One row per genre, one column per look: a small frame above the three colours of the palette.

    Args:
        cells: (genre, look) -> its picture.
        colours: (genre, look) -> three ``#rrggbb``.
        genres: Rows.
        looks: (look, what to call it).
        path: PNG or JPEG to write.
        cell_width: Pixels across of each small frame.
    """
    with Image.open(next(iter(cells.values()))) as first:
        cell_height = round(cell_width * first.height / first.width)
    swatch = 9
    step = cell_height + swatch + 2 * _GAP
    sheet = Image.new("RGB", (_LEFT + len(looks) * (cell_width + _GAP), _TOP + len(genres) * step), _BACK)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(15)
    for column, (look, title) in enumerate(looks):
        left = _LEFT + column * (cell_width + _GAP)
        draw.text((left, _TOP - 24), title, _TEXT, font)
        for row, genre in enumerate(genres):
            top = _TOP + row * step
            paste(sheet, cells[genre, look], (left, top), (cell_width, cell_height))
            third = cell_width // 3
            for slot, text in enumerate(colours[genre, look]):
                begin = left + slot * third
                end = left + cell_width if slot == 2 else begin + third
                draw.rectangle((begin, top + cell_height + 1, end - 1, top + cell_height + swatch), text, (60, 60, 64))
    for row, genre in enumerate(genres):
        draw.text((6, _TOP + row * step + cell_height // 2 - 10), genre, _TEXT, font)
    save(sheet, path)


def paste(sheet: Image.Image, picture: Path, place: tuple[int, int], size: tuple[int, int]) -> None:
    """Put a picture into a sheet, in that size."""
    with Image.open(picture) as image:
        sheet.paste(image.convert("RGB").resize(size, Image.Resampling.LANCZOS), place)


def save(sheet: Image.Image, path: Path) -> None:
    """Write a sheet under a temporary name, then rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        sheet.save(temporary, **({"quality": 86, "optimize": True} if path.suffix == ".jpg" else {}))
