"""Kits and drum patterns, section by section, with rolls, risers and crashes. Zone: trainer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.third.sampler import Stereo, drive, high_pass, read, swung
from trainer.third.sources import RATE_HZ, Patch, Sound, font_notes, sample, word, zones
from trainer.third.styles import Style

# "lmms:" a file below the samples, "kit<program>:" a key of the General MIDI bank's kit, "red:" a key of Red Zeppelin
_KICKS = (
    "lmms:bassdrum02",
    "lmms:kick01",
    "lmms:kick_hard01",
    "lmms:kick03",
    "lmms:kick_hiphop01",
    "kit24:36",
    "kit25:36",
)
_HARD_KICKS = ("lmms:kick_distorted01", "lmms:kick_hardcore01", "lmms:kick_hard01", "kit16:36", "kit24:35")
_SOFT_KICKS = ("lmms:kick_soft02", "lmms:bassdrum02", "lmms:kick_hiphop01", "red:36", "kit32:36")
_KIT: dict[str, tuple[str, ...]] = {
    "clap": ("lmms:clap01", "lmms:clap02", "lmms:clap03", "lmms:clap04", "kit25:39", "kit0:39"),
    "snare": ("lmms:snare01", "lmms:snare04", "lmms:snare_hiphop01", "red:38", "kit16:38", "kit24:40", "kit25:38"),
    "snaps": ("lmms:snare_rim01", "lmms:rim01", "lmms:clap02", "kit25:37"),
    "open": ("lmms:hihat_opened01", "lmms:hihat_opened02", "kit25:46", "kit0:46", "red:46", "lmms:hihat_opened03"),
    "closed": ("lmms:hihat_closed01", "lmms:hihat_closed02", "lmms:hihat_closed04", "kit25:42", "red:42", "kit24:42"),
    "shaker": ("lmms:shaker02", "lmms:shaker03", "kit0:70", "kit0:82", "kit25:70"),
    "ride": ("lmms:ride01", "kit0:51", "red:51", "kit0:59"),
    "rim": ("lmms:sidestick01", "lmms:clav02", "kit25:37", "kit25:75", "red:37"),
    "perc": ("lmms:tom02", "lmms:wood01", "lmms:zap02", "kit25:56", "kit0:63", "lmms:tom_hi01", "kit25:47"),
    "latin": ("kit0:62", "kit0:63", "kit0:60", "kit0:54", "kit0:76", "kit0:67"),
    "crash": ("lmms:crash02", "kit0:49", "red:49", "kit0:57", "lmms:crash01"),
}
_GAINS = {
    "clap": 0.6, "snare": 0.5, "snaps": 0.35, "open": 0.38, "closed": 0.22, "shaker": 0.2, "ride": 0.22, "rim": 0.26,
    "perc": 0.28, "latin": 0.25, "crash": 0.4,
}  # fmt: skip
# its body is a pure tone, so at full scale it would outweigh the band
_KICK_GAIN = 0.8
_WORDS = ("house", "work it", "move", "bounce", "check this", "ready", "listen", "control")
# one-word samples belong to these ways of writing
_SPOKEN = ("growl", "rolling")


@dataclass(frozen=True)
class Beat:
    """The drum track.

    Attributes:
        audio: (n_samples, 2) at full mix level, the kick's peak about _KICK_GAIN.
        kicks: (n_bars, 4) True where a kick falls on the beat.
        kit: Which recordings it is made of.
    """

    audio: Stereo
    kicks: NDArray[np.bool_]
    kit: dict[str, str]


def _recording(name: str) -> Sound:
    source, ref = name.split(":")
    if source == "lmms":
        audio, rate_hz = sample(f"drums/{ref}.ogg")
        audio = audio if rate_hz == RATE_HZ else np.repeat(audio, RATE_HZ // rate_hz)
    elif source == "red":
        audio = font_notes("Red_Zeppelin_4_LV2.sf2", 0, 0, (int(ref),))[int(ref)]
    else:
        audio = font_notes("sf_GMbank.sf2", 128, int(source[3:]), (int(ref),))[int(ref)]
    return audio / max(float(np.abs(audio).max()), 1e-9)


def _fade(audio: Sound, length_s: float) -> Sound:
    """Shortened to a length, s, with a soft end."""
    used = audio[: int(length_s * RATE_HZ)].copy()
    tail = max(1, len(used) // 3)
    used[-tail:] *= np.linspace(1, 0, tail, dtype=np.float32)
    return used


def make_kick(style: Style, name: str, tonic: int, rng: np.random.Generator) -> Sound:
    """A kick: a recording for the click and a falling tone for the body, driven together; (n_samples,), peak 1."""
    low_hz, decay_s, amount = style.kick
    if amount > 0.6:
        # an audible pitch: the body ends on the key
        low_hz = 440 * 2 ** ((28 + (tonic - 28) % 12 - 69) / 12)
    length = int(2.2 * decay_s * RATE_HZ)
    time_s = np.arange(length) / RATE_HZ
    key = 36
    zone = zones(Patch("cycle", "shapes/low_sine.wav", 1), (key,))[key]
    start_hz = float(rng.uniform(140, 220))
    curve = low_hz + (start_hz - low_hz) * np.exp(-time_s / rng.uniform(0.022, 0.04))
    body = read(zone, curve / (440 * 2 ** ((zone.root - 69) / 12)) * zone.rate_hz / RATE_HZ, length)
    # at the end of the body nothing may be left that clicks
    body *= np.exp(-((time_s / decay_s) ** 2)) * np.clip((length - np.arange(length)) / 500, 0, 1)
    click = _fade(_recording(name), decay_s)
    share = float(rng.uniform(0.35, 0.6))
    out = (1 - share) * body
    used = min(len(click), length)
    out[:used] += share * (high_pass(click, 70) if share < 0.5 else click)[:used]
    out /= np.abs(out).max()
    return drive(out, 0.35 * amount)


def _pattern(layer: str, rng: np.random.Generator) -> list[tuple[str, float, float]]:
    """One bar of a drum layer as (recording, sixteenth, gain)."""
    if layer == "offbeat":
        return [("open", step, 1.0) for step in (2, 6, 10, 14)]
    if layer == "hats":
        steps = [s for s in range(16) if s % 4 != 2 and (s % 2 == 0 or rng.random() < 0.7)]
        return [("closed", s, 1.0 if s % 2 == 0 else 0.6) for s in steps]
    if layer == "shaker":
        return [("shaker", s, (0.9, 0.5, 1.0, 0.55)[s % 4]) for s in range(16)]
    if layer == "ride":
        return [("ride", float(s), 1.0) for s in ((0, 4, 8, 12) if rng.random() < 0.4 else (2, 6, 10, 14))]
    if layer == "snare":
        return [("snare", s, 1.0) for s in (4, 12)]
    if layer == "snaps":
        return [("snaps", float(s), 0.9) for s in (4, 12, rng.choice([7, 10, 15]))]
    if layer == "crashes":
        return []
    count = {"rim": 3, "perc": 4, "latin": 5}[layer]
    steps = sorted(int(s) for s in rng.choice([1, 2, 3, 5, 6, 7, 9, 10, 11, 13, 14, 15], count, replace=False))
    return [(layer, s, float(rng.uniform(0.5, 1))) for s in steps]


def _fill(rng: np.random.Generator) -> list[tuple[str, float, float]]:
    """A fill for the last beat of eight bars."""
    fills = ((12, 13, 14, 15), (13, 14.5, 15), (12, 14, 15), (14, 14.5, 15, 15.5))
    return [("snare", step, 0.4 + 0.15 * number) for number, step in enumerate(fills[rng.integers(len(fills))])]


def _roll(bar: int, bars: int, kind: int) -> list[tuple[str, float, float]]:
    """The roll of a build: finer towards its end."""
    left = bars - bar
    step = 4.0 if left > bars // 2 else (2.0 if left > 2 else (1.0 if left == 2 or kind == 0 else 0.5))
    gain = 0.35 + 0.5 * bar / bars
    # the last beat is left free in front of the drop
    until = 12.0 if left == 1 else 16.0
    return [("snare" if kind else "clap", float(at), gain) for at in np.arange(0, until, step)]


def _riser(length_s: float, rng: np.random.Generator) -> Sound:
    """Surf of the sound font, opening, with a reversed crash at its end."""
    surf = font_notes("sf_GMbank.sf2", 0, 122, (72,))[72]
    wanted = int(length_s * RATE_HZ)
    noise = high_pass(np.tile(surf, wanted // len(surf) + 1)[:wanted], 1500)
    noise *= np.linspace(0, 1, wanted, dtype=np.float32) ** 2 / max(float(np.abs(noise).max()), 1e-9)
    back = _recording(_KIT["crash"][rng.integers(4)])[::-1]
    used = min(len(back), wanted)
    noise[-used:] += 0.8 * back[-used:]
    return noise.astype(np.float32)


def play_drums(style: Style, plan: list[tuple[str, int]], bar_s: float, tonic: int, rng: np.random.Generator) -> Beat:
    """The drums of a whole track.

    Args:
        style: The genre's writing.
        plan: Sections as (name, bars).
        bar_s: Length of a bar, s.
        tonic: MIDI pitch class a pitched kick is tuned to.
        rng: For everything that is drawn.
    """
    amount = style.kick[2]
    typical = _HARD_KICKS if amount >= 0.3 else (_SOFT_KICKS if amount < 0.1 else _KICKS)
    kit = {"kick": str(rng.choice(typical if rng.random() < 0.65 else _KICKS))}
    kit |= {name: str(rng.choice(choices)) for name, choices in _KIT.items()}
    sounds = {name: _recording(ref) for name, ref in kit.items() if name != "kick"}
    for name, length_s in (("open", 0.22), ("closed", 0.08), ("snare", 0.25), ("ride", 0.5), ("perc", 0.3)):
        sounds[name] = _fade(sounds[name], length_s)
    for name in ("open", "closed", "shaker", "ride", "crash"):
        sounds[name] = high_pass(sounds[name], 400)
    sounds["kick"] = make_kick(style, kit["kick"], tonic, rng)
    pans = {name: float(rng.uniform(0.3, 0.7)) for name in sounds}
    pans |= dict.fromkeys(("kick", "clap", "snare"), 0.5)
    layers = [layer for layer in style.drums if rng.random() < 0.85 or layer == "offbeat"]
    if style.drums[0] != "offbeat" and rng.random() < 0.3:
        layers.append("offbeat")
    patterns = {layer: _pattern(layer, rng) for layer in layers}
    gains = {name: gain * float(rng.uniform(0.8, 1.2)) for name, gain in _GAINS.items()} | {"kick": _KICK_GAIN}
    claps = bool(rng.random() < (0.5 if "crashes" in style.drums else 0.92))
    spoken = word(str(rng.choice(_WORDS))) if style.bass_cells in _SPOKEN and rng.random() < 0.7 else None
    extra_kick = float(rng.choice([7, 10, 14, 15])) if style.bass_cells == "growl" and rng.random() < 0.6 else None

    n_bars = sum(bars for _, bars in plan)
    audio = np.zeros((round(n_bars * bar_s * RATE_HZ), 2), dtype=np.float32)
    kicks = np.zeros((n_bars, 4), dtype=bool)

    def put(sound: Sound, bar: int, step: float, gain: float, pan: float) -> None:
        start = round((bar + swung(step, style.swing) / 16) * bar_s * RATE_HZ)
        used = sound[: len(audio) - start]
        audio[start : start + len(used), 0] += gain * np.sqrt(2 * (1 - pan)) * used
        audio[start : start + len(used), 1] += gain * np.sqrt(2 * pan) * used

    first = 0
    for section, bars in plan:
        early = int(rng.choice([0, bars // 2])) if section == "intro" else 0
        four = section in ("drop", "outro") or (section == "intro") or (section == "build" and rng.random() < 0.45)
        kind = int(rng.integers(2))
        for inside in range(bars):
            bar = first + inside
            events: list[tuple[str, float, float]] = []
            if four and section != "break" and inside >= early and not (section == "build" and inside >= bars - 1):
                kicks[bar] = True
                events += [("kick", step, 1.0) for step in (0, 4, 8, 12)]
                if extra_kick is not None and section == "drop" and inside % 2:
                    events.append(("kick", extra_kick, 0.8))
            if section == "drop":
                events += [("clap", step, 1.0) for step in (4, 12)] if claps else []
                for pattern in patterns.values():
                    events += pattern
                if inside == 0 or ("crashes" in style.drums and inside % 4 == 0):
                    events.append(("crash", 0.0, 1.0))
                if inside % 8 == 7:
                    events += _fill(rng)
            elif section in ("intro", "outro"):
                known = inside if section == "intro" else bars - 1 - inside
                for layer in layers[: 1 + known // 2]:
                    events += patterns[layer]
                if claps and known >= bars // 2:
                    events += [("clap", step, 0.9) for step in (4, 12)]
            elif section == "build":
                events += _roll(inside, bars, kind)
            elif inside == 0:
                events.append(("crash", 0.0, 0.8))
            for name, step, gain in events:
                put(sounds[name], bar, step, gain * gains.get(name, 0.3), pans[name])
            if spoken is not None and (
                (section == "drop" and inside % 4 == 3) or (section == "build" and inside == bars - 1)
            ):
                ratio = 2 ** (-3 / 12) * spoken.rate_hz / RATE_HZ
                put(read(spoken, ratio, int(len(spoken.audio) / ratio)), bar, 12.0, 0.4, 0.5)
        if section == "build":
            length_s = min(bars, 4) * bar_s
            put(_riser(length_s, rng), first + bars - min(bars, 4), 0.0, 0.22, 0.5)
        first += bars
    return Beat(audio, kicks, kit)
