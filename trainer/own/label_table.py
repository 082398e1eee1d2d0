"""Tables of labels: CSV with shares or one genre per file, and the workbooks of HouseX's metadata. Zone: trainer."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.etree import ElementTree

from housex_blender.core.genres import GENRES, canonical

from .label_rows import CollectionError, LabelRow, share_in, text_of
from .label_studio import number_in_cell

FILE_COLUMNS = ("audio", "file", "path", "track", "filename", "file_name")
LABEL_COLUMNS = ("genre", "label", "subgenre", "sub-genre", "sub_genre")
# numbers that stand in such tables and are no shares: Label Studio's book-keeping and what DJ programs export
_OTHER_COLUMNS = {
    "id", "annotation_id", "annotator", "created_at", "updated_at", "lead_time", "inner_id", "project", "title",
    "artist", "album", "key", "camelot", "bpm", "tempo", "year", "duration", "duration_s", "length", "rating",
    "energy", "comment", "comments", "index", "no", "number",
}  # fmt: skip
_MAX_SHEET_BYTES = 20_000_000
_SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def read_table(path: Path) -> tuple[list[LabelRow], list[str]]:
    """The rows of a CSV file, and warnings.

    One column names the file (``audio``, ``file``, ``path`` or ``track``). Either one column names its genre (``genre``
    or ``label``), or there is one column of numbers per genre; cells may be written as Label Studio's CSV export does.

    Raises:
        CollectionError: It has not these columns, or cells that are no shares.
    """
    header, lines = _cells(path)
    names = [name.strip().lower() for name in header]
    file_column = next((names.index(name) for name in FILE_COLUMNS if name in names), None)
    if file_column is None:
        raise CollectionError(
            f"{path.name} has no column for the file.", f"Name one of its columns {', '.join(FILE_COLUMNS[:4])}."
        )
    lines = [(number, cells) for number, cells in lines if file_column < len(cells) and cells[file_column].strip()]
    if not lines:
        raise CollectionError(f"{path.name} names no file.", "Write one line per track below the header.")
    label_column = next((names.index(name) for name in LABEL_COLUMNS if name in names), None)
    if label_column is not None:
        rows = []
        for number, cells in lines:
            label = cells[label_column].strip() if label_column < len(cells) else ""
            where = f"{path.name}, line {number}"
            rows.append(LabelRow(cells[file_column].strip(), {label: 1.0} if label else {}, where))
        return rows, []
    columns = _genre_columns(header, [cells for _, cells in lines], file_column)
    if not columns:
        raise CollectionError(
            f"{path.name} has no column with genres.",
            'Add one column named "genre", or one column of numbers per genre.',
        )
    unknown = [header[column].strip() for column in columns if canonical(header[column]) not in GENRES]
    warnings = [f'{path.name}: column "{name}" is taken as a sub-genre of its own.' for name in unknown]
    rows = []
    for number, cells in lines:
        where = f"{path.name}, line {number}"
        shares: dict[str, float] = {}
        for column in columns:
            cell, name = cells[column] if column < len(cells) else "", header[column].strip()
            inside = number_in_cell(cell)
            share = share_in(cell if inside is None else inside, f"{where}, {name}")
            shares[name] = shares.get(name, 0.0) + share
        rows.append(LabelRow(cells[file_column].strip(), shares, where))
    return rows, warnings


def _cells(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The header and (line, cells) of every line after it."""
    text = text_of(path)
    first = text.lstrip("\r\n").split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        lines = [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except csv.Error as error:
        raise CollectionError(f"{path.name} is not a CSV table ({error}).", "Save it as CSV again.") from error
    if not lines:
        raise CollectionError(f"{path.name} is empty.", "Write a header and one line per track.")
    return lines[0][1], lines[1:]


def _genre_columns(header: Sequence[str], lines: Sequence[Sequence[str]], file_column: int) -> list[int]:
    """Columns of shares: those with a genre's name, and others that hold nothing but numbers and are not known to be
    something else."""
    chosen = []
    for column, name in enumerate(header):
        cells = [cells[column] for cells in lines if column < len(cells) and cells[column].strip()]
        if column == file_column or not name.strip():
            continue
        other = name.strip().lower() in _OTHER_COLUMNS
        if canonical(name) in GENRES or (not other and cells and all(_is_share(cell) for cell in cells)):
            chosen.append(column)
    return chosen


def _is_share(cell: str) -> bool:
    try:
        share_in(number_in_cell(cell) or cell, "")
    except CollectionError:
        return False
    return True


def read_workbook(path: Path) -> list[LabelRow]:
    """The rows of one ``<genre>_meta.xlsx`` of HouseX: no header, the first column names the file.

    Raises:
        CollectionError: It is not a workbook, or not one whose name tells the genre.
    """
    genre = canonical(re.sub(r"[_ ]?meta(data)?$", "", path.stem, flags=re.IGNORECASE))
    if genre not in GENRES:
        raise CollectionError(
            f"{path.name} does not tell its genre.", "Name the workbook like bass_house_meta.xlsx, or save it as CSV."
        )
    try:
        with zipfile.ZipFile(path) as archive:
            texts = list(_shared_texts(archive))
            rows = list(_first_cells(archive, texts))
    except (OSError, KeyError, IndexError, ValueError, zipfile.BadZipFile, ElementTree.ParseError) as error:
        raise CollectionError(f"{path.name} is not a workbook.", "Save it as .xlsx or as CSV again.") from error
    return [LabelRow(text, {genre: 1.0}, f"{path.name}, row {number}") for number, text in rows]


def _member(archive: zipfile.ZipFile, name: str) -> ElementTree.Element:
    if archive.getinfo(name).file_size > _MAX_SHEET_BYTES:
        raise ValueError("too large")
    data = archive.read(name)
    if b"<!DOCTYPE" in data:
        raise ValueError("a workbook has no DTD")
    return ElementTree.fromstring(data)


def _shared_texts(archive: zipfile.ZipFile) -> Iterator[str]:
    """The texts that cells point to by number."""
    if "xl/sharedStrings.xml" in archive.namelist():
        for item in _member(archive, "xl/sharedStrings.xml").iter(f"{_SHEET}si"):
            yield "".join(part.text or "" for part in item.iter(f"{_SHEET}t"))


def _first_cells(archive: zipfile.ZipFile, texts: list[str]) -> Iterator[tuple[int, str]]:
    """(row, text) of column A of the first sheet."""
    for number, row in enumerate(_member(archive, "xl/worksheets/sheet1.xml").iter(f"{_SHEET}row"), 1):
        for cell in row.iter(f"{_SHEET}c"):
            if not re.fullmatch(r"A\d*", cell.get("r", "A")):
                continue
            if cell.get("t") == "s":
                text = texts[int(cell.findtext(f"{_SHEET}v", ""))]
            else:
                text = "".join(part.text or "" for part in cell.iter(f"{_SHEET}t"))
            if text.strip():
                yield number, text.strip()
            break
