"""HouseX as published: pictures by part, and audio with workbooks and drops; every fault in one sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("PIL")
pytest.importorskip("openpyxl")

from housex_blender.core.errors import HouseXError
from tests.trainer.data_files import drop_task, noise, picture, workbook, written
from trainer.data import read_collection
from trainer.data.classes import HOUSEX
from trainer.data.collection import Collection
from trainer.data.housex_audio import camelot_of

FOUR = ("future house", "bass house", "progressive house", "melodic house")


def said(collection: Collection, *words: str) -> bool:
    """Whether one problem has all these words."""
    return any(all(word in problem for word in words) for problem in collection.problems)


def pictures(folder: Path, name: str = "melspecgrams_all") -> Path:
    for shade, (label, part) in enumerate((label, part) for label in FOUR for part in ("train", "val", "test")):
        for number in (10, 2):
            picture(folder / name / part / f"{label}-Ann _ Bob - {part} song_{number}.jpg", 10 * shade + number)
    return folder


def audio(folder: Path) -> Path:
    for label in ("future", "bass", "progressive", "melodic"):
        rows = []
        for number in (1, 2):
            name = f"{label.title()} _ Guest {number} - Song {number} (Mix).wav"
            noise(folder / "audio" / name)
            rows.append([name, "G minor", "6A", 128])
        workbook(folder / "metadata" / f"{label}_house_meta.xlsx", rows)
    return folder


class TestPictures:
    def test_are_grouped_into_tracks_in_the_order_of_their_numbers_and_parted_as_published(
        self, tmp_path: Path
    ) -> None:
        found = read_collection("housex", pictures(tmp_path))
        assert found.classes == HOUSEX
        assert len(found.tracks) == 12
        assert found.problems == ()
        track = next(track for track in found.tracks if track.name == "Bass House-Ann _ Bob - val song")
        assert [path.stem.rsplit("_", 1)[1] for path in track.pictures] == ["2", "10"]
        assert track.artist == "Ann, Bob"
        np.testing.assert_array_equal(track.label, [0, 1, 0, 0])
        assert found.published[track.name] == "val"
        assert sorted(set(found.published.values())) == ["test", "train", "val"]

    def test_the_folder_with_the_parts_can_be_named_itself(self, tmp_path: Path) -> None:
        pictures(tmp_path)
        assert len(read_collection("housex", tmp_path / "melspecgrams_all").tracks) == 12

    def test_whole_or_drops_is_chosen_and_never_swapped(self, tmp_path: Path) -> None:
        pictures(pictures(tmp_path), "melspecgrams_drop")
        for subset, folder in (("whole", "melspecgrams_all"), ("drops", "melspecgrams_drop")):
            track = read_collection("housex", tmp_path, {"subset": subset}).tracks[0]
            assert {path.parents[1].name for path in track.pictures} == {folder}
        with pytest.raises(HouseXError, match=r"holds melspecgrams_drop, not melspecgrams_all"):
            read_collection("housex", tmp_path / "melspecgrams_drop", {"subset": "whole"})

    def test_a_bare_number_makes_each_picture_a_track_and_says_so(self, tmp_path: Path) -> None:
        for number in range(3):
            picture(tmp_path / "train" / f"future house-{number}.jpg", number)
        found = read_collection("housex", tmp_path)
        assert len(found.tracks) == 3
        assert said(found, "names of 3 pictures do not tell")
        assert said(found, "does not tell whether it holds whole tracks or drops")
        assert said(found, "The folder val", "missing")
        assert said(found, "Bass House has no track")

    def test_damaged_and_unknown_ones_are_left_out(self, tmp_path: Path) -> None:
        pictures(tmp_path)
        (tmp_path / "melspecgrams_all/train/bass house-Broken - X_1.jpg").write_bytes(b"not a picture")
        picture(tmp_path / "melspecgrams_all/train/polka-X_1.jpg")
        found = read_collection("housex", tmp_path)
        assert len(found.tracks) == 12
        assert said(found, "bass house-Broken - X_1.jpg", "cannot be read", "left out")
        assert said(found, "no known class", "polka-X_1.jpg")

    def test_a_track_in_two_parts_is_told_and_kept_together_by_its_group(self, tmp_path: Path) -> None:
        pictures(tmp_path)
        picture(tmp_path / "melspecgrams_all/val/bass house-Ann _ Bob - train song_9.jpg")
        found = read_collection("housex", tmp_path)
        assert said(found, "has pictures in train and in val")
        both = [track for track in found.tracks if track.group == "Bass House-Ann _ Bob - train song"]
        assert [found.published[track.name] for track in both] == ["train", "val"]


class TestAudio:
    def test_workbooks_name_class_artist_key_and_tempo(self, tmp_path: Path) -> None:
        found = read_collection("housex", audio(tmp_path))
        assert len(found.tracks) == 8
        assert dict(found.published) == {}
        track = next(track for track in found.tracks if track.name.startswith("Melodic") and "1 -" in track.name)
        assert track.artist == "Melodic, Guest 1"
        assert track.facts == {"title": "Song 1 (Mix)", "key": "G minor", "camelot": "6A", "bpm": 128.0}
        assert track.duration_s == pytest.approx(0.5)
        np.testing.assert_array_equal(track.label, [0, 0, 0, 1])
        assert said(found, "No file annotates the drops")

    def test_drops_are_found_by_the_name_that_the_upload_had(self, tmp_path: Path) -> None:
        audio(tmp_path)
        tasks = [drop_task("/data/upload/3/170a5b9b-Bass___Guest_1_-_Song_1_Mix.wav", 0.1, 0.4),
                 drop_task("Melodic _ Guest 1 - Song 1 (Mix).wav", 0.2, 0.3), drop_task("gone.wav", 1, 2)]  # fmt: skip
        written(tmp_path / "annotations/drops.json", tasks)
        found = read_collection("housex", tmp_path)
        drops = {track.name: track.drops_s for track in found.tracks if track.drops_s is not None}
        assert drops == {
            "Bass _ Guest 1 - Song 1 (Mix)": ((0.1, 0.4),),
            "Melodic _ Guest 1 - Song 1 (Mix)": ((0.2, 0.3),),
        }
        assert said(found, "6 tracks without an annotated drop")
        assert said(found, "tracks that are not there", "gone.wav")

    def test_wrong_cells_are_told_and_the_track_stays(self, tmp_path: Path) -> None:
        audio(tmp_path)
        names = ["Bass _ Guest 1 - Song 1 (Mix).wav", "Bass _ Guest 2 - Song 2 (Mix).wav"]
        workbook(
            tmp_path / "metadata/bass_house_meta.xlsx",
            [[names[0], "F minor", "5A", 64], [names[1], "H moll", "", "fast"]],
        )
        found = read_collection("housex", tmp_path)
        facts = {track.name: track.facts for track in found.tracks}
        assert facts[names[0][:-4]]["bpm"] == 128.0
        assert facts[names[0][:-4]]["camelot"] == "4A"
        assert "bpm" not in facts[names[1][:-4]]
        assert said(found, "row 1", "64 BPM is half the tempo")
        assert said(found, "row 1", "F minor is 4A", "5A")
        assert said(found, "row 2", "H moll", "not a key")
        assert said(found, "row 2", "fast", "no tempo")

    def test_missing_damaged_and_unlisted_files_are_told(self, tmp_path: Path) -> None:
        audio(tmp_path)
        (tmp_path / "audio/Bass _ Guest 1 - Song 1 (Mix).wav").unlink()
        (tmp_path / "audio/Bass _ Guest 2 - Song 2 (Mix).wav").write_bytes(b"RIFF no sound")
        noise(tmp_path / "audio/Stranger - Song.wav")
        (tmp_path / "metadata/melodic_house_meta.xlsx").write_bytes(b"no workbook")
        found = read_collection("housex", tmp_path)
        assert len(found.tracks) == 4
        assert said(found, "1 track of the workbooks not there", "Bass _ Guest 1")
        assert said(found, "Bass _ Guest 2", "left out")
        assert said(found, "in no workbook", "Stranger - Song.wav")
        assert said(found, "melodic_house_meta.xlsx is not a workbook")
        assert said(found, "Bass House has no track")
        assert said(found, "Melodic House has no track")

    def test_the_same_recording_under_two_names_is_one_group(self, tmp_path: Path) -> None:
        audio(tmp_path)
        for name in ("Bass _ Guest 1 - Song 1 (Mix).wav", "Melodic _ Guest 2 - Song 2 (Mix).wav"):
            noise(tmp_path / "audio" / name, seed=5)
        found = read_collection("housex", tmp_path)
        assert said(found, "is the same recording as")
        groups = [track.group for track in found.tracks if track.group]
        assert groups == ["Bass _ Guest 1 - Song 1 (Mix)"] * 2


@pytest.mark.parametrize(
    ("key", "camelot"),
    [("C major", "8B"), ("A minor", "8A"), ("F# minor", "11A"), ("E♭ major", "5B"), ("B minor", "10A"), ("G minor", "6A"),
     ("Ab minor", "1A"), ("E major", "12B"), ("H moll", None)],
)  # fmt: skip
def test_the_camelot_wheel(key: str, camelot: str | None) -> None:
    assert camelot_of(key) == camelot


def test_what_is_not_the_data_set_is_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(HouseXError, match=r"neither pictures nor workbooks.*melspecgrams_all"):
        read_collection("housex", tmp_path)
    with pytest.raises(HouseXError, match=r"There is no folder"):
        read_collection("housex", tmp_path / "gone")
    with pytest.raises(HouseXError, match=r"There is no data set 'polka'"):
        read_collection("polka", tmp_path)
    noise(tmp_path / "a.wav")
    with pytest.raises(HouseXError, match=r"there is audio, but no workbook"):
        read_collection("housex", tmp_path)
    pictures(tmp_path)
    with pytest.raises(HouseXError, match=r"holds HouseX pictures, no audio. Choose source=pictures"):
        read_collection("housex", tmp_path, {"source": "audio"})


def test_drops_end_with_the_track_and_a_wrong_one_costs_no_other(tmp_path: Path) -> None:
    audio(tmp_path)
    names = sorted(path.name for path in (tmp_path / "audio").iterdir())
    written(tmp_path / "annotations/drops.json", [drop_task(names[0], 0.1, 1e9), drop_task(names[1], 3, 2)])
    (tmp_path / "annotations/more.json").write_text("[")
    found = read_collection("housex", tmp_path)
    assert [track.drops_s for track in found.tracks[:2]] == [((0.1, 0.5),), None]
    assert said(found, "1 drop would end after its 0.5 s")
    assert said(found, "drops.json, task 2", "is not a drop: left out")
    assert found.damaged == ("more.json",)


def test_audio_or_pictures_is_chosen_where_both_lie(tmp_path: Path) -> None:
    audio(pictures(tmp_path))
    assert all(track.pictures for track in read_collection("housex", tmp_path).tracks)
    assert all(track.path for track in read_collection("housex", tmp_path, {"source": "audio"}).tracks)
