"""Tonal sounds: cycles drawn as harmonic envelopes, turned into sound by inverse FFT, morphed over time. Zone: trainer.

A table holds a whole number of periods at the sound's own pitch, so a note is a tiled slice of it. Where a sound is
wide, every harmonic is painted as a band of bins, and two far-off slices of one table are its left and right.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft, signal

RATE_HZ = 44100
Audio = NDArray[np.float32]
Rng = np.random.Generator
VOWELS_HZ = ((800, 1150, 2900), (350, 2000, 2800), (270, 2140, 2950), (450, 800, 2830), (325, 700, 2530))


@dataclass(frozen=True)
class Frame:
    """One drawn spectrum: amplitude k**-slope, even harmonics scaled, bumps (Hz, octaves, gain), a top edge in Hz."""

    slope: float
    even: float = 1.0
    bumps: tuple[tuple[float, float, float], ...] = ()
    top_hz: float = 14000.0
    most: int = 400


@dataclass(frozen=True)
class Voice:
    """A sound: its frames, how it walks through them and its envelope.

    morph: decay (to the last frame within morph_s), lfo (morph_s per cycle) or rise; bank: (stiffness, stretch,
    longest decay in s) of a struck bank of partials, which replaces the morph.
    """

    name: str
    acoustic: bool
    frames: tuple[Frame, ...]
    spread_cents: float = 0.0
    attack_s: float = 0.003
    decay_s: float = 0.3
    sustain: float = 1.0
    release_s: float = 0.05
    morph: str = "decay"
    morph_s: float = 0.3
    bank: tuple[float, float, float] | None = None
    noise: float = 0.0
    vibrato: float = 0.0
    bend: float = 0.0
    seed: int = 0


LEADS = ("supersaw", "square", "nasal", "buzz", "whistle", "vowel", "pluck", "bell", "comb", "donk", "rave")
CHORDS = ("supersaw", "organ", "epiano", "rave", "pluck", "choir", "square", "comb")
BASSES = ("sub", "reese", "growl", "donk", "buzz", "square", "pluckbass", "comb")
ACOUSTIC = {"lead": ("piano", "strings", "guitar", "flute", "mallet", "brass", "violin"),
            "chord": ("piano", "strings", "guitar", "brass", "harp"),
            "bass": ("upright", "cello", "pianobass", "fingered")}  # fmt: skip


def make_voice(name: str, rng: Rng, beat_s: float) -> Voice:
    """Draw a voice of a family; two draws of one family differ in every figure."""
    u = rng.uniform
    seed = int(rng.integers(1 << 30))
    bright = float(np.exp(u(np.log(2500), np.log(15000))))

    def bump(low: float, high: float, gain: float = 4.0) -> tuple[float, float, float]:
        return float(np.exp(u(np.log(low), np.log(high)))), u(0.12, 0.45), gain * u(0.5, 1.6)

    def build(frames: list[Frame], **more: object) -> Voice:
        return Voice(name, False, tuple(frames), seed=seed, **more)  # type: ignore[arg-type]

    def played(frames: list[Frame], **more: object) -> Voice:
        return Voice(name, True, tuple(frames), seed=seed, **more)  # type: ignore[arg-type]

    if name in ("supersaw", "choir"):
        vowels = tuple((hz, 0.2, 5.0) for hz in VOWELS_HZ[rng.integers(5)]) if name == "choir" else ()
        frames = [Frame(u(0.7, 1.2), u(0.6, 1.0), vowels, bright + 2500), Frame(u(1.0, 1.5), 1.0, vowels, bright)]
        return build(frames, spread_cents=u(7, 24), attack_s=u(0.002, 0.03), sustain=u(0.5, 1.0), decay_s=u(0.2, 0.8),
                     release_s=u(0.05, 0.3), morph=str(rng.choice(["decay", "rise"])), morph_s=u(0.1, 0.8))  # fmt: skip
    if name == "square":
        frames = [Frame(u(0.7, 1.2), u(0.0, 0.25), (bump(700, 5000, 2),), bright), Frame(1.2, u(0, 0.4), (), bright)]
        return build(frames, spread_cents=u(0, 4) * (rng.random() < 0.5), sustain=u(0.4, 1.0), morph_s=u(0.05, 0.4),
                     decay_s=u(0.1, 0.4), bend=float(rng.choice([0, 0, -2, 2])))  # fmt: skip
    if name == "nasal":
        horn = (bump(950, 1500, 7), bump(1900, 2700, 5))
        frames = [Frame(u(0.3, 0.8), u(0.6, 1), horn, 12000), Frame(u(0.5, 0.9), 1, (*horn, bump(3000, 5000, 3)), 9000)]
        return build(frames, spread_cents=u(0, 9), attack_s=0.001, sustain=u(0.7, 1.0), morph_s=u(0.05, 0.3))
    if name in ("buzz", "rave"):
        frames = [
            Frame(u(0.8, 1.1), 1, (), u(1200, 3500)),
            Frame(u(0.1, 0.5), u(0.3, 1), (bump(600, 4000, 3),), bright),
        ]
        return build(frames, spread_cents=u(3, 14), attack_s=u(0.015, 0.045), morph="rise", morph_s=u(0.04, 0.2),
                     sustain=u(0.7, 1.0), release_s=0.04)  # fmt: skip
    if name == "whistle":
        return build([Frame(u(2.2, 3.5), u(0.1, 1), (), 9000, 6), Frame(3.5, 0.3, (), 9000, 3)],
                     attack_s=u(0.005, 0.03), vibrato=u(0, 0.2), sustain=0.85, noise=u(0, 0.06),
                     bend=float(rng.choice([0, -2])))  # fmt: skip
    if name == "vowel":
        picks = rng.permutation(5)[:3]
        frames = [Frame(u(0.5, 0.9), 1, tuple((hz, 0.14, 9.0 / (n + 1)) for n, hz in enumerate(VOWELS_HZ[p])), 9000)
                  for p in picks]  # fmt: skip
        return build(
            frames,
            attack_s=u(0.01, 0.03),
            morph=str(rng.choice(["decay", "rise", "lfo"])),
            noise=u(0.02, 0.12),
            morph_s=u(0.15, 0.5),
            vibrato=u(0, 0.25),
            bend=float(rng.choice([0, -1, 2])),
            release_s=0.08,
        )
    if name in ("pluck", "pluckbass", "epiano"):
        decay = u(0.1, 0.4) if name != "epiano" else u(0.4, 1.2)
        frames = [Frame(u(0.5, 1.1), u(0.2, 1), (bump(800, 5000, 3),), bright), Frame(u(1.6, 2.6), u(0.3, 1), (), 3000)]
        if name == "epiano":
            frames = [Frame(2.0, 0.5, (bump(1200, 3500, 3),), 7000), Frame(3.0, 0.5, (), 4000)]
        return build(
            frames, spread_cents=u(0, 6) * (rng.random() < 0.4), decay_s=decay, sustain=0.0, morph_s=decay * 0.6
        )
    if name == "donk":
        frames = [
            Frame(1.0, u(0, 1), (bump(250, 600, 7), bump(900, 2200, 5)), 7000),
            Frame(2.0, 1, (bump(80, 200),), 1500),
        ]
        return build(frames, decay_s=u(0.09, 0.25), sustain=u(0, 0.25), morph_s=u(0.03, 0.12), bend=u(0, 4))
    if name == "growl":
        frames = [
            Frame(0.7, 1, (bump(250, 500, 6),), 1800),
            Frame(u(0.2, 0.6), u(0.2, 1), (bump(700, 1500, 8), bump(1500, 4500, 6)), 10000),
        ]
        rate = float(rng.choice([0.25, 1 / 3, 0.5, 1.0]))
        return build(frames, spread_cents=u(0, 8), morph="lfo", morph_s=rate * beat_s)
    if name == "reese":
        frames = [Frame(1.0, 1, (), u(350, 1500)), Frame(1.0, 1, (), u(250, 700))]
        return build(frames, spread_cents=u(9, 20), attack_s=u(0.005, 0.04), morph="lfo", morph_s=u(1, 4) * beat_s)
    if name == "sub":
        return build(
            [Frame(u(1.6, 3), u(0.3, 1), (), 900), Frame(3, 1, (), 500)], attack_s=u(0.004, 0.03), release_s=0.06
        )
    if name == "organ":
        frames = [Frame(u(0.4, 1), u(0.3, 1), (bump(300, 900, 3),), u(2500, 6000), 9), Frame(1, 0.6, (), 5000, 6)]
        return build(frames, spread_cents=u(0, 3), morph="lfo", morph_s=u(0.14, 0.4), release_s=0.04)
    if name == "comb":
        many = tuple(bump(200 * 1.7**n, 340 * 1.7**n, 8) for n in range(6))
        return build([Frame(0.4, u(0, 1), many, 11000), Frame(0.9, u(0, 1), many[::2], bright)], spread_cents=u(0, 10),
                     morph=str(rng.choice(["lfo", "decay"])), morph_s=u(0.1, 0.5), sustain=u(0.2, 1.0))  # fmt: skip
    if name == "bell":
        return build([Frame(u(0.5, 1.2), 1, (), 11000, 12)], bank=(0.0, u(1.05, 1.6), u(0.5, 2.0)), release_s=0.3)
    # struck and plucked banks of partials
    struck = {"piano": (u(1.0, 1.6), u(1e-4, 5e-4), u(1.0, 3.0)), "pianobass": (u(0.9, 1.3), 2e-4, 1.5),
              "guitar": (u(0.7, 1.1), 5e-5, u(0.5, 1.3)), "harp": (u(1.2, 1.7), 2e-5, u(0.6, 1.2)),
              "upright": (u(1.2, 1.7), 5e-5, u(0.4, 0.9)), "fingered": (u(0.9, 1.4), 5e-5, u(0.6, 1.3))}  # fmt: skip
    if name in struck:
        slope, stiff, longest = struck[name]
        body = (bump(90, 260, 1.5), bump(350, 900, 1.5), bump(1500, 3500, 1))
        return played([Frame(slope, u(0.6, 1), body, u(5000, 9500), 40)], bank=(stiff, 1.0, longest),
                      noise=u(0.05, 0.25),
                      attack_s=0.002, release_s=u(0.06, 0.25))  # fmt: skip
    if name == "mallet":
        return played(
            [Frame(u(1.2, 2.0), 1, (), 8000, 5)], bank=(0.0, u(1.7, 2.1), u(0.25, 0.6)), noise=0.1, release_s=0.2
        )
    # bowed and blown
    body = (bump(250, 500, 2), bump(800, 1500, 2), bump(2000, 3500, 3))
    ensemble = {"strings": u(6, 12), "cello": u(0, 5)}.get(name, 0.0)
    soft = {"flute": 2.4, "brass": 0.9}.get(name, u(0.9, 1.3))
    frames = [Frame(soft + 0.7, 0.9, body, 2500), Frame(soft, u(0.6, 1), body, u(5000, 9000))]
    return played(frames, spread_cents=ensemble, attack_s=u(0.02, 0.07), morph="rise", morph_s=u(0.05, 0.2),
                  release_s=0.15, vibrato=0.0 if ensemble > 5 else u(0.05, 0.25),
                  noise=0.25 if name == "flute" else 0.08)  # fmt: skip


class Painter:
    """Turns voices into notes under one colour curve of the whole track; keeps every table and note it has made."""

    def __init__(self, rng: Rng, drive: float) -> None:
        """drive: 0..1; above .3 frames may be quantised and spectra clipped on top of what shaping does."""
        self._octaves = np.arange(4.0, 15.0)
        self._colour_db = np.clip(np.cumsum(rng.normal(0, 0.8, 11)) + rng.uniform(-0.5, 0.5) * np.arange(-5, 6), -5, 5)
        self._levels = float(rng.uniform(4, 14)) if drive > 0.3 and rng.random() < 0.5 * drive else 0.0
        self._ceiling = float(1.0 - 0.93 * drive**0.5) if drive > 0.2 and rng.random() < 0.6 else 1.0
        self._noise = rng.standard_normal(1 << 16).astype(np.float32)
        self._tables: dict[tuple[int, str, float], list[Audio]] = {}
        self._notes: dict[tuple[int, str, float, int], Audio] = {}

    def colour(self, hz: NDArray[np.floating]) -> NDArray[np.float64]:
        """Gain of the track's colour at each frequency."""
        return 10.0 ** (np.interp(np.log2(np.maximum(hz, 16.0)), self._octaves, self._colour_db) / 20.0)

    def _amplitudes(self, frame: Frame, ratios: NDArray[np.float64], f0_hz: float) -> NDArray[np.float64]:
        hz = ratios * f0_hz
        order = np.maximum(ratios, 0.5)
        amps = order**-frame.slope * np.where(np.round(ratios).astype(int) % 2 == 0, frame.even, 1.0)
        octave = np.log2(np.maximum(hz, 10.0))
        lift = np.ones(len(hz))
        for centre, width, gain in frame.bumps:
            lift += gain * np.exp(-0.5 * ((octave - np.log2(centre)) / width) ** 2)
        amps *= lift / (1.0 + (hz / frame.top_hz) ** 4) * self.colour(hz) * (ratios <= frame.most) * (hz < 19000)
        return np.minimum(amps, self._ceiling * amps.max()) if amps.max() > 0 else amps

    def _paint(self, voice: Voice, f0_hz: float) -> list[Audio]:
        wide = voice.spread_cents > 0.5
        wanted = 32768 if wide or voice.bank else 6000
        least = max(4, round(wanted * f0_hz / RATE_HZ))
        # among a few numbers of periods, the length the FFT likes best
        periods = min(range(least, least + 12), key=lambda p: fft.next_fast_len(round(p * RATE_HZ / f0_hz), True)
                      / round(p * RATE_HZ / f0_hz))  # fmt: skip
        size = round(periods * RATE_HZ / f0_hz)
        bins = size // 2 + 1
        rng = np.random.default_rng(voice.seed)
        turns = np.exp(2j * np.pi * rng.random(bins))
        spectra: list[NDArray[np.complex128]] = []
        if voice.bank:
            stiff, stretch, _ = voice.bank
            order = np.arange(1, min(voice.frames[0].most, int(17000 / f0_hz) + 1) + 1, dtype=float)
            ratios = order**stretch * np.sqrt(1.0 + stiff * order**2)
            amps = self._amplitudes(voice.frames[0], ratios, f0_hz)
            place = np.clip(np.round(ratios * periods).astype(int), 1, bins - 2)
            for group in range(4):
                spectrum = np.zeros(bins, complex)
                chosen = np.minimum(np.log2(order).astype(int), 3) == group
                np.add.at(spectrum, place[chosen], amps[chosen] * turns[place[chosen]])
                np.add.at(spectrum, place[chosen] + 1, 0.3 * amps[chosen] * turns[place[chosen] + 1])
                spectra.append(spectrum)
            total = np.sqrt(sum(float((np.abs(s) ** 2).sum()) for s in spectra)) or 1.0
            return [(fft.irfft(s, size) * (size / total / np.sqrt(2))).astype(np.float32) for s in spectra]
        position = np.arange(bins) / periods
        nearest = np.round(position)
        if wide:
            width = np.maximum(nearest, 1.0) * (2 ** (voice.spread_cents / 1200) - 1) + 0.3 / periods
            band = np.exp(-0.5 * ((position - nearest) / width) ** 2) / np.sqrt(width) * (nearest > 0)
        else:
            band = ((position == nearest) & (nearest > 0)).astype(float)
            # near-aligned phases keep the edge of a drawn cycle
            turns = np.exp(1j * (0.25 * np.angle(turns) - np.pi / 2))
        for frame in voice.frames:
            spectra.append(self._amplitudes(frame, np.maximum(nearest, 1.0), f0_hz) * band * turns)
        tables = [fft.irfft(s, size) for s in spectra]
        tables = [t / (np.sqrt((t**2).mean()) + 1e-12) for t in tables]
        if self._levels and not voice.acoustic:
            tables = [np.round(t * self._levels / 4) / self._levels * 4 for t in tables]
            tables = [t - t.mean() for t in tables]
        return [t.astype(np.float32) for t in tables]

    def note(self, voice: Voice, midi: float, length_s: float) -> Audio:
        """(2, n) one note with its release, about unit RMS while it is held."""
        held = max(round(length_s * RATE_HZ), 600)
        key = (voice.seed, voice.name, midi, held // 64)
        if key not in self._notes:
            self._notes[key] = self._play(voice, midi, held)
        return self._notes[key]

    def _play(self, voice: Voice, midi: float, held: int) -> Audio:
        f0_hz = 440.0 * 2.0 ** ((midi - 69) / 12)
        name = (voice.seed, voice.name, midi)
        if name not in self._tables:
            self._tables[name] = self._paint(voice, f0_hz)
        tables = self._tables[name]
        count = held + int(voice.release_s * RATE_HZ * 1.5)
        time_s = np.arange(count, dtype=np.float32) / RATE_HZ
        size = len(tables[0])
        speed = np.ones(0, np.float32)
        if voice.bend or voice.vibrato:
            curve = voice.bend * np.exp(-time_s / 0.035)
            curve += voice.vibrato * np.sin(2 * np.pi * 5.3 * time_s) * np.clip(time_s * 4 - 0.5, 0, 1)
            speed = np.cumsum(np.exp2(curve / 12), dtype=np.float64)
        if voice.bank:
            taus = voice.bank[2] * np.array([1.0, 0.6, 0.35, 0.15]) * float(np.clip((300 / f0_hz) ** 0.5, 0.3, 1.5))
            weights = [np.exp(-time_s / np.float32(tau)) for tau in taus]
        else:
            if voice.morph == "lfo":
                walk = 0.5 - 0.5 * np.cos(2 * np.pi * time_s / np.float32(voice.morph_s))
            else:
                walk = 1.0 - np.exp(-time_s / np.float32(voice.morph_s))
            walk = walk * (len(tables) - 1)
            weights = [np.clip(1.0 - np.abs(walk - n), 0.0, 1.0) for n in range(len(tables))]
        envelope = np.clip(time_s / voice.attack_s, 0, 1)
        if voice.sustain < 1.0:
            envelope *= voice.sustain + (1 - voice.sustain) * np.exp(-time_s / np.float32(voice.decay_s))
        envelope[held:] *= np.exp(
            -np.arange(count - held, dtype=np.float32) * np.float32(4 / (voice.release_s * RATE_HZ))
        )
        envelope[-90:] *= np.linspace(1, 0, min(90, count), dtype=np.float32)
        sides = []
        for start in (0, size // 2)[: 2 if voice.spread_cents > 0.5 else 1]:
            side = np.zeros(count, np.float32)
            if speed.size:
                whole = speed.astype(np.int64)
                part = (speed - whole).astype(np.float32)
                first, second = (whole + start) % size, (whole + start + 1) % size
            for table, weight in zip(tables, weights, strict=True):
                if speed.size:
                    low = table[first]
                    side += weight * (low + part * (table[second] - low))
                else:
                    rolled = np.roll(table, -start) if start else table
                    side += weight * np.resize(rolled, count)
            sides.append(side * envelope)
        out = np.stack(sides if len(sides) == 2 else sides * 2)
        if voice.noise:
            begin = int(f0_hz * 7) % 20000
            breath = np.diff(self._noise[begin : begin + min(count, 30000) + 1]) * 0.5
            blow = np.exp(-time_s[: len(breath)] / np.float32(0.03)) * 2 + (0.0 if voice.bank else 0.5)
            out[:, : len(breath)] += np.float32(voice.noise) * breath * blow * envelope[: len(breath)]
        return out


def shape(audio: Audio, drive: float, kind: str) -> Audio:
    """Waveshape a summed part (c, n) of about unit RMS. drive: 0..1; kind: tanh, diode, fold or clip."""
    if drive < 0.015:
        return audio
    pushed = audio * np.float32(0.16 + 2.6 * drive)
    if kind == "fold":
        out = np.sin(np.float32(0.7 + 1.1 * drive) * pushed) * 0.6 + 0.4 * np.tanh(pushed)
    elif kind == "diode":
        out = np.tanh(pushed + np.float32(0.6 * drive)) - np.float32(np.tanh(0.6 * drive))
        # the rectified offset follows the notes, so it is taken out by differences rather than by a mean
        out = signal.lfilter(np.array([1, -1], np.float32), np.array([1, -0.996], np.float32), out, axis=-1)
    elif kind == "clip":
        out = np.clip(pushed, -0.8, 0.8)
    else:
        out = np.tanh(pushed)
    return np.asarray(out, np.float32) / np.float32(0.16 + 0.6 * min(drive * 2, 1.0))


def swept(audio: Audio, cut_hz: NDArray[np.floating], size: int = 4096) -> Audio:
    """Low-pass (c, n) audio with an edge that moves (cut_hz: any number of points spread over it), frame by frame."""
    hop = size // 2
    length = audio.shape[-1]
    frames = -(-length // hop) + 1
    padded = np.zeros((audio.shape[0], (frames + 1) * hop), np.float32)
    padded[:, hop : hop + length] = audio
    window = np.sin(np.pi * (np.arange(size, dtype=np.float32) + 0.5) / size)
    edge = np.exp(np.interp(np.linspace(0, 1, frames), np.linspace(0, 1, len(cut_hz)), np.log(cut_hz)))
    hz = np.arange(hop + 1) * (RATE_HZ / size)
    gain = (1.0 / (1.0 + (hz / edge[:, None]) ** 4)).astype(np.float32)
    out = np.zeros_like(padded)
    for side in range(len(audio)):
        cut = np.lib.stride_tricks.sliding_window_view(padded[side], size)[::hop] * window
        done = fft.irfft(fft.rfft(cut, axis=1) * gain, size, axis=1) * window
        out[side, : frames * hop] += done[:, :hop].ravel()
        out[side, hop:] += done[:, hop:].ravel()
    return out[:, hop : hop + length]
