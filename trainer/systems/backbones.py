"""Image networks from torchvision, with or without weights from ImageNet. Zone: trainer (torch, torchvision)."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Mapping
from http.client import HTTPException
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from housex_blender.core.errors import HouseXError, ModelError

IMAGENET, NONE = "imagenet", "none"
# the first set of weights, where torchvision has a newer one besides
IMAGENET_V1 = "imagenet-v1"
# its wheel for CUDA imports on a CPU build of torch once these operators, which nothing here uses, are declared
_MISSING_OPERATORS = ("nms", "qnms")
_declared: list[Any] = []
# torchvision's first DenseNet files name a layer's parts norm.1, where modules cannot hold a dot
_DENSE_LAYER = re.compile(r"(denselayer\d+\.(?:norm|relu|conv))\.([12]\.)")


def vision() -> ModuleType:
    """The package torchvision, also where its compiled part does not fit this torch.

    Raises:
        HouseXError: It is not installed.
    """
    try:
        return importlib.import_module("torchvision")
    except RuntimeError:
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        library = torch.library.Library("torchvision", "FRAGMENT")
        for name in _MISSING_OPERATORS:
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _declared.append(library)
        return importlib.import_module("torchvision")
    except ImportError as error:
        raise HouseXError(
            "The published networks need torchvision.", "Install it: pip install --group systems"
        ) from error


def downloads(weights: str) -> bool:
    """Whether a choice of weights means torchvision's download: ``imagenet``, ``imagenet-v1``, ``imagenet-v2``."""
    return weights == IMAGENET or weights.startswith(f"{IMAGENET}-v")


def backbone(name: str, weights: str = NONE) -> nn.Module:
    """A network of torchvision with its 1000 outputs.

    Args:
        name: As ``torchvision.models`` spells it, for example ``resnet18``.
        weights: ``none``; ``imagenet`` for torchvision's default weights, ``imagenet-v1`` or ``imagenet-v2`` for a
            certain set of them, which it downloads once; or a file with a state of this network (.pth or .safetensors).

    Raises:
        HouseXError: torchvision is missing, or has no such network or weights.
        ModelError: The weights cannot be downloaded or read, or do not fit.
    """
    try:
        made: nn.Module = vision().models.get_model(name, weights=None)
    except ValueError as error:
        raise HouseXError(f"torchvision has no network {name!r}.", "Update it, or choose another network.") from error
    if downloads(weights):
        _fill(made, imagenet_state(name, weights), name, f"torchvision's {weights}")
    elif weights != NONE:
        load_state(made, Path(weights), name)
    return made


def imagenet_state(name: str, weights: str = IMAGENET) -> dict[str, Tensor]:
    """The tensors of one of torchvision's files as they stand in it, downloaded once.

    Raises:
        HouseXError: There is no such set of weights.
        ModelError: It cannot be downloaded.
    """
    enum = vision().models.get_model_weights(name)
    member = f"IMAGENET1K_{weights.rpartition('-')[2].upper()}"
    if weights != IMAGENET and member not in enum.__members__:
        known = ", ".join(f"{IMAGENET}-{one.rpartition('_')[2].lower()}" for one in enum.__members__ if "K_V" in one)
        raise HouseXError(f"torchvision has no weights {weights} of {name}.", f"It has {known}.")
    chosen = enum.DEFAULT if weights == IMAGENET else enum[member]
    try:
        state: dict[str, Tensor] = chosen.get_state_dict(progress=True, check_hash=True)
    except (OSError, RuntimeError, HTTPException) as error:
        raise ModelError(
            f"The ImageNet weights of {name} ({chosen}) cannot be downloaded here.",
            f"Give a file that holds them (--weights FILE; they come from {chosen.url}), or --weights none.",
        ) from error
    return state


def read_state(path: Path, name: str) -> dict[str, Tensor]:
    """The tensors of a file, .safetensors or what ``torch.save`` wrote, by name.

    Raises:
        ModelError: The file is missing, or not a file of tensors.
    """
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            state = load_file(path)
        else:
            # tensors only: a file from elsewhere must not be able to run code
            state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise ModelError(f"There is no file {path.name} with weights of {name}.", "Check --weights.") from error
    except Exception as error:  # torch raises whatever its reader meets
        raise unfit(path.name, name) from error
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise unfit(path.name, name)
    return state


def load_state(network: nn.Module, path: Path, name: str) -> None:
    """Load a file of tensors into a network, all of them.

    Raises:
        ModelError: The file is missing, not a file of tensors, or of another network.
    """
    _fill(network, read_state(path, name), name, path.name)


def _fill(network: nn.Module, state: Mapping[str, Tensor], name: str, source: str) -> None:
    modern = {_DENSE_LAYER.sub(r"\1\2", key): value for key, value in state.items()}
    try:
        network.load_state_dict(modern, strict=True)
    except RuntimeError as error:
        raise unfit(source, name) from error


def unfit(source: str, name: str) -> ModelError:
    """What to raise when a file or a download holds something else than a network's weights."""
    return ModelError(f"{source} does not hold the weights of {name}.", "Give the file of that network.")
