"""Corrections of the selected bars: sub-genre, section, lock, track changes; and the way to doubtful bars. Zone: ui."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import bpy
import numpy as np
from bpy.props import EnumProperty, IntProperty

from ..core.bars import frame_on
from ..core.edits import add_edit
from ..core.span_edits import genre_edit, lock_edit, section_edit, unlocked, without_span
from ..core.timeline import SECTIONS, Timeline
from ..core.track_edits import join_track_edit, move_track_edit, split_track_edit
from . import show
from .job_operator import redraw
from .operators_edit import TimelineOperator, change, now_s
from .selection import select, selected
from .shown import Shown, heard, shown
from .translations import CONTEXT


def bar_now(scene: Any, what: Shown) -> int:
    """The bar at the current frame, counted from 0; half a frame in, since a bar line is rounded to its frame."""
    return what.timeline.grid.bar_at(now_s(scene, 0.5))


def span_of(scene: Any, what: Shown) -> tuple[int, int]:
    """The selected bars, or the one at the current frame: first and one past the last, counted from 0."""
    here = bar_now(scene, what)
    return selected(scene, what) or (here, here + 1)


def bars_text(span: tuple[int, int]) -> str:
    """``bar 3`` or ``bars 3 to 8``."""
    first, end = span
    return f"bar {first + 1}" if end - first == 1 else f"bars {first + 1} to {end}"


class BarsOperator(TimelineOperator):
    """Mixin: works on the bars that are selected, or on the one at the current frame."""

    bl_options: Any = {"REGISTER", "UNDO"}  # noqa: RUF012 - Blender reads it as it is

    @classmethod
    def poll(cls, context: Any) -> bool:
        """The timeline must be in memory too."""
        if not super().poll(context):
            return False
        what = shown(context.scene)
        if what is None:
            cls.poll_message_set("The timeline could not be read: load it again")  # type: ignore[attr-defined]
            return False
        if context.scene.housex.select_first > what.timeline.grid.n_bars:
            cls.poll_message_set("The selected bars lie beyond the end of the mix")  # type: ignore[attr-defined]
            return False
        return True


@lru_cache(maxsize=16)
def _items_for(genres: tuple[str, ...]) -> list[tuple[str, str, str]]:
    # kept, because Blender holds no reference to what a callback returns
    return [(name, name, f"The bars are {name}") for name in genres]


def _genre_items(_operator: Any, context: Any) -> list[tuple[str, str, str]]:
    what = shown(context.scene) if context is not None else None
    return _items_for(what.timeline.model.genres if what is not None else ())


class HOUSEX_OT_set_genre(BarsOperator, bpy.types.Operator):
    """Say which sub-genre the selected bars are; kept through every new analysis"""

    bl_idname = "housex.set_genre"
    bl_label = "Set Genre"

    genre: EnumProperty(  # type: ignore[valid-type]
        name="Genre", description="Sub-genre of the bars", items=_genre_items, translation_context=CONTEXT
    )

    def execute(self, context: Any) -> set[Any]:
        """Add the edit."""
        what = heard(context)
        span, genre = span_of(context.scene, what), self.genre
        done = f"{bars_text(span).capitalize()}: {genre}"
        return change(self, context, lambda t: add_edit(t, genre_edit(t, *span, genre)), done, "BARS")


class HOUSEX_OT_set_section(BarsOperator, bpy.types.Operator):
    """Say which part of its track the selected bars are"""

    bl_idname = "housex.set_section"
    bl_label = "Set Section"

    section: EnumProperty(  # type: ignore[valid-type]
        name="Section",
        description="Part of a track",
        items=[(name, name.title(), f"The bars belong to the {name}") for name in SECTIONS],
        translation_context=CONTEXT,
    )

    def execute(self, context: Any) -> set[Any]:
        """Add the edit."""
        what = heard(context)
        span, section = span_of(context.scene, what), self.section
        done = f"{bars_text(span).capitalize()}: {section}"
        return change(self, context, lambda t: add_edit(t, section_edit(t, *span, section)), done, "BARS")


class HOUSEX_OT_lock_bars(BarsOperator, bpy.types.Operator):
    """Keep the selected bars as they are now, whatever is heard or corrected later"""

    bl_idname = "housex.lock_bars"
    bl_label = "Lock"

    def execute(self, context: Any) -> set[Any]:
        """Add the edit."""
        what = heard(context)
        span = span_of(context.scene, what)
        return change(self, context, lambda t: add_edit(t, lock_edit(t, *span)), f"Locked {bars_text(span)}", "BARS")


class HOUSEX_OT_unlock_bars(BarsOperator, bpy.types.Operator):
    """Let corrections and new analyses change the selected bars again"""

    bl_idname = "housex.unlock_bars"
    bl_label = "Unlock"

    def execute(self, context: Any) -> set[Any]:
        """Take the locks out."""
        what = heard(context)
        first, end = span_of(context.scene, what)
        if not what.locked[first:end].any():
            self.report({"INFO"}, "None of these bars is locked")
            return {"CANCELLED"}
        return change(self, context, lambda t: unlocked(t, first, end), f"Unlocked {bars_text((first, end))}", "BARS")


class HOUSEX_OT_clear_bars(BarsOperator, bpy.types.Operator):
    """Forget what was set for the selected bars; they are again as they were heard. Locked bars stay"""

    bl_idname = "housex.clear_bars"
    bl_label = "Clear"

    def execute(self, context: Any) -> set[Any]:
        """Take the edits out."""
        what = heard(context)
        span = span_of(context.scene, what)
        return change(self, context, lambda t: without_span(t, *span), f"Cleared {bars_text(span)}", "BARS")


class HOUSEX_OT_next_doubtful(BarsOperator, bpy.types.Operator):
    """Go to the next bars of which the analysis is not sure, and select them"""

    bl_idname = "housex.next_doubtful"
    bl_label = "Next Doubtful Bar"

    def execute(self, context: Any) -> set[Any]:
        """Select the run of doubtful bars after the current one, from the start again after the last."""
        scene, what = context.scene, heard(context)
        doubtful = np.asarray(what.timeline.uncertain, bool)
        starts = np.flatnonzero(doubtful & ~np.append(False, doubtful[:-1]))
        if not len(starts):
            self.report({"INFO"}, "No bar is doubtful")
            return {"CANCELLED"}
        later = starts[starts > bar_now(scene, what)]
        first = int(later[0] if len(later) else starts[0])
        certain = np.flatnonzero(~doubtful[first:])
        end = first + int(certain[0]) if len(certain) else len(doubtful)
        go_to_bar(scene, what, first)
        select(scene, (first, end))
        redraw(context)
        return {"FINISHED"}


def go_to_bar(scene: Any, what: Shown, bar: int) -> None:
    """Put the playhead on the first frame of a bar, counted from 0."""
    start_s = what.timeline.grid.starts_s[bar]
    scene.frame_set(int(frame_on(start_s, show.rate_of(scene), show.FIRST_FRAME)))


class HOUSEX_OT_select_bars(BarsOperator, bpy.types.Operator):
    """Select the bars of the track or the section at the current frame, from here on, all, or none"""

    bl_idname = "housex.select_bars"
    bl_label = "Select Bars"

    what: EnumProperty(  # type: ignore[valid-type]
        name="What",
        description="Which bars",
        items=[
            ("track", "This Track", "The bars of the track at the current frame"),
            ("section", "This Section", "The run of bars with the same section"),
            ("rest", "From Here On", "All bars from the current frame on"),
            ("all", "All", "All bars of the mix"),
            ("none", "None", "No bars"),
        ],
    )

    def execute(self, context: Any) -> set[Any]:
        """Select."""
        scene, known = context.scene, heard(context)
        here, bars = bar_now(scene, known), known.timeline.grid.n_bars
        if self.what == "track":
            span = next((t.start_bar, t.end_bar) for t in known.timeline.tracks if t.start_bar <= here < t.end_bar)
        elif self.what == "section":
            span = section_around(known.timeline, here)
        else:
            span = (here if self.what == "rest" else 0, bars)
        select(scene, None if self.what == "none" else span)
        redraw(context)
        return {"FINISHED"}


def section_around(timeline: Timeline, bar: int) -> tuple[int, int]:
    """The run of bars with the section of this one: first and one past the last."""
    first = end = bar
    while first > 0 and timeline.section[first - 1] == timeline.section[bar]:
        first -= 1
    while end < len(timeline.section) and timeline.section[end] == timeline.section[bar]:
        end += 1
    return first, end


class HOUSEX_OT_move_track(BarsOperator, bpy.types.Operator):
    """Move a track change to another bar: the start of the track at the current frame, or of a given one"""

    bl_idname = "housex.move_track"
    bl_label = "Move Track Change"

    number: IntProperty(  # type: ignore[valid-type]
        name="Track",
        description="Number of the track; 0 for the nearest",
        default=0,
        min=0,
        translation_context=CONTEXT,
    )
    to_bar: IntProperty(name="To Bar", description="Bar, counted from 1; 0 for the current", default=0, min=0)  # type: ignore[valid-type]

    def execute(self, context: Any) -> set[Any]:
        """Add the edit."""
        scene, what = context.scene, heard(context)
        to_bar = self.to_bar - 1 if self.to_bar else bar_now(scene, what)
        number = self.number or nearest_change(what.timeline, to_bar)
        done = f"Track {number} begins at bar {to_bar + 1}"
        return change(self, context, lambda t: add_edit(t, move_track_edit(t, number, to_bar)), done, "BARS")


def nearest_change(timeline: Timeline, bar: int) -> int:
    """Number, from 1, of the track whose start is nearest to a bar; the first track has no change."""
    starts = [track.start_bar for track in timeline.tracks[1:]]
    return 2 + int(np.argmin([abs(start - bar) for start in starts])) if starts else 1


class HOUSEX_OT_split_track(BarsOperator, bpy.types.Operator):
    """Begin a new track at the current bar"""

    bl_idname = "housex.split_track"
    bl_label = "New Track Here"

    def execute(self, context: Any) -> set[Any]:
        """Add the edit."""
        what = heard(context)
        bar = bar_now(context.scene, what)
        done = f"A track begins at bar {bar + 1}"
        return change(self, context, lambda t: add_edit(t, split_track_edit(t, bar)), done, "BARS")


class HOUSEX_OT_join_track(BarsOperator, bpy.types.Operator):
    """Make the track at the current bar one with the track before it"""

    bl_idname = "housex.join_track"
    bl_label = "Join with Previous"

    def execute(self, context: Any) -> set[Any]:
        """Add the edit."""
        what = heard(context)
        bar = bar_now(context.scene, what)
        number = 1 + sum(track.start_bar <= bar for track in what.timeline.tracks[1:])
        done = f"Track {number} is one with the track before it"
        return change(self, context, lambda t: add_edit(t, join_track_edit(t, number)), done, "BARS")


CLASSES = (
    HOUSEX_OT_set_genre,
    HOUSEX_OT_set_section,
    HOUSEX_OT_lock_bars,
    HOUSEX_OT_unlock_bars,
    HOUSEX_OT_clear_bars,
    HOUSEX_OT_next_doubtful,
    HOUSEX_OT_select_bars,
    HOUSEX_OT_move_track,
    HOUSEX_OT_split_track,
    HOUSEX_OT_join_track,
)
