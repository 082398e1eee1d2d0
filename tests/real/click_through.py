"""Clicks through the extension in a real Blender with a window; a picture of every step. Zone: tests.

    python -m tests.real.click_through --out out/click-through

Needs Blender, Xvfb, xdotool and ImageMagick; :mod:`.application` says how they are found. Writes pictures and
report.json; the exit code is 0 only if every step was seen to work and Blender's console shows no traceback.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from .application import ROOT, Application, applications, build_zip, has_window_tools
from .desktop import Desktop, Stuck, wait_for

DEMO_MIX = ROOT / "demo_scenes" / "demo_mix.ogg"
SHORT_S, LONG_S = 75, 3600
MIN_TICKS_PER_S = 8.0
MAX_CLICKS = 5
# a picture of the show: its mean saturation, and how far two moments lie apart, both 0..1
MIN_SATURATION, MIN_CHANGE = 0.15, 0.004
# what may not be in the console; Debian's builds complain about their own surroundings
BAD_WORDS = ("Traceback", "Error:", "bpy.rna", "unregister", "HOUSEX", "housex_blender")
ENGINE = "housex_blender.analysis"

# the arrow of our entry in the list of add-ons
ENTRY = 'addon_expand(module="bl_ext.user_default.housex"'
# places in the menu of editors, from the corner of the area; the same in every version so far
EDITOR_MENU = {"VIEW_3D": (75, 69), "SEQUENCE_EDITOR": (90, 230), "DOPESHEET_EDITOR": (305, 69)}
# on a screen of this width
SCENE_BUTTONS = ((1079, 13), (1100, 13))

Seen = dict[str, Any]


class Report:
    """What was tried, and what came of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.steps: list[Seen] = []
        self.facts: Seen = {}

    @contextlib.contextmanager
    def step(self, desktop: Desktop, name: str) -> Iterator[None]:
        """One step: a picture at its end, and a line; its failure ends the run that it belongs to."""
        start_s, problem = time.monotonic(), ""
        try:
            yield
        except (Stuck, AssertionError) as error:
            problem = str(error) or "not as expected"
            raise
        finally:
            picture = desktop.shot(f"{len(self.steps) + 1:02d}-{name.lower().replace(' ', '-')}")
            line = {"step": name, "ok": not problem, "problem": problem, "took_s": round(time.monotonic() - start_s, 1),
                    "picture": picture.relative_to(self.folder).as_posix()}  # fmt: skip
            self.steps.append(line)
            print(f"{'ok  ' if not problem else 'FAIL'} {name} {problem}", flush=True)

    @property
    def ok(self) -> bool:
        """Whether there was anything, and all of it went well."""
        return bool(self.steps) and all(step["ok"] for step in self.steps)

    def write(self) -> None:
        """Leave report.json."""
        text = json.dumps({"ok": self.ok, **self.facts, "steps": self.steps}, indent=1)
        (self.folder / "report.json").write_text(text + "\n", encoding="utf-8")


# -- things that are looked up


def engines(mixes: Path) -> list[int]:
    """Processes that analyze one of our mixes."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            line = path.read_bytes().decode(errors="replace")
            if ENGINE in line and str(mixes) in line:
                found.append(int(path.parent.name))
    return found


def idle(state: Seen) -> bool:
    """Nothing of ours runs, as the panel sees it."""
    return bool(state["status"].get("busy") == "NONE" and not state["jobs"])


def analyzing(state: Seen) -> bool:
    """An engine is at work."""
    return bool(state["status"].get("busy") == "ANALYSIS" and state["jobs"] and state["jobs"][0])


def shown_scene(state: Seen) -> Seen:
    """The scene of the first window."""
    name = state["windows"][0]["scene"]
    return next(scene for scene in state["scenes"] if scene["name"] == name)


def view_box(desktop: Desktop) -> tuple[int, int, int, int]:
    """The part of the 3D view that no toolbar and no sidebar lies over."""
    area = desktop.area("VIEW_3D", window=0)
    x, y, width, height = desktop.region("WINDOW", area)
    with contextlib.suppress(Stuck):
        width = desktop.region("UI", area)[0] - x
    return x + 120, y + 110, width - 200, height - 140


def saturation(pixels: NDArray[np.float32]) -> float:
    """Mean of (max - min) / max over the channels; 0 for grey and for black."""
    high, low = pixels.max(axis=2), pixels.min(axis=2)
    return float(np.mean(np.where(high > 0.03, (high - low) / np.maximum(high, 1e-6), 0.0)))


def look(desktop: Desktop, name: str) -> NDArray[np.float32]:
    """What the 3D view shows now; the picture is kept under this name."""
    return desktop.pixels(desktop.shot(name), view_box(desktop))


# -- what a user does


def open_tab(desktop: Desktop) -> None:
    """Open the sidebar with N, then the tab HouseX: goes down the tabs, though a user sees where it is."""
    area = desktop.area("VIEW_3D")
    x, y, width, height = desktop.region("WINDOW", area)
    desktop.move(x + width // 3, y + height // 2)
    desktop.key("n")
    desktop.wait(lambda s: tab_of(s) is not None, "the sidebar")
    left, top, width, height = desktop.region("UI", desktop.area("VIEW_3D"))
    clicks = desktop.clicks
    for tab_y in range(top + 20, top + height, 25):
        desktop.click(left + width - 13, tab_y)
        desktop.fresh(3)
        if tab_of(desktop.state()) == "HouseX":
            desktop.clicks = clicks + 1
            return
    raise Stuck("the sidebar has no tab HouseX")


def tab_of(state: Seen) -> str | None:
    """The open tab of the 3D view's sidebar, or None."""
    for area in state["windows"][0]["areas"]:
        for region in area["regions"]:
            if area["type"] == "VIEW_3D" and region["type"] == "UI" and region["box"][2] > 1:
                return str(region["tab"])
    return None


def press(desktop: Desktop, wanted: str, kind: str = "VIEW_3D", region: str = "UI") -> None:
    """Click the button of a command."""
    desktop.click(*desktop.find(wanted, kind, region))


def choose_file(desktop: Desktop) -> None:
    """In the file browser: a double click on the first file of the list."""
    desktop.wait(lambda s: len(s["windows"]) > 1, "the file browser")
    desktop.place("File View")
    left, top, _, _ = desktop.region("WINDOW", desktop.area("FILE_BROWSER"))
    desktop.click(left + 80, top + 38, count=2)


def analyze(desktop: Desktop) -> None:
    """Press Analyze Mix, choose the mix if none is chosen yet, and wait until the engine is at work."""
    chosen = shown_scene(desktop.state())["mix_path"]
    press(desktop, "analyze_mix")
    if not chosen:
        choose_file(desktop)
    desktop.wait(analyzing, "the engine")


def stopped(desktop: Desktop, mixes: Path) -> None:
    """Wait until the panel is idle and no engine is left."""
    desktop.wait(idle, "an idle panel", 20)
    wait_for(lambda: not engines(mixes), "the end of the engine", 10)


def over_view(desktop: Desktop) -> None:
    """Move the pointer over the 3D view, where keys go to it."""
    x, y, width, height = view_box(desktop)
    desktop.move(x + width // 2, y + height // 2)


def open_panel(desktop: Desktop, name: str, start: int = 0) -> tuple[int, int]:
    """Open a closed panel: clicks what is no button, downwards, until the panel is drawn; returns its header's place."""
    left, top, _width, height = desktop.region("UI", desktop.area("VIEW_3D"))
    x = left + 60
    for y in range(max(start, top + 30), top + height - 4, 13):
        if desktop.button(x, y):
            continue
        before = desktop.state()["drawn"].get(name, 0)
        desktop.click(x, y)
        if desktop.fresh(4)["drawn"].get(name, 0) > before:
            return x, y
    raise Stuck(f"the panel {name} does not open")


# -- the runs


def five_clicks(desktop: Desktop, report: Report, mixes: Path) -> None:
    """From installed to a coloured, moving viewport."""
    with report.step(desktop, "tab HouseX"):
        open_tab(desktop)
    with report.step(desktop, "file browser"):
        press(desktop, "analyze_mix")
        desktop.wait(lambda s: len(s["windows"]) > 1, "the file browser")
        desktop.place("File View")
    with report.step(desktop, "analysis runs"):
        choose_file(desktop)
        desktop.wait(lambda s: s["status"].get("busy") == "ANALYSIS", "the analysis")
    with report.step(desktop, "tunnel is built"):
        state = desktop.wait(lambda s: idle(s) and bool(s["status"]["message"]), "the tunnel", 120)
        assert state["status"]["message_icon"] == "CHECKMARK", state["status"]["message"]
        area = desktop.area("VIEW_3D", window=0)
        assert [area["view"], area["shading"]] == ["CAMERA", "MATERIAL"], [area["view"], area["shading"]]
        assert not engines(mixes), "the engine is still there"
    with report.step(desktop, "viewport is coloured"):
        over_view(desktop)
        start_s = time.monotonic()
        # first the shaders are compiled, which takes a minute without a graphics card
        wait_for(lambda: saturation(look(desktop, "view")) >= MIN_SATURATION, "a coloured viewport", 240)
        report.facts["seconds_to_colour"] = round(time.monotonic() - start_s, 1)
    with report.step(desktop, "plays"):
        over_view(desktop)
        desktop.key("space")
        state = desktop.wait(lambda s: s["windows"][0]["playing"] and shown_scene(s)["frame"] > 1, "playback", 180)
        first, frame = look(desktop, "play-1"), shown_scene(state)["frame"]
        # software rendering may take seconds for each frame
        desktop.wait(lambda s: shown_scene(s)["frame"] >= frame + 8, "eight frames", 240)
        second = look(desktop, "play-2")
        seen = {"saturation": round(saturation(second), 3), "change": round(float(np.abs(second - first).mean()), 4)}
        report.facts |= {"clicks_to_viewport": desktop.clicks, "viewport": seen}
        assert seen["saturation"] >= MIN_SATURATION, f"the viewport is not coloured: {seen}"
        assert seen["change"] >= MIN_CHANGE, f"the viewport does not move: {seen}"
        assert desktop.clicks <= MAX_CLICKS, f"{desktop.clicks} clicks"
        desktop.key("space")
        desktop.wait(lambda s: not s["windows"][0]["playing"], "the end of playback")


def tour(desktop: Desktop, report: Report, _mixes: Path) -> None:
    """Every panel, opened by its header; then other editors and the preferences."""
    # drawing the tunnel in software between all these clicks would take minutes
    over_view(desktop)
    desktop.key("shift+z")
    desktop.fresh(5)
    left, top, width, _ = desktop.region("UI", desktop.area("VIEW_3D"))
    middle, below = (left + width // 2, top + 200), 0
    for name in ("tracks", "bars", "grid", "timing"):
        with report.step(desktop, f"panel {name}"):
            x, below = open_panel(desktop, f"HOUSEX_PT_{name}", below)
            desktop.scroll(*middle, 14)
        desktop.scroll(*middle, -40)
        desktop.click(x, below)
    # closes the panel Mix
    desktop.click(left + 60, top + 16)
    with report.step(desktop, "panel look"):
        desktop.fresh(4)
    for name in ("colours", "own"):
        with report.step(desktop, f"panel {name}"):
            desktop.scroll(*middle, 40)
            open_panel(desktop, f"HOUSEX_PT_{name}", top + 100)
            desktop.scroll(*middle, 6)
    with report.step(desktop, "panel film"):
        desktop.scroll(*middle, 40)
    for kind in ("SEQUENCE_EDITOR", "DOPESHEET_EDITOR", "VIEW_3D"):
        with report.step(desktop, f"ribbon in {kind.lower()}"):
            change_editor(desktop, kind)
            desktop.move(500, 500)
            if kind != "VIEW_3D":
                desktop.key("Home")
            desktop.fresh(8)


def change_editor(desktop: Desktop, kind: str) -> None:
    """Make the largest area another editor, with the menu in its corner."""
    area = largest(desktop.state())
    left, top, _, _ = desktop.region("HEADER", {**area, "origin": [0, 0]})
    desktop.click(left + 24, top + 13)
    time.sleep(0.7)
    x, y = EDITOR_MENU[kind]
    desktop.click(left + x, top + y)
    # the timeline below is of the same type as the dope sheet
    desktop.wait(lambda s: largest(s)["type"] == kind, kind)


def largest(state: Seen) -> Seen:
    """The first window's largest area."""
    areas: list[Seen] = state["windows"][0]["areas"]
    return max(areas, key=lambda area: area["box"][2] * area["box"][3])


def preferences(desktop: Desktop, report: Report, _mixes: Path) -> None:
    """The extension's page in the preferences, and the check of the engine."""
    with report.step(desktop, "preferences page"):
        over_view(desktop)
        desktop.key("ctrl+comma")
        desktop.wait(lambda s: len(s["windows"]) > 1, "the preferences")
        desktop.place("Preferences")
        open_section(desktop, "ADDONS")
        desktop.click(*desktop.find(ENTRY, "PREFERENCES", "WINDOW", (0.035,)))
        desktop.fresh(4)
    with report.step(desktop, "engine check"):
        left, top, width, height = desktop.region("WINDOW", desktop.area("PREFERENCES"))
        middle = (left + width // 2, top + height // 2)
        desktop.scroll(*middle, 12)
        desktop.click(*desktop.find("check_engine", "PREFERENCES", "WINDOW", (0.2,)))
        state = desktop.wait(lambda s: bool(s["engine_page"]["table"]) and not s["engine_page"]["running"],
                             "the table of the engine", 90)  # fmt: skip
        report.facts["engine_table"] = state["engine_page"]["table"]
        desktop.scroll(*middle, 4)


def open_section(desktop: Desktop, section: str) -> None:
    """In the preferences: goes down the sections on the left until the one is open."""
    left, top, width, height = desktop.region("UI", desktop.area("PREFERENCES"))
    for y in range(top + 45, top + height - 10, 13):
        desktop.click(left + width // 2, y)
        if desktop.fresh(3)["section"] == section:
            return
    raise Stuck(f"the preferences have no section {section}")


def install(desktop: Desktop, report: Report, _mixes: Path) -> None:
    """From the zip on disk, by the menu of Get Extensions."""
    with report.step(desktop, "install from disk"):
        assert not desktop.state()["status"], "it is installed already"
        over_view(desktop)
        desktop.key("ctrl+comma")
        desktop.wait(lambda s: len(s["windows"]) > 1, "the preferences")
        desktop.place("Preferences")
        open_section(desktop, "EXTENSIONS")
        left, top, width, _ = desktop.region("WINDOW", desktop.area("PREFERENCES"))
        desktop.click(left + width - 16, top + 16)
        time.sleep(0.7)
        # the last entry
        desktop.key("Up", "Return")
        desktop.wait(lambda s: "FILE_BROWSER" in [a["type"] for w in s["windows"] for a in w["areas"]], "the browser")
        desktop.place("File View")
        left, top, _, _ = desktop.region("WINDOW", desktop.area("FILE_BROWSER"))
        desktop.click(left + 80, top + 38, count=2)
        desktop.wait(lambda s: bool(s["status"]), "the extension", 60)
        desktop.fresh(6)


def demo(desktop: Desktop, report: Report, _mixes: Path) -> None:
    """The show that came along, by one button."""
    with report.step(desktop, "demo is built"):
        open_tab(desktop)
        press(desktop, "open_demo")
        state = desktop.wait(lambda s: idle(s) and bool(s["status"]["message"]), "the demo", 120)
        assert state["status"]["message_icon"] == "CHECKMARK", state["status"]["message"]
    over_view(desktop)
    desktop.key("shift+z")
    desktop.fresh(5)


def seek(desktop: Desktop, wanted: str, across: tuple[float, ...] = (0.7,)) -> tuple[int, int]:
    """Look for a button in the sidebar as it is, then from its top down; returns its place.

    Raises:
        Stuck: It is nowhere.
    """
    left, top, width, _ = desktop.region("UI", desktop.area("VIEW_3D"))
    # the strip between the panels and the tabs: a wheel over a button would change it
    x, y = left + width - 32, top + 200
    for notches in (0, -60, 9, 9, 9, 9):
        if notches:
            desktop.scroll(x, y, notches)
        with contextlib.suppress(Stuck):
            return desktop.find(wanted, across=across)
    raise Stuck(f"no button {wanted} in the sidebar")


def choose(desktop: Desktop, wanted: str, value: str) -> None:
    """Open the list of a property and take another entry than the present one; its picture is kept.

    Args:
        desktop: With the sidebar open.
        wanted: Part of the property's name in Blender.
        value: Its name in the watcher's facts about a scene.

    Raises:
        AssertionError: The scene has the same value still.
    """
    place, before = seek(desktop, wanted), shown_scene(desktop.state())[value]
    # which entry the first key lights up depends on the version and on where the list had room
    for keys in (("Down",), ("Down", "Down"), ("Up",)):
        desktop.click(*place)
        time.sleep(0.7)
        desktop.shot(f"list-{wanted}")
        desktop.key(*keys, "Return")
        if shown_scene(desktop.fresh(4))[value] != before:
            return
    raise AssertionError(f"the list {wanted} changed nothing")


def fill(desktop: Desktop, wanted: str, text: str) -> None:
    """Type into a field: a double click opens it."""
    desktop.click(*seek(desktop, wanted), count=2)
    desktop.fresh(2)
    desktop.key("ctrl+a")
    desktop.type(text)
    desktop.key("Return")
    desktop.fresh(4)


def bake(desktop: Desktop, seen: Callable[[Seen], bool], what: str) -> None:
    """Press Bake, and wait until something holds of the scene."""
    desktop.click(*seek(desktop, "housex.bake("))
    desktop.wait(lambda s: seen(shown_scene(s)), what)


def key_sum(desktop: Desktop) -> float:
    """The sum of what all channels are keyed with."""
    number = desktop.state()["sums"]
    (desktop.folder / "sum").touch()
    return float(desktop.wait(lambda s: s["sums"] > number, "the sum of the keys")["key_sum"])


def bake_other_keys(desktop: Desktop, before: float) -> None:
    """Press Bake: the channels must move in another way then."""
    desktop.click(*seek(desktop, "housex.bake("))
    desktop.fresh(4)
    assert key_sum(desktop) != before, "the keys are the same"


def options(desktop: Desktop, report: Report, mixes: Path) -> None:
    """Every choice of the panels Show and Film that is no number: opened, taken, and seen to count."""
    left, top, _, _ = desktop.region("UI", desktop.area("VIEW_3D"))
    before = shown_scene(desktop.state())
    # closes the panel Mix
    desktop.scroll(left + 60, top + 200, -60)
    desktop.click(left + 60, top + 16)
    with report.step(desktop, "another scene"):
        choose(desktop, "scene_kind", "scene_kind")
        desktop.click(*seek(desktop, "build_show", (0.3,)))
        desktop.wait(lambda s: shown_scene(s)["collections"] != before["collections"], "the other scene", 120)
        over_view(desktop)
        # in colours every further click would wait for its picture
        desktop.key("shift+z")
        desktop.wait(lambda s: "WIREFRAME" in [a.get("shading") for a in s["windows"][0]["areas"]], "wires", 240)
        desktop.fresh(5)
    with report.step(desktop, "camera temper"):
        cuts = shown_scene(desktop.state())["cuts"]
        choose(desktop, "housex.camera", "camera")
        bake(desktop, lambda scene: bool(scene["cuts"]) and scene["cuts"] != cuts, "other cuts")
    with report.step(desktop, "allow flashes"):
        keys = key_sum(desktop)
        desktop.click(*seek(desktop, "allow_flashes", (0.45,)))
        desktop.wait(lambda s: bool(shown_scene(s)["allow_flashes"]), "the check mark")
        bake_other_keys(desktop, keys)
    with report.step(desktop, "character of a genre"):
        keys = key_sum(desktop)
        seek(desktop, "save_defaults", (0.5,))
        open_panel(desktop, "HOUSEX_PT_colours", top + 100)
        choose(desktop, "character", "characters")
        bake_other_keys(desktop, keys)
    deleted_cut(desktop, report)
    own_film(desktop, report, mixes)


def own_film(desktop: Desktop, report: Report, mixes: Path) -> None:
    """Another shape, titles from a tracklist, no background: two small frames are rendered and looked at."""
    before = shown_scene(desktop.state())
    with report.step(desktop, "film format"):
        choose(desktop, "housex.format", "format")
        assert shown_scene(desktop.state())["size"] != before["size"], "the picture kept its shape"
    with report.step(desktop, "film titles"):
        desktop.click(*seek(desktop, ".titles", (0.45,)))
        desktop.wait(lambda s: bool(shown_scene(s)["titles"]), "the check mark")
        tracklist = mixes / "list.txt"
        tracklist.write_text("00:00 Somebody - First Record\n01:30 Anybody - Second Record\n")
        fill(desktop, "titles_path", str(tracklist))
        assert shown_scene(desktop.state())["titles_path"], "nothing was typed"
        bake(desktop, lambda scene: scene["titles_shown"] > 0, "titles")
    with report.step(desktop, "film transparent"):
        desktop.click(*seek(desktop, ".alpha", (0.45,)))
        desktop.wait(lambda s: bool(shown_scene(s)["alpha"]), "the check mark")
        film = mixes / "own.mov"
        fill(desktop, "film_path", str(film))
        for name, number in (("resolution_percentage", 20), ("frame_end", 41), ("frame_start", 40)):
            fill(desktop, name, str(number))
        seen = shown_scene(desktop.state())
        assert (seen["percent"], seen["frames"]) == (20, [40, 41]), [seen["percent"], seen["frames"]]
        desktop.click(*seek(desktop, "housex.render", (0.5,)))
        state = desktop.wait(lambda s: "own.mov" in s["status"]["message"], "the film", 300)
        assert state["status"]["message_icon"] == "CHECKMARK", state["status"]["message"]
        pixels = desktop.frame(film, "own-film")
        width, height = seen["size"]
        assert abs(pixels.shape[1] / pixels.shape[0] - width / height) < 0.05, pixels.shape
        assert pixels[..., 3].min() < 0.1 < pixels[..., 3].max(), "nothing is transparent"


def deleted_cut(desktop: Desktop, report: Report) -> None:
    """A cut that a hand deletes in the timeline stays away when the show is baked again."""
    with report.step(desktop, "cut is deleted"):
        change_editor(desktop, "DOPESHEET_EDITOR")
        area = desktop.area("DOPESHEET_EDITOR")
        left, top, width, height = desktop.region("WINDOW", area)
        desktop.move(left + width // 2, top + height // 2)
        desktop.key("Home")
        desktop.fresh(6)
        start, end = desktop.area("DOPESHEET_EDITOR")["frames_x"]
        cuts = shown_scene(desktop.state())["cuts"]
        x = {cut[0]: left + round(start + (end - start) * cut[0] / 1000) for cut in cuts}
        frame = next((frame for frame in x if left + 60 < x[frame] < left + width - 60), None)
        assert frame is not None, "no cut is in the timeline's view"
        for y in range(top + height - 8, top + height - 60, -6):
            desktop.click(x[frame], y)
            desktop.fresh(3)
            if [cut[0] for cut in shown_scene(desktop.state())["cuts"] if cut[2]] == [frame]:
                break
        desktop.key("Delete")
        desktop.wait(lambda s: len(shown_scene(s)["cuts"]) == len(cuts) - 1, "one cut less")
    with report.step(desktop, "and stays away"):
        change_editor(desktop, "VIEW_3D")
        desktop.fresh(4)
        keys = key_sum(desktop)
        # another number in the panel, so that it is seen that it was baked
        fill(desktop, "housex.speed", "1.5")
        bake_other_keys(desktop, keys)
        frames = [cut[0] for cut in shown_scene(desktop.fresh(3))["cuts"]]
        assert frame not in frames, "the cut is back"
        assert len(frames) == len(cuts) - 1, f"{len(frames)} cuts"


def film(desktop: Desktop, report: Report, _mixes: Path) -> None:
    """A film is begun and given up."""
    with report.step(desktop, "film is rendered"):
        left, top, width, _ = desktop.region("UI", desktop.area("VIEW_3D"))
        desktop.scroll(left + width // 2, top + 200, 60)
        press(desktop, "housex.render")
        state = desktop.wait(
            lambda s: s["status"].get("busy") == "RENDER" and bool(s["jobs"] and s["jobs"][0]), "a film"
        )
        process = Path("/proc") / str(state["jobs"][0])
        assert process.exists(), "the renderer ended at once"
        desktop.fresh(20)
    with report.step(desktop, "film is cancelled"):
        press(desktop, "housex.cancel")
        desktop.wait(idle, "an idle panel", 30)
        wait_for(lambda: not process.exists(), "the end of the renderer", 10)


def cancelling(desktop: Desktop, report: Report, mixes: Path) -> None:
    """A long mix: progress is seen; the Cancel button and Esc each end it; the third time it runs to its end."""
    open_tab(desktop)
    with report.step(desktop, "progress"):
        analyze(desktop)
        first = desktop.wait(lambda s: s["status"]["fraction"] > 0, "progress")["status"]["fraction"]
        desktop.wait(lambda s: s["status"]["fraction"] > first + 0.05, "more progress")
    with report.step(desktop, "cancel button"):
        press(desktop, "housex.cancel")
        stopped(desktop, mixes)
        assert not list(mixes.glob("*.json")), "a timeline of a cancelled analysis"
    with report.step(desktop, "cancel with esc"):
        analyze(desktop)
        over_view(desktop)
        desktop.key("Escape")
        stopped(desktop, mixes)
    with report.step(desktop, "undo while analyzing"):
        over_view(desktop)
        # hides the cube
        desktop.key("h")
        analyze(desktop)
        over_view(desktop)
        desktop.key("ctrl+z")
        desktop.fresh(6)
        assert analyzing(desktop.state()), "undo ended the analysis"
        desktop.key("Escape")
        stopped(desktop, mixes)
    with report.step(desktop, "save while analyzing"):
        analyze(desktop)
        over_view(desktop)
        desktop.key("ctrl+s")
        desktop.wait(lambda s: len(s["windows"]) > 1, "the file browser")
        desktop.place("File View")
        left, top, _, _ = desktop.region("WINDOW", desktop.area("FILE_BROWSER"))
        desktop.move(left + 200, top + 300)
        desktop.key("Return")
        desktop.wait(lambda s: s["file"].endswith(".blend"), "the saved file", 30)
        assert analyzing(desktop.state()), "saving ended the analysis"
    with report.step(desktop, "load another file while analyzing"):
        over_view(desktop)
        desktop.key("ctrl+n")
        time.sleep(0.7)
        desktop.key("g")
        discard_changes(desktop)
        desktop.wait(lambda s: s["file"] == "", "a new file", 30)
        stopped(desktop, mixes)


def responsiveness(desktop: Desktop, report: Report, mixes: Path) -> None:
    """An hour of music is analyzed to its end while the panel's timer is counted."""
    open_tab(desktop)
    with report.step(desktop, "an hour is analyzed"):
        analyze(desktop)
        (desktop.folder / "reset").touch()
        first = desktop.fresh()
        last = first
        while analyzing(state := desktop.fresh()):
            last = state
        passed_s = last["time_s"] - first["time_s"]
        report.facts["responsiveness"] = {
            "ticks": last["ticks"] - first["ticks"], "seconds": round(passed_s, 1),
            "ticks_per_s": round((last["ticks"] - first["ticks"]) / max(passed_s, 1e-6), 2),
            "longest_gap_s": round(last["longest_gap_s"], 2),
        }  # fmt: skip
    with report.step(desktop, "an hour is built"):
        state = desktop.wait(lambda s: idle(s) and bool(s["status"]["message"]), "the tunnel", 240)
        assert state["status"]["message_icon"] == "CHECKMARK", state["status"]["message"]
        report.facts["responsiveness"]["build_gap_s"] = round(desktop.fresh()["longest_gap_s"], 2)
        assert not engines(mixes), "the engine is still there"


def closing(desktop: Desktop, report: Report, mixes: Path) -> None:
    """Blender is closed while it analyzes."""
    open_tab(desktop)
    with report.step(desktop, "close while analyzing"):
        analyze(desktop)
        over_view(desktop)
        desktop.key("ctrl+q")
        discard_changes(desktop)
    wait_for(lambda: desktop.process.poll() is not None, "the end of Blender", 30)
    wait_for(lambda: not engines(mixes), "the end of the engine", 10)


def losing_the_scene(desktop: Desktop, report: Report, mixes: Path) -> None:
    """The scene that an analysis is for is deleted before its end."""
    with report.step(desktop, "delete the scene while analyzing"):
        # the buttons beside the scene's name: a new one, delete
        x, y = SCENE_BUTTONS[0]
        desktop.click(x, y)
        time.sleep(0.7)
        desktop.key("1")
        desktop.wait(lambda s: len(s["scenes"]) == 2, "a second scene")
        open_tab(desktop)
        analyze(desktop)
        desktop.click(*SCENE_BUTTONS[1])
        desktop.wait(lambda s: len(s["scenes"]) == 1, "the end of the scene")
        state = desktop.wait(lambda s: idle(s) and bool(s["status"]["message"]), "the end of the analysis", 180)
        report.facts["message_without_scene"] = state["status"]["message"]
        assert state["status"]["message_icon"] == "ERROR", state["status"]
        desktop.fresh(4)


def discard_changes(desktop: Desktop) -> None:
    """Say "Don't Save", if Blender asks whether to."""
    time.sleep(1.0)
    if desktop.process.poll() is None and desktop.state()["dirty"]:
        desktop.shot("asked-to-save")
        desktop.key("d")


Run = Callable[[Desktop, Report, Path], None]
# name, length of its mix, what is done; "install" begins without the extension
RUNS: tuple[tuple[str, int, tuple[Run, ...]], ...] = (
    ("install", 0, (install,)),
    ("short", SHORT_S, (five_clicks, tour, preferences)),
    ("demo", SHORT_S, (demo, film)),
    ("options", SHORT_S, (demo, options)),
    ("long", LONG_S, (cancelling,)),
    ("close", LONG_S, (closing,)),
    ("hour", LONG_S, (responsiveness,)),
    ("scene", LONG_S // 2, (losing_the_scene,)),
)


def make_mix(path: Path, seconds: int) -> None:
    """The demo mix, over and over, as long as asked."""
    sound, rate = soundfile.read(DEMO_MIX, dtype="float32", always_2d=True)
    with soundfile.SoundFile(path, "w", rate, sound.shape[1], format="FLAC") as out:
        left = seconds * rate
        while left > 0:
            out.write(sound[:left])
            left -= min(left, len(sound))


def files_of_extension(application: Application) -> set[str]:
    """What lies where the extension is installed: nothing of a user's may be written there."""
    found = (application.profile / "extensions" / "user_default" / "housex").rglob("*")
    return {str(path) for path in found if "__pycache__" not in path.parts}


def complaints(console: str) -> list[str]:
    """Lines of the console that must not be there."""
    return [line for line in console.splitlines() if any(word in line for word in BAD_WORDS)]


def one_run(application: Application, folder: Path, archive: Path, report: Report, run: str) -> None:
    """A fresh Blender and profile, one mix, some parts."""
    name, seconds, parts = next(one for one in RUNS if one[0] == run)
    shutil.rmtree(folder / "user", ignore_errors=True)
    application.settle(folder / "user")
    if seconds:
        application.extension("install-file", "--repo", "user_default", "--enable", archive)
    mixes = folder / name / "mixes"
    mixes.mkdir(parents=True, exist_ok=True)
    if seconds:
        make_mix(mixes / "mix.flac", seconds)
    else:
        shutil.copy(archive, mixes)
    shipped = files_of_extension(application)
    with Desktop(application, folder / name, mixes) as desktop:
        try:
            for part in parts:
                part(desktop, report, mixes)
        except (Stuck, AssertionError) as error:
            # between two steps, else it is noted already
            if not report.steps or report.steps[-1]["ok"]:
                report.steps.append({"step": f"run {name}", "ok": False, "problem": str(error)})
        bad = complaints(desktop.console())
        problems = desktop.state().get("problems", [])
        if seconds:
            problems += [f"left in the extension: {path}" for path in sorted(files_of_extension(application) - shipped)]
        if bad or problems:
            report.steps.append({"step": f"console of {name}", "ok": False, "problem": "\n".join(bad + problems)})
            print(*bad, *problems, sep="\n")
    shutil.rmtree(mixes)


def click_through(application: Application, folder: Path, archive: Path | None, runs: list[str]) -> Report:
    """Everything, with one Blender; returns what was seen."""
    folder.mkdir(parents=True, exist_ok=True)
    report = Report(folder)
    report.facts["blender"], report.facts["python"] = application.name, application.python
    application.settle(folder / "user")
    archive = archive or build_zip(folder / "dist", [application.python])
    for run in runs:
        one_run(application, folder, archive, report, run)
    shutil.rmtree(folder / "user")
    report.write()
    return report


def main() -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(description="Clicks through the extension in every real Blender that is found.")
    parser.add_argument("--out", type=Path, default=Path("out/click-through"), help="folder for pictures and reports")
    parser.add_argument("--zip", type=Path, help="the extension; without it, it is built first")
    parser.add_argument("--only", help="one Blender, by the start of its version")
    parser.add_argument("--runs", default=",".join(run[0] for run in RUNS), help="which parts (default: %(default)s)")
    options = parser.parse_args()
    found = [one for one in applications() if one.name.startswith(options.only or "") and has_window_tools(one)]
    if not found:
        print("No Blender with a screen was found: see tests/real/application.py.", file=sys.stderr)
        return 2
    ok = True
    for application in found:
        print(f"Blender {application.name}, Python {application.python}")
        folder = (options.out / application.name).resolve()
        report = click_through(application, folder, options.zip and options.zip.resolve(), options.runs.split(","))
        facts = report.facts.get("responsiveness", {})
        if facts:
            print(f"{facts['ticks_per_s']} ticks a second while analyzing (wanted: {MIN_TICKS_PER_S:g}); {facts}")
        ok = ok and report.ok
        print(f"{folder / 'report.json'}: {'all seen to work' if report.ok else 'NOT all worked'}")
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
