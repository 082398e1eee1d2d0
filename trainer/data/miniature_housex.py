"""The miniature of HouseX (arXiv 2207.11690): audio, workbooks, marked drops and pictures of bars. Zone: trainer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from openpyxl import Workbook

from housex_blender.analysis.front_ends.mel import Mel, power_to_db
from housex_blender.core.files import write_text_atomic

from ..synth.arrange import Plan
from ..synth.demo import write_audio
from ..synth.track import KEY_NAMES
from .classes import HOUSEX
from .collection import PARTS
from .miniature import Built, Making
from .miniature_songs import (
    Song,
    Sound,
    draw_signed,
    drops_of,
    generator,
    mono,
    render,
    run_all,
    uploaded_name,
)
from .miniature_studio import region_result, task
from .published import HOUSEX_BPM

PER_CLASS = {"small": 5, "medium": 24}
# of all bars, which become pictures
PICTURE_EVERY = {"small": 3, "medium": 1}
PICTURE_RATE_HZ = 22050
# one bar at 128 BPM
SLICE_SAMPLES = int(1.875 * PICTURE_RATE_HZ)
_PROJECT = 3
_REMARKS = (
    "The sub-genres are the synthesiser's recipes; in the small size every third bar has a picture.",
    "A few tracks share an artist; one tempo is written at half its value, as in two rows of the published tables.",
)


@dataclass(frozen=True)
class _Track:
    """One track before it is rendered; ``stem`` is the name of its file without ending."""

    folder: Path
    label: str
    stem: str
    song: Song
    part: str
    every: int


@dataclass(frozen=True)
class _Row:
    """What the tables say of a rendered track."""

    label: str
    stem: str
    artist: str
    key: str
    camelot: str
    bpm: int
    drop_s: tuple[float, float]
    length_s: float


def build(making: Making) -> Built:
    """Fill the folder of a miniature."""
    folder = making.folder
    for name in ("audio", "metadata", "annotations"):
        (folder / name).mkdir()
    for pictures in ("melspecgrams_all", "melspecgrams_drop"):
        for part in PARTS:
            (folder / pictures / part).mkdir(parents=True)
    rows = run_all(_render, _draw(making), making.jobs, "HouseX")
    _write_workbooks(folder / "metadata", rows)
    _write_drops(folder / "annotations" / "drops.json", rows, making.seed)
    return Built({f"audio/{row.stem}.wav": row.artist for row in rows}, _REMARKS)


def _draw(making: Making) -> list[_Track]:
    rng = generator(making.seed, "housex")
    count = PER_CLASS[making.size]
    tracks = []
    for number, (title, artist) in enumerate(draw_signed(rng, len(HOUSEX), count)):
        label = HOUSEX[number // count]
        mix = "Original Mix" if rng.random() < 0.6 else "Extended Mix"
        by = f"{artist} _ DJ {artist[::-1].title()}" if rng.random() < 0.25 else artist
        bpm = int(rng.choice(list(HOUSEX_BPM), p=np.array(list(HOUSEX_BPM.values())) / sum(HOUSEX_BPM.values())))
        song = Song({label: 1.0}, _plan(rng), int(rng.integers(1 << 31)), artist, float(bpm))
        part = _part_of(number % count, count)
        tracks.append(_Track(making.folder, label, f"{by} - {title} ({mix})", song, part, PICTURE_EVERY[making.size]))
    return tracks


def _plan(rng: np.random.Generator) -> Plan:
    """A drop of 16 bars after a few others."""
    first = [[("intro", 4), ("build", 4)], [("break", 4), ("build", 2)], [("intro", 2), ("break", 2), ("build", 4)]]
    return [*first[int(rng.integers(len(first)))], ("drop", 16), ("outro", int(rng.choice([1, 2, 4])))]


def _part_of(number: int, count: int) -> str:
    """The last sixth of a class is the test, the sixth before it the validation: tracks whose artist has no other."""
    share = max(1, count // 6)
    return "test" if number >= count - share else "val" if number >= count - 2 * share else "train"


def _render(track: _Track) -> _Row:
    """Write a track and its pictures."""
    made = render(track.song)
    write_audio(track.folder / "audio" / f"{track.stem}.wav", made.audio)
    drop_s = drops_of(made)[0]
    _write_pictures(track, mono(made.audio, PICTURE_RATE_HZ), drop_s)
    key, camelot = spelled_key(str(made.facts["key"]))
    bpm = float(made.facts["bpm"])  # type: ignore[arg-type]
    length_s = len(made.audio) / made.sample_rate_hz
    return _Row(track.label, track.stem, track.song.artist, key, camelot, round(bpm), drop_s, length_s)


def spelled_key(key: str) -> tuple[str, str]:
    """``Gb minor`` as the tables write it, and its place on the Camelot wheel: ("F# minor", "11A")."""
    name, mode = key.split()
    pitch = KEY_NAMES.index(name)
    minor = mode == "minor"
    fifths = 7 * (pitch + 3 if minor else pitch) % 12
    spelled = "F#" if name == "Gb" else name.replace("b", "♭")
    return f"{spelled} {mode}", f"{(7 + fifths) % 12 + 1}{'A' if minor else 'B'}"


class _Painter:
    """Pictures as matplotlib's default figure without axes and librosa's specshow give them; one figure for all."""

    mel = Mel(PICTURE_RATE_HZ, 128, pad_mode="reflect")

    @cached_property
    def _figure(self) -> Figure:
        figure = Figure()
        FigureCanvasAgg(figure)
        axes = figure.subplots()
        axes.axis("off")
        frames = self.mel.frames_of(SLICE_SAMPLES)
        axes.pcolormesh(
            np.arange(frames + 1), np.arange(129), np.zeros((128, frames)),
            cmap="magma", rasterized=True, edgecolors="None",
        )  # fmt: skip
        axes.set(xlim=(0, frames), ylim=(0, 128))
        return figure

    def paint(self, samples: Sound, path: Path) -> None:
        """Write the picture of one bar of (SLICE_SAMPLES,) sound as JPEG."""
        level = power_to_db(self.mel.power(samples))
        mesh = self._figure.axes[0].collections[0]
        mesh.set_array(level)
        mesh.set_clim(float(level.min()), float(level.max()))
        self._figure.savefig(path, bbox_inches="tight")


@cache
def _painter() -> _Painter:
    return _Painter()


def _write_pictures(track: _Track, samples: Sound, drop_s: tuple[float, float]) -> None:
    """The bars from the first sample on; those that touch the drop also into the other folder."""
    first, last = (int(time * PICTURE_RATE_HZ) for time in drop_s)
    for number in range(0, len(samples) // SLICE_SAMPLES, track.every):
        start = number * SLICE_SAMPLES
        name = f"{track.label.lower()}-{track.stem}-{number:03d}.jpg"
        path = track.folder / "melspecgrams_all" / track.part / name
        _painter().paint(samples[start : start + SLICE_SAMPLES], path)
        if start < last and start + SLICE_SAMPLES > first:
            (track.folder / "melspecgrams_drop" / track.part / name).write_bytes(path.read_bytes())


def _write_workbooks(folder: Path, rows: Sequence[_Row]) -> None:
    """Four tables without header: file, key, Camelot code, tempo."""
    halved = next(row.stem for row in rows if row.bpm % 2 == 0)
    for label in HOUSEX:
        book = Workbook()
        sheet = book.active
        sheet.title = "Sheet1"
        for row in rows:
            if row.label == label:
                sheet.append([f"{row.stem}.wav", row.key, row.camelot, row.bpm // (2 if row.stem == halved else 1)])
        book.save(folder / f"{label.lower().replace(' ', '_')}_meta.xlsx")


def _write_drops(path: Path, rows: Sequence[_Row], seed: int) -> None:
    """One region per track; the last one lacks what a reader can do without."""
    rng = generator(seed, "housex drops")
    tasks = []
    for number, row in enumerate(rows, 1):
        region = region_result(rng, row.drop_s[0], row.drop_s[1], row.length_s)
        if number == len(rows):
            del region["original_length"]
        tasks.append(task(rng, number, _PROJECT, uploaded_name(rng, f"{row.stem}.wav"), [region]))
    write_text_atomic(path, json.dumps(tasks, indent=1) + "\n")
