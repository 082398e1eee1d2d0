"""Tables of bars and beats, in frames and seconds. Zone: pure."""

from __future__ import annotations

import csv
import io

from ..core.bars import frame_on
from ..core.timeline import Timeline
from .names import full_name, one_line
from .parts import Content, Target, text_content, track_name, track_of_bar

# a cell that begins like this is a formula to a spreadsheet, and titles come from strangers' files
_FORMULA = ("=", "+", "-", "@")


def bars_table(timeline: Timeline, target: Target) -> Content:
    """One row for each bar; ``end_frame`` and ``end_s`` are where the next bar begins; empty cells are unknown."""
    grid, genres = timeline.grid, [one_line(name) for name in timeline.model.genres]
    starts = frame_on(grid.starts_s, target.fps, target.first_frame).astype(int)
    ends = frame_on(grid.ends_s, target.fps, target.first_frame).astype(int)
    in_drop = {bar for span in timeline.drops for bar in range(span.start_bar, span.end_bar)}
    owner = track_of_bar(timeline)
    header = ["bar", "start_frame", "end_frame", "fps", "start_s", "end_s", "bpm", "section", "label", "confidence"]
    header += ["uncertain", "energy", "track", "track_title", "track_traits", "drop", *genres]
    rows: list[list[object]] = [list(header)]
    for bar, label in enumerate(timeline.labels):
        track = int(owner[bar])
        rows.append(
            [
                bar + 1,
                int(starts[bar]),
                int(ends[bar]),
                f"{target.fps:g}",
                f"{grid.starts_s[bar]:.6f}",
                f"{grid.ends_s[bar]:.6f}",
                f"{grid.bpm[bar]:.3f}",
                timeline.section[bar],
                _cell(label),
                f"{timeline.confidence[bar]:.4f}",
                int(timeline.uncertain[bar]),
                f"{timeline.energy[bar]:.4f}",
                track + 1 if track >= 0 else "",
                _cell(full_name(*track_name(timeline.tracks[track]))) if track >= 0 else "",
                _cell(timeline.tracks[track].traits) if track >= 0 else "",
                int(bar in in_drop),
                *(f"{value:.4f}" for value in timeline.probs[bar]),
            ]
        )
    return _table(rows)


def beats_table(timeline: Timeline, target: Target) -> Content:
    """One row for each beat; bar 0 holds the beats before the first downbeat."""
    grid = timeline.grid
    frames = frame_on(grid.beats_s, target.fps, target.first_frame).astype(int)
    rows: list[list[object]] = [["beat", "bar", "beat_in_bar", "frame", "fps", "seconds"]]
    columns = zip(grid.bar_of_beat, grid.beat_in_bar, frames, grid.beats_s, strict=True)
    for number, (bar, place, frame, time_s) in enumerate(columns, start=1):
        rows.append([number, int(bar) + 1, int(place), int(frame), f"{target.fps:g}", f"{time_s:.6f}"])
    return _table(rows)


def _cell(text: str) -> str:
    text = one_line(text)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _table(rows: list[list[object]]) -> Content:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(rows)
    return text_content(stream.getvalue())
