"""Frequency (phase) modulation: two or three sine operators with moving depth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..dsp import SAMPLE_RATE_HZ, Audio, midi_to_hz
from .base import TOP_HZ, Part, adsr, log_uniform, moving_phase, radians, samples_of, steady_phase, times_s


@dataclass(frozen=True)
class Fm:
    """Numbers of a phase modulated sound.

    ratio, second: modulator pitches relative to the carrier (second 0 = unused); stacked: the second modulates the
    first instead of the carrier; depth: modulation in radians at its start and after decaying over depth_s;
    lfo_cycles: swings of the depth per note (0 = none); pair_cents: a second carrier detuned to the other side;
    carrier: pitch of the carrier relative to the note, for nasal spectra; ring: ratio of a ring modulator (0 = none).
    """

    ratio: float
    depth: tuple[float, float]
    depth_s: float = 0.1
    second: float = 0.0
    second_depth: float = 0.0
    stacked: bool = False
    carrier: float = 1.0
    carrier_level: float = 1.0
    pair_cents: float = 0.0
    lfo_cycles: float = 0.0
    ring: float = 0.0
    glide_st: float = 0.0
    glide_s: float = 0.03
    attack_s: float = 0.002
    decay_s: float = 0.3
    sustain: float = 1.0
    release_s: float = 0.1

    def note(self, midi: float, hold_s: float) -> Audio:
        """One note as (channels, n); see Source."""
        freq_hz = midi_to_hz(midi)
        total_s = hold_s + self.release_s
        if self.sustain < 0.01:
            total_s = min(total_s, 6.5 * self.decay_s + self.attack_s)
        length = samples_of(total_s)
        time_s = times_s(length)
        amount = self._depth(hold_s, time_s, freq_hz)
        sides = (-0.5, 0.5) if self.pair_cents else (0.0,)
        out = np.stack([self._side(freq_hz * 2.0 ** (s * self.pair_cents / 1200.0), time_s, amount) for s in sides])
        out *= adsr(length, self.attack_s, self.decay_s, self.sustain, hold_s, self.release_s)
        return out

    def _depth(self, hold_s: float, time_s: Audio, freq_hz: float) -> Audio:
        # Carson's rule keeps the side bands below the top partial.
        room = max(0.2, (TOP_HZ / freq_hz - self.carrier) / max(self.ratio, self.second, 1.0) - 1.0)
        early, late = (min(depth, room) for depth in self.depth)
        amount = late + np.float32(early - late) * np.exp(time_s * np.float32(-1.0 / self.depth_s))
        if self.lfo_cycles:
            swing = np.cos(time_s * np.float32(2.0 * np.pi * self.lfo_cycles / max(hold_s, 0.08)))
            amount = amount * (np.float32(0.55) - np.float32(0.45) * swing)
        return amount

    def _side(self, freq_hz: float, time_s: Audio, amount: Audio) -> Audio:
        if self.glide_st:
            bend = np.exp2(np.float32(self.glide_st / 12.0) * np.exp(time_s * np.float32(-1.0 / self.glide_s)))
            phase = moving_phase(freq_hz, bend)
        else:
            phase = steady_phase(freq_hz, len(time_s))
        # A phase in multiples of half cycles stays exact in the fixed point.
        first = radians((phase * round(4 * self.ratio)) >> 2)
        if self.second:
            other = np.float32(self.second_depth) * np.sin(radians((phase * round(4 * self.second)) >> 2))
            if self.stacked:
                turn = amount * np.sin(first + other)
            else:
                turn = amount * np.sin(first) + other * (amount / np.float32(max(self.depth)))
        else:
            turn = amount * np.sin(first)
        base = radians(phase)
        wave = np.sin(turn + (base if self.carrier == 1.0 else radians((phase * round(4 * self.carrier)) >> 2)))
        if self.carrier_level != 1.0:
            wave = wave + np.float32(1.0 - self.carrier_level) * np.sin(base)
        if self.ring:
            wave = wave * (np.float32(0.4) + np.float32(0.6) * np.sin(radians((phase * round(4 * self.ring)) >> 2)))
        return wave


@dataclass(frozen=True)
class Modal:
    """Struck or plucked bodies: partials (ratio, level, decay in seconds at 262 Hz) with a hammer of noise."""

    seed: int
    partials: tuple[tuple[float, float, float], ...]
    hammer: float = 0.1
    pair_cents: float = 0.0
    release_s: float = 0.2

    def note(self, midi: float, hold_s: float) -> Audio:
        """One note as (channels, n); see Source."""
        freq_hz = midi_to_hz(midi)
        scale = (262.0 / freq_hz) ** 0.4
        longest_s = max(decay for _, _, decay in self.partials) * scale
        length = samples_of(min(hold_s + self.release_s, 6.0 * longest_s))
        sides = (-0.5, 0.5) if self.pair_cents else (0.0,)
        out = np.zeros((len(sides), length), dtype=np.float32)
        for ratio, level, decay in self.partials:
            if ratio * freq_hz > TOP_HZ:
                continue
            sounding = min(length, samples_of(6.0 * decay * scale))
            fade = np.float32(level) * np.exp(times_s(sounding) * np.float32(-1.0 / (decay * scale)))
            for channel, side in enumerate(sides):
                pitch_hz = freq_hz * ratio * 2.0 ** (side * self.pair_cents / 1200.0)
                out[channel, :sounding] += fade * np.sin(radians(steady_phase(pitch_hz, sounding)))
        if self.hammer:
            thud = np.random.Generator(np.random.SFC64(self.seed)).standard_normal(400, dtype=np.float32)
            thud *= np.exp(times_s(400) * np.float32(-700.0)) * np.float32(self.hammer)
            out[:, : min(400, length)] += thud[:length]
        out *= adsr(length, 20.0 / SAMPLE_RATE_HZ, 1.0, 1.0, hold_s, self.release_s)
        return out


def _part(sound: Fm | Modal) -> Part:
    return Part("fm", sound, 0.0)


def _ratio(rng: np.random.Generator, *choices: float) -> float:
    return float(choices[int(rng.integers(len(choices)))])


def lead(rng: np.random.Generator, role: str) -> Part:
    """Bright two and three operator leads."""
    return _part(
        Fm(
            ratio=_ratio(rng, 1, 1, 2, 2, 3, 4, 5),
            depth=(log_uniform(rng, 0.6, 6.0), log_uniform(rng, 0.3, 2.5)),
            depth_s=log_uniform(rng, 0.03, 0.6),
            second=_ratio(rng, 0, 0, 1, 2, 3, 7),
            second_depth=float(rng.uniform(0.3, 1.5)),
            stacked=bool(rng.random() < 0.4),
            pair_cents=log_uniform(rng, 3.0, 20.0) if rng.random() < 0.6 else 0.0,
            glide_st=float(rng.choice([-2.0, 2.0, 5.0])) if rng.random() < 0.25 else 0.0,
            attack_s=log_uniform(rng, 0.0008, 0.01),
            decay_s=log_uniform(rng, 0.15, 0.8),
            sustain=float(rng.uniform(0.3, 1.0)),
            release_s=log_uniform(rng, 0.04, 0.25),
        )
    )


def hollow(rng: np.random.Generator, role: str) -> Part:
    """Even ratios leave the odd harmonics of a square."""
    return _part(
        Fm(
            ratio=_ratio(rng, 2, 2, 4),
            depth=(log_uniform(rng, 0.8, 3.5), log_uniform(rng, 0.5, 2.0)),
            depth_s=log_uniform(rng, 0.03, 0.4),
            pair_cents=log_uniform(rng, 3.0, 14.0) if rng.random() < 0.4 else 0.0,
            glide_st=float(rng.choice([-2.0, 2.0, 7.0])) if rng.random() < 0.3 else 0.0,
            glide_s=0.02,
            decay_s=log_uniform(rng, 0.1, 0.6),
            sustain=float(rng.uniform(0.2, 1.0)),
            release_s=log_uniform(rng, 0.03, 0.15),
        )
    )


def nasal(rng: np.random.Generator, role: str) -> Part:
    """A carrier on a high harmonic makes a hump in the nose's range."""
    return _part(
        Fm(
            ratio=1.0,
            depth=(log_uniform(rng, 1.0, 3.5), log_uniform(rng, 0.8, 2.5)),
            depth_s=log_uniform(rng, 0.05, 0.5),
            second=_ratio(rng, 0, 0, 2, 3),
            second_depth=float(rng.uniform(0.2, 0.8)),
            carrier=_ratio(rng, 3, 4, 5, 6),
            carrier_level=float(rng.uniform(0.5, 0.8)),
            pair_cents=log_uniform(rng, 3.0, 16.0) if rng.random() < 0.5 else 0.0,
            attack_s=0.0005,
            release_s=log_uniform(rng, 0.03, 0.1),
        )
    )


def buzz(rng: np.random.Generator, role: str) -> Part:
    """Depth that rises and falls with the note, detuned pairs, ring modulation."""
    return _part(
        Fm(
            ratio=_ratio(rng, 1, 1, 2, 3),
            depth=(log_uniform(rng, 3.0, 9.0), log_uniform(rng, 1.5, 5.0)),
            depth_s=log_uniform(rng, 0.1, 0.8),
            second=_ratio(rng, 1, 2, 5),
            second_depth=float(rng.uniform(0.3, 1.6)),
            stacked=True,
            pair_cents=log_uniform(rng, 8.0, 30.0),
            lfo_cycles=float(rng.choice([0.0, 0.5, 1.0])),
            ring=_ratio(rng, 0, 0, 1, 2),
            attack_s=float(rng.uniform(0.01, 0.04)),
            release_s=log_uniform(rng, 0.04, 0.12),
        )
    )


def growl(rng: np.random.Generator, role: str) -> Part:
    """Depth swings of a whole number per note, with ring modulation now and then."""
    return _part(
        Fm(
            ratio=_ratio(rng, 1, 1, 1.5, 2, 3),
            depth=(log_uniform(rng, 3.0, 10.0), log_uniform(rng, 2.0, 7.0)),
            depth_s=log_uniform(rng, 0.1, 0.6),
            second=_ratio(rng, 0, 0.5, 1, 2, 4),
            second_depth=float(rng.uniform(0.3, 2.0)),
            stacked=bool(rng.random() < 0.6),
            pair_cents=log_uniform(rng, 4.0, 20.0) if rng.random() < 0.5 else 0.0,
            lfo_cycles=float(rng.choice([1.0, 1.0, 1.5, 2.0, 3.0, 4.0])),
            ring=_ratio(rng, 0, 0, 0, 1, 3),
            release_s=log_uniform(rng, 0.03, 0.08),
        )
    )


def epiano(rng: np.random.Generator, role: str) -> Part:
    """Tine pianos of the eighties."""
    return _part(
        Fm(
            ratio=1.0,
            depth=(log_uniform(rng, 0.6, 2.6), float(rng.uniform(0.1, 0.6))),
            depth_s=log_uniform(rng, 0.1, 0.6),
            second=_ratio(rng, 7, 11, 14, 4),
            second_depth=float(rng.uniform(0.05, 0.5)),
            pair_cents=log_uniform(rng, 1.5, 9.0) if rng.random() < 0.5 else 0.0,
            decay_s=log_uniform(rng, 0.3, 1.4),
            sustain=0.0,
            release_s=log_uniform(rng, 0.08, 0.3),
        )
    )


def keys(rng: np.random.Generator, role: str) -> Part:
    """Digital pianos and clavinets: quick bright attack, long body."""
    return _part(
        Fm(
            ratio=_ratio(rng, 1, 2, 3),
            depth=(log_uniform(rng, 1.0, 4.0), float(rng.uniform(0.2, 0.8))),
            depth_s=log_uniform(rng, 0.03, 0.25),
            second=_ratio(rng, 1, 2, 5),
            second_depth=float(rng.uniform(0.2, 1.0)),
            pair_cents=log_uniform(rng, 1.0, 7.0),
            attack_s=0.001,
            decay_s=log_uniform(rng, 0.25, 1.0),
            sustain=0.0,
            release_s=log_uniform(rng, 0.06, 0.25),
        )
    )


def bell(rng: np.random.Generator, role: str) -> Part:
    """Glassy plucks and bells with decaying depth."""
    return _part(
        Fm(
            ratio=_ratio(rng, 2, 3, 3.5, 4, 5, 7),
            depth=(log_uniform(rng, 0.8, 4.0), float(rng.uniform(0.0, 0.3))),
            depth_s=log_uniform(rng, 0.03, 0.4),
            pair_cents=log_uniform(rng, 2.0, 10.0) if rng.random() < 0.6 else 0.0,
            attack_s=0.0008,
            decay_s=log_uniform(rng, 0.08, 0.7),
            sustain=0.0,
            release_s=log_uniform(rng, 0.1, 0.5),
        )
    )


def pad(rng: np.random.Generator, role: str) -> Part:
    """Soft moving pads of detuned pairs."""
    return _part(
        Fm(
            ratio=_ratio(rng, 1, 2, 3),
            depth=(log_uniform(rng, 0.2, 1.5), log_uniform(rng, 0.4, 2.5)),
            depth_s=log_uniform(rng, 0.3, 1.5),
            pair_cents=log_uniform(rng, 5.0, 20.0),
            lfo_cycles=float(rng.choice([0.0, 0.5, 1.0, 2.0])),
            attack_s=log_uniform(rng, 0.04, 0.4),
            release_s=log_uniform(rng, 0.2, 0.6),
        )
    )


def whistle(rng: np.random.Generator, role: str) -> Part:
    """Almost sines with a chirp at the start."""
    return _part(
        Fm(
            ratio=_ratio(rng, 1, 2, 3),
            depth=(float(rng.uniform(0.1, 1.2)), float(rng.uniform(0.02, 0.4))),
            depth_s=0.08,
            glide_st=float(rng.choice([-3.0, -2.0, 2.0, 4.0])),
            glide_s=log_uniform(rng, 0.01, 0.03),
            attack_s=log_uniform(rng, 0.002, 0.03),
            release_s=log_uniform(rng, 0.05, 0.15),
        )
    )


def donk(rng: np.random.Generator, role: str) -> Part:
    """The bouncing bass: depth and pitch fall quickly."""
    return _part(
        Fm(
            ratio=_ratio(rng, 1, 2, 2, 3),
            depth=(log_uniform(rng, 1.5, 7.0), float(rng.uniform(0.2, 1.0))),
            depth_s=log_uniform(rng, 0.02, 0.12),
            second=_ratio(rng, 0, 1, 4),
            second_depth=float(rng.uniform(0.2, 1.0)),
            glide_st=float(rng.uniform(2.0, 14.0)) if rng.random() < 0.6 else 0.0,
            glide_s=log_uniform(rng, 0.006, 0.02),
            decay_s=log_uniform(rng, 0.08, 0.4),
            sustain=float(rng.uniform(0.1, 0.6)),
            release_s=log_uniform(rng, 0.03, 0.1),
        )
    )


def slap(rng: np.random.Generator, role: str) -> Part:
    """Plucked Brazilian basses: strong second and third harmonics, decay of 120 to 180 ms."""
    return _part(
        Fm(
            ratio=_ratio(rng, 1, 2, 3),
            depth=(log_uniform(rng, 2.0, 6.0), float(rng.uniform(0.4, 1.5))),
            depth_s=log_uniform(rng, 0.03, 0.1),
            carrier=_ratio(rng, 1, 2, 2, 3),
            carrier_level=float(rng.uniform(0.35, 0.6)),
            decay_s=float(rng.uniform(0.12, 0.18)),
            sustain=float(rng.uniform(0.1, 0.35)),
            release_s=log_uniform(rng, 0.03, 0.08),
        )
    )


def reese(rng: np.random.Generator, role: str) -> Part:
    """Phase modulated pairs that beat against each other."""
    return _part(
        Fm(
            ratio=_ratio(rng, 1, 1, 2),
            depth=(log_uniform(rng, 0.6, 2.5), log_uniform(rng, 0.6, 2.5)),
            depth_s=0.5,
            pair_cents=log_uniform(rng, 14.0, 45.0),
            lfo_cycles=float(rng.choice([0.0, 0.0, 0.5, 1.0])),
            attack_s=log_uniform(rng, 0.003, 0.03),
            release_s=log_uniform(rng, 0.05, 0.15),
        )
    )


def low(rng: np.random.Generator, role: str) -> Part:
    """Rounded sines with a little second harmonic; the swell varies."""
    return _part(
        Fm(
            ratio=_ratio(rng, 1, 1, 2),
            depth=(float(rng.uniform(0.1, 1.0)), float(rng.uniform(0.05, 0.6))),
            depth_s=log_uniform(rng, 0.05, 0.5),
            attack_s=log_uniform(rng, 0.003, 0.012),
            decay_s=log_uniform(rng, 0.2, 1.0),
            sustain=float(rng.uniform(0.6, 1.0)),
            release_s=log_uniform(rng, 0.03, 0.1),
        )
    )


def swell(rng: np.random.Generator, role: str) -> Part:
    """Modulated basses that come in over 20 to 40 ms."""
    return _part(
        Fm(
            ratio=_ratio(rng, 1, 1, 2),
            depth=(log_uniform(rng, 0.5, 3.0), log_uniform(rng, 0.4, 2.0)),
            depth_s=log_uniform(rng, 0.05, 0.4),
            pair_cents=log_uniform(rng, 4.0, 16.0) if rng.random() < 0.5 else 0.0,
            attack_s=float(rng.uniform(0.02, 0.04)),
            release_s=log_uniform(rng, 0.03, 0.08),
        )
    )


def rolling(rng: np.random.Generator, role: str) -> Part:
    """Tight modulated basses."""
    return _part(
        Fm(
            ratio=_ratio(rng, 1, 2, 3, 0.5),
            depth=(log_uniform(rng, 0.8, 4.0), float(rng.uniform(0.1, 0.8))),
            depth_s=log_uniform(rng, 0.03, 0.15),
            decay_s=log_uniform(rng, 0.08, 0.4),
            sustain=float(rng.uniform(0.0, 0.6)),
            release_s=log_uniform(rng, 0.02, 0.07),
        )
    )
