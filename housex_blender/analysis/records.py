"""Sub-genres and form of a mix, each heard with the help of the other. Zone: analysis."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .backends import Backend
from .classify import BarGenres, classify, settle, smooth
from .features import Features
from .grid import GridResult
from .model_folder import ModelFolder, PieceFolder
from .structure import Structure, analyse_structure, bar_levels


@dataclass(frozen=True)
class Published:
    """What a published network says of the bars, in place of the genres of the model that hears bars.

    Attributes:
        model: Its card.
        raw: (n_bars, G) its probabilities.
    """

    model: PieceFolder
    raw: NDArray[np.float32]


def hear_records(
    features: Features,
    result: GridResult,
    model: ModelFolder,
    backend: Backend,
    drop_rule: str = "sliding",
    on_stage: Callable[[str], None] = lambda _: None,
    published: Published | None = None,
) -> tuple[BarGenres, Structure]:
    """Sub-genre of every bar, tracks, sections and drops.

    The tempo helps to tell sub-genres apart, but in a mix records are matched to each other's: it is told to the
    network only where the file turns out to hold a single record.

    Args:
        features: What was measured.
        result: Its bars.
        model: The model's card.
        backend: Where the network runs.
        drop_rule: As for :func:`analyse_structure`.
        on_stage: Called with what is done next, for people.
        published: Whose genres to take; tracks, sections, drops and attributes are still heard by ``model``.
    """
    on_stage("Hearing sub-genres")
    grid = result.grid
    levels = bar_levels(features, grid)
    genres = classify(features, grid, model, backend, tempo_told=False)
    on_stage("Finding drops and track changes")
    # which genre is likeliest tells tracks apart; how sure that is matters only to those who read it
    probs = smooth(genres.raw, genres.change, model.smoothing.evidence)
    structure = analyse_structure(
        features, grid, probs, beat_heard=result.confidence > 0.0, levels=levels, drop_rule=drop_rule
    )
    if len(structure.tracks) == 1 and result.confidence > 0.0:
        genres = classify(features, grid, model, backend, tempo_told=True)
    track_starts = [start for start, _ in structure.tracks]
    if published is not None:
        return settle(replace(genres, raw=published.raw), track_starts, published.model), structure
    return settle(genres, track_starts, model), structure
