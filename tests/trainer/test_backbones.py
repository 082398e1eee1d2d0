"""Weights of image networks: from files, from torchvision's lists, and what is said where they do not fit."""

from __future__ import annotations

from pathlib import Path
from urllib.error import URLError

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from housex_blender.core.errors import HouseXError, ModelError
from trainer.systems.backbones import backbone, imagenet_state, vision

SMALL = "shufflenet_v2_x0_5"


def old_style(network: nn.Module) -> dict[str, torch.Tensor]:
    """A state as torchvision's first DenseNet files hold it: ``norm.1`` and no counts of batches."""
    state = {}
    for key, value in network.state_dict().items():
        if "num_batches" not in key:
            for part in ("norm", "conv"):
                for number in ("1", "2"):
                    if "denselayer" in key:
                        key = key.replace(f".{part}{number}.", f".{part}.{number}.")
            state[key] = value
    return state


def _same(one: nn.Module, other: nn.Module) -> bool:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(left, right) for left, right in pairs)


@pytest.mark.parametrize("ending", [".pth", ".safetensors"])
def test_a_file_gives_all_its_weights(tmp_path: Path, ending: str) -> None:
    source = backbone(SMALL)
    path = tmp_path / f"weights{ending}"
    if ending == ".pth":
        torch.save(source.state_dict(), path)
    else:
        save_file(source.state_dict(), path)
    assert not _same(backbone(SMALL), source)
    assert _same(backbone(SMALL, str(path)), source)


def test_old_densenet_files_are_renamed(tmp_path: Path) -> None:
    source = backbone("densenet121")
    state = old_style(source)
    assert any(".norm.1." in key for key in state)
    torch.save(state, tmp_path / "old.pth")
    assert _same(backbone("densenet121", str(tmp_path / "old.pth")), source)


def _write(path: Path, what: str) -> Path:
    state = backbone(SMALL).state_dict()
    if what == "of another network":
        torch.save(backbone("squeezenet1_1").state_dict(), path)
    elif what == "without its last layer":
        torch.save({key: value for key, value in state.items() if not key.startswith("fc.")}, path)
    elif what == "no tensors":
        torch.save({"epoch": 3}, path)
    elif what == "no weights at all":
        path.write_text("hello")
    else:
        torch.save(state, path) if path.suffix == ".pth" else save_file(state, path)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path


@pytest.mark.parametrize(
    ("what", "name"),
    [
        ("of another network", "w.pth"),
        ("without its last layer", "w.pth"),
        ("no tensors", "w.pth"),
        ("no weights at all", "w.pth"),
        ("no weights at all", "w.safetensors"),
        ("cut short", "w.pth"),
        ("cut short", "w.safetensors"),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, what: str, name: str) -> None:
    with pytest.raises(ModelError, match=f"^{name} does not hold the weights of {SMALL}"):
        backbone(SMALL, str(_write(tmp_path / name, what)))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"There is no file lost\.pth with weights of"):
        backbone(SMALL, str(tmp_path / "lost.pth"))


def test_the_published_set_of_weights_can_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    """HouseX used the first files, the mainstage benchmark torchvision's newer default."""
    asked = []

    def download(url: str, **_: object) -> dict[str, torch.Tensor]:
        asked.append(url.rpartition("/")[2])
        return {"a": torch.zeros(1)}

    monkeypatch.setattr(vision().models._api, "load_state_dict_from_url", download)
    for name, weights in (
        ("mobilenet_v3_small", "imagenet-v1"),
        ("resnet18", "imagenet-v1"),
        ("vgg16", "imagenet-v1"),
        ("densenet121", "imagenet-v1"),
        ("shufflenet_v2_x1_0", "imagenet-v1"),
        ("resnet152", "imagenet-v1"),
        ("resnet152", "imagenet"),
    ):
        imagenet_state(name, weights)
    assert asked == [
        "mobilenet_v3_small-047dcff4.pth",
        "resnet18-f37072fd.pth",
        "vgg16-397923af.pth",
        "densenet121-a639ec97.pth",
        "shufflenetv2_x1-5666bf0f80.pth",
        "resnet152-394f9c45.pth",
        "resnet152-f82ba261.pth",
    ]


def test_downloaded_weights_are_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    source = backbone("densenet121")
    monkeypatch.setattr(vision().models._api, "load_state_dict_from_url", lambda *_, **__: old_style(source))
    assert _same(backbone("densenet121", "imagenet-v1"), source)


def test_no_network_is_said_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise URLError("no route to host")

    monkeypatch.setattr(vision().models._api, "load_state_dict_from_url", fail)
    with pytest.raises(ModelError, match=r"resnet18-f37072fd\.pth.*--weights none"):
        backbone("resnet18", "imagenet-v1")


def test_unknown_names_are_said() -> None:
    with pytest.raises(HouseXError, match=r"no weights imagenet-v2 of resnet18\. It has imagenet-v1"):
        backbone("resnet18", "imagenet-v2")
    with pytest.raises(HouseXError, match="no network 'resnet19'"):
        backbone("resnet19")
