"""The mainstage benchmark's networks: sizes, patches, what the presets do differently, clips, whole tracks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import Tensor, nn  # noqa: E402

from housex_blender.core.errors import HouseXError  # noqa: E402
from trainer.data.classes import MAINSTAGE  # noqa: E402
from trainer.data.collection import Track  # noqa: E402
from trainer.systems import get_setup, mainstage, mainstage_track, options_of, system_names  # noqa: E402
from trainer.systems.base import PRESETS, Setup  # noqa: E402
from trainer.systems.mainstage import PatchSequence, patch_starts  # noqa: E402

# image network -> (published total, image network alone)
PARAMETERS = {
    "vit-b-16": (92_856_560, 86_567_656),
    "vgg11-bn": (139_157_744, 132_868_840),
    "densenet201": (26_302_832, 20_013_928),
    "resnet152": (66_481_712, 60_192_808),
    "resnext101-32x8d": (95_080_240, 88_791_336),
}
QUICK = ("resnet18", "densenet201")
RUNS = ("resnet18", "densenet201", "vgg11-bn", "vit-b-16", "resnet152", "resnext101-32x8d")


def setup_of(name: str, preset: str = "as_code", **options: str) -> Setup:
    return get_setup(f"mainstage/{name}", preset, options)


class Tiny(nn.Module):
    """An image network of nothing: colours are averaged in squares; keeps how many images it was given each time."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(3)
        self.squares = nn.AdaptiveAvgPool2d(4)
        self.out = nn.Linear(48, 1000)
        self.calls: list[int] = []

    def forward(self, images: Tensor) -> Tensor:
        assert images.shape[1:] == (3, 224, 224)
        self.calls.append(len(images))
        return self.out(self.squares(self.norm(images)).flatten(1))


def sequence(**options: object) -> PatchSequence:
    torch.manual_seed(0)
    return PatchSequence(Tiny(), **options)  # type: ignore[arg-type]


def clips(count: int, frames: int) -> Tensor:
    return torch.rand(count, 3, 224, frames, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("preset", PRESETS)
def test_parameters_are_those_of_the_code(preset: str) -> None:
    assert {name for name in system_names() if name.startswith("mainstage/")} == set(mainstage.NAMES)
    for name in mainstage.NAMES:
        made = get_setup(name, preset)
        with torch.device("meta"):
            network = made.build("none")
        count = sum(parameter.numel() for parameter in network.parameters())
        short = name.split("/")[1]
        assert count == made.counted.code
        if short in PARAMETERS:
            backbone = sum(parameter.numel() for parameter in network.extractor.parameters())
            assert (count, backbone) == PARAMETERS[short]
        assert sum(parameter.numel() for parameter in network.position.parameters()) == 0


def test_six_layers_are_the_older_network_but_for_its_last_layer() -> None:
    for name, total in (("vit-b-16", 120_420_328), ("resnet152", 94_045_480)):
        made = setup_of(name, layers="6")
        with torch.device("meta"):
            network = made.build("none")
        count = sum(parameter.numel() for parameter in network.parameters())
        assert count == made.counted.code == total + sum(p.numel() for p in network.last.parameters())


def test_patch_grid() -> None:
    assert patch_starts(646, tail=False) == tuple(range(0, 417, 16))
    assert len(patch_starts(646, tail=False)) == 27
    assert patch_starts(646, tail=True) == (*range(0, 417, 16), 422)
    assert len(patch_starts(323, tail=False)) == 7
    # a last offset that fits exactly is left out by the reference code
    assert patch_starts(240, tail=False) == (0,)
    assert patch_starts(240, tail=True) == (0, 16)
    assert patch_starts(224, tail=False) == patch_starts(224, tail=True) == (0,)
    with pytest.raises(HouseXError, match="shorter than one patch"):
        patch_starts(223, tail=False)


def test_published_network_does_not_see_the_tail_and_the_repaired_does() -> None:
    x = clips(1, 646)
    changed = x.clone()
    changed[..., 640:] = 0.0
    for tail in (False, True):
        network = sequence(tail=tail).eval()
        with torch.no_grad():
            assert torch.equal(network(x), network(changed)) is not tail


def test_first_token_decides_without_a_place_for_the_others() -> None:
    """As published, all patches but the first may be exchanged."""
    tokens = torch.randn(2, 27, 768, generator=torch.Generator().manual_seed(3))
    mixed = tokens[:, [0, *np.random.default_rng(0).permutation(np.arange(1, 27))]]
    turned = tokens.flip(1)
    answers = {}
    for name, options in {
        "code": {},
        "paper": {"positioned": True},
        "fixed": {"positioned": True, "mean": True},
        "mean": {"mean": True},
    }.items():
        network = sequence(**options).eval()
        heard = []
        for given in (tokens, mixed, turned):
            network.tokens = lambda x, given=given: given
            with torch.no_grad():
                heard.append(network(torch.zeros(1)))
        answers[name] = [float((one - heard[0]).abs().max()) for one in heard]
    assert answers["code"][1] < 1e-5 < 1e-3 < answers["code"][2]
    assert answers["paper"][1] > 1e-3
    assert answers["fixed"][1] > 1e-3
    assert answers["mean"][2] < 1e-5


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_build_what_they_say(preset: str) -> None:
    with torch.device("meta"):
        network = setup_of("resnet18", preset, heads="3", layers="2", memory="saving").build("none")
    fixed = preset == "fixed"
    assert network.positioned is (preset != "as_code")
    assert network.mean is network.tail is fixed
    assert network.together == (7 if fixed else 1)
    assert network.saving
    assert len(network.encoder.layers) == 2
    assert network.encoder.layers[0].self_attn.num_heads == 3
    assert not network.encoder.layers[0].norm_first
    assert network.encoder.layers[0].dropout.p == 0.1


def test_batches_of_the_image_network() -> None:
    """As published every offset is a batch of its own; repaired, patches that lie far apart share one."""
    x = clips(2, 646)
    published, repaired = sequence(), sequence(tail=True, together=7)
    published.tokens(x)
    repaired.tokens(x)
    assert published.extractor.calls == [2] * 27
    assert repaired.extractor.calls == [14] * 4
    together, apart = sequence(tail=True, together=7).eval(), sequence(tail=True).eval()
    with torch.no_grad():
        torch.testing.assert_close(together.tokens(x), apart.tokens(x))
    statistics = published.extractor.norm.num_batches_tracked, repaired.extractor.norm.num_batches_tracked
    assert (int(statistics[0]), int(statistics[1])) == (27, 4)


def test_saving_memory_changes_nothing() -> None:
    x, y = clips(2, 300), torch.eye(8)[:2]
    made = {}
    for saving in (False, True):
        network = sequence(together=2, saving=saving)
        torch.manual_seed(5)
        loss = nn.functional.cross_entropy(network.train()(x), y)
        loss.backward()
        assert len(network.extractor.calls) == (6 if saving else 3)
        made[saving] = [p.grad for p in network.parameters()], dict(network.named_buffers())
    for plain, saved in zip(made[False][0], made[True][0], strict=True):
        torch.testing.assert_close(plain, saved)
    torch.testing.assert_close(made[False][1], made[True][1])
    assert network.extractor.norm.momentum == 0.1
    assert int(network.extractor.norm.num_batches_tracked) == 3


def test_short_clips_are_refused() -> None:
    with pytest.raises(HouseXError, match="shorter than one patch"):
        sequence()(clips(1, 200))


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in RUNS]
)
def test_it_learns_a_batch_and_its_state_gives_the_same_answers(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    made = setup_of(name)
    network = made.build("none")
    x, target = clips(2, 241 if name == "resnet18" else 240), torch.tensor([[1.0, *[0.0] * 7], [0.5, 0.5, *[0.0] * 6]])
    # no momentum, so that the largest of them fit into little memory
    optimiser = torch.optim.SGD(network.parameters(), lr=0.003)
    losses = []
    for _ in range(3):
        # the same dropout each time, so that only learning changes the loss
        torch.manual_seed(1)
        loss = nn.functional.cross_entropy(network(x), target)
        losses.append(float(loss.detach()))
        if len(losses) < 3:
            loss.backward()
            optimiser.step()
            optimiser.zero_grad()
    assert losses[2] < losses[0]
    with torch.no_grad():
        before = network.eval()(x[:1])
        assert made.embed is not None
        assert made.embed(network, x[:1]).shape == (1, 768)
    torch.save(network.state_dict(), tmp_path / "state.pt")
    del network, optimiser, loss
    with torch.device("meta"):
        again = made.build("none")
    again = again.to_empty(device="cpu")
    again.position = mainstage.Position()
    again.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    (tmp_path / "state.pt").unlink()
    with torch.no_grad():
        torch.testing.assert_close(again.eval()(x[:1]), before)


def test_vision_transformer_from_scratch_is_not_dead() -> None:
    """torchvision starts its last layer at zero, behind which no gradient gets through a ReLU."""
    torch.manual_seed(0)
    made = mainstage._extractor("vit_b_16", "none")
    head = made.heads.head
    assert head.weight.abs().max() > 0
    out = torch.relu(head(torch.randn(4, 768)))
    out.sum().backward()
    assert head.weight.grad.abs().max() > 0


def test_training_as_published_and_repaired() -> None:
    code, paper, fixed = (setup_of("resnet152", preset).training for preset in PRESETS)
    for one in (code, paper):
        assert (one.optimiser, one.lr, one.batch, one.epochs) == ("adam", 1e-4, 4, 5)
        assert (one.schedule, one.validations, one.monitor, one.balanced) == ("constant", 2, "val_accuracy", False)
    assert (code.keep, paper.keep, fixed.keep) == ("last", "best", "best")
    assert fixed.schedule == "cosine"
    assert fixed.warmup_share > 0
    assert fixed.balanced
    assert 1e-5 <= setup_of("vit-b-16", "fixed").training.lr <= 3e-5 < fixed.lr
    assert setup_of("vit-b-16").training.lr == 1e-4


def test_options_and_parts() -> None:
    assert set(options_of("mainstage/resnet18")) == {"chroma", "labels", "heads", "layers", "memory"}
    for preset in PRESETS:
        plain, other = setup_of("resnet18", preset), setup_of("resnet18", preset, chroma="with", labels="hard")
        assert (plain.labels, other.labels) == ("soft", "sharpen")
        assert setup_of("resnet18", preset, labels="clean").labels == "clean"
        assert (plain.front_end.settings()["chroma"], other.front_end.settings()["chroma"]) == (False, True)
        assert plain.front_end.settings()["repaired"] is (preset == "fixed")
        assert plain.split == ("tracks" if preset == "fixed" else "mainstage")
        assert plain.classes == MAINSTAGE
        assert plain.dataset == "mainstage"
        assert plain.weights == "imagenet"
        assert plain.front_end.shape == (3, 224, 646)
        assert plain.notes
        assert len(set(plain.notes)) == len(plain.notes)
    notes = {setup_of("resnet18", preset).notes for preset in PRESETS}
    assert len(notes) == 3


def track(name: str = "song", drops: tuple[tuple[float, float], ...] | None = ((10.0, 40.0), (60.0, 120.0))) -> Track:
    return Track(name, np.eye(8, dtype=np.float32)[0], drops_s=drops, duration_s=180.0)


def test_published_clips_are_four_per_drop_anywhere() -> None:
    made = setup_of("resnet18")
    one = made.pieces(track(), 3, np.random.default_rng(0))
    other = made.pieces(track(), 3, np.random.default_rng(1))
    assert [piece.track for piece in one] == [3] * 8
    assert all(10.0 <= piece.start_s <= 32.5 for piece in one[:4])
    assert all(60.0 <= piece.start_s <= 112.5 for piece in one[4:])
    assert [piece.start_s for piece in one] != [piece.start_s for piece in other]


def test_repaired_clips_follow_the_length_and_the_name_alone() -> None:
    made = setup_of("resnet18", "fixed")
    one = made.pieces(track(), 3, np.random.default_rng(0))
    other = made.pieces(track(), 5, np.random.default_rng(1))
    starts = [piece.start_s for piece in one]
    assert starts == [piece.start_s for piece in other]
    assert starts != [piece.start_s for piece in made.pieces(track("another"), 3, np.random.default_rng(0))]
    assert (sum(start < 50 for start in starts), sum(start > 50 for start in starts)) == (7, 15)
    assert starts == sorted(starts)
    assert all(10.0 <= start <= 32.5 or 60.0 <= start <= 112.5 for start in starts)


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("drops", [None, (), ((5.0, 12.0),)])
def test_tracks_without_a_drop_have_no_clips(preset: str, drops: tuple[tuple[float, float], ...] | None) -> None:
    assert list(setup_of("resnet18", preset).pieces(track(drops=drops), 0, np.random.default_rng(0))) == []


class Rate(nn.Module):
    """Says how many frames it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(8))
        self.frames: list[int] = []

    def forward(self, x: Tensor) -> Tensor:
        self.frames.append(x.shape[-1])
        return (self.bias + torch.eye(8)[2] * x.mean()).expand(len(x), 8)


def test_whole_tracks_are_heard_at_half_the_rate_as_published(tmp_path: Path) -> None:
    sf = pytest.importorskip("soundfile")
    rng = np.random.default_rng(0)
    gains = np.repeat([0.01, 0.5, 0.01], [44100 * 20, 44100 * 40, 44100 * 10])
    sf.write(tmp_path / "song.flac", gains * rng.uniform(-1, 1, len(gains)), 44100)
    for preset, frames, count in (("as_code", 323, 4), ("as_paper", 646, 4), ("fixed", 646, 5)):
        network = Rate()
        answer = mainstage_track.hear_track(network, setup_of("resnet18", preset), tmp_path / "song.flac")
        assert network.frames == [frames] * count
        assert not network.training
        starts = answer.clips.start_s
        np.testing.assert_allclose(np.diff(starts), (starts[-1] - starts[0]) / (count - 1))
        np.testing.assert_allclose([starts[0], starts[-1]], [20.0, 52.5], atol=2.5)
        np.testing.assert_allclose(answer.clips.probs.sum(axis=1), 1.0, rtol=1e-5)
        assert len(answer.whole.probs) == 1
        assert answer.whole.said[0] == answer.clips.said[0]
    given = mainstage_track.hear_track(Rate(), setup_of("resnet18"), tmp_path / "song.flac", ((1.0, 9.0),))
    np.testing.assert_allclose(given.clips.start_s, np.linspace(1.0, 1.5, 4))
    with pytest.raises(HouseXError, match="no drop"):
        mainstage_track.hear_track(Rate(), setup_of("resnet18"), tmp_path / "song.flac", ((1.0, 5.0),))
