"""``python -m benchmarks.grid_speed ours|librosa MIX``: grid of a mix on one core, as a process of its own.

Ours also measures the envelopes and the picture for the classifier, which come out of the same pass; librosa only
gives beats. Prints one JSON line.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[name] = "1"


def ours(mix: Path) -> int:
    """Features, grid, envelopes; returns the number of beats."""
    from housex_blender.analysis.envelopes import normalise_envelopes
    from housex_blender.analysis.features import extract_features
    from housex_blender.analysis.grid import track_grid

    features = extract_features(mix)
    grid = track_grid(features).grid
    normalise_envelopes(features.envelopes)
    return len(grid.beats_s)


def librosa_beats(mix: Path) -> int:
    """librosa.load and librosa.beat.beat_track; returns the number of beats."""
    import librosa

    samples, rate_hz = librosa.load(mix, sr=22050, mono=True)
    return len(librosa.beat.beat_track(y=samples, sr=rate_hz, start_bpm=124.0, units="time")[1])


if __name__ == "__main__":
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    count = {"ours": ours, "librosa": librosa_beats}[sys.argv[1]](Path(sys.argv[2]))
    print(json.dumps({"beats": count}))
