"""The demo mix in any genre, the moments at which the benchmarks look at it, and a studio that renders them.

The studio builds a scene once and keys it again for every genre and look, as the panel does. Needs bpy and Pillow.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from housex_blender.core.bars import frame_on
from housex_blender.core.files import write_text_atomic
from housex_blender.core.genres import GENRES
from housex_blender.core.keys import KeyTrack
from housex_blender.core.timeline import Timeline, TrackSpan

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "housex_blender"
TIMELINE = ROOT / "demo_scenes" / "demo.housex.json"
MIX = ROOT / "demo_scenes" / "demo_mix.ogg"
RESULT = ROOT / "benchmarks" / "results" / "show.json"
WORK = ROOT / "build" / "show"
FPS = 24.0
SCENES = ("tunnel", "stage", "lagoon")
MOMENTS = ("break", "build", "drop")
# frames of each moment: four in a row, and the first again one beat later
IN_A_ROW = 4
# shortly after a beat, where a kick's light is there but no longer at its peak
BEAT_PART = 0.12
_INTO_DROP_BARS = 3

Bytes = NDArray[np.uint8]
Change = Callable[[dict[str, KeyTrack]], dict[str, KeyTrack]]


def demo_timeline() -> Timeline:
    """What was heard in the demo mix, without anybody's edits."""
    return replace(Timeline.load(TIMELINE), edits=())


def in_genres(timeline: Timeline, per_bar: Iterable[str]) -> Timeline:
    """The same music in other genres, one for each bar and certain, as a single track without a fade.

    Args:
        timeline: Whose grid, sections and levels stay.
        per_bar: n_bars names out of GENRES.
    """
    columns = [GENRES.index(genre) for genre in per_bar]
    probs = np.eye(len(GENRES), dtype=np.float32)[columns]
    bars = timeline.grid.n_bars
    share = tuple(float(value) for value in probs.mean(axis=0))
    track = TrackSpan(0, bars, GENRES[int(np.argmax(share))], share)
    return replace(timeline, model=replace(timeline.model, genres=GENRES), probs=probs, tracks=(track,),
                   confidence=np.ones(bars, np.float32), uncertain=np.zeros(bars, bool))  # fmt: skip


def in_genre(timeline: Timeline, genre: str) -> Timeline:
    """The same music, all of it in one genre."""
    return in_genres(timeline, [genre] * timeline.grid.n_bars)


def beat_frame(timeline: Timeline, bar: int, beat: float) -> int:
    """Frame of a beat of a bar, counted from 0; fractions lie between beats."""
    start_s, end_s = float(timeline.grid.starts_s[bar]), float(timeline.grid.ends_s[bar])
    return int(frame_on(start_s + (end_s - start_s) * beat / 4, FPS))


def moment_bars(timeline: Timeline) -> dict[str, int]:
    """Bar of each moment: the middle of the break, the last but one of the build-up after it, the fourth of the drop.

    The last bar of a build-up ends in a beat of black.
    """
    drop = timeline.drops[0].start_bar
    build = next(bar for bar in range(drop - 1, -1, -1) if timeline.section[bar - 1] != "build")
    rest = next(bar for bar in range(build - 1, -1, -1) if timeline.section[bar - 1] != "break")
    return {"break": (rest + build) // 2, "build": drop - 2, "drop": drop + _INTO_DROP_BARS}


def moment_frames(timeline: Timeline) -> dict[str, list[int]]:
    """Frames of each moment: some in a row from shortly after the second beat of its bar, and one a beat later."""
    result = {}
    for name, bar in moment_bars(timeline).items():
        first = beat_frame(timeline, bar, 1 + BEAT_PART)
        result[name] = [*range(first, first + IN_A_ROW), beat_frame(timeline, bar, 2 + BEAT_PART)]
    return result


def slug(text: str) -> str:
    """A name that may stand in a path."""
    return text.lower().replace(" ", "_")


def known_scenes(wanted: Iterable[str]) -> list[str]:
    """Those of the wanted scenes that exist; says which do not."""
    from housex_blender.scene.build import SCENE_KINDS

    result = []
    for kind in wanted:
        if kind in SCENE_KINDS:
            result.append(kind)
        else:
            print(f"There is no scene called {kind} yet: left out.")
    return result


def sources_hash(kind: str) -> str:
    """What decides how frames of a scene look: our code, presets and the timeline, without the other scenes' files."""
    others = tuple(name for name in SCENES if name != kind)
    files = [
        *(PACKAGE / "core").glob("*.py"),
        *(PACKAGE / "scene").glob("*.py"),
        *(PACKAGE / "presets").rglob("*.json"),
    ]
    files = [path for path in files if not path.name.startswith(others)]
    digest = hashlib.sha256()
    for path in [*sorted(files), TIMELINE, TIMELINE.with_suffix(".npz"), Path(__file__)]:
        digest.update(path.name.encode() + (path.read_bytes() if path.is_file() else b""))
    return digest.hexdigest()


def keep_result(name: str, result: Mapping[str, Any], *, whole: bool = True) -> None:
    """Write one command's part of the result file; the other parts stay.

    Args:
        name: Of the command.
        result: Figures of scenes that were measured in the same way as those in the file join them.
        whole: False keeps a quick look at some of it out of the file: it goes to the work folder.
    """
    path = RESULT if whole else WORK / "show-part.json"
    kept = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    old, new = kept.get(name, {}), dict(result)
    if isinstance(new.get("scenes"), dict) and all(old.get(key) == new[key] for key in ("how", "bounds", "made_with")):
        new["scenes"] = {**old["scenes"], **new["scenes"]}
    kept[name] = new
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text_atomic(path, json.dumps(dict(sorted(kept.items())), indent=1, ensure_ascii=False) + "\n")
    print(f"wrote {name} into {path.relative_to(ROOT)}")


def result_name(command: str, engine: str) -> str:
    """Name of a command's part of the result file: Cycles is what the bounds are stated for, others stand beside it."""
    return command if engine == "cycles" else f"{command}, {engine}"


def rounded(value: Any, digits: int = 4) -> Any:
    """Numbers of a result shortened, also inside lists and tables."""
    if isinstance(value, float):
        return round(value, digits)
    if isinstance(value, dict):
        return {key: rounded(one, digits) for key, one in value.items()}
    return [rounded(one, digits) for one in value] if isinstance(value, list | tuple) else value


def read_picture(path: Path) -> Bytes:
    """(h, w, 3) bytes of a PNG."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


@dataclass
class Studio:
    """A scene of a kind that is built at the first show and keyed again at every later one.

    Attributes:
        kind: Of SCENE_KINDS.
        size: Width and height in pixels.
        engine: cycles, eevee or workbench.
        quality: draft, preview or final.
        cuts: False holds the first camera for the whole mix.
        threads: Of the renderer; 0 lets Blender choose.
    """

    kind: str
    size: tuple[int, int]
    engine: str = "cycles"
    quality: str = "draft"
    cuts: bool = True
    threads: int = 0
    scene: Any = None

    def show(self, timeline: Timeline, look: Any, change: Change | None = None) -> None:
        """Key the scene to a timeline and a look.

        Args:
            timeline: What is shown.
            look: How.
            change: May replace channels, to hold the camera for instance.
        """
        from housex_blender.scene import film, output, shots
        from housex_blender.scene.bindings import rekey_show

        plan = film.FilmPlan(scene=self.kind, engine=self.engine, quality=self.quality, resolution=self.size, fps=FPS,
                             end_s=timeline.mix.duration_s)  # fmt: skip
        if self.scene is None:
            self.scene = film.make_show(timeline, look, MIX, plan).scene
        channels, cuts, _ = film.directed(timeline, look, plan)
        rekey_show(self.scene, channels if change is None else change(dict(channels)))
        # without cuts the first camera of the mix is the only one
        shots.write_cuts(self.scene, cuts if self.cuts else cuts[:1])
        output.configure(self.scene, engine=self.engine, quality=self.quality, resolution=self.size, fps=FPS)
        if self.threads:
            self.scene.render.threads_mode, self.scene.render.threads = "FIXED", self.threads

    def save(self, frame: int, path: Path) -> None:
        """Render one frame to a PNG."""
        from housex_blender.scene import output

        output.render_still(self.scene, frame, path)

    def picture(self, frame: int) -> Bytes:
        """Render one frame."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "frame.png"
            self.save(frame, path)
            return read_picture(path)
