"""``make bench``: speed and memory of the analysis next to the HouseX way, and the bake of a one-hour show.

Makes a one-hour and a two-hour FLAC by repeating the demo mix (kept in bench/), runs both systems on the same
one-hour file as processes of their own, and writes benchmarks/results/speed.json.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).parent / "results" / "speed.json"
BLOCK_FRAMES = 1 << 20
# at 128 BPM
HOUSE_BAR_S = 1.875


def long_mix(path: Path, seconds: float) -> Path:
    """A 16-bit 44.1 kHz stereo FLAC of the demo mix, over and over."""
    if path.is_file() and abs(soundfile.info(path).duration - seconds) < 1:
        return path
    path.parent.mkdir(exist_ok=True)
    left = int(seconds * 44100)
    with soundfile.SoundFile(path, "w", 44100, 2, "PCM_16", format="FLAC") as target:
        while left > 0:
            for block in soundfile.blocks(ROOT / "demo_scenes" / "demo_mix.ogg", BLOCK_FRAMES, dtype="float32"):
                target.write(np.clip(block[:left], -1, 1))
                left -= len(block[:left])
    return path


def measured(command: list[str]) -> dict[str, Any]:
    """Wall and processor seconds, peak memory in MB and last JSON line of a process; ends the run if it fails."""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    began_s = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=env, cwd=ROOT, text=True)
    assert process.stdout is not None
    lines = process.stdout.read().splitlines()
    _, status, usage = os.wait4(process.pid, 0)
    wall_s = time.perf_counter() - began_s
    if status:
        raise SystemExit(f"{command} failed")
    said: dict[str, Any] = next((json.loads(line) for line in reversed(lines) if line.startswith("{")), {})
    peak_mb = usage.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
    return {"wall_s": wall_s, "cpu_s": usage.ru_utime + usage.ru_stime, "peak_mb": peak_mb, "said": said}


def ours(mix: Path, output: Path) -> dict[str, Any]:
    """The whole analysis as a process: start of Python, decoding, grid, network, files."""
    return measured([sys.executable, "-m", "housex_blender.analysis", str(mix), "-o", str(output), "--no-cache",
                     "--device", "cpu", "--backend", "onnx"])  # fmt: skip


def grid_alone(system: str, mix: Path) -> dict[str, Any]:
    """Beats, bars and envelopes alone, on one core."""
    return measured([sys.executable, "-m", "benchmarks.grid_speed", system, str(mix)])


def network_alone(system: str, bars: int) -> dict[str, Any]:
    """The networks alone, on two cores."""
    return measured([sys.executable, "-m", "benchmarks.network_speed", system, str(bars)])


def main() -> None:
    """Run everything and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0, help="length of the file both systems hear")
    parser.add_argument("--runs", type=int, default=3, help="runs of ours; the median counts")
    parser.add_argument("--work", type=Path, default=ROOT / "bench")
    arguments = parser.parse_args()
    seconds = arguments.minutes * 60
    mix = long_mix(arguments.work / f"mix{arguments.minutes:g}.flac", seconds)
    double = long_mix(arguments.work / f"mix{2 * arguments.minutes:g}.flac", 2 * seconds)
    timeline = arguments.work / "mix.housex.json"
    runs = sorted((ours(mix, timeline) for _ in range(arguments.runs)), key=lambda run: run["wall_s"])
    single = runs[len(runs) // 2]
    bake = measured(
        [sys.executable, str(ROOT / "benchmarks" / "bake.py"), str(timeline), str(arguments.work / "show.blend")]
    )
    two = ours(double, arguments.work / "double.housex.json")
    rival = measured([sys.executable, "-m", "benchmarks.housex_way", str(mix)])
    grid_runs = sorted((grid_alone("ours", mix) for _ in range(arguments.runs)), key=lambda run: run["wall_s"])
    grid = grid_runs[len(grid_runs) // 2]
    grid_two, grid_rival = grid_alone("ours", double), grid_alone("librosa", mix)
    bars = round(seconds / HOUSE_BAR_S)
    networks = {name: [network_alone(name, bars)["said"]["network_s"] for _ in range(arguments.runs)]
                for name in ("ours", "resnet")}  # fmt: skip
    figures = ("wall_s", "cpu_s", "peak_mb")
    result = {
        "seconds_of_music": seconds,
        "cores": os.cpu_count(),
        "ours": {**{k: round(single[k], 2) for k in ("wall_s", "cpu_s", "peak_mb")},
                 "times_real_time": round(seconds / single["wall_s"], 1)},
        "ours_double_length": {**{k: round(two[k], 2) for k in ("wall_s", "cpu_s", "peak_mb")},
                               "times_real_time": round(2 * seconds / two["wall_s"], 1)},
        "housex_way": {**{k: round(rival[k], 2) for k in ("wall_s", "cpu_s", "peak_mb")},
                       "times_real_time": round(seconds / rival["wall_s"], 1)},
        "ratio_wall": round(rival["wall_s"] / single["wall_s"], 2),
        "ratio_cpu": round(rival["cpu_s"] / single["cpu_s"], 2),
        "grid_one_core": {k: round(grid[k], 2) for k in figures},
        "grid_one_core_double_length": {k: round(grid_two[k], 2) for k in figures},
        "grid_one_core_librosa": {k: round(grid_rival[k], 2) for k in figures},
        "network": {"bars": bars, **{name: round(sorted(runs)[len(runs) // 2], 2) for name, runs in networks.items()}},
        "bake": {key: round(value, 3) for key, value in bake["said"].items()},
    }  # fmt: skip
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(result, indent=2) + "\n")
    print(f"{'':24s}{'wall s':>9s}{'CPU s':>9s}{'peak MB':>9s}{'x real time':>13s}")
    for name, label in (("ours", "HouseX for Blender"), ("ours_double_length", "  twice the length"),
                        ("housex_way", "the HouseX (2022) way")):  # fmt: skip
        row: Any = result[name]
        print(f"{label:24s}{row['wall_s']:9.1f}{row['cpu_s']:9.1f}{row['peak_mb']:9.0f}{row['times_real_time']:13.0f}")
    print(f"wall time ratio {result['ratio_wall']}, CPU time ratio {result['ratio_cpu']}")
    for name in ("grid_one_core", "grid_one_core_double_length", "grid_one_core_librosa"):
        print(f"{name:30s}{result[name]}")
    print(f"network alone, seconds: {result['network']}")
    print(f"bake of the show: {result['bake']}")


if __name__ == "__main__":
    main()
