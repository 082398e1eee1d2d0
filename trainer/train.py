"""Trains the per-bar classifier on the synthesiser and writes a model folder. Zone: trainer."""

from __future__ import annotations

import argparse
import os
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from housex_blender.analysis.network import BarNet
from housex_blender.core.genres import GENRES

from .augment import corrupt, mix_pairs
from .datasets import SECTION_NAMES, BarSet, bar_set
from .export import Card, write_model_folder


@dataclass(frozen=True)
class Recipe:
    """All that decides a training run."""

    train_tracks: int = 26
    validation_tracks: int = 8
    epochs: int = 10
    batch: int = 64
    peak_lr: float = 3e-3
    weight_decay: float = 1e-2
    label_smoothing: float = 0.08
    seed: int = 0
    widths: tuple[int, ...] = (24, 48, 72, 96)
    # validation seeds never meet training seeds
    first_validation_seed: int = 500_000


@dataclass
class Outcome:
    """A trained network with what was measured on the way."""

    net: BarNet
    temperature: float
    figures: dict[str, float]
    losses: list[float] = field(default_factory=list)


def train_network(recipe: Recipe, training: BarSet, validation: BarSet) -> Outcome:
    """Train, then set the temperature on the validation bars.

    Args:
        recipe: Sizes, rates and the seed.
        training: Bars to learn from.
        validation: Bars of other tracks of the same synthesiser.
    """
    torch.manual_seed(recipe.seed)
    generator = torch.Generator().manual_seed(recipe.seed)
    net = BarNet(len(GENRES), recipe.widths)
    optimiser = torch.optim.AdamW(net.parameters(), lr=recipe.peak_lr, weight_decay=recipe.weight_decay)
    steps = recipe.epochs * (len(training) // recipe.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, recipe.peak_lr, total_steps=max(steps, 1))
    targets = F.one_hot(torch.from_numpy(training.genre), len(GENRES)).float()
    targets = targets * (1 - recipe.label_smoothing) + recipe.label_smoothing / len(GENRES)
    losses = []
    for epoch in range(recipe.epochs):
        started_s = time.monotonic()
        net.train()
        order = torch.randperm(len(training), generator=generator).numpy()
        total = 0.0
        batches = [order[i : i + recipe.batch] for i in range(0, len(order) - recipe.batch + 1, recipe.batch)]
        for chosen in batches:
            patches = torch.from_numpy(training.patches[chosen].astype(np.float32))
            patches, wanted = mix_pairs(patches, targets[chosen], generator)
            logits = net(corrupt(patches, generator).contiguous(memory_format=torch.channels_last))
            loss = F.kl_div(F.log_softmax(logits, 1), wanted, reduction="batchmean")
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            schedule.step()
            total += float(loss.detach())
        losses.append(total / max(len(batches), 1))
        print(
            f"epoch {epoch + 1}/{recipe.epochs}  KL {losses[-1]:.4f}  {time.monotonic() - started_s:.0f} s",
            file=sys.stderr,
        )
    logits = predict(net, validation.patches)
    temperature = fit_temperature(logits, validation.genre)
    return Outcome(net, temperature, measure(logits / temperature, validation), losses)


def predict(net: BarNet, patches: NDArray[np.floating]) -> NDArray[np.float32]:
    """(n, G) logits in evaluation mode."""
    net.eval()
    with torch.inference_mode():
        parts = [
            net(torch.from_numpy(patches[i : i + 256].astype(np.float32))).numpy() for i in range(0, len(patches), 256)
        ]
    return np.concatenate(parts)


def fit_temperature(logits: NDArray[np.float32], genre: NDArray[np.int64]) -> float:
    """Temperature with the least cross-entropy (Guo et al. 2017), found on a grid from 0.3 to 5."""
    values = np.geomspace(0.3, 5.0, 60)
    wanted = torch.from_numpy(genre)
    scores = [float(F.cross_entropy(torch.from_numpy(logits) / float(value), wanted)) for value in values]
    return float(values[int(np.argmin(scores))])


def measure(logits: NDArray[np.float32], bars: BarSet) -> dict[str, float]:
    """Accuracy of bars per section, of whole tracks by mean probability of their drops, and calibration error."""
    probs = torch.softmax(torch.from_numpy(logits), 1).numpy()
    right = probs.argmax(1) == bars.genre
    figures = {"all bars": float(right.mean())}
    for number, name in enumerate(SECTION_NAMES):
        if np.any(bars.section == number):
            figures[f"{name} bars"] = float(right[bars.section == number].mean())
    drop = bars.section == SECTION_NAMES.index("drop")
    votes = []
    for track in np.unique(bars.track):
        mine = (bars.track == track) & drop
        if mine.any():
            votes.append(probs[mine].mean(0).argmax() == bars.genre[mine][0])
    figures["tracks by their drops"] = float(np.mean(votes))
    figures["expected calibration error"] = calibration_error(probs, bars.genre)
    return {name: round(value, 4) for name, value in figures.items()}


def calibration_error(probs: NDArray[np.floating], genre: NDArray[np.int64], bins: int = 15) -> float:
    """Mean gap between confidence and accuracy over equal bins, weighted by size (Guo et al. 2017)."""
    confidence, right = probs.max(1), probs.argmax(1) == genre
    index = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [
        abs(float(right[index == b].mean()) - float(confidence[index == b].mean())) * float((index == b).mean())
        for b in range(bins)
        if np.any(index == b)
    ]
    return float(sum(gaps))


def add_train_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """``python -m trainer train``."""
    parser = subparsers.add_parser(
        "train",
        help="train the classifier on synthesised tracks and write a model folder",
        description="Renders tracks of all nine sub-genres (cached in --data, about 0.3 MB a track), trains on their "
        "bars and writes model.onnx, weights.safetensors and card.json. About 50 minutes on 2 cores.",
    )
    parser.add_argument("-o", "--output", type=Path, default=Path("housex_blender/models/default"))
    parser.add_argument("--data", type=Path, default=Path("build/data"), help="cache of rendered bars")
    parser.add_argument("--tracks", type=int, default=Recipe.train_tracks, help="training tracks per genre")
    parser.add_argument("--epochs", type=int, default=Recipe.epochs)
    parser.add_argument("--seed", type=int, default=Recipe.seed)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--smoke", action="store_true", help="tiny run that shows that every step works")
    parser.set_defaults(func=run)


def run(arguments: argparse.Namespace) -> int:
    """Render, train, export."""
    recipe = Recipe(train_tracks=arguments.tracks, epochs=arguments.epochs, seed=arguments.seed)
    if arguments.smoke:
        recipe = Recipe(train_tracks=1, validation_tracks=1, epochs=1, seed=arguments.seed)

    def told(done: int, total: int) -> None:
        if done % 9 == 0 or done == total:
            print(f"\rrendered {done}/{total} tracks", end="\n" if done == total else "", file=sys.stderr, flush=True)

    training = bar_set(range(recipe.train_tracks), arguments.data, arguments.jobs, told)
    seeds = range(recipe.first_validation_seed, recipe.first_validation_seed + recipe.validation_tracks)
    validation = bar_set(seeds, arguments.data, arguments.jobs, told)
    outcome = train_network(recipe, training, validation)
    for name, value in outcome.figures.items():
        print(f"{name:28s} {value:.4f}")
    card = Card(
        name="housex-synth-bar",
        version="0.1",
        genres=GENRES,
        widths=recipe.widths,
        temperature=outcome.temperature,
        trained_on=f"{9 * recipe.train_tracks} synthesised tracks (no recorded music), seed {recipe.seed}",
        figures=outcome.figures,
    )
    write_model_folder(outcome.net, card, arguments.output)
    print(f"wrote {arguments.output}")
    return 0
