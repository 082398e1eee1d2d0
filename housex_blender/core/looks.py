"""Palettes of the genres and how they mix in linear light. Zone: pure."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .errors import LookError
from .files import write_text_atomic
from .genres import GENRES, canonical

PRESETS = Path(__file__).resolve().parent.parent / "presets"
SLOTS = 3
_HEX = re.compile(r"#[0-9a-fA-F]{6}")


def srgb_to_linear(srgb: NDArray[np.floating] | Sequence[float]) -> NDArray[np.float64]:
    """Linear light (0..1, any shape) of sRGB-encoded values (0..1); IEC 61966-2-1."""
    value = np.asarray(srgb, dtype=np.float64)
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def linear_to_srgb(linear_rgb: NDArray[np.floating] | Sequence[float]) -> NDArray[np.float64]:
    """sRGB-encoded values (0..1, any shape) of linear light; the inverse of :func:`srgb_to_linear`."""
    value = np.clip(np.asarray(linear_rgb, dtype=np.float64), 0.0, None)
    return np.where(value <= 0.0031308, value * 12.92, 1.055 * value ** (1 / 2.4) - 0.055)


def hex_to_linear(text: str) -> NDArray[np.float64]:
    """(3,) linear RGB of ``#rrggbb``.

    Raises:
        LookError: The text is not six hexadecimal digits after a ``#``.
    """
    if not isinstance(text, str) or not _HEX.fullmatch(text):
        raise LookError(f"{text!r} is not a colour.", "Write colours as #rrggbb, for example #0000ff.")
    return srgb_to_linear([int(text[i : i + 2], 16) / 255 for i in (1, 3, 5)])


def linear_to_hex(linear_rgb: NDArray[np.floating] | Sequence[float]) -> str:
    """``#rrggbb`` of a linear colour, clipped to what a screen shows."""
    levels = np.clip(np.round(linear_to_srgb(linear_rgb) * 255), 0, 255).astype(int)
    return "#" + "".join(f"{level:02x}" for level in levels)


@dataclass(frozen=True)
class Palettes:
    """Three colours for each genre.

    Attributes:
        name: What the user sees.
        colours: Genre name -> three ``#rrggbb`` texts: main light, second light, ambience.
    """

    name: str
    colours: Mapping[str, tuple[str, str, str]]

    def linear_rgb(self, genres: Sequence[str]) -> NDArray[np.float64]:
        """(len(genres), 3 slots, 3) linear RGB; a genre the palettes do not know gets a neutral grey-blue."""
        rows = [self.colours.get(genre, ("#8090b0", "#506080", "#303848")) for genre in genres]
        return np.array([[hex_to_linear(text) for text in row] for row in rows])

    def mix(self, genres: Sequence[str], probs: NDArray[np.floating]) -> NDArray[np.float64]:
        """Colours of each bar: the genres' palettes weighted by probability, in linear light.

        Args:
            genres: G names.
            probs: (n_bars, G); rows are normalised to sum to 1.

        Returns:
            (n_bars, 3 slots, 3) linear RGB.
        """
        weights = np.asarray(probs, dtype=np.float64)
        weights = weights / np.maximum(weights.sum(axis=1, keepdims=True), 1e-12)
        return np.einsum("bg,gsc->bsc", weights, self.linear_rgb(genres))

    def save(self, path: Path) -> None:
        """Write the palettes as JSON (temporary name first)."""
        body = {"schema": 1, "name": self.name, "genres": {k: list(v) for k, v in self.colours.items()}}
        write_text_atomic(path, json.dumps(body, indent=2, ensure_ascii=False) + "\n")


def _parse_palettes(data: object, origin: str) -> Palettes:
    if not isinstance(data, dict) or data.get("schema") != 1 or not isinstance(data.get("genres"), dict):
        raise LookError(f"{origin} is not a palette file of schema 1.", "Save one from the panel and edit that.")
    colours: dict[str, tuple[str, str, str]] = {}
    for genre, row in data["genres"].items():
        if not isinstance(row, list) or len(row) != SLOTS:
            raise LookError(f"{origin}: {genre} does not have three colours.", "Give exactly three #rrggbb texts.")
        for text in row:
            hex_to_linear(text)
        colours[canonical(genre)] = (row[0], row[1], row[2])
    return Palettes(str(data.get("name", origin)), colours)


def palette_names() -> list[str]:
    """Names of the palettes that ship, default first."""
    return sorted((path.stem for path in (PRESETS / "palettes").glob("*.json")), key=lambda n: (n != "house", n))


def load_palettes(name_or_path: str = "house") -> Palettes:
    """Palettes that ship under a name, or from a JSON file; missing genres come from the default.

    Raises:
        LookError: No such name or file, or the file is not valid.
    """
    path = PRESETS / "palettes" / f"{name_or_path}.json"
    if not os.path.isfile(path):
        path = Path(name_or_path)
    if not os.path.isfile(path):  # not Path.is_file, which raises for a name that is too long
        known = ", ".join(palette_names())
        raise LookError(f"There is no palette {name_or_path!r}.", f"Name a JSON file or one of: {known}.")
    try:
        palettes = _parse_palettes(json.loads(path.read_text(encoding="utf-8")), path.name)
    except (OSError, ValueError, RecursionError) as error:
        raise LookError(
            f"{path.name} cannot be read as a palette.", "Write it as JSON, like the ones that ship."
        ) from error
    if set(GENRES) <= set(palettes.colours):
        return palettes
    return Palettes(palettes.name, {**load_palettes("house").colours, **palettes.colours})


@dataclass(frozen=True)
class Look:
    """How strongly the show follows the music.

    Attributes:
        palettes: Colours per genre.
        intensity: Factor on every light, 0..4.
        displacement: Factor on the movement of the walls, 0..4.
        speed: Factor on the camera's speed, 0..4.
        attack_ms: Time in which an envelope rises.
        release_ms: Time in which an envelope falls.
        seed: Chooses among variations of the camera's sway.
    """

    palettes: Palettes = field(default_factory=load_palettes)
    intensity: float = 1.0
    displacement: float = 1.0
    speed: float = 1.0
    attack_ms: float = 10.0
    release_ms: float = 180.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name, low, high in (("intensity", 0, 4), ("displacement", 0, 4), ("speed", 0, 4)):
            if not low <= getattr(self, name) <= high:
                raise LookError(f"The look's {name} is {getattr(self, name)}.", f"Choose {low} to {high}.")
        for name in ("attack_ms", "release_ms"):
            if not 0 <= getattr(self, name) <= 10_000:
                raise LookError(f"The look's {name} is {getattr(self, name)}.", "Choose 0 to 10000 milliseconds.")
