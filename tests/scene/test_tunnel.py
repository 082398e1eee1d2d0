"""The tunnel: how its walls move, what stays clear, the cost, and what its frames show."""

from __future__ import annotations

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from housex_blender.core.keys import KeyTrack  # noqa: E402
from housex_blender.scene import build, compat, output, tunnel_motion  # noqa: E402
from housex_blender.scene import tunnel as tunnel_scene  # noqa: E402
from housex_blender.scene.path import LoopPath  # noqa: E402

from .conftest import make_channels  # noqa: E402

CHARACTERS = ("swell", "shards", "grid", "slabs", "ribs")
STILL = dict.fromkeys((*CHARACTERS, "narrow", "open", "travel", "pulse"), 0.0) | {"shock": 1.0}


def at_rest(**changed: float) -> dict[str, KeyTrack]:
    """Channels that hold still but for what is given."""
    return make_channels() | {name: KeyTrack([1.0], [value]) for name, value in (STILL | changed).items()}


def set_motion(**changed: float) -> None:
    """Give the tree's numbers by hand: no keys, so that one build serves many questions."""
    tree = bpy.data.node_groups[tunnel_motion.TREE_NAME]
    for name, channel in tunnel_motion.VALUES.items():
        tree.nodes[name].outputs[0].default_value = (STILL | changed)[channel]
    tree.update_tag()
    bpy.context.view_layer.update()


@pytest.fixture
def tunnel(scene):
    """A tunnel whose motion nobody keys."""
    handles = build.build_show(scene, at_rest())
    tree = bpy.data.node_groups[tunnel_motion.TREE_NAME]
    tree.animation_data_clear()
    return handles


def moved(name: str = "HX Hull") -> np.ndarray:
    """(n, 3) evaluated points of a part."""
    part = bpy.data.objects[name].evaluated_get(bpy.context.evaluated_depsgraph_get())
    points = np.zeros((len(part.data.vertices), 3), np.float32)
    part.data.vertices.foreach_get("co", points.ravel())
    return points.astype(float)


def stored(attribute: str, name: str = "HX Hull") -> np.ndarray:
    """(n, 3) an attribute of a part."""
    data = bpy.data.objects[name].data.attributes[attribute].data
    values = np.zeros((len(data), 3), np.float32)
    data.foreach_get("vector", values.ravel())
    return values.astype(float)


def off_axis(points: np.ndarray) -> np.ndarray:
    """(n, 2) metres to the right and up of the axis, for points of the first module."""
    path = LoopPath()
    along = np.linspace(-4.0, path.module_m + 4.0, 1281)
    centre, _, right, up = path.frames(np.mod(along, path.length_m))
    nearest = np.concatenate(
        [np.linalg.norm(part[:, None] - centre[None], axis=2).argmin(axis=1) for part in np.array_split(points, 40)]
    )
    away = points - centre[nearest]
    return np.column_stack([(away * right[nearest]).sum(axis=1), (away * up[nearest]).sum(axis=1)])


def test_at_rest_nothing_moves(tunnel) -> None:
    set_motion()
    for name in ("HX Hull", "HX Floor", "HX Rings", "HX Strips", "HX Accents"):
        rest = np.zeros((len(bpy.data.objects[name].data.vertices), 3), np.float32)
        bpy.data.objects[name].data.vertices.foreach_get("co", rest.ravel())
        np.testing.assert_allclose(moved(name), rest, atol=1e-5)


def test_every_character_moves_the_walls_inwards_in_its_own_way(tunnel) -> None:
    set_motion()
    rest, inward = moved(), stored("hx_in")
    ways = {}
    for name in CHARACTERS:
        set_motion(**{name: 1.0}, travel=50.0)
        ways[name] = ((moved() - rest) * inward).sum(axis=1)
        assert ways[name].max() > 0.5, name
        assert ways[name].mean() > 0.0, name
        # twice as much displacement goes further, until the clear core
        set_motion(**{name: 0.3}, travel=50.0)
        assert ((moved() - rest) * inward).sum(axis=1).max() < ways[name].max(), name
    for one in CHARACTERS:
        for other in CHARACTERS:
            if one < other:
                assert np.abs(ways[one] - ways[other]).mean() > 0.03, (one, other)
    chance = stored("hx_chance")[:, 2]
    assert len(np.unique(np.round(ways["slabs"][ways["slabs"] > 1.0], 1))) < 12, "slabs move as wholes"
    assert len(np.unique(chance)) < 120


def test_every_channel_that_moves_or_lights_the_tunnel_is_bound_to_it(tunnel) -> None:
    show = tunnel.objects["show"]
    bound = {name for name, owners in tunnel.bindings.items() if any(one.id != show for one in owners)}
    assert bound == set(tunnel_scene.CHANNELS)


def test_a_kick_pushes_the_walls_as_hard_as_forms_stand_on_them(tunnel) -> None:
    inward, plate = stored("hx_in"), stored("hx_role")[:, 2] < 0.5
    push = {}
    for amount in (0.0, 0.15, 0.6):
        set_motion(slabs=amount, travel=50.0)
        calm = moved()
        set_motion(slabs=amount, travel=50.0, pulse=1.0)
        push[amount] = ((moved() - calm) * inward).sum(axis=1)
    np.testing.assert_allclose(push[0.0], 0.0, atol=1e-5)
    assert push[0.6].min() > -1e-4
    assert push[0.6][plate].mean() > 1.5 * push[0.15][plate].mean() > 0.01
    assert np.percentile(push[0.6][plate], 95) > 0.15, "metres: to be seen"
    set_motion(slabs=0.6, travel=50.0)
    np.testing.assert_allclose(moved(), calm, atol=1e-6)


def test_nothing_comes_near_the_cameras(tunnel) -> None:
    everything = dict.fromkeys(CHARACTERS, 1.5) | {"narrow": 1.0, "shock": 0.2, "pulse": 1.0}
    lowest = []
    for travel in (0.0, 37.0):
        set_motion(**everything, travel=travel)
        for name in ("HX Hull", "HX Rings", "HX Strips", "HX Accents"):
            away = off_axis(moved(name)[:: 3 if name == "HX Hull" else 1])
            walls = away[away[:, 1] > -2.2]  # the floor may be near the low camera
            lowest.append(np.linalg.norm(walls, axis=1).min())
            for shot, camera in tunnel.cameras.items():
                right, _, up = camera.location
                for drift in (0.0,) if shot == "wide" else (-0.2, 0.2):
                    assert np.linalg.norm(walls - [right + drift, up], axis=1).min() > 1.6, (shot, name)
    assert min(lowest) > 3.3
    set_motion(**everything)
    np.testing.assert_allclose(moved("HX Floor"), moved_at_rest("HX Floor"), atol=1e-5)


def moved_at_rest(name: str) -> np.ndarray:
    set_motion()
    return moved(name)


def test_narrowing_closes_in_and_opening_lets_the_sky_through(tunnel) -> None:
    set_motion()
    rest, role = moved(), stored("hx_role")
    wall = role[:, 2] < 1.5
    near = np.linalg.norm(off_axis(rest[wall][::7]), axis=1)
    set_motion(narrow=1.0)
    assert np.linalg.norm(off_axis(moved()[wall][::7]), axis=1).mean() < near.mean() - 0.8
    set_motion(open=1.0)
    mesh = bpy.data.objects["HX Hull"].evaluated_get(bpy.context.evaluated_depsgraph_get()).data
    area = np.zeros(len(mesh.polygons), np.float32)
    mesh.polygons.foreach_get("area", area)
    before = np.zeros(len(mesh.polygons), np.float32)
    bpy.data.objects["HX Hull"].data.polygons.foreach_get("area", before)
    assert area.sum() < 0.35 * before.sum()
    ribs = np.isclose(role[:, 2], 1.0)
    np.testing.assert_allclose(moved()[ribs], rest[ribs], atol=1e-5)


def test_the_shock_runs_down_the_tunnel(tunnel) -> None:
    set_motion()
    rest, tube = moved(), stored("hx_tube")
    places = []
    for shock in (0.1, 0.3, 0.6):
        set_motion(shock=shock, travel=240.0)
        push = np.linalg.norm(moved() - rest, axis=1)
        places.append(float(tube[push > 0.6 * push.max(), 0].mean()))
    np.testing.assert_allclose(places, [11.0, 33.0, 66.0], atol=4.0)
    set_motion(shock=0.1, travel=252.0)
    push = np.linalg.norm(moved() - rest, axis=1)
    assert tube[push > 0.6 * push.max(), 0].mean() == pytest.approx(23.0, abs=4.0)


def test_the_budget_holds(scene) -> None:
    handles = build.build_show(scene, make_channels())
    show = handles.objects["show"]
    curves = {one.owner_key for bound in handles.bindings.values() for one in bound if one.id != show}
    assert len(curves) < 40
    deps = bpy.context.evaluated_depsgraph_get()
    faces = sum(len(one.object.data.polygons) for one in deps.object_instances if one.object.type == "MESH")
    assert faces < 300_000
    assert sorted(handles.cameras) == ["close", "high", "low", "wide"]
    for name in ("HX Carriage", "HX Look Target", "HX Light A Carrier", "HX Core Carrier", "HX Sky Carrier"):
        assert compat.fcurves_of(bpy.data.objects[name], create=False) is None, "the rail's curve moves them all"


def picture(scene, path, frame: int) -> np.ndarray:
    """(h, w, 3) pixels of a frame."""
    output.render_still(scene, frame, path)
    image = bpy.data.images.load(str(path))
    width, height = image.size
    pixels = np.array(image.pixels[:]).reshape(height, width, 4)[:, :, :3]
    bpy.data.images.remove(image)
    return pixels


def still_show(scene, **changed) -> None:
    """A show that stands still at one place, for pictures."""
    channels = at_rest(travel=13.0, roll=0.0, zoom=0.0)
    channels |= {name: KeyTrack([1.0], [0.5]) for name in ("light_a", "light_b", "light_c")}
    colours = {"colour_a": (0, 0, 1), "colour_b": (1, 0, 0), "colour_c": (0, 1, 0)}
    channels |= {name: KeyTrack([1.0], np.array([rgb], float)) for name, rgb in colours.items()}
    build.build_show(scene, channels | changed, n_frames=10)
    output.configure(scene, engine="cycles", resolution=(128, 72))


def test_a_pulse_runs_ahead_and_the_sky_shows_through(scene, tmp_path) -> None:
    """Blue are the rings, green what is far away or outside."""
    frames = [1.0, 2.0, 3.0, 4.0]
    still_show(
        scene,
        pulse=KeyTrack(frames, [0.0, 1.0, 1.0, 0.0]),
        pulse_at=KeyTrack(frames, [1.0, 0.0, 0.6, 1.0]),
        open=KeyTrack(frames, [0.0, 0.0, 0.0, 1.0]),
    )
    plain, near, far, opened = (picture(scene, tmp_path / f"{frame}.png", frame) for frame in (1, 2, 3, 4))
    middle, outside = (slice(28, 46), slice(55, 73)), (slice(0, 72), slice(0, 16))
    for early, late, where in ((near, far, outside), (far, near, middle)):
        gain = (early - plain)[where][:, :, 2].mean(), (late - plain)[where][:, :, 2].mean()
        assert gain[0] > 0.004, "the pulse lights this part"
        assert gain[0] > 1.5 * gain[1], "and the other one another part"
    green = [shot[8:64, 4:30, 1].mean() for shot in (plain, opened)]
    assert green[1] > 2 * green[0] + 0.01


def test_a_lamp_near_the_camera_has_tubes_and_caps(scene, tmp_path) -> None:
    """No broad face of one colour: bright tubes, dark caps between them, glass that is dimmer at its rims."""
    still_show(scene)
    scene.camera = bpy.data.objects["HX Camera Low"]
    pixels = picture(scene, tmp_path / "low.png", 1)
    strip = pixels[:, :, 0] > pixels[:, :, 1:].max(axis=2) + 0.15
    assert strip.sum() > 60
    red = pixels[strip][:, 0]
    assert np.percentile(red, 90) > 1.4 * np.percentile(red, 10)
    steps = np.histogram(red, bins=16, range=(0.0, 1.0))[0] / strip.sum()
    assert steps.max() < 0.5


def test_black_accents_leave_the_depth_black_and_hues_stay_apart(scene, tmp_path) -> None:
    colours = {"colour_a": (1, 1, 1), "colour_b": (0.35, 0.01, 0.87), "colour_c": (0, 0, 0)}
    still_show(scene, **{name: KeyTrack([1.0], np.array([rgb], float)) for name, rgb in colours.items()})
    pixels = picture(scene, tmp_path / "bass.png", 1)
    luminance = pixels @ [0.2126, 0.7152, 0.0722]
    assert np.median(luminance) < 0.2
    assert np.percentile(luminance, 99) > 0.5
    colourful = pixels.max(axis=2) - pixels.min(axis=2) > 0.15
    assert 0.005 < colourful.mean() < 0.5
    assert (pixels[colourful][:, 2] >= pixels[colourful][:, 1]).mean() > 0.95, "all colour is purple"
