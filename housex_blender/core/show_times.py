"""Frames of a show and the keys on them: what all channels are made with. Zone: pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .bars import frame_on, seconds_to_frames
from .errors import SceneError
from .keys import KeyTrack
from .timeline import Timeline

Floats = NDArray[np.float64]
Marks = NDArray[np.bool_]
Tracks = dict[str, KeyTrack]

_STEPS_PER_BEAT = 4


@dataclass(frozen=True)
class Clock:
    """Seconds to frames for one scene.

    Attributes:
        fps: Frames per second.
        first_frame: Frame at which the mix begins.

    Raises:
        SceneError: fps is not positive.
    """

    fps: float
    first_frame: int

    def __post_init__(self) -> None:
        if not self.fps > 0:
            raise SceneError(f"{self.fps} frames per second is not possible.", "Choose a frame rate above 0.")

    def exact(self, times_s: Floats) -> Floats:
        """Frame positions, fractions included."""
        return seconds_to_frames(times_s, self.fps, self.first_frame)

    def on(self, times_s: Floats) -> Floats:
        """Whole frames on which events are seen."""
        return frame_on(times_s, self.fps, self.first_frame)

    def seconds(self, frames: Floats) -> Floats:
        """The inverse of :meth:`exact`."""
        return (np.asarray(frames, dtype=np.float64) - self.first_frame) / self.fps

    def bar_lines(self, timeline: Timeline) -> Floats:
        """(n_bars + 1,) whole frames of every downbeat and of the end of the last bar."""
        return self.on(timeline.grid.edges_s)

    def end(self, timeline: Timeline) -> float:
        """Frame at which neither mix nor bars go on."""
        return float(self.on(np.array(max(timeline.mix.duration_s, float(timeline.grid.ends_s[-1])))))


def step_times(timeline: Timeline) -> Floats:
    """Sixteenth notes over the whole mix in seconds, its start and end included."""
    beats_s = timeline.grid.beats_s
    knots_s = np.append(beats_s, timeline.grid.ends_s[-1]) if beats_s[-1] < timeline.grid.ends_s[-1] else beats_s
    parts = np.arange(_STEPS_PER_BEAT) / _STEPS_PER_BEAT
    steps_s = (knots_s[:-1, None] + np.diff(knots_s)[:, None] * parts).ravel()
    end_s = max(timeline.mix.duration_s, steps_s[-1] + 0.1)
    return np.unique(np.concatenate([[0.0], steps_s[(steps_s > 0.02) & (steps_s < end_s - 0.02)], [end_s]]))


def beat_frames(timeline: Timeline, clock: Clock) -> Floats:
    """(n + 1,) whole frames of every beat and of the end of the last bar, each at least two after the one before; at
    a frame rate too low for beats there are two all the same."""
    beats_s = timeline.grid.beats_s
    frames = clock.on(np.append(beats_s[beats_s < timeline.grid.ends_s[-1] - 1e-3], timeline.grid.ends_s[-1]))
    frames = frames[np.append(True, np.diff(frames) >= 2)]
    return frames if len(frames) > 1 else frames[0] + np.array([0.0, 2.0])


def thinned(frames: Floats, values: Floats, tolerance: float, fixed: Marks | None = None) -> KeyTrack:
    """Linear keys without those that the line between their neighbours already gives to ``tolerance``.

    Args:
        frames: (k,) increasing.
        values: (k,) or (k, w).
        tolerance: How far a key may lie off that line.
        fixed: (k,) keys that stay whatever the line gives.
    """
    values = np.asarray(values, dtype=np.float64).reshape(len(frames), -1)
    fixed = np.zeros(len(frames), bool) if fixed is None else fixed
    for _ in range(3):
        if len(frames) < 3:
            break
        part = ((frames[1:-1] - frames[:-2]) / (frames[2:] - frames[:-2]))[:, None]
        flat = np.abs(values[:-2] + (values[2:] - values[:-2]) * part - values[1:-1]).max(axis=1) < tolerance
        # two neighbours must not both go in one pass: each is judged by the other
        flat[1::2] = False
        keep = np.concatenate([[True], ~flat, [True]]) | fixed
        if keep.all():
            break
        frames, values, fixed = frames[keep], values[keep], fixed[keep]
    return KeyTrack(frames.astype(np.float32), values.astype(np.float32), "LINEAR")


def steps(frames: Floats, values: Floats, first_frame: float, epsilon: float = 2e-3) -> KeyTrack:
    """Keys that hold each value and change within the one frame before the next.

    Args:
        frames: (n,) whole frames in order on which each value is reached; of several on one frame the last counts.
        values: (n, w) values.
        first_frame: Where the first value begins, if that is earlier.
        epsilon: A change smaller than this is none.
    """
    values = np.asarray(values, dtype=np.float64).reshape(len(frames), -1)
    last = np.append(np.diff(frames) > 0, True)
    frames, values = frames[last], values[last]
    changed = np.abs(np.diff(values, axis=0)).max(axis=1) > epsilon if len(frames) > 1 else np.zeros(0, bool)
    index = np.flatnonzero(changed) + 1
    on = frames[index]
    # changes on neighbouring frames share a key: what the first one reached is what the second one leaves
    all_frames = np.concatenate([[min(first_frame, frames[0])], np.stack([on - 1, on], axis=1).ravel()])
    held = np.stack([values[np.append(0, index)[:-1]], values[index]], axis=1).reshape(-1, values.shape[1])
    all_values = np.concatenate([values[:1], held])
    keep = np.append(np.diff(all_frames) > 0, True)
    return KeyTrack(all_frames[keep].astype(np.float32), all_values[keep].astype(np.float32), "LINEAR")


def bar_steps(timeline: Timeline, per_bar: NDArray[np.floating], clock: Clock) -> KeyTrack:
    """A value for each bar, reached on the downbeat's frame."""
    return steps(clock.on(timeline.grid.starts_s), np.asarray(per_bar, float), clock.first_frame)


def linear_track(frames: list[float], values: list[float]) -> KeyTrack:
    """Linear keys; of two on one frame the later one counts, and what would run backwards is left out."""
    pairs: dict[float, float] = {}
    for frame, value in zip(frames, values, strict=True):
        if not pairs or frame >= next(reversed(pairs)):
            pairs[frame] = value
    return KeyTrack(np.array(list(pairs), np.float32), np.array(list(pairs.values()), np.float32), "LINEAR")


def joined_frames(tracks: Tracks, *names: str) -> Floats:
    """All frames on which any of these channels has a key."""
    return np.unique(np.concatenate([tracks[name].frames for name in names])).astype(np.float64)


def level(tracks: Tracks, name: str, frames: Floats) -> Floats:
    """(n,) values of a channel of one component."""
    return np.asarray(tracks[name].at(frames))[:, 0]


def runs_of(timeline: Timeline, name: str) -> list[tuple[int, int]]:
    """Runs of bars of one section as (first, one past the last)."""
    here = np.array([section == name for section in timeline.section], dtype=np.int8)
    edges = np.diff(np.concatenate([[0], here, [0]]))
    return list(zip(np.flatnonzero(edges == 1).tolist(), np.flatnonzero(edges == -1).tolist(), strict=True))


def builds_to_drop(timeline: Timeline) -> list[tuple[int, int]]:
    """Build-ups that end in a drop, as (first bar, bar of the drop)."""
    drops = {drop.start_bar for drop in timeline.drops}
    return [(first, end) for first, end in runs_of(timeline, "build") if end in drops]
