"""Names for the bars of a track: intro, break, build, drop, outro. Zone: analysis (numpy; no bpy).

A track is cut into sections by dynamic programming (a semi-Markov model): each section should look like its kind,
begin where the sound changes, last a number of phrases, and follow what such sections follow in house music.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .levels import BarLevels, sliding_percentile

SECTIONS = ("intro", "break", "build", "drop", "outro")
BUILD = SECTIONS.index("build")
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
# In nats, as all below: what follows what.
FOLLOWS: dict[tuple[str, str], float] = {
    ("intro", "break"): -0.7, ("intro", "build"): -0.7, ("intro", "drop"): -1.5, ("intro", "outro"): -6.0,
    ("break", "build"): -0.3, ("break", "drop"): -1.5, ("break", "outro"): -4.0, ("break", "intro"): -6.0,
    ("build", "drop"): 0.0, ("build", "break"): -3.0, ("build", "outro"): -5.0,
    ("drop", "break"): -0.7, ("drop", "outro"): -0.7, ("drop", "build"): -2.0,
    ("outro", "break"): -4.0, ("outro", "build"): -4.0, ("outro", "drop"): -5.0,
}  # fmt: skip
# A track that the DJ has brought in over its intro may start with what comes after it.
FIRST = {"intro": 0.0, "break": -1.5, "build": -2.0, "drop": -2.0, "outro": -6.0}
LAST = {"intro": -4.0, "break": -2.0, "build": -4.0, "drop": -1.0, "outro": 0.0}
# Where tracks are not known yet, the next may begin after any outro.
NEXT_TRACK = -1.0
# Sections last phrases of eight bars, seldom an odd four, hardly ever anything else.
HALF_PHRASE, ODD_LENGTH, SCRAP = -1.0, -2.5, -3.0
SCRAP_BARS = 4
# A DJ may leave a track anywhere.
LEFT_EARLY = -0.7
LONGEST_BARS = 96
# A change of twice the usual size pays for a boundary.
CHANGE_COST, CHANGE_MOST = 2.2, 2.5
# A build rises from its first half to its second: so many dB count for one.
RISE_HIGH_DB, RISE_LOUD_DB, RISE_LEAST, RISE_USUAL, RISE_MOST = 6.0, 2.0, -1.5, 0.5, 2.5
NEVER = -1e9

Floats = NDArray[np.float64]


@dataclass
class Looks:
    """What the sections of a stretch are told from.

    Attributes:
        gain: (n_bars, 5) nats for each bar to belong to each section.
        change: (n_bars,) change of sound at the start of each bar, 1 being usual.
        high_db: (n_bars,) treble below that of the loud bars, in dB.
        loudness_db: (n_bars,) level below that of the loud bars, in dB.
    """

    gain: Floats
    change: Floats
    high_db: Floats
    loudness_db: Floats

    def part(self, start: int, end: int) -> Looks:
        """Bars start..end-1."""
        return Looks(self.gain[start:end], self.change[start:end], self.high_db[start:end], self.loudness_db[start:end])


def below_loud(values_db: Floats, tracks: list[tuple[int, int]], width: int, percentile: float) -> Floats:
    """(n_bars,) each bar against the loud bars around it in its own track, in dB; 0 or less for most."""
    result = np.empty_like(values_db)
    for start, end in tracks:
        part = values_db[start:end]
        result[start:end] = part - sliding_percentile(part, percentile, width)
    return np.maximum(result, DEEPEST_DB)


def section_looks(levels: BarLevels, change: Floats, tracks: list[tuple[int, int]], width: int) -> Looks:
    """How much every bar looks like each section, judged against the loud bars of its track within ``width`` bars."""
    gain = np.zeros((len(change), len(SECTIONS)))
    below = {}
    for name, looks in LOOKS_DB.items():
        below[name] = below_loud(getattr(levels, name), tracks, width, REFERENCE_PERCENTILE)
        mean, spread = np.array(looks).T
        away = np.minimum(np.abs(below[name][:, None] - mean) / spread, FAR)
        gain -= BAR_WEIGHT * (0.5 * away**2 + np.log(spread))
    return Looks(gain, change, below["high_db"], below["loudness_db"])


def _follows(open_end: bool) -> Floats:
    """(5, 5) price of going from one section to another; open_end: another track may begin."""
    table = np.full((len(SECTIONS), len(SECTIONS)), NEVER)
    for (before, after), nats in FOLLOWS.items():
        table[SECTIONS.index(before), SECTIONS.index(after)] = nats
    if open_end:
        for before in ("drop", "outro"):
            for after in ("intro", "break", "build", "drop"):
                if before != after:
                    price = NEXT_TRACK + LAST[before] + FIRST[after]
                    i, j = SECTIONS.index(before), SECTIONS.index(after)
                    table[i, j] = max(table[i, j], price)
    return table


def name_sections(looks: Looks, *, open_end: bool = False) -> list[str]:
    """Best division of a stretch into sections.

    Args:
        looks: Of the bars of one track, or of a whole mix.
        open_end: Whether several tracks may follow each other in the stretch.
    """
    count = len(looks.gain)
    kinds = np.arange(len(SECTIONS))
    total = np.concatenate([np.zeros((1, len(SECTIONS))), np.cumsum(looks.gain, axis=0)])
    high, loud = (np.concatenate([[0.0], np.cumsum(part)]) for part in (looks.high_db, looks.loudness_db))
    rising = high / RISE_HIGH_DB + loud / RISE_LOUD_DB
    bars = np.arange(1, LONGEST_BARS + 1)
    worth = np.where(bars % 8 == 0, 0.0, np.where(bars % 4 == 0, HALF_PHRASE, ODD_LENGTH))
    worth = worth + np.where(bars < SCRAP_BARS, SCRAP, 0.0)
    border = np.minimum(looks.change, CHANGE_MOST) - CHANGE_COST
    follows = _follows(open_end)
    # ``reached[t]``: best total before a section of each kind that begins at bar t.
    reached = np.full((count + 1, len(SECTIONS)), NEVER)
    reached[0] = [FIRST[name] for name in SECTIONS]
    length_of = np.zeros((count + 1, len(SECTIONS)), np.int64)
    before_of = np.zeros((count + 1, len(SECTIONS)), np.int64)
    ended = np.zeros(len(SECTIONS))
    for end in range(1, count + 1):
        lengths = bars[: min(end, LONGEST_BARS)]
        starts = end - lengths
        value = worth[: len(lengths)]
        if end == count:
            value = np.maximum(value, LEFT_EARLY)
        score = total[end] - total[starts] + reached[starts] + value[:, None]
        middles = (starts + end) // 2
        first = (rising[middles] - rising[starts]) / np.maximum(middles - starts, 1)
        rise = (rising[end] - rising[middles]) / (end - middles) - first
        score[:, BUILD] += np.clip(rise, RISE_LEAST, RISE_MOST) - RISE_USUAL
        best = score.argmax(axis=0)
        length_of[end] = lengths[best]
        ended = score[best, kinds]
        if end < count:
            paths = ended[:, None] + follows
            before_of[end] = paths.argmax(axis=0)
            reached[end] = paths.max(axis=0) + border[end]
    kind = int((ended + np.array([LAST[name] for name in SECTIONS])).argmax())
    names = [""] * count
    end = count
    while end > 0:
        start = end - int(length_of[end, kind])
        names[start:end] = [SECTIONS[kind]] * (end - start)
        kind, end = int(before_of[start, kind]), start
    return names
