"""Sounds that are not ours: General MIDI notes and drum kits of a sound font, CC0 one-shots and loops of Sonic Pi."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from trainer.synth.dsp import SAMPLE_RATE_HZ, Audio, fade_edges
from trainer.synth.samples import (
    DRUM_CHANNEL,
    DRUM_SHOTS,
    KIT_NOTES,
    NOTE_STEP,
    PACKAGES,
    SAMPLE_FOLDERS,
    Shot,
    as_shot,
    ensure_notes,
    first_existing,
    missing_sounds,
    read_sample,
    resampled,
)

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / "bench" / "sounds"
MISSING = f"The mixes of this bench need sounds that are not ours: {PACKAGES}"

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


def _cached_notes(name: str, program: int, channel: int, notes: Sequence[int], hold_s: float) -> dict[int, Audio]:
    """Notes of a program as {midi: (n, 2)}, from the cache or rendered into it."""
    path = CACHE / f"{name}.npz"
    gap_s = 1.5 if channel == DRUM_CHANNEL else 1.0
    ensure_notes(path, program, channel, notes, hold_s, gap_s, hold_s + gap_s - 0.01)
    with np.load(path) as stored:
        return {int(key[1:]): stored[key].astype(np.float32) / 32767.0 for key in stored.files}


class Library:
    """Loads sounds when they are first asked for. A voice is a GM program number or the name of a bass one-shot."""

    def __init__(self) -> None:
        """Raises SystemExit with the packages to install where sounds are missing."""
        folder = first_existing(SAMPLE_FOLDERS)
        if missing_sounds() or folder is None:
            raise SystemExit(MISSING)
        self.samples = folder
        self.drums: dict[str, Shot] = {}
        self.programs: dict[int, dict[int, Audio]] = {}
        self.notes: dict[tuple[int | str, int, int], Shot] = {}

    def sample(self, name: str) -> Audio:
        """A file of the sample package as (n, 2)."""
        return read_sample(self.samples, name)

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
                for number, audio in _cached_notes(f"kit{kit}", kit, DRUM_CHANNEL, wanted, 0.5).items():
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
