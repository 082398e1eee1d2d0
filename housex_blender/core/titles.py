"""When which track title stands in the picture. Zone: pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from .bars import frame_on
from .edits import with_edits
from .keys import KeyTrack
from .timeline import Timeline

TITLE_BARS = 4
MAX_LETTERS = 64
# a listed time this close to a track that was heard means that track
_NEAR_BARS = 16
_FADE_BEATS = 1.0
_BEATS_PER_BAR = 4


@dataclass(frozen=True)
class TitleCard:
    """One title.

    Attributes:
        first_frame: Frame of the downbeat on which it begins to appear.
        end_frame: Frame on which it is gone.
        title: Name of the track.
        artist: Who made it; may be empty.
    """

    first_frame: int
    end_frame: int
    title: str
    artist: str = ""


def title_cards(
    timeline: Timeline,
    fps: float,
    listed: Sequence[tuple[float, str, str]] | None = None,
    first_frame: int = 1,
) -> tuple[TitleCard, ...]:
    """A card for each track that has a title: four bars from its own first downbeat on, less where the next begins.

    Args:
        timeline: Tracks and bars; its edits are applied here.
        fps: Frames per second of the scene.
        listed: (start_s, title, performer) of a tracklist, instead of the titles in the timeline.
        first_frame: Frame at which the mix begins.
    """
    timeline = with_edits(timeline)
    grid = timeline.grid
    named = _listed(timeline, listed) if listed is not None else _own(timeline)
    starts = sorted(named)
    cards = []
    for start, following in pairwise([*starts, grid.n_bars]):
        end = min(start + TITLE_BARS, following)
        on, off, later = (int(frame) for frame in frame_on(grid.edges_s[[start, end, following]], fps, first_frame))
        # two frames at least, but where the next title stands on the second
        off = max(off, on + 2) if following == grid.n_bars else min(max(off, on + 2), later)
        title, artist = named[start]
        # at a low rate both may begin on one frame: the later one is seen
        if off > on:
            cards.append(TitleCard(on, off, _shortened(title), _shortened(artist)))
    return tuple(cards)


def title_strength(cards: Sequence[TitleCard]) -> KeyTrack:
    """0..1, how much of the titles is seen: in within a beat, out within the last one."""
    frames, values = [float(cards[0].first_frame) - 1.0], [0.0]
    for card in cards:
        length = card.end_frame - card.first_frame
        fade = _fade_frames(card)
        for frame, value in ((0.0, 0.0), (fade, 1.0), (length - fade, 1.0), (length, 0.0)):
            if card.first_frame + frame > frames[-1]:
                frames.append(card.first_frame + frame)
                values.append(value)
    return KeyTrack(np.array(frames, np.float32), np.array(values, np.float32), "LINEAR")


def settled_frame(cards: Sequence[TitleCard], frame: int) -> int:
    """The frame itself, or where a title only comes or goes on it, the first after that."""
    for card in cards:
        fade = _fade_frames(card)
        if card.first_frame < frame < card.first_frame + fade:
            return math.ceil(card.first_frame + fade)
        if card.end_frame - fade < frame < card.end_frame:
            return card.end_frame
    return frame


def _fade_frames(card: TitleCard) -> float:
    return _FADE_BEATS / (TITLE_BARS * _BEATS_PER_BAR) * (card.end_frame - card.first_frame)


def _own(timeline: Timeline) -> dict[int, tuple[str, str]]:
    """Bar -> (title, artist) of the timeline's own tracks, which are written as ``Artist – Title``."""
    named = {}
    for track in timeline.tracks:
        if track.title:
            artist, dash, title = track.title.partition(" – ")
            named[track.start_bar] = (title, artist) if dash else (artist, "")
    return named


def _listed(timeline: Timeline, listed: Sequence[tuple[float, str, str]]) -> dict[int, tuple[str, str]]:
    """Bar -> (title, artist) of a tracklist: a heard track takes the nearest name, others keep their own downbeat."""
    starts_s = timeline.grid.starts_s
    rows = [(start_s, title, artist) for start_s, title, artist in listed if title or artist]
    rows = [row for row in rows if 0.0 <= row[0] < timeline.mix.duration_s]
    bars = [int(np.argmin(np.abs(starts_s - start_s))) for start_s, _, _ in rows]
    heard = [track.start_bar for track in timeline.tracks]
    # each name means the track next to it, and of several the nearest has it
    meant = [min(heard, key=lambda start: abs(start - bar), default=bar) for bar in bars]
    for start in set(meant):
        away = {place: abs(bars[place] - start) for place in range(len(bars)) if meant[place] == start}
        nearest = min(away, key=lambda place: away[place])
        if away[nearest] <= _NEAR_BARS:
            bars[nearest] = start
    named: dict[int, tuple[str, str]] = {}
    for bar, (_, title, artist) in zip(bars, rows, strict=True):
        # two names at one downbeat: the one that was listed first stays
        named.setdefault(bar, (title, artist) if title else (artist, ""))
    return named


def left_out(timeline: Timeline, listed: Sequence[tuple[float, str, str]] | None, cards: Sequence[TitleCard]) -> str:
    """A sentence on the names of a tracklist that are not shown; empty if all are."""
    names = [start_s for start_s, title, artist in listed or () if title or artist]
    end_s = timeline.mix.duration_s
    after = sum(not 0.0 <= start_s < end_s for start_s in names)
    if names and after == len(names):
        all_lie = f"All {after} titles lie" if after > 1 else "The only title lies"
        return f"{all_lie} after the end of the mix ({end_s:.1f} s)."
    if len(cards) == len(names) or listed is None:
        return ""
    where = f"{after} after the end of the mix ({end_s:.1f} s)" if after else ""
    crowded = len(names) - after - len(cards)
    taken = f"{crowded} on the downbeat of another" if crowded else ""
    return f"Titles that are not shown: {' and '.join(part for part in (where, taken) if part)}."


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= MAX_LETTERS else text[: MAX_LETTERS - 1].rstrip() + "…"
