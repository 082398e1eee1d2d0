"""A rekordbox collection with one entry: the beat grid and cues of the mix. Zone: pure."""

from __future__ import annotations

from pathlib import PurePath
from urllib.parse import quote
from xml.etree import ElementTree

import numpy as np

from ..core.bars import BEATS_PER_BAR
from ..core.timeline import Timeline
from .names import one_line, track_mark
from .parts import Content, Target, drops, text_content, tracks

# rekordbox writes times to the millisecond and tempos to a hundredth
GRID_ERROR_S = 0.002
HOT_CUES = 8
MEMORY_CUE = -1

_KINDS = {".mp3": "MP3 File", ".aif": "AIFF File", ".aiff": "AIFF File", ".flac": "FLAC File", ".m4a": "M4A File"}


def rekordbox_xml(timeline: Timeline, target: Target) -> Content:
    """TEMPO wherever the grid leaves the last one by 2 ms, memory cues on tracks, hot cues on the first eight drops.

    ``Location`` says that the mix lies beside the XML, for rekordbox takes no entry without a whole path.
    """
    mix = timeline.mix
    root = ElementTree.Element("DJ_PLAYLISTS", Version="1.0.0")
    ElementTree.SubElement(root, "PRODUCT", Name="HouseX", Version="1", Company="")
    collection = ElementTree.SubElement(root, "COLLECTION", Entries="1")
    place = target.path.absolute().parent.joinpath(PurePath(mix.file).name).as_posix()
    entry = ElementTree.SubElement(
        collection,
        "TRACK",
        TrackID="1",
        Name=one_line(PurePath(mix.file).stem),
        Artist="",
        Kind=_KINDS.get(PurePath(mix.file).suffix.lower(), "WAV File"),
        TotalTime=str(round(mix.duration_s)),
        AverageBpm=f"{float(np.median(timeline.grid.bpm)):.2f}",
        SampleRate=str(mix.sample_rate_hz),
        Location="file://localhost/" + quote(place.lstrip("/"), safe="/:", errors="replace"),
    )
    for start_s, bpm, beat in tempos(timeline):
        ElementTree.SubElement(
            entry, "TEMPO", Inizio=f"{start_s:.3f}", Bpm=f"{bpm:.2f}", Metro="4/4", Battito=str(beat)
        )
    for number, track in enumerate(tracks(timeline), start=1):
        _mark(entry, track_mark(number, track.performer, track.title), track.start_s, MEMORY_CUE)
    found = drops(timeline)
    for number, part in enumerate(found):
        _mark(entry, part.name, part.start_s, number if number < HOT_CUES else MEMORY_CUE)
    playlists = ElementTree.SubElement(root, "PLAYLISTS")
    ElementTree.SubElement(playlists, "NODE", Type="0", Name="ROOT", Count="0")
    ElementTree.indent(root)
    more = len(found) - HOT_CUES
    messages = [f"rekordbox has {HOT_CUES} hot cues: {more} more drops are memory cues."] if more > 0 else []
    body = ElementTree.tostring(root, encoding="unicode")
    return text_content(f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n', messages)


def tempos(timeline: Timeline) -> list[tuple[float, float, int]]:
    """(start_s, bpm, beat in the bar) of runs of beats that one tempo describes, as rounded as they are written."""
    grid = timeline.grid
    beats_s, places = grid.beats_s, grid.beat_in_bar
    bars = np.maximum(grid.bar_of_beat, 0)
    runs: list[tuple[float, float, int]] = []
    first = 0
    while first < len(beats_s):
        # a bar of five beats or more counts on in fours, as far as the format can say
        start_s, place = round(float(beats_s[first]), 3), int(places[first] - 1) % BEATS_PER_BAR + 1
        bpm = round(float(np.clip(grid.bpm[bars[first]], 20.0, 1000.0)), 2)
        steps = np.arange(len(beats_s) - first)
        fits = np.abs(start_s + steps * 60.0 / bpm - beats_s[first:]) <= GRID_ERROR_S
        fits &= (steps + place - 1) % BEATS_PER_BAR == (places[first:] - 1) % BEATS_PER_BAR
        # the run ends where it first misses; its own beat always fits
        fits[0] = True
        runs.append((start_s, bpm, place))
        first += int(np.argmin(fits)) if not fits.all() else len(fits)
    return runs


def _mark(entry: ElementTree.Element, name: str, start_s: float, number: int) -> None:
    ElementTree.SubElement(entry, "POSITION_MARK", Name=name, Type="0", Start=f"{start_s:.3f}", Num=str(number))
