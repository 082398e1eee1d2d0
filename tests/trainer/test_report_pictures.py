"""Pictures: colours and order of the classes, what is drawn where, pages that need no network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from housex_blender.analysis.front_ends.housex import HouseXArray, HouseXPicture
from housex_blender.analysis.front_ends.mlachmish import SlidingWindows
from housex_blender.core.errors import HouseXError
from trainer.data.classes import HOUSEX, MAINSTAGE
from trainer.engine.history import Row
from trainer.report import drawing, pictures
from trainer.report.drawing import class_colours, project_order
from trainer.report.filters import (
    convolutions,
    draw_filters,
    draw_responses,
    first_filters,
    middle_layer,
    strongest,
)
from trainer.report.pictures import draw_class_bars, draw_confusion, draw_curves
from trainer.report.space import Cloud, draw_panels, panels_by_method, panels_by_part, write_deep_page
from trainer.report.spectra import Looks, as_spectrum, looks_of


def pixels(path: Path) -> np.ndarray:
    image = pytest.importorskip("matplotlib.image")
    return np.round(image.imread(str(path))[..., :3] * 255).astype(int)


def count_of(path: Path, colour: str) -> int:
    wanted = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return int(np.count_nonzero((pixels(path) == wanted).all(axis=2)))


def rows_with(path: Path, colour: str) -> np.ndarray:
    wanted = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return np.flatnonzero((pixels(path) == wanted).all(axis=2).any(axis=1))


def test_classes_stand_in_the_projects_order_and_colours() -> None:
    assert [MAINSTAGE[index] for index in project_order(MAINSTAGE)][:4] == [
        "Future House", "Bass House", "Progressive House", "Tech House",
    ]  # fmt: skip
    assert project_order(("rock", "Techno", "blues", "Future House")) == [3, 1, 0, 2]
    assert class_colours(["Techno", "Bass House"]) == {
        "Techno": ("#00ffff", "#ff4500"),
        "Bass House": ("#ffffff", "#a020f0"),
    }
    tens = class_colours([f"genre {number}" for number in range(10)])
    assert len({fill for fill, _ in tens.values()}) == 10


def test_the_confusion_picture_has_a_column_of_abstentions_only_where_there_are_some(tmp_path: Path) -> None:
    table = np.zeros((5, 5), int)
    table[:4, :4] = 1 + 20 * np.eye(4, dtype=int)
    draw_confusion(table, HOUSEX, tmp_path / "none.png", "a title")
    table[0, 4] = 7
    draw_confusion(table, HOUSEX, tmp_path / "some.png", "a title")
    narrow, wide = pixels(tmp_path / "none.png"), pixels(tmp_path / "some.png")
    assert wide.shape[1] > narrow.shape[1] + 30
    # each class has its swatch on both axes
    assert count_of(tmp_path / "none.png", "#00ff00") > 60


def test_a_title_with_a_dollar_sign_is_no_formula(tmp_path: Path) -> None:
    table = np.eye(5, dtype=int)
    draw_confusion(table, HOUSEX, tmp_path / "a.png", "A$AP $x^ song")
    assert pixels(tmp_path / "a.png").shape[0] > 300


def test_curves_are_drawn_over_epochs_and_miss_what_was_not_measured(tmp_path: Path) -> None:
    rows = [
        Row(1 + step // 10, step, 1e-3, 2.0 / step, 0.5, float("nan"), float("nan"), 0.0) for step in (5, 10, 15, 20)
    ]
    draw_curves(rows, tmp_path / "train.png", "no validation", None, 4)
    assert count_of(tmp_path / "train.png", "#7fd4ff") == 0
    rows = [Row(1 + step // 10, step, 1e-3, 2.0 / step, 0.5, 1.0, 0.4, 0.0) for step in (5, 10, 15, 20)]
    draw_curves(rows, tmp_path / "both.png", "both", 1, 4)
    assert count_of(tmp_path / "both.png", "#7fd4ff") > 200
    assert count_of(tmp_path / "both.png", "#ffd07f") > 100, "the mark of the kept weights"


@pytest.mark.parametrize("steps", [(3,), (5, 10)])
def test_curves_of_one_epoch_have_ticks_at_whole_epochs(
    steps: tuple[int, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Any] = []
    monkeypatch.setattr(pictures, "picture", kept(drawn))
    rows = [Row(1, step, 1e-3, 2.0, 0.5, 1.0, 0.4, 0.0) for step in steps]
    draw_curves(rows, tmp_path / "curves.png", "one epoch", 1, 4)
    for axis in drawn[0].axes:
        low, high = axis.get_xlim()
        assert [tick for tick in axis.get_xticks() if low <= tick <= high] == [0.0, 1.0]


def kept(drawn: list[Any]) -> Callable[..., Any]:
    """``picture`` that hands out what was drawn."""

    @contextmanager
    def picture(*words: Any) -> Iterator[Any]:
        with drawing.picture(*words) as figure:
            drawn.append(figure)
            yield figure

    return picture


def test_bars_stand_in_the_projects_order_with_what_the_paper_prints(tmp_path: Path) -> None:
    values = {"Slap House": 0.9, "Future House": 0.5, "Bigroom": 0.7}
    draw_class_bars(values, {"Bigroom": (0.6, 0.8)}, {}, tmp_path / "bars.png", "classes")
    top, middle, bottom = (rows_with(tmp_path / "bars.png", c).mean() for c in ("#0000ff", "#ff0000", "#ff1493"))
    assert top < middle < bottom
    assert count_of(tmp_path / "bars.png", "#ffd07f") == 0
    draw_class_bars(values, {}, {"Bigroom": 0.6}, tmp_path / "paper.png", "classes")
    assert count_of(tmp_path / "paper.png", "#ffd07f") > 20


def test_a_picture_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(HouseXError, match=r"^a\.png cannot be written"):
        draw_confusion(np.eye(5, dtype=int), HOUSEX, tmp_path / "none" / "a.png", "")


def cloud(count: int, name: str = "test", seed: int = 0) -> Cloud:
    rng = np.random.default_rng(seed)
    label = np.arange(count) % 4
    return Cloud(name, rng.standard_normal((count, 6)) + 4 * np.eye(4, 6)[label], label,
                 tuple(f"</script> {number}, 1.0 s" for number in range(count)))  # fmt: skip


def test_maps_by_method_keep_the_classes_apart(tmp_path: Path) -> None:
    panels = panels_by_method(cloud(40), methods=("pca",))
    assert [panel.title for panel in panels] == ["PCA: test"]
    draw_panels(panels, HOUSEX, tmp_path / "map.png", "embeddings")
    for fill in ("#0000ff", "#ffffff", "#ffa500", "#00ff00"):
        assert count_of(tmp_path / "map.png", fill) > 300, fill


def test_many_points_are_thinned_evenly_and_it_is_said() -> None:
    thin = cloud(90).thinned(30)
    assert thin.name == "test, 30 of 90"
    assert len(thin.vectors) == len(thin.label) == len(thin.what) == 30
    assert set(thin.label) == {0, 1, 2, 3}


def test_parts_share_the_directions_of_the_first() -> None:
    first, second = cloud(40, "training"), cloud(20, "test", 1)
    panels = panels_by_part([first, second])
    assert [panel.title for panel in panels] == ["PCA fitted on training: training", "PCA fitted on training: test"]
    # the first axis of both orders the classes alike, which axes of their own would not have to
    means = [[panel.points[panel.cloud.label == label, 0].mean() for label in range(4)] for panel in panels]
    assert np.corrcoef(means[0], means[1])[0, 1] > 0.8


def test_the_deep_page_needs_no_network_and_takes_any_name(tmp_path: Path) -> None:
    pytest.importorskip("plotly")
    panels = panels_by_method(cloud(12), 3, ("pca",))
    write_deep_page(panels, HOUSEX, tmp_path / "deep.html", "a page")
    text = (tmp_path / "deep.html").read_text()
    assert "<script src=" not in text
    assert len(text) > 2_000_000, "plotly itself is inside"
    assert "Melodic House" in text
    assert "</script> 3, 1.0 s" not in text, "a name must not end the script"


class Small(nn.Module):
    """Two convolutions, of which the second sees 5 by 5 of the input."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 8, 3, padding=1)
        self.last = nn.Linear(8, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(torch.relu(self.second(torch.relu(self.first(x)))).amax(dim=(2, 3)))


def test_the_strongest_activation_is_found_where_it_is() -> None:
    network = Small()
    with torch.no_grad():
        for layer in (network.first, network.second):
            layer.weight.fill_(0.1)
            layer.bias.zero_()
    inputs = [torch.zeros(3, 64, 80) for _ in range(7)]
    for number, one in enumerate(inputs):
        one[:, 40, 10 * number + 8] = 1.0 + number
    found = strongest(network, inputs, "second")
    mine = [response for response in found if response.channel == found[0].channel]
    assert [response.example for response in mine] == [6, 5, 4, 3, 2]
    assert [response.value for response in mine] == sorted((response.value for response in mine), reverse=True)
    for response in mine:
        top, bottom, left, right = response.box
        assert top <= 40 < bottom
        assert left <= 10 * response.example + 8 < right
        assert (bottom - top, right - left) == (12, 12), "no smaller than can be recognised, no larger than it sees"
    assert not network.first.weight.grad, "looking leaves no gradients behind"


def test_a_channel_that_answers_to_silence_is_not_among_the_liveliest() -> None:
    network = Small()
    with torch.no_grad():
        for layer in (network.first, network.second):
            layer.weight.fill_(0.1)
            layer.bias.zero_()
        # the third channel is loudest where nothing sounds
        network.second.weight[2] = -0.1
        network.second.bias[2] = 1.0
    inputs = [torch.zeros(3, 64, 80) for _ in range(5)]
    for number, one in enumerate(inputs):
        one[:, 40, 10 * number + 8] = 1.0 + number
    inputs += [torch.full((3, 64, 80), 1.0 + number) for number in range(2)]
    channels = list(dict.fromkeys(response.channel for response in strongest(network, inputs, "second")))
    assert len(channels) == 6
    assert 2 not in channels


def test_layers_have_names_and_a_wrong_one_is_told() -> None:
    network = Small()
    assert list(convolutions(network)) == ["first", "second"]
    assert middle_layer(network) == "second", "the first is shown by its filters"
    assert middle_layer(network.first) == ""
    with pytest.raises(HouseXError, match=r"no convolution 'third'\. It has first, second"):
        strongest(network, [torch.zeros(3, 16, 16)], "third")
    with pytest.raises(HouseXError, match="no convolution whose activations have a place"):
        middle_layer(nn.Linear(3, 3))


@pytest.mark.parametrize(
    ("layer", "coloured", "shape"),
    [
        (nn.Conv2d(3, 70, 7), True, (70, 3, 7, 7)),
        (nn.Conv2d(3, 5, 3), False, (5, 3, 3, 3)),
        (nn.Conv1d(128, 40, 4), False, (40, 128, 1, 4)),
        (nn.Conv1d(1, 6, 30), False, (6, 1, 1, 30)),
    ],
)
def test_first_filters_of_every_kind_are_drawn(
    layer: nn.Module, coloured: bool, shape: tuple[int, ...], tmp_path: Path
) -> None:
    found = first_filters(nn.Sequential(nn.Identity(), layer))
    assert found is not None
    assert (found[0], found[1].shape) == ("1", shape)
    draw_filters(*found, tmp_path / "filters.png", "first layer", coloured)
    assert pixels(tmp_path / "filters.png").std() > 5


def test_a_network_without_convolutions_has_no_filters() -> None:
    assert first_filters(nn.Linear(4, 4)) is None


def test_inputs_are_seen_as_spectra_the_right_way_up(tmp_path: Path) -> None:
    picture = HouseXPicture()
    seen = as_spectrum(picture, picture.ready(np.full((96, 96, 3), 51, np.uint8)))
    assert seen == pytest.approx(np.full((96, 96, 3), 0.2), abs=1e-6)
    assert looks_of(picture) == Looks(low_first=False, time_first=False)
    assert looks_of(HouseXArray()) == Looks(low_first=True, time_first=False)
    windows = SlidingWindows("mel", frames=2, scaling="raw")
    raw = np.full(windows.shape, 1e-3, np.float32)
    assert as_spectrum(windows, raw) == pytest.approx(np.full(windows.shape[1:], -3.0), abs=1e-5)
    assert looks_of(windows).time_first


def test_responses_are_drawn_with_their_names(tmp_path: Path) -> None:
    network = Small()
    inputs = [torch.rand(3, 32, 40, generator=torch.Generator().manual_seed(number)) for number in range(3)]
    responses = strongest(network, inputs, "first")
    assert len(responses) == 4 * 3, "fewer channels and examples than are asked for"
    spectra = [one.numpy()[0] for one in inputs]
    for looks in (Looks(True, False), Looks(False, False), Looks(True, True)):
        draw_responses(responses, spectra, ["a, 1.0 s", "b, 2.0 s", "c, 3.0 s"], tmp_path / "a.png", "title", looks)
        assert pixels(tmp_path / "a.png").shape[0] > 700
