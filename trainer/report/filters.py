"""What a network looks for: its first filters, and what the strongest activations of a layer respond to. Zone: trainer.

The place that an activation depends on is found by its gradient: the part of the input that moves it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from housex_blender.core.errors import HouseXError

from .drawing import BACK, DIM, FRAME, RAMP, SIGNED, bare, picture, ramp
from .spectra import Looks

_MOST_FILTERS = 64
_CHANNELS, _EXAMPLES = 6, 5
# where the gradient is below this share of its greatest value, the input hardly matters
_MATTERS = 0.1
# a crop is not smaller than this, so that something can be recognised in it
_LEAST_CROP = 12
# percentiles of a crop that become dark and bright
_SHOWN = (2, 98)
_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d)


def convolutions(network: nn.Module) -> dict[str, nn.Module]:
    """The convolutions of a network by name, in the order in which they were built."""
    return {name: module for name, module in network.named_modules() if isinstance(module, _CONVOLUTIONS)}


def convolution(network: nn.Module, name: str) -> nn.Module:
    """One convolution by its name.

    Raises:
        HouseXError: There is none of that name.
    """
    found = convolutions(network)
    if name not in found:
        some = f"It has {', '.join(list(found)[:12])} ..." if found else "It has none at all."
        raise HouseXError(f"The network has no convolution {name!r}.", some)
    return found[name]


def first_filters(network: nn.Module) -> tuple[str, NDArray[np.float32]] | None:
    """Name and (filters, inputs, height, width) weights of the first convolution; height 1 for one along time.

    None for a network without convolutions.
    """
    for name, module in convolutions(network).items():
        weights = module.weight.detach().float().cpu().numpy()
        return name, weights[:, :, None, :] if weights.ndim == 3 else weights
    return None


def draw_filters(name: str, weights: NDArray[np.float32], path: Path, title: str, coloured: bool) -> None:
    """Draw the filters of a first layer.

    Args:
        name: Of the layer.
        weights: As :func:`first_filters` returns; of a convolution along time the inputs are drawn as rows.
        path: PNG to write.
        title: Above it.
        coloured: Whether the inputs are red, green and blue.

    Raises:
        HouseXError: matplotlib is not installed, or the file cannot be written.
    """
    count = min(len(weights), _MOST_FILTERS)
    pictures = [_filter_picture(one, coloured) for one in weights[:count]]
    tall = pictures[0].shape[0] > 4 * pictures[0].shape[1]
    columns = min(count, 32 if tall else 8)
    rows = -(-count // columns)
    height = rows * (1.9 if tall else 0.95) + 0.9
    what = f"{title}\n{name}: {count} of {len(weights)} filters, {_size(weights, coloured)}"
    with picture(path, max(columns * (0.32 if tall else 0.95), 6.4) + 0.6, height, what) as figure:
        for number, one in enumerate(pictures):
            axis = figure.add_subplot(rows, columns, number + 1)
            if one.ndim == 2 and one.shape[0] == 1:
                axis.plot(one[0], color=RAMP[2], linewidth=1.2)
            else:
                limit = float(np.abs(one).max()) or 1.0
                axis.imshow(one, cmap=ramp(SIGNED), vmin=-limit, vmax=limit, aspect="auto" if tall else "equal",
                            origin="upper" if coloured else "lower", interpolation="nearest")  # fmt: skip
            bare(axis)


def _size(weights: NDArray[np.float32], coloured: bool) -> str:
    _, inputs, height, width = weights.shape
    if height == 1:
        return f"{inputs} inputs (rows) by {width} steps in time" if inputs > 1 else f"{width} samples"
    mean = "" if coloured or inputs == 1 else f", mean of {inputs} inputs"
    return f"{height} by {width}{mean}"


def _filter_picture(weights: NDArray[np.float32], coloured: bool) -> NDArray[np.float32]:
    """(H, W) signed, or (H, W, 3) in 0..1, of (inputs, H, W)."""
    if weights.shape[1] == 1:
        return weights[:, 0, :]
    if coloured and weights.shape[0] == 3:
        low, high = float(weights.min()), float(weights.max())
        return ((weights - low) / max(high - low, 1e-9)).transpose(1, 2, 0)
    mean: NDArray[np.float32] = weights.mean(axis=0)
    return mean


@dataclass(frozen=True)
class Response:
    """Where one channel is strongest in one example.

    Attributes:
        channel: Of the layer.
        example: Index of the input.
        value: Of the activation.
        box: (top, bottom, left, right) of what matters in the input's last two axes, ends exclusive.
    """

    channel: int
    example: int
    value: float
    box: tuple[int, int, int, int]


def middle_layer(network: nn.Module) -> str:
    """Name of a convolution about a fifth of the way through, after the first where there are more.

    Raises:
        HouseXError: There is none.
    """
    names = list(convolutions(network))
    if not names:
        raise HouseXError("This network has no convolution whose activations have a place.", "Choose another network.")
    return names[min(max(1, len(names) // 5), len(names) - 1)]


def strongest(network: nn.Module, inputs: Sequence[Tensor], layer: str) -> list[Response]:
    """The inputs that make the liveliest channels of a layer answer most strongly, and where in them.

    Args:
        network: In evaluation mode, on the device of the inputs.
        inputs: Examples, each (*shape).
        layer: Name of a convolution, see :func:`convolutions`.

    Returns:
        For each of 6 channels the 5 strongest examples, the channel that varies most first.

    Raises:
        HouseXError: There is no such layer.
    """
    network.eval()
    with _Tap(convolution(network, layer)) as tap:
        with torch.no_grad():
            peaks = torch.stack([tap.of(network, one).amax(dim=(0, *range(2, tap.axes))) for one in inputs])
        # in units of each channel's own spread between examples: a channel that is always loud says nothing
        spread = (peaks.amax(dim=0) - peaks.mean(dim=0)) / peaks.std(dim=0).clamp(min=1e-9)
        top = peaks.topk(min(2, len(peaks)), dim=0).values
        # examples that share their greatest answer to the last bit share silence or padding, not a sound
        told_apart = (top[0] - top[-1] > 1e-6 * top[0].abs()) | (len(peaks) == 1)
        lively = torch.where((peaks.std(dim=0) > 1e-9) & told_apart, spread, torch.full_like(spread, -1.0))
        channels = lively.topk(min(_CHANNELS, peaks.shape[1])).indices.tolist()
        return [
            Response(channel, example, float(peaks[example, channel]), _box(tap, network, inputs[example], channel))
            for channel in channels
            for example in peaks[:, channel].topk(min(_EXAMPLES, len(inputs))).indices.tolist()
        ]


class _Tap:
    """Reads the output of one layer while the network runs."""

    def __init__(self, module: nn.Module) -> None:
        self._module = module
        self._output: Tensor | None = None
        self.axes = 0

    def __enter__(self) -> _Tap:
        self._handle = self._module.register_forward_hook(self._keep)
        return self

    def __exit__(self, *_error: object) -> None:
        self._handle.remove()

    def _keep(self, _module: nn.Module, _inputs: Any, output: Tensor) -> None:
        self._output = output

    def of(self, network: nn.Module, example: Tensor) -> Tensor:
        """(patches, channels, places...) activations of the layer for one example."""
        network(example[None])
        if self._output is None:
            raise HouseXError("The network does not use this layer.", "Choose another one.")
        self.axes = self._output.ndim
        return self._output


def _box(tap: _Tap, network: nn.Module, example: Tensor, channel: int) -> tuple[int, int, int, int]:
    """What part of the input moves the greatest activation of a channel."""
    moved = example.detach().clone().requires_grad_(True)
    tap.of(network, moved)[:, channel].max().backward()
    network.zero_grad(set_to_none=True)
    gradient = moved.grad if moved.grad is not None else torch.zeros_like(moved)
    strength = (
        gradient.abs().reshape(-1, *gradient.shape[-2:]).amax(dim=0) if gradient.ndim > 1 else gradient.abs()[None]
    )
    matters = strength > _MATTERS * strength.max()
    edges = [
        _ends(matters.any(dim=other).nonzero().flatten().tolist(), matters.shape[axis])
        for axis, other in ((0, 1), (1, 0))
    ]
    return (*edges[0], *edges[1])


def _ends(places: list[int], length: int) -> tuple[int, int]:
    """First and last place, widened to what can be recognised."""
    first, last = (places[0], places[-1] + 1) if places else (0, length)
    missing = max(0, _LEAST_CROP - (last - first))
    first = max(0, min(first - missing // 2, length - max(last - first, _LEAST_CROP)))
    return first, min(length, max(last, first + _LEAST_CROP))


def draw_responses(
    responses: Sequence[Response],
    spectra: Sequence[NDArray[np.floating]],
    captions: Sequence[str],
    path: Path,
    title: str,
    looks: Looks,
) -> None:
    """Draw what the strongest activations respond to: one row per channel, crops of the spectra.

    Args:
        responses: From :func:`strongest`.
        spectra: Of each example, from :func:`spectra.as_spectrum`.
        captions: One line for each example.
        path: PNG to write.
        title: Above it.
        looks: How the axes of the spectra lie.

    Raises:
        HouseXError: matplotlib is not installed, or the file cannot be written.
    """
    channels = list(dict.fromkeys(response.channel for response in responses))
    columns = max(sum(response.channel == channel for response in responses) for channel in channels)
    with picture(path, 2.15 * columns + 0.9, 1.95 * len(channels) + 0.8, title) as figure:
        axes = figure.subplots(len(channels), columns, squeeze=False)
        for row, channel in zip(axes, channels, strict=True):
            mine = [response for response in responses if response.channel == channel]
            row[0].set_ylabel(f"channel {channel}", fontsize=8.5, color=DIM)
            for axis in row:
                bare(axis)
            for axis, response in zip(row, mine, strict=False):
                _draw_crop(axis, spectra[response.example], response, looks)
                axis.set_title(
                    f"{captions[response.example]}\n{_place(response, spectra, looks)}", fontsize=7, color=DIM
                )


def _place(response: Response, spectra: Sequence[NDArray[np.floating]], looks: Looks) -> str:
    """Strength, and which part of the spectrum from its lowest to its highest frequency."""
    first, last = response.box[2:] if looks.time_first else response.box[:2]
    height = spectra[response.example].shape[1 if looks.time_first else 0]
    if not looks.low_first:
        first, last = height - last, height - first
    return f"{response.value:.3g}, {100 * first / height:.0f} to {100 * last / height:.0f} % of the height"


def _draw_crop(axis: Any, spectrum: NDArray[np.floating], response: Response, looks: Looks) -> None:
    """The place that matters in a frame, with as much again around it."""
    rows = _around(*response.box[:2], spectrum.shape[0])
    columns = _around(*response.box[2:], spectrum.shape[1])
    crop = spectrum[slice(*rows), slice(*columns)]
    top, left = response.box[0] - rows[0] - 0.5, response.box[2] - columns[0] - 0.5
    height, width = response.box[1] - response.box[0], response.box[3] - response.box[2]
    if looks.time_first:
        crop, top, left, height, width = crop.swapaxes(0, 1), left, top, width, height
    limits: dict[str, Any] = {}
    if crop.ndim == 2:
        # of the crop alone and without its extremes: one loud row would leave the rest without contrast
        low, high = np.percentile(crop, _SHOWN)
        limits = {"vmin": float(low), "vmax": float(high), "cmap": ramp(RAMP)}
    axis.imshow(crop, origin="lower" if looks.low_first else "upper", aspect="auto", interpolation="nearest", **limits)
    if (height, width) != crop.shape[:2]:
        corners = ([left, left + width, left + width, left, left], [top, top, top + height, top + height, top])
        # dark under bright, so that the frame shows on every picture
        for colour, thickness in ((BACK, 2.6), (FRAME, 1.2)):
            axis.plot(*corners, color=colour, linewidth=thickness)
    axis.margins(0)


def _around(first: int, last: int, length: int) -> tuple[int, int]:
    """A stretch with half its length before and after it, inside 0..length."""
    more = (last - first + 1) // 2
    return max(0, first - more), min(length, last + more)
