"""Proves that drawn voices are in tune, different, driven and acoustic as asked, and that kits are whole and varied."""

from __future__ import annotations

import pickle
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("scipy")
pytest.importorskip("soundfile")

from trainer.synth import samples
from trainer.synth.drums import KickShape, drum_kit
from trainer.synth.dsp import SAMPLE_RATE_HZ, midi_to_hz
from trainer.synth.families.finish import driven
from trainer.synth.orchestra import (
    CHARACTERS,
    ROLES,
    KickWish,
    SampleBank,
    Voice,
    draw_kit,
    draw_voice,
    missing_sounds,
    open_bank,
)

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> SampleBank:
    found = open_bank(tmp_path_factory.mktemp("sounds"))
    if found is None:
        pytest.skip(missing_sounds())
    return found


def drawn(role: str, count: int, seed: int = 3, hold_bank: SampleBank | None = None) -> list[Voice]:
    rng = np.random.default_rng(seed)
    drives = (0.0, 0.3, 0.8)
    return [draw_voice(role, rng, organic=bool(i % 2), drive=drives[i % 3], bank=hold_bank) for i in range(count)]


def heard(audio: np.ndarray) -> np.ndarray:
    """One channel (n,), the left one where the sum of both cancels."""
    mono = audio.mean(axis=1)
    return mono if np.abs(mono).max() > 0.1 else audio[:, 0]


def cents_off(audio: np.ndarray, midi: float) -> float:
    """Smallest deviation in cents of a strong period of the sound from the note, or from one or two octaves below."""
    mono = heard(audio)[int(0.1 * SAMPLE_RATE_HZ) : int(0.55 * SAMPLE_RATE_HZ)]
    power = np.abs(np.fft.rfft(mono, 2 ** int(np.ceil(np.log2(2 * len(mono)))))) ** 2
    alike = np.fft.irfft(power)[: len(mono)]
    found = [1200.0]
    for octave in (1, 2, 4):
        period = octave * SAMPLE_RATE_HZ / midi_to_hz(midi)
        low = int(0.945 * period)
        at = low + int(np.argmax(alike[low : int(1.06 * period) + 2]))
        before, here, after = alike[at - 1 : at + 2] / alike[0]
        if here > 0.5:
            at_peak = at + (before - after) / (2.0 * (before - 2.0 * here + after))
            found.append(abs(1200.0 * float(np.log2(at_peak / period))))
    return min(found)


def log_mel(audio: np.ndarray) -> np.ndarray:
    """Levels in dB of 30 bands by 12 frames of the first 0.4 s."""
    mono = np.pad(heard(audio), (0, 20000))[:18000]
    frames = np.lib.stride_tricks.sliding_window_view(mono, 2048)[::1400] * np.hanning(2048)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    edges = np.unique(np.geomspace(2, 900, 31).astype(int))
    return 10.0 * np.log10(np.add.reduceat(power, edges, axis=1) + 1e-3).ravel()


@pytest.mark.parametrize("role", ROLES)
def test_notes_are_sound(role: str) -> None:
    midi = 40.0 if role == "bass" else 64.0
    for voice in drawn(role, 40):
        note = voice.play(midi, 0.6)
        assert note.dtype == np.float32
        assert note.ndim == 2
        assert note.shape[1] == 2
        assert np.isfinite(note).all(), voice
        assert np.abs(note).max() == pytest.approx(1.0, abs=1e-4), voice
        assert np.abs(note[-8:]).max() < 1e-2, voice
        # Whoever holds a note hears it, and its release is short.
        assert len(note) < (0.6 + 1.0) * SAMPLE_RATE_HZ, voice
        long = note[: int(0.6 * SAMPLE_RATE_HZ)]
        if len(note) > 0.5 * SAMPLE_RATE_HZ:
            assert cents_off(long, midi) < 20.0, voice


@pytest.mark.parametrize("role", ROLES)
def test_voices_of_a_role_differ(role: str) -> None:
    midi = 40.0 if role == "bass" else 64.0
    marks = np.array([log_mel(voice.play(midi, 0.3)) for voice in drawn(role, 120, seed=8)])
    squares = (marks**2).sum(axis=1)
    gaps = np.sqrt(np.maximum(squares[:, None] + squares - 2.0 * marks @ marks.T, 0.0) / marks.shape[1])
    pairs = gaps[np.triu_indices(len(marks), 1)]
    assert pairs.mean() > 8.0
    assert pairs.min() > 0.5


@pytest.mark.parametrize("organic", [False, True])
@pytest.mark.parametrize("character", CHARACTERS)
def test_characters_obey_the_organic_flag_and_come_from_several_draws(character: str, organic: bool) -> None:
    role = "bass" if character in ("donk", "reese", "rolling", "sub", "slap", "pulse", "smooth") else "lead"
    rng = np.random.default_rng(4)
    voices = [draw_voice(role, rng, organic=organic, drive=0.2, character=character) for _ in range(12)]
    for voice in voices:
        assert voice.name == character
        assert voice.organic >= 0.5 if organic else voice.organic <= 0.25, voice
    assert organic or len({voice.family for voice in voices}) >= 2
    assert len(set(voices)) == len(voices)


def test_unknown_wishes_are_refused() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="unknown role"):
        draw_voice("kazoo", rng, organic=False, drive=0.0)
    with pytest.raises(ValueError, match="supersaw"):
        draw_voice("lead", rng, organic=False, drive=0.0, character="kazoo")


@pytest.mark.parametrize("kind", ["tanh", "fold", "uneven", "clip", "crush"])
def test_drive_adds_overtones_in_proportion(kind: str) -> None:
    time_s = np.arange(22050) / SAMPLE_RATE_HZ
    tone = np.sin(2.0 * np.pi * 440.0 * time_s).astype(np.float32)[None]

    def overtones(drive: float) -> float:
        power = np.abs(np.fft.rfft(driven(tone, drive, kind)[0] * np.hanning(22050))) ** 2
        base = power[215:226].sum()
        return float((power[230:].sum()) / base)

    shares = [overtones(drive) for drive in (0.1, 0.4, 1.0)]
    assert shares[0] < shares[1] < shares[2]
    assert shares[2] > 0.05


@pytest.mark.parametrize("role", ["lead", "bass"])
def test_driven_voices_have_more_overtones(role: str) -> None:
    midi, character = (40.0, "sub") if role == "bass" else (64.0, "whistle")

    def overtones(drive: float) -> float:
        shares = []
        for seed in range(10):
            rng = np.random.default_rng(seed)
            voice = draw_voice(role, rng, organic=False, drive=drive, character=character)
            power = np.abs(np.fft.rfft(heard(voice.play(midi, 0.5))[:20000], 44100)) ** 2
            shares.append(power[int(2.5 * midi_to_hz(midi)) :].sum() / power.sum())
        return float(np.median(shares))

    weak, middle, strong = (overtones(drive) for drive in (0.0, 0.3, 1.0))
    assert weak < middle < strong
    assert strong > 3.0 * weak


def checksums() -> list[int]:
    rng = np.random.default_rng(11)
    notes = [
        draw_voice(role, rng, organic=organic, drive=0.4).play(50.0, 0.2) for role in ROLES for organic in (True, False)
    ]
    return [zlib.crc32(shot.tobytes()) for shot in (*notes, draw_kit(rng, kick=KickWish())["clap"])]


def test_same_seed_same_samples_in_another_process() -> None:
    code = (
        "import sys; sys.path[:0] = sys.argv[1:]\n"
        "from tests.trainer.test_orchestra import checksums\n"
        "print(checksums())\n"
    )
    command = [sys.executable, "-c", code, str(ROOT)]
    elsewhere = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    assert elsewhere == str(checksums())
    assert len(set(checksums())) == 2 * len(ROLES) + 1


@pytest.mark.parametrize("seed", range(6))
def test_kits_are_whole(seed: int) -> None:
    wish = KickWish(0.1 + 0.04 * seed, None, seed / 5.0, 1.0 - seed / 5.0)
    kit = draw_kit(np.random.default_rng(seed), kick=wish)
    shape = KickShape(200.0, 50.0, 0.01, 0.15, 0.5, 0.2)
    assert set(kit) == set(drum_kit(shape, np.random.default_rng(0)))
    for name, shot in kit.items():
        assert shot.dtype == np.float32, name
        assert shot.shape[1] == 2
        assert np.isfinite(shot).all(), name
        assert np.abs(shot).max() == pytest.approx(1.0, abs=1e-4), name
        assert np.abs(shot[-4:]).max() < 0.02, name
    # The kick is heard at once: half its height within 12 ms.
    assert int(np.argmax(np.abs(kit["kick"]).max(axis=1) > 0.5)) < 0.012 * SAMPLE_RATE_HZ


def test_kicks_follow_the_wish() -> None:
    def bright(hardness: float, softness: float) -> float:
        shares = []
        for seed in range(6):
            kick = draw_kit(np.random.default_rng(seed), kick=KickWish(0.15, None, hardness, softness))["kick"]
            power = np.abs(np.fft.rfft(kick.mean(axis=1), 32768)) ** 2
            shares.append(power[300:].sum() / power.sum())
        return float(np.median(shares))

    assert bright(1.0, 0.0) > 4.0 * bright(0.1, 0.9)
    tonal = draw_kit(np.random.default_rng(1), kick=KickWish(0.3, 55.0, 0.5, 0.0))["kick"].mean(axis=1)
    power = np.abs(np.fft.rfft(tonal[int(0.12 * SAMPLE_RATE_HZ) :], 1 << 17))
    assert np.argmax(power) * SAMPLE_RATE_HZ / (1 << 17) == pytest.approx(55.0, abs=2.0)


def test_kits_differ() -> None:
    kits = [draw_kit(np.random.default_rng(seed), kick=KickWish()) for seed in range(8)]
    for name in kits[0]:
        marks = np.array([log_mel(kit[name]) for kit in kits])
        gaps = [np.sqrt(((a - b) ** 2).mean()) for i, a in enumerate(marks) for b in marks[:i]]
        assert np.mean(gaps) > 3.0, name


def test_without_sounds_there_is_a_hint(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(samples, "SOUND_FONTS", ())
    assert "apt-get install" in missing_sounds()
    assert "FluidR3" in missing_sounds()
    assert open_bank(tmp_path) is None


def test_midi_files_are_what_the_standard_says() -> None:
    mido = pytest.importorskip("mido")
    import io

    read = mido.MidiFile(file=io.BytesIO(samples.midi_file(48, 9, [35, 60], 4.2, 1.0)))
    times = []
    now = 0
    for message in read.tracks[0]:
        now += message.time
        if message.type == "note_on":
            times.append((now, message.note, message.channel))
    assert read.ticks_per_beat == 480
    assert times == [(480, 35, 9), (480 + round(960 * 5.2), 60, 9)]


def test_sampled_voices_are_in_tune_and_cached(bank: SampleBank) -> None:
    rng = np.random.default_rng(2)
    for program in (0, 80):
        assert cents_off(bank.note(program, 64.4, 0.8).T, 64.4) < 15.0
    written = {path: path.stat().st_mtime_ns for path in bank.cache.iterdir()}
    assert {path.name for path in written} == {"voice0.npz", "voice80.npz"}
    again = open_bank(bank.cache)
    assert again is not None
    assert np.array_equal(again.note(0, 61.0, 0.3), pickle.loads(pickle.dumps(bank)).note(0, 61.0, 0.3))
    assert {path: path.stat().st_mtime_ns for path in bank.cache.iterdir()} == written
    # A steady sound lasts beyond its recording.
    long = bank.note(80, 64.0, 5.0)
    assert long.shape[1] > 4.9 * SAMPLE_RATE_HZ
    assert np.abs(long[:, int(4.5 * SAMPLE_RATE_HZ) :]).max() > 0.2 * np.abs(long).max()
    shots = [
        voice
        for voice in (
            draw_voice("lead", rng, organic=False, drive=0.0, character="bounce", bank=bank) for _ in range(60)
        )
        if voice.family == "shot"
    ]
    assert shots
    assert cents_off(shots[0].play(60.0, 0.5), 60.0) < 30.0
