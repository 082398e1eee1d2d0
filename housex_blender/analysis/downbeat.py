"""Which beat of a bar is "one". Zone: analysis (numpy; no bpy).

Every beat gives evidence for being "one": the sound changes there more than at the same place of the
bars around it (a section begins), the kick comes back, or the harmony of the bar after it differs from that of the bar
before. A path over the 32 places of an eight-bar phrase adds the evidence up; it may lose its place, at a price.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..core.bars import BEATS_PER_BAR
from .barnet import HARMONY_BANDS, harmony_change, place_evidence
from .changes import against_bar, band_levels, band_sums, best_path, change_of, pulse_at, share_of_kick
from .features import Features
from .halfbeat import HalfBeats, hear_half_beats
from .pulse import BeatPath, moving_mean

PHRASE_BEATS = 32
# In nats, as is all evidence. Edits lose half bars rather than single beats, and bar lines less often than phrases.
SWITCH_COST, HALF_BAR_COST, PHRASE_COST = 24.0, 16.0, 3.0
# In beats.
PHRASE_WINDOWS = (1, 2, 4, 8)
VOTE_MOST = 2.0
# How likely a change this clear is on a downbeat, from mixes with known bars: it saturates.
VOTE_NATS, VOTE_MORE_NATS = 3.2, 0.5
# A vote this much smaller than its neighbour's is the same change, smeared; a fill makes two of one size.
VOTE_SMEAR = 0.7
EDGE_BEATS = 8
# Sections begin with phrases, half-phrases or, less often, any bar.
HALF_PHRASE, ANY_BAR = 0.8, 0.5
RETURN_NATS, RETURN_LEAST, RETURN_RANGE = 2.2, 0.5, 0.3
ENTRY_NATS = 2.0
# Chords that swell, and basses that come after the beat, change late: the beat before shares their evidence.
HARMONY_NATS, HARMONY_LATE = 1.0, 0.4
# What the network says of a beat it says again of the next bar, so a beat counts for little.
PLACE_SHARE = 0.025
# What a nat for the bars on one reading of the half beats counts against the drums.
NATS_WEIGHT = 3.0
# A lead of so many nats over all other bar lines is certainty.
SURE_NATS = 10.0
ENTRY_DB = 25.0
ENTRY_SLACK_S = 0.12
AUDIBLE_DB = 40.0

Floats = NDArray[np.float64]


@dataclass
class Downbeats:
    """The vote's result.

    Attributes:
        margin: (n,) 0..1, how clearly the winning phase beat the others.
        beats_s: (b,) beats in seconds, half beats settled.
        pieces: (b,) number of the steady stretch a beat belongs to.
        is_downbeat: (b,) True where a bar begins.
    """

    margin: Floats
    beats_s: Floats
    pieces: NDArray[np.int64]
    is_downbeat: NDArray[np.bool_]

    @property
    def times_s(self) -> Floats:
        """(n,) downbeats in seconds."""
        return self.beats_s[self.is_downbeat]


def phrase_votes(sums: Floats) -> Floats:
    """(b,) how much more the sound changes at a beat than at the same place of the bars around it.

    Windows shorter than a bar place a change sharply but also see the pattern of the bar; what repeats from bar to
    bar is taken out, so that only the ends of phrases are left.
    """
    change = change_of(sums, PHRASE_WINDOWS, BEATS_PER_BAR)
    change -= moving_mean(change, 2 * BEATS_PER_BAR + 1)
    return np.clip(against_bar(change), 0.0, VOTE_MOST)


def _returns(kick: Floats) -> Floats:
    """(b,) 0..1 where the kick comes back: absent on the beat before, present on the next four."""
    heard = share_of_kick(kick)
    if len(heard) < 8:
        return np.zeros(len(heard))
    padded = np.pad(heard, (2, 3))
    ahead = np.minimum.reduce([padded[2 + i : 2 + i + len(heard)] for i in range(BEATS_PER_BAR)])
    behind = np.maximum(padded[1:-4], 0.5 * padded[:-5])
    back = np.maximum(ahead - behind, 0.0)
    back[0] = 0.0
    return back


def _entry(features: Features, beats_s: Floats) -> Floats:
    """(b,) 1 at the beat on which the sound begins, if it begins with a beat: most music starts on a one."""
    vote = np.zeros(len(beats_s))
    loud = features.mel[: int(60 * features.mel_rate_hz)].astype(np.float32).max(axis=1)
    heard = np.flatnonzero(loud > np.percentile(loud, 90) - ENTRY_DB)
    if len(heard):
        start_s = heard[0] / features.mel_rate_hz
        nearest = int(np.argmin(np.abs(beats_s - start_s)))
        vote[nearest] = float(abs(beats_s[nearest] - start_s) < ENTRY_SLACK_S)
    return vote


def _costs() -> Floats:
    """(32, 32) price of changing one's mind about the phrase, by whether the bar line stays."""
    index = np.arange(PHRASE_BEATS)
    lost = (index[:, None] - index[None, :]) % BEATS_PER_BAR
    price = np.select([np.eye(PHRASE_BEATS, dtype=bool), lost == 0, lost == 2], [0.0, PHRASE_COST, HALF_BAR_COST])
    return np.where((lost % 2) == 1, SWITCH_COST, price)


def _sections_begin(votes: Floats, loudest_db: Floats) -> Floats:
    """(b,) nats for a section beginning at each beat.

    Args:
        votes: (b,) from :func:`phrase_votes`.
        loudest_db: (b,) level of the loudest band of each beat.
    """
    votes = votes.copy()
    # The windows of the first and last beats reach into silence, where anything is a change.
    first = int(np.argmax(loudest_db > np.percentile(loudest_db, 90) - AUDIBLE_DB))
    votes[: first + EDGE_BEATS] = 0.0
    votes[-EDGE_BEATS:] = 0.0
    before, after = np.pad(votes, 1)[:-2], np.pad(votes, 1)[2:]
    beaten = VOTE_SMEAR * np.maximum(before, after) > votes
    clear = np.where(beaten, 0.0, votes)
    return VOTE_NATS * np.minimum(clear, 1.0) + VOTE_MORE_NATS * np.maximum(clear - 1.0, 0.0)


def _phrase_gain(section: Floats, bar: Floats) -> Floats:
    """(b, 32) evidence for each place in the phrase.

    Args:
        section: (b,) nats for a section beginning here.
        bar: (b,) nats for a bar beginning here.
    """
    count = len(section)
    place = (np.arange(count)[:, None] - np.arange(PHRASE_BEATS)) % PHRASE_BEATS
    share = np.where(place % BEATS_PER_BAR == 0, ANY_BAR, 0.0)
    share = np.where(place == PHRASE_BEATS // 2, HALF_PHRASE, share)
    share = np.where(place == 0, 1.0, share)
    gain: Floats = share * section[:, None] + np.where(place % BEATS_PER_BAR == 0, bar[:, None], 0.0)
    return gain


def _by_place(evidence: Floats) -> Floats:
    """(b, 4) evidence for each place in the bar -> (b, 32) for each phase of the phrase."""
    place = (np.arange(len(evidence))[:, None] - np.arange(PHRASE_BEATS)) % BEATS_PER_BAR
    spread: Floats = np.take_along_axis(evidence, place, axis=1)
    return spread


def find_downbeats(features: Features, path: BeatPath) -> Downbeats:
    """Settle the half beat, then the place in an eight-bar phrase, and read the downbeats off it."""
    halves = hear_half_beats(features, path)
    # On the wrong half beats the music's changes fit bars less well, which tells where the drums are broken.
    more = np.zeros(len(halves.times_s))
    even = np.arange(len(more)) % 2 == 0
    bars, more[even] = _bars_on(features, halves, even)
    others, more[~even] = _bars_on(features, halves, ~even)
    is_beat = halves.beats(NATS_WEIGHT * np.where(even, more, -more))
    if np.array_equal(is_beat, even):
        return bars
    return others if np.array_equal(is_beat, ~even) else _bars_on(features, halves, is_beat)[0]


def _bars_on(features: Features, halves: HalfBeats, is_beat: NDArray[np.bool_]) -> tuple[Downbeats, Floats]:
    """Bars on one reading of the half beats, and in nats how much speaks for them at each beat."""
    # Where the reading changes two chosen half beats may touch, or leave a gap; the bars are mended later.
    beats_s, beat_pieces = halves.times_s[is_beat], halves.pieces[is_beat]
    count = len(beats_s)
    levels = band_levels(features, beats_s)
    sums = band_sums(levels)
    section = _sections_begin(phrase_votes(sums), 10.0 * np.diff(sums, axis=0).max(axis=1))
    heard = np.clip((_returns(pulse_at(features, beats_s)) - RETURN_LEAST) / RETURN_RANGE, 0.0, 1.0)
    section += RETURN_NATS * heard + ENTRY_NATS * _entry(features, beats_s)
    harmony = harmony_change(band_sums(levels, HARMONY_BANDS, 1), 1)
    bar = HARMONY_NATS * (harmony + HARMONY_LATE * np.append(harmony[1:], 0.0))
    gain = _phrase_gain(section, bar) + PLACE_SHARE * _by_place(place_evidence(features, beats_s, levels))
    # After a cut the bar owes nothing to the bar before it.
    phase = best_path(gain, _costs(), np.diff(beat_pieces, prepend=beat_pieces[:1]) != 0)
    margin = _margin(gain, phase)
    down = (np.arange(count) - phase) % BEATS_PER_BAR == 0
    bars = Downbeats(margin[down], beats_s, beat_pieces, down)
    return bars, gain[np.arange(count), phase]


def _margin(gain: Floats, phase: NDArray[np.int64]) -> Floats:
    """(b,) 0..1: lead of the chosen bar line's best phrase over that of the best other one, within 64 bars."""
    count = len(gain)
    width = min(count, 128 * BEATS_PER_BAR)
    total = moving_mean(gain, width) * width
    best = total.reshape(count, -1, BEATS_PER_BAR).max(axis=1)
    rows, own = np.arange(count), phase % BEATS_PER_BAR
    chosen = best[rows, own]
    best[rows, own] = -np.inf
    margin: Floats = np.clip((chosen - best.max(axis=1)) / SURE_NATS, 0.0, 1.0)
    return margin
