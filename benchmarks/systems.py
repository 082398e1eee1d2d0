"""One system of each paper, trained on miniatures that the synthesiser makes; ``as_code`` against ``fixed``.

``python -m benchmarks.systems [--work FOLDER]`` makes the miniatures (about a quarter of an hour on two cores), trains
what has no finished run in FOLDER (hours on two cores), and writes results/systems.json. The figures say that the
systems run from end to end and how their repairs fare on made-up music; they say nothing of real music.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULT = ROOT / "benchmarks" / "results" / "systems.json"
_DECIDING = ("test.accuracy", "test.micro_f1", "val.accuracy", "val.weighted_recall")


@dataclass(frozen=True)
class Row:
    """One system on one miniature.

    Attributes:
        paper: For people.
        table: Of the recipe.
        row: Of the recipe.
        data: Name of the miniature.
        size: Of the miniature.
        more: Arguments of ``trainer reproduce``.
    """

    paper: str
    table: str
    row: str
    data: str
    size: str
    more: tuple[str, ...]


_SCRATCH = ("--weights", "none", "--preset", "as_code", "fixed")
ROWS = (
    Row("HouseX (2022)", "housex-drops", "resnet18", "housex", "medium",
        (*_SCRATCH, "--split", "tracks", "--set", "training.epochs=8", "--seeds", "2")),
    Row("mainstage benchmark", "mainstage", "resnet18-mel-soft", "mainstage", "small",
        (*_SCRATCH, "--set", "training.epochs=5", "--seeds", "1")),
    Row("mlachmish", "mlachmish", "mfcc-cnn", "gtzan", "medium",
        (*_SCRATCH, "--set", "training.epochs=15", "--seeds", "2")),
    Row("hafezgh, tables", "gtzan-classical", "svm-3s", "gtzan", "medium", ("--seeds", "3")),
    Row("hafezgh, tables", "gtzan-classical", "svm-30s", "gtzan", "medium", ("--seeds", "3")),
)  # fmt: skip


def _trainer(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "trainer", *arguments], cwd=ROOT, check=True)


def measured(row: Row, work: Path, train: bool) -> dict[str, Any]:
    """Train what is missing and read the report; without ``train`` what is missing stays not run."""
    data = work / f"{row.data}-{row.size}"
    if train and not data.is_dir():
        _trainer("miniature", row.data, "--out", str(data), "--size", row.size, "--jobs", "2")
    out = work / "reports" / f"{row.table}-{row.row}"
    _trainer("reproduce", row.table, "--rows", row.row, "--data", str(data), "--runs", str(work / "runs"),
             "--out", str(out), *row.more, *(() if train else ("--report-only",)))  # fmt: skip
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    variants = {}
    for variant in report["variants"]:
        figures = {figure["metric"]: figure for figure in variant["figures"]}
        metric = next((name for name in _DECIDING if name in figures), None)
        if variant["state"] != "run" or metric is None:
            continue
        chosen = figures[metric]
        variants[variant["preset"]] = {
            "metric": metric,
            **{key: chosen[key] for key in ("published", "ours", "by_seed", "interval")},
            "facts": variant["facts"],
            "counts": variant["counts"],
        }
    duels = [duel for duel in report["fixed_against_as_code"] if duel["row"] == row.row]
    return {"paper": row.paper, "table": row.table, "row": row.row, "classes": _classes(row), "variants": variants,
            "sentence": duels[0]["sentence"] if duels else ""}  # fmt: skip


def _classes(row: Row) -> int:
    from trainer.data.classes import GTZAN, HOUSEX, MAINSTAGE

    return len({"housex": HOUSEX, "mainstage": MAINSTAGE, "gtzan": GTZAN}[row.data])


def main() -> int:
    """Measure all rows and write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "systems", help="miniatures and runs")
    parser.add_argument("--report-only", action="store_true", help="train nothing, read the runs that are there")
    arguments = parser.parse_args()
    rows = [measured(row, arguments.work, not arguments.report_only) for row in ROWS]
    RESULT.write_text(json.dumps({"rows": rows}, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"wrote {RESULT.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
