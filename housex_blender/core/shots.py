"""Which camera looks when: cuts that follow the sections of a mix. Zone: pure.

Every cut lies on the frame of a downbeat. The choice at a bar depends on the look's seed, on that bar and on the
shots beside it alone, so what is edited elsewhere in the mix changes no shot here.
"""

from __future__ import annotations

import random
from itertools import pairwise

import numpy as np

from .edits import with_edits
from .looks import Look
from .manners import TEMPERS
from .show_times import Clock
from .timeline import Timeline

SHOTS = ("wide", "low", "close", "high")
# the shot that opens a section, then those that follow inside a long one
_OPENS = {"intro": "wide", "build": "low", "drop": "wide", "break": "high", "outro": "high"}
_FOLLOWS = {
    "intro": ("low", "high", "wide"),
    "build": ("wide", "low"),
    "drop": ("close", "low", "wide"),
    "break": ("wide", "high"),
    "outro": ("wide", "low", "high"),
}
_LEAST_BARS = 2
# build-ups end in a close shot: this many bars, or half of a short one
_CLOSE_BARS = 4


def shot_list(timeline: Timeline, look: Look, fps: float, first_frame: int = 1) -> list[tuple[int, str]]:
    """Frame and name of every shot, edits included; the first one holds from the start.

    Args:
        timeline: What was heard; its edits are applied here.
        look: Its camera's temper says how often a long section is cut, its seed chooses among shots.
        fps: Frames per second of the scene, > 0.
        first_frame: Frame at which the mix begins.

    Returns:
        (frame of a downbeat, one of SHOTS) in order: never two cuts closer than two bars but for a drop's, never two
        shots of one camera in a row but for a drop, which always opens wide.

    Raises:
        SceneError: fps is not positive.
        TimelineError: An edit makes no sense.
    """
    clock, timeline = Clock(fps, first_frame), with_edits(timeline)
    frames = clock.on(timeline.grid.starts_s)
    # of bars that share a frame the last one is seen
    return list({int(frames[bar]): shot for bar, shot in shot_bars(timeline, look)}.items())


def shot_bars(timeline: Timeline, look: Look) -> list[tuple[int, str]]:
    """Bar and name of every shot of a timeline whose edits are applied."""
    drops = {drop.start_bar for drop in timeline.drops}
    wished: dict[int, tuple[str, ...]] = {}
    for first, end in _sections(timeline, drops):
        wished.update(_in_section(timeline.section[first], first, end, look))
    wished.update(dict.fromkeys(drops, ("wide",)))
    shots: list[tuple[int, str]] = []
    bars = sorted(wished)
    for bar, after in zip(bars, [*bars[1:], bars[-1]], strict=True):
        if bar not in drops and (_near(bar, drops) or (shots and bar - shots[-1][0] < _LEAST_BARS)):
            continue
        # a section opens with a cut: what comes before it is another shot
        taken = (shots[-1][1] if shots else "", *(wished[after] if len(wished[after]) == 1 else ()))
        shot = _chosen(wished[bar], taken, bar, look.seed)
        if bar in drops or not shots or shot != shots[-1][1]:
            shots.append((bar, shot))
    if not shots or shots[0][0] > 0:
        shots.insert(0, (0, _OPENS[timeline.section[0]]))
    return shots


def _near(bar: int, drops: set[int]) -> bool:
    """Whether a drop follows so soon that a cut here would only weaken it."""
    return any(bar + ahead in drops for ahead in range(1, _LEAST_BARS))


def _sections(timeline: Timeline, drops: set[int]) -> list[tuple[int, int]]:
    """Runs of bars of one section, as (first, one past the last); a drop always begins one."""
    names = np.array(timeline.section)
    edges = {0, *(np.flatnonzero(names[1:] != names[:-1]) + 1).tolist(), *drops, len(names)}
    return list(pairwise(sorted(edges)))


def _in_section(section: str, first: int, end: int, look: Look) -> dict[int, tuple[str, ...]]:
    """Bar -> the shots to choose among, for one run of bars."""
    every = TEMPERS[look.camera].cut_bars * (2 if section == "break" else 1)
    # what would last less than half as long is not worth a cut
    last = end - every // 2 + 1
    close = end - min(_CLOSE_BARS, (end - first) // 2) if section == "build" and end - first >= _LEAST_BARS else end
    wished: dict[int, tuple[str, ...]] = {first: (_OPENS[section],)}
    for bar in range(first + every, min(last, close - _LEAST_BARS + 1), every):
        wished[bar] = _FOLLOWS[section]
    if close < end:
        wished[close] = ("close",)
    return wished


def _chosen(shots: tuple[str, ...], taken: tuple[str, ...], bar: int, seed: int) -> str:
    """One of the shots that is not taken by its neighbours, by seed and bar."""
    free = [shot for shot in shots if shot not in taken] or [shot for shot in shots if shot != taken[0]] or [*shots]
    # of the standard library, whose random() gives the same numbers in every version
    return free[int(random.Random(f"{seed} {bar}").random() * len(free))]
