"""Bars from the beats or tempos of another program. Zone: pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..core.bars import BEATS_PER_BAR, BarGrid
from ..core.errors import TimelineError
from .errors import ExchangeError
from .imported import MAX_BEATS, MAX_S, Floats, Imported

# two marks closer than this are one beat, written twice
_TWICE_S = 0.01
# how far a downbeat may lie from its beat: half the tolerance of the usual beat metric
_ON_BEAT_S = 0.035


def grid_from(imported: Imported, duration_s: float) -> BarGrid:
    """Bars of an imported file.

    Tempos are laid out from each entry to the next, from the first back to the start of the mix and from the last on
    to its end. Beats are taken as they are. Without word on where bars begin they have four beats from the first one
    on; four beats or more before the first downbeat become bars of four, counted backwards.

    Args:
        imported: What :func:`read` returned.
        duration_s: Length of the mix in seconds; beats beyond it are left out.

    Raises:
        ExchangeError: The file has neither beats nor tempos, too few of them within the mix, or they contradict.
    """
    if not 0.0 < duration_s <= MAX_S:
        raise ExchangeError(f"The mix cannot last {duration_s:g} s.", "Give its length in seconds.")
    if imported.beats_s is not None and len(imported.beats_s):
        beats_s, marks = _from_beats(imported.beats_s, imported.downbeats_s)
    elif imported.downbeats_s is not None and len(imported.downbeats_s):
        return _from_downbeats(imported.downbeats_s[imported.downbeats_s < duration_s])
    elif imported.tempos:
        beats_s, marks = _from_tempos(imported.tempos, duration_s)
    else:
        raise ExchangeError("The file has no beats and no tempos.", "Choose one with a beat grid.")
    inside = beats_s < duration_s
    beats_s, marks = beats_s[inside], marks[inside]
    if len(beats_s) < 2:
        raise ExchangeError("The file has fewer than two beats within the mix.", "Choose the file of this mix.")
    if not marks.any():
        marks[::BEATS_PER_BAR] = True
    first = int(np.flatnonzero(marks)[0])
    marks[np.arange(first % BEATS_PER_BAR, first, BEATS_PER_BAR)] = True
    end_s = float(beats_s[-1] + (beats_s[-1] - beats_s[-2]))
    try:
        return BarGrid.from_beats(beats_s, marks, end_s)
    except TimelineError as error:
        raise ExchangeError(f"The beats make no bars: {error.message}", "Correct the file.") from error


def _from_beats(beats_s: Floats, downbeats_s: Floats | None) -> tuple[Floats, NDArray[np.bool_]]:
    apart = np.append(True, np.diff(beats_s) > _TWICE_S)
    if apart.sum() < len(beats_s) / 2:
        raise ExchangeError(
            f"Most beats of the file lie less than {_TWICE_S:g} s apart.", "Give the time of each beat in seconds."
        )
    beats_s = beats_s[apart]
    marks = np.zeros(len(beats_s), bool)
    if downbeats_s is not None and len(downbeats_s):
        right = np.clip(np.searchsorted(beats_s, downbeats_s), 1, max(len(beats_s) - 1, 1))
        right = np.minimum(right, len(beats_s) - 1)
        left = np.maximum(right - 1, 0)
        nearest = np.where(downbeats_s - beats_s[left] < beats_s[right] - downbeats_s, left, right)
        far = np.abs(beats_s[nearest] - downbeats_s) > _ON_BEAT_S
        if far.any():
            raise ExchangeError(
                f"The downbeat at {downbeats_s[far][0]:.3f} s is not on a beat.", "Correct the file's beats."
            )
        marks[nearest] = True
    return beats_s, marks


def _from_downbeats(downbeats_s: Floats) -> BarGrid:
    if len(downbeats_s) < 2:
        raise ExchangeError("The file has fewer than two downbeats within the mix.", "Choose the file of this mix.")
    downbeats_s = downbeats_s[np.append(True, np.diff(downbeats_s) > BEATS_PER_BAR * _TWICE_S)]
    if len(downbeats_s) < 2:
        raise ExchangeError("The file's downbeats are all at one moment.", "Correct the file.")
    return BarGrid.from_downbeats(downbeats_s, float(2 * downbeats_s[-1] - downbeats_s[-2]))


def _from_tempos(tempos: list[tuple[float, float, int]], duration_s: float) -> tuple[Floats, NDArray[np.bool_]]:
    beats: list[Floats] = []
    places: list[NDArray[np.int64]] = []
    total = 0
    # of entries at one moment the last one counts
    entries = list({start_s: (start_s, bpm, place) for start_s, bpm, place in tempos}.values())
    for index, (start_s, bpm, place) in enumerate(entries):
        beat_s = 60.0 / bpm
        last = index + 1 == len(entries)
        # an entry's own beat replaces one that would fall less than half a beat before it
        end_s = duration_s if last else min(entries[index + 1][0] - beat_s / 2, duration_s)
        low = -int(max(start_s, 0.0) / beat_s + 1e-6) if index == 0 else 0
        high = max(int(np.ceil((end_s - start_s) / beat_s - 1e-6)), 0 if last else 1)
        total += max(high - low, 0)
        if total > MAX_BEATS:
            raise ExchangeError(f"The tempos make more than {MAX_BEATS} beats.", "Correct the grid.")
        steps = np.arange(low, high)
        times_s = start_s + steps * beat_s
        # the beat that falls on second 0 must not become negative by rounding
        beats.append(np.where(steps < 0, np.maximum(times_s, 0.0), times_s))
        places.append((steps + place - 1) % BEATS_PER_BAR)
    beats_s, place_in_bar = np.concatenate(beats), np.concatenate(places)
    keep = np.append(np.diff(beats_s) > _TWICE_S, True) if len(beats_s) else np.zeros(0, bool)
    return beats_s[keep], (place_in_bar == 0)[keep]
