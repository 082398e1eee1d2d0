"""Which genres the look of each bar follows, and the channels made of that: colours, probabilities. Zone: pure.

Doubt never paints a random colour, and where two records overlap the look passes from one to the other, a step on
every downbeat, for as long as the DJ lets both play.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from .looks import Look
from .show_times import Clock, Floats, Marks, Tracks, bar_steps, steps
from .timeline import Timeline

COLOURS = ("colour_a", "colour_b", "colour_c")
# as much as the name of a custom property may have
_MOST_NAME_BYTES = 63
# nine palettes mixed by their chances are grey: what is twice as likely counts eight times as much
_CLEARER = 3.0


def genre_channel(genre: str) -> str:
    """Channel name of a genre's probability, where no other genre has the same: ``p_future_house``."""
    name = "p_" + "".join(c if c.isalnum() else "_" for c in genre.lower())
    return name.encode()[:_MOST_NAME_BYTES].decode(errors="ignore")


def genre_channels(genres: Sequence[str]) -> list[str]:
    """Channel name of every genre's probability; of names that would be one, all but the first carry a number."""
    names: list[str] = []
    for genre in genres:
        name, count = genre_channel(genre), 1
        while name in names:
            count += 1
            end = f"_{count}"
            name = genre_channel(genre).encode()[: _MOST_NAME_BYTES - len(end)].decode(errors="ignore") + end
        names.append(name)
    return names


def overlaps(timeline: Timeline) -> list[tuple[int, int]]:
    """(first bar, one past the last) in which two records are heard, in order; none where they do not overlap.

    From where the next record is first heard to where the one before is last heard; an end that nobody knows is
    where the next one takes over.
    """
    spans = []
    for old, new in pairwise(timeline.tracks):
        first = new.start_bar if new.fade_in_bar is None else new.fade_in_bar
        end = old.end_bar if old.fade_out_bar is None else old.fade_out_bar
        if first < end:
            spans.append((first, end))
    return spans


def trusted_probs(timeline: Timeline) -> Floats:
    """(n_bars, G) probabilities the look follows.

    Uncertain bars take those of the nearest certain bar of their record, before them if there is one; a record
    that nobody is certain about gets one steady mixture. Overlaps pass from one record's to the next one's, except
    in bars that were set by hand.
    """
    result = _calm_probs(timeline)
    by_hand = np.zeros(len(result), bool) if timeline.by_hand is None else timeline.by_hand
    weights = clear_weights(result)
    for first, end in overlaps(timeline):
        before, after = weights[max(first - 1, 0)], weights[min(end, len(weights) - 1)]
        part = (np.arange(end - first) + 1.0)[:, None] / (end - first + 1.0)
        bars = np.arange(first, end)[~by_hand[first:end]]
        weights[bars] = ((1.0 - part) * before + part * after)[bars - first]
        mixed = weights[bars] ** (1.0 / _CLEARER)
        result[bars] = mixed / mixed.sum(axis=1, keepdims=True)
    return result


def clear_weights(probs: Floats) -> Floats:
    """(n_bars, G) how much each genre counts for the look; rows sum to 1."""
    raised = np.asarray(probs, dtype=np.float64) ** _CLEARER
    return np.asarray(raised / np.maximum(raised.sum(axis=1, keepdims=True), 1e-12))


def _calm_probs(timeline: Timeline) -> Floats:
    """(n_bars, G) probabilities without the doubtful ones."""
    probs = np.array(timeline.probs, dtype=np.float64)
    own = np.ones(len(probs), bool)
    for first, end in overlaps(timeline):
        # two records at once say little about either
        own[first:end] = False
    certain = ~np.asarray(timeline.uncertain, bool)
    edges = sorted({0, *(track.start_bar for track in timeline.tracks), len(probs)})
    for start, end in pairwise(edges):
        part = slice(start, end)
        probs[part] = _calm_record(probs[part], certain[part], own[part])
    return probs


def _calm_record(probs: Floats, certain: Marks, own: Marks) -> Floats:
    """(n, G) probabilities of one record's bars, of which some are certain and some it has for itself."""
    known = np.flatnonzero(certain & own)
    if not len(known):
        typical = probs[own] if own.any() else probs
        return np.where(certain[:, None], probs, typical.mean(axis=0))
    before = np.searchsorted(known, np.arange(len(probs)), side="right") - 1
    return np.where(certain[:, None], probs, probs[known[np.maximum(before, 0)]])


def mix_tracks(timeline: Timeline, look: Look, weights: Floats, clock: Clock) -> Tracks:
    """The three colours and every genre's probability, each changing on the downbeat's frame.

    Args:
        timeline: With its edits applied.
        look: Its palettes.
        weights: (n_bars, G) how much each genre counts.
        clock: Of the scene.
    """
    frames = clock.on(timeline.grid.starts_s)
    mixed = look.palettes.mix(timeline.model.genres, weights)
    tracks = {name: steps(frames, mixed[:, slot], clock.first_frame) for slot, name in enumerate(COLOURS)}
    for column, name in enumerate(genre_channels(timeline.model.genres)):
        tracks[name] = bar_steps(timeline, timeline.probs[:, column], clock)
    return tracks
