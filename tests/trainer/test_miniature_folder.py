"""Where miniatures are put: what is replaced, what is left alone, what is said, and the command."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
import soundfile

from housex_blender.core.errors import HouseXError
from trainer.data import miniature as miniatures
from trainer.data.miniature import MANIFEST, Built, Making, Manifest, make_miniature, manifest_of


def said_in(folder: Path) -> Manifest:
    """The manifest, which must be there."""
    manifest = manifest_of(folder)
    assert manifest is not None
    return manifest


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Miniatures of one file that holds the seed."""

    class Builder:
        @staticmethod
        def build(making: Making) -> Built:
            (making.folder / "audio").mkdir()
            (making.folder / "audio" / "a.wav").write_text(str(making.seed))
            return Built({"audio/a.wav": "Alado"}, ("It is short.",))

    monkeypatch.setattr(miniatures.importlib, "import_module", lambda *_names: Builder)


@pytest.mark.usefixtures("quick")
def test_a_miniature_is_replaced_by_another(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "gtzan"
    for seed in (1, 2):
        assert make_miniature("gtzan", folder, seed) == folder
        assert (folder / "audio" / "a.wav").read_text() == str(seed)
    assert said_in(folder).remarks == ("It is short.",)
    assert [path.name for path in folder.parent.iterdir()] == ["gtzan"]


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    "manifest", ["", "[]", "{}", '{"synthetic": false}', '{"synthetic": true, "data_set": "x"}', "[" * 99999]
)
def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path, manifest: str) -> None:
    (tmp_path / "music").mkdir()
    (tmp_path / "music" / "song.wav").write_text("mine")
    (tmp_path / "music" / MANIFEST).write_text(manifest)
    with pytest.raises(HouseXError, match="is not a miniature"):
        make_miniature("gtzan", tmp_path / "music")
    assert (tmp_path / "music" / "song.wav").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["music"]


@pytest.mark.usefixtures("quick")
def test_a_miniature_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    folder = make_miniature("gtzan", tmp_path / "gtzan", 1)
    (folder / "audio" / "notes.txt").write_text("mine")
    with pytest.raises(HouseXError, match=r"audio/notes\.txt"):
        make_miniature("gtzan", folder, 2)
    assert (folder / "audio" / "a.wav").read_text() == "1"


@pytest.mark.usefixtures("quick")
def test_a_miniature_of_another_data_set_is_left_alone(tmp_path: Path) -> None:
    folder = make_miniature("gtzan", tmp_path / "gtzan")
    with pytest.raises(HouseXError, match="is a miniature of gtzan, so it is left as it is"):
        make_miniature("homburg", folder)
    assert said_in(folder).data_set == "gtzan"


@pytest.mark.usefixtures("quick")
def test_an_empty_folder_is_filled_and_a_file_is_not(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    make_miniature("homburg", tmp_path / "empty")
    assert said_in(tmp_path / "empty").data_set == "homburg"
    (tmp_path / "file").write_text("mine")
    with pytest.raises(HouseXError, match="is a file"):
        make_miniature("homburg", tmp_path / "file")
    with pytest.raises(HouseXError, match="cannot be written"):
        make_miniature("homburg", tmp_path / "file" / "below")


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device"), soundfile.LibsndfileError(2, "a.wav: "), KeyboardInterrupt()]
)
@pytest.mark.usefixtures("quick")
def test_what_fails_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    folder = make_miniature("gtzan", tmp_path / "gtzan", 1)

    def fail(making: Making) -> None:
        (making.folder / "half").write_text("half")
        raise error

    monkeypatch.setattr(miniatures, "_build", fail)
    with pytest.raises((HouseXError, KeyboardInterrupt)) as told:
        make_miniature("gtzan", folder, 2)
    if not isinstance(error, KeyboardInterrupt):
        assert f"cannot be written: {getattr(error, 'strerror', 'a.wav: System error')}." in str(told.value)
    assert [path.name for path in tmp_path.iterdir()] == ["gtzan"]
    assert (folder / "audio" / "a.wav").read_text() == "1"


@pytest.mark.usefixtures("quick")
def test_the_old_one_comes_back_where_the_new_one_cannot_be_put(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_miniature("gtzan", tmp_path / "gtzan", 1)
    rename = Path.rename

    def stubborn(path: Path, target: Path) -> Path:
        if path.name == "made":
            raise OSError(16, "Device or resource busy")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", stubborn)
    with pytest.raises(HouseXError, match="busy"):
        make_miniature("gtzan", folder, 2)
    assert (folder / "audio" / "a.wav").read_text() == "1"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"name": "fma"}, "no miniature of fma"),
        ({"size": "large"}, "small or medium"),
        ({"seed": -1}, "at least 0"),
        ({"jobs": 0}, "at least 1"),
    ],
)
def test_what_cannot_be_made_is_said(tmp_path: Path, arguments: dict, says: str) -> None:
    with pytest.raises(HouseXError, match=says):
        make_miniature(**{"name": "gtzan", "folder": tmp_path / "x", **arguments})
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("quick")
def test_the_command_says_what_it_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    miniatures.add_miniature_parser(parser.add_subparsers())
    args = parser.parse_args(["miniature", "gtzan", "--out", str(tmp_path / "x"), "--seed", "7", "--size", "medium"])
    assert args.func(args) == 0
    told = capsys.readouterr().out
    assert "real music" in told
    assert "It is short." in told
    assert str(tmp_path / "x") in told
    manifest = said_in(tmp_path / "x")
    assert (manifest.seed, manifest.size) == (7, "medium")
