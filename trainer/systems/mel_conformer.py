"""The encoder of MusicFM (arXiv 2311.03318) and MuQ (arXiv 2501.01108) from their published folders. Zone: trainer.

Both hear a mel spectrogram of 24 kHz, halve it twice in time with two residual convolutions, and go on with the
Conformer of wav2vec 2.0, which is taken from `transformers`. Their own code is not needed; what only pre-training uses
(codebooks, masks) is left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from housex_blender.analysis.headers import shown
from housex_blender.core.errors import ModelError

from .local_model import CONFIG_FILE, first_line, read_settings, transformers_part

SAMPLE_RATE_HZ = 24000
_N_FFT, _FLOOR, _HEAD_WIDTH = 2048, 1e-10, 64
_CHECKPOINTS, _STATISTICS = "pretrained_*.pt", "*_stats.json"
_MEAN, _SPREAD = "melspec_2048_mean", "melspec_2048_std"
# in the published states everything lies below this
_PREFIX = "model."
# the class has it, but with rotary positions nothing passes through it; the other is computed
_UNUSED = ("pos_conv_embed.", "inv_freq")


class _Residual(nn.Module):
    """Two convolutions with a third around them; frequency and time are halved."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=2, padding=1)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.conv3 = nn.Conv2d(inputs, outputs, 3, stride=2, padding=1)
        self.bn3 = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        inner = self.bn2(self.conv2(self.bn1(self.conv1(x)).relu()))
        return torch.relu(inner + self.bn3(self.conv3(x)))


class _Subsampling(nn.Module):
    """(B, bands, frames) to (B, frames / 4, width)."""

    def __init__(self, bands: int, filters: int, width: int) -> None:
        super().__init__()
        self.conv = nn.Sequential(_Residual(1, filters), _Residual(filters, filters))
        self.linear = nn.Linear(filters * bands // 4, width)

    def forward(self, x: Tensor) -> Tensor:
        maps = self.conv(x.unsqueeze(1))
        vectors: Tensor = self.linear(maps.permute(0, 3, 1, 2).flatten(2))
        return vectors


class MelConformer(nn.Module):
    """A waveform of 24 kHz in, every layer's vectors out, 25 per second."""

    def __init__(self, config: Any, bands: int, filters: int, hop: int, mean: float, spread: float) -> None:
        """Build it with random weights.

        Args:
            config: Of the Conformer, from transformers.
            bands: Of the mel spectrogram.
            filters: Of the convolutions.
            hop: From one frame to the next in samples.
            mean: Of the training data's decibels.
            spread: Their standard deviation.
        """
        super().__init__()
        conformer = transformers_part("transformers.models.wav2vec2_conformer.modeling_wav2vec2_conformer")
        self.conv = _Subsampling(bands, filters, config.hidden_size)
        self.conformer = conformer.Wav2Vec2ConformerEncoder(config)
        self.conformer.pos_conv_embed = nn.Identity()
        self._hop, self._mean, self._spread = hop, mean, spread
        self.register_buffer("filters", torch.from_numpy(htk_filters(bands)), persistent=False)
        self.register_buffer("window", torch.hann_window(_N_FFT), persistent=False)

    def forward(self, input_values: Tensor, output_hidden_states: bool = True) -> SimpleNamespace:
        """``hidden_states``, (B, T, D) of the input and of each layer, and the normed ``last_hidden_state``."""
        x = self.conformer.dropout(self.conv(self._mel(input_values)))
        positions = self.conformer.embed_positions(x)
        hidden = [x]
        for layer in self.conformer.layers:
            answer = layer(hidden[-1], attention_mask=None, relative_position_embeddings=positions)
            hidden.append(answer if isinstance(answer, Tensor) else answer[0])
        last = self.conformer.layer_norm(hidden[-1])
        return SimpleNamespace(hidden_states=(*hidden[:-1], last), last_hidden_state=last)

    @torch.no_grad()
    def _mel(self, samples: Tensor) -> Tensor:
        """(B, bands, frames) standardised decibels; the last frame is left out, as in pre-training."""
        spectrum = torch.stft(samples.float(), _N_FFT, self._hop, window=self.get_buffer("window"), center=True,
                              pad_mode="reflect", return_complex=True)  # fmt: skip
        power = torch.matmul(self.get_buffer("filters"), spectrum.abs() ** 2)[..., :-1]
        return (10.0 * torch.log10(power.clamp(min=_FLOOR)) - self._mean) / self._spread


def htk_filters(bands: int) -> NDArray[np.float32]:
    """(bands, 1025) triangles on HTK's mel scale up to 12 kHz, each with its peak at 1."""
    top = 2595.0 * np.log10(1.0 + SAMPLE_RATE_HZ / 2 / 700.0)
    edges_hz = 700.0 * (10.0 ** (np.linspace(0.0, top, bands + 2) / 2595.0) - 1.0)
    bins_hz = np.linspace(0.0, SAMPLE_RATE_HZ / 2, _N_FFT // 2 + 1)
    rising = (bins_hz - edges_hz[:-2, None]) / np.diff(edges_hz)[:-1, None]
    falling = (edges_hz[2:, None] - bins_hz) / np.diff(edges_hz)[1:, None]
    return np.maximum(0.0, np.minimum(rising, falling)).astype(np.float32)


def is_mel_conformer(folder: Path) -> bool:
    """Whether a folder holds MusicFM (weights and statistics without config.json) or MuQ (a config with both)."""
    if (folder / CONFIG_FILE).is_file():
        settings = read_settings(folder)
        return "w2v2_config" in settings and "stat" in settings
    return folder.is_dir() and any(folder.glob(_CHECKPOINTS)) and any(folder.glob(_STATISTICS))


def load_mel_conformer(folder: Path, pretrained: bool) -> MelConformer:
    """Build the encoder that a folder describes; the sizes are those of its weights.

    Args:
        folder: As MusicFM or MuQ is published.
        pretrained: Whether to take its weights, too.

    Raises:
        ModelError: Something is missing or damaged.
    """
    settings = read_settings(folder) if (folder / CONFIG_FILE).is_file() else {}
    state = _state(folder, settings)
    try:
        network = _network(settings, state, _statistics(folder, settings))
        lacking, _more = network.load_state_dict(state, strict=False) if pretrained else ((), ())
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise ModelError(f'"{shown(folder.name)}" does not fit: {first_line(error)}.', "Download it again.") from error
    missing = [key for key in lacking if not any(part in key for part in _UNUSED)]
    if missing:
        raise ModelError(f'"{shown(folder.name)}" lacks weights, the first is {missing[0]}.', "Download it again.")
    return network


def _network(settings: Mapping[str, Any], state: Mapping[str, Tensor], statistics: Mapping[str, Any]) -> MelConformer:
    width, flat = state["conv.linear.weight"].shape
    filters = state["conv.conv.0.conv1.weight"].shape[0]
    layers = {match.group(1) for key in state if (match := re.match(r"conformer\.layers\.(\d+)\.", key))}
    kernel = state["conformer.layers.0.conv_module.depthwise_conv.weight"].shape[-1]
    inner = state["conformer.layers.0.ffn1.intermediate_dense.weight"].shape[0]
    # MusicFM has the settings of wav2vec 2.0's large rotary Conformer
    given = {"num_attention_heads": max(1, width // _HEAD_WIDTH), "position_embeddings_type": "rotary",
             "hidden_act": "swish"} | settings.get("w2v2_config", {})  # fmt: skip
    given |= {"hidden_size": width, "num_hidden_layers": len(layers), "conv_depthwise_kernel_size": kernel,
              "intermediate_size": inner, "layerdrop": 0.0}  # fmt: skip
    known = {key: value for key, value in given.items() if key not in ("model_type", "architectures")}
    config = transformers_part("transformers").Wav2Vec2ConformerConfig(**known)
    # chosen by the library when a whole model is built
    config._attn_implementation = "eager"
    bands = 4 * flat // filters
    return MelConformer(config, bands, filters, int(settings.get("hop_length", 240)), float(statistics[_MEAN]),
                        float(statistics[_SPREAD]))  # fmt: skip


def _statistics(folder: Path, settings: Mapping[str, Any]) -> Mapping[str, Any]:
    if "stat" in settings:
        stated: Mapping[str, Any] = settings["stat"]
        return stated
    return read_settings(folder, min(folder.glob(_STATISTICS)).name)


def _state(folder: Path, settings: Mapping[str, Any]) -> dict[str, Tensor]:
    """The tensors of the encoder, without the prefix that they are published under."""
    paths = sorted(folder.glob("*.safetensors")) if settings else sorted(folder.glob(_CHECKPOINTS))
    if not paths:
        raise ModelError(f'"{shown(folder.name)}" has no weights.', "Download them too.")
    try:
        if settings:
            from safetensors.torch import load_file

            state = load_file(paths[0])
        else:
            # tensors only: a file from elsewhere must not be able to run code
            state = torch.load(paths[0], map_location="cpu", weights_only=True)["state_dict"]
        return {key.removeprefix(_PREFIX): value for key, value in state.items()}
    except Exception as error:  # torch and safetensors raise whatever their readers meet
        raise ModelError(f"{paths[0].name} does not hold weights.", "Download it again.") from error
