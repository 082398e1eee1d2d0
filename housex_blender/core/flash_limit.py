"""Flashes that the channels of a show will make, and softening those that are too many. Zone: pure.

What a frame shows is predicted from the channels as a sum of lights. Where that flashes more than three times within
a second, the swings of the lights shrink towards their own local mean until it does not.

Why that ends: each round takes at least 3 % of the swing away where too much flashes, and what is nearly gone goes
altogether; first of the lights, then of the colours, then the drops' hits are given up too. What remains are means over
two seconds: with M the most that all lights give together, such a mean bends by no more than 2 M per second squared, so
that a swing which turns back within a sixth of a second spans less than M / 72, below the twentieth that counts here.
Should M be so large that even this is too much, the means grow longer, up to one constant for the whole show.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .errors import SceneError
from .flashes import LEAST_SWING, MOST_FLASHES, Floats, Swings, flashes_of, general_swings, red_swings, second_frames
from .keys import KeyTrack
from .looks import LUMINANCE
from .show_light import LIGHTS
from .show_mix import COLOURS

_LEVELS = (*LIGHTS, "pulse")
_GROUPS = {"lights": _LEVELS, "colours": COLOURS}
# The brightest quarter of a field of view swings up to twice as much as is predicted of the whole: measured on rendered
# drops, where the prediction follows the frames' mean with a correlation of 0.96.
_LEAST_PREDICTED = LEAST_SWING / 2
_TOO_MANY = 2 * MOST_FLASHES + 1
# a group of lights that never gives so much of a screen's white is left alone
_FAINT = 0.01
# swings of which less is left are taken away altogether
_LEAST_DEPTH = 0.03
_FASTEST, _SLOWEST, _FOR_RED = 0.5, 0.97, 0.85
# seconds: each of the two boxes of a mean, how long a full softening takes to come and go, between extra keys
_MEAN_S, _RAMP_S, _KEY_S = 1.0, 1.0, 0.25
# the beat of black before a drop: how long it may be, and how dark against the hit
_BREATH_S, _BREATH_DARK = 1.0, 0.3


@dataclass(frozen=True)
class LightModel:
    """How much of a frame's light each group gives: linear, per unit of the group's channel times its colour.

    Attributes:
        a: Key lights.
        b: Fill lights.
        c: Accents.
        pulse: What the pulse of light adds to the key lights as it leaves, at full strength; it fades on its way.
    """

    a: float = 0.35
    b: float = 0.25
    c: float = 0.25
    pulse: float = 0.50


@dataclass(frozen=True)
class Tamed:
    """What was softened.

    Attributes:
        seconds: (start, end) of each stretch in which light was softened, from the first frame on.
        before: Flashes in these stretches as the look wanted them.
        after: Flashes in them now.
    """

    seconds: tuple[tuple[float, float], ...] = ()
    before: int = 0
    after: int = 0

    @property
    def sentence(self) -> str:
        """For the report of a film."""
        if not self.seconds:
            return "No second should have more than three flashes of light; nothing had to be softened."
        places = "1 place" if len(self.seconds) == 1 else f"{len(self.seconds)} places"
        total_s = sum(end - start for start, end in self.seconds)
        gone = self.before - self.after
        flashes = "1 flash" if gone == 1 else f"{gone} flashes"
        return f"Softened {flashes} of light in {places} ({total_s:.1f} s): no second should have more than three."


class _Lights:
    """All lights of a show on whole frames."""

    def __init__(self, channels: Mapping[str, KeyTrack], model: LightModel) -> None:
        self.tracks = {name: channels[name] for name in (*_LEVELS, *COLOURS, "pulse_at") if name in channels}
        if not self.tracks:
            raise SceneError("There is no light among these channels.", "Give the channels of a compiled show.")
        first = min(float(track.frames[0]) for track in self.tracks.values())
        last = max(float(track.frames[-1]) for track in self.tracks.values())
        self.frames = np.arange(np.floor(first), np.ceil(last) + 1.0)
        self.values = {name: on_frames(track, self.frames) for name, track in self.tracks.items()}
        self.weights = {"light_a": model.a, "light_b": model.b, "light_c": model.c, "pulse": model.pulse}

    def parts(self, values: Mapping[str, Floats]) -> Iterator[tuple[tuple[str, ...], Floats, Floats]]:
        """(levels, (n, 1) light, (n, 3) colour) of each group with these (n, w) values of the channels."""
        for level, colour in zip(LIGHTS, COLOURS, strict=True):
            if level in values and colour in values:
                yield (level,), self.weights[level] * values[level], values[colour]
        if all(name in values for name in ("pulse", "light_a", "colour_a")):
            light = self.weights["pulse"] * values["pulse"] * values["light_a"]
            if "pulse_at" in values:
                # on its way it gets smaller in the picture
                light = light * (1.0 - np.clip(values["pulse_at"], 0.0, 1.0))
            yield ("pulse", "light_a"), light, values["colour_a"]

    def rgb(self, values: Mapping[str, Floats]) -> Floats:
        """(n, 3) linear RGB with these (n, w) values of the channels."""
        total = np.zeros((len(self.frames), 3))
        for _, light, colour in self.parts(values):
            total += light * colour
        return total

    def bright(self) -> set[str]:
        """Channels that can be seen at all: levels and colours of the groups that are not faint."""
        seen: set[str] = set()
        for levels, light, colour in self.parts(self.values):
            # red counts by its share, not by its luminance
            if (np.maximum(colour @ LUMINANCE, colour[:, 0]) * light[:, 0]).max() >= _FAINT:
                seen |= {*levels, f"colour_{levels[-1][-1]}"}
        return seen


def on_frames(track: KeyTrack, frames: Floats) -> Floats:
    """(n, w) values of a track on increasing frames."""
    if track.interpolation != "LINEAR":
        return np.asarray(track.at(frames))
    keys = track.frames.astype(np.float64)
    return np.stack([np.interp(frames, keys, column) for column in track.values.T.astype(np.float64)], axis=1)


def predicted_rgb(channels: Mapping[str, KeyTrack], model: LightModel | None = None) -> tuple[Floats, Floats]:
    """What the lights of a show do to a frame's mean colour.

    Args:
        channels: Of :func:`~.channels.compile_show`; lights that are missing count as dark.
        model: Weights of the groups.

    Returns:
        Whole frames (n,), and (n, 3) linear RGB on them.

    Raises:
        SceneError: There is no light among the channels.
    """
    lights = _Lights(channels, model or LightModel())
    return lights.frames, lights.rgb(lights.values)


def tame(
    channels: Mapping[str, KeyTrack], fps: float, model: LightModel | None = None
) -> tuple[dict[str, KeyTrack], Tamed]:
    """Channels of which no second is predicted to flash more than three times.

    Swings of light_a, light_b, light_c and pulse shrink where there are too many, and those of the colours where
    lights alone do not suffice; peaks stay on their frames. The black before a drop and the drop's hit stay: one pair
    of swings is no breach.

    Args:
        channels: Of :func:`~.channels.compile_show`.
        fps: Frames per second, > 0.
        model: Weights of the groups.

    Returns:
        All channels, those that did not need to change being the same objects, and what was done.

    Raises:
        SceneError: There is no light among the channels.
    """
    lights = _Lights(channels, model or LightModel())
    width = second_frames(fps)
    before = _all_swings(lights, lights.values, width)
    if not any(len(_breaches(swings, width)) for swings in before):
        return dict(channels), Tamed()
    softening = _Softening(lights, channels.get("drop"), fps)
    after = before
    while any(len(_breaches(swings, width)) for swings in after):
        softening.deepen(after, width)
        after = _all_swings(lights, softening.values(), width)
    stretches = softening.stretches()
    seconds = tuple((float(first / fps), float(last / fps)) for first, last in stretches)
    counts = [sum(_flashes_within(swings, *stretch) for stretch in stretches) for swings in (before, after)]
    return {**channels, **softening.changed}, Tamed(seconds, *counts)


def _all_swings(lights: _Lights, values: Mapping[str, Floats], width: int) -> list[Swings]:
    """General swings, then red ones: of all lights together, and of each group, which may light a place alone."""
    alone = [light * colour for _, light, colour in lights.parts(values)]
    together = np.sum(alone, axis=0)
    return [general_swings(together, _LEAST_PREDICTED), *(red_swings(rgb, width) for rgb in (together, *alone))]


def _breaches(swings: Swings, width: int) -> NDArray[np.int64]:
    """Each index from which on seven swings are done within one second."""
    done = swings.done
    if len(done) < _TOO_MANY:
        return np.zeros(0, np.int64)
    return np.flatnonzero(done[_TOO_MANY - 1 :] - done[: 1 - _TOO_MANY] < width)


def _flashes_within(swings: list[Swings], first: int, last: int) -> int:
    """General flashes between two frames, or red ones where there are more."""
    return max(flashes_of(int(np.sum((kind.done >= first) & (kind.done <= last)))) for kind in swings)


class _Softening:
    """How much is left of the swings on every frame, and the tracks that follow from it."""

    def __init__(self, lights: _Lights, drop: KeyTrack | None, fps: float) -> None:
        self.lights, self.fps = lights, fps
        n = len(lights.frames)
        self.depths = {"lights": np.ones(n), "colours": np.ones(n)}
        self.guard = _hits(lights, drop, fps)
        self.reach = max(round(_MEAN_S * fps / 2), 1)
        self.means: dict[str, Floats] = {}
        seen = lights.bright()
        self.names = {kind: [name for name in group if name in seen] for kind, group in _GROUPS.items()}
        self.changed: dict[str, KeyTrack] = {}

    def deepen(self, swings: list[Swings], width: int) -> None:
        """Take a little from the swings that are too many; what has least effect on the look goes first."""
        n = len(self.lights.frames)
        factor = np.min([_factors(kind, width, n, general=kind is swings[0]) for kind in swings], axis=0)
        busy = factor < 1.0
        for depth in self.depths.values():
            if np.any(depth[busy & ~self.guard] > 0.0):
                depth[:] = _ramped(depth * factor, _RAMP_S * self.fps)
                break
        else:
            if np.any(self.guard & busy):
                # hits so close to one another that they flash by themselves
                self.guard &= ~busy
            else:
                self.reach *= 2
            self.means.clear()
        for kind, names in self.names.items():
            depth = np.where(self.guard, 1.0, self.depths[kind])
            if np.any(depth < 1.0):
                extra = self._extra_keys(depth < 1.0)
                self.changed.update({name: self._softened(name, depth, extra) for name in names})

    def values(self) -> dict[str, Floats]:
        """(n, w) values on the frames, exactly as the tracks give them."""
        frames = self.lights.frames
        return {**self.lights.values, **{name: on_frames(track, frames) for name, track in self.changed.items()}}

    def stretches(self) -> list[tuple[int, int]]:
        """(first, last) frame, counted from 0, of what is softened; what less than a second parts is one."""
        soft = np.any([np.where(self.guard, 1.0, depth) < 1.0 for depth in self.depths.values()], axis=0)
        runs = _runs(soft)
        joined = runs[:1]
        for first, end in runs[1:]:
            if first - joined[-1][1] < self.fps:
                joined[-1] = (joined[-1][0], end)
            else:
                joined.append((first, end))
        return [(first, end - 1) for first, end in joined]

    def _extra_keys(self, soft: NDArray[np.bool_]) -> Floats:
        """Frames that need a key because what softens bends there: every quarter of a second and at the edges."""
        step = max(round(_KEY_S * self.fps), 1)
        edges = np.flatnonzero(np.diff(soft))
        wanted = np.concatenate([edges, edges + 1, np.flatnonzero(soft & (np.arange(len(soft)) % step == 0))])
        return self.lights.frames[np.unique(wanted)]

    def _softened(self, name: str, depth: Floats, extra: Floats) -> KeyTrack:
        frames, track = self.lights.frames, self.lights.tracks[name]
        if track.interpolation != "LINEAR":
            track = KeyTrack(frames.astype(np.float32), self.lights.values[name].astype(np.float32), "LINEAR")
        keys = np.union1d(track.frames.astype(np.float64), extra)
        values = on_frames(track, keys)
        left = np.interp(keys, frames, depth)[:, None]
        # a pulse goes on flashing on its way as long as it is there: it shrinks to nothing
        mean = 0.0 if name == "pulse" else np.stack([np.interp(keys, frames, m) for m in self._mean(name).T], axis=1)
        soft = np.where(left < 1.0, mean + (values - mean) * left, values)
        return KeyTrack(keys.astype(np.float32), soft.astype(np.float32), "LINEAR")

    def _mean(self, name: str) -> Floats:
        """(n, w) mean around each frame, of which the frames that must stay are no part."""
        if name not in self.means:
            mean = self.lights.values[name].copy()
            for first, end in _runs(~self.guard):
                mean[first:end] = _boxed(_boxed(mean[first:end], self.reach), self.reach)
            self.means[name] = mean
        return self.means[name]


def _factors(swings: Swings, width: int, n_frames: int, *, general: bool) -> Floats:
    """(n,) by what the swings of each frame should shrink: 1, but less where seven lie within a second."""
    factor = np.ones(n_frames)
    breaches = _breaches(swings, width)
    if not len(breaches):
        return factor
    each = np.ones(len(swings.done))
    # the smallest of the seven is the one that can be lost at the least cost
    smallest = np.min([swings.sizes[breaches + offset] for offset in range(_TOO_MANY)], axis=0)
    wanted = np.clip(0.98 * _LEAST_PREDICTED / smallest, _FASTEST, _SLOWEST) if general else _FOR_RED
    for offset in range(_TOO_MANY):
        each[breaches + offset] = np.minimum(each[breaches + offset], wanted)
    at = np.arange(n_frames)
    swing = np.searchsorted(swings.begins, at, side="right") - 1
    within = (swing >= 0) & (at <= swings.done[swing] + width // 2)
    factor[within] = each[swing[within]]
    return factor


def _ramped(depth: Floats, ramp_frames: float) -> Floats:
    """The depth, coming and going no faster than from 1 to 0 in so many frames; never more than it was."""
    slope = np.arange(len(depth)) / ramp_frames
    gone = 1.0 - depth
    after = np.maximum.accumulate(gone + slope) - slope
    before = np.maximum.accumulate((gone - slope)[::-1])[::-1] + slope
    left = 1.0 - np.maximum(after, before)
    left[left > 1.0 - 1e-6] = 1.0
    left[left < _LEAST_DEPTH] = 0.0
    return left


def _boxed(values: Floats, reach: int) -> Floats:
    """Mean over ``reach`` frames to both sides, over fewer at the ends."""
    n = len(values)
    summed = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    first, end = np.maximum(np.arange(n) - reach, 0), np.minimum(np.arange(n) + reach + 1, n)
    return (summed[end] - summed[first]) / (end - first)[:, None]


def _runs(there: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Runs of True as (first, one past the last)."""
    edges = np.diff(np.concatenate([[0], there.astype(np.int8), [0]]))
    return list(zip(np.flatnonzero(edges == 1).tolist(), np.flatnonzero(edges == -1).tolist(), strict=True))


def _hits(lights: _Lights, drop: KeyTrack | None, fps: float) -> NDArray[np.bool_]:
    """(n,) whether a frame belongs to a drop's hit or to the black just before it, which must stay."""
    guard = np.zeros(len(lights.frames), bool)
    if drop is None:
        return guard
    level = on_frames(drop, lights.frames)[:, 0]
    luminance = lights.rgb(lights.values) @ LUMINANCE
    for hit in (np.flatnonzero((level[1:] > 0.9) & (level[:-1] < 0.1)) + 1).tolist():
        earliest = max(hit - round(_BREATH_S * fps), 0)
        bright = np.flatnonzero(luminance[earliest:hit] >= _BREATH_DARK * luminance[hit])
        # what is dark for longer is no breath but a dark part
        guard[earliest + bright[-1] + 1 if len(bright) else hit - 1 : hit + 1] = True
    return guard
