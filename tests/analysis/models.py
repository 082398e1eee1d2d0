"""Small untrained models for tests, and ways to spoil them. Not a test itself; needs torch."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from housex_blender.analysis.model_folder import CARD_FILE, ONNX_FILE, WEIGHTS_FILE, NetworkShape, Smoothing
from housex_blender.analysis.network import MixNet
from housex_blender.core.files import sha256_of
from housex_blender.core.genres import GENRES
from trainer.export import Card, export_onnx, write_model_folder

SHAPE = NetworkShape(widths=(4, 6, 8, 10), size=12, dilations=(1, 2))
CARD = Card("small", "1", GENRES, SHAPE, 1.0, Smoothing(0.25, -4.2, 1.0), 0.5, "nothing")


def small_net(classes: int = 9, seed: int = 0) -> MixNet:
    """An untrained network of the sizes SHAPE."""
    torch.manual_seed(seed)
    return MixNet(classes, SHAPE).eval()


def small_model(folder: Path, genres: tuple[str, ...] = GENRES, **card: Any) -> Path:
    """A model folder with that network."""
    write_model_folder(small_net(len(genres)), replace(CARD, genres=genres, **card), folder)
    return folder


def change_card(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    """Change card.json in place."""
    card = json.loads((folder / CARD_FILE).read_text())
    change(card)
    (folder / CARD_FILE).write_text(json.dumps(card))


def put_net(folder: Path, net: torch.nn.Module, state: dict[str, Any] | None = None) -> None:
    """Another network in a model folder whose card knows its hashes but not its shape."""
    save_file({name: value.contiguous() for name, value in (state or net.state_dict()).items()}, folder / WEIGHTS_FILE)
    export_onnx(net, folder / ONNX_FILE)
    know_files(folder)


def know_files(folder: Path) -> None:
    """The hashes of the files that are there, on the card."""
    change_card(
        folder, lambda card: card["sha256"].update({n: sha256_of(folder / n) for n in (ONNX_FILE, WEIGHTS_FILE)})
    )
