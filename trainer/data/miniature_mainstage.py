"""The miniature of the mainstage benchmark (arXiv 2409.06690): folders of Ogg files with soft labels. Zone: trainer."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from housex_blender.core.files import write_text_atomic
from housex_blender.core.genres import canonical

from ..synth.arrange import Plan
from ..synth.demo import write_audio
from ..synth.facts import LABEL_SHAPES, MIXED_PAIRS
from .classes import MAINSTAGE
from .miniature import Built, Making
from .miniature_songs import (
    Song,
    draw_signed,
    drops_of,
    generator,
    render,
    run_all,
    uploaded_name,
)
from .miniature_studio import number_results, task

# as the published files spell them
CLASSES = tuple("Techno" if name == "Tech House" else name for name in MAINSTAGE)
FOLDERS = ("part-new", "part-1-5", "part-6-10")
# its labels come as the table that people check them with
TABLE_FOLDER = "part-6-10"
PER_CLASS = {"small": 4, "medium": 20}
# the rule that finds drops looks from here on
_DETECTED_FROM_S = 15.0
# folder of the first track of a class, of the second, ...: half of all lie in part-1-5
_FOLDER_OF = ("part-1-5", "part-new", "part-1-5", "part-6-10")
# shape of the label of the first track of a class, of the second, ...
_SHAPES = (LABEL_SHAPES[0], LABEL_SHAPES[1], LABEL_SHAPES[0], LABEL_SHAPES[2], LABEL_SHAPES[0], LABEL_SHAPES[3])
_PLANS: tuple[Plan, ...] = (
    [("intro", 4), ("build", 4), ("drop", 12), ("outro", 2)],
    [("intro", 4), ("build", 4), ("drop", 8), ("build", 2), ("drop", 8)],
    [("break", 4), ("build", 6), ("drop", 12)],
)
_REMARKS = (
    "A soft label is what was rendered: the synthesiser draws each part of a song from one of its sub-genres by their "
    "shares, and its tempo and attributes from between them.",
    "The drops are where they were written, not where the volume rule finds them; one track is missing from "
    "detected_drops.json, whose place the one before it takes a second time, and one has no drop there.",
)


@dataclass(frozen=True)
class _Track:
    """One track before it is rendered; shares: of CLASSES, as they are published."""

    path: Path
    shares: Mapping[str, float]
    song: Song


def build(making: Making) -> Built:
    """Fill the folder of a miniature."""
    for name in FOLDERS:
        (making.folder / name).mkdir()
    tracks = _draw(making)
    drops = run_all(_render, tracks, making.jobs, "mainstage")
    rng = generator(making.seed, "mainstage lists")
    for project, name in enumerate(FOLDERS, 8):
        chosen = [place for place, track in enumerate(tracks) if track.path.parent.name == name]
        among = [tracks[place] for place in chosen]
        if name == TABLE_FOLDER:
            _write_table(making.folder / name / "annotations.csv", among, project)
        else:
            tasks = [
                task(rng, number, project, track.path.name, number_results(rng, track.shares))
                for number, track in enumerate(among, 1)
            ]
            _write_json(making.folder / name / "annotations.json", tasks)
        faulty = name == "part-1-5"
        _write_drops(making.folder / name / "detected_drops.json", among, [drops[place] for place in chosen], faulty)
    artists = {f"{track.path.parent.name}/{track.path.name}": track.song.artist for track in tracks}
    return Built(artists, _REMARKS)


def _draw(making: Making) -> list[_Track]:
    rng = generator(making.seed, "mainstage")
    count = PER_CLASS[making.size]
    tracks = []
    for number, (title, artist) in enumerate(draw_signed(rng, len(CLASSES), count)):
        place, order = divmod(number, count)
        # another shape for the fourth track of every second class, so that the small size has all of them
        shape = _SHAPES[5] if order == 3 and place % 2 else _SHAPES[order % len(_SHAPES)]
        shares = dict.fromkeys(CLASSES, 0.0) | dict(zip(_mixture(CLASSES[place], len(shape)), shape, strict=True))
        song = Song(
            {canonical(name): share for name, share in shares.items() if share}, _PLANS[int(rng.integers(len(_PLANS)))],
            int(rng.integers(1 << 31)), artist,
        )  # fmt: skip
        folder = making.folder / _FOLDER_OF[order % len(_FOLDER_OF)]
        tracks.append(_Track(folder / uploaded_name(rng, f"{artist} - {title}.ogg"), shares, song))
    return tracks


def _mixture(first: str, count: int) -> list[str]:
    """A class and those that musicians mixed with it most often."""
    liked = {name: MIXED_PAIRS.get(frozenset({canonical(first), canonical(name)}), 0.0) for name in CLASSES}
    others = sorted((name for name in CLASSES if name != first), key=lambda name: -liked[name])
    return [first, *others][:count]


def _render(track: _Track) -> list[list[float]]:
    """Write a track; returns its drops as the list of detected ones has them."""
    made = render(track.song)
    write_audio(track.path, made.audio)
    spans = ((max(start_s, _DETECTED_FROM_S), end_s) for start_s, end_s in drops_of(made))
    return [[round(start_s, 4), round(end_s, 4)] for start_s, end_s in spans]


def _write_table(path: Path, tracks: Sequence[_Track], project: int) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["audio", *CLASSES])
    for track in tracks:
        cells = [f'[{{"number":{share:g}}}]' for share in track.shares.values()]
        writer.writerow([f"/data/upload/{project}/{track.path.name}", *cells])
    write_text_atomic(path, text.getvalue())


def _write_drops(path: Path, tracks: Sequence[_Track], drops: Sequence[list[list[float]]], faulty: bool) -> None:
    """One row per track; with the published faults, the third repeats the second and the last has no drop."""
    rows: list[dict[str, object]] = [
        {"audio_path": f"{track.path.parent.name}/{track.path.name}", "drop_sections": sections}
        for track, sections in zip(tracks, drops, strict=True)
    ]
    if faulty:
        rows[2] = rows[1]
        rows[-1]["drop_sections"] = []
    _write_json(path, rows)


def _write_json(path: Path, data: object) -> None:
    write_text_atomic(path, json.dumps(data, indent=1) + "\n")
