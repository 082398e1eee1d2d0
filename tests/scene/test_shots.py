"""Cuts: markers bound to the cameras of the scene, among the user's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

bpy = pytest.importorskip("bpy")

from housex_blender.core.shots import SHOTS  # noqa: E402
from housex_blender.scene import build, markers, rig, shots  # noqa: E402

from .conftest import FPS, N_FRAMES, make_channels  # noqa: E402

WANTED = [(1, "wide"), (40, "low"), (90, "close"), (140, "high")]


def add_camera(scene: Any, name: str) -> Any:
    """A camera object in the scene."""
    camera = bpy.data.objects.new(name, bpy.data.cameras.new(name))
    scene.collection.objects.link(camera)
    return camera


@pytest.fixture
def cameras(scene: Any) -> dict[str, Any]:
    """A scene with "HX Show" that remembers a camera for every shot."""
    found = {shot: add_camera(scene, f"HX {shot}") for shot in SHOTS}
    shots.remember_cameras(rig.ensure_show(scene), found)
    return found


def listed(scene: Any) -> list[tuple[int, str, str]]:
    """All markers by frame, with the names of their cameras."""
    return sorted((m.frame, m.name, "" if m.camera is None else m.camera.name) for m in scene.timeline_markers)


def test_every_shot_is_a_marker_bound_to_its_camera(scene: Any, cameras: dict[str, Any]) -> None:
    assert shots.write_cuts(scene, WANTED) == 4
    assert listed(scene) == [(1, "Wide", "HX wide"), (40, "Low", "HX low"), (90, "Close", "HX close"),
                             (140, "High", "HX high")]  # fmt: skip
    for frame, shot in ((1, "wide"), (39, "wide"), (40, "low"), (139, "close"), (140, "high"), (500, "high")):
        scene.frame_set(frame)
        assert scene.camera == cameras[shot], f"frame {frame} is seen through {shot}"
    # another mix: the old cuts go, each once
    assert shots.write_cuts(scene, [(1, "high"), (60, "wide")]) == 2
    assert listed(scene) == [(1, "High", "HX high"), (60, "Wide", "HX wide")]
    assert shots.write_cuts(scene, []) == 0
    assert listed(scene) == []


def test_a_cut_that_was_moved_renamed_or_bound_otherwise_is_the_users(
    scene: Any, cameras: dict[str, Any], tmp_path: Path
) -> None:
    mine = add_camera(scene, "Mine")
    shots.write_cuts(scene, WANTED)
    by_name = scene.timeline_markers
    by_name["Wide"].name = "Doors"
    by_name["Low"].frame = 44
    by_name["Close"].camera = mine
    saved = build.save_blend(tmp_path / "mine.blend")
    bpy.ops.wm.open_mainfile(filepath=str(saved))
    here = bpy.context.scene
    users = [(1, "Doors", "HX wide"), (44, "Low", "HX low"), (90, "Close", "Mine")]
    for _ in range(2):
        assert shots.write_cuts(here, WANTED) == 1, "where the user cuts, or took a cut away, we do not"
        assert listed(here) == [*users, (140, "High", "HX high")]
    shots.write_cuts(here, [])
    assert listed(here) == users


def test_a_cut_that_was_deleted_stays_deleted(scene: Any, cameras: dict[str, Any], tmp_path: Path) -> None:
    shots.write_cuts(scene, WANTED, "one")
    scene.timeline_markers.remove(scene.timeline_markers["Low"])
    kept = [(1, "Wide", "HX wide"), (90, "Close", "HX close"), (140, "High", "HX high")]
    for _ in range(2):
        assert shots.write_cuts(scene, WANTED, "one") == 3
        assert listed(scene) == kept
    saved = build.save_blend(tmp_path / "cut.blend")
    bpy.ops.wm.open_mainfile(filepath=str(saved))
    here = bpy.context.scene
    assert shots.write_cuts(here, WANTED, "one") == 3
    # the same moments at another frame rate, and a grid that was corrected by a little: still that cut
    here.render.fps *= 2
    assert shots.write_cuts(here, [(2 * frame - 1, shot) for frame, shot in WANTED], "one") == 3
    assert "Low" not in here.timeline_markers
    here.render.fps //= 2
    assert shots.write_cuts(here, [(frame + 5, shot) for frame, shot in WANTED], "one") == 3
    # other cuts are written, and another mix knows nothing of it
    assert shots.write_cuts(here, [*WANTED, (190, "low")], "one") == 4
    assert shots.write_cuts(here, WANTED, "two") == 4


def test_other_markers_are_left_alone(scene: Any, cameras: dict[str, Any]) -> None:
    scene.timeline_markers.new("Close", frame=90)
    markers.write_markers(scene, [(40, "Drop 1")])
    assert shots.write_cuts(scene, WANTED) == 4
    markers.write_markers(scene, [(40, "Drop 1"), (90, "2 Title")])
    shots.write_cuts(scene, WANTED[:1])
    assert listed(scene) == [(1, "Wide", "HX wide"), (40, "Drop 1", ""), (90, "2 Title", ""), (90, "Close", "")]


def test_without_cameras_nothing_happens(scene: Any) -> None:
    assert shots.write_cuts(scene, WANTED) == 0, "not even HX Show"
    rig.ensure_show(scene)
    assert shots.write_cuts(scene, WANTED) == 0
    assert listed(scene) == []
    assert "hx_tables" not in scene


def test_a_camera_that_was_deleted_gets_no_cuts(scene: Any, cameras: dict[str, Any]) -> None:
    shots.write_cuts(scene, WANTED)
    scene.collection.objects.unlink(cameras["low"])  # as the user deletes: our table still holds it
    bpy.data.objects.remove(cameras["close"])
    assert sorted(shots.shot_cameras(scene)) == ["high", "wide"]
    assert shots.write_cuts(scene, WANTED) == 2
    assert listed(scene) == [(1, "Wide", "HX wide"), (140, "High", "HX high")]


def test_renamed_cameras_and_cuts_survive_a_file(scene: Any, cameras: dict[str, Any], tmp_path: Path) -> None:
    cameras["wide"].name = "Establishing"
    shots.write_cuts(scene, WANTED)
    saved = build.save_blend(tmp_path / "cuts.blend")
    bpy.ops.wm.open_mainfile(filepath=str(saved))
    here = bpy.context.scene
    assert shots.write_cuts(here, WANTED[:2]) == 2
    assert listed(here) == [(1, "Wide", "Establishing"), (40, "Low", "HX low")]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scenes of nothing but four cameras."""

    def build_small(scene: Any, *, seed: int = 0, detail: str = "draft") -> rig.SceneHandles:
        collection = bpy.data.collections.new("HX Small")
        scene.collection.children.link(collection)
        collection[rig.OWNED] = "small"
        handles = rig.SceneHandles()
        for shot in SHOTS:
            camera = bpy.data.objects.new(f"HX {shot}", bpy.data.cameras.new(f"HX {shot}"))
            collection.objects.link(camera)
            camera[rig.OWNED] = "small"
            handles.cameras[shot] = camera
        return handles

    monkeypatch.setitem(build.SCENE_KINDS, "small", ((), build_small))


def rebuild(scene: Any, kind: str = "small") -> None:
    """Build as the panel does, without the cuts."""
    build.build_show(scene, make_channels(), scene_kind=kind, fps=FPS, n_frames=N_FRAMES)


@pytest.mark.usefixtures("small")
def test_a_build_remembers_its_cameras_and_takes_old_cuts_away(scene: Any) -> None:
    for _ in range(2):
        rebuild(scene)
        assert listed(scene) == []
        assert shots.write_cuts(scene, WANTED) == 4
        assert [name for _, _, name in listed(scene)] == ["HX wide", "HX low", "HX close", "HX high"]
    # the user's own scene goes on with the cameras that it has
    rebuild(scene, "rig")
    assert shots.write_cuts(scene, WANTED[:2]) == 2


@pytest.mark.usefixtures("small")
def test_a_build_keeps_the_users_cuts_on_its_new_cameras(scene: Any) -> None:
    rebuild(scene)
    shots.write_cuts(scene, WANTED)
    markers_here = scene.timeline_markers
    markers_here["Low"].frame = 44
    markers_here["Wide"].name = "Doors"
    markers_here.remove(markers_here["Close"])
    markers_here.new("Mine", frame=100).camera = shots.shot_cameras(scene)["close"]
    markers_here.new("Note", frame=120)
    users = [(1, "Doors", "HX wide"), (44, "Low", "HX low"), (100, "Mine", "HX close"), (120, "Note", "")]
    for kind in ("small", "tunnel", "small"):
        rebuild(scene, kind)
        shots.write_cuts(scene, WANTED)
        assert [row[:2] for row in listed(scene)] == [*(row[:2] for row in users), (140, "High")]
        new = shots.shot_cameras(scene)
        for frame, shot in ((1, "wide"), (44, "low"), (100, "close"), (140, "high")):
            scene.frame_set(frame)
            assert scene.camera == new[shot], f"{kind}: frame {frame}"
    assert listed(scene)[:-1] == users


@pytest.mark.usefixtures("small")
def test_where_every_cut_was_deleted_a_build_gives_them_anew(scene: Any) -> None:
    rebuild(scene)
    shots.write_cuts(scene, WANTED)
    for marker in list(scene.timeline_markers):
        scene.timeline_markers.remove(marker)
    assert shots.write_cuts(scene, WANTED) == 0, "a bake leaves it so"
    rebuild(scene)
    assert shots.write_cuts(scene, WANTED) == 4


def test_what_lies_before_the_first_downbeat_belongs_to_the_first_shot(scene: Any, cameras: dict[str, Any]) -> None:
    shots.write_cuts(scene, [(9, "high"), (60, "low")])
    scene.camera = cameras["close"]
    scene.frame_set(1)
    assert scene.camera == cameras["high"]
