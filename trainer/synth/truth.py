"""Writes down what is known about a mix: the truth file that analysis and tests are measured against."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from .dsp import SAMPLE_RATE_HZ
from .mixer import Mix, Placed
from .recipes import GENRES

SCHEMA = 1


def _rounded(times: Any) -> list[float]:
    return [round(float(time), 6) for time in times]


def _track_truth(mix: Mix, index: int, item: Placed) -> dict[str, Any]:
    own = [bar for bar, who in enumerate(mix.owner) if who == index]
    beat_s = mix.beat_s
    fade_out_bar = item.end_bar - (item.fade_out.bars if item.fade_out else 0)
    return {
        "genre": item.spec.genre,
        "bpm": item.track.bpm,
        "key": item.track.key,
        "seed": item.spec.seed,
        "start_bar": own[0],
        "end_bar": own[-1] + 1,
        "start_s": round(float(beat_s[4 * own[0]]), 6),
        "end_s": round(float(beat_s[4 * own[-1] + 4]), 6),
        # First heard, takes over the bass, starts to fade, last heard.
        "fade_in_s": round(float(beat_s[4 * item.start_bar]), 6),
        "handover_s": round(float(beat_s[4 * own[0]]), 6),
        "fade_out_start_s": round(float(beat_s[4 * fade_out_bar]), 6),
        "fade_out_s": round(float(beat_s[4 * item.end_bar]), 6),
        "attributes": {name: round(value, 3) for name, value in item.track.attributes.items()},
    }


def drop_runs(sections: list[str]) -> list[tuple[int, int]]:
    """Runs of drop bars as (first, end exclusive)."""
    runs: list[tuple[int, int]] = []
    for bar, section in enumerate(sections):
        if section != "drop":
            continue
        if runs and runs[-1][1] == bar:
            runs[-1] = (runs[-1][0], bar + 1)
        else:
            runs.append((bar, bar + 1))
    return runs


def mix_truth(mix: Mix) -> dict[str, Any]:
    """The truth of a mix as plain JSON values. Track ranges change at the handover; end bars are exclusive."""
    beats, bars = mix.beat_s, len(mix.sections)
    labels = [GENRES[int(row.argmax())] for row in mix.probs]
    return {
        "schema": SCHEMA,
        "sample_rate_hz": SAMPLE_RATE_HZ,
        "duration_s": round(len(mix.audio) / SAMPLE_RATE_HZ, 6),
        "genres": list(GENRES),
        "beats_s": _rounded(beats[:-1]),
        "downbeats_s": _rounded(beats[:-1:4]),
        "bars": {
            "start_s": _rounded(beats[:-1:4]),
            "end_s": _rounded(beats[4::4]),
            "probs": [[round(float(value), 6) for value in row] for row in mix.probs],
            "label": labels,
            "section": list(mix.sections),
            "track": [mix.owner[bar] for bar in range(bars)],
        },
        "tracks": [_track_truth(mix, index, item) for index, item in enumerate(mix.placed)],
        "drops": [
            {
                "start_bar": first,
                "end_bar": end,
                "start_s": round(float(beats[4 * first]), 6),
                "end_s": round(float(beats[4 * end]), 6),
            }
            for first, end in drop_runs(mix.sections)
        ],
    }


def write_truth(path: Path, truth: dict[str, Any]) -> None:
    """Write a truth file completely or not at all."""
    partial = path.with_name(path.name + ".part")
    partial.write_text(json.dumps(truth, separators=(",", ":")).replace('],"', '],\n"') + "\n", encoding="utf-8")
    os.replace(partial, path)
