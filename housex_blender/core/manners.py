"""How walls move and how a camera behaves: characters of displacement, tempers of a camera. Zone: pure; data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .errors import LookError
from .genres import canonical

# smooth swells, angular shards, a fragmented grid, heavy slow slabs, pulsing ribs
CHARACTERS = ("swell", "shards", "grid", "slabs", "ribs")
DEFAULT_CHARACTERS: dict[str, str] = {
    "Future House": "grid",
    "Bass House": "shards",
    "Progressive House": "swell",
    "Melodic House": "swell",
    "Tech House": "shards",
    "Deep House": "swell",
    "Bigroom": "slabs",
    "Future Rave": "ribs",
    "Slap House": "slabs",
}
_UNKNOWN = "swell"


@dataclass(frozen=True)
class Temper:
    """What a camera does with its time.

    Attributes:
        cut_bars: Bars between two cuts inside a long section; breaks take twice as many.
        roll: Factor on how far it leans.
        drift: How far it drifts during a shot, 0..1.
        speed: Factor on its speed.
    """

    cut_bars: int
    roll: float
    drift: float
    speed: float


TEMPERS: dict[str, Temper] = {
    "steady": Temper(cut_bars=16, roll=0.35, drift=0.5, speed=0.85),
    "smooth": Temper(cut_bars=8, roll=1.0, drift=0.8, speed=1.0),
    "restless": Temper(cut_bars=4, roll=1.6, drift=1.0, speed=1.15),
}
CAMERAS = tuple(TEMPERS)
DEFAULT_CAMERA = "smooth"


def checked_characters(characters: object, origin: str) -> dict[str, str]:
    """Genre -> character, completed with the defaults; other spellings of a genre are understood.

    Args:
        characters: What a file or a caller gave.
        origin: What to call it in messages.

    Raises:
        LookError: It is no mapping, or names a character that does not exist.
    """
    known = ", ".join(CHARACTERS)
    if not isinstance(characters, Mapping):
        raise LookError(f"{origin} has characters that name no genres.", f"Give each genre one of: {known}.")
    result = dict(DEFAULT_CHARACTERS)
    for genre, character in characters.items():
        if character not in CHARACTERS or not isinstance(genre, str):
            raise LookError(f"{origin} gives {genre} the character {character!r}.", f"Choose one of: {known}.")
        result[canonical(genre)] = character
    return result


def character_shares(
    characters: Mapping[str, str], genres: Sequence[str], weights: NDArray[np.floating]
) -> NDArray[np.float64]:
    """(n_bars, 5) part of each character in each bar, in the order of CHARACTERS; rows sum to those of the weights.

    Args:
        characters: Genre -> character; a genre that is not there moves as smooth swells.
        genres: G names.
        weights: (n_bars, G) how much of each genre a bar is.
    """
    table = np.zeros((len(genres), len(CHARACTERS)))
    for row, genre in enumerate(genres):
        table[row, CHARACTERS.index(characters.get(genre, _UNKNOWN))] = 1.0
    return np.asarray(weights, dtype=np.float64) @ table
