"""A timeline in a few lines for the panel. Zone: ui; no bpy."""

from __future__ import annotations

from ..core.clock import clock_text
from ..core.timeline import Timeline

_MAX_GENRES = 4
# below this a grid is doubtful even without a sentence that says why
_SURE = 0.5


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def grid_note(timeline: Timeline) -> str:
    """Why the grid should not be trusted, for the panel; empty if it can be, or somebody saw to it.

    Args:
        timeline: With its edits applied.
    """
    if timeline.grid_source in ("imported", "edited"):
        return ""
    if not timeline.grid_message and timeline.grid_confidence >= _SURE:
        return ""
    return f"Beat: unsure – {timeline.grid_message or 'check the bars against the music'}"


def track_lines(timeline: Timeline) -> list[str]:
    """For each track its number, start and name, then after a tab what it sounds like.

    Args:
        timeline: With its edits applied.
    """
    lines = []
    for number, track in enumerate(timeline.tracks, start=1):
        start_s = max(float(timeline.grid.starts_s[track.start_bar]), 0.0)
        name = " ".join((track.title or track.label).split())
        # a named track still has to say its sub-genre where there is no sentence that begins with it
        sentence = track.traits or (track.label if track.title else "")
        lines.append(f"{number}  {clock_text(start_s)}  {name}\t{' '.join(sentence.split())}")
    return lines


def summary_lines(timeline: Timeline) -> list[str]:
    """Length and tempo, what was found, the largest shares of sub-genres, how much is uncertain."""
    tempo = sorted(float(bpm) for bpm in timeline.grid.bpm)
    # single bars next to a rough transition would stretch the range to no purpose
    low, high = tempo[len(tempo) // 20], tempo[-1 - len(tempo) // 20]
    bpm = f"{low:.1f}" if high - low < 0.5 else f"{low:.1f} to {high:.1f}"
    lines = [
        f"{clock_text(timeline.mix.duration_s)}, {bpm} BPM, {_counted(timeline.grid.n_bars, 'bar')}",
        f"{_counted(len(timeline.tracks), 'track')}, {_counted(len(timeline.drops), 'drop')}",
    ]
    shares = [(genre, part) for genre, part in timeline.share().items() if part >= 0.01]
    lines += [f"{genre}  {part:.0%}" for genre, part in shares[:_MAX_GENRES]]
    rest = sum(part for _, part in shares[_MAX_GENRES:])
    if rest >= 0.01:
        lines.append(f"Others  {rest:.0%}")
    sure = float(timeline.confidence.mean())
    lines.append(f"Confidence: beats {timeline.grid_confidence:.0%}, genres {sure:.0%}")
    doubt = float(timeline.uncertain.mean())
    if doubt >= 0.005:
        lines.append(f"Uncertain in {doubt:.0%} of the bars")
    return lines
