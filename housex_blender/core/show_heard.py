"""Channels of what was heard: kicks, bands, build-ups and drops. Zone: pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .keys import KeyTrack
from .looks import Look
from .show_times import Clock, Floats, Tracks, bar_steps, runs_of, step_times, thinned
from .timeline import Timeline

BANDS = ("sub", "bass", "mid", "high", "loudness")

# house kicks on the beat: an attack there needs little, one between beats must be as strong as its neighbours
_KICK_ON_BEAT, _KICK_OFF_BEAT = 0.2, 0.55
_KICK_GAP_S = 0.16
_SNAP_S = 0.03
_DROP_FADE_BARS = 2.0
# what a bar counts for the show, from its energy: no break as wild as a drop, however loud its pads are
_FORCE = {"break": (0.0, 0.25), "intro": (0.15, 0.6), "outro": (0.15, 0.6), "build": (0.25, 0.6), "drop": (0.75, 1.0)}


def heard_tracks(timeline: Timeline, look: Look, clock: Clock) -> Tracks:
    """Every channel that is named after what was heard."""
    times_s = step_times(timeline)
    tracks = {"energy": bar_steps(timeline, timeline.energy, clock), "kick": _kick_track(timeline, clock)}
    for name in BANDS:
        tracks[name] = thinned(clock.exact(times_s), band(timeline, look, name, times_s), 0.02)
    tracks["build"], tracks["drop"] = _build_track(timeline, clock), _drop_track(timeline, clock)
    return tracks


def bar_force(timeline: Timeline) -> Floats:
    """(n_bars,) 0..1, how strongly light and motion answer: the bar's energy within the bounds of its section."""
    low, high = np.array([_FORCE[name] for name in timeline.section]).T
    return np.asarray(low + (high - low) * np.clip(timeline.energy, 0.0, 1.0), dtype=np.float64)


def attack_release(levels: NDArray[np.floating], rate_hz: float, attack_ms: float, release_ms: float) -> Floats:
    """Follow a level upwards within ``attack_ms`` and downwards within ``release_ms`` (time constants).

    Args:
        levels: (m,) values at ``rate_hz``.
        rate_hz: Values per second.
        attack_ms: Time constant upwards.
        release_ms: Time constant downwards.
    """
    source = np.asarray(levels, dtype=np.float64)
    # plain floats in a list: ten times faster than indexing an array, and an hour is 360 000 steps
    up, down = (1.0 - np.exp(-1000.0 / (rate_hz * max(ms, 1e-3))) for ms in (attack_ms, release_ms))
    level, result = float(source[0]) if len(source) else 0.0, [0.0] * len(source)
    for index, value in enumerate(source.tolist()):
        level += (value - level) * (up if value > level else down)
        result[index] = level
    return np.array(result)


def band(timeline: Timeline, look: Look, name: str, times_s: Floats) -> Floats:
    """(n,) an envelope at some times, behind the look's attack and release."""
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
    steps_s = step_times(timeline)
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


def kick_frames(timeline: Timeline, clock: Clock) -> tuple[Floats, Floats]:
    """Whole frames and strengths (0..1) of the kicks; of those on neighbouring frames the first."""
    times_s, strength = kick_times(timeline)
    on = clock.on(times_s)
    if len(on):
        first = np.append(True, np.diff(on) >= 2)
        on, strength = on[first], strength[first]
    return on, strength


def _kick_track(timeline: Timeline, clock: Clock) -> KeyTrack:
    """Pulses: nothing on the frame before, full on the frame of the kick, then a fall until the next."""
    on, strength = kick_frames(timeline, clock)
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


def _build_track(timeline: Timeline, clock: Clock) -> KeyTrack:
    frames, values = [float(clock.first_frame)], [0.0]
    for first, end in runs_of(timeline, "build"):
        start, stop = clock.on(np.array([timeline.grid.starts_s[first], timeline.grid.ends_s[end - 1]])).tolist()
        # slow at first, then steep: the way a riser rises
        rise = np.linspace(0.0, 1.0, 9)
        frames += [*(start + (stop - 1.0 - start) * rise).tolist(), stop]
        values += [*(rise**1.7).tolist(), 0.0]
    order = np.append(True, np.diff(frames) > 0)
    return KeyTrack(np.array(frames, np.float32)[order], np.array(values, np.float32)[order], "LINEAR")


def _drop_track(timeline: Timeline, clock: Clock) -> KeyTrack:
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
