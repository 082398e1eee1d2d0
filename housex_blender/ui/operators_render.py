"""From a scene to a film. Zone: ui."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy

from ..core.bars import frames_to_seconds
from ..core.errors import HouseXError, SceneError
from ..core.film_options import ALPHA_ENDING, frames_folder
from ..core.process import PACKAGE_PARENT
from . import show
from .handlers import own_scenes
from .job_operator import JobOperator
from .operators_analyze import not_busy
from .places import IS_EXTENSION, absolute, film_for
from .render_job import RenderJob
from .render_worker import RenderOrder, render_film
from .session import Session


def order_for(scene: Any) -> RenderOrder:
    """What the scene's settings ask for.

    Raises:
        HouseXError: The place for the film cannot be used.
    """
    settings = scene.housex
    mix = absolute(settings.mix_path) if settings.mix_path else None
    named = mix or (absolute(settings.timeline_path) if settings.timeline_path else None)
    if not settings.film_path and named is None:
        raise SceneError("The film has no name.", "Say where it should go.")
    ending = ALPHA_ENDING if settings.alpha else ".mp4"
    film = film_for(settings.film_path, named or Path(), ending)
    if film.suffix.lower() != ending:
        why = "A transparent film" if settings.alpha else "The film"
        raise SceneError(f"{film.name} is not a {ending} file.", f"{why} needs a name that ends in {ending}.")
    if not os.access(film.parent, os.W_OK):
        raise SceneError(f"The folder {film.parent} cannot be written.", "Choose another place for the film.")
    if mix is not None and mix == film:
        raise SceneError("The film would overwrite the mix.", "Give it another name.")
    offset_s = float(frames_to_seconds(scene.frame_start, show.rate_of(scene), show.FIRST_FRAME))
    return RenderOrder(
        scene=scene.name,
        engine=settings.engine,
        quality=settings.quality,
        resolution=picture_size(scene),
        frames_folder=str(frames_folder(film)),
        film=str(film),
        mix=str(mix) if mix is not None and mix.is_file() else "",
        sound_offset_s=offset_s,
        resume=settings.resume,
        keep_frames=settings.keep_frames,
        alpha=settings.alpha,
    )


def picture_size(scene: Any) -> tuple[int, int]:
    """Width and height in pixels that the scene's own render settings ask for."""
    render = scene.render
    percent = render.resolution_percentage / 100
    return max(16, round(render.resolution_x * percent)), max(16, round(render.resolution_y * percent))


@contextlib.contextmanager
def kept_size(scene: Any) -> Iterator[None]:
    """Give the scene's size and backdrops back after a render in this Blender."""
    render = scene.render
    names = ("resolution_x", "resolution_y", "resolution_percentage", "film_transparent")
    kept = [getattr(render, name) for name in names]
    seen = [thing for thing in scene.objects if not thing.hide_render]
    try:
        yield
    finally:
        for thing in seen:
            thing.hide_render = False
        for name, value in zip(names, kept, strict=True):
            setattr(render, name, value)


def second_blender(program: str, blend: Path, order: RenderOrder) -> list[str]:
    """Command line that renders a copy of the file without a window."""
    package = __package__ or ""
    find = "" if IS_EXTENSION else f"import sys; sys.path.insert(0, {str(PACKAGE_PARENT)!r}); "
    run = f"{find}import importlib; importlib.import_module({package + '.render_worker'!r}).main()"
    return [program, "--background", str(blend), "--python-exit-code", "1", "--python-expr", run, "--", order.to_json()]


class HOUSEX_OT_render(JobOperator, bpy.types.Operator):
    """Render the frame range as a film with sound, in a second Blender without a window: this one stays free"""

    bl_idname = "housex.render"
    bl_label = "Render"
    bl_options = {"INTERNAL"}  # noqa: RUF012 - Blender reads it as it is

    busy = "RENDER"
    panel = "FILM"
    _folder: Path | None = None
    _frames: Path | None = None
    _scene = 0

    @classmethod
    def poll(cls, context: Any) -> bool:
        """A camera must be there, and nothing running."""
        if context.scene.camera is None:
            cls.poll_message_set("Build the show first, or add a camera")
            return False
        return not_busy(cls, context)

    def execute(self, context: Any) -> set[Any]:
        """Render in this Blender: background mode, where nobody waits, and scripts."""
        if bpy.app.binary_path and not bpy.app.background:
            return JobOperator.execute(self, context)
        try:
            order = order_for(context.scene)
            show.renew_titles(context.scene)
            with kept_size(context.scene):
                film = render_film(order, lambda message: print(message.text) if message.text else None)
        except HouseXError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        self.report({"INFO"}, f"Wrote {film}")
        return {"FINISHED"}

    def begin(self, context: Any) -> Session:
        """Save a copy of the file and start the second Blender on it."""
        from ..scene.build import save_copy

        order = order_for(context.scene)
        show.renew_titles(context.scene)
        self._frames, self._scene = Path(order.frames_folder), context.scene.session_uid
        self._folder = Path(tempfile.mkdtemp(prefix="housex-", dir=bpy.app.tempdir))
        blend = save_copy(self._folder / "render.blend")
        command = second_blender(bpy.app.binary_path, blend, order)
        return Session(lambda: RenderJob(command, Path(order.frames_folder)), "Starting the render")

    def succeed(self, context: Any, session: Session) -> str:
        """Say where the film is."""
        for scene in own_scenes():
            if scene.session_uid == self._scene:
                scene.housex.resume = False
        return f"Wrote {session.result}"

    def _clean_up(self, context: Any) -> None:
        JobOperator._clean_up(self, context)
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        if self._frames is not None:
            from ..scene.film_frames import remove_empty

            remove_empty(self._frames)


CLASSES = (HOUSEX_OT_render,)
