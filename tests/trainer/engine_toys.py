"""A small system and data for the training engine; as a script, one process of a run. Zone: tests."""

from __future__ import annotations

import dataclasses
import os
import signal
import sys
import types
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from housex_blender.core.errors import HouseXError
from trainer import data as data_sets
from trainer import systems
from trainer.data.collection import Collection, Piece, Track
from trainer.engine.checkpoints import LAST_FILE
from trainer.engine.fit import Fitted, Plan, fit
from trainer.engine.recipe import Recipe
from trainer.engine.run import run_recipe
from trainer.engine.runtime import Runtime
from trainer.systems.base import Counted, Setup, Training

CLASSES = ("calm", "loud", "wild")
INPUTS = 6


@dataclasses.dataclass(frozen=True)
class Numbers:
    """A front end that takes a few samples as they are."""

    kind: str = "toy"
    sample_rate_hz: int = 8000
    window_samples: int = INPUTS
    shape: tuple[int, ...] = (INPUTS,)

    def stored(self, samples: np.ndarray) -> np.ndarray:
        return np.asarray(samples, np.float32)

    def ready(self, stored: np.ndarray) -> np.ndarray:
        return np.asarray(stored, np.float32)

    def settings(self) -> dict[str, Any]:
        return {}


class Clouds:
    """Examples: points around one centre per class."""

    def __init__(self, count: int, seed: int = 0, classes: int = 3, spread: float = 0.7,
                 kill_at: int | None = None, shares: Sequence[float] | None = None) -> None:  # fmt: skip
        rng = np.random.default_rng(seed)
        centres = np.random.default_rng(99).standard_normal((classes, INPUTS))
        self.main = rng.choice(classes, count, p=shares).astype(np.int64)
        self._x = (centres[self.main] + spread * rng.standard_normal((count, INPUTS))).astype(np.float32)
        self._targets = np.eye(classes, dtype=np.float32)[self.main]
        self.read: list[int] = []
        self._kill_at = kill_at

    def __len__(self) -> int:
        return len(self.main)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor, int]:
        self.read.append(index)
        if len(self.read) == self._kill_at:
            # no handler, no clean-up: as the power going out
            os.kill(os.getpid(), signal.SIGKILL)
        return torch.from_numpy(self._x[index]), torch.from_numpy(self._targets[index]), 1000 + index


def toy_network(classes: int = 3, dropout: float = 0.0, norm: bool = False, softmax: bool = False) -> nn.Module:
    parts: list[nn.Module] = [nn.Linear(INPUTS, 16), nn.ReLU()]
    parts += [nn.BatchNorm1d(16)] if norm else []
    parts += [nn.Dropout(dropout), nn.Linear(16, classes)]
    parts += [nn.Softmax(dim=-1)] if softmax else []
    return nn.Sequential(*parts)


def toy_setup(build: Callable[[str], nn.Module] = lambda weights: toy_network(), classes: Sequence[str] = CLASSES,
              group_lr: dict[str, float] | None = None, prepare_training: Callable[[nn.Module], None] | None = None,
              **training: Any) -> Setup:  # fmt: skip
    settings = {"optimiser": "adam", "lr": 0.01, "batch": 8, "epochs": 4, **training}
    return Setup(
        system="toy/net", preset="fixed", options={}, dataset="toy", classes=tuple(classes), front_end=Numbers(),
        build=build, pieces=pieces_of, split="tracks", labels="soft", training=Training(**settings),
        counted=Counted(None, None), weights="none", group_lr=group_lr or {}, prepare_training=prepare_training,
    )  # fmt: skip


def pieces_of(track: Track, index: int, rng: np.random.Generator) -> list[Piece]:
    return [Piece(index, float(start_s)) for start_s in rng.uniform(0.0, track.duration_s - 0.01, 4)]


RECIPE = Recipe("housex-whole", "toy", "network", "toy/net", training={"epochs": 3}, seeds=(0,), source="a test")


def toy_module() -> types.ModuleType:
    """A module of systems with one network, as those in trainer/systems."""

    def setup(name: str, preset: str, options: dict[str, str]) -> Any:
        def build(weights: str) -> torch.nn.Module:
            network = toy_network(softmax=preset == "as_code")
            if options["mood"] == "stubborn":
                with torch.no_grad():
                    network[-1].bias.copy_(torch.tensor([1e6, 0.0, 0.0]))
            return network

        outputs = "probabilities" if preset == "as_code" else "logits"
        made = toy_setup(build, outputs=outputs)
        return dataclasses.replace(made, preset=preset, options=options, notes=("A note.",))

    module = types.ModuleType("trainer.systems.toy")
    module.NAMES, module.OPTIONS, module.setup = ("toy/net",), {"mood": ("open", "stubborn")}, setup  # type: ignore[attr-defined]
    return module


def read_toy(folder: Path, options: dict[str, str] | None = None) -> Collection:
    """Twelve sounds of each class, by the first letters of their names."""
    tracks = []
    for path in sorted(folder.glob("*.wav")):
        label = np.eye(3, dtype=np.float32)[CLASSES.index(path.stem.split("-")[0])]
        tracks.append(Track(path.stem, label, path, duration_s=0.25))
    return Collection("toy", folder, CLASSES, tuple(tracks), problems=("One thing is odd.",), synthetic=True)


def train(folder: Path, setup: Setup | None = None, data: Clouds | None = None, val: Clouds | None = None,
          precision: str = "32", **plan: Any) -> tuple[Fitted, nn.Module]:  # fmt: skip
    """One run of the engine on clouds, from a network that the seed decides."""
    setup = setup or toy_setup()
    settings = {"seed": 1, "progress": False, **plan}
    torch.manual_seed(settings["seed"])
    network = setup.build("none")
    runtime = Runtime.start("cpu", precision)
    folder.mkdir(parents=True, exist_ok=True)
    data, val = data if data is not None else Clouds(53), val if val is not None else Clouds(20, 5)
    made = fit(setup, network, data, val, folder, Plan(**settings), runtime)
    return made, network


def last_weights(folder: Path) -> dict[str, Tensor]:
    return load_file(folder / LAST_FILE)


def stubborn_setup() -> Setup:
    """With all that has a state or chance: dropout, batch norm, momentum of Adam, a schedule, balanced classes."""
    return toy_setup(lambda weights: toy_network(dropout=0.3, norm=True), balanced=True, schedule="cosine",
                     warmup_share=0.2, clip_norm=1.0, validations=2, epochs=5)  # fmt: skip


def main() -> None:
    folder, what = Path(sys.argv[1]), sys.argv[2]
    torch.set_num_threads(1)
    if what == "killed":
        train(folder, stubborn_setup(), Clouds(53, kill_at=int(sys.argv[3])), keep_every=2)
    elif what == "whole":
        train(folder, stubborn_setup(), keep_every=2)
    elif what == "shared":
        # 53 examples in batches of 8: the last batch has 5; 17 in batches of 8: the last has 1, less than processes
        train(folder, toy_setup(optimiser="sgd", momentum=0.9, lr=0.05), Clouds(int(sys.argv[3])), Clouds(21, 5))
    elif what == "run":
        sys.modules["trainer.systems.toy"] = toy_module()
        systems._MODULES = ("toy",)
        data_sets.DATA_SETS["toy"] = read_toy
        try:
            run_recipe(RECIPE, "fixed", 0, Path(sys.argv[3]), folder, device="cpu", precision="32", progress=False)
        except HouseXError as error:
            print(error)


if __name__ == "__main__":
    main()
