"""Motion over time: walls by band and character, space that narrows and opens. Zone: pure."""

from __future__ import annotations

import numpy as np

from .keys import KeyTrack
from .looks import Look
from .manners import CHARACTERS, character_shares
from .show_heard import bar_force
from .show_times import Clock, Floats, Tracks, joined_frames, level, linear_track, runs_of, steps, thinned
from .timeline import Timeline

WALLS = ("displacement", "ripple")
SPACE = ("narrow", "open")

# over how many bars the space opens in a break and closes after it
_OPEN_BARS = 2.0
_TOLERANCE = 0.012


def space_tracks(timeline: Timeline, clock: Clock) -> Tracks:
    """How far build-ups narrow the space and breaks open it, 0..1."""
    return {"narrow": _narrow_track(timeline, clock), "open": _open_track(timeline, clock)}


def _narrow_track(timeline: Timeline, clock: Clock) -> KeyTrack:
    """Rises over a build-up; gone on the frame of its drop, or over two bars where none follows."""
    lines = clock.bar_lines(timeline)
    drops = {drop.start_bar for drop in timeline.drops}
    frames, values = [float(clock.first_frame)], [0.0]
    for first, end in runs_of(timeline, "build"):
        rise = np.linspace(0.0, 1.0, 9)
        begin, stop = float(lines[first]), float(lines[end])
        frames += (begin + (stop - 1.0 - begin) * rise).tolist()
        values += (rise**1.5).tolist()
        frames.append(stop if end in drops else float(lines[min(end + 2, len(lines) - 1)]))
        values.append(0.0)
    return linear_track(frames, values)


def _open_track(timeline: Timeline, clock: Clock) -> KeyTrack:
    """Rises over the first two bars of a break and falls over the two after it, without a corner."""
    here = np.array([name == "break" for name in timeline.section])
    edges, opened = [0.0], 0.0
    for is_break in here.tolist():
        opened = min(opened + 1 / _OPEN_BARS, 1.0) if is_break else max(opened - 1 / _OPEN_BARS, 0.0)
        edges.append(opened)
    lines = clock.bar_lines(timeline)
    bars = np.arange(4 * (len(lines) - 1) + 1) / 4
    frames = np.interp(bars, np.arange(len(lines)), lines)
    linear = np.interp(bars, np.arange(len(lines)), edges)
    moving = np.abs(np.diff(linear)) > 0
    keep = np.append(True, moving) | np.append(moving, True)
    return KeyTrack(frames[keep].astype(np.float32), (linear**2 * (3 - 2 * linear))[keep].astype(np.float32), "LINEAR")


def wall_tracks(tracks: Tracks, timeline: Timeline, look: Look, weights: Floats, clock: Clock) -> Tracks:
    """Displacement in all and by character, and the fine ripple.

    Args:
        tracks: Channels made so far: heard.
        timeline: With its edits applied.
        look: Its displacement and characters.
        weights: (n_bars, G) how much each genre counts.
        clock: Of the scene.
    """
    force = steps(clock.on(timeline.grid.starts_s), bar_force(timeline), clock.first_frame)
    frames = np.unique(np.concatenate([joined_frames(tracks, "bass", "build", "drop"), force.frames]))
    here = force.at(frames)[:, 0]
    moved = 0.05 + here * (0.22 + 0.5 * level(tracks, "bass", frames))
    moved = (moved + 0.25 * level(tracks, "build", frames) + 0.6 * level(tracks, "drop", frames)) * look.displacement
    result = {"displacement": thinned(frames, moved, _TOLERANCE)}
    result.update(_character_tracks(result["displacement"], timeline, look, weights, clock))
    frames = np.unique(np.concatenate([joined_frames(tracks, "mid", "high"), force.frames]))
    fine = 0.1 + (0.3 + 0.7 * force.at(frames)[:, 0]) * (
        0.45 * level(tracks, "mid", frames) + 0.4 * level(tracks, "high", frames)
    )
    result["ripple"] = thinned(frames, np.clip(fine, 0.0, 1.0) * look.displacement, 0.015)
    return result


def _character_tracks(displacement: KeyTrack, timeline: Timeline, look: Look, weights: Floats, clock: Clock) -> Tracks:
    """The displacement shared out among the characters of the bars' genres."""
    shares = character_shares(look.characters, timeline.model.genres, weights)
    lines = clock.on(timeline.grid.starts_s)
    result = {}
    for column, name in enumerate(CHARACTERS):
        share = steps(lines, shares[:, column], clock.first_frame)
        frames = np.unique(np.concatenate([displacement.frames, share.frames])).astype(np.float64)
        amount = share.at(frames)[:, 0] * displacement.at(frames)[:, 0]
        used = amount > 1e-4
        # where a character does not act it needs no keys but those around
        near = used | np.append(used[1:], True) | np.append(True, used[:-1])
        result[name] = thinned(frames[near], np.where(used, amount, 0.0)[near], _TOLERANCE)
    return result
