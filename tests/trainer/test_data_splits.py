"""Splits: tracks, groups and artists on one side, the published rules as published, frozen by name and content."""

from __future__ import annotations

import dataclasses
import json
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from housex_blender.core.errors import HouseXError
from tests.trainer.data_files import noise
from trainer.data.by_track import main_classes, part_of_tracks, together
from trainer.data.collection import PARTS, Collection, Piece, Track
from trainer.data.splits import Split, split_pieces

CLASSES = ("a", "b", "c", "d")


def collection(tracks: Sequence[Track], **changes: object) -> Collection:
    made = Collection("housex", Path(), CLASSES, tuple(sorted(tracks, key=lambda track: track.name)))
    return dataclasses.replace(made, **changes)


def track(name: str, number: int, **more: object) -> Track:
    return Track(name, np.eye(len(CLASSES), dtype=np.float32)[number], **more)  # type: ignore[arg-type]


def forty(count: int = 40) -> Collection:
    return collection([track(f"t{n:03d}", n % len(CLASSES)) for n in range(count)])


def pieces_of(found: Collection, each: int = 3) -> list[Piece]:
    return [Piece(index, float(place)) for index in range(len(found.tracks)) for place in range(each)]


def sides(split: Split) -> dict[str, set[int]]:
    return {part: set(split.tracks(part)) for part in PARTS}


class TestByTracks:
    def test_parts_are_80_10_10_of_each_class_and_share_no_track(self) -> None:
        found = forty()
        split = split_pieces(found, pieces_of(found), "tracks", 0)
        assert split.problems == ()
        tracks = sides(split)
        assert [len(tracks[part]) for part in PARTS] == [32, 4, 4]
        assert sorted(i for part in PARTS for i in split.parts[part].tolist()) == list(range(120))
        for part in PARTS:
            of_class = Counter(int(np.argmax(found.tracks[i].label)) for i in tracks[part])
            assert of_class == dict.fromkeys(range(4), len(tracks[part]) // 4)

    def test_the_order_of_the_tracks_in_the_folder_does_not_matter_and_the_seed_does(self) -> None:
        found = forty()
        turned = dataclasses.replace(found, tracks=found.tracks[::-1])
        names = [{part: {c.tracks[i].name for i in split_pieces(c, pieces_of(c), "tracks", 0).tracks(part)} for part in PARTS}
                 for c in (found, turned)]  # fmt: skip
        assert names[0] == names[1]
        # what it was on the machine that wrote this test
        assert names[0]["val"] == {"t005", "t032", "t034", "t039"}
        other = split_pieces(found, pieces_of(found), "tracks", 1)
        assert {found.tracks[i].name for i in other.tracks("val")} != names[0]["val"]

    def test_groups_and_artists_stay_together_through_others_too(self) -> None:
        tracks = [track("x1", 0, artist="Ann, Bob"), track("x2", 1, artist="bob, Cy"), track("x3", 2, artist="Cy"),
                  track("x4", 3, group="x3"), track("x5", 3, artist="Dee")]  # fmt: skip
        units = sorted(sorted(tracks[i].name for i in unit) for unit in together(tracks))
        assert units == [["x1", "x2", "x3", "x4"], ["x5"]]

    @settings(max_examples=40, deadline=None)
    @given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 12)), min_size=3, max_size=60), st.integers(0, 3))
    def test_no_artist_is_ever_on_two_sides(self, drawn: list[tuple[int, int]], seed: int) -> None:
        found = collection(
            [track(f"t{n:03d}", number, artist=f"artist {who}" if who else "") for n, (number, who) in enumerate(drawn)]
        )
        part_of, problems = part_of_tracks(found, seed)
        of_artist: dict[str, set[int]] = {}
        for one, part in zip(found.tracks, part_of, strict=True):
            if one.artist:
                of_artist.setdefault(one.artist, set()).add(int(part))
        assert all(len(parts) == 1 for parts in of_artist.values())
        main = main_classes(found.tracks, len(CLASSES))
        for number, name in enumerate(CLASSES):
            lacks = set(range(3)) - set(part_of[main == number].tolist())
            assert bool(lacks and (main == number).any()) == any(
                problem.startswith(f"{name} has ") for problem in problems
            )
            units = {one.artist or one.name for one, is_one in zip(found.tracks, main == number, strict=True) if is_one}
            alone = {one.artist or one.name for one in found.tracks}
            if len(units) >= 3 and len(alone) == len(found.tracks):
                assert not lacks

    def test_a_large_artist_does_not_push_a_class_out_of_a_part(self) -> None:
        tracks = [track(f"big{n}", 0, artist="Ann") for n in range(8)] + [track(f"small{n}", 0) for n in range(2)]
        part_of, problems = part_of_tracks(collection(tracks), 0)
        assert problems == ()
        assert sorted(Counter(part_of.tolist()).values()) == [1, 1, 8]

    def test_three_artists_of_a_class_are_in_three_parts_however_many_tracks_they_have(self) -> None:
        tracks = [
            track(f"{who}{n}", 0, artist=who)
            for who, count in (("Ann", 4), ("Bob", 3), ("Cy", 1))
            for n in range(count)
        ]
        part_of, problems = part_of_tracks(collection(tracks), 0)
        assert problems == ()
        assert sorted(Counter(part_of.tolist()).values()) == [1, 3, 4]

    def test_a_class_of_two_tracks_is_told(self) -> None:
        found = collection([track("x1", 3), track("x2", 3)])
        _, problems = part_of_tracks(found, 0)
        assert len(problems) == 1
        assert problems[0].startswith("d has 2 tracks, too few")


class TestPublishedRules:
    def test_published_parts_are_those_of_the_folders(self) -> None:
        found = forty(6)
        parts = {f"t{n:03d}": part for n, part in enumerate(["train", "val", "test", "train", "val"])}
        split = split_pieces(dataclasses.replace(found, published=parts), pieces_of(found), "published", 7)
        assert sides(split) == {"train": {0, 3}, "val": {1, 4}, "test": {2}}
        assert any('"t005" is in no published part' in problem for problem in split.problems)
        with pytest.raises(HouseXError, match="does not say which tracks train"):
            split_pieces(found, pieces_of(found), "published", 0)

    def test_housex_has_the_published_numbers_of_tracks_and_no_regard_for_artists(self) -> None:
        tracks = [track(f"t{n:03d}", n % 4, artist="Ann" if n < 32 else "") for n in range(160)]
        found = collection(tracks)
        split = split_pieces(found, pieces_of(found, 1), "housex", 0)
        parts = sides(split)
        assert [len(parts[part]) for part in PARTS] == [128, 20, 12]
        for part, each in zip(PARTS, (32, 5, 3), strict=True):
            assert Counter(int(np.argmax(found.tracks[i].label)) for i in parts[part]) == dict.fromkeys(range(4), each)
        assert all(any(found.tracks[i].artist for i in parts[part]) for part in PARTS)
        turned = dataclasses.replace(found, tracks=found.tracks[::-1])
        again = split_pieces(turned, pieces_of(turned, 1), "housex", 0)
        assert {turned.tracks[i].name for i in again.tracks("test")} == {found.tracks[i].name for i in parts["test"]}
        assert split_pieces(found, pieces_of(found, 1), "housex", 1).tracks("test") != split.tracks("test")

    def test_housex_gives_each_part_one_of_three_tracks(self) -> None:
        found = collection([track(f"t{n}", 0) for n in range(3)] + [track(f"u{n}", 1) for n in range(2)])
        parts = sides(split_pieces(found, pieces_of(found, 1), "housex", 0))
        names = {part: sorted(found.tracks[i].name[0] for i in parts[part]) for part in PARTS}
        assert names == {"train": ["t", "u", "u"], "val": ["t"], "test": ["t"]}

    def test_mainstage_shuffles_its_folders_in_their_order_with_seed_42_and_skips_what_its_table_lacks(self) -> None:
        count = 50
        order = list(range(count))
        random.Random(1).shuffle(order)
        tracks = [track(f"t{n:03d}", n % 4, drops_s=None if n % 10 == 9 else () if n == 0 else ((1.0, 20.0),),
                        facts={"order": float(order[n])}) for n in range(count)]  # fmt: skip
        found = collection(tracks)
        split = split_pieces(found, pieces_of(found), "mainstage", 123)
        # as the published code does it
        listed = sorted((one for one in tracks if one.drops_s is not None), key=lambda one: one.facts["order"])
        random.seed(42)
        random.shuffle(listed)
        train, val = listed[: int(0.8 * len(listed))], listed[int(0.8 * len(listed)) :]
        assert {found.tracks[i].name for i in split.tracks("train")} == {one.name for one in train}
        assert {found.tracks[i].name for i in split.tracks("val")} == {one.name for one in val}
        assert len(train) == 36
        np.testing.assert_array_equal(split.parts["val"], split.parts["test"])
        assert any("does not name 5 of 50 tracks" in problem for problem in split.problems)

    def test_mainstage_without_any_table_takes_all(self) -> None:
        found = forty()
        split = split_pieces(found, pieces_of(found), "mainstage", 0)
        assert [len(sides(split)[part]) for part in PARTS] == [32, 8, 8]

    def test_random_clips_part_tracks_and_have_no_test_of_their_own(self) -> None:
        found = forty(1000)
        split = split_pieces(found, pieces_of(found, 1), "random-clips", 0)
        assert [len(split.parts[part]) for part in PARTS] == [800, 200, 200]
        np.testing.assert_array_equal(split.parts["val"], split.parts["test"])

    def test_of_homburg_a_tenth_is_tested(self) -> None:
        found = dataclasses.replace(forty(1886), name="homburg")
        split = split_pieces(found, pieces_of(found, 1), "random-clips", 0)
        assert [len(split.parts[part]) for part in PARTS] == [1697, 189, 189]

    def test_random_pieces_leak_and_hang_on_nothing_but_names(self) -> None:
        found = forty(100)
        pieces = pieces_of(found, 30)
        split = split_pieces(found, pieces, "random-pieces", 0)
        assert [len(split.parts[part]) for part in PARTS] == [2400, 300, 300]
        assert len(set(split.tracks("train")) & set(split.tracks("test"))) > 80
        turned = split_pieces(found, pieces[::-1], "random-pieces", 0)
        assert {pieces[i] for i in split.parts["test"]} == {turned.pieces[i] for i in turned.parts["test"]}

    def test_an_unknown_rule_is_a_mistake(self) -> None:
        with pytest.raises(ValueError, match="no rule 'polka'"):
            split_pieces(forty(), [], "polka", 0)  # type: ignore[arg-type]


class TestCut:
    """Clips of drops, in the networks of the mainstage benchmark."""

    FOUND = collection(
        [track(f"t{n}", n % 4, drops_s=((20.0, 50.0), (80.0, 95.0)), duration_s=120.0) for n in range(3)]
    )

    def starts(self, preset: str, *seed: int) -> list[float]:
        pytest.importorskip("torch")
        from trainer.engine.prepared import cut
        from trainer.systems import get_setup

        return [piece.start_s for piece in cut(self.FOUND, get_setup("mainstage/resnet18", preset), *seed)]

    @pytest.mark.parametrize("preset", ["as_code", "as_paper"])
    def test_published_clips_lie_elsewhere_with_another_seed(self, preset: str) -> None:
        first, again, other = (self.starts(preset, seed) for seed in (0, 0, 1))
        assert first == again
        assert len(first) == len(other) == 24
        assert not set(first) & set(other)
        assert first == self.starts(preset)
        # what they were before seeds counted
        assert first[0] == pytest.approx(20.861534, abs=1e-6)

    def test_even_clips_do_not(self) -> None:
        assert self.starts("fixed", 0) == self.starts("fixed", 1) != []


class TestFrozen:
    @pytest.fixture
    def found(self, tmp_path: Path) -> Collection:
        tracks = [track(f"t{n}", n % 4, path=noise(tmp_path / f"t{n}.wav", 0.05)) for n in range(12)]
        pictures = tuple(noise(tmp_path / f"p{n}.wav", 0.05) for n in range(3))
        return collection([*tracks, track("seen", 0, pictures=pictures)])

    @staticmethod
    def pieces(found: Collection) -> list[Piece]:
        seen = found.tracks[0]
        return [*(Piece(0, float(n), path) for n, path in enumerate(seen.pictures)),
                *(Piece(index, 0.1 * place) for index in range(1, len(found.tracks)) for place in range(3))]  # fmt: skip

    def test_comes_back_with_its_pieces(self, tmp_path: Path, found: Collection) -> None:
        split = split_pieces(found, self.pieces(found), "random-pieces", 3)
        split.save(tmp_path / "split.json")
        again = Split.load(tmp_path / "split.json", found)
        assert again.pieces == tuple(self.pieces(found))
        assert (again.rule, again.seed, again.problems) == (split.rule, split.seed, split.problems)
        for part in PARTS:
            np.testing.assert_array_equal(again.parts[part], split.parts[part])

    def test_leads_to_the_same_tracks_when_others_were_added(self, tmp_path: Path, found: Collection) -> None:
        split = split_pieces(found, self.pieces(found), "tracks", 0)
        split.save(tmp_path / "split.json")
        more = collection([*found.tracks, track("a new one", 1)])
        again = Split.load(tmp_path / "split.json", more)
        assert {more.tracks[i].name for i in again.tracks("val")} == {found.tracks[i].name for i in split.tracks("val")}

    def test_a_missing_or_changed_file_is_told(self, tmp_path: Path, found: Collection) -> None:
        path = tmp_path / "split.json"
        split_pieces(found, self.pieces(found), "tracks", 0).save(path)
        with pytest.raises(HouseXError, match=r'The track "t9" of split.json is not there\.'):
            Split.load(path, dataclasses.replace(found, tracks=found.tracks[:-1]))
        noise(tmp_path / "t3.wav", 0.06, seed=1)
        with pytest.raises(HouseXError, match=r'The track "t3" of split.json is another file now\.'):
            Split.load(path, found)
        noise(tmp_path / "p1.wav", 0.06, seed=1)
        with pytest.raises(HouseXError, match=r'The track "seen" of split.json is another file now \(and 1 more\)'):
            Split.load(path, found)

    @pytest.mark.parametrize(
        ("damage", "says"),
        [(lambda d: d.update(data_set="gtzan"), "parts gtzan, not housex"), (lambda d: d.update(schema="x"), "not a split of this version"),
         (lambda d: d.pop("pieces"), "is damaged"), (lambda d: d["parts"].update(val=[999]), "is damaged"),
         (lambda d: d["pieces"].append([99, 0.0]), "is damaged")],
    )  # fmt: skip
    def test_damage_is_told(self, tmp_path: Path, found: Collection, damage: object, says: str) -> None:
        path = tmp_path / "split.json"
        split_pieces(found, self.pieces(found), "tracks", 0).save(path)
        document = json.loads(path.read_text())
        damage(document)  # type: ignore[operator]
        path.write_text(json.dumps(document))
        with pytest.raises(HouseXError, match=says):
            Split.load(path, found)

    def test_no_file_and_no_json_are_told(self, tmp_path: Path, found: Collection) -> None:
        with pytest.raises(HouseXError, match="There is no split"):
            Split.load(tmp_path / "split.json", found)
        (tmp_path / "split.json").write_text("[")
        with pytest.raises(HouseXError, match="is damaged"):
            Split.load(tmp_path / "split.json", found)

    def test_the_parts_of_tracks_serve_other_pieces(self, found: Collection) -> None:
        pieces = self.pieces(found)
        split = split_pieces(found, pieces, "tracks", 0)
        other = split.applied([Piece(index, 9.0) for index in range(len(found.tracks))])
        assert sides(other) == sides(split)
        with pytest.raises(HouseXError, match="cannot be used for other pieces"):
            split_pieces(found, pieces, "random-pieces", 0).applied(pieces)
