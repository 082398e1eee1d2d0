"""Files in and out: the mix from a strip, a mix that moved, timing of other programs, clicks, demo. Zone: ui."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, StringProperty

from ..core.errors import HouseXError, SceneError, TimelineError
from ..core.timeline import Timeline, envelope_path_of
from ..exchange import EXPORTS, check_library, write
from . import show
from .job_operator import redraw, say
from .operators_analyze import (
    AUDIO_FILTER,
    AnalysisOperator,
    choose,
    not_busy,
    take_timeline,
)
from .operators_bars import BarsOperator
from .operators_edit import TimelineOperator
from .places import absolute, kept_path, timeline_stem, user_folder
from .report import fail
from .session import Session
from .shown import heard

_READABLE = "*.xml;*.cue;*.txt;*.beats;*.downbeats;*.lab"
# beside this room in the package; a checkout has none
_DEMO = Path(__file__).resolve().parent.parent / "demo"
DEMO_TIMELINE, DEMO_MIX = _DEMO / "demo.housex.json", _DEMO / "demo_mix.ogg"
# looked for once: the button asks with every redraw
_HAS_DEMO = DEMO_TIMELINE.is_file()


class HOUSEX_OT_mix_from_strip(bpy.types.Operator):
    """Take the sound of the active strip in the Sequencer as the mix"""

    bl_idname = "housex.mix_from_strip"
    bl_label = "Mix from Strip"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 - Blender reads it as it is

    @classmethod
    def poll(cls, context: Any) -> bool:
        """A sound strip must be active."""
        if sound_file(context.scene) is None:
            cls.poll_message_set("Select a sound strip in the Sequencer")
            return False
        return not_busy(cls, context)

    def execute(self, context: Any) -> set[Any]:
        """Choose its file."""
        path = sound_file(context.scene)
        if path is None or not path.is_file():
            missing = SceneError("The strip's sound file is missing.", "Find it with File > External Data.")
            return fail(self, context, missing)
        choose(context, path)
        return {"FINISHED"}


def sound_file(scene: Any) -> Path | None:
    """The file of the active sound strip; None if there is none, or the sound is packed."""
    editor = scene.sequence_editor
    strip = editor.active_strip if editor is not None else None
    if strip is None or strip.type != "SOUND" or strip.sound is None or strip.sound.packed_file is not None:
        return None
    return absolute(strip.sound.filepath)


class HOUSEX_OT_find_mix(TimelineOperator, bpy.types.Operator):
    """The mix was moved: say where it is now"""

    bl_idname = "housex.find_mix"
    bl_label = "Find Mix"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 - Blender reads it as it is

    filepath: StringProperty(subtype="FILE_PATH", options={"HIDDEN", "SKIP_SAVE"})  # type: ignore[valid-type]
    filter_glob: StringProperty(default=AUDIO_FILTER, options={"HIDDEN"})  # type: ignore[valid-type]

    def invoke(self, context: Any, _event: bpy.types.Event) -> set[Any]:
        """Open the file browser beside the timeline."""
        self.filepath = str(absolute(context.scene.housex.timeline_path).parent) + "/"
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: Any) -> set[Any]:
        """Take the file if it is the recording that was analyzed; the sound strip follows."""
        from ..scene.output import add_sound

        scene, mix = context.scene, absolute(self.filepath)
        try:
            show.load_for(scene).check_mix(mix)
        except HouseXError as error:
            return fail(self, context, error)
        scene.housex.mix_path, scene.housex.mix_problem = kept_path(mix), ""
        if show.has_show(scene):
            add_sound(scene, mix, first_frame=show.FIRST_FRAME)
        say(context, f"Found {mix.name}", "CHECKMARK")
        redraw(context)
        return {"FINISHED"}


class HOUSEX_OT_import_timing(AnalysisOperator, TimelineOperator, bpy.types.Operator):
    """Take beats, tracks or sections from a file of another program: rekordbox XML, cue sheet, tracklist, labels"""

    bl_idname = "housex.import_timing"
    bl_label = "Import Timing"
    bl_options = {"UNDO"}  # noqa: RUF012 - Blender reads it as it is

    filepath: StringProperty(subtype="FILE_PATH", options={"HIDDEN", "SKIP_SAVE"})  # type: ignore[valid-type]
    filter_glob: StringProperty(default=_READABLE, options={"HIDDEN"})  # type: ignore[valid-type]

    def invoke(self, context: Any, _event: bpy.types.Event) -> set[Any]:
        """Open the file browser."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: Any) -> set[Any]:
        """Hear the mix again on what the file says."""
        if not os.path.isfile(absolute(self.filepath)):
            missing = SceneError(f"There is no file {absolute(self.filepath)}.", "Choose one that exists.")
            return fail(self, context, missing)
        return self.run_or_start(context)

    def begin(self, context: Any) -> Session:
        """The analysis with that file; what was heard before comes from its cache."""
        return self.analysis(context, ["--import", str(absolute(self.filepath))], "Reading the file")

    def succeed(self, context: Any, session: Session) -> str:
        """Load the timeline, key it."""
        self.take(context, session)
        return f"Took {absolute(self.filepath).name}"


class HOUSEX_OT_click_track(AnalysisOperator, TimelineOperator, bpy.types.Operator):
    """Add a muted sound strip with a click on every beat: unmute it to hear whether the beats are right"""

    bl_idname = "housex.click_track"
    bl_label = "Click Track"
    bl_options = {"UNDO"}  # noqa: RUF012 - Blender reads it as it is

    def execute(self, context: Any) -> set[Any]:
        """Write the clicks in the other process."""
        return self.run_or_start(context)

    def invoke(self, context: Any, _event: bpy.types.Event) -> set[Any]:
        """The same."""
        return self.run_or_start(context)

    def begin(self, context: Any) -> Session:
        """Beside the timeline, as a file that compresses silence well."""
        return self.analysis(context, ["--click", str(clicks_for(context.scene)), "--click-alone"], "Writing clicks")

    def succeed(self, context: Any, session: Session) -> str:
        """Put the strip above the mix."""
        from ..scene.output import add_clicks

        scene, _timeline = self.take(context, session)
        add_clicks(scene, clicks_for(scene), first_frame=show.FIRST_FRAME)
        return "Added a muted strip with clicks"


def clicks_for(scene: Any) -> Path:
    """Where the clicks of the scene's timeline are written."""
    path = absolute(scene.housex.timeline_path)
    return path.with_name(timeline_stem(path) + ".clicks.flac")


_EXPORT_ITEMS = [(kind, f"{kind} ({export.suffix})", export.description) for kind, export in EXPORTS.items()]


class HOUSEX_OT_export_timing(BarsOperator, bpy.types.Operator):
    """Write bars, beats, tracks and drops for another program"""

    bl_idname = "housex.export_timing"
    bl_label = "Export Timing"
    bl_options: Any = {"REGISTER"}  # noqa: RUF012 - Blender reads it as it is

    kind: EnumProperty(name="Format", description="Who is to read it", items=_EXPORT_ITEMS)  # type: ignore[valid-type]
    filepath: StringProperty(subtype="FILE_PATH", options={"HIDDEN", "SKIP_SAVE"})  # type: ignore[valid-type]
    check_existing: BoolProperty(default=True, options={"HIDDEN"})  # type: ignore[valid-type]

    def invoke(self, context: Any, _event: bpy.types.Event) -> set[Any]:
        """Open the file browser with a name beside the timeline."""
        try:
            check_library(self.kind)
        except HouseXError as error:
            return fail(self, context, error)
        path = absolute(context.scene.housex.timeline_path)
        self.filepath = str(path.with_name(timeline_stem(path) + EXPORTS[self.kind].suffix))
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: Any) -> set[Any]:
        """Write the file."""
        what, path = heard(context), absolute(self.filepath)
        try:
            timeline = absolute(context.scene.housex.timeline_path)
            for taken in (timeline, envelope_path_of(timeline), absolute(context.scene.housex.mix_path)):
                if path == taken:
                    raise SceneError(f"That would overwrite {taken.name}.", "Choose another name.")
            check_library(self.kind)
            notes = write(what.timeline, path, self.kind, show.rate_of(context.scene), show.FIRST_FRAME)
        except HouseXError as error:
            return fail(self, context, error)
        say(context, " ".join([f"Wrote {path.name}.", *notes]), "CHECKMARK")
        self.report({"INFO"}, f"Wrote {path.name}")
        return {"FINISHED"}


class HOUSEX_MT_export(bpy.types.Menu):
    """What the timeline can be written as"""

    bl_idname = "HOUSEX_MT_export"
    bl_label = "Export Timing"

    def draw(self, _context: Any) -> None:
        """One line per format."""
        self.layout.operator_context = "INVOKE_DEFAULT"
        for kind, export in EXPORTS.items():
            text = f"{export.kind} ({export.suffix})"
            entry: Any = self.layout.operator(HOUSEX_OT_export_timing.bl_idname, text=text)
            entry.kind = kind


class HOUSEX_OT_open_demo(bpy.types.Operator):
    """Take the demo mix that came along with what was heard in it, and build its show"""

    bl_idname = "housex.open_demo"
    bl_label = "Try the Demo Mix"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 - Blender reads it as it is

    @classmethod
    def poll(cls, context: Any) -> bool:
        """It must have come along."""
        if not _HAS_DEMO:
            cls.poll_message_set("This package came without its demo")
            return False
        return not_busy(cls, context)

    def execute(self, context: Any) -> set[Any]:
        """Load its timeline from a copy that may be edited, and build the show."""
        try:
            path = copy_of_demo()
            choose(context, DEMO_MIX)
            timeline = take_timeline(context.scene, path)
            message = show.build(context, context.scene, timeline)
        except HouseXError as error:
            return fail(self, context, error)
        say(context, message, "CHECKMARK")
        redraw(context)
        return {"FINISHED"}


def copy_of_demo() -> Path:
    """The demo's timeline in the user's folder, with the corrections that were made there before: nothing is ever
    written inside the extension.

    Raises:
        HouseXError: It cannot be read or written.
    """
    path, fresh = user_folder() / DEMO_TIMELINE.name, Timeline.load(DEMO_TIMELINE)
    try:
        edits = Timeline.load(path).edits
    except TimelineError:
        edits = ()  # there is none yet
    replace(fresh, edits=edits).save(path)
    return path


CLASSES = (
    HOUSEX_OT_mix_from_strip,
    HOUSEX_OT_find_mix,
    HOUSEX_OT_import_timing,
    HOUSEX_OT_click_track,
    HOUSEX_OT_export_timing,
    HOUSEX_MT_export,
    HOUSEX_OT_open_demo,
)
