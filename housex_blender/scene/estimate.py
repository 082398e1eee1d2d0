"""How long a film will take and how large it will be, from three of its frames. Zone: bpy."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..core.bars import frame_on
from ..core.errors import Cancelled
from ..core.film_moments import estimate_moments
from ..core.film_options import is_video
from ..core.screen import spoken_duration
from . import output
from .encode import encode_film
from .film import Show
from .pictures import frame_path

# What a frame of H.264 takes among others, of what it takes alone: measured. By which factor films differ from that.
_H264_SHARES, _H264_SPREAD = {"build": 0.56, "drop": 0.67}, 1.8
_H264_CALM = 0.42
# So many frames say how long encoding takes.
_TEST_FRAMES = 24
_PICTURE_SPREAD = 1.3
_SOUND_BYTES_PER_S = 256_000 / 8
# Time: what one frame of each kind leaves open, and what their differences add.
_TIME_OPEN, _TIME_PER_SPREAD = 0.15, 0.25


@dataclass(frozen=True)
class Estimate:
    """What a film will cost.

    Attributes:
        frame_s: (section, seconds for one frame, share of the film) of each kind of section.
        first_s: Seconds that the first frame takes longer than later ones.
        n_frames: Frames of the film.
        seconds: Of rendering and encoding everything.
        seconds_off: By how many seconds that may be wrong.
        size_mb: Of the film, or of all pictures.
        size_factor: By which factor that may be wrong either way.
    """

    frame_s: tuple[tuple[str, float, float], ...]
    first_s: float
    n_frames: int
    seconds: float
    seconds_off: float
    size_mb: float
    size_factor: float

    @property
    def sentences(self) -> list[str]:
        """For the report."""
        each = ", ".join(f"{section} {frame_s:.2f} s ({share:.0%})" for section, frame_s, share in self.frame_s)
        low, high = self.size_mb / self.size_factor, self.size_mb * self.size_factor
        return [
            f"Seconds per frame: {each}; the first frame {self.first_s:.1f} s more.",
            f"{self.n_frames} frames will take about {spoken_duration(self.seconds)}, "
            f"give or take {spoken_duration(self.seconds_off)}, on this machine as busy as it is now.",
            f"They will take about {_spoken_mb(self.size_mb)}: {_spoken_mb(low)} to {_spoken_mb(high)}.",
        ]


def _spoken_mb(megabytes: float) -> str:
    return f"{megabytes / 1000:.1f} GB" if megabytes >= 1000 else f"{megabytes:.{1 if megabytes < 10 else 0}f} MB"


def estimate_film(show: Show, film: Path, should_stop: Callable[[], bool] = lambda: False) -> Estimate:
    """Render a break, a build-up and a drop of the film, and encode them if ``film`` names a video.

    Everything lies in a folder that is gone afterwards.

    Raises:
        SceneError: A frame cannot be rendered or encoded.
        Cancelled: ``should_stop`` said so.
    """
    plan = show.plan
    moments = estimate_moments(show.timeline, plan.start_s, plan.end_s)
    spent_s: list[float] = []
    with tempfile.TemporaryDirectory(prefix="housex_", ignore_cleanup_errors=True) as room:
        folder = Path(room)
        # the first one again: what comes first also loads the scene
        for number, moment in enumerate([moments[0][0], *(moment for moment, _ in moments)]):
            if should_stop():
                raise Cancelled()
            began_s = time.perf_counter()
            output.render_still(show.scene, int(frame_on(moment.time_s, plan.fps)), folder / f"{number}.png")
            spent_s.append(time.perf_counter() - began_s)
        pictures = [folder / f"{number}.png" for number in range(1, len(moments) + 1)]
        shares = [share for _, share in moments]
        frame_bytes = sum(path.stat().st_size * share for path, share in zip(pictures, shares, strict=True))
        factor, encode_s = _PICTURE_SPREAD, 0.0
        if is_video(film):
            alone_bytes, encode_s = _encoded(show, pictures, folder, film.suffix, should_stop)
            parts = [1.0 if plan.alpha else _H264_SHARES.get(moment.section, _H264_CALM) for moment, _ in moments]
            frame_bytes = sum(size * part * share for size, part, share in zip(alone_bytes, parts, shares, strict=True))
            factor = _PICTURE_SPREAD if plan.alpha else _H264_SPREAD
            frame_bytes += 0.0 if plan.loop else _SOUND_BYTES_PER_S / plan.fps
    kinds = tuple(
        (moment.section, frame_s, share) for frame_s, (moment, share) in zip(spent_s[1:], moments, strict=True)
    )
    return summed(kinds, max(spent_s[0] - spent_s[1], 0.0), encode_s, len(plan.frames), frame_bytes, factor)


def summed(
    kinds: tuple[tuple[str, float, float], ...],
    first_s: float,
    encode_s: float,
    n_frames: int,
    frame_bytes: float,
    factor: float,
) -> Estimate:
    """The whole film's cost from that of single frames.

    Args:
        kinds: (section, seconds for one frame, share of the film); shares sum to 1.
        first_s: Seconds that the first frame takes longer.
        encode_s: Seconds for encoding one frame.
        n_frames: Frames of the film.
        frame_bytes: Mean bytes of a frame.
        factor: By which factor that may be wrong.
    """
    mean_s = sum(frame_s * share for _, frame_s, share in kinds)
    spread = (max(frame_s for _, frame_s, _ in kinds) - min(frame_s for _, frame_s, _ in kinds)) / max(mean_s, 1e-9)
    seconds = first_s + n_frames * (mean_s + encode_s)
    off_s = seconds * min(_TIME_OPEN + _TIME_PER_SPREAD * spread, 0.9)
    return Estimate(kinds, first_s, n_frames, seconds, off_s, n_frames * frame_bytes / 1e6, factor)


def _encoded(
    show: Show, pictures: list[Path], folder: Path, ending: str, should_stop: Callable[[], bool]
) -> tuple[list[int], float]:
    """Bytes of each picture as a film of its own, and seconds for encoding one of many frames."""
    for number in range(_TEST_FRAMES):
        shutil.copyfile(pictures[number % len(pictures)], frame_path(folder, number + 1))
    film = folder / f"film{ending}"

    def encode(first: int, count: int) -> int:
        encode_film(
            folder, first, count, show.plan.fps, None, 0.0, film, should_stop=should_stop, alpha=show.plan.alpha
        )
        return film.stat().st_size

    alone_bytes = [encode(number + 1, 1) for number in range(len(pictures))]
    began_s = time.perf_counter()
    encode(1, _TEST_FRAMES)
    return alone_bytes, (time.perf_counter() - began_s) / _TEST_FRAMES
