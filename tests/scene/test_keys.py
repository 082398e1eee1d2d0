"""F-curves equal the key tracks, and nothing is written unless everything fits."""

from __future__ import annotations

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from housex_blender.core.errors import SceneError  # noqa: E402
from housex_blender.core.keys import KeyTrack  # noqa: E402
from housex_blender.scene import build, compat, keyframes, rig  # noqa: E402

from .conftest import BPM, FPS, make_channels  # noqa: E402


def curve_of(binding):
    """The F-curve behind a binding."""
    return compat.fcurves_of(binding.id, create=False).find(binding.data_path, index=max(binding.index, 0))


def test_curves_equal_tracks_on_every_downbeat(show) -> None:
    channels = make_channels(("Future House", "Progressive House"))
    downbeats = np.floor(np.arange(4) * 240 / BPM * FPS + 0.5) + 1
    frames = np.unique(np.concatenate([downbeats, downbeats - 1, [1, 17.5, 80.25, 144]]).clip(1))
    for name, bound in show.bindings.items():
        want = channels[name].at(frames)
        for binding in bound:
            curve = curve_of(binding)
            got = np.array([curve.evaluate(frame) for frame in frames])
            expected = want[:, binding.column] * binding.gain + binding.offset
            np.testing.assert_allclose(got, expected, rtol=2e-5, atol=2e-5 * max(1, abs(binding.gain)), err_msg=name)


def test_bezier_slopes_are_exact(scene) -> None:
    rng = np.random.default_rng(3)
    frames = np.cumsum(rng.uniform(0.5, 40.0, 60))
    track = KeyTrack(frames, rng.normal(size=60), "BEZIER", rng.normal(size=(60, 1)) * 0.2)
    thing = bpy.data.objects.new("Thing", None)
    curve = keyframes.write_keys(thing, "location", 1, track, gain=3.0, offset=1.0)
    where = np.linspace(frames[0], frames[-1], 997)
    got = np.array([curve.evaluate(frame) for frame in where])
    np.testing.assert_allclose(got, track.at(where)[:, 0] * 3.0 + 1.0, atol=2e-3)


@pytest.mark.parametrize("kind", ["CONSTANT", "LINEAR"])
def test_simple_interpolation(scene, kind: str) -> None:
    track = KeyTrack([1.0, 11.0, 31.0], [0.0, 2.0, -1.0], kind)
    curve = keyframes.write_keys(bpy.data.objects.new("Thing", None), "location", 0, track)
    where = np.linspace(1, 31, 61)
    np.testing.assert_allclose([curve.evaluate(frame) for frame in where], track.at(where)[:, 0], atol=1e-5)


def test_bezier_without_slopes_stays_between_its_keys(scene) -> None:
    track = KeyTrack([1.0, 11.0, 31.0], [0.0, 2.0, 2.0], "BEZIER")
    curve = keyframes.write_keys(bpy.data.objects.new("Thing", None), "location", 0, track)
    values = [curve.evaluate(frame) for frame in np.linspace(1, 31, 61)]
    assert min(values) >= -1e-5
    assert max(values) <= 2.0 + 1e-5


def test_only_our_curve_is_replaced(scene) -> None:
    thing = bpy.data.objects.new("Thing", None)
    scene.collection.objects.link(thing)
    thing.location = (5, 6, 7)
    thing.keyframe_insert("location", index=2, frame=1)
    for value in (1.0, 2.0):
        keyframes.write_keys(thing, "location", 0, KeyTrack([1.0], [value]))
    curves = compat.fcurves_of(thing)
    assert sorted(curve.array_index for curve in curves) == [0, 2]
    assert curves.find("location", index=2).evaluate(1) == 7.0
    assert curves.find("location", index=0).evaluate(1) == 2.0


def test_show_object_carries_every_channel(show) -> None:
    channels = make_channels(("Future House", "Progressive House"))
    thing = show.objects["show"]
    assert thing.name == "HX Show"
    for name, track in channels.items():
        assert (len(thing[name]) if track.width == 3 else 1) == track.width
        paths = [binding.data_path for binding in show.bindings[name] if binding.id == thing]
        assert paths == [f'["{name}"]'] * track.width


def test_values_arrive_where_artists_look(show, scene) -> None:
    channels = make_channels(("Future House", "Progressive House"))
    for frame in (1, 58, 59, 120):
        scene.frame_set(frame)
        deps = bpy.context.evaluated_depsgraph_get()
        lamp = show.objects["HX Light A"].evaluated_get(deps).data
        np.testing.assert_allclose(lamp.color[:], channels["colour_a"].at(frame), atol=1e-5)
        energy = next(b for b in show.bindings["light_a"] if b.data_path == "energy")
        assert lamp.energy == pytest.approx(float(channels["light_a"].at(frame)[0]) * energy.gain, rel=1e-4)
        node = bpy.data.node_groups["HX Signals"].evaluated_get(deps).nodes["Colour A"]
        np.testing.assert_allclose(node.outputs[0].default_value[:3], channels["colour_a"].at(frame), atol=1e-5)


def n_curves() -> int:
    return sum(len(action.layers) if hasattr(action, "layers") else len(action.fcurves) for action in bpy.data.actions)


@pytest.mark.parametrize("missing", ["light_a", "colour_c", "travel"])
def test_missing_channel_is_refused_before_anything_is_built(scene, missing: str) -> None:
    channels = make_channels()
    del channels[missing]
    with pytest.raises(SceneError, match=missing):
        build.build_show(scene, channels)
    assert not bpy.data.objects
    assert not bpy.data.actions


def test_bad_requests_leave_the_scene_unchanged(scene) -> None:
    wide = make_channels() | {"light_a": KeyTrack([1.0], np.ones((1, 3)))}
    for channels, more in (
        (wide, {}),
        ({}, {}),
        (make_channels(), {"scene_kind": "moon"}),
        (make_channels(), {"detail": "huge"}),
        (make_channels(), {"n_frames": 0}),
    ):
        with pytest.raises(SceneError):
            build.build_show(scene, channels, **more)
    assert not bpy.data.objects
    assert not bpy.data.actions


def test_unbound_channel_and_double_owner_are_refused_before_writing(scene) -> None:
    thing = bpy.data.objects.new("Thing", None)
    one = KeyTrack([1.0], [1.0])
    handles = rig.SceneHandles()
    handles.bind("kick", thing, "location", 0)
    for channels in ({"kick": one, "bass": one}, {}):
        with pytest.raises(SceneError):
            rig.write_channels(handles, channels)
    handles.bind("bass", thing, "location", 0)
    with pytest.raises(SceneError, match="both kick and bass"):
        rig.write_channels(handles, {"kick": one, "bass": one})
    assert thing.animation_data is None
