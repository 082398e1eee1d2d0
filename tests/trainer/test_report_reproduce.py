"""Published tables beside what came out: rows not run, runs, facts, fixed against as_code, and the three files."""

from __future__ import annotations

import argparse
import csv
import dataclasses
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from housex_blender.core.errors import HouseXError
from trainer.data.classes import HOUSEX
from trainer.engine.predictions import Predictions
from trainer.engine.recipe import Recipe, load_recipe, setup_of
from trainer.engine.run import RUN_FILE, SCHEMA, run_folder
from trainer.report import reproduce
from trainer.report.command import add_reproduce_parser
from trainer.report.comparison import duel_of
from trainer.report.written import lost_sentence

ROW = "resnet18"


def predictions(seed: int, right: float, tracks: int = 12) -> Predictions:
    """Answers for 4 pieces of each track, so many of which are right."""
    rng = np.random.default_rng(seed)
    true = np.repeat(np.arange(tracks) % 4, 4)
    said = np.where(rng.random(len(true)) < right, true, (true + 1) % 4)
    probs = np.full((len(true), 4), 0.1, np.float32)
    probs[np.arange(len(true)), said] = 0.7
    return Predictions(HOUSEX, np.repeat([f"t{i}" for i in range(tracks)], 4), np.tile(np.arange(4.0), tracks),
                       np.eye(4, dtype=np.float32)[true], probs, np.log(probs))  # fmt: skip


def write_run(runs: Path, recipe: Recipe, preset: str, seed: int, right: float = 0.7, **card: Any) -> Path:
    """A run folder as the engine leaves it, without a network."""
    folder = run_folder(runs, recipe, preset, seed)
    folder.mkdir(parents=True, exist_ok=True)
    for part in ("val", "test"):
        predictions(seed, right).save(folder / f"predictions-{part}.npz")
    body = {"schema": SCHEMA, "finished": True, "kind": recipe.kind, "seed": seed, "weights": None, "synthetic": False,
            "epochs": 20, "steps": 500, "steps_at_most": None, "system": recipe.system, "preset": preset,
            "table": recipe.table, "row": recipe.row, "classes": list(HOUSEX), "options": dict(recipe.options),
            "data_set": "housex", "parts": {}}  # fmt: skip
    if recipe.kind == "network":
        setup = setup_of(recipe, preset)
        body |= {"weights": setup.weights, "split": setup.split, "training": dataclasses.asdict(setup.training),
                 "best_epoch": 20, "weights_file": "best.safetensors"}  # fmt: skip
    body |= card
    (folder / RUN_FILE).write_text(json.dumps(body))
    return folder


@pytest.fixture
def command(tmp_path: Path) -> Callable[..., int]:
    def call(*words: str) -> int:
        parser = argparse.ArgumentParser()
        add_reproduce_parser(parser.add_subparsers(required=True))
        arguments = parser.parse_args(["reproduce", *words, "--runs", str(tmp_path)])
        return int(arguments.func(arguments))

    return call


@pytest.fixture
def recipe() -> Recipe:
    return reproduce.rows_of("housex-drops", [ROW])[0]


def test_without_data_the_published_table_is_printed_as_not_run(
    command: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("housex-drops") == 0
    out = capsys.readouterr().out
    line = next(line for line in out.splitlines() if line.startswith("| resnet18") and "test.accuracy" in line)
    assert [cell.strip() for cell in line.strip("|").split("|")] == [
        "resnet18", "not run", "test.accuracy", "80.39", "not run", "–", "–", "–",
    ]  # fmt: skip
    assert "Nothing of it was run here" in out
    with (tmp_path / "housex-drops" / "report.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["row"] for row in rows} == {
        "densenet121", "mobilenet-v3-small", "resnet18", "shufflenet-v2", "vgg16", "vit",
    }  # fmt: skip
    assert len(rows) == 6 * 12
    assert all(row["ours"] == row["difference"] == row["seeds"] == "" for row in rows)
    body = json.loads((tmp_path / "housex-drops" / "report.json").read_text())
    assert {variant["state"] for variant in body["variants"]} == {"not run"}


def test_a_run_is_compared_with_its_paper(
    command: Callable[..., int], tmp_path: Path, recipe: Recipe, capsys: pytest.CaptureFixture[str]
) -> None:
    for seed in (0, 1):
        write_run(tmp_path, recipe, "as_code", seed)
    assert command("housex-drops", "--rows", ROW, "--report-only") == 0
    accuracy = [float((p.said == p.true).mean()) for p in (predictions(0, 0.7), predictions(1, 0.7))]
    body = json.loads((tmp_path / "housex-drops" / "report.json").read_text())
    (variant,) = body["variants"]
    cell = next(cell for cell in variant["figures"] if cell["metric"] == "test.accuracy")
    assert cell["published"] == 0.8039
    assert cell["by_seed"] == pytest.approx(accuracy)
    assert cell["ours"] == pytest.approx(np.mean(accuracy))
    assert cell["difference"] == pytest.approx(np.mean(accuracy) - 0.8039)
    low, high = cell["interval"]
    assert low < cell["ours"] < high
    assert variant["seeds"] == [0, 1]
    assert variant["facts"] == []
    assert variant["counts"]["test"] == {"pieces": 48, "tracks": 12, "abstained": 0}
    metrics = {cell["metric"] for cell in variant["figures"]}
    assert {"test.track.majority.accuracy", "test.macro_f1", "test.kl", "test.f1.Melodic House"} <= metrics
    out = capsys.readouterr().out
    assert f"{100 * np.mean(accuracy):.2f}".rstrip("0").rstrip(".") in out
    assert f"{100 * (np.mean(accuracy) - 0.8039):+.2f}" in out
    assert "48 pieces of 12 tracks" in (tmp_path / "housex-drops" / "report.md").read_text()


def test_what_makes_a_run_another_one_is_said_in_the_header_and_in_its_row(
    command: Callable[..., int], tmp_path: Path, recipe: Recipe, capsys: pytest.CaptureFixture[str]
) -> None:
    write_run(tmp_path, recipe, "fixed", 0, synthetic=True, weights="none", steps_at_most=40, collapsed=True)
    assert command("housex-drops", "--rows", ROW) == 0
    out = capsys.readouterr().out
    row = next(line for line in out.splitlines() if line.startswith("| resnet18") and "test.accuracy" in line)
    for fact in (
        "synthesised miniature",
        "weights none instead of imagenet",
        "stopped after 40 steps",
        "says one class only",
    ):
        assert fact in row
        assert fact in out.split("| row")[0]
    assert "It does not mean anything about real music" in " ".join(out.split())
    assert "not comparable" in row
    body = json.loads((tmp_path / "housex-drops" / "report.json").read_text())
    assert all(cell["difference"] is None for cell in body["variants"][0]["figures"])


def test_other_options_and_training_are_handed_on_and_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def train(recipe: Recipe, preset: str, seed: int, _data: Path, out: Path, *_: Any, **__: Any) -> Path:
        assert recipe.options == {"subset": "drops", "source": "pictures"}
        assert recipe.training == {"epochs": 2}
        assert recipe.split == "random-clips"
        return write_run(out, recipe, preset, seed)

    monkeypatch.setattr(reproduce, "run_recipe", train)
    wish = reproduce.Wish(
        tmp_path, tmp_path, ("as_code",), 1, options=("source=pictures",), settings=("training.epochs=2",),
        split="random-clips",
    )  # fmt: skip
    (recipe,) = reproduce.rows_of("housex-drops", [ROW])
    (variant,) = reproduce.compared(recipe, wish)
    assert variant.facts == (
        f"split random-clips instead of {setup_of(recipe, 'as_code').split}", "source pictures", "epochs 2 instead of 20",
    )  # fmt: skip


def test_a_vote_is_learned_on_other_tracks_than_it_is_tested_on(tmp_path: Path, recipe: Recipe) -> None:
    folder = write_run(tmp_path, recipe, "as_code", 0)
    wish = reproduce.Wish(None, tmp_path)

    def learned() -> list[float | None]:
        cells = reproduce.compared(recipe, wish)[0].cells
        return [cell.ours for cell in cells if cell.metric == "test.track.learned.accuracy"]

    assert learned() == [], "the same tracks are in both parts"
    test = predictions(0, 0.7)
    dataclasses.replace(test, track=np.char.add(test.track, " other")).save(folder / "predictions-test.npz")
    (value,) = learned()
    assert value is not None
    assert 0.5 < value <= 1.0


def test_a_split_that_tests_what_it_trained_on_is_said(tmp_path: Path, recipe: Recipe) -> None:
    wish = reproduce.Wish(None, tmp_path)
    folder = write_run(tmp_path, recipe, "as_code", 0)
    split: dict[str, Any] = {
        "pieces": [[0, 0.0], [0, 1.0], [1, 0.0]],
        "parts": {"train": [0], "val": [], "test": [1, 2]},
    }
    (folder / "split.json").write_text(json.dumps(split))
    assert reproduce.compared(recipe, wish)[0].facts == ("tracks of training are tested too",)
    split["parts"]["train"] = []
    (folder / "split.json").write_text(json.dumps(split))
    assert reproduce.compared(recipe, wish)[0].facts == ()


def test_fixed_may_lose_to_a_split_that_flatters_and_it_is_said(tmp_path: Path) -> None:
    (recipe,) = reproduce.rows_of("gtzan-classical", ["svm-3s"])
    for preset, right in (("as_code", 0.9), ("fixed", 0.5)):
        folder = write_run(tmp_path, recipe, preset, 0)
        every = predictions(0, right)
        # by turns each piece is tested; parted at random, pieces of one track are on both sides
        first, second = (slice(None), slice(None)) if preset == "fixed" else (slice(0, None, 2), slice(1, None, 2))
        for part, rows in (("train", first), ("test", second)):
            Predictions(every.classes, every.track[rows], every.start_s[rows], every.target[rows], every.probs[rows],
                        every.logits[rows]).save(folder / f"predictions-{part}.npz")  # fmt: skip
    variants = reproduce.compared(recipe, reproduce.Wish(None, tmp_path))
    assert [variant.facts for variant in variants] == [("tracks of training are tested too",), ()]
    duel = duel_of(variants)
    assert duel is not None
    assert lost_sentence(duel).endswith("fixed is not, so the two are not equally hard.")


@pytest.mark.parametrize(
    ("code", "fixed", "sentence"), [(0.4, 0.9, ""), (0.9, 0.4, "does not beat"), (0.6, 0.6, "equals")]
)
def test_fixed_is_held_against_as_code_on_the_same_seeds(
    command: Callable[..., int], tmp_path: Path, recipe: Recipe, capsys: pytest.CaptureFixture[str],
    code: float, fixed: float, sentence: str,
) -> None:  # fmt: skip
    for seed in (0, 1):
        write_run(tmp_path, recipe, "as_code", seed, code)
    for seed in (1, 2):
        write_run(tmp_path, recipe, "fixed", seed, fixed)
    assert command("housex-drops", "--rows", ROW, "--seeds", "3") == 0
    duel = json.loads((tmp_path / "housex-drops" / "report.json").read_text())["fixed_against_as_code"][0]
    assert duel["seeds"] == [1], "only the seed that both have"
    assert duel["as_code"] == pytest.approx(float((predictions(1, code).said == predictions(1, code).true).mean()))
    assert duel["fixed_is_better"] is (fixed > code)
    out = capsys.readouterr().out
    assert (f"resnet18: fixed {sentence} as_code in test.accuracy" in out) == bool(sentence)
    assert ("fixed wins on every row" in out) == (not sentence)


def test_missing_runs_are_trained_and_a_failure_is_a_sentence(
    command: Callable[..., int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[tuple[Any, ...]] = []

    def train(recipe: Recipe, preset: str, seed: int, data: Path, out: Path, *more: Any, **options: Any) -> Path:
        asked.append((recipe.row, preset, seed, data, *more, options))
        if preset == "as_code":
            raise HouseXError("The weights cannot be downloaded here.", "Give --weights none.")
        return write_run(out, recipe, preset, seed, weights="none", steps_at_most=3)

    monkeypatch.setattr(reproduce, "run_recipe", train)
    words = ["housex-drops", "--rows", "resnet*", "vit", "--data", "/data", "--preset", "as_code", "fixed", "--seeds", "1",
             "--weights", "none", "--steps", "3"]  # fmt: skip
    assert command(*words) == 1, "some failed"
    options = {"train_predictions": False}
    wanted = [(row, preset, 0, Path("/data"), "none", "auto", 3, options)
              for row in ("resnet18", "vit") for preset in ("as_code", "fixed")]  # fmt: skip
    assert asked == wanted
    out = capsys.readouterr().out
    assert "| resnet18 | as_code, not run " in " ".join(out.split())
    assert "resnet18, as_code: The weights cannot be downloaded here. Give --weights none." in out
    assert "stopped after 3 steps" in next(
        line for line in out.splitlines() if line.startswith("| vit") and "fixed" in line
    )


def test_tables_with_training_figures_ask_for_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked = []

    def train(*_words: Any, **options: Any) -> Path:
        asked.append(options["train_predictions"])
        raise HouseXError("Nothing.")

    monkeypatch.setattr(reproduce, "run_recipe", train)
    (recipe,) = reproduce.rows_of("gtzan-networks", ["base-3s"])
    reproduce.compared(recipe, reproduce.Wish(tmp_path, tmp_path, ("fixed",), 1))
    assert asked == [True]


def test_new_songs_that_a_run_was_tested_on_are_in_its_row(tmp_path: Path) -> None:
    (recipe,) = reproduce.rows_of("gtzan-networks", ["base-3s"])
    folder = write_run(tmp_path, recipe, "as_code", 0)
    predictions(5, 0.5).save(folder / "predictions-new_songs.npz")
    (variant,) = reproduce.compared(recipe, reproduce.Wish(None, tmp_path))
    cells = {cell.metric: cell for cell in variant.cells}
    assert cells["new_songs.micro_f1"].published == 0.5917
    assert cells["new_songs.micro_f1"].ours == pytest.approx(
        float((predictions(5, 0.5).said == predictions(5, 0.5).true).mean())
    )
    assert (cells["epochs"].published, cells["epochs"].ours, cells["epochs"].interval) == (65.0, 20.0, None)
    assert cells["train.micro_f1"].ours is None


def test_a_damaged_run_is_a_sentence_and_the_others_are_reported(tmp_path: Path, recipe: Recipe) -> None:
    write_run(tmp_path, recipe, "fixed", 0)
    (write_run(tmp_path, recipe, "fixed", 1) / RUN_FILE).write_text("{")
    (write_run(tmp_path, recipe, "fixed", 2) / "predictions-test.npz").unlink()
    (variant,) = reproduce.compared(recipe, reproduce.Wish(None, tmp_path))
    assert variant.seeds == (0, 2)
    assert "does not describe a run" in variant.problem
    cells = {cell.metric: cell for cell in variant.cells}
    assert cells["test.accuracy"].ours is None, "one run has no such figure, so there is no mean of all"
    assert cells["val.accuracy"].ours is not None


def test_an_unfinished_run_is_no_result(tmp_path: Path, recipe: Recipe) -> None:
    write_run(tmp_path, recipe, "fixed", 0, finished=False)
    (variant,) = reproduce.compared(recipe, reproduce.Wish(None, tmp_path))
    assert (variant.name, variant.seeds) == ("fixed, not run", ())
    assert "no finished run" in variant.problem


def test_cited_rows_are_never_trained(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(reproduce, "run_recipe", lambda *_, **__: pytest.fail("trained"))
    (recipe,) = reproduce.rows_of("mlachmish", ["cited-homburg-c4.5"])
    (variant,) = reproduce.compared(recipe, reproduce.Wish(tmp_path, tmp_path))
    assert [cell.published for cell in variant.cells] == [0.4544]


def test_cited_rows_are_no_rows_that_were_not_run(
    command: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    left, ours = reproduce.rows_of("mlachmish")[-2:]
    assert (ours.kind, left.kind) == ("network", "network")
    write_run(tmp_path, ours, "fixed", 0)
    assert command("mlachmish", "--rows", ours.row, left.row, "cited-*") == 0
    out = capsys.readouterr().out
    assert "1 row was not run." in out
    line = next(line for line in out.splitlines() if line.startswith("| cited-homburg-c4.5"))
    assert [cell.strip() for cell in line.strip("|").split("|")][1:5] == ["only cited", "test.accuracy", "45.44", "–"]
    states = Counter(
        one["state"] for one in json.loads((tmp_path / "mlachmish" / "report.json").read_text())["variants"]
    )
    assert states == {"run": 1, "not run": 1, "only cited": 6}


@pytest.mark.parametrize(("word", "value"), [("--seeds", "0"), ("--seeds", "-3"), ("--steps", "-3"), ("--steps", "0")])
def test_neither_seeds_nor_steps_are_fewer_than_one(
    command: Callable[..., int], capsys: pytest.CaptureFixture[str], word: str, value: str
) -> None:
    with pytest.raises(SystemExit):
        command("housex-drops", f"{word}={value}")
    assert f"argument {word}: {value} is less than 1" in capsys.readouterr().err


def test_words_that_fit_nothing_are_told(command: Callable[..., int]) -> None:
    with pytest.raises(HouseXError, match=r"housex-drops has no row 'resnet99'\. Its rows are densenet121, "):
        command("housex-drops", "--rows", "resnet99")


def test_more_seeds_than_the_recipe_has_go_on_counting(recipe: Recipe) -> None:
    assert reproduce.seeds_of(recipe, None) == (0, 1, 2)
    assert reproduce.seeds_of(recipe, 1) == (0,)
    assert reproduce.seeds_of(recipe, 5) == (0, 1, 2, 3, 4)


def test_published_values_are_the_papers() -> None:
    folder = Path(reproduce.RECIPES)

    def published(name: str) -> dict[str, float]:
        return dict(load_recipe(folder / f"{name}.yaml").published)

    assert published("housex-whole/mobilenet-v3-small")["test.accuracy"] == 0.6195
    assert published("housex-drops/resnet18")["test.f1.Progressive House"] == 0.93
    assert published("mainstage/vgg11-bn-mel-soft") == {
        "val.weighted_precision": 0.765, "val.weighted_recall": 0.757, "val.weighted_f1": 0.756,
    }  # fmt: skip
    assert published("mainstage/densenet201-chroma-hard")["val.weighted_precision"] == 0.730
    assert published("gtzan-classical/svm-tuned-3s") == {"train.micro_f1": 0.9965, "test.micro_f1": 0.9161}
    assert published("gtzan-networks/transfer-30s")["new_songs.micro_f1"] == 0.575
    rows = Counter(path.parent.name for path in folder.glob("*/*.yaml") if load_recipe(path).published)
    assert rows == {
        "housex-whole": 6, "housex-drops": 6, "mainstage": 16, "mainstage-llm": 8, "mlachmish": 9, "gtzan-classical": 12,
        "gtzan-networks": 12,
    }  # fmt: skip
