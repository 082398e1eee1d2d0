"""Light over time: three groups, the pulse each kick sends off, the black before a drop, its shock wave. Zone: pure."""

from __future__ import annotations

import numpy as np

from .keys import KeyTrack
from .looks import LUMINANCE, Look
from .show_heard import band, bar_force, kick_frames
from .show_mix import COLOURS
from .show_times import (
    Clock,
    Floats,
    Tracks,
    beat_frames,
    builds_to_drop,
    level,
    linear_track,
    steps,
    thinned,
)
from .timeline import Timeline

LIGHTS = ("light_a", "light_b", "light_c")
PULSES = ("pulse", "pulse_at", "shock")

# strength at rest and what the bar's force adds to it
_REST = {"light_a": (0.11, 0.26), "light_b": (0.16, 0.36), "light_c": (0.15, 0.26)}
# what a kick is worth in the quietest and in the strongest bar, and the hit of a drop
_KICK_LOW, _KICK_HIGH = 0.3, 0.75
_HIT = {"light_a": 0.85, "light_b": 0.5, "light_c": 0.3}
# how much of key and fill a build-up takes away by its end
_SINK = 0.75
_RISE = 0.35
_TOLERANCE = 0.012
# bars before the end of a build-up in which pulses run on half and on quarter beats
_HALF_BARS, _QUARTER_BARS = 4, 1
# where a pulse of light is between two beats: part of the way, part of its strength
_PULSE_SHAPE = ((0.0, 1.0), (0.35, 0.5), (1.0, 0.12))
_SHOCK_BARS = 2


def breaths(timeline: Timeline, clock: Clock) -> list[tuple[float, float]]:
    """(first frame, frame of the hit) of the beat of black before each drop that follows a build-up."""
    found = []
    for _, bar in builds_to_drop(timeline):
        hit_s = float(timeline.grid.starts_s[bar])
        # by tempo: a bar that a cut left short is no four beats
        beat_s = 60.0 / float(timeline.grid.bpm[bar - 1])
        begin, hit = clock.on(np.array([hit_s - beat_s, hit_s])).tolist()
        found.append((begin, hit))
    return found


def light_tracks(tracks: Tracks, timeline: Timeline, look: Look, clock: Clock) -> Tracks:
    """Strengths of the three groups: kicks in the key light, levels that move from beat to beat in the others.

    Between two beats key light only falls, but for a kick that is heard there, and fill and accent run straight:
    nothing flickers. Build-ups take key and fill away, the last beat before a drop is black.

    Args:
        tracks: Channels made so far: heard, colours, narrow.
        timeline: With its edits applied.
        look: Its intensity, attack and release.
        clock: Of the scene.
    """
    black = breaths(timeline, clock)
    edges = np.array([frame for breath in black for edge in breath for frame in (edge - 1.0, edge)])
    force = steps(clock.on(timeline.grid.starts_s), bar_force(timeline), clock.first_frame)
    changes = np.concatenate([edges, force.frames, *(tracks[name].frames for name in (*COLOURS, "drop", "narrow"))])
    result = {}
    for name, heard in zip(LIGHTS, ("kick", "mid", "high"), strict=True):
        answer = tracks["kick"] if heard == "kick" else _beat_levels(timeline, look, heard, clock)
        frames = np.unique(np.concatenate([answer.frames, changes]))
        here, moved = force.at(frames)[:, 0], answer.at(frames)[:, 0]
        drop, narrow = level(tracks, "drop", frames), level(tracks, "narrow", frames)
        rest, more = _REST[name]
        if name == "light_a":
            # as two sides of a right angle: kicks are seen in the glow of a hit, and together they do not blind
            punch = np.hypot(moved * (_KICK_LOW + _KICK_HIGH * here), _HIT[name] * drop)
        else:
            punch = 0.4 * moved * here + _HIT[name] * drop
        shape = 1.0 + _RISE * narrow if name == "light_c" else 1.0 - _SINK * narrow
        strength = (rest + more * here + punch) * shape * _even_brightness(tracks, name[-1], frames)
        strength *= _not_in(black, frames) * look.intensity
        result[name] = thinned(frames, strength, _TOLERANCE, np.isin(frames, edges))
    return result


def _beat_levels(timeline: Timeline, look: Look, name: str, clock: Clock) -> KeyTrack:
    """How loud a band is around each beat: half a bar long, so that what a hi-hat does is not a flicker."""
    beats = beat_frames(timeline, clock)
    parts_s = clock.seconds(beats[:-1, None] + np.diff(beats)[:, None] * np.arange(8) / 8)
    loud = band(timeline, look, name, parts_s.ravel()).reshape(parts_s.shape).mean(axis=1)
    around = np.concatenate([loud[:1], (loud[:-1] + loud[1:]) / 2, loud[-1:]])
    return KeyTrack(beats.astype(np.float32), around.astype(np.float32), "LINEAR")


def _not_in(black: list[tuple[float, float]], frames: Floats) -> Floats:
    """Factor 1, but 0 in the beats of black: what makes the hit after them hit."""
    factor = np.ones(len(frames))
    for begin, hit in black:
        factor[(frames >= begin) & (frames < hit)] = 0.0
    return factor


def _even_brightness(tracks: Tracks, slot: str, frames: Floats) -> Floats:
    """Factor that evens out how bright colours look: white at the level of blue would wash out the walls.

    Luminance by Rec. 709; its fourth root, because the differences should shrink, not vanish.
    """
    luminance = np.asarray(tracks[f"colour_{slot}"].at(frames)) @ LUMINANCE
    return np.clip((0.22 / np.maximum(luminance, 1e-3)) ** 0.25, 0.6, 1.3)


# -- pulses ----------------------------------------------------------------------------------------------------


def pulse_tracks(tracks: Tracks, timeline: Timeline, clock: Clock) -> Tracks:
    """Where the pulse of light of the last beat is and how strong, and how far the shock wave of a drop has run.

    Args:
        tracks: Channels made so far: build.
        timeline: With its edits applied.
        clock: Of the scene.
    """
    starts = pulse_starts(timeline, clock)
    return {
        "pulse": _pulse_track(starts, _pulse_strengths(tracks, timeline, clock, starts), clock),
        "pulse_at": _pulse_at_track(starts, clock),
        "shock": _shock_track(timeline, clock),
    }


def pulse_starts(timeline: Timeline, clock: Clock) -> Floats:
    """(n + 1,) whole frames on which pulses set off: beats, towards a drop halves and quarters; and the end."""
    beats = beat_frames(timeline, clock)
    lines = clock.bar_lines(timeline)
    parts = np.ones(len(beats) - 1, dtype=np.int64)
    for first, end in builds_to_drop(timeline):
        for bars, pieces in ((_HALF_BARS, 2), (_QUARTER_BARS, 4)):
            begin = lines[max(first, end - bars)]
            parts[(beats[:-1] >= begin - 0.5) & (beats[:-1] < lines[end] - 0.5)] = pieces
    starts = [beats]
    for pieces in (2, 4):
        left, gap = beats[:-1][parts == pieces], np.diff(beats)[parts == pieces]
        starts += [np.floor(left + gap * piece / pieces + 0.5) for piece in range(1, pieces)]
    frames = np.unique(np.concatenate(starts))
    return frames[np.append(True, np.diff(frames) >= 2)]


def _pulse_strengths(tracks: Tracks, timeline: Timeline, clock: Clock, starts: Floats) -> Floats:
    """(n,) strength at each start: its kick's, and where a build-up runs towards a drop what the build-up gives."""
    on, strength = kick_frames(timeline, clock)
    strongest = np.zeros(len(starts) - 1)
    near = np.searchsorted(starts, on + 1.5) - 1
    heard = (near >= 0) & (near < len(strongest)) & (np.abs(on - starts[np.clip(near, 0, None)]) <= 1.0)
    np.maximum.at(strongest, near[heard], strength[heard])
    between = np.zeros(len(strongest), bool)
    lines = clock.bar_lines(timeline)
    for first, end in builds_to_drop(timeline):
        begin = lines[max(first, end - _HALF_BARS)]
        between |= (starts[:-1] >= begin - 0.5) & (starts[:-1] < lines[end] - 0.5)
    rising = 0.3 + 0.5 * level(tracks, "build", starts[:-1])
    strongest = np.where(between, np.maximum(strongest, rising), strongest)
    for begin, hit in breaths(timeline, clock):
        strongest[(starts[:-1] >= begin) & (starts[:-1] < hit)] = 0.0
    return strongest


def _pulse_track(starts: Floats, strength: Floats, clock: Clock) -> KeyTrack:
    room = np.diff(starts) - 1.0
    frames = np.stack([starts[:-1] + part * room for part, _ in _PULSE_SHAPE], axis=1).ravel()
    values = np.stack([strength * left for _, left in _PULSE_SHAPE], axis=1).ravel()
    # long rests need no keys but those around them
    alive = np.concatenate([[False], values > 0.0, [False]])
    near = alive[:-2] | alive[1:-1] | alive[2:]
    return _between(frames[near], values[near], starts, 0.0, clock)


def _pulse_at_track(starts: Floats, clock: Clock) -> KeyTrack:
    frames = np.stack([starts[:-1], starts[1:] - 1.0], axis=1).ravel()
    return _between(frames, np.tile([0.0, 1.0], len(starts) - 1), starts, 1.0, clock)


def _between(frames: Floats, values: Floats, starts: Floats, rest: float, clock: Clock) -> KeyTrack:
    """Keys with ``rest`` up to the first start and from the last one on."""
    first = float(starts[0])
    before = [clock.first_frame, first - 1.0] if first > clock.first_frame else []
    return linear_track([*before, *frames.tolist(), float(starts[-1])], [*[rest] * len(before), *values.tolist(), rest])


def _shock_track(timeline: Timeline, clock: Clock) -> KeyTrack:
    lines = clock.bar_lines(timeline)
    frames, values = [float(clock.first_frame)], [1.0]
    for drop in timeline.drops:
        on = float(lines[drop.start_bar])
        if frames[-1] >= on - 1.0 and len(frames) > 1:
            # the next drop cuts the wave of this one short
            begin, end = frames[-2], frames.pop()
            frames.append(on - 1.0)
            values[-1] = values[-2] + (values[-1] - values[-2]) * (on - 1.0 - begin) / (end - begin)
        else:
            frames.append(on - 1.0)
            values.append(1.0)
        last = min(drop.start_bar + _SHOCK_BARS, len(lines) - 1)
        frames += [on, on + (float(lines[last]) - on) * _SHOCK_BARS / (last - drop.start_bar)]
        values += [0.0, 1.0]
    return linear_track(frames, values)
