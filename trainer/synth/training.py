"""Renders training tracks: any mixture of genres as sound with its exact truth per bar, from a seed alone.

A genre decides how things are written (see facts); sounds, levels, rooms, drums, plans and masters vary freely. All
parts are loops of whole bars at a constant tempo, rendered once and tiled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from housex_blender.core.attributes import ATTRIBUTES, SCALES
from housex_blender.core.genres import GENRES

from ..labelled import Labelled
from . import master
from .arrange import Bar, Plan, lay_out, section_runs
from .beats import Beats, swung, write_beats
from .drums import sweep
from .dsp import (
    SAMPLE_RATE_HZ,
    Audio,
    add_at,
    convolve,
    db_to_gain,
    fade_edges,
    filtered,
    midi_to_hz,
    reverb_impulse,
    saturate,
    swept_lowpass,
)
from .facts import FACTS, Facts, blended, draw_shares, pick
from .orchestra import KickWish, Voice, draw_kit, draw_voice
from .samples import SampleBank
from .track import KEY_NAMES, balance_bass, gain_towards
from .writing import (
    Harmony,
    Line,
    arp_line,
    bar_holds,
    bar_onsets,
    bass_line,
    chord_line,
    draw_harmony,
    fineness,
    melody_line,
    stab_line,
    vocal_line,
)

# Loudness of a part against the kick, dB, before the jitter of the track.
PART_DB = {
    "lead": -2.0,
    "layer": -5.0,
    "second": -5.5,
    "chord": -4.5,
    "pad": -8.5,
    "bass": -3.0,
    "arp": -8.0,
    "vocal": -4.5,
    "stab": -3.5,
    "ground": -9.0,
}
FUNDAMENTAL_DB = -7.0
# Room of a part against the room of the track, dB.
WET_DB = {"lead": 0.0, "layer": 1.0, "second": 1.0, "chord": 0.0, "pad": 3.0, "arp": 1.0, "vocal": 2.0, "stab": -2.0}
# What a part counts as in the truth. Arpeggios and the melodies of voices are heard as leads.
COUNTS = {
    "lead": "lead",
    "layer": "lead",
    "second": "lead",
    "arp": "lead",
    "stab": "lead",
    "vocal": "lead",
    "chord": "chord",
    "pad": "chord",
    "bass": "bass",
    "ground": "bass",
}
ROLE = {"layer": "lead", "second": "lead", "ground": "bass"}
# Named characters that an acoustic voice can have.
ACOUSTIC = frozenset({"piano", "strings", "guitar", "strum", "epiano"})
# Range of the loudness of a section against the drops, dB.
SECTION_DB = {
    "intro": (-6.0, -0.5),
    "build": (-6.0, -0.5),
    "drop": (-0.4, 0.4),
    "break": (-8.0, -0.5),
    "outro": (-6.0, -0.5),
}
# parts above that drive are distorted as a whole too, by that share of it
_BUS_DRIVE_ABOVE, _BUS_DRIVE_SHARE = 0.3, 0.6
CURVES = ("linear", "exponential", "cosine", "shaper", "swell")
# A part below this share of its full gain, or held for fewer beats in a bar, is not said to play in it.
LEAST_GAIN, LEAST_BEATS = 0.12, 0.3


@dataclass
class Part:
    """A looped part. level_db: against the kick; wet_db: room against dry; attack_s: swell added to the voice."""

    name: str
    line: Line
    voice: Voice
    counts: str
    level_db: float
    wet_db: float
    echo: float
    width: float
    highpass_hz: float
    attack_s: float
    closing: bool

    @property
    def low(self) -> bool:
        """True for parts of the bass bus."""
        return self.name.split(".")[0] in ("bass", "ground")


@dataclass
class Song:
    """All decisions about a track before it is rendered. gains: {part: (n_bars,)}; scales: drawn attributes 1..5."""

    shares: dict[str, float]
    scales: dict[str, float]
    beat_samples: int
    harmony: Harmony
    bars: list[Bar]
    parts: dict[str, Part]
    gains: dict[str, NDArray[np.float64]]
    beats: Beats
    kit: dict[str, Audio]
    swing: float
    duck_db: float
    low_facts: Facts
    space_facts: Facts

    @property
    def bar_samples(self) -> int:
        """Length of a bar."""
        return 4 * self.beat_samples

    @property
    def samples(self) -> int:
        """Length of the track."""
        return self.bar_samples * len(self.bars)


def draw_plan(rng: np.random.Generator) -> Plan:
    """Sections of a track of 40 to 64 bars with at least 16 bars of drop."""

    def length(*choices: int) -> int:
        return int(rng.choice(choices))

    while True:
        plan: Plan = [("intro", length(4, 8, 8, 16))] if rng.random() < 0.85 else []
        rises: tuple[Plan, ...] = ([("break", length(4, 8)), ("build", length(4, 8))], [("build", length(4, 8))], [])
        plan += rises[int(rng.choice(3, p=(0.45, 0.35, 0.2)))]
        plan.append(("drop", length(8, 16, 16)))
        if rng.random() < 0.75:
            middle = ("break", length(4, 8, 8))
            plan += [middle, ("build", length(4, 8))] if rng.random() < 0.7 else [middle]
            plan.append(("drop", length(8, 16)))
        plan += [("outro", length(4, 8, 8))] if rng.random() < 0.8 else []
        drops = sum(bars for section, bars in plan if section == "drop")
        if 40 <= sum(bars for _, bars in plan) <= 64 and drops >= 16:
            return plan


def draw_excerpt(rng: np.random.Generator) -> Plan:
    """Sections of 24 to 40 bars around one drop of 8 or 16.

    Loops last eight bars, so a longer track repeats itself: for the same time of rendering, excerpts bring more music.
    """

    def length(*bars: int) -> int:
        return int(rng.choice(bars))

    while True:
        plan: Plan = [("intro", length(4, 8))] if rng.random() < 0.6 else []
        rises: tuple[Plan, ...] = ([("build", length(4, 8))], [("break", 4), ("build", 4)], [])
        plan += rises[int(rng.choice(3, p=(0.45, 0.4, 0.15)))]
        plan.append(("drop", length(8, 16)))
        if rng.random() < 0.6:
            plan.append((str(rng.choice(["break", "outro"])), length(4, 8)))
        if 24 <= sum(bars for _, bars in plan) <= 40:
            return plan


def _voice(
    role: str, facts: Facts, organic: bool, drive: float, rng: np.random.Generator, bank: SampleBank | None
) -> Voice:
    """Any voice of a role, or with the chance of the genre one of its characters."""
    named = {name: weight for name, weight in facts.characters.get(role, {}).items() if (name in ACOUSTIC) == organic}
    character = pick(named, rng) if named and rng.random() < facts.habit else ""
    return draw_voice(role, rng, organic=organic, drive=drive, character=character, bank=bank)


def _organic_flags(
    names: Sequence[str], levels: Mapping[str, float], share: float, rng: np.random.Generator
) -> set[str]:
    """Parts that shall be acoustic, so that their share by level comes near to the wished one."""
    weights = np.array([db_to_gain(levels[name]) for name in names])
    # Acoustic basses are rare.
    chances = np.array([share * (0.25 if name in ("bass", "ground") else 1.15) for name in names])
    trials = rng.random((32, len(names))) < chances
    best = int(np.argmin(np.abs(trials @ weights / weights.sum() - share)))
    return {name for name, flag in zip(names, trials[best], strict=True) if flag}


def _line(name: str, facts: Facts, harmony: Harmony, level: float, vocal: str, rng: np.random.Generator) -> Line:
    """Write one part. level: rhythm 1..5, which lies between two kinds of grid: a line keeps to one of them."""
    level = float(int(level) + int(rng.random() < level - int(level)))
    if name == "chord":
        return chord_line(pick(facts.chord_writing, rng), harmony, level, rng)
    if name == "pad":
        return chord_line("long", harmony, level, rng)
    if name == "bass":
        return bass_line(pick(facts.bass_writing, rng), harmony, level, rng)
    if name == "ground":
        return bass_line("sustain", harmony, 1.0, rng)
    if name == "arp":
        return arp_line(harmony, level, rng)
    if name == "stab":
        return stab_line(harmony, level, rng)
    if name == "vocal":
        return vocal_line(vocal, harmony, level, rng)
    return melody_line(facts.melody, harmony, level, rng)


def _present(facts: Mapping[str, Facts], rng: np.random.Generator) -> dict[str, bool]:
    """Which parts play in the drops; facts: the genre that each part follows."""
    has = {name: bool(rng.random() < getattr(facts[name], name)) for name in ("lead", "chord", "bass", "arp", "pad")}
    has["stab"] = bool(rng.random() < facts["stab"].stab)
    has["layer"] = has["lead"] and bool(rng.random() < facts["lead"].layer)
    has["second"] = has["lead"] and bool(rng.random() < facts["lead"].second_lead)
    has["ground"] = False
    return has


def _draw_parts(
    shares: dict[str, float],
    scales: dict[str, float],
    harmony: Harmony,
    follows: dict[str, Facts],
    rng: np.random.Generator,
    bank: SampleBank | None,
) -> tuple[dict[str, Part], dict[str, bool], str]:
    """All parts of a track, also those of breaks only: (parts, which of them play in the drops, kind of vocal)."""
    has = _present(follows, rng)
    vocal = pick(follows["vocal"].vocal, rng)
    has["vocal"] = vocal != "none"
    extra = {"chord": 0.75, "pad": 0.7, "ground": 0.5, "lead": 0.25, "arp": 0.15}
    wanted = [
        name
        for name in ("lead", "layer", "second", "chord", "pad", "bass", "ground", "arp", "stab", "vocal")
        if has.get(name, False) or rng.random() < extra.get(name, 0.0)
    ]
    if "chord" not in wanted and "pad" not in wanted:
        wanted.append("pad")
    if not has["lead"] and follows["lead"].lead == 0.0:
        wanted = [name for name in wanted if name not in ("lead", "arp")]
    levels = {
        name: PART_DB[name] + float(np.clip(rng.normal(0.0, 2.3), -5.0, 5.0)) + follows[name].part_db.get(name, 0.0)
        for name in wanted
    }
    if "lead" in levels and not has["chord"]:
        levels["lead"] += 1.5
    sounding = [name for name in wanted if has.get(name, False)] or wanted
    acoustic = _organic_flags(sounding, levels, (scales["organicity"] - 1.0) / 4.0, rng)
    drive = (scales["distortion"] - 1.0) / 4.0
    wet_db = float(rng.uniform(*follows["space"].wet_db))
    same_lead = _line("lead", follows["lead"], harmony, scales["rhythm"], vocal, rng)
    parts: dict[str, Part] = {}
    for name in wanted:
        facts = follows[name]
        organic = name in acoustic if name in sounding else rng.random() < 0.5
        line = same_lead if name == "lead" else _line(name, facts, harmony, scales["rhythm"], vocal, rng)
        if name == "layer":
            up = 12 * int(rng.choice([-1, 0, 1, 1]))
            line = Line(
                tuple(type(note)(note.beat, note.midi + up, note.beats, note.gain) for note in same_lead.notes),
                same_lead.bars,
            )
        grain = float(np.clip(drive + rng.normal(0.0, 0.06), 0.0, 1.0))
        swells = rng.random() < facts.swell and name in ("lead", "layer", "chord", "bass", "pad")
        parts[name] = Part(
            name,
            line,
            _voice(ROLE.get(name, name), facts, organic, grain, rng, bank),
            "" if vocal == "word" and name == "vocal" else COUNTS[name],
            levels[name],
            wet_db + WET_DB.get(name, -60.0) + float(rng.normal(0.0, 2.0)),
            float(rng.uniform(0.15, 0.5))
            if rng.random() < 0.3 and name in ("lead", "second", "arp", "vocal", "stab")
            else 0.0,
            float(rng.uniform(0.3, 1.25)),
            float(np.exp(rng.uniform(np.log(70.0), np.log(220.0)))),
            float(rng.uniform(0.015, 0.12)) if swells else 0.0,
            bool(rng.random() < 0.06),
        )
    # Second versions, for the later half of a drop: other notes, sometimes another voice.
    for name in [name for name in ("lead", "chord", "bass", "stab", "vocal") if name in parts]:
        if rng.random() < 0.5:
            first = parts[name]
            line = _line(name, follows[name], harmony, scales["rhythm"], vocal, rng)
            voice = first.voice
            if rng.random() < 0.3:
                voice = _voice(
                    ROLE.get(name, name), follows[name], first.voice.organic > 0.5, first.voice.drive, rng, bank
                )
            parts[f"{name}.b"] = Part(**{**vars(first), "name": f"{name}.b", "line": line, "voice": voice})
    return parts, has, vocal


def _arrange(
    parts: Mapping[str, Part], has: Mapping[str, bool], bars: list[Bar], rng: np.random.Generator
) -> dict[str, NDArray[np.float64]]:
    """Gain of every part in every bar."""
    gains = {name: np.zeros(len(bars)) for name in parts}
    main = [name for name in parts if "." not in name]
    variants = {name.split(".")[0] for name in parts if "." in name}

    def play(name: str, first: int, end: int, gain: float, second: bool = False) -> None:
        other = f"{name}.b" if name in variants else ""
        gains[name][first:end] = 0.0
        if other:
            gains[other][first:end] = 0.0
        gains[other if second and other else name][first:end] = gain

    in_drop = [name for name in main if has.get(name, False)]
    core = [name for name in in_drop if name in ("lead", "bass", "chord", "stab")]
    drops = 0
    for section, first, end in section_runs(bars):
        half = first + max(1, (end - first) // 2)
        if section == "drop":
            drops += 1
            for start in range(first, end, 8):
                stop = min(start + 8, end)
                second = start > first and rng.random() < 0.6
                middle = start + 4 if not second and rng.random() < 0.25 else stop
                for name in in_drop:
                    swap = second and rng.random() < 0.6
                    gain = 1.0 if name in core or drops > 1 or rng.random() < 0.85 else 0.0
                    play(name, start, middle, gain, swap)
                    if middle < stop:
                        play(name, middle, stop, gain, not swap and rng.random() < 0.6)
                # Single bars and call and answer: a part rests where another one speaks.
                if rng.random() < 0.35 and len(in_drop) > 1:
                    name = in_drop[int(rng.integers(len(in_drop)))]
                    period, place = int(rng.choice([2, 4, 4, 8])), int(rng.integers(1, 8))
                    for bar in range(start, stop):
                        if bar % period == place % period:
                            play(name, bar, bar + 1, 0.0)
                if rng.random() < 0.15:
                    for name in [name for name in in_drop if rng.random() < 0.6]:
                        play(name, stop - 1, stop, 0.0)
        elif section in ("intro", "outro"):
            hints = [name for name in main if name not in ("ground", "layer") and rng.random() < 0.28]
            for name in hints[: int(rng.choice([1, 2, 2, 3]))]:
                late = rng.random() < 0.7
                span = (half, end) if late and section == "intro" else (first, half) if late else (first, end)
                play(name, *span, float(rng.uniform(0.35, 0.9)))
        elif section == "break":
            chances = {"chord": 0.75, "pad": 0.75, "ground": 0.6, "vocal": 0.6, "lead": 0.4, "arp": 0.35, "layer": 0.4}
            chosen = [name for name in main if rng.random() < chances.get(name, 0.08)]
            if not {"chord", "pad"} & set(chosen):
                chosen.append("chord" if "chord" in main else "pad")
            for name in chosen:
                start = first if name != "lead" or rng.random() < 0.5 else half
                play(name, start, end, float(rng.uniform(0.55, 1.1)), bool(rng.random() < 0.3))
        else:
            stop = end - int(rng.choice([0, 1, 1])) if end - first > 2 else end
            chances = {"chord": 0.6, "pad": 0.5, "lead": 0.55, "arp": 0.4, "vocal": 0.5}
            chosen = [name for name in main if rng.random() < chances.get(name, 0.12)]
            if not chosen and rng.random() < 0.8:
                chosen = [main[int(rng.integers(len(main)))]]
            for name in chosen:
                play(name, first, stop, float(rng.uniform(0.4, 0.9)))
    return gains


def compose_song(
    shares: Mapping[str, float],
    seed: int,
    bank: SampleBank | None = None,
    *,
    plan: Plan | None = None,
    bpm: float | None = None,
    root: int | None = None,
    wanted: Mapping[str, float] | None = None,
) -> Song:
    """Decide everything about a track; arguments as of render_training_track."""
    if abs(sum(shares.values()) - 1.0) > 1e-6 or any(
        genre not in FACTS or share < 0 for genre, share in shares.items()
    ):
        raise ValueError(f"shares must be of known genres and sum to 1, got {dict(shares)!r}")
    shares = {genre: float(shares[genre]) for genre in GENRES if shares.get(genre, 0.0) > 0.0}
    rng = np.random.default_rng([seed, *(round(1000 * shares.get(genre, 0.0)) for genre in GENRES)])
    roles = ("lead", "chord", "harmony", "low", "arp", "stab", "vocal", "beat", "space")
    follows = {role: FACTS[pick(shares, rng)] for role in roles}
    # Kick and bass are one decision, as are chords and pads, and everything that goes with the lead.
    follows |= {"bass": follows["low"], "ground": follows["low"], "pad": follows["chord"]}
    follows |= {"layer": follows["lead"], "second": follows["lead"]}
    scales = {name: float(rng.uniform(*blended(shares, name))) for name in SCALES} | dict(wanted or {})
    tempo = float(rng.uniform(*blended(shares, "tempo_bpm"))) if bpm is None else bpm
    beat_samples = round(60.0 / tempo * SAMPLE_RATE_HZ)
    pitch_class = int(rng.integers(12)) if root is None else root % 12
    facts = follows["harmony"]
    major = bool(rng.random() < facts.major)
    harmony = draw_harmony(pick(facts.harmony, rng), pick(facts.chord_size, rng), major, pitch_class, rng)
    parts, has, _ = _draw_parts(shares, scales, harmony, follows, rng, bank)
    bars = lay_out(draw_plan(rng) if plan is None else plan)
    gains = _arrange(parts, has, bars, rng)
    swing = float(rng.uniform(*follows["beat"].swing))
    kick = follows["low"].kick
    tone_hz = midi_to_hz(31 + (pitch_class - 31) % 12) if rng.random() < kick.tuned else None
    wish = KickWish(
        float(rng.uniform(*kick.decay_s)),
        tone_hz,
        float(rng.uniform(*kick.hardness)),
        float(rng.uniform(*kick.softness)),
    )
    kit = draw_kit(rng, kick=wish, bank=bank)
    # An uneven push of the first half wave is no tone and would eat headroom; a kick ends before the next one.
    kit["kick"] = fade_edges(filtered(kit["kick"], "highpass", 22.0)[:beat_samples], 0, 2000)
    return Song(
        shares,
        scales,
        beat_samples,
        harmony,
        bars,
        parts,
        gains,
        write_beats(follows["beat"].beat, bars, np.any(list(gains.values()), axis=0), swing, rng),
        kit,
        swing,
        3.0 * (scales["groove"] - 1.0),
        follows["low"],
        follows["space"],
    )


def render_loop(part: Part, song: Song) -> Audio:
    """One pass of a part's loop as (bars * bar_samples, 2); what rings beyond the end sounds at its start."""
    length = part.line.bars * song.bar_samples
    out = np.zeros((length, 2), dtype=np.float32)
    shots: dict[tuple[float, float], Audio] = {}
    for note in part.line.notes:
        # A grid of lengths lets notes share their sound.
        hold = max(0.125, round(note.beats * 8) / 8)
        shot = shots.get((note.midi, hold))
        if shot is None:
            shot = part.voice.play(note.midi, hold * song.beat_samples / SAMPLE_RATE_HZ)[:length]
            if part.attack_s:
                shot = fade_edges(shot, int(part.attack_s * SAMPLE_RATE_HZ), 0)
            shots[note.midi, hold] = shot
        if note.pan:
            shot = shot * np.array([1.0 - max(0.0, note.pan), 1.0 + min(0.0, note.pan)], dtype=np.float32)
        start = round(swung(note.beat, song.swing) * song.beat_samples) % length
        add_at(out, shot, start, note.gain)
        if start + len(shot) > length:
            add_at(out, shot[length - start :], 0, note.gain)
    if part.voice.drive > _BUS_DRIVE_ABOVE:
        # notes that sound at once are distorted together, which is what makes a chord or a growl harsh
        out = saturate(out, _BUS_DRIVE_SHARE * part.voice.drive)
    if part.echo:
        step = round(0.75 * song.beat_samples)
        repeats = [np.roll(out, step * count, axis=0)[:, :: -1 if count % 2 else 1] for count in (1, 2)]
        out = out + np.float32(part.echo) * repeats[0] + np.float32(part.echo**2) * repeats[1]
    if part.low:
        out = filtered(out, "highpass", 24.0)
    else:
        middle = out.mean(axis=1, keepdims=True)
        out = filtered(middle + np.float32(part.width) * (out - middle), "highpass", part.highpass_hz)
        if part.closing:
            along = np.linspace(0.0, 2.0 * np.pi, length, dtype=np.float32)
            out = swept_lowpass(out, 2500.0 * 5.0 ** -np.cos(along), 5)
    return out


def lay(loop: Audio, gains: NDArray[np.float64], bars: list[Bar], bar_samples: int, out: Audio) -> None:
    """Add a loop to a bus in the bars with a gain; the loop runs from the start of every section."""
    loop_bars = len(loop) // bar_samples
    edge = np.linspace(0.0, 1.0, 200, dtype=np.float32)[:, None]
    for bar in bars:
        gain = gains[bar.number]
        if gain <= 0.0:
            continue
        place = bar.place % loop_bars * bar_samples
        piece = loop[place : place + bar_samples] * np.float32(gain)
        # A step of the gain fades over some milliseconds.
        if bar.number and gains[bar.number - 1] != gain:
            piece[:200] *= edge
        if bar.number + 1 < len(gains) and gains[bar.number + 1] != gain:
            piece[-200:] *= edge[::-1]
        out[bar.number * bar_samples : (bar.number + 1) * bar_samples] += piece


def duck_curve(kind: str, samples: int, length: float) -> NDArray[np.float32]:
    """Side-chain over one beat, (samples,): 1 full depth to 0 no effect; length: share of the beat it takes."""
    along = np.clip(np.linspace(0.0, 1.0, samples) / length, 0.0, 1.0)
    if kind == "linear":
        curve = 1.0 - along
    elif kind == "exponential":
        curve = (np.exp(-3.5 * along) - np.exp(-3.5)) / (1.0 - np.exp(-3.5))
    elif kind == "cosine":
        curve = 0.5 + 0.5 * np.cos(np.pi * along)
    elif kind == "shaper":
        rise = np.clip((along - 0.4) / 0.6, 0.0, 1.0)
        curve = 1.0 - rise * rise * (3.0 - 2.0 * rise)
    else:
        curve = 1.0 - along**2.2
    # Two milliseconds down keep the kick free of clicks.
    curve[:90] *= np.linspace(0.0, 1.0, 90)
    return curve.astype(np.float32)


def _duck_gain(curve: NDArray[np.float32], depth_db: float, kicks: NDArray[np.bool_]) -> Audio:
    """Gain (n, 1) of a side-chain that acts on the beats with a kick."""
    beat = (10.0 ** (-depth_db * curve / 20.0)).astype(np.float32)
    return np.where(kicks.reshape(-1, 1), beat, np.float32(1.0)).reshape(-1, 1)


def truth_of(song: Song, ducked: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(n_bars, 7) attributes of what really plays; ducked: (n_bars, 4) beats on which the side-chain acts."""
    count = len(song.bars)
    out = np.full((count, len(ATTRIBUTES)), np.nan, dtype=np.float32)
    holds = {name: bar_holds(part.line) for name, part in song.parts.items()}
    rhythms = {name: [fineness(starts) for starts in bar_onsets(part.line)] for name, part in song.parts.items()}
    for bar in song.bars:
        weights = {
            name: float(song.gains[name][bar.number]) * db_to_gain(part.level_db)
            for name, part in song.parts.items()
            if song.gains[name][bar.number] > LEAST_GAIN and holds[name][bar.place % part.line.bars] >= LEAST_BEATS
        }
        row = dict.fromkeys(("lead", "chord", "bass"), 0.0)
        row |= {song.parts[name].counts: 1.0 for name in weights if song.parts[name].counts}
        if weights:
            total = sum(weights.values())
            row["groove"] = 1.0 + song.duck_db / 3.0 * float(ducked[bar.number].mean())
            row["distortion"] = 1.0 + 4.0 * sum(song.parts[n].voice.drive * w for n, w in weights.items()) / total
            row["organicity"] = 1.0 + 4.0 * sum(song.parts[n].voice.organic * w for n, w in weights.items()) / total
            heard = [(rhythms[n][bar.place % song.parts[n].line.bars], w) for n, w in weights.items()]
            heard = [(value, weight) for value, weight in heard if np.isfinite(value)]
            if heard:
                mean = sum(value * weight for value, weight in heard) / sum(weight for _, weight in heard)
                row["rhythm"] = 0.6 * max(value for value, _ in heard) + 0.4 * mean
        for name, value in row.items():
            out[bar.number, ATTRIBUTES.index(name)] = value
    return out


def _drum_buses(song: Song, rng: np.random.Generator) -> tuple[Audio, Audio]:
    """Kick, and everything else of the kit, each (n, 2)."""
    kick, rest = (np.zeros((song.samples, 2), dtype=np.float32) for _ in range(2))
    shift_db = song.space_facts.part_db.get("drums", 0.0) + float(rng.normal(3.5, 1.5))
    gain_db = {name: shift_db + float(np.clip(rng.normal(0.0, 2.5), -6.0, 5.0)) for name in sorted(song.kit)}
    for name in ("perc_a", "perc_b", "shaker"):
        gain_db[name] += song.low_facts.part_db.get("percussion", 0.0)
    pan = {name: float(rng.normal(0.0, 0.25)) for name in ("closed_hat", "shaker", "perc_a", "perc_b", "ride")}
    for name, hits in song.beats.hits.items():
        shot = song.kit[name]
        if name in pan:
            side = np.clip(pan[name], -0.7, 0.7)
            shot = shot * np.array([1.0 - max(0.0, side), 1.0 + min(0.0, side)], dtype=np.float32)
        gain = 1.0 if name == "kick" else db_to_gain(gain_db[name])
        for beat, level in hits:
            add_at(kick if name == "kick" else rest, shot, round(beat * song.beat_samples), level * gain)
    return kick, rest


def _effects(song: Song, rng: np.random.Generator) -> Audio:
    """Risers, sirens, downlifters and reversed cymbals around the sections."""
    out = np.zeros((song.samples, 2), dtype=np.float32)
    root_hz = midi_to_hz(48 + song.harmony.root)
    bar_s = song.bar_samples / SAMPLE_RATE_HZ
    pool: dict[tuple[bool, int], Audio] = {}

    def swept(rising: bool, count: int) -> Audio:
        if (rising, count) not in pool:
            pool[rising, count] = sweep(rng, count * bar_s, rising, root_hz)
        return pool[rising, count]

    siren = rng.random() < 0.2
    for section, first, end in section_runs(song.bars):
        level = float(rng.uniform(0.12, 0.5))
        if section == "build" and rng.random() < 0.85:
            count = min(4, end - first)
            add_at(out, swept(True, count), (end - count) * song.bar_samples, level)
            if siren:
                time_s = np.arange(2 * song.bar_samples) / SAMPLE_RATE_HZ
                turns = 1.0 / (bar_s / float(rng.choice([2, 4, 8])))
                tone_hz = 4.0 * root_hz * 2.0 ** (0.5 * np.sin(2.0 * np.pi * turns * time_s))
                wail = np.tanh(3.0 * np.sin(2.0 * np.pi * np.cumsum(tone_hz) / SAMPLE_RATE_HZ))[:, None]
                wail = np.repeat(fade_edges(wail, 4000, 400), 2, axis=1)
                add_at(out, wail, max(0, end - 2) * song.bar_samples, 0.15)
        elif section in ("break", "outro") and rng.random() < 0.5:
            add_at(out, swept(False, 2), first * song.bar_samples, 0.7 * level)
        elif section == "drop" and end - first >= 16 and rng.random() < 0.4:
            add_at(out, swept(True, 2), (first + 6) * song.bar_samples, 0.4 * level)
        if section == "drop" and first and rng.random() < 0.4:
            back = song.kit["crash"][::-1]
            add_at(out, back, first * song.bar_samples - len(back), 0.3)
    return out


def _filter_sections(song: Song, music: Audio, rng: np.random.Generator) -> None:
    """Filter automation in place: dull intros, opening builds, closing outros, sometimes a high-pass instead."""
    chances = {"intro": 0.6, "build": 0.6, "outro": 0.5, "break": 0.3}
    for section, first, end in section_runs(song.bars):
        if rng.random() >= chances.get(section, 0.0):
            continue
        start, stop = first * song.bar_samples, end * song.bar_samples
        low, high = float(rng.uniform(300.0, 1200.0)), float(rng.uniform(2500.0, 15000.0))
        if section == "outro":
            low, high = high, low
        curve = (low * (high / low) ** np.linspace(0.0, 1.0, stop - start)).astype(np.float32)
        dull = swept_lowpass(music[start:stop], curve, 4)
        music[start:stop] = music[start:stop] - dull if section == "build" and rng.random() < 0.2 else dull


def _section_gain(song: Song, mix: Audio, rng: np.random.Generator) -> tuple[Audio, float]:
    """Gain (n, 1) that puts the sections at their levels, and the loudness of the drops before it, in LUFS."""
    runs = section_runs(song.bars)
    found = []
    for _, first, end in runs:
        middle = first + max(0, (end - first) // 2 - 1)
        found.append(master.active_level_lufs(mix[middle * song.bar_samples : (middle + 2) * song.bar_samples]))
    drop = float(np.mean([level for (section, _, _), level in zip(runs, found, strict=True) if section == "drop"]))
    marks: list[float] = []
    gains: list[float] = []
    for (section, first, end), level in zip(runs, found, strict=True):
        wish = drop + float(rng.uniform(*SECTION_DB[section]))
        # The step lies in the 10 ms before the bar line, so that the first kick has its full level.
        marks += [first * song.bar_samples / SAMPLE_RATE_HZ, end * song.bar_samples / SAMPLE_RATE_HZ - 0.010]
        slope = float(rng.uniform(0.0, 1.5)) if section == "build" else 0.0
        gain_db = float(np.clip(wish - level, -15.0, 12.0))
        gains += [gain_db - slope, gain_db + slope]
    return master.level_curve(marks, gains, len(mix))[:, None], drop


def colour_master(mix: Audio, tilt_db: float) -> Audio:
    """Tilt the spectrum: tilt_db more above about 900 Hz and as much less below."""
    if abs(tilt_db) < 0.1:
        return mix
    low = filtered(mix, "lowpass", 900.0, order=1)
    return mix * np.float32(db_to_gain(tilt_db)) + low * np.float32(db_to_gain(-tilt_db) - db_to_gain(tilt_db))


def _reverberated(send: Audio, room: Audio) -> Audio:
    """Convolve (n, 2) with a room that has nothing above 10 kHz: at half the rate, which halves the work."""
    even = send[: len(send) // 2 * 2]
    wet = convolve((even[::2] + even[1::2]) * np.float32(0.5), room[::2] * np.float32(np.sqrt(2.0)))
    out = np.zeros_like(send)
    out[: len(even) : 2] = wet
    out[1 : len(even) - 1 : 2] = (wet[:-1] + wet[1:]) * np.float32(0.5)
    return out


def render_song(song: Song, rng: np.random.Generator) -> tuple[Audio, NDArray[np.bool_]]:
    """Sound of a song, (n, 2), and the beats (n_bars, 4) on which its side-chain acts."""
    kick, drums = _drum_buses(song, rng)
    probe = np.zeros((2 * song.bar_samples, 2), dtype=np.float32)
    for beat in range(8):
        add_at(probe, song.kit["kick"], beat * song.beat_samples)
    kick_lufs = master.active_level_lufs(probe) - song.low_facts.part_db.get("kick", 0.0)
    music, bass, send = (np.zeros((song.samples, 2), dtype=np.float32) for _ in range(3))
    for name, part in song.parts.items():
        if not song.gains[name].any():
            continue
        loop = render_loop(part, song)
        probe = loop[: 4 * song.bar_samples]
        if part.low:
            low_lufs = kick_lufs + FUNDAMENTAL_DB + part.level_db - PART_DB["bass"]
            loop = balance_bass(loop, probe, kick_lufs + part.level_db, low_lufs)
        else:
            loop = loop * np.float32(gain_towards(probe, kick_lufs + part.level_db))
        lay(loop, song.gains[name], song.bars, song.bar_samples, bass if part.low else music)
        if part.wet_db > -40.0:
            lay(loop, song.gains[name] * db_to_gain(part.wet_db), song.bars, song.bar_samples, send)
    _filter_sections(song, music, rng)
    fx = _effects(song, rng)
    shortest = float(np.clip(0.2 * song.duck_db / 3.0, 0.25, 0.7))
    curve = duck_curve(CURVES[int(rng.integers(len(CURVES)))], song.beat_samples, float(rng.uniform(shortest, 1.0)))
    # Some producers let a silent kick pump their breaks as well.
    ducked = song.beats.kicks.copy()
    if rng.random() < 0.2:
        ducked |= np.array([bar.section in ("break", "build") for bar in song.bars])[:, None]
    hole = duck_curve("cosine", song.beat_samples, float(rng.uniform(0.25, 0.5)))
    music_gain = _duck_gain(curve, song.duck_db, ducked)
    bass_gain = np.minimum(music_gain, _duck_gain(hole, float(rng.uniform(6.0, 18.0)), song.beats.kicks))
    decay_s = float(rng.uniform(*song.space_facts.reverb_s))
    room = reverb_impulse(decay_s, int(rng.integers(1 << 30)), float(rng.random()), float(rng.uniform(0.0, 0.05)))
    if rng.random() < 0.1:
        # A gated room: what is left of the tail ends at once.
        room = fade_edges(room[: int(0.25 * SAMPLE_RATE_HZ)], 0, 400)
    send += np.float32(db_to_gain(float(rng.uniform(-30.0, -16.0)))) * (drums + fx)
    wet = filtered(_reverberated(send, room), "highpass", float(rng.uniform(150.0, 400.0)))
    mix = kick + drums + (music + wet) * music_gain + bass * bass_gain + fx
    mix = colour_master(mix, float(np.clip(rng.normal(0.0, 1.8), -4.0, 4.0)))
    gain, drop_lufs = _section_gain(song, mix, rng)
    # Pushed into the clipper by as much as commercial masters are, sometimes less.
    push = db_to_gain(float(rng.uniform(-10.5, -3.5)) - drop_lufs)
    audio = master.soft_clip(mix * (gain * np.float32(push)), float(rng.uniform(0.4, 0.85)))
    audio *= np.float32(db_to_gain(float(rng.uniform(-3.0, -0.2))))
    return fade_edges(audio, 0, 400), ducked


def render_training_track(
    shares: Mapping[str, float] | str,
    seed: int,
    bank: SampleBank | None = None,
    *,
    plan: Plan | None = None,
    bpm: float | None = None,
    root: int | None = None,
    wanted: Mapping[str, float] | None = None,
) -> Labelled:
    """Render a track of 40 to 64 bars with its truth; the same arguments always give the same samples.

    Args:
        shares: {genre: share} with sum 1; or one genre, around which the seed draws a label (see draw_shares).
        seed: Decides everything the other arguments leave open.
        bank: Sampled instruments to draw from besides the synthesised ones.
        plan: Sections and their lengths in bars.
        bpm: Tempo; rounded so that a beat is a whole number of samples.
        root: Pitch class of the key, 0 for C.
        wanted: Attributes of the scale 1..5 to set instead of drawing them.

    Raises:
        ValueError: Unknown genres, or shares that do not sum to 1.
    """
    if isinstance(shares, str):
        shares = draw_shares(shares, np.random.default_rng([seed, 11]))
    song = compose_song(shares, seed, bank, plan=plan, bpm=bpm, root=root, wanted=wanted)
    audio, ducked = render_song(song, np.random.default_rng([seed, 12]))
    count = len(song.bars)
    return Labelled.single(
        audio=audio,
        sample_rate_hz=SAMPLE_RATE_HZ,
        beats_s=np.arange(4 * count + 1) * (song.beat_samples / SAMPLE_RATE_HZ),
        sections=tuple(bar.section for bar in song.bars),
        shares=song.shares,
        attributes=truth_of(song, ducked),
        facts={
            "seed": seed,
            "shares": song.shares,
            "bpm": 60.0 * SAMPLE_RATE_HZ / song.beat_samples,
            "key": f"{KEY_NAMES[song.harmony.root]} {'major' if song.harmony.major else 'minor'}",
            "scales": song.scales,
            "voices": {name: f"{part.voice.family}/{part.voice.name}" for name, part in song.parts.items()},
        },
    )


__all__ = ["compose_song", "draw_excerpt", "draw_shares", "render_song", "render_training_track"]
