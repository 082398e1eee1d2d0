"""Renders the frames of one job in a process of its own: ``python -m benchmarks.show_frames JOB.json``. Needs bpy.

A job names a scene and the frames wanted of each look and genre; frames that are there already are left alone.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from . import show_mix


@dataclass(frozen=True)
class Wanted:
    """Frames of one look and genre: where each picture goes and which frame it shows."""

    look: str
    genre: str
    pictures: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Job:
    """One process: a scene, how to render it and what of it."""

    kind: str
    size: tuple[int, int]
    engine: str
    quality: str
    threads: int
    wanted: tuple[Wanted, ...]

    @classmethod
    def load(cls, path: Path) -> Job:
        """The job that a file holds."""
        data = json.loads(path.read_text(encoding="utf-8"))
        wanted = tuple(
            Wanted(one["look"], one["genre"], tuple((name, frame) for name, frame in one["pictures"]))
            for one in data["wanted"]
        )
        return cls(data["kind"], tuple(data["size"]), data["engine"], data["quality"], data["threads"], wanted)


def run(job: Job) -> None:
    """Render what is missing."""
    from housex_blender.core.looks import load_look

    studio = show_mix.Studio(job.kind, job.size, job.engine, job.quality, threads=job.threads)
    timeline = show_mix.demo_timeline()
    for one in job.wanted:
        missing = [(Path(name), frame) for name, frame in one.pictures if not Path(name).is_file()]
        if not missing:
            continue
        began_s = time.perf_counter()
        studio.show(show_mix.in_genre(timeline, one.genre), load_look(one.look))
        for path, frame in missing:
            studio.save(frame, path)
        spent_s = time.perf_counter() - began_s
        print(f"{job.kind}, {one.look}, {one.genre}: {len(missing)} frames in {spent_s:.0f} s", file=sys.stderr)


def run_all(jobs: Sequence[Job], work: Path, at_once: int) -> None:
    """Run jobs in processes of their own, so many at a time.

    Raises:
        SystemExit: One of them failed; its log is named.
    """
    work.mkdir(parents=True, exist_ok=True)
    waiting = list(enumerate(jobs))
    running: list[tuple[subprocess.Popen[bytes], Path]] = []
    while waiting or running:
        while waiting and len(running) < at_once:
            number, job = waiting.pop(0)
            path, log = work / f"job{number}.json", work / f"job{number}.log"
            path.write_text(json.dumps(asdict(job)), encoding="utf-8")
            with log.open("wb") as stream:
                command = [sys.executable, "-m", "benchmarks.show_frames", str(path)]
                running.append((subprocess.Popen(command, cwd=show_mix.ROOT, stdout=stream), log))
        process, log = running.pop(0)
        if process.wait():
            for other, _ in running:
                other.terminate()
            raise SystemExit(f"Frames could not be rendered: see {log}")


def main() -> None:
    """Run the job of a file; ends without Python's clean-up, at which Blender as a module may hang."""
    run(Job.load(Path(sys.argv[1])))
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
