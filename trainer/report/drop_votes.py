"""Whole tracks by votes that know where the drops are, from what a run says of itself. Zone: trainer (torch)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engine.predictions import Predictions
from ..systems.voting import fit_weights, inside_drops, vote

Card = Mapping[str, Any]


def inside_of(card: Card, said: Predictions) -> NDArray[np.bool_] | None:
    """(n,) whether each piece lies in a drop of its track.

    Args:
        card: run.json: ``window_s``, the length of a piece, and ``drops_s``, track -> (start, end) in seconds.
        said: n pieces of that run.

    Returns:
        None where the run knows no drops.
    """
    window_s, drops_s = card.get("window_s"), card.get("drops_s")
    if not window_s or not drops_s:
        return None
    spans = {name: tuple((float(start), float(end)) for start, end in found) for name, found in drops_s.items()}
    return inside_drops(said, spans, float(window_s))


def drop_weighted(cards: Sequence[Card], said: Sequence[Predictions]) -> list[Predictions]:
    """One row per track and run: pieces outside of the drops count a quarter.

    Args:
        cards: run.json of each run.
        said: Of the same part, in the same order.

    Returns:
        Nothing where a run has no pieces on both sides: all would count the same.
    """
    voted = []
    for card, one in zip(cards, said, strict=True):
        inside = inside_of(card, one)
        if inside is None or inside.all() or not inside.any():
            return []
        voted.append(vote(one, "drop-weighted", inside))
    return voted


def learned(cards: Sequence[Card], val: Sequence[Predictions], test: Sequence[Predictions]) -> list[Predictions]:
    """One row per track of the test and run: how much a piece counts was learned on the validation.

    Args:
        cards: run.json of each run.
        val: What it says of the validation part, in the same order.
        test: Likewise.

    Returns:
        Nothing where the parts share tracks, or a run has nothing to learn from.
    """
    voted = []
    for card, one, other in zip(cards, val, test, strict=True):
        if not len(other.track) or not (one.said >= 0).any() or set(one.track) & set(other.track):
            return []
        weights = fit_weights(one, inside_of(card, one))
        voted.append(vote(other, "learned", inside_of(card, other), weights))
    return voted
