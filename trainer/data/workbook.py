"""Cells of a workbook's first sheet. Zone: trainer (openpyxl)."""

from __future__ import annotations

import zipfile
from pathlib import Path

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from housex_blender.core.errors import HouseXError


def read_cells(path: Path) -> list[tuple[int, list[str]]]:
    """(row, texts of its cells up to the last that is filled) of the rows that are not empty.

    Raises:
        HouseXError: It is not a workbook.
    """
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        try:
            rows = [[_text(value) for value in row] for row in book.worksheets[0].iter_rows(values_only=True)]
        finally:
            book.close()
    except (OSError, KeyError, IndexError, ValueError, TypeError, zipfile.BadZipFile, InvalidFileException) as error:
        raise HouseXError(f"{path.name} is not a workbook.", "Download it again.") from error
    filled = [(number, _trimmed(row)) for number, row in enumerate(rows, 1)]
    return [(number, row) for number, row in filled if row]


def _text(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value).strip()


def _trimmed(row: list[str]) -> list[str]:
    while row and not row[-1]:
        row = row[:-1]
    return row
