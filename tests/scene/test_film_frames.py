"""Whose frames wait in a folder: what the fingerprint of a film knows, and a .blend that follows nothing."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path

import pytest

bpy = pytest.importorskip("bpy")

from housex_blender.core.errors import SceneError  # noqa: E402
from housex_blender.core.flash_limit import Tamed  # noqa: E402
from housex_blender.core.looks import Look  # noqa: E402
from housex_blender.scene import film, film_frames, rig  # noqa: E402

from ..conftest import make_timeline  # noqa: E402


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A .blend with a lamp, a texture in a file beside it, and an "HX Show" that nobody reads yet."""
    scene = bpy.context.scene
    rig.ensure_show(scene)["light_a"] = 0.0
    lamp = bpy.data.objects.new("Lamp", bpy.data.lights.new("Lamp", "POINT"))
    scene.collection.objects.link(lamp)
    picture = bpy.data.images.new("Wall", 2, 2)
    picture.filepath_raw, picture.file_format = str(tmp_path / "wall.png"), "PNG"
    picture.save()
    bpy.data.images.remove(picture)
    bpy.data.images.load(str(tmp_path / "wall.png")).use_fake_user = True
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "own.blend"))
    return tmp_path / "own.blend"


def show_of(own: Path) -> film.Show:
    plan = film.FilmPlan(scene=str(own), resolution=(96, 54), end_s=2.0)
    return film.make_show(make_timeline(), Look(), own.with_name("mix.wav"), plan)


def test_all_that_decides_a_frame_is_in_the_fingerprint(own: Path, monkeypatch) -> None:
    show = show_of(own)

    def made_from(changed: film.Show = show, engine: str = "CYCLES") -> str:
        return film_frames.fingerprint(changed, engine)["made_from"]

    prints = [made_from(), made_from(engine="BLENDER_WORKBENCH")]
    looks = ({"characters": {"Bass House": "ribs"}}, {"camera": "restless"}, {"intensity": 0.5}, {"seed": 3})
    prints += [made_from(replace(show, look=replace(show.look, **look))) for look in looks]
    plans = ({"scene": "lagoon"}, {"quality": "final"}, {"fps": 25.0}, {"resolution": (54, 96)}, {"engine": "eevee"})
    prints += [made_from(replace(show, plan=replace(show.plan, **plan))) for plan in plans]
    later = replace(show.timeline, energy=show.timeline.energy * 0.5)
    prints.append(made_from(replace(show, timeline=later)))
    own.with_name("wall.png").write_bytes(b"another picture")
    prints.append(made_from())
    with monkeypatch.context() as patch:
        patch.setattr(film_frames, "_our_code", lambda: "of another version")
        prints.append(made_from())
    with monkeypatch.context() as patch:
        patch.setattr(film_frames.compat, "has_gpu_for_cycles", lambda: True)
        prints.append(made_from())
    assert len(set(prints)) == len(prints)
    assert made_from() == prints[-3], "the same again is the same"


def test_softened_places_of_a_loop_are_seconds_of_the_mix(monkeypatch) -> None:
    timeline = make_timeline()
    start_s, end_s = (float(timeline.grid.starts_s[bar]) for bar in (8, 12))
    plan = film.FilmPlan(start_s=start_s, end_s=end_s, loop=True)
    found = Tamed(((0.5, 1.0),), 5, 3)
    monkeypatch.setattr(film, "safe_loop", lambda channels, *_: (channels, found))
    _, _, tamed = film.directed(timeline, Look(), plan)
    assert tamed is not None
    assert tamed.seconds[0] == pytest.approx((start_s + 0.5, start_s + 1.0), abs=1 / plan.fps)
    assert (tamed.before, tamed.after) == (5, 3)


def test_the_lock_goes_with_its_render_and_strangers_get_none(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "notes.txt").write_text("precious")
    with pytest.raises(SceneError, match=r"notes\.txt"), film_frames.only_one(mine):
        pass
    assert [path.name for path in mine.iterdir()] == ["notes.txt"]
    frames = tmp_path / "film.frames"
    with contextlib.suppress(ValueError), film_frames.only_one(frames):
        with pytest.raises(SceneError, match="Another render"), film_frames.only_one(frames):
            pass
        assert (frames / film_frames.LOCK_FILE).exists(), "whoever has no lock takes none away"
        raise ValueError("cut short")
    assert list(frames.iterdir()) == []


def test_a_damaged_note_on_the_frames_stops_only_resume(tmp_path: Path) -> None:
    for name in ("frame_000001.png", film_frames.JOB_FILE):
        (tmp_path / name).write_text("{")
    with pytest.raises(SceneError, match="damaged"):
        film_frames.prepare_frames({"made_from": "x"}, tmp_path, resume=True)
    film_frames.prepare_frames({"made_from": "x"}, tmp_path, resume=False)
    assert [path.name for path in tmp_path.iterdir()] == [film_frames.JOB_FILE]
    film_frames.prepare_frames({"made_from": "x"}, tmp_path, resume=True)


def test_a_blend_that_follows_nothing_is_said(own: Path) -> None:
    assert [text for text in show_of(own).warnings if "Nothing in own.blend follows" in text]
    bpy.ops.wm.open_mainfile(filepath=str(own))
    light = bpy.data.lights["Lamp"].driver_add("energy").driver
    light.type = "SUM"
    light.variables.new().targets[0].id = bpy.context.scene.objects["HX Show"]
    light.variables[0].targets[0].data_path = '["light_a"]'
    bpy.ops.wm.save_mainfile()
    assert not [text for text in show_of(own).warnings if "follows" in text or "cannot work out" in text]
    # no wrong expression: Python's own end would hang after one
    dead = bpy.data.lights["Lamp"].driver_add("shadow_soft_size").driver
    dead.type = "SUM"
    dead.variables.new().targets[0].id = bpy.context.scene.objects["HX Show"]
    dead.variables[0].targets[0].data_path = '["gone"]'
    bpy.ops.wm.save_mainfile()
    assert [text for text in show_of(own).warnings if "cannot work out" in text and text.endswith("Lamp.")]
