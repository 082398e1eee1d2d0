"""A user's labelled music: every format of labels, every refusal in one sentence, the split, and the bars of files."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

sf = pytest.importorskip("soundfile")

from housex_blender.core.errors import AudioError  # noqa: E402
from tests.analysis.signals import RATE_HZ, beats_for, house  # noqa: E402
from trainer.own import file_bars  # noqa: E402
from trainer.own.collection import (  # noqa: E402
    Collection,
    CollectionError,
    LabelledFile,
    audio_files,
    read_collection,
    split_by_track,
    title_of,
)
from trainer.own.file_bars import DROP, bars_of_file, bars_of_files  # noqa: E402
from trainer.own.label_rows import Unlabelled  # noqa: E402

FORM = ["intro"] * 4 + ["build"] * 4 + ["drop"] * 8 + ["outro"] * 4


def put(folder: Path, *names: str) -> None:
    """Files that look like audio, all different; labels are read without decoding."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())


def shares(collection: Collection) -> dict[str, dict[str, float]]:
    return {
        track.path.name: {g: round(float(p), 6) for g, p in zip(collection.genres, track.probs, strict=True) if p > 0}
        for track in collection.tracks
    }


def task(name: str, numbers: dict[str, float], **changes: object) -> dict[str, object]:
    """One task as Label Studio exports it."""
    results = [{"from_name": genre, "to_name": "audio", "type": "number", "value": {"number": number}}
               for genre, number in numbers.items()]  # fmt: skip
    annotation = {"id": 1, "completed_by": 1, "result": results, "was_cancelled": False, **changes}
    return {"id": 1, "file_upload": name, "data": {"audio": f"/data/upload/10/{name}"}, "annotations": [annotation]}


def drop_task(name: str, start_s: float, end_s: float) -> dict[str, object]:
    value = {"start": start_s, "end": end_s, "channel": 0, "labels": ["drop"]}
    region = {"from_name": "label", "to_name": "audio", "type": "labels", "value": value}
    return {"data": {"audio": name}, "annotations": [{"result": [region]}]}


def write_workbook(path: Path, rows: list[tuple[str, str, str, int]]) -> None:
    """A workbook without header, texts partly shared and partly inline, as spreadsheet programs and libraries write."""
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    body = []
    for number, row in enumerate(rows, 1):
        file = f'<c r="A{number}" t="s"><v>{number - 1}</v></c>'
        key = f'<c r="B{number}" t="inlineStr"><is><t>{row[1]}</t></is></c>'
        body.append(f'<row r="{number}">{file}{key}<c r="D{number}"><v>{row[3]}</v></c></row>')
    texts = "".join(f"<si><r><t>{row[0][:4]}</t></r><r><t>{row[0][4:]}</t></r></si>" for row in rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/sharedStrings.xml", f"<sst {main}>{texts}</sst>")
        archive.writestr(
            "xl/worksheets/sheet1.xml", f"<worksheet {main}><sheetData>{''.join(body)}</sheetData></worksheet>"
        )


def test_sub_folders_name_the_genres(tmp_path: Path) -> None:
    put(tmp_path, "techno/a.wav", "bass_house/b.mp3", "bass_house/deep down/c.FLAC", "Tropical House/d.ogg",
        "bass_house/._b.mp3", ".trash/x.wav", "loose.wav", "techno/cover.jpg")  # fmt: skip
    collection = read_collection(tmp_path)
    assert collection.genres == ("Bass House", "Tech House", "Tropical House")
    assert shares(collection) == {
        "a.wav": {"Tech House": 1.0},
        "b.mp3": {"Bass House": 1.0},
        "c.FLAC": {"Bass House": 1.0},
        "d.ogg": {"Tropical House": 1.0},
    }
    assert collection.warnings == ("1 file lies in no genre's folder, left out.",)
    assert all(track.drops_s is None for track in collection.tracks)


def test_a_table_of_shares_is_normalised(tmp_path: Path) -> None:
    put(tmp_path, "a.wav", "sub/b.wav", "c.wav")
    (tmp_path / "labels.csv").write_text(
        "\ufeffid,Title,file,Bass House,techno,Tech House,Tropical,bpm,note\n"
        "1,x,a.wav,2,1,1,,128,hm\n2,y,sub/b.wav,0,0.5,0,0.5,126,\n\n3,z,c.wav,1,,,,125,ok\n",
        encoding="utf-8",
    )
    collection = read_collection(tmp_path)
    assert collection.genres == ("Bass House", "Tech House", "Tropical")
    assert shares(collection) == {
        "a.wav": {"Bass House": 0.5, "Tech House": 0.5},
        "b.wav": {"Tech House": 0.5, "Tropical": 0.5},
        "c.wav": {"Bass House": 1.0},
    }
    assert collection.warnings == ('labels.csv: column "Tropical" is taken as a sub-genre of its own.',)
    assert shares(read_collection(tmp_path / "labels.csv")) == shares(collection)


@pytest.mark.parametrize("header", ["audio,genre", "Path;Label", "track\tgenre"])
def test_a_table_with_one_genre_per_file(tmp_path: Path, header: str) -> None:
    put(tmp_path, "a, b.wav", "c.wav")
    between = ";" if ";" in header else "\t" if "\t" in header else ","
    (tmp_path / "labels.csv").write_text(
        f'{header}\n"a, b.wav"{between}big room\nc.wav{between}Deep\n', encoding="utf-8"
    )
    assert shares(read_collection(tmp_path)) == {"a, b.wav": {"Bigroom": 1.0}, "c.wav": {"Deep House": 1.0}}


def test_decimal_commas_and_older_code_pages_are_read(tmp_path: Path) -> None:
    put(tmp_path, "Über.wav", "b.wav")
    (tmp_path / "l.csv").write_bytes("file;Bass House;Deep House\nÜber.wav;0,75;0,25\nb.wav;0;1\n".encode("cp1252"))
    assert shares(read_collection(tmp_path))["Über.wav"] == {"Bass House": 0.75, "Deep House": 0.25}


def test_label_studio_export_with_detected_drops(tmp_path: Path) -> None:
    one, two = "c79030f3-Agents_Of_Time_-_The_Mirage.ogg", "1f42e621-Aspyer.ogg"
    put(tmp_path, f"audio/{one}", "audio/Aspyer.mp3")
    numbers = {"Future House": 0.5, "Techno": 0.25, "Slap House": 0.25, "Bigroom": 0}
    tasks = [task(one, {"Future Rave": 1, "Techno": 0}), task(two, numbers), task("0" * 8 + "-no.ogg", {})]
    (tmp_path / "partition-1-5.json").write_text(json.dumps(tasks))
    drops = [
        {"audio_path": f"x/{one}", "drop_sections": [[139.76, 168.39], [66.01, 81.69]]},
        {"audio_path": f"x/{one}", "drop_sections": [[139.76, 168.39], [66.01, 81.69]]},
        {"audio_path": f"x/{two}", "drop_sections": []},
        {"audio_path": "x/never seen.ogg", "drop_sections": [[1, 2]]},
    ]
    (tmp_path / "detected_drops.json").write_text(json.dumps(drops))
    collection = read_collection(tmp_path)
    assert collection.genres == ("Future House", "Tech House", "Future Rave", "Slap House")
    assert shares(collection) == {
        one: {"Future Rave": 1.0},
        "Aspyer.mp3": {"Future House": 0.5, "Tech House": 0.25, "Slap House": 0.25},
    }
    known = {track.path.name: track.drops_s for track in collection.tracks}
    assert known == {one: ((66.01, 81.69), (139.76, 168.39)), "Aspyer.mp3": None}
    assert [track.title for track in collection.tracks] == ["Aspyer", "Agents Of Time - The Mirage"]
    assert collection.warnings == ("partition-1-5.json: 1 task without a label left out.",)
    direct = read_collection(tmp_path / "partition-1-5.json")
    assert shares(direct) == shares(collection)
    assert {track.path.name: track.drops_s for track in direct.tracks} == known


def test_several_experts_count_alike_and_cancelled_ones_do_not(tmp_path: Path) -> None:
    put(tmp_path, "a.ogg", "b.ogg")
    first = task("a.ogg", {"Techno": 1.0})
    second = task("a.ogg", {"Bass House": 0.25, "Deep House": 0.25})["annotations"]
    cancelled = task("a.ogg", {"Bigroom": 1.0}, was_cancelled=True)["annotations"]
    first["annotations"] += second + cancelled  # type: ignore[operator]
    (tmp_path / "e.json").write_text(json.dumps([first, task("b.ogg", {"Techno": 1})]))
    assert shares(read_collection(tmp_path))["a.ogg"] == {"Tech House": 0.5, "Bass House": 0.25, "Deep House": 0.25}


def test_label_studio_table(tmp_path: Path) -> None:
    put(tmp_path, "ab12cd34-a.ogg", "b.ogg")
    (tmp_path / "project.csv").write_text(
        "audio,id,Techno,Bass House,annotator,annotation_id,created_at,updated_at,lead_time\n"
        '/data/upload/4/ab12cd34-a.ogg,1,"[{""number"":0.25}]","[{""number"":0.75}]",1,7,2024,2024,24.7\n'
        '/data/upload/4/00000000-b.ogg,2,"[{""number"":1}]","[{""number"":0}]",1,8,2024,2024,14.8\n'
    )
    collection = read_collection(tmp_path)
    assert shares(collection) == {
        "ab12cd34-a.ogg": {"Bass House": 0.75, "Tech House": 0.25},
        "b.ogg": {"Tech House": 1.0},
    }
    assert collection.warnings == ()


def test_housex_workbooks_with_drop_regions(tmp_path: Path) -> None:
    put(tmp_path, "wav/Brooks - Pinball (Original Mix).wav", "wav/Other - Song.flac")
    write_workbook(
        tmp_path / "metadata" / "future_house_meta.xlsx",
        [("Brooks - Pinball (Original Mix).wav", "F minor", "4A", 128)],
    )
    write_workbook(tmp_path / "metadata" / "melodic_house_meta.xlsx", [("Other - Song.wav", "D", "10B", 63)])
    (tmp_path / "drops.json").write_text(json.dumps([drop_task("up/Other - Song.wav", 61.5, 91.5)]))
    collection = read_collection(tmp_path)
    assert collection.genres == ("Future House", "Melodic House")
    assert {track.path.name: track.drops_s for track in collection.tracks} == {
        "Brooks - Pinball (Original Mix).wav": None,
        "Other - Song.flac": ((61.5, 91.5),),
    }


def test_one_recording_is_taken_once(tmp_path: Path) -> None:
    put(tmp_path, "bass/a.wav", "deep/b.wav")
    (tmp_path / "deep" / "copy.wav").write_bytes((tmp_path / "bass" / "a.wav").read_bytes())
    collection = read_collection(tmp_path)
    assert [track.path.name for track in collection.tracks] == ["a.wav", "b.wav"]
    assert collection.warnings == ('"copy.wav" is the same recording as "a.wav" and was left out.',)


CSV = "file,Bass House,Deep House\na.wav,{},{}\nb.wav,0,1\n"


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ("a,b\n1,2\n", "labels.csv has no column for the file. Name one of its columns audio, file, path, track."),
        ("file,comment\na.wav,nice\n", "labels.csv has no column with genres."),
        ("file,genre\n,\n", "labels.csv names no file."),
        ("\n", "labels.csv is empty."),
        ("file,genre\na.wav,Bass\nb.wav,\n", '"b.wav" has no label: its shares sum to 0 (labels.csv, line 3).'),
        ("file,genre\na.wav,Bass\nb.wav,bass house\n", 'needs at least 2 sub-genres, it has only Bass House.'),
        ("file,genre\na.wav,Bass\nx.wav,Deep\ny.wav,Deep\n", 'The file "x.wav" and 1 more is not there (labels.csv, line 3).'),
        (CSV.format(0, 0), '"a.wav" has no label: its shares sum to 0 (labels.csv, line 2).'),
        (CSV.format(-1, 2), "labels.csv, line 2, Bass House: -1 is negative. Write shares of at least 0."),
        (CSV.format("nan", 1), "labels.csv, line 2, Bass House: 'nan' is not a number."),
        (CSV.format("inf", 1), "labels.csv, line 2, Bass House: 'inf' is not a number."),
        (CSV.format("much", 1), "labels.csv, line 2, Bass House: 'much' is not a number."),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_used_says_why(tmp_path: Path, table: str, sentence: str) -> None:
    put(tmp_path, "a.wav", "b.wav")
    (tmp_path / "labels.csv").write_text(table)
    for place in (tmp_path, tmp_path / "labels.csv"):
        with pytest.raises(CollectionError) as caught:
            read_collection(place)
        assert sentence in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "p.json is not valid JSON."),
        ('{"a": 1}', "p.json is not a Label Studio export."),
        ('[{"id": 1}]', "p.json, task 1 has no annotations."),
        ('[{"annotations": []}]', "p.json, task 1 names no audio file."),
        (json.dumps([task("a.wav", {"Techno": -0.25})]), "p.json, task 1 (/data/upload/10/a.wav), Techno: -0.25 is negative."),
        (json.dumps([task("a.wav", {"Techno": float("nan")})]), "Techno: nan is not a number."),
        (json.dumps([task("a.wav", {"Techno": 0, "Bigroom": 0})]), '"a.wav" has no label: its shares sum to 0 (p.json, task 1'),
        (json.dumps([task("gone.wav", {"Techno": 1})]), 'The file "gone.wav" is not there (p.json, task 1'),
        (json.dumps([drop_task("a.wav", 3.0, 9.0)]), "p.json names no genres."),
        (json.dumps([drop_task("a.wav", 9.0, 3.0)]), "p.json, task 1 (a.wav): [9.0, 3.0] is not a drop."),
        ('[{"audio_path": "a.wav", "drop_sections": [[1]]}]', "p.json, task 1: [1] is not a drop."),
    ],
)  # fmt: skip
def test_an_export_that_cannot_be_used_says_why(tmp_path: Path, text: str, sentence: str) -> None:
    put(tmp_path, "a.wav")
    (tmp_path / "p.json").write_text(text)
    with pytest.raises(CollectionError) as caught:
        read_collection(tmp_path / "p.json")
    assert sentence in str(caught.value)


def test_folders_that_cannot_be_used_say_why(tmp_path: Path) -> None:
    with pytest.raises(CollectionError, match=r'There is no ".*nowhere"'):
        read_collection(tmp_path / "nowhere")
    with pytest.raises(CollectionError, match="There is no audio in"):
        read_collection(tmp_path)
    put(tmp_path, "a.wav")
    with pytest.raises(Unlabelled, match=r"has no labels\. Sort it into one folder per genre"):
        read_collection(tmp_path)
    with pytest.raises(CollectionError, match="neither a folder nor a list"):
        read_collection(tmp_path / "a.wav")
    put(tmp_path, "bass/b.wav")
    with pytest.raises(Unlabelled, match="needs at least 2 sub-genres, it has only Bass House"):
        read_collection(tmp_path)
    put(tmp_path, "bass/twice.wav", "deep/twice.wav")
    (tmp_path / "deep" / "twice.wav").write_bytes(b"another")
    (tmp_path / "one.csv").write_text("file,genre\ntwice.wav,bass\n")
    with pytest.raises(CollectionError, match=r'"twice\.wav" is the name of 2 files'):
        read_collection(tmp_path)
    (tmp_path / "two.csv").write_text("file,genre\nb.wav,bass\n")
    with pytest.raises(CollectionError, match=r"several tables of labels: one\.csv, two\.csv"):
        read_collection(tmp_path)
    (tmp_path / "bass_house_meta.xlsx").write_bytes(b"no zip")
    with pytest.raises(CollectionError, match=r"bass_house_meta\.xlsx is not a workbook"):
        read_collection(tmp_path)
    write_workbook(tmp_path / "songs.xlsx", [("a.wav", "", "", 1)])
    with pytest.raises(CollectionError, match="does not tell its genre"):
        read_collection(tmp_path / "songs.xlsx")
    (tmp_path / "binary.csv").write_bytes(b"a\0b")
    with pytest.raises(CollectionError, match=r"binary\.csv is not a text file"):
        read_collection(tmp_path / "binary.csv")


def test_what_is_missing_can_be_left_out(tmp_path: Path) -> None:
    put(tmp_path, "a.wav", "b.wav")
    (tmp_path / "l.csv").write_text("file,genre\na.wav,Bass\nb.wav,Deep\nc.wav,Deep\n")
    collection = read_collection(tmp_path, skip_missing=True)
    assert len(collection.tracks) == 2
    assert collection.warnings == ('The file "c.wav" is not there (l.csv, line 4): left out.',)


def test_a_damaged_list_beside_genre_folders_is_told(tmp_path: Path) -> None:
    put(tmp_path, "bass/a.wav", "deep/b.wav")
    (tmp_path / "x.json").write_text("{")
    (tmp_path / "sales.csv").write_text("month,money\nmay,3\n")
    (tmp_path / "mix.housex.json").write_text("{}")
    assert read_collection(tmp_path).warnings == ("x.json was left out: x.json is not valid JSON.",)


def fabricated(rows: list[dict[str, float]]) -> Collection:
    genres = tuple(sorted({genre for row in rows for genre in row}))
    tracks = [LabelledFile(Path(f"m/{i:03d}.wav"), np.array([row.get(g, 0.0) for g in genres], np.float32), None, str(i))
              for i, row in enumerate(rows)]  # fmt: skip
    return Collection(tuple(tracks), genres)


def test_split_is_by_track_stratified_and_repeatable() -> None:
    rows = [{"A": 1.0}] * 20 + [{"B": 0.75, "A": 0.25}] * 10 + [{"C": 1.0}] * 2
    collection = fabricated(rows)
    training, validation = split_by_track(collection, 0.2, seed=3)
    assert sorted([*training, *validation]) == list(range(32))
    main = collection.main_genres()[validation]
    assert np.bincount(main).tolist() == [4, 2, 1]
    assert np.array_equal(split_by_track(collection, 0.2, seed=3)[1], validation)
    assert not np.array_equal(split_by_track(collection, 0.2, seed=4)[1], validation)
    # the same names elsewhere, in another order
    moved = [LabelledFile(Path("elsewhere") / t.path.name, t.probs, None, t.title) for t in reversed(collection.tracks)]
    again = split_by_track(Collection(tuple(moved), collection.genres), 0.2, seed=3)[1]
    assert {moved[i].path.name for i in again} == {collection.tracks[i].path.name for i in validation}


def test_split_never_takes_the_last_track_of_a_class() -> None:
    # C is nobody's main genre and lies in two tracks, which are the only ones of their own genres that could be drawn
    rows = [{"A": 0.75, "C": 0.25}] * 1 + [{"B": 0.75, "C": 0.25}] + [{"A": 1.0}, {"B": 1.0}]
    for seed in range(8):
        training, validation = split_by_track(fabricated(rows), 0.5, seed)
        assert len(validation) == 2
        left = {genre for i in training for genre in rows[i]}
        assert left == {"A", "B", "C"}


@pytest.mark.parametrize("rows", [[{"A": 1.0}, {"B": 1.0}, {"B": 1.0}], [{"A": 0.5, "B": 0.5}, {"B": 1.0}]])
def test_split_refuses_a_class_of_one_track(rows: list[dict[str, float]]) -> None:
    with pytest.raises(CollectionError, match=r"A has 1 track; a split into training and validation needs 2"):
        split_by_track(fabricated(rows))


def test_titles_are_for_people(tmp_path: Path) -> None:
    assert title_of(Path("c79030f3-A_B_-_C.ogg")) == "A B - C"
    assert title_of(Path("A_B - C.ogg")) == "A_B - C"
    assert title_of(Path("bad\udcff.wav")) == "bad?"
    put(tmp_path, "b.WAV", "a.txt", "x/c.opus")
    assert [path.name for path in audio_files(tmp_path)] == ["b.WAV", "c.opus"]


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 s of plain house: 4 bars of intro, a build, 8 bars of drop, an outro."""
    path = tmp_path_factory.mktemp("song") / "song.wav"
    samples = house(FORM, beats_for(np.full(len(FORM), 126.0), 0.2))
    sf.write(path, samples, RATE_HZ)
    return path


def test_bars_of_a_file(song: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bars = bars_of_file(song, tmp_path)
    assert bars.pictures.shape == (len(bars), 128, 64)
    assert bars.pictures.dtype == np.uint8
    assert abs(len(bars) - len(FORM)) <= 1
    assert bars.beat_heard
    assert float(np.median(bars.bpm)) == pytest.approx(126.0, abs=0.3)
    patches = bars.patches(2, 5)
    assert patches.shape == (3, 1, 128, 64)
    assert patches.max() <= 1.0
    assert np.array_equal(bars.patches()[2:5], patches)
    heard = bars.drop()
    assert np.array_equal(heard, bars.section == DROP)
    middle_s = 0.5 * (bars.starts_s + bars.ends_s)
    inside = (middle_s > 15.5) & (middle_s < 30.5)
    assert heard[inside].mean() > 0.8
    assert not heard[:6].any()
    told = bars.drop(((0.0, 4.1), (8.0, 10.0)))
    assert (
        np.flatnonzero(told).tolist() == np.flatnonzero((middle_s < 4.1) | ((middle_s >= 8) & (middle_s < 10))).tolist()
    )
    assert np.array_equal(bars.drop(((900.0, 930.0),)), heard), "spans that meet no bar tell nothing"

    def never(*_: object) -> None:
        raise AssertionError("heard twice")

    monkeypatch.setattr(file_bars, "_heard", never)
    again = bars_of_file(song, tmp_path)
    assert np.array_equal(again.pictures, bars.pictures)
    assert (again.sha256, again.duration_s, again.beat_heard) == (bars.sha256, bars.duration_s, True)
    assert np.array_equal(again.section, bars.section)
    monkeypatch.undo()
    (kept,) = tmp_path.glob("*.npz")
    kept.write_bytes(kept.read_bytes()[:100])
    assert np.array_equal(bars_of_file(song, tmp_path).pictures, bars.pictures), "a damaged entry is heard anew"


def test_files_that_cannot_be_heard_stop_nobody(song: Path, tmp_path: Path) -> None:
    put(tmp_path, "text.wav")
    sf.write(tmp_path / "short.wav", np.zeros(RATE_HZ), RATE_HZ)
    sf.write(tmp_path / "silent.wav", np.zeros(6 * RATE_HZ), RATE_HZ)
    paths = [tmp_path / "text.wav", song, tmp_path / "short.wav", tmp_path / "silent.wav", tmp_path / "gone.wav"]
    told: list[tuple[int, int]] = []
    for jobs in (1, 2):
        told.clear()
        results = list(bars_of_files(paths, tmp_path / "cache", jobs, lambda done, total: told.append((done, total))))
        assert [path for path, _ in results] == paths
        assert told == [(i, 5) for i in range(1, 6)]
        assert len(results[1][1]) > 10  # type: ignore[arg-type]
        sentences = [str(result) for _, result in results if isinstance(result, AudioError)]
        assert len(sentences) == 4
        for sentence, words in zip(
            sentences, ("not an audio file", "holds only 1.0 s", "is silent", "cannot be read"), strict=True
        ):
            assert words in sentence
