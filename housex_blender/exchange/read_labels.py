"""Audacity labels, and the annotation files of music research: ``.beats`` and ``.lab``. Zone: pure."""

from __future__ import annotations

import numpy as np

from .errors import ExchangeError
from .imported import Imported
from .names import one_line, section_of_mark, track_of_mark
from .text import is_number, number_in

Lines = list[tuple[int, str]]
Label = tuple[float, float, str]

_BEAT_LABELS = ("beat", "downbeat")
_MAX_PLACE = 32
# labels "1" to "4" further apart than this number something else than beats
_MAX_BEAT_S = 2.0


def read_labels(lines: Lines, name: str) -> Imported:
    """Audacity's labels: regions or points named after sections, ``Track 1: Artist – Title``, beats; the rest are cues.

    ``beat`` and ``downbeat``, or numbers from 1 to 4, are beats. Where regions name sections, a point with such a
    name is a cue; otherwise each point begins a section that lasts to the next.

    Raises:
        ExchangeError: A line is no label.
    """
    labels = _labels(lines, name)
    beats = _beat_labels(labels)
    if beats is not None:
        labels = [label for label in labels if label not in set(beats)]
    regions = any(end_s > start_s and section_of_mark(text) for start_s, end_s, text in labels)
    tracks: list[tuple[float, str, str]] = []
    sections: list[Label] = []
    cues: list[tuple[float, str]] = []
    for start_s, end_s, text in labels:
        section, track = section_of_mark(text), track_of_mark(text)
        if track is not None:
            tracks.append((start_s, track[1], track[0]))
        elif section is not None and (end_s > start_s) == regions:
            sections.append((start_s, end_s, section))
        else:
            cues.append((start_s, text))
    if not regions:
        starts = [start_s for start_s, _, _ in sections]
        ends = [*starts[1:], *starts[-1:]]
        sections = [(start_s, end_s, text) for (start_s, _, text), end_s in zip(sections, ends, strict=True)]
    beats_s, downbeats_s, messages = _beats([(start_s, text) for start_s, _, text in beats or []])
    return Imported("labels", beats_s, downbeats_s, [], tracks, sections, cues, messages)


def read_lab(lines: Lines, name: str) -> Imported:
    """Segments: start, end and a name on each line; known names become ours, others stay.

    Raises:
        ExchangeError: A line is no segment.
    """
    sections = []
    for number, line in lines:
        if line.startswith("#"):
            continue
        parts, where = line.split(None, 2), f"Line {number} of {name}"
        if len(parts) < 2:
            raise ExchangeError(f"{where} is not a start, an end and a name.", "Correct the file.")
        start_s, end_s = _span(parts[0], parts[1], where)
        text = one_line(parts[2]) if len(parts) > 2 else ""
        sections.append((start_s, end_s, section_of_mark(text) or text))
    return Imported("lab", sections=sections)


def read_beats(lines: Lines, name: str) -> Imported:
    """Beats: a time on each line, and its place in the bar if known; 1 is the downbeat.

    Raises:
        ExchangeError: A line is no beat, or only some have a place.
    """
    beats: list[tuple[float, str]] = []
    for number, line in lines:
        if line.startswith("#"):
            continue
        parts, where = line.split(), f"Line {number} of {name}"
        time_s = number_in(parts[0], where)
        place = number_in(parts[1], where) if len(parts) > 1 else 0.0
        if len(parts) > 1 and not (place == int(place) and 1 <= place <= _MAX_PLACE):
            raise ExchangeError(f"{where} counts beat {parts[1][:20]} of a bar.", "Beats are counted from 1.")
        beats.append((time_s, str(int(place)) if place else "beat"))
    beats_s, downbeats_s, messages = _beats(beats)
    return Imported("beats", beats_s, downbeats_s, messages=messages)


def _labels(lines: Lines, name: str) -> list[Label]:
    labels = []
    for number, line in lines:
        # the second line of a label with a range of frequencies
        if line.startswith(("\\", "#")):
            continue
        parts, where = line.split("\t", 2), f"Line {number} of {name}"
        if len(parts) < 2:
            raise ExchangeError(f"{where} is not a start, an end and a text.", "Export the labels again.")
        start_s, end_s = _span(parts[0], parts[1], where)
        labels.append((start_s, end_s, one_line(parts[2]) if len(parts) > 2 else ""))
    return sorted(labels, key=lambda label: label[0])


def _span(start: str, end: str, where: str) -> tuple[float, float]:
    start_s, end_s = number_in(start, where), number_in(end, where)
    if end_s < start_s:
        raise ExchangeError(f"{where} ends before it begins.", "Correct the file.")
    return start_s, end_s


def _beat_labels(labels: list[Label]) -> list[Label] | None:
    named = [label for label in labels if label[2].casefold() in _BEAT_LABELS]
    if named:
        return named
    numbered = [label for label in labels if is_number(label[2])]
    if len(numbered) < 2 or any(text not in ("1", "2", "3", "4") for _, _, text in numbered):
        return None
    gap_s = float(np.median(np.diff([start_s for start_s, _, _ in numbered])))
    return numbered if gap_s <= _MAX_BEAT_S else None


def _beats(beats: list[tuple[float, str]]) -> tuple[np.ndarray | None, np.ndarray | None, list[str]]:
    if not beats:
        return None, None, []
    times = np.array([time_s for time_s, _ in beats])
    words = [text.casefold() for _, text in beats]
    down = np.array([word in ("1", "downbeat") for word in words])
    if down.all() and len(down) > 1:
        return None, times, ["Every beat is a downbeat: bars were divided into four equal beats."]
    if not down.any():
        return times, None, ["The file does not say where bars begin: bars of four are counted from the first beat."]
    if "beat" in words and not {"downbeat"} & set(words):
        raise ExchangeError("Some beats have a place in the bar and some have none.", "Number all beats or none.")
    return times, times[down], []
