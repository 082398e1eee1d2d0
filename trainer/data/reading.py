"""What the readers of all data sets share: classes by name, audio that can be read, sentences. Zone: trainer."""

from __future__ import annotations

import dataclasses
import hashlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from housex_blender.analysis.audio import probe
from housex_blender.analysis.headers import shown
from housex_blender.core.errors import AudioError

from .by_track import ARTISTS
from .collection import Collection, Spans, Track
from .miniature import MANIFEST, Manifest, manifest_of

# of the two looks at whether recordings are equal: the short one
_LOOK_S = 0.25
# a part of a miniature may be named instead of all of it
_PARENTS = 2
_BLOCK = 1 << 18
# how far a drop may reach beyond its track by rounding alone
_ROUNDING_S = 0.1


def plain(name: str) -> str:
    """A class name as it is compared: letters and digits only."""
    return re.sub(r"[^a-z0-9]", "", name.casefold())


def class_number(name: str, classes: Sequence[str], aliases: Mapping[str, str] | None = None) -> int | None:
    """Index of the class that a name means; None for no class."""
    wanted = plain(name)
    wanted = plain((aliases or {}).get(wanted, wanted))
    return next((number for number, one in enumerate(classes) if plain(one) == wanted), None)


def one_hot(number: int, classes: Sequence[str]) -> NDArray[np.float32]:
    """(C,) a single 1."""
    return np.eye(len(classes), dtype=np.float32)[number]


def composed(name: str) -> str:
    """A file name as results spell it, the same on every system: composed letters."""
    return unicodedata.normalize("NFC", shown(name))


def quoted(names: Sequence[str], most: int = 3) -> str:
    """The first few of some names, for a sentence."""
    text = ", ".join(f'"{shown(name)}"' for name in names[:most])
    return f"{text} and {len(names) - most} more" if len(names) > most else text


def counted(number: int, what: str) -> str:
    """``1 track``, ``2 tracks``."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def artists_and_title(stem: str) -> tuple[str, str]:
    """Artists, parted by ", ", and title of ``Artist _ Artist - Title (Mix)``; no artist where there is no dash."""
    before, dash, after = stem.partition(" - ")
    if not dash:
        return "", stem.strip()
    return ARTISTS.join(name.strip() for name in before.split(" _ ") if name.strip()), after.strip()


def duration_of(path: Path, problems: list[str]) -> float | None:
    """Seconds of an audio file; None, with a sentence, where it cannot be read."""
    if path.is_symlink() and not path.exists():
        problems.append(f'"{shown(path.name)}" is a link that leads nowhere: left out.')
        return None
    try:
        return probe(path).duration_s
    except AudioError as error:
        problems.append(f"{error.message.rstrip('.')}: left out.")
        return None


def within(spans: Spans | None, name: str, duration_s: float, problems: list[str]) -> Spans | None:
    """Drops of a track cut where it ends, with a sentence; those that begin later are left out.

    A table may hold any number, and systems cut pieces wherever it says.
    """
    if spans is None:
        return None
    beyond = sum(end_s > duration_s + _ROUNDING_S for _, end_s in spans)
    if not beyond:
        return spans
    problems.append(f'Of "{name}" {counted(beyond, "drop")} would end after its {duration_s:.1f} s: cut there.')
    return tuple((start_s, min(end_s, duration_s)) for start_s, end_s in spans if start_s < duration_s)


def finished(
    name: str,
    folder: Path,
    classes: Sequence[str],
    tracks: Iterable[Track],
    problems: Sequence[str],
    published: Mapping[str, str] | None = None,
    damaged: Sequence[str] = (),
) -> Collection:
    """The collection: tracks by name, copies of one recording in one group, empty classes told."""
    miniature = miniature_around(folder)
    if miniature is not None:
        tracks = _with_artists(tracks, *miniature)
    ordered, copies = grouped_copies(sorted(tracks, key=lambda track: track.name))
    filled = np.array([track.label for track in ordered]).reshape(-1, len(classes)).sum(axis=0)
    empty = [f"{one} has no track." for one, mass in zip(classes, filled, strict=True) if not mass]
    return Collection(
        name,
        folder,
        tuple(classes),
        ordered,
        dict(published or {}),
        (*problems, *copies, *empty),
        tuple(damaged),
        miniature is not None or (folder / MANIFEST).is_file(),
    )


def miniature_around(folder: Path) -> tuple[Path, Manifest] | None:
    """The miniature that a folder is, or lies in; None for music of others."""
    for place in (folder, *folder.resolve().parents[:_PARENTS]):
        manifest = manifest_of(place)
        if manifest is not None:
            return place, manifest
    return None


def _with_artists(tracks: Iterable[Track], place: Path, manifest: Manifest) -> list[Track]:
    """Tracks of a miniature with the artists whom only its manifest tells."""
    artist_of = {(place / file).resolve(): artist for file, artist in manifest.artists.items()}
    return [
        track
        if track.artist or track.path is None
        else dataclasses.replace(track, artist=artist_of.get(track.path.resolve(), ""))
        for track in tracks
    ]


def grouped_copies(tracks: Sequence[Track]) -> tuple[tuple[Track, ...], list[str]]:
    """Tracks whose decoded samples are the same get the group of the first of them, and a sentence."""
    alike: dict[object, list[Track]] = defaultdict(list)
    for track in tracks:
        look = _look(track.path) if track.path is not None else None
        if look is not None:
            alike[look].append(track)
    original: dict[str, Track] = {}
    for same in alike.values():
        first: dict[str | None, Track] = {}
        for track in same if len(same) > 1 else []:
            of_all = _samples_hash(track.path)
            if of_all is not None and first.setdefault(of_all, track) is not track:
                original[track.name] = first[of_all]
    problems = [f'"{name}" is the same recording as "{one.name}"; a split by tracks keeps them together.'
                for name, one in original.items()]  # fmt: skip
    leads = {one.name: one.group or one.name for one in original.values()}
    changed = []
    for track in tracks:
        group = leads[original[track.name].name] if track.name in original else leads.get(track.name, track.group)
        changed.append(dataclasses.replace(track, group=group) if group != track.group else track)
    return tuple(changed), problems


def _look(path: Path) -> tuple[int, int, int, bytes] | None:
    """Rate, channels, length and a moment in the middle; None where libsndfile cannot read it."""
    try:
        with soundfile.SoundFile(path) as file:
            if file.frames <= 0:
                return None
            file.seek(file.frames // 2)
            moment = file.read(int(_LOOK_S * file.samplerate), dtype="int16")
            return file.samplerate, file.channels, file.frames, hashlib.sha256(moment.tobytes()).digest()
    except (OSError, RuntimeError, TypeError):
        return None


def _samples_hash(path: Path | None) -> str | None:
    """SHA-256 of the decoded samples; None where they cannot be read."""
    digest = hashlib.sha256()
    try:
        for block in soundfile.blocks(path, _BLOCK, dtype="int16"):
            digest.update(block.tobytes())
    except (OSError, RuntimeError, TypeError):
        return None
    return digest.hexdigest()
