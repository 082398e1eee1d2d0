"""Mixes training tracks like a DJ, for training: tempo of the deck, crossfades on bar lines, bass swap or filters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from housex_blender.core.attributes import ATTRIBUTES, SCALES
from housex_blender.core.genres import GENRES

from ..labelled import Labelled
from . import master
from .arrange import Plan
from .dsp import SAMPLE_RATE_HZ, Audio, db_to_gain, swept_lowpass
from .facts import FACTS, draw_shares
from .mixer import BASS_SPLIT_HZ
from .samples import SampleBank
from .training import draw_plan, render_training_track

FADE_BARS = (4, 8, 8, 16, 16, 32)
STYLES = ("swap", "swap", "swap", "plain", "lowpass", "highpass", "cut")
# Furthest that a track is taken from a tempo of its own genre, as a factor.
TEMPO_STEP = 0.025
# A track with less of the power is not said to bring its parts into a bar.
LEAST_SHARE = 0.2


@dataclass(frozen=True)
class Fade:
    """A transition: length in bars, bar of it at which the track changes, how the DJ does it."""

    bars: int
    handover: int
    style: str


def draw_fade(longest: int, rng: np.random.Generator) -> Fade:
    """Draw a transition of at most some bars; a cut is a bar long at most."""
    style = STYLES[int(rng.integers(len(STYLES)))]
    if style == "cut":
        return Fade(0, 0, style)
    bars = min(int(rng.choice(FADE_BARS)), longest)
    at = int(rng.choice([bars // 4, bars // 2, bars // 2, 3 * bars // 4]))
    return Fade(bars, max(1, at), style)


def share_curve(bar: NDArray[np.float64], fade: Fade) -> NDArray[np.float64]:
    """Power share 0..1 of the incoming track at positions in bars from the start of a fade, 0.5 at its handover."""
    if fade.bars == 0:
        return (bar >= 0.0).astype(np.float64)
    along = np.interp(bar, [0.0, fade.handover, fade.bars], [0.0, 0.5, 1.0])
    return np.sin(np.pi / 2.0 * along) ** 2


def _stretched(audio: Audio, length: int) -> Audio:
    """Resample (n, 2) to a length by cubic interpolation, as a deck does whose speed changes."""
    if length == len(audio):
        return audio
    position = np.arange(length) * ((len(audio) - 1) / max(1, length - 1))
    whole = np.clip(position.astype(np.int64), 1, len(audio) - 3)
    part = (position - whole).astype(np.float32)[:, None]
    before, here, after, far = (audio[whole + step] for step in (-1, 0, 1, 2))
    slope, other = 0.5 * (after - before), 0.5 * (far - here)
    step = here - after
    return ((2.0 * step + slope + other) * part + (-3.0 * step - 2.0 * slope - other)) * part**2 + slope * part + here


def _on_grid(track: Labelled, beat_samples: NDArray[np.int64]) -> Audio:
    """Play a track so that its bars take 4 * beat_samples samples each; (n_bars,) beat_samples."""
    own = len(track.audio) // track.n_bars
    out, first = [], 0
    for bar in range(1, track.n_bars + 1):
        # Bars of one tempo are resampled as one piece.
        if bar == track.n_bars or beat_samples[bar] != beat_samples[first]:
            length = int(4 * beat_samples[first:bar].sum())
            out.append(_stretched(track.audio[first * own : bar * own], length))
            first = bar
    return np.concatenate(out)


def _played(audio: Audio, starts: NDArray[np.int64], fade_in: Fade | None, fade_out: Fade | None) -> Audio:
    """Fader, bass knob and filters of one track; starts: (n_bars + 1,) samples of its bars."""
    bars = len(starts) - 1
    out = audio.copy()
    for fade, first, rising in ((fade_in, 0, True), (fade_out, bars - (fade_out.bars if fade_out else 0), False)):
        if fade is None or fade.bars == 0:
            continue
        begin, end = int(starts[first]), int(starts[first + fade.bars])
        piece = out[begin:end]
        place = np.interp(np.arange(begin, end, 64), starts[first:], np.arange(bars - first + 1))
        share = share_curve(place, fade)
        gain = np.sqrt(share if rising else 1.0 - share)
        fader = np.repeat(gain, 64)[: len(piece), None].astype(np.float32)
        if fade.style == "swap":
            # The bass changes hands in the 16 ms before the bar line: one kick drum is heard on it.
            swap = int(starts[first + fade.handover]) - begin
            ramp = np.interp(np.arange(len(piece)), [swap - 900, swap - 180], [0.0, 1.0]).astype(np.float32)[:, None]
            sos = signal.butter(2, BASS_SPLIT_HZ, "lowpass", fs=SAMPLE_RATE_HZ, output="sos")
            low = signal.sosfiltfilt(sos, piece, axis=0).astype(np.float32)
            out[begin:end] = (piece - low) * fader + low * (ramp if rising else 1.0 - ramp)
            continue
        if fade.style in ("lowpass", "highpass"):
            open_ = np.interp(np.arange(len(piece)), [0, len(piece)], [0.0, 1.0] if rising else [1.0, 0.0])
            edge = open_ if fade.style == "lowpass" else 1.0 - open_
            dull = swept_lowpass(piece, (120.0 * 150.0**edge).astype(np.float32), 5)
            piece = dull if fade.style == "lowpass" else piece - dull
        out[begin:end] = piece * fader
    return out


def _plan(needs_in: int, needs_out: int, rng: np.random.Generator) -> Plan:
    """Sections of a track in a mix: long enough to fade, with an intro and an outro that are mostly drums."""
    while True:
        plan = draw_plan(rng)
        if sum(bars for _, bars in plan) >= needs_in + needs_out + 16:
            return plan


def _next_record(tempo: float, rng: np.random.Generator) -> tuple[dict[str, float], float]:
    """Label and own tempo of a track that suits the tempo of the mix, 0 for any."""
    for _ in range(12):
        shares = draw_shares(GENRES[int(rng.integers(len(GENRES)))], rng)
        own = float(rng.uniform(*FACTS[max(shares, key=lambda genre: shares[genre])].tempo_bpm))
        if not tempo or abs(own / tempo - 1.0) < 2.0 * TEMPO_STEP:
            break
    return shares, own


def render_training_mix(seed: int, bank: SampleBank | None = None, n_tracks: int | None = None) -> Labelled:
    """Render a DJ mix of training tracks with its truth; the same arguments always give the same samples.

    In a crossfade the genres and scales are those of both tracks by their share of the power, a part plays where it
    does in a track with a share of at least LEAST_SHARE, and track and section change at the handover bar. Half of the
    mixes keep one tempo, in the others it moves from track to track during the fades.

    Args:
        seed: Decides everything.
        bank: Sampled instruments.
        n_tracks: Number of tracks; None draws 5 to 8.

    Raises:
        ValueError: Fewer than one track.
    """
    rng = np.random.default_rng([seed, 21])
    count = int(rng.integers(5, 9)) if n_tracks is None else n_tracks
    if count < 1:
        raise ValueError(f"a mix needs at least one track, got {count}")
    fades = [draw_fade(16 if rng.random() < 0.8 else 32, rng) for _ in range(count - 1)]
    steady = rng.random() < 0.5
    tempo = 0.0
    tracks: list[Labelled] = []
    for index in range(count):
        shares, own = _next_record(tempo, rng)
        # A DJ stays near the tempo that the floor is at.
        if tempo:
            own = tempo if steady else tempo * float(np.clip(own / tempo, 1.0 - TEMPO_STEP, 1.0 + TEMPO_STEP))
        tempo = own
        needs = [fade.bars for fade in fades[max(0, index - 1) : index + 1]]
        plan = _plan(needs[0] if index else 0, needs[-1] if index < count - 1 else 0, rng)
        tracks.append(render_training_track(shares, int(rng.integers(1 << 31)), bank, plan=plan, bpm=own))
    first_bars = [0]
    for track, fade in zip(tracks[:-1], fades, strict=True):
        first_bars.append(first_bars[-1] + track.n_bars - fade.bars)
    bars = first_bars[-1] + tracks[-1].n_bars
    beat_of = [round(float(np.diff(track.beats_s[:2])[0]) * SAMPLE_RATE_HZ) for track in tracks]
    beats = np.zeros(bars, dtype=np.int64)
    for index, (track, first) in enumerate(zip(tracks, first_bars, strict=True)):
        beats[first : first + track.n_bars] = beat_of[index]
        if index and fades[index - 1].bars:
            length = fades[index - 1].bars
            along = (np.arange(length) + 0.5) / length
            ramp = beat_of[index - 1] + (beat_of[index] - beat_of[index - 1]) * along
            beats[first : first + length] = np.round(ramp)
    starts = np.concatenate([[0], np.cumsum(4 * beats)])
    audio = np.zeros((int(starts[-1]), 2), dtype=np.float32)
    power = np.zeros((count, bars))
    for index, (track, first) in enumerate(zip(tracks, first_bars, strict=True)):
        last = first + track.n_bars
        fade_in, fade_out = (fades[index - 1] if index else None), (fades[index] if index < count - 1 else None)
        sound = _on_grid(track, beats[first:last])
        sound = _played(sound, starts[first : last + 1] - starts[first], fade_in, fade_out)
        audio[starts[first] : starts[last]] += sound * np.float32(db_to_gain(float(rng.normal(0.0, 1.0))))
        power[index, first:last] = 1.0
        middle = np.arange(track.n_bars) + 0.5
        if fade_in is not None:
            power[index, first:last] *= share_curve(middle, fade_in)
        if fade_out is not None:
            power[index, first:last] *= 1.0 - share_curve(middle - track.n_bars + fade_out.bars, fade_out)
    power /= power.sum(axis=0, keepdims=True)
    return _labelled(master.soft_clip(audio, 0.85), starts, tracks, first_bars, fades, power, seed)


def _labelled(
    audio: Audio,
    starts: NDArray[np.int64],
    tracks: list[Labelled],
    first_bars: list[int],
    fades: list[Fade],
    power: NDArray[np.float64],
    seed: int,
) -> Labelled:
    """Truth of a mix from its tracks; power: (n_tracks, n_bars) shares that sum to 1."""
    bars = power.shape[1]
    probs = np.zeros((bars, len(GENRES)))
    width = len(ATTRIBUTES)
    total, weight, parts = np.zeros((bars, width)), np.zeros((bars, width)), np.zeros((bars, width - len(SCALES)))
    owner = np.zeros(bars, dtype=np.int64)
    crossfade = np.zeros(bars, dtype=bool)
    for index, (track, first) in enumerate(zip(tracks, first_bars, strict=True)):
        span = slice(first, first + track.n_bars)
        share = power[index, span, None]
        probs[span] += share * track.probs
        known = np.isfinite(track.attributes)
        total[span] += np.where(known, share * np.nan_to_num(track.attributes), 0.0)
        weight[span] += share * known
        heard = np.where(share >= LEAST_SHARE, track.attributes[:, len(SCALES) :], 0.0)
        parts[span] = np.maximum(parts[span], heard)
        if index:
            owner[first + fades[index - 1].handover :] = index
            crossfade[first : first + fades[index - 1].bars] = True
    attributes = np.full((bars, width), np.nan)
    np.divide(total, weight, out=attributes, where=weight > 1e-6)
    attributes[:, len(SCALES) :] = parts
    beats_s = np.interp(np.arange(4 * bars + 1) / 4.0, np.arange(bars + 1), starts / SAMPLE_RATE_HZ)
    return Labelled(
        audio=audio,
        sample_rate_hz=SAMPLE_RATE_HZ,
        beats_s=beats_s,
        sections=tuple(tracks[who].sections[bar - first_bars[who]] for bar, who in enumerate(owner)),
        probs=probs.astype(np.float32),
        attributes=attributes.astype(np.float32),
        track=owner,
        crossfade=crossfade,
        facts={"seed": seed, "tracks": [track.facts for track in tracks], "fades": [vars(fade) for fade in fades]},
    )
