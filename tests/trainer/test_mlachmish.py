"""The mel and the MFCC network of mlachmish: sizes as coded and as drawn, starts, losses, vectors for t-SNE."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import Tensor, nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from housex_blender.core.errors import HouseXError  # noqa: E402
from trainer.data.collection import Track  # noqa: E402
from trainer.systems import get_setup  # noqa: E402
from trainer.systems.base import PRESETS  # noqa: E402
from trainer.systems.mlachmish import MEL, MFCC, NAMES, CodedCnn, _SamePool, sample_vectors  # noqa: E402

COUNTS = {
    (MEL, "as_code"): 87_472_939,
    (MEL, "as_paper"): 19_279_882,
    (MEL, "fixed"): 19_279_882,
    (MFCC, "as_code"): 11_410_248,
    # the figure's with 13 channels in place of 128: 115 * 4 * 256 fewer
    (MFCC, "as_paper"): 19_279_882 - 115 * 4 * 256,
    (MFCC, "fixed"): 19_279_882 - 115 * 4 * 256,
}


def on_meta(name: str, preset: str) -> nn.Module:
    with torch.device("meta"):
        network: nn.Module = get_setup(name, preset).build("none")
    return network.eval()


def clips(name: str, preset: str, count: int = 4) -> tuple[Tensor, Tensor]:
    """Noise in the range of the real input: raw power in the hundreds, levels in dB."""
    torch.manual_seed(2)
    shape = get_setup(name, preset).front_end.shape
    noise = torch.randn(count, *shape)
    level = torch.arange(count).view(-1, 1, 1, 1)
    raw = 100.0 * noise.square() if name == MEL else 20.0 * noise
    return (-40.0 + 10.0 * noise + 2.0 * level if preset == "fixed" else raw), torch.arange(count)


def losses(network: nn.Module, windows: Tensor, genres: Tensor, steps: int, lr: float = 1e-3) -> list[float]:
    network.train()
    optimiser = torch.optim.Adam(network.parameters(), lr=lr)
    seen = []
    for _ in range(steps):
        optimiser.zero_grad()
        loss = functional.cross_entropy(network(windows), genres)
        loss.backward()
        optimiser.step()
        seen.append(loss.item())
    return seen


@pytest.mark.parametrize(("name", "preset"), COUNTS)
def test_parameters(name: str, preset: str) -> None:
    assert sum(one.numel() for one in on_meta(name, preset).parameters()) == COUNTS[name, preset]


def test_counts_of_others_are_explained() -> None:
    mel, mfcc = get_setup(MEL, "as_code").counted, get_setup(MFCC, "as_code").counted
    assert (mel.paper, mel.code) == (19_279_882, 87_472_939)
    assert (mfcc.paper, mfcc.code) == (None, 11_420_503)
    assert mfcc.code - COUNTS[MFCC, "as_code"] == 10_255
    assert "10 255" in mfcc.why
    assert "149, 73 and 35" in mel.why


@pytest.mark.parametrize(
    ("name", "preset", "stages"),
    [
        (MEL, "as_code", [(149, 150, 32), (73, 75, 16), (35, 38, 8)]),
        (MFCC, "as_code", [(149, 150, 4), (73, 75, 2)]),
        (MEL, "as_paper", [(256, 149), (256, 73), (512, 35)]),
        (MEL, "fixed", [(256, 149), (256, 73), (512, 35)]),
        (MFCC, "fixed", [(256, 149), (256, 73), (512, 35)]),
    ],
)
def test_stages(name: str, preset: str, stages: list[tuple[int, ...]]) -> None:
    network = on_meta(name, preset)
    seen: list[tuple[int, ...]] = []
    for layer in network.convolutions:
        layer.register_forward_hook(lambda _layer, _given, maps: seen.append(tuple(maps.shape[1:])))
    shape = get_setup(name, preset).front_end.shape
    assert network(torch.empty(2, *shape, device="meta")).shape == (2, 10)
    assert seen == stages


def test_input_as_published() -> None:
    assert get_setup(MEL, "as_code").front_end.shape == (2, 599, 128)
    assert get_setup(MFCC, "as_code").front_end.shape == (5, 599, 13)


def test_pooling_shares_its_edge_as_tensorflow_does() -> None:
    # 13 in fours lack 3: one goes before, two behind
    row = torch.arange(1.0, 14.0).view(1, 1, 1, 13).expand(1, 1, 4, 13)
    assert _SamePool(4)(row).flatten().tolist() == [3.0, 7.0, 11.0, 13.0]
    # 599 in fours lack 1, and it goes behind
    column = torch.arange(599.0).view(1, 1, 599, 1).expand(1, 1, 599, 4)
    pooled = _SamePool(4)(column).flatten()
    assert len(pooled) == 150
    assert pooled[:2].tolist() == [3.0, 7.0]
    assert pooled[-1] == 598.0


def test_convolutions_keep_their_size_as_tensorflow_does() -> None:
    network = CodedCnn((1, 8, 8), ((1, 1),), 4, 0.0)
    conv = network.convolutions[0][1]
    with torch.no_grad():
        conv.bias.zero_()
        # looks at the last place of its kernel: two behind the one it stands for
        conv.weight.zero_()[0, 0, 3, 3] = 1.0
    ramp = torch.arange(64.0).view(1, 1, 8, 8)
    seen = network.eval().maps(ramp)
    assert seen.shape == (1, 1, 8, 8)
    torch.testing.assert_close(seen[0, 0, :6, :6], ramp[0, 0, 2:, 2:])


def test_published_weights_start_at_one_and_repaired_ones_small() -> None:
    torch.manual_seed(0)
    coded = get_setup(MFCC, "as_code").build("none")
    assert coded.dense[0].weight.std().item() == pytest.approx(1.0, abs=0.01)
    assert coded.dense[0].bias.std().item() == pytest.approx(1.0, abs=0.1)
    fixed = get_setup(MFCC, "fixed").build("none")
    assert fixed.dense[0].weight.std().item() == pytest.approx(math.sqrt(2 / 17_920), rel=0.01)
    assert fixed.dense[0].bias.abs().max() == 0.0


def test_biases_of_the_mel_network_start_around_a_hundredth() -> None:
    torch.manual_seed(0)
    many = CodedCnn((1, 4, 4), ((1, 4),), 200_000, 0.01)
    assert many.dense[0].bias.mean().item() == pytest.approx(0.01, abs=0.007)
    assert many.dense[0].bias.std().item() == pytest.approx(1.0, abs=0.01)


def test_the_published_start_has_a_huge_loss_that_falls() -> None:
    torch.manual_seed(0)
    network = get_setup(MFCC, "as_code").build("none")
    seen = losses(network, *clips(MFCC, "as_code"), steps=6)
    assert seen[0] > 1e5
    assert seen[-1] < 0.7 * seen[0]


@pytest.mark.slow
def test_the_published_mel_network_starts_in_the_millions_and_falls() -> None:
    torch.manual_seed(0)
    network = get_setup(MEL, "as_code").build("none")
    seen = losses(network, *clips(MEL, "as_code", 2), steps=3)
    assert seen[0] > 1e6
    assert seen[-1] < seen[0]


@pytest.mark.parametrize("name", NAMES)
def test_the_repaired_networks_learn_a_repeated_batch(name: str) -> None:
    torch.manual_seed(0)
    network = get_setup(name, "fixed").build("none")
    # as when they warm up
    seen = losses(network, *clips(name, "fixed"), steps=8, lr=5e-5)
    # ten genres by chance are ln 10
    assert seen[0] == pytest.approx(math.log(10), abs=1.5)
    assert max(seen[-2:]) < 0.7 * seen[0]


def test_each_bin_is_standardised_by_what_training_saw() -> None:
    torch.manual_seed(0)
    network = get_setup(MFCC, "fixed").build("none")
    seen: list[Tensor] = []
    network.standard.register_forward_hook(lambda _layer, _given, values: seen.append(values))
    windows, _ = clips(MFCC, "fixed")
    windows = windows * torch.arange(1.0, 14.0) - 30.0
    network.train()(windows)
    torch.testing.assert_close(seen[0].mean(dim=(0, 2)), torch.zeros(13), atol=1e-4, rtol=0)
    torch.testing.assert_close(seen[0].std(dim=(0, 2)), torch.ones(13), atol=1e-2, rtol=0)
    # one step is enough for evaluation to see the same, and a clip is seen against the others, not against itself
    network.eval()(windows)
    torch.testing.assert_close(seen[1], seen[0], atol=1e-2, rtol=0)
    network(windows[:1] + 5.0)
    assert seen[2].mean().abs() > 0.1


@pytest.mark.parametrize(("name", "preset"), [(MFCC, "as_code"), (MFCC, "fixed")])
def test_weights_come_back_from_a_file(name: str, preset: str, tmp_path: Path) -> None:
    from safetensors.torch import save_file

    setup = get_setup(name, preset)
    torch.manual_seed(0)
    first = setup.build("none").eval()
    save_file(first.state_dict(), tmp_path / "weights.safetensors")
    again = setup.build(str(tmp_path / "weights.safetensors")).eval()
    windows, _ = clips(name, preset, 2)
    torch.testing.assert_close(again(windows), first(windows), rtol=0, atol=0)
    assert setup.embed is not None
    torch.testing.assert_close(first.out(setup.embed(first, windows)), first(windows))
    with pytest.raises(HouseXError, match="starts at random"):
        setup.build("imagenet")


def test_presets_differ_where_the_code_the_figure_and_the_repair_do() -> None:
    for name in NAMES:
        code, paper, fixed = (get_setup(name, preset) for preset in PRESETS)
        assert [setup.split for setup in (code, paper, fixed)] == ["random-clips", "tracks", "tracks"]
        assert [setup.training.keep for setup in (code, paper, fixed)] == ["last", "last", "best"]
        assert [setup.training.reshuffle for setup in (code, paper, fixed)] == [False, False, True]
        assert [setup.front_end.settings()["scaling"] for setup in (code, paper, fixed)] == ["raw", "raw", "log"]
        assert (code.training.optimiser, code.training.lr, code.training.batch) == ("adam", 1e-3, 64)
        # 1562 steps of 64, and what smaller last batches make of them
        assert code.training.epochs * 800 // 64 == 1562
        assert code.training.epochs * -(-800 // 64) == 1625
        assert any("1625 steps" in note for note in code.notes)
        assert any("9.8 %" in note for note in code.notes)


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("name", NAMES)
def test_homburg_has_nine_genres_and_clips_that_silence_fills_up(name: str, preset: str) -> None:
    setup, on_gtzan = get_setup(name, preset, {"data": "homburg"}), get_setup(name, preset)
    assert (setup.dataset, on_gtzan.dataset) == ("homburg", "gtzan")
    assert (len(setup.classes), len(on_gtzan.classes)) == (9, 10)
    with torch.device("meta"):
        network = setup.build("none").eval()
    assert network(torch.empty(2, *setup.front_end.shape, device="meta")).shape == (2, 9)
    assert any("silence" in note for note in setup.notes)
    assert not any("silence" in note for note in on_gtzan.notes)


def test_a_clip_is_one_piece() -> None:
    track = Track("rock.00001", np.eye(10, dtype=np.float32)[9], duration_s=30.0)
    pieces = get_setup(MEL, "fixed").pieces(track, 4, np.random.default_rng(0))
    assert [(piece.track, piece.start_s) for piece in pieces] == [(4, 0.0)]


def test_vectors_for_the_picture_of_clips_average_the_frames_of_a_window() -> None:
    first = np.arange(5 * 599 * 13, dtype=np.float32).reshape(5, 599, 13)
    vectors = sample_vectors(clip for clip in (first, first + 1.0))
    assert vectors.shape == (2, 599 * 13)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors[0], first.mean(axis=0).ravel())
    np.testing.assert_allclose(vectors[1] - vectors[0], 1.0, atol=1e-2)
