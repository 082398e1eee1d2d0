"""A track or a mix as sound with everything that is known about it: what every generator hands out. Zone: trainer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from housex_blender.core.attributes import ATTRIBUTES
from housex_blender.core.genres import GENRES

# sections as small numbers, for figures per section
SECTION_NAMES = ("intro", "build", "drop", "break", "outro")


@dataclass(frozen=True)
class Labelled:
    """Sound and truth, bar by bar.

    Attributes:
        audio: (n_samples, 2) float32, peak at most 1.
        sample_rate_hz: Of the audio.
        beats_s: (4 * n_bars + 1,) times of all beats in the audio; the last is the end of the last bar.
        sections: (n_bars,) each of SECTION_NAMES.
        probs: (n_bars, 9) share of each of GENRES, rows sum to 1; one row repeated for a single track.
        attributes: (n_bars, 7) in the order of ATTRIBUTES; NaN where nothing sounds that could have it.
        track: (n_bars,) which track of a mix the bar belongs to; all 0 for a single track.
        crossfade: (n_bars,) True where two tracks sound at once.
        facts: Anything else worth writing down: seed, key, voices, tempo.
    """

    audio: NDArray[np.float32]
    sample_rate_hz: int
    beats_s: NDArray[np.float64]
    sections: tuple[str, ...]
    probs: NDArray[np.float32]
    attributes: NDArray[np.float32]
    track: NDArray[np.int64]
    crossfade: NDArray[np.bool_]
    facts: dict[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raises ValueError where the columns do not fit each other."""
        bars = len(self.sections)
        shapes = {
            "beats_s": (self.beats_s.shape, (4 * bars + 1,)),
            "probs": (self.probs.shape, (bars, len(GENRES))),
            "attributes": (self.attributes.shape, (bars, len(ATTRIBUTES))),
            "track": (self.track.shape, (bars,)),
            "crossfade": (self.crossfade.shape, (bars,)),
        }
        for name, (found, wanted) in shapes.items():
            if found != wanted:
                raise ValueError(f"{name} has shape {found}, {bars} bars need {wanted}")

    @classmethod
    def single(
        cls, audio: NDArray[np.float32], sample_rate_hz: int, beats_s: NDArray[np.float64], sections: Sequence[str],
        shares: Mapping[str, float], attributes: NDArray[np.float32], facts: dict[str, object],
    ) -> Labelled:  # fmt: skip
        """One track: ``shares`` of GENRES hold for all its bars, those not named are 0."""
        bars = len(sections)
        row = np.array([shares.get(genre, 0.0) for genre in GENRES], dtype=np.float32)
        return cls(audio, sample_rate_hz, beats_s, tuple(sections), np.tile(row, (bars, 1)), attributes,
                   np.zeros(bars, dtype=np.int64), np.zeros(bars, dtype=np.bool_), facts)  # fmt: skip

    @property
    def n_bars(self) -> int:
        """Number of bars."""
        return len(self.sections)

    @property
    def starts_s(self) -> NDArray[np.float64]:
        """(n_bars,) start of each bar."""
        return self.beats_s[:-1:4]

    @property
    def ends_s(self) -> NDArray[np.float64]:
        """(n_bars,) end of each bar."""
        return self.beats_s[4::4]
