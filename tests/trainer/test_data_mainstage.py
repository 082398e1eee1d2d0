"""The mainstage benchmark's lists as published, with the faults that they have; its clip lists."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("soundfile")

from housex_blender.core.errors import HouseXError
from tests.trainer.data_files import noise, numbers_task, written
from trainer.data import read_collection
from trainer.data.classes import MAINSTAGE
from trainer.data.clip_list import read_clip_list
from trainer.data.collection import Collection, Track

# the published spelling, in any order
SPELLED = (
    "Techno",
    "Progressive House",
    "Future House",
    "Bass House",
    "Deep House",
    "Bigroom",
    "Future Rave",
    "Slap House",
)


def said(collection: Collection, *words: str) -> bool:
    return any(all(word in problem for word in words) for problem in collection.problems)


def full(**shares: float) -> dict[str, float]:
    """Eight numbers; names with _ for a blank."""
    return {name: shares.get(name.replace(" ", "_"), 0.0) for name in SPELLED}


def name_of(number: int, artist: str = "Ann") -> str:
    return f"{number:08x}-{artist}_-_Song_{number}.ogg"


def part(folder: Path, numbers: range, shares: dict[str, float] | None = None) -> None:
    for number in numbers:
        noise(folder / name_of(number))
    written(folder / "annotations.json", [numbers_task(name_of(n), shares or full(Techno=1)) for n in numbers])


def track_named(collection: Collection, number: int) -> Track:
    return next(track for track in collection.tracks if track.name == name_of(number)[:-4])


class TestLabels:
    def test_stand_in_the_published_order_with_techno_as_tech_house(self, tmp_path: Path) -> None:
        for number in range(3):
            noise(tmp_path / name_of(number))
        written(tmp_path / "annotations/partition-1-5.json", [
            numbers_task(name_of(0), full(Techno=0.25, Future_House=0.5, Slap_House=0.25)),
            numbers_task(name_of(1), full(Progressive_House=1)),
            numbers_task(name_of(2), full(Deep_House=0.5, Bigroom=0.5)),
        ])  # fmt: skip
        found = read_collection("mainstage", tmp_path)
        assert found.classes == MAINSTAGE
        assert MAINSTAGE[3] == "Tech House"
        np.testing.assert_allclose(track_named(found, 0).label, [0, 0.5, 0, 0.25, 0, 0, 0, 0.25])
        np.testing.assert_allclose(track_named(found, 1).label, np.eye(8)[0])
        assert said(found, "Future Rave has no track")

    def test_the_csv_variant_says_the_same(self, tmp_path: Path) -> None:
        noise(tmp_path / name_of(0))
        with (tmp_path / "annotations.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["audio", *SPELLED])
            writer.writerow(
                [f"/data/upload/10/{name_of(0)}", '[{"number":0.75}]', '[{"number":0.25}]', *['[{"number":0}]'] * 6]
            )
        found = read_collection("mainstage", tmp_path)
        np.testing.assert_allclose(track_named(found, 0).label, [0.25, 0, 0, 0.75, 0, 0, 0, 0])

    def test_a_sum_other_than_1_is_divided_by_and_told(self, tmp_path: Path) -> None:
        part(tmp_path, range(1), full(Techno=0.5, Bigroom=1.0))
        found = read_collection("mainstage", tmp_path)
        np.testing.assert_allclose(found.tracks[0].label, [0, 0, 0, 1 / 3, 0, 2 / 3, 0, 0], atol=1e-6)
        assert said(found, name_of(0), "sum to 1.5")

    def test_unknown_and_empty_labels_leave_the_track_out(self, tmp_path: Path) -> None:
        for number in range(3):
            noise(tmp_path / name_of(number))
        tasks = [numbers_task(name_of(0), full(Techno=1)), numbers_task(name_of(1), {**full(), "Polka": 1.0}),
                 numbers_task(name_of(2), full())]  # fmt: skip
        written(tmp_path / "a.json", tasks)
        found = read_collection("mainstage", tmp_path)
        assert [track.name for track in found.tracks] == [name_of(0)[:-4]]
        assert said(found, name_of(1), "Polka", "no class")
        assert said(found, name_of(2), "sum to 0")

    @pytest.mark.parametrize("number", [float("nan"), -0.25, "much", True])
    def test_a_wrong_number_costs_one_track_and_no_list(self, tmp_path: Path, number: object) -> None:
        part(tmp_path, range(3))
        tasks = [numbers_task(name_of(n), full(Techno=1)) for n in range(3)]
        tasks[1] = numbers_task(name_of(1), {**full(), "Techno": number})  # type: ignore[dict-item]
        written(tmp_path / "annotations.json", [*tasks, "no task"])
        found = read_collection("mainstage", tmp_path)
        assert [track.name for track in found.tracks] == [name_of(0)[:-4], name_of(2)[:-4]]
        assert said(found, "task 2", name_of(1), "left out")
        assert said(found, "task 4 has no annotations: left out")
        assert found.damaged == ()

    def test_two_annotations_of_a_track_are_averaged_and_told(self, tmp_path: Path) -> None:
        noise(tmp_path / name_of(0))
        written(
            tmp_path / "a.json", [numbers_task(name_of(0), full(Techno=1)), numbers_task(name_of(0), full(Bigroom=1))]
        )
        found = read_collection("mainstage", tmp_path)
        np.testing.assert_allclose(found.tracks[0].label, [0, 0, 0, 0.5, 0, 0.5, 0, 0])
        assert said(found, "labelled 2 times, differently")


class TestDrops:
    def test_missing_empty_and_repeated_rows(self, tmp_path: Path) -> None:
        part(tmp_path / "part-1-5", range(3))
        rows = [{"audio_path": f"somewhere/{name_of(0)}", "drop_sections": [[0.3, 0.4], [0.1, 0.2]]}] * 2
        rows.append({"audio_path": name_of(1), "drop_sections": []})
        written(tmp_path / "part-1-5/detected_drops.json", rows)
        found = read_collection("mainstage", tmp_path)
        assert track_named(found, 0).drops_s == ((0.1, 0.2), (0.3, 0.4))
        assert track_named(found, 1).drops_s == ()
        assert track_named(found, 2).drops_s is None
        assert said(found, "1 track more than once", name_of(0))
        assert said(found, "without a detected drop", name_of(1)[:-4])
        assert said(found, "not in the table of drops", name_of(2)[:-4])

    def test_two_uploads_of_one_name_have_drops_of_their_own(self, tmp_path: Path) -> None:
        names = ["00000001-Ann_-_Song.ogg", "00000002-Ann_-_Song.ogg"]
        for name in names:
            noise(tmp_path / name)
        written(tmp_path / "a.json", [numbers_task(name, full(Techno=1)) for name in names])
        drops = [{"audio_path": name, "drop_sections": [[0.1 * place, 0.4]]} for place, name in enumerate(names)]
        written(tmp_path / "detected_drops.json", drops)
        assert [track.drops_s for track in read_collection("mainstage", tmp_path).tracks] == [
            ((0.0, 0.4),),
            ((0.1, 0.4),),
        ]

    def test_a_wrong_row_is_left_out_and_no_table_is_told(self, tmp_path: Path) -> None:
        part(tmp_path, range(1))
        assert said(read_collection("mainstage", tmp_path), "no detected_drops.json")
        written(tmp_path / "detected_drops.json", [{"audio_path": name_of(0), "drop_sections": [[9, 3]]}])
        found = read_collection("mainstage", tmp_path)
        assert found.tracks[0].drops_s is None
        assert said(found, "row 1 is no list of drops")

    def test_they_end_with_the_track(self, tmp_path: Path) -> None:
        part(tmp_path, range(3))
        spans = [[[0.1, 1e9], [0.6, 0.7]], [[7.0, 9.0]], [[0.0, 10**400]]]
        rows = [{"audio_path": name_of(number), "drop_sections": one} for number, one in enumerate(spans)]
        written(tmp_path / "detected_drops.json", rows)
        found = read_collection("mainstage", tmp_path)
        assert [track_named(found, number).drops_s for number in range(3)] == [((0.1, 0.5),), (), None]
        assert said(found, name_of(0)[:-4], "2 drops would end after its 0.5 s")
        assert said(found, "row 3 is no list of drops")


class TestFiles:
    def test_the_folders_stand_in_the_published_order_whatever_their_names_sort_to(self, tmp_path: Path) -> None:
        part(tmp_path / "part-1-5", range(2))
        part(tmp_path / "part-6-10", range(2, 4))
        part(tmp_path / "part-new", range(4, 6))
        found = read_collection("mainstage", tmp_path)
        by_order = sorted(found.tracks, key=lambda track: track.facts["order"])
        assert [int(track.name[:8], 16) for track in by_order] == [4, 5, 0, 1, 2, 3]
        assert [track.name for track in found.tracks] == sorted(track.name for track in found.tracks)

    def test_lists_may_lie_apart_from_the_audio_and_files_may_lack_their_mark(self, tmp_path: Path) -> None:
        noise(tmp_path / "music/deep/Ann_-_Song_0.wav")
        written(tmp_path / "annotations/project-4-100-clean.json", [numbers_task(name_of(0), full(Techno=1))])
        drops = [{"audio_path": name_of(0), "drop_sections": [[0.1, 0.2]]}]
        written(tmp_path / "annotations/detected_drops.json", drops)
        found = read_collection("mainstage", tmp_path)
        assert [(track.name, track.drops_s) for track in found.tracks] == [("Ann_-_Song_0", ((0.1, 0.2),))]

    def test_missing_unlisted_and_damaged_audio_is_told(self, tmp_path: Path) -> None:
        part(tmp_path, range(4))
        (tmp_path / name_of(0)).unlink()
        (tmp_path / name_of(1)).write_bytes(b"OggS nothing")
        noise(tmp_path / "stranger.wav")
        found = read_collection("mainstage", tmp_path)
        assert len(found.tracks) == 2
        assert said(found, "1 track of the lists not there", name_of(0))
        assert said(found, name_of(1), "left out")
        assert said(found, "in no list", "stranger.wav")

    def test_artists_are_on_the_side_where_names_come_back(self, tmp_path: Path) -> None:
        names = ["00000001-Ann__Bob___Cy_Low_-_One.ogg", "00000002-Ann__Bob___Cy_Low_-_Two.ogg"]
        turned = ["00000003-Three_-_Dee.ogg", "00000004-Four_-_Dee.ogg"]
        for folder, group in (("part-new", names), ("part-1-5", turned)):
            for name in group:
                noise(tmp_path / folder / name)
            written(tmp_path / folder / "a.json", [numbers_task(name, full(Techno=1)) for name in group])
        found = read_collection("mainstage", tmp_path)
        assert [track.artist for track in found.tracks] == ["Ann, Bob, Cy Low", "Ann, Bob, Cy Low", "Dee", "Dee"]

    def test_what_is_not_the_data_set_is_told_in_words(self, tmp_path: Path) -> None:
        noise(tmp_path / "a.wav")
        with pytest.raises(HouseXError, match=r"no list of labels is there.*Label Studio"):
            read_collection("mainstage", tmp_path)
        (tmp_path / "a.wav").unlink()
        written(tmp_path / "a.json", [numbers_task("a.wav", full(Techno=1))])
        with pytest.raises(HouseXError, match=r"its lists lie there, its audio does not"):
            read_collection("mainstage", tmp_path)
        noise(tmp_path / "b.wav")
        with pytest.raises(HouseXError, match=r"None of the tracks that the lists name is there"):
            read_collection("mainstage", tmp_path)
        # what is wrong with drops is no reason
        written(tmp_path / "0.json", [{"audio_path": "b.wav", "drop_sections": [[9, 3]]}])
        (tmp_path / "a.json").write_text("{")
        with pytest.raises(HouseXError, match=r"a.json was left out: a.json is not valid JSON"):
            read_collection("mainstage", tmp_path)


class TestClipLists:
    @pytest.fixture
    def collection(self, tmp_path: Path) -> Collection:
        drops = ((10.0, 20.0), (40.0, 60.0))
        track = Track("a", np.eye(8, dtype=np.float32)[0], tmp_path / "a.ogg", duration_s=100.0, drops_s=drops)
        return Collection("mainstage", tmp_path, MAINSTAGE, (track,))

    @staticmethod
    def rows(*starts_s: float) -> list[dict[str, object]]:
        return [{"track_path": "old/place/a.ogg", "clip_start_time": start_s, "clip_end_time": start_s + 7.5,
                 "label": [1, 0, 0, 0, 0, 0, 0, 0]} for start_s in starts_s]  # fmt: skip

    def test_published_times_count_from_the_drop_that_four_clips_share(
        self, tmp_path: Path, collection: Collection
    ) -> None:
        path = written(tmp_path / "clip_info.json", self.rows(0, 1, 2, 2.5, 0, 5))
        clips, problems = read_clip_list(path, collection)
        assert problems == []
        assert [clip.start_s for clip in clips] == [10, 11, 12, 12.5, 40, 45]
        assert clips[-1].end_s == pytest.approx(52.5)

    def test_times_in_the_track_are_taken_as_they_are(self, tmp_path: Path, collection: Collection) -> None:
        path = written(tmp_path / "clip_info.json", self.rows(12, 50))
        assert [clip.start_s for clip in read_clip_list(path, collection, "in-track")[0]] == [12, 50]
        clips, problems = read_clip_list(path, collection)
        assert clips == []
        assert all("may be those in the track" in problem for problem in problems)

    def test_wrong_clips_are_told(self, tmp_path: Path, collection: Collection) -> None:
        rows = self.rows(0, 99, 0)
        rows[0]["track_path"] = "b.ogg"
        rows[2]["label"] = [1, 0]
        path = written(tmp_path / "clip_info.json", rows)
        clips, problems = read_clip_list(path, collection, "in-track")
        assert clips == []
        assert [problem.split(": ", 1)[1] for problem in problems] == [
            "its track is not there.", 'it ends after "a".', "its times or its 2 shares are wrong.",
        ]  # fmt: skip
        with pytest.raises(HouseXError, match="is not a list of clips"):
            read_clip_list(written(tmp_path / "x.json", [{"a": 1}]), collection)
