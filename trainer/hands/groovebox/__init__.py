"""The groovebox: a house producer's hand. Loops of steps on random circuits, chained into sections. Zone: trainer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from housex_blender.core.genres import GENRES
from trainer.hands.groovebox import score
from trainer.hands.groovebox.kit import place, play_drums
from trainer.hands.groovebox.machine import (
    DRIVES,
    SAMPLE_RATE_HZ,
    Rng,
    Sound,
    active_rms,
    chorus,
    drive,
    echo,
    make_voice,
    phaser,
    resonant,
    reverb,
)
from trainer.labelled import Labelled
from trainer.synth.dsp import filtered, midi_to_hz
from trainer.synth.samples import SampleBank

HAND = 22


@dataclass(frozen=True)
class Plan:
    """What is settled before a note is made: attributes on the scale 1..5, tempo, bars and their sections."""

    genre: str
    seed: int
    bpm: float
    sections: tuple[str, ...]
    groove: float
    rhythm: float
    distortion: float
    organicity: float
    minor: bool


@dataclass(frozen=True)
class Part:
    """One part. role: lead, chord, pad or bass; share: acoustic share of its level; drive 0..1; level is RMS."""

    role: str
    notes: list[score.Note]
    share: float
    drive: float
    level: float


@dataclass(frozen=True)
class Performance:
    """Buses (n, 2) before the master, with the truth per bar (bars, 7)."""

    kick: Sound
    drums: Sound
    music: Sound
    attributes: NDArray[np.float32]
    beat_frames: int
    facts: dict[str, object]


def draw_plan(genre: str, seed: int) -> Plan:
    """Draw the frame of a track of a genre: 24 to 40 bars about a drop of 8 or 16."""
    rng = np.random.default_rng([HAND, GENRES.index(genre), seed])
    facts = score.FACTS[genre]
    sections: tuple[str, ...] = ()
    while not 24 <= len(sections) <= 40:
        tail: list[tuple[str, ...]] = [(), ("break",) * 4, ("outro",) * 4, ("outro",) * 8, ("break",) * 8]
        sections = (
            *("intro",) * int(rng.choice([0, 4, 8])),
            *("break",) * int(rng.choice([0, 4, 8])),
            *("build",) * int(rng.choice([2, 4, 8], p=[0.15, 0.55, 0.3])),
            *("drop",) * int(rng.choice([8, 16, 16])),
            *tail[int(rng.integers(5))],
        )
    draw = [
        float(rng.uniform(*span))
        for span in (facts.bpm, facts.groove, facts.rhythm, facts.distortion, facts.organicity)
    ]
    return Plan(genre, seed, draw[0], sections, draw[1], draw[2], draw[3], draw[4], bool(rng.random() < facts.minor))


def _set_up(plan: Plan, rng: Rng) -> tuple[list[Part], set[str], score.Harmony]:
    """The parts, the roles that play in the drop, and the harmony."""
    facts = score.FACTS[plan.genre]
    harmony = score.draw_harmony(rng, plan.genre, plan.minor, 8 if rng.random() < 0.35 else 4)
    in_drop = {
        role for role, chance in zip(("lead", "chord", "bass"), facts.parts, strict=True) if rng.random() < chance
    }
    if "chord" in in_drop and in_drop & {"lead", "bass"} and rng.random() < 0.35:
        in_drop = in_drop - {"chord"} | {"pad"}
    in_drop = in_drop or {"lead"}
    rich = rng.random() < (0.75 if plan.genre == "Deep House" else 0.2)
    levels = {
        "lead": rng.uniform(0.7, 1.1),
        "chord": rng.uniform(0.5, 0.9),
        "pad": rng.uniform(0.4, 0.8),
        "bass": rng.uniform(0.7, 1.1),
    }
    if plan.genre in ("Bass House", "Slap House", "Tech House"):
        levels["bass"] *= 1.25
    wanted = (plan.organicity - 1) / 4
    budget = wanted * sum(levels[role] for role in in_drop)
    parts = []
    # The acoustic share is handed out in a drawn order, so that any part may be the acoustic one.
    for role in rng.permutation(sorted(in_drop | {"pad"})):
        if role in in_drop:
            share = float(min(1.0, budget / levels[role]))
            budget -= share * levels[role]
        else:
            share = float(rng.random() < wanted)
        if role == "lead":
            notes = score.write_lead(rng, harmony, plan.rhythm, plan.genre == "Bass House")
        elif role == "bass":
            notes = score.write_bass(rng, harmony, plan.rhythm, plan.genre in ("Slap House", "Future House"))
        else:
            notes = score.write_chords(rng, harmony, plan.rhythm if role == "chord" else None, rich)
        heat = np.clip(plan.distortion + rng.normal(0, 0.3), *facts.distortion)
        parts.append(Part(str(role), notes, share, float(heat - 1) / 4, float(levels[role])))
    return parts, in_drop, harmony


def _layer(part: Part, voice_name: str, rng: Rng, plan: Plan, loop: int, beat_frames: int, swing: float) -> Sound:
    """Sequence one voice round a loop of so many frames; what rings over its end comes in again at its start."""
    low = part.role == "bass"
    voice = make_voice(voice_name, rng, low)
    spread = 0.0 if low else float(rng.uniform(0, 0.6 if part.role != "lead" else 0.3))
    strum = float(rng.uniform(0.006, 0.018)) if voice_name == "guitar" else 0.0
    # A Future Rave bass comes in like a wave.
    swell = int(rng.uniform(0.02, 0.04) * SAMPLE_RATE_HZ) if low and plan.genre == "Future Rave" else 0
    made: dict[tuple[int, float, float, int], Sound] = {}
    out = np.zeros((loop + 4 * SAMPLE_RATE_HZ, 2), np.float32)
    for index, note in enumerate(part.notes):
        length = min(round(note.length * 2) / 2, 32.0)
        key = (note.pitch, length, note.accent, note.slide)
        if key not in made:
            slide_hz = midi_to_hz(note.slide) if note.slide else 0.0
            made[key] = voice(midi_to_hz(note.pitch), length * beat_frames / 8 / SAMPLE_RATE_HZ, note.accent, slide_hz)
            if swell:
                made[key] = made[key] * np.minimum(1, np.arange(len(made[key])) / swell).astype(np.float32)
        beat = note.start / 8 + (swing if note.start % 4 == 2 else 0.0)
        at = beat * beat_frames + strum * (index % 4) * SAMPLE_RATE_HZ
        place(out, made[key], at, 1.0, spread * (-1.0) ** index * ((index % 3) / 2))
    out[: 4 * SAMPLE_RATE_HZ] += out[loop:][: min(loop, 4 * SAMPLE_RATE_HZ)]
    return out[:loop]


def _loop(part: Part, rng: Rng, plan: Plan, frames: int, beat_frames: int, swing: float) -> tuple[Sound, list[str]]:
    """A part's loop after its inserts at its level, with the names of its voices."""
    facts, kind = score.FACTS[plan.genre], str(rng.choice(DRIVES))
    typical = getattr(facts, "chord" if part.role == "pad" else part.role)
    total, names = np.zeros((frames, 2), np.float32), []
    for acoustic, share in ((True, part.share), (False, 1 - part.share)):
        if share > 1e-6:
            names.append(score.draw_voices(rng, typical, acoustic))
            total += drive(
                _layer(part, names[-1], rng, plan, frames, beat_frames, swing), part.drive, kind
            ) * np.float32(share)
    if part.drive > 0.3 and rng.random() < 0.7:
        total = filtered(total, "lowpass", float(rng.uniform(9000, 15000)))
    if part.role == "bass":
        total = filtered(total, "highpass", 32.0)
        if rng.random() < 0.7:
            total = np.repeat(total.mean(axis=1, keepdims=True), 2, axis=1)
    else:
        total = filtered(total, "highpass", float(rng.uniform(110, 260)))
        if rng.random() < (0.5 if part.role in ("chord", "pad") else 0.3):
            total = chorus(total, rng)
        if rng.random() < 0.18:
            total = phaser(total, rng)
        if rng.random() < (0.45 if part.role == "lead" else 0.2):
            total = echo(total, beat_frames // 4, rng)
    return total * np.float32(part.level / active_rms(total)), names


def duck_curve(beat_frames: int, depth_db: float, shape: int, recover: float) -> Sound:
    """Gain over one beat after a kick: depth_db down at once, back at 0 dB after recover (share of the beat)."""
    place_in = np.clip(np.arange(beat_frames) / beat_frames / recover, 0, 1)
    fall = [
        1 - place_in,
        0.5 + 0.5 * np.cos(np.pi * place_in),
        np.clip(1.35 * (1 - place_in), 0, 1),
        (np.exp(-3 * place_in) - np.exp(-3)) / (1 - np.exp(-3)),
    ][shape]
    fall = fall * np.minimum(1, np.arange(beat_frames) / (0.003 * SAMPLE_RATE_HZ))
    return np.asarray(10 ** (-depth_db * fall / 20), np.float32)


def _cast(plan: Plan, in_drop: set[str], rng: Rng) -> list[set[str]]:
    """Which roles sound in each bar."""
    melodic = [r for r in ("lead", "bass", "chord") if r in in_drop]
    teaser = {str(rng.choice(melodic))} if rng.random() < 0.55 else set()
    calm = ({"pad"} if rng.random() < 0.85 else set()) | ({"lead"} & in_drop if rng.random() < 0.55 else set())
    calm |= {"bass"} & in_drop if rng.random() < 0.2 else set()
    calm = calm or {"pad"}
    rise = (calm - {"bass"}) | ({"chord"} & in_drop) or {"pad"}
    after = {str(rng.choice(melodic))} if rng.random() < 0.6 else set()
    full = {"intro": teaser, "break": calm, "build": rise, "drop": in_drop, "outro": after}
    cast = [full[section] for section in plan.sections]
    for bar in range(plan.sections.count("intro") // 2):
        cast[bar] = set()
    return cast


def _kicks(plan: Plan, rng: Rng) -> NDArray[np.bool_]:
    """(4 * bars,) beats with a kick."""
    plays = {"intro": rng.random() < 0.75, "break": False, "build": rng.random() < 0.4, "drop": True, "outro": True}
    kicks = np.repeat([bool(plays[s]) for s in plan.sections], 4)
    first = plan.sections.index("drop")
    if rng.random() < 0.8:
        kicks[4 * first - int(rng.choice([2, 4, 8])) : 4 * first] = False
    if rng.random() < 0.3:
        kicks[4 * first + 31 : 4 * (first + plan.sections.count("drop")) : 32] = False
    return kicks


def _truth(
    plan: Plan, parts: list[Part], cast: list[set[str]], kicks: NDArray[np.bool_], loop_bars: int
) -> NDArray[np.float32]:
    """(bars, 7) attributes from what is really played."""
    truth = np.full((len(cast), 7), np.nan, np.float32)
    for bar, roles in enumerate(cast):
        on = [part for part in parts if part.role in roles]
        truth[bar, 4:] = [bool(roles & names) for names in ({"lead"}, {"chord", "pad"}, {"bass"})]
        if not on:
            continue
        levels = np.array([part.level for part in on])
        truth[bar, 0] = plan.groove if kicks[4 * bar : 4 * bar + 4].any() else 1.0
        truth[bar, 2] = 1 + 4 * np.average([part.drive for part in on], weights=levels)
        truth[bar, 3] = 1 + 4 * np.average([part.share for part in on], weights=levels)
        moving = [part for part in on if part.role != "pad"]
        if moving:
            start = bar % loop_bars * score.BAR
            onsets = [{n.start - start for n in part.notes if 0 <= n.start - start < score.BAR} for part in moving]
            truth[bar, 1] = np.average([score.fineness(o) for o in onsets], weights=[part.level for part in moving])
    return truth


def perform(plan: Plan) -> Performance:
    """Play a plan. Random choices hang on genre and seed alone, so plans that differ in one figure can be compared."""
    rng = np.random.default_rng([HAND, GENRES.index(plan.genre), plan.seed, 1])
    beat_frames = round(60 / plan.bpm * SAMPLE_RATE_HZ)
    bar_frames, bars = 4 * beat_frames, len(plan.sections)
    parts, in_drop, harmony = _set_up(plan, rng)
    cast, kicks = _cast(plan, in_drop, rng), _kicks(plan, rng)
    loop_bars = len(harmony.degrees)
    swing = (
        float(rng.choice([0.0, rng.uniform(0.01, 0.05)]))
        if plan.genre != "Tech House"
        else float(rng.uniform(0.0, 0.06))
    )
    music, send = np.zeros((bars * bar_frames, 2), np.float32), np.zeros(bars * bar_frames, np.float32)
    voices: dict[str, object] = {}
    ramp = np.linspace(0, 1, 150, dtype=np.float32)[:, None]
    wash = 1.7 if plan.genre == "Deep House" else 1.0
    for part in parts:
        own = np.random.default_rng(rng.integers(1 << 60))
        if not any(part.role in roles for roles in cast):
            continue
        loop, voices[part.role] = _loop(part, own, plan, loop_bars * bar_frames, beat_frames, swing)
        amount = np.float32(rng.uniform(0.0, 0.05) if part.role == "bass" else wash * rng.uniform(0.05, 0.5))
        for bar, roles in enumerate(cast):
            if part.role not in roles:
                continue
            start = bar % loop_bars * bar_frames
            piece = loop[start : start + bar_frames].copy()
            if bar == 0 or part.role not in cast[bar - 1]:
                piece[:150] *= ramp
            if bar == bars - 1 or part.role not in cast[bar + 1]:
                piece[-150:] *= ramp[::-1]
            span = slice(bar * bar_frames, (bar + 1) * bar_frames)
            music[span] += piece
            send[span] += amount * (piece[:, 0] + piece[:, 1]) / 2
    first, builds = plan.sections.index("drop"), plan.sections.count("build")
    drop = slice(first * bar_frames, (first + plan.sections.count("drop")) * bar_frames)
    if builds and rng.random() < 0.75:
        span = slice((first - builds) * bar_frames, first * bar_frames)
        sweeps = [("low", np.geomspace(700, 15000, 32)), ("high", np.geomspace(40, 900, 32))]
        kind, curve = sweeps[int(rng.random() < 0.4)]
        music[span] = resonant(music[span], curve, float(rng.uniform(0.7, 2.0)), kind, 1024)
    intro = plan.sections.count("intro")
    if intro and rng.random() < 0.7:
        music[: intro * bar_frames] = filtered(music[: intro * bar_frames], "lowpass", float(rng.uniform(500, 2500)))
    music += reverb(send, float(rng.uniform(0.7, 2.2) * wash), rng)
    pump = duck_curve(beat_frames, 3 * (plan.groove - 1), int(rng.integers(4)), float(rng.uniform(0.5, 1.0)))
    music *= np.float32(10 ** (-rng.uniform(8, 14) / 20) * 0.9 / active_rms(music[drop][::4]))
    beats = music.reshape(4 * bars, beat_frames, 2)
    beats[kicks] *= pump[:, None]
    tune_hz = midi_to_hz((harmony.key + 12 * 2 - 29) % 12 + 29)
    low, drums = play_drums(rng, plan.genre, plan.sections, kicks, beat_frames, tune_hz, swing)
    if rng.random() < 0.4:
        word = make_voice("vowel", rng)(
            float(rng.uniform(140, 420)), float(rng.uniform(0.12, 0.35)), 0.8, float(rng.uniform(120, 500))
        )
        beat, every = float(rng.choice([3.5, 3.0, 1.5, 0.0])), int(rng.choice([2, 4, 8]))
        for bar in range(every - 1, bars, every):
            place(drums, word, (4 * bar + beat) * beat_frames, float(rng.uniform(0.2, 0.5)))
    facts: dict[str, object] = {"voices": voices, "key": harmony.key, "minor": plan.minor, "pump": pump}
    return Performance(low, drums, music, _truth(plan, parts, cast, kicks, loop_bars), beat_frames, facts)


def _limit(mix: Sound) -> Sound:
    knee = np.clip(mix, -0.65, 0.65)
    return knee + np.float32(0.34) * np.tanh((mix - knee) / np.float32(0.34))


def master(show: Performance, drop: slice, rng: Rng) -> Sound:
    """Sum the buses (n, 2), glue and colour them, and bring the drop (a slice of frames) to a drawn loudness."""
    mix = show.music + show.drums * np.float32(rng.uniform(0.6, 1.25)) + show.kick * np.float32(rng.uniform(0.75, 1.2))
    corner = float(np.exp(-2 * np.pi * rng.uniform(150, 3000) / SAMPLE_RATE_HZ))
    tilt = np.float32(10 ** (rng.uniform(-4, 3.5) / 20) - 1)
    mix += tilt * signal.lfilter(np.array([1 - corner], np.float32), np.array([1, -corner], np.float32), mix, axis=0)
    if rng.random() < 0.6:
        hop = 512
        power = np.sqrt((mix[: len(mix) // hop * hop] ** 2).mean(axis=1).reshape(-1, hop).mean(axis=1)) + 1e-6
        glide = float(np.exp(-hop / SAMPLE_RATE_HZ / rng.uniform(0.05, 0.3)))
        smooth = signal.lfilter([1 - glide], [1, -glide], 20 * np.log10(power))
        over = np.maximum(smooth - np.percentile(smooth, 60) + 3, 0) * rng.uniform(0.15, 0.4)
        gain = np.interp(np.arange(len(mix)), (np.arange(len(over)) + 0.5) * hop, 10 ** (-np.minimum(over, 4) / 20))
        mix *= gain[:, None].astype(np.float32)
    target, probe, lift = float(10 ** (rng.uniform(-12.5, -7.5) / 20)), mix[drop][::8], 1.0
    for _ in range(5):
        lift *= target / float(np.sqrt(np.mean(_limit(probe * np.float32(lift)) ** 2)))
    return _limit(mix * np.float32(lift))


def render_plan(plan: Plan) -> Labelled:
    """Play and master a plan."""
    show = perform(plan)
    bars, first = len(plan.sections), plan.sections.index("drop")
    frames = 4 * show.beat_frames
    drop = slice(first * frames, (first + plan.sections.count("drop")) * frames)
    audio = master(show, drop, np.random.default_rng([HAND, GENRES.index(plan.genre), plan.seed, 2]))
    facts = {k: v for k, v in show.facts.items() if k != "pump"} | {
        "hand": "groovebox",
        "seed": plan.seed,
        "bpm": plan.bpm,
    }
    return Labelled.single(
        audio=audio.astype(np.float32),
        sample_rate_hz=SAMPLE_RATE_HZ,
        beats_s=np.arange(4 * bars + 1) * show.beat_frames / SAMPLE_RATE_HZ,
        sections=plan.sections,
        shares={plan.genre: 1.0},
        attributes=show.attributes,
        facts=facts,
    )


def render_track(genre: str, seed: int, bank: SampleBank | None = None) -> Labelled:
    """An excerpt of 24 to 40 bars of one of GENRES about a drop; the bank is not used, everything is synthesised."""
    return render_plan(draw_plan(genre, seed))
