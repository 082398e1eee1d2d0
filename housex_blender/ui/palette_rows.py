"""Three colour pickers and a character for every sub-genre: from a look into the panel and back. Zone: ui; no bpy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.genres import GENRES
from ..core.looks import Palettes, load_palettes
from ..core.looks import palettes_of as named_palettes
from ..core.manners import CHARACTERS, DEFAULT_CHARACTERS

OWN = "OWN"
SLOT_NAMES = ("colour_a", "colour_b", "colour_c")
_NEUTRAL_RGB = (0.2, 0.25, 0.35)
# settings whose pickers are being filled in: each of them reports a change
_FILLING: set[int] = set()


@lru_cache(maxsize=8)
def _shipped(name: str) -> Palettes:
    return load_palettes(name)


def fill(settings: Any) -> None:
    """Put the chosen palette's colours into the pickers; those that somebody changed stay."""
    if settings.palette != OWN:
        fill_from(settings, _shipped(settings.palette))


def fill_from(settings: Any, palettes: Palettes) -> None:
    """Put a palette's colours into the pickers, one row per sub-genre."""
    genres = [*GENRES, *(name for name in palettes.colours if name not in GENRES)]
    key = settings.as_pointer()
    _FILLING.add(key)
    try:
        for genre, colours in zip(genres, palettes.linear_rgb(genres), strict=True):
            row = row_of(settings, genre)
            for slot, rgb in zip(SLOT_NAMES, colours, strict=True):
                setattr(row, slot, rgb)
    finally:
        _FILLING.discard(key)


def row_of(settings: Any, genre: str) -> Any:
    """The row of a sub-genre, added if it is missing; one without a character gets that of its sub-genre."""
    row = settings.colours.get(genre)
    if row is None:
        row = settings.colours.add()
        row.name = genre
    if not row.is_property_set("character"):  # new, or of a file from before there were characters
        row.character = DEFAULT_CHARACTERS.get(genre, CHARACTERS[0])
    return row


def fill_characters(settings: Any, characters: Mapping[str, str]) -> None:
    """Put the characters of a look into the panel."""
    for genre, character in characters.items():
        row_of(settings, genre).character = character


def characters_of(settings: Any) -> dict[str, str]:
    """Sub-genre -> its character, as the panel shows it."""
    return {row.name: row.character for row in settings.colours if row.is_property_set("character")}


def note_change(settings: Any) -> bool:
    """A picker was moved by hand: what it shows is a palette of its own from now on; False while they are filled in."""
    if settings.as_pointer() in _FILLING:
        return False
    settings.palette = OWN
    return True


def palettes_of(settings: Any) -> Palettes:
    """The palette as the panel shows it."""
    if settings.palette != OWN:
        return _shipped(settings.palette)
    rows = {row.name: [getattr(row, slot) for slot in SLOT_NAMES] for row in settings.colours}
    return named_palettes("My Colors", rows)


def colours_of(settings: Any, genres: Sequence[str]) -> NDArray[np.float64]:
    """(len(genres), 3, 3) linear RGB in the pickers, without a look at the disk: for drawing."""
    rows = [settings.colours.get(genre) for genre in genres]
    return np.array([[getattr(row, slot) if row is not None else _NEUTRAL_RGB for slot in SLOT_NAMES] for row in rows])
