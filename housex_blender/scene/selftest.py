"""Frames alone against frames in sequence: does the saved scene need nothing but Blender? Zone: bpy.

Each frame is rendered twice: here, after the frames before it, and in a process of its own that opens a copy of the
file with scripts disabled, knows nothing of this package and goes to that frame at once.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np

from ..core.errors import Cancelled, SceneError
from . import compat, output
from .build import save_copy
from .encode import run_program
from .film import Show
from .pictures import one_line, picture_values

# How many 255ths a value may differ: on a processor these two engines always do the same sums.
TOLERANCES = {"cycles": 0, "workbench": 0, "eevee": 2}
_GPU_TOLERANCE = 2
_BEFORE = 2
# Blender as a module may hang or crash at exit, after everything is written.
_ALONE = """
import os, sys
import bpy
blend, name, frame, picture = sys.argv[-4:]
bpy.ops.wm.open_mainfile(filepath=blend, load_ui=False, use_scripts=False)
scene = bpy.data.scenes[name]
scene.frame_set(int(frame))
scene.render.filepath, scene.render.use_file_extension = picture, False
bpy.ops.render.render(write_still=True, scene=name)
os._exit(0)
"""


@dataclass(frozen=True)
class FrameCheck:
    """One frame, rendered twice.

    Attributes:
        frame: Its number.
        worst: Largest difference of a value, in 255ths.
        share: Share of the pixels that differ at all.
    """

    frame: int
    worst: int
    share: float

    @property
    def sentence(self) -> str:
        """For the report."""
        if not self.worst:
            return f"Frame {self.frame} alone is the frame in sequence, to the bit."
        return f"Frame {self.frame} alone differs by up to {self.worst}/255 in {self.share:.2%} of its pixels."


def tolerance(engine: str) -> int:
    """How many 255ths a value may differ with this engine on this machine."""
    on_gpu = engine == "cycles" and compat.has_gpu_for_cycles()
    return _GPU_TOLERANCE if on_gpu else TOLERANCES[engine]


def self_test(
    show: Show,
    count: int,
    *,
    on_frame: Callable[[FrameCheck], None] = lambda check: None,
    should_stop: Callable[[], bool] = lambda: False,
    frames: list[int] | None = None,
) -> list[FrameCheck]:
    """Render frames in sequence and alone, and compare them.

    Args:
        show: A built show.
        count: How many frames of the film, at random.
        on_frame: Called after each frame.
        should_stop: Asked before each picture.
        frames: These frames instead of random ones.

    Raises:
        SceneError: A frame differs by more than the engine's tolerance, or cannot be rendered.
        Cancelled: ``should_stop`` said so.
    """
    wanted = sorted(frames or random.sample(list(show.plan.frames), min(count, len(show.plan.frames))))
    checks = []
    with tempfile.TemporaryDirectory(prefix="housex_", ignore_cleanup_errors=True) as room:
        folder = Path(room)
        blend = save_copy(folder / "test.blend")
        for frame in wanted:
            for before in range(max(1, frame - _BEFORE), frame + 1):
                if should_stop():
                    raise Cancelled()
                output.render_still(show.scene, before, folder / "sequence.png")
            render_alone(blend, show.scene.name, frame, folder / "alone.png", should_stop)
            checks.append(compared(frame, folder / "sequence.png", folder / "alone.png"))
            on_frame(checks[-1])
    worst = max(checks, key=lambda check: check.worst)
    if worst.worst > tolerance(show.plan.engine):
        raise SceneError(
            f"Frame {worst.frame} rendered alone differs by {worst.worst}/255 from the frame in sequence.",
            f"Allowed with {show.plan.engine} are {tolerance(show.plan.engine)}/255; please report it.",
        )
    return checks


def render_alone(blend: Path, scene: str, frame: int, picture: Path, should_stop: Callable[[], bool]) -> None:
    """Render one frame of a saved file in a process of its own, scripts disabled and this package out of reach.

    Raises:
        SceneError: That process failed.
        Cancelled: ``should_stop`` said so.
    """
    picture.unlink(missing_ok=True)
    order = [str(blend), scene, str(frame), str(picture)]
    if bpy.app.binary_path:
        # what is installed stays out, unless a graphics card that is set up there is to render
        clean = [] if compat.has_gpu_for_cycles() else ["--factory-startup"]
        command = [bpy.app.binary_path, "--background", *clean, "--disable-autoexec", "--python-exit-code", "1"]
        command += ["--python-expr", _ALONE, "--", *order]
    else:
        command = [sys.executable, "-c", _ALONE, *order]
    try:
        code, text = run_program(command, should_stop)
    except OSError as error:
        raise SceneError(f"A second Blender cannot be started: {one_line(error)}.") from error
    if code or not picture.is_file():
        lines = [line for line in text.splitlines() if line.strip()] or ["no reason given"]
        raise SceneError(f"Frame {frame} cannot be rendered alone: {lines[-1].strip().rstrip('.')}.")


def compared(frame: int, first: Path, second: Path) -> FrameCheck:
    """How far two pictures of one frame differ.

    Raises:
        SceneError: They are not of one size, or one cannot be read.
    """
    one, other = (np.rint(picture_values(path) * 255).astype(np.int16) for path in (first, second))
    if one.shape != other.shape:
        raise SceneError(f"Frame {frame} alone has another size than in sequence.")
    difference = np.abs(one - other).max(axis=2)
    return FrameCheck(frame, int(difference.max()), float((difference > 0).mean()))
