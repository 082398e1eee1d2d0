"""Loops: a span of bars whose end leads back to its start without a seam. Zone: pure.

Over the last bar every channel is faded to what it did in the bar before the loop, so that the step from the last
frame to the first is the step that the music itself made there. The way travelled is stretched to a whole number of
lengths after which the scene looks the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from .bars import BarGrid
from .edits import with_edits
from .errors import SceneError
from .flash_limit import Tamed, tame
from .genres import canonical
from .keys import KeyTrack
from .scene_kinds import COMMON_LAP_M
from .timeline import Timeline

WHOLE_BARS = 4
_LOOP = re.compile(r"b(\d{1,6}):b?(\d{1,6})", re.IGNORECASE | re.ASCII)
# these begin anew on every beat: a mixture of two of them would be out of step
_PHASES = ("pulse_at",)
# a ride may become this many times faster to be a whole number of lengths
_FASTER = 2.0


def parse_loop(text: str, grid: BarGrid | None = None) -> tuple[int, int]:
    """First bar and the bar after the last of ``b33:b49``, both counted from 0.

    Args:
        text: What the user wrote; bars are counted from 1, and the second is where the first comes again.
        grid: Bars of the mix; without one only the form is checked.

    Raises:
        SceneError: It is no loop, not a multiple of four bars, or lies outside the mix.
    """
    match = _LOOP.fullmatch(text.strip())
    if match is None:
        raise SceneError(f"{text[:40]!r} is not a loop.", "Write its first bar and the bar after its last: b33:b49.")
    first, end = int(match[1]) - 1, int(match[2]) - 1
    if first < 0:
        raise SceneError("There is no bar 0.", "The first bar is b1.")
    if end < first:
        raise SceneError(f"{text[:40]!r} is not a loop.", "Its end comes before its start.")
    if end == first or (end - first) % WHOLE_BARS:
        bars = "1 bar" if end - first == 1 else f"{end - first} bars"
        raise SceneError(f"A loop of {bars} does not repeat well.", "Choose 4, 8, 12, 16 ... bars.")
    if grid is not None and end > grid.n_bars:
        raise SceneError(f"There is no bar {end}.", f"The mix has bars 1 to {grid.n_bars}.")
    return first, end


def loop_span_s(grid: BarGrid, bars: tuple[int, int]) -> tuple[float, float]:
    """Start and end of a loop in seconds."""
    return float(grid.edges_s[bars[0]]), float(grid.edges_s[bars[1]])


def with_genre(timeline: Timeline, genre: str) -> Timeline:
    """The timeline, edits applied, as if all of it were of one sub-genre.

    Raises:
        SceneError: The network that heard it does not know the sub-genre.
    """
    timeline = with_edits(timeline)
    wanted = canonical(genre)
    if wanted not in timeline.model.genres:
        raise SceneError(f"There is no sub-genre {genre!r}.", f"Choose of: {', '.join(timeline.model.genres)}.")
    probs = np.zeros_like(timeline.probs)
    probs[:, timeline.model.genres.index(wanted)] = 1.0
    return replace(timeline, probs=probs, uncertain=np.zeros_like(timeline.uncertain), edits=())


def looped(
    channels: Mapping[str, KeyTrack], first_frame: int, last_frame: int, *, fade_frames: int, loop_m: float = 0.0
) -> dict[str, KeyTrack]:
    """Channels that have on the frame after ``last_frame`` what they had on ``first_frame``.

    Args:
        channels: Name -> keys in scene frames.
        first_frame: First frame of the loop, a downbeat.
        last_frame: Last frame; the frame after it is the downbeat on which the first comes again.
        fade_frames: How many frames at the end fade to what came before the loop.
        loop_m: Metres of travel after which the scene looks the same; 0 if it never does: the camera then goes half
            of the way and comes back, as it does where a whole length would be far too fast.

    Returns:
        Name -> one linear key on every frame from ``first_frame`` to ``last_frame + 1``. Only ``travel`` differs
        between these two, if at all, by a whole number of ``loop_m``; ``drift`` goes to and fro once.

    Raises:
        SceneError: The loop has less than two frames.
    """
    length = last_frame + 1 - first_frame
    if length < 2:
        raise SceneError("The loop is too short.", "Choose more bars or a higher frame rate.")
    frames = first_frame + np.arange(length + 1, dtype=np.float64)
    fade = min(max(fade_frames, 2), length)
    # 1 on the last frame already: from there to the first it is the music's own step
    share = np.clip((frames - (last_frame + 1 - fade)) / (fade - 1), 0.0, 1.0)[:, None]
    result = {
        name: _faded(track, frames, length, 0.0 if name in _PHASES else share) for name, track in channels.items()
    }
    if "shock" in result:
        result["shock"] = _whole_waves(channels["shock"], frames, length)
    if "drift" in result:
        # as far as the look's camera goes
        far = float(np.abs(channels["drift"].values).max())
        swing = -far * np.cos(2.0 * np.pi * (frames - first_frame) / length)
        result["drift"] = _dense(frames, swing[:, None])
    if "travel" in result:
        result["travel"], rate = _travelled(channels["travel"], result.get("speed"), frames, loop_m)
        if "speed" in result:
            result["speed"] = _dense(frames, result["speed"].values * rate)
    return result


def safe_loop(channels: Mapping[str, KeyTrack], first: int, end: int, fps: float) -> tuple[dict[str, KeyTrack], Tamed]:
    """A loop without harmful flashes, however often it is repeated.

    Softened is what three rounds of it would show: a round alone does not know what follows its last frame.

    Args:
        channels: As :func:`looped` gives them.
        first: First frame.
        end: The frame after the last.
        fps: Frames per second.

    Returns:
        The same span, again without a seam, and what was softened in one round; seconds count from its first frame.
    """
    length = end - first
    frames = np.arange(first - length, end + length, dtype=np.float64)
    within = first + (frames - first) % length
    soft, tamed = tame({name: _dense(frames, track.at(within)) for name, track in channels.items()}, fps)
    once = np.arange(first, end + 1, dtype=np.float64)
    back = first + (once - first) % length
    result = {name: _dense(once, track.at(back)) for name, track in soft.items()}
    if "travel" in channels:
        result["travel"] = channels["travel"]
    round_s = length / fps
    places = tuple((start_s - round_s, end_s - round_s) for start_s, end_s in tamed.seconds
                   if round_s <= start_s < 2 * round_s)  # fmt: skip
    return result, Tamed(places, round(tamed.before / 3), round(tamed.after / 3))


def _dense(frames: NDArray[np.float64], values: NDArray[np.floating]) -> KeyTrack:
    return KeyTrack(frames.astype(np.float32), np.asarray(values, np.float32), "LINEAR")


def _faded(track: KeyTrack, frames: NDArray[np.float64], length: int, share: NDArray[np.float64] | float) -> KeyTrack:
    """A channel over the span, faded to what it was one length earlier."""
    values = np.asarray(track.at(frames))
    values = values * (1.0 - share) + np.asarray(track.at(frames - length)) * share
    values[-1] = values[0]
    return _dense(frames, values)


def _whole_waves(shock: KeyTrack, frames: NDArray[np.float64], length: int) -> KeyTrack:
    """The shock wave, 1 where none runs: one from before the loop is left out, one at its end runs on at its start."""
    wave = np.array(shock.at(frames), np.float64)[:, 0]
    if wave[0] > 0.0:
        wave[: np.argmax(wave >= 1.0)] = 1.0
        if wave[-2] < 1.0:
            after = np.asarray(shock.at(frames + length))[:, 0]
            rest = int(np.argmax(after >= 1.0))
            wave[:rest] = after[:rest]
    wave[-1] = wave[0]
    return _dense(frames, wave[:, None])


def _travelled(
    travel: KeyTrack, speed: KeyTrack | None, frames: NDArray[np.float64], loop_m: float
) -> tuple[KeyTrack, float]:
    """The way over the span, ``loop_m`` times a whole number long, and the factor on the speed that this takes."""
    way = np.asarray(travel.at(frames), dtype=np.float64)[:, 0]
    # the laps that a cut took away
    way[1:] -= np.cumsum(np.round(np.diff(way) / COMMON_LAP_M)) * COMMON_LAP_M
    total_m = float(way[-1] - way[0])
    pace = np.gradient(way) if speed is None else speed.values[:, 0].astype(np.float64)
    steps = (pace[:-1] + pace[1:]) / 2.0
    if total_m <= 0.0 or steps.sum() <= 0.0:
        return _dense(frames, np.full((len(frames), 1), way[0])), 0.0
    wanted_m = max(1, round(total_m / loop_m)) * loop_m if loop_m > 0.0 else 0.0
    if not 0.0 < wanted_m <= _FASTER * total_m:
        # back the way it came, at about the same pace
        turn = 2.0 * np.pi * (frames - frames[0]) / (frames[-1] - frames[0])
        there = way[0] + total_m / 2.0 * (1.0 - np.cos(turn)) / 2.0
        there[-1] = there[0]
        return _dense(frames, there[:, None]), 1.0
    along = np.append(0.0, np.cumsum(steps)) / steps.sum() * wanted_m
    # near the origin, where single precision is finest
    return _dense(frames, (way[0] % loop_m + along)[:, None]), wanted_m / total_m
