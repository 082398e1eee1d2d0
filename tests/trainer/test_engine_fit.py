"""The training engine does what a Training says."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning_fabric")

from safetensors.torch import load_file  # noqa: E402
from torch import nn  # noqa: E402

from housex_blender.core.errors import HouseXError, ModelError  # noqa: E402
from trainer.engine.answers import ask  # noqa: E402
from trainer.engine.chance import epoch_order, seed_step, track_generator  # noqa: E402
from trainer.engine.checkpoints import CHECKPOINT_FILE, load_weights, save_weights  # noqa: E402
from trainer.engine.fit import is_collapsed  # noqa: E402
from trainer.engine.history import HISTORY_FILE, entropy_of, read_history  # noqa: E402
from trainer.engine.optimising import losses, make_optimiser, rate_at, set_rate  # noqa: E402
from trainer.engine.runtime import Runtime, pick_precision  # noqa: E402
from trainer.systems.base import Training  # noqa: E402

from .engine_toys import CLASSES, INPUTS, Clouds, last_weights, toy_network, toy_setup, train  # noqa: E402


def test_loss_falls_and_the_history_tells_it(tmp_path: Path) -> None:
    made, _ = train(tmp_path, toy_setup(epochs=6))
    rows = made.rows
    assert [row.epoch for row in rows] == [1, 2, 3, 4, 5, 6]
    assert [row.step for row in rows] == [7, 14, 21, 28, 35, 42]
    assert made.steps == 42
    assert rows[-1].train_loss < 0.7 * rows[0].train_loss
    assert rows[-1].val_loss < rows[0].val_loss
    assert rows[-1].val_accuracy > 0.5
    assert read_history(tmp_path / HISTORY_FILE) == rows
    assert list((tmp_path / "tensorboard").iterdir())


def test_first_step_is_the_one_of_plain_torch(tmp_path: Path) -> None:
    data = Clouds(8)
    train(tmp_path, toy_setup(optimiser="sgd", lr=0.1, batch=8, epochs=1), data)
    torch.manual_seed(1)
    network = toy_network()
    x, target = torch.stack([data[i][0] for i in range(8)]), torch.stack([data[i][1] for i in range(8)])
    nn.CrossEntropyLoss()(network(x), target).backward()
    after = last_weights(tmp_path)
    for name, parameter in network.named_parameters():
        assert torch.allclose(after[name], parameter - 0.1 * parameter.grad, atol=1e-6), name


def test_best_and_last_differ_and_keep_chooses(tmp_path: Path) -> None:
    # the validation part has its labels turned round: what is learnt makes it worse
    val = Clouds(30)
    val._targets = np.roll(val._targets, 1, axis=1)
    for keep in ("best", "last"):
        made, network = train(tmp_path / keep, toy_setup(keep=keep, epochs=5, lr=0.03), Clouds(30), val)
        assert made.best == 0
        assert made.weights_file == f"{keep}.safetensors"
        best, last = (load_file(tmp_path / keep / f"{name}.safetensors") for name in ("best", "last"))
        assert not torch.equal(best["0.weight"], last["0.weight"])
        kept = {"best": best, "last": last}[keep]
        assert all(torch.equal(kept[name], value) for name, value in network.state_dict().items())


@pytest.mark.parametrize(("patience", "stops_after"), [(1, 2), (3, 4), (None, 6)])
def test_stops_exactly_when_patience_ends(tmp_path: Path, patience: int | None, stops_after: int) -> None:
    val = Clouds(30)
    val._targets = np.roll(val._targets, 1, axis=1)
    made, _ = train(tmp_path, toy_setup(patience=patience, epochs=6, lr=0.03), Clouds(30), val)
    # the first epoch is the best
    assert made.best == 0
    assert made.rows[-1].epoch == stops_after


def test_monitors_differ(tmp_path: Path) -> None:
    made, _ = train(tmp_path, toy_setup(monitor="val_accuracy", epochs=8, lr=0.02), Clouds(60), Clouds(40, 5))
    accuracies = [row.val_accuracy for row in made.rows]
    # the first of equal ones
    assert made.best == int(np.argmax(accuracies))
    lower, _ = train(tmp_path / "loss", toy_setup(epochs=8, lr=0.02), Clouds(60), Clouds(40, 5))
    assert lower.best == int(np.argmin([row.val_loss for row in lower.rows]))


def test_validations_per_epoch(tmp_path: Path) -> None:
    made, _ = train(tmp_path, toy_setup(validations=2, epochs=2), Clouds(64))
    assert [row.step for row in made.rows] == [4, 8, 12, 16]
    assert [row.epoch for row in made.rows] == [1, 1, 2, 2]


def test_frozen_parameters_do_not_move_and_others_have_their_own_rate(tmp_path: Path) -> None:
    torch.manual_seed(1)
    before = toy_network().state_dict()
    train(tmp_path, toy_setup(group_lr={"0.": 0.0}))
    after = last_weights(tmp_path)
    assert torch.equal(before["0.weight"], after["0.weight"])
    assert torch.equal(before["0.bias"], after["0.bias"])
    assert not torch.equal(before["3.weight"], after["3.weight"])
    network, training = toy_network(), Training("adam", 0.1, 4, 1)
    optimiser = make_optimiser(network, training, {"0": 0.1, "0.bias": 0.5})
    set_rate(optimiser, training, 0.5)
    rates = {id(p): group["lr"] for group in optimiser.param_groups for p in group["params"]}
    named = {name: rates[id(p)] for name, p in network.named_parameters()}
    assert named == pytest.approx({"0.weight": 0.005, "0.bias": 0.025, "3.weight": 0.05, "3.bias": 0.05})


def test_frozen_part_stays_in_evaluation_mode(tmp_path: Path) -> None:
    def freeze(network: nn.Module) -> None:
        network[2].eval()  # type: ignore[index]

    for frozen in (True, False):
        folder = tmp_path / str(frozen)
        setup = toy_setup(lambda weights: toy_network(norm=True), prepare_training=freeze if frozen else None)
        train(folder, setup)
        moved = bool(last_weights(folder)["2.running_mean"].abs().sum() > 0)
        assert moved is not frozen


def test_probabilities_for_logits_have_the_floor_of_the_published_runs(tmp_path: Path) -> None:
    names = tuple("abcdefghij")
    data = Clouds(320, classes=10, spread=0.01)
    setup = toy_setup(lambda weights: toy_network(10, softmax=True), names, outputs="probabilities", epochs=15, lr=0.03,
                      batch=16)  # fmt: skip
    made, _ = train(tmp_path, setup, data, data)
    floor = math.log(math.e + 9) - 1
    assert floor == pytest.approx(1.4612, abs=1e-4)
    assert min(row.train_loss for row in made.rows) >= floor - 1e-4
    assert made.rows[-1].train_loss == pytest.approx(floor, abs=0.002)
    assert made.rows[-1].train_accuracy > 0.98
    sure = torch.eye(10)
    assert float(losses(sure, sure).mean()) == pytest.approx(1.4612, abs=1e-4)


def test_order_of_examples() -> None:
    first = epoch_order(50, 3, 0)
    assert sorted(first) == list(range(50))
    assert np.array_equal(first, epoch_order(50, 3, 0))
    assert not np.array_equal(first, epoch_order(50, 3, 1))
    assert not np.array_equal(first, epoch_order(50, 4, 0))
    assert np.array_equal(epoch_order(50, 3, 0, reshuffle=False), epoch_order(50, 3, 7, reshuffle=False))


def test_balanced_classes_come_equally_often() -> None:
    classes = np.array([0] * 40 + [1] * 7 + [3] * 3)
    order = epoch_order(50, 3, 0, classes=classes)
    drawn = np.bincount(classes[order], minlength=4)
    assert drawn.sum() == 50
    assert drawn[2] == 0
    assert sorted(drawn[[0, 1, 3]]) == [16, 17, 17]
    # none of a large class twice, all of a small class before any again
    large, small = order[classes[order] == 0], order[classes[order] == 3]
    assert len(set(large)) == len(large)
    assert max(np.bincount(small - 47)) - min(np.bincount(small - 47, minlength=3)) <= 1


def test_engine_draws_balanced(tmp_path: Path) -> None:
    data = Clouds(64, shares=(0.8, 0.1, 0.1))
    train(tmp_path, toy_setup(balanced=True, epochs=1), data)
    drawn = np.bincount(data.main[data.read])
    assert drawn.max() - drawn.min() <= 1
    data = Clouds(64, shares=(0.8, 0.1, 0.1))
    train(tmp_path / "as they are", toy_setup(epochs=1), data)
    assert sorted(data.read) == list(range(64))


def test_micro_batches_make_the_same_step(tmp_path: Path) -> None:
    whole, _ = train(tmp_path / "whole")
    parts, _ = train(tmp_path / "parts", micro_batch=3)
    for name, value in last_weights(tmp_path / "whole").items():
        assert torch.allclose(value, last_weights(tmp_path / "parts")[name], atol=1e-5), name
    assert parts.rows[-1].train_loss == pytest.approx(whole.rows[-1].train_loss, abs=1e-5)


def test_clipping_limits_the_step(tmp_path: Path) -> None:
    torch.manual_seed(1)
    before = toy_network().state_dict()
    setup = toy_setup(optimiser="sgd", lr=1.0, clip_norm=0.01, epochs=1, batch=8)
    train(tmp_path, setup, Clouds(8))
    moved = sum(float((last_weights(tmp_path)[name] - value).square().sum()) for name, value in before.items())
    assert math.sqrt(moved) == pytest.approx(0.01, rel=1e-3)


def test_schedules() -> None:
    constant, cosine = Training("adam", 1.0, 4, 1), Training("adam", 1.0, 4, 1, schedule="cosine", warmup_share=0.1)
    assert {rate_at(step, 100, constant) for step in range(100)} == {1.0}
    rates = [rate_at(step, 100, cosine) for step in range(101)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[9] == rates[10] == 1.0
    assert rates[55] == pytest.approx(0.5)
    assert rates[100] == pytest.approx(0.0)
    assert rates[10:] == sorted(rates[10:], reverse=True)


def test_steps_stop_a_try(tmp_path: Path) -> None:
    made, _ = train(tmp_path, steps=3)
    assert made.steps == 3
    assert len(made.rows) == 1


def test_no_validation_part(tmp_path: Path) -> None:
    made, network = train(tmp_path, toy_setup(patience=1), val=Clouds(0))
    assert made.weights_file == "last.safetensors"
    assert made.best == 3
    assert math.isnan(made.rows[0].val_loss)
    assert torch.equal(network.state_dict()["0.weight"], last_weights(tmp_path)["0.weight"])


def test_nothing_to_train_on(tmp_path: Path) -> None:
    with pytest.raises(HouseXError, match="Nothing is left"):
        train(tmp_path, data=Clouds(0))


def test_a_loss_that_is_no_number_stops_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(HouseXError, match="not a number any more"):
        train(tmp_path, toy_setup(optimiser="sgd", lr=1e30))


def test_sixteen_bits_train_as_well(tmp_path: Path) -> None:
    plain, _ = train(tmp_path / "32", toy_setup(epochs=6))
    mixed, network = train(tmp_path / "bf16", toy_setup(epochs=6), precision="bf16")
    assert mixed.rows[-1].train_loss < 0.7 * mixed.rows[0].train_loss
    assert mixed.rows[-1].train_loss == pytest.approx(plain.rows[-1].train_loss, abs=0.1)
    assert mixed.rows[-1].train_loss != plain.rows[-1].train_loss
    # the weights themselves stay in 32 bits
    assert {value.dtype for value in network.state_dict().values()} == {torch.float32}


def test_inputs_are_not_rounded_to_sixteen_bits() -> None:
    seen = []

    class Look(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            seen.append(x.clone())
            return x

    x = torch.full((1, INPUTS), 1e9 + 64.0)
    Runtime.start("cpu", "bf16").outputs(Look(), x)
    assert torch.equal(seen[0], x)


def test_precisions() -> None:
    assert pick_precision("32", "cpu") == "32"
    assert pick_precision("auto", "mps") == "32"
    with pytest.raises(HouseXError, match="16 bits"):
        pick_precision("16", "cpu")
    with pytest.raises(HouseXError, match="no precision"):
        pick_precision("64", "cpu")


def test_scaled_gradients_of_16_bits_step_like_plain_ones() -> None:
    """GradScaler belongs to GPUs; here its arithmetic is run on the CPU, with the device's name exchanged."""
    pytest.importorskip("lightning_fabric")
    from lightning_fabric.plugins.precision import MixedPrecision

    runtime = Runtime.start("cpu", "32")
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    runtime.fabric.strategy.precision = MixedPrecision("16-mixed", "cpu", scaler)
    assert runtime.scaler_state()["scale"] == 1024.0
    runtime.load_scaler({**runtime.scaler_state(), "scale": 2048.0})
    assert runtime.scaler_state()["scale"] == 2048.0
    weight = nn.Parameter(torch.tensor([1.0]))
    optimiser = torch.optim.SGD([weight], lr=0.5)
    runtime.fabric.backward((3.0 * weight).sum())
    assert float(weight.grad) == pytest.approx(3.0 * 2048)
    runtime.fabric.clip_gradients(nn.ParameterList([weight]), optimiser, max_norm=1.0, error_if_nonfinite=False)
    runtime.fabric.strategy.optimizer_step(optimiser)
    assert float(weight.detach()) == pytest.approx(0.5, abs=1e-5)


def test_checkpoint_reloads_to_the_same_logits(tmp_path: Path) -> None:
    _, network = train(tmp_path, toy_setup(lambda weights: toy_network(norm=True)))
    save_weights(tmp_path / "w.safetensors", network)
    other = toy_network(norm=True).eval()
    load_weights(tmp_path / "w.safetensors", other)
    x = torch.randn(5, INPUTS)
    assert torch.equal(network.eval()(x), other(x))


def test_shared_weights_are_written_once(tmp_path: Path) -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one = nn.Linear(4, 4)
            self.other = self.one

    made, again = Twice(), Twice()
    save_weights(tmp_path / "w.safetensors", made)
    load_weights(tmp_path / "w.safetensors", again)
    assert torch.equal(made.one.weight, again.other.weight)


@pytest.mark.parametrize("harm", ["gone", "cut", "text", "other"])
def test_damaged_weights_are_told(tmp_path: Path, harm: str) -> None:
    path = tmp_path / "best.safetensors"
    save_weights(path, toy_network(5) if harm == "other" else toy_network())
    if harm == "gone":
        path.unlink()
    elif harm == "cut":
        path.write_bytes(path.read_bytes()[:100])
    elif harm == "text":
        path.write_text("weights")
    with pytest.raises(ModelError, match=r"has no best|does not hold"):
        load_weights(path, toy_network())


@pytest.mark.parametrize("harm", ["cut", "text", "pickle", "other run", "other network"])
def test_damaged_checkpoint_is_told(tmp_path: Path, harm: str) -> None:
    train(tmp_path, steps=3, identity="a")
    path = tmp_path / CHECKPOINT_FILE
    identity, build = "a", toy_network
    if harm == "cut":
        path.write_bytes(path.read_bytes()[:200])
    elif harm == "text":
        path.write_text("state")
    elif harm == "pickle":
        torch.save({"identity": "a", "network": Path("x")}, path)
    elif harm == "other run":
        identity = "b"
    else:

        def build() -> nn.Module:
            return toy_network(norm=True)

    with pytest.raises(HouseXError, match=r"is damaged|other settings|does not fit"):
        train(tmp_path, toy_setup(lambda weights: build()), identity=identity)


def test_answers_are_in_order_and_count_each_once() -> None:
    data = Clouds(21)
    answers = ask(toy_network(dropout=0.9), data, 3, Runtime.start("cpu", "32"), 4)
    assert answers.piece.tolist() == list(range(1000, 1021))
    assert sum(answers.said) == 21
    assert np.array_equal(answers.target.argmax(1), data.main)
    assert answers.true == np.bincount(data.main).tolist()
    # dropout is off
    again = ask(toy_network(dropout=0.9), data, 3, Runtime.start("cpu", "32"), 21)
    assert answers.outputs.shape == again.outputs.shape == (21, 3)


def test_collapse_is_seen() -> None:
    data, runtime = Clouds(400), Runtime.start("cpu", "32")
    network = toy_network()
    with torch.no_grad():
        network[3].bias.copy_(torch.tensor([0.0, 100.0, 0.0]))  # type: ignore[index]
    constant = ask(network, data, 3, runtime, 100)
    assert constant.said == [0, 400, 0]
    assert is_collapsed([constant])
    # one slip is no knowledge, a few dozen answers of another class are
    for others, collapsed in ((1, True), (30, False)):
        outputs = constant.outputs.clone()
        outputs[:others] = torch.tensor([1.0, 0.0, 0.0])
        assert is_collapsed([replace(constant, outputs=outputs)]) is collapsed
    assert not is_collapsed([replace(constant, outputs=constant.target)])
    # always the same answer is right where there is one class only
    assert not is_collapsed([replace(constant, target=torch.eye(3)[[1] * 400])])
    # parts are looked at together
    assert is_collapsed([constant, ask(network, Clouds(0), 3, runtime, 8)])


def test_entropy() -> None:
    assert entropy_of([4, 0, 0]) == 0.0
    assert entropy_of([2, 2]) == pytest.approx(math.log(2))
    assert math.isnan(entropy_of([0, 0]))


def test_chance_is_of_the_step_and_of_the_track() -> None:
    def drawn(seed: int, step: int) -> tuple[float, float]:
        seed_step(seed, step)
        return float(torch.rand(())), float(np.random.rand())

    assert drawn(1, 5) == drawn(1, 5)
    assert len({drawn(1, 5), drawn(1, 6), drawn(2, 5)}) == 3
    assert track_generator("a").random() == track_generator("a").random() != track_generator("b").random()


def test_same_seed_same_weights(tmp_path: Path) -> None:
    setup = toy_setup(lambda weights: toy_network(dropout=0.5))
    for name, seed in (("one", 1), ("same", 1), ("other", 2)):
        train(tmp_path / name, setup, seed=seed)
    one, same, other = (last_weights(tmp_path / name)["0.weight"] for name in ("one", "same", "other"))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_classes_have_names() -> None:
    assert toy_setup().classes == CLASSES
