"""Motion over time: walls by band and character, space that narrows and opens. Zone: pure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .keys import KeyTrack
from .looks import Look
from .manners import CHARACTERS, character_shares
from .show_heard import band, bar_force
from .show_times import (
    Clock,
    Floats,
    Tracks,
    builds_to_drop,
    joined_frames,
    level,
    linear_track,
    runs_of,
    step_times,
    steps,
    thinned,
)
from .timeline import Timeline

WALLS = ("displacement", "ripple")
SPACE = ("narrow", "open")

# over how many bars the space opens in a break and closes after it
_OPEN_BARS = 2.0
_TOLERANCE = 0.012
# the band each character hears, with the least attack and release in ms: hi-hats are no jitter, slabs are heavy;
# ribs follow the kicks, whose pulses fall by themselves
_HEARS = {
    "swell": ("bass", 60.0, 250.0),
    "shards": ("mid", 60.0, 250.0),
    "grid": ("high", 80.0, 300.0),
    "slabs": ("sub", 160.0, 600.0),
}
_RIB_KICK = 0.6


def space_tracks(timeline: Timeline, clock: Clock) -> Tracks:
    """How far build-ups narrow the space and breaks open it, 0..1."""
    return {"narrow": _narrow_track(timeline, clock), "open": _open_track(timeline, clock)}


def _narrow_track(timeline: Timeline, clock: Clock) -> KeyTrack:
    """Rises over a build-up; gone on the frame of its drop, or over two bars where none follows."""
    lines = clock.bar_lines(timeline)
    to_drop = builds_to_drop(timeline)
    frames, values = [float(clock.first_frame)], [0.0]
    for first, end in runs_of(timeline, "build"):
        rise = np.linspace(0.0, 1.0, 9)
        begin, stop = float(lines[first]), float(lines[end])
        frames += (begin + (stop - 1.0 - begin) * rise).tolist()
        values += (rise**1.5).tolist()
        frames.append(stop if (first, end) in to_drop else float(lines[min(end + 2, len(lines) - 1)]))
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
    # bars shorter than a frame: the last of those on it counts
    keep &= np.append(np.diff(frames) > 0, True)
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
    moved = _moved(tracks, force, tracks["bass"], frames) * look.displacement
    result = {"displacement": thinned(frames, moved, _TOLERANCE)}
    result.update(_character_tracks(tracks, force, timeline, look, weights, clock))
    frames = np.unique(np.concatenate([joined_frames(tracks, "mid", "high"), force.frames]))
    fine = 0.1 + (0.3 + 0.7 * force.at(frames)[:, 0]) * (
        0.45 * level(tracks, "mid", frames) + 0.4 * level(tracks, "high", frames)
    )
    result["ripple"] = thinned(frames, np.clip(fine, 0.0, 1.0) * look.displacement, 0.015)
    return result


def _moved(tracks: Tracks, force: KeyTrack, answer: KeyTrack, frames: Floats) -> Floats:
    """(n,) how far walls go when they follow ``answer``; a look's displacement is a factor on it."""
    moved = 0.05 + force.at(frames)[:, 0] * (0.22 + 0.5 * answer.at(frames)[:, 0])
    return np.asarray(moved + 0.25 * level(tracks, "build", frames) + 0.6 * level(tracks, "drop", frames))


def _heard_by(character: str, tracks: Tracks, timeline: Timeline, look: Look, clock: Clock) -> KeyTrack:
    """What a character of the walls answers to, 0..1."""
    if character == "ribs":
        kick = tracks["kick"]
        return KeyTrack(kick.frames, kick.values * np.float32(_RIB_KICK), "LINEAR")
    name, attack_ms, release_ms = _HEARS[character]
    slow = replace(look, attack_ms=max(look.attack_ms, attack_ms), release_ms=max(look.release_ms, release_ms))
    times_s = step_times(timeline)
    return thinned(clock.exact(times_s), band(timeline, slow, name, times_s), _TOLERANCE)


def _character_tracks(
    tracks: Tracks, force: KeyTrack, timeline: Timeline, look: Look, weights: Floats, clock: Clock
) -> Tracks:
    """How far each character goes: its share by the bars' genres of what the walls do, each with its own band."""
    shares = character_shares(look.characters, timeline.model.genres, weights)
    lines = clock.on(timeline.grid.starts_s)
    others = np.concatenate([joined_frames(tracks, "build", "drop"), force.frames])
    result = {}
    for column, name in enumerate(CHARACTERS):
        share = steps(lines, shares[:, column], clock.first_frame)
        answer = _heard_by(name, tracks, timeline, look, clock)
        frames = np.unique(np.concatenate([others, answer.frames, share.frames])).astype(np.float64)
        amount = share.at(frames)[:, 0] * _moved(tracks, force, answer, frames) * look.displacement
        used = amount > 1e-4
        # where a character does not act it needs no keys but those around
        near = used | np.append(used[1:], True) | np.append(True, used[:-1])
        result[name] = thinned(frames[near], np.where(used, amount, 0.0)[near], _TOLERANCE)
    return result
