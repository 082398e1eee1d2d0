"""The timeline file: round trip, schema, and everything that can be wrong with it."""

from __future__ import annotations

import copy
import json
import os
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from housex_blender.core import timeline as module
from housex_blender.core.errors import TimelineError
from housex_blender.core.files import sha256_of
from housex_blender.core.schema import first_problem
from housex_blender.core.timeline import Timeline

SCHEMA = json.loads(Path(module.__file__).with_name("timeline.schema.json").read_text())


def test_round_trip(timeline: Timeline, tmp_path: Path) -> None:
    path = tmp_path / "mix.housex.json"
    timeline.save(path)
    again = Timeline.load(path)
    for name in ("probs", "confidence", "energy", "uncertain"):
        assert np.asarray(getattr(again, name), float) == pytest.approx(
            np.asarray(getattr(timeline, name), float), abs=1e-3
        )
    for name in ("beats_s", "starts_s", "ends_s", "bpm"):
        assert getattr(again.grid, name) == pytest.approx(getattr(timeline.grid, name), abs=1e-3)
    assert again.envelopes.values == pytest.approx(timeline.envelopes.values, abs=1e-3)
    for name in ("mix", "model", "section", "tracks", "drops", "edits", "warnings", "slicing", "generator"):
        assert getattr(again, name) == getattr(timeline, name)
    again.save(tmp_path / "again.housex.json")
    first, second = (json.loads(p.read_text()) for p in (path, tmp_path / "again.housex.json"))
    assert {**first, "envelopes": 0} == {**second, "envelopes": 0}


def test_the_file_is_what_the_contract_says(timeline: Timeline, tmp_path: Path) -> None:
    path = tmp_path / "mix.housex.json"
    timeline.save(path)
    data = json.loads(path.read_text())
    jsonschema.validate(data, SCHEMA)
    assert list(data)[:4] == ["schema", "generator", "mix", "model"]
    assert data["grid"]["downbeats_s"] == data["bars"]["start_s"]
    assert data["bars"]["label"][0] == "Future House"
    assert data["bars"]["label"][16] == "Melodic House"
    assert data["drops"] == [{"start_bar": 8, "end_bar": 16}]
    assert data["envelopes"] == {"file": "mix.housex.npz", "rate_hz": 100.0, "names": list(module.ENVELOPE_NAMES)}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mix.housex.json", "mix.housex.npz"]


def _set(path: str, value: Any) -> Any:
    def change(data: dict[str, Any]) -> None:
        *parents, last = path.split(".")
        for key in parents:
            data = data[int(key)] if isinstance(data, list) else data[key]
        if value is KeyError:
            del data[last]
        else:
            data[int(last) if isinstance(data, list) else last] = value

    return change


SCHEMA_BREAKS = [
    ("schema", 99), ("schema", "1"), ("schema", True), ("mix", KeyError), ("mix.sha256", "xyz"), ("mix.duration_s", 0),
    ("mix.duration_s", "long"), ("mix.channels", 1.5), ("model.genres", []), ("grid.bpm.0", -1), ("grid.beats_s.3", None),
    ("bars.probs.0.0", 1.5), ("bars.probs.0", []), ("bars.section.0", "chorus"), ("bars.uncertain.0", 1),
    ("bars.energy.0", -0.1), ("bars.start_s", []), ("tracks.0.start_bar", -1), ("tracks.0.end_bar", 0.5),
    ("mix.duration_s", 1e12), ("grid.beats_s", []), ("grid.bpm.0", 1e300), ("bars.start_s.0", -1000),
    ("bars.attributes", {"x": "hello"}), ("bars.attributes", {"x": 5}), ("bars.attributes", {"x": [[1], [2]]}),
    ("model.genres.0", "x" * 500), ("envelopes.file", ""), ("envelopes.rate_hz", 1e-300),
    ("drops", {}), ("edits", [{"what": "genre"}]), ("edits", [{"what": "magic", "from_s": 0, "to_s": 1, "value": "x"}]),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value"), SCHEMA_BREAKS)
def test_our_validator_and_jsonschema_agree(timeline: Timeline, tmp_path: Path, path: str, value: Any) -> None:
    data = timeline.to_dict("mix.housex.npz")
    jsonschema.validate(data, SCHEMA)
    assert first_problem(data, SCHEMA) == ""
    _set(path, value)(data)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, SCHEMA)
    assert first_problem(data, SCHEMA) != ""
    timeline.save(tmp_path / "m.housex.json")
    (tmp_path / "m.housex.json").write_text(json.dumps(data))
    with pytest.raises(TimelineError):
        Timeline.load(tmp_path / "m.housex.json")


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("bars.start_s.5", 0.0, "do not increase"),
        ("bars.probs.3", [0.5] + [0.0] * 8, "sum to 1"),
        ("bars.probs.3", [1.0], "9 probabilities"),
        ("bars.confidence", [0.5], "confidence"),
        ("drops.0.end_bar", 400, "bars 8 to 400"),
        ("envelopes.names", ["sub"], "do not fit"),
        ("bars.end_s.3", 40.0, "overlap"),
        ("mix.duration_s", 18000.0, "do not fit"),
        ("envelopes.file", "a\0b", "damaged"),
        ("envelopes.file", "gone.npz", "missing"),
        ("envelopes.file", "../../../etc/passwd", "missing or damaged"),
    ],
)
def test_inconsistent_files_are_refused(timeline: Timeline, tmp_path: Path, path: str, value: Any, said: str) -> None:
    target = tmp_path / "m.housex.json"
    timeline.save(target)
    data = json.loads(target.read_text())
    _set(path, value)(data)
    target.write_text(json.dumps(data))
    with pytest.raises(TimelineError, match=said):
        Timeline.load(target)


@pytest.mark.parametrize("keep", [0, 1, 100, 0.5, 0.999])
def test_a_file_cut_off_anywhere_is_refused(timeline: Timeline, tmp_path: Path, keep: float) -> None:
    path = tmp_path / "m.housex.json"
    timeline.save(path)
    text = path.read_text().rstrip()
    path.write_text(text[: int(keep if keep >= 1 or keep == 0 else keep * len(text))])
    with pytest.raises(TimelineError, match="cut off or is not JSON"):
        Timeline.load(path)


@pytest.mark.parametrize("content", ["[]", "NaN", '{"schema": 1, "x": NaN}', "[" * 100_000, "\x00\x01"])
def test_things_that_are_not_timelines(tmp_path: Path, content: str) -> None:
    path = tmp_path / "m.housex.json"
    path.write_text(content)
    with pytest.raises(TimelineError):
        Timeline.load(path)


def test_another_schema_is_named(timeline: Timeline, tmp_path: Path) -> None:
    path = tmp_path / "m.housex.json"
    timeline.save(path)
    data = json.loads(path.read_text())
    path.write_text(json.dumps({**data, "schema": 99}))
    with pytest.raises(TimelineError, match="schema 99"):
        Timeline.load(path)


def test_an_integer_that_no_float_can_hold(timeline: Timeline, tmp_path: Path) -> None:
    path = tmp_path / "m.housex.json"
    timeline.save(path)
    data = json.loads(path.read_text())
    data["grid"]["bpm"][0] = 10**400
    path.write_text(json.dumps(data))
    with pytest.raises(TimelineError, match="damaged"):
        Timeline.load(path)


def test_a_byte_order_mark_does_no_harm(timeline: Timeline, tmp_path: Path) -> None:
    path = tmp_path / "m.housex.json"
    timeline.save(path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert Timeline.load(path).grid.n_bars == timeline.grid.n_bars


@pytest.mark.parametrize("kind", ["short", "too loud", "negative", "complex"])
def test_envelopes_that_do_not_belong_are_refused(timeline: Timeline, tmp_path: Path, kind: str) -> None:
    timeline.save(tmp_path / "m.housex.json")
    values = timeline.envelopes.values.copy()
    other = {"short": values[:500], "too loud": values + 2, "negative": values - 1, "complex": values * 1j}[kind]
    np.savez(tmp_path / "m.housex.npz", values=other)
    with pytest.raises(TimelineError, match=r"m\.housex\.npz"):
        Timeline.load(tmp_path / "m.housex.json")


@pytest.mark.parametrize("at", [0.02, 0.2, 0.5, 0.8, 0.98])
def test_damaged_envelopes_are_refused_wherever_the_damage_is(timeline: Timeline, tmp_path: Path, at: float) -> None:
    path = tmp_path / "m.housex.npz"
    timeline.save(tmp_path / "m.housex.json")
    data = bytearray(path.read_bytes())
    where = int(at * len(data))
    data[where : where + 60] = np.random.default_rng(0).bytes(len(data[where : where + 60]))
    path.write_bytes(data)
    with pytest.raises(TimelineError, match="envelopes"):
        Timeline.load(tmp_path / "m.housex.json")


def test_a_pair_is_replaced_whole_or_not_at_all(
    timeline: Timeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "m.housex.json"
    timeline.save(path)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}

    def full(*_args: object, **_more: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(TimelineError, match="No space left"):
        timeline.save(path)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_or_a_folder_as_mix_is_refused_at_once(timeline: Timeline, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    for path in (tmp_path / "pipe.wav", Path("/dev/zero"), tmp_path):
        with pytest.raises(TimelineError, match="cannot be read"):
            timeline.check_mix(path)


def test_pickled_envelopes_are_never_unpickled(timeline: Timeline, tmp_path: Path) -> None:
    timeline.save(tmp_path / "m.housex.json")
    np.savez(tmp_path / "m.housex.npz", values=np.array([{"a": 1}], dtype=object))
    with pytest.raises(TimelineError, match="damaged"):
        Timeline.load(tmp_path / "m.housex.json")


def test_a_timeline_of_another_mix_is_refused(timeline: Timeline, tmp_path: Path) -> None:
    mix = tmp_path / "mix.flac"
    mix.write_bytes(b"one")
    mine = copy.copy(timeline)
    object.__setattr__(mine, "mix", module.MixInfo("mix.flac", sha256_of(mix), 10.0, 44100, 2))
    mine.check_mix(mix)
    mix.write_bytes(b"two")
    with pytest.raises(TimelineError, match="another mix"):
        mine.check_mix(mix)


def test_saving_where_one_cannot_leaves_nothing(timeline: Timeline, tmp_path: Path) -> None:
    with pytest.raises(TimelineError, match="cannot be written"):
        timeline.save(tmp_path / "no" / "m.housex.json")
    assert list(tmp_path.iterdir()) == []


def test_shares_are_weighted_by_time(timeline: Timeline) -> None:
    assert timeline.share()["Future House"] == pytest.approx(16 / 24)
    assert list(timeline.share())[:2] == ["Future House", "Melodic House"]
