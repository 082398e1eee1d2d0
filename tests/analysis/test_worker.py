"""The analysis as a program: messages, files, and every kind of bad input."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from housex_blender.core.attributes import ATTRIBUTES, SCALES
from housex_blender.core.edits import with_edits
from housex_blender.core.genres import GENRES
from housex_blender.core.options import EXPORT_ENDINGS
from housex_blender.core.protocol import Kind, Message, decode
from housex_blender.core.timeline import Timeline

from ..conftest import ROOT


def run(*arguments: object, cwd: Path | None = None) -> tuple[int, list[Message], str]:
    """Exit code, messages, stderr of the worker."""
    done = subprocess.run([sys.executable, "-m", "housex_blender.analysis", *map(str, arguments)], cwd=cwd,
                          env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True)  # fmt: skip
    messages = [decode(line) for line in done.stdout.splitlines()]
    assert None not in messages, f"stdout carries messages only: {done.stdout}"
    return done.returncode, [m for m in messages if m], done.stderr


def house(seconds: float = 24.0, rate: int = 44100, bpm: float = 124.0) -> np.ndarray:
    """(n,) a kick on every beat, a hat between, a bass note that changes with the bar."""
    t = np.arange(int(seconds * rate)) / rate
    beat = (t * bpm / 60) % 1.0 * 60 / bpm
    kick = np.sin(2 * np.pi * (50 * beat + 6 * (1 - np.exp(-beat * 30)))) * np.exp(-beat * 9)
    off = (beat - 30 / bpm) % (60 / bpm)
    hat = np.random.default_rng(0).standard_normal(len(t)) * np.exp(-off * 60) * 0.15
    bar = (t * bpm / 240).astype(int)
    bass = np.sin(2 * np.pi * np.array([55.0, 65.4, 49.0, 58.3])[bar % 4] * t) * 0.25 * np.minimum(beat * 8, 1)
    return (0.6 * kick + hat + bass).astype(np.float32) * 0.8


@pytest.fixture(scope="module")
def short_mix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("mix") / "short.flac"
    soundfile.write(path, house(), 44100)
    return path


@pytest.fixture(scope="module")
def heard(short_mix: Path) -> tuple[int, list[Message], Path]:
    output = short_mix.with_name("short.housex.json")
    code, messages, _ = run(short_mix, "-o", output, "--plot", short_mix.with_suffix(".png"))
    return code, messages, output


def test_the_messages_come_in_order(heard: tuple[int, list[Message], Path]) -> None:
    code, messages, output = heard
    kinds = [message.kind for message in messages]
    assert code == 0
    assert kinds[0] is Kind.HELLO
    assert kinds[-2:] == [Kind.RESULT, Kind.DONE]
    assert messages[-1].fields == {"ok": True}
    assert messages[-2].fields["path"] == str(output)
    done = [m.fields["done"] for m in messages if m.kind is Kind.PROGRESS]
    assert done == sorted(done)
    assert done[-1] == pytest.approx(24.0, abs=0.1)
    assert any("ONNX Runtime on cpu" in m.text or "torch" in m.text for m in messages), "the device is said"


def test_the_timeline_fits_the_music(heard: tuple[int, list[Message], Path]) -> None:
    timeline = Timeline.load(heard[2])
    assert np.median(timeline.grid.bpm) == pytest.approx(124.0, abs=0.2)
    assert timeline.mix.duration_s == pytest.approx(24.0, abs=0.01)
    assert timeline.grid.starts_s[0] < 2.0
    assert timeline.grid.ends_s[-1] > 23.0
    assert len(timeline.envelopes.values) == pytest.approx(2400, abs=5)
    assert timeline.generator.startswith("housex 0.")


def test_what_the_network_hears_besides_the_genre_is_in_the_file(heard: tuple[int, list[Message], Path]) -> None:
    timeline = Timeline.load(heard[2])
    assert tuple(timeline.attributes) == ATTRIBUTES
    for name, column in timeline.attributes.items():
        assert column.shape == (timeline.grid.n_bars,)
        assert column.min() >= (1.0 if name in SCALES else 0.0)
        assert column.max() <= (5.0 if name in SCALES else 1.0)
    said = heard[1][-2].fields["summary"]
    assert said["traits"] == [track.traits for track in timeline.tracks]
    assert said["tracks"] == [track.label for track in timeline.tracks]
    assert all(track.label in track.traits for track in timeline.tracks)


def test_any_model_may_be_named(short_mix: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from .models import small_model

    for classes in (4, 8):
        model = small_model(tmp_path / str(classes), GENRES[:classes], uncertain_below=1.0)
        output = tmp_path / f"{classes}.housex.json"
        code, messages, _ = run(short_mix, "-o", output, "--model", model)
        assert code == 0, messages
        timeline = Timeline.load(output)
        assert timeline.model.genres == GENRES[:classes]
        assert timeline.uncertain.all(), "the card's limit holds"
        assert all(track.traits.startswith("Perhaps ") for track in timeline.tracks)
        assert any("uncertain in most bars" in m.text for m in messages if m.kind is Kind.WARNING)


def test_another_card_for_the_same_weights_is_another_result(short_mix: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from .models import change_card, small_model

    model, output = small_model(tmp_path / "model", uncertain_below=0.0), tmp_path / "x.housex.json"
    assert run(short_mix, "-o", output, "--model", model)[0] == 0
    assert not Timeline.load(output).uncertain.all()
    change_card(model, lambda card: card.update(uncertain_below=1.0))
    code, messages, _ = run(short_mix, "-o", output, "--model", model)
    assert code == 0
    assert not any("cache" in m.text for m in messages)
    assert Timeline.load(output).uncertain.all()


def test_the_picture_is_a_picture(heard: tuple[int, list[Message], Path], short_mix: Path) -> None:
    import matplotlib.image

    pixels = matplotlib.image.imread(short_mix.with_suffix(".png"))
    assert pixels.shape[1] >= 1200
    assert pixels[..., :3].std() > 0.1


def test_a_second_run_comes_from_the_cache_and_is_the_same(
    heard: tuple[int, list[Message], Path], tmp_path: Path
) -> None:
    copy = tmp_path / "other name.flac"
    copy.write_bytes(heard[2].with_name("short.flac").read_bytes())
    code, messages, _ = run(copy, "-o", tmp_path / "x.housex.json")
    assert code == 0
    assert any("cache" in m.text for m in messages)
    first, second = json.loads(heard[2].read_text()), json.loads((tmp_path / "x.housex.json").read_text())
    assert second["mix"].pop("file") == "other name.flac"
    first["mix"].pop("file")
    assert {**first, "envelopes": 0} == {**second, "envelopes": 0}


def test_housex_slicing_is_fixed_windows_from_sample_0(short_mix: Path, tmp_path: Path) -> None:
    code, _, _ = run(short_mix, "-o", tmp_path / "x.json", "--slicing", "housex", "--no-cache")
    timeline = Timeline.load(tmp_path / "x.json")
    assert code == 0
    assert timeline.slicing == "housex"
    assert timeline.grid.n_bars == 12  # floor(24 / 1.875)
    assert timeline.grid.starts_s == pytest.approx(1.875 * np.arange(12))


def _write(path: Path, samples: np.ndarray, rate: int, **more: object) -> Path:
    soundfile.write(path, samples, rate, **more)
    return path


GOOD: dict[str, Callable[[Path], Path]] = {
    "mono 8 kHz": lambda d: _write(d / "a.wav", house(16, 8000), 8000),
    "96 kHz 24-bit": lambda d: _write(d / "a.flac", house(12, 96000), 96000, subtype="PCM_24"),
    "6 channels": lambda d: _write(d / "a.wav", np.stack([house(12)] * 6, 1), 44100),
    "a name with spaces, quotes and emoji": lambda d: _write(d / 'it\'s my "mix" $1 🎧 №5.flac', house(12), 44100),
}


@pytest.mark.parametrize("kind", GOOD)
def test_unusual_but_good_files(tmp_path: Path, kind: str) -> None:
    mix = GOOD[kind](tmp_path)
    output = tmp_path / "out.housex.json"
    code, messages, stderr = run(mix, "-o", output, "--plot", tmp_path / "out.png")
    assert code == 0, (messages, stderr)
    assert Timeline.load(output).mix.file == mix.name
    assert np.median(Timeline.load(output).grid.bpm) == pytest.approx(124.0, abs=0.3)


def test_a_truncated_flac_is_analysed_as_far_as_it_goes(short_mix: Path, tmp_path: Path) -> None:
    data = short_mix.read_bytes()
    cut = tmp_path / "cut.flac"
    cut.write_bytes(data[: int(len(data) * 0.6)])
    code, messages, _ = run(cut, "-o", tmp_path / "cut.housex.json")
    assert code == 0
    assert [m for m in messages if m.kind is Kind.WARNING]
    timeline = Timeline.load(tmp_path / "cut.housex.json")
    assert 10 < timeline.mix.duration_s < 20
    assert timeline.warnings


def _empty(path: Path) -> Path:
    path.write_bytes(b"")
    return path


def _text(path: Path) -> Path:
    path.write_text("this is not music\n" * 500)
    return path


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


BAD: dict[str, tuple[Callable[[Path], Path], str]] = {
    "missing file": (lambda d: d / "gone.flac", "gone.flac"),
    "folder": (lambda d: _folder(d / "folder.wav"), "folder"),
    "empty file": (lambda d: _empty(d / "empty.wav"), "empty"),
    "text renamed to mp3": (lambda d: _text(d / "notes.mp3"), "notes.mp3"),
    "half a second": (lambda d: _write(d / "blip.wav", house(0.5), 44100), "0.5 s"),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_files_get_one_sentence_and_leave_nothing(tmp_path: Path, kind: str) -> None:
    make, said = BAD[kind]
    source, target = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    target.mkdir()
    code, messages, stderr = run(make(source), "-o", target / "x.housex.json", "--plot", target / "x.png")
    errors = [m for m in messages if m.kind is Kind.ERROR]
    assert code != 0
    assert len(errors) == 1
    assert said.lower() in errors[0].text.lower()
    assert errors[0].fields["hint"]
    assert messages[-1] == Message(Kind.DONE, {"ok": False})
    assert "Traceback" not in stderr
    assert list(target.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-o", "{tmp}/no/such/x.json"], "does not exist"),
        (["-o", "{tmp}"], "is a folder"),
        (["-o", "{tmp}/x.txt"], "does not end in .json"),
        (["-o", "{tmp}/x.json", "--model", "{tmp}"], "no model"),
        (["-o", "{tmp}/x.json", "--model", "{model}"], "is of schema 1, this version reads 2"),
        (["-o", "{tmp}/x.json", "--device", "quantum"], "quantum"),
        (["-o", "{tmp}/x.json", "--palette", "nope", "--plot", "{tmp}/x.png"], "palette"),
        (["--magic"], "command line"),
    ],
)
def test_bad_requests(short_mix: Path, tmp_path: Path, arguments: list[str], said: str) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "card.json").write_text('{"schema": 1, "name": "of an older version"}')
    code, messages, stderr = run(short_mix, *(text.format(tmp=tmp_path, model=tmp_path / "old") for text in arguments))
    assert code != 0
    assert said in next(m.text for m in messages if m.kind is Kind.ERROR)
    assert "Traceback" not in stderr
    assert not (tmp_path / "x.png").exists()


def test_a_read_only_folder(short_mix: Path, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        target = Path("/proc")  # nobody writes there, root included
    else:
        target = tmp_path / "locked"
        target.mkdir(mode=0o500)
    code, messages, _ = run(short_mix, "-o", target / "x.housex.json", "--no-cache")
    assert code != 0
    assert "cannot be written" in next(m.text for m in messages if m.kind is Kind.ERROR)


def test_interrupted_it_says_so_and_leaves_nothing(demo_mix: Path, tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-m", "housex_blender.analysis", str(demo_mix), "-o", str(tmp_path / "x.json"),
                                "--no-cache"], env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True)  # fmt: skip
    assert process.stdout is not None
    seen = []
    for line in process.stdout:
        message = decode(line)
        assert message is not None
        seen.append(message)
        if message.kind is Kind.PROGRESS:
            process.send_signal(signal.SIGINT)
            break
    rest = [decode(line) for line in process.stdout]
    assert process.wait(10) == 130
    assert [m.text for m in rest if m and m.kind is Kind.ERROR] == ["Cancelled."]
    assert rest[-1] == Message(Kind.DONE, {"ok": False})
    time.sleep(0.1)
    assert list(tmp_path.iterdir()) == []


def test_a_new_analysis_keeps_edits(heard: tuple[int, list[Message], Path], short_mix: Path) -> None:
    data = json.loads(heard[2].read_text())
    data["edits"] = [{"what": "genre", "from_s": 0.0, "to_s": 9.0, "value": "Bigroom", "locked": True}]
    heard[2].write_text(json.dumps(data))
    assert run(short_mix, "-o", heard[2])[0] == 0
    assert Timeline.load(heard[2]).edits == tuple(data["edits"])


@pytest.mark.parametrize("kind", ["noise", "speech-like"])
def test_nothing_drops_where_no_beat_is_heard(tmp_path: Path, kind: str) -> None:
    rng = np.random.default_rng(0)
    samples = 0.2 * rng.standard_normal(30 * 22050)
    if kind != "noise":
        samples *= np.interp(np.arange(len(samples)) / 22050, np.cumsum(rng.uniform(0.05, 0.4, 200)), rng.random(200))
    soundfile.write(tmp_path / "mix.wav", samples, 22050)
    code, messages, _ = run(tmp_path / "mix.wav", "-o", tmp_path / "mix.housex.json")
    assert code == 0
    assert any("ruler" in message.text for message in messages)
    timeline = Timeline.load(tmp_path / "mix.housex.json")
    assert timeline.drops == ()
    assert set(timeline.section) == {"break"}


@pytest.mark.parametrize("kind", ["zeros", "offset", "faint noise"])
def test_what_does_not_move_is_silent_and_gets_a_ruler(tmp_path: Path, kind: str) -> None:
    faint = 3e-5 * np.random.default_rng(0).standard_normal(20 * 44100) * (kind != "zeros")
    soundfile.write(tmp_path / "mix.wav", faint + 0.5 * (kind == "offset"), 44100, subtype="FLOAT")
    code, messages, _ = run(tmp_path / "mix.wav", "-o", tmp_path / "mix.housex.json", "--bpm", "100")
    assert code == 0
    assert any("silent" in message.text and "100 BPM" in message.text for message in messages)
    timeline = Timeline.load(tmp_path / "mix.housex.json")
    assert timeline.grid_confidence == 0.0
    assert timeline.grid.bpm == pytest.approx(100.0)
    assert timeline.uncertain.all()
    assert timeline.energy.max() < 0.05


@pytest.mark.skipif(os.name == "nt", reason="names are text here")
def test_a_mix_whose_name_is_not_utf8(tmp_path: Path, short_mix: Path) -> None:
    mix = tmp_path / os.fsdecode(b"mix\xff.flac")
    try:
        mix.write_bytes(short_mix.read_bytes())
    except OSError:
        pytest.skip("this file system wants UTF-8")
    for _ in range(2):
        code, _, stderr = run(mix, "-o", tmp_path / "mix.housex.json", "--plot", tmp_path / "mix.png")
        assert code == 0, stderr
        assert Timeline.load(tmp_path / "mix.housex.json").mix.file == "mix?.flac"


# -- what is known, corrections, further files -----------------------------------------------------------------


def _beats_file(path: Path, first_s: float = 0.5, beat_s: float = 0.5, count: int = 46) -> Path:
    path.write_text("".join(f"{first_s + beat_s * i:.4f}\t{i % 4 + 1}\n" for i in range(count)))
    return path


def test_every_export_and_the_click_are_written(short_mix: Path, tmp_path: Path) -> None:
    kinds = [kind for kind in EXPORT_ENDINGS if kind != "chapters"]  # of which a mix so short has too few
    code, messages, stderr = run(short_mix, "-o", tmp_path / "mix.housex.json", "--click", tmp_path / "click.flac",
                                 "--export", ",".join(kinds), "--fps", "25")  # fmt: skip
    assert code == 0, (messages, stderr)
    wanted = {f"mix{EXPORT_ENDINGS[kind]}" for kind in kinds} | {"mix.housex.json", "mix.housex.npz", "click.flac"}
    assert {path.name for path in tmp_path.iterdir()} == wanted
    assert all(path.stat().st_size for path in tmp_path.iterdir())
    assert soundfile.info(tmp_path / "click.flac").frames == soundfile.info(short_mix).frames


def test_the_kinds_of_export_are_those_of_the_exchange() -> None:
    from housex_blender.exchange import EXPORTS

    assert {kind if kind in EXPORTS else kind.replace("-", ".") for kind in EXPORT_ENDINGS} == set(EXPORTS)


def test_a_grid_from_a_file_is_what_everything_is_heard_on(short_mix: Path, tmp_path: Path) -> None:
    output = tmp_path / "mix.housex.json"
    code, messages, _ = run(short_mix, "-o", output, "--grid", _beats_file(tmp_path / "other.beats"))
    assert code == 0, messages
    timeline = Timeline.load(output)
    assert timeline.grid_source == "imported"
    assert timeline.grid.starts_s == pytest.approx(0.5 + 2.0 * np.arange(12))
    assert [edit["op"] for edit in timeline.edits] == ["replace"]
    assert with_edits(timeline).grid is timeline.grid
    # a later analysis without the file keeps it, and corrections go on top
    assert run(short_mix, "-o", output, "--nudge", "-1@b3", "--halve", "b6")[0] == 0
    again = Timeline.load(output)
    assert again.grid.starts_s == pytest.approx(timeline.grid.starts_s)
    assert [(edit["op"], edit["from_s"]) for edit in again.edits[1:]] == [("nudge", 4.5), ("halve", 10.0)]
    assert with_edits(again).grid.starts_s[:6] == pytest.approx([0.5, 2.5, 4.0, 6.0, 8.0, 10.0])
    assert run(short_mix, "-o", output, "--clear-edits")[0] == 0
    cleared = Timeline.load(output)
    assert cleared.edits == ()
    assert np.median(cleared.grid.bpm) == pytest.approx(124.0, abs=0.2)


def test_a_tracklist_names_the_tracks(short_mix: Path, tmp_path: Path) -> None:
    output, tracklist = tmp_path / "mix.housex.json", tmp_path / "list.txt"
    tracklist.write_text("0:00 Somebody - First\n0:12 Another - Second\n")
    for _ in range(2):
        assert run(short_mix, "-o", output, "--tracklist", tracklist)[0] == 0
        timeline = Timeline.load(output)
        assert len(timeline.edits) == 1, "a list replaces the list before it"
    tracks = with_edits(timeline).tracks
    assert [track.title.split()[-1] for track in tracks] == ["First", "Second"]
    assert with_edits(timeline).grid.starts_s[tracks[1].start_bar] == pytest.approx(12.0, abs=1.0)


def test_a_known_tempo_is_kept_to(short_mix: Path, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "fast.wav", house(24.0, bpm=172.0), 44100)
    assert run(tmp_path / "fast.wav", "-o", tmp_path / "x.json", "--bpm", "172")[0] == 0
    assert np.median(Timeline.load(tmp_path / "x.json").grid.bpm) == pytest.approx(172.0, abs=0.5)
    noise = 0.2 * np.random.default_rng(0).standard_normal(20 * 22050)
    soundfile.write(tmp_path / "noise.wav", noise, 22050)
    assert run(tmp_path / "noise.wav", "-o", tmp_path / "y.json", "--bpm", "100")[0] == 0
    ruler = Timeline.load(tmp_path / "y.json")
    assert ruler.grid_source == "ruler"
    assert ruler.grid_message
    assert ruler.grid.bpm == pytest.approx(100.0)
    # with taps there are bars, and they are heard on
    code, messages, _ = run(tmp_path / "noise.wav", "-o", tmp_path / "y.json", "--tap", "1,1.5,2.0,2.5,3.0")
    assert code == 0, messages
    tapped = Timeline.load(tmp_path / "y.json")
    assert tapped.grid_source == "imported"
    assert with_edits(tapped).grid_source == "edited"
    assert with_edits(tapped).grid.bpm[3:-1] == pytest.approx(120.0, abs=0.01)
    assert not any("ruler" in text for text in tapped.warnings)


BAD_WISHES = [
    (["--nudge", "0.3@b3"], 2, "'0.3@b3' is not a nudge"),
    (["--nudge", "-1"], 2, "'-1' is not a nudge"),
    (["--nudge", "1@sometime"], 2, "is not a time"),
    (["--nudge", "1@b900"], 2, "no bar 900"),
    (["--halve", "23:59:00"], 1, "No bar begins"),
    (["--tap", "1,2"], 2, "2 taps are too few"),
    (["--tap", "1,1.5,x,2"], 2, "A tap is not right"),
    (["--tap", "1,1.5,2.3,2.6,3.5,3.7,4.6"], 1, "irregular"),
    (["--bpm", "1000"], 2, "1000 BPM"),
    (["--bpm", "fast"], 2, "command line"),
    (["--drops", "all"], 2, "command line"),
    (["--export", "csv,pdf"], 2, "'pdf'"),
    (["--click", "{tmp}/x.mp3"], 2, "not a wav or flac"),
    (["--click", "{tmp}/no/x.wav"], 1, "does not exist"),
    (["--fps", "0"], 2, "frames per second"),
    (["--grid", "{tmp}/gone.xml"], 2, "There is no file"),
    (["--grid", "{tmp}/notes.txt"], 1, ""),
    (["--tracklist", "{tmp}/x.beats"], 1, "holds no tracks"),
    (["--grid", "{tmp}/long.beats"], 1, "The grid ends"),
    (["--export", "beats", "--grid", "{tmp}/x.beats"], 1, "would overwrite"),
    (["--bpm", "128", "--slicing", "housex"], 2, "fixed"),
    (["--bpm", "128", "--grid", "{tmp}/x.beats"], 2, "--grid for one that is known"),
    (["--nudge", "64@b2"], 2, "moves nothing"),
    (["--tap", "-1,0,1,2"], 2, "A tap is not right"),
    (["--tap", "1,1,1,1"], 2, "1 taps are too few"),
    (["--export", ","], 2, "names nothing"),
    (["--plot", "{tmp}/x.npz"], 1, "would overwrite"),
    (["--plot", "{tmp}/x.png", "--palette", "nope"], 1, "no palette"),
    (["--click", "{tmp}/x.ogg"], 2, "not a wav"),
    (["--tracklist", "{tmp}/after.txt"], 1, "after the end of the mix"),
    (["--tracklist", "{tmp}/beats.csv"], 1, "does not read"),
]


@pytest.mark.parametrize(("arguments", "wanted", "said"), BAD_WISHES)
def test_bad_wishes_get_one_sentence_and_leave_nothing(
    short_mix: Path, tmp_path: Path, arguments: list[str], wanted: int, said: str
) -> None:
    (tmp_path / "notes.txt").write_text("this is not music\n" * 50)
    (tmp_path / "after.txt").write_text("50:00 A - B\n55:00 C - D\n")
    (tmp_path / "beats.csv").write_text("beat,bar\n1,1\n")
    _beats_file(tmp_path / "x.beats")
    _beats_file(tmp_path / "long.beats", 0.5, 0.5, 8)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    if said == "The grid ends":
        short_mix = _write(tmp_path / "long.flac", house(80.0), 44100)
        before[short_mix.name] = short_mix.read_bytes()
    code, messages, stderr = run(
        short_mix, "-o", tmp_path / "x.json", *(text.format(tmp=tmp_path) for text in arguments)
    )
    errors = [m for m in messages if m.kind is Kind.ERROR]
    assert code == wanted, errors
    assert len(errors) == 1
    assert said in errors[0].text
    assert "Traceback" not in stderr
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.fixture
def corrected(short_mix: Path, tmp_path: Path) -> Path:
    """A timeline with one correction by hand."""
    output = tmp_path / "x.housex.json"
    assert run(short_mix, "-o", output, "--nudge", "1@b3")[0] == 0
    return output


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"op": "nudge"', '"op": "explode"', "would be lost"),
        ('"value": 1.0', '"value": 0.3', "x.housex.json has a wrong edit"),
        ('"schema": 1', '"schema": 9', "would be lost"),
        (r'"edits": \[', '"edits": ', "cut off or is not JSON"),
        ('"sha256": "....', '"sha256": "0000', "another recording"),
    ],
)
def test_corrections_are_never_lost_without_a_word(
    corrected: Path, short_mix: Path, old: str, new: str, said: str
) -> None:
    text, count = re.subn(old, new, corrected.read_text())
    assert count
    corrected.write_text(text)
    kept = corrected.read_bytes()
    code, messages, stderr = run(short_mix, "-o", corrected)
    assert (code, "Traceback" in stderr) == (1, False)
    assert said in next(m for m in messages if m.kind is Kind.ERROR).text
    assert corrected.read_bytes() == kept
    assert run(short_mix, "-o", corrected, "--clear-edits")[0] == 0, "the way out that the hint names"
    assert Timeline.load(corrected).edits == ()


def test_a_correction_without_a_place_is_kept_and_said(corrected: Path, short_mix: Path) -> None:
    text, count = re.subn('"from_s": ', '"from_s": 9', corrected.read_text())
    assert count
    corrected.write_text(text)
    edits = Timeline.load(corrected).edits
    code, messages, _ = run(short_mix, "-o", corrected)
    assert code == 0
    assert any("is not applied: No bar begins" in m.text for m in messages if m.kind is Kind.WARNING)
    assert Timeline.load(corrected).edits == edits


def test_corrections_survive_without_the_envelopes(corrected: Path, short_mix: Path) -> None:
    corrected.with_name("x.housex.npz").unlink()
    assert run(short_mix, "-o", corrected)[0] == 0
    assert [edit["op"] for edit in Timeline.load(corrected).edits] == ["nudge"]


def test_fixed_windows_take_no_corrections(corrected: Path, short_mix: Path) -> None:
    code, messages, _ = run(short_mix, "-o", corrected, "--slicing", "housex")
    assert code == 1
    assert "--clear-edits grid" in next(m for m in messages if m.kind is Kind.ERROR).fields["hint"]
    assert run(short_mix, "-o", corrected, "--slicing", "housex", "--clear-edits", "grid")[0] == 0


def test_one_export_that_fails_does_not_take_the_others_along(short_mix: Path, tmp_path: Path) -> None:
    code, messages, _ = run(short_mix, "-o", tmp_path / "x.housex.json", "--export", "chapters,cue,beats")
    assert code == 1
    assert "chapters" in next(m for m in messages if m.kind is Kind.ERROR).text
    assert {path.name for path in tmp_path.iterdir()} == {"x.housex.json", "x.housex.npz", "x.cue", "x.beats"}


def test_tracks_after_the_end_are_left_out_and_drops_are_no_tracks(short_mix: Path, tmp_path: Path) -> None:
    output, listed = tmp_path / "x.housex.json", tmp_path / "list.txt"
    listed.write_text("0:00 A - B\n0:12 C - D\n59:00 E - F\n")
    code, messages, _ = run(short_mix, "-o", output, "--tracklist", listed)
    assert code == 0
    assert any("1 of 3 tracks begin after the end" in m.text for m in messages if m.kind is Kind.WARNING)
    assert [track.title for track in with_edits(Timeline.load(output)).tracks] == ["A – B", "C – D"]
    labels = tmp_path / "labels.txt"
    labels.write_text("0.0\t12.0\tintro\n12.0\t24.0\tdrop\n12.0\t12.0\tDrop 1\n")
    assert run(short_mix, "-o", output, "--clear-edits", "--import", labels)[0] == 0
    assert {edit["what"] for edit in Timeline.load(output).edits} == {"section"}
    labels.write_text("0.0\t0.0\tMy first\n12.0\t12.0\tMy second\n")
    _, messages, _ = run(short_mix, "-o", output, "--clear-edits", "--import", labels)
    assert any("2 cues were taken for track changes" in m.text for m in messages if m.kind is Kind.WARNING)
    assert [track.title for track in with_edits(Timeline.load(output)).tracks] == ["My first", "My second"]


def test_a_grid_with_a_hole_at_the_start_is_said(short_mix: Path, tmp_path: Path) -> None:
    beats = _beats_file(tmp_path / "x.beats", 12.0, 0.5, 24)
    code, messages, _ = run(short_mix, "-o", tmp_path / "x.json", "--grid", beats)
    assert code == 0
    assert any("begins at 12 s" in m.text for m in messages if m.kind is Kind.WARNING)
