"""The miniatures of the data sets: the published formats and music that is where the labels say."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

pytest.importorskip("openpyxl")

import openpyxl
from PIL import Image

from trainer.data import miniature as miniatures
from trainer.data import miniature_clips, miniature_housex, miniature_mainstage, miniature_songs
from trainer.data.classes import GTZAN, HOMBURG, HOUSEX
from trainer.data.miniature import Making, manifest_of
from trainer.synth.track import KEY_NAMES

Miniature = Callable[[str], Path]
UPLOAD = re.compile(r"[0-9a-f]{8}-[-\w.]+")


def rms(samples: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))


def read_json(path: Path) -> list[dict]:
    return json.loads(path.read_text(encoding="utf-8"))


def is_louder(path: Path, spans: list[tuple[float, float]]) -> bool:
    """Whether the sound within the spans is louder than that before the first of them."""
    samples, rate_hz = sf.read(path)
    inside = np.concatenate([samples[int(start * rate_hz) : int(end * rate_hz)] for start, end in spans])
    return rms(inside) > rms(samples[: int(spans[0][0] * rate_hz)])


# --- all data sets


@pytest.mark.slow
@pytest.mark.parametrize("name", miniatures.NAMES)
def test_a_miniature_says_what_it_is(miniature: Miniature, name: str) -> None:
    folder = miniature(name)
    manifest = manifest_of(folder)
    assert manifest is not None
    assert (manifest.data_set, manifest.seed, manifest.size) == (name, 0, "small")
    assert "No figure" in manifest.says
    assert "real music" in manifest.says
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert set(manifest.files) == files
    audio = {file for file in files if file.endswith((".wav", ".ogg", ".mp3"))}
    assert set(manifest.artists) == audio
    assert "numpy" in manifest.versions
    assert "python" in manifest.versions
    assert not [path for path in folder.parent.iterdir() if path.name.startswith(".")]


@pytest.mark.slow
@pytest.mark.parametrize("name", miniatures.NAMES)
def test_in_every_class_two_tracks_share_an_artist_and_no_artist_is_in_two_classes(
    miniature: Miniature, name: str
) -> None:
    manifest = manifest_of(miniature(name))
    assert manifest is not None
    tracks = Counter(manifest.artists.values())
    classes = {"housex": 4, "mainstage": 8, "gtzan": 10, "homburg": 9}[name]
    assert Counter(tracks.values())[2] == classes
    assert max(tracks.values()) == 2
    # three artists at least, so that there is one for training, validation and test
    assert len(tracks) >= 3 * classes
    if name in ("gtzan", "homburg"):
        homes = {(artist, file.split("/")[-2]) for file, artist in manifest.artists.items()}
        assert len(homes) == len(tracks)


def test_the_same_seed_gives_the_same_song_and_another_seed_another() -> None:
    def first(seed: int) -> miniature_housex._Track:
        return miniature_housex._draw(Making("housex", Path("x"), seed, "small", 1))[0]

    assert first(3) == first(3)
    assert first(3) != first(4)
    short = {"plan": [("build", 1), ("drop", 2)]}
    songs = [miniature_songs.Song(**{**vars(first(seed).song), **short}) for seed in (3, 3, 4)]
    sounds = [miniature_songs.render(song).audio for song in songs]
    assert np.array_equal(sounds[0], sounds[1])
    assert sounds[0].shape != sounds[2].shape or not np.array_equal(sounds[0], sounds[2])
    assert np.abs(sounds[0]).max() <= 0.95


def test_an_artist_has_one_sound() -> None:
    noise = np.random.default_rng(0).standard_normal((44100, 2)).astype(np.float32)

    def mastered(artist: str) -> np.ndarray:
        return miniature_songs._mastered(noise, miniature_songs.Song({}, [], 0, artist, darkest_hz=5000.0))

    assert np.array_equal(mastered("Alado"), mastered("Alado"))
    assert not np.allclose(mastered("Alado"), mastered("Talvik"), rtol=0.05)


def test_drops_that_touch_are_one() -> None:
    song = miniature_songs.Song(
        {"Bass House": 1.0}, [("drop", 1), ("drop", 1), ("break", 1), ("drop", 1)], 1, "A", 120.0
    )
    made = miniature_songs.render(song)
    assert np.allclose(miniature_songs.drops_of(made), [(0.0, 4.0), (6.0, 8.0)])


def test_names_are_invented_once() -> None:
    rng = np.random.default_rng(0)
    titles = miniature_songs.draw_titles(rng, 200)
    assert len(set(titles)) == 200
    artists = miniature_songs.draw_artists(rng, 3, 9)
    assert [[mine.index(artist) for artist in mine] for mine in artists] == [[0, 0, 2, 2, 4, 5, 6, 7, 8]] * 3
    assert len({artist for mine in artists for artist in mine}) == 3 * 7


def test_uploads_are_named_as_label_studio_does() -> None:
    name = miniature_songs.uploaded_name(np.random.default_rng(0), "Aspyer _ Matluck - Somebody (Police Remix).ogg")
    assert re.fullmatch(r"[0-9a-f]{8}-Aspyer___Matluck_-_Somebody_Police_Remix\.ogg", name)


# --- HouseX


@pytest.mark.slow
def test_housex_workbooks_name_each_track_with_key_and_tempo(miniature: Miniature) -> None:
    folder = miniature("housex")
    rows = []
    for label in HOUSEX:
        book = openpyxl.load_workbook(folder / "metadata" / f"{label.lower().replace(' ', '_')}_meta.xlsx")
        assert book.sheetnames == ["Sheet1"]
        values = list(book["Sheet1"].values)
        assert len(values) == 5
        rows += values
    assert {row[0] for row in rows} == {path.name for path in (folder / "audio").iterdir()}
    for file, key, camelot, bpm in rows:
        assert re.fullmatch(r"\w+( _ DJ \w+)? - \w+ \w+ \((Original|Extended) Mix\)\.wav", file)
        assert re.fullmatch(r"[A-G][♭#]? (major|minor)", key)
        assert re.fullmatch(r"([1-9]|1[0-2])[AB]", camelot)
        assert isinstance(bpm, int)
    assert sorted(bpm < 80 for *_, bpm in rows) == [False] * 19 + [True]
    assert all(122 <= bpm <= 130 for *_, bpm in rows if bpm >= 80)


def test_keys_are_spelled_as_in_the_tables() -> None:
    # of the published rows: Brooks - Pinball is F minor, 4A
    assert miniature_housex.spelled_key("F minor") == ("F minor", "4A")
    assert miniature_housex.spelled_key("C major") == ("C major", "8B")
    assert miniature_housex.spelled_key("Gb minor") == ("F# minor", "11A")
    assert miniature_housex.spelled_key("Eb major") == ("E♭ major", "5B")
    codes = [miniature_housex.spelled_key(f"{name} {mode}")[1] for name in KEY_NAMES for mode in ("major", "minor")]
    assert len(set(codes)) == 24


@pytest.mark.slow
def test_housex_drops_are_marked_where_the_music_is_louder(miniature: Miniature) -> None:
    folder = miniature("housex")
    tasks = read_json(folder / "annotations" / "drops.json")
    files = {re.sub(r"[^-\w.]", "", path.name.replace(" ", "_")): path for path in (folder / "audio").iterdir()}
    assert len(tasks) == len(files) == 20
    louder = 0
    for task in tasks:
        assert UPLOAD.fullmatch(task["file_upload"])
        assert task["data"]["audio"].endswith("/" + task["file_upload"])
        (annotation,) = task["annotations"]
        (region,) = annotation["result"]
        assert (region["type"], region["to_name"], region["value"]["labels"]) == ("labels", "audio", ["drop"])
        path = files[task["file_upload"][9:]]
        start_s, end_s = region["value"]["start"], region["value"]["end"]
        info = sf.info(path)
        assert 0.0 < start_s < end_s <= info.duration
        assert 29.0 < end_s - start_s < 32.0
        assert (info.samplerate, info.channels, info.subtype) == (44100, 2, "PCM_16")
        assert region.get("original_length", info.duration) == pytest.approx(info.duration)
        louder += is_louder(path, [(start_s, end_s)])
    assert louder >= 18
    assert ["original_length" in task["annotations"][0]["result"][0] for task in tasks] == [True] * 19 + [False]


@pytest.mark.slow
def test_housex_pictures_are_parted_by_track(miniature: Miniature) -> None:
    folder = miniature("housex")
    homes: dict[str, set[str]] = {}
    counts: dict[str, int] = {}
    for kind in ("melspecgrams_all", "melspecgrams_drop"):
        for path in (folder / kind).rglob("*.jpg"):
            label, rest = path.stem.split("-", 1)
            track, number = rest.rsplit("-", 1)
            assert label.title() in HOUSEX
            assert (folder / "audio" / f"{track}.wav").is_file()
            assert int(number) % 3 == 0
            homes.setdefault(track, set()).add(path.parent.name)
            counts[kind] = counts.get(kind, 0) + 1
    assert len(homes) == 20
    assert Counter(part for parts in homes.values() for part in parts) == {"train": 12, "val": 4, "test": 4}
    # 16 bars are 16 to 18 pictures of which every third is there
    assert 5 * 20 <= counts["melspecgrams_drop"] <= 6 * 20 < counts["melspecgrams_all"]
    for path in (folder / "melspecgrams_drop").rglob("*.jpg"):
        assert path.read_bytes() == (folder / "melspecgrams_all" / path.parent.name / path.name).read_bytes()


@pytest.mark.slow
def test_housex_pictures_of_the_drop_touch_the_drop(miniature: Miniature) -> None:
    folder = miniature("housex")
    tasks = read_json(folder / "annotations" / "drops.json")
    spans = {task["file_upload"][9:]: task["annotations"][0]["result"][0]["value"] for task in tasks}
    drop = {path.name for path in (folder / "melspecgrams_drop").rglob("*.jpg")}
    for path in (folder / "melspecgrams_all").rglob("*.jpg"):
        track, number = path.stem.split("-", 1)[1].rsplit("-", 1)
        span = spans[re.sub(r"[^-\w.]", "", f"{track}.wav".replace(" ", "_"))]
        start_s = int(number) * 41343 / 22050
        inside = start_s < span["end"] - 1e-3 and start_s + 1.875 > span["start"] + 1e-3
        assert (path.name in drop) == inside


def test_a_picture_is_what_specshow_paints(tmp_path: Path) -> None:
    librosa = pytest.importorskip("librosa")
    pytest.importorskip("librosa.display")
    from matplotlib import pyplot

    samples = (0.1 * np.random.default_rng(0).standard_normal(41343)).astype(np.float32)
    samples[:20000] *= np.linspace(0.0, 1.0, 20000, dtype=np.float32)
    # twice, because the figure is used again
    for sound in (samples[::-1].copy(), samples):
        miniature_housex._painter().paint(sound, tmp_path / "ours.jpg")
    mel = librosa.feature.melspectrogram(y=samples, sr=22050, pad_mode="reflect")
    pyplot.switch_backend("agg")
    pyplot.figure(figsize=(6.4, 4.8))
    pyplot.axis("off")
    librosa.display.specshow(librosa.power_to_db(mel, ref=np.max))
    pyplot.savefig(tmp_path / "theirs.jpg", bbox_inches="tight")
    pyplot.close()
    with Image.open(tmp_path / "ours.jpg") as ours, Image.open(tmp_path / "theirs.jpg") as theirs:
        assert ours.size == (516, 389)
        assert ours.mode == "RGB"
        pixels = np.asarray(ours, np.int64)
        assert np.abs(pixels - np.asarray(theirs, np.int64)).mean() < 0.5
    assert min(edge.min() for edge in (pixels[:6], pixels[-6:], pixels[:, :6], pixels[:, -6:])) > 230


# --- mainstage


@pytest.mark.slow
def test_mainstage_labels_have_the_published_form_and_shapes(miniature: Miniature) -> None:
    folder = miniature("mainstage")
    shapes: Counter[tuple[float, ...]] = Counter()
    for part in ("part-new", "part-1-5"):
        tasks = read_json(folder / part / "annotations.json")
        assert {task["file_upload"] for task in tasks} == {path.name for path in (folder / part).glob("*.ogg")}
        for number, task in enumerate(tasks, 1):
            assert task["id"] == task["inner_id"] == number
            assert UPLOAD.fullmatch(task["file_upload"])
            assert task["data"]["audio"] == f"/data/upload/{task['project']}/{task['file_upload']}"
            (annotation,) = task["annotations"]
            assert not annotation["was_cancelled"]
            results = annotation["result"]
            assert {item["from_name"] for item in results} == set(miniature_mainstage.CLASSES)
            assert len(results) == 8
            assert all(item["type"] == "number" and len(item["id"]) == 10 for item in results)
            shares = sorted((item["value"]["number"] for item in results), reverse=True)
            assert sum(shares) == 1.0
            shapes[tuple(share for share in shares if share)] += 1
    with (folder / "part-6-10" / "annotations.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {Path(row["audio"]).name for row in rows} == {path.name for path in (folder / "part-6-10").glob("*.ogg")}
    assert list(rows[0]) == ["audio", *miniature_mainstage.CLASSES]
    for row in rows:
        assert all(
            row[name].startswith('[{"number":') and row[name].endswith("}]") for name in miniature_mainstage.CLASSES
        )
        # the published code reads the cells so
        shares = sorted((float(row[name][11:-2]) for name in miniature_mainstage.CLASSES), reverse=True)
        assert sum(shares) == 1.0
        shapes[tuple(share for share in shares if share)] += 1
    assert set(shapes) == {(1.0,), (0.75, 0.25), (0.5, 0.5), (0.5, 0.25, 0.25)}
    assert sum(shapes.values()) == 32
    assert "Techno" in miniature_mainstage.CLASSES
    assert "Tech House" not in miniature_mainstage.CLASSES


@pytest.mark.slow
def test_mainstage_drops_have_the_published_faults_and_are_louder(miniature: Miniature) -> None:
    folder = miniature("mainstage")
    louder = told = 0
    for part, repeated in (("part-new", 0), ("part-1-5", 1), ("part-6-10", 0)):
        rows = read_json(folder / part / "detected_drops.json")
        named = [row["audio_path"] for row in rows]
        files = {f"{part}/{path.name}" for path in (folder / part).glob("*.ogg")}
        assert len(named) == len(files)
        assert len(files - set(named)) == repeated
        assert len(named) - len(set(named)) == repeated
        assert sum(not row["drop_sections"] for row in rows) == repeated
        for row in rows:
            info = sf.info(folder / row["audio_path"])
            assert (info.format, info.samplerate, info.channels) == ("OGG", 44100, 2)
            spans = [(float(start), float(end)) for start, end in row["drop_sections"]]
            # the benchmark cuts 7.5 s out of each
            assert all(15.0 <= start < end - 7.6 and end <= info.duration + 1e-3 for start, end in spans)
            if spans:
                told += 1
                louder += is_louder(folder / row["audio_path"], spans)
    assert louder >= told - 4


def test_a_soft_label_is_of_genres_that_musicians_mix() -> None:
    assert miniature_mainstage._mixture("Techno", 3) == ["Techno", "Future House", "Bass House"]
    assert miniature_mainstage._mixture("Bigroom", 1) == ["Bigroom"]
    tracks = miniature_mainstage._draw(Making("mainstage", Path("x"), 0, "medium", 1))
    assert len(tracks) == 160
    assert len({track.path for track in tracks}) == 160
    # what is rendered is what is labelled, in this project's spelling
    for track in tracks:
        assert sorted(track.song.shares.values()) == sorted(share for share in track.shares.values() if share)
        assert "Techno" not in track.song.shares


# --- GTZAN and Homburg


@pytest.mark.slow
def test_gtzan_clips_are_as_long_as_published(miniature: Miniature) -> None:
    folder = miniature("gtzan") / "genres_original"
    assert sorted(path.name for path in folder.iterdir()) == list(GTZAN)
    for genre in GTZAN:
        clips = sorted((folder / genre).iterdir())
        assert [path.name for path in clips] == [f"{genre}.{number:05d}.wav" for number in range(4)]
        for path in clips:
            info = sf.info(path)
            assert (info.frames, info.samplerate, info.channels, info.subtype) == (661794, 22050, 1, "PCM_16")
            samples, _ = sf.read(path)
            # music to the end
            assert min(rms(part) for part in np.array_split(samples, 10)) > 0.003


@pytest.mark.slow
def test_gtzan_tables_have_kaggles_columns(miniature: Miniature) -> None:
    folder = miniature("gtzan")
    for seconds, per_clip, length in ((30, 1, 661794), (3, 10, 66149)):
        with (folder / f"features_{seconds}_sec.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        assert len(rows[0]) == 60
        assert list(rows[0])[:3] == ["filename", "length", "chroma_stft_mean"]
        assert list(rows[0])[-2:] == ["mfcc20_var", "label"]
        assert Counter(row["label"] for row in rows) == dict.fromkeys(GTZAN, 2 * per_clip)
        assert {int(row["length"]) for row in rows} == {length}
        clips = {".".join(row["filename"].split(".")[:2]) for row in rows}
        assert clips == {f"{genre}.{number:05d}" for genre in GTZAN for number in (0, 2)}
        assert all(np.isfinite(float(row["tempo"])) for row in rows)


@pytest.mark.slow
def test_two_excerpts_of_a_recording_are_alike_but_not_the_same(miniature: Miniature) -> None:
    """So that a split between them is easier than one between recordings."""
    folder = miniature("gtzan") / "genres_original"

    def colour(genre: str, number: int) -> np.ndarray:
        samples, _ = sf.read(folder / genre / f"{genre}.{number:05d}.wav")
        power = np.abs(np.fft.rfft(samples[: 20 * 32768].reshape(20, 32768), axis=1)) ** 2
        bands = np.array_split(power.mean(axis=0)[:16384], 32)
        return 10.0 * np.log10([band.mean() for band in bands])

    closer = 0
    for genre in GTZAN:
        first, second, other = (colour(genre, number) for number in (0, 1, 2))
        assert not np.allclose(first, second, atol=1e-3)
        closer += np.abs(first - second).mean() < np.abs(first - other).mean()
    assert closer >= 9


def test_a_recording_holds_all_its_clips() -> None:
    for name, styles, clip_s in (("gtzan", miniature_clips.GTZAN_STYLES, 661794 / 22050), ("homburg", miniature_clips.HOMBURG_STYLES, 10.0)):  # fmt: skip
        making = Making(name, Path("x"), 5, "small", 1)
        folder = Path("x")
        recordings = drawn_without_folders(making, styles, folder, clip_s)
        assert Counter(len(recording.paths) for recording in recordings) == {2: len(styles), 1: 2 * len(styles)}
        for recording in recordings:
            bars = sum(length for _, length in recording.song.plan[:-1])
            assert bars * 240.0 / recording.song.bpm >= len(recording.paths) * clip_s + 0.05


def drawn_without_folders(making: Making, styles: dict, folder: Path, clip_s: float) -> list:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "mkdir", lambda *_args, **_options: None)
        return miniature_clips._draw(making, styles, folder, clip_s)


def test_every_genre_has_a_style_of_its_own() -> None:
    assert tuple(miniature_clips.GTZAN_STYLES) == GTZAN
    assert tuple(miniature_clips.HOMBURG_STYLES) == HOMBURG
    for styles in (miniature_clips.GTZAN_STYLES, miniature_clips.HOMBURG_STYLES):
        assert len({str(style) for style in styles.values()}) == len(styles)
        assert all(sum(style.shares.values()) == 1.0 for style in styles.values())


@pytest.mark.slow
def test_homburg_has_clips_of_ten_seconds(miniature: Miniature) -> None:
    folder = miniature("homburg")
    for genre in HOMBURG:
        clips = list((folder / genre).iterdir())
        assert len(clips) == 4
        for path in clips:
            samples, rate_hz = sf.read(path)
            assert path.suffix == ".mp3"
            assert rate_hz == 44100
            assert len(samples) / rate_hz == pytest.approx(10.0, abs=0.1)
            assert rms(samples) > 0.003
