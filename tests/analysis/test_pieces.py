"""A published network hears a mix: one piece of sound per bar, everything else by the model that ships."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

pytest.importorskip("torch")

from housex_blender.analysis.check import _pieces
from housex_blender.analysis.model_folder import PieceFolder, load_any_model, load_model_folder
from housex_blender.analysis.pieces import PieceBackend, bar_probabilities, cut, piece_starts
from housex_blender.core.bars import BarGrid
from housex_blender.core.errors import ModelError
from housex_blender.core.timeline import Timeline

from .models import change_card
from .piece_models import LoudOrQuiet, piece_model
from .test_worker import house, run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return piece_model(tmp_path_factory.mktemp("piece") / "model")


def opened(folder: Path) -> PieceFolder:
    model = load_any_model(folder)
    assert isinstance(model, PieceFolder)
    return model


def grid_of(bars: int, bar_s: float = 2.0, first_s: float = 0.0) -> BarGrid:
    return BarGrid.from_downbeats(first_s + bar_s * np.arange(bars), first_s + bar_s * bars)


def test_a_short_piece_starts_with_its_bar_and_a_long_one_lies_around_it() -> None:
    grid = grid_of(4)
    assert piece_starts(grid, 1000, 1500).tolist() == [0, 2000, 4000, 6000]
    assert piece_starts(grid, 1000, 2400).tolist() == [0, 2000, 4000, 6000]
    assert piece_starts(grid, 1000, 6000).tolist() == [0, 0, 2000, 4000], "2 s before and after; none before the mix"


def test_pieces_cut_from_the_stream_are_those_of_the_whole(tmp_path: Path) -> None:
    samples = np.linspace(-0.9, 0.9, 8000 * 35, dtype=np.float32)
    path = tmp_path / "ramp.wav"
    soundfile.write(path, samples, 8000, subtype="FLOAT")
    starts = np.array([0, 100, 79_000, 80_000, 200_000, 279_990, 300_000])
    found = list(cut(path, 8000, starts, 4000))
    padded = np.pad(samples, (0, 40_000))
    for start, piece in zip(starts, found, strict=True):
        np.testing.assert_array_equal(piece, padded[start : start + 4000])


def test_every_bar_gets_the_answer_for_its_own_sound(folder: Path, tmp_path: Path) -> None:
    loud = [True, False, False, True, True, False, True, False, True, True, False]
    t = np.arange(2 * 8000) / 8000
    bars = [np.sin(2 * np.pi * 200 * t) * on for on in loud]
    path = tmp_path / "bars.flac"
    soundfile.write(path, np.concatenate([np.zeros(2400), *bars]), 8000)
    model = opened(folder)
    seen: list[tuple[float, float]] = []
    probs = bar_probabilities(
        path, grid_of(len(loud), first_s=0.3), model, PieceBackend(model), lambda *a: seen.append(a)
    )
    assert probs.shape == (11, 2)
    np.testing.assert_allclose(probs.sum(axis=1), 1.0, atol=1e-6)
    assert (probs[:, 0] > 0.99).tolist() == loud
    assert (probs[:, 1] > 0.99).tolist() == [not on for on in loud]
    assert [done for done, _ in seen] == pytest.approx([16.3, 22.3]), "eight bars at a time"


def test_a_mix_is_shown_as_a_published_network_hears_it(folder: Path, tmp_path: Path) -> None:
    samples = house(40.0)
    samples[: 20 * 44100] *= 0.02
    path = tmp_path / "mix.flac"
    soundfile.write(path, samples, 44100)
    timelines = []
    for name, more in (("own", []), ("published", ["--model", folder])):
        output = tmp_path / f"{name}.housex.json"
        code, messages, _ = run(path, "-o", output, *more)
        assert code == 0, [m.text for m in messages]
        timelines.append(Timeline.load(output))
    own, published = timelines
    assert published.model.genres == ("Bass House", "Gabber")
    assert published.model.name == "published 1"
    labels = published.labels
    # no label where the music changes: the bar before or after it may be heard either way
    assert set(labels[:8]) == {"Gabber"}
    assert set(labels[12:18]) == {"Bass House"}
    # bars, sections and attributes are still those of the model that hears bars
    np.testing.assert_array_equal(own.grid.starts_s, published.grid.starts_s)
    assert own.section == published.section
    assert own.model.genres != published.model.genres
    for name, values in own.attributes.items():
        np.testing.assert_array_equal(values, published.attributes[name])


def test_the_answer_is_kept_apart_from_that_of_another_model(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "mix.flac"
    soundfile.write(path, house(), 44100)
    quiet = piece_model(tmp_path / "quiet", LoudOrQuiet())
    change_card(quiet, lambda card: card.update(temperature=50.0))
    results = []
    for model in (folder, quiet, folder):
        output = tmp_path / "x.housex.json"
        code, messages, _ = run(path, "-o", output, "--model", model)
        assert code == 0
        results.append((Timeline.load(output).probs, any("cache" in m.text for m in messages if m.text)))
    assert [cached for _, cached in results] == [False, False, True]
    assert not np.array_equal(results[0][0], results[1][0])
    np.testing.assert_array_equal(results[0][0], results[2][0])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"front_end": {"kind": "cochlea"}}, "a front end 'cochlea' that this version does not have"),
        ({"front_end": {"kind": "waveform", "sample_rate_hz": 8000, "window_s": 1.5, "ears": 2}}, "does not fit"),
        ({"front_end": {"kind": "waveform", "sample_rate_hz": 8000, "window_s": 900.0}}, "900 s long, not up to 60 s"),
        ({"genres": ["One", "Two", "Three"]}, r"answers with an array of shape \(2, 2\), not \(2, 3\)"),
        ({"front_end": {"kind": "waveform", "sample_rate_hz": 8000, "window_s": "long"}}, "front end|damaged"),
    ],
)
def test_a_card_that_does_not_fit_is_refused(tmp_path: Path, change: dict, words: str) -> None:
    folder = piece_model(tmp_path / "model")
    change_card(folder, lambda card: card.update(change))
    with pytest.raises(ModelError, match=words):
        PieceBackend(opened(folder))


def test_a_graph_with_other_names_or_no_numbers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="takes sound and answers genres, not pieces and logits"):
        PieceBackend(opened(piece_model(tmp_path / "names", names=(["sound"], ["genres"]))))
    network = LoudOrQuiet()
    network.gain.data.fill_(float("inf"))
    with pytest.raises(ModelError, match="not numbers"):
        PieceBackend(opened(piece_model(tmp_path / "nan", network)))


def test_it_is_not_taken_for_a_model_that_hears_bars(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="names the genre of a piece of sound"):
        load_model_folder(folder)
    path = tmp_path / "mix.flac"
    soundfile.write(path, house(), 44100)
    code, messages, _ = run(path, "-o", tmp_path / "x.json", "--model", folder, "--backend", "torch")
    assert code == 1
    assert any("ONNX Runtime only" in m.text for m in messages if m.text)
    assert not (tmp_path / "x.json").exists()


def test_the_engine_check_times_it(folder: Path) -> None:
    class Silent:
        def status(self, text: str) -> None: ...

    runs_on, speeds = _pieces(opened(folder), "cpu", Silent())  # type: ignore[arg-type]
    assert runs_on == "ONNX Runtime on cpu"
    assert list(speeds) == [runs_on]
    assert speeds[runs_on] > 0.0
