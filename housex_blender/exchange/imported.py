"""What a file of another program said. Zone: pure."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .errors import ExchangeError

Floats = NDArray[np.float64]

MAX_BEATS = 200_000
MAX_TRACKS = 10_000
MAX_MARKS = 100_000
# two days, the longest mix that a timeline holds
MAX_S = 172_800.0
# DJ programs correct for the decoder's delay, which may put the first beat just before the start
MIN_S = -0.5


@dataclass(frozen=True)
class Imported:
    """Times in seconds from the start of the mix; every list is sorted by time.

    Attributes:
        kind: Format of the file: ``rekordbox``, ``cue``, ``tracklist``, ``labels``, ``beats`` or ``lab``.
        beats_s: (n,) strictly increasing, or None if the file has no beats.
        downbeats_s: (m,) strictly increasing, or None if the file does not say where bars begin.
        tempos: (start_s, bpm, beat_in_bar); the tempo holds from a beat at start_s, whose place in the bar is 1 to 4.
        tracks: (start_s, title, performer); an unknown performer is "".
        sections: (start_s, end_s, name); where end_s equals start_s the section lasts to the end of the mix.
        cues: (time_s, name) of other marks; a name may be "".
        messages: Sentences about what was left out or assumed.

    Raises:
        ExchangeError: A time is not finite, negative or beyond 48 hours, there are too many entries, or none at all.
    """

    kind: str
    beats_s: Floats | None = None
    downbeats_s: Floats | None = None
    tempos: list[tuple[float, float, int]] = field(default_factory=list)
    tracks: list[tuple[float, str, str]] = field(default_factory=list)
    sections: list[tuple[float, float, str]] = field(default_factory=list)
    cues: list[tuple[float, str]] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name in ("beats_s", "downbeats_s"):
            values = getattr(self, name)
            if values is not None:
                _check_count(len(values), MAX_BEATS, "beats")
                object.__setattr__(self, name, np.unique(np.asarray(values, dtype=np.float64)))
        for name, limit in (
            ("tempos", MAX_BEATS),
            ("tracks", MAX_TRACKS),
            ("sections", MAX_MARKS),
            ("cues", MAX_MARKS),
        ):
            _check_count(len(getattr(self, name)), limit, name)
            # by time alone: two marks at one moment stay as they were written
            object.__setattr__(self, name, sorted(getattr(self, name), key=lambda entry: entry[0]))
        ends = [end_s for _, end_s, _ in self.sections]
        starts = [entry[0] for entries in (self.tempos, self.tracks, self.sections, self.cues) for entry in entries]
        for times in (self.beats_s, self.downbeats_s, starts, ends):
            if times is not None and len(times):
                _check_times(np.asarray(times, dtype=np.float64), MIN_S if self.kind == "rekordbox" else 0.0)
        if any(bpm < 20.0 or bpm > 1000.0 for _, bpm, _ in self.tempos):
            raise ExchangeError("A tempo in the file is not within 20 to 1000 beats per minute.", "Correct the grid.")
        found = (self.beats_s, self.downbeats_s, self.tempos, self.tracks, self.sections, self.cues)
        if not any(values is not None and len(values) for values in found):
            raise ExchangeError("The file holds no beats, tracks, sections or cues.", "Choose another file.")


def _check_count(count: int, limit: int, what: str) -> None:
    if count > limit:
        raise ExchangeError(f"The file holds {count} {what}, more than {limit}.", "Choose the file of one mix.")


def _check_times(times_s: Floats, least_s: float) -> None:
    # negated, so that nan fails
    wrong = ~((times_s >= least_s) & (times_s <= MAX_S))
    if wrong.any():
        raise ExchangeError(
            f"The file names the time {times_s[wrong][0]:g} s.", "Times lie between 0 and 48 hours; correct the file."
        )
