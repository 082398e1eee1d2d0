"""Titles of a film, from a tracklist or from the timeline itself. Zone: pure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..core.timeline import Timeline
from ..core.titles import TitleCard, left_out, title_cards
from .reading import read


@dataclass(frozen=True)
class TitleList:
    """What stands in the picture, and what was wanted in vain.

    Attributes:
        cards: In order; empty if there are no titles.
        missing: A sentence on names that are not shown, or on why there are none at all; empty if all are.
        messages: Sentences on lines of the tracklist that hold no title.
    """

    cards: tuple[TitleCard, ...]
    missing: str
    messages: tuple[str, ...] = ()


def read_titles(timeline: Timeline, fps: float, tracklist: Path | None = None, first_frame: int = 1) -> TitleList:
    """The titles of a film.

    Args:
        timeline: Tracks and bars; its edits are applied here.
        fps: Frames per second of the scene.
        tracklist: File with times and titles; None takes the titles of the timeline.
        first_frame: Frame at which the mix begins.

    Raises:
        ExchangeError: The tracklist cannot be read.
    """
    listed, messages, where = None, [], "The timeline"
    if tracklist is not None:
        imported = read(tracklist, timeline.mix.file)
        listed, where = imported.tracks, tracklist.name
        messages = [f"{where}: {text}" for text in imported.messages]
    cards = title_cards(timeline, fps, listed, first_frame)
    missing = left_out(timeline, listed, cards)
    if not cards:
        missing = missing or f"{where} has no track titles."
    return TitleList(cards, missing, tuple(messages))
