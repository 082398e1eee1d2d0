"""Renders one track: style, score and arrangement become stereo audio with its truth."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from . import master
from .arrange import DEMO_PLAN, Bar, Hits, Plan, has_kick, lay_out, section_runs, write_drums
from .compose import LOOP_BARS, Note, Score, write_score
from .drums import drum_kit, sweep
from .dsp import (
    SAMPLE_RATE_HZ,
    TAIL_S,
    Audio,
    Clock,
    add_at,
    convolve,
    db_to_gain,
    filtered,
    midi_to_hz,
    reverb_impulse,
    swept_lowpass,
)
from .recipes import GENRES, Style, genre_index, sample_style
from .voices import Timbre, render_note

KEY_NAMES = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")
# Stands in for the kick in a plan that has none.
QUIET_REFERENCE_LUFS = -8.0
# Loudness of a layer relative to the kick, dB.
LEVELS_DB = {
    "bass": -3.0,
    "lead": -1.5,
    "layer": -5.5,
    "chord": -4.5,
    "pad": -9.0,
    "arp": -8.5,
    "vocal": -5.0,
    "ground": -8.0,
    "stab": -5.0,
    "fundamental": -7.0,
}
SENDS = {"lead": 0.22, "layer": 0.25, "chord": 0.2, "pad": 0.4, "arp": 0.35, "vocal": 0.35}
DROP_LUFS = -7.2
# Loudness of a section relative to the drop, dB: commercial masters have less contrast, but this is audible.
SECTION_DB = {"intro": -4.3, "build": -6.0, "drop": 0.0, "break": -9.0, "outro": -4.3}


@dataclass
class Track:
    """A rendered track. audio: (n, 2) float32, with TAIL_S of reverb after the last bar; beat_s: (4 bars + 1,)."""

    audio: Audio
    sample_rate_hz: int
    genre: str
    seed: int
    bpm: float
    key: str
    beat_s: NDArray[np.float64]
    sections: list[str]
    attributes: dict[str, float] = field(default_factory=dict)

    @property
    def bars(self) -> int:
        """Number of bars."""
        return len(self.sections)

    @property
    def drops(self) -> list[tuple[int, int]]:
        """Drops as (first bar, end bar exclusive)."""
        edges = [
            index
            for index in range(self.bars + 1)
            if (index < self.bars and self.sections[index] == "drop")
            != (index > 0 and self.sections[index - 1] == "drop")
        ]
        return list(zip(edges[::2], edges[1::2], strict=True))


class Renderer:
    """Holds what one rendering needs: clock, style, score, note cache."""

    def __init__(self, style: Style, score: Score, bars: list[Bar], clock: Clock) -> None:
        self.style, self.score, self.bars, self.clock = style, score, bars, clock
        self.length = clock.sample(clock.beats) + int(TAIL_S * SAMPLE_RATE_HZ)
        self.cache: dict[tuple[int, float, float], Audio] = {}

    def silence(self) -> Audio:
        """An empty (length, 2) bus."""
        return np.zeros((self.length, 2), dtype=np.float32)

    def note(self, timbre: Timbre, midi: float, beats: float) -> Audio:
        """Cached one-shot of a note."""
        key = (id(timbre), midi, round(beats, 2))
        if key not in self.cache:
            self.cache[key] = render_note(timbre, midi, beats * self.clock.mean_beat_s)
        return self.cache[key]

    def layer(self, timbre: Timbre, notes: list[Note], gains: dict[int, float], echo: float = 0.0) -> Audio:
        """Play a looped part in the bars named by gains {bar: gain}; echo adds dotted-eighth repeats."""
        out = self.silence()
        by_bar: list[list[Note]] = [[] for _ in range(LOOP_BARS)]
        for note in notes:
            by_bar[int(note.beat // 4) % LOOP_BARS].append(note)
        shift = (self.style.swing - 0.5) * 0.5
        for number, gain in gains.items():
            place = self.bars[number].place % LOOP_BARS
            for note in by_bar[place]:
                beat = 4.0 * (number - place) + note.beat
                beat += shift if abs((note.beat * 4.0) % 2.0 - 1.0) < 0.01 else 0.0
                shot = self.note(timbre, note.midi, note.beats)
                if note.pan:
                    shot = shot * np.array([1.0 - max(0.0, note.pan), 1.0 + min(0.0, note.pan)], dtype=np.float32)
                add_at(out, shot, self.clock.sample(beat), note.gain * gain)
                for repeat in (1, 2) if echo else ():
                    add_at(
                        out,
                        shot[:, ::-1] if repeat == 1 else shot,
                        self.clock.sample(beat + 0.75 * repeat),
                        note.gain * gain * echo**repeat,
                    )
        return out

    def duck(self, kicks: list[float]) -> tuple[Audio, Audio]:
        """Side-chain gains (length, 1) for music and for bass: full depth at each kick, back within the beat."""
        music = np.ones(self.length, dtype=np.float32)
        bass = np.ones(self.length, dtype=np.float32)
        for beat in kicks:
            start, end = self.clock.sample(beat), self.clock.sample(beat + 0.92)
            along = np.linspace(0.0, 1.0, end - start, dtype=np.float32)
            swell = 0.5 + 0.5 * np.cos(np.pi * np.clip((along - 0.06) / 0.8, 0.0, 1.0))
            music[start:end] = 10.0 ** (-self.style.duck_db * swell / 20.0)
            hole = 10.0 ** (-max(16.0, self.style.duck_db) * np.clip(1.6 - along / 0.28, 0.0, 1.0) / 20.0)
            bass[start:end] = np.minimum(music[start:end], hole)
        # Two milliseconds of smoothing keeps the jump at the kick from clicking.
        width = int(0.002 * SAMPLE_RATE_HZ)
        smooth = [ndimage.uniform_filter1d(gain, width, origin=-(width // 2))[:, None] for gain in (music, bass)]
        return smooth[0], smooth[1]


def _bars_of(bars: list[Bar], rules: dict[str, float]) -> dict[int, float]:
    return {bar.number: rules[bar.section] for bar in bars if rules.get(bar.section, 0.0) > 0.0}


def part_plan(style: Style, bars: list[Bar]) -> dict[str, dict[int, float]]:
    """Which part plays in which bar, and how loud: {part: {bar: gain}}."""
    has = style.has
    plan = {
        "lead": _bars_of(bars, {"drop": 1.0, "build": 0.5} if has["lead"] else {}),
        "chord": _bars_of(bars, {"drop": float(has["chord"]), "break": 0.5, "build": 0.75, "intro": 0.2, "outro": 0.3}),
        "bass": _bars_of(bars, {"drop": 1.0, "intro": 0.3, "outro": 0.5} if has["bass"] else {}),
        "pad": _bars_of(bars, {"drop": float(has["pad"]), "break": 1.3, "build": 0.9, "outro": 0.3}),
        "arp": _bars_of(bars, {"drop": 1.0, "build": 0.8, "outro": 0.6} if has["arp"] else {}),
        "vocal": _bars_of(bars, {"drop": 1.0, "build": 0.7, "intro": 0.3} if has["vocal"] else {}),
        "ground": _bars_of(bars, {"break": 1.0} if has["ground"] else {}),
        "stab": _bars_of(bars, {"drop": 1.0, "build": 0.4} if has["stab"] else {}),
        "organic": _bars_of(bars, {"break": 1.0, "drop": 0.55 * (style.organic > 0.45 and has["lead"])}),
    }
    if style.lead_layer is not None:
        plan["layer"] = _bars_of(bars, {"drop": 1.0, "build": 0.5})
    for bar in bars:
        late = bar.place >= bar.length // 2
        # Intro hints and arpeggios enter halfway; a build ends on drums and riser alone.
        for part in ("chord", "bass", "vocal") if bar.section == "intro" and not late else ():
            plan[part].pop(bar.number, None)
        if bar.section == "outro" and late:
            for part in ("bass", "arp", "chord"):
                plan[part].pop(bar.number, None)
        if bar.section == "drop" and bar.place < 8 <= bar.length - 8 and style.genre != "Melodic House":
            plan["arp"].pop(bar.number, None)
    return plan


def gain_towards(excerpt: Audio, wanted_lufs: float) -> float:
    """Linear gain that brings the sounding part of an excerpt to a loudness."""
    return db_to_gain(float(np.clip(wanted_lufs - master.active_level_lufs(excerpt), -60.0, 20.0)))


def balance_bass(audio: Audio, excerpt: Audio, upper_lufs: float, low_lufs: float) -> Audio:
    """Level fundamental and overtones of a bass apart, since ears (and K-weighting) judge mostly the overtones."""
    upper_gain = gain_towards(excerpt - filtered(excerpt, "lowpass", 130.0), upper_lufs)
    low_gain = gain_towards(filtered(excerpt, "lowpass", 130.0), low_lufs)
    # A pure sine has hardly any overtones: do not blow up what is left of them, nor the reverse.
    upper_gain, low_gain = min(upper_gain, 4.0 * low_gain), min(low_gain, 4.0 * upper_gain)
    low = filtered(audio, "lowpass", 130.0)
    return audio * np.float32(upper_gain) + low * np.float32(low_gain - upper_gain)


def tonal_buses(work: Renderer, reference_lufs: float) -> tuple[Audio, Audio, Audio]:
    """Render every tonal part at its level: (music, bass, reverb send), each (length, 2)."""
    style, score = work.style, work.score
    plan = part_plan(style, work.bars)
    parts: list[tuple[str, str, Timbre, list[Note], float]] = [
        ("lead", "lead", style.lead, score.lead, 0.3),
        ("chord", "chord", style.chord, score.chords, 0.0),
        ("bass", "bass", style.bass, score.bass, 0.0),
        ("pad", "pad", style.pad, score.pads, 0.0),
        ("arp", "arp", style.organic_voice if style.organic > 0.5 else style.lead, score.arp, 0.35),
        ("vocal", "vocal", style.vocal, score.vocal, 0.35),
        ("organic", "layer", style.organic_voice, score.lead, 0.25),
        ("stab", "stab", style.lead, score.stab, 0.25),
        ("ground", "ground", style.ground, score.ground, 0.0),
    ]
    if style.lead_layer is not None:
        up = [Note(n.beat, n.midi + 12, n.beats, n.gain) for n in score.lead]
        parts.append(("layer", "layer", style.lead_layer, up, 0.0))
    music, bass, send = work.silence(), work.silence(), work.silence()
    for part, level_name, timbre, notes, echo in parts:
        gains = plan.get(part, {})
        if not gains or not notes:
            continue
        audio = work.layer(timbre, notes, gains, echo)
        loudest = max(gains.values())
        probe = [bar for bar, gain in gains.items() if gain == loudest][:LOOP_BARS]
        excerpt = audio[work.clock.sample(4 * probe[0]) : work.clock.sample(4 * probe[-1] + 4)]
        wanted = reference_lufs + LEVELS_DB[level_name] + style.level_db.get(part, 0.0)
        wanted += 2.5 if part == "lead" and not style.has["chord"] else 0.0
        if part == "bass":
            # A bass without company also has to fill the middle of the spectrum.
            wanted += 2.0 * style.drive + (0.0 if style.has["lead"] or style.has["chord"] else 3.0)
        if part in ("bass", "ground"):
            bass += balance_bass(
                audio * np.float32(loudest),
                excerpt,
                wanted,
                reference_lufs + LEVELS_DB["fundamental"] + (LEVELS_DB["ground"] if part == "ground" else 0.0),
            )
            continue
        audio *= np.float32(gain_towards(excerpt, wanted) * loudest)
        music += audio
        send += audio * np.float32(SENDS.get(level_name, 0.2))
    send += np.float32(0.1) * filtered(bass, "highpass", 350.0)
    return filter_sections(work, filtered(music, "highpass", 110.0)), bass, send


def filter_sections(work: Renderer, music: Audio) -> Audio:
    """Filter automation: dull intro, opening build, closing outro."""
    moves = {"intro": (500.0, 1800.0), "build": (600.0, 15000.0), "outro": (6000.0, 450.0)}
    for section, first, end in section_runs(work.bars):
        if section in moves:
            low, high = moves[section]
            start, stop = work.clock.sample(4 * first), work.clock.sample(4 * end)
            curve = low * (high / low) ** np.linspace(0.0, 1.0, stop - start)
            music[start:stop] = swept_lowpass(music[start:stop], curve)
    return music


def effects(work: Renderer, rng: np.random.Generator) -> Audio:
    """Risers over builds, downlifters into breaks and outros."""
    out = work.silence()
    root_hz = midi_to_hz(48 + work.style.root)
    for section, first, end in section_runs(work.bars):
        start, stop = work.clock.time_s(4 * first), work.clock.time_s(4 * end)
        if section == "build":
            add_at(out, sweep(rng, stop - start, True, root_hz), work.clock.sample(4 * first), 0.5)
        elif section in ("break", "outro"):
            add_at(out, sweep(rng, min(4.0, stop - start), False, root_hz), work.clock.sample(4 * first), 0.3)
        elif section == "drop" and end - first >= 16:
            up_s = work.clock.time_s(4 * first + 32) - work.clock.time_s(4 * first + 28)
            add_at(out, sweep(rng, up_s, True, root_hz), work.clock.sample(4 * first + 28), 0.16)
    return out


def drum_bus(work: Renderer, hits: Hits, kit: dict[str, Audio]) -> tuple[Audio, Audio, Audio]:
    """(kick, other drums, reverb send) buses."""
    kick, rest, send = work.silence(), work.silence(), work.silence()
    nudge = {"clap": 0.5, "closed_hat": 1.0, "open_hat": 1.0, "perc_a": 1.0, "perc_b": 1.0}
    for name, events in hits.items():
        gain_db = (
            work.style.level_db.get("kick", 0.0) * 0.5
            if name == "kick"
            else (work.style.level_db["hats" if "hat" in name else "clap"] * nudge.get(name, 0.0))
        )
        for beat, gain in events:
            add_at(kick if name == "kick" else rest, kit[name], work.clock.sample(beat), gain * db_to_gain(gain_db))
            if name in ("clap", "snare", "perc_a", "perc_b"):
                add_at(send, kit[name], work.clock.sample(beat), 0.12 * gain)
    return kick, rest, send


def section_gains(work: Renderer, mix: Audio, rng: np.random.Generator) -> Audio:
    """Gain curve (length, 1) that puts every section at its loudness once the soft clipper has acted."""
    marks: list[float] = []
    gains: list[float] = []
    for section, first, end in section_runs(work.bars):
        middle = first + max(0, (end - first) // 2 - 2)
        part = mix[work.clock.sample(4 * middle) : work.clock.sample(4 * min(end, middle + 4))]
        target = DROP_LUFS + SECTION_DB[section] + (rng.uniform(-0.8, 0.8) if section != "drop" else 0.0)
        gain_db = 20.0 * np.log10(master.gain_for_loudness(part, target))
        slope = 1.5 if section == "build" else 0.0
        start, stop = work.clock.time_s(4 * first), work.clock.time_s(4 * end)
        # The step to the new level happens in the 10 ms before the bar line, so the first kick has its full level.
        marks += [start, stop - 0.010]
        gains += [gain_db - slope, gain_db + slope]
    return master.level_curve(marks, gains, work.length)[:, None]


def mix_layers(work: Renderer, seed: int, rng: np.random.Generator) -> Audio:
    """All layers with side-chain and room, before mastering: (length, 2)."""
    style, bars = work.style, work.bars
    hits = write_drums(style, bars, rng)
    kick, rest, send = drum_bus(work, hits, drum_kit(style.kick, rng))
    kicks = [4.0 * bar.number + beat for bar in bars for beat in has_kick(bar)]
    first = int(kicks[0]) if kicks else 0
    heard = kick[work.clock.sample(first) : work.clock.sample(first + 16)]
    music, bass, tonal_send = tonal_buses(work, master.active_level_lufs(heard) if kicks else QUIET_REFERENCE_LUFS)
    fx = effects(work, rng)
    duck_music, duck_bass = work.duck(kicks)
    room = reverb_impulse(style.reverb_s, seed, float(rng.random()))
    wet = convolve(filtered(send + tonal_send + 0.15 * fx, "highpass", 180.0), room)
    return kick + rest + (music + wet) * duck_music + bass * duck_bass + fx * np.sqrt(duck_music)


def render_track(
    genre: str,
    seed: int,
    *,
    bpm: float | None = None,
    plan: Plan | None = None,
    beat_s: NDArray[np.float64] | None = None,
    key: int | None = None,
    variety: float = 0.0,
) -> Track:
    """Render a track; the same arguments always give the same samples.

    bpm: None draws it from the genre; plan: sections and lengths in bars, default DEMO_PLAN;
    beat_s: tempo map with 4 * bars + 1 times from 0, which overrides the constant tempo; key: pitch class;
    variety 0..1: see sample_style.
    Raises ValueError for an unknown genre or section and for a tempo map that does not fit the plan.
    """
    style = sample_style(genre, seed, bpm=bpm, key=key, variety=variety)
    rng = np.random.default_rng([seed, genre_index(genre), 2])
    bars = lay_out(DEMO_PLAN if plan is None else plan)
    times = np.arange(4 * len(bars) + 1) * 60.0 / style.bpm if beat_s is None else np.asarray(beat_s, dtype=np.float64)
    if len(times) != 4 * len(bars) + 1 or abs(times[0]) > 1e-9:
        raise ValueError(
            f"tempo map has {len(times)} times; a plan of {len(bars)} bars needs {4 * len(bars) + 1}, from 0"
        )
    work = Renderer(style, write_score(style, rng), bars, Clock(times))
    mix = mix_layers(work, seed, rng)
    mix = filtered(mix, "highpass", 24.0)
    mix = mix * section_gains(work, mix, rng)
    audio = master.limit(master.soft_clip(mix) * np.float32(master.CEILING))
    return Track(
        audio,
        SAMPLE_RATE_HZ,
        genre,
        seed,
        style.bpm,
        f"{KEY_NAMES[style.root]} {style.mode}",
        times,
        [bar.section for bar in bars],
        style.attributes,
    )


__all__ = ["GENRES", "Track", "render_track"]
