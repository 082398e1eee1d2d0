"""Beats, bars, track changes, sections and drops against known mixes, next to the tools people use today.

``python -m benchmarks.grid`` renders the held-out mixes (benchmarks.mixes, kept in bench/), hears each with ours,
librosa's beat_track and, where it is installed, essentia's RhythmExtractor2013, prints the tables and writes
benchmarks/results/grid.json. ``--set dev`` does the same with the mixes that the hearing was tuned on.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .scores import BeatScore, Count, FormScore, score_beats, score_form

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).parent / "results" / "grid.json"
Floats = NDArray[np.float64]


def ours(path: Path) -> tuple[Any, Any]:
    """Grid and structure as the program hears them, with the model that ships."""
    from housex_blender.analysis.backends import open_backend
    from housex_blender.analysis.features import extract_features
    from housex_blender.analysis.grid import track_grid
    from housex_blender.analysis.model_folder import load_model_folder
    from housex_blender.analysis.records import hear_records

    features = extract_features(path)
    result, model = track_grid(features), load_model_folder("")
    _, structure = hear_records(features, result, model, open_backend(model, "cpu", "onnx"))
    return result, structure


def librosa_beats(path: Path) -> Floats:
    """librosa.beat.beat_track with its tempo prior set to the middle of house."""
    import librosa

    samples, rate_hz = librosa.load(path, sr=22050, mono=True)
    _, beats_s = librosa.beat.beat_track(y=samples, sr=rate_hz, start_bpm=124.0, units="time")
    return np.asarray(beats_s, float)


def essentia_beats(path: Path) -> Floats:
    """essentia's RhythmExtractor2013 (multifeature), its tempo limited to 100 to 140 BPM."""
    import essentia.standard as es

    samples = es.MonoLoader(filename=str(path), sampleRate=44100)()
    return np.asarray(es.RhythmExtractor2013(method="multifeature", minTempo=100, maxTempo=140)(samples)[1], float)


def rivals(wanted: str) -> dict[str, Callable[[Path], Floats]]:
    """Those of the named rivals that are installed."""
    found: dict[str, Callable[[Path], Floats]] = {}
    if wanted in ("all", "librosa"):
        found["librosa beat_track"] = librosa_beats
    if wanted in ("all", "essentia"):
        try:
            import essentia.standard  # noqa: F401
        except ImportError:
            print("essentia is not installed (pip install essentia): its column is not run", file=sys.stderr)
        else:
            found["essentia RhythmExtractor2013"] = essentia_beats
    return found


def mean(values: list[float]) -> float:
    """Mean without the undefined ones."""
    good = [value for value in values if value == value]
    return float(np.mean(good)) if good else float("nan")


def beat_row(scores: list[BeatScore]) -> dict[str, float | None]:
    """Figures over all files."""
    bars = [s.downbeat_f70 for s in scores if s.downbeat_f70 is not None]
    return {
        "beat_f70": mean([s.f70 for s in scores]),
        "beat_f70_worst": min(s.f70 for s in scores),
        "beat_f20": mean([s.f20 for s in scores]),
        "downbeat_f70": mean(bars) if bars else None,
        "downbeat_f70_worst": min(bars) if bars else None,
        "error_ms": float(np.median([s.error_ms for s in scores])),
        "flipped": mean([s.flipped for s in scores]),
    }


def form_row(scores: list[FormScore]) -> dict[str, float]:
    """Figures over all files; marks are added up before F is taken, so a file with many counts for more."""

    def total(name: str) -> Count:
        return sum((getattr(s, name) for s in scores), Count())

    row = {"bpm_error": float(np.median([s.bpm_error for s in scores]))}
    for name in ("handovers", "sections", "drop_bars", "drop_starts"):
        count = total(name)
        row |= {f"{name}_f": count.f, f"{name}_precision": count.precision, f"{name}_recall": count.recall}
    row["labels_right"] = mean([s.labels_right for s in scores])
    return row


def print_tables(rows: list[dict[str, Any]], systems: list[str], summary: dict[str, Any]) -> None:
    """One line a file, then the means."""
    head = "file                 beat  F20   down  err ms flip |  hand  sect  drop  start label"
    print(head + "".join(f" | {name.split()[0]:>9}" for name in systems))
    for row in rows:
        beat, form = row["ours"], row["form"]
        line = f"{row['file']:<20} {beat.f70:.3f} {beat.f20:.3f} {beat.downbeat_f70:.3f} {beat.error_ms:5.1f} "
        line += f"{beat.flipped:5.3f} | {form.handovers.f:.3f} {form.sections.f:.3f} {form.drop_bars.f:.3f} "
        line += f"{form.drop_starts.f:.3f} {form.labels_right:.3f}"
        print(line + "".join(f" | {row['rivals'][name].f70:.3f}" + " " * 4 for name in systems))
    for name, figures in summary.items():
        print(name, {key: None if value is None else round(value, 4) for key, value in figures.items()})


def main() -> None:
    """Render, hear, score, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--set", choices=("dev", "held-out"), default="held-out")
    parser.add_argument("--kinds", default="", help="only these, comma-separated")
    parser.add_argument("--seeds", default="", help="only these, comma-separated")
    parser.add_argument("--rivals", choices=("all", "librosa", "essentia", "none"), default="all")
    parser.add_argument("--mixes", type=Path, default=ROOT / "bench" / "mixes")
    parser.add_argument("--no-write", action="store_true", help="print only")
    arguments = parser.parse_args()
    chosen = [f"--{name}={value}" for name in ("kinds", "seeds") if (value := getattr(arguments, name))]
    command = [sys.executable, "-m", "benchmarks.mixes", "--set", arguments.set, "--out", str(arguments.mixes), *chosen]
    subprocess.run(command, check=True, cwd=ROOT)
    from .mixes.scenarios import names_of

    files = [arguments.mixes / f"{name}.flac" for name in names_of(arguments.set, arguments.kinds, arguments.seeds)]
    systems = rivals(arguments.rivals)
    rows = []
    for path in files:
        truth = json.loads(path.with_suffix(".truth.json").read_text(encoding="utf-8"))
        result, structure = ours(path)
        grid = result.grid
        row = {
            "file": path.stem,
            "tags": truth["tags"],
            "offbeat_bass": truth["offbeat_bass"],
            "confidence": result.confidence,
            "ours": score_beats(truth, grid.beats_s, grid.starts_s),
            "form": score_form(truth, grid, structure),
            "rivals": {name: score_beats(truth, hear(path)) for name, hear in systems.items()},
        }
        rows.append(row)
        print(f"{path.stem}: beat {row['ours'].f70:.3f} downbeat {row['ours'].downbeat_f70:.3f}", file=sys.stderr)
    summary: dict[str, Any] = {"ours": beat_row([r["ours"] for r in rows]), "form": form_row([r["form"] for r in rows])}
    for name in systems:
        summary[name] = beat_row([r["rivals"][name] for r in rows])
    flips = [r["ours"].flipped for r in rows if r["offbeat_bass"]]
    summary["off-beat bass"] = {"files": float(len(flips)), "flipped_worst": max(flips, default=0.0)}
    print_tables(rows, list(systems), summary)
    if not arguments.no_write:
        for row in rows:
            row["ours"], row["form"] = asdict(row["ours"]), asdict(row["form"])
            row["rivals"] = {name: asdict(score) for name, score in row["rivals"].items()}
        result_file = {"set": arguments.set, "files": rows, "summary": summary}
        target = RESULTS if arguments.set == "held-out" else RESULTS.with_name("grid_dev.json")
        target.write_text(json.dumps(result_file, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
