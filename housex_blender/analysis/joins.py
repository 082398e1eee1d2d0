"""Where one steady stretch of beats gives way to another: hard cuts, and stretches that were none.

The path over tempo and phase knows a cut only to some seconds, and is pulled about near it by its own windows. Away
from the cut both sides are steady, so each is drawn on in a straight line, and the cut is put where the onsets stop
agreeing with the one and begin to agree with the other. Zone: analysis (numpy; no bpy).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .pulse import BeatPath, moving_mean

# The path's own windows reach this far across a cut.
BLUR_S = 8.0
SEARCH_S = 16.0
FIT_BEATS = 64
FIT_LEAST = 12
SCRAP_S, SHORT_S = 10.0, 45.0
# In standard deviations of the onset strength, divided by the root of the beats: what the best of all tempos and phases
# gains on a stretch in which there is no beat.
OWN_LEAD = 5.0
LEVEL_S = 10.0
DETOUR_S = 120.0
SAME_TEMPO = 0.002
# In half beats.
SAME_PHASE = 0.15
NEAR_FRAMES = 5

Floats = NDArray[np.float64]


@dataclass
class _Line:
    """Beats at ``start_s + k * beat_s`` for any whole k."""

    start_s: float
    beat_s: float

    def between(self, low_s: float, high_s: float) -> Floats:
        """(n,) beats in [low_s, high_s)."""
        first = int(np.ceil((low_s - self.start_s) / self.beat_s - 1e-9))
        last = int(np.ceil((high_s - self.start_s) / self.beat_s - 1e-9))
        return self.start_s + self.beat_s * np.arange(first, max(first, last))


def _line(beats: Floats, late: bool) -> _Line:
    """The steady beat near one end of a stretch, fitted without its blurred edge."""
    ordered = beats[::-1] if late else beats
    inner = ordered[np.abs(ordered - ordered[0]) >= BLUR_S][:FIT_BEATS]
    if len(inner) < FIT_LEAST:
        inner = ordered[-FIT_BEATS:] if len(ordered) >= 2 else ordered
    inner = np.sort(inner)
    if len(inner) < 2:
        return _Line(float(inner[0]), 0.5)
    index = np.arange(len(inner), dtype=np.float64)
    keep = np.ones(len(inner), bool)
    beat_s, start_s = 0.5, float(inner[0])
    for _ in range(3):
        beat_s, start_s = (float(value) for value in np.polyfit(index[keep], inner[keep], 1))
        off_s = np.abs(inner - (start_s + beat_s * index))
        spread_s = float(np.median(off_s)) + 1e-3
        if np.sum(off_s < 3.0 * spread_s) < 4:
            break
        keep = off_s < 3.0 * spread_s
    return _Line(start_s, max(beat_s, 0.2))


def _evidence(onset: Floats, rate_hz: float) -> Floats:
    """Onset strength against the seconds around, in standard deviations."""
    near = moving_mean(onset, NEAR_FRAMES) - moving_mean(onset, int(LEVEL_S * rate_hz))
    return near / (float(np.std(near)) + 1e-9)


def _heard(evidence: Floats, beats: Floats, beat_s: float, rate_hz: float) -> Floats:
    """(n,) evidence at each beat and half a beat later, the two together."""
    total = np.zeros(len(beats))
    for shift_s in (0.0, 0.5 * beat_s):
        frames = np.clip(np.rint((beats + shift_s) * rate_hz).astype(np.int64), 0, len(evidence) - 1)
        total += evidence[frames]
    return total


def settle_pieces(path: BeatPath, onset: Floats, rate_hz: float) -> BeatPath:
    """Drop stretches that the music does not ask for, and put the cuts between the others on their beat.

    Args:
        path: From :func:`housex_blender.analysis.pulse.phase_path`.
        onset: (n,) onset strength at ``rate_hz``.
    """
    numbers = np.unique(path.pieces)
    if len(numbers) < 2:
        return path
    evidence = _evidence(onset, rate_hz)
    parts = [path.beats[path.pieces == number] for number in numbers]
    # scraps first, or they would stand between a detour and the music behind it
    parts = _without_strays([part for part in parts if len(part) >= 2], evidence, rate_hz, SCRAP_S)
    parts = _without_strays(_without_detours(parts), evidence, rate_hz, SHORT_S)
    for index in range(1, len(parts)):
        parts[index - 1], parts[index] = _cut(parts[index - 1], parts[index], evidence, rate_hz)
    parts = [part for part in parts if len(part)]
    beats = np.concatenate(parts)
    pieces = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    keep = np.concatenate([[True], np.diff(beats) > 0.1])
    return BeatPath(beats[keep], path.clarity, path.clarity_times_s, pieces[keep])


def _without_detours(parts: list[Floats]) -> list[Floats]:
    """Join a stretch to both its neighbours where the one is the other drawn on: nobody cuts out and back in on time.

    A bass before every beat, or a delay, may outweigh the beat for a minute; the music around it tells.
    """
    parts, index = list(parts), 1
    while index < len(parts) - 1:
        left, right = parts[index - 1], parts[index + 1]
        before, after = _line(left, late=True), _line(right, late=False)
        first_s = after.start_s
        count = 2.0 * (first_s - before.start_s) / before.beat_s
        off = abs(count - round(count))
        same = abs(after.beat_s / before.beat_s - 1.0) < SAME_TEMPO
        if not same or off > SAME_PHASE or right[0] - left[-1] > DETOUR_S or min(len(left), len(right)) < FIT_LEAST:
            index += 1
            continue
        # The half beats may have changed roles on the way.
        half_s = 0.5 * after.beat_s if round(count) % 2 else 0.0
        tail = right[right >= first_s - 1e-6] + half_s
        head = left[left < before.start_s + 1e-6] if before.start_s > left[0] else left[:1]
        steps = max(1, round(float(tail[0] - head[-1]) / before.beat_s))
        parts[index - 1 : index + 2] = [np.concatenate([np.linspace(head[-1], tail[0], steps + 1)[:-1], tail])]
        parts[index - 1] = np.concatenate([head[:-1], parts[index - 1]])
        index = max(1, index - 1)
    return parts


def _without_strays(parts: list[Floats], evidence: Floats, rate_hz: float, longest_s: float) -> list[Floats]:
    """Join short stretches to a neighbour whose beat, drawn on through them, fits the onsets about as well."""
    parts = list(parts)
    order = sorted(range(len(parts)), key=lambda i: parts[i][-1] - parts[i][0])
    alive = [True] * len(parts)
    for index in order:
        part = parts[index]
        length_s = float(part[-1] - part[0])
        if length_s > longest_s or sum(alive) < 2:
            continue
        before = next((i for i in range(index - 1, -1, -1) if alive[i]), None)
        after = next((i for i in range(index + 1, len(parts)) if alive[i]), None)
        beat_s = float(np.median(np.diff(part)))
        own = float(_heard(evidence, part, beat_s, rate_hz).mean())
        best, into, drawn = -np.inf, None, np.zeros(0)
        for neighbour, late in ((before, True), (after, False)):
            if neighbour is None or len(parts[neighbour]) < FIT_LEAST:
                continue
            line = _line(parts[neighbour], late)
            other = parts[neighbour]
            low_s = float(other[-1]) + 0.5 * line.beat_s if late else float(part[0]) - 0.5 * beat_s
            high_s = float(part[-1]) + 0.5 * beat_s if late else float(other[0]) - 0.5 * line.beat_s
            if neighbour == after and before is None:
                low_s = max(0.0, low_s)
            beats = line.between(max(low_s, 0.0), high_s)
            if len(beats) < 2:
                continue
            score = float(_heard(evidence, beats, line.beat_s, rate_hz).mean())
            if score > best:
                best, into, drawn = score, neighbour, beats
        if into is not None and own - best < OWN_LEAD / np.sqrt(len(part)):
            parts[into] = np.concatenate([parts[into], drawn] if into < index else [drawn, parts[into]])
            alive[index] = False
    return [part for part, lives in zip(parts, alive, strict=True) if lives]


def _cut(left: Floats, right: Floats, evidence: Floats, rate_hz: float) -> tuple[Floats, Floats]:
    """Both stretches, each drawn on in a straight line to the one beat at which they part best."""
    before, after = _line(left, late=True), _line(right, late=False)
    edge_s = 0.5 * float(left[-1] + right[0])
    low_s = max(edge_s - SEARCH_S, 0.5 * float(left[0] + left[-1]))
    high_s = min(edge_s + SEARCH_S, 0.5 * float(right[0] + right[-1]))
    lead, follow = before.between(low_s, high_s), after.between(low_s, high_s)
    if len(lead) < 2 or len(follow) < 2:
        return left, right
    # How much is lost or won by following the left stretch up to a time and the right one from there.
    won = np.concatenate([[0.0], np.cumsum(_heard(evidence, lead, before.beat_s, rate_hz))])
    rest = np.cumsum(_heard(evidence, follow, after.beat_s, rate_hz)[::-1])[::-1]
    worth = won[np.searchsorted(lead, follow)] + rest
    cut_s = float(follow[int(worth.argmax())])
    # Where a drawn line meets its path again the two may be some hundredths of a second apart, never a beat.
    head = np.concatenate([left[left < lead[0] - 0.5 * before.beat_s], lead[lead < cut_s - 0.3 * after.beat_s]])
    tail = np.concatenate([follow[follow >= cut_s - 1e-6], right[right > follow[-1] + 0.5 * after.beat_s]])
    return head, tail
