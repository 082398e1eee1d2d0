"""The training loop: sequences of bars in, a network out. Zone: trainer (torch)."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from housex_blender.analysis.backends import UNKNOWN_BPM
from housex_blender.analysis.network import pick_device, told
from housex_blender.core.attributes import ATTRIBUTES, HIGHEST, LOWEST, SCALES
from housex_blender.core.errors import HouseXError
from housex_blender.core.files import replacing

from .augment import corrupt, exchange_timbre, splice
from .datasets import BarTrack, as_patches

_EMA = 0.998
# tempi at which DJs play house; how often a track is taken to play at any of them, and how often its tempo is not told
_MIX_BPM, _BEATEN_SHARE, _UNTOLD_SHARE = (116.0, 131.0), 0.1, 0.5
_ATTRIBUTE_SHARE, _HANDOVER_SHARE = 1.0, 0.3


@dataclass(frozen=True)
class Recipe:
    """All that decides a training run besides its data.

    Attributes:
        bars: How many bars are shown in all, every picture of a bar counted.
        sequence: Consecutive bars per example.
        batch: Examples per step.
        peak_lr: Of AdamW, reached after a tenth of the steps and lowered along a cosine.
        weight_decay: Of AdamW.
        label_smoothing: Share of a label that is spread over all genres.
        exchange: Share of the examples that borrow timbre from another.
        seed: Of the weights and of every chance.
    """

    bars: int = 1_600_000
    sequence: int = 32
    batch: int = 8
    peak_lr: float = 3e-3
    weight_decay: float = 0.02
    label_smoothing: float = 0.02
    exchange: float = 0.5
    seed: int = 0

    @property
    def steps(self) -> int:
        """Optimiser steps."""
        return max(1, self.bars // (self.batch * self.sequence))


class Sampler:
    """Draws batches of sequences: a genre, a track of it, clean or corrupted, a place."""

    def __init__(self, tracks: Sequence[BarTrack], recipe: Recipe) -> None:
        genres = np.array([track.probs.mean(axis=0).argmax() for track in tracks])
        self._of_genre = [np.flatnonzero(genres == genre) for genre in np.unique(genres)]
        self._tracks, self._recipe = tracks, recipe

    def draw(self, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Pictures (B, S, 128, 64) in 0..1, tempi (B, S), probs (B, S, G), attributes (B, S, 7) with NaN.

        Half of the examples come without a tempo, for mixes, where records are matched to each other. Else it is what
        a pitch fader makes of the track's own, or now and then any, so that it is heeded without being trusted.
        """
        length = self._recipe.sequence
        pictures, tempi, probs, attributes = [], [], [], []
        for _ in range(self._recipe.batch):
            track = self._tracks[rng.choice(self._of_genre[rng.integers(len(self._of_genre))])]
            start = int(rng.integers(max(1, len(track) - length + 1)))
            # a track that is too short goes on from its start, as a loop does
            part = np.arange(start, start + length) % len(track)
            pictures.append(as_patches(track.pictures[part]))
            fader = 1.0 + 0.015 * rng.standard_normal()
            fate = rng.random()
            if fate < _UNTOLD_SHARE:
                tempo: float | NDArray[np.floating] = UNKNOWN_BPM
            elif fate < _UNTOLD_SHARE + _BEATEN_SHARE:
                tempo = rng.uniform(*_MIX_BPM)
            else:
                tempo = track.bpm[part] * fader
            tempi.append(np.broadcast_to(np.asarray(tempo, np.float32), length))
            probs.append(track.probs[part])
            attributes.append(track.attributes[part])
        columns = (np.stack(column) for column in (pictures, tempi, probs, attributes))
        x, bpm, shares, described = (torch.from_numpy(column) for column in columns)
        return x, bpm.float(), shares, described


def loss_of(
    net: nn.Module, x: Tensor, bpm: Tensor, probs: Tensor, attributes: Tensor, handover: Tensor, weight: Tensor
) -> Tensor:
    """Kullback-Leibler divergence of the genres, plus errors of the attributes that are known and of the hand-over.

    Args:
        net: Has ``sequences``; what it answers with None is not learnt.
        x: (B, S, 128, 64) pictures.
        bpm: (B, S) tempi.
        probs: (B, S, G) soft labels.
        attributes: (B, S, 7), NaN where unknown.
        handover: (B, S) 1 where another track takes over.
        weight: (B, S) of the genres.
    """
    logits, described, changed, _ = net.sequences(x, bpm)
    divergence = F.kl_div(F.log_softmax(logits.float(), -1), probs, reduction="none").sum(-1)
    loss = (divergence * weight).sum() / weight.sum()
    if described is not None:
        known = torch.isfinite(attributes)
        wanted = torch.nan_to_num(attributes)
        count = len(SCALES)
        scales = (wanted[..., :count] - LOWEST) / (HIGHEST - LOWEST)
        wanted = torch.cat([scales, wanted[..., count:]], dim=-1).clamp(0.0, 1.0)
        error = F.binary_cross_entropy_with_logits(described.float(), wanted, reduction="none")
        loss = loss + _ATTRIBUTE_SHARE * (error * known).sum() / known.sum().clamp(min=1)
    if changed is not None:
        loss = loss + _HANDOVER_SHARE * F.binary_cross_entropy_with_logits(changed.float(), handover)
    return loss


def can_bfloat16(device: str) -> bool:
    """Whether sums in 16 bits are faster here: on a GPU, and on processors that have instructions for them."""
    return device.startswith("cuda") or bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def train_network(
    net: nn.Module,
    tracks: Sequence[BarTrack],
    recipe: Recipe,
    checkpoint: Path | None = None,
    device: str = "auto",
    keep_every: int = 250,
    name: str = "training",
    line: int = 0,
) -> nn.Module:
    """Train; returns the running mean of the weights, in evaluation mode, on the CPU.

    Args:
        net: Any of the designs.
        tracks: To learn from.
        recipe: Sizes, rates and the seed.
        checkpoint: Where the state is kept; a run that was cut off goes on from there.
        device: As for the extension.
        keep_every: Steps between two writings of the checkpoint.
        name: Of the run, before its progress bar.
        line: On which the bar is drawn, where several runs share a screen.
    """
    device = pick_device(device)
    net = net.to(device, memory_format=torch.channels_last)
    mean = copy.deepcopy(net).eval()
    optimiser = torch.optim.AdamW(net.parameters(), lr=recipe.peak_lr, weight_decay=recipe.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, recipe.peak_lr, total_steps=recipe.steps + 1,
                                                   pct_start=0.1)  # fmt: skip
    sampler = Sampler(tracks, recipe)
    parts = {"net": net, "mean": mean, "optimiser": optimiser, "schedule": schedule}
    first = _resume(checkpoint, parts)
    sixteen_bits = can_bfloat16(device)
    bar = tqdm(range(first, recipe.steps), initial=first, total=recipe.steps, desc=name, mininterval=5.0, position=line)
    shown = 0.0
    for step in bar:
        net.train()
        # every step draws from its own seed, so that a run that was cut off goes on as if it had not been
        rng = np.random.default_rng([recipe.seed, step])
        generator = torch.Generator().manual_seed(recipe.seed * 1_000_003 + step)
        torch.manual_seed(recipe.seed * 1_000_003 + step)
        x, bpm, probs, attributes = sampler.draw(rng)
        # a medium of each track's own, or one of the whole mix: else its change would give every hand-over away
        if step % 2:
            x, probs, attributes, handover, weight = splice(corrupt(x, generator), probs, attributes, generator)
        else:
            x, probs, attributes, handover, weight = splice(x, probs, attributes, generator)
            x = corrupt(x, generator)
        x = exchange_timbre(x, generator, recipe.exchange)
        probs = probs * (1 - recipe.label_smoothing) + recipe.label_smoothing / probs.shape[-1]
        batch = [part.to(device) for part in (x, bpm, probs, attributes, handover, weight)]
        with torch.autocast(device.split(":")[0], torch.bfloat16, enabled=sixteen_bits):
            loss = loss_of(net, *batch)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        optimiser.step()
        schedule.step()
        _average(mean, net, min(_EMA, (1 + step) / (10 + step)))
        shown = 0.98 * shown + 0.02 * float(loss.detach()) if step > first else float(loss.detach())
        bar.set_postfix(loss=f"{shown:.3f}", refresh=False)
        if checkpoint is not None and ((step + 1) % keep_every == 0 or step + 1 == recipe.steps):
            state = {name: part.state_dict() for name, part in parts.items()}
            with replacing(checkpoint) as temporary:
                torch.save({"step": step + 1, **state}, temporary)
    return mean.cpu().eval()


def _resume(checkpoint: Path | None, parts: dict[str, object]) -> int:
    if checkpoint is None or not checkpoint.is_file():
        return 0
    try:
        # no pickled objects: a checkpoint holds tensors and numbers only
        state = torch.load(checkpoint, map_location="cpu", weights_only=True)
        for name, part in parts.items():
            part.load_state_dict(state[name])  # type: ignore[attr-defined]
    except Exception as error:  # torch raises whatever its reader meets
        raise HouseXError(f"The checkpoint {checkpoint.name} does not fit this run.", "Delete it.") from error
    return int(state["step"])


@torch.no_grad()
def _average(mean: nn.Module, net: nn.Module, keep: float) -> None:
    for ours, theirs in zip(mean.parameters(), net.parameters(), strict=True):
        ours.lerp_(theirs, 1.0 - keep)
    for ours, theirs in zip(mean.buffers(), net.buffers(), strict=True):
        ours.copy_(theirs)


@dataclass(frozen=True)
class Said:
    """What a network says of the bars of a track: logits (n, G), attributes (n, 7), hand-over logits (n,)."""

    logits: NDArray[np.float64]
    attributes: NDArray[np.float64]
    handover: NDArray[np.float64]


def predict(net: nn.Module, tracks: Sequence[BarTrack], tempo_told: bool = True) -> list[Said]:
    """Answers for whole tracks or mixes, in one piece each.

    Args:
        net: Any of the designs, in evaluation mode.
        tracks: To hear.
        tempo_told: Whether their tempo is their own; False for mixes.
    """
    result = []
    with torch.inference_mode():
        for track in tracks:
            x = torch.from_numpy(as_patches(track.pictures))[None]
            bpm = torch.from_numpy(track.bpm).float()[None] if tempo_told else torch.full((1, len(track)), UNKNOWN_BPM)
            logits, described, changed, _ = net.sequences(x, bpm)
            count = len(track)
            attributes = torch.full((1, count, len(ATTRIBUTES)), torch.nan)
            if described is not None:
                attributes = told(described)
            handover = torch.full((1, count), torch.nan) if changed is None else changed
            result.append(Said(*(part[0].double().numpy() for part in (logits, attributes, handover))))
    return result
