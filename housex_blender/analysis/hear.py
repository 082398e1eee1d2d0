"""The whole hearing of one mix, and its cache by content. Zone: analysis."""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..core.attributes import ATTRIBUTES
from ..core.bars import BarGrid
from ..core.errors import AudioError, ModelError, TimelineError
from ..core.timeline import MAX_FILL_BEATS, DropSpan, Envelopes, MixInfo, ModelInfo, Timeline, TrackSpan
from ..core.traits import described, genre_share
from .audio import AudioInfo
from .backends import Backend, open_backend
from .classify import BarGenres
from .envelopes import normalise_envelopes
from .features import FEATURE_VERSION, Features, extract_features
from .front_ends import card_of
from .given import GivenGrid
from .grid import GridResult, track_grid
from .headers import shown
from .model_folder import HearingModel, ModelFolder, PieceFolder, load_any_model, load_model_folder
from .pieces import PieceBackend, bar_probabilities
from .records import Published, hear_records
from .structure import Structure

if TYPE_CHECKING:
    from .worker import Speaker

# raised whenever the same file would give another timeline
HEARING_VERSION = 9
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


@dataclass(frozen=True)
class Wishes:
    """What is asked of the hearing besides the mix, the model and the device; a part of the name of its result.

    Attributes:
        slicing: ``bars`` or ``housex``.
        bpm: Tempo that is known; None to hear it.
        drop_rule: What counts as a drop.
        grid: Bars that are known; None to hear them.
    """

    slicing: str = "bars"
    bpm: float | None = None
    drop_rule: str = "sliding"
    grid: GivenGrid | None = None

    @property
    def key(self) -> tuple[object, ...]:
        """What tells two results of one recording apart; a known grid needs no tempo."""
        return (self.slicing, None if self.grid else self.bpm, self.drop_rule, self.grid.key if self.grid else "")


@dataclass(frozen=True)
class Recording:
    """The file that is heard: where it is, what its header says, and its content's hash."""

    path: Path
    info: AudioInfo
    sha256: str


@dataclass(frozen=True)
class Ears:
    """The networks that hear a mix.

    Attributes:
        model: Hears bars: track changes and attributes, and the genres where no published network does.
        backend: Where it runs.
        published: Card of a published network whose genres are wanted.
        piece_backend: Where that one runs.
    """

    model: ModelFolder
    backend: Backend
    published: PieceFolder | None = None
    piece_backend: PieceBackend | None = None

    @property
    def speaks(self) -> HearingModel:
        """The one that names the genres."""
        return self.published or self.model

    @property
    def description(self) -> str:
        """For people: library and device."""
        return (self.piece_backend or self.backend).description

    def published_bars(self, mix: Path, grid: BarGrid, speaker: Speaker) -> Published | None:
        """The published network's answers for all bars, or None where there is none."""
        if self.published is None or self.piece_backend is None:
            return None
        speaker.status(f"Hearing sub-genres with {self.published.name}")
        raw = bar_probabilities(mix, grid, self.published, self.piece_backend, speaker.progress)
        return Published(self.published, raw)


def open_ears(folder: str, device: str, library: str) -> Ears:
    """Open the model that is asked for; one that hears pieces only is joined by the model that ships.

    Raises:
        ModelError: The model, the device or the library is not there.
    """
    model = load_any_model(folder)
    if isinstance(model, ModelFolder):
        return Ears(model, open_backend(model, device, library))
    if library == "torch":
        raise ModelError(f"The model {model.name} runs with ONNX Runtime only.", "Use --backend onnx or auto.")
    listener = load_model_folder()
    return Ears(listener, open_backend(listener, "cpu", "onnx"), model, PieceBackend(model, device))


def cached_or_heard(recording: Recording, wishes: Wishes, arguments: argparse.Namespace, speaker: Speaker) -> Timeline:
    """The timeline of a mix, from an earlier run over the same content if there is one.

    Raises:
        HouseXError: The mix, the model or the device is not usable.
    """
    ears = open_ears(arguments.model, arguments.device, arguments.backend)
    speaker.status(f"The network runs with {ears.description}")
    kept = cache_folder() / f"{_cache_key(recording.sha256, ears, wishes)}.housex.json"
    if not arguments.no_cache and kept.is_file():
        try:
            timeline = Timeline.load(kept)
        except TimelineError:
            pass  # a damaged cache entry is simply not there
        else:
            speaker.status("Taken from the cache: this recording was analysed before")
            for text in timeline.warnings:
                speaker.warn(text)
            return replace(timeline, mix=replace(timeline.mix, file=shown(recording.path.name)))
    timeline = hear(recording, ears, wishes, speaker)
    if not arguments.no_cache:
        _keep(timeline, kept)
    return timeline


def _cache_key(sha256: str, ears: Ears, wishes: Wishes) -> str:
    model = ears.speaks
    # two cards may tell the same weights to answer otherwise
    card = (model.name, model.genres, model.temperature, model.smoothing, model.uncertain_below)
    # without it the name of what the model that ships hears would change for everybody
    more = () if ears.published is None else (*sorted(ears.model.sha256.values()), card_of(ears.published.front_end))
    parts = (sha256, *sorted(model.sha256.values()), *card, *wishes.key, *more)
    versions = (HEARING_VERSION, FEATURE_VERSION)
    return hashlib.sha256(repr((parts, versions)).encode()).hexdigest()[:40]


def _keep(timeline: Timeline, path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        timeline.save(path)
    except (OSError, TimelineError) as error:
        print(f"The result was not cached: {error}", file=sys.stderr)


def hear(recording: Recording, ears: Ears, wishes: Wishes, speaker: Speaker) -> Timeline:
    """Analyze a mix from its samples.

    Raises:
        AudioError: It is too short, silent or unreadable.
        HouseXError: The bars that are known do not fit it.
    """
    mix, info = recording.path, recording.info
    name = shown(mix.name)
    speaker.status("Listening")
    features = extract_features(mix, on_progress=speaker.progress, on_warning=speaker.warn)
    if features.duration_s < SHORTEST_S:
        raise AudioError(
            f"{name} holds only {features.duration_s:.1f} s of sound.",
            f"Choose a recording of at least {SHORTEST_S:.0f} s.",
        )
    if features.is_silent:
        # what is left is rounding or a constant offset, which must not light anything
        features.envelopes[:] = 0.0
    speaker.status("Finding beats and bars")
    result = grid_for(features, wishes)
    if result.message:
        speaker.warn(result.message)
    published = ears.published_bars(mix, result.grid, speaker)
    genres, structure = hear_records(
        features, result, ears.model, ears.backend, wishes.drop_rule, speaker.status, published
    )
    mix_info = MixInfo(name, recording.sha256, round(features.duration_s, 4), info.sample_rate_hz, info.channels)
    return assemble(mix_info, ears.speaks, features, result, genres, structure, wishes, speaker)


def grid_for(features: Features, wishes: Wishes) -> GridResult:
    """Bars that are known, or were heard, or with ``housex`` the fixed windows of that paper: floor(T / 1.875 s) from
    sample 0."""
    if wishes.grid is not None:
        given = wishes.grid.for_mix(features.duration_s)
        return GridResult(given, 1.0, np.ones(given.n_bars), "")
    if wishes.slicing == "bars":
        return track_grid(features, hint_bpm=wishes.bpm)
    count = int(features.duration_s / HOUSEX_SLICE_S)
    starts_s = np.arange(count) * HOUSEX_SLICE_S
    grid = BarGrid.from_downbeats(starts_s, count * HOUSEX_SLICE_S)
    return GridResult(grid, 1.0, np.ones(count), "")


def _source(result: GridResult, wishes: Wishes) -> str:
    if wishes.grid is not None:
        return "imported"
    return "ruler" if wishes.slicing != "bars" or result.confidence <= 0.0 else "heard"


def _drop_spans(structure: Structure) -> tuple[DropSpan, ...]:
    """Drops with the build-up and the fill before them."""
    return tuple(
        DropSpan(start, end, build if build is not None and build < start else None, min(fill, MAX_FILL_BEATS))
        for (start, end), (build, fill) in zip(structure.drops, structure.drop_details, strict=True)
    )


def assemble(
    mix: MixInfo,
    model: HearingModel,
    features: Features,
    result: GridResult,
    genres: BarGenres,
    structure: Structure,
    wishes: Wishes,
    speaker: Speaker,
) -> Timeline:
    """Put together what the parts heard."""
    from .worker import generator_version

    confidence = genres.confidence * np.clip(0.4 + 0.6 * result.bar_confidence, 0.0, 1.0)
    uncertain = confidence < model.uncertain_below
    tracks = []
    for (start, end), (fade_in, fade_out) in zip(structure.tracks, structure.overlaps, strict=True):
        part = genre_share(genres.probs[start:end], structure.energy[start:end])
        first, last = min(max(fade_in, 0), start), min(max(fade_out, start + 1), result.grid.n_bars)
        label = model.genres[int(np.argmax(part))]
        tracks.append(TrackSpan(start, end, label, part, "", first, last))
    if uncertain.mean() > 0.5:
        speaker.warn(
            "The sub-genre is uncertain in most bars: this music may not be house, or unlike what the model knows."
        )
    timeline = Timeline(
        mix=mix,
        model=ModelInfo(model.name, next(iter(sorted(model.sha256.values())), ""), model.genres, model.trained_on),
        grid=result.grid,
        probs=genres.probs,
        confidence=confidence.astype(np.float32),
        uncertain=uncertain,
        energy=np.clip(structure.energy, 0, 1).astype(np.float32),
        section=tuple(structure.section),
        tracks=tuple(tracks),
        drops=_drop_spans(structure),
        envelopes=Envelopes(normalise_envelopes(features.envelopes)),
        generator=f"housex {generator_version()}",
        grid_confidence=float(result.confidence),
        grid_message=result.message,
        grid_source=_source(result, wishes),
        attributes={name: genres.attributes[:, column] for column, name in enumerate(ATTRIBUTES)},
        warnings=tuple(speaker.warnings),
        slicing=wishes.slicing,
    )
    return replace(timeline, tracks=tuple(described(timeline, track) for track in timeline.tracks))
