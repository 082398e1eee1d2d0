"""The whole hearing of one mix, and its cache by content. Zone: analysis."""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..core.bars import BarGrid
from ..core.errors import AudioError, TimelineError
from ..core.files import sha256_of
from ..core.timeline import Envelopes, MixInfo, ModelInfo, Span, Timeline, TrackSpan
from .audio import AudioInfo, probe
from .backends import Backend, open_backend
from .classify import BarGenres, classify
from .envelopes import normalise_envelopes
from .features import FEATURE_VERSION, Features, extract_features
from .grid import GridResult, track_grid
from .headers import shown
from .model_folder import ModelFolder, load_model_folder
from .structure import Structure, analyse_structure, bar_energy, bar_levels

if TYPE_CHECKING:
    from .worker import Speaker

# raised whenever the same file would give another timeline
HEARING_VERSION = 3
SHORTEST_S = 4.0
HOUSEX_SLICE_S = 1.875


def cache_folder() -> Path:
    """Where results are kept: ``HOUSEX_CACHE``, or the user's cache folder."""
    named = os.environ.get("HOUSEX_CACHE")
    if named:
        return Path(named)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return base / "housex"


def cached_or_heard(mix: Path, arguments: argparse.Namespace, speaker: Speaker) -> Timeline:
    """The timeline of a mix, from an earlier run over the same content if there is one.

    Raises:
        HouseXError: The mix, the model or the device is not usable.
    """
    info = probe(mix)
    model = load_model_folder(arguments.model)
    backend = open_backend(model, arguments.device, arguments.backend)
    speaker.status(f"The network runs with {backend.description}")
    sha256 = sha256_of(mix)
    kept = cache_folder() / f"{_cache_key(sha256, model, arguments.slicing)}.housex.json"
    if not arguments.no_cache and kept.is_file():
        try:
            timeline = Timeline.load(kept)
        except TimelineError:
            pass  # a damaged cache entry is simply not there
        else:
            speaker.status("Taken from the cache: this recording was analysed before")
            for text in timeline.warnings:
                speaker.warn(text)
            return replace(timeline, mix=replace(timeline.mix, file=shown(mix.name)))
    timeline = hear(mix, info, sha256, model, backend, arguments.slicing, speaker)
    if not arguments.no_cache:
        _keep(timeline, kept)
    return timeline


def _cache_key(sha256: str, model: ModelFolder, slicing: str) -> str:
    parts = (sha256, *sorted(model.sha256.values()), str(model.temperature), slicing)
    versions = (HEARING_VERSION, FEATURE_VERSION)
    return hashlib.sha256(repr((parts, versions)).encode()).hexdigest()[:40]


def _keep(timeline: Timeline, path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        timeline.save(path)
    except (OSError, TimelineError) as error:
        print(f"The result was not cached: {error}", file=sys.stderr)


def hear(
    mix: Path,
    info: AudioInfo,
    sha256: str,
    model: ModelFolder,
    backend: Backend,
    slicing: str,
    speaker: Speaker,
) -> Timeline:
    """Analyse a mix from its samples.

    Raises:
        AudioError: It is too short, silent or unreadable.
    """
    name = shown(mix.name)
    speaker.status("Listening")
    features = extract_features(mix, on_progress=speaker.progress, on_warning=speaker.warn)
    if features.duration_s < SHORTEST_S:
        raise AudioError(
            f"{name} holds only {features.duration_s:.1f} s of sound.",
            f"Choose a recording of at least {SHORTEST_S:.0f} s.",
        )
    if features.is_silent:
        raise AudioError(f"{name} is silent.", "Check the recording: it holds no sound above about -80 dB.")
    speaker.status("Finding beats and bars")
    result = grid_for(features, slicing)
    if result.message:
        speaker.warn(result.message)
    speaker.status("Hearing sub-genres")
    grid = result.grid
    levels = bar_levels(features, grid)
    genres = classify(features, grid.starts_s, grid.ends_s, bar_energy(levels), model, backend)
    speaker.status("Finding drops and track changes")
    probs = genres.probs.astype(np.float64)
    structure = analyse_structure(features, grid, probs, beat_heard=result.confidence > 0.0, levels=levels)
    mix_info = MixInfo(name, sha256, round(features.duration_s, 4), info.sample_rate_hz, info.channels)
    return assemble(mix_info, model, features, result, genres, structure, slicing, speaker)


def grid_for(features: Features, slicing: str) -> GridResult:
    """Bars that were heard, or with ``housex`` the fixed windows of that paper: floor(T / 1.875 s) from sample 0."""
    if slicing == "bars":
        return track_grid(features)
    count = int(features.duration_s / HOUSEX_SLICE_S)
    starts_s = np.arange(count) * HOUSEX_SLICE_S
    grid = BarGrid.from_downbeats(starts_s, count * HOUSEX_SLICE_S)
    return GridResult(grid, 1.0, np.ones(count), "")


def assemble(
    mix: MixInfo,
    model: ModelFolder,
    features: Features,
    result: GridResult,
    genres: BarGenres,
    structure: Structure,
    slicing: str,
    speaker: Speaker,
) -> Timeline:
    """Put together what the parts heard."""
    from .worker import generator_version

    confidence = genres.confidence * np.clip(0.4 + 0.6 * result.bar_confidence, 0.0, 1.0)
    uncertain = genres.uncertain | (confidence < 0.4)
    tracks = []
    for start, end in structure.tracks:
        weight = (0.2 + structure.energy[start:end])[:, None]
        part = (genres.probs[start:end] * weight).sum(axis=0) / weight.sum()
        part = part / part.sum()
        tracks.append(TrackSpan(start, end, model.genres[int(np.argmax(part))], tuple(float(p) for p in part)))
    if uncertain.mean() > 0.5:
        speaker.warn(
            "The sub-genre is uncertain in most bars: this music may not be house, or unlike what the model knows."
        )
    return Timeline(
        mix=mix,
        model=ModelInfo(model.name, next(iter(sorted(model.sha256.values())), ""), model.genres, model.trained_on),
        grid=result.grid,
        probs=genres.probs,
        confidence=confidence.astype(np.float32),
        uncertain=uncertain,
        energy=np.clip(structure.energy, 0, 1).astype(np.float32),
        section=tuple(structure.section),
        tracks=tuple(tracks),
        drops=tuple(Span(start, end) for start, end in structure.drops),
        envelopes=Envelopes(normalise_envelopes(features.envelopes)),
        generator=f"housex {generator_version()}",
        grid_confidence=float(result.confidence),
        grid_message=result.message,
        warnings=tuple(speaker.warnings),
        slicing=slicing,
    )
