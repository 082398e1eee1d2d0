"""Tiny files in the formats of the published data sets, for tests of their readers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import soundfile

RATE_HZ = 8000


def noise(path: Path, seconds: float = 0.5, seed: int | None = None, rate_hz: int = RATE_HZ, channels: int = 1) -> Path:
    """A file of noise; by default another for each name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed if seed is not None else list(str(path.name).encode()))
    soundfile.write(path, rng.uniform(-0.5, 0.5, (round(seconds * rate_hz), channels)), rate_hz)
    return path


def picture(path: Path, shade: int = 100) -> Path:
    """A picture of 6 x 4 pixels of one grey."""
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (6, 4), (shade, shade, shade)).save(path)
    return path


def workbook(path: Path, rows: Sequence[Sequence[object]]) -> Path:
    """A workbook without header."""
    import openpyxl

    path.parent.mkdir(parents=True, exist_ok=True)
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(list(row))
    book.save(path)
    return path


def written(path: Path, data: object) -> Path:
    """A JSON file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


def numbers_task(name: str, numbers: Mapping[str, float]) -> dict[str, object]:
    """A task of Label Studio with a number per class."""
    results = [{"from_name": genre, "to_name": "audio", "type": "number", "value": {"number": number}}
               for genre, number in numbers.items()]  # fmt: skip
    return {"file_upload": name, "data": {"audio": f"/data/upload/10/{name}"}, "annotations": [{"result": results}]}


def drop_task(name: str, start_s: float, end_s: float) -> dict[str, object]:
    """A task with a region that is a drop, without what readers can do without."""
    value = {"start": start_s, "end": end_s, "labels": ["drop"]}
    region = {"from_name": "label", "to_name": "audio", "type": "labels", "value": value}
    return {"data": {"audio": name}, "annotations": [{"result": [region]}]}
