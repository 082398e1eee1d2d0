"""From a mix to a timeline: choose, analyze, cancel, load. Zone: ui."""

from pathlib import Path
from typing import Any

import bpy
from bpy.props import StringProperty

from ..core.edits import with_edits
from ..core.errors import AudioError, HouseXError, TimelineError
from ..core.files import AUDIO_ENDINGS
from ..core.process import AnalysisJob
from ..core.timeline import Timeline
from .engine import choose_engine
from .job_operator import JobOperator, say, status_of
from .places import absolute, blender_python, module_folders, timeline_for
from .preferences import engine_settings
from .session import Session
from .summary import grid_note, summary_lines, track_lines


def not_busy(cls: type[bpy.types.Operator], context: Any) -> bool:
    """poll() part: nothing of ours is running; says so otherwise."""
    if status_of(context).busy != "NONE":
        cls.poll_message_set("HouseX is at work: wait for it, or cancel it")
        return False
    return True


def take_timeline(scene: Any, path: Path) -> Timeline:
    """Read a timeline and keep what the panel shows of it.

    Raises:
        TimelineError: It is missing or damaged; the settings are unchanged then.
    """
    timeline = Timeline.load(path)
    edited = with_edits(timeline)
    note = grid_note(edited)
    settings = scene.housex
    settings.timeline_path = str(path)
    settings.summary, settings.grid_note, settings.edits = "\n".join(summary_lines(edited)), note, len(timeline.edits)
    settings.tracks = "\n".join(track_lines(edited))
    # the note about the grid says it already, or it was corrected since
    settings.warnings = "\n".join(text for text in timeline.warnings if text != timeline.grid_message)
    if not settings.mix_path:
        beside = path.with_name(Path(timeline.mix.file).name)
        settings.mix_path = str(beside) if beside.is_file() else ""
    return timeline


def bars_text(done: str, timeline: Timeline) -> str:
    """How many bars there are, and whether they were heard at all."""
    edited = with_edits(timeline)
    if edited.grid_source == "ruler":
        return f"No beat was heard: {edited.grid.n_bars} bars of a ruler"
    return f"{done} {edited.grid.n_bars} bars"


class HOUSEX_OT_choose_mix(bpy.types.Operator):
    """Choose the recorded mix"""

    bl_idname = "housex.choose_mix"
    bl_label = "Choose Mix"
    bl_options = {"UNDO", "INTERNAL"}  # noqa: RUF012 - Blender reads it as it is

    filepath: StringProperty(subtype="FILE_PATH", options={"HIDDEN", "SKIP_SAVE"})  # type: ignore[valid-type]
    filter_glob: StringProperty(  # type: ignore[valid-type]
        default=";".join(f"*{ending}" for ending in AUDIO_ENDINGS), options={"HIDDEN"}
    )

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Not while something runs."""
        return not_busy(cls, context)

    def invoke(self, context: Any, _event: bpy.types.Event) -> set[Any]:
        """Open the file browser, unless a file was dropped."""
        if self.filepath:
            return self.execute(context)
        self.filepath = context.scene.housex.mix_path
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: Any) -> set[Any]:
        """Take the path; what was heard in another mix no longer holds."""
        settings, chosen = context.scene.housex, absolute(self.filepath)
        if not chosen.is_file():
            self.report({"ERROR"}, f"There is no file {chosen}. Choose a mix that exists.")
            return {"CANCELLED"}
        if not settings.mix_path or chosen != absolute(settings.mix_path):
            settings.mix_path = str(chosen)
            settings.timeline_path = settings.summary = settings.tracks = settings.warnings = settings.grid_note = ""
            settings.edits, settings.bpm = 0, 0.0
            known = timeline_for(chosen)
            say(context, f"{known.name} is there already: load it, or analyze again" if known.is_file() else "")
        return {"FINISHED"}


class HOUSEX_FH_mix(bpy.types.FileHandler):
    """A mix dropped into the 3D view becomes the mix of the scene."""

    bl_idname = "HOUSEX_FH_mix"
    bl_label = "HouseX mix"
    bl_import_operator = HOUSEX_OT_choose_mix.bl_idname
    bl_file_extensions = ";".join(AUDIO_ENDINGS)

    @classmethod
    def poll_drop(cls, context: Any) -> bool:
        """Only in the 3D view: the sequencer takes sound itself."""
        return context.area is not None and context.area.type == "VIEW_3D"


class HOUSEX_OT_analyze_mix(JobOperator, bpy.types.Operator):
    """Hear beats, bars, structure and sub-genre of the whole mix"""

    bl_idname = "housex.analyze_mix"
    bl_label = "Analyze Mix"
    bl_options = {"UNDO"}  # noqa: RUF012 - Blender reads it as it is

    busy = "ANALYSIS"
    _scene = ""

    @classmethod
    def poll(cls, context: Any) -> bool:
        """A mix must be chosen, and nothing else running."""
        if not context.scene.housex.mix_path:
            cls.poll_message_set("Choose a mix first")
            return False
        return not_busy(cls, context)

    def begin(self, context: Any) -> Session:
        """Check that the mix is there, then look for a Python and start the analysis."""
        mix = absolute(context.scene.housex.mix_path)
        if not mix.is_file():
            raise AudioError(f"There is no file {mix}.", "Choose a mix that exists.")
        # undo frees scenes while we run, names it does not
        self._scene = context.scene.name
        settings = engine_settings(context)
        arguments = [str(mix), "-o", str(timeline_for(mix)), "--device", settings.device]
        if context.scene.housex.bpm:
            arguments.append(f"--bpm={context.scene.housex.bpm:g}")
        if settings.model:
            arguments += ["--model", settings.model]
        own, folders = blender_python(), module_folders()

        def start() -> AnalysisJob:
            engine = choose_engine(settings.python, own, folders)
            return AnalysisJob(arguments, python=engine.python, extra_paths=engine.extra_paths)

        return Session(start, "Starting the analysis")

    def succeed(self, context: Any, session: Session) -> str:
        """Load the timeline; build at once if wished."""
        scene = bpy.data.scenes.get(self._scene)
        if scene is None:
            raise TimelineError("The scene that was analyzed for is gone.", f"Load {session.result} into another.")
        assert session.result is not None
        timeline = take_timeline(scene, session.result)
        for text in session.warnings:
            if text not in scene.housex.warnings and text != timeline.grid_message:
                scene.housex.warnings = "\n".join(filter(None, [scene.housex.warnings, text]))
        if scene.housex.build_when_done:
            from .show import build

            return build(context, scene, timeline)
        return bars_text("Heard", timeline)


class HOUSEX_OT_cancel(bpy.types.Operator):
    """Stop what is running; nothing half-finished is kept"""

    bl_idname = "housex.cancel"
    bl_label = "Cancel"
    bl_options = {"INTERNAL"}  # noqa: RUF012 - Blender reads it as it is

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Something must be running."""
        if status_of(context).busy == "NONE":
            cls.poll_message_set("Nothing is running")
            return False
        return True

    def execute(self, context: Any) -> set[Any]:
        """The running operator sees the wish at its next tick."""
        status_of(context).stop_requested = True
        return {"FINISHED"}


class HOUSEX_OT_load_timeline(bpy.types.Operator):
    """Load what was heard in a mix before, from a .housex.json file"""

    bl_idname = "housex.load_timeline"
    bl_label = "Load Timeline"
    bl_options = {"UNDO"}  # noqa: RUF012 - Blender reads it as it is

    filepath: StringProperty(subtype="FILE_PATH", options={"HIDDEN", "SKIP_SAVE"})  # type: ignore[valid-type]
    filter_glob: StringProperty(default="*.housex.json;*.json", options={"HIDDEN"})  # type: ignore[valid-type]

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Not while something runs."""
        return not_busy(cls, context)

    def invoke(self, context: Any, _event: bpy.types.Event) -> set[Any]:
        """Open the file browser where the timeline of the chosen mix would be."""
        settings = context.scene.housex
        if settings.mix_path:
            self.filepath = str(timeline_for(absolute(settings.mix_path)))
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: Any) -> set[Any]:
        """Read and check it."""
        try:
            timeline = take_timeline(context.scene, absolute(self.filepath))
        except HouseXError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        say(context, bars_text("Loaded", timeline))
        return {"FINISHED"}


CLASSES = (
    HOUSEX_OT_choose_mix,
    HOUSEX_FH_mix,
    HOUSEX_OT_analyze_mix,
    HOUSEX_OT_cancel,
    HOUSEX_OT_load_timeline,
)
