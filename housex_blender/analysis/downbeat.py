"""Which of the eight half beats of a bar is "one". Zone: analysis (numpy; no bpy).

An off-beat bass can pull the phase by half a beat, so kicks and changes of section first settle which half beats are
the beats. Then every beat gives evidence for being "one": the sound changes there more than at the same place of the
bars around it (a section begins), the kick comes back, or the harmony of the bar after it differs from that of the bar
before. A path over the 32 places of an eight-bar phrase adds the evidence up; it may lose its place, at a price.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..core.bars import BEATS_PER_BAR
from .breaks import bridge_breaks
from .features import ENVELOPE_NAMES, ENVELOPE_RATE_HZ, Features, kick_strength
from .pulse import BeatPath, moving_mean

STATES = 8
NOVELTY_BARS = (1, 2, 4, 8)
MEL_GROUP = 3
NOVELTY_CLIP = 3.0
KICK_WEIGHT, SNARE_WEIGHT = 6.0, 1.0
# Onset bands from 480 to 3200 Hz and from 6 kHz.
SNARE_BANDS, HAT_BAND = slice(4, 7), 8
CHANGE_WEIGHT = 0.1
PARITY_COST = 100.0
PHRASE_BEATS = 32
# In nats, as is all evidence. Edits lose half bars rather than single beats, and bar lines less often than phrases.
SWITCH_COST, HALF_BAR_COST, PHRASE_COST = 12.0, 7.0, 3.0
# What a path pays for changing its mind where the beat itself was cut.
FREE = 0.0
# In beats.
PHRASE_WINDOWS = (1, 2, 4, 8)
PHRASE_CONTEXT_BARS = 17
VOTE_LEAST = 0.0
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
HARMONY_BANDS = (8, 70)
HARMONY_FLOOR = 0.005
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
        times_s: (n,) downbeats in seconds.
        margin: (n,) 0..1, how clearly the winning phase beat the others.
        beats_s: (b,) beats in seconds, half beats settled.
        phrase: (b,) phase 0..31 of the eight-bar phrase, as the index of its first beat modulo 32.
        pieces: (b,) number of the steady stretch a beat belongs to.
        is_downbeat: (b,) True where a bar begins.
    """

    times_s: Floats
    margin: Floats
    beats_s: Floats
    phrase: NDArray[np.int64]
    pieces: NDArray[np.int64]
    is_downbeat: NDArray[np.bool_]


def half_beats(path: BeatPath) -> tuple[Floats, NDArray[np.int64]]:
    """(2n,) beats and the points between them in seconds, and the stretch each belongs to."""
    beats = path.beats
    gap = np.diff(beats, append=2 * beats[-1] - beats[-2])
    # Across a phase jump the gap is no beat.
    typical = float(np.median(gap))
    gap = np.where((gap > 1.3 * typical) | (gap < 0.7 * typical), typical, gap)
    return np.stack([beats, beats + gap / 2], axis=1).ravel(), np.repeat(path.pieces, 2)


def _sums(features: Features, times_s: Floats, bands: tuple[int, int] = (0, 126), group: int = MEL_GROUP) -> Floats:
    """(n + 1, bands) running sum over points of the mean mel level in dB / 10, groups of bands averaged."""
    n_bands = (bands[1] - bands[0]) // group
    edges = np.clip(np.rint(np.append(times_s, 2 * times_s[-1] - times_s[-2]) * features.mel_rate_hz), 0, None)
    edges = np.minimum(edges.astype(np.int64), len(features.mel))
    levels = np.zeros((len(times_s), n_bands))
    # A few thousand half beats at a time: the float64 copy of a long mel would be large.
    for start in range(0, len(times_s), 2048):
        stop = min(start + 2048, len(times_s))
        low, high = edges[start], edges[stop]
        part = features.mel[low:high, bands[0] : bands[0] + n_bands * group].astype(np.float32)
        part = part.reshape(-1, n_bands, group).mean(axis=2)
        total = np.concatenate([np.zeros((1, n_bands)), np.cumsum(part, axis=0, dtype=np.float64)])
        a, b = edges[start:stop] - low, edges[start + 1 : stop + 1] - low
        levels[start:stop] = (total[b] - total[a]) / np.maximum(b - a, 1)[:, None]
    levels = np.maximum(levels, -60.0) / 10.0
    return np.concatenate([np.zeros((1, n_bands)), np.cumsum(levels, axis=0)])


def _change(sums: Floats, widths: tuple[int, ...], per_bar: int) -> Floats:
    """(n,) mean change of the sound across each point, over windows of some points before and after.

    Args:
        sums: (n + 1, bands) running sum of levels.
        widths: Window lengths in points.
        per_bar: Points per bar.
    """
    count = len(sums) - 1
    result = np.zeros(count)
    for width in widths:
        if count < 2 * width + 1:
            continue
        middle = np.arange(width, count - width + 1)
        after = (sums[middle + width] - sums[middle]) / width
        before = (sums[middle] - sums[middle - width]) / width
        change = np.zeros(count + 1)
        change[middle] = np.abs(after - before).mean(axis=1)
        change = change[:count]
        spread = np.sqrt(moving_mean(change**2, 64 * per_bar)) + 1e-3
        result += change / spread / len(widths)
    return result


def novelty(sums: Floats) -> Floats:
    """(h,) how much the sound changes at each half beat, peaks only, about 0..9; whole bars only, see above."""
    result = _change(sums, tuple(bars * STATES for bars in NOVELTY_BARS), STATES)
    left, right = np.roll(result, 1), np.roll(result, -1)
    peak = (result > left) & (result >= right)
    clipped: Floats = np.where(peak, np.minimum(result, NOVELTY_CLIP), 0.0)
    return clipped * clipped


def phrase_votes(sums: Floats) -> Floats:
    """(b,) how much more the sound changes at a beat than at the same place of the bars around it.

    Windows shorter than a bar place a change sharply but also see the pattern of the bar; what repeats from bar to
    bar is taken out, so that only the ends of phrases are left.
    """
    count = len(sums) - 1
    change = _change(sums, PHRASE_WINDOWS, BEATS_PER_BAR)
    change -= moving_mean(change, 2 * BEATS_PER_BAR + 1)
    padded = np.pad(change, (0, -count % BEATS_PER_BAR)).reshape(-1, BEATS_PER_BAR)
    padded = padded - moving_mean(padded, PHRASE_CONTEXT_BARS)
    return np.clip(padded.ravel()[:count], VOTE_LEAST, VOTE_MOST)


def _peak_at(strength: NDArray[np.floating], times_s: Floats, rate_hz: float) -> Floats:
    """Greatest strength within 25 ms of each time."""
    frames = np.rint(times_s * rate_hz).astype(np.int64)[:, None] + np.arange(-4, 5)
    peak: Floats = strength[np.clip(frames, 0, len(strength) - 1)].max(axis=1).astype(np.float64)
    return peak


def _pulse_at(features: Features, times_s: Floats) -> Floats:
    """Strength of the kick's body at each time: unlike its click it is heard under a full arrangement too."""
    pulse = features.envelopes[:, ENVELOPE_NAMES.index("kick")]
    slots = np.rint(times_s * ENVELOPE_RATE_HZ).astype(np.int64)[:, None] + np.arange(-3, 4)
    peak: Floats = pulse[np.clip(slots, 0, len(pulse) - 1)].max(axis=1).astype(np.float64)
    return peak


def _kick_at(features: Features, times_s: Floats) -> Floats:
    """How strong a kick is heard at each time: its body tells it from a hat, its click from a chord."""
    return 2.0 * _pulse_at(features, times_s) + _peak_at(kick_strength(features.onset), times_s, features.onset_rate_hz)


def _shortest(gain: Floats, costs: Floats, free: NDArray[np.bool_] | None = None) -> NDArray[np.int64]:
    """Viterbi path of greatest gain.

    Args:
        gain: (t, states).
        costs: (states, states), price of going from [i] to [j] on arriving at a step.
        free: (t,) True at steps that any state may be reached from at ``FREE`` of the price.
    """
    count, states = gain.shape
    back = np.zeros((count, states), np.int16)
    total = gain[0].copy()
    own = np.arange(states)
    for step in range(1, count):
        price = FREE * costs if free is not None and free[step] else costs
        reached = total[:, None] - price
        source = reached.argmax(axis=0)
        back[step] = source
        total = reached[source, own] + gain[step]
        total -= total.max()
    path = np.zeros(count, np.int64)
    path[-1] = int(total.argmax())
    for step in range(count - 1, 0, -1):
        path[step - 1] = back[step, path[step]]
    return path


def _contrast(strength: Floats, width: int) -> Floats:
    """(h,) -1..1: how much more of something is heard on even half beats than on odd ones, around each."""
    even = np.arange(len(strength)) % 2 == 0
    on, off = moving_mean(strength * even, width), moving_mean(strength * ~even, width)
    level = float(np.percentile(np.maximum(on, off), 75)) + 1e-6
    return (on - off) / (on + off + 0.25 * level)


def _parity(kick: Floats, snare: Floats, hat: Floats, votes: Floats, pieces: NDArray[np.int64]) -> NDArray[np.int64]:
    """(h,) 0 where the even half beats are the beats, 1 where the odd ones are.

    The kick decides where it is alone on the beat; where an off-beat bass or hat imitates it, the other stretches
    of the same piece decide. Snares come on beats and open hats between them, so what the one has more than the other
    counts in broken rhythms; and sections change on beats.
    """
    even = np.arange(len(kick)) % 2 == 0
    lean = KICK_WEIGHT * _contrast(kick, STATES) ** 3
    lean += SNARE_WEIGHT * (_contrast(snare, 2 * STATES) - _contrast(hat, 2 * STATES))
    lean = lean / STATES + CHANGE_WEIGHT * np.where(even, votes, -votes)
    gain = np.stack([lean, -lean], axis=1) / 2
    costs = np.array([[0.0, PARITY_COST], [PARITY_COST, 0.0]])
    return _shortest(gain, costs, np.diff(pieces, prepend=pieces[0]) != 0)


def _returns(kick: Floats) -> Floats:
    """(b,) 0..1 where the kick comes back: absent on the beat before, present on the next four."""
    level = np.percentile(kick, 75) + 1e-6
    heard = np.clip(kick / level * 2.0 - 0.5, 0.0, 1.0)
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
    loud = features.mel.astype(np.float32, copy=False)[: int(60 * features.mel_rate_hz)].max(axis=1)
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


def _harmony_changes(sums: Floats) -> Floats:
    """(b,) nats for the harmony changing at each beat: bars before and after compared as wholes.

    A pattern that repeats with the bar cancels in windows of a bar; chords, which mostly change with it, do not.
    """
    count = len(sums) - 1
    change = np.zeros(count)
    middle = np.arange(BEATS_PER_BAR, max(BEATS_PER_BAR, count - BEATS_PER_BAR))
    step = sums[middle + BEATS_PER_BAR] - 2.0 * sums[middle] + sums[middle - BEATS_PER_BAR]
    change[middle] = np.abs(step).mean(axis=1) / BEATS_PER_BAR
    change = change / (moving_mean(change, 16 * BEATS_PER_BAR) + HARMONY_FLOOR)
    change -= moving_mean(change, BEATS_PER_BAR)
    return HARMONY_NATS * (change + HARMONY_LATE * np.append(change[1:], 0.0))


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


def find_downbeats(features: Features, path: BeatPath) -> Downbeats:
    """Settle the half beat, then the place in an eight-bar phrase, and read the downbeats off it."""
    times_s, pieces = half_beats(path)
    times_s, pieces = bridge_breaks(times_s, pieces, _kick_at(features, times_s))
    votes = novelty(_sums(features, times_s))
    snare, hat = (
        _peak_at(band, times_s, features.onset_rate_hz)
        for band in (features.onset[:, SNARE_BANDS].sum(axis=1, dtype=np.float32), features.onset[:, HAT_BAND])
    )
    parity = _parity(_kick_at(features, times_s), snare, hat, votes, pieces)
    chosen = np.arange(len(times_s)) % 2 == parity
    # Where parity changes two chosen half beats may touch, or leave a gap; the bars are mended later.
    beats_s, beat_pieces = times_s[chosen], pieces[chosen]
    count = len(beats_s)
    sums = _sums(features, beats_s)
    section = _sections_begin(phrase_votes(sums), 10.0 * np.diff(sums, axis=0).max(axis=1))
    heard = np.clip((_returns(_pulse_at(features, beats_s)) - RETURN_LEAST) / RETURN_RANGE, 0.0, 1.0)
    section += RETURN_NATS * heard + ENTRY_NATS * _entry(features, beats_s)
    gain = _phrase_gain(section, _harmony_changes(_sums(features, beats_s, HARMONY_BANDS, 1)))
    # After a cut the bar owes nothing to the bar before it.
    phase = _shortest(gain, _costs(), np.diff(beat_pieces, prepend=beat_pieces[:1]) != 0)
    margin = _margin(gain, phase)
    down = (np.arange(count) - phase) % BEATS_PER_BAR == 0
    return Downbeats(beats_s[down], margin[down], beats_s, phase, beat_pieces, down)


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


def bar_votes(sums: Floats) -> Floats:
    """(n_bars,) 0..2: how much more the sound changes at a bar line than at those around it."""
    votes = _change(sums, (1, 2, 4, 8), 1)
    return np.clip(votes - moving_mean(votes, 9), 0.0, VOTE_MOST)


def phrase_path(sums: Floats, bars: int) -> NDArray[np.int64]:
    """Phase of the phrase when points are bars.

    Args:
        sums: (n_bars + 1, bands) running sum of levels.
        bars: Bars per phrase.

    Returns:
        (n_bars,) phase 0..bars - 1; the bars whose index is equal to it modulo ``bars`` begin a phrase there.
    """
    count = len(sums) - 1
    votes = bar_votes(sums)
    gain = np.zeros((count, bars))
    gain[np.arange(count), np.arange(count) % bars] = votes
    return _shortest(gain, np.where(np.eye(bars, dtype=bool), 0.0, PHRASE_COST))
