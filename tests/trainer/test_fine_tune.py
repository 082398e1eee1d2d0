"""A user's labelled folder becomes a model folder that the hearing loads."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

torch = pytest.importorskip("torch")

from housex_blender.analysis.model_folder import CARD_FILE, NetworkShape, Smoothing, load_model_folder  # noqa: E402
from housex_blender.analysis.network import MixNet, load_weights  # noqa: E402
from trainer.__main__ import main  # noqa: E402
from trainer.export import Card, write_model_folder  # noqa: E402
from trainer.own.fine_tune import adapted  # noqa: E402

RATE_HZ = 22_050
SMALL = NetworkShape(widths=(4, 8, 12, 16), size=24, dilations=(1, 2))
GENRES = ("Bass House", "Deep House", "Tech House")


def write_track(path: Path, low: bool, seed: int) -> None:
    """Forty seconds of kicks at 125 BPM under a low or a high drone: learnable, and a beat to hear."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(40 * RATE_HZ) / RATE_HZ
    since_s = time_s % 0.48
    kick = np.sin(2 * np.pi * 55 * since_s + 4 * np.exp(-since_s / 0.02)) * np.exp(-since_s / 0.08)
    drone = np.sin(2 * np.pi * (220.0 if low else 3000.0) * rng.uniform(0.95, 1.05) * time_s)
    noise = 0.01 * rng.standard_normal(len(time_s))
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, (0.6 * kick + 0.25 * drone + noise).astype(np.float32), RATE_HZ)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    torch.manual_seed(3)
    card = Card("tiny", "1", GENRES, SMALL, 1.0, Smoothing(0.25, -4.0, 1.0), 0.5, "nothing")
    write_model_folder(MixNet(3, SMALL).eval(), card, folder)
    return folder


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("music")
    for number in range(3):
        write_track(folder / "bass house" / f"{number}.wav", True, number)
        write_track(folder / "Hard Groove" / f"{number}.wav", False, 10 + number)
    return folder


def test_a_labelled_folder_becomes_a_model(base: Path, collection: Path, tmp_path: Path) -> None:
    out = tmp_path / "mine"
    arguments = ["train", "--data", str(collection), "-o", str(out), "--model", str(base), "--jobs", "1",
                 "--cache", str(tmp_path / "bars"), "--bars", str(6 * 8 * 32), "--device", "cpu"]  # fmt: skip
    assert main(arguments) == 0
    model = load_model_folder(out)
    # a genre that the model knew keeps its spelling, another becomes a class of its own
    assert set(model.genres) == {"Bass House", "Hard Groove"}
    card = json.loads((out / CARD_FILE).read_text())
    assert "4 tracks of a private collection" in card["trained_on"]
    figures = card["figures"]["validation tracks"]
    assert figures["tracks"] == 2
    assert "validation tracks" in card["limits"]


def test_the_network_keeps_what_it_knows_of_a_genre(base: Path) -> None:
    model = load_model_folder(base)
    old, new = load_weights(model), adapted(model, ("Tech House", "Gabber"))
    assert torch.equal(new.genre.weight[0], old.genre.weight[2])
    assert torch.equal(new.encoder.project.weight, old.encoder.project.weight)
    assert float(new.genre.weight[1].abs().max()) < 0.1
    assert torch.equal(adapted(model, GENRES).genre.weight, old.genre.weight)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda folder: None, "audio"),
        (lambda folder: write_track(folder / "bass house" / "only.wav", True, 0), "genre|class|track"),
    ],
)
def test_too_little_music_is_refused_with_a_sentence(
    base: Path, tmp_path: Path, make: object, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "music"
    folder.mkdir()
    make(folder)  # type: ignore[operator]
    out = tmp_path / "model"
    assert main(["train", "--data", str(folder), "-o", str(out), "--model", str(base)]) == 1
    told = capsys.readouterr().err
    assert told.startswith("trainer: ")
    assert "Traceback" not in told
    assert any(word in told.lower() for word in says.split("|"))
    assert not out.exists()
