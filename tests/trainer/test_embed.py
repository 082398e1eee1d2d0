"""Portraits of tracks and the map they are drawn on: weights, cache, geometry, a page that is safe and needs nobody."""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import types
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

sf = pytest.importorskip("soundfile")
image = pytest.importorskip("matplotlib.image")

from housex_blender.core.errors import AudioError, HouseXError  # noqa: E402
from housex_blender.core.looks import load_palettes  # noqa: E402
from tests.analysis.signals import RATE_HZ, beats_for, house  # noqa: E402
from trainer.maps import embed, listening  # noqa: E402
from trainer.maps.listening import FoundTrack, TrackPortrait, find_tracks, portrait_of, portraits_of  # noqa: E402
from trainer.maps.map_page import colours_of, draw_map, write_page  # noqa: E402
from trainer.maps.projection import METHODS, project  # noqa: E402
from trainer.own.collection import CollectionError  # noqa: E402
from trainer.own.file_bars import FileBars, bars_of_file  # noqa: E402

from .portraits import PlainEar, portrait  # noqa: E402

HOSTILE = ('</script><script>alert(1)</script>', '"quoted" & \'single\' <b>bold</b>', "emoji 🎛️ – ’ \u2028 日本 $x^$",
           "<!-- <script>", "</script onload=x", "]]>\\u003c\\", "=cmd|' /C calc'!A0")  # fmt: skip


def some_portraits() -> list[TrackPortrait]:
    rng = np.random.default_rng(0)
    made = []
    for number, title in enumerate([*HOSTILE, "plain one", "plain two"]):
        genre = ("Bass House", "Deep House", "Slap House")[number % 3]
        shares = {genre: 0.7, "Bigroom": 0.3}
        given = {"Tropical <i>House</i>": 1.0} if number == 6 else {}
        made.append(portrait(title, shares, tuple(rng.standard_normal(6)), None if number == 2 else 126.0, given=given))
    return made


class Page(HTMLParser):
    """Collects what a browser would run, load or show."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.open: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag == "script":
            self.scripts.append((dict(attrs), ""))
        if tag not in ("meta", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            self.scripts[-1] = (self.scripts[-1][0], self.scripts[-1][1] + data)


@pytest.fixture
def page_text(tmp_path: Path) -> str:
    portraits = some_portraits()
    points, _ = project(np.array([one.embedding for one in portraits]))
    colours = colours_of([one.label for one in portraits], load_palettes())
    path = tmp_path / "map.html"
    write_page(portraits, points, path, colours, "PCA of <model> & co", "A note.")
    return path.read_text(encoding="utf-8")


def test_the_page_holds_every_track_once_and_hostile_titles_are_text(page_text: str) -> None:
    page = Page(page_text)
    assert page.open == []
    assert len(page.scripts) == 2, "no title became a script"
    data = json.loads(page.scripts[0][1])
    assert not set("<>&") & set(page.scripts[0][1])
    assert page.scripts[0][0] == {"type": "application/json", "id": "data"}
    titles = [track["title"] for track in data["tracks"]]
    assert titles == [*HOSTILE, "plain one", "plain two"]
    assert {genre["name"]: genre["count"] for genre in data["genres"]} == Counter(t["label"] for t in data["tracks"])
    assert data["tracks"][6]["label"] == "Tropical <i>House</i>"
    assert data["tracks"][6]["heard"] == "Bass House"
    assert data["tracks"][0]["shares"] == [["Bass House", 0.7], ["Bigroom", 0.3]]
    assert data["tracks"][0]["facts"] == "Bass House · 126 BPM · 3:20"
    assert data["tracks"][2]["facts"] == "Slap House · no steady beat · 3:20"
    assert [name for name, _, _ in data["tracks"][0]["traits"]] == [
        "groove",
        "rhythm",
        "distortion",
        "organicity",
        "lead",
        "chord",
        "bass",
    ]
    assert data["tracks"][0]["traits"][0] == ["groove", 0.75, "4.0"]
    assert "/music/" not in page_text, "folders of the user stay private"


def test_the_page_needs_no_network(page_text: str) -> None:
    page = Page(page_text)
    # every title is in the data; outside of it nothing may point anywhere
    code = page_text.replace(page.scripts[0][1], "")
    assert not re.search(r"https?:|//[a-z]|url\(|@import|\bimport\b|fetch\(|XMLHttp|WebSocket|innerHTML|eval\(", code)
    assert not [name for name, _ in page.attributes if name in ("src", "href", "action") or name.startswith("on")]
    assert ("http-equiv", "Content-Security-Policy") in page.attributes
    assert any(value.startswith("default-src 'none';") for name, value in page.attributes if name == "content")


def test_colours_are_the_palettes(page_text: str) -> None:
    data = json.loads(Page(page_text).scripts[0][1])
    colours = {genre["name"]: (genre["fill"], genre["ring"]) for genre in data["genres"]}
    assert colours["Bass House"] == ("#ffffff", "#a020f0")
    assert list(colours) == ["Bass House", "Deep House", "Slap House", "Tropical <i>House</i>"]
    own = colours_of([f"Own {i}" for i in range(12)], load_palettes())
    assert len({fill for fill, _ in own.values()}) == 12


STUB = r"""
// just enough of a browser for the page's script: elements that remember, and a brush that counts
const nodes = new Map(), fs = require("fs");
function node(tag) {
  const self = { tag, children: [], style: {}, listeners: {}, attributes: {}, className: "", text: "", parent: null,
    clientWidth: 800, clientHeight: 600, offsetWidth: 264, offsetHeight: 200,
    classList: { add() {}, remove() {}, toggle() {} },
    get textContent() { return self.text + self.children.map((one) => one.textContent).join(" "); },
    set textContent(value) { self.text = value; },
    append(...more) { for (const one of more) { one.parent = self; self.children.push(one); } },
    replaceChildren() { self.children = []; },
    remove() { self.parent.children = self.parent.children.filter((one) => one !== self); },
    setAttribute(name, value) { self.attributes[name] = value; },
    addEventListener(name, run) { self.listeners[name] = run; },
    getBoundingClientRect() { return { left: 0, top: 0 }; }, setPointerCapture() {},
    getContext() { return brush; } };
  return self;
}
let dots = [];
const brush = { setTransform() {}, clearRect() { dots = []; }, beginPath() {}, fill() {}, stroke() {},
  arc(x, y, radius) { dots.push([x, y, radius, brush.globalAlpha]); } };
globalThis.document = { getElementById(id) { if (!nodes.has(id)) nodes.set(id, node(id)); return nodes.get(id); },
  createElement: node };
globalThis.window = { devicePixelRatio: 2, addEventListener() {} };
const text = fs.readFileSync(0, "utf8"), parts = JSON.parse(text);
document.getElementById("data").textContent = parts.data;
new Function(parts.code)();
const map = nodes.get("map"), stage = nodes.get("stage"), out = { first: dots };
const cards = () => stage.children.map((one) => one.textContent);
function point(kind, [x, y]) { map.listeners[kind]({ type: kind, pointerId: 1, clientX: x, clientY: y }); }
const [one, two] = dots;
point("pointermove", one); out.hovered = cards();
point("pointermove", [-99, -99]); out.left = cards();
point("pointerdown", one); point("pointerup", one); out.pinned = cards();
point("pointermove", two); out.both = cards();
point("pointermove", [-99, -99]);
map.listeners.wheel({ preventDefault() {}, clientX: one[0], clientY: one[1], deltaY: -500, deltaMode: 0 });
out.zoomed = dots;
const to = [one[0] + 30, one[1] + 10];
point("pointerdown", one); point("pointermove", to); point("pointerup", to);
out.dragged = dots; out.afterDrag = cards();
map.listeners.dblclick(); out.reset = dots;
nodes.get("search").listeners.input({ target: { value: "PLAIN " } });
out.searched = dots; out.listed = nodes.get("found").children.map((one) => one.textContent);
nodes.get("search").listeners.input({ target: { value: "" } });
nodes.get("legend").children[0].listeners.click(); out.toggled = dots;
out.listedAfter = nodes.get("foundTitle").textContent;
nodes.get("legend").children[0].listeners.click(); out.back = dots;
nodes.get("found").children[0].listeners.click(); out.unpinned = cards();
nodes.get("found").children[0].listeners.click(); out.repinned = cards();
console.log(JSON.stringify(out));
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node to run the page's script")
def test_the_page_hovers_pins_zooms_searches_and_toggles(page_text: str) -> None:
    page = Page(page_text)
    given = json.dumps({"data": page.scripts[0][1], "code": page.scripts[1][1]})
    done = subprocess.run(["node", "-e", STUB], input=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    out = json.loads(done.stdout)
    assert len(out["first"]) == 9
    assert all(0 < x < 800 and 0 < y < 600 for x, y, _, _ in out["first"])
    assert len(out["hovered"]) == 1
    assert HOSTILE[0] in out["hovered"][0]
    assert "Bass House 70 %" in " ".join(out["hovered"][0].split())
    assert "126 BPM" in out["hovered"][0]
    assert out["left"] == []
    assert len(out["pinned"]) == 1
    assert len(out["both"]) == 2
    assert HOSTILE[1] in out["both"][1]
    # the wheel keeps what is under it where it is, and spreads the rest
    first, zoomed = np.array(out["first"]), np.array(out["zoomed"])
    assert zoomed[0, :2] == pytest.approx(first[0, :2], abs=1e-6)
    assert np.ptp(zoomed[:, 0]) > 1.8 * np.ptp(first[:, 0])
    assert np.array(out["dragged"])[:, :2] - zoomed[:, :2] == pytest.approx(np.tile([30.0, 10.0], (9, 1)))
    assert len(out["afterDrag"]) == 1, "a drag pins nothing"
    assert np.array(out["reset"])[:, :2] == pytest.approx(first[:, :2])
    assert sorted(alpha for *_, alpha in out["searched"]) == [0.14] * 7 + [1] * 2
    assert out["listed"] == ["plain one", "plain two"]
    assert len(out["toggled"]) == 7
    assert out["listedAfter"] == "7 tracks"
    assert len(out["back"]) == 9
    assert out["unpinned"] == []
    assert len(out["repinned"]) == 1


def test_the_picture_shows_points_in_their_colours(tmp_path: Path) -> None:
    portraits = some_portraits()
    points, _ = project(np.array([one.embedding for one in portraits]))
    colours = colours_of([one.label for one in portraits], load_palettes())
    draw_map(portraits, points, tmp_path / "map.png", colours, "PCA of $a^", "A note.")
    picture = np.round(image.imread(str(tmp_path / "map.png"))[..., :3] * 255).astype(int)
    assert picture.shape[0] > 600
    for colour in ("#ffffff", "#a020f0", "#008b8b", "#ff1493"):
        wanted = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
        assert np.count_nonzero((picture == wanted).all(axis=2)) > 30, colour
    assert (picture == [11, 13, 20]).all(axis=2).mean() > 0.7
    with pytest.raises(HouseXError, match=r"map\.png cannot be written"):
        draw_map(portraits, points, tmp_path / "none" / "map.png", colours, "")
    with pytest.raises(HouseXError, match=r"map\.html cannot be written"):
        write_page(portraits, points, tmp_path / "none" / "map.html", colours, "")


def test_pca_keeps_the_plane_of_the_greatest_variance() -> None:
    rng = np.random.default_rng(1)
    plane = rng.standard_normal((40, 2)) * [3.0, 1.0]
    basis = np.linalg.qr(rng.standard_normal((12, 2)))[0]
    points, note = project(plane @ basis.T + 0.01 * rng.standard_normal((40, 12)))
    assert note == ""
    assert float(np.abs(points).max()) == pytest.approx(1.0)

    def distances(rows: np.ndarray) -> np.ndarray:
        return np.linalg.norm(rows[:, None] - rows[None], axis=2)

    ratio = distances(points)[~np.eye(40, dtype=bool)] / distances(plane)[~np.eye(40, dtype=bool)]
    assert ratio.std() / ratio.mean() < 0.05, "distances are kept up to one factor"
    assert np.array_equal(project(plane @ basis.T)[0], project(plane @ basis.T)[0])


def test_tsne_keeps_groups_together() -> None:
    pytest.importorskip("sklearn")
    rng = np.random.default_rng(2)
    group = np.repeat([0, 1, 2], 8)
    points, note = project(
        np.eye(3)[group] @ rng.standard_normal((3, 10)) * 3 + 0.1 * rng.standard_normal((24, 10)), "tsne"
    )
    assert note == ""
    gap = np.linalg.norm(points[:, None] - points[None], axis=2) + 9 * np.eye(24)
    assert np.array_equal(group[gap.argmin(axis=1)], group)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_few_tracks_have_a_map(method: str, count: int) -> None:
    pytest.importorskip("sklearn")
    points, note = project(np.random.default_rng(3).standard_normal((count, 6)), method)
    assert points.shape == (count, 2)
    assert np.isfinite(points).all()
    assert len(np.unique(points.round(6), axis=0)) == count
    fewest = {"pca": 1, "tsne": 3, "umap": 5}[method]
    assert bool(note) == (count < fewest)
    if note:
        assert f"needs {fewest} different tracks, there are {count}: this map is a PCA." in note


def test_equal_tracks_have_a_map() -> None:
    for method in METHODS:
        points, note = project(np.ones((9, 4)), method)
        assert np.array_equal(points, np.zeros((9, 2)))
        assert bool(note) == (method != "pca")


def test_umap_is_asked_for_as_many_neighbours_as_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {}

    class Umap:
        def __init__(self, **options: object) -> None:
            asked.update(options)

        def fit_transform(self, rows: np.ndarray) -> np.ndarray:
            return rows[:, :2].astype(np.float32)

    monkeypatch.setitem(sys.modules, "umap", types.SimpleNamespace(UMAP=Umap))
    project(np.random.default_rng(0).standard_normal((6, 3)), "umap")
    assert asked["n_neighbors"] == 5
    project(np.random.default_rng(0).standard_normal((60, 3)), "umap")
    assert asked["n_neighbors"] == 15
    assert asked["random_state"] == 0


def test_a_missing_library_is_named_with_the_way_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.random.default_rng(0).standard_normal((8, 3))
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(HouseXError, match=r"^UMAP needs umap-learn\. Install it with: pip install umap-learn$"):
        project(rows, "umap")
    monkeypatch.setitem(sys.modules, "sklearn.manifold", None)
    with pytest.raises(HouseXError, match=r"^t-SNE needs scikit-learn\. Install it with: pip install --group map$"):
        project(rows, "tsne")


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two folders with a song each, and one that nobody can read."""
    folder = tmp_path_factory.mktemp("music")
    for number, (genre, bpm) in enumerate((("bass_house", 126.0), ("deep_house", 122.0))):
        form = ["intro"] * 4 + ["drop"] * 8
        (folder / genre).mkdir()
        sf.write(
            folder / genre / f"song_{number}.wav", house(form, beats_for(np.full(12, bpm), 0.2), seed=number), RATE_HZ
        )
    (folder / "deep_house" / "broken.wav").write_bytes(b"no sound")
    return folder


def test_a_portrait_is_the_loud_part_of_the_drops(music: Path) -> None:
    bars = bars_of_file(music / "bass_house" / "song_0.wav")
    ear = PlainEar()
    track = FoundTrack(music / "x.wav", "x", drops_s=((0.0, 6.0),))
    one = portrait_of(track, bars, ear)
    probs, heard = ear.hear(bars)
    middle_s = 0.5 * (bars.starts_s + bars.ends_s)
    weight = np.where(middle_s < 6.0, 0.2 + bars.energy, 0.0)
    assert one.drop_bars == np.count_nonzero(middle_s < 6.0) > 0
    assert one.probs == pytest.approx(np.average(probs, axis=0, weights=weight))
    assert one.attributes == pytest.approx(np.average(heard.attributes, axis=0, weights=weight))
    mean = np.average(heard.embedding, axis=0, weights=weight)
    assert one.embedding == pytest.approx(mean / np.linalg.norm(mean))
    assert float(np.linalg.norm(one.embedding)) == pytest.approx(1.0)
    assert one.bpm == pytest.approx(126.0, abs=0.3)
    # without any drop all bars count, and a ruler is no tempo
    plain = FileBars(**{**vars(bars), "section": np.zeros(len(bars), np.int64), "beat_heard": False})
    whole = portrait_of(FoundTrack(music / "x.wav", "x"), plain, ear)
    assert (whole.drop_bars, whole.bpm) == (0, None)
    assert whole.probs == pytest.approx(np.average(probs, axis=0, weights=0.2 + bars.energy))


def test_portraits_are_kept_by_content_and_model(music: Path, tmp_path: Path) -> None:
    tracks, warnings = find_tracks([music])
    assert [track.title for track in tracks] == ["song 0", "broken", "song 1"]
    assert tracks[0].given == {"Bass House": 1.0}
    assert warnings == []
    ear, said = PlainEar(), []
    told: list[tuple[int, int]] = []
    first = portraits_of(tracks, ear, tmp_path, 1, lambda *counts: told.append(counts), said.append)
    assert [one.title for one in first] == ["song 0", "song 1"]
    assert said == ['"broken.wav" is not an audio file. It was left out.']
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert ear.calls == 2
    moved = tmp_path / "elsewhere.wav"
    moved.write_bytes(tracks[0].path.read_bytes())
    again = portraits_of([FoundTrack(moved, "another name")], ear, tmp_path)
    assert ear.calls == 2
    assert (again[0].title, again[0].path, again[0].given) == ("another name", moved, {})
    assert np.array_equal(again[0].embedding, first[0].embedding)
    assert np.array_equal(again[0].probs, first[0].probs)
    assert again[0].bpm == first[0].bpm
    portraits_of(tracks[:1], PlainEar("other weights"), tmp_path)
    assert len(list(tmp_path.glob("*.portrait.json"))) == 3
    for kept in tmp_path.glob("*.portrait.json"):
        kept.write_text('{"sha256": "x", "probs": [1')
    portraits_of(tracks[:1], ear, tmp_path)
    assert ear.calls == 3, "a damaged entry is heard anew"


def test_tracks_are_found_with_and_without_labels(tmp_path: Path) -> None:
    with pytest.raises(CollectionError, match=r'There is no ".*gone"'):
        find_tracks([tmp_path / "gone"])
    with pytest.raises(CollectionError, match="There is no audio in"):
        find_tracks([tmp_path])
    (tmp_path / "a.wav").write_bytes(b"a")
    (tmp_path / "b.wav").write_bytes(b"b")
    assert find_tracks([tmp_path, tmp_path / "a.wav"]) == (
        [FoundTrack(tmp_path / "a.wav", "a"), FoundTrack(tmp_path / "b.wav", "b")], [],
    )  # fmt: skip
    (tmp_path / "labels.csv").write_text("file,genre\na.wav,Bass\n")
    assert find_tracks([tmp_path])[0][0].given == {}, "one class tells nothing apart"
    (tmp_path / "labels.csv").write_text("file,genre\na.wav,\n")
    tracks, warnings = find_tracks([tmp_path])
    assert len(tracks) == 2
    assert warnings == ['The tracks are not labelled: "a.wav" has no label: its shares sum to 0 (labels.csv, line 2).']
    with pytest.raises(CollectionError, match="has no label"):
        find_tracks([tmp_path / "labels.csv"])


def command(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    embed.add_embed_parser(parser.add_subparsers())
    return parser.parse_args(["embed", *words])


def test_the_command_writes_the_page_and_the_picture(
    music: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(listening, "open_backend", lambda *_: None)
    monkeypatch.setattr(listening, "ModelEar", lambda *_: PlainEar())
    arguments = command(str(music), "-o", str(tmp_path / "m.html"), "--png", str(tmp_path / "m.png"), "--method", "tsne",
                        "--jobs", "1", "--no-cache")  # fmt: skip
    assert arguments.func(arguments) == 0
    said = capsys.readouterr()
    assert "m.html" in said.out
    assert "m.png" in said.out
    assert 'warning: "broken.wav" is not an audio file.' in said.err
    assert "1 of 3 tracks were left out" in said.err
    assert "t-SNE needs 3 different tracks, there are 2: this map is a PCA." in said.err
    data = json.loads(Page((tmp_path / "m.html").read_text(encoding="utf-8")).scripts[0][1])
    assert [track["label"] for track in data["tracks"]] == ["Bass House", "Deep House"]
    assert data["about"].startswith("PCA of the embeddings of ")
    assert (tmp_path / "m.png").stat().st_size > 5000
    nothing = command(str(music / "deep_house" / "broken.wav"), "-o", str(tmp_path / "n.html"), "--no-cache")
    with pytest.raises(AudioError, match="None of the tracks can be heard"):
        nothing.func(nothing)
    assert not (tmp_path / "n.html").exists()
