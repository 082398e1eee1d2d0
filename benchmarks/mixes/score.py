"""Writes the events of all layers of a foreign track: which sound is heard at which beat."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trainer.synth.arrange import Bar
from trainer.synth.dsp import SAMPLE_RATE_HZ, Clock

from .patterns import (
    BASS_SLOTS,
    BROKEN_KICKS,
    HALFTIME_KICKS,
    STAB_SLOTS,
    Options,
    Presence,
    draw_from,
    write_harmony,
    write_motif,
)
from .sounds import BASS_SHOTS, BREAK_LOOPS, LOOPS, PERC_LOOPS, VOICES, Library, Shot, resampled


@dataclass(frozen=True)
class Event:
    """A sound at a beat of the track."""

    beat: float
    shot: Shot
    gain: float


class Player:
    """Writes the events of all layers of one track."""

    def __init__(
        self, library: Library, rng: np.random.Generator, bars: list[Bar], clock: Clock, options: Options, root: int
    ) -> None:
        """Draw sounds and patterns."""
        self.library, self.rng, self.bars, self.clock, self.options = library, rng, bars, clock, options
        self.slot_s = clock.mean_beat_s / 4.0
        self.presence = Presence(rng, bars, options)
        self.harmony = write_harmony(rng, root)
        self.swing = float(rng.uniform(0.54, 0.66)) if options.drums == "swing" else 0.5
        self.kit = {
            role: str(rng.choice(library.choices(role)))
            for role in ("kick", "snare", "clap", "rim", "closed_hat", "open_hat", "crash", "ride", "tom", "shaker")
        }
        self.percs = [str(name) for name in rng.choice(library.choices("perc"), 3, replace=False)]
        self.voices = {
            "bass": self.bass_voice(),
            "stab": self.voice("piano", "organ", "brass", "piano", "guitar", "lead"),
            "pad": self.voice("pad", "strings"),
            "arp": self.voice("mallet", "lead", "guitar", "piano"),
            "melody": self.voice("lead", "piano", "mallet", "brass", "guitar"),
            "choir": self.voice("choir", "strings", "choir"),
        }
        self.events: dict[str, list[Event]] = {}
        self.jitter_s = float(rng.choice([0.0, 0.0, 0.003, 0.008]))
        self.accents = rng.uniform(0.5, 1.0, 16)
        self.kicks: list[float] = []

    def voice(self, *families: str) -> int:
        """A program of one of the families."""
        family = families[int(self.rng.integers(len(families)))]
        return int(self.rng.choice(VOICES[family]))

    def bass_voice(self) -> int | str:
        """A program or a one-shot."""
        if self.rng.random() < 0.35:
            return str(self.rng.choice(BASS_SHOTS))
        return int(self.rng.choice(VOICES["bass"]))

    def put(self, layer: str, beat: float, shot: Shot, gain: float) -> None:
        """Note an event; odd sixteenths swing, and all but kicks may be a little off."""
        if abs((beat * 4.0) % 2.0 - 1.0) < 0.01:
            beat += (self.swing - 0.5) * 0.5
        if layer != "kick" and self.jitter_s:
            beat += float(self.rng.uniform(-self.jitter_s, self.jitter_s)) / self.clock.mean_beat_s
        self.events.setdefault(layer, []).append(Event(beat, shot, gain))

    def hits(self, layer: str, sound: str, slots: tuple[int, ...] | range, accent: float = 0.0) -> None:
        """A pattern of 16 or 32 slots in all bars of a layer."""
        shot = self.library.drum(sound)
        length = 32 if max(slots) > 15 else 16
        for bar in self.bars:
            gain = self.presence.gain[bar.number].get(layer, 0.0)
            if gain <= 0.0:
                continue
            first = 16 * (bar.place % (length // 16))
            for slot in slots:
                if first <= slot < first + 16:
                    loud = 1.0 - accent * (1.0 - self.accents[slot % 16])
                    self.put(layer, 4.0 * bar.number + (slot - first) / 4, shot, gain * loud)

    def write(self) -> None:
        """All layers."""
        self.write_kick()
        self.write_tops()
        self.write_fills()
        self.write_bass()
        self.write_music()

    def write_kick(self) -> None:
        """Kick and back beat by drum habit; gains follow the arrangement, cuts the phrases."""
        rng, library = self.rng, self.library
        kick, snare = library.drum(self.kit["kick"]), library.drum(self.kit["snare"])
        clap = library.drum(self.kit["clap"])
        broken, half = draw_from(rng, BROKEN_KICKS), draw_from(rng, HALFTIME_KICKS)
        claps: tuple[int, ...] = ((), (4, 12), (4, 12), (0, 4, 8, 12))[int(rng.choice(4, p=[0.2, 0.35, 0.3, 0.15]))]
        if self.options.offbeat_heavy:
            claps = ()
        for bar in self.bars:
            start, gains = 4.0 * bar.number, self.presence.gain[bar.number]
            habit = self.options.drums_at(bar.number)
            pattern: tuple[int, ...] = (0, 4, 8, 12)
            if habit == "broken":
                long = 32 if max(broken) > 15 else 16
                first = 16 * (bar.place % (long // 16))
                pattern = tuple(slot - first for slot in broken if first <= slot < first + 16)
            elif habit == "halftime":
                pattern = half
            if "kick" in gains:
                for slot in pattern:
                    if slot / 4 < self.presence.kick_until[bar.number] - 1e-6:
                        self.put("kick", start + slot / 4, kick, gains["kick"])
                        self.kicks.append(self.events["kick"][-1].beat)
            if habit == "halftime":
                if "snare" in gains or "clap" in gains:
                    self.put("snare", start + 2.0, snare, 1.0)
            elif habit == "broken":
                for slot in (4, 12) if "snare" in gains or "clap" in gains else ():
                    self.put("snare", start + slot / 4, snare, 1.0)
            elif "clap" in gains:
                for slot in claps:
                    self.put("clap", start + slot / 4, clap, gains["clap"])

    def write_tops(self) -> None:
        """Hats, shaker, ride, percussion and loops."""
        rng = self.rng
        closed = (range(16), range(0, 16, 2), (0, 2, 3, 4, 6, 8, 10, 11, 12, 14), (2, 6, 10, 14))
        weights = [0.15, 0.35, 0.3, 0.2]
        pattern = range(16) if self.options.drums == "swing" else closed[int(rng.choice(4, p=weights))]
        if self.options.offbeat_heavy:
            pattern = (2, 6, 10, 14)
        self.hits("closed_hat", self.kit["closed_hat"], pattern, 0.7)
        if self.options.drums == "four_offhat" or self.options.offbeat_heavy or rng.random() < 0.5:
            self.hits("open_hat", self.kit["open_hat"], (2, 6, 10, 14))
        self.hits("shaker", self.kit["shaker"], range(16), 1.0)
        self.hits("ride", self.kit["ride"], range(0, 16, 2) if rng.random() < 0.6 else (0, 4, 8, 12), 0.3)
        for sound in self.percs:
            slots = tuple(int(slot) for slot in np.flatnonzero(rng.random(16) < rng.uniform(0.08, 0.3)))
            if slots:
                self.hits("perc", sound, slots, 0.5)
        self.write_loop(str(rng.choice(BREAK_LOOPS if self.options.drums == "broken" else PERC_LOOPS)))

    def write_loop(self, name: str) -> None:
        """A drum loop played at the speed of the track, one event per beat."""
        source, beats = self.library.sample(name), LOOPS[name]
        for bar in self.bars:
            if not self.presence.plays("loop", bar.number):
                continue
            for beat in range(4):
                index = (4 * bar.place + beat) % beats
                part = source[round(index * len(source) / beats) : round((index + 1) * len(source) / beats)]
                length_s = self.clock.time_s(4 * bar.number + beat + 1) - self.clock.time_s(4 * bar.number + beat)
                part = resampled(part, len(part) / (length_s * SAMPLE_RATE_HZ))
                self.events.setdefault("loop", []).append(Event(4.0 * bar.number + beat, Shot(part, 0), 1.0))

    def write_fills(self) -> None:
        """Rolls, tom fills and crashes."""
        rng, library = self.rng, self.library
        snare, tom, crash = (library.drum(self.kit[role]) for role in ("snare", "tom", "crash"))
        crashes, on_eights = rng.random() < 0.7, rng.random() < 0.5
        for bar in self.bars:
            start, gains = 4.0 * bar.number, self.presence.gain[bar.number]
            if "roll" in gains:
                along = bar.place / bar.length
                grid = 1.0 if along < 0.5 else 0.5 if along < 0.75 else 0.25
                for slot in range(int(4 / grid)):
                    self.put("roll", start + slot * grid, snare, 0.25 + 0.75 * (along + slot * grid / 4 / bar.length))
            if "toms" in gains:
                for slot in ((12, 13, 14, 15), (14, 15), (8, 10, 11, 13, 14))[int(rng.integers(3))]:
                    self.put("toms", start + slot / 4, tom if slot % 2 else snare, 0.6 + 0.025 * slot)
            entry = bar.place == 0 and (bar.number or bar.section == "drop")
            eight = bar.section == "drop" and bar.place % 8 == 0 and on_eights
            if crashes and (entry or eight) and rng.random() < (0.7 if bar.section == "drop" else 0.4):
                self.put("crash", start, crash, 1.0 if entry else 0.7)

    def write_bass(self) -> None:
        """The bass follows the chords."""
        slots = draw_from(self.rng, BASS_SLOTS[self.options.bass])
        legato = self.options.bass == "sustain"
        jumps = {slot: int(self.rng.choice([0, 0, 0, 12, 7])) for slot in slots[1:]}
        for bar in self.bars:
            gain = self.presence.gain[bar.number].get("bass", 0.0)
            if gain <= 0.0:
                continue
            pitch = self.harmony.bass[bar.place % len(self.harmony.bass)]
            for index, slot in enumerate(slots):
                following = slots[index + 1] if index + 1 < len(slots) else 16
                length = (following - slot) * (1.0 if legato else 0.8)
                shot = self.library.note(
                    self.voices["bass"], pitch + jumps.get(slot, 0), min(length, 16.0 if legato else 2.0) * self.slot_s
                )
                self.put("bass", 4.0 * bar.number + slot / 4, shot, gain)

    def write_music(self) -> None:
        """Stabs, pads, arpeggio, melody, choir."""
        rng, chords = self.rng, self.harmony.chords
        stabs = draw_from(rng, STAB_SLOTS)
        stab_length = float(rng.choice([1.0, 1.5, 3.0]))
        arp_step = int(rng.choice([1, 2, 2, 3]))
        order = rng.permutation(8)
        motif = write_motif(rng, self.harmony)
        for bar in self.bars:
            start, gains = 4.0 * bar.number, self.presence.gain[bar.number]
            chord = chords[bar.place % len(chords)]
            if "stab" in gains:
                long = 32 if max(stabs) > 15 else 16
                first = 16 * (bar.place % (long // 16))
                slots = [slot - first for slot in stabs if first <= slot < first + 16]
                length = stab_length
                if bar.section == "break":
                    slots, length = [0], 16.0
                for slot in slots:
                    shot = self.library.chord(self.voices["stab"], chord, length * self.slot_s)
                    self.put("stab", start + slot / 4, shot, gains["stab"])
            for layer in ("pad", "choir"):
                if layer in gains:
                    notes = chord if layer == "pad" else tuple(note + 12 for note in chord)
                    shot = self.library.chord(self.voices[layer], notes, 16 * self.slot_s)
                    self.put(layer, start, shot, gains[layer])
            if "arp" in gains:
                pool = [*chord, *(note + 12 for note in chord)]
                for slot in range(0, 16, arp_step):
                    note = pool[int(order[(slot // arp_step) % 8]) % len(pool)]
                    self.put(
                        "arp",
                        start + slot / 4,
                        self.library.note(self.voices["arp"], note, arp_step * self.slot_s),
                        gains["arp"] * self.accents[slot],
                    )
            if "melody" in gains:
                for slot, midi, slots_long in motif:
                    if slot // 16 == bar.place % 4:
                        shot = self.library.note(self.voices["melody"], midi, slots_long * self.slot_s)
                        self.put("melody", start + slot % 16 / 4, shot, gains["melody"])
