"""A recipe becomes a run folder, once; and a run folder a network that says the same."""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import json
import os
import shutil
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

torch = pytest.importorskip("torch")
pytest.importorskip("lightning_fabric")

from housex_blender.core.errors import HouseXError, ModelError  # noqa: E402
from trainer import data, systems  # noqa: E402
from trainer.data.collection import Collection  # noqa: E402
from trainer.engine import prepared  # noqa: E402
from trainer.engine.command import add_run_parser  # noqa: E402
from trainer.engine.lock import locked  # noqa: E402
from trainer.engine.predictions import Predictions  # noqa: E402
from trainer.engine.recipe import Recipe  # noqa: E402
from trainer.engine.run import open_run, run_folder, run_recipe  # noqa: E402

from .engine_toys import CLASSES, RECIPE, read_toy, toy_module  # noqa: E402


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data set and a system that the engine knows for a while; returns the folder of the data."""
    folder = tmp_path / "data"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number, name in enumerate(CLASSES):
        for track in range(10):
            samples = (0.3 * number - 0.3) + 0.02 * rng.standard_normal(2000)
            soundfile.write(folder / f"{name}-{track:02}.wav", samples, 8000, subtype="FLOAT")
    monkeypatch.setitem(sys.modules, "trainer.systems.toy", toy_module())
    monkeypatch.setattr(systems, "_MODULES", ("toy",))
    monkeypatch.setitem(data.DATA_SETS, "toy", read_toy)
    return folder


def made(toy: Path, recipe: Recipe = RECIPE, preset: str = "fixed", **more: Any) -> Path:
    settings = {"seed": 0, "out": toy.parent / "runs", "device": "cpu", "precision": "32", "progress": False, **more}
    return run_recipe(recipe, preset, settings.pop("seed"), toy, settings.pop("out"), **settings)


def test_run_folder_holds_all(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = made(toy, train_predictions=True)
    assert folder == run_folder(toy.parent / "runs", RECIPE, "fixed", 0)
    assert folder.relative_to(toy.parent / "runs").parts == ("housex-whole", "toy", "fixed", "seed-0")
    names = {path.name for path in folder.iterdir()}
    assert names >= {"run.json", "split.json", "history.csv", "best.safetensors", "checkpoint.pt", "predictions-train.npz",
                     "predictions-val.npz", "predictions-test.npz", "tensorboard"}  # fmt: skip
    card = json.loads((folder / "run.json").read_text())
    assert card["system"] == "toy/net"
    assert card["preset"] == "fixed"
    assert card["options"] == {"mood": "open"}
    assert card["classes"] == list(CLASSES)
    assert card["front_end"] == {"kind": "toy"}
    assert card["seed"] == 0
    assert card["parameters"] == 6 * 16 + 16 + 16 * 3 + 3
    assert card["weights"] == "none"
    assert card["synthetic"] is True
    assert card["parts"]["train"] == {"tracks": 24, "pieces": 96}
    assert card["data_set"] == "toy"
    assert sum(part["tracks"] for part in card["parts"].values()) == 30
    assert card["epochs"] == 3
    assert 1 <= card["best_epoch"] <= 3
    assert card["finished"] is True
    assert card["training"]["epochs"] == 3
    assert card["precision"] == "32"
    assert card["versions"]["torch"]
    assert card["problems"] == ["One thing is odd."]
    assert card["notes"] == ["A note."]
    assert card["collapsed"] is False
    assert "One thing is odd." in capsys.readouterr().err


def test_open_run_says_the_same_again(toy: Path) -> None:
    run = open_run(made(toy, train_predictions=True))
    assert run.setup.training.epochs == 3
    assert len(run.history) == 3
    said = run.predictions("train")
    assert said.classes == CLASSES
    assert len(said.track) == 96
    assert np.allclose(said.probs.sum(axis=1), 1.0, atol=1e-5)
    assert (said.said == said.true).mean() > 0.5
    # the network, rebuilt, has the same logits for the same piece of sound
    samples, _ = soundfile.read(toy / f"{said.track[0]}.wav", dtype="float32")
    start = round(said.start_s[0] * 8000)
    x = torch.from_numpy(samples[start : start + 6])[None]
    assert torch.allclose(run.network()(x)[0], torch.from_numpy(said.logits[0]), atol=1e-6)


def test_probabilities_are_not_squashed_again(toy: Path) -> None:
    said = open_run(made(toy, preset="as_code")).predictions("test")
    assert np.allclose(np.exp(said.logits), said.probs, atol=1e-6)
    assert np.allclose(said.probs.sum(axis=1), 1.0, atol=1e-5)


def test_finished_run_stays_as_it_is(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = made(toy)
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert made(toy, progress=True) == folder
    assert "is finished; --again runs it anew" in capsys.readouterr().out
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    with pytest.raises(HouseXError, match="other settings: steps_at_most was none, not 2"):
        made(toy, steps=2)
    made(toy, steps=2, again=True)
    assert json.loads((folder / "run.json").read_text())["steps"] == 2
    # what was not asked before is asked then, without training
    assert not (folder / "predictions-train.npz").exists()
    weights = (folder / "best.safetensors").read_bytes()
    made(toy, steps=2, train_predictions=True)
    assert (folder / "predictions-train.npz").exists()
    assert (folder / "best.safetensors").read_bytes() == weights


def test_same_seed_same_run_and_another_differs(toy: Path) -> None:
    folders = [made(toy, seed=seed, out=toy.parent / name) for name, seed in (("a", 0), ("b", 0), ("c", 1))]
    one, same, other = ((folder / "best.safetensors").read_bytes() for folder in folders)
    assert one == same != other


def test_interrupted_run_goes_on_with_its_split(toy: Path) -> None:
    whole = made(toy, out=toy.parent / "whole")
    folder = run_folder(toy.parent / "runs", RECIPE, "fixed", 0)
    folder.mkdir(parents=True)
    # as if it had been cut off after the split and a few steps
    (folder / "split.json").write_bytes((whole / "split.json").read_bytes())
    assert made(toy) == folder
    for name in ("best.safetensors", "history.csv", "split.json"):
        assert (folder / name).read_bytes() == (whole / name).read_bytes()


def test_a_split_that_was_frozen_before_is_used(toy: Path) -> None:
    first = made(toy, seed=5, out=toy.parent / "first")
    again = made(toy, seed=6, out=toy.parent / "again", frozen_split=first / "split.json")
    own = made(toy, seed=6, out=toy.parent / "own")
    tests = [set(open_run(folder).predictions("test").track) for folder in (first, again, own)]
    assert tests[0] == tests[1] != tests[2]
    with pytest.raises(HouseXError, match="made with other settings"):
        made(toy, seed=6, out=toy.parent / "again")
    with pytest.raises(HouseXError, match=r"There is no split none\.json"):
        made(toy, frozen_split=toy / "none.json")


def test_a_run_cut_off_before_its_first_step_keeps_its_settings(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("trainer.engine.prepared.open_features", interrupted)
        with pytest.raises(KeyboardInterrupt):
            made(toy)
    whole = prepared.cut
    with monkeypatch.context() as patch:
        # as another subset of the drops, or another length, would
        patch.setattr(prepared, "cut", lambda *of: whole(*of)[::2])
        with pytest.raises(HouseXError, match="other pieces"):
            made(toy)
    assert open_run(made(toy)).card["finished"] is True


def test_answers_keep_the_shares_of_the_data_set(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = open_run(made(toy))
    target = run.predictions("test").target
    np.testing.assert_allclose(target.sum(axis=1), 1.0)
    assert run.card["window_s"] > 0


def test_tracks_are_parted_as_the_command_says(toy: Path) -> None:
    apart = open_run(made(toy, out=toy.parent / "apart"))
    leaky = dataclasses.replace(RECIPE, split="random-pieces")
    mixed = open_run(made(toy, recipe=leaky, out=toy.parent / "mixed"))
    shared = [set(run.predictions("test").track) & set(run.predictions("val").track) for run in (apart, mixed)]
    assert not shared[0]
    assert shared[1]
    assert (apart.setup.split, mixed.setup.split) == ("tracks", "random-pieces")


def test_changed_data_is_told(toy: Path) -> None:
    folder = made(toy)
    card = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps({**card, "finished": False}))
    soundfile.write(toy / "calm-00.wav", np.zeros(2000), 8000)
    with pytest.raises(HouseXError, match="calm-00"):
        made(toy)


def test_a_finished_run_is_not_taken_for_other_data(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(toy)
    other = toy.parent / "other"
    shutil.copytree(toy, other)
    assert made(other, out=toy.parent / "runs")
    monkeypatch.setitem(data.DATA_SETS, "toy", lambda *said: dataclasses.replace(read_toy(*said), synthetic=False))
    with pytest.raises(HouseXError, match="made of other data"):
        made(toy)
    monkeypatch.setitem(data.DATA_SETS, "toy", read_toy)
    (other / "calm-00.wav").unlink()
    with pytest.raises(HouseXError, match=r"made of other data than .*other\. .*--again"):
        made(other, out=toy.parent / "runs")


def test_another_machines_precision_is_as_good_unless_it_was_asked_for(
    toy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = made(toy)
    weights = (folder / "best.safetensors").stat().st_mtime_ns
    # a device that prefers 16 bits meets a run in 32
    monkeypatch.setattr("trainer.engine.runtime.pick_precision", lambda wish, _: "bf16" if wish == "auto" else wish)
    assert made(toy, precision="auto") == folder
    assert (folder / "best.safetensors").stat().st_mtime_ns == weights
    with pytest.raises(HouseXError, match='precision was "32", not "bf16"'):
        made(toy, precision="bf16")


@pytest.mark.parametrize("harm", ["another data set", "damaged"])
def test_a_split_that_does_not_fit_says_what_to_do(toy: Path, harm: str) -> None:
    folder = made(toy)
    split = json.loads((folder / "split.json").read_text())
    (folder / "run.json").unlink()
    text = "{" if harm == "damaged" else json.dumps({**split, "data_set": "homburg"})
    (folder / "split.json").write_text(text)
    with pytest.raises(HouseXError, match="another folder of runs, or --again"):
        made(toy)
    assert made(toy, again=True) == folder


def test_unreadable_file_is_left_out_and_told(toy: Path) -> None:
    (toy / "loud-03.wav").write_bytes(b"RIFFnothing")
    card = json.loads((made(toy) / "run.json").read_text())
    assert sum(part["tracks"] for part in card["parts"].values()) == 29
    assert any("loud-03" in problem for problem in card["problems"])


def test_empty_class_is_told(toy: Path) -> None:
    for path in toy.glob("wild-*.wav"):
        path.unlink()
    card = json.loads((made(toy) / "run.json").read_text())
    assert "The part train has no example of wild." in card["problems"]


def test_no_data_is_told(toy: Path) -> None:
    for path in toy.glob("*.wav"):
        path.unlink()
    with pytest.raises(HouseXError, match="holds nothing that toy/net"):
        made(toy)
    with pytest.raises(HouseXError, match="no folder"):
        made(toy / "elsewhere")


def test_collapsed_network_is_flagged(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stubborn = dataclasses.replace(RECIPE, options={"mood": "stubborn"})
    assert json.loads((made(toy, stubborn) / "run.json").read_text())["collapsed"] is True
    assert "says the same class whatever it hears" in capsys.readouterr().err


def test_two_runs_in_one_folder_are_refused(toy: Path) -> None:
    folder = run_folder(toy.parent / "runs", RECIPE, "fixed", 0)
    folder.mkdir(parents=True)
    holder = subprocess.Popen([sys.executable, "-c", "import fcntl, sys, time; f = open(sys.argv[1], 'w'); "
                               "fcntl.flock(f, fcntl.LOCK_EX); print('held', flush=True); time.sleep(60)",
                               str(folder / ".running")], stdout=subprocess.PIPE, text=True)  # fmt: skip
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(HouseXError, match="Another run is at work"):
            made(toy)
    finally:
        holder.kill()
        holder.wait()
    # whoever was killed holds nothing any more
    assert made(toy) == folder


def test_a_folder_that_cannot_be_written_is_told(toy: Path) -> None:
    folder = run_folder(toy.parent / "runs", RECIPE, "fixed", 0)
    (folder / ".running").mkdir(parents=True)
    with pytest.raises(HouseXError, match="cannot be written: Is a directory"):
        made(toy)
    (folder / ".running").rmdir()
    (folder / "history.csv").mkdir()
    with pytest.raises(HouseXError, match="cannot be written"):
        made(toy, again=True)


def test_lock_is_let_go(tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(HouseXError, match="Another run"), locked(tmp_path):
        pass
    with locked(tmp_path):
        pass


@pytest.mark.parametrize("harm", ["no run", "unfinished", "text", "another schema"])
def test_folders_that_are_no_run_are_told(toy: Path, harm: str) -> None:
    folder = toy.parent / "runs"
    folder.mkdir()
    text = {"unfinished": '{"schema": "housex-run-1", "finished": false}', "text": "{", "another schema": "{}"}.get(
        harm
    )
    if text is not None:
        (folder / "run.json").write_text(text)
    with pytest.raises(HouseXError, match=r"no finished run|does not describe a run"):
        open_run(folder)


def test_lost_weights_and_predictions_are_told(toy: Path) -> None:
    run = open_run(made(toy))
    with pytest.raises(HouseXError, match="predictions"):
        run.predictions("train")
    (run.folder / run.card["weights_file"]).unlink()
    with pytest.raises(ModelError, match=r"has no best\.safetensors"):
        run.network()


def test_cited_rows_and_unknown_presets_are_told(toy: Path) -> None:
    with pytest.raises(HouseXError, match="only cited"):
        made(toy, dataclasses.replace(RECIPE, kind="cited"))
    with pytest.raises(HouseXError, match="no preset"):
        made(toy, preset="best")


def answers_of(collection: Collection) -> Predictions:
    label = np.array([track.label for track in collection.tracks])
    names = np.array([track.name for track in collection.tracks])
    return Predictions(CLASSES, names, np.zeros(len(names)), label, label, np.full(label.shape, np.nan, np.float32))


@pytest.mark.parametrize("kind", ["classical", "prompted"])
def test_other_kinds_are_handed_over(toy: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    calls = []

    def run_classical(name: str, preset: str, options: Any, collection: Collection, seed: int, *, cache: Path,
                      on_problem: Callable[[str], None]) -> dict[str, Predictions]:  # fmt: skip
        calls.append((name, preset, seed, cache.name))
        on_problem("A row is short.")
        return {"test": answers_of(collection)}

    def run_prompted(name: str, preset: str, options: Any, collection: Collection, model: Path, seed: int, device: str,
                     *, folder: Path, on_problem: Callable[[str], None]) -> dict[str, Predictions]:  # fmt: skip
        calls.append((name, preset, seed, model.name))
        return {"val": answers_of(collection)}

    module = types.SimpleNamespace(run_classical=run_classical, run_prompted=run_prompted,
                                   notes_of=lambda preset: (f"What {preset} does.",))  # fmt: skip
    monkeypatch.setattr("trainer.engine.run.system_module", lambda kind: module)
    recipe = Recipe("gtzan-classical", "toy", kind, "toy/x")  # type: ignore[arg-type]
    if kind == "prompted":
        with pytest.raises(HouseXError, match="needs the folder of its model"):
            made(toy, recipe)
    run = open_run(made(toy, recipe, weights="model" if kind == "prompted" else None))
    part = "test" if kind == "classical" else "val"
    assert calls == [("toy/x", "fixed", 0, "features" if kind == "classical" else "model")]
    assert len(run.predictions(part).track) == 30
    assert run.card["parts"] == {part: {"tracks": 30, "pieces": 30}}
    assert run.card["synthetic"] is True
    assert run.card["notes"] == ["What fixed does."]
    assert ("A row is short." in run.card["problems"]) is (kind == "classical")
    assert run.history == ()
    with pytest.raises(HouseXError, match="not a network"):
        run.network()
    again = {"weights": "model" if kind == "prompted" else None}
    made(toy, recipe, **again)
    assert len(calls) == 1
    # another table of features is other data
    (toy / "features_3_sec.csv").write_text("filename\n")
    with pytest.raises(HouseXError, match="made of other data"):
        made(toy, recipe, **again)
    # and a run that does not say what it was made of is made anew
    card = {key: value for key, value in run.card.items() if key != "data"}
    (run.folder / "run.json").write_text(json.dumps(card))
    made(toy, recipe, **again)
    assert len(calls) == 2


@pytest.mark.parametrize(
    ("kind", "changed", "more", "said"),
    [
        ("classical", {"split": "tracks"}, {}, "--split"),
        ("prompted", {"training": {"lr": 0.1}}, {}, "--set"),
        ("classical", {}, {"weights": "none"}, "--weights"),
        ("prompted", {}, {"weights": "model", "frozen_split": Path("split.json")}, "--split-file"),
    ],
)
def test_what_only_networks_take_is_refused(
    toy: Path, kind: str, changed: dict[str, Any], more: dict[str, Any], said: str
) -> None:
    recipe = Recipe("gtzan-classical", "toy", kind, "toy/x", **changed)  # type: ignore[arg-type]
    with pytest.raises(HouseXError, match=f"{said} is for networks, and gtzan-classical/toy is {kind}"):
        made(toy, recipe, **more)


def test_arguments_match_the_real_modules() -> None:
    """What is handed over by name here, the real systems take."""
    import inspect

    for kind, names in (("classical", {"cache", "on_problem"}), ("prompted", {"folder", "on_problem"})):
        module = importlib.import_module(f"trainer.systems.{kind}")
        assert names <= set(inspect.signature(getattr(module, f"run_{kind}")).parameters)


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_run_parser(parser.add_subparsers())
    return parser.parse_args(["run", *words])


def test_command_runs_a_row(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = toy.parent / "recipes" / "housex-whole"
    rows.mkdir(parents=True)
    (rows / "toy.yaml").write_text("kind: network\nsystem: toy/net\nseeds: [3]\n")
    out = str(toy.parent / "runs")
    arguments = parsed(str(rows / "toy.yaml"), "--data", str(toy), "--out", out, "--steps", "2", "--device", "cpu",
                       "--set", "training.lr=3e-3", "--option", "mood=open")  # fmt: skip
    assert arguments.func(arguments) == 0
    folder = Path(capsys.readouterr().out.strip().splitlines()[-1])
    assert folder.parts[-4:] == ("housex-whole", "toy", "fixed", "seed-3")
    card = json.loads((folder / "run.json").read_text())
    assert card["training"]["lr"] == 3e-3
    assert card["steps"] == 2
    arguments = parsed("housex-whole/toy")
    with pytest.raises(HouseXError, match="data is missing"):
        arguments.func(arguments)


def test_command_refuses_nonsense(capsys: pytest.CaptureFixture[str]) -> None:
    for words, said in ((("--steps", "0"), "0 is less than 1"), (("--seed", "-1"), "-1 is less than 0"),
                        (("--seed", "abc"), "'abc' is not a whole number"),
                        (("--micro-batch", "1.5"), "'1.5' is not a whole number")):  # fmt: skip
        with pytest.raises(SystemExit):
            parsed("a/b", *words)
        assert said in capsys.readouterr().err


def test_published_presets_train_in_32_bits(toy: Path) -> None:
    card = json.loads((made(toy, preset="as_paper", precision="auto") / "run.json").read_text())
    assert card["precision"] == "32"


def test_no_pickles_in_a_run(toy: Path) -> None:
    folder = made(toy)
    state = torch.load(folder / "checkpoint.pt", weights_only=True)
    assert state["step"] == open_run(folder).card["steps"]
    np.load(folder / "predictions-test.npz", allow_pickle=False)
    assert os.listdir(folder / "tensorboard")


def by_two_processes(root: Path, toy: Path, out: Path) -> str:
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m", "tests.trainer.engine_toys"]
    done = subprocess.run([sys.executable, *launch, str(out), "run", str(toy)], cwd=root, capture_output=True, text=True,
                          env={**os.environ, "OMP_NUM_THREADS": "1"}, timeout=300, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_two_processes_make_the_run_of_one(toy: Path, root: Path) -> None:
    one = made(toy)
    by_two_processes(root, toy, toy.parent / "two")
    two = run_folder(toy.parent / "two", RECIPE, "fixed", 0)
    assert json.loads((two / "run.json").read_text())["processes"] == 2
    assert (two / "split.json").read_bytes() == (one / "split.json").read_bytes()
    for part in ("val", "test"):
        alone, together = open_run(one).predictions(part), open_run(two).predictions(part)
        assert np.array_equal(alone.track, together.track)
        assert np.allclose(alone.logits, together.logits, atol=1e-5)


def test_an_error_of_the_first_process_ends_all(toy: Path, root: Path) -> None:
    for path in toy.glob("*.wav"):
        path.unlink()
    assert by_two_processes(root, toy, toy.parent / "two").count("holds nothing that toy/net") == 2
