"""The whole job on the demo mix: analysis, picture of the timeline, tunnel, stills, film with sound.

Runs render_mix.py twice, as a user would: once to hear, once to show at the moments that were heard.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from housex_blender.core.timeline import Timeline  # noqa: E402

FILM_S = 12.0
BEFORE_DROP_BARS = 2
# where in a drop its look is fully there
STILL_BAR, STILL_BEAT_PART = 3, 0.12


def still_moments(timeline: Timeline) -> list[float]:
    """One moment per track: shortly after a kick inside its first drop, or in its loudest bar."""
    moments = []
    for track in timeline.tracks:
        drop = next((d for d in timeline.drops if track.start_bar <= d.start_bar < track.end_bar), None)
        bars = range(track.start_bar, track.end_bar)
        bar = (
            min(drop.start_bar + STILL_BAR, track.end_bar - 1) if drop else max(bars, key=lambda b: timeline.energy[b])
        )
        beat_s = float(timeline.grid.ends_s[bar] - timeline.grid.starts_s[bar]) / 4
        moments.append(float(timeline.grid.starts_s[bar]) + STILL_BEAT_PART * beat_s)
    return moments


def film_span(timeline: Timeline) -> tuple[float, float]:
    """Start and end of the film in seconds: the last bars of a build-up, then its drop."""
    starts_s = timeline.grid.starts_s
    bar = max(timeline.drops[0].start_bar - BEFORE_DROP_BARS, 0) if timeline.drops else timeline.grid.n_bars // 2
    start_s = min(float(starts_s[bar]), max(timeline.mix.duration_s - FILM_S, 0.0))
    return start_s, min(start_s + FILM_S, timeline.mix.duration_s)


def call(*arguments: str) -> None:
    """Run render_mix.py; a failure ends the demo with its exit code."""
    done = subprocess.run([sys.executable, str(ROOT / "render_mix.py"), *arguments], cwd=ROOT)
    if done.returncode:
        raise SystemExit(done.returncode)


def main(argv: Sequence[str] | None = None) -> int:
    """Leave demo.housex.json, demo.png, demo.blend, stills/*.png and demo.mp4 in the output folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mix", type=Path, default=ROOT / "demo_scenes" / "demo_mix.ogg")
    parser.add_argument("--out", type=Path, default=ROOT / "out")
    parser.add_argument("--quality", default="draft")
    arguments = parser.parse_args(argv)
    began_s = time.monotonic()
    out = arguments.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    mix, timeline_path = str(arguments.mix.resolve()), out / "demo.housex.json"
    call(mix, "--no-render", "--save-timeline", str(timeline_path), "--plot", str(out / "demo.png"))
    timeline = Timeline.load(timeline_path)
    start_s, end_s = film_span(timeline)
    for old in (out / "stills").glob("*.png"):
        old.unlink()
    call(mix, "--timeline", str(timeline_path), "--blend", str(out / "demo.blend"), "-o", str(out / "demo.mp4"),
         "--quality", arguments.quality, "--start", f"{start_s:.4f}", "--end", f"{end_s:.4f}",
         "--still", *(f"{moment_s:.3f}" for moment_s in still_moments(timeline)))  # fmt: skip
    print(f"Done in {(time.monotonic() - began_s) / 60:.1f} minutes: see {out}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
