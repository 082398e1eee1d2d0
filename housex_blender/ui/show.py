"""From a timeline to a scene full of keys: the one place where the panel meets the scene room. Zone: ui."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..core.bars import frame_count
from ..core.channels import compile_show
from ..core.edits import with_edits
from ..core.errors import HouseXError, SceneError, TimelineError
from ..core.keys import KeyTrack
from ..core.looks import Look
from ..core.shots import shot_list
from ..core.timeline import Timeline
from ..core.titles import TitleCard
from ..exchange import TitleList, read_titles
from ..scene.compat import show_in_sequencers
from ..scene.rig import OWNED, Baked, find_show
from .palette_rows import OWN, characters_of, fill_characters, fill_from, palettes_of
from .places import absolute
from .shown import shown

FIRST_FRAME = 1
# the kind of scene in which nothing is built but the object that carries the channels
RIG = "rig"


def look_of(settings: Any) -> Look:
    """The look that a scene's settings describe."""
    return Look(
        palettes=palettes_of(settings),
        intensity=settings.intensity,
        displacement=settings.displacement,
        speed=settings.speed,
        attack_ms=settings.attack_ms,
        release_ms=settings.release_ms,
        seed=settings.seed,
        characters=characters_of(settings),
        camera=settings.camera,
    )


def take_look(settings: Any, look: Look) -> None:
    """Put a look into the panel."""
    settings.palette = OWN
    fill_from(settings, look.palettes)
    fill_characters(settings, look.characters)
    for name in ("intensity", "displacement", "speed", "attack_ms", "release_ms", "seed", "camera"):
        setattr(settings, name, getattr(look, name))


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
    return find_show(scene) is not None


def scene_for_show(scene: Any) -> Any:
    """This scene if it is empty, holds a show already or is to be driven itself; else a new one with the same settings
    and frame rate, so that nobody's work is mixed with ours."""
    from ..scene.build import new_scene

    settings = scene.housex
    if has_show(scene) or not len(scene.objects) or not settings.own_scene or settings.scene_kind == RIG:
        return scene
    made: Any = new_scene("HouseX")
    made.render.fps, made.render.fps_base = scene.render.fps, scene.render.fps_base
    copy_settings(settings, made.housex)
    return made


def copy_settings(source: Any, target: Any) -> None:
    """Give one scene the settings of another."""
    for prop in source.bl_rna.properties:
        if prop.is_runtime and prop.type != "COLLECTION":
            setattr(target, prop.identifier, getattr(source, prop.identifier))
    if source.palette == OWN:
        fill_from(target, palettes_of(source))
    fill_characters(target, characters_of(source))


def mix_of(scene: Any, timeline: Timeline) -> Path | None:
    """The recording, if it can be found: as chosen, or beside the timeline."""
    settings = scene.housex
    candidates = [absolute(settings.mix_path)] if settings.mix_path else []
    if settings.timeline_path:
        candidates.append(absolute(settings.timeline_path).with_name(Path(timeline.mix.file).name))
    return next((path for path in candidates if os.path.isfile(path)), None)


def build(context: Any, scene: Any, timeline: Timeline | None = None) -> str:
    """Build the scene, keys, sound strip, markers and frame range; returns a line about it.

    Raises:
        HouseXError: Timeline, look or scene do not allow it.
    """
    timeline = with_edits(timeline or load_for(scene))
    target = scene_for_show(scene)
    built = write_show(target, timeline)
    from ..scene.output import add_sound

    mix = mix_of(target, timeline)
    heard = mix is not None and add_sound(target, mix, first_frame=FIRST_FRAME)
    if target.housex.scene_kind != RIG:
        look_through_camera(context, target)
    show_in_sequencers(target)
    line = f"Built {timeline.grid.n_bars} bars, {target.frame_end} frames, {baked_text(built)}"
    return line if heard else f"{line}; without sound, the mix was not found"


def channels_of(scene: Any, timeline: Timeline) -> dict[str, KeyTrack]:
    """The channels of a show with the look of the panel."""
    settings = scene.housex
    return compile_show(timeline, look_of(settings), rate_of(scene), FIRST_FRAME, allow_flashes=settings.allow_flashes)


def write_show(scene: Any, timeline: Timeline) -> Baked:
    """Build or rebuild our objects in this scene, key them and set the markers; returns what was keyed and what not.

    Args:
        scene: Gets the show.
        timeline: With its edits applied.

    Raises:
        HouseXError: The look or the scene does not allow it.
    """
    from ..scene.build import build_show

    settings, fps = scene.housex, rate_of(scene)
    found = titles_of(scene, timeline)
    channels = channels_of(scene, timeline)
    handles = build_show(
        scene,
        channels,
        scene_kind=settings.scene_kind,
        fps=fps,
        n_frames=frame_count(timeline.mix.duration_s, fps),
        seed=settings.seed,
        detail=settings.quality,
    )
    settings.built_frames = scene.frame_end
    set_marks(scene, timeline, found.cards)
    return Baked(handles.keys, handles.kept, found.missing)


def bake(context: Any, scene: Any) -> str:
    """Write the keys again with the present look and corrections; returns a line about it.

    Raises:
        HouseXError: There is no show here, or the timeline or look is of no use.
    """
    from ..scene.bindings import can_rekey, rekey_show

    if not has_show(scene):
        raise SceneError("There is no show in this scene.", "Build it first.")
    known = shown(scene)
    timeline = known.timeline if known is not None else with_edits(load_for(scene))
    if not can_rekey(scene):
        return f"Baked {baked_text(rebuild(context, scene, timeline))}"
    found = titles_of(scene, timeline)
    baked = replace(rekey_show(scene, channels_of(scene, timeline)), missing=found.missing)
    set_marks(scene, timeline, found.cards)
    if scene.frame_end == scene.housex.built_frames:
        # nobody chose another end: it follows the frame rate
        scene.frame_end = scene.housex.built_frames = frame_count(timeline.mix.duration_s, rate_of(scene))
    return f"Baked {baked_text(baked)}"


def baked_text(baked: Baked) -> str:
    """How many keys, what was left alone, and which titles are not shown."""
    line = f"{baked.keys} keys"
    if baked.kept:
        line += f"; left alone, because its animation is yours: {', '.join(baked.kept)}"
    return f"{line}. {baked.missing.rstrip('.')}" if baked.missing else line


def rebuild(context: Any, scene: Any, timeline: Timeline) -> Baked:
    """Build the show again in a file that does not say what is keyed; range and views stay."""
    views = camera_views(context, scene)
    first, last = scene.frame_start, scene.frame_end
    baked = write_show(scene, timeline)
    scene.frame_start, scene.frame_end = first, last
    for view in views:
        view.view_perspective = "CAMERA"
    return baked


def set_marks(scene: Any, timeline: Timeline, cards: tuple[TitleCard, ...]) -> None:
    """Markers for tracks and drops, cuts, titles, and the artist's drop actions where the drops are now."""
    from ..scene.drop_strips import drop_spans, refresh_drops
    from ..scene.markers import marker_list, write_markers
    from ..scene.shots import write_cuts

    fps = rate_of(scene)
    write_markers(scene, marker_list(timeline, fps, FIRST_FRAME))
    write_cuts(scene, shot_list(timeline, look_of(scene.housex), fps, FIRST_FRAME), timeline.mix.sha256)
    refresh_drops(scene, drop_spans(timeline, fps, FIRST_FRAME))
    put_titles(scene, cards)


def put_titles(scene: Any, cards: tuple[TitleCard, ...]) -> None:
    """Titles as the panel wants them instead of those that are there, and cameras framed for the picture's shape."""
    from ..scene.film import shape

    render = scene.render
    shape(scene, (render.resolution_x, render.resolution_y), cards, alpha=scene.housex.alpha)


def titles_of(scene: Any, timeline: Timeline) -> TitleList:
    """Titles of the tracklist that was chosen, or of the timeline; none where they are not wanted.

    Raises:
        HouseXError: The tracklist cannot be read, or there are no titles.
    """
    settings = scene.housex
    if not settings.titles:
        return TitleList((), "")
    tracklist = absolute(settings.titles_path) if settings.titles_path else None
    found = read_titles(timeline, rate_of(scene), tracklist, FIRST_FRAME)
    if not found.cards:
        raise SceneError(found.missing, "Choose the tracklist of this mix, or turn Titles off.")
    return found


def renew_titles(scene: Any) -> None:
    """Before a film: titles and cameras for the size that it gets, though nothing was baked since that was chosen.

    Raises:
        HouseXError: Timeline or tracklist cannot be read, or there are no titles.
    """
    if has_show(scene) and scene.housex.timeline_path:
        known = shown(scene)
        timeline = known.timeline if known is not None else with_edits(load_for(scene))
        put_titles(scene, titles_of(scene, timeline).cards)


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
            # a grid through the middle of the tunnel, the arrows of empties, the lines to their parents
            for name in ("floor", "axis_x", "axis_y", "extras", "relationship_lines"):
                setattr(space.overlay, f"show_{name}", False)
            break
    for thing in scene.objects:
        # the camera's rail: hidden from the eye alone, it still carries
        if thing.type == "CURVE" and thing.get(OWNED):
            thing.hide_set(True, view_layer=window.view_layer)


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
