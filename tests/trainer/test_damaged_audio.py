"""Audio that is cut short is used as far as it goes, and every reader of whole files says so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from torch import Tensor, nn

from housex_blender.analysis.front_ends.housex import HouseXArray
from housex_blender.core.errors import AudioError
from trainer.data.cache import decoded
from trainer.data.classes import MAINSTAGE
from trainer.data.collection import Collection, Track
from trainer.report.songs import cut_song
from trainer.systems import get_setup, mainstage_track
from trainer.systems.drop_rule import detect_drops, detect_folder
from trainer.systems.tabular_rows import computed_rows

RATE_HZ = 22050
SENTENCE = '"cut.wav" is cut off after'


@pytest.fixture
def cut(tmp_path: Path) -> Path:
    """Noise whose header says 80 s: loud from 20 s on, and at 60 s the file ends."""
    noise = np.random.default_rng(0).uniform(-1.0, 1.0, 80 * RATE_HZ)
    noise[: 20 * RATE_HZ] *= 0.01
    path = tmp_path / "music" / "cut.wav"
    path.parent.mkdir()
    soundfile.write(path, 0.3 * noise, RATE_HZ)
    path.write_bytes(path.read_bytes()[: 60 * RATE_HZ * 2])
    return path


def test_what_is_left_of_a_file_is_decoded(cut: Path) -> None:
    told: list[str] = []
    whole = decoded(cut, RATE_HZ, told.append)
    assert len(whole) == pytest.approx(60 * RATE_HZ, abs=100)
    assert len(told) == 1
    assert told[0].startswith(SENTENCE)
    np.testing.assert_array_equal(decoded(cut, RATE_HZ, None, 10.0, 2.0), whole[10 * RATE_HZ : 12 * RATE_HZ])
    with pytest.raises(AudioError, match=r"no sound from 70\.0 s on"):
        decoded(cut, RATE_HZ, None, 70.0, 2.0)


def test_drops_are_found_in_what_is_left(cut: Path, tmp_path: Path) -> None:
    told: list[str] = []
    ((start_s, end_s),) = detect_drops(cut, on_problem=told.append)
    assert (start_s, end_s) == pytest.approx((20.0, 60.0), abs=2.5)
    assert len(told) == 1
    assert told[0].startswith(SENTENCE)
    (sentence,) = detect_folder(cut.parent, tmp_path / "drops.json", progress=False)
    assert sentence == told[0]
    assert "cut.wav" in (tmp_path / "drops.json").read_text(encoding="utf-8")


class Undecided(nn.Module):
    """Says the same of everything."""

    def __init__(self) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(1, len(MAINSTAGE)))

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1)[:, :1] * 0.0 + self.bias


@pytest.mark.parametrize("drops_s", [None, ((20.0, 30.0),)])
def test_a_track_is_heard_and_its_damage_said_once(cut: Path, drops_s: tuple[tuple[float, float], ...] | None) -> None:
    told: list[str] = []
    setup = get_setup("mainstage/resnet18", "as_code", {})
    answer = mainstage_track.hear_track(Undecided(), setup, cut, drops_s, on_problem=told.append)
    assert len(answer.clips.track) == 4
    assert len(told) == 1
    assert told[0].startswith(SENTENCE)


def test_a_song_is_cut_into_what_is_left(cut: Path) -> None:
    # of a WAV only whole readings are said to be cut off; a FLAC tells it of any
    path = cut.with_suffix(".flac")
    samples, _ = soundfile.read(cut)
    soundfile.write(path, samples, RATE_HZ)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    told: list[str] = []
    pieces = list(cut_song(path, HouseXArray(), 50.0, middle=False, on_problem=told.append))
    assert 0 < len(pieces) < 50.0 / 1.875 - 1
    assert len(told) == 1
    assert told[0].startswith('"cut.flac" ends after')


def test_the_rows_of_a_table_are_computed_from_what_is_left(cut: Path) -> None:
    pytest.importorskip("librosa")
    cut.write_bytes(cut.read_bytes()[: 3 * RATE_HZ * 2])
    track = Track("blues.00000.wav", np.ones(1, np.float32), cut)
    told: list[str] = []
    rows = computed_rows(Collection("gtzan", cut.parent, ("blues",), (track,)), 30, told.append)
    assert len(rows) == 1
    assert len(told) == 1
    assert told[0].startswith(SENTENCE)
