"""Convolutional networks on 24 seconds of GTZAN by Lachmish, "MusicGenreClassification" (2016). Zone: trainer (torch).

The project copied the figure of a network with three layers of 1-D convolutions along time, and took the lengths that
stand in it (149, 73, 35) for numbers of filters: ``as_code`` builds that, 2-D, with every weight drawn from N(0, 1)
and raw power as input, whose first losses lie in the billions. ``as_paper`` is the network of the figure, ``fixed`` the
same on levels, started as He et al. (2015) do. A second network takes MFCC.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from housex_blender.analysis.front_ends.mlachmish import WINDOWS, SlidingWindows

from ..data.classes import GTZAN, HOMBURG
from ..data.collection import Piece, Track
from .base import Counted, Setup, Training
from .scratch import filled

MEL, MFCC = NAMES = ("mlachmish/mel-cnn", "mlachmish/mfcc-cnn")
OPTIONS: dict[str, tuple[str, ...]] = {"data": ("gtzan", "homburg")}

_CLASSES = {"gtzan": GTZAN, "homburg": HOMBURG}

_DROPOUT = 0.25
# as coded: filters and pooling of each 2-D layer, units of the dense one, what its biases start around
_CODED: dict[str, tuple[tuple[tuple[int, int], ...], int, float]] = {
    MEL: (((149, 4), (73, 2), (35, 2)), 8192, 0.01),
    MFCC: (((149, 4), (73, 2)), 1024, 0.0),
}
# as in the figure: the same for the 1-D layers
_DRAWN = ((256, 4), (256, 2), (512, 2))
_DRAWN_UNITS = 1024
_KERNEL = 4
_OUT_STD = 0.01


class _SamePool(nn.Module):
    """Greatest of each square, over an edge of zeros shared as TensorFlow does; for values not below 0."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def forward(self, maps: Tensor) -> Tensor:
        height, width = (-length % self.size for length in maps.shape[2:])
        edges = (width // 2, width - width // 2, height // 2, height - height // 2)
        return functional.max_pool2d(functional.pad(maps, edges), self.size)


class _Convolutional(nn.Module):
    """Convolutions, one dense layer, the answer."""

    def __init__(self, features: int, units: int, classes: int) -> None:
        super().__init__()
        self.dense = nn.Sequential(nn.Linear(features, units), nn.ReLU(), nn.Dropout(_DROPOUT))
        self.out = nn.Linear(units, classes)

    def maps(self, windows: Tensor) -> Tensor:
        """What the convolutions make of (B, frames, 599, bins)."""
        raise NotImplementedError

    def state(self, windows: Tensor) -> Tensor:
        """(B, units) of (B, frames, 599, bins)."""
        return cast(Tensor, self.dense(self.maps(windows).flatten(1)))

    def forward(self, windows: Tensor) -> Tensor:
        """(B, classes) logits of (B, frames, 599, bins)."""
        return cast(Tensor, self.out(self.state(windows)))


class CodedCnn(_Convolutional):
    """2-D convolutions over windows and bins, a window's frames as channels; every weight from N(0, 1).

    Args:
        shape: Frames, windows, bins.
        layers: Filters and pooling of each.
        units: Of the dense layer.
        bias: Around which biases start.
        classes: To choose from.
    """

    def __init__(
        self, shape: Sequence[int], layers: Sequence[tuple[int, int]], units: int, bias: float, classes: int = 10
    ) -> None:
        channels, height, width = shape
        parts: list[nn.Module] = []
        for filters, pool in layers:
            parts.append(_coded_layer(channels, filters, pool))
            channels, height, width = filters, -(-height // pool), -(-width // pool)
        super().__init__(channels * height * width, units, classes)
        self.convolutions = nn.Sequential(*parts)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.normal_(module.weight)
                nn.init.normal_(module.bias, mean=bias)

    def maps(self, windows: Tensor) -> Tensor:
        return cast(Tensor, self.convolutions(windows))


def _coded_layer(before: int, filters: int, pool: int) -> nn.Sequential:
    # 3 of an edge for 4 of a kernel, the odd one behind, as TensorFlow does
    edge = nn.ZeroPad2d((1, 2, 1, 2))
    return nn.Sequential(
        edge, nn.Conv2d(before, filters, _KERNEL), nn.ReLU(), _SamePool(pool), nn.Dropout(_DROPOUT)
    )  # fmt: skip


class DrawnCnn(_Convolutional):
    """1-D convolutions along the windows, bins as channels, the frames of a window averaged.

    Args:
        bins: 128 bands or 13 coefficients.
        standardise: Whether each bin is shifted and scaled by what training saw of it.
        classes: To choose from.
    """

    def __init__(self, bins: int, standardise: bool, classes: int = 10) -> None:
        channels, length = bins, WINDOWS
        parts: list[nn.Module] = []
        for filters, pool in _DRAWN:
            parts.append(_drawn_layer(channels, filters, pool))
            channels, length = filters, (length - _KERNEL + 1) // pool
        super().__init__(channels * length, _DRAWN_UNITS, classes)
        # without weights of its own, and true from the first step on: the mean over all that training saw so far
        self.standard = nn.BatchNorm1d(bins, affine=False, momentum=None) if standardise else nn.Identity()
        self.convolutions = nn.Sequential(*parts)
        for module in self.modules():
            if isinstance(module, nn.Conv1d | nn.Linear):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                nn.init.zeros_(module.bias)
        # no ReLU follows it: at He's scale first answers are far too sure, and Adam's first steps blow up
        nn.init.normal_(self.out.weight, std=_OUT_STD)

    def maps(self, windows: Tensor) -> Tensor:
        return cast(Tensor, self.convolutions(self.standard(windows.mean(dim=1).transpose(1, 2))))


def _drawn_layer(before: int, filters: int, pool: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv1d(before, filters, _KERNEL), nn.ReLU(), nn.MaxPool1d(pool), nn.Dropout(_DROPOUT))


def setup(name: str, preset: str, options: Mapping[str, str]) -> Setup:
    """One of NAMES, as :func:`trainer.systems.get_setup` asks for it."""
    front_end = _front_end(name, preset)
    data = options["data"]
    return Setup(
        system=name,
        preset=preset,
        options=dict(options),
        dataset=data,
        classes=_CLASSES[data],
        front_end=front_end,
        build=_builder(name, preset, front_end.shape, len(_CLASSES[data])),
        pieces=_first_seconds,
        split="random-clips" if preset == "as_code" else "tracks",
        labels="soft",
        training=_training(preset),
        counted=_counted(name, data),
        weights="none",
        notes=_NOTES[preset] + _NETWORK_NOTES[name, preset] + _DATA_NOTES[data, preset],
        embed=_states,
    )


def sample_vectors(inputs: Iterable[NDArray[np.floating]]) -> NDArray[np.float32]:
    """(n, 599 * bins) vectors of preprocessed clips, for the picture of the clips by genre that t-SNE makes.

    Args:
        inputs: (frames, 599, bins) each, as the front end gives them; the frames of a window are averaged.
    """
    return np.stack([np.asarray(clip, np.float32).mean(axis=0).ravel() for clip in inputs])


def _front_end(name: str, preset: str) -> SlidingWindows:
    feature = "mel" if name == MEL else "mfcc"
    if preset == "fixed":
        return SlidingWindows(feature, frames=1, scaling="log")
    # the mel network's code takes 2 frames of a window, its preprocessing makes 5
    return SlidingWindows(feature, frames=2 if (name, preset) == (MEL, "as_code") else 5, scaling="raw")


def _builder(name: str, preset: str, shape: tuple[int, ...], classes: int) -> Callable[[str], nn.Module]:
    def build(weights: str) -> nn.Module:
        network: nn.Module
        if preset == "as_code":
            network = CodedCnn(shape, *_CODED[name], classes)
        else:
            network = DrawnCnn(shape[-1], standardise=preset == "fixed", classes=classes)
        return filled(network, weights, name)

    return build


def _training(preset: str) -> Training:
    # 1562 steps of 64 are 125 times 800 clips; here each epoch ends with a small batch, which makes 1625
    shared: dict[str, Any] = {"optimiser": "adam", "batch": 64, "epochs": 125}
    if preset == "fixed":
        # 17 920 inputs of one dense layer: its first steps must be small ones
        return Training(**shared, lr=3e-4, schedule="cosine", warmup_share=0.05, patience=20)
    return Training(**shared, lr=1e-3, keep="last", reshuffle=False)


def _first_seconds(_track: Track, index: int, _draw: np.random.Generator) -> list[Piece]:
    return [Piece(index, 0.0)]


def _states(network: nn.Module, windows: Tensor) -> Tensor:
    return cast(_Convolutional, network).state(windows)


_COUNTED = {
    MEL: Counted(
        19_279_882,
        87_472_939,
        "The figure has 1-D layers of 256, 256 and 512 filters; the code took the lengths in it, 149, 73 and 35, for "
        "numbers of filters of 2-D layers.",
    ),
    MFCC: Counted(
        None,
        11_420_503,
        "10 255 of them are of a third convolution that the code allocates and never uses, which is left out here: "
        "11 410 248 do something; no figure shows this network, so as_paper is that of the mel network with 13 "
        "channels in place of 128.",
    ),
}


def _counted(name: str, data: str) -> Counted:
    if data == "gtzan":
        return _COUNTED[name]
    # nobody counted the network with an output less
    return Counted(None, None, "The published counts are of ten genres, here are nine.")


_NOTES = {
    "as_code": (
        "Every weight and bias is drawn from N(0, 1).",
        "The examples come in the same order in every epoch, and the last epoch is kept.",
    ),
    "as_paper": (
        "The network is that of the figure, 1-D along time; weights start as He et al. (2015) do, for the text is "
        "silent.",
        "What figure and text leave open (dropout, optimiser, batch, steps, the same order in every epoch) is as in "
        "the code.",
        "80/10/10 of the tracks, artists and duplicates on one side where known: the text does not say how clips were "
        "parted.",
        "24 s of a clip are used, as the figure's 599 columns 40 ms apart are; the text speaks of 10 s.",
    ),
    "fixed": (
        "The input is one spectrum every 40 ms, in dB below full scale, each bin standardised by the "
        "batch in training, by all of training afterwards.",
        "Weights start as He et al. (2015) do, those of the last layer small.",
        "The learning rate rises to 3e-4 and falls to 0.",
        "Tracks are parted, with artists and duplicates where known; the best epoch is kept.",
    ),
}
_NETWORK_NOTES: dict[tuple[str, str], tuple[str, ...]] = {
    (MEL, "as_code"): (
        "The input is raw power of 2 frames per window, from windows of 40 ms: the published preprocessing of 100 ms "
        "makes 5, which the published network does not take.",
    ),
    (MEL, "as_paper"): ("The input is raw power of windows of 100 ms, their 5 frames averaged.",),
    (MEL, "fixed"): (),
    (MFCC, "as_code"): ("Biases start around 0, those of the mel network around 0.01.",),
    (MFCC, "as_paper"): ("No figure shows this network: it is that of the mel network on 13 coefficients.",),
    (MFCC, "fixed"): ("The network is that of the mel network on 13 coefficients.",),
}
_SHORT = "Clips of Homburg are 10 s long: silence fills the input's 24 s."
_STEPS = (
    "125 epochs of 800 clips are 1625 steps, for each ends with a small batch; the 1562 of the code are batches of 64 "
    "across their ends."
)
_DATA_NOTES: dict[tuple[str, str], tuple[str, ...]] = {
    ("gtzan", "as_code"): (
        "The published run very likely mixed up its labels: features stood in the order of a dictionary, labels in "
        "that of the files, so that about 9.8 % were right; here each clip has its own label.",
        "80 % of the clips train, the others validate and test.",
        _STEPS,
    ),
    ("gtzan", "as_paper"): (
        "The data set is GTZAN, which the labels of the project show; the text names the Million Song Dataset.",
        _STEPS,
    ),
    ("gtzan", "fixed"): (),
    ("homburg", "as_code"): (
        _SHORT,
        "90 % of the clips train, the others validate and test: of the 1886 the published run tested 189.",
    ),
    ("homburg", "as_paper"): (_SHORT,),
    ("homburg", "fixed"): (_SHORT,),
}
