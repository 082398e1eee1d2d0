"""Trains the small network that tells the beats of a bar apart, on the development mixes.

``python -m benchmarks.fit_bars`` renders seeds 1 to 9 of every kind but the hour (benchmarks.mixes, kept in bench/),
trains on all of them, and once more per fold without a fifth of the seeds, so that the figure on the card is of mixes
the network has not heard. Writes housex_blender/models/bars. The held-out seeds of the bench are not touched.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from housex_blender.analysis.barnet import WEIGHTS, beat_features
from housex_blender.analysis.changes import band_levels
from housex_blender.analysis.downbeat import find_downbeats
from housex_blender.analysis.features import extract_features
from housex_blender.analysis.grid import BPM_RANGE, beat_path

from .scores import BEAT_WINDOW_S, nearest_gap

ROOT = Path(__file__).resolve().parents[1]
SEEDS = range(1, 10)
FOLDS, HIDDEN, EPOCHS, BATCH = 5, 32, 12, 1024


def places(truth: dict[str, Any], beats_s: NDArray[np.float64]) -> NDArray[np.int64]:
    """(b,) place 0..3 of each heard beat in its true bar; -1 where no true beat is near or the bar is longer."""
    true_s, downbeats_s = np.asarray(truth["beats_s"]), np.asarray(truth["downbeats_s"])
    index = np.searchsorted(true_s, beats_s)
    after, before = np.clip(index, 0, len(true_s) - 1), np.clip(index - 1, 0, len(true_s) - 1)
    nearest = np.where(np.abs(true_s[after] - beats_s) < np.abs(true_s[before] - beats_s), after, before)
    near = np.abs(nearest_gap(beats_s, true_s)) < BEAT_WINDOW_S
    is_one = np.isin(np.round(true_s, 4), np.round(downbeats_s, 4))
    one = np.maximum.accumulate(np.where(is_one, np.arange(len(true_s)), -1))
    place = np.where(one >= 0, np.arange(len(true_s)) - one, -1)
    place = np.where(place < 4, place, -1)
    return np.where(near, place[nearest], -1)


def examples(path: Path) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Features and places of the beats of one mix, kept beside it."""
    kept = path.with_suffix(".beats.npz")
    if not kept.is_file():
        features = extract_features(path)
        beats_s = find_downbeats(features, beat_path(features, BPM_RANGE)[0]).beats_s
        truth = json.loads(path.with_suffix(".truth.json").read_text(encoding="utf-8"))
        np.savez(kept, x=beat_features(features, beats_s, band_levels(features, beats_s)), y=places(truth, beats_s))
    with np.load(kept) as stored:
        known = stored["y"] >= 0
        return stored["x"][known], stored["y"][known]


def train(parts: list[tuple[NDArray[np.float32], NDArray[np.int64]]]) -> nn.Sequential:
    """Fit the network to the beats of some mixes."""
    torch.manual_seed(0)
    x = torch.from_numpy(np.concatenate([part[0] for part in parts]))
    y = torch.from_numpy(np.concatenate([part[1] for part in parts]))
    net = nn.Sequential(
        nn.Dropout(0.1), nn.Linear(x.shape[1], HIDDEN), nn.ReLU(), nn.Dropout(0.3), nn.Linear(HIDDEN, 4)
    )
    optimiser = torch.optim.AdamW(net.parameters(), 2e-3, weight_decay=1e-3)
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(x)).split(BATCH):
            loss = nn.functional.cross_entropy(net(x[rows]), y[rows], label_smoothing=0.05)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return net.eval()


def main() -> None:
    """Render, train, check on unseen seeds, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mixes", type=Path, default=ROOT / "bench" / "mixes")
    arguments = parser.parse_args()
    seeds = ",".join(map(str, SEEDS))
    command = [sys.executable, "-m", "benchmarks.mixes", "--set", "dev", "--seeds", seeds]
    subprocess.run([*command, "--out", str(arguments.mixes)], check=True, cwd=ROOT)
    from .mixes.scenarios import names_of

    names = [name for name in names_of("dev", "", seeds) if not name.startswith("hour")]
    data = {name: examples(arguments.mixes / f"{name}.flac") for name in names}
    right = total = 0
    for fold in range(FOLDS):
        kept = [part for name, part in data.items() if int(name.rsplit("-", 1)[1]) % FOLDS != fold]
        net = train(kept)
        for name, (x, y) in data.items():
            if int(name.rsplit("-", 1)[1]) % FOLDS == fold:
                with torch.no_grad():
                    right += int((net(torch.from_numpy(x)).argmax(dim=1).numpy() == y).sum())
                total += len(y)
    net = train(list(data.values()))
    first, second = net[1], net[4]
    WEIGHTS.parent.mkdir(parents=True, exist_ok=True)
    with torch.no_grad():
        np.savez(WEIGHTS, w1=first.weight.numpy().T, b1=first.bias.numpy(), w2=second.weight.numpy().T,
                 b2=second.bias.numpy())  # fmt: skip
    card = {
        "name": "housex-bars",
        "what": "place of a beat in its bar, from ten features of the thirteen beats around it",
        "trained_on": f"{len(data)} synthesised mixes, development seeds {seeds} of benchmarks.mixes, {total} beats",
        "beats_right_on_unseen_seeds": round(right / total, 3),
        "licence": "CC0-1.0",
    }
    (WEIGHTS.parent / "card.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    print(card)


if __name__ == "__main__":
    main()
