"""Palettes of the genres, how they mix in linear light, and looks: a palette with its manners. Zone: pure."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import LookError
from .files import read_json, write_text_atomic
from .genres import GENRES, canonical
from .manners import CAMERAS as CAMERAS
from .manners import CHARACTERS as CHARACTERS
from .manners import DEFAULT_CAMERA, DEFAULT_CHARACTERS, checked_characters

PRESETS = Path(__file__).resolve().parent.parent / "presets"
LOOK_ENDING = ".housexlook.json"
SLOTS = 3
SCHEMA = 1
MAX_SEED = 2**31 - 1
_MAX_NAME = 100
_MAX_FILE_BYTES = 1_000_000
_FACTOR, _MILLISECONDS = (0.0, 4.0), (0.0, 10_000.0)
_RANGES = {
    "intensity": _FACTOR,
    "displacement": _FACTOR,
    "speed": _FACTOR,
    "attack_ms": _MILLISECONDS,
    "release_ms": _MILLISECONDS,
}
Triple = tuple[str, str, str]
# Rec. 709 weights of linear light
LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
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
        write_text_atomic(path, _json({"schema": SCHEMA, **self.to_dict()}))

    def to_dict(self) -> dict[str, Any]:
        """Name, and genre -> three ``#rrggbb``, as they stand in a file."""
        return {"name": self.name, "genres": {genre: list(row) for genre, row in self.colours.items()}}


def palettes_of(name: str, rows: Mapping[str, Any]) -> Palettes:
    """Palettes out of linear colours, such as those of a panel; what came from ``#rrggbb`` is that again.

    Args:
        name: What the user sees.
        rows: Genre -> (3 slots, 3) linear RGB; what no screen shows is clipped.

    Raises:
        LookError: A genre does not have three colours of three numbers.
    """
    colours: dict[str, tuple[str, str, str]] = {}
    for genre, row in rows.items():
        try:
            linear_rgb = np.array([[float(part) for part in colour] for colour in row])
        except (TypeError, ValueError):
            linear_rgb = np.zeros(0)
        if linear_rgb.shape != (SLOTS, 3) or not np.isfinite(linear_rgb).all():
            raise LookError(f"{genre} does not have three colours.", "Give red, green and blue three times.")
        first, second, third = (linear_to_hex(colour) for colour in linear_rgb)
        colours[canonical(genre)] = (first, second, third)
    return Palettes(name, colours)


def _json(body: dict[str, Any]) -> str:
    """JSON with one genre on each line."""
    text = json.dumps(body, indent=2, ensure_ascii=False)
    return re.sub(r'\[\s+("#\w+"),\s+("#\w+"),\s+("#\w+")\s+\]', r"[\1, \2, \3]", text) + "\n"


def _parse_palettes(data: object, origin: str) -> Palettes:
    if not isinstance(data, dict) or not isinstance(data.get("genres"), dict):
        raise LookError(f"{origin} holds no palette.", "Save one from the panel and edit that.")
    colours: dict[str, tuple[str, str, str]] = {}
    for genre, row in data["genres"].items():
        if not isinstance(row, list) or len(row) != SLOTS:
            raise LookError(f"{origin}: {genre} does not have three colours.", "Give exactly three #rrggbb texts.")
        for text in row:
            try:
                hex_to_linear(text)
            except LookError as error:
                raise LookError(f"{origin}: {genre}: {error.message}", error.hint) from error
        colours[canonical(genre)] = (row[0], row[1], row[2])
    return Palettes(str(data.get("name", origin)), colours)


def _completed(palettes: Palettes) -> Palettes:
    """The palettes, with the default's for genres that they leave out."""
    if set(GENRES) <= set(palettes.colours):
        return palettes
    return Palettes(palettes.name, {**load_palettes("house").colours, **palettes.colours})


def _read(path: Path, thing: str) -> Any:
    """What a JSON file holds.

    Raises:
        LookError: It cannot be read, or is none.
    """
    try:
        if path.stat().st_size > _MAX_FILE_BYTES:
            raise LookError(f"{path.name} is too large for a {thing}.", "Choose another file.")
        return read_json(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise LookError(
            f"{path.name} cannot be read as a {thing}.", "Write it as JSON, like the ones that ship."
        ) from error


def _names(folder: str, ending: str) -> list[str]:
    """Names of the presets in a folder, default first."""
    names = (path.name.removesuffix(ending) for path in (PRESETS / folder).glob(f"*{ending}"))
    return sorted(names, key=lambda name: (name != "house", name))


def _preset_or_file(name_or_path: str, thing: str, ending: str, kind: str) -> Path:
    """The file of a preset in the folder of such things, or a file of the user's.

    Raises:
        LookError: There is neither.
    """
    for path in (PRESETS / f"{thing}s" / f"{name_or_path}{ending}", Path(name_or_path)):
        if os.path.isfile(path):  # not Path.is_file, which raises for a name that is too long
            return path
    known = ", ".join(_names(f"{thing}s", ending))
    raise LookError(f"There is no {thing} {name_or_path!r}.", f"Name a {kind} file or one of: {known}.")


def palette_names() -> list[str]:
    """Names of the palettes that ship, default first."""
    return _names("palettes", ".json")


def load_palettes(name_or_path: str = "house") -> Palettes:
    """Palettes that ship under a name, or from a JSON file; missing genres come from the default.

    Raises:
        LookError: No such name or file, or the file is not valid.
    """
    path = _preset_or_file(name_or_path, "palette", ".json", "JSON")
    data = _read(path, "palette")
    if not isinstance(data, dict) or data.get("schema") != SCHEMA or not isinstance(data.get("genres"), dict):
        raise LookError(f"{path.name} is not a palette file of schema 1.", "Save one from the panel and edit that.")
    return _completed(_parse_palettes(data, path.name))


@dataclass(frozen=True)
class Look:
    """How the show follows the music: colours, characters, camera, strengths.

    Attributes:
        palettes: Colours per genre.
        intensity: Factor on every light, 0..4.
        displacement: Factor on the movement of the walls, 0..4.
        speed: Factor on the camera's speed, 0..4.
        attack_ms: Time in which an envelope rises.
        release_ms: Time in which an envelope falls.
        seed: Chooses among variations of the camera's sway and shots, 0 to MAX_SEED.
        name: What the user sees; may be empty.
        characters: Genre -> how the walls move, one of CHARACTERS; genres that are left out move as by default.
        camera: Temper of the camera, one of CAMERAS.
    """

    palettes: Palettes = field(default_factory=load_palettes)
    intensity: float = 1.0
    displacement: float = 1.0
    speed: float = 1.0
    attack_ms: float = 10.0
    release_ms: float = 180.0
    seed: int = 0
    name: str = ""
    characters: Mapping[str, str] = field(default_factory=lambda: dict(DEFAULT_CHARACTERS))
    camera: str = DEFAULT_CAMERA

    def __post_init__(self) -> None:
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            if not _is_number(value) or not low <= value <= high:
                unit = " milliseconds" if name.endswith("_ms") else ""
                raise LookError(f"The look's {name} is {value!r}.", f"Choose {low:g} to {high:g}{unit}.")
        if not isinstance(self.seed, int) or isinstance(self.seed, bool) or not 0 <= self.seed <= MAX_SEED:
            raise LookError(f"The look's seed is {self.seed!r}.", f"Choose a whole number from 0 to {MAX_SEED}.")
        if not isinstance(self.name, str) or len(self.name) > _MAX_NAME or not self.name.isprintable():
            raise LookError("The look's name is no line of text.", f"Write {_MAX_NAME} letters at most.")
        object.__setattr__(self, "characters", checked_characters(self.characters, "The look"))
        if self.camera not in CAMERAS:
            raise LookError(f"The look's camera is {self.camera!r}.", f"Choose one of: {', '.join(CAMERAS)}.")

    def to_dict(self) -> dict[str, Any]:
        """The content of a look file."""
        strengths = {name: getattr(self, name) for name in (*_RANGES, "seed")}
        manners = {"camera": self.camera, "characters": dict(self.characters)}
        return {"schema": SCHEMA, "name": self.name, **strengths, **manners, "palettes": self.palettes.to_dict()}

    @classmethod
    def from_dict(cls, data: object, origin: str = "The look") -> Look:
        """The look that a file holds; what it leaves out is as in the default look.

        Args:
            data: As :meth:`to_dict` gives it; ``palettes`` may also be the name of a palette that ships.
            origin: What to call it in messages.

        Raises:
            LookError: It is of another schema, or a field is unknown, missing its type or out of range.
        """
        if not isinstance(data, dict) or data.get("schema") != SCHEMA:
            raise LookError(f"{origin} is not a look of schema {SCHEMA}.", "Save one from the panel and edit that.")
        known = ("name", *_RANGES, "seed", "camera", "characters", "palettes")
        for key in data.keys() - {"schema", *known}:
            raise LookError(f"{origin} has a field {key!r}, which no look has.", f"Choose of: {', '.join(known)}.")
        fields = {key: data[key] for key in known if key in data}
        palettes = fields.get("palettes", "house")
        if isinstance(palettes, str):
            if palettes not in palette_names():
                raise LookError(f"There is no palette {palettes!r}.", f"Choose of: {', '.join(palette_names())}.")
            return cls(**{**fields, "palettes": load_palettes(palettes)})
        return cls(**{**fields, "palettes": _completed(_parse_palettes(palettes, origin))})


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def unknown_genres(look: Look, genres: Sequence[str]) -> str:
    """A sentence on the genres that a look names in vain; empty if there are none.

    Args:
        look: It may hold colours and characters for any model's genres.
        genres: Those of the model that heard the mix.
    """
    known = dict.fromkeys([*genres, *GENRES])
    strange = [genre for genre in dict.fromkeys([*look.palettes.colours, *look.characters]) if genre not in known]
    if not strange:
        return ""
    return f"The look names {', '.join(strange)}, which nothing hears as a sub-genre; known are {', '.join(known)}."


def look_names() -> list[str]:
    """Names of the looks that ship, default first."""
    return _names("looks", LOOK_ENDING)


def load_look(name_or_path: str = "house") -> Look:
    """A look that ships under a name, or from a file; a palette file is a look with default strengths.

    Raises:
        LookError: No such name or file, or the file is not valid.
    """
    path = _preset_or_file(name_or_path, "look", LOOK_ENDING, LOOK_ENDING)
    data = _read(path, "look")
    if isinstance(data, dict) and "genres" in data:
        palettes = load_palettes(str(path))
        return Look(palettes, name=palettes.name[:_MAX_NAME] if palettes.name.isprintable() else "")
    return Look.from_dict(data, path.name)


def save_look(path: Path, look: Look) -> None:
    """Write a look, all its colours included, so that it can be given away (temporary name first).

    Raises:
        LookError: The folder does not exist or cannot be written.
    """
    try:
        write_text_atomic(Path(path), _json(look.to_dict()))
    except OSError as error:
        raise LookError(
            f"{path} cannot be written: {error.strerror or error}.", "Choose a folder that exists and has room."
        ) from error
