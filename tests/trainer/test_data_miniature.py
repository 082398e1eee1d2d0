"""The readers on the miniatures, which have the published formats with some of their faults."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("PIL")
pytest.importorskip("openpyxl")

from trainer.data import read_collection
from trainer.data.prepare import prepare

# what each must be told to have, and nothing else
FAULTS = {
    "housex": ("is half the tempo",),
    "mainstage": ("more than once", "not in the table of drops", "without a detected drop"),
    "gtzan": (),
    "homburg": (),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_miniature_is_read_as_synthetic_and_usable(
    miniature: Callable[[str], Path], name: str, tmp_path: Path
) -> None:
    folder = miniature(name)
    found = read_collection(name, folder, {"source": "audio"})
    assert found.synthetic
    assert all(track.path is not None and track.duration_s > 0 for track in found.tracks)
    assert len(found.problems) == len(FAULTS[name])
    assert all(any(fault in problem for problem in found.problems) for fault in FAULTS[name])
    # some artists have two tracks, which the reader has to know to keep them together
    assert len({track.artist for track in found.tracks}) < len(found.tracks)
    assert all(track.artist for track in found.tracks)
    prepared = prepare(name, folder, tmp_path / "out")
    assert prepared.usable
    assert "This is a miniature made by the synthesiser: its figures say nothing of real music." in prepared.lines


def test_pictures_and_audio_of_housex_are_of_the_same_tracks(miniature: Callable[[str], Path]) -> None:
    audio = read_collection("housex", miniature("housex"), {"source": "audio"})
    assert all(track.drops_s for track in audio.tracks)
    for subset in ("whole", "drops"):
        pictures = read_collection("housex", miniature("housex"), {"source": "pictures", "subset": subset})
        assert pictures.problems == ()
        assert {track.name.partition("-")[2] for track in pictures.tracks} == {track.name for track in audio.tracks}
        assert set(pictures.published.values()) == {"train", "val", "test"}
