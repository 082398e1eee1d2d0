"""The bar grid, and the only place where seconds become frames. Zone: pure."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

import numpy as np
from numpy.typing import NDArray

from .errors import TimelineError

BEATS_PER_BAR = 4

# a bar of fewer beats has too few gaps for a tempo of its own
_FEW_BEATS = 3
_SAME_S = 1e-3

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class BarGrid:
    """Beats and bars of a mix in 4/4; an edit or a hard cut may leave a bar with another number of beats.

    Attributes:
        beats_s: (n_beats,) strictly increasing beat times in seconds; some may lie before the first downbeat.
        starts_s: (n_bars,) downbeat of each bar in seconds.
        ends_s: (n_bars,) end of each bar in seconds; equals the next start except for the last bar.
        bpm: (n_bars,) tempo of each bar in beats per minute.
    """

    beats_s: Floats
    starts_s: Floats
    ends_s: Floats
    bpm: Floats

    def __post_init__(self) -> None:
        for name in ("beats_s", "starts_s", "ends_s", "bpm"):
            values = np.asarray(getattr(self, name), dtype=np.float64)
            if values.ndim != 1 or not np.all(np.isfinite(values)):
                raise TimelineError(f"The grid's {name} is not a list of numbers.", "Analyze the mix again.")
            object.__setattr__(self, name, values)
        if not len(self.starts_s) == len(self.ends_s) == len(self.bpm):
            raise TimelineError("The grid's columns differ in length.", "Analyze the mix again.")
        if not len(self.starts_s):
            raise TimelineError("The grid has no bars.", "Analyze the mix again.")
        if len(self.beats_s) < 2:
            raise TimelineError("The grid has no beats.", "Analyze the mix again.")
        rising = np.all(np.diff(self.starts_s) > 0) and np.all(np.diff(self.beats_s) > 0)
        if not rising or np.any(self.ends_s <= self.starts_s):
            raise TimelineError("The grid's times do not increase.", "Analyze the mix again.")
        if np.any(self.ends_s[:-1] > self.starts_s[1:] + 1e-3):
            raise TimelineError("The grid's bars overlap.", "Analyze the mix again.")

    @property
    def n_bars(self) -> int:
        """Number of bars."""
        return len(self.starts_s)

    @property
    def edges_s(self) -> Floats:
        """(n_bars + 1,) bar lines in seconds: every downbeat, then the end of the last bar."""
        return np.append(self.starts_s, self.ends_s[-1])

    def bar_at(self, time_s: float) -> int:
        """Index of the bar that holds ``time_s``; the first or last bar outside the grid."""
        index = int(np.searchsorted(self.starts_s, time_s, side="right")) - 1
        return min(max(index, 0), self.n_bars - 1)

    @property
    def bar_of_beat(self) -> NDArray[np.int64]:
        """(n_beats,) index of the bar that each beat belongs to; -1 before the first downbeat."""
        # a downbeat and its beat are the same number, or two roundings of it
        return np.searchsorted(self.starts_s - _SAME_S, self.beats_s, side="right").astype(np.int64) - 1

    @property
    def beat_in_bar(self) -> NDArray[np.int64]:
        """(n_beats,) place of each beat in its bar, 1 on the downbeat; before the first downbeat 4, 3, ... back."""
        bar = self.bar_of_beat
        index = np.arange(len(bar))
        first = np.searchsorted(bar, bar, side="left")
        before = int(np.searchsorted(bar, 0))
        place = index - first + 1
        place[:before] = (index[:before] - before) % BEATS_PER_BAR + 1
        return place.astype(np.int64)

    @classmethod
    def from_beats(cls, beats_s: Floats, is_downbeat: NDArray[np.bool_], end_s: float) -> BarGrid:
        """Grid of any beats; bars begin at the marked ones and may have any number of beats, one at least.

        Args:
            beats_s: (n_beats,) increasing beats in seconds.
            is_downbeat: (n_beats,) True where a bar begins; beats before the first one belong to no bar.
            end_s: End of the last bar in seconds, after the last beat.

        Raises:
            TimelineError: There are fewer than two beats, no downbeat, or the times do not increase.
        """
        beats_s, marks = np.asarray(beats_s, dtype=np.float64), np.asarray(is_downbeat, dtype=bool)
        if beats_s.ndim != 1 or beats_s.shape != marks.shape:
            raise TimelineError("The grid's columns differ in length.", "Give one mark for each beat.")
        if len(beats_s) < 2 or not marks.any():
            raise TimelineError("The grid has no bars.", "Give two beats at least, one of them a downbeat.")
        if not end_s > beats_s[-1]:
            raise TimelineError("The grid ends before its last beat.", "Check the end of the last bar.")
        first = np.flatnonzero(marks)
        starts_s = beats_s[first]
        # plain floats: a median of four of them takes twenty times as long in numpy, and hours have thousands of bars
        gaps_s = np.diff(np.append(beats_s, end_s)).tolist()
        bounds = np.append(first, len(beats_s))
        bpm = np.empty(len(first))
        for bar in range(len(first)):
            low, high = bounds[bar], bounds[bar + 1]
            if high - low < _FEW_BEATS:
                # one or two gaps, of which a cut may have shortened the last, are no tempo: ask the bars around
                low, high = bounds[max(bar - 1, 0)], bounds[min(bar + 2, len(first))]
            bpm[bar] = 60.0 / max(median(gaps_s[low:high]), 0.06)
        return cls(beats_s, starts_s, np.append(starts_s[1:], end_s), bpm)

    @classmethod
    def from_downbeats(cls, downbeats_s: Floats, end_s: float) -> BarGrid:
        """Grid with four equal beats in each bar.

        Args:
            downbeats_s: (n_bars,) increasing downbeats in seconds.
            end_s: End of the last bar in seconds.
        """
        starts_s = np.asarray(downbeats_s, dtype=np.float64)
        ends_s = np.append(starts_s[1:], end_s)
        quarter_s = (ends_s - starts_s) / BEATS_PER_BAR
        beats_s = (starts_s[:, None] + quarter_s[:, None] * np.arange(BEATS_PER_BAR)).ravel()
        return cls(beats_s, starts_s, ends_s, 60.0 / quarter_s)

    @classmethod
    def fixed(cls, duration_s: float, bpm: float = 128.0, first_s: float = 0.0) -> BarGrid:
        """Grid of one tempo from ``first_s`` on; the last bar that begins at least a beat before the end is kept."""
        bar_s = 60.0 * BEATS_PER_BAR / bpm
        count = max(1, int(np.ceil((duration_s - first_s) / bar_s - 1.0 / BEATS_PER_BAR)))
        starts_s = first_s + bar_s * np.arange(count)
        return cls.from_downbeats(starts_s, float(starts_s[-1] + bar_s))


def seconds_to_frames(times_s: NDArray[np.floating] | float, fps: float, first_frame: int = 1) -> Floats:
    """Frame position (may be fractional) of times in seconds; second 0 is ``first_frame``.

    Args:
        times_s: Any shape, seconds from the start of the mix.
        fps: Frames per second, > 0.
        first_frame: Scene frame at which the mix starts.
    """
    return np.asarray(times_s, dtype=np.float64) * fps + first_frame


def frame_on(times_s: NDArray[np.floating] | float, fps: float, first_frame: int = 1) -> Floats:
    """Whole frame nearest to a time: the frame on which an event is seen."""
    return np.floor(seconds_to_frames(times_s, fps, first_frame) + 0.5)


def frame_count(duration_s: float, fps: float) -> int:
    """How many frames it takes to show so many seconds to their end, at least one."""
    return max(1, int(np.ceil(duration_s * fps)))


def frames_to_seconds(frames: NDArray[np.floating] | float, fps: float, first_frame: int = 1) -> Floats:
    """Inverse of :func:`seconds_to_frames`."""
    return (np.asarray(frames, dtype=np.float64) - first_frame) / fps
