"""The mainstage benchmark's networks: patches of a spectrogram, an image network, a transformer. Zone: trainer (torch).

Benchmarking Sub-Genre Classification For Mainstage Dance Music (arXiv 2409.06690). A clip of 7.5 s is cut into squares
of 224 frames every 16 frames; a torchvision network with its 1000 outputs makes a vector of each, one encoder layer
lets them look at each other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from housex_blender.analysis.front_ends.mainstage import CLIP_S, ROWS, MainstageMaps
from housex_blender.core.errors import HouseXError

from ..data.by_track import chance
from ..data.classes import MAINSTAGE
from ..data.collection import Piece, Track
from . import backbones
from .base import Counted, LabelRule, Setup, Training

# name in torchvision and its parameters, with 1000 outputs
_EXTRACTORS = {
    "vit-b-16": ("vit_b_16", 86_567_656),
    "vgg11-bn": ("vgg11_bn", 132_868_840),
    "densenet201": ("densenet201", 20_013_928),
    "resnet152": ("resnet152", 60_192_808),
    "resnext101-32x8d": ("resnext101_32x8d", 88_791_336),
    "resnet18": ("resnet18", 11_689_512),
    "resnet34": ("resnet34", 21_797_672),
    "resnet50": ("resnet50", 25_557_032),
    "resnet101": ("resnet101", 44_549_160),
    "densenet121": ("densenet121", 7_978_856),
}
NAMES = tuple(f"mainstage/{name}" for name in _EXTRACTORS)
# as the paper names them (clean: its code alone) -> what the loss is given
_LABELS: Mapping[str, LabelRule] = {"soft": "soft", "hard": "sharpen", "clean": "clean"}
OPTIONS: Mapping[str, tuple[str, ...]] = {
    "chroma": ("without", "with"),
    "labels": tuple(_LABELS),
    "heads": ("6", "1", "2", "3", "4", "8", "12"),
    "layers": ("1", "2", "3", "4", "5", "6"),
    # saving: patches are heard again when their gradient is due, instead of being kept
    "memory": ("plain", "saving"),
}

PATCH_FRAMES = ROWS
PATCH_HOP = 16
WIDTH = 768
CLIPS_PER_DROP = 4
_CLIP_HOP_S = CLIP_S / 2
_FEED_FORWARD, _DROPOUT, _LONGEST = 2048, 0.1, 5000
# of the adapter, one encoder layer and the last layer
_ADAPTER_PARAMETERS, _LAYER_PARAMETERS, _LAST_PARAMETERS = 768_768, 5_513_984, 6_152
# repaired, so many patches share the statistics of batch normalisation
_PATCHES_TOGETHER = 7


def patch_starts(frames: int, tail: bool) -> tuple[int, ...]:
    """First frames of the patches of a clip.

    Args:
        frames: Of the clip.
        tail: Whether a last patch ends with the clip. The reference code leaves out the last offset: of 646 frames it
            sees the first 640.

    Raises:
        HouseXError: The clip is shorter than a patch.
    """
    if frames < PATCH_FRAMES:
        raise HouseXError(
            f"A clip of {frames} frames is shorter than one patch of {PATCH_FRAMES}.",
            "Give it at least 2.6 s of sound.",
        )
    last = frames - PATCH_FRAMES
    starts = tuple(range(0, max(last, 1), PATCH_HOP))
    return (*starts, last) if tail and starts[-1] != last else starts


class Position(nn.Module):
    """Sines and cosines added to tokens, with dropout (Vaswani et al. 2017); no parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.dropout = nn.Dropout(_DROPOUT)
        at = torch.arange(_LONGEST)[:, None] * torch.exp(torch.arange(0, WIDTH, 2) * (-math.log(10000.0) / WIDTH))
        table = torch.stack([torch.sin(at), torch.cos(at)], dim=-1).flatten(1)
        self.register_buffer("table", table, persistent=False)

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, M, 768) to the same."""
        moved: Tensor = self.dropout(tokens + self.table[: tokens.shape[1]])
        return moved


@contextmanager
def _statistics_kept(network: nn.Module) -> Iterator[None]:
    """Batch normalisation leaves its running statistics alone: they have already seen this batch."""
    layers = [layer for layer in network.modules() if isinstance(layer, nn.modules.batchnorm._BatchNorm)]
    before = [(layer.momentum, layer.num_batches_tracked) for layer in layers]
    for layer in layers:
        # switching the statistics off would save other tensors than the first time, which checkpoints refuse
        layer.momentum = 0.0
        layer.num_batches_tracked = layer.num_batches_tracked.clone()
    try:
        yield
    finally:
        for layer, (momentum, seen) in zip(layers, before, strict=True):
            layer.momentum, layer.num_batches_tracked = momentum, seen


class PatchSequence(nn.Module):
    """Clips to logits.

    Args:
        extractor: (n, 3, 224, 224) to (n, 1000).
        classes: Outputs.
        heads: Of the encoder layers.
        layers: Encoder layers.
        positioned: Whether the tokens know their place; otherwise the module for it exists and is not used.
        mean: Whether the last layer sees the mean of all tokens; otherwise the first.
        tail: Whether the end of the clip is covered.
        together: Patches of each clip that the extractor hears at once, far apart in time, and over which batch
            normalisation takes its statistics.
        saving: Whether patches are heard again for their gradient; slower by a third, and the memory of one call of
            the extractor is enough. The result is the same.
    """

    def __init__(
        self,
        extractor: nn.Module,
        classes: int = len(MAINSTAGE),
        *,
        heads: int = 6,
        layers: int = 1,
        positioned: bool = False,
        mean: bool = False,
        tail: bool = False,
        together: int = 1,
        saving: bool = False,
    ) -> None:
        super().__init__()
        self.positioned, self.mean, self.tail, self.together, self.saving = positioned, mean, tail, together, saving
        self.extractor = extractor
        self.adapter = nn.Sequential(nn.ReLU(), nn.Linear(1000, WIDTH), nn.Tanh())
        self.position = Position()
        layer = nn.TransformerEncoderLayer(WIDTH, heads, _FEED_FORWARD, _DROPOUT, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.last = nn.Linear(WIDTH, classes)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, 224, frames) with at least 224 frames to (B, classes) logits."""
        logits: Tensor = self.last(self.embed(x))
        return logits

    def embed(self, x: Tensor) -> Tensor:
        """(B, 768) before the last layer."""
        tokens = self.tokens(x)
        seen = self.encoder(self.position(tokens) if self.positioned else tokens)
        return torch.relu(seen.mean(dim=1) if self.mean else seen[:, 0])

    def tokens(self, x: Tensor) -> Tensor:
        """(B, patches, 768) before the encoder."""
        starts = patch_starts(x.shape[-1], self.tail)
        calls = -(-len(starts) // self.together)
        order = [index for call in range(calls) for index in range(call, len(starts), calls)]
        heard = []
        for call in range(calls):
            mine = starts[call::calls]
            images = torch.stack([x[..., start : start + PATCH_FRAMES] for start in mine], dim=1)
            heard.append(self._heard(images.flatten(0, 1)).reshape(-1, len(mine), WIDTH))
        return torch.cat(heard, dim=1)[:, np.argsort(order).tolist()]

    def _heard(self, images: Tensor) -> Tensor:
        if not (self.saving and self.training and torch.is_grad_enabled()):
            vectors: Tensor = self.adapter(self.extractor(images))
            return vectors
        again: Tensor = checkpoint(
            lambda these: self.adapter(self.extractor(these)), images, use_reentrant=False, context_fn=self._contexts
        )
        return again

    def _contexts(self) -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        return nullcontext(), _statistics_kept(self.extractor)


def _extractor(name: str, weights: str) -> nn.Module:
    made = backbones.backbone(name, weights)
    if weights == backbones.NONE and name.startswith("vit"):
        # torchvision starts its last layer at zero, and behind a ReLU at zero no gradient ever comes through
        nn.init.trunc_normal_(made.heads.head.weight, std=0.02)
    return made


def _build(name: str, preset: str, options: Mapping[str, str]) -> Callable[[str], nn.Module]:
    fixed = preset == "fixed"

    def build(weights: str) -> nn.Module:
        return PatchSequence(
            _extractor(name, weights),
            heads=int(options["heads"]),
            layers=int(options["layers"]),
            positioned=preset != "as_code",
            mean=fixed,
            tail=fixed,
            together=_PATCHES_TOGETHER if fixed else 1,
            saving=options["memory"] == "saving",
        )

    return build


def random_clips(track: Track, index: int, rng: np.random.Generator) -> Sequence[Piece]:
    """Four clips per drop wherever the generator says; a track whose drops nobody looked for has none."""
    return [
        Piece(index, float(rng.uniform(start_s, end_s - CLIP_S)))
        for start_s, end_s in track.drops_s or ()
        for _ in range(CLIPS_PER_DROP)
        if end_s - start_s >= CLIP_S
    ]


def even_clips(track: Track, index: int, _rng: np.random.Generator) -> Sequence[Piece]:
    """A clip for every 3.75 s of a drop, each somewhere in its own stretch of it; the same in every run."""
    rng = np.random.default_rng(int(chance(0, track.name)[:16], 16))
    pieces = []
    for start_s, end_s in track.drops_s or ():
        room_s = end_s - start_s - CLIP_S
        count = max(0, math.floor(room_s / _CLIP_HOP_S) + 1)
        places = (np.arange(count) + rng.uniform(size=count)) / max(count, 1)
        pieces += [Piece(index, float(start_s + room_s * place)) for place in places]
    return pieces


_PUBLISHED_TRAINING = Training("adam", lr=1e-4, batch=4, epochs=5, monitor="val_accuracy", validations=2)


def _training(extractor: str, preset: str) -> Training:
    if preset == "as_code":
        return replace(_PUBLISHED_TRAINING, keep="last")
    if preset == "as_paper":
        return _PUBLISHED_TRAINING
    return Training(
        "adamw",
        lr=2e-5 if extractor.startswith("vit") else 1e-4,
        batch=4,
        epochs=6,
        weight_decay=0.01,
        schedule="cosine",
        warmup_share=0.1,
        patience=3,
        balanced=True,
        clip_norm=1.0,
    )


_NOTES = {
    "as_code": (
        "The encoding of the position is made and never applied: but for the first patch, their order does not matter.",
        "27 patches; the last 6 frames of a clip are not seen.",
        "Each patch offset is a batch of its own for batch normalisation: statistics over 4 images.",
        "The maps are turned over (loud is 0) and not scaled as ImageNet's pictures; levels are relative to the clip.",
        "Four clips per drop however long it is, at places drawn anew with each seed; classes as they come.",
        "The rate of learning is constant: the published schedule would act after 256 epochs, and there are 5.",
        "No third part; what is reported are the last weights, not the best.",
        "Of equal shares the last class counts as the right one.",
        "The published run multiplied matrices in TF32, which is not reproduced.",
        "Whole tracks are heard at 22 050 Hz, although the network learnt at 44 100 Hz.",
    ),
    "as_paper": (
        "The encoding of the position is added to the patches.",
        "27 patches; the last 6 frames of a clip are not seen.",
        "Maps, clips and rate of learning as in the code, on which the paper says nothing else.",
        "The validation that is reported also chooses the weights; they are those of the best one.",
        "Drops of whole tracks are within 1.5 dB of the loudest, where the code says 2 dB; training takes the drops "
        "that lie with the data.",
        "Whole tracks are heard at 44 100 Hz.",
    ),
    "fixed": (
        "The encoding of the position is added, and the last layer sees the mean of all patches.",
        "28 patches: the last one ends with the clip.",
        "Batch normalisation takes its statistics over 7 patches of each clip that lie far apart.",
        "Loud is 1, silence 0, levels are against a fixed reference, channels are scaled as ImageNet's pictures.",
        "Pitches keep 84 bins, and the variable-Q transform has the bandwidths of hearing.",
        "A clip for every 3.75 s of a drop, at places that depend on the track's name alone.",
        "Classes are drawn equally often; warm-up and cosine; the vision transformer learns at 2e-5.",
        "A network that ends with one answer to everything is marked as collapsed; the run is not stopped.",
        "Three parts, tracks and artists apart; the test is run once, on the weights of the best epoch.",
        "Whole tracks are heard with the features of the training.",
    ),
}


def _counted(extractor: str, layers: int) -> Counted:
    code = _EXTRACTORS[extractor][1] + _ADAPTER_PARAMETERS + layers * _LAYER_PARAMETERS + _LAST_PARAMETERS
    return Counted(
        None,
        code,
        "The paper gives no number and calls the networks comparable, but they have 20 to 133 million besides the "
        "head; the lists of layers beside the code are of an older network with 6 encoder layers.",
    )


def setup(name: str, preset: str, options: Mapping[str, str]) -> Setup:
    """One network of the benchmark.

    Args:
        name: One of NAMES.
        preset: One of PRESETS.
        options: A value for each of OPTIONS.
    """
    extractor = name.split("/")[1]
    fixed = preset == "fixed"
    return Setup(
        system=name,
        preset=preset,
        options=options,
        dataset="mainstage",
        classes=MAINSTAGE,
        front_end=MainstageMaps(chroma=options["chroma"] == "with", repaired=fixed),
        build=_build(_EXTRACTORS[extractor][0], preset, options),
        pieces=even_clips if fixed else random_clips,
        split="tracks" if fixed else "mainstage",
        labels=_LABELS[options["labels"]],
        training=_training(extractor, preset),
        counted=_counted(extractor, int(options["layers"])),
        notes=_NOTES[preset],
        embed=_embed,
    )


def _embed(network: nn.Module, x: Tensor) -> Tensor:
    vectors: Tensor = network.embed(x)
    return vectors
