"""From a timeline to a film: scene, frames, sound, and resuming after a kill. Zone: scene (bpy).

Frames come first, as numbered pictures in a folder beside the film, and are encoded with the sound at the end: a
render that is killed has lost one frame.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

import bpy
import numpy as np

from ..core.bars import frame_on, frames_to_seconds
from ..core.channels import compile_show
from ..core.edits import with_edits
from ..core.errors import Cancelled, SceneError
from ..core.files import sha256_of, write_text_atomic
from ..core.looks import Look
from ..core.timeline import Timeline
from . import build, drop_strips, markers, output
from .rig import SceneHandles

JOB_FILE, LOCK_FILE = "job.json", ".lock"
OURS = (JOB_FILE, LOCK_FILE)
FRAME_PATTERN = "frame_[0-9][0-9][0-9][0-9][0-9][0-9]*.png"
PARTIAL_PATTERN = ".frame_*.part.png"
STILL_SIZE = (640, 360)
Progress = Callable[[int, int, float], None]


@dataclass(frozen=True)
class FilmPlan:
    """All that decides what the pictures show, besides the timeline.

    Attributes:
        scene: ``tunnel``, or the path of a .blend that is driven through the object HX Show.
        engine: cycles, eevee or workbench.
        quality: draft, preview or final.
        resolution: Width and height in pixels.
        fps: Frames per second.
        start_s: Where in the mix the film begins.
        end_s: Where it ends.
    """

    scene: str = "tunnel"
    engine: str = "cycles"
    quality: str = "draft"
    resolution: tuple[int, int] = (480, 270)
    fps: float = 24.0
    start_s: float = 0.0
    end_s: float = 0.0

    @property
    def frames(self) -> range:
        """Scene frames of the film; frame 1 is the start of the mix."""
        first = int(frame_on(self.start_s, self.fps))
        return range(first, max(first + 1, int(frame_on(self.end_s, self.fps))))


@dataclass
class Show:
    """A scene that is built and keyed."""

    scene: bpy.types.Scene
    handles: SceneHandles
    plan: FilmPlan
    timeline: Timeline
    look: Look
    mix_path: Path
    warnings: list[str] = field(default_factory=list)


def make_show(timeline: Timeline, look: Look, mix_path: Path, plan: FilmPlan) -> Show:
    """Build the scene, key it and lay the mix under it.

    Raises:
        SceneError: The scene cannot be opened or built.
    """
    channels = compile_show(timeline, look, plan.fps)
    n_frames = int(frame_on(timeline.mix.duration_s, plan.fps))
    if plan.scene.lower().endswith(".blend"):
        scene = open_blend(Path(plan.scene))
        kind = "rig"
    else:
        scene, kind = build.new_scene(), plan.scene
    handles = build.build_show(
        scene, channels, scene_kind=kind, fps=plan.fps, n_frames=n_frames, seed=look.seed, detail=plan.quality
    )
    show = Show(scene, handles, plan, timeline, look, mix_path)
    show.warnings += [f"Left alone, because its animation is yours: {name}." for name in handles.kept]
    edited = with_edits(timeline)
    drop_strips.refresh_drops(scene, drop_strips.drop_spans(edited, plan.fps))
    markers.write_markers(scene, markers.marker_list(edited, plan.fps))
    if not output.add_sound(scene, mix_path):
        show.warnings.append("This Blender was built without sound: the .blend has no sound strip.")
    output.configure(scene, engine=plan.engine, quality=plan.quality, resolution=plan.resolution, fps=plan.fps)
    return show


def open_blend(path: Path) -> bpy.types.Scene:
    """Open a scene of the user's; its scripts stay disabled.

    Raises:
        SceneError: Blender cannot read it.
    """
    try:
        bpy.ops.wm.open_mainfile(filepath=str(path.absolute()), load_ui=False, use_scripts=False)
    except RuntimeError as error:
        raise SceneError(f"{path.name} cannot be opened as a .blend.", "Save it again with this Blender.") from error
    scene = bpy.context.scene
    assert scene is not None, "an open file has a scene"
    return scene


def _fingerprint(show: Show, engine: str) -> dict[str, Any]:
    """What the frames in a folder were made from; frames of anything else must not be mixed in."""
    look = {key: value for key, value in vars(show.look).items() if key not in ("palettes", "name")}
    look["palettes"] = dict(show.look.palettes.colours)
    body = show.timeline.to_dict("")
    plan = {k: v for k, v in asdict(show.plan).items() if k not in ("start_s", "end_s")}
    scene_sha = sha256_of(Path(show.plan.scene)) if show.plan.scene.lower().endswith(".blend") else ""
    levels = hashlib.sha256(np.ascontiguousarray(show.timeline.envelopes.values).tobytes()).hexdigest()
    facts = [body, levels, look, plan, engine, scene_sha, bpy.app.version_string]
    text = json.dumps(facts, sort_keys=True, default=str)
    return {"schema": 1, "made_from": hashlib.sha256(text.encode()).hexdigest()}


def _is_ours(path: Path) -> bool:
    return path.match(FRAME_PATTERN) or path.match(PARTIAL_PATTERN) or path.match(".job-*.json")


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Keep a second render out of a frames folder while the first is at work; a killed one holds no lock.

    Raises:
        SceneError: Another process renders into it, or the folder cannot be made.
    """
    try:
        folder.mkdir(exist_ok=True)
        stream = open(folder / LOCK_FILE, "w")  # noqa: SIM115 - held open for as long as the render lasts
    except OSError as error:
        raise SceneError(
            f"The frames cannot be written to {folder}: {error.strerror or error}.", "Choose another place."
        ) from error
    try:
        if not _lock(stream):
            raise SceneError(f"Another render is writing to {folder.name}.", "Wait for it, or choose another name.")
        yield
        (folder / LOCK_FILE).unlink(missing_ok=True)
    finally:
        stream.close()


def _lock(stream: IO[str]) -> bool:
    """Take the lock of an open file without waiting; the system frees it when the process ends."""
    try:
        import fcntl
    except ImportError:
        import msvcrt

        try:
            msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        except OSError:
            return False
        return True
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _remove_frames(folder: Path) -> None:
    """Remove what we put into a frames folder, and the folder if nothing else is in it."""
    for path in [*folder.glob(FRAME_PATTERN), *folder.glob(PARTIAL_PATTERN), *(folder / name for name in OURS)]:
        path.unlink(missing_ok=True)
    with suppress(OSError):
        folder.rmdir()


def prepare_frames(show: Show, folder: Path, *, resume: bool) -> None:
    """Make the folder ready: with ``resume`` keep frames of the same job, else clear frames of ours.

    Raises:
        SceneError: The folder cannot be made, or holds frames of another job.
    """
    try:
        folder.mkdir(exist_ok=True)
        job = folder / JOB_FILE
        wanted = _fingerprint(show, show.scene.render.engine)
        found = json.loads(job.read_text(encoding="utf-8")) if job.is_file() else None
        pictures = sorted(folder.glob(FRAME_PATTERN))
        strangers = [path.name for path in folder.iterdir() if path.name not in OURS and not _is_ours(path)]
        if strangers:
            raise SceneError(
                f"The folder {folder} holds other files, such as {strangers[0]}.",
                "Choose another name or an empty folder.",
            )
        if resume and pictures and found != wanted:
            raise SceneError(
                f"The frames in {folder.name} belong to another render.", "Leave out --resume to start over."
            )
        if not resume:
            if pictures and found is None:
                raise SceneError(
                    f"{folder} holds pictures that are not ours.", "Choose an empty folder for the frames."
                )
            for picture in [*pictures, *folder.glob(PARTIAL_PATTERN)]:
                picture.unlink()
        write_text_atomic(job, json.dumps(wanted) + "\n")
    except OSError as error:
        raise SceneError(
            f"The frames cannot be written to {folder}: {error.strerror or error}.", "Choose another place."
        ) from error
    except ValueError as error:
        raise SceneError(f"{folder / JOB_FILE} is damaged.", "Leave out --resume to start over.") from error


def render_film(
    show: Show,
    film: Path,
    *,
    resume: bool = False,
    on_progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Path:
    """Render the frames of the plan; encode them if ``film`` names a video, else leave them in that folder.

    Raises:
        SceneError: Frames or film cannot be written.
        Cancelled: ``should_stop`` said so; finished frames stay for ``resume``.
    """
    if show.scene.camera is None:
        raise SceneError("The scene has no camera.", "Add one, or render the tunnel.")
    folder = frames_folder(film) if film.suffix else film
    new = not folder.exists()
    try:
        with only_one(folder):
            _render_into(show, film, folder, resume, on_progress, should_stop)
    finally:
        if new:
            with suppress(OSError):  # nothing was rendered: an empty folder helps nobody
                if not list(folder.glob(FRAME_PATTERN)):
                    _remove_frames(folder)
    return film


def _render_into(
    show: Show,
    film: Path,
    folder: Path,
    resume: bool,
    on_progress: Progress | None,
    should_stop: Callable[[], bool] | None,
) -> None:
    prepare_frames(show, folder, resume=resume)
    frames = show.plan.frames
    output.render_frames(
        show.scene, folder, list(frames), resume=resume, on_progress=on_progress, should_stop=should_stop
    )
    if should_stop is not None and should_stop():
        raise Cancelled()
    if film.suffix:
        output.encode_film(
            folder,
            frames.start,
            len(frames),
            show.plan.fps,
            show.mix_path,
            float(frames_to_seconds(frames.start, show.plan.fps)),
            film,
            should_stop=should_stop,
        )
        _remove_frames(folder)


def frames_folder(film: Path) -> Path:
    """Where the frames of a film wait: ``NAME.frames`` beside it."""
    return film.with_name(film.stem + ".frames")


def render_stills(show: Show, moments_s: Sequence[float], paths: Sequence[Path], quality: str) -> None:
    """One picture for each moment, at least 640 pixels wide.

    Args:
        show: What to look at.
        moments_s: Seconds in the mix.
        paths: PNG files, one for each moment.
        quality: Never below preview: a still is looked at for longer than a frame.
    """
    plan = show.plan
    size = plan.resolution if plan.resolution[0] >= STILL_SIZE[0] else STILL_SIZE
    still_quality = "preview" if quality == "draft" else quality
    output.configure(show.scene, engine=plan.engine, quality=still_quality, resolution=size, fps=plan.fps)
    for moment_s, path in zip(moments_s, paths, strict=True):
        output.render_still(show.scene, int(frame_on(moment_s, plan.fps)), path)
    output.configure(show.scene, engine=plan.engine, quality=plan.quality, resolution=plan.resolution, fps=plan.fps)
