"""The six networks of HouseX (arXiv 2207.11690): one bar of house as a picture, four sub-genres. Zone: trainer (torch).

Each is an image network with its 1000 ImageNet outputs, a dropout and one linear layer. What the paper does not say
(learning rate, batch, epochs, picture size) its code does; where the code does something else than the paper says,
the presets part.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from torch import Tensor, nn

from housex_blender.analysis.front_ends.base import FrontEnd
from housex_blender.analysis.front_ends.housex import (
    SAMPLE_RATE_HZ,
    SLICE_SAMPLES,
    HouseXArray,
    HouseXPicture,
)

from ..data.classes import HOUSEX
from ..data.collection import Piece, Track
from .backbones import IMAGENET_V1, NONE, backbone, downloads, imagenet_state, read_state, unfit
from .base import Counted, Setup, SplitRule, Training
from .scratch import filled
from .small_vit import SmallViT

OPTIONS: Mapping[str, tuple[str, ...]] = {"subset": ("whole", "drops"), "source": ("audio", "pictures")}

_OUTPUTS = 1000
_DENSENET, _MOBILENET = "densenet121", "mobilenet_v3_small"


@dataclass(frozen=True)
class _Network:
    """One of the six.

    Attributes:
        torchvision: Its name there; empty for the transformer.
        parameters: Of the reference code's model, the last layer included.
    """

    torchvision: str
    parameters: int


_NETWORKS = {
    "housex/mobilenet-v3-small": _Network(_MOBILENET, 2_546_860),
    "housex/resnet18": _Network("resnet18", 11_693_516),
    "housex/vgg16": _Network("vgg16", 138_361_548),
    "housex/densenet121": _Network(_DENSENET, 7_982_860),
    "housex/shufflenet-v2": _Network("shufflenet_v2_x1_0", 2_282_608),
    "housex/vit": _Network("", 17_867_660),
}
NAMES = tuple(_NETWORKS)

_AS_CODE = Training(optimiser="sgd", lr=2e-3, batch=4, epochs=20, keep="last")
# by accuracy: on a few tracks the loss soon grows with the confidence, while the answers still get better
_FIXED = Training(
    optimiser="sgd", lr=2e-3, batch=16, epochs=20, momentum=0.9, weight_decay=1e-4, schedule="cosine",
    warmup_share=0.05, monitor="val_accuracy", balanced=True, clip_norm=5.0,
)  # fmt: skip
# a transformer from scratch does not come off the ground with plain momentum
_FIXED_VIT = Training(
    optimiser="adamw", lr=3e-4, batch=16, epochs=20, weight_decay=0.05, schedule="cosine", warmup_share=0.1,
    monitor="val_accuracy", balanced=True, clip_norm=1.0,
)  # fmt: skip

# torchvision's MobileNetV3 follows its data by 1 % a step: on a small set training ends before validation means much
_NORM_MOMENTUM = 0.1

_VIT_DECLARED, _VIT_PATCH = (224, 224), (32, 32)
# patches that fill the input: 8 x 9 of 16 bands by 0.21 s, or 6 x 6 of 16 pixels
_VIT_FIXED = {"audio": ((128, 81), (16, 9)), "pictures": ((96, 96), (16, 16))}


def setup(name: str, preset: str, options: Mapping[str, str]) -> Setup:
    """One of the six networks; see ``trainer.systems.get_setup``."""
    network, fixed, source = _NETWORKS[name], preset == "fixed", options["source"]
    if network.torchvision:
        training = _FIXED if fixed else _AS_CODE
    else:
        training = _FIXED_VIT if fixed else _AS_CODE
    return Setup(
        system=name,
        preset=preset,
        options=dict(options),
        dataset="housex",
        classes=HOUSEX,
        front_end=_front_end(fixed, source),
        build=partial(_build, network, preset, source),
        pieces=_pieces_of(fixed, options),
        split=_split(fixed, source),
        labels="sharpen",
        training=training,
        counted=_counted(network, fixed, source),
        weights=IMAGENET_V1 if network.torchvision else NONE,
        notes=(*_shared_notes(preset, options), *_network_notes(network, preset, source)),
        embed=_features if fixed else _answers,
    )


def _front_end(fixed: bool, source: str) -> FrontEnd:
    # a picture that somebody else painted cannot be unpainted
    return HouseXArray() if fixed and source == "audio" else HouseXPicture()


def _split(fixed: bool, source: str) -> SplitRule:
    # the published pictures lie in folders by part, the tracks themselves come without a list
    if source == "pictures":
        return "published"
    return "tracks" if fixed else "housex"


# --- pieces


def whole_slices(samples: int) -> range:
    """Numbers of the slices of a track of so many samples at 22 050 Hz: as many as fit, from sample 0 on."""
    return range(samples // SLICE_SAMPLES)


def touched_slices(samples: int, start_s: float, end_s: float) -> range:
    """Numbers of the slices of the whole track that share sound with a span.

    Sixteen bars at 128 BPM are 16 slices and, wherever the first one begins, touch 17: the published set has 17.05 a
    track.
    """
    first = max(0, int(start_s * SAMPLE_RATE_HZ)) // SLICE_SAMPLES
    last = -(-int(end_s * SAMPLE_RATE_HZ) // SLICE_SAMPLES)
    return range(first, min(last, len(whole_slices(samples))))


def _samples(track: Track) -> int:
    return round(track.duration_s * SAMPLE_RATE_HZ)


def _pictures(track: Track, index: int, _rng: np.random.Generator) -> Sequence[Piece]:
    return [Piece(index, float(number), path) for number, path in enumerate(track.pictures)]


def _at_slices(index: int, numbers: Sequence[int]) -> list[Piece]:
    return [Piece(index, number * SLICE_SAMPLES / SAMPLE_RATE_HZ) for number in numbers]


def _whole(track: Track, index: int, _rng: np.random.Generator) -> Sequence[Piece]:
    return _at_slices(index, whole_slices(_samples(track)))


def _drops_as_published(track: Track, index: int, _rng: np.random.Generator) -> Sequence[Piece]:
    spans = [touched_slices(_samples(track), start, end) for start, end in track.drops_s or ()]
    return _at_slices(index, sorted({number for span in spans for number in span}))


def _drops_from_their_start(track: Track, index: int, _rng: np.random.Generator) -> Sequence[Piece]:
    pieces = []
    for start_s, end_s in track.drops_s or ():
        first, last = max(0, round(start_s * SAMPLE_RATE_HZ)), min(round(end_s * SAMPLE_RATE_HZ), _samples(track))
        starts = (first + number * SLICE_SAMPLES for number in whole_slices(max(0, last - first)))
        pieces += [Piece(index, start / SAMPLE_RATE_HZ) for start in starts]
    return pieces


def _pieces_of(fixed: bool, options: Mapping[str, str]) -> Callable[[Track, int, np.random.Generator], Sequence[Piece]]:
    if options["source"] == "pictures":
        return _pictures
    if options["subset"] == "whole":
        return _whole
    return _drops_from_their_start if fixed else _drops_as_published


# --- networks


def _build(network: _Network, preset: str, source: str, weights: str) -> nn.Module:
    """Backbone, dropout, last layer.

    Raises:
        HouseXError: torchvision is missing.
        ModelError: The weights cannot be had, or are of another network.
    """
    if not network.torchvision:
        seen = _vit(preset == "fixed", source, weights)
    elif network.torchvision == _DENSENET and preset == "as_code":
        seen = _densenet_as_code(weights)
    else:
        seen = backbone(network.torchvision, weights)
    if preset == "fixed":
        for part in seen.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.momentum = _NORM_MOMENTUM
    return nn.Sequential(seen, nn.Dropout(0.5), nn.Linear(_OUTPUTS, len(HOUSEX)))


def _vit(fixed: bool, source: str, weights: str) -> nn.Module:
    made = SmallViT(*(_VIT_FIXED[source] if fixed else (_VIT_DECLARED, _VIT_PATCH)), outputs=_OUTPUTS)
    return filled(made, weights, "housex/vit")


def _densenet_as_code(weights: str) -> nn.Module:
    """DenseNet121 with what arrives of ImageNet when its file is loaded without renaming the dense layers' tensors.

    The reference code did so and told torch not to mind: stem, transitions, last norm and classifier fit, all dense
    layers keep the random numbers that they began with.
    """
    made = backbone(_DENSENET)
    if weights == NONE:
        return made
    state = imagenet_state(_DENSENET, weights) if downloads(weights) else read_state(Path(weights), _DENSENET)
    kept = {key: value for key, value in state.items() if "denselayer" not in key}
    expected = {key for key, _ in made.named_parameters() if "denselayer" not in key}
    try:
        strange = made.load_state_dict(kept, strict=False).unexpected_keys
    except RuntimeError as error:
        raise unfit(Path(weights).name, _DENSENET) from error
    if strange or not expected <= set(kept):
        raise unfit(Path(weights).name, _DENSENET)
    return made


def _answers(network: nn.Module, batch: Tensor) -> Tensor:
    """(B, 4): the paper's map of "embeddings" is made of the answers themselves."""
    answers: Tensor = network(batch)
    return answers


def _features(network: nn.Module, batch: Tensor) -> Tensor:
    """(B, 1000): what the last layer is given."""
    assert isinstance(network, nn.Sequential)
    features: Tensor = network[0](batch)
    return features


# --- what differs


def _counted(network: _Network, fixed: bool, source: str) -> Counted:
    if network.torchvision:
        return Counted(None, network.parameters, "The paper gives no number.")
    if not fixed:
        return Counted(None, network.parameters, "The paper gives no number; 40 of the 50 positions are never used.")
    patch = _VIT_FIXED[source][1]
    return Counted(
        None,
        network.parameters,
        f"The paper gives no number; patches of {patch[0]} x {patch[1]} instead of 32 x 32 need a smaller first layer "
        "and more positions.",
    )


def _shared_notes(preset: str, options: Mapping[str, str]) -> tuple[str, ...]:
    source, subset = options["source"], options["subset"]
    notes = []
    if preset == "fixed":
        notes.append("The learning rate warms up and falls as a cosine, classes are drawn equally often.")
        notes.append("The epoch with the best validation accuracy is kept.")
        if source == "audio":
            notes.append("Numbers in a fixed range of levels, 128 x 81, no picture: quiet is quiet, silence is empty.")
        else:
            notes.append("The published pictures cannot be unpainted: each has its own range of colours.")
        notes.append("The window stays 1.875 s and knows no beats.")
        notes.append("One split per seed, not folds.")
    else:
        notes.append("SGD 0.002 without momentum, batches of 4, 20 epochs, the last epoch; validation chooses nothing.")
        notes.append("Each slice is painted as its own picture, 516 x 389, and squeezed to 96 x 96.")
        notes.append("Levels are relative to the loudest value of the slice: how loud it is cannot be seen.")
    if preset == "as_code":
        notes.append("A new optimiser each epoch, as the code makes, changes nothing: plain SGD remembers nothing.")
    if preset == "as_paper":
        notes.append("The paper says nothing of optimiser, rate, batch, epochs, dropout and size: the code's values.")
        notes.append("The paper writes of stereo; the code, and this, mixes to one channel.")
    if source == "audio":
        if preset == "fixed":
            notes.append("80/10/10 of the tracks, artists on one side.")
        else:
            notes.append("128/20/12 of 160 tracks, as published, drawn within the classes, for no list came with them.")
            notes.append("The published pictures were JPEGs; here nothing is compressed.")
        if subset == "drops":
            notes.append(
                "Slices count from the start of the drop and end in it."
                if preset == "fixed"
                else "Every slice of the whole set that touches the drop; the published counts fit this."
            )
    return tuple(notes)


_SAME = "as_code and as_paper do the same: code and paper part in the weights of DenseNet121 alone."


def _network_notes(network: _Network, preset: str, source: str) -> tuple[str, ...]:
    if not network.torchvision:
        return (_vit_note(preset, source), *(() if preset == "fixed" else (_SAME,)))
    notes: tuple[str, ...] = ()
    if preset == "fixed":
        notes = ("SGD with momentum and weight decay, batches of 16.",)
    if network.torchvision == _MOBILENET and preset == "fixed":
        notes += ("Batch norm follows the data by 10 % a step, not by torchvision's 1 %.",)
    if network.torchvision != _DENSENET:
        return notes if preset == "fixed" else (_SAME,)
    if preset == "as_code":
        return (
            "Of the ImageNet file only stem, transitions, last norm and classifier arrive, none of the dense layers, "
            "which hold 6 250 560 of 7 978 856 numbers; as_code and as_paper differ in this alone.",
        )
    return (*notes, "All of the ImageNet file is loaded, which the reference code missed.")


def _vit_note(preset: str, source: str) -> str:
    if preset != "fixed":
        return "Declared for 224 x 224 and fed 96 x 96: 9 patches, which get the first 10 of 50 positions."
    (height, width), (down, across) = _VIT_FIXED[source]
    count = (height // down) * (width // across)
    return f"{count} patches of {down} x {across}, every one with its own position; AdamW, batches of 16."
