"""Language models asked for sub-genres: prompts, replies, abstentions, going on after a stop, and a tiny real model."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

pytest.importorskip("transformers")

from housex_blender.core.errors import HouseXError, ModelError
from trainer.data.classes import MAINSTAGE
from trainer.data.collection import Collection, Track
from trainer.systems import genre_prompts, prompted
from trainer.systems.audio_language import open_listener
from trainer.systems.genre_prompts import prompt_of, published_order, published_reading, reading
from trainer.systems.prompted import NAMES, notes_of, run_prompted

from . import tiny_models

DEEP, BIGROOM = MAINSTAGE.index("Deep House"), MAINSTAGE.index("Bigroom")
RATE_HZ = 8000


class Scripted:
    """Says what it is told to, and remembers what it was asked."""

    sample_rate_hz = RATE_HZ

    def __init__(self, say: Callable[[int], str]) -> None:
        self.say = say
        self.asked: list[tuple[str, np.ndarray]] = []

    def answer(self, prompt: str, samples: np.ndarray) -> str:
        self.asked.append((prompt, samples))
        return self.say(len(self.asked) - 1)


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    """24 tracks with two drops of 16 s, which sound of 0.2 and 0.4."""
    folder = tmp_path_factory.mktemp("mainstage")
    sound = np.zeros(50 * RATE_HZ, np.float32)
    sound[5 * RATE_HZ : 21 * RATE_HZ] = 0.2
    sound[30 * RATE_HZ : 46 * RATE_HZ] = 0.4
    soundfile.write(folder / "track.wav", sound, RATE_HZ)
    tracks = [
        Track(f"track {number:02d}", np.eye(8, dtype=np.float32)[number % 8], folder / "track.wav", duration_s=50.0,
              drops_s=((5.0, 21.0), (30.0, 46.0)))
        for number in range(24)
    ]  # fmt: skip
    return Collection("mainstage", folder, MAINSTAGE, tuple(tracks))


def ask(collection: Collection, say: Callable[[int], str], preset: str, **options):
    scripted = Scripted(say)
    found = run_prompted(
        "mainstage/qwen2-audio", preset, {}, collection, Path("model"), 0, listener=lambda: scripted, **options
    )
    return found, scripted


def test_a_prompt_has_the_list_of_the_classes_and_the_full_one_describes_each():
    full, least = prompt_of(MAINSTAGE, full=True), prompt_of(MAINSTAGE, full=False)
    for number, name in enumerate(MAINSTAGE, 1):
        assert f"{number}. {name}" in full
        assert f"{number}. {name}" in least
        assert f"{name}: " in full
        assert f"{name}: " not in least
    assert len(least) < len(full) / 3
    with pytest.raises(HouseXError, match="No prompt describes polka"):
        prompt_of(("polka",), full=True)


def test_only_the_published_prompt_swaps_two_classes():
    listed = published_order(MAINSTAGE)
    assert (listed[DEEP], listed[BIGROOM]) == ("Bigroom", "Deep House")
    assert [name for name, other in zip(listed, MAINSTAGE, strict=True) if name == other] == [
        name for name in MAINSTAGE if name not in ("Deep House", "Bigroom")
    ]


@pytest.mark.parametrize(("reply", "theirs", "ours"), [
    ("5", 4, 4),
    ("The answer is 7.", 6, 6),
    # a tempo is the first number, and no class
    ("At 128 BPM this is 3", -1, 2),
    ("0", -1, -1),
    ("9", -1, -1),
    ("Deep House", -1, 4),
    ("it sounds like deep house", 4, 4),
    ("DEEP-HOUSE, surely", -1, 4),
    ("techno", 3, 3),
    ("Tech House", -1, 3),
    ("Big Room", -1, 5),
    ("Future Rave rather than Future House", -1, 6),
    # in the order of the labels, not of the reply
    ("slap house or future house", 1, 7),
    ("I cannot listen to music.", -1, -1),
    ("", -1, -1),
    ("indeed deeply moving", -1, -1),
])  # fmt: skip
def test_replies_are_read_as_published_and_as_they_are_meant(reply: str, theirs: int, ours: int):
    assert published_reading(reply, MAINSTAGE) == theirs
    assert reading(reply, MAINSTAGE) == ours


def test_every_name_of_the_list_is_understood():
    for index, name in enumerate(MAINSTAGE):
        assert reading(f"This is {name}!", MAINSTAGE) == index
        assert reading(str(index + 1), MAINSTAGE) == index
    assert set(genre_prompts._names(MAINSTAGE).values()) == set(range(8))


def test_abstentions_are_errors_unless_the_published_code_drops_them(collection: Collection):
    def say(number: int) -> str:
        return "no idea" if number % 2 else "3"

    paper, _ = ask(collection, say, "as_paper")
    assert len(paper["val"].said) == 40
    assert (paper["val"].said == -1).sum() == 20
    assert not paper["val"].probs[paper["val"].said == -1].any()
    code, _ = ask(collection, say, "as_code")
    assert set(code["val"].said) == {2}
    assert len(code["val"].said) < 40


def test_a_right_answer_to_the_swapped_list_is_scored_wrong(collection: Collection):
    """A model that knows the sub-genre and says the number that its prompt gives it."""
    track_of: dict[str, str] = {}

    def accuracy(preset: str, name: str) -> float:
        only = tuple(
            replace(track, label=np.eye(8, dtype=np.float32)[MAINSTAGE.index(name)]) for track in collection.tracks
        )
        scripted = Scripted(lambda number: track_of["number"])
        prompt = prompt_of(published_order(MAINSTAGE) if preset == "as_code" else MAINSTAGE, full=True)
        track_of["number"] = next(line.split(".")[0] for line in prompt.splitlines() if line.endswith(f". {name}"))
        found = run_prompted("mainstage/qwen-audio", preset, {}, replace(collection, tracks=only), Path("model"), 0,
                             listener=lambda: scripted)["val"]  # fmt: skip
        assert scripted.asked[0][0] == prompt
        return float((found.said == found.true).mean())

    assert [accuracy("as_code", name) for name in ("Deep House", "Bigroom", "Slap House")] == [0.0, 0.0, 1.0]
    assert [accuracy("fixed", name) for name in ("Deep House", "Bigroom", "Slap House")] == [1.0, 1.0, 1.0]


def test_the_published_clips_are_those_of_the_last_drop(collection: Collection):
    code, hears = ask(collection, lambda _: "1", "as_code")
    assert (code["val"].start_s >= 30.0).all()
    # eight rows per track, and four different clips
    assert len(code["val"].start_s) == 40
    assert len(hears.asked) == 20
    paper, hears = ask(collection, lambda _: "1", "as_paper")
    assert (paper["val"].start_s < 21.0).sum() == 20
    assert len(hears.asked) == 40


def test_another_seed_asks_about_other_clips_but_for_the_even_ones(collection: Collection):
    def starts(preset: str, seed: int) -> list[float]:
        scripted = Scripted(lambda _: "1")
        found = run_prompted(
            "mainstage/qwen2-audio", preset, {}, collection, Path("model"), seed, listener=lambda: scripted
        )
        return found["val"].start_s.tolist()

    for preset in ("as_code", "as_paper"):
        assert starts(preset, 1) == starts(preset, 1)
        assert not set(starts(preset, 0)) & set(starts(preset, 1))
    first, second = (prompted._cut(collection, prompted._WAYS["fixed"], seed) for seed in (0, 1))
    assert [clip.piece for clip in first] == [clip.piece for clip in second]


def clip_list(collection: Collection, path: Path, tracks: range = range(24), length_s: float = 7.5) -> Path:
    """Four clips of each of two drops, with times in the drop, labelled as their tracks but the last, which is class 0."""
    rows = [
        {
            "track_path": f"clips/{track.path.name}",
            "clip_start_time": float(place),
            "clip_end_time": place + length_s,
            "label": np.eye(8)[0 if number == 23 else number % 8].tolist(),
        }
        for number, track in enumerate(collection.tracks)
        if number in tracks
        for _drop in range(2)
        for place in range(4)
    ]
    path.write_text(json.dumps(rows), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def own_files(collection: Collection, tmp_path_factory: pytest.TempPathFactory) -> Collection:
    """The same, with a file for each track."""
    folder = tmp_path_factory.mktemp("own")
    tracks = []
    for number, track in enumerate(collection.tracks):
        path = folder / f"{number:02d}.wav"
        path.hardlink_to(track.path)
        tracks.append(replace(track, path=path))
    return replace(collection, folder=folder, tracks=tuple(tracks))


def listed(collection: Collection, preset: str, path: Path) -> tuple[dict, list[str], Scripted]:
    told: list[str] = []
    scripted = Scripted(lambda _: "1")
    found = run_prompted("mainstage/qwen2-audio", preset, {"clips": str(path)}, collection, Path("model"), 0,
                         on_problem=told.append, listener=lambda: scripted)  # fmt: skip
    return found, told, scripted


def test_the_clips_of_a_list_are_asked_about(own_files: Collection, tmp_path: Path):
    path = clip_list(own_files, tmp_path / "clip_info.json")
    drawn, _ = ask(own_files, lambda _: "1", "as_paper")
    found, told, scripted = listed(own_files, "as_paper", path)
    assert set(found["val"].track) == set(drawn["val"].track)
    assert len(scripted.asked) == 40
    for name in set(found["val"].track):
        starts = found["val"].start_s[found["val"].track == name]
        assert starts.tolist() == [5.0, 6.0, 7.0, 8.0, 30.0, 31.0, 32.0, 33.0]
    assert told == ["152 of 192 clips of the list are of tracks that train: they are not asked about."]
    # the published files of the first drop were written over by those of the last one
    code, _, scripted = listed(own_files, "as_code", path)
    assert set(code["val"].start_s) == {30.0, 31.0, 32.0, 33.0}
    assert len(code["val"].start_s) == 40
    assert len(scripted.asked) == 20


def test_the_list_says_what_is_right(own_files: Collection, tmp_path: Path):
    path = clip_list(own_files, tmp_path / "clip_info.json")
    right = np.full(8, 0.0, np.float32)
    right[3] = 1.0
    other = replace(own_files, tracks=tuple(replace(track, label=right) for track in own_files.tracks))
    found, _, _ = listed(other, "as_paper", path)
    expected = {track.name: 0 if number == 23 else number % 8 for number, track in enumerate(own_files.tracks)}
    assert found["val"].true.tolist() == [expected[name] for name in found["val"].track]


def test_what_is_wrong_with_a_list_is_told(own_files: Collection, tmp_path: Path):
    path = clip_list(own_files, tmp_path / "clip_info.json", length_s=6.0)
    rows = json.loads(path.read_text(encoding="utf-8"))
    rows[0]["track_path"] = "clips/nobody.wav"
    path.write_text(json.dumps(rows), encoding="utf-8")
    _, told, _ = listed(own_files, "as_paper", path)
    assert any("clip 1: its track is not there" in sentence for sentence in told)
    assert any("191 of 191 clips of clip_info.json are not 7.5 s long" in sentence for sentence in told)
    path.write_text(json.dumps(rows[:1]), encoding="utf-8")
    with pytest.raises(HouseXError, match=r"No clip of clip_info\.json can be used"):
        listed(own_files, "as_paper", path)
    with pytest.raises(HouseXError, match=r"missing\.json cannot be read"):
        listed(own_files, "as_paper", tmp_path / "missing.json")


def test_a_clip_is_7_5_seconds_of_its_drop(collection: Collection):
    found, hears = ask(collection, lambda _: "1", "fixed")
    assert set(found) == {"val", "test"}
    assert {len(samples) for _, samples in hears.asked} == {round(7.5 * RATE_HZ)}
    levels = [float(np.median(samples)) for _, samples in hears.asked]
    assert sorted({round(level, 1) for level in levels}) == [0.2, 0.4]
    for track in set(found["val"].track):
        starts = found["val"].start_s[found["val"].track == track]
        first, second = (starts >= 5.0) & (starts <= 13.5), (starts >= 30.0) & (starts <= 38.5)
        assert first.sum() == second.sum() >= 2
        assert (first | second).all()


def test_a_run_goes_on_where_it_stopped(collection: Collection, tmp_path: Path):
    class Killed(Exception):
        pass

    def dies(number: int) -> str:
        if number == 7:
            raise Killed
        return str(number % 8 + 1)

    with pytest.raises(Killed):
        ask(collection, dies, "as_paper", folder=tmp_path)
    path = tmp_path / "answers.jsonl"
    # and the last line was not written to its end
    path.write_bytes(path.read_bytes()[:-9])
    found, hears = ask(collection, lambda _: "5", "as_paper", folder=tmp_path)
    assert len(hears.asked) == 40 - 6
    assert found["val"].said.tolist()[:6] == [0, 1, 2, 3, 4, 5]
    assert set(found["val"].said[6:]) == {4}
    again, hears = ask(collection, lambda _: "1", "as_paper", folder=tmp_path)
    assert hears.asked == []
    np.testing.assert_array_equal(again["val"].probs, found["val"].probs)
    # another prompt is another question
    minimal = Scripted(lambda _: "2")
    run_prompted(
        "mainstage/qwen2-audio-min",
        "as_paper",
        {},
        collection,
        Path("model"),
        0,
        folder=tmp_path,
        listener=lambda: minimal,
    )
    assert len(minimal.asked) == 40


def test_replies_from_elsewhere_count_without_a_model(collection: Collection, tmp_path: Path):
    ask(collection, lambda _: "6", "fixed", folder=tmp_path)
    found = run_prompted("mainstage/qwen2-audio", "fixed", {}, collection, Path("model"), 0, folder=tmp_path)
    assert set(found["val"].said) == {5}
    rows = [json.loads(line) for line in (tmp_path / "answers.jsonl").read_text(encoding="utf-8").splitlines()]
    assert set(rows[0]) == {"prompt", "model", "track", "start_s", "reply"}


def test_another_program_can_answer_what_is_written_down_before_the_model_is_asked(
    collection: Collection, tmp_path: Path
):
    def run(**options) -> dict:
        return run_prompted(
            "mainstage/mu-llama", "as_code", {}, collection, tmp_path / "mu-llama", 0, folder=tmp_path, **options
        )

    with pytest.raises(ModelError, match=r"no folder.*questions\.jsonl.*add \"reply\".*answers\.jsonl"):
        run()
    assert (tmp_path / "prompt.txt").read_text(encoding="utf-8") == prompt_of(published_order(MAINSTAGE), True) + "\n"
    rows = [json.loads(line) for line in (tmp_path / "questions.jsonl").read_text(encoding="utf-8").splitlines()]
    # 40 rows of the figures are of 20 clips
    assert len(rows) == 20
    assert set(rows[0]) == {"prompt", "model", "track", "file", "start_s", "end_s"}
    assert all(Path(row["file"]).is_file() and row["end_s"] == pytest.approx(row["start_s"] + 7.5) for row in rows)
    answered = "".join(json.dumps(row | {"reply": "7"}) + "\n" for row in rows)
    (tmp_path / "answers.jsonl").write_text(answered, encoding="utf-8")
    assert run()["val"].said.tolist() == [6] * 40


def test_a_track_that_cannot_be_read_is_left_out_and_told(collection: Collection, tmp_path: Path):
    (tmp_path / "broken.wav").write_bytes(b"not a sound")
    tracks = tuple(replace(track, path=tmp_path / "broken.wav") if track.name == name else track
                   for name in [str(ask(collection, lambda _: "1", "as_paper")[0]["val"].track[0])]
                   for track in collection.tracks)  # fmt: skip
    told: list[str] = []
    found, _ = ask(replace(collection, tracks=tracks), lambda _: "1", "as_paper", on_problem=told.append)
    assert len(found["val"].said) == 32
    assert len(told) == 1
    assert "is left out" in told[0]


def test_a_track_that_is_cut_short_is_asked_about_and_told(collection: Collection, tmp_path: Path):
    cut = tmp_path / "cut.wav"
    cut.write_bytes((collection.folder / "track.wav").read_bytes()[: 40 * RATE_HZ * 2])
    tracks = tuple(replace(track, path=cut) for track in collection.tracks)
    told: list[str] = []
    found, _ = ask(replace(collection, tracks=tracks), lambda _: "1", "as_paper", on_problem=told.append)
    assert len(found["val"].said) == 40
    assert len(told) == len(set(found["val"].track))
    assert all(sentence.startswith('"cut.wav" is cut off after') for sentence in told)


def test_a_tiny_model_is_loaded_and_asked(collection: Collection, tmp_path: Path):
    folder = tiny_models.save_qwen2_audio(tmp_path / "tiny")
    few = replace(
        collection, tracks=tuple(replace(track, drops_s=track.drops_s[:1]) for track in collection.tracks[:5])
    )
    told: list[str] = []
    out = [tmp_path / "first", tmp_path / "second"]
    found = [run_prompted("mainstage/qwen2-audio-min", "as_paper", {}, few, folder, 0, "cpu", folder=to, on_problem=told.append)
             for to in out]  # fmt: skip
    assert len(found[0]["val"].said) == 4
    replies = [(to / "answers.jsonl").read_text(encoding="utf-8") for to in out]
    # greedy: the same replies, which are not empty
    assert replies[0] == replies[1]
    assert all(json.loads(line)["reply"] for line in replies[0].splitlines())
    assert told == []
    prompted._check_kind("mainstage/qwen2.5-omni", folder, told.append)
    assert len(told) == 1
    assert told[0].startswith("mainstage/qwen2.5-omni is of a model of the kind qwen2_5_omni; this one is qwen2_audio")


def test_the_thinking_half_of_omni_is_what_is_asked(tmp_path: Path):
    folder = tmp_path / "omni"
    folder.mkdir()
    state = tiny_models.save_omni(folder)
    listener = open_listener(folder, trust=False, device="cpu")
    loaded = listener._model.state_dict()
    assert all(torch.equal(value, loaded[name]) for name, value in state.items())
    sounds = [np.random.default_rng(seed).normal(scale=0.1, size=16000).astype(np.float32) for seed in (0, 0, 1)]
    replies = [listener.answer("Which?", sound) for sound in sounds]
    assert replies[0] == replies[1] != replies[2]


def test_what_is_no_such_model_is_told(collection: Collection, tmp_path: Path):
    def run(folder: Path, options: dict[str, str] | None = None) -> None:
        run_prompted("mainstage/kimi-audio", "fixed", options, collection, folder, 0, "cpu")

    with pytest.raises(ModelError, match=r"no folder .*never downloaded"):
        run(Path("moonshotai/Kimi-Audio-7B-Instruct"))
    folder = tmp_path / "kimi"
    folder.mkdir()
    with pytest.raises(ModelError, match=r'"kimi" has no config\.json'):
        run(folder)
    (folder / "config.json").write_text("{", encoding="utf-8")
    with pytest.raises(ModelError, match=r'config\.json of "kimi" cannot be read'):
        run(folder)
    settings = {"model_type": "kimi_audio", "auto_map": {"AutoModelForCausalLM": "modeling.Kimi"}}
    (folder / "config.json").write_text(json.dumps(settings), encoding="utf-8")
    with pytest.raises(ModelError, match='"kimi" has no weights'):
        run(folder)
    (folder / "model.safetensors").write_bytes(b"")
    with pytest.raises(ModelError, match=r"Kimi-Audio runs code that lies in .*trust=yes"):
        run(folder)
    with pytest.raises(ModelError, match=r"cannot be loaded.*answers\.jsonl"):
        run(folder, {"trust": "yes"})
    (folder / "config.json").write_text(json.dumps({"model_type": "mullama"}), encoding="utf-8")
    with pytest.raises(ModelError, match=r'no audio-language model of the kind "MU-LLaMA".*answers\.jsonl'):
        run(folder)


def test_a_model_with_missing_weights_is_refused(collection: Collection, tmp_path: Path):
    from safetensors.torch import load_file, save_file

    folder = tiny_models.save_qwen2_audio(tmp_path / "half")
    state = load_file(folder / "model.safetensors")
    save_file({name: value for name, value in state.items() if "multi_modal" not in name}, folder / "model.safetensors",
              {"format": "pt"})  # fmt: skip
    with pytest.raises(ModelError, match=r'"half" lacks 2 of the model\'s weights'):
        run_prompted("mainstage/qwen2-audio", "fixed", {}, collection, folder, 0, "cpu")


def test_unknown_names_and_a_data_set_without_drops_are_told(collection: Collection):
    with pytest.raises(HouseXError, match="no system 'mainstage/gpt'"):
        run_prompted("mainstage/gpt", "fixed", {}, collection, Path("model"), 0)
    with pytest.raises(HouseXError, match="no preset 'best'"):
        run_prompted(NAMES[0], "best", {}, collection, Path("model"), 0)
    with pytest.raises(HouseXError, match="no option 'prompt'"):
        run_prompted(NAMES[0], "fixed", {"prompt": "x"}, collection, Path("model"), 0)
    without = replace(collection, tracks=tuple(replace(track, drops_s=None) for track in collection.tracks))
    with pytest.raises(HouseXError, match="No track has a drop"):
        run_prompted(NAMES[0], "fixed", {}, without, Path("model"), 0)
    assert all(notes_of(preset) for preset in ("as_code", "as_paper", "fixed"))
