"""Renders a track from foreign sounds alone."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from trainer.synth import master
from trainer.synth.arrange import Plan, lay_out, section_runs
from trainer.synth.dsp import (
    SAMPLE_RATE_HZ,
    TAIL_S,
    Audio,
    Clock,
    add_at,
    convolve,
    db_to_gain,
    filtered,
    reverb_impulse,
    swept_lowpass,
)
from trainer.synth.track import KEY_NAMES

from .patterns import Options
from .score import Event, Player
from .sounds import VOICES, Library

# Loudness of a layer relative to the kick in dB, and how much of it is random.
LEVELS_DB: dict[str, tuple[float, float]] = {
    "kick": (0.0, 0.0), "bass": (-3.0, 2.0), "stab": (-5.5, 2.0), "pad": (-9.0, 2.0), "arp": (-9.0, 2.0),
    "melody": (-6.0, 2.0), "choir": (-9.0, 2.0), "clap": (-5.0, 2.5), "snare": (-5.0, 1.5), "closed_hat": (-11.0, 2.5),
    "open_hat": (-9.0, 2.0), "shaker": (-13.0, 2.0), "ride": (-13.0, 2.0), "perc": (-11.0, 2.5), "loop": (-9.0, 2.0),
    "crash": (-5.0, 2.0), "roll": (-6.0, 2.0), "toms": (-6.0, 1.5), "riser": (-8.0, 2.0), "pickup": (-4.0, 1.0),
}  # fmt: skip
SENDS = {"stab": 0.2, "pad": 0.3, "arp": 0.3, "melody": 0.3, "choir": 0.4, "clap": 0.12, "snare": 0.12, "perc": 0.15,
         "crash": 0.2, "roll": 0.1, "toms": 0.1}  # fmt: skip
MUSIC = ("stab", "pad", "arp", "melody", "choir")
LEVEL_BARS = 8


@dataclass
class ForeignTrack:
    """A rendered track; audio: (n, 2) with TAIL_S after the last bar; beat_s: (4 bars + 1,)."""

    audio: Audio
    sample_rate_hz: int
    seed: int
    bpm: float
    key: str
    beat_s: NDArray[np.float64]
    sections: list[str]
    options: Options
    # Beats in which the kick is silent just before a drop, as (first, end) in beats.
    fills: list[tuple[float, float]] = field(default_factory=list)


class Console:
    """Sets levels and sums the layers of one track into buses."""

    def __init__(self, player: Player, rng: np.random.Generator) -> None:
        """Measure the kick, to which all levels refer."""
        self.player, self.rng, self.clock = player, rng, player.clock
        self.length = self.clock.sample(self.clock.beats) + int(TAIL_S * SAMPLE_RATE_HZ)
        kick = [event for event in player.events.get("kick", []) if event.gain == 1.0]
        self.kick_lufs = self.level(kick) if kick else -14.0

    def silence(self) -> Audio:
        """An empty (length, 2) bus."""
        return np.zeros((self.length, 2), dtype=np.float32)

    def level(self, events: list[Event]) -> float:
        """Loudness of a layer where it plays, in the eight bars from its first event in a drop, or anywhere."""
        drops = {bar.number for bar in self.player.bars if bar.section == "drop"}
        first = next((event.beat for event in events if int(event.beat // 4) in drops), events[0].beat)
        start = self.clock.sample(max(0.0, first - 0.05))
        part = np.zeros((self.clock.sample(first + 4 * LEVEL_BARS) - start, 2), dtype=np.float32)
        for event in events:
            if first - 0.1 <= event.beat < first + 4 * LEVEL_BARS:
                add_at(part, event.shot.audio, self.clock.sample(event.beat) - event.shot.attack - start, event.gain)
        return master.active_level_lufs(part)

    def gain(self, layer: str, events: list[Event]) -> float:
        """Gain that puts a layer at its level, with some luck."""
        level_db, spread_db = LEVELS_DB[layer]
        heavy = self.player.options.offbeat_heavy
        if heavy:
            level_db += {"open_hat": 6.0, "bass": 3.5, "closed_hat": 2.0}.get(layer, -4.0 if layer != "kick" else 0.0)
        luck_db = float(np.clip(self.rng.normal(0.0, spread_db), -5.0, 5.0)) * (0.4 if heavy else 1.0)
        return db_to_gain(float(np.clip(self.kick_lufs + level_db + luck_db - self.level(events), -40.0, 20.0)))

    def place(self, bus: Audio, events: list[Event], gain: float, pan: float = 0.0) -> None:
        """Add events to a bus with their attacks on their beats."""
        beats = np.array([event.beat for event in events])
        # Before the first and after the last beat the tempo goes on.
        known = np.arange(self.clock.beats + 1)
        first_s, last_s = np.diff(self.clock.beat_s)[[0, -1]]
        time_s = np.interp(beats, known, self.clock.beat_s) + np.minimum(beats, 0.0) * first_s
        time_s = time_s + np.maximum(beats - self.clock.beats, 0.0) * last_s
        sides = np.array([1.0 - max(0.0, pan), 1.0 + min(0.0, pan)], dtype=np.float32)
        panned: dict[int, Audio] = {}
        for event, second in zip(events, time_s, strict=True):
            audio = event.shot.audio
            if pan:
                audio = panned.setdefault(id(event.shot), audio * sides)
            add_at(bus, audio, round(float(second) * SAMPLE_RATE_HZ) - event.shot.attack, event.gain * gain)

    def duck(self, depth_db: float, kicks: list[float]) -> Audio:
        """Side-chain gain (length, 1)."""
        gain = np.ones(self.length, dtype=np.float32)
        hole = db_to_gain(-depth_db)
        for beat in kicks:
            start, end = self.clock.sample(max(0.0, beat)), self.clock.sample(max(0.0, beat) + 0.7)
            curve = np.linspace(0.0, 1.0, end - start, dtype=np.float32) ** 1.5
            gain[start:end] = np.minimum(gain[start:end], hole + (1.0 - hole) * curve[: len(gain[start:end])])
        return ndimage.uniform_filter1d(gain, 90)[:, None]


def add_risers(console: Console, bus: Audio) -> None:
    """Noise that swells through builds, sometimes."""
    player, rng = console.player, console.rng
    wanted = rng.random() < 0.75
    level = float(rng.uniform(0.04, 0.14))
    for section, first, end in section_runs(player.bars):
        bars = min(end - first, int(rng.choice([4, 8, 16])))
        if section != "build" or not wanted:
            continue
        start, stop = console.clock.sample(4 * (end - bars)), console.clock.sample(4 * end)
        noise = rng.standard_normal((stop - start, 2), dtype=np.float32)
        along = np.linspace(0.0, 1.0, stop - start, dtype=np.float32)
        bus[start:stop] += swept_lowpass(noise, 300.0 * 50.0**along) * (level * along**2)[:, None]


def filter_music(console: Console, music: Audio) -> None:
    """Filters that open through builds and breaks, sometimes."""
    chance = {"build": 0.6, "intro": 0.4, "break": 0.3, "outro": 0.2}
    for section, first, end in section_runs(console.player.bars):
        if console.rng.random() >= chance.get(section, 0.0):
            continue
        start, stop = console.clock.sample(4 * first), console.clock.sample(4 * end)
        low, high = float(console.rng.uniform(350.0, 1200.0)), float(console.rng.uniform(6000.0, 16000.0))
        along = np.linspace(0.0, 1.0, stop - start)
        if section == "outro":
            along = along[::-1]
        music[start:stop] = swept_lowpass(music[start:stop], low * (high / low) ** along)


def section_gains(console: Console, mix: Audio) -> Audio:
    """Gain (length, 1) that sets the contrast of the sections: drops loudest, by little where the kick plays on."""
    rng, clock, player = console.rng, console.clock, console.player
    runs = section_runs(player.bars)

    def level_db(first: int, end: int) -> float:
        middle = first + max(0, (end - first) // 2 - 2)
        part = mix[clock.sample(4 * middle) : clock.sample(4 * min(end, middle + 4))]
        return float(10.0 * np.log10(np.mean(part**2) + 1e-9))

    drops = [level_db(first, end) for section, first, end in runs if section == "drop"]
    drop_db = max(drops) if drops else level_db(0, len(player.bars))
    step_db, break_db = float(rng.uniform(1.5, 5.0)), float(rng.uniform(4.0, 12.0))
    marks: list[float] = []
    gains: list[float] = []
    for section, first, end in runs:
        target = {"drop": 0.0, "break": -break_db, "build": -step_db - 1.0}.get(section, -step_db)
        target += float(rng.uniform(-0.7, 0.7)) if section != "drop" else 0.0
        middle = (first + end) // 2
        kick = player.presence.plays("kick", middle)
        least, most = (-3.5, 2.0) if kick else (-12.0, 9.0)
        gain_db = float(np.clip(drop_db + target - level_db(first, end), least, most))
        if section == "intro" and player.options.intro == "kick":
            # A bare kick as loud as the drop.
            gain_db = float(np.clip(drop_db - rng.uniform(0.0, 1.0) - level_db(first, end), 0.0, 5.0))
        slope = 1.2 if section == "build" else 0.0
        marks += [clock.time_s(4 * first), clock.time_s(4 * end) - 0.01]
        gains += [gain_db - slope, gain_db + slope]
    return master.level_curve(marks, gains, console.length)[:, None]


def mix_layers(console: Console) -> Audio:
    """All layers with side-chain and room: (length, 2)."""
    player, rng = console.player, console.rng
    kick, rest, music, bass, send = (console.silence() for _ in range(5))
    for layer, events in player.events.items():
        gain = 1.0 if layer == "kick" else console.gain(layer, events)
        bus = kick if layer == "kick" else bass if layer == "bass" else music if layer in MUSIC else rest
        pan = float(rng.uniform(-0.5, 0.5)) if layer in ("arp", "perc", "shaker", "melody", "stab") else 0.0
        console.place(bus, events, gain, pan)
        if layer in SENDS:
            console.place(send, events, gain * SENDS[layer], -pan)
    filter_music(console, music)
    add_risers(console, rest)
    room = reverb_impulse(float(rng.uniform(0.4, 1.8)), int(rng.integers(1 << 30)), float(rng.random()))
    wet = convolve(filtered(send, "highpass", 200.0), room)
    music = filtered(music, "highpass", 120.0) + wet
    if player.kicks:
        music *= console.duck(float(rng.uniform(1.5, 7.0)), player.kicks)
        bass *= console.duck(float(rng.uniform(3.0, 10.0)), player.kicks)
    return kick + rest + music + bass


def kick_fills(player: Player) -> list[tuple[float, float]]:
    """Beats without kick just before drops."""
    fills = []
    for bar in player.bars:
        until = player.presence.kick_until[bar.number]
        last = bar.place == bar.length - 1 and bar.following == "drop" and bar.section != "drop"
        if last and until < 4.0 and player.presence.plays("kick", bar.number):
            fills.append((4.0 * bar.number + until, 4.0 * bar.number + 4.0))
    return fills


def render_foreign(
    library: Library,
    seed: int,
    *,
    plan: Plan,
    beat_s: NDArray[np.float64],
    options: Options,
    key: int = 0,
) -> ForeignTrack:
    """Render a track from foreign sounds; the same arguments always give the same samples.

    beat_s: 4 bars + 1 beat times from 0; key: pitch class. Raises ValueError where they do not fit the plan.
    """
    bars = lay_out(plan)
    if len(beat_s) != 4 * len(bars) + 1 or abs(float(beat_s[0])) > 1e-9:
        raise ValueError(f"{len(beat_s)} beat times for {len(bars)} bars; need {4 * len(bars) + 1}, from 0")
    rng = np.random.default_rng([seed, 77])
    clock = Clock(beat_s)
    player = Player(library, rng, bars, clock, options, key)
    player.write()
    console = Console(player, rng)
    mix = filtered(mix_layers(console), "highpass", 24.0)
    mix = mix * section_gains(console, mix)
    heard = next((run for run in section_runs(bars) if run[0] == "drop"), section_runs(bars)[0])
    middle = (heard[1] + heard[2]) // 2
    excerpt = mix[clock.sample(4 * max(heard[1], middle - 2)) : clock.sample(4 * middle + 8)]
    mix *= np.float32(master.gain_for_loudness(excerpt, float(rng.uniform(-9.5, -7.0))))
    audio = master.limit(master.soft_clip(mix) * np.float32(master.CEILING))
    library.forget_notes()
    name = f"{KEY_NAMES[key % 12]} {player.harmony.name}"
    bpm = 60.0 / clock.mean_beat_s
    sections = [bar.section for bar in bars]
    return ForeignTrack(audio, SAMPLE_RATE_HZ, seed, bpm, name, clock.beat_s, sections, options, kick_fills(player))


def render_pickup(library: Library, rng: np.random.Generator, half_beat_s: float, count: int) -> tuple[Audio, int]:
    """A pickup of some half beats before a first bar: (n, 2) audio and the sample at which that bar begins."""
    lead = round(count * half_beat_s * SAMPLE_RATE_HZ)
    margin = SAMPLE_RATE_HZ // 10
    out = np.zeros((margin + lead + SAMPLE_RATE_HZ, 2), dtype=np.float32)
    role = str(rng.choice(["snare", "clap", "tom", "voice", "voice"]))
    drum = library.drum(str(rng.choice(library.choices("snare" if role == "voice" else role))))
    family = str(rng.choice(["brass", "piano", "lead", "guitar"]))
    program, root = int(rng.choice(VOICES[family])), int(rng.integers(57, 69))
    for index in range(count):
        shot = library.note(program, root + 2 * index, half_beat_s * 0.9) if role == "voice" else drum
        start = margin + round(index * half_beat_s * SAMPLE_RATE_HZ) - shot.attack
        add_at(out, shot.audio, start, 0.35 + 0.1 * index / count)
    return out, margin + lead
