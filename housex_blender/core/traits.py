"""What a track sounds like in one sentence, out of what was heard bar by bar. Zone: pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from .attributes import ATTRIBUTES
from .timeline import Span, Timeline, TrackSpan

# a second sub-genre that has less of the track is not worth a word
_RUNNER_UP = 0.25
_MOST_TRAITS = 4
# a track that never gets louder is no music, whatever the network says of it
_SILENT = 0.05
# the drop holds a sub-genre's full writing
_DROP_WEIGHT = 4.0
# a part that sounds in so many of the bars plays, or does not; in between nothing is said
_PLAYS, _ABSENT = 0.75, 0.2
# Words of a value on the scale 1..5, each with the span in which it is clear-cut and with a rank: what is rare in
# house music comes first where there is more to say than there is room.
_SCALE_WORDS: dict[str, tuple[tuple[float, float, int, str], ...]] = {
    "rhythm": (
        (1.0, 1.5, 3, "long notes"),
        (1.75, 2.25, 6, "1/8 notes"),
        (2.75, 3.25, 6, "1/16 notes"),
        (3.7, 4.3, 3, "syncopated notes"),
        (4.5, 5.0, 1, "1/32 notes"),
    ),
    "distortion": ((1.0, 1.4, 7, "clean sound"), (3.2, 4.1, 2, "distorted"), (4.2, 5.0, 1, "harsh")),
    "organicity": ((1.0, 1.3, 8, "electronic sounds"), (3.2, 5.0, 1, "acoustic instruments")),
    "groove": (
        (1.0, 1.4, 5, "flat groove"),
        (1.8, 2.6, 6, "light side-chain"),
        (3.4, 5.0, 2, "heavy side-chain"),
    ),
}
# part -> rank and words where it plays, rank and words where it does not; that there is a bass goes without saying
_PART_WORDS: dict[str, tuple[tuple[int, str], tuple[int, str]]] = {
    "lead": ((5, "lead melody"), (4, "no lead")),
    "chord": ((5, "chords"), (3, "no chords")),
    "bass": ((9, ""), (2, "no bass instrument")),
}


def genre_share(probs: NDArray[np.floating], energy: NDArray[np.floating]) -> tuple[float, ...]:
    """(G,) share of each genre in a track of n bars; loud bars decide more.

    Args:
        probs: (n, G) of its bars.
        energy: (n,) 0..1 of its bars.
    """
    weight = (0.2 + np.asarray(energy, dtype=np.float64))[:, None]
    part = (np.asarray(probs, dtype=np.float64) * weight).sum(axis=0)
    return tuple(float(share) for share in np.clip(part / part.sum(), 0.0, 1.0))


def described(timeline: Timeline, track: TrackSpan) -> TrackSpan:
    """The track with its sentence; without one where the timeline does not hold what it would say."""
    part = slice(track.start_bar, track.end_bar)
    heard = all(name in timeline.attributes for name in ATTRIBUTES)
    if not heard or float(timeline.energy[part].max()) < _SILENT:
        return replace(track, traits="")
    weight = _weight(timeline, track)
    means = {name: float(np.average(timeline.attributes[name][part], weights=weight)) for name in ATTRIBUTES}
    uncertain = float(np.average(timeline.uncertain[part], weights=weight)) > 0.5
    return replace(track, traits=describe(track, means, timeline.model.genres, uncertain=uncertain))


def _weight(timeline: Timeline, span: Span) -> NDArray[np.float64]:
    """(n,) how much each bar of a span says about its sound."""
    part = slice(span.start_bar, span.end_bar)
    drop = np.array([name == "drop" for name in timeline.section[part]])
    weight: NDArray[np.float64] = (0.05 + timeline.energy[part].astype(np.float64)) * np.where(drop, _DROP_WEIGHT, 1.0)
    return weight


def describe(
    track: TrackSpan, attributes: Mapping[str, float], genres: Sequence[str], *, uncertain: bool = False
) -> str:
    """A sentence such as "Bass House with Tech House traits: distorted bass, no chords, heavy side-chain".

    Args:
        track: Its label and its share of each genre.
        attributes: Mean over the track of each of ATTRIBUTES.
        genres: Names of the columns of ``track.probs``.
        uncertain: Whether the label should not be trusted in most of the track.
    """
    shares = sorted(((share, name) for share, name in zip(track.probs, genres, strict=True) if name != track.label),
                    key=lambda pair: -pair[0])  # fmt: skip
    second = shares[0][1] if shares and shares[0][0] >= _RUNNER_UP else ""
    if uncertain:
        head = f"Perhaps {track.label} or {second}" if second else f"Perhaps {track.label}"
    else:
        head = f"{track.label} with {second} traits" if second else track.label
    found = _traits(attributes)
    return f"{head}: {', '.join(found)}" if found else head


def _traits(attributes: Mapping[str, float]) -> list[str]:
    """Up to four traits that are clear-cut, in the order in which they are read."""
    parts = {name: _part(attributes[name]) for name in _PART_WORDS}
    silent = all(plays is False for plays in parts.values())
    ranked: list[tuple[int, str]] = []
    # the scales describe notes: where none play they say nothing
    words = {} if silent else {name: _scale(name, attributes[name]) for name in _SCALE_WORDS}
    rank, drive = words.get("distortion", (0, ""))
    if drive in ("distorted", "harsh"):
        if parts["bass"] and parts["lead"] is False:
            # the bass is what is left to carry the tune; whose sound it is could not be told otherwise
            words["distortion"], parts["lead"] = (rank, f"{drive} bass without a melody"), None
        else:
            words["distortion"] = (rank, f"{drive} sound")
    for name, plays in parts.items():
        if plays is not None:
            ranked.append(_PART_WORDS[name][0 if plays else 1])
    ranked = [*(words[name] for name in ("distortion",) if name in words), *ranked,
              *(words[name] for name in ("rhythm", "organicity", "groove") if name in words)]  # fmt: skip
    said = [(rank, text) for rank, text in ranked if text]
    kept = sorted(range(len(said)), key=lambda index: said[index][0])[:_MOST_TRAITS]
    return [said[index][1] for index in sorted(kept)]


def _part(presence: float) -> bool | None:
    """Whether a part plays; None where that is not clear."""
    return True if presence >= _PLAYS else False if presence <= _ABSENT else None


def _scale(name: str, value: float) -> tuple[int, str]:
    """Rank and words of a value on the scale 1..5; no words where it is not clear-cut."""
    for low, high, rank, words in _SCALE_WORDS[name]:
        if low <= value <= high:
            return rank, words
    return 0, ""
