"""The kinds of mixes of the bench, each with one thing that is hard to hear."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.synth.dsp import Audio
from trainer.synth.recipes import GENRES

from .deck import MixTruth, cut_out, mix
from .patterns import draw_options
from .sounds import Library
from .timeline import Join, Spec

DEV_SEEDS = (1, 2)
HELD_OUT_SEEDS = (101, 102)
SETS = {"dev": DEV_SEEDS, "held-out": HELD_OUT_SEEDS}
# The one kind that is made for the first seed of a set alone.
LONG_KIND = "hour"
SHORT_S = (240.0, 390.0)
HOUR_S = (3540.0, 3720.0)
Plan = tuple[tuple[str, int], ...]


def draw_plan(rng: np.random.Generator, long_break: int = 0, extended: bool = False) -> Plan:
    """A realistic arrangement with one or two drops."""

    def some(*lengths: int) -> int:
        return int(rng.choice(lengths))

    plan: list[tuple[str, int]] = [("intro", some(16, 32) if extended else some(8, 16, 16, 32))]
    two = extended or rng.random() < 0.3
    for number in range(2 if two else 1):
        if number == 1 or long_break or rng.random() < 0.6:
            plan.append(("break", long_break or some(8, 8, 16, 32) if not extended else some(16, 32)))
        if rng.random() < 0.85:
            plan.append(("build", some(4, 8, 8, 16)))
        plan.append(("drop", some(16, 32) if extended or not two else 16))
    plan.append(("outro", some(16, 32) if extended else some(8, 16, 16, 32)))
    return tuple(plan)


def fade_for(rng: np.random.Generator, before: Plan, after: Plan, odd: float) -> Join:
    """A beat-matched crossfade that both tracks have room for; odd: chance of an unusual length."""
    room = min(before[-1][1], after[0][1]) + 8
    if rng.random() < odd:
        bars = int(rng.choice([4, 12]))
        handover = 4 if bars == 4 else int(rng.choice([4, 8]))
    else:
        bars = int(rng.choice([length for length in (8, 16, 32) if length <= room]))
        handover = 8 * int(rng.integers(1, max(2, bars // 8)))
    sweep = int(rng.choice([0, 0, 0, 4])) if handover >= 4 else 0
    return Join("fade", bars, handover, sweep_bars=sweep)


@dataclass(frozen=True)
class Recipe:
    """How the mixes of a kind are drawn; foreign: share of foreign tracks, style: options of the foreign ones."""

    tracks: tuple[int, int] = (3, 3)
    foreign: float = 0.4
    bpm: tuple[float, float] = (125.0, 127.0)
    same_tempo: bool = True
    join: str = "fade"
    style: tuple[tuple[str, Any], ...] = ()
    odd_fades: float = 0.1
    long_break: int = 0
    seconds: tuple[float, float] = SHORT_S
    gain_sd_db: float = 1.6
    tags: tuple[str, ...] = ()


RECIPES: dict[str, Recipe] = {
    "constant": Recipe(),
    "ramp": Recipe((2, 3), bpm=(124.0, 124.0), tags=("tempo ramp",)),
    "drift": Recipe((3, 3), bpm=(124.0, 126.5), tags=("tempo drift", "beat-matched by hand")),
    "cut": Recipe((3, 4), 0.4, (122.0, 128.5), False, "cut", tags=("hard cut", "phase jump")),
    "unmatched": Recipe((2, 3), 0.4, (121.0, 129.0), False, "unmatched", tags=("not beat-matched",)),
    "tempo_110": Recipe((2, 3), 0.5, (110.0, 110.0), tags=("slow",)),
    "tempo_117": Recipe((2, 3), 0.5, (117.37, 117.37), tags=("odd tempo",)),
    "tempo_135": Recipe((3, 3), 0.5, (135.0, 135.0), tags=("fast",)),
    "long_break": Recipe((2, 2), 0.75, (120.0, 128.0), style=(("bare_breaks", True),), long_break=32,
                         tags=("long break",)),
    "intro_hats": Recipe((3, 3), 0.8, (122.0, 128.0), style=(("intro", "hats"),), tags=("hats before kick",)),
    "intro_pads": Recipe((3, 3), 0.8, (122.0, 128.0), style=(("intro", "pads"),), tags=("pads before kick",)),
    "offbeat": Recipe((3, 3), 0.8, (122.0, 128.0),
                      style=(("drums", "four_offhat"), ("bass", "offbeat"), ("offbeat_heavy", True)),
                      tags=("off-beat bass", "off-beat hats")),
    "halftime": Recipe((2, 3), 0.8, (120.0, 128.0), style=(("drums", "four"),), tags=("half-time passage",)),
    "broken": Recipe((3, 3), 0.9, (122.0, 132.0), style=(("drums", "broken"),), tags=("broken beat",)),
    "swing": Recipe((3, 3), 0.8, (118.0, 126.0), style=(("drums", "swing"),), tags=("swing",)),
    "upbeat": Recipe((2, 3), 0.6, (120.0, 128.0), False, "stop", tags=("pickup", "leading silence")),
    "lost_bar": Recipe((2, 3), 0.5, (122.0, 128.0), tags=("2/4 bar",)),
    "foreign_mix": Recipe((3, 4), 1.0, (120.0, 128.0), False, odd_fades=0.4, tags=("foreign",)),
    "quiet_loud": Recipe((3, 3), 0.6, (123.0, 128.0), style=(("intro", "kick"),), tags=("uneven levels", "bare kick")),
    "hour": Recipe((15, 15), 0.45, (122.0, 128.0), False, seconds=HOUR_S, tags=("long",)),
}  # fmt: skip
KINDS = tuple(RECIPES)


def mixes_of(set_name: str, kinds: str = "", seeds: str = "") -> list[tuple[str, int]]:
    """Kinds and seeds of a set, seed by seed and the long one last; kinds, seeds: comma-separated, empty for all.

    Raises ValueError for unknown kinds and for seeds that are not whole numbers.
    """
    chosen = [kind for kind in kinds.split(",") if kind] or list(KINDS)
    unknown = sorted(set(chosen) - set(KINDS))
    if unknown:
        raise ValueError(f"unknown kinds {', '.join(unknown)}; known: {', '.join(KINDS)}")
    numbers = [int(seed) for seed in seeds.split(",") if seed] or list(SETS[set_name])
    short = [(kind, seed) for seed in numbers for kind in chosen if kind != LONG_KIND]
    first = SETS[set_name][0]
    return short + [(LONG_KIND, seed) for seed in numbers if LONG_KIND in chosen and seed == first]


def names_of(set_name: str, kinds: str = "", seeds: str = "") -> list[str]:
    """File names without suffix of what mixes_of lists."""
    return [f"{kind}-{seed}" for kind, seed in mixes_of(set_name, kinds, seeds)]


def draw_sources(rng: np.random.Generator, recipe: Recipe, count: int) -> list[bool]:
    """Which tracks are foreign: the share of the recipe, rounded by chance but never against it."""
    wanted = recipe.foreign * count
    foreign = min(count, max(1, int(wanted) + int(rng.random() < wanted - int(wanted))))
    return [bool(flag) for flag in rng.permutation([True] * foreign + [False] * (count - foreign))]


def draw_specs(rng: np.random.Generator, kind: str, recipe: Recipe) -> tuple[list[Spec], list[Join]]:
    """Tracks and joins of a mix, as they come: the length may not fit."""
    count = int(rng.integers(recipe.tracks[0], recipe.tracks[1] + 1))
    foreign = draw_sources(rng, recipe, count)
    base = float(rng.uniform(*recipe.bpm))
    base = base if recipe.bpm[0] == recipe.bpm[1] else round(base, 2)
    key = int(rng.integers(12))
    specs: list[Spec] = []
    for index in range(count):
        plan = draw_plan(rng, recipe.long_break if foreign[index] else 0, kind == "hour")
        bpm = base if recipe.same_tempo else round(float(rng.uniform(*recipe.bpm)), 2)
        key = (key + int(rng.choice([0, 5, 7, 2, 10]))) % 12
        style = dict(recipe.style)
        if kind == "quiet_loud" or foreign[index]:
            options = draw_options(rng, **style)
        else:
            options = draw_options(rng)
        if kind == "halftime" and foreign[index]:
            options = replace(options, half_bars=half_time(rng, plan))
        genre = "" if foreign[index] else str(rng.choice(GENRES))
        gain_db = float(np.clip(rng.normal(0.0, recipe.gain_sd_db), -3.5, 3.5))
        specs.append(Spec(int(rng.integers(1 << 30)), bpm, plan, key, genre, options, round(gain_db, 2)))
    joins = [draw_join(rng, recipe, before, after) for before, after in pairwise(specs)]
    return specs, joins


def half_time(rng: np.random.Generator, plan: Plan) -> tuple[int, int]:
    """A passage of 16 to 32 bars from the start or the middle of a drop on."""
    ends = np.cumsum([length for _, length in plan])
    drops = [(int(end) - length, length) for end, (name, length) in zip(ends, plan, strict=True) if name == "drop"]
    first, length = drops[int(rng.integers(len(drops)))]
    first += int(rng.choice([0, 8])) if length >= 16 else 0
    return first, min(int(ends[-1]) - 8, first + int(rng.choice([16, 16, 24, 32])))


def draw_join(rng: np.random.Generator, recipe: Recipe, before: Spec, after: Spec) -> Join:
    """The transition between two tracks."""
    if recipe.join == "cut":
        # On a bar line or in the middle of a bar, some bars before the planned end.
        beat = 0 if rng.random() < 0.5 else int(rng.integers(1, 4))
        left = 4 * int(rng.choice([4, 8, before.plan[-1][1]])) + beat
        return Join(
            "cut", left_beats=left, phase=float(rng.uniform(0.3, 0.7)), gap=beat == 0 and bool(rng.random() < 0.5)
        )
    if recipe.join == "unmatched":
        return Join("unmatched", seconds=float(rng.uniform(10.0, 14.0)), swap_bass=bool(rng.random() < 0.5))
    if recipe.join == "stop" and rng.random() < 0.6:
        return Join("stop", seconds=float(rng.uniform(0.8, 2.5)), pickup=int(rng.integers(1, 7)))
    if rng.random() < (0.25 if recipe.odd_fades > 0.3 else 0.0):
        return Join("cut", left_beats=4 * int(rng.choice([0, 4])) + 1, phase=0.999, gap=False)
    return fade_for(rng, before.plan, after.plan, recipe.odd_fades)


def length_s(specs: list[Spec], joins: list[Join]) -> float:
    """About how long the mix will be."""
    total = sum(240.0 / spec.bpm * spec.bars for spec in specs)
    for spec, join in zip(specs, joins, strict=False):
        bar_s = 240.0 / spec.bpm
        total -= {"fade": join.bars * bar_s, "cut": join.left_beats * bar_s / 4, "unmatched": join.seconds}.get(
            join.kind, -join.seconds
        )
    return total


def fits(kind: str, recipe: Recipe, specs: list[Spec], joins: list[Join]) -> bool:
    """Whether a draw has the right length and room for its fades."""
    if not recipe.seconds[0] <= length_s(specs, joins) <= recipe.seconds[1]:
        return False
    for index, spec in enumerate(specs):
        near = joins[max(0, index - 1) : index + 1]
        if sum(join.bars for join in near if join.kind == "fade") > spec.bars - 16:
            return False
    tempi = [spec.bpm for spec in specs]
    if recipe.join in ("cut", "unmatched"):
        return all(abs(one - other) >= 1.5 for one, other in pairwise(tempi))
    return kind != "upbeat" or any(join.kind == "stop" for join in joins)


def drift_bpm(rng: np.random.Generator) -> NDArray[np.float64]:
    """A tempo that wanders by up to about 1 BPM: slow sine or smoothed random walk, by beat."""
    beat = np.arange(2400)
    if rng.random() < 0.5:
        return np.sin(2 * np.pi * (beat / float(rng.uniform(180.0, 420.0)) + rng.random())) * float(
            rng.uniform(0.6, 1.0)
        )
    marks = np.cumsum(rng.normal(0.0, 0.5, 2400 // 48 + 2))
    walk = np.interp(beat, np.arange(len(marks)) * 48, marks)
    return np.clip(walk - np.mean(walk[:800]), -1.2, 1.2)


def adapt(rng: np.random.Generator, kind: str, specs: list[Spec], joins: list[Join]) -> tuple[list[Spec], list[Join]]:
    """What a kind changes in an ordinary draw."""
    if kind == "ramp":
        specs = [replace(spec, bpm=124.0 if index == 0 else 128.0) for index, spec in enumerate(specs)]
        joins = [Join("fade", 16, 8), *joins[1:]]
    elif kind == "quiet_loud":
        low_first = bool(rng.random() < 0.5)
        specs = [
            replace(spec, gain_db=-6.0 if (index % 2 == 0) == low_first else 0.0) for index, spec in enumerate(specs)
        ]
    return specs, joins


def build(
    kind: str, seed: int, library: Library | None = None, report: Callable[[str], None] | None = None
) -> tuple[Audio, MixTruth]:
    """Render one mix; the same kind and seed always give the same. Raises ValueError for an unknown kind."""
    if kind not in RECIPES:
        raise ValueError(f"unknown kind {kind!r}; known: {', '.join(KINDS)}")
    recipe = RECIPES[kind]
    rng = np.random.default_rng([seed, zlib.crc32(kind.encode())])
    for _ in range(5000):
        specs, joins = draw_specs(rng, kind, recipe)
        if fits(kind, recipe, *adapt(np.random.default_rng(seed), kind, specs, joins)):
            break
    else:
        raise ValueError(f"no draw of {kind} fits")
    specs, joins = adapt(np.random.default_rng(seed), kind, specs, joins)
    if report is not None:
        report(f"{kind}-{seed}: {len(specs)} tracks, about {length_s(specs, joins):.0f} s")
    lead_s, pickup = 0.0, 0
    if kind == "upbeat":
        pickup = int(rng.integers(1, 7))
        lead_s = float(rng.uniform(0.1, 1.5)) + pickup * 30.0 / specs[0].bpm
    tags = [*recipe.tags, *(f"{join.kind} join" for join in joins)]
    audio, truth = mix(
        library or Library(),
        rng,
        kind,
        seed,
        specs,
        joins,
        lead_s=lead_s,
        lead_pickup=pickup,
        drift=drift_bpm(rng) if kind == "drift" else None,
        wobble_s=0.015 if kind == "drift" else 0.0,
        tags=tags,
    )
    if kind == "lost_bar":
        audio = lose_beats(rng, audio, truth)
    return audio, truth


def lose_beats(rng: np.random.Generator, audio: Audio, truth: MixTruth) -> Audio:
    """Edit the last two beats out of one or two bars that lie outside all crossfades."""
    fades = [(after["fade_in_s"] - 4.0, before["fade_out_s"] + 4.0) for before, after in pairwise(truth.tracks)]
    free = [
        number
        for number, bar in enumerate(truth.bars[16:-16], 16)
        if all(bar["end_s"] < first or bar["start_s"] > last for first, last in fades)
    ]
    chosen = sorted(int(number) for number in rng.choice(free, size=int(rng.integers(1, 3)), replace=False))
    for number in reversed(chosen):
        beat = int(np.searchsorted(truth.beats_s, truth.bars[number]["start_s"] - 1e-4)) + 2
        audio = cut_out(audio, truth, beat, 2)
    return audio
