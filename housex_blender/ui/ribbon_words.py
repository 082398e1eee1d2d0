"""The words of the ribbon: titles, bar numbers, and the tooltip of a bar. Zone: ui; no bpy."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..core.timeline import Timeline
from .ribbon_layout import Band, Ribbon, View

_NUMBER_GAP_PX = 64.0
TITLE_RGBA = (0.92, 0.92, 0.92, 1.0)
NUMBER_RGBA = (0.58, 0.58, 0.58, 1.0)


class Label(NamedTuple):
    """A word and where its lower left corner is, in pixels."""

    x: float
    y: float
    text: str
    rgba: tuple[float, float, float, float]


def labels(ribbon: Ribbon, view: View, band: Band, width_of: Callable[[str], float]) -> list[Label]:
    """Titles where records begin, and bar numbers between them; none in a low region.

    Args:
        width_of: Width of a text in pixels.
    """
    if band.titles is None:
        return []
    s, y = band.scale, band.titles[0] + 3 * band.scale
    found, taken = [], []
    starts = [track.frame for track in ribbon.tracks] + [float(ribbon.edges[-1])]
    for track, end in zip(ribbon.tracks, starts[1:], strict=True):
        # a record that began before the view keeps its name at the left edge
        left = max(float(view.x(track.frame)), 0.0) + 5 * s
        right = min(float(view.x(end)), float(view.width_px)) - 5 * s
        text = fitted(track.text, right - left, width_of) if right > left else ""
        if text:
            found.append(Label(left, y, text, TITLE_RGBA))
            taken.append((left - 6 * s, left + width_of(text) + 12 * s))
        elif 0 <= view.x(track.frame) <= view.width_px:
            taken.append((left - 9 * s, left))
    return found + _numbers(ribbon, view, band, width_of, taken, y)


def number_step(bar_px: float, least_px: float) -> int:
    """Every how many bars a number stands: 1, 2, 4, 8 ... as music counts."""
    return int(2 ** max(0, math.ceil(math.log2(least_px / max(bar_px, 1e-9)))))


def _numbers(
    ribbon: Ribbon,
    view: View,
    band: Band,
    width_of: Callable[[str], float],
    taken: Sequence[tuple[float, float]],
    y: float,
) -> list[Label]:
    bar_px = float(np.median(np.diff(ribbon.edges))) * view.px_per_frame
    step = number_step(bar_px, _NUMBER_GAP_PX * band.scale)
    first, last = (ribbon.nearest_bar(view.frame(x)) for x in (0.0, float(view.width_px)))
    found = []
    for bar in range(-(-first // step) * step, last + 1, step):
        left, text = float(view.x(ribbon.edges[bar])) + 3 * band.scale, str(bar + 1)
        right = left + width_of(text)
        if left < 0 or any(left < end and right > start for start, end in taken):
            continue
        found.append(Label(left, y, text, NUMBER_RGBA))
    return found


def fitted(text: str, room_px: float, width_of: Callable[[str], float]) -> str:
    """The text, or as much of it as there is room for; empty where less than three letters fit."""
    if width_of(text) <= room_px:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if width_of(text[:middle].rstrip() + "…") <= room_px else (low, middle - 1)
    return text[:low].rstrip() + "…" if low >= 3 else ""


class Share(NamedTuple):
    """A sub-genre in the tooltip: its column in the timeline, its name and its part."""

    genre: int
    name: str
    part: float


@dataclass(frozen=True)
class Tip:
    """What the tooltip says about a bar."""

    head: str
    shares: tuple[Share, ...]
    notes: tuple[str, ...]


def tip_of(timeline: Timeline, locked: NDArray[np.bool_], ribbon: Ribbon, bar: int) -> Tip:
    """What is known about a bar, counted from 0: the three likeliest sub-genres, doubts, and its record."""
    probs = timeline.probs[bar]
    order = np.argsort(-probs, kind="stable")[:3]
    genres = timeline.model.genres
    notes = []
    if timeline.uncertain[bar]:
        shown_as = genres[int(ribbon.look[bar])]
        notes.append(f"Uncertain, shown as {shown_as}")
    if locked[bar]:
        notes.append("Locked")
    number = next((n for n, track in enumerate(timeline.tracks) if track.start_bar <= bar < track.end_bar), None)
    if number is not None:
        track = timeline.tracks[number]
        notes.append(f"Track {number + 1}: {track.title or track.label}")
    return Tip(
        f"Bar {bar + 1} · {timeline.section[bar]} · {timeline.grid.bpm[bar]:.1f} BPM",
        tuple(Share(int(g), genres[g], float(probs[g])) for g in order if probs[g] >= 0.005),
        tuple(notes),
    )
