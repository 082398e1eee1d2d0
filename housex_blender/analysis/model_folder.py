"""A model on disk: a folder with card.json, model.onnx and weights.safetensors, checked before use. Zone: analysis."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from ..core.errors import ModelError
from ..core.files import sha256_of
from ..core.genres import canonical
from .features import FEATURE_VERSION
from .patches import PATCH_FRAMES
from .spectra import N_MELS

MODELS = Path(__file__).resolve().parent.parent / "models"
ONNX_FILE, WEIGHTS_FILE, CARD_FILE = "model.onnx", "weights.safetensors", "card.json"
_MAX_CLASSES = 64
_MAX_WEIGHTS_BYTES = 2_000_000_000


@dataclass(frozen=True)
class ModelFolder:
    """A model whose card fits this version; its weight files are checked when a backend opens them.

    Attributes:
        path: The folder.
        name: Name and version of the model.
        genres: Class names, in output order.
        trained_on: One sentence.
        temperature: Logits are divided by it before the softmax.
        widths: Channels of the four convolution stages.
        sha256: File name -> hexadecimal hash.
    """

    path: Path
    name: str
    genres: tuple[str, ...]
    trained_on: str
    temperature: float
    widths: tuple[int, ...]
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


def load_model_folder(folder: str | Path = "") -> ModelFolder:
    """Read and check a model's card.

    Args:
        folder: A folder, the name of a model that ships, or empty for the default.

    Raises:
        ModelError: No such folder, or its card does not fit this version.
    """
    path = Path(folder) if folder and Path(folder).is_dir() else MODELS / (str(folder) or "default")
    card_path = path / CARD_FILE
    if not card_path.is_file():
        raise ModelError(f"There is no model in {folder or path}.", "Name a folder that holds card.json.")
    try:
        card = json.loads(card_path.read_text(encoding="utf-8"))
        genres = tuple(canonical(str(name)) for name in card["genres"])
        model = ModelFolder(
            path=path,
            name=f"{card['name']} {card['version']}",
            genres=genres,
            trained_on=str(card["trained_on"]),
            temperature=float(card["temperature"]),
            widths=tuple(int(width) for width in card["network"]["widths"]),
            sha256={str(k): str(v) for k, v in card["sha256"].items()},
        )
        shape = (int(card["input"]["mels"]), int(card["input"]["frames"]), int(card["feature_version"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"The card of the model {path.name} is damaged.", "Copy the folder again.") from error
    if shape != (N_MELS, PATCH_FRAMES, FEATURE_VERSION):
        raise ModelError(
            f"The model {model.name} needs features {shape}, this version computes "
            f"{(N_MELS, PATCH_FRAMES, FEATURE_VERSION)}.",
            "Train or download a model for this version.",
        )
    if not 2 <= len(genres) <= _MAX_CLASSES or len(set(genres)) != len(genres) or not 0.01 < model.temperature < 100:
        raise ModelError(
            f"The card of the model {model.name} does not name 2 to 64 different genres.", "Export it anew."
        )
    return model
