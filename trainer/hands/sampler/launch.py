"""The arranger: clips rendered once and launched per part and section, side-chain, master, truth. Zone: trainer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from housex_blender.core.attributes import ATTRIBUTES
from housex_blender.core.genres import GENRES
from trainer.labelled import Labelled
from trainer.synth.dsp import SAMPLE_RATE_HZ, Audio, add_at, db_to_gain, fade_edges, filtered, swept_lowpass
from trainer.synth.samples import SampleBank, SoundsMissing, missing_sounds, open_bank, resampled

from .clips import (
    CLIP_BARS,
    FACTS,
    Facts,
    Hit,
    Note,
    bass_clip,
    chord_clip,
    drum_clip,
    fineness,
    lead_clip,
    level_of_bar,
    new_song,
)
from .pads import (
    Patch,
    acoustic_patch,
    damped,
    drum_hit,
    electronic_patch,
    make_kick,
    noise_bed,
    play,
    sliced_loop,
)

HAND = 21
CACHE = Path(__file__).resolve().parents[3] / "build" / "data" / "sounds"
WORDS = ("glitch_robot1", "glitch_robot2", "mehackit_robot3", "mehackit_robot5", "mehackit_phone1", "mehackit_phone3")


def drive_shape(audio: Audio, drive: float, kind: str) -> Audio:
    """Distort (n, 2) audio of any level: drive 0 leaves it clean, 1 is harsh; kind tanh, clip, fold or crush."""
    if drive < 0.02:
        return audio
    loud = float(np.percentile(np.abs(audio[::16]), 99.0)) or 1.0
    pushed = audio * np.float32((1.0 + 12.0 * drive) / loud)
    if kind == "clip":
        shaped = np.clip(pushed, -0.8, 0.9) + 0.1 * np.tanh(pushed)
    elif kind == "fold":
        shaped = np.tanh(pushed) + np.float32(0.35 * drive) * np.sin(2.4 * pushed)
    elif kind == "crush":
        steps = np.float32(2.0 ** (7.0 - 4.0 * drive))
        shaped = 0.6 * np.tanh(pushed) + 0.4 * np.round(np.tanh(pushed) * steps) / steps
    else:
        shaped = np.tanh(pushed)
    # Overtones must be heard through cymbals, so what is harsh also stands forward.
    shaped = shaped + np.float32(1.2 * drive) * filtered(shaped, "highpass", 2200.0)
    return filtered(shaped, "lowpass", 14000.0)


def duck_curve(phase: NDArray[np.floating], depth_db: float, kind: str, rise: float) -> NDArray[np.float32]:
    """Side-chain gain at phases 0..1 of a beat: depth_db down at the kick, back at 1 when the phase reaches rise."""
    way = np.clip(np.asarray(phase) / rise, 0.0, 1.0)
    if kind == "bow":
        left = 1.0 - way**1.6
    elif kind == "wave":
        left = 0.5 + 0.5 * np.cos(np.pi * way)
    elif kind == "hold":
        left = 1.0 - np.clip((way - 0.35) / 0.65, 0.0, 1.0)
    else:
        left = (1.0 - way) ** 1.3
    return (10.0 ** (-depth_db * left / 20.0)).astype(np.float32)


@dataclass
class Clip:
    """A rendered clip of CLIP_BARS bars (n, 2) at RMS 0.1, the bars it sounds in and its rhythm level in each."""

    audio: Audio
    sounds: list[bool]
    level: list[int]


@dataclass
class Part:
    """A tonal part: two layers of which share (0..1) is acoustic, its drive, gain and shaper."""

    electronic: Patch
    acoustic: Patch
    share: float
    drive: float
    gain: float
    kind: str
    room: float
    echo: float
    wobble: float


def layer(bank: SampleBank, patch: Patch, notes: list[Note], beat_s: float, swing: float) -> Audio:
    """(n, 2) the notes of a clip on one patch; what rings over the end comes in at the start; RMS 0.1."""
    length = round(4 * CLIP_BARS * beat_s * SAMPLE_RATE_HZ)
    out = np.zeros((length + SAMPLE_RATE_HZ, 2), dtype=np.float32)
    for note in notes:
        late = swing if round(4.0 * note.beat) % 2 else 0.0
        sound = play(bank, patch, note.midi, min(note.beats * beat_s, 2.1))
        add_at(out, sound, round((note.beat + late) * beat_s * SAMPLE_RATE_HZ), note.velocity)
    out[:SAMPLE_RATE_HZ] += out[length:]
    return at_level(out[:length])


def at_level(audio: Audio, rms: float = 0.1) -> Audio:
    """Scale audio to an RMS."""
    return audio * np.float32(rms / max(float(np.sqrt(np.mean(np.square(audio[::3])))), 1e-6))


def bar_truth(notes: list[Note]) -> tuple[list[bool], list[int]]:
    """For each bar of a clip: do notes sound for a fair part of it, and how fine are their onsets."""
    sounds, level = [], []
    for bar in range(CLIP_BARS):
        inside = [note for note in notes if 4 * bar <= note.beat < 4 * bar + 4]
        sounds.append(sum(note.beats for note in inside) >= 0.3)
        level.append(fineness([note.beat - 4 * bar for note in inside]) if inside else 1)
    return sounds, level


def render_clip(
    bank: SampleBank, part: Part, notes: list[Note], beat_s: float, swing: float, impulse: Audio, low_cut: float
) -> Clip:
    """Both layers of a part, driven, wobbled, echoed and put into a room."""
    audio = np.float32(1.0 - part.share) * layer(bank, part.electronic, notes, beat_s, swing)
    if part.share > 0.03:
        audio += np.float32(part.share) * layer(bank, part.acoustic, notes, beat_s, swing)
    if part.wobble:
        # A filter LFO in time with the beat, between the sound and its darker self.
        turn = np.arange(len(audio), dtype=np.float32) * np.float32(part.wobble / (beat_s * SAMPLE_RATE_HZ))
        open_ = (0.5 - 0.5 * np.cos(2.0 * np.pi * turn))[:, None].astype(np.float32)
        dark = filtered(audio, "lowpass", 350.0)
        audio = dark + (audio - dark) * open_
    audio = at_level(drive_shape(audio, part.drive, part.kind))
    if low_cut:
        audio = filtered(audio, "highpass", low_cut)
    if part.echo:
        audio = audio + np.float32(part.echo) * np.roll(audio, round(0.75 * beat_s * SAMPLE_RATE_HZ), axis=0)[:, ::-1]
    if part.room > 0.04:
        size = fft.next_fast_len(len(audio) + len(impulse), real=True)
        wet = fft.irfft(fft.rfft(audio, size, axis=0) * fft.rfft(impulse, size, axis=0), size, axis=0)
        tail = wet[len(audio) : len(audio) + len(impulse)]
        wet[: len(tail)] += tail
        audio = audio + np.float32(part.room) * at_level(wet[: len(audio)].astype(np.float32))
    sounds, level = bar_truth(notes)
    return Clip(at_level(audio), sounds, level)


def launched(clip: Audio, n_bars: int, bar_len: float) -> Audio:
    """A clip of CLIP_BARS bars repeated over n_bars bars, edges faded."""
    length = round(n_bars * bar_len)
    return fade_edges(np.tile(clip, (length // len(clip) + 1, 1))[:length], 60, 400)


def plan(rng: np.random.Generator) -> list[tuple[str, int]]:
    """Sections and their bars: 24 to 40 in all around one drop of 8 or 16."""
    while True:
        four = [4, 8]
        drop = int(rng.choice([8, 16]))
        sections = [
            *([("intro", int(rng.choice(four)))] if rng.random() < 0.6 else []),
            *([("break", int(rng.choice(four)))] if rng.random() < 0.75 else []),
            *([("build", int(rng.choice(four)))] if rng.random() < 0.85 else []),
            ("drop", drop),
            *([(str(rng.choice(["break", "outro"])), int(rng.choice(four)))] if rng.random() < 0.6 else []),
        ]
        if 24 <= sum(bars for _, bars in sections) <= 40 and sections[0][0] != "drop":
            return sections


def between(rng: np.random.Generator, interval: tuple[float, float]) -> float:
    """Uniform inside an interval, a little away from its ends."""
    return float(rng.uniform(*interval))


def draw_part(rng: np.random.Generator, genre: str, role: str, distortion: float, organicity: float) -> Part:
    """Sounds and treatment of a part; distortion and organicity are wishes 1..5 for this part."""
    facts = FACTS[genre]
    sounds = {"lead": facts.lead_sound, "chord": facts.chord_sound, "bass": facts.bass_sound}[role]
    flavour = str(rng.choice(sounds)) if rng.random() < 0.55 else ""
    attack_s = 0.002
    if genre == "Future Rave":
        attack_s = float(rng.uniform(0.02, 0.04))
    elif genre != "Bigroom" and role != "bass" and rng.random() < 0.2:
        attack_s = float(rng.uniform(0.01, 0.05))
    growls = role == "bass" and (genre == "Bass House" or rng.random() < 0.12)
    gains = {"lead": (-3.0, 4.0), "chord": (-6.0, 2.0), "bass": (-3.0, 3.0)}
    return Part(
        electronic_patch(rng, role, flavour, attack_s),
        acoustic_patch(rng, role, calm=genre in ("Deep House", "Progressive House")),
        share=(organicity - 1.0) / 4.0,
        drive=(distortion - 1.0) / 4.0,
        gain=db_to_gain(between(rng, gains[role]) + 3.0 * (role == "bass" and genre in ("Bass House", "Tech House"))),
        kind=str(rng.choice(["tanh", "clip", "fold", "crush"])),
        room=0.0 if role == "bass" else float(rng.uniform(*facts.room)) * 1.6,
        echo=float(rng.uniform(0.1, 0.35)) if role != "bass" and rng.random() < 0.3 else 0.0,
        wobble=float(rng.choice([2.0, 4.0, 3.0, 1.0])) if growls else 0.0,
    )


def write_clips(
    rng: np.random.Generator, genre: str, facts: Facts, rhythm: int, roles: list[str]
) -> tuple[dict[str, list[Note]], int, dict[str, object]]:
    """Notes of the clips of the drop (named by role) and of the break (role and " break"), the tonic, the facts."""
    song = new_song(rng, facts, seventh=genre == "Deep House" or rng.random() < 0.2)
    ways = {
        role: str(rng.choice(pool))
        for role, pool in (("lead", facts.lead_way), ("chord", facts.chord_way), ("bass", facts.bass_way))
    }
    carrier = "bass" if "lead" not in roles or genre in ("Bass House", "Slap House") else "lead"
    near = {"lead": int(rng.integers(67, 80)), "chord": int(rng.integers(55, 66)), "bass": int(rng.integers(34, 41))}
    makers = {"lead": lead_clip, "chord": chord_clip, "bass": bass_clip}
    while True:
        clips: dict[str, list[Note]] = {}
        for role in roles:
            most = rhythm if role == carrier else int(rng.integers(max(1, rhythm - 2), rhythm + 1))
            levels = [level_of_bar(rng, most, facts.rhythm[0]) for _ in range(CLIP_BARS)]
            clips[role] = makers[role](rng, song, ways[role], levels, near[role])
        found = [bar_truth(notes) for notes in clips.values()]
        finest = [max(level[bar] for _, level in found) for bar in range(CLIP_BARS)]
        inside = all(facts.rhythm[0] <= level <= rhythm for level in finest) and max(finest) == rhythm
        if inside and all(all(sounds) for sounds, _ in found):
            break
    calm = [min(2, rhythm)] * CLIP_BARS
    clips["lead break"] = lead_clip(rng, song, str(rng.choice(["anthem", "motif"])), calm, near["lead"])
    chords = str(rng.choice(["pad", "pad", "stabs"]))
    clips["chord break"] = chord_clip(rng, song, chords, calm, near["chord"])
    return clips, song.tonic, {"tonic": song.tonic, "minor": song.scale[2] == 3, "degrees": song.degrees, "ways": ways}


def drum_track(
    bank: SampleBank, rng: np.random.Generator, hits: list[Hit], beat_s: float, swing: float
) -> dict[str, Audio]:
    """The clip of each drum role, two bars played twice: (n, 2)."""
    loops: dict[str, Audio] = {}
    length = round(4 * CLIP_BARS * beat_s * SAMPLE_RATE_HZ)
    lengths_s = {"closed_hat": 0.12, "shaker": 0.12, "open_hat": 0.3, "clap": 0.4, "snare": 0.4, "ride": 0.5}
    for role in dict.fromkeys(name for name, _, _ in hits):
        sound = damped(drum_hit(bank, rng, role), lengths_s.get(role, 0.5) * float(rng.uniform(0.6, 1.7)))
        if role in ("closed_hat", "open_hat", "shaker", "ride"):
            sound = filtered(sound, "highpass", float(rng.uniform(300, 5000)))
        sound = sound * np.array([rng.uniform(0.7, 1.0), rng.uniform(0.7, 1.0)], dtype=np.float32)
        out = np.zeros((length + SAMPLE_RATE_HZ, 2), dtype=np.float32)
        for name, beat, velocity in hits:
            if name == role:
                late = swing if round(4.0 * beat) % 2 else 0.0
                for again in (0.0, 8.0):
                    add_at(out, sound, round((beat + again + late) * beat_s * SAMPLE_RATE_HZ), velocity)
        out[:SAMPLE_RATE_HZ] += out[length:]
        loud = {"clap": 0.5, "snare": 0.5, "closed_hat": 0.25, "open_hat": 0.3}.get(role, 0.22)
        loops[role] = out[:length] * np.float32(loud * db_to_gain(float(rng.uniform(-6, 3))))
    return loops


def hit_roll(buffer: Audio, snare: Audio, rng: np.random.Generator, bars: int, bar_len: float) -> None:
    """A roll of a sampled snare into (n, 2) buffer that gets finer, louder and often higher towards the end."""
    climb = float(rng.choice([0.0, 0.0, 5.0, 12.0]))
    short = damped(snare, 0.25)
    for bar in range(bars):
        way = bar / bars
        fine = 4 if way < 0.5 else 8 if way < 0.75 else 16
        sound = resampled(short, 2.0 ** (climb * way / 12.0))
        for i in range(fine if bar < bars - 1 else fine - fine // 4):
            add_at(buffer, sound, round((bar + i / fine) * bar_len), 0.12 + 0.3 * way)


def truth(rows: NDArray[np.float32], playing: dict[str, float], clips: dict[str, Clip], parts: dict[str, Part]) -> None:
    """Fill (n_bars, 7) attribute rows of a section, without groove, from the parts launched in it and their gains."""
    for bar, row in enumerate(rows):
        weights: dict[str, float] = {}
        finest = 0
        for name, gain in playing.items():
            clip = clips[name]
            if clip.sounds[bar % CLIP_BARS]:
                role = name.split()[0]
                weights[role] = weights.get(role, 0.0) + gain * parts[role].gain
                finest = max(finest, clip.level[bar % CLIP_BARS])
                row[ATTRIBUTES.index(role)] = 1.0
        if weights:
            whole = sum(weights.values())
            row[1] = finest
            row[2] = 1.0 + 4.0 * sum(weights[role] * parts[role].drive for role in weights) / whole
            row[3] = 1.0 + 4.0 * sum(weights[role] * parts[role].share for role in weights) / whole


def mastered(audio: Audio, drop: slice, wanted_db: float, rng: np.random.Generator) -> Audio:
    """Tilt the spectrum a little, then drive a soft clipper until the drop has an RMS of wanted_db."""
    tilt = float(rng.uniform(-0.25, 0.35))
    audio = audio - np.float32(tilt) * filtered(audio, "lowpass", float(rng.uniform(2000, 5000)), order=1)
    width = np.float32(rng.uniform(0.5, 1.0))
    audio[:, 0], audio[:, 1] = (
        0.5 * ((1 + width) * audio[:, 0] + (1 - width) * audio[:, 1]),
        0.5 * ((1 + width) * audio[:, 1] + (1 - width) * audio[:, 0]),
    )
    ceiling = np.float32(rng.uniform(0.8, 0.99))
    probe, gain = audio[drop][::23], 1.0
    for _ in range(6):
        level = float(np.sqrt(np.mean((ceiling * np.tanh(gain * probe / ceiling)) ** 2)))
        gain *= min(db_to_gain(1.2 * (wanted_db - 20.0 * np.log10(max(level, 1e-6)))), 8.0)
    return (ceiling * np.tanh(audio * np.float32(gain / ceiling))).astype(np.float32)


def render_track(genre: str, seed: int, bank: SampleBank | None = None) -> Labelled:
    """An excerpt of 24 to 40 bars around one drop, with exact truth per bar; the same for the same seed."""
    return render_with(genre, seed, bank, {})


def render_with(genre: str, seed: int, bank: SampleBank | None, wishes: dict[str, float]) -> Labelled:
    """render_track with some of groove, rhythm, distortion and organicity set (1..5) instead of drawn.

    Raises SoundsMissing where the samples are not installed, ValueError for an unknown genre.
    """
    if genre not in FACTS:
        raise ValueError(f"no such genre: {genre!r}")
    bank = bank or open_bank(CACHE)
    if bank is None:
        raise SoundsMissing(missing_sounds())
    facts = FACTS[genre]
    rng = np.random.default_rng([HAND, GENRES.index(genre), seed])
    beat_s = 60.0 / float(rng.uniform(*facts.bpm))
    bar_len = 4.0 * beat_s * SAMPLE_RATE_HZ
    groove = float(wishes.get("groove", between(rng, facts.groove)))
    rhythm = int(wishes.get("rhythm", rng.integers(facts.rhythm[0], facts.rhythm[1] + 1)))
    distortion = float(wishes.get("distortion", between(rng, facts.distortion)))
    if genre == "Future House" and "distortion" not in wishes:
        # Future Bounce is the fragmented and the more distorted flavour.
        distortion = float(rng.uniform(3.4, 4.0) if rhythm == 5 else rng.uniform(3.0, 3.6))
    organicity = float(wishes.get("organicity", between(rng, facts.organicity)))
    swing = 0.5 * float(rng.uniform(0.03, 0.12) if genre == "Tech House" else rng.choice([0, 0, rng.uniform(0, 0.12)]))

    chances = {"lead": facts.lead, "chord": facts.chord, "bass": facts.bass}
    roles = [role for role, chance in chances.items() if rng.random() < chance]
    notes, song_tonic, known = write_clips(rng, genre, facts, rhythm, roles)
    low_d, high_d = (distortion, distortion) if "distortion" in wishes else facts.distortion
    low_o, high_o = (organicity, organicity) if "organicity" in wishes else facts.organicity
    parts = {
        role: draw_part(
            rng, genre, role,
            float(np.clip(distortion + rng.normal(0, 0.15), low_d, high_d)),
            float(np.clip(organicity + rng.normal(0, 0.25), low_o, high_o)),
        )
        for role in chances
    }  # fmt: skip
    size = int(SAMPLE_RATE_HZ * rng.uniform(0.5, 2.2))
    decay = np.exp(-6.0 * np.arange(size) / size).astype(np.float32)[:, None]
    impulse = filtered(rng.standard_normal((size, 2)).astype(np.float32) * decay, "highpass", 300.0)
    impulse = filtered(impulse, "lowpass", float(rng.uniform(2500, 9000)), order=1)

    sections = plan(rng)
    in_break = rng.random() < (0.85 if genre not in ("Tech House", "Bass House") else 0.35)
    break_parts = ["chord break"] if in_break else []
    if "lead" in roles and (rng.random() < 0.6 or not break_parts):
        break_parts.append("lead break")
    used = [*roles, *(break_parts if {"break", "build"} & {name for name, _ in sections} else [])]
    cuts = {"lead": float(rng.uniform(120, 350)), "chord": float(rng.uniform(100, 250)), "bass": 0.0}
    clips = {
        name: render_clip(bank, parts[name.split()[0]], notes[name], beat_s, swing, impulse, cuts[name.split()[0]])
        for name in used
    }

    n_bars = sum(bars for _, bars in sections)
    total = round(n_bars * bar_len)
    music, drums = np.zeros((total, 2), np.float32), np.zeros((total, 2), np.float32)
    attributes = np.full((n_bars, len(ATTRIBUTES)), np.nan, dtype=np.float32)
    attributes[:, 4:] = 0.0
    kick_bars = np.zeros(n_bars, dtype=bool)
    busy = float(
        np.clip(rng.normal(0.7 if genre == "Tech House" else 0.25 if genre == "Deep House" else 0.45, 0.2), 0, 1)
    )
    loops = drum_track(bank, rng, drum_clip(rng, genre, busy), beat_s, swing)
    if rng.random() < 0.3:
        loops["loop"] = np.tile(sliced_loop(bank, rng, beat_s), (CLIP_BARS, 1)) * np.float32(rng.uniform(0.08, 0.25))
    crash = damped(drum_hit(bank, rng, "crash"), float(rng.uniform(1.0, 2.0)))
    word = damped(bank.hit(str(rng.choice(WORDS))), 0.7) if rng.random() < 0.25 else None
    snare = drum_hit(bank, rng, "snare")
    heavy = genre == "Bigroom"
    kick = make_kick(
        bank, rng, 30 + (song_tonic - 30) % 12, float(rng.uniform(*facts.kick_tail_s)),
        float(rng.uniform(0.7, 1.1) if heavy else rng.uniform(0.2, 0.9)),
        float(rng.uniform(0.6, 1.0) if heavy else rng.uniform(0.0, 0.5)),
    )  # fmt: skip
    kick = damped(kick, beat_s * 1.6)
    music_db = float(rng.uniform(-1, 3) if heavy else rng.uniform(-1, 4.5))
    drums_db = float(rng.uniform(-9, -3)) - 2.0 * (genre == "Deep House")

    first = 0
    drop = slice(0, total)
    for index, (name, bars) in enumerate(sections):
        start = round(first * bar_len)
        where = slice(start, start + round(bars * bar_len))
        if where.stop > total:
            where = slice(start, total)
        length = where.stop - start
        playing: dict[str, float] = {}
        mode = ""
        if name == "drop":
            drop = where
            playing = dict.fromkeys(roles, 1.0)
        elif name == "break":
            playing = dict.fromkeys(break_parts, 1.0)
            if "bass" in roles and rng.random() < 0.4:
                playing["bass"] = 0.7
            mode = str(rng.choice(["", "", "dark"]))
            if not playing:
                # Nothing but air: the first part of the drop behind a filter carries it.
                playing, mode = {roles[0]: 0.7}, "dark"
        elif name == "build":
            playing = dict.fromkeys(break_parts or roles[:1], 0.8)
            mode = "rise"
        elif rng.random() < 0.6:
            playing = {str(role): 0.6 for role in roles if rng.random() < 0.6}
            mode = str(rng.choice(["dark", "dark", ""]))
        block = np.zeros((length, 2), np.float32)
        for part_name, gain in playing.items():
            sound = launched(clips[part_name].audio, bars, bar_len)[:length]
            block[: len(sound)] += sound * np.float32(gain * parts[part_name.split()[0]].gain)
        if mode == "dark":
            block = filtered(block, "lowpass", float(rng.uniform(400, 1500)))
        elif mode == "rise" and playing:
            block = swept_lowpass(block, np.geomspace(rng.uniform(400, 1500), 15000, length), 5)
            # Thinning the lows before the drop makes its return heavy.
            block = filtered(block, "highpass", float(rng.uniform(100, 300)))
        music[where] += block
        truth(attributes[first : first + bars], playing, clips, parts)

        kicking = name == "drop" or (name in ("intro", "outro") and rng.random() < 0.85)
        kick_until = bars if kicking else bars // 2 if name == "build" and rng.random() < 0.5 else 0
        kick_bars[first : first + kick_until] = True
        keep = {"drop": 1.0, "break": 0.1, "build": 0.25}.get(name, 0.65)
        side = np.zeros((length, 2), np.float32)
        for loop in loops.values():
            if rng.random() < keep:
                sound = launched(loop, bars, bar_len)[:length]
                # Some layers wait for the second half of the drop.
                wait = len(sound) // 2 if name == "drop" and rng.random() < 0.2 else 0
                side[wait : len(sound)] += sound[wait:]
        if name == "drop" and rng.random() < 0.5:
            # A fill closes every eight bars.
            for bar in range(7, bars, 8):
                for spot in (3.0, 3.25, 3.5, 3.625, 3.75):
                    add_at(side, snare, round((bar + spot / 4.0) * bar_len), 0.1 * spot - 0.05)
        if name == "build":
            hit_roll(side, snare, rng, bars, bar_len)
        drums[where] += side
        if name == "build" or (name == "break" and rng.random() < 0.4):
            drums[where] += noise_bed(bank, rng, length, True) * np.float32(rng.uniform(0.15, 0.5))
            if rng.random() < 0.5:
                back = crash[::-1]
                add_at(drums, back, where.stop - len(back), 0.4)
        if name == "drop" or rng.random() < 0.4:
            every = int(rng.choice([4, 8])) if name == "drop" else 16
            for bar in range(0, bars, every):
                add_at(drums, crash, round((first + bar) * bar_len), float(rng.uniform(0.25, 0.6)))
        if name == "drop" and rng.random() < 0.5:
            add_at(drums, resampled(bank.hit("perc_impact1"), 0.8), start, 0.4)
        if word is not None and name in ("drop", "break"):
            for bar in range(int(rng.integers(0, 4)), bars, 4):
                add_at(drums, word, round((first + bar + 0.75 * (index % 2)) * bar_len), 0.35)
        first += bars

    kicks = np.zeros((total, 2), np.float32)
    depth_db = 3.0 * (groove - 1.0)
    shape, rise = str(rng.choice(["bow", "wave", "hold", "line"])), float(rng.uniform(0.55, 0.98))
    gain_bar = duck_curve((np.arange(int(bar_len) + 2) / (beat_s * SAMPLE_RATE_HZ)) % 1.0, depth_db, shape, rise)
    for bar in np.flatnonzero(kick_bars):
        begin, end = round(bar * bar_len), round((bar + 1) * bar_len)
        music[begin:end] *= gain_bar[: end - begin, None]
        for beat in range(4):
            add_at(kicks, kick, round((bar + beat / 4.0) * bar_len))
    tonal = attributes[:, 4:].any(axis=1)
    attributes[tonal, 0] = np.where(kick_bars[tonal], groove, 1.0)

    def level(audio: Audio) -> float:
        return max(float(np.sqrt(np.mean(np.square(audio[drop][::7])))), 1e-6)

    mix = kicks * np.float32(0.12 / level(kicks)) + drums * np.float32(0.12 * db_to_gain(drums_db) / level(drums))
    mix += music * np.float32(0.12 * db_to_gain(music_db) / level(music))
    wanted_db = float(rng.uniform(-13.5, -8.0) + 0.4 * (distortion - 1.0))
    return Labelled.single(
        mastered(mix, drop, wanted_db, rng),
        SAMPLE_RATE_HZ,
        np.arange(4 * n_bars + 1) * beat_s,
        tuple(name for name, bars in sections for _ in range(bars)),
        {genre: 1.0},
        attributes,
        {"hand": "sampler", "seed": seed, "bpm": 60.0 / beat_s, "parts": roles, **known},
    )
