"""Finds the sounds and hands them out as zones: one recording, its pitch and its loop. Zone: trainer."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy.signal import resample_poly

from housex_blender.core.errors import HouseXError

RATE_HZ = 44100
APT = "apt-get install lmms-common csound-soundfont avldrums.lv2-soundfont freepats espeak-ng fluidsynth"

_PLACES: dict[str, tuple[str, ...]] = {
    "LMMS's samples": ("/usr/share/lmms/samples", "/usr/local/share/lmms/samples"),
    "sf_GMbank.sf2": ("/usr/share/sounds/sf2/sf_GMbank.sf2", "/usr/share/soundfonts/sf_GMbank.sf2"),
    "Red_Zeppelin_4_LV2.sf2": (
        "/usr/share/sounds/sf2/Red_Zeppelin_4_LV2.sf2",
        "/usr/lib/lv2/avldrums.lv2/Red_Zeppelin_4_LV2.sf2",
    ),
    "freepats": ("/usr/share/midi/freepats", "/usr/share/freepats"),
}
_PROGRAMS = ("fluidsynth", "espeak-ng")
# a note of a sound font is held this long: the longest note of any part is a bar at 115 BPM
_HOLD_S, _GAP_S = 2.2, 0.4
_DRUM_BANK = 128
# recordings of LMMS that sound as long as a key is down
_HELD = ("stringsnpads/", "instruments/e_organ", "instruments/trumpet")

Sound = NDArray[np.float32]


@dataclass(frozen=True)
class Patch:
    """Where a tone comes from.

    Attributes:
        kind: "cycle" (one period, looped), "shot" (a recording), "font" (General MIDI bank), "pat" (freepats) or
            "word" (spoken).
        ref: File name below the samples, "bank:program", the .pat file's stem, or what is spoken.
        root: MIDI pitch of a shot; number of periods in the file for a cycle.
    """

    kind: str
    ref: str
    root: float = 1.0


@dataclass(frozen=True)
class Zone:
    """A recording that is pitched by resampling.

    Attributes:
        audio: (n_samples,) float32, peak 1.
        rate_hz: Of the audio.
        root: MIDI pitch of the audio, fractional.
        loop: First and last sample of the loop, in samples, or None.
    """

    audio: Sound
    rate_hz: float
    root: float
    loop: tuple[float, float] | None = None


def missing() -> list[str]:
    """Names of the sources and programs this machine lacks; empty where the set can be rendered."""
    gone = [name for name, paths in _PLACES.items() if not any(os.path.exists(path) for path in paths)]
    return gone + [program for program in _PROGRAMS if shutil.which(program) is None]


def check() -> None:
    """Raises HouseXError with the install command where a source is missing."""
    gone = missing()
    if gone:
        raise HouseXError(f"The third set cannot be rendered without {', '.join(gone)}.", f"Install with: {APT}")


def place(name: str) -> Path:
    """The path of one source.

    Raises:
        HouseXError: If it is at none of the usual places.
    """
    for path in _PLACES[name]:
        if os.path.exists(path):
            return Path(path)
    raise HouseXError(f"The third set cannot be rendered without {name}.", f"Install with: {APT}")


def _full_scale(audio: NDArray[np.floating]) -> Sound:
    centred = audio - audio.mean()
    return (centred / max(float(np.abs(centred).max()), 1e-9)).astype(np.float32)


@lru_cache(maxsize=512)
def sample(ref: str) -> tuple[Sound, int]:
    """One of LMMS's files as (n_samples,) mono at full scale without leading silence, and its rate in Hz."""
    audio, rate_hz = soundfile.read(place("LMMS's samples") / ref, always_2d=True)
    mono = _full_scale(audio.mean(1))
    first = int(np.argmax(np.abs(mono) > 0.02))
    return mono[first:], int(rate_hz)


@lru_cache(maxsize=128)
def _spectrum(ref: str) -> NDArray[np.complex128]:
    audio, _ = soundfile.read(place("LMMS's samples") / ref, always_2d=True)
    return np.asarray(np.fft.rfft(_full_scale(audio.mean(1))), dtype=np.complex128)


@lru_cache(maxsize=1024)
def _cycle(ref: str, periods: int, midi: int) -> Zone:
    """A cycle without the overtones that would fold back at this pitch."""
    f0_hz = 440.0 * 2 ** ((midi - 69) / 12)
    spectrum = _spectrum(ref)
    overtones = min(len(spectrum) - 1, int(18000 / f0_hz * periods), 1000)
    kept = np.zeros(2049, dtype=np.complex128)
    kept[1 : overtones + 1] = spectrum[1 : overtones + 1]
    table = np.fft.irfft(kept, 4096)
    root = 69 + 12 * np.log2(periods * RATE_HZ / 4096 / 440)
    return Zone(_full_scale(np.append(table, table[0])), RATE_HZ, float(root), (0.0, 4096.0))


def _delta(ticks: int) -> bytes:
    """A MIDI file's variable-length time."""
    out = bytes([ticks & 0x7F])
    while ticks > 0x7F:
        ticks >>= 7
        out = bytes([0x80 | (ticks & 0x7F)]) + out
    return out


def _midi_file(bank: int, program: int, keys: tuple[int, ...]) -> bytes:
    """Each key held for _HOLD_S and followed by _GAP_S of silence, one tick a millisecond."""
    channel = 9 if bank == _DRUM_BANK else 0
    events = _delta(0) + bytes([0xFF, 0x51, 3]) + (1_000_000).to_bytes(3, "big")
    if bank != _DRUM_BANK:
        events += _delta(0) + bytes([0xB0, 0, bank])
    events += _delta(0) + bytes([0xC0 | channel, program])
    for number, key in enumerate(keys):
        events += _delta(int(1000 * _GAP_S) if number else 0) + bytes([0x90 | channel, key, 105])
        events += _delta(int(1000 * _HOLD_S)) + bytes([0x80 | channel, key, 0])
    events += _delta(int(1000 * _GAP_S)) + bytes([0xFF, 0x2F, 0])
    return b"MThd" + struct.pack(">IHHH", 6, 0, 1, 1000) + b"MTrk" + struct.pack(">I", len(events)) + events


@lru_cache(maxsize=128)
def font_notes(font: str, bank: int, program: int, keys: tuple[int, ...]) -> dict[int, Sound]:
    """Plays keys of a sound font through fluidsynth: key -> (n_samples,) mono at RATE_HZ, relative levels kept."""
    with tempfile.TemporaryDirectory(prefix="third_") as folder:
        score, wave = Path(folder) / "notes.mid", Path(folder) / "notes.wav"
        score.write_bytes(_midi_file(bank, program, keys))
        command = ["fluidsynth", "-ni", "-q", "-R", "0", "-C", "0", "-g", "0.6", "-r", str(RATE_HZ)]
        done = subprocess.run(
            [*command, "-F", str(wave), str(place(font)), str(score)], capture_output=True, check=False, timeout=120
        )
        if done.returncode != 0 or not wave.exists():
            raise HouseXError(f"fluidsynth could not play {font}: {done.stderr.decode(errors='replace')[:200]}")
        audio = soundfile.read(wave, dtype="float32", always_2d=True)[0].mean(1)
    step = int((_HOLD_S + _GAP_S) * RATE_HZ)
    notes = {}
    for number, key in enumerate(keys):
        note = audio[number * step : (number + 1) * step]
        loud = np.abs(note) > 0.02 * max(float(np.abs(note).max()), 1e-6)
        notes[key] = note[int(np.argmax(loud)) :]
    return notes


@lru_cache(maxsize=64)
def _pat(stem: str) -> tuple[tuple[float, float, Zone], ...]:
    """Samples of a GUS patch as (lowest Hz, highest Hz, zone)."""
    data = (place("freepats") / "Tone_000" / f"{stem}.pat").read_bytes()
    zones = []
    at = 239
    for _ in range(data[198]):
        size, start, end = struct.unpack_from("<III", data, at + 8)
        rate_hz = struct.unpack_from("<H", data, at + 20)[0]
        low, high, root = struct.unpack_from("<III", data, at + 22)
        mode = data[at + 55]
        unit = 2 if mode & 1 else 1
        wave = np.frombuffer(data, "<i2" if mode & 1 else "i1", size // unit, at + 96)
        signed = wave.astype(np.float64)
        if mode & 2:
            # unsigned numbers read as signed ones: the upper half wrapped round
            half = 1 << (8 * unit - 1)
            signed = np.where(signed < 0, signed + half, signed - half)
        loop = (start / unit, end / unit) if mode & 4 and end > start else None
        pitch = float(69 + 12 * np.log2(root / 1000 / 440))
        zones.append((low / 1000, high / 1000, Zone(_full_scale(signed), rate_hz, pitch, loop)))
        at += 96 + size
    return tuple(zones)


def _pitch_of(audio: Sound, rate_hz: int) -> float:
    """MIDI pitch of the loudest part of a voice, from the autocorrelation between 90 and 400 Hz."""
    window = int(0.09 * rate_hz)
    energy = np.convolve(audio.astype(np.float64) ** 2, np.ones(window), "valid")
    part = audio[int(energy.argmax()) :][:window].astype(np.float64)
    spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part)), 4 * window)) ** 2
    lags = np.fft.irfft(spectrum)
    low, high = rate_hz // 400, rate_hz // 90
    lag = low + int(lags[low:high].argmax())
    return float(69 + 12 * np.log2(rate_hz / lag / 440))


@lru_cache(maxsize=64)
def word(text: str) -> Zone:
    """A word from espeak-ng's female voice, silence cut away; "[[a:]]" speaks a phoneme."""
    with tempfile.TemporaryDirectory(prefix="third_") as folder:
        wave = Path(folder) / "word.wav"
        command = ["espeak-ng", "-v", "en+f3", "-p", "75", "-s", "110", "-w", str(wave), text]
        done = subprocess.run(command, capture_output=True, check=False, timeout=60)
        if done.returncode != 0 or not wave.exists():
            raise HouseXError(f"espeak-ng could not say {text}: {done.stderr.decode(errors='replace')[:200]}")
        audio, rate_hz = soundfile.read(wave, always_2d=True)
    mono = _full_scale(audio.mean(1))
    loud = np.flatnonzero(np.abs(mono) > 0.06)
    mono = mono[loud[0] : loud[-1]]
    pitch = _pitch_of(mono, rate_hz)
    middle = len(mono) / 2
    # a vowel is held by looping whole periods of its middle
    period = rate_hz / (440 * 2 ** ((pitch - 69) / 12))
    loop = (middle, middle + round(12 * period)) if text.startswith("[[") else None
    return Zone(mono, rate_hz, pitch, loop)


@lru_cache(maxsize=128)
def _shot(ref: str, root: float) -> Zone:
    audio, rate_hz = sample(ref)
    # twice the rate keeps linear interpolation clean in the treble
    fine = _full_scale(resample_poly(audio, 2, 1))
    if not ref.startswith(_HELD):
        return Zone(fine, 2 * rate_hz, root)
    # pitched up, a pad would end before its bar does: its middle goes round, and a crossfade hides the seam
    start, end = int(0.4 * len(fine)), int(0.8 * len(fine))
    seam = start // 2
    weight = np.linspace(0, 1, seam, dtype=np.float32)
    fine[end - seam : end] = fine[end - seam : end] * np.sqrt(1 - weight) + fine[start - seam : start] * np.sqrt(weight)
    return Zone(fine[: end + 2], 2 * rate_hz, root, (float(start), float(end)))


def zones(patch: Patch, keys: tuple[int, ...]) -> dict[int, Zone]:
    """The zone that plays each MIDI key of a part."""
    if patch.kind == "cycle":
        return {key: _cycle(patch.ref, int(patch.root), key) for key in keys}
    if patch.kind == "shot":
        return dict.fromkeys(keys, _shot(patch.ref, patch.root))
    if patch.kind == "word":
        return dict.fromkeys(keys, word(patch.ref))
    if patch.kind == "font":
        bank, program = (int(number) for number in patch.ref.split(":"))
        # every third key is played, its neighbours are pitched from it
        roots = tuple(sorted({3 * round(key / 3) for key in keys}))
        notes = font_notes("sf_GMbank.sf2", bank, program, roots)
        return {key: Zone(_full_scale(notes[3 * round(key / 3)]), RATE_HZ, 3.0 * round(key / 3)) for key in keys}
    found = {}
    for key in keys:
        f0_hz = 440 * 2 ** ((key - 69) / 12)
        layers = _pat(patch.ref)
        inside = [zone for low, high, zone in layers if low <= f0_hz <= high]
        found[key] = inside[0] if inside else min((z for *_, z in layers), key=lambda zone: abs(zone.root - key))
    return found
