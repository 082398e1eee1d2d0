"""How far a heard timeline is from a known one: beats, bars, hand-overs, sections, drops.

Beats and downbeats by mir_eval's F-measure (Raffel et al. 2014) over the whole file, without its usual trimming of
the first five seconds: a show begins with the mix. Marks (hand-overs, sections, drop starts) are matched one to one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import mir_eval
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BEAT_WINDOW_S = 0.07
TIGHT_WINDOW_S = 0.02
HANDOVER_BARS = 4
MARK_BARS = 1
# a mark may sit on the far edge of its bar; a tenth of a bar more than the window is still the same bar line
SLACK_BARS = 0.1


@dataclass
class Count:
    """Hits, misses and false alarms, which can be added up over files."""

    hits: int = 0
    missed: int = 0
    extra: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(self.hits + other.hits, self.missed + other.missed, self.extra + other.extra)

    @property
    def precision(self) -> float:
        """Share of what was said that is so; 1 if nothing was said."""
        return self.hits / max(1, self.hits + self.extra) if self.hits + self.extra else 1.0

    @property
    def recall(self) -> float:
        """Share of what is so that was said; 1 if there was nothing."""
        return self.hits / max(1, self.hits + self.missed) if self.hits + self.missed else 1.0

    @property
    def f(self) -> float:
        """Harmonic mean of both."""
        total = 2 * self.hits + self.missed + self.extra
        return 2 * self.hits / total if total else 1.0


@dataclass
class BeatScore:
    """Beats of one system on one file."""

    f70: float
    f20: float
    error_ms: float
    flipped: float
    downbeat_f70: float | None = None


@dataclass
class FormScore:
    """Everything above the beat, of one file."""

    bpm_error: float
    handovers: Count = field(default_factory=Count)
    sections: Count = field(default_factory=Count)
    drop_bars: Count = field(default_factory=Count)
    drop_starts: Count = field(default_factory=Count)
    labels_right: float = 0.0


def _f(truth_s: Floats, found_s: Floats, window_s: float) -> float:
    if not len(truth_s) or not len(found_s):
        return 0.0
    return float(mir_eval.beat.f_measure(truth_s, found_s, f_measure_threshold=window_s))


def nearest_gap(truth_s: Floats, found_s: Floats) -> Floats:
    """(n,) distance in seconds from each true beat to the nearest found one, signed: positive if found late."""
    after = np.clip(np.searchsorted(found_s, truth_s), 1, len(found_s) - 1)
    late, early = found_s[after] - truth_s, found_s[after - 1] - truth_s
    return np.where(np.abs(late) < np.abs(early), late, early)


def score_beats(truth: dict[str, Any], beats_s: Floats, downbeats_s: Floats | None = None) -> BeatScore:
    """Score beat times, and downbeats if the system has any.

    ``flipped`` is the share of true beats whose nearest found beat lies a third to two thirds of a beat away.
    """
    true_s = np.asarray(truth["beats_s"])
    # what is found after the last true beat (reverb, silence) is no mistake
    end_s = true_s[-1] + 0.5 * float(np.median(np.diff(true_s)))
    beats_s = beats_s[(beats_s >= true_s[0] - 0.25) & (beats_s <= end_s)]
    if len(beats_s) < 2:
        return BeatScore(0.0, 0.0, float("nan"), 0.0, None if downbeats_s is None else 0.0)
    gap_s = nearest_gap(true_s, beats_s)
    beat_s = np.diff(true_s, append=2 * true_s[-1] - true_s[-2])
    away = np.abs(gap_s) / beat_s
    bars_f = None
    if downbeats_s is not None:
        inside = (downbeats_s >= true_s[0] - 0.25) & (downbeats_s <= end_s)
        bars_f = _f(np.asarray(truth["downbeats_s"]), downbeats_s[inside], BEAT_WINDOW_S)
    return BeatScore(
        _f(true_s, beats_s, BEAT_WINDOW_S),
        _f(true_s, beats_s, TIGHT_WINDOW_S),
        1000.0 * float(np.median(np.abs(gap_s))),
        float(np.mean((away > 1 / 3) & (away < 2 / 3))),
        bars_f,
    )


def match(truth_s: Sequence[float], found_s: Sequence[float], window_s: float) -> Count:
    """One-to-one matching of marks within a window (largest matching, as mir_eval does it)."""
    if not len(truth_s) or not len(found_s):
        return Count(0, len(truth_s), len(found_s))
    hits = len(mir_eval.util.match_events(np.asarray(truth_s, float), np.asarray(found_s, float), window_s))
    return Count(hits, len(truth_s) - hits, len(found_s) - hits)


def changes(labels: Sequence[str], starts_s: Floats, tracks_s: Sequence[float] = ()) -> list[float]:
    """Times at which the section changes, the mix's own start left out; a new track begins a section too."""
    marks = [float(starts_s[i]) for i in range(1, len(labels)) if labels[i] != labels[i - 1]]
    bar_s = float(np.median(np.diff(starts_s)))
    marks += [t for t in tracks_s if all(abs(t - mark) > 0.5 * bar_s for mark in marks)]
    return sorted(marks)


def score_form(truth: dict[str, Any], grid: Any, structure: Any) -> FormScore:
    """Score tempo, hand-overs, section boundaries and drops.

    Args:
        truth: As ``benchmarks.mixes`` writes it.
        grid: BarGrid that was heard.
        structure: With ``section``, ``tracks`` and ``drops`` in bars of that grid.
    """
    starts_s, ends_s = (np.array([bar[name] for bar in truth["bars"]]) for name in ("start_s", "end_s"))
    bar_s = float(np.median(ends_s - starts_s))
    true_bpm = 60.0 / np.diff(np.asarray(truth["beats_s"]))
    beats_s = np.asarray(truth["beats_s"])
    middle_s = 0.5 * (starts_s + ends_s)
    at = np.clip(np.searchsorted(grid.starts_s, middle_s, side="right") - 1, 0, grid.n_bars - 1)
    here = np.interp(middle_s, 0.5 * (beats_s[1:] + beats_s[:-1]), true_bpm)
    true_tracks = [float(track["handover_s"]) for track in truth["tracks"][1:]]
    found_tracks = [float(grid.starts_s[start]) for start, _ in structure.tracks[1:]]
    true_sections = [bar["section"] for bar in truth["bars"]]
    sections = [structure.section[index] for index in at]
    is_drop = np.array([name == "drop" for name in true_sections])
    said_drop = np.zeros(grid.n_bars, bool)
    for start, end in structure.drops:
        said_drop[start:end] = True
    said = said_drop[at]
    window_s = (MARK_BARS + SLACK_BARS) * bar_s
    return FormScore(
        float(np.median(np.abs(grid.bpm[at] - here))),
        match(true_tracks, found_tracks, (HANDOVER_BARS + SLACK_BARS) * bar_s),
        match(
            changes(true_sections, starts_s, true_tracks),
            changes(structure.section, grid.starts_s, found_tracks),
            window_s,
        ),
        Count(int(np.sum(is_drop & said)), int(np.sum(is_drop & ~said)), int(np.sum(~is_drop & said))),
        match(
            [drop["start_s"] for drop in truth["drops"]],
            [float(grid.starts_s[start]) for start, _ in structure.drops],
            window_s,
        ),
        float(np.mean([a == b for a, b in zip(true_sections, sections, strict=True)])),
    )
