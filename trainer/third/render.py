"""Arranges, mixes and masters a track and writes down its truth bar by bar. Zone: trainer."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.signal import oaconvolve

from housex_blender.core.errors import HouseXError
from trainer.labelled import Labelled
from trainer.third import writing
from trainer.third.drums import Beat, play_drums
from trainer.third.sampler import Note, Shape, Stereo, Voice, drive, high_pass, loudness, low_pass, play_loop
from trainer.third.sources import RATE_HZ, check
from trainer.third.styles import POOLS, STYLES, VOICES, Style

# the set: every genre with each of these
SEEDS = (0, 1, 2, 3, 4)
_TYPICAL = 0.65
_LAYERED = 0.4
# small enough for one acoustic layer in a genre whose organicity ends at 2
_LAYER_SHARE = 0.24
# a part counts in a bar where its notes sound for at least this share of it
_SOUNDS = 0.1
# loudness of the written levels next to a kick of peak 1, and of what stands alone in a break
_MUSIC_GAIN, _ALONE_GAIN = 1.7, 1.35
# gain of the treble shelf of the master, added to 1
_AIR = 1.2
# a break is at most this loud next to the drop
_QUIETER = 0.6
_BASES = {"bass": 28, "lead": 67, "chord": 57}


@dataclass(frozen=True)
class _Part:
    """A part's loop with what is true of it.

    Attributes:
        role: "lead", "chord" or "bass".
        voices: Each with its share of the level.
        audio: (n_samples, 2), eight bars at mix level.
        level: Loudness, root mean square.
        drives: Drive 0..1 of each voice.
        sounding: (8,) share of each bar with a note.
        rhythm: (8,) level 1..5 of each bar.
        bars: Where it plays, and whether "open", "hint" (filtered) or "rise" (opening).
    """

    role: str
    voices: tuple[tuple[Voice, float], ...]
    audio: Stereo
    level: float
    drives: tuple[float, ...]
    sounding: NDArray[np.float64]
    rhythm: NDArray[np.int64]
    bars: dict[int, str]

    @property
    def acoustic(self) -> float:
        """Share of acoustic voices by level."""
        return sum(share for voice, share in self.voices if voice.acoustic)

    @property
    def drive(self) -> float:
        """Mean drive by level."""
        return sum(share * amount for (_, share), amount in zip(self.voices, self.drives, strict=True))


_Cast = dict[str, tuple[tuple[Voice, float], ...]]


def _draw_voices(style: Style, role: str, rng: np.random.Generator) -> tuple[tuple[Voice, float], ...]:
    def one() -> Voice:
        names = style.voices[role] if rng.random() < _TYPICAL else POOLS[role]
        return VOICES[names[rng.integers(len(names))]]

    first = one()
    second = one()
    if role == "bass" or second.name == first.name or rng.random() >= _LAYERED:
        return ((first, 1.0),)
    return ((first, 1 - _LAYER_SHARE), (second, _LAYER_SHARE))


def _cast(style: Style, roles: list[str], rng: np.random.Generator) -> tuple[_Cast, float]:
    """Voices whose organic share and drive lie inside the genre's intervals, and the drive 0..1 added to them."""
    for _ in range(2000):
        cast = {role: _draw_voices(style, role, rng) for role in roles}
        amount = (float(rng.uniform(*style.distortion)) - 1) / 4
        total = sum(style.levels[role] for role in roles)
        layers = [(style.levels[role] / total * share, voice) for role in roles for voice, share in cast[role]]
        organic = 1 + 4 * sum(weight for weight, voice in layers if voice.acoustic)
        distorted = 1 + 4 * sum(weight * max(amount, voice.grit) for weight, voice in layers)
        fits = style.organicity[0] <= organic <= style.organicity[1]
        if fits and style.distortion[0] <= distorted <= style.distortion[1]:
            return cast, amount
    raise HouseXError(f"No voices of the third set fit {roles}.", "Widen the pools in trainer/third/styles.py.")


def _make_part(
    role: str,
    voices: tuple[tuple[Voice, float], ...],
    shape: Shape,
    notes: list[Note],
    level: float,
    amount: float,
    bar_s: float,
    swing: float,
    rng: np.random.Generator,
) -> _Part:
    audio = None
    drives = []
    for voice, share in voices:
        drives.append(max(amount, voice.grit))
        # what decays by itself needs no second decay on top
        own = replace(shape, sustain=max(shape.sustain, 0.8)) if voice.decays else shape
        dry = play_loop(voice, own, notes, writing.LOOP_BARS, bar_s, swing, rng)
        tone = drive(dry, drives[-1])
        if drives[-1] > 0.1:
            # the fizz above what a loudspeaker of an amplifier passes
            tone = low_pass(tone, 13000.0)
        tone = tone * (share * level / loudness(tone))
        audio = tone if audio is None else audio + tone
    assert audio is not None
    if role == "bass":
        audio = np.repeat(audio.mean(1, keepdims=True), 2, axis=1)
    else:
        audio = high_pass(audio, 170.0)
    covered = np.zeros(writing.LOOP_BARS * 64, dtype=bool)
    onsets: list[list[float]] = [[] for _ in range(writing.LOOP_BARS)]
    for note in notes:
        covered[int(4 * note.step) : int(4 * (note.step + note.steps))] = True
        bar = int(note.step // 16)
        onsets[bar].append(note.step - 16 * bar)
    return _Part(
        role,
        voices,
        audio.astype(np.float32),
        level,
        tuple(drives),
        covered.reshape(writing.LOOP_BARS, 64).mean(1),
        np.array([writing.level_of(steps) for steps in onsets]),
        {},
    )


def _starts(plan: list[tuple[str, int]]) -> list[tuple[str, int, int]]:
    """Sections as (name, first bar, bars)."""
    first = np.cumsum([0, *(bars for _, bars in plan)])
    return [(name, int(start), bars) for (name, bars), start in zip(plan, first[:-1], strict=True)]


def _write(
    style: Style, plan: list[tuple[str, int]], harmony: writing.Harmony, bar_s: float, rng: np.random.Generator
) -> list[_Part]:
    """All parts of a track with the bars they play in."""
    roles = [role for role in ("lead", "chord", "bass") if rng.random() < getattr(style, role)]
    cast, amount = _cast(style, roles, rng)
    finest = int(rng.integers(style.rhythm[0], style.rhythm[1] + 1))
    # one part carries the fineness, the others may be calmer
    carriers = [role for role in ("lead", "bass") if role in roles]
    carrier = carriers[rng.integers(len(carriers))]
    if carrier == "bass" and finest not in writing.BASS_CELLS[style.bass_cells]:
        carrier = "lead" if "lead" in roles else "bass"
    levels = {role: finest if role == carrier else int(rng.integers(max(1, finest - 2), finest + 1)) for role in roles}
    # what is written finer than the genre's own bass goes to the lead
    shapes = dict(style.shapes)
    shapes["bass"] = replace(shapes["bass"], motion_s=shapes["bass"].motion_s * float(rng.uniform(0.7, 1.4)))
    if shapes["bass"].motion == "wobble":
        # the growl moves in eighths or sixteenths
        shapes["bass"] = replace(shapes["bass"], motion_s=bar_s / float(rng.choice([8, 16])))
    if shapes["lead"].peak_hz:
        shapes["lead"] = replace(shapes["lead"], peak_hz=float(rng.uniform(1000, 2500)))
    seventh = style.bass_cells in ("melodic", "bounce")
    plain = style.bass_cells == "growl"

    def notes_of(role: str) -> list[Note]:
        if role == "bass":
            return writing.bass_line(style, harmony, levels[role], rng)
        if role == "lead" and plain:
            return writing.stab_line(harmony, levels[role], style.gates[role], 55, rng)
        if role == "lead":
            base = _BASES[role] - (5 if style.bass_cells == "melodic" else 0)
            return writing.melody(style, harmony, levels[role], style.gates[role], base, rng)
        # chords are held, or struck where the gate is short
        struck = style.gates["chord"] < 0.95 or rng.random() < 0.4
        return writing.chords(
            harmony, min(2, levels[role]) if struck else 0, style.gates["chord"], seventh, _BASES[role], rng
        )

    main = {
        role: _make_part(
            role, cast[role], shapes[role], notes_of(role), style.levels[role], amount, bar_s, style.swing, rng
        )
        for role in roles
    }
    calm = min(amount, 0.25)
    pad = _make_part(
        "chord",
        ((VOICES[str(rng.choice(style.voices["chord"]))], 1.0),),
        replace(style.shapes["chord"], sustain=0.9, release_s=0.3),
        writing.chords(harmony, 0, 1.0, seventh, _BASES["chord"], rng),
        _ALONE_GAIN * max(0.09, style.levels["chord"]),
        calm,
        bar_s,
        0.5,
        rng,
    )
    singer = str(rng.choice(["aah chop", "ooh chop", "piano", "flute", "choir", "grand"]))
    song = _make_part(
        "lead",
        ((VOICES[singer], 1.0),),
        Shape(attack_s=0.03, sustain=0.9, release_s=0.2, bright_hz=8000),
        writing.melody(style, harmony, int(rng.integers(1, 3)), 0.9, 60, rng),
        _ALONE_GAIN * 0.1,
        calm,
        bar_s,
        0.5,
        rng,
    )
    for section, start, bars in _starts(plan):
        inside = range(start, start + bars)
        if section == "drop":
            for part in main.values():
                part.bars.update(dict.fromkeys(inside, "open"))
        elif section == "break":
            kind = rng.random()
            if kind < 0.75:
                pad.bars.update(dict.fromkeys(inside, "open"))
            if kind > 0.45:
                song.bars.update(dict.fromkeys(range(start + (bars // 2 if kind < 0.6 else 0), start + bars), "open"))
        elif section == "build":
            played = main["lead"] if "lead" in main and rng.random() < 0.6 else pad
            played.bars.update(dict.fromkeys(inside, "rise"))
        elif rng.random() < 0.6:
            hinted = list(main.values())[rng.integers(len(main))]
            hinted.bars.update(
                dict.fromkeys(range(start + bars // 2 if section == "intro" else start, start + bars), "hint")
            )
    return [*main.values(), pad, song]


def _lay_out(part: _Part, plan: list[tuple[str, int]], bar_s: float, total: int) -> Stereo:
    """A part over the whole track, filtered where it only hints or rises."""
    out = np.zeros((total, 2), dtype=np.float32)
    fade = np.linspace(0, 1, RATE_HZ // 200, dtype=np.float32)[:, None]
    for _, first, bars in _starts(plan):
        played = [bar for bar in range(first, first + bars) if bar in part.bars]
        if not played:
            continue
        start, end = round(played[0] * bar_s * RATE_HZ), min(total, round((played[-1] + 1) * bar_s * RATE_HZ))
        offset = round((played[0] - first) * bar_s * RATE_HZ)
        turns = (offset + end - start) // len(part.audio) + 1
        piece = np.tile(part.audio, (turns, 1))[offset : offset + end - start].copy()
        kind = part.bars[played[0]]
        if kind == "hint":
            piece = 0.7 * low_pass(piece, 700.0)
        elif kind == "rise":
            dull = low_pass(piece, 500.0)
            opening = np.linspace(0.05, 1, len(piece), dtype=np.float32)[:, None] ** 2
            piece = (0.55 + 0.3 * opening) * (dull + (piece - dull) * opening)
        piece[: len(fade)] *= fade
        piece[-len(fade) :] *= fade[::-1]
        out[start:end] += piece
    return out


def _ducking(beat: Beat, depth_db: float, bar_s: float, total: int) -> NDArray[np.float32]:
    """Gain (n_samples, 1) of the side-chain: down at each kick, back before the next beat."""
    length = round(bar_s / 4 * RATE_HZ)
    phase = np.arange(length) / length
    # held for an eighth of the beat, then back along half a cosine
    back = 0.5 - 0.5 * np.cos(np.pi * np.clip((phase - 0.125) / 0.65, 0, 1))
    curve = 10 ** (-depth_db * (1 - back) / 20)
    gain = np.ones(total + length, dtype=np.float32)
    for bar, number in np.argwhere(beat.kicks):
        start = round((bar + number / 4) * bar_s * RATE_HZ)
        gain[start : start + length] = curve
    return gain[:total, None]


def _room(music: Stereo, style: Style, rng: np.random.Generator) -> Stereo:
    """The reverb of a mono send, bright at first and darker later."""
    length = int(min(style.reverb_s, 2.5) * RATE_HZ)
    time_s = np.arange(length) / RATE_HZ
    noise = rng.standard_normal((length, 2)).astype(np.float32)
    response = noise * (10 ** (-3 * time_s / style.reverb_s))[:, None].astype(np.float32)
    dark = low_pass(response, 1800.0)
    response = dark + (response - dark) * np.exp(-time_s / 0.35)[:, None].astype(np.float32)
    response = high_pass(response, 250.0)
    response /= np.sqrt((response**2).sum(0))
    send = music.mean(1).astype(np.float32)
    wet = np.stack([oaconvolve(send, response[:, side])[: len(send)] for side in range(2)], axis=1)
    return wet.astype(np.float32)


def _ride(mix: Stereo, plan: list[tuple[str, int]], bar_s: float) -> tuple[Stereo, float]:
    """Takes breaks back that would be as loud as the drop after them.

    Args:
        mix: (n_samples, 2), changed in place.
        plan: Sections as (name, bars).
        bar_s: Length of a bar, s.

    Returns:
        The mix, and the root mean square of its first drop.
    """

    def piece(first: int, bars: int) -> Stereo:
        return mix[round(first * bar_s * RATE_HZ) : round((first + bars) * bar_s * RATE_HZ)]

    drop = piece(*next((first, bars) for name, first, bars in _starts(plan) if name == "drop"))
    level = float(np.sqrt((drop**2).mean()))
    for name, first, bars in _starts(plan):
        if name != "break":
            continue
        part = piece(first, bars)
        loud = float(np.sqrt((part**2).mean()))
        gain = np.full((len(part), 1), min(1.0, _QUIETER * level / max(loud, 1e-9)), dtype=np.float32)
        # the fader moves within a sixteenth at either end
        ramp = round(bar_s / 16 * RATE_HZ)
        gain[:ramp, 0] = np.linspace(1.0, gain[ramp, 0], ramp)
        gain[-ramp:, 0] = gain[:ramp, 0][::-1]
        part *= gain
    return mix, level


def _truth(parts: list[_Part], plan: list[tuple[str, int]], beat: Beat, groove: float) -> NDArray[np.float32]:
    """(n_bars, 7) in the order of ATTRIBUTES."""
    out = np.full((sum(bars for _, bars in plan), 7), np.nan, dtype=np.float32)
    out[:, 4:] = 0.0
    for _, first, bars in _starts(plan):
        for bar in range(first, first + bars):
            place = (bar - first) % writing.LOOP_BARS
            heard = [part for part in parts if bar in part.bars and part.sounding[place] >= _SOUNDS]
            if not heard:
                continue
            weights = np.array([part.level for part in heard])
            weights = weights / weights.sum()
            out[bar, 0] = groove if beat.kicks[bar].any() else 1.0
            out[bar, 1] = max(part.rhythm[place] for part in heard)
            out[bar, 2] = 1 + 4 * float(weights @ [part.drive for part in heard])
            out[bar, 3] = 1 + 4 * float(weights @ [part.acoustic for part in heard])
            for part in heard:
                out[bar, 4 + ("lead", "chord", "bass").index(part.role)] = 1.0
    return out


def render_third_track(genre: str, seed: int) -> Labelled:
    """One track of the third set: 40 to 64 bars at 44.1 kHz, at least 16 of them drop, the same for the same seed.

    Args:
        genre: One of GENRES.
        seed: Not negative; the set has SEEDS.

    Raises:
        HouseXError: If a source of sounds is missing.
        KeyError: If the genre is unknown.
    """
    check()
    style = STYLES[genre]
    # a checksum, because hash() of a text differs between processes
    rng = np.random.default_rng([3, zlib.crc32(genre.encode()), seed])
    bpm = (
        round(float(rng.uniform(*style.bpm)), 2)
        if rng.random() < 0.3
        else float(rng.integers(int(style.bpm[0]), int(style.bpm[1]) + 1))
    )
    bar_s = 240.0 / bpm
    plan = writing.draw_plan(rng)
    harmony = writing.draw_harmony(style, style.bass_cells in ("growl", "rolling", "pulse"), rng)
    groove = float(rng.uniform(*style.groove))
    parts = _write(style, plan, harmony, bar_s, rng)
    beat = play_drums(style, plan, bar_s, harmony.tonic, rng)
    total = len(beat.audio)

    dry = np.zeros((total, 2), dtype=np.float32)
    send = np.zeros((total, 2), dtype=np.float32)
    for part in parts:
        laid = _lay_out(part, plan, bar_s, total)
        dry += laid
        if part.role != "bass":
            send += laid
    music = dry + style.wet * _room(send, style, rng)
    mix = beat.audio + _MUSIC_GAIN * music * _ducking(beat, 3 * (groove - 1), bar_s, total)
    # single recordings lack the air of a finished record: a shelf above 2 kHz, and a little less below the kick
    mix = high_pass(mix, 35.0) + _AIR * high_pass(mix, 2000.0, 1)
    sections = tuple(name for name, bars in plan for _ in range(bars))
    n_bars = len(sections)
    beats_s = np.arange(4 * n_bars + 1) * bar_s / 4
    mix, drop_level = _ride(mix, plan, bar_s)
    target = 10 ** (float(rng.uniform(-11.5, -9.5)) / 20)
    audio = (0.98 * np.tanh(mix * (target / drop_level))).astype(np.float32)
    return Labelled.single(
        audio=audio,
        sample_rate_hz=RATE_HZ,
        beats_s=beats_s,
        sections=sections,
        shares={genre: 1.0},
        attributes=_truth(parts, plan, beat, groove),
        facts={
            "genre": genre,
            "seed": seed,
            "bpm": bpm,
            "tonic": harmony.tonic,
            "minor": harmony.minor,
            "plan": plan,
            "groove": groove,
            "voices": [(part.role, [voice.name for voice, _ in part.voices]) for part in parts if part.bars],
            "kit": beat.kit,
        },
    )
