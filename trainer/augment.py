"""Corruptions and DJ transitions on sequences of bar pictures while training. Zone: trainer (torch).

A sequence is (S, 128, 64): consecutive bars as ``bar_patches`` makes them, 1 at the reference level and 0 at 60 dB
below. What reality holds constant through a record is drawn once per sequence. Sounds add as power, so most happens
there: ``expm1`` and ``log1p`` take the picture's 0 to no power at all, and back.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from housex_blender.analysis.patches import RANGE_DB
from housex_blender.analysis.spectra import N_FFT, SAMPLE_RATE_HZ, mel_filterbank

# natural logarithm of power per unit of a picture, and per dB
NEPERS = RANGE_DB / 10.0 * math.log(10.0)
NEPERS_PER_DB = math.log(10.0) / 10.0
# a bar lasts about that long; pictures do not know their tempo
BAR_S = 1.9
# where a mixer's equaliser parts the lows, the mids and the highs
LOWS_HZ = 200.0
MIDS_HZ = (300.0, 3000.0)
# what is left of a band that is turned down fully
KILL_DB = -30.0
# pitch moves only above the kick
PITCH_FROM_HZ = 200.0
NOISE_BARS = 8
CLEAN_SHARE = 0.25
FADE_BARS = (0, 0, 2, 4, 8, 12, 16)


def _mel_centres_hz() -> Tensor:
    """(128,) centre of gravity of each mel filter."""
    bins_hz = np.fft.rfftfreq(N_FFT, 1.0 / SAMPLE_RATE_HZ)
    weights = mel_filterbank().astype(np.float64)
    return torch.from_numpy(weights @ bins_hz / weights.sum(axis=1)).float()


CENTRES_HZ = _mel_centres_hz()


class _Dice:
    """Small random tensors drawn on the generator's device and handed over on that of the pictures."""

    def __init__(self, generator: torch.Generator, device: torch.device) -> None:
        self.generator, self.device = generator, device

    def uniform(self, shape: tuple[int, ...], low: float = 0.0, high: float = 1.0) -> Tensor:
        drawn = torch.rand(shape, generator=self.generator, device=self.generator.device)
        return (low + (high - low) * drawn).to(self.device)

    def normal(self, shape: tuple[int, ...]) -> Tensor:
        return torch.randn(shape, generator=self.generator, device=self.generator.device).to(self.device)

    def integers(self, shape: tuple[int, ...], low: int, high: int) -> Tensor:
        """From ``low`` up to but without ``high``."""
        drawn = torch.randint(low, high, shape, generator=self.generator, device=self.generator.device)
        return drawn.to(self.device)

    def chosen(self, count: int, share: float) -> Tensor:
        """Indices of those of ``count`` that are hit."""
        return torch.nonzero(self.uniform((count,)) < share)[:, 0]

    def pick(self, values: tuple[float, ...], count: int) -> Tensor:
        """(count,) of the values."""
        return torch.tensor(values, device=self.device)[self.integers((count,), 0, len(values))]

    def curves(self, count: int, knots: int, length: int) -> Tensor:
        """(count, length) random lines through ``knots`` normal values."""
        drawn = self.normal((count, 1, knots))
        return F.interpolate(drawn, size=length, mode="linear", align_corners=True)[:, 0]


def _power(pictures: Tensor) -> Tensor:
    """Picture levels to power; 0 becomes none."""
    return torch.expm1(pictures * NEPERS)


def _pictures(power: Tensor) -> Tensor:
    """Inverse of :func:`_power`, overwriting it; what exceeds the reference is clipped."""
    return power.log1p_().div_(NEPERS).clamp_(0.0, 1.0)


def _gain(level_db: Tensor) -> Tensor:
    """Power factor of a level in dB."""
    return torch.exp(level_db * NEPERS_PER_DB)


def _moved(x: Tensor, dice: _Dice) -> Tensor:
    """Bars cut too early or late by up to half a beat, seldom by one or two beats; always a copy."""
    count, _, _, frames = x.shape
    beat = frames // 4
    fine = dice.integers((count,), -(beat // 2), beat // 2 + 1)
    coarse = dice.pick((-beat, beat, 2 * beat, -2 * beat), count).long()
    fate = dice.uniform((count,))
    shifts = torch.where(fate < 0.4, fine, torch.where(fate < 0.48, coarse, torch.zeros_like(fine)))
    out = x.clone()
    for index, shift in enumerate(shifts.tolist()):
        # along the joined time axis: what leaves a bar enters its neighbour
        if shift > 0:
            out[index, ..., shift:] = x[index, ..., :-shift]
            out[index, ..., :shift] = x[index].roll(1, 0)[..., -shift:]
        elif shift < 0:
            out[index, ..., :shift] = x[index, ..., -shift:]
            out[index, ..., shift:] = x[index].roll(-1, 0)[..., :-shift]
    return out


def _transposed(x: Tensor, dice: _Dice) -> Tensor:
    """All above the kick 1..3 mel bins higher or lower; below 1 kHz, where the scale is linear, less in proportion."""
    count, _, mels, _ = x.shape
    bins = torch.arange(mels, device=x.device, dtype=x.dtype)
    centres_hz = CENTRES_HZ.to(x)
    reach = torch.where(centres_hz < PITCH_FROM_HZ, 0.0, (centres_hz / 1000.0).clamp(max=1.0))
    source = (bins - dice.pick((-3.0, -2.0, -1.0, 1.0, 2.0, 3.0), count)[:, None] * reach).clamp(0, mels - 1)
    # rows that draw from their two nearest sources
    weights = (1.0 - (source[:, :, None] - bins).abs()).clamp(min=0.0)
    return torch.matmul(weights[:, None], x)


def _swept(power: Tensor, dice: _Dice) -> Tensor:
    """A DJ's low- or high-pass over 4 to 16 bars, still or turning; overwrites."""
    count, bars, _, frames = power.shape
    span = dice.pick((4.0, 8.0, 16.0), count).clamp(max=bars)
    start = dice.uniform((count,)) * (bars - span)
    place = torch.arange(bars * frames, device=power.device) / frames
    progress = (place - start.floor()[:, None]) / span[:, None]
    inside = (progress >= 0) & (progress < 1)
    shape = dice.integers((count, 1), 0, 4)
    turn = torch.where(shape == 0, progress, torch.where(shape == 1, 1 - progress, 1 - (2 * progress - 1).abs()))
    turn = torch.where(shape == 3, torch.ones_like(turn), turn)
    lowpass = dice.uniform((count, 1)) < 0.55
    depth = dice.uniform((count, 1))
    idle = torch.where(lowpass, math.log2(16000.0), math.log2(25.0))
    deep = torch.where(
        lowpass,
        math.log2(300.0) + depth * math.log2(8000.0 / 300.0),
        math.log2(80.0) + depth * math.log2(400.0 / 80.0),
    )
    corner = (idle + (deep - idle) * turn).view(count, bars, 1, frames)
    octaves = CENTRES_HZ.to(power).log2().view(1, 1, -1, 1)
    side = torch.where(lowpass, 1.0, -1.0).view(count, 1, 1, 1)
    slope = dice.pick((12.0, 24.0), count).view(count, 1, 1, 1) * -NEPERS_PER_DB
    slope = slope * inside.view(count, bars, 1, frames)
    loss = (octaves - corner).mul_(side).clamp_(min=0.0).mul_(slope)
    return power.mul_(loss.exp_())


def _smeared(power: Tensor, dice: _Dice) -> Tensor:
    """Reverb: each bin leaves an exponential tail of 0.3..2.5 s, 20..3 dB below it, over bar lines; a new tensor."""
    count, bars, mels, frames = power.shape
    rt60_s = 0.3 * (2.5 / 0.3) ** dice.uniform((count, 1))
    lag = torch.arange(2 * frames, device=power.device)
    tail = torch.exp(-60.0 * NEPERS_PER_DB * BAR_S / frames / rt60_s * lag) * (lag > 0)
    tail = tail / tail.sum(1, keepdim=True) * _gain(dice.uniform((count, 1), -20.0, -3.0))
    here = torch.arange(frames, device=power.device)
    apart = here[None, :] - here[:, None]
    within = torch.where(apart >= 0, tail[:, apart.clamp(min=0)], torch.zeros((), device=power.device))
    onward = tail[:, apart + frames]
    rows = power.view(count, bars * mels, frames)
    wet = torch.bmm(rows, within)
    # the bar before lies one picture of rows above
    wet[:, mels:].baddbmm_(rows[:, :-mels], onward)
    damping = dice.uniform((count, 1), 0.0, 12.0) * torch.linspace(0.0, 1.0, mels, device=power.device)
    return wet.view_as(power).mul_(_gain(-damping)[:, None, :, None]).add_(power)


def _noise(count: int, like: Tensor, dice: _Dice) -> Tensor:
    """(count, S, 128, 64) power of steady noise of some colour, 60 to 30 dB below the reference."""
    _, bars, mels, frames = like.shape
    # low filters hold few bins of the spectrum, so they waver more
    spread = torch.linspace(0.9, 0.25, mels, device=like.device)[:, None]
    texture = torch.exp(spread * dice.normal((NOISE_BARS, mels, frames)))
    order = (torch.arange(bars, device=like.device) + dice.integers((count, 1), 0, NOISE_BARS)) % NOISE_BARS
    tilt = dice.uniform((count, 1), -12.0, 12.0) * torch.linspace(-0.5, 0.5, mels, device=like.device)
    level_db = RANGE_DB + dice.uniform((count, 1), -62.0, -30.0) + tilt
    return texture[order].mul_(_gain(level_db)[:, None, :, None])


def _hidden(lengths: Tensor, size: int, dice: _Dice) -> Tensor:
    """(..., size) True on a stretch of each length at a random place."""
    start = dice.uniform(tuple(lengths.shape)) * (size - lengths)
    where = torch.arange(size, device=lengths.device)
    return (where >= start[..., None].floor()) & (where < (start.floor() + lengths)[..., None])


def corrupt(x: Tensor, generator: torch.Generator) -> Tensor:
    """Everything that may come between a record and its bar pictures.

    Args:
        x: (B, S, 128, 64) in 0..1, S consecutive bars each; S may be 1.
        generator: Source of chance, on any device.

    Returns:
        The same shape in 0..1; some sequences stay as they are.
    """
    count, bars, mels, frames = x.shape
    dice = _Dice(generator, x.device)
    out = _moved(x, dice)
    chosen = dice.chosen(count, 0.3)
    if len(chosen):
        out[chosen] = _transposed(out[chosen], dice)
    # compression of the range: both ends stay, the slope at the top is 0.7..1.3
    bend = dice.uniform((count, 1, 1, 1), -0.3, 0.3) * (dice.uniform((count, 1, 1, 1)) < 0.5)
    power = out.mul_((1.0 + bend) - bend * out).mul_(NEPERS).expm1_()
    loudest = power.amax((1, 2, 3), keepdim=True)

    colour_db = 5.0 * dice.curves(count, 8, mels) + 3.0 * dice.curves(count, 2, mels)
    power *= _gain(colour_db * (dice.uniform((count, 1)) < 0.8))[:, None, :, None]
    chosen = dice.chosen(count, 0.35)
    if len(chosen):
        power[chosen] = _swept(power[chosen], dice)
    # a bus compressor lifts the quiet frames
    levels = torch.log1p(power.sum(2, keepdim=True))
    levels = (levels - levels.amax((1, 3), keepdim=True)).clamp(min=-30.0 * NEPERS_PER_DB)
    squeeze = dice.uniform((count, 1, 1, 1), 0.0, 0.5) * (dice.uniform((count, 1, 1, 1)) < 0.4)
    power *= torch.exp(-squeeze * levels)
    chosen = dice.chosen(count, 0.45)
    if len(chosen):
        power[chosen] = _smeared(power[chosen], dice)
    chosen = dice.chosen(count, 0.25)
    if len(chosen) and count > 1:
        other = (chosen + dice.integers((len(chosen),), 1, count)) % count
        foreign_db = dice.uniform((len(chosen), 1), -18.0, -6.0) + 4.0 * dice.curves(len(chosen), 5, mels)
        power[chosen] += _power(x[other]).mul_(_gain(foreign_db)[:, None, :, None])
    chosen = dice.chosen(count, 0.4)
    if len(chosen):
        power[chosen] += _noise(len(chosen), power, dice)

    # the pictures' reference follows the loudest level around, so static gains come back; the rest is chance
    now = power.amax((1, 2, 3), keepdim=True)
    level_db = dice.uniform((count, 1, 1, 1), -9.0, 1.5) * (dice.uniform((count, 1, 1, 1)) < 0.7)
    scale = torch.where(loudest > 1.0, loudest / now.clamp(min=1.0), 1.0) * _gain(level_db)
    bands = torch.stack(
        [_hidden(20.0 * dice.uniform((count,)) * (dice.uniform((count,)) < 0.35), mels, dice) for _ in range(2)]
    ).any(0)
    power *= scale * ~bands[:, None, :, None]
    drift_db = dice.curves(count, 2 + bars // 8, bars * frames).view(count, bars, 1, frames)
    gaps = _hidden(12.0 * dice.uniform((count, bars)) * (dice.uniform((count, bars)) < 0.1), frames, dice)
    lost = dice.uniform((count, bars, 1)) < 0.03
    power *= _gain(drift_db) * ~(gaps | lost)[:, :, None, :]
    result = _pictures(power)
    clean = dice.chosen(count, CLEAN_SHARE)
    result[clean] = x[clean]
    return result


def exchange_timbre(x: Tensor, generator: torch.Generator, share: float = 0.5) -> Tensor:
    """Lend each sequence part of another's timbre: the mean and spread of its level in every mel band.

    The equaliser of a whole record, and of a whole synthesiser, is mostly in these two curves; a network that cannot
    rely on them listens to what is played. (Freq-MixStyle: Schmid et al., DCASE 2022, after Zhou et al., ICLR 2021.)

    Args:
        x: (B, S, 128, 64) in 0..1.
        generator: Source of chance, on any device.
        share: Part of the batch that is changed.

    Returns:
        The same shape in 0..1.
    """
    count = len(x)
    dice = _Dice(generator, x.device)
    chosen = dice.chosen(count, share)
    if count < 2 or not len(chosen):
        return x
    other = (chosen + dice.integers((len(chosen),), 1, count)) % count
    spread, mean = torch.std_mean(x, dim=(1, 3), keepdim=True)
    # the least spread of a band that is hardly heard must not be blown up
    spread = spread.clamp(min=0.02)
    # half of all drawn parts lie near the ends, as Beta(0.5, 0.5) has it
    part = torch.sin(0.5 * math.pi * dice.uniform((len(chosen), 1, 1, 1))) ** 2
    new_mean = torch.lerp(mean[chosen], mean[other], part)
    new_spread = torch.lerp(spread[chosen], spread[other], part)
    result = x.clone()
    result[chosen] = ((x[chosen] - mean[chosen]) * (new_spread / spread[chosen]) + new_mean).clamp_(0.0, 1.0)
    return result


def splice(
    x: Tensor, probs: Tensor, attributes: Tensor, generator: torch.Generator, share: float = 0.35
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Make DJ transitions: in a share of the batch one sequence gives way to another at some bar.

    The faders cross with equal power over 0 to 16 bars around the hand-over, or both stay up meanwhile; often the lows
    change hands at once at the hand-over, and the mids of the weaker track are turned down. The new track enters with
    its first bar or runs along; the old one ends with its last bar or runs along.

    Args:
        x: (B, S, 128, 64) in 0..1.
        probs: (B, S, G) rows that sum to 1, or NaN where nothing is known.
        attributes: (B, S, A), may hold NaN.
        generator: Source of chance, on any device.
        share: Part of the batch that gets a transition; none for fewer than two sequences or four bars.

    Returns:
        x: The same shape.
        probs: Mixed by the faders' shares of power.
        attributes: Those of the dominant track.
        handover: (B, S) 1 at the bar where the dominant track changes, else 0.
        weight: (B, S) 0.5 inside crossfades, else 1.
    """
    count, bars, mels, _ = x.shape
    dice = _Dice(generator, x.device)
    handover, weight = x.new_zeros(count, bars), x.new_ones(count, bars)
    chosen = dice.chosen(count, share) if count > 1 and bars > 3 else torch.empty(0, dtype=torch.long)
    pairs = len(chosen)
    if not pairs:
        return x, probs, attributes, handover, weight
    other = (chosen + dice.integers((pairs,), 1, count)) % count
    margin = max(1, bars // 8)
    change = dice.integers((pairs, 1), margin, bars - margin + 1)
    width = torch.minimum(dice.pick(FADE_BARS, pairs)[:, None], 2 * torch.minimum(change, bars - change))
    bar = torch.arange(bars, device=x.device)
    progress = ((bar + 0.5 - change) / width.clamp(min=1e-6) + 0.5).clamp(0.0, 1.0)
    after = bar >= change

    def played(who: Tensor, offset: Tensor, values: Tensor) -> Tensor:
        """(pairs, S, ...) bars of a track that stands ``offset`` bars further on than in its sequence."""
        return values[who[:, None], (bar + offset).clamp(0, bars - 1)]

    whole = dice.uniform((2, pairs, 1)) < 0.5
    ends, begins = bars - (change + width // 2), -(change - width // 2)
    ahead = [torch.where(whole[0], ends, 0).long(), torch.where(whole[1], begins, 0).long()]

    incoming = torch.sin(0.5 * math.pi * progress) ** 2
    both_up = dice.uniform((pairs, 1)) < 0.4
    gains = [torch.where(both_up, (2 * part).clamp(max=1.0), part) for part in (1.0 - incoming, incoming)]
    incoming = gains[1] / (gains[0] + gains[1])
    centres_hz = CENTRES_HZ.to(x)
    lows = (centres_hz < LOWS_HZ) & (dice.uniform((pairs, 1, 1)) < 0.6)
    mids = (centres_hz > MIDS_HZ[0]) & (centres_hz < MIDS_HZ[1]) & (dice.uniform((pairs, 1, 1)) < 0.4)
    mid_cut = _gain(dice.uniform((pairs, 1, 1), -15.0, -6.0))
    level = _gain(dice.uniform((pairs, 1, 1), -3.0, 3.0))
    power = x.new_zeros(pairs, bars, mels, x.shape[3])
    for who, offset, gain, leads, trim in (
        (chosen, ahead[0], gains[0], ~after, None),
        (other, ahead[1], gains[1], after, level),
    ):
        owner, open_ = leads[:, :, None], (gain > 0)[:, :, None]
        wide = gain[:, :, None].expand(-1, -1, mels)
        wide = torch.where(lows & open_, torch.where(owner, 1.0, 10 ** (KILL_DB / 10)), wide)
        wide = torch.where(mids & ~owner, wide * mid_cut, wide)
        if trim is not None:
            wide = wide * trim
        power += _power(played(who, offset, x)).mul_(wide[..., None])

    def joined(values: Tensor, part: Tensor) -> Tensor:
        """Mixture of both tracks' labels; a track with no part in it may be unknown."""
        old, new = played(chosen, ahead[0], values), played(other, ahead[1], values)
        mixture = (1.0 - part) * old + part * new
        return torch.where(part <= 0, old, torch.where(part >= 1, new, mixture))

    x, probs, attributes = x.clone(), probs.clone(), attributes.clone()
    new_probs = joined(probs, incoming[:, :, None].to(probs.dtype))
    new_attributes = joined(attributes, after[:, :, None].to(attributes.dtype))
    x[chosen], probs[chosen], attributes[chosen] = _pictures(power), new_probs, new_attributes
    handover[chosen] = (bar == change).to(x.dtype)
    weight[chosen] = torch.where((incoming > 0) & (incoming < 1), 0.5, 1.0).to(x.dtype)
    return x, probs, attributes, handover, weight
