"""Whatever the bytes are, a parser answers with what it found or with a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from housex_blender.core.bars import BarGrid
from housex_blender.exchange import EXPORTS, ExchangeError, Imported, grid_from
from housex_blender.exchange.parts import Target
from housex_blender.exchange.reading import parse

from ..conftest import make_timeline
from .test_import import CUE, LAUGHS, REKORDBOX

NAMES = ["a.xml", "a.cue", "a.txt", "a.beats", "a.lab", "a"]
_QUICK = settings(
    max_examples=120,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
_TIMELINE = make_timeline()
VALID: list[tuple[str, bytes]] = [
    *(
        ("a" + EXPORTS[kind].suffix, EXPORTS[kind].make(_TIMELINE, Target(Path("/a/b"))).data)
        for kind in ("labels", "lab", "beats", "cue", "chapters", "tracklist", "rekordbox")
    ),
    ("a.xml", REKORDBOX.encode("utf-8")),
    ("a.xml", REKORDBOX.replace("UTF-8", "UTF-16").encode("utf-16")),
    ("a.cue", CUE.encode("utf-8")),
    ("a.xml", LAUGHS.replace("{enc}", "").encode()),
    ("a.txt", b"0.0\t0.0\tbeat\n0.5\t0.5\tdownbeat\n1.0\t9.0\tdrop\n\\\t1.0\t2.0\n"),
]
# pieces that lie near the borders of what parsers take
NASTY = [
    b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"1e999", b"-1", b"99999999999999999999", b"nan", b"0.0", b"\t", b"\n", b"\r",
    b'"', b"<", b"&#0;", b"<!DOCTYPE a>", b"<![CDATA[", b"00:00:00", b"99:99:99", b"INDEX 01 0:0:0", b"TRACK", b" - ",
    "١".encode(), "²".encode(), b"1_0", b"\x85", "\u2028".encode(), b"\xed\xa0\x80", b'Battito="', b'Bpm="1e-9"', b"#",
    b'encoding="utf-7"', b'encoding="idna"', b'encoding="hex"', b'encoding="cp037"', b"4/4", b"1 2 3", b"[", b"]", b"\\",
]  # fmt: skip


def judge(data: bytes, name: str, mix_file: str = "Late & Loud") -> None:
    """Parse, and make a grid if there is one; only our own error may come out, and it must be a sentence."""
    said = "."
    try:
        found = parse(data, name, mix_file)
        assert isinstance(found, Imported)
        assert isinstance(grid_from(found, 600.0), BarGrid)
    except ExchangeError as error:
        said = error.message
    assert said.endswith(".")
    assert "\n" not in said


@_QUICK
@given(st.binary(max_size=300), st.sampled_from(NAMES))
def test_any_bytes(data: bytes, name: str) -> None:
    judge(data, name)


@_QUICK
@given(
    st.text(max_size=200), st.sampled_from(NAMES), st.sampled_from(["utf-8", "utf-16", "latin-1"]), st.text(max_size=9)
)
def test_any_text(text: str, name: str, encoding: str, mix_file: str) -> None:
    judge(text.encode(encoding, errors="ignore"), name, mix_file)


@_QUICK
@given(
    st.lists(
        st.lists(st.sampled_from([*NASTY, b"0.5", b"12", b"1", b"drop", b"12:34", b"Artist"]), min_size=1, max_size=5),
        max_size=12,
    ),
    st.sampled_from([b"\t", b" "]),
    st.sampled_from(NAMES),
)
def test_lines_of_nasty_fields(rows: list[list[bytes]], between: bytes, name: str) -> None:
    judge(b"\n".join(between.join(row) for row in rows), name)


@pytest.mark.parametrize("index", range(len(VALID)))
@settings(_QUICK, max_examples=60)
@given(data=st.data())
def test_damaged_files(index: int, data: st.DataObject) -> None:
    name, content = VALID[index]
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content)))
        cut = data.draw(st.sampled_from([0, 0, 1, 2, 9, 100]))
        content = content[:at] + data.draw(st.sampled_from([b"", *NASTY])) + content[at + cut :]
    judge(content, data.draw(st.sampled_from([name, *NAMES])))


@_QUICK
@given(
    st.lists(st.tuples(st.floats(), st.floats(), st.integers(1, 4)), max_size=6),
    st.lists(st.floats(-1.0, 700.0), max_size=20),
    st.lists(st.integers(0, 19), max_size=6),
    st.floats(0.0, 1000.0),
)
def test_any_grid(
    tempos: list[tuple[float, float, int]], beats: list[float], downs: list[int], duration_s: float
) -> None:
    downbeats = [beats[index] for index in downs if index < len(beats)]
    for mine, theirs in ((tempos, []), ([], beats), (tempos, beats)):
        try:
            found = Imported("rekordbox", theirs or None, downbeats or None, list(mine))  # type: ignore[arg-type]
            grid = grid_from(found, duration_s)
        except ExchangeError:
            continue
        assert grid.n_bars >= 1
        assert (grid.bpm <= 1000.0).all()


def test_the_undamaged_files_are_read() -> None:
    kinds = [parse(content, name, "Late & Loud").kind for name, content in VALID if b"ENTITY" not in content]
    assert kinds == [
        "labels", "lab", "beats", "cue", "tracklist", "tracklist", "rekordbox", "rekordbox", "rekordbox", "cue", "labels",
    ]  # fmt: skip
