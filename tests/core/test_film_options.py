"""The command line of films: what it means, and what is refused in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from housex_blender.core.errors import HouseXError
from housex_blender.core.film_options import Request, check, get_parser, is_video, sheet_paths
from housex_blender.core.looks import load_look, load_palettes
from housex_blender.core.options import UsageError


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def checked(*arguments: str) -> Request:
    return check(get_parser("test").parse_args(["mix.flac", *arguments]))


@pytest.mark.parametrize(
    ("arguments", "size"),
    [
        ((), (480, 270)),
        (("--quality", "final"), (1920, 1080)),
        (("--quality", "final", "--format", "square"), (1080, 1080)),
        (("--quality", "final", "--format", "vertical"), (1080, 1920)),
        (("--quality", "preview", "--format", "wide"), (960, 540)),
        (("--format", "vertical"), (270, 480)),
        (("--resolution", "1281x721"), (1280, 720)),
    ],
)
def test_sizes(arguments: tuple[str, ...], size: tuple[int, int]) -> None:
    assert checked(*arguments).resolution == size


def test_a_look_is_taken_and_overridden() -> None:
    assert checked().look == load_look("house")
    calm = load_look("calm")
    assert checked("--look", "calm").look == calm
    changed = checked("--look", "calm", "--intensity", "2", "--seed", "7", "--palette", "clear").look
    assert (changed.intensity, changed.seed, changed.speed) == (2.0, 7, calm.speed)
    assert changed.palettes == load_palettes("clear")


def test_files_go_where_they_should() -> None:
    assert checked("--alpha").film == Path("mix.mov")
    assert checked().film == Path("mix.mp4")
    assert checked("--alpha", "-o", "frames").film == Path("frames")
    assert checked("--no-render", "--sheet").film is None
    assert sheet_paths(checked("--sheet", "-o", "a.b.mp4").arguments) == (
        Path("a.b.thumbnail.jpg"),
        Path("a.b.sheet.png"),
    )
    assert sheet_paths(checked("--sheet", "-o", "frames").arguments)[0] == Path("frames.thumbnail.jpg")
    here = Path.cwd()
    assert sheet_paths(checked("--sheet", "-o", ".").arguments)[0] == here.with_name(f"{here.name}.thumbnail.jpg")
    Path("v1.2").mkdir()
    assert checked("-o", "v1.2").film == Path("v1.2")
    assert not is_video(Path("v1.2"))


REFUSED = [
    (("--scene", "ocean"), "no scene 'ocean'"),
    (("--scene", "gone.blend"), "no file gone.blend"),
    (("--look", "mud"), "no look"),
    (("--speed", "-1"), "--speed -1"),
    (("--attack=-3",), "--attack -3"),
    (("--seed", "4294967296"), "seed"),
    (("--format", "vertical", "--resolution", "9x16"), "shape already"),
    (("--format", "round"), "command line"),
    (("--alpha", "-o", "film.mp4"), "no transparency"),
    (("--titles", "gone.txt"), "no file gone.txt"),
    (("--loop", "9"), "not a loop"),
    (("--loop", "b1:b7"), "6 bars"),
    (("--loop", "b1:b9", "--start", "3"), "no use for --start"),
    (("--loop", "b1:b9", "--titles"), "no use for --titles"),
    (("--loop-genre", "Bass House"), "for a loop"),
    (("--loop", "b1:b9", "--loop-genre", "Polka"), "no sub-genre"),
    (("--estimate", "--self-test"), "two runs"),
    (("--self-test", "0"), "0 frames"),
    (("--estimate", "--blend", "a.blend"), "leave out --blend"),
    (("--self-test", "3", "--still", "b3"), "leave out --still"),
    (("--estimate", "--no-render"), "leave out --no-render"),
    (("--estimate", "--sheet"), "leave out --sheet"),
    (("--sheet", "--plot", "mix.sheet.png"), "overwrite"),
    (("--blend", "b.mp4"), "end in .blend"),
    (("--resolution", "17x9"), "16 to 16384 pixels"),
    (("-o", "v1.2"), "not a film"),
    (("-o", "film.mp4/"), "leave out the slash"),
    (("-o", ".mp4"), "without a name"),
    (("-o", "/"), "not a place"),
    (("-o", "x" * 250 + ".mp4"), "too long"),
]


@pytest.mark.parametrize(("arguments", "words"), REFUSED, ids=[" ".join(row[0]) for row in REFUSED])
def test_what_makes_no_sense_is_refused(arguments: tuple[str, ...], words: str) -> None:
    with pytest.raises(HouseXError) as caught:
        checked(*arguments)
    assert words.lower() in str(caught.value).lower()
    assert caught.value.hint


def test_usage_is_told_from_failure() -> None:
    with pytest.raises(UsageError):
        checked("--loop", "b1:b7")
    Path("frames").write_text("in the way")
    with pytest.raises(HouseXError, match="overwrite"):
        checked("--titles", "frames", "-o", "frames")
