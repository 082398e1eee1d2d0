"""Label tracks, annotation files, cue sheets, chapters and tracklists. Zone: pure."""

from __future__ import annotations

from pathlib import PurePath

from ..core.timeline import Timeline
from .errors import ExchangeError
from .names import full_name, one_line, track_mark
from .parts import Content, Part, Target, drops, heard_beats, sections, text_content, tracks
from .read_cue import CUE_FRAMES_PER_S

# YouTube ignores a list that breaks one of these; the first chapter must also begin at 0:00
MIN_CHAPTERS = 3
MIN_CHAPTER_S = 10

_CUE_TYPES = {".mp3": "MP3", ".aif": "AIFF", ".aiff": "AIFF"}


def audacity_labels(timeline: Timeline, _target: Target) -> Content:
    """Regions for sections and tracks, points for drops."""
    labels = [(part.start_s, part.end_s, part.name) for part in sections(timeline)]
    labels += [(part.start_s, part.start_s, part.name) for part in drops(timeline)]
    labels += [
        (track.start_s, track.end_s, track_mark(number, track.performer, track.title))
        for number, track in enumerate(tracks(timeline), start=1)
    ]
    labels.sort(key=lambda label: label[0])
    return text_content("".join(f"{start_s:.6f}\t{end_s:.6f}\t{text}\n" for start_s, end_s, text in labels))


def lab_segments(timeline: Timeline, _target: Target) -> Content:
    """Sections without gaps over the whole mix, as the measures of segmentation want them."""
    return text_content("".join(f"{part.start_s:.6f}\t{part.end_s:.6f}\t{part.name}\n" for part in sections(timeline)))


def beats_list(timeline: Timeline, _target: Target) -> Content:
    """A time and the place in the bar on each line."""
    beats_s, place = heard_beats(timeline)
    return text_content("".join(f"{time_s:.6f}\t{number}\n" for time_s, number in zip(beats_s, place, strict=True)))


def cue_sheet(timeline: Timeline, _target: Target) -> Content:
    """Every track with its INDEX 01 in minutes, seconds and frames of 1/75 s."""
    file = _quoted(PurePath(timeline.mix.file).name)
    kind = _CUE_TYPES.get(PurePath(timeline.mix.file).suffix.lower(), "WAVE")
    lines = [f'TITLE "{_quoted(PurePath(timeline.mix.file).stem)}"', f'FILE "{file}" {kind}']
    found = tracks(timeline)
    for number, track in enumerate(found, start=1):
        seconds, frames = divmod(round(track.start_s * CUE_FRAMES_PER_S), CUE_FRAMES_PER_S)
        lines += [f"  TRACK {number:02d} AUDIO", f'    TITLE "{_quoted(track.title)}"']
        lines += [f'    PERFORMER "{_quoted(track.performer)}"'] if track.performer else []
        lines.append(f"    INDEX 01 {seconds // 60:02d}:{seconds % 60:02d}:{frames:02d}")
    if not found:
        raise ExchangeError("The mix has no tracks to write into a cue sheet.", "Analyze the mix again.")
    messages = ["A cue sheet of more than 99 tracks is refused by some programs."] if len(found) > 99 else []
    return text_content("\n".join(lines) + "\n", messages)


def tracklist(timeline: Timeline, _target: Target) -> Content:
    """``HH:MM:SS Artist – Title`` for each track."""
    lines = [f"{_clock(round(t.start_s))} {full_name(t.performer, t.title)}".rstrip() for t in tracks(timeline)]
    if not lines:
        raise ExchangeError("The mix has no tracks to list.", "Analyze the mix again.")
    return text_content("\n".join(lines) + "\n")


def youtube_chapters(timeline: Timeline, _target: Target) -> Content:
    """Tracks as chapters; drops, then sections fill up where fewer than three tracks are long enough.

    Raises:
        ExchangeError: The mix has no three chapters of ten seconds.
    """
    whole_s = int(timeline.mix.duration_s)
    found = tracks(timeline)
    kept: dict[int, str] = {}
    wanted = [Part(t.start_s, t.end_s, full_name(t.performer, t.title)) for t in found]
    left_out = _fill(kept, wanted, whole_s, len(wanted))
    messages = []
    if left_out:
        messages.append(f"{left_out} of {len(wanted)} tracks are shorter than {MIN_CHAPTER_S} s and were left out.")
    named = [Part(p.start_s, p.end_s, p.name.capitalize()) for p in sections(timeline)]
    for parts, what in ((drops(timeline), "drops"), (named, "sections")):
        before = len(kept)
        if before < MIN_CHAPTERS:
            # YouTube wants a chapter at 0:00 whatever it is called
            _fill(kept, named[:1], whole_s, 1)
            _fill(kept, parts, whole_s, len(parts))
        if len(kept) > before:
            messages.append(f"Fewer than {MIN_CHAPTERS} tracks: {what} were added, for YouTube wants three chapters.")
    if len(kept) < MIN_CHAPTERS or 0 not in kept:
        raise ExchangeError(
            f"The mix does not yield {MIN_CHAPTERS} chapters of {MIN_CHAPTER_S} s, the least that YouTube shows.",
            "Write a tracklist instead.",
        )
    lines = [f"{_short_clock(start_s)} {kept[start_s]}" for start_s in sorted(kept)]
    return text_content("\n".join(lines) + "\n", messages)


def _fill(kept: dict[int, str], parts: list[Part], whole_s: int, most: int) -> int:
    """Add the parts that leave every chapter long enough; returns how many did not."""
    refused = 0
    for part in parts[:most]:
        start_s = round(part.start_s)
        near = any(abs(start_s - other) < MIN_CHAPTER_S for other in kept)
        if near or whole_s - start_s < MIN_CHAPTER_S:
            refused += 1
        else:
            kept[start_s] = one_line(part.name) or "Chapter"
    return refused


def _quoted(text: str) -> str:
    return one_line(text).replace('"', "'")


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def _short_clock(seconds: int) -> str:
    minutes = f"{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{seconds // 3600}:{minutes}" if seconds >= 3600 else f"{seconds // 60}:{seconds % 60:02d}"
