"""render_mix.py as a process: films, stills, resuming, interrupting, and its exit codes."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from housex_blender.core.channels import compile_show
from housex_blender.core.looks import Look
from housex_blender.core.timeline import Timeline

from .conftest import ROOT

pytest.importorskip("bpy")
SMALL = ("--resolution", "160x90", "--engine", "workbench")


def command(*arguments: object) -> list[str]:
    return [sys.executable, str(ROOT / "render_mix.py"), *map(str, arguments)]


def run(*arguments: object, cwd: Path | None = None) -> tuple[int, str]:
    """Exit code and stderr."""
    done = subprocess.run(command(*arguments), cwd=cwd, capture_output=True, text=True, timeout=300)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stderr


@pytest.fixture(scope="module")
def analysed(demo_mix: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo mix's timeline, made by render_mix.py itself."""
    folder = tmp_path_factory.mktemp("analysed")
    code, said = run(
        demo_mix, "--no-render", "--save-timeline", folder / "demo.housex.json", "--plot", folder / "demo.png"
    )
    assert code == 0, said
    assert sorted(p.name for p in folder.iterdir()) == ["demo.housex.json", "demo.housex.npz", "demo.png"]
    return folder / "demo.housex.json"


def probe(film: Path) -> dict[str, dict[str, str]]:
    """Codec type -> stream facts by ffprobe."""
    done = subprocess.run(
        ["ffprobe", "-v", "error", "-show_streams", "-of", "json", film], capture_output=True, check=True
    )
    return {stream["codec_type"]: stream for stream in json.loads(done.stdout)["streams"]}


def sound(film: Path, start_s: float = 0.0) -> np.ndarray:
    """(n,) mono samples at 22 050 Hz, as a player hears them from ``start_s`` on."""
    seek = ["-ss", f"{start_s:.6f}"] if start_s else []
    done = subprocess.run(["ffmpeg", "-v", "error", *seek, "-i", film, "-f", "f32le", "-ac", "1", "-ar", "22050", "-"],
                          capture_output=True, check=True)  # fmt: skip
    return np.frombuffer(done.stdout, np.float32)


@pytest.mark.skipif(not shutil.which("ffprobe"), reason="needs ffmpeg")
def test_a_film_has_pictures_and_sound_in_sync(analysed: Path, demo_mix: Path, tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    timeline = Timeline.load(analysed)
    start_bar = timeline.drops[1].start_bar
    code, said = run(demo_mix, "--timeline", analysed, "-o", film, *SMALL, "--start", f"b{start_bar + 1}",
                     "--end", float(timeline.grid.starts_s[start_bar]) + 3.0, "--fps", "24")  # fmt: skip
    assert code == 0, said
    assert "left" in said or "100 %" in said
    streams = probe(film)
    assert streams["video"]["codec_name"] == "h264"
    assert streams["audio"]["codec_name"] == "aac"
    assert int(streams["video"]["nb_frames"]) == pytest.approx(72, abs=1)
    assert float(streams["audio"]["duration"]) == pytest.approx(3.0, abs=0.1)
    # the film's sound is the mix from the film's first frame on, to the millisecond
    first_frame = np.floor(float(timeline.grid.starts_s[start_bar]) * 24 + 1.5)
    film_start_s = (first_frame - 1) / 24
    heard, wanted = sound(film), sound(demo_mix, film_start_s)
    length = min(len(heard), 22050 * 2)
    spectrum = np.fft.rfft(heard[:length], 2 * length) * np.conj(np.fft.rfft(wanted[:length], 2 * length))
    lag = int(np.argmax(np.fft.irfft(spectrum)))
    lag_s = (lag - 2 * length if lag > length else lag) / 22050
    assert abs(lag_s) < 0.005, f"the sound is {lag_s:.3f} s late"
    # and the kick channel peaks within one frame of every kick that was really played
    truth = json.loads(demo_mix.with_name("demo_mix.truth.json").read_text())
    kicks_s = np.array([b for b in truth["beats_s"] if film_start_s + 0.1 < b < film_start_s + 2.9])
    track = compile_show(timeline, Look(), 24.0)["kick"]
    frames = np.arange(first_frame, first_frame + 72)
    level = track.at(frames)[:, 0]
    peaks = [i for i in range(1, 71) if level[i] > 0.6 and level[i] >= level[i - 1] and level[i] > level[i + 1]]
    lights_s = film_start_s + np.array(peaks) / 24
    assert len(kicks_s) >= 5
    assert np.abs(kicks_s[:, None] - lights_s).min(axis=1).max() <= 1 / 24
    assert not (tmp_path / "film.frames").exists()


def test_an_interrupted_film_resumes_without_rendering_twice(analysed: Path, demo_mix: Path, tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    frames = tmp_path / "film.frames"
    arguments = (demo_mix, "--timeline", analysed, "-o", film, *SMALL, "--start", "60", "--end", "62")
    process = subprocess.Popen(command(*arguments), stderr=subprocess.PIPE, text=True)
    while len(list(frames.glob("frame_*.png"))) < 5:
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not film.exists()
    done = {path.name: path.stat().st_mtime_ns for path in frames.glob("frame_*.png")}
    assert 5 <= len(done) < 48
    assert run(*arguments, "--resume", "--palette", "clear")[0] == 1, "frames of another look are not mixed in"
    assert not (frames / ".lock").exists()
    # a frame that was half written when the power went must be rendered again
    spoiled = sorted(frames.glob("frame_*.png"))[1]
    spoiled.write_bytes(spoiled.read_bytes()[:200])
    kept = {name: when for name, when in done.items() if name != spoiled.name}
    # and those that were whole are not counted as rendered
    watcher = subprocess.Popen(command(*arguments, "--resume"), stderr=subprocess.PIPE, text=True)
    last: dict[str, int] = {}
    while watcher.poll() is None:
        for path in frames.glob("frame_*.png"):
            with contextlib.suppress(FileNotFoundError):
                last[path.name] = path.stat().st_mtime_ns
        time.sleep(0.02)
    assert watcher.returncode == 0
    assert watcher.stderr is not None
    said = watcher.stderr.read()
    assert f"Rendered {48 - len(kept)} frames" in said
    assert f"{len(kept)} were there already" in said
    assert film.exists()
    assert {name: last[name] for name in kept} == kept
    assert last[spoiled.name] != done[spoiled.name]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_while_rendering(analysed: Path, demo_mix: Path, tmp_path: Path, number: signal.Signals) -> None:
    film = tmp_path / "film.mp4"
    process = subprocess.Popen(command(demo_mix, "--timeline", analysed, "-o", film, *SMALL, "--start", "60", "--end", "70"),
                               stderr=subprocess.PIPE, text=True)  # fmt: skip
    while not list((tmp_path / "film.frames").glob("frame_*.png")):
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(number)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    kept = len(list((tmp_path / "film.frames").glob("frame_*.png")))
    assert re.search(rf"Cancelled\. {kept} frames? (is|are) kept in film\.frames; --resume goes on\.", said)
    assert "Traceback" not in said
    assert not film.exists()
    assert not (tmp_path / "film.frames" / ".lock").exists()
    assert all(path.stat().st_size > 100 for path in (tmp_path / "film.frames").glob("frame_*.png"))
    assert not [path for path in (tmp_path / "film.frames").iterdir() if "part" in path.name]


def test_ctrl_c_while_listening_leaves_no_orphan(demo_mix: Path, tmp_path: Path) -> None:
    process = subprocess.Popen(command(demo_mix, "-o", tmp_path / "film.mp4"), stderr=subprocess.PIPE, text=True,
                               env={**os.environ, "HOUSEX_CACHE": str(tmp_path / "cache")})  # fmt: skip
    assert process.stderr is not None
    for line in process.stderr:
        if "Listening" in line:
            break
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    assert children, "the analysis runs as a process of its own"
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=30)[1]
    assert process.returncode == 130
    assert "Cancelled" in said
    assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]
    assert not [path for path in tmp_path.iterdir() if path.name != "cache"]


def test_stills_and_blend(analysed: Path, demo_mix: Path, tmp_path: Path) -> None:
    code, said = run(demo_mix, "--timeline", analysed, "--no-render", "--blend", tmp_path / "show.blend",
                     "--still", "b30", "1:50", "-o", tmp_path / "film.mp4", "--engine", "workbench")  # fmt: skip
    assert code == 0, said
    import matplotlib.image

    names = sorted(path.name for path in (tmp_path / "stills").iterdir())
    assert names == ["demo_mix-01-b30.png", "demo_mix-02-1-50.png"]
    assert matplotlib.image.imread(tmp_path / "stills" / names[0]).shape[:2] == (360, 640)
    assert 10_000 < (tmp_path / "show.blend").stat().st_size < 30e6
    assert not (tmp_path / "film.mp4").exists()


def test_a_folder_as_output_keeps_the_frames(analysed: Path, demo_mix: Path, tmp_path: Path) -> None:
    frames = tmp_path / "frames"
    code, said = run(demo_mix, "--timeline", analysed, "-o", frames, *SMALL, "--start", "30", "--end", "30.2")
    assert code == 0, said
    assert [p.name for p in sorted(frames.glob("*.png"))] == [f"frame_{n:06d}.png" for n in range(721, 726)]


def test_a_scene_of_ones_own_is_driven(analysed: Path, demo_mix: Path, tmp_path: Path) -> None:
    """A cube beside the object HX Show; a driver of it that cannot be worked out is named and hinders nothing."""
    script = tmp_path / "make.py"
    script.write_text(f"""
import bpy, os
bpy.ops.wm.read_factory_settings(use_empty=False)
mine = bpy.data.objects["Cube"]
mine.name = "Mine"
mine.driver_add("scale", 0).driver.expression = "nobody_knows_this"
bpy.ops.wm.save_as_mainfile(filepath={str(tmp_path / "mine.blend")!r})
os._exit(0)
""")
    subprocess.run([sys.executable, script], check=True, stdout=subprocess.DEVNULL)
    code, said = run(demo_mix, "--timeline", analysed, "--scene", tmp_path / "mine.blend", "--no-render",
                     "--blend", tmp_path / "driven.blend")  # fmt: skip
    assert code == 0, said
    assert "stands still: Mine." in said
    check = tmp_path / "check.py"
    check.write_text(f"""
import bpy, json, os
bpy.ops.wm.open_mainfile(filepath={str(tmp_path / "driven.blend")!r}, use_scripts=False)
show, scene = bpy.data.objects["HX Show"], bpy.context.scene
values = []
for frame in range(1200, 1260):
    scene.frame_set(frame)
    values.append(show["kick"])
print("RESULT " + json.dumps([max(values), min(values), "Mine" in bpy.data.objects, scene.frame_end]), flush=True)
os._exit(0)
""")
    done = subprocess.run([sys.executable, check], check=True, capture_output=True, text=True)
    line = next(line for line in done.stdout.splitlines() if line.startswith("RESULT "))
    high, low, mine, end = json.loads(line.removeprefix("RESULT "))
    assert high > 0.6
    assert low < 0.1
    assert mine
    assert end == pytest.approx(Timeline.load(analysed).mix.duration_s * 24, abs=2)


BAD = [
    (["{tmp}/gone.flac"], 1, "There is no file"),
    (["{tmp}"], 1, "folder"),
    (["{mix}", "-o", "{tmp}/no/such/film.mp4"], 1, "does not exist"),
    (["{mix}", "-o", "/proc/film.mp4"], 1, "cannot be written"),
    (["{mix}", "-o", "{tmp}/film.avi2"], 2, "not a film"),
    (["{mix}", "--resolution", "big"], 2, "not a resolution"),
    (["{mix}", "--fps", "0"], 2, "frames per second"),
    (["{mix}", "--start", "yesterday"], 2, "not a time"),
    (["{mix}", "--timeline", "{timeline}", "--start", "99:00"], 2, "outside the mix"),
    (["{mix}", "--timeline", "{timeline}", "--start", "20", "--end", "10"], 2, "end before it starts"),
    (["{mix}", "--timeline", "{timeline}", "--still", "b9999", "--no-render"], 2, "no bar 9999"),
    (["{mix}", "--scene", "ocean"], 2, "no scene"),
    (["{mix}", "--palette", "mud"], 2, "no palette"),
    (["{mix}", "--intensity", "50"], 2, "intensity"),
    (["{mix}", "--timeline", "{tmp}/none.json"], 1, "no timeline"),
    (["{mix}", "--quality", "superb"], 2, "command line"),
    (["{mix}", "--seed", "-1"], 2, "seed"),
    (["{mix}", "--resolution", "²²x²²"], 2, "not a resolution"),
    (["{mix}", "--no-render"], 2, "nothing would be written"),
    (["{mix}", "--save-timeline", "a.json", "--plot", "a.json"], 2, "overwrite"),
    (["{mix}", "--save-timeline", "a.json", "--plot", "a.npz"], 2, "overwrite"),
    (["{mix}", "--timeline", "{timeline}", "--plot", "{timeline}"], 2, "overwrite"),
    (["{mix}", "-o", "{mix}"], 2, "not a film"),
    (["{mix}", "-o", "x" * 300 + ".mp4"], 1, "cannot be written"),
    (["/dev/zero", "--timeline", "{timeline}", "--blend", "a.blend", "--no-render"], 1, "cannot be read"),
    (["{tmp}", "--timeline", "{timeline}", "--blend", "a.blend", "--no-render"], 1, "cannot be read"),
    (["{mix}", "--loop", "b1:b7", "--timeline", "{timeline}"], 2, "6 bars"),
    (["{mix}", "--loop", "b1:b9001", "--timeline", "{timeline}"], 2, "no bar 9000"),
    (["{mix}", "--alpha", "-o", "film.mp4"], 2, "no transparency"),
    (["{mix}", "--titles", "--timeline", "{timeline}"], 2, "no track titles"),
    (["{mix}", "--estimate", "--blend", "a.blend"], 2, "writes nothing"),
    (["{mix}", "--look", "mud"], 2, "no look"),
    ([], 2, "command line"),
]


@pytest.mark.parametrize(("arguments", "code", "said"), BAD, ids=[" ".join(row[0][1:]) or row[2] for row in BAD])
def test_bad_requests_get_one_sentence(
    analysed: Path, demo_mix: Path, tmp_path: Path, arguments: list[str], code: int, said: str
) -> None:
    filled = [text.format(tmp=tmp_path, mix=demo_mix, timeline=analysed) for text in arguments]
    got, stderr = run(*filled, cwd=tmp_path)
    assert (got, len(stderr.strip().splitlines()[-1:])) == (code, 1), stderr
    assert said in stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("spoil", ["cut off", "schema 99", "another mix"])
def test_bad_timelines(analysed: Path, demo_mix: Path, tmp_path: Path, spoil: str) -> None:
    copy = tmp_path / "t.housex.json"
    text = analysed.read_text()
    data = json.loads(text)
    shutil.copy(analysed.with_name("demo.housex.npz"), tmp_path)
    if spoil == "cut off":
        copy.write_text(text[: len(text) // 2])
    elif spoil == "schema 99":
        copy.write_text(json.dumps({**data, "schema": 99}))
    else:
        data["mix"]["sha256"] = "0" * 64
        copy.write_text(json.dumps(data))
    code, said = run(demo_mix, "--timeline", copy, "-o", tmp_path / "film.mp4")
    assert code == 1
    assert spoil in said
    assert not (tmp_path / "film.mp4").exists()


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("mount"), reason="a small disk is mounted by root")
def test_a_full_disk(analysed: Path, demo_mix: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", disk], capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        code, said = run(demo_mix, "--timeline", analysed, "-o", disk / "film.mp4", "--resolution", "640x360",
                         "--engine", "workbench", "--start", "60", "--end", "63")  # fmt: skip
        assert code == 1
        assert "space" in said.lower()
        assert not (disk / "film.mp4").exists()
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_folder_of_the_users_is_never_touched(analysed: Path, demo_mix: Path, tmp_path: Path) -> None:
    mine = tmp_path / "film.frames"
    mine.mkdir()
    (mine / "notes.txt").write_text("precious")
    code, said = run(
        demo_mix, "--timeline", analysed, "-o", tmp_path / "film.mp4", *SMALL, "--start", "30", "--end", "30.2"
    )
    assert code == 1
    assert "notes.txt" in said
    assert [path.read_text() for path in mine.iterdir()] == ["precious"]


def test_frames_of_other_levels_are_not_resumed(analysed: Path, demo_mix: Path, tmp_path: Path) -> None:
    """The levels lie in a file of their own; a change there is another show as well."""
    for name in ("demo.housex.json", "demo.housex.npz"):
        shutil.copy(analysed.with_name(name), tmp_path / name)
    frames = tmp_path / "frames"
    arguments = (
        demo_mix,
        "--timeline",
        tmp_path / "demo.housex.json",
        "-o",
        frames,
        *SMALL,
        "--start",
        "30",
        "--end",
        "30.2",
    )
    assert run(*arguments)[0] == 0
    assert run(*arguments, "--resume")[0] == 0
    with np.load(tmp_path / "demo.housex.npz") as archive:
        np.savez(tmp_path / "demo.housex.npz", values=archive["values"] * 0.5)
    code, said = run(*arguments, "--resume")
    assert code == 1
    assert "another render" in said


def test_a_second_render_into_the_same_film_is_refused(analysed: Path, demo_mix: Path, tmp_path: Path) -> None:
    arguments = (demo_mix, "--timeline", analysed, "-o", tmp_path / "film.mp4", *SMALL, "--start", "60", "--end", "64")
    first = subprocess.Popen(command(*arguments), stderr=subprocess.DEVNULL)
    while not list((tmp_path / "film.frames").glob("frame_*.png")):
        assert first.poll() is None
        time.sleep(0.05)
    code, said = run(*arguments)
    assert code == 1
    assert "Another render" in said
    assert first.wait(60) == 0
    assert (tmp_path / "film.mp4").exists()


@pytest.mark.parametrize("name", ["-dash", "{x}", "a#b %d", 'it\'s "so" $1 🎧'])
def test_names_that_trip_programs(analysed: Path, demo_mix: Path, tmp_path: Path, name: str) -> None:
    mix = tmp_path / f"{name}.ogg"
    shutil.copy(demo_mix, mix)
    code, said = run(f"./{mix.name}", "-o", f"./{name}.mp4", *SMALL, "--start", "30", "--end", "30.2", cwd=tmp_path)
    assert code == 0, said
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([mix.name, f"{name}.mp4"])


def test_the_users_scene_is_not_overwritten(analysed: Path, demo_mix: Path, tmp_path: Path) -> None:
    scene = tmp_path / "mine.blend"
    scene.write_bytes(b"BLENDER")
    code, said = run(demo_mix, "--timeline", analysed, "--scene", scene, "--blend", scene, "--no-render")
    assert code == 2
    assert "overwrite" in said
    assert scene.read_bytes() == b"BLENDER"


def test_checks_write_nothing(analysed: Path, demo_mix: Path, tmp_path: Path) -> None:
    code, said = run(demo_mix, "--timeline", analysed, *SMALL, "--estimate", cwd=tmp_path)
    assert code == 0, said
    assert re.search(r"frames will take about .*, give or take", said)
    assert " MB: " in said
    code, said = run(demo_mix, "--timeline", analysed, *SMALL, "--self-test", "1", cwd=tmp_path)
    assert code == 0, said
    assert "alone is the frame in sequence, to the bit" in said
    assert list(tmp_path.iterdir()) == []


def test_a_loop_with_transparency_and_the_report_on_flashes(analysed: Path, demo_mix: Path, tmp_path: Path) -> None:
    import matplotlib.image

    timeline = Timeline.load(analysed)
    frames = tmp_path / "loop"
    code, said = run(demo_mix, "--timeline", analysed, "-o", frames, *SMALL, "--fps", "2", "--loop", "b9:b13", "--alpha",
                     "--loop-genre", "Bass House", "--format", "square")  # fmt: skip
    assert code == 2
    assert "shape already" in said
    code, said = run(demo_mix, "--timeline", analysed, "-o", frames, *SMALL, "--fps", "2", "--loop", "b9:b13", "--alpha",
                     "--loop-genre", "Bass House")  # fmt: skip
    assert code == 0, said
    assert "flashes" in said
    pictures = sorted(frames.glob("frame_*.png"))
    assert len(pictures) == pytest.approx((timeline.grid.starts_s[12] - timeline.grid.starts_s[8]) * 2, abs=1)
    assert matplotlib.image.imread(pictures[0]).shape == (90, 160, 4)


def test_titles_come_from_a_tracklist_and_stay_in_the_blend(analysed: Path, demo_mix: Path, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("00:00 Somebody - First\n01:20 Nobody - Second\n")
    code, said = run(demo_mix, "--timeline", analysed, "--no-render", "--titles", tmp_path / "list.txt",
                     "--blend", tmp_path / "titles.blend", "--allow-flashes")  # fmt: skip
    assert code == 0, said
    assert "Flashes are allowed" in said
    check = tmp_path / "check.py"
    check.write_text(f"""
import bpy, os
bpy.ops.wm.open_mainfile(filepath={str(tmp_path / "titles.blend")!r}, use_scripts=False)
print("RESULT", sorted(o.data.body.split(chr(10))[1] for o in bpy.data.objects if o.type == "FONT"), flush=True)
os._exit(0)
""")
    done = subprocess.run([sys.executable, check], check=True, capture_output=True, text=True)
    assert "RESULT ['First', 'Second']" in done.stdout


def test_corrections_exports_and_click_go_to_the_analysis(demo_mix: Path, tmp_path: Path) -> None:
    code, said = run(demo_mix, "--no-render", "--save-timeline", tmp_path / "m.housex.json", "--nudge", "-1@b9",
                     "--double", "1:00", "--export", "csv,labels", "--click", tmp_path / "click.wav")  # fmt: skip
    assert code == 0, said
    assert [(e["op"], e.get("value")) for e in Timeline.load(tmp_path / "m.housex.json").edits] == [
        ("nudge", -1.0),
        ("double", None),
    ]
    names = {"m.housex.json", "m.housex.npz", "m.bars.csv", "m.labels.txt", "click.wav"}
    assert {path.name for path in tmp_path.iterdir()} == names
    assert all(f"Wrote {tmp_path / name}" in said for name in names - {"m.housex.npz"})


def test_options_that_could_have_no_effect_are_refused(analysed: Path, demo_mix: Path, tmp_path: Path) -> None:
    for arguments, words in (
        (("--timeline", analysed, "--nudge", "1@b3"), "--nudge has no effect with --timeline"),
        (("--export", "csv"), "beside the timeline"),
        (("--nudge", "1"), "is not a nudge"),
    ):
        code, said = run(demo_mix, "-o", tmp_path / "f.mp4", *arguments)
        assert code == 2, said
        assert words in said
    code, said = run(demo_mix, "-o", tmp_path / "f.mp4", "--attack", "-1")
    assert code == 2
    assert "--attack -1" in said
    assert list(tmp_path.iterdir()) == []
