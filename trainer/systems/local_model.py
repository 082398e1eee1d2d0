"""Models of the `transformers` library from local folders; nothing is ever downloaded. Zone: trainer (transformers)."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any

from housex_blender.analysis.headers import shown
from housex_blender.core.errors import HouseXError, ModelError
from housex_blender.core.files import read_json

from .backbones import vision

CONFIG_FILE = "config.json"
_WEIGHT_ENDINGS = (".safetensors", ".bin", ".pt")
# parts that no use here reads: a mask's vector and a summary of the first frame
_MAY_BE_MISSING = ("masked_spec_embed", "pooler.")


def transformers_part(name: str) -> ModuleType:
    """The library, or a module of it, told to stay off the network.

    Raises:
        HouseXError: It is not installed.
    """
    for variable in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        os.environ.setdefault(variable, "1")
    with suppress(HouseXError):
        # it imports torchvision where it finds it, which on some machines has to be done with care
        vision()
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise HouseXError("Pre-trained models need transformers.", "Install it: pip install --group systems") from error


def read_settings(folder: Path, file: str = CONFIG_FILE) -> dict[str, Any]:
    """A JSON object of a model's folder; empty where a file other than ``config.json`` is not there.

    Raises:
        ModelError: There is no such folder, it has no ``config.json``, or the file is damaged.
    """
    if not folder.is_dir():
        raise ModelError(
            f'There is no folder "{shown(str(folder))}" with a model.',
            "Models are never downloaded from here: download it first, then name its folder.",
        )
    path = folder / file
    if not path.is_file():
        if file != CONFIG_FILE:
            return {}
        raise ModelError(f'"{shown(folder.name)}" has no {file}.', "Name the folder that config.json lies in.")
    try:
        found = read_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f'{file} of "{shown(folder.name)}" cannot be read.', "Download the model again.") from error
    if not isinstance(found, dict):
        raise ModelError(f'{file} of "{shown(folder.name)}" holds no settings.', "Download the model again.")
    return found


def has_weights(folder: Path) -> bool:
    """Whether a folder holds a file with weights."""
    return any(path.suffix in _WEIGHT_ENDINGS for path in folder.iterdir())


def loaded(load: Callable[..., Any], folder: Path, what: str, **options: Any) -> Any:
    """Call a ``from_pretrained`` on a folder.

    Args:
        load: For example ``AutoModel.from_pretrained``.
        folder: Of the model.
        what: What is read, for messages.
        options: For ``load``.

    Raises:
        ModelError: It cannot be read.
    """
    try:
        with _quiet():
            return load(str(folder), local_files_only=True, **options)
    except HouseXError:
        raise
    except Exception as error:  # the library raises whatever its readers meet
        raise ModelError(
            f'The {what} in "{shown(folder.name)}" cannot be loaded: {first_line(error)}.', "Check the folder."
        ) from error


def load_network(load: Callable[..., Any], folder: Path, **options: Any) -> Any:
    """A network with its weights, all of them.

    Raises:
        ModelError: It cannot be read, or lacks weights: what is missing would be random.
    """
    network, told = loaded(load, folder, "model", output_loading_info=True, **options)
    missing = [key for key in told["missing_keys"] if not any(part in key for part in _MAY_BE_MISSING)]
    if missing:
        raise ModelError(
            f'"{shown(folder.name)}" lacks {len(missing)} of the model\'s weights, the first is {sorted(missing)[0]}.',
            "It is another kind of model, or the download stopped early.",
        )
    return network


def needs_own_code(settings: Mapping[str, Any]) -> bool:
    """Whether a model's folder wants to bring the code of its network."""
    return bool(settings.get("auto_map"))


def first_line(error: BaseException) -> str:
    """What an error of somebody else's library says, short and without its final full stop."""
    text = str(error).strip() or type(error).__name__
    return shown(text.splitlines()[0][:160]).rstrip(".")


@contextmanager
def _quiet() -> Iterator[None]:
    """The library's own progress bars and reports are not for the person at the screen."""
    logging = transformers_part("transformers.utils.logging")
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
