"""The HouseX networks: what they see, what they are made of, what the presets change."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path

import librosa
import librosa.display
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import nn

from housex_blender.analysis.front_ends import card_of, front_end_from
from housex_blender.analysis.front_ends.housex import (
    SLICE_SAMPLES,
    HouseXArray,
    HouseXPicture,
    paint,
    resize,
    slice_db,
)
from housex_blender.core.errors import HouseXError, ModelError
from trainer.data.collection import Piece, Track
from trainer.systems.backbones import backbone, vision
from trainer.systems.base import PRESETS, Setup
from trainer.systems.housex import NAMES, OPTIONS, setup
from trainer.systems.small_vit import SmallViT

from .test_backbones import old_style

SECONDS = np.arange(SLICE_SAMPLES) / 22050
CHOSEN = {"subset": "whole", "source": "audio"}


def _signals() -> dict[str, NDArray[np.float32]]:
    rng = np.random.default_rng(0)
    beat = SECONDS % 0.46875
    kicks = np.sin(2 * np.pi * 50 * beat) * np.exp(-9 * beat)
    hats = rng.standard_normal(SLICE_SAMPLES) * np.exp(-60 * np.abs(beat - 0.234))
    chord = np.sum([np.sign(np.sin(2 * np.pi * f * SECONDS)) for f in (220, 277.2, 329.6)], axis=0) * beat
    named = {
        "noise": 0.1 * rng.standard_normal(SLICE_SAMPLES),
        "drums": 0.8 * kicks + 0.1 * hats,
        "everything": 0.5 * kicks + 0.1 * hats + 0.2 * chord,
        "silence": np.zeros(SLICE_SAMPLES),
    }
    return {name: signal.astype(np.float32) for name, signal in named.items()}


SIGNALS = _signals()


def _painted_by_matplotlib(db: NDArray[np.float32], kind: str) -> NDArray[np.uint8]:
    """The reference code's way: a default figure without axes, cut to what is drawn, saved, read by PIL."""
    figure = plt.figure(figsize=(6.4, 4.8), dpi=100)
    try:
        plt.axis("off")
        librosa.display.specshow(db)
        file = io.BytesIO()
        figure.savefig(file, format=kind, bbox_inches="tight")
    finally:
        plt.close(figure)
    file.seek(0)
    return np.asarray(Image.open(file).convert("RGB"))


def _by_pil(picture: NDArray[np.uint8], size: int = 96) -> NDArray[np.uint8]:
    return np.asarray(Image.fromarray(picture).resize((size, size), Image.Resampling.BILINEAR))


# --- what they see


def test_a_slice_has_the_published_length() -> None:
    assert SLICE_SAMPLES == int(60 * 4 / 128 * 22050) == 41_343


@pytest.mark.parametrize("name", SIGNALS)
def test_levels_equal_librosa(name: str) -> None:
    power = librosa.feature.melspectrogram(y=SIGNALS[name], sr=22050, pad_mode="reflect")
    expected = librosa.power_to_db(power, ref=np.max)
    db = slice_db(SIGNALS[name])
    assert db.shape == expected.shape == (128, 81)
    np.testing.assert_allclose(db, expected, atol=1e-3)


@pytest.mark.parametrize("name", SIGNALS)
def test_the_picture_is_matplotlib_s_to_the_pixel(name: str) -> None:
    db = slice_db(SIGNALS[name])
    expected = _painted_by_matplotlib(db, "png")
    assert expected.shape == (389, 516, 3)
    np.testing.assert_array_equal(paint(db), expected)


@pytest.mark.parametrize("name", SIGNALS)
def test_only_the_jpeg_is_missing(name: str) -> None:
    """Measured: 1.9 of 255 on the mean for noise, 0.9 to 1.8 for music, 0.1 for silence; 15 at most."""
    published = _by_pil(_painted_by_matplotlib(slice_db(SIGNALS[name]), "jpg")).astype(int)
    difference = np.abs(published - HouseXPicture().stored(SIGNALS[name]))
    assert difference.mean() < 2.0
    assert difference.max() <= 20


@pytest.mark.parametrize("shape", [(389, 516), (500, 700), (96, 96), (50, 40), (97, 300), (1, 1)])
def test_pictures_are_resized_as_pil_does(shape: tuple[int, int]) -> None:
    picture = np.random.default_rng(1).integers(0, 256, (*shape, 3), dtype=np.uint8)
    np.testing.assert_array_equal(resize(picture, 96, 96), _by_pil(picture))
    np.testing.assert_array_equal(HouseXPicture().stored_of_picture(picture), _by_pil(picture))


def test_the_network_gets_the_colours_normalised() -> None:
    vision()  # makes it import on a CPU build of torch
    from torchvision.transforms import functional

    stored = HouseXPicture().stored(SIGNALS["everything"])
    expected = functional.normalize(
        functional.to_tensor(Image.fromarray(stored)), [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    )
    ready = HouseXPicture().ready(stored)
    assert ready.shape == HouseXPicture().shape == (3, 96, 96)
    np.testing.assert_allclose(ready, expected.numpy(), atol=1e-5)


def test_a_picture_cannot_show_how_loud_it_is_but_an_array_can() -> None:
    loud, quiet = SIGNALS["everything"], 0.1 * SIGNALS["everything"]
    np.testing.assert_array_equal(HouseXPicture().stored(loud), HouseXPicture().stored(quiet))
    difference = HouseXArray().stored(loud) - HouseXArray().stored(quiet)
    assert np.median(difference) == pytest.approx(20 / 80, abs=1e-3)


def test_silence_is_empty_in_an_array() -> None:
    assert not HouseXArray().stored(SIGNALS["silence"]).any()
    assert not HouseXArray().stored(1e-6 * SIGNALS["noise"]).any()
    # while the picture of noise that nobody can hear is as bright as that of loud noise
    faint = HouseXPicture().stored(1e-4 * SIGNALS["noise"]).astype(int)
    assert np.abs(faint - HouseXPicture().stored(SIGNALS["noise"])).mean() < 1


def test_an_array_keeps_every_band_and_its_range() -> None:
    full = np.sin(2 * np.pi * 60 * SECONDS).astype(np.float32)
    stored = HouseXArray().stored(full)
    assert stored.shape == (128, 81)
    assert stored.dtype == np.float32
    assert 0.95 < stored.max() <= 1.0
    assert stored.min() == 0.0
    ready = HouseXArray().ready(stored)
    assert ready.shape == HouseXArray().shape == (3, 128, 81)
    back = ready * np.array([0.229, 0.224, 0.225])[:, None, None] + np.array([0.485, 0.456, 0.406])[:, None, None]
    np.testing.assert_allclose(back, np.broadcast_to(stored, (3, 128, 81)), atol=1e-6)


@pytest.mark.parametrize("front_end", [HouseXPicture(64), HouseXArray(35.0, 60.0)])
def test_front_ends_come_back_from_their_cards(front_end: HouseXPicture | HouseXArray) -> None:
    back = front_end_from(card_of(front_end))
    assert card_of(back) == card_of(front_end)
    assert back.shape == front_end.shape
    samples = SIGNALS["drums"]
    np.testing.assert_array_equal(back.stored(samples), front_end.stored(samples))


@pytest.mark.parametrize("settings", [{"size": 0}, {"pixels": 96}, {"range_db": 0.0, "kind": "housex-array"}])
def test_a_card_with_nonsense_is_refused(settings: dict[str, float]) -> None:
    with pytest.raises(ModelError, match="does not fit this version"):
        front_end_from({"kind": "housex-picture", **settings})


def test_another_length_is_refused() -> None:
    for front_end in (HouseXPicture(), HouseXArray()):
        with pytest.raises(ValueError, match="41343 samples"):
            front_end.stored(np.zeros(41_344, np.float32))


# --- pieces


def _pieces(preset: str, track: Track, **options: str) -> list[Piece]:
    chosen = setup("housex/resnet18", preset, {**CHOSEN, **options})
    return list(chosen.pieces(track, 7, np.random.default_rng(0)))


def _track(duration_s: float, *drops: tuple[float, float]) -> Track:
    return Track("t", np.eye(4, dtype=np.float32)[0], Path("t.wav"), duration_s=duration_s, drops_s=drops)


@pytest.mark.parametrize("preset", PRESETS)
def test_the_whole_track_is_cut_from_its_first_sample(preset: str) -> None:
    pieces = _pieces(preset, _track(3.4 * 1.875))
    assert [piece.start_s for piece in pieces] == [number * 41_343 / 22_050 for number in range(3)]
    assert {piece.track for piece in pieces} == {7}
    assert _pieces(preset, _track(1.8)) == []
    assert len(_pieces(preset, _track(41_343 / 22_050))) == 1


def test_sixteen_bars_touch_seventeen_slices() -> None:
    """The published set has 17.05 slices per drop of 16 bars, which a cut inside the drop would not give."""
    rng = np.random.default_rng(0)
    touched, inside = [], []
    for _ in range(300):
        # of the 160 published tempi 119 are 128 BPM and 32 are 126
        start, length = rng.uniform(30, 60), 16 * 240 / rng.choice([128, 126], p=[0.79, 0.21])
        track = _track(200.0, (start, start + length))
        touched.append(len(_pieces("as_code", track, subset="drops")))
        inside.append(len(_pieces("fixed", track, subset="drops")))
    assert np.mean(touched) == pytest.approx(17.05, abs=0.05)
    assert np.mean(inside) == pytest.approx(16.0, abs=0.05)


def test_slices_of_drops_are_slices_of_the_track_or_begin_with_the_drop() -> None:
    track = _track(100.0, (20.0, 25.0), (24.9, 27.0), (98.0, 120.0))
    whole = {piece.start_s for piece in _pieces("as_code", track)}
    published = [piece.start_s for piece in _pieces("as_code", track, subset="drops")]
    assert set(published) <= whole
    assert published == sorted(set(published))
    fixed = [piece.start_s for piece in _pieces("fixed", track, subset="drops")]
    assert fixed[:3] == pytest.approx([20.0, 20.0 + 41_343 / 22_050, 24.9])
    assert fixed[-1] == pytest.approx(98.0)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_track_without_drops_gives_none(preset: str) -> None:
    unknown = dataclasses.replace(_track(100.0), drops_s=None)
    assert _pieces(preset, unknown, subset="drops") == _pieces(preset, _track(100.0), subset="drops") == []


@pytest.mark.parametrize("subset", OPTIONS["subset"])
def test_pictures_are_pieces_in_their_order(subset: str) -> None:
    files = (Path("a.jpg"), Path("b.jpg"))
    track = Track("t", np.eye(4, dtype=np.float32)[0], pictures=files)
    pieces = _pieces("fixed", track, source="pictures", subset=subset)
    assert [(piece.start_s, piece.picture) for piece in pieces] == [(0.0, files[0]), (1.0, files[1])]


# --- presets


def _setup(name: str, preset: str, **options: str) -> Setup:
    return setup(name, preset, {**CHOSEN, **options})


@pytest.mark.parametrize("name", NAMES)
def test_the_code_trains_plainly_and_keeps_the_last_epoch(name: str) -> None:
    for preset in ("as_code", "as_paper"):
        training = _setup(name, preset).training
        assert (training.optimiser, training.lr, training.batch, training.epochs) == ("sgd", 2e-3, 4, 20)
        assert (training.momentum, training.weight_decay, training.schedule) == (0.0, 0.0, "constant")
        assert (training.keep, training.patience, training.balanced) == ("last", None, False)
    fixed = _setup(name, "fixed").training
    assert (fixed.keep, fixed.monitor, fixed.schedule, fixed.balanced) == ("best", "val_accuracy", "cosine", True)
    assert fixed.optimiser == "adamw" or fixed.momentum == 0.9


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("source", OPTIONS["source"])
def test_every_setup_hangs_together(name: str, preset: str, source: str) -> None:
    made = _setup(name, preset, source=source)
    assert made.classes == ("Future House", "Bass House", "Progressive House", "Melodic House")
    assert made.split == ("published" if source == "pictures" else "tracks" if preset == "fixed" else "housex")
    assert made.weights == ("none" if name.endswith("/vit") else "imagenet-v1")
    assert isinstance(made.front_end, HouseXArray if (preset, source) == ("fixed", "audio") else HouseXPicture)
    assert made.notes
    assert len(set(made.notes)) == len(made.notes)
    with torch.device("meta"):
        network = made.build("none").eval()
        batch = torch.zeros(2, *made.front_end.shape)
        assert network(batch).shape == (2, 4)
        assert made.embed is not None
        assert made.embed(network, batch).shape == (2, 1000 if preset == "fixed" else 4)
    ours = sum(part.numel() for part in network.parameters())
    if preset != "fixed" or not name.endswith("/vit"):
        assert ours == made.counted.code
    else:
        assert ours == {"audio": 16_527_756, "pictures": 16_681_356}[source]
        assert "patches" in made.counted.why
    assert isinstance(network, nn.Sequential)
    assert isinstance(network[1], nn.Dropout)
    assert network[1].p == 0.5


def test_repaired_batch_norm_keeps_up_with_a_small_set() -> None:
    def momenta(preset: str) -> set[float | None]:
        with torch.device("meta"):
            parts = _setup("housex/mobilenet-v3-small", preset).build("none").modules()
        return {part.momentum for part in parts if isinstance(part, nn.BatchNorm2d)}

    assert momenta("as_code") == momenta("as_paper") == {0.01}
    assert momenta("fixed") == {0.1}
    # that of the others is so from the start
    speaking = [name for name in NAMES if any("10 %" in note for note in _setup(name, "fixed").notes)]
    assert speaking == ["housex/mobilenet-v3-small"]


@pytest.mark.parametrize("name", NAMES)
def test_code_and_paper_part_in_densenet_alone_and_their_notes_say_so(name: str) -> None:
    code, paper = (_setup(name, preset) for preset in ("as_code", "as_paper"))
    assert (code.training, code.split, card_of(code.front_end)) == (
        paper.training,
        paper.split,
        card_of(paper.front_end),
    )
    same = any("do the same" in note for note in code.notes) and any("do the same" in note for note in paper.notes)
    assert same == (name != "housex/densenet121")
    assert not any("do the same" in note for note in _setup(name, "fixed").notes)
    for source in OPTIONS["source"]:
        spoken = any("JPEG" in note for note in _setup(name, "as_code", source=source).notes)
        assert spoken == (source == "audio")


def test_the_transformer_is_that_of_vit_pytorch() -> None:
    vision()  # vit_pytorch imports torchvision
    import vit_pytorch

    theirs = vit_pytorch.ViT(
        image_size=224, patch_size=32, num_classes=1000, dim=512, depth=6, heads=16, mlp_dim=512, dropout=0.1,
        emb_dropout=0.1,
    ).eval()  # fmt: skip
    ours = SmallViT((224, 224), (32, 32)).eval()
    assert sum(part.numel() for part in ours.parameters()) == 17_863_656
    state = theirs.state_dict().values()
    assert [value.shape for value in ours.state_dict().values()] == [value.shape for value in state]
    ours.load_state_dict(dict(zip(ours.state_dict(), state, strict=True)))
    with torch.no_grad():
        for side in (224, 96):
            pictures = torch.randn(2, 3, side, side)
            torch.testing.assert_close(ours(pictures), theirs(pictures), atol=1e-5, rtol=1e-4)


def test_only_the_published_transformer_leaves_positions_unused() -> None:
    for preset, unused in (("as_code", 40), ("as_paper", 40), ("fixed", 0)):
        made = _setup("housex/vit", preset)
        network = made.build("none")
        network(torch.randn(2, *made.front_end.shape)).sum().backward()
        gradient = network.get_parameter("0.positions").grad
        assert gradient is not None
        assert int((gradient[0].abs().sum(dim=1) == 0).sum()) == unused, preset


def test_patches_must_fill_the_picture() -> None:
    with pytest.raises(ValueError, match="32 x 32 do not fill 128 x 81"):
        SmallViT((128, 81), (32, 32))


def test_the_transformer_has_no_imagenet_weights(tmp_path: Path) -> None:
    made = _setup("housex/vit", "as_code")
    with pytest.raises(HouseXError, match="housex/vit starts at random"):
        made.build("imagenet-v1")
    trained = made.build("none")
    torch.save(trained[0].state_dict(), tmp_path / "vit.pth")
    again = made.build(str(tmp_path / "vit.pth"))
    assert torch.equal(again.get_parameter("0.positions"), trained.get_parameter("0.positions"))
    with pytest.raises(ModelError, match=r"vit\.pth does not hold the weights of housex/vit"):
        _setup("housex/vit", "fixed").build(str(tmp_path / "vit.pth"))


# --- DenseNet121's weights


def _arrived(network: nn.Module, state: dict[str, torch.Tensor]) -> set[str]:
    """Names of the backbone's parameters that hold what a state says."""
    own = network[0].named_parameters()
    return {key for key, value in own if key in state and torch.equal(value, state[key])}


@pytest.mark.parametrize("style", ["old", "new"])
def test_as_code_a_densenet_gets_no_dense_layer(tmp_path: Path, style: str) -> None:
    source = backbone("densenet121")
    with torch.no_grad():
        for part in source.parameters():
            part.add_(0.125)
    torch.save(old_style(source) if style == "old" else source.state_dict(), tmp_path / "densenet121.pth")
    modern = source.state_dict()
    names = {key for key, _ in source.named_parameters()}
    loaded = {preset: _arrived(_setup("housex/densenet121", preset).build(str(tmp_path / "densenet121.pth")), modern)
              for preset in PRESETS}  # fmt: skip
    assert loaded["as_paper"] == loaded["fixed"] == names
    assert loaded["as_code"] == {key for key in names if "denselayer" not in key}
    assert {key.split(".")[1] for key in loaded["as_code"] if key.startswith("features")} == {
        "conv0", "norm0", "transition1", "transition2", "transition3", "norm5",
    }  # fmt: skip
    assert {"classifier.weight", "classifier.bias"} <= loaded["as_code"]
    # of 7 978 856 numbers so many stay random
    assert sum(part.numel() for key, part in source.named_parameters() if key not in loaded["as_code"]) == 6_250_560


def test_a_downloaded_densenet_is_loaded_as_the_preset_says(monkeypatch: pytest.MonkeyPatch) -> None:
    source = backbone("densenet121")
    monkeypatch.setattr(vision().models._api, "load_state_dict_from_url", lambda *_, **__: old_style(source))
    modern, layer = source.state_dict(), "features.denseblock4.denselayer16.conv2.weight"
    for preset in PRESETS:
        made = _setup("housex/densenet121", preset)
        arrived = _arrived(made.build(made.weights), modern)
        assert "features.conv0.weight" in arrived
        assert (layer in arrived) == (preset != "as_code")


def test_as_code_a_densenet_refuses_the_file_of_another_network(tmp_path: Path) -> None:
    torch.save(backbone("resnet18").state_dict(), tmp_path / "resnet18.pth")
    torch.save(backbone("densenet169").state_dict(), tmp_path / "densenet169.pth")
    build = _setup("housex/densenet121", "as_code").build
    for name in ("resnet18.pth", "densenet169.pth"):
        with pytest.raises(ModelError, match=f"^{name} does not hold the weights of densenet121"):
            build(str(tmp_path / name))


# --- training


@pytest.mark.parametrize(
    ("name", "preset", "batch", "steps"),
    [
        *((name, preset, 4, 5) for name in NAMES if name != "housex/vgg16" for preset in ("as_code", "fixed")),
        ("housex/vgg16", "as_code", 2, 2),
    ],
)
def test_a_repeated_batch_is_learned_and_a_state_gives_the_same_answers(
    name: str, preset: str, batch: int, steps: int
) -> None:
    torch.manual_seed(0)
    made = _setup(name, preset)
    network = made.build("none").train()
    pictures, labels = torch.randn(batch, *made.front_end.shape), torch.arange(batch) % 4
    # enough for a few steps; the preset's own rate is for many
    optimiser = torch.optim.SGD(network.parameters(), lr=2e-3 if "vgg" in name else 5e-3)
    losses = []
    for _ in range(steps):
        torch.manual_seed(1)  # the same numbers are dropped each time
        loss = nn.functional.cross_entropy(network(pictures), labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0], losses
    network.eval()
    with torch.device("meta"):
        again = made.build("none").eval()
    again.load_state_dict(network.state_dict(), strict=True, assign=True)
    with torch.no_grad():
        assert torch.equal(network(pictures), again(pictures))
