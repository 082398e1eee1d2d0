"""``python -m trainer params``: the published numbers, against the networks that are built here."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from housex_blender.core.errors import HouseXError
from trainer.data.published import HOUSEX_BPM, MAINSTAGE_CLIPS
from trainer.engine.recipe import TABLES
from trainer.params import Sizes, add_params_parser, chosen, other_systems, sizes_of
from trainer.set_sizes import (
    all_sizes,
    mean_slices_per_drop,
    slices_per_drop,
    thousands,
)
from trainer.systems import classical, prompted, system_names
from trainer.systems.base import PRESETS

# system -> as the reference code has, and as its paper says
PUBLISHED = {
    "housex/mobilenet-v3-small": (2_546_860, None),
    "housex/resnet18": (11_693_516, None),
    "housex/vgg16": (138_361_548, None),
    "housex/densenet121": (7_982_860, None),
    "housex/shufflenet-v2": (2_282_608, None),
    "housex/vit": (17_867_660, None),
    "mainstage/vit-b-16": (92_856_560, None),
    "mainstage/vgg11-bn": (139_157_744, None),
    "mainstage/densenet201": (26_302_832, None),
    "mainstage/resnet152": (66_481_712, None),
    "mainstage/resnext101-32x8d": (95_080_240, None),
    "mlachmish/mel-cnn": (87_472_939, 19_279_882),
    "gtzan/crnn": (406_224, 372_048),
    "gtzan/crnn-extended": (4_021_968, 3_914_064),
    "gtzan/resnet18-gru": (11_241_930, 58_144_138),
}


def _run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    add_params_parser(parser.add_subparsers())
    arguments = parser.parse_args(["params", *words])
    return int(arguments.func(arguments))


@pytest.fixture(scope="module")
def built() -> dict[tuple[str, str], Sizes]:
    return {(name, preset): sizes_of(name, preset) for name in system_names() for preset in PRESETS}


def test_networks_have_the_published_parameters(built: dict[tuple[str, str], Sizes]) -> None:
    for name, (code, paper) in PUBLISHED.items():
        as_code = built[name, "as_code"]
        assert (name, as_code.ours, as_code.code, as_code.paper) == (name, code, code, paper)


def test_lachmish_s_second_network_leaves_out_what_is_never_used(built: dict[tuple[str, str], Sizes]) -> None:
    as_code = built["mlachmish/mfcc-cnn", "as_code"]
    assert as_code.ours == 11_410_248
    assert as_code.code == 11_420_503
    assert "11 410 248" in as_code.why


def test_the_network_of_the_figure_is_built_too(built: dict[tuple[str, str], Sizes]) -> None:
    assert built["mlachmish/mel-cnn", "as_paper"].ours == 19_279_882


def test_every_difference_is_explained(built: dict[tuple[str, str], Sizes]) -> None:
    for sizes in built.values():
        if len({sizes.paper, sizes.code, sizes.ours}) > 1:
            assert sizes.why.endswith("."), sizes.system
        assert sizes.notes, (sizes.system, sizes.preset)


def test_frozen_parameters_are_not_trained(built: dict[tuple[str, str], Sizes]) -> None:
    assert built["gtzan/resnet18-gru", "as_code"].trainable == 10_558_858
    assert built["housex/vgg16", "fixed"].trainable == 138_361_548


def _shape(sizes: Sizes, name: str) -> tuple[int, ...]:
    return next(stage.shape for stage in sizes.stages if stage.name == name)


def test_shapes_at_each_stage(built: dict[tuple[str, str], Sizes]) -> None:
    assert _shape(built["housex/resnet18", "as_code"], "0.layer4") == (1, 512, 3, 3)
    assert _shape(built["housex/resnet18", "as_code"], "0.fc") == (1, 1000)
    assert _shape(built["gtzan/crnn", "as_code"], "stages.3") == (1, 128, 2, 27)
    assert _shape(built["gtzan/resnet18-gru", "as_code"], "gru")[1] == 1
    assert _shape(built["gtzan/resnet18-gru", "fixed"], "gru")[1] == 14
    assert _shape(built["mainstage/densenet201", "as_code"], "encoder") == (1, 27, 768)
    assert _shape(built["mainstage/densenet201", "fixed"], "encoder") == (1, 28, 768)
    assert _shape(built["mlachmish/mel-cnn", "as_code"], "convolutions.2") == (1, 35, 38, 8)
    for sizes in built.values():
        # all of a network's parameters stand at one of its stages, or beside them
        if sizes.ours is not None:
            assert 0.99 * sizes.ours <= sum(stage.parameters for stage in sizes.stages) <= sizes.ours, sizes.system


def test_inputs_are_those_of_the_papers(built: dict[tuple[str, str], Sizes]) -> None:
    assert built["housex/resnet18", "as_code"].input == (3, 96, 96)
    assert built["housex/resnet18", "as_code"].window_samples == 41_343
    assert built["housex/resnet18", "fixed"].input == (3, 128, 81)
    assert built["mainstage/resnet152", "as_code"].input == (3, 224, 646)
    assert built["mlachmish/mel-cnn", "as_code"].input == (2, 599, 128)
    assert built["gtzan/crnn", "as_code"].input == (3, 288, 432)


def test_all_tables_have_their_sizes() -> None:
    sizes = all_sizes()
    assert {*TABLES, "front ends"} == {size.table for size in sizes}
    said = "\n".join(f"{size.published} {size.arithmetic}" for size in sizes)
    for number in ("41 343", "(128, 81)", "(3, 224, 646)", "27 patches", "599 × 128", "2579/860/258/86", "17.05 /",
                   "13 932 / 2 184 / 1 364", "2 183 / 339 / 204", "7 104 / 1 752", "24 000 / 3 000 / 3 000",
                   "57 columns"):  # fmt: skip
        assert number in said, number


def test_sixteen_bars_and_the_drops_that_they_touch() -> None:
    assert slices_per_drop(128) == pytest.approx(16)
    assert sum(HOUSEX_BPM.values()) == 160
    assert mean_slices_per_drop() + 1 == pytest.approx(2_183 / 128, abs=0.02)


def test_the_mainstage_classes_add_up() -> None:
    assert [sum(clips[part] for clips in MAINSTAGE_CLIPS.values()) for part in (0, 1)] == [7104, 1752]
    assert all(clips[1] % 4 == 0 for clips in MAINSTAGE_CLIPS.values())


def test_the_command_prints_and_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("gtzan/resnet18-gru", "housex/vit", "--json", str(tmp_path / "params.json")) == 0
    printed = capsys.readouterr().out
    for number in (58_144_138, 11_241_930, 17_867_660, 16_527_756, 10_558_858):
        assert thousands(number) in printed
    assert "ResNet-152" in printed
    # what each preset does
    for preset in PRESETS:
        for note in sizes_of("gtzan/resnet18-gru", preset).notes:
            assert f"    - {note}" in printed
    assert "housex/resnet18" not in printed
    written = json.loads((tmp_path / "params.json").read_text(encoding="utf-8"))
    assert {row["system"] for row in written["systems"]} == {"gtzan/resnet18-gru", "housex/vit"}
    assert len(written["systems"]) == 6
    assert len(written["sets"]) == len(all_sizes())


def test_systems_are_chosen_by_name_or_paper(capsys: pytest.CaptureFixture[str]) -> None:
    assert len(chosen(["housex"])) == 6
    assert chosen(["gtzan/crnn", "gtzan/crnn"]) == ("gtzan/crnn",)
    assert set(system_names()) < set(chosen([]))
    with pytest.raises(HouseXError, match="no system 'house'"):
        chosen(["house"])
    other = next(iter(other_systems()))
    assert _run(other) == 0
    assert f"{other}: fitted" in capsys.readouterr().out


def test_systems_without_a_network_say_what_their_presets_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("gtzan/svm", "gtzan/knn-1", "mainstage/qwen-audio") == 0
    printed = capsys.readouterr().out
    assert "gtzan/svm: fitted" in printed
    assert "gtzan/random-forest" not in printed
    for module in (classical, prompted):
        for preset in PRESETS:
            for note in module.notes_of(preset):
                assert printed.count(f"    - {note}") == 1


def test_a_file_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(HouseXError, match="cannot be written"):
        _run("gtzan/crnn", "--json", str(tmp_path / "missing" / "params.json"))
