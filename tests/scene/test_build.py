"""Building twice, the user's own things, saving, and the size of a one-hour show."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from housex_blender.core.errors import SceneError  # noqa: E402
from housex_blender.core.keys import KeyTrack  # noqa: E402
from housex_blender.scene import build, compat, hull, module, path  # noqa: E402

from .conftest import FPS, N_FRAMES, make_channels  # noqa: E402


def census() -> dict[str, list[str]]:
    """Names of every datablock that the build makes."""
    kinds = (
        "objects",
        "meshes",
        "materials",
        "node_groups",
        "actions",
        "collections",
        "curves",
        "cameras",
        "lights",
        "shape_keys",
    )
    return {kind: sorted(block.name for block in getattr(bpy.data, kind)) for kind in kinds}


def test_building_again_leaves_the_same_datablocks(scene) -> None:
    build.build_show(scene, make_channels())
    before = census()
    build.build_show(scene, make_channels(), seed=5)
    assert census() == before


def test_the_users_things_survive(scene) -> None:
    mesh = bpy.data.meshes.new("Mine")
    mine, inside = bpy.data.objects.new("Mine", mesh), bpy.data.objects.new("Inside", None)
    scene.collection.objects.link(mine)
    mine.location[0] = 4.0
    mine.keyframe_insert("location", frame=3)
    handles = build.build_show(scene, make_channels())
    bpy.data.collections["HX Tunnel"].objects.link(inside)
    driver = mine.driver_add("scale", 0).driver
    variable = driver.variables.new()
    variable.targets[0].id, variable.targets[0].data_path = handles.objects["show"], '["kick"]'
    handles.objects["show"]["my_note"] = 7
    again = build.build_show(scene, make_channels())
    assert again.objects["show"] == variable.targets[0].id
    assert again.objects["show"]["my_note"] == 7
    assert scene.objects["Mine"].location[0] == 4.0
    assert "Inside" in scene.objects
    assert len(compat.fcurves_of(mine)) == 3


def test_rig_alone_adds_one_object(scene) -> None:
    handles = build.build_show(scene, {"kick": KeyTrack([1.0, 9.0], [1.0, 0.0])}, scene_kind="rig")
    assert [thing.name for thing in bpy.data.objects] == ["HX Show"]
    assert list(handles.bindings) == ["kick"]


def test_fractional_rate(scene) -> None:
    build.build_show(scene, make_channels(), fps=23.976)
    assert scene.render.fps / scene.render.fps_base == pytest.approx(24000 / 1001, rel=1e-6)


def test_camera_rides_steadily_and_stays_inside_for_an_hour(show, scene) -> None:
    loop = path.LoopPath()
    camera = show.objects["camera"]
    channel = make_channels()
    metres = 54_000.0
    channel["travel"] = KeyTrack([1.0, 108_001.0], [0.0, metres], "LINEAR")
    build.build_show(scene, channel, fps=FPS, n_frames=108_000)
    camera = scene.camera
    centre = loop.frames(np.arange(0, loop.length_m, 0.5))[0]
    for first in (1, 1900, 107_900):
        places = []
        for frame in range(first, first + 6):
            scene.frame_set(frame)
            places.append(np.array(camera.matrix_world.translation))
        steps = np.linalg.norm(np.diff(places, axis=0), axis=1)
        np.testing.assert_allclose(steps, 0.5, atol=0.03)
        assert np.linalg.norm(centre - places[0], axis=1).min() < 1.0
        ahead = -np.array(camera.matrix_world.col[2][:3])
        assert ahead @ (places[-1] - places[0]) / np.linalg.norm(places[-1] - places[0]) > 0.95


def test_loop_closes_and_module_faces_inwards() -> None:
    loop = path.LoopPath()
    position, forward, right, up = loop.frames(np.array([0.0, loop.length_m, loop.module_m]))
    np.testing.assert_allclose(position[0], position[1], atol=1e-2)
    np.testing.assert_allclose(forward[0], forward[1], atol=1e-6)
    turn = 2 * np.pi / loop.n_modules
    rotation = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    np.testing.assert_allclose(rotation @ position[0], position[2], atol=1e-2)
    np.testing.assert_allclose(np.cross(right, forward), up, atol=1e-9)
    points, quads, _ = module.build_module(0, "draft", 5)["hull"].arrays()
    normal, middle = hull.face_normals(points, quads), points[quads].mean(axis=1)
    inward = -(normal[:, 1:] * middle[:, 1:]).sum(axis=1) / np.linalg.norm(middle[:, 1:], axis=1)
    assert np.mean(inward > -0.3) > 0.9  # all but the backs of pipes and cables


def hour_channels() -> dict[str, KeyTrack]:
    """A one-hour show with about 400 000 keys."""
    rng = np.random.default_rng(0)
    channels = make_channels()
    dense = np.arange(60_000) * 1.8 + 1
    for name in ("kick", "light_a", "displacement", "ripple"):
        channels[name] = KeyTrack(dense, np.round(rng.random(60_000), 4))
    for name in ("light_b", "light_c", "sub", "bass", "mid", "high", "loudness"):
        channels[name] = KeyTrack(dense[::3], rng.random(20_000))
    bars = np.arange(1890) * 57.0 + 1
    for letter in "abc":
        channels[f"colour_{letter}"] = KeyTrack(bars, rng.random((1890, 3)), "CONSTANT")
    for index in range(9):
        channels[f"p_{index}"] = KeyTrack(bars, rng.random(1890))
    channels["travel"] = KeyTrack(bars, np.cumsum(rng.uniform(20, 40, 1890)), "BEZIER", np.full((1890, 1), 0.5))
    return channels


def test_one_hour_show_stays_small(scene, tmp_path: Path) -> None:
    build.build_show(scene, hour_channels(), n_frames=108_000)
    saved = build.save_blend(tmp_path / "hour.blend")
    assert saved.stat().st_size < 30e6
    assert [item.name for item in tmp_path.iterdir()] == ["hour.blend"]


READER = """
import sys, bpy
bpy.ops.wm.open_mainfile(filepath=sys.argv[-1], use_scripts=False)
scene = bpy.context.scene
scene.frame_set(59)
show = scene.objects["HX Show"]
print("READ", round(show["light_a"], 4), scene.camera.name, scene.frame_end, [s.filepath for s in bpy.data.sounds])
"""


def test_saved_file_plays_without_us(scene, tmp_path: Path) -> None:
    from housex_blender.scene import output

    build.build_show(scene, make_channels(), fps=FPS, n_frames=N_FRAMES)
    sound = tmp_path / "mix.wav"
    sound.write_bytes(wav_silence())
    heard = output.add_sound(scene, sound)
    saved = build.save_blend(tmp_path / "sub" / "show.blend")
    reader = tmp_path / "reader.py"
    reader.write_text(READER)
    result = subprocess.run(
        [sys.executable, str(reader), str(saved)], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    line = next(line for line in result.stdout.splitlines() if line.startswith("READ"))
    want = round(float(make_channels()["light_a"].at(59.0)[0]), 4)
    assert line.split()[1] == str(want)
    assert "HX Camera" in line
    assert str(N_FRAMES) in line
    if heard:
        assert "//../mix.wav" in line.replace("\\\\", "/")


def wav_silence() -> bytes:
    """One second of silence, 8 kHz mono 16-bit."""
    import io
    import wave

    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(16000))
    return buffer.getvalue()


def test_saving_into_a_file_is_refused(scene, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(SceneError):
        build.save_blend(tmp_path / "file" / "show.blend")


def test_new_scene_is_empty(scene) -> None:
    fresh = build.new_scene("Party")
    assert fresh.name == "Party"
    assert not list(fresh.objects)
    assert fresh != scene
    build.build_show(fresh, make_channels())
    assert not list(scene.objects)


def test_a_copy_leaves_the_open_file_as_it_is(tmp_path):
    """The render in a second Blender works on a copy: the user's file must not become that copy."""
    mine = build.save_blend(tmp_path / "mine.blend")
    bpy.data.objects.new("Unsaved", None).use_fake_user = True
    copy = build.save_copy(tmp_path / "copy.blend")
    assert bpy.data.filepath == str(mine)
    assert copy.stat().st_size > 1000
    bpy.ops.wm.open_mainfile(filepath=str(mine))
    assert "Unsaved" not in bpy.data.objects
    bpy.ops.wm.open_mainfile(filepath=str(copy))
    assert "Unsaved" in bpy.data.objects
    with pytest.raises(SceneError, match="cannot be saved"):
        build.save_copy(tmp_path / "no" / "copy.blend")
