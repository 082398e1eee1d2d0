"""Sounds that are not ours: General MIDI notes and drum kits of a sound font, CC0 one-shots and loops of Sonic Pi."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import mido
import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy import ndimage

from trainer.synth.dsp import SAMPLE_RATE_HZ, Audio, fade_edges

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / "bench" / "sounds"
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
MISSING = (
    "The mixes of this bench need sounds that are not ours: "
    "apt-get install fluidsynth fluid-soundfont-gm sonic-pi-samples"
)

# General MIDI programs by family (0-based numbers).
VOICES: dict[str, tuple[int, ...]] = {
    "piano": (0, 1, 2, 4, 5),
    "organ": (16, 17, 18),
    "strings": (48, 49, 50, 51),
    "choir": (52, 53, 54),
    "pad": (88, 89, 90, 91, 94, 95),
    "bass": (33, 35, 36, 38, 39, 87),
    "lead": (80, 81, 82, 84, 85),
    "brass": (61, 62, 63),
    "mallet": (11, 12, 108, 46, 45),
    "guitar": (24, 25, 27, 28),
}
FAMILY = {program: family for family, programs in VOICES.items() for program in programs}
LONG = ("organ", "strings", "choir", "pad")
SOFT = ("strings", "choir", "pad")
# One-shots of a low C that serve as basses when played at other speeds.
BASS_SHOTS = ("bass_hard_c", "bass_hit_c", "bass_thick_c", "bass_trance_c", "bass_woodsy_c", "bass_voxy_hit_c")
BASS_SHOT_MIDI = 36

KITS = (0, 16, 24, 25)
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
# Loops and the number of beats in them.
LOOPS = {
    "loop_amen": 4,
    "loop_breakbeat": 4,
    "loop_mehackit1": 4,
    "loop_mehackit2": 4,
    "loop_perc1": 4,
    "loop_perc2": 4,
    "loop_compus": 16,
    "loop_safari": 16,
}
BREAK_LOOPS = ("loop_amen", "loop_breakbeat")
PERC_LOOPS = ("loop_mehackit1", "loop_mehackit2", "loop_perc1", "loop_perc2", "loop_safari")
NOTE_STEP = 3


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


def _found(places: Sequence[str]) -> Path:
    for place in places:
        if Path(place).exists():
            return Path(place)
    raise SystemExit(MISSING)


def _play(program: int, channel: int, notes: Sequence[int], hold_s: float, gap_s: float) -> Audio:
    """Notes of a program one after the other, rendered by fluidsynth: note i starts at 0.5 + i (hold_s + gap_s)."""
    fluidsynth = shutil.which("fluidsynth")
    if fluidsynth is None:
        raise SystemExit(MISSING)
    font = _found(SOUND_FONTS)
    track = mido.MidiTrack()
    track.append(mido.Message("program_change", channel=channel, program=program, time=0))
    wait_s = 0.5
    for note in notes:
        # 480 ticks per quarter at 120 BPM: 960 ticks per second.
        track.append(mido.Message("note_on", channel=channel, note=note, velocity=108, time=round(960 * wait_s)))
        track.append(mido.Message("note_off", channel=channel, note=note, velocity=0, time=round(960 * hold_s)))
        wait_s = gap_s
    track.append(mido.MetaMessage("end_of_track", time=round(960 * gap_s)))
    score = mido.MidiFile(ticks_per_beat=480)
    score.tracks.append(track)
    with tempfile.TemporaryDirectory() as folder:
        midi, wave = Path(folder) / "notes.mid", Path(folder) / "notes.wav"
        score.save(str(midi))
        command = [fluidsynth, "-ni", "-q", "-R", "0", "-C", "0", "-g", "0.5", "-F", str(wave)]
        command += ["-r", str(SAMPLE_RATE_HZ), str(font), str(midi)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode or not wave.is_file():
            raise SystemExit(f"fluidsynth failed: {done.stderr.strip()[-300:]}")
        audio, _ = soundfile.read(wave, dtype="float32", always_2d=True)
    return audio


def _cached_notes(name: str, program: int, channel: int, notes: Sequence[int], hold_s: float) -> dict[int, Audio]:
    """Notes of a program as {midi: (n, 2)}, from the cache or rendered into it."""
    path = CACHE / f"{name}.npz"
    if not path.is_file():
        gap_s = 1.5 if channel == 9 else 1.0
        audio = _play(program, channel, notes, hold_s, gap_s)
        slices: dict[str, NDArray[np.int16]] = {}
        for index, note in enumerate(notes):
            start = round((0.5 + index * (hold_s + gap_s) - 0.01) * SAMPLE_RATE_HZ)
            part = audio[start : start + round((hold_s + gap_s - 0.01) * SAMPLE_RATE_HZ)]
            slices[f"n{note}"] = np.round(part * 32767.0 / max(1e-6, float(np.abs(part).max()))).astype(np.int16)
        CACHE.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{path.stem}.{os.getpid()}.npz")
        np.savez(partial, **slices)
        os.replace(partial, path)
    with np.load(path) as stored:
        return {int(key[1:]): stored[key].astype(np.float32) / 32767.0 for key in stored.files}


class Library:
    """Loads sounds when they are first asked for. A voice is a GM program number or the name of a bass one-shot."""

    def __init__(self) -> None:
        """Raises SystemExit with the packages to install where sounds are missing."""
        self.samples = _found(SAMPLE_FOLDERS)
        _found(SOUND_FONTS)
        self.drums: dict[str, Shot] = {}
        self.programs: dict[int, dict[int, Audio]] = {}
        self.notes: dict[tuple[int | str, int, int], Shot] = {}

    def sample(self, name: str) -> Audio:
        """A file of the sample package as (n, 2)."""
        path = self.samples / f"{name}.flac"
        if not path.is_file():
            raise SystemExit(f"{path} is missing: apt-get install --reinstall sonic-pi-samples")
        audio, rate = soundfile.read(path, dtype="float32", always_2d=True)
        if audio.shape[1] == 1:
            audio = np.repeat(audio, 2, axis=1)
        return resampled(audio, rate / SAMPLE_RATE_HZ) if rate != SAMPLE_RATE_HZ else audio

    @staticmethod
    def choices(role: str) -> list[str]:
        """Names of all drum sounds of a role."""
        kits = [f"kit{kit}:{note}" for kit in KITS for note in KIT_NOTES[role]]
        return [*kits, *DRUM_SHOTS[role]]

    def drum(self, name: str) -> Shot:
        """A drum one-shot by name: "kit16:36" or a file of the sample package."""
        if name not in self.drums:
            if name.startswith("kit"):
                kit = int(name[3:].split(":")[0])
                wanted = sorted({note for notes in KIT_NOTES.values() for note in notes})
                for number, audio in _cached_notes(f"kit{kit}", kit, 9, wanted, 0.5).items():
                    self.drums[f"kit{kit}:{number}"] = as_shot(audio)
            else:
                self.drums[name] = as_shot(self.sample(name)[: 3 * SAMPLE_RATE_HZ])
        return self.drums[name]

    def _source(self, voice: int | str, midi: int) -> tuple[Audio, int]:
        """Nearest recorded note and its pitch."""
        if isinstance(voice, str):
            return self.sample(voice), BASS_SHOT_MIDI
        if voice not in self.programs:
            family = FAMILY[voice]
            low, high = (27, 55) if family == "bass" else (45, 87)
            self.programs[voice] = _cached_notes(
                f"program{voice}", voice, 0, range(low, high + 1, NOTE_STEP), 4.2 if family in LONG else 1.8
            )
        nearest = min(self.programs[voice], key=lambda have: abs(have - midi))
        return self.programs[voice][nearest], nearest

    def note(self, voice: int | str, midi: int, length_s: float) -> Shot:
        """A note that is released after length_s."""
        key = (voice, midi, round(length_s * 200))
        if key not in self.notes:
            source, pitch = self._source(voice, midi)
            audio = source if pitch == midi else resampled(source, 2.0 ** ((midi - pitch) / 12.0))
            soft = isinstance(voice, int) and FAMILY[voice] in SOFT
            shot = as_shot(audio, not soft)
            release = int((0.35 if soft else 0.05) * SAMPLE_RATE_HZ)
            end = shot.attack + max(1, int(length_s * SAMPLE_RATE_HZ)) + release
            self.notes[key] = Shot(fade_edges(shot.audio[:end], 0, release), shot.attack)
        return self.notes[key]

    def chord(self, voice: int | str, notes: Sequence[int], length_s: float) -> Shot:
        """Several notes at once, aligned at their attacks."""
        shots = [self.note(voice, midi, length_s) for midi in notes]
        attack = max(shot.attack for shot in shots)
        out = np.zeros((max(len(shot.audio) - shot.attack for shot in shots) + attack, 2), dtype=np.float32)
        for shot in shots:
            first = attack - shot.attack
            out[first : first + len(shot.audio)] += shot.audio
        return Shot(out, attack)

    def forget_notes(self) -> None:
        """Free the notes of a finished track."""
        self.notes.clear()
