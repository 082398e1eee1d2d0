"""Rendered tracks as pictures of their bars with the truth, made in parallel and kept on disk. Zone: trainer."""

from __future__ import annotations

import importlib
import json
import multiprocessing
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import soxr
from numpy.typing import NDArray
from tqdm import tqdm

from housex_blender.analysis.features import FEATURE_VERSION, Features, FeatureStream
from housex_blender.analysis.grid import track_grid
from housex_blender.analysis.patches import bar_patches
from housex_blender.analysis.spectra import SAMPLE_RATE_HZ
from housex_blender.core.errors import HouseXError
from housex_blender.core.files import replacing
from housex_blender.core.genres import GENRES

from .corrupt import corrupt_audio
from .labelled import SECTION_NAMES, Labelled

if TYPE_CHECKING:
    from .synth.samples import SampleBank

# raised when a generator renders something else for a seed
VERSIONS = {
    "training": 2,
    "recipes": 1,
    "groovebox": 1,
    "sampler": 1,
    "spectral": 1,
    "second": 2,
    "third": 2,
    "second-mix": 3,
}
# writers of training tracks besides the first and the demo's, each a package of trainer.hands
HANDS = ("groovebox", "sampler", "spectral")
# the part of a genre in the names of mixes
_MIX = "mix"
# pictures are kept in 255 steps of 0.24 dB
_STEPS = 255.0
DROP = SECTION_NAMES.index("drop")
# of the training tracks: how many are excerpts, and how many went through a rough life
_EXCERPT_SHARE, _CORRUPT_SHARE = 0.75, 0.65


@dataclass(frozen=True)
class BarTrack:
    """The bars of one track or mix.

    Attributes:
        name: Genre and seed.
        pictures: (n, 128, 64) uint8.
        bpm: (n,) tempo.
        probs: (n, 9) share of each of GENRES.
        attributes: (n, 7) in the order of ATTRIBUTES, NaN where unknown.
        section: (n,) index into SECTION_NAMES.
        track: (n,) which track of a mix.
        crossfade: (n,) two tracks at once.
    """

    name: str
    pictures: NDArray[np.uint8]
    bpm: NDArray[np.float32]
    probs: NDArray[np.float32]
    attributes: NDArray[np.float32]
    section: NDArray[np.int64]
    track: NDArray[np.int64]
    crossfade: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.section)

    def part(self, which: slice | NDArray[np.bool_]) -> BarTrack:
        """Some of the bars."""
        return BarTrack(self.name, self.pictures[which], self.bpm[which], self.probs[which], self.attributes[which],
                        self.section[which], self.track[which], self.crossfade[which])  # fmt: skip

    @property
    def drop(self) -> NDArray[np.bool_]:
        """(n,) drop bars."""
        return self.section == DROP

    @property
    def genre(self) -> NDArray[np.int64]:
        """(n,) index of the greatest share."""
        return self.probs.argmax(axis=1)


@dataclass(frozen=True)
class HeardMix:
    """A DJ mix: its bars with the truth, and what the extension measures in its sound."""

    bars: BarTrack
    features: Features


def as_pictures(patches: NDArray[np.float32]) -> NDArray[np.uint8]:
    """(n, 128, 64) of what the network sees, (n, 1, 128, 64) in 0..1: a quarter of the memory."""
    return np.round(patches[:, 0] * _STEPS).astype(np.uint8)


def as_patches(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Pictures of any shape in 0..1 again."""
    return pictures.astype(np.float32) / np.float32(_STEPS)


def features_of(track: Labelled) -> Features:
    """The extension's own features of rendered sound."""
    mono = soxr.resample(track.audio.mean(axis=1), track.sample_rate_hz, SAMPLE_RATE_HZ).astype(np.float32)
    stream = FeatureStream()
    stream.push(mono)
    return stream.finish()


def _pictures(track: Labelled) -> NDArray[np.uint8]:
    features = features_of(track)
    return as_pictures(bar_patches(features.mel, features.mel_rate_hz, track.starts_s, track.ends_s))


def bars_of_track(track: Labelled, name: str) -> BarTrack:
    """Pictures of a track on its true bars."""
    bpm = (240.0 / (track.ends_s - track.starts_s)).astype(np.float32)
    return BarTrack(name, _pictures(track), bpm, track.probs, track.attributes, _sections(track), track.track,
                    track.crossfade)  # fmt: skip


def bars_of_mix(mix: Labelled, features: Features, name: str) -> BarTrack:
    """Pictures of a mix on the bars that are heard in it, each with the truth at its middle."""
    grid = track_grid(features).grid
    pictures = as_pictures(bar_patches(features.mel, features.mel_rate_hz, grid.starts_s, grid.ends_s))
    middle_s = 0.5 * (grid.starts_s + grid.ends_s)
    at = np.clip(np.searchsorted(mix.ends_s, middle_s, side="right"), 0, mix.n_bars - 1)
    return BarTrack(name, pictures, grid.bpm.astype(np.float32), mix.probs[at], mix.attributes[at],
                    _sections(mix)[at], mix.track[at], mix.crossfade[at])  # fmt: skip


def _sections(track: Labelled) -> NDArray[np.int64]:
    return np.array([SECTION_NAMES.index(name) for name in track.sections], dtype=np.int64)


def save_bars(bars: BarTrack, path: Path) -> None:
    """Write a track's bars completely or not at all."""
    columns: dict[str, Any] = {"pictures": bars.pictures, "bpm": bars.bpm, "probs": bars.probs,
               "attributes": bars.attributes, "section": bars.section.astype(np.int8),
               "track": bars.track.astype(np.int16),
               "crossfade": bars.crossfade}  # fmt: skip
    with replacing(path) as temporary, open(temporary, "wb") as stream:
        np.savez_compressed(stream, name=np.array(json.dumps(bars.name)), **columns)


def load_bars(path: Path) -> BarTrack:
    """Read what :func:`save_bars` wrote.

    Raises:
        HouseXError: The file is damaged.
    """
    with _told_if_damaged(path), np.load(path, allow_pickle=False) as archive:
        return BarTrack(
            json.loads(str(archive["name"])),
            archive["pictures"],
            archive["bpm"],
            archive["probs"],
            archive["attributes"],
            archive["section"].astype(np.int64),
            archive["track"].astype(np.int64),
            archive["crossfade"],
        )


def _lived(track: Labelled, rng: np.random.Generator, name: str) -> BarTrack:
    """A training track as it is, or after a rough life."""
    return bars_of_track(corrupt_audio(track, rng) if rng.random() < _CORRUPT_SHARE else track, name)


def save_features(features: Features, path: Path) -> None:
    """Write what was measured completely or not at all."""
    with replacing(path) as temporary, open(temporary, "wb") as stream:
        np.savez_compressed(stream, **vars(features))


def load_features(path: Path) -> Features:
    """Read what :func:`save_features` wrote.

    Raises:
        HouseXError: The file is damaged.
    """
    with _told_if_damaged(path), np.load(path, allow_pickle=False) as archive:
        kept: dict[str, Any] = {key: value if value.ndim else float(value) for key, value in archive.items()}
        return Features(**kept)


@contextmanager
def _told_if_damaged(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise HouseXError(f"{path.name} is damaged.", "Delete it; it is rendered again.") from error


def _render_training(genre: str, seed: int, sounds: Path | None) -> BarTrack:
    from .synth.training import draw_excerpt, render_training_track

    rng = np.random.default_rng([seed, GENRES.index(genre), 77])
    plan = draw_excerpt(rng) if rng.random() < _EXCERPT_SHARE else None
    return _lived(render_training_track(genre, seed, _bank(sounds), plan=plan), rng, f"{genre} {seed}")


def _render_recipe(genre: str, seed: int) -> BarTrack:
    from .synth.recipe_tracks import render_recipe_track

    rng = np.random.default_rng([seed, GENRES.index(genre), 78])
    return _lived(render_recipe_track(genre, seed), rng, f"{genre} {seed}")


def _render_hand(genre: str, seed: int, hand: str, sounds: Path | None) -> BarTrack:
    writer = importlib.import_module(f".hands.{hand}", __package__)
    rng = np.random.default_rng([seed, GENRES.index(genre), zlib.crc32(hand.encode())])
    return _lived(writer.render_track(genre, seed, _bank(sounds)), rng, f"{genre} {seed}")


def _bank(sounds: Path | None) -> SampleBank | None:
    from .synth.samples import open_bank

    return None if sounds is None else open_bank(sounds)


def _render_second(genre: str, seed: int) -> BarTrack:
    from .second.render import render_second_track

    return bars_of_track(render_second_track(genre, seed), f"{genre} {seed}")


def _render_third(genre: str, seed: int) -> BarTrack:
    from .third.render import render_third_track

    return bars_of_track(render_third_track(genre, seed), f"{genre} {seed}")


def _render_second_mix(_genre: str, seed: int) -> HeardMix:
    from .second.mixes import render_second_mix

    mix = render_second_mix(seed)
    features = features_of(mix)
    return HeardMix(bars_of_mix(mix, features, f"mix {seed}"), features)


# how to render, genre, seed, where to
_Task = tuple[Callable[[str, int], "BarTrack | HeardMix"], str, int, Path]


def _job(task: _Task) -> None:
    render, genre, seed, path = task
    made = render(genre, seed)
    if isinstance(made, HeardMix):
        # first, because the bars' being there says that all is there
        save_features(made.features, _features_path(path))
        made = made.bars
    save_bars(made, path)


@dataclass(frozen=True)
class Source:
    """A generator and the part of its seeds that is asked for.

    Attributes:
        name: Key of VERSIONS.
        seeds: Each is rendered once for every genre, or once for a mix.
        genres: Empty for mixes.
    """

    name: str
    seeds: Sequence[int]
    genres: Sequence[str] = GENRES


def _shelf(source: Source, folder: Path, samples: bool) -> Path:
    plain = "" if samples or source.name not in ("training", *HANDS) else "-plain"
    return folder / f"{source.name}{plain}-v{VERSIONS[source.name]}-features{FEATURE_VERSION}"


def _features_path(bars: Path) -> Path:
    return bars.with_suffix(".features.npz")


def read_mixes(source: Source, folder: Path) -> Iterator[HeardMix]:
    """The mixes of a source that was prepared, one after the other: features take tens of megabytes."""
    for seed in source.seeds:
        path = _shelf(source, folder, samples=True) / f"{_MIX}-{seed:06d}.npz"
        yield HeardMix(load_bars(path), load_features(_features_path(path)))


def prepare(sources: Sequence[Source], folder: Path, jobs: int, samples: bool = True) -> list[list[BarTrack]]:
    """The bars of each source; what was rendered before is taken from ``folder``.

    Args:
        sources: What to render.
        folder: Cache; about 0.25 MB a training track.
        jobs: Processes.
        samples: Whether the training generators also play sampled instruments.
    """
    sounds = folder / "sounds"
    sounds.mkdir(parents=True, exist_ok=True)
    renderers: dict[str, Callable[[str, int], BarTrack | HeardMix]] = {
        "training": partial(_render_training, sounds=sounds if samples else None),
        "recipes": _render_recipe,
        **{hand: partial(_render_hand, hand=hand, sounds=sounds if samples else None) for hand in HANDS},
        "second": _render_second,
        "third": _render_third,
        "second-mix": _render_second_mix,
    }
    shelves: list[list[_Task]] = []
    for source in sources:
        shelf = _shelf(source, folder, samples)
        shelf.mkdir(parents=True, exist_ok=True)
        shelves.append(
            [
                (renderers[source.name], genre, seed, shelf / f"{genre.lower().replace(' ', '_')}-{seed:06d}.npz")
                for seed in source.seeds
                for genre in source.genres or (_MIX,)
            ]
        )
    missing = [task for tasks in shelves for task in tasks if not task[3].exists()]
    # mixes take longest: begun last, they would leave the other processes without work
    missing.sort(key=lambda task: task[1] != _MIX)
    if missing:
        with multiprocessing.get_context("spawn").Pool(min(jobs, len(missing))) as pool:
            for _ in tqdm(pool.imap_unordered(_job, missing), total=len(missing), desc="rendering"):
                pass
    return [[load_bars(path) for *_, path in tasks] for tasks in shelves]
