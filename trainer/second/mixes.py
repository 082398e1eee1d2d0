"""A DJ mix of tracks of the second generator: beat-matched, phrase-aligned, with bass swaps and cuts. Zone: trainer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import soxr
from numpy.typing import NDArray
from scipy import signal

from housex_blender.core.genres import GENRES

from ..labelled import Labelled
from .facts import FACTS
from .render import RATE_HZ, Sound, limit, render_second_track

# a ten-minute mix of seven tracks gives each about 86 s; a mix stays between 8 and 12 minutes per seven tracks
SHORTEST_S, LONGEST_S = 480 / 7, 720 / 7
BASS_HZ = 180.0


@dataclass(frozen=True)
class Junction:
    """How one track follows another: overlap and swap in bars; 0 bars is a cut."""

    overlap: int
    swap: int


def _at_tempo(track: Labelled, bpm: float) -> Sound:
    """The track played faster or slower, as a turntable without key lock does."""
    wanted = round(track.n_bars * 240 / bpm * RATE_HZ)
    ratio = wanted / len(track.audio)
    sound = track.audio if abs(ratio - 1) < 1e-6 else soxr.resample(track.audio, RATE_HZ, RATE_HZ * ratio)
    out = np.zeros((wanted, 2), np.float32)
    out[: min(wanted, len(sound))] = sound[:wanted]
    return out


def _junctions(rng: np.random.Generator, lengths: list[int], bar_s: float) -> list[Junction]:
    """Overlaps that never stack three tracks and give the mix a usual length."""
    found: list[Junction] = []
    for _ in range(200):
        overlaps = [int(rng.choice([0, 8, 16, 16, 24, 32], p=[0.15, 0.2, 0.2, 0.2, 0.1, 0.15])) for _ in lengths[1:]]
        around = [0, *overlaps, 0]
        fits = all(a + b + 8 <= n for a, b, n in zip(around[:-1], around[1:], lengths, strict=True))
        total_s = (sum(lengths) - sum(overlaps)) * bar_s / len(lengths)
        if fits:
            found = [Junction(o, int(rng.choice([o // 2, o // 2, 3 * o // 4])) // 4 * 4) for o in overlaps]
            if SHORTEST_S <= total_s <= LONGEST_S:
                return found
    return found or [Junction(0, 0) for _ in lengths[1:]]


def _bands(sound: Sound) -> tuple[Sound, Sound]:
    """Bass and the rest; they sum to the sound."""
    sos = signal.butter(2, BASS_HZ, fs=RATE_HZ, output="sos")
    low = np.asarray(signal.sosfiltfilt(sos, sound, axis=0), np.float32)
    return low, sound - low


def _fade(sound: Sound, swap_n: int, ramp_n: int, incoming: bool) -> Sound:
    """One side of a crossfade: the bass is in one track at a time, the rest fades in before the swap or out after."""
    n = len(sound)
    at = np.arange(n)
    inside = np.clip((at - swap_n) / max(ramp_n, 1), 0, 1)
    rest = np.clip(at / max(swap_n, 1), 0, 1) if incoming else np.clip((n - at) / max(n - swap_n, 1), 0, 1)
    bass = np.sin(0.5 * np.pi * inside) if incoming else np.cos(0.5 * np.pi * inside)
    low, high = _bands(sound)
    return np.asarray(low * bass[:, None] + high * np.sin(0.5 * np.pi * rest)[:, None], np.float32)


def _blend(tables: list[NDArray[np.float32]], power: NDArray[np.float64]) -> NDArray[np.float32]:
    """Attributes of a bar in which several tracks sound: scales by power, a part is there when either plays it."""
    stacked = np.stack(tables).astype(np.float64)
    weights = np.where(np.isnan(stacked), 0.0, power[:, None])
    total = weights.sum(axis=0)
    out = np.where(total > 0, (np.nan_to_num(stacked) * weights).sum(axis=0) / np.maximum(total, 1e-12), np.nan)
    out[4:] = np.where(power[:, None] > 0.1, stacked[:, 4:], 0).max(axis=0)
    return out.astype(np.float32)


def render_second_mix(seed: int, n_tracks: int = 7) -> Labelled:
    """Renders a DJ mix; seven tracks last 8 to 12 minutes.

    Args:
        seed: The same seed gives the same mix.
        n_tracks: At least 2; neighbours differ in genre.

    Returns:
        `track` names the track that holds the bass; it changes at the bar line of the hand-over. Inside crossfades the
        shares follow the power of the two tracks in the bar.
    """
    rng = np.random.default_rng([3, seed])
    order = [str(name) for name in rng.permutation(GENRES)]
    while len(order) < n_tracks:
        more = [str(name) for name in rng.permutation(GENRES)]
        order += more if more[0] != order[-1] else more[::-1]
    order = order[:n_tracks]
    bpm = float(round(rng.uniform(121, 128), 1))
    bar_s = 240 / bpm
    tracks, sounds = [], []
    for genre in order:
        low, high = FACTS[genre].bpm
        tracks.append(
            render_second_track(genre, int(rng.integers(1 << 30)), bpm=float(np.clip(bpm, low, high)), for_mix=True)
        )
        sounds.append(_at_tempo(tracks[-1], bpm) * np.float32(rng.uniform(0.7, 0.9)))
    junctions = _junctions(rng, [track.n_bars for track in tracks], bar_s)

    starts = [0]
    for track, junction in zip(tracks, junctions, strict=False):
        starts.append(starts[-1] + track.n_bars - junction.overlap)
    n_bars = starts[-1] + tracks[-1].n_bars
    edges = np.round(np.arange(n_bars + 1) * bar_s * RATE_HZ).astype(int)
    audio = np.zeros((int(edges[-1]), 2), np.float32)
    power = np.zeros((n_tracks, n_bars))
    beat_n = round(bar_s / 4 * RATE_HZ)
    for i, (sound, start) in enumerate(zip(sounds, starts, strict=True)):
        at, bars = int(edges[start]), tracks[i].n_bars
        end = min(at + len(sound), len(audio))
        sound = sound[: end - at].copy()
        if i and junctions[i - 1].overlap:
            j = junctions[i - 1]
            m, swap = int(edges[start + j.overlap]) - at, int(edges[start + j.swap]) - at
            sound[:m] = _fade(sound[:m], swap, beat_n, incoming=True)
        if i < n_tracks - 1 and junctions[i].overlap:
            j = junctions[i]
            first = start + bars - j.overlap
            m, swap = int(edges[first]) - at, int(edges[first + j.swap] - edges[first])
            sound[m:] = _fade(sound[m:], swap, beat_n, incoming=False)
        audio[at:end] += sound
        for bar in range(start, start + bars):
            piece = sound[edges[bar] - at : edges[bar + 1] - at]
            power[i, bar] = float(np.square(piece, dtype=np.float64).sum()) if len(piece) else 0.0

    owner = np.zeros(n_bars, np.int64)
    crossfade = np.zeros(n_bars, bool)
    for i, junction in enumerate(junctions):
        owner[starts[i + 1] + junction.swap :] = i + 1
        crossfade[starts[i + 1] : starts[i + 1] + junction.overlap] = True
    probs = np.zeros((n_bars, len(GENRES)))
    attributes = np.zeros((n_bars, tracks[0].attributes.shape[1]), np.float32)
    sections = []
    for bar in range(n_bars):
        here = [i for i in range(n_tracks) if starts[i] <= bar < starts[i] + tracks[i].n_bars]
        share = power[here, bar] + 1e-9
        share = share / share.sum()
        for i, weight in zip(here, share, strict=True):
            probs[bar] += weight * tracks[i].probs[bar - starts[i]]
        attributes[bar] = _blend([tracks[i].attributes[bar - starts[i]] for i in here], share)
        sections.append(tracks[owner[bar]].sections[bar - starts[owner[bar]]])
    return Labelled(
        audio=limit(audio),
        sample_rate_hz=RATE_HZ,
        beats_s=np.arange(4 * n_bars + 1) * bar_s / 4,
        sections=tuple(sections),
        probs=(probs / probs.sum(axis=1, keepdims=True)).astype(np.float32),
        attributes=attributes,
        track=owner,
        crossfade=crossfade,
        facts={
            "generator": "second",
            "seed": seed,
            "bpm": bpm,
            "genres": order,
            "starts_bar": starts,
            "overlaps_bars": [j.overlap for j in junctions],
            "tracks": [track.facts for track in tracks],
        },
    )
