"""What the panel shows and the .blend remembers. Zone: ui; no logic."""

from typing import Any

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    EnumProperty,
    FloatProperty,
    FloatVectorProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

from ..core.film_options import SHAPES, shape_named, shaped
from ..core.looks import palette_names
from ..core.manners import DEFAULT_CAMERA
from ..core.options import BPM_RANGE
from ..scene.compat import blend_relative
from . import palette_rows
from .translations import CONTEXT

_PALETTE_HELP = {
    "house": "The colors of the HouseX paper, and ours for the other sub-genres",
    "acid": "Neon: lime, magenta, cyan",
    "clear": "Colors that stay apart however one sees red, green and blue",
    "dusk": "Soft colors of the evening",
    "ember": "Reds, oranges and dark wine",
    "ice": "Blues and whites",
    "mono": "Black, white and one color for each sub-genre",
}
SLOTS = (
    ("Key", "Main light, which carries the kick"),
    ("Fill", "Second light, beside the main one"),
    ("Accent", "Small lights and the glow far ahead"),
)
_CHARACTERS = (
    ("swell", "Swell", "Smooth swells"),
    ("shards", "Shards", "Angular shards"),
    ("grid", "Grid", "A grid that falls to pieces"),
    ("slabs", "Slabs", "Heavy, slow slabs"),
    ("ribs", "Ribs", "Ribs that pulse"),
)
_CAMERAS = (
    ("steady", "Steady", "Long shots that hardly lean"),
    ("smooth", "Smooth", "A cut every eight bars"),
    ("restless", "Restless", "A cut every four bars; leans and hurries"),
)


def _palette_items() -> list[tuple[str, str, str]]:
    items = [(name, name.replace("_", " ").title(), _PALETTE_HELP.get(name, "")) for name in palette_names()]
    return [*items, (palette_rows.OWN, "My Colors", "The colors below, as you changed them")]


def _tempo_or_none(settings: Any, _context: Any) -> None:
    """A tempo that no music has is none: the analysis would refuse it."""
    if 0.0 < settings.bpm < BPM_RANGE[0]:
        settings.bpm = 0.0


def _show_palette(settings: Any, _context: Any) -> None:
    palette_rows.fill(settings)


def _own_palette(row: Any, _context: Any) -> None:
    palette_rows.note_change(row.id_data.housex)


def _format(settings: Any) -> int:
    """Number of the format that the scene's size has."""
    render = settings.id_data.render
    name = shape_named(render.resolution_x, render.resolution_y)
    return [*SHAPES, ""].index(name)


def _take_format(settings: Any, number: int) -> None:
    """Give the picture another shape of the same shorter side, and the cameras its frame."""
    from ..scene.framing import reframe
    from ..scene.shots import shot_cameras

    if number < len(SHAPES):
        scene = settings.id_data
        render = scene.render
        size = shaped(list(SHAPES)[number], max(2, round(min(render.resolution_x, render.resolution_y) / 9)))
        render.resolution_x, render.resolution_y = size
        reframe(shot_cameras(scene).values(), size)


def _colour(slot: int) -> Any:
    label, what = SLOTS[slot]
    return FloatVectorProperty(
        name=label,
        description=what,
        subtype="COLOR",
        size=3,
        min=0.0,
        max=1.0,
        update=_own_palette,
        translation_context=CONTEXT,
    )


class HouseXGenreColours(bpy.types.PropertyGroup):
    """Three colours of one sub-genre, linear RGB, and how it moves; the name of the group is the genre's."""

    colour_a: _colour(0)  # type: ignore[valid-type]
    colour_b: _colour(1)  # type: ignore[valid-type]
    colour_c: _colour(2)  # type: ignore[valid-type]
    character: EnumProperty(  # type: ignore[valid-type]
        name="Character",
        description="How walls and shapes move with this sub-genre",
        items=_CHARACTERS,
        translation_context=CONTEXT,
    )


class HouseXSettings(bpy.types.PropertyGroup):
    """Settings of one scene, saved in the .blend file."""

    # a plain text, because Blender's own file button cannot be told to list sound only
    mix_path: StringProperty(  # type: ignore[valid-type]
        name="Mix",
        description="The recorded mix: wav, aiff, flac, ogg, opus, mp3, m4a and more",
        translation_context=CONTEXT,
    )
    timeline_path: StringProperty(  # type: ignore[valid-type]
        name="Timeline",
        description="What was heard in the mix: the .housex.json file that Analyze Mix wrote or that you loaded",
        subtype="FILE_PATH", options=blend_relative(),
    )  # fmt: skip
    summary: StringProperty(options={"HIDDEN"})  # type: ignore[valid-type]
    tracks: StringProperty(options={"HIDDEN"})  # type: ignore[valid-type]
    warnings: StringProperty(options={"HIDDEN"})  # type: ignore[valid-type]
    grid_note: StringProperty(options={"HIDDEN"})  # type: ignore[valid-type]
    edits: IntProperty(options={"HIDDEN"})  # type: ignore[valid-type]
    built_frames: IntProperty(options={"HIDDEN"})  # type: ignore[valid-type]
    # which state of the timeline file belongs to this step of Blender's undo
    state: IntProperty(options={"HIDDEN"})  # type: ignore[valid-type]
    conflicts: StringProperty(options={"HIDDEN"})  # type: ignore[valid-type]
    mix_problem: StringProperty(options={"HIDDEN"})  # type: ignore[valid-type]
    timeline_problem: StringProperty(options={"HIDDEN"})  # type: ignore[valid-type]
    select_first: IntProperty(  # type: ignore[valid-type]
        name="First Bar", description="First of the selected bars, counted from 1; 0 for none", default=0, min=0
    )
    select_last: IntProperty(  # type: ignore[valid-type]
        name="Last Bar", description="Last of the selected bars", default=0, min=0
    )
    bpm: FloatProperty(  # type: ignore[valid-type]
        name="BPM (0 = by ear)",
        description="Tempo of the mix, if you know it and it was heard wrong; analyze again to use it",
        default=0.0, min=0.0, max=300.0, precision=2, step=100, update=_tempo_or_none,
    )  # fmt: skip
    build_when_done: BoolProperty(  # type: ignore[valid-type]
        name="Build When Done",
        description="Build the show as soon as the mix has been analyzed",
        default=True,
    )
    scene_kind: EnumProperty(  # type: ignore[valid-type]
        name="Scene",
        description="What is built around the music",
        items=[
            ("tunnel", "Tunnel", "A flight through a sci-fi tunnel"),
            ("stage", "Stage", "A festival stage: LED wall, moving heads, lasers, crowd"),
            ("lagoon", "Lagoon", "Monoliths in a black sea under an aurora"),
            ("rig", "My Own Scene", "Only the object HX Show with a custom property for every channel: "
             "right-click any property and choose Drive by Mix"),
        ],
    )  # fmt: skip
    bake_at_once: BoolProperty(  # type: ignore[valid-type]
        name="Bake at Once",
        description="Write the keys anew after every correction, every look and every analysis. Colors and "
        "strengths that you change by hand wait for Bake",
        default=True,
    )
    drop_object: PointerProperty(  # type: ignore[valid-type]
        type=bpy.types.Object, name="Object", description="Plays the action at every drop"
    )
    drop_action: PointerProperty(  # type: ignore[valid-type]
        type=bpy.types.Action, name="Action", description="Made once by you, played at every drop"
    )
    drop_phrase: EnumProperty(  # type: ignore[valid-type]
        name="Length",
        description="How long the action takes at each drop",
        items=[
            ("-1", "Whole Drop", "From the first bar of the drop to its last"),
            ("0", "As Made", "As long as the action is"),
            ("1", "1 Bar", "One bar"),
            ("4", "4 Bars", "Four bars"),
            ("8", "8 Bars", "A phrase of eight bars"),
            ("16", "16 Bars", "A phrase of sixteen bars"),
        ],
        default="8",
    )
    own_scene: BoolProperty(  # type: ignore[valid-type]
        name="Scene of Its Own",
        description="Build the show in a new scene if this one holds objects of yours; it is left as it is",
        default=True,
    )
    palette: EnumProperty(  # type: ignore[valid-type]
        name="Palette",
        description="Three colors for each sub-genre",
        items=_palette_items(),
        update=_show_palette,
        translation_context=CONTEXT,
    )
    colours: CollectionProperty(  # type: ignore[valid-type]
        type=HouseXGenreColours, name="Colors", description="Three colors for each sub-genre"
    )
    intensity: FloatProperty(  # type: ignore[valid-type]
        name="Intensity", description="Strength of every light", default=1.0, min=0.0, max=4.0, soft_max=2.0
    )
    displacement: FloatProperty(  # type: ignore[valid-type]
        name="Displacement", description="How far walls and shapes move with the bass",
        default=1.0, min=0.0, max=4.0, soft_max=2.0,
    )  # fmt: skip
    speed: FloatProperty(  # type: ignore[valid-type]
        name="Speed", description="Speed of the camera", default=1.0, min=0.0, max=4.0, soft_max=2.0
    )
    attack_ms: FloatProperty(  # type: ignore[valid-type]
        name="Attack", description="How quickly the light follows a rising level, in milliseconds",
        default=10.0, min=0.0, max=10_000.0, soft_max=200.0, precision=0, step=100, translation_context=CONTEXT,
    )  # fmt: skip
    release_ms: FloatProperty(  # type: ignore[valid-type]
        name="Release", description="How slowly the light follows a falling level, in milliseconds",
        default=180.0, min=0.0, max=10_000.0, soft_max=1000.0, precision=0, step=1000, translation_context=CONTEXT,
    )  # fmt: skip
    seed: IntProperty(  # type: ignore[valid-type]
        name="Seed", description="Another number gives another variation of flight and cuts", default=0, min=0
    )
    camera: EnumProperty(  # type: ignore[valid-type]
        name="Camera",
        description="How often the picture is cut, and how much the camera leans and drifts",
        items=_CAMERAS,
        default=DEFAULT_CAMERA,
        translation_context=CONTEXT,
    )
    allow_flashes: BoolProperty(  # type: ignore[valid-type]
        name="Allow Flashes",
        description="Leave flashes in that may harm people with photosensitive epilepsy: more than three in a second",
        default=False,
    )
    engine: EnumProperty(  # type: ignore[valid-type]
        name="Engine",
        description="How the film is rendered",
        items=[
            ("cycles", "Cycles", "Light that bounces off the walls; the best picture, the slowest"),
            ("eevee", "EEVEE", "Fast on a graphics card"),
            ("workbench", "Workbench", "A quick preview of movement and color, without light"),
        ],
    )
    quality: EnumProperty(  # type: ignore[valid-type]
        name="Quality",
        description="Samples for each frame: time against noise",
        items=[
            ("draft", "Draft", "To see the timing: few samples"),
            ("preview", "Preview", "To judge the look"),
            ("final", "Final", "For showing"),
        ],
        default="preview",
    )
    format: EnumProperty(  # type: ignore[valid-type]
        name="Format",
        description="Shape of the picture; the cameras of the show are reframed for it",
        items=[
            ("wide", "Wide", "16:9, for screens"),
            ("square", "Square", "1:1"),
            ("vertical", "Vertical", "9:16, for telephones"),
            ("own", "As Below", "Another shape, by the resolution below"),
        ],
        get=_format,
        set=_take_format,
        translation_context=CONTEXT,
    )
    titles: BoolProperty(  # type: ignore[valid-type]
        name="Titles",
        description="Show the title of each track for its first four bars; Build or Bake puts them into the scene",
        default=False,
        translation_context=CONTEXT,
    )
    titles_path: StringProperty(  # type: ignore[valid-type]
        name="Tracklist",
        description="Tracklist, cue sheet or rekordbox XML with the titles; empty: those of the timeline",
        subtype="FILE_PATH", options=blend_relative(),
    )  # fmt: skip
    alpha: BoolProperty(  # type: ignore[valid-type]
        name="Transparent",
        description="Leave sky and haze out and write a .mov with transparency, to lay over other pictures",
        default=False,
        translation_context=CONTEXT,
    )
    film_path: StringProperty(  # type: ignore[valid-type]
        name="Film",
        description="Film to write; empty: beside the mix, under its name",
        subtype="FILE_PATH", options=blend_relative(),
    )  # fmt: skip
    keep_frames: BoolProperty(  # type: ignore[valid-type]
        name="Keep Frames",
        description="Leave the single pictures (PNG) in a folder beside the film",
        default=False,
    )
    resume: BoolProperty(  # type: ignore[valid-type]
        name="Resume",
        description="Use the pictures that an interrupted render left; whatever was changed since is noticed",
        default=False,
    )


class HouseXStatus(bpy.types.PropertyGroup):
    """What runs now; belongs to the window, is never saved."""

    busy: EnumProperty(  # type: ignore[valid-type]
        items=[("NONE", "Nothing", ""), ("ANALYSIS", "Analysis", ""), ("RENDER", "Render", "")]
    )
    stage: StringProperty()  # type: ignore[valid-type]
    fraction: FloatProperty(min=-1.0, max=1.0, default=-1.0)  # type: ignore[valid-type]
    time_left: StringProperty()  # type: ignore[valid-type]
    stop_requested: BoolProperty()  # type: ignore[valid-type]
    taps: StringProperty()  # type: ignore[valid-type]
    taps_line: StringProperty()  # type: ignore[valid-type]
    message: StringProperty()  # type: ignore[valid-type]
    message_icon: StringProperty(default="INFO")  # type: ignore[valid-type]
    message_panel: StringProperty(default="MIX")  # type: ignore[valid-type]


CLASSES = (HouseXGenreColours, HouseXSettings, HouseXStatus)


def attach() -> None:
    """Hang the groups on every scene and on the window manager."""
    scene: Any = bpy.types.Scene
    manager: Any = bpy.types.WindowManager
    scene.housex = PointerProperty(type=HouseXSettings)  # type: ignore[func-returns-value]
    manager.housex = PointerProperty(type=HouseXStatus, options={"SKIP_SAVE"})  # type: ignore[func-returns-value]


def detach() -> None:
    """Take them off again."""
    scene: Any = bpy.types.Scene
    manager: Any = bpy.types.WindowManager
    del manager.housex
    del scene.housex
