"""The classical baselines on the tabular features: presets, options, splits, and what is told of damaged tables."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn")

from housex_blender.core.errors import HouseXError
from trainer.data.collection import Collection, Track
from trainer.systems import classical
from trainer.systems.classical import NAMES, feature_importances, notes_of, run_classical
from trainer.systems.tabular_features import COLUMNS, FEATURES, Row, write_table
from trainer.systems.tabular_rows import clip_of, read_table

CLASSES = ("blues", "jazz", "rock")
CLIPS = 12


def collection_in(folder: Path, **changes: object) -> Collection:
    tracks = [
        Track(f"{name}.{number:05d}.wav", np.eye(3, dtype=np.float32)[label], artist=f"{name} {number // 2}")
        for label, name in enumerate(CLASSES)
        for number in range(CLIPS)
    ]
    return Collection("gtzan", folder, CLASSES, tuple(tracks), **changes)


def rows_of(collection: Collection, per_clip: int, of_class: float, of_clip: float) -> list[Row]:
    """Features around a centre per class, moved by a vector per clip, on very different scales."""
    rng = np.random.default_rng(1)
    scale = 10.0 ** rng.uniform(-3, 3, len(FEATURES))
    centres = of_class * rng.standard_normal((len(CLASSES), len(FEATURES)))
    rows = []
    for track in collection.tracks:
        label = int(track.label.argmax())
        middle = centres[label] + of_clip * rng.standard_normal(len(FEATURES))
        for number in range(per_clip):
            values = (middle + 0.3 * rng.standard_normal(len(FEATURES))) * scale
            part = f".{number}" if per_clip > 1 else ""
            name = f"{clip_of(track.name)}{part}.wav"
            rows.append(Row(name, 66149, dict(zip(FEATURES, values.tolist(), strict=True)), CLASSES[label]))
    return rows


@pytest.fixture
def easy(tmp_path: Path) -> Collection:
    """Classes far apart."""
    collection = collection_in(tmp_path)
    write_table(tmp_path / "features_30_sec.csv", rows_of(collection, 1, 1.0, 0.3))
    return collection


@pytest.fixture
def leaky(tmp_path: Path) -> Collection:
    """Classes alike, clips far apart: who has heard the clip knows, who has not cannot."""
    collection = collection_in(tmp_path)
    write_table(tmp_path / "features_3_sec.csv", rows_of(collection, 10, 0.0, 1.0))
    return collection


def accuracy(predictions) -> float:
    return float((predictions.said == predictions.true).mean())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("preset", ["as_code", "as_paper", "fixed"])
def test_every_classifier_learns_under_every_preset(easy: Collection, name: str, preset: str):
    parts = run_classical(name, preset, {}, easy, seed=0)
    assert set(parts) == {"train", "test"}
    assert accuracy(parts["train"]) > 0.9
    assert accuracy(parts["test"]) > 0.8
    np.testing.assert_allclose(parts["test"].probs.sum(axis=1), 1.0, atol=1e-5)
    assert notes_of(preset)


def test_only_as_code_knows_the_clips(leaky: Collection):
    options = {"table": "3"}
    assert accuracy(run_classical("gtzan/knn-1", "as_code", options, leaky, 0)["test"]) > 0.95
    for preset in ("as_paper", "fixed"):
        assert accuracy(run_classical("gtzan/knn-1", preset, options, leaky, 0)["test"]) < 0.6


def test_fixed_tests_every_row_once_and_parts_artists(leaky: Collection):
    artist_of = {track.name: track.artist for track in leaky.tracks}
    rows = classical.published_rows(leaky, 3, lambda sentence: pytest.fail(sentence))
    names = [track.name for track in leaky.tracks]
    seen = []
    for train, test in classical._parts("fixed", leaky, rows, 0):
        heard = {artist_of[names[index]] for index in rows.track[train]}
        assert heard.isdisjoint({artist_of[names[index]] for index in rows.track[test]})
        seen += test.tolist()
    assert sorted(seen) == list(range(360))
    test_part = run_classical("gtzan/knn-5", "fixed", {"table": "3"}, leaky, 0)["test"]
    assert len(set(zip(test_part.track.tolist(), test_part.start_s.tolist(), strict=True))) == 360
    assert sorted(set(test_part.start_s)) == [3.0 * number for number in range(10)]


def test_the_code_draws_each_row_and_the_paper_whole_clips(leaky: Collection):
    rows = classical.published_rows(leaky, 3, lambda sentence: pytest.fail(sentence))
    sizes = {preset: [len(next(classical._parts(preset, leaky, rows, seed))[1]) for seed in range(4)]
             for preset in ("as_code", "as_paper")}  # fmt: skip
    # 29 of 36 clips train
    assert sizes["as_paper"] == [70] * 4
    train, test = next(classical._parts("as_paper", leaky, rows, 0))
    assert set(rows.track[train]).isdisjoint(rows.track[test])
    assert sorted([*train, *test]) == list(range(360))
    assert len(set(sizes["as_code"])) > 1
    assert all(40 < size < 110 for size in sizes["as_code"])


def test_a_seed_repeats_and_another_does_not(easy: Collection):
    first, again, other = (
        run_classical("gtzan/random-forest", "as_code", {}, easy, seed)["test"] for seed in (3, 3, 4)
    )
    assert first.track.tolist() == again.track.tolist()
    np.testing.assert_array_equal(first.probs, again.probs)
    assert first.track.tolist() != other.track.tolist()


def test_probabilities_and_decision_values_are_what_each_classifier_has(easy: Collection):
    svm = run_classical("gtzan/svm", "as_code", {}, easy, 0)["train"]
    assert set(np.unique(svm.probs)) == {0.0, 1.0}
    assert np.isfinite(svm.logits).all()
    assert (svm.logits.argmax(axis=1) == svm.said).mean() > 0.95
    logistic = run_classical("gtzan/logistic-regression", "as_code", {}, easy, 0)["test"]
    shares = np.exp(logistic.logits) / np.exp(logistic.logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(shares, logistic.probs, atol=1e-4)
    assert np.isnan(run_classical("gtzan/knn-5", "as_code", {}, easy, 0)["test"].logits).all()


def test_only_the_tuned_machine_has_the_greater_penalty_and_only_trees_go_unscaled():
    svm, tuned = (classical._classifier(name, "as_code", 0) for name in ("gtzan/svm", "gtzan/svm-tuned"))
    assert (svm.C, tuned.C, svm.gamma, svm.kernel) == (1.0, 10.0, "auto", "rbf")
    assert classical._classifier("gtzan/logistic-regression", "as_code", 0).max_iter == 100
    assert classical._classifier("gtzan/logistic-regression", "fixed", 0).max_iter > 1000
    rows = classical.Rows(np.arange(4), np.zeros(4), np.random.default_rng(0).random((4, 57)), np.array([0, 1, 0, 1]))
    for name, preset, steps in (("gtzan/random-forest", "as_code", 2), ("gtzan/random-forest", "as_paper", 1),
                                ("gtzan/random-forest", "fixed", 1), ("gtzan/knn-1", "fixed", 2)):  # fmt: skip
        assert len(classical._fitted(name, preset, rows, np.arange(4), 0)) == steps


def test_a_class_without_training_rows_cannot_be_said(easy: Collection):
    rows = [row for row in read_table(easy.folder / "features_30_sec.csv", print) if row.label != "rock"]
    write_table(easy.folder / "features_30_sec.csv", rows)
    told: list[str] = []
    for name in NAMES:
        found = run_classical(name, "as_code", {}, easy, 0, on_problem=told.append)["test"]
        assert found.probs.shape[1] == 3
        assert not found.probs[:, 2].any()
    assert accuracy(found) > 0.8
    assert set(told) == {"features_30_sec.csv has no row of rock: nothing can be learned or said of that class."}


def test_the_forest_finds_the_feature_that_tells_the_classes_apart(tmp_path: Path):
    collection = collection_in(tmp_path)
    rows = rows_of(collection, 1, 0.0, 1.0)
    rows = [replace(row, features=row.features | {"tempo": 100.0 * CLASSES.index(row.label)}) for row in rows]
    write_table(tmp_path / "features_30_sec.csv", rows)
    found = feature_importances("fixed", {}, collection, 0)
    assert next(iter(found)) == "tempo"
    assert sum(found.values()) == pytest.approx(1.0)
    assert len(found) == 57


def test_what_a_table_holds_too_much_is_left_out_and_told(easy: Collection):
    path = easy.folder / "features_30_sec.csv"
    rows = read_table(path, print)
    nan = rows[0].features | {"tempo": float("nan")}
    write_table(path, [*rows, replace(rows[0], label="polka"), replace(rows[0], filename="blues.00099.wav"),
                       replace(rows[0], features=nan)])  # fmt: skip
    told: list[str] = []
    parts = run_classical("gtzan/knn-1", "as_paper", {}, easy, 0, on_problem=told.append)
    assert len(parts["train"].track) + len(parts["test"].track) == 36
    assert len(told) == 3
    assert "1 rows of features_30_sec.csv hold cells that are not numbers" in told[0]
    assert "'polka'" in told[1]
    assert "clips that the data set does not have" in told[2]


def test_a_missing_or_foreign_table_is_told(tmp_path: Path):
    collection = collection_in(tmp_path)
    with pytest.raises(HouseXError, match=r"features_30_sec\.csv does not lie.*features=computed"):
        run_classical("gtzan/svm", "fixed", {}, collection, 0)
    (tmp_path / "features_30_sec.csv").write_text("filename,length\nblues.00000.wav,3\n", encoding="utf-8")
    with pytest.raises(HouseXError, match="no column 'chroma_stft_mean'"):
        run_classical("gtzan/svm", "fixed", {}, collection, 0)
    (tmp_path / "features_30_sec.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(HouseXError, match="cannot be read as a table"):
        run_classical("gtzan/svm", "fixed", {}, collection, 0)
    (tmp_path / "features_30_sec.csv").write_text(",".join(COLUMNS) + "\n", encoding="utf-8")
    with pytest.raises(HouseXError, match="no row that fits"):
        run_classical("gtzan/svm", "fixed", {}, collection, 0)


def test_the_table_is_also_found_where_the_download_has_it(easy: Collection):
    (easy.folder / "Data").mkdir()
    (easy.folder / "features_30_sec.csv").rename(easy.folder / "Data" / "features_30_sec.csv")
    assert len(run_classical("gtzan/knn-1", "fixed", {}, easy, 0)["test"].track) == 36


def test_too_little_to_part_is_told(easy: Collection):
    path = easy.folder / "features_30_sec.csv"
    rows = read_table(path, print)
    write_table(path, [row for row in rows if row.label != "rock" or row.filename == "rock.00003.wav"])
    with pytest.raises(HouseXError, match="All rows of rock are of one clip"):
        run_classical("gtzan/svm", "fixed", {}, easy, 0)
    write_table(path, rows[:3])
    with pytest.raises(HouseXError, match="3 rows of gtzan are too few"):
        run_classical("gtzan/svm", "as_code", {}, easy, 0)


@pytest.mark.parametrize(("name", "preset", "options", "sentence"), [
    ("gtzan/boosting", "fixed", {}, "no system 'gtzan/boosting'"),
    ("gtzan/svm", "best", {}, "no preset 'best'"),
    ("gtzan/svm", "fixed", {"table": "10"}, "table of gtzan/svm cannot be '10'"),
    ("gtzan/svm", "fixed", {"length": "3"}, "no option 'length'"),
])  # fmt: skip
def test_unknown_names_are_told(easy: Collection, name: str, preset: str, options: dict[str, str], sentence: str):
    with pytest.raises(HouseXError, match=sentence):
        run_classical(name, preset, options, easy, 0)


def test_the_rows_can_be_computed_from_audio_and_are_kept(tmp_path: Path):
    pytest.importorskip("librosa")
    import soundfile

    collection = collection_in(tmp_path)
    tracks = []
    rng = np.random.default_rng(0)
    for track in collection.tracks[::3]:
        path = tmp_path / track.name
        # noise, a low tone, a high tone
        label = int(track.label.argmax())
        time_s = np.arange(22050) / 22050
        sound = rng.standard_normal(22050) if label == 0 else np.sin(2 * np.pi * (200 if label == 1 else 3000) * time_s)
        soundfile.write(path, 0.1 * sound.astype(np.float32), 22050)
        tracks.append(replace(track, path=path))
    tracks[0].path.write_bytes(b"no sound at all")
    collection = replace(collection, tracks=tuple(tracks))
    told: list[str] = []
    options = {"features": "computed"}
    first = run_classical(
        "gtzan/knn-1", "fixed", options, collection, 0, cache=tmp_path / "cache", on_problem=told.append
    )
    assert accuracy(first["test"]) == 1.0
    assert len(first["test"].track) == 11
    assert len(told) == 1
    assert told[0].startswith("blues.00000.wav is left out")
    (table,) = (tmp_path / "cache").glob("features_30_sec-*.csv")
    with table.open(encoding="utf-8", newline="") as file:
        assert len(list(csv.reader(file))) == 12
    # a second run reads the table: the audio may even be unreadable by then, as long as it looks the same
    before = table.stat().st_mtime_ns
    again = run_classical("gtzan/knn-1", "fixed", options, collection, 0, cache=tmp_path / "cache")
    np.testing.assert_array_equal(first["test"].probs, again["test"].probs)
    assert table.stat().st_mtime_ns == before
    # other audio, another table
    soundfile.write(tracks[1].path, np.zeros(30000, np.float32), 22050)
    run_classical("gtzan/knn-1", "fixed", options, collection, 0, cache=tmp_path / "cache")
    assert len(list((tmp_path / "cache").glob("features_30_sec-*.csv"))) == 2
