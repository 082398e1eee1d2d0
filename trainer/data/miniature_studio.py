"""Label Studio's JSON export, written as the published data sets have it. Zone: trainer."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

import numpy as np

_WHEN = "2024-07-21T10:00:00.000000Z"
_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def number_results(rng: np.random.Generator, shares: Mapping[str, float]) -> list[dict[str, object]]:
    """One field per class with its share, in any order."""
    names = list(shares)
    return [
        {"value": {"number": _plain(shares[name])}, "id": _result_id(rng), "from_name": name, "to_name": "audio",
         "type": "number", "origin": "manual"}
        for name in map(names.__getitem__, rng.permutation(len(names)))
    ]  # fmt: skip


def region_result(rng: np.random.Generator, start_s: float, end_s: float, length_s: float) -> dict[str, object]:
    """A stretch of the audio that is marked as the drop."""
    return {
        "original_length": length_s,
        "value": {"start": start_s, "end": end_s, "channel": 0, "labels": ["drop"]},
        "id": _result_id(rng), "from_name": "label", "to_name": "audio", "type": "labels", "origin": "manual",
    }  # fmt: skip


def task(
    rng: np.random.Generator, number: int, project: int, file: str, results: Sequence[Mapping[str, object]]
) -> dict[str, object]:
    """One task with its one annotation.

    Args:
        rng: For what a server would number.
        number: Of the task in its project, from 1.
        project: Number of the project.
        file: Name of the uploaded file.
        results: Of the annotation.
    """
    annotation = {
        "id": 100 + number, "completed_by": 1, "result": list(results), "was_cancelled": False, "ground_truth": False,
        "created_at": _WHEN, "updated_at": _WHEN, "draft_created_at": _WHEN,
        "lead_time": round(float(rng.uniform(5.0, 60.0)), 3), "prediction": {}, "result_count": 0,
        "unique_id": str(uuid.UUID(bytes=rng.bytes(16), version=4)), "import_id": None, "last_action": None,
        "task": number, "project": project, "updated_by": 1, "parent_prediction": None, "parent_annotation": None,
        "last_created_by": None,
    }  # fmt: skip
    return {
        "id": number, "annotations": [annotation], "file_upload": file, "drafts": [], "predictions": [],
        "data": {"audio": f"/data/upload/{project}/{file}"}, "meta": {}, "created_at": _WHEN, "updated_at": _WHEN,
        "inner_id": number, "total_annotations": 1, "cancelled_annotations": 0, "total_predictions": 0,
        "comment_count": 0, "unresolved_comment_count": 0, "last_comment_updated_at": None, "project": project,
        "updated_by": 1, "comment_authors": [],
    }  # fmt: skip


def _plain(share: float) -> float | int:
    return int(share) if share == int(share) else share


def _result_id(rng: np.random.Generator) -> str:
    return "".join(_CHARACTERS[place] for place in rng.integers(len(_CHARACTERS), size=10))
