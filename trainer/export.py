"""A trained network as a model folder: weights.safetensors, model.onnx, card.json. Zone: trainer."""

from __future__ import annotations

import argparse
import json
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from housex_blender.analysis.backends import OnnxBackend
from housex_blender.analysis.features import FEATURE_VERSION
from housex_blender.analysis.model_folder import CARD_FILE, ONNX_FILE, WEIGHTS_FILE, load_model_folder
from housex_blender.analysis.network import BarNet, load_weights
from housex_blender.analysis.patches import PATCH_FRAMES
from housex_blender.analysis.spectra import N_MELS
from housex_blender.core.errors import ModelError
from housex_blender.core.files import replacing, sha256_of, write_text_atomic

LIMITS = (
    "A first model. It was trained and measured on one synthesiser only: its figures say that the training works, "
    "not how well it hears records that people made, where labels may be wrong while the confidence is high. Bars "
    "below the confidence limit are marked uncertain."
)
MAX_DIFFERENCE = 1e-4


@dataclass(frozen=True)
class Card:
    """What card.json says."""

    name: str
    version: str
    genres: Sequence[str]
    widths: Sequence[int]
    temperature: float
    trained_on: str
    figures: dict[str, float] = field(default_factory=dict)
    figures_measured_on: str = "unseen tracks of the same synthesiser, each bar alone, no smoothing"


def export_onnx(net: BarNet, path: Path) -> None:
    """Write the network as ONNX (opset 17) with a free batch size."""
    net.eval()
    example = torch.zeros(2, 1, N_MELS, PATCH_FRAMES)
    with warnings.catch_warnings():
        # the older exporter is the one whose graphs ONNX Runtime 1.16 and later all read
        warnings.simplefilter("ignore")
        torch.onnx.export(net, (example,), str(path), input_names=["patches"], output_names=["logits"],
                          dynamic_axes={"patches": {0: "bars"}, "logits": {0: "bars"}}, opset_version=17,
                          dynamo=False)  # fmt: skip


def write_model_folder(net: BarNet, card: Card, folder: Path) -> None:
    """Write the three files and check that both backends give the same answer.

    Raises:
        ModelError: They differ by 1e-4 or more.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / WEIGHTS_FILE) as temporary:
        save_file({name: value.contiguous() for name, value in net.state_dict().items()}, str(temporary))
    with replacing(folder / ONNX_FILE) as temporary:
        export_onnx(net, temporary)
    body = {
        "schema": 1,
        "name": card.name,
        "version": card.version,
        "genres": list(card.genres),
        "feature_version": FEATURE_VERSION,
        "input": {"mels": N_MELS, "frames": PATCH_FRAMES, "what": "log-mel of one bar, 0..1 over 60 dB"},
        "network": {
            "kind": "BarNet",
            "widths": list(card.widths),
            "parameters": sum(p.numel() for p in net.parameters()),
        },
        "temperature": round(card.temperature, 4),
        "trained_on": card.trained_on,
        "figures": card.figures,
        "figures_measured_on": card.figures_measured_on,
        "limits": LIMITS,
        "license": "GPL-3.0-or-later",
        "sha256": {name: sha256_of(folder / name) for name in (ONNX_FILE, WEIGHTS_FILE)},
    }
    write_text_atomic(folder / CARD_FILE, json.dumps(body, indent=2) + "\n")
    difference = backend_difference(folder)
    if difference >= MAX_DIFFERENCE:
        raise ModelError(f"The two backends differ by {difference:.2g}.", "Do not ship this model.")


def backend_difference(folder: Path, bars: int = 32) -> float:
    """Greatest difference of the two backends' logits on random patches."""
    model = load_model_folder(folder)
    patches = np.random.default_rng(0).random((bars, 1, N_MELS, PATCH_FRAMES), dtype=np.float32)
    with torch.inference_mode():
        from_torch = load_weights(model)(torch.from_numpy(patches)).numpy()
    return float(np.abs(OnnxBackend(model, "cpu").logits(patches) - from_torch).max())


def add_export_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """``python -m trainer export``."""
    parser = subparsers.add_parser(
        "export",
        help="write model.onnx anew from a folder's weights and compare both backends",
        description="Reads card.json and weights.safetensors of FOLDER, writes model.onnx and the hashes. Seconds.",
    )
    parser.add_argument("folder", type=Path)
    parser.set_defaults(func=run)


def run(arguments: argparse.Namespace) -> int:
    """Re-export one folder."""
    folder = arguments.folder
    model = load_model_folder(folder)
    card = json.loads((folder / CARD_FILE).read_text(encoding="utf-8"))
    net = load_weights(model)
    kept = Card(card["name"], card["version"], model.genres, model.widths, model.temperature, card["trained_on"],
                card.get("figures", {}), card.get("figures_measured_on", ""))  # fmt: skip
    write_model_folder(net, kept, folder)
    print(f"wrote {folder / ONNX_FILE}; the backends differ by {backend_difference(folder):.1e}")
    return 0
