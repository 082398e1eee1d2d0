"""Drum kits for training: synthesised, sampled and layered hits with wide parameters, shared by all genres."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .dsp import SAMPLE_RATE_HZ, Array, Audio, fade_edges, filtered, stereo
from .families.base import log_uniform
from .families.finish import driven
from .samples import DRUM_SHOTS, KIT_NOTES, KITS, SampleBank, resampled

# Sampled roles that serve a part of the kit, and the longest useful sound in seconds.
SAMPLED: dict[str, tuple[tuple[str, ...], float]] = {
    "clap": (("clap", "snare", "rim"), 0.4),
    "snare": (("snare",), 0.4),
    "closed_hat": (("closed_hat",), 0.14),
    "open_hat": (("open_hat",), 0.5),
    "shaker": (("shaker", "closed_hat"), 0.16),
    "perc_a": (("perc", "rim", "tom"), 0.4),
    "perc_b": (("perc", "tom"), 0.4),
    "ride": (("ride",), 0.7),
    "crash": (("crash",), 2.4),
}
ORDER = (
    "kick", "clap", "snare", "closed_hat", "open_hat", "shaker", "perc_a", "perc_b", "ride", "crash", "impact",
)  # fmt: skip


@dataclass(frozen=True)
class KickWish:
    """What a genre asks of its kick.

    decay_s: time constant of the body; tone_hz: pitch of a tonal tail or None; hardness 0..1: drive and click;
    softness 0..1: rounds the attack and darkens it.
    """

    decay_s: float = 0.15
    tone_hz: float | None = None
    hardness: float = 0.4
    softness: float = 0.2


def _times(seconds: float) -> Array:
    return np.arange(int(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ


def _noise(rng: np.random.Generator, length: int, width: float) -> Audio:
    """Noise (length, 2) between mono (width 0) and independent sides (1)."""
    both = rng.standard_normal((length, 1), dtype=np.float32)
    return (1.0 - width) * both + width * rng.standard_normal((length, 2), dtype=np.float32)


def _metal(rng: np.random.Generator, time_s: Array, base_hz: float) -> Array:
    """Clashing squares of a drum machine's cymbal (n,)."""
    ratios = np.sort(rng.uniform(1.0, 6.0, int(rng.integers(4, 9))))
    phases = rng.uniform(0.0, 2.0 * np.pi, len(ratios))
    return sum(np.sign(np.sin(2.0 * np.pi * base_hz * r * time_s + p)) for r, p in zip(ratios, phases, strict=True))


def _finished(audio: Audio, tail: int = 180) -> Audio:
    """Peak 1, silent end."""
    out = fade_edges(audio, 0, min(tail, len(audio)))
    return out / np.float32(np.abs(out).max() + 1e-9)


def _kick_body(rng: np.random.Generator, wish: KickWish) -> Audio:
    """Falling sine (n, 2) from one of several sweeps, saturated as hard as wished."""
    end_hz = wish.tone_hz if wish.tone_hz else float(rng.uniform(42.0, 62.0))
    time_s = _times(float(np.clip(3.4 * wish.decay_s, 0.12, 0.9)))
    start_hz = end_hz * log_uniform(rng, 2.0, 9.0 - 4.0 * wish.softness)
    fast_s = log_uniform(rng, 0.004, 0.03)
    if rng.random() < 0.4:
        # Two stages: a click-like drop on top of a slow one.
        slow_s = log_uniform(rng, 0.03, 0.07)
        sweep = 0.7 * np.exp(-time_s / fast_s) + 0.3 * np.exp(-time_s / slow_s)
    elif rng.random() < 0.5:
        sweep = 1.0 / (1.0 + time_s / fast_s) ** 2
    else:
        sweep = np.exp(-time_s / fast_s)
    pitch = end_hz + (start_hz - end_hz) * sweep
    phase = 2.0 * np.pi * np.cumsum(pitch) / SAMPLE_RATE_HZ + float(rng.uniform(0.2, 0.7))
    bent = phase + float(rng.uniform(0.0, 0.6)) * wish.hardness * np.sin(phase)
    body = np.sin(bent) * np.exp(-((time_s / wish.decay_s) ** float(rng.uniform(0.9, 2.2))))
    gain = 1.1 + wish.hardness * log_uniform(rng, 3.0, 14.0)
    body = np.tanh(body * gain + float(rng.uniform(0.0, 0.3)) * wish.hardness) / np.tanh(gain)
    rise = np.clip(time_s / (0.0006 + 0.003 * wish.softness), 0.0, 1.0)
    if wish.hardness > 0.6 and rng.random() < 0.5:
        grit = driven(body[None].astype(np.float32), wish.hardness, str(rng.choice(["fold", "clip", "crush"])))[0]
        body = 0.6 * body + 0.4 * filtered(grit, "highpass", 120.0)
    return stereo((body * rise).astype(np.float32))


def _kick_click(rng: np.random.Generator, wish: KickWish) -> Audio:
    """Noise tick, high knock or both (n, 2)."""
    time_s = _times(0.03)
    low = log_uniform(rng, 500.0, 4000.0)
    tick = filtered(rng.standard_normal(len(time_s)), "bandpass", low, min(low * 5.0, 15000.0))
    tick *= np.exp(-time_s / log_uniform(rng, 0.0008, 0.006))
    knock_hz = log_uniform(rng, 400.0, 3000.0)
    knock = np.sin(2.0 * np.pi * knock_hz * time_s) * np.exp(-time_s / log_uniform(rng, 0.001, 0.006))
    mix = float(rng.random())
    return stereo(mix * tick / np.abs(tick).max() + (1.0 - mix) * knock)


def draw_kick(rng: np.random.Generator, wish: KickWish, bank: SampleBank | None) -> Audio:
    """A kick: synthesised, a sampled shot, or a sampled click over a synthesised body. Returns (n, 2), peak 1."""
    body = _kick_body(rng, wish)
    level = (0.1 + 0.9 * wish.hardness) * (1.0 - 0.75 * wish.softness) * float(rng.uniform(0.3, 1.1))
    click = _kick_click(rng, wish) * np.float32(level)
    body[: len(click)] += click[: len(body)]
    way = rng.random() if bank is not None else 1.0
    if bank is not None and way < 0.45:
        shot = _sampled_kick(rng, bank)
        if wish.tone_hz is None and way < 0.25:
            # The recording alone, shaped to the wished length.
            time_s = _times(float(np.clip(3.4 * wish.decay_s, 0.12, 0.6)))[: len(shot)]
            body = shot[: len(time_s)] * np.exp(-((time_s / (1.3 * wish.decay_s)) ** 2))[:, None].astype(np.float32)
            body = driven(body.T, 0.7 * wish.hardness, "tanh").T
        else:
            top = filtered(shot[: len(body)], "highpass", log_uniform(rng, 150.0, 900.0))
            top *= np.exp(-_times(1.0)[: len(top)] / 0.05)[:, None].astype(np.float32)
            gain = float(rng.uniform(0.2, 0.8)) * (1.0 - 0.6 * wish.softness)
            body[: len(top)] += top * np.float32(gain / (np.abs(top).max() + 1e-9))
    if wish.softness > 0.4:
        body = filtered(body, "lowpass", log_uniform(rng, 700.0, 4000.0))
    return _finished(np.asarray(body, dtype=np.float32), int(0.03 * SAMPLE_RATE_HZ))


def _sampled_kick(rng: np.random.Generator, bank: SampleBank) -> Audio:
    names = [f"kit{kit}:{note}" for kit in KITS for note in KIT_NOTES["kick"]] + [*DRUM_SHOTS["kick"]] * 2
    return resampled(bank.hit(names[int(rng.integers(len(names)))]), 2.0 ** float(rng.uniform(-0.2, 0.2)))


def _clap(rng: np.random.Generator) -> Audio:
    """Two to five bursts and a tail, or a snap."""
    time_s = _times(0.4)
    tail_s, gap_s = log_uniform(rng, 0.025, 0.16), float(rng.uniform(0.006, 0.014))
    bursts = int(rng.integers(1, 6))
    shape = float(rng.uniform(0.3, 1.0)) * np.exp(-time_s / tail_s) * (time_s >= gap_s * (bursts - 1))
    for index in range(bursts):
        since = time_s - index * gap_s * float(rng.uniform(0.9, 1.1))
        shape = np.maximum(shape, np.exp(-np.clip(since, 0.0, None) / 0.004) * (since >= 0))
    low = log_uniform(rng, 400.0, 1800.0)
    tone = filtered(_noise(rng, len(time_s), float(rng.random())), "bandpass", low, low * log_uniform(rng, 2.0, 9.0))
    return tone * shape[:, None].astype(np.float32)


def _snare(rng: np.random.Generator) -> Audio:
    """Tuned body with a falling pitch under filtered noise."""
    time_s = _times(0.35)
    tone_hz, fall = log_uniform(rng, 140.0, 330.0), float(rng.uniform(0.0, 1.2))
    pitch = tone_hz * (1.0 + fall * np.exp(-time_s / 0.012))
    tone = np.sin(2.0 * np.pi * np.cumsum(pitch) / SAMPLE_RATE_HZ)
    tone += float(rng.uniform(0.0, 0.6)) * np.sin(2.0 * np.pi * np.cumsum(pitch * 1.58) / SAMPLE_RATE_HZ)
    tone *= np.exp(-time_s / log_uniform(rng, 0.02, 0.12))
    noise = filtered(_noise(rng, len(time_s), float(rng.random())), "highpass", log_uniform(rng, 500.0, 4000.0))
    noise *= np.exp(-time_s / log_uniform(rng, 0.03, 0.16))[:, None].astype(np.float32)
    return stereo(tone * float(rng.uniform(0.2, 1.0))) + noise * np.float32(rng.uniform(0.2, 0.7))


def _hat(rng: np.random.Generator, decay_s: float) -> Audio:
    """Cymbal ticks from pure noise to ringing metal."""
    time_s = _times(min(0.6, 5.0 * decay_s))
    blend = float(rng.random())
    metal = _metal(rng, time_s, log_uniform(rng, 350.0, 1600.0))[:, None] / 3.0
    tone = (1.0 - blend) * _noise(rng, len(time_s), float(rng.random())) + blend * metal
    low = log_uniform(rng, 3500.0, 9500.0)
    order = int(rng.integers(1, 4))
    tone = filtered(tone, "highpass", low, order=order)
    if rng.random() < 0.4:
        tone = filtered(tone, "lowpass", min(17000.0, low * log_uniform(rng, 1.4, 3.0)))
    shape = np.exp(-((time_s / decay_s) ** float(rng.uniform(0.6, 1.4)))) * np.clip(time_s / 0.0006, 0.0, 1.0)
    return tone * shape[:, None].astype(np.float32)


def _shaker(rng: np.random.Generator) -> Audio:
    """Soft grains of noise, sometimes a double shake."""
    time_s = _times(0.14)
    low = log_uniform(rng, 2500.0, 7000.0)
    noise = filtered(_noise(rng, len(time_s), float(rng.random())), "bandpass", low, low * log_uniform(rng, 1.3, 3.0))
    shape = np.clip(time_s / log_uniform(rng, 0.002, 0.03), 0.0, 1.0) * np.exp(-time_s / log_uniform(rng, 0.012, 0.05))
    if rng.random() < 0.25:
        shape = shape + 0.6 * np.roll(shape, int(0.03 * SAMPLE_RATE_HZ)) * (time_s > 0.03)
    return noise * shape[:, None].astype(np.float32)


def _perc(rng: np.random.Generator) -> Audio:
    """Rims, congas, toms, blips, cowbells and zaps."""
    time_s = _times(0.35)
    pitch_hz = log_uniform(rng, 120.0, 2400.0)
    fall = float(rng.choice([0.0, 0.2, 0.6, 3.0])) * np.exp(-time_s / log_uniform(rng, 0.005, 0.05))
    phase = 2.0 * np.pi * np.cumsum(pitch_hz * (1.0 + fall)) / SAMPLE_RATE_HZ
    other = log_uniform(rng, 1.3, 3.2)
    kind = int(rng.integers(4))
    if kind == 0:
        tone = np.sin(phase) + 0.5 * np.sin(other * phase) * np.exp(-time_s / 0.02)
    elif kind == 1:
        tone = np.sin(phase + float(rng.uniform(0.5, 4.0)) * np.exp(-time_s / 0.03) * np.sin(other * phase))
    elif kind == 2:
        tone = np.tanh(3.0 * np.sin(phase)) + np.tanh(3.0 * np.sin(1.48 * phase))
    else:
        noise = rng.standard_normal(len(time_s))
        tone = filtered(noise, "bandpass", pitch_hz, pitch_hz * float(rng.uniform(1.15, 2.0))) * 3.0
    tone = tone * np.exp(-time_s / log_uniform(rng, 0.008, 0.1))
    return stereo(fade_edges(tone, 12, 0), float(rng.uniform(-0.6, 0.6)))


def _cymbal(rng: np.random.Generator, decay_s: float) -> Audio:
    """Crashes and rides, bright or trashy."""
    time_s = _times(min(2.6, 3.5 * decay_s))
    metal = _metal(rng, time_s, log_uniform(rng, 500.0, 2400.0))[:, None] * float(rng.uniform(0.0, 0.5))
    low = log_uniform(rng, 1500.0, 5000.0)
    tone = filtered(_noise(rng, len(time_s), 1.0) + metal, "bandpass", low, float(rng.uniform(9000.0, 16000.0)))
    return tone * np.exp(-((time_s / decay_s) ** float(rng.uniform(0.6, 1.1))))[:, None].astype(np.float32)


def _impact(rng: np.random.Generator) -> Audio:
    """Boom under dark noise."""
    time_s = _times(float(rng.uniform(1.0, 2.2)))
    low_hz, fall_s = float(rng.uniform(30.0, 50.0)), log_uniform(rng, 0.05, 0.2)
    pitch = low_hz * (1.0 + float(rng.uniform(0.5, 3.0)) * np.exp(-time_s / fall_s))
    boom = np.sin(2.0 * np.pi * np.cumsum(pitch) / SAMPLE_RATE_HZ) * np.exp(-time_s / log_uniform(rng, 0.2, 0.6))
    noise = filtered(_noise(rng, len(time_s), 1.0), "lowpass", log_uniform(rng, 800.0, 7000.0))
    noise *= np.exp(-time_s / log_uniform(rng, 0.15, 0.6))[:, None].astype(np.float32)
    return stereo(boom * float(rng.uniform(0.2, 0.9))) + 0.6 * noise


def _sampled_hit(rng: np.random.Generator, part: str, bank: SampleBank) -> Audio:
    """A recorded hit at another speed, shortened."""
    roles, longest_s = SAMPLED[part]
    role = roles[int(rng.integers(len(roles)))]
    names = [f"kit{kit}:{note}" for kit in KITS for note in KIT_NOTES[role]] + [*DRUM_SHOTS[role]] * 2
    shot = bank.hit(names[int(rng.integers(len(names)))])
    shot = resampled(shot, 2.0 ** float(rng.uniform(-0.4, 0.5)))[: int(longest_s * SAMPLE_RATE_HZ)]
    if rng.random() < 0.6:
        life_s = longest_s * log_uniform(rng, 0.15, 0.8)
        shot = shot * np.exp(-_times(longest_s + 0.01)[: len(shot)] / life_s)[:, None].astype(np.float32)
    return shot


def _synthesised_hit(rng: np.random.Generator, part: str) -> Audio:
    if part == "clap":
        return _clap(rng)
    if part == "snare":
        return _snare(rng)
    if part == "closed_hat":
        return _hat(rng, log_uniform(rng, 0.01, 0.055))
    if part == "open_hat":
        return _hat(rng, log_uniform(rng, 0.06, 0.22))
    if part == "shaker":
        return _shaker(rng)
    if part == "ride":
        return _cymbal(rng, log_uniform(rng, 0.1, 0.35))
    if part == "crash":
        return _cymbal(rng, log_uniform(rng, 0.4, 1.2))
    if part == "impact":
        return _impact(rng)
    return _perc(rng)


def _coloured(rng: np.random.Generator, shot: Audio, part: str) -> Audio:
    """A little drive, crushing, filtering, room or width."""
    if rng.random() < 0.3:
        shot = driven(shot.T, float(rng.uniform(0.05, 0.5)), str(rng.choice(["tanh", "crush", "uneven"]))).T
    if rng.random() < 0.3:
        shot = filtered(shot, "highpass", log_uniform(rng, 120.0, 2500.0 if "hat" in part else 500.0))
    if rng.random() < 0.25:
        shot = filtered(shot, "lowpass", log_uniform(rng, 6000.0 if part != "impact" else 1500.0, 15000.0))
    if part in ("clap", "snare", "perc_a", "perc_b") and rng.random() < 0.35:
        # A short room: decaying noise after the hit.
        time_s = _times(0.25)
        room = filtered(_noise(rng, len(time_s), 1.0), "bandpass", 500.0, log_uniform(rng, 2000.0, 8000.0))
        room *= (np.exp(-time_s / log_uniform(rng, 0.03, 0.1)) * (time_s > 0.01))[:, None].astype(np.float32)
        wet = np.zeros((max(len(shot), len(room)), 2), dtype=np.float32)
        wet[: len(shot)] = shot / np.float32(np.abs(shot).max() + 1e-9)
        wet[: len(room)] += room * np.float32(rng.uniform(0.05, 0.25) / np.abs(room).max())
        shot = wet
    middle = shot.mean(axis=1, keepdims=True)
    return middle + (shot - middle) * np.float32(rng.uniform(0.3, 1.3))


def draw_kit(rng: np.random.Generator, *, kick: KickWish, bank: SampleBank | None = None) -> dict[str, Audio]:
    """All one-shots of a track by name, each (n, 2) float32 at a peak of 1, starting on its attack.

    kick: what the kick should be like; bank: recorded hits to use for about two parts in five.
    """
    kit: dict[str, Audio] = {}
    for part in ORDER:
        if part == "kick":
            kit[part] = draw_kick(rng, kick, bank)
            continue
        if bank is not None and part in SAMPLED and rng.random() < 0.42:
            shot = _sampled_hit(rng, part, bank)
        else:
            shot = _synthesised_hit(rng, part)
        if part in ("clap", "snare") and rng.random() < 0.25:
            layer = _synthesised_hit(rng, "snare" if part == "clap" else "clap")
            mixed = np.zeros((max(len(shot), len(layer)), 2), dtype=np.float32)
            mixed[: len(shot)] = shot / np.float32(np.abs(shot).max() + 1e-9)
            mixed[: len(layer)] += layer * np.float32(rng.uniform(0.2, 0.7) / np.abs(layer).max())
            shot = mixed
        kit[part] = _finished(np.asarray(_coloured(rng, shot, part), dtype=np.float32), len(shot) // 6)
    return kit
