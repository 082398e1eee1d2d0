"""Mixes tracks like a DJ, well or badly, and writes down what is to be heard."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy import signal

from trainer.synth import master
from trainer.synth.arrange import Plan
from trainer.synth.dsp import SAMPLE_RATE_HZ, TAIL_S, Audio, add_at, db_to_gain, swept_lowpass
from trainer.synth.mixer import BASS_SPLIT_HZ
from trainer.synth.recipes import sample_style
from trainer.synth.track import render_track

from .foreign import render_foreign, render_pickup
from .sounds import Library
from .timeline import Join, Placed, Spec, Times, lay_tracks

HEADROOM_DB = -2.5
# A beat of the old grid this close (in beats) to the hand-over belongs to the new grid.
SAME_BEAT = 0.25


@dataclass
class MixTruth:
    """All that is known about a mix; times in seconds. Bars may be irregular."""

    kind: str
    seed: int
    duration_s: float
    beats_s: list[float]
    downbeats_s: list[float]
    bars: list[dict[str, Any]]
    tracks: list[dict[str, Any]]
    drops: list[dict[str, float]]
    fills: list[dict[str, float]]
    tags: list[str]
    offbeat_bass: bool

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)


def _span(item: Placed, rising: bool) -> tuple[float, float, float]:
    if rising:
        return item.in_s, item.handover_s, item.in_end_s
    return item.out_start_s, item.out_swap_s, item.out_end_s


def fade_part(audio: Audio, begin_s: float, span: tuple[float, float, float], rising: bool, join: Join) -> None:
    """Fade a stretch of a track in place, with the bass swapped at the hand-over; begin_s: time of its sample 0."""
    first = max(0, round((span[0] - begin_s) * SAMPLE_RATE_HZ))
    end = min(len(audio), round((span[2] - begin_s) * SAMPLE_RATE_HZ) + SAMPLE_RATE_HZ // 10)
    if end <= first:
        return
    part = audio[first:end]
    time_s = begin_s + (first + np.arange(0, len(part), 32)) / SAMPLE_RATE_HZ
    along = np.interp(time_s, span, [0.0, 0.5, 1.0])
    share = np.sin(np.pi / 2 * (along if rising else 1.0 - along))
    bass = share
    if join.swap_bass:
        # Over when the downbeat comes, so that one kick is heard on it.
        edge = np.interp(time_s, [span[1] - 0.02, span[1] - 0.004], [0.0, 1.0])
        bass = edge if rising else 1.0 - edge
    gain, bass_gain = (np.repeat(curve, 32)[: len(part), None].astype(np.float32) for curve in (share, bass))
    sos = signal.butter(2, BASS_SPLIT_HZ, "lowpass", fs=SAMPLE_RATE_HZ, output="sos")
    low = signal.sosfiltfilt(sos, part, axis=0).astype(np.float32)
    audio[first:end] = (part - low) * gain + low * bass_gain


def sweep_out(audio: Audio, beats: Times, join: Join) -> None:
    """The DJ thins a track out with a high-pass in the bars before the swap."""
    at = len(beats) - 1 - 4 * (join.bars - join.handover)
    first, end = (round((beats[mark] - beats[0]) * SAMPLE_RATE_HZ) for mark in (at - 4 * join.sweep_bars, at))
    part = audio[first:end]
    along = np.linspace(0.0, 1.0, len(part))
    thin = part - swept_lowpass(part, 30.0 * 15.0**along)
    blend = np.minimum(1.0, 20.0 * along)[:, None].astype(np.float32)
    audio[first:end] = part + (thin - part) * blend


def render_placed(library: Library, item: Placed) -> Audio:
    """Render the track on its grid and play it through fader and knobs."""
    spec = item.spec
    own_s = item.beats - item.beats[0]
    plan: Plan = list(spec.plan)
    if spec.genre:
        track = render_track(
            spec.genre, spec.seed, bpm=spec.bpm, plan=plan, beat_s=own_s, key=spec.key, variety=(spec.seed % 5) / 10
        )
        item.sections, audio = track.sections, track.audio
        ends = np.cumsum([length for _, length in plan])
        item.fills = [
            (float(item.beats[4 * end - 4]), float(item.beats[4 * end]))
            for end, (name, _), (following, _) in zip(ends, plan, plan[1:], strict=False)
            if name == "build" and following == "drop"
        ]
    else:
        made = render_foreign(library, spec.seed, plan=plan, beat_s=own_s, options=spec.options, key=spec.key)
        item.sections, audio = made.sections, made.audio
        grid = np.arange(len(item.beats))
        item.fills = [
            (float(np.interp(first, grid, item.beats)), float(np.interp(end, grid, item.beats)))
            for first, end in made.fills
        ]
    begin_s = float(item.beats[0])
    if item.leave is not None and item.leave.sweep_bars and item.leave.kind == "fade":
        sweep_out(audio, item.beats, item.leave)
    if item.join is not None and item.join.kind in ("fade", "unmatched"):
        fade_part(audio, begin_s, _span(item, True), True, item.join)
    if item.leave is not None and item.leave.kind in ("fade", "unmatched"):
        fade_part(audio, begin_s, _span(item, False), False, item.leave)
    if np.isfinite(item.out_end_s):
        last = min(len(audio), round((item.out_end_s - begin_s) * SAMPLE_RATE_HZ))
        audio = audio[:last]
        edge = min(last, 132)
        audio[last - edge :] *= np.linspace(1.0, 0.0, edge, dtype=np.float32)[:, None]
    return audio


def finish(audio: Audio) -> None:
    """Soft clipping and limiting, in place and in blocks."""
    block, margin = 30 * SAMPLE_RATE_HZ, 1024
    before = audio[:0].copy()
    for first in range(0, len(audio), block):
        end = min(len(audio), first + block)
        raw = audio[first : min(len(audio), end + margin)].copy()
        part = np.concatenate([before, raw]) * np.float32(db_to_gain(HEADROOM_DB))
        before = audio[max(0, end - margin) : end].copy()
        done = master.limit(master.soft_clip(part, knee=0.8))
        skip = len(part) - len(raw)
        audio[first:end] = done[skip : skip + end - first]


def drop_runs(bars: list[dict[str, Any]]) -> list[dict[str, float]]:
    """Runs of drop bars without a hole."""
    runs: list[dict[str, float]] = []
    for bar in bars:
        if bar["section"] != "drop":
            continue
        if runs and bar["start_s"] - runs[-1]["end_s"] < 0.05:
            runs[-1]["end_s"] = bar["end_s"]
        else:
            runs.append({"start_s": bar["start_s"], "end_s": bar["end_s"]})
    return runs


def uses_offbeat_bass(spec: Spec) -> bool:
    """Whether the bass plays on the off-beats."""
    if spec.genre:
        writing = sample_style(spec.genre, spec.seed, bpm=spec.bpm, key=spec.key, variety=(spec.seed % 5) / 10)
        return bool(writing.has["bass"] and writing.bass_writing == "offbeat")
    return spec.options.bass == "offbeat"


def write_truth(placed: list[Placed], kind: str, seed: int, duration_s: float, tags: list[str]) -> MixTruth:
    """Beats, bars, drops and fills of whichever track owns the moment."""
    truth = MixTruth(kind, seed, round(duration_s, 6), [], [], [], [], [], [], sorted(set(tags)), False)
    for index, item in enumerate(placed):
        following = placed[index + 1] if index + 1 < len(placed) else None
        end_s = min(following.handover_s, item.out_end_s) if following else float(item.beats[-1])
        end_s = min(end_s, float(item.beats[-1]))
        beat_s = float(item.beats[1] - item.beats[0])
        spare_s = SAME_BEAT * beat_s if following else 1e-6
        # Beats of a pickup count where no other track sounds.
        ahead = [float(item.beats[0]) - step * beat_s for step in range(item.pickup // 2, 0, -1)]
        heard_s = truth.beats_s[-1] + 0.75 * beat_s if truth.beats_s else 0.0
        truth.beats_s += [round(time_s, 6) for time_s in ahead if time_s > heard_s]
        for number, time_s in enumerate(item.beats[:-1]):
            if not item.handover_s - 1e-6 <= time_s < end_s - spare_s:
                continue
            truth.beats_s.append(round(float(time_s), 6))
            if number % 4 == 0:
                truth.downbeats_s.append(truth.beats_s[-1])
                last_s = min(float(item.beats[number + 4]), end_s)
                # Grids that differ by a wobble of milliseconds still make whole bars.
                last_s = end_s if abs(end_s - last_s) < spare_s else last_s
                section = item.sections[number // 4]
                truth.bars.append({"start_s": truth.beats_s[-1], "end_s": round(last_s, 6), "section": section})
        truth.fills += [
            {"start_s": round(first, 6), "end_s": round(last, 6)}
            for first, last in item.fills
            if item.handover_s <= first and last < end_s + 1e-6
        ]
        options, own = item.spec.options, bool(item.spec.genre)
        truth.tracks.append(
            {
                "fade_in_s": round(item.in_s, 6),
                "handover_s": round(item.handover_s, 6),
                "fade_out_s": round(min(item.out_end_s, float(item.beats[-1])), 6),
                "source": "own" if own else "foreign",
                "bpm": round(item.spec.bpm, 4),
                "genre": item.spec.genre,
                "plan": [list(entry) for entry in item.spec.plan],
                "style": {} if own else asdict(options),
                "join": item.join.kind if item.join else "",
            }
        )
        truth.offbeat_bass = truth.offbeat_bass or uses_offbeat_bass(item.spec)
    truth.drops = drop_runs(truth.bars)
    return truth


def mix(
    library: Library,
    rng: np.random.Generator,
    kind: str,
    seed: int,
    specs: list[Spec],
    joins: list[Join],
    *,
    lead_s: float = 0.0,
    lead_pickup: int = 0,
    drift: Times | None = None,
    wobble_s: float = 0.0,
    tags: list[str] | None = None,
) -> tuple[Audio, MixTruth]:
    """Render and mix; lead_s: silence (and pickup) before the first bar; drift and wobble_s: see lay_tracks."""
    placed = lay_tracks(rng, specs, joins, lead_s, drift, wobble_s)
    length = round((float(placed[-1].beats[-1]) + TAIL_S) * SAMPLE_RATE_HZ)
    audio = np.zeros((length, 2), dtype=np.float32)
    placed[0].pickup = lead_pickup
    for item in placed:
        part = render_placed(library, item)
        start = round(float(item.beats[0]) * SAMPLE_RATE_HZ)
        add_at(audio, part, start, db_to_gain(item.spec.gain_db))
        item.pickup = item.join.pickup if item.join else item.pickup
        if item.pickup:
            half_beat_s = float(item.beats[1] - item.beats[0]) / 2.0
            pickup, lead = render_pickup(library, rng, half_beat_s, item.pickup)
            add_at(audio, pickup, start - lead)
        del part
    finish(audio)
    return audio, write_truth(placed, kind, seed, length / SAMPLE_RATE_HZ, tags or [])


def cut_out(audio: Audio, truth: MixTruth, first_beat: int, count: int) -> Audio:
    """Edit some beats out of a mix and its truth: what follows comes that much earlier."""
    start_s, end_s = truth.beats_s[first_beat], truth.beats_s[first_beat + count]
    ahead = round(0.006 * SAMPLE_RATE_HZ)
    start, end = (round(second * SAMPLE_RATE_HZ) - ahead for second in (start_s, end_s))
    edge = 132
    ramp = np.linspace(0.0, 1.0, edge, dtype=np.float32)[:, None]
    joint = audio[start - edge : start] * (1.0 - ramp) + audio[end - edge : end] * ramp
    out = np.concatenate([audio[: start - edge], joint, audio[end:]])

    def moved(time_s: float) -> float:
        return round(time_s if time_s <= start_s else max(start_s, time_s - (end_s - start_s)), 6)

    gone = set(truth.beats_s[first_beat : first_beat + count])
    truth.beats_s = [moved(time_s) for time_s in truth.beats_s if time_s not in gone]
    truth.downbeats_s = [moved(time_s) for time_s in truth.downbeats_s if time_s not in gone]
    truth.bars = [
        {**bar, "start_s": moved(bar["start_s"]), "end_s": moved(bar["end_s"])}
        for bar in truth.bars
        if bar["start_s"] not in gone
    ]
    for row in (*truth.tracks, *truth.drops, *truth.fills):
        row.update({key: moved(value) for key, value in row.items() if key.endswith("_s")})
    truth.duration_s = round(len(out) / SAMPLE_RATE_HZ, 6)
    return out
