"""Render settings, frames, stills and sound in the sequencer. Zone: bpy."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy

from ..core.errors import SceneError
from . import compat
from .glow import BLOOM, bloom_group
from .pictures import frame_path, gone, is_picture, move_into, one_line, set_frame_rate, writable_folder

SOUND_STRIP = "HX Mix"
CLICK_STRIP = "HX Click"


@dataclass(frozen=True)
class Quality:
    """What a quality level means.

    Attributes:
        resolution: Default width and height in pixels.
        cycles: Samples with a denoiser.
        cycles_plain: Samples where Blender was built without one.
        bounces: Mirror bounces in Cycles.
        guided: Whether the denoiser is guided by clean albedo and normals (sharper, slower).
        eevee: EEVEE samples.
    """

    resolution: tuple[int, int]
    cycles: int
    cycles_plain: int
    bounces: int
    guided: bool
    eevee: int


QUALITIES = {
    "draft": Quality((480, 270), 3, 10, 2, False, 1),
    "preview": Quality((640, 360), 16, 48, 3, True, 8),
    "final": Quality((1920, 1080), 64, 192, 4, True, 64),
}


# The denoiser leaves transparency alone: with fewer samples its edges and veils would be noise.
ALPHA_SAMPLES = 12


@dataclass(frozen=True)
class RenderSettings:
    """What :func:`configure` set, for logs: engine, quality, size in pixels, rate, first and last frame."""

    engine: str
    quality: str
    resolution: tuple[int, int]
    fps: float
    first_frame: int
    last_frame: int


def configure(
    scene: bpy.types.Scene,
    *,
    engine: str = "cycles",
    quality: str = "draft",
    resolution: tuple[int, int] | None = None,
    fps: float | None = None,
    first_frame: int | None = None,
    last_frame: int | None = None,
    alpha: bool = False,
) -> RenderSettings:
    """Set engine, quality, size, rate and range; None keeps what the scene has (the size: the quality's own).

    With ``alpha`` the background is transparent and the pictures carry that; without, the scene keeps its own choice.

    Raises:
        SceneError: Unknown engine or quality, or a size or range that makes no sense.
    """
    if quality not in QUALITIES:
        raise SceneError(f"There is no quality called {quality!r}.", f"Use {', '.join(QUALITIES)}.")
    level = QUALITIES[quality]
    width, height = resolution or level.resolution
    if not (16 <= width <= 16384 and 16 <= height <= 16384):
        raise SceneError(f"A picture of {width} by {height} pixels cannot be rendered.")
    compat.set_engine(scene, engine)
    if fps is not None:
        set_frame_rate(scene, fps)
    scene.frame_start = scene.frame_start if first_frame is None else first_frame
    scene.frame_end = scene.frame_end if last_frame is None else last_frame
    render = scene.render
    render.resolution_x, render.resolution_y, render.resolution_percentage = width, height, 100
    # two eyes or a part of the picture would be files of other names and sizes
    render.use_multiview = render.use_border = render.use_crop_to_border = False
    render.use_persistent_data = True
    # The palette's colours must reach the screen: filmic transforms bleach exactly the bright ones.
    scene.view_settings.view_transform = "Standard"
    scene.view_settings.look = "None"
    scene.view_settings.exposure, scene.view_settings.gamma = 0.0, 1.0
    render.dither_intensity = 1.0
    compat.set_image_output(scene)
    if alpha:
        render.film_transparent = True
        render.image_settings.color_mode = "RGBA"
    least = ALPHA_SAMPLES if alpha else 0
    compat.set_cycles(
        scene,
        samples=max(least, level.cycles if compat.has_oidn() else level.cycles_plain),
        bounces=level.bounces,
        guided=level.guided,
    )
    compat.set_eevee(scene, samples=max(least, level.eevee), ray_tracing=quality == "final")
    compat.set_workbench(scene)
    add_bloom(scene, alpha=alpha)
    rate = render.fps / render.fps_base
    return RenderSettings(engine, quality, (width, height), rate, scene.frame_start, scene.frame_end)


def add_bloom(scene: bpy.types.Scene, *, alpha: bool = False) -> bool:
    """Put the glow into the compositor; False when the user has a compositor tree of their own.

    With ``alpha`` the glow around things covers as much as it is bright, or it would be lost on the transparent parts.
    """
    made = compat.compositor(scene)
    if made is None:
        return False
    tree, output = made
    layers, bloom = tree.nodes.new("CompositorNodeRLayers"), tree.nodes.new("CompositorNodeGroup")
    layers.name, bloom.name, output.name = "HX Render", BLOOM, "HX Output"
    layers.scene = scene
    layers.location, output.location = (-300, 0), (300, 0)
    bloom.node_tree = bloom_group()
    tree.links.new(layers.outputs["Image"], bloom.inputs["Image"])
    lit = add_glow_cover(tree, bloom.outputs["Image"]) if alpha else bloom.outputs["Image"]
    tree.links.new(lit, output.inputs[0])
    return True


def add_glow_cover(tree: Any, image: Any) -> Any:
    """The image whose alpha is at least the value of its brightest component."""
    parts, whole = tree.nodes.new("CompositorNodeSeparateColor"), tree.nodes.new("CompositorNodeCombineColor")
    tree.links.new(image, parts.inputs[0])
    cover = parts.outputs["Alpha"]
    for name in ("Red", "Green", "Blue"):
        cover = compat.add_largest(tree, cover, parts.outputs[name])
        tree.links.new(parts.outputs[name], whole.inputs[name])
    tree.links.new(cover, whole.inputs["Alpha"])
    return whole.outputs[0]


@contextlib.contextmanager
def kept_output(scene: bpy.types.Scene) -> Iterator[None]:
    """Give the user's output path, frame and size back afterwards."""
    render = scene.render
    kept = (render.filepath, render.use_file_extension, render.resolution_x, render.resolution_y)
    frame = scene.frame_current
    try:
        yield
    finally:
        render.filepath, render.use_file_extension, render.resolution_x, render.resolution_y = kept
        scene.frame_set(frame)


def render_one(scene: bpy.types.Scene, frame: int, path: Path) -> None:
    """Render a frame to ``path``, whose folder must be there; a kill never leaves half a picture under that name.

    Raises:
        SceneError: Blender could not render or write it, or the folder is gone.
    """
    if not path.parent.is_dir():
        raise gone(path.parent)
    partial = path.with_name(f".{path.stem[:40]}.{os.getpid()}.part.png")
    scene.frame_set(frame)
    scene.render.use_file_extension = False
    try:
        # Blender fills in names in braces and makes a missing folder: it gets a plain place of its own to write to.
        with tempfile.TemporaryDirectory(prefix="housex_", ignore_cleanup_errors=True) as room:
            written = Path(room) / "frame.png"
            scene.render.filepath = str(written)
            bpy.ops.render.render(write_still=True, scene=scene.name)
            if not is_picture(written):
                raise RuntimeError("the picture was not written whole")
            move_into(written, partial)
        os.replace(partial, path)
    except (RuntimeError, OSError) as error:
        if not path.parent.is_dir():
            raise gone(path.parent) from error
        raise SceneError(
            f"Frame {frame} could not be rendered: {one_line(error)}.", "Check the free space and the render settings."
        ) from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink()


def render_frames(
    scene: bpy.types.Scene,
    folder: str | os.PathLike[str],
    frames: Iterable[int] | None = None,
    *,
    resume: bool = False,
    on_progress: Callable[[int, int, float], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> list[Path]:
    """Render frames as frame_000001.png and so on; returns the files that are there now, in order.

    Args:
        scene: A configured scene with a camera.
        folder: Made if needed.
        frames: Scene frames; None takes the scene's range.
        resume: Skip frames whose file is whole and of the right size.
        on_progress: Called with frames done, frames wanted, mean seconds per rendered frame.
        should_stop: Asked before every frame; True ends the loop early.

    Raises:
        SceneError: No camera, nothing to render, a failed frame, or a folder that cannot be written or went away.
    """
    wanted = list(range(scene.frame_start, scene.frame_end + 1) if frames is None else frames)
    if not wanted:
        raise SceneError("There are no frames to render.", "Check the start and the end.")
    if scene.camera is None:
        raise SceneError("The scene has no camera.", "Add one or build the tunnel.")
    place = writable_folder(folder)
    size = (scene.render.resolution_x, scene.render.resolution_y)
    paths: list[Path] = []
    spent_s, rendered = 0.0, 0
    with kept_output(scene):
        for done, frame in enumerate(wanted, start=1):
            if should_stop is not None and should_stop():
                break
            path = frame_path(place, frame)
            if not (resume and is_picture(path, size)):
                begin_s = time.perf_counter()
                render_one(scene, frame, path)
                spent_s, rendered = spent_s + time.perf_counter() - begin_s, rendered + 1
            paths.append(path)
            if on_progress is not None:
                on_progress(done, len(wanted), spent_s / max(rendered, 1))
    return paths


def render_still(
    scene: bpy.types.Scene, frame: int, path: str | os.PathLike[str], resolution: tuple[int, int] | None = None
) -> Path:
    """Render one frame to a PNG of any name; ``resolution`` in pixels, None keeps the scene's.

    Raises:
        SceneError: See :func:`render_frames`.
    """
    target = Path(path).absolute()
    if scene.camera is None:
        raise SceneError("The scene has no camera.", "Add one or build the tunnel.")
    writable_folder(target.parent)
    with kept_output(scene):
        if resolution is not None:
            scene.render.resolution_x, scene.render.resolution_y = resolution
        render_one(scene, frame, target)
    return target


def add_sound(
    scene: bpy.types.Scene, mix_path: str | os.PathLike[str], first_frame: int = 1, offset_s: float = 0.0
) -> bool:
    """Put the mix into the sequencer; call after the frame rate is set. Replaces our earlier strip.

    Args:
        scene: Receives the strip.
        mix_path: Sound file.
        first_frame: Frame at which second ``offset_s`` of the mix is heard.
        offset_s: Seconds of the mix to leave out before that.

    Returns:
        Whether there is sound now; False when this Blender cannot read it.
    """
    strip = sound_strip(scene, SOUND_STRIP, mix_path, first_frame, offset_s)
    if strip is not None:
        scene.sync_mode = "AUDIO_SYNC"
    return strip is not None


def add_clicks(scene: bpy.types.Scene, path: str | os.PathLike[str], first_frame: int = 1) -> bool:
    """Put a file with a click on every beat into the sequencer, muted; an earlier one is replaced and stays as loud.

    Returns:
        Whether it is there now; False when this Blender cannot read it.
    """
    editor = scene.sequence_editor
    earlier = next((s for s in compat.strips_of(editor) if s.name.startswith(CLICK_STRIP)), None) if editor else None
    muted = earlier.mute if earlier is not None else True
    strip = sound_strip(scene, CLICK_STRIP, path, first_frame)
    if strip is not None:
        strip.mute = muted
    return strip is not None


def sound_strip(
    scene: bpy.types.Scene, name: str, path: str | os.PathLike[str], first_frame: int, offset_s: float = 0.0
) -> Any:
    """A new sound strip in place of those with this name, above all others; None if it cannot be read."""
    editor = scene.sequence_editor or scene.sequence_editor_create()
    strips = compat.strips_of(editor)
    for strip in [strip for strip in strips if strip.name.startswith(name)]:
        strips.remove(strip)
    source = Path(path)
    if not compat.has_audio() or not source.is_file():
        return None
    lead = round(offset_s * scene.render.fps / scene.render.fps_base)
    channel = 1 + max((strip.channel for strip in strips), default=0)
    try:
        strip = strips.new_sound(
            name=name, filepath=str(source.absolute()), channel=channel, frame_start=first_frame - lead
        )
    except RuntimeError:
        return None
    if lead > 0:
        strip.frame_offset_start = lead
    return strip
