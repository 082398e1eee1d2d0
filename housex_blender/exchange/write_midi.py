"""A standard MIDI file whose bar lines fall where those of the mix are; the only file that knows mido. Zone: pure."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.timeline import Timeline
from .errors import ExchangeError
from .names import track_mark
from .parts import Content, Target, drops, sections, tracks

MIDO_VERSION = "1.3.3"
# of a quarter note; divisible by 16, so that a lead-in can be counted in 64ths
TICKS = 960
DROP_CHANNEL, DROP_NOTE = 0, 36
# the drum channel and its high wood block: a metronome's click in every program
CLICK_CHANNEL, CLICK_NOTE = 9, 76
VELOCITY = 100

_SLOWEST_US = 2**24 - 1
_MOST_BEATS = 255


@dataclass(frozen=True)
class _Bar:
    """One bar of the MIDI file, which may be one of the lead-in's: count / denominator of a whole note."""

    tick: int
    start_s: float
    count: int
    denominator: int
    tempo_us: int

    @property
    def ticks(self) -> int:
        return self.count * TICKS * 4 // self.denominator


def midi_file(timeline: Timeline, _target: Target) -> Content:
    """Type 1: a conductor track with tempo, meter and markers, then clicks on downbeats, then drops as long notes.

    Each bar has one tempo, chosen so that the next bar line is at its second whatever rounding came before. Time
    before the first downbeat is a lead-in of its own.

    Raises:
        ExchangeError: mido is missing, or a bar lasts longer than MIDI can say.
    """
    try:
        import mido
    except ImportError as error:
        raise ExchangeError("MIDI export needs mido.", f"pip install mido=={MIDO_VERSION}") from error
    bars, first = _bars(timeline)
    ends_tick = bars[-1].tick + bars[-1].ticks
    # where each bar line of the grid is, for events that begin or end on one
    lines_s = np.array([bar.start_s for bar in bars] + [float(timeline.grid.ends_s[-1])])
    lines_tick = np.array([bar.tick for bar in bars] + [ends_tick])

    def tick_at(time_s: float) -> int:
        return round(float(np.interp(time_s, lines_s, lines_tick)))

    conductor: list[tuple[int, Any]] = [(0, mido.MetaMessage("track_name", name="HouseX"))]
    meter, tempo = (0, 0), 0
    for bar in bars:
        if (bar.count, bar.denominator) != meter:
            meter = (bar.count, bar.denominator)
            change = mido.MetaMessage("time_signature", numerator=bar.count, denominator=bar.denominator)
            conductor.append((bar.tick, change))
        if bar.tempo_us != tempo:
            tempo = bar.tempo_us
            conductor.append((bar.tick, mido.MetaMessage("set_tempo", tempo=tempo)))
    for number, track in enumerate(tracks(timeline), start=1):
        text = track_mark(number, track.performer, track.title)
        conductor.append((tick_at(track.start_s), mido.MetaMessage("marker", text=text)))
    for part in sections(timeline):
        conductor.append((tick_at(part.start_s), mido.MetaMessage("marker", text=part.name)))
    clicks: list[tuple[int, Any]] = [(0, mido.MetaMessage("track_name", name="Downbeats"))]
    for bar in bars[first:]:
        clicks += _note(mido, CLICK_CHANNEL, CLICK_NOTE, bar.tick, bar.tick + min(TICKS // 4, bar.ticks))
    held: list[tuple[int, Any]] = [(0, mido.MetaMessage("track_name", name="Drops"))]
    for part in drops(timeline):
        start, end = tick_at(part.start_s), tick_at(part.end_s)
        held += _note(mido, DROP_CHANNEL, DROP_NOTE, start, end) if end > start else []
    file = mido.MidiFile(type=1, ticks_per_beat=TICKS, charset="utf-8")
    for events in (conductor, clicks, held):
        file.tracks.append(_track(mido, events, ends_tick))
    stream = io.BytesIO()
    file.save(file=stream)
    return Content(stream.getvalue(), [])


def _bars(timeline: Timeline) -> tuple[list[_Bar], int]:
    """(all bars, index of the first that is one of the mix's)."""
    grid = timeline.grid
    heard = np.flatnonzero(grid.ends_s > 0.0)
    if not len(heard):
        raise ExchangeError("All bars end before the mix begins.", "Analyze the mix again.")
    skip = int(heard[0])
    # MIDI has no time before zero: a bar that is cut by the start is as long as what is heard of it
    edges_s = np.maximum(grid.edges_s[skip:], 0.0)
    counts = np.bincount(grid.bar_of_beat[grid.bar_of_beat >= 0], minlength=grid.n_bars)[skip:]
    bars: list[_Bar] = []
    now_us, tick = 0.0, 0

    def add(end_s: float, count: int, denominator: int) -> None:
        nonlocal now_us, tick
        quarters = count * 4 / denominator
        # from where the file really is, not from where it should be: rounding never adds up
        tempo_us = min(max(round((end_s * 1e6 - now_us) / quarters), 1), _SLOWEST_US)
        bars.append(_Bar(tick, now_us / 1e6, count, denominator, tempo_us))
        tick += bars[-1].ticks
        now_us += tempo_us * quarters

    lead_s = float(edges_s[0])
    if lead_s >= 1e-3:
        quarter_s = 60.0 / float(grid.bpm[skip])
        for count, denominator, length in _lead_in(lead_s, quarter_s):
            add(length, count, denominator)
    first = len(bars)
    for start_s, end_s, beats in zip(edges_s[:-1], edges_s[1:], counts, strict=True):
        # a tempo below 4 beats per minute cannot be written: count such a bar in more beats
        count = max(int(beats) or 4, math.ceil((end_s - start_s) * 1e6 / _SLOWEST_US))
        if count > _MOST_BEATS:
            raise ExchangeError(f"The bar at {start_s:.1f} s is too long for MIDI.", "Correct the beat grid.")
        add(float(end_s), count, 4)
    return bars, first


def _lead_in(lead_s: float, quarter_s: float) -> list[tuple[int, int, float]]:
    """(count, denominator, end in seconds) of bars that fill the time before the first downbeat at about its tempo."""
    for denominator in (4, 8, 16, 32, 64):
        unit_s = quarter_s * 4 / denominator
        count = max(round(lead_s / unit_s), 1)
        if abs(lead_s / (count * unit_s) - 1.0) <= 0.25:
            break
    if denominator != 4 or count <= 4:
        return [(count, denominator, lead_s)]
    short = count % 4
    ends = list(range(short, count + 1, 4)) if short else list(range(4, count + 1, 4))
    counts = [short or 4] + [4] * (len(ends) - 1)
    return [(n, 4, lead_s * end / count) for n, end in zip(counts, ends, strict=True)]


def _note(mido: Any, channel: int, note: int, start: int, end: int) -> list[tuple[int, Any]]:
    on = mido.Message("note_on", channel=channel, note=note, velocity=VELOCITY)
    return [(start, on), (end, mido.Message("note_off", channel=channel, note=note, velocity=0))]


def _track(mido: Any, events: list[tuple[int, Any]], end_tick: int) -> Any:
    """Events at ticks from the start -> a track of events that count from each other."""
    track, now = mido.MidiTrack(), 0
    # notes end before others begin on the same tick
    for tick, message in sorted(events, key=lambda event: (event[0], event[1].type != "note_off")):
        track.append(message.copy(time=tick - now))
        now = tick
    track.append(mido.MetaMessage("end_of_track", time=max(end_tick - now, 0)))
    return track
