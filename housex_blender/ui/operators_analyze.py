"""From a mix to a timeline: choose, analyze, cancel, load. Zone: ui."""

import os
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty, StringProperty

from ..core.edits import edit_file, with_edits
from ..core.errors import AudioError, HouseXError, TimelineError
from ..core.files import AUDIO_ENDINGS
from ..core.process import AnalysisJob
from ..core.timeline import Timeline
from . import shown
from .defaults import apply_defaults
from .engine import choose_engine
from .engine_settings import engine_settings
from .handlers import describe_timeline, missing_mix, own_scenes
from .job_operator import JobOperator, say, status_of
from .places import absolute, blender_python, kept_path, module_folders, timeline_for
from .report import fail
from .session import Session

AUDIO_FILTER = ";".join(f"*{ending}" for ending in AUDIO_ENDINGS)


def not_busy(cls: type[bpy.types.Operator], context: Any) -> bool:
    """poll() part: nothing of ours is running, and the scene is this file's own; says so otherwise."""
    if status_of(context).busy != "NONE":
        cls.poll_message_set("HouseX is at work: wait for it, or cancel it")
        return False
    if context.scene.library is not None:
        cls.poll_message_set("This scene is linked from another file: open that file, or make the scene local")
        return False
    return True


def take_timeline(scene: Any, path: Path, timeline: Timeline | None = None) -> Timeline:
    """Read a timeline and keep what the panel shows of it, in every scene that shows it.

    Args:
        scene: Shows it from now on.
        path: The file.
        timeline: What the file holds, if that is known already.

    Raises:
        TimelineError: It is missing or damaged; the settings are unchanged then.
    """
    timeline = timeline or Timeline.load(path)
    taken = shown.take(path, timeline)
    scene.housex.timeline_path = kept_path(path)
    if not scene.housex.mix_path:
        beside = path.with_name(Path(timeline.mix.file).name)
        scene.housex.mix_path = kept_path(beside) if os.path.isfile(beside) else ""
    for other in own_scenes():
        if shown.shown(other) is taken:
            describe_timeline(other.housex, taken)
    return timeline


def forget_timeline(settings: Any) -> None:
    """What was heard in another mix no longer holds."""
    for name in ("timeline_path", "summary", "tracks", "warnings", "grid_note", "conflicts", "timeline_problem"):
        setattr(settings, name, "")
    settings.edits = settings.state = settings.select_first = settings.select_last = 0
    settings.bpm = 0.0


def choose(context: Any, mix: Path) -> None:
    """Make a file the mix of the scene."""
    settings = context.scene.housex
    if settings.mix_path and mix == absolute(settings.mix_path):
        return
    if not settings.mix_path and not settings.timeline_path:
        apply_defaults(context, settings)
    settings.mix_path, settings.mix_problem = kept_path(mix), ""
    forget_timeline(settings)
    known = timeline_for(mix)
    say(context, f"{known.name} is there already: load it, or analyze again" if os.path.isfile(known) else "")


def may_hold(taken: shown.Shown | None, mix: Path) -> bool:
    """Whether a timeline is of this mix, and may be written anew: the mix in the panel can be typed over."""
    if taken is None or Path(taken.stored.mix.file).name == mix.name:
        return True
    try:
        taken.stored.check_mix(mix)
    except TimelineError:
        return False
    return True


def heard_text(done: str, timeline: Timeline) -> str:
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
    filter_glob: StringProperty(default=AUDIO_FILTER, options={"HIDDEN"})  # type: ignore[valid-type]
    # the file browser would keep an empty column for them
    hide_props_region: BoolProperty(default=True, options={"HIDDEN"})  # type: ignore[valid-type]

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Not while something runs."""
        return not_busy(cls, context)

    def invoke(self, context: Any, _event: bpy.types.Event) -> set[Any]:
        """Open the file browser, unless a file was dropped."""
        if self.filepath:
            return self.execute(context)
        if context.scene.housex.mix_path:
            self.filepath = str(absolute(context.scene.housex.mix_path))
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: Any) -> set[Any]:
        """Take the path; what was heard in another mix no longer holds."""
        chosen = absolute(self.filepath)
        if not os.path.isfile(chosen):
            return fail(self, context, AudioError(f"There is no file {chosen}.", "Choose a mix that exists."))
        choose(context, chosen)
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


class AnalysisOperator(JobOperator):
    """Mixin: runs the analysis of the scene's mix, with further options, and takes its timeline."""

    busy = "ANALYSIS"
    _scene = _state = 0

    def analysis(self, context: Any, options: list[str], first_stage: str) -> Session:
        """A session that hears the scene's mix, or takes from its cache what was heard.

        Args:
            context: Blender's.
            options: Further arguments of the analysis.
            first_stage: What the panel says until the analysis says something.

        Raises:
            AudioError: There is no mix.
        """
        settings = context.scene.housex
        if not settings.mix_path:
            raise AudioError("There is no mix.", "Choose a recorded mix first.")
        mix = absolute(settings.mix_path)
        if not os.path.isfile(mix):
            settings.mix_problem = missing_mix(settings)
            raise AudioError(f"There is no file {mix}.", "Choose a mix that exists.")
        # undo frees scenes while we run, and people rename them; this number stays
        self._scene, self._state = context.scene.session_uid, settings.state
        engine_choice = engine_settings(context)
        earlier = absolute(settings.timeline_path) if settings.timeline_path else None
        taken, beside = shown.shown(context.scene), timeline_for(mix)
        arguments = [str(mix), "--device", engine_choice.device, *options]
        if settings.bpm:
            arguments.append(f"--bpm={settings.bpm:g}")
        if engine_choice.model:
            arguments += ["--model", engine_choice.model]
        own, folders = blender_python(), module_folders()

        def start() -> AnalysisJob:
            engine = choose_engine(engine_choice.python, own, folders)
            output = earlier if earlier is not None and may_hold(taken, mix) else beside
            return AnalysisJob([*arguments, "-o", str(output)], python=engine.python, extra_paths=engine.extra_paths)

        return Session(start, first_stage)

    def take(self, context: Any, session: Session) -> tuple[Any, Timeline]:
        """Scene and timeline of a session that went well; a show that is there is keyed anew.

        Raises:
            HouseXError: The scene is gone, or the timeline is of no use.
        """
        from . import show

        scene = next((one for one in own_scenes() if one.session_uid == self._scene), None)
        if scene is None:
            raise TimelineError("The scene that was analyzed for is gone.", f"Load {session.result} into another.")
        assert session.result is not None
        before = shown.shown(scene)
        if before is not None and scene.housex.state != self._state:
            # the analysis keeps the corrections it found at its start; what was done or undone since counts
            edit_file(session.result, partial(replace, edits=before.stored.edits))
        timeline = take_timeline(scene, session.result)
        for text in session.warnings:
            if text not in scene.housex.warnings and text != timeline.grid_message:
                scene.housex.warnings = "\n".join(filter(None, [scene.housex.warnings, text]))
        if show.has_show(scene) and scene.housex.bake_at_once:
            try:
                show.bake(context, scene)
            except HouseXError as error:
                # what was heard is in the file all the same
                scene.housex.warnings = "\n".join(filter(None, [scene.housex.warnings, str(error)]))
        return scene, timeline

    def run_or_start(self, context: Any) -> set[Any]:
        """Run to the end without a window; with one, start there once a file browser has closed."""
        if bpy.app.background or context.window is None:
            return JobOperator.execute(self, context)
        return self.start_in_window(context)


class HOUSEX_OT_analyze_mix(AnalysisOperator, bpy.types.Operator):
    """Hear beats, bars, structure and sub-genre of the whole mix; asks for the mix if none is chosen"""

    bl_idname = "housex.analyze_mix"
    bl_label = "Analyze Mix"
    bl_options = {"UNDO"}  # noqa: RUF012 - Blender reads it as it is

    filepath: StringProperty(subtype="FILE_PATH", options={"HIDDEN", "SKIP_SAVE"})  # type: ignore[valid-type]
    filter_glob: StringProperty(default=AUDIO_FILTER, options={"HIDDEN"})  # type: ignore[valid-type]
    # the file browser would keep an empty column for them
    hide_props_region: BoolProperty(default=True, options={"HIDDEN"})  # type: ignore[valid-type]

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Nothing else may be running."""
        return not_busy(cls, context)

    def invoke(self, context: Any, event: bpy.types.Event) -> set[Any]:
        """Ask for the mix if there is none, then start."""
        if not context.scene.housex.mix_path and not self.filepath:
            context.window_manager.fileselect_add(self)
            return {"RUNNING_MODAL"}
        return JobOperator.invoke(self, context, event)

    def execute(self, context: Any) -> set[Any]:
        """Run to the end; after the file browser, start in the window instead."""
        if not self.filepath:
            return JobOperator.execute(self, context)
        choose(context, absolute(self.filepath))
        return self.run_or_start(context)

    def begin(self, context: Any) -> Session:
        """Look for a Python and start the analysis."""
        return self.analysis(context, [], "Starting the analysis")

    def succeed(self, context: Any, session: Session) -> str:
        """Load the timeline; build at once if wished."""
        # the show room reads this one
        from . import show

        scene, timeline = self.take(context, session)
        if scene.housex.build_when_done and not show.has_show(scene):
            return show.build(context, scene, timeline)
        return heard_text("Heard", timeline)


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
            return fail(self, context, error)
        say(context, heard_text("Loaded", timeline))
        return {"FINISHED"}


CLASSES = (
    HOUSEX_OT_choose_mix,
    HOUSEX_FH_mix,
    HOUSEX_OT_analyze_mix,
    HOUSEX_OT_cancel,
    HOUSEX_OT_load_timeline,
)
