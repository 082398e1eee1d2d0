"""GTZAN as audio, pictures or tables, and Homburg's genre folders; every fault in one sentence."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import numpy as np
import pytest

sf = pytest.importorskip("soundfile")
pytest.importorskip("PIL")

from housex_blender.core.errors import HouseXError  # noqa: E402
from tests.trainer.data_files import noise, picture  # noqa: E402
from trainer.data import read_collection  # noqa: E402
from trainer.data.classes import GTZAN, HOMBURG  # noqa: E402
from trainer.data.collection import Collection  # noqa: E402
from trainer.data.miniature import SAYS  # noqa: E402
from trainer.systems.tabular_features import COLUMNS  # noqa: E402


def said(collection: Collection, *words: str) -> bool:
    return any(all(word in problem for word in words) for problem in collection.problems)


def clips(folder: Path, count: int = 2, ending: str = "wav") -> Path:
    for genre in GTZAN:
        for number in range(count):
            noise(folder / genre / f"{genre}.{number:05d}.{ending}", 0.1)
    return folder


def table(path: Path, names: list[str], columns: tuple[str, ...] = COLUMNS) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for name in names:
            writer.writerow([name, 66149, *[0.5] * (len(columns) - 3), name.split(".")[0]])


class TestGtzan:
    @pytest.mark.parametrize("place", ["", "genres_original", "Data/genres_original", "genres"])
    def test_clips_are_found_where_copies_have_them(self, tmp_path: Path, place: str) -> None:
        clips(tmp_path / place)
        found = read_collection("gtzan", tmp_path)
        assert found.classes == tuple(sorted(found.classes)) == GTZAN
        assert [track.name for track in found.tracks[:3]] == ["blues.00000", "blues.00001", "classical.00000"]
        assert found.tracks[-1].label[9] == 1.0

    def test_a_clip_that_was_cut_off_is_told(self, tmp_path: Path) -> None:
        clips(tmp_path, 1)
        noise(tmp_path / "pop/pop.00001.wav", 10.0, rate_hz=1000)
        noise(tmp_path / "pop/pop.00002.wav", 29.9, rate_hz=1000)
        for path in tmp_path.rglob("*00000.wav"):
            noise(path, 30.0, rate_hz=1000)
        assert said(read_collection("gtzan", tmp_path), "1 clip not of 30 s", '"pop.00001 (10.0 s)".')

    def test_a_link_to_itself_is_told_in_a_sentence(self, tmp_path: Path) -> None:
        clips(tmp_path, 1)
        (tmp_path / "pop/pop.00001.wav").symlink_to("pop.00001.wav")
        found = read_collection("gtzan", tmp_path)
        assert '"pop.00001.wav" is a link that leads nowhere: left out.' in found.problems

    def test_au_files_count_too_and_a_second_format_of_a_clip_does_not(self, tmp_path: Path) -> None:
        clips(tmp_path, ending="au")
        noise(tmp_path / "blues/blues.00000.wav", 0.1)
        found = read_collection("gtzan", tmp_path)
        assert len(found.tracks) == 20
        assert said(found, "blues.00000.wav", "in another format: left out")

    def test_the_known_damaged_clip_is_left_out_and_the_rest_read(self, tmp_path: Path) -> None:
        clips(tmp_path)
        (tmp_path / "jazz/jazz.00054.wav").write_bytes(b"\x00" * 300)
        found = read_collection("gtzan", tmp_path)
        assert len(found.tracks) == 20
        assert said(found, "jazz.00054.wav", "left out", "damaged in the usual copy")

    def test_missing_genres_clips_and_strangers_are_told(self, tmp_path: Path) -> None:
        clips(tmp_path)
        for path in (tmp_path / "rock").iterdir():
            path.unlink()
        (tmp_path / "rock").rmdir()
        noise(tmp_path / "polka/polka.00000.wav", 0.1)
        noise(tmp_path / "pop/remix.wav", 0.1)
        found = read_collection("gtzan", tmp_path)
        assert said(found, "1 genre folder missing", "rock")
        assert said(found, "no known genre", "polka")
        assert said(found, "not named like blues.00000", "remix")
        assert said(found, "blues has 2 of its 100 clips", "blues.00002")
        assert said(found, "rock has no track")

    def test_groups_come_from_the_users_file_alone(self, tmp_path: Path) -> None:
        clips(tmp_path)
        assert said(read_collection("gtzan", tmp_path), "No gtzan_groups.csv")
        (tmp_path / "gtzan_groups.csv").write_text(
            "file,artist\nblues.00000.wav,Ann\nblues/blues.00001.au,Ann\nrock.00099,Bob\n"
        )
        found = read_collection("gtzan", tmp_path)
        assert [track.artist for track in found.tracks[:3]] == ["Ann", "Ann", ""]
        assert said(found, "gtzan_groups.csv names clips that are not there", "rock.00099")
        (tmp_path / "gtzan_groups.csv").write_text("clip,who\n")
        with pytest.raises(HouseXError, match="no columns file and group or artist"):
            read_collection("gtzan", tmp_path)

    def test_exact_copies_get_one_group_whatever_their_format(self, tmp_path: Path) -> None:
        clips(tmp_path)
        noise(tmp_path / "pop/pop.00000.wav", 0.1, seed=3)
        noise(tmp_path / "rock/rock.00001.wav", 0.1, seed=3)
        (tmp_path / "rock/rock.00001.wav").rename(tmp_path / "rock/rock.00001.tmp")
        noise(tmp_path / "rock/rock.00001.au", 0.1, seed=3)
        found = read_collection("gtzan", tmp_path)
        assert {track.name: track.group for track in found.tracks if track.group} == {
            "pop.00000": "pop.00000", "rock.00001": "pop.00000",
        }  # fmt: skip
        assert said(found, '"rock.00001" is the same recording as "pop.00000"')

    def test_recordings_that_are_alike_for_a_moment_only_are_no_copies(self, tmp_path: Path) -> None:
        clips(tmp_path)
        sound = np.random.default_rng(0).uniform(-0.5, 0.5, 16000)
        for place, name in ((0, "blues/blues.00000.wav"), (1, "pop/pop.00000.wav")):
            sound[place] = 0.9
            sf.write(tmp_path / name, sound, 8000)
        found = read_collection("gtzan", tmp_path)
        assert [track.name for track in found.tracks if track.group] == []

    def test_pictures_are_grouped_by_clip_and_chosen_by_length(self, tmp_path: Path) -> None:
        for genre in GTZAN:
            for piece in (10, 9):
                picture(tmp_path / f"Data/images_one_sec/{genre}/{genre}00003_{piece}.png")
        (tmp_path / "Data/images_one_sec/pop/pop00003_011.png").write_bytes(b"no picture")
        found = read_collection("gtzan", tmp_path, {"source": "pictures", "length": "1"})
        assert len(found.tracks) == 10
        assert [path.name for path in found.tracks[0].pictures] == ["blues00003_9.png", "blues00003_10.png"]
        assert said(found, "pop00003_011.png", "cannot be read")
        with pytest.raises(HouseXError, match=r"\"images_one_sec\"\) none is images_three_sec"):
            read_collection("gtzan", tmp_path, {"source": "pictures", "length": "3"})

    def test_tables_alone_give_tracks_without_audio(self, tmp_path: Path) -> None:
        table(tmp_path / "features_3_sec.csv", ["blues.00000.0.wav", "blues.00000.1.wav", "polka.00000.0.wav"])
        found = read_collection("gtzan", tmp_path)
        assert [(track.name, track.path) for track in found.tracks] == [("blues.00000", None)]
        assert said(found, "Only tables")
        assert said(found, "1 label of the tables unknown", "polka")
        table(tmp_path / "features_30_sec.csv", [], COLUMNS[:-2] + COLUMNS[-1:])
        with pytest.raises(HouseXError, match=f"has no column '{COLUMNS[-2]}'"):
            read_collection("gtzan", tmp_path)

    def test_what_is_not_the_data_set_is_told_in_words(self, tmp_path: Path) -> None:
        with pytest.raises(
            HouseXError, match=r"is not the GTZAN data set: no clip of most genres is there.*genres_original"
        ):
            read_collection("gtzan", tmp_path)
        table(tmp_path / "features_3_sec.csv", ["blues.00000.0.wav"])
        with pytest.raises(HouseXError, match="no audio of most genres"):
            read_collection("gtzan", tmp_path, {"source": "audio"})


class TestHomburg:
    def test_nine_folders_however_they_are_spelled(self, tmp_path: Path) -> None:
        for genre in HOMBURG:
            folder = {"folkcountry": "Folk-Country", "raphiphop": "rap_hiphop"}.get(genre, genre)
            noise(tmp_path / folder / f"Ann - {genre}.wav", 0.1)
        found = read_collection("homburg", tmp_path)
        assert [track.name for track in found.tracks] == [f"{genre}/Ann - {genre}" for genre in HOMBURG]
        assert found.problems == ()
        assert not found.synthetic
        np.testing.assert_array_equal([track.label.argmax() for track in found.tracks], range(9))
        assert {track.artist for track in found.tracks} == {"Ann"}

    def test_a_missing_library_is_told(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "trainer.data.genre_folders", None)
        with pytest.raises(HouseXError, match=r"needs trainer\.data\.genre_folders\. pip install --group systems"):
            read_collection("homburg", tmp_path)

    def test_genres_that_data_sets_share_make_neither_the_other(self, tmp_path: Path) -> None:
        for genre in HOMBURG:
            noise(tmp_path / "homburg" / genre / "Ann - Song.wav", 0.1)
        with pytest.raises(HouseXError, match="is not the GTZAN data set"):
            read_collection("gtzan", tmp_path / "homburg")
        with pytest.raises(HouseXError, match="is not the Homburg data set"):
            read_collection("homburg", clips(tmp_path / "gtzan", 1))

    def test_another_folder_is_refused(self, tmp_path: Path) -> None:
        noise(tmp_path / "polka/a.wav", 0.1)
        with pytest.raises(HouseXError, match=r"is not the Homburg data set.*folkcountry"):
            read_collection("homburg", tmp_path)


class TestMiniature:
    def test_its_mark_makes_a_collection_synthetic_and_tells_artists(self, tmp_path: Path) -> None:
        clips(tmp_path / "genres_original")
        said_of_it = {"data_set": "gtzan", "synthetic": True, "says": SAYS, "remarks": [], "seed": 0, "size": "small",
                      "versions": {}, "artists": {"genres_original/pop/pop.00001.wav": "Ann"}, "files": []}  # fmt: skip
        (tmp_path / "miniature.json").write_text(json.dumps(said_of_it))
        for folder in (tmp_path, tmp_path / "genres_original"):
            found = read_collection("gtzan", folder)
            assert found.synthetic
            assert found.problems == ()
            assert [track.name for track in found.tracks if track.artist == "Ann"] == ["pop.00001"]
