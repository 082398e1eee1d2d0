"""Model folders as the trainer writes them: what the card says, both backends alike, all or nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from housex_blender.analysis.backends import Heard, OnnxBackend, open_backend  # noqa: E402
from housex_blender.analysis.model_folder import NetworkShape, Smoothing, load_model_folder  # noqa: E402
from housex_blender.analysis.network import MixNet  # noqa: E402
from housex_blender.core.errors import ModelError  # noqa: E402
from housex_blender.core.genres import GENRES  # noqa: E402
from trainer import export  # noqa: E402
from trainer.export import Card, backend_difference, write_model_folder  # noqa: E402

from ..analysis.models import CARD, SHAPE, small_model, small_net  # noqa: E402


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_what_is_written_comes_back(tmp_path: Path) -> None:
    figures = {"drop accuracy": 0.75, "nested": {"confusion": [[1, 2], [3, 4]], "note": "of two"}}
    card = Card("tiny", "2.1", GENRES, SHAPE, 1.37, Smoothing(0.31, -5.5, 0.8), 0.61, "tests alone", figures, "None.")
    write_model_folder(small_net(), card, tmp_path / "deep" / "model")
    assert sorted(path.name for path in tmp_path.rglob("*")) == [
        "card.json", "deep", "model", "model.onnx", "weights.safetensors"]  # fmt: skip
    model = load_model_folder(tmp_path / "deep" / "model")
    assert (model.name, model.genres, model.shape, model.trained_on) == ("tiny 2.1", GENRES, SHAPE, "tests alone")
    assert (model.temperature, model.smoothing, model.uncertain_below) == (1.37, Smoothing(0.31, -5.5, 0.8), 0.61)
    written = json.loads((model.path / "card.json").read_text())
    assert written["figures"] == figures
    assert (written["limits"], written["license"], written["schema"]) == ("None.", "GPL-3.0-or-later", 2)
    assert written["network"]["parameters"] == sum(part.numel() for part in small_net().parameters())


def test_the_network_that_ships_fits_and_both_backends_give_its_answer(tmp_path: Path) -> None:
    shape = NetworkShape((24, 48, 96, 160), 224, (1, 2, 4, 8))
    torch.manual_seed(0)
    write_model_folder(MixNet(9, shape), replace(CARD, shape=shape), tmp_path / "model")
    assert backend_difference(tmp_path / "model") < 1e-4
    assert (tmp_path / "model" / "model.onnx").stat().st_size < 10e6
    assert shape.context_bars == 30


def test_the_graph_answers_for_any_number_of_bars_under_its_names(tmp_path: Path) -> None:
    import onnx

    folder = small_model(tmp_path / "model")
    graph = onnx.load(folder / "model.onnx")
    onnx.checker.check_model(graph, full_check=True)
    assert graph.opset_import[0].version == 17
    assert [output.name for output in graph.graph.output] == list(Heard._fields)
    assert [source.name for source in graph.graph.input] == ["patches", "bpm"]
    backend = OnnxBackend(load_model_folder(folder))
    for bars in (1, 2, 40):
        patches = np.random.default_rng(bars).random((bars, 1, 128, 64), dtype=np.float32)
        bpm = np.linspace(118.0, 130.0, bars, dtype=np.float32)
        heard = backend.hear(patches, bpm)
        with torch.inference_mode():
            answers = small_net()(torch.from_numpy(patches), torch.from_numpy(bpm))
        for ours, theirs in zip(heard, answers, strict=True):
            assert np.abs(ours - theirs.numpy()).max() < 1e-4


def test_the_difference_is_that_of_all_four_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = small_model(tmp_path / "model")
    exact = OnnxBackend.hear
    for name in Heard._fields:

        def off(self: OnnxBackend, patches: np.ndarray, bpm: np.ndarray, name: str = name) -> Heard:
            heard = exact(self, patches, bpm)
            return heard._replace(**{name: heard._asdict()[name] + np.float32(0.01)})

        monkeypatch.setattr(OnnxBackend, "hear", off)
        assert backend_difference(folder, 5) == pytest.approx(0.01, rel=0.05)


@pytest.mark.parametrize("why", ["not a number", "too large", "backends differ", "wrong card", "figures"])
def test_a_model_that_is_refused_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: str) -> None:
    folder = small_model(tmp_path / "model")
    before = files_of(folder)
    net, card, said = small_net(seed=1), CARD, why
    if why == "not a number":
        net.handover.bias.data[0] = float("nan")
        said = "not numbers"
    elif why == "too large":
        monkeypatch.setattr(export, "MAX_ONNX_BYTES", 1000)
        said = "10 is the most"
    elif why == "backends differ":
        monkeypatch.setattr(export, "backend_difference", lambda _: float("nan"))
        said = "differ by nan"
    elif why == "wrong card":
        card, said = replace(CARD, genres=GENRES[:4]), "for 9 genres, its card names 4"
    else:
        card, said = replace(CARD, figures={"accuracy": float("nan")}), "figures that are not numbers"
    for target in (folder, tmp_path / "new"):
        with pytest.raises(ModelError, match=said):
            write_model_folder(net, card, target)
    assert files_of(folder) == before
    assert [path.name for path in tmp_path.iterdir()] == ["model"], "nothing is left lying about"


def test_a_run_that_is_cut_off_between_two_files_leaves_a_folder_that_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = small_model(tmp_path / "model")
    real, calls = export.replacing, []

    def full(path: Path) -> object:
        calls.append(path.name)
        if path.name == "card.json" and path.parent == folder:
            raise OSError(28, "No space left on device")
        return real(path)

    monkeypatch.setattr(export, "replacing", full)
    with pytest.raises(OSError, match="No space"):
        write_model_folder(small_net(seed=1), CARD, folder)
    assert calls[-1] == "card.json", "the card goes last"
    for library in ("onnx", "torch"):
        with pytest.raises(ModelError, match="not the file its card describes"):
            open_backend(load_model_folder(folder), "cpu", library)


def test_export_again_from_the_weights(tmp_path: Path) -> None:
    from argparse import Namespace

    folder = small_model(tmp_path / "model", figures={"a": {"b": 1}}, limits="Do not dance.")
    before = files_of(folder)
    assert export.run(Namespace(folder=folder)) == 0
    assert files_of(folder)["card.json"] == before["card.json"]
    assert files_of(folder)["weights.safetensors"] == before["weights.safetensors"]
