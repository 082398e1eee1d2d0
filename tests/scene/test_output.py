"""Pictures, films and failures a user may meet."""

from __future__ import annotations

import colorsys
import json
import shutil
import subprocess
import wave
from pathlib import Path

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from housex_blender.core.errors import SceneError  # noqa: E402
from housex_blender.scene import build, compat, encode, output  # noqa: E402
from housex_blender.scene.pictures import is_picture  # noqa: E402

from .conftest import FPS, N_FRAMES, make_channels  # noqa: E402

# Hues (0..1) that belong to each palette and must own most of the coloured light.
HUES = {
    "Future House": [(0.58, 0.80), (0.93, 1.0)],
    "Bass House": [(0.70, 0.86)],
    "Progressive House": [(0.03, 0.17), (0.72, 0.86)],
    "Melodic House": [(0.12, 0.18), (0.28, 0.48), (0.56, 0.66)],
}


def pixels(path: Path) -> np.ndarray:
    """(h, w, 3) sRGB values 0..1 of a picture."""
    image = bpy.data.images.load(str(path))
    values = np.array(image.pixels[:]).reshape(image.size[1], image.size[0], -1)[..., :3]
    bpy.data.images.remove(image)
    return values


@pytest.mark.parametrize("genre", list(HUES))
def test_picture_is_neither_black_nor_flat_and_has_the_palettes_hue(scene, tmp_path: Path, genre: str) -> None:
    build.build_show(scene, make_channels((genre,)), fps=FPS, n_frames=N_FRAMES)
    output.configure(scene, resolution=(192, 108))
    picture = pixels(output.render_still(scene, 32, tmp_path / "still.png"))
    light = picture.max(axis=2)
    assert 0.06 < light.mean() < 0.7
    assert light.std() > 0.06
    assert (picture.min(axis=2) > 0.97).mean() < 0.12, "burnt"
    hsv = np.array([colorsys.rgb_to_hsv(*pixel) for pixel in picture.reshape(-1, 3)])
    weight = hsv[:, 1] * hsv[:, 2]
    inside = sum(weight[(hsv[:, 0] >= low) & (hsv[:, 0] <= high)].sum() for low, high in HUES[genre])
    assert inside / weight.sum() > 0.5
    counts, edges = np.histogram(hsv[:, 0], bins=36, range=(0, 1), weights=weight)
    best = edges[counts.argmax()] + 1 / 72
    assert any(low <= best <= high for low, high in HUES[genre])


def test_frame_alone_equals_frame_in_sequence(show, scene, tmp_path: Path) -> None:
    sequence = output.render_frames(scene, tmp_path / "all", [58, 59, 60])
    bpy.ops.wm.read_factory_settings(use_empty=True)
    alone_scene = bpy.context.scene
    build.build_show(alone_scene, make_channels(("Future House", "Progressive House")), fps=FPS, n_frames=N_FRAMES)
    output.configure(alone_scene, resolution=(96, 54))
    alone = output.render_still(alone_scene, 60, tmp_path / "alone.png")
    assert np.abs(pixels(alone) - pixels(sequence[2])).max() <= 1 / 255 + 1e-6
    # The palette changes on the second bar line, frame 58.143 -> 58.
    assert np.abs(pixels(sequence[0]) - pixels(sequence[2])).max() > 0.1


def test_resume_renders_only_what_is_missing(show, scene, tmp_path: Path) -> None:
    # a part of the picture, or two eyes, as a scene of somebody else's may have it
    scene.render.use_border = scene.render.use_crop_to_border = scene.render.use_multiview = True
    scene.render.border_max_x = 0.5
    output.configure(scene, resolution=(96, 54))
    paths = output.render_frames(scene, tmp_path, range(1, 4))
    assert [path.name for path in paths] == ["frame_000001.png", "frame_000002.png", "frame_000003.png"]
    assert all(is_picture(path, (96, 54)) for path in paths)
    paths[1].write_bytes(paths[1].read_bytes()[:-20])
    stamps = [path.stat().st_mtime_ns for path in paths]
    seen = []
    scene.frame_current, kept = 7, scene.render.filepath
    output.render_frames(scene, tmp_path, range(1, 4), resume=True, on_progress=lambda *step: seen.append(step[:2]))
    changed = [path.stat().st_mtime_ns != stamp for path, stamp in zip(paths, stamps, strict=False)]
    assert changed == [False, True, False]
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert scene.frame_current == 7
    assert scene.render.filepath == kept
    assert sorted(item.name for item in tmp_path.iterdir()) == [path.name for path in paths]


def test_stop_ends_between_frames(show, scene, tmp_path: Path) -> None:
    done: list[int] = []
    paths = output.render_frames(
        scene, tmp_path, range(1, 9), on_progress=lambda n, *_: done.append(n), should_stop=lambda: len(done) >= 2
    )
    assert len(paths) == 2 == len(list(tmp_path.iterdir()))


def test_unwritable_places_and_no_camera_are_one_sentence(show, scene, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(SceneError, match="cannot be written"):
        output.render_frames(scene, tmp_path / "file" / "frames", [1])
    with pytest.raises(SceneError, match="no frames"):
        output.render_frames(scene, tmp_path, [])
    with pytest.raises(SceneError, match="missing"):
        encode.encode_film(tmp_path, 1, 2, 30.0, None, 0.0, tmp_path / "film.mp4")
    scene.camera = None
    with pytest.raises(SceneError, match="camera"):
        output.render_still(scene, 1, tmp_path / "x.png")


@pytest.mark.parametrize("bad", [{"engine": "povray"}, {"quality": "best"}, {"resolution": (1, 1)}, {"fps": 0.0}])
def test_configure_refuses(scene, bad: dict) -> None:
    with pytest.raises(SceneError):
        output.configure(scene, **bad)


def test_configure_leaves_a_users_compositor_alone(scene) -> None:
    tree, _ = compat.compositor(scene)
    for _ in range(3):
        tree.nodes.new("CompositorNodeBlur")
    if hasattr(scene, "compositing_node_group"):
        tree.name = "Mine"
    before = len(tree.nodes)
    output.configure(scene)
    assert len(tree.nodes) == before


def click_track(path: Path, clicks_s: list[float], length_s: float) -> None:
    """A 48 kHz WAV with a 5 ms burst at each time."""
    rate = 48000
    signal = np.zeros(int(rate * length_s))
    for click_s in clicks_s:
        at = round(click_s * rate)
        signal[at : at + 240] = 0.9 * np.sin(2 * np.pi * 2000 * np.arange(240) / rate)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((signal * 32767).astype("<i2").tobytes())


def white_frames(folder: Path, count: int, first: int, white: set[int]) -> None:
    """Black 64x36 pictures, some of them white."""
    folder.mkdir()
    for frame in range(first, first + count):
        image = bpy.data.images.new("x", 64, 36)
        image.generated_color = (1, 1, 1, 1) if frame in white else (0, 0, 0, 1)
        image.filepath_raw, image.file_format = str(output.frame_path(folder, frame)), "PNG"
        image.save()
        bpy.data.images.remove(image)


@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="needs ffmpeg to look into the film")
@pytest.mark.parametrize("way", ["ffmpeg", "sequencer"])
@pytest.mark.parametrize("fps", [30.0, 23.976])
def test_film_has_picture_and_sound_in_step(tmp_path: Path, monkeypatch, way: str, fps: float) -> None:
    if way == "sequencer" and not (compat.has_audio() and compat.has_ffmpeg()):
        pytest.skip("this Blender has no sound")
    count, first, flashes = 72, 301, (24, 60)
    rate = float(encode.exact_rate(fps))
    offset_s = (first - 1) / rate
    click_track(tmp_path / "clicks.wav", [offset_s + index / rate for index in flashes], offset_s + 4.0)
    white_frames(tmp_path / "frames", count, first, {first + index for index in flashes})
    with monkeypatch.context() as patch:
        if way == "sequencer":
            patch.setattr(encode.shutil, "which", lambda name: None)
        made = encode.encode_film(
            tmp_path / "frames", first, count, fps, tmp_path / "clicks.wav", offset_s, tmp_path / "film.mp4"
        )
    assert sorted(item.name for item in tmp_path.iterdir()) == ["clicks.wav", "film.mp4", "frames"]
    run = subprocess.run(
        ["ffprobe", "-v", "error", "-show_streams", "-show_format", "-of", "json", str(made)],
        capture_output=True,
        check=True,
    )
    info = json.loads(run.stdout)
    codecs = {stream["codec_name"]: stream for stream in info["streams"]}
    assert set(codecs) == {"h264", "aac"}
    assert int(codecs["h264"]["nb_frames"]) == count
    assert float(info["format"]["duration"]) == pytest.approx(count / rate, abs=1.5 / rate)
    raw = subprocess.run(
        ["ffmpeg", "-v", "error", "-i", str(made), "-ac", "1", "-ar", "48000", "-f", "f32le", "-"],
        capture_output=True,
        check=True,
    ).stdout
    heard = np.abs(np.frombuffer(raw, np.float32))
    video = subprocess.run(
        ["ffmpeg", "-v", "error", "-i", str(made), "-f", "rawvideo", "-pix_fmt", "gray", "-"],
        capture_output=True,
        check=True,
    ).stdout
    light = np.frombuffer(video, np.uint8).reshape(-1, 36 * 64).mean(axis=1)
    assert tuple(np.flatnonzero(light > 200)) == flashes
    assert light[light < 200].max() < 20
    for index in flashes:
        around = round(index / rate * 48000)
        window = heard[around - 4800 : around + 4800]
        click_s = (np.flatnonzero(window > 0.3)[0] - 4800) / 48000
        assert abs(click_s) < 0.5 / rate


@pytest.mark.skipif(not shutil.which("ffprobe"), reason="needs ffmpeg to look into the film")
@pytest.mark.parametrize("way", ["ffmpeg", "sequencer"])
@pytest.mark.parametrize(("name", "container"), [("film.mov", "mov"), ("film.mkv", "matroska")])
def test_other_endings_are_films_too(tmp_path: Path, monkeypatch, way: str, name: str, container: str) -> None:
    if way == "sequencer" and not compat.has_ffmpeg():
        pytest.skip("this Blender writes no films")
    white_frames(tmp_path / "frames", 5, 1, {2})
    with monkeypatch.context() as patch:
        if way == "sequencer":
            patch.setattr(encode.shutil, "which", lambda name: None)
        encode.encode_film(tmp_path / "frames", 1, 5, 24.0, None, 0.0, tmp_path / name)
    assert sorted(item.name for item in tmp_path.iterdir()) == [name, "frames"]
    run = subprocess.run(
        ["ffprobe", "-v", "error", "-show_streams", "-show_format", "-of", "json", tmp_path / name],
        capture_output=True,
        check=True,
    )
    info = json.loads(run.stdout)
    assert [stream["codec_name"] for stream in info["streams"]] == ["h264"]
    # Blender itself writes an MP4 whatever its name
    assert container in info["format"]["format_name"] or way == "sequencer"


def test_every_quality_and_engine_can_be_configured(scene) -> None:
    for quality in output.QUALITIES:
        settings = output.configure(scene, quality=quality, fps=25.0, first_frame=3, last_frame=9)
        assert (settings.first_frame, settings.last_frame, settings.fps) == (3, 9, 25.0)
    if compat.has_gpu_context():
        assert output.configure(scene, engine="eevee").engine == "eevee"
        assert output.configure(scene, engine="workbench").engine == "workbench"
