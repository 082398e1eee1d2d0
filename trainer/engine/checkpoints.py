"""Files of a run with tensors: the state to go on from, and weights; no pickled objects. Zone: trainer (torch)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_model, save_model
from torch import nn

from housex_blender.core.errors import HouseXError, ModelError
from housex_blender.core.files import replacing

CHECKPOINT_FILE, BEST_FILE, LAST_FILE = "checkpoint.pt", "best.safetensors", "last.safetensors"


class CheckpointError(HouseXError):
    """A checkpoint is damaged or belongs to another run."""


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write tensors, numbers and text.

    Raises:
        HouseXError: They cannot be written.
    """
    try:
        with replacing(path) as temporary:
            torch.save(state, temporary)
    except (OSError, RuntimeError) as error:  # torch's writer raises the second when the disk is full
        raise _unwritable(path, error) from error


def load_checkpoint(path: Path, identity: str) -> dict[str, Any] | None:
    """What :func:`save_checkpoint` wrote; None where there is no file.

    Args:
        path: Of the file.
        identity: Of the run; the state's own must be the same.

    Raises:
        CheckpointError: It is damaged, or of a run with other settings.
    """
    if not path.is_file():
        return None
    try:
        # no pickled objects: a checkpoint holds tensors and numbers only
        state = torch.load(path, map_location="cpu", weights_only=True)
        known = state["identity"]
    except Exception as error:  # torch raises whatever its reader meets
        raise CheckpointError(f"The checkpoint {path} is damaged.", "Delete it, or start with --again.") from error
    if known != identity:
        raise CheckpointError(
            f"The checkpoint {path} is of a run with other settings or other data.",
            "Use those again, choose another --out, or start with --again.",
        )
    return dict(state)


def save_weights(path: Path, network: nn.Module) -> None:
    """The weights as safetensors; those that two parts share are written once.

    Raises:
        HouseXError: They cannot be written.
    """
    try:
        with replacing(path) as temporary:
            save_model(network, str(temporary))
    except (OSError, SafetensorError) as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: Exception) -> HouseXError:
    said = " ".join(str(error).split())
    return HouseXError(f"{path} cannot be written: {said}.", "Make room on the disk, or choose another folder.")


def load_weights(path: Path, network: nn.Module) -> None:
    """Fill a network with what :func:`save_weights` wrote, all of it.

    Raises:
        ModelError: The file is missing, damaged or of another network.
    """
    if not path.is_file():
        raise ModelError(f"The run in {path.parent} has no {path.name}.", "Run its recipe to the end.")
    try:
        load_model(network, str(path), strict=True)
    except Exception as error:  # a damaged header, a cut file or other tensors each raise something else
        raise ModelError(f"{path} does not hold the weights of this network.", "Run it with --again.") from error
