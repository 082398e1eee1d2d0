"""Renders frames and film, in a second Blender without a window or in this one. Zone: ui.

The second Blender opens a copy of the file, so the first stays free, and ending it is all that Cancel has to do.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import bpy

from ..core import lifeline
from ..core.errors import HouseXError, SceneError
from ..core.protocol import Kind, Message


@dataclass(frozen=True)
class RenderOrder:
    """What to render.

    Attributes:
        scene: Name of the scene.
        engine: cycles, eevee or workbench.
        quality: draft, preview or final.
        resolution: Width and height in pixels.
        frames_folder: Where the pictures go.
        film: The film to write.
        mix: The recording to be heard; empty for none.
        sound_offset_s: Second of the mix that belongs to the first picture.
        resume: Use pictures that are there.
        keep_frames: Leave the pictures afterwards.
        alpha: Whether the background is transparent.
    """

    scene: str
    engine: str
    quality: str
    resolution: tuple[int, int]
    frames_folder: str
    film: str
    mix: str
    sound_offset_s: float
    resume: bool
    keep_frames: bool
    alpha: bool = False

    def to_json(self) -> str:
        """As one argument of a command line."""
        return json.dumps(asdict(self))


def render_film(order: RenderOrder, say: Callable[[Message], None]) -> Path:
    """Render all frames of the scene and encode them.

    Raises:
        HouseXError: A frame or the film could not be made, or frames that are there belong to another render.
    """
    from ..scene import film_frames, output
    from ..scene.framing import hide_backdrops

    scene = bpy.data.scenes.get(order.scene)
    if scene is None:
        raise SceneError(f"There is no scene {order.scene!r} to render.")
    width, height = order.resolution
    if order.alpha:
        hide_backdrops(scene)
    output.configure(scene, engine=order.engine, quality=order.quality, resolution=(width, height), alpha=order.alpha)
    folder = Path(order.frames_folder)
    with film_frames.only_one(folder):
        film_frames.prepare_frames(film_frames.fingerprint_of_scene(scene), folder, resume=order.resume)
        return _render_into(scene, order, folder, say)


def _render_into(scene: bpy.types.Scene, order: RenderOrder, folder: Path, say: Callable[[Message], None]) -> Path:
    from ..scene import film_frames, output
    from ..scene.encode import encode_film

    count = scene.frame_end - scene.frame_start + 1
    say(Message(Kind.STATUS, {"text": f"Rendering {count} frames"}))

    def on_progress(done: int, total: int, _seconds: float) -> None:
        say(Message(Kind.PROGRESS, {"done": done, "total": total, "unit": "frames"}))

    paths = output.render_frames(scene, folder, resume=order.resume, on_progress=on_progress)
    say(Message(Kind.STATUS, {"text": "Writing the film"}))
    rate = scene.render.fps / scene.render.fps_base
    film = encode_film(
        folder,
        scene.frame_start,
        len(paths),
        rate,
        order.mix or None,
        order.sound_offset_s,
        order.film,
        alpha=order.alpha,
    )
    if not order.keep_frames:
        film_frames.remove_frames(folder)
    return film


def main() -> None:
    """Entry of the second Blender; the order is the last argument. Ends the process."""
    lifeline.hold()
    # Blender prints to stdout at any time: the real one is kept for messages, the rest goes to stderr
    wire = os.dup(1)
    os.dup2(2, 1)

    def say(message: Message) -> None:
        os.write(wire, (message.encode() + "\n").encode("ascii"))

    ok = False
    try:
        film = render_film(RenderOrder(**json.loads(sys.argv[-1])), say)
        say(Message(Kind.RESULT, {"path": str(film)}))
        ok = True
    except HouseXError as error:
        say(Message(Kind.ERROR, {"text": error.message, "hint": error.hint}))
    say(Message(Kind.DONE, {"ok": ok}))
    sys.exit(0 if ok else 1)
