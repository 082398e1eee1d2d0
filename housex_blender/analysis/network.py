"""The classifier in torch, and its backend for CUDA, MPS or CPU. Zone: analysis; the only file that needs torch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ..core.attributes import ATTRIBUTES, HIGHEST, LOWEST, SCALES
from ..core.errors import ModelError
from .backends import UNKNOWN_BPM, Heard
from .model_folder import WEIGHTS_FILE, ModelFolder, NetworkShape

# a patch shrinks by 16 in frequency and time: 8 zones of pitch and 4 of time are left
_ZONES = 8
# house lies around this tempo
_USUAL_BPM, _SPREAD_BPM = 124.0, 5.0


def told(logits: Tensor) -> Tensor:
    """(..., 7) attributes of the network's logits: four on the scale 1..5, then three probabilities."""
    share = torch.sigmoid(logits)
    count = len(SCALES)
    return torch.cat([LOWEST + (HIGHEST - LOWEST) * share[..., :count], share[..., count:]], dim=-1)


def _convolution(source: int, target: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(source, target, 3, stride, 1, bias=False), nn.BatchNorm2d(target), nn.ReLU(inplace=True)
    )


class _Residual(nn.Module):
    """Two convolutions around which the input passes (He et al. 2016)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = _convolution(width, width)
        self.second = nn.Sequential(nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width))

    def forward(self, maps: Tensor) -> Tensor:
        return torch.relu(maps + self.second(self.first(maps)))


class BarEncoder(nn.Module):
    """One bar of log-mel to one vector.

    Frequency keeps eight zones, because a kick and a hat mean different things; time is pooled by mean and maximum, so
    that neither a late grid nor the position of a stab in the bar decides.

    Args:
        widths: Channels of the four stages.
        size: Length D of the vector.
    """

    def __init__(self, widths: Sequence[int], size: int) -> None:
        super().__init__()
        a, b, c, d = widths
        self.stages = nn.Sequential(
            _convolution(1, a, 2), _convolution(a, b, 2), _Residual(b), _convolution(b, c, 2), _Residual(c),
            _convolution(c, d, 2),
        )  # fmt: skip
        self.project = nn.Linear(2 * d * _ZONES, size)

    def forward(self, patches: Tensor) -> Tensor:
        """(n, D) of patches (n, 1, 128, 64) in 0..1."""
        maps = self.stages(patches * 2.0 - 1.0)
        return self.project(torch.cat([maps.mean(dim=3), maps.amax(dim=3)], dim=1).flatten(1))


class _Neighbours(nn.Module):
    """A dilated convolution over bars, added to its input: a bar hears bars before and after it."""

    def __init__(self, size: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(size)
        self.across = nn.Conv1d(size, size, 5, padding=2 * dilation, dilation=dilation)
        self.within = nn.Linear(size, size)
        self.drop = nn.Dropout(dropout)

    def forward(self, bars: Tensor) -> Tensor:
        heard = nn.functional.gelu(self.across(self.norm(bars).transpose(1, 2)).transpose(1, 2))
        return bars + self.drop(self.within(heard))


class MixNet(nn.Module):
    """An encoder of single bars, and convolutions over the bars of a mix that reach ``shape.context_bars`` both ways.

    Loops repeat every 4 to 16 bars and the drop decides the sub-genre, so a bar is judged with its neighbours
    (temporal convolutions: Bai, Kolter and Koltun 2018). The reach is limited: a long mix can be heard in parts that
    overlap by it, with the same answer.

    Args:
        n_genres: Number of classes G.
        shape: Sizes.
        dropout: Share of a bar's vector that is hidden in training.
    """

    def __init__(self, n_genres: int, shape: NetworkShape, dropout: float = 0.1) -> None:
        super().__init__()
        self.encoder = BarEncoder(shape.widths, shape.size)
        # a picture of a bar has lost its tempo, in which sub-genres differ
        self.tempo = nn.Sequential(nn.Linear(1, 16), nn.GELU(), nn.Linear(16, shape.size))
        self.drop = nn.Dropout(dropout)
        self.context = nn.Sequential(*(_Neighbours(shape.size, step, dropout) for step in shape.dilations))
        self.norm = nn.LayerNorm(shape.size)
        self.genre = nn.Linear(shape.size, n_genres)
        self.attribute = nn.Linear(shape.size, len(ATTRIBUTES))
        self.handover = nn.Linear(shape.size, 1)

    def sequences(self, patches: Tensor, bpm: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """As :class:`Heard` for a batch of sequences (B, S, 128, 64) and their tempi (B, S), each output with (B, S)
        in front; the attributes are still logits."""
        batch, length = patches.shape[:2]
        bars = self.encoder(patches.reshape(batch * length, 1, *patches.shape[2:])).view(batch, length, -1)
        known = (bpm > UNKNOWN_BPM).to(bars.dtype)[..., None]
        bars = bars + known * self.tempo(((bpm - _USUAL_BPM) / _SPREAD_BPM).clamp(-3.0, 3.0)[..., None])
        bars = self.norm(self.context(self.drop(bars)))
        return self.genre(bars), self.attribute(bars), self.handover(bars)[..., 0], bars

    def forward(self, patches: Tensor, bpm: Tensor) -> Heard[Tensor]:
        """Answers for the consecutive bars (n, 1, 128, 64) of one mix and their tempi (n,)."""
        logits, attributes, handover, bars = self.sequences(patches.transpose(0, 1), bpm[None])
        return Heard(logits[0], told(attributes[0]), handover[0], nn.functional.normalize(bars[0], dim=1))


def load_weights(model: ModelFolder) -> MixNet:
    """The network of a model folder, in evaluation mode.

    Raises:
        ModelError: The weights do not fit the card.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    net = MixNet(len(model.genres), model.shape)
    try:
        net.load_state_dict(load_file(model.checked(WEIGHTS_FILE)), strict=True)
    except (RuntimeError, ValueError, KeyError, OSError, SafetensorError) as error:
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

    def hear(self, patches: NDArray[np.float32], bpm: NDArray[np.float32]) -> Heard[NDArray[np.float32]]:
        """Answers for consecutive bars (n, 1, 128, 64) and their tempi (n,)."""
        with torch.inference_mode():
            answers = self._net(torch.from_numpy(patches).to(self.device), torch.from_numpy(bpm).to(self.device))
        return Heard(*(part.float().cpu().numpy() for part in answers))
