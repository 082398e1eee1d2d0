"""Hearing a track into one portrait: tempo, shares of the sub-genres, traits and a place in the network's space.

Portraits are kept by the content of the track and the model. Zone: trainer.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from housex_blender.analysis.backends import Backend, Heard, hear_all, open_backend
from housex_blender.analysis.classify import softmax
from housex_blender.analysis.features import FEATURE_VERSION
from housex_blender.analysis.headers import shown
from housex_blender.analysis.hear import HEARING_VERSION, cache_folder
from housex_blender.analysis.model_folder import ModelFolder, load_model_folder
from housex_blender.core.attributes import ATTRIBUTES
from housex_blender.core.errors import AudioError
from housex_blender.core.files import sha256_of, write_text_atomic

from ..own.collection import LIST_ENDINGS, audio_files, read_collection, title_of
from ..own.file_bars import FileBars, bars_of_files
from ..own.label_rows import CollectionError, Unlabelled
from ..own.label_studio import Spans

# raised when a portrait of the same bars would differ
_PORTRAIT_VERSION = 1
# a drop's quiet bars still count a little, as in the analysis of a mix
_LEAST_WEIGHT = 0.2


@dataclass(frozen=True)
class FoundTrack:
    """An audio file to hear, with what is known of it.

    Attributes:
        path: The file.
        title: For people.
        given: Genre -> share from the user's labels; empty if there are none.
        drops_s: Drops that a list tells, or None.
    """

    path: Path
    title: str
    given: Mapping[str, float] = field(default_factory=dict)
    drops_s: Spans | None = None


@dataclass(frozen=True)
class TrackPortrait:
    """One track as the network hears it.

    Attributes:
        path: The file.
        title: For people.
        sha256: Of the file's content.
        duration_s: Length of the sound.
        bpm: Its tempo, None where no beat was heard.
        genres: (G) the model's classes.
        probs: (G,) shares, sum 1: the mean over the drop bars, the loud ones counting more; over all bars without one.
        attributes: (7,) the same mean in the order of ATTRIBUTES.
        embedding: (D,) the same mean, of unit length.
        drop_bars: How many bars of drops there are; 0 if all bars were taken.
        given: Genre -> share from the user's labels; may be empty.
    """

    path: Path
    title: str
    sha256: str
    duration_s: float
    bpm: float | None
    genres: tuple[str, ...]
    probs: NDArray[np.float64]
    attributes: NDArray[np.float64]
    embedding: NDArray[np.float64]
    drop_bars: int
    given: Mapping[str, float] = field(default_factory=dict)

    @property
    def heard_label(self) -> str:
        """The likeliest sub-genre."""
        return self.genres[int(np.argmax(self.probs))]

    @property
    def label(self) -> str:
        """The user's label where there is one, else the one that was heard."""
        return max(self.given, key=lambda genre: self.given[genre]) if self.given else self.heard_label

    def share(self, genre: str) -> float:
        """Share of a sub-genre as heard, 0..1; 0 for one that the model does not know."""
        return float(self.probs[self.genres.index(genre)]) if genre in self.genres else 0.0

    def attribute(self, name: str) -> float:
        """One of ATTRIBUTES: 1..5, or 0..1 for a part."""
        return float(self.attributes[ATTRIBUTES.index(name)])


class Ear(Protocol):
    """A model that answers for the bars of a file."""

    genres: tuple[str, ...]
    key: str

    def hear(self, bars: FileBars) -> tuple[NDArray[np.float64], Heard]:
        """(n, G) probabilities, and all answers, of n bars."""
        ...


class ModelEar:
    """A model folder with the backend that runs it.

    Args:
        model: A checked model folder.
        backend: Where it runs.
    """

    def __init__(self, model: ModelFolder, backend: Backend) -> None:
        self._model, self._backend = model, backend
        self.genres = model.genres
        self.key = repr((sorted(model.sha256.items()), model.temperature))

    def hear(self, bars: FileBars) -> tuple[NDArray[np.float64], Heard]:
        """(n, G) probabilities, and all answers, of n bars."""
        heard = hear_all(self._backend, bars.patches, bars.bpm, self._model.shape.context_bars)
        return softmax(heard.logits, self._model.temperature), heard


def find_tracks(places: Sequence[Path]) -> tuple[list[FoundTrack], list[str]]:
    """The tracks of files, lists and folders, each once, with their labels where there are some; and warnings.

    Raises:
        CollectionError: A place is not there, or there is no audio at all.
    """
    tracks: dict[Path, FoundTrack] = {}
    warnings: list[str] = []
    for place in places:
        if not place.exists():
            raise CollectionError(f'There is no "{shown(str(place))}".', "Name a track or a folder of music.")
        for track in _tracks_in(place, warnings):
            tracks.setdefault(track.path.resolve(), track)
    if not tracks:
        raise CollectionError(f'There is no audio in "{shown(places[0].name)}".', "Name a folder of music.")
    return list(tracks.values()), warnings


def _tracks_in(place: Path, warnings: list[str]) -> list[FoundTrack]:
    if place.is_file() and place.suffix.lower() not in LIST_ENDINGS:
        return [FoundTrack(place, title_of(place))]
    audio = audio_files(place) if place.is_dir() else []
    try:
        collection = read_collection(place, skip_missing=True)
    except CollectionError as error:
        if place.is_file():
            raise
        # a plain folder of music is nothing to warn of
        if audio and not isinstance(error, Unlabelled):
            warnings.append(f"The tracks are not labelled: {error.message}")
        return [FoundTrack(path, title_of(path)) for path in audio]
    labelled = {
        track.path: FoundTrack(
            track.path,
            track.title,
            {genre: float(share) for genre, share in zip(collection.genres, track.probs, strict=True) if share > 0.0},
            track.drops_s,
        )
        for track in collection.tracks
    }
    if place.is_file():
        warnings += collection.warnings
        return list(labelled.values())
    # what a folder's labels leave out is music all the same
    return [labelled.get(path) or FoundTrack(path, title_of(path)) for path in audio]


def portraits_of(
    tracks: Sequence[FoundTrack],
    ear: Ear,
    cache: Path | None = None,
    jobs: int = 1,
    on_progress: Callable[[int, int], None] | None = None,
    on_warning: Callable[[str], None] | None = None,
) -> list[TrackPortrait]:
    """A portrait of every track that can be heard, in their order.

    Args:
        tracks: What to hear.
        ear: The model.
        cache: Folder in which portraits are kept, a few kB each; None to keep nothing.
        jobs: Processes that decode; the network runs in this one.
        on_progress: Called with (tracks done, tracks in all).
        on_warning: Called with a sentence for each track that is left out.
    """
    found: dict[int, TrackPortrait] = {}
    kept: dict[int, Path] = {}
    for index, track in enumerate(tracks):
        path = _kept_path(track, ear, cache)
        if path is not None:
            kept[index] = path
            portrait = _load(path, track, ear.genres)
            if portrait is not None:
                found[index] = portrait
    missing = [index for index in range(len(tracks)) if index not in found]
    known = len(found)
    if on_progress is not None and known:
        on_progress(known, len(tracks))
    results = bars_of_files([tracks[index].path for index in missing], jobs=jobs)
    for done, (index, (_, bars)) in enumerate(zip(missing, results, strict=True), known + 1):
        if on_progress is not None:
            on_progress(done, len(tracks))
        if isinstance(bars, AudioError):
            if on_warning is not None:
                on_warning(f"{bars.message} It was left out.")
            continue
        found[index] = portrait_of(tracks[index], bars, ear)
        if index in kept:
            _save(found[index], kept[index])
    return [found[index] for index in sorted(found)]


def portrait_of(track: FoundTrack, bars: FileBars, ear: Ear) -> TrackPortrait:
    """The answers for a track's drop bars, or for all bars without any, as one mean weighted by energy."""
    probs, heard = ear.hear(bars)
    drop = bars.drop(track.drops_s)
    weight = (_LEAST_WEIGHT + bars.energy.astype(np.float64)) * (drop if drop.any() else 1.0)
    weight /= weight.sum()
    embedding = weight @ np.asarray(heard.embedding, dtype=np.float64)
    return TrackPortrait(
        track.path,
        track.title,
        bars.sha256,
        bars.duration_s,
        round(float(np.median(bars.bpm)), 2) if bars.beat_heard else None,
        ear.genres,
        weight @ probs,
        weight @ np.asarray(heard.attributes, dtype=np.float64),
        embedding / max(float(np.linalg.norm(embedding)), 1e-12),
        int(drop.sum()),
        track.given,
    )


def _kept_path(track: FoundTrack, ear: Ear, cache: Path | None) -> Path | None:
    """Where a portrait is kept; None without a cache or for a file that cannot be read."""
    if cache is None:
        return None
    try:
        sha256 = sha256_of(track.path)
    except OSError:
        return None
    parts = (sha256, ear.key, track.drops_s, _PORTRAIT_VERSION, HEARING_VERSION, FEATURE_VERSION)
    return cache / f"{hashlib.sha256(repr(parts).encode()).hexdigest()[:40]}.portrait.json"


def _save(portrait: TrackPortrait, path: Path) -> None:
    body = {
        "sha256": portrait.sha256,
        "duration_s": portrait.duration_s,
        "bpm": portrait.bpm,
        "probs": portrait.probs.tolist(),
        "attributes": portrait.attributes.tolist(),
        "embedding": portrait.embedding.tolist(),
        "drop_bars": portrait.drop_bars,
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text_atomic(path, json.dumps(body, allow_nan=False) + "\n")
    except OSError as error:
        print(f"A portrait was not kept: {error}", file=sys.stderr)


def _load(path: Path, track: FoundTrack, genres: tuple[str, ...]) -> TrackPortrait | None:
    """What was kept, with the title and label of now; None where there is nothing or it is damaged."""
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        probs, attributes, embedding = (
            np.array(body[name], dtype=np.float64) for name in ("probs", "attributes", "embedding")
        )
        facts = str(body["sha256"]), float(body["duration_s"]), None if body["bpm"] is None else float(body["bpm"])
        drop_bars = int(body["drop_bars"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    whole = probs.shape == (len(genres),) and attributes.shape == (len(ATTRIBUTES),) and embedding.ndim == 1
    if not whole or not all(np.isfinite(column).all() for column in (probs, attributes, embedding)):
        return None
    return TrackPortrait(track.path, track.title, *facts, genres, probs, attributes, embedding, drop_bars, track.given)


def add_listening_options(parser: argparse.ArgumentParser) -> None:
    """Options of every command that hears tracks."""
    parser.add_argument("--model", default="", metavar="DIR", help="model folder; the one that ships if not given")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, mps, directml or coreml")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes that decode")
    parser.add_argument("--no-cache", action="store_true", help="hear every track anew and keep nothing")


def listen(tracks: Sequence[FoundTrack], arguments: argparse.Namespace) -> list[TrackPortrait]:
    """Portraits as the options ask for them, progress and warnings on stderr.

    Raises:
        HouseXError: The model is not usable, or not one track can be heard.
    """
    model = load_model_folder(arguments.model)
    ear = ModelEar(model, open_backend(model, arguments.device))

    def told(done: int, total: int) -> None:
        print(f"\rheard {done}/{total} tracks", end="\n" if done == total else "", file=sys.stderr, flush=True)

    left_out: list[str] = []
    cache = None if arguments.no_cache else cache_folder() / "portraits"
    portraits = portraits_of(tracks, ear, cache, arguments.jobs, told, left_out.append)
    warn(left_out)
    if left_out:
        print(f"{len(left_out)} of {len(tracks)} tracks were left out", file=sys.stderr)
    if not portraits:
        raise AudioError("None of the tracks can be heard.", "Name audio files of at least 4 seconds.")
    return portraits


def warn(sentences: Sequence[str]) -> None:
    """Say warnings on stderr, one a line."""
    for sentence in sentences:
        print(f"warning: {sentence}", file=sys.stderr)
