"""The command that makes the shipped model, on bars made up for the test; and the shipped model itself."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from housex_blender.analysis.backends import OnnxBackend  # noqa: E402
from housex_blender.analysis.classify import softmax  # noqa: E402
from housex_blender.analysis.model_folder import CARD_FILE, MODELS, ONNX_FILE, NetworkShape, load_model_folder  # noqa: E402
from housex_blender.analysis.network import MixNet, load_weights  # noqa: E402
from housex_blender.core.files import sha256_of  # noqa: E402
from trainer import make_default  # noqa: E402
from trainer.__main__ import main  # noqa: E402
from trainer.datasets import as_patches  # noqa: E402
from trainer.export import backend_difference  # noqa: E402
from trainer.make_default import FROZEN, Data, Lesson, Sizes, freeze, frozen_figures, learn_side_by_side, thaw  # noqa: E402
from trainer.metrics import bar_figures, mix_figures  # noqa: E402
from trainer.model_card import PAGE  # noqa: E402
from trainer.train import Recipe  # noqa: E402

from .bars import striped_mix, striped_track  # noqa: E402

SMALL = NetworkShape(widths=(4, 8, 12, 16), size=24, dilations=(1, 2))


def striped_data() -> Data:
    def tracks(first: int, count: int) -> list:
        return [striped_track(genre, seed) for seed in range(first, first + count) for genre in range(9)]

    mixes = [striped_mix([1, 4, 7, 2], 0), striped_mix([0, 8, 3], 50)]
    return Data(tracks(0, 3), tracks(100, 2), tracks(200, 2), tracks(300, 1), mixes, mixes)


def network_figures(folder: Path, _mixes: Any) -> dict[str, Any]:
    """Instead of what the program hears, because there is no sound of striped bars."""
    mixes, net = striped_data().test_mixes, load_weights(load_model_folder(folder))
    return mix_figures(mixes, [softmax(one.logits) for one in make_default.predict(net, mixes, tempo_told=False)])


def stand_in(patch: pytest.MonkeyPatch) -> None:
    """Let the command learn small networks from striped bars."""
    patch.setattr(make_default, "render_all", lambda *_: striped_data())
    patch.setattr(make_default, "program_figures", network_figures)
    patch.setattr(make_default, "SHAPE", SMALL)
    patch.setattr(make_default, "DESIGNS", {name: lambda genres: MixNet(genres, SMALL) for name in ("Other", "MixNet")})
    sizes = Sizes(3, 2, 2, 1, 2, 2, 2, Recipe(bars=40 * 8 * 16, sequence=16, batch=8, peak_lr=6e-3), 640)
    patch.setattr(make_default, "SMOKE", sizes)


def make_in(folder: Path) -> int:
    """The real command, with everything below this folder."""
    places = ["-o", str(folder / "model"), "--data", str(folder / "data")]
    return main(["make-default", "--smoke", *places, "--device", "cpu", "--jobs", "1"])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder made by the real command from striped bars and small networks."""
    folder = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        stand_in(patch)
        assert make_in(folder) == 0
    return folder


def test_the_folder_loads_and_its_backends_agree(made: Path) -> None:
    model = load_model_folder(made / "model")
    assert len(model.genres) == 9
    assert model.shape == SMALL
    assert backend_difference(made / "model") < 1e-4


def test_the_card_quotes_what_the_weights_score(made: Path) -> None:
    card = json.loads((made / "model" / CARD_FILE).read_text())
    net, data = load_weights(load_model_folder(made / "model")), striped_data()
    said = make_default.predict(net, data.test)
    again = bar_figures(data.test, [softmax(one.logits, card["temperature"]) for one in said])
    assert card["figures"]["second generator"]["drop accuracy"] == pytest.approx(again["drop accuracy"], abs=2e-3)
    assert card["figures"]["second generator"]["drop accuracy"] > 0.5, "it has learnt something"
    assert card["figures"]["over seeds"]["seeds"] == 2
    assert set(card["figures"]["designs"]) == {"Other", "MixNet"}
    page = (made / "model" / PAGE).read_text()
    assert f"{100 * again['drop accuracy']:.1f} %" in page
    assert "no recorded music" in page


def test_a_second_call_takes_up_what_is_there(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    states = sorted((made / "data").rglob("*.pt"))
    assert len(states) == 4, "two designs and two seeds"
    before = (made / "model" / CARD_FILE).read_text()
    test_made = [path.stat().st_mtime_ns for path in states]
    stand_in(monkeypatch)
    assert make_in(made) == 0
    assert [path.stat().st_mtime_ns for path in states] == test_made, "nothing was trained again"
    old, new = json.loads(before), json.loads((made / "model" / CARD_FILE).read_text())
    assert old["figures"] == new["figures"]
    assert old["sha256"]["weights.safetensors"] == new["sha256"]["weights.safetensors"]


def test_runs_side_by_side_learn_what_one_after_the_other_does(tmp_path: Path) -> None:
    recipe = Recipe(bars=2 * 8 * 2, sequence=8, batch=2)
    lessons = [Lesson("MixNet", replace(recipe, seed=seed), tmp_path / f"{seed}.pt") for seed in (3, 4)]
    tracks = freeze(striped_data(), tmp_path / "tracks.npz")
    learn_side_by_side(lessons, partial(thaw, tmp_path / "tracks.npz"), at_once=2, cores=2)
    together = [lesson.checkpoint.stat().st_mtime_ns for lesson in lessons]
    for lesson, written in zip(lessons, together, strict=True):
        taken = lesson.learn(tracks, "cpu").state_dict()
        assert lesson.checkpoint.stat().st_mtime_ns == written, "the run was over"
        alone = replace(lesson, checkpoint=tmp_path / "alone.pt").learn(tracks, "cpu").state_dict()
        (tmp_path / "alone.pt").unlink()
        other = lessons[lesson is lessons[0]].learn(tracks, "cpu").state_dict()
        # sums in another order are rounded otherwise, and Adam makes steps of that where nothing pulls
        assert distance(alone, taken) < 0.05 * distance(alone, other)


def distance(one: dict[str, Any], other: dict[str, Any]) -> float:
    """Between all the numbers of two networks."""
    return float(sum(((value.float() - other[name].float()) ** 2).sum() for name, value in one.items())) ** 0.5


def test_frozen_tracks_come_back_as_they_were(tmp_path: Path) -> None:
    data = striped_data()
    kept = freeze(data, tmp_path / "frozen.npz")
    assert len(kept) == 18
    again = thaw(tmp_path / "frozen.npz")
    for one, other in zip(kept, again, strict=True):
        assert np.array_equal(one.pictures, other.pictures)
        assert one.genre.tolist() == other.genre.tolist()
    assert {int(track.genre[0]) for track in again} == set(range(9))


def test_figures_of_the_shipped_card_are_those_of_the_shipped_weights() -> None:
    folder = MODELS / "default"
    card = json.loads((folder / CARD_FILE).read_text(encoding="utf-8"))
    told = card["figures"]["frozen set"]
    assert told["sha256"] == sha256_of(FROZEN), "the card belongs to another frozen set"
    model = load_model_folder(folder)
    again = frozen_figures(load_weights(model), model.temperature, thaw())
    assert again["drop accuracy"] == pytest.approx(told["drop accuracy"], abs=0.005)
    assert again["expected calibration error"] == pytest.approx(told["expected calibration error"], abs=0.01)
    # far from chance, which is one in nine
    assert told["drop accuracy"] > 3 / 9


def test_both_backends_of_the_shipped_model_agree_on_music() -> None:
    model = load_model_folder(MODELS / "default")
    onnx, net = OnnxBackend(model), load_weights(model)
    assert (MODELS / "default" / ONNX_FILE).stat().st_size < 10_000_000
    for track in thaw()[::6]:
        patches = as_patches(track.pictures[:, None])
        heard = onnx.hear(patches, track.bpm)
        with torch.inference_mode():
            answers = net(torch.from_numpy(patches), torch.from_numpy(track.bpm))
        for ours, theirs in zip(heard, answers, strict=True):
            assert float(np.abs(ours - theirs.numpy()).max()) < 1e-4


def test_the_shipped_card_says_what_it_was_trained_on() -> None:
    page = (MODELS / "default" / PAGE).read_text(encoding="utf-8")
    assert "no recorded music" in page
    assert "never on records" in page
    card = json.loads((MODELS / "default" / CARD_FILE).read_text(encoding="utf-8"))
    figures = card["figures"]
    assert f"{100 * figures['second generator']['drop accuracy']:.1f} %" in page
    # what is not yet a first edition may quote a single run
    if float(card["version"]) >= 1.0:
        assert figures["over seeds"]["seeds"] >= 3
        assert len(figures["designs"]) >= 3
