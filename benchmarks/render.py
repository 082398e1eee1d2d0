"""Seconds per frame of the tunnel for each quality and engine on this machine; writes benchmarks/results/render.json.

Frames follow one another in one process, as in a film; the first, which loads everything, is given apart. Needs bpy.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from housex_blender.core.looks import Look
from housex_blender.core.timeline import Timeline
from housex_blender.scene import film, output

RESULTS = Path(__file__).parent / "results" / "render.json"
ROOT = Path(__file__).resolve().parents[1]
# (engine, quality, width, height, frames)
CASES = (
    ("cycles", "draft", 480, 270, 16),
    ("cycles", "preview", 640, 360, 3),
    ("eevee", "draft", 480, 270, 2),
    ("workbench", "draft", 480, 270, 16),
)


def main() -> None:
    """Render around the first drop of a timeline and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("timeline", type=Path, help="timeline of the demo mix, for example out/demo.housex.json")
    parser.add_argument("--final", action="store_true", help="also one final frame in full HD: minutes without a GPU")
    arguments = parser.parse_args()
    cases = (*CASES, ("cycles", "final", 1920, 1080, 1)) if arguments.final else CASES
    timeline = Timeline.load(arguments.timeline)
    plan = film.FilmPlan(end_s=timeline.mix.duration_s)
    show = film.make_show(timeline, Look(), ROOT / "demo_scenes" / "demo_mix.ogg", plan)
    start = int(float(timeline.grid.starts_s[timeline.drops[0].start_bar]) * plan.fps)
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        for engine, quality, width, height, count in cases:
            output.configure(show.scene, engine=engine, quality=quality, resolution=(width, height), fps=plan.fps)
            spent_s = []
            for frame in range(start, start + count + 1):
                began_s = time.perf_counter()
                output.render_still(show.scene, frame, Path(folder) / "frame.png")
                spent_s.append(time.perf_counter() - began_s)
            later_s = round(statistics.median(spent_s[1:]), 2)
            rows.append({"engine": engine, "quality": quality, "size": f"{width}x{height}", "frames": count,
                         "first_s": round(spent_s[0], 2), "later_median_s": later_s})  # fmt: skip
            print(rows[-1], file=sys.stderr)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps({"cores": os.cpu_count(), "rows": rows}, indent=2) + "\n")


if __name__ == "__main__":
    main()
