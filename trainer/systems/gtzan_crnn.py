"""Recurrent networks on GTZAN of "Neural Music Genre Classification" (Ghaemi 2021). Zone: trainer (torch).

Convolutions turn a picture of a mel spectrogram into a sequence along time, a GRU reads it, a dense layer names one of
ten genres. As the code stands, three slips keep most of the recurrent part out of the result: the answer is read from
the first of the stacked GRU layers, so those above it never learn; the ResNet pools time away, so its GRU sees one
step; and the loss takes the softmax's output for logits, so it cannot fall below ln(e + 9) - 1 = 1.4612. The preset
``as_code`` has them and parts pieces, whichever track they are of; ``as_paper`` does what the text says and parts
tracks, as ``fixed`` does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from torch import Tensor, nn

from housex_blender.analysis.front_ends.base import FrontEnd
from housex_blender.analysis.front_ends.gtzan import HOP, SAMPLE_RATE_HZ, USED_SAMPLES, GtzanArray, GtzanPicture

from ..data.classes import GTZAN
from ..data.collection import Piece, Track
from ..data.published import GTZAN_CUTS
from .backbones import backbone
from .base import Counted, Setup, Training
from .scratch import filled

BASE, EXTENDED, TRANSFER = NAMES = ("gtzan/crnn", "gtzan/crnn-extended", "gtzan/resnet18-gru")
OPTIONS: dict[str, tuple[str, ...]] = {"length": tuple(GTZAN_CUTS), "source": ("audio", "pictures")}

# filters of each stage, and its pooling along frequency and time
_STAGES: dict[str, tuple[tuple[int, int, int], ...]] = {
    BASE: ((64, 2, 2), (128, 4, 2), (128, 4, 2), (128, 4, 2)),
    EXTENDED: ((64, 2, 2), (128, 2, 2), (256, 2, 2), (512, 4, 1), (512, 4, 1)),
}
_RESNET_CHANNELS = 512
_HEIGHT = 288
_UNITS, _DROPOUT, _RECURRENT_DROPOUT = 32, 0.1, 0.3
_PAPER_HOP = 67


@dataclass(frozen=True)
class Reading:
    """How a network gets from the sequence to its answer.

    Attributes:
        layer: Of the stacked GRU layers whose last state is taken: 0 the lowest, -1 the highest.
        softmax: Whether the network ends in a softmax.
        over_time: Whether the ResNet pools over time as well as over frequency.
    """

    layer: int
    softmax: bool
    over_time: bool


_READINGS = {
    "as_code": Reading(layer=0, softmax=True, over_time=True),
    "as_paper": Reading(layer=-1, softmax=False, over_time=False),
    "fixed": Reading(layer=-1, softmax=False, over_time=False),
}


class Recurrent(nn.Module):
    """A sequence, GRU layers, a dense layer."""

    def __init__(self, features: int, layers: int, reading: Reading) -> None:
        super().__init__()
        self.layer = reading.layer
        self.gru = nn.GRU(features, _UNITS, layers, batch_first=True, dropout=_RECURRENT_DROPOUT)
        self.dense = nn.Linear(_UNITS, len(GTZAN))
        self.softmax = nn.Softmax(dim=1) if reading.softmax else nn.Identity()

    def sequence(self, pictures: Tensor) -> Tensor:
        """(B, steps, features) of (B, 3, H, W)."""
        raise NotImplementedError

    def state(self, pictures: Tensor) -> Tensor:
        """(B, 32) state of the chosen GRU layer after the last step."""
        _, states = self.gru(self.sequence(pictures))
        return cast(Tensor, states[self.layer])

    def forward(self, pictures: Tensor) -> Tensor:
        """(B, 10) logits, or probabilities with a softmax."""
        return cast(Tensor, self.softmax(self.dense(self.state(pictures))))


class Crnn(Recurrent):
    """Convolutions with ELU from scratch, then 2 GRU layers.

    Args:
        stages: Filters, and pooling along frequency and time, of each.
        reading: How it gets to its answer.
    """

    def __init__(self, stages: Sequence[tuple[int, int, int]], reading: Reading) -> None:
        height = _HEIGHT
        for _, down, _ in stages:
            height //= down
        super().__init__(stages[-1][0] * height, 2, reading)
        channels = (3, *(filters for filters, _, _ in stages))
        self.normalise = nn.BatchNorm2d(channels[0])
        self.stages = nn.Sequential(
            *(_stage(before, *stage) for before, stage in zip(channels[:-1], stages, strict=True))
        )

    def sequence(self, pictures: Tensor) -> Tensor:
        maps = self.stages(self.normalise(pictures))
        # along time, with rows and channels of each step side by side
        return cast(Tensor, maps.permute(0, 3, 2, 1).flatten(2))


def _stage(before: int, filters: int, down: int, along: int) -> nn.Sequential:
    """In the order of the paper: activated, then normalised."""
    return nn.Sequential(
        nn.Conv2d(before, filters, 3, padding=1),
        nn.ELU(),
        nn.BatchNorm2d(filters),
        nn.MaxPool2d((down, along)),
        nn.Dropout2d(_DROPOUT),
    )


class ResNetGru(Recurrent):
    """ResNet18 from ImageNet, its lower half frozen, then 3 GRU layers.

    Args:
        weights: As for :func:`trainer.systems.backbones.backbone`.
        reading: How it gets to its answer.
    """

    def __init__(self, weights: str, reading: Reading) -> None:
        super().__init__(_RESNET_CHANNELS, 3, reading)
        # stem, four layers, pooling, the 1000 classes of ImageNet
        *stem, layer1, layer2, layer3, layer4, _, _ = backbone("resnet18", weights).children()
        self.frozen = nn.Sequential(*stem, layer1, layer2)
        self.trained = nn.Sequential(layer3, layer4)
        self.pooled = (2, 3) if reading.over_time else (2,)

    def sequence(self, pictures: Tensor) -> Tensor:
        maps = self.trained(self.frozen(pictures)).mean(dim=self.pooled, keepdim=True)
        return cast(Tensor, maps.squeeze(2).transpose(1, 2))


def setup(name: str, preset: str, options: Mapping[str, str]) -> Setup:
    """One of NAMES, as :func:`trainer.systems.get_setup` asks for it."""
    reading = _READINGS[preset]
    frozen = name == TRANSFER
    return Setup(
        system=name,
        preset=preset,
        options=dict(options),
        dataset="gtzan",
        classes=GTZAN,
        front_end=_front_end(name, preset, options),
        build=_builder(name, reading),
        pieces=_pictures if options["source"] == "pictures" else _pieces(GTZAN_CUTS[options["length"]]),
        split="random-pieces" if preset == "as_code" else "tracks",
        labels="soft",
        training=_training(preset),
        counted=_COUNTED[name],
        weights="imagenet" if frozen else "none",
        notes=_notes(name, preset, options),
        group_lr={"frozen": 0.0} if frozen else {},
        embed=_states,
        prepare_training=_keep_frozen if frozen and preset == "fixed" else None,
    )


def _front_end(name: str, preset: str, options: Mapping[str, str]) -> FrontEnd:
    samples = USED_SAMPLES // GTZAN_CUTS[options["length"]]
    hop = _PAPER_HOP if preset == "as_paper" else HOP
    # what ImageNet's weights expect
    imagenet = preset == "fixed" and name == TRANSFER
    if preset == "fixed" and options["source"] == "audio":
        return GtzanArray(samples, hop, imagenet)
    return GtzanPicture(samples, hop, imagenet)


def _builder(name: str, reading: Reading) -> Callable[[str], nn.Module]:
    def build(weights: str) -> nn.Module:
        if name == TRANSFER:
            return ResNetGru(weights, reading)
        return filled(Crnn(_STAGES[name], reading), weights, name)

    return build


def _training(preset: str) -> Training:
    patience = 30 if preset == "as_code" else 10
    return Training(
        optimiser="adam",
        lr=1e-4,
        batch=16,
        epochs=1000,
        patience=patience,
        keep="last" if preset == "as_code" else "best",
        outputs="probabilities" if _READINGS[preset].softmax else "logits",
    )


def _pieces(chunks: int) -> Callable[[Track, int, np.random.Generator], list[Piece]]:
    """Equal pieces of the first 660 000 samples, those that lie within the track, but for a hundredth of them."""
    samples = USED_SAMPLES // chunks
    slack = samples // 100

    def cut(track: Track, index: int, _draw: np.random.Generator) -> list[Piece]:
        # a track that nobody measured is taken to be as long as it should
        length = round(track.duration_s * SAMPLE_RATE_HZ) or USED_SAMPLES
        starts = range(0, min(length + slack, USED_SAMPLES) - samples + 1, samples)
        return [Piece(index, start / SAMPLE_RATE_HZ) for start in starts]

    return cut


def _pictures(track: Track, index: int, _draw: np.random.Generator) -> list[Piece]:
    return [Piece(index, float(number), picture) for number, picture in enumerate(track.pictures)]


def _states(network: nn.Module, pictures: Tensor) -> Tensor:
    return cast(Recurrent, network).state(pictures)


def _keep_frozen(network: nn.Module) -> None:
    cast(ResNetGru, network).frozen.eval()


_COUNTED = {
    BASE: Counted(372_048, 406_224, "The paper's sum leaves out the GRU's 34 176."),
    EXTENDED: Counted(3_914_064, 4_021_968, "The paper's sum leaves out the GRU's 107 904."),
    TRANSFER: Counted(
        58_144_138,
        11_241_930,
        "The paper counts the 58 143 808 of a ResNet-152 and the dense layer's 330, and leaves out the GRU's 65 088.",
    ),
}

_NOTES = {
    "as_code": (
        "The network ends in a softmax whose output the loss takes for logits: it cannot fall below 1.4612.",
        "The answer is read from the first GRU layer; those above it get no gradient.",
        "Pieces of one track train, validate and test.",
        "Training stops after 30 epochs without a better validation loss, and the last epoch is kept.",
        "Class names are the right ones; the published confusion matrices name them in another order.",
    ),
    "as_paper": (
        "The answer is read from the last GRU layer, and softmax and cross-entropy are one.",
        "Frames are 67 samples apart, as the paper's table says; its pictures were made with 256.",
        "The sample rate is GTZAN's 22 050 Hz, which the paper gives as 22.5 kHz.",
        "The dense layer has 10 units, as in the text; the 20 of the table are of the network it descends from.",
        "80/10/10 of the tracks, artists and duplicates on one side where known: the paper does not say that pieces "
        "were parted, the code does.",
        "Training stops after 10 epochs without a better validation loss, and the best epoch is kept.",
    ),
    "fixed": (
        "The answer is read from the last GRU layer, and the loss is given logits.",
        "Tracks are parted, with artists and duplicates where known.",
        "Training stops after 10 epochs without a better validation loss, and the best epoch is kept.",
    ),
}
_TRANSFER_NOTES = {
    "as_code": (
        "The ResNet pools over time: the GRU sees a sequence of one step.",
        "Batch norm in the frozen part goes on following the data.",
    ),
    "as_paper": (
        "The ResNet pools over frequency only: the GRU sees 14 steps.",
        "The trunk is a ResNet18, as the text says; the published count is of a ResNet-152.",
    ),
    "fixed": (
        "The ResNet pools over frequency only: the GRU sees 14 steps.",
        "The frozen part stays in evaluation mode, and its input is normalised as for ImageNet.",
    ),
}


def _notes(name: str, preset: str, options: Mapping[str, str]) -> tuple[str, ...]:
    notes = _NOTES[preset] + (_TRANSFER_NOTES[preset] if name == TRANSFER else ())
    if options["source"] == "pictures":
        return (*notes, "The pictures of the data set are taken as they are, whatever length they show.")
    if preset == "fixed":
        return (*notes, "The input is levels in one fixed range in place of a coloured picture.")
    return notes
