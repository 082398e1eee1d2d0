"""Runs inside Blender (``-P``) and only watches: several times a second it writes what it sees into a file. Zone: tests.

Arguments after ``--``: the folder for ``state.json``. It also answers which button is under the pointer: the question
comes as ``ask.json`` (number, window, x, y), the answer goes into the state as ``button``.
"""

import contextlib
import json
import os
import sys
import time
from pathlib import Path

import bpy

FOLDER = Path(sys.argv[sys.argv.index("--") + 1])
INTERVAL_S = 0.1
# settings that a user changes in the panels Show and Film
CHOICES = ("scene_kind", "camera", "allow_flashes", "format", "titles", "titles_path", "alpha")
seen = {"n": 0, "ticks": 0, "longest_gap_s": 0.0, "button": {}, "problems": [], "drawn": {}, "wrapped": False,
        "sums": 0, "key_sum": 0.0}  # fmt: skip
last_s = time.monotonic()


def product(name, room="ui"):
    """A module of the extension, once it is enabled."""
    return next(
        (module for key, module in list(sys.modules.items()) if key.endswith(f".housex_blender.{room}.{name}")), None
    )


def count_calls():
    """Count the ticks of our modal operators, and how often each of our panels is drawn, from outside."""
    jobs = product("job_operator")
    if jobs is None or seen["wrapped"]:
        return
    seen["wrapped"] = True
    step = jobs.JobOperator._step

    def counted(self, context, event):
        seen["ticks"] += event.type == "TIMER"
        return step(self, context, event)

    jobs.JobOperator._step = counted
    for panel in [*product("panels").CLASSES, *product("panels_show").CLASSES]:
        note_draws(panel)


def note_draws(panel):
    draw = panel.draw

    def noted(self, context):
        seen["drawn"][panel.__name__] = seen["drawn"].get(panel.__name__, 0) + 1
        return draw(self, context)

    panel.draw = noted


def area_facts(area):
    space = area.spaces.active
    # only there: 4.3 crashes when a file browser that is being opened is asked
    tabs = area.type == "VIEW_3D"
    facts = {"type": area.type, "ui_type": area.ui_type, "box": [area.x, area.y, area.width, area.height]}
    facts["regions"] = [
        {"type": region.type, "box": [region.x, region.y, region.width, region.height],
         "tab": region.active_panel_category if tabs and region.type == "UI" else ""}
        for region in area.regions
    ]  # fmt: skip
    if area.type == "DOPESHEET_EDITOR":
        # where two frames are, from the left of the region: all others follow
        view = next(region.view2d for region in area.regions if region.type == "WINDOW")
        facts["frames_x"] = [view.view_to_region(frame, 0, clip=False)[0] for frame in (0, 1000)]
    if tabs:
        facts["shading"], facts["view"] = space.shading.type, space.region_3d.view_perspective
    return facts


def window_facts(window):
    return {
        "box": [window.x, window.y, window.width, window.height],
        "scene": window.scene.name,
        "workspace": window.workspace.name,
        "playing": window.screen.is_animation_playing,
        "modal": [operator.bl_idname for operator in getattr(window, "modal_operators", ())],
        "areas": [area_facts(area) for area in window.screen.areas],
    }


def scene_facts(scene):
    facts = {"name": scene.name, "frame": scene.frame_current, "frames": [scene.frame_start, scene.frame_end],
             "objects": len(scene.objects), "engine": scene.render.engine,
             "collections": [collection.name for collection in scene.collection.children],
             "titles_shown": sum(thing.get("hx_owned") == "titles" for thing in scene.objects),
             "cuts": [[mark.frame, mark.camera.name, mark.select] for mark in scene.timeline_markers if mark.camera],
             "percent": scene.render.resolution_percentage}  # fmt: skip
    settings = getattr(scene, "housex", None)
    if settings is not None:
        facts |= {
            name: getattr(settings, name)
            for name in ("mix_path", "timeline_path", "summary", "warnings", "edits", *CHOICES)
        }
        facts["characters"] = [row.character for row in settings.colours]
        facts["size"] = [scene.render.resolution_x, scene.render.resolution_y]
    return facts


def add_keys():
    """The sum of all that the channels are keyed with, if it is asked for: another show has another one."""
    if not (FOLDER / "sum").exists():
        return
    (FOLDER / "sum").unlink()
    scene = bpy.context.window_manager.windows[0].scene
    total = 0.0
    for curve in product("compat", "scene").fcurves_of(product("rig", "scene").find_show(scene), create=False):
        values = [0.0] * (2 * len(curve.keyframe_points))
        curve.keyframe_points.foreach_get("co", values)
        total += sum(values)
    seen["sums"], seen["key_sum"] = seen["sums"] + 1, total


def status_facts():
    status = getattr(bpy.context.window_manager, "housex", None)
    if status is None:
        return {}
    names = ("busy", "stage", "fraction", "time_left", "message", "message_icon", "message_panel")
    return {name: getattr(status, name) for name in names}


def engine_page():
    """What the preferences show of the last engine check."""
    module = product("operators_engine")
    if module is None:
        return {}
    page = module.page
    return {"running": page.session is not None, "message": page.message, "table": [list(row) for row in page.table]}


def jobs():
    module = product("session")
    return [] if module is None else [session.pid for session in module.open_sessions()]


def answer():
    """Say which operator or property is under the pointer."""
    path = FOLDER / "ask.json"
    if not path.exists():
        return
    question = json.loads(path.read_text())
    path.unlink()
    x, y = question["x"], question["y"]
    windows = bpy.context.window_manager.windows
    found = ""
    if question["window"] < len(windows):
        window = windows[question["window"]]
        for area in window.screen.areas:
            # the regions that lie on top come last
            for region in reversed(area.regions):
                if found or not (0 <= x - region.x < region.width and 0 <= y - region.y < region.height):
                    continue
                with bpy.context.temp_override(window=window, area=area, region=region):
                    found = button_text()
    seen["button"] = {"number": question["number"], "text": found}


def button_text():
    """Blender's own commands for "what is this?" leave it on the clipboard."""
    manager = bpy.context.window_manager
    for command in (bpy.ops.ui.copy_python_command_button, lambda: bpy.ops.ui.copy_data_path_button(full_path=True)):
        manager.clipboard = ""
        with contextlib.suppress(RuntimeError):
            command()
        if manager.clipboard:
            return manager.clipboard
    return ""


def watch():
    """One look; whatever goes wrong with it is a finding too."""
    global last_s
    now_s = time.monotonic()
    seen["n"] += 1
    seen["longest_gap_s"] = max(seen["longest_gap_s"], now_s - last_s)
    last_s = now_s
    try:
        count_calls()
        answer()
        add_keys()
        if (FOLDER / "reset").exists():
            (FOLDER / "reset").unlink()
            seen["longest_gap_s"] = 0.0
        state = {
            **seen,
            "time_s": now_s,
            "version": list(bpy.app.version),
            "status": status_facts(),
            "jobs": jobs(),
            "engine_page": engine_page(),
            "section": bpy.context.preferences.active_section,
            "file": bpy.data.filepath,
            "dirty": bpy.data.is_dirty,
            "scenes": [scene_facts(scene) for scene in bpy.data.scenes],
            "windows": [window_facts(window) for window in bpy.context.window_manager.windows],
        }
        part = FOLDER / "state.part"
        part.write_text(json.dumps(state))
        os.replace(part, FOLDER / "state.json")
    except Exception as error:  # noqa: BLE001 - it must go on watching
        seen["problems"] = [*seen["problems"][-9:], f"{type(error).__name__}: {error}"]
    return INTERVAL_S


bpy.context.preferences.view.show_splash = False
bpy.app.timers.register(watch, first_interval=0.5, persistent=True)
