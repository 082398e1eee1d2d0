"""One track of the second generator: draw it, let Csound play its stems, mix and master them. Zone: trainer."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
import soundfile as sf
from numpy.typing import NDArray
from scipy import ndimage, signal

from housex_blender.core.attributes import ATTRIBUTES
from housex_blender.core.errors import HouseXError
from housex_blender.core.genres import GENRES

from ..labelled import Labelled
from . import drums, orchestra, score
from .facts import FACTS, TYPICAL, Facts

RATE_HZ = drums.RATE_HZ
FONTS = tuple(
    Path(folder) / "TimGM6mb.sf2"
    for folder in ("/usr/share/sounds/sf2", "/usr/local/share/sounds/sf2", "/usr/share/soundfonts")
)
TAIL_S = 2.5
HIT_NAMES = (
    "kick",
    "clap",
    "snare",
    "closed",
    "open",
    *(f"blip{i}" for i in range(4)),
    *(f"word{i}" for i in range(4)),
)
# a part counts as sounding in a bar when its notes fill at least a quarter of a beat, in steps of a 32nd
LEAST_STEPS = 2
Sound = NDArray[np.float32]


@dataclass
class Part:
    """One tonal part: its notes, its two possible voices and where it plays.

    Attributes:
        name: For the facts.
        role: lead, chord or bass.
        notes: The 8-bar loop.
        rhythmic: False for held pads, whose notes make no rhythm.
        level_db: Loudness while it sounds.
        drive: 0 clean to 1 harsh.
        organic: Share of its power that an acoustic voice plays.
        voices: Electric voice, acoustic voice; None where its share is 0.
        send: Into the reverberation.
        attack_s, release_s, glide_s: Of the notes.
        gain: (n_bars,) 0 where it is silent.
    """

    name: str
    role: str
    notes: list[score.Note]
    rhythmic: bool
    level_db: float
    drive: float
    send: float
    attack_s: float
    release_s: float
    glide_s: float
    gain: NDArray[np.float64]
    organic: float = 0.0
    voices: tuple[str | None, str | None] = (None, None)


@dataclass
class Draw:
    """Everything drawn for a track before anything sounds."""

    writers: dict[str, str]
    bpm: float
    sections: tuple[str, ...]
    song: score.Harmony
    scales: dict[str, float]
    space: float
    busy: float
    kick: str
    parts: list[Part] = field(default_factory=list)

    @property
    def bar_s(self) -> float:
        """Length of a bar."""
        return 240.0 / self.bpm


def sources() -> tuple[str, str]:
    """Paths of the Csound program and of the sound font.

    Raises:
        HouseXError: If one of them, or the drum kits, are missing.
    """
    program = shutil.which("csound")
    font = next((path for path in FONTS if path.is_file()), None)
    if program is None:
        raise HouseXError("The program csound is not installed.", drums.INSTALL)
    if font is None:
        raise HouseXError("The sound font TimGM6mb.sf2 is not installed.", drums.INSTALL)
    drums.catalogue()
    return program, str(font)


def runs(sections: tuple[str, ...]) -> list[tuple[str, int, int]]:
    """(section, first bar, bar after the last) of each stretch."""
    edges = [0, *(i for i in range(1, len(sections)) if sections[i] != sections[i - 1]), len(sections)]
    return [(sections[a], a, b) for a, b in pairwise(edges)]


# --- drawing -------------------------------------------------------------------------------------------------------


def _voice(rng: np.random.Generator, role: str, typical: tuple[str, ...], acoustic: bool, held: bool) -> str:
    """A voice of the role: a typical one with the usual probability, otherwise any."""
    if role == "bass":
        pool = list(orchestra.ACOUSTIC_BASS if acoustic else orchestra.ELECTRIC_BASS)
    else:
        pool = list(orchestra.ACOUSTIC if acoustic else orchestra.ELECTRIC)
        if role == "chord":
            pool = [v for v in pool if v not in orchestra.NOT_FOR_CHORDS]
        if held:
            pool = [v for v in pool if v in orchestra.HELD]
    usual = [v for v in typical if v in pool]
    chosen = usual if usual and rng.random() < TYPICAL else pool
    return chosen[int(rng.integers(len(chosen)))]


def _share_out(rng: np.random.Generator, parts: list[Part], share: float) -> None:
    """Gives acoustic voices to the parts until they hold `share` of the power; basses come last."""
    power = {id(part): 10 ** (part.level_db / 10) for part in parts}
    left = share * sum(power.values())
    for part in sorted(parts, key=lambda p: (p.role == "bass") + float(rng.random()) * 0.9):
        part.organic = float(np.clip(left / power[id(part)], 0, 1))
        left -= part.organic * power[id(part)]


def _draw(rng: np.random.Generator, shares: dict[str, float], bpm: float | None, for_mix: bool) -> Draw:
    names, weights = list(shares), np.array(list(shares.values()))
    writers = {
        what: names[int(rng.choice(len(names), p=weights))]
        for what in ("lead", "chord", "bass", "kick", "drums", "song", "vocal")
    }
    every = {what: FACTS[name] for what, name in writers.items()}

    scales: dict[str, float] = {}
    for scale in ("groove", "distortion", "organicity"):
        quantile = rng.random()
        spans = [getattr(FACTS[name], scale) for name in names]
        scales[scale] = float(sum(w * (lo + quantile * (hi - lo)) for w, (lo, hi) in zip(weights, spans, strict=True)))
    quantile = rng.random()
    levels = [int(f[0] + min(quantile * (f[1] - f[0] + 1), f[1] - f[0])) for f in (FACTS[n].rhythm for n in names)]
    scales["rhythm"] = float(round(float(np.dot(weights, levels))))

    def present(part: str) -> bool:
        return bool(rng.random() < sum(w * getattr(FACTS[n], part) for n, w in shares.items()))

    tempo = float(np.mean([rng.uniform(*FACTS[n].bpm) for n in rng.choice(names, 2, p=weights)]))
    song = every["song"]
    draw = Draw(
        writers=writers,
        bpm=bpm or (round(tempo) if rng.random() < 0.8 else round(tempo, 2)),
        sections=score.plan(rng, for_mix),
        song=score.harmony(
            rng, song.minor, rng.random() < song.extended, writers["bass"] in ("Bass House", "Tech House")
        ),
        scales=scales,
        space=float(np.dot(weights, [FACTS[n].space for n in names])),
        busy=float(np.dot(weights, [FACTS[n].drums for n in names])),
        kick=_kick_kind(rng, every["kick"]),
    )
    has = {part: present(part) for part in ("lead", "chord", "bass")}
    _write_parts(rng, draw, every, has)
    return draw


def _kick_kind(rng: np.random.Generator, facts: Facts) -> str:
    if "bigroom" in facts.kick:
        return "bigroom"
    others = [kind for kind in orchestra.KICKS if kind != "bigroom"]
    return str(rng.choice(facts.kick if rng.random() < TYPICAL else others))


def _within(rng: np.random.Generator, draw: Draw, spread: float) -> float:
    """A drive close to the track's."""
    return float(np.clip((draw.scales["distortion"] - 1) / 4 + rng.uniform(-spread, spread), 0, 1))


def _write_parts(rng: np.random.Generator, draw: Draw, facts: dict[str, Facts], has: dict[str, bool]) -> None:
    """Writes what plays in the drop, then what only the quieter sections have, and hands out the voices."""
    level = int(draw.scales["rhythm"])
    n = len(draw.sections)
    song = draw.song
    tech = not has["lead"] and not has["chord"]
    # one part carries the rhythm of the track, the others stay at or below its fineness
    carrier = "lead" if has["lead"] and (not has["bass"] or rng.random() < 0.65) else "bass"
    drive = _within(rng, draw, 0.0)
    empty = np.zeros(n)

    def below() -> int:
        return int(rng.integers(max(1, level - 2), level + 1))

    if has["bass"]:
        style = str(
            rng.choice(facts["bass"].bass_styles) if rng.random() < 0.75 else rng.choice(list(score.BASS_STYLES))
        )
        exact = carrier == "bass"
        base = int(rng.integers(28, 34))
        notes = score.bass(rng, style, level if exact else below(), exact, song, base)
        db = -12.5 + rng.uniform(-2, 2) + (1.5 if tech else 0)
        slide = float(rng.choice([0.002, 0.02, 0.06]))
        swell = 0.03 if "wavebass" in facts["bass"].basses and rng.random() < 0.7 else 0.004
        draw.parts.append(Part("bass", "bass", notes, True, db, drive, 0.01, swell, 0.03, slide, empty.copy()))
    if has["lead"]:
        style = str(
            rng.choice(facts["lead"].lead_styles)
            if rng.random() < 0.85
            else rng.choice(["anthem", "hook", "stabs", "arpeggio"])
        )
        base = int(rng.choice([57, 60, 64, 67]))
        lead_level = level if carrier == "lead" else below()
        attack = 0.002 if draw.writers["lead"] == "Bigroom" else float(rng.choice([0.003, 0.008, 0.02, 0.05]))
        glide = float(rng.choice([0.003, 0.03, 0.08]))
        db = -14 + rng.uniform(-2, 2) + (2 if not has["bass"] else 0)
        send = (0.05 + 0.3 * draw.space) * rng.uniform(0.6, 1.3)
        for name in ("lead", "lead2"):
            notes = score.lead(rng, style, lead_level, song, base)
            draw.parts.append(Part(name, "lead", notes, True, db, drive, send, attack, 0.08, glide, empty.copy()))
    if has["chord"]:
        held = rng.random() < (0.7 if level <= 2 else 0.35)
        notes = score.chords(rng, below(), song, bool(held))
        db = -17 + rng.uniform(-2, 2) + 4 * draw.space * (level <= 2)
        send = (0.05 + 0.4 * draw.space) * rng.uniform(0.6, 1.3)
        draw.parts.append(
            Part("chord", "chord", notes, not held, db, drive, send, 0.006, 0.12 + 0.2 * held, 0.001, empty.copy())
        )
        if rng.random() < 0.4:
            pad = score.chords(rng, 1, song, True, base=58)
            draw.parts.append(
                Part("pad", "chord", pad, False, db - 5, drive, send * 1.3, 0.12, 0.3, 0.001, empty.copy())
            )
    in_drop = list(draw.parts)
    _share_out(rng, [p for p in in_drop if p.name != "lead2"], (draw.scales["organicity"] - 1) / 4)
    for part in in_drop:
        if part.name == "lead2":
            part.organic = next(p.organic for p in in_drop if p.name == "lead")

    # what plays without the kick is often softer and more acoustic than the drop
    soft = drive * rng.uniform(0.2, 0.8)
    acoustic = float(rng.random() < 0.5)
    if (not has["chord"] and rng.random() < (0.35 if tech else 0.65)) or (has["chord"] and rng.random() < 0.4):
        held = tech or rng.random() < 0.6
        notes = score.chords(rng, min(2, level), song, bool(held))
        part = Part("soft chord", "chord", notes, not held, -17.0, soft, 0.3, 0.05, 0.25, 0.001, empty.copy())
        part.organic = acoustic
        draw.parts.append(part)
    if has["lead"] and rng.random() < max(facts["vocal"].vocal, 0.1):
        notes = score.lead(rng, "smooth", min(level, int(rng.integers(1, 4))), song, int(rng.choice([52, 57, 60])))
        draw.parts.append(Part("voice", "lead", notes, True, -14.5, drive, 0.35, 0.03, 0.08, 0.06, empty.copy()))
    elif has["lead"] and rng.random() < 0.6:
        notes = score.lead(rng, "smooth", min(level, 2), song, int(rng.choice([57, 62, 67])))
        part = Part("soft lead", "lead", notes, True, -15.5, soft, 0.35, 0.02, 0.15, 0.02, empty.copy())
        part.organic = 1 - acoustic if rng.random() < 0.3 else acoustic
        draw.parts.append(part)

    _arrange(rng, draw, tech)
    draw.parts = [part for part in draw.parts if part.gain.any()]
    for part in draw.parts:
        typical = getattr(facts[part.role], {"lead": "leads", "chord": "chords", "bass": "basses"}[part.role])
        held = part.role == "chord" and not part.rhythmic
        # the same voice for both leads more often than not
        twin = next((p for p in draw.parts if p.name == "lead"), None)
        if part.name == "lead2" and twin is not None and rng.random() < 0.6:
            part.voices = twin.voices
            continue
        electric = "vox" if part.name == "voice" else _voice(rng, part.role, typical, False, held)
        part.voices = (
            electric if part.organic < 0.97 else None,
            _voice(rng, part.role, typical, True, held) if part.organic > 0.03 else None,
        )
        part.organic = 0.0 if part.voices[1] is None else 1.0 if part.voices[0] is None else part.organic


def _arrange(rng: np.random.Generator, draw: Draw, tech: bool) -> None:
    """Says in which bars each part plays."""
    part = {p.name: p.gain for p in draw.parts}
    sing = bool(rng.random() < 0.35)
    change = bool(rng.random() < 0.5)
    first_drop = True

    def play(name: str, a: int, b: int, gain: float = 1.0) -> None:
        if name in part:
            part[name][a:b] = gain

    for section, a, b in runs(draw.sections):
        half = (a + b) // 2
        if section == "drop":
            for name in ("bass", "chord"):
                play(name, a, b)
            play("pad", a if rng.random() < 0.5 else half, b)
            second = change and (b - a >= 16 or not first_drop)
            play("lead", a, half if second else b)
            play("lead2", half if second else b, b)
            if sing and not first_drop:
                play("voice", half, b, 0.45)
            first_drop = False
        elif section == "break":
            lead = next((name for name in ("voice", "soft lead", "lead") if name in part), "lead")
            chord = next((name for name in ("soft chord", "chord") if name in part), "pad")
            play(chord, a, b)
            play("pad", a, b)
            play(lead, a if rng.random() < 0.5 or chord not in part else half, b, 0.9)
            if rng.random() < (0.6 if tech else 0.3):
                play("bass", half, b, 0.6)
            if chord not in part and lead not in part:
                play("bass", a, b, 0.7)
        elif section == "build":
            chord = "chord" if rng.random() < 0.6 or "soft chord" not in part else "soft chord"
            play(chord, a, b, 0.9)
            if rng.random() < 0.6 or (chord not in part and not tech):
                play("lead", a, b, 0.85)
            elif "voice" in part:
                play("voice", a, b, 0.85)
            if tech or rng.random() < 0.25:
                play("bass", a, b, 0.6)
        else:
            if rng.random() < (0.75 if tech else 0.4):
                play("bass", half if section == "intro" else a, b if section == "intro" else half, 0.8)
            for name in ("chord", "pad", "soft chord", "lead"):
                if rng.random() < 0.22 and not (tech and name == "lead"):
                    play(name, half if section == "intro" else a, b if section == "intro" else half, 0.6)


# --- Csound --------------------------------------------------------------------------------------------------------


def _hz(midi: float) -> float:
    return float(440.0 * 2 ** ((midi - 69) / 12))


def _orchestra_and_score(
    rng: np.random.Generator, draw: Draw, font: str, riser_s: float
) -> tuple[str, str, list[tuple[Part, bool]]]:
    """Csound text of all stems, and which (part, acoustic) each stem is."""
    stems = [(part, acoustic) for part in draw.parts for acoustic in (False, True) if part.voices[int(acoustic)]]
    step_s = draw.bar_s / score.GRID
    length_s = score.LOOP_BARS * draw.bar_s + TAIL_S
    n = len(stems)
    text = f"sr = {RATE_HZ}\nksmps = 32\nnchnls = {2 * n + 7}\n0dbfs = 1\nseed {int(rng.integers(1, 2**30))}\n"
    text += f"gibeat = {60 / draw.bpm:.9f}\n"
    text += "".join(f"gaL{i} init 0\ngaR{i} init 0\n" for i in range(1, n + 1))
    text += orchestra.tables(rng, font)
    events: list[str] = []
    swing = int(rng.random() < 0.35) * rng.uniform(0.0, 0.3)
    for i, (part, acoustic) in enumerate(stems, start=1):
        voice = part.voices[int(acoustic)] or ""
        text += orchestra.instrument(rng, 10 + i, i, voice, part.attack_s, part.release_s, part.glide_s)
        text += orchestra.insert(rng, 100 + i, i, acoustic)
        events.append(f"i {100 + i} 0 {length_s:.5f}")
        for note in part.notes:
            late = swing * 2 * step_s if note.start % 4 == 2 else 0.0
            events.append(
                f"i {10 + i} {note.start * step_s + late:.6f} {note.length * step_s + part.release_s:.5f} "
                f"{_hz(note.pitch):.4f} {min(note.velocity, 1):.3f} {_hz(note.glide_from):.4f} {note.variation:.3f}"
            )
    hit, rise, fall, room = 2 * n + 1, 2 * n + 2, 2 * n + 4, 2 * n + 6
    tonic = _hz(draw.song.pitch(0, 30))
    while tonic > 64:
        tonic /= 2
    text += orchestra.kick(rng, 200, draw.kick, tonic if tonic > 42 else 1.4983 * tonic)
    text += orchestra.hits(rng, 201) + orchestra.effects(rng, 210)
    events += [f"i 200 0 .9 {hit}", f"i 201 1 .9 {hit}", f"i 202 2 .9 {hit}"]
    events += [f"i 203 3 .9 {hit} {rng.uniform(0.02, 0.07):.4f}", f"i 203 4 .9 {hit} {rng.uniform(0.12, 0.3):.4f}"]
    for i in range(4):
        events.append(f"i 204 {5 + i} .6 {hit} {rng.uniform(200, 1800):.2f}")
        word_hz = _hz(draw.song.pitch(0, 45) + 12 * int(rng.random() < 0.4))
        events.append(f"i 205 {9 + i} {rng.uniform(0.15, 0.5):.3f} {hit} {word_hz:.3f} {rng.random():.3f}")
    events += [f"i 210 0 {riser_s:.4f} {rise}", f"i 211 0 3 {fall}", f"i 212 3.5 4 {fall}"]
    size = float(np.clip(0.25 + 0.65 * draw.space + rng.uniform(-0.15, 0.15), 0.1, 0.95))
    events.append(f"i 213 0 {1 + 4 * size:.3f} {room} .001 {size:.3f}")
    return text, "\n".join(events) + "\ne\n", stems


def _run_csound(program: str, orchestra_text: str, score_text: str) -> Sound:
    """(n, channels) of one Csound pass."""
    with tempfile.TemporaryDirectory(prefix="housex-second-") as folder:
        paths = [Path(folder) / name for name in ("track.orc", "track.sco", "stems.wav")]
        paths[0].write_text(orchestra_text, encoding="ascii")
        paths[1].write_text(score_text, encoding="ascii")
        command = [program, "-d", "-m0", "-f", "-W", "-o", *(str(p) for p in (paths[2], paths[0], paths[1]))]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        done = subprocess.run(command, capture_output=True, cwd=folder, env=environment, check=False)
        if done.returncode or not paths[2].is_file():
            raise HouseXError("Csound could not play the track.", done.stderr.decode(errors="replace")[-400:])
        stems, _ = sf.read(paths[2], dtype="float32", always_2d=True)
    return np.nan_to_num(stems, nan=0.0, posinf=0.0, neginf=0.0)


# --- stems ---------------------------------------------------------------------------------------------------------


def _active_rms(sound: Sound) -> float:
    """Loudness of the frames of 50 ms within 26 dB of the loudest."""
    frame = RATE_HZ // 20
    n = len(sound) // frame * frame
    power = np.square(sound[:n]).mean(axis=1).reshape(-1, frame).mean(axis=1)
    peak = float(power.max(initial=0.0))
    return float(np.sqrt(power[power > peak / 400].mean())) if peak > 1e-14 else 0.0


def _drive(rng: np.random.Generator, sound: Sound, amount: float) -> Sound:
    """Distorts sound of RMS .22: nothing happens at 0, everything is torn at 1."""
    if amount < 0.01:
        return sound
    shapes = ["tanh", "diode", "cubic", "lopsided"] + (["clip", "fold", "crush"] if amount > 0.4 else [])
    kind = str(rng.choice(shapes))
    hot = sound * np.float32(1 + 15 * amount**1.2)
    if kind == "tanh":
        out = np.tanh(hot)
    elif kind == "diode":
        out = 1.4 * hot / (0.6 + np.abs(hot))
    elif kind == "cubic":
        limited = np.clip(hot, -1, 1)
        out = 1.5 * limited - 0.5 * limited**3
    elif kind == "lopsided":
        out = np.tanh(hot + 0.4) - np.tanh(0.4)
    elif kind == "clip":
        out = np.clip(hot, -0.8, 0.8)
    elif kind == "fold":
        out = np.sin(np.clip(hot, -5, 5) * 1.2)
    else:
        levels = 2 ** (9 - 5 * amount)
        out = np.round(np.tanh(hot) * levels) / levels
    return np.asarray(out, np.float32)


def _filtered(sound: Sound, kind: str, hz: float, order: int = 2) -> Sound:
    sos = signal.butter(order, hz, kind, fs=RATE_HZ, output="sos")
    return np.asarray(signal.sosfilt(sos, sound, axis=0), np.float32)


def _stem(rng: np.random.Generator, sound: Sound, part: Part) -> Sound:
    """The loop of one voice: cleaned, distorted, coloured, RMS 1 where it sounds."""
    rms = _active_rms(sound)
    if rms < 1e-7:
        return np.zeros_like(sound)
    sound = sound * np.float32(0.22 / rms)
    if part.role == "bass":
        low = _filtered(sound, "lowpass", 110)
        middle = low.mean(axis=1, keepdims=True)
        sound = np.asarray(_drive(rng, sound - low + middle, part.drive) + 0.4 * part.drive * middle, np.float32)
        sound = _filtered(sound, "highpass", 28)
    else:
        sound = _filtered(sound, "highpass", float(rng.uniform(110, 220)))
        sound = _drive(rng, np.clip(sound, -2, 2), part.drive)
        sound = _filtered(sound, "highpass", 90)
    if rng.random() < 0.5:
        sound = _filtered(sound, "lowpass", float(rng.uniform(6000, 15000)), 1)
    return np.asarray(sound / max(_active_rms(sound), 1e-7), np.float32)


def _tile(loop: Sound, part: Part, draw: Draw, n: int) -> Sound:
    """(n, 2) the loop wherever the part plays; it starts anew with each section."""
    out = np.zeros((n, 2), np.float32)
    at = [round(b * draw.bar_s * RATE_HZ) for b in range(len(draw.sections) + score.LOOP_BARS + 1)]
    fade = RATE_HZ // 33
    for _, first, end in runs(draw.sections):
        for a in range(first, end, score.LOOP_BARS):
            b = min(a + score.LOOP_BARS, end)
            gains = part.gain[a:b]
            if not gains.any():
                continue
            length = at[b] - at[a]
            whole = b - a == score.LOOP_BARS
            piece = loop[: length + (int((TAIL_S - 0.1) * RATE_HZ) if whole else fade)].copy()
            envelope = np.repeat(gains, np.diff(at[a : b + 1])).astype(np.float32)
            envelope = ndimage.uniform_filter1d(envelope, 441)
            envelope = np.append(envelope, np.full(max(len(piece) - length, 0), envelope[-1], np.float32))
            if not whole:
                envelope[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
            piece *= envelope[: len(piece), None]
            stop = min(at[a] + len(piece), n)
            out[at[a] : stop] += piece[: stop - at[a]]
    return out


# --- mixing --------------------------------------------------------------------------------------------------------


def _sweep(sound: Sound, kind: str, from_hz: float, to_hz: float, pieces: int) -> Sound:
    """A filter that moves over the sound."""
    out = np.empty_like(sound)
    edges = np.linspace(0, len(sound), pieces + 1).astype(int)
    state = np.zeros((1, 2, sound.shape[1]))
    for i, (a, b) in enumerate(pairwise(edges)):
        hz = from_hz * (to_hz / from_hz) ** (i / max(pieces - 1, 1))
        sos = signal.butter(2, min(hz, 18000), kind, fs=RATE_HZ, output="sos")
        out[a:b], state = signal.sosfilt(sos, sound[a:b], axis=0, zi=state)
    return out


def _ducking(rng: np.random.Generator, beats: NDArray[np.bool_], depth_db: float, beat_n: float, n: int) -> Sound:
    """(n,) gain of the music under the kicks: down by depth_db at once, back along a curve drawn once per track."""
    length = int(beat_n)
    hold, back = rng.uniform(0.02, 0.15), rng.uniform(0.5, 0.8)
    phase = np.clip((np.arange(length) / length - hold) / back, 0, 1)
    kind = str(rng.choice(["cosine", "power", "line", "late"]))
    recovered = {
        "cosine": 0.5 - 0.5 * np.cos(np.pi * phase),
        "power": phase**0.6,
        "line": phase,
        "late": phase**1.7,
    }[kind]
    curve = 10 ** (-depth_db * (1 - recovered) / 20)
    gain = np.ones(n)
    for beat in np.flatnonzero(beats):
        a = round(beat * beat_n)
        gain[a : a + length] = curve[: max(0, min(length, n - a))]
    return np.asarray(ndimage.uniform_filter1d(gain, 133), np.float32)


def _kick_beats(rng: np.random.Generator, draw: Draw) -> NDArray[np.bool_]:
    """(4 * n_bars,) where the kick falls."""
    beats = np.zeros(4 * len(draw.sections), bool)
    from_start = rng.random() < 0.8
    lead_in = rng.random() < 0.4
    for section, a, b in runs(draw.sections):
        half = (a + b) // 2
        if section in ("drop", "outro"):
            beats[4 * a : 4 * b] = True
        elif section == "intro":
            beats[4 * (a if from_start else half) : 4 * b] = True
        elif section == "build" and lead_in:
            beats[4 * a : 4 * half] = True
        if section == "drop":
            for bar in range(a + 7, b, 8):
                if rng.random() < 0.4:
                    beats[4 * bar + 3 : 4 * bar + 4] = False
    return beats


class _Drums:
    """Puts hits on the time line."""

    def __init__(self, n: int, beat_n: float) -> None:
        self.kicks = np.zeros((n, 2), np.float32)
        self.rest = np.zeros((n, 2), np.float32)
        self.beat_n = beat_n

    def put(self, hit: Sound, beat: float, gain: float, kick: bool = False) -> None:
        """Adds a hit that starts at a beat."""
        a = round(beat * self.beat_n)
        target = self.kicks if kick else self.rest
        m = max(0, min(len(hit), len(target) - a))
        target[a : a + m] += hit[:m] * np.float32(gain)


HIT_GAIN = {
    "clap": 0.62, "snare": 0.6, "open": 0.42, "closed": 0.32, "ride": 0.28, "shaker": 0.28, "perc": 0.4, "perc2": 0.36,
    "rim": 0.36, "crash": 0.45,
}  # fmt: skip


def _play_drums(
    rng: np.random.Generator, draw: Draw, beats: NDArray[np.bool_], hits: dict[str, Sound], n: int
) -> _Drums:
    """All drums, rolls, fills and single words of the track."""
    beat_n = draw.bar_s * RATE_HZ / 4
    out = _Drums(n, beat_n)
    kit = drums.kit(rng)
    for name in ("clap", "snare", "closed", "open"):
        if rng.random() < 0.35:
            kit[name] = hits[name]
    kick = hits["kick"]
    if draw.kick != "bigroom" and rng.random() < 0.35:
        layer = kit["kick"][: len(kick)]
        kick = kick.copy()
        kick[: len(layer)] += 0.7 * layer
    kick = kick / np.abs(kick).max()
    for beat in np.flatnonzero(beats):
        out.put(kick, float(beat), 1.0, kick=True)

    written = drums.patterns(rng, draw.busy)
    level = {name: HIT_GAIN[name] * rng.uniform(0.75, 1.25) * (0.75 + 0.5 * draw.busy) for name in HIT_GAIN}
    swing = rng.uniform(0, 0.12) if rng.random() < 0.4 else 0.0
    order = [str(name) for name in rng.permutation(list(written))]
    words = rng.random() < {"Tech House": 0.7, "Bass House": 0.45, "Future House": 0.4}.get(draw.writers["drums"], 0.15)
    blips = rng.random() < 0.15 + 0.6 * max(0.0, draw.busy - 0.5)
    blip_steps = [(int(rng.integers(32)), int(rng.integers(4))) for _ in range(int(rng.integers(2, 6)))]
    word_steps = [(int(rng.choice([0, 6, 12, 14, 20, 28, 30])), int(rng.integers(4))) for _ in range(2)]
    for section, a, b in runs(draw.sections):
        full = section == "drop"
        for bar in range(a, b):
            done = (bar - a) / max(b - a, 1)
            if section == "break":
                active = order[:2] if rng.random() < 0.15 else []
            elif section == "build":
                active = order[:1]
            elif full:
                active = order if done >= 0.5 or b - a < 16 else order[: max(3, len(order) - 1)]
            else:
                part = done if section == "intro" else 1 - done
                active = order[: 2 + int(part * len(order))]
            for name in active:
                for step, velocity in written[name]:
                    if step // 16 != bar % 2:
                        continue
                    late = swing if step % 2 else 0.0
                    human = float(rng.normal(0, 0.003))
                    out.put(kit[name], 4 * bar + max((step % 16 + late) / 4 + human, 0), level[name] * velocity)
            if full and blips:
                for step, which in blip_steps:
                    if step // 16 == bar % 2:
                        out.put(hits[f"blip{which}"], 4 * bar + (step % 16) / 4, 0.16)
            if full and words and bar % 4 in (1, 3):
                for step, which in word_steps:
                    out.put(hits[f"word{which}"], 4 * bar + step / 8, 0.22)
            if full and (bar - a) % 8 == 7 and rng.random() < 0.6:
                for i in range(4):
                    out.put(kit["snare"], 4 * bar + 3 + i / 4, 0.22 + 0.1 * i)
        if section == "build":
            for beat, velocity in drums.roll(rng, b - a):
                out.put(kit["snare" if rng.random() < 0.9 else "clap"], 4 * a + beat, 0.55 * velocity)
            if rng.random() < 0.4:
                out.put(hits["word0"], 4 * b - 1, 0.4)
        if section in ("drop", "break"):
            every = 8 if draw.writers["kick"] != "Bigroom" else int(rng.choice([4, 8]))
            for bar in range(a, b, every):
                out.put(kit["crash"], 4 * bar, level["crash"] * (1.0 if bar == a else 0.7))
    return out


def _effects(rng: np.random.Generator, draw: Draw, riser: Sound, falling: Sound, n: int) -> Sound:
    out = np.zeros((n, 2), np.float32)
    bar_n = draw.bar_s * RATE_HZ

    def put(sound: Sound, at: int, gain: float) -> None:
        m = max(0, min(len(sound), n - at))
        peak = float(np.abs(sound).max(initial=0.0))
        out[at : at + m] += sound[:m] * np.float32(gain / max(peak, 1e-6))

    impact, down = falling[: 3 * RATE_HZ], falling[int(3.5 * RATE_HZ) : int(7.5 * RATE_HZ)]
    loud = rng.uniform(0.18, 0.4)
    for section, a, b in runs(draw.sections):
        at, end = round(a * bar_n), round(b * bar_n)
        if section == "build":
            length = end - at
            put(riser[max(len(riser) - length, 0) :], end - min(length, len(riser)), loud)
        elif section in ("drop", "break") and rng.random() < 0.7:
            put(impact if rng.random() < 0.6 else down, at, 0.3)
    return out


def _place_filters(rng: np.random.Generator, draw: Draw, music: Sound) -> None:
    """Filters that open or close over intros, builds and outros, in place."""
    for section, a, b in runs(draw.sections):
        at = slice(round(a * draw.bar_s * RATE_HZ), round(b * draw.bar_s * RATE_HZ))
        pieces = 8 * (b - a)
        if section == "build":
            if rng.random() < 0.5:
                music[at] = _sweep(music[at], "lowpass", float(rng.uniform(400, 1200)), 12000, pieces)
            else:
                music[at] = _sweep(music[at], "highpass", 40, float(rng.uniform(250, 900)), pieces)
        elif section == "intro" and rng.random() < 0.6:
            music[at] = _sweep(
                music[at], "lowpass", float(rng.uniform(250, 900)), float(rng.uniform(2000, 8000)), pieces
            )
        elif section == "outro" and rng.random() < 0.5:
            music[at] = _sweep(music[at], "lowpass", 9000, float(rng.uniform(300, 1500)), pieces)


def _step_back(rng: np.random.Generator, draw: Draw, mix: Sound, drop_lufs: float) -> None:
    """Breaks and builds, which no kick ducks, come at least 3 dB below the drop, in place."""
    for section, a, b in runs(draw.sections):
        if section in ("break", "build"):
            at = slice(round(a * draw.bar_s * RATE_HZ), round(b * draw.bar_s * RATE_HZ))
            excess = loudness(mix[at]) - (drop_lufs - rng.uniform(3.5, 7.0))
            if excess > 0:
                gain = np.full(at.stop - at.start, 10 ** (-excess / 20), np.float32)
                gain[:441] = np.linspace(1, gain[0], 441)
                gain[-441:] = np.linspace(gain[0], 1, 441)
                mix[at] *= gain[: len(mix[at]), None]


def loudness(sound: Sound) -> float:
    """Loudness in LUFS after ITU-R BS.1770 without its gates; sound of 44.1 kHz."""
    shelf = [[1.5308412300503478, -2.6509799951547297, 1.169079079921587, 1.0, -1.6636551132560204, 0.7125954280732254]]
    low = [[1.0, -2.0, 1.0, 1.0, -1.9891696736297957, 0.9891990357870394]]
    weighted = signal.sosfilt(np.array(shelf + low), sound, axis=0)
    return float(-0.691 + 10 * np.log10(np.square(weighted).mean(axis=0).sum() + 1e-12))


def limit(sound: Sound, ceiling: float = 0.97) -> Sound:
    """Soft clip above the knee, then a limiter that looks 3 ms ahead; peak at most `ceiling`."""
    knee = 1.1
    over = np.abs(sound) > knee
    clipped = sound.copy()
    clipped[over] = np.sign(sound[over]) * (knee + np.tanh((np.abs(sound[over]) - knee) / 0.6) * 0.6)
    level = np.abs(clipped).max(axis=1)
    ahead = ndimage.maximum_filter1d(level, 2 * 133 + 1)
    gain = np.minimum(1.0, ceiling / np.maximum(ahead, 1e-9))
    # the minimum over the window holds, so an average over the same window never exceeds what a peak allows
    gain = ndimage.uniform_filter1d(gain, 133)
    return np.asarray(np.clip(clipped * gain[:, None], -ceiling, ceiling), np.float32)


def _master(rng: np.random.Generator, sound: Sound, drop: NDArray[np.bool_]) -> Sound:
    """Bus compressor, tilt, loudness, limiter. drop: (n,) the samples whose loudness counts."""
    power = ndimage.uniform_filter1d(np.square(sound).mean(axis=1), int(rng.uniform(0.05, 0.2) * RATE_HZ))
    threshold = float(np.percentile(power[drop], 50))
    ratio = rng.uniform(1.0, 1.8)
    gain = np.maximum(power / max(threshold, 1e-9), 1.0) ** (0.5 * (1 / ratio - 1))
    sound = np.asarray(sound * gain[:, None], np.float32)
    low = _filtered(sound, "lowpass", float(rng.uniform(250, 500)), 1)
    sound = _filtered(sound + np.float32(rng.uniform(-0.15, 0.2)) * (low - 0.5 * sound), "highpass", 26)
    target = rng.uniform(-10, -6.5)
    out = sound
    scale = 0.0
    for _ in range(2):
        scale += target - loudness(out[drop])
        out = limit(sound * np.float32(10 ** (scale / 20)))
    return out


# --- truth ---------------------------------------------------------------------------------------------------------


def _truth(draw: Draw, beats: NDArray[np.bool_], depth_db: float) -> NDArray[np.float32]:
    """(n_bars, 7) the attributes of every bar, from the notes that sound in it."""
    n = len(draw.sections)
    table = np.full((n, len(ATTRIBUTES)), np.nan)
    table[:, 4:] = 0.0
    spots = []
    for part in draw.parts:
        filled = np.zeros((score.LOOP_BARS + 1, score.GRID), bool)
        onsets: list[list[int]] = [[] for _ in range(score.LOOP_BARS)]
        for note in part.notes:
            filled.reshape(-1)[note.start : note.start + note.length] = True
            onsets[note.start // score.GRID].append(note.start % score.GRID)
        spots.append((filled.sum(axis=1), [score.fineness(sorted(set(o))) for o in onsets]))
    for _, first, end in runs(draw.sections):
        for bar in range(first, end):
            where = (bar - first) % score.LOOP_BARS
            sounding = [
                (part, fine[where])
                for part, (filled, fine) in zip(draw.parts, spots, strict=True)
                if part.gain[bar] > 0.1 and filled[where] >= LEAST_STEPS
            ]
            if not sounding:
                continue
            power = np.array([part.gain[bar] ** 2 * 10 ** (part.level_db / 10) for part, _ in sounding])
            power /= power.sum()
            fines = [fine for part, fine in sounding if part.rhythmic and fine == fine]
            table[bar, 0] = 1 + (depth_db / 3 if beats[4 * bar : 4 * bar + 4].any() else 0)
            table[bar, 1] = max(fines) if fines else np.nan
            table[bar, 2] = 1 + 4 * float(np.dot(power, [part.drive for part, _ in sounding]))
            table[bar, 3] = 1 + 4 * float(np.dot(power, [part.organic for part, _ in sounding]))
            for column, role in ((4, "lead"), (5, "chord"), (6, "bass")):
                table[bar, column] = float(any(part.role == role for part, _ in sounding))
    return table.astype(np.float32)


def render_second_track(
    genre: str, seed: int, *, shares: dict[str, float] | None = None, bpm: float | None = None, for_mix: bool = False
) -> Labelled:
    """Renders a track of 40 to 64 bars at 44.1 kHz.

    Args:
        genre: One of GENRES; names the track's stream of random numbers.
        seed: The same seed gives the same sound and truth.
        shares: Soft label, genre to share; None for `genre` alone.
        bpm: Tempo in beats per minute; None draws one that the genre has.
        for_mix: Longer intro and outro, as a disc jockey needs them.

    Raises:
        HouseXError: If a program or a collection of sounds is missing.
        ValueError: If a genre is unknown or the shares do not sum to 1.
    """
    shares = shares or {genre: 1.0}
    if genre not in GENRES or not set(shares) <= set(GENRES) or abs(sum(shares.values()) - 1) > 1e-6:
        raise ValueError(f"no valid soft label: {genre}, {shares}")
    program, font = sources()
    rng = np.random.default_rng([2, GENRES.index(genre), seed])
    draw = _draw(rng, shares, bpm, for_mix)
    n_bars = len(draw.sections)
    n = round(n_bars * draw.bar_s * RATE_HZ)
    riser_s = max([b - a for s, a, b in runs(draw.sections) if s == "build"], default=4) * draw.bar_s
    text, events, stems = _orchestra_and_score(rng, draw, font, riser_s)
    channels = _run_csound(program, text, events)

    music = np.zeros((n, 2), np.float32)
    wet = np.zeros((n, 2), np.float32)
    ping = round(0.75 * 60 / draw.bpm * RATE_HZ)
    for i, (part, acoustic) in enumerate(stems):
        loop = _stem(rng, channels[:, 2 * i : 2 * i + 2], part)
        share = part.organic if acoustic else 1 - part.organic
        loop *= np.float32(np.sqrt(share) * 10 ** (part.level_db / 20))
        sound = _tile(loop, part, draw, n)
        music += sound
        wet += sound * np.float32(part.send)
        if part.role == "lead" and rng.random() < 0.5:
            echo = np.float32(rng.uniform(0.1, 0.35))
            music[ping:, 0] += echo * sound[:-ping, 1]
            music[2 * ping :, 1] += echo * echo * 2 * sound[: -2 * ping, 0]
    room = channels[:, -2:][: int(5.2 * RATE_HZ)]
    room = room / np.sqrt(np.square(room).sum(axis=0).mean() + 1e-12)
    base = 2 * len(stems)
    hits = {}
    for i, name in enumerate(HIT_NAMES):
        hit = channels[i * RATE_HZ : i * RATE_HZ + int(0.9 * RATE_HZ), base]
        hits[name] = np.repeat((hit / max(float(np.abs(hit).max()), 1e-6))[:, None], 2, axis=1)
    beats = _kick_beats(rng, draw)
    played = _play_drums(rng, draw, beats, hits, n)
    effects = _effects(
        rng, draw, channels[: int(riser_s * RATE_HZ), base + 1 : base + 3], channels[:, base + 3 : base + 5], n
    )
    wet += played.rest * np.float32(rng.uniform(0.02, 0.1)) + effects * np.float32(0.1)
    music += np.asarray(signal.oaconvolve(wet, room, axes=0)[:n], np.float32)
    _place_filters(rng, draw, music)
    depth_db = 3 * (draw.scales["groove"] - 1)
    music *= _ducking(rng, beats, depth_db, draw.bar_s * RATE_HZ / 4, n)[:, None]
    mix = music + played.kicks * np.float32(rng.uniform(0.75, 1.0)) + played.rest + effects
    drop = np.repeat(
        np.array(draw.sections) == "drop", np.diff(np.round(np.arange(n_bars + 1) * draw.bar_s * RATE_HZ).astype(int))
    )
    _step_back(rng, draw, mix, loudness(mix[drop]))
    audio = _master(rng, mix, drop)
    return Labelled.single(
        audio=audio,
        sample_rate_hz=RATE_HZ,
        beats_s=np.arange(4 * n_bars + 1) * draw.bar_s / 4,
        sections=draw.sections,
        shares=shares,
        attributes=_truth(draw, beats, depth_db),
        facts={
            "generator": "second",
            "seed": seed,
            "genre": genre,
            "bpm": draw.bpm,
            "tonic": draw.song.tonic,
            "minor": draw.song.minor,
            "kick": draw.kick,
            "kick_beats": beats,
            "writers": draw.writers,
            "voices": {part.name: part.voices for part in draw.parts},
            "levels_db": {part.name: part.level_db for part in draw.parts},
        },
    )
