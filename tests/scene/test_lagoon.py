"""The lagoon: what is built, what moves with which channel, and what its sea and sky show."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from mathutils import Vector  # noqa: E402

from housex_blender.core.errors import SceneError  # noqa: E402
from housex_blender.core.keys import KeyTrack  # noqa: E402
from housex_blender.core.manners import CHARACTERS  # noqa: E402
from housex_blender.core.shots import SHOTS  # noqa: E402
from housex_blender.scene import build, compat, framing, lagoon, output  # noqa: E402
from housex_blender.scene import lagoon_geometry as shapes  # noqa: E402
from housex_blender.scene import lagoon_motion as motion  # noqa: E402

FPS = 30.0
RED, GREEN, BLUE, BLACK = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (0.0, 0.0, 0.0)
REST: dict[str, Any] = {
    **dict.fromkeys((*lagoon.CHANNELS, "drift"), 0.0),
    **dict.fromkeys(("light_a", "light_b", "light_c", "shock"), 1.0),
    **dict(zip(("colour_a", "colour_b", "colour_c"), (RED, GREEN, BLUE), strict=True)),
    "zoom": 0.3,
}


def tracks(*moments: dict[str, Any]) -> dict[str, KeyTrack]:
    """Channels at rest; frame 1 + n has what the n-th moment says."""
    frames = np.arange(len(moments)) + 1.0
    return {
        name: KeyTrack(frames, np.array([moment.get(name, value) for moment in moments], np.float32))
        for name, value in REST.items()
    }


def show(scene: Any, *moments: dict[str, Any]) -> Any:
    """A built lagoon with one frame for each moment, set up for tiny pictures."""
    handles = build.build_show(scene, tracks(*(moments or ({},))), scene_kind="lagoon", fps=FPS)
    output.configure(scene, resolution=(96, 54))
    scene.cycles.use_denoising = False
    return handles


def mesh_at(scene: Any, frame: int, name: str) -> Any:
    """The mesh of an object as it is on that frame."""
    scene.frame_set(frame)
    return bpy.data.objects[f"HX {name}"].evaluated_get(bpy.context.evaluated_depsgraph_get()).data


def points(scene: Any, frame: int, name: str) -> np.ndarray:
    """(n, 3) places of an object's points in its own space."""
    mesh = mesh_at(scene, frame, name)
    rows = np.zeros(3 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", rows)
    return rows.reshape(-1, 3).astype(float)


def carried(scene: Any, frame: int, name: str, attribute: str) -> np.ndarray:
    """(n, 3) a vector that the points of an object carry."""
    mesh = mesh_at(scene, frame, name)
    rows = np.zeros(3 * len(mesh.vertices), np.float32)
    mesh.attributes[attribute].data.foreach_get("vector", rows)
    return rows.reshape(-1, 3).astype(float)


def sea(scene: Any, frame: int) -> tuple[np.ndarray, np.ndarray]:
    """Distance from the middle and the waves (ring, shock, chop) of every point of the sea."""
    place = points(scene, frame, "Sea")
    return np.hypot(place[:, 0], place[:, 1] + motion.SEA_BACK_M), carried(scene, frame, "Sea", "hx_wave")


def stone_numbers(scene: Any) -> np.ndarray:
    """(n,) which stone each point of the field belongs to."""
    return np.unique(carried(scene, 1, "Stones", "hx_axis"), axis=0, return_inverse=True)[1].ravel()


def picture(scene: Any, frame: int, folder: Path) -> np.ndarray:
    """(54, 96, 3) linear RGB of a frame."""
    path = output.render_still(scene, frame, folder / f"{scene.render.engine}{frame}.png")
    image = bpy.data.images.load(str(path))
    rows = np.array(image.pixels[:], np.float64).reshape(54, 96, 4)[::-1, :, :3]
    bpy.data.images.remove(image)
    return np.where(rows <= 0.04045, rows / 12.92, ((rows + 0.055) / 1.055) ** 2.4)


# -- what is built ---------------------------------------------------------------------------------------------


def test_four_cameras_and_nothing_that_is_not_ours(scene) -> None:
    handles = show(scene)
    assert tuple(handles.cameras) == SHOTS
    assert scene.camera == handles.objects["camera"] == handles.cameras["wide"]
    assert len({camera.name for camera in handles.cameras.values()}) == 4
    strangers = [thing.name for thing in scene.objects if not thing.get(compat.OWNED)]
    assert not strangers
    names = {thing.name for thing in scene.objects}
    assert {"HX Stones", "HX Sea", "HX Aurora", "HX Eclipse", "HX Corona", "HX Lamps", "HX Ridge", "HX Sky"} <= names


def test_sky_and_mountains_are_left_out_of_a_transparent_picture(scene) -> None:
    show(scene)
    assert framing.hide_backdrops(scene) == 3
    hidden = {thing.name for thing in scene.objects if thing.type == "MESH" and thing.hide_render}
    assert hidden == {"HX Sky", "HX Ridge", "HX Ridge Mirrored", "HX Lamp"}


def test_curves_and_faces_stay_within_the_budget(scene) -> None:
    handles = show(scene, {}, {"open": 1.0})
    bound = [one for many in handles.bindings.values() for one in many if one.id != handles.objects["show"]]
    assert 20 < len(bound) < 40
    owners = [*bpy.data.objects, *bpy.data.materials, *bpy.data.node_groups, *bpy.data.cameras, *bpy.data.curves]
    assert not [owner for owner in owners if owner.animation_data and len(owner.animation_data.drivers)]
    scene.frame_set(2)
    faces = sum(
        len(instance.object.data.polygons)
        for instance in bpy.context.evaluated_depsgraph_get().object_instances
        if instance.object.type == "MESH" and (instance.is_instance or not instance.object.hide_render)
    )
    assert 40_000 < faces < 150_000


def test_building_again_replaces_and_the_users_world_stays(scene) -> None:
    world = scene.world = bpy.data.worlds.new("Mine")
    show(scene)
    kinds = ("objects", "meshes", "materials", "node_groups", "actions", "collections", "curves", "cameras")
    before = {kind: sorted(block.name for block in getattr(bpy.data, kind)) for kind in kinds}
    stones = points(scene, 1, "Stones")
    build.build_show(scene, tracks({}), scene_kind="lagoon", fps=FPS, seed=3)
    assert {kind: sorted(block.name for block in getattr(bpy.data, kind)) for kind in kinds} == before
    assert points(scene, 1, "Stones").shape != stones.shape
    assert scene.world == world
    build.build_show(scene, tracks({}), scene_kind="rig", fps=FPS)
    assert scene.world == world


def test_an_unknown_detail_is_refused(scene) -> None:
    with pytest.raises(SceneError, match="no detail"):
        lagoon.build_lagoon(scene, detail="huge")


def test_the_file_is_small(scene, tmp_path: Path) -> None:
    show(scene)
    assert build.save_blend(tmp_path / "lagoon.blend").stat().st_size < 2.5e6


# -- the field -------------------------------------------------------------------------------------------------


def test_at_rest_stones_are_whole_and_pressed_flat_under_water(scene) -> None:
    show(scene)
    built = shapes.build_field(0, "draft").points
    moved = points(scene, 1, "Stones") - built
    above = built[:, 2] > 0.5
    assert np.abs(moved[above, :2]).max() < 1e-3
    assert np.abs(moved[above, 2]).max() < 0.3, "only the faint rings on the water lift a stone"
    assert points(scene, 1, "Stones")[:, 2].min() == pytest.approx(motion.WATERLINE_M, abs=1e-5)
    image = bpy.data.objects["HX Stones Mirrored"]
    assert image.data == bpy.data.objects["HX Stones"].data
    assert image.scale[2] == -1.0


def test_every_character_moves_the_stones_in_its_own_way(scene) -> None:
    moments = [{}, *({name: 1.0, "pulse": 0.5, "pulse_at": 0.3} for name in CHARACTERS)]
    show(scene, *moments)
    rest = points(scene, 1, "Stones")
    free = rest[:, 2] > 5.0
    moves = {}
    for frame, name in enumerate(CHARACTERS, start=2):
        moves[name] = (points(scene, frame, "Stones") - rest)[free]
        assert np.abs(moves[name]).max() > 0.8, name
    for one, other in combinations(CHARACTERS, 2):
        first, second = moves[one].ravel(), moves[other].ravel()
        assert abs(first @ second) < 0.85 * np.linalg.norm(first) * np.linalg.norm(second), (one, other)
    stone = stone_numbers(scene)[free]
    heavy = carried(scene, 1, "Stones", "hx_near")[free, 2] > 0.5
    within = np.array([np.ptp(moves["swell"][stone == one, 2]) for one in np.unique(stone)])
    between = np.ptp([moves["swell"][stone == one, 2].mean() for one in np.unique(stone)])
    assert within.max() < 0.8 < 3.0 < between, "a swell lifts whole stones, each at its own time"
    assert moves["slabs"][heavy, 2].mean() > 3 * moves["slabs"][~heavy, 2].mean() > 0.0
    flat, high = np.abs(moves["ribs"][:, :2]).max(), np.abs(moves["ribs"][:, 2]).max()
    assert 2 * high < flat, "ribs go in and out"
    whole = free.reshape(-1, 8).all(axis=1)
    spans = {}
    for frame, name in (
        (1, "rest"),
        (2 + CHARACTERS.index("shards"), "shards"),
        (2 + CHARACTERS.index("grid"), "grid"),
    ):
        piece = points(scene, frame, "Stones").reshape(-1, 8, 3)[whole]
        spans[name] = np.linalg.norm(piece[:, 6] - piece[:, 0], axis=1)
    np.testing.assert_allclose(spans["shards"], spans["rest"], rtol=1e-3)
    assert (spans["grid"] < spans["rest"]).all(), "cubes shrink apart, shards only turn"


def test_swell_travels_and_ribs_follow_the_beat(scene) -> None:
    show(scene, {"swell": 1.0}, {"swell": 1.0, "travel": 30.0}, {"ribs": 1.0}, {"ribs": 1.0, "pulse_at": 0.5})
    for frame in (1, 3):
        before, after = points(scene, frame, "Stones"), points(scene, frame + 1, "Stones")
        assert np.abs(after - before).max() > 0.8


def test_build_closes_in_break_sinks_and_a_drop_shoots_up(scene) -> None:
    show(scene, {}, {"narrow": 1.0}, {"open": 1.0}, {"shock": 0.02}, {"shock": 0.5})
    rest, narrow, opened, hit, later = (points(scene, frame, "Stones") for frame in range(1, 6))
    rail = shapes.rail_points(180)[:, :2]

    def gap(place: np.ndarray) -> np.ndarray:
        return np.linalg.norm(rail[None] - place[:, None, :2], axis=2).min(axis=1)

    close = gap(rest) < 20.0
    assert gap(narrow)[close].mean() < gap(rest)[close].mean() - 1.0
    assert gap(narrow).min() > 3.0
    assert narrow[:, 2].max() > rest[:, 2].max() + 2.0
    assert opened[:, 2].max() < 0.6 * rest[:, 2].max()
    assert hit[:, 2].max() > 1.2 * rest[:, 2].max()
    assert rest[:, 2].max() < later[:, 2].max() < hit[:, 2].max()


# -- sea, sky, lights ------------------------------------------------------------------------------------------


def test_rings_run_outwards_with_the_pulse(scene) -> None:
    show(scene, *({"pulse": 1.0, "pulse_at": at} for at in (0.25, 0.5, 0.75)), {"pulse_at": 0.5})
    for frame, at in ((1, 0.25), (2, 0.5), (3, 0.75)):
        away, waves = sea(scene, frame)
        inner = away < motion.RING_M - 1.0
        assert away[inner][waves[inner, 0].argmax()] == pytest.approx(at * motion.RING_M, abs=0.6)
        assert points(scene, frame, "Sea")[:, 2].max() > 0.2
    assert sea(scene, 4)[1][:, 0].max() < 0.5 * sea(scene, 2)[1][:, 0].max(), "without a kick the rings are faint"


def test_a_ring_goes_on_where_it_was_when_the_next_beat_begins(scene) -> None:
    show(scene, {"pulse": 0.5, "pulse_at": 0.9999}, {"pulse": 0.5, "pulse_at": 0.0})
    np.testing.assert_allclose(sea(scene, 1)[1][:, 0], sea(scene, 2)[1][:, 0], atol=0.02)


def test_a_shock_wave_crosses_the_water_and_is_gone_at_its_end(scene) -> None:
    show(scene, {"shock": 0.1, "pulse": 1.0}, {"shock": 0.3}, {"shock": 1.0, "pulse": 1.0})
    for frame, at in ((1, 0.1), (2, 0.3)):
        away, waves = sea(scene, frame)
        assert away[waves[:, 1].argmax()] == pytest.approx(at * motion.SHOCK_M, abs=4.0)
    assert sea(scene, 3)[1][:, 1].max() == 0.0
    lifted = carried(scene, 1, "Stones", "hx_wave")[:, 1]
    assert lifted.max() > 0.5 > 0.05 > np.median(lifted), "it passes the stones one after the other"


def test_stones_glow_towards_a_drop_and_with_kicks_outside_of_breaks(scene) -> None:
    show(scene, {}, {"narrow": 1.0}, {"pulse": 1.0}, {"pulse": 1.0, "open": 1.0})
    embers = [carried(scene, frame, "Stones", "hx_wave")[:, 2].mean() for frame in (1, 2, 3, 4)]
    assert embers == pytest.approx([0.0, 0.6, 0.7, 0.0])


def test_curtains_wave_with_the_way_and_unfold_in_a_break(scene) -> None:
    show(scene, {}, {"travel": 40.0}, {"open": 1.0}, {"narrow": 1.0})
    still, later, wide, narrow = (points(scene, frame, "Aurora") for frame in range(1, 5))
    assert np.abs(later - still)[:, :2].max() > 20.0
    assert wide[:, 2].max() > 1.3 * still[:, 2].max() > 1.3 * narrow[:, 2].max() * 0.9
    assert wide[:, 2].min() == pytest.approx(still[:, 2].min(), abs=1.0), "the hem stays where it is"


def test_the_corona_swells_with_the_kick_and_flares_on_a_drop(scene) -> None:
    show(scene, {}, {"pulse": 1.0}, {"shock": 0.0})
    reach = [np.abs(points(scene, frame, "Corona")).max() for frame in (1, 2, 3)]
    assert reach[0] * 1.05 < reach[1] < reach[2]
    scene.frame_set(3)
    lowest = min((bpy.data.objects["HX Corona"].matrix_world @ Vector(place)).z for place in points(scene, 3, "Corona"))
    assert lowest == pytest.approx(0.0, abs=0.1), "it ends at the horizon, where its mirror image begins"


def test_lamps_are_instances_that_float_above_the_water(scene) -> None:
    show(scene)
    scene.frame_set(1)
    found = [
        np.array(instance.matrix_world.translation)
        for instance in bpy.context.evaluated_depsgraph_get().object_instances
        if instance.is_instance and instance.object.name == "HX Lamp"
    ]
    heights = np.array(found)[:, 2]
    assert (heights > 0.1).sum() == (heights < -0.1).sum() == lagoon.LAMPS


# -- cameras ---------------------------------------------------------------------------------------------------


def test_cameras_never_stand_still_and_a_lap_closes(scene) -> None:
    handles = show(scene, *({"travel": way} for way in (7.0, 8.0, 7.0 + motion.LAP_M, 7.0 + 100 * motion.LAP_M)))
    stones = points(scene, 1, "Stones"), points(scene, 3, "Stones")
    np.testing.assert_allclose(*stones, atol=1e-3)
    for name, camera in handles.cameras.items():
        seen = []
        for frame in range(1, 5):
            scene.frame_set(frame)
            seen.append(np.array(camera.evaluated_get(bpy.context.evaluated_depsgraph_get()).matrix_world))
        assert 0.15 < np.linalg.norm(seen[1][:3, 3] - seen[0][:3, 3]) < 0.8, name
        np.testing.assert_allclose(seen[2], seen[0], atol=2e-3)
        np.testing.assert_allclose(seen[3], seen[0], atol=0.1)


def test_no_camera_runs_into_a_stone(scene) -> None:
    laps = [{"travel": way} for way in np.linspace(0.0, motion.LAP_M, 24, endpoint=False)]
    worst = [{**moment, "narrow": 1.0, "swell": 1.2, "shards": 1.2, "grid": 1.2, "ribs": 1.2} for moment in laps]
    handles = show(scene, *laps, *worst)
    for frame in range(1, len(laps) * 2 + 1):
        stones = points(scene, frame, "Stones")
        graph = bpy.context.evaluated_depsgraph_get()
        for name, camera in handles.cameras.items():
            eye = np.array(camera.evaluated_get(graph).matrix_world.translation)
            assert eye[2] > 0.8, name
            tall = stones[stones[:, 2] > 0.0]
            assert np.linalg.norm(tall - eye, axis=1).min() > 1.5, (name, frame)


def test_roll_zoom_and_the_gaze_of_a_break(scene) -> None:
    handles = show(scene, {}, {"roll": 0.2, "zoom": 1.0}, {"open": 1.0})
    wide = handles.cameras["wide"]
    seen, lenses = [], []
    for frame in (1, 2, 3):
        scene.frame_set(frame)
        seen.append(np.array(wide.evaluated_get(bpy.context.evaluated_depsgraph_get()).matrix_world))
        lenses.append(wide.data.lens)
    assert lenses[1] > lenses[0]
    assert abs(seen[1][2, 0]) > 0.05 > 1e-3 > abs(seen[0][2, 0]), "the horizon tilts with the roll alone"
    assert -seen[2][2, 2] > -seen[0][2, 2] + 0.05, "in a break it looks up"


# -- pictures --------------------------------------------------------------------------------------------------


def test_each_group_lights_its_own_things(scene, tmp_path: Path) -> None:
    dark = dict.fromkeys(("light_a", "light_b", "light_c"), 0.0)
    show(scene, dark, {**dark, "light_a": 1.0}, {**dark, "light_b": 1.0, "pulse": 1.0}, {**dark, "light_c": 1.0})
    output.configure(scene, engine="cycles", resolution=(96, 54))
    night = picture(scene, 1, tmp_path)
    assert night.mean() < 0.004, "only stars are left"
    for column in range(3):
        light = (picture(scene, 2 + column, tmp_path) - night).clip(0.0)
        sums = light.sum(axis=(0, 1))
        # what glows pales a little, so a group is not its colour alone
        assert sums.argmax() == column
        assert sums[column] > 2.5 * np.delete(sums, column).max()
        assert sums[column] / (96 * 54) > 0.002


def test_a_black_accent_leaves_the_sky_to_the_stars(scene, tmp_path: Path) -> None:
    moment = {"light_a": 0.0, "light_b": 1.0, "light_c": 1.0, "open": 1.0}
    show(scene, moment, {**moment, "colour_c": BLACK})
    output.configure(scene, engine="cycles", resolution=(96, 54))
    lit, black = (picture(scene, frame, tmp_path)[:18] for frame in (1, 2))
    assert lit.mean() > 10 * black.mean()
    assert black[..., 1].mean() < 0.004, "the fill's curtain is out as well"


def test_workbench_shows_coloured_shapes(scene, tmp_path: Path) -> None:
    if not compat.has_gpu_context():
        pytest.skip("no OpenGL here")
    show(scene, {})
    output.configure(scene, engine="workbench", resolution=(96, 54))
    shot = picture(scene, 1, tmp_path)
    red = (shot[..., 0] > 3 * shot[..., 1:].max(axis=2)) & (shot[..., 0] > 0.02)
    blue = (shot[..., 2] > 3 * shot[..., :2].max(axis=2)) & (shot[..., 2] > 0.02)
    assert red.mean() > 0.03
    assert blue.mean() > 0.03
