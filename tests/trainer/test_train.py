"""Training learns, is seeded, goes on where it was cut off, and leaves out what is unknown."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import trainer.train  # noqa: E402
from housex_blender.analysis.backends import UNKNOWN_BPM  # noqa: E402
from housex_blender.analysis.model_folder import NetworkShape  # noqa: E402
from housex_blender.analysis.network import MixNet  # noqa: E402
from housex_blender.core.errors import HouseXError  # noqa: E402
from trainer.designs import DESIGNS, FourBarPatches, OneBarResNet18  # noqa: E402
from trainer.metrics import bar_figures  # noqa: E402
from trainer.train import Recipe, Sampler, loss_of, predict, train_network  # noqa: E402

from .bars import striped_track  # noqa: E402

SMALL = NetworkShape(widths=(4, 8, 12, 16), size=24, dilations=(1, 2))
RECIPE = Recipe(bars=60 * 8 * 16, sequence=16, batch=8, peak_lr=6e-3)


def small_net(seed: int = 0) -> MixNet:
    torch.manual_seed(seed)
    return MixNet(9, SMALL)


@pytest.fixture(scope="module")
def trained() -> MixNet:
    tracks = [striped_track(genre, seed) for genre in range(9) for seed in range(3)]
    return train_network(small_net(), tracks, RECIPE, device="cpu")


def test_unseen_tracks_are_told_apart_and_intros_by_their_drops(trained: MixNet) -> None:
    tracks = [striped_track(genre, 99) for genre in range(9)]
    said = predict(trained, tracks)
    probs = [np.exp(one.logits) / np.exp(one.logits).sum(1, keepdims=True) for one in said]
    figures = bar_figures(tracks, probs)
    assert figures["drop accuracy"] > 0.8
    # an intro sounds the same in all genres here: whatever is right in it comes from the neighbours
    assert figures["by section"]["intro"] > 2 / 9


def test_attributes_are_learnt_where_they_are_known(trained: MixNet) -> None:
    tracks = [striped_track(genre, 98) for genre in range(9)]
    said = predict(trained, tracks)
    groove = [one.attributes[track.drop, 0].mean() for one, track in zip(said, tracks, strict=True)]
    assert np.corrcoef(groove, np.arange(9))[0, 1] > 0.8
    assert min(groove) >= 1.0
    assert max(groove) <= 5.0


def test_a_run_that_is_cut_off_goes_on_as_if_it_had_not_been(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tracks = [striped_track(genre, 0) for genre in range(9)]
    recipe = Recipe(bars=12 * 2 * 8, sequence=8, batch=2)
    whole = train_network(small_net(), tracks, recipe, None, "cpu")
    average, calls = trainer.train._average, []

    def interrupted(*arguments: object) -> None:
        calls.append(1)
        if len(calls) == 9:
            raise KeyboardInterrupt
        average(*arguments)

    monkeypatch.setattr(trainer.train, "_average", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train_network(small_net(), tracks, recipe, tmp_path / "state.pt", "cpu", 5)
    monkeypatch.undo()
    assert torch.load(tmp_path / "state.pt", weights_only=True)["step"] == 5
    # the weights of the second start are forgotten: those of the checkpoint count
    rest = train_network(small_net(7), tracks, recipe, tmp_path / "state.pt", "cpu")
    for ours, theirs in zip(whole.parameters(), rest.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_a_foreign_checkpoint_is_refused_with_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "state.pt"
    torch.save({"step": 3, "net": {}}, path)
    with pytest.raises(HouseXError, match="does not fit this run"):
        train_network(small_net(), [striped_track(0, 0)], RECIPE, path, "cpu")
    path.write_bytes(b"nonsense")
    with pytest.raises(HouseXError, match="does not fit this run"):
        train_network(small_net(), [striped_track(0, 0)], RECIPE, path, "cpu")


def test_unknown_attributes_pull_at_nothing() -> None:
    net = small_net().eval()
    x, probs = torch.rand(2, 4, 128, 64), torch.full((2, 4, 9), 1 / 9)
    unknown, flat = torch.full((2, 4, 7), torch.nan), torch.zeros(2, 4)
    loss_of(net, x, 124.0 + flat, probs, unknown, flat, torch.ones(2, 4)).backward()
    assert float(net.attribute.weight.grad.abs().max()) == 0.0
    assert float(net.genre.weight.grad.abs().max()) > 0.0
    assert float(net.handover.weight.grad.abs().max()) > 0.0


def test_bars_without_weight_do_not_teach_the_genre() -> None:
    net = small_net().eval()
    x, flat = torch.rand(1, 4, 128, 64), torch.zeros(1, 4)
    weight = torch.tensor([[1.0, 1.0, 0.0, 0.0]])
    probs = torch.eye(9)[torch.tensor([[0, 0, 1, 1]])]
    other = torch.eye(9)[torch.tensor([[0, 0, 5, 7]])]
    unknown = torch.full((1, 4, 7), torch.nan)
    assert float(loss_of(net, x, 124.0 + flat, probs, unknown, flat, weight)) == pytest.approx(
        float(loss_of(net, x, 124.0 + flat, other, unknown, flat, weight))
    )


def test_genres_are_drawn_equally_often_whatever_their_number_of_tracks() -> None:
    tracks = [striped_track(0, seed) for seed in range(10)] + [striped_track(1, 0)]
    sampler = Sampler(tracks, Recipe(batch=200, sequence=4))
    _, bpm, probs, _ = sampler.draw(np.random.default_rng(0))
    assert 0.35 < float(probs[:, 0, 1].mean()) < 0.65
    # half of the tempi are not told, and most that are are those of the tracks, 124, give or take a pitch fader
    told = bpm[:, 0] != UNKNOWN_BPM
    assert 0.35 < float(told.float().mean()) < 0.65
    near = (bpm[told, 0] - 124.0).abs() < 6.0
    assert 0.7 < float(near.float().mean()) < 0.98
    assert bool((bpm == bpm[:, :1]).all()), "a track keeps its tempo"


@pytest.mark.parametrize("name", list(DESIGNS))
def test_every_design_answers_every_bar(name: str) -> None:
    net = DESIGNS[name](9).eval()
    with torch.inference_mode():
        logits, *_ = net.sequences(torch.rand(2, 10, 128, 64), torch.full((2, 10), 124.0))
    assert logits.shape == (2, 10, 9)
    assert bool(torch.isfinite(logits).all())


def test_designs_hear_as_far_as_they_say() -> None:
    torch.manual_seed(0)
    x, bpm = torch.rand(1, 8, 128, 64), torch.full((1, 8), 124.0)
    changed = x.clone()
    changed[0, 6] = torch.rand(128, 64)
    with torch.inference_mode():
        one, four = OneBarResNet18(9).eval(), FourBarPatches(9).eval()
        moved = (one.sequences(x, bpm)[0] - one.sequences(changed, bpm)[0]).abs().sum(-1)[0] > 1e-6
        assert moved.tolist() == [False] * 6 + [True, False]
        moved = (four.sequences(x, bpm)[0] - four.sequences(changed, bpm)[0]).abs().sum(-1)[0] > 1e-6
        assert moved.tolist() == [False] * 4 + [True] * 4
