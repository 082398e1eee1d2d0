"""The classifier in torch, and its backend for CUDA, MPS or CPU. Zone: analysis; the only file that needs torch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ..core.errors import ModelError
from .model_folder import WEIGHTS_FILE, ModelFolder


class BarNet(nn.Module):
    """Four convolution stages over one bar of log-mel, pooled over time and frequency.

    Frequency keeps four zones until the end, because a kick and a hat mean different things; time is pooled by mean
    and maximum, so that neither a late grid nor the position of a stab in the bar decides.

    Args:
        n_genres: Number of classes G.
        widths: Channels after each stage.
    """

    def __init__(self, n_genres: int, widths: Sequence[int] = (24, 48, 72, 96)) -> None:
        super().__init__()
        stages: list[nn.Module] = []
        channels = 1
        for index, width in enumerate(widths):
            stages += [
                nn.Conv2d(channels, width, 3, padding=1, bias=False),
                nn.BatchNorm2d(width),
                nn.ReLU(),
                nn.MaxPool2d((2, 2) if index < 3 else (4, 2)),
            ]
            channels = width
        self.stages = nn.Sequential(*stages)
        self.zones = 4
        self.drop = nn.Dropout(0.4)
        self.head = nn.Linear(2 * channels * self.zones, n_genres)

    def forward(self, patches: Tensor) -> Tensor:
        """Logits (B, G) of patches (B, 1, 128, 64) in 0..1."""
        maps = self.stages(patches * 2.0 - 1.0)  # (B, C, 4 zones, 4 times)
        pooled = torch.cat([maps.mean(dim=3), maps.amax(dim=3)], dim=1).flatten(1)
        return self.head(self.drop(pooled))


def load_weights(model: ModelFolder) -> BarNet:
    """The network of a model folder, in evaluation mode.

    Raises:
        ModelError: The weights do not fit the card.
    """
    from safetensors.torch import load_file

    net = BarNet(len(model.genres), model.widths)
    try:
        net.load_state_dict(load_file(model.checked(WEIGHTS_FILE)), strict=True)
    except (RuntimeError, ValueError, KeyError, OSError) as error:
        raise ModelError(f"The weights of the model {model.name} do not fit its card.", "Export it anew.") from error
    if not all(torch.isfinite(value).all() for value in net.state_dict().values()):
        raise ModelError(f"The weights of the model {model.name} hold values that are not numbers.", "Train it anew.")
    return net.eval()


def pick_device(wanted: str) -> str:
    """``cuda``, ``mps`` or ``cpu``: the wanted one, or with ``auto`` the fastest there is.

    Raises:
        ModelError: The wanted device is not there.
    """
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if wanted == "auto":
        return next(name for name, found in there.items() if found)
    if not there.get(wanted.split(":")[0], False):
        raise ModelError(f"This computer has no {wanted} device for torch.", "Use --device cpu or --device auto.")
    return wanted


class TorchBackend:
    """Runs the network with torch.

    Args:
        model: A checked model folder.
        device: As :func:`pick_device` returns.
    """

    def __init__(self, model: ModelFolder, device: str) -> None:
        self.name = "torch"
        self.device = device
        self._net = load_weights(model).to(device)

    @property
    def description(self) -> str:
        """For people: library and device."""
        if self.device.startswith("cuda"):
            return f"torch on {torch.cuda.get_device_name(self.device)}"
        return f"torch on {self.device}"

    def logits(self, patches: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, G) logits of (n, 1, 128, 64) patches."""
        with torch.inference_mode():
            return self._net(torch.from_numpy(patches).to(self.device)).float().cpu().numpy()
