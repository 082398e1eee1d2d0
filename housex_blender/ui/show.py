"""From a timeline to a scene full of keys: the one place where the panel meets the scene room. Zone: ui."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from ..core.channels import compile_show
from ..core.edits import grid_with_edits
from ..core.errors import HouseXError, SceneError, TimelineError
from ..core.looks import Look, load_palettes
from ..core.timeline import Timeline
from .places import absolute
from .properties import PALETTE_FILE

SHOW_OBJECT = "HX Show"
FIRST_FRAME = 1


def look_of(settings: Any) -> Look:
    """The look that a scene's settings describe.

    Raises:
        LookError: The palette file is missing or damaged.
    """
    name = str(absolute(settings.palette_file)) if settings.palette == PALETTE_FILE else settings.palette
    return Look(
        palettes=load_palettes(name),
        intensity=settings.intensity,
        displacement=settings.displacement,
        speed=settings.speed,
        attack_ms=settings.attack_ms,
        release_ms=settings.release_ms,
        seed=settings.seed,
    )


def load_for(scene: Any) -> Timeline:
    """The scene's timeline.

    Raises:
        TimelineError: There is none yet, or it cannot be read.
    """
    if not scene.housex.timeline_path:
        raise TimelineError("There is no timeline yet.", "Analyze the mix, or load a timeline.")
    return Timeline.load(absolute(scene.housex.timeline_path))


def rate_of(scene: Any) -> float:
    """Frames per second, fractions included."""
    return float(scene.render.fps / scene.render.fps_base)


def has_show(scene: Any) -> bool:
    """Whether we built a show in this scene."""
    return SHOW_OBJECT in scene.objects


def scene_for_show(scene: Any) -> Any:
    """This scene if it is empty or holds a show already; else a new one with the same settings and frame rate, so
    that nobody's work is mixed with ours."""
    from ..scene.build import new_scene

    if has_show(scene) or not len(scene.objects) or not scene.housex.own_scene:
        return scene
    made: Any = new_scene("HouseX")
    made.render.fps, made.render.fps_base = scene.render.fps, scene.render.fps_base
    for prop in scene.housex.bl_rna.properties:
        if prop.is_runtime and prop.identifier != "name":
            setattr(made.housex, prop.identifier, getattr(scene.housex, prop.identifier))
    return made


def mix_of(scene: Any, timeline: Timeline) -> Path | None:
    """The recording, if it can be found: as chosen, or beside the timeline."""
    settings = scene.housex
    candidates = [absolute(settings.mix_path)] if settings.mix_path else []
    if settings.timeline_path:
        candidates.append(absolute(settings.timeline_path).with_name(Path(timeline.mix.file).name))
    return next((path for path in candidates if path.is_file()), None)


def build(context: Any, scene: Any, timeline: Timeline | None = None) -> str:
    """Build tunnel, keys, sound strip and frame range; returns a line about it.

    Raises:
        HouseXError: Timeline, look or scene do not allow it.
    """
    timeline = timeline or load_for(scene)
    look_of(scene.housex)  # a bad palette must show before a scene is made
    target = scene_for_show(scene)
    keys = write_show(target, timeline)
    from ..scene.output import add_sound

    mix = mix_of(target, timeline)
    heard = mix is not None and add_sound(target, mix, first_frame=FIRST_FRAME)
    look_through_camera(context, target)
    line = f"Built {grid_with_edits(timeline).n_bars} bars, {target.frame_end} frames, {keys} keys"
    return line if heard else f"{line}; without sound, the mix was not found"


def write_show(scene: Any, timeline: Timeline) -> int:
    """Build or rebuild our objects in this scene and key them; returns the number of keys.

    Raises:
        HouseXError: The look or the scene does not allow it.
    """
    from ..scene.build import build_show

    settings, fps = scene.housex, rate_of(scene)
    channels = compile_show(timeline, look_of(settings), fps, FIRST_FRAME)
    frames = max(1, math.ceil(timeline.mix.duration_s * fps))
    handles = build_show(scene, channels, scene_kind="tunnel", fps=fps, n_frames=frames, seed=settings.seed,
                         detail=settings.quality)  # fmt: skip
    return sum(len(bound) * len(channels[name].frames) for name, bound in handles.bindings.items())


def bake(context: Any, scene: Any) -> str:
    """Write the keys again with the present look; returns a line about it.

    Raises:
        HouseXError: There is no show here, or the timeline or look is of no use.
    """
    if not has_show(scene):
        raise SceneError("There is no show in this scene.", "Build the tunnel first.")
    views = camera_views(context, scene)
    first, last = scene.frame_start, scene.frame_end
    keys = write_show(scene, load_for(scene))
    scene.frame_start, scene.frame_end = first, last
    for view in views:
        view.view_perspective = "CAMERA"
    return f"Baked {keys} keys"


def camera_views(context: Any, scene: Any) -> list[Any]:
    """3D views of this window that look through the scene's camera."""
    window = context.window
    if window is None or window.scene != scene:
        return []
    views = [area.spaces.active.region_3d for area in window.screen.areas if area.type == "VIEW_3D"]
    return [view for view in views if view.view_perspective == "CAMERA"]


def look_through_camera(context: Any, scene: Any) -> None:
    """Turn the 3D view that shows the scene into the flight, rendered as materials and lights."""
    window = context.window
    if window is None or window.scene != scene:
        return
    for area in window.screen.areas:
        if area.type == "VIEW_3D":
            space = area.spaces.active
            space.region_3d.view_perspective = "CAMERA"
            if space.shading.type in ("SOLID", "WIREFRAME"):
                space.shading.type = "MATERIAL"
            # without these the view shows a studio's light instead of the show's
            space.shading.use_scene_lights = space.shading.use_scene_world = True
            # a grid through the middle of the tunnel
            space.overlay.show_floor = space.overlay.show_axis_x = space.overlay.show_axis_y = False
            break


def check_mix(scene: Any, timeline: Timeline) -> str:
    """A warning if the recording is not the one that was analyzed; else empty."""
    mix = mix_of(scene, timeline)
    if mix is None:
        return ""
    try:
        timeline.check_mix(mix)
    except (HouseXError, OSError) as error:
        return str(error)
    return ""
