"""The festival stage: what is built, what moves with which channel, and what its wall shows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from housex_blender.core.keys import KeyTrack  # noqa: E402
from housex_blender.core.shots import SHOTS  # noqa: E402
from housex_blender.scene import build, compat, output, stage, stage_lamps, stage_motion  # noqa: E402

FPS = 30.0
CHARACTERS = ("swell", "shards", "grid", "slabs", "ribs")
REST = {
    **dict.fromkeys(("bass", "mid", "high", "pulse", "pulse_at", "narrow", "open", *CHARACTERS), 0.0),
    **dict.fromkeys(("light_a", "light_b", "light_c"), 1.0),
    "energy": 0.5,
    "shock": 1.0,
    "travel": 0.0,
    "drift": 0.0,
    "roll": 0.0,
    "zoom": 0.3,
    "colour_a": (1.0, 0.0, 0.0),
    "colour_b": (0.0, 1.0, 0.0),
    "colour_c": (0.0, 0.0, 1.0),
}


def tracks(*moments: dict) -> dict[str, KeyTrack]:
    """Channels at rest; frame 1 + n has what the n-th moment says."""
    frames = np.arange(len(moments)) + 1.0
    return {
        name: KeyTrack(frames, np.array([moment.get(name, value) for moment in moments], np.float32))
        for name, value in REST.items()
    }


def show(scene, *moments: dict):
    """A built stage with one frame for each moment, set up for tiny pictures in Cycles."""
    handles = build.build_show(scene, tracks(*(moments or ({},))), scene_kind="stage", fps=FPS)
    output.configure(scene, resolution=(96, 54))
    scene.cycles.use_denoising = False
    scene.cycles.transparent_max_bounces = 32
    return handles


def evaluated(scene, frame: int, name: str):
    """An object of the stage as it is on that frame."""
    scene.frame_set(frame)
    return bpy.data.objects[f"HX Stage {name}"].evaluated_get(bpy.context.evaluated_depsgraph_get())


def axes(scene, frame: int) -> np.ndarray:
    """(heads, 3) directions of the beams."""
    mesh = evaluated(scene, frame, "Beams").data
    rows = np.zeros(3 * len(mesh.vertices), np.float32)
    mesh.attributes["hx_axis"].data.foreach_get("vector", rows)
    return rows.reshape(-1, 2 * stage_lamps.SIDES, 3)[:, 0]


def points(scene, frame: int, name: str) -> np.ndarray:
    """(n, 3) places of a mesh's points."""
    mesh = evaluated(scene, frame, name).data
    rows = np.zeros(3 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", rows)
    return rows.reshape(-1, 3)


def people(scene, frame: int) -> np.ndarray:
    """(n, 3) places of the crowd's people."""
    scene.frame_set(frame)
    graph = bpy.context.evaluated_depsgraph_get()
    crowd = bpy.data.objects["HX Stage Crowd"].evaluated_get(graph)
    found = [tuple(one.matrix_world.translation) for one in graph.object_instances if one.parent == crowd]
    return np.array(found)


def picture(scene, frame: int, path: Path) -> np.ndarray:
    """(54, 96, 3) pixels 0..1, top row first."""
    output.render_still(scene, frame, path)
    image = bpy.data.images.load(str(path))
    pixels = np.array(image.pixels[:]).reshape(54, 96, 4)[::-1, :, :3]
    bpy.data.images.remove(image)
    return pixels


def test_the_stage_stands_with_four_cameras_and_few_curves(scene) -> None:
    handles = show(scene)
    assert tuple(handles.cameras) == SHOTS
    assert scene.camera == handles.cameras["wide"] == handles.objects["camera"]
    own = {
        binding.owner_key
        for bound in handles.bindings.values()
        for binding in bound
        if binding.id != handles.objects["show"]
    }
    assert len(own) < 40
    assert not [thing.name for thing in bpy.data.objects if thing.animation_data and thing.animation_data.drivers]
    assert all(thing.get(compat.OWNED) for thing in scene.objects)
    faces = sum(
        len(one.object.data.polygons)
        for one in bpy.context.evaluated_depsgraph_get().object_instances
        if one.object.type == "MESH"
    )
    assert 50_000 < faces < 300_000


def test_every_channel_that_the_stage_asks_for_moves_something(scene) -> None:
    handles = show(scene)
    scene_object = handles.objects["show"]
    for name in stage.CHANNELS:
        assert [one for one in handles.bindings[name] if one.id != scene_object], name


def test_heads_swing_with_travel_rise_in_breaks_and_meet_in_build_ups(scene) -> None:
    show(scene, {}, {"travel": 20.0}, {"open": 1.0}, {"narrow": 1.0}, {"travel": 20.0})
    rest, later, calm, meet = (axes(scene, frame) for frame in (1, 2, 3, 4))
    turned = np.degrees(np.arccos(np.clip((rest * later).sum(axis=1), -1, 1)))
    assert np.median(turned) > 5
    assert (calm[:, 2] > 0.9).all()
    seats = np.array([head.seat for head in stage_lamps.moving_heads()])
    to_middle = stage_lamps.MEET_M - seats
    passing = np.linalg.norm(np.cross(meet, to_middle), axis=1)
    assert np.median(passing) < 2.0 < np.median(np.linalg.norm(np.cross(rest, to_middle), axis=1))
    np.testing.assert_array_equal(axes(scene, 5), later)


def test_everything_is_back_after_a_loop_of_travel(scene, tmp_path: Path) -> None:
    """Loops tile only if all that follows the travel has whole periods in it."""
    every = dict.fromkeys((*CHARACTERS, "energy"), 0.5)
    there = [{**every, "open": 0.4, "travel": travel} for travel in (37.0, 37.0 + stage_motion.LOOP_M, 70.0)]
    show(scene, *there)
    np.testing.assert_allclose(axes(scene, 2), axes(scene, 1), atol=1e-4)
    np.testing.assert_allclose(people(scene, 2), people(scene, 1), atol=1e-4)
    first, again, other = (picture(scene, frame, tmp_path / f"{frame}.png") for frame in (1, 2, 3))
    assert np.abs(first - again).mean() < 0.002
    assert np.abs(first - other).mean() > 0.01


def test_beams_begin_at_their_heads_whatever_they_do(scene) -> None:
    show(scene, {"travel": 33.0, "energy": 1.0}, {"open": 1.0}, {"narrow": 0.5, "shock": 0.1})
    seats = np.array([head.seat for head in stage_lamps.moving_heads()])
    for frame in (1, 2, 3):
        beams = points(scene, frame, "Beams").reshape(len(seats), -1, 3)
        near = beams[:, : stage_lamps.SIDES].mean(axis=1)
        assert np.linalg.norm(near - seats, axis=1).max() < 0.2
        length_m = np.linalg.norm(beams[:, stage_lamps.SIDES :].mean(axis=1) - seats, axis=1)
        np.testing.assert_allclose(length_m, [head.length_m for head in stage_lamps.moving_heads()], rtol=1e-3)


def test_the_crowd_jumps_between_kicks_and_stands_on_them(scene) -> None:
    show(scene, {}, {"pulse": 1.0, "pulse_at": 0.0}, {"pulse": 0.7, "pulse_at": 0.4}, {"pulse_at": 0.4})
    ground, on_kick, between, silent = (people(scene, frame)[:, 2] for frame in (1, 2, 3, 4))
    assert len(ground) > 500
    np.testing.assert_allclose(on_kick, ground, atol=1e-5)
    np.testing.assert_allclose(silent, ground, atol=1e-5)
    jump = between - ground
    assert jump.min() > 0.05
    assert jump.max() < 0.5


def test_the_wave_of_a_drop_runs_through_the_crowd_once(scene) -> None:
    show(scene, {}, {"shock": 0.15}, {"shock": 0.4}, {"shock": 1.0})
    ground = people(scene, 1)
    away = -ground[:, 1]
    peaks = []
    for frame in (2, 3):
        lift = people(scene, frame)[:, 2] - ground[:, 2]
        assert lift.max() > 0.2
        peaks.append(float(np.average(away, weights=lift)))
    assert peaks[1] > peaks[0] + 8
    np.testing.assert_allclose(people(scene, 4), ground, atol=1e-5)


def test_smoke_lasers_and_stars_are_there_only_when_they_shine(scene) -> None:
    show(scene, {"energy": 0.5}, {"energy": 0.95, "shock": 0.1}, {"open": 1.0})
    counts = [[len(points(scene, frame, name)) for name in ("Jets", "Lasers", "Stars")] for frame in (1, 2, 3)]
    rest, drop, pause = counts
    assert rest == [0, 0, 0]
    assert drop[0]
    assert drop[1]
    assert pause[2]
    assert drop[2] == pause[0] == pause[1] == 0
    assert np.ptp(points(scene, 2, "Jets")[:, 2]) > 6


def test_the_wall_draws_each_character_in_its_own_way(scene, tmp_path: Path) -> None:
    moments = [{"light_b": 0.0, "light_c": 0.0, name: 1.0} for name in CHARACTERS]
    show(scene, {"light_b": 0.0, "light_c": 0.0}, *moments)
    drawn = [picture(scene, frame, tmp_path / f"{frame}.png")[14:32, 28:68, 0] for frame in range(1, 7)]
    for number, one in enumerate(drawn):
        for other in drawn[:number]:
            assert np.abs(one - other).mean() > 0.02


def test_kicks_send_a_ring_over_the_wall_and_the_wall_closes_in_build_ups(scene, tmp_path: Path) -> None:
    alone = {"light_b": 0.0, "light_c": 0.0}
    show(
        scene,
        {**alone, "pulse": 1.0, "pulse_at": 0.05},
        {**alone, "pulse": 1.0, "pulse_at": 0.6},
        {**alone, "swell": 1.0},
        {**alone, "swell": 1.0, "narrow": 1.0},
    )
    early, late, free, narrow = (picture(scene, frame, tmp_path / f"{frame}.png")[16:30, :, 0] for frame in range(1, 5))
    assert middle(early) > middle(late) + 0.1
    assert outside(late) > outside(early) + 0.02
    assert outside(narrow) < 0.6 * outside(free)
    assert middle(narrow) > 0.9 * middle(free)


def middle(wall: np.ndarray) -> float:
    """Mean level in the middle of the wall."""
    return float(wall[:, 46:50].mean())


def outside(wall: np.ndarray) -> float:
    """Mean level near both ends of the wall."""
    return float(wall[:, [*range(30, 36), *range(60, 66)]].mean())


def test_each_colour_has_its_part_of_the_picture(scene, tmp_path: Path) -> None:
    lights = ("light_a", "light_b", "light_c")
    only = [{**dict.fromkeys(lights, 0.0), light: 1.0, "swell": 1.0} for light in lights]
    dark = {**dict.fromkeys(lights, 0.0), "swell": 1.0, "energy": 1.0, "pulse": 1.0, "open": 0.0}
    show(scene, *only, dark)
    key, fill, accent, none = (picture(scene, frame, tmp_path / f"{frame}.png") for frame in (1, 2, 3, 4))
    assert none.max() < 0.02
    for number, one in enumerate((key, fill, accent)):
        total = one.sum(axis=(0, 1))
        assert total[number] > 0.9 * total.sum()
    wall = np.s_[16:30, 36:60]
    assert key[wall].max(axis=-1).mean() > 5 * fill[wall].max(axis=-1).mean()


def test_a_break_opens_the_sky(scene, tmp_path: Path) -> None:
    dark = dict.fromkeys(("light_a", "light_b", "light_c"), 0.0)
    show(scene, dark, {**dark, "open": 1.0})
    closed, stars = (picture(scene, frame, tmp_path / f"{frame}.png")[:16] for frame in (1, 2))
    assert closed.max() < 0.02
    assert (stars.max(axis=-1) > 0.06).sum() > 5


def test_a_yellow_accent_leaves_the_sky_to_the_stars(scene, tmp_path: Path) -> None:
    dark = {**dict.fromkeys(("light_a", "light_b"), 0.0), "light_c": 0.3}
    show(scene, *({**dark, "open": 1.0, "colour_c": colour} for colour in ((0.5, 0.0, 0.5), (0.5, 0.5, 0.0))))
    violet, yellow = (picture(scene, frame, tmp_path / f"{frame}.png")[:16, :, 0] for frame in (1, 2))
    assert yellow.mean() < 0.6 * violet.mean()
    assert yellow.max() > 8 * np.median(yellow)


def test_cameras_glide_with_the_drift_and_keep_the_stage_in_view(scene) -> None:
    handles = show(scene, {"drift": -1.0}, {"drift": 1.0}, {"roll": 0.5, "zoom": 1.0})
    for name, camera in handles.cameras.items():
        places = []
        for frame in (1, 2):
            scene.frame_set(frame)
            matrix = camera.evaluated_get(bpy.context.evaluated_depsgraph_get()).matrix_world
            places.append(np.array(matrix.translation))
            to_booth = np.array([0.0, 5.0, 5.0]) - places[-1]
            ahead = -np.array(matrix.col[2][:3])
            assert ahead @ to_booth / np.linalg.norm(to_booth) > 0.85, name
        assert 0.9 < np.linalg.norm(places[1] - places[0]) < 12, name
    scene.frame_set(3)
    wide = handles.cameras["wide"].evaluated_get(bpy.context.evaluated_depsgraph_get())
    assert wide.data.lens == pytest.approx(36.0)
    assert 0.1 < wide.rotation_euler[2] < 0.3


def test_building_again_replaces_and_leaves_the_users_world(scene) -> None:
    scene.world = bpy.data.worlds.new("Mine")
    show(scene)
    kinds = ("objects", "meshes", "materials", "node_groups", "actions", "collections", "curves", "cameras", "worlds")
    census = {kind: sorted(block.name for block in getattr(bpy.data, kind)) for kind in kinds}
    show(scene)
    assert {kind: sorted(block.name for block in getattr(bpy.data, kind)) for kind in kinds} == census
    assert scene.world.name == "Mine"


def test_two_stages_keep_their_own_numbers(scene) -> None:
    show(scene, {"travel": 0.0})
    other = bpy.data.scenes.new("Other")
    build.build_show(other, tracks({"travel": 25.0}), scene_kind="stage", fps=FPS)
    trees = {
        thing.modifiers[0].node_group.name for thing in bpy.data.objects if thing.name.startswith("HX Stage Beams")
    }
    assert len(trees) == 2


def test_a_saved_file_moves_alike_without_us(scene, tmp_path: Path) -> None:
    moments = [{"travel": 7.0 * number, "pulse": 0.5, "pulse_at": 0.1 * number} for number in range(6)]
    show(scene, *moments)
    before, jump = axes(scene, 5), people(scene, 5)
    saved = build.save_blend(tmp_path / "stage.blend")
    assert saved.stat().st_size < 2e6
    bpy.ops.wm.open_mainfile(filepath=str(saved), use_scripts=False)
    here = bpy.context.scene
    np.testing.assert_array_equal(axes(here, 5), before)
    np.testing.assert_allclose(people(here, 5), jump, atol=1e-6)


def test_a_frame_alone_equals_the_frame_in_a_row(scene, tmp_path: Path) -> None:
    moments = [{"travel": 9.0 * number, "pulse": 0.5, "pulse_at": 0.2 * number, "grid": 1.0} for number in range(4)]
    show(scene, *moments)
    row = [picture(scene, frame, tmp_path / f"{frame}.png") for frame in (2, 3)]
    scene.frame_set(1)
    np.testing.assert_array_equal(picture(scene, 3, tmp_path / "alone.png"), row[1])
    assert np.abs(row[0] - row[1]).max() > 0.02
