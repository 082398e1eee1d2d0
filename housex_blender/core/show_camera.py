"""The camera over time: speed and way, roll, lens and drift. Zone: pure.

Nothing here jumps, but on the frame of a cut.
"""

from __future__ import annotations

import numpy as np

from .keys import KeyTrack
from .looks import Look
from .manners import TEMPERS
from .scene_kinds import COMMON_LAP_M
from .shots import shot_bars
from .show_heard import bar_force
from .show_times import Clock, Floats, Tracks, level, linear_track, runs_of
from .timeline import Timeline

MOVES = ("travel", "speed", "roll", "zoom", "drift")

# metres per second: a walk in the breaks, a flight in the drops
_SPEED_LEAST, _SPEED_FORCE, _SPEED_BUILD, _SPEED_HIT = 4.0, 11.0, 9.0, 9.0
# how far it leans, rad: a share of the time in bars, more where more happens
_ROLL = ((16.0, 0.09), (6.0, 0.05))
_ZOOM_REST, _ZOOM_BUILD, _ZOOM_BREAK = 0.3, 0.5, -0.12
# a drop opens as wide as the lens goes and comes back over these bars
_WIDE_BARS = 4.0
# how long before a cut the way is taken back, in frames: less than half of any shutter
_BEFORE_CUT_FRAMES = 0.125


def camera_tracks(tracks: Tracks, timeline: Timeline, look: Look, clock: Clock) -> Tracks:
    """Speed at every beat, the way travelled as its exact integral less whole laps, roll, lens and drift.

    Args:
        tracks: Channels made so far: build, drop, open.
        timeline: With its edits applied.
        look: Its speed, seed and camera.
        clock: Of the scene.
    """
    temper = TEMPERS[look.camera]
    grid = timeline.grid
    beats_s = grid.beats_s[(grid.beats_s > 0.05) & (grid.beats_s < timeline.mix.duration_s - 0.05)]
    times_s = np.concatenate([[0.0], beats_s, [max(timeline.mix.duration_s, grid.ends_s[-1])]])
    frames = clock.exact(np.unique(times_s))
    # just after the downbeat, so that a change on the bar line counts for the beat it starts
    build, drop = (level(tracks, name, frames + 1.0) for name in ("build", "drop"))
    bars = np.interp(clock.seconds(frames), grid.edges_s, np.arange(grid.n_bars + 1))
    force = _even_force(timeline, bars)
    speed = _SPEED_LEAST + _SPEED_FORCE * force + _SPEED_BUILD * build + _SPEED_HIT * drop
    speed = speed * look.speed * temper.speed
    step_s = np.diff(frames) / clock.fps
    travel = np.append(0.0, np.cumsum((speed[:-1] + speed[1:]) / 2 * step_s))
    phase = np.random.default_rng(look.seed).uniform(0, 2 * np.pi, 2)
    waves = [amount * np.sin(2 * np.pi * bars / long + at) for (long, amount), at in zip(_ROLL, phase, strict=True)]
    roll = sum(waves) * (0.5 + force) * temper.roll
    roll_slope = np.gradient(roll, frames)
    as32 = np.float32
    return {
        "speed": KeyTrack(frames.astype(as32), speed.astype(as32), "LINEAR"),
        "travel": _travel_track(frames, travel, speed / clock.fps, _cut_frames(timeline, look, clock)),
        "roll": KeyTrack(frames.astype(as32), roll.astype(as32), "BEZIER", roll_slope.astype(as32)),
        "zoom": _zoom_track(timeline, clock),
        "drift": _drift_track(timeline, look, temper.drift, clock),
    }


def _cut_frames(timeline: Timeline, look: Look, clock: Clock) -> list[float]:
    """Frames on which a shot begins, in order."""
    lines = clock.bar_lines(timeline)
    return [float(lines[bar]) for bar, _ in shot_bars(timeline, look)]


def _travel_track(frames: Floats, travel: Floats, slopes: Floats, cuts: list[float]) -> KeyTrack:
    """The way travelled, less the laps that are behind at each cut: Blender keeps numbers of 32 bits, and after a few
    hours their steps would be seen as jitter. Every scene is the same a lap later, so nobody sees it.

    Args:
        frames: (k,) increasing.
        travel: (k,) metres.
        slopes: (k,) metres per frame; straight between two frames.
        cuts: Frames on which a shot begins.
    """
    for cut in cuts:
        if not frames[0] < cut - _BEFORE_CUT_FRAMES < cut < frames[-1]:
            continue
        edge = np.array([cut - _BEFORE_CUT_FRAMES, cut])
        left = np.searchsorted(frames, edge, side="right") - 1
        speed = np.interp(edge, frames, slopes)
        way = travel[left] + (slopes[left] + speed) / 2 * (edge - frames[left])
        laps = np.floor(way[1] / COMMON_LAP_M) * COMMON_LAP_M
        if laps <= 0.0:
            continue
        before, after = frames < edge[0] - 1e-6, frames > cut + 1e-6
        frames = np.concatenate([frames[before], edge, frames[after]])
        travel = np.concatenate([travel[before], way - [0.0, laps], travel[after] - laps])
        slopes = np.concatenate([slopes[before], speed, slopes[after]])
    return KeyTrack(frames.astype(np.float32), travel.astype(np.float32), "BEZIER", slopes.astype(np.float32))


def _even_force(timeline: Timeline, bars: Floats) -> Floats:
    """(n,) force at positions in bars: of each bar in its middle, straight between two; a drop's from its downbeat."""
    force = bar_force(timeline)
    places, values = np.arange(len(force)) + 0.5, force
    for drop in timeline.drops:
        if drop.start_bar > 0:
            before = [drop.start_bar - 0.25, drop.start_bar]
            places = np.append(places, before)
            values = np.append(values, [force[drop.start_bar - 1], force[drop.start_bar]])
    order = np.argsort(places)
    return np.interp(bars, places[order], values[order])


def _zoom_track(timeline: Timeline, clock: Clock) -> KeyTrack:
    """The lens draws in over a build-up, opens on the frame of a drop, and goes wide in a break."""
    lines = clock.bar_lines(timeline)
    drops = {drop.start_bar for drop in timeline.drops}
    rest = np.full(len(lines), _ZOOM_REST)
    for first, end in runs_of(timeline, "break"):
        rest[min(first + 2, end) : end + 1] = _ZOOM_REST + _ZOOM_BREAK
    for first, end in runs_of(timeline, "build"):
        part = np.arange(end - first + 1) / (end - first)
        rest[first : end + 1] = rest[first] + _ZOOM_BUILD * part**1.5
    for bar in sorted(drops):
        back = np.arange(bar, min(bar + int(_WIDE_BARS) + 1, len(lines)))
        rest[back] = np.where(back == bar, rest[bar], _ZOOM_REST * (back - bar) / _WIDE_BARS)
    frames, values = [float(clock.first_frame)], [float(rest[0])]
    for bar, (frame, value) in enumerate(zip(lines.tolist(), rest.tolist(), strict=True)):
        if bar in drops:
            frames += [frame - 1.0, frame]
            values += [value, 0.0]
        else:
            frames.append(frame)
            values.append(value)
    return linear_track(frames, values)


def _drift_track(timeline: Timeline, look: Look, far: float, clock: Clock) -> KeyTrack:
    """From one side to the other over every shot."""
    cuts = _cut_frames(timeline, look, clock)
    ends = [*(cut - 1.0 for cut in cuts[1:]), max(clock.end(timeline), cuts[-1] + 1.0)]
    frames = [frame for pair in zip(cuts, ends, strict=True) for frame in pair]
    return linear_track(frames, [-far, far] * len(cuts))
