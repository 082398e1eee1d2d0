"""What each of the nine sub-genres is: attribute intervals, tempo, sound weights; and how a track's style is drawn.

Attribute intervals and the presence of lead, chord and bass: Table 1 of the mainstage sub-genre benchmark,
arXiv 2409.06690. Melodic House comes from HouseX (arXiv 2207.11690), which has no such table; its intervals are
our own reading of that paper's description. The mapping from attributes to sound is ours.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from housex_blender.core.genres import GENRES

from .drums import KickShape
from .dsp import midi_to_hz
from .voices import Timbre, sample_timbre

Weights = dict[str, float]


@dataclass(frozen=True)
class Recipe:
    """Published intervals (scale 1..5), chances of a part (0..1), tempo and relative weights of sounds."""

    bpm: tuple[float, float]
    lead: float
    chord: float
    bass: float
    groove: tuple[float, float]
    rhythm: tuple[float, float]
    distortion: tuple[float, float]
    organicity: tuple[float, float]
    major: float
    lead_kinds: Weights
    chord_kinds: Weights
    bass_kinds: Weights
    bass_writing: Weights
    chord_writing: Weights
    kick_decay_s: tuple[float, float]
    reverb_s: tuple[float, float] = (0.8, 1.8)
    swing: tuple[float, float] = (0.5, 0.52)
    vocal: float = 0.4
    arp: float = 0.15
    extras: tuple[str, ...] = ()


RECIPES: dict[str, Recipe] = {
    "Future House": Recipe(
        (125, 130),
        1.0,
        0.5,
        1.0,
        (3, 4),
        (4, 5),
        (3, 4),
        (1, 3),
        0.2,
        {"square": 4, "pluck": 2, "supersaw": 1, "buzz": 1, "vocal": 1, "whistle": 1},
        {"epiano": 2, "supersaw": 2, "organ": 1, "square": 1},
        {"donk": 5, "slap": 1.5, "pulse": 1, "reese": 0.5},
        {"offbeat": 5, "slap": 1, "rolling": 1},
        {"stabs": 3, "offbeat": 2, "long": 0.5},
        (0.13, 0.2),
        vocal=0.6,
        extras=("bend",),
    ),
    "Bass House": Recipe(
        (126, 130),
        0.45,
        0.0,
        1.0,
        (2, 4),
        (3, 4),
        (4, 5),
        (1, 2),
        0.05,
        {"vocal": 2, "buzz": 1.5, "square": 1.5, "nasal": 1},
        {"supersaw": 1, "pad": 1, "organ": 1},
        {"growl": 6, "reese": 1, "donk": 1, "pulse": 0.5},
        {"growl": 5, "offbeat": 1, "rolling": 1},
        {"stabs": 1, "long": 1},
        (0.13, 0.2),
        (0.5, 1.2),
        vocal=0.5,
        extras=("fewnotes",),
    ),
    "Progressive House": Recipe(
        (126, 128),
        1.0,
        1.0,
        1.0,
        (4, 5),
        (1, 3),
        (1, 2),
        (3, 5),
        0.9,
        {"supersaw": 5, "piano": 2, "strings": 1, "pluck": 1},
        {"supersaw": 5, "piano": 1.5, "strings": 1, "pad": 1},
        {"pulse": 3, "sub": 2, "reese": 1.5, "slap": 0.3},
        {"eighths": 3, "sustain": 2, "offbeat": 1},
        {"long": 3, "pumped": 2, "stabs": 0.7},
        (0.14, 0.22),
        (1.6, 2.6),
        vocal=0.3,
        arp=0.3,
        extras=("layer",),
    ),
    "Melodic House": Recipe(
        (124, 130),
        1.0,
        1.0,
        1.0,
        (2.5, 3.5),
        (2, 4),
        (1, 2),
        (2, 4),
        0.9,
        {"pluck": 4, "karplus": 2, "piano": 1, "vocal": 1.5, "square": 0.7, "whistle": 0.7},
        {"karplus": 2, "piano": 2, "pluck": 1.5, "epiano": 1, "supersaw": 1},
        {"pulse": 2, "slap": 2, "sub": 1, "donk": 1},
        {"offbeat": 2, "slap": 1.5, "eighths": 1, "sustain": 1},
        {"stabs": 2, "strum": 3, "long": 1},
        (0.13, 0.2),
        (1.0, 2.2),
        vocal=0.8,
        arp=0.8,
        extras=("chopshift",),
    ),
    "Tech House": Recipe(
        (120, 128),
        0.0,
        0.0,
        1.0,
        (3, 5),
        (3, 4),
        (2, 4),
        (1, 3),
        0.05,
        {"vocal": 1, "square": 1},
        {"organ": 1, "pad": 1, "epiano": 1},
        {"pulse": 2, "donk": 1.5, "slap": 1.5, "sub": 1, "growl": 0.5},
        {"rolling": 5, "offbeat": 1, "slap": 1},
        {"stabs": 1, "offbeat": 1},
        (0.09, 0.13),
        (0.4, 1.2),
        (0.52, 0.57),
        vocal=0.5,
        arp=0.0,
        extras=("perc", "fewnotes"),
    ),
    "Deep House": Recipe(
        (115, 125),
        1.0,
        0.5,
        1.0,
        (2, 3),
        (1, 2),
        (1, 2),
        (2, 4),
        0.15,
        {"epiano": 2, "piano": 2, "whistle": 1, "vocal": 2, "pluck": 1, "organ": 1},
        {"epiano": 3, "pad": 3, "organ": 1, "strings": 1},
        {"reese": 4, "sub": 2, "pulse": 1},
        {"melodic": 4, "sustain": 2, "offbeat": 0.7},
        {"offbeat": 2, "long": 2, "strum": 0.5},
        (0.12, 0.18),
        (2.6, 3.6),
        (0.5, 0.55),
        vocal=0.6,
        extras=("seventh", "soft", "pad"),
    ),
    "Bigroom": Recipe(
        (125, 130),
        1.0,
        0.0,
        0.0,
        (1, 2),
        (1, 3),
        (4, 5),
        (1, 2),
        0.05,
        {"nasal": 5, "supersaw": 1, "buzz": 1, "square": 1},
        {"supersaw": 2, "strings": 1, "pad": 1},
        {"pulse": 1},
        {"sustain": 1},
        {"long": 1},
        (0.24, 0.34),
        (1.2, 2.4),
        vocal=0.25,
        arp=0.0,
        extras=("tonal_kick", "crashes"),
    ),
    "Future Rave": Recipe(
        (125, 130),
        1.0,
        0.0,
        1.0,
        (4, 5),
        (3, 5),
        (2, 4),
        (1, 2),
        0.05,
        {"buzz": 5, "supersaw": 2, "nasal": 0.7, "pluck": 0.7},
        {"supersaw": 2, "pad": 2, "strings": 1},
        {"pulse": 4, "reese": 2, "growl": 0.4},
        {"pulse16": 5, "rolling": 1, "eighths": 0.7},
        {"long": 1},
        (0.14, 0.22),
        (1.2, 2.4),
        vocal=0.25,
        arp=0.2,
        extras=("ride",),
    ),
    "Slap House": Recipe(
        (115, 125),
        1.0,
        0.08,
        1.0,
        (3, 4),
        (3, 5),
        (1, 3),
        (1, 2),
        0.15,
        {"whistle": 3, "vocal": 4, "pluck": 1, "square": 1, "piano": 0.5},
        {"pad": 2, "pluck": 1, "piano": 1},
        {"slap": 6, "donk": 1.5, "pulse": 0.5},
        {"slap": 5, "offbeat": 1},
        {"stabs": 1, "long": 1},
        (0.11, 0.17),
        (0.8, 1.8),
        vocal=0.8,
        arp=0.05,
    ),
}
LEAD_POOL: Weights = dict.fromkeys(
    (
        "supersaw",
        "square",
        "pluck",
        "nasal",
        "buzz",
        "piano",
        "karplus",
        "whistle",
        "vocal",
        "epiano",
        "organ",
        "strings",
    ),
    1.0,
)
CHORD_POOL: Weights = dict.fromkeys(("supersaw", "piano", "epiano", "organ", "pad", "karplus", "pluck", "square"), 1.0)
BASS_POOL: Weights = dict.fromkeys(("sub", "reese", "growl", "donk", "slap", "pulse"), 1.0)
ORGANIC = ("piano", "karplus", "strings", "epiano")


@dataclass
class Style:
    """Everything that is decided once per track. Attributes keep the published 1..5 scale."""

    genre: str
    bpm: float
    root: int
    mode: str
    attributes: dict[str, float]
    duck_db: float
    drive: float
    organic: float
    swing: float
    reverb_s: float
    has: dict[str, bool]
    lead: Timbre
    lead_layer: Timbre | None
    chord: Timbre
    pad: Timbre
    bass: Timbre
    ground: Timbre
    organic_voice: Timbre
    vocal: Timbre
    kick: KickShape
    bass_writing: str
    chord_writing: str
    extras: tuple[str, ...] = ()
    level_db: dict[str, float] = field(default_factory=dict)


def genre_index(genre: str) -> int:
    """Position of a genre name in GENRES; raises ValueError naming the known ones."""
    if genre not in RECIPES:
        raise ValueError(f"unknown genre {genre!r}; known: {', '.join(GENRES)}")
    return GENRES.index(genre)


def pick(weights: Weights, rng: np.random.Generator) -> str:
    """Draw a key with probability proportional to its weight."""
    names = sorted(weights)
    share = np.array([weights[name] for name in names], dtype=float)
    return names[int(rng.choice(len(names), p=share / share.sum()))]


def _kick_shape(recipe: Recipe, root: int, drive: float, rng: np.random.Generator) -> KickShape:
    tonal = "tonal_kick" in recipe.extras
    end_hz = midi_to_hz(24 + root % 12)
    end_hz *= 2.0 if end_hz < 43.0 else 1.0
    return KickShape(
        start_hz=rng.uniform(160.0, 300.0),
        end_hz=end_hz if tonal else rng.uniform(46.0, 57.0),
        sweep_s=rng.uniform(0.007, 0.014) * (1.5 if tonal else 1.0),
        decay_s=rng.uniform(*recipe.kick_decay_s),
        click=rng.uniform(0.15, 0.4) if "soft" in recipe.extras else rng.uniform(0.4, 1.0),
        drive=rng.uniform(0.4, 0.9) if tonal else 0.25 * drive + rng.uniform(0.0, 0.2),
    )


def _organic_swap(kinds: Weights, organic: float) -> Weights:
    """Shift weight towards acoustic sounds as the organic share grows."""
    return {kind: weight * (0.4 + 2.2 * organic if kind in ORGANIC else 1.0) for kind, weight in kinds.items()}


def _parts(recipe: Recipe, rng: np.random.Generator) -> dict[str, bool]:
    """Which parts a track has."""
    has = {
        "lead": rng.random() < recipe.lead,
        "chord": rng.random() < recipe.chord,
        "bass": rng.random() < recipe.bass,
        "vocal": rng.random() < recipe.vocal,
        "arp": rng.random() < recipe.arp,
        "pad": "pad" in recipe.extras,
        "ground": rng.random() < 0.7,
    }
    has["stab"] = not has["lead"] and rng.random() < 0.75
    return has


def _kinds(recipe: Recipe, organic: float, variety: float, rng: np.random.Generator) -> list[str]:
    """Kinds of the lead, chord and bass sounds."""
    return [
        pick(pool if rng.random() < variety else kinds, rng)
        for pool, kinds in (
            (LEAD_POOL, _organic_swap(recipe.lead_kinds, organic)),
            (CHORD_POOL, _organic_swap(recipe.chord_kinds, organic)),
            (BASS_POOL, recipe.bass_kinds),
        )
    ]


def sample_style(
    genre: str, seed: int, *, bpm: float | None = None, key: int | None = None, variety: float = 0.0
) -> Style:
    """Draw a track's style from its genre's recipe.

    bpm: fixed tempo or None for the genre's own range; key: pitch class 0 (C) to 11 or None.
    variety: 0..1, the chance that a part takes any instrument of the shared pool instead of the genre's habit, so that
    a classifier must listen to the writing rather than to presets; it also widens the spread of levels.
    The same genre and seed always give the same style. Raises ValueError for an unknown genre.
    """
    index = genre_index(genre)
    recipe = RECIPES[genre]
    rng = np.random.default_rng([seed, index, 1])
    attributes = {
        name: float(rng.uniform(*getattr(recipe, name))) for name in ("groove", "rhythm", "distortion", "organicity")
    }
    drawn_bpm = float(round(rng.uniform(*recipe.bpm)))
    root = int(rng.integers(12))
    root = root if key is None else key % 12
    drive = (attributes["distortion"] - 1.0) / 4.0
    organic = (attributes["organicity"] - 1.0) / 4.0
    bend = float(rng.choice([-2.0, 2.0, 0.0])) if "bend" in recipe.extras else 0.0
    has = _parts(recipe, rng)
    lead_kind, chord_kind, bass_kind = _kinds(recipe, organic, variety, rng)
    layer = (
        sample_timbre(("piano", "strings", "pluck")[int(rng.integers(3))], rng) if "layer" in recipe.extras else None
    )
    jitter = {
        name: float(rng.normal(0.0, 1.0 + 2.5 * variety))
        for name in ("lead", "chord", "bass", "hats", "clap", "perc", "vocal", "kick")
    }
    return Style(
        genre=genre,
        bpm=drawn_bpm if bpm is None else float(bpm),
        root=root,
        mode="major" if rng.random() < recipe.major else "minor",
        attributes={**attributes, "lead": float(has["lead"]), "chord": float(has["chord"]), "bass": float(has["bass"])},
        duck_db=3.0 * (attributes["groove"] - 1.0),
        drive=drive,
        organic=organic,
        swing=float(rng.uniform(*recipe.swing)),
        reverb_s=float(rng.uniform(*recipe.reverb_s)),
        has=has,
        lead=sample_timbre(lead_kind, rng, 0.8 * drive, bend),
        lead_layer=layer,
        chord=sample_timbre(chord_kind, rng, 0.3 * drive),
        pad=sample_timbre(pick({"pad": 2, "strings": 1 + 3 * organic, "supersaw": 1}, rng), rng),
        bass=sample_timbre(bass_kind, rng, drive),
        ground=sample_timbre(pick({"sub": 2, "reese": 1}, rng), rng),
        organic_voice=sample_timbre(pick({"piano": 2, "karplus": 1.5, "epiano": 1}, rng), rng),
        vocal=sample_timbre("vocal", rng, 0.2 * drive),
        kick=_kick_shape(recipe, root, drive, rng),
        bass_writing=pick(recipe.bass_writing, rng),
        chord_writing=pick(recipe.chord_writing, rng),
        extras=recipe.extras,
        level_db=jitter,
    )
