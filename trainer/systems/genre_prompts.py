"""What a language model is told about the sub-genres, and how its reply is read. Zone: trainer (no libraries)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from housex_blender.core.errors import HouseXError
from housex_blender.core.genres import ALIASES, GENRES, canonical

_TERMS = (
    "All tracks are in 4/4, and in a drop four kicks make one bar. "
    "Groove means how much the sound swells inside a beat: from 1, an immediate attack, to 5, strongly pumping. "
    "Rhythm means how fine the notes are: from 1, quarters and eighths, to 5, thirty-seconds. "
    "Distortion runs from 1, clean, to 5, harsh in nearly every bar. "
    "Organicity means how much is played on acoustic instruments: from 1, nothing, to 5, most."
)
_FACTS: dict[str, str] = {
    "Progressive House": "Very melodic, emotional to euphoric. Lead of supersaws, piano or strings, chords and bass of "
    "their own, long build-ups, few airy vocals. Groove 4-5, rhythm 1-3, distortion 1-2, organicity 3-5.",
    "Future House": "Cool and playful, with an uneven groove. Square-like lead or chopped stabs, bouncing pumped bass, "
    "a chord part that may be missing. Groove 3-4, rhythm 4-5, distortion 3-4, organicity 1-3.",
    "Bass House": "Noisy, partly dark. Growls and stabs of distorted bass instead of a melody, no chords, hard "
    "syncopated drums. Groove 2-4, rhythm 3-4, distortion 4-5, organicity 1-2.",
    "Tech House": "Made for clubs, hypnotic. No lead and no chords, a rolling repetitive bass, a light bouncing kick, "
    "crisp hats and claps, short vocal samples. Groove 3-5, rhythm 3-4, distortion 2-4, organicity 1-3.",
    "Deep House": "Calm and slower, full of atmosphere and reverb. Smooth pads and lush chords, often a Reese bass, "
    "soft drums, soulful vocals. Groove 2-3, rhythm 1-2, distortion 1-2, organicity 2-4.",
    "Bigroom": "Made for festivals, hyped. A heavy kick with a pitch of its own takes the place of the bass; a simple "
    "anthem on a nasal lead, no chords. Groove 1-2, rhythm 1-3, distortion 4-5, organicity 1-2.",
    "Future Rave": "Dark and driving, with an even groove. Pulsing bass that swells, a buzzing electronic lead, no "
    "chords, energetic drums. Groove 4-5, rhythm 3-5, distortion 2-4, organicity 1-2.",
    "Slap House": "Mostly sung, catchy and repetitive. A bouncing plucked bass that also fills the middle, no chords, "
    "tight drums. Groove 3-4, rhythm 3-5, distortion 1-3, organicity 1-2.",
    "Melodic House": "Happy and rhythmic. Plucks and guitar strums behind vocals, pitched vocal chops.",
}
_NUMBER = re.compile(r"\d+")


def prompt_of(classes: Sequence[str], full: bool) -> str:
    """The question about one clip.

    Args:
        classes: Names in the order of the numbers that are asked for.
        full: With what the sub-genres sound like; else the list alone.

    Raises:
        HouseXError: Nothing is known of a class, so a full prompt cannot be written.
    """
    unknown = [name for name in classes if canonical(name) not in _FACTS]
    if full and unknown:
        raise HouseXError(f"No prompt describes {unknown[0]}.", "Ask with the minimal prompt.")
    told = [f"{name}: {_FACTS[canonical(name)]}" for name in classes] if full else []
    listed = [f"{number}. {name}" for number, name in enumerate(classes, 1)]
    ask = f"Which of these is the sub-genre of the music you hear? Answer with its number, 1 to {len(classes)}, only."
    return "\n".join([*([_TERMS] if full else []), *told, "Sub-genres:", *listed, ask])


def published_order(classes: Sequence[str]) -> tuple[str, ...]:
    """The classes as the benchmark's own prompt lists them: Deep House and Bigroom in each other's place."""
    places = {"Deep House": "Bigroom", "Bigroom": "Deep House"}
    return tuple(places.get(name, name) for name in classes)


def published_reading(reply: str, classes: Sequence[str]) -> int:
    """The class that a reply names as the benchmark's code reads it, -1 for none.

    The first number counts, whatever it is about. Else the first class whose name in small letters stands in the reply
    as it is, so that ``Deep House`` is not found; Tech House goes by the name Techno.
    """
    number = _NUMBER.search(reply)
    if number:
        index = int(number.group()) - 1
        return index if 0 <= index < len(classes) else -1
    names = ["techno" if name == "Tech House" else name.lower() for name in classes]
    return next((index for index, name in enumerate(names) if name in reply), -1)


def reading(reply: str, classes: Sequence[str]) -> int:
    """The class that a reply names, -1 for none.

    The first number from 1 to the number of classes that stands alone; else the name that stands first in the reply, in
    any letters and under any of its aliases.
    """
    for number in re.finditer(r"(?<![\w.])\d+(?!\w|\.\d)", reply):
        if 1 <= int(number.group()) <= len(classes):
            return int(number.group()) - 1
    text = " ".join(reply.replace("_", " ").replace("-", " ").lower().split())
    found = [
        (place.start(), -len(name), index) for name, index in _names(classes).items()
        if (place := re.search(rf"\b{re.escape(name)}\b", text))
    ]  # fmt: skip
    return min(found)[2] if found else -1


def _names(classes: Sequence[str]) -> dict[str, int]:
    """Every name in small letters that a class goes by."""
    index_of = {canonical(name): index for index, name in enumerate(classes)}
    names = {name.lower(): index for name, index in index_of.items()}
    names |= {alias: index_of[name] for alias, name in ALIASES.items() if name in index_of}
    return names | {
        genre.lower().removesuffix(" house"): index_of[genre] for genre in GENRES if genre in index_of
    }  # fmt: skip


Reading = Callable[[str, Sequence[str]], int]
