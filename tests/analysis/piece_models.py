"""Published networks in small, for tests: a model folder whose network weighs the power of the sound. Not a test."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from housex_blender.analysis.model_folder import CARD_FILE, CARD_SCHEMA, ONNX_FILE, PIECE_KIND, WEIGHTS_FILE
from housex_blender.core.files import sha256_of

WAVEFORM = {"kind": "waveform", "sample_rate_hz": 8000, "window_s": 1.5, "normalise": False}


class LoudOrQuiet(nn.Module):
    """Two classes: a sine of full scale is the first, silence the second."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(300.0))

    def forward(self, samples: Tensor) -> Tensor:
        power = samples.flatten(1).square().mean(dim=1)
        return torch.stack([self.gain * (power - 0.01), self.gain * (0.01 - power)], dim=1)


def piece_model(folder: Path, network: nn.Module | None = None, **card: Any) -> Path:
    """A model folder of a published network."""
    network = (network or LoudOrQuiet()).eval()
    folder.mkdir(parents=True, exist_ok=True)
    front_end = card.pop("front_end", WAVEFORM)
    names = card.pop("names", (["pieces"], ["logits"]))
    example = torch.zeros(2, int(front_end["sample_rate_hz"] * front_end["window_s"]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(network, (example,), str(folder / ONNX_FILE), input_names=names[0], output_names=names[1],
                          dynamic_axes={names[0][0]: {0: "bars"}, names[1][0]: {0: "bars"}}, opset_version=17,
                          dynamo=False)  # fmt: skip
    save_file(dict(network.state_dict()), folder / WEIGHTS_FILE)
    body = {
        "schema": CARD_SCHEMA, "name": "published", "version": "1", "genres": ["Bass House", "Gabber"],
        "network": {"kind": PIECE_KIND, "system": "test/loud"}, "front_end": front_end, "temperature": 1.0,
        "smoothing": {"evidence": 1.0, "change_bias": 0.0, "change_weight": 0.0, "certainty": 1.0},
        "uncertain_below": 0.6, "trained_on": "nothing",
        "sha256": {name: sha256_of(folder / name) for name in (ONNX_FILE, WEIGHTS_FILE)},
    }  # fmt: skip
    (folder / CARD_FILE).write_text(json.dumps({**body, **card}))
    return folder
