"""``python -m benchmarks.mixes --set dev``: render the mixes of the bench with their truth files."""

from __future__ import annotations

import argparse
import json
import os
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import soundfile

from trainer.synth.dsp import SAMPLE_RATE_HZ

from .deck import MixTruth
from .scenarios import SETS, build, mixes_of
from .sounds import ROOT, Library

BLOCK_FRAMES = 1 << 20


def write_mix(folder: Path, kind: str, seed: int) -> str:
    """Render a mix into FLAC and truth, each written completely or not at all; returns a line to report."""
    began_s = time.perf_counter()
    audio, truth = build(kind, seed, Library())
    made_s = time.perf_counter() - began_s
    path = folder / f"{kind}-{seed}.flac"
    partial = path.with_name(path.name + ".part")
    with soundfile.SoundFile(partial, "w", SAMPLE_RATE_HZ, 2, "PCM_16", format="FLAC") as target:
        for first in range(0, len(audio), BLOCK_FRAMES):
            target.write(audio[first : first + BLOCK_FRAMES])
    os.replace(partial, path)
    write_truth(path.with_suffix(".truth.json"), truth)
    return f"{path.name}: {truth.duration_s:.0f} s, {truth.duration_s / made_s:.0f} times real time"


def write_truth(path: Path, truth: MixTruth) -> None:
    """Write a truth file completely or not at all."""
    partial = path.with_name(path.name + ".part")
    partial.write_text(json.dumps(truth.to_dict(), separators=(",", ":")) + "\n", encoding="utf-8")
    os.replace(partial, path)


def main() -> None:
    """Parse the command line and render what is missing."""
    parser = argparse.ArgumentParser(description="Render the mixes of the hearing bench.")
    parser.add_argument("--set", choices=sorted(SETS), default="dev", help="which seeds (default dev)")
    parser.add_argument("--kinds", default="", help="comma-separated kinds (default all)")
    parser.add_argument("--seeds", default="", help="comma-separated seeds instead of those of the set")
    parser.add_argument("--out", type=Path, default=ROOT / "bench" / "mixes", help="folder (default bench/mixes)")
    parser.add_argument("--jobs", type=int, default=1, help="processes (default 1)")
    parser.add_argument("--force", action="store_true", help="render again what exists")
    options = parser.parse_args()
    try:
        wanted = mixes_of(options.set, options.kinds, options.seeds)
    except ValueError as error:
        parser.error(str(error))
    options.out.mkdir(parents=True, exist_ok=True)
    todo = [
        (kind, seed)
        for kind, seed in wanted
        if options.force or not (options.out / f"{kind}-{seed}.truth.json").is_file()
    ]
    if options.jobs <= 1 or not todo:
        for kind, seed in todo:
            print(write_mix(options.out, kind, seed), flush=True)
        return
    with ProcessPoolExecutor(options.jobs) as pool:
        for line in pool.map(write_mix, [options.out] * len(todo), *zip(*todo, strict=True)):
            print(line, flush=True)


if __name__ == "__main__":
    main()
