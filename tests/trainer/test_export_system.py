"""A trained run of a published network as a model folder that the analysis hears a mix with."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import soundfile
import torch
from torch import nn

from housex_blender.analysis.front_ends import card_of
from housex_blender.analysis.model_folder import CARD_FILE, ONNX_FILE, WEIGHTS_FILE, PieceFolder, load_any_model
from housex_blender.analysis.pieces import PieceBackend
from housex_blender.core.errors import HouseXError, ModelError
from housex_blender.core.timeline import Timeline
from trainer.__main__ import main
from trainer.engine.predictions import Predictions
from trainer.engine.recipe import find_recipe
from trainer.engine.run import open_run, run_recipe
from trainer.export_system import export_run
from trainer.report.evaluate import open_model
from trainer.systems import get_setup
from trainer.systems.base import Setup

from ..analysis.test_worker import house
from ..analysis.test_worker import run as analyse
from .tiny_models import save_waveform_encoder


class _Run:
    """A run as the export sees it: an untrained network and answers that somebody gave."""

    def __init__(self, setup: Setup, trained: nn.Module | None = None) -> None:
        torch.manual_seed(1)
        self.setup = setup
        self._network = trained or setup.build("none")
        self.card: dict[str, Any] = {"seed": 3, "synthetic": True, "steps_at_most": None, "data_set": setup.dataset,
                                     "parts": {"train": {"tracks": 12, "pieces": 100}}}  # fmt: skip

    def network(self) -> nn.Module:
        return self._network.eval()

    def predictions(self, part: str) -> Predictions:
        rng, classes = np.random.default_rng(len(part)), len(self.setup.classes)
        target = np.eye(classes, dtype=np.float32)[rng.integers(classes, size=200)]
        # right most of the time and far too sure of itself
        logits = (30.0 * target * (rng.random((200, 1)) < 0.7) + rng.normal(0, 6, target.shape)).astype(np.float32)
        probs = torch.softmax(torch.from_numpy(logits), 1).numpy()
        return Predictions(self.setup.classes, np.repeat([f"t{n}" for n in range(20)], 10), np.zeros(200), target, probs,
                           logits)  # fmt: skip


SYSTEMS = [
    ("housex/resnet18", "fixed", {}),
    ("housex/shufflenet-v2", "as_code", {}),
    ("housex/vit", "as_code", {}),
    ("gtzan/crnn", "as_code", {"length": "3"}),
    ("gtzan/resnet18-gru", "fixed", {"length": "10"}),
    ("mlachmish/mfcc-cnn", "fixed", {}),
    ("mlachmish/mfcc-cnn", "as_code", {}),
]


@pytest.mark.parametrize(("name", "preset", "options"), SYSTEMS, ids=lambda value: str(value))
def test_the_folder_answers_as_the_network_does(
    name: str, preset: str, options: dict[str, str], tmp_path: Path
) -> None:
    setup = get_setup(name, preset, options)
    run = _Run(setup)
    model = load_any_model(export_run(run, tmp_path / "model"))  # type: ignore[arg-type]
    assert isinstance(model, PieceFolder)
    assert card_of(model.front_end) == card_of(setup.front_end)
    rng = np.random.default_rng(0)
    sound = [0.2 * rng.standard_normal(setup.front_end.window_samples).astype(np.float32) for _ in range(2)]
    sound.append(np.zeros(setup.front_end.window_samples, np.float32))
    said = PieceBackend(model, "cpu").hear(sound)
    ready = torch.from_numpy(np.stack([setup.front_end.ready(setup.front_end.stored(piece)) for piece in sound]))
    with torch.inference_mode():
        wanted = run.network()(ready).double().numpy()
    if setup.training.outputs == "probabilities":
        np.testing.assert_allclose(np.exp(said), wanted, rtol=1e-3, atol=1e-6)
    else:
        np.testing.assert_allclose(said, wanted, rtol=1e-3, atol=1e-3 * np.abs(wanted).max())


@pytest.mark.slow
def test_the_patches_of_the_mainstage_benchmark_and_its_chroma_go_too(tmp_path: Path) -> None:
    setup = get_setup("mainstage/resnet18", "as_code", {"chroma": "with"})
    model = load_any_model(export_run(_Run(setup), tmp_path / "model"))  # type: ignore[arg-type]
    assert isinstance(model, PieceFolder)
    assert model.front_end.shape == (3, 224, 646)
    assert model.front_end.sample_rate_hz == 44100


def test_an_encoder_of_sound_itself_goes_too(tmp_path: Path) -> None:
    encoder = save_waveform_encoder(tmp_path / "encoder", "hubert")
    setup = get_setup("encoders/probe", "fixed", {"model": str(encoder), "classes": "housex"})
    model = load_any_model(export_run(_Run(setup, setup.build("pretrained")), tmp_path / "model"))  # type: ignore[arg-type]
    assert isinstance(model, PieceFolder)
    assert model.front_end.kind == "waveform"
    assert str(tmp_path) not in (model.path / CARD_FILE).read_text(), "where the encoder lies is nobody's business"


def test_the_card_says_whose_answers_these_are(tmp_path: Path) -> None:
    folder = export_run(_Run(get_setup("gtzan/crnn", "as_code", {"length": "3"})), tmp_path / "model")  # type: ignore[arg-type]
    card = json.loads((folder / CARD_FILE).read_text())
    assert card["name"] == "gtzan-crnn-as-code"
    assert card["version"] == "seed-3"
    assert card["network"] == {"kind": "Piece", "system": "gtzan/crnn", "preset": "as_code",
                               "options": {"length": "3", "source": "audio"}, "parameters": 406_224}  # fmt: skip
    assert card["genres"][:3] == ["blues", "classical", "country"]
    assert card["trained_on"] == "12 synthesised tracks in the format of the gtzan data set; no recorded music"
    assert (card["synthetic"], card["steps_at_most"]) == (True, None)
    assert card["temperature"] > 2.0, "answers that are too sure are cooled"
    assert 0.1 < card["uncertain_below"] < 1.0
    assert card["figures"]["test"]["accuracy"] == pytest.approx(0.74, abs=0.12)
    assert "by the model that ships" in card["limits"]
    counts = {name: card["figures"]["test"][name] for name in ("pieces", "tracks", "abstained")}
    assert counts == {"pieces": 200, "tracks": 20, "abstained": 0}
    assert {type(value) for value in counts.values()} == {int}


@pytest.mark.parametrize(
    ("synthetic", "steps", "trained_on"),
    [
        (True, 3, "1 synthesised track in the format of the gtzan data set; no recorded music; stopped after 3 steps, "
                  "a trial"),
        (False, 1, "1 track of the gtzan data set; stopped after 1 step, a trial"),
        (False, None, "1 track of the gtzan data set"),
    ],
)  # fmt: skip
def test_an_exported_model_is_known_for_a_miniatures_and_for_a_trial(
    synthetic: bool, steps: int | None, trained_on: str, tmp_path: Path
) -> None:
    run = _Run(get_setup("gtzan/crnn", "as_code", {"length": "3"}))
    run.card |= {"synthetic": synthetic, "steps_at_most": steps, "parts": {"train": {"tracks": 1, "pieces": 10}}}
    folder = export_run(run, tmp_path / "model")  # type: ignore[arg-type]
    assert json.loads((folder / CARD_FILE).read_text())["trained_on"] == trained_on
    model = open_model(folder)
    assert (model.synthetic, model.steps_at_most) == (synthetic, steps)
    card = json.loads((folder / CARD_FILE).read_text())
    del card["synthetic"], card["steps_at_most"]
    (folder / CARD_FILE).write_text(json.dumps(card))
    assert not open_model(folder).synthetic, "cards of before say nothing of it"


def test_a_graph_that_answers_otherwise_leaves_nothing(tmp_path: Path) -> None:
    class Fickle(nn.Module):
        """Says something else when it is traced."""

        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(4))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.mean((1, 2, 3))[:, None] * self.weight + (5.0 if torch.jit.is_tracing() else 0.0)

    run = _Run(get_setup("housex/resnet18", "fixed", {}), Fickle())
    with pytest.raises(ModelError, match="differs from the network by"):
        export_run(run, tmp_path / "model")  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_mix_is_heard_as_the_resnet18_of_housex_hears_it(miniature: Callable[[str], Path], tmp_path: Path) -> None:
    recipe = find_recipe("housex-drops/resnet18")
    folder = run_recipe(recipe, "fixed", 0, miniature("housex"), tmp_path / "runs", "none", "cpu", 3, progress=False)
    assert main(["export", str(folder)]) == 1, "it must be said where to"
    assert main(["export", str(folder), "--out", str(tmp_path / "model")]) == 0
    assert {path.name for path in (tmp_path / "model").iterdir()} == {CARD_FILE, ONNX_FILE, WEIGHTS_FILE}
    onnx.checker.check_model(str(tmp_path / "model" / ONNX_FILE))
    soundfile.write(tmp_path / "mix.flac", house(20.0), 44100)
    output = tmp_path / "mix.housex.json"
    code, messages, _ = analyse(tmp_path / "mix.flac", "-o", output, "--model", tmp_path / "model")
    assert code == 0, [message.text for message in messages]
    timeline = Timeline.load(output)
    assert timeline.model.name == "housex-resnet18-fixed seed-0"
    assert timeline.model.genres == open_run(folder).setup.classes


def test_what_is_no_network_is_not_exported(miniature: Callable[[str], Path], tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(HouseXError, match="does not describe a run"):
        open_run(tmp_path)
    assert main(["export", str(tmp_path), "--out", str(tmp_path / "model")]) == 1
    assert not (tmp_path / "model").exists()
