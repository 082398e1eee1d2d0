"""The voices and insert effects of the groovebox: each voice a closure wired at random. Zone: trainer.

A voice takes (hz, gate_s, accent 0..1, slide_hz) and gives a mono note (n,) that has rung out at its end.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import fft, signal

from trainer.synth.dsp import SAMPLE_RATE_HZ, filtered

Sound = NDArray[np.float32]
Rng = np.random.Generator
Voice = Callable[[float, float, float, float], Sound]

ACOUSTIC = ("string", "guitar", "piano", "mallet", "bowed", "organ", "pipe")
SYNTHETIC = ("mono", "acid", "hyper", "pwm", "fm", "sync", "reed", "vowel", "whistle", "growl", "donk", "soft")


def active_rms(sound: Sound) -> float:
    """RMS over the samples that sound at all (above 3 % of the peak), so that gaps do not count."""
    size = np.abs(sound)
    loud = size[size > 0.03 * float(size.max(initial=0.0))]
    return float(np.sqrt(np.mean(loud.astype(np.float64) ** 2))) if loud.size else 1e-9


def resonant(sound: Sound, cutoff_hz: NDArray[np.floating], q: float, kind: str = "low", block: int = 128) -> Sound:
    """Two-pole filter whose cutoff moves block by block.

    sound: (n,) or (n, c); cutoff_hz: any number of points, stretched over the sound; kind: low, high or band.
    """
    count = -(-len(sound) // block)
    points = np.interp(np.linspace(0, 1, count), np.linspace(0, 1, len(cutoff_hz)), cutoff_hz)
    turn = 2 * np.pi * np.clip(points, 25, 17000) / SAMPLE_RATE_HZ
    alpha, cos = np.sin(turn) / (2 * q), np.cos(turn)
    if kind == "low":
        top = np.stack([(1 - cos) / 2, 1 - cos, (1 - cos) / 2])
    elif kind == "high":
        top = np.stack([(1 + cos) / 2, -(1 + cos), (1 + cos) / 2])
    else:
        top = np.stack([alpha, 0 * alpha, -alpha])
    top = (top / (1 + alpha)).T
    low = np.stack([1 + 0 * cos, -2 * cos / (1 + alpha), (1 - alpha) / (1 + alpha)]).T
    state = np.zeros((2, *sound.shape[1:]))
    out = np.empty(sound.shape, np.float32)
    for index in range(count):
        span = slice(index * block, (index + 1) * block)
        out[span], state = signal.lfilter(top[index], low[index], sound[span], axis=0, zi=state)
    return out


def _clock(seconds: float) -> NDArray[np.float64]:
    return np.arange(max(64, int(seconds * SAMPLE_RATE_HZ))) / SAMPLE_RATE_HZ


def _gate(
    time: NDArray[np.float64], gate_s: float, attack: float, decay: float, sustain: float, release: float
) -> Sound:
    body = np.minimum(time / max(attack, 0.0015), 1) * (sustain + (1 - sustain) * np.exp(-time / decay))
    tail = np.exp(-np.maximum(time - gate_s, 0) / (release / 4)) * np.clip((time[-1] - time) / 0.004, 0, 1)
    return (body * tail).astype(np.float32)


def _pitch(
    time: NDArray[np.float64], hz: float, slide_hz: float, glide: float, vibrato: float = 0.0
) -> NDArray[np.float64]:
    bend = np.log2(slide_hz / hz) * np.exp(-time / glide) if slide_hz > 0 else np.zeros_like(time)
    if vibrato:
        bend = bend + vibrato / 12 * np.sin(2 * np.pi * 5.4 * time) * np.clip(time / 0.3, 0, 1)
    return np.asarray(hz * 2.0**bend / SAMPLE_RATE_HZ)


def _saw(step: NDArray[np.float64], phase: float = 0.0) -> NDArray[np.float64]:
    """Saw with its edge rounded over one sample either side, which keeps aliasing down."""
    place = (np.cumsum(step) + phase) % 1.0
    wave = 2 * place - 1
    near = place < step
    edge = place[near] / step[near]
    wave[near] -= edge + edge - edge * edge - 1
    near = place > 1 - step
    edge = (place[near] - 1) / step[near]
    wave[near] -= edge * edge + edge + edge + 1
    return wave


def _formants(sound: NDArray[np.floating], peaks: list[tuple[float, float, float]]) -> Sound:
    out = 0.08 * np.asarray(sound, np.float32)
    for centre, width, gain in peaks:
        b, a = signal.iirpeak(centre, centre / width, fs=SAMPLE_RATE_HZ)
        out = out + gain * signal.lfilter(b, a, sound).astype(np.float32)
    return out


def _subtractive(name: str, rng: Rng, low: bool) -> Voice:
    attack = float(rng.choice([0.002, 0.006, 0.03]))
    decay, sustain = float(rng.uniform(0.08, 0.5)), float(rng.uniform(0.1, 0.9))
    release = float(rng.uniform(0.05, 0.35))
    base, sweep = float(rng.uniform(1.2, 6)), float(2 ** rng.uniform(0.5, 4.5))
    q = float(rng.uniform(0.7, 3.0) if name != "acid" else rng.uniform(4, 11))
    decay_f = float(rng.uniform(0.04, 0.35))
    glide, width = float(rng.uniform(0.02, 0.07)), float(rng.uniform(0.05, 0.48))
    rate, depth = float(rng.uniform(0.3, 6)), float(rng.uniform(0.05, 0.4))
    count = int(rng.integers(5, 10))
    cents, sub = float(rng.uniform(8, 30)), float(rng.uniform(0, 0.7))
    phases = rng.random(12)
    lfo = float(rng.choice([4.2, 8.4, 12.6]))
    ratio = float(rng.uniform(1.3, 3.7))
    throat = rng.uniform([300, 900, 2200], [800, 1900, 3200])
    vowel = [(float(throat[0]), 90.0, 1.0), (float(throat[1]), 120.0, 0.8), (float(throat[2]), 160.0, 0.5)]
    if name == "donk":
        attack, decay, sustain, release, decay_f = 0.001, float(rng.uniform(0.06, 0.16)), 0.05, 0.08, 0.05
    if name in ("reed", "sync"):
        attack, sustain, decay = 0.001, 0.85, 0.4
    if name == "soft":
        attack, sustain, sweep, base, release = float(rng.uniform(0.02, 0.12)), 0.85, 1.6, 2.5, 0.4

    def play(hz: float, gate_s: float, accent: float, slide_hz: float) -> Sound:
        time = _clock(gate_s + release)
        step = _pitch(time, hz, slide_hz, glide, 0.25 if name in ("reed", "vowel") else 0.0)
        if name == "hyper":
            spread = np.linspace(-1, 1, count)
            wave = sum(
                _saw(step * 2 ** (cents * s / 1200), p) * (1 - 0.4 * abs(s))
                for s, p in zip(spread, phases, strict=False)
            )
        elif name in ("pwm", "donk"):
            duty = depth * 0.9 * np.sin(2 * np.pi * rate * time + phases[0]) if name == "pwm" else np.zeros_like(time)
            wave = _saw(step) - _saw(np.maximum(step - np.gradient(duty), 1e-5), 0.5)
        elif name == "sync":
            slave = (np.cumsum(step) % 1.0) * (ratio * (1 + 1.5 * accent * np.exp(-time / 0.2)))
            wave = 2 * (slave % 1.0) - 1
        elif name in ("reed", "vowel"):
            wave = _saw(step) - _saw(step, width)
        elif name in ("growl", "soft"):
            wave = _saw(step) + _saw(step * 2 ** (cents / 1500), 0.3) + _saw(step * 2 ** (-cents / 1800), 0.7)
        elif name == "whistle":
            wave = np.sin(2 * np.pi * np.cumsum(step)) + depth * np.sin(4 * np.pi * np.cumsum(step))
        else:
            wave = _saw(step) + sub * np.sign(np.sin(np.pi * np.cumsum(step)))
        wave = np.asarray(wave, dtype=np.float32)
        if name == "reed":
            wave = _formants(wave, [(1150, 260, 1.0), (2100, 420, 0.9), (3100, 500, 0.35)])
        elif name == "vowel":
            wave = _formants(wave, vowel)
        elif name != "whistle":
            spot = time[::128]
            floor = max(base * hz, 240.0 if low else 500.0)
            cutoff = floor * (1 + sweep * (0.4 + 0.9 * accent) * np.exp(-spot / decay_f))
            if name == "growl":
                cutoff = floor * 2 ** (1.4 + 1.7 * np.sin(2 * np.pi * lfo * spot + phases[1] * 6))
            wave = resonant(wave, cutoff, q)
        return np.asarray(
            wave * _gate(time, gate_s, attack, decay, sustain, release) * (0.65 + 0.35 * accent), np.float32
        )

    return play


def _fm(rng: Rng) -> Voice:
    """Four operators; which modulates which, and which of them are heard, is drawn."""
    ratio = rng.choice([0.5, 1, 1, 2, 3, 4, 5, 7, 1.414, 3.5], 4)
    ratio[0] = 1.0
    wires = np.triu(rng.random((4, 4)) < 0.55, 1) * rng.uniform(0.3, 3.2, (4, 4))
    heard = rng.random(4) < 0.3
    heard[0] = True
    decay, hold = rng.uniform(0.05, 0.7, 4), rng.uniform(0, 0.6, 4)
    attack, release, sustain = (
        float(rng.choice([0.001, 0.004, 0.02])),
        float(rng.uniform(0.05, 0.3)),
        float(rng.uniform(0.1, 0.7)),
    )

    def play(hz: float, gate_s: float, accent: float, slide_hz: float) -> Sound:
        time = _clock(gate_s + release)
        turn = 2 * np.pi * np.cumsum(_pitch(time, hz, slide_hz, 0.03))
        brake = min(1.0, (700 / hz) ** 0.5)
        ops = [np.zeros_like(time)] * 4
        for one in (3, 2, 1, 0):
            bend = sum((wires[one, two] * ops[two] for two in range(one + 1, 4)), np.zeros_like(time))
            shape = hold[one] + (1 - hold[one]) * np.exp(-time / decay[one])
            ops[one] = np.sin(ratio[one] * turn + brake * (0.6 + 0.6 * accent) * bend) * shape
        wave = sum(op for op, use in zip(ops, heard, strict=True) if use)
        return np.asarray(
            wave * _gate(time, gate_s, attack, 0.3, sustain, release) * (0.65 + 0.35 * accent), np.float32
        )

    return play


def _acoustic(name: str, rng: Rng) -> Voice:
    bright, pick = float(rng.uniform(0.25, 0.75)), float(rng.uniform(0.08, 0.4))
    ring, stiff = float(rng.uniform(0.6, 2.2)), float(rng.uniform(1e-4, 8e-4))
    bars = np.array([1, 2.76, 5.4, 8.93]) if rng.random() < 0.5 else np.array([1, 3.98, 9.2])
    draws = rng.choice([0, 0.3, 0.6, 1.0], 7)
    body = [(float(f), float(f) / 4, 0.6) for f in rng.uniform([180, 420, 1100, 2400], [300, 750, 1900, 3400])]
    attack = float(rng.uniform(0.025, 0.09))
    noise_seed = int(rng.integers(1 << 30))

    def play(hz: float, gate_s: float, accent: float, slide_hz: float) -> Sound:
        time = _clock(gate_s + 0.25)
        noise = np.random.default_rng(noise_seed).standard_normal(len(time)).astype(np.float32)
        step = _pitch(
            time, hz, slide_hz if name in ("bowed", "pipe") else 0.0, 0.05, 0.18 if name in ("bowed", "pipe") else 0.0
        )
        if name in ("string", "guitar"):
            period = SAMPLE_RATE_HZ / hz - 0.5
            whole, part = int(period), period % 1.0
            excite = np.zeros(len(time), np.float32)
            burst = noise[:whole] - np.roll(noise[:whole], int(pick * whole))
            excite[:whole] = signal.lfilter([0.3 + bright * accent], [1, -(0.7 - bright * accent * 0.7)], burst)[
                : len(time)
            ]
            loss = 0.001 ** (1 / (hz * ring))
            taps = (loss * np.convolve([0.5, 0.5], [1 - part, part])).astype(np.float32)
            # a whole period at a time: each depends on the one before alone
            wave = np.concatenate([np.zeros(whole + 2, np.float32), excite])
            for at in range(whole + 2, len(wave), whole):
                size = min(whole, len(wave) - at)
                for lag, tap in enumerate(taps):
                    wave[at : at + size] += tap * wave[at - whole - lag : at - whole - lag + size]
            wave = wave[whole + 2 :]
            if name == "guitar":
                wave = wave + _formants(wave, body)
            shape = _gate(time, gate_s, 0.001, 5.0, 1.0, 0.2)
        elif name in ("piano", "mallet"):
            count = int(min(10, 12000 / hz)) if name == "piano" else len(bars)
            order = np.arange(1, count + 1)
            partials = order * np.sqrt(1 + stiff * order**2) if name == "piano" else bars
            wave = np.zeros(len(time))
            for index, partial in enumerate(partials):
                fade = np.exp(-time * (2.2 + partial * (2.0 if name == "piano" else 3.5)) / (2 * ring))
                size = (0.3 + 0.5 * bright + 0.2 * accent) ** index * abs(
                    np.sin(np.pi * (index + 1) * (pick + 0.05)) + 0.2
                )
                if partial * hz < 16000:
                    wave += size * fade * np.sin(2 * np.pi * hz * partial * time * (1 + 2e-4 * (index % 2)))
            wave += 0.12 * accent * noise * np.exp(-time / 0.006)
            shape = _gate(time, gate_s, 0.001, 5.0, 1.0, 0.25)
        elif name == "bowed":
            wave = np.sum([_saw(step * 2 ** (c / 1200), p) for c, p in ((-6, 0.1), (0, 0.5), (7, 0.8))], axis=0)
            wave = _formants(np.asarray(wave) + 0.06 * noise, body)
            wave = signal.lfilter([0.35], [1, -0.65], wave)
            shape = _gate(time, gate_s, attack, 2.0, 0.9, 0.25)
        elif name == "organ":
            turn = 2 * np.pi * np.cumsum(step)
            wave = sum(d * np.sin(turn * k) for d, k in zip(draws, (0.5, 1, 1.5, 2, 3, 4, 6), strict=True)) + np.sin(
                turn
            )
            wave = wave + 0.5 * noise * np.exp(-time / 0.004)
            shape = _gate(time, gate_s, 0.004, 5.0, 1.0, 0.06)
        else:
            turn = 2 * np.pi * np.cumsum(step)
            wave = np.sum([np.sin(turn * k) * (0.25 + 0.35 * bright) ** (k - 1) for k in range(1, 6)], axis=0)
            wave = wave + 0.25 * filtered(noise, "bandpass", min(hz, 4000), min(3 * hz, 9000)) * (
                0.4 + np.exp(-time / 0.05)
            )
            shape = _gate(time, gate_s, attack, 2.0, 0.9, 0.12)
        return np.asarray(wave * shape * (0.7 + 0.3 * accent), np.float32)

    return play


def make_voice(name: str, rng: Rng, low: bool = False) -> Voice:
    """Wire a voice: name of ACOUSTIC or SYNTHETIC; low: it plays the bass. Notes come out at equal loudness."""
    raw = _acoustic(name, rng) if name in ACOUSTIC else _fm(rng) if name == "fm" else _subtractive(name, rng, low)

    def play(hz: float, gate_s: float, accent: float, slide_hz: float) -> Sound:
        note = raw(hz, gate_s, accent, slide_hz)
        return np.asarray(note * np.float32((0.2 + 0.08 * accent) / (active_rms(note) + 1e-9)))

    return play


DRIVES = ("tanh", "clip", "fold", "diode", "crush")


def drive(sound: Sound, amount: float, kind: str) -> Sound:
    """Distort (n, c) sound by an amount 0..1; kind: one of DRIVES. Comes out at an active RMS of 1."""
    if amount > 0.01:
        level = sound * np.float32((1 + 14 * amount) * 0.3 / active_rms(sound))
        if kind == "clip":
            hot = np.clip(level, -1, 1)
        elif kind == "fold":
            hot = np.tanh(level) + np.float32(0.45 * amount) * np.sin(np.float32(2.6) * level)
        elif kind == "diode":
            hot = np.tanh(level + np.float32(0.4)) - np.float32(np.tanh(0.4))
        elif kind == "crush":
            steps = np.float32(2 ** (7 - 4.5 * amount))
            hot = np.round(np.tanh(level) * steps) / steps
            if amount > 0.5:
                hot = np.repeat(hot[::3], 3, axis=0)[: len(hot)]
        else:
            hot = np.tanh(level)
        sound = hot - hot.mean(axis=0)
    return np.asarray(sound / np.float32(active_rms(sound)), np.float32)


def chorus(sound: Sound, rng: Rng) -> Sound:
    """Widen a (n, 2) loop with one moving delay per side."""
    time = np.arange(len(sound), dtype=np.float32)
    mix, rate = np.float32(rng.uniform(0.3, 0.8)), rng.uniform(0.2, 1.2)
    out = sound.copy()
    for side in (0, 1):
        lag = (
            rng.uniform(0.006, 0.016) + 0.003 * np.sin(2 * np.pi * rate / SAMPLE_RATE_HZ * time + 2 * side)
        ) * SAMPLE_RATE_HZ
        whole = lag.astype(np.int32)
        part = (lag - whole).astype(np.float32)
        place = np.arange(len(sound), dtype=np.int32) - whole
        out[:, side] += mix * (sound[place, side] * (1 - part) + sound[place - 1, side] * part)
    return out


def phaser(sound: Sound, rng: Rng) -> Sound:
    """Sweep notches through (n, 2) sound: four all-pass stages, two of them moving in one filter each way."""
    count = -(-len(sound) // 1024)
    sweep = -0.9 + 0.55 * (1 + np.sin(2 * np.pi * np.arange(count) * rng.integers(1, 6) / count)) / 2
    state, wet = np.zeros((2, 2)), np.empty_like(sound)
    for index, pole in enumerate(sweep):
        span = slice(index * 1024, (index + 1) * 1024)
        wet[span], state = signal.lfilter([pole**2, 2 * pole, 1], [1, 2 * pole, pole**2], sound[span], axis=0, zi=state)
    return sound + np.float32(rng.uniform(0.4, 0.9)) * wet


def echo(sound: Sound, step_frames: int, rng: Rng) -> Sound:
    """Ping-pong repeats of a circular (n, 2) loop, spaced three steps of step_frames or two or four."""
    out, gain, lag = sound.copy(), float(rng.uniform(0.2, 0.45)), int(rng.choice([2, 3, 3, 4, 6])) * step_frames
    for turn in range(1, 4):
        out += np.roll(sound[:, :: -1 if turn % 2 else 1], turn * lag, axis=0) * np.float32(gain**turn)
    return out


def reverb(send: Sound, seconds: float, rng: Rng) -> Sound:
    """Hall for a mono send (n,): coloured noise or a comb network, made at half the sample rate. Returns (n, 2)."""
    rate = SAMPLE_RATE_HZ // 2
    length = int(rate * min(seconds, 3.0))
    time = np.arange(length) / rate
    hall = np.empty((length, 2), np.float32)
    comb = rng.random() < 0.4
    for side in (0, 1):
        wet = rng.standard_normal(length) * np.exp(-6.9 * time / seconds)
        if comb:
            wet[int(0.03 * rate) :] = 0
            for lag_s in rng.uniform(0.029, 0.083, 5):
                lag = int(lag_s * rate)
                ticks = np.zeros(length)
                ticks[::lag] = 10 ** (-3 * time[::lag] / seconds)
                wet = wet + signal.fftconvolve(ticks, wet[: int(0.03 * rate)])[:length]
        b, a = signal.butter(1, [150 + 200 * rng.random(), rng.uniform(2200, 6500)], "bandpass", fs=rate)
        wet = signal.lfilter(b, a, wet)
        hall[:, side] = np.roll(wet, int(rng.uniform(0, 0.03) * rate)) / np.sqrt((wet**2).sum())
    half = (send[: len(send) // 2 * 2 : 2] + send[1::2]) / 2
    size = fft.next_fast_len(len(half) + length, real=True)
    spectrum = fft.rfft(half, size)
    wet = np.stack([fft.irfft(spectrum * fft.rfft(hall[:, s], size), size)[: len(half)] for s in (0, 1)], axis=1)
    out = np.zeros((len(send), 2), np.float32)
    out[: 2 * len(half) : 2] = wet
    out[1 : 2 * len(half) - 1 : 2] = (wet[1:] + wet[:-1]) / 2
    return out
