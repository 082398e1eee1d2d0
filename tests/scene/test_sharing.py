"""Shapes, transparency, titles, loops, sheets, estimates and the self-test on a small scene of one's own."""

from __future__ import annotations

import shutil
import subprocess
import wave
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from mathutils import Vector  # noqa: E402

from housex_blender.core.errors import SceneError  # noqa: E402
from housex_blender.core.film_moments import Moment  # noqa: E402
from housex_blender.core.looks import Look, srgb_to_linear  # noqa: E402
from housex_blender.core.scene_kinds import SCENES  # noqa: E402
from housex_blender.core.shots import shot_list  # noqa: E402
from housex_blender.core.titles import TitleCard, title_cards, title_strength  # noqa: E402
from housex_blender.scene import compat, estimate, film, framing, output, rig, selftest, sheet, titles  # noqa: E402
from housex_blender.scene.film_frames import fingerprint  # noqa: E402
from housex_blender.scene.pictures import picture_values  # noqa: E402

from ..conftest import make_timeline  # noqa: E402

SMALL = (96, 54)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A .blend with a camera above a small lamp-like sheet that glows with the key light's strength."""
    scene = bpy.context.scene
    show = rig.ensure_show(scene)
    show["light_a"] = 0.0
    mesh = bpy.data.meshes.new("Glow")
    mesh.from_pydata([(-0.6, -0.6, 0), (0.6, -0.6, 0), (0.6, 0.6, 0), (-0.6, 0.6, 0)], [], [(0, 1, 2, 3)])
    material = bpy.data.materials.new("Glow")
    material.use_nodes = True
    nodes = material.node_tree.nodes
    nodes.clear()
    glow, out = nodes.new("ShaderNodeEmission"), nodes.new("ShaderNodeOutputMaterial")
    material.node_tree.links.new(glow.outputs[0], out.inputs[0])
    driver = glow.inputs["Strength"].driver_add("default_value").driver
    driver.type, driver.expression = "SCRIPTED", "light * 0.5"
    light = driver.variables.new()
    light.name, light.targets[0].id, light.targets[0].data_path = "light", show, '["light_a"]'
    mesh.materials.append(material)
    scene.collection.objects.link(bpy.data.objects.new("Glow", mesh))
    camera = bpy.data.objects.new("Eye", bpy.data.cameras.new("Eye"))
    camera.location = (0.0, 0.0, 4.0)
    scene.collection.objects.link(camera)
    scene.camera = camera
    path = tmp_path / "own.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    with wave.open(str(tmp_path / "mix.wav"), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(2 * 8000 * 20))
    return path


def show_of(own: Path, **changes: object) -> film.Show:
    timeline = make_timeline()
    plan = film.FilmPlan(scene=str(own), resolution=SMALL, end_s=timeline.mix.duration_s)
    return film.make_show(timeline, Look(), own.with_name("mix.wav"), replace(plan, **changes))  # type: ignore[arg-type]


def rendered(show: film.Show, frame: int, folder: Path) -> np.ndarray:
    return picture_values(output.render_still(show.scene, frame, folder / f"{frame}.png"))


# -- shapes ----------------------------------------------------------------------------------------------------


def seen(camera: object, resolution: tuple[int, int], point: tuple[float, float, float]) -> tuple[float, float]:
    """Where a point lies in a camera's picture: 0..1 from left to right and from bottom to top."""
    from bpy_extras.object_utils import world_to_camera_view

    scene = bpy.context.scene
    scene.render.resolution_x, scene.render.resolution_y = resolution
    bpy.context.view_layer.update()
    place = world_to_camera_view(scene, camera, Vector(point))
    return place[0], place[1]


@pytest.fixture
def camera(scene):
    """A camera that looks along -Z from the origin."""
    eye = bpy.data.objects.new("Eye", bpy.data.cameras.new("Eye"))
    scene.collection.objects.link(eye)
    return eye


def test_other_shapes_keep_what_a_wide_picture_shows(camera) -> None:
    camera.data.lens = 20.0
    # at 10 m a wide picture is 18 m wide and 10.1 m high
    framing.reframe([camera], (1920, 1080))
    assert seen(camera, (1920, 1080), (9.0, 0.0, -10.0))[0] == pytest.approx(1.0, abs=1e-3)
    framing.reframe([camera], (1080, 1080))
    assert seen(camera, (1080, 1080), (9.0, 9.0, -10.0)) == pytest.approx((1.0, 1.0), abs=1e-3)
    framing.reframe([camera], (1080, 1920))
    right = seen(camera, (1080, 1920), (6.0, 0.0, -10.0))[0]
    assert right < 1.0, "two thirds of the width stay"
    assert seen(camera, (1080, 1920), (9.0, 0.0, -10.0))[0] > 1.0
    assert camera.data.lens == 20.0
    framing.reframe([camera], (1920, 1080))
    assert seen(camera, (1920, 1080), (9.0, 0.0, -10.0))[0] == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("resolution", [(160, 90), (90, 90), (90, 160)])
@pytest.mark.parametrize("fit", ["AUTO", "HORIZONTAL", "VERTICAL"])
def test_the_frame_is_where_blender_says_it_is(camera, resolution: tuple[int, int], fit: str) -> None:
    data = camera.data
    data.sensor_fit, data.lens, data.shift_x, data.shift_y = fit, 30.0, 0.1, -0.05
    half_width, half_height, right, up = (part / 30.0 for part in framing.half_frame(camera, resolution))
    corner = seen(camera, resolution, (right + half_width, up + half_height, -1.0))
    assert corner == pytest.approx((1.0, 1.0), abs=1e-3)
    assert seen(camera, resolution, (right - half_width, up - half_height, -1.0)) == pytest.approx((0, 0), abs=1e-3)


# -- transparency ----------------------------------------------------------------------------------------------


def test_alpha_leaves_the_background_out_and_keeps_the_glow(own: Path, tmp_path: Path) -> None:
    show = show_of(own, alpha=True)
    bright = int(np.argmax([show.timeline.energy]))
    frame = int(float(show.timeline.grid.starts_s[bright]) * 24) + 1
    picture = rendered(show, frame, tmp_path)
    assert picture[27, 48, 3] == 1.0
    assert picture[27, 48, :3].max() > 0.2
    assert picture[2, 2, 3] < 0.05
    # beside the sheet there is nothing but its glow
    assert 0.02 < picture[27, 48 - 22, 3] < 0.95
    opaque = show_of(own)
    assert rendered(opaque, frame, tmp_path)[..., 3].min() == 1.0


def test_backdrops_are_left_out_with_alpha_alone(scene) -> None:
    sky, stone = (bpy.data.objects.new(name, None) for name in ("Sky", "Stone"))
    for thing in (sky, stone):
        scene.collection.objects.link(thing)
    sky[framing.BACKDROP] = True
    assert framing.hide_backdrops(scene) == 1
    assert sky.hide_render
    assert not stone.hide_render


@pytest.mark.skipif(not shutil.which("ffprobe"), reason="needs ffmpeg")
def test_a_film_with_transparency(own: Path, tmp_path: Path) -> None:
    show = show_of(own, alpha=True, start_s=16.25, end_s=16.4)
    film.render_film(show, tmp_path / "film.mov")
    done = subprocess.run(
        ["ffmpeg", "-v", "error", "-i", tmp_path / "film.mov", "-f", "rawvideo", "-pix_fmt", "rgba", "-"],
        capture_output=True,
        check=True,
    )
    pictures = np.frombuffer(done.stdout, np.uint8).reshape(-1, SMALL[1], SMALL[0], 4)
    assert len(pictures) == len(show.plan.frames)
    assert pictures[0, 27, 48, 3] > 250
    assert pictures[0, 2, 2, 3] < 10


def test_without_ffmpeg_a_film_with_transparency_is_refused(own: Path, tmp_path: Path, monkeypatch) -> None:
    show = show_of(own, alpha=True, start_s=16.25, end_s=16.3)
    monkeypatch.setattr("housex_blender.scene.encode.shutil.which", lambda name: None)
    with pytest.raises(SceneError, match="needs the program ffmpeg"):
        film.render_film(show, tmp_path / "film.mov")


# -- titles ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("resolution", [(160, 90), (96, 96), (90, 160)])
def test_a_title_stands_in_the_lower_third_within_the_margins(
    own: Path, tmp_path: Path, resolution: tuple[int, int]
) -> None:
    cards = (TitleCard(10, 106, "A rather long name of a track", "Somebody"), TitleCard(200, 296, "Two"))
    show = show_of(own, resolution=resolution, titles=cards)
    plain = show_of(own, resolution=resolution)
    before = rendered(plain, 60, tmp_path)
    show = show_of(own, resolution=resolution, titles=cards)
    with_title = rendered(show, 60, tmp_path)
    brighter = np.argwhere((with_title - before)[..., :3].max(axis=2) > 0.25) / [resolution[1], resolution[0]]
    assert len(brighter) > 40
    low, high = brighter.min(axis=0), brighter.max(axis=0)
    assert 0.5 < low[0] < high[0] < 0.93, "from the top: in the lower half, above the edge"
    assert 0.03 < low[1] < high[1] < 0.97, "from the left"
    # nothing before, between and after
    rows = slice(int(low[0] * resolution[1]), int(high[0] * resolution[1]) + 1)
    hidden = [rendered(show, frame, tmp_path)[rows, :, :3] for frame in (9, 150, 300)]
    plain = show_of(own, resolution=resolution)
    for frame, picture in zip((9, 150, 300), hidden, strict=True):
        assert np.abs(picture - rendered(plain, frame, tmp_path)[rows, :, :3]).max() < 0.1


def test_titles_follow_the_cuts_and_the_lens(own: Path, tmp_path: Path) -> None:
    show = show_of(own)
    scene = show.scene
    first = scene.camera
    second = bpy.data.objects.new("Other", bpy.data.cameras.new("Other"))
    second.location, second.rotation_euler, second.data.lens = (9.0, 2.0, 5.0), (0.4, 0.2, 1.0), 35.0
    scene.collection.objects.link(second)
    for frame, camera in ((1, first), (50, second)):
        scene.timeline_markers.new(camera.name, frame=frame).camera = camera
    holder = titles.add_titles(scene, (TitleCard(10, 106, "One"),), SMALL)
    text = bpy.data.objects["HX Title 1"]
    places = []
    for frame, camera, lens in ((40, first, 50.0), (60, second, 35.0), (60, second, 70.0)):
        camera.data.lens = lens
        scene.frame_set(frame)
        bpy.context.view_layer.update()
        places.append(seen(camera, SMALL, tuple(text.matrix_world.translation)))
    assert places[0] == pytest.approx(places[1], abs=2e-3)
    assert places[1] == pytest.approx(places[2], abs=2e-3)
    assert 0.0 < places[0][0] < 0.2
    assert 0.0 < places[0][1] < 0.3
    assert holder["hx_owned"] == "titles"


def corners(text: object, camera: object) -> np.ndarray:
    """(8, 2) where the corners of an object lie in a camera's picture."""
    return np.array([seen(camera, SMALL, tuple(text.matrix_world @ Vector(corner))) for corner in text.bound_box])


def test_one_title_at_a_time_stands_in_the_frame_at_no_cost_for_another(own: Path) -> None:
    """However many there are: one curve pulls them all, and the last is as sharp as the first."""
    counts = []
    for count in (2, 60):
        show = show_of(own)
        cards = [TitleCard(10 + 20 * number, 20 + 20 * number, f"Title {number}") for number in range(count)]
        titles.add_titles(show.scene, cards, SMALL)
        counts.append(sum(len(compat.fcurves_of(thing, create=False) or ()) for thing in show.scene.objects))
    assert counts[0] == counts[1]
    texts = [bpy.data.objects[f"HX Title {number + 1}"] for number in range(count)]
    for frame, shown in ((9, -1), (10, 0), (19, 0), (20, -1), (30, 1), (1195, 59), (1250, -1)):
        show.scene.frame_set(frame)
        for number, text in enumerate(texts):
            x = corners(text, show.scene.camera)[:, 0]
            assert (x.min() > 0.0 and x.max() < 1.0) if number == shown else (x.min() > 1.0 or x.max() < 0.0)
    left = []
    for frame in (10, 1195):
        show.scene.frame_set(frame)
        left.append(seen(show.scene.camera, SMALL, tuple(texts[frame // 20].matrix_world.translation)))
    assert left[0] == pytest.approx(left[1], abs=1e-4)


def pieces(text: object) -> int:
    """How many separate shapes a text is drawn as: an i has two, an Ö three, a box for a missing letter one."""
    drawn = text.evaluated_get(bpy.context.evaluated_depsgraph_get())
    mesh = drawn.to_mesh()
    whole = list(range(len(mesh.vertices)))
    for face in mesh.polygons:
        joined = {whole[vertex] for vertex in face.vertices}
        whole = [min(joined) if one in joined else one for one in whole]
    drawn.to_mesh_clear()
    return len(set(whole))


@pytest.mark.parametrize(("name", "shapes"), [("Joga", 4), ("Jöga", 6), ("Süd", 5)])
def test_letters_beyond_ascii_are_no_boxes(own: Path, name: str, shapes: int) -> None:
    show_of(own, titles=(TitleCard(10, 106, name),))
    assert pieces(bpy.data.objects["HX Title 1"]) == shapes


def test_titles_want_a_camera_and_one_cut_a_frame(own: Path) -> None:
    scene = show_of(own).scene
    other = bpy.data.objects.new("Other", bpy.data.cameras.new("Other"))
    scene.collection.objects.link(other)
    for camera in (scene.camera, other):
        scene.timeline_markers.new(camera.name, frame=5).camera = camera
    hidden = bpy.data.objects.new("Hidden", bpy.data.cameras.new("Hidden"))
    hidden.hide_render = True
    scene.collection.objects.link(hidden)
    scene.timeline_markers.new("Hidden", frame=7).camera = hidden
    scene.frame_set(8)
    assert titles.camera_cuts(scene) == [(5, scene.camera)], "the one that Blender shows"
    box = bpy.data.objects.new("Box", bpy.data.meshes.new("Box"))
    scene.timeline_markers.new("Box", frame=9).camera = box
    with pytest.raises(SceneError, match="Box is no camera"):
        titles.camera_cuts(scene)


def test_a_long_title_takes_two_lines_where_the_picture_is_narrow(own: Path) -> None:
    cards = (TitleCard(10, 106, "Black White and Purple (Extended Club Mix)", "Somebody"),)
    for resolution, lines in (((160, 90), 2), ((90, 160), 3)):
        show_of(own, resolution=resolution, titles=cards)
        assert bpy.data.objects["HX Title 1"].data.body.count("\n") == lines - 1


def test_titles_are_built_once(own: Path, tmp_path: Path) -> None:
    """A scene that was saved with titles and is shown again has the new ones alone."""
    show_of(own, titles=(TitleCard(10, 106, "Old"), TitleCard(200, 296, "Older")))
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "again.blend"))
    show_of(tmp_path / "again.blend", titles=(TitleCard(10, 106, "New"),))
    texts = [thing for thing in bpy.context.scene.objects if thing.type == "FONT"]
    assert [text.data.body for text in texts] == ["New"]


# -- loops -----------------------------------------------------------------------------------------------------


def test_a_loop_begins_again_without_a_seam(own: Path, tmp_path: Path) -> None:
    timeline = make_timeline()
    starts_s = timeline.grid.starts_s
    show = show_of(own, loop=True, start_s=float(starts_s[8]), end_s=float(starts_s[16]))
    frames = show.plan.frames
    assert (show.scene.frame_start, show.scene.frame_end) == (frames.start, frames.stop - 1)
    first, again = (rendered(show, frame, tmp_path) for frame in (frames.start, frames.stop))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, rendered(show, frames.start + 6, tmp_path))


@pytest.mark.parametrize(("kind", "first_bar"), [*((kind, 9) for kind in SCENES), ("tunnel", 12)])
def test_every_scene_comes_back_to_where_it_began(own: Path, tmp_path: Path, kind: str, first_bar: int) -> None:
    """The frame after the last shows what the first does, through one camera.

    In the tunnel it shows another of eight equal modules, where rounding moves the edges of a few pixels.
    """
    timeline = make_timeline()
    starts_s = timeline.grid.starts_s
    span = {"start_s": float(starts_s[first_bar]), "end_s": float(starts_s[first_bar + 8])}
    show = show_of(own, scene=kind, loop=True, **span)
    frames = show.plan.frames
    first, later, again = (rendered(show, frames.start + step, tmp_path) for step in (0, 1, len(frames)))
    assert np.abs(first - again).mean() <= 0.4 / 255
    assert kind == "tunnel" or np.abs(first - again).max() <= 2 / 255
    assert np.abs(first - later).mean() > 2 / 255, "it moves"
    (cut,) = (marker for marker in show.scene.timeline_markers if marker.camera)
    assert cut.frame == frames.start
    cuts = shot_list(timeline, show.look, show.plan.fps)
    seen_for = Counter(next(shot for at, shot in reversed(cuts) if at <= frame) for frame in frames)
    assert cut.name == seen_for.most_common(1)[0][0].title()


# -- what frames are made from ---------------------------------------------------------------------------------


def test_the_fingerprint_knows_what_changes_pictures(own: Path) -> None:
    show = show_of(own)
    plan = show.plan
    changed = [
        replace(plan, alpha=True),
        replace(plan, allow_flashes=True),
        replace(plan, resolution=(54, 96)),
        replace(plan, titles=(TitleCard(1, 90, "One"),)),
        replace(plan, titles=(TitleCard(1, 90, "Two"),)),
        replace(plan, loop=True),
        replace(plan, loop=True, end_s=plan.end_s - 8.0),
    ]
    prints = [fingerprint(replace(show, plan=one), "CYCLES")["made_from"] for one in [plan, *changed]]
    assert len(set(prints)) == len(prints)
    looks = [replace(show.look, intensity=0.5), replace(show.look, seed=3)]
    assert fingerprint(replace(show, look=looks[0]), "CYCLES")["made_from"] not in prints
    # where a film ends changes none of its frames
    assert fingerprint(replace(show, plan=replace(plan, end_s=3.0)), "CYCLES")["made_from"] == prints[0]


# -- estimate, sheet, self-test --------------------------------------------------------------------------------


def test_an_estimate_adds_up() -> None:
    kinds = (("break", 1.0, 0.5), ("build", 2.0, 0.25), ("drop", 4.0, 0.25))
    told = estimate.summed(kinds, 10.0, 0.5, 100, 50_000.0, 2.0)
    assert told.seconds == pytest.approx(10.0 + 100 * (2.0 + 0.5))
    assert told.size_mb == pytest.approx(5.0)
    assert 0.15 < told.seconds_off / told.seconds <= 0.9
    text = " ".join(told.sentences)
    for part in ("break 1.00 s (50%)", "100 frames", "4 min 20 s", "5.0 MB: 2.5 MB to 10 MB"):
        assert part in text


@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="needs ffmpeg")
@pytest.mark.parametrize("name", ["film.mp4", "frames"])
def test_an_estimate_is_near_and_leaves_nothing(own: Path, tmp_path: Path, name: str) -> None:
    show = show_of(own, start_s=14.25, end_s=16.25)
    there = set(tmp_path.iterdir())
    told = estimate.estimate_film(show, tmp_path / name)
    assert set(tmp_path.iterdir()) == there
    assert told.n_frames == 48
    if name == "film.mp4":
        # the sound alone is 256 kbit/s for two seconds
        assert 0.064 < told.size_mb < 0.2
        return
    film.render_film(show, tmp_path / name)
    size_mb = sum(path.stat().st_size for path in (tmp_path / name).glob("*.png")) / 1e6
    assert told.size_mb / 2 < size_mb < told.size_mb * 2


def test_a_self_test_passes_and_notices(own: Path, monkeypatch) -> None:
    show = show_of(own)
    checks = selftest.self_test(show, 1, frames=[110])
    assert [(check.frame, check.worst) for check in checks] == [(110, 0)]
    # a frame that depends on what was rendered before it
    real = output.render_still
    monkeypatch.setattr(selftest.output, "render_still", lambda scene, frame, path: real(scene, frame + 5, path))
    with pytest.raises(SceneError, match="Frame 110 rendered alone differs"):
        selftest.self_test(show, 1, frames=[110])


def test_the_second_blender_says_what_is_wrong(own: Path, tmp_path: Path) -> None:
    with pytest.raises(SceneError, match="cannot be rendered alone"):
        selftest.render_alone(tmp_path / "gone.blend", "Scene", 1, tmp_path / "a.png", lambda: False)


def test_a_thumbnail_and_a_sheet(own: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(film, "STILL_SIZE", (128, 72))
    monkeypatch.setattr(sheet, "CELL_PX", 64)
    show = show_of(own)

    def counted() -> tuple[int, ...]:
        images = [image for image in bpy.data.images if image.type != "RENDER_RESULT"]
        return tuple(len(blocks) for blocks in (bpy.data.scenes, images, bpy.data.materials, bpy.data.worlds))

    kept = counted()
    sheet.write_sheet(show, tmp_path / "a.jpg", tmp_path / "a.sheet.png", "My mix")
    assert counted() == kept
    assert picture_values(tmp_path / "a.jpg").shape[:2] == (72, 128)
    picture = picture_values(tmp_path / "a.sheet.png")[..., :3]
    assert picture.shape[1] > 2 * sheet.CELL_PX, "four sections stand in rows"
    # the glow of the drop is in its cell, as bright as it was rendered
    assert picture.max() > 0.8
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jpg", "a.sheet.png", "mix.wav", "own.blend"]
    assert show.scene.render.resolution_x == SMALL[0]


def test_no_title_fades_on_a_sheet(own: Path, tmp_path: Path, monkeypatch) -> None:
    """All pictures of a section that begins with a title lie where it is wholly there."""
    frames: list[int] = []

    def kept(scene: object, frame: int, path: Path) -> Path:
        frames.append(frame)
        return path

    show = show_of(own)
    monkeypatch.setattr(output, "render_still", kept)
    monkeypatch.setattr(sheet, "save_jpeg", lambda *_: None)
    monkeypatch.setattr(sheet, "draw_sheet", lambda *_: None)
    sheet.write_sheet(show, tmp_path / "a.jpg", tmp_path / "a.png", "Mix")
    plain, cards = frames[:], tuple(TitleCard(frame - 3, frame + 93, "One") for frame in frames[1:3])
    frames.clear()
    show.plan = replace(show.plan, titles=cards)
    sheet.write_sheet(show, tmp_path / "a.jpg", tmp_path / "a.png", "Mix")
    strength = title_strength(cards)
    assert {float(strength.at(float(frame))[0]) for frame in plain} - {0.0, 1.0}, "else this proves nothing"
    assert {float(strength.at(float(frame))[0]) for frame in frames} == {0.0, 1.0}


def test_letters_of_three_lines_are_read_on_white(own: Path, tmp_path: Path) -> None:
    """White letters in a tall picture on a wall that is as white as can be: 4.5 to 1, wherever the letters are."""
    scene = show_of(own).scene
    wall = scene.objects["Glow"]
    wall.scale = (9.0,) * 3
    for node in wall.data.materials[0].node_tree.nodes:
        if node.type == "EMISSION":
            node.inputs["Strength"].driver_remove("default_value")
            node.inputs["Strength"].default_value = 1.0
    size = (180, 320)
    titles.add_titles(scene, (TitleCard(1, 97, "Black White and Purple (Extended Club Mix)", "Somebody"),), size)
    output.configure(scene, engine="cycles", quality="draft", resolution=size, fps=24.0, alpha=False)
    text = scene.objects["HX Title 1"]
    levels = []
    for hidden in (False, True):
        text.hide_render = hidden
        levels.append(srgb_to_linear(picture_values(output.render_still(scene, 49, tmp_path / "a.png"))[..., 1]))
    letters = levels[0] - levels[1] > 0.2
    assert letters.sum() > 100
    rows, columns = np.nonzero(letters)
    behind = levels[1][rows.min() : rows.max() + 1, columns.min() : columns.max() + 1].max()
    assert (levels[0][letters].max() + 0.05) / (behind + 0.05) > 4.5


def test_pictures_on_a_sheet_are_what_they_were(tmp_path: Path) -> None:
    colours = {"red": (0.8, 0.1, 0.1, 1.0), "blue": (0.1, 0.2, 0.9, 1.0)}
    cells = []
    for name, colour in colours.items():
        image = bpy.data.images.new(name, 64, 36)
        image.pixels.foreach_set(np.tile(np.array(colour, np.float32), 64 * 36))
        image.filepath_raw, image.file_format = str(tmp_path / f"{name}.png"), "PNG"
        image.save()
        cells.append(sheet.Cell(tmp_path / f"{name}.png", "0:01   drop", "Bass House"))
    sheet.draw_sheet(cells, (64, 36), "Two", tmp_path / "sheet.png")
    picture = picture_values(tmp_path / "sheet.png")[..., :3]
    for colour in colours.values():
        near = np.abs(picture - np.array(colour[:3], np.float32)).max(axis=2) < 0.02
        assert near.sum() == pytest.approx(64 * 36, rel=0.02)
    assert (picture.min(axis=2) > 0.5).sum() > 60, "captions are there"


def test_more_sections_than_a_sheet_holds_are_thinned_evenly() -> None:
    moments = [Moment(float(second), "drop", "Bigroom") for second in range(300)]
    kept = sheet._thinned(moments)
    assert len(kept) <= sheet.MOST_CELLS
    assert np.ptp(np.diff([moment.time_s for moment in kept])) == 0.0


def test_titles_of_a_timeline_reach_the_scene(own: Path) -> None:
    timeline = make_timeline()
    named = replace(timeline, tracks=tuple(replace(track, title="A – B") for track in timeline.tracks))
    show_of(own, titles=title_cards(named, 24.0))
    assert bpy.data.objects["HX Title 2"].data.body == "a\nB"
