"""A virtual screen with a Blender on it, a hand and a camera. Zone: tests."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .application import Application

WATCHER = Path(__file__).with_name("watcher.py")
WIDTH, HEIGHT = 1280, 800
# a button must see the pointer before a click, and software rendering is slow
_HOVER_S, _AFTER_S = 0.35, 0.15
_ROW = 11


class Stuck(Exception):
    """Something did not happen in time."""


def free_display() -> str:
    """A screen number that nobody uses."""
    taken = {path.name.removeprefix("X") for path in Path("/tmp/.X11-unix").glob("X*")}
    return ":" + next(str(number) for number in range(90, 200) if str(number) not in taken)


class Desktop:
    """One run of Blender in a window on its own screen.

    Args:
        application: Which Blender.
        home: Where the file browser opens.
        folder: Gets pictures, console.log and the watcher's state.
        arguments: Further arguments of Blender, a .blend for example.

    Attributes:
        clicks: Presses of a mouse button so far.
    """

    def __init__(self, application: Application, folder: Path, home: Path, *arguments: str | Path) -> None:
        self._application, self.folder = application, folder
        self.clicks = 0
        self._asked = 0
        folder.mkdir(parents=True, exist_ok=True)
        self._display = free_display()
        env = {**application.env(), "DISPLAY": self._display}
        self._env = env
        (folder / "state.json").unlink(missing_ok=True)
        size = f"{WIDTH}x{HEIGHT}x24"
        screen = application.command("Xvfb", self._display, "-screen", "0", size, "+extension", "GLX", "-noreset")
        self._log = (folder / "console.log").open("wb")
        quiet = {"stdin": subprocess.DEVNULL, "stderr": subprocess.STDOUT, "env": env}
        with (folder / "screen.log").open("wb") as log:
            self._screen = subprocess.Popen(screen, stdout=log, **quiet)  # type: ignore[call-overload]
        socket = Path("/tmp/.X11-unix") / self._display.replace(":", "X")
        wait_for(socket.exists, "the virtual screen", 30)
        command = application.window_command(home, "--window-geometry", "0", "0", str(WIDTH), str(HEIGHT),
                                             *arguments, "-P", WATCHER, "--", folder)  # fmt: skip
        self.process = subprocess.Popen(command, stdout=self._log, **quiet)  # type: ignore[call-overload]
        self._hand = subprocess.Popen(application.command("xdotool", "-"), stdin=subprocess.PIPE, text=True, env=env)
        self.wait(lambda s: bool(s["windows"]), "Blender's window", 120)

    # -- what is seen

    def state(self) -> dict[str, Any]:
        """What the watcher wrote last."""
        path = self.folder / "state.json"
        return dict(json.loads(path.read_text())) if path.exists() else {"windows": [], "n": 0}

    def wait(self, seen: Callable[[dict[str, Any]], bool], what: str, limit_s: float = 60) -> dict[str, Any]:
        """The first state in which ``seen`` holds.

        Raises:
            Stuck: It did not come, or Blender ended.
        """
        end_s = time.monotonic() + limit_s
        while time.monotonic() < end_s:
            state = self.state()
            if seen(state):
                return state
            if self.process.poll() is not None:
                raise Stuck(f"Blender ended with code {self.process.returncode} while waiting for {what}")
            time.sleep(0.05)
        self.shot("stuck")
        raise Stuck(f"{what}: not within {limit_s:g} s; {json.dumps(self.state().get('status'))}")

    def fresh(self, looks: int = 2) -> dict[str, Any]:
        """A state that is newer than this moment."""
        number = self.state()["n"]
        return self.wait(lambda s: s["n"] >= number + looks, "a look of the watcher", 180)

    def shot(self, name: str) -> Path:
        """A picture of the screen."""
        path = self.folder / f"{name}.png"
        pipe = f"xwd -display {self._display} -root -silent | convert xwd:- 'png24:{path}'"
        subprocess.run(self._application.command("sh", "-c", pipe), check=True, env=self._env)
        return path

    def pixels(self, picture: Path, box: tuple[int, int, int, int]) -> NDArray[np.float32]:
        """(height, width, 3) of a box (x, y, width, height; from the top left) of a picture, 0..1."""
        x, y, width, height = box
        pipe = f"convert '{picture}' -crop {width}x{height}+{x}+{y} +repage -depth 8 rgb:-"
        done = subprocess.run(
            self._application.command("sh", "-c", pipe), check=True, env=self._env, capture_output=True
        )
        return np.frombuffer(done.stdout, np.uint8).reshape(height, width, 3).astype(np.float32) / 255.0

    def frame(self, film: Path, name: str) -> NDArray[np.float32]:
        """(height, width, 4) of a film's first frame, 0..1; the picture is kept under this name."""
        picture = self.folder / f"{name}.png"
        still = self._application.command("ffmpeg", "-y", "-v", "error", "-i", film, "-frames:v", "1", picture)
        subprocess.run(still, check=True, env=self._env, stdin=subprocess.DEVNULL)
        with Image.open(picture) as opened:
            return np.asarray(opened.convert("RGBA"), np.float32) / 255.0

    def area(self, kind: str, window: int | None = None) -> dict[str, Any]:
        """The largest area of a type, with "origin", the place of its window's lower left corner on the screen.

        Raises:
            Stuck: There is none.
        """
        found = []
        for number, facts in enumerate(self.state()["windows"]):
            for area in facts["areas"]:
                if area["type"] == kind and window in (None, number):
                    found.append({**area, "window": number, "origin": facts["box"][:2]})
        if not found:
            raise Stuck(f"there is no area {kind}")
        return max(found, key=lambda area: area["box"][2] * area["box"][3])

    def region(self, kind: str, area: dict[str, Any]) -> tuple[int, int, int, int]:
        """A region's box on the screen: x, y (from the top), width, height."""
        for region in area["regions"]:
            x, y, width, height = region["box"]
            # the sections of the preferences have another name before 5.0
            same = region["type"] == kind or (kind, region["type"]) == ("UI", "NAVIGATION_BAR")
            if same and width > 1 and height > 1:
                return area["origin"][0] + x, HEIGHT - area["origin"][1] - y - height, width, height
        raise Stuck(f"{area['type']} shows no region {kind}")

    def button(self, x: int, y: int, window: int = 0) -> str:
        """Move there, and let Blender say what is under the pointer: a command, a property, or nothing."""
        self.move(x, y)
        box = self.state()["windows"][window]["box"]
        self._asked += 1
        question = {"number": self._asked, "window": window, "x": x - box[0], "y": HEIGHT - box[1] - y}
        part = self.folder / "ask.part"
        part.write_text(json.dumps(question))
        part.rename(self.folder / "ask.json")
        answer = self.wait(lambda s: s["button"].get("number") == self._asked, "an answer", 180)
        return str(answer["button"]["text"])

    def find(
        self, wanted: str, kind: str = "VIEW_3D", region: str = "UI", across: tuple[float, ...] = (0.5,)
    ) -> tuple[int, int]:
        """Where the button is whose command or property contains a text; goes through the region row by row.

        Raises:
            Stuck: It is not there.
        """
        area = self.area(kind)
        left, top, width, height = self.region(region, area)
        for y in range(top + 6, top + height - 3, _ROW):
            for part in across:
                x = left + int(width * part)
                if wanted in self.button(x, y, area["window"]):
                    # well inside, not on its edge
                    return x, y + _ROW // 2 if wanted in self.button(x, y + _ROW, area["window"]) else y
        raise Stuck(f"no button {wanted} in {kind} {region}")

    # -- what a hand does

    def _do(self, line: str) -> None:
        assert self._hand.stdin is not None
        self._hand.stdin.write(line + "\n")
        self._hand.stdin.flush()

    def move(self, x: int, y: int) -> None:
        """Move the pointer, in two steps, as a hand would."""
        self._do(f"mousemove {x - 3} {y - 2}")
        time.sleep(0.03)
        self._do(f"mousemove {x} {y}")
        time.sleep(0.12)

    def click(self, x: int, y: int, count: int = 1, button: int = 1) -> None:
        """Click, or click several times quickly."""
        self.move(x, y)
        time.sleep(_HOVER_S)
        self._do(f"click --repeat {count} --delay 60 {button}")
        self.clicks += count if button <= 3 else 0
        time.sleep(_AFTER_S)

    def scroll(self, x: int, y: int, notches: int) -> None:
        """Turn the wheel: down if positive."""
        self.move(x, y)
        self._do(f"click --repeat {abs(notches)} --delay 60 {5 if notches > 0 else 4}")
        # the hand works on while we go on: whoever asks next must find it done
        time.sleep(_HOVER_S + 0.06 * abs(notches))

    def place(self, title: str) -> None:
        """Move another window of Blender's to where all of it is seen: there is no window manager to do it."""
        move = ("search", "--onlyvisible", "--name", title, "windowmove", "88", "60")
        command = self._application.command("xdotool", *move)
        # it may know of the window later than Blender does
        wait_for(lambda: subprocess.run(command, env=self._env, check=False).returncode == 0, f"window {title}", 20)
        self.fresh(4)

    def key(self, *names: str) -> None:
        """Press keys, one after the other."""
        for name in names:
            self._do(f"key {name}")
            time.sleep(_AFTER_S)

    def type(self, text: str) -> None:
        """Type a text."""
        subprocess.run(self._application.command("xdotool", "type", "--delay", "25", text), check=True, env=self._env)
        time.sleep(_AFTER_S)

    # -- its end

    def console(self) -> str:
        """All that Blender said."""
        return (self.folder / "console.log").read_text(errors="replace")

    def close(self) -> None:
        """End Blender, if need be, and the screen."""
        for process in (self._hand, self.process, self._screen):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        self._log.close()

    def __enter__(self) -> Desktop:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def wait_for(happened: Callable[[], bool], what: str, limit_s: float) -> None:
    """Wait until something holds.

    Raises:
        Stuck: It does not.
    """
    end_s = time.monotonic() + limit_s
    while not happened():
        if time.monotonic() > end_s:
            raise Stuck(f"{what}: not within {limit_s:g} s")
        time.sleep(0.05)
