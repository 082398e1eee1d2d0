"""Stopped, killed and awkwardly named renders: what is left behind, and what is said."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

bpy = pytest.importorskip("bpy")

from housex_blender.core.errors import Cancelled, SceneError  # noqa: E402
from housex_blender.scene import compat, encode, output, pictures  # noqa: E402

from ..processes import alive, wait_until  # noqa: E402
from .test_output import click_track, white_frames  # noqa: E402

NAMES = ["plain", "set {x}", "{frame} #1 ###", "100 % %d", "ü ' \""]
posix_only = pytest.mark.skipif(os.name == "nt", reason="the stand-in program is a shell script")


@pytest.fixture
def slow_ffmpeg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in that writes half a film, complains at length and never ends; returns the file with its pid."""
    place = tmp_path / "bin"
    place.mkdir()
    program, pid_file = place / "ffmpeg", place / "pid"
    program.write_text(
        '#!/bin/sh\nfor last; do :; done\nprintf half > "$last"\n'
        "i=0; while [ $i -lt 4000 ]; do echo 'a complaint of some length, again and again' >&2; i=$((i+1)); done\n"
        f"echo $$ > '{pid_file}.new'; mv '{pid_file}.new' '{pid_file}'\nexec sleep 300\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{place}:{os.environ['PATH']}")
    return pid_file


@posix_only
def test_stop_while_encoding_leaves_nothing(tmp_path: Path, slow_ffmpeg: Path) -> None:
    white_frames(tmp_path / "frames", 3, 1, {2})
    films = tmp_path / "films"
    films.mkdir()
    (films / "film.mp4").write_bytes(b"older")
    asked: list[float] = []

    def stop() -> bool:
        asked.append(time.monotonic())
        return slow_ffmpeg.is_file()

    with pytest.raises(Cancelled):
        encode.encode_film(tmp_path / "frames", 1, 3, 30.0, None, 0.0, films / "film.mp4", should_stop=stop)
    assert [(item.name, item.read_bytes()) for item in films.iterdir()] == [("film.mp4", b"older")]
    assert not alive(int(slow_ffmpeg.read_text()))
    assert all(after - before < 1.0 for before, after in itertools.pairwise(asked))


def test_stop_before_encoding_starts_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    white_frames(tmp_path / "frames", 1, 1, set())
    monkeypatch.setattr(encode.shutil, "which", lambda name: None)
    monkeypatch.setattr(encode, "with_sequencer", lambda *job: pytest.fail("it was started"))
    with pytest.raises(Cancelled):
        encode.encode_film(tmp_path / "frames", 1, 1, 30.0, None, 0.0, tmp_path / "a.mp4", should_stop=lambda: True)
    assert [item.name for item in tmp_path.iterdir()] == ["frames"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux ends the children of a killed process")
def test_a_killed_encoder_takes_ffmpeg_along_and_the_next_run_cleans_up(
    tmp_path: Path, slow_ffmpeg: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    white_frames(tmp_path / "frames", 2, 1, set())
    films = tmp_path / "films"
    films.mkdir()
    code = (
        f"import bpy, sys; sys.path.insert(0, {str(root)!r})\n"
        "from housex_blender.scene import encode\n"
        f"encode.encode_film({str(tmp_path / 'frames')!r}, 1, 2, 30.0, None, 0.0, {str(films / 'film.mp4')!r})"
    )
    worker = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(slow_ffmpeg.is_file, 60.0)
        pid = int(slow_ffmpeg.read_text())
        assert alive(pid)
        assert os.getsid(pid) == pid, "a Ctrl-C in the terminal would reach it"
    finally:
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    wait_until(lambda: not alive(pid))
    assert [item.name for item in films.iterdir()] == [".film.part.mp4"]
    slow_ffmpeg.with_name("ffmpeg").unlink()
    encode.encode_film(tmp_path / "frames", 1, 2, 30.0, None, 0.0, films / "film.mp4")
    assert [item.name for item in films.iterdir()] == ["film.mp4"]


@pytest.mark.parametrize("name", NAMES)
def test_frames_and_stills_under_awkward_names(show, scene, tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    paths = output.render_frames(scene, folder, [3, 4])
    still = output.render_still(scene, 5, folder / f"{name}.png")
    assert all(pictures.is_picture(path, (96, 54)) for path in [*paths, still])
    assert {item.name for item in folder.iterdir()} == {"frame_000003.png", "frame_000004.png", f"{name}.png"}
    assert [item.name for item in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("way", ["ffmpeg", "sequencer"])
@pytest.mark.parametrize("name", [*NAMES, "n" * 240, "ü" * 120])
def test_films_under_awkward_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str, name: str) -> None:
    if way == "ffmpeg" and not shutil.which("ffmpeg"):
        pytest.skip("no ffmpeg")
    if way == "sequencer":
        if not (compat.has_audio() and compat.has_ffmpeg()):
            pytest.skip("this Blender has no sound")
        monkeypatch.setattr(encode.shutil, "which", lambda program: None)
    folder = tmp_path / name
    folder.mkdir()
    white_frames(folder / "frames", 12, 7, {10})
    click_track(folder / "mix.wav", [0.1], 1.0)
    made = encode.encode_film(folder / "frames", 7, 12, 24.0, folder / "mix.wav", 0.0, folder / f"{name}.mp4")
    assert made.name == f"{name}.mp4"
    assert {item.name for item in folder.iterdir()} == {"frames", "mix.wav", made.name}
    assert b"ftyp" in made.read_bytes()[:16]
    assert [item.name for item in tmp_path.iterdir()] == [name]


@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="needs ffmpeg to look into the film")
def test_the_sequencer_finds_the_pictures_in_a_folder_with_braces(tmp_path: Path, monkeypatch) -> None:
    if not compat.has_ffmpeg():
        pytest.skip("this Blender writes no films")
    folder = tmp_path / "{x} ##"
    folder.mkdir()
    white_frames(folder / "frames", 6, 1, set(range(1, 7)))
    with monkeypatch.context() as patch:
        patch.setattr(encode.shutil, "which", lambda program: None)
        made = encode.encode_film(folder / "frames", 1, 6, 24.0, None, 0.0, folder / "film.mp4")
    command = ["ffmpeg", "-v", "error", "-i", str(made), "-f", "rawvideo", "-pix_fmt", "gray", "-"]
    seen = subprocess.run(command, capture_output=True, check=True).stdout
    assert len(seen) == 6 * 64 * 36
    assert min(seen) > 200


def test_a_still_with_a_long_name(show, scene, tmp_path: Path) -> None:
    made = output.render_still(scene, 1, tmp_path / ("n" * 245 + ".png"))
    assert [item.name for item in tmp_path.iterdir()] == [made.name]


def test_a_folder_that_goes_away_is_not_made_again(show, scene, tmp_path: Path) -> None:
    folder = tmp_path / "frames"

    def lose(done: int, *_: object) -> None:
        if done == 2:
            shutil.rmtree(folder)

    with pytest.raises(SceneError, match="is gone") as caught:
        output.render_frames(scene, folder, range(1, 5), on_progress=lose)
    assert caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_goes_away_while_a_frame_renders(show, scene, tmp_path: Path) -> None:
    folder = tmp_path / "frames"

    def lose(*_: object) -> None:
        shutil.rmtree(folder, ignore_errors=True)

    bpy.app.handlers.render_pre.append(lose)
    try:
        with pytest.raises(SceneError, match="is gone"):
            output.render_frames(scene, folder, [1, 2])
    finally:
        bpy.app.handlers.render_pre.remove(lose)
    assert list(tmp_path.iterdir()) == []


def test_a_frame_that_cannot_be_put_in_place(show, scene, tmp_path: Path) -> None:
    (tmp_path / "frame_000001.png").mkdir()
    with pytest.raises(SceneError, match="Frame 1 could not be rendered") as caught:
        output.render_frames(scene, tmp_path, [1])
    assert "\n" not in str(caught.value)
    assert [item.name for item in tmp_path.iterdir()] == ["frame_000001.png"]


def test_moving_to_another_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    (tmp_path / "a").write_bytes(b"x")
    monkeypatch.setattr(pictures.os, "replace", refuse)
    pictures.move_into(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == b"x"


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (RuntimeError("Error: Parse errors in path.\nError: Unknown variable: x\n"), "Parse errors in path"),
        (RuntimeError("\n \nError: no camera"), "no camera"),
        (RuntimeError(""), "no reason given"),
        (OSError(28, "No space left on device"), "No space left on device"),
    ],
)
def test_reasons_are_one_line(error: Exception, line: str) -> None:
    assert pictures.one_line(error) == line
