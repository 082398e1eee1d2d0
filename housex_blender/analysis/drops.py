"""Drops by the rule of the Mainstage papers, and what leads to each drop. Zone: analysis (numpy; no bpy)."""

from __future__ import annotations

from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from .changes import runs
from .levels import BarLevels, BarSpectra

# Margin in dB below the loudest bar: as the papers write it, and as their code had it.
MAINSTAGE_MARGIN_DB = {"mainstage": 1.5, "mainstage-2db": 2.0}
DROP_RULES = ("sliding", *MAINSTAGE_MARGIN_DB)
# Of the same code: the first seconds of a file are skipped, and shorter stretches are no drops.
MAINSTAGE_SKIP_S = 15.0
MAINSTAGE_LEAST_S = 15.0
# Sums of bar lengths are not exact.
SLACK_S = 0.05
# A step of the level this much larger than the one at the end of a drop is its true end.
SNAP_DB = 3.0
FILL_BEATS = 4
# A kick that was out for longer than this was no fill but a break.
FILL_MEMORY_BEATS = 32
# The bottom of a beat without kick lies this far below that of the beats of the drop.
KICK_OUT_DB = 9.0
# Bands of the kick's body, up to 80 Hz.
BODY_MELS = 3

Floats = NDArray[np.float64]
Span = tuple[int, int]


def snap_drops(section: list[str], loudness_db: Floats, edges: set[int]) -> list[str]:
    """Names of bars with the ends of drops on the step of the level, where that is plainly one bar off.

    The search likes sections of whole phrases, and a hand-over that is a bar off would carry its drop with it.

    Args:
        section: A name for every bar.
        loudness_db: (n_bars,) level of each bar.
        edges: Bars at which tracks begin, which stay.
    """
    names, steps = list(section), np.diff(loudness_db, prepend=loudness_db[:1])
    for bar in range(2, len(names) - 2):
        enters = names[bar] == "drop" and names[bar - 1] != "drop"
        leaves = names[bar] != "drop" and names[bar - 1] == "drop"
        if not (enters or leaves) or bar in edges:
            continue
        sign = 1.0 if enters else -1.0
        here = sign * steps[bar]
        for near in (bar - 1, bar + 1):
            if sign * steps[near] < here + SNAP_DB or near in edges:
                continue
            if near < bar:
                names[near] = names[bar]
            else:
                names[bar] = names[bar - 1]
            break
    return names


def mainstage_drops(
    levels: BarLevels, starts_s: Floats, ends_s: Floats, tracks: list[Span], rule: str = "mainstage"
) -> list[Span]:
    """Drops as the Mainstage papers define them: as loud as the loudest of the track, nothing else is asked.

    Args:
        levels: Of all bars.
        starts_s: (n_bars,) start of each bar in seconds.
        ends_s: (n_bars,) end of each bar in seconds.
        tracks: (start_bar, end_bar) of each track; the rule is meant for one track at a time.
        rule: "mainstage" (1.5 dB) or "mainstage-2db".
    """
    loud = np.zeros(len(levels.loudness_db), bool)
    heard = starts_s >= starts_s[0] + MAINSTAGE_SKIP_S if len(tracks) and len(starts_s) else loud
    for start, end in tracks:
        part = np.where(heard[start:end], levels.loudness_db[start:end], -np.inf)
        loud[start:end] = np.isfinite(part) & (part >= part.max() - MAINSTAGE_MARGIN_DB[rule])
    return [(a, b) for a, b in runs(loud) if ends_s[b - 1] - starts_s[a] >= MAINSTAGE_LEAST_S - SLACK_S]


def drop_runs(section: list[str]) -> list[Span]:
    """(start, end exclusive) of each stretch of drop bars."""
    spans: list[Span] = []
    bar = 0
    for name, group in groupby(section):
        length = len(list(group))
        if name == "drop":
            spans.append((bar, bar + length))
        bar += length
    return spans


def drop_details(section: list[str], drops: list[Span], spectra: BarSpectra) -> list[tuple[int | None, int]]:
    """What leads to each drop: (build_bar, fill_beats).

    build_bar: first bar of the build-up that ends where the drop begins, None if there is none. fill_beats: how many
    beats just before the drop, 0..4, have no kick although there was one before.
    """
    details: list[tuple[int | None, int]] = []
    body = spectra.low[:, ::4, :BODY_MELS].max(axis=2)
    for start, end in drops:
        build: int | None = start
        while build and section[build - 1] == "build":
            build -= 1
        usual_db = float(np.median(body[start : min(end, start + 8)]))
        before = body[max(0, start - FILL_MEMORY_BEATS // 4) : start].ravel() > usual_db - KICK_OUT_DB
        inside = np.flatnonzero(before)
        out = len(before) - 1 - int(inside[-1]) if len(inside) else 0
        details.append((build if build != start else None, min(out, FILL_BEATS)))
    return details
