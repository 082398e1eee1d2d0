"""Drops in the report: votes that weigh them, songs heard by them, and what presets say they do."""

from __future__ import annotations

import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

from housex_blender.core.errors import HouseXError
from tests.trainer.test_report_reproduce import write_run
from trainer.data.classes import HOUSEX
from trainer.engine.predictions import Predictions
from trainer.engine.recipe import Recipe
from trainer.report import evaluate, reproduce
from trainer.report.comparison import Variant
from trainer.report.drop_songs import drop_run, heard_in_drops, how_heard
from trainer.report.drop_votes import inside_of
from trainer.report.evaluate import Model
from trainer.report.songs import Song
from trainer.report.written import markdown
from trainer.systems import get_setup

from .commands import evaluate_in

PIECES = 8
# the drop of each track is somewhere else, so that the place in the track says nothing
DROP_OF = (0, 3, 6, 1, 4, 2, 5, 0, 6, 3, 1, 4)


def heard(prefix: str) -> tuple[Predictions, dict[str, list[list[float]]]]:
    """Twelve tracks of 8 pieces of a second; only the 2 in the drop are told right, all are equally sure."""
    true = np.repeat(np.arange(len(DROP_OF)) % 4, PIECES)
    starts = np.tile(np.arange(float(PIECES)), len(DROP_OF))
    first = np.repeat(DROP_OF, PIECES)
    right = (starts >= first) & (starts < first + 2)
    wrong = np.tile([1, 2, 3, 1, 2, 3, 1, 2], len(DROP_OF))
    said = np.where(right, true, (true + wrong) % 4)
    probs = np.full((len(true), 4), 0.1, np.float32)
    probs[np.arange(len(true)), said] = 0.7
    names = np.repeat([f"{prefix}{number}" for number in range(len(DROP_OF))], PIECES)
    target = np.eye(4, dtype=np.float32)[true]
    drops = {f"{prefix}{number}": [[float(start), start + 2.0]] for number, start in enumerate(DROP_OF)}
    return Predictions(HOUSEX, names, starts, target, probs, np.log(probs)), drops


@pytest.fixture
def recipe() -> Recipe:
    return reproduce.rows_of("housex-whole", ["resnet18"])[0]


def compared(runs: Path, recipe: Recipe, **card: Any) -> Variant:
    """A run whose parts are of other tracks, as a variant of its row."""
    folder = write_run(runs, recipe, "fixed", 0, **card)
    for part in ("val", "test"):
        heard(part)[0].save(folder / f"predictions-{part}.npz")
    (variant,) = reproduce.compared(recipe, reproduce.Wish(None, runs))
    return variant


def ours(variant: Variant) -> dict[str, float | None]:
    return {cell.metric: cell.ours for cell in variant.cells}


def test_a_run_tells_which_pieces_lie_in_drops() -> None:
    said, drops = heard("t")
    inside = inside_of({"window_s": 1.0, "drops_s": drops}, said)
    assert inside is not None
    assert np.array_equal(inside, said.said == said.true)
    assert inside_of({"window_s": 1.0, "drops_s": {}}, said) is None
    assert inside_of({}, said) is None, "runs of before say nothing of drops"


def test_votes_that_know_the_drops_are_printed_with_their_intervals(tmp_path: Path, recipe: Recipe) -> None:
    drops = heard("val")[1] | heard("test")[1]
    variant = compared(tmp_path, recipe, window_s=1.0, drops_s=drops)
    found = ours(variant)
    assert found["test.track.mean_logit.accuracy"] < 0.5  # type: ignore[operator]
    for metric in ("val.track.drop_weighted.accuracy", "test.track.drop_weighted.accuracy"):
        assert found[metric] == 1.0
    assert found["test.track.learned.accuracy"] == 1.0, "the weights were learned with the drops"
    cells = {cell.metric: cell for cell in variant.cells}
    assert cells["test.track.drop_weighted.accuracy"].interval == (1.0, 1.0)
    without = ours(compared(tmp_path / "without", recipe))
    assert "test.track.drop_weighted.accuracy" not in without
    assert without["test.track.learned.accuracy"] < 1.0  # type: ignore[operator]


def test_where_all_pieces_are_of_drops_there_is_nothing_to_weigh(tmp_path: Path, recipe: Recipe) -> None:
    drops = {name: [[0.0, 100.0]] for name in heard("val")[1] | heard("test")[1]}
    assert not [
        name for name in ours(compared(tmp_path, recipe, window_s=1.0, drops_s=drops)) if "weighted.acc" in name
    ]


def test_presets_say_what_they_do_and_those_that_do_the_same_say_it_once(tmp_path: Path, recipe: Recipe) -> None:
    for preset, notes in (("as_code", ["As ever."]), ("as_paper", ["As ever."]), ("fixed", ["Repaired.", "Tested."])):
        write_run(tmp_path, recipe, preset, 0, notes=notes)
    variants = reproduce.compared(recipe, reproduce.Wish(None, tmp_path))
    text = markdown("housex-whole", variants, [])
    assert "What as_code and as_paper do:\n\n- As ever.\n" in text
    assert "What fixed does:\n\n- Repaired.\n- Tested.\n" in text
    assert text.count("As ever.") == 1
    assert "\n\n\n" not in text
    write_run(tmp_path / "old", recipe, "fixed", 0)
    old = reproduce.compared(recipe, reproduce.Wish(None, tmp_path / "old"))
    assert "What fixed" not in markdown("housex-whole", old, [])


class Loud(torch.nn.Module):
    """Says the sixth class whatever it hears."""

    def __init__(self) -> None:
        super().__init__()
        self.last = torch.nn.Parameter(torch.tensor([0.0, 0, 0, 0, 0, 3, 0, 0]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last.repeat(len(x), 1)


@pytest.fixture
def songs(tmp_path: Path) -> Path:
    """Two songs of 20 s with a drop that is all of them, and one of 3 s."""
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 20 * 44100)
    for name in ("Bigroom/one", "Tech House/two", "Bigroom/short"):
        path = tmp_path / "songs" / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, noise[: 3 * 44100] if name.endswith("short") else noise, 44100)
    return tmp_path / "songs"


@pytest.fixture
def run() -> Any:
    setup = get_setup("mainstage/resnet18", "fixed", {})
    return types.SimpleNamespace(setup=setup, network=Loud, card={"system": "mainstage/resnet18"})


def test_songs_are_heard_by_the_clips_of_their_drops(run: Any, songs: Path) -> None:
    bigroom = run.setup.classes.index("Bigroom")
    listed = [Song(songs / "Bigroom/one.wav", "one", bigroom), Song(songs / "Tech House/two.wav", "two", -1),
              Song(songs / "Bigroom/short.wav", "short", bigroom)]  # fmt: skip
    said, problems = heard_in_drops(run, listed)
    assert said.track.tolist() == ["one", "one", "two", "two"], "two clips of 7.5 s fit into 20 s"
    assert said.start_s == pytest.approx([0.0, said.start_s[1]] * 2, abs=0.1)
    assert said.said.tolist() == [bigroom] * 4
    assert said.target.sum(axis=1).tolist() == [1, 1, 0, 0]
    assert problems == ['"short" is left out: "short.wav" has no drop of 7.5 s or more.']
    with pytest.raises(HouseXError, match=r'Not one of the songs can be heard\. "short" is left out'):
        heard_in_drops(run, listed[2:])


def test_it_is_said_how_songs_were_heard() -> None:
    texts = {
        preset: how_heard(get_setup("mainstage/resnet18", preset, {})) for preset in ("as_code", "as_paper", "fixed")
    }
    assert texts["as_code"].startswith("Clips of 7.5 s at 22050 Hz, which the training was not, 4 in each drop")
    assert texts["as_paper"].startswith("Clips of 7.5 s, 4 in each drop that the volume rule of as_paper finds")
    assert texts["fixed"].startswith("Clips of 7.5 s, as many as fit in each drop")


def test_only_runs_of_the_mainstage_benchmark_listen_to_drops(tmp_path: Path, recipe: Recipe) -> None:
    with pytest.raises(HouseXError, match=r"no run\.json in .*, and --drops is for runs"):
        drop_run(tmp_path)
    with pytest.raises(HouseXError, match=r"housex/resnet18 does not listen to drops: only the networks of mainstage/"):
        drop_run(write_run(tmp_path, recipe, "fixed", 0))


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Any) -> Callable[..., int]:
    setup = run.setup
    model = Model("a model", setup.classes, setup.front_end, lambda _pieces: pytest.fail("heard from the beginning"))
    monkeypatch.setattr(evaluate, "open_model", lambda _folder: model)
    monkeypatch.setattr(evaluate, "drop_run", lambda _folder: run)

    return evaluate_in(tmp_path)


def test_the_command_hears_drops(
    command: Callable[..., int], songs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("--on", str(songs), "--drops", "--out", str(tmp_path / "out")) == 0
    printed = capsys.readouterr()
    assert "- 4 pieces: 50.0 % right" in printed.out
    assert "- 2 songs: 50.0 % right" in printed.out
    assert "that the volume rule of fixed finds in the whole song" in printed.out
    assert "short.wav" in printed.err
    assert len(Predictions.load(tmp_path / "out" / "predictions.npz").track) == 4


@pytest.mark.parametrize("words", [("--middle",), ("--piece", "15"), ("--seconds", "60")])
def test_drops_are_not_mixed_with_other_ways(command: Callable[..., int], songs: Path, words: tuple[str, ...]) -> None:
    with pytest.raises(HouseXError, match="--drops looks for drops in the whole song"):
        command("--on", str(songs), "--drops", *words)
