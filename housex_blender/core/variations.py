"""Variations of a look: other roles for its colours, other strengths, another camera. Zone: pure."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import replace
from itertools import permutations

from .looks import LUMINANCE, Look, Palettes, Triple, hex_to_linear
from .manners import CAMERAS, CHARACTERS

# a colour below this lights nothing up
_DARK = 0.06
# by how much at most a strength is divided or multiplied, and where it ends
_BOUNDS = {
    "speed": (1.35, 0.4, 2.0),
    "displacement": (1.5, 0.3, 2.0),
    "intensity": (1.25, 0.5, 1.6),
    "attack_ms": (2.0, 2.0, 60.0),
    "release_ms": (1.7, 80.0, 600.0),
}
# part of the sub-genres whose walls move in another way
_CHANGED = 0.3


def surprise(look: Look, seed: int) -> Look:
    """A variation of a look: every sub-genre keeps its three colours, in other roles; strengths, some characters and
    perhaps the camera's temper differ.

    Colours too dark to light anything stay what they are; main lights differ from one sub-genre to the next where the
    colours allow it. Strengths change by a third or so (attack and release up to double or half) and stay within what
    looks good; a strength of 0 was switched off and stays so.

    Args:
        look: What to start from.
        seed: 0 to MAX_SEED; the same one gives the same look on every machine, and becomes the look's own.

    Raises:
        LookError: The seed is out of range.
    """
    # of the standard library, whose random() gives the same numbers in every version
    rng = random.Random(seed)
    strengths: dict[str, float] = {}
    for name, (most, low, high) in _BOUNDS.items():
        value = getattr(look, name) * math.exp((2.0 * rng.random() - 1.0) * math.log(most))
        strengths[name] = round(min(max(value, low), high), 3) if value > 0.0 else 0.0
    name = f"Surprise {seed}"
    palettes = Palettes(name, _recast(look.palettes.colours, rng))
    # drawn after all that older versions drew: what somebody liked keeps its colours and strengths
    camera, characters = _another_camera(look.camera, rng), _other_characters(look.characters, rng)
    varied = replace(look, palettes=palettes, camera=camera, characters=characters, seed=seed, name=name)
    return replace(varied, **strengths)  # type: ignore[arg-type]


def _another_camera(camera: str, rng: random.Random) -> str:
    """The same temper or the next calmer or wilder one."""
    place = CAMERAS.index(camera)
    near = CAMERAS[max(place - 1, 0) : place + 2]
    return near[int(rng.random() * len(near))]


def _other_characters(characters: Mapping[str, str], rng: random.Random) -> dict[str, str]:
    """Some sub-genres move in another way."""
    chosen: dict[str, str] = {}
    for genre in sorted(characters):
        others = [name for name in CHARACTERS if name != characters[genre]]
        change, which = rng.random() < _CHANGED, int(rng.random() * len(others))
        chosen[genre] = others[which] if change else characters[genre]
    return {genre: chosen[genre] for genre in characters}


def _recast(colours: Mapping[str, Triple], rng: random.Random) -> dict[str, Triple]:
    """Genre -> its colours in other roles."""
    chosen: dict[str, Triple] = {}
    taken: set[str] = set()
    # by name, for the order in a file must not matter
    for genre in sorted(colours):
        casts = _casts(colours[genre])
        casts = [cast for cast in casts if cast[0] not in taken] or casts
        chosen[genre] = casts[int(rng.random() * len(casts))]
        taken.add(chosen[genre][0])
    return {genre: chosen[genre] for genre in colours}


def _casts(row: Triple) -> list[Triple]:
    """All orders of three colours in which the dark ones keep their role."""
    dark = [slot for slot, text in enumerate(row) if hex_to_linear(text) @ LUMINANCE < _DARK]
    orders = [order for order in permutations(range(len(row))) if all(order[slot] == slot for slot in dark)]
    return [(row[a], row[b], row[c]) for a, b, c in orders]
