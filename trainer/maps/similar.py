"""``python -m trainer similar``: the tracks nearest to one, with reasons in words. Zone: trainer.

The use that the papers propose for sub-genres: recommendation that is finer than "house". Nearness is what the network
hears, its embedding and its shares of the sub-genres; tempo and traits are told as reasons.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from housex_blender.analysis.headers import shown
from housex_blender.core.attributes import PARTS, SCALES

from ..own.label_rows import CollectionError
from .listening import FoundTrack, TrackPortrait, add_listening_options, find_tracks, listen, warn

# of the embedding; the shares of the sub-genres have the rest. Cosines of music lie in the upper half of their range,
# distances of shares anywhere in theirs: with two thirds both count about alike.
EMBEDDING_WEIGHT = 2.0 / 3.0
# what a DJ's pitch slider bridges
TEMPO_REACH = 0.06
_ALSO_SHARE = 0.15
# a part that sounds in so many of the bars plays, or does not
_PLAYS, _ABSENT = 0.6, 0.3
# both sides of a limit between two words may be the same sound
_SAME_SCALE = 0.75
_FAR_SCALE = 1.5
# upper limit of a value on the scale 1..5 -> words
_WORDS: dict[str, tuple[tuple[float, str], ...]] = {
    "groove": ((2.0, "faint side-chain"), (3.5, "moderate side-chain"), (math.inf, "heavy side-chain")),
    "rhythm": (
        (1.5, "rhythm of quarters"),
        (2.5, "rhythm of eighths"),
        (3.5, "rhythm of sixteenths"),
        (4.5, "syncopated rhythm"),
        (math.inf, "rhythm of thirty-seconds"),
    ),
    "distortion": ((2.0, "clean sounds"), (3.5, "moderate distortion"), (math.inf, "strong distortion")),
    "organicity": ((2.0, "electronic sounds"), (3.5, "half acoustic sounds"), (math.inf, "acoustic sounds")),
}
_PART_WORDS = {"lead": "a lead", "chord": "chords", "bass": "a bass"}


@dataclass(frozen=True)
class Match:
    """A track that is near to another.

    Attributes:
        portrait: The track.
        score: 0..1, 1 for the same sound.
        cosine: Of the embeddings, -1..1.
        genre_distance: Jensen-Shannon distance of the shares, 0..1.
        reasons: What both have in common, in words.
        differences: What they do not.
    """

    portrait: TrackPortrait
    score: float
    cosine: float
    genre_distance: float
    reasons: tuple[str, ...]
    differences: tuple[str, ...]


def jensen_shannon(first: NDArray[np.floating], second: NDArray[np.floating]) -> float:
    """Distance of two distributions (G,), 0..1: the root of their divergence in bits (Endres and Schindelin 2003)."""
    p, q = (np.asarray(one, dtype=np.float64) / np.sum(one) for one in (first, second))
    middle = 0.5 * (p + q)
    divergence = 0.0
    for one in (p, q):
        there = one > 0.0
        divergence += 0.5 * float(np.sum(one[there] * np.log2(one[there] / middle[there])))
    return math.sqrt(min(max(divergence, 0.0), 1.0))


def nearest(track: TrackPortrait, others: Sequence[TrackPortrait], top: int = 10) -> list[Match]:
    """The nearest of the others, nearest first; the track itself and copies of it are left out.

    Args:
        track: What to look for.
        others: Portraits by the same model.
        top: How many at most.
    """
    matches = []
    for other in others:
        if other.sha256 == track.sha256:
            continue
        cosine = float(np.clip(track.embedding @ other.embedding, -1.0, 1.0))
        distance = jensen_shannon(track.probs, other.probs)
        score = EMBEDDING_WEIGHT * 0.5 * (1.0 + cosine) + (1.0 - EMBEDDING_WEIGHT) * (1.0 - distance)
        matches.append(Match(other, score, cosine, distance, *compare(track, other)))
    return sorted(matches, key=lambda match: (-match.score, match.portrait.title, str(match.portrait.path)))[:top]


def compare(track: TrackPortrait, other: TrackPortrait) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(what both have in common, what they do not), in words."""
    reasons: list[str] = []
    differences: list[str] = []
    for same, sentence in (_sub_genre(track, other), *_scales(track, other), *_parts(track, other),
                           *_tempo(track, other)):  # fmt: skip
        (reasons if same else differences).append(sentence)
    return tuple(reasons), tuple(differences)


def _sub_genre(track: TrackPortrait, other: TrackPortrait) -> tuple[bool, str]:
    mine, theirs = track.heard_label, other.heard_label
    if mine == theirs:
        return True, f"same sub-genre ({mine} {_percent(other.share(mine))})"
    least = np.minimum(track.probs, other.probs)
    common = int(np.argmax(least))
    if least[common] >= _ALSO_SHARE:
        genre = track.genres[common]
        return True, f"both partly {genre} ({_percent(other.share(genre))} against {_percent(track.share(genre))})"
    return False, f"another sub-genre ({theirs} {_percent(other.share(theirs))})"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _word(name: str, value: float) -> str:
    return next(word for limit, word in _WORDS[name] if value < limit)


def _scales(track: TrackPortrait, other: TrackPortrait) -> list[tuple[bool, str]]:
    found = []
    for name in SCALES:
        mine, theirs = track.attribute(name), other.attribute(name)
        if _word(name, mine) == _word(name, theirs) and abs(mine - theirs) <= _SAME_SCALE:
            found.append((True, f"same {_word(name, theirs)}"))
        elif abs(mine - theirs) >= _FAR_SCALE:
            found.append((False, f"{_word(name, theirs)} against {_word(name, mine)}"))
    return found


def _parts(track: TrackPortrait, other: TrackPortrait) -> list[tuple[bool, str]]:
    """Which parts play; what both have and what both lack in one phrase each."""
    plays, lacks, found = [], [], []
    for name in PARTS:
        mine, theirs = track.attribute(name), other.attribute(name)
        words = _PART_WORDS[name]
        if min(mine, theirs) >= _PLAYS:
            plays.append(words)
        elif max(mine, theirs) <= _ABSENT:
            lacks.append(words.removeprefix("a "))
        elif theirs >= _PLAYS and mine <= _ABSENT:
            found.append((False, f"with {words}"))
        elif mine >= _PLAYS and theirs <= _ABSENT:
            found.append((False, f"without {words}"))
    if plays:
        found.append((True, f"both with {_joined(plays, 'and')}"))
    if lacks:
        found.append((True, f"both without {_joined(lacks, 'or')}"))
    return found


def _joined(words: Sequence[str], last: str) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"


def _tempo(track: TrackPortrait, other: TrackPortrait) -> list[tuple[bool, str]]:
    mine, theirs = track.bpm, other.bpm
    if not mine or not theirs:
        return []
    both = f"{theirs:.0f} against {mine:.0f}"
    for factor, words in ((1.0, "tempo"), (2.0, "half the tempo,"), (0.5, "twice the tempo,")):
        if abs(theirs * factor / mine - 1.0) <= TEMPO_REACH:
            return [(True, f"{words} {both}")]
    return [(False, f"tempo {both}")]


def add_similar_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """``python -m trainer similar``."""
    parser = subparsers.add_parser(
        "similar",
        help="find the tracks of a folder that are nearest to one, with reasons",
        description="Hears TRACK and every track of the folders (cached by content; a few seconds each the first "
        "time) and prints the nearest with what they have in common. Writes nothing but the cache.",
    )
    parser.add_argument("track", type=Path, metavar="TRACK", help="audio file to find company for")
    parser.add_argument("--in", dest="places", nargs="+", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--top", type=_count, default=10, help="how many to print")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    add_listening_options(parser)
    parser.set_defaults(func=run)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("give a number of at least 1")
    return int(text)


def run(arguments: argparse.Namespace) -> int:
    """Hear, compare, print."""
    if not arguments.track.is_file():
        raise CollectionError(f'There is no file "{shown(str(arguments.track))}".', "Name one track.")
    wanted, warnings = find_tracks([arguments.track])
    there, more = find_tracks(arguments.places)
    warn([*warnings, *more])
    asked = arguments.track.resolve()
    others: list[FoundTrack] = [track for track in there if track.path.resolve() != asked]
    portraits = listen([wanted[0], *others], arguments)
    if portraits[0].path != wanted[0].path:
        raise CollectionError(f'"{shown(arguments.track.name)}" cannot be heard.', "Choose another file.")
    matches = nearest(portraits[0], portraits[1:], arguments.top)
    if not matches:
        raise CollectionError("There is no other track to compare with.", "Name a folder with more tracks.")
    print(as_json(portraits[0], matches) if arguments.json else as_table(portraits[0], matches))
    return 0


def as_table(track: TrackPortrait, matches: Sequence[Match]) -> str:
    """The matches for people."""
    lines = [_line("", track.title, "nearness", track)]
    for rank, match in enumerate(matches, 1):
        lines.append(_line(f"{rank}.", match.portrait.title, f"{match.score:.3f}", match.portrait))
        lines.append(f"       {', '.join(match.reasons) or 'nothing in common that has a name'}")
        if match.differences:
            lines.append(f"       but: {', '.join(match.differences)}")
    return "\n".join(lines)


def _line(rank: str, title: str, score: str, portrait: TrackPortrait) -> str:
    name = title if len(title) <= 48 else title[:47] + "…"
    label = portrait.heard_label
    tempo = f"{portrait.bpm:5.0f} BPM" if portrait.bpm else "  no beat"
    return f"{rank:>4} {name:48}  {score:>8}  {tempo}  {label} {_percent(portrait.share(label))}"


def as_json(track: TrackPortrait, matches: Sequence[Match]) -> str:
    """The matches for programs."""
    return json.dumps(
        {
            "track": _facts(track),
            "similar": [
                {
                    "rank": rank,
                    **_facts(match.portrait),
                    "score": round(match.score, 4),
                    "cosine": round(match.cosine, 4),
                    "genre_distance": round(match.genre_distance, 4),
                    "reasons": match.reasons,
                    "differences": match.differences,
                }
                for rank, match in enumerate(matches, 1)
            ],
        },
        indent=2,
    )


def _facts(portrait: TrackPortrait) -> dict[str, object]:
    return {
        "title": portrait.title,
        "path": shown(str(portrait.path)),
        "label": portrait.label,
        "bpm": portrait.bpm,
        "probs": {g: round(float(p), 4) for g, p in zip(portrait.genres, portrait.probs, strict=True)},
    }
