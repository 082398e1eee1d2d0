"""From a timeline to a film: scene, frames, sound, and resuming after a kill. Zone: scene (bpy).

Frames come first, as numbered pictures in a folder beside the film, and are encoded with the sound at the end: a
render that is killed has lost one frame.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import bpy

from ..core.bars import frame_count, frame_on, frames_to_seconds
from ..core.channels import compile_show
from ..core.edits import with_edits
from ..core.errors import Cancelled, SceneError
from ..core.film_options import frames_folder, is_video
from ..core.flash_limit import Tamed, tame
from ..core.keys import KeyTrack
from ..core.looks import Look, unknown_genres
from ..core.loops import looped, safe_loop
from ..core.scene_kinds import LOOP_M, is_own
from ..core.shots import shot_list
from ..core.timeline import Timeline
from ..core.titles import TitleCard
from . import build, drop_strips, markers, output, shots, titles
from .drives import drives
from .encode import encode_film
from .film_frames import FRAME_PATTERN, fingerprint, only_one, prepare_frames, remove_frames
from .framing import hide_backdrops, reframe
from .pictures import frame_path, is_picture
from .rig import SceneHandles

STILL_SIZE = (640, 360)
# datablocks that only hold an object
_HOLDERS = (bpy.types.Scene, bpy.types.Collection)
Progress = Callable[[int, int, float], None]
Shots = list[tuple[int, str]]


@dataclass(frozen=True)
class FilmPlan:
    """All that decides what the pictures show, besides timeline and look.

    Attributes:
        scene: The name of a scene that ships, or the path of a .blend that is driven through the object HX Show.
        engine: cycles, eevee or workbench.
        quality: draft, preview or final.
        resolution: Width and height in pixels; the cameras of our scenes are reframed for its shape.
        fps: Frames per second.
        start_s: Where in the mix the film begins.
        end_s: Where it ends.
        loop: Whether the end leads back to the start; both are downbeats then, and the film is silent.
        alpha: Whether the background is transparent.
        allow_flashes: Whether flashes stay in that may harm people.
        titles: Track titles to show; may be empty.
    """

    scene: str = "tunnel"
    engine: str = "cycles"
    quality: str = "draft"
    resolution: tuple[int, int] = (480, 270)
    fps: float = 24.0
    start_s: float = 0.0
    end_s: float = 0.0
    loop: bool = False
    alpha: bool = False
    allow_flashes: bool = False
    titles: tuple[TitleCard, ...] = ()

    @property
    def frames(self) -> range:
        """Scene frames of the film; frame 1 is the start of the mix."""
        first = int(frame_on(self.start_s, self.fps))
        return range(first, max(first + 1, int(frame_on(self.end_s, self.fps))))


@dataclass
class Show:
    """A scene that is built and keyed.

    Attributes:
        scene: It.
        handles: What can be keyed in it.
        plan: What it was built for.
        timeline: What was heard.
        look: Its colours and strengths.
        mix_path: The recording.
        warnings: Sentences for the user.
        tamed: Flashes that were softened, in seconds of the mix; None where they are allowed.
    """

    scene: bpy.types.Scene
    handles: SceneHandles
    plan: FilmPlan
    timeline: Timeline
    look: Look
    mix_path: Path
    warnings: list[str] = field(default_factory=list)
    tamed: Tamed | None = None


def make_show(timeline: Timeline, look: Look, mix_path: Path, plan: FilmPlan) -> Show:
    """Build the scene, key it and lay the mix under it.

    Raises:
        SceneError: The scene cannot be opened or built.
    """
    edited = with_edits(timeline)
    channels, cuts, tamed = directed(edited, look, plan)
    own = is_own(plan.scene)
    if own:
        scene, kind = open_blend(Path(plan.scene)), "rig"
    else:
        scene, kind = build.new_scene(), plan.scene
    handles = build.build_show(
        scene,
        channels,
        scene_kind=kind,
        fps=plan.fps,
        n_frames=frame_count(timeline.mix.duration_s, plan.fps),
        seed=look.seed,
        detail=plan.quality,
    )
    show = Show(scene, handles, plan, timeline, look, mix_path, tamed=tamed)
    if strange := unknown_genres(look, timeline.model.genres):
        show.warnings.append(strange)
    if own and not _follows(scene, handles):
        name = Path(plan.scene).name
        show.warnings.append(
            f"Nothing in {name} follows the mix: in Blender, right-click a property and choose Drive by Mix."
        )
    if own and (dead := dead_drivers()):
        show.warnings.append(f"A driver that Blender cannot work out stands still: {', '.join(dead)}.")
    show.warnings += [f"Left alone, because its animation is yours: {name}." for name in handles.kept]
    drop_strips.refresh_drops(scene, drop_strips.drop_spans(edited, plan.fps))
    markers.write_markers(scene, markers.marker_list(edited, plan.fps))
    shots.write_cuts(scene, cuts, timeline.mix.sha256)
    if plan.titles and scene.camera is None:
        raise SceneError("The scene has no camera for the titles.", "Add one, or leave out --titles.")
    if plan.alpha:
        hide_backdrops(scene)
        if plan.scene == "tunnel":
            show.warnings.append("The tunnel's walls fill the picture: little or nothing of it will be transparent.")
    shape(scene, plan.resolution, plan.titles, alpha=plan.alpha)
    if not output.add_sound(scene, mix_path):
        show.warnings.append("This Blender was built without sound: the .blend has no sound strip.")
    if plan.loop:
        scene.frame_start, scene.frame_end = plan.frames.start, plan.frames.stop - 1
    configure(show)
    return show


def directed(timeline: Timeline, look: Look, plan: FilmPlan) -> tuple[Mapping[str, KeyTrack], Shots, Tamed | None]:
    """Channels and cuts of a film, flashes softened unless they are allowed; those of a loop lead back to its start.

    Args:
        timeline: Its edits are applied.
        look: Colours and strengths.
        plan: What to film.
    """
    channels: Mapping[str, KeyTrack] = compile_show(timeline, look, plan.fps, allow_flashes=True)
    tamed = None
    cuts = shot_list(timeline, look, plan.fps)
    if not plan.loop:
        if not plan.allow_flashes:
            channels, tamed = tame(channels, plan.fps)
        return channels, cuts, tamed
    first, end = plan.frames.start, plan.frames.stop
    bar = timeline.grid.bar_at(plan.end_s - 1e-3)
    fade = int(frame_on(float(timeline.grid.ends_s[bar] - timeline.grid.starts_s[bar]), plan.fps, 0))
    channels = looped(channels, first, end - 1, fade_frames=fade, loop_m=LOOP_M.get(plan.scene, 0.0))
    if not plan.allow_flashes:
        channels, tamed = safe_loop(channels, first, end, plan.fps)
        from_s = float(frames_to_seconds(first, plan.fps))
        places = tuple((from_s + start_s, from_s + end_s) for start_s, end_s in tamed.seconds)
        tamed = replace(tamed, seconds=places)
    # one camera: a cut where the loop begins again would be a seam
    return channels, [(first, _longest_shot(cuts, first, end))], tamed


def _longest_shot(cuts: Shots, first: int, end: int) -> str:
    """The shot that has most of the frames from ``first`` to before ``end``."""
    edges = [*(frame for frame, _ in cuts[1:]), end]
    lengths: dict[str, int] = {}
    for (begin, shot), stop in zip(cuts, edges, strict=True):
        lengths[shot] = lengths.get(shot, 0) + max(0, min(stop, end) - max(begin, first))
    return max(lengths, key=lambda shot: lengths[shot])


def _follows(scene: bpy.types.Scene, handles: SceneHandles) -> bool:
    """Whether anything but "HX Show" moves with its channels: keys, drives of the panel, or drivers."""
    show = handles.objects["show"]
    bound = any(one.id != show for found in handles.bindings.values() for one in found)
    # whoever reads its properties by a driver, in a node or in a modifier refers to it
    readers = [user for user in bpy.data.user_map(subset={show})[show] if not isinstance(user, _HOLDERS)]
    return bound or bool(drives(scene)) or bool(readers)


def dead_drivers() -> list[str]:
    """Names of the datablocks in the open file that have a driver that cannot be evaluated, in order."""
    found = set()
    for block in bpy.data.user_map():
        for part in (block, getattr(block, "node_tree", None), getattr(block, "shape_keys", None)):
            animation = getattr(part, "animation_data", None)
            drivers = animation.drivers if animation is not None else ()
            if any(not curve.driver.is_valid and not curve.mute for curve in drivers):
                found.add(block.name)
    return sorted(found)


def shape(
    scene: bpy.types.Scene, resolution: tuple[int, int], cards: Sequence[TitleCard], *, alpha: bool = False
) -> None:
    """Give our cameras the frame of a picture of this size, and the scene these titles instead of those it has.

    Args:
        scene: With its cameras and cuts.
        resolution: Width and height in pixels.
        cards: Titles; none where the scene has no camera.
        alpha: Whether the background is transparent: titles have no shade behind them then.
    """
    # a .blend that we saved earlier remembers its cameras too; other people's frame for themselves
    reframe(shots.shot_cameras(scene).values(), resolution)
    titles.remove_titles(scene)
    if cards and scene.camera is not None:
        titles.add_titles(scene, cards, resolution, shade=not alpha)


def configure(show: Show, *, quality: str = "", resolution: tuple[int, int] | None = None) -> None:
    """Set the plan's engine, quality and size, or another quality and size for a while."""
    plan = show.plan
    output.configure(
        show.scene,
        engine=plan.engine,
        quality=quality or plan.quality,
        resolution=resolution or plan.resolution,
        fps=plan.fps,
        alpha=plan.alpha,
    )


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


def render_film(
    show: Show,
    film: Path,
    *,
    resume: bool = False,
    first: Callable[[], None] = lambda: None,
    on_progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> int:
    """Render the frames of the plan; encode them if ``film`` names a video, else leave them in that folder.

    Args:
        show: What to film.
        film: A video, or a folder.
        resume: Whether whole frames of the same job are kept.
        first: Done before the first frame, once no other render can come between.
        on_progress: See :func:`output.render_frames`.
        should_stop: Asked before every frame.

    Returns:
        How many frames were rendered now; the others were there already.

    Raises:
        SceneError: Frames or film cannot be written.
        Cancelled: ``should_stop`` said so; finished frames stay for ``resume``, and it says so.
    """
    if show.scene.camera is None:
        raise SceneError("The scene has no camera.", "Add one, or render a scene that ships.")
    folder = frames_folder(film) if is_video(film) else film
    new = not folder.exists()
    try:
        with only_one(folder):
            prepare_frames(fingerprint(show, show.scene.render.engine), folder, resume=resume)
            first()
            return _render_into(show, film, folder, resume, on_progress, should_stop)
    except Cancelled as error:
        kept = len(list(folder.glob(FRAME_PATTERN)))
        frames = "1 frame is" if kept == 1 else f"{kept} frames are"
        said = f"Cancelled. {frames} kept in {folder.name}; --resume goes on." if kept else "Cancelled."
        raise Cancelled(said) from error
    finally:
        if new:
            with suppress(OSError):  # nothing was rendered: an empty folder helps nobody
                if not list(folder.glob(FRAME_PATTERN)):
                    remove_frames(folder)


def _render_into(
    show: Show,
    film: Path,
    folder: Path,
    resume: bool,
    on_progress: Progress | None,
    should_stop: Callable[[], bool] | None,
) -> int:
    frames = show.plan.frames
    kept = sum(resume and is_picture(frame_path(folder, frame), show.plan.resolution) for frame in frames)
    output.render_frames(
        show.scene, folder, list(frames), resume=resume, on_progress=on_progress, should_stop=should_stop
    )
    if should_stop is not None and should_stop():
        raise Cancelled()
    if is_video(film):
        encode_film(
            folder,
            frames.start,
            len(frames),
            show.plan.fps,
            None if show.plan.loop else show.mix_path,
            float(frames_to_seconds(frames.start, show.plan.fps)),
            film,
            should_stop=should_stop,
            alpha=show.plan.alpha,
        )
        remove_frames(folder)
    return len(frames) - kept


def render_stills(show: Show, moments_s: Sequence[float], paths: Sequence[Path], quality: str) -> None:
    """One picture for each moment, at least 640 pixels along its longer side.

    Args:
        show: What to look at.
        moments_s: Seconds in the mix.
        paths: PNG files, one for each moment.
        quality: Never below preview: a still is looked at for longer than a frame.
    """
    configure(show, quality=still_quality(quality), resolution=still_size(show.plan.resolution))
    for moment_s, path in zip(moments_s, paths, strict=True):
        output.render_still(show.scene, int(frame_on(moment_s, show.plan.fps)), path)
    configure(show)


def still_quality(quality: str) -> str:
    """The quality of a picture that is looked at for longer than a frame: never draft."""
    return "preview" if quality == "draft" else quality


def still_size(resolution: tuple[int, int]) -> tuple[int, int]:
    """The film's size, or one of its shape with as many pixels along the longer side as a still should have."""
    factor = max(1.0, STILL_SIZE[0] / max(resolution))
    return round(resolution[0] * factor / 2) * 2, round(resolution[1] * factor / 2) * 2
