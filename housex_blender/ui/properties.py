"""What the panel shows and the .blend remembers. Zone: ui; no logic."""

from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, IntProperty, PointerProperty, StringProperty

from ..core.looks import palette_names
from ..core.options import BPM_RANGE

PALETTE_FILE = "FILE"
_PALETTE_HELP = {
    "house": "The colours of the HouseX paper, and ours for the other sub-genres",
    "clear": "Colours that stay apart for people who see red and green alike",
}


def _palette_items() -> list[tuple[str, str, str]]:
    items = [(name, name.replace("_", " ").title(), _PALETTE_HELP.get(name, "")) for name in palette_names()]
    return [*items, (PALETTE_FILE, "From a File", "Colours from a palette file of your own")]


def _tempo_or_none(settings: Any, _context: Any) -> None:
    """A tempo that no music has is none: the analysis would refuse it."""
    if 0.0 < settings.bpm < BPM_RANGE[0]:
        settings.bpm = 0.0


class HouseXSettings(bpy.types.PropertyGroup):
    """Settings of one scene, saved in the .blend file."""

    # a plain text, because Blender's own file button cannot be told to list sound only
    mix_path: StringProperty(  # type: ignore[valid-type]
        name="Mix", description="The recorded mix: wav, aiff, flac, ogg, opus, mp3, m4a and more"
    )
    timeline_path: StringProperty(  # type: ignore[valid-type]
        name="Timeline",
        description="What was heard in the mix: the .housex.json file that Analyze Mix wrote or that you loaded",
        subtype="FILE_PATH",
    )
    summary: StringProperty(options={"HIDDEN"})  # type: ignore[valid-type]
    tracks: StringProperty(options={"HIDDEN"})  # type: ignore[valid-type]
    warnings: StringProperty(options={"HIDDEN"})  # type: ignore[valid-type]
    grid_note: StringProperty(options={"HIDDEN"})  # type: ignore[valid-type]
    edits: IntProperty(options={"HIDDEN"})  # type: ignore[valid-type]
    bpm: FloatProperty(  # type: ignore[valid-type]
        name="BPM (0 = by ear)",
        description="Tempo of the mix, if you know it and it was heard wrong; analyze again to use it",
        default=0.0, min=0.0, max=300.0, precision=2, step=100, update=_tempo_or_none,
    )  # fmt: skip
    build_when_done: BoolProperty(  # type: ignore[valid-type]
        name="Build When Done",
        description="Build the tunnel as soon as the mix has been analyzed",
        default=False,
    )
    own_scene: BoolProperty(  # type: ignore[valid-type]
        name="Scene of Its Own",
        description="Build the tunnel in a new scene if this one holds objects of yours; it is left as it is",
        default=True,
    )
    palette: EnumProperty(  # type: ignore[valid-type]
        name="Palette", description="Three colours for each sub-genre", items=_palette_items()
    )
    palette_file: StringProperty(  # type: ignore[valid-type]
        name="Palette File", description="A palette file (JSON) of your own", subtype="FILE_PATH"
    )
    intensity: FloatProperty(  # type: ignore[valid-type]
        name="Intensity", description="Strength of every light", default=1.0, min=0.0, max=4.0, soft_max=2.0
    )
    displacement: FloatProperty(  # type: ignore[valid-type]
        name="Displacement", description="How far the walls move with the bass",
        default=1.0, min=0.0, max=4.0, soft_max=2.0,
    )  # fmt: skip
    speed: FloatProperty(  # type: ignore[valid-type]
        name="Speed", description="Speed of the flight through the tunnel", default=1.0, min=0.0, max=4.0, soft_max=2.0
    )
    attack_ms: FloatProperty(  # type: ignore[valid-type]
        name="Attack", description="How quickly the light follows a rising level, in milliseconds",
        default=10.0, min=0.0, max=10_000.0, soft_max=200.0, precision=0, step=100,
    )  # fmt: skip
    release_ms: FloatProperty(  # type: ignore[valid-type]
        name="Release", description="How slowly the light follows a falling level, in milliseconds",
        default=180.0, min=0.0, max=10_000.0, soft_max=1000.0, precision=0, step=1000,
    )  # fmt: skip
    seed: IntProperty(  # type: ignore[valid-type]
        name="Seed", description="Another number gives another variation of the flight", default=0, min=0
    )
    engine: EnumProperty(  # type: ignore[valid-type]
        name="Engine",
        description="How the film is rendered",
        items=[
            ("cycles", "Cycles", "Light that bounces off the walls; the best picture, the slowest"),
            ("eevee", "EEVEE", "Fast on a graphics card"),
            ("workbench", "Workbench", "A quick preview of movement and colour, without light"),
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
    film_path: StringProperty(  # type: ignore[valid-type]
        name="Film",
        description="Film to write; empty: beside the mix, under its name",
        subtype="FILE_PATH",
    )
    keep_frames: BoolProperty(  # type: ignore[valid-type]
        name="Keep Frames",
        description="Leave the single pictures (PNG) in a folder beside the film",
        default=False,
    )
    resume: BoolProperty(  # type: ignore[valid-type]
        name="Resume",
        description="Use the pictures that an interrupted render left; only if nothing was changed since",
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


CLASSES = (HouseXSettings, HouseXStatus)


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
