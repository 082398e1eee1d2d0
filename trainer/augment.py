"""Corruptions of log-mel patches, so that the network does not learn one studio's sound. Zone: trainer (torch)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

# a patch spans 60 dB
DB = 1.0 / 60.0


def _smooth_curve(count: int, points: int, length: int, spread_db: float, generator: torch.Generator) -> Tensor:
    """(count, length) random curves through ``points`` random levels, in patch units."""
    knots = torch.randn(count, 1, points, generator=generator) * spread_db * DB
    return F.interpolate(knots, size=length, mode="linear", align_corners=True)[:, 0]


def corrupt(patches: Tensor, generator: torch.Generator) -> Tensor:
    """Random equaliser, level, offset inside the bar, reverb-like smear, noise floor and masks.

    Args:
        patches: (B, 1, 128, 64) in 0..1.
        generator: Source of chance.

    Returns:
        The same shape, clipped to 0..1.
    """
    count, _, mels, frames = patches.shape
    x = patches.clone()
    x += _smooth_curve(count, 7, mels, 5.0, generator)[:, None, :, None]
    x += torch.randn(count, 1, 1, 1, generator=generator) * 3.0 * DB
    # a DJ's filter now and then: everything below or above a corner falls away
    corner = torch.rand(count, 1, 1, 1, generator=generator)
    position = torch.linspace(0, 1, mels).view(1, 1, mels, 1)
    low_cut = (torch.rand(count, 1, 1, 1, generator=generator) < 0.12) * torch.clamp(0.35 * corner - position, min=0)
    high_cut = (torch.rand(count, 1, 1, 1, generator=generator) < 0.12) * torch.clamp(
        position - 1 + 0.5 * corner, min=0
    )
    x -= 6.0 * (low_cut + high_cut)
    shift = torch.randint(-8, 9, (count,), generator=generator)
    shift[torch.rand(count, generator=generator) < 0.6] = 0
    index = (torch.arange(frames)[None, :] - shift[:, None]) % frames
    x = torch.gather(x, 3, index[:, None, None, :].expand(-1, 1, mels, -1))
    # reverb: energy that decays into the following frames
    wet = torch.rand(count, 1, 1, 1, generator=generator) < 0.35
    decay = 0.02 + 0.06 * torch.rand(count, 1, 1, 1, generator=generator)
    smeared = x.clone()
    for frame in range(1, frames):
        smeared[..., frame] = torch.maximum(smeared[..., frame], smeared[..., frame - 1] - decay[..., 0])
    x = torch.where(wet, 0.4 * x + 0.6 * smeared, x)
    floor = 0.25 * torch.rand(count, 1, 1, 1, generator=generator) ** 2
    noise = floor + 0.04 * torch.randn(x.shape, generator=generator)
    x = torch.where(torch.rand(count, 1, 1, 1, generator=generator) < 0.4, torch.maximum(x, noise), x)
    for axis, length, widest in ((2, mels, 20), (3, frames, 10)):
        start = torch.randint(0, length, (count, 1), generator=generator)
        width = torch.randint(0, widest, (count, 1), generator=generator)
        where = torch.arange(length)[None, :]
        hidden = (where >= start) & (where < start + width)
        shape = [count, 1, 1, 1]
        shape[axis] = length
        x = x.masked_fill(hidden.view(shape), 0.0)
    return x.clamp(0.0, 1.0)


def mix_pairs(
    patches: Tensor, targets: Tensor, generator: torch.Generator, share: float = 0.3
) -> tuple[Tensor, Tensor]:
    """Lay some bars over others, as a crossfade does: power adds, labels mix in proportion to it.

    Args:
        patches: (B, 1, 128, 64).
        targets: (B, G) probabilities.
        share: Part of the batch that is mixed.
    """
    count = len(patches)
    order = torch.randperm(count, generator=generator)
    weight = 0.15 + 0.7 * torch.rand(count, 1, 1, 1, generator=generator)
    weight = torch.where(torch.rand(count, 1, 1, 1, generator=generator) < share, weight, torch.ones_like(weight))
    power = weight * 10 ** (6 * patches) + (1 - weight) * 10 ** (6 * patches[order])
    mixed = torch.log10(power.clamp(min=1e-9)) / 6
    part = weight.view(count, 1)
    return mixed.clamp(0.0, 1.0), part * targets + (1 - part) * targets[order]
