"""The timeline of a mix and its file ``*.housex.json``: the only seam between hearing and showing. Zone: pure."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .bars import BarGrid
from .edit_rules import SECTIONS as SECTIONS
from .errors import TimelineError
from .files import replacing, sha256_of, write_text_atomic
from .timeline_file import SCHEMA, dump, read_checked, read_levels, rounded

ENVELOPE_NAMES = ("sub", "bass", "mid", "high", "kick", "loudness")
GRID_SOURCES = ("heard", "ruler", "imported", "edited")
MAX_FILL_BEATS = 4
_AGAIN = "Analyze the mix again."


@dataclass(frozen=True)
class MixInfo:
    """Which recording the timeline belongs to."""

    file: str
    sha256: str
    duration_s: float
    sample_rate_hz: int
    channels: int


@dataclass(frozen=True)
class ModelInfo:
    """Which network heard it."""

    name: str
    sha256: str
    genres: tuple[str, ...]
    trained_on: str


@dataclass(frozen=True)
class Span:
    """A run of bars; ``end_bar`` is exclusive."""

    start_bar: int
    end_bar: int


@dataclass(frozen=True)
class TrackSpan(Span):
    """One record inside the mix; ``start_bar`` is where it takes over from the one before.

    Attributes:
        label: Its sub-genre.
        probs: (G,) its share of each genre.
        title: Its name, if a tracklist gave one.
        fade_in_bar: First bar in which it is heard, at or before ``start_bar``; None if that is not known.
        fade_out_bar: Bar, exclusive, at which it is last heard; may lie after ``end_bar``.
        traits: What it sounds like, in one sentence; empty if that is not known.
    """

    label: str
    probs: tuple[float, ...]
    title: str = ""
    fade_in_bar: int | None = None
    fade_out_bar: int | None = None
    traits: str = ""


@dataclass(frozen=True)
class DropSpan(Span):
    """A drop.

    Attributes:
        build_bar: First bar of the build-up that leads to it; None if there is none.
        fill_beats: How many beats right before it have no kick, 0 to 4.
    """

    build_bar: int | None = None
    fill_beats: int = 0


@dataclass(frozen=True)
class Envelopes:
    """Levels at a constant rate.

    Attributes:
        values: (m, n_names) float32 in 0..1; row i is at i / rate_hz seconds.
        rate_hz: Rows per second.
        names: Column names.
    """

    values: NDArray[np.float32]
    rate_hz: float = 100.0
    names: tuple[str, ...] = ENVELOPE_NAMES

    def column(self, name: str) -> NDArray[np.float32]:
        """(m,) levels of one name; zeros if it is not there."""
        if name not in self.names:
            return np.zeros(len(self.values), np.float32)
        return self.values[:, self.names.index(name)]

    @property
    def times_s(self) -> NDArray[np.float64]:
        """(m,) time of each row in seconds."""
        return np.arange(len(self.values)) / self.rate_hz


@dataclass(frozen=True)
class Timeline:
    """What was heard, bar by bar.

    Attributes:
        mix: The recording.
        model: The network; ``model.genres`` names the columns of ``probs``.
        grid: Beats and bars.
        probs: (n_bars, G) genre probabilities; rows sum to 1.
        confidence: (n_bars,) 0..1.
        uncertain: (n_bars,) True where the label should not be trusted.
        energy: (n_bars,) 0..1.
        section: n_bars names out of SECTIONS.
        tracks: Records in the mix, in order, covering every bar.
        drops: Drops, in order.
        envelopes: Levels at 100 Hz.
        grid_confidence: 0..1, and ``grid_message`` says why it is low.
        grid_source: Where the grid is from: one of GRID_SOURCES; a ruler is what stands in where no beat is heard.
        attributes: Name -> (n_bars,) further things heard, such as those of :mod:`core.attributes`.
        edits: What people changed by hand, as written in the file.
        by_hand: (n_bars,) which bars have their genre from an edit that was applied; None for none. Not in the file.
        warnings: Sentences about the recording.
        slicing: ``bars`` or, for the fixed windows of the first HouseX paper, ``housex``.
    """

    mix: MixInfo
    model: ModelInfo
    grid: BarGrid
    probs: NDArray[np.float32]
    confidence: NDArray[np.float32]
    uncertain: NDArray[np.bool_]
    energy: NDArray[np.float32]
    section: tuple[str, ...]
    tracks: tuple[TrackSpan, ...]
    drops: tuple[DropSpan, ...]
    envelopes: Envelopes
    generator: str = ""
    grid_confidence: float = 1.0
    grid_message: str = ""
    grid_source: str = "heard"
    attributes: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    edits: tuple[dict[str, Any], ...] = ()
    warnings: tuple[str, ...] = ()
    slicing: str = "bars"
    by_hand: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        bars, genres = self.grid.n_bars, len(self.model.genres)
        if np.shape(self.probs) != (bars, genres):
            raise TimelineError(f"The timeline has {np.shape(self.probs)} probabilities for {bars} bars.", _AGAIN)
        for name in ("confidence", "uncertain", "energy", "section", *self.attributes):
            column = self.attributes[name] if name in self.attributes else getattr(self, name)
            if len(column) != bars:
                raise TimelineError(
                    f"The timeline's column {name!r} has {len(column)} entries for {bars} bars.", _AGAIN
                )
        if abs(float(self.grid.ends_s[-1]) - self.mix.duration_s) > 60.0:
            raise TimelineError("The timeline's bars do not reach to the end of its mix.", _AGAIN)
        sums = np.asarray(self.probs, dtype=np.float64).sum(axis=1)
        if np.any(np.abs(sums - 1.0) > 0.01):
            raise TimelineError(
                f"The probabilities of bar {int(np.argmax(np.abs(sums - 1))) + 1} do not sum to 1.", _AGAIN
            )
        # a plain span is a drop of which no more is known
        drops = tuple(d if isinstance(d, DropSpan) else DropSpan(d.start_bar, d.end_bar) for d in self.drops)
        object.__setattr__(self, "drops", drops)
        for span in (*self.tracks, *self.drops):
            if not 0 <= span.start_bar < span.end_bar <= bars:
                raise TimelineError(f"The timeline names bars {span.start_bar} to {span.end_bar} of {bars}.", _AGAIN)
        for track in self.tracks:
            first = track.start_bar if track.fade_in_bar is None else track.fade_in_bar
            last = track.end_bar if track.fade_out_bar is None else track.fade_out_bar
            if not (0 <= first <= track.start_bar < last <= bars):
                raise TimelineError(f"The timeline fades a track from bar {first} to {last} of {bars}.", _AGAIN)
        for drop in self.drops:
            if drop.build_bar is not None and not 0 <= drop.build_bar < drop.start_bar:
                raise TimelineError(f"The timeline's drop at bar {drop.start_bar} has its build-up after it.", _AGAIN)
            if not 0 <= drop.fill_beats <= MAX_FILL_BEATS:
                raise TimelineError(f"The timeline's drop has a fill of {drop.fill_beats} beats.", _AGAIN)

    @property
    def labels(self) -> list[str]:
        """n_bars most probable genres."""
        return [self.model.genres[index] for index in np.argmax(self.probs, axis=1)]

    def share(self) -> dict[str, float]:
        """Genre -> its part of the mix's time, by probability; largest first."""
        lengths_s = self.grid.ends_s - self.grid.starts_s
        parts = (self.probs * lengths_s[:, None]).sum(axis=0) / lengths_s.sum()
        order = np.argsort(-parts)
        return {self.model.genres[index]: float(parts[index]) for index in order}

    # -- file ------------------------------------------------------------------------------------------------

    def to_dict(self, envelope_file: str) -> dict[str, Any]:
        """The content of the JSON file."""
        grid = self.grid
        return {
            "schema": SCHEMA,
            "generator": self.generator,
            "mix": vars(self.mix).copy(),
            "model": {**vars(self.model), "genres": list(self.model.genres)},
            "grid": {
                "beats_s": rounded(grid.beats_s, 5),
                "downbeats_s": rounded(grid.starts_s, 5),
                "bpm": rounded(grid.bpm, 3),
                "confidence": round(self.grid_confidence, 3),
                "message": self.grid_message,
                "source": self.grid_source,
            },
            "bars": {
                "start_s": rounded(grid.starts_s, 5),
                "end_s": rounded(grid.ends_s, 5),
                "probs": [rounded(row, 4) for row in self.probs],
                "label": self.labels,
                "confidence": rounded(self.confidence, 3),
                "uncertain": [bool(flag) for flag in self.uncertain],
                "energy": rounded(self.energy, 3),
                "attributes": {name: rounded(column, 3) for name, column in self.attributes.items()},
                "section": list(self.section),
            },
            "tracks": [{**_said(t), "probs": rounded(t.probs, 4)} for t in self.tracks],
            "drops": [_said(d) for d in self.drops],
            "envelopes": {
                "file": envelope_file,
                "rate_hz": self.envelopes.rate_hz,
                "names": list(self.envelopes.names),
            },
            "edits": list(self.edits),
            "warnings": list(self.warnings),
            "slicing": self.slicing,
        }

    def save(self, path: Path) -> None:
        """Write ``path`` and the envelopes beside it; each appears whole or not at all.

        Raises:
            TimelineError: The folder does not exist or cannot be written.
        """
        path = Path(path)
        envelope_path = envelope_path_of(path)
        try:
            # both are complete before either takes its name: a full disk must not leave a new half of an old pair
            with replacing(path) as text_file, replacing(envelope_path) as temporary:
                with open(temporary, "wb") as stream:
                    np.savez_compressed(stream, values=self.envelopes.values.astype(np.float16))
                text = dump(self.to_dict(envelope_path.name))
                text_file.write_text(text, encoding="utf-8", errors="replace", newline="\n")
        except OSError as error:
            raise TimelineError(
                f"{path} cannot be written: {error.strerror or error}.", "Choose a folder that exists and has room."
            ) from error

    def save_text(self, path: Path) -> None:
        """Write the text alone, after edits: the envelopes beside ``path`` are there already.

        Raises:
            TimelineError: It cannot be written; the file is as it was then.
        """
        try:
            write_text_atomic(Path(path), dump(self.to_dict(envelope_path_of(Path(path)).name)))
        except OSError as error:
            raise TimelineError(
                f"{path} cannot be written: {error.strerror or error}.", "Choose a folder that has room."
            ) from error

    @classmethod
    def load(cls, path: Path) -> Timeline:
        """Read and check a timeline.

        Raises:
            TimelineError: It is missing, cut off, of another schema, inconsistent, or its envelopes are missing.
        """
        path = Path(path)
        data = read_checked(path)
        try:
            return _from_dict(data, path)
        except (ValueError, TypeError, OverflowError, IndexError) as error:
            raise TimelineError(f"{path.name} is damaged: {error}.", "Analyze the mix again.") from error

    def check_mix(self, mix_path: Path) -> None:
        """Refuse a recording that is not the one analysed.

        Raises:
            TimelineError: The content differs.
        """
        try:
            same = sha256_of(mix_path) == self.mix.sha256
        except OSError as error:
            raise TimelineError(
                f"{mix_path} cannot be read: {error.strerror or error}.", "Name an audio file."
            ) from error
        if not same:
            raise TimelineError(
                f"The timeline belongs to another mix ({self.mix.file}, {self.mix.duration_s:.1f} s).",
                f"Analyze {Path(mix_path).name} again, or name the mix that was analyzed.",
            )


def envelope_path_of(path: Path) -> Path:
    """``mix.housex.npz`` for ``mix.housex.json``."""
    return path.with_name(path.name.removesuffix(".json") + ".npz")


def _said(span: Span) -> dict[str, Any]:
    """Fields of a span, without those that say nothing."""
    silent = {item.name: item.default for item in fields(span)}
    return {key: value for key, value in vars(span).items() if value != silent[key]}


def _bar_or_none(value: Any) -> int | None:
    return None if value is None else int(value)


def _from_dict(data: dict[str, Any], path: Path) -> Timeline:
    grid, bars, model = data["grid"], data["bars"], data["model"]
    genres = tuple(model["genres"])
    if any(len(row) != len(genres) for row in bars["probs"]):
        raise TimelineError(f"{path.name} does not have {len(genres)} probabilities in every bar.")
    probs = np.asarray(bars["probs"], dtype=np.float32)
    levels = data["envelopes"]
    timeline = Timeline(
        mix=MixInfo(**{key: data["mix"][key] for key in MixInfo.__dataclass_fields__}),
        model=ModelInfo(model["name"], model["sha256"], genres, model["trained_on"]),
        grid=BarGrid(
            np.array(grid["beats_s"], float),
            np.array(bars["start_s"], float),
            np.array(bars["end_s"], float),
            np.array(grid["bpm"], float),
        ),
        probs=probs,
        confidence=np.asarray(bars["confidence"], dtype=np.float32),
        uncertain=np.asarray(bars["uncertain"], dtype=bool),
        energy=np.asarray(bars["energy"], dtype=np.float32),
        section=tuple(bars["section"]),
        tracks=tuple(
            TrackSpan(
                int(t["start_bar"]),
                int(t["end_bar"]),
                t["label"],
                tuple(t["probs"]),
                t.get("title", ""),
                _bar_or_none(t.get("fade_in_bar")),
                _bar_or_none(t.get("fade_out_bar")),
                t.get("traits", ""),
            )
            for t in data["tracks"]
        ),
        drops=tuple(
            DropSpan(
                int(d["start_bar"]), int(d["end_bar"]), _bar_or_none(d.get("build_bar")), int(d.get("fill_beats", 0))
            )
            for d in data["drops"]
        ),
        envelopes=Envelopes(
            read_levels(
                path.with_name(Path(levels["file"]).name),
                len(levels["names"]),
                float(levels["rate_hz"]),
                float(data["mix"]["duration_s"]),
            ),
            float(levels["rate_hz"]),
            tuple(levels["names"]),
        ),
        generator=data["generator"],
        grid_confidence=float(grid.get("confidence", 1.0)),
        grid_message=str(grid.get("message", "")),
        grid_source=str(grid.get("source", "heard")),
        attributes={k: np.asarray(v, dtype=np.float32) for k, v in bars.get("attributes", {}).items()},
        edits=tuple(data["edits"]),
        warnings=tuple(data.get("warnings", ())),
        slicing=data.get("slicing", "bars"),
    )
    edges = [0, *(track.end_bar for track in timeline.tracks)]
    if [track.start_bar for track in timeline.tracks] != edges[:-1] or edges[-1] != timeline.grid.n_bars:
        raise TimelineError(
            f"The tracks of {path.name} do not follow one another over all bars.", "Analyze the mix again."
        )
    return timeline
