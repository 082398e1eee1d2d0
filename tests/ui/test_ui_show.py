"""Build, bake and render from the panel's operators. Zone: tests."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

bpy = pytest.importorskip("bpy")


@pytest.fixture
def heard(scene, loaded) -> Path:
    """A scene whose mix has been analyzed: 30 seconds, one drop."""
    scene.housex.quality = "draft"
    return loaded


def curves() -> int:
    """All keys of the file."""
    from housex_blender.scene import compat

    total = 0
    for name in ("objects", "lights", "materials", "cameras", "meshes", "curves", "worlds", "shape_keys"):
        for owner in getattr(bpy.data, name):
            found = compat.fcurves_of(owner, create=False)
            total += sum(len(curve.keyframe_points) for curve in found) if found is not None else 0
    return total


def test_build_sets_range_rate_sound_and_keys(heard, scene) -> None:
    scene.render.fps, scene.render.fps_base = 30, 1.001
    assert bpy.ops.housex.build_show() == {"FINISHED"}
    assert bpy.context.scene == scene, "an empty scene is used itself"
    assert (scene.frame_start, scene.frame_end) == (1, 900)
    assert scene.render.fps == 30
    assert abs(scene.render.fps_base - 1.001) < 1e-6
    assert scene.camera is not None
    assert "HX Show" in scene.objects
    assert curves() > 500
    if bpy.app.build_options.audaspace:
        strips = getattr(scene.sequence_editor, "strips", None) or scene.sequence_editor.sequences
        assert [Path(bpy.path.abspath(s.sound.filepath)).name for s in strips] == ["set one.wav"]
        assert strips[0].frame_start == 1


def test_somebodys_scene_is_left_alone(heard, scene) -> None:
    cube = bpy.data.objects.new("Mine", None)
    scene.collection.objects.link(cube)
    scene.render.fps = 25
    scene.housex.intensity = 1.5
    assert bpy.ops.housex.build_show() == {"FINISHED"}
    assert list(scene.objects) == [cube]
    made = next(other for other in bpy.data.scenes if other != scene)
    assert made.render.fps == 25
    assert made.housex.intensity == 1.5
    assert made.housex.timeline_path == str(heard)
    assert made.frame_end == 750


def test_or_the_tunnel_goes_into_it_when_wished(heard, scene) -> None:
    cube = bpy.data.objects.new("Mine", None)
    scene.collection.objects.link(cube)
    scene.housex.own_scene = False
    assert bpy.ops.housex.build_show() == {"FINISHED"}
    assert len(bpy.data.scenes) == 1
    assert cube.name in scene.objects
    assert len(scene.objects) > 3


def test_bake_again_changes_keys_but_not_the_scene(heard, scene) -> None:
    bpy.ops.housex.build_show()
    names, keys = sorted(ob.name for ob in scene.objects), curves()
    mine = bpy.data.objects.new("Mine", None)
    scene.collection.objects.link(mine)
    scene.frame_end = 77
    assert bpy.ops.housex.bake() == {"FINISHED"}
    assert sorted(ob.name for ob in scene.objects) == sorted([*names, "Mine"])
    assert curves() == keys
    assert scene.frame_end == 77, "a range that somebody chose stays"
    scene.housex.intensity = 0.0
    assert bpy.ops.housex.bake() == {"FINISHED"}
    from housex_blender.scene import compat

    light = compat.fcurves_of(scene.objects["HX Show"], create=False).find('["light_a"]')
    assert max(point.co[1] for point in light.keyframe_points) == 0.0


def test_the_end_follows_the_frame_rate_unless_somebody_chose_one(heard, scene) -> None:
    from housex_blender.scene import compat

    scene.render.fps, scene.render.fps_base = 24, 1.0
    bpy.ops.housex.build_show()
    assert scene.frame_end == 720
    scene.render.fps = 60
    bpy.ops.housex.bake()
    assert scene.frame_end == 1800
    drop = compat.fcurves_of(scene.objects["HX Show"], create=False).find('["drop"]')
    assert drop.evaluate(901) == 1.0, "the drop begins at 15 s"
    scene.frame_end = 100
    scene.render.fps = 24
    bpy.ops.housex.bake()
    assert scene.frame_end == 100


def test_a_swapped_recording_is_said(heard, scene, mix) -> None:
    mix.write_bytes(mix.read_bytes() + b"\0\0")
    assert bpy.ops.housex.build_show() == {"FINISHED"}
    assert "belongs to another mix" in bpy.context.window_manager.housex.message


def test_build_when_done(scene, mix, engine) -> None:
    engine("ok")
    scene.housex.mix_path, scene.housex.build_when_done, scene.housex.quality = str(mix), True, "draft"
    assert bpy.ops.housex.analyze_mix() == {"FINISHED"}
    assert "HX Show" in scene.objects
    assert bpy.context.window_manager.housex.message.startswith("Built 16 bars")


# -- render -----------------------------------------------------------------------------------------------------


def test_render_writes_a_film_and_sweeps_up(heard, scene, mix) -> None:
    bpy.ops.housex.build_show()
    scene.render.resolution_x, scene.render.resolution_y, scene.render.resolution_percentage = 640, 360, 10
    scene.frame_start, scene.frame_end = 10, 11
    assert bpy.ops.housex.render() == {"FINISHED"}
    film = mix.with_suffix(".mp4")
    assert film.stat().st_size > 1000
    assert not film.with_name("set one.frames").exists()
    render = scene.render
    assert (render.resolution_x, render.resolution_y, render.resolution_percentage) == (640, 360, 10)


def test_where_the_film_goes(heard, scene, mix, tmp_path) -> None:
    from housex_blender.core.errors import SceneError
    from housex_blender.ui.operators_render import order_for
    from housex_blender.ui.places import film_for

    assert film_for("", tmp_path / "mix.flac") == tmp_path / "mix.mp4"
    assert film_for("", tmp_path / "mix.housex.json") == tmp_path / "mix.mp4"
    assert film_for("", tmp_path / "mix.mp4") == tmp_path / "mix-show.mp4"
    scene.frame_start = 49
    scene.render.fps = 24
    order = order_for(scene)
    assert order.film == str(mix.with_suffix(".mp4"))
    assert order.sound_offset_s == pytest.approx(2.0)
    for path, words in ((tmp_path / "x.mov", "not a .mp4"), (tmp_path / "no" / "x.mp4", "cannot be written")):
        scene.housex.film_path = str(path)
        with pytest.raises(SceneError, match=words):
            order_for(scene)


def rendered(scene, **changes) -> dict[str, int]:
    """Render a small frame as the second Blender would, keeping it; when it was written."""
    from dataclasses import replace

    from housex_blender.ui.operators_render import kept_size, order_for
    from housex_blender.ui.render_worker import render_film

    scene.frame_start, scene.frame_end, scene.render.resolution_percentage = 10, 10, 5
    order = replace(order_for(scene), **{"resume": True, "keep_frames": True, "mix": "", **changes})
    with kept_size(scene):
        render_film(order, lambda message: None)
    return {path.name: path.stat().st_mtime_ns for path in Path(order.frames_folder).glob("frame_*.png")}


def key_of_the_users(scene) -> None:
    from housex_blender.scene import compat

    curve = compat.fcurves_of(scene.objects["HX Show"], create=False).find('["light_a"]')
    curve.keyframe_points[3].co[1] += 0.125


def moved(scene) -> None:
    next(ob for ob in scene.objects if ob.name == "Mine").location.x += 0.5


def coloured(scene) -> None:
    bpy.data.materials["Mine"].diffuse_color[1] = 0.25


def sculpted(scene) -> None:
    bpy.data.meshes["Mine"].vertices[0].co.z += 0.5


def another_camera(scene) -> None:
    scene.housex.camera = "restless"
    bpy.ops.housex.bake()


def another_character(scene) -> None:
    row = scene.housex.colours[0]
    row.character = "ribs" if row.character != "ribs" else "slabs"
    bpy.ops.housex.bake()


def another_scene(scene) -> None:
    scene.housex.scene_kind = "lagoon"
    bpy.ops.housex.build_show()


def another_version(scene) -> None:
    from housex_blender.scene import film_frames

    film_frames._our_code = lambda: "another"


CHANGES = (
    key_of_the_users,
    moved,
    coloured,
    sculpted,
    another_camera,
    another_character,
    another_version,
    another_scene,
)


def test_resume_never_mixes_two_films(heard, scene, tmp_path, monkeypatch) -> None:
    from housex_blender.core.errors import SceneError
    from housex_blender.scene import film_frames

    monkeypatch.setattr(film_frames, "_our_code", film_frames._our_code)
    scene.housex.engine = "cycles"
    bpy.ops.housex.build_show()
    mesh = bpy.data.meshes.new("Mine")
    mesh.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1, 2)])
    mesh.materials.append(bpy.data.materials.new("Mine"))
    scene.collection.objects.link(bpy.data.objects.new("Mine", mesh))
    first = rendered(scene)
    # what is current, selected or wished in the panel is no change
    scene.frame_set(99)
    scene.housex.select_first = 4
    assert rendered(scene) == first
    for change in CHANGES:
        change(scene)
        with pytest.raises(SceneError, match="something was changed since"):
            rendered(scene)
        assert rendered(scene, resume=False).keys() == first.keys(), change


def test_a_saved_copy_is_the_same_film(heard, scene, tmp_path) -> None:
    from housex_blender.scene.build import save_copy
    from housex_blender.scene.contents import hash_of_contents

    bpy.ops.housex.build_show()
    hashes = []
    for folder in (tmp_path / "one", tmp_path / "other" / "deeper"):
        folder.mkdir(parents=True)
        bpy.context.scene.frame_set(len(hashes) * 40 + 3)
        copy = save_copy(folder / "copy.blend")
        bpy.ops.wm.open_mainfile(filepath=str(copy))
        hashes.append(hash_of_contents(bpy.context.scene))
    assert hashes[0] == hashes[1]


def test_one_render_at_a_time(heard, scene, tmp_path) -> None:
    from housex_blender.core.errors import SceneError
    from housex_blender.scene.film_frames import only_one
    from housex_blender.ui.operators_render import order_for

    bpy.ops.housex.build_show()
    with only_one(Path(order_for(scene).frames_folder)), pytest.raises(SceneError, match="Another render"):
        rendered(scene)


def test_titles_come_and_go_with_bake(heard, scene, tmp_path) -> None:
    from housex_blender.core.errors import SceneError
    from housex_blender.ui import show

    bpy.ops.housex.build_show()
    settings = scene.housex
    settings.titles = True
    with pytest.raises(RuntimeError, match="no track titles"):
        bpy.ops.housex.bake()

    def titles() -> list[str]:
        return [ob.data.body for ob in scene.objects if ob.type == "FONT"]

    for name in ("Sunrise", "Sundown"):
        (tmp_path / "list.txt").write_text(f"00:00 Somebody - {name}\n")
        settings.titles_path = str(tmp_path / "list.txt")
        assert bpy.ops.housex.bake() == {"FINISHED"}
        assert titles() == [f"somebody\n{name}"]
    (tmp_path / "list.txt").write_text("00:00 Somebody - Sunrise\n99:00 Somebody - Later\n")
    assert "not shown: 1 after the end" in show.bake(bpy.context, scene)
    (tmp_path / "list.txt").write_text("99:00 Somebody - Later\n")
    with pytest.raises(SceneError, match="after the end of the mix"):
        show.bake(bpy.context, scene)
    assert titles() == ["somebody\nSunrise"], "a list that is refused changes nothing"
    settings.titles = False
    bpy.ops.housex.bake()
    assert titles() == []


def test_format_reframes_and_is_what_the_size_says(heard, scene) -> None:
    bpy.ops.housex.build_show()
    settings, render = scene.housex, scene.render
    for name, size in (("wide", (1920, 1080)), ("square", (1080, 1080)), ("vertical", (1080, 1920))):
        settings.format = name
        assert (render.resolution_x, render.resolution_y) == size
        assert settings.format == name
    assert scene.camera.data.sensor_fit == "VERTICAL"
    render.resolution_x = 700
    assert settings.format == "own"


def test_a_transparent_film(heard, scene, mix) -> None:
    from housex_blender.core.errors import SceneError
    from housex_blender.ui.operators_render import order_for

    scene.housex.scene_kind = "lagoon"
    bpy.ops.housex.build_show()
    scene.housex.alpha, scene.housex.film_path = True, str(mix.with_name("x.mp4"))
    with pytest.raises(SceneError, match="transparent"):
        order_for(scene)
    scene.housex.film_path = ""
    backdrops = [ob for ob in scene.objects if ob.get("hx_backdrop")]
    scene.frame_start, scene.frame_end, scene.render.resolution_percentage = 10, 10, 5
    assert bpy.ops.housex.render() == {"FINISHED"}
    assert mix.with_suffix(".mov").stat().st_size > 1000
    assert backdrops
    assert not any(ob.hide_render for ob in backdrops), "the user's scene is as it was"
    assert not scene.render.film_transparent


def test_the_command_of_the_second_blender(heard, scene) -> None:
    from housex_blender.ui.operators_render import order_for, second_blender
    from housex_blender.ui.render_worker import RenderOrder

    order = order_for(scene)
    command = second_blender("/opt/blender", Path("/tmp/copy.blend"), order)
    assert command[:3] == ["/opt/blender", "--background", "/tmp/copy.blend"]
    assert command.index("--python-exit-code") < command.index("--python-expr"), "it holds for what follows only"
    assert RenderOrder(**json.loads(command[-1])).to_json() == order.to_json()
    compile(command[command.index("--python-expr") + 1], "expression", "exec")


def job(tmp_path: Path, code: str):
    from housex_blender.ui.render_job import RenderJob

    return RenderJob([sys.executable, "-u", "-c", code], tmp_path)


def finish(running) -> None:
    end = time.monotonic() + 20
    while running.running:
        assert time.monotonic() < end
        time.sleep(0.02)


def test_render_job_hears_the_end(tmp_path: Path) -> None:
    from housex_blender.core.errors import WorkerError

    good = job(
        tmp_path,
        'print(\'Fra:1\'); print(\'{"type": "result", "path": "/x/film.mp4"}\'); print(\'{"type": "done", "ok": true}\')',
    )
    finish(good)
    assert good.outcome() == Path("/x/film.mp4")
    bad = job(tmp_path, "import os; print('out of memory', flush=True); os.kill(os.getpid(), 9)")
    finish(bad)
    with pytest.raises(WorkerError, match="out of memory"):
        bad.outcome()


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_cancelled_render_leaves_no_process_and_no_half_picture(tmp_path: Path) -> None:
    running = job(tmp_path, "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
                            "print('ready', flush=True); time.sleep(600)")  # fmt: skip
    time.sleep(0.5)
    half, mine = tmp_path / f".frame_000001.{running.pid}.part.png", tmp_path / "frame_000001.png"
    half.write_bytes(b"x")
    mine.write_bytes(b"x")
    running.cancel()
    with pytest.raises(ProcessLookupError):
        os.kill(running.pid, 0)
    assert not half.exists()
    assert mine.exists()


# -- registration and drawing -----------------------------------------------------------------------------------


def test_everything_is_explained(scene) -> None:
    from housex_blender.ui import CLASSES

    for cls in CLASSES:
        if issubclass(cls, bpy.types.Operator):
            module, name = cls.bl_idname.split(".")
            assert getattr(getattr(bpy.ops, module), name).get_rna_type().description, cls
            assert "Blender" not in getattr(cls, "bl_label", "")
    for prop in scene.housex.bl_rna.properties:
        if prop.is_runtime and not prop.is_hidden:
            assert prop.name
            assert prop.description, prop.identifier
            assert not prop.description.endswith("."), prop.identifier


def test_off_and_on_again_leaves_nothing(addon) -> None:
    from housex_blender.ui import CLASSES

    names = [cls.__name__ for cls in CLASSES if not issubclass(cls, bpy.types.PropertyGroup)]
    for _ in range(2):
        addon.unregister()
        left = [name for name in names if hasattr(bpy.types, name)]
        gone = not hasattr(bpy.types.Scene, "housex") and not hasattr(bpy.types.WindowManager, "housex")
        addon.register()
        assert left == []
        assert gone
    assert all(hasattr(bpy.types, name) for name in names)


def test_blender_calls_the_classes_that_were_registered(addon) -> None:
    from housex_blender.ui import CLASSES

    assert [c.__name__ for c in CLASSES if getattr(bpy.types, c.bl_rna.identifier, c) is not c] == []


def test_no_class_is_a_subclass_of_another(addon) -> None:
    """Blender draws nothing in a panel whose class has a registered subclass."""
    from housex_blender.ui import CLASSES

    assert [cls for cls in CLASSES if set(cls.__subclasses__()) & set(CLASSES)] == []


class Layout:
    """Takes what a panel draws and refuses names that do not exist."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def __getattr__(self, name: str):
        if name in ("row", "column", "box", "split"):
            return lambda **_: self
        raise AttributeError(name)

    def prop(self, owner, name: str, **_) -> None:
        assert name in owner.bl_rna.properties, name
        self.seen.append(name)

    def operator(self, name: str, **_) -> SimpleNamespace:
        module, function = name.split(".")
        assert hasattr(getattr(bpy.ops, module), function)
        assert getattr(getattr(bpy.ops, module), function).get_rna_type()
        self.seen.append(name)
        return SimpleNamespace()

    def operator_menu_enum(self, name: str, prop: str, **_) -> None:
        module, function = name.split(".")
        assert prop in getattr(getattr(bpy.ops, module), function).get_rna_type().properties
        self.seen.append(name)

    def menu(self, name: str, **_) -> None:
        assert hasattr(bpy.types, name)
        self.seen.append(name)

    def separator(self) -> None: ...

    def label(self, *, text: str, **_) -> None:
        self.seen.append(text)

    def progress(self, *, factor: float, text: str, **_) -> None:
        assert 0 <= factor <= 1
        self.seen.append(text)


@pytest.mark.parametrize("busy", ["NONE", "ANALYSIS", "RENDER"])
def test_panels_draw_in_every_state(heard, scene, busy) -> None:
    from housex_blender.ui import panels, panels_show

    status = bpy.context.window_manager.housex
    status.busy, status.stage, status.fraction, status.time_left = busy, "Listening", 0.5, "about 3 s left"
    status.message = "A sentence that is long enough to need more than one line in a narrow sidebar."
    seen: list[str] = []
    try:
        for panel in (*panels.CLASSES, *panels_show.CLASSES):
            layout = Layout()
            context = SimpleNamespace(scene=scene, window_manager=bpy.context.window_manager, region=None,
                                      preferences=bpy.context.preferences)  # fmt: skip
            panel.draw(SimpleNamespace(layout=layout), context)
            seen += layout.seen
    finally:
        status.busy, status.message = "NONE", ""
    assert ("housex.cancel" in seen) == (busy != "NONE")
    assert ("50%, about 3 s left" in seen) == (busy != "NONE")
    assert ("housex.analyze_mix" in seen) == (busy != "ANALYSIS")
    assert "Future House  43%" in seen
    assert "1  0:00  Future House" in seen
    assert "Future House: chords, light" in seen, "the sentence is wrapped"


def test_time_left_is_spoken_plainly() -> None:
    from housex_blender.ui.session import TimeLeft, spoken_time

    now = [0.0]
    left = TimeLeft(lambda: now[0])
    assert left.estimate(0.0) is None
    now[0] = 10.0
    assert left.estimate(0.25) == pytest.approx(30.0)
    assert [spoken_time(s) for s in (None, 0.2, 42, 600, 7200)] == [
        "", "about 1 s left", "about 42 s left", "about 10 min left", "about 2.0 h left"]  # fmt: skip


def test_timeline_goes_where_it_can_be_written(scene, tmp_path, monkeypatch) -> None:
    from housex_blender.ui import places

    mix = tmp_path / "a.flac"
    assert places.timeline_for(mix) == tmp_path / "a.housex.json"
    monkeypatch.setattr(places.os, "access", lambda *_: False)
    assert places.timeline_for(mix).parent == places.user_folder()
    assert "housex_blender" not in str(places.user_folder())
