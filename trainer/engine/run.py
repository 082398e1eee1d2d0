"""One run: a recipe, a preset, a seed and a data set in; a run folder out. Zone: trainer (torch)."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
import json
import platform
import shutil
from collections.abc import Container, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from housex_blender.analysis.front_ends import card_of
from housex_blender.core.errors import HouseXError
from housex_blender.core.files import sha256_of, write_text_atomic

from ..data import read_collection
from ..data.collection import Collection
from ..maps.listening import warn
from ..systems import get_setup
from ..systems.base import Setup, Training, check_preset
from .answers import Answers, ask
from .chance import seed_build
from .checkpoints import BEST_FILE, CHECKPOINT_FILE, LAST_FILE, load_weights
from .fit import Fitted, Plan, fit, is_collapsed
from .history import HISTORY_FILE, TENSORBOARD_FOLDER, Row, read_history
from .lock import locked, unwritable
from .optimising import logits_of
from .predictions import Predictions, predictions_file
from .prepared import FEATURES_FOLDER, SPLIT_FILE, Prepared, cut, prepare
from .recipe import Recipe, setup_of, system_module
from .run_card import RUN_FILE, SCHEMA, first_difference, read_card
from .runtime import Runtime
from .same_data import frozen_names, mark_of

_LIBRARIES = ("torch", "torchvision", "numpy", "scikit-learn", "lightning-fabric", "transformers")
# more are told in run.json only
_MOST_WARNINGS = 20
_ELSEWHERE = "Choose another folder of runs, or `python -m trainer run ... --again`."


@dataclass(frozen=True)
class Run:
    """A run that was made.

    Attributes:
        folder: Where it lies.
        card: What run.json says.
    """

    folder: Path
    card: Mapping[str, Any]

    @property
    def setup(self) -> Setup:
        """The system as it was trained.

        Raises:
            HouseXError: It is no network, or this version does not have it any more.
        """
        if self.card["kind"] != "network":
            raise HouseXError(f"{self.card['system']} is not a network.", "Choose a run of a network.")
        setup = get_setup(self.card["system"], self.card["preset"], self.card["options"])
        return dataclasses.replace(setup, training=Training(**self.card["training"]), split=self.card["split"])

    def network(self) -> nn.Module:
        """The trained network, on the CPU and in evaluation mode.

        Raises:
            HouseXError: There is none, or its weights are damaged.
        """
        network = self.setup.build("none")
        load_weights(self.folder / self.card["weights_file"], network)
        return network.eval()

    def predictions(self, part: str) -> Predictions:
        """What it said of ``train``, ``val`` or ``test``.

        Raises:
            HouseXError: It was not asked about that part.
        """
        return Predictions.load(predictions_file(self.folder, part))

    @property
    def history(self) -> tuple[Row, ...]:
        """Its learning curve; empty for systems that are not trained in epochs."""
        path = self.folder / HISTORY_FILE
        return read_history(path) if self.card["kind"] == "network" else ()


def open_run(folder: Path) -> Run:
    """A run by its folder.

    Raises:
        HouseXError: The folder holds no finished run.
    """
    card = read_card(Path(folder))
    if card is None or not card["finished"]:
        raise HouseXError(f"There is no finished run in {folder}.", "Run its recipe to the end.")
    return Run(Path(folder), card)


def run_folder(out: Path, recipe: Recipe, preset: str, seed: int) -> Path:
    """Where a run goes: ``<out>/<table>/<row>/<preset>/seed-<n>``."""
    return Path(out) / recipe.table / recipe.row / preset / f"seed-{seed}"


def run_recipe(
    recipe: Recipe,
    preset: str,
    seed: int,
    data: Path,
    out: Path,
    weights: str | None = None,
    device: str = "auto",
    steps: int | None = None,
    *,
    precision: str = "auto",
    micro_batch: int | None = None,
    workers: int = 0,
    train_predictions: bool = False,
    cache: Path | None = None,
    again: bool = False,
    progress: bool = True,
    frozen_split: Path | None = None,
) -> Path:
    """Train and ask one system; a run that was cut off goes on, one that is finished stays as it is.

    Args:
        recipe: Which system, and how.
        preset: One of PRESETS.
        seed: Of the split, the weights and all chance of training.
        data: The folder of the data set.
        out: Folder of all runs. Several machines must all see it and ``data``.
        weights: ``imagenet``, ``none`` or a file instead of what the system starts from; for a prompted system the
            folder of its model.
        device: As for the extension.
        steps: Stop after so many, to see whether it works.
        precision: One of PRECISIONS; ``auto`` trains ``fixed`` in 16 bits where the device is made for them, and the
            published presets in 32 as their authors did.
        micro_batch: Most examples at once on a device.
        workers: Processes that read ahead.
        train_predictions: Whether the training part is asked about too.
        cache: Where features are kept; by default ``<out>/features``.
        again: Whether to throw away what the folder holds of this run.
        progress: Whether to show bars.
        frozen_split: A file of ``prepare`` instead of a split of the run's own; for networks.

    Returns:
        The folder of the run, with run.json, split.json, history.csv, the weights and predictions-<part>.npz.

    Raises:
        HouseXError: The data, the weights or the settings are not usable, or another process is at work there.
    """
    check_preset(preset)
    if recipe.kind == "cited":
        raise HouseXError(f"{recipe.name} is only cited: {recipe.source or 'it has no system'}.", "Choose another row.")
    if recipe.kind != "network":
        _refuse_for_networks_only(recipe, weights, frozen_split, steps)
    runner = _NetworkRun if recipe.kind == "network" else _OtherRun
    run = runner(recipe=recipe, preset=preset, seed=seed, data=Path(data), out=Path(out), weights=weights,
                 device=device, steps=steps, precision=precision, micro_batch=micro_batch, workers=workers,
                 train_predictions=train_predictions, cache=cache, progress=progress,
                 frozen_split=frozen_split)  # fmt: skip
    return run.made(again)


@dataclass(kw_only=True)
class _AnyRun:
    """What all runs have in common: a folder that one process holds, and a card."""

    recipe: Recipe
    preset: str
    seed: int
    data: Path
    out: Path
    weights: str | None
    device: str
    steps: int | None
    precision: str
    micro_batch: int | None
    workers: int
    train_predictions: bool
    cache: Path | None
    progress: bool
    frozen_split: Path | None

    first = True

    def made(self, again: bool) -> Path:
        """Go through the run unless it is finished."""
        folder = run_folder(self.out, self.recipe, self.preset, self.seed)
        self.start()
        with ExitStack() as held:
            with self.in_turn():
                if self.first:
                    _make(folder)
                    held.enter_context(locked(folder))
                    if again:
                        _clear(folder)
            if not self._is_finished(folder):
                self.work(folder)
        return folder

    def _is_finished(self, folder: Path) -> bool:
        card = read_card(folder)
        if card is None or not card["finished"]:
            return False
        if difference := first_difference(card, self.settings(), self.free):
            raise HouseXError(f"The run in {folder} was made with other settings: {difference}.", _ELSEWHERE)
        same = self.is_of_this_data(folder, card)
        if same is None:
            return False
        if not same:
            raise HouseXError(f"The run in {folder} was made of other data than {self.data}.", _ELSEWHERE)
        if self.train_predictions and not predictions_file(folder, "train").exists():
            return False
        if self.first and self.progress:
            print(f"{self.recipe.name} ({self.preset}, seed {self.seed}) is finished; --again runs it anew.")
        return True

    @property
    def identity(self) -> str:
        """Of all settings that change the outcome."""
        return hashlib.sha256(json.dumps(self.settings(), sort_keys=True).encode()).hexdigest()

    @property
    def features(self) -> Path:
        """Where features are kept."""
        return self.cache or self.out / FEATURES_FOLDER

    @property
    def free(self) -> Container[str]:
        """Settings in which a finished run may differ."""
        return ()

    def start(self) -> None:
        """Before anything else."""

    def is_of_this_data(self, folder: Path, card: Mapping[str, Any]) -> bool | None:
        """Whether a finished run was made of the data that is there; None where it does not say."""
        raise NotImplementedError

    def in_turn(self) -> AbstractContextManager[None]:
        """A block for the first process before the others."""
        return nullcontext()

    def settings(self) -> dict[str, Any]:
        """All that changes the outcome."""
        return {
            "schema": SCHEMA,
            "table": self.recipe.table,
            "row": self.recipe.row,
            "kind": self.recipe.kind,
            "system": self.recipe.system,
            "preset": self.preset,
            "options": dict(self.recipe.options),
            "seed": self.seed,
            "weights": self.weights,
        }

    def work(self, folder: Path) -> None:
        """Do it."""
        raise NotImplementedError

    def write(self, folder: Path, **more: Any) -> None:
        """run.json; it says ``finished`` only when all other files are there."""
        libraries = {name: _version(name) for name in _LIBRARIES}
        versions = {
            "python": platform.python_version(),
            **{name: number for name, number in libraries.items() if number},
        }
        card = {**self.settings(), "identity": self.identity, "versions": versions, **more}
        write_text_atomic(folder / RUN_FILE, json.dumps(card, indent=1, ensure_ascii=False) + "\n")


class _NetworkRun(_AnyRun):
    """A network is trained."""

    def start(self) -> None:
        """Join the other processes."""
        self.setup = setup_of(self.recipe, self.preset)
        # the authors' figures are of 32 bits
        self.wanted = "32" if self.precision == "auto" and self.preset != "fixed" else self.precision
        self.runtime = Runtime.start(self.device, self.wanted)
        self.first = self.runtime.first

    @property
    def free(self) -> Container[str]:
        """The precision, where the device chooses it: another machine's run is as good."""
        return ("precision",) if self.wanted == "auto" else ()

    def is_of_this_data(self, folder: Path, card: Mapping[str, Any]) -> bool:
        """By the names of the tracks that its split parts."""
        collection = read_collection(self.setup.dataset, self.data, self.setup.options)
        names = {collection.tracks[piece.track].name for piece in cut(collection, self.setup)}
        return card["synthetic"] == collection.synthetic and frozen_names(folder / SPLIT_FILE) == names

    def in_turn(self) -> AbstractContextManager[None]:
        """A block for the first process before the others; an error of its own reaches them."""
        return self.runtime.first_before_others()

    def settings(self) -> dict[str, Any]:
        """With all that the system says of itself."""
        setup = self.setup
        return {
            **super().settings(),
            "options": dict(setup.options),
            "weights": self.weights or setup.weights,
            "data_set": setup.dataset,
            "classes": list(setup.classes),
            "front_end": card_of(setup.front_end),
            "split": setup.split,
            "training": dataclasses.asdict(setup.training),
            "precision": self.runtime.precision,
            "steps_at_most": self.steps,
            **({} if self.frozen_split is None else {"frozen_split": _hash_of(self.frozen_split)}),
        }

    def work(self, folder: Path) -> None:
        """Prepare, train, ask, write."""
        with self.in_turn():
            shown = self.progress and self.first
            prepared = prepare(self.setup, self.data, folder, self.features, self.seed, shown, self.frozen_split)
            seed_build(self.seed)
            network = self.setup.build(self.weights or self.setup.weights)
        said = {
            "parameters": sum(parameter.numel() for parameter in network.parameters()),
            "synthetic": prepared.collection.synthetic,
            "parts": prepared.counts,
            "problems": list(prepared.problems),
            "notes": list(self.setup.notes),
            "window_s": self.setup.front_end.window_samples / self.setup.front_end.sample_rate_hz,
            "drops_s": {track.name: track.drops_s for track in prepared.collection.tracks if track.drops_s},
            "device": str(self.runtime.device),
            "processes": self.runtime.processes,
        }
        if self.first:
            warn(prepared.problems[:_MOST_WARNINGS])
            self.write(folder, **said, finished=False)
        fitted = self._fitted(network, prepared, folder)
        collapsed = self._asked(network, prepared, folder)
        if self.first:
            self.write(folder, **said, **_outcome(fitted), collapsed=collapsed, finished=True)
        self.runtime.wait()

    def _fitted(self, network: nn.Module, prepared: Prepared, folder: Path) -> Fitted:
        plan = Plan(
            seed=self.seed,
            # another split is another run
            identity=f"{self.identity} {sha256_of(folder / SPLIT_FILE)}",
            steps=self.steps,
            micro_batch=self.micro_batch,
            workers=self.workers,
            name=f"{self.recipe.row} {self.preset} {self.seed}",
            progress=self.progress,
        )
        train, val = (prepared.examples[part] for part in ("train", "val"))
        return fit(self.setup, network, train, val, folder, plan, self.runtime)

    def _asked(self, network: nn.Module, prepared: Prepared, folder: Path) -> bool:
        """Write down the answers about each part; returns whether the network is collapsed."""
        parts = ["val", "test", *(["train"] if self.train_predictions else [])]
        at_once = self.micro_batch or self.setup.training.batch
        classes = len(self.setup.classes)
        answered: dict[str, Answers] = {}
        for part in parts:
            examples = prepared.examples[part]
            # some published splits test on the validation part
            twin = next((one for one in answered if np.array_equal(prepared.examples[one].indices, examples.indices)),
                        None)  # fmt: skip
            answered[part] = (answered[twin] if twin else
                              ask(network, examples, classes, self.runtime, at_once, self.workers))  # fmt: skip
        if self.first:
            for part, answers in answered.items():
                predictions_of(answers, self.setup, prepared).save(predictions_file(folder, part))
        collapsed = is_collapsed([answered["val"], answered["test"]])
        # after a few steps of a try it means nothing
        if collapsed and self.first and self.steps is None:
            warn([f"{self.recipe.name} ({self.preset}) says the same class whatever it hears: its training collapsed."])
        return collapsed


class _OtherRun(_AnyRun):
    """A classical system is fitted, or a language model asked."""

    def is_of_this_data(self, folder: Path, card: Mapping[str, Any]) -> bool | None:
        """By a hash of what lies there."""
        return card["data"] == mark_of(self._collection()) if "data" in card else None

    def _collection(self) -> Collection:
        # these systems are called after the data set that they are for
        return read_collection(self.recipe.system.split("/")[0], self.data, self.recipe.options)

    def work(self, folder: Path) -> None:
        """Hand over to the system's own module."""
        recipe = self.recipe
        collection = self._collection()
        problems = list(collection.problems)
        module = system_module(recipe.kind)
        if recipe.kind == "classical":
            answered = module.run_classical(recipe.system, self.preset, recipe.options, collection, self.seed,
                                            cache=self.features, on_problem=problems.append)  # fmt: skip
        else:
            if self.weights is None:
                raise HouseXError(f"{recipe.system} needs the folder of its model.", "Name it: --weights FOLDER.")
            answered = module.run_prompted(recipe.system, self.preset, recipe.options, collection, Path(self.weights),
                                           self.seed, self.device, folder=folder,
                                           on_problem=problems.append)  # fmt: skip
        counts = {}
        for part, predictions in answered.items():
            predictions.save(predictions_file(folder, part))
            counts[part] = {"tracks": len(np.unique(predictions.track)), "pieces": len(predictions.track)}
        warn(problems[:_MOST_WARNINGS])
        self.write(folder, data_set=collection.name, data=mark_of(collection), classes=list(collection.classes),
                   synthetic=collection.synthetic, parts=counts, problems=problems,
                   notes=list(module.notes_of(self.preset)), finished=True)  # fmt: skip


def predictions_of(answers: Answers, setup: Setup, prepared: Prepared) -> Predictions:
    """Answers with the tracks and times they are about; of probabilities the logarithm stands as logits."""
    outputs = answers.outputs.double()
    is_probability = setup.training.outputs == "probabilities"
    probs = outputs if is_probability else outputs.softmax(-1)
    logits = logits_of(outputs, is_probability)
    pieces = [prepared.split.pieces[number] for number in answers.piece.tolist()]
    # as they are in the data set, whichever labels the training was given
    shares = [prepared.collection.tracks[piece.track].label for piece in pieces]
    return Predictions(
        setup.classes,
        np.array([prepared.collection.tracks[piece.track].name for piece in pieces], dtype=np.str_),
        np.array([piece.start_s for piece in pieces], np.float64),
        np.array(shares, np.float32).reshape(-1, len(setup.classes)),
        probs.float().numpy(),
        logits.float().numpy(),
    )


def _outcome(fitted: Fitted) -> dict[str, Any]:
    return {
        "steps": fitted.steps,
        "epochs": fitted.rows[-1].epoch,
        "best_epoch": fitted.rows[fitted.best].epoch,
        "weights_file": fitted.weights_file,
    }


def _refuse_for_networks_only(
    recipe: Recipe, weights: str | None, frozen_split: Path | None, steps: int | None
) -> None:
    given = {
        "--steps": steps,
        "--split": recipe.split,
        "--set": recipe.training,
        "--split-file": frozen_split,
        # the folder of a language model is named so too
        "--weights": weights if recipe.kind == "classical" else None,
    }
    for option, value in given.items():
        if value:
            raise HouseXError(f"{option} is for networks, and {recipe.name} is {recipe.kind}.", f"Leave out {option}.")


def _hash_of(split: Path) -> str:
    try:
        return sha256_of(split)
    except OSError as error:
        raise HouseXError(f"The split {split} cannot be read.", "Name a file that `prepare` wrote.") from error


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(folder, error) from error


def _clear(folder: Path) -> None:
    """Take away what a run writes, and nothing else."""
    names = (RUN_FILE, SPLIT_FILE, HISTORY_FILE, BEST_FILE, LAST_FILE, CHECKPOINT_FILE)
    # the answers of a language model in words are its own module's
    found = [
        *(folder / name for name in names),
        *folder.glob(predictions_file(folder, "*").name),
        *folder.glob("*.jsonl"),
    ]
    try:
        for path in found:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise unwritable(folder, error) from error
    shutil.rmtree(folder / TENSORBOARD_FOLDER, ignore_errors=True)


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
