"""Songs outside the data set: found, cut into pieces, heard, scored where their class is known."""

from __future__ import annotations

import csv
import dataclasses
import json
import types
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from housex_blender.core.errors import HouseXError
from trainer.engine.predictions import Predictions
from trainer.report import evaluate
from trainer.report.evaluate import Model, figures_by, heard, open_model, scored
from trainer.report.songs import cut_song, find_songs, windows_per_piece

from .commands import evaluate_in

RATE = 4000
CLASSES = ("Tech House", "Bigroom")


@dataclasses.dataclass
class Tones:
    """One second of sound as its number of sign changes: low tones and high tones differ."""

    kind: str = "tones"
    sample_rate_hz: int = RATE
    window_samples: int = RATE
    shape: tuple[int, ...] = (1,)

    def stored(self, samples: np.ndarray) -> np.ndarray:
        assert len(samples) == self.window_samples
        return np.array([np.count_nonzero(np.diff(np.signbit(samples)))], np.float32)

    def ready(self, stored: np.ndarray) -> np.ndarray:
        return stored

    def settings(self) -> dict[str, object]:
        return {}


def low_or_high(pieces: list[np.ndarray]) -> np.ndarray:
    """Logits: below 400 Hz the first class."""
    changes = np.array([Tones().stored(piece)[0] for piece in pieces])
    return np.stack([np.clip(800 - changes, -100, 100) / 100, np.clip(changes - 800, -100, 100) / 100], axis=1)


MODEL = Model("a model", CLASSES, Tones(), low_or_high)


def tone(path: Path, *hz: float, seconds: float = 1.0) -> Path:
    """A file of tones, one after the other."""
    path.parent.mkdir(parents=True, exist_ok=True)
    time = np.arange(round(seconds * RATE)) / RATE
    soundfile.write(path, np.concatenate([0.3 * np.sin(2 * np.pi * one * time) for one in hz]), RATE)
    return path


@pytest.fixture
def songs(tmp_path: Path) -> Path:
    folder = tmp_path / "songs"
    tone(folder / "techno" / "one.wav", *[200] * 5)
    tone(folder / "Tech House" / "two.wav", 200, 200, 1200)
    tone(folder / "bigroom" / "three.wav", 1200, 200, 200, 1200, 1200)
    tone(folder / "polka" / "four.wav", 1200, 1200)
    tone(folder / "loose.wav", 200, 200)
    return folder


def test_folders_name_the_classes_in_any_spelling(songs: Path) -> None:
    found, sentences = find_songs(songs, CLASSES)
    assert {song.name: song.label for song in found} == {
        "Tech House/two.wav": 0, "bigroom/three.wav": 1, "loose.wav": -1, "polka/four.wav": -1, "techno/one.wav": 0,
    }  # fmt: skip
    assert sorted(sentences) == [
        "1 song is of \"polka\", which is none of Tech House, Bigroom: heard, but not scored.",
        "1 song is of no class: heard, but not scored.",
    ]  # fmt: skip


def test_a_table_names_the_classes(songs: Path) -> None:
    table = songs.parent / "list.csv"
    table.write_text("file,label\nsongs/techno/one.wav,Bigroom\nsongs/loose.wav,\n")
    found, sentences = find_songs(table, CLASSES)
    assert [(song.name, song.label) for song in found] == [("songs/techno/one.wav", 1), ("songs/loose.wav", -1)]
    assert sentences == ["1 song is of no class: heard, but not scored."]
    (songs / "in the folder.csv").write_text("track,genre\nloose.wav,Tech House\n")
    assert [(song.name, song.label) for song in find_songs(songs, CLASSES)[0]] == [("loose.wav", 0)]
    (songs / "another.csv").write_text("track,genre\n")
    with pytest.raises(HouseXError, match="several lists"):
        find_songs(songs, CLASSES)


def test_no_songs_are_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(HouseXError, match="There is no audio"):
        find_songs(tmp_path, CLASSES)
    with pytest.raises(HouseXError, match=r"There is no .*nowhere"):
        find_songs(tmp_path / "nowhere", CLASSES)


def test_songs_are_cut_from_their_beginning_or_their_middle(tmp_path: Path) -> None:
    path = tone(tmp_path / "a.wav", 100, 200, 300, 400, 500, 600)

    def hz(windows: list[np.ndarray]) -> list[int]:
        return [round(float(Tones().stored(one)[0]) / 200) * 100 for one in windows]

    assert hz(list(cut_song(path, Tones(), 3.5, middle=False))) == [100, 200, 300], "the half second is left out"
    assert hz(list(cut_song(path, Tones(), 2.0, middle=True))) == [300, 400]
    (short,) = cut_song(tone(tmp_path / "b.wav", 300, seconds=0.4), Tones(), 120.0, middle=False)
    assert len(short) == RATE
    assert not short[RATE // 2 :].any(), "silence follows"


def test_pieces_may_be_longer_than_what_a_model_hears_but_not_shorter() -> None:
    assert windows_per_piece(Tones(), None) == 1
    assert windows_per_piece(Tones(), 0.99) == windows_per_piece(Tones(), 1.01) == 1
    assert windows_per_piece(Tones(), 3.0) == 3
    with pytest.raises(HouseXError, match=r"hears 1\.00 s at once, a piece of 0\.5 s is shorter"):
        windows_per_piece(Tones(), 0.5)


def test_pieces_and_songs_are_scored_where_the_class_is_known(songs: Path) -> None:
    found, _ = find_songs(songs, CLASSES)
    predictions, problems = heard(MODEL, found)
    assert problems == []
    assert len(predictions.track) == 5 + 3 + 5 + 2 + 2
    known = scored(predictions)
    assert set(known.track) == {"techno/one.wav", "Tech House/two.wav", "bigroom/three.wav"}
    figures = figures_by(predictions)
    assert figures["pieces"]["count"] == 13
    assert figures["pieces"]["accuracy"] == pytest.approx(10 / 13, abs=1e-4)
    assert figures["songs"] == {"count": 3, "accuracy": 1.0, "macro_f1": 1.0, "interval": figures["songs"]["interval"]}
    low, high = figures["pieces"]["interval"]["accuracy"]
    assert low < 10 / 13 < high


def test_windows_of_a_long_piece_vote_by_their_mean_logit(songs: Path) -> None:
    found, _ = find_songs(songs, CLASSES)
    three = [song for song in found if song.name == "bigroom/three.wav"]
    predictions, _ = heard(MODEL, three, piece_s=2.0)
    assert predictions.start_s.tolist() == [0.0, 2.0, 4.0]
    windows, _ = heard(MODEL, three)
    assert predictions.logits[0] == pytest.approx(windows.logits[:2].mean(axis=0), abs=1e-5)
    assert heard(MODEL, three, seconds=2.0)[0].track.shape == (2,)


def test_a_song_that_cannot_be_read_is_a_sentence_and_the_others_are_heard(songs: Path) -> None:
    (songs / "bigroom" / "broken.wav").write_bytes(b"no sound at all")
    found, _ = find_songs(songs, CLASSES)
    predictions, problems = heard(MODEL, found)
    assert len(np.unique(predictions.track)) == 5
    (problem,) = problems
    assert problem.startswith('"bigroom/broken.wav" is left out: "broken.wav" is not an audio file.')
    with pytest.raises(HouseXError, match=r"Not one of the songs can be heard\. \"bigroom/broken"):
        heard(MODEL, [song for song in found if "broken" in song.name])


def test_a_run_is_heard_through_its_own_front_end(songs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Answer(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.softmax(torch.cat([800 - x, x - 800], dim=1).clamp(-100, 100) / 100, dim=1)

    setup = types.SimpleNamespace(system="paper/network", preset="as_code", classes=CLASSES, front_end=Tones(),
                                  training=types.SimpleNamespace(outputs="probabilities"))  # fmt: skip
    made = types.SimpleNamespace(
        setup=setup, network=lambda: Answer(), card={"seed": 3, "synthetic": True, "steps_at_most": 9}
    )
    monkeypatch.setattr(evaluate, "open_run", lambda _folder: made)
    (tmp_path / "run.json").write_text("{}")
    model = open_model(tmp_path)
    assert (model.name, model.synthetic, model.steps_at_most) == ("paper/network, as_code, seed 3", True, 9)
    found, _ = find_songs(songs, CLASSES)
    mine, wanted = heard(model, found)[0], heard(MODEL, found)[0]
    assert np.array_equal(mine.said, wanted.said)
    assert mine.probs == pytest.approx(wanted.probs, abs=1e-4), "a softmax inside the network is not applied twice"


def test_a_folder_without_a_model_is_told(tmp_path: Path) -> None:
    with pytest.raises(HouseXError, match=r"neither run\.json nor card\.json"):
        open_model(tmp_path)


def test_a_model_of_whole_mixes_is_refused() -> None:
    with pytest.raises(HouseXError, match="hears the bars of whole mixes"):
        open_model(Path("housex_blender/models/default").resolve())


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    monkeypatch.setattr(evaluate, "open_model", lambda _folder: dataclasses.replace(MODEL, synthetic=True))

    return evaluate_in(tmp_path)


def test_the_command_writes_what_was_heard(
    command: Callable[..., int], songs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (songs / "polka" / "broken.wav").write_bytes(b"no sound")
    assert command("--on", str(songs), "--seconds", "4", "--out", str(tmp_path / "out")) == 0
    printed = capsys.readouterr()
    assert "trained on synthesised data" in printed.out
    assert "- 11 pieces: 72.7 % right (95 % over songs: " in printed.out
    assert "The first 4 s of each song in pieces of 1.00 s; a song by the mean logit" in printed.out
    assert "broken.wav" in printed.err
    with (tmp_path / "out" / "songs.csv").open() as file:
        rows = {row["song"]: row for row in csv.DictReader(file)}
    assert (rows["polka/four.wav"]["class"], rows["polka/four.wav"]["said"]) == ("?", "Bigroom")
    assert rows["techno/one.wav"]["pieces"] == "4"
    body = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert body["figures"]["pieces"]["count"] == 11
    assert any("broken" in sentence for sentence in body["sentences"])
    assert (tmp_path / "out" / "confusion.png").stat().st_size > 5000
    assert len(Predictions.load(tmp_path / "out" / "predictions.npz").track) == 15


def test_songs_without_a_known_class_are_heard_and_not_scored(
    command: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tone(tmp_path / "songs" / "a.wav", 1200)
    assert command("--on", str(tmp_path / "songs"), "--out", str(tmp_path / "out")) == 0
    assert "nothing is scored" in capsys.readouterr().out
    assert not (tmp_path / "out" / "confusion.png").exists()


def test_answers_are_kept_with_a_run_for_its_table(command: Callable[..., int], songs: Path, tmp_path: Path) -> None:
    with pytest.raises(HouseXError, match="Only a run keeps answers"):
        command("--on", str(songs), "--keep")
    (tmp_path / "run.json").write_text("{}")
    assert command("--on", str(songs), "--keep") == 0
    kept = Predictions.load(tmp_path / "predictions-new_songs.npz")
    assert len(kept.track) == 13, "of the songs that are scored"


@pytest.mark.parametrize("word", ["--seconds", "--piece"])
@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "1e308", "two"])
def test_what_is_no_length_of_time_is_told(
    command: Callable[..., int], songs: Path, capsys: pytest.CaptureFixture[str], word: str, value: str
) -> None:
    with pytest.raises(SystemExit):
        command("--on", str(songs), f"{word}={value}")
    assert f"argument {word}: {value} is no length: give seconds above 0" in capsys.readouterr().err


def test_one_piece_of_one_song_is_counted_so(
    command: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tone(tmp_path / "songs" / "Bigroom" / "a.wav", 1200)
    assert command("--on", str(tmp_path / "songs"), "--out", str(tmp_path / "out")) == 0
    out = capsys.readouterr().out
    assert "- 1 piece: 100.0 % right" in out
    assert "- 1 song: 100.0 % right" in out


def test_a_trial_is_said(
    command: Callable[..., int], songs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    titles = []
    trial = dataclasses.replace(MODEL, synthetic=True, steps_at_most=3)
    monkeypatch.setattr(evaluate, "open_model", lambda _folder: trial)
    monkeypatch.setattr(evaluate, "draw_confusion", lambda *words: titles.append(words[-1].splitlines()[0]))
    assert command("--on", str(songs), "--out", str(tmp_path / "out")) == 0
    assert "its training was stopped after 3 steps" in (tmp_path / "out" / "evaluation.md").read_text()
    assert json.loads((tmp_path / "out" / "evaluation.json").read_text())["steps_at_most"] == 3
    assert titles == ["a model, synthesised miniature, stopped after 3 steps"]
