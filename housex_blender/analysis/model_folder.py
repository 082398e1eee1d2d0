"""A model on disk: a folder with card.json, model.onnx and weights.safetensors, checked before use. Zone: analysis."""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from ..core.errors import ModelError
from ..core.files import sha256_of
from ..core.genres import canonical
from .features import FEATURE_VERSION
from .front_ends import front_end_from
from .front_ends.base import FrontEnd
from .patches import PATCH_FRAMES
from .spectra import N_MELS

MODELS = Path(__file__).resolve().parent.parent / "models"
ONNX_FILE, WEIGHTS_FILE, CARD_FILE = "model.onnx", "weights.safetensors", "card.json"
CARD_SCHEMA = 2
NETWORK_KIND = "MixNet"
# a published network: a piece of sound in, its genre out, bars and tracks unknown to it
PIECE_KIND = "Piece"
# bars that each layer of context reaches to both sides, in units of its dilation
_REACH = 2
_MAX_CLASSES, _MAX_NAME = 64, 48
# VGG-16 has 553 MB
_MAX_CARD_BYTES, _MAX_WEIGHTS_BYTES = 1_000_000, 1_500_000_000
_MAX_PIECE_S, _MAX_PIECE_NUMBERS = 60.0, 20_000_000
# far above any network that hears a mix in reasonable time; a card must not be able to ask for all memory
_MAX_WIDTH, _MAX_SIZE, _MAX_LAYERS, _MAX_DILATION = 512, 1024, 12, 64
_ANOTHER = "Train or download a model for this version."


@dataclass(frozen=True)
class NetworkShape:
    """Sizes of the network.

    Attributes:
        widths: Channels of the four convolution stages that see one bar.
        size: Length D of the vector that a bar becomes.
        dilations: For each layer of context the distance in bars between what it compares.
    """

    widths: tuple[int, int, int, int]
    size: int
    dilations: tuple[int, ...]

    @property
    def context_bars(self) -> int:
        """How many bars before and after a bar its answers depend on."""
        return _REACH * sum(self.dilations)


@dataclass(frozen=True)
class Smoothing:
    """Learned numbers of the smoothing over time, see :func:`classify.smooth`.

    Attributes:
        evidence: How many independent observations a bar is worth: neighbours repeat one loop.
        change_bias: Logit of a change of genre where the network is undecided about a change of track.
        change_weight: How much the network's logit of a change of track adds to it.
        certainty: Power of the smoothed probabilities; below 1 for a network that is wrong through whole tracks.
    """

    evidence: float
    change_bias: float
    change_weight: float
    certainty: float = 1.0


@dataclass(frozen=True)
class HearingModel:
    """What every model's card says; its weight files are checked when a backend opens them.

    Attributes:
        path: The folder.
        name: Name and version of the model.
        genres: Class names, in output order.
        trained_on: One sentence.
        temperature: Logits are divided by it before the softmax.
        smoothing: How bars are weighed against their neighbours.
        uncertain_below: Confidence, 0..1, below which a label should not be trusted.
        sha256: File name -> hexadecimal hash.
    """

    path: Path
    name: str
    genres: tuple[str, ...]
    trained_on: str
    temperature: float
    smoothing: Smoothing
    uncertain_below: float
    sha256: dict[str, str]

    def checked(self, file_name: str) -> Path:
        """Path of a weight file after its hash was compared.

        Raises:
            ModelError: The file is missing, huge, or not the one on the card.
        """
        path = self.path / file_name
        if not path.is_file():
            raise ModelError(f"The model folder {self.path.name} has no {file_name}.", "Copy the whole folder again.")
        if path.stat().st_size > _MAX_WEIGHTS_BYTES:
            raise ModelError(f"{file_name} of the model {self.name} is too large.", "Copy the folder again.")
        if sha256_of(path) != self.sha256.get(file_name):
            raise ModelError(
                f"{file_name} of the model {self.name} is not the file its card describes.",
                "Copy the whole folder again, or export the model anew.",
            )
        return path


@dataclass(frozen=True)
class ModelFolder(HearingModel):
    """A model that hears bars in sequence, and with them track changes and attributes.

    Attributes:
        shape: Sizes of the network.
    """

    shape: NetworkShape


@dataclass(frozen=True)
class PieceFolder(HearingModel):
    """A model that hears one piece of sound at a time and names its genre, as the published ones do.

    Attributes:
        front_end: From sound to its input.
    """

    front_end: FrontEnd


def load_model_folder(folder: str | Path = "") -> ModelFolder:
    """Read and check the card of a model that hears bars in sequence.

    Args:
        folder: A folder, the name of a model that ships, or empty for the default.

    Raises:
        ModelError: No such folder, or its card does not fit this version, or it is a :class:`PieceFolder`.
    """
    model = load_any_model(folder)
    if isinstance(model, PieceFolder):
        raise ModelError(
            f"The model {model.name} names the genre of a piece of sound and can do no more.",
            "Use it to analyze a mix; for this, name a model that hears bars, like the one that ships.",
        )
    return model


def load_any_model(folder: str | Path = "") -> ModelFolder | PieceFolder:
    """Read and check a model's card.

    Args:
        folder: A folder, the name of a model that ships, or empty for the default.

    Raises:
        ModelError: No such folder, or its card does not fit this version.
    """
    path = Path(folder) if folder and Path(folder).is_dir() else MODELS / (str(folder) or "default")
    if not (path / CARD_FILE).is_file():
        raise ModelError(f"There is no model in {folder or path}.", "Name a folder that holds card.json.")
    try:
        card = _read_card(path)
        _check_kind(card, path.name)
        return _pieces_from(card, path) if card["network"]["kind"] == PIECE_KIND else _from_card(card, path)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        reason = f"it has no {error}" if isinstance(error, KeyError) else str(error).rstrip(".")
        raise ModelError(
            f"The card of the model {path.name} is damaged: {reason}.", "Copy the folder again."
        ) from error


def _read_card(path: Path) -> dict[str, Any]:
    if (path / CARD_FILE).stat().st_size > _MAX_CARD_BYTES:
        raise ValueError("it is too large")
    text = (path / CARD_FILE).read_text(encoding="utf-8")
    try:
        card = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError("it is not JSON") from error
    if not isinstance(card, dict):
        raise ValueError("it is not an object")
    return card


def _check_kind(card: dict[str, Any], name: str) -> None:
    """Refuse what another version of this program wrote, with the words for that.

    Raises:
        ModelError: The schema, the kind of network or its input is another one.
    """
    if card.get("schema") != CARD_SCHEMA:
        raise ModelError(
            f"The card of the model {name} is of schema {card.get('schema')!r}, this version reads {CARD_SCHEMA}.",
            _ANOTHER,
        )
    kind = card["network"]["kind"]
    if kind == PIECE_KIND:
        return
    if kind != NETWORK_KIND:
        raise ModelError(f"The model {name} is a {kind!r}, this version runs {NETWORK_KIND}.", _ANOTHER)
    wanted = (N_MELS, PATCH_FRAMES, FEATURE_VERSION)
    found = (card["input"]["mels"], card["input"]["frames"], card["feature_version"])
    if found != wanted:
        raise ModelError(f"The model {name} needs features {found}, this version computes {wanted}.", _ANOTHER)


def _from_card(card: dict[str, Any], path: Path) -> ModelFolder:
    """Raises ValueError, KeyError or TypeError where the card does not say what it should."""
    network = card["network"]
    widths = _whole_numbers(network["widths"], "widths", _MAX_WIDTH)
    if len(widths) != 4:
        raise ValueError(f"it names {len(widths)} widths, not 4")
    dilations = _whole_numbers(network["dilations"], "dilations", _MAX_DILATION)
    if not 1 <= len(dilations) <= _MAX_LAYERS:
        raise ValueError(f"it names {len(dilations)} dilations, not 1 to {_MAX_LAYERS}")
    (size,) = _whole_numbers([network["size"]], "size", _MAX_SIZE)
    shape = NetworkShape((widths[0], widths[1], widths[2], widths[3]), size, dilations)
    return ModelFolder(**_common(card, path), shape=shape)


def _pieces_from(card: dict[str, Any], path: Path) -> PieceFolder:
    """Raises ModelError, ValueError, KeyError or TypeError where the card does not say what it should."""
    front_end = front_end_from(card["front_end"])
    length_s = front_end.window_samples / front_end.sample_rate_hz
    if not 0.0 < length_s <= _MAX_PIECE_S:
        raise ValueError(f"its pieces are {length_s:g} s long, not up to {_MAX_PIECE_S:g} s")
    if not 0 < prod(front_end.shape) <= _MAX_PIECE_NUMBERS:
        raise ValueError(f"its input of shape {front_end.shape} is empty or too large")
    return PieceFolder(**_common(card, path), front_end=front_end)


def _common(card: dict[str, Any], path: Path) -> dict[str, Any]:
    """What :class:`HearingModel` holds."""
    smoothing, hashes = card["smoothing"], card["sha256"]
    if not all(isinstance(hashes[name], str) for name in (ONNX_FILE, WEIGHTS_FILE)):
        raise ValueError("its sha256 are not texts")
    return {
        "path": path,
        "name": f"{_text(card, 'name')} {_text(card, 'version')}",
        "genres": _genres(card["genres"]),
        "trained_on": _text(card, "trained_on"),
        "temperature": _number(card, "temperature", 0.01, 100.0),
        "smoothing": Smoothing(
            _number(smoothing, "evidence", 0.0, 10.0),
            _number(smoothing, "change_bias", -100.0, 100.0),
            _number(smoothing, "change_weight", -100.0, 100.0),
            _number(smoothing, "certainty", 0.0, 10.0),
        ),
        "uncertain_below": _number(card, "uncertain_below", 0.0, 1.0),
        "sha256": {ONNX_FILE: hashes[ONNX_FILE], WEIGHTS_FILE: hashes[WEIGHTS_FILE]},
    }


def _genres(names: Any) -> tuple[str, ...]:
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError("its genres are not a list of names")
    genres = tuple(canonical(name) for name in names)
    if not 2 <= len(genres) <= _MAX_CLASSES or len(set(genres)) != len(genres):
        raise ValueError(f"it does not name 2 to {_MAX_CLASSES} different genres")
    if not all(1 <= len(name) <= _MAX_NAME for name in genres):
        raise ValueError(f"the name of a genre is empty or longer than {_MAX_NAME} characters")
    return genres


def _text(holder: dict[str, Any], key: str) -> str:
    value = holder[key]
    if not isinstance(value, str):
        raise ValueError(f"its {key} is not a text")
    return value


def _number(holder: dict[str, Any], key: str, low: float, high: float) -> float:
    value = holder[key]
    # a comparison with what is not a number is False; an integer may be too long for a float, so compare first
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ValueError(f"its {key} is not a number from {low:g} to {high:g}")
    return float(value)


def _whole_numbers(values: Any, what: str, most: int) -> tuple[int, ...]:
    right = isinstance(values, list) and all(type(value) is int and 1 <= value <= most for value in values)
    if not right:
        raise ValueError(f"its {what} are not whole numbers from 1 to {most}")
    return tuple(values)
