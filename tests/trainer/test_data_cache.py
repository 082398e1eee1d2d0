"""The cache of features: computed once, right, resumed after a kill, faults in a sentence; examples for training."""

from __future__ import annotations

import dataclasses
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

torch = pytest.importorskip("torch")
sf = pytest.importorskip("soundfile")
pytest.importorskip("PIL")

from housex_blender.core.errors import HouseXError  # noqa: E402
from tests.trainer.data_files import noise, picture  # noqa: E402
from trainer.data.cache import FeatureTable, open_features  # noqa: E402
from trainer.data.collection import Collection, Piece, Track  # noqa: E402
from trainer.data.examples import Examples  # noqa: E402

RATE_HZ = 8000


class Ear:
    """A front end that keeps the samples of 0.1 s and counts how often it is asked."""

    kind = "ear"
    sample_rate_hz = RATE_HZ
    window_samples = RATE_HZ // 10
    shape = (2, RATE_HZ // 10)

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain
        self.asked = 0

    def stored(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        self.asked += 1
        assert len(samples) == self.window_samples
        return samples * np.float32(self.gain)

    def ready(self, stored: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.stack([stored, -stored])

    def settings(self) -> dict[str, Any]:
        return {"gain": self.gain}


class Eye(Ear):
    """One that takes pictures too."""

    kind = "eye"

    def stored_of_picture(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        self.asked += 1
        return rgb


@pytest.fixture
def found(tmp_path: Path) -> Collection:
    tracks = []
    for number in range(3):
        path = noise(tmp_path / "music" / f"t{number}.wav", 0.5, channels=2)
        tracks.append(Track(f"t{number}", np.eye(3, dtype=np.float32)[number], path, duration_s=0.5))
    return Collection("gtzan", tmp_path / "music", ("a", "b", "c"), tuple(tracks))


PIECES = [Piece(track, start_s) for track in range(3) for start_s in (0.0, 0.2, 0.45)]


class TestAudio:
    def test_pieces_are_the_mean_of_the_channels_and_silent_beyond_the_end(
        self, found: Collection, tmp_path: Path
    ) -> None:
        table = open_features(found, PIECES, Ear(), tmp_path / "cache", progress=False)
        assert len(table) == 9
        assert table.usable.all()
        assert table.problems == ()
        for index, piece in enumerate(PIECES):
            path = found.tracks[piece.track].path
            assert path is not None
            sound = sf.read(path, dtype="float32")[0].mean(axis=1)
            start = round(piece.start_s * RATE_HZ)
            expected = np.zeros(800, np.float32)
            expected[: len(sound[start : start + 800])] = sound[start : start + 800]
            np.testing.assert_allclose(table[index], expected, atol=1e-6)
        assert np.all(table[2][400:] == 0)
        assert np.any(table[2][:400] != 0)

    def test_is_computed_once_per_content_settings_and_pieces(self, found: Collection, tmp_path: Path) -> None:
        def asked(front_end: Ear, pieces: list[Piece] = PIECES) -> int:
            open_features(found, pieces, front_end, tmp_path / "cache", progress=False)
            return front_end.asked

        assert asked(Ear()) == 9
        assert asked(Ear()) == 0
        assert asked(Ear(2.0)) == 9
        assert asked(Ear(), PIECES[:6]) == 0
        assert asked(Ear(), [Piece(0, 0.1)]) == 1
        noise(tmp_path / "music/t1.wav", 0.5, seed=9, channels=2)
        assert asked(Ear()) == 3

    def test_two_runs_at_once_keep_each_others_work(self, found: Collection, tmp_path: Path) -> None:
        cache = tmp_path / "cache"

        class Slow(Ear):
            """While it works, another run reads the other tracks into the same cache."""

            def stored(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
                if not self.asked:
                    open_features(found, PIECES[3:], Ear(), cache, progress=False)
                return super().stored(samples)

        open_features(found, PIECES[:3], Slow(), cache, progress=False)
        later = Ear()
        open_features(found, PIECES, later, cache, progress=False)
        assert later.asked == 0

    def test_an_index_with_nothing_new_is_not_written_again(self, found: Collection, tmp_path: Path) -> None:
        open_features(found, PIECES, Ear(), tmp_path / "cache", progress=False)
        (index,) = (tmp_path / "cache").rglob("*.json")
        index.write_text(index.read_text() + "\n\n")
        before = index.read_bytes()
        open_features(found, PIECES, Ear(), tmp_path / "cache", progress=False)
        assert index.read_bytes() == before

    def test_goes_on_where_it_was_killed(
        self, found: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Dying(Ear):
            def stored(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
                if self.asked == 7:
                    raise KeyboardInterrupt
                return super().stored(samples)

        with pytest.raises(KeyboardInterrupt):
            open_features(found, PIECES, Dying(), tmp_path / "cache", progress=False)
        assert list((tmp_path / "cache").rglob(".*")) == []
        left = Ear()
        table = open_features(found, PIECES, left, tmp_path / "cache", progress=False)
        assert left.asked == 3
        assert table.usable.all()

    def test_unreadable_audio_and_pieces_after_the_end_are_told(self, found: Collection, tmp_path: Path) -> None:
        (tmp_path / "music/t1.wav").write_bytes(b"RIFF nothing")
        (tmp_path / "music/t2.wav").unlink()
        for _ in range(2):  # and again from the cache
            table = open_features(found, [*PIECES, Piece(0, 0.7)], Ear(), tmp_path / "cache", progress=False)
            assert table.usable.tolist() == [True] * 3 + [False] * 7
            assert len(table.problems) == 3
            assert table.problems[0] == '1 piece starts after the end of "t0.wav" and is left out.'
            assert table.problems[1].startswith('"t1" is left out: "t1.wav"')
            assert table.problems[2].startswith('"t2" is left out: "t2.wav" cannot be read')
        with pytest.raises(HouseXError, match="Piece 4 has no features"):
            table[4]

    def test_what_was_cut_off_is_told_and_used(self, found: Collection, tmp_path: Path) -> None:
        path = tmp_path / "music/t0.wav"
        path.write_bytes(path.read_bytes()[:-9000])
        table = open_features(found, PIECES[:1], Ear(), tmp_path / "cache", progress=False)
        assert table.usable.all()
        assert "cut off" in table.problems[0]

    def test_a_damaged_index_or_a_removed_file_costs_time_only(self, found: Collection, tmp_path: Path) -> None:
        table = open_features(found, PIECES, Ear(), tmp_path / "cache", progress=False)
        (index,) = (tmp_path / "cache").rglob("index.json")
        index.write_text("{")
        again = Ear()
        assert open_features(found, PIECES, again, tmp_path / "cache", progress=False).usable.all()
        assert again.asked == 9
        assert table.files[0] is not None
        table.files[0].unlink()
        with pytest.raises(HouseXError, match=r"are gone\. Start the run again"):
            table[0]
        once = Ear()
        open_features(found, PIECES, once, tmp_path / "cache", progress=False)
        assert once.asked == 3

    @pytest.mark.parametrize("harm", ["empty file", "fewer rows", "no rows", "odd rows", "other count", "odd problems"])
    def test_a_damaged_file_or_entry_is_made_anew(self, found: Collection, tmp_path: Path, harm: str) -> None:
        table = open_features(found, PIECES, Ear(), tmp_path / "cache", progress=False)
        file, whole = table.files[0], table[1]
        assert file is not None
        (index,) = (tmp_path / "cache").rglob("index.json")
        noted = json.loads(index.read_text())
        entry = noted["tracks"][file.stem]
        if harm == "empty file":
            file.write_bytes(b"")
            with pytest.raises(HouseXError, match="are gone"):
                table[0]
        elif harm == "fewer rows":
            np.save(file, np.zeros((1, 800), np.float32))
        elif harm == "no rows":
            del entry["rows"]
        elif harm == "odd problems":
            entry["problems"] = [1]
        else:
            entry["rows"] = ["0", None, 1.5] if harm == "odd rows" else [0]
        index.write_text(json.dumps(noted))
        again = Ear()
        repaired = open_features(found, PIECES, again, tmp_path / "cache", progress=False)
        assert again.asked == 3
        np.testing.assert_array_equal(repaired[1], whole)

    def test_holds_plain_arrays_and_travels_to_workers_without_them(self, found: Collection, tmp_path: Path) -> None:
        table = open_features(found, PIECES, Ear(), tmp_path / "cache", progress=False)
        for path in {path for path in table.files if path is not None}:
            assert np.load(path, allow_pickle=False).shape == (3, 800)
        sent = pickle.dumps(table)
        assert len(sent) < 3000
        np.testing.assert_array_equal(pickle.loads(sent)[5], table[5])

    def test_a_cache_that_cannot_be_written_is_told(self, found: Collection, tmp_path: Path) -> None:
        (tmp_path / "cache").write_text("a file")
        with pytest.raises(HouseXError, match="cannot be written"):
            open_features(found, PIECES, Ear(), tmp_path / "cache", progress=False)


class TestPictures:
    @pytest.fixture
    def seen(self, tmp_path: Path) -> Collection:
        paths = tuple(picture(tmp_path / f"p{number}.png", 50 * number) for number in range(3))
        track = Track("p", np.array([1, 0], np.float32), pictures=paths)
        return Collection("housex", tmp_path, ("a", "b"), (track,))

    def test_are_stored_as_the_front_end_wants_them(self, seen: Collection, tmp_path: Path) -> None:
        pieces = [Piece(0, float(n), path) for n, path in enumerate(seen.tracks[0].pictures)]
        table = open_features(seen, pieces, Eye(), tmp_path / "cache", progress=False)
        assert table[2].shape == (4, 6, 3)
        assert table[2].dtype == np.uint8
        assert np.all(table[2] == 100)

    def test_a_corrupt_one_is_told_and_the_rest_used(self, seen: Collection, tmp_path: Path) -> None:
        path = seen.tracks[0].pictures[1]
        path.write_bytes(path.read_bytes()[:45])
        pieces = [Piece(0, float(n), path) for n, path in enumerate(seen.tracks[0].pictures)]
        table = open_features(seen, pieces, Eye(), tmp_path / "cache", progress=False)
        assert table.usable.tolist() == [True, False, True]
        assert table.problems == ('The picture "p1.png" cannot be read.',)
        assert np.all(table[2] == 100)

    def test_a_front_end_that_only_hears_says_so(self, seen: Collection, tmp_path: Path) -> None:
        table = open_features(
            seen, [Piece(0, 0.0, seen.tracks[0].pictures[0])], Ear(), tmp_path / "cache", progress=False
        )
        assert not table.usable.any()
        assert "hears audio, and only pictures" in table.problems[0]
        without = open_features(seen, [Piece(0, 0.0)], Ear(), tmp_path / "cache", progress=False)
        assert "it has no audio" in without.problems[0]


class TestExamples:
    LABELS = ((0.5, 0.5, 0.0), (0.25, 0.25, 0.5), (0.0, 1.0, 0.0))

    def made(self, found: Collection, tmp_path: Path, rule: Any) -> tuple[FeatureTable, Examples]:
        tracks = tuple(dataclasses.replace(track, label=np.array(label, np.float32))
                       for track, label in zip(found.tracks, self.LABELS, strict=True))  # fmt: skip
        changed = dataclasses.replace(found, tracks=tracks)
        front_end = Ear()
        table = open_features(changed, PIECES, front_end, tmp_path / "cache", progress=False)
        return table, Examples(table, changed, PIECES, np.array([1, 4, 7]), rule, front_end)

    def test_soft_labels_stay(self, found: Collection, tmp_path: Path) -> None:
        table, examples = self.made(found, tmp_path, "soft")
        x, target, index = examples[1]
        assert x.shape == (2, 800)
        assert x.dtype == torch.float32
        np.testing.assert_array_equal(x.numpy(), np.stack([table[4], -table[4]]))
        assert target.tolist() == [0.25, 0.25, 0.5]
        assert index == 4
        assert examples.main.tolist() == [1, 2, 1]

    def test_a_target_that_is_changed_changes_no_label(self, found: Collection, tmp_path: Path) -> None:
        _, examples = self.made(found, tmp_path, "soft")
        examples[1][1].zero_()
        assert examples[1][1].tolist() == [0.25, 0.25, 0.5]

    def test_sharpened_ones_give_all_to_the_last_of_the_greatest(self, found: Collection, tmp_path: Path) -> None:
        _, examples = self.made(found, tmp_path, "sharpen")
        assert [examples[n][1].tolist() for n in range(3)] == [[0, 1, 0], [0, 0, 1], [0, 1, 0]]

    def test_clean_ones_are_those_with_a_1(self, found: Collection, tmp_path: Path) -> None:
        _, examples = self.made(found, tmp_path, "clean")
        assert examples.indices.tolist() == [7]

    def test_pieces_that_cannot_be_read_are_no_examples(self, found: Collection, tmp_path: Path) -> None:
        (tmp_path / "music/t1.wav").write_bytes(b"no sound")
        _, examples = self.made(found, tmp_path, "soft")
        assert examples.indices.tolist() == [1, 7]
        assert len(examples) == len(examples.main) == 2

    def test_no_example_at_all_is_no_failure(self, found: Collection, tmp_path: Path) -> None:
        table = open_features(found, PIECES, Ear(), tmp_path / "cache", progress=False)
        assert len(Examples(table, found, PIECES, np.zeros(0, np.int64), "soft", Ear())) == 0

    def test_workers_read_the_same(self, found: Collection, tmp_path: Path) -> None:
        _, examples = self.made(found, tmp_path, "soft")
        (batch,) = torch.utils.data.DataLoader(examples, batch_size=3, num_workers=1)
        np.testing.assert_array_equal(batch[0][1].numpy(), examples[1][0].numpy())
        assert batch[2].tolist() == [1, 4, 7]

    @pytest.mark.parametrize("rule", ["soft", "sharpen"])
    def test_a_target_that_is_written_to_is_nobody_elses(self, found: Collection, tmp_path: Path, rule: str) -> None:
        labels = [track.label.tolist() for track in found.tracks]
        _, examples = self.made(found, tmp_path, rule)
        before = examples[0][1].tolist()
        examples[0][1].fill_(9.0)
        assert examples[0][1].tolist() == before
        assert [track.label.tolist() for track in found.tracks] == labels
