"""Weights of the networks that start at random: none, or a file of theirs. Zone: trainer (torch)."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from housex_blender.core.errors import HouseXError

from .backbones import NONE, downloads, load_state


def filled(network: nn.Module, weights: str, name: str) -> nn.Module:
    """The network itself, with the weights of a file where one is named.

    Args:
        network: As built, at random.
        weights: ``none``, or a file with a state of this network.
        name: Of the system, for messages.

    Raises:
        HouseXError: Weights from ImageNet are asked for; there are none of such a network.
        ModelError: The file is missing or of another network.
    """
    if downloads(weights):
        raise HouseXError(f"{name} starts at random: nobody trained it on ImageNet.", "Use --weights none.")
    if weights != NONE:
        load_state(network, Path(weights), name)
    return network
