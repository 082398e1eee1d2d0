"""Mixes tracks like a DJ: one master tempo curve, crossfades on bar lines, the bass handed over on a bar line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from . import master
from .arrange import DEMO_PLAN, Plan
from .dsp import SAMPLE_RATE_HZ, TAIL_S, Audio
from .recipes import GENRES, genre_index
from .track import Track, render_track

BASS_SPLIT_HZ = 170.0


@dataclass(frozen=True)
class TrackSpec:
    """What to play: genre, seed, tempo, arrangement and pitch class (None: drawn from the seed)."""

    genre: str
    seed: int
    bpm: float
    plan: tuple[tuple[str, int], ...] = tuple(DEMO_PLAN)
    key: int | None = None

    @property
    def bars(self) -> int:
        """Length in bars."""
        return sum(length for _, length in self.plan)


@dataclass(frozen=True)
class Transition:
    """A crossfade of some bars; the bass changes hands after handover_bars (default: half of them)."""

    bars: int = 8
    handover_bars: int | None = None

    @property
    def handover(self) -> int:
        """Bars from the start of the fade to the bass swap."""
        return self.bars // 2 if self.handover_bars is None else self.handover_bars


@dataclass
class Placed:
    """A track in the mix, in bars of the mix; end_bar is exclusive and counts the fade out."""

    spec: TrackSpec
    track: Track
    start_bar: int
    end_bar: int
    fade_in: Transition | None
    fade_out: Transition | None


@dataclass
class Mix:
    """A mix and all that is known about it. audio: (n, 2); beat_s: (4 bars + 1,); probs: (bars, 9)."""

    audio: Audio
    sample_rate_hz: int
    beat_s: NDArray[np.float64]
    probs: NDArray[np.float64]
    sections: list[str]
    owner: list[int]
    placed: list[Placed]


def check(specs: Sequence[TrackSpec], transitions: Sequence[Transition]) -> None:
    """Raise ValueError where specs and transitions do not fit together."""
    if not specs or len(transitions) != len(specs) - 1:
        raise ValueError(f"{len(specs)} tracks need {max(0, len(specs) - 1)} transitions, got {len(transitions)}")
    for index, fade in enumerate(transitions):
        if fade.bars < 1 or not 0 < fade.handover <= fade.bars:
            raise ValueError(f"transition {index}: needs at least 1 bar and a handover inside it, got {fade}")
    for index, spec in enumerate(specs):
        fades = sum(fade.bars for fade in transitions[max(0, index - 1) : index + 1])
        if fades > spec.bars:
            raise ValueError(f"track {index} has {spec.bars} bars, fewer than its crossfades ({fades})")


def starts_of(specs: Sequence[TrackSpec], transitions: Sequence[Transition]) -> list[int]:
    """First bar of every track in the mix."""
    starts = [0]
    for spec, fade in zip(specs[:-1], transitions, strict=True):
        starts.append(starts[-1] + spec.bars - fade.bars)
    return starts


def tempo_map(specs: Sequence[TrackSpec], transitions: Sequence[Transition]) -> NDArray[np.float64]:
    """Beat times in seconds, (4 bars + 1,): constant tempo alone, a straight ramp inside every crossfade."""
    starts = starts_of(specs, transitions)
    beats = 4 * (starts[-1] + specs[-1].bars)
    marks, tempi = [0.0], [specs[0].bpm]
    for start, fade, before, after in zip(starts[1:], transitions, specs[:-1], specs[1:], strict=True):
        marks += [4.0 * start, 4.0 * (start + fade.bars)]
        tempi += [before.bpm, after.bpm]
    bpm = np.interp(np.arange(beats) + 0.5, marks, tempi)
    return np.concatenate([[0.0], np.cumsum(60.0 / bpm)])


def _share(placed: Placed, bar: NDArray[np.float64]) -> NDArray[np.float64]:
    """Power share 0..1 of a track at positions in bars: sine squared over its fades, bent to cross at the handover."""
    share = np.ones_like(bar)
    for fade, first, rising in (
        (placed.fade_in, placed.start_bar, True),
        (placed.fade_out, placed.end_bar - (placed.fade_out.bars if placed.fade_out else 0), False),
    ):
        if fade is None:
            continue
        along = np.interp(bar, [first, first + fade.handover, first + fade.bars], [0.0, 0.5, 1.0])
        share = share * (np.sin(np.pi / 2 * along) ** 2 if rising else np.cos(np.pi / 2 * along) ** 2)
    return share


def _fader(placed: Placed, mix_beat_s: NDArray[np.float64]) -> Audio:
    """Play a track through its fader and bass knob: (n, 2)."""
    audio = placed.track.audio
    offset_s = mix_beat_s[4 * placed.start_bar]
    time_s = np.arange(0, len(audio), 32) / SAMPLE_RATE_HZ + offset_s
    bar = np.interp(time_s, mix_beat_s, np.arange(len(mix_beat_s)) / 4.0)
    gain = np.sqrt(_share(placed, bar))
    bass = np.ones_like(gain)
    # The swap is a fast fade that is over when the downbeat comes, so exactly one kick drum is heard on it.
    if placed.fade_in is not None:
        swap_s = mix_beat_s[4 * (placed.start_bar + placed.fade_in.handover)]
        bass *= np.interp(time_s, [swap_s - 0.02, swap_s - 0.004], [0.0, 1.0])
    if placed.fade_out is not None:
        swap_s = mix_beat_s[4 * (placed.end_bar - placed.fade_out.bars + placed.fade_out.handover)]
        bass *= np.interp(time_s, [swap_s - 0.02, swap_s - 0.004], [1.0, 0.0])
        gain *= bar < placed.end_bar
    gain, bass = (np.repeat(curve, 32)[: len(audio), None].astype(np.float32) for curve in (gain, bass))
    sos = signal.butter(2, BASS_SPLIT_HZ, "lowpass", fs=SAMPLE_RATE_HZ, output="sos")
    # Forwards and backwards: no phase shift, so low and rest add up to the untouched track.
    low = signal.sosfiltfilt(sos, audio, axis=0).astype(np.float32)
    return (audio - low) * gain + low * bass


def mix_tracks(
    specs: Sequence[TrackSpec], transitions: Sequence[Transition], *, report: Callable[[str], None] | None = None
) -> Mix:
    """Render and mix tracks.

    Every track is synthesised on its stretch of the master tempo curve, so pitch stays put and beats coincide exactly.
    report: called with a line after each track. Raises ValueError where specs and transitions do not fit.
    """
    check(specs, transitions)
    starts, beat_s = starts_of(specs, transitions), tempo_map(specs, transitions)
    bars = (len(beat_s) - 1) // 4
    audio = np.zeros((int((beat_s[-1] + TAIL_S) * SAMPLE_RATE_HZ) + 1, 2), dtype=np.float32)
    placed: list[Placed] = []
    for index, (spec, start) in enumerate(zip(specs, starts, strict=True)):
        own = beat_s[4 * start : 4 * (start + spec.bars) + 1] - beat_s[4 * start]
        plan: Plan = list(spec.plan)
        track = render_track(spec.genre, spec.seed, bpm=spec.bpm, plan=plan, beat_s=own, key=spec.key)
        item = Placed(
            spec,
            track,
            start,
            start + spec.bars,
            transitions[index - 1] if index else None,
            transitions[index] if index < len(transitions) else None,
        )
        part = _fader(item, beat_s)
        offset = round(beat_s[4 * start] * SAMPLE_RATE_HZ)
        part = part[: len(audio) - offset]
        audio[offset : offset + len(part)] += part
        placed.append(item)
        if report is not None:
            report(f"{spec.genre}: {spec.bars} bars from bar {start}, {track.bpm:g} BPM, {track.key}")
    audio = master.limit(master.soft_clip(audio, knee=0.85))
    centres = np.arange(bars) + 0.5
    shares = np.stack(
        [_share(item, centres) * ((centres > item.start_bar) & (centres < item.end_bar)) for item in placed]
    )
    shares /= shares.sum(axis=0, keepdims=True)
    probs = np.zeros((bars, len(GENRES)))
    for item, share in zip(placed, shares, strict=True):
        probs[:, genre_index(item.spec.genre)] += share
    owner = owners(placed, bars)
    sections = [placed[who].track.sections[bar - placed[who].start_bar] for bar, who in enumerate(owner)]
    return Mix(audio, SAMPLE_RATE_HZ, beat_s, probs, sections, owner, placed)


def owners(placed: Sequence[Placed], bars: int) -> list[int]:
    """Index of the track that owns each bar: it changes at the handover, where the bass changes hands."""
    owner = np.zeros(bars, dtype=int)
    for index, item in enumerate(placed):
        if item.fade_in is not None:
            owner[item.start_bar + item.fade_in.handover :] = index
    return [int(who) for who in owner]
