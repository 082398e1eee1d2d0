"""A trained network as a model folder: weights.safetensors, model.onnx, card.json. Zone: trainer."""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from housex_blender.analysis.backends import INPUTS, UNKNOWN_BPM, Heard, OnnxBackend, hear_all
from housex_blender.analysis.features import FEATURE_VERSION
from housex_blender.analysis.model_folder import (
    CARD_FILE,
    CARD_SCHEMA,
    NETWORK_KIND,
    ONNX_FILE,
    WEIGHTS_FILE,
    NetworkShape,
    Smoothing,
    load_model_folder,
)
from housex_blender.analysis.network import MixNet, TorchBackend, load_weights
from housex_blender.analysis.patches import PATCH_FRAMES
from housex_blender.analysis.spectra import N_MELS
from housex_blender.core.errors import ModelError
from housex_blender.core.files import replacing, sha256_of, write_text_atomic

from .engine.checkpoints import save_weights

LICENSE = "GPL-3.0-or-later"
MAX_DIFFERENCE = 1e-4
# the extension carries it
MAX_ONNX_BYTES = 10_000_000
# longer than a part of hear_all, so that the overlap is compared too
_COMPARED_BARS = 150


@dataclass(frozen=True)
class Card:
    """What card.json says.

    Attributes:
        name: Of the model.
        version: Of the model.
        genres: Class names, in output order.
        shape: Sizes of the network.
        temperature: Logits are divided by it before the softmax.
        smoothing: How bars are weighed against their neighbours.
        uncertain_below: Confidence below which a label should not be trusted.
        trained_on: One sentence.
        figures: What was measured; any JSON.
        limits: What the model should not be trusted with.
    """

    name: str
    version: str
    genres: Sequence[str]
    shape: NetworkShape
    temperature: float
    smoothing: Smoothing
    uncertain_below: float
    trained_on: str
    figures: dict[str, Any] = field(default_factory=dict)
    limits: str = ""


def export_onnx(net: MixNet, path: Path) -> None:
    """Write the network as ONNX (opset 17) for any number of consecutive bars."""
    net.eval()
    example = (torch.zeros(3, 1, N_MELS, PATCH_FRAMES), torch.full((3,), 124.0))
    names = list(Heard._fields)
    with warnings.catch_warnings():
        # the older exporter is the one whose graphs ONNX Runtime 1.16 and later all read
        warnings.simplefilter("ignore")
        torch.onnx.export(net, example, str(path), input_names=INPUTS, output_names=names,
                          dynamic_axes={name: {0: "bars"} for name in (*INPUTS, *names)}, opset_version=17,
                          dynamo=False)  # fmt: skip


def write_model_folder(net: MixNet, card: Card, folder: Path) -> None:
    """Write the three files, after checking that they load and that both backends give the same answer.

    Nothing in ``folder`` changes unless all is well; the card goes in last, so that a run that is cut off between two
    files leaves a folder that is refused, not one that answers wrongly.

    Raises:
        ModelError: The graph is too large, the card does not load, or the backends differ by 1e-4 or more.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".model-", dir=folder.parent) as name:
        draft = Path(name)
        save_weights(draft / WEIGHTS_FILE, net)
        export_onnx(net, draft / ONNX_FILE)
        write_text_atomic(draft / CARD_FILE, _card_text(net, card, draft))
        _check(draft)
        put_in_place(draft, folder)


def put_in_place(draft: Path, folder: Path) -> None:
    """Copy the three files of a checked draft; the card goes in last, so that half a model is refused."""
    folder.mkdir(exist_ok=True)
    for file_name in (WEIGHTS_FILE, ONNX_FILE, CARD_FILE):
        with replacing(folder / file_name) as temporary:
            shutil.copyfile(draft / file_name, temporary)


def json_text(card: dict[str, Any]) -> str:
    """A card as it stands in its file.

    Raises:
        ModelError: It holds numbers that JSON does not know.
    """
    try:
        return json.dumps(card, indent=2, allow_nan=False) + "\n"
    except ValueError as error:
        raise ModelError("The card holds figures that are not numbers.", "Measure anew.") from error


def _card_text(net: MixNet, card: Card, folder: Path) -> str:
    body = {
        "schema": CARD_SCHEMA,
        "name": card.name,
        "version": card.version,
        "genres": list(card.genres),
        "feature_version": FEATURE_VERSION,
        "input": {"mels": N_MELS, "frames": PATCH_FRAMES, "what": "log-mel of consecutive bars, 0..1 over 60 dB"},
        "network": {
            "kind": NETWORK_KIND,
            "widths": list(card.shape.widths),
            "size": card.shape.size,
            "dilations": list(card.shape.dilations),
            "parameters": sum(part.numel() for part in net.parameters()),
        },
        "temperature": round(card.temperature, 4),
        "smoothing": {key: round(value, 4) for key, value in asdict(card.smoothing).items()},
        "uncertain_below": round(card.uncertain_below, 4),
        "trained_on": card.trained_on,
        "figures": card.figures,
        "limits": card.limits,
        "license": LICENSE,
        "sha256": {name: sha256_of(folder / name) for name in (ONNX_FILE, WEIGHTS_FILE)},
    }
    return json_text(body)


def _check(folder: Path) -> None:
    size = (folder / ONNX_FILE).stat().st_size
    if size >= MAX_ONNX_BYTES:
        raise ModelError(f"model.onnx has {size / 1e6:.1f} MB, 10 is the most.", "Choose a smaller network.")
    difference = backend_difference(folder)
    # a comparison with what is not a number is False
    if not difference < MAX_DIFFERENCE:
        raise ModelError(f"The two backends differ by {difference:.2g}.", "Do not ship this model.")


def backend_difference(folder: Path, bars: int = _COMPARED_BARS) -> float:
    """Greatest difference of the two backends in all their answers, for a sequence of random pictures.

    Raises:
        ModelError: The folder is not a model, or answers with values that are not numbers.
    """
    model = load_model_folder(folder)
    rng = np.random.default_rng(0)
    pictures, bpm = rng.random((bars, 1, N_MELS, PATCH_FRAMES), dtype=np.float32), rng.uniform(110.0, 136.0, bars)
    bpm[::3] = UNKNOWN_BPM

    def patches_of(first: int, last: int) -> NDArray[np.float32]:
        return pictures[first:last]

    answers = [
        hear_all(backend, patches_of, bpm, model.shape.context_bars)
        for backend in (OnnxBackend(model, "cpu"), TorchBackend(model, "cpu"))
    ]
    return max(float(np.abs(one - other).max()) for one, other in zip(*answers, strict=True))


def add_export_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """``python -m trainer export``."""
    parser = subparsers.add_parser(
        "export",
        help="make a model folder of a trained run, or write a model folder's graph anew",
        description="Of a run of a published network: reads run.json and its weights, writes a model folder that the "
        "extension hears a mix with (--model). Of a model folder: reads card.json and weights.safetensors, writes "
        "model.onnx and the hashes anew and compares both backends. Seconds.",
    )
    parser.add_argument("folder", type=Path, help="of a run, or of a model")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="the model folder to make of a run")
    parser.set_defaults(func=run)


def run(arguments: argparse.Namespace) -> int:
    """Export one folder."""
    folder = arguments.folder
    from .engine.run_card import RUN_FILE

    if (folder / RUN_FILE).is_file():
        from .export_system import export_folder

        print(f"wrote {export_folder(folder, arguments.out)}")
        return 0
    model = load_model_folder(folder)
    card = json.loads((folder / CARD_FILE).read_text(encoding="utf-8"))
    kept = Card(card["name"], card["version"], model.genres, model.shape, model.temperature, model.smoothing,
                model.uncertain_below, model.trained_on, card.get("figures", {}), card.get("limits", ""))  # fmt: skip
    write_model_folder(load_weights(model), kept, folder)
    print(f"wrote {folder / ONNX_FILE}; the backends differ by {backend_difference(folder):.1e}")
    return 0
