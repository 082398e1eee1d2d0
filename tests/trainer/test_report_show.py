"""One run as pictures: what is drawn for which system, with and without its data set."""

from __future__ import annotations

import argparse
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from housex_blender.analysis.front_ends.housex import HouseXArray
from housex_blender.analysis.front_ends.waveform import Waveform
from housex_blender.core.errors import HouseXError
from trainer.data.classes import HOUSEX
from trainer.data.collection import Piece
from trainer.engine.history import Row
from trainer.engine.predictions import Predictions
from trainer.report import show_run
from trainer.report.command import add_report_parser

PARTS = {"train": 8, "val": 4, "test": 6}


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Conv2d(3, 4, 3, stride=4), nn.Linear(4, 4)

    def features(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.first(x)).mean(dim=(2, 3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(self.features(x))


class Pieces:
    """Examples of one part: noise, a class each."""

    def __init__(self, first: int, count: int, shape: tuple[int, ...]) -> None:
        self.indices, self.shape = np.arange(first, first + count), shape
        self.main = np.arange(count) % 4

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, number: int) -> tuple[torch.Tensor, torch.Tensor, int]:
        noise = torch.rand(self.shape, generator=torch.Generator().manual_seed(int(self.indices[number])))
        return noise, torch.eye(4)[int(self.main[number])], int(self.indices[number])


def predictions(count: int) -> Predictions:
    true = np.arange(count) % 4
    logits = (np.eye(4)[true] * 2 + np.random.default_rng(count).standard_normal((count, 4))).astype(np.float32)
    probs = torch.softmax(torch.from_numpy(logits), dim=1).numpy()
    return Predictions(HOUSEX, np.array([f"t{i // 2}" for i in range(count)]), np.arange(count, dtype=float),
                       np.eye(4, dtype=np.float32)[true], probs, logits)  # fmt: skip


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> types.SimpleNamespace:
    """A finished run of a small network, and its data set."""
    folder = tmp_path / "housex-drops" / "resnet18" / "fixed" / "seed-0"
    folder.mkdir(parents=True)
    for part in ("val", "test"):
        predictions(PARTS[part]).save(folder / f"predictions-{part}.npz")
    front_end = HouseXArray()
    card = {"kind": "network", "system": "housex/resnet18", "preset": "fixed", "seed": 0, "synthetic": True,
            "table": "housex-drops", "row": "resnet18", "classes": list(HOUSEX), "best_epoch": 1}  # fmt: skip
    setup = types.SimpleNamespace(front_end=front_end, embed=lambda network, batch: network.features(batch))
    torch.manual_seed(0)
    network = Net()
    run = types.SimpleNamespace(
        folder=folder, card=card, setup=setup, network=lambda: network,
        predictions=lambda part: Predictions.load(folder / f"predictions-{part}.npz"),
        history=(Row(1, 4, 1e-3, 1.3, 0.3, 1.2, 0.4, 1.0), Row(2, 8, 1e-3, 1.1, 0.5, 1.1, 0.5, 1.0)),
    )  # fmt: skip
    first, examples = 0, {}
    for part, count in PARTS.items():
        examples[part] = Pieces(first, count, front_end.shape)
        first += count
    pieces = [Piece(index // 2, float(index)) for index in range(first)]
    collection = types.SimpleNamespace(tracks=[types.SimpleNamespace(name=f"t{index}") for index in range(first)])
    prepared = types.SimpleNamespace(
        examples=examples, collection=collection, split=types.SimpleNamespace(pieces=pieces)
    )
    monkeypatch.setattr(show_run, "prepare", lambda *_, **__: prepared)
    # UMAP takes seconds to import; the projections have tests of their own
    monkeypatch.setattr(show_run, "panels_by_method", lambda cloud, size, methods=("pca",): _flat(cloud, size))
    run.examples = examples
    return run


def _flat(cloud: show_run.Cloud, size: int) -> list[show_run.Panel]:
    from trainer.report.space import panels_by_method

    return panels_by_method(cloud, size, ("pca",))


def shown(run: Any, out: Path, data: Path | None = None) -> tuple[set[str], list[str]]:
    done = list(show_run.show(run, out, data))
    assert all(one.is_file() for one in done if isinstance(one, Path))
    return {one.name for one in done if isinstance(one, Path)}, [one for one in done if isinstance(one, str)]


FIGURES = {"confusion-val.png", "classes-val.png", "confusion-test.png", "classes-test.png", "learning-curves.png"}
LOGITS = {"map-logits.png", "map-logits.html"}


def test_without_data_the_logits_are_the_map(made: Any, tmp_path: Path) -> None:
    files, sentences = shown(made, tmp_path / "out")
    assert files == FIGURES | LOGITS | {"first-filters.png"}
    assert sentences == ["Embeddings and activations need the data set: add --data FOLDER."]


def test_with_data_there_are_embeddings_and_activations(
    made: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clouds: list[show_run.Cloud] = []

    def by_part(found: list[show_run.Cloud], size: int) -> list[show_run.Panel]:
        clouds.extend(found)
        return _flat(found[0], size)

    monkeypatch.setattr(show_run, "panels_by_part", by_part)
    files, sentences = shown(made, tmp_path / "out", tmp_path)
    assert files == FIGURES | LOGITS | {
        "map-embeddings.png",
        "map-embeddings.html",
        "first-filters.png",
        "activations.png",
    }
    assert sentences == []
    assert [cloud.name for cloud in clouds[:3]] == ["training", "validation", "test"]
    inputs = torch.stack([made.examples["train"][number][0] for number in range(PARTS["train"])])
    with torch.no_grad():
        assert clouds[0].vectors == pytest.approx(made.network()(inputs).numpy(), abs=1e-5)
    assert clouds[0].what[3] == "t1, 3.0 s"


def test_other_papers_have_no_map_of_logits(made: Any, tmp_path: Path) -> None:
    made.card["system"] = "mainstage/resnet152"
    files, _ = shown(made, tmp_path / "out", tmp_path)
    assert not LOGITS & files
    assert "map-embeddings.html" in files


def test_the_mainstage_benchmark_maps_what_it_was_trained_on(
    made: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clouds: list[show_run.Cloud] = []

    def panels(cloud: show_run.Cloud, _size: int) -> list[show_run.Panel]:
        clouds.append(cloud)
        return []

    monkeypatch.setattr(show_run, "panels_by_method", panels)
    monkeypatch.setattr(show_run, "_draw_maps", lambda *_: [])
    this = show_run._Show(made, tmp_path, show_run.prepare(), None)  # type: ignore[call-arg]
    for system in ("gtzan/crnn", "mainstage/resnet152"):
        made.card["system"] = system
        assert list(show_run._maps(this, {})) == []
    found = [(cloud.name, len(cloud.vectors)) for cloud in clouds[::2]]
    assert found == [("test", PARTS["test"]), ("training", PARTS["train"])]


def test_what_cannot_be_drawn_is_said(made: Any, tmp_path: Path) -> None:
    made.card["system"] = "encoders/probe"
    made.setup.embed = None
    made.setup.front_end = Waveform(16000, 1.0, normalise=False)
    _, sentences = shown(made, tmp_path / "out", tmp_path)
    assert sentences == [
        "encoders/probe gives no embeddings.",
        "The input of encoders/probe is no spectrum: activations are not drawn.",
    ]


def test_a_classical_run_has_its_figures(made: Any, tmp_path: Path) -> None:
    made.card["kind"] = "classical"
    predictions(PARTS["train"]).save(made.folder / "predictions-train.npz")
    files, sentences = shown(made, tmp_path / "out", tmp_path)
    assert files == {*(FIGURES - {"learning-curves.png"}), "confusion-train.png", "classes-train.png"}
    assert sentences == []


def test_a_wrong_layer_is_told_before_anything_is_drawn(made: Any, tmp_path: Path) -> None:
    with pytest.raises(HouseXError, match=r"no convolution 'nolayer'\. It has first"):
        list(show_run.show(made, tmp_path / "out", tmp_path, "nolayer"))
    assert not (tmp_path / "out").exists()


def test_features_lie_beside_the_tables_and_with_the_pictures_of_a_run_that_was_moved(
    made: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    assert show_run._features(made, out) == tmp_path / "features"
    monkeypatch.chdir(made.folder.parent)
    made.folder = Path("seed-0")
    assert show_run._features(made, out) == tmp_path / "features", "named from inside the folder of runs"
    for moved in (tmp_path / "copy", tmp_path / "other" / "row" / "fixed" / "seed-0", Path("/seed-0")):
        made.folder = moved
        assert show_run._features(made, out) == out / "features"


def test_titles_say_what_is_a_trial(made: Any, tmp_path: Path) -> None:
    made.card["steps_at_most"] = 1
    this = show_run._Show(made, tmp_path, None, None)
    assert this.name == "housex/resnet18, fixed, seed 0, synthesised miniature, stopped after 1 step"


def test_published_classes_stand_beside_real_data_only(made: Any) -> None:
    assert show_run._published_f1(made, "test") == {}
    made.card["synthetic"] = False
    assert show_run._published_f1(made, "test") == {
        "Future House": 0.70, "Bass House": 0.82, "Progressive House": 0.93, "Melodic House": 0.74,
    }  # fmt: skip


def test_the_command_says_what_it_wrote(
    made: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(show_run, "open_run", lambda _folder: made)
    made.card["kind"] = "classical"
    parser = argparse.ArgumentParser()
    add_report_parser(parser.add_subparsers(required=True))
    arguments = parser.parse_args(["report", str(made.folder)])
    assert arguments.func(arguments) == 0
    assert f"wrote {made.folder / 'pictures' / 'confusion-test.png'}" in capsys.readouterr().out
