"""``prepare``: what is there and missing in words, the papers' sizes beside ours, splits that can be loaded."""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("PIL")
pytest.importorskip("openpyxl")

from housex_blender.core.errors import HouseXError
from tests.trainer.data_files import noise, numbers_task, picture, written
from trainer.data import read_collection
from trainer.data.classes import GTZAN, HOMBURG, HOUSEX, MAINSTAGE
from trainer.data.prepare import PLANS, add_prepare_parser, prepare
from trainer.data.published import MAINSTAGE_CLIPS
from trainer.data.splits import Split
from trainer.systems.tabular_features import COLUMNS


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    add_prepare_parser(parser.add_subparsers())
    arguments = parser.parse_args(["prepare", *words])
    return int(arguments.func(arguments))


def housex_pictures(folder: Path) -> Path:
    for label in HOUSEX:
        for part in ("train", "val", "test"):
            for number in range(2):
                picture(
                    folder / "melspecgrams_all" / part / f"{label.lower()}-Ann {label} - {part}-{number:03d}.jpg",
                    number,
                )
    return folder


def test_housex_pictures_are_usable_and_beside_the_papers_sizes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = housex_pictures(tmp_path / "housex"), tmp_path / "out"
    assert run("housex", "--from", str(folder), "--out", str(out)) == 0
    said = capsys.readouterr().out
    assert "housex: 12 tracks, 24 pictures" in said
    assert "train  8 pieces of 4 tracks; published: 13932 pieces, 128 tracks" in said
    assert "test   8 pieces of 4 tracks; published: 1364 pieces, 12 tracks" in said
    assert "rule published" in said
    assert "Not there: bars of whole tracks as audio, bars of drops as pictures, bars of drops as audio." in said
    assert f"Usable. The splits lie in {out}." in said
    split = Split.load(out / "whole-pictures-as_code.json", read_collection("housex", folder))
    assert [len(split.parts[part]) for part in ("train", "val", "test")] == [8, 8, 8]
    assert not list(out.glob("drops-*"))


def test_an_empty_class_is_not_usable_and_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = housex_pictures(tmp_path / "housex")
    for path in folder.rglob("melodic*"):
        path.unlink()
    assert run("housex", "--from", str(folder), "--out", str(tmp_path / "out")) == 1
    said = capsys.readouterr().out
    assert "- Melodic House has no track." in said
    assert said.endswith("Not usable: no track of Melodic House.\n")


def test_what_is_not_the_data_set_is_refused_in_words(tmp_path: Path) -> None:
    for name, words in {"housex": "melspecgrams_all", "mainstage": "Label Studio", "gtzan": "genres_original",
                        "homburg": "folkcountry"}.items():  # fmt: skip
        with pytest.raises(HouseXError, match=f"is not the .* data set.*{words}"):
            prepare(name, tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_mainstage_tells_shares_clips_and_each_class_beside_table_2(tmp_path: Path) -> None:
    folder = tmp_path / "part-1-5"
    tasks, drops = [], []
    for number in range(40):
        name = f"{number:08x}-Artist_{number}_-_Song.ogg"
        noise(folder / name, 9.0, rate_hz=4000)
        shares = {MAINSTAGE[number % 8]: 0.75, MAINSTAGE[(number + 1) % 8]: 0.25}
        tasks.append(numbers_task(name, {genre: shares.get(genre, 0.0) for genre in MAINSTAGE}))
        drops.append({"audio_path": name, "drop_sections": [[0.5, 8.5]]})
    written(folder / "annotations.json", tasks)
    written(folder / "detected_drops.json", drops)
    found = prepare("mainstage", folder, tmp_path / "out")
    said = "\n".join(found.lines)
    assert found.usable
    assert "mainstage: 40 tracks, 0.10 hours of audio" in said
    assert f"{'Deep House':20}       5      0.01      5.00" in said
    assert "train  128 pieces of 32 tracks; published: 7104 pieces" in said
    assert "val    32 pieces of 8 tracks; published: 1752 pieces" in said
    assert "test   is the same as val" in said
    assert "published: 1215 (sum of shares)" in said
    assert "published: 344 (greatest share)" in said
    rules = {path.name: json.loads(path.read_text())["rule"] for path in (tmp_path / "out").iterdir()}
    assert rules == {"clips-as_code.json": "mainstage", "clips-fixed.json": "tracks"}


def test_gtzan_has_a_split_for_each_length_and_paper(tmp_path: Path) -> None:
    for genre in GTZAN:
        for number in range(3):
            noise(tmp_path / f"genres_original/{genre}/{genre}.{number:05d}.wav", 30.0, rate_hz=1000)
    found = prepare("gtzan", tmp_path, tmp_path / "out")
    said = "\n".join(found.lines)
    assert found.usable
    assert "pieces of 1 s (audio, as_code), rule random-pieces" in said
    assert "Not there: features_30_sec.csv, features_3_sec.csv, pieces of 30 s as pictures" in said
    assert "train  720 pieces of 30 tracks; published: 24000 pieces" in said
    assert "clips of 24 s (as_code), rule random-clips" in said
    assert "train  24 pieces of 24 tracks; published: 800 pieces" in said
    assert len(list((tmp_path / "out").iterdir())) == 10
    # a split by tracks shares none, the published one nearly all
    collection = read_collection("gtzan", tmp_path)
    ours, theirs = (
        Split.load(tmp_path / f"out/pieces-1-audio-{preset}.json", collection) for preset in ("fixed", "as_code")
    )
    assert not set(ours.tracks("train")) & set(ours.tracks("test"))
    assert set(theirs.tracks("train")) & set(theirs.tracks("test"))


def test_homburg_is_parted_by_tracks(tmp_path: Path) -> None:
    for genre in HOMBURG:
        for number in range(3):
            noise(tmp_path / genre / f"Ann {genre} {number} - Song.wav", 0.05)
    found = prepare("homburg", tmp_path, tmp_path / "out")
    assert found.usable
    assert "  test   9 pieces of 9 tracks; published: 189 pieces" in found.lines
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["clips.json"]


def gtzan(folder: Path, columns: tuple[str, ...] = COLUMNS, rows_per_genre: int = 10) -> Path:
    """Ten clips of each genre and the table of 30 s."""
    lines = [",".join(columns)]
    for genre in GTZAN:
        for number in range(10):
            noise(folder / f"genres_original/{genre}/{genre}.{number:05d}.wav", 30.0, rate_hz=100)
            if number < rows_per_genre:
                lines.append(",".join([f"{genre}.{number:05d}", "661794", *["0.5"] * (len(columns) - 3), genre]))
    (folder / "features_30_sec.csv").write_text("\n".join(lines) + "\n")
    return folder


def test_a_table_without_endings_is_read_and_missing_rows_are_told(tmp_path: Path) -> None:
    found = prepare("gtzan", gtzan(tmp_path, rows_per_genre=4), tmp_path / "out")
    assert found.usable
    assert '- features_30_sec.csv has no row of 60 clips: "blues.00004", "blues.00005", "blues.00006" and 57 more.' in (
        found.lines
    )


@pytest.mark.parametrize("content", [b"", b"\xff\x00\x12", b"filename,length\n", ",".join(COLUMNS).encode()])
def test_a_table_of_no_use_is_told_and_nothing_is_written(tmp_path: Path, content: bytes) -> None:
    gtzan(tmp_path)
    (tmp_path / "features_30_sec.csv").write_bytes(content)
    found = prepare("gtzan", tmp_path, tmp_path / "out")
    assert not found.usable
    assert any(line.startswith("- features_30_sec.csv is of no use: ") for line in found.lines)
    assert found.lines[-1].startswith("Not usable: features_30_sec.csv cannot be read")
    assert not (tmp_path / "out").exists()


def test_pictures_that_were_cut_off_are_told(tmp_path: Path) -> None:
    from PIL import Image

    folder = housex_pictures(tmp_path / "housex")
    bass = sorted(folder.rglob("bass*.jpg"))
    for path in bass:
        Image.effect_noise((64, 64), 90).save(path)
    bass[0].write_bytes(bass[0].read_bytes()[:1500])
    found = prepare("housex", folder, tmp_path / "out")
    assert found.usable
    assert f'- 1 picture cut off or damaged, left out of every run: "{bass[0].name}".' in found.lines
    for path in bass:
        path.write_bytes(path.read_bytes()[:1500])
    assert prepare("housex", folder, tmp_path / "out").lines[-1] == "Not usable: no track of Bass House."


def test_a_published_part_must_be_there(tmp_path: Path) -> None:
    folder = housex_pictures(tmp_path / "housex")
    shutil.rmtree(folder / "melspecgrams_all/val")
    found = prepare("housex", folder, tmp_path / "out")
    assert found.lines[-1].startswith("Not usable: bars of whole tracks (pictures, as_code) has no piece in val")
    assert not (tmp_path / "out").exists()


def test_a_list_that_cannot_be_read_is_no_data_set(tmp_path: Path) -> None:
    for number in range(40):
        noise(tmp_path / f"{number}.ogg", 9.0, rate_hz=4000)
    tasks = [numbers_task(f"{number}.ogg", {MAINSTAGE[number % 8]: 1.0}) for number in range(40)]
    drops = [{"audio_path": f"{number}.ogg", "drop_sections": [[0.5, 1e9]]} for number in range(40)]
    written(tmp_path / "a.json", tasks)
    written(tmp_path / "detected_drops.json", drops)
    assert prepare("mainstage", tmp_path, tmp_path / "out").usable
    (tmp_path / "b.json").write_text("[{")
    found = prepare("mainstage", tmp_path, tmp_path / "out")
    assert found.lines[-1] == "Not usable: b.json cannot be read, to be downloaded again or moved away."


def test_the_papers_sizes_add_up() -> None:
    whole, drops = PLANS["housex"]
    assert sum(whole.published.values()) == 17_480
    assert sum(drops.published.values()) == 2_726
    (clips,) = PLANS["mainstage"]
    # the figures of the classes are told in the order of the labels
    assert tuple(MAINSTAGE_CLIPS) == MAINSTAGE
    assert sum(clips.by_class["train"]) == clips.published["train"]
    assert sum(clips.by_class["val"]) == clips.published["val"]
    assert [sum(plan.published.values()) for plan in PLANS["gtzan"]] == [1000, 3000, 10_000, 30_000, 1000]
