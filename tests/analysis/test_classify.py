"""Patches, smoothing over time, model folders, and the two backends."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from housex_blender.analysis.backends import OnnxBackend, all_logits, open_backend
from housex_blender.analysis.classify import smooth, softmax
from housex_blender.analysis.model_folder import load_model_folder
from housex_blender.analysis.patches import PATCH_FRAMES, bar_patches, bar_references_db
from housex_blender.core.errors import ModelError
from housex_blender.core.genres import GENRES

RATE_HZ = 22050 / 512


def test_a_patch_spans_its_bar_whatever_the_tempo() -> None:
    """A level that rises through each bar gives the same rising patch at 110 and at 135 BPM."""
    patches = []
    for bpm in (110.0, 135.0):
        bar_s = 240 / bpm
        starts_s = np.arange(8) * bar_s
        times_s = np.arange(int(9 * bar_s * RATE_HZ)) / RATE_HZ
        mel = np.repeat((-40 + 40 * (times_s / bar_s % 1))[:, None], 128, axis=1).astype(np.float16)
        patches.append(bar_patches(mel, RATE_HZ, starts_s, starts_s + bar_s))
    assert patches[0].shape == (8, 1, 128, PATCH_FRAMES)
    assert patches[0].dtype == np.float32
    # the last columns may reach over the bar line, where the level jumps
    assert np.abs(patches[0] - patches[1])[..., 2:-2].max() < 0.03
    assert np.all(np.diff(patches[0][0, 0, 0, 2:-2]) > 0)


def test_loudness_of_the_whole_record_does_not_matter_but_that_of_a_bar_does() -> None:
    rng = np.random.default_rng(0)
    mel = rng.uniform(-40, 0, (int(40 * RATE_HZ), 128))
    mel[int(20 * RATE_HZ) :] -= 12
    edges_s = np.arange(21) * 1.9
    loud, quiet = (
        bar_patches((mel + gain).astype(np.float32), RATE_HZ, edges_s[:-1], edges_s[1:]) for gain in (0, -25)
    )
    assert loud == pytest.approx(quiet, abs=1e-4)
    assert loud[2].mean() - loud[17].mean() == pytest.approx(12 / 60, abs=0.02)


def test_a_part_of_a_mix_gives_the_same_patches_as_the_whole() -> None:
    rng = np.random.default_rng(0)
    mel = rng.uniform(-60, 0, (int(80 * RATE_HZ), 128)).astype(np.float16)
    mel[: len(mel) // 2] -= 20
    edges_s = np.arange(41) * 1.9
    starts_s, ends_s = edges_s[:-1], edges_s[1:]
    references_db = bar_references_db(mel, RATE_HZ, starts_s, ends_s)
    whole = bar_patches(mel, RATE_HZ, starts_s, ends_s)
    part = bar_patches(mel, RATE_HZ, starts_s[7:12], ends_s[7:12], references_db[7:12])
    assert np.array_equal(part, whole[7:12])


def test_silence_gives_black_patches() -> None:
    mel = np.full((400, 128), -100, np.float16)
    assert bar_patches(mel, RATE_HZ, np.array([0.0, 2.0]), np.array([2.0, 4.0])).max() == pytest.approx(2 / 3, abs=0.01)


def test_smoothing_ignores_a_single_odd_bar_and_follows_a_lasting_change() -> None:
    probs = np.full((96, 9), 0.02)
    probs[:48, 0] = probs[48:, 3] = 0.84
    probs[20, 0], probs[20, 7] = 0.02, 0.84
    posterior = smooth(probs, np.ones(96))
    assert posterior.sum(axis=1) == pytest.approx(np.ones(96))
    labels = posterior.argmax(axis=1)
    assert np.all(labels[:48] == 0)
    assert np.all(labels[48:] == 3)
    assert posterior[40, 0] > 0.9


def test_quiet_bars_decide_less() -> None:
    probs = np.full((64, 9), 0.02)
    probs[:24, 5] = probs[24:, 1] = 0.84
    weight = np.where(np.arange(64) < 24, 0.02, 1.0)
    assert np.all(smooth(probs, weight).argmax(axis=1) == 1), "a bare intro takes the genre of what follows"
    assert smooth(probs, np.ones(64)).argmax(axis=1)[0] == 5


def test_smoothing_survives_extremes() -> None:
    for probs in (np.eye(9)[np.arange(500) % 9], np.full((1, 9), 1 / 9), np.eye(2)[[0] * 4000]):
        posterior = smooth(np.asarray(probs, float), np.ones(len(probs)))
        assert np.all(np.isfinite(posterior))
        assert posterior.sum(axis=1) == pytest.approx(np.ones(len(probs)))


def test_softmax_temperature_only_softens() -> None:
    logits = np.array([[2.0, 1.0, -3.0]])
    sharp, soft = softmax(logits), softmax(logits, 4.0)
    assert sharp.sum() == pytest.approx(1.0)
    assert sharp[0, 0] > soft[0, 0] > soft[0, 1] > sharp[0, 2]


# -- model folders ---------------------------------------------------------------------------------------------


def test_the_model_that_ships() -> None:
    model = load_model_folder()
    card = json.loads((model.path / "card.json").read_text())
    assert model.genres == GENRES
    assert "synthesis" in card["trained_on"]
    assert "first model" in card["limits"]
    assert (model.path / "model.onnx").stat().st_size < 10e6


def test_both_backends_give_one_answer() -> None:
    pytest.importorskip("torch")
    model = load_model_folder()
    patches = np.random.default_rng(1).random((100, 1, 128, 64), dtype=np.float32)
    onnx, torch = (all_logits(open_backend(model, "cpu", library), patches) for library in ("onnx", "torch"))
    assert np.abs(onnx - torch).max() < 1e-4
    assert np.abs(onnx).max() > 0.5, "two dead networks agree as well"


def test_batches_do_not_change_the_answer() -> None:
    backend = OnnxBackend(load_model_folder())
    patches = np.random.default_rng(2).random((130, 1, 128, 64), dtype=np.float32)
    assert all_logits(backend, patches)[100:101] == pytest.approx(all_logits(backend, patches[100:101]), abs=1e-5)


def test_auto_takes_the_cpu_where_there_is_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    import housex_blender.analysis.backends as backends

    monkeypatch.setattr(backends, "_gpu_seems_there", lambda: False)
    backend = open_backend(load_model_folder(), "auto")
    assert (backend.name, backend.device) == ("onnx", "cpu")
    assert backend.description == "ONNX Runtime on cpu"


def test_auto_takes_the_gpu_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a GPU on the testing machine, torch is told that there is one, and the network is kept where it is."""
    torch = pytest.importorskip("torch")
    import housex_blender.analysis.backends as backends
    import housex_blender.analysis.network as network

    monkeypatch.setattr(backends, "_gpu_seems_there", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _device: "Test GPU")
    monkeypatch.setattr(network.BarNet, "to", lambda self, _device: self)
    backend = open_backend(load_model_folder(), "auto")
    assert (backend.name, backend.device) == ("torch", "cuda")
    assert backend.description == "torch on Test GPU"


@pytest.mark.parametrize(("device", "library"), [("cuda", "torch"), ("cuda", "onnx"), ("mps", "auto"), ("tpu", "auto")])
def test_a_device_that_is_not_there_is_refused(device: str, library: str) -> None:
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available() or torch.backends.mps.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(ModelError, match=device):
        open_backend(load_model_folder(), device, library)


def _card(change: Callable[[dict[str, Any]], Any]) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        card = json.loads((folder / "card.json").read_text())
        change(card)
        (folder / "card.json").write_text(json.dumps(card))

    return spoil


def _append(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes() + b"x") and None


SPOILED: dict[str, tuple[Callable[[Path], None], str]] = {
    "no card": (lambda d: (d / "card.json").unlink(), "no model"),
    "card cut off": (lambda d: (d / "card.json").write_text("{") and None, "damaged"),
    "another feature version": (_card(lambda c: c.update(feature_version=99)), "features"),
    "one genre": (_card(lambda c: c.update(genres=["Bigroom"])), "2 to 64"),
    "the same genre twice": (_card(lambda c: c.update(genres=["Techno", "Tech House"])), "different genres"),
    "three genres for nine outputs": (_card(lambda c: c.update(genres=["a", "b", "c"])), "9 outputs for 3"),
    "no hash": (_card(lambda c: c.pop("sha256")), "damaged"),
    "weights changed": (_append("model.onnx"), "not the file its card describes"),
    "weights missing": (lambda d: (d / "model.onnx").unlink(), "no model.onnx"),
}


@pytest.mark.parametrize("what", SPOILED)
def test_a_spoiled_model_folder_is_refused(tmp_path: Path, what: str) -> None:
    folder = tmp_path / "model"
    shutil.copytree(load_model_folder().path, folder)
    spoil, said = SPOILED[what]
    spoil(folder)
    with pytest.raises(ModelError, match=said):
        OnnxBackend(load_model_folder(folder))


def test_a_model_with_four_classes_loads(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from housex_blender.analysis.network import BarNet
    from trainer.export import Card, write_model_folder

    torch.manual_seed(0)
    write_model_folder(BarNet(4, (8, 8, 8, 8)), Card("four", "1", GENRES[:4], (8, 8, 8, 8), 1.0, "nothing"), tmp_path)
    model = load_model_folder(tmp_path)
    assert model.genres == GENRES[:4]
    assert OnnxBackend(model).logits(np.zeros((3, 1, 128, 64), np.float32)).shape == (3, 4)
