"""run.json, predictions and weights that somebody damaged or edited are told in a sentence."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")
pytest.importorskip("yaml")

from safetensors import SafetensorError  # noqa: E402

from housex_blender.core.errors import HouseXError  # noqa: E402
from trainer import __main__ as program  # noqa: E402
from trainer.engine import checkpoints  # noqa: E402
from trainer.engine.predictions import Predictions  # noqa: E402
from trainer.engine.run_card import SCHEMA, first_difference, read_card  # noqa: E402
from trainer.systems.base import Training  # noqa: E402

TRAINING = dataclasses.asdict(Training("adam", 1e-3, 8, 3))
CARD = {"schema": SCHEMA, "finished": True, "kind": "network", "table": "housex-whole", "row": "toy", "system": "toy/net",
        "preset": "fixed", "options": {"mood": "open"}, "seed": 0, "weights": "none", "data_set": "toy",
        "classes": ["calm", "loud"], "synthetic": True, "parts": {"train": {"tracks": 3, "pieces": 9}},
        "split": "tracks", "training": TRAINING, "steps_at_most": None, "steps": 3, "epochs": 3, "best_epoch": 2,
        "weights_file": "best.safetensors"}  # fmt: skip


def write(folder: Path, **changed: Any) -> Path:
    (folder / "run.json").write_text(json.dumps({**CARD, **changed}))
    return folder


def test_whole_cards_are_read(tmp_path: Path) -> None:
    assert read_card(tmp_path) is None
    assert read_card(write(tmp_path)) == CARD
    # of what is not finished nothing is read
    assert read_card(write(tmp_path, finished=False, training=7)) is not None
    # a classical system is not trained
    assert read_card(write(tmp_path, kind="classical", weights=None, training=None, weights_file=None)) is not None


@pytest.mark.parametrize("name", sorted(set(CARD) - {"schema", "finished"}))
def test_every_field_must_be_there_and_of_its_type(tmp_path: Path, name: str) -> None:
    for odd in ([[1]], 1.5, {"a": {}}):
        with pytest.raises(HouseXError, match="does not describe a run of this version"):
            read_card(write(tmp_path, **{name: odd}))
    (tmp_path / "run.json").write_text(json.dumps({key: value for key, value in CARD.items() if key != name}))
    with pytest.raises(HouseXError, match="does not describe a run of this version"):
        read_card(tmp_path)


@pytest.mark.parametrize(
    "changed",
    [
        {"weights_file": "../other/best.safetensors"},
        {"training": {**TRAINING, "speed": 1}},
        {"training": {**TRAINING, "batch": 0}},
        {"training": {"optimiser": "adam"}},
        {"parts": {"train": {"tracks": 3}}},
        {"seed": True},
        {"kind": "magic"},
    ],
)
def test_what_would_mislead_is_refused(tmp_path: Path, changed: dict[str, Any]) -> None:
    with pytest.raises(HouseXError, match="Run the recipe with --again"):
        read_card(write(tmp_path, **changed))


def test_the_first_difference_is_named_with_both_values() -> None:
    def difference(free: tuple[str, ...] = (), **now: Any) -> str:
        settings = {"classes": ("calm", "loud"), "precision": "32", "training": TRAINING, "weights": "none"}
        return first_difference({**CARD, "precision": "bf16"}, {**settings, **now}, free)

    assert difference() == 'precision was "bf16", not "32"'
    assert difference(("precision",)) == ""
    assert difference(precision="bf16", weights=None) == 'weights was "none", not none'
    assert difference(precision="bf16", training={**TRAINING, "lr": 0.5}) == "training.lr was 0.001, not 0.5"
    assert difference(precision="bf16", frozen_split="ab") == 'frozen_split was none, not "ab"'


def test_damaged_predictions_are_told(tmp_path: Path) -> None:
    label = np.eye(3, dtype=np.float32)[np.arange(60) % 3]
    path = tmp_path / "predictions-test.npz"
    Predictions(("a", "b", "c"), np.array(["t"] * 60), np.arange(60.0), label, label, label).save(path)
    whole = path.read_bytes()
    for damaged in (b"", whole[:10], whole[: len(whole) // 2], whole[:60] + bytes(200) + whole[260:]):
        path.write_bytes(damaged)
        with pytest.raises(HouseXError, match=r"predictions-test\.npz does not hold predictions"):
            Predictions.load(path)


def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise SafetensorError("I/O error: No space left on device (os error 28)")

    def full_for_torch(*_: Any) -> None:
        raise RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos")

    monkeypatch.setattr(checkpoints, "save_model", full)
    monkeypatch.setattr(torch, "save", full_for_torch)
    network = torch.nn.Linear(2, 2)
    with pytest.raises(HouseXError, match=r"best\.safetensors cannot be written: I/O error: No space left"):
        checkpoints.save_weights(tmp_path / "best.safetensors", network)
    with pytest.raises(HouseXError, match=r"checkpoint\.pt cannot be written"):
        checkpoints.save_checkpoint(tmp_path / "checkpoint.pt", {})
    assert list(tmp_path.iterdir()) == []


def test_no_command_ends_in_a_traceback_of_the_disk(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: Any) -> int:
        raise PermissionError(13, "Permission denied", "/runs/here")

    monkeypatch.setattr("trainer.engine.command.run", fail)
    assert program.main(["run", "--list"]) == 1
    said = capsys.readouterr().err
    assert said == "trainer: /runs/here: Permission denied. Choose another folder, or make room.\n"
