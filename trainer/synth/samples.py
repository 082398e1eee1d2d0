"""Sounds that are not ours: General MIDI notes and drum kits of a sound font, CC0 one-shots of Sonic Pi.

FluidR3 (MIT) is played by fluidsynth, once per program, into a cache on disk; nothing of either is in this project.
"""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy import ndimage

from .dsp import SAMPLE_RATE_HZ, Audio, fade_edges

SOUND_FONTS = (
    "/usr/share/sounds/sf2/FluidR3_GM.sf2",
    "/usr/share/soundfonts/FluidR3_GM.sf2",
    "/usr/share/soundfonts/default.sf2",
    "/usr/local/share/soundfonts/FluidR3_GM.sf2",
)
SAMPLE_FOLDERS = (
    "/usr/share/sonic-pi/samples",
    "/usr/lib/sonic-pi/etc/samples",
    "/opt/sonic-pi/etc/samples",
    "/usr/local/share/sonic-pi/samples",
)
PACKAGES = "apt-get install fluidsynth fluid-soundfont-gm sonic-pi-samples"
NOTE_STEP = 3
DRUM_CHANNEL = 9
# Roles of the General MIDI drum notes.
KIT_NOTES: dict[str, tuple[int, ...]] = {
    "kick": (35, 36),
    "snare": (38, 40),
    "clap": (39,),
    "rim": (37,),
    "closed_hat": (42, 44),
    "open_hat": (46,),
    "crash": (49, 57),
    "ride": (51, 59),
    "tom": (41, 45, 48),
    "shaker": (70, 54),
    "perc": (56, 60, 61, 62, 63, 64, 75, 76, 77),
}
DRUM_SHOTS: dict[str, tuple[str, ...]] = {
    "kick": (
        "bd_808", "bd_fat", "bd_gas", "bd_haus", "bd_klub", "bd_pure", "bd_sone", "bd_tek", "bd_zome", "bd_zum",
        "bd_boom", "drum_heavy_kick", "drum_bass_hard",
    ),
    "snare": ("sn_dolf", "sn_dub", "sn_generic", "sn_zome", "drum_snare_hard", "drum_snare_soft", "elec_hi_snare",
              "elec_lo_snare", "elec_mid_snare", "elec_snare"),
    "clap": ("perc_snap", "perc_snap2", "elec_snare", "sn_dolf"),
    "rim": ("elec_wood", "elec_pop"),
    "closed_hat": ("drum_cymbal_closed", "drum_cymbal_pedal", "elec_tick"),
    "open_hat": ("drum_cymbal_open", "elec_cymbal"),
    "crash": ("drum_cymbal_hard", "drum_splash_hard", "drum_cymbal_soft"),
    "ride": ("drum_cymbal_soft", "drum_splash_soft"),
    "tom": ("drum_tom_lo_hard", "drum_tom_mid_hard", "drum_tom_hi_hard", "elec_fuzz_tom"),
    "shaker": ("elec_tick", "perc_swash"),
    "perc": ("drum_cowbell", "elec_blip", "elec_bell", "elec_flip", "elec_plip", "elec_triangle", "elec_twip",
             "elec_bong", "tabla_na", "tabla_ke1", "tabla_tun1", "tabla_ghe3"),
}  # fmt: skip
# Tonal programs (0-based numbers) by what they are; what sounds after a key is held is "steady".
PROGRAMS: dict[str, tuple[int, ...]] = {
    "piano": (0, 1, 2, 3, 6),
    "epiano": (4, 5, 7),
    "mallet": (8, 9, 10, 11, 12, 13, 108, 114),
    "organ": (16, 17, 18, 19, 20, 21, 22),
    "guitar": (24, 25, 26, 27, 28),
    "rock guitar": (29, 30),
    "bass": (32, 33, 34, 35, 36, 37),
    "synth bass": (38, 39, 87),
    "strings": (40, 41, 42, 44, 48, 49, 110),
    "low strings": (42, 43),
    "synth strings": (50, 51),
    "pizzicato": (45, 46, 15, 104, 105, 106, 107),
    "choir": (53,),
    "synth choir": (54, 85, 91),
    "brass": (56, 57, 58, 59, 60, 61),
    "synth brass": (62, 63),
    "reed": (64, 65, 66, 67, 68, 69, 70, 71, 111),
    "flute": (72, 73, 74, 75, 78, 79),
    "synth lead": (80, 81, 82, 83, 84, 86),
    "synth pad": (88, 89, 90, 92, 93, 94, 95),
}
STEADY = frozenset(
    program
    for name in ("organ", "rock guitar", "strings", "low strings", "synth strings", "choir", "synth choir", "brass",
                 "synth brass", "reed", "flute", "synth lead", "synth pad")
    for program in PROGRAMS[name]
)  # fmt: skip
SLOW = frozenset((40, 41, 42, 43, 44, 48, 49, 50, 51, 52, 53, 54, 88, 89, 90, 91, 92, 93, 94, 95))
LOW = frozenset((*PROGRAMS["bass"], *PROGRAMS["synth bass"], *PROGRAMS["low strings"]))
KITS = (0, 8, 16, 24, 25, 26, 32, 40)
NOTE_S = 2.2
# Peak below which a program has no such note: what is heard there is the end of the one before.
SILENT = 0.004
LOOP_S = (0.8, 2.0)


class SoundsMissing(RuntimeError):
    """Something that the sampled voices need is not installed or failed."""


@dataclass(frozen=True)
class Shot:
    """A one-shot, (n, 2); attack is the sample of its perceived onset, which belongs on the beat."""

    audio: Audio
    attack: int


def attack_sample(audio: Audio) -> int:
    """Sample at which the level first reaches 40 % of the loudest of the first 60 ms, in the middle of the rise."""
    mono = np.abs(audio[: int(0.06 * SAMPLE_RATE_HZ)].mean(axis=1))
    if len(mono) < 64 or mono.max() <= 0.0:
        return 0
    level = ndimage.maximum_filter1d(mono, 45, origin=22)
    return int(np.flatnonzero(level >= 0.4 * level.max())[0])


def as_shot(audio: Audio, find_attack: bool = True) -> Shot:
    """Normalise to peak 1, drop leading silence and quiet tails, and find the attack."""
    peak = float(np.abs(audio).max())
    if peak <= 0.0:
        return Shot(audio, 0)
    audio = (audio / peak).astype(np.float32)
    heard = np.flatnonzero((np.abs(audio[:, 0]) > 0.001) | (np.abs(audio[:, 1]) > 0.001))
    first = max(0, int(heard[0]) - 64)
    audio = fade_edges(audio[first : int(heard[-1]) + 1], 8, 200)
    return Shot(audio, attack_sample(audio) if find_attack else 0)


def resampled(audio: Audio, ratio: float) -> Audio:
    """Play (n, 2) audio ratio times as fast."""
    position = np.arange(0.0, len(audio) - 1, ratio)
    index = position.astype(np.int64)
    fraction = (position - index).astype(np.float32)[:, None]
    return audio[index] * (1.0 - fraction) + audio[index + 1] * fraction


def first_existing(places: Sequence[str]) -> Path | None:
    """The first of several paths that exists."""
    return next((Path(place) for place in places if Path(place).exists()), None)


def missing_sounds() -> str:
    """One sentence naming what to install for the sampled voices, or an empty string when all is there."""
    gone = [
        name
        for name, found in (
            ("fluidsynth", shutil.which("fluidsynth")),
            ("the FluidR3 sound font", first_existing(SOUND_FONTS)),
            ("the Sonic Pi samples", first_existing(SAMPLE_FOLDERS)),
        )
        if not found
    ]
    return f"No {' and no '.join(gone)} here: {PACKAGES}" if gone else ""


def read_sample(folder: Path, name: str) -> Audio:
    """A file of the sample package as (n, 2) at SAMPLE_RATE_HZ."""
    path = folder / f"{name}.flac"
    if not path.is_file():
        raise SoundsMissing(f"{path} is missing: apt-get install --reinstall sonic-pi-samples")
    audio, rate = soundfile.read(path, dtype="float32", always_2d=True)
    if audio.shape[1] == 1:
        audio = np.repeat(audio, 2, axis=1)
    return resampled(audio, rate / SAMPLE_RATE_HZ) if rate != SAMPLE_RATE_HZ else audio


def _variable_length(value: int) -> bytes:
    """A MIDI delta time: seven bits a byte, the highest first."""
    out = bytes([value & 127])
    while value := value >> 7:
        out = bytes([value & 127 | 128]) + out
    return out


def midi_file(program: int, channel: int, notes: Sequence[int], hold_s: float, gap_s: float) -> bytes:
    """A standard MIDI file that plays notes one after the other; note i starts at 0.5 + i (hold_s + gap_s)."""
    # 480 ticks per quarter at the default of 120 BPM: 960 ticks per second.
    events = b"\0" + bytes([0xC0 | channel, program])
    wait_s = 0.5
    for note in notes:
        events += _variable_length(round(960 * wait_s)) + bytes([0x90 | channel, note, 108])
        events += _variable_length(round(960 * hold_s)) + bytes([0x80 | channel, note, 0])
        wait_s = gap_s
    events += _variable_length(round(960 * gap_s)) + b"\xff\x2f\0"
    return struct.pack(">4sIHHH", b"MThd", 6, 1, 1, 480) + struct.pack(">4sI", b"MTrk", len(events)) + events


def play_notes(program: int, channel: int, notes: Sequence[int], hold_s: float, gap_s: float) -> Audio:
    """The notes of midi_file as fluidsynth plays them, dry: (n, 2)."""
    fluidsynth, font = shutil.which("fluidsynth"), first_existing(SOUND_FONTS)
    if fluidsynth is None or font is None:
        raise SoundsMissing(missing_sounds())
    with tempfile.TemporaryDirectory() as folder:
        midi, wave = Path(folder) / "notes.mid", Path(folder) / "notes.wav"
        midi.write_bytes(midi_file(program, channel, notes, hold_s, gap_s))
        command = [fluidsynth, "-ni", "-q", "-R", "0", "-C", "0", "-g", "0.5", "-F", str(wave)]
        command += ["-r", str(SAMPLE_RATE_HZ), str(font), str(midi)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode or not wave.is_file():
            raise SoundsMissing(f"fluidsynth failed: {done.stderr.strip()[-300:]}")
        audio, _ = soundfile.read(wave, dtype="float32", always_2d=True)
    return audio


def ensure_notes(
    path: Path,
    program: int,
    channel: int,
    notes: Sequence[int],
    hold_s: float,
    gap_s: float,
    keep_s: float,
    floor: float = 1e-6,
) -> None:
    """Render the first keep_s of each note into an .npz of 16 bit arrays n<midi> (n, 2), unless it is there.

    Notes are brought to full scale, except for those whose peak lies below floor. The file appears complete or not at
    all, so several processes may want it at once.
    """
    if path.is_file():
        return
    audio = play_notes(program, channel, notes, hold_s, gap_s)
    slices: dict[str, NDArray[np.int16]] = {}
    for index, note in enumerate(notes):
        start = round((0.5 + index * (hold_s + gap_s) - 0.01) * SAMPLE_RATE_HZ)
        part = audio[start : start + round(keep_s * SAMPLE_RATE_HZ)]
        slices[f"n{note}"] = np.round(part * 32767.0 / max(floor, float(np.abs(part).max()))).astype(np.int16)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.stem}.{os.getpid()}.npz")
    np.savez(partial, **slices)
    os.replace(partial, path)


class SampleBank:
    """Notes and drum hits of the sound font and the sample package, read from the cache when they are asked for."""

    def __init__(self, cache: Path, samples: Path) -> None:
        """cache: folder of rendered notes; samples: folder of the sample package."""
        self.cache = cache
        self.samples = samples
        # Least recently used sounds leave first; a track needs far fewer.
        self._recorded = lru_cache(maxsize=96)(self._read_note)
        self._hits = lru_cache(maxsize=96)(self._read_hit)

    def __reduce__(self) -> tuple[type[SampleBank], tuple[Path, Path]]:
        """A copy for another process opens the same folders and reads for itself."""
        return SampleBank, (self.cache, self.samples)

    @staticmethod
    def recorded_notes(program: int) -> range:
        """MIDI notes that are recorded of a program."""
        return range(24, 64, NOTE_STEP) if program in LOW else range(39, 91, NOTE_STEP)

    def note(self, program: int, midi: float, seconds: float) -> Audio:
        """A note of a program, at most seconds long, as (2, n); its attack lies within the first milliseconds."""
        notes = self.recorded_notes(program)
        for nearest in sorted(notes, key=lambda have: abs(have - midi)):
            source = self._recorded(program, nearest)
            if len(source):
                break
        else:
            raise SoundsMissing(f"program {program} of the sound font makes no sound")
        ratio = 2.0 ** ((midi - nearest) / 12.0)
        wanted = int(seconds * SAMPLE_RATE_HZ * ratio) + 2
        if wanted > len(source) and program in STEADY:
            source = _looped(source, wanted)
        return resampled(source[:wanted], ratio).T

    def hit(self, name: str) -> Audio:
        """A drum hit "kit16:36" or a file of the sample package by name, as (n, 2), its attack at the start."""
        return self._hits(name)

    def prepare(self) -> None:
        """Render all programs and kits into the cache now (some minutes the first time)."""
        for program in sorted({program for programs in PROGRAMS.values() for program in programs}):
            self._program(program)
        for kit in KITS:
            self._kit(kit)

    def _program(self, program: int) -> Path:
        path = self.cache / f"voice{program}.npz"
        gap_s = 1.6 if program in SLOW else 0.8
        ensure_notes(path, program, 0, self.recorded_notes(program), NOTE_S, gap_s, NOTE_S, SILENT)
        return path

    def _kit(self, kit: int) -> Path:
        path = self.cache / f"kit{kit}.npz"
        wanted = sorted({note for notes in KIT_NOTES.values() for note in notes})
        ensure_notes(path, kit, DRUM_CHANNEL, wanted, 0.5, 1.5, 1.99)
        return path

    def _read_note(self, program: int, midi: int) -> Audio:
        """A recorded note (n, 2) from its onset; empty where the program has none at that pitch."""
        with np.load(self._program(program)) as stored:
            audio = stored[f"n{midi}"]
        if np.abs(audio[::3]).max() < 10000:
            return np.zeros((0, 2), dtype=np.float32)
        # The onset of anything recorded lies within the first 400 ms.
        loud = np.abs(audio[: int(0.4 * SAMPLE_RATE_HZ)].astype(np.float32)).max(axis=1)
        first = max(0, int(np.argmax(loud > (0.02 if program in SLOW else 0.1) * loud.max())) - 24)
        out = audio[first:].astype(np.float32)
        out *= np.float32(1.0 / 32767.0)
        out[:16] *= np.linspace(0.0, 1.0, 16, dtype=np.float32)[:, None]
        return out

    def _read_hit(self, name: str) -> Audio:
        if name.startswith("kit"):
            kit, note = name[3:].split(":")
            with np.load(self._kit(int(kit))) as stored:
                shot = as_shot(stored[f"n{note}"].astype(np.float32) / 32767.0)
        else:
            shot = as_shot(read_sample(self.samples, name)[: 3 * SAMPLE_RATE_HZ])
        return fade_edges(shot.audio[max(0, shot.attack - 40) :], 16, 64)


def _looped(audio: Audio, wanted: int) -> Audio:
    """Lengthen (n, 2) audio by repeating its steady part with cross-fades."""
    first, last = (int(edge * SAMPLE_RATE_HZ) for edge in LOOP_S)
    last = min(last, len(audio) - 400)
    fade = (last - first) // 2
    rise = np.sqrt(np.linspace(0.0, 1.0, fade, dtype=np.float32))[:, None]
    out = audio[:last]
    while len(out) < wanted:
        seam = out[-fade:] * rise[::-1] + audio[first : first + fade] * rise
        out = np.concatenate([out[:-fade], seam, audio[first + fade : last]])
    return out


def open_bank(cache_folder: Path) -> SampleBank | None:
    """The sampled sounds, or None where missing_sounds() says what is not installed."""
    folder = first_existing(SAMPLE_FOLDERS)
    if missing_sounds() or folder is None:
        return None
    return SampleBank(Path(cache_folder), folder)
