"""The nearest tracks and why: nearness against known geometry, reasons that are true, the command's two outputs."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pytest

from trainer.maps import similar
from trainer.maps.listening import FoundTrack, TrackPortrait
from trainer.maps.similar import as_json, as_table, compare, jensen_shannon, nearest
from trainer.own.label_rows import CollectionError

from .portraits import TRAITS, portrait

BASS = {"Bass House": 0.71, "Future House": 0.29}
ME = portrait("Me", {"Bass House": 0.64, "Future House": 0.36}, (1.0, 0.0, 0.0), 128.0)


def with_traits(**changes: float) -> TrackPortrait:
    names = ("groove", "rhythm", "distortion", "organicity", "lead", "chord", "bass")
    traits = tuple(changes.get(name, value) for name, value in zip(names, TRAITS, strict=True))
    return portrait("Other", BASS, traits=traits)


def test_jensen_shannon_on_known_pairs() -> None:
    same, other = np.array([1.0, 0.0]), np.array([0.0, 1.0])
    assert jensen_shannon(same, same) == 0.0
    assert jensen_shannon(same, other) == pytest.approx(1.0)
    # (1/2, 1/2) against (1, 0): H(3/4, 1/4) - H(1/2, 1/2) / 2 bits
    divergence = -(0.75 * np.log2(0.75) + 0.25 * np.log2(0.25)) - 0.5
    assert jensen_shannon(np.array([0.5, 0.5]), same) == pytest.approx(np.sqrt(divergence))
    assert jensen_shannon(2.0 * same, same) == 0.0


def test_the_nearest_is_nearest() -> None:
    angles = {"near": 0.1, "middle": 0.7, "far": 1.5, "opposite": 3.1}
    others = [portrait(name, BASS, (np.cos(a), np.sin(a), 0.0)) for name, a in reversed(angles.items())]
    assert [match.portrait.title for match in nearest(ME, others)] == list(angles)
    assert [match.portrait.title for match in nearest(ME, others, top=2)] == ["near", "middle"]
    # of equal sounds the one with the nearer shares
    equal = [
        portrait("other genre", {"Deep House": 1.0}),
        portrait("same genre", BASS),
        portrait("half", {"Bass House": 1.0}),
    ]
    assert [match.portrait.title for match in nearest(ME, equal)] == ["same genre", "half", "other genre"]
    best = nearest(ME, [portrait("twin", {"Bass House": 0.64, "Future House": 0.36})])[0]
    assert (best.score, best.cosine, best.genre_distance) == pytest.approx((1.0, 1.0, 0.0))


def test_tempo_and_traits_are_no_criteria() -> None:
    slow = portrait("slow", BASS, (0.9, 0.1, 0.0), 90.0, (1.0, 1.0, 5.0, 5.0, 0.0, 1.0, 0.0))
    alike = portrait("alike", BASS, (0.5, 0.5, 0.0), 128.0)
    assert [match.portrait.title for match in nearest(ME, [alike, slow])] == ["slow", "alike"]


def test_a_track_is_not_its_own_company() -> None:
    copy = portrait("copy", BASS)
    object.__setattr__(copy, "sha256", ME.sha256)
    assert nearest(ME, [ME, copy]) == []


def test_the_reasons_of_the_specification() -> None:
    mine = portrait("a", {"Bass House": 0.6, "Deep House": 0.4}, bpm=128.0, traits=(4.6, 3.0, 2.7, 1.1, 0.5, 0.1, 0.5))
    other = portrait(
        "b", {"Bass House": 0.71, "Tech House": 0.29}, bpm=126.2, traits=(4.1, 5.0, 4.9, 3.0, 0.5, 0.0, 0.5)
    )
    reasons, differences = compare(mine, other)
    assert reasons == (
        "same sub-genre (Bass House 71 %)",
        "same heavy side-chain",
        "both without chords",
        "tempo 126 against 128",
    )
    assert differences == (
        "rhythm of thirty-seconds against rhythm of sixteenths",
        "strong distortion against moderate distortion",
        "half acoustic sounds against electronic sounds",
    )


def test_a_reason_is_given_only_where_it_is_true() -> None:
    assert "same moderate side-chain" not in compare(with_traits(groove=2.1), with_traits(groove=3.4))[0], "far apart"
    assert compare(with_traits(groove=3.4), with_traits(groove=3.6))[1] == (), "near, though the words differ"
    assert "both with a lead and a bass" in compare(ME, with_traits())[0]
    assert "both without lead, chords or bass" in compare(*[with_traits(lead=0, chord=0.1, bass=0.2)] * 2)[0]
    assert "both with a lead, chords and a bass" in compare(*[with_traits(lead=0.6, chord=0.7, bass=1)] * 2)[0]
    reasons, differences = compare(with_traits(lead=0.9, chord=0.1), with_traits(lead=0.2, chord=0.8))
    assert "with chords" in differences
    assert "without a lead" in differences
    assert not any("chords" in reason or "lead" in reason for reason in reasons)
    assert not any("chord" in text for part in compare(ME, with_traits(chord=0.45)) for text in part), (
        "neither here nor there"
    )


@pytest.mark.parametrize(
    ("mine", "theirs", "same", "text"),
    [
        (128.0, 126.0, True, "tempo 126 against 128"),
        (128.0, 120.5, True, "tempo 120 against 128"),
        (128.0, 120.0, False, "tempo 120 against 128"),
        (126.0, 63.4, True, "half the tempo, 63 against 126"),
        (64.0, 126.0, True, "twice the tempo, 126 against 64"),
        (None, 126.0, True, ""),
        (126.0, None, True, ""),
    ],
)
def test_tempo_in_words(mine: float | None, theirs: float | None, same: bool, text: str) -> None:
    reasons, differences = compare(portrait("a", BASS, bpm=mine), portrait("b", BASS, bpm=theirs))
    found = [one for one in (reasons if same else differences) if "tempo" in one]
    assert found == ([text] if text else [])
    assert not [one for one in (differences if same else reasons) if "tempo" in one]


def test_sub_genres_in_words() -> None:
    def first(shares: dict[str, float]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        reasons, differences = compare(ME, portrait("b", shares))
        return tuple(r for r in reasons if "House" in r), tuple(d for d in differences if "House" in d)

    assert first({"Bass House": 0.5, "Deep House": 0.4, "Bigroom": 0.1}) == (("same sub-genre (Bass House 50 %)",), ())
    assert first({"Deep House": 0.6, "Future House": 0.4}) == (("both partly Future House (40 % against 36 %)",), ())
    assert first({"Deep House": 0.9, "Future House": 0.1}) == ((), ("another sub-genre (Deep House 90 %)",))


def test_table_and_json_say_the_same() -> None:
    others = [
        portrait("t" * 60, BASS, (0.9, 0.1, 0.0)),
        portrait("no beat", {"Deep House": 1.0}, (0.0, 1.0, 0.0), None),
    ]
    matches = nearest(ME, others)
    lines = as_table(ME, matches).split("\n")
    assert "Me" in lines[0]
    assert "Bass House 64 %" in lines[0]
    assert lines[1].startswith("  1. " + "t" * 47 + "…")
    assert "same sub-genre (Bass House 71 %), same heavy side-chain" in lines[2]
    assert "no beat" in lines[3]
    assert lines[-1].strip() == "but: another sub-genre (Deep House 100 %)"
    body = json.loads(as_json(ME, matches))
    assert body["track"]["title"] == "Me"
    assert [one["rank"] for one in body["similar"]] == [1, 2]
    assert [one["score"] for one in body["similar"]] == pytest.approx([match.score for match in matches], abs=1e-4)
    assert body["similar"][0]["reasons"] == list(matches[0].reasons)
    assert body["similar"][1]["bpm"] is None
    assert sum(body["similar"][0]["probs"].values()) == pytest.approx(1.0, abs=1e-3)


def command(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    similar.add_similar_parser(parser.add_subparsers())
    return parser.parse_args(["similar", *words])


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name in "abc":
        (tmp_path / f"{name}.wav").write_bytes(name.encode())

    def heard(tracks: list[FoundTrack], _arguments: argparse.Namespace) -> list[TrackPortrait]:
        made = [portrait(track.title, BASS, (1.0, 0.1 * ord(track.title), 0.0)) for track in tracks]
        for track, one in zip(tracks, made, strict=True):
            object.__setattr__(one, "path", track.path)
        return made

    monkeypatch.setattr(similar, "listen", heard)
    track, folder = str(tmp_path / "a.wav"), str(tmp_path)
    arguments = command(track, "--in", folder, "--top", "1", "--json")
    assert arguments.func(arguments) == 0
    body = json.loads(capsys.readouterr().out)
    assert body["track"]["title"] == "a"
    assert [one["title"] for one in body["similar"]] == ["b"]
    arguments = command(track, "--in", folder)
    assert arguments.func(arguments) == 0
    assert capsys.readouterr().out.count("same sub-genre") == 2
    for words, sentence in (
        ((str(tmp_path / "z.wav"), "--in", folder), "There is no file"),
        ((folder, "--in", folder), "There is no file"),
        ((track, "--in", str(tmp_path / "z")), "There is no"),
        ((track, "--in", track), "There is no other track to compare with"),
    ):
        refused = command(*words)
        with pytest.raises(CollectionError, match=sentence):
            refused.func(refused)
    monkeypatch.setattr(similar, "listen", lambda tracks, arguments: heard(tracks[1:], arguments))
    refused = command(track, "--in", folder)
    with pytest.raises(CollectionError, match=r'"a\.wav" cannot be heard'):
        refused.func(refused)
    with pytest.raises(SystemExit):
        command(track, "--in", folder, "--top", "0")
    assert "give a number of at least 1" in capsys.readouterr().err
