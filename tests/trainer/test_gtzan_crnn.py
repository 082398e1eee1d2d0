"""The three recurrent networks on GTZAN: sizes, stages, the published slips under as_code and their repair."""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
# not by importing it: its wheel for CUDA only imports on a CPU build as trainer.systems.backbones does it
if importlib.util.find_spec("torchvision") is None:
    pytest.skip("needs torchvision", allow_module_level=True)

from torch import Tensor, nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from housex_blender.analysis.front_ends.gtzan import GtzanArray, GtzanPicture  # noqa: E402
from housex_blender.core.errors import HouseXError, ModelError  # noqa: E402
from trainer.data.collection import Track  # noqa: E402
from trainer.systems import get_setup  # noqa: E402
from trainer.systems.base import PRESETS, Setup  # noqa: E402
from trainer.systems.gtzan_crnn import BASE, EXTENDED, NAMES, TRANSFER  # noqa: E402

COUNTS = {BASE: 406_224, EXTENDED: 4_021_968, TRANSFER: 11_241_930}
PAPER_COUNTS = {BASE: 372_048, EXTENDED: 3_914_064, TRANSFER: 58_144_138}
FLOOR = math.log(math.e + 9) - 1


def track(duration_s: float = 30.0, pictures: tuple[Path, ...] = ()) -> Track:
    return Track("blues.00000", np.eye(10, dtype=np.float32)[0], duration_s=duration_s, pictures=pictures)


def built(name: str, preset: str) -> nn.Module:
    torch.manual_seed(0)
    network: nn.Module = get_setup(name, preset).build("none")
    return network


def on_meta(name: str, preset: str = "as_code") -> nn.Module:
    with torch.device("meta"):
        network: nn.Module = get_setup(name, preset).build("none")
    return network


def narrow_pictures(count: int = 4, width: int = 64) -> tuple[Tensor, Tensor]:
    """Noise of full height, which the networks need, but short: the recurrent part takes any length."""
    torch.manual_seed(1)
    brightness = torch.linspace(0.1, 1.0, count).view(-1, 1, 1, 1)
    return brightness * torch.rand(count, 3, 288, width), torch.arange(count) % 10


def trainable(setup: Setup, network: nn.Module) -> list[nn.Parameter]:
    still = tuple(prefix for prefix, factor in setup.group_lr.items() if factor == 0)
    return [one for name, one in network.named_parameters() if not name.startswith(still or ("\0",))]


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("name", NAMES)
def test_parameters(name: str, preset: str) -> None:
    setup = get_setup(name, preset)
    assert sum(one.numel() for one in on_meta(name, preset).parameters()) == COUNTS[name]
    assert (setup.counted.paper, setup.counted.code) == (PAPER_COUNTS[name], COUNTS[name])
    assert setup.counted.why


@pytest.mark.parametrize(("name", "recurrent"), [(BASE, 34_176), (EXTENDED, 107_904), (TRANSFER, 65_088)])
def test_what_the_paper_left_out_is_the_recurrent_part(name: str, recurrent: int) -> None:
    network = on_meta(name)
    assert sum(one.numel() for one in network.gru.parameters()) == recurrent
    if name != TRANSFER:
        assert COUNTS[name] - recurrent == PAPER_COUNTS[name]


def test_the_papers_transfer_network_has_the_trunk_of_a_resnet152() -> None:
    from trainer.systems.backbones import backbone

    with torch.device("meta"):
        deep = backbone("resnet152", "none")
    trunk = sum(one.numel() for name, one in deep.named_parameters() if not name.startswith("fc."))
    assert trunk + 330 == PAPER_COUNTS[TRANSFER]


def test_the_lower_half_of_the_resnet_is_frozen() -> None:
    setup, network = get_setup(TRANSFER, "as_code"), on_meta(TRANSFER)
    assert sum(one.numel() for one in trainable(setup, network)) == 10_558_858
    assert sum(one.numel() for one in network.frozen.parameters()) == 683_072


@pytest.mark.parametrize(
    ("name", "stages", "steps"),
    [
        (BASE, [(64, 144, 216), (128, 36, 108), (128, 9, 54), (128, 2, 27)], (27, 256)),
        (EXTENDED, [(64, 144, 216), (128, 72, 108), (256, 36, 54), (512, 9, 54), (512, 2, 54)], (54, 1024)),
    ],
)
def test_stages(name: str, stages: list[tuple[int, ...]], steps: tuple[int, int]) -> None:
    network = on_meta(name)
    seen: list[tuple[int, ...]] = []
    for stage in network.stages:
        stage.register_forward_hook(lambda _stage, _given, maps: seen.append(tuple(maps.shape[1:])))
    pictures = torch.empty(2, *get_setup(name, "as_code").front_end.shape, device="meta")
    assert tuple(network.sequence(pictures).shape) == (2, *steps)
    assert seen == stages
    assert network(pictures).shape == (2, 10)


@pytest.mark.parametrize(("preset", "steps"), [("as_code", 1), ("as_paper", 14), ("fixed", 14)])
def test_the_published_resnet_pools_time_away(preset: str, steps: int) -> None:
    network = on_meta(TRANSFER, preset)
    assert network.sequence(torch.empty(2, 3, 288, 432, device="meta")).shape == (2, steps, 512)


def test_a_step_of_the_sequence_is_a_column_of_the_maps() -> None:
    network = built(BASE, "as_code").eval()
    pictures, _ = narrow_pictures(1, 128)
    moved = pictures.clone()
    moved[..., 96:] = 0.0
    changed = (network.sequence(pictures) - network.sequence(moved)).abs().amax(dim=(0, 2))
    # 128 columns make 8 steps; the last quarter of the picture cannot reach the first half
    assert len(changed) == 8
    assert (changed[:4] == 0).all()
    assert (changed[6:] > 0).all()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("preset", PRESETS)
def test_the_published_networks_read_the_first_gru_layer(name: str, preset: str) -> None:
    network = built(name, preset)
    pictures, genres = narrow_pictures()
    functional.cross_entropy(network(pictures), genres).backward()
    upper = [one for key, one in network.gru.named_parameters() if not key.endswith("_l0")]
    moved = [one.grad is not None and bool(one.grad.abs().sum() > 0) for one in upper]
    assert len(upper) == (8 if name == TRANSFER else 4)
    assert not any(moved) if preset == "as_code" else all(moved)
    # the lowest layer learns either way
    assert network.gru.weight_ih_l0.grad.abs().sum() > 0


def test_a_softmax_in_the_network_puts_a_floor_under_the_loss() -> None:
    assert pytest.approx(1.4612, abs=5e-5) == FLOOR
    network = built(BASE, "as_code").eval()
    pictures, genres = narrow_pictures(1)
    with torch.no_grad():
        # as sure as it can be, and right
        network.dense.weight.zero_()
        network.dense.bias.copy_(1000.0 * torch.eye(10)[int(genres[0])])
        answers = network(pictures)
    assert functional.cross_entropy(answers, genres).item() == pytest.approx(FLOOR, abs=1e-5)
    assert get_setup(BASE, "as_code").training.outputs == "probabilities"
    for preset in ("as_paper", "fixed"):
        assert get_setup(BASE, preset).training.outputs == "logits"
        assert not torch.allclose(built(BASE, preset).eval()(pictures).sum(dim=1), torch.ones(1))


def test_batch_norm_of_the_frozen_part_stands_still_only_when_fixed() -> None:
    pictures, _ = narrow_pictures()
    for preset, still in (("as_code", False), ("fixed", True)):
        setup, network = get_setup(TRANSFER, preset), built(TRANSFER, preset)
        network.train()
        if setup.prepare_training:
            setup.prepare_training(network)
        before = network.frozen[1].running_mean.clone()
        network(pictures)
        assert torch.equal(before, network.frozen[1].running_mean) == still
        # the rest learns on
        assert network.trained.training


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("preset", ["as_code", "fixed"])
def test_the_loss_falls_on_a_repeated_batch(name: str, preset: str) -> None:
    setup, network = get_setup(name, preset), built(name, preset)
    pictures, genres = narrow_pictures()
    network.train()
    if setup.prepare_training:
        setup.prepare_training(network)
    optimiser = torch.optim.Adam(trainable(setup, network), lr=5e-3)
    losses = []
    for _ in range(8):
        optimiser.zero_grad()
        loss = functional.cross_entropy(network(pictures), genres)
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert max(losses[-2:]) < losses[0] - 0.1
    assert preset == "fixed" or min(losses) >= FLOOR - 1e-5


@pytest.mark.parametrize("name", NAMES)
def test_weights_come_back_from_a_file(name: str, tmp_path: Path) -> None:
    from safetensors.torch import save_file

    pictures, _ = narrow_pictures(2)
    first = built(name, "fixed").eval()
    save_file(first.state_dict(), tmp_path / "weights.safetensors")
    torch.manual_seed(99)
    setup = get_setup(name, "fixed")
    # a transfer network is built on the weights of its trunk, so its own come afterwards
    again = setup.build("none" if name == TRANSFER else str(tmp_path / "weights.safetensors"))
    if name == TRANSFER:
        from safetensors.torch import load_file

        again.load_state_dict(load_file(tmp_path / "weights.safetensors"))
    torch.testing.assert_close(again.eval()(pictures), first(pictures), rtol=0, atol=0)


def test_the_resnet_takes_a_file_of_its_trunk(tmp_path: Path) -> None:
    from trainer.systems.backbones import backbone

    torch.manual_seed(5)
    trunk = backbone("resnet18", "none")
    torch.save(trunk.state_dict(), tmp_path / "resnet18.pth")
    network = get_setup(TRANSFER, "fixed").build(str(tmp_path / "resnet18.pth"))
    assert torch.equal(network.frozen[0].weight, trunk.conv1.weight)
    assert torch.equal(network.trained[1][1].conv2.weight, trunk.layer4[1].conv2.weight)


def test_weights_that_do_not_exist_are_told(tmp_path: Path) -> None:
    with pytest.raises(HouseXError, match="starts at random"):
        get_setup(BASE).build("imagenet")
    with pytest.raises(ModelError, match="no file"):
        get_setup(BASE).build(str(tmp_path / "missing.safetensors"))


@pytest.mark.parametrize(("length", "count", "samples"), [("30", 1, 660_000), ("10", 3, 220_000), ("3", 10, 66_000), ("1", 30, 22_000)])  # fmt: skip
def test_a_track_is_cut_into_equal_pieces(length: str, count: int, samples: int) -> None:
    setup = get_setup(BASE, "as_code", {"length": length})
    pieces = setup.pieces(track(), 7, np.random.default_rng(0))
    assert [piece.track for piece in pieces] == [7] * count
    assert [piece.start_s for piece in pieces] == pytest.approx([number * samples / 22050 for number in range(count)])
    assert setup.front_end.window_samples == samples


def test_pieces_lie_within_their_track() -> None:
    setup = get_setup(BASE, "as_code", {"length": "3"})
    draw = np.random.default_rng(0)
    assert len(setup.pieces(track(10.0), 0, draw)) == 3
    assert len(setup.pieces(track(300.0), 0, draw)) == 10
    # a length that was rounded down costs no piece
    assert len(setup.pieces(track(29.93), 0, draw)) == 10
    assert len(setup.pieces(track(660_000 / 22050), 0, draw)) == 10
    assert len(get_setup(BASE, "fixed").pieces(track(10.0), 0, draw)) == 0


def test_pictures_of_the_data_set_are_pieces() -> None:
    shipped = (Path("a.png"), Path("b.png"))
    for preset in PRESETS:
        setup = get_setup(TRANSFER, preset, {"source": "pictures"})
        pieces = setup.pieces(track(pictures=shipped), 3, np.random.default_rng(0))
        assert [piece.picture for piece in pieces] == list(shipped)
        assert isinstance(setup.front_end, GtzanPicture)


def test_presets_differ_where_the_code_the_paper_and_the_repair_do() -> None:
    code, paper, fixed = (get_setup(TRANSFER, preset) for preset in PRESETS)
    assert [setup.split for setup in (code, paper, fixed)] == ["random-pieces", "tracks", "tracks"]
    assert [setup.training.patience for setup in (code, paper, fixed)] == [30, 10, 10]
    assert [setup.training.keep for setup in (code, paper, fixed)] == ["last", "best", "best"]
    assert isinstance(code.front_end, GtzanPicture)
    assert isinstance(paper.front_end, GtzanPicture)
    assert isinstance(fixed.front_end, GtzanArray)
    assert (code.front_end.hop, paper.front_end.hop, fixed.front_end.hop) == (256, 67, 256)
    assert fixed.front_end.imagenet
    assert not code.front_end.imagenet
    for setup in (code, paper, fixed):
        assert (setup.training.optimiser, setup.training.lr, setup.training.batch) == ("adam", 1e-4, 16)
        assert setup.notes


@pytest.mark.parametrize("name", NAMES)
def test_the_vectors_for_maps_are_what_the_answer_is_made_of(name: str) -> None:
    setup, network = get_setup(name, "fixed"), built(name, "fixed").eval()
    pictures, _ = narrow_pictures(2)
    assert setup.embed is not None
    vectors = setup.embed(network, pictures)
    assert vectors.shape == (2, 32)
    torch.testing.assert_close(network.dense(vectors), network(pictures))
