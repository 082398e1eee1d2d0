"""Energy, drops, sections and track changes, bar by bar. Zone: analysis (numpy; no bpy)."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..core.bars import BarGrid
from .drops import DROP_RULES, drop_details, drop_runs, mainstage_drops, snap_drops
from .features import Features
from .handover import find_overlaps
from .levels import SILENCE_DB, WINDOW_BARS, BarLevels, bar_spectra, change_of_sound, sliding_percentile
from .levels import bar_levels as bar_levels
from .sections import DROP, name_sections, section_looks
from .tracks import find_tracks

REFERENCE_PERCENTILE = 95.0
ENERGY_RANGE_DB = 15.0
# More than any path can gain by disagreeing.
CERTAIN = 1e4

Floats = NDArray[np.float64]


@dataclass
class Structure:
    """Form of a mix on its bar grid.

    Attributes:
        energy: (n_bars,) 0..1, against the loudest of the 65 bars around.
        section: n_bars of "intro", "build", "drop", "break", "outro".
        drops: (start_bar, end_bar) pairs, end exclusive.
        tracks: (start_bar, end_bar) pairs that cover all bars.
        track_confidence: 0..1 for each boundary between two tracks.
        overlaps: For each track the first bar in which it is heard and the first in which it is no more, which lie
            outside its pair of ``tracks`` where the DJ fades.
        drop_details: For each drop the first bar of its build-up or None, and the number of beats before it, 0..4,
            in which the kick is left out.
    """

    energy: Floats
    section: list[str]
    drops: list[tuple[int, int]]
    tracks: list[tuple[int, int]]
    track_confidence: Floats
    overlaps: list[tuple[int, int]] = field(default_factory=list)
    drop_details: list[tuple[int | None, int]] = field(default_factory=list)


def bar_energy(levels: BarLevels) -> Floats:
    """(n_bars,) 0..1 from loudness and kick, each bar against the loudest around it."""
    reference = sliding_percentile(levels.loudness_db, REFERENCE_PERCENTILE, WINDOW_BARS)
    # The reference itself may fall only so far below that of the whole mix: silence is dark.
    reference = np.asarray(np.maximum(reference, float(np.percentile(levels.loudness_db, 95)) - 20.0))
    level = np.clip(1.0 + (levels.loudness_db - reference) / ENERGY_RANGE_DB, 0.0, 1.0)
    audible = np.clip((levels.loudness_db - SILENCE_DB) / 20.0, 0.0, 1.0)
    energy: Floats = np.clip(level * (0.75 + 0.25 * levels.kick), 0.0, 1.0) * audible
    return energy


def _sections(
    levels: BarLevels,
    change: Floats,
    tracks: list[tuple[int, int]],
    drops: list[tuple[int, int]] | None = None,
) -> list[str]:
    """A section for every bar; drops, if given, are where they are."""
    looks = section_looks(levels, change, tracks)
    # Silence never drops, whatever it is loud against.
    is_drop = np.where(levels.loudness_db > SILENCE_DB + 20.0, 0.0, -CERTAIN)
    if drops is not None:
        is_drop[:] = -CERTAIN
        for start, end in drops:
            is_drop[start:end] = CERTAIN
    looks.gain[:, DROP] += is_drop
    section = [name for start, end in tracks for name in name_sections(looks.part(start, end))]
    if drops is not None:
        # A rule that listens to loudness alone may find drops of any length, which the search would interrupt.
        section = ["break" if name == "drop" else name for name in section]
        for start, end in drops:
            section[start:end] = ["drop"] * (end - start)
    return section


def analyse_structure(
    features: Features,
    grid: BarGrid,
    genre_probs: Floats | None = None,
    *,
    beat_heard: bool = True,
    levels: BarLevels | None = None,
    drop_rule: str = "sliding",
) -> Structure:
    """Hear the form of a mix.

    Args:
        features: What was measured.
        grid: Its bars.
        genre_probs: (n_bars, G) sub-genre per bar; if given, a change of it supports a track change.
        beat_heard: Whether the bars were heard; on bars that are only a ruler nothing drops.
        levels: From :func:`bar_levels`, if they are known already.
        drop_rule: "sliding" judges drops by everything that plays, against their own track; "mainstage" and
            "mainstage-2db" by loudness alone, as the Mainstage papers do.

    Raises:
        ValueError: ``drop_rule`` is unknown.
    """
    if drop_rule not in DROP_RULES:
        raise ValueError(f"unknown drop rule {drop_rule!r}; known: {', '.join(DROP_RULES)}")
    levels = levels or bar_levels(features, grid)
    count = grid.n_bars
    if not beat_heard:
        whole = [(0, count)]
        return Structure(bar_energy(levels), ["break"] * count, [], whole, np.zeros(0), whole)
    spectra = bar_spectra(features, grid)
    change = change_of_sound(spectra)
    tracks, confidence = find_tracks(levels, spectra, change, grid.bpm, genre_probs)
    given = None
    if drop_rule != "sliding":
        given = mainstage_drops(levels, grid.starts_s, grid.ends_s, tracks, drop_rule)
    section = _sections(levels, change, tracks, given)
    if given is None:
        section = snap_drops(section, levels.loudness_db, {start for start, _ in tracks})
    drops = drop_runs(section)
    overlaps = find_overlaps(spectra, tracks)
    details = drop_details(section, drops, spectra)
    return Structure(bar_energy(levels), section, drops, tracks, confidence, overlaps, details)
