"""From a plan to sound and truth: parts, side-chain, room, drums and master. Zone: trainer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import fft, signal

from housex_blender.core.genres import GENRES
from trainer.labelled import Labelled

from .drums import make_kit, riser
from .score import FACTS, HELD, PARTS, TICKS, Arranger, Plan
from .tones import RATE_HZ, Audio, Painter, Rng, Voice, make_voice, shape, swept

if TYPE_CHECKING:
    from trainer.synth.samples import SampleBank

YOUR_NUMBER = 23


def _add(out: Audio, shot: Audio, start: int, gain: float) -> None:
    end = min(out.shape[1], start + shot.shape[1])
    if end > start >= 0:
        out[:, start:end] += shot[:, : end - start] * np.float32(gain)


def _bar_edges(plan: Plan) -> NDArray[np.int64]:
    return np.round(np.arange(len(plan.sections) + 1) * plan.bar_s * RATE_HZ).astype(np.int64)


def _rms(audio: Audio, plan: Plan, part: str | None = None) -> float:
    """RMS over the drop bars (of a part: those in which it plays; failing that, all bars in which it plays)."""
    edges = _bar_edges(plan)
    played = [n for n in range(len(plan.sections)) if part is None or plan.fineness[part][n]]
    chosen = [n for n in played if plan.sections[n] == "drop"] or played
    power = [float((audio[:, edges[n] : edges[n + 1] : 3] ** 2).mean()) for n in chosen]
    return float(np.sqrt(np.mean(power))) if power and max(power) > 0 else 1.0


def part_audio(plan: Plan, part: str, painter: Painter, kind: str) -> Audio:
    """(2, n) one part: its electronic and acoustic layer mixed by share, then waveshaped together; RMS = its level."""
    count = int(_bar_edges(plan)[-1])
    share = plan.shares[part]
    mixed = np.zeros((2, count), np.float32)
    layers: list[tuple[Voice, float]] = [(plan.voices[part], 1 - share), (plan.acoustic[part], share)]
    for voice, weight in layers:
        if weight <= 0:
            continue
        layer = np.zeros((2, count), np.float32)
        for note in plan.notes:
            if note.part == part:
                sound = painter.note(voice, note.midi, note.length / TICKS * plan.bar_s)
                _add(layer, sound, round(note.start / TICKS * plan.bar_s * RATE_HZ), note.gain)
        mixed += layer * np.float32(weight / _rms(layer, plan, part))
    mixed /= np.float32(_rms(mixed, plan, part))
    if part == "bass":
        middle = mixed.mean(axis=0)
        mixed = middle + np.float32(0.15) * (mixed - middle)
    shaped = shape(mixed, plan.drives[part], kind)
    return shaped * np.float32(plan.levels[part] / _rms(shaped, plan, part))


def duck_curve(plan: Plan, rng: Rng) -> NDArray[np.float32]:
    """(n,) gain of the side-chain: 3 (groove - 1) dB down at every kick, back by a curve of this track's own."""
    count = int(_bar_edges(plan)[-1])
    beat = round(plan.bar_s / 4 * RATE_HZ)
    time = np.arange(beat) / beat
    hold, back, bow = rng.uniform(0.02, 0.2), rng.uniform(0.6, 0.98), rng.uniform(0.7, 2.0)
    walk = np.clip((time - hold) / (back - hold), 0, 1) ** bow
    if rng.random() < 0.5:
        walk = 0.5 - 0.5 * np.cos(np.pi * walk)
    depth_db = 3.0 * (plan.groove - 1.0)
    if rng.random() < 0.5:
        one = 10 ** (-depth_db * (1 - walk) / 20)
    else:
        floor = 10 ** (-depth_db / 20)
        one = floor + (1 - floor) * walk
    one[:90] = np.linspace(1, one[90], 90)
    gain = np.ones(count, np.float32)
    for name, tick, _ in plan.hits:
        if name == "kick":
            start = round(tick / TICKS * plan.bar_s * RATE_HZ)
            gain[start : start + beat] = one[: max(0, count - start)]
    return gain


def _room(audio: Audio, rng: Rng, seconds: float) -> Audio:
    """(2, n) drawn reverb of the sum of audio, made at half the rate: bands of noise, the high ones dying sooner."""
    half = audio.shape[1] // 2
    send = audio[:, : 2 * half].mean(axis=0).reshape(half, 2).mean(axis=1)
    length = int(min(seconds, 3.0) * RATE_HZ / 2)
    time_s = np.arange(length, dtype=np.float32) / (RATE_HZ / 2)
    hz = np.arange(length // 2 + 1) * RATE_HZ / 2 / length
    response = np.zeros((2, length), np.float32)
    for centre, scale in ((400.0, 1.0), (1500.0, rng.uniform(0.6, 1)), (5500.0, rng.uniform(0.25, 0.7))):
        drawn = np.exp(-0.5 * (np.log2(np.maximum(hz, 5) / centre) / 0.8) ** 2)
        noise = fft.irfft(rng.standard_normal((2, len(hz), 2)).view(complex)[..., 0] * drawn, length, axis=1)
        response += (noise / noise.std() * np.exp(-6.9 * time_s / (seconds * scale))).astype(np.float32)
    response[:, : int(0.01 * RATE_HZ)] *= np.linspace(0, 1, int(0.01 * RATE_HZ), dtype=np.float32)
    wet = signal.oaconvolve(send[None], response, axes=1)[:, :half].astype(np.float32)
    out = np.empty_like(audio)
    out[:, 0 : 2 * half : 2] = wet
    out[:, 1 : 2 * half : 2] = wet
    out[:, 1 : 2 * half - 1 : 2] += wet[:, 1:]
    out[:, 1 : 2 * half - 1 : 2] *= 0.5
    out[:, 2 * half :] = 0
    return out


def music_bus(plan: Plan, rng: Rng) -> tuple[Audio, Painter]:
    """(2, n) all tonal parts with room and section filters, before the side-chain; the painter goes on to the drums."""
    painter = Painter(rng, max(plan.drives.values()))
    edges = _bar_edges(plan)
    kind = str(rng.choice(["tanh", "diode", "fold", "clip"]))
    bus = np.zeros((2, int(edges[-1])), np.float32)
    send = np.zeros_like(bus)
    for part in PARTS:
        if not any(plan.fineness[part]):
            continue
        audio = part_audio(plan, part, painter, kind if rng.random() < 0.6 else "tanh")
        if part == "lead" and rng.random() < 0.35:
            echo = round(plan.bar_s * RATE_HZ * float(rng.choice([3, 4, 6])) / 16)
            send[:, echo:] += np.float32(rng.uniform(0.2, 0.45)) * audio[::-1, :-echo]
            bus += send * np.float32(0.6)
        if part != "bass" and rng.random() < 0.4:
            late = int(rng.uniform(0.004, 0.014) * RATE_HZ)
            audio[1, late:] = audio[1, :-late].copy()
        bus += audio
        if part != "bass":
            send += audio * np.float32(rng.uniform(0.6, 1.0))
    wet = _room(send, rng, rng.uniform(*FACTS[plan.genre].reverb_s))
    amount = rng.uniform(0.12, 0.45) + (0.15 if plan.genre == "Deep House" else 0)
    # against the whole send: in the drop there may be nothing to send, and its tail must not be blown up
    bus += wet * np.float32(amount * np.sqrt((send[:, ::5] ** 2).mean() / ((wet[:, ::5] ** 2).mean() + 1e-12)))
    closed = {"intro": rng.random() < 0.6, "build": rng.random() < 0.6, "outro": rng.random() < 0.4}
    for section, filtered in closed.items():
        bars = [n for n, name in enumerate(plan.sections) if name == section]
        if filtered and bars:
            low, high = rng.uniform(250, 900), rng.uniform(3000, 15000)
            curve = np.array([high, low] if section == "outro" else [low, high])
            span = slice(edges[bars[0]], edges[bars[-1] + 1])
            bus[:, span] = swept(bus[:, span], curve)
    return bus, painter


def _ride_level(music: Audio, plan: Plan, most: float) -> None:
    """Turn sections of ducked music down, in place, that would be more than most times as loud as the drop."""
    edges = _bar_edges(plan)
    drop = _rms(music, plan)
    starts = [n for n, name in enumerate(plan.sections) if n == 0 or plan.sections[n - 1] != name]
    for first, last in zip(starts, [*starts[1:], len(plan.sections)], strict=True):
        span = music[:, edges[first] : edges[last]]
        loud = float(np.sqrt((span[:, ::5] ** 2).mean()))
        if plan.sections[first] != "drop" and loud > most * drop:
            span *= np.float32(most * drop / loud)


def drum_bus(plan: Plan, painter: Painter, rng: Rng) -> tuple[Audio, Audio]:
    """Two (2, n) buses: the kick, and all other drums, one-word shots and risers."""
    count = int(_bar_edges(plan)[-1])
    kit = make_kit(rng, painter, plan.kick_weight, plan.root)
    word = make_voice(str(rng.choice(["vowel", "vowel", "comb", "bell"])), rng, plan.bar_s / 4)
    kit["word"] = painter.note(word, 55 + plan.root % 12, rng.uniform(0.12, 0.4)) * np.float32(0.4)
    kit["word"] = shape(kit["word"], max(plan.drives.values()), "tanh")
    kit["word"] *= np.float32(0.6) / np.abs(kit["word"]).max()
    base = {"kick": 1.0, "clap": 0.5, "snare": 0.4, "closed": 0.3, "open": 0.38, "shaker": 0.22, "ride": 0.24,
            "perc": 0.2, "rim": 0.22, "tom": 0.35, "crash": 0.3, "word": 0.35}  # fmt: skip
    soft = 0.75 if plan.genre == "Deep House" else 1.0
    gains = {name: gain * (1.0 if name == "kick" else soft * np.exp(rng.normal(0, 0.3))) for name, gain in base.items()}
    kicks, rest = np.zeros((2, count), np.float32), np.zeros((2, count), np.float32)
    for name, tick, gain in plan.hits:
        start = round(tick / TICKS * plan.bar_s * RATE_HZ)
        if name == "riser":
            _add(rest, riser(rng, gain * plan.bar_s), start, 0.5)
        else:
            _add(kicks if name == "kick" else rest, kit[name], start, gains[name] * gain)
    return kicks, rest


def truth(plan: Plan) -> NDArray[np.float32]:
    """(n_bars, 7) in the order of ATTRIBUTES."""
    kicked = {int(tick // TICKS) for name, tick, _ in plan.hits if name == "kick"}
    rows = []
    for bar in range(len(plan.sections)):
        fine = {p: plan.fineness[p][bar] for p in PARTS if plan.fineness[p][bar]}
        if not fine:
            rows.append([np.nan] * 4 + [0.0] * 3)
            continue
        weights = np.array([plan.levels[p] for p in fine])
        weights /= weights.sum()
        moving = [level for level in fine.values() if level != HELD] or [1.0]
        rows.append([
            plan.groove if bar in kicked else 1.0,
            0.6 * max(moving) + 0.4 * float(np.mean(moving)),
            1 + 4 * float(weights @ [plan.drives[p] for p in fine]),
            1 + 4 * float(weights @ [plan.shares[p] for p in fine]),
            *(float(p in fine) for p in PARTS),
        ])  # fmt: skip
    return np.array(rows, np.float32)


def _master(mix: Audio, plan: Plan, target_db: float) -> Audio:
    """Soft clip so that the drop is at target_db RMS, peak at most 1."""
    edges = _bar_edges(plan)
    drop = [n for n, name in enumerate(plan.sections) if name == "drop"]
    heard = mix[:, edges[drop[0]] : edges[drop[-1] + 1] : 7]
    wanted = 10 ** (target_db / 20)
    gain = wanted / float(np.sqrt((heard**2).mean()))
    for _ in range(4):
        gain *= wanted / float(np.sqrt((np.tanh(heard * gain) ** 2).mean()))
    return np.tanh(mix * np.float32(gain)) * np.float32(0.99)


def plan_track(genre: str, seed: int) -> tuple[Plan, Rng]:
    """The plan of a track, and its random source as it stands after writing."""
    rng = np.random.default_rng([YOUR_NUMBER, GENRES.index(genre), seed])
    return Arranger(rng, genre).arrange(), rng


def render_track(genre: str, seed: int, bank: SampleBank | None = None) -> Labelled:
    """One excerpt of 24..40 bars around a drop. bank is not used: every sound here is drawn. Deterministic per seed."""
    plan, rng = plan_track(genre, seed)
    music, painter = music_bus(plan, rng)
    music *= duck_curve(plan, rng)
    _ride_level(music, plan, rng.uniform(0.75, 1.25))
    kicks, rest = drum_bus(plan, painter, rng)
    level = rng.uniform(0.2, 0.36)
    mix = music * np.float32(level / _rms(music, plan))
    mix += kicks * np.float32(rng.uniform(0.55, 0.85) * {"light": 0.85, "heavy": 0.75}.get(plan.kick_weight, 1.0))
    mix += rest * np.float32(rng.uniform(0.75, 1.4))
    loud = rng.uniform(-13, -8) + {"Deep House": -0.8, "Bigroom": 1.2, "Bass House": 1.0}.get(genre, 0.0)
    bars = len(plan.sections)
    return Labelled.single(
        audio=np.ascontiguousarray(_master(mix, plan, loud).T),
        sample_rate_hz=RATE_HZ,
        beats_s=np.arange(4 * bars + 1) * (plan.bar_s / 4),
        sections=plan.sections,
        shares={genre: 1.0},
        attributes=truth(plan),
        facts={
            "hand": "spectral", "seed": seed, "bpm": plan.bpm, "root": plan.root, "kick": plan.kick_weight,
            "voices": {p: plan.voices[p].name for p in PARTS}, "acoustic": {p: plan.acoustic[p].name for p in PARTS},
        },
    )  # fmt: skip
