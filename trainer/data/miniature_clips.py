"""The miniatures of GTZAN and of Homburg's collection: folders of short clips, and GTZAN's tables. Zone: trainer.

The synthesiser writes house music only, so ten and nine very different ways of writing it stand for the genres.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress, groupby
from pathlib import Path

import numpy as np
import soundfile as sf

from ..synth.arrange import Plan
from ..systems.tabular_features import ROW_SECONDS, Row, table_rows, write_table
from .miniature import Built, Making
from .miniature_songs import SOUND_RATE_HZ, Song, Sound, draw_artists, draw_titles, generator, mono, render, run_all

PER_CLASS = {"small": 4, "medium": 20}
GTZAN_RATE_HZ = 22050
GTZAN_SAMPLES = 661_794
HOMBURG_S = 10
# of the clips of a genre, which have rows in the tables
_TABLE_EVERY = {"small": 2, "medium": 1}
# the masters of some artists end here
_DARKEST_HZ = 5000.0


@dataclass(frozen=True)
class Style:
    """A way of writing that stands for a genre.

    Attributes:
        shares: Of the sub-genres; they sum to 1.
        bpm: Range of tempi.
        wanted: Attributes 1..5.
        section: Of the synthesiser's sections the one that all of it is.
    """

    shares: Mapping[str, float]
    bpm: tuple[float, float]
    wanted: Mapping[str, float] = field(default_factory=dict)
    section: str = "drop"


_CALM = {"distortion": 1.0, "organicity": 5.0}
_HARD = {"distortion": 5.0, "organicity": 1.0}
GTZAN_STYLES = {
    "blues": Style({"Deep House": 1.0}, (80.0, 100.0), {"organicity": 4.5, "rhythm": 2.0}),
    "classical": Style({"Progressive House": 1.0}, (70.0, 110.0), {**_CALM, "groove": 1.0}, "break"),
    "country": Style({"Melodic House": 1.0}, (100.0, 118.0), {**_CALM, "rhythm": 3.0}),
    "disco": Style({"Tech House": 0.75, "Deep House": 0.25}, (112.0, 124.0)),
    "hiphop": Style({"Bass House": 1.0}, (82.0, 102.0), {"distortion": 2.5}),
    "jazz": Style({"Deep House": 0.5, "Slap House": 0.5}, (120.0, 150.0), {**_CALM, "rhythm": 4.5}),
    "metal": Style({"Bigroom": 0.5, "Bass House": 0.5}, (140.0, 170.0), {**_HARD, "rhythm": 4.0}),
    "pop": Style({"Future House": 0.75, "Progressive House": 0.25}, (104.0, 128.0), {"distortion": 2.0}),
    "reggae": Style({"Slap House": 1.0}, (66.0, 84.0), {"organicity": 3.0}),
    "rock": Style({"Future Rave": 1.0}, (122.0, 145.0), {"distortion": 4.0}),
}
HOMBURG_STYLES = {
    "alternative": Style({"Future Rave": 0.75, "Progressive House": 0.25}, (110.0, 135.0), {"distortion": 3.5}),
    "blues": GTZAN_STYLES["blues"],
    "electronic": Style({"Tech House": 1.0}, (124.0, 132.0), {"organicity": 1.0}),
    "folkcountry": GTZAN_STYLES["country"],
    "funksoulrnb": Style({"Slap House": 0.75, "Deep House": 0.25}, (96.0, 112.0), {"organicity": 3.5}),
    "jazz": GTZAN_STYLES["jazz"],
    "pop": GTZAN_STYLES["pop"],
    "raphiphop": GTZAN_STYLES["hiphop"],
    "rock": GTZAN_STYLES["rock"],
}
_REMARKS = (
    "The synthesiser writes house music only: very different sub-genres, tempi and voices of it stand for the "
    "genres {names}, and sound like none of them.",
    "In the first half of a genre's clips every two are excerpts of one recording of one artist, and recordings of a "
    "genre differ in tempo, key, voices and mastering, so that a split between such excerpts leaks.",
)
_TABLE_REMARK = "In the small size the tables have the rows of every second clip."


@dataclass(frozen=True)
class _Recording:
    """A song and the clips that are cut from it, one after the other.

    Attributes:
        song: To render.
        paths: One per clip.
        label: Genre.
        tabled: Which clips have rows in the tables.
    """

    song: Song
    paths: tuple[Path, ...]
    label: str
    tabled: tuple[bool, ...]


def build(making: Making) -> Built:
    """Fill the folder of a miniature."""
    return _build_gtzan(making) if making.name == "gtzan" else _build_homburg(making)


def _build_gtzan(making: Making) -> Built:
    folder = making.folder / "genres_original"
    recordings = _draw(making, GTZAN_STYLES, folder, GTZAN_SAMPLES / GTZAN_RATE_HZ)
    tables = run_all(_render_gtzan, recordings, making.jobs, "GTZAN")
    for place, seconds in enumerate(ROW_SECONDS):
        rows = [row for table in tables for row in table[place]]
        write_table(making.folder / f"features_{seconds}_sec.csv", rows)
    return Built(_artists(making, recordings), (*_remarks(GTZAN_STYLES), _TABLE_REMARK))


def _build_homburg(making: Making) -> Built:
    recordings = _draw(making, HOMBURG_STYLES, making.folder, HOMBURG_S)
    run_all(_render_homburg, recordings, making.jobs, "Homburg")
    return Built(_artists(making, recordings), _remarks(HOMBURG_STYLES))


def _remarks(styles: Mapping[str, Style]) -> tuple[str, ...]:
    return tuple(remark.format(names=", ".join(styles)) for remark in _REMARKS)


def _artists(making: Making, recordings: Sequence[_Recording]) -> dict[str, str]:
    return {
        path.relative_to(making.folder).as_posix(): recording.song.artist
        for recording in recordings
        for path in recording.paths
    }


def _draw(making: Making, styles: Mapping[str, Style], folder: Path, clip_s: float) -> list[_Recording]:
    rng = generator(making.seed, making.name)
    count, every = PER_CLASS[making.size], _TABLE_EVERY[making.size]
    titles = draw_titles(rng, count * len(styles))
    recordings = []
    for (label, style), artists in zip(styles.items(), draw_artists(rng, len(styles), count), strict=True):
        (folder / label).mkdir(parents=True)
        for artist, numbers in groupby(range(count), key=artists.__getitem__):
            clips = list(numbers)
            if making.name == "gtzan":
                names = [f"{label}.{clip:05d}.wav" for clip in clips]
            else:
                names = [f"{artist} - {titles.pop()}.mp3" for _ in clips]
            bpm = float(rng.uniform(*style.bpm))
            plan = _plan(style, bpm, len(clips) * clip_s)
            song = Song(style.shares, plan, int(rng.integers(1 << 31)), artist, bpm, style.wanted, _DARKEST_HZ)
            paths = tuple(folder / label / name for name in names)
            recordings.append(_Recording(song, paths, label, tuple(clip % every == 0 for clip in clips)))
    return recordings


def _plan(style: Style, bpm: float, length_s: float) -> Plan:
    """So many bars that all clips fit in, and a drop behind them: the synthesiser sets all levels by it."""
    bars = math.ceil((length_s + 0.1) / (240.0 / bpm))
    half = bars // 2
    return [(style.section, half), (style.section, bars - half), ("drop", 1)]


def _render_gtzan(recording: _Recording) -> list[list[Row]]:
    """Write the clips of a recording; returns their rows for each of the tables."""
    samples = mono(render(recording.song).audio, GTZAN_RATE_HZ)
    clips = _cut(samples, len(recording.paths), GTZAN_SAMPLES)
    for path, clip in zip(recording.paths, clips, strict=True):
        sf.write(path, clip, GTZAN_RATE_HZ, subtype="PCM_16")
    listed = list(compress(zip(recording.paths, clips, strict=True), recording.tabled))
    return [
        [row for path, clip in listed for row in table_rows(clip, GTZAN_RATE_HZ, path.stem, recording.label, seconds)]
        for seconds in ROW_SECONDS
    ]


def _render_homburg(recording: _Recording) -> None:
    clips = _cut(render(recording.song).audio, len(recording.paths), HOMBURG_S * SOUND_RATE_HZ)
    for path, clip in zip(recording.paths, clips, strict=True):
        sf.write(path, clip, SOUND_RATE_HZ, format="MP3")


def _cut(samples: Sound, count: int, length: int) -> list[Sound]:
    return [np.ascontiguousarray(samples[number * length : (number + 1) * length]) for number in range(count)]
