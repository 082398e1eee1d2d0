"""Every system of the papers trains on the miniature of its data set, learns, and is the same when it is loaded again.

Each network is as large as published. What is small is the music: a few real examples, learnt again and again as one
batch, whose loss therefore has to fall.
"""

from __future__ import annotations

import dataclasses
import gc
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
for _needed in ("lightning_fabric", "transformers", "sklearn", "openpyxl", "PIL"):
    pytest.importorskip(_needed)

from torch import Tensor, nn  # noqa: E402

from trainer.data import read_collection  # noqa: E402
from trainer.engine.answers import Answers, ask  # noqa: E402
from trainer.engine.chance import seed_build  # noqa: E402
from trainer.engine.checkpoints import BEST_FILE, LAST_FILE, load_weights  # noqa: E402
from trainer.engine.fit import Plan, fit  # noqa: E402
from trainer.engine.history import Row  # noqa: E402
from trainer.engine.optimising import losses  # noqa: E402
from trainer.engine.prepared import Prepared, prepare  # noqa: E402
from trainer.engine.recipe import Recipe, all_recipes  # noqa: E402
from trainer.engine.run import open_run, predictions_of, run_recipe  # noqa: E402
from trainer.engine.runtime import Runtime  # noqa: E402
from trainer.systems import classical, get_setup, prompted, system_names  # noqa: E402
from trainer.systems.base import PRESETS, Setup  # noqa: E402

from . import tiny_models  # noqa: E402
from .few_examples import Cropped, keep_few  # noqa: E402

Miniature = Callable[[str], Path]
SEED = 0


@dataclass(frozen=True)
class Case:
    """One network under one preset.

    Attributes:
        system: Its name.
        preset: One of PRESETS.
        examples: In the one batch.
        steps: Of training.
        options: Of the system.
        training: Other settings than the published ones, for a reason that stands beside them.
        columns: So much of each example is seen; None for all, which goes through a whole run.
    """

    system: str
    preset: str
    examples: int = 4
    steps: int = 3
    options: Mapping[str, str] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    columns: int | None = None

    def __str__(self) -> str:
        return f"{self.system}-{self.preset}"


# the published 0.002 goes on from ImageNet's weights: light networks with random ones hardly move in a few steps
_FROM_SCRATCH: Mapping[str, Any] = {"lr": 0.02}
# at the published 0.001, power spectra of any size make the loss jump for some twenty steps before it falls
_CALM: Mapping[str, Any] = {"lr": 1e-5}
# the two moments that Adam keeps of 139 million numbers would take a gigabyte more
_LEAN: Mapping[str, Any] = {"optimiser": "sgd", "lr": 0.01, "clip_norm": None}


def _cases() -> Iterator[Case]:
    for network in ("mobilenet-v3-small", "resnet18", "vgg16", "densenet121", "shufflenet-v2", "vit"):
        # the paper says nothing that its code does not do, but for the weights that a DenseNet121 begins with
        for preset in ("as_code", "fixed"):
            training = _FROM_SCRATCH if network in ("mobilenet-v3-small", "shufflenet-v2") else {}
            yield Case(f"housex/{network}", preset, options={"subset": "drops"}, training=training)
    for preset in PRESETS:
        yield Case("gtzan/crnn", preset)
        yield Case("gtzan/crnn-extended", preset, columns=112)
        yield Case("gtzan/resnet18-gru", preset)
        for feature in ("mel", "mfcc"):
            training = _CALM if preset == "as_paper" else {}
            yield Case(f"mlachmish/{feature}-cnn", preset, options={"data": "gtzan"}, training=training)
        for way in ("probe", "fine-tune"):
            yield Case(f"encoders/{way}", preset, examples=8, options={"classes": "gtzan"})
    # 240 frames are two patches of a repaired clip and one of a published one, 224 are one
    yield from (Case("mainstage/resnet18", preset, 3, options={"chroma": "with"}, columns=240) for preset in PRESETS)
    for extractor in ("resnet34", "resnet50", "densenet121"):
        for preset in ("as_code", "fixed"):
            yield Case(f"mainstage/{extractor}", preset, 2, columns=240)
    for extractor in ("vit-b-16", "vgg11-bn", "densenet201", "resnet101", "resnet152", "resnext101-32x8d"):
        for preset in ("as_code", "fixed"):
            training = _LEAN if extractor == "vgg11-bn" else {}
            yield Case(f"mainstage/{extractor}", preset, 2, steps=2, columns=224, training=training)


CASES = tuple(_cases())
# more than about ten seconds, most of them of writing down a gigabyte
SLOW = ("housex/vgg16", "mlachmish/mel-cnn-as_code", "mainstage/vit-b-16", "mainstage/vgg11-bn", "mainstage/resnext101")


def _marked(cases: Iterable[Case]) -> list[Any]:
    return [
        pytest.param(case, id=str(case), marks=[pytest.mark.slow] if str(case).startswith(SLOW) else [])
        for case in cases
    ]


RUNS = _marked(case for case in CASES if case.columns is None)
CROPPED = _marked(case for case in CASES if case.columns is not None)


@pytest.fixture(scope="module")
def features(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("features")


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.save_waveform_encoder(tmp_path_factory.mktemp("encoders") / "tiny", "hubert")


@pytest.fixture(autouse=True)
def _tidy(tmp_path: Path) -> Iterator[None]:
    yield
    # a gigabyte of some networks, which pytest would keep for three sessions
    for path in tmp_path.rglob("*"):
        if path.suffix in (".pt", ".safetensors"):
            path.unlink()
    gc.collect()


@cache
def recipe_of(system: str) -> Recipe:
    """The recipe of a published row of a system."""
    return next(recipe for recipe in all_recipes() if recipe.system == system)


def assert_learnt(rows: tuple[Row, ...]) -> None:
    """The loss of the one batch, as the network met it, is finite and fell."""
    losses = [row.train_loss for row in rows]
    assert all(math.isfinite(loss) for loss in losses)
    assert losses[-1] < losses[0]


def test_no_network_is_forgotten() -> None:
    tested = {(case.system, case.preset) for case in CASES}
    assert {system for system, _ in tested} == set(system_names())
    assert all((system, preset) in tested for system in system_names() for preset in ("as_code", "fixed"))
    assert len(tested) == len(CASES)


@pytest.mark.parametrize("case", RUNS)
def test_a_network_runs_learns_and_opens_to_the_same_answers(
    case: Case, miniature: Miniature, encoder: Path, features: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_few(monkeypatch, {"train": case.examples, "val": 2, "test": 2})
    recipe = recipe_of(case.system)
    options = {**recipe.options, **case.options, **({"model": str(encoder)} if "encoders/" in case.system else {})}
    recipe = dataclasses.replace(
        recipe, options=options, training={**recipe.training, "batch": case.examples, **case.training}
    )
    data = miniature(get_setup(case.system, case.preset, options).dataset)
    weights = None if "encoders/" in case.system else "none"
    folder = run_recipe(recipe, case.preset, SEED, data, tmp_path, weights, "cpu", case.steps, precision="32",
                        cache=features, progress=False)  # fmt: skip
    run = open_run(folder)
    assert run.card["steps"] == len(run.history) == case.steps
    prepared = prepare(run.setup, data, folder, features, SEED, progress=False)
    network = run.network()
    again = predictions_of(asked(network, run.setup, prepared.examples["test"]), run.setup, prepared)
    saved = run.predictions("test")
    assert len(saved.track) == 2
    np.testing.assert_array_equal(again.track, saved.track)
    np.testing.assert_allclose(again.logits, saved.logits, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(again.probs, saved.probs, atol=1e-5)
    load_weights(folder / LAST_FILE, network)
    learnt = loss_of(network, prepared.examples["train"])
    del network
    gc.collect()
    seed_build(SEED)
    unlearnt = loss_of(run.setup.build(run.card["weights"]), prepared.examples["train"])
    assert learnt < unlearnt


@torch.no_grad()
def loss_of(network: nn.Module, examples: Any) -> float:
    """Of the one batch, normalised by itself as in training, but nothing is dropped out: a few steps on random weights
    change less than chance does."""
    network.eval()
    for part in network.modules():
        if isinstance(part, nn.modules.batchnorm._BatchNorm):
            part.train()
    x, target, _ = zip(*examples, strict=True)
    return float(losses(network(torch.stack(x)), torch.stack(target)).mean())


@pytest.mark.parametrize("case", CROPPED)
def test_a_large_network_learns_and_its_checkpoint_loads_to_the_same_answers(
    case: Case, miniature: Miniature, features: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_few(monkeypatch, {"train": case.examples, "val": 1, "test": 1})
    setup = get_setup(case.system, case.preset, case.options)
    setup = dataclasses.replace(
        setup, training=dataclasses.replace(setup.training, batch=case.examples, **case.training)
    )
    prepared = prepare(setup, miniature(setup.dataset), tmp_path, features, SEED, progress=False)
    said, rows = fitted(case, setup, prepared, tmp_path)
    assert len(rows) == case.steps
    assert_learnt(rows)
    # what is left is the checkpoint, from which a new network goes on, being at the end already
    gc.collect()
    for name in (LAST_FILE, BEST_FILE):
        (tmp_path / name).unlink(missing_ok=True)
    again, rows_again = fitted(case, setup, prepared, tmp_path, seed=SEED + 1)
    assert [row.train_loss for row in rows_again] == [row.train_loss for row in rows]
    assert torch.allclose(again, said, rtol=1e-4, atol=1e-5)


def fitted(
    case: Case, setup: Setup, prepared: Prepared, folder: Path, seed: int = SEED
) -> tuple[Tensor, tuple[Row, ...]]:
    """Train a new network, or go on; what it says in the end, and its learning curve."""
    assert case.columns is not None
    train = Cropped(prepared.examples["train"], case.columns)
    # looking at a validation part takes its time, and the whole runs above do it
    val = Cropped(prepared.examples["val"], case.columns, count=0)
    seed_build(seed)
    network = setup.build("none")
    plan = Plan(SEED, case.system, steps=case.steps, progress=False)
    rows = fit(setup, network, train, val, folder, plan, Runtime.start("cpu", "32")).rows
    return asked(network, setup, train).outputs, rows


def asked(network: nn.Module, setup: Setup, examples: Any) -> Answers:
    """What a network says, as the engine asks."""
    return ask(network, examples, len(setup.classes), Runtime.start("cpu", "32"), setup.training.batch)


@pytest.mark.parametrize("name", classical.NAMES)
@pytest.mark.parametrize("preset", ["as_code", "fixed"])
def test_a_classical_system_is_fitted_and_its_answers_are_kept(
    name: str, preset: str, miniature: Miniature, tmp_path: Path
) -> None:
    data = miniature("gtzan")
    folder = run_recipe(recipe_of(name), preset, SEED, data, tmp_path, progress=False)
    run = open_run(folder)
    assert run.card["synthetic"] is True
    chosen = run.card["options"]
    wanted = classical.run_classical(name, preset, chosen, read_collection("gtzan", data, chosen), SEED)
    for part in ("train", "test"):
        saved = run.predictions(part)
        np.testing.assert_array_equal(saved.track, wanted[part].track)
        np.testing.assert_allclose(saved.probs, wanted[part].probs, atol=1e-6)
    heard = run.predictions("train")
    # of ten genres; the few clips have too few neighbours
    assert (heard.said == heard.true).mean() > 0.2


@pytest.mark.parametrize("preset", ["as_code", "fixed"])
def test_a_language_model_is_asked_and_its_answers_are_kept(
    preset: str, miniature: Miniature, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_few(monkeypatch, {"train": 1, "val": 2, "test": 2})
    model = tiny_models.save_qwen2_audio(tmp_path / "model")
    recipe = recipe_of("mainstage/qwen2-audio-min")
    folder = run_recipe(recipe, preset, SEED, miniature("mainstage"), tmp_path, str(model), "cpu", progress=False)
    run = open_run(folder)
    rows = [json.loads(line) for line in (folder / prompted.ANSWERS_FILE).read_text().splitlines()]
    parts = ("val",) if preset == "as_code" else ("val", "test")
    assert tuple(run.card["parts"]) == parts
    assert len(rows) == 2 * len(parts)
    assert all(row["reply"] for row in rows)
    # the replies of a model that never learnt name no class: as coded they are left out, else each is an error
    for part in parts:
        saved = run.predictions(part)
        assert saved.said.tolist() == ([] if preset == "as_code" else [-1, -1])
        assert set(saved.track) <= {row["track"] for row in rows}
