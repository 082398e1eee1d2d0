"""A thumbnail, and a contact sheet with a picture of every section. Zone: bpy.

The sheet is a picture that Blender renders of flat pictures and captions: letters without any other library.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy

from ..core.bars import frame_on
from ..core.errors import Cancelled, SceneError
from ..core.files import replacing
from ..core.film_moments import Moment, best_moment, section_moments
from ..core.titles import settled_frame
from . import compat, output
from .film import Show, configure, still_quality, still_size
from .meshes import quad_mesh
from .pictures import one_line

CELL_PX = 320
MOST_CELLS = 96
_JPEG_QUALITY = 90
_GAP_PX, _CAPTION_PX, _HEAD_PX = 16, 46, 64
_SHEET_SHAPE = 1.5
_SAMPLES = 16
_PAPER, _INK, _FAINT = (0.006, 0.006, 0.008), (0.8, 0.8, 0.8), (0.25, 0.25, 0.27)
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Cell:
    """A picture and what stands below it."""

    picture: Path
    first: str
    second: str


def write_sheet(
    show: Show,
    thumbnail: Path,
    sheet: Path,
    title: str,
    *,
    on_progress: Progress = lambda done, total: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> None:
    """Render a thumbnail (JPEG) of the best moment and a contact sheet (PNG) of all sections of the plan.

    Raises:
        SceneError: A picture cannot be rendered or written.
        Cancelled: ``should_stop`` said so.
    """
    plan = show.plan
    moments = _thinned(section_moments(show.timeline, plan.start_s, plan.end_s))
    with tempfile.TemporaryDirectory(prefix="housex_", ignore_cleanup_errors=True) as room:
        folder = Path(room)
        try:
            configure(show, quality=still_quality(plan.quality), resolution=still_size(plan.resolution))
            best = best_moment(show.timeline, plan.start_s, plan.end_s)
            output.render_still(show.scene, _frame(show, best), folder / "best.png")
            save_jpeg(folder / "best.png", thumbnail)
            configure(show, resolution=_cell_size(plan.resolution))
            cells = []
            for number, moment in enumerate(moments):
                if should_stop():
                    raise Cancelled()
                picture = folder / f"{number}.png"
                output.render_still(show.scene, _frame(show, moment), picture)
                cells.append(_cell(picture, moment))
                on_progress(number + 1, len(moments))
        finally:
            configure(show)
        draw_sheet(cells, _cell_size(plan.resolution), title, sheet)


def _frame(show: Show, moment: Moment) -> int:
    """The frame of a moment, on which no title is half there."""
    return settled_frame(show.plan.titles, int(frame_on(moment.time_s, show.plan.fps)))


def _thinned(moments: list[Moment]) -> list[Moment]:
    """As many as a sheet holds, evenly over the film."""
    every = math.ceil(len(moments) / MOST_CELLS)
    return moments[::every]


def _cell_size(resolution: tuple[int, int]) -> tuple[int, int]:
    factor = CELL_PX / max(resolution)
    return max(16, round(resolution[0] * factor / 2) * 2), max(16, round(resolution[1] * factor / 2) * 2)


def _cell(picture: Path, moment: Moment) -> Cell:
    minutes, seconds = divmod(int(moment.time_s + 0.5), 60)
    hours, minutes = divmod(minutes, 60)
    clock = f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
    return Cell(picture, f"{clock}   {moment.section}", moment.genre)


def save_jpeg(source: Path, target: Path) -> None:
    """Write a picture again as JPEG.

    Raises:
        SceneError: It cannot be read or written.
    """
    try:
        image = bpy.data.images.load(str(source))
        try:
            image.file_format = "JPEG"
            with replacing(target) as temporary:
                image.save(filepath=str(temporary), quality=_JPEG_QUALITY)
        finally:
            bpy.data.images.remove(image)
    except (OSError, RuntimeError) as error:
        raise SceneError(f"{target.name} cannot be written: {one_line(error)}.", "Check the free space.") from error


# -- the sheet -------------------------------------------------------------------------------------------------


def draw_sheet(cells: Sequence[Cell], cell_px: tuple[int, int], title: str, target: Path) -> None:
    """Draw pictures in rows with captions below them, under a title.

    Args:
        cells: At least one.
        cell_px: Width and height of every picture in pixels.
        title: The headline.
        target: A PNG file.

    Raises:
        SceneError: It cannot be rendered or written.
    """
    step_x, step_y = cell_px[0] + _GAP_PX, cell_px[1] + _CAPTION_PX + _GAP_PX
    columns = min(len(cells), max(1, round(math.sqrt(len(cells) * _SHEET_SHAPE * step_y / step_x))))
    width = columns * step_x + _GAP_PX
    height = math.ceil(len(cells) / columns) * step_y + _GAP_PX + _HEAD_PX
    kept = {
        name: set(getattr(bpy.data, name)) for name in ("images", "materials", "meshes", "curves", "cameras", "worlds")
    }
    scene: Any = bpy.data.scenes.new("HX Sheet")
    try:
        _set_up(scene, width, height)
        ink, faint = _glow("HX Ink", _INK), _glow("HX Faint", _FAINT)
        _write(scene, title, _GAP_PX, height - 42, 26, ink, width - 2 * _GAP_PX)
        for number, cell in enumerate(cells):
            x = _GAP_PX + number % columns * step_x
            y = height - _HEAD_PX - number // columns * step_y
            _picture(scene, cell.picture, x, y - cell_px[1], *cell_px)
            _write(scene, cell.first, x, y - cell_px[1] - 20, 17, ink, cell_px[0])
            _write(scene, cell.second, x, y - cell_px[1] - 40, 15, faint, cell_px[0])
        output.render_still(scene, 1, target)
    finally:
        for thing in list(scene.objects):
            bpy.data.objects.remove(thing)
        bpy.data.scenes.remove(scene)
        bpy.data.batch_remove(
            [block for name, old in kept.items() for block in getattr(bpy.data, name) if block not in old]
        )


def _set_up(scene: Any, width: int, height: int) -> None:
    """A camera that sees one unit for each pixel, and light from nowhere."""
    camera: Any = bpy.data.objects.new("HX Sheet", bpy.data.cameras.new("HX Sheet"))
    camera.data.type, camera.data.ortho_scale = "ORTHO", float(max(width, height))
    camera.location = (width / 2, height / 2, 10.0)
    scene.collection.objects.link(camera)
    scene.camera = camera
    compat.set_engine(scene, "cycles")
    compat.set_image_output(scene)
    compat.set_cycles(scene, samples=_SAMPLES, bounces=0, guided=False)
    scene.cycles.use_denoising = False
    # pictures must come out as they went in: one pixel to one pixel
    scene.cycles.pixel_filter_type, scene.render.filter_size = "BOX", 1.0
    scene.render.resolution_x, scene.render.resolution_y, scene.render.resolution_percentage = width, height, 100
    scene.view_settings.view_transform, scene.view_settings.look = "Standard", "None"
    scene.render.dither_intensity = 0.0
    world = bpy.data.worlds.new("HX Sheet")
    scene.world = world
    background = compat.node_tree(world).nodes.new("ShaderNodeBackground")
    out = world.node_tree.nodes.new("ShaderNodeOutputWorld")
    background.inputs[0].default_value = (*_PAPER, 1.0)
    world.node_tree.links.new(background.outputs[0], out.inputs[0])


def _glow(name: str, colour: tuple[float, float, float] | None, image: Any = None) -> Any:
    """A material that shows one colour, or an image, as it is."""
    material = bpy.data.materials.new(name)
    tree = compat.node_tree(material)
    emission, out = tree.nodes.new("ShaderNodeEmission"), tree.nodes.new("ShaderNodeOutputMaterial")
    if image is None:
        emission.inputs["Color"].default_value = (*(colour or _INK), 1.0)
    else:
        texture = tree.nodes.new("ShaderNodeTexImage")
        texture.image, texture.interpolation = image, "Closest"
        tree.links.new(texture.outputs["Color"], emission.inputs["Color"])
    tree.links.new(emission.outputs[0], out.inputs["Surface"])
    return material


def _picture(scene: Any, path: Path, x: float, y: float, width: int, height: int) -> None:
    points = [(x, y, 0.0), (x + width, y, 0.0), (x + width, y + height, 0.0), (x, y + height, 0.0)]
    material = _glow("HX Sheet", None, bpy.data.images.load(str(path)))
    mesh = quad_mesh("HX Sheet", points, [(0, 1, 2, 3)], [material])
    places: Any = mesh.uv_layers.new(name="UVMap").data
    places.foreach_set("uv", [0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0])
    scene.collection.objects.link(bpy.data.objects.new("HX Sheet", mesh))


def _write(scene: Any, text: str, x: float, y: float, size: float, material: Any, width: float) -> None:
    """One line of text with its base line at ``y``, shrunk if it is wider than ``width``."""
    curve: Any = bpy.data.curves.new("HX Sheet", "FONT")
    curve.body, curve.size = text, size
    curve.materials.append(material)
    line = bpy.data.objects.new("HX Sheet", curve)
    line.location = (x, y, 0.0)
    scene.collection.objects.link(line)
    scene.view_layers[0].update()
    line.scale[0] = min(1.0, width / max(line.dimensions[0], 1e-6))
