"""Sampled voices: notes as they are, tuned one-shots, single cycles looped at pitch; drums, loops and noises.

Zone: trainer.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from trainer.synth.dsp import SAMPLE_RATE_HZ, Audio, fade_edges, filtered, midi_to_hz, swept_lowpass
from trainer.synth.samples import DRUM_SHOTS, KIT_NOTES, KITS, PROGRAMS, SampleBank, read_sample, resampled

# One-shots whose pitch was measured (MIDI number of the file as it lies).
TUNED_SHOTS = {
    "bass_dnb_f": 29, "bass_hard_c": 24, "bass_hit_c": 24, "bass_thick_c": 36, "bass_trance_c": 36,
    "bass_voxy_hit_c": 36, "bass_woodsy_c": 36, "elec_bell": 60, "elec_ping": 81, "elec_blup": 54, "elec_blip": 74,
    "perc_bell": 75, "ambi_choir": 75,
}  # fmt: skip
ACOUSTIC = {
    "high": tuple(
        program
        for name in ("piano", "guitar", "strings", "pizzicato", "mallet", "brass", "reed", "flute")
        for program in PROGRAMS[name]
        if program not in (6, 108, 114)
    ),
    "soft": (0, 1, 24, 25, 26, 40, 44, 48, 49, 53, 73, 11),
    "low": (32, 33, 35, 36, 42, 43),
}
# Drum loops and how many beats each holds.
LOOPS = {
    "loop_amen": 4, "loop_breakbeat": 4, "loop_perc1": 4, "loop_perc2": 4, "loop_mehackit1": 4, "loop_mehackit2": 4,
    "loop_industrial": 2, "loop_tabla": 16, "loop_3d_printer": 16,
}  # fmt: skip
CYCLE = 1024


@dataclass
class Patch:
    """How one layer of a part sounds.

    kind: "note" (a recorded note), "shot" (a tuned one-shot) or "cycle" (a looped cut of periods of a note).
    cutoff in Hz before the filter envelope; bend in semitones that decay within the attack.
    """

    kind: str
    program: int = 0
    shot: str = ""
    periods: int = 1
    cut_s: float = 0.4
    unison: int = 1
    detune_cents: float = 0.0
    attack_s: float = 0.003
    decay_s: float = 0.3
    sustain: float = 0.8
    release_s: float = 0.05
    cutoff_hz: float = 6000.0
    snap: float = 0.0
    bend: float = 0.0
    octave: int = 0
    backwards: bool = False
    kept: dict[tuple[int, int], tuple[Audio, Audio]] = field(default_factory=dict)


def looped_cut(bank: SampleBank, patch: Patch, midi: int) -> NDArray[np.float32]:
    """(periods * CYCLE + 1,) a cut of a whole number of periods whose end runs on into its start, peak 1.

    Harmonics above 15 kHz at the pitch wanted are taken out.
    """
    source = patch.program
    notes = bank.recorded_notes(source)
    near = int(min(notes, key=lambda have: abs(have - midi)))
    mono = bank.note(source, near, 1.6).mean(axis=0)
    period = SAMPLE_RATE_HZ / midi_to_hz(near)
    length = patch.periods * period
    start = max(min(patch.cut_s * SAMPLE_RATE_HZ, len(mono) - length - 8.0), length)
    size = patch.periods * CYCLE
    at = start + np.arange(size) * (length / size)
    place = np.arange(len(mono))
    cut, before = np.interp(at, place, mono), np.interp(at - length, place, mono)
    blend = np.clip((np.arange(size) / size - 0.7) / 0.3, 0.0, 1.0)
    spectrum = np.fft.rfft(cut * (1.0 - blend) + before * blend)
    spectrum[0] = 0.0
    spectrum[int(patch.periods * 15000.0 / midi_to_hz(midi)) + 1 :] = 0.0
    wave = np.fft.irfft(spectrum, size)
    wave /= max(float(np.abs(wave).max()), 1e-6)
    return np.append(wave, wave[0]).astype(np.float32)


def _cycle_note(bank: SampleBank, patch: Patch, midi: int, seconds: float) -> Audio:
    """(n, 2) the looped cut played at a pitch by several slightly detuned voices."""
    table = looped_cut(bank, patch, midi)
    size = len(table) - 1
    time = np.arange(int(seconds * SAMPLE_RATE_HZ), dtype=np.float32) / SAMPLE_RATE_HZ
    if patch.bend:
        # The integral of a pitch that starts bend semitones away and comes home within some 60 ms.
        time = time + np.float32((2.0 ** (patch.bend / 12.0) - 1.0) * 0.04) * (1.0 - np.exp(-time / 0.04))
    out = np.zeros((len(time), 2), dtype=np.float32)
    voices = patch.unison
    for voice in range(voices):
        place = 2.0 * voice / (voices - 1) - 1.0 if voices > 1 else 0.0
        hertz = midi_to_hz(midi) * 2.0 ** (place * patch.detune_cents / 1200.0)
        phase = time * np.float32(hertz / patch.periods) + np.float32((voice * 0.377) % 1.0)
        spot = (phase - np.floor(phase)) * np.float32(size)
        index = np.minimum(spot.astype(np.int32), size - 1)
        low = table[index]
        wave = low + (table[index + 1] - low) * (spot - index)
        side = 0.75 * place * (-1.0) ** voice
        out[:, 0] += wave * np.float32(1.0 - side)
        out[:, 1] += wave * np.float32(1.0 + side)
    return out / np.float32(np.sqrt(voices))


def _source(bank: SampleBank, patch: Patch, midi: int, seconds: float) -> Audio:
    if patch.kind == "cycle":
        return _cycle_note(bank, patch, midi, seconds)
    if patch.kind == "shot":
        root = TUNED_SHOTS[patch.shot]
        ratio = 2.0 ** ((midi - root) / 12.0)
        return resampled(bank.hit(patch.shot)[: int(seconds * SAMPLE_RATE_HZ * ratio) + 2], ratio)
    return np.ascontiguousarray(bank.note(patch.program, midi, seconds).T)


def play(bank: SampleBank, patch: Patch, midi: int, seconds: float) -> Audio:
    """One note of a patch (n, 2), shaped by its envelopes; the filter opens at the attack and closes with the decay."""
    midi = midi + 12 * patch.octave
    ring = seconds + patch.release_s
    slot = (midi, int(np.ceil(ring * 4.0)))
    if slot not in patch.kept:
        bright = _source(bank, patch, midi, slot[1] / 4.0)
        if patch.backwards:
            bright = np.ascontiguousarray(bright[::-1])
        floor = max(patch.cutoff_hz, 1.5 * midi_to_hz(midi))
        dark = filtered(bright, "lowpass", floor) if floor < 14000.0 else bright
        patch.kept[slot] = (bright, dark)
    bright, dark = patch.kept[slot]
    length = min(len(bright), int(ring * SAMPLE_RATE_HZ))
    time = np.arange(length, dtype=np.float32) / SAMPLE_RATE_HZ
    fall = np.exp(-time / np.float32(max(patch.decay_s, 0.01)))
    level = np.minimum(time / np.float32(patch.attack_s), 1.0) * (patch.sustain + (1.0 - patch.sustain) * fall)
    level *= np.clip((ring - time) / np.float32(max(patch.release_s, 0.004)), 0.0, 1.0) ** 1.5
    out = dark[:length]
    if patch.snap > 0.0 and dark is not bright:
        out = out + (bright[:length] - out) * (np.float32(patch.snap) * fall)[:, None]
    return fade_edges(out * level[:, None], 0, 64)


def electronic_patch(rng: np.random.Generator, role: str, flavour: str, attack_s: float) -> Patch:
    """Draw a looped cut, a synth note or a tuned shot for lead, chord or bass; flavour "" is any sound."""
    programs = {
        "saw": (81, 81, 90, 50, 62, 29), "square": (80, 80, 87, 16, 71), "nasal": (68, 111, 84, 65, 110, 22),
        "buzz": (81, 87, 30, 63, 62, 84), "whistle": (78, 79, 82, 73, 85), "soft": (88, 89, 91, 4, 16, 54),
        "keys": (4, 5, 7, 16, 18, 80), "pluck": (12, 46, 28, 5, 11, 45), "deep": (38, 39, 33, 87, 81),
        "growl": (87, 30, 29, 58, 66, 81), "rubber": (36, 39, 37, 32, 12), "voice": (53, 53, 54, 85, 91),
    }  # fmt: skip
    pool = programs.get(flavour) or tuple(p for name in PROGRAMS for p in PROGRAMS[name])
    program = int(rng.choice(pool))
    plucked = flavour in ("pluck", "rubber") or (not flavour and rng.random() < 0.35)
    wide = flavour in ("saw", "buzz", "deep", "") or rng.random() < 0.25
    patch = Patch(
        "cycle",
        program,
        periods=int(rng.choice([1, 1, 2, 4, 8])),
        cut_s=float(rng.uniform(0.04, 0.9)),
        unison=int(rng.integers(2, 4 if role != "lead" else 7)) if wide else 1,
        detune_cents=float(rng.uniform(6.0, 28.0)) if role != "bass" else float(rng.uniform(4.0, 14.0)),
        attack_s=max(attack_s, 0.002),
        decay_s=float(rng.uniform(0.08, 0.25)) if plucked else float(rng.uniform(0.15, 0.8)),
        sustain=float(rng.uniform(0.0, 0.25)) if plucked else float(rng.uniform(0.5, 1.0)),
        release_s=float(rng.uniform(0.02, 0.15)),
        cutoff_hz=float(np.exp(rng.uniform(np.log(250), np.log(3000)))) if role == "bass"
        else float(np.exp(rng.uniform(np.log(1200), np.log(15000)))),
        snap=float(rng.uniform(0.2, 1.0)),
        bend=float(rng.choice([0, 0, 0, 12, 2, -2, -5, 7])),
    )  # fmt: skip
    if flavour == "deep":
        patch.cutoff_hz = float(rng.uniform(220, 600))
    draw = rng.random()
    if not flavour and draw < 0.2:
        patch.kind, patch.bend = "shot", 0.0
        low = role == "bass"
        patch.shot = str(rng.choice([name for name, root in TUNED_SHOTS.items() if (root <= 36) == low]))
    elif draw > 0.8:
        synths = {"bass": (38, 39, 87), "lead": (*PROGRAMS["synth lead"], *PROGRAMS["epiano"])}
        patch.kind, patch.program = "note", int(rng.choice(synths.get(role, (*PROGRAMS["synth pad"], 4, 5, 50, 62))))
        patch.backwards = role == "chord" and bool(rng.random() < 0.15)
    return patch


def acoustic_patch(rng: np.random.Generator, role: str, calm: bool) -> Patch:
    """Draw a recorded instrument for a part."""
    pool = ACOUSTIC["low"] if role == "bass" else ACOUSTIC["soft" if calm or rng.random() < 0.4 else "high"]
    return Patch(
        "note", int(rng.choice(pool)), decay_s=float(rng.uniform(0.3, 1.5)), sustain=float(rng.uniform(0.5, 1.0)),
        release_s=float(rng.uniform(0.06, 0.3)), cutoff_hz=float(rng.uniform(2500, 15000)), snap=0.6,
    )  # fmt: skip


def drum_hit(bank: SampleBank, rng: np.random.Generator, role: str, tune: float = 3.0) -> Audio:
    """A one-shot for a drum role, (n, 2), played up to tune semitones off, sometimes two layers of it."""
    out = np.zeros((1, 2), dtype=np.float32)
    for layer in range(1 + int(rng.random() < 0.4)):
        if rng.random() < 0.5:
            name = f"kit{rng.choice(KITS)}:{rng.choice(KIT_NOTES[role])}"
        else:
            name = str(rng.choice(DRUM_SHOTS[role]))
        more = resampled(bank.hit(name), 2.0 ** (rng.uniform(-tune, tune) / 12.0)) * np.float32(1.0 - 0.4 * layer)
        if len(more) > len(out):
            out, more = more, out
        out = out.copy()
        out[: len(more)] += more
    return out / np.float32(max(float(np.abs(out).max()), 1e-6))


def damped(hit: Audio, seconds: float) -> Audio:
    """Gate a one-shot with an exponential of a time to -60 dB in seconds."""
    length = min(len(hit), int(1.2 * seconds * SAMPLE_RATE_HZ) + 64)
    time = np.arange(length, dtype=np.float32) / SAMPLE_RATE_HZ
    return fade_edges(hit[:length] * np.exp(-6.9 * time / np.float32(seconds))[:, None], 0, 200)


def make_kick(
    bank: SampleBank, rng: np.random.Generator, tail_midi: int, tail_s: float, weight: float, drive: float
) -> Audio:
    """A sampled kick over a low cycle that falls onto a pitch; tail_s to -60 dB, weight of the tail, drive 0..1."""
    top = damped(drum_hit(bank, rng, "kick", 2.0), max(0.12, 0.9 * tail_s))
    time = np.arange(int(1.1 * tail_s * SAMPLE_RATE_HZ), dtype=np.float32) / SAMPLE_RATE_HZ
    table = looped_cut(bank, Patch("cycle", int(rng.choice([33, 38, 39, 73, 79, 12]))), 40)
    end_hz, start_hz, fall_s = midi_to_hz(tail_midi), rng.uniform(110, 260), rng.uniform(0.015, 0.045)
    phase = end_hz * time + (start_hz - end_hz) * fall_s * (1.0 - np.exp(-time / np.float32(fall_s)))
    tail = filtered(table[((phase % 1.0) * CYCLE).astype(np.int32)], "lowpass", 900.0)
    tail *= np.exp(-np.maximum(time - 0.35 * tail_s, 0.0) * np.float32(5.0 / tail_s))
    out = np.zeros((max(len(top), len(tail)), 2), dtype=np.float32)
    out[: len(top)] += filtered(top, "highpass", float(rng.uniform(60, 200)) if weight > 0.5 else 25.0)
    out[: len(tail)] += (weight * tail / max(float(np.abs(tail).max()), 1e-6))[:, None]
    out = np.tanh(out * np.float32(1.0 + 6.0 * drive))
    return fade_edges(out / np.float32(np.abs(out).max()), 0, 500)


def sliced_loop(bank: SampleBank, rng: np.random.Generator, beat_s: float) -> Audio:
    """A drum loop stretched by resampling to four beats of the tempo, its eighths put into a new order, (n, 2)."""
    name = str(rng.choice(list(LOOPS)))
    audio = read_sample(bank.samples, name)
    step = int(0.5 * beat_s * SAMPLE_RATE_HZ)
    audio = resampled(audio, len(audio) / (LOOPS[name] * beat_s * SAMPLE_RATE_HZ))
    slices = [audio[i * step : (i + 1) * step] for i in range(len(audio) // step)] or [audio[:step]]
    order = [i if rng.random() < 0.6 else int(rng.integers(len(slices))) for i in range(8)]
    out = np.concatenate([fade_edges(slices[i % len(slices)], 20, 200) for i in order])
    out = filtered(out, "highpass", float(rng.uniform(400, 2500)))
    return out / np.float32(max(float(np.abs(out).max()), 1e-6))


def noise_bed(bank: SampleBank, rng: np.random.Generator, length: int, rising: bool) -> Audio:
    """A cymbal, hiss or swoosh looped to length, (length, 2), swept up (rising) or down."""
    name = str(rng.choice(["vinyl_hiss", "perc_swash", "kit0:49", "drum_cymbal_soft", "ambi_swoosh", "kit25:59"]))
    source = resampled(bank.hit(name)[: int(1.2 * SAMPLE_RATE_HZ)], float(rng.uniform(0.5, 1.3)))
    # Loops of the middle, forwards and backwards, keep a decaying cymbal going.
    middle = source[len(source) // 6 : len(source) // 2]
    swing = np.concatenate([middle, middle[::-1]])
    bed = np.tile(swing, (length // len(swing) + 1, 1))[:length]
    way = np.linspace(0.0, 1.0, length, dtype=np.float32)
    way = way if rising else way[::-1]
    bed = swept_lowpass(bed, 400.0 * 2.0 ** (5.2 * way), 5)
    bed = filtered(bed, "highpass", 300.0) * (way ** np.float32(rng.uniform(1.0, 2.5)))[:, None]
    return bed / np.float32(max(float(np.abs(bed).max()), 1e-6))
