"""Timeline and look in, key tracks out: every channel of the show. Zone: pure.

Channels named after what was heard run 0..1; channels of the look carry what a light, a wall or a camera does.
Colours change on the frame of the downbeat; a kick's pulse peaks on the frame of the kick.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .bars import frame_on, seconds_to_frames
from .edits import with_edits
from .errors import SceneError
from .keys import KeyTrack
from .looks import LUMINANCE, Look
from .timeline import Timeline

Floats = NDArray[np.float64]

HEARD = ("energy", "kick", "sub", "bass", "mid", "high", "loudness", "build", "drop")
COLOURS = ("colour_a", "colour_b", "colour_c")
LIGHTS = ("light_a", "light_b", "light_c")
MOTION = ("displacement", "ripple", "travel", "speed", "roll", "zoom")

# as much as the name of a custom property may have
_MOST_NAME_BYTES = 63
_STEPS_PER_BEAT = 4
# house kicks on the beat: an attack there needs little, one between beats must be as strong as its neighbours
_KICK_ON_BEAT, _KICK_OFF_BEAT = 0.2, 0.55
_KICK_GAP_S = 0.16
_SNAP_S = 0.03
_DROP_FADE_BARS = 2.0
# nine palettes mixed by their chances are grey: what is twice as likely counts eight times as much
_CLEARER = 3.0
# metres per second: a walk in the breaks, a flight in the drops
_SPEED_BREAK, _SPEED_FULL, _SPEED_HIT = 5.0, 15.0, 9.0


def genre_channel(genre: str) -> str:
    """Channel name of a genre's probability: ``p_future_house``."""
    name = "p_" + "".join(c if c.isalnum() else "_" for c in genre.lower())
    return name.encode()[:_MOST_NAME_BYTES].decode(errors="ignore")


@dataclass(frozen=True)
class _Clock:
    """Seconds to frames for one scene."""

    fps: float
    first_frame: int

    def exact(self, times_s: Floats) -> Floats:
        return seconds_to_frames(times_s, self.fps, self.first_frame)

    def on(self, times_s: Floats) -> Floats:
        return frame_on(times_s, self.fps, self.first_frame)

    def seconds(self, frames: Floats) -> Floats:
        return (np.asarray(frames, dtype=np.float64) - self.first_frame) / self.fps


def compile_show(timeline: Timeline, look: Look, fps: float, first_frame: int = 1) -> dict[str, KeyTrack]:
    """All channels of a show.

    Args:
        timeline: What was heard; its edits are applied here.
        look: Colours and strengths.
        fps: Frames per second of the scene, > 0.
        first_frame: Frame at which the mix begins.

    Returns:
        Channel name -> keys. Colours have width 3 (linear RGB), all others 1.

    Raises:
        SceneError: fps is not positive.
        TimelineError: An edit makes no sense.
    """
    if not fps > 0:
        raise SceneError(f"{fps} frames per second is not possible.", "Choose a frame rate above 0.")
    timeline = with_edits(timeline)
    clock = _Clock(fps, first_frame)
    times_s = _step_times(timeline)
    tracks: dict[str, KeyTrack] = {}
    tracks["energy"] = _bar_steps(timeline, timeline.energy, clock)
    tracks["kick"] = _kick_track(timeline, clock)
    for name in ("sub", "bass", "mid", "high", "loudness"):
        tracks[name] = thinned(clock.exact(times_s), _band(timeline, look, name, times_s), 0.02)
    tracks["build"], tracks["drop"] = _build_track(timeline, clock), _drop_track(timeline, clock)
    tracks.update(_colour_tracks(timeline, look, clock))
    tracks.update(_light_tracks(tracks, timeline, look, clock))
    tracks.update(_motion_tracks(tracks, timeline, look, clock))
    for column, genre in enumerate(timeline.model.genres):
        tracks[genre_channel(genre)] = _bar_steps(timeline, timeline.probs[:, column], clock)
    return tracks


# -- times and thinning ----------------------------------------------------------------------------------------


def _step_times(timeline: Timeline) -> Floats:
    """Sixteenth notes over the whole mix, its start and end included."""
    beats_s = timeline.grid.beats_s
    knots_s = np.append(beats_s, timeline.grid.ends_s[-1]) if beats_s[-1] < timeline.grid.ends_s[-1] else beats_s
    parts = np.arange(_STEPS_PER_BEAT) / _STEPS_PER_BEAT
    steps_s = (knots_s[:-1, None] + np.diff(knots_s)[:, None] * parts).ravel()
    end_s = max(timeline.mix.duration_s, steps_s[-1] + 0.1)
    return np.unique(np.concatenate([[0.0], steps_s[(steps_s > 0.02) & (steps_s < end_s - 0.02)], [end_s]]))


def thinned(frames: Floats, values: Floats, tolerance: float) -> KeyTrack:
    """Linear keys without those that the line between their neighbours already gives to ``tolerance``."""
    values = np.asarray(values, dtype=np.float64).reshape(len(frames), -1)
    for _ in range(3):
        if len(frames) < 3:
            break
        part = ((frames[1:-1] - frames[:-2]) / (frames[2:] - frames[:-2]))[:, None]
        flat = np.abs(values[:-2] + (values[2:] - values[:-2]) * part - values[1:-1]).max(axis=1) < tolerance
        # two neighbours must not both go in one pass: each is judged by the other
        flat[1::2] = False
        keep = np.concatenate([[True], ~flat, [True]])
        if keep.all():
            break
        frames, values = frames[keep], values[keep]
    return KeyTrack(frames.astype(np.float32), values.astype(np.float32), "LINEAR")


def _steps(frames: Floats, values: Floats, first_frame: float, epsilon: float = 2e-3) -> KeyTrack:
    """Keys that hold each value and change within the one frame before the next.

    Args:
        frames: (n,) increasing whole frames on which each value is reached.
        values: (n, w) values.
    """
    values = np.asarray(values, dtype=np.float64).reshape(len(frames), -1)
    changed = np.abs(np.diff(values, axis=0)).max(axis=1) > epsilon if len(frames) > 1 else np.zeros(0, bool)
    index = np.flatnonzero(changed) + 1
    on = frames[index]
    # a bar is many frames long, so the key before a change never meets the change before that
    all_frames = np.concatenate([[min(first_frame, frames[0])], np.stack([on - 1, on], axis=1).ravel()])
    held = np.stack([values[np.append(0, index)[:-1]], values[index]], axis=1).reshape(-1, values.shape[1])
    all_values = np.concatenate([values[:1], held])
    keep = np.append(np.diff(all_frames) > 0, True)
    return KeyTrack(all_frames[keep].astype(np.float32), all_values[keep].astype(np.float32), "LINEAR")


def _bar_steps(timeline: Timeline, per_bar: NDArray[np.floating], clock: _Clock) -> KeyTrack:
    return _steps(clock.on(timeline.grid.starts_s), np.asarray(per_bar, float), clock.first_frame)


# -- heard -----------------------------------------------------------------------------------------------------


def attack_release(levels: NDArray[np.floating], rate_hz: float, attack_ms: float, release_ms: float) -> Floats:
    """Follow a level upwards within ``attack_ms`` and downwards within ``release_ms`` (time constants).

    Args:
        levels: (m,) values at ``rate_hz``.
    """
    source = np.asarray(levels, dtype=np.float64)
    # plain floats in a list: ten times faster than indexing an array, and an hour is 360 000 steps
    up, down = (1.0 - np.exp(-1000.0 / (rate_hz * max(ms, 1e-3))) for ms in (attack_ms, release_ms))
    level, result = float(source[0]) if len(source) else 0.0, [0.0] * len(source)
    for index, value in enumerate(source.tolist()):
        level += (value - level) * (up if value > level else down)
        result[index] = level
    return np.array(result)


def _band(timeline: Timeline, look: Look, name: str, times_s: Floats) -> Floats:
    envelopes = timeline.envelopes
    if not len(envelopes.values):
        return np.zeros(len(times_s))
    smooth = attack_release(envelopes.column(name), envelopes.rate_hz, look.attack_ms, look.release_ms)
    return np.interp(times_s, envelopes.times_s, smooth)


def kick_times(timeline: Timeline) -> tuple[Floats, Floats]:
    """Times in seconds and strengths (0..1) of the kicks, snapped to the sixteenth note they are played on."""
    level = timeline.envelopes.column("kick").astype(np.float64)
    rate_hz = timeline.envelopes.rate_hz
    if len(level) < 3:
        return np.zeros(0), np.zeros(0)
    peak = np.flatnonzero((level[1:-1] >= level[:-2]) & (level[1:-1] > level[2:]) & (level[1:-1] > _KICK_ON_BEAT)) + 1
    kept: list[int] = []
    gap = _KICK_GAP_S * rate_hz
    for index in peak.tolist():
        if kept and index - kept[-1] < gap:
            if level[index] > level[kept[-1]]:
                kept[-1] = index
        else:
            kept.append(index)
    times_s = np.array(kept, dtype=np.float64) / rate_hz
    strength = np.clip(level[kept], 0.0, 1.0) if kept else np.zeros(0)
    steps_s = _step_times(timeline)
    if len(times_s):
        right = np.clip(np.searchsorted(steps_s, times_s), 1, len(steps_s) - 1)
        near = np.where(times_s - steps_s[right - 1] < steps_s[right] - times_s, steps_s[right - 1], steps_s[right])
        times_s = np.where(np.abs(near - times_s) <= _SNAP_S, near, times_s)
    beats_s = timeline.grid.beats_s
    after = np.clip(np.searchsorted(beats_s, times_s), 1, len(beats_s) - 1)
    apart_s = np.minimum(np.abs(times_s - beats_s[after - 1]), np.abs(times_s - beats_s[after]))
    sure = (apart_s <= _SNAP_S) | (strength >= _KICK_OFF_BEAT)
    times_s, strength = times_s[sure], strength[sure]
    order = np.unique(times_s, return_index=True)[1]
    return times_s[order], strength[order]


def _kick_track(timeline: Timeline, clock: _Clock) -> KeyTrack:
    """Pulses: nothing on the frame before, full on the frame of the kick, then a fall until the next."""
    times_s, strength = kick_times(timeline)
    on = clock.on(times_s)
    if len(on):
        first = np.append(True, np.diff(on) >= 2)
        on, strength = on[first], strength[first]
    if not len(on):
        return KeyTrack(np.array([clock.first_frame], np.float32), np.zeros(1, np.float32))
    beat_frames = 60.0 / float(np.median(timeline.grid.bpm)) * clock.fps
    gap = np.append(np.diff(on), beat_frames)
    length = np.minimum(gap - 1.0, 0.8 * beat_frames)
    frames = np.stack([on - 1.0, on, on + 0.3 * length, on + np.maximum(length, 0.5)], axis=1)
    values = np.stack([np.zeros_like(on), strength, 0.45 * strength, np.zeros_like(on)], axis=1)
    flat_frames, flat_values = frames.ravel(), values.ravel()
    keep = np.append(np.diff(flat_frames) > 0.05, True)
    flat_frames, flat_values = flat_frames[keep], flat_values[keep]
    if flat_frames[0] > clock.first_frame:
        flat_frames, flat_values = np.append(clock.first_frame, flat_frames), np.append(0.0, flat_values)
    return KeyTrack(flat_frames.astype(np.float32), flat_values.astype(np.float32), "LINEAR")


def _build_runs(timeline: Timeline) -> list[tuple[int, int]]:
    """Runs of build-up bars as (first, one past the last)."""
    is_build = np.array([name == "build" for name in timeline.section], dtype=np.int8)
    edges = np.diff(np.concatenate([[0], is_build, [0]]))
    return list(zip(np.flatnonzero(edges == 1).tolist(), np.flatnonzero(edges == -1).tolist(), strict=True))


def _build_track(timeline: Timeline, clock: _Clock) -> KeyTrack:
    frames, values = [float(clock.first_frame)], [0.0]
    for first, end in _build_runs(timeline):
        start, stop = clock.on(np.array([timeline.grid.starts_s[first], timeline.grid.ends_s[end - 1]])).tolist()
        # slow at first, then steep: the way a riser rises
        rise = np.linspace(0.0, 1.0, 9)
        frames += [*(start + (stop - 1.0 - start) * rise).tolist(), stop]
        values += [*(rise**1.7).tolist(), 0.0]
    order = np.append(True, np.diff(frames) > 0)
    return KeyTrack(np.array(frames, np.float32)[order], np.array(values, np.float32)[order], "LINEAR")


def _drop_track(timeline: Timeline, clock: _Clock) -> KeyTrack:
    frames, values = [float(clock.first_frame)], [0.0]
    for drop in timeline.drops:
        start_s = float(timeline.grid.starts_s[drop.start_bar])
        length_s = _DROP_FADE_BARS * float(timeline.grid.ends_s[drop.start_bar] - start_s)
        on = float(clock.on(np.array(start_s)))
        fall = np.linspace(0.0, 1.0, 9)
        frames += [on - 1.0, *(on + fall * length_s * clock.fps).tolist()]
        values += [0.0, *((np.exp(-3.0 * fall) - np.exp(-3.0)) / (1 - np.exp(-3.0))).tolist()]
    pairs: dict[float, float] = {}
    for frame, value in zip(frames, values, strict=True):
        pairs[frame] = max(value, pairs.get(frame, 0.0))
    return KeyTrack(np.array(sorted(pairs), np.float32), np.array([pairs[f] for f in sorted(pairs)], np.float32))


# -- look ------------------------------------------------------------------------------------------------------


def trusted_probs(timeline: Timeline) -> NDArray[np.float64]:
    """(n_bars, G) probabilities the look follows: uncertain bars take those of the nearest certain bar before
    them (after them at the start of the mix), so that a doubt never paints a random colour."""
    probs = np.asarray(timeline.probs, dtype=np.float64)
    certain = np.flatnonzero(~np.asarray(timeline.uncertain, bool))
    if not len(certain):
        # nobody knows: one steady mixture for each track instead of a guess per bar
        calm = probs.copy()
        for track in timeline.tracks:
            calm[track.start_bar : track.end_bar] = probs[track.start_bar : track.end_bar].mean(axis=0)
        return calm
    before = np.searchsorted(certain, np.arange(len(probs)), side="right") - 1
    return probs[certain[np.maximum(before, 0)]]


def _colour_tracks(timeline: Timeline, look: Look, clock: _Clock) -> dict[str, KeyTrack]:
    mixed = look.palettes.mix(timeline.model.genres, trusted_probs(timeline) ** _CLEARER)
    frames = clock.on(timeline.grid.starts_s)
    return {name: _steps(frames, mixed[:, slot], clock.first_frame) for slot, name in enumerate(COLOURS)}


def _joined_frames(tracks: dict[str, KeyTrack], *names: str) -> Floats:
    return np.unique(np.concatenate([tracks[name].frames for name in names])).astype(np.float64)


def _breaths(timeline: Timeline, clock: _Clock) -> list[tuple[float, float]]:
    """(first frame, frame of the hit) of the beat before each drop that follows a build-up."""
    breaths = []
    build_ends = {end for _, end in _build_runs(timeline)}
    for drop in timeline.drops:
        if drop.start_bar in build_ends and drop.start_bar > 0:
            bar = drop.start_bar - 1
            hit_s = float(timeline.grid.starts_s[drop.start_bar])
            # by tempo: a bar that a cut left short is no four beats
            beat_s = 60.0 / float(timeline.grid.bpm[bar])
            begin, hit = clock.on(np.array([hit_s - beat_s, hit_s])).tolist()
            breaths.append((begin, hit))
    return breaths


def _hush(breaths: list[tuple[float, float]], frames: Floats) -> Floats:
    """Factor 1, but nearly dark in the breaths: what makes the hit after them hit."""
    factor = np.ones(len(frames))
    for begin, hit in breaths:
        factor[(frames >= begin) & (frames < hit)] = 0.12
    return factor


def _even_brightness(tracks: dict[str, KeyTrack], slot: str, frames: Floats) -> Floats:
    """Factor that evens out how bright colours look: white at the level of blue would wash out the walls.

    Luminance by Rec. 709; its fourth root, because the differences should shrink, not vanish.
    """
    luminance = np.asarray(tracks[f"colour_{slot}"].at(frames)) @ LUMINANCE
    return np.clip((0.22 / np.maximum(luminance, 1e-3)) ** 0.25, 0.6, 1.3)


def _light_tracks(tracks: dict[str, KeyTrack], timeline: Timeline, look: Look, clock: _Clock) -> dict[str, KeyTrack]:
    def at(name: str, frames: Floats) -> Floats:
        return np.asarray(tracks[name].at(frames))[:, 0]

    breaths = _breaths(timeline, clock)
    # the frames at which the light jumps, and the frames before them
    jumps = [frame for breath in breaths for edge in breath for frame in (edge - 1.0, edge)]
    edges = np.concatenate([np.array(jumps), *(tracks[name].frames for name in COLOURS)])
    frames_a = np.unique(np.concatenate([_joined_frames(tracks, "kick", "energy", "build", "drop"), edges]))
    frames_b = np.unique(np.concatenate([_joined_frames(tracks, "mid", "energy", "build", "drop"), edges]))
    frames_c = np.unique(np.concatenate([_joined_frames(tracks, "high", "energy", "build", "drop"), edges]))
    energy, kick = at("energy", frames_a), at("kick", frames_a)
    light_a = (
        0.16 + 0.25 * energy + kick * (0.45 + 0.75 * energy) + 0.5 * at("build", frames_a) + 0.7 * at("drop", frames_a)
    )
    energy = at("energy", frames_b)
    light_b = (
        0.22 + (0.35 + 0.4 * at("mid", frames_b)) * energy + 0.35 * at("build", frames_b) + 0.45 * at("drop", frames_b)
    )
    energy = at("energy", frames_c)
    light_c = (
        0.15 + 0.25 * energy + 0.35 * at("high", frames_c) + 0.3 * at("build", frames_c) + 0.25 * at("drop", frames_c)
    )
    result = {}
    for name, frames, level in (
        ("light_a", frames_a, light_a),
        ("light_b", frames_b, light_b),
        ("light_c", frames_c, light_c),
    ):
        level = level * _hush(breaths, frames) * _even_brightness(tracks, name[-1], frames) * look.intensity
        result[name] = thinned(frames, level, 0.012)
    return result


def _motion_tracks(tracks: dict[str, KeyTrack], timeline: Timeline, look: Look, clock: _Clock) -> dict[str, KeyTrack]:
    def at(name: str, frames: Floats) -> Floats:
        return np.asarray(tracks[name].at(frames))[:, 0]

    frames = _joined_frames(tracks, "bass", "energy", "build", "drop")
    swell = 0.12 + 0.5 * at("bass", frames) * (0.35 + 0.65 * at("energy", frames))
    swell = (swell + 0.3 * at("build", frames) + 0.7 * at("drop", frames)) * look.displacement
    result = {"displacement": thinned(frames, swell, 0.012)}
    frames = _joined_frames(tracks, "mid", "high")
    ripple = np.clip(0.15 + 0.5 * at("mid", frames) + 0.45 * at("high", frames), 0.0, 1.0) * look.displacement
    result["ripple"] = thinned(frames, ripple, 0.015)
    result.update(_camera_tracks(tracks, timeline, look, clock))
    return result


def _camera_tracks(tracks: dict[str, KeyTrack], timeline: Timeline, look: Look, clock: _Clock) -> dict[str, KeyTrack]:
    """Speed at every beat, the way travelled as its exact integral, sway and lens."""
    grid = timeline.grid
    beats_s = grid.beats_s[(grid.beats_s > 0.05) & (grid.beats_s < timeline.mix.duration_s - 0.05)]
    times_s = np.concatenate([[0.0], beats_s, [max(timeline.mix.duration_s, grid.ends_s[-1])]])
    frames = clock.exact(np.unique(times_s))

    def at(name: str) -> Floats:
        # just after the downbeat, so that a change on the bar line counts for the beat it starts
        return np.asarray(tracks[name].at(frames + 1.0))[:, 0]

    speed = _SPEED_BREAK + (_SPEED_FULL - _SPEED_BREAK) * at("energy") + 4.0 * at("build") + _SPEED_HIT * at("drop")
    speed = speed * look.speed
    step_s = np.diff(frames) / clock.fps
    travel = np.append(0.0, np.cumsum((speed[:-1] + speed[1:]) / 2 * step_s))
    phase = np.random.default_rng(look.seed).uniform(0, 2 * np.pi, 2)
    bars = np.interp(clock.seconds(frames), grid.edges_s, np.arange(grid.n_bars + 1))
    roll = 0.10 * np.sin(2 * np.pi * bars / 16 + phase[0]) + 0.06 * np.sin(2 * np.pi * bars / 6 + phase[1])
    roll_slope = np.gradient(roll, frames)
    zoom = np.clip(0.32 + 0.5 * at("build") - 0.32 * at("drop") - 0.08 * at("energy"), 0.0, 1.0)
    as32 = np.float32
    return {
        "speed": KeyTrack(frames.astype(as32), speed.astype(as32), "LINEAR"),
        "travel": KeyTrack(frames.astype(as32), travel.astype(as32), "BEZIER", (speed / clock.fps).astype(as32)),
        "roll": KeyTrack(frames.astype(as32), roll.astype(as32), "BEZIER", roll_slope.astype(as32)),
        "zoom": thinned(frames, zoom, 0.01),
    }
