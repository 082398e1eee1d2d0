"""Names for the bars of a track: intro, break, build, drop, outro. Zone: analysis (numpy; no bpy).

A track is cut into sections by dynamic programming (a semi-Markov model): each section should look like its kind,
begin where the sound changes, last a number of phrases, and follow what such sections follow in house music. The same
search over a whole mix, where another track may begin once the last one has dropped, gives a first idea of the tracks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .levels import BarLevels, sliding_percentile

SECTIONS = ("intro", "break", "build", "drop", "outro")
INTRO, BREAK, BUILD, DROP, OUTRO = range(len(SECTIONS))
# Sections of a track before and after its first drop: the next track does not begin before the last one dropped.
BEFORE, AFTER = (INTRO, BREAK, BUILD), (DROP, BREAK, BUILD, OUTRO)
# What bars of each section look like, in dB below the loud bars of their track, and the spread of that. Medians of
# mixes with known form, rounded. A drop is narrow: everything plays. An intro may be a bare kick or pads without any
# bottom, so it may lie almost anywhere; a bare kick is as loud as a drop, but its middle is empty.
LOOKS_DB: dict[str, tuple[tuple[float, float], ...]] = {
    "loudness_db": ((-2.0, 2.2), (-9.5, 3.5), (-5.0, 2.5), (-0.3, 0.8), (-2.8, 2.0)),
    "low_db": ((-3.0, 8.0), (-26.0, 9.0), (-8.0, 8.0), (-0.8, 1.5), (-2.0, 4.0)),
    "mid_db": ((-9.0, 6.0), (-5.0, 4.0), (-7.0, 4.5), (-1.5, 2.0), (-10.5, 5.0)),
    "high_db": ((-4.0, 5.0), (-17.0, 9.0), (-9.0, 8.0), (-1.2, 2.0), (-7.0, 5.0)),
}
DEEPEST_DB = -30.0
# Beyond five spreads nothing gets less likely.
FAR = 5.0
# The bars of a section are much alike: eight of them are evidence as of one.
BAR_WEIGHT = 0.1
# A track's own loud bars, over a window that reaches from any drop to the next.
REFERENCE_BARS = 129
REFERENCE_PERCENTILE = 95.0
FADE_BARS = 8
# While tracks are unknown: the bars to the left and those to the right, as one side may be another track.
SIDE_BARS, SIDE_OVERLAP_BARS = 33, 8
# In nats, as all below: what follows what.
FOLLOWS: dict[tuple[str, str], float] = {
    ("intro", "break"): -0.7, ("intro", "build"): -0.7, ("intro", "drop"): -1.5, ("intro", "outro"): -6.0,
    ("break", "build"): -0.3, ("break", "drop"): -1.5, ("break", "outro"): -4.0, ("break", "intro"): -6.0,
    ("build", "drop"): 0.0, ("build", "break"): -3.0, ("build", "outro"): -5.0,
    ("drop", "break"): -0.7, ("drop", "outro"): -0.7, ("drop", "build"): -2.0,
    ("outro", "break"): -4.0, ("outro", "build"): -4.0, ("outro", "drop"): -5.0,
    # Longer than the search looks back.
    **{(name, name): -2.0 for name in SECTIONS if name != "build"},
}  # fmt: skip
# A track that the DJ has brought in over its intro may start with what comes after it.
FIRST = {"intro": 0.0, "break": -1.5, "build": -2.0, "drop": -2.0, "outro": -6.0}
LAST = {"intro": -4.0, "break": -2.0, "build": -4.0, "drop": -1.0, "outro": 0.0}
# Sections last phrases of eight bars, seldom an odd four, hardly ever anything else; builds last four at most.
HALF_PHRASE, ODD_LENGTH, SCRAP = -1.0, -2.5, -3.0
SCRAP_BARS = 4
LONG_BUILD, BUILD_BARS = -3.0, 32
# While tracks are unknown a loud passage of less than sixteen bars is sooner something else than a drop.
SHORT_DROP, DROP_BARS = -1.0, 16
# A DJ may leave a track anywhere, but not after half a minute.
LEFT_EARLY = -0.7
SHORT_TRACK, TRACK_BARS = -3.0, 28
LONGEST_BARS = 96
# A change of nearly twice the usual size pays for a boundary. Fades are soft: between tracks less is asked.
CHANGE_COST, CHANGE_MOST, FADE_COST = 1.8, 2.5, 1.0
# A build rises from its first half to its second: so many dB count for one.
RISE_HIGH_DB, RISE_LOUD_DB, RISE_LEAST, RISE_USUAL, RISE_MOST = 6.0, 2.0, -1.5, 0.5, 2.5
NEVER = -1e9

Floats = NDArray[np.float64]
Span = tuple[int, int]


@dataclass
class Looks:
    """What the sections of a stretch are told from.

    Attributes:
        gain: (n_bars, 5) nats for each bar to belong to each section.
        change: (n_bars,) change of sound at the start of each bar, 1 being usual.
        rising: (n_bars,) treble and level below those of the loud bars, in what counts as one rise.
    """

    gain: Floats
    change: Floats
    rising: Floats

    def part(self, start: int, end: int) -> Looks:
        """Bars start..end-1."""
        return Looks(self.gain[start:end], self.change[start:end], self.rising[start:end])


def loud_of_tracks(values_db: Floats, tracks: list[Span]) -> Floats:
    """(n_bars,) level of the loud bars around each bar in its own track, in dB."""
    result = np.empty_like(values_db)
    for start, end in tracks:
        part = values_db[start:end].copy()
        # Next to a hand-over the other track is heard too: those bars do not say how loud this one is.
        usual_db = float(np.median(part))
        if start > 0:
            part[:FADE_BARS] = np.minimum(part[:FADE_BARS], usual_db)
        if end < len(values_db):
            part[-FADE_BARS:] = np.minimum(part[-FADE_BARS:], usual_db)
        result[start:end] = sliding_percentile(part, REFERENCE_PERCENTILE, REFERENCE_BARS)
    return result


def loud_nearby(values_db: Floats) -> Floats:
    """(n_bars,) mean of the levels of the loud bars on either side of each bar, in dB.

    Where there is little on one side, at the ends of the mix, a wider stretch stands in for it.
    """
    ahead = SIDE_BARS - 1 - SIDE_OVERLAP_BARS
    windows = np.lib.stride_tricks.sliding_window_view
    left = np.pad(values_db, (ahead, SIDE_OVERLAP_BARS), mode="edge")
    right = np.pad(values_db, (SIDE_OVERLAP_BARS, ahead), mode="edge")
    before, after = (np.percentile(windows(side, SIDE_BARS), REFERENCE_PERCENTILE, axis=1) for side in (left, right))
    before[:ahead] = np.maximum(before[:ahead], np.percentile(values_db[: 2 * SIDE_BARS], REFERENCE_PERCENTILE))
    after[-ahead:] = np.maximum(after[-ahead:], np.percentile(values_db[-2 * SIDE_BARS :], REFERENCE_PERCENTILE))
    mean: Floats = 0.5 * (before + after)
    return mean


def section_looks(levels: BarLevels, change: Floats, tracks: list[Span] | None) -> Looks:
    """How much every bar looks like each section, against the loud bars of its track, or nearby if tracks is None."""
    gain = np.zeros((len(change), len(SECTIONS)))
    below: dict[str, Floats] = {}
    for name, looks in LOOKS_DB.items():
        values_db = getattr(levels, name)
        loud_db = loud_nearby(values_db) if tracks is None else loud_of_tracks(values_db, tracks)
        below[name] = np.maximum(values_db - loud_db, DEEPEST_DB)
        mean, spread = np.array(looks).T
        away = np.minimum(np.abs(below[name][:, None] - mean) / spread, FAR)
        gain -= BAR_WEIGHT * (0.5 * away**2 + np.log(spread))
    return Looks(gain, change, below["high_db"] / RISE_HIGH_DB + below["loudness_db"] / RISE_LOUD_DB)


def _worth_of_lengths(kinds: NDArray[np.int64]) -> Floats:
    """(96, s) nats for a section of each kind to last 1, 2, ... bars."""
    bars = np.arange(1, LONGEST_BARS + 1)
    worth = np.where(bars % 8 == 0, 0.0, np.where(bars % 4 == 0, HALF_PHRASE, ODD_LENGTH))
    worth = worth + np.where(bars < SCRAP_BARS, SCRAP, 0.0)
    too_long = (bars[:, None] > BUILD_BARS) & (kinds == BUILD)
    return worth[:, None] + np.where(too_long, LONG_BUILD, 0.0)


class _Rises:
    """How much the second half of any stretch lies above its first."""

    def __init__(self, rising: Floats) -> None:
        self.total = np.concatenate([[0.0], np.cumsum(rising)])

    def __call__(self, starts: NDArray[np.int64], end: int) -> Floats:
        middles = (starts + end) // 2
        first = (self.total[middles] - self.total[starts]) / np.maximum(middles - starts, 1)
        rise = (self.total[end] - self.total[middles]) / (end - middles) - first
        worth: Floats = np.clip(rise, RISE_LEAST, RISE_MOST) - RISE_USUAL
        return worth


def name_sections(looks: Looks) -> list[str]:
    """Best division of one track into sections: a name for every bar."""
    follows = np.full((len(SECTIONS), len(SECTIONS)), NEVER)
    for (before, after), nats in FOLLOWS.items():
        follows[SECTIONS.index(before), SECTIONS.index(after)] = nats
    first = np.array([FIRST[name] for name in SECTIONS])
    last = np.array([LAST[name] for name in SECTIONS])
    kinds = np.arange(len(SECTIONS))
    names, _ = _divide(looks, _Search(kinds, first, last, follows, _worth_of_lengths(kinds)))
    return names


def name_mix(looks: Looks, handover: Floats) -> tuple[list[str], list[int]]:
    """Best division of a mix into sections and tracks: a name for every bar, and the first bars of later tracks.

    Args:
        looks: Of all bars.
        handover: (n_bars,) nats for another track taking over at the start of each bar.
    """
    kinds = np.array([*BEFORE, *AFTER])
    dropped = np.arange(len(kinds)) >= len(BEFORE)
    names = [SECTIONS[kind] for kind in kinds]
    follows = np.full((len(kinds), len(kinds)), NEVER)
    joins = np.full((len(kinds), len(kinds)), NEVER)
    opens = ~dropped | (kinds == DROP)
    for i, before in enumerate(names):
        for j, after in enumerate(names):
            stays = dropped[i] == dropped[j] if kinds[j] != DROP else True
            if stays and (before, after) in FOLLOWS:
                follows[i, j] = FOLLOWS[before, after]
            if dropped[i] and opens[j]:
                joins[i, j] = LAST[before] + FIRST[after]
    first = np.where(opens, [FIRST[name] for name in names], NEVER)
    last = np.array([LAST[name] for name in names])
    lengths = _worth_of_lengths(kinds)
    lengths[: DROP_BARS - 1, kinds == DROP] += SHORT_DROP
    return _divide(looks, _Search(kinds, first, last, follows, lengths, joins, handover))


@dataclass
class _Search:
    """States of a search and their prices in nats.

    Attributes:
        kinds: (s,) section of each state.
        first: (s,) price of beginning with it.
        last: (s,) price of ending with it.
        follows: (s, s) price of going from one to another.
        lengths: (96, s) price of lasting 1, 2, ... bars.
        joins: (s, s) price of going from one to another of the next track, if there may be one.
        handover: (n_bars,) nats for the next track beginning at each bar.
    """

    kinds: NDArray[np.int64]
    first: Floats
    last: Floats
    follows: Floats
    lengths: Floats
    joins: Floats | None = None
    handover: Floats | None = None


def _divide(looks: Looks, search: _Search) -> tuple[list[str], list[int]]:
    """Names of all bars on the best path, and where tracks begin on it."""
    count, states = len(looks.gain), len(search.kinds)
    own, builds = np.arange(states), np.flatnonzero(search.kinds == BUILD)
    total = np.concatenate([np.zeros((1, states)), np.cumsum(looks.gain[:, search.kinds], axis=0)])
    rises = _Rises(looks.rising)
    border = np.minimum(looks.change, CHANGE_MOST) - CHANGE_COST
    # ``reached[t]``: best total before a section of each state that begins at bar t, with its way back.
    reached = np.full((count + 1, states), NEVER)
    reached[0] = search.first
    length_of, before_of, track_of = (np.zeros((count + 1, states), np.int64) for _ in range(3))
    joined = np.zeros((count + 1, states), bool)
    ended = np.zeros(states)
    for end in range(1, count + 1):
        starts = end - np.arange(1, min(end, LONGEST_BARS) + 1)
        worth = search.lengths[: len(starts)]
        if end == count:
            worth = np.maximum(worth, LEFT_EARLY)
        score = total[end] - total[starts] + reached[starts] + worth
        score[:, builds] += rises(starts, end)[:, None]
        best = score.argmax(axis=0)
        length_of[end] = best + 1
        ended = score[best, own]
        if end == count:
            break
        paths = ended[:, None] + search.follows + border[end]
        before_of[end], reached[end] = paths.argmax(axis=0), paths.max(axis=0)
        if search.joins is None or search.handover is None:
            continue
        track = track_of[starts[best], own]
        price = np.where(end - track < TRACK_BARS, SHORT_TRACK, 0.0) + (
            SHORT_TRACK if count - end < TRACK_BARS else 0.0
        )
        others = (ended + price)[:, None] + search.joins + search.handover[end] + max(border[end], -FADE_COST)
        joined[end] = others.max(axis=0) > reached[end]
        before_of[end] = np.where(joined[end], others.argmax(axis=0), before_of[end])
        reached[end] = np.maximum(reached[end], others.max(axis=0))
        track_of[end] = np.where(joined[end], end, track[before_of[end]])
    state = int((ended + search.last).argmax())
    names, tracks = [""] * count, []
    end = count
    while end > 0:
        start = end - int(length_of[end, state])
        names[start:end] = [SECTIONS[search.kinds[state]]] * (end - start)
        if joined[start, state]:
            tracks.append(start)
        state, end = int(before_of[start, state]), start
    return names, tracks[::-1]
